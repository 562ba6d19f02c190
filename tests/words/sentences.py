# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the sentences for people in C: string literals at the places where the daemon speaks. Values that printf puts in,
and names in braces, read {}."""

import errno
import os
import re

TOKEN = re.compile(r'''(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<char>'(?:[^'\\\n]|\\.)+')|'''
		   r'''(?P<word>[A-Za-z_]\w*)|(?P<space>\s+|\\\n)|(?P<other>.)''', re.S)
CONVERSION = re.compile(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j|t)?[diouxXcsp]")
NAMED = re.compile(r"\{[a-z]*[=?]?\}")
SQL = re.compile(r"(SELECT|INSERT|DELETE|UPDATE) ")
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
# What the C library calls an error, where a reason ends in it.
ERRORS = (errno.EPERM, errno.ENOENT, errno.E2BIG, errno.ENOMEM, errno.EACCES, errno.EBUSY, errno.ENOTDIR, errno.EINVAL,
	  errno.ENOSPC, errno.EOPNOTSUPP)


def literal(token):
	return re.sub(r"\\(.)", lambda m: ESCAPES.get(m.group(1), m.group(1)), token[1:-1])


def shape(text):
	"""As both sides are compared; of values that stand side by side one is seen."""
	return re.sub(r"(\{\})+", "{}", NAMED.sub("{}", CONVERSION.sub("{}", text).replace("%%", "%")))


def is_sentence(text):
	return " " in text.strip() and re.search(r"[a-z]{2}", NAMED.sub("", text)) is not None


class Source:
	"""A C file as tokens, with the strings that its macros stand for."""

	def __init__(self, text):
		self.tokens = [(m.lastgroup, m.group()) for m in TOKEN.finditer(text) if m.lastgroup not in ("comment", "space")]
		self.macros = {}
		for m in re.finditer(r'^#define (\w+)((?:[ \t]|\\\n|"(?:[^"\\\n]|\\.)*"|\b[A-Z_]+\b)+)$', text, re.M):
			value = self.runs([(t.lastgroup, t.group()) for t in TOKEN.finditer(m.group(2))
					   if t.lastgroup not in ("comment", "space")])
			if len(value) == 1:
				self.macros[m.group(1)] = value[0]

	def runs(self, tokens):
		"""The strings in tokens; those that stand side by side are one."""
		found, joined = [], False
		for kind, text in tokens:
			value = literal(text) if kind == "string" else self.macros.get(text) if kind == "word" else None
			if value is not None and joined:
				found[-1] += value
			elif value is not None:
				found.append(value)
			joined = value is not None
		return found

	def split(self, at, ends=")"):
		"""Arguments from behind an opening bracket to its end."""
		args, depth = [[]], 0
		while at < len(self.tokens):
			kind, text = self.tokens[at]
			if kind == "other" and depth == 0 and text in ends:
				break
			if kind == "other" and text in "([{":
				depth += 1
			elif kind == "other" and text in ")]}":
				depth -= 1
			if kind == "other" and text == "," and depth == 0:
				args.append([])
			else:
				args[-1].append((kind, text))
			at += 1
		return args

	def calls(self, name):
		"""The arguments of each call, as the strings in each of them; definitions of functions have none."""
		for i, (kind, text) in enumerate(self.tokens[:-1]):
			if kind == "word" and text == name and self.tokens[i + 1][1] == "(":
				if i >= 2 and self.tokens[i - 1][1] == "define":
					continue
				args = self.split(i + 2)
				yield [("".join(t for _, t in a), self.runs(a)) for a in args]

	def assigned(self, *target):
		"""The strings in what is assigned to it."""
		n = len(target)
		words = [t for _, t in self.tokens]
		for i in range(len(words) - n):
			if tuple(words[i:i + n]) == target and words[i + n] == "=":
				yield from self.runs(self.split(i + n + 1, ");}")[0])

	def rows(self):
		"""Each {...} as calls() has its arguments."""
		for i, (kind, text) in enumerate(self.tokens):
			if kind == "other" and text == "{":
				yield [("".join(t for _, t in a), self.runs(a)) for a in self.split(i + 1, "}")]


def arguments(source, name, numbers):
	for args in source.calls(name):
		for n in numbers:
			if n < len(args):
				yield from args[n][1]


def notes(source):
	"""Lines of doctor: weir_probe_note(probe, feature, hook_set, state, serves, reason, cure)."""
	yield from (t for t in arguments(source, "weir_probe_note", (1,)) if ": " in t)
	yield from (t for t in arguments(source, "weir_probe_note", (4, 5, 6)) if is_sentence(t))


def hook_sets(source):
	yield from source.assigned(".", "serves")


def reasons(source):
	"""What is handed back as a reason or a cure, or is written for that."""
	for target in ("ret_reason", "ret_cure", "ret_failed"):
		yield from (t for t in source.assigned("*", target) if is_sentence(t))
	yield from source.assigned("*", "kind")
	yield from (t for t in arguments(source, "SAY", (2,)) if is_sentence(t))
	yield from (t for t in arguments(source, "weir_rights_explain", (3,)) if is_sentence(t))
	speaks = any(True for _ in source.calls("weir_probe_note")) or any(True for _ in source.calls("weir_rights_explain"))
	for args in source.calls("snprintf"):
		if args[0][0] in ("ret->reason", "ret->cure") or (args[0][0] == "text" and speaks):
			yield from (t for _, found in args[2:] for t in found if is_sentence(t))
	for args in source.calls("weir_buf_printf"):
		if args[0][0] in ("&reason", "&serves"):
			yield from (t for _, found in args[1:] for t in found)
	yield from (t for args in source.calls("weir_buf_str") if args[0][0] == "&reason" for t in args[1][1])


def abilities(source):
	for row in source.rows():
		if len(row) == 6 and row[0][1] and row[1][1]:
			yield from (t for _, found in row[1:4] for t in found)


def losses(source):
	"""What is not seen without a hook; stands behind a reason."""
	found = list(arguments(source, "RESULT", (3,))) + list(arguments(source, "CALL", (2,)))
	for row in source.rows():
		if len(row) == 7 and row[0][1]:
			found += row[6][1]
	yield from ("{}: " + t for t in found)


def audit(source):
	yield from arguments(source, "add", (3,))


def meanings(source):
	for name, numbers in (("ROW", (3, 4, 5)), ("ROW_AT", (4, 5, 6)), ("USED_AT", (3,)), ("PLACE", (4, 5, 6))):
		yield from arguments(source, name, numbers)


def owner(source):
	yield from source.assigned("owner")


def summaries(source):
	"""All that one format of drops_findings.c makes."""
	formats(source, "snprintf", 2, "%llu %s%s%s %s%s%s: %s")
	words = {t for _, text in source.tokens if text.startswith('"') for t in [literal(text)]}
	if not {"packet", "connection", " a second", "lost", "turned away", " on ", "s"} <= words:
		raise ValueError("the summary of a finding is made otherwise now")
	for what, gone in (("packet", "lost"), ("connection", "turned away")):
		for number in ("1 " + what, "{} " + what + "s"):
			for rate in ("", " a second"):
				for device in ("", " on {}"):
					yield f"{number}{rate} {gone}{device}: {{}}"


def past(source):
	"""Events of history, and why it cannot be written."""
	yield from (t for t in arguments(source, "store_note", (5,)) if is_sentence(t))
	for args in source.calls("snprintf"):
		if args[0][0] in ("text", "summary", "s->reason"):
			yield from (t for t in args[2][1] if is_sentence(t) and not SQL.match(t))


def past_line(source):
	"""Doctor's line on history: weir_self_history_line(builder, number, state, serves, reason, cure)."""
	yield from (t for t in arguments(source, "weir_self_history_line", (3, 4, 5)) if is_sentence(t))
	for args in source.calls("snprintf"):
		if args[0][0] == "serves":
			yield from (t for t in args[2][1] if is_sentence(t))
	yield from source.assigned("where")
	yield from source.assigned("no_history")
	yield from (t for t in arguments(source, "weir_self_recording_line", (2,)) if is_sentence(t))


