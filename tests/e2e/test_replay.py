# SPDX-License-Identifier: GPL-2.0-or-later
"""The recording in tests/testdata still says what its makers said, on every surface, without root. A damaged one
says so."""

import json
import pathlib
import random
import struct
import subprocess
import tempfile
import unittest
import zlib

import harness

DATA = harness.TOP / "tests" / "testdata"
EVENTS = DATA / "cases.events"


def replay(*words, path=EVENTS, **options):
	return subprocess.run([harness.WEIR, "replay", path, *words], capture_output=True, text=True, timeout=30,
			      stdin=subprocess.DEVNULL, errors="surrogateescape", **options)


def blocks(data, records_each=50):
	"""A recording of version 1 in the form of today (core/recording.h): blocks with checksums, an end mark."""
	head = bytearray(data[:592])
	struct.pack_into("<I", head, 8, 2)
	out, crc, total, at = [bytes(head)], zlib.crc32(head), 0, 592
	while at < len(data):
		start, n = at, 0
		while at < len(data) and n < records_each:
			at += 16 + (struct.unpack_from("<I", data, at)[0] + 7 & ~7)
			n += 1
		crc = zlib.crc32(data[start:at], zlib.crc32(struct.pack("<Q", n), crc))
		out += [struct.pack("<IIQ", at - start, crc, n), data[start:at]]
		total += n
	crc = zlib.crc32(struct.pack("<Q", total), crc)
	return b"".join([*out, struct.pack("<IIQ", 0, crc, total)])


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

	def test_today_s_form_says_the_same(self):
		with tempfile.TemporaryDirectory() as folder:
			path = pathlib.Path(folder) / "blocks.events"
			path.write_bytes(blocks(EVENTS.read_bytes()))
			for table in ("processes", "flows", "audit"):
				done = replay(table, "-j", path=path)
				self.assertEqual((done.returncode, done.stderr), (0, ""))
				self.assertEqual(json.loads(done.stdout)["rows"], self.rows(table))

	def test_a_file_that_stops_anywhere(self):
		"""As after a crash of the recorder: what was whole is shown, then where it stops, in one line."""
		rng = random.Random(7)
		for data, ends in ((EVENTS.read_bytes(), (0, 1)), (blocks(EVENTS.read_bytes()), (1,))):
			with tempfile.TemporaryDirectory() as folder:
				path = pathlib.Path(folder) / "cut.events"
				for _ in range(40):
					size = rng.randrange(len(data))
					path.write_bytes(data[:size])
					done = replay("processes", "-j", path=path)
					self.assertIn(done.returncode, ends, done.stderr)
					self.assertEqual(len(done.stderr.splitlines()), done.returncode, done.stderr)
					if size > len(data) // 2:
						self.assertTrue(json.loads(done.stdout)["rows"])
					if size > 592 and done.returncode:
						self.assertIn(f"cut at byte {size}:", done.stderr)

	def test_a_changed_byte_is_found(self):
		data = blocks(EVENTS.read_bytes())
		rng = random.Random(13)
		with tempfile.TemporaryDirectory() as folder:
			path = pathlib.Path(folder) / "bad.events"
			for _ in range(40):
				bad = bytearray(data)
				bad[rng.randrange(16, len(bad))] ^= 1 << rng.randrange(8)
				path.write_bytes(bad)
				done = replay("flows", "-j", path=path)
				self.assertEqual(done.returncode, 1)
				self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
				self.assertIn(" at byte ", done.stderr)

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
