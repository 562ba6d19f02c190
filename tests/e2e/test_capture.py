# SPDX-License-Identifier: GPL-2.0-or-later
"""`weir capture`: packets of known processes in a network namespace of its own, dropped ones among them, read back by a reader
of the test's own and by tcpdump and tshark."""

import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import harness
from harness import Daemon, PATIENCE, WEIR, wait_until

SECTION, INTERFACE, STATISTICS, PACKET = 0x0a0d0d0a, 1, 5, 6

# Runs in the namespace. Says its sockets' ports on standard output, then waits for its input to end.
TALK = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 5999))
client = socket.create_connection(("127.0.0.1", 5999))
server, _ = listener.accept()
client.sendall(b"x" * 3000)
server.recv(4000)
reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
reader.bind(("127.0.0.1", 5998))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b"first", ("127.0.0.1", 5998))
reader.recv(100)
for i in range(12):
	sender.sendto(b"y" * 700, ("127.0.0.1", 5998))
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other.sendto(b"nobody", ("127.0.0.1", 5997))
print(client.getsockname()[1], flush=True)
sys.stdin.read()
"""

FLOOD = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + 30
while time.monotonic() < end:
	for i in range(50):
		s.sendto(b"z" * 1200, ("127.0.0.1", 5996))
	time.sleep(0.005)
"""


def need_capture(daemon):
	for row in daemon.rows("doctor"):
		if row["feature"] in ("traffic", "drops") and row["state"] == "unavailable":
			raise unittest.SkipTest(f"needs {row['feature']}: {row['reason']}")


