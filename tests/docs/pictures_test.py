# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures of README.md: those that tools/pictures makes, of the sizes that it makes, and each is shown."""

import importlib.machinery
import importlib.util
import re
import struct
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "docs/pictures"
PAGES = ("README.md", "README.zh.md")


def tool():
	sys.dont_write_bytecode = True
	loader = importlib.machinery.SourceFileLoader("pictures", str(TOP / "tools/pictures"))
	module = importlib.util.module_from_spec(importlib.util.spec_from_loader("pictures", loader))
	loader.exec_module(module)
	return module


def page_pictures():
	text = (TOP / "tools/pictures_page.mjs").read_text()
	views, schemes = (re.findall(r'"(\w+)"', re.search(rf"const {name} = \[(.*?)\]", text)[1]) for name in ("VIEWS", "SCHEMES"))
	size = tuple(int(n) for n in re.search(r"width: (\d+), height: (\d+)", text).groups())
	return {f"{view}-{scheme}.png": size for view in views for scheme in schemes}


class Pictures(unittest.TestCase):
	def test_they_are_those_that_the_tool_makes(self):
		made = set(page_pictures()) | {f"{t[0]}.svg" for t in tool().TERMINALS}
		self.assertEqual({p.name for p in FOLDER.iterdir()}, made)

	def test_each_is_shown_on_both_pages(self):
		for page in PAGES:
			shown = set(re.findall(r"docs/pictures/([\w.-]+)", (TOP / page).read_text()))
			with self.subTest(page=page):
				self.assertEqual(shown, {p.name for p in FOLDER.iterdir()})

	def test_the_pages_pictures_have_their_size(self):
		for name, size in page_pictures().items():
			with self.subTest(picture=name):
				self.assertEqual(struct.unpack(">II", (FOLDER / name).read_bytes()[16:24]), size)

	def test_the_terminals_pictures_have_their_size(self):
		pictures = tool()
		for name, width, height, *_ in pictures.TERMINALS:
			text = (FOLDER / f"{name}.svg").read_text()
			blank = pictures.pictures_terminal.svg("", width, height, "")
			with self.subTest(picture=name):
				self.assertEqual(re.search(r'viewBox="[^"]+"', text)[0], re.search(r'viewBox="[^"]+"', blank)[0])

	def test_none_is_large(self):
		for picture in FOLDER.iterdir():
			with self.subTest(picture=picture.name):
				self.assertLessEqual(picture.stat().st_size, tool().LARGEST_BYTES)

	def test_the_terminals_pictures_fetch_nothing_and_run_nothing(self):
		for picture in FOLDER.glob("*.svg"):
			with self.subTest(picture=picture.name):
				self.assertNotRegex(picture.read_text(), r"<script|href=|url\(|@import|<image|<foreignObject| on\w+=")


if __name__ == "__main__":
	unittest.main(verbosity=2)
