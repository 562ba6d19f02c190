# SPDX-License-Identifier: GPL-2.0-or-later
"""History: what the daemon remembers, over restarts, deaths, full disks and damaged files."""

import contextlib
import datetime
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time
import unittest

import harness
from harness import Daemon, generate

WAIT = 6 # for a second to be over, and written
COUNTER = re.compile(r"^(\w+_total(?:\{[^}]*\})?) (\S+)$", re.M)


def moved(rows):
	return sum(r["tx_bytes"] or 0 for r in rows), sum(r["rx_bytes"] or 0 for r in rows)


def counters(daemon):
	return {name: float(value) for name, value in COUNTER.findall(daemon.metrics())}


def fallen(before, after):
	return {name: (value, after.get(name)) for name, value in before.items() if after.get(name, -1) < value}


def seconds_of(daemon):
	"""How many seconds of the finest level there are: it grows while history is written."""
	return next(r["rows"] for r in daemon.rows("history_store") if r["level"] == "1 s")


class Sums:
	"""What the generator sent and received, against what history says of it."""

	def __init__(self, truth):
		self.tx = sum(t["tx_bytes"] for t in truth)
		self.rx = sum(t["rx_bytes"] for t in truth)

	def __eq__(self, other):
		return (self.tx, self.rx) == other

	def __repr__(self):
		return f"({self.tx}, {self.rx})"


class Past(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon(public=True))
		cls.truth = generate("run", "tcp4-write", "udp4-sendto").phase("final")
		cls.sums = Sums(cls.truth)
		cls.program = "filter=program:wg-*"
		harness.wait_until("history has it all", lambda: cls.sums == moved(cls.daemon.rows("history", "?" + cls.program)), WAIT)

	def test_each_table_has_the_generators_bytes(self):
		self.assertGreater(self.sums.tx, 0)
		for table in ("history", "history_peers", "history_days", "history_months"):
			with self.subTest(table):
				self.assertEqual(self.sums, moved(self.daemon.rows(table, "?" + self.program)))

	def test_the_curve_of_a_program_is_its_sum(self):
		answer = self.daemon.get("/api/v1/history_rates?from=-120&" + self.program).json
		self.assertEqual(self.sums, moved(answer["rows"]))
		self.assertEqual(answer["step"], 1)
		self.assertLess(answer["from"], answer["to"])
		# The day and the zone are the daemon's.
		moment = time.localtime(datetime.datetime.fromisoformat(answer["time"].replace("Z", "+00:00")).timestamp())
		self.assertEqual(answer["utc_offset_seconds"], moment.tm_gmtoff)
		midnight = datetime.datetime.fromtimestamp(time.mktime((*moment[:3], 0, 0, 0, 0, 0, -1)), datetime.timezone.utc)
		self.assertEqual(answer["day_start"], midnight.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))

	def test_sums_beside_the_rows(self):
		answer = self.daemon.get("/api/v1/history?sums=tx_bytes,rx_bytes&limit=0&" + self.program).json
		self.assertEqual(self.sums, (answer["sums"]["tx_bytes"], answer["sums"]["rx_bytes"]))

	def test_a_new_program_is_an_event(self):
		events = self.daemon.rows("history_events", "?filter=kind:first_seen")
		self.assertIn("wg-tx-write", [e["program"] for e in events])
		self.assertTrue(self.daemon.rows("history_events", "?filter=kind:started"))

	def test_what_is_asked_wrongly_gets_one_clear_line(self):
		for query, words in (("from=yesterday", "from must be a time"), ("to=-1&from=-1", "from is not before to"),
				     ("from=now&to=-5", "from is not before to"), ("from2=-20", "from2 and to2 go together"),
				     ("step=x", "step must be a number"), ("nothing=1", 'unknown parameter "nothing"'),
				     ("filter=nothing:1", "nothing"), ("from=-99999999999999999999", "from must be a time")):
			for table in ("history", "history_rates"):
				with self.subTest(query, table=table):
					answer = self.daemon.get(f"/api/v1/{table}?{query}")
					self.assertEqual(answer.status, 400, answer.text)
					self.assertIn(words, answer.json["error"])
					self.assertNotIn("\n", answer.json["error"])

	def test_the_past_is_no_stream(self):
		answer = self.daemon.get("/api/v1/events?topics=history")
		self.assertEqual(answer.status, 400)
		self.assertIn("is the past", answer.json["error"])

	def as_nobody(self, path):
		code = ("import http.client, os, socket, sys\n"
			f"os.setgroups([]); os.setgid({harness.NOBODY}); os.setuid({harness.NOBODY})\n"
			"c = http.client.HTTPConnection('localhost')\n"
			f"c.sock = socket.socket(socket.AF_UNIX); c.sock.connect({str(self.daemon.socket)!r})\n"
			f"c.request('GET', {path!r}); sys.stdout.write(c.getresponse().read().decode())\n")
		return subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True, timeout=20, check=True).stdout

	def test_others_do_not_see_it(self):
		for table in ("history", "history_peers", "history_days", "history_changes", "history_rates"):
			with self.subTest(table):
				# What nobody does himself he may see, such as the gate of another daemon on this machine.
				text = self.as_nobody(f"/api/v1/{table}" + ("?" + self.program if table == "history_rates" else ""))
				self.assertNotIn("wg-", text)
				self.assertIn('"rows":[', text)
				if table == "history_rates":
					self.assertEqual(moved(json.loads(text)["rows"]), (0, 0), text)

	def test_its_own_place_is_told(self):
		line = next(r for r in self.daemon.rows("doctor") if r["feature"] == "weir: history")
		self.assertEqual(line["state"], "on")
		self.assertIn(str(self.daemon.state / "history"), line["serves"])
		metrics = self.daemon.metrics()
		for name in ("weir_history_bytes", "weir_history_limit_bytes", "weir_history_lost_seconds_total"):
			self.assertIn(f"\n{name} ", metrics)

	def test_many_ask_at_once(self):
		asking = [subprocess.Popen([harness.WEIR, "history", "--socket", str(self.daemon.socket), "-j"],
					   stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) for _ in range(20)]
		for p in asking:
			out, _ = p.communicate(timeout=20)
			self.assertEqual(p.returncode, 0)
			self.assertIn(b"wg-tx-write", out)


