// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/query.h"
#include "core/tables.h"
#include "frontends/tui/app.h"
#include "frontends/tui/tab.h"

#define CTRL(c) ((c) & 0x1f)

const struct tui_key_help tui_key_helps[] = {
	{ "Up Down j k", WORD_KEY_MOVE },
	{ "PgUp PgDn Home End", WORD_KEY_PAGES },
	{ "Enter", WORD_KEY_DETAILS },
	{ "Tab 1 2 3", WORD_KEY_TABS },
	{ "< > Left Right", WORD_KEY_ORDER },
	{ "s", WORD_KEY_SORT },
	{ "r o", WORD_KEY_REVERSE },
	{ "/", WORD_KEY_FILTER },
	{ "t", WORD_KEY_TREE },
	{ "Space - +", WORD_KEY_FOLD },
	{ "f", WORD_KEY_FLOWS },
	{ "c", WORD_KEY_COLUMNS },
	{ "p Space", WORD_KEY_PAUSE },
	{ "u x n", WORD_KEY_LOOKS },
	{ "Left Right - +", WORD_KEY_SPAN },
	{ "v 0", WORD_KEY_VIEW },
	{ "click, wheel", WORD_KEY_CLICK },
	{ "m", WORD_KEY_MOUSE },
	{ "Ctrl-L", WORD_KEY_REDRAW },
	{ "? h F1", WORD_KEY_HELP },
	{ "q Ctrl-C", WORD_KEY_END },
	{},
};

/* --- the view -------------------------------------------------------------------------------- */

void tui_app_reorder(struct tui_app *a, struct tui_list *l, uint64_t now_ns)
{
	l->held_until_ns = 0;
	(void)tui_list_arrange(l, now_ns, true);
	a->ask_again = true;
}

/* What was looked for is looked for there too, where these words mean something. */
static void take_filter_along(const struct tui_list *from, struct tui_list *to)
{
	if (from != to && *from->filter && !*to->filter && tui_filter_holds(to->table, from->filter))
		memcpy(to->filter, from->filter, sizeof(to->filter));
}

void tui_app_switch(struct tui_app *a, unsigned tab, uint64_t now_ns)
{
	struct tui_list *from = &a->lists[a->current], *to;

	while (a->n_details)
		tui_details_done(&a->details[--a->n_details]);
	tui_details_done(&a->side);
	a->tab = tab;
	a->current = a->tabs[tab].list;
	to = &a->lists[a->current];
	take_filter_along(from, to);
	a->ask_again = true;
	a->past.ask |= tui_is_past(to->table);
	if (a->paused && !to->document.snapshot && !tui_is_past(to->table)) {
		a->paused = false;
		tui_app_say(a, now_ns, "%s", weir_word(WORD_SAY_GOES_ON_TABLE));
	}
}

bool tui_app_switch_to(struct tui_app *a, const char *name, uint64_t now_ns)
{
	for (unsigned i = 0; i < a->n_tabs; i++) {
		if (strcmp(a->tabs[i].tab->name, name) != 0)
			continue;
		tui_app_switch(a, i, now_ns);
		return true;
	}
	return false;
}

static void toggle_tree(struct tui_app *a, uint64_t now_ns)
{
	struct tui_list *l;

	if (a->n_details || !tui_app_in_tab(a, "processes")) {
		if (!tui_app_switch_to(a, "processes", now_ns))
			return;
		a->lists[a->current].tree = false;
	}
	l = &a->lists[a->current];
	l->tree = !l->tree;
	l->first = 0;
	l->has_cursor = false;
	l->held_until_ns = 0;
	if (l->document.snapshot)
		(void)tui_list_arrange(l, now_ns, true);
	a->ask_again = true;
	if (a->paused) {
		a->paused = false;
		tui_app_say(a, now_ns, "%s", weir_word(WORD_SAY_GOES_ON_TREE));
	}
}

static void pause_or_go_on(struct tui_app *a, uint64_t now_ns)
{
	a->paused = !a->paused;
	a->paused_ns = now_ns;
	a->ask_again |= !a->paused;
}

/* --- order ----------------------------------------------------------------------------------- */