def past_told(source):
	"""What the store's process says by itself, and why history has no file."""
	for name in ("summary", "no_file", "no_history_file"):
		yield from (t for t in source.assigned(name) if is_sentence(t))
	for args in source.calls("snprintf"):
		if args[0][0] in ("summary", "a->no_way"):
			yield from (t for t in args[2][1] if is_sentence(t))


def line_name(source):
	"""Names of doctor's lines on weir itself: put_line(builder, number, feature, state, serves)."""
	yield from (t for t in arguments(source, "put_line", (2,)) if ": " in t)


def listening(source):
	for args in source.calls("snprintf"):
		if args[0][0] == "summary":
			yield from args[2][1]


def formats(source, name, number, *wanted):
	"""Formats that make their text of words: what they make is told where they are asked for, as long as they are there."""
	found = set(arguments(source, name, (number,)))
	if not found.issuperset(wanted):
		raise ValueError(f"made otherwise now: {set(wanted) - found}")


def changes(source):
	formats(source, "weir_buf_printf", 1, "%s %s %s, and nothing before%s", "%s %s %s before, and nothing now",
		"%s rose from %s to %s", "%s fell from %s to %s")
	for verb in ("moved", "were"):
		yield f"{{}} {verb} {{}}, and nothing before"
		yield f"{{}} {verb} {{}}, and nothing before: it is new"
		yield f"{{}} {verb} {{}} before, and nothing now"
	yield "{} rose from {} to {}"
	yield "{} fell from {} to {}"


