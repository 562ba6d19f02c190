// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "core/query.h"
#include "core/tables.h"
#include "frontends/tui/past.h"
#include "frontends/words/said.h"

/* The past: a span, its curve, and who and what was in it. */

#define SECOND_NS 1000000000ull
#define SIDE_FROM 150
#define LIVE_ROUNDS 5

static const struct {
	const char *table;
	enum weir_word word;
} views[] = {
	{ "history", WORD_PAST_PROGRAMS },	   { "history_peers", WORD_PAST_PEERS },
	{ "history_changes", WORD_PAST_CHANGES }, { "history_losses", WORD_PAST_LOSSES },
	{ "history_events", WORD_PAST_EVENTS },	   { "history_days", WORD_PAST_DAYS },
	{ "history_months", WORD_PAST_MONTHS },
};
#define VIEW_PROGRAMS 0

static struct tui_list *list_of(struct tui_app *a)
{
	return &a->lists[a->current];
}

/* --- words ----------------------------------------------------------------------------------- */

static const char *stamp_text(const struct tui_app *a, uint64_t s, char buf[WEIR_TIMESTAMP_TEXT])
{
	return tui_clock_text(s * SECOND_NS, &a->look, buf);
}

/* With what says by which clocks it is. */
static const char *whole_text(const struct tui_app *a, uint64_t s, char buf[WEIR_TIMESTAMP_TEXT + 8])
{
	char zone[8] = "";

	stamp_text(a, s, buf);
	memcpy(buf + strlen(buf), tui_zone_text(&a->look, zone), sizeof(zone));
	return buf;
}

static void draw_span(const struct tui_app *a, struct tui_grid *g, unsigned row, uint64_t now_ns)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {}, f = {};
	char from_text[WEIR_TIMESTAMP_TEXT + 8], to_text[WEIR_TIMESTAMP_TEXT + 8], length[TUI_LENGTH_TEXT];
	const char *filter = a->lists[a->current].filter;
	uint64_t from, to;
	unsigned at = 0;

	if (!tui_past_span(a, &from, &to)) {
		tui_grid_text(g, row, 0, g->columns, weir_word(WORD_HEAD_ASKING), TUI_BOLD);
		return;
	}
	tui_length_text(a->past.length_s, length);
	if (a->past.to_s)
		weir_say_past_span(&b, stamp_text(a, from, from_text), whole_text(a, to, to_text), length);
	else
		weir_say_past_last(&b, length, whole_text(a, from, from_text));
	at = tui_grid_text(g, row, 0, g->columns, b.data ? b.data : "", TUI_BOLD);
	if (*filter) {
		weir_say_view_filter(&f, filter);
		tui_grid_hit(g, row, at + 2, 1, 40, TUI_HIT_FILTER, 0);
		tui_grid_text(g, row, at + 2, g->columns > at + 14 ? g->columns - at - 14 : 0,
			      f.data ? f.data : "", TUI_ACCENT | TUI_BOLD);
	}
	tui_draw_state(a, g, row, now_ns);
}

/* --- the curve ------------------------------------------------------------------------------- */

static void draw_axis(const struct tui_app *a, struct tui_grid *g, unsigned row)
{
	char text[WEIR_TIMESTAMP_TEXT];
	/* A day and more is told by its date, less by the time of day. */
	unsigned skip = a->past.length_s >= 86400 ? 5 : 11, cut = a->past.length_s >= 86400 ? 16 : 19;
	uint64_t from, to;

	if (!tui_past_span(a, &from, &to))
		return;
	stamp_text(a, from, text);
	text[cut] = '\0';
	tui_grid_text(g, row, 0, g->columns, text + skip, TUI_DIM);
	stamp_text(a, from + (to - from) / 2, text);
	text[cut] = '\0';
	tui_grid_text(g, row, g->columns / 2 > 4 ? g->columns / 2 - 4 : 0, 16, text + skip, TUI_DIM);
	stamp_text(a, to, text);
	text[cut] = '\0';
	tui_grid_right(g, row, 0, g->columns, text + skip, TUI_DIM);
}

