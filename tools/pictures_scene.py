# SPDX-License-Identifier: GPL-2.0-or-later
"""The scene of the pictures: a small shop with known load, in network namespaces of its own, recorded.

A web server, its database and cache, a payment service and a backup somewhere outside, visitors, and a ledger that reads
too slowly. Programs run in control groups that read like containers and units, and the names of containers and peers
stand in files that only this process's mount namespace has. All of it ends with this process.
"""

import contextlib
import ctypes
import hashlib
import json
import math
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_REC, MS_PRIVATE, MS_BIND = 0x4000, 0x40000, 0x1000
LIBC = ctypes.CDLL(None, use_errno=True)

SHOP, STREET = "10.66.0.1", "10.66.0.2"
HOSTS = {
	"10.66.0.1": "shop.example", "10.66.0.2": "visitors.example", "10.66.0.3": "api.payments.example",
	"10.66.0.4": "backup.example", "10.66.0.5": "mail.example",
}
HEAD = struct.Struct("!II")
CHUNK = bytes(65536)
LEDGER_PORT = 7000


class Failure(Exception):
	"""The scene cannot be played here; the text says why."""


def check(result, what):
	if result < 0:
		raise Failure(f"{what}: {os.strerror(ctypes.get_errno())}; it needs root")


# --- what programs do -------------------------------------------------------------------------


def read_exactly(sock, n):
	while n:
		data = sock.recv(min(n, 65536))
		if not data:
			return False
		n -= len(data)
	return True


def send_exactly(sock, n):
	while n:
		n -= sock.send(CHUNK[:min(n, len(CHUNK))])


def answer(sock):
	"""Requests say how much comes with them and how much is wanted."""
	with sock, contextlib.suppress(OSError):
		while True:
			head = sock.recv(HEAD.size, socket.MSG_WAITALL)
			if len(head) < HEAD.size:
				return
			comes, wanted = HEAD.unpack(head)
			if not read_exactly(sock, comes):
				return
			send_exactly(sock, wanted)


def serve(address, port):
	with socket.create_server((address, port), backlog=64) as listener:
		while True:
			sock, _ = listener.accept()
			threading.Thread(target=answer, args=(sock,), daemon=True).start()


def ask(to, port, source, up, down, pause, keep, after=0, until=1e9, wave=0.0):
	"""A request of `up` bytes for `down` bytes every `pause` seconds; wave: how much it swings over a minute."""
	begun = time.monotonic()
	dice = random.Random(f"{to}{port}{source}{up}")
	sock = None
	time.sleep(after)
	while time.monotonic() - begun < until:
		swing = 1 + wave * math.sin((time.monotonic() - begun) / 9.5)
		try:
			if sock is None:
				sock = socket.create_connection((to, port), timeout=10, source_address=(source, 0))
			n, m = (int(v * swing * dice.uniform(0.6, 1.4)) for v in (up, down))
			sock.sendall(HEAD.pack(n, m))
			send_exactly(sock, n)
			read_exactly(sock, m)
			if not keep:
				sock.close()
				sock = None
		except OSError:
			sock = None
		time.sleep(pause * dice.uniform(0.5, 1.5))
	time.sleep(1e6)


def read_slowly():
	"""A ledger that is busy with what it read while more comes."""
	with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
		sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
		sock.bind((SHOP, LEDGER_PORT))
		while True:
			time.sleep(0.3)
			while select.select([sock], [], [], 0)[0]:
				sock.recv(512)


def send_orders(after):
	time.sleep(after)
	with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
		while True:
			for _ in range(12):
				sock.sendto(b"o" * 200, (SHOP, LEDGER_PORT))
			time.sleep(0.05)


# name, where, container or unit, what it does
PROGRAMS = [
	("web-server", "shop", "container:shop-web", lambda: serve(SHOP, 8080)),
	("orders-db", "shop", "unit:orders-db.service", lambda: serve(SHOP, 5432)),
	("session-cache", "shop", "unit:session-cache.service", lambda: serve(SHOP, 6379)),
	("slow-ledger", "shop", "container:shop-ledger", read_slowly),
	("payment-api", "street", "", lambda: serve("10.66.0.3", 443)),
	("backup-vault", "street", "", lambda: serve("10.66.0.4", 873)),
	("orders", "shop", "container:shop-orders", lambda: ask(SHOP, 5432, SHOP, 9_000, 60_000, 0.12, True, wave=0.5)),
	("web-worker", "shop", "container:shop-web", lambda: ask(SHOP, 6379, SHOP, 3_000, 22_000, 0.1, True, wave=0.3)),
	("payments", "shop", "container:shop-payments", lambda: ask("10.66.0.3", 443, SHOP, 5_000, 3_000, 0.6, False)),
	("image-resizer", "shop", "container:shop-images", lambda: ask(SHOP, 8080, SHOP, 2_000, 180_000, 0.8, False, wave=0.6)),
	("order-feed", "shop", "unit:order-feed.service", lambda: send_orders(20)),
	("nightly-backup", "shop", "unit:nightly-backup.service",
	 lambda: ask("10.66.0.4", 873, SHOP, 900_000, 200, 0.25, True, after=75)),
	("mailer", "shop", "unit:mailer.service", lambda: ask("10.66.0.5", 25, SHOP, 1_000, 100, 7.0, False)),
	("curl", "street", "", lambda: ask(SHOP, 8080, STREET, 300, 240_000, 0.5, False, wave=0.8)),
	("visitor", "street", "", lambda: ask(SHOP, 8080, STREET, 900, 90_000, 0.3, False, wave=0.7)),
]


