// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/app.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/query.h"
#include "core/tables.h"
#include "frontends/tui/tab.h"

#define SECOND_NS 1000000000ull
#define MESSAGE_NS (6 * SECOND_NS)
#define PAST_FIRST_S 3600

/* --- the beginning and the end --------------------------------------------------------------- */

/* The tab of a table's own: one that is named, or any. */
static const struct tui_tab *tab_of(const struct weir_table *table)
{
	for (unsigned i = 0; tui_tabs[i]; i++)
		if (strcmp(tui_tabs[i]->name, table->name) == 0)
			return tui_tabs[i];
	return &tui_tab_other;
}

static bool add_tab(struct tui_app *a, const struct tui_tab *tab, unsigned list)
{
	for (unsigned i = 0; i < a->n_tabs; i++)
		if (a->tabs[i].list == list)
			return false;
	if (a->n_tabs == TUI_TABS_MAX)
		return false;
	a->tabs[a->n_tabs].tab = tab;
	a->tabs[a->n_tabs++].list = list;
	return true;
}

/* A list for each table of now; then the tabs in their order, those that have lists of their own
 * among them; then the tables that are left. */
static int add_lists(struct tui_app *a)
{
	const struct weir_table *table;
	unsigned n_tables;
	int r = 0;

	for (unsigned i = 0; r == 0 && (table = weir_table_at(i)) && a->n_lists < TUI_LISTS_MAX;
	     i++)
		if (!table->internal && !table->past)
			r = tui_list_init(&a->lists[a->n_lists++], table, TUI_COLUMNS_TABLE);
	n_tables = a->n_lists;
	for (unsigned i = 0; r == 0 && tui_tabs[i]; i++) {
		unsigned before = a->n_lists;

		for (unsigned k = 0; k < n_tables && !tui_tabs[i]->init; k++)
			if (strcmp(a->lists[k].table->name, tui_tabs[i]->name) == 0)
				add_tab(a, tui_tabs[i], k);
		if (tui_tabs[i]->init)
			r = tui_tabs[i]->init(a);
		if (r == 0 && a->n_lists > before)
			add_tab(a, tui_tabs[i], before);
	}
	for (unsigned k = 0; r == 0 && k < n_tables; k++)
		add_tab(a, tab_of(a->lists[k].table), k);
	return r;
}

static void start_with(struct tui_list *l, const struct tui_start *start)
{
	struct weir_query q;
	char *error = NULL;

	l->chosen = start->columns;
	l->limit = start->limit;
	if (start->filter)
		snprintf(l->filter, sizeof(l->filter), "%s", start->filter);
	weir_query_init(&q, l->table);
	if (start->sort && weir_query_sort(&q, l->table, start->sort, &error) == 0)
		l->order = (struct tui_order){
			.field = (int)q.sort_field,
			.plus = q.sort_plus == WEIR_SORT_NONE ? -1 : (int)q.sort_plus,
			.ascending = q.ascending,
		};
	free(error);
}

static int begin_at(struct tui_app *a, const struct tui_start *start)
{
	for (unsigned i = 0; i < a->n_tabs; i++) {
		const char *name = start->tab ? a->tabs[i].tab->name : a->lists[a->tabs[i].list].table->name;

		/* The table's own tab, not another that shows some of its rows. */
		if (strcmp(name, start->tab ? start->tab : start->table) != 0 ||
		    (!start->tab && a->tabs[i].tab->init))
			continue;
		a->tab = i;
		a->current = a->tabs[i].list;
		return 0;
	}
	return -ENOENT;
}

int tui_app_init(struct tui_app *a, const struct tui_start *start)
{
	int r;

	*a = (struct tui_app){
		.look = start->look,
		.interval_ns = start->interval_ns,
		.start_ns = start->now_ns,
		.recording = start->recording,
		.own_only = start->own_only,
		.mouse = start->mouse,
		.past.length_s = PAST_FIRST_S,
		.self.share = -1,
	};
	a->history = tui_history_new();
	r = a->history ? add_lists(a) : -ENOMEM;
	if (r == 0)
		r = begin_at(a, start);
	if (r < 0) {
		tui_app_done(a);
		return r;
	}
	start_with(&a->lists[a->current], start);
	tui_edit_start(&a->edit, a->lists[a->current].filter);
	return 0;
}

void tui_details_done(struct tui_details *d)
{
	tui_document_done(&d->subject);
	tui_list_done(&d->flows);
	*d = (struct tui_details){};
}

void tui_app_done(struct tui_app *a)
{
	for (unsigned i = 0; i < a->n_details; i++)
		tui_details_done(&a->details[i]);
	tui_details_done(&a->side);
	for (unsigned i = 0; i < a->n_lists; i++)
		tui_list_done(&a->lists[i]);
	for (unsigned i = 0; i < _TUI_SLOT_MAX; i++)
		tui_document_done(&a->extra[i]);
	tui_document_done(&a->host);
	tui_document_done(&a->doctor);
	tui_history_free(a->history);
	tui_edit_done(&a->edit);
	*a = (struct tui_app){};
}

const struct tui_details *tui_app_open(const struct tui_app *a)
{
	return a->n_details ? &a->details[a->n_details - 1] : NULL;
}

struct tui_details *tui_app_details(struct tui_app *a)
{
	return (struct tui_details *)tui_app_open(a);
}

const struct tui_details *tui_app_open_or_beside(const struct tui_app *a)
{
	if (a->n_details)
		return tui_app_open(a);
	return a->has_side && a->side.table ? &a->side : NULL;
}

struct tui_details *tui_app_subject(struct tui_app *a)
{
	return (struct tui_details *)tui_app_open_or_beside(a);
}

bool tui_app_in_tab(const struct tui_app *a, const char *name)
{
	return strcmp(a->tabs[a->tab].tab->name, name) == 0;
}

const struct tui_list *tui_app_in_sight(const struct tui_app *a)
{
	const struct tui_details *d = tui_app_open(a);

	return d && d->flows.table ? &d->flows : &a->lists[a->current];
}

struct tui_list *tui_app_list(struct tui_app *a)
{
	return (struct tui_list *)tui_app_in_sight(a);
}

/* The first seconds are not counted from 0: a curve looks a minute back. */
uint64_t tui_app_second(const struct tui_app *a, uint64_t now_ns)
{
	if (a->paused)
		now_ns = a->paused_ns;
	return 1000 + (now_ns - a->start_ns + SECOND_NS / 4) / SECOND_NS;
}

void tui_app_say(struct tui_app *a, uint64_t now_ns, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->message, sizeof(a->message), fmt, ap);
	va_end(ap);
	a->message_until_ns = now_ns + MESSAGE_NS;
}

void tui_app_columns(const struct tui_app *a, const struct tui_list *l, unsigned width,
		     struct tui_columns *ret)
{
	tui_columns_fit(l->table, l->tree ? TUI_COLUMNS_TREE : l->purpose, l->chosen, &a->look,
			width, ret);
}
