# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic without an end, of a single process, in the network namespace it is started in: a TCP connection that stays
and some that do not, UDP that nobody takes, DNS. What it has sent it writes to a file before it sends it, so whoever
reads that later has at least as much.

  steady.py FILE
"""

import ctypes
import mmap
import socket
import struct
import sys
import time

NAME = "wk-steady"
PIECE = bytes(4000)
REST = 0.005 # seconds
NOWHERE = ("127.0.0.1", 9)
NAMED = b"\6steady\7example\0" + b"\0\1\0\1"
QUESTION = b"\0\1\1\0\0\1\0\0\0\0\0\0" + NAMED
ANSWER = b"\0\1\x81\x80\0\1\0\1\0\0\0\0" + NAMED + b"\xc0\x0c" + b"\0\1\0\1" + b"\0\0\0\x3c" + b"\0\4\x0a\1\2\3"


class Steady:
	def __init__(self, path):
		with open(path, "r+b") as f:
			self.sent = mmap.mmap(f.fileno(), 8)
		self.total = 0
		self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
		self.here, self.there = self.connect()
		self.dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		self.dns.bind(("127.0.0.1", 53))
		self.asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		self.nowhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

	def connect(self):
		a = socket.create_connection(self.listener.getsockname())
		return a, self.listener.accept()[0]

	def count(self, data):
		self.total += len(data)
		self.sent[:] = struct.pack("=Q", self.total)
		return data

	def pass_on(self, a, b, data):
		a.sendall(self.count(data))
		left = len(data)
		while left:
			left -= len(b.recv(left))

	def all_else(self):
		a, b = self.connect()
		with a, b:
			self.pass_on(a, b, PIECE[:100])
		self.nowhere.sendto(self.count(PIECE[:50]), NOWHERE)
		self.asking.sendto(self.count(QUESTION), self.dns.getsockname())
		self.dns.sendto(self.count(ANSWER), self.dns.recvfrom(512)[1])
		self.asking.recv(512)

	def run(self):
		turns = 0
		while True:
			self.pass_on(self.here, self.there, PIECE)
			turns += 1
			if turns % 10 == 0:
				self.all_else()
			time.sleep(REST)


if __name__ == "__main__":
	ctypes.CDLL(None).prctl(15, NAME.encode()) # PR_SET_NAME
	Steady(sys.argv[1]).run()
