# SPDX-License-Identifier: GPL-2.0-or-later
"""Does what HACKING.md says under "A feature in ten steps", on a copy of the tree: writes the files that stand there,
makes the changes, builds, runs the new test, and asks a daemon for the new table."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "style"))
sys.path.insert(0, str(TOP / "tests" / "docs"))
import rules  # noqa: E402
from tree import copy_tree  # noqa: E402

BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.M | re.S)
DIFF = re.compile(r"^```diff\n(.*?)^```$", re.M | re.S)


def apply_diff(top, text):
	"""Context lines place the cursor, "-" takes a line away, "+" puts one there."""
	for part in re.split(r"^--- .*\n", text, flags=re.M)[1:]:
		head, body = part.split("\n", 1)
		path = top / head.removeprefix("+++ b/")
		lines = path.read_text().split("\n")
		cursor, waiting = 0, []
		for line in body.splitlines():
			mark, rest = line[:1], line[1:]
			if line.startswith("@@"):
				continue
			if mark == "+":
				waiting.append(rest)
				continue
			at = lines.index(rest, cursor)
			if mark == "-":
				del lines[at]
				cursor = at
			else:
				# Before the first context line, or after the one before.
				where = cursor or at
				lines[where:where] = waiting
				cursor = lines.index(rest, where + len(waiting)) + 1
				waiting = []
		lines[cursor:cursor] = waiting
		path.write_text("\n".join(lines))


class TenSteps(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.folder = tempfile.TemporaryDirectory(prefix="weir-ten-steps-")
		cls.top = Path(cls.folder.name) / "weir"
		copy_tree(cls.top)
		text = (TOP / "HACKING.md").read_text()
		cls.blocks = BLOCK.findall(text)
		for name, content in cls.blocks:
			path = cls.top / name
			path.parent.mkdir(parents=True, exist_ok=True)
			path.write_text(content)
		for diff in DIFF.findall(text):
			apply_diff(cls.top, diff)
		cls.build = cls.top / "build"
		cls.log = ""
		for command in (["meson", "setup", cls.build, "-Dwerror=true"],
				["ninja", "-C", cls.build, "--quiet"]):
			done = subprocess.run(command, cwd=cls.top, capture_output=True, text=True,
					      stdin=subprocess.DEVNULL)
			if done.returncode:
				cls.log = done.stdout + done.stderr
				break

	@classmethod
	def tearDownClass(cls):
		cls.folder.cleanup()

	def setUp(self):
		if self.log:
			self.fail(self.log)

	def test_the_page_has_the_steps(self):
		text = (TOP / "HACKING.md").read_text()
		for step in range(1, 11):
			self.assertRegex(text, rf"(?m)^\*\*{step}\. ")
		self.assertGreater(len(self.blocks), 8)

	def test_the_new_files_keep_the_rules(self):
		found = []
		for name, content in self.blocks:
			if not name.endswith((".md", "counts")):
				for rule in rules.FILE_RULES:
					found += rule(name, content)
		self.assertEqual(found, [])

	def test_what_it_says_has_its_chinese(self):
		done = subprocess.run([sys.executable, "-B", "said_table_test.py"], cwd=self.top / "tests/words",
				      capture_output=True, text=True)
		self.assertEqual(done.returncode, 0, done.stderr)

	def test_its_headings_have_their_chinese(self):
		done = subprocess.run([self.build / "words_test"], capture_output=True, text=True)
		self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

	def test_its_unit_test_passes(self):
		done = subprocess.run([self.build / "resets_test"], capture_output=True, text=True)
		self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

	@unittest.skipUnless(os.geteuid() == 0, "needs root")
	def test_the_daemon_serves_its_table(self):
		work = Path(self.folder.name)
		path = work / "weir.sock"
		with open(work / "log", "w+") as log:
			daemon = subprocess.Popen(
				[self.build / "weir", "daemon", "--socket", path, "--listen", "none",
				 "--state", work / "state", "--pins", work / "pins"],
				stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
			try:
				before = self.wait_for_rows(daemon, path, log)
				refuse_one()
				after = self.rows(path)
			finally:
				daemon.send_signal(signal.SIGTERM)
				try:
					daemon.wait(10)
				except subprocess.TimeoutExpired:
					os.killpg(daemon.pid, signal.SIGKILL)
					daemon.wait()
		for direction in ("sent", "received"):
			self.assertGreater(after[direction], before[direction])

	def rows(self, path):
		done = subprocess.run(["curl", "-sS", "--max-time", "5", "--unix-socket", path,
				       "http://localhost/api/v1/resets"], capture_output=True, text=True)
		self.assertEqual(done.returncode, 0, done.stderr)
		return {row["direction"]: row["resets"] for row in json.loads(done.stdout)["rows"]}

	def wait_for_rows(self, daemon, path, log):
		end = time.monotonic() + 15
		while time.monotonic() < end and daemon.poll() is None:
			if path.exists():
				try:
					rows = self.rows(path)
					if rows:
						return rows
				except (AssertionError, ValueError, KeyError):
					pass
			time.sleep(0.1)
		log.seek(0)
		self.fail(f"no table after 15 s\n{log.read()}")


def refuse_one():
	"""A connection to a port without a listener: one reset sent and one received, on loopback."""
	with socket.socket() as unused:
		unused.bind(("127.0.0.1", 0))
		port = unused.getsockname()[1]
	with socket.socket() as client:
		client.connect_ex(("127.0.0.1", port))


if __name__ == "__main__":
	unittest.main(verbosity=2)
