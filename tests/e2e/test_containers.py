# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers by their names: what each runtime keeps about them, hostile or late or gone, and a real podman."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest

import harness

STATE = harness.TOP / "tests" / "testdata" / "containers"
DOCKER, PODMAN, CONTAINERD, SANDBOX = "0d" * 32, "0b" * 32, "0c" * 32, "05" * 32
CRIO, NERDCTL = "00" * 31 + "c0", "0e" * 32
ROUNDS = int(os.environ.get("WEIR_CONTAINERS", "10000"))
TOGETHER = 50
MAKING_SECONDS = 220


def cgroup_root():
	for line in harness.read_text("/proc/mounts").splitlines():
		words = line.split()
		if words[2] == "cgroup2":
			return pathlib.Path(words[1])
	raise unittest.SkipTest("no cgroup2 hierarchy is mounted")


class Container:
	"""A control group as a runtime makes it, and processes in it; a context manager."""

	def __init__(self, container_id, above=""):
		self.id = container_id
		self.path = cgroup_root() / f"weir-e2e-{os.getpid()}" / above / container_id

	def __enter__(self):
		self.path.mkdir(parents=True, exist_ok=True)
		return self

	def __exit__(self, *_):
		top = cgroup_root() / f"weir-e2e-{os.getpid()}"
		for folder in sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True):
			harness.wait_until("an empty control group", lambda: self.removed(folder), 5)
		self.removed(top)

	@staticmethod
	def removed(folder):
		try:
			folder.rmdir()
		except FileNotFoundError:
			return True
		except OSError:
			return False
		return True

	def speak(self, bytes_sent=100, hold=0.0):
		"""A process of the container sends a datagram over loopback. Returns (pid, when it did)."""
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
			receiver.bind(("127.0.0.1", 0))
			pid = os.fork()
			if pid == 0:
				try:
					harness.die_with_parent()
					(self.path / "cgroup.procs").write_text("0")
					with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
						sender.sendto(bytes(bytes_sent), receiver.getsockname())
						time.sleep(hold)
				finally:
					os._exit(0)
			receiver.settimeout(10)
			receiver.recv(65536)
			when = time.monotonic()
		if not hold:
			os.waitpid(pid, 0)
		return pid, when


class Root:
	"""A root with the runtimes' state, and a daemon that looks there."""

	def __init__(self, test, state=True, more=""):
		enter = test.enterClassContext if isinstance(test, type) else test.enterContext
		self.path = pathlib.Path(enter(tempfile.TemporaryDirectory(prefix="weir-e2e-")))
		if state:
			shutil.copytree(STATE, self.path, dirs_exist_ok=True)
		config = self.path / "weir.yaml"
		config.write_text(f"containers: {{root: {self.path}}}\n{more}")
		self.daemon = enter(harness.Daemon("--config", config))

	def docker(self, container_id, text):
		folder = self.path / "var/lib/docker/containers" / container_id
		folder.mkdir(parents=True, exist_ok=True)
		(folder / "config.v2.json").write_text(text)

	def docker_name(self, container_id, name):
		self.docker(container_id, json.dumps({"Name": "/" + name, "Config": {"Image": "some:1"}}))

	def container(self, container_id):
		return next((row for row in self.daemon.rows("containers") if row["container_id"] == container_id), None)

	def named(self, container_id, since=None, seconds=5.0):
		"""Its row, once it has a name."""
		since = since or time.monotonic()

		def row():
			found = self.container(container_id)
			return found if found and found["runtime"] else None
		return harness.wait_until(f"{container_id[:4]} has a name", row, seconds - (time.monotonic() - since))


