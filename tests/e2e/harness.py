# SPDX-License-Identifier: GPL-2.0-or-later
"""What the end-to-end tests share: a daemon of their own, the generator and its truth, and how both are held
against each other.

WEIR names the program under test, WEIR_GENERATE the generator; both default to the build folder. WEIR_HOOKS names the
set of hooks that each daemon is told to use; without it the daemon chooses. WEIR_PATIENCE says how many times longer
than usual things may take, such as on an emulated machine.
"""

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import random
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD") or TOP / "build")
WEIR = pathlib.Path(os.environ.get("WEIR") or BUILD / "weir")
GENERATE = pathlib.Path(os.environ.get("WEIR_GENERATE") or WEIR.parent / "tests" / "generator" / "weir-generate")
NOBODY = pwd.getpwnam("nobody").pw_uid
PINS = pathlib.Path("/sys/fs/bpf")
PATIENCE = float(os.environ.get("WEIR_PATIENCE") or 1)
READY_SECONDS = 10 * PATIENCE


def need_root():
	if os.geteuid() != 0:
		raise unittest.SkipTest("needs root")


def need_command(name):
	path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
	if not path:
		raise unittest.SkipTest(f"needs {name}")
	return path


def hook_options():
	"""For `weir daemon` and `weir record`."""
	name = os.environ.get("WEIR_HOOKS")
	return ["--hooks", f"traffic:{name}"] if name else []


