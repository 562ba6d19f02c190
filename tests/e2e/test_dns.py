# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers by name: from DNS answers that real programs receive, over UDP, TCP and IPv6, and from /etc/hosts. Names are
hints, so what matters as much is what they must not do: be shown to the wrong user, grow, or carry bytes that act."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import harness
from dns_world import World
from harness import Daemon

HOSTILE = {
	# After the id. A question for the name itself stands in front of what is wrong.
	"compression loop": "81800001000100000000" + "c00c" + "00010001" + "c00c00010001000000000004" + "0a070063",
	"loop of two": "81800001000100000000" + "c00e" + "c00c" + "00010001" + "c00c0001000100000000" + "00040a070063",
	"pointer to itself behind": "81800001000100000000" + "0161" + "00" + "00010001" + "c012" +
				    "0001000100000000" + "00040a070063",
	"counts that lie": "8180ffffffffffffffff" + "016100" + "00010001",
	"64 KB of labels": "81800001000100000000" + "3f" + "61" * 63 + ("3f" + "62" * 63) * 900,
	"cut in the header": "8180",
	"cut in the question": "81800001000100000000" + "3f6161",
	"cut in the record": "81800001000100000000" + "016100" + "00010001" + "c00c0001000100",
	"rdata beyond the end": "81800001000100000000" + "016100" + "00010001" + "c00c000100010000003cffff" + "0a07",
}


def flow_of(daemon, cookie):
	rows = [r for r in daemon.rows("flows") if r["cookie"] == cookie]
	if len(rows) != 1:
		raise AssertionError(f"{len(rows)} rows for socket {cookie}")
	return rows[0]


def need_flows(daemon):
	for row in daemon.rows("doctor"):
		if row["feature"] == "traffic" and row["state"] == "unavailable":
			raise unittest.SkipTest(f"needs flows: {row['reason']}")


def outcomes(daemon):
	found = re.findall(r'^weir_dns_answers_total\{outcome="(\w+)"\} (\d+)', daemon.metrics(), re.M)
	return {name: int(n) for name, n in found}


