# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine does not read for a while: sums of processes stay exact, what was lost is counted to the record."""

import os
import signal
import subprocess
import time
import unittest

import harness
from harness import Daemon, generate
from test_surfaces import samples

CROWD = os.environ.get("WEIR_CROWD", "2000")


class Losses(unittest.TestCase):
	SECONDS = 120

	@classmethod
	def setUpClass(cls):
		harness.need_root()

	def test_sums_of_processes_are_exact_after_a_stop(self):
		with Daemon() as daemon:
			engine = daemon.role("engine")
			os.kill(engine, signal.SIGSTOP)
			try:
				truth = generate("churn", "--seconds", "3", "--jobs", "2")
			finally:
				os.kill(engine, signal.SIGCONT)
			harness.wait_until("an answer", daemon.answers, 10)
			document = daemon.json("processes")
			connections = truth.results["churn"]["connections"]
			print(f"losses: {connections} connections while the engine stood, {document['lost_events']} records lost",
			      flush=True)
			self.assertEqual(harness.process_differences(truth, document["rows"]), [])
			audit = daemon.audit()
			self.assertEqual((audit["unattributed"]["tx_bytes"], audit["unattributed"]["rx_bytes"]), (0, 0))
			self.assertEqual(daemon.run("audit").returncode, 0, daemon.run("audit").stdout)

	def test_losses_are_counted_and_said_everywhere(self):
		with Daemon() as daemon:
			engine = daemon.role("engine")
			os.kill(engine, signal.SIGSTOP)
			try:
				for _ in range(8): # until the ring is certainly full
					truth = generate("churn", "--seconds", "3", "--jobs", "2")
					if truth.results["churn"]["connections"] > 25000:
						break
			finally:
				os.kill(engine, signal.SIGCONT)
			harness.wait_until("an answer", daemon.answers, 10)
			lost = daemon.json("processes")["lost_events"]
			self.assertGreater(lost, 0)
			said = sum(v for name, _, v in samples(daemon.metrics()) if name == "weir_events_lost_total")
			self.assertEqual(said, lost)
			self.assertEqual(daemon.json("flows")["lost_events"], lost)

	def test_a_short_lived_crowd_while_the_engine_stands(self):
		"""Names and bytes come from the kernel's own sums, so nobody is forgotten."""
		with Daemon() as daemon:
			engine = daemon.role("engine")
			os.kill(engine, signal.SIGSTOP)
			try:
				truth = generate("crowd", CROWD)
			finally:
				os.kill(engine, signal.SIGCONT)
			harness.wait_until("an answer", daemon.answers, 10)
			problems = harness.process_differences(truth, daemon.rows("processes"))
			self.assertEqual((len(problems), problems[:3]), (0, []))

	def test_nothing_is_lost_at_the_churn_of_one_core(self):
		with Daemon() as daemon:
			truth = generate("churn", "--seconds", "3", "--jobs", "2")
			document = daemon.json("processes")
			self.assertEqual(document["lost_events"], 0)
			self.assertEqual(harness.process_differences(truth, document["rows"]), [])

	def test_the_audit_holds_at_every_moment_of_a_busy_host(self):
		loads = []
		with Daemon() as daemon:
			try:
				for words in (("pingpong", "--seconds", "30"), ("churn", "--seconds", "30"),
					      ("run", "tcp4-large", "--bytes", "2000000000")):
					loads.append(subprocess.Popen([harness.GENERATE, *words], stdout=subprocess.DEVNULL,
								      stdin=subprocess.DEVNULL, preexec_fn=harness.die_with_parent))
				for _ in range(40):
					audit = daemon.audit()
					self.assertEqual([r for r in audit.values() if not r["ok"]], [])
					time.sleep(0.05)
			finally:
				for load in loads:
					load.kill()
					load.wait()

	def test_the_gate_stopped_and_gone_on(self):
		with Daemon() as daemon:
			gate = daemon.role("gate")
			os.kill(gate, signal.SIGSTOP)
			try:
				truth = generate("run", "tcp4-write", "udp4-send")
				time.sleep(1.5)
			finally:
				os.kill(gate, signal.SIGCONT)
			self.assertEqual(harness.process_differences(truth, daemon.rows("processes")), [])
			self.assertIsNone(daemon.process.poll())
