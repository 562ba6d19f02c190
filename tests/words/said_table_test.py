# SPDX-License-Identifier: GPL-2.0-or-later
"""Each sentence that the sources say to people has its Chinese in said.tsv, and each line of it is said somewhere. First
tried on bad samples."""

import importlib.machinery
import importlib.util
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import sentences  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
TABLE = TOP / "src/frontends/words/said.tsv"
# Told in Chinese, or names that it has for them.
TRANSLATED = {"VM"}


def load_tool():
	loader = importlib.machinery.SourceFileLoader("said", str(TOP / "tools/said"))
	spec = importlib.util.spec_from_loader("said", loader)
	module = importlib.util.module_from_spec(spec)
	sys.dont_write_bytecode = True
	loader.exec_module(module)
	return module


said = load_tool()


def text_of(english):
	"""Without the "owner=" of a part."""
	name = said.part_of(english)
	return english[len(name) + 1:] if name else english


def compare(said_where, table):
	"""What is wrong between {shape: where} of the sources and the lines of said.tsv."""
	lines = {sentences.shape(text_of(english)): english for _, english, _ in table}
	found = [f"{where}: no Chinese for {text!r}" for text, where in sorted(said_where.items()) if text not in lines]
	return found + [f"said.tsv: nothing says {english!r}" for text, english in sorted(lines.items()) if text not in said_where]


def technical(text):
	"""Commands, names, numbers: what no translation may change."""
	text = said.HOLE.sub(" ", text)
	words = (w.strip(".,:;()+-") for w in re.findall(r"[A-Za-z0-9_/*.=\-:+()]+", text))
	names = {w for w in words if re.search(r"\d|_|/|\w\.\w|=", w) or re.fullmatch(r"[A-Z]{2,}", w)}
	return (names | set(re.findall(r"(?<= )--?[A-Za-z][\w-]*", text))) - TRANSLATED


def untouched(table):
	found = []
	for _, english, chinese in table:
		found += [f"said.tsv: {english!r}: {w} is not in its Chinese" for w in sorted(technical(text_of(english))) if w not in chinese]
		if said.part_of(english):
			continue
		if english.endswith(".") != chinese.endswith("。"):
			found.append(f"said.tsv: {english!r}: one of both ends as a sentence, the other does not")
		if re.search("[\u3400-\u9fff][,;:?!]|[,;:!] ?[\u3400-\u9fff]", chinese):
			found.append(f"said.tsv: {english!r}: a Latin comma or colon beside Chinese")
	return found


def pattern(english):
	holes = said.HOLE.findall(english)
	parts = [re.escape(p) for p in said.HOLE.split(english)]
	values = [r"\S+?" if h[-2].isalpha() else ".+?" for h in holes] + [""]
	return re.compile("".join(p + v for p, v in zip(parts, values)), re.S)


def shadowed(table):
	"""Lines that never fit, because one above them fits first."""
	filled = [(english, pattern(english)) for _, english, _ in table if said.HOLE.search(english)]
	found = []
	for english, _ in filled:
		sample = said.HOLE.sub("x1", english)
		first = next(other for other, fits in filled if fits.fullmatch(sample))
		if first != english:
			found.append(f"said.tsv: {english!r} is told by {first!r}")
	return found


BAD_TABLES = (
	"#part a\nOne sentence.\t\n",
	"#part a\nOne sentence.\n",
	"#part a\nOne sentence.\t一句。\t一句。\n",
	"One sentence.\t一句。\n",
	"#part a\nOne sentence.\t一句。\nOne sentence.\t又一句。\n",
	"#part a\nOf {name} and more.\t关于它。\n",
	"#part a\nOf {name} and more.\t关于 {nom}。\n",
	"#part a\nOf {name} and more.\t关于 {name?}。\n",
	"#part a\nOf {name and more.\t关于 {name。\n",
	"#part a\nOf {name}{other} and more.\t关于 {name}{other}。\n",
	"#part a\nOf {name} and {name}.\t关于 {name} 与 {name}。\n",
	"#part a\n{name}: {other?}\t{name}：{other?}\n",
)
GOOD_TABLE = (
	"# a comment\n#part a\nThe queue of {device} is full.\t{device} 的队列已满。\n\nwho=the program\t该程序\n"
	"The limit is used up: ss -lnt.\t已达上限：ss -lnt。\n"
)
GOOD_SOURCES = {"src/features/drops/drops_reasons_x.c": (
	'#define FULL "The limit is used " \\\n\t"up: ss -lnt."\n'
	'/* ROW("A", B, C, NULL, "In a comment.", NULL) */\n'
	'static const x rows[] = { ROW("A", B, C, NULL, "The queue of " "%s is full.", FULL) };\n'
), "src/core/x.c": 'static const struct y set = { .name = "a", .serves = "the program", .possible = f };'}


