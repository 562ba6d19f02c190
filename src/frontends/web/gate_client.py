# SPDX-License-Identifier: GPL-2.0-or-later
"""What the gate's end-to-end tests share: gate_demo from $WEIR_BUILD, raw HTTP, a reader of streams."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

BUILD = Path(os.environ.get("WEIR_BUILD", "build-test"))
DEMO = BUILD / "gate_demo"
TOKEN = "0123456789abcdef0123456789abcdef"
NOBODY = 65534
CLOCK = os.sysconf("SC_CLK_TCK")


def need_demo():
	if not DEMO.exists():
		raise unittest.SkipTest(f"{DEMO} is not built: set WEIR_BUILD")
	if os.geteuid() != 0:
		raise unittest.SkipTest("needs root, to connect as other users")


class Demo:
	def __init__(self, address="127.0.0.1", token=TOKEN, prefix=()):
		self.folder = tempfile.mkdtemp(prefix="weir-gate-")
		os.chmod(self.folder, 0o755)
		self.path = self.folder + "/weir.sock"
		self.address = address
		self.process = subprocess.Popen([*prefix, str(DEMO), self.path, address, token or "-"],
						stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
		ready = self.process.stdout.readline().split()
		if len(ready) != 3:
			raise RuntimeError("gate_demo did not start")
		self.port, self.pid = int(ready[1]), int(ready[2])
		self.host = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
		self.lock = threading.Lock()

	def tell(self, line):
		with self.lock:
			self.process.stdin.write(line + "\n")
			return self.process.stdout.readline().strip()

	def stats(self):
		words = self.tell("stats").split()
		return {k: int(v) for k, v in zip(words[::2], words[1::2])}

	def unix(self):
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(10)
		s.connect(self.path)
		return s

	def tcp(self):
		return socket.create_connection((self.address, self.port), timeout=10)

	def cpu_seconds(self):
		fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
		return (int(fields[11]) + int(fields[12])) / CLOCK

	def status(self, name):
		return re.search(rf"^{name}:[ \t]*(.*)$", Path(f"/proc/{self.pid}/status").read_text(), re.M).group(1)

	def resident_mb(self):
		return int(self.status("VmRSS").split()[0]) / 1024

	def end(self):
		self.process.stdin.close()
		self.process.wait(10)
		self.process.stdout.close()
		shutil.rmtree(self.folder)


class Answer:
	def __init__(self, status, headers, body):
		self.status, self.headers, self.body = status, headers, body

	@property
	def json(self):
		return json.loads(self.body)


def read_answer(s, method="GET"):
	"""Reads one answer off a socket; status 0 when it was closed without a word."""
	data = b""
	while b"\r\n\r\n" not in data:
		try:
			part = s.recv(65536)
		except (ConnectionResetError, TimeoutError):
			part = b""
		if not part:
			return Answer(0, {}, data)
		data += part
	head, body = data.split(b"\r\n\r\n", 1)
	lines = head.decode("latin-1").split("\r\n")
	headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
	length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
	while len(body) < length:
		part = s.recv(1 << 20)
		if not part:
			break
		body += part
	return Answer(int(lines[0].split()[1]), headers, body)


def exchange(s, raw, method="GET"):
	try:
		s.sendall(raw)
	except (BrokenPipeError, ConnectionResetError):
		pass
	return read_answer(s, method)


def head(path, host="weir", method="GET", **headers):
	lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
	lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
	return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def get(demo, path, **headers):
	with demo.unix() as s:
		return exchange(s, head(path, **headers))


def get_tcp(demo, path, **headers):
	with demo.tcp() as s:
		return exchange(s, head(path, demo.host, **headers))


def as_user(uid, function, groups=()):
	"""Runs function in a child of another user and returns what it returned."""
	read, write = os.pipe()
	pid = os.fork()
	if pid == 0:
		status = 1
		try:
			os.close(read)
			os.setgroups(list(groups))
			os.setresgid(uid, uid, uid)
			os.setresuid(uid, uid, uid)
			with os.fdopen(write, "w") as out:
				json.dump(function(), out)
			status = 0
		finally:
			os._exit(status)
	os.close(write)
	with os.fdopen(read) as f:
		text = f.read()
	os.waitpid(pid, 0)
	return json.loads(text)


class Stream:
	"""A reader of Server-Sent Events that keeps the rows as the page does."""

	def __init__(self, demo, query):
		self.socket = demo.unix()
		self.socket.sendall(head("/api/v1/events?" + query))
		self.file = self.socket.makefile("rb")
		self.status = int(self.file.readline().split()[1])
		self.headers = {}
		while (line := self.file.readline().strip()):
			name, value = line.decode().split(":", 1)
			self.headers[name.lower()] = value.strip()
		self.rows, self.number, self.rest = {}, {}, b""

	def chunk(self):
		size = int(self.file.readline(), 16)
		data = self.file.read(size)
		self.file.readline()
		return data

	def block(self):
		"""The next block of lines, as bytes."""
		while b"\n\n" not in self.rest:
			self.rest += self.chunk()
		block, self.rest = self.rest.split(b"\n\n", 1)
		return block

	def event(self):
		"""The next event: its name and document. Comments and retry lines are passed over."""
		while True:
			lines = self.block().decode().split("\n")
			if lines[0].startswith("event: "):
				assert len(lines) == 2 and lines[1].startswith("data: "), lines
				return lines[0][7:], json.loads(lines[1][6:])

	def apply(self, keys):
		name, document = self.event()
		topic = document["topic"]
		if name == "snapshot":
			self.rows[topic] = {}
		for row in document["rows"]:
			self.rows[topic][tuple(row[k] for k in keys[topic])] = row
		for gone in document.get("gone", ()):
			self.rows[topic].pop(tuple(gone))
		self.number[topic] = document["snapshot"]
		return name, document

	def close(self):
		self.file.close()
		self.socket.close()


KEYS = {"flows": ("cookie", "peer_address", "peer_port"), "processes": ("pid", "start_time_ns")}
