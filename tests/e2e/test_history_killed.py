# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole daemon, killed at random moments again and again: what it had told stays told, nothing comes twice, and it
says that it was killed.

WEIR_DEATHS says how many of them; WEIR_DEATHS_TOLD=1 prints what was measured.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import harness
import steady
from harness import Daemon, Namespace
from test_history import WAIT, counters, fallen, moved, seconds_of

DEATHS = int(os.environ.get("WEIR_DEATHS") or 30)
LANES = 2         # daemons at a time
MOST = 1 + 0.5 * harness.PATIENCE # seconds that a death takes: one, and a little where processors and disks are shared
LIFE = 2.5        # the longest; most are shorter
ASKS = 0.1        # between two looks at what it tells
STARTS = 5        # each so many-th death comes while it starts
FILTER = f"?filter=program:{steady.NAME}"
SENT = f'weir_process_network_io_bytes_total{{process="{steady.NAME}"'
CARRIED = {"traffic": SENT, "drops": "weir_dropped_packets_total", "dns": 'weir_dns_answers_total{outcome="named"}',
	   "weir: history": "weir_self_cpu_seconds_total"} # by what has to be on


class Traffic:
	"""A context manager: steady.py in a network namespace of its own, and how much it has sent."""

	def __init__(self, folder):
		self.path = folder / "sent"
		self.path.write_bytes(bytes(8))

	def __enter__(self):
		with contextlib.ExitStack() as stack:
			namespace = stack.enter_context(Namespace())
			self.process = subprocess.Popen(namespace.enter(sys.executable, steady.__file__, self.path),
							stdin=subprocess.DEVNULL, preexec_fn=harness.die_with_parent)
			stack.callback(self.process.wait)
			stack.callback(self.process.kill)
			harness.wait_until("traffic", self.sent)
			self.stack = stack.pop_all()
		return self

	def __exit__(self, *_):
		self.stack.close()

	def sent(self):
		return int.from_bytes(self.path.read_bytes(), sys.byteorder)


class Told:
	"""What a daemon says now: all of it was so at .at, and not later."""

	def __init__(self, daemon):
		self.counters = counters(daemon)
		self.tx, self.rx = moved(daemon.rows("history", FILTER))
		self.at = time.monotonic()

	def less_than(self, before):
		found = fallen({name: value for name, value in before.counters.items() if value}, self.counters)
		if self.tx < before.tx or self.rx < before.rx:
			found["history"] = ((before.tx, before.rx), (self.tx, self.rx))
		return found


