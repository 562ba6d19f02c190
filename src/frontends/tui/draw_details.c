// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "frontends/tui/draw.h"
#include "frontends/tui/tab.h"

/* A pair of name and value that is wider than this takes a line of its own. */
#define PAIR_COLUMNS 38
#define PAIR_TITLE 16

/* Where the next pair goes. */
struct details_cursor {
	struct tui_grid *grid;
	struct tui_area area;
	uint64_t skip;	 /* lines above those in sight */
	uint64_t line;	 /* of all */
	unsigned column; /* 0: a new line */
};

static bool in_sight(const struct details_cursor *c, unsigned *ret_row)
{
	if (c->line < c->skip || c->line - c->skip >= c->area.rows)
		return false;
	*ret_row = c->area.row + (unsigned)(c->line - c->skip);
	return true;
}

static void next_line(struct details_cursor *c)
{
	if (c->column) {
		c->line++;
		c->column = 0;
	}
}

/* Sentences and paths through the kernel: as many lines as they take. */
static void long_text(struct details_cursor *c, const char *title, const char *text, unsigned attr)
{
	unsigned room = c->grid->columns - PAIR_TITLE - 1, row;
	char part[TUI_CELL_TEXT];

	next_line(c);
	for (bool first = true; *text; first = false) {
		size_t n = tui_line_of(text, room);

		if (in_sight(c, &row)) {
			if (first)
				tui_grid_text(c->grid, row, 0, PAIR_TITLE, title, TUI_DIM);
			snprintf(part, sizeof(part), "%.*s", (int)(n - (n && text[n - 1] == ' ')),
				 text);
			tui_grid_text(c->grid, row, PAIR_TITLE + 1, room, part, attr);
		}
		c->line++;
		text += n;
	}
}

static void pair(struct details_cursor *c, const char *title, const char *text, unsigned attr)
{
	unsigned columns = c->grid->columns, row;
	bool wide = weir_text_columns(text) > PAIR_COLUMNS - PAIR_TITLE - 2 ||
		    columns < 2 * PAIR_COLUMNS;

	if (columns > 2 * PAIR_TITLE && weir_text_columns(text) > columns - PAIR_TITLE - 1) {
		long_text(c, title, text, attr);
		return;
	}

	if (c->column && (wide || c->column + PAIR_COLUMNS > columns))
		next_line(c);
	if (in_sight(c, &row)) {
		tui_grid_text(c->grid, row, c->column, PAIR_TITLE, title, TUI_DIM);
		tui_grid_text(c->grid, row, c->column + PAIR_TITLE + 1,
			      wide ? columns - PAIR_TITLE - 1 : PAIR_COLUMNS - PAIR_TITLE - 2, text,
			      attr);
	}
	c->column += wide ? columns : PAIR_COLUMNS;
	if (c->column >= columns)
		next_line(c);
}

/* Those in the lines on top. */
static bool shown_already(const struct weir_field *f)
{
	static const char *const names[] = {
		"pid",	"comm", "start_time_ns", "tx_bytes_per_second", "rx_bytes_per_second",
		"state"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], f->name) == 0)
			return true;
	return false;
}

/* Numbers that are seldom more than 0, such as those of the rarer transports, would hide those that
 * are. */
static bool says_nothing(const struct weir_rows *r, size_t row, unsigned field)
{
	const struct weir_field *f = &r->def->fields[field];

	if (weir_cell_null(r, row, field))
		return true;
	if (f->type == WEIR_TYPE_TEXT)
		return !*weir_cell_text(r, row, field);
	return f->type == WEIR_TYPE_UINT && f->unit != WEIR_UNIT_NONE &&
	       !(f->flags & WEIR_FIELD_COLUMN) && !weir_cell_uint(r, row, field);
}

static void draw_fields(const struct tui_app *a, const struct weir_rows *r, size_t row,
			struct details_cursor *c)
{
	char text[TUI_CELL_TEXT];
	unsigned attr;

	for (unsigned i = 0; i < r->def->n_fields; i++) {
		const struct weir_field *f = &r->def->fields[i];

		if (shown_already(f) || says_nothing(r, row, i))
			continue;
		tui_field_text(r, row, i, &a->look, text, &attr);
		pair(c, weir_word_title(r->def, i), text, attr & (unsigned)~TUI_DIM);
	}
	next_line(c);
}

static void draw_title(const struct tui_app *a, const struct tui_details *d, const struct weir_rows *r, size_t row,
		       struct tui_grid *g, unsigned at)
{
	const char *comm = tui_text(r, row, "comm"), *state = tui_text(r, row, "state");
	/* Of a loss that is what it is. */
	const char *reason = weir_table_field(r->def, "packets") >= 0 ? tui_text(r, row, "reason") : NULL;
	uint64_t pid = weir_row_number(r, row, "pid");
	_cleanup_(weir_buf_done) struct weir_buf process = {};
	char title[32], n[24];
	unsigned column;

