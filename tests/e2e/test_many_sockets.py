# SPDX-License-Identifier: GPL-2.0-or-later
"""Thousands of sockets that were open before weir came are there with their owners from the first answer on."""

import os
import unittest

import harness
from harness import Daemon, Held

SOCKETS = int(os.environ.get("WEIR_SOCKETS", "8000"))


class ManySockets(unittest.TestCase):
	SECONDS = 120

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.held = cls.enterClassContext(Held("hold", SOCKETS))
		cls.truth = cls.held.truth.phase("held")
		cls.daemon = cls.enterClassContext(Daemon())
		cls.flows = cls.daemon.rows("flows", "?filter=process:wg-hold-*")
		print(f"many sockets: {len(cls.flows)} of {SOCKETS} in the first answer, "
		      f"{cls.daemon.ready_seconds * 1000:.0f} ms after the daemon was started", flush=True)

	def test_all_are_there_with_their_owner(self):
		have = {r["cookie"]: (r["pid"], r["comm"]) for r in self.flows}
		wrong = [(t["cookie"], t["comm"], have.get(t["cookie"])) for t in self.truth
			 if have.get(t["cookie"]) != (t["pid"], t["comm"])]
		self.assertEqual((len(wrong), wrong[:5]), (0, []))

	def test_roles_and_ports_are_known(self):
		rows = {r["cookie"]: r for r in self.flows}
		for t in self.truth[:200] + self.truth[-200:]:
			row = rows[t["cookie"]]
			self.assertEqual(row["state"], "established")
			self.assertTrue(row["local_port"] and row["peer_port"])

	def test_counted_for_their_process(self):
		rows = {r["comm"]: r for r in self.daemon.rows("processes", "?filter=process:wg-hold-*")}
		per = {}
		for t in self.truth:
			per[t["comm"]] = per.get(t["comm"], 0) + 1
		self.assertEqual({c: rows[c]["connections_open"] for c in per}, per)

	def test_gone_when_their_process_goes(self):
		self.held.finish()
		harness.wait_until("closed", lambda: not [r for r in self.daemon.rows("flows", "?filter=process:wg-hold-*")
							  if not r["closed_at"]], 40, 0.2) # a sweep's, if closes got lost
