// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/grid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ELLIPSIS 0x2026

int tui_grid_init(struct tui_grid *g, unsigned rows, unsigned columns, bool ascii)
{
	size_t n = (size_t)rows * columns;

	*g = (struct tui_grid){
		.rows = rows, .columns = columns, .stride = columns, .ascii = ascii, .cursor_row = -1
	};
	g->cells = calloc(n ? n : 1, sizeof(*g->cells));
	if (!g->cells)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		g->cells[i].character = ' ';
	return 0;
}

void tui_grid_done(struct tui_grid *g)
{
	free(g->cells);
	*g = (struct tui_grid){ .cursor_row = -1 };
}

static struct tui_cell *cell_at(struct tui_grid *g, unsigned row, unsigned column)
{
	return row < g->rows && column < g->columns ? &g->cells[(size_t)row * g->stride + column]
						    : NULL;
}

struct tui_grid tui_grid_view(const struct tui_grid *g, unsigned row, unsigned column, unsigned rows,
			      unsigned columns)
{
	struct tui_grid view = *g;

	row = row < g->rows ? row : g->rows;
	column = column < g->columns ? column : g->columns;
	view.rows = rows < g->rows - row ? rows : g->rows - row;
	view.columns = columns < g->columns - column ? columns : g->columns - column;
	view.cells = g->cells + (size_t)row * g->stride + column;
	view.top += row;
	view.left += column;
	view.cursor_row = -1;
	return view;
}

void tui_grid_hit(const struct tui_grid *g, unsigned row, unsigned column, unsigned rows,
		  unsigned columns, enum tui_hit_kind kind, uint64_t arg)
{
	if (!g->hits || g->hits->n == TUI_HITS_MAX || row >= g->rows || column >= g->columns)
		return;
	g->hits->list[g->hits->n++] = (struct tui_hit){
		.row = (uint16_t)(g->top + row),
		.column = (uint16_t)(g->left + column),
		.rows = (uint16_t)(rows < g->rows - row ? rows : g->rows - row),
		.columns = (uint16_t)(columns < g->columns - column ? columns : g->columns - column),
		.kind = kind,
		.arg = arg,
	};
}

const struct tui_hit *tui_hit_at(const struct tui_hits *h, unsigned row, unsigned column)
{
	for (unsigned i = h->n; i-- > 0;) {
		const struct tui_hit *hit = &h->list[i];

		if (row >= hit->row && row < hit->row + hit->rows && column >= hit->column &&
		    column < hit->column + hit->columns)
			return hit;
	}
	return NULL;
}

static void cell_set(struct tui_grid *g, unsigned row, unsigned column, uint32_t character,
		     unsigned attr)
{
	struct tui_cell *c = cell_at(g, row, column);

	if (c)
		*c = (struct tui_cell){ .character = character, .attr = (uint16_t)attr };
}

void tui_grid_char(struct tui_grid *g, unsigned row, unsigned column, uint32_t character,
		   unsigned attr)
{
	cell_set(g, row, column, character, attr);
}

/* Columns of one character of escaped text; 0 for a mark, which alone would be escaped and so reads
 * wider. */
static unsigned character_columns(const char *s, size_t n)
{
	char one[8] = { 0 };
	size_t columns;

	if (n == 1)
		return 1;
	memcpy(one, s, n);
	columns = weir_text_columns(one);
	return columns > 2 ? 0 : (unsigned)columns;
}

static void add_mark(struct tui_grid *g, unsigned row, unsigned column, uint32_t mark)
{
	struct tui_cell *c = cell_at(g, row, column);

	if (c && !c->character && column) /* behind a wide character: it sits on the left half */
		c = cell_at(g, row, column - 1);
	for (unsigned i = 0; c && i < TUI_CELL_MARKS; i++) {
		if (!c->marks[i]) {
			c->marks[i] = mark;
			return;
		}
	}
}

/* Half of a wide character may not stay when the other half is written over. Before that, for the
 * left one: */
static void heal_left(struct tui_grid *g, unsigned row, unsigned column)
{
	const struct tui_cell *c = cell_at(g, row, column);

	if (c && !c->character && column)
		cell_set(g, row, column - 1, ' ', cell_at(g, row, column - 1)->attr);
}

/* And after it, for the right one. */
static void heal_right(struct tui_grid *g, unsigned row, unsigned end)
{
	const struct tui_cell *c = cell_at(g, row, end);

	if (c && !c->character)
		cell_set(g, row, end, ' ', c->attr);
}

/* Escaped text, which fits into width. */
static unsigned put_escaped(struct tui_grid *g, unsigned row, unsigned column, unsigned width,
			    const char *s, size_t len, unsigned attr)
{
	unsigned at = 0;

	heal_left(g, row, column);
	while (len) {
		uint32_t c;
		size_t n = weir_text_utf8_next(s, len, &c);
		unsigned columns = c == WEIR_TEXT_BAD ? 1 : character_columns(s, n);

		s += n;
		len -= n;
		if (!columns) {
			if (!g->ascii && at)
				add_mark(g, row, column + at - 1, c);
			continue;
		}
		if (at + columns > width || column + at + columns > g->columns)
			break;
		if (g->ascii && c >= 0x80) {
			cell_set(g, row, column + at, c == ELLIPSIS ? '~' : '?', attr);
			if (columns == 2)
				cell_set(g, row, column + at + 1, '?', attr);
		} else {
			cell_set(g, row, column + at, c, attr);
			if (columns == 2)
				cell_set(g, row, column + at + 1, 0, attr);
		}
		at += columns;
	}
	if (at)
		heal_right(g, row, column + at);
	return at;
}

