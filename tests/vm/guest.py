#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the suites vm-6.12 and vm-6.1 run in their guest: the BPF tests, the generator under each set of hooks that this
kernel has, then the other end-to-end tests under the set that the daemon chooses. One boot, one process; ends in
"N passed, N failed, N skipped".

  guest.py [-v] [WORD...]         only steps and tests whose name has one of the words
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "e2e"))

import harness # pylint: disable=wrong-import-position
import run # pylint: disable=wrong-import-position

# The sets of hooks that have to work on this kernel; elsewhere they are what doctor says they are.
SETS = {
	"6.12": ("sock", "tcp-fentry", "tcp-kprobe"),
	"6.1": ("tcp-fentry", "tcp-kprobe"),
}

# What depends on the hooks themselves runs under each set ...
UNDER_EACH_SET = ("test_exact", "test_before", "test_flows", "test_stacks")

# ... the rest once, but for what says nothing here. By the beginning of a name; a skip is printed for each.
CAPTURE = "what becomes of packets in user space, the same under every kernel; the suite e2e has it"
ROLES = "what the roles do among themselves, the same under every kernel; the suite e2e has it"
LEFT_OUT = {
	"test_demo": "a scene of under a minute by the clock, which emulation does not keep",
	"test_tui": "a screen that is drawn from documents, which are the same on every kernel",
	"test_tui_wire": "bytes for a screen that is drawn from documents, the same on every kernel; the suite e2e has it",
	"test_containers": "reads what runtimes keep in files, the same under every kernel; the suite e2e has it",
	"test_degrade.Faked.test_one_thing_at_a_time": "what the probe is told it lacks, the same under every kernel; the suite e2e has it",
	"test_degrade.Rights": "rights that a process lacks, much the same under every kernel; the suite e2e has it",
	"test_degrade.Places": "mounts that are not there, the same under every kernel; the suite e2e has it",
	"test_hostile": "names made harmless for display, the same under every kernel; the suite e2e has it",
	"test_metrics": "what the engine makes of rows, the same under every kernel; the suite e2e has it",
	"test_surfaces": "what the frontends make of rows, the same under every kernel; the suite e2e has it",
	"test_users": "who may see what, the same under every kernel; the suite e2e has it",
	"test_degrade.Faked.test_each_tracepoint_that_is_in_use": "what the probe is told it lacks, as above",
	"test_degrade.Memory": "the least memory for a control group, much the same under every kernel; the suite e2e has it",
	"test_capture.Captures.test_tcpdump_and_tshark_read_it": CAPTURE,
	"test_capture.Captures.test_one_device_and_few_bytes": CAPTURE,
	"test_capture.Captures.test_it_ends_by_count_and_by_time": CAPTURE,
	"test_capture.Captures.test_standard_output_is_a_file_too": CAPTURE,
	"test_capture.Captures.test_the_reader_may_go_away": CAPTURE,
	"test_capture.Captures.test_after_sigkill_the_file_can_be_read": CAPTURE,
	"test_capture.Captures.test_a_full_disk_ends_it_with_a_whole_file": CAPTURE,
	"test_capture.Captures.test_a_hostile_name_stays_a_name": CAPTURE,
	"test_capture.Captures.test_who_reads_packets_has_no_rights": CAPTURE,
	"test_capture.Captures.test_mistakes_are_said_in_one_line": CAPTURE,
	"test_capture.Captures.test_without_root_it_says_so": CAPTURE,
	"test_capture.Captures.test_the_daemon_may_be_started_for_it": CAPTURE,
	"test_configuration": "what a file says, the same under every kernel; the suite e2e has it",
	"test_drops_shown": "what the frontends make of rows, the same under every kernel; the suite e2e has it",
	"test_drops.Drops.test_a_hostile_name": "names made harmless for display, the same under every kernel; the suite e2e has it",
	"test_dns.Hosts": "what a file says, the same under every kernel; the suite e2e has it",
	"test_dns.Recorded": "what a recording gives again, the same under every kernel; the suite e2e has it",
	"test_dns.WithoutCgroups": "mounts that are not there, the same under every kernel; the suite e2e has it",
	"test_errors": "what is said of mistakes, the same under every kernel; the suite e2e has it",
	"test_history_shown": "what the frontends make of the past, the same under every kernel; the suite e2e has it",
	"test_history.Over.test_all_of_it_is_killed": ROLES,
	"test_history.Over.test_each_role_is_killed": ROLES,
	"test_history.Over.test_a_store_that_is_gone_is_said": ROLES,
	"test_history.Over.test_a_store_that_hung_and_died_sets_no_clock_back": ROLES,
	"test_history.Over.test_days_are_those_of_the_zone": "what a file says, the same under every kernel; the suite e2e has it",
	"test_history.Over.test_it_can_be_switched_off": ROLES,
	"test_history.Over.test_what_it_lacks_is_said": ROLES,
	"test_history.Disks": "what the store makes of a disk's errors, the same under every kernel; the suite e2e has it",
	"test_history.Past.test_many_ask_at_once": ROLES,
	"test_history.Past.test_others_do_not_see_it": "who may see what, the same under every kernel; the suite e2e has it",
	"test_history.Past.test_what_is_asked_wrongly_gets_one_clear_line":
		"what is said of mistakes, the same under every kernel; the suite e2e has it",
	"test_history.Played": ROLES,
	"test_lifecycle.Lifecycle.test_the_keeper_killed_at_any_moment": ROLES,
	"test_lifecycle.Lifecycle.test_a_dead_role_is_started_again_and_serves": ROLES,
	"test_lifecycle.Lifecycle.test_a_second_daemon_beside_the_first": ROLES,
	"test_schema": "the form of documents, the same under every kernel; the suite e2e has it",
	"test_replay": "loads nothing into a kernel; the suite replay has it",
	"test_surroundings": "descriptors, folders and errors of the roles, the same under every kernel; the suite e2e has it",
	"test_losses.Losses.test_losses_are_counted_and_said_everywhere":
		"needs 25,000 connections within seconds; emulation makes a tenth of them",
	"test_losses.Losses.test_nothing_is_lost_at_the_churn_of_one_core":
		"about speed: emulated, it would prove nothing",
	"test_flows.Flows.test_opens_and_closes_are_pushed_before_the_tick":
		"about a delay of under 100 ms, which is not the emulated clock's",
}

