# SPDX-License-Identifier: GPL-2.0-or-later
"""A world in which packets get lost on purpose, in a known number: two network namespaces, near and far, and a pair of
veth devices between them. Does what lines of JSON on standard input say, answers with one line each; started by World
below. Each kind of loss answers with what has to be counted:

  packets  how many were lost; taken from a counter of the kernel or of a socket where one exists
  pid      the process whose socket lost them, or None where no socket was found for them
  device   the device that they came from or went to; None where they are counted by their listener
  by_port  the process at whose port they were aimed, where the kernel did not get as far as looking for a socket
  netns    the namespace in which they were lost
"""

import collections
import contextlib
import itertools
import json
import os
import re
import socket
import struct
import sys
import tempfile
import time

from losses_sockets import (CLONE_NEWNET, ETH_P_IP, SECONDS, Owner, await_true, check, counter, drops_of, get, inside,
			    interface_flags, libc, put, run, settled)
from other_world import OtherWorld

NEAR, FAR = "10.9.0.1", "10.9.0.2"
NEAR_MAC, FAR_MAC, OTHER_MAC = (b"\x02\0\0\0\x09" + bytes([i]) for i in (1, 2, 3))
FENCE_PORT = 4999
PAYLOAD = b"weir" * 10 # short enough that its checksum is looked at when it arrives
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
SO_SNDBUFFORCE = 32
IFF_UP, IFF_RUNNING = 1, 0x40


class World(OtherWorld):
	"""world("kind", key=value) loses packets and returns what has to be counted."""

	def __init__(self, die_with_parent=None):
		super().__init__(__file__, die_with_parent)
		self.__dict__ |= self.hello # pid, near, far


# --- packets --------------------------------------------------------------------------------


def checksum(data):
	data += b"\0" * (len(data) % 2)
	total = sum(struct.unpack(f">{len(data) // 2}H", data))
	while total >> 16:
		total = (total & 0xffff) + (total >> 16)
	return ~total & 0xffff


def ip_header(size, protocol, source=NEAR, to=FAR, wrong=False, ttl=64):
	head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + size, 1, 0, ttl, protocol, 0, socket.inet_aton(source),
			   socket.inet_aton(to))
	return head[:10] + struct.pack(">H", checksum(head) ^ (0x0101 if wrong else 0)) + head[12:]


def with_checksum(protocol, data, at, source, to, wrong):
	"""The transport's header and data with the sum put in at that offset."""
	pseudo = socket.inet_aton(source) + socket.inet_aton(to) + struct.pack(">BBH", 0, protocol, len(data))
	return data[:at] + struct.pack(">H", checksum(pseudo + data) ^ (0x0101 if wrong else 0)) + data[at + 2:]


def udp(port, payload=PAYLOAD, source=NEAR, to=FAR, wrong=False):
	data = struct.pack(">HHHH", 4000, port, 8 + len(payload), 0) + payload
	return ip_header(len(data), 17, source, to) + with_checksum(17, data, 6, source, to, wrong)


def tcp(port, source_port=4000, sequence=1, acknowledge=0, flags=0x02, payload=b"", wrong=False):
	data = struct.pack(">HHIIBBHHH", source_port, port, sequence % 2**32, acknowledge % 2**32, 0x50, flags, 1000, 0, 0) + payload
	return ip_header(len(data), 6) + with_checksum(6, data, 16, NEAR, FAR, wrong)


def frame(packet, to=FAR_MAC, kind=ETH_P_IP):
	return to + NEAR_MAC + struct.pack(">H", kind) + packet


# --- the world ------------------------------------------------------------------------------


