// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/draw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "frontends/tui/tab.h"

/* Frames put together, and the lines on top of them. */

#define SECOND_NS 1000000000ull

/* --- tabs ------------------------------------------------------------------------------------ */

/* Two columns before and one behind each title; the key that shows it where there is room for all. */
static unsigned tab_columns(const struct tui_app *a, unsigned i, bool keys)
{
	char buf[32];

	return (unsigned)weir_text_columns(tui_tab_title(a, i, buf)) + 2 + (keys && i < 9 ? 2 : 0);
}

void tui_draw_tabs(const struct tui_app *a, struct tui_grid *g, unsigned row)
{
	unsigned sum = 0, first = 0, at = 0;
	bool keys, wrong = a->extra[TUI_SLOT_FINDINGS].rows.n > 0;

	for (unsigned i = 0; i < a->n_tabs; i++)
		sum += tab_columns(a, i, true);
	keys = sum <= g->columns;
	/* Those before the one in sight give way to it. */
	for (sum = 0; first <= a->tab; first++, sum = 0) {
		for (unsigned i = first; i <= a->tab; i++)
			sum += tab_columns(a, i, keys);
		if (sum + 2 <= g->columns)
			break;
	}
	for (unsigned i = first; i < a->n_tabs; i++) {
		unsigned columns = tab_columns(a, i, keys), from = at + 1;
		bool warn = wrong && a->tabs[i].tab == &tui_tab_findings;
		char buf[32];

		if (at + columns > g->columns) {
			tui_grid_char(g, row, g->columns - 1, TUI_GLYPH(g, 0x203a, '>'), TUI_DIM);
			break;
		}
		if (keys && i < 9)
			from += tui_grid_printf(g, row, from, 2, TUI_DIM, "%u ", i + 1);
		tui_grid_text(g, row, from, columns, tui_tab_title(a, i, buf),
			      i == a->tab ? TUI_BOLD | TUI_ACCENT
			      : warn	  ? TUI_WARN | TUI_BOLD
					  : TUI_PLAIN);
		if (i == a->tab)
			tui_grid_mark(g, row, at, columns, TUI_REVERSE);
		tui_grid_hit(g, row, at, 1, columns, TUI_HIT_TAB, i);
		at += columns;
	}
}

/* --- the sentence on top --------------------------------------------------------------------- */

const struct weir_snapshot_head *tui_newest_head(const struct tui_app *a)
{
	if (a->host.snapshot)
		return weir_snapshot_head(a->host.snapshot);
	if (a->lists[a->current].document.snapshot)
		return weir_snapshot_head(a->lists[a->current].document.snapshot);
	return NULL;
}

/* A part of the sentence, where there is room for all of it. Returns the columns that it took. */
static unsigned say(struct tui_grid *g, unsigned row, unsigned at, unsigned end, unsigned attr,
		    struct weir_buf *b)
{
	unsigned took = 0;

	if (!b->error && b->data && at + weir_text_columns(b->data) <= end)
		took = tui_grid_text(g, row, at, end - at, b->data, attr);
	weir_buf_done(b);
	return took;
}

static unsigned say_rates(const struct tui_app *a, struct tui_grid *g, unsigned row, unsigned at, unsigned end)
{
	char tx[TUI_CELL_TEXT], rx[TUI_CELL_TEXT];
	uint64_t sent, received;
	struct weir_buf b = {};

	if (!tui_sum(&a->host, "tx_bytes_per_second", &sent) ||
	    !tui_sum(&a->host, "rx_bytes_per_second", &received))
		return 0;
	if (!sent && !received)
		weir_buf_str(&b, weir_word(WORD_HEAD_AT_REST));
	else
		weir_say_head_rates(&b, tui_rate_text(sent, &a->look, tx),
				    tui_rate_text(received, &a->look, rx));
	return say(g, row, at, end, TUI_PLAIN, &b);
}

/* What matters first, then what there is room for. */
void tui_draw_sentence(const struct tui_app *a, struct tui_grid *g, unsigned row, unsigned columns)
{
	const struct weir_snapshot_head *head = tui_newest_head(a);
	uint64_t connections;
	struct weir_buf b = {};
	char n[WEIR_NUMBER_TEXT];
	unsigned at;

	if (!head) {
		tui_grid_text(g, row, 0, g->columns,
			      weir_word(a->trouble[0] ? WORD_HEAD_NO_ANSWER_YET : WORD_HEAD_ASKING), TUI_BOLD);
		return;
	}
	at = tui_grid_text(g, row, 0, g->columns / 3, head->host, TUI_BOLD);
	/* What others do is not this reader's to see, so it is not the host's sum. */
	if (a->own_only)
		at += tui_grid_text(g, row, at, g->columns - at, weir_word(WORD_HEAD_OWN_ONLY), TUI_BOLD);
	at += say_rates(a, g, row, at, columns);
	if (a->retransmits_per_second) {
		weir_say_head_retransmits(&b, weir_number(a->retransmits_per_second, n));
		at += say(g, row, at, columns, TUI_WARN, &b);
	}
	if (a->host.snapshot) {
		weir_say_head_processes(&b, weir_number(a->host.total, n));
		at += say(g, row, at, columns, TUI_PLAIN, &b);
	}
	if (tui_sum(&a->host, "connections_open", &connections)) {
		weir_say_head_connections(&b, weir_number(connections, n));
		say(g, row, at, columns, TUI_PLAIN, &b);
	}
}

