# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages of the features, src/features/*/README.md: what is made from declarations stands between
<!-- made: NAME --> and <!-- end --> and must be what the declarations say now.

  python3 feature_pages_test.py --write    puts what they say now into the pages
"""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
WEIR = Path(os.environ.get("WEIR_BUILD", TOP / "build-test")) / "weir"
RECORDING = TOP / "tests" / "corpus" / "replay" / "recorded-tcp-calls"
PAGES = sorted(TOP.glob("src/features/*/README.md"))
MADE = re.compile(r"(<!-- made: (\S+) -->\n)(.*?)(<!-- end -->\n)", re.S)
FIELD = re.compile(r"^  ([* ]) (\S+)(?: \((\w+):\))?")
HOOK = re.compile(r'^\t\{ "(\w+)", "([\w/]+/\w+)"', re.M)
FUNCTION = re.compile(r"^\t(?:RESULT|CALL)\((\w+),", re.M)


def weir(*words):
	return subprocess.run([WEIR, *words], capture_output=True, text=True, check=True, timeout=20).stdout


def table(head, rows):
	lines = [head, ["---"] * len(head), *rows]
	return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def declared(schema, prefix=""):
	"""Name and declaration of each field; "a.b" stands in object a."""
	for name, member in schema.items():
		if "properties" in member:
			yield from declared(member["properties"], f"{prefix}{name}.")
		else:
			yield prefix + name, member


def fields(name):
	schema = json.loads(weir("schema", name))["properties"]["rows"]["items"]["properties"]
	shown = {m.group(2): m for m in map(FIELD.match, weir("help", name).splitlines()) if m}
	rows = []
	for field, member in declared(schema):
		mark, word = shown[field].group(1), shown[field].group(3)
		rows.append([f"`{field}`" + (" *" if mark == "*" else ""), member["title"],
			     f"({word}:)" if word else "", member["description"]])
	return table(["field", "heading", "filter", "meaning"], rows)


def audit():
	lines = json.loads(weir("replay", str(RECORDING), "-j", "audit"))["rows"]
	return table(["line", "meaning"], [[f"`{line['scope']}`", line["help"]] for line in lines])


def made(name):
	return audit() if name == "audit" else fields(name)


class Pages(unittest.TestCase):
	def test_each_feature_has_its_page(self):
		for folder in TOP.glob("src/features/*/"):
			if any(folder.glob("*.c")):
				with self.subTest(feature=folder.name):
					self.assertTrue((folder / "README.md").exists())

	def test_what_is_made_is_what_the_declarations_say(self):
		for page in PAGES:
			text = page.read_text()
			self.assertTrue(MADE.findall(text), page)
			for _, name, body, _ in MADE.findall(text):
				with self.subTest(page=page.parent.name, part=name):
					self.assertEqual(body, made(name), f"run {Path(__file__).name} --write")

	def test_each_hook_is_on_the_page(self):
		for page in PAGES:
			text = page.read_text()
			sources = [p.read_text() for p in page.parent.glob("*.c") if not p.name.endswith("_test.c")]
			for source in sources:
				for function in FUNCTION.findall(source):
					with self.subTest(function=function):
						self.assertRegex(text, rf"(?m)^\|[^|]*`{function}`[^|]*\|")
				hooks = HOOK.findall(source)
				for program, hook in hooks:
					with self.subTest(hook=hook):
						self.assertIn(f"| `{hook}` | `{program}` |", text)

	def test_each_line_of_the_audit_is_explained(self):
		"""The remainders by name where the page says what cannot be seen, too."""
		for page in PAGES:
			text = MADE.sub("", page.read_text())
			for name in re.findall(r"`audit`: `(\w+)`", text):
				with self.subTest(line=name):
					self.assertIn(f"| `{name}` |", audit())

	def test_the_commands_are_weirs_own(self):
		known = {m.group(1) for m in re.finditer(r"^  (\w+) ", weir("help"), re.M)}
		for page in PAGES:
			blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.M | re.S)
			for word in re.findall(r"^weir (\w+)", "".join(blocks), re.M):
				with self.subTest(command=word):
					self.assertIn(word, known)


def write():
	for page in PAGES:
		text = page.read_text()
		page.write_text(MADE.sub(lambda m: m.group(1) + made(m.group(2)) + m.group(4), text))


if __name__ == "__main__":
	if "--write" in sys.argv:
		write()
	else:
		unittest.main(verbosity=2)
