# SPDX-License-Identifier: GPL-2.0-or-later
"""Engine, gate and store hold no Linux capability and cannot get one; what they do not need, they do not have."""

import os
import unittest

import harness
from harness import Daemon, generate


class Privileges(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon())
		generate("run", "tcp4-write")
		cls.daemon.rows("processes")
		cls.roles = cls.daemon.roles()
		cls.status = {role: harness.status_of(pid) for role, pid in cls.roles.items()}

	def test_there_are_four_roles(self):
		self.assertEqual(set(self.roles), {"keeper", "engine", "gate", "store"})

	def test_all_but_the_keeper_have_no_capability(self):
		for role in ("engine", "gate", "store"):
			for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
				with self.subTest(f"{role} {field}"):
					self.assertEqual(int(self.status[role][field], 16), 0)

	def test_they_cannot_gain_any(self):
		for role in ("engine", "gate", "store"):
			with self.subTest(role):
				self.assertEqual(self.status[role]["NoNewPrivs"].strip(), "1")
				self.assertEqual(self.status[role]["Seccomp"].strip(), "2")

	def test_they_are_nobody_in_particular(self):
		for role in ("engine", "gate", "store"):
			for field in ("Uid", "Gid"):
				with self.subTest(f"{role} {field}"):
					self.assertNotIn("0", self.status[role][field].split())
			self.assertNotIn("0", self.status[role]["Groups"].split())

	def test_the_gate_holds_nothing_of_bpf(self):
		held = [link for link in harness.descriptors_of(self.roles["gate"]) if "bpf" in link or "btf" in link]
		self.assertEqual(held, [])

	def test_the_gate_reads_nobodys_proc(self):
		held = [link for link in harness.descriptors_of(self.roles["gate"])
			if link.startswith(("/proc", "/sys")) and not link.startswith("/proc/self")]
		self.assertEqual(held, [])

	def test_the_store_has_its_folder_and_nothing_else(self):
		pid = self.roles["store"]
		held = [link for link in harness.descriptors_of(pid)
			if not link.startswith((str(self.daemon.state / "history"), "socket:", "/memfd:", "/dev/null"))]
		self.assertEqual([link for link in held if link != str(self.daemon.log_path)], [])
		self.assertEqual(os.readlink(f"/proc/{pid}/root"), str(self.daemon.state / "history"))

	def test_no_listening_socket_beyond_the_two(self):
		ours = set()
		for pid in self.roles.values():
			ours |= {link.split("[")[1].rstrip("]") for link in harness.descriptors_of(pid)
				 if link.startswith("socket:")}
		listening = []
		for name in ("tcp", "tcp6"):
			for line in harness.read_text(f"/proc/net/{name}").splitlines()[1:]:
				words = line.split()
				if words[3] == "0A" and words[9] in ours:
					listening.append(words[1])
		self.assertEqual([int(a.split(":")[1], 16) for a in listening], [self.daemon.port])
		self.assertEqual(listening[0].split(":")[0], "0100007F")
