# SPDX-License-Identifier: GPL-2.0-or-later
"""Who calls is known by the page of the kernel's stack, which is used again once its thread has ended: the bytes of a
process that inherits both a socket and such a stack are its own."""

import os
import socket
import threading
import time
import unittest

import harness
from harness import Daemon

ROUNDS = 40
CHILDREN = 4


class Stacks(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon())
		cls.sent, cls.received, cls.children = 0, 0, {}
		before = os.sched_getaffinity(0)
		try:
			# The processor keeps the stacks of its last threads for the next.
			os.sched_setaffinity(0, {max(before)})
			cls.talk()
		finally:
			os.sched_setaffinity(0, before)
		cls.rows = cls.daemon.rows("processes")

	@classmethod
	def talk(cls):
		with socket.socket() as listener:
			listener.bind(("127.0.0.1", 0))
			listener.listen()
			ours = socket.create_connection(listener.getsockname())
			theirs = listener.accept()[0]
		with ours, theirs:
			for _ in range(ROUNDS):
				thread = threading.Thread(target=cls.send, args=(ours,))
				thread.start()
				thread.join()
				time.sleep(0.03) # until its stack is free
				cls.let_children_send(ours)
				wanted = 28 + CHILDREN * 15
				while wanted:
					n = len(theirs.recv(wanted))
					cls.received += n
					wanted -= n

	@classmethod
	def send(cls, ours):
		for _ in range(4):
			cls.sent += ours.send(b"x" * 7)

	@classmethod
	def let_children_send(cls, ours):
		pids = []
		for _ in range(CHILDREN):
			pid = os.fork()
			if pid == 0:
				for _ in range(3):
					ours.send(b"y" * 5)
				os._exit(0)
			pids.append(pid)
		for pid in pids:
			os.waitpid(pid, 0)
			cls.children[pid] = cls.children.get(pid, 0) + 15

	@staticmethod
	def tcp_bytes(row):
		tcp = row["by_transport"].get("tcp", {})
		return tcp.get("tx_bytes", 0), tcp.get("rx_bytes", 0)

	def test_the_owner_has_its_own_bytes(self):
		own = [r for r in self.rows if r["pid"] == os.getpid()]
		self.assertEqual([self.tcp_bytes(r) for r in own], [(self.sent, self.received)])

	def test_each_child_has_its_own_bytes(self):
		have = {}
		for row in self.rows:
			have[row["pid"]] = have.get(row["pid"], 0) + self.tcp_bytes(row)[0]
		wrong = {pid: (n, have.get(pid)) for pid, n in self.children.items() if have.get(pid) != n}
		self.assertEqual(wrong, {})