/* To the next column that one can order by, from the one that it is. */
static void order_by_neighbour(struct tui_app *a, struct tui_list *l, int by, unsigned width,
			       uint64_t now_ns)
{
	struct tui_columns c;
	int at = -1;

	tui_app_columns(a, l, width, &c);
	for (unsigned i = 0; i < c.n; i++)
		if (c.list[i].field == l->order.field && c.list[i].plus == l->order.plus)
			at = (int)i;
	if (at < 0) /* ordered by what has no column: begin at the edge */
		at = by > 0 ? -1 : (int)c.n;
	for (at += by; at >= 0 && at < (int)c.n; at += by) {
		if (c.list[at].field < 0)
			continue;
		tui_list_order_by(l, c.list[at].field, c.list[at].plus);
		tui_app_reorder(a, l, now_ns);
		return;
	}
}

/* --- the filter line ------------------------------------------------------------------------- */

/* Completes the word before the cursor to what all words of the table that begin so have in
 * common. */
static void complete(struct tui_app *a, const struct weir_table *table)
{
	struct tui_edit *e = &a->edit;
	size_t from = e->at, common = 0;
	const char *found = NULL;
	unsigned n = 0;

	while (from && e->text[from - 1] != ' ')
		from--;
	for (unsigned i = 0; i < table->n_fields * 2; i++) {
		const struct weir_field *f = &table->fields[i / 2];
		const char *word = i % 2 ? f->filter : f->name;

		if (!word || strncmp(word, e->text + from, e->at - from) != 0 ||
		    (found && strcmp(word, found) == 0))
			continue;
		if (!found) {
			found = word;
			common = strlen(word);
		}
		for (size_t k = 0; k < common; k++)
			if (word[k] != found[k])
				common = k;
		n++;
	}
	if (!found)
		return;
	tui_edit_insert(e, found + (e->at - from), common - (e->at - from));
	if (n == 1)
		tui_edit_insert(e, ":", 1);
}

/* A wrong one says why, and the old one holds on. */
static void apply_filter(struct tui_app *a, struct tui_list *l, uint64_t now_ns)
{
	struct weir_filter *filter = NULL;
	char *error = NULL;
	int r = weir_filter_parse(l->table, a->edit.text, &filter, &error);

	weir_filter_free(filter);
	if (r < 0) {
		snprintf(a->error, sizeof(a->error), "%s", error ? error : strerror(-r));
		free(error);
		return;
	}
	a->error[0] = '\0';
	tui_edit_remember(&a->edit);
	a->mode = TUI_MODE_NORMAL;
	if (strcmp(l->filter, a->edit.text) == 0)
		return;
	snprintf(l->filter, sizeof(l->filter), "%s", a->edit.text);
	if (tui_is_past(l->table))
		tui_past_changed(a);
	l->first = 0;
	l->held_until_ns = 0;
	l->held = false;
	a->ask_again = true;
	if (a->paused && !tui_is_past(l->table)) {
		a->paused = false;
		tui_app_say(a, now_ns, "%s", weir_word(WORD_SAY_GOES_ON_FILTER));
	}
}

static void filter_key(struct tui_app *a, uint32_t key, uint64_t now_ns)
{
	struct tui_list *l = tui_app_list(a);

	switch (key) {
	case TUI_KEY_ENTER:
		apply_filter(a, l, now_ns);
		return;
	case TUI_KEY_ESCAPE:
		a->mode = TUI_MODE_NORMAL;
		a->error[0] = '\0';
		return;
	case TUI_KEY_TAB:
		complete(a, l->table);
		return;
	default:
		if (tui_edit_key(&a->edit, key))
			a->error[0] = '\0';
	}
}

/* --- details --------------------------------------------------------------------------------- */

static void close_details(struct tui_app *a)
{
	tui_details_done(tui_app_details(a));
	a->n_details--;
	a->ask_again = true;
}

/* The row that Enter is about, and the rows that it stands among. */
static const struct weir_rows *row_at_cursor(const struct tui_list *l, size_t *ret_row)
{
	uint64_t at = l->has_cursor ? l->cursor_at : l->first;
	const struct tui_line *line = tui_list_line(l, at);

	if (l->has_cursor && l->cursor_lost)
		return tui_id_find(&l->followed.rows, l->cursor, ret_row) ? &l->followed.rows : NULL;
	if (!line || line->row == TUI_NO_ROW)
		return NULL;
	*ret_row = line->row;
	return &l->document.rows;
}

