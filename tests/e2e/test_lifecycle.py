# SPDX-License-Identifier: GPL-2.0-or-later
"""Killed at any moment, weir leaves nothing behind and gets up again; bytes stay right."""

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
import unittest

import harness
from harness import Daemon, generate

ROUNDS = int(os.environ.get("WEIR_KILLS", "6"))


def bpf_objects(kind):
	done = subprocess.run([harness.need_command("bpftool"), "-j", kind, "show"], capture_output=True, check=True)
	return json.loads(done.stdout)


def objects_of(pids):
	"""{(kind, id)} of all programs, maps and links that one of the processes holds."""
	found = set()
	for pid in pids:
		with contextlib.suppress(OSError):
			for fd in os.listdir(f"/proc/{pid}/fdinfo"):
				with contextlib.suppress(OSError):
					for line in harness.read_text(f"/proc/{pid}/fdinfo/{fd}").splitlines():
						kind, _, value = line.partition("_id:")
						if kind in ("prog", "map", "link"):
							found.add((kind, int(value)))
	return found


def objects_left(ids):
	return {(kind, item["id"]) for kind in ("prog", "map", "link") for item in bpf_objects(kind)
		if (kind, item["id"]) in ids}


class Lifecycle(unittest.TestCase):
	SECONDS = 120

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		harness.need_command("bpftool")
		cls.random = random.Random(20240607)

	def assert_nothing_left(self, ids, pids, daemon):
		harness.wait_until("no program, map or link", lambda: not objects_left(ids), 5, 0.1)
		harness.wait_until("no process", lambda: not [p for p in pids if harness.alive(p)], 5)
		if daemon.pins.exists():
			self.assertEqual(list(daemon.pins.rglob("*")), [])

	@contextlib.contextmanager
	def churning(self):
		process = subprocess.Popen([harness.GENERATE, "churn", "--seconds", "100"], stdout=subprocess.DEVNULL,
					   preexec_fn=harness.die_with_parent)
		try:
			yield
		finally:
			process.kill()
			process.wait()

	def test_the_test_sees_what_the_daemon_holds(self):
		with Daemon() as daemon:
			for role in ("engine", "gate", "store"):
				daemon.role(role)
			roles = daemon.roles()
			self.assertEqual(set(roles), {"keeper", "engine", "gate", "store"})
			kinds = {kind for kind, _ in objects_of(set(roles.values()))}
			self.assertEqual(kinds, {"prog", "map", "link"})

	def test_stopped_in_order(self):
		with Daemon() as daemon:
			pids = set(daemon.roles().values())
			ids = objects_of(pids)
			begun = time.monotonic()
			self.assertEqual(daemon.stop(), 0, daemon.log)
			self.assertLess(time.monotonic() - begun, 3 * harness.PATIENCE)
			self.assert_nothing_left(ids, pids, daemon)
			self.assertFalse(daemon.socket.exists())

	def test_stopped_before_it_was_ready(self):
		for _ in range(ROUNDS):
			daemon = Daemon()
			self.addCleanup(daemon.clean)
			daemon.launch()
			ended = daemon.process.poll
			harness.wait_until("its first process", lambda: harness.children_of(daemon.pid) or ended() is not None, step=0.001)
			self.assertIsNone(ended(), daemon.log)
			self.assertEqual(daemon.stop(), 0, daemon.log)
			self.assertNotIn("history", daemon.log)

	def test_the_keeper_killed_at_any_moment(self):
		with self.churning():
			for _ in range(ROUNDS):
				with Daemon() as daemon:
					time.sleep(self.random.uniform(0, 0.4))
					pids = set(daemon.roles().values())
					ids = objects_of(pids)
					os.kill(daemon.pid, signal.SIGKILL)
					daemon.process.wait()
					self.assert_nothing_left(ids, pids, daemon)

	def test_killed_while_it_starts(self):
		mine = set()
		for _ in range(ROUNDS):
			daemon = Daemon()
			starter = threading.Thread(target=self.start_quietly, args=(daemon,))
			starter.start()
			harness.wait_until("started", lambda: daemon.process)
			time.sleep(self.random.uniform(0, 0.35))
			pids = {daemon.pid, *harness.children_of(daemon.pid)}
			mine |= objects_of(pids)
			with contextlib.suppress(ProcessLookupError):
				os.kill(daemon.pid, signal.SIGKILL)
			starter.join(20)
			daemon.process.wait()
			self.assert_nothing_left(mine, pids, daemon)
			daemon.clean()

	@staticmethod
	def start_quietly(daemon):
		with contextlib.suppress(AssertionError, OSError):
			daemon.start()

	def test_a_dead_role_is_started_again_and_serves(self):
		with self.churning(), Daemon() as daemon:
			for round_number in range(ROUNDS):
				role = ("gate", "engine", "store")[round_number % 3]
				pid = harness.wait_until("all roles", lambda: daemon.roles().get(role))
				time.sleep(self.random.uniform(0, 0.5))
				os.kill(pid, signal.SIGKILL)
				harness.wait_until(f"an answer after the {role} was killed", daemon.answers, 10)
				harness.wait_until("the role again", lambda: daemon.roles().get(role) not in (None, pid), 10)
				self.assertTrue(daemon.rows("processes"))
			self.assertIsNone(daemon.process.poll(), daemon.log)

	def test_totals_survive_the_death_of_the_engine(self):
		with harness.Held("run", "tcp4-write", "--hold") as early, Daemon() as daemon:
			early.finish()
			with harness.Held("run", "tcp4-large", "--hold") as held:
				truths = held.truth.of("tcp4-large", "held")
				self.assertEqual(harness.process_differences(truths, daemon.rows("processes")), [])
				engine = daemon.role("engine")
				os.kill(engine, signal.SIGKILL)
				harness.wait_until("the engine again", lambda: daemon.roles().get("engine") not in (None, engine), 10)
				harness.wait_until("an answer", daemon.answers, 10)
				self.assertEqual(harness.process_differences(truths, daemon.rows("processes")), [])
				self.assertEqual(harness.flow_differences(truths, daemon.rows("flows")), [])
				held.finish()
				self.assertEqual(daemon.run("audit").returncode, 0, daemon.run("audit").stdout)

	def test_a_second_daemon_beside_the_first(self):
		with Daemon() as one, Daemon() as two:
			truths = generate("run", "tcp4-send").of("tcp4-send")
			for daemon in (one, two):
				self.assertEqual(harness.process_differences(truths, daemon.rows("processes")), [])

	def test_all_killed_at_once(self):
		with self.churning(), Daemon() as daemon:
			pids = set(daemon.roles().values())
			ids = objects_of(pids)
			daemon.kill()
			self.assert_nothing_left(ids, pids, daemon)

	def test_uninstall_says_what_is_left(self):
		with Daemon() as daemon:
			daemon.kill()
			done = subprocess.run([daemon.weir, "uninstall", "--socket", daemon.socket, "--pins", daemon.pins,
					       "--state", daemon.state], capture_output=True, text=True)
			self.assertEqual(done.returncode, 0, done.stderr)
			self.assertFalse(daemon.socket.exists())
			self.assertFalse(daemon.pins.exists())