/* --- weir's own health ----------------------------------------------------------------------- */

/* So long a loss is news. */
#define LOST_SECONDS 60

/* One thing more that weir says of itself, where it leaves what stands beside it its room. */
static void add_health(struct weir_buf *b, size_t room, struct weir_buf *more)
{
	if (more->data && !more->error && weir_text_columns(b->data) + weir_text_columns(more->data) <= room)
		weir_buf_add(b, more->data, more->len);
	weir_buf_done(more);
}

static unsigned say_health(const struct tui_app *a, struct weir_buf *b, size_t room, uint64_t second)
{
	const struct weir_snapshot_head *head = tui_newest_head(a);
	struct weir_buf more = {};
	char n[WEIR_NUMBER_TEXT], text[24];

	weir_number(head->lost_events, n);
	if (head->lost_events && a->lost_second + LOST_SECONDS > second) {
		weir_say_health_lost_now(b, n);
		return TUI_BAD | TUI_BOLD;
	}
	if (a->missing[0]) {
		weir_say_health_missing(b, a->missing);
		return TUI_BAD;
	}
	if (head->lost_events)
		weir_say_health_lost_earlier(b, n);
	else
		weir_say_health_lost(b, n);
	if (a->self.share >= 0) {
		snprintf(text, sizeof(text), "%.1f", a->self.share * 100);
		weir_say_health_cpu(&more, text);
		add_health(b, room, &more);
	}
	if (a->self.memory_bytes > 0) {
		snprintf(text, sizeof(text), "%.0f MB", a->self.memory_bytes / 1e6);
		weir_say_health_memory(&more, text);
		add_health(b, room, &more);
	}
	if (a->degraded) {
		weir_buf_str(&more, weir_word(WORD_HEALTH_DEGRADED));
		add_health(b, room, &more);
	}
	return head->lost_events ? TUI_WARN : TUI_DIM;
}

unsigned tui_draw_health(const struct tui_app *a, struct tui_grid *g, unsigned row, size_t room, uint64_t second)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	size_t columns;
	unsigned attr;

	if (!tui_newest_head(a))
		return g->columns;
	attr = say_health(a, &b, room, second);
	columns = b.data ? weir_text_columns(b.data) : 0;
	if (b.error || columns > g->columns)
		return g->columns;
	tui_grid_text(g, row, g->columns - (unsigned)columns, (unsigned)columns, b.data, attr);
	return g->columns - (unsigned)columns;
}

/* --- curves of one line ---------------------------------------------------------------------- */

/* The words, a peak of at most "999 MB", and gaps, twice; and five columns of curve. */
#define CURVES_WORDS (2 * (5 + 13 + 2))
#define CURVES_LEAST (CURVES_WORDS + 2 * 5)

/* "sent ..curve.. peak 20 MB", twice, in what health leaves. */
static void draw_host_curves(const struct tui_app *a, struct tui_grid *g, unsigned row,
			     unsigned columns, uint64_t second)
{
	static const struct {
		enum weir_word name;
		enum tui_samples_which which;
		unsigned attr;
	} parts[] = { { WORD_HEAD_SENT, TUI_SAMPLES_TX, TUI_SENT },
		      { WORD_HEAD_RECEIVED, TUI_SAMPLES_RX, TUI_RECEIVED } };
	const struct tui_samples *s = tui_history_of(a->history, tui_id_of_text(""));
	unsigned curve, at = 0;

	if (!s || columns < CURVES_LEAST)
		return;
	curve = (columns - CURVES_WORDS) / 2;
	if (curve > TUI_HISTORY_SECONDS)
		curve = TUI_HISTORY_SECONDS;
	/* A whole number of seconds to a column, or a part of the curve would stay empty. */
	curve = TUI_HISTORY_SECONDS / ((TUI_HISTORY_SECONDS + curve - 1) / curve);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		char text[TUI_CELL_TEXT];
		float peak;

		tui_grid_text(g, row, at, 5, weir_word(parts[i].name), TUI_DIM);
		at += 5;
		tui_curve(g, row, at, s, parts[i].which, second, curve, parts[i].attr, &peak);
		at += curve + 1;
		weir_say_head_peak(&b, tui_rate_text((uint64_t)peak, &a->look, text));
		at += tui_grid_text(g, row, at, 13, b.data ? b.data : "", TUI_DIM);
		at += 2;
	}
}

