# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/explain.md lists each fact that `weir explain -j` gives, and no other."""

import re
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
TOLD = re.compile(r"(?:explain_fact\(s|say_where\(s|say_none\(s|say_(?:count|duration|bytes)\(r, row, s), \"(\w+)\"")
# The members that a fact gets beside its name.
VALUE = re.compile(r"explain_(?:uint|text|time)\(s, \"(\w+)\"")
FIELDS = re.compile(r"say_(?:count|duration)\(r, row, s, \"(\w+)\"|say_bytes\(r, row, s, \"\w+\", \"(\w+)\", \"(\w+)\"")


def source():
	return "\n".join(p.read_text() for p in sorted((TOP / "src/frontends/cli").glob("explain*.c"))
			 if not p.name.endswith("_test.c"))


def rows():
	"""[(facts, values)] of the page's tables."""
	for line in (TOP / "docs/explain.md").read_text().splitlines():
		if line.startswith("| `"):
			facts, values, _ = (cell.strip() for cell in line.strip("|").split("|"))
			yield re.findall(r"`(\w+)`", facts), re.findall(r"`(\w+)`", values)


class Facts(unittest.TestCase):
	def test_each_fact_is_listed(self):
		listed = {fact for facts, _ in rows() for fact in facts}
		self.assertEqual(listed, set(TOLD.findall(source())))

	def test_each_value_is_listed(self):
		text = source()
		known = {value for _, values in rows() for value in values} | {fact for facts, _ in rows() for fact in facts}
		told = set(VALUE.findall(text)) | {name for found in FIELDS.findall(text) for name in found if name}
		self.assertEqual(told - {"text"} - known, set())


if __name__ == "__main__":
	unittest.main(verbosity=2)
