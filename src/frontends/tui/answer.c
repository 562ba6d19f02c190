// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "frontends/tui/app.h"
#include "frontends/tui/past.h"
#include "frontends/tui/tab.h"

#define SECOND_NS 1000000000ull

/* What is done with answers. */

static void remember_rows(struct tui_app *a, const struct tui_list *l, uint64_t second)
{
	const struct weir_rows *r = &l->document.rows;

	if (weir_table_field(l->table, "tx_bytes_per_second") < 0)
		return;
	for (size_t i = 0; i < r->n; i++)
		tui_history_add(a->history, tui_id_of(r, i), second,
				weir_row_number(r, i, "tx_bytes_per_second"),
				weir_row_number(r, i, "rx_bytes_per_second"),
				weir_row_number(r, i, "retransmits"));
	tui_history_prune(a->history, second);
}

/* Their sums are known when the rows are in order. */
static void remember_groups(struct tui_app *a, const struct tui_list *l, uint64_t second)
{
	int tx = weir_table_field(l->table, "tx_bytes_per_second"),
	    rx = weir_table_field(l->table, "rx_bytes_per_second");
	int retransmits = weir_table_field(l->table, "retransmits");

	for (size_t i = 0; l->tree && tx >= 0 && rx >= 0 && i < l->n_groups; i++) {
		const struct tui_group *g = &l->groups[i];

		tui_history_add(a->history, g->id, second, g->sums[tx], g->sums[rx],
				retransmits >= 0 ? g->sums[retransmits] : 0);
	}
}

static void took_list(struct tui_app *a, struct tui_list *l, const struct tui_question *asked,
		      uint64_t now_ns)
{
	uint64_t second = tui_app_second(a, now_ns), total;

	/* Keys may have changed the order since the question went out. */
	char order[TUI_ORDER_TEXT];
	bool other = strcmp(tui_list_order_text(l, order), asked->sort) != 0;

	remember_rows(a, l, second);
	l->history = a->history;
	l->second = second;
	(void)tui_list_arrange(l, now_ns, other);
	remember_groups(a, l, second);
	total = tui_list_total(l);
	if (l->first + a->height > total)
		l->first = total > a->height ? total - a->height : 0;
	a->answered_ns = now_ns;
	a->trouble[0] = '\0';
}

/* Questions may come closer together than a second, when keys want other rows. */
#define RETRANSMITS_NS (SECOND_NS * 9 / 10)

static void took_retransmits(struct tui_app *a, uint64_t now_ns)
{
	uint64_t sum, passed = now_ns - a->retransmits_ns;

	if (!tui_sum(&a->host, "retransmits", &sum))
		return;
	if (a->retransmits_ns && passed < RETRANSMITS_NS)
		return;
	/* The sum falls when a process leaves the table. */
	a->retransmits_per_second = 0;
	if (a->retransmits_ns && sum > a->retransmits)
		a->retransmits_per_second =
			((sum - a->retransmits) * SECOND_NS + passed - 1) / passed;
	a->retransmits_ns = now_ns;
	a->retransmits = sum;
}

static void host_rates(struct tui_app *a, uint64_t second, uint64_t tx, uint64_t rx)
{
	tui_history_add(a->history, tui_id_of_text(""), second, tx, rx, 0);
	tui_rates_add(&a->rates, TUI_RATES_SENT, second, (float)tx);
	tui_rates_add(&a->rates, TUI_RATES_RECEIVED, second, (float)rx);
}

/* The minutes before the view began, as the daemon remembers them. */
static void fill_before(struct tui_app *a, const struct tui_document *d, uint64_t now_ns)
{
	const struct weir_rows *r = &d->rows;
	uint64_t now_s = weir_snapshot_head(d->snapshot)->real_ns / SECOND_NS;
	uint64_t second = tui_app_second(a, now_ns);

	for (size_t i = 0; i < r->n; i++) {
		uint64_t at = weir_row_number(r, i, "time") / SECOND_NS, wide = weir_row_number(r, i, "seconds");

		for (uint64_t k = 0; wide && k < wide && k < TUI_RATES_SECONDS; k++) {
			if (at + k >= now_s || now_s - at - k >= TUI_RATES_SECONDS)
				continue;
			tui_rates_fill(&a->rates, TUI_RATES_SENT, second - (now_s - at - k),
				       (float)weir_row_number(r, i, "tx_bytes") / (float)wide);
			tui_rates_fill(&a->rates, TUI_RATES_RECEIVED, second - (now_s - at - k),
				       (float)weir_row_number(r, i, "rx_bytes") / (float)wide);
		}
	}
}