bool tui_details_of_row(const struct tui_list *l, struct tui_details *d)
{
	const struct weir_table *flows = weir_table_find("flows");
	_cleanup_(weir_buf_done) struct weir_buf filter = {};
	size_t row = 0;
	const struct weir_rows *rows = row_at_cursor(l, &row);

	if (!rows)
		return false;
	if (d->table == l->table && tui_id_equal(d->id, tui_id_of(rows, row)))
		return true;
	tui_row_filter(rows, row, &filter);
	if (filter.error || !filter.len || filter.len >= sizeof(d->filter))
		return false;
	tui_details_done(d);
	d->table = l->table;
	snprintf(d->filter, sizeof(d->filter), "%s", filter.data);
	d->id = tui_id_of(rows, row);
	if (!flows || strcmp(l->table->name, "processes") != 0)
		return true;
	if (tui_list_init(&d->flows, flows, TUI_COLUMNS_OF_PROCESS) < 0)
		return false;
	snprintf(d->flows.filter, sizeof(d->flows.filter), "pid:%llu",
		 (unsigned long long)weir_row_number(rows, row, "pid"));
	return true;
}

static void open_details(struct tui_app *a, struct tui_list *l)
{
	struct tui_details *d = &a->details[a->n_details];

	if (a->n_details == TUI_DETAILS_MAX)
		return;
	*d = (struct tui_details){};
	if (!tui_details_of_row(l, d))
		return;
	a->n_details++;
	a->ask_again = true;
	a->once = true; /* a paused table's row may be looked at too */
}

/* --- all keys -------------------------------------------------------------------------------- */

static void move(struct tui_app *a, struct tui_list *l, int64_t by, uint64_t now_ns)
{
	struct tui_details *d = tui_app_details(a);

	/* Details without a table below: their own lines. */
	if (d && !d->flows.table) {
		d->first = by < 0 && (uint64_t)-by > d->first ? 0 : d->first + (uint64_t)by;
		return;
	}
	tui_list_move(l, by, a->height);
	l->held_until_ns = now_ns + TUI_HOLD_NS;
	a->ask_again |= !tui_list_line(l, l->first) || !tui_list_line(l, l->first + a->height);
}

static bool fold_key(struct tui_app *a, struct tui_list *l, uint32_t key, uint64_t now_ns)
{
	const struct tui_line *line = l->has_cursor ? tui_list_line(l, l->cursor_at) : NULL;

	if (!l->tree || a->n_details)
		return false;
	if (key == '-' || key == '+') {
		tui_list_fold_all(l, key == '-');
	} else {
		if (!line || line->row != TUI_NO_ROW)
			return false;
		tui_list_fold(l, line->id);
	}
	l->held_until_ns = now_ns + TUI_HOLD_NS;
	(void)tui_list_arrange(l, now_ns, false);
	if (l->has_cursor)
		tui_list_move(l, 0, a->height);
	return true;
}

static void move_key(struct tui_app *a, struct tui_list *l, uint32_t key, uint64_t now_ns)
{
	int64_t page = a->height > 1 ? (int64_t)a->height - 1 : 1;

	switch (key) {
	case TUI_KEY_UP:
	case 'k':
		move(a, l, -1, now_ns);
		return;
	case TUI_KEY_DOWN:
	case 'j':
		move(a, l, 1, now_ns);
		return;
	case TUI_KEY_PAGE_UP:
	case CTRL('b'):
		move(a, l, -page, now_ns);
		return;
	case TUI_KEY_PAGE_DOWN:
	case CTRL('f'):
		move(a, l, page, now_ns);
		return;
	case TUI_KEY_HOME:
	case 'g':
		move(a, l, -(int64_t)(UINT32_MAX), now_ns);
		return;
	case TUI_KEY_END:
	case 'G':
		if (!l->has_cursor)
			move(a, l, 1, now_ns);
		move(a, l, UINT32_MAX, now_ns);
		return;
	default:
		return;
	}
}

