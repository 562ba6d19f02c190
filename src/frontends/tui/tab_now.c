// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "core/tables.h"
#include "frontends/tui/tab.h"
#include "frontends/words/said.h"

/* The first question of all: is something wrong, and who is it? A sentence, and the evidence below
 * it. */

#define SECOND_NS 1000000000ull
#define DAY_S 86400
#define SIDE_FROM 150
#define SEVERAL_ROUNDS 15

/* --- the sentence ---------------------------------------------------------------------------- */

static unsigned class_attr(const char *class)
{
	if (!class)
		return TUI_BOLD;
	if (strcmp(class, "bug") == 0 || strcmp(class, "attack") == 0)
		return TUI_BOLD | TUI_BAD;
	if (strcmp(class, "tune") == 0)
		return TUI_BOLD | TUI_WARN;
	return TUI_BOLD;
}

/* The worst: attacks and bugs before what can be tuned. */
static bool worst_finding(const struct weir_rows *r, size_t *ret)
{
	bool found = false;

	for (size_t i = 0; i < r->n; i++) {
		const char *class = tui_text(r, i, "class");

		if (found && (!class || strcmp(class, "tune") == 0))
			continue;
		*ret = i;
		if (!found && class && strcmp(class, "tune") != 0)
			return true;
		found = true;
	}
	return found;
}

static bool say_finding(const struct tui_app *a, struct weir_buf *b, unsigned *ret_attr)
{
	const struct weir_rows *r = &a->extra[TUI_SLOT_FINDINGS].rows;
	const char *summary;
	char n[WEIR_NUMBER_TEXT], said[WEIR_SAID_ROOM];
	size_t row;

	if (!a->extra[TUI_SLOT_FINDINGS].snapshot || !worst_finding(r, &row))
		return false;
	summary = tui_text(r, row, "summary");
	if (!summary)
		return false;
	weir_buf_str(b, weir_said(summary, said, sizeof(said)));
	if (r->n > 1)
		weir_say_now_more_findings(b, weir_number(r->n - 1, n));
	*ret_attr = class_attr(tui_text(r, row, "class"));
	return true;
}

/* Who moves most of the direction in which more is moved. */
struct largest {
	const char *field; /* the direction */
	bool sends;
	uint64_t all, most; /* the host's, and his */
	size_t row;	    /* of the list */
};

static bool find_largest(const struct tui_app *a, struct largest *ret)
{
	const struct weir_rows *r = &a->lists[a->current].document.rows;
	uint64_t tx = 0, rx = 0;

	if (!tui_sum(&a->host, "tx_bytes_per_second", &tx) || !tui_sum(&a->host, "rx_bytes_per_second", &rx))
		return false;
	*ret = (struct largest){ .sends = tx > rx, .all = tx > rx ? tx : rx };
	ret->field = ret->sends ? "tx_bytes_per_second" : "rx_bytes_per_second";
	for (size_t i = 0; a->lists[a->current].document.snapshot && i < r->n; i++) {
		if (weir_row_number(r, i, ret->field) <= ret->most)
			continue;
		ret->most = weir_row_number(r, i, ret->field);
		ret->row = i;
	}
	return ret->most;
}

/* Its peer, when most of what the process moves is of one flow. */
static void largest_peer(const struct tui_app *a, const struct largest *m, char peer[TUI_CELL_TEXT])
{
	const struct tui_document *d = &a->extra[TUI_SLOT_LARGEST];
	const struct tui_column c = { .kind = TUI_COLUMN_PEER, .field = -1, .plus = -1 };
	uint64_t all = 0;
	unsigned attr;

	*peer = '\0';
	if (!d->snapshot || !d->rows.n ||
	    weir_row_number(&d->rows, 0, "pid") != weir_row_number(&a->lists[a->current].document.rows, m->row, "pid"))
		return;
	/* The two answers may be of different seconds. */
	(void)tui_sum(d, m->field, &all);
	all = all > m->most ? all : m->most;
	if (weir_row_number(&d->rows, 0, m->field) > all / 2)
		tui_column_text(&d->rows, 0, &c, &a->look, peer, &attr);
}

