// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "core/document.h"
#include "core/history.h"
#include "core/tables.h"
#include "frontends/tui/app.h"

/* For tests: a daemon and a terminal in one place, without either. It answers what the view asks
 * from a snapshot, as the gate would, and its clock goes when a test says so. */

struct fixture {
	struct tui_app app;
	struct tui_grid grid;
	struct weir_snapshot *snapshot; /* what the daemon has now; NULL: it is down */
	uint64_t now_ns, round;
	unsigned rows, columns;
	bool ascii;
	char filter[TUI_FILTER_TEXT + 64]; /* of the list's last question */
	char sort[TUI_ORDER_TEXT];
	char from[32], to[32];
	uint64_t sent; /* rows of the last answer */
	unsigned asked[_TUI_SLOT_MAX];
	struct tui_question last[_TUI_SLOT_MAX]; /* that was asked in each */
	int64_t (*zone)(uint64_t s); /* by how much the daemon's clocks are ahead then; NULL: not at all */
	bool old;		     /* it is one that does not tell */
	/* Where rows come from that the snapshot does not have; NULL, or no other snapshot: its own. -1: with one line. */
	int (*rows_of)(struct fixture *f, const struct tui_question *asked, struct weir_history_span *span,
		    struct weir_snapshot **ret, char **ret_error);
};

#define FIXTURE_SECOND 1000000000ull

static const char fixture_metrics[] = "# HELP weir_self_memory_bytes Memory.\n"
				      "weir_self_memory_bytes{role=\"engine\"} 3e+07\n"
				      "weir_self_memory_bytes{role=\"gate\"} 14000000\n"
				      "weir_self_cpu_seconds_total{role=\"engine\"} 0.5\n"
				      "weir_self_cpu_seconds_total{role=\"gate\"} 0.25\n";

static inline void fixture_open(struct fixture *f, const char *table, unsigned columns,
				unsigned rows, bool ascii)
{
	const struct tui_start start = {
		.table = table,
		.limit = UINT64_MAX,
		.interval_ns = FIXTURE_SECOND,
		.now_ns = 5 * FIXTURE_SECOND,
		.look = { .ascii = ascii },
	};

	memset(f, 0, sizeof(*f));
	f->now_ns = start.now_ns;
	f->rows = rows;
	f->columns = columns;
	f->ascii = ascii;
	assert_int_equal(tui_app_init(&f->app, &start), 0);
	assert_int_equal(tui_grid_init(&f->grid, rows, columns, ascii), 0);
}

static inline void fixture_close(struct fixture *f)
{
	tui_app_done(&f->app);
	tui_grid_done(&f->grid);
	weir_snapshot_unref(f->snapshot);
	f->snapshot = NULL;
}

/* What a daemon in that zone says about the end of a span. */
static inline void fixture_span(const struct fixture *f, const struct tui_question *asked, struct weir_history_span *ret)
{
	uint64_t now_ns = weir_snapshot_head(f->snapshot)->real_ns, s, day;

	*ret = (struct weir_history_span){ .to_ns = now_ns, .step_ns = FIXTURE_SECOND };
	if (*asked->to)
		assert_int_equal(weir_timestamp_parse(asked->to, &ret->to_ns), 0);
	if (*asked->from == '-')
		ret->from_ns = ret->to_ns - strtoull(asked->from + 1, NULL, 10) * FIXTURE_SECOND;
	else if (*asked->from)
		assert_int_equal(weir_timestamp_parse(asked->from, &ret->from_ns), 0);
	s = (ret->to_ns - 1) / FIXTURE_SECOND;
	ret->utc_offset_s = f->zone ? f->zone(s) : 0;
	day = (s + (uint64_t)ret->utc_offset_s) / 86400 * 86400;
	s = day - (uint64_t)ret->utc_offset_s;
	ret->day_ns = (day - (uint64_t)(f->zone ? f->zone(s) : 0)) * FIXTURE_SECOND;
}