static void look_key(struct tui_app *a, struct tui_list *l, uint32_t key, uint64_t now_ns)
{
	switch (key) {
	case 'u':
		a->look.bits = !a->look.bits;
		tui_app_say(a, now_ns,
			    "%s", weir_word(a->look.bits ? WORD_SAY_BITS : WORD_SAY_BYTES));
		return;
	case 'x':
		a->look.exact = !a->look.exact;
		return;
	case 'n':
		a->look.numeric = !a->look.numeric;
		a->ask_again = true;
		tui_app_say(a, now_ns, "%s", weir_word(a->look.numeric ? WORD_SAY_NUMBERS : WORD_SAY_NAMES));
		return;
	case 'm':
		a->mouse = !a->mouse;
		tui_app_say(a, now_ns, "%s", weir_word(a->mouse ? WORD_SAY_MOUSE_ON : WORD_SAY_MOUSE_OFF));
		return;
	case 'o':
		l->held = !l->held;
		tui_app_say(a, now_ns,
			    "%s", weir_word(l->held ? WORD_SAY_HELD : WORD_SAY_FOLLOWS));
		a->ask_again = true;
		return;
	default:
		return;
	}
}

static void escape_key(struct tui_app *a, struct tui_list *l)
{
	a->message_until_ns = 0;
	if (a->n_details) {
		close_details(a);
		return;
	}
	l->has_cursor = false;
	l->cursor_lost = false;
	l->held_until_ns = 0;
	l->first = 0;
	a->ask_again = true;
}

static void enter_key(struct tui_app *a, struct tui_list *l, uint64_t now_ns)
{
	struct tui_details *d = tui_app_details(a);

	if (d && !d->flows.table)
		return;
	if (!fold_key(a, l, TUI_KEY_ENTER, now_ns))
		open_details(a, l);
}

static void normal_key(struct tui_app *a, uint32_t key, uint64_t now_ns)
{
	struct tui_list *l = tui_app_list(a);
	const struct tui_tab *tab = a->tabs[a->tab].tab;

	if (!a->n_details && tab->key && tab->key(a, key, now_ns))
		return;
	if (key >= '1' && key <= '9') {
		if (key - '1' < a->n_tabs)
			tui_app_switch(a, key - '1', now_ns);
		return;
	}
	switch (key) {
	case 'q':
	case 'Q':
		a->quit = true;
		return;
	case '?':
	case 'h':
		a->mode = TUI_MODE_HELP;
		return;
	case TUI_KEY_ESCAPE:
		escape_key(a, l);
		return;
	case TUI_KEY_ENTER:
		enter_key(a, l, now_ns);
		return;
	case ' ':
		if (!fold_key(a, l, key, now_ns))
			pause_or_go_on(a, now_ns);
		return;
	case '-':
	case '+':
		fold_key(a, l, key, now_ns);
		return;
	case 'p':
		pause_or_go_on(a, now_ns);
		return;
	case '<':
	case ',':
	case TUI_KEY_LEFT:
		order_by_neighbour(a, l, -1, a->width, now_ns);
		return;
	case '>':
	case '.':
	case TUI_KEY_RIGHT:
		order_by_neighbour(a, l, 1, a->width, now_ns);
		return;
	case 'r':
		l->order.ascending = !l->order.ascending;
		tui_app_reorder(a, l, now_ns);
		return;
	case 's':
		tui_menu_open(a, TUI_MODE_SORT);
		return;
	case 'c':
		tui_menu_open(a, TUI_MODE_COLUMNS);
		return;
	case '/':
		a->mode = TUI_MODE_FILTER;
		a->error[0] = '\0';
		tui_edit_start(&a->edit, l->filter);
		return;
	case 't':
		toggle_tree(a, now_ns);
		return;
	case 'f':
		tui_app_switch_to(a, !a->n_details && tui_app_in_tab(a, "flows") ? "processes" : "flows",
				  now_ns);
		return;
	case TUI_KEY_TAB:
		tui_app_switch(a, (a->tab + 1) % a->n_tabs, now_ns);
		return;
	case TUI_KEY_BACK_TAB:
		tui_app_switch(a, (a->tab + a->n_tabs - 1) % a->n_tabs, now_ns);
		return;
	default:
		move_key(a, l, key, now_ns);
		look_key(a, l, key, now_ns);
	}
}

void tui_app_key(struct tui_app *a, uint32_t key, uint64_t now_ns)
{
	switch (a->mode) {
	case TUI_MODE_NORMAL:
		normal_key(a, key, now_ns);
		return;
	case TUI_MODE_FILTER:
		filter_key(a, key, now_ns);
		return;
	case TUI_MODE_SORT:
	case TUI_MODE_COLUMNS:
		tui_menu_key(a, key, now_ns);
		return;
	case TUI_MODE_HELP:
		a->mode = TUI_MODE_NORMAL;
		return;
	}
}
