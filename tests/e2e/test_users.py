# SPDX-License-Identifier: GPL-2.0-or-later
"""Another local user sees own processes and nobody else's, on both listeners."""

import json
import os
import shutil
import subprocess
import unittest

import harness
from harness import Daemon, generate

# Runs as the other user: asks over the Unix socket and over TCP, prints both answers.
ASK = """
import http.client, json, socket, sys
def unix(path):
	c = http.client.HTTPConnection("localhost")
	c.sock = socket.socket(socket.AF_UNIX)
	c.sock.connect(sys.argv[1])
	c.request("GET", path)
	return c.getresponse()
def tcp(path):
	c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]))
	c.request("GET", path)
	return c.getresponse()
found = {}
for name, ask in (("unix", unix), ("tcp", tcp)):
	for path in sys.argv[3:]:
		answer = ask(path)
		found[name + " " + path] = [answer.status, answer.read().decode("utf-8", "replace")]
print(json.dumps(found))
"""


def as_nobody():
	harness.die_with_parent()
	os.setgroups([])
	os.setgid(harness.NOBODY)
	os.setuid(harness.NOBODY)


class Users(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon(public=True))
		# A copy that the other user can reach and run.
		cls.generate = cls.copy(harness.GENERATE)
		cls.weir = cls.copy(harness.WEIR)
		cls.theirs = harness.Truth(subprocess.run([cls.generate, "run", "tcp4-write", "udp4-send"], check=True,
							  capture_output=True, preexec_fn=as_nobody).stdout.splitlines())
		cls.ours = generate("run", "tcp4-write", "udp4-send")

	@classmethod
	def copy(cls, program):
		to = cls.daemon.folder / program.name
		shutil.copy(program, to)
		to.chmod(0o755)
		return to

	def ask(self, *paths):
		done = subprocess.run(["/usr/bin/python3", "-c", ASK, self.daemon.socket, str(self.daemon.port), *paths],
				      capture_output=True, text=True, preexec_fn=as_nobody, cwd="/")
		self.assertEqual(done.returncode, 0, done.stderr)
		return json.loads(done.stdout)

	def test_processes_and_flows(self):
		ours = {t["pid"] for t in self.ours}
		theirs = {t["pid"] for t in self.theirs}
		answers = self.ask("/api/v1/processes", "/api/v1/flows", "/api/v1/processes?filter=uid:0")
		for name, (status, body) in answers.items():
			with self.subTest(name):
				self.assertEqual(status, 200)
				rows = json.loads(body)["rows"]
				pids = {r["pid"] for r in rows}
				self.assertEqual(pids & ours, set())
				self.assertNotIn(os.getpid(), pids)
				if "filter" in name:
					self.assertEqual(rows, [])
				else:
					self.assertLessEqual(theirs, pids)
				if "processes" in name:
					self.assertLessEqual({r["uid"] for r in rows}, {harness.NOBODY})

	def test_totals_tell_nothing_of_others(self):
		for name, (status, body) in self.ask("/api/v1/processes?limit=1").items():
			with self.subTest(name):
				document = json.loads(body)
				self.assertLess(document["total"], len(self.daemon.rows("processes")))

	def test_metrics_hold_only_own_sums(self):
		for name, (status, body) in self.ask("/metrics").items():
			with self.subTest(name):
				if status == 200:
					for line in body.splitlines():
						if line.startswith("weir_process_network_io_bytes_total") and 'process="wg-tx-write"' in line \
								and 'direction="transmit"' in line and 'transport="tcp"' in line:
							self.assertEqual(float(line.split()[-1]), 100003)
				else:
					self.assertEqual(status, 403)

	def test_the_stream(self):
		script = ASK.split("found =")[0] + """
answer = unix("/api/v1/events?topics=processes,flows")
text = b""
while b"\\n\\n" not in text or text.count(b"data:") < 2:
	text += answer.readline()
print(text.decode())
"""
		done = subprocess.run(["/usr/bin/python3", "-c", script, self.daemon.socket, "0"], capture_output=True,
				      text=True, preexec_fn=as_nobody, cwd="/", timeout=20 * harness.PATIENCE)
		self.assertEqual(done.returncode, 0, done.stderr)
		for t in self.ours:
			self.assertNotIn(f"\"pid\":{t['pid']},", done.stdout)

	def test_the_command_line(self):
		done = subprocess.run([self.weir, "processes", "-j", "--socket", self.daemon.socket], capture_output=True,
				      text=True, preexec_fn=as_nobody, cwd="/")
		self.assertEqual(done.returncode, 0, done.stderr)
		uids = {r["uid"] for r in json.loads(done.stdout)["rows"]}
		self.assertEqual(uids, {harness.NOBODY})

	def test_root_sees_both(self):
		for tcp in (False, True):
			rows = self.daemon.get("/api/v1/processes", tcp=tcp).json["rows"]
			pids = {r["pid"] for r in rows}
			self.assertLessEqual({t["pid"] for t in self.theirs} | {t["pid"] for t in self.ours}, pids)

	def test_what_the_daemon_keeps_is_not_for_others(self):
		for path in [self.daemon.state, *self.daemon.state.rglob("*")]:
			with self.subTest(path.name):
				self.assertEqual(path.stat().st_mode & 0o077, 0)
		token = self.daemon.state / "token"
		if token.exists():
			secret = token.read_text().strip()
			self.assertNotIn(secret, self.daemon.log)
			for pid in self.daemon.roles().values():
				self.assertNotIn(secret.encode(), open(f"/proc/{pid}/cmdline", "rb").read())
				self.assertNotIn(secret.encode(), open(f"/proc/{pid}/environ", "rb").read())
