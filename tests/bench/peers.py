#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What weir and both tcptops say about known bytes, in virtual machines with the kernels 6.12 and 6.1: for correctness
only, since emulation says nothing about speed. All three watch at the same time. Prints a table for each kernel, and
TAP: weir has to be right, the others are shown.

  peers.py [6.12|6.1]      in a virtual machine, or in both
  peers.py --here          on this kernel, which needs kprobes

Nothing is fetched. Who wants the others in the table has them already:

  WEIR_PEERS_BCC           bcc's tcptop; tcptop-bpfcc (package bpfcc-tools) when it is not set
  WEIR_PEERS_HEADERS       a folder with the unpacked header packages of the kernels, which bcc compiles against
  WEIR_PEERS_LIBBPF_TOOLS  the program tcptop of libbpf-tools
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "e2e"))

import harness # noqa: E402

KERNELS = ("6.12", "6.1")
SETTINGS = ("WEIR", "WEIR_BUILD", "WEIR_GENERATE", "WEIR_PEERS_BCC", "WEIR_PEERS_HEADERS", "WEIR_PEERS_LIBBPF_TOOLS")
GUEST_SECONDS = 600
PATIENCE = 10 # of what the guest does; its clock may run faster than ours
START_SECONDS = 100 * harness.PATIENCE # bcc compiles first
NOT_POSSIBLE = 77

CASES = {
	"tcp4-write": "write() and read()",
	"tcp6-write": "the same over IPv6",
	"tcp4-partial": "calls that send a part",
	"tcp4-peek": "MSG_PEEK, then a read",
	"tcp4-waitall": "MSG_WAITALL",
	"tcp4-sendfile": "sendfile()",
	"tcp4-splice-out": "splice() out of a socket",
	"tcp4-zerocopy": "MSG_ZEROCOPY",
	"tcp4-zerocopy-receive": "TCP_ZEROCOPY_RECEIVE",
	"tcp4-uring-send": "io_uring: send",
	"tcp4-uring-send-zc": "io_uring: send without copy",
	"tcp4-uring-recv": "io_uring: receive",
	"tcp4-unread": "closed with bytes unread",
	"tcp4-fork": "a socket shared over fork()",
	"tcp4-pass": "a socket passed on",
	"tcp4-brief": "a process of a millisecond",
	"tcp4-sockmap": "moved by a socket map",
	"mptcp4-write": "Multipath TCP",
	"udp4-send": "UDP",
	"unix-write": "a Unix socket",
}
CROWD = 40


# --- the tcptops ----------------------------------------------------------------------------

ROW = re.compile(r"^(\d+)\s+\S+\s+\S+:\d+\s+\S+:\d+\s+(\d+)\s+(\d+)\s*$", re.M)


class Tcptop:
	"""Sums from its start to its end: it prints when it is interrupted."""

	def __init__(self, name, command, says_ready=None, before=()):
		self.name = name
		self.command = command
		self.says_ready = says_ready
		self.before = before # shell lines, in a mount namespace of its own
		self.rows = {}
		self.problem = None

	def __enter__(self):
		self.output = tempfile.TemporaryFile("w+")
		words = self.command
		if self.before:
			words = ["unshare", "--mount", "sh", "-ec", "\n".join([*self.before, 'exec "$@"']), "sh", *words]
		self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
						env=os.environ | {"PYTHONUNBUFFERED": "1"},
						preexec_fn=harness.die_with_parent)
		end = time.monotonic() + (START_SECONDS if self.says_ready else harness.PATIENCE)
		while time.monotonic() < end and self.process.poll() is None:
			time.sleep(0.1)
			if self.says_ready and self.says_ready in self.said():
				return self
		if self.process.poll() is not None:
			self.problem = self.last_line()
		elif self.says_ready:
			self.problem = f"not ready after {START_SECONDS:.0f} s"
		return self

	def said(self):
		self.output.flush()
		return os.pread(self.output.fileno(), 1 << 22, 0).decode(errors="replace")

	def last_line(self):
		lines = [line for line in self.said().splitlines() if line.strip()]
		return lines[-1] if lines else f"exit status {self.process.returncode}"

	def __exit__(self, *_):
		if self.process.poll() is None:
			self.process.send_signal(signal.SIGINT)
			try:
				self.process.wait(60 * harness.PATIENCE)
			except subprocess.TimeoutExpired:
				self.process.kill()
				self.process.wait()
				self.problem = self.problem or "did not end when it was interrupted"
		for pid, rx, tx in ROW.findall(self.said()):
			have = self.rows.setdefault(int(pid), [0, 0, 0])
			have[0] += int(tx) * 1024
			have[1] += int(rx) * 1024
			have[2] += 1
		self.output.close()

	def seen(self, pid):
		"""What it printed of a process: (sent, read, rows). Each row is cut to whole KB."""
		return self.rows.get(pid, (0, 0, 0))