def free_port():
	"""Below those that the kernel gives to whoever connects: a daemon that is killed finds its port free again."""
	first = int(read_text("/proc/sys/net/ipv4/ip_local_port_range").split()[0])
	for port in random.sample(range(first // 2, first), 200):
		with socket.socket() as s, contextlib.suppress(OSError):
			s.bind(("127.0.0.1", port))
			return port
	raise AssertionError(f"no port from {first // 2} to {first} is free")


def die_with_parent():
	"""Nothing that a test starts outlives the test's process."""
	ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)


def read_text(path):
	return pathlib.Path(path).read_text(errors="surrogateescape")


def wait_until(what, condition, seconds=5.0, step=0.02):
	"""The condition's first true value; a failure with `what` when it never comes."""
	seconds *= PATIENCE
	end = time.monotonic() + seconds
	while True:
		value = condition()
		if value:
			return value
		if time.monotonic() > end:
			raise AssertionError(f"after {seconds} s still not: {what}")
		time.sleep(step)


# --- processes of the machine ---------------------------------------------------------------


def children_of(pid):
	"""All descendants, {pid: parent}."""
	parents = {}
	for entry in os.listdir("/proc"):
		if entry.isdigit():
			with contextlib.suppress(OSError):
				stat = read_text(f"/proc/{entry}/stat")
				parents[int(entry)] = int(stat[stat.rindex(")") + 2:].split()[1])
	found = {}
	wanted = {pid}
	while wanted:
		wanted = {p for p, parent in parents.items() if parent in wanted and p not in found}
		found |= {p: parents[p] for p in wanted}
	return found


def status_of(pid):
	"""/proc/PID/status as a dict; empty when the process has gone."""
	try:
		return dict(line.split(":\t", 1) for line in read_text(f"/proc/{pid}/status").splitlines()
			    if ":\t" in line)
	except OSError:
		return {}


def alive(pid):
	return status_of(pid).get("State", "Z")[0] not in "ZX"


def descriptors_of(pid):
	"""What the process's descriptors are, as /proc tells."""
	found = []
	with contextlib.suppress(OSError):
		for fd in os.listdir(f"/proc/{pid}/fd"):
			with contextlib.suppress(OSError):
				found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
	return found


# --- HTTP -----------------------------------------------------------------------------------


class UnixConnection(http.client.HTTPConnection):
	def __init__(self, path, timeout=10 * PATIENCE):
		super().__init__("localhost", timeout=timeout)
		self.path = str(path)

	def connect(self):
		self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
		self.sock.settimeout(self.timeout)
		self.sock.connect(self.path)


class Answer:
	def __init__(self, response):
		self.status = response.status
		self.headers = response.headers
		self.body = response.read()

	@property
	def text(self):
		return self.body.decode()

	@property
	def json(self):
		return json.loads(self.body)


def http_get(connection, path):
	try:
		connection.request("GET", path)
		return Answer(connection.getresponse())
	finally:
		connection.close()


# --- the daemon -----------------------------------------------------------------------------


class Daemon:
	"""A daemon with its own socket, state, pins and port; a context manager. through: words in front of the command,
	that end in becoming it."""

	def __init__(self, *options, weir=WEIR, public=False, environment=None, through=()):
		self.weir = str(weir)
		self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-e2e-"))
		if public: # other users have to reach the socket
			self.folder.chmod(0o755)
		self.socket = self.folder / "weir.sock"
		self.state = self.folder / "state"
		self.pins = PINS / self.folder.name
		self.port = free_port()
		self.log_path = self.folder / "log"
		self.options = options
		self.through = through
		self.environment = {**os.environ, **(environment or {})}
		self.process = None
		self.ready_seconds = None

	def __enter__(self):
		return self.start()

	def __exit__(self, *_):
		try:
			self.stop()
		finally:
			self.clean()

	@property
	def pid(self):
		return self.process.pid

	@property
	def log(self):
		return read_text(self.log_path)

	def launch(self):
		with open(self.log_path, "ab") as log:
			self.process = subprocess.Popen(
				[*self.through, self.weir, "daemon", "--socket", self.socket, "--state", self.state, "--pins", self.pins,
				 "--listen", f"127.0.0.1:{self.port}", *hook_options(), *self.options],
				stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
				preexec_fn=die_with_parent)

	def start(self):
		begun = time.monotonic()
		self.launch()
		while not self.answers():
			if self.process.poll() is not None:
				raise AssertionError(f"the daemon ended with status {self.process.returncode}: {self.log}")
			if time.monotonic() - begun > READY_SECONDS:
				self.kill()
				raise AssertionError(f"the daemon was not ready after {READY_SECONDS} s: {self.log}")
			time.sleep(0.005)
		self.ready_seconds = time.monotonic() - begun
		return self

	def answers(self):
		try:
			return self.get("/healthz").status == 200
		except (OSError, http.client.HTTPException):
			return False

	def stop(self):
		"""As systemd stops it. Returns the exit status."""
		if self.process and self.process.poll() is None:
			self.process.send_signal(signal.SIGTERM)
			try:
				self.process.wait(10 * PATIENCE)
			except subprocess.TimeoutExpired:
				self.kill()
				raise AssertionError(f"the daemon did not stop: {self.log}") from None
		return self.process.returncode if self.process else None

	def kill(self):
		family = [self.pid, *children_of(self.pid)]
		for pid in family:
			with contextlib.suppress(ProcessLookupError):
				os.kill(pid, signal.SIGKILL)
		self.process.wait()

	def clean(self):
		shutil.rmtree(self.folder, ignore_errors=True)
		with contextlib.suppress(OSError):
			os.rmdir(self.pins)

	def roles(self):
		"""{"keeper": pid, "engine": pid, "gate": pid, "store": pid}; the gate is the child that has the listening socket,
		the store the one that has history's file."""
		found = {"keeper": self.pid}
		listening = [line.split()[9] for line in read_text("/proc/net/tcp").splitlines()[1:]
			     if line.split()[1] == f"0100007F:{self.port:04X}" and line.split()[3] == "0A"]
		for pid in children_of(self.pid):
			if alive(pid):
				held = descriptors_of(pid)
				if listening and f"socket:[{listening[0]}]" in held:
					found["gate"] = pid
				elif "anon_inode:[eventpoll]" in held: # a one-shot helper waits for nothing
					found["engine"] = pid
				elif any(link.split("/")[-1].startswith("history.db") for link in held):
					found["store"] = pid
		return found

	def role(self, name):
		"""Its pid, as soon as it is there: who answers may have begun before the others."""
		return wait_until(f"the {name}", lambda: self.roles().get(name), 10)

	# what it says

	def get(self, path, tcp=False):
		if tcp:
			return http_get(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10 * PATIENCE), path)
		return http_get(UnixConnection(self.socket), path)

	def run(self, *words, **options):
		"""The command line against this daemon: a CompletedProcess with text."""
		return subprocess.run([self.weir, *map(str, words), "--socket", str(self.socket)], capture_output=True,
				      stdin=subprocess.DEVNULL, timeout=60 * PATIENCE, text=True, errors="surrogateescape", **options)

	def json(self, *words):
		done = self.run(*words, "-j")
		if done.returncode not in (0, 4):
			raise AssertionError(f"weir {' '.join(map(str, words))} -j: {done.returncode}: {done.stderr}")
		return json.loads(done.stdout)

	def rows(self, table, query=""):
		answer = self.get(f"/api/v1/{table}{query}")
		if answer.status != 200:
			raise AssertionError(f"GET {table}: {answer.status}: {answer.text}")
		return answer.json["rows"]

	def audit(self):
		return {row["scope"]: row for row in self.rows("audit")}

	def metrics(self):
		answer = self.get("/metrics")
		if answer.status != 200:
			raise AssertionError(f"GET /metrics: {answer.status}: {answer.text}")
		return answer.text


