// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "core/tables.h"
#include "frontends/tui/app.h"
#include "frontends/tui/tab.h"

/* What is asked: the rows in sight, and what stands beside them. */

#define SECOND_NS 1000000000ull

/* Rows asked for above and below those in sight, so that a curve is there before its row is. */
#define SLACK 100
#define HEIGHT_UNKNOWN 60
#define WIDTH_UNKNOWN 200
/* Rounds between two questions of those that come seldom. */
#define COST_EVERY 5
#define DOCTOR_EVERY 30
#define FINDINGS_EVERY 3
#define PAST_EVERY 5

bool tui_is_past(const struct weir_table *t)
{
	return t && t->past;
}

static bool ask_host(struct tui_question *q)
{
	static const char *const sums[] = { "tx_bytes_per_second", "rx_bytes_per_second",
					    "connections_open", "retransmits", NULL };

	q->table = weir_table_find("processes");
	if (!q->table)
		return false;
	q->limit = 0;
	q->fields = weir_table_keys(q->table);
	q->sums = tui_field_bits(q->table, sums);
	return true;
}

/* A table of the past is asked for the span that is looked at. */
static void add_span(const struct tui_app *a, struct tui_question *q)
{
	char stamp[WEIR_TIMESTAMP_TEXT];

	if (!tui_is_past(q->table))
		return;
	if (!a->past.to_s) {
		snprintf(q->from, sizeof(q->from), "-%" PRIu64, a->past.length_s);
		return;
	}
	weir_timestamp_format((a->past.to_s - a->past.length_s) * SECOND_NS, stamp);
	snprintf(q->from, sizeof(q->from), "%.19sZ", stamp);
	weir_timestamp_format(a->past.to_s * SECOND_NS, stamp);
	snprintf(q->to, sizeof(q->to), "%.19sZ", stamp);
}

static bool ask_list(const struct tui_app *a, const struct tui_list *l, struct tui_question *q)
{
	unsigned height = a->height ? a->height : HEIGHT_UNKNOWN;
	struct tui_columns shown;

	q->table = l->table;
	snprintf(q->filter, sizeof(q->filter), "%s", l->filter);
	tui_list_order_text(l, q->sort);
	tui_app_columns(a, l, a->width ? a->width : WIDTH_UNKNOWN, &shown);
	q->fields = tui_columns_fields(l->table, &shown) | weir_table_keys(l->table);
	if (l->order.field >= 0)
		q->fields |= 1ull << l->order.field;
	if (l->order.plus >= 0)
		q->fields |= 1ull << l->order.plus;
	/* There each row is shown whole beside the list. */
	if (!a->n_details && tui_app_in_tab(a, "doctor"))
		q->fields = 0;
	q->limit = l->limit;
	add_span(a, q);
	if (l->tree) {
		q->fields |= tui_place_fields(l->table);
		return true;
	}
	q->offset = l->first > SLACK ? l->first - SLACK : 0;
	if (q->offset > l->limit)
		q->offset = l->limit;
	q->limit = height + 2 * SLACK;
	if (q->limit > l->limit - q->offset)
		q->limit = l->limit - q->offset;
	return true;
}

static bool ask_followed(const struct tui_app *a, const struct tui_list *l, struct tui_question *q)
{
	if (!l->has_cursor || !l->cursor_lost || l->tree || !l->cursor_filter[0])
		return false;
	ask_list(a, l, q);
	snprintf(q->filter, sizeof(q->filter), "%s%s%.*s", l->filter, *l->filter ? " " : "",
		 (int)sizeof(q->filter) - 2 - (int)strlen(l->filter), l->cursor_filter);
	q->offset = 0;
	q->limit = 50; /* more than one only where a part of the name is null */
	return true;
}

static bool ask_subject(const struct tui_app *a, const struct tui_details *d, struct tui_question *q)
{
	if (!d || d->gone)
		return false;
	q->table = d->table;
	snprintf(q->filter, sizeof(q->filter), "%s", d->filter);
	q->limit = 50;
	add_span(a, q);
	return true;
}

/* What was before the view began, for the curves that it draws. */
static bool ask_before(const struct tui_app *a, struct tui_question *q)
{
	q->table = weir_table_find("history_rates");
	if (a->rates_filled || !q->table)
		return false;
	snprintf(q->from, sizeof(q->from), "-%d", TUI_RATES_SECONDS);
	q->before = true;
	return true;
}

static bool ask_findings(uint64_t round, struct tui_question *q)
{
	q->table = weir_table_find("findings");
	q->limit = 20;
	return q->table && round % FINDINGS_EVERY == 0;
}

/* The past changes seldom: when keys ask for another span, and now and then while it goes on. */
static bool ask_current(const struct tui_app *a, uint64_t round, struct tui_question *q)
{
	const struct tui_list *l = &a->lists[a->current];

	if (tui_is_past(l->table) && !a->past.ask && !a->ask_again &&
	    (a->past.to_s || round % PAST_EVERY != 0))
		return false;
	/* A whole tree that nobody sees need not be sent each second. */
	if (a->n_details && l->tree)
		return false;
	return ask_list(a, l, q);
}

static bool asks_while_paused(const struct tui_app *a, enum tui_slot slot)
{
	if (a->once && (slot == TUI_SLOT_SUBJECT || slot == TUI_SLOT_FLOWS))
		return true;
	/* The past stands still by itself. */
	return a->past.ask && (slot == TUI_SLOT_LIST || slot == TUI_SLOT_CURVE || slot == TUI_SLOT_PEERS ||
			       slot == TUI_SLOT_CHANGES);
}

bool tui_app_question(const struct tui_app *a, enum tui_slot slot, uint64_t round,
		      struct tui_question *ret)
{
	const struct tui_details *d = tui_app_open_or_beside(a);
	const struct tui_tab *tab = a->tabs[a->tab].tab;

	*ret = (struct tui_question){ .limit = UINT64_MAX };
	if (a->paused && !asks_while_paused(a, slot))
		return false;
	switch (slot) {
	case TUI_SLOT_HOST:
		return ask_host(ret);
	case TUI_SLOT_LIST:
		return ask_current(a, round, ret);
	case TUI_SLOT_FOLLOWED:
		return ask_followed(a, tui_app_in_sight(a), ret);
	case TUI_SLOT_SUBJECT:
		return ask_subject(a, d, ret);
	case TUI_SLOT_FLOWS:
		return d && d->flows.table && ask_list(a, &d->flows, ret);
	case TUI_SLOT_COST:
		return round % COST_EVERY == 1;
	case TUI_SLOT_DOCTOR:
		ret->table = weir_table_find("doctor");
		return ret->table && round % DOCTOR_EVERY == 2;
	case TUI_SLOT_FINDINGS:
		return ask_findings(round, ret);
	case TUI_SLOT_CURVE:
	case TUI_SLOT_LARGEST:
	case TUI_SLOT_LOSSES:
	case TUI_SLOT_NEW:
	case TUI_SLOT_PEERS:
	case TUI_SLOT_CHANGES:
	case TUI_SLOT_STORE:
		if (tab->question && tab->question(a, slot, round, ret)) {
			if (!*ret->from)
				add_span(a, ret);
			return true;
		}
		return slot == TUI_SLOT_CURVE && ask_before(a, ret);
	case _TUI_SLOT_MAX:
		break;
	}
	return false;
}

void tui_app_asked(struct tui_app *a)
{
	a->once = false;
	a->ask_again = a->past.ask = a->past.moved; /* by an answer that came at once */
	a->past.moved = false;
}