static void took_losses(struct tui_app *a, const struct tui_document *d, uint64_t now_ns)
{
	uint64_t lost;

	if (tui_sum(d, "packets_per_second", &lost))
		tui_rates_add(&a->rates, TUI_RATES_LOST, tui_app_second(a, now_ns), (float)lost);
}

static void took_host(struct tui_app *a, uint64_t now_ns)
{
	uint64_t second = tui_app_second(a, now_ns), tx, rx;
	uint64_t lost = weir_snapshot_head(a->host.snapshot)->lost_events;

	if (a->have_lost && lost > a->lost)
		a->lost_second = second;
	a->have_lost = true;
	a->lost = lost;
	if (tui_sum(&a->host, "tx_bytes_per_second", &tx) &&
	    tui_sum(&a->host, "rx_bytes_per_second", &rx))
		host_rates(a, second, tx, rx);
	took_retransmits(a, now_ns);
	/* The list in sight is asked for seldom there. */
	if (!tui_is_past(a->lists[a->current].table))
		return;
	a->answered_ns = now_ns;
	a->trouble[0] = '\0';
}

/* The cursor's row is somewhere else in the order, or it ended. */
static void took_followed(struct tui_app *a, struct tui_list *l, uint64_t now_ns)
{
	size_t row;

	if (!l->cursor_lost || tui_id_find(&l->followed.rows, l->cursor, &row))
		return;
	l->cursor_lost = false;
	l->cursor = (struct tui_id){};
	tui_document_done(&l->followed);
	tui_app_say(a, now_ns, "%s", weir_word(WORD_SAY_ROW_GONE));
	if (l->cursor_at >= tui_list_total(l))
		tui_list_move_to(l, tui_list_total(l), a->height);
	else if (l->cursor_at < l->first)
		tui_list_move_to(l, l->first, a->height);
	else if (a->height && l->cursor_at >= l->first + a->height)
		tui_list_move_to(l, l->first + a->height - 1, a->height);
	else
		tui_list_move_to(l, l->cursor_at, a->height);
}

/* One of the process's own metrics: NAME{labels} VALUE. */
static double metric_sum(const char *text, const char *name)
{
	size_t len = strlen(name);
	double sum = 0;

	for (const char *line = text; line && *line;
	     line = strchr(line, '\n'), line += line != NULL) {
		const char *end = strchr(line, '\n');
		const char *value;

		if (strncmp(line, name, len) != 0 || (line[len] != '{' && line[len] != ' '))
			continue;
		/* The value stands behind the last blank. */
		for (value = end ? end : line + strlen(line); value > line && *value != ' ';
		     value--)
			;
		sum += strtod(value, NULL);
	}
	return sum;
}

static void took_cost(struct tui_app *a, const char *text, uint64_t now_ns)
{
	double cpu = metric_sum(text, "weir_self_cpu_seconds_total");

	if (a->self.at_ns && now_ns > a->self.at_ns && cpu >= a->self.cpu_seconds)
		a->self.share =
			(cpu - a->self.cpu_seconds) * 1e9 / (double)(now_ns - a->self.at_ns);
	a->self.cpu_seconds = cpu;
	a->self.memory_bytes = metric_sum(text, "weir_self_memory_bytes");
	a->self.at_ns = now_ns;
}

/* Whether losses would be seen at all: else none in the table says nothing. */
static void took_losses_state(struct tui_app *a, const struct weir_rows *r)
{
	a->losses = r->n ? TUI_LOSSES_UNSEEN : TUI_LOSSES_UNKNOWN; /* a recording does not say */
	for (size_t i = 0; i < r->n; i++)
		if (weir_row_is(r, i, "feature", "drops") &&
		    (weir_row_is(r, i, "state", "on") || weir_row_is(r, i, "state", "degraded")))
			a->losses = TUI_LOSSES_SEEN;
}

