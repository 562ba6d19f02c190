# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that are lost on purpose: all of them counted, under the right reason, class and device, and for whose socket
they were; and nothing counted that was consumed."""

import collections
import contextlib
import os
import time
import unittest

import harness
from harness import Daemon
from losses_world import World
from test_hostile import control_characters

# Beginning of the function's name where a reason has several; whether its class is one that somebody has to look into.
Kind = collections.namedtuple("Kind", "reason class_name layer place source", defaults=(None, "packet"))

# In this order: a tap takes copies of all that comes later.
KINDS = {
	"udp_rcvbuf": Kind("SOCKET_RCVBUFF", "tune", "socket"),
	"udp_rcvbuf_loopback": Kind("SOCKET_RCVBUFF", "tune", "socket"),
	"socket_filter": Kind("SOCKET_FILTER", "expected", "filter"),
	"listen_overflow": Kind("listen_overflow", "tune", "socket", None, "socket"),
	"tcp_outside_window": Kind("TCP_INVALID_SEQUENCE", "expected", "transport"),
	"udp_checksum": Kind("UDP_CSUM", "bug", "transport", "__udp4_lib_rcv"),
	"udp_checksum_late": Kind("UDP_CSUM", "bug", "transport", "udp_recvmsg"),
	"tcp_checksum": Kind("TCP_CSUM", "bug", "transport"),
	"ip_checksum": Kind("IP_CSUM", "bug", "ip"),
	"udp_no_port": Kind("NO_SOCKET", "expected", "transport", "__udp4_lib_rcv"),
	"tcp_no_port": Kind("NO_SOCKET", "expected", "transport", "tcp_v4_rcv"),
	"reverse_path": Kind("IP_RPFILTER", "attack", "ip"),
	"other_host": Kind("OTHERHOST", "expected", "ip"),
	"unknown_ether_type": Kind("UNHANDLED_PROTO", "expected", "device"),
	"unknown_ip_protocol": Kind("IP_NOPROTO", "expected", "ip"),
	"firewall": Kind("NETFILTER_DROP", "expected", "filter"),
	"firewall_out": Kind("NETFILTER_DROP", "expected", "filter"),
	"qdisc": Kind("QDISC_DROP", "tune", "queue"),
	"device_down": Kind("no_carrier", "expected", "device"),
	"neighbour": Kind("NEIGH_FAILED", "expected", "link"),
	"rps_backlog": Kind("CPU_BACKLOG", "tune", "queue"),
	"tap_rcvbuf": Kind("PACKET_SOCK_ERROR", "tune", "socket"),
}
# TCP sends again what a busy machine acknowledges late; the second one is dropped, and that is a dropped packet.
SENT_TWICE = {"TCP_OLD_DATA", "TCP_OLD_ACK"}
SERIOUS = ("tune", "attack", "bug")
OWNER_SECONDS = 3
GUEST = "WEIR_VM" in os.environ # where processors are slow and take turns, and the machine is ours
OLD = tuple(int(n) for n in os.uname().release.split(".")[:2]) < (6, 11) # kfree_skb does not tell the socket


def need_drops(daemon):
	doctor = [row for row in daemon.rows("doctor") if row["feature"] == "drops"]
	if not doctor:
		raise unittest.SkipTest("this weir has no drops")
	if doctor[0]["state"] == "unavailable":
		raise unittest.SkipTest(f"drops: {doctor[0]['reason']}")


def function_of(row):
	return (row["location"] or "").split("+")[0]


def of_world(rows, world):
	return [row for row in rows if row["netns"] in (world.near, world.far)]


def sums(rows):
	"""{(reason, function, device, pid): packets}"""
	found = collections.Counter()
	for row in rows:
		found[row["reason"], function_of(row), row["device"], row["pid"]] += row["packets"]
	return found


def setUpModule():
	harness.need_root()
	for command in ("ip", "tc", "nft", "unshare"):
		harness.need_command(command)
	global DAEMON # pylint: disable=global-statement
	DAEMON = unittest.enterModuleContext(Daemon())
	need_drops(DAEMON)


class AllKinds(unittest.TestCase):
	"""Each kind of loss once; then one look at what was counted. The tests are made below, one for each kind. They come
	before the others: those have worlds of their own, and a namespace's number is given again."""

	@classmethod
	def setUpClass(cls):
		cls.daemon = DAEMON
		cls.world = cls.enterClassContext(World(harness.die_with_parent))
		cls.made, cls.failed = {}, {}
		for kind in KINDS:
			try:
				cls.made[kind] = cls.world(kind, **cls.wish(kind))
			except AssertionError as e: # it is that kind's test that fails
				cls.failed[kind] = e
		cls.rows = []
		with contextlib.suppress(AssertionError): # each kind's own test says more
			harness.wait_until("all have their owners", cls.look, OWNER_SECONDS, 0.2)

	@classmethod
	def look(cls):
		"""Who holds a socket is asked for after it has lost something, and not for each by itself."""
		cls.rows = of_world(cls.daemon.rows("drops"), cls.world)
		pids = {row["pid"] for row in cls.rows}
		return all(made.get("pid") is None or made["pid"] in pids for made in cls.made.values())

	@staticmethod
	def wish(kind):
		if kind == "rps_backlog" and GUEST:
			return {"limit": 20, "count": 2000}
		return {"comm": kind[:15]} if kind in OWNED else {}

	@staticmethod
	def owners(kind, made):
		"""Who may be told to have lost them. A packet that has only just arrived still has the socket of who sent it on this
		host, where that is looked at; an older kernel does not tell the socket, so that weir goes by the port."""
		found = {made["pid"], made.get("sender", made["pid"])}
		if OLD:
			found |= {made.get("by_port", made["pid"])}
			if kind == "tap_rcvbuf": # and has no port
				found |= {None}
		return found

	def rows_of(self, kind):
		"""The rows in which that kind has to be."""
		made, want = self.made[kind], KINDS[kind]
		return [row for row in self.rows if row["reason"] == want.reason and row["netns"] == made["netns"] and
			row["device"] == made["device"] and row["pid"] in self.owners(kind, made) and
			(want.place is None or function_of(row).startswith(want.place))]

	def check_kind(self, kind):
		if kind in self.failed:
			raise self.failed[kind]
		made, want = self.made[kind], KINDS[kind]
		if "lacks" in made:
			self.skipTest(f"needs {made['lacks']}")
		self.assertGreater(made["packets"], 0)
		rows = self.rows_of(kind)
		near_it = {key: n for key, n in sums(self.rows).items() if want.reason in key[0] or made["pid"] == key[3]}
		self.assertEqual(sum(row["packets"] for row in rows), made["packets"], f"expected {made}; there is {near_it}")
		for row in rows:
			self.assertEqual((row["class"], row["layer"], row["source"]), want[1:3] + want[4:], row)
			self.assertTrue(row["meaning"], row)
			if row["class"] in SERIOUS:
				self.assertTrue(row["advice"], row)
			if row["pid"] and row["pid"] == made["pid"]:
				self.assertEqual(row["comm"], kind[:15])
			if want.source == "packet":
				self.assertTrue(function_of(row), row)
				self.assertGreaterEqual(row["bytes"], 20 * row["packets"])

	def test_nothing_else_is_serious(self):
		"""All that is tune, attack or bug in these namespaces was made on purpose."""
		mine = {id(row) for kind in self.made for row in self.rows_of(kind)}
		self.assertEqual([row for row in self.rows if row["class"] in SERIOUS and id(row) not in mine], [])

	def test_sums_over_the_namespaces(self):
		"""No packet is in two rows, unless the row says so."""
		want = sum(made["packets"] for kind, made in self.made.items()
			   if "lacks" not in made and KINDS[kind].class_name in SERIOUS)
		have = sum(row["packets"] for row in self.rows if row["class"] in SERIOUS and not row["overlaps"])
		self.assertEqual(have, want)


