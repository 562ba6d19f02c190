# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way to move bytes: weir's numbers are the generator's, per process and per socket."""

import unittest

import harness
from harness import Daemon, generate


# Those left out need a pause or a hold: see test_before.py, and the second class here.
CASES = [c for c in harness.cases() if not c.endswith(("-in-call", "-waiting", "-blocked"))]


class Exact(unittest.TestCase):
	"""One test a case of the generator; all run once, under one daemon."""

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		if not harness.GENERATE.exists():
			raise AssertionError(f"{harness.GENERATE} is not built")
		cls.daemon = cls.enterClassContext(Daemon())
		cls.truth = harness.Truth()
		cls.flows = {}
		cls.lost = 0
		# Closed sockets are kept only as long as there are not too many, which other programs of this machine may
		# close a second, and exited processes for a minute: so they are looked at after every few cases.
		processes = {}
		for few in (CASES[i:i + 20] for i in range(0, len(CASES), 20)):
			truth = generate("run", *few, check=False)
			cls.truth += truth
			cls.truth.results |= truth.results
			document = cls.daemon.get("/api/v1/flows").json
			by_cookie = {}
			for row in document["rows"]:
				by_cookie.setdefault(row["cookie"], []).append(row)
			cls.flows |= by_cookie
			cls.lost = document["lost_events"]
			cls.processes = cls.daemon.get("/api/v1/processes").json
			processes |= {(row["pid"], row["comm"], row["start_time_ns"]): row for row in cls.processes["rows"]}
		cls.processes["rows"] = list(processes.values())
		cls.audit = cls.daemon.audit()

	def the_case(self, case):
		result = self.truth.results.get(case)
		self.assertIsNotNone(result, "the generator did not run it")
		if result["result"] == "skipped":
			raise unittest.SkipTest(result["reason"])
		self.assertEqual(result["result"], "ok", result)
		truths = harness.as_the_set_sees(case, self.truth.of(case))
		certain = harness.exact(truths)
		problems = harness.process_differences(certain, self.processes["rows"])
		if certain == truths:
			problems += harness.flow_differences(truths, [row for t in truths for row in self.flows.pop(t["cookie"], [])])
		for name in harness.remainders(truths):
			problems += self.remainder_problems(name, truths)
		self.assertEqual(problems, [])

	def remainder_problems(self, name, truths):
		"""What a hook cannot see is a line of the audit, or doctor says so; and weir claims no byte too much."""
		found = []
		text = self.daemon.run("doctor", "-j").stdout
		if name not in self.audit and name.replace("_", " ").split()[0] not in text.lower():
			found.append(f"neither audit nor doctor names {name}")
		for t in truths:
			for row in self.processes["rows"]:
				if (row["pid"], row["comm"]) != (t["pid"], t["comm"]):
					continue
				part = (row.get("by_transport") or {}).get(t["transport"]) or {}
				for field in harness.DIRECTIONS:
					total = sum(x[field] for x in truths if x["pid"] == t["pid"])
					if (part.get(field) or 0) > total:
						found.append(f"{t['comm']}: {field} {part[field]} is more than {total}")
		return found

	def test_nothing_was_lost(self):
		self.assertEqual(self.processes["lost_events"], 0)
		self.assertEqual(self.lost, 0)

	def test_the_audit_finds_an_owner_for_every_byte(self):
		done = self.daemon.run("audit")
		self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
		self.assertEqual(self.audit["shared_bypass"]["sockets"], 0)
		self.assertEqual((self.audit["unattributed"]["tx_bytes"], self.audit["unattributed"]["rx_bytes"]), (0, 0))

	def test_every_process_has_an_executable_and_a_user(self):
		ours = {(t["pid"], t["comm"]): t for t in self.truth if t["tx_bytes"] or t["rx_bytes"]}
		problems = []
		for row in self.processes["rows"]:
			if (row["pid"], row["comm"]) in ours:
				if not (row["exe"] or "").endswith("weir-generate"):
					problems.append(f"{row['comm']}: exe {row['exe']}")
				if row["uid"] is None or not row["user"]:
					problems.append(f"{row['comm']}: uid {row['uid']} user {row['user']}")
		self.assertEqual(problems, [])

	def test_start_times_tell_processes_with_the_same_number_apart(self):
		pairs = [t for t in self.truth.of("tcp4-pid-reuse") if t["comm"] in ("wg-reuse-first", "wg-reuse-second")]
		self.assertEqual(len({t["pid"] for t in pairs}), 1)
		rows = [r for r in self.processes["rows"] if r["pid"] == pairs[0]["pid"]]
		self.assertEqual({r["comm"] for r in rows}, {t["comm"] for t in pairs})
		self.assertEqual(len({r["start_time_ns"] for r in rows}), 2)

	def test_start_times_are_those_of_proc(self):
		rows = {(r["pid"], r["comm"]): r for r in self.processes["rows"]}
		for t in self.truth.of("tcp4-write"):
			row = rows[t["pid"], t["comm"]]
			self.assertLess(abs(row["start_time_ns"] - t["start_time_ns"]), 20_000_000, t["comm"])


