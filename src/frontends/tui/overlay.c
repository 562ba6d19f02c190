// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "frontends/tui/tab.h"

/* The last line, and what lies over a frame: help and menus. */

/* --- the last line --------------------------------------------------------------------------- */

static void draw_filter_line(const struct tui_app *a, struct tui_grid *g, unsigned row)
{
	const struct tui_edit *e = &a->edit;
	char before[TUI_EDIT_TEXT];
	unsigned prompt, room, skipped = 0;
	size_t columns, from = 0;

	prompt = tui_grid_text(g, row, 0, g->columns, weir_word(WORD_FOOT_FILTER), TUI_BOLD) + 1;
	room = g->columns > prompt + 1 ? g->columns - prompt - 1 : 1;
	/* What stands before the cursor may be longer than the line: its end is in sight. */
	for (;;) {
		snprintf(before, sizeof(before), "%.*s", (int)(e->at - from), e->text + from);
		columns = weir_text_columns(before);
		if (columns <= room || from >= e->at)
			break;
		do
			from++;
		while (from < e->at && ((unsigned char)e->text[from] & 0xc0) == 0x80);
		skipped = 1;
	}
	if (skipped && prompt)
		tui_grid_char(g, row, prompt - 1, TUI_GLYPH(g, 0x2026, '~'), TUI_DIM);
	tui_grid_text(g, row, prompt, room, e->text + from, TUI_PLAIN);
	g->cursor_row = (int)row;
	g->cursor_column = (int)(prompt + columns);
	if (!e->len)
		tui_grid_text(g, row, prompt + 2, room - 2, weir_word(WORD_FOOT_FILTER_HINT), TUI_DIM);
	if (a->error[0] && row) {
		tui_grid_blank(g, row - 1, 0, g->columns);
		tui_grid_text(g, row - 1, 0, g->columns, a->error, TUI_BAD | TUI_BOLD);
	}
}

/* A key and what it does here; a click on it is the key. */
struct foot_key {
	const char *key;
	uint32_t code;
	enum weir_word does;
};

