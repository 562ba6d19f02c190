# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong is said in one line with its cure, and the exit status is the promised one."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

import harness
from harness import Daemon


class Errors(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-e2e-")))
		cls.folder.chmod(0o755)
		cls.weir = cls.folder / "weir"
		shutil.copy(harness.WEIR, cls.weir)
		cls.weir.chmod(0o755)
		cls.port = harness.free_port()

	def run_weir(self, *words, environment=None, **options):
		return subprocess.run([self.weir, *map(str, words)], capture_output=True, text=True, timeout=20,
				      stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, cwd="/", **options)

	def daemon_words(self, **changes):
		words = {"socket": self.folder / "s", "state": self.folder / "state", "pins": "/sys/fs/bpf/weir-e2e-errors",
			 "listen": f"127.0.0.1:{self.port}", **changes}
		return ["daemon", *[w for key, value in words.items() for w in (f"--{key}", str(value))]]

	def assert_one_line(self, done, status, *parts):
		self.assertEqual(done.returncode, status, done.stderr)
		self.assertEqual(done.stdout, "")
		self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
		self.assertTrue(done.stderr.startswith("weir: "), done.stderr)
		for part in parts:
			self.assertRegex(done.stderr.lower(), part)

	def as_nobody(self):
		harness.die_with_parent()
		os.setgroups([])
		os.setgid(harness.NOBODY)
		os.setuid(harness.NOBODY)

	def test_without_root(self):
		self.assert_one_line(self.run_weir(*self.daemon_words(), preexec_fn=self.as_nobody), 3, "root")
		self.assert_one_line(self.run_weir("record", "/tmp/weir-e2e-none.events", "--seconds", "1",
						   preexec_fn=self.as_nobody), 3, "root")
		self.assertFalse(os.path.exists("/tmp/weir-e2e-none.events"))

	def test_without_root_and_without_a_daemon(self):
		done = self.run_weir("processes", "--socket", self.folder / "nobody-there", preexec_fn=self.as_nobody)
		self.assertIn(done.returncode, (1, 3))
		self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

	def test_without_btf(self):
		"""Rows cannot be had then. The daemon itself starts and says so: test_degrade.py."""
		done = self.run_weir("processes", environment={"WEIR_BTF": "/nowhere/vmlinux",
								"WEIR_SOCKET": ""})
		self.assert_one_line(done, 3, "btf")

	def test_state_cannot_be_written(self):
		file = self.folder / "a-file"
		file.write_text("")
		self.assert_one_line(self.run_weir(*self.daemon_words(state=file / "state")), 1, "a-file", ":")
		self.assert_one_line(self.run_weir(*self.daemon_words(state="/proc/weir-state")), 1, "/proc/weir-state")

	def test_port_in_use(self):
		with socket.socket() as s:
			s.bind(("127.0.0.1", 0))
			s.listen(1)
			port = s.getsockname()[1]
			self.assert_one_line(self.run_weir(*self.daemon_words(listen=f"127.0.0.1:{port}")), 1, str(port),
					     "another program", "--listen")

	def test_socket_in_use(self):
		with Daemon() as daemon:
			done = self.run_weir(*self.daemon_words(socket=daemon.socket))
			self.assert_one_line(done, 1, str(daemon.socket).lower())
			self.assertTrue(daemon.answers())

	def test_socket_is_something_else(self):
		file = self.folder / "precious"
		file.write_text("mine")
		self.assert_one_line(self.run_weir(*self.daemon_words(socket=file)), 1, "precious")
		self.assertEqual(file.read_text(), "mine")

	def test_socket_left_over_is_taken(self):
		path = self.folder / "left-over"
		with socket.socket(socket.AF_UNIX) as s:
			s.bind(str(path))
		daemon = Daemon()
		daemon.socket = path
		with daemon:
			self.assertTrue(daemon.answers())

	def test_listening_to_the_world_without_a_key_is_refused(self):
		self.assert_one_line(self.run_weir(*self.daemon_words(listen=f"0.0.0.0:{self.port}")), 2, "0.0.0.0", "loopback|tls")

	def test_bad_words(self):
		for words in (["frobnicate"], ["processes", "--frobnicate"], ["flows", "porty:5"], ["flows", "port:abc"],
			      ["flows", "state:establishd"], ["flows", "port:99999"], ["processes", "pid:abc"],
			      ["flows", "peer:10.0.0.1/8"], ["processes", "not"], ["daemon", "--listen", "nonsense"],
			      ["daemon", "--listen", "127.0.0.1:99999"], ["daemon", "extra"], ["top", "-c", "x"],
			      ["processes", "--sort", "nothing"], ["daemon", "--hooks", "x:y"], ["record"], ["schema", "nothing"],
			      ["daemon", "--hooks"]):
			with self.subTest(" ".join(words)):
				self.assert_one_line(self.run_weir(*words, environment={"WEIR_SOCKET": str(self.folder / "none")}), 2)

	def test_a_bad_word_comes_before_a_port_that_is_taken(self):
		with socket.create_server(("127.0.0.1", 0)) as taken:
			words = self.daemon_words(listen="127.0.0.1:%d" % taken.getsockname()[1])
			self.assert_one_line(self.run_weir(*words, "--hooks", "x:y"), 2, "x:y", "feature:set")

	def test_a_forced_hook_set_that_is_not_there(self):
		done = self.run_weir("doctor", "-j", "--hooks", "traffic:nothing", "--socket", self.folder / "none")
		self.assertIn(done.returncode, (2, 4), done.stderr)

	def test_replay_of_no_recording(self):
		self.assert_one_line(self.run_weir("replay", self.folder / "nothing"), 1, "nothing")
		file = self.folder / "text"
		file.write_text("no recording" * 100)
		self.assert_one_line(self.run_weir("replay", file), 1, "text|recording")
		empty = self.folder / "empty"
		empty.write_text("")
		self.assert_one_line(self.run_weir("replay", empty), 1)

	def test_record_does_not_overwrite(self):
		file = self.folder / "kept"
		file.write_text("mine")
		self.assert_one_line(self.run_weir("record", file, "--seconds", "1"), 1, "kept", "--force")
		self.assertEqual(file.read_text(), "mine")

	def test_a_full_disk(self):
		with open("/dev/full", "w", encoding="utf-8") as full:
			done = subprocess.run([self.weir, "schema", "processes"], stdout=full, stderr=subprocess.PIPE, text=True)
		self.assertEqual(done.returncode, 1)
		self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

	def test_a_reader_that_goes_away_is_no_error_worth_words(self):
		done = subprocess.run(["sh", "-c", f"{self.weir} help | head -c 1"], capture_output=True, text=True)
		self.assertEqual(done.stderr, "")

	def test_help_and_version(self):
		done = self.run_weir("--help")
		self.assertEqual((done.returncode, done.stderr), (0, ""))
		done = self.run_weir("--version")
		self.assertRegex(done.stdout, r"^weir \d+\.\d+\.\d+\n$")