class Pcapng:
	"""The blocks of a file, each checked: lengths at both ends agree, options end where the block does."""

	def __init__(self, data):
		self.packets = []    # (interface, bytes, original length, {option: value})
		self.interfaces = [] # (link type, {option: value})
		self.statistics = [] # (interface, {option: value})
		self.section = None
		at = 0
		while at < len(data):
			kind, length = struct.unpack_from("=II", data, at)
			if length % 4 or length < 12 or at + length > len(data):
				raise AssertionError(f"block of {length} bytes at {at} of {len(data)}")
			if struct.unpack_from("=I", data, at + length - 4)[0] != length:
				raise AssertionError(f"the two lengths of the block at {at} differ")
			self.block(kind, data[at + 8:at + length - 4])
			at += length

	def block(self, kind, body):
		if kind == SECTION:
			self.section = self.options(body, 16)
		elif kind == INTERFACE:
			self.interfaces.append((struct.unpack_from("=H", body)[0], self.options(body, 8)))
		elif kind == STATISTICS:
			self.statistics.append((struct.unpack_from("=I", body)[0], self.options(body, 12)))
		elif kind == PACKET:
			interface, _, _, captured, original = struct.unpack_from("=IIIII", body)
			self.packets.append((interface, body[20:20 + captured], original,
					     self.options(body, 20 + (captured + 3) // 4 * 4)))
		else:
			raise AssertionError(f"block of type {kind}")

	@staticmethod
	def options(body, at):
		found = {}
		while at < len(body):
			code, length = struct.unpack_from("=HH", body, at)
			at += 4
			if code == 0:
				if at != len(body):
					raise AssertionError("options end before the block")
				return found
			found[code] = body[at:at + length]
			at += (length + 3) // 4 * 4
		return found

	def name(self, interface):
		return self.interfaces[interface][1][2].decode()

	def comments(self):
		return [options.get(1, b"").decode() for _, _, _, options in self.packets]

	def lost(self):
		return sum(struct.unpack("=Q", options[5])[0] for _, options in self.statistics)


class Namespace:
	"""A network namespace with its loopback device up, held by a process."""

	def __init__(self):
		self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"],
					       stdout=subprocess.PIPE, preexec_fn=harness.die_with_parent)
		if self.holder.stdout.readline() != b"up\n":
			raise AssertionError("no namespace")
		self.enter = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]

	def close(self):
		self.holder.kill()
		self.holder.wait()
		self.holder.stdout.close()

	def start(self, *words, **options):
		return subprocess.Popen([*self.enter, *map(str, words)], preexec_fn=harness.die_with_parent, **options)


class Capture:
	"""A capture under way; a context manager. Ready when it has begun to look."""

	def __init__(self, test, *words, path=None, environment=None):
		self.path = pathlib.Path(path or test.folder / "packets.pcapng")
		self.path.unlink(missing_ok=True)
		self.process = test.namespace.start(WEIR, "capture", self.path, *words, "--socket", test.daemon.socket,
						    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
						    text=True, env=environment)
		wait_until("the capture has begun", self.has_begun, 20)

	def has_begun(self):
		if self.process.poll() is not None:
			raise AssertionError(f"the capture ended: {self.process.stderr.read()}")
		return self.path.exists() and self.path.stat().st_size > 0

	def __enter__(self):
		return self

	def __exit__(self, *_):
		if self.process.poll() is None:
			self.process.kill()
		self.process.wait()
		self.process.stdout.close()
		self.process.stderr.close()

	def worker(self):
		return next(iter(harness.children_of(self.process.pid)))

	def finish(self, signo=signal.SIGINT, seconds=20):
		"""The exit status; what it said is in .said."""
		time.sleep(0.3 * PATIENCE)
		if signo:
			self.process.send_signal(signo)
		_, self.said = self.process.communicate(timeout=seconds * PATIENCE)
		return self.process.returncode

	def read(self):
		return Pcapng(self.path.read_bytes())


class Captures(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()
		for command in ("unshare", "nsenter", "ip"):
			harness.need_command(command)
		cls.daemon = cls.enterClassContext(Daemon())
		need_capture(cls.daemon)
		cls.namespace = Namespace()
		cls.addClassCleanup(cls.namespace.close)

	def setUp(self):
		self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-capture-"))
		self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

	def talk(self):
		"""Traffic of one process: its pid, which is what nsenter becomes, and the client's port."""
		process = self.namespace.start(sys.executable, "-c", TALK, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		self.addCleanup(process.stdout.close)
		port = int(process.stdout.readline())
		process.stdin.close()
		process.wait(10 * PATIENCE)
		return process.pid, port

	def tool(self, *words):
		done = subprocess.run([harness.need_command(words[0]), *map(str, words[1:])], capture_output=True, text=True,
				      errors="replace", timeout=60 * PATIENCE)
		self.assertEqual(0, done.returncode, done.stderr)
		return done.stdout.splitlines()

	def test_packets_name_the_processes_at_both_ends(self):
		with Capture(self, "tcp port 5999") as capture:
			pid, port = self.talk()
			self.assertEqual(130, capture.finish(), capture.said)
			found = capture.read()
		self.assertGreater(len(found.packets), 5)
		owner = rf"process:python3?[\d.]* pid:{pid}"
		for (interface, data, _, _), comment in zip(found.packets, found.comments()):
			self.assertRegex(comment, rf"^direction:local, from {owner}, to {owner}$")
			self.assertEqual("lo", found.name(interface))
			self.assertIn(port, struct.unpack_from("!HH", data, 20 + 20))
		self.assertRegex(capture.said, rf"{len(found.packets)} packets, .* 0 of them dropped by the kernel; "
				 rf"{len(found.packets)} of known processes, 0 of the kernel itself, 0 unattributed; 0 lost")
		self.assertEqual(0, found.lost())

	def test_dropped_packets_have_reason_place_and_owner(self):
		with Capture(self, "--drops", "-i", "lo", "udp") as capture:
			pid, _ = self.talk()
			capture.finish()
			comments = capture.read().comments()
		full = [c for c in comments if "dropped:SOCKET_RCVBUFF" in c]
		self.assertTrue(full, comments)
		for comment in full:
			self.assertRegex(comment, rf"to process:\S+ pid:{pid}, dropped:SOCKET_RCVBUFF at:\w*udp\w*\+0x")
		closed = [c for c in comments if "dropped:NO_SOCKET" in c]
		self.assertEqual(1, len(closed), comments)
		self.assertRegex(closed[0], rf"from process:\S+ pid:{pid}, dropped:NO_SOCKET at:")
		self.assertTrue(all("dropped:" in c for c in comments))

	def test_drops_of_all_namespaces(self):
		file = self.folder / "all.pcapng"
		process = subprocess.Popen([WEIR, "capture", file, "--drops", "-c", "1", "udp port 5995", "--socket", self.daemon.socket],
					   stderr=subprocess.PIPE, text=True, preexec_fn=harness.die_with_parent)
		sender = self.namespace.start(sys.executable, "-c", FLOOD.replace("5996", "5995"))
		try:
			_, said = process.communicate(timeout=30 * PATIENCE)
		finally:
			sender.kill()
			sender.wait()
		self.assertEqual(0, process.returncode, said)
		found = Pcapng(file.read_bytes())
		self.assertEqual(1, len(found.packets))
		number = os.stat(f"/proc/{self.namespace.holder.pid}/ns/net").st_ino
		self.assertEqual(f"in network namespace {number}".encode(), found.interfaces[found.packets[0][0]][1][3])
		self.assertIn(f"pid:{sender.pid}, dropped:NO_SOCKET", found.comments()[0])

	def test_a_dropped_packet_is_beside_the_one_that_was_sent(self):
		with Capture(self, "udp port 5997") as capture:
			self.talk()
			capture.finish()
			found = capture.read()
		self.assertEqual([False, True], ["dropped:" in c for c in found.comments()])
		self.assertEqual(1, len({data[20:] for _, data, _, _ in found.packets}), "the same packet twice")
		self.assertIn(b"nobody", found.packets[1][1])

	def test_tcpdump_and_tshark_read_it(self):
		harness.need_command("tcpdump")
		harness.need_command("tshark")
		with Capture(self) as capture:
			pid, _ = self.talk()
			capture.finish()
			found = capture.read()
		self.assertEqual(len(found.packets), len(self.tool("tcpdump", "-n", "-r", capture.path)))
		lines = self.tool("tshark", "-n", "-r", capture.path, "-T", "fields", "-e", "frame.interface_name", "-e",
				  "frame.comment", "-Y", f'frame.comment contains "pid:{pid}"')
		self.assertTrue(lines)
		self.assertTrue(any(re.match(r"lo\tdirection:local, .* dropped:NO_SOCKET at:", line) for line in lines), lines)
		self.assertEqual(1, len({link for link, _ in found.interfaces}), "libpcap reads one link type")

	def test_one_device_and_few_bytes(self):
		with Capture(self, "-i", "lo", "-s", "64", "tcp port 5999") as capture:
			pid, _ = self.talk()
			capture.finish()
			found = capture.read()
		self.assertEqual(1, found.interfaces[0][0], "Ethernet")
		self.assertTrue(found.packets)
		self.assertTrue(all(len(data) <= 64 for _, data, _, _ in found.packets))
		self.assertTrue(any(original > 3000 for _, _, original, _ in found.packets))
		self.assertTrue(all(f"pid:{pid}" in c for c in found.comments()), found.comments())

	def test_it_ends_by_count_and_by_time(self):
		with Capture(self, "-c", "3", "tcp") as capture:
			self.talk()
			self.assertEqual(0, capture.finish(None), capture.said)
			self.assertEqual(3, len(capture.read().packets))
		begun = time.monotonic()
		with Capture(self, "--seconds", "1") as capture:
			self.assertEqual(0, capture.finish(None), capture.said)
		self.assertLess(time.monotonic() - begun, 10 * PATIENCE)

	def test_standard_output_is_a_file_too(self):
		process = self.namespace.start(WEIR, "capture", "-", "--seconds", "2", "tcp", "--socket", self.daemon.socket,
					       stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
		head = process.stdout.read(28)
		self.talk()
		rest, said = process.communicate(timeout=20 * PATIENCE)
		self.assertEqual(0, process.returncode, said)
		self.assertTrue(Pcapng(head + rest).packets)
		self.assertIn(b"standard output: ", said)

	def test_the_reader_may_go_away(self):
		process = self.namespace.start(WEIR, "capture", "-", "--seconds", "20", "--socket", self.daemon.socket,
					       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
		process.stdout.read(28)
		process.stdout.close()
		self.talk()
		said = process.stderr.read()
		process.stderr.close()
		self.assertEqual(0, process.wait(15 * PATIENCE), said)

	def test_after_sigkill_the_file_can_be_read(self):
		with Capture(self) as capture:
			self.talk()
			worker = capture.worker()
			time.sleep(1.5 * PATIENCE)
			capture.process.kill()
			capture.process.wait()
			wait_until("the worker has ended", lambda: not harness.alive(worker))
			self.assertTrue(capture.read().packets)

	def test_a_full_disk_ends_it_with_a_whole_file(self):
		place = self.folder / "small"
		place.mkdir()
		subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=True)
		self.addCleanup(subprocess.run, ["umount", place], check=True)
		with Capture(self, path=place / "packets.pcapng") as capture:
			flood = self.namespace.start(sys.executable, "-c", FLOOD)
			try:
				status = capture.finish(None, 60)
			finally:
				flood.kill()
				flood.wait()
			self.assertEqual(1, status, capture.said)
			found = capture.read()
		self.assertGreater(len(found.packets), 50)
		self.assertRegex(capture.said, r"weir: the capture ends here, \S+/packets.pcapng cannot be written further: "
				 r"No space left on device\n")

	def test_a_hostile_name_stays_a_name(self):
		script = self.folder / "x pid:1\n, to p"
		shutil.copy(os.path.realpath(sys.executable), script)
		with Capture(self, "tcp port 5999") as capture:
			process = self.namespace.start(script, "-c", TALK, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
			process.stdout.readline()
			process.stdin.close()
			process.wait(10 * PATIENCE)
			process.stdout.close()
			capture.finish()
			comments = capture.read().comments()
		self.assertTrue(comments)
		for comment in comments:
			self.assertIn(f'from process:"x pid:1\\x0a, to p" pid:{process.pid}, to ', comment)
			self.assertNotIn("\n", comment)

	def test_who_reads_packets_has_no_rights(self):
		with Capture(self) as capture:
			status = harness.status_of(capture.worker())
			self.assertEqual("0000000000000000", status["CapEff"].strip())
			self.assertEqual("0000000000000000", status["CapPrm"].strip())
			self.assertNotIn("0", status["Uid"].split())
			self.assertEqual("2", status["Seccomp"].strip())
			self.assertEqual("1", status["NoNewPrivs"].strip())
			capture.finish(signal.SIGTERM)
			self.assertEqual(143, capture.process.returncode)

	def test_mistakes_are_said_in_one_line(self):
		file = self.folder / "never.pcapng"
		for words, status, says in (
				(("tcp prot 80",), 2, "the filter \"tcp prot 80\" is not one: "),
				(("-i", "nothere"), 1, "there is no device nothere"),
				(("-s", "10"), 2, "--snaplen takes 64 to 262144 bytes, not 10")):
			with self.subTest(words=words):
				done = self.daemon.run("capture", file, *words)
				self.assertEqual(status, done.returncode, done.stderr)
				self.assertEqual(1, done.stderr.count("\n"), done.stderr)
				self.assertIn(says, done.stderr)
				self.assertFalse(file.exists())
		done = self.daemon.run("capture", "/proc/nothere/file")
		self.assertEqual(1, done.returncode)
		self.assertIn("cannot write /proc/nothere/file", done.stderr)

	def test_without_root_it_says_so(self):
		done = subprocess.run([WEIR, "capture", "/tmp/never.pcapng"], capture_output=True, text=True, user=harness.NOBODY,
				      group=harness.NOBODY, extra_groups=[], timeout=20 * PATIENCE)
		self.assertEqual(3, done.returncode, done.stderr)
		self.assertEqual("weir: capturing packets needs root: run sudo weir capture /tmp/never.pcapng\n", done.stderr)

	def test_the_daemon_may_be_started_for_it(self):
		file = self.folder / "own.pcapng"
		environment = {k: v for k, v in os.environ.items() if k != "WEIR_SOCKET"}
		with socket.socket(socket.AF_UNIX) as probe:
			if probe.connect_ex("/run/weir/weir.sock") == 0:
				self.skipTest("a daemon runs at the usual place")
		process = self.namespace.start(WEIR, "capture", file, "tcp", env=environment, stderr=subprocess.PIPE, text=True)
		wait_until("the capture has begun", lambda: file.exists() and file.stat().st_size, 30)
		pid, _ = self.talk()
		time.sleep(0.3 * PATIENCE)
		process.send_signal(signal.SIGINT)
		_, said = process.communicate(timeout=30 * PATIENCE)
		self.assertEqual(130, process.returncode, said)
		comments = Pcapng(file.read_bytes()).comments()
		self.assertTrue(comments)
		self.assertTrue(all(f"pid:{pid}" in c for c in comments), comments)
