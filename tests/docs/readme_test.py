# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the commands that README.md and docs/tour.md show: each block of shell commands behind a line
<!-- tested --> runs against a private daemon, as a user would type it. Their Chinese pages must show the same commands."""

import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("WEIR_BUILD", TOP / "build-test"))
PAGES = [("README.md", "README.zh.md"), ("docs/tour.md", "docs/tour.zh.md")]
TESTED = re.compile(r"^<!-- tested -->\n```sh\n(.*?)^```$", re.M | re.S)
SHOWN = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


def commands(page, pattern):
	"""The lines without their comments."""
	lines = "".join(pattern.findall((TOP / page).read_text())).splitlines()
	lines = [re.sub(r"\s+#.*$", "", line) for line in lines]
	return [line for line in lines if line and not line.startswith("#")]


class Pages(unittest.TestCase):
	def test_both_languages_show_the_same_commands(self):
		for english, chinese in PAGES:
			with self.subTest(page=english):
				self.assertEqual(commands(english, SHOWN), commands(chinese, SHOWN))

	def test_there_are_commands(self):
		for english, _ in PAGES:
			self.assertGreater(len(commands(english, TESTED)), 5)

	def test_each_part_of_the_tour_has_its_command(self):
		for page in PAGES[1]:
			parts = re.split(r"^## ", (TOP / page).read_text(), flags=re.M)[1:-1]
			self.assertGreater(len(parts), 10)
			for part in parts:
				with self.subTest(page=page, part=part.splitlines()[0]):
					self.assertRegex(part, TESTED)

	def test_links_lead_somewhere(self):
		for page in [*TOP.glob("*.md"), *TOP.glob("docs/**/*.md")]:
			for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
				if "://" not in target:
					with self.subTest(page=page.name, target=target):
						self.assertTrue((page.parent / target).exists())


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Commands(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.folder = tempfile.TemporaryDirectory(prefix="weir-readme-")
		cls.top = Path(cls.folder.name)
		bin = cls.top / "bin"
		bin.mkdir()
		(bin / "weir").symlink_to(BUILD / "weir")
		# The commands run as root already, and a bare machine may lack sudo.
		sudo = bin / "sudo"
		sudo.write_text('#!/bin/sh\nexec "$@"\n')
		sudo.chmod(0o755)
		cls.socket = cls.top / "weir.sock"
		cls.env = dict(os.environ, WEIR_SOCKET=str(cls.socket), PATH=f"{bin}:{os.environ['PATH']}")
		cls.log = open(cls.top / "log", "w+")
		cls.daemon = subprocess.Popen(
			[BUILD / "weir", "daemon", "--socket", cls.socket, "--listen", "127.0.0.1:0",
			 "--state", cls.top / "state", "--pins", cls.top / "pins"],
			stdin=subprocess.DEVNULL, stdout=cls.log, stderr=cls.log, start_new_session=True)
		end = time.monotonic() + 15
		while time.monotonic() < end and cls.daemon.poll() is None:
			if cls.socket.exists() and cls.run_one("weir -j processes").returncode == 0:
				return
			time.sleep(0.1)
		cls.log.seek(0)
		log = cls.log.read()
		cls.tearDownClass()
		raise RuntimeError(f"the daemon did not serve within 15 s\n{log}")

	@classmethod
	def tearDownClass(cls):
		cls.daemon.send_signal(signal.SIGTERM)
		try:
			cls.daemon.wait(10)
		except subprocess.TimeoutExpired:
			os.killpg(cls.daemon.pid, signal.SIGKILL)
			cls.daemon.wait()
		cls.log.close()
		cls.folder.cleanup()

	@classmethod
	def run_one(cls, line):
		line = line.replace("/run/weir/weir.sock", str(cls.socket))
		return subprocess.run(["sh", "-c", line], cwd=cls.top, env=cls.env, stdin=subprocess.DEVNULL,
				      capture_output=True, text=True, timeout=60)

	def test_each_command_works(self):
		for page, _ in PAGES:
			for line in commands(page, TESTED):
				with self.subTest(page=page, command=line):
					done = self.run_one(line)
					self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
					self.assertNotEqual(done.stdout + done.stderr, "", "it printed nothing")


if __name__ == "__main__":
	unittest.main(verbosity=2)
