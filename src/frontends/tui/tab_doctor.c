// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/units.h"
#include "core/tables.h"
#include "frontends/tui/tab.h"
#include "frontends/words/said.h"

/* What works here, what does not, why, and what would help; and what history keeps. */

#define SIDE_FROM 120
#define STORE_EVERY 5

/* --- what history keeps ---------------------------------------------------------------------- */

/* "10 s  kept 12 h  12 k rows  since 2026-11-22 13:00Z", or the file's size and limit. */
static void draw_level(const struct weir_rows *r, size_t row, const struct tui_look *look, struct tui_grid *g,
		       unsigned at)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const char *level = tui_text(r, row, "level"), *reason = tui_text(r, row, "reason");
	char n[WEIR_UNITS_TEXT], limit[WEIR_UNITS_TEXT], kept[TUI_LENGTH_TEXT], stamp[WEIR_TIMESTAMP_TEXT];
	char said[WEIR_SAID_ROOM];
	unsigned attr = TUI_PLAIN;

	if (!level)
		return;
	if (strcmp(level, "file") == 0) {
		uint64_t lost = weir_row_number(r, row, "lost_seconds");

		weir_say_doctor_file(&b, weir_units_bytes(weir_row_number(r, row, "bytes"), n),
				     weir_units_bytes(weir_row_number(r, row, "limit_bytes"), limit));
		if (lost) {
			weir_units_count(lost, n);
			weir_say_doctor_lost_seconds(&b, n);
			attr = TUI_WARN;
		}
		if (reason) {
			weir_buf_printf(&b, ": %s", weir_said(reason, said, sizeof(said)));
			attr = TUI_BAD | TUI_BOLD;
		}
	} else {
		uint64_t oldest = weir_row_number(r, row, "oldest");

		tui_clock_text(oldest, look, stamp);
		tui_zone_text(look, stamp + 16);
		tui_length_text(weir_row_number(r, row, "kept_seconds"), kept);
		weir_units_count(weir_row_number(r, row, "rows"), n);
		if (oldest)
			weir_say_doctor_level(&b, kept, n, stamp);
		else
			weir_say_doctor_level_empty(&b, kept);
	}
	tui_grid_text(g, at, 0, 8, level, TUI_BOLD);
	tui_grid_text(g, at, 9, g->columns > 9 ? g->columns - 9 : 0, b.data ? b.data : "", attr);
}

static bool is_file(const struct weir_rows *r, size_t row)
{
	const char *level = tui_text(r, row, "level");

	return level && strcmp(level, "file") == 0;
}

static unsigned store_rows(const struct tui_app *a)
{
	const struct tui_document *d = &a->extra[TUI_SLOT_STORE];

	return d->snapshot && d->rows.n ? (unsigned)d->rows.n + 1 : 2;
}

static void draw_store(const struct tui_app *a, struct tui_grid *g)
{
	const struct tui_document *d = &a->extra[TUI_SLOT_STORE];
	unsigned at = 1;

	tui_panel_title(g, 0, weir_word(WORD_DOCTOR_HISTORY));
	if (!d->snapshot || !d->rows.n)
		tui_draw_wrapped(g, 1, 0, g->rows - 1,
				 a->past.error[0] ? a->past.error : weir_word(WORD_NOW_NO_HISTORY), TUI_DIM);
	/* The file and its limit first: levels may find no room. */
	for (int file = 1; file >= 0; file--)
		for (size_t i = 0; d->snapshot && i < d->rows.n && at < g->rows; i++)
			if (is_file(&d->rows, i) == (file == 1))
				draw_level(&d->rows, i, &a->look, g, at++);
}

/* --- one row of the list, whole -------------------------------------------------------------- */

static void draw_row(const struct tui_app *a, const struct tui_list *l, struct tui_grid *g)
{
	const struct tui_line *line = tui_list_line(l, l->has_cursor ? l->cursor_at : l->first);
	const struct weir_rows *r = &l->document.rows;

	tui_panel_title(g, 0, weir_word(WORD_DOCTOR_ROW));
	if (l->document.snapshot && line && line->row != TUI_NO_ROW)
		tui_draw_fields(a, r, line->row, g, (struct tui_area){ .row = 1, .rows = g->rows - 1 });
}

/* --- the frame ------------------------------------------------------------------------------- */

static unsigned draw(struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	struct tui_list *l = &a->lists[a->current];
	unsigned store = store_rows(a), total = (unsigned)tui_list_total(l) + 1, rows, list, height, left;
	struct tui_grid v;

	a->has_side = false;
	left = tui_draw_health(a, g, 0, g->columns / 3, tui_app_second(a, now_ns));
	tui_grid_text(g, 0, 0, left > 2 ? left - 2 : 0, weir_word(WORD_DOCTOR_TITLE), TUI_BOLD);
	tui_draw_view(a, g, 1, now_ns);
	rows = g->rows - 2;
	if (store > rows / 3)
		store = rows / 3;
	a->width = g->columns;
	if (g->columns >= SIDE_FROM) {
		left = g->columns * 55 / 100;
		list = rows - store;
		a->width = left;
		v = tui_grid_view(g, 2, left + 2, list, g->columns - left - 2);
		draw_row(a, l, &v);
		v = tui_grid_view(g, 2, 0, list, left);
	} else {
		list = rows - store;
		list = total < list / 2 ? total : list / 2 + 1;
		v = tui_grid_view(g, 2 + list, 0, rows - store - list, g->columns);
		draw_row(a, l, &v);
		v = tui_grid_view(g, 2, 0, list, g->columns);
	}
	height = tui_draw_list(a, l, &v, (struct tui_area){ .rows = v.rows }, now_ns);
	v = tui_grid_view(g, g->rows - store, 0, store, g->columns);
	draw_store(a, &v);
	return height;
}

static bool question(const struct tui_app *a, enum tui_slot slot, uint64_t round, struct tui_question *q)
{
	q->table = slot == TUI_SLOT_STORE ? weir_table_find("history_store") : NULL;
	return q->table && (a->ask_again || round % STORE_EVERY == 0);
}

const struct tui_tab tui_tab_doctor = {
	.name = "doctor",
	.word = WORD_TAB_DOCTOR,
	.draw = draw,
	.question = question,
};
