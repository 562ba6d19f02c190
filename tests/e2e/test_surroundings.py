# SPDX-License-Identifier: GPL-2.0-or-later
"""What a daemon is started from and beside: descriptors that are none of its own, a folder of state that another one
has, errors that pass, and a configuration that says where its things are."""

import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import harness


class Surroundings(unittest.TestCase):
	def setUp(self):
		harness.need_root()
		self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-e2e-")))

	def test_descriptors_that_were_left_open_go_to_no_role(self):
		secret = self.folder / "secret"
		secret.write_text("nobody's business")
		wrapper = self.folder / "weir"
		wrapper.write_text(f"#!/bin/sh\nexec 7<{secret} 9<{self.folder} \"{harness.WEIR}\" \"$@\"\n")
		wrapper.chmod(0o755)
		with harness.Daemon(weir=wrapper) as daemon:
			roles = daemon.roles()
			self.assertEqual(set(roles), {"keeper", "engine", "gate", "store"})
			for role, pid in roles.items():
				with self.subTest(role=role):
					self.assertEqual([fd for fd in harness.descriptors_of(pid) if fd.startswith(str(self.folder))], [])

	def test_the_engine_has_what_it_works_with_and_no_more(self):
		with harness.Daemon() as daemon:
			daemon.rows("processes") # it is at work
			held = harness.descriptors_of(daemon.role("engine"))
		known = ("anon_inode:", "socket:", "/dev/null", "/proc/", str(daemon.log_path), "/memfd:weir-batch")
		self.assertEqual([fd for fd in held if not fd.startswith(known)], [])
		# One to the keeper, one to the gate, one to the store, one for rtnetlink: neither of the two that listen.
		self.assertEqual(len([fd for fd in held if fd.startswith("socket:")]), 4)

	def test_the_keeper_outlives_errors_that_pass(self):
		with harness.Daemon() as daemon:
			usual = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
			# With fewer descriptors allowed than it watches, its poll() fails with EINVAL.
			resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (1, usual[1]))
			time.sleep(0.1)
			os.kill(daemon.pid, signal.SIGHUP) # it is woken, and polls again
			time.sleep(0.7)
			used = harness.read_text(f"/proc/{daemon.pid}/stat").rsplit(")", 1)[1].split()
			time.sleep(1)
			more = harness.read_text(f"/proc/{daemon.pid}/stat").rsplit(")", 1)[1].split()
			self.assertLess(int(more[11]) + int(more[12]) - int(used[11]) - int(used[12]), 20, "it does not spin")
			self.assertTrue(harness.alive(daemon.pid), daemon.log)
			resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, usual)
			gate = daemon.role("gate")
			os.kill(gate, signal.SIGKILL)
			harness.wait_until("a new gate", lambda: daemon.roles().get("gate") not in (None, gate), 10)
			harness.wait_until("an answer", daemon.answers, 10)

	@staticmethod
	def allow(pid, descriptors):
		"""As its own user: root may lack the right to change another one's limits."""
		words = harness.read_text(f"/proc/{pid}/status").split()
		uid, gid = int(words[words.index("Uid:") + 1]), int(words[words.index("Gid:") + 1])
		script = ("import resource, sys; pid, n = map(int, sys.argv[1:]); "
			  "hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]; "
			  "resource.prlimit(pid, resource.RLIMIT_NOFILE, (n, hard))")
		subprocess.run([sys.executable, "-c", script, str(pid), str(descriptors)], user=uid, group=gid, extra_groups=[],
			       check=True, timeout=20)

	def test_an_engine_that_cannot_read_the_kernel_says_so_once(self):
		with harness.Daemon() as daemon:
			engine = daemon.role("engine")
			usual = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
			self.allow(engine, 3) # each look opens what it reads
			words = ("traffic: the kernel cannot be read, what is shown of it stands still: Too many open files; "
				 "it is tried again each second")
			harness.wait_until("a warning", lambda: words in daemon.log, 15)
			time.sleep(3)
			self.assertEqual(daemon.log.count("cannot be read"), 1, daemon.log)
			self.allow(engine, usual)
			harness.wait_until("word of its end", lambda: "traffic: the kernel can be read again" in daemon.log, 15)
			self.assertEqual(daemon.role("engine"), engine)
			self.assertEqual(daemon.log.count("be read"), 2, daemon.log)

	def test_one_folder_of_state_has_one_daemon(self):
		with harness.Daemon() as first:
			done = subprocess.run([harness.WEIR, "daemon", "--socket", self.folder / "other.sock", "--listen", "none",
					       "--state", first.state, "--pins", self.folder], capture_output=True, text=True,
					      timeout=20)
			self.assertEqual((done.returncode, done.stdout), (1, ""))
			self.assertEqual(done.stderr, f"weir: --state {first.state}: another weir daemon (process {first.pid}) keeps "
						      "its state there: end it first, or choose another folder with --state\n")
			self.assertFalse((self.folder / "other.sock").exists())
			self.assertEqual(first.get("/healthz").status, 200)
			# However the first one ends, the next may have the folder at once.
			first.kill()
			first.socket.unlink()
			first.start()
			self.assertEqual(first.get("/healthz").status, 200)

	def test_the_lock_is_the_keepers_alone(self):
		with harness.Daemon() as daemon:
			holders = [role for role, pid in daemon.roles().items()
				   if str(daemon.state / "lock") in harness.descriptors_of(pid)]
			self.assertEqual(holders, ["keeper"])

	def test_uninstall_finds_what_the_configuration_names(self):
		state, listen = self.folder / "kept", self.folder / "asked.sock"
		config = self.folder / "weir.yaml"
		config.write_text(f"state: {state}\nsocket: {listen}\npins: {harness.PINS}/{self.folder.name}\n")
		daemon = subprocess.Popen([harness.WEIR, "daemon", "--config", config, "--listen", "none"],
					  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=harness.die_with_parent)
		harness.wait_until("a socket", listen.exists, 10)
		busy = subprocess.run([harness.WEIR, "uninstall", "--config", config], capture_output=True, text=True)
		self.assertEqual(busy.returncode, 1)
		self.assertIn("still runs", busy.stderr)
		daemon.kill()
		daemon.communicate()
		done = subprocess.run([harness.WEIR, "uninstall", "--config", config, "--purge"], capture_output=True, text=True,
				      timeout=20)
		self.assertEqual(done.returncode, 0, done.stderr)
		self.assertFalse(listen.exists())
		self.assertFalse(state.exists(), done.stdout)
		self.assertIn(f"removed state {state}\n", done.stdout)

	def test_uninstall_refuses_to_guess(self):
		config = self.folder / "weir.yaml"
		config.write_text("stat: /nowhere\n")
		done = subprocess.run([harness.WEIR, "uninstall", "--config", config], capture_output=True, text=True, timeout=20)
		self.assertEqual((done.returncode, done.stdout), (2, ""))
		self.assertIn(f"{config}:1:1: unknown key", done.stderr)


if __name__ == "__main__":
	unittest.main(verbosity=2)
