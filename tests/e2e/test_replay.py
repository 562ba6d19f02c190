# SPDX-License-Identifier: GPL-2.0-or-later
"""The recording in tests/testdata still says what its makers said, on every surface, without root. A damaged one
says so."""

import json
import pathlib
import random
import subprocess
import tempfile
import unittest

import harness

DATA = harness.TOP / "tests" / "testdata"
EVENTS = DATA / "cases.events"


def replay(*words, path=EVENTS, **options):
	return subprocess.run([harness.WEIR, "replay", path, *words], capture_output=True, text=True, timeout=30,
			      stdin=subprocess.DEVNULL, errors="surrogateescape", **options)


class Replay(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.truths = [json.loads(line) for line in (DATA / "cases.truth").read_text().splitlines()]

	def rows(self, *words):
		done = replay(*words, "-j")
		self.assertIn(done.returncode, (0, 4), done.stderr)
		return json.loads(done.stdout)["rows"]

	def test_processes_are_those_of_the_truth(self):
		rows = self.rows("processes")
		self.assertEqual(harness.process_differences(harness.exact(self.truths), rows), [])
		self.assertEqual({(r["pid"], r["comm"]) for r in rows}, {(t["pid"], t["comm"]) for t in self.truths})

	def test_flows_are_those_of_the_truth(self):
		uncertain = {t["cookie"] for t in self.truths if t["expect"] != "exact"}
		certain = [t for t in self.truths if t["cookie"] not in uncertain]
		self.assertEqual(harness.flow_differences(certain, self.rows("flows")), [])

	def test_the_audit_holds(self):
		audit = {r["scope"]: r for r in self.rows("audit")}
		self.assertEqual([s for s, r in audit.items() if not r["ok"]], [])
		for scope in ("bypass", "redirected", "urgent", "cut_datagrams"):
			self.assertGreater(audit[scope]["tx_bytes"] + audit[scope]["rx_bytes"], 0, scope)

	def test_units_containers_and_pods(self):
		rows = {r["comm"]: r for r in self.rows("processes")}
		self.assertEqual(rows["wg-tx-write"]["unit"], "nginx.service")
		self.assertIsNone(rows["wg-tx-write"]["container_id"])
		self.assertTrue(rows["wg-tx-sendfile"]["container_id"].startswith("3f4e1a9c0b7d"))
		pod = rows["wg-tx-uring-sen"]
		self.assertTrue(pod["container_id"])
		self.assertIn("7c1f3a52", pod["pod_name"])
		self.assertEqual(len(self.rows("processes", "container:3f4e1a9c0b7d*")), 2)

	def test_every_surface(self):
		for words in (["processes"], ["flows"], ["audit"], ["top", "-b", "-c", "3", "--speed", "0"],
			      ["flows", "--ndjson"], ["processes", "-J"]):
			done = replay(*words)
			with self.subTest(" ".join(words)):
				self.assertIn(done.returncode, (0, 4), done.stderr)
				self.assertTrue(done.stdout)
				self.assertEqual(done.stderr, "")

	def test_the_same_again(self):
		one, two = (json.loads(replay("flows", "-j").stdout) for _ in range(2))
		self.assertEqual(one["rows"], two["rows"])
		self.assertEqual(one["host"], "workbench")

	def test_a_file_that_stops_anywhere(self):
		"""As after a crash of the recorder: what was whole is shown."""
		data = EVENTS.read_bytes()
		rng = random.Random(7)
		with tempfile.TemporaryDirectory() as folder:
			path = pathlib.Path(folder) / "cut.events"
			for _ in range(40):
				path.write_bytes(data[:rng.randrange(len(data))])
				done = replay("processes", "-j", path=path)
				self.assertIn(done.returncode, (0, 1), done.stderr)
				if done.returncode == 0:
					json.loads(done.stdout)
				else:
					self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

	def test_a_file_with_wrong_bytes(self):
		"""Nothing in it can end the program but in order."""
		data = bytearray(EVENTS.read_bytes())
		rng = random.Random(11)
		with tempfile.TemporaryDirectory() as folder:
			path = pathlib.Path(folder) / "bad.events"
			for _ in range(60):
				bad = bytearray(data)
				for _ in range(rng.choice((1, 3, 30))):
					bad[rng.randrange(len(bad))] = rng.randrange(256)
				path.write_bytes(bad)
				done = replay("flows", "-j", path=path)
				self.assertIn(done.returncode, (0, 1), f"{done.returncode}: {done.stderr}")
				self.assertLessEqual(len(done.stderr.splitlines()), 1, done.stderr)
