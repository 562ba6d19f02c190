# SPDX-License-Identifier: GPL-2.0-or-later
"""/metrics: clean, bounded, without addresses, and never going down."""

import os
import re
import subprocess
import unittest

import harness
from harness import Daemon, generate
from test_surfaces import samples


class Metrics(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon())
		generate("run", "tcp4-write", "tcp4-again", "udp6-send", "unix-write", "mptcp4-write", "icmp")

	def test_promtool_finds_nothing(self):
		promtool = harness.need_command("promtool")
		done = subprocess.run([promtool, "check", "metrics"], input=self.daemon.metrics(), capture_output=True,
				      text=True)
		self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

	def test_what_was_promised_is_there(self):
		text = self.daemon.metrics()
		for name in ("weir_build_info", "weir_feature_info", "weir_process_network_io_bytes_total",
			     "weir_process_tcp_retransmits_total", "weir_events_lost_total", "weir_map_entries",
			     "weir_map_capacity", "weir_self_cpu_seconds_total", "weir_self_memory_bytes"):
			with self.subTest(name):
				self.assertRegex(text, rf"(?m)^{name}(\{{| )")
				self.assertRegex(text, rf"(?m)^# HELP {name} ")
				self.assertRegex(text, rf"(?m)^# TYPE {name} (counter|gauge)$")

	def test_no_label_names_a_pid_or_an_address(self):
		for name, labels, _ in samples(self.daemon.metrics()):
			for key, value in labels.items():
				with self.subTest(f"{name} {key}"):
					self.assertNotIn(key, ("pid", "cookie", "port", "address", "peer"))
					self.assertFalse(re.fullmatch(r"\d+\.\d+\.\d+\.\d+|::1", value) and key not in ("version", "kernel"), value)

	def test_counters_do_not_go_down(self):
		"""A name may leave the largest N for "other"; no series that is there both times goes down, nor the sum."""
		def totals():
			return {(name, tuple(sorted(labels.items()))): value
				for name, labels, value in samples(self.daemon.metrics()) if name.endswith("_total")}
		before = totals()
		generate("run", "tcp4-write", "udp4-gso", "--bytes", "3000000")
		generate("crowd", "300", "--bytes", "50000")
		after = totals()
		for key in before.keys() & after.keys():
			self.assertGreaterEqual(after[key], before[key], key)
		for family in {name for name, _ in before}:
			self.assertGreaterEqual(sum(v for k, v in after.items() if k[0] == family),
						sum(v for k, v in before.items() if k[0] == family), family)
		self.assertNotEqual(before, after)

	def test_all_names_together_are_bounded_and_sum_up(self):
		"""Many names: the largest stand alone, the rest is one process="other"; nothing is dropped from the sum."""
		truth = generate("crowd", os.environ.get("WEIR_NAMES", "3000"))
		sent = sum(t["tx_bytes"] for t in truth)
		text = self.daemon.metrics()
		names = set()
		total = 0
		for name, labels, value in samples(text):
			if name == "weir_process_network_io_bytes_total":
				names.add(labels["process"])
				if labels["direction"] == "transmit" and labels["transport"] == "tcp":
					total += value
		self.assertIn("other", names)
		self.assertLess(len(names), 600)
		self.assertLess(len(text), 1 << 20)
		self.assertGreaterEqual(total, sent)
		rows = self.daemon.rows("processes")
		self.assertGreaterEqual(sum(r["tx_bytes"] for r in rows), sent)

	def test_weirs_own_cost_is_there_for_each_role(self):
		roles = {labels["role"]: value for name, labels, value in samples(self.daemon.metrics())
			 if name == "weir_self_memory_bytes"}
		self.assertEqual(set(roles), {"keeper", "engine", "gate", "store"})
		for role, pid in self.daemon.roles().items():
			self.assertGreater(roles[role], 100_000)
			rss = int(harness.status_of(pid)["VmRSS"].split()[0]) * 1024
			self.assertLess(abs(rss - roles[role]), 20 << 20, role)
