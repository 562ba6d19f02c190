# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever a kernel or a machine lacks: weir starts, names each loss with its cure, and serves the rest.

Two halves: the probe's answers faked with --without, and the real thing, by taking rights, system calls, file systems
and memory away (lacking.py). What changes the whole machine happens in a guest only.
"""

import contextlib
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

import harness
from harness import Daemon, generate

SETS = ("sock", "tcp-fentry", "tcp-kprobe")
FUNCTIONS = {"tcp-fentry", "tcp-kprobe"}
TCP, UDP = "tcp4-write", "udp4-send"
CASES = (TCP, UDP)
LACKING = (sys.executable, pathlib.Path(__file__).with_name("lacking.py"))
PAGE = harness.TOP / "docs" / "degrade.md"
# What the tests need of the machine itself; each set of hooks that was forced would hide what is chosen.
ENVIRONMENT = {"WEIR_HOOKS": ""}


SLOW = harness.PATIENCE > 2 # software-emulated guests; beside those it is 2
# Of what no kernel changes; a guest's time is dear.
once = unittest.skipIf(SLOW, "the same on every kernel: where time is not dear it runs")


def lacking(*words):
	return [*map(str, LACKING), *map(str, words), "--"]


def doctor_of(daemon):
	return daemon.rows("doctor")


def chosen(rows):
	"""The set of hooks that serves traffic, or None."""
	return next((r["hook_set"] for r in rows if r["feature"] == "traffic" and r["state"] == "on"), None)


def losses(rows):
	return [r for r in rows if r["state"] in ("degraded", "unavailable")]


def told(rows):
	return " / ".join(" ".join(filter(None, (r["feature"], r["reason"], r["serves"], r["cure"]))) for r in losses(rows))


class Degrade(unittest.TestCase):
	"""What the classes below share."""

	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.enterClassContext(unittest.mock.patch.dict(os.environ, ENVIRONMENT))
		cls.sets = cls.sets_of_this_kernel()

	@staticmethod
	@functools.cache # a daemon for each, and no test leaves the machine other than it was
	def sets_of_this_kernel():
		return Degrade.sets_now()

	@staticmethod
	def sets_now():
		found = []
		for name in SETS:
			with Daemon("--hooks", f"traffic:{name}") as daemon:
				if chosen(doctor_of(daemon)) == name:
					found.append(name)
		return found

	def assert_one_line_each(self, rows):
		for row in losses(rows):
			self.assertTrue(row["reason"] or row["serves"], row)
			for field in ("reason", "serves", "cure"):
				self.assertNotRegex(row[field] or "", r"[\n\t]|\(null\)|%", row)

	def assert_serves(self, daemon):
		"""Page, API, metrics and doctor, whatever else is not there. The rows of doctor."""
		self.assertEqual(daemon.get("/", tcp=True).status, 200)
		for table in ("processes", "flows", "audit", "hooks"):
			self.assertEqual(daemon.get(f"/api/v1/{table}").status, 200, table)
		rows = doctor_of(daemon)
		self.assert_one_line_each(rows)
		info = re.findall(r'^weir_feature_info\{feature="traffic",state="(\w+)"', daemon.metrics(), re.M)
		self.assertIn("on" if chosen(rows) else "unavailable", info)
		for row in rows:
			if row["feature"] == "traffic" and row["state"] == "on":
				self.assertIn("inet_sock_set_state", row["hooks"].split(", "))
		unavailable = {r["feature"] for r in rows if r["state"] == "unavailable"} - \
			{r["feature"] for r in rows if r["state"] in ("on", "degraded")}
		done = daemon.run("doctor")
		self.assertEqual((done.returncode, done.stderr), (4 if unavailable else 0, ""))
		self.assertEqual([x for x in done.stdout.splitlines() if len(x) > 100], [])
		return rows

	def assert_exact(self, daemon, cases=CASES, short_flows=True):
		truth = generate("run", *cases)
		self.assertEqual(harness.process_differences(truth, daemon.rows("processes")), [])
		if short_flows:
			self.assertEqual(harness.flow_differences(truth, daemon.rows("flows")), [])

	def assert_says_why(self, daemon, *parts):
		"""Commands that want rows: not possible here, and why, in one line."""
		for name in ("processes", "flows", "audit"):
			for more in ([], ["-j"]):
				done = daemon.run(name, *more)
				self.assertEqual((done.returncode, done.stdout), (3, ""), name)
				self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
				for part in parts:
					self.assertIn(part, done.stderr)

	def hold(self, daemon, possible, *parts, cases=CASES, short_flows=True):
		"""possible: the sets of hooks that are left; parts: what doctor has to say; cases: what is exact then;
		short_flows: sockets of a moment have rows too."""
		rows = self.assert_serves(daemon)
		want = next((s for s in SETS if s in possible), None)
		self.assertEqual(chosen(rows), want, told(rows))
		for part in parts:
			self.assertIn(part, told(rows))
		if want:
			self.assert_exact(daemon, cases, short_flows)
		else:
			self.assert_says_why(daemon)
		return rows


# A row of the page: without, what, sets lost, then.
ROW = re.compile(r"^\| `([\w:]+)` \|([^|]*)\| (all|none|[`\w -]+) \|([^|]*)\|$", re.M)


def faked():
	"""{without: (what that is, sets that are lost, what doctor says)}, as the page has it."""
	found = {}
	for without, what, lost, then in ROW.findall(PAGE.read_text()):
		sets = set(SETS) if lost == "all" else set(re.findall(r"`([\w-]+)`", lost))
		said = [x for x in re.findall(r"`([^`]+)`", then) if " " in x]
		found[without] = (what.strip(), sets, said)
	return found


class Faked(Degrade):
	"""The probe answers no."""
	SECONDS = 240

	def test_one_thing_at_a_time(self):
		rows = faked()
		self.assertGreater(len(rows), 20)
		for without, (_, lost, said) in rows.items():
			if SLOW and (lost or ":" in without):
				continue # the next test has the sets; the rest is alike on every kernel
			with self.subTest(without), Daemon("--without", without) as daemon:
				self.hold(daemon, set(self.sets) - lost, *said, short_flows=without not in ("ringbuf", "cgroup"))

	def test_from_one_set_of_hooks_to_the_next(self):
		"""sock, then tcp-fentry, then tcp-kprobe, then nothing, as far as this kernel has them."""
		words = ["tracepoint:sock_send_length", "fentry", "kprobe"]
		for n in range(len(words) + 1):
			with self.subTest(words[:n]), Daemon(*(["--without", ",".join(words[:n])] if n else [])) as daemon:
				self.hold(daemon, set(self.sets) - set(SETS[:n]))

	@once
	def test_each_tracepoint_that_is_in_use(self):
		"""Loses a set of hooks or one sight; never the daemon."""
		with Daemon() as daemon:
			names = sorted({row["hook"].split("/")[1] for row in daemon.rows("hooks")
					if row["hook"].startswith("tp_btf/")})
		self.assertTrue(names)
		for name in names:
			if f"tracepoint:{name}" in faked():
				continue
			with self.subTest(name), Daemon("--without", f"tracepoint:{name}") as daemon:
				rows = self.assert_serves(daemon)
				self.assertIn(name, told(rows) if not chosen(rows) else name)

	@once
	def test_without_the_ring_names_still_come(self):
		with Daemon("--without", "ringbuf") as daemon:
			truth = generate("run", *CASES)
			harness.wait_until("all by their names", lambda: not harness.process_differences(
				truth, daemon.rows("processes")), 3)

	@once
	def test_the_page_has_each_ability(self):
		done = subprocess.run([harness.WEIR, "doctor", "--without", "?", "--socket", "/tmp/weir-e2e-none"],
				      capture_output=True, text=True, stdin=subprocess.DEVNULL)
		names = set(done.stderr.split("one of ")[1].strip().split(", "))
		self.assertIn("fentry", names)
		self.assertEqual(names, {name for name in faked() if ":" not in name})

	@once
	def test_a_private_doctor_shows_the_same(self):
		done = subprocess.run([harness.WEIR, "doctor", "--without", "btf", "--socket", "/tmp/weir-e2e-none"],
				      capture_output=True, text=True, stdin=subprocess.DEVNULL)
		self.assertEqual((done.returncode, done.stderr), (4, ""))
		self.assertIn("btf is switched off by --without", done.stdout)

	@once
	def test_commands_that_would_show_nothing_say_why(self):
		with tempfile.TemporaryDirectory(prefix="weir-e2e-") as folder:
			for words in (["run", "--listen", "none", "--state", folder, "-c", "1"], ["processes"], ["flows", "-j"],
				      ["top", "-b", "-c", "1"], ["audit"], ["hooks"], ["record", f"{folder}/r"]):
				more = [] if words[0] == "record" else ["--socket", f"{folder}/s"]
				done = subprocess.run([harness.WEIR, *words, *more, "--without", "btf"], capture_output=True,
						      text=True, stdin=subprocess.DEVNULL, timeout=60)
				self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (3, "", 1), words)
				self.assertIn("btf is switched off", done.stderr)
			self.assertFalse(os.path.exists(f"{folder}/r"))

	@once
	def test_what_is_no_ability_is_refused(self):
		done = subprocess.run([harness.WEIR, "daemon", "--without", "btf,nothing"], capture_output=True, text=True)
		self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
		self.assertIn("--without nothing: ", done.stderr)


class Rights(Degrade):
	"""Capabilities, system calls and users taken away."""
	SECONDS = 240

	# Gone together; CAP_SYS_ADMIN stands for the first three.
	STOPS = {("bpf", "sys_admin"): "CAP_BPF", ("perfmon", "sys_admin"): "CAP_PERFMON", ("all",): "CAP_BPF, CAP_PERFMON"}
	# Gone alone, and what doctor says.
	LEAVES = {"sys_admin": "CAP_SYS_ADMIN", "setuid": "stay root's processes", "setgid": "stay root's processes",
		  "bpf": "", "perfmon": "", "net_admin": "", "setpcap": "", "kill": "", "sys_resource": "", "sys_nice": "",
		  "dac_read_search": "", "dac_override": "", "sys_ptrace": "", "ipc_lock": "", "net_raw": "", "chown": "",
		  "fowner": "", "setfcap": "", "syslog": ""}

	def test_capabilities_without_which_nothing_can_be_seen(self):
		for names, part in list(self.STOPS.items())[:1 if SLOW else None]:
			words = [w for name in names for w in ("--capability", name)]
			with self.subTest(names), Daemon(through=lacking(*words)) as daemon:
				rows = self.hold(daemon, set(), part)
				self.assertIn("which this process lacks", told(rows))

	def test_capabilities_that_cost_little_or_nothing(self):
		"""One by one; where time is dear, those that cost nothing together."""
		groups = [((name,), part) for name, part in self.LEAVES.items() if not SLOW]
		groups += [(tuple(name for name, part in self.LEAVES.items() if not part), "")]
		for names, part in groups:
			words = [w for name in names for w in ("--capability", name)]
			with self.subTest(names), Daemon(through=lacking(*words)) as daemon:
				self.hold(daemon, self.sets, part)
				begun = time.monotonic()
				self.assertEqual(daemon.stop(), 0)
				self.assertLess(time.monotonic() - begun, 5 * harness.PATIENCE)

	def test_the_right_to_steer_the_network_is_for_cgroups(self):
		words = ["--capability", "net_admin", "--capability", "sys_admin"]
		with Daemon(through=lacking(*words)) as daemon:
			rows = self.assert_serves(daemon)
			self.assertIn("CAP_NET_ADMIN", told(rows))

	@once
	def test_the_roles_hold_no_capability_even_where_they_stay_root(self):
		with Daemon(through=lacking("--capability", "setuid")) as daemon:
			generate("run", TCP)
			for role, pid in daemon.roles().items():
				status = harness.status_of(pid)
				if role != "keeper":
					self.assertEqual(int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0, role)
					self.assertEqual((status["NoNewPrivs"].strip(), status["Seccomp"].strip()), ("1", "2"))

	@once
	def test_where_only_a_capability_reads_maps_the_engine_keeps_that_one(self):
		with Daemon("--without", "read_maps") as daemon:
			self.hold(daemon, self.sets, "CAP_BPF")
			for role, pid in daemon.roles().items():
				status = harness.status_of(pid)
				if role != "keeper":
					want = 1 << 39 if role == "engine" else 0
					self.assertEqual((int(status["CapEff"], 16), int(status["CapPrm"], 16)), (want, want), role)
					self.assertEqual(int(status["CapBnd"], 16), 0)
					self.assertNotIn("0", status["Uid"].split())

	def test_a_filter_that_forbids_bpf(self):
		for answer in ("EPERM",) if SLOW else ("EPERM", "ENOSYS"):
			with self.subTest(answer), Daemon(through=lacking("--forbid", "bpf", "--errno", answer)) as daemon:
				self.hold(daemon, set(), "seccomp", "allow bpf()")

	def test_a_filter_that_forbids_perf_events(self):
		with Daemon("--without", "tracepoint:sock_send_length,fentry",
			    through=lacking("--forbid", "perf_event_open")) as daemon:
			rows = self.hold(daemon, set())
			if "tcp-kprobe" in self.sets:
				self.assertIn("seccomp", told(rows) + str(rows))

	@once
	def test_a_user_namespace(self):
		daemon = Daemon(through=lacking("--user-namespace"))
		with contextlib.suppress(OSError), open("/proc/sys/kernel/unprivileged_userns_clone", encoding="ascii") as f:
			if f.read().strip() == "0":
				self.skipTest("no user namespaces here")
		with daemon:
			self.hold(daemon, set(), "user namespace")

	@once
	def test_an_ordinary_user(self):
		with tempfile.TemporaryDirectory(prefix="weir-e2e-") as folder:
			os.chmod(folder, 0o755)
			weir = shutil.copy(harness.WEIR, folder)
			as_user = lambda *words: subprocess.run(
				[*lacking("--user", harness.NOBODY), weir, *words], capture_output=True, text=True, cwd="/",
				stdin=subprocess.DEVNULL, timeout=60)
			done = as_user("daemon", "--socket", f"{folder}/s")
			self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (3, "", 1))
			self.assertIn("root", done.stderr)
			done = as_user("doctor", "--without", "bpf_loop", "--socket", f"{folder}/s")
			self.assertEqual(done.returncode, 4, done.stderr)
			self.assertIn("CAP_BPF", done.stdout)
			self.assertIn("sudo", done.stdout)
			done = as_user("processes", "--without", "bpf_loop", "--socket", f"{folder}/s")
			self.assertEqual((done.returncode, done.stderr.count("\n")), (3, 1), done.stderr)


class Places(Degrade):
	"""File systems that are not there."""
	SECONDS = 120

	@once
	def test_no_types(self):
		with Daemon(through=lacking("--hide", "/sys/kernel/btf")) as daemon:
			self.hold(daemon, set(), "there is no BTF", "CONFIG_DEBUG_INFO_BTF")

	@once
	def test_no_sys(self):
		with Daemon(through=lacking("--hide", "/sys")) as daemon:
			self.hold(daemon, set(), "there is no BTF", "/sys mounted")

	def test_no_cgroups(self):
		with Daemon(through=lacking("--hide", "/sys/fs/cgroup")) as daemon:
			self.hold(daemon, self.sets, "no cgroup2 hierarchy is mounted", "mount -t cgroup2", short_flows=False)

	@once
	def test_no_proc(self):
		with Daemon(through=lacking("--hide", "/proc")) as daemon:
			self.hold(daemon, self.sets, "/proc is not mounted")

	@once
	def test_what_is_not_needed(self):
		for folder in ("/sys/fs/bpf", "/sys/kernel/security", "/sys/kernel/tracing", "/sys/kernel/debug", "/run", "/boot"):
			if not os.path.isdir(folder):
				continue
			with self.subTest(folder), Daemon(through=lacking("--hide", folder)) as daemon:
				self.hold(daemon, self.sets)


class Memory(Degrade):
	SECONDS = 120
	MEMORY = ("/sys/fs/cgroup/memory", "/sys/fs/cgroup")
	FILES = ("memory.limit_in_bytes", "memory.max")

	@contextlib.contextmanager
	def group(self, size):
		for top in map(pathlib.Path, self.MEMORY):
			folder = top / f"weir-e2e-{os.getpid()}"
			control = top / "cgroup.subtree_control"
			try:
				if control.exists():
					control.write_text("+memory")
				folder.mkdir()
			except OSError:
				continue
			file = next((folder / name for name in self.FILES if (folder / name).exists()), None)
			try:
				if file:
					file.write_text(str(size))
					yield folder
					return
			finally:
				self.remove(folder)
		self.skipTest("no cgroup that limits memory")

	@staticmethod
	def remove(folder):
		def empty():
			with contextlib.suppress(OSError):
				folder.rmdir()
			return not folder.exists()
		harness.wait_until("the cgroup goes", empty)

	@once
	def test_no_memory_may_be_locked(self):
		with Daemon(through=lacking("--memlock", 0)) as daemon:
			self.hold(daemon, self.sets)

	def test_what_the_page_promises_is_enough(self):
		promised = int(re.search(r"MemoryMax=(\d+)M", PAGE.read_text()).group(1))
		with self.group(promised << 20) as folder, Daemon(through=lacking("--group", folder)) as daemon:
			self.hold(daemon, self.sets)

	@once
	def test_too_little_is_said_or_is_the_end_of_the_kernels_own_doing(self):
		"""The kernel kills where a page of the process is one too many; where it is a map's, weir says so."""
		said = 0
		for size in (28, 24, 22, 20, 18):
			with self.group(size << 20) as folder:
				daemon = Daemon(through=lacking("--group", folder))
				try:
					daemon.start()
				except AssertionError as error:
					self.assertIn("status -9", str(error))
					daemon.clean()
					continue
				with contextlib.ExitStack() as stack:
					stack.callback(daemon.clean)
					stack.callback(daemon.stop)
					rows = self.assert_serves(daemon)
					said += "memory" in told(rows)
		if not said:
			self.skipTest("the kernel killed it at each of these limits")


