// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/table.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define COLUMNS_MAX 64
#define GAP 2
#define CLIP_MIN 12 /* a text is not cut below this */

struct table_column {
	const char *title;
	unsigned flags;
	unsigned width; /* of the widest cell, or the title */
	bool some;	/* a cell has a value */
};

struct table_cell {
	size_t offset; /* in the texts */
	uint8_t signal;
};

struct cli_table {
	struct table_column columns[COLUMNS_MAX];
	unsigned n_columns;
	struct table_cell *cells;
	size_t n_cells, room;
	struct weir_buf texts; /* the cells' own, NUL behind each */
	int error;
};

struct cli_table *cli_table_new(void)
{
	return calloc(1, sizeof(struct cli_table));
}

struct cli_table *cli_table_free(struct cli_table *t)
{
	if (!t)
		return NULL;
	weir_buf_done(&t->texts);
	free(t->cells);
	free(t);
	return NULL;
}

void cli_table_column(struct cli_table *t, const char *title, unsigned flags)
{
	if (t->n_columns == COLUMNS_MAX) {
		t->error = -E2BIG;
		return;
	}
	t->columns[t->n_columns++] = (struct table_column){
		.title = title,
		.flags = flags,
		.width = (unsigned)weir_text_columns(title),
	};
}

static struct table_cell *cell_new(struct cli_table *t)
{
	if (t->n_cells == t->room) {
		size_t room = t->room ? t->room * 2 : 256;
		struct table_cell *more = reallocarray(t->cells, room, sizeof(*more));

		if (!more) {
			t->error = -ENOMEM;
			return NULL;
		}
		t->cells = more;
		t->room = room;
	}
	return &t->cells[t->n_cells++];
}

void cli_table_cell(struct cli_table *t, const char *text, enum cli_signal signal)
{
	struct table_column *column;
	struct table_cell *cell;
	bool some = text && *text;
	unsigned width;

	if (t->error < 0 || !t->n_columns)
		return;
	column = &t->columns[t->n_cells % t->n_columns];
	cell = cell_new(t);
	if (!cell)
		return;
	if (!some)
		text = "-";
	width = (unsigned)weir_text_columns(text);
	*cell = (struct table_cell){
		.offset = t->texts.len,
		.signal = (uint8_t)signal,
	};
	weir_buf_str(&t->texts, text);
	weir_buf_char(&t->texts, '\0');
	column->some |= some;
	if (width > column->width)
		column->width = width;
}

/* --- layout ---------------------------------------------------------------------------------- */

/* Width of each column as drawn; 0: not drawn. */
struct table_layout {
	unsigned width[COLUMNS_MAX];
	bool hidden; /* a column with values does not fit */
};

static unsigned layout_total(const struct cli_table *t, const struct table_layout *l)
{
	unsigned total = 0;

	for (unsigned i = 0; i < t->n_columns; i++)
		if (l->width[i])
			total += l->width[i] + GAP;
	return total ? total - GAP : 0;
}

static unsigned clip_floor(const struct table_column *c)
{
	unsigned title = (unsigned)weir_text_columns(c->title);

	return title > CLIP_MIN ? title : CLIP_MIN;
}

/* Takes columns off the widest text that can still be cut. */
static bool layout_clip(const struct cli_table *t, struct table_layout *l, unsigned too_much)
{
	unsigned widest = COLUMNS_MAX, second = 0, width, cut;

	for (unsigned i = 0; i < t->n_columns; i++) {
		if (!(t->columns[i].flags & CLI_COLUMN_CLIP) ||
		    l->width[i] <= clip_floor(&t->columns[i]))
			continue;
		if (widest == COLUMNS_MAX || l->width[i] > l->width[widest])
			widest = i;
	}
	if (widest == COLUMNS_MAX)
		return false;
	/* Down to the next widest, so that the texts shrink evenly. */
	width = l->width[widest];
	for (unsigned i = 0; i < t->n_columns; i++)
		if (i != widest && (t->columns[i].flags & CLI_COLUMN_CLIP) &&
		    l->width[i] > second && l->width[i] < width)
			second = l->width[i];
	if (second < clip_floor(&t->columns[widest]))
		second = clip_floor(&t->columns[widest]);
	cut = width - second;
	l->width[widest] -= cut < too_much ? cut : too_much;
	return true;
}

/* Gives one column up, texts before numbers and the last before the first. The first two name the
 * row and stay. */
static bool layout_drop(const struct cli_table *t, struct table_layout *l)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = t->n_columns; i-- > 2;) {
			bool text = (t->columns[i].flags & (CLI_COLUMN_CLIP | CLI_COLUMN_KEEP)) ==
				    CLI_COLUMN_CLIP;

			if (!l->width[i] || (pass == 0 && !text))
				continue;
			l->width[i] = 0;
			l->hidden = true;
			return true;
		}
	}
	return false;
}

