# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the source tree, as functions of (path, text) -> list of "path:line: what, and the cure".

Each is tried on a sample that breaks it, so a rule that has gone blind is itself a failure.
"""

import re
from pathlib import PurePosixPath

MAX_LINES = 800
WARN_LINES = 600
MAX_COLUMNS = 132

# From the ground up. A file may include from its own layer's row and from those that the row names.
LAYERS = {
	"bpf": {"bpf"},
	"base": {"base"},
	"core": {"base", "core"},
	"features": {"base", "core", "bpf", "features"},
	"store": {"base", "core", "store"},
	"daemon": {"base", "core", "store", "daemon"},
	"frontends": {"base", "core", "daemon", "frontends"},
}

# The command line opens the terminal's view and lends it the way to a daemon or a recording.
TUI_OPENERS = ("src/frontends/cli/top_live.c", "src/frontends/cli/played.h")

BANNED = {
	"strcpy": "snprintf or weir_buf_str",
	"strcat": "snprintf or weir_buf_str",
	"sprintf": "snprintf",
	"vsprintf": "vsnprintf",
	"gets": "fgets",
	"system": "posix_spawn with an argument vector",
	"popen": "posix_spawn with an argument vector",
	"alloca": "a buffer of fixed size",
	"strtok": "strsep or strtok_r",
	"tmpnam": "memfd_create or mkostemp",
	"mktemp": "mkostemp",
	"abort": "an error that the caller sees",
}


def words(*parts):
	"""Forbidden words are put together here, so that this file does not hold them."""
	return re.compile(r"\b(" + "|".join(a + b for a, b in parts) + r")\b")


PROMISES = words(("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK"), ("not ", "implemented"),
		 ("un", "implemented"))


def blank(match):
	return re.sub(r"[^\n]", " ", match.group(0))


COMMENT_OR_STRING = re.compile(
	r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def code_of(text):
	"""The text with comments and string contents blanked, lines kept."""
	return COMMENT_OR_STRING.sub(blank, text)


def at(path, text, offset, what):
	return f"{path}:{text.count(chr(10), 0, offset) + 1}: {what}"


def is_c(path):
	return path.endswith((".c", ".h"))


# --- rules on one file ----------------------------------------------------------------------


def first_line(text):
	lines = text.splitlines()
	if lines and lines[0].startswith("#!"):
		lines = lines[1:]
	return lines[0] if lines else ""


def spdx(path, text):
	suffix = PurePosixPath(path).suffix
	name = PurePosixPath(path).name
	if suffix in (".c", ".h", ".ts", ".tsx", ".mts", ".mjs", ".js"):
		want = "// SPDX-License-Identifier: GPL-2.0-or-later"
	elif suffix in (".py", ".sh", ".toml") or name in ("meson.build", "meson_options.txt", "Makefile") or \
			text.startswith("#!"):
		want = "# SPDX-License-Identifier: GPL-2.0-or-later"
		if text.startswith("#!") and "node" in text.split("\n", 1)[0]:
			want = "//" + want[1:]
	else:
		return []
	return [] if first_line(text) == want else [f"{path}:1: the first line must be: {want}"]


def promises(path, text):
	return [at(path, text, m.start(), f"{m.group(0)!r}: do it, or write it into the issue")
		for m in PROMISES.finditer(text)]


def length(path, text):
	if not path.endswith((".c", ".h", ".py", ".ts", ".tsx")):
		return []
	n = text.count("\n")
	return [f"{path}: {n} lines, at most {MAX_LINES}: split it by noun"] if n > MAX_LINES else []


def long_but_allowed(path, text):
	"""Not a failure; printed."""
	if not path.endswith((".c", ".h", ".py", ".ts", ".tsx")):
		return []
	n = text.count("\n")
	return [f"{path}: {n} lines"] if WARN_LINES < n <= MAX_LINES else []


def pragma_once(path, text):
	if not path.endswith(".h"):
		return []
	lines = [line for line in text.splitlines()[1:] if line.strip()]
	return [] if lines and lines[0] == "#pragma once" else [f"{path}:2: a header starts with #pragma once"]


def exits(path, text):
	"""A library that exits takes the daemon with it. A forked child's _exit() is something else."""
	if not is_c(path) or not path.startswith("src/") or path == "src/main.c" or is_test(path):
		return []
	code = code_of(text)
	return [at(path, text, m.start(), "exit() belongs in main.c: return the status")
		for m in re.finditer(r"(?<![\w.>])(?:exit|quick_exit|err|errx)\s*\(", code)]


