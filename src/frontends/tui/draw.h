// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/tui/app.h"

/* The parts of a frame. Each draws into a grid, or into the rows of one that it is given. */

struct tui_area {
	unsigned row, rows;
};

/* The tabs, in one row. */
void tui_draw_tabs(const struct tui_app *a, struct tui_grid *g, unsigned row);

/* The host in a sentence, its curves, what is shown and how. Returns the rows that it took. */
unsigned tui_draw_head(const struct tui_app *a, struct tui_grid *g, uint64_t now_ns);

/* Parts of it. What weir says of itself stands at the right end of a row; returns the columns that it
 * leaves. The view's line says what is listed, in which order, and whether it is of now. */
void tui_draw_sentence(const struct tui_app *a, struct tui_grid *g, unsigned row, unsigned columns);
unsigned tui_draw_health(const struct tui_app *a, struct tui_grid *g, unsigned row, size_t room, uint64_t second);
void tui_draw_view(const struct tui_app *a, struct tui_grid *g, unsigned row, uint64_t now_ns);
void tui_draw_state(const struct tui_app *a, struct tui_grid *g, unsigned row, uint64_t now_ns);

/* The newest answer's envelope; NULL: none came yet. */
const struct weir_snapshot_head *tui_newest_head(const struct tui_app *a);

/* Headings and rows. Returns the lines that are left for rows. */
unsigned tui_draw_list(const struct tui_app *a, const struct tui_list *l, struct tui_grid *g,
		       struct tui_area area, uint64_t now_ns);

/* All fields of a row; below them the flows of a process. Returns the lines that its list has. */
unsigned tui_draw_details(struct tui_app *a, struct tui_details *d, struct tui_grid *g,
			  struct tui_area area, uint64_t now_ns);

/* The fields of one row of a document, as many as there is room for; returns the rows that they
 * took. */
unsigned tui_draw_fields(const struct tui_app *a, const struct weir_rows *r, size_t row, struct tui_grid *g,
			 struct tui_area area);

/* Keys, a message, or the filter line. */
void tui_draw_foot(const struct tui_app *a, struct tui_grid *g, unsigned row, uint64_t now_ns);

/* Over the rows that they are given. */
void tui_draw_help(const struct tui_app *a, struct tui_grid *g, struct tui_area area);
void tui_draw_menu(const struct tui_app *a, struct tui_grid *g, struct tui_area area);

/* Arrows and folds, in characters that the terminal has. */
#define TUI_GLYPH(g, utf8, plain) ((g)->ascii ? (plain) : (utf8))