OWNED = ("udp_rcvbuf", "udp_rcvbuf_loopback", "socket_filter", "listen_overflow", "tcp_outside_window", "udp_checksum_late",
	 "firewall_out", "qdisc", "device_down", "neighbour", "tap_rcvbuf")


def a_test(kind):
	def test(self):
		self.check_kind(kind)
	return test


for each in KINDS:
	setattr(AllKinds, f"test_{each}", a_test(each))


class Drops(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.daemon = DAEMON

	def setUp(self):
		self.world = self.enterContext(World(harness.die_with_parent))

	def rows(self, pid):
		return [row for row in self.daemon.rows("drops") if row["pid"] == pid]

	def rows_with(self, made):
		"""The rows of that owner once it has all that was lost. Until then its sockets' losses are nobody's."""
		rows = []

		def complete():
			rows[:] = self.rows(made["pid"])
			return sum(row["packets"] for row in rows) >= made["packets"]
		with contextlib.suppress(AssertionError):
			harness.wait_until("counted", complete, OWNER_SECONDS, 0.1)
		return rows

	def test_what_is_consumed_is_not_counted(self):
		def counted(rows):
			found = collections.Counter()
			for row in of_world(rows, self.world):
				if row["reason"] not in SENT_TWICE:
					found[row["reason"], row["location"]] += row["packets"]
			return found
		before = counted(self.daemon.rows("drops")) # an earlier world's namespaces had the same numbers
		said = self.world("clean", seconds=1)
		self.assertGreater(said["rounds"], 0)
		self.world("release")
		time.sleep(0.1) # some sockets are freed later
		rows = self.daemon.rows("drops")
		self.assertEqual(counted(rows) - before, {})
		self.assertEqual([row for row in rows if row["pid"] in said["pids"] and row["reason"] not in SENT_TWICE], [])

	def test_a_socket_closed_with_unread_datagrams_is_no_fault(self):
		before = self.purged()
		said = self.world("unread")
		harness.wait_until("it is freed", lambda: self.purged() - before >= said["packets"])
		self.assertEqual([row for row in self.rows(said["pid"]) if row["class"] in SERIOUS], [])

	def purged(self):
		"""Freed long after, by nobody and of no device: other programs' may be among them."""
		rows = [row for row in self.daemon.rows("drops") if function_of(row) == "udp_destruct_common"]
		self.assertEqual({row["class"] for row in rows} - {"expected"}, set())
		return sum(row["packets"] for row in rows)

	def test_namespaces_that_come_and_go(self):
		def on_loopback():
			found = collections.Counter()
			for row in self.daemon.rows("drops"):
				if (row["reason"], row["device"]) == ("SOCKET_RCVBUFF", "lo"):
					found[row["netns"]] += row["packets"]
			return found
		before = on_loopback()
		made = self.world("namespaces_come_and_go", rounds=int(os.environ.get("WEIR_NAMESPACES") or 100))
		self.assertGreater(made["packets"], 0)
		each = dict(made["each"])
		have = on_loopback() - before
		self.assertEqual({netns: have[netns] for netns in each}, each) # in others, others lose theirs

	def test_interfaces_that_come_and_go(self):
		made = self.world("interfaces_come_and_go", rounds=int(os.environ.get("WEIR_INTERFACES") or 10))
		rows = self.rows_with(made)
		have = collections.Counter()
		for row in rows:
			have[row["device"]] += row["packets"]
		each = made["packets"] // len(made["device"])
		self.assertEqual(have, dict.fromkeys(made["device"], each), rows)

	def test_a_flood(self):
		"""More than a million a second, where the machine makes as many: sums stay exact."""
		def full():
			rows = [row for row in self.daemon.rows("drops") if row["reason"] == "SOCKET_RCVBUFF"]
			unknown = [row for row in rows if not row["netns"]] # two processors at once: UDP has taken the device away
			return sum(row["packets"] for row in [*of_world(rows, self.world), *(unknown if OLD else [])])
		before = full()
		made = self.world("flood", frames=2000 if GUEST else 10000)
		print(f"drops: {made['packets']} losses in {made['seconds']:.2f} s", flush=True)
		self.assertEqual(full() - before, made["packets"])
		if not OLD:
			self.assertEqual(sum(row["packets"] for row in self.rows_with(made)), made["packets"])

	def test_a_hostile_name(self):
		for name in ("<b>\x1b[31m\n\"=cmd", "\x1b]0;t\x07%s{}\\"):
			made = self.world("udp_rcvbuf", comm=name)
			rows = self.rows_with(made)
			with self.subTest(name):
				self.assertEqual([(row["comm"], row["packets"]) for row in rows], [(name, made["packets"])])
				for words in (("drops",), ("drops", "-j"), ("findings",)):
					done = self.daemon.run(*words)
					self.assertEqual(done.returncode, 0, done.stderr)
					self.assertEqual(control_characters(done.stdout), [])
				self.assertEqual(control_characters(self.daemon.metrics()), [])