def headers_of(release):
	"""Shell lines that put the headers where bcc looks; Debian has two packages of them."""
	folder = os.environ.get("WEIR_PEERS_HEADERS")
	if not folder:
		return ()
	sources = Path(folder) / "usr" / "src"
	build = sources / f"linux-headers-{release}"
	found = [d for d in sources.glob("linux-headers-*-common") if release.startswith(d.name[14:-7])]
	if not build.is_dir() or not found:
		return ()
	modules = f"/lib/modules/{release}"
	return (f"mount -t tmpfs none {modules}", f"ln -s {build} {modules}/build", f"ln -s {found[0]} {modules}/source")


def tcptops():
	"""(those that are there, {name: why the other is not})."""
	found, lacking = [], {}
	bcc = os.environ.get("WEIR_PEERS_BCC") or shutil.which("tcptop-bpfcc", path=os.environ["PATH"] + ":/usr/sbin")
	if bcc:
		found.append(Tcptop("bcc", ["/usr/bin/python3", bcc, "-C", "-S", "3600"], "Tracing...",
				    headers_of(os.uname().release)))
	else:
		lacking["bcc"] = "bcc's tcptop is not installed (bpfcc-tools)"
	libbpf = os.environ.get("WEIR_PEERS_LIBBPF_TOOLS")
	if libbpf:
		found.append(Tcptop("libbpf-tools", [libbpf, "-C", "-S", "-r", "10240", "3600"]))
	else:
		lacking["libbpf-tools"] = "WEIR_PEERS_LIBBPF_TOOLS does not name its tcptop"
	return found, lacking


# --- what is said, and what is true ---------------------------------------------------------


def by_process(truths):
	"""{pid: [sent, read]}."""
	sums = {}
	for t in truths:
		have = sums.setdefault(t["pid"], [0, 0])
		have[0] += t["tx_bytes"]
		have[1] += t["rx_bytes"]
	return sums


def right(want, have, rows):
	"""Whole KB, rounded down in each row."""
	return have <= want and (want - have < 1024 * rows or want == have)


def in_words(truths, seen):
	"""seen(pid) -> (sent, read, rows) held against the truth."""
	sums = by_process(truths)
	said = []
	for i, direction in enumerate(("sent", "read")):
		want = sum(s[i] for s in sums.values())
		have = sum(seen(pid)[i] for pid in sums)
		rows = sum(seen(pid)[2] for pid in sums)
		if right(want, have, rows):
			if not all(right(s[i], seen(pid)[i], seen(pid)[2]) for pid, s in sums.items()):
				said.append(f"{direction}: wrong process")
		elif have == 0:
			said.append(f"{direction}: nothing")
		else:
			said.append(f"{direction}: {have / want:.2f} times" if want else f"{direction}: {have} of none")
	return ", ".join(said) or "right"


def of_weir(truths, rows):
	certain = harness.exact(truths)
	if harness.process_differences(certain, rows):
		return "; ".join(harness.process_differences(certain, rows))
	return "right" if len(certain) == len(truths) else "named: " + ", ".join(sorted(harness.remainders(truths)))


