# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make install` puts where, and that the daemon works with no more rights than its systemd unit gives it."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("WEIR_BUILD", TOP / "build-test"))
FILES = {
	"bin/weir",
	"lib/systemd/system/weir.service",
	"share/man/man8/weir.8",
	"share/bash-completion/completions/weir.bash",
	"share/zsh/site-functions/_weir",
	"share/fish/vendor_completions.d/weir.fish",
	"share/weir/grafana/weir.json",
	"share/weir/prometheus/weir.rules.yml",
}


def run(*command, **options):
	return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
			      timeout=60, **options)


class Install(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.folder = tempfile.TemporaryDirectory(prefix="weir-install-")
		done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.folder.name)
		if done.returncode:
			raise RuntimeError(done.stdout + done.stderr)
		cls.root = next(Path(cls.folder.name).rglob("bin")).parent
		cls.prefix = "/" + str(cls.root.relative_to(cls.folder.name))
		cls.unit = (cls.root / "lib/systemd/system/weir.service").read_text()

	@classmethod
	def tearDownClass(cls):
		cls.folder.cleanup()

	def test_these_files_and_no_others(self):
		found = {str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()}
		self.assertEqual(found, FILES)

	def test_the_installed_program_runs(self):
		done = run(self.root / "bin/weir", "--version")
		self.assertEqual(done.returncode, 0, done.stderr)
		self.assertRegex(done.stdout, r"^weir \d+\.\d+\.\d+$")

	def test_the_unit_starts_it(self):
		self.assertIn(f"ExecStart={self.prefix}/bin/weir daemon\n", self.unit)

	@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
	def test_systemd_knows_every_line_of_the_unit(self):
		done = run("systemd-analyze", "verify", self.root / "lib/systemd/system/weir.service")
		# That the program and its page are not on this machine is as it should be.
		said = [line for line in done.stderr.splitlines()
			if "is not executable" not in line and "man weir(8)" not in line]
		self.assertEqual(said, [])

	@unittest.skipUnless(shutil.which("bash"), "no bash")
	def test_the_completions_for_bash_parse(self):
		done = run("bash", "-n", self.root / "share/bash-completion/completions/weir.bash")
		self.assertEqual((done.returncode, done.stderr), (0, ""))

	@unittest.skipUnless(shutil.which("mandoc"), "no mandoc")
	def test_the_manual_page_is_clean(self):
		done = run("mandoc", "-T", "lint", "-W", "warning", self.root / "share/man/man8/weir.8")
		self.assertEqual(done.stdout, "")

	@unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root and setpriv")
	def test_the_rights_of_the_unit_are_enough(self):
		words = re.search(r"^CapabilityBoundingSet=(.*)$", self.unit, re.M).group(1).split()
		bounds = ",".join(["-all"] + ["+" + w.removeprefix("CAP_").lower() for w in words])
		work = Path(self.folder.name)
		with open(work / "log", "w+") as log:
			daemon = subprocess.Popen(
				["setpriv", "--bounding-set", bounds, "--inh-caps=-all", "--no-new-privs",
				 BUILD / "weir", "daemon", "--socket", work / "weir.sock", "--listen", "none",
				 "--state", work / "state", "--pins", work / "pins"],
				stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
			try:
				state = self.wait_for_doctor(daemon, work / "weir.sock")
				log.seek(0)
				self.assertEqual(state, 0, log.read())
			finally:
				daemon.send_signal(signal.SIGTERM)
				try:
					daemon.wait(10)
				except subprocess.TimeoutExpired:
					os.killpg(daemon.pid, signal.SIGKILL)
					daemon.wait()

	def wait_for_doctor(self, daemon, path):
		"""doctor's exit status: 0 all can run, 4 something cannot."""
		end = time.monotonic() + 15
		status = None
		while time.monotonic() < end and daemon.poll() is None:
			status = run(BUILD / "weir", "--socket", path, "doctor").returncode if path.exists() else None
			if status in (0, 4):
				return status
			time.sleep(0.1)
		return status


if __name__ == "__main__":
	unittest.main(verbosity=2)