/* The daemon's answer to a question, as the API would write it. */
static inline void fixture_answer(struct fixture *f, enum tui_slot slot,
				  const struct tui_question *asked)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	struct weir_filter *filter = NULL;
	struct weir_snapshot *from = f->snapshot, *other = NULL;
	struct weir_history_span span = {};
	struct weir_query q;
	char *error = NULL;

	f->asked[slot]++;
	f->last[slot] = *asked;
	if (!f->snapshot) {
		tui_app_answer(&f->app, slot, asked, NULL, 0,
			       "no daemon answers on /run/weir/weir.sock", f->now_ns);
		return;
	}
	if (!asked->table) {
		tui_app_answer(&f->app, slot, asked, fixture_metrics, strlen(fixture_metrics), NULL,
			       f->now_ns);
		return;
	}
	weir_query_init(&q, asked->table);
	q.viewer.sees_all = true;
	/* Of curves the store has chosen already, by words of other tables. */
	assert_int_equal(weir_filter_parse(weir_history_filter_table(asked->table), asked->filter, &filter,
					   &error), 0);
	q.filter = weir_history_filter_table(asked->table) == asked->table ? filter : NULL;
	if (*asked->sort)
		assert_int_equal(weir_query_sort(&q, asked->table, asked->sort, &error), 0);
	q.offset = asked->offset;
	if (asked->limit != UINT64_MAX)
		q.limit = asked->limit;
	if (asked->fields)
		q.fields = asked->fields;
	q.sums = asked->sums;
	if (asked->table->past && !f->old) {
		fixture_span(f, asked, &span);
		q.span = &span;
	}
	if (f->rows_of && f->rows_of(f, asked, &span, &other, &error) < 0) {
		tui_app_answer(&f->app, slot, asked, NULL, 0, error, f->now_ns);
		weir_filter_free(filter);
		free(error);
		return;
	}
	from = other ? other : from;
	assert_int_equal(weir_document_json(&b, from, asked->table, &q, WEIR_JSON_COMPACT),
			 0);
	if (slot == TUI_SLOT_LIST) {
		struct tui_document d = {};

		snprintf(f->filter, sizeof(f->filter), "%s", asked->filter);
		snprintf(f->sort, sizeof(f->sort), "%s", asked->sort);
		snprintf(f->from, sizeof(f->from), "%s", asked->from);
		snprintf(f->to, sizeof(f->to), "%s", asked->to);
		assert_int_equal(tui_document_read(&d, asked->table, b.data, b.len, 0, &error), 0);
		f->sent = d.rows.n;
		tui_document_done(&d);
	}
	tui_app_answer(&f->app, slot, asked, b.data, b.len, NULL, f->now_ns);
	weir_snapshot_unref(other);
	weir_filter_free(filter);
}

/* A round of questions and answers, and the frame after it. */
static inline void fixture_round(struct fixture *f)
{
	for (unsigned slot = 0; slot < _TUI_SLOT_MAX; slot++) {
		struct tui_question q;

		if (tui_app_question(&f->app, slot, f->round, &q))
			fixture_answer(f, slot, &q);
	}
	tui_app_asked(&f->app);
	f->round++;
}

static inline void fixture_draw(struct fixture *f)
{
	tui_grid_done(&f->grid);
	assert_int_equal(tui_grid_init(&f->grid, f->rows, f->columns, f->ascii), 0);
	tui_app_draw(&f->app, &f->grid, f->now_ns);
}

/* A second goes by: with a new snapshot (taken over), or with the one before when it is NULL. */
static inline void fixture_tick(struct fixture *f, struct weir_snapshot *snapshot)
{
	if (snapshot) {
		weir_snapshot_unref(f->snapshot);
		f->snapshot = snapshot;
	}
	f->now_ns += FIXTURE_SECOND;
	fixture_round(f);
	fixture_draw(f);
}

static inline void fixture_key(struct fixture *f, uint32_t key)
{
	f->now_ns += FIXTURE_SECOND / 10;
	tui_app_key(&f->app, key, f->now_ns);
	if (f->app.ask_again)
		fixture_round(f);
	fixture_draw(f);
}

static inline void fixture_type(struct fixture *f, const char *text)
{
	for (; *text; text++)
		fixture_key(f, *text == '\n' ? TUI_KEY_ENTER : (uint32_t)(unsigned char)*text);
}

/* A row of the screen; the text is the fixture's until the next call. */
static inline const char *fixture_row(struct fixture *f, unsigned row)
{
	static struct weir_buf b;

	weir_buf_reset(&b);
	tui_grid_row_text(&f->grid, row, &b);
	return b.data ? b.data : "";
}

/* The first row that has a text, or -1. */
static inline int fixture_find(struct fixture *f, const char *text)
{
	for (unsigned i = 0; i < f->grid.rows; i++)
		if (strstr(fixture_row(f, i), text))
			return (int)i;
	return -1;
}

/* The row that the cursor's bar is on, or -1. */
static inline int fixture_bar(const struct fixture *f)
{
	for (unsigned i = 5; i + 1 < f->grid.rows; i++)
		if (f->grid.cells[(size_t)i * f->grid.stride].attr & TUI_REVERSE)
			return (int)i;
	return -1;
}

/* --- snapshots ------------------------------------------------------------------------------- */

