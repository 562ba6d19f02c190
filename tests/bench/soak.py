# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten minutes of churn under one daemon: short lives, connections opened and closed, readers that come and go. Nothing
may grow, nothing may get lost uncounted, and at the end nothing may be left. Prints TAP.

  soak.py [SECONDS]       600; 240 at least
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 600
CROWD = 1000
UNANSWERED = "wg-unanswered" # a case of the generator whose listener does not accept: weir is right there
MIXED_EVERY = 5 # rounds: every way to move bytes that the generator knows
LEAST_SECONDS = 240
TRIM_SECONDS = 35
KEPT_SECONDS = 90 # processes and sockets that have ended stay for a minute, and some for the looks in between
MOST_GROWTH_BYTES = 8 << 20
MOST_GROWTH_DESCRIPTORS = 4


def memory(pids):
	"""Resident bytes that nobody else shares, of all roles."""
	total = 0
	for pid in pids:
		for line in harness.read_text(f"/proc/{pid}/smaps_rollup").splitlines():
			if line.startswith("Pss:"):
				total += int(line.split()[1]) * 1024
	return total


def descriptors(pids):
	return sum(len(harness.descriptors_of(pid)) for pid in pids)


def settled(pids):
	"""What is held, not what was in use for a moment: the engine gives back free memory each half minute."""
	time.sleep(TRIM_SECONDS)
	return memory(pids), descriptors(pids)


def claims(daemon):
	"""Nothing of this load is wrong, so nothing of it may be called so. Others use the machine, in other namespaces."""
	namespace = os.stat("/proc/self/ns/net").st_ino
	return [(row["reason"], row["location"], row["comm"], row["packets"]) for row in daemon.rows("drops")
		if row["netns"] == namespace and row["class"] != "expected" and row["comm"] != UNANSWERED]


class Report:
	def __init__(self):
		self.number = 0
		self.failed = 0

	def say(self, good, what):
		self.number += 1
		self.failed += not good
		print(f"{'ok' if good else 'not ok'} {self.number} - {what}", flush=True)


def one_round(daemon, number):
	"""Some seconds of everything. The crowd's bytes must be right each time."""
	truth = harness.generate("crowd", CROWD, timeout=120)
	have = {}
	for row in daemon.rows("processes", "?filter=process:wg-c0*"):
		have.setdefault((row["pid"], row["comm"]), set()).add((row["tx_bytes"], row["rx_bytes"]))
	wrong = [line["comm"] for line in truth.phase("final") if line["role"] == "crowd"
		 and (line["tx_bytes"], line["rx_bytes"]) not in have.get((line["pid"], line["comm"]), ())]
	harness.generate("churn", "--seconds", 2, timeout=60)
	if number % MIXED_EVERY == 0:
		harness.generate("run", "all", timeout=120)
	for path in ("/metrics", "/api/v1/flows", "/api/v1/audit", "/api/v1/hooks", "/"):
		daemon.get(path)
	return wrong


def main():
	harness.need_root()
	report = Report()
	before = set(Path("/sys/fs/bpf").iterdir()) if Path("/sys/fs/bpf").exists() else set()
	with harness.Daemon() as daemon:
		roles = daemon.roles()
		pids = list(roles.values())
		wrong, number, base = [], 0, None
		begun = time.monotonic()
		end = begun + max(SECONDS, LEAST_SECONDS)
		while time.monotonic() < end:
			try:
				wrong += one_round(daemon, number)
			except Exception:
				print(f"# after round {number}: {memory(pids) >> 10} KB; the daemon's log:\n{daemon.log}")
				raise
			number += 1
			# What exited is kept for a minute, so before that it may grow.
			if not base and time.monotonic() - begun > max(SECONDS / 4, KEPT_SECONDS):
				base = settled(pids)
			if number % 10 == 1:
				each = ", ".join(f"{role} {memory([pid]) >> 10}" for role, pid in roles.items())
				print(f"# round {number}: KB: {each}; {descriptors(pids)} descriptors", flush=True)
		now = settled(pids)
		report.say(not wrong, f"each of {number * CROWD} short lives has its bytes, wrong: {len(wrong)} {wrong[:5]}")
		report.say(now[0] - base[0] <= MOST_GROWTH_BYTES,
			   f"memory: {base[0] >> 10} KB when all that is kept was there, {now[0] >> 10} KB at the end")
		report.say(now[1] - base[1] <= MOST_GROWTH_DESCRIPTORS, f"descriptors: {base[1]}, then {now[1]}")
		report.say(sorted(daemon.roles().values()) == sorted(pids), "no role had to be started again")
		called = claims(daemon)
		report.say(not called, f"no lost packet is called wrong: {called[:5]}")
		audit = daemon.audit()
		report.say(all(row["ok"] for row in audit.values()), "the audit finds nothing unattributed")
		pid = daemon.pid
	report.say(not harness.alive(pid) and not harness.children_of(pid), "no process is left")
	after = set(Path("/sys/fs/bpf").iterdir()) if Path("/sys/fs/bpf").exists() else set()
	report.say(not after - before, "no pin is left")
	print(f"1..{report.number}")
	return 1 if report.failed else 0


if __name__ == "__main__":
	sys.exit(main())