static void draw_curves(const struct tui_app *a, struct tui_grid *g)
{
	static const struct {
		const char *bytes, *largest;
		enum weir_word title;
		unsigned attr;
	} parts[] = {
		{ "tx_bytes", "tx_bytes_per_second_max", WORD_PLOT_SENT, TUI_SENT },
		{ "rx_bytes", "rx_bytes_per_second_max", WORD_PLOT_RECEIVED, TUI_RECEIVED },
	};
	unsigned width = g->columns / 2 - 1;
	char length[TUI_LENGTH_TEXT];

	tui_length_text(a->past.length_s, length);
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		struct tui_grid v = tui_grid_view(g, 0, i * (width + 2), g->rows - 1, width);
		struct tui_grid axis = tui_grid_view(g, g->rows - 1, i * (width + 2), 1, width);
		struct tui_plot p;

		tui_past_plot(a, parts[i].bytes, parts[i].largest, tui_plot_steps(&v), &p);
		tui_draw_plot(a, &v, &p,
			      &(struct tui_curve_words){
				      .title = parts[i].title, .attr = parts[i].attr, .now = -1, .span = length });
		draw_axis(a, &axis, 0);
		tui_grid_hit(&v, 1, 0, v.rows, width, TUI_HIT_PLOT, width);
	}
}

static void draw_views(const struct tui_app *a, struct tui_grid *g, unsigned row)
{
	unsigned at = 0;

	for (unsigned i = 0; i < a->past.n_views; i++) {
		const char *table = a->lists[a->past.first_list + i].table->name;
		unsigned from = at;

		for (size_t k = 0; k < ARRAY_SIZE(views); k++)
			if (strcmp(views[k].table, table) == 0)
				at += tui_grid_text(g, row, at + 1, g->columns > at + 1 ? g->columns - at - 1 : 0,
						    weir_word(views[k].word),
						    i == a->past.view ? TUI_BOLD | TUI_ACCENT : TUI_PLAIN);
		at += 2;
		if (i == a->past.view)
			tui_grid_mark(g, row, from, at - from, TUI_REVERSE);
		tui_grid_hit(g, row, from, 1, at - from, TUI_HIT_VIEW, i);
	}
	if (a->lists[a->current].document.snapshot)
		tui_grid_printf(g, row, at + 1, 12, TUI_DIM, "%" PRIu64,
				tui_list_total(&a->lists[a->current]));
}

/* --- beside the list ------------------------------------------------------------------------- */

static void draw_changes(const struct tui_app *a, struct tui_grid *g)
{
	const struct tui_document *d = &a->extra[TUI_SLOT_CHANGES];
	char said[WEIR_SAID_ROOM];
	unsigned row = 1;

	tui_panel_title(g, 0, weir_word(WORD_PAST_CHANGED));
	if (d->snapshot && !d->rows.n)
		tui_grid_text(g, 1, 0, g->columns, weir_word(WORD_PAST_NO_CHANGES), TUI_DIM);
	for (size_t i = 0; d->snapshot && i < d->rows.n && row < g->rows; i++) {
		const char *summary = tui_text(&d->rows, i, "summary"), *kind = tui_text(&d->rows, i, "kind");

		if (!summary)
			continue;
		tui_grid_printf(g, row, 0, 3, TUI_DIM, "%zu", i + 1);
		row += tui_draw_wrapped(g, row, 3, g->rows - row > 2 ? 2 : g->rows - row,
					weir_said(summary, said, sizeof(said)),
					kind && strcmp(kind, "loss") == 0 ? TUI_WARN : TUI_PLAIN);
	}
}

static void draw_peers(const struct tui_app *a, struct tui_grid *g)
{
	const struct tui_document *d = &a->extra[TUI_SLOT_PEERS];
	char peer[TUI_CELL_TEXT], text[TUI_CELL_TEXT];

	tui_panel_title(g, 0, weir_word(WORD_PAST_PEERS));
	for (size_t i = 0; d->snapshot && i < d->rows.n && i + 1 < g->rows; i++) {
		const char *program = tui_text(&d->rows, i, "program");
		const struct tui_column c = { .kind = TUI_COLUMN_PEER, .field = -1, .plus = -1 };
		unsigned row = (unsigned)i + 1, attr;

		tui_grid_text(g, row, 0, 15, program ? program : "-", TUI_PLAIN);
		tui_column_text(&d->rows, i, &c, &a->look, peer, &attr);
		tui_grid_text(g, row, 16, g->columns > 34 ? g->columns - 34 : 10, peer, TUI_BOLD);
		if (g->columns < 40)
			continue;
		tui_grid_right(g, row, g->columns - 17, 8,
			       tui_bytes_text(weir_row_number(&d->rows, i, "tx_bytes"), &a->look, text), TUI_SENT);
		tui_grid_right(g, row, g->columns - 8, 8,
			       tui_bytes_text(weir_row_number(&d->rows, i, "rx_bytes"), &a->look, text), TUI_RECEIVED);
	}
}

