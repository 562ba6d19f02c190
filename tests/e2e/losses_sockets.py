# SPDX-License-Identifier: GPL-2.0-or-later
"""For losses_world.py: network namespaces from inside one process, the kernel's own counters, and processes that own
sockets and do with them what they are told.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE, SO_ATTACH_FILTER, SO_MEMINFO = 33, 26, 55
MEMINFO_DROPS = 8
SOL_PACKET, PACKET_STATISTICS = 263, 6
ETH_P_IP = 0x0800
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
SECONDS = 5 * float(os.environ.get("WEIR_PATIENCE") or 1)

libc = ctypes.CDLL(None, use_errno=True)



def check(result):
	if result < 0:
		raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
	return result


@contextlib.contextmanager
def inside(namespace):
	mine = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
	try:
		check(libc.setns(namespace, CLONE_NEWNET))
		yield
	finally:
		check(libc.setns(mine, CLONE_NEWNET))
		os.close(mine)


def get(path):
	with open(path, encoding="ascii") as f:
		return f.read()


def put(path, text):
	with open(path, "w", encoding="ascii") as f:
		f.write(text)


def run(*command, text=None):
	done = subprocess.run(command, input=text, stdin=None if text else subprocess.DEVNULL, capture_output=True, text=True,
			      check=False)
	if done.returncode:
		raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
	return done.stdout


def counter(file, group, name):
	"""Of the namespace that this process is in: /proc/net/snmp or netstat."""
	with open(f"/proc/net/{file}", encoding="ascii") as f:
		lines = [line.split() for line in f if line.startswith(group + ":")]
	return int(dict(zip(*lines, strict=True))[name])


def interface_flags(s, device, flags=None):
	request = struct.pack("16sH14x", device.encode(), flags or 0)
	return struct.unpack_from("H", fcntl.ioctl(s, SIOCGIFFLAGS if flags is None else SIOCSIFFLAGS, request), 16)[0]


def drops_of(s):
	"""What the socket itself has counted."""
	return struct.unpack("9I", s.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[MEMINFO_DROPS]


def attach_filter(s, instructions):
	code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
	s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(instructions), ctypes.addressof(code)))


def await_true(what, condition):
	end = time.monotonic() + SECONDS
	while not (value := condition()):
		if time.monotonic() > end:
			raise TimeoutError(what)
		time.sleep(0.002)
	return value


def settled(read, still=0.1):
	"""The value, once it has not changed for so long."""
	value, since = read(), time.monotonic()
	while time.monotonic() - since < still:
		if (now := read()) != value:
			value, since = now, time.monotonic()
		time.sleep(0.005)
	return value


class Batch:
	"""The same frame, many of them by one call."""

	SIZE = 512

	class Header(ctypes.Structure):
		_fields_ = [("name", ctypes.c_void_p), ("name_size", ctypes.c_uint32), ("pieces", ctypes.c_void_p),
			    ("n_pieces", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_size", ctypes.c_size_t),
			    ("flags", ctypes.c_int), ("sent", ctypes.c_uint)]

	def __init__(self, data):
		self.data = ctypes.create_string_buffer(data, len(data))
		self.piece = (ctypes.c_size_t * 2)(ctypes.addressof(self.data), len(data))
		self.headers = (self.Header * self.SIZE)(*[
			self.Header(pieces=ctypes.addressof(self.piece), n_pieces=1) for _ in range(self.SIZE)])

	def send(self, s, count):
		return check(libc.sendmmsg(s.fileno(), self.headers, min(count, self.SIZE), 0))


# --- owners ---------------------------------------------------------------------------------


class Owner:
	"""A process of its own in a namespace, that has a socket and does what it is told with it."""

	def __init__(self, namespace, comm):
		self.mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		self.mine.settimeout(4 * SECONDS)
		self.pid = os.fork()
		if self.pid == 0:
			try:
				self.mine.close()
				libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
				libc.prctl(PR_SET_NAME, comm.encode("latin-1"))
				check(libc.setns(namespace, CLONE_NEWNET))
				self.serve(theirs)
			finally:
				os._exit(0)
		theirs.close()

	def __call__(self, word, **what):
		self.order(word, **what)
		return self.answer()

	def order(self, word, **what):
		self.mine.send(json.dumps([word, what]).encode())

	def answer(self):
		said = json.loads(self.mine.recv(65536) or b'{"error": "gone"}')
		if isinstance(said, dict) and "error" in said:
			raise RuntimeError(said["error"])
		return said

	def __enter__(self):
		return self

	def __exit__(self, *_):
		os.kill(self.pid, signal.SIGKILL)
		os.waitpid(self.pid, 0)
		self.mine.close()

	# in the process itself

	def serve(self, orders):
		self.accepted = None
		self.senders = []
		while order := orders.recv(65536):
			word, what = json.loads(order)
			try:
				said = getattr(self, "do_" + word)(**what)
			except Exception as e: # said to who asked
				said = {"error": repr(e)}
			orders.send(json.dumps(said).encode())

	def do_udp(self, room=None, plenty=False, refuse=False):
		self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		if room is not None:
			self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
		if plenty:
			self.s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
		if refuse:
			attach_filter(self.s, [(0x06, 0, 0, 0)]) # keep nothing
		self.s.bind(("0.0.0.0", 0))
		return self.s.getsockname()[1]

	def do_udp_many(self, count):
		"""On one port; what is broadcast there is for all of them."""
		self.many, port = [], 0
		for _ in range(count):
			s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
			s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
			s.bind(("0.0.0.0", port))
			port = s.getsockname()[1]
			self.many.append(s)
		return port

	def do_drops_of_many(self):
		return sum(drops_of(s) for s in self.many)

	def do_listen(self, backlog):
		self.s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
		self.s.bind(("0.0.0.0", 0))
		self.s.listen(backlog)
		return self.s.getsockname()[1]

	def do_tap(self, device, room):
		"""Listens to a device as tcpdump does, and never reads."""
		self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
		self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
		self.s.bind((device, ETH_P_IP))

	def do_burden(self, device, taps):
		"""Has the kernel think long about each packet of a device: taps that look long and take nothing."""
		self.taps = []
		for _ in range(taps):
			s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
			attach_filter(s, [(0x84, 0, 0, 0)] * 2000 + [(0x06, 0, 0, 0)]) # negate, negate, ..., keep nothing
			s.bind((device, ETH_P_IP))
			self.taps.append(s)

	def do_accept(self):
		self.accepted = self.s.accept()[0]

	def do_read(self):
		"""How many datagrams there are."""
		count = 0
		with contextlib.suppress(BlockingIOError):
			while True:
				self.s.recv(65536, socket.MSG_DONTWAIT)
				count += 1
		return count

	def do_drops(self):
		return drops_of(self.s)

	def do_tap_drops(self):
		return struct.unpack("II", self.s.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]

	def do_send(self, to, count, size):
		self.senders.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
		for _ in range(count):
			with contextlib.suppress(PermissionError): # a firewall's verdict
				self.senders[-1].sendto(bytes(size), tuple(to))

	def do_flood(self, device, data, count, processor):
		os.sched_setaffinity(0, [processor])
		batch = Batch(bytes.fromhex(data))
		self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
		self.s.bind((device, 0))
		while count > 0:
			count -= batch.send(self.s, count)

	def do_close(self):
		for s in (self.accepted, self.s):
			if s:
				s.close()

	# a load that loses nothing

	def do_serve(self):
		"""Answers, from threads, what the load below asks. The two ports."""
		listener = socket.create_server(("0.0.0.0", 0), backlog=64)
		datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		datagrams.bind(("0.0.0.0", 0))

		def streams():
			while True:
				with listener.accept()[0] as connection:
					while data := connection.recv(1 << 16):
						if data[-1:] == b"?":
							connection.sendall(b"answer")

		def questions():
			while True:
				question, peer = datagrams.recvfrom(4096)
				datagrams.sendto(question + bytes(100), peer)
		for each in (streams, questions):
			threading.Thread(target=each, daemon=True).start()
		return [listener.getsockname()[1], datagrams.getsockname()[1]]

	def do_clean(self, to, seconds):
		host, stream_port, question_port = to
		end = time.monotonic() + seconds
		rounds = 0
		with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as ping:
			while rounds == 0 or time.monotonic() < end:
				self.stream((host, stream_port))
				self.question((host, question_port))
				self.ping(ping, host, rounds)
				self.local()
				rounds += 1
		return rounds

	def stream(self, to):
		with socket.create_connection(to, timeout=SECONDS) as s:
			for size in (1, 100000):
				s.sendall(bytes(size - 1) + b"?")
				assert s.recv(6, socket.MSG_WAITALL)
			s.shutdown(socket.SHUT_WR)
			assert s.recv(1) == b""

	def question(self, to):
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
			s.settimeout(SECONDS)
			s.connect(to)
			for size in (40, 1000):
				s.send(bytes(size))
				assert len(s.recv(4096)) == size + 100

	def ping(self, s, to, number):
		"""As ping does with rights."""
		s.settimeout(SECONDS)
		echo = struct.pack(">BBHHH", 8, 0, 0, 1, number % 65536)
		total = sum(struct.unpack(">4H", echo))
		total = (total & 0xffff) + (total >> 16)
		s.sendto(echo[:2] + struct.pack(">H", ~total & 0xffff) + echo[4:], (to, 0))
		assert s.recv(1000)

	def local(self):
		"""Loopback, where the server closes first, and sockets that are not of the network."""
		with socket.create_server(("127.0.0.1", 0)) as listener, \
				socket.create_connection(listener.getsockname(), timeout=SECONDS) as s:
			connection = listener.accept()[0]
			s.sendall(b"hello")
			assert connection.recv(5) == b"hello"
			connection.close()
			assert s.recv(1) == b""
		for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
			a, b = socket.socketpair(socket.AF_UNIX, kind)
			with a, b:
				a.send(b"x" * 1000)
				assert len(b.recv(2000)) == 1000
