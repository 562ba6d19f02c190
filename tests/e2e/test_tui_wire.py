# SPDX-License-Identifier: GPL-2.0-or-later
"""What `weir top` sends to the terminal: less than 20,000 bytes a second, whatever moves.

A daemon that is made up answers, so that the load is the same everywhere: 10,000 processes, of which each moves
something else each second and changes its place. Bytes are counted, not time: a slow machine sends fewer."""

import contextlib
import datetime
import json
import pathlib
import random
import socketserver
import tempfile
import threading
import time
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler

import harness
import test_tui

PROCESSES = 10000
FLOWS_OF_EACH = 2
BEGUN = datetime.datetime(2026, 11, 22, 17)
LIMIT = 20000 # bytes a second
SECONDS = 5
PAST_SECONDS = 6 # within which the past is asked for anew
LEAST = {"drops": 400, "history": 100, "doctor": 5} # of doctor the clock moves, and little else
SIZES = ((40, 120, "en"), (60, 200, "en"), (60, 200, "zh"))


class Made:
	"""What the tables hold in a second: a function of that second alone."""

	def __init__(self, begun):
		self.begun = begun

	def now(self):
		return int(time.monotonic() - self.begun) + 1

	def rates(self, second):
		numbers = random.Random(second)
		return [int(numbers.paretovariate(0.7) * 1000) for _ in range(2 * PROCESSES)]

	def process(self, i, second, rates):
		tx, rx = rates[2 * i], rates[2 * i + 1]
		return {"pid": 1000 + i, "start_time_ns": 1000 * i, "comm": f"worker-{i % 977}", "exe": f"/usr/bin/worker-{i}",
			"uid": 33, "user": "www-data", "unit": f"worker@{i}.service", "state": "running",
			"tx_bytes": 1000 * tx * second, "rx_bytes": 1000 * rx * second, "tx_bytes_per_second": tx,
			"rx_bytes_per_second": rx, "connections_open": i % 40, "connections_total": 100, "retransmits": second % 7,
			"srtt_us": 200 + (rx + second) % 5000}

	def flow(self, i, second, rates):
		row = self.process(i, second, rates)
		return {k: row[k] for k in ("pid", "comm", "unit", "user", "tx_bytes", "rx_bytes", "tx_bytes_per_second",
					    "rx_bytes_per_second", "retransmits", "srtt_us")} | {
			"cookie": i, "transport": "tcp", "type": "ipv4", "role": "server", "state": "established",
			"local_address": "10.0.0.1", "local_port": 443, "peer_address": f"198.51.100.{i % 250}",
			"peer_port": 1024 + i}

	def loss(self, i, second, rates):
		return {"reason": f"REASON_{i % 90}", "class": ("tune", "expected", "bug")[i % 3], "layer": "socket",
			"location": f"tcp_v4_rcv+{i:#x}", "device": f"eth{i % 7}", "source": "packet", "pid": 1000 + i,
			"comm": f"worker-{i % 977}", "packets": rates[i] * second, "packets_per_second": rates[i] % 5000}

	def doctor(self, i, second, rates):
		return {"feature": ("traffic", "dns", "drops")[i % 3], "hook_set": f"set-{i}", "state": ("on", "degraded")[i % 2],
			"serves": "what it serves", "hooks": "sock_send_length, sock_recv_length", "reason": "it lacks something",
			"cure": "a newer kernel"}

	def program(self, i, second, rates):
		return {"program": f"worker-{i}", "exe": f"/usr/bin/worker-{i}", "uid": 33, "user": "www-data",
			"unit": f"worker@{i}.service", "tx_bytes": rates[i] * 100, "rx_bytes": rates[-i - 1] * 100,
			"tx_bytes_per_second_max": rates[i], "rx_bytes_per_second_max": rates[-i - 1], "connections": second + i,
			"retransmits": rates[i] % 100, "lost_packets": rates[i] % 70, "first_seen": self.stamp(second - 100),
			"last_seen": self.stamp(second), "new": i % 9 == 0}

	def step(self, i, second, rates):
		return {"time": self.stamp(second - 30 * i), "seconds": 30, "tx_bytes": rates[i] * 30, "rx_bytes": rates[-i - 1] * 30,
			"tx_bytes_per_second_max": 2 * rates[i], "rx_bytes_per_second_max": 2 * rates[-i - 1], "connections": 9,
			"retransmits": 0, "lost_packets": 0}

	def level(self, i, second, rates):
		return {"level": ("1 s", "10 s", "1 min", "1 h", "day", "event")[i], "seconds": 1, "kept_seconds": 3600,
			"rows": rates[i], "oldest": self.stamp(0), "newest": self.stamp(second)}

	@staticmethod
	def stamp(second):
		return (BEGUN + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")

	def others(self, table, second, query):
		"""Of tables that hold less: so many rows, the sums of some of their fields, and for the past the span."""
		make, n = {"drops": (self.loss, 400), "doctor": (self.doctor, 12), "history": (self.program, 300),
			   "history_rates": (self.step, 120), "history_store": (self.level, 6)}.get(table, (None, 0))
		rates = self.rates(second)
		offset, limit = int(query.get("offset", 0)), int(query.get("limit", n))
		rows = [make(i, second, rates) for i in range(n)]
		if table == "drops":
			rows.sort(key=lambda row: row["packets_per_second"], reverse=True)
		return rows[offset:offset + limit], n, {"packets_per_second": sum(rates[:n]), "packets": second * 1000}

	def rows(self, table, second, query):
		make = {"processes": self.process, "flows": self.flow}.get(table)
		if not make:
			return self.others(table, second, query)
		rates = self.rates(second)
		place = sorted(range(PROCESSES), key=lambda i: rates[2 * i] + rates[2 * i + 1], reverse=True)
		offset, limit = int(query.get("offset", 0)), int(query.get("limit", PROCESSES))
		pid = query.get("filter", "")
		if "pid:" in pid:
			number = pid.split("pid:")[1].split()[0]
			place = [i for i in place if str(1000 + i) == number]
		sums = {"tx_bytes_per_second": sum(rates[::2]), "rx_bytes_per_second": sum(rates[1::2]),
			"connections_open": PROCESSES * 20, "retransmits": second * 3}
		return [make(i, second, rates) for i in place[offset:offset + limit]], len(place), sums


class Answer(BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"

	def do_GET(self):
		url = urllib.parse.urlsplit(self.path)
		query = dict(urllib.parse.parse_qsl(url.query))
		made, second = self.server.made, self.server.made.now()
		rows, total, sums = made.rows(url.path.rpartition("/")[2], second, query)
		body = {"schema_version": 1, "host": "made-up", "time": made.stamp(second),
			"snapshot": second, "lost_events": 0, "total": total, "sums": sums, "rows": rows}
		text = json.dumps(body, separators=(",", ":")).encode()
		self.send_response(200)
		self.send_header("Content-Type", "application/json")
		self.send_header("Content-Length", str(len(text)))
		self.end_headers()
		self.wfile.write(text)

	def address_string(self):
		return ""

	def log_message(self, *_):
		pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
	daemon_threads = True

	def handle_error(self, request, client_address):
		"""A view that has ended takes no more answers."""


class Wire(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.folder = tempfile.TemporaryDirectory()
		cls.socket = str(pathlib.Path(cls.folder.name) / "socket")
		cls.server = Server(cls.socket, Answer)
		cls.server.made = Made(time.monotonic())
		threading.Thread(target=cls.server.serve_forever, args=(0.1,), daemon=True).start()

	@classmethod
	def tearDownClass(cls):
		cls.server.shutdown()
		cls.server.server_close()
		cls.folder.cleanup()

	def rate(self, rows, columns, keys, environment):
		"""Bytes a second once the first frame is there, and rows that differ from one second to the next."""
		with test_tui.Terminal(harness.WEIR, "top", "--socket", self.socket, rows=rows, columns=columns,
				       environment=environment) as t:
			t.wait_for(b"made-up")
			t.send(*keys)
			t.settle(0.3, 2)
			begun, before = time.monotonic(), len(t.output)
			while time.monotonic() < begun + SECONDS:
				t.read(0.1)
			return (len(t.output) - before) / (time.monotonic() - begun)

	def check(self, keys, least):
		for rows, columns, language in SIZES:
			with self.subTest(f"{columns}x{rows} {language}"):
				rate = self.rate(rows, columns, keys, {"WEIR_LANG": language})
				print(f"# {columns}x{rows} {language}: {rate:.0f} bytes a second", flush=True)
				self.assertLess(rate, LIMIT)
				self.assertGreater(rate, least * rows, "nothing moves: this measures nothing")

	def test_now(self):
		self.check(["1"], 5)

	def test_processes(self):
		self.check(["2"], 10)

	def test_flows(self):
		self.check(["3"], 10)

	def test_drops_history_and_doctor(self):
		"""Each on a terminal of its own, at once."""
		with contextlib.ExitStack() as stack:
			terminals = {}
			for name, key in (("drops", "4"), ("history", "5"), ("doctor", "6")):
				t = stack.enter_context(test_tui.Terminal(harness.WEIR, "top", "--socket", self.socket, rows=40, columns=120,
									  environment={"WEIR_LANG": "en"}))
				t.wait_for(b"made-up")
				t.send(key)
				terminals[name] = t
			for name, text in (("drops", b"REASON_"), ("history", b"worker-"), ("doctor", b"set-1")):
				terminals[name].wait_for(text)
				terminals[name].settle(0.3, 1)
			begun, before = time.monotonic(), {name: len(t.output) for name, t in terminals.items()}
			while time.monotonic() < begun + PAST_SECONDS:
				for t in terminals.values():
					t.read(0.03)
			for name, t in terminals.items():
				with self.subTest(name):
					rate = (len(t.output) - before[name]) / (time.monotonic() - begun)
					print(f"# {name}, 120x40: {rate:.0f} bytes a second", flush=True)
					self.assertLess(rate, LIMIT)
					self.assertGreater(rate, LEAST[name], "nothing moves: this measures nothing")


if __name__ == "__main__":
	unittest.main()
