# SPDX-License-Identifier: GPL-2.0-or-later
"""A small world for the tests of names: a network namespace with a DNS server, a resolv.conf that leads to it, and a
TCP server on every address. Does what lines of JSON on standard input say, answers with one line each; started by
World below.
"""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from other_world import OtherWorld

TYPES = {"A": 1, "CNAME": 5, "AAAA": 28, "HTTPS": 65}
PORT = 8080
SO_COOKIE = 57
ROUTES = (("-4", "10.7.0.0/16"), ("-4", "198.51.100.0/24"), ("-6", "fd07::/64"), ("-6", "2001:db8:7::/64"))


class World(OtherWorld):
	def __init__(self, die_with_parent):
		super().__init__(__file__, die_with_parent)
		self.netns = self.hello["netns"]


# --- DNS ------------------------------------------------------------------------------------


def wire_name(name):
	return b"".join(bytes([len(label)]) + label for label in name.encode("latin-1").split(b".") if label) + b"\0"


def rdata(kind, value):
	if kind == "A":
		return socket.inet_aton(value)
	if kind == "AAAA":
		return socket.inet_pton(socket.AF_INET6, value)
	if kind == "HTTPS":
		return struct.pack(">H", 1) + b"\0" + struct.pack(">HH", 4, 4) + socket.inet_aton(value)
	return wire_name(value)


def query(name, kind="A", number=4711):
	return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + wire_name(name) + \
		struct.pack(">HH", TYPES[kind], 1)


def read_exactly(s, size):
	"""MSG_WAITALL does not wait on a socket with a timeout."""
	data = b""
	while len(data) < size:
		piece = s.recv(size - len(data))
		if not piece:
			raise ConnectionError("the server went away")
		data += piece
	return data


def question_of(message):
	"""The name as text, its type, and the question's bytes."""
	at, labels = 12, []
	while message[at]:
		labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1"))
		at += 1 + message[at]
	return ".".join(labels), struct.unpack_from(">H", message, at + 1)[0], message[12:at + 5]


