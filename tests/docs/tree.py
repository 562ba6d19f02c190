# SPDX-License-Identifier: GPL-2.0-or-later
"""A copy of the source tree to work on, as a fresh clone would have it."""

import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def copy_tree(to):
	"""What git knows or would add; without git, all but what a build leaves behind."""
	done = subprocess.run(["git", "-c", f"safe.directory={TOP}", "ls-files", "-co", "--exclude-standard"],
			      cwd=TOP, capture_output=True, text=True) if shutil.which("git") else None
	if done is None or done.returncode:
		shutil.copytree(TOP, to, ignore=shutil.ignore_patterns("build", "build-*", ".git", "node_modules"))
		return
	for name in done.stdout.splitlines():
		if (TOP / name).is_file():
			(to / name).parent.mkdir(parents=True, exist_ok=True)
			shutil.copy2(TOP / name, to / name)