/* The worst that doctor says: a feature without any set that is on; one that is degraded. */
static void took_doctor(struct tui_app *a, const struct tui_document *d)
{
	const struct weir_rows *r = &d->rows;

	took_losses_state(a, r);
	a->missing[0] = '\0';
	a->degraded = false;
	for (size_t i = 0; i < r->n; i++) {
		const char *feature = tui_text(r, i, "feature");
		bool on = false;

		if (!feature || !tui_text(r, i, "state"))
			continue;
		for (size_t k = 0; k < r->n; k++)
			on |= weir_row_is(r, k, "feature", feature) &&
			      (weir_row_is(r, k, "state", "on") || weir_row_is(r, k, "state", "degraded") ||
			       weir_row_is(r, k, "state", "off"));
		if (!on)
			snprintf(a->missing, sizeof(a->missing), "%s", feature);
		a->degraded |= weir_row_is(r, i, "state", "degraded");
	}
}

static void failed(struct tui_app *a, enum tui_slot slot, const struct tui_question *asked,
		   const char *error)
{
	if (!error || !*error)
		error = weir_word(WORD_SAY_NO_ANSWER);
	if (asked->before)
		a->rates_filled = true; /* a daemon that remembers nothing */
	if (slot == TUI_SLOT_NEW)
		a->other_day = false;
	if (tui_is_past(asked->table)) {
		snprintf(a->past.error, sizeof(a->past.error), "%s", error);
		return;
	}
	/* An older daemon may not know one of the side questions. */
	if (slot == TUI_SLOT_HOST && tui_is_past(a->lists[a->current].table))
		slot = TUI_SLOT_LIST;
	if (slot != TUI_SLOT_LIST && slot != TUI_SLOT_SUBJECT && slot != TUI_SLOT_FLOWS &&
	    slot != TUI_SLOT_FOLLOWED)
		return;
	snprintf(a->trouble, sizeof(a->trouble), "%s", error);
}

/* Where the answer belongs; NULL: keys have left what it was for. */
static struct tui_document *document_for(struct tui_app *a, enum tui_slot slot,
					 const struct tui_question *asked, struct tui_list *l)
{
	struct tui_details *d = tui_app_subject(a);

	switch (slot) {
	case TUI_SLOT_HOST:
		return &a->host;
	case TUI_SLOT_LIST:
	case TUI_SLOT_FLOWS:
		return l && l->table == asked->table ? &l->document : NULL;
	case TUI_SLOT_FOLLOWED:
		return l && l->table == asked->table ? &l->followed : NULL;
	case TUI_SLOT_SUBJECT:
		return d && d->table == asked->table && strcmp(d->filter, asked->filter) == 0
			       ? &d->subject
			       : NULL;
	case TUI_SLOT_DOCTOR:
		return &a->doctor;
	case TUI_SLOT_FINDINGS:
	case TUI_SLOT_LARGEST:
	case TUI_SLOT_LOSSES:
	case TUI_SLOT_NEW:
	case TUI_SLOT_CURVE:
	case TUI_SLOT_PEERS:
	case TUI_SLOT_CHANGES:
	case TUI_SLOT_STORE:
		return &a->extra[slot];
	case TUI_SLOT_COST:
	case _TUI_SLOT_MAX:
		break;
	}
	return NULL;
}

/* The list that rows in this slot are for. A filter that was typed meanwhile asks again. */
static struct tui_list *list_for(struct tui_app *a, enum tui_slot slot, const struct tui_question *asked)
{
	struct tui_details *d = tui_app_subject(a);

	if (slot == TUI_SLOT_LIST)
		return strcmp(a->lists[a->current].filter, asked->filter) == 0 ? &a->lists[a->current] : NULL;
	if (slot == TUI_SLOT_FLOWS)
		return d && d->flows.table && strcmp(d->flows.filter, asked->filter) == 0 ? &d->flows : NULL;
	return tui_app_list(a);
}