	comm = comm ? comm : tui_text(r, row, "program");
	column = tui_grid_text(g, at, 0, g->columns,
			       reason ? reason
			       : comm ? comm
				      : tui_tab_title(a, a->tab, title),
			       TUI_BOLD | TUI_ACCENT);
	if (reason && comm)
		column +=
			tui_grid_printf(g, at, column, g->columns - column, TUI_BOLD, "  %s", comm);
	if (pid) {
		snprintf(n, sizeof(n), "%" PRIu64, pid);
		weir_say_details_process(&process, n);
		column += 2;
		column += tui_grid_text(g, at, column, g->columns, process.data ? process.data : "", TUI_PLAIN);
	}
	if (d->gone)
		tui_grid_text(g, at, column + 2, g->columns, weir_word(WORD_DETAILS_GONE), TUI_BAD);
	else if (state)
		tui_grid_text(g, at, column + 2, g->columns, state, TUI_DIM);
}

/* "sends 1.2 MB/s ....curve.... peak 3 MB/s" */
static void draw_curves(const struct tui_app *a, const struct weir_rows *r, size_t row,
			struct tui_grid *g, unsigned at, uint64_t second)
{
	static const struct {
		const char *field;
		enum weir_word title;
		enum tui_samples_which which;
		unsigned attr;
	} parts[] = {
		{ "tx_bytes_per_second", WORD_COLUMN_SENDING, TUI_SAMPLES_TX, TUI_SENT },
		{ "rx_bytes_per_second", WORD_COLUMN_RECEIVING, TUI_SAMPLES_RX, TUI_RECEIVED },
	};
	const struct tui_samples *s = tui_history_of(a->history, tui_id_of(r, row));
	unsigned width = g->columns > 60 + 34	? 60
			 : g->columns > 34 + 12 ? (g->columns - 34) / 10 * 10
						: 12;

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		char rate[TUI_CELL_TEXT], text[TUI_CELL_TEXT];
		float peak = 0;

		tui_grid_text(g, at + i, 0, PAIR_TITLE, weir_word(parts[i].title), TUI_DIM);
		tui_grid_right(g, at + i, 8, 8,
			       tui_rate_text(weir_row_number(r, row, parts[i].field), &a->look, rate),
			       TUI_BOLD);
		tui_curve(g, at + i, 18, s, parts[i].which, second, width, parts[i].attr, &peak);
		weir_say_head_peak(&b, tui_rate_text((uint64_t)peak, &a->look, text));
		tui_grid_text(g, at + i, 18 + width + 1, 16, b.data ? b.data : "", TUI_DIM);
	}
}

unsigned tui_draw_fields(const struct tui_app *a, const struct weir_rows *r, size_t row, struct tui_grid *g,
			 struct tui_area area)
{
	struct details_cursor c = { .grid = g, .area = area };

	draw_fields(a, r, row, &c);
	return c.line < area.rows ? (unsigned)c.line : area.rows;
}

/* Few flows leave their room to the fields; many have half of it. */
static unsigned rows_for_fields(const struct tui_details *d, unsigned rows)
{
	uint64_t flows = tui_list_total(&d->flows) + 1;

	return flows < rows / 2 ? rows - (unsigned)flows : rows / 2;
}

unsigned tui_draw_details(struct tui_app *a, struct tui_details *d, struct tui_grid *g,
			  struct tui_area area, uint64_t now_ns)
{
	const struct weir_rows *r = &d->subject.rows;
	struct details_cursor c = { .grid = g, .skip = d->flows.table ? 0 : d->first };
	struct tui_area flows = { .row = area.row, .rows = area.rows };
	bool rates = weir_table_field(d->table, "tx_bytes_per_second") >= 0;
	unsigned head = rates ? 3 : 1;
	size_t row;

	if (tui_id_find(r, d->id, &row) && area.rows > head + 4) {
		draw_title(a, d, r, row, g, area.row);
		if (rates)
			draw_curves(a, r, row, g, area.row + 1, tui_app_second(a, now_ns));
		c.area = (struct tui_area){ .row = area.row + head, .rows = area.rows - head };
		if (d->flows.table)
			c.area.rows = rows_for_fields(d, c.area.rows);
		draw_fields(a, r, row, &c);
		if (!d->flows.table && d->first && d->first + c.area.rows > c.line)
			d->first = c.line > c.area.rows ? c.line - c.area.rows : 0;
		if (c.line < c.area.rows)
			c.area.rows = (unsigned)c.line;
		flows.row = c.area.row + c.area.rows;
		flows.rows = area.row + area.rows - flows.row;
	} else if (!d->subject.snapshot) {
		tui_grid_text(g, area.row, 0, g->columns, weir_word(WORD_DETAILS_ASKING), TUI_DIM);
		flows.row++;
		flows.rows--;
	}
	return d->flows.table ? tui_draw_list(a, &d->flows, g, flows, now_ns) : area.rows - 1;
}