/* --- what is shown, and how ------------------------------------------------------------------ */

static void add_order(const struct tui_list *l, bool ascii, struct weir_buf *out)
{
	const struct weir_field *fields = l->table->fields;
	_cleanup_(weir_buf_done) struct weir_buf what = {};
	const char *way;

	if (l->order.field < 0)
		return;
	if (l->order.plus >= 0 && fields[l->order.field].unit == WEIR_UNIT_BYTES_PER_SECOND)
		weir_buf_str(&what, weir_word(WORD_VIEW_RATE));
	else if (l->order.plus >= 0 && fields[l->order.field].unit == WEIR_UNIT_BYTES)
		weir_buf_str(&what, weir_word(WORD_VIEW_BYTES));
	else
		/* As --sort takes it; in other languages as its column reads. */
		weir_buf_str(&what, weir_words_language() == WEIR_LANGUAGE_EN
					    ? fields[l->order.field].name
					    : weir_word_title(l->table, (unsigned)l->order.field));
	if (l->order.plus >= 0 && fields[l->order.field].unit == WEIR_UNIT_COUNT)
		weir_buf_printf(&what, " + %s", fields[l->order.plus].name);
	way = l->order.ascending ? (ascii ? weir_word(WORD_VIEW_SMALLEST) : "\u2191")
				 : (ascii ? weir_word(WORD_VIEW_LARGEST) : "\u2193");
	if (what.data)
		weir_say_view_order(out, what.data, way);
}

static void add_place(const struct tui_list *l, struct weir_buf *out)
{
	uint64_t total = tui_list_total(l);
	char n[WEIR_NUMBER_TEXT], m[WEIR_NUMBER_TEXT];

	if (!l->document.snapshot)
		return;
	weir_buf_str(out, "  ");
	if (l->tree) {
		weir_say_view_groups(out, weir_number(l->document.rows.n, m), weir_number(l->n_groups, n));
	} else if (l->has_cursor && !l->cursor_lost) {
		weir_buf_printf(out, "%" PRIu64 "/%" PRIu64, l->cursor_at + 1, total);
	} else if (l->first) {
		weir_say_view_from(out, weir_number(l->first + 1, m), weir_number(total, n));
	} else {
		weir_buf_printf(out, "%" PRIu64, total);
	}
}

static unsigned say_state(const struct tui_app *a, struct weir_buf *b, uint64_t now_ns)
{
	const struct weir_snapshot_head *head = tui_newest_head(a);
	const struct tui_list *l = tui_app_in_sight(a);
	const struct tui_details *d = tui_app_open(a);
	bool ordered = !(d && !d->flows.table);
	uint64_t age = a->answered_ns ? (now_ns - a->answered_ns) / SECOND_NS : 0;
	char stamp[WEIR_TIMESTAMP_TEXT], zone[8] = "", n[WEIR_NUMBER_TEXT];

	if (a->paused) {
		weir_say_state_paused(b, weir_number((now_ns - a->paused_ns) / SECOND_NS, n));
		return TUI_REVERSE | TUI_BOLD;
	}
	if (a->trouble[0] && a->answered_ns) {
		weir_say_state_old(b, weir_number(age, n));
		return TUI_BAD | TUI_BOLD | TUI_REVERSE;
	}
	if (l->held && ordered) {
		weir_buf_str(b, weir_word(WORD_STATE_HELD));
		return TUI_REVERSE;
	}
	if (now_ns < l->held_until_ns && ordered) {
		weir_buf_str(b, weir_word(WORD_STATE_HELD_A_WHILE));
	} else if (head) {
		tui_clock_text(head->real_ns, &a->look, stamp);
		memcpy(stamp + strlen(stamp), tui_zone_text(&a->look, zone), sizeof(zone));
		if (a->recording)
			weir_say_state_recording(b, stamp + 11);
		else
			weir_buf_str(b, stamp + 11);
	}
	return TUI_DIM;
}

/* Whether the rows are those of now. */
void tui_draw_state(const struct tui_app *a, struct tui_grid *g, unsigned row, uint64_t now_ns)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	unsigned attr = say_state(a, &b, now_ns);

	if (b.data && !b.error)
		tui_grid_right(g, row, 0, g->columns, b.data, attr);
}

