# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that live a few milliseconds with one connection each: all named, all bytes right."""

import os
import unittest

import harness
from harness import Daemon, generate

PROCESSES = int(os.environ.get("WEIR_CROWD", "10000"))


class Crowd(unittest.TestCase):
	SECONDS = 180

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon())
		cls.truth = generate("crowd", PROCESSES)
		cls.document = cls.daemon.json("processes")
		result = cls.truth.results["crowd"]
		print(f"crowd: {PROCESSES} processes in {result['ms']} ms, the longest lived {result['longest_us']} us, "
		      f"{result['late']} over 5 ms", flush=True)

	def test_all_are_named(self):
		have = {(r["pid"], r["comm"]) for r in self.document["rows"]}
		lacking = [t["comm"] for t in self.truth if (t["pid"], t["comm"]) not in have]
		self.assertEqual((len(lacking), lacking[:5]), (0, []))

	def test_all_bytes_are_right(self):
		problems = harness.process_differences(self.truth, self.document["rows"])
		self.assertEqual((len(problems), problems[:5]), (0, []))

	def test_all_sockets_are_right(self):
		flows = self.daemon.rows("flows")
		problems = harness.flow_differences([t for t in self.truth if t["cookie"]], flows)
		wrong = [p for p in problems if "is not there" not in p]
		self.assertEqual((len(wrong), wrong[:5]), (0, []))
		# Of closed sockets 20,000 are kept (looked at once a second); the oldest go first, and only then.
		closed = sum(1 for r in flows if r["closed_at"])
		self.assertLessEqual(closed, 20000 + 10000)
		if len(problems) > len(wrong):
			self.assertGreaterEqual(closed, 19000)

	def test_all_have_exited(self):
		members = {(t["pid"], t["comm"]) for t in self.truth if t["role"] == "crowd"}
		states = {r["state"] for r in self.document["rows"] if (r["pid"], r["comm"]) in members}
		self.assertEqual(states, {"exited"})

	def test_nothing_was_lost_and_nothing_lacks_an_owner(self):
		self.assertEqual(self.document["lost_events"], 0)
		audit = self.daemon.audit()
		self.assertEqual((audit["unattributed"]["tx_bytes"], audit["unattributed"]["rx_bytes"]), (0, 0))
		self.assertEqual(self.daemon.run("audit").returncode, 0)
