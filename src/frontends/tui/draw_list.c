// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "frontends/tui/draw.h"
#include "frontends/words/words.h"

/* So long after a segment was sent again its row is marked: retransmits are news, not a sum. */
#define ROSE_SECONDS 10

struct list_frame {
	const struct tui_app *app;
	const struct tui_list *list;
	struct tui_grid *grid;
	struct tui_columns columns;
	uint64_t second;
};

/* A click on a row, and on its curve: the details of what moves there. */
static void add_hits(const struct list_frame *f, unsigned row, uint64_t at)
{
	unsigned column = 0;

	tui_grid_hit(f->grid, row, 0, 1, f->grid->columns, TUI_HIT_LINE, at);
	for (unsigned i = 0; i < f->columns.n; i++) {
		const struct tui_column *c = &f->columns.list[i];

		if (c->kind == TUI_COLUMN_CURVE)
			tui_grid_hit(f->grid, row, column, 1, c->width, TUI_HIT_CURVE, at);
		column += c->width + TUI_COLUMN_GAP;
	}
}

/* --- headings -------------------------------------------------------------------------------- */

static void draw_headings(const struct list_frame *f, unsigned row)
{
	struct tui_grid *g = f->grid;
	unsigned at = 0;

	for (unsigned i = 0; i < f->columns.n; i++) {
		const struct tui_column *c = &f->columns.list[i];
		bool sorted = f->list->order.field >= 0 && c->field == f->list->order.field &&
			      c->plus == f->list->order.plus;
		unsigned attr = TUI_UNDERLINE | (sorted ? TUI_BOLD | TUI_ACCENT : TUI_PLAIN);

		if (c->right)
			tui_grid_right(g, row, at, c->width, c->title, attr);
		else
			tui_grid_text(g, row, at, c->width, c->title, attr);
		if (sorted)
			tui_grid_mark(g, row, at, c->width, TUI_REVERSE);
		if (c->field >= 0)
			tui_grid_hit(g, row, at, 1, c->width + TUI_COLUMN_GAP, TUI_HIT_COLUMN,
				     (uint64_t)c->field | (uint64_t)(c->plus + 1) << 16);
		at += c->width + TUI_COLUMN_GAP;
	}
	tui_grid_mark(g, row, 0, g->columns, TUI_UNDERLINE);
}

/* --- rows ------------------------------------------------------------------------------------ */

static bool rose_lately(const struct tui_samples *s, uint64_t second)
{
	return s && s->rose && s->rose + ROSE_SECONDS > second;
}

static void draw_cell(const struct list_frame *f, unsigned row, unsigned at,
		      const struct tui_column *c, const char *text, unsigned attr)
{
	if (c->right)
		tui_grid_right(f->grid, row, at, c->width, text, attr);
	else
		tui_grid_text(f->grid, row, at, c->width, text, attr);
}

static void draw_row(const struct list_frame *f, unsigned row, const struct weir_rows *r,
		     size_t index, struct tui_id id, unsigned indent)
{
	const struct tui_samples *s = tui_history_of(f->app->history, id);
	const char *state = tui_text(r, index, "state");
	bool over = state && (strcmp(state, "exited") == 0 || strcmp(state, "closed") == 0);
	char text[TUI_CELL_TEXT];
	unsigned at = 0, attr;

	for (unsigned i = 0; i < f->columns.n; i++) {
		struct tui_column c = f->columns.list[i];
		unsigned shift = i == 0 ? indent : 0;

		if (c.kind == TUI_COLUMN_CURVE) {
			tui_curve(f->grid, row, at, s, TUI_SAMPLES_SUM, f->second, c.width,
				  over ? TUI_DIM : TUI_PLAIN, NULL);
		} else {
			tui_column_text(r, index, &c, &f->app->look, text, &attr);
			if (over)
				attr |= TUI_DIM;
			if (c.field >= 0 &&
			    strcmp(r->def->fields[c.field].name, "retransmits") == 0 &&
			    rose_lately(s, f->second))
				attr = TUI_WARN | TUI_BOLD;
			/* It has no round trips any more; and that must not be told by a dimmer line alone. */
			if (over && strcmp(state, "exited") == 0 && c.field >= 0 &&
			    strcmp(text, "-") == 0 && strcmp(r->def->fields[c.field].name, "srtt_us") == 0)
				snprintf(text, sizeof(text), "%s", state);
			c.width = (uint16_t)(c.width > shift ? c.width - shift : 0);
			draw_cell(f, row, at + shift, &c, text, attr);
		}
		at += f->columns.list[i].width + TUI_COLUMN_GAP;
	}
}

static void group_cell(const struct list_frame *f, unsigned row, unsigned at,
		       const struct tui_column *c, const struct tui_group *group)
{
	const struct weir_field *field = &f->list->table->fields[c->field];
	char text[TUI_CELL_TEXT];
	uint64_t sum;

	if (!tui_field_sums(field))
		return;
	sum = group->sums[c->field];
	if (field->unit == WEIR_UNIT_BYTES_PER_SECOND)
		tui_rate_text(sum, &f->app->look, text);
	else if (field->unit == WEIR_UNIT_BYTES)
		tui_bytes_text(sum, &f->app->look, text);
	else
		snprintf(text, sizeof(text), "%" PRIu64, sum);
	draw_cell(f, row, at, c, text, sum ? TUI_BOLD : TUI_DIM);
}