void tui_draw_view(const struct tui_app *a, struct tui_grid *g, unsigned row, uint64_t now_ns)
{
	const struct tui_list *l = tui_app_in_sight(a);
	_cleanup_(weir_buf_done) struct weir_buf b = {}, filter = {};
	const struct tui_details *d = tui_app_open(a);
	char title[32];
	unsigned at;

	if (d && !d->flows.table) {
		weir_say_view_details(&b, tui_tab_title(a, a->tab, title));
		tui_grid_text(g, row, 0, g->columns, b.data ? b.data : "", TUI_ACCENT);
		tui_draw_state(a, g, row, now_ns);
		return;
	}
	weir_buf_str(&b, d ? weir_word(WORD_TAB_FLOWS)
		       : a->tabs[a->tab].tab == &tui_tab_now ? weir_word(WORD_NOW_TALKERS)
							     : tui_tab_title(a, a->tab, title));
	if (l->tree)
		weir_buf_str(&b, weir_word(WORD_VIEW_TREE));
	add_order(l, g->ascii, &b);
	add_place(l, &b);
	at = tui_grid_text(g, row, 0, g->columns, b.data ? b.data : "", TUI_ACCENT);
	if (l->filter[0]) {
		weir_say_view_filter(&filter, l->filter);
		tui_grid_hit(g, row, at + 2, 1, 60, TUI_HIT_FILTER, 0);
		tui_grid_text(g, row, at + 2, g->columns > at + 20 ? g->columns - at - 20 : 0,
			      filter.data ? filter.data : "", TUI_BOLD);
	}
	tui_draw_state(a, g, row, now_ns);
}

/* From so many rows on the curves are plots. */
#define PLOT_ROWS_FROM 30

unsigned tui_draw_head(const struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	uint64_t second = tui_app_second(a, now_ns);
	unsigned row = 1, left;

	if (g->rows >= PLOT_ROWS_FROM) {
		unsigned plot = g->rows >= 50 ? 8 : 5;
		struct tui_grid v = tui_grid_view(g, 1, 0, plot, g->columns);

		left = tui_draw_health(a, g, 0, g->columns / 2, second);
		tui_draw_sentence(a, g, 0, left > 2 ? left - 2 : 0);
		tui_draw_host_plots(a, &v, now_ns);
		row += plot;
	} else {
		tui_draw_sentence(a, g, 0, g->columns);
		if (g->rows >= 10) {
			left = tui_draw_health(a, g, 1, g->columns > CURVES_LEAST ? g->columns - CURVES_LEAST : 0,
					       second);
			draw_host_curves(a, g, 1, left, second);
			row++;
		}
	}
	tui_draw_view(a, g, row, now_ns);
	return row + 1;
}

/* --- all of it ------------------------------------------------------------------------------- */

static void too_small(struct tui_grid *g)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	char have[24], needs[24];

	snprintf(have, sizeof(have), "%ux%u", g->columns, g->rows);
	snprintf(needs, sizeof(needs), "%ux%u", TUI_COLUMNS_MIN, TUI_ROWS_MIN);
	weir_say_head_too_small(&b, have, needs);
	if (g->rows && b.data)
		tui_grid_text(g, 0, 0, g->columns, b.data, TUI_PLAIN);
}

static unsigned draw_body(struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	struct tui_details *d = tui_app_details(a);
	unsigned head;

	if (!d)
		return a->tabs[a->tab].tab->draw(a, g, now_ns);
	a->has_side = false;
	a->width = g->columns;
	head = tui_draw_head(a, g, now_ns);
	return tui_draw_details(a, d, g, (struct tui_area){ .row = head, .rows = g->rows - head }, now_ns);
}

void tui_app_draw(struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	struct tui_grid body;
	struct tui_area over;

	a->hits.n = 0;
	a->hits_of.tab = a->tab;
	a->hits_of.current = a->current;
	a->hits_of.n_details = a->n_details;
	a->hits_of.mode = a->mode;
	if (g->columns < TUI_COLUMNS_MIN || g->rows < TUI_ROWS_MIN) {
		too_small(g);
		return;
	}
	g->hits = &a->hits;
	tui_app_clocks(a);
	tui_draw_tabs(a, g, 0);
	body = tui_grid_view(g, 1, 0, g->rows - 2, g->columns);
	if (a->mode == TUI_MODE_HELP || a->mode == TUI_MODE_SORT || a->mode == TUI_MODE_COLUMNS)
		body.hits = NULL; /* what lies below an overlay cannot be clicked */
	a->height = draw_body(a, &body, now_ns);
	over = (struct tui_area){ .row = 2, .rows = g->rows - 3 };
	if (a->mode == TUI_MODE_HELP)
		tui_draw_help(a, g, over);
	if (a->mode == TUI_MODE_SORT || a->mode == TUI_MODE_COLUMNS)
		tui_draw_menu(a, g, over);
	tui_draw_foot(a, g, g->rows - 1, now_ns);
	g->hits = NULL;
}