static bool say_largest(const struct tui_app *a, struct weir_buf *b)
{
	char rate[TUI_CELL_TEXT], share[24], peer[TUI_CELL_TEXT];
	struct largest m;
	const char *comm;

	if (!find_largest(a, &m))
		return false;
	comm = tui_text(&a->lists[a->current].document.rows, m.row, "comm");
	if (!comm)
		return false;
	largest_peer(a, &m, peer);
	snprintf(share, sizeof(share), "%.0f", 100.0 * (double)(m.most < m.all ? m.most : m.all) / (double)m.all);
	tui_rate_text(m.all, &a->look, rate);
	if (m.sends && *peer)
		weir_say_now_sends_to(b, comm, share, rate, peer);
	else if (m.sends)
		weir_say_now_sends(b, comm, share, rate);
	else if (*peer)
		weir_say_now_receives_from(b, comm, share, rate, peer);
	else
		weir_say_now_receives(b, comm, share, rate);
	return true;
}

static unsigned draw_verdict(const struct tui_app *a, struct tui_grid *g, unsigned rows)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	unsigned attr = TUI_BOLD, took;

	if (!tui_newest_head(a))
		weir_buf_str(&b, weir_word(a->trouble[0] ? WORD_HEAD_NO_ANSWER_YET : WORD_HEAD_ASKING));
	else if (!say_finding(a, &b, &attr) && !say_largest(a, &b))
		weir_buf_str(&b, weir_word(WORD_NOW_QUIET));
	took = b.data && !b.error ? tui_draw_wrapped(g, 0, 0, rows, b.data, attr) : 0;
	return took ? took : 1;
}

/* --- panels ---------------------------------------------------------------------------------- */

/* "412/s  24.7 k SOCKET_RCVBUFF redis-server": how many in all where there is room for it. */
static void draw_loss(const struct weir_rows *r, size_t i, struct tui_grid *g, unsigned row)
{
	const char *class = tui_text(r, i, "class"), *whose = tui_text(r, i, "comm");
	const char *reason = tui_text(r, i, "reason");
	unsigned attr = class_attr(class) & (unsigned)~TUI_BOLD, at = 8, room;
	uint64_t rate = weir_row_number(r, i, "packets_per_second");
	char unit[WEIR_UNITS_TEXT];

	whose = whose ? whose : tui_text(r, i, "device");
	tui_grid_printf(g, row, 0, 7, rate ? TUI_BOLD : TUI_DIM, "%4s/s", weir_units_count(rate, unit));
	if (g->columns >= 50) {
		tui_grid_right(g, row, at, 7, weir_units_count(weir_row_number(r, i, "packets"), unit), TUI_PLAIN);
		at += 8;
	}
	room = g->columns > at + 15 ? g->columns - at - 13 : 8;
	at += tui_grid_text(g, row, at, room, reason ? reason : "-", attr ? attr : TUI_DIM) + 1;
	if (whose && at < g->columns)
		tui_grid_text(g, row, at, g->columns - at, whose, TUI_PLAIN);
}

static void draw_losses(const struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	const struct tui_document *d = &a->extra[TUI_SLOT_LOSSES];
	_cleanup_(weir_buf_done) struct weir_buf title = {};
	float now = tui_rates_now(&a->rates, TUI_RATES_LOST, tui_app_second(a, now_ns));
	char n[WEIR_NUMBER_TEXT];

	if (a->losses == TUI_LOSSES_SEEN || (d->snapshot && d->rows.n))
		weir_say_now_losses(&title, weir_number(now > 0 ? (uint64_t)now : 0, n));
	else
		weir_buf_str(&title, weir_word(WORD_NOW_LOSSES_TITLE));
	tui_panel_title(g, 0, title.data ? title.data : "");
	if (d->snapshot && !d->rows.n && a->losses != TUI_LOSSES_UNKNOWN)
		tui_draw_wrapped(g, 1, 0, g->rows - 1,
				 weir_word(a->losses == TUI_LOSSES_SEEN ? WORD_NOW_NO_LOSSES : WORD_NOW_LOSSES_UNSEEN), TUI_DIM);
	for (size_t i = 0; d->snapshot && i < d->rows.n && i + 1 < g->rows; i++)
		draw_loss(&d->rows, i, g, (unsigned)i + 1);
}