class ExactWhileOpen(unittest.TestCase):
	"""The same numbers while the sockets are still open."""

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon())

	def test_open_sockets_show_what_went_through_them(self):
		for case in ("tcp4-write", "tcp6-partial", "tcp4-sendfile", "tcp4-splice-out", "tcp4-uring-send-zc",
			     "mptcp4-write", "udp4-send", "udp6-gso-gro", "udp4-peers-10", "unix-write", "tcp4-fork",
			     "tcp4-pass", "tcp4-threads", "tcp4-netns-crossing", "tcp4-sockmap"):
			with self.subTest(case), harness.Held("run", case, "--hold") as held:
				truths = held.truth.of(case, "held")
				self.assertTrue(truths)
				processes = self.daemon.rows("processes")
				flows = self.daemon.rows("flows")
				problems = harness.process_differences(truths, processes)
				problems += harness.flow_differences(truths, flows)
				self.assertEqual(problems, [])
				for t in truths:
					states = {r["state"] for r in processes if (r["pid"], r["comm"]) == (t["pid"], t["comm"])}
					if t["tx_bytes"] or t["rx_bytes"]:
						self.assertEqual(states, {"running"}, t["comm"])

	def test_each_peer_of_an_unconnected_socket_has_its_row(self):
		for case in ("udp4-peers-1", "udp4-peers-10", "udp6-peers-10"):
			with self.subTest(case), harness.Held("run", case, "--hold") as held:
				flows = self.daemon.rows("flows")
				have = {}
				for row in flows:
					address = row["peer_address"]
					if address:
						name = f"[{address}]" if ":" in address else address
						have[row["cookie"], f"{name}:{row['peer_port']}"] = row
				for t in held.truth.of(case, "held"):
					if not t["peer"]:
						continue
					row = have.get((t["cookie"], t["peer"]))
					self.assertIsNotNone(row, t["peer"])
					self.assertEqual((row["tx_bytes"], row["rx_bytes"]), (t["tx_bytes"], t["rx_bytes"]), t["peer"])

	def test_more_peers_than_rows_are_summed_as_other(self):
		with harness.Held("run", "udp4-peers-100", "--hold") as held:
			truths = [t for t in held.truth.of("udp4-peers-100", "held") if t["peer"]]
			cookie = truths[0]["cookie"]
			rows = [r for r in self.daemon.rows("flows") if r["cookie"] == cookie]
			self.assertLessEqual(len(rows), 66)
			for field in harness.DIRECTIONS:
				self.assertEqual(sum(r[field] for r in rows), sum(t[field] for t in truths))

	def test_a_call_that_has_not_returned_is_the_remainder_in_call(self):
		with harness.Held("run", "tcp4-in-call", "--hold") as held:
			sender = next(t for t in held.truth.of("tcp4-in-call", "held") if t["role"] == "tx")
			self.assertEqual(sender["expect"], "remainder:in_call")
			audit = self.daemon.audit()
			self.assertGreater(audit["in_call"]["tx_bytes"], 0)
			held.finish()
			final = held.truth.of("tcp4-in-call")
			self.assertEqual(harness.process_differences(final, self.daemon.rows("processes")), [])
			self.assertEqual(harness.flow_differences(final, self.daemon.rows("flows")), [])


def method(case):
	def test(self):
		self.the_case(case)
	test.__name__ = "test_" + case.replace("-", "_")
	return test


for _case in CASES:
	setattr(Exact, "test_" + _case.replace("-", "_"), method(_case))