static void draw_group(const struct list_frame *f, unsigned row, const struct tui_group *group)
{
	const struct tui_samples *s = tui_history_of(f->app->history, group->id);
	bool folded = tui_list_folded(f->list, group->id);
	struct tui_grid *g = f->grid;
	unsigned at = 0, used;

	for (unsigned i = 0; i < f->columns.n; i++) {
		const struct tui_column *c = &f->columns.list[i];

		if (i == 0) {
			char count[32];
			unsigned wide;

			tui_grid_char(g, row, at,
				      folded ? TUI_GLYPH(g, 0x25b8u, '+')
					     : TUI_GLYPH(g, 0x25beu, '-'),
				      TUI_BOLD);
			wide = (unsigned)snprintf(count, sizeof(count), " (%u)", group->rows);
			used = tui_grid_text(g, row, at + 2,
					     c->width > 2 + wide ? c->width - 2 - wide : 0,
					     *group->name ? group->name : weir_word(WORD_LIST_NO_PLACE), TUI_BOLD);
			tui_grid_text(g, row, at + 2 + used, wide, count, TUI_DIM);
		} else if (c->kind == TUI_COLUMN_CURVE) {
			tui_curve(g, row, at, s, TUI_SAMPLES_SUM, f->second, c->width, TUI_BOLD,
				  NULL);
		} else if (c->kind == TUI_COLUMN_FIELD && c->field >= 0) {
			group_cell(f, row, at, c, group);
		}
		at += c->width + TUI_COLUMN_GAP;
	}
}

static void draw_line(const struct list_frame *f, unsigned row, const struct tui_line *line)
{
	const struct tui_list *l = f->list;

	if (line->row == TUI_NO_ROW)
		draw_group(f, row, &l->groups[line->group]);
	else
		draw_row(f, row, &l->document.rows, line->row, line->id, l->tree ? 2 : 0);
}

/* The cursor's row when it is out of sight: at the edge behind which it is, so that it stays with
 * who chose it. */
static void draw_astray(const struct list_frame *f, struct tui_area rows)
{
	const struct tui_list *l = f->list;
	const struct tui_line *line = l->cursor_lost ? NULL : tui_list_line(l, l->cursor_at);
	unsigned row = rows.row + rows.rows - 1;

	if (!l->cursor_lost && l->cursor_at < l->first)
		row = rows.row;
	if (line) {
		tui_grid_blank(f->grid, row, 0, f->grid->columns);
		draw_line(f, row, line);
	} else {
		for (size_t i = 0;; i++) {
			if (i == l->followed.rows.n)
				return;
			if (!tui_id_equal(tui_id_of(&l->followed.rows, i), l->cursor))
				continue;
			tui_grid_blank(f->grid, row, 0, f->grid->columns);
			draw_row(f, row, &l->followed.rows, i, l->cursor, l->tree ? 2 : 0);
			break;
		}
	}
	tui_grid_mark(f->grid, row, 0, f->grid->columns, TUI_REVERSE | TUI_UNDERLINE);
}

static void draw_nothing(const struct list_frame *f, struct tui_area rows)
{
	static const struct {
		const char *table;
		enum weir_word word;
	} names[] = {
		{ "processes", WORD_LIST_PROCESSES }, { "flows", WORD_LIST_FLOWS },	  { "drops", WORD_LIST_DROPS },
		{ "findings", WORD_LIST_FINDINGS },   { "containers", WORD_LIST_CONTAINERS },
	};
	const struct tui_list *l = f->list;
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const char *name = weir_word(WORD_LIST_ROWS);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].table, l->table->name) == 0)
			name = weir_word(names[i].word);
	if (!l->document.snapshot || l->n_lines || !rows.rows)
		return;
	if (tui_list_total(l))
		return; /* the rows that are in sight are on their way */
	if (l->filter[0])
		weir_say_list_no_match(&b, name);
	else if (strcmp(l->table->name, "drops") == 0 && f->app->losses == TUI_LOSSES_UNSEEN)
		weir_buf_str(&b, weir_word(WORD_NOW_LOSSES_UNSEEN));
	else
		weir_say_list_none_yet(&b, name);
	tui_grid_text(f->grid, rows.row, 0, f->grid->columns, b.data ? b.data : "", TUI_DIM);
}

unsigned tui_draw_list(const struct tui_app *a, const struct tui_list *l, struct tui_grid *g,
		       struct tui_area area, uint64_t now_ns)
{
	struct list_frame f = {
		.app = a, .list = l, .grid = g, .second = tui_app_second(a, now_ns)
	};
	struct tui_area rows = { .row = area.row + 1, .rows = area.rows - 1 };
	bool drawn = false;

	if (area.rows < 2)
		return 0;
	tui_app_columns(a, l, g->columns, &f.columns);
	draw_headings(&f, area.row);
	for (unsigned i = 0; i < rows.rows; i++) {
		const struct tui_line *line = tui_list_line(l, l->first + i);

		if (!line || l->first + i >= l->limit)
			continue;
		draw_line(&f, rows.row + i, line);
		add_hits(&f, rows.row + i, l->first + i);
		if (!l->has_cursor || l->cursor_lost || l->cursor_at != l->first + i)
			continue;
		tui_grid_mark(g, rows.row + i, 0, g->columns, TUI_REVERSE);
		drawn = true;
	}
	draw_nothing(&f, rows);
	if (l->has_cursor && !drawn && l->n_lines)
		draw_astray(&f, rows);
	return rows.rows;
}