/* Programs that use the network for the first time ever, newest first. */
static void draw_new(const struct tui_app *a, struct tui_grid *g)
{
	const struct tui_document *d = &a->extra[TUI_SLOT_NEW];
	_cleanup_(weir_buf_done) struct weir_buf title = {};
	char n[WEIR_NUMBER_TEXT], place[TUI_CELL_TEXT];

	if (d->snapshot)
		weir_say_now_new(&title, weir_number(d->total, n));
	else
		weir_buf_str(&title, weir_word(WORD_NOW_NEW_TITLE));
	tui_panel_title(g, 0, title.data ? title.data : "");
	if (!d->snapshot)
		tui_draw_wrapped(g, 1, 0, g->rows - 1,
				 a->past.error[0] ? a->past.error : weir_word(WORD_NOW_NO_HISTORY), TUI_DIM);
	else if (!d->rows.n)
		tui_grid_text(g, 1, 0, g->columns, weir_word(WORD_NOW_NO_NEW), TUI_DIM);
	for (size_t i = 0; d->snapshot && i < d->rows.n && i + 1 < g->rows; i++) {
		const char *program = tui_text(&d->rows, i, "program");
		char stamp[WEIR_TIMESTAMP_TEXT];
		unsigned row = (unsigned)i + 1, at;

		tui_clock_text(weir_row_number(&d->rows, i, "first_seen"), &a->look, stamp);
		stamp[16] = '\0';
		tui_grid_printf(g, row, 0, 7, TUI_DIM, a->look.utc_offset_s ? "%s" : "%sZ", stamp + 11);
		at = 8 + tui_grid_text(g, row, 8, 20, program ? program : "-", TUI_BOLD);
		if (tui_place(&d->rows, i, a->look.numeric, place) && at + 2 < g->columns)
			tui_grid_text(g, row, at + 1, g->columns - at - 1, place, TUI_DIM);
	}
}

/* --- what weir costs ------------------------------------------------------------------------- */