/* --- the frame ------------------------------------------------------------------------------- */

static unsigned draw_rows(struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	a->width = g->columns;
	if (a->past.error[0]) {
		tui_draw_wrapped(g, 0, 0, g->rows, a->past.error, TUI_BAD);
		return g->rows - 1;
	}
	return tui_draw_list(a, list_of(a), g, (struct tui_area){ .rows = g->rows }, now_ns);
}

/* What is listed already does not stand beside it once more. */
static void draw_beside(const struct tui_app *a, struct tui_grid *g)
{
	const char *listed = a->lists[a->current].table->name;
	bool changes = strcmp(listed, "history_changes") != 0, peers = strcmp(listed, "history_peers") != 0;
	unsigned upper = !changes ? 0 : peers ? g->rows / 2 : g->rows;
	struct tui_grid v = tui_grid_view(g, 0, 0, upper ? upper - 1 : 0, g->columns);

	if (changes)
		draw_changes(a, &v);
	v = tui_grid_view(g, upper, 0, g->rows - upper, g->columns);
	if (peers)
		draw_peers(a, &v);
}

/* What stands beside the list is asked for where it does: the store looks through two spans for what changed. */
static void has_room(struct tui_app *a, bool beside)
{
	if (beside && !a->past.beside)
		a->past.ask = a->ask_again = true;
	a->past.beside = beside;
}

static unsigned draw(struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	unsigned row = 1, plot = g->rows >= 50 ? 14 : g->rows >= 30 ? 9 : g->rows >= 16 ? 6 : 0, left;
	struct tui_grid v;

	a->has_side = false;
	draw_span(a, g, 0, now_ns);
	if (plot) {
		v = tui_grid_view(g, row, 0, plot, g->columns);
		draw_curves(a, &v);
		row += plot;
	}
	draw_views(a, g, row++);
	v = tui_grid_view(g, row, 0, g->rows - row, g->columns);
	has_room(a, g->columns >= SIDE_FROM && v.rows >= 12);
	if (!a->past.beside || a->past.error[0])
		return draw_rows(a, &v, now_ns);
	left = g->columns * 62 / 100;
	v = tui_grid_view(g, row, left + 2, g->rows - row, g->columns - left - 2);
	draw_beside(a, &v);
	v = tui_grid_view(g, row, 0, g->rows - row, left);
	return draw_rows(a, &v, now_ns);
}

/* --- questions ------------------------------------------------------------------------------- */

static bool question(const struct tui_app *a, enum tui_slot slot, uint64_t round, struct tui_question *q)
{
	static const char *const side[] = { "program", "peer_name", "peer_address", "port", "tx_bytes", "rx_bytes", NULL };

	if (!a->past.ask && (a->past.to_s || round % LIVE_ROUNDS))
		return false;
	switch (slot) {
	case TUI_SLOT_CURVE:
		q->table = weir_table_find("history_rates");
		break;
	case TUI_SLOT_CHANGES:
		q->table = a->past.beside ? weir_table_find("history_changes") : NULL;
		q->limit = 20;
		break;
	case TUI_SLOT_PEERS:
		q->table = a->past.beside ? weir_table_find("history_peers") : NULL;
		if (q->table)
			q->fields = weir_table_keys(q->table) | tui_field_bits(q->table, side);
		q->limit = 30;
		break;
	default:
		return false;
	}
	if (!q->table)
		return false;
	snprintf(q->filter, sizeof(q->filter), "%s", tui_past_filter_for(a, q->table));
	return true;
}

/* --- keys and clicks ------------------------------------------------------------------------- */