# --- the generator --------------------------------------------------------------------------


class Truth(list):
	"""The generator's lines: one dict per process and socket (and peer)."""

	def __init__(self, lines=()):
		super().__init__()
		self.results = {}
		for line in lines:
			self.read(line)

	def read(self, line):
		item = json.loads(line)
		if "result" in item:
			self.results[item["case"]] = item
		elif "pid" in item:
			self.append(item)

	def phase(self, phase):
		return [t for t in self if t["phase"] == phase]

	def of(self, case, phase="final"):
		return [t for t in self if t["case"] == case and t["phase"] == phase]


def generate(*words, timeout=300, check=True, **options):
	"""Runs the generator to its end; its truth."""
	done = subprocess.run([GENERATE, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
			      timeout=timeout * PATIENCE, preexec_fn=die_with_parent, **options)
	truth = Truth(done.stdout.splitlines())
	failed = [r for r in truth.results.values() if r["result"] == "failed"]
	if check and (done.returncode or failed):
		raise AssertionError(f"the generator itself failed: {failed or done.stderr.decode()}")
	return truth


def cases():
	"""Names of all cases, from the generator itself; none when it is not built."""
	try:
		done = subprocess.run([GENERATE, "list"], capture_output=True, text=True, check=True)
	except OSError:
		return []
	return [line.split()[0] for line in done.stdout.splitlines()]


class Held:
	"""A generator that stops on its way and goes on when told; a context manager."""

	def __init__(self, *words, stage="held", **options):
		self.process = subprocess.Popen([GENERATE, *map(str, words)], stdin=subprocess.PIPE,
						stdout=subprocess.PIPE, preexec_fn=die_with_parent, **options)
		self.truth = Truth()
		self.pending = b""
		self.stages = set()
		if stage:
			self.await_stage(stage)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.process.kill()
		self.process.wait()
		self.process.stdin.close()
		self.process.stdout.close()

	def take(self, seconds):
		"""Reads what has come; False at the end."""
		if not select.select([self.process.stdout], [], [], max(0, seconds))[0]:
			return True
		piece = os.read(self.process.stdout.fileno(), 1 << 20)
		*lines, self.pending = (self.pending + piece).split(b"\n")
		for line in lines:
			item = json.loads(line)
			if "stage" in item:
				self.stages.add(item["stage"])
			else:
				self.truth.read(line)
		return bool(piece)

	def await_stage(self, stage, seconds=30):
		end = time.monotonic() + seconds * PATIENCE
		while stage not in self.stages:
			if time.monotonic() > end or not self.take(end - time.monotonic()):
				self.process.kill()
				raise AssertionError(f"the generator never got {stage}: {self.truth.results}")
		return self.truth

	def go_on(self):
		with contextlib.suppress(BrokenPipeError):
			self.process.stdin.write(b"\n")
			self.process.stdin.flush()

	def finish(self, seconds=30):
		"""Lets it go to its end; the whole truth."""
		with contextlib.suppress(BrokenPipeError):
			self.process.stdin.close()
		end = time.monotonic() + seconds * PATIENCE
		while self.take(end - time.monotonic()):
			if time.monotonic() > end:
				raise AssertionError("the generator did not end")
		if self.process.wait(10 * PATIENCE):
			raise AssertionError(f"the generator itself failed: {self.truth.results}")
		return self.truth


# --- truth against weir ---------------------------------------------------------------------

DIRECTIONS = ("tx_bytes", "rx_bytes")
IP_TRANSPORTS = ("tcp", "udp", "mptcp", "other")


def add(sums, key, item, fields):
	have = sums.setdefault(key, dict.fromkeys(fields, 0))
	for field in fields:
		have[field] += item.get(field) or 0


def process_differences(truths, rows, fields=DIRECTIONS):
	"""For each process and transport: what weir says and what is true, where it is not equal.

	Returns [text]. Rows are weir's rows of processes; a name and a number together are one process here."""
	want = {}
	for t in truths:
		add(want, (t["pid"], t["comm"], t["transport"]), t, fields)
	by_process = {}
	for row in rows:
		by_process.setdefault((row["pid"], row["comm"]), []).append(row)
	found = []
	for (pid, comm, transport), sums in want.items():
		mine = by_process.get((pid, comm))
		if mine is None:
			if any(sums.values()):
				other = [row["comm"] for row in rows if row["pid"] == pid]
				found.append(f"{comm}[{pid}] is not there (that pid: {other})")
			continue
		have = dict.fromkeys(fields, 0)
		for row in mine:
			part = (row.get("by_transport") or {}).get(transport) or {}
			for field in fields:
				have[field] += part.get(field) or 0
		if have != sums:
			found.append(f"{comm}[{pid}] {transport}: weir {have}, truth {sums}")
	# The sum over IP transports is what stands in the row itself.
	for key, mine in by_process.items():
		if fields != DIRECTIONS or not any(k[:2] == key for k in want):
			continue
		for row in mine:
			parts = row.get("by_transport") or {}
			for transport, part in parts.items():
				if (*key, transport) not in want and any(part.values()):
					found.append(f"{key}: moved nothing over {transport}, weir {part}")
			for field in DIRECTIONS:
				total = sum((parts.get(t) or {}).get(field) or 0 for t in IP_TRANSPORTS)
				if row[field] != total:
					found.append(f"{key}: {field} {row[field]} is not the sum of its transports {parts}")
	return found


def flow_differences(truths, rows, fields=DIRECTIONS):
	"""The same for sockets, by their cookie; TCP, MPTCP and UDP only."""
	want = {}
	for t in truths:
		if t["cookie"] and t["transport"] in ("tcp", "udp", "mptcp"):
			add(want, (t["cookie"], t["transport"]), t, fields)
	have = {}
	for row in rows:
		add(have, (row["cookie"], row["transport"]), row, fields)
	found = []
	for (cookie, transport), sums in want.items():
		mine = have.get((cookie, transport))
		if mine is None:
			if any(sums.values()):
				found.append(f"socket {cookie} ({transport}) is not there: {sums}")
		elif mine != sums:
			found.append(f"socket {cookie} ({transport}): weir {mine}, truth {sums}")
	return found


def as_the_set_sees(case, truths, under_way=False):
	"""What the sets without sock_recv_length cannot see: that an urgent byte was taken with MSG_OOB; the end of a receive
	from an MPTCP socket that had begun before weir, where the sockets were there before (under_way)."""
	if os.environ.get("WEIR_HOOKS", "sock") == "sock":
		return truths
	if case.endswith("-urgent"):
		name = "urgent"
	elif case.startswith("mptcp") and under_way:
		name = "receives_under_way"
	else:
		return truths
	return [t | {"expect": f"remainder:{name}"} if t["rx_bytes"] else t for t in truths]


def exact(truths):
	"""Without the processes that have a remainder in that transport."""
	uncertain = {(t["pid"], t["transport"]) for t in truths if t["expect"] != "exact"}
	return [t for t in truths if (t["pid"], t["transport"]) not in uncertain]


def remainders(truths):
	return {t["expect"].removeprefix("remainder:") for t in truths if t["expect"].startswith("remainder:")}


# --- network namespaces ---------------------------------------------------------------------


class Namespace:
	"""A network namespace with loopback up, held by a process that sleeps; a context manager."""

	def __init__(self):
		self.holder = subprocess.Popen(["unshare", "--net", "sleep", "600"], stdin=subprocess.DEVNULL,
					       preexec_fn=die_with_parent)
		try:
			mine = os.readlink("/proc/self/ns/net")
			wait_until("in a namespace", lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != mine and
				   read_text(f"/proc/{self.holder.pid}/comm") == "sleep\n")
			self.run("ip", "link", "set", "lo", "up")
		except BaseException:
			self.__exit__()
			raise

	def enter(self, *command):
		return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *map(str, command)]

	def run(self, *command, check=True, **options):
		done = subprocess.run(self.enter(*command), stdin=subprocess.DEVNULL, capture_output=True, text=True,
				      **options)
		if check and done.returncode:
			raise AssertionError(f"{' '.join(map(str, command))}: {done.stderr}")
		return done

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.holder.kill()
		self.holder.wait()