/* clang-format off */
static const struct foot_key keys_help[] = { { "", TUI_KEY_ESCAPE, WORD_FOOT_ANY_KEY }, {} };
static const struct foot_key keys_sort[] = {
	{ "Up Down", 0, WORD_FOOT_CHOOSE }, { "Enter", TUI_KEY_ENTER, WORD_FOOT_ORDERS },
	{ "Esc", TUI_KEY_ESCAPE, WORD_FOOT_LEAVES }, {},
};
static const struct foot_key keys_columns[] = {
	{ "Up Down", 0, WORD_FOOT_CHOOSE }, { "Space", ' ', WORD_FOOT_SHOWS }, { "d", 'd', WORD_FOOT_USUAL },
	{ "Esc", TUI_KEY_ESCAPE, WORD_FOOT_LEAVES }, {},
};
static const struct foot_key keys_details[] = {
	{ "Esc", TUI_KEY_ESCAPE, WORD_FOOT_BACK }, { "<>", 0, WORD_FOOT_ORDER }, { "r", 'r', WORD_FOOT_REVERSE },
	{ "/", '/', WORD_FOOT_FILTERS }, { "p", 'p', WORD_FOOT_PAUSE }, { "u", 'u', WORD_FOOT_BITS },
	{ "?", '?', WORD_FOOT_HELP }, { "q", 'q', WORD_FOOT_QUIT }, {},
};
static const struct foot_key keys_tree[] = {
	{ "Space", ' ', WORD_FOOT_FOLD }, { "-+", 0, WORD_FOOT_FOLD_ALL }, { "Enter", TUI_KEY_ENTER, WORD_FOOT_DETAILS },
	{ "<>", 0, WORD_FOOT_ORDER }, { "/", '/', WORD_FOOT_FILTERS }, { "t", 't', WORD_FOOT_TABLE },
	{ "?", '?', WORD_FOOT_HELP }, { "q", 'q', WORD_FOOT_QUIT }, {},
};
static const struct foot_key keys_past[] = {
	{ "?", '?', WORD_FOOT_HELP }, { "Left Right", 0, WORD_FOOT_MOVE }, { "-+", 0, WORD_FOOT_ZOOM },
	{ "0", '0', WORD_FOOT_NOW }, { "v", 'v', WORD_FOOT_VIEW }, { "/", '/', WORD_FOOT_FILTERS },
	{ "Enter", TUI_KEY_ENTER, WORD_FOOT_MORE }, { "q", 'q', WORD_FOOT_QUIT }, {},
};
static const struct foot_key keys_flows[] = {
	{ "?", '?', WORD_FOOT_HELP }, { "Tab", TUI_KEY_TAB, WORD_FOOT_NEXT }, { "/", '/', WORD_FOOT_FILTERS },
	{ "<>", 0, WORD_FOOT_ORDER }, { "f", 'f', WORD_FOOT_PROCESSES }, { "Enter", TUI_KEY_ENTER, WORD_FOOT_DETAILS },
	{ "p", 'p', WORD_FOOT_PAUSE }, { "q", 'q', WORD_FOOT_QUIT }, {},
};
static const struct foot_key keys_list[] = {
	{ "?", '?', WORD_FOOT_HELP }, { "Tab", TUI_KEY_TAB, WORD_FOOT_NEXT }, { "/", '/', WORD_FOOT_FILTERS },
	{ "<>", 0, WORD_FOOT_ORDER }, { "t", 't', WORD_FOOT_TREE }, { "f", 'f', WORD_FOOT_FLOWS },
	{ "Enter", TUI_KEY_ENTER, WORD_FOOT_DETAILS }, { "p", 'p', WORD_FOOT_PAUSE }, { "q", 'q', WORD_FOOT_QUIT }, {},
};
/* clang-format on */

static const struct foot_key *keys_for(const struct tui_app *a)
{
	if (a->mode == TUI_MODE_HELP)
		return keys_help;
	if (a->mode == TUI_MODE_SORT)
		return keys_sort;
	if (a->mode == TUI_MODE_COLUMNS)
		return keys_columns;
	if (a->n_details)
		return keys_details;
	if (a->lists[a->current].tree)
		return keys_tree;
	if (tui_is_past(a->lists[a->current].table))
		return keys_past;
	return tui_app_in_tab(a, "flows") ? keys_flows : keys_list;
}

/* As many as there is room for; the last one is how to leave, so it is not cut off. */
static void draw_keys(const struct tui_app *a, struct tui_grid *g, unsigned row)
{
	const struct foot_key *keys = keys_for(a), *last = keys;
	unsigned at = 0, reserved;

	while (last[1].key)
		last++;
	reserved = (unsigned)(weir_text_columns(last->key) + weir_text_columns(weir_word(last->does))) + 1;
	for (const struct foot_key *k = keys; k->key; k++) {
		unsigned columns = (unsigned)(weir_text_columns(k->key) + weir_text_columns(weir_word(k->does))) +
				   (*k->key ? 1 : 0);
		unsigned from = at;

		if (k != last && at + columns + 2 + reserved > g->columns)
			continue;
		at += tui_grid_text(g, row, at, g->columns - at, k->key, TUI_BOLD);
		at += *k->key ? 1 : 0;
		at += tui_grid_text(g, row, at, g->columns > at ? g->columns - at : 0, weir_word(k->does), TUI_DIM);
		if (k->code)
			tui_grid_hit(g, row, from, 1, at - from, TUI_HIT_KEY, k->code);
		at += 2;
	}
}

