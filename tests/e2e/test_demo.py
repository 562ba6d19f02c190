# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo tells the truth, in under a minute, and leaves nothing behind but its recording."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

import harness

DEMO = harness.TOP / "tools" / "demo"


class Demo(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		harness.need_command("ip")
		cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-e2e-")))
		cls.environment = {**os.environ, "WEIR": str(harness.WEIR), "WEIR_GENERATE": str(harness.GENERATE)}
		cls.recording = cls.folder / "demo.events"
		cls.links = cls.host_links()
		begun = time.monotonic()
		cls.done = subprocess.run([DEMO, "--recording", cls.recording], capture_output=True, text=True, timeout=90,
					  stdin=subprocess.DEVNULL, env=cls.environment, preexec_fn=harness.die_with_parent)
		cls.seconds = time.monotonic() - begun

	@staticmethod
	def host_links():
		return sorted(os.listdir("/sys/class/net"))

	@staticmethod
	def left():
		"""Processes of a demo: programs of the scene, holders, daemons in its folder."""
		found = []
		for entry in os.listdir("/proc"):
			if entry.isdigit():
				try:
					line = open(f"/proc/{entry}/cmdline", "rb").read()
				except OSError:
					continue
				if b"tools/demo" in line or b"/weir-demo-" in line:
					found.append((entry, line))
		return found

	def start(self):
		return subprocess.Popen([DEMO, "--recording", self.folder / "broken.events"], stdin=subprocess.DEVNULL,
					stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment, text=True,
					preexec_fn=harness.die_with_parent)

	def until_act(self, process, number):
		for line in process.stdout:
			if line.startswith(f"{number}. "):
				return
		self.fail("the demo ended early")

	def test_every_number_is_equal(self):
		self.assertEqual(self.done.returncode, 0, self.done.stdout + self.done.stderr)
		self.assertEqual(self.done.stderr, "")
		self.assertNotIn("NOT", self.done.stdout)
		self.assertEqual(self.done.stdout.count("   equal\n"), 14)
		self.assertIn("weir names 500 of 500.", self.done.stdout)
		self.assertIn("0 sent and 0 received bytes are without an owner", " ".join(self.done.stdout.split()))

	def test_a_slow_reader_is_seen_explained_and_cured(self):
		act = self.done.stdout.partition("Orders get lost\n")[2].partition("Is it true?\n")[0]
		text = " ".join(act.split())
		self.assertRegex(text, r"tune [1-9]\d* packets? (a second )?lost on shop0: slow-ledger's receive buffer is full; "
				       "the program reads too slowly")
		self.assertIn("do Give the program more processor time or readers, or a larger buffer", text)
		self.assertRegex(act, r"(?m)^   SOCKET_RCVBUFF +tune +[1-9]\d* +[1-9]\d* +socket +shop0 +\d+ +slow-ledger$")
		self.assertRegex(text, r"One of them: udp 10\.66\.0\.2:\d+ > 10\.66\.0\.1:7000 len 128\.")
		self.assertRegex(text, r"Before [1-9]\d*, now 0\.")
		rates, cured = [re.findall(r"(?m)^ +(\d+) [█·]+$", part) for part in act.split("the larger buffer\n")]
		self.assertGreater(min(map(int, rates)), 0, act)
		self.assertEqual(cured[-2:], ["0", "0"], act)

	def test_the_orders_add_up(self):
		sums = re.findall(r"(?m)^   orders +(\d+) sent - (\d+) read = +(\d+) lost +(weir|replay): lost +(\d+)   equal$",
				  self.done.stdout)
		self.assertEqual([s[3] for s in sums], ["weir", "replay"], self.done.stdout)
		for sent, read, lost, _, counted in sums:
			self.assertEqual(int(sent) - int(read), int(lost))
			self.assertEqual(lost, counted)
			self.assertGreater(int(lost), 0)

	def test_it_takes_less_than_a_minute(self):
		self.assertLess(self.seconds, 60)

	def test_the_recording_replays_without_rights(self):
		done = subprocess.run([harness.WEIR, "replay", self.recording, "processes", "process:web-server", "-j"],
				      capture_output=True, text=True, timeout=20)
		self.assertEqual(done.returncode, 0, done.stderr)
		row = json.loads(done.stdout)["rows"][0]
		self.assertIn(str(row["tx_bytes"]), self.done.stdout)
		for words in (["flows", "-j"], ["audit"], ["top", "-b", "-c", "2", "--speed", "0"]):
			done = subprocess.run([harness.WEIR, "replay", self.recording, *words], capture_output=True, text=True,
					      timeout=20)
			with self.subTest(" ".join(words)):
				self.assertIn(done.returncode, (0, 4), done.stderr)
				self.assertTrue(done.stdout)

	def test_nothing_is_left(self):
		self.assertEqual(self.left(), [])
		self.assertEqual(self.host_links(), self.links)

	def test_broken_off(self):
		"""By Ctrl-C, by SIGTERM, by SIGKILL: in the middle of the scene."""
		for number, sig, status in ((3, signal.SIGINT, 130), (2, signal.SIGTERM, 130), (3, signal.SIGKILL, -9)):
			with self.subTest(sig.name):
				process = self.start()
				with process:
					self.until_act(process, number)
					time.sleep(0.5)
					process.send_signal(sig)
					process.communicate(timeout=15)
				self.assertEqual(process.returncode, status)
				harness.wait_until("nothing left", lambda: not self.left(), 5)
				self.assertEqual(self.host_links(), self.links)

	def test_a_failure_is_said_in_one_line(self):
		done = subprocess.run([DEMO, "--recording", self.folder / "x.events"], capture_output=True, text=True, timeout=30,
				      stdin=subprocess.DEVNULL, env={**self.environment, "WEIR": "/bin/false"})
		self.assertEqual(done.returncode, 1, done.stdout)
		self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
		self.assertEqual(self.left(), [])
