# SPDX-License-Identifier: GPL-2.0-or-later
"""`make run` as the README promises it: builds, shows a table and the page's address, ends on Ctrl-C without a trace; the
second time it is up in under two seconds. Without root it says one line."""

import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tree import copy_tree  # noqa: E402

SOCKET = Path("/run/weir/weir.sock")
BUILD_SECONDS = 300


def somebody_there():
	"""A daemon of the machine's own: `weir run` would use it, and the test would look at the wrong one."""
	with socket.socket() as s:
		if s.connect_ex(("127.0.0.1", 9474)) == 0:
			return True
	with socket.socket(socket.AF_UNIX) as s:
		return SOCKET.exists() and s.connect_ex(str(SOCKET)) == 0


def processes_of(group):
	done = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True)
	return [line for line in done.stdout.splitlines()
		if line.split()[0] == str(group) and not line.split()[1].startswith("Z")]


class MakeRun(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.folder = tempfile.TemporaryDirectory(prefix="weir-make-run-")
		cls.top = Path(cls.folder.name) / "weir"
		copy_tree(cls.top)
		Path(cls.folder.name).chmod(0o755)

	@classmethod
	def tearDownClass(cls):
		cls.folder.cleanup()

	def up(self, seconds):
		"""Starts it, waits for table and page, ends it; seconds until the table, and all that it said."""
		begun = time.monotonic()
		process = subprocess.Popen(["make", "run"], cwd=self.top, stdin=subprocess.DEVNULL, text=True,
					   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
		limit = threading.Timer(seconds, os.killpg, (process.pid, signal.SIGKILL))
		limit.start()
		said, table = "", None
		try:
			for line in process.stdout:
				said += line
				if "REMOTE ADDRESS" in line and table is None:
					table = time.monotonic() - begun
				if table is not None and "page: http://127.0.0.1:9474/" in line:
					break
			else:
				self.fail(f"no table and page:\n{said}")
		finally:
			limit.cancel()
			if process.poll() is None:
				os.killpg(process.pid, signal.SIGINT)
			process.stdout.close()
			try:
				process.wait(10)
			except subprocess.TimeoutExpired:
				os.killpg(process.pid, signal.SIGKILL)
				process.wait()
		end = time.monotonic() + 5
		while processes_of(process.pid) and time.monotonic() < end:
			time.sleep(0.05)
		self.assertEqual(processes_of(process.pid), [])
		self.assertFalse(SOCKET.exists())
		return table, said

	@unittest.skipUnless(os.geteuid() == 0, "needs root")
	def test_builds_and_shows_and_the_second_time_at_once(self):
		if somebody_there():
			self.skipTest("a daemon of this machine's own is running")
		first, _ = self.up(BUILD_SECONDS)
		second, said = self.up(30)
		print(f"make run: {first:.1f} s with building, then {second:.2f} s", flush=True)
		# The promise is two seconds; on a machine that is busy with other tests it may be more.
		self.assertLess(second, 2 if os.getloadavg()[0] < os.cpu_count() else 5, said)

	@unittest.skipUnless(os.geteuid() == 0, "needs root, to become somebody else")
	def test_without_root_one_line_says_what_to_do(self):
		nobody = pwd.getpwnam("nobody")
		done = subprocess.run(["make", "run"], cwd=self.top, capture_output=True, text=True,
				      user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
		self.assertNotEqual(done.returncode, 0)
		lines = (done.stdout + done.stderr).splitlines()
		self.assertEqual(len(lines), 1, lines)
		self.assertIn("sudo make run", lines[0])


if __name__ == "__main__":
	unittest.main(verbosity=2)