/* The row of the file itself in what history keeps. */
static bool history_file(const struct tui_document *d, size_t *ret)
{
	for (size_t i = 0; d->snapshot && i < d->rows.n; i++) {
		const char *level = tui_text(&d->rows, i, "level");

		if (!level || strcmp(level, "file") != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static void draw_cost(const struct tui_app *a, struct tui_grid *g, unsigned row, uint64_t now_ns)
{
	const struct tui_document *store = &a->extra[TUI_SLOT_STORE];
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	char have[WEIR_UNITS_TEXT], limit[WEIR_UNITS_TEXT];
	unsigned left = tui_draw_health(a, g, row, g->columns, tui_app_second(a, now_ns));
	char said[WEIR_SAID_ROOM];
	const char *reason;
	size_t file;

	if (!history_file(store, &file))
		return;
	reason = tui_text(&store->rows, file, "reason");
	if (reason)
		weir_say_now_history_stuck(&b, weir_said(reason, said, sizeof(said)));
	else
		weir_say_now_history(&b, weir_units_bytes(weir_row_number(&store->rows, file, "bytes"), have),
				     weir_units_bytes(weir_row_number(&store->rows, file, "limit_bytes"), limit));
	if (b.data && left > 2)
		tui_grid_text(g, row, 0, left - 2, b.data, reason ? TUI_BAD : TUI_DIM);
}

/* --- the frame ------------------------------------------------------------------------------- */

/* Losses and new programs: one below the other in a column, or side by side below the list. */
static void draw_panels(const struct tui_app *a, struct tui_grid *g, bool column, uint64_t now_ns)
{
	struct tui_grid one, other;

	if (column) {
		one = tui_grid_view(g, 0, 0, g->rows / 2 - 1, g->columns);
		other = tui_grid_view(g, g->rows / 2, 0, g->rows - g->rows / 2, g->columns);
	} else {
		one = tui_grid_view(g, 0, 0, g->rows, g->columns / 2 - 1);
		other = tui_grid_view(g, 0, g->columns / 2 + 1, g->rows, g->columns - g->columns / 2 - 1);
	}
	draw_losses(a, &one, now_ns);
	draw_new(a, &other);
}

static unsigned draw_talkers(struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	a->width = g->columns;
	return tui_draw_list(a, &a->lists[a->current], g, (struct tui_area){ .rows = g->rows }, now_ns);
}

static unsigned draw(struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	unsigned row = draw_verdict(a, g, g->rows >= 20 ? 2 : 1), rows, plot, panel, height;
	struct tui_grid v;

	a->has_side = false;
	if (tui_newest_head(a)) /* else it says the same again */
		tui_draw_sentence(a, g, row, g->columns);
	row++;
	if (g->rows < 12) {
		v = tui_grid_view(g, row, 0, g->rows - row, g->columns);
		return draw_talkers(a, &v, now_ns);
	}
	plot = g->rows >= 50 ? 12 : g->rows >= 30 ? 8 : 5;
	v = tui_grid_view(g, row, 0, plot, g->columns);
	tui_draw_host_plots(a, &v, now_ns);
	row += plot;
	tui_draw_view(a, g, row++, now_ns);
	rows = g->rows - row - 1; /* the last is weir's own */
	if (g->columns >= SIDE_FROM) {
		unsigned left = g->columns * 62 / 100;

		v = tui_grid_view(g, row, 0, rows, left);
		height = draw_talkers(a, &v, now_ns);
		v = tui_grid_view(g, row, left + 2, rows, g->columns - left - 2);
		draw_panels(a, &v, true, now_ns);
	} else {
		panel = rows > 24 ? 8 : rows > 11 ? 4 : 3;
		v = tui_grid_view(g, row, 0, rows - panel, g->columns);
		height = draw_talkers(a, &v, now_ns);
		v = tui_grid_view(g, row + rows - panel, 0, panel, g->columns);
		draw_panels(a, &v, false, now_ns);
	}
	draw_cost(a, g, g->rows - 1, now_ns);
	return height;
}

/* --- questions ------------------------------------------------------------------------------- */

/* At first, when the tab is opened, and now and then. */
static bool seldom(const struct tui_app *a, enum tui_slot slot, uint64_t round)
{
	if (round % SEVERAL_ROUNDS == 2)
		return true;
	return !a->extra[slot].snapshot && (round < 3 || a->ask_again);
}

/* The flow through which the program in the sentence moves most. */
static bool ask_largest(const struct tui_app *a, struct tui_question *q)
{
	static const char *const fields[] = { "pid", "peer_address", "peer_port", "peer_name", NULL };
	struct largest m;

	q->table = weir_table_find("flows");
	if (!q->table || !find_largest(a, &m))
		return false;
	snprintf(q->filter, sizeof(q->filter), "pid:%" PRIu64,
		 weir_row_number(&a->lists[a->current].document.rows, m.row, "pid"));
	snprintf(q->sort, sizeof(q->sort), "%s", m.field);
	q->sums = tui_field_bits(q->table, (const char *const[]){ m.field, NULL });
	q->fields = weir_table_keys(q->table) | tui_field_bits(q->table, fields) | q->sums;
	q->limit = 1;
	return true;
}

static bool ask_losses(struct tui_question *q)
{
	static const char *const fields[] = { "packets", "packets_per_second", "reason", "class", "comm", "device", NULL };

	if (!tui_ask_losses(q))
		return false;
	snprintf(q->sort, sizeof(q->sort), "packets_per_second,packets");
	q->fields |= tui_field_bits(q->table, fields);
	q->limit = 20;
	return true;
}

/* Those since the daemon's midnight; of a daemon that does not tell it, Universal Time's. */
static bool ask_new(const struct tui_app *a, uint64_t round, struct tui_question *q)
{
	const struct weir_snapshot_head *head = tui_newest_head(a);
	char stamp[WEIR_TIMESTAMP_TEXT];

	q->table = weir_table_find("history");
	if (!q->table || !head || (!seldom(a, TUI_SLOT_NEW, round) && !a->other_day))
		return false;
	snprintf(q->filter, sizeof(q->filter), "new:yes");
	snprintf(q->sort, sizeof(q->sort), "first_seen");
	if (a->today_s) {
		weir_timestamp_format(a->today_s * SECOND_NS, stamp);
		snprintf(q->from, sizeof(q->from), "%.19sZ", stamp);
	} else {
		snprintf(q->from, sizeof(q->from), "-%" PRIu64, (uint64_t)(head->real_ns / SECOND_NS % DAY_S + 1));
	}
	q->limit = 40;
	return true;
}

static bool question(const struct tui_app *a, enum tui_slot slot, uint64_t round, struct tui_question *q)
{
	switch (slot) {
	case TUI_SLOT_LARGEST:
		return ask_largest(a, q);
	case TUI_SLOT_LOSSES:
		return ask_losses(q);
	case TUI_SLOT_NEW:
		return !a->n_details && ask_new(a, round, q);
	case TUI_SLOT_STORE:
		q->table = weir_table_find("history_store");
		return q->table && seldom(a, slot, round);
	default:
		return false;
	}
}

/* --- the tab --------------------------------------------------------------------------------- */

static int init(struct tui_app *a)
{
	const struct weir_table *t = weir_table_find("processes");

	if (!t)
		return 0;
	return a->n_lists < TUI_LISTS_MAX ? tui_list_init(&a->lists[a->n_lists++], t, TUI_COLUMNS_TALKERS) : -ENOMEM;
}

const struct tui_tab tui_tab_now = {
	.name = "now",
	.word = WORD_TAB_NOW,
	.init = init,
	.draw = draw,
	.question = question,
};
