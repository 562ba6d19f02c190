# SPDX-License-Identifier: GPL-2.0-or-later
"""One snapshot, one number: page's API, command line, metrics and recording say the same."""

import json
import re
import subprocess
import tempfile
import time
import unittest
import urllib.parse

import harness
from harness import Daemon, Held, generate

SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def samples(text):
	for line in text.splitlines():
		match = SAMPLE.match(line)
		if match:
			yield match[1], dict(LABEL.findall(match[2])), float(match[3])


class Surfaces(unittest.TestCase):
	"""The scene stands still, so that every snapshot of it has the same numbers."""

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon())
		cls.held = [cls.enterClassContext(Held("run", case, "--hold"))
			    for case in ("tcp4-partial", "udp4-gso", "mptcp4-write", "unix-send")]
		cls.truths = [t for held in cls.held for t in held.truth.phase("held")]
		cls.names = {t["comm"] for t in cls.truths}

	def ours(self, rows):
		return {(r["pid"], r["comm"]): r for r in rows if r["comm"] in self.names}

	def steady(self, rows):
		"""Without what is the moment's; times to the tenth of a second, since the calendar's clock is adjusted."""
		return {key: {k: v[:21] if k == "first_seen" else v for k, v in row.items()
			      if not k.endswith("_per_second") and k not in ("last_seen", "srtt_us")}
			for key, row in self.ours(rows).items()}

	def test_processes_in_all_documents(self):
		over_unix = self.daemon.get("/api/v1/processes").json
		over_tcp = self.daemon.get("/api/v1/processes", tcp=True).json
		compact = self.daemon.json("processes")
		indented = json.loads(self.daemon.run("processes", "-J").stdout)
		lines = [json.loads(line) for line in self.daemon.run("processes", "--ndjson").stdout.splitlines()]
		want = self.steady(over_unix["rows"])
		self.assertEqual(set(want), {(t["pid"], t["comm"]) for t in self.truths})
		for rows in (over_tcp["rows"], compact["rows"], indented["rows"], lines):
			self.assertEqual(self.steady(rows), want)
		self.assertEqual(harness.process_differences(self.truths, compact["rows"]), [])

	def test_an_answer_is_newer_than_its_question(self):
		numbers = [self.daemon.json("processes")["snapshot"] for _ in range(3)]
		self.assertEqual(numbers, sorted(numbers))
		generate("run", "tcp4-send", "--name", "wg-just-now")
		self.assertTrue(self.daemon.rows("processes", "?filter=process:wg-just-now"))

	def test_table_has_the_documents_numbers(self):
		ours = "pid:" + ",".join(sorted({str(t["pid"]) for t in self.truths}))
		rows = self.daemon.json("flows", ours)["rows"]
		table = self.daemon.run("flows", ours, "--exact").stdout
		for t in self.truths:
			for field in harness.DIRECTIONS:
				if t[field] and t["transport"] != "unix":
					self.assertRegex(table, rf"\b{t[field]}\b")
		self.assertEqual(len(table.splitlines()) - 1, len(rows))

	def test_metrics(self):
		rows = self.daemon.json("processes")["rows"]
		want = {}
		for row in rows:
			for transport, part in row["by_transport"].items():
				for field, direction in (("tx_bytes", "transmit"), ("rx_bytes", "receive")):
					key = (row["comm"], transport, direction)
					want[key] = want.get(key, 0) + part[field]
		have = {}
		for name, labels, value in samples(self.daemon.metrics()):
			if name == "weir_process_network_io_bytes_total":
				key = (labels["process"], labels["transport"], labels["direction"])
				have[key] = have.get(key, 0) + value
		for key, value in want.items():
			if key[0] in self.names and value:
				self.assertEqual(have.get(key), value, key)

	def test_the_stream_carries_the_same_rows(self):
		connection = harness.UnixConnection(self.daemon.socket)
		connection.request("GET", "/api/v1/events?topics=processes")
		stream = connection.getresponse()
		rows = {}
		end = time.monotonic() + 3 * harness.PATIENCE
		try:
			while time.monotonic() < end and not self.names <= {r["comm"] for r in rows.values()}:
				line = stream.readline()
				if line.startswith(b"data:"):
					document = json.loads(line[5:])
					for part in (document, *[v for v in document.values() if isinstance(v, dict)]):
						for row in part.get("rows") or []:
							rows[row["pid"], row["comm"]] = row
		finally:
			connection.close()
		self.assertEqual(harness.process_differences(self.truths, list(rows.values())), [])

	def test_the_filter_is_the_same_everywhere(self):
		text = "process:wg-* not transport:udp"
		by_api = self.daemon.rows("flows", "?filter=process:wg-*%20not%20transport:udp")
		by_line = self.daemon.json("flows", *text.split())["rows"]
		self.assertTrue(by_api)
		self.assertEqual({r["cookie"] for r in by_api}, {r["cookie"] for r in by_line})
		self.assertNotIn("udp", {r["transport"] for r in by_api})

	def test_a_heading_is_a_word_of_the_filter(self):
		for table, by_heading, by_name in [
			("flows", "rtt<50ms", "srtt_us:<50000"),
			("processes", "rtt<50ms", "srtt_us:<50000"),
			("flows", "sent>1k", "tx_bytes:>1000"),
			("processes", "received>1k", "rx_bytes:>1000"),
		]:
			with self.subTest(table=table, term=by_heading):
				keys = ("cookie", "peer_address", "peer_port") if table == "flows" else ("pid", "start_time_ns")
				found = [{tuple(r[k] for k in keys) for r in self.daemon.json(table, "process:wg-*", term)["rows"]}
					 for term in (by_heading, by_name)]
				self.assertTrue(found[0])
				self.assertEqual(*found)

	def test_a_word_alone_may_be_a_value(self):
		for alone, by_name in [("udp", "transport:udp"), ("server", "role:server")]:
			with self.subTest(word=alone):
				found = [{r["cookie"] for r in self.daemon.json("flows", "process:wg-*", term)["rows"]} for term in (alone, by_name)]
				self.assertTrue(found[0])
				self.assertLessEqual(found[1], found[0])

	def test_a_filter_that_cannot_be_says_why_and_what_is_meant(self):
		for table, text, says in [
			("flows", "10.1.2.3/8", '"10.1.2.3/8" is no network, bits behind the first 8 are set; its network is 10.0.0.0/8'),
			("processes", "state:established", 'state takes one of running, exited, not "established"; flows has that: '
			 "weir flows state:established"),
			("processes", "port:443", "processes has no port; flows has: weir flows port:443"),
			("flows", "proto:tcp", 'unknown word "proto", did you mean "transport"?'),
		]:
			with self.subTest(table=table, text=text):
				answer = self.daemon.get(f"/api/v1/{table}?filter={urllib.parse.quote(text)}")
				self.assertEqual(answer.status, 400, answer.text)
				self.assertIn(says, answer.json["error"])
				done = self.daemon.run(table, text)
				self.assertEqual((done.returncode, done.stdout), (2, ""))
				self.assertIn(says, done.stderr)


