#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the end-to-end tests: every test_*.py of this folder, or those named, or single tests by a part of
their name. Each test has a bound in time. Ends in "N passed, N failed, N skipped".

  run.py [-v] [-l] [--without WORD] [WORD...]
"""

import argparse
import os
import pathlib
import signal
import sys
import time
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
SECONDS = 90
PATIENCE = float(os.environ.get("WEIR_PATIENCE") or 1) # see harness.py


class Overdue(Exception):
	pass


class Result(unittest.TestResult):
	def __init__(self, verbose, label=""):
		super().__init__()
		self.verbose = verbose
		self.label = label # stands before each name
		self.passed = 0
		self.bad = 0
		self.reasons = []
		self.begun = 0

	def name(self, test):
		return self.label + name_of(test)

	def startTest(self, test):
		super().startTest(test)
		self.begun = time.monotonic()
		arm(PATIENCE * getattr(test, "SECONDS", SECONDS))

	def stopTest(self, test):
		arm(0)
		super().stopTest(test)

	def note(self, test, what):
		if self.verbose:
			print(f"{what:<7} {time.monotonic() - self.begun:6.2f} s  {self.name(test)}", flush=True)

	def addSuccess(self, test):
		self.passed += 1
		self.note(test, "ok")

	def fault(self, test, error):
		self.bad += 1
		self.note(test, "FAILED")
		print(f"--- {self.name(test)}\n{self._exc_info_to_string(error, test)}", flush=True)

	def addError(self, test, err):
		self.fault(test, err)

	def addFailure(self, test, err):
		self.fault(test, err)

	def addSubTest(self, test, subtest, err):
		if err is not None:
			self.fault(subtest, err)

	def addUnexpectedSuccess(self, test):
		self.addSuccess(test)

	def addExpectedFailure(self, test, err):
		self.addSuccess(test)

	def addSkip(self, test, reason):
		self.skipped.append((test, reason))
		self.reasons.append(f"{self.name(test)}: {reason}")
		self.note(test, "skipped")


def name_of(test):
	return test.id() if hasattr(test, "id") else str(test)


def overdue(*_):
	raise Overdue("took too long")


def arm(seconds):
	signal.setitimer(signal.ITIMER_REAL, seconds)


def flat(suite):
	for item in suite:
		if isinstance(item, unittest.TestSuite):
			yield from flat(item)
		else:
			yield item


def choose(words, without):
	loader = unittest.TestLoader()
	tests = list(flat(loader.discover(str(FOLDER), "test_*.py", str(FOLDER))))
	if words:
		tests = [t for t in tests if any(w in name_of(t) for w in words)]
	return [t for t in tests if not (without and without in name_of(t))]


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("-v", "--verbose", action="store_true", help="print each test")
	parser.add_argument("-l", "--list", action="store_true", help="print the names of the tests")
	parser.add_argument("--without", metavar="WORD", help="not the tests whose name has this")
	parser.add_argument("words", nargs="*", help="only tests whose name has one of these")
	args = parser.parse_args()

	sys.path.insert(0, str(FOLDER))
	tests = choose(args.words, args.without)
	if args.list:
		for test in tests:
			print(name_of(test))
		return 0
	signal.signal(signal.SIGALRM, overdue)
	signal.signal(signal.SIGTERM, signal.default_int_handler) # leaves by the same way as Ctrl-C: tidily
	result = Result(args.verbose)
	suite = unittest.TestSuite()
	suite.addTests(tests)
	try:
		suite.run(result)
	except KeyboardInterrupt:
		result.bad += 1
	for reason in result.reasons:
		print(f"skipped: {reason}")
	print(f"{result.passed} passed, {result.bad} failed, {len(result.skipped)} skipped")
	return 1 if result.bad or not (result.passed or result.skipped) else 0


if __name__ == "__main__":
	sys.exit(main())