struct fixture_process {
	uint64_t pid;
	const char *comm, *unit, *container;
	uint64_t tx_rate, rx_rate, retransmits;
};

static inline void fixture_number(struct weir_builder *b, const struct weir_table *t,
				  const char *name, uint64_t v)
{
	int field = weir_table_field(t, name);

	assert_true(field >= 0);
	weir_builder_uint(b, (unsigned)field, v);
}

static inline void fixture_text(struct weir_builder *b, const struct weir_table *t,
				const char *name, const char *v)
{
	int field = weir_table_field(t, name);

	assert_true(field >= 0);
	weir_builder_text(b, (unsigned)field, v);
}

static inline void fixture_address(struct weir_builder *b, const struct weir_table *t,
				   const char *name, const char *v)
{
	struct weir_addr a;

	assert_int_equal(weir_addr_parse(v, &a), 0);
	weir_builder_address(b, (unsigned)weir_table_field(t, name), &a);
}

static inline void fixture_flow(struct weir_builder *b, const struct fixture_process *p,
				uint64_t cookie)
{
	const struct weir_table *t = weir_table_find("flows");

	weir_builder_row(b, 0, 1);
	fixture_number(b, t, "cookie", cookie);
	fixture_number(b, t, "pid", p->pid);
	fixture_text(b, t, "comm", p->comm);
	fixture_text(b, t, "unit", p->unit);
	fixture_text(b, t, "transport", "tcp");
	fixture_text(b, t, "role", "client");
	fixture_address(b, t, "local_address", "10.0.0.1");
	fixture_number(b, t, "local_port", 40000 + cookie);
	fixture_address(b, t, "peer_address", cookie % 2 ? "192.0.2.7" : "2001:db8::17");
	fixture_number(b, t, "peer_port", 443);
	fixture_text(b, t, "state", cookie % 3 ? "established" : "close_wait");
	fixture_number(b, t, "tx_bytes", p->tx_rate * 60);
	fixture_number(b, t, "rx_bytes", p->rx_rate * 60);
	fixture_number(b, t, "tx_bytes_per_second", p->tx_rate);
	fixture_number(b, t, "rx_bytes_per_second", p->rx_rate);
	fixture_number(b, t, "retransmits", p->retransmits);
	fixture_number(b, t, "srtt_us", 300 * cookie);
}

static inline void fixture_traffic(struct weir_builder *b, const struct fixture_process *p, size_t n)
{
	const struct weir_table *t = weir_table_find("processes");

	weir_builder_table(b, t);
	for (size_t i = 0; i < n; i++) {
		weir_builder_row(b, 0, 1);
		fixture_number(b, t, "pid", p[i].pid);
		fixture_number(b, t, "start_time_ns", p[i].pid * 1000);
		fixture_text(b, t, "comm", p[i].comm);
		fixture_text(b, t, "user", "www-data");
		fixture_text(b, t, "unit", p[i].unit);
		fixture_text(b, t, "container_id", p[i].container);
		fixture_text(b, t, "state", "running");
		fixture_number(b, t, "tx_bytes", p[i].tx_rate * 60);
		fixture_number(b, t, "rx_bytes", p[i].rx_rate * 60);
		fixture_number(b, t, "tx_bytes_per_second", p[i].tx_rate);
		fixture_number(b, t, "rx_bytes_per_second", p[i].rx_rate);
		fixture_number(b, t, "connections_open", 2);
		fixture_number(b, t, "retransmits", p[i].retransmits);
		fixture_number(b, t, "srtt_us", 250 + p[i].pid);
	}
	weir_builder_table(b, weir_table_find("flows"));
	for (size_t i = 0; i < n; i++) {
		fixture_flow(b, &p[i], 2 * i + 1);
		fixture_flow(b, &p[i], 2 * i + 2);
	}
}

#define FIXTURE_EPOCH 1795368307ull /* 2026-11-22 17:25:07Z */

static inline struct weir_snapshot *fixture_finish(struct weir_builder *b, uint64_t number, uint64_t lost)
{
	const struct weir_snapshot_head head = { .number = number,
						 .real_ns = (FIXTURE_EPOCH + number) * FIXTURE_SECOND,
						 .lost_events = lost,
						 .host = "web-1" };
	struct weir_snapshot *s = NULL;

	assert_int_equal(weir_builder_finish(b, &head, &s), 0);
	weir_builder_free(b);
	return s;
}

static inline struct weir_snapshot *fixture_snapshot(const struct fixture_process *p, size_t n,
						     uint64_t number, uint64_t lost)
{
	struct weir_builder *b = weir_builder_new();

	fixture_traffic(b, p, n);
	return fixture_finish(b, number, lost);
}