@unittest.skipUnless("WEIR_VM" in os.environ, "changes settings of the whole machine: in a guest only")
class Settings(Degrade):
	SECONDS = 240

	@contextlib.contextmanager
	def setting(self, path, value):
		path = pathlib.Path(path)
		if not path.exists():
			self.skipTest(f"no {path}")
		before = path.read_text().split()[0]
		try:
			path.write_text(value)
		except OSError as error:
			self.skipTest(f"this kernel does not let it: {error}")
		try:
			yield
		finally:
			with contextlib.suppress(OSError):
				path.write_text(before)

	def test_settings_that_are_for_others(self):
		"""At their strictest, all of them at once: together they change nothing, so none does."""
		with contextlib.ExitStack() as settings:
			for path, value in (("kernel/unprivileged_bpf_disabled", "2"), ("kernel/kptr_restrict", "2"),
					    ("kernel/perf_event_paranoid", "4"), ("kernel/dmesg_restrict", "1"),
					    ("net/core/bpf_jit_harden", "2")):
				settings.enter_context(self.setting(f"/proc/sys/{path}", value))
			with Daemon() as daemon:
				self.hold(daemon, self.sets)

	def test_no_machine_code(self):
		with self.setting("/proc/sys/net/core/bpf_jit_enable", "0"):
			possible = self.sets_now()
			with Daemon() as daemon:
				self.hold(daemon, possible)

	def test_kprobes_that_are_switched_off(self):
		if not os.path.ismount("/sys/kernel/debug"):
			subprocess.run(["mount", "-t", "debugfs", "none", "/sys/kernel/debug"], check=False)
		with self.setting("/sys/kernel/debug/kprobes/enabled", "0"):
			with Daemon("--hooks", "traffic:tcp-kprobe") as daemon:
				self.hold(daemon, set(), "kprobes are switched off", "kprobes/enabled")
			with Daemon() as daemon:
				self.hold(daemon, set(self.sets) - {"tcp-kprobe"})


@unittest.skipUnless("lockdown=" in harness.read_text("/proc/cmdline"), "for a kernel that was started with lockdown=")
class Lockdown(Degrade):
	SECONDS = 120

	def test_it_is_named(self):
		state = re.search(r"\[(\w+)\]", harness.read_text("/sys/kernel/security/lockdown")).group(1)
		with Daemon() as daemon:
			rows = self.hold(daemon, self.sets)
			if not self.sets:
				self.assertIn(f"locked down: {state}", told(rows))