class Server:
	def __init__(self):
		self.zone = {}
		self.raw = {}
		self.pieces = None
		self.many = None # "many.example.com": 17.many.example.com has an address of its own
		for address in ("127.0.0.1", "::1"):
			family = socket.AF_INET6 if ":" in address else socket.AF_INET
			datagrams = socket.socket(family, socket.SOCK_DGRAM)
			datagrams.bind((address, 53))
			streams = socket.socket(family, socket.SOCK_STREAM)
			streams.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			streams.bind((address, 53))
			streams.listen()
			threading.Thread(target=self.serve_datagrams, args=(datagrams,), daemon=True).start()
			threading.Thread(target=self.serve_streams, args=(streams,), daemon=True).start()

	def answer(self, message):
		name, kind, question = question_of(message)
		name = name.lower()
		if name in self.raw:
			return message[:2] + self.raw[name]
		if self.many and name.endswith("." + self.many):
			i = int(name.split(".")[0])
			self.zone[name] = [["A", f"10.7.{64 + i // 200}.{1 + i % 200}", 60]]
		records, owner = [], b"\xc0\x0c"
		for have, value, ttl in self.zone.get(name, []):
			if TYPES[have] not in (kind, TYPES["CNAME"]):
				continue
			data = rdata(have, value)
			records.append(owner + struct.pack(">HHIH", TYPES[have], 1, ttl, len(data)) + data)
			if have == "CNAME":
				owner = wire_name(value)
		return message[:2] + struct.pack(">HHHHH", 0x8180, 1, len(records), 0, 0) + question + b"".join(records)

	def serve_datagrams(self, s):
		while True:
			message, peer = s.recvfrom(4096)
			with contextlib.suppress(IndexError, struct.error, UnicodeError, OSError):
				s.sendto(self.answer(message), peer)

	def serve_streams(self, listener):
		while True:
			connection = listener.accept()[0]
			connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
			with connection, contextlib.suppress(OSError, struct.error, IndexError):
				while len(head := connection.recv(2, socket.MSG_WAITALL)) == 2:
					message = connection.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
					reply = self.answer(message)
					self.send(connection, struct.pack(">H", len(reply)) + reply)

	def send(self, connection, data):
		for size in self.pieces or []:
			connection.sendall(data[:size])
			data = data[size:]
			# A segment each: the next is not sent before this one was acknowledged.
			while struct.unpack_from("I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 24)[0]:
				pass
		connection.sendall(data)


# --- the world ------------------------------------------------------------------------------


def prepare():
	subprocess.run(["mount", "--make-rprivate", "/"], check=True)
	subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
	for family, network in ROUTES:
		subprocess.run(["ip", family, "route", "add", "local", network, "dev", "lo"], check=True)
	with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
		conf.write("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
		conf.flush()
		os.chmod(conf.name, 0o644)
		subprocess.run(["mount", "--bind", conf.name, os.path.realpath("/etc/resolv.conf")], check=True)


def serve_tcp():
	listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
	held = []

	def serve():
		while True:
			held.append(listener.accept()[0])
	threading.Thread(target=serve, daemon=True).start()


class Doer:
	def __init__(self):
		self.server = Server()
		self.held = []

	def hello(self):
		return {"netns": os.stat("/proc/self/ns/net").st_ino, "pid": os.getpid()}

	def zone(self, name, answers):
		self.server.zone[name] = answers
		return {}

	def many(self, name):
		self.server.many = name
		return {}

	def raw(self, name, data):
		self.server.raw[name] = bytes.fromhex(data)
		return {}

	def pieces(self, sizes):
		self.server.pieces = sizes
		return {}

	def getaddrinfo(self, name, family="inet"):
		family = socket.AF_INET6 if family == "inet6" else socket.AF_INET
		found = socket.getaddrinfo(name, PORT, family, socket.SOCK_STREAM)
		return {"addresses": [f[4][0] for f in found], "pid": os.getpid()}

	def ask(self, name, kind="A", server="127.0.0.1", transport="udp", connected=True, count=1):
		"""As a resolver asks, without looking at what is answered; count: names-0 and so on."""
		family = socket.AF_INET6 if ":" in server else socket.AF_INET
		with socket.socket(family, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM) as s:
			s.settimeout(5)
			if connected or transport == "tcp":
				s.connect((server, 53))
			for i in range(count):
				message = query(name if count == 1 else f"{i}.{name}", kind)
				if transport == "tcp":
					s.sendall(struct.pack(">H", len(message)) + message)
					size = struct.unpack(">H", read_exactly(s, 2))[0]
					read_exactly(s, size)
				elif connected:
					s.send(message)
					s.recv(65536)
				else:
					s.sendto(message, (server, 53))
					s.recvfrom(65536)
		return {"pid": os.getpid()}

	def forge(self, name, address):
		"""An answer from port 53 to a socket that never asked there."""
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim, \
				socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
			victim.bind(("127.0.0.1", 0))
			victim.settimeout(5)
			forger.bind(("127.0.0.2", 53))
			data = rdata("A", address)
			forger.sendto(struct.pack(">HHHHHH", 1, 0x8180, 1, 1, 0, 0) + wire_name(name) + b"\0\1\0\1" +
				      b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + data, victim.getsockname())
			victim.recv(4096)
		return {}

	def connect(self, address):
		s = socket.create_connection((address, PORT), timeout=5)
		s.send(b"x")
		self.held.append(s)
		return {"cookie": struct.unpack("Q", s.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0],
			"pid": os.getpid()}

	def child(self, what, then=None):
		"""The same by another process, as another user if .uid says so; it stays until the next word."""
		ours, theirs = os.pipe()
		pid = os.fork()
		if pid == 0:
			said = {}
			try:
				if what.get("uid"):
					os.setgroups([])
					os.setresuid(*[what["uid"]] * 3)
				for step in [what, *(then or [])]:
					said |= self.do({k: v for k, v in step.items() if k != "uid"})
			except Exception as e: # said to who asked
				said = {"error": repr(e)}
			os.write(theirs, json.dumps(said).encode())
			threading.Event().wait(20)
			os._exit(0)
		os.close(theirs)
		with os.fdopen(ours) as f:
			return json.loads(os.read(f.fileno(), 65536))

	def do(self, what):
		return getattr(self, what.pop("do"))(**what)


def main():
	prepare()
	serve_tcp()
	doer = Doer()
	for line in sys.stdin:
		try:
			said = doer.do(json.loads(line))
		except Exception as e: # said to who asked
			said = {"error": repr(e)}
		print(json.dumps(said), flush=True)


if __name__ == "__main__":
	main()
