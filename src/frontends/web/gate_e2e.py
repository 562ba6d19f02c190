# SPDX-License-Identifier: GPL-2.0-or-later
"""The gate from outside, with raw sockets: what it answers, whom, and what it refuses.

Runs as root, on Unix sockets, loopback and network namespaces of its own, for under half a minute.
"""

import ctypes
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from gate_client import NOBODY, TOKEN, Demo, Stream, as_user, exchange, get, get_tcp, head, need_demo, read_answer

N_PROCESSES = 10  # of the demo, odd ones belong to NOBODY


def setUpModule():
	global demo, patience
	need_demo()
	demo = Demo()
	patience = Patience()


def tearDownModule():
	demo.end()
	patience.demo.end()


class Patience:
	"""What takes ten seconds or more, all at once in the background on a gate of its own."""

	def __init__(self):
		self.demo = Demo()
		self.pool = ThreadPoolExecutor(8)
		self.jobs = {name: self.pool.submit(getattr(self, name)) for name in
			     ("trickled_head", "trickled_second_head", "silent_client", "silent_engine", "heartbeat")}

	def trickle(self, s, limit):
		"""A byte every half second, until the gate has enough."""
		start = time.monotonic()
		s.settimeout(0.5)
		said = b""
		for byte in b"GET / HTTP/1.1\r\nHost: weir\r\nX-Slow: " + b"a" * 200:
			try:
				s.send(bytes([byte]))
				part = s.recv(4096)
				said += part
				if not part:
					break
			except TimeoutError:
				pass
			except (BrokenPipeError, ConnectionResetError):
				break
			if time.monotonic() - start > limit:
				break
		return said, time.monotonic() - start

	def trickled_head(self):
		with self.demo.unix() as s:
			return self.trickle(s, 20)

	def trickled_second_head(self):
		with self.demo.unix() as s:
			exchange(s, head("/healthz"))
			return self.trickle(s, 30)

	def silent_client(self):
		with self.demo.tcp() as s:
			start = time.monotonic()
			s.settimeout(20)
			return s.recv(100), time.monotonic() - start

	def silent_engine(self):
		time.sleep(1)  # let the stream of heartbeat() begin
		self.demo.tell("silent 1")
		start = time.monotonic()
		answer = get(self.demo, "/api/v1/flows")
		took = time.monotonic() - start
		still = get(self.demo, "/healthz").status
		self.demo.tell("silent 0")
		return answer, took, still, get(self.demo, "/api/v1/flows").status

	def heartbeat(self):
		stream = Stream(self.demo, "topics=doctor")
		stream.socket.settimeout(20)
		blocks = [stream.block() for _ in range(3)]
		stream.close()
		return blocks[2]


# --- what is refused -------------------------------------------------------------------------