# --- the stage --------------------------------------------------------------------------------


def die_with_parent():
	LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def own_mounts(folder):
	"""Names of peers and of containers, for what is started from here on and for nobody else."""
	check(LIBC.unshare(CLONE_NEWNS), "a mount namespace")
	check(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "private mounts")
	# An overlay's upper folder may lie on most file systems, but not on another overlay.
	check(LIBC.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, b"mode=755"), "a file system of its own")
	hosts = folder / "hosts"
	hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for a, n in HOSTS.items()))
	check(LIBC.mount(bytes(hosts), b"/etc/hosts", None, MS_BIND, None), "own /etc/hosts")
	(folder / "upper").mkdir()
	(folder / "work").mkdir()
	options = f"lowerdir=/var/lib,upperdir={folder}/upper,workdir={folder}/work".encode()
	check(LIBC.mount(b"overlay", b"/var/lib", b"overlay", 0, options), "own /var/lib")
	(folder / "groups").mkdir()
	check(LIBC.mount(b"cgroup2", bytes(folder / "groups"), b"cgroup2", 0, None), "the control groups")


def container_id(name):
	return hashlib.sha256(name.encode()).hexdigest()


def name_container(name):
	folder = Path("/var/lib/docker/containers") / container_id(name)
	folder.mkdir(parents=True, exist_ok=True)
	(folder / "config.v2.json").write_text(json.dumps({"Name": f"/{name}", "Config": {"Image": f"{name}:1"}}))


def group_of(place):
	kind, _, name = place.partition(":")
	if kind == "container":
		return Path("docker", container_id(name))
	return Path("system.slice", name) if kind == "unit" else Path("user.slice")


class Stage:
	"""Two network namespaces joined by a cable, and the programs in them."""

	def __init__(self, folder):
		self.folder = folder
		self.groups = folder / "groups" / f"weir-pictures-{os.getpid()}"
		self.pids = []
		self.spaces = {}

	def build(self):
		own_mounts(self.folder)
		for name in ("shop", "street"):
			check(LIBC.unshare(CLONE_NEWNET), "a network namespace")
			self.spaces[name] = os.open("/proc/self/ns/net", os.O_RDONLY)
			self.ip("link", "set", "lo", "up")
		self.enter("shop")
		self.ip("link", "add", "shop0", "type", "veth", "peer", "name", "street0", "netns",
			f"/proc/{os.getpid()}/fd/{self.spaces['street']}")
		self.ip("address", "add", f"{SHOP}/24", "dev", "shop0")
		self.ip("link", "set", "shop0", "up")
		self.enter("street")
		for address in HOSTS:
			if address != SHOP:
				self.ip("address", "add", f"{address}/24", "dev", "street0")
		self.ip("link", "set", "street0", "up")
		# A way to elsewhere takes time. Without the module it takes none.
		subprocess.run(["tc", "qdisc", "add", "dev", "street0", "root", "netem", "delay", "8ms", "2ms"],
			       capture_output=True, check=False)
		self.enter("shop")

	@staticmethod
	def ip(*words):
		done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
		if done.returncode:
			raise Failure(f"ip {' '.join(words)}: {done.stderr.strip()}")

	def enter(self, name):
		check(LIBC.setns(self.spaces[name], CLONE_NEWNET), f"the namespace {name}")

	def start(self, name, where, place, work):
		group = self.groups / group_of(place)
		group.mkdir(parents=True, exist_ok=True)
		if place.startswith("container:"):
			name_container(place.partition(":")[2])
		pid = os.fork()
		if pid:
			self.pids.append(pid)
			return
		try:
			die_with_parent()
			(group / "cgroup.procs").write_text(str(os.getpid()))
			self.enter(where)
			LIBC.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)
			work()
		finally:
			os._exit(0)

	def clear(self):
		for pid in self.pids:
			with contextlib.suppress(ProcessLookupError):
				os.kill(pid, signal.SIGKILL)
		for pid in self.pids:
			with contextlib.suppress(ChildProcessError):
				os.waitpid(pid, 0)
		folders = [self.groups, *(p for p in self.groups.rglob("*") if p.is_dir())] if self.groups.exists() else []
		for group in sorted(folders, reverse=True):
			with contextlib.suppress(OSError):
				group.rmdir()


def record(weir, to, seconds):
	"""Plays the scene and leaves the recording behind."""
	with tempfile.TemporaryDirectory(prefix="weir-pictures-") as folder:
		stage = Stage(Path(folder))
		recorder = None
		try:
			stage.build()
			recorder = subprocess.Popen([weir, "record", "--force", "--seconds", str(seconds), to],
						    stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
			time.sleep(3)
			for program in PROGRAMS:
				stage.start(*program)
			if recorder.wait(seconds + 60):
				raise Failure(f"weir record ended with {recorder.returncode}")
		finally:
			if recorder and recorder.poll() is None:
				recorder.terminate()
				recorder.wait()
			stage.clear()
			# They lie on the folder that goes now.
			for mount in (b"/var/lib", bytes(stage.folder / "groups"), b"/etc/hosts", bytes(stage.folder)):
				LIBC.umount2(mount, 2)


def main():
	if len(sys.argv) != 4:
		print("usage: pictures_scene.py WEIR FILE SECONDS", file=sys.stderr)
		return 2
	try:
		record(sys.argv[1], sys.argv[2], int(sys.argv[3]))
	except Failure as e:
		print(f"pictures: {e}", file=sys.stderr)
		return 3
	return 0


if __name__ == "__main__":
	sys.exit(main())
