# SPDX-License-Identifier: GPL-2.0-or-later
"""The past as people and scripts meet it: weir history, --since and --until, --follow, weir explain."""

import collections
import datetime
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

import harness

# A daemon sees the whole host: another run of this test may be beside it.
PROGRAM = f"shown-{os.getpid()}"
APPEARS = f"new-{os.getpid()}"
BYTES = 300_000
FOLLOWED_SECONDS = 7


def seconds_of(text):
	return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Talker:
	"""A server and a client of one process whose name is PROGRAM; each talk moves BYTES to the client."""

	CODE = f"""
import ctypes, socket, sys
ctypes.CDLL(None).prctl(15, b"{PROGRAM}", 0, 0, 0)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for line in sys.stdin:
	client = socket.create_connection(listener.getsockname())
	server, _ = listener.accept()
	left = {BYTES}
	while left:
		n = server.send(bytes(min(left, 65536)))
		left -= n
		while n:
			n -= len(client.recv(n))
	server.close()
	client.close()
	print("done", flush=True)
"""

	def __init__(self):
		self.process = subprocess.Popen(["/usr/bin/python3", "-c", self.CODE], stdin=subprocess.PIPE,
						stdout=subprocess.PIPE, text=True)
		self.port = int(self.process.stdout.readline())
		self.talks = 0

	def talk(self):
		self.process.stdin.write("\n")
		self.process.stdin.flush()
		assert self.process.stdout.readline() == "done\n"
		self.talks += 1

	def end(self):
		self.process.stdin.close()
		self.process.wait(10)
		self.process.stdout.close()