void tui_draw_foot(const struct tui_app *a, struct tui_grid *g, unsigned row, uint64_t now_ns)
{
	if (a->mode == TUI_MODE_FILTER) {
		draw_filter_line(a, g, row);
		return;
	}
	if (a->trouble[0] && !a->paused)
		tui_grid_text(g, row, 0, g->columns, a->trouble, TUI_BAD | TUI_BOLD);
	else if (a->message[0] && now_ns < a->message_until_ns)
		tui_grid_text(g, row, 0, g->columns, a->message, TUI_BOLD);
	else
		draw_keys(a, g, row);
}

/* --- overlays -------------------------------------------------------------------------------- */

static unsigned longest_keys(void)
{
	unsigned keys = 0;

	for (const struct tui_key_help *h = tui_key_helps; h->keys; h++)
		if (strlen(h->keys) > keys)
			keys = (unsigned)strlen(h->keys);
	return keys;
}

/* In two columns where one has not room for all. */
void tui_draw_help(const struct tui_app *a, struct tui_grid *g, struct tui_area area)
{
	unsigned keys = longest_keys(), n = 0, per, half;

	(void)a;
	while (tui_key_helps[n].keys)
		n++;
	per = n > area.rows && g->columns >= 120 ? (n + 1) / 2 : area.rows;
	half = per < area.rows ? g->columns / 2 : g->columns;
	for (unsigned i = 0; i < area.rows; i++)
		tui_grid_blank(g, area.row + i, 0, g->columns);
	for (unsigned i = 0; i < n && i < area.rows * (g->columns / half); i++) {
		unsigned row = area.row + i % per, at = i / per * half;

		tui_grid_text(g, row, at, keys, tui_key_helps[i].keys, TUI_BOLD);
		if (half > keys + 2)
			tui_grid_text(g, row, at + keys + 2, half - keys - 2, weir_word(tui_key_helps[i].does),
				      TUI_PLAIN);
	}
}

static void draw_entry(const struct tui_app *a, struct tui_grid *g, unsigned row, unsigned i,
		       const struct tui_columns *shown)
{
	const struct tui_list *l = tui_app_in_sight(a);
	bool sort = a->mode == TUI_MODE_SORT, on = false;
	const char *title, *help;
	int field, plus;

	if (!tui_menu_entry(a, i, &field, &plus, &title, &help))
		return;
	if (sort)
		on = field == l->order.field && plus == l->order.plus;
	for (unsigned k = 0; !sort && k < shown->n; k++)
		on |= shown->list[k].field == field;
	tui_grid_text(g, row, 0, 3, on ? (sort ? "*" : "[x]") : (sort ? "" : "[ ]"), TUI_BOLD);
	tui_grid_text(g, row, 4, 16, title, TUI_BOLD);
	if (g->columns > 21)
		tui_grid_text(g, row, 21, g->columns - 21, help, TUI_PLAIN);
	if (i == a->menu_at)
		tui_grid_mark(g, row, 0, g->columns, TUI_REVERSE);
	tui_grid_hit(g, row, 0, 1, g->columns, TUI_HIT_ENTRY, i);
}

void tui_draw_menu(const struct tui_app *a, struct tui_grid *g, struct tui_area area)
{
	unsigned n = tui_menu_count(a), first = 0, room = area.rows > 1 ? area.rows - 1 : 1;
	struct tui_columns shown;

	tui_app_columns(a, tui_app_in_sight(a), a->width ? a->width : g->columns, &shown);
	for (unsigned i = 0; i < area.rows; i++)
		tui_grid_blank(g, area.row + i, 0, g->columns);
	tui_grid_text(g, area.row, 0, g->columns,
		      weir_word(a->mode == TUI_MODE_SORT ? WORD_MENU_ORDER : WORD_MENU_COLUMNS),
		      TUI_ACCENT | TUI_BOLD | TUI_UNDERLINE);
	if (a->menu_at >= room)
		first = a->menu_at - room + 1;
	for (unsigned i = first; i < n && i - first < room; i++)
		draw_entry(a, g, area.row + 1 + i - first, i, &shown);
}
