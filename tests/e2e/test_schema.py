# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents hold to the schema that is made from the same declarations."""

import json
import subprocess
import unittest

import harness
from harness import Daemon, Held, generate

try:
	import jsonschema
except ImportError:
	jsonschema = None

OBJECTS = ("processes", "flows", "hooks", "doctor", "audit")


class Schema(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		if jsonschema is None:
			raise unittest.SkipTest("needs python3-jsonschema")
		cls.daemon = cls.enterClassContext(Daemon())
		generate("run", "tcp4-*", "udp4-peers-100", "unix-write", "icmp", "mptcp4-write", "tcp6-refused",
			 "tcp4-unread", check=False)
		cls.enterClassContext(Held("run", "tcp6-partial", "--hold"))

	def schema(self, object_name):
		done = subprocess.run([harness.WEIR, "schema", object_name], capture_output=True, text=True, check=True)
		schema = json.loads(done.stdout)
		jsonschema.Draft202012Validator.check_schema(schema)
		return schema

	def test_each_document_is_valid(self):
		for name in OBJECTS:
			with self.subTest(name):
				document = self.daemon.json(name)
				self.assertTrue(document["rows"])
				validator = jsonschema.Draft202012Validator(self.schema(name))
				problems = [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(document)]
				self.assertEqual(problems[:5], [])

	def test_the_schema_refuses_what_is_wrong(self):
		"""A schema that takes anything proves nothing."""
		validator = jsonschema.Draft202012Validator(self.schema("processes"))
		good = self.daemon.json("processes")
		self.assertTrue(validator.is_valid(good))
		for spoil in (lambda d: d.pop("rows"), lambda d: d.pop("snapshot"),
			      lambda d: d["rows"][0].update(pid="one"), lambda d: d["rows"][0].update(tx_bytes=-1),
			      lambda d: d.update(schema_version=2)):
			bad = json.loads(json.dumps(good))
			spoil(bad)
			self.assertFalse(validator.is_valid(bad))

	def test_the_api_serves_the_same_schema(self):
		for name in OBJECTS:
			with self.subTest(name):
				answer = self.daemon.get(f"/api/v1/schema/{name}")
				self.assertEqual(answer.status, 200)
				self.assertEqual(answer.json, self.schema(name))

	def test_promised_names_are_there(self):
		"""What scripts were promised."""
		promised = {
			"processes": "pid start_time_ns comm exe uid user cgroup unit container_id container_name pod_name "
				     "pod_namespace netns state tx_bytes rx_bytes tx_bytes_per_second rx_bytes_per_second "
				     "connections_open connections_total retransmits srtt_us by_transport before_tx_bytes "
				     "before_rx_bytes",
			"flows": "cookie pid comm container_name pod_name pod_namespace scope transport type role local_address "
				 "local_port peer_address peer_port peer_name state tx_bytes rx_bytes wire_tx_bytes wire_rx_bytes "
				 "retransmits srtt_us rtt_min_us cwnd ssthresh rcv_wnd_bytes snd_buf_bytes wmem_queued_bytes "
				 "backlog max_backlog connect_us first_seen last_seen closed_at close_reason path",
		}
		for name, fields in promised.items():
			document = self.daemon.json(name)
			for key in ("schema_version", "host", "time", "snapshot", "lost_events", "rows"):
				self.assertIn(key, document)
			self.assertEqual(set(fields.split()) - set(document["rows"][0]), set(), name)
