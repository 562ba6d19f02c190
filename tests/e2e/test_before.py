# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets that were open before weir: bytes count from its first sight, and what TCP proves of the time before
stands apart."""

import contextlib
import unittest

import harness
from harness import Daemon, Held

BEFORE = ("before_tx_bytes", "before_rx_bytes")
# Many at the same time, each stopped in its middle while the daemon starts.
CASES = [c for c in harness.cases() if c.startswith(("tcp4-", "mptcp4-", "udp4-", "unix-"))] + \
	["tcp6-write", "tcp6-splice-out", "tcp6-waiting", "tcp6-blocked", "tcp6-in-call", "udp6-send"]
# A request that stays in the ring may take bytes that the generator means for later.
UNFIT = {"tcp4-uring-recv-multishot"}


class Before(unittest.TestCase):
	SECONDS = 120

	def start(self, stack, cases):
		"""Starts all, then keeps those that know --before."""
		started = {c: stack.enter_context(Held("run", c, "--before", "--after", "30011", stage=None))
			   for c in cases}
		held = {}
		for case, generator in started.items():
			end = False
			while not end and "paused" not in generator.stages:
				end = not generator.take(20)
			if "paused" in generator.stages:
				held[case] = generator
		return held

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.problems = {}
		with contextlib.ExitStack() as stack:
			held = cls.start(cls, stack, [c for c in CASES if c not in UNFIT])
			with Daemon() as daemon:
				cls.ready_seconds = daemon.ready_seconds
				cls.paused_processes = daemon.rows("processes")
				for generator in held.values():
					generator.go_on()
				for generator in held.values():
					generator.finish()
				cls.processes = daemon.rows("processes")
				cls.flows = daemon.rows("flows")
				cls.audit = daemon.audit()
			cls.truths = {case: generator.truth for case, generator in held.items()}

	def all_of(self, *words):
		for case, truth in self.truths.items():
			if case.startswith(words):
				yield case, harness.as_the_set_sees(case, truth.of(case), under_way=True)

	def test_enough_cases_know_the_pause(self):
		self.assertGreater(len(self.truths), 80)

	def test_bytes_after_the_first_sight_are_exact(self):
		for case, truths in self.all_of(""):
			with self.subTest(case):
				certain = harness.exact(truths)
				problems = harness.process_differences(certain, self.processes)
				if len(certain) == len(truths):
					problems += harness.flow_differences(truths, self.flows)
				self.assertEqual(problems, [])

	def test_bytes_before_are_what_tcp_proves(self):
		for case, truths in self.all_of("tcp"):
			if any(t["expect"] != "exact" for t in truths) or "sockmap" in case:
				continue
			with self.subTest(case):
				self.assertEqual(harness.flow_differences(truths, self.flows, BEFORE), [])
				for t in truths:
					row = next((r for r in self.processes if r["pid"] == t["pid"]), None)
					if row or t["before_tx_bytes"] or t["before_rx_bytes"]:
						self.assertIsNotNone(row, t["comm"])
						self.assertEqual(tuple(row[f] or 0 for f in BEFORE), tuple(t[f] for f in BEFORE), t["comm"])

	def test_a_call_that_spans_the_start_is_not_counted_twice_in_silence(self):
		"""Such a call reports all of its bytes when it returns, of which TCP had counted some before. What the two
		have in common is a line of the audit."""
		twice = 0
		for case, truths in self.all_of("tcp4-in-call", "tcp6-in-call"):
			t = next(t for t in truths if t["role"] == "tx")
			rows = [r for r in self.flows if r["cookie"] == t["cookie"]]
			both = sum(r["tx_bytes"] + (r["before_tx_bytes"] or 0) for r in rows)
			self.assertGreaterEqual(both, t["tx_bytes"], case)
			twice += both - t["tx_bytes"]
		self.assertGreaterEqual(self.audit["redirected"]["tx_bytes"], twice)

	def test_owners_are_known_before_they_move_a_byte(self):
		have = {(r["pid"], r["comm"]) for r in self.paused_processes}
		lacking = []
		for case, truths in self.all_of("tcp4", "mptcp4", "udp4"):
			lacking += [f"{case}: {t['comm']}[{t['pid']}]" for t in truths
				    if (t["pid"], t["comm"]) not in have and "fixed" not in case]
		self.assertEqual(lacking, [])

	def test_no_byte_without_an_owner(self):
		self.assertEqual(self.audit["unattributed"]["tx_bytes"], 0)
		self.assertEqual(self.audit["unattributed"]["rx_bytes"], 0)