class Samples(unittest.TestCase):
	"""The test of the test."""

	def test_bad_tables_are_refused(self):
		for text in BAD_TABLES:
			with self.subTest(text=text):
				self.assertRaises(said.Bad, said.read, text)

	def test_a_good_sample_passes(self):
		table = said.read(GOOD_TABLE)
		self.assertEqual(len(table), 3)
		told = {t: p for p, text in GOOD_SOURCES.items() for t in sentences.of(p, text)}
		self.assertEqual(compare(told, table) + untouched(table) + shadowed(table), [])

	def test_what_lacks_chinese_is_found(self):
		for path, more in (
			("src/features/drops/drops_reasons_x.c", 'ROW_AT("A", "p", B, C, NULL, "New here.", NULL),'),
			("src/features/drops/drops_reasons_x.c", 'PLACE("p", NULL, B, C, "a headline", "The queue of %s is full.", NULL)'),
			("src/core/x.c", 'weir_probe_note(p, "x: more", NULL, OFF, NULL, f(a, b), NULL);'),
			("src/core/x.c", 'weir_probe_note(p, "x", NULL, OFF, NULL, a ? a : "none of it", NULL);'),
			("src/core/x.c", 'weir_probe_note(p, "x", NULL, OFF, "this " "and that", NULL, NULL);'),
			("src/daemon/x.c", '*ret_reason =\n\t"it is not there";'),
			("src/features/y/y.c", 'snprintf(text, sizeof(text), "%s has no %s", a, b); weir_probe_note(p);'),
		):
			with self.subTest(more=more):
				files = dict(GOOD_SOURCES)
				files[path] = files.get(path, "") + more
				told = {t: p for p, text in files.items() for t in sentences.of(p, text)}
				found = compare(told, said.read(GOOD_TABLE))
				self.assertEqual(len(found), 1)
				self.assertIn("no Chinese", found[0])

	def test_what_nothing_says_is_found(self):
		for more in ("Nobody says it.\t无人说它。\n", "The queue of {device} is {more} full.\t{device} 的队列{more}已满。\n"):
			told = {t: p for p, text in GOOD_SOURCES.items() for t in sentences.of(p, text)}
			self.assertEqual(len(compare(told, said.read(GOOD_TABLE + more))), 1)

	def test_what_a_translation_must_not_change_is_found(self):
		for more in ("See ss -lntup.\t见 ss -lnt。\n", "It is {x} s.\t{x} s\n", "Raise net.core.x_max.\t调大 net.core.xmax。\n",
			     "It is off, now.\t已关,现在。\n"):
			self.assertEqual(len(untouched(said.read("#part a\n" + more))), 1, more)

	def test_a_line_that_never_fits_is_found(self):
		text = "#part a\nlost: {why?}\t丢失：{why?}\nlost: {why?} again\t又丢失：{why?}\n"
		self.assertEqual(len(shadowed(said.read(text))), 1)


class Tree(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.table = said.read(TABLE.read_text(encoding="utf-8"))
		cls.told = sentences.of_tree({str(p.relative_to(TOP)): p.read_text() for p in (TOP / "src").rglob("*.c")})

	def hold(self, found):
		if found:
			self.fail("\n" + "\n".join(found))

	def test_sources_are_read(self):
		self.assertGreater(len(self.told), 700)

	def test_every_sentence_has_its_chinese_and_every_line_its_sentence(self):
		self.hold(compare(self.told, self.table))

	def test_commands_and_names_stay(self):
		self.hold(untouched(self.table))

	def test_every_line_can_fit(self):
		self.hold(shadowed(self.table))


if __name__ == "__main__":
	unittest.main()
