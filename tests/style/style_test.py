# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries each rule on bad samples that it must catch, and on good ones; then holds the tree against it."""

import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rules  # noqa: E402
import samples  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
# Generated, or not ours: a bundle, licences, recordings, corpora, data.
NOT_SOURCE = ("LICENSE", "tests/corpus/", "tests/testdata/", "package-lock.json", "/dist/")


def listed():
	"""What git knows, or would add; without git, all but build folders."""
	done = subprocess.run(["git", "-c", f"safe.directory={TOP}", "ls-files", "-co", "--exclude-standard"],
			      cwd=TOP, capture_output=True, text=True) if shutil.which("git") else None
	if done and done.returncode == 0:
		names = done.stdout.splitlines()
	else:
		names = [str(p.relative_to(TOP)) for p in TOP.rglob("*") if p.is_file()]
		names = [n for n in names if not n.startswith((".git/", "build/", "build-")) and "/node_modules/" not in n]
	return [n for n in names if (TOP / n).is_file()]


def tree():
	files = {}
	for name in listed():
		if any(part in name for part in NOT_SOURCE):
			files[name] = ""
			continue
		try:
			files[name] = (TOP / name).read_text()
		except UnicodeDecodeError:
			files[name] = ""
	return files


class Samples(unittest.TestCase):
	"""The test of the tests."""

	def test_every_rule_has_a_bad_sample(self):
		for rule in rules.FILE_RULES + rules.TREE_RULES:
			self.assertIn(rule.__name__, samples.BAD, "a rule without a bad sample")

	def test_bad_samples_are_caught(self):
		for rule in rules.FILE_RULES:
			for path, text in samples.BAD[rule.__name__]:
				with self.subTest(rule=rule.__name__, path=path, text=text[:60]):
					self.assertTrue(rule(path, text))
		for rule in rules.TREE_RULES:
			for files in samples.BAD[rule.__name__]:
				with self.subTest(rule=rule.__name__, files=sorted(files)):
					self.assertTrue(rule(files))

	def test_good_samples_pass(self):
		for path, text in samples.GOOD_FILES:
			for rule in rules.FILE_RULES:
				with self.subTest(rule=rule.__name__, path=path):
					self.assertEqual(rule(path, text), [])
		for rule in rules.TREE_RULES:
			with self.subTest(rule=rule.__name__):
				self.assertEqual(rule(samples.GOOD_TREE), [])


class Tree(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.files = tree()
		for path, text in sorted(cls.files.items()):
			for line in rules.long_but_allowed(path, text):
				print(f"note: {line}", file=sys.stderr)

	def hold(self, found):
		if found:
			self.fail("\n" + "\n".join(found))

	def test_there_is_a_tree(self):
		self.assertTrue("src/core/feature.h" in self.files, "the tree was not found")

	def test_promises_of_documents(self):
		found = []
		for path, text in self.files.items():
			if path.endswith((".md", ".toml", ".yaml", ".in")):
				found += rules.promises(path, text)
		self.hold(found)

	@unittest.skipUnless(shutil.which("clang-format"), "no clang-format")
	def test_clang_format_reads_its_configuration(self):
		done = subprocess.run(["clang-format", "--dump-config"], cwd=TOP, capture_output=True, text=True)
		self.assertEqual(done.returncode, 0, done.stderr)
		self.assertTrue("ColumnLimit:     100" in done.stdout, "not the tree's .clang-format")


def add_rule(rule):
	def test(self):
		if rule in rules.TREE_RULES:
			self.hold(rule(self.files))
			return
		found = []
		for path, text in sorted(self.files.items()):
			if text and not path.endswith((".md", ".json", ".yaml")):
				found += rule(path, text)
		self.hold(found)

	test.__doc__ = None
	setattr(Tree, f"test_tree_{rule.__name__}", test)


for each in rules.FILE_RULES + rules.TREE_RULES:
	add_rule(each)

if __name__ == "__main__":
	unittest.main(verbosity=2)