class Names(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		harness.need_command("unshare")
		if not os.path.exists("/etc/resolv.conf"):
			raise unittest.SkipTest("needs an /etc/resolv.conf to stand in front of")
		cls.daemon = cls.enterClassContext(Daemon())
		doctor = [r for r in cls.daemon.rows("doctor") if r["feature"] == "dns"]
		if [r["hook_set"] for r in doctor] != ["cgroup"]:
			raise unittest.SkipTest(f"dns: {doctor[0]['reason']}")
		need_flows(cls.daemon)
		cls.world = cls.enterClassContext(World(harness.die_with_parent))

	def name_at(self, address, **how):
		return flow_of(self.daemon, self.world("connect", address=address, **how)["cookie"])["peer_name"]

	def child_name(self, *steps):
		said = self.world("child", what=steps[0], then=list(steps[1:]))
		self.assertNotIn("error", said)
		return flow_of(self.daemon, said["cookie"])["peer_name"]

	# --- how names are learned

	def test_a_program_asks_by_getaddrinfo(self):
		self.world("zone", name="www.example.com", answers=[["A", "10.7.1.1", 60]])
		self.assertEqual(self.world("getaddrinfo", name="WWW.Example.com")["addresses"], ["10.7.1.1"])
		self.assertEqual(self.name_at("10.7.1.1"), "www.example.com")

	def test_ipv6_address_asked_over_ipv6(self):
		self.world("zone", name="six.example.com", answers=[["AAAA", "fd07::1:1", 60]])
		self.world("ask", name="six.example.com", kind="AAAA", server="::1")
		self.assertEqual(self.name_at("fd07::1:1"), "six.example.com")

	def test_ipv4_peer_of_an_ipv6_socket(self):
		self.world("zone", name="mapped.example.com", answers=[["A", "10.7.1.9", 60]])
		self.world("ask", name="mapped.example.com")
		self.assertEqual(self.name_at("::ffff:10.7.1.9"), "mapped.example.com")

	def test_over_tcp(self):
		self.world("zone", name="tcp.example.com", answers=[["A", "10.7.1.2", 60]])
		self.world("ask", name="tcp.example.com", transport="tcp")
		self.assertEqual(self.name_at("10.7.1.2"), "tcp.example.com")

	def test_over_tcp_in_pieces(self):
		for i, sizes in enumerate(([2], [1, 1, 5, 20], [40])):
			with self.subTest(sizes=sizes):
				self.world("pieces", sizes=sizes)
				self.world("zone", name=f"pieces{i}.example.com", answers=[["A", f"10.7.2.{i}", 60]])
				self.world("ask", name=f"pieces{i}.example.com", transport="tcp")
				self.assertEqual(self.name_at(f"10.7.2.{i}"), f"pieces{i}.example.com")
		self.world("pieces", sizes=None)

	def test_by_a_socket_that_is_not_connected(self):
		self.world("zone", name="open.example.com", answers=[["A", "10.7.1.3", 60]])
		self.world("ask", name="open.example.com", connected=False)
		self.assertEqual(self.name_at("10.7.1.3"), "open.example.com")

	def test_the_name_is_the_one_that_was_asked_for(self):
		self.world("zone", name="alias.example.com",
			   answers=[["CNAME", "a.cdn.example.net", 60], ["CNAME", "b.cdn.example.net", 60],
				    ["A", "10.7.1.4", 60]])
		self.world("ask", name="alias.example.com")
		self.assertEqual(self.name_at("10.7.1.4"), "alias.example.com")

	def test_a_hint_of_https(self):
		self.world("zone", name="_8443._https.h3.example.com", answers=[["HTTPS", "10.7.1.5", 60]])
		self.world("ask", name="_8443._https.h3.example.com", kind="HTTPS")
		self.assertEqual(self.name_at("10.7.1.5"), "h3.example.com")

	def test_udp_peers_have_names_too(self):
		self.world("zone", name="dgram.example.com", answers=[["A", "10.7.1.6", 60]])
		self.world("ask", name="dgram.example.com")
		rows = [r for r in self.daemon.rows("flows", "?filter=transport:udp%20port:53")
			if r["netns"] == self.world.netns]
		self.assertTrue(rows)
		self.assertEqual({r["peer_name"] for r in rows if r["peer_address"] == "127.0.0.1"} - {"localhost"}, set())

	# --- which name

	def test_two_names_on_one_address(self):
		"""Each process has the name that it asked for; the next newcomer has the newest."""
		for name in ("one.example.com", "two.example.com"):
			self.world("zone", name=name, answers=[["A", "198.51.100.7", 60]])
		connect = {"do": "connect", "address": "198.51.100.7"}
		first = self.child_name({"do": "ask", "name": "one.example.com"}, connect)
		second = self.child_name({"do": "ask", "name": "two.example.com"}, connect)
		newcomer = self.world("connect", address="198.51.100.7")["cookie"]
		self.assertEqual((first, second), ("one.example.com", "two.example.com"))
		self.assertEqual(flow_of(self.daemon, newcomer)["peer_name"], "two.example.com")
		self.child_name({"do": "ask", "name": "one.example.com"}, connect)
		# What was known when it opened stays.
		self.assertEqual(flow_of(self.daemon, newcomer)["peer_name"], "two.example.com")

	def test_what_is_learned_later_names_no_older_flow(self):
		old = self.world("connect", address="10.7.1.7")["cookie"]
		self.world("zone", name="later.example.com", answers=[["A", "10.7.1.7", 60]])
		self.world("ask", name="later.example.com")
		self.assertEqual(self.name_at("10.7.1.7"), "later.example.com")
		self.assertIsNone(flow_of(self.daemon, old)["peer_name"])

	def test_another_users_question_is_not_told(self):
		self.world("zone", name="secret.example.com", answers=[["A", "198.51.100.9", 60]])
		self.world("child", what={"do": "ask", "name": "secret.example.com", "uid": 4711})
		connect = {"do": "connect", "address": "198.51.100.9"}
		self.assertIsNone(self.child_name({**connect, "uid": 4712}))
		self.assertEqual(self.child_name({**connect, "uid": 4711}), "secret.example.com")
		self.assertEqual(self.child_name(connect), "secret.example.com") # root's

	def test_loopback_cannot_be_given_a_name_by_others(self):
		self.world("zone", name="rebind.example.com", answers=[["A", "127.0.0.9", 60]])
		self.world("child", what={"do": "ask", "name": "rebind.example.com"})
		self.assertIsNone(self.name_at("127.0.0.9"))
		self.assertEqual(self.name_at("127.0.0.1"), "localhost")

	def test_an_answer_that_nobody_asked_for_is_not_taken(self):
		before = outcomes(self.daemon)
		self.world("forge", name="forged.example.com", address="10.7.1.8")
		self.assertIsNone(self.name_at("10.7.1.8"))
		self.assertEqual(outcomes(self.daemon)["unasked"] - before["unasked"], 1)

	# --- hostile answers

	def test_hostile_answers_change_nothing(self):
		for i, (what, data) in enumerate(HOSTILE.items()):
			for transport in ("udp", "tcp"):
				if transport == "udp" and len(data) > 2 * 60000:
					continue
				with self.subTest(what=what, transport=transport):
					name = f"hostile{i}.example.com"
					self.world("raw", name=name, data=data[:2 * 60000])
					self.world("ask", name=name, transport=transport)
		self.assertIsNone(self.name_at("10.7.0.99"))
		self.assertEqual([r for r in self.daemon.rows("names") if r["address"] == "10.7.0.99"], [])
		self.assertEqual(self.daemon.answers(), True)

	def test_bytes_of_a_name_are_inert(self):
		name = "a\x1b[31m<b>\"'\x07\xe2\x80\xae.example.com"
		self.world("zone", name=name, answers=[["A", "10.7.1.10", 60]])
		self.world("ask", name=name)
		shown = self.name_at("10.7.1.10")
		self.assertRegex(shown, r"^[a-z0-9_.\\-]+$")
		self.assertTrue(shown.startswith("a\\027\\09131m\\060b\\062"), shown)

	def test_ten_thousand_names_are_bounded(self):
		before, counts = self.engine_kib(), outcomes(self.daemon)
		self.world("many", name="many.example.com")
		self.world("ask", name="many.example.com", count=10000)
		now = outcomes(self.daemon)
		self.assertEqual(sum(now[k] - counts[k] for k in ("taken", "over_rate", "ring_full")), 10000)
		self.assertLess(self.engine_kib() - before, 20 * 1024)
		self.assertLessEqual(len(self.daemon.rows("names", "?limit=100000")), 1010)
		time.sleep(1.1) # until the next second begins: the tests that follow are not over its rate

	def engine_kib(self):
		return int(harness.status_of(self.daemon.role("engine"))["VmRSS"].split()[0])

	# --- where names are shown

	def test_filter_by_name(self):
		self.world("zone", name="wanted.example.org", answers=[["A", "10.7.1.11", 60]])
		self.world("ask", name="wanted.example.org")
		cookie = self.world("connect", address="10.7.1.11")["cookie"]
		for words in ("peer:wanted.example.org", "peer_name:wanted.example.org", "peer:*.example.org",
			      "peer:10.7.1.11", "peer:10.7.1.8/29"):
			with self.subTest(words=words):
				self.assertIn(cookie, [r["cookie"] for r in self.daemon.json("flows", words)["rows"]])
		self.assertEqual(self.daemon.json("flows", "peer:other.example.org")["rows"], [])

	def test_table_shows_names_and_services_unless_told_otherwise(self):
		self.world("zone", name="shown.example.com", answers=[["A", "10.7.1.12", 60]])
		self.world("ask", name="shown.example.com")
		self.world("connect", address="10.7.1.12")
		plain = self.daemon.run("flows", "peer:shown.example.com").stdout
		numeric = self.daemon.run("flows", "-n", "peer:shown.example.com").stdout
		self.assertRegex(plain, r"shown\.example\.com\s+http-alt")
		self.assertRegex(numeric, r"10\.7\.1\.12\s+8080")
		self.assertNotIn("shown.example.com", numeric)

	def test_names_are_a_table(self):
		self.world("zone", name="row.example.com", answers=[["A", "10.7.1.13", 60]])
		pid = self.world("ask", name="row.example.com")["pid"]
		rows = [r for r in self.daemon.rows("names", "?filter=name:row.example.com")]
		self.assertEqual([(r["address"], r["source"], r["pid"], r["uid"], r["netns"], r["answers"]) for r in rows],
				 [("10.7.1.13", "dns", pid, 0, self.world.netns, 1)])

	def test_hooks_say_what_they_cost(self):
		hooks = {r["hook"] for r in self.daemon.rows("hooks") if r["feature"] == "dns"}
		self.assertEqual(hooks, {"cgroup/connect4", "cgroup/connect6", "cgroup/sendmsg4", "cgroup/sendmsg6",
					 "cgroup_skb/ingress"})


class Recorded(unittest.TestCase):
	def test_names_replay(self):
		harness.need_root()
		harness.need_command("unshare")
		with Daemon() as daemon:
			need_flows(daemon)
		with tempfile.TemporaryDirectory() as folder, World(harness.die_with_parent) as world:
			path = pathlib.Path(folder) / "r.weir"
			world("zone", name="kept.example.com", answers=[["A", "10.7.3.1", 60]])
			process = subprocess.Popen([harness.WEIR, "record", path, "--seconds", "4"],
						   stdin=subprocess.DEVNULL, preexec_fn=harness.die_with_parent)
			harness.wait_until("recording", lambda: path.exists() and path.stat().st_size, 8)
			world("ask", name="kept.example.com")
			cookie = world("connect", address="10.7.3.1")["cookie"]
			self.assertEqual(process.wait(20), 0)
			done = subprocess.run([harness.WEIR, "replay", path, "flows", "-j"], capture_output=True, text=True,
					      check=True, timeout=20)
		names = [r["peer_name"] for r in json.loads(done.stdout)["rows"] if r["cookie"] == cookie]
		self.assertEqual(names, ["kept.example.com"])


class Hosts(unittest.TestCase):
	def test_what_the_file_says_now(self):
		"""In a mount namespace with another /etc/hosts, so that the host's own stays as it is."""
		harness.need_root()
		with tempfile.TemporaryDirectory() as folder:
			hosts = pathlib.Path(folder) / "hosts"
			hosts.write_text("127.0.0.1 localhost\n127.0.0.77 Printer.lan printer\n::1 six.lan\n0.0.0.0 ad.example\n")
			with Daemon("--hooks", "dns:hosts", weir=self.behind(hosts, folder)) as daemon:
				have = {(r["address"], r["name"]) for r in daemon.rows("names")}
				self.assertEqual(have, {("127.0.0.1", "localhost"), ("127.0.0.77", "printer.lan"),
							("::1", "six.lan")})
				self.assertEqual([r for r in daemon.rows("hooks") if r["feature"] == "dns"], [])
				hosts.write_text("127.0.0.77 scanner.lan\n")
				harness.wait_until("the file is read again", lambda: {
					(r["address"], r["name"]) for r in daemon.rows("names")} == {("127.0.0.77", "scanner.lan")})

	@staticmethod
	def behind(hosts, folder):
		script = pathlib.Path(folder) / "weir"
		script.write_text("#!/bin/sh\n"
				  f"exec unshare --mount sh -c 'mount --bind {hosts} /etc/hosts && exec {harness.WEIR} \"$@\"' "
				  "weir \"$@\"\n")
		script.chmod(0o755)
		return script


class WithoutCgroups(unittest.TestCase):
	def test_weir_goes_on_without(self):
		"""No cgroup2: names from /etc/hosts, and doctor says so without a complaint, unless one insists."""
		harness.need_root()
		with tempfile.TemporaryDirectory() as folder:
			script = pathlib.Path(folder) / "weir"
			script.write_text("#!/bin/sh\nexec unshare --mount sh -c '"
					  "for m in $(awk \"\\$3 == \\\"cgroup2\\\" {print \\$2}\" /proc/self/mounts); do "
					  f"umount -l \"$m\"; done; exec {harness.WEIR} \"$@\"' weir \"$@\"\n")
			script.chmod(0o755)
			with Daemon(weir=script) as daemon:
				row = [r for r in daemon.rows("doctor") if r["feature"] == "dns"][0]
				self.assertEqual((row["hook_set"], row["state"]), ("hosts", "degraded"))
				self.assertIn("cgroup2", row["reason"])
				others = [r for r in daemon.rows("doctor") if r["state"] == "unavailable"]
				self.assertEqual(daemon.run("doctor").returncode, 4 if others else 0)
			with Daemon("--hooks", "dns:cgroup", weir=script) as daemon:
				self.assertEqual(daemon.run("doctor").returncode, 4)