# The daemon chooses the same set on 6.12 as on newer kernels; an older one, on 6.1, tells more.
AS_ON_THE_HOST = ("test_degrade.Faked", "test_degrade.Memory", "test_degrade.Settings", "test_lifecycle", "test_history",
		  "test_history_killed", "test_losses", "test_dns.Names.test_ten_thousand_names_are_bounded")

# Smaller numbers where a test is about many.
SCALE = {"WEIR_CROWD": "500", "WEIR_SOCKETS": "1000", "WEIR_NAMES": "800", "WEIR_KILLS": "2", "WEIR_DEATHS": "4"}

BPF_SECONDS = 400 # beside other suites


class Total:
	def __init__(self):
		self.passed = self.failed = 0
		self.reasons = []

	def add(self, result):
		self.passed += result.passed
		self.failed += result.bad
		self.reasons += result.reasons

	def say(self):
		for reason in self.reasons:
			print(f"skipped: {reason}")
		print(f"{self.passed} passed, {self.failed} failed, {len(self.reasons)} skipped", flush=True)


# --- the guest itself -----------------------------------------------------------------------


class Guest(unittest.TestCase):
	"""What the tests take for granted."""

	def test_the_series_is_the_one_asked_for(self):
		self.assertIn(series(), SETS)

	def test_file_systems(self):
		kinds = {line.split()[1]: line.split()[2] for line in harness.read_text("/proc/mounts").splitlines()}
		self.assertEqual(kinds.get("/sys/fs/cgroup"), "cgroup2")
		self.assertEqual(kinds.get("/sys/fs/bpf"), "bpf")
		self.assertEqual(kinds.get("/sys/kernel/tracing"), "tracefs")

	def test_the_kernel_describes_its_types(self):
		self.assertTrue(pathlib.Path("/sys/kernel/btf/vmlinux").exists())

	def test_modules_load_when_asked_for(self):
		with harness.Namespace() as namespace:
			namespace.run("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
			self.assertIn("veth1", namespace.run("ip", "-o", "link").stdout)


def series():
	return ".".join(os.uname().release.split(".")[:2])


# --- steps ----------------------------------------------------------------------------------


def bpf_steps():
	"""The test programs that load something into the kernel, as meson wrote them down."""
	told = harness.BUILD / "meson-info" / "intro-tests.json"
	for test in json.loads(told.read_text()):
		if any(s.split(":")[-1] == "bpf" for s in test["suite"]):
			yield test["name"], test["cmd"]


def run_program(name, command, total):
	"""A cmocka program: a line of TAP for each of its tests."""
	result = run.Result(False)
	environment = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}
	try:
		done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
				      timeout=BPF_SECONDS, env=environment, preexec_fn=harness.die_with_parent)
		text, status = done.stdout.decode(errors="replace"), done.returncode
	except subprocess.TimeoutExpired as overdue:
		text, status = (overdue.stdout or b"").decode(errors="replace"), f"none after {BPF_SECONDS} s"
	lines = re.findall(r"^(not )?ok\b[ \t]*\d*[ \t]*-?[ \t]*(.*)$", text, re.M)
	skips = [rest for bad, rest in lines if "# SKIP" in rest.upper()]
	why = re.findall(r"^(?:# )?skipped: (.*)$", text, re.M) or ["no reason given"]
	result.reasons = [f"{name}: {why[min(i, len(why) - 1)]}" for i in range(len(skips))]
	result.bad = sum(1 for bad, rest in lines if bad and rest not in skips)
	result.passed = len(lines) - len(skips) - result.bad
	if status == 77 and not lines: # as for tools/test-run: nothing of it can be had here
		result.reasons.append(f"{name}: {text.strip().splitlines()[-1] if text.strip() else 'no reason given'}")
	elif (status and not result.bad) or not lines:
		result.bad += 1
	if result.bad:
		print(f"--- {name}: exit status {status}\n{text.rstrip()}", flush=True)
	total.add(result)


