# SPDX-License-Identifier: GPL-2.0-or-later
"""The Grafana dashboard and the Prometheus rules: each expression is asked of a real Prometheus that scrapes weir. No
Grafana draws the dashboard here, and the dashboard says so."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("WEIR_BUILD", TOP / "build-test"))
DASHBOARD = TOP / "data/grafana/weir.json"
RULES = TOP / "data/prometheus/weir.rules.yml"
STANDS_FOR = {"$__rate_interval": "10s", "$__range": "1m", "$instance": ".*"}
# Nothing may have been missed, sent again, or lost for these reasons so far.
MAY_BE_EMPTY = re.compile(r"weir_dropped_packets_total\{reason|weir_events_lost_total|weir_process_tcp_|state=\"unavailable\"")
PATIENCE = float(os.environ.get("WEIR_PATIENCE", "1"))


def expressions():
	"""[(where, expression)] as Prometheus gets them."""
	for panel in json.loads(DASHBOARD.read_text())["panels"]:
		for target in panel["targets"]:
			expr = target["expr"]
			for name, value in STANDS_FOR.items():
				expr = expr.replace(name, value)
			yield panel["title"], expr
	for expr in re.findall(r"^\s+expr: (.*)$", RULES.read_text(), re.M):
		yield "rules", expr


def free_port():
	with socket.create_server(("127.0.0.1", 0)) as s:
		return s.getsockname()[1]


class Declared(unittest.TestCase):
	def test_it_says_that_no_grafana_has_drawn_it(self):
		self.assertIn("no real Grafana has drawn", json.loads(DASHBOARD.read_text())["description"])

	def test_panels_lie_beside_each_other(self):
		taken = set()
		for panel in json.loads(DASHBOARD.read_text())["panels"]:
			at = panel["gridPos"]
			cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
			self.assertFalse(cells & taken, panel["title"])
			self.assertLessEqual(at["x"] + at["w"], 24)
			taken |= cells

	@unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
	def test_rules_are_rules(self):
		done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
		self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


@unittest.skipUnless(os.geteuid() == 0, "needs root")
@unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed")
class Asked(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.folder = tempfile.TemporaryDirectory(prefix="weir-dashboard-")
		cls.started = []
		try:
			cls.begin(Path(cls.folder.name))
		except BaseException:
			cls.tearDownClass()
			raise

	@classmethod
	def start(cls, log, *words):
		with open(log, "w") as out:
			cls.started.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
							    start_new_session=True))

	@classmethod
	def begin(cls, top):
		weir, cls.port = free_port(), free_port()
		cls.start(top / "weir.log", BUILD / "weir", "daemon", "--socket", top / "weir.sock", "--listen", f"127.0.0.1:{weir}",
			  "--state", top / "state", "--pins", top / "pins")
		config = top / "prometheus.yml"
		config.write_text("global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
				  f"rule_files: ['{RULES}']\n"
				  f"scrape_configs: [{{job_name: weir, static_configs: [{{targets: ['127.0.0.1:{weir}']}}]}}]\n")
		cls.start(top / "prometheus.log", "prometheus", f"--config.file={config}", f"--storage.tsdb.path={top}/data",
			  f"--web.listen-address=127.0.0.1:{cls.port}")
		cls.wait_for("weir_build_info", 30)
		subprocess.run([BUILD / "tests/generator/weir-generate", "churn", "--seconds", "6"], stdout=subprocess.DEVNULL,
			       stderr=subprocess.DEVNULL, timeout=60 * PATIENCE)
		cls.lose_packets()
		cls.wait_for("sum(rate(weir_dropped_packets_total[10s])) > 0", 20)
		cls.wait_for("sum(rate(weir_process_network_io_bytes_total[10s])) > 0", 20)

	@classmethod
	def lose_packets(cls):
		"""Nobody hears them; for a rate they are lost in several scrapes."""
		closed = ("127.0.0.1", free_port())
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
			for _ in range(30):
				sock.sendto(b"lost", closed)
				time.sleep(0.1)

	@classmethod
	def ask(cls, expr):
		url = f"http://127.0.0.1:{cls.port}/api/v1/query?" + urllib.parse.urlencode({"query": expr})
		try:
			with urllib.request.urlopen(url, timeout=10) as answer:
				return json.load(answer)
		except urllib.error.HTTPError as e:
			return json.load(e)

	@classmethod
	def wait_for(cls, expr, seconds):
		end = time.monotonic() + seconds * PATIENCE
		while time.monotonic() < end:
			try:
				if cls.ask(expr).get("data", {}).get("result"):
					return
			except OSError:
				pass
			time.sleep(0.3)
		raise RuntimeError(f"Prometheus has no {expr} after {seconds * PATIENCE:.0f} s")

	@classmethod
	def tearDownClass(cls):
		for process in cls.started:
			if process.poll() is None:
				process.send_signal(signal.SIGTERM)
		for process in cls.started:
			try:
				process.wait(15)
			except subprocess.TimeoutExpired:
				os.killpg(process.pid, signal.SIGKILL)
				process.wait()
		cls.folder.cleanup()

	def test_each_expression_has_an_answer(self):
		for where, expr in expressions():
			with self.subTest(where=where, expression=expr):
				answer = self.ask(expr)
				self.assertEqual(answer["status"], "success", answer.get("error"))
				if not MAY_BE_EMPTY.search(expr):
					self.assertTrue(answer["data"]["result"], "Prometheus has nothing for it")

	def test_each_metric_has_a_series(self):
		"""A misspelt name would give no error, and nothing."""
		named = {name for _, expr in expressions() for name in re.findall(r"weir_\w+", expr)}
		series = self.ask('group by (__name__) ({__name__=~"weir_.+"})')["data"]["result"]
		known = {one["metric"]["__name__"] for one in series}
		self.assertEqual(named - known, set())


if __name__ == "__main__":
	unittest.main(verbosity=2)