/* Details stay with what was seen last of a row that has gone. */
static int read_subject(struct tui_details *d, const struct weir_table *table, const char *text,
			size_t len, char **ret_error)
{
	struct tui_document next = {};
	int r = tui_document_read(&next, table, text, len, 0, ret_error);

	if (r < 0)
		return r;
	if (d->subject.rows.n && !next.rows.n) {
		d->gone = true;
		tui_document_done(&next);
		return 0;
	}
	tui_document_done(&d->subject);
	d->subject = next;
	return 0;
}

/* Where the daemon's clocks stand: at the end of the span that is looked at, and now. */
static void took_zone(struct tui_app *a, enum tui_slot slot, const struct tui_question *asked,
		      const struct tui_document *d)
{
	if (!tui_is_past(asked->table) || !d->has_zone)
		return;
	if (*asked->to) {
		if (slot == TUI_SLOT_LIST)
			tui_past_fit(a, asked, d);
		return;
	}
	a->utc_offset_s = d->utc_offset_s;
	if (a->today_s == d->day_s)
		return;
	a->today_s = d->day_s;
	a->other_day = a->ask_again = true;
}

/* The answer to that question alone: in the same slot a tab asks for another span, and with a filter. */
static void took_before(struct tui_app *a, const struct tui_question *asked, const char *text, size_t len, uint64_t now_ns)
{
	struct tui_document d = {};
	_cleanup_free_ char *why = NULL;

	a->rates_filled = true;
	if (tui_document_read(&d, asked->table, text, len, 0, &why) < 0)
		return;
	a->past.error[0] = '\0';
	took_zone(a, TUI_SLOT_CURVE, asked, &d);
	fill_before(a, &d, now_ns);
	tui_document_done(&d);
}

static void took(struct tui_app *a, enum tui_slot slot, const struct tui_question *asked,
		 struct tui_list *l, uint64_t now_ns)
{
	char stamp[WEIR_TIMESTAMP_TEXT];

	if (tui_is_past(asked->table))
		a->past.error[0] = '\0';
	switch (slot) {
	case TUI_SLOT_HOST:
		took_host(a, now_ns);
		return;
	case TUI_SLOT_LIST:
	case TUI_SLOT_FLOWS:
		took_list(a, l, asked, now_ns);
		return;
	case TUI_SLOT_FOLLOWED:
		took_followed(a, l, now_ns);
		return;
	case TUI_SLOT_DOCTOR:
		took_doctor(a, &a->doctor);
		return;
	case TUI_SLOT_LOSSES:
		took_losses(a, &a->extra[slot], now_ns);
		return;
	case TUI_SLOT_NEW:
		weir_timestamp_format(a->today_s * SECOND_NS, stamp);
		a->other_day = a->today_s && strncmp(asked->from, stamp, 19) != 0; /* midnight went by */
		return;
	case TUI_SLOT_SUBJECT:
	case TUI_SLOT_COST:
	case TUI_SLOT_FINDINGS:
	case TUI_SLOT_LARGEST:
	case TUI_SLOT_CURVE:
	case TUI_SLOT_PEERS:
	case TUI_SLOT_CHANGES:
	case TUI_SLOT_STORE:
	case _TUI_SLOT_MAX:
		return;
	}
}

void tui_app_answer(struct tui_app *a, enum tui_slot slot, const struct tui_question *asked,
		    const char *text, size_t len, const char *error, uint64_t now_ns)
{
	struct tui_list *l = list_for(a, slot, asked);
	struct tui_document *to;
	_cleanup_free_ char *why = NULL;
	int r;

	if (!text) {
		failed(a, slot, asked, error);
		return;
	}
	if (slot == TUI_SLOT_COST) {
		took_cost(a, text, now_ns);
		return;
	}
	if (asked->before) {
		took_before(a, asked, text, len, now_ns);
		return;
	}
	to = document_for(a, slot, asked, l);
	if (!to)
		return;
	if (slot == TUI_SLOT_SUBJECT)
		r = read_subject(tui_app_subject(a), asked->table, text, len, &why);
	else
		r = tui_document_read(to, asked->table, text, len, asked->offset, &why);
	if (r < 0)
		failed(a, slot, asked, why ? why : weir_word(WORD_SAY_NO_MEMORY));
	else if (slot != TUI_SLOT_SUBJECT)
		took_zone(a, slot, asked, to);
	if (r >= 0)
		took(a, slot, asked, l, now_ns);
}