def changed(source):
	"""What a change is about."""
	formats(source, "snprintf", 2, "%s %s %s, port %u,", "%s with %s", "packets lost for %s%s%s%s%s", "events of the kind %s")
	yield from ("{} for {}, port {},", "{} to {}, port {},", "{} with {}", "events of the kind {}")
	for device in ("", " at {}"):
		for program in ("", " by {}"):
			yield "packets lost for {}" + device + program


# path (a pattern) to what is looked for there
PLACES = (
	(r"src/(core|daemon|features/\w+)/\w+\.c", (notes, hook_sets, reasons)),
	(r"src/core/probe_ability\.c", (abilities,)),
	(r"src/features/traffic/traffic_hooks\.c", (losses,)),
	(r"src/features/traffic/traffic_audit\.c", (audit,)),
	(r"src/features/drops/drops_reasons_\w+\.c", (meanings,)),
	(r"src/features/drops/drops_reasons\.c", (owner,)),
	(r"src/features/drops/drops_findings\.c", (summaries,)),
	(r"src/features/traffic/traffic_history\.c", (listening,)),
	(r"src/store/\w+\.c", (past,)),
	(r"src/store/changes\.c", (changes,)),
	(r"src/store/answer_changes\.c", (changed,)),
	(r"src/daemon/(engine|daemon)\.c", (past_line,)),
	(r"src/daemon/(archive|daemon)\.c", (past_told,)),
	(r"src/core/self\.c", (line_name,)),
)


def of(path, text):
	"""Shapes of the sentences in a file."""
	found = set()
	if re.search(r"_(test|fuzz|bench)\.c$", path):
		return found
	source = None
	for pattern, kinds in PLACES:
		if re.fullmatch(pattern, path):
			source = source or Source(text)
			for kind in kinds:
				found.update(shape(t) for t in kind(source))
	return found


def of_tree(files):
	"""{shape: where} of all sentences; files: {path: text}."""
	found = {os.strerror(e): "the C library" for e in ERRORS}
	for path in sorted(files):
		for text in of(path, files[path]):
			found.setdefault(text, path)
	return found