class Refusals(unittest.TestCase):
	def status(self, raw):
		with demo.tcp() as s:
			return exchange(s, raw).status

	def check(self, rows):
		for what, raw, *expected in rows:
			with self.subTest(what):
				self.assertIn(self.status(raw), expected)

	def test_hosts_and_origins_of_other_sites(self):
		port = demo.port
		own = f"127.0.0.1:{port}"
		rows = [(f"Host {h}", head("/healthz", h), 200)
			for h in (own, f"localhost:{port}", f"LocalHost:{port}", f"[::1]:{port}")]
		rows += [(f"Host {h}", head("/healthz", h), 403)
			 for h in ("evil.example", f"evil.example:{port}", "127.0.0.1", "localhost", f"127.0.0.2:{port}",
				   f"localhost.evil.example:{port}", f"127.0.0.1:{port + 1}")]
		rows += [(f"Host {h!r}", head("/healthz", h), 400)
			 for h in ("", "a b", f"user@localhost:{port}", f"localhost:{port}:1", "a/b")]
		rows += [
			("own origin", head("/healthz", own, Origin=f"http://{own}"), 200),
			("other origin", head("/healthz", own, Origin="http://evil.example"), 403),
			("other port", head("/healthz", own, Origin="http://127.0.0.1:1"), 403),
			("null origin", head("/healthz", own, Origin="null"), 403),
			("https origin", head("/healthz", own, Origin=f"https://{own}"), 403),
			("own page", head("/api/v1", own, Sec_Fetch_Site="same-origin"), 200),
			("typed address", head("/", own, Sec_Fetch_Site="none"), 200),
			("link from elsewhere", head("/", own, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate"), 200),
			("image of another site", head("/api/v1", own, Sec_Fetch_Site="cross-site"), 403),
			("frame data", head("/api/v1", own, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate"), 403),
			("no host", b"GET /healthz HTTP/1.1\r\n\r\n", 400),
			("no host, old", b"GET /healthz HTTP/1.0\r\n\r\n", 400),
			("two hosts", f"GET /healthz HTTP/1.1\r\nHost: {own}\r\nHost: {own}\r\n\r\n".encode(), 400),
		]
		self.check(rows)

	def test_paths_that_lead_elsewhere(self):
		paths = ["/../etc/passwd", "/..", "/a/../b", "/%2e%2e/etc/passwd", "/%2E", "/..%2f", "/app.js%00.css",
			 "/app.js\0", "/\0/app.js", "/app.js\0?a=b", "/api/v1/flows?filter=a%00b", "/api/v1/flows?limit=1\0",
			 "//etc/passwd", "/\\etc", "/etc/passwd", "/api/v1/", "/api/v1/nope", "/api/v1/process_groups",
			 "/api/v1/schema/nope", "/api/v1/flows/", "/index.htm", "/APP.JS", "/a\x01b", "/<svg>",
			 "http://evil.example/", "*", "app.js", "/\xff"]
		self.check([(repr(p), head(p, demo.host), 400, 404) for p in paths])

	def test_methods_other_than_reading(self):
		for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"):
			with self.subTest(method), demo.tcp() as s:
				answer = exchange(s, head("/api/v1/flows", demo.host, method))
				self.assertEqual(answer.status, 405)
				self.assertEqual(answer.headers["allow"], "GET, HEAD")

	def test_bodies_and_their_lengths(self):
		h = demo.host
		chunks = b"5\r\nhello\r\n0\r\n\r\n"
		self.check([
			("empty body", head("/healthz", h, Content_Length="0"), 200),
			("small body", head("/healthz", h, Content_Length="5") + b"hello", 400),
			("large body", head("/healthz", h, Content_Length="5000") + b"a" * 5000, 413),
			("huge body", head("/healthz", h, Content_Length="9" * 25), 413),
			("negative length", head("/healthz", h, Content_Length="-1"), 400),
			("length in words", head("/healthz", h, Content_Length="five"), 400),
			("length with plus", head("/healthz", h, Content_Length="+5") + b"hello", 400),
			("chunks", head("/healthz", h, Transfer_Encoding="chunked") + chunks, 400),
			("unknown coding", head("/healthz", h, Transfer_Encoding="xchunked") + chunks, 400),
			("length and chunks", head("/healthz", h, Content_Length="5", Transfer_Encoding="chunked") + chunks, 400),
			("two lengths", head("/healthz", h, Content_Length="0", content_length="5") + b"hello", 400),
			("a post's body", head("/api/v1/flows", h, "POST", Content_Length="5") + b"hello", 405),
		])

	def test_heads_without_form(self):
		h = demo.host.encode()
		self.check([
			("long address", head("/?" + "a" * 20000, demo.host), 414),
			("long header", head("/", demo.host, X_Long="a" * 20000), 431),
			("many headers", head("/", demo.host, **{f"X-{i}": "a" for i in range(2000)}), 431),
			("a megabyte", b"GET / HTTP/1.1\r\nX: " + b"a" * (1 << 20), 431, 0),
			("no colon", b"GET / HTTP/1.1\r\nHost: " + h + b"\r\nnothing\r\n\r\n", 400),
			("space in a name", b"GET / HTTP/1.1\r\nHost: " + h + b"\r\nX : a\r\n\r\n", 400),
			("space before Host's colon", b"GET / HTTP/1.1\r\nHost : " + h + b"\r\n\r\n", 400),
			("control character", b"GET / HTTP/1.1\r\nHost: " + h + b"\r\nX: a\x01b\r\n\r\n", 400),
			("bare return", b"GET / HTTP/1.1\r\nHost: " + h + b"\r\nX: a\rb\r\n\r\n", 400),
			("a version of the future", b"GET / HTTP/2.0\r\nHost: " + h + b"\r\n\r\n", 505),
			("no version", b"GET /\r\n\r\n", 400),
			("no request", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 0, 400),
			("spaces", b"GET / a HTTP/1.1\r\nHost: " + h + b"\r\n\r\n", 0, 400),
		])
		self.assertEqual(get(demo, "/healthz").status, 200)

	def test_parameters_that_say_nothing(self):
		for query in ("filter=nope:1", "filter=port:x", "sort=nope", "limit=x", "limit=-1", "limit=", "offset=1e3",
			      "fields=nope", "fields=", "sums=", "sums=state", "sort=state+pid", "nope=1", "limit=1&limit=2", "&".join(f"a{i}" for i in range(40))):
			with self.subTest(query):
				answer = get(demo, "/api/v1/flows?" + query)
				self.assertEqual(answer.status, 400)
				self.assertEqual(list(answer.json), ["error"])
				self.assertEqual(answer.body.count(b"\n"), 1)
		for query in ("", "topics=", "topics=nope", "topics=flows,flows", "topics=process_groups", "topics=flows&limit=1",
			      "topics=flows&filter=nope:1", "topics=flows&fields=nope", "topics=flows&fields.doctor=state"):
			with self.subTest("events " + query):
				self.assertEqual(get(demo, "/api/v1/events?" + query).status, 400)


# --- what is answered ------------------------------------------------------------------------


class Answers(unittest.TestCase):
	def test_documents_and_their_parameters(self):
		demo.tell("rows 50")
		whole = get(demo, "/api/v1/flows").json
		self.assertEqual((whole["schema_version"], whole["host"], whole["lost_events"], whole["total"]), (1, "demo", 7, 50))
		self.assertEqual(len(whole["rows"]), 50)
		some = get(demo, "/api/v1/flows?filter=state:established%20not%20pid:101&sort=-rx_bytes&limit=2&offset=1"
			   "&fields=cookie,state").json
		self.assertEqual(some["rows"], [{"cookie": c, "state": "established"} for c in (3, 4)])
		self.assertEqual(some["total"], 40)
		whole = get(demo, "/api/v1/flows?sort=-tx_bytes+rx_bytes,pid").json["rows"]
		self.assertEqual(whole, sorted(whole, key=lambda r: ((r["tx_bytes"] or 0) + (r["rx_bytes"] or 0), r["pid"])))
		none = get(demo, "/api/v1/flows?limit=0&sums=tx_bytes,pid&filter=state:established").json
		self.assertEqual((none["rows"], none["total"]), ([], 45))
		self.assertEqual(none["sums"], {f: sum(r[f] or 0 for r in whole if r["state"] == "established")
						for f in ("tx_bytes", "pid")})
		self.assertIn(b"\n  ", get(demo, "/api/v1/flows?limit=1&indent=1").body)
		self.assertEqual(get(demo, "/api/v1/schema/flows").json["title"], "flows")
		tables = {t["name"]: t for t in get(demo, "/api/v1").json["tables"]}
		self.assertLessEqual({"processes", "flows", "doctor", "hooks", "audit"}, set(tables))
		self.assertNotIn("process_groups", tables)
		cookie = tables["flows"]["fields"][0]
		self.assertEqual((cookie["name"], cookie["key"], cookie["type"]), ("cookie", True, "uint"))

	def test_an_answer_is_newer_than_its_question(self):
		numbers = []
		with demo.unix() as s:
			for _ in range(5):
				before = demo.stats()["number"]
				numbers.append(exchange(s, head("/api/v1/doctor")).json["snapshot"])
				self.assertGreater(numbers[-1], before)
		self.assertEqual(numbers, sorted(set(numbers)))

	def test_questions_that_come_together_share_a_snapshot(self):
		before = demo.stats()["refreshes"]
		sockets = [demo.unix() for _ in range(200)]
		for s in sockets:
			s.sendall(head("/api/v1/doctor"))
		self.assertEqual({read_answer(s).status for s in sockets}, {200})
		for s in sockets:
			s.close()
		self.assertLess(demo.stats()["refreshes"] - before, 40)

	def test_one_connection_serves_many_requests(self):
		with demo.unix() as s:
			s.sendall(head("/healthz") + head("/api/v1/doctor") + head("/nope"))
			said = b""
			while said.count(b"HTTP/1.1 ") < 3:
				said += s.recv(65536)
			self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", said), [b"200", b"200", b"404"])
		with demo.unix() as s:
			for _ in range(3):
				self.assertEqual(exchange(s, head("/healthz")).body, b"ok\n")
			answer = exchange(s, head("/api/v1/flows", method="HEAD"), "HEAD")
			self.assertEqual((answer.status, answer.body), (200, b""))
			self.assertGreater(int(answer.headers["content-length"]), 100)
			self.assertEqual(exchange(s, head("/healthz")).status, 200)

	def test_looking_at_hooks_has_them_measured(self):
		get(demo, "/api/v1/hooks")
		self.assertEqual(demo.stats()["measured"], 2000)

	def test_files_of_the_page(self):
		page = get(demo, "/")
		self.assertEqual(page.status, 200)
		self.assertIn(b"<html", page.body)
		self.assertEqual(page.headers["cache-control"], "no-cache")
		packed = get(demo, "/", Accept_Encoding="gzip")
		self.assertEqual(packed.headers["content-encoding"], "gzip")
		self.assertEqual(gzip.decompress(packed.body), page.body)
		self.assertNotEqual(packed.headers["etag"], page.headers["etag"])
		for answer in (page, packed):
			self.assertEqual(get(demo, "/", If_None_Match=answer.headers["etag"]).status, 304)
		self.assertEqual(get(demo, "/", If_None_Match='"other"').status, 200)
		for name in re.findall(r'(?:src|href)="([a-z0-9./_-]+\.(?:js|css))"', page.body.decode()):
			self.assertEqual(get(demo, "/" + name.lstrip("./")).status, 200, name)

	def test_every_answer_is_armoured(self):
		for path in ("/", "/healthz", "/metrics", "/api/v1", "/api/v1/flows", "/nope", "/api/v1/flows?limit=x"):
			with self.subTest(path):
				headers = get(demo, path).headers
				self.assertIn("default-src 'none'", headers["content-security-policy"])
				self.assertIn("frame-ancestors 'none'", headers["content-security-policy"])
				self.assertNotIn("unsafe", headers["content-security-policy"])
				self.assertEqual(headers["x-content-type-options"], "nosniff")
				self.assertEqual(headers["referrer-policy"], "no-referrer")
				self.assertEqual(headers["cross-origin-resource-policy"], "same-origin")
				self.assertNotIn("access-control-allow-origin", headers)

	def test_hostile_names_are_inert(self):
		body = get(demo, "/api/v1/processes").body
		for harm in (b"<", b">", b"\x1b", b"\n{", b"\xff", "\u202e".encode()):
			self.assertNotIn(harm, body)
		names = {row["comm"] for row in json.loads(body)["rows"]}
		self.assertLessEqual({"<svg/onload=a>", "</script><b>", "\x1b[31mred\x1b[0m", "data: x\n\nevent: y"}, names)
		metrics = get(demo, "/metrics").body
		for harm in (b"\x1b", b"\xff", b"\nweir_x", "\u202e".encode()):
			self.assertNotIn(harm, metrics)
		stream = Stream(demo, "topics=processes&fields=comm")
		self.assertEqual({row["comm"] for row in stream.event()[1]["rows"]}, names)
		stream.close()

	def test_promtool_accepts_the_metrics(self):
		if not shutil.which("promtool"):
			self.skipTest("promtool is not installed")
		metrics = get(demo, "/metrics")
		self.assertTrue(metrics.headers["content-type"].startswith("text/plain; version=0.0.4"))
		check = subprocess.run(["promtool", "check", "metrics"], input=metrics.body, capture_output=True, timeout=10)
		self.assertEqual((check.returncode, check.stdout, check.stderr), (0, b"", b""))
		self.assertEqual(metrics.body.count(b"# TYPE weir_process_network_io_bytes_total counter"), 1)


# --- who asks --------------------------------------------------------------------------------


def seen_by(demo_, how, **headers):
	"""What somebody sees over one of the listeners, as plain data."""
	ask = get if how == "unix" else get_tcp
	found = {"status": ask(demo_, "/api/v1/processes", **headers).status}
	if found["status"] == 200:
		found["pids"] = sorted(r["pid"] for r in ask(demo_, "/api/v1/processes", **headers).json["rows"])
		found["flows"] = ask(demo_, "/api/v1/flows?limit=0", **headers).json["total"]
		found["samples"] = ask(demo_, "/metrics", **headers).body.count(b"\nweir_process_network_io_bytes_total{")
		found["doctor"] = ask(demo_, "/api/v1/doctor", **headers).json["total"]
	return found


ALL = {"status": 200, "pids": list(range(100, 110)), "flows": 50, "samples": N_PROCESSES, "doctor": 1}
OWN = {"status": 200, "pids": [101, 103, 105, 107, 109], "flows": 25, "samples": 5, "doctor": 1}


class Owners(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		demo.tell("rows 50")

	def test_root_sees_everything_and_a_user_the_own_rows(self):
		for how in ("unix", "tcp"):
			with self.subTest(how):
				self.assertEqual(seen_by(demo, how), ALL)
				self.assertEqual(as_user(NOBODY, lambda: seen_by(demo, how)), OWN)
				stranger = as_user(12345, lambda: seen_by(demo, how))
				self.assertEqual((stranger["pids"], stranger["flows"], stranger["samples"]), ([], 0, 0))

	def test_a_stream_shows_the_own_rows_only(self):
		def pids():
			stream = Stream(demo, "topics=processes&fields=pid")
			found = sorted(r["pid"] for r in stream.event()[1]["rows"])
			stream.close()
			return found
		self.assertEqual(as_user(NOBODY, pids), OWN["pids"])
		self.assertEqual(pids(), ALL["pids"])

	def test_the_token_opens_everything_and_a_wrong_one_nothing(self):
		bearer = "Bearer " + TOKEN
		for how in ("unix", "tcp"):
			with self.subTest(how):
				self.assertEqual(as_user(NOBODY, lambda: seen_by(demo, how, Authorization=bearer)), ALL)
				for wrong in (bearer + "0", bearer[:-1], "Bearer ", "Basic abc"):
					self.assertEqual(as_user(NOBODY, lambda: seen_by(demo, how, Authorization=wrong)), {"status": 401})
				self.assertEqual(as_user(NOBODY, lambda: seen_by(demo, how, Cookie="weir_token=" + TOKEN)), ALL)
				# A stale cookie is no attempt: browsers send it without being told.
				self.assertEqual(as_user(NOBODY, lambda: seen_by(demo, how, Cookie="weir_token=old")), OWN)
		self.assertEqual(get_tcp(demo, "/api/v1/doctor?token=" + TOKEN).status, 200)
		self.assertEqual(get_tcp(demo, "/api/v1/doctor?token=no").status, 401)
		moved = get_tcp(demo, "/?token=" + TOKEN)
		self.assertEqual((moved.status, moved.headers["location"]), (303, "/"))
		self.assertIn("HttpOnly; SameSite=Strict", moved.headers["set-cookie"])

	def test_over_ipv6_and_ipv4_inside_of_it(self):
		six = Demo("::1", prefix=())
		both = Demo("::")
		try:
			for d in (six, both):
				d.tell("rows 50")
			self.assertEqual(seen_by(six, "tcp"), ALL)
			self.assertEqual(as_user(NOBODY, lambda: seen_by(six, "tcp")), OWN)

			def mapped(d, family, address):
				with socket.socket(family) as s:
					s.settimeout(10)
					s.connect((address, d.port))
					answer = exchange(s, head("/api/v1/processes", f"localhost:{d.port}"))
					return sorted(r["pid"] for r in answer.json["rows"])
			for d, family, address in ((demo, socket.AF_INET6, "::ffff:127.0.0.1"), (both, socket.AF_INET, "127.0.0.1"),
						   (both, socket.AF_INET6, "::1"), (both, socket.AF_INET6, "::ffff:127.0.0.1")):
				with self.subTest(address):
					self.assertEqual(as_user(NOBODY, lambda: mapped(d, family, address)), OWN["pids"])
					self.assertEqual(mapped(d, family, address), ALL["pids"])
		finally:
			six.end()
			both.end()

	def test_who_can_not_be_known_needs_the_token(self):
		"""A client in another network namespace has no socket that this one's kernel tables know."""
		if not shutil.which("ip"):
			self.skipTest("ip is not installed")
		here, there = f"weir-gate-a{os.getpid()}", f"weir-gate-b{os.getpid()}"
		run = lambda *words: subprocess.run(["ip", *words], check=True, capture_output=True)
		d = None
		try:
			for ns in (here, there):
				run("netns", "add", ns)
			run("-n", here, "link", "add", "name", "va", "type", "veth", "peer", "name", "vb", "netns", there)
			for ns, dev, address in ((here, "va", "192.0.2.1/24"), (there, "vb", "192.0.2.2/24")):
				run("-n", ns, "addr", "add", address, "dev", dev)
				run("-n", ns, "link", "set", dev, "up")
			d = Demo("192.0.2.1", prefix=("ip", "netns", "exec", here))
			d.tell("rows 50")

			def from_there(function):
				def enter():
					with open(f"/run/netns/{there}") as ns:
						if ctypes.CDLL(None, use_errno=True).setns(ns.fileno(), 0) != 0:
							raise OSError(ctypes.get_errno(), "setns")
					return function()
				return as_user(0, enter)
			self.assertEqual(from_there(lambda: seen_by(d, "tcp")), {"status": 401})
			self.assertEqual(from_there(lambda: get_tcp(d, "/").status), 401)
			self.assertEqual(from_there(lambda: get_tcp(d, "/healthz").status), 200)
			self.assertEqual(from_there(lambda: seen_by(d, "tcp", Authorization="Bearer " + TOKEN)), ALL)
		finally:
			if d:
				d.end()
			for ns in (here, there):
				subprocess.run(["ip", "netns", "del", ns], capture_output=True)

	def test_members_of_group_weir_see_everything(self):
		"""In a mount namespace with another /etc/group: over TCP the kernel tells a user, but no groups."""
		if not shutil.which("unshare"):
			self.skipTest("unshare is not installed")
		group = 54321
		with tempfile.NamedTemporaryFile("w", suffix=".group") as f:
			f.write(f"root:x:0:\nnogroup:x:{NOBODY}:\nweir:x:{group}:nobody\n")
			f.flush()
			os.chmod(f.name, 0o644)
			d = Demo(prefix=("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"', f.name))
		try:
			d.tell("rows 50")
			for how in ("unix", "tcp"):
				self.assertEqual(as_user(12345, lambda: seen_by(d, how))["pids"], [], how)
			self.assertEqual(as_user(12345, lambda: seen_by(d, "unix"), groups=[7, group, 8]), ALL)
			self.assertEqual(as_user(12345, lambda: seen_by(d, "tcp"), groups=[group])["pids"], [])
			self.assertEqual(as_user(NOBODY, lambda: seen_by(d, "tcp")), ALL)
		finally:
			d.end()

	def test_the_gate_holds_no_right(self):
		for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
			self.assertEqual(int(demo.status(name), 16), 0, name)
		self.assertNotIn("0", demo.status("Uid").split())
		self.assertNotIn("0", demo.status("Gid").split())
		self.assertEqual((demo.status("Groups"), demo.status("NoNewPrivs"), demo.status("Seccomp")), ("", "1", "2"))


class Roles(unittest.TestCase):
	def test_nonsense_from_the_engine_is_passed_over(self):
		d = Demo()
		try:
			number = get(d, "/api/v1/doctor").json["snapshot"]
			stream = Stream(d, "topics=doctor")
			stream.event()
			for _ in range(3):
				d.tell("garbage")
			self.assertGreater(get(d, "/api/v1/doctor").json["snapshot"], number)
			d.tell("news")
			stream.close()
		finally:
			d.end()

	def test_the_gate_ends_with_the_engine(self):
		d = Demo()
		try:
			stream = Stream(d, "topics=doctor")
			waiting = d.unix()
			d.tell("silent 1")
			waiting.sendall(head("/api/v1/flows"))
			time.sleep(0.1)
			self.assertEqual(d.tell("close"), "exit 0 signal 0")
			waiting.close()
			stream.close()
		finally:
			d.end()


class ZLast(unittest.TestCase):
	"""Collects what ran in the background since the start."""

	def result(self, name):
		return patience.jobs[name].result(45)

	def test_a_trickled_head_ends_after_ten_seconds(self):
		said, took = self.result("trickled_head")
		self.assertTrue(said.startswith(b"HTTP/1.1 408"), said)
		self.assertTrue(9 < took < 13, took)

	def test_a_trickled_second_head_ends_after_twenty(self):
		said, took = self.result("trickled_second_head")
		self.assertTrue(said.startswith(b"HTTP/1.1 408"), said)
		self.assertTrue(18 < took < 23, took)

	def test_a_silent_client_is_let_go_after_ten(self):
		said, took = self.result("silent_client")
		self.assertTrue(9 < took < 13, took)
		self.assertIn(said[:12], (b"", b"HTTP/1.1 408"))

	def test_a_silent_engine_is_said_after_five(self):
		answer, took, still, after = self.result("silent_engine")
		self.assertEqual((answer.status, list(answer.json), still, after), (503, ["error"], 200, 200))
		self.assertTrue(4.5 < took < 6.5, took)

	def test_a_quiet_stream_has_a_heartbeat(self):
		self.assertEqual(self.result("heartbeat"), b": still here")


if __name__ == "__main__":
	unittest.main()
