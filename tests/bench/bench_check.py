# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds what `weir bench` measures here against what weir promises. Prints TAP.

A shared machine is slow at times, and only that: noise makes a figure worse. So what is missed is measured again, and
the best of three runs stands.

  bench_check.py [--quick]
"""

import json
import operator
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
WEIR = os.environ.get("WEIR") or str(TOP / "build" / "weir")
RUNS = 3

MOST, LEAST, JUST = operator.le, operator.ge, operator.eq
SIGN = {MOST: "at most", LEAST: "at least", JUST: "exactly"}

# name in the report, how, limit, unit
PROMISES = [
	("hooks.tcp.send.ratio", MOST, 1.6, "times an empty program on the hook"),
	("hooks.tcp.receive.ratio", MOST, 1.6, "times an empty program on the hook"),
	("hooks.udp.send.ratio", MOST, 1.6, "times an empty program on the hook"),
	("hooks.udp.receive.ratio", MOST, 1.6, "times an empty program on the hook"),
	("work.pingpong.ratio", LEAST, 0.93, "of the speed without"),
	("work.bulk.ratio", LEAST, 0.98, "of the speed without"),
	("daemon.idle.cpu", MOST, 1, "% of a processor with 10,000 open sockets"),
	("daemon.idle.pss", MOST, 50e6, "bytes with 10,000 open sockets"),
	("daemon.start.table", MOST, 1000, "ms to the first table"),
	("daemon.churn.lost", JUST, 0, "events lost at the churn of one thread"),
	("drops.udp.ratio", MOST, 3, "times an empty program on the hook"),
	("drops.frame.ratio", MOST, 3, "times an empty program on the hook"),
	("drops.quiet.udp.ratio", MOST, 1.02, "times the time without, of work that loses nothing"),
	("drops.quiet.tcp.ratio", MOST, 1.02, "times the time without, of work that loses nothing"),
	("drops.samples.missing", JUST, 0, "samples that were neither delivered nor counted as lost"),
	("drops.samples.per_second", MOST, 300, "samples of one processor a second, of 800 sums that grow"),
	("drops.flood.missing", JUST, 0, "losses that were not counted"),
	("drops.flood.unowned", JUST, 0, "losses without their process"),
	("drops.flood.rate", LEAST, 1e6, "losses a second, each counted"),
	("losses.missing", JUST, 0, "lost records that were not counted"),
]


def measure(options):
	"""{name: value} of one run."""
	done = subprocess.run([WEIR, "-j", "bench", *options], capture_output=True, text=True,
			      stdin=subprocess.DEVNULL, timeout=400)
	if done.returncode:
		sys.exit(f"bench-check: weir bench: exit status {done.returncode}: {done.stderr.strip()}")
	report = json.loads(done.stdout)
	for remark in report.get("remarks", []):
		print(f"# {remark}")
	for row in report["rows"]:
		if "skipped" in row:
			print(f"# {row['name']}: {row['skipped']}")
	return {row["name"]: row["value"] for row in report["rows"] if "value" in row}


def best(how, values):
	return {MOST: min, LEAST: max, JUST: lambda v: min(v, key=abs)}[how](values)


def main():
	seen = []
	while len(seen) < RUNS:
		seen.append(measure(sys.argv[1:]))
		print(f"# run {len(seen)} of at most {RUNS}", flush=True)
		if all(name in seen[0] and how(best(how, [s[name] for s in seen if name in s]), limit)
		       for name, how, limit, _ in PROMISES):
			break
	failed = False
	print(f"1..{len(PROMISES)}")
	for number, (name, how, limit, unit) in enumerate(PROMISES, 1):
		values = [s[name] for s in seen if name in s]
		kept = bool(values) and how(best(how, values), limit)
		failed |= not kept
		said = ", ".join(f"{v:.4g}" for v in values) or "not measured"
		print(f"{'ok' if kept else 'not ok'} {number} - {name}: {SIGN[how]} {limit:g} {unit}: {said}")
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