class Runtimes(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		cls.root = Root(cls)

	def hold(self, container_id, above="", **want):
		with Container(container_id, above) as container:
			pid, when = container.speak()
			row = self.root.named(container_id, when)
			self.assertEqual({key: row[key] for key in want}, want)
			process = next(p for p in self.root.daemon.rows("processes") if p["pid"] == pid)
			flow = next(f for f in self.root.daemon.rows("flows") if f["pid"] == pid)
		for other in (process, flow):
			for key in ("container_name", "pod_name", "pod_namespace"):
				with self.subTest(key=key):
					self.assertEqual(other[key], want.get(key))
		return row

	def test_docker(self):
		self.hold(DOCKER, "docker", container_name="web", image="nginx:1.25", runtime="docker")

	def test_podman(self):
		self.hold(PODMAN, "machine.slice", container_name="database", image="docker.io/library/postgres:16",
			  runtime="podman")

	def test_containerd_for_kubernetes(self):
		above = "kubepods/burstable/pod0f3c0000-0000-4000-8000-000000000002"
		self.hold(CONTAINERD, above, container_name="cart", image="registry.example.com/cart:7",
			  pod_name="cart-6d9f7c-x2x7z", pod_namespace="shop", runtime="containerd")
		self.hold(SANDBOX, above, pod_name="cart-6d9f7c-x2x7z", pod_namespace="shop", runtime="containerd")

	def test_nerdctl(self):
		self.hold(NERDCTL, "default", container_name="cache", runtime="containerd")

	def test_cri_o(self):
		self.hold(CRIO, "kubepods.slice", container_name="app", image="quay.io/shop/app:3", pod_name="shop-0",
			  pod_namespace="prod", runtime="cri-o")

	def test_a_name_filters_and_labels(self):
		with Container(DOCKER, "docker") as container:
			pid, when = container.speak(777)
			self.root.named(DOCKER, when)
		found = self.root.daemon.json("processes", "container:web")["rows"]
		self.assertIn(pid, [row["pid"] for row in found])
		self.assertEqual({row["container_name"] for row in found}, {"web"})
		self.assertRegex(self.root.daemon.run("processes", "container:web").stdout, r"\bweb\b")
		self.assertRegex(self.root.daemon.run("top", "-b", "-c", "1").stdout, r"\bweb\b")
		sums = [line for line in self.root.daemon.metrics().splitlines() if 'container="web",transport="udp"' in line]
		self.assertTrue(sums)
		self.assertFalse([line for line in self.root.daemon.metrics().splitlines() if DOCKER in line])

	def test_within_a_second(self):
		"""Of its first socket; in the middle of several, since a busy machine may make one wait."""
		waited = []
		for n in range(7):
			name = f"{n:x}f" * 32
			self.root.docker_name(name, f"quick-{n}")
			with Container(name) as container:
				_, when = container.speak(hold=0.5)
				self.root.named(name, when)
				waited.append(time.monotonic() - when)
		self.assertLess(sorted(waited)[3], 1.0 * harness.PATIENCE, waited)

	def test_doctor_names_what_it_found(self):
		row = next(r for r in self.root.daemon.rows("doctor") if r["feature"] == "containers")
		self.assertEqual(row["state"], "on")
		self.assertIn("docker, podman or cri-o, containerd", row["serves"])


class Trouble(unittest.TestCase):
	def setUp(self):
		harness.need_root()

	def test_no_runtime_and_no_noise(self):
		root = Root(self, state=False)
		with Container("ab" * 32) as container:
			container.speak()
			time.sleep(1.5)
			self.assertIsNone(root.container("ab" * 32)["container_name"])
		row = next(r for r in root.daemon.rows("doctor") if r["feature"] == "containers")
		self.assertEqual((row["state"], row["reason"]), ("on", None))
		self.assertIn("no runtime", row["serves"])
		self.assertEqual([line for line in root.daemon.log.splitlines() if "ready" not in line], [])

	def test_state_that_comes_later_than_the_process(self):
		root = Root(self)
		with Container("ac" * 32) as container:
			pid, _ = container.speak(hold=20) # nobody looks for the name of one that has ended
			try:
				time.sleep(0.7)
				root.docker_name("ac" * 32, "late")
				self.assertEqual(root.named("ac" * 32)["container_name"], "late")
			finally:
				os.kill(pid, signal.SIGKILL)
				os.waitpid(pid, 0)

	def test_an_ended_container_keeps_its_name(self):
		root = Root(self)
		with Container(DOCKER, "docker") as container:
			pid, when = container.speak()
			root.named(DOCKER, when)
		shutil.rmtree(root.path / "var")
		time.sleep(3)
		row = next(p for p in root.daemon.rows("processes") if p["pid"] == pid)
		self.assertEqual((row["state"], row["container_name"]), ("exited", "web"))

	def test_one_that_ends_at_once_is_named_all_the_same(self):
		root = Root(self, state=False)
		for n in range(5):
			name = f"{n:064x}"
			root.docker_name(name, f"short-{n}")
			with Container(name) as container:
				container.speak()
		for n in range(5):
			self.assertEqual(root.named(f"{n:064x}")["container_name"], f"short-{n}")

	def test_hostile_state_harms_nobody(self):
		root = Root(self)
		bad = {
			"b1" * 32: "{\"Name\":\"/x\",", "b2" * 32: "[" * 100000, "b3" * 32: "\0" * 5000,
			"b4" * 32: json.dumps({"Name": ["x"], "Config": {}}), "b5" * 32: " " * (2 << 20),
		}
		for container_id, text in bad.items():
			root.docker(container_id, text)
		link = root.path / "var/lib/docker/containers" / ("b6" * 32)
		link.mkdir()
		os.symlink("/etc/passwd", link / "config.v2.json")
		os.mkfifo(root.path / "var/lib/docker/containers" / ("b7" * 32), 0o600)
		for container_id in (*bad, "b6" * 32, "b7" * 32):
			with Container(container_id) as container:
				container.speak()
		with Container(DOCKER, "docker") as container:
			_, when = container.speak()
			self.assertEqual(root.named(DOCKER, when)["container_name"], "web")
		for container_id in (*bad, "b6" * 32, "b7" * 32):
			self.assertIsNone(root.container(container_id)["container_name"])
		self.assertEqual([line for line in root.daemon.log.splitlines() if "ready" not in line], [])

	def test_hostile_names_are_inert(self):
		root = Root(self)
		name = "\033[2J<svg/onload=a>\"\\\n=cmd"
		root.docker_name("ad" * 32, name)
		with Container("ad" * 32) as container:
			_, when = container.speak()
			self.assertEqual(root.named("ad" * 32, when)["container_name"], name)
		for words in (("containers",), ("processes",), ("top", "-b", "-c", "1")):
			done = root.daemon.run(*words)
			self.assertEqual(done.returncode, 0, done.stderr)
			self.assertNotIn("\033", done.stdout)
			self.assertIn("\\x1b[2J", done.stdout)
		label = [line for line in root.daemon.metrics().splitlines() if "svg" in line]
		self.assertTrue(label)
		self.assertTrue(all("\\\"\\\\\\n=cmd" in line for line in label), label)

	def test_switched_off(self):
		folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-e2e-")))
		(folder / "weir.yaml").write_text(f"containers: {{root: {STATE}, names: false}}\n")
		daemon = self.enterContext(harness.Daemon("--config", folder / "weir.yaml"))
		with Container(DOCKER, "docker") as container:
			container.speak()
			time.sleep(1)
		self.assertIsNone(daemon.rows("containers")[0]["container_name"])
		self.assertEqual(daemon.run("doctor").returncode, 0)

	def test_a_user_sees_no_containers_of_the_system(self):
		folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-e2e-")))
		(folder / "weir.yaml").write_text(f"containers: {{root: {STATE}}}\n")
		daemon = self.enterContext(harness.Daemon("--config", folder / "weir.yaml", public=True))
		with Container(DOCKER, "docker") as container:
			container.speak()
			time.sleep(0.5)
		done = daemon.run("containers", "-j", user=harness.NOBODY, group=harness.NOBODY, extra_groups=[])
		self.assertEqual(json.loads(done.stdout)["rows"], [])


class Api(http.server.BaseHTTPRequestHandler):
	"""As docker answers."""
	protocol_version = "HTTP/1.1"
	names = {}

	def do_GET(self):
		wanted = self.path.split("/")[2]
		body = json.dumps({"Id": wanted, "Name": "/" + self.names[wanted], "Config": {"Image": "some:1"}}
				  if wanted in self.names else {"message": f"No such container: {wanted}"}).encode()
		self.send_response(200 if wanted in self.names else 404)
		self.send_header("Content-Length", str(len(body)))
		self.end_headers()
		self.wfile.write(body)

	def address_string(self):
		return "unix"

	def log_message(self, *_):
		pass


class Socket(unittest.TestCase):
	"""docker with its files elsewhere: by its socket."""

	def setUp(self):
		harness.need_root()

	def serve(self, root, handler):
		(root.path / "run").mkdir(exist_ok=True)
		server = socketserver.ThreadingUnixStreamServer(str(root.path / "run/docker.sock"), handler)
		server.daemon_threads = True
		threading.Thread(target=server.serve_forever, daemon=True).start()
		self.addCleanup(server.server_close)
		self.addCleanup(server.shutdown)

	def test_several_over_one_connection(self):
		root = Root(self, state=False)
		Api.names = {"a1" * 32: "one", "a3" * 32: "three"}
		self.serve(root, Api)
		for n in (1, 2, 3):
			with Container(f"a{n}" * 32) as container:
				_, when = container.speak()
		self.assertEqual(root.named("a3" * 32, when)["container_name"], "three")
		self.assertEqual(root.named("a1" * 32)["container_name"], "one")
		self.assertIsNone(root.container("a2" * 32)["container_name"])

	def test_one_that_never_answers_costs_nothing_but_the_name(self):
		class Silent(socketserver.BaseRequestHandler):
			def handle(self):
				time.sleep(5)

		root = Root(self, state=False)
		self.serve(root, Silent)
		root_podman = root.path / "var/lib/containers/storage/overlay-containers"
		shutil.copytree(STATE / "var/lib/containers", root.path / "var/lib/containers")
		self.assertTrue(root_podman.exists())
		with Container("a4" * 32) as container:
			container.speak()
		with Container(PODMAN) as container:
			_, when = container.speak()
			root.named(PODMAN, when, seconds=8)
		self.assertIsNone(root.container("a4" * 32)["container_name"])


class Growth(unittest.TestCase):
	SECONDS = 400

	def setUp(self):
		harness.need_root()

	@staticmethod
	def sizes(daemon):
		found = {}
		for role, pid in daemon.roles().items():
			found[role] = (int(harness.status_of(pid)["VmRSS"].split()[0]), len(os.listdir(f"/proc/{pid}/fd")))
		return found

	@staticmethod
	def begin(container, address):
		"""A process in it, which sends a datagram and ends."""
		container.path.mkdir(parents=True)
		pid = os.fork()
		if pid == 0:
			try:
				(container.path / "cgroup.procs").write_text("0")
				with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
					sender.sendto(b"x", address)
			finally:
				os._exit(0)
		return pid

	def live_and_die(self, root, first, count):
		"""Some at a time; their state is deleted a little after their end, as runtimes do. How many there were: fewer
		where the machine is too busy for so many in time."""
		end = time.monotonic() + MAKING_SECONDS
		state = root.path / "var/lib/docker/containers"
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
			listener.bind(("127.0.0.1", 0))
			for n in range(first, first + count, TOGETHER):
				if time.monotonic() > end:
					return n - first
				containers = [Container(f"{k:064x}") for k in range(n, n + TOGETHER)]
				for container in containers:
					root.docker_name(container.id, "c" + container.id[-6:])
				for pid in [self.begin(container, listener.getsockname()) for container in containers]:
					os.waitpid(pid, 0)
				for container in containers:
					harness.wait_until("an empty control group", lambda c=container: c.removed(c.path), 10, 0.002)
				time.sleep(0.1)
				for container in containers:
					shutil.rmtree(state / container.id)
		return count

	def wait_for_rest(self, daemon):
		"""Rows of ended processes stay for a minute, and the containers' a little longer."""
		time.sleep(60)
		try:
			harness.wait_until("no container is left", lambda: not daemon.rows("containers", "?limit=1"), 90, 1)
		except AssertionError as e:
			left = daemon.rows("containers", "?limit=3")
			held = [(table, row) for table in ("processes", "flows") for row in daemon.rows(table)
				if row["container_id"] in {c["container_id"] for c in left}]
			raise AssertionError(f"{e}: {left}, {held}, {daemon.rows('audit')}, {daemon.log}") from e

	def test_ten_thousand_come_and_go(self):
		root = Root(self, state=False)
		(root.path / "var/lib/docker/containers").mkdir(parents=True)
		self.addCleanup(Container("x").__exit__)
		first = self.live_and_die(root, 0, ROUNDS // 10)
		document = root.daemon.get("/api/v1/containers").json
		rows = document["rows"]
		self.assertGreaterEqual(len(rows) + document["lost_events"], first)
		self.assertGreater(len([row for row in rows if row["container_name"]]), len(rows) // 2)
		before = self.sizes(root.daemon)
		made = self.live_and_die(root, ROUNDS, ROUNDS)
		if made < ROUNDS:
			print(f"a busy machine: {made} containers, not {ROUNDS}")
		self.wait_for_rest(root.daemon)
		def grown():
			after = self.sizes(root.daemon)
			self.assertEqual(set(after), set(before))
			return [f"{role}: {before[role]}, then {after[role]}" for role in after
				if after[role][1] > before[role][1] + 1 or after[role][0] >= before[role][0] + 4000]
		# The engine gives free memory back twice a minute.
		with contextlib.suppress(AssertionError):
			harness.wait_until("nothing has grown", lambda: not grown(), 40, 1)
		self.assertEqual(grown(), [])
		self.assertEqual(len(harness.children_of(root.daemon.pid)), 3) # engine, gate and store: no helper is left


class Recording(unittest.TestCase):
	def test_a_recording_replays_with_the_names(self):
		harness.need_root()
		folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-e2e-")))
		# In a mount namespace of its own, with the tests' state where docker's is.
		script = ('mount -t tmpfs weir-e2e /var/lib && cp -r "$1"/var/lib/docker /var/lib/ && '
			  'shift && exec "$@"')
		recorder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script, "sh", STATE, harness.WEIR, "record",
					     folder / "file"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
					    stderr=subprocess.PIPE, preexec_fn=harness.die_with_parent)
		try:
			time.sleep(2.5)
			with Container(DOCKER, "docker") as container:
				pid, _ = container.speak()
				time.sleep(1)
		finally:
			recorder.send_signal(signal.SIGINT)
			_, said = recorder.communicate(timeout=20)
		self.assertTrue((folder / "file").exists(), said)
		done = subprocess.run([harness.WEIR, "replay", folder / "file", "-j", "processes", f"pid:{pid}"],
				      capture_output=True, text=True, timeout=20)
		rows = json.loads(done.stdout)["rows"]
		self.assertEqual([row["container_name"] for row in rows], ["web"], done.stderr)


class Podman(unittest.TestCase):
	"""The real one, with storage of its own in the tests' root, and an image made of busybox alone."""

	def setUp(self):
		harness.need_root()
		self.podman = harness.need_command("podman")
		self.runtime = next((r for r in ("runc", "crun") if shutil.which(r)), None)
		busybox = pathlib.Path("/bin/busybox")
		if not self.runtime or not busybox.exists():
			self.skipTest("needs runc or crun, and busybox-static")
		self.root = Root(self, state=False)
		storage = self.root.path / "storage.conf"
		storage.write_text("[storage]\ndriver = \"vfs\"\n"
				   f"graphroot = \"{self.root.path}/var/lib/containers/storage\"\n"
				   f"runroot = \"{self.root.path}/run/containers/storage\"\n")
		self.environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(storage)}
		image = self.root.path / "image"
		(image / "bin").mkdir(parents=True)
		shutil.copy(busybox, image / "bin/busybox")
		subprocess.run(["tar", "-C", image, "-cf", self.root.path / "image.tar", "."], check=True)
		self.addCleanup(self.remove_control_groups)
		self.addCleanup(self.call, "rm", "-t", "0", "-af")
		made = self.call("import", self.root.path / "image.tar", "weir-test:1")
		if made.returncode:
			self.skipTest(f"podman makes no image here: {made.stderr.strip().splitlines()[-1:]}")

	@staticmethod
	def remove_control_groups():
		"""What podman leaves; another podman's are not empty."""
		top = cgroup_root() / "libpod_parent"
		for folder in sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True):
			Container.removed(folder)
		Container.removed(top)

	def call(self, *words, timeout=40):
		"""Where version 1 of control groups is mounted too, podman sees version 2 alone, in a mount namespace."""
		script = 'mount --rbind "$1" /sys/fs/cgroup 2>/dev/null; shift; exec "$@"'
		return subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", cgroup_root(), self.podman,
				       "--cgroup-manager=cgroupfs", "--runtime", self.runtime, *words], timeout=timeout,
				      env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)

	def run_container(self, name, script):
		done = self.call("run", "-d", "--name", name, "--network=none", "--pids-limit=0",
				 "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
				 *(["--privileged"] if self.runtime == "crun" else []),
				 "weir-test:1", "/bin/busybox", "sh", "-c", script)
		if done.returncode:
			self.skipTest(f"podman starts no container here: {done.stderr.strip().splitlines()[-1:]}")
		return done.stdout.strip()

	def test_a_container_appears_by_its_name_and_keeps_it(self):
		daemon = self.root.daemon
		# Who listens says nothing for a while: who connects would take the end of that for the end of all.
		container_id = self.run_container("shop", "/bin/busybox sleep 60 | /bin/busybox nc -l -p 99 127.0.0.1 >/dev/null & "
						  "until echo hello | /bin/busybox nc 127.0.0.1 99; do /bin/busybox sleep 0.3; done; "
						  "/bin/busybox sleep 1")
		row = self.root.named(container_id)
		self.assertEqual((row["container_name"], row["image"], row["runtime"]),
				 ("shop", "localhost/weir-test:1", "podman"))
		harness.wait_until("its five letters", lambda: self.flows(daemon, container_id))
		self.assertEqual({f["container_name"] for f in self.flows(daemon, container_id)}, {"shop"})
		self.assertEqual(self.call("rm", "-t", "0", "-f", "shop").returncode, 0)
		time.sleep(2)
		left = [p for p in daemon.rows("processes") if p["container_id"] == container_id and p["comm"] == "busybox"]
		self.assertTrue(left)
		self.assertEqual({(p["state"], p["container_name"]) for p in left}, {("exited", "shop")})

	@staticmethod
	def flows(daemon, container_id):
		return [f for f in daemon.rows("flows") if f["container_id"] == container_id and f["tx_bytes"] == 6]


if __name__ == "__main__":
	unittest.main(verbosity=2)