class Shown(unittest.TestCase):
	SECONDS = 120

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = harness.Daemon(environment={"TZ": "UTC"}).start()
		cls.addClassCleanup(cls.daemon.__exit__)
		cls.talker = Talker()
		cls.addClassCleanup(cls.talker.end)
		cls.talker.talk()
		cls.wait_for_the_past()

	@classmethod
	def moved(cls):
		return sum(row["tx_bytes"] for row in cls.daemon.rows("history", f"?filter=program:{PROGRAM}&from=-600"))

	@classmethod
	def wait_for_the_past(cls):
		"""A second gets to history when it is over, and the store has been told."""
		harness.wait_until("each talk in the past", lambda: cls.moved() == cls.talker.talks * BYTES, 20, 0.3)

	def weir(self, *words, status=0, **options):
		done = self.daemon.run(*words, **options)
		self.assertEqual(done.returncode, status, done.stdout + done.stderr)
		return done.stderr if status else done.stdout

	def test_each_word_shows_its_table_and_says_which_part_it_is(self):
		for what in ("", "programs", "rates", "peers", "days", "months", "events", "changes"):
			with self.subTest(what=what):
				shown = self.weir("history", *what.split(), "--since", "10m")
				self.assertRegex(shown, r"\d\d:\d\d:\d\d to ")
				self.assertIn("history reaches back to", shown)
		self.assertRegex(self.weir("history", "store"), r"of at most .*B; no second is missing")

	def test_with_a_step_events_say_how_many_they_are(self):
		self.wait_for_the_past()
		shown = self.weir("history", "events", "--since", "10m", "--step", "1h", "kind:started")
		self.assertRegex(shown, r"(?m)^ *TIME +KIND +PROGRAM +COUNT +WHAT$")
		self.assertRegex(shown, r"(?m) started +- +1 +weir started")
		self.assertNotIn("COUNT", self.weir("history", "events", "--since", "10m"))
		self.assertNotIn("COUNT", self.weir("history", "events", "--since", "10m", "--step", "1h", "--columns", "time,summary"))

	def test_bytes_are_the_programs_own(self):
		self.wait_for_the_past()
		expected = self.talker.talks * BYTES
		rows = self.daemon.json("history", f"program:{PROGRAM}", "--since", "10m")["rows"]
		self.assertEqual(sum(r["tx_bytes"] for r in rows), expected)
		self.assertEqual(sum(r["rx_bytes"] for r in rows), expected)
		curve = self.daemon.json("history", "rates", f"program:{PROGRAM}", "--since", "10m", "--step", "1m")
		self.assertEqual(sum(r["tx_bytes"] for r in curve["rows"]), expected)
		self.assertEqual(curve["step"], 60)
		peers = self.daemon.json("history", "peers", f"port:{self.talker.port}", "--since", "10m")["rows"]
		self.assertEqual(sum(r["tx_bytes"] for r in peers), expected)

	def test_the_present_shows_the_past_with_since(self):
		self.assertIn(PROGRAM, self.weir("processes", f"process:{PROGRAM}", "--since", "10m"))
		self.assertIn(str(self.talker.port), self.weir("flows", f"port:{self.talker.port}", "--since", "10m", "-n"))
		self.weir("drops", "--since", "10m")
		self.assertIn("leave one of them away", self.weir("drops", "--since", "10m", "-c", "2", status=2))

	def test_changes_are_held_against_the_span_that_is_named(self):
		self.wait_for_the_past()
		def changes(*words):
			rows = self.daemon.json("history", "changes", f"program:{PROGRAM}", "--since", "10m", *words)["rows"]
			return [r for r in rows if r["kind"] == "program" and r["before"] != r["after"]]
		self.assertEqual([r["before"] for r in changes("--since2", "2h")], [0])
		now = f"@{int(time.time())}"
		self.assertEqual(changes("--until", now, "--since2", "10m", "--until2", now), [])
		shown = self.weir("history", "changes", "--since", "10m", "--since2", "2h")
		self.assertRegex(shown, r"\d\d:\d\d:\d\d to .*, beside .* to ")

	def test_documents_say_the_span(self):
		document = self.daemon.json("history", "--since", "5m", "--until", "now")
		self.assertLess(seconds_of(document["from"]), seconds_of(document["to"]))
		lines = self.weir("history", "rates", "--since", "1m", "--ndjson").splitlines()
		self.assertTrue(all("tx_bytes" in json.loads(line) for line in lines))
		self.assertIn("\n", self.weir("history", "-J").strip())

	def follow(self, *words):
		process = subprocess.Popen([self.daemon.weir, "history", *words, "--follow", "--socket", str(self.daemon.socket)],
					   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
		ends = threading.Timer(FOLLOWED_SECONDS, process.send_signal, (signal.SIGINT,))
		ends.start()
		out, err = process.communicate(timeout=60)
		ends.cancel()
		self.assertEqual(process.returncode, 130, err)
		return out.splitlines()

	def test_a_curve_is_followed_without_a_gap_or_a_double(self):
		lines = [json.loads(line) for line in self.follow("rates", "--since", "3s", "--step", "1s", "--ndjson")]
		times = [seconds_of(line["time"]) for line in lines]
		self.assertGreater(len(times), 3)
		self.assertEqual(times, [times[0] + i for i in range(len(times))])
		self.assertEqual({line["seconds"] for line in lines}, {1})

	def test_a_curve_is_followed_in_columns(self):
		lines = self.follow("rates", "--since", "3s")
		self.assertRegex(lines[0], r"^TIME +SENT/S +MAX +RECEIVED/S +MAX +NEW +RETRANS +LOST$")
		self.assertEqual(len({line.split()[1] for line in lines[1:]}), len(lines) - 1)

	def test_events_are_followed_once_each(self):
		def appear():
			time.sleep(2)
			with socket.create_server(("127.0.0.1", 0)) as listener:
				code = ("import ctypes, socket; ctypes.CDLL(None).prctl(15, b'" + APPEARS + "', 0, 0, 0);"
					f"socket.create_connection(('127.0.0.1', {listener.getsockname()[1]})).send(b'x')")
				subprocess.run(["/usr/bin/python3", "-c", code], check=True)

		thread = threading.Thread(target=appear)
		thread.start()
		lines = self.follow("events", "--since", "5m", "--ndjson")
		thread.join()
		# Programs of one name in several containers are as many events that read the same.
		def counted(rows):
			return collections.Counter(json.dumps(row, sort_keys=True) for row in rows)
		kept = self.daemon.json("history", "events", "--since", "10m", "--limit", "0")["rows"]
		self.assertEqual(counted(map(json.loads, lines)) - counted(kept), {})
		self.assertTrue(any(APPEARS in line for line in lines), lines[-3:])

	def test_what_is_wrong_is_said_in_one_line(self):
		for words, says in (
			(["history", "nonsense"], "history has no"), (["history", "--since", "25:00"], "a day goes from 00:00"),
			(["history", "--since", "1h", "--until", "2h"], "swap them"),
			(["history", "rates", "--step", "0"], "at least 1s"),
			(["history", "--since2", "1h"], "goes with changes"),
			(["history", "changes", "--until2", "later"], "--until2 \"later\": not a time"),
			(["history", "--follow"], "rates and events"), (["history", "rates", "--follow", "-j"], "--ndjson"),
			(["history", "events", "--follow", "--step", "1m"], "one by one"),
			(["history", "nosuch:1"], "unknown"),
		):
			with self.subTest(words=words):
				error = self.weir(*words, status=2)
				self.assertIn(says, error)
				self.assertEqual(error.count("\n"), 1)

	def test_a_story_of_a_process(self):
		self.wait_for_the_past()
		for word in (PROGRAM, str(self.talker.process.pid)):
			with self.subTest(word=word):
				story = self.weir("explain", word)
				self.assertIn(f"{PROGRAM} is process {self.talker.process.pid}, run by root.", story)
				self.assertIn(f"It listens on 127.0.0.1:{self.talker.port}, tcp", story)
				self.assertIn(f"Today {PROGRAM} has sent", story)
				facts = {f["fact"]: f for f in self.daemon.json("explain", word)["facts"]}
				self.assertEqual(facts["total"]["tx_bytes"], self.talker.talks * BYTES)
				self.assertEqual(facts["today"]["rx_bytes"], self.talker.talks * BYTES)
		# Where it is midnight now, today is the daemon's all the same.
		midnight = {**os.environ, "TZ": f"HERE{time.strftime('%H:%M:%S', time.gmtime())}"}
		there = json.loads(self.weir("explain", "-j", PROGRAM, env=midnight))
		self.assertEqual([f for f in there["facts"] if f["fact"] == "today"], [facts["today"]])
		chinese = self.weir("explain", PROGRAM, env={**os.environ, "WEIR_LANG": "zh"})
		self.assertIn(f"{PROGRAM} 是进程 {self.talker.process.pid}，由 root 运行。", chinese)

	def test_a_story_of_a_socket(self):
		self.talker.talk()
		flows = self.daemon.json("flows", f"local_port:{self.talker.port}", "role:server", "not", "state:listen")["rows"]
		for word in (f"127.0.0.1:{self.talker.port}", str(flows[0]["cookie"])):
			with self.subTest(word=word):
				self.assertIn(f"{PROGRAM} (process {self.talker.process.pid})", self.weir("explain", word))
		self.assertIn("accepted a connection", self.weir("explain", str(flows[0]["cookie"])))
		self.assertIn("knows no socket", self.weir("explain", "127.0.0.1:1", status=1))

	def test_a_story_of_a_moment(self):
		story = self.weir("explain", "now")
		self.assertIn("held against the 5 min before", story)
		self.assertIn(PROGRAM, story)
		self.assertIn("is no process id", self.weir("explain", "nobody-at-all", status=1))


if __name__ == "__main__":
	unittest.main(verbosity=2)