def left_out(name):
	"""(beginning of the name, reason), or None."""
	lists = [LEFT_OUT]
	if series() == "6.12":
		lists.append(dict.fromkeys(AS_ON_THE_HOST, "under the set sock it says what the suite e2e says; vm-6.1 has it too"))
	for reasons in lists:
		for beginning, why in reasons.items():
			if name == beginning or name.startswith(beginning + "."):
				return beginning, why
	return None


def run_tests(tests, label, verbose, total):
	result = run.Result(verbose, label)
	chosen = []
	skipped = {}
	for test in tests:
		found = left_out(run.name_of(test))
		if found:
			skipped[found[0]] = found[1]
		else:
			chosen.append(test)
	unittest.TestSuite(chosen).run(result)
	result.reasons += [f"{label}{name}: left out in a guest: {why}" for name, why in skipped.items()]
	total.add(result)


def steps(tests):
	"""(name, set of hooks or None, [test]), each module a step."""
	modules = {}
	for test in tests:
		modules.setdefault(run.name_of(test).split(".")[0], []).append(test)
	yield "guest", None, list(unittest.defaultTestLoader.loadTestsFromTestCase(Guest))
	for hooks in SETS.get(series(), ()):
		for name in UNDER_EACH_SET:
			yield f"{hooks}: {name}", hooks, modules.get(name, [])
	for name, mine in modules.items():
		if name not in UNDER_EACH_SET:
			yield name, None, mine


def wanted(words, name, tests):
	"""Of a step, what the words name: all of it by the step's name, else single tests."""
	if not words or any(word in name for word in words):
		return tests
	return [t for t in tests if any(word in run.name_of(t) for word in words)]


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("-v", "--verbose", action="store_true", help="print each test")
	parser.add_argument("words", nargs="*")
	args = parser.parse_args()
	if "WEIR_VM" not in os.environ:
		print("guest.py runs in a guest: tools/vm-run --kernel 6.12 -- tests/vm/guest.py", file=sys.stderr)
		return 2
	os.environ.update(SCALE)
	signal.signal(signal.SIGALRM, run.overdue)
	total = Total()

	def timed(name, action):
		begun = time.monotonic()
		failed = total.failed
		action()
		state = "FAILED" if total.failed > failed else "ok"
		print(f"{time.monotonic() - begun:6.1f} s  {name}: {state}", flush=True)

	for name, command in bpf_steps():
		if not args.words or any(word in name for word in args.words):
			timed(name, lambda: run_program(name, command, total))
	for name, hooks, tests in steps(run.choose([], None)):
		mine = wanted(args.words, name, tests)
		if mine:
			os.environ["WEIR_HOOKS"] = hooks or ""
			timed(name, lambda: run_tests(mine, f"{hooks}: " if hooks else "", args.verbose, total))
	total.say()
	return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
	sys.exit(main())
