# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of processes and control groups belong to whoever runs them: inert on every surface."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import unittest

import harness
from harness import Daemon, generate

# A process name has 15 bytes; whoever shows it must expect any of them but NUL.
NAMES = [
	b"<svg/onload=a>",
	b"\x1b[31mred\x1b[0m",
	b"\x1b]0;title\x07",
	b"two\nlines",
	b"a\r\tb",
	b"=cmd|' /C'!A0",
	b"\"},{\"x\":\"",
	b"' or 1=1 --",
	b"back\\slash\\n",
	b"\xff\xfe\xc3\x28",
	"‮olleh".encode(),
	b"{process=\"x\"} 1",
	b"%s%n%x",
	b" ",
	b"-j",
]
CGROUPS = ["weir-<script>alert(1)", "weir-\x1b[2Jwipe", "weir-\"quote\\", "weir-é\u202e", "weir-new\u2028line",
	   "weir- # HELP x"]


def cgroup_root():
	for line in harness.read_text("/proc/mounts").splitlines():
		words = line.split()
		if words[2] == "cgroup2":
			return pathlib.Path(words[1])
	raise unittest.SkipTest("no cgroup2 is mounted")


def control_characters(text, allowed="\n"):
	return sorted({c for c in text if (ord(c) < 32 or 0x7f <= ord(c) < 0xa0) and c not in allowed})


class Hostile(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.daemon = cls.enterClassContext(Daemon())
		cls.truths = {}
		for name in NAMES:
			cls.truths[name] = list(generate("run", "tcp4-write", "--name", os.fsdecode(name)))
		cls.pids = {t["pid"] for truths in cls.truths.values() for t in truths}
		cls.cgroups = {}
		root = cgroup_root()
		for name in CGROUPS:
			cls.cgroups[name] = cls.in_cgroup(root / name)

	@staticmethod
	def in_cgroup(path):
		path.mkdir()
		try:
			def enter():
				(path / "cgroup.procs").write_text(str(os.getpid()))
			done = subprocess.run([harness.GENERATE, "run", "tcp4-send"], stdout=subprocess.PIPE, check=True,
					      preexec_fn=enter)
			return list(harness.Truth(done.stdout.splitlines()))
		finally:
			with contextlib.suppress(OSError):
				harness.wait_until("the group is empty", lambda: not (path / "cgroup.procs").read_text())
				path.rmdir()

	def rows(self):
		return {(r["pid"], r["tx_bytes"] + r["rx_bytes"]): r for r in self.daemon.json("processes")["rows"]}

	def test_the_document_is_json_and_the_name_comes_back(self):
		rows = self.rows()
		for name, truths in self.truths.items():
			want = name[:15].decode("utf-8", "replace")
			for t in truths:
				row = rows[t["pid"], t["tx_bytes"] + t["rx_bytes"]]
				with self.subTest(name):
					have = row["comm"].replace("\ufffd", "")
					self.assertEqual(have, want.replace("\ufffd", ""))

	def test_every_object_is_json_without_raw_markup(self):
		for object_name in ("processes", "flows", "audit", "hooks", "doctor"):
			for option in ("-j", "-J", "--ndjson"):
				done = self.daemon.run(object_name, option)
				with self.subTest(f"{object_name} {option}"):
					for line in done.stdout.splitlines() if option == "--ndjson" else [done.stdout]:
						json.loads(line)
					self.assertEqual(control_characters(done.stdout), [])
					self.assertNotIn("<svg", done.stdout)
					self.assertNotIn("<script", done.stdout)
					self.assertNotIn("\u2028", done.stdout)

	def test_tables_of_the_command_line(self):
		for words in (("processes",), ("flows",), ("top", "-b", "-c", "1"), ("top", "-b", "-c", "1", "--flows")):
			done = self.daemon.run(*words, "--color=never")
			with self.subTest(" ".join(words)):
				self.assertEqual(done.returncode, 0, done.stderr)
				self.assertEqual(control_characters(done.stdout), [])
				self.assertNotIn("\u202e", done.stdout)
				self.assertNotIn("\u2028", done.stdout)

	def test_a_row_is_a_line(self):
		rows = self.daemon.json("processes", "exe:*weir-generate")["rows"]
		lines = self.daemon.run("processes", "exe:*weir-generate").stdout.splitlines()
		self.assertEqual(len(lines), 1 + len(rows))

	def test_colour_is_only_weirs_own(self):
		"""With colour on, what stands between weir's own sequences still holds no escape."""
		done = self.daemon.run("processes", "--color=always")
		rest = without_colour(done.stdout)
		self.assertEqual(control_characters(rest), [])
		self.assertNotIn("\x1b[31mred", done.stdout)

	def test_metrics(self):
		text = self.daemon.metrics()
		self.assertEqual(control_characters(text), [])
		for line in text.splitlines():
			self.assertTrue(line.startswith(("#", "weir_")), line)
		with contextlib.suppress(unittest.SkipTest):
			promtool = harness.need_command("promtool")
			done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
			self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

	def test_the_log(self):
		self.assertEqual(control_characters(self.daemon.log), [])

	def test_the_api_and_its_headers(self):
		for path in ("/api/v1/processes", "/api/v1/flows", "/metrics"):
			answer = self.daemon.get(path, tcp=True)
			with self.subTest(path):
				self.assertEqual(answer.status, 200)
				self.assertNotIn(b"<svg", answer.body if path != "/metrics" else b"")
				self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
				self.assertNotIn("html", answer.headers["Content-Type"])

	def test_a_name_is_no_filter_and_no_option(self):
		rows = self.daemon.rows("processes", "?filter=process:%22-j%22")
		self.assertEqual({r["comm"] for r in rows}, {"-j"})

	def test_control_groups(self):
		rows = self.daemon.json("processes")["rows"]
		for name, truths in self.cgroups.items():
			for t in truths:
				row = next(r for r in rows if (r["pid"], r["comm"]) == (t["pid"], t["comm"]) and r["tx_bytes"]
					   + r["rx_bytes"] == t["tx_bytes"] + t["rx_bytes"])
				with self.subTest(name):
					self.assertIn(name, row["cgroup"])


def without_colour(text):
	return re.sub(r"\x1b\[[0-9;]*[mKH]", "", text)