/* What the columns that are left would like to have. */
static void layout_restore(const struct cli_table *t, struct table_layout *l)
{
	for (unsigned i = 0; i < t->n_columns; i++)
		if (l->width[i])
			l->width[i] = t->columns[i].width;
}

static void layout_fit(const struct cli_table *t, struct table_layout *l, unsigned limit)
{
	for (unsigned i = 0; i < t->n_columns; i++)
		l->width[i] = t->columns[i].width;
	if (!limit || layout_total(t, l) <= limit)
		return;
	for (unsigned i = 2; i < t->n_columns && t->n_cells; i++)
		if (!t->columns[i].some && !(t->columns[i].flags & CLI_COLUMN_KEEP))
			l->width[i] = 0;
	do {
		unsigned total;

		layout_restore(t, l);
		while ((total = layout_total(t, l)) > limit && layout_clip(t, l, total - limit))
			;
		if (total <= limit)
			return;
	} while (layout_drop(t, l));
}

/* --- drawing --------------------------------------------------------------------------------- */

/* clang-format off */
static const char *const signal_codes[_CLI_SIGNAL_MAX] = {
	[CLI_SIGNAL_NONE] = "",
	[CLI_SIGNAL_QUIET] = "\033[2m",
	[CLI_SIGNAL_GOOD] = "\033[32m",
	[CLI_SIGNAL_WARN] = "\033[33m",
	[CLI_SIGNAL_BAD] = "\033[31m",
};
/* clang-format on */

void cli_signal_begin(struct weir_buf *out, enum cli_signal signal)
{
	weir_buf_str(out, signal_codes[signal]);
}

void cli_signal_end(struct weir_buf *out, enum cli_signal signal)
{
	if (signal != CLI_SIGNAL_NONE)
		weir_buf_str(out, "\033[0m");
}

/* Blanks that are owed: written only when something follows, so that no line ends in them. */
struct table_pen {
	struct weir_buf *out;
	unsigned owed;
};

static void draw_cell(struct table_pen *pen, const struct table_column *c, unsigned width,
		      const char *text, enum cli_signal signal)
{
	bool right = c->flags & CLI_COLUMN_RIGHT;
	struct weir_buf shown = {};
	unsigned columns;

	/* Cut, it may be narrower than the column: an escape is never cut in its middle. */
	weir_text_escape_terminal(&shown, text, width);
	columns = shown.data ? (unsigned)weir_text_columns(shown.data) : 0;
	if (columns > width)
		columns = width;
	weir_buf_spaces(pen->out, pen->owed + (right ? width - columns : 0));
	cli_signal_begin(pen->out, signal);
	weir_buf_add(pen->out, shown.data, shown.len);
	cli_signal_end(pen->out, signal);
	pen->owed = GAP + (right ? 0 : width - columns);
	if (shown.error && !pen->out->error)
		pen->out->error = shown.error;
	weir_buf_done(&shown);
}

static void draw_heading(const struct cli_table *t, const struct table_layout *l,
			 struct weir_buf *out)
{
	struct table_pen pen = { .out = out };

	for (unsigned i = 0; i < t->n_columns; i++) {
		const struct table_column *c = &t->columns[i];

		if (l->width[i])
			draw_cell(&pen, c, l->width[i], c->title, CLI_SIGNAL_NONE);
	}
	weir_buf_char(out, '\n');
}

static void draw_row(const struct cli_table *t, const struct table_layout *l,
		     const struct table_cell *cells, bool color, struct weir_buf *out)
{
	struct table_pen pen = { .out = out };

	for (unsigned i = 0; i < t->n_columns; i++)
		if (l->width[i])
			draw_cell(&pen, &t->columns[i], l->width[i],
				  t->texts.data + cells[i].offset,
				  color ? cells[i].signal : CLI_SIGNAL_NONE);
	weir_buf_char(out, '\n');
}

static void draw_hidden(const struct cli_table *t, const struct table_layout *l, unsigned limit,
			struct weir_buf *out)
{
	struct weir_buf line = {};

	weir_buf_str(&line, "no room for:");
	for (unsigned i = 0; i < t->n_columns; i++)
		if (!l->width[i] && (t->columns[i].some || t->columns[i].flags & CLI_COLUMN_KEEP))
			weir_buf_printf(&line, " %s", t->columns[i].title);
	if (line.data)
		weir_text_escape_terminal(out, line.data, limit);
	weir_buf_char(out, '\n');
	weir_buf_done(&line);
}

int cli_table_draw(const struct cli_table *t, const struct cli_style *style, struct weir_buf *out)
{
	struct table_layout l = {};

	if (t->error < 0 || t->texts.error < 0)
		return t->error < 0 ? t->error : t->texts.error;
	layout_fit(t, &l, style->width);
	draw_heading(t, &l, out);
	for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns)
		draw_row(t, &l, t->cells + i, style->color, out);
	if (l.hidden)
		draw_hidden(t, &l, style->width, out);
	return out->error;
}