class Doer:
	def __init__(self):
		# What runs on one processor arrives in the order in which it was sent.
		self.processor = min(os.sched_getaffinity(0))
		self.processors = os.sched_getaffinity(0)
		os.sched_setaffinity(0, [self.processor])
		self.near = os.open("/proc/self/ns/net", os.O_RDONLY)
		check(libc.unshare(CLONE_NEWNET))
		self.far = os.open("/proc/self/ns/net", os.O_RDONLY)
		self.owners = contextlib.ExitStack()
		self.ports = itertools.count(4100)
		for namespace in (self.near, self.far):
			with inside(namespace):
				for name, value in (("ipv6/conf/all/disable_ipv6", 1), ("ipv6/conf/default/disable_ipv6", 1),
						    ("ipv4/icmp_ratelimit", 0)):
					with contextlib.suppress(FileNotFoundError):
						put(f"/proc/sys/net/{name}", str(value))
		self.link()
		check(libc.setns(self.near, CLONE_NEWNET))
		self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
		self.raw.bind(("near0", 0))
		self.raw.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24) # never waits for what is under way
		self.control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		with inside(self.far):
			self.fence_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
			self.fence_socket.bind((FAR, FENCE_PORT))
			self.fence_socket.settimeout(SECONDS)
			self.far_control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		self.numbers = {name: os.fstat(fd).st_ino for name, fd in (("near", self.near), ("far", self.far))}

	def link(self):
		near_mac, far_mac = (mac.hex(":") for mac in (NEAR_MAC, FAR_MAC))
		run("ip", "-batch", "-", text=f"""\
link add far0 address {far_mac} type veth peer name near0 address {near_mac} netns /proc/{os.getpid()}/fd/{self.near}
link set lo up
link set far0 up
address add {FAR}/24 dev far0
neighbor replace {NEAR} lladdr {near_mac} nud permanent dev far0
""")
		with inside(self.near):
			run("ip", "-batch", "-", text=f"""\
link set lo up
link set near0 up
address add {NEAR}/24 dev near0
neighbor replace {FAR} lladdr {far_mac} nud permanent dev near0
""")

	def hello(self):
		return {"pid": os.getpid(), **self.numbers}

	def answer(self, packets, pid=None, device="far0", netns="far", **more):
		return {"packets": packets, "pid": pid, "device": device, "netns": self.numbers[netns], **more}

	def own(self, namespace, comm):
		"""An owner that stays, with its sockets, until it is released."""
		return self.owners.enter_context(Owner(namespace, comm))

	def release(self):
		self.owners.close()
		return {}

	def send(self, packet, count, **how):
		data = frame(packet, **how)
		for _ in range(count):
			self.raw.send(data)
		self.fence()

	def fence(self):
		"""Returns when all that was sent before has been dealt with."""
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
			s.sendto(b"fence", (FAR, FENCE_PORT))
		self.fence_socket.recv(64)

	def far_counter(self, *which):
		with inside(self.far):
			return counter(*which)

	def counted(self, packet, count, which, **how):
		"""Sends it and returns by how much the far namespace's counter went up."""
		before = self.far_counter(*which)
		self.send(packet, count, **how)
		return self.far_counter(*which) - before

	# kinds of loss: sockets

	def udp_rcvbuf(self, count=100, size=100, room=4096, comm="slow reader"):
		"""A socket that nobody reads in time: its receive buffer is full."""
		owner = self.own(self.far, comm)
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
			port = owner("udp", room=room)
			for _ in range(count):
				s.sendto(bytes(size), (FAR, port))
			self.fence()
			lost = count - owner("read")
			assert lost == owner("drops"), (lost, owner("drops"))
			return self.answer(lost, owner.pid, port=port)

	def udp_rcvbuf_loopback(self, count=100, size=100, room=4096, comm="slow reader"):
		"""The same over loopback."""
		owner = self.own(self.near, comm)
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
			port = owner("udp", room=room)
			for _ in range(count):
				s.sendto(bytes(size), ("127.0.0.1", port))
			lost = count - owner("read")
			assert lost == owner("drops"), (lost, owner("drops"))
			return self.answer(lost, owner.pid, "lo", "near", port=port)

	def unread(self, count=10, comm="never reads"):
		"""A socket is closed with datagrams that nobody has read."""
		owner = self.own(self.far, comm)
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
			port = owner("udp")
			for _ in range(count):
				s.sendto(PAYLOAD, (FAR, port))
			self.fence()
			owner("close")
			return self.answer(count, owner.pid, port=port)

	def socket_filter(self, count=20, comm="picky"):
		"""A socket's own filter refuses them."""
		owner = self.own(self.far, comm)
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
			port = owner("udp", refuse=True)
			for _ in range(count):
				s.sendto(PAYLOAD, (FAR, port))
			self.fence()
			assert owner("drops") == count, owner("drops")
			return self.answer(count, owner.pid, port=port)

	def tap_rcvbuf(self, count=100, comm="slow tap"):
		"""A packet socket that nobody reads in time: the copies for it are lost, the packets themselves are not."""
		owner = self.own(self.far, comm)
		owner("tap", device="far0", room=4096)
		for _ in range(count):
			self.fence()
		return self.answer(owner("tap_drops"), owner.pid)

	def listen_overflow(self, count=10, backlog=1, comm="slow listener"):
		"""More connections than the listener's queue takes, and nobody accepts."""
		owner = self.own(self.far, comm)
		with contextlib.ExitStack() as open_sockets:
			port = owner("listen", backlog=backlog)
			before = self.far_counter("netstat", "TcpExt", "ListenDrops")
			for _ in range(backlog + 1 + count):
				s = open_sockets.enter_context(socket.socket())
				s.setblocking(False)
				s.connect_ex((FAR, port))
			await_true("listen drops", lambda: owner("drops") >= count)
			open_sockets.close() # nothing is sent again from here on
			self.fence()
			lost = owner("drops")
			assert lost == self.far_counter("netstat", "TcpExt", "ListenDrops") - before, lost
			return self.answer(lost, owner.pid, None, port=port)

	def tcp_outside_window(self, count=20, comm="tcp reader"):
		"""Segments of a connection that lie far beyond what its receiver takes."""
		owner = self.own(self.far, comm)
		port = owner("listen", backlog=1)
		with socket.create_connection((FAR, port), timeout=SECONDS) as s:
			owner("accept")
			s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
			s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, 2)
			sequence = s.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) % 2**32
			s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, 1)
			acknowledge = s.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) % 2**32
			s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, -1)
			self.send(tcp(port, s.getsockname()[1], sequence + 2**24, acknowledge, 0x10, b"far away"), count)
			return self.answer(count, owner.pid, port=port)

	# kinds of loss: no socket is found

	def udp_checksum(self, count=20, comm="reader"):
		"""The sum is wrong; so short a datagram is looked at before its socket is."""
		owner = self.own(self.far, comm)
		port = owner("udp")
		lost = self.counted(udp(port, wrong=True), count, ("snmp", "Udp", "InCsumErrors"))
		return self.answer(lost, None, port=port, by_port=owner.pid)

	def udp_checksum_late(self, count=20, comm="reader"):
		"""A longer one is looked at only when its reader takes it."""
		owner = self.own(self.far, comm)
		port = owner("udp")
		before = self.far_counter("snmp", "Udp", "InCsumErrors")
		self.send(udp(port, bytes(400), wrong=True), count)
		assert owner("read") == 0
		return self.answer(self.far_counter("snmp", "Udp", "InCsumErrors") - before, owner.pid, port=port)

	def tcp_checksum(self, count=20, comm="listener"):
		owner = self.own(self.far, comm)
		port = owner("listen", backlog=8)
		lost = self.counted(tcp(port, wrong=True), count, ("snmp", "Tcp", "InCsumErrors"))
		return self.answer(lost, None, port=port, by_port=owner.pid)

	def ip_checksum(self, count=20):
		return self.answer(self.counted(ip_header(8, 17, wrong=True) + bytes(8), count, ("netstat", "IpExt", "InCsumErrors")))

	def udp_no_port(self, count=20):
		port = next(self.ports)
		before = self.far_counter("snmp", "Udp", "NoPorts")
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
			for _ in range(count):
				s.sendto(PAYLOAD, (FAR, port))
			self.fence()
		return self.answer(self.far_counter("snmp", "Udp", "NoPorts") - before, port=port)

	def tcp_no_port(self, count=20):
		port = next(self.ports)
		before = self.far_counter("snmp", "Tcp", "OutRsts")
		for _ in range(count):
			with socket.socket() as s:
				s.settimeout(SECONDS)
				assert s.connect_ex((FAR, port)), "somebody listens there"
		return self.answer(self.far_counter("snmp", "Tcp", "OutRsts") - before, port=port)

	def reverse_path(self, count=20):
		"""Their source cannot be reached through the device that they came from."""
		with inside(self.far):
			put("/proc/sys/net/ipv4/conf/far0/rp_filter", "1")
		lost = self.counted(udp(FENCE_PORT, source="192.0.2.1"), count, ("netstat", "TcpExt", "IPReversePathFilter"))
		return self.answer(lost, by_port=os.getpid())

	def other_host(self, count=20):
		"""Their hardware address is nobody's here."""
		self.send(udp(FENCE_PORT), count, to=OTHER_MAC)
		return self.answer(count)

	def unknown_ether_type(self, count=20):
		self.send(bytes(60), count, kind=0x88b5)
		return self.answer(count)

	def unknown_ip_protocol(self, count=20):
		return self.answer(self.counted(ip_header(32, 253) + bytes(32), count, ("snmp", "Ip", "InUnknownProtos")))

	# kinds of loss: rules, queues, devices

	def firewall(self, count=20):
		port = next(self.ports)
		with inside(self.far):
			run("nft", "-f", "-", text=f"""\
table ip losses {{
	chain input {{
		type filter hook input priority 0; policy accept;
		udp dport {port} drop
	}}
}}
""")
		self.send(udp(port), count)
		return self.answer(count, port=port)

	def firewall_out(self, count=20, comm="sender"):
		"""A rule that the sender's own packets meet; the socket is there."""
		port = next(self.ports)
		with inside(self.near):
			run("nft", "-f", "-", text=f"""\
table ip losses {{
	chain output {{
		type filter hook postrouting priority 0; policy accept;
		udp dport {port} drop
	}}
}}
""")
		owner = self.own(self.near, comm)
		owner("send", to=(FAR, port), count=count, size=40)
		return self.answer(count, owner.pid, "near0", "near", port=port)

	def qdisc(self, count=60, size=500, comm="fast sender"):
		"""More than a shaper's queue takes."""
		run("tc", "qdisc", "replace", "dev", "near0", "root", "tbf", "rate", "1mbit", "burst", "2000", "limit", "2000")
		try:
			owner, receiver = self.own(self.near, comm), self.own(self.far, "receiver")
			port = receiver("udp")
			owner("send", to=(FAR, port), count=count, size=size)
			end = time.monotonic() + SECONDS
			while True:
				said = run("tc", "-s", "qdisc", "show", "dev", "near0")
				lost = int(re.search(r"dropped (\d+)", said)[1])
				if " 0b 0p " in re.search(r"backlog.*", said)[0] or time.monotonic() > end:
					break
			self.fence()
			assert receiver("read") == count - lost, said
			return self.answer(lost, owner.pid, "near0", "near", port=port)
		finally:
			run("tc", "qdisc", "del", "dev", "near0", "root")

	@contextlib.contextmanager
	def backlog_of(self, limit):
		"""How many packets may wait for a processor, which the whole machine shares: nothing to change but in a guest."""
		path = "/proc/sys/net/core/netdev_max_backlog"
		with open("/proc/1/ns/net", encoding="ascii") as first:
			with inside(first.fileno()):
				before = get(path)
				put(path, str(limit))
			try:
				yield
			finally:
				with inside(first.fileno()):
					put(path, before)

	def rps_backlog(self, count=6000, limit=None):
		"""Packets are handed to another processor, which is slow with them: its backlog is full."""
		others = self.processors - {self.processor}
		if not others:
			return {"lacks": "a second processor"}
		with Owner(self.far, "slow taps") as taps, Owner(self.far, "receiver") as receiver, inside(self.far), \
				tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
			if limit:
				stack.enter_context(self.backlog_of(limit))
			check(libc.mount(b"sysfs", folder.encode(), b"sysfs", 0, None))
			try:
				steer = f"{folder}/class/net/far0/queues/rx-0/rps_cpus"
				taps("burden", device="far0", taps=20)
				data = frame(udp(receiver("udp", plenty=True)))
				put(steer, f"{1 << min(others):x}")
				for _ in range(count):
					with contextlib.suppress(OSError): # that its packet was lost, where the kernel says so
						self.raw.send(data)
				put(steer, "0")
				settled(lambda: counter("snmp", "Ip", "InReceives"))
				return self.answer(count - receiver("read"), sender=os.getpid(), by_port=receiver.pid)
			finally:
				check(libc.umount2(folder.encode(), 0))

	def neighbour(self, count=3, comm="lonely sender"):
		"""Nobody answers at that address: they wait for its hardware address in vain."""
		put("/proc/sys/net/ipv4/neigh/near0/mcast_solicit", "1")
		put("/proc/sys/net/ipv4/neigh/near0/retrans_time_ms", "50")
		owner = self.own(self.near, comm)
		owner("send", to=("10.9.0.77", FENCE_PORT), count=count, size=40)
		time.sleep(0.3)
		return self.answer(count, owner.pid, "near0", "near")

	@contextlib.contextmanager
	def unplugged(self):
		"""The other end of the cable is down."""
		flags = interface_flags(self.far_control, "far0")
		interface_flags(self.far_control, "far0", flags & ~IFF_UP)
		try:
			await_true("no carrier", lambda: not interface_flags(self.control, "near0") & IFF_RUNNING)
			# What takes the device's queue away holds the lock that this takes as well.
			interface_flags(self.control, "near0", interface_flags(self.control, "near0"))
			yield
		finally:
			interface_flags(self.far_control, "far0", flags)
			await_true("a carrier", lambda: interface_flags(self.control, "near0") & IFF_RUNNING)
			interface_flags(self.control, "near0", interface_flags(self.control, "near0"))
			with inside(self.far): # went with the device's state
				run("ip", "neighbor", "replace", NEAR, "lladdr", NEAR_MAC.hex(":"), "nud", "permanent", "dev", "far0")

	def device_down(self, count=20, comm="sender"):
		with self.unplugged():
			owner = self.own(self.near, comm)
			owner("send", to=(FAR, FENCE_PORT), count=count, size=40)
			return self.answer(count, owner.pid, "near0", "near")

	# many

	def flood(self, frames=10000, readers=64, comm="slow readers"):
		"""Each frame, from all processors at once, is for many sockets that nobody reads."""
		owner = self.own(self.far, comm)
		data = frame(udp(owner("udp_many", count=readers), to="10.9.0.255"), to=b"\xff" * 6).hex()
		with contextlib.ExitStack() as stack:
			floods = [stack.enter_context(Owner(self.near, "flooder")) for _ in self.processors]
			begun = time.monotonic()
			for flood, processor in zip(floods, self.processors, strict=True):
				flood.order("flood", device="near0", data=data, count=frames, processor=processor)
			for flood in floods:
				flood.answer()
			seconds = time.monotonic() - begun
		lost = settled(lambda: owner("drops_of_many"))
		return self.answer(lost, owner.pid, seconds=seconds)

	def namespaces_come_and_go(self, rounds=50, count=5):
		"""Each with a loopback device on which datagrams are lost that this process does not read."""
		lost = collections.Counter()
		for _ in range(rounds):
			check(libc.unshare(CLONE_NEWNET))
			try:
				number = os.stat("/proc/self/ns/net").st_ino
				with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
					interface_flags(s, "lo", IFF_UP)
					s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
					s.bind(("127.0.0.1", 0))
					for _ in range(count):
						s.sendto(bytes(1000), s.getsockname())
					lost[number] += drops_of(s)
			finally:
				check(libc.setns(self.near, CLONE_NEWNET))
		return {"packets": sum(lost.values()), "each": list(lost.items())} # numbers come back

	def interfaces_come_and_go(self, rounds=5, count=5, comm="sender"):
		"""Each with a cable whose other end is down."""
		owner = self.own(self.near, comm)
		for i in range(rounds):
			run("ip", "-batch", "-", text=f"""\
link add brief{i} type veth peer name other{i}
link set brief{i} up
address add 10.8.{i}.1/24 dev brief{i}
neighbor replace 10.8.{i}.2 lladdr {OTHER_MAC.hex(":")} nud permanent dev brief{i}
""")
			owner("send", to=(f"10.8.{i}.2", FENCE_PORT), count=count, size=40)
			run("ip", "link", "del", f"brief{i}")
		return self.answer(rounds * count, owner.pid, [f"brief{i}" for i in range(rounds)], "near")

	# no loss

	def clean(self, seconds=1):
		"""Much of what is usual, all of it consumed. Answers with who was at it."""
		server, client = self.own(self.far, "clean server"), self.own(self.near, "clean client")
		rounds = client("clean", to=[FAR, *server("serve")], seconds=seconds)
		return {"pids": [server.pid, client.pid], "rounds": rounds}

	def do(self, what):
		return getattr(self, what.pop("do"))(**what)


def main():
	doer = Doer()
	for line in sys.stdin:
		try:
			said = doer.do(json.loads(line))
		except Exception as e: # said to who asked
			said = {"error": repr(e)}
		print(json.dumps(said), flush=True)


if __name__ == "__main__":
	main()