class Recording(unittest.TestCase):
	"""What was recorded replays into the same numbers, without root."""

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-e2e-"))
		cls.file = f"{folder}/scene.events"
		recorder = subprocess.Popen([harness.WEIR, "record", cls.file, "--seconds", str(int(4 + 2 * harness.PATIENCE)),
					     *harness.hook_options()], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
					    preexec_fn=harness.die_with_parent)
		with recorder:
			harness.wait_until("recording", lambda: harness.pathlib.Path(cls.file).exists()
					   and harness.pathlib.Path(cls.file).stat().st_size > 0, 8)
			time.sleep(0.5)
			cls.truth = generate("run", "tcp4-write", "tcp6-splice-out", "udp4-gso", "mptcp4-send", "unix-write",
					     "tcp4-fork", "tcp4-unread")
			out, err = recorder.communicate(timeout=20 * harness.PATIENCE)
		if recorder.returncode:
			raise AssertionError(f"weir record: {recorder.returncode}: {err.decode()}")
		cls.said = out.decode()

	def replay(self, *words):
		done = subprocess.run([harness.WEIR, "replay", self.file, *words, "-j"], capture_output=True, text=True,
				      timeout=30 * harness.PATIENCE)
		self.assertEqual(done.returncode, 0, done.stderr)
		return json.loads(done.stdout)

	def test_processes_and_flows(self):
		self.assertEqual(harness.process_differences(self.truth, self.replay("processes")["rows"]), [])
		self.assertEqual(harness.flow_differences(self.truth, self.replay("flows")["rows"]), [])

	def test_audit(self):
		audit = {row["scope"]: row for row in self.replay("audit")["rows"]}
		self.assertEqual(audit["unattributed"]["tx_bytes"], 0)

	def test_it_says_what_it_wrote(self):
		self.assertIn(self.file, self.said)

	def test_only_its_owner_can_read_it(self):
		self.assertEqual(harness.pathlib.Path(self.file).stat().st_mode & 0o077, 0)
