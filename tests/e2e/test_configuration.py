# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration: what a file says holds, the command line goes before it, a bad file is refused as a whole, and SIGHUP
reads it again."""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import harness


def check(path, *options):
	return subprocess.run([harness.WEIR, "daemon", "--check", "--config", path, *options],
			      capture_output=True, text=True, timeout=10 * harness.PATIENCE)


class Check(unittest.TestCase):
	def setUp(self):
		folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-e2e-")))
		self.path = folder / "weir.yaml"

	def test_a_right_file(self):
		self.path.write_text("listen: 127.0.0.1:9000\nhooks: {traffic: sock}\n")
		done = check(self.path)
		self.assertEqual((done.returncode, done.stderr), (0, ""))
		self.assertIn(str(self.path), done.stdout)

	def test_a_wrong_file_is_one_line_with_its_place(self):
		self.path.write_text("log_level: info\nlisten: none\nlisten: none\n")
		done = check(self.path)
		self.assertEqual((done.returncode, done.stdout), (2, ""))
		self.assertEqual(done.stderr, f"weir: {self.path}:3:1: listen stands here again, first on line 2: "
					      "take one away\n")

	def test_a_file_that_is_not_there(self):
		done = check(self.path)
		self.assertEqual(done.returncode, 2)
		self.assertEqual(done.stderr.count("\n"), 1)
		self.assertIn(str(self.path), done.stderr)

	def test_needs_no_rights(self):
		self.path.write_text("listen: none\n")
		os.chmod(self.path.parent, 0o755)
		done = subprocess.run([harness.WEIR, "daemon", "--check", "--config", self.path], capture_output=True,
				      text=True, timeout=10 * harness.PATIENCE, user=harness.NOBODY, group=harness.NOBODY, extra_groups=[])
		self.assertEqual((done.returncode, done.stderr), (0, ""))


class Daemon(unittest.TestCase):
	def setUp(self):
		harness.need_root()
		folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-e2e-")))
		self.path = folder / "weir.yaml"

	def said(self, daemon, what):
		return harness.wait_until(f"the log says {what!r}", lambda: what in daemon.log)

	def test_a_wrong_file_starts_nothing(self):
		self.path.write_text("listen: none\nstat: /nowhere\n")
		done = subprocess.run([harness.WEIR, "daemon", "--config", self.path], capture_output=True, text=True,
				      timeout=10 * harness.PATIENCE)
		self.assertEqual(done.returncode, 2)
		self.assertEqual(done.stderr, f'weir: {self.path}:2:1: unknown key "stat": did you mean state?\n')

	def test_the_command_line_goes_before_the_file(self):
		self.path.write_text("listen: 192.0.2.1:1\nstate: /proc/nowhere\nsocket: /proc/nowhere\n")
		with harness.Daemon("--config", self.path) as daemon:
			self.assertEqual(daemon.get("/healthz").status, 200)

	def test_a_forced_hook_set_from_the_file(self):
		with harness.Daemon() as daemon:
			name = next(r["hook_set"] for r in daemon.rows("doctor") if (r["feature"], r["state"]) == ("traffic", "on"))
		self.path.write_text(f"hooks: {{traffic: {name}}}\n")
		with harness.Daemon("--config", self.path) as daemon:
			states = {row["hook_set"]: row["state"] for row in daemon.rows("doctor") if row["feature"] == "traffic"}
			self.assertEqual(states.get(name), "on")

	def test_read_again(self):
		self.path.write_text("pins: /sys/fs/bpf/x\n")
		with harness.Daemon("--config", self.path) as daemon:
			daemon.process.send_signal(signal.SIGHUP)
			self.said(daemon, "configuration read again: nothing changed")
			# What the command line decides is no change.
			self.path.write_text("listen: 127.0.0.1:1\nlog_level: debug\nhooks: {traffic: sock}\n")
			daemon.process.send_signal(signal.SIGHUP)
			self.said(daemon, "log_level is now debug; after a restart: hooks.traffic")
			self.path.write_text("log_level: loud\n")
			daemon.process.send_signal(signal.SIGHUP)
			self.said(daemon, f"the configuration stays as it was: {self.path}:1:12: log_level takes ")
			self.assertEqual(daemon.get("/healthz").status, 200)


if __name__ == "__main__":
	unittest.main(verbosity=2)
