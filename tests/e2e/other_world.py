# SPDX-License-Identifier: GPL-2.0-or-later
"""A program in namespaces of its own, which does what it is told in lines of JSON."""

import json
import os
import subprocess
import sys


class OtherWorld:
	"""Starts the program; world("word", key=value) has it do something and returns what it says. A context manager."""

	def __init__(self, program, die_with_parent=None):
		self.process = subprocess.Popen(["unshare", "--net", "--mount", sys.executable, os.path.abspath(program)],
						stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
						preexec_fn=die_with_parent)
		self.hello = self("hello")

	def __call__(self, word, **what):
		self.process.stdin.write(json.dumps({"do": word, **what}) + "\n")
		self.process.stdin.flush()
		line = self.process.stdout.readline()
		if not line:
			raise AssertionError(f"{word}: the world has ended")
		said = json.loads(line)
		if "error" in said:
			raise AssertionError(f"{word} {what}: {said['error']}")
		return said

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.process.kill()
		self.process.wait()
		self.process.stdin.close()
		self.process.stdout.close()