class Lane:
	"""One daemon with one folder of state, and its deaths."""

	def __init__(self, number, deaths, traffic, stop):
		self.random = random.Random(number)
		self.daemon = Daemon()
		self.traffic = traffic
		self.stop = stop
		self.deaths = deaths
		self.told = []                # by daemons before, and by this one
		self.killed = self.unready = 0
		self.seconds_lost = []        # how old the oldest was that a death took
		self.faults = []

	def run(self):
		try:
			self.daemon.start()
			# Before it has anything there is nothing that could be missing.
			harness.wait_until("it is written", lambda: seconds_of(self.daemon), WAIT)
			for i in range(self.deaths):
				if self.stop.is_set() or self.faults:
					break
				self.live()
				at = self.die()
				if i % STARTS == STARTS - 1:
					self.die_while_it_starts()
				self.daemon.start()
				self.look(at)
			self.finish()
		finally:
			with contextlib.suppress(AssertionError):
				self.daemon.stop()
			self.daemon.clean()
		return self

	def live(self):
		end = time.monotonic() + LIFE * self.random.random() ** 2
		while end - time.monotonic() > ASKS:
			self.told.append(Told(self.daemon))
			time.sleep(ASKS)
		time.sleep(max(0, end - time.monotonic()))

	def die(self):
		"""All roles, in any order."""
		family = [self.daemon.pid, *harness.children_of(self.daemon.pid)]
		self.random.shuffle(family)
		at = time.monotonic()
		for pid in family:
			with contextlib.suppress(ProcessLookupError):
				os.kill(pid, signal.SIGKILL)
		self.daemon.process.wait()
		self.daemon.socket.unlink(missing_ok=True)
		self.killed += 1
		return at

	def die_while_it_starts(self):
		self.daemon.launch()
		time.sleep(self.random.uniform(0, 1.2 * self.daemon.ready_seconds))
		self.die()
		self.killed -= 1
		self.unready += 1 # it had history open, or had not yet

	def look(self, at):
		now = Told(self.daemon)
		sure = [t for t in self.told if at - t.at > MOST]
		lost = {at - t.at: less for t in self.told if (less := now.less_than(t))}
		longest = max(lost, default=0)
		self.seconds_lost.append(longest)
		if longest > MOST:
			self.faults.append(f"told {longest:.2f} s before death {self.killed}, and then less: {lost[longest]}")
		self.told = [*sure[-1:], now] # what the newest had is not sure by what this one counted meanwhile
		self.not_twice(now)
		self.said()

	def not_twice(self, told):
		sent = self.traffic.sent()
		counted = sum(v for k, v in told.counters.items() if k.startswith(SENT) and 'direction="transmit"' in k)
		if max(told.tx, counted) > sent:
			self.faults.append(f"after death {self.killed} more than was sent: {sent}, history {told.tx}, metrics {counted}")

	def said(self):
		events = self.daemon.rows("history_events", "?filter=kind:killed&sort=-time")
		if not self.killed <= len(events) <= self.killed + self.unready or "at most one second" not in events[0]["summary"]:
			self.faults.append(f"after {self.killed} deaths, and {self.unready} at a start, it says {events}")

	def finish(self):
		"""It goes on as if nothing had been, and a clean end is one."""
		last = Told(self.daemon)
		sent = self.traffic.sent()
		on = {row["feature"] for row in self.daemon.rows("doctor") if row["state"] == "on"}
		for feature, what in CARRIED.items():
			if feature in on and not any(v for k, v in last.counters.items() if k.startswith(what)):
				self.faults.append(f"{what} has counted nothing")
		harness.wait_until("history goes on", lambda: Told(self.daemon).tx > last.tx, 5)
		command = self.daemon.json("history", f"program:{steady.NAME}")["rows"]
		if not last.tx <= moved(command)[0] <= self.traffic.sent():
			self.faults.append(f"weir history has {moved(command)}, it was {last.tx} and {sent} were sent")
		before = Told(self.daemon)
		if self.daemon.stop():
			self.faults.append(f"no clean end: {self.daemon.log}")
		self.daemon.start()
		if less := Told(self.daemon).less_than(before):
			self.faults.append(f"a clean end, and then less: {less}")
		self.said()


class Killed(unittest.TestCase):
	SECONDS = 60 + 3 * DEATHS

	def setUp(self):
		harness.need_root()

	def test_all_of_it_at_random_moments(self):
		stop = threading.Event()
		with contextlib.ExitStack() as stack:
			folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-e2e-"))
			traffic = stack.enter_context(Traffic(pathlib.Path(folder)))
			workers = stack.enter_context(concurrent.futures.ThreadPoolExecutor(LANES))
			stack.callback(stop.set)
			share = [DEATHS // LANES + (n < DEATHS % LANES) for n in range(LANES)]
			runs = [workers.submit(Lane(n, deaths, traffic, stop).run) for n, deaths in enumerate(share)]
			lanes = [r.result() for r in runs]
		for lane in lanes:
			self.assertEqual(lane.faults, [])
		lost = sorted(s for lane in lanes for s in lane.seconds_lost)
		if os.environ.get("WEIR_DEATHS_TOLD"):
			print(f"{len(lost)} deaths and {sum(lane.unready for lane in lanes)} at a start; lost, in seconds: median "
			      f"{lost[len(lost) // 2]:.2f}, most {lost[-1]:.2f}")


if __name__ == "__main__":
	unittest.main()