class Over(unittest.TestCase):
	"""Ends of all kinds, one after the other, with one folder of state."""

	def setUp(self):
		harness.need_root()
		self.random = random.Random(5)

	def known(self, daemon, sums, query=""):
		return harness.wait_until("history has it all",
			lambda: sums == moved(daemon.rows("history", "?filter=program:wg-*" + query)), WAIT)

	def test_a_clean_end_and_a_new_start(self):
		daemon = Daemon()
		try:
			daemon.start()
			sums = Sums(generate("run", "tcp4-write").phase("final"))
			self.known(daemon, sums)
			before = counters(daemon)
			self.assertEqual(daemon.stop(), 0, daemon.log)
			daemon.start()
			self.assertEqual(fallen(before, counters(daemon)), {})
			self.known(daemon, sums)
			more = Sums(generate("run", "tcp4-write").phase("final"))
			both = Sums([])
			both.tx, both.rx = sums.tx + more.tx, sums.rx + more.rx
			self.known(daemon, both)
			kinds = [e["kind"] for e in daemon.rows("history_events", "?sort=-time")]
			self.assertEqual([k for k in kinds if k in ("started", "stopped", "killed")], ["started", "stopped", "started"])
			of = "?step=3600&filter=kind:started"
			self.assertEqual(sum(e["count"] for e in daemon.rows("history_events", of)), 2)
			each = daemon.rows("history_events", of + "%20summary:*")
			self.assertEqual([e["count"] for e in each], [1, 1]) # what asks for the words asks for each event
		finally:
			daemon.stop()
			daemon.clean()

	def test_all_of_it_is_killed(self):
		daemon = Daemon()
		try:
			daemon.start()
			sums = Sums(generate("run", "tcp4-write").phase("final"))
			self.known(daemon, sums)
			before = counters(daemon)
			for _ in range(3):
				time.sleep(self.random.uniform(0, 0.6))
				daemon.kill()
				daemon.socket.unlink(missing_ok=True)
				daemon.start()
			self.known(daemon, sums)
			after = counters(daemon)
			sent = [k for k in before if k.startswith("weir_process_network_io_bytes_total") and "wg-" in k]
			self.assertTrue(sent)
			self.assertEqual({k: before[k] for k in sent}, {k: after[k] for k in sent})
			killed = [e for e in daemon.rows("history_events") if e["kind"] == "killed"]
			self.assertEqual(len(killed), 3)
			self.assertIn("second", killed[0]["summary"])
		finally:
			daemon.stop()
			daemon.clean()

	def test_each_role_is_killed(self):
		with Daemon() as daemon:
			total = Sums([])
			for role in ("store", "engine", "gate", "store"):
				with harness.Held("run", "tcp4-write", "--hold") as held:
					truth = Sums(held.truth.of("tcp4-write", "held"))
					total.tx, total.rx = total.tx + truth.tx, total.rx + truth.rx
					self.known(daemon, total)
					pid = daemon.role(role)
					os.kill(pid, signal.SIGKILL)
					harness.wait_until(f"the {role} again", lambda: daemon.roles().get(role) not in (None, pid), 10)
					harness.wait_until("an answer", daemon.answers, 10)
					held.finish()
				self.known(daemon, total)
			# Whatever was moved while they were away is there, and nothing twice.
			time.sleep(1.5)
			self.known(daemon, total)
			peers = moved(daemon.rows("history_peers", "?filter=program:wg-*"))
			self.assertEqual(total, peers)
			self.assertEqual(daemon.rows("history_events", "?filter=kind:stopped,clock"), [])
			gaps = [e["summary"] for e in daemon.rows("history_events", "?filter=kind:gap")]
			self.assertEqual(len([s for s in gaps if "engine" in s and "at most one second" in s]), 1, gaps)

	def test_a_store_that_is_gone_is_said(self):
		with Daemon() as daemon:
			harness.wait_until("a row", lambda: daemon.rows("history_events"), WAIT)
			store = daemon.role("store")
			os.kill(store, signal.SIGSTOP)
			try:
				begun = time.monotonic()
				self.assertEqual(daemon.get("/api/v1/processes").status, 200) # nobody else waits
				self.assertLess(time.monotonic() - begun, 2 * harness.PATIENCE)
				held = subprocess.Popen([harness.WEIR, "history", "--socket", str(daemon.socket), "-j"],
							stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
				time.sleep(0.5)
				self.assertIsNone(held.poll())
			finally:
				os.kill(store, signal.SIGCONT)
			out, _ = held.communicate(timeout=20)
			self.assertEqual(held.returncode, 0)
			self.assertIn(b'"rows"', out)

	def test_what_it_lacks_is_said(self):
		lacking = str(pathlib.Path(__file__).with_name("lacking.py"))
		for capability in ("sys_chroot", "chown", "dac_read_search"):
			with self.subTest(capability), \
			     Daemon(through=(sys.executable, lacking, "--capability", capability, "--")) as daemon:
				line = harness.wait_until("it answers", lambda: next((r for r in daemon.rows("doctor") if r["feature"] ==
					"weir: history" and "memory only" in (r["reason"] or "")), None), WAIT)
				self.assertEqual(line["state"], "degraded")
				self.assertIn(f"CAP_{capability.upper()}", line["reason"])
				self.assertEqual(daemon.get("/api/v1/history").status, 200)

	def test_a_store_that_hung_and_died_sets_no_clock_back(self):
		with Daemon() as daemon:
			sums = Sums(generate("run", "tcp4-write").phase("final"))
			self.known(daemon, sums)
			store = daemon.role("store")
			os.kill(store, signal.SIGSTOP)
			more = Sums(generate("run", "tcp4-write").phase("final"))
			time.sleep(6)
			os.kill(store, signal.SIGKILL)
			both = Sums([])
			both.tx, both.rx = sums.tx + more.tx, sums.rx + more.rx
			harness.wait_until("a new one", lambda: daemon.roles().get("store") not in (None, store), 10)
			harness.wait_until("an answer", daemon.answers, 10)
			self.known(daemon, both)
			self.assertEqual(daemon.rows("history_events", "?filter=kind:clock,gap"), [])

	def test_nobody_else_has_the_engines_memory(self):
		with Daemon() as daemon:
			for role in ("gate", "store", "engine"):
				lines = pathlib.Path(f"/proc/{daemon.role(role)}/maps").read_text().splitlines()
				shared = [line for line in lines if "rw-s" in line and ("/dev/zero" in line or "bpf" in line)]
				size = sum(int(end, 16) - int(begin, 16) for begin, end in (line.split()[0].split("-") for line in shared))
				with self.subTest(role):
					if role == "engine":
						self.assertGreater(size, 1 << 20)
					else: # pages of the log's, of libbpf's, and the store's own
						self.assertLessEqual(size, 4 * 4096, shared)
						self.assertFalse([line for line in shared if "bpf" in line])

	def test_days_are_those_of_the_zone(self):
		daemon = Daemon(through=("unshare", "--mount", "--propagation", "private", "sh", "-c",
			"unset TZ; mount --bind /usr/share/zoneinfo/Pacific/Kiritimati /etc/localtime && exec \"$@\"", "sh"))
		west = Daemon(through=("unshare", "--mount", "--propagation", "private", "sh", "-c",
			"unset TZ; mount --bind /usr/share/zoneinfo/Pacific/Midway /etc/localtime && exec \"$@\"", "sh"))
		for d, hours in ((daemon, 14), (west, -11)): # one of them is on another day than UTC
			zone = datetime.timezone(datetime.timedelta(hours=hours))
			with self.subTest(hours), d:
				generate("run", "tcp4-write")
				harness.wait_until("it is written", lambda d=d: seconds_of(d) > 0, WAIT)
				self.assertTrue(d.rows("history_store"))
				before = datetime.datetime.now(zone).date()
				days = {r["day"] for r in harness.wait_until("a day", lambda d=d: d.rows("history_days"), WAIT)}
				after = datetime.datetime.now(zone).date()
				self.assertTrue(days <= {str(before), str(after)}, days)

	def test_it_can_be_switched_off(self):
		daemon = Daemon()
		config = daemon.folder / "weir.yaml"
		config.write_text("history:\n  enabled: false\n")
		daemon.options = ("--config", str(config))
		with daemon:
			self.assertNotIn("store", daemon.roles())
			answer = daemon.get("/api/v1/history")
			self.assertEqual((answer.status, answer.json["error"]),
					 (503, "history is switched off: set history.enabled to true in the configuration"))
			self.assertFalse((daemon.state / "history").exists())
			line = next(r for r in daemon.rows("doctor") if r["feature"] == "weir: history")
			self.assertEqual(line["state"], "off")


class Disks(unittest.TestCase):
	def setUp(self):
		harness.need_root()

	@contextlib.contextmanager
	def small_disk(self, daemon, size):
		daemon.state.mkdir()
		subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", daemon.state], check=True)
		try:
			yield
		finally:
			daemon.stop()
			subprocess.run(["umount", "-l", daemon.state], check=True)

	def test_a_full_disk_loses_no_sum(self):
		daemon = Daemon()
		try:
			with self.small_disk(daemon, "1m"):
				daemon.start()
				harness.wait_until("it is written", lambda: seconds_of(daemon) > 0, WAIT)
				filler = daemon.state / "filler"
				with open(filler, "wb", buffering=0) as f, contextlib.suppress(OSError):
					while True:
						f.write(bytes(4096))
				sums = Sums(generate("run", "tcp4-write").phase("final"))
				line = harness.wait_until("doctor says so", lambda: next(
					(r for r in daemon.rows("doctor") if r["feature"] == "weir: history" and r["state"] == "degraded"), None), 15)
				self.assertTrue(line["reason"])
				self.assertTrue(line["cure"])
				filler.unlink()
				harness.wait_until("the sums are back", lambda: sums == moved(
					daemon.rows("history", "?filter=program:wg-*")), 20)
				harness.wait_until("doctor is content", lambda: next(
					r for r in daemon.rows("doctor") if r["feature"] == "weir: history")["state"] == "on", 15)
				self.assertTrue(daemon.rows("history_events", "?filter=kind:disk"))
				self.assertEqual(daemon.stop(), 0, daemon.log)
		finally:
			daemon.clean()

	def test_a_disk_that_is_full_from_the_start_keeps_no_daemon_from_starting(self):
		daemon = Daemon()
		try:
			with self.small_disk(daemon, "16k"):
				daemon.start()
				self.assertLess(daemon.ready_seconds, 6 * harness.PATIENCE)
				self.assertEqual(daemon.get("/api/v1/processes").status, 200)
				self.assertIn(daemon.get("/api/v1/history").status, (200, 503))
				generate("run", "tcp4-write")
				time.sleep(2)
				subprocess.run(["mount", "-o", "remount,size=4m", daemon.state], check=True)
				harness.wait_until("there is a file", lambda: next(
					(r for r in daemon.rows("history_store") if r["level"] == "file" and r["bytes"] and not r["reason"]), None), 40)
				time.sleep(4) # it is asked for what was carried before, and has none
				before = counters(daemon)
				self.assertTrue([name for name in before if "wg-" in name])
				self.assertEqual(daemon.stop(), 0, daemon.log)
				daemon.start()
				self.assertEqual(fallen(before, counters(daemon)), {})
		finally:
			daemon.clean()

	def flip(self, path, n, rng):
		with open(path, "r+b") as f:
			size = f.seek(0, os.SEEK_END)
			for _ in range(n):
				at = rng.randrange(size)
				f.seek(at)
				byte = f.read(1)[0]
				f.seek(at)
				f.write(bytes([byte ^ 1 << rng.randrange(8)]))

	def test_a_damaged_file_stops_nothing(self):
		rng = random.Random(11)
		daemon = Daemon()
		try:
			daemon.start()
			generate("run", "tcp4-write")
			harness.wait_until("it is written", lambda: seconds_of(daemon) > 0, WAIT)
			file = daemon.state / "history" / "history.db"
			self.assertEqual(daemon.stop(), 0, daemon.log)
			self.flip(file, 2000, rng)
			daemon.start()
			self.assertEqual(daemon.get("/api/v1/processes").status, 200)
			sums = Sums(generate("run", "tcp4-write").phase("final"))
			harness.wait_until("history goes on", lambda: sums.tx <= moved(
				daemon.rows("history", "?filter=program:wg-*"))[0], 3 * WAIT)
			before = counters(daemon)
			self.assertEqual(daemon.stop(), 0, daemon.log)
			daemon.start()
			self.assertEqual(fallen(before, counters(daemon)), {})
			# While it runs.
			for name in ("history.db", "history.db-wal"):
				if (daemon.state / "history" / name).exists():
					self.flip(daemon.state / "history" / name, 500, rng)
			generate("run", "tcp4-write")
			time.sleep(1.5)
			self.assertEqual(daemon.get("/api/v1/processes").status, 200)
			self.assertIsNone(daemon.process.poll())
			set_aside = list((daemon.state / "history").glob("*damaged*"))
			self.assertGreaterEqual(len(set_aside), 1)
			self.assertEqual(daemon.stop(), 0, daemon.log)
		finally:
			with contextlib.suppress(AssertionError):
				daemon.stop()
			daemon.clean()


class Played(unittest.TestCase):
	def test_a_recording_has_its_own_past(self):
		harness.need_root()
		with Daemon() as daemon:
			recording = daemon.folder / "r.weir"
			made = subprocess.Popen([harness.WEIR, "record", recording, *harness.hook_options(), "--seconds", "4"],
						stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
						preexec_fn=harness.die_with_parent)
			time.sleep(1.5)
			sums = Sums(generate("run", "tcp4-write").phase("final"))
			self.assertEqual(made.wait(30), 0, made.stdout.read())
			made.stdout.close()
			socket = daemon.folder / "played.sock"
			played = subprocess.Popen([harness.WEIR, "replay", recording, "--serve", "--speed", "0", "--listen", "none",
						   "--socket", socket], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
						  stderr=subprocess.DEVNULL, preexec_fn=harness.die_with_parent)
			try:
				get = lambda path: harness.http_get(harness.UnixConnection(socket), path) # noqa: E731
				harness.wait_until("it serves", socket.exists, 10)

				def told():
					with contextlib.suppress(OSError):
						answer = get("/api/v1/history?filter=program:wg-*")
						return answer.status == 200 and sums == moved(answer.json["rows"])
				harness.wait_until("its past", told, 10)
			finally:
				played.terminate()
				played.wait(10)


if __name__ == "__main__":
	unittest.main()
