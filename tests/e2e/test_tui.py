# SPDX-License-Identifier: GPL-2.0-or-later
"""`weir top` on a terminal of its own: what it shows first, how it leaves, and what nothing may do to it.

What a frame looks like is the business of golden files (src/frontends/tui/frames_test.c); here a pseudo-terminal
receives the bytes, and tmux, where the screen matters, says what they make of it."""

import contextlib
import errno
import fcntl
import os
import pathlib
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

import harness

EVENTS = harness.TOP / "tests" / "testdata" / "cases.events"
KEYS = {"down": b"\x1bOB", "up": b"\x1bOA", "left": b"\x1bOD", "right": b"\x1bOC", "end": b"\x1bOF", "enter": b"\r",
	"escape": b"\x1b"}
# Of xterm: the alternate screen is left, the cursor is shown.
LEAVE_SCREEN = b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"


class Terminal:
	"""A program on a pseudo-terminal; a context manager."""

	def __init__(self, *command, rows=24, columns=80, environment=None, **options):
		self.master, self.slave = os.openpty()
		self.output = b""
		self.resize(rows, columns)
		self.modes = termios.tcgetattr(self.slave)
		env = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
		env.pop("NO_COLOR", None)
		env.pop("WEIR_SOCKET", None)
		env |= environment or {}

		def prepare():
			os.setsid()
			fcntl.ioctl(0, termios.TIOCSCTTY, 0)
			harness.die_with_parent()
		self.begun = time.monotonic()
		self.process = subprocess.Popen([str(c) for c in command], stdin=self.slave, stdout=self.slave,
						stderr=self.slave, preexec_fn=prepare, env=env, **options)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		with contextlib.suppress(ProcessLookupError):
			self.process.send_signal(signal.SIGCONT)
			self.process.terminate()
		try:
			self.end(5)
		except AssertionError:
			self.process.kill()
			self.process.wait()
		os.close(self.master)
		os.close(self.slave)

	def resize(self, rows, columns):
		fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

	def send(self, *keys):
		for key in keys:
			os.write(self.master, KEYS.get(key) or key.encode())

	def read(self, seconds=0.0):
		"""Takes what has come, waiting so long for the first of it."""
		piece = b""
		while select.select([self.master], [], [], 0 if piece else seconds)[0]:
			try:
				more = os.read(self.master, 65536)
			except OSError as e:
				if e.errno != errno.EIO:
					raise
				more = b""
			if not more:
				break
			piece += more
		self.output += piece
		return piece

	def wait_for(self, text, seconds=10, since=0):
		"""Until this stands in the output, from `since` on; the time since the start."""
		end = time.monotonic() + seconds
		while text not in self.output[since:]:
			if time.monotonic() > end:
				raise AssertionError(f"after {seconds} s not on the terminal: {text!r}: "
						     f"{self.output[since:][-2000:]!r}")
			self.read(0.05)
		return time.monotonic() - self.begun

	def settle(self, seconds=0.4, most=3):
		"""Until nothing more comes for a moment; a view that is alive never stays silent for long."""
		end = time.monotonic() + most
		while self.read(seconds) and time.monotonic() < end:
			pass

	def end(self, seconds=10):
		"""The exit status."""
		end = time.monotonic() + seconds
		while self.process.poll() is None:
			if time.monotonic() > end:
				raise AssertionError(f"it does not end: {self.output[-500:]!r}")
			self.read(0.02)
		self.read()
		return self.process.returncode


def replay(*options, **terminal):
	"""The interactive view of the recording, which needs no root."""
	return Terminal(harness.WEIR, "replay", EVENTS, "top", *options, **terminal)


def stopped(pid):
	return harness.status_of(pid).get("State", "")[:1] == "T"


