# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries tools/words on tables with one thing wrong each, and holds the tree's own against their use."""

import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
WORDS = TOP / "src/frontends/words"
OURS = [WORDS / f"{name}.tsv" for name in ("terminal", "explain", "fields", "fields_terminal")]

BAD = {
	"a missing text": ("a.b\tEnglish\t\n", "has no Chinese text"),
	"a missing column": ("a.b\tEnglish\n", "2 columns"),
	"a column too many": ("a.b\tEnglish\t中文\tmore\n", "4 columns"),
	"a placeholder that differs": ("a.b\t{n} rows\t{m} 行\n", "is filled in with"),
	"a placeholder that is missing": ("a.b\t{n} rows\t行\n", "is filled in with"),
	"a brace that names nothing": ("a.b\t{ rows\t行\n", "names nothing"),
	"a key twice": ("a.b\tone\t一\na.b\ttwo\t二\n", "is there already"),
	"a key of other letters": ("A.b\tone\t一\n", "is no key"),
}


def words(*arguments):
	return subprocess.run([TOP / "tools/words", *[str(a) for a in arguments]], capture_output=True, text=True)


class Words(unittest.TestCase):
	def setUp(self):
		folder = tempfile.TemporaryDirectory()
		self.addCleanup(folder.cleanup)
		self.folder = Path(folder.name)

	def table(self, text, name="a.tsv"):
		(self.folder / name).write_text(text)
		return self.folder / name

	def test_each_fault_is_named(self):
		for what, (text, message) in BAD.items():
			with self.subTest(what):
				done = words("--header", self.folder / "out.h", self.table(text))
				self.assertEqual(done.returncode, 1)
				self.assertIn(message, done.stderr)
				self.assertFalse((self.folder / "out.h").exists())

	def test_an_unused_key_is_named(self):
		(self.folder / "a.c").write_text("x = weir_word(WORD_A_B);\nweir_say_a_c(out, n);\n")
		table = self.table("a.b\tone\t一\na.c\t{n} rows\t{n} 行\n")
		self.assertEqual(words("--check", self.folder, table).returncode, 0)
		done = words("--check", self.folder, self.table("a.b\tone\t一\na.d\t{n} rows\t{n} 行\n"))
		self.assertEqual((done.returncode, done.stderr), (1, "words: nothing uses a.d\n"))

	def test_a_field_has_both_texts(self):
		done = words("--source", self.folder / "out.c", self.table("t.f.title\tF\t域\n", "fields.tsv"))
		self.assertEqual(done.returncode, 1)
		self.assertIn("not both", done.stderr)

	def test_what_is_generated(self):
		table = self.table("a.b\tsays \"x\"\t说\na.c\t{n} {n|row|rows} of {m}\t{m} 中的 {n} 行\n")
		self.assertEqual(words("--header", self.folder / "out.h", table).returncode, 0)
		header = (self.folder / "out.h").read_text()
		self.assertIn("\tWORD_A_B,", header)
		self.assertIn("weir_say_a_c(struct weir_buf *out, const char *n, const char *m)", header)
		self.assertEqual(words("--source", self.folder / "out.c", table).returncode, 0)
		source = (self.folder / "out.c").read_text()
		self.assertIn(r'{ "says \"x\"", "说" }', source)
		self.assertIn('{ "{0} {0|row|rows} of {1}", "{1} 中的 {0} 行" }', source)

	def test_ours_are_whole_and_used(self):
		done = words("--check", TOP / "src", *[t for t in OURS if t.exists()])
		self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
	unittest.main(verbosity=2)