def run_cases():
	"""[(label, truths)]; what this kernel has not is said."""
	done = []
	for case, label in CASES.items():
		truth = harness.generate("run", case, check=False)
		result = truth.results.get(case, {"result": "failed", "reason": "no such case"})
		if result["result"] == "ok":
			done.append((label, truth.of(case)))
		else:
			print(f"# {label}: {result['result']}: {result['reason']}")
	truth = harness.generate("crowd", CROWD, timeout=120)
	done.append((f"{CROWD} short lives", truth.phase("final")))
	return done


def table(lines):
	widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
	for line in lines:
		print("# " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def watch_with(tools, daemon):
	"""Everybody watches the same; ([(label, truths)], rows of weir's processes)."""
	if not tools:
		done = run_cases()
		return done, daemon.rows("processes") if daemon else []
	with tools[0]:
		return watch_with(tools[1:], daemon)


def start_weir():
	daemon = harness.Daemon()
	try:
		return daemon.start(), None
	except AssertionError as error:
		daemon.clean()
		return None, str(error).splitlines()[-1]


def say(good, what):
	print(f"{'ok' if good else 'not ok'} - {os.uname().release}: {what}", flush=True)


def skip(what, why):
	print(f"ok - {os.uname().release}: {what} # SKIP {why}", flush=True)


def here():
	harness.need_root()
	tools, lacking = tcptops()
	daemon, why = start_weir()
	sets = None
	try:
		if daemon:
			sets = next((r["hook_set"] for r in daemon.rows("doctor")
				     if r["feature"] == "traffic" and r["state"] == "on"), None)
			if not sets:
				daemon.stop()
				daemon.clean()
				daemon, why = None, "weir has no hooks for this kernel"
		done, rows = watch_with(tools, daemon)
	finally:
		if daemon:
			daemon.stop()
			daemon.clean()
	working = [t for t in tools if not t.problem]
	columns = (["weir"] if daemon else []) + [t.name for t in working]
	lines, wrong = [["", *columns]], []
	for label, truths in done:
		cells = []
		if daemon:
			cells.append(of_weir(truths, rows))
			if cells[0] != "right" and not cells[0].startswith("named"):
				wrong.append(label)
		lines.append([label, *cells, *(in_words(truths, t.seen) for t in working)])
	table(lines)
	if daemon:
		say(not wrong, f"weir ({sets}) is right about {len(done)} cases" + (f", but for {wrong}" if wrong else ""))
	else:
		skip("weir", why)
	for t in tools:
		lacking |= {t.name: f"{t.name}'s tcptop: {t.problem}"} if t.problem else {}
	for name in ("bcc", "libbpf-tools"):
		if name in lacking:
			skip(name, lacking[name])
		else:
			say(True, f"{name} was watched")
	return 1 if wrong else 0


# --- in virtual machines --------------------------------------------------------------------


def in_guest(kernel):
	"""The guest's exit status, its lines printed."""
	settings = [word for name in SETTINGS if os.environ.get(name) for word in ("--env", name)]
	settings += ["--env", f"WEIR_PATIENCE={PATIENCE}"]
	done = subprocess.run([TOP / "tools" / "vm-run", "--kernel", kernel, "--memory", "2G", "--seconds",
			       str(GUEST_SECONDS), *settings, "--", "/usr/bin/python3", Path(__file__).resolve(), "--here"],
			      stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
	print(f"# {kernel}, {time.strftime('%Y-%m-%d')}")
	print(done.stdout, end="")
	if done.returncode == NOT_POSSIBLE:
		print(f"ok - {kernel} # SKIP {done.stderr.strip()}")
		return 0
	if done.returncode or "ok - " not in done.stdout:
		print(f"not ok - {kernel}: exit status {done.returncode}")
		print("".join(f"# {line}\n" for line in done.stderr.splitlines()), end="", flush=True)
		return 1
	return 0


def main():
	if sys.argv[1:] == ["--here"]:
		return here()
	return max([in_guest(kernel) for kernel in sys.argv[1:] or KERNELS])


if __name__ == "__main__":
	sys.exit(main())