class Recording(unittest.TestCase):
	def check_restored(self, terminal):
		self.assertIn(LEAVE_SCREEN, terminal.output)
		self.assertGreater(terminal.output.rfind(SHOW_CURSOR), terminal.output.find(b"workbench"))
		self.assertEqual(termios.tcgetattr(terminal.slave), terminal.modes)

	def test_first_frame(self):
		"""Within a second, on a machine on which a plain frame takes a third of that."""
		begun = time.monotonic()
		subprocess.run([harness.WEIR, "replay", EVENTS, "top", "-b", "-c", "1"], stdin=subprocess.DEVNULL,
			       stdout=subprocess.DEVNULL, check=True)
		floor = time.monotonic() - begun
		with replay("--speed", "0") as t:
			self.assertLess(t.wait_for(b"wg-"), max(1.0, 3 * floor + 0.5))

	def test_every_way_to_leave_restores_the_terminal(self):
		for what, leave, status in (("q", lambda t: t.send("q"), 0),
					    ("Ctrl-C", lambda t: t.send("\x03"), 130),
					    ("SIGTERM", lambda t: t.process.terminate(), 143),
					    ("SIGINT", lambda t: t.process.send_signal(signal.SIGINT), 130),
					    ("SIGHUP", lambda t: t.process.send_signal(signal.SIGHUP), 129),
					    ("SIGQUIT", lambda t: t.send("\x1c"), -signal.SIGQUIT)):
			with self.subTest(what), replay() as t:
				t.wait_for(b"workbench")
				leave(t)
				self.assertEqual(t.end(), status)
				self.check_restored(t)

	def test_a_damaged_recording_is_shown_up_to_the_damage(self):
		data = bytearray(EVENTS.read_bytes())
		data[len(data) // 2:len(data) // 2 + 512] = b"\xff" * 512
		with tempfile.NamedTemporaryFile(suffix=".events") as file:
			file.write(data)
			file.flush()
			with Terminal(harness.WEIR, "replay", file.name, "top", "--speed", "0") as t:
				t.wait_for(b"workbench")
				t.send("q")
				self.assertEqual(t.end(), 1)
				self.assertIn(b"weir: " + file.name.encode(), t.output[t.output.rfind(LEAVE_SCREEN):])

	def test_leaving_in_the_middle_of_a_filter(self):
		with replay() as t:
			t.wait_for(b"workbench")
			t.send("/proc")
			t.wait_for(b"proc")
			t.process.terminate()
			self.assertEqual(t.end(), 143)
			self.check_restored(t)

	def test_a_terminal_that_goes_away(self):
		t = replay()
		t.wait_for(b"workbench")
		os.close(t.slave)
		os.close(t.master)
		self.assertIn(t.process.wait(10), (0, 129))

	def test_stop_and_go_on(self):
		with replay() as t:
			t.wait_for(b"workbench")
			t.send("\x1a")
			harness.wait_until("stopped", lambda: t.read() or stopped(t.process.pid))
			t.settle(0.1)
			self.assertEqual(termios.tcgetattr(t.slave), t.modes)
			self.assertIn(LEAVE_SCREEN, t.output)
			since = len(t.output)
			t.process.send_signal(signal.SIGCONT)
			t.wait_for(b"workbench", since=since)
			# Stopped from elsewhere, and a shell that set the terminal otherwise meanwhile.
			t.process.send_signal(signal.SIGSTOP)
			harness.wait_until("stopped", lambda: stopped(t.process.pid))
			termios.tcsetattr(t.slave, termios.TCSANOW, t.modes)
			since = len(t.output)
			t.process.send_signal(signal.SIGCONT)
			t.wait_for(b"workbench", since=since)
			t.send("q")
			self.assertEqual(t.end(), 0)
			self.check_restored(t)

	def test_a_storm_of_sizes(self):
		"""500 sizes, the smallest among them, with keys in between."""
		keys = ["down", "end", "enter", "f", "t", "escape", "/", "x", "escape", "s", "down", "enter", "?", "p", "p", "r"]
		with replay("--speed", "0") as t:
			t.wait_for(b"workbench")
			for i in range(500):
				t.resize(1 + i * 7 % 70, 1 + i * 13 % 230)
				t.send(keys[i % len(keys)])
				if i % 8 == 0:
					t.read(0.002)
			t.settle()
			self.assertIsNone(t.process.poll(), t.output[-500:])
			t.resize(5, 20)
			t.wait_for(b"too small", since=len(t.output))
			since = len(t.output)
			t.resize(24, 80)
			t.send("escape", "escape", "\x0c")
			t.wait_for(b"workbench", since=since)
			t.send("escape", "escape", "escape", "q")
			self.assertEqual(t.end(), 0)
			self.check_restored(t)

	MOUSE_ON = b"1000h"
	MOUSE_OFF = b"1000l"

	def press(self, t, row, column, button=0):
		"""As xterm tells it, in its newer form or the older."""
		if b"\x1b[?1006" in t.output:
			t.send(f"\x1b[<{button};{column + 1};{row + 1}M", f"\x1b[<{button};{column + 1};{row + 1}m")
		else:
			os.write(t.master, bytes((27, ord("["), ord("M"), 32 + button, 33 + column, 33 + row)))

	def test_mouse(self):
		with replay("--speed", "0") as t:
			t.wait_for(b"workbench")
			self.assertIn(self.MOUSE_ON, t.output)
			t.settle()
			self.press(t, 0, 42) # Doctor, the sixth in the bar
			t.wait_for(b"What works on this kernel")
			self.press(t, 0, 8)
			t.wait_for(b"RTT")
			t.send("m")
			t.wait_for(self.MOUSE_OFF)
			t.send("q")
			self.assertEqual(t.end(), 0)
			self.check_restored(t)
		with replay("--speed", "0", "--no-mouse") as t:
			t.wait_for(b"workbench")
			self.assertNotIn(self.MOUSE_ON, t.output)
		with replay("--speed", "0") as t:
			t.wait_for(b"workbench")
			t.process.terminate()
			t.end()
			self.assertIn(self.MOUSE_OFF, t.output)

	def test_a_storm_of_clicks(self):
		"""Everywhere on the screen and beyond it, with every button, while it is resized."""
		with replay("--speed", "0") as t:
			t.wait_for(b"workbench")
			for i in range(1500):
				self.press(t, i * 7 % 70, i * 13 % 210, (0, 0, 64, 65, 1, 2)[i % 6])
				if i % 50 == 0:
					t.resize(8 + i // 50 * 5 % 60, 40 + i // 50 * 11 % 180)
				if i % 8 == 0:
					t.read(0.002)
			t.settle()
			self.assertIsNone(t.process.poll(), t.output[-500:])
			since = len(t.output)
			t.resize(24, 80)
			t.send("escape", "escape", "\x0c")
			t.wait_for(b"workbench", since=since)
			t.send("escape", "escape", "escape", "q")
			self.assertEqual(t.end(), 0)

	def test_chinese(self):
		for environment in ({"LC_ALL": "", "LANG": "zh_CN.UTF-8", "LC_CTYPE": "C.UTF-8"}, {"WEIR_LANG": "zh"}):
			with self.subTest(environment), replay("--speed", "0", environment=environment) as t:
				t.wait_for("进程".encode())
				t.send("?")
				t.wait_for("按任意键返回".encode())
				t.send("q", "q")
				self.assertEqual(t.end(), 0)
		# Where they cannot be written the words are English.
		with replay("--speed", "0", environment={"LC_ALL": "C", "WEIR_LANG": "zh"}) as t:
			t.wait_for(b"Processes")
			t.settle()
			self.assertEqual([b for b in t.output if b >= 0x80], [])

	def test_ascii_and_no_colour(self):
		for environment, options in (({"LC_ALL": "C"}, ()), ({"LC_ALL": "C.UTF-8"}, ("--ascii",))):
			with self.subTest(environment), replay("--speed", "0", *options, environment=environment) as t:
				t.wait_for(b"wg-")
				t.send("t", "s", "escape", "q")
				self.assertEqual(t.end(), 0)
				self.assertEqual([b for b in t.output if b >= 0x80], [])
		colour = re.compile(rb"\x1b\[[0-9;]*3[0-7][;m]")
		with replay("--speed", "0") as t:
			t.wait_for(b"wg-")
			self.assertTrue(colour.search(t.output))
		with replay("--speed", "0", environment={"NO_COLOR": "1"}) as t:
			t.wait_for(b"wg-")
			t.settle()
			self.assertFalse(colour.search(t.output))

	def test_a_terminal_of_a_kind_that_nobody_knows(self):
		with replay(environment={"TERM": "weir-no-such-terminal"}) as t:
			self.assertEqual(t.end(), 1)
			self.assertIn(b"weir: this terminal's kind (TERM=weir-no-such-terminal) is not known", t.output)
			self.assertEqual(t.output.count(b"\n"), 1)
		with replay("-b", "-c", "1", environment={"TERM": "dumb"}) as t:
			self.assertEqual(t.end(), 0)
			self.assertNotIn(b"\x1b", t.output)

	def test_frames_and_streams_are_as_they_were(self):
		"""-b -c N, and what goes into a pipe, are for scripts."""
		with replay("-b", "-c", "2", "--speed", "0") as t:
			self.assertEqual(t.end(), 0)
			self.assertEqual(t.output.count(b"workbench"), 2)
			self.assertNotIn(b"\x1b[?1049h", t.output)
		done = subprocess.run([harness.WEIR, "replay", EVENTS, "top", "-c", "2"], stdin=subprocess.DEVNULL,
				      capture_output=True, text=True, check=True)
		self.assertEqual(done.stdout.count("workbench"), 2)


class Screen:
	"""The same in tmux, which knows what stands on the screen."""

	def __init__(self, *command, rows=24, columns=80):
		harness.need_command("tmux")
		self.folder = tempfile.mkdtemp(prefix="weir-tmux-")
		self.tmux = ["tmux", "-S", f"{self.folder}/socket", "-f", "/dev/null"]
		env = {**os.environ, "LC_ALL": "C.UTF-8"}
		env.pop("TMUX", None)
		subprocess.run([*self.tmux, "new-session", "-d", "-x", str(columns), "-y", str(rows),
				*[str(c) for c in command]], env=env, check=True, stdin=subprocess.DEVNULL)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		subprocess.run([*self.tmux, "kill-server"], stderr=subprocess.DEVNULL, check=False)
		shutil.rmtree(self.folder, ignore_errors=True)

	def keys(self, *keys):
		subprocess.run([*self.tmux, "send-keys", *keys], check=True)

	def lines(self):
		done = subprocess.run([*self.tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True)
		return done.stdout.splitlines()

	def wait_for(self, text, seconds=10):
		return harness.wait_until(f"on the screen: {text}", lambda: [line for line in self.lines() if text in line],
					  seconds, 0.05)


class Live(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		harness.need_root()

	def top(self, daemon, *options, **terminal):
		return Terminal(harness.WEIR, "top", "--socket", daemon.socket, *options, **terminal)

	def test_first_frame_and_its_numbers(self):
		with harness.Daemon() as daemon, harness.Held("run", "tcp4-write", "--bytes", "1000000", "--hold"):
			begun = time.monotonic()
			daemon.run("top", "-b", "-c", "1")
			floor = time.monotonic() - begun
			with self.top(daemon) as t:
				self.assertLess(t.wait_for(b"wg-tx-write"), max(1.0, 3 * floor + 0.5))
			with Screen(harness.WEIR, "top", "--socket", daemon.socket, columns=120) as screen:
				self.assertRegex(screen.wait_for("wg-tx-write")[0], r" 1 MB ")
				screen.keys("2") # beside the list of Now stands what is new, whatever its filter
				screen.wait_for("RTT")
				screen.wait_for("wg-tx-write")
				screen.keys("/", "process:wg-rx*", "Enter")
				harness.wait_until("the filter holds", lambda: not [
					line for line in screen.lines() if "wg-tx-write" in line])
				screen.keys("Down", "Enter")
				screen.wait_for("process ")
				screen.wait_for("127.0.0.1:")
				screen.keys("Escape", "q")

	def test_the_past(self):
		"""What a program sent stands under New today and in the span of the last hour, with the bytes it sent."""
		with harness.Daemon() as daemon, harness.Held("run", "tcp4-write", "--bytes", "1000000", "--hold"):
			harness.wait_until("the store has it", lambda: "wg-tx-write" in daemon.run("history").stdout, 20, 0.5)
			with Screen(harness.WEIR, "top", "--socket", daemon.socket, columns=120, rows=40) as screen:
				self.assertRegex(screen.wait_for("New today: ")[0], r"New today: [1-9]")
				screen.keys("5")
				screen.wait_for("last 1 h")
				self.assertRegex(screen.wait_for("wg-tx-write")[0], r" 1 MB +0 B .* yes")
				screen.keys("/", "process:wg-tx*", "Enter")
				harness.wait_until("the filter holds", lambda: not [
					line for line in screen.lines() if "wg-rx-write" in line])
				screen.keys("v")
				screen.wait_for("localhost:")
				screen.keys("6")
				screen.wait_for("What history keeps")
				screen.wait_for("kept 400 d")
				screen.keys("q")

	def test_a_wrong_filter_says_why(self):
		with harness.Daemon() as daemon, Screen(harness.WEIR, "top", "--socket", daemon.socket) as screen:
			screen.wait_for("Processes")
			screen.keys("/", "proces:x", "Enter")
			self.assertIn("did you mean", screen.wait_for("unknown word")[0])
			screen.keys("C-u", "process:nobody", "Enter")
			screen.wait_for("no processes match the filter")

	def test_hostile_names(self):
		names = [b"\x1b]0;weir\x07", b"\x1b[2Jwipe", b"\x9b31mred", "‮olleh".encode(), b"two\nlines"]
		with harness.Daemon() as daemon, contextlib.ExitStack() as stack:
			for name in names:
				stack.enter_context(harness.Held("run", "tcp4-write", "--hold", "--name",
								 os.fsdecode(name)))
			with self.top(daemon, rows=60, columns=200) as t:
				t.wait_for(b"two\\x0alines")
				t.send("t")
				t.wait_for(b"as a tree")
				t.send("f")
				t.settle(1.2)
				t.send("q")
				self.assertEqual(t.end(), 0)
				for name in names:
					self.assertNotIn(name, t.output)
				self.assertNotIn(b"\x07", t.output)
				self.assertIn(b"\\x1b]0;weir\\x07", t.output)

	def test_a_daemon_that_dies_and_comes_back(self):
		with harness.Daemon() as daemon:
			with Screen(harness.WEIR, "top", "--socket", daemon.socket) as screen:
				screen.wait_for("sends" if "sends" in " ".join(screen.lines()) else "process")
				daemon.kill()
				screen.wait_for("no daemon answers on")
				screen.wait_for("s OLD")
				daemon.start()
				harness.wait_until("found again", lambda: "OLD" not in " ".join(screen.lines()) and
						   "no daemon" not in " ".join(screen.lines()), 10, 0.1)

	def test_without_a_daemon_it_starts_its_own(self):
		"""In a /run of its own, so that no daemon of the machine is found."""
		with tempfile.TemporaryDirectory() as folder:
			marker = pathlib.Path(folder) / "left"
			begun = time.monotonic()
			subprocess.run(["unshare", "--mount", "sh", "-c", f"mount -t tmpfs none /run && {harness.WEIR} -V"],
				       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=True)
			floor = time.monotonic() - begun
			script = f"mount -t tmpfs none /run && {harness.WEIR} top; echo status $?; ls -A /run > {marker}"
			with Terminal("unshare", "--mount", "sh", "-c", script) as t:
				seconds = t.wait_for(b"starting a private one")
				t.wait_for(b"Processes")
				family = harness.children_of(t.process.pid)
				t.send("q")
				t.wait_for(b"status 0")
				t.end()
			self.assertLess(seconds, max(1.0, 3 * floor + 0.5))
			self.assertFalse([pid for pid in family if harness.alive(pid)])
			self.assertEqual(marker.read_text(), "")

	def test_a_daemon_that_cannot_start_gives_the_terminal_back(self):
		script = f"mount -t tmpfs none /run && {harness.WEIR} top --hooks traffic:nonsense,drops:nonsense"
		with Terminal("unshare", "--mount", "sh", "-c", script) as t:
			self.assertNotEqual(t.end(20), 0)
			self.assertIn(b"weir: ", t.output[t.output.rfind(LEAVE_SCREEN):])
			self.assertEqual(termios.tcgetattr(t.slave), t.modes)

	def test_bytes_on_the_wire(self):
		"""A remote shell gets what changed, not frames: 20 KB a second at most."""
		with harness.Daemon() as daemon, self.top(daemon, rows=40, columns=120) as t:
			load = subprocess.Popen([harness.GENERATE, "churn", "--seconds", "8"], stdout=subprocess.DEVNULL,
						stdin=subprocess.DEVNULL, preexec_fn=harness.die_with_parent)
			try:
				t.wait_for(b"wg-churn")
				t.settle(0.2)
				before, begun = len(t.output), time.monotonic()
				while time.monotonic() < begun + 5:
					t.read(0.1)
				rate = (len(t.output) - before) / (time.monotonic() - begun)
			finally:
				load.kill()
				load.wait()
			self.assertLess(rate, 20000)
			self.assertGreater(rate, 0)


if __name__ == "__main__":
	unittest.main()