unsigned tui_grid_text(struct tui_grid *g, unsigned row, unsigned column, unsigned width,
		       const char *text, unsigned attr)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	if (row >= g->rows || column >= g->columns)
		return 0;
	if (width > g->columns - column)
		width = g->columns - column;
	weir_text_escape_terminal(&b, text, width);
	return b.data && !b.error ? put_escaped(g, row, column, width, b.data, b.len, attr) : 0;
}

void tui_grid_right(struct tui_grid *g, unsigned row, unsigned column, unsigned width,
		    const char *text, unsigned attr)
{
	size_t columns = weir_text_columns(text);
	unsigned pad = columns < width ? width - (unsigned)columns : 0;

	tui_grid_text(g, row, column + pad, width - pad, text, attr);
}

unsigned tui_grid_printf(struct tui_grid *g, unsigned row, unsigned column, unsigned width,
			 unsigned attr, const char *fmt, ...)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	va_list ap;

	va_start(ap, fmt);
	weir_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return b.data && !b.error ? tui_grid_text(g, row, column, width, b.data, attr) : 0;
}

void tui_grid_mark(struct tui_grid *g, unsigned row, unsigned column, unsigned width, unsigned attr)
{
	for (unsigned i = 0; i < width; i++) {
		struct tui_cell *c = cell_at(g, row, column + i);

		if (c)
			c->attr |= (uint16_t)attr;
	}
}

void tui_grid_blank(struct tui_grid *g, unsigned row, unsigned column, unsigned width)
{
	heal_left(g, row, column);
	for (unsigned i = 0; i < width; i++)
		cell_set(g, row, column + i, ' ', TUI_PLAIN);
	heal_right(g, row, column + width);
}

size_t tui_utf8(uint32_t c, char buf[5])
{
	size_t n = 0;

	if (c < 0x80) {
		buf[n++] = (char)c;
	} else if (c < 0x800) {
		buf[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		buf[n++] = (char)(0xe0 | c >> 12);
		buf[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		buf[n++] = (char)(0xf0 | c >> 18);
		buf[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		buf[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		buf[n++] = (char)(0x80 | (c & 0x3f));
	buf[n] = '\0';
	return n;
}

static void add_utf8(struct weir_buf *out, uint32_t c)
{
	char s[5];

	weir_buf_add(out, s, tui_utf8(c, s));
}

void tui_grid_row_text(const struct tui_grid *g, unsigned row, struct weir_buf *out)
{
	const struct tui_cell *cells = g->cells + (size_t)row * g->stride;
	unsigned n = g->columns;

	while (n && cells[n - 1].character == ' ')
		n--;
	for (unsigned i = 0; i < n; i++) {
		if (!cells[i].character)
			continue;
		add_utf8(out, cells[i].character);
		for (unsigned k = 0; k < TUI_CELL_MARKS && cells[i].marks[k]; k++)
			add_utf8(out, cells[i].marks[k]);
	}
}

/* The strongest of a cell's attributes; the cursor's bar in capitals. */
static char attr_letter(unsigned attr)
{
	static const struct {
		unsigned bit;
		char letter;
	} letters[] = {
		{ TUI_BAD, 'e' },  { TUI_WARN, 'w' }, { TUI_GOOD, 'g' },      { TUI_ACCENT, 'a' },
		{ TUI_SENT, 's' }, { TUI_RECEIVED, 'r' },
		{ TUI_BOLD, 'b' }, { TUI_DIM, 'd' },  { TUI_UNDERLINE, 'u' },
	};
	char letter = '.';

	for (size_t i = 0; i < ARRAY_SIZE(letters) && letter == '.'; i++)
		if (attr & letters[i].bit)
			letter = letters[i].letter;
	if (!(attr & TUI_REVERSE))
		return letter;
	return letter == '.' ? 'X' : (char)(letter - 'a' + 'A');
}

void tui_grid_dump(const struct tui_grid *g, struct weir_buf *out)
{
	weir_buf_printf(out, "%ux%u%s\n", g->columns, g->rows, g->ascii ? " ascii" : "");
	for (unsigned row = 0; row < g->rows; row++) {
		weir_buf_char(out, '|');
		tui_grid_row_text(g, row, out);
		weir_buf_char(out, '\n');
	}
	weir_buf_str(out,
		     "attributes: e bad, w warning, g good, a accent, s sent, r received, b bold, d dim, "
		     "u underlined; capitals and X: reversed\n");
	for (unsigned row = 0; row < g->rows; row++) {
		const struct tui_cell *cells = g->cells + (size_t)row * g->stride;
		unsigned n = g->columns;

		while (n && !cells[n - 1].attr)
			n--;
		weir_buf_char(out, '|');
		for (unsigned i = 0; i < n; i++)
			weir_buf_char(out, attr_letter(cells[i].attr));
		weir_buf_char(out, '\n');
	}
}
