# SPDX-License-Identifier: GPL-2.0-or-later
"""Lost packets as people and scripts meet them: the commands, the sentence, the metric, a recording."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import harness
import test_containers

LOST = 200


class SlowReader:
	"""A socket of this process that is never read, and a flood of it."""

	def __init__(self):
		self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
		self.socket.bind(("127.0.0.1", 0))
		self.port = self.socket.getsockname()[1]

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.socket.close()

	def flood(self, packets=LOST):
		"""How many of them were lost."""
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
			for _ in range(packets):
				sender.sendto(b"x" * 600, ("127.0.0.1", self.port))
		self.socket.setblocking(False)
		kept = 0
		try:
			while self.socket.recv(1000):
				kept += 1
		except BlockingIOError:
			return packets - kept


class Shown(unittest.TestCase):
	SECONDS = 60

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = harness.Daemon().start()
		cls.addClassCleanup(cls.daemon.__exit__)

	def weir(self, *words, status=0):
		done = subprocess.run([self.daemon.weir, "--socket", self.daemon.socket, *words], capture_output=True, text=True,
				      timeout=30)
		self.assertEqual(done.returncode, status, done.stderr)
		return done.stdout

	def lose(self):
		with SlowReader() as reader:
			lost = reader.flood()
			time.sleep(1.1)
			self.assertGreater(lost, 0)
			return lost

	def test_a_table_with_why_and_what_to_do(self):
		with SlowReader() as reader:
			reader.flood()
			out = self.weir("drops", f"pid:{os.getpid()}", "reason:SOCKET_RCVBUFF")
		self.assertRegex(out, r"REASON +CLASS +PER SECOND +PACKETS +PLACE +LAYER +DEVICE +PID +COMMAND")
		self.assertRegex(out, r"(?m)^SOCKET_RCVBUFF +tune .* udp_\S+\+0x\S+ +socket +lo +%d " % os.getpid())
		self.assertRegex(out, r"(?m)^    why  +\S")
		self.assertRegex(out, r"(?m)^    do  +\S")
		self.assertNotIn("packet  ", out)

	def test_sample_shows_the_packet_and_the_stack(self):
		with SlowReader() as reader:
			reader.flood()
			out = self.weir("drops", "--sample", "reason:SOCKET_RCVBUFF")
		self.assertRegex(out, r"(?m)^    packet  udp 127\.0\.0\.1:\d+ > 127\.0\.0\.1:\d+ len 628$")
		self.assertRegex(out, r"(?m)^    stack   udp_\S+")
		self.assertRegex(out, r"(?m)^            ip_\S+")

	def test_again_and_again(self):
		self.lose()
		out = self.weir("drops", "-c", "2", "-d", "0.2", "reason:SOCKET_RCVBUFF")
		self.assertEqual(out.count("REASON"), 2)
		rows = self.weir("drops", "-c", "2", "-d", "0.2", "--ndjson", "reason:SOCKET_RCVBUFF").splitlines()
		self.assertEqual(len(rows) % 2, 0)
		self.assertEqual({json.loads(row)["reason"] for row in rows}, {"SOCKET_RCVBUFF"})

	def test_a_sentence(self):
		with SlowReader() as reader:
			for _ in range(3):
				reader.flood()
				time.sleep(0.5)
			out = self.weir("findings")
		self.assertRegex(out, r"tune +\d+ packets a second lost on lo: \S+'s receive buffer is full")
		self.assertRegex(out, r"(?m)^    do  ")
		rows = self.daemon.rows("findings")
		self.assertEqual({row["feature"] for row in rows}, {"drops"})
		drops = self.daemon.rows("drops", "?filter=" + rows[0]["filter"].replace(" ", "%20"))
		self.assertTrue(drops, rows[0])

	def sum_of_rows(self):
		return sum(row["packets"] for row in self.daemon.rows("drops") if not row["overlaps"])

	def test_the_metric_is_the_sum_of_the_rows(self):
		self.lose()
		for _ in range(20): # a place that is new is in no sum until its name is known, for at most 5 s
			before = self.sum_of_rows() # the machine goes on meanwhile
			text = self.daemon.get("/metrics").text
			after = self.sum_of_rows()
			metric = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
				     if line.startswith("weir_dropped_packets_total{"))
			if before <= metric <= after:
				break
			time.sleep(0.5)
		self.assertLessEqual(before, metric)
		self.assertLessEqual(metric, after)
		self.assertIn('weir_dropped_packets_total{reason="SOCKET_RCVBUFF",layer="socket",device="lo"}', text)

	def test_an_engine_that_begins_anew_knows_what_was_lost(self):
		def known():
			rows = [row for row in self.daemon.rows("drops", "?filter=reason:SOCKET_RCVBUFF") if row["device"] == "lo"]
			self.assertEqual({row["class"] for row in rows} - {"tune"}, set())
			self.assertEqual([row for row in rows if "+0x" not in row["location"]], [])
			mine = [row["packets"] for row in rows if row["pid"] == os.getpid()]
			return mine and (sum(row["packets"] for row in rows), mine[0])

		with SlowReader() as reader:
			lost = reader.flood()
			total, _ = harness.wait_until("its row", known, 5)
			engine = self.daemon.role("engine")
			os.kill(engine, signal.SIGKILL)
			harness.wait_until("a new engine", lambda: self.daemon.roles().get("engine") not in (None, engine), 10)
			harness.wait_until("an answer", self.daemon.answers, 10)
			again, mine = harness.wait_until("its row again", known, 10)
			self.assertGreaterEqual(again, total)
			self.assertEqual(mine, lost) # sockets that were closed by then are nobody's
			finding = [row for row in self.daemon.rows("findings") if row["pid"] == os.getpid()]
			self.assertEqual(finding, [], "what was lost before is no news")

	def test_it_names_the_container(self):
		with test_containers.Container("0123456789abcdef" * 4) as container:
			pid = os.fork()
			if pid == 0:
				try:
					harness.die_with_parent()
					(container.path / "cgroup.procs").write_text("0")
					with SlowReader() as reader:
						reader.flood()
						time.sleep(20)
				finally:
					os._exit(0)
			try:
				rows = harness.wait_until("its row", lambda: self.daemon.rows("drops", f"?filter=pid:{pid}"), 5)
				self.assertEqual([row["container_id"] for row in rows], [container.id])
			finally:
				os.kill(pid, signal.SIGKILL)
				os.waitpid(pid, 0)

	def test_what_nobody_may_see_is_not_called_nothing(self):
		done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", self.daemon.weir,
				       "--socket", self.daemon.socket, "drops"], capture_output=True, text=True, timeout=30)
		if done.returncode == 0:
			self.assertIn("that this user may see", done.stdout)
		else:
			self.assertIn("weir.sock", done.stderr)


class Recorded(unittest.TestCase):
	SECONDS = 60

	def test_a_recording_shows_the_same(self):
		harness.need_root()
		with tempfile.TemporaryDirectory(prefix="weir-e2e-") as folder:
			path = pathlib.Path(folder) / "file"
			recorder = subprocess.Popen([harness.WEIR, "record", path], stdin=subprocess.DEVNULL,
						    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
						    preexec_fn=harness.die_with_parent)
			try:
				harness.wait_until("it records", lambda: path.exists() and path.stat().st_size > 1000, 20)
				time.sleep(1)
				with SlowReader() as reader:
					lost = reader.flood()
					time.sleep(2.2)
			finally:
				recorder.send_signal(signal.SIGINT)
				recorder.communicate(timeout=20)
			done = subprocess.run([harness.WEIR, "replay", path, "-j", "drops", f"pid:{os.getpid()}"],
					      capture_output=True, text=True, timeout=20)
			rows = json.loads(done.stdout)["rows"]
			self.assertEqual([(row["reason"], row["packets"]) for row in rows], [("SOCKET_RCVBUFF", lost)], done.stderr)


if __name__ == "__main__":
	unittest.main()
