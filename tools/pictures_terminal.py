# SPDX-License-Identifier: GPL-2.0-or-later
"""Cells of a terminal, as `tmux capture-pane -e -p` prints them, drawn as SVG."""

import html
import re
import unicodedata

CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 14
FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
BACKGROUND, FOREGROUND = "#16181d", "#d7dae0"
PALETTE = ["#3b4048", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0",
	   "#7f848e", "#ff7b86", "#b5e890", "#ffd98a", "#7cc4ff", "#e094f2", "#72d6e2", "#ffffff"]
SGR = re.compile(r"\x1b\[([0-9;:]*)m")
OTHER = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-ln-z]|[()][0-9A-Za-z]|\][^\x07]*\x07)|[\x0e\x0f]")


def colour(n):
	"""One of the 256."""
	if n < 16:
		return PALETTE[n]
	if n >= 232:
		return "#" + f"{8 + 10 * (n - 232):02x}" * 3
	n -= 16
	return "#" + "".join(f"{(55 + 40 * v) if v else 0:02x}" for v in (n // 36, n // 6 % 6, n % 6))


class Pen:
	"""What the next cells look like."""

	def __init__(self):
		self.reset()

	def reset(self):
		self.fg = self.bg = None
		self.bold = self.dim = self.italic = self.underline = self.reverse = False

	def extended(self, codes):
		if codes[:1] == [5] and len(codes) > 1:
			return colour(codes[1]), codes[2:]
		if codes[:1] == [2] and len(codes) > 3:
			return "#" + "".join(f"{v:02x}" for v in codes[1:4]), codes[4:]
		return None, []

	def apply(self, text):
		codes = [int(c or 0) for c in re.split("[;:]", text)]
		while codes:
			c, codes = codes[0], codes[1:]
			if c == 0:
				self.reset()
			elif c in (1, 2, 3, 4, 7):
				setattr(self, {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse"}[c], True)
			elif c == 22:
				self.bold = self.dim = False
			elif c in (23, 24, 27):
				setattr(self, {23: "italic", 24: "underline", 27: "reverse"}[c], False)
			elif 30 <= c <= 37 or 90 <= c <= 97:
				self.fg = PALETTE[c - 30 if c < 90 else c - 82]
			elif 40 <= c <= 47 or 100 <= c <= 107:
				self.bg = PALETTE[c - 40 if c < 100 else c - 92]
			elif c == 39:
				self.fg = None
			elif c == 49:
				self.bg = None
			elif c == 38:
				self.fg, codes = self.extended(codes)
			elif c == 48:
				self.bg, codes = self.extended(codes)

	def look(self):
		fg, bg = self.fg or FOREGROUND, self.bg
		if self.reverse:
			fg, bg = bg or BACKGROUND, fg
		return fg, bg, self.bold, self.dim, self.italic, self.underline


def columns(character):
	if unicodedata.combining(character):
		return 0
	return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def runs(line, pen):
	"""[(first column, columns, text, look)] of neighbours that look the same."""
	found, column = [], 0
	for i, part in enumerate(SGR.split(OTHER.sub("", line))):
		if i % 2:
			pen.apply(part)
			continue
		for character in part:
			n, look = columns(character), pen.look()
			if found and found[-1][3] == look and found[-1][0] + found[-1][1] == column:
				first, width, text, _ = found[-1]
				found[-1] = (first, width + n, text + character, look)
			else:
				found.append((column, n, character, look))
			column += n
	return found


def block(character):
	"""What of its cell a block element fills: (left, top, width, height), or None."""
	n = ord(character)
	if 0x2581 <= n <= 0x2588:
		return 0, 1 - (n - 0x2580) / 8, 1, (n - 0x2580) / 8
	if 0x2589 <= n <= 0x258F:
		return 0, 0, (0x2590 - n) / 8, 1
	return None


def pieces(text):
	"""[(first column, columns, text)]: no two blanks beside each other, which SVG would draw as one, and blocks apart."""
	found, column = [], 0
	for part in re.findall(r"\u2588+|[\u2581-\u258f]|(?:[^\s\u2581-\u258f]| (?=[^\s\u2581-\u258f]))+|\s+", text):
		width = sum(columns(c) for c in part)
		lead = len(part) - len(part.lstrip())
		if part.strip():
			found.append((column + lead, width - lead, part.lstrip()))
		column += width
	return found


def draw_run(y, first, width, text, look):
	fg, bg, bold, dim, italic, underline = look
	x, w = MARGIN + first * CELL_WIDTH, width * CELL_WIDTH
	style = "".join([' font-weight="bold"' * bold, ' opacity="0.62"' * dim, ' font-style="italic"' * italic])
	out = []
	if bg:
		out.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w + .3:.1f}" height="{CELL_HEIGHT}" fill="{bg}"/>')
	if underline:
		out.append(f'<rect x="{x:.1f}" y="{y + CELL_HEIGHT - 2:.1f}" width="{w:.1f}" height="1" fill="{fg}" opacity="0.5"/>')
	for at, n, piece in pieces(text):
		px, fills = x + at * CELL_WIDTH, block(piece[0])
		if fills:
			left, top, bw, bh = fills
			out.append(f'<rect x="{px + left * CELL_WIDTH:.1f}" y="{y + top * CELL_HEIGHT:.1f}" '
				   f'width="{(bw + n - 1) * CELL_WIDTH:.1f}" height="{bh * CELL_HEIGHT:.1f}" fill="{fg}"{style}/>')
			continue
		out.append(f'<text x="{px:.1f}" y="{y + CELL_HEIGHT - 5:.1f}" textLength="{n * CELL_WIDTH:.1f}" '
			   f'lengthAdjust="spacingAndGlyphs" fill="{fg}"{style}>{html.escape(piece)}</text>')
	return out


def svg(screen, width, height, title):
	w, h = MARGIN * 2 + width * CELL_WIDTH, MARGIN * 2 + height * CELL_HEIGHT
	out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0f}" height="{h:.0f}" viewBox="0 0 {w:.0f} {h:.0f}" '
	       f'role="img" aria-label="{html.escape(title)}">',
	       f"<title>{html.escape(title)}</title>",
	       f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
	       f'<g font-family="{FONT}" font-size="14" shape-rendering="crispEdges">']
	pen = Pen()
	for i, line in enumerate(screen.split("\n")[:height]):
		for run in runs(line, pen):
			out += draw_run(MARGIN + i * CELL_HEIGHT, *run)
	return "\n".join([*out, "</g>", "</svg>"]) + "\n"