def banned_functions(path, text):
	if not is_c(path):
		return []
	code = code_of(text)
	found = re.finditer(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(", code)
	return [at(path, text, m.start(), f"{m.group(1)}(): use {BANNED[m.group(1)]}") for m in found
		if not (m.group(1) == "abort" and path.endswith("_fuzz.c"))]


def indentation(path, text):
	"""Tabs, and nothing behind the last word of a line."""
	if not is_c(path):
		return []
	found = []
	for number, line in enumerate(text.splitlines(), 1):
		if re.match(r" {8}", line):
			found.append(f"{path}:{number}: indent with tabs")
		if line != line.rstrip():
			found.append(f"{path}:{number}: white space at the end of the line")
	return found


def line_width(path, text):
	"""100 columns by the .clang-format; a table's row that reads better whole may go a little further."""
	if not is_c(path):
		return []
	return [f"{path}:{number}: {len(line.expandtabs(8))} columns, at most {MAX_COLUMNS}"
		for number, line in enumerate(text.splitlines(), 1) if len(line.expandtabs(8)) > MAX_COLUMNS]


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)


def is_test(path):
	return path.endswith(("_test.c", "_fuzz.c", "_bench.c"))


def layer_of(path):
	parts = PurePosixPath(path).parts
	if len(parts) < 3 or parts[0] != "src":
		return None
	return parts[1]


def layers(path, text):
	"""base <- core <- features; daemon and frontends see core and base, never a feature; bpf is a leaf."""
	layer = layer_of(path)
	if layer not in LAYERS or not is_c(path):
		return []
	found = []
	for m in INCLUDE.finditer(text):
		target = m.group(1)
		first = target.split("/")[0]
		where = at(path, text, m.start(), "")
		if "/" not in target:
			found.append(f'{where}"{target}": write includes from src/, such as "core/field.h"')
		elif first not in LAYERS[layer]:
			# The one visible list has to name the features.
			if path == "src/core/features.c" and first == "features":
				continue
			found.append(f"{where}{layer} must not see {first} ({target})")
		elif first == "features" and layer == "features" and \
				target.split("/")[1] != PurePosixPath(path).parts[2]:
			found.append(f"{where}a feature must not see another feature ({target})")
		elif first == "frontends" and layer == "frontends" and \
				target.split("/")[1] not in (PurePosixPath(path).parts[2], "export", "words") and \
				not (path in TUI_OPENERS and target == "frontends/tui/tui.h"):
			# export has the formats of others, such as Prometheus', which the web serves; words has what
			# people read, in each language.
			found.append(f"{where}a frontend must not see another frontend ({target})")
	return found


def own_header_first(path, text):
	if not path.startswith("src/") or not path.endswith(".c") or path.endswith(".bpf.c") or is_test(path):
		return []
	own = path[len("src/"):-2] + ".h"
	included = re.findall(r'^[ \t]*#[ \t]*include[ \t]+(["<][^">]+[">])', text, re.M)
	if f'"{own}"' in included and included[0] != f'"{own}"':
		return [f"{path}: its own header comes first: {own}"]
	return []


DECLARATION = re.compile(r"^(?!static|typedef|extern|#|struct \w+ \{|enum|union|\s)[\w\s\*]+?\b(\w+)\([^;{]*\)"
			 r"(?:\s*__attribute__\s*\(\(.*?\)\)\s*\)?)?\s*;", re.M | re.S)


def documented(path, text):
	"""A public function has a comment: above it, above the group it stands in, or behind it."""
	if not path.startswith("src/") or not path.endswith(".h") or path.startswith("src/bpf/"):
		return []
	code = code_of(text)
	lines = text.splitlines()
	found = []
	for m in DECLARATION.finditer(code):
		first = code.count("\n", 0, m.start())
		last = code.count("\n", 0, m.end())
		if any("/*" in line or "//" in line for line in lines[first:last + 1]):
			continue
		# Go up over the neighbours without an empty line between: one comment serves a group.
		up = first - 1
		while up >= 0 and lines[up].strip() and not lines[up].rstrip().endswith("*/") and "//" not in lines[up]:
			up -= 1
		if up < 0 or not lines[up].strip():
			# A file whose first comment says what all of it is, and whose names say the rest.
			names = [n for n in DECLARATION.findall(code)]
			head = text.split("#pragma once", 1)[-1].lstrip()
			if len(names) and re.search(r"^/\*", re.sub(r"^\s*#include[^\n]*\n", "", head, flags=re.M).lstrip()):
				continue
			found.append(f"{path}:{first + 1}: {m.group(1)}() has no comment: what, who owns, errors")
	return found


# --- rules on the whole tree ----------------------------------------------------------------


def one_declaration(files):
	"""A struct, union or enum of ours is declared once; both halves of a feature include one header."""
	seen = {}
	found = []
	for path, text in sorted(files.items()):
		if not is_c(path) or not path.startswith("src/") or is_test(path):
			continue
		code = code_of(text)
		for m in re.finditer(r"^(struct|union|enum)\s+(\w+)\s*\{", code, re.M):
			name = f"{m.group(1)} {m.group(2)}"
			here = at(path, text, m.start(), "")
			# kernel_types.h has the kernel's own names; they are no declarations of ours.
			if path.startswith("src/bpf/"):
				continue
			if name in seen:
				found.append(f"{here}{name} is declared already in {seen[name].rstrip(': ')}")
			else:
				seen[name] = here
	return found


def nothing_forgotten(files):
	"""Each source, test and fuzz target is named in its folder's meson.build, each e2e test in a list."""
	found = []
	for path in sorted(files):
		pure = PurePosixPath(path)
		if not path.startswith("src/") or pure.suffix != ".c" or path == "src/main.c":
			continue
		build = files.get(str(pure.parent / "meson.build"), "")
		if not re.search(r"['/]" + re.escape(pure.name) + "'", build):
			found.append(f"{path}: not in {pure.parent}/meson.build")
	return found


def e2e_listed(files):
	"""tests/suites.toml reaches every *_e2e.py, by itself or by what it runs."""
	lists = "".join(text for path, text in files.items()
			if path == "tests/suites.toml" or path.endswith("meson.build") or path == "tests/e2e/run.py")
	return [f"{path}: no suite runs it: name it in tests/suites.toml"
		for path in sorted(files)
		if re.search(r"_(e2e|test)\.py$", path)
		and PurePosixPath(path).stem not in lists and PurePosixPath(path).name not in lists]


def fuzzed_has_corpus(files):
	found = []
	for path in sorted(files):
		if path.endswith("_fuzz.c"):
			folder = "tests/corpus/" + PurePosixPath(path).name.removesuffix("_fuzz.c") + "/"
			if not any(other.startswith(folder) for other in files):
				found.append(f"{path}: no corpus in {folder}")
	return found


FILE_RULES = [spdx, promises, length, pragma_once, exits, banned_functions, indentation, line_width, layers,
	      own_header_first, documented]
TREE_RULES = [one_declaration, nothing_forgotten, e2e_listed, fuzzed_has_corpus]