/* A name as the filter language takes it, whatever is in it. */
static bool say_program(const char *name, char buf[TUI_FILTER_TEXT])
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	weir_buf_str(&b, "program:");
	weir_filter_quote(&b, name);
	if (b.error || b.len >= TUI_FILTER_TEXT)
		return false;
	memcpy(buf, b.data, b.len + 1);
	return true;
}

/* A program: only it. A day: that day. A change: what shows more of it. Other rows have details. */
static bool enter(struct tui_app *a)
{
	struct tui_list *l = list_of(a);
	const struct tui_line *line = tui_list_line(l, l->has_cursor ? l->cursor_at : l->first);
	const struct weir_rows *r = &l->document.rows;
	char filter[TUI_FILTER_TEXT];
	const char *text;

	if (!line || line->row == TUI_NO_ROW)
		return false;
	if (strcmp(l->table->name, "history_days") == 0)
		return tui_past_day(a, tui_text(r, line->row, "day"));
	if (strcmp(l->table->name, "history_changes") == 0) {
		text = tui_text(r, line->row, "filter");
		snprintf(filter, sizeof(filter), "%s", text ? text : "");
		tui_past_view(a, VIEW_PROGRAMS);
		tui_past_filter(a, filter);
		return true;
	}
	if (strcmp(l->table->name, "history") != 0)
		return false;
	text = tui_text(r, line->row, "program");
	if (!text || !say_program(text, filter))
		return false;
	tui_past_filter(a, filter);
	for (unsigned i = 0; i < a->past.n_views; i++)
		if (strcmp(a->lists[a->past.first_list + i].table->name, "history_peers") == 0)
			tui_past_view(a, i);
	return true;
}

static bool key_of_past(struct tui_app *a, uint32_t key, uint64_t now_ns)
{
	(void)now_ns;
	switch (key) {
	case TUI_KEY_LEFT:
	case '[':
		tui_past_move(a, -1);
		return true;
	case TUI_KEY_RIGHT:
	case ']':
		tui_past_move(a, 1);
		return true;
	case '+':
	case '=':
		tui_past_zoom(a, -1, a->past.to_s ? 0.5 : 1);
		return true;
	case '-':
		tui_past_zoom(a, 1, a->past.to_s ? 0.5 : 1);
		return true;
	case '0':
		tui_past_now(a);
		return true;
	case 'v':
		tui_past_view(a, (a->past.view + 1) % a->past.n_views);
		return true;
	case 'V':
		tui_past_view(a, (a->past.view + a->past.n_views - 1) % a->past.n_views);
		return true;
	case TUI_KEY_ENTER:
		return enter(a);
	case TUI_KEY_ESCAPE:
		if (!*list_of(a)->filter)
			return false;
		tui_past_filter(a, "");
		tui_past_view(a, VIEW_PROGRAMS);
		return true;
	default:
		return false;
	}
}

static void click(struct tui_app *a, enum tui_mouse what, const struct tui_hit *hit, unsigned column, uint64_t now_ns)
{
	double where = hit->columns ? ((double)(column - hit->column) + 0.5) / hit->columns : 0.5;

	(void)now_ns;
	if (hit->kind == TUI_HIT_VIEW && what == TUI_MOUSE_CLICK) {
		tui_past_view(a, (unsigned)hit->arg);
		return;
	}
	if (hit->kind != TUI_HIT_PLOT)
		return;
	switch (what) {
	case TUI_MOUSE_CLICK:
		tui_past_centre(a, where);
		return;
	case TUI_MOUSE_WHEEL_UP:
		tui_past_zoom(a, -1, where);
		return;
	case TUI_MOUSE_WHEEL_DOWN:
		tui_past_zoom(a, 1, where);
		return;
	}
}

/* --- the tab --------------------------------------------------------------------------------- */

static int init(struct tui_app *a)
{
	int r = 0;

	a->past.first_list = a->n_lists;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(views); i++) {
		const struct weir_table *t = weir_table_find(views[i].table);

		if (!t || a->n_lists == TUI_LISTS_MAX)
			continue;
		r = tui_list_init(&a->lists[a->n_lists++], t, TUI_COLUMNS_TABLE);
		a->past.n_views++;
	}
	return r;
}

const struct tui_tab tui_tab_history = {
	.name = "history",
	.word = WORD_TAB_HISTORY,
	.init = init,
	.draw = draw,
	.question = question,
	.key = key_of_past,
	.click = click,
};
