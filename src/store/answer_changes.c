// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "core/query.h"
#include "core/snapshot.h"
#include "store/changes.h"
#include "store/store_private.h"

/* What changed between two spans: sums of both, by subject, ranked (store/changes.c), with the
 * texts of what is left. */

#define ROWS_MAX 100
#define CHANGES_MAX 65536 /* a power of two, and more than can be known: nothing is left out unsaid */
_Static_assert(STORE_SUBJECTS_MAX + _WEIR_HISTORY_EVENT_MAX <= CHANGES_MAX, "room for all that may have changed");

struct store_compared {
	struct store_asked *a;
	struct store_asked before; /* the same question of the other span */
	struct store_change *list;
	size_t n, cap;
	struct store_chosen chosen[_WEIR_HISTORY_KIND_MAX];
};

static int add_change(struct store_compared *c, const struct store_change *x)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 256;
		struct store_change *list =
			cap > CHANGES_MAX ? NULL : realloc(c->list, cap * sizeof(*list));

		if (!list)
			return -ENOMEM;
		c->list = list;
		c->cap = cap;
	}
	c->list[c->n++] = *x;
	return 0;
}

static uint64_t value_of(enum store_change_kind kind, const struct store_entry *e)
{
	uint64_t v;

	if (!e)
		return 0;
	if (kind == STORE_CHANGE_LOSS)
		return e->packets;
	return __builtin_add_overflow(e->tx, e->rx, &v) ? UINT64_MAX : v;
}

static int is_expected(struct weir_store *s, uint64_t id, bool *ret)
{
	struct store_text text = { 0 };
	int r = store_text_get(s, &text, id);

	if (r == 0)
		*ret = text.sample.class && strcmp(text.sample.class, "expected") == 0;
	store_text_done(&text);
	return r;
}

static int add_subject(struct store_compared *c, unsigned kind, uint64_t id,
		       const struct store_entry *before, const struct store_entry *after,
		       uint64_t before_seconds, uint64_t after_seconds)
{
	const struct store_subject *x = store_subjects_by_id(&c->a->s->subjects, id);
	struct store_change change = {
		.kind = (enum store_change_kind)kind,
		.id = id,
		.after = (double)value_of(kind, after),
		.before =
			store_change_scaled(value_of(kind, before), before_seconds, after_seconds),
		.is_new = x && x->first_seen >= c->a->from && x->first_seen < c->a->to,
	};

	int r = 0;

	/* "other" is a different crowd in each span. */
	if (!x || !store_chosen_has(&c->chosen[kind], id))
		return 0;
	if (kind == WEIR_HISTORY_LOSS)
		r = is_expected(c->a->s, id, &change.expected);
	return r < 0 ? r : add_change(c, &change);
}

/* What was before weir began is not known: a span that reaches there is as long as what is known of it. One that ends there
 * stays as it is, since all is new beside it. */
static void begin_at(uint64_t began, uint64_t to, uint64_t *from)
{
	if (*from < began && began < to)
		*from = began;
}

static int compare_kind(struct store_compared *c, unsigned kind)
{
	uint64_t from = c->a->from, to = c->a->to, from2 = c->before.from, to2 = c->before.to;
	uint64_t began = store_subjects_began(&c->a->s->subjects);
	struct store_sums after = { 0 }, before = { 0 };
	int r;

	begin_at(began, to, &from);
	begin_at(began, to2, &from2);
	r = store_asked_sums(c->a, STORE_COLUMN(kind), &from, &to, &after);
	if (r == 0)
		r = store_asked_sums(&c->before, STORE_COLUMN(kind), &from2, &to2, &before);
	for (size_t i = 0; r == 0 && i < after.n; i++)
		r = add_subject(c, kind, after.entries[i].id,
				store_sums_find(&before, after.entries[i].id), &after.entries[i],
				to2 - from2, to - from);
	for (size_t i = 0; r == 0 && i < before.n; i++)
		if (!store_sums_find(&after, before.entries[i].id))
			r = add_subject(c, kind, before.entries[i].id, &before.entries[i], NULL,
					to2 - from2, to - from);
	store_sums_done(&after);
	store_sums_done(&before);
	return r;
}

static int count_events(struct store_compared *c, const struct store_asked *a,
			uint64_t counts[_WEIR_HISTORY_EVENT_MAX])
{
	sqlite3_stmt *q;
	int r = store_asked_events(a, a->from * STORE_NS, a->to * STORE_NS, false, &q);

	if (r < 0)
		return r;
	while ((r = store_sql_step(c->a->s, q)) > 0) {
		unsigned kind = (unsigned)sqlite3_column_int(q, 1);
		uint32_t many = store_event_many(q);

		if (kind < _WEIR_HISTORY_EVENT_MAX)
			counts[kind] += many ? many : 1;
	}
	return r;
}

/* What begins, and who is new, is told by what it moves. */
static bool tells(unsigned kind)
{
	return kind != WEIR_HISTORY_FIRST_SEEN && kind != WEIR_HISTORY_LISTENING && kind != WEIR_HISTORY_STARTED;
}

static int compare_events(struct store_compared *c)
{
	uint64_t after[_WEIR_HISTORY_EVENT_MAX] = { 0 }, before[_WEIR_HISTORY_EVENT_MAX] = { 0 };
	uint64_t from = c->a->from, from2 = c->before.from, began = store_subjects_began(&c->a->s->subjects);
	int r = c->chosen[0].all ? 0 : 1;

	if (r)
		return 0; /* a filter chooses subjects; events are none */
	begin_at(began, c->a->to, &from);
	begin_at(began, c->before.to, &from2);
	r = count_events(c, c->a, after);
	if (r == 0)
		r = count_events(c, &c->before, before);
	for (unsigned k = 0; r == 0 && k < _WEIR_HISTORY_EVENT_MAX; k++) {
		struct store_change change = {
			.kind = STORE_CHANGE_EVENT,
			.id = k,
			.after = (double)after[k],
			.before = store_change_scaled(before[k], c->before.to - from2, c->a->to - from),
		};

		if (after[k] && tells(k)) /* that nothing happens is no news */
			r = add_change(c, &change);
	}
	return r;
}

/* --- rows ------------------------------------------------------------------------------------ */

struct store_words {
	char program[64], role[8], peer[300], reason[128];
	uint16_t port; /* 0: none */
	char who[512];
	struct weir_buf filter;
};

static void add_filter(struct store_words *w, const char *word, const char *value)
{
	weir_buf_printf(&w->filter, "%s%s:", w->filter.len ? " " : "", word);
	weir_filter_quote(&w->filter, value);
}

static void words_of_program(struct store_words *w, const struct weir_history_program *p)
{
	snprintf(w->program, sizeof(w->program), "%s", p->comm ? p->comm : "");
	add_filter(w, "program", w->program);
}

static void words_of_peer(struct store_words *w, const struct weir_history_sample *t)
{
	char address[WEIR_ADDR_TEXT];

	snprintf(w->peer, sizeof(w->peer), "%s",
		 t->peer_name ? t->peer_name : weir_addr_format(&t->peer_address, address));
	snprintf(w->role, sizeof(w->role), "%s", t->role ? t->role : "");
	w->port = (uint16_t)t->port;
	if (t->port)
		snprintf(w->who, sizeof(w->who), "%s %s %s, port %u,", w->program,
			 t->role && strcmp(t->role, "server") == 0 ? "for" : "to", w->peer,
			 t->port);
	else
		snprintf(w->who, sizeof(w->who), "%s with %s", w->program, w->peer);
	if (t->peer_name)
		add_filter(w, "peer_name", t->peer_name);
	else if (t->peer_address.family)
		weir_buf_printf(&w->filter, "%speer_address:%s", w->filter.len ? " " : "", w->peer);
	if (t->port)
		weir_buf_printf(&w->filter, "%sport:%u", w->filter.len ? " " : "", t->port);
}

static void words_of_loss(struct store_words *w, const struct weir_history_sample *t)
{
	snprintf(w->reason, sizeof(w->reason), "%s", t->reason ? t->reason : "");
	snprintf(w->who, sizeof(w->who), "packets lost for %s%s%s%s%s", w->reason,
		 t->device ? " at " : "", t->device ? t->device : "", w->program[0] ? " by " : "",
		 w->program);
	add_filter(w, "reason", w->reason);
}

static int words_of(struct weir_store *s, const struct store_change *c, struct store_words *w)
{
	struct store_text text = { 0 }, program = { 0 };
	const struct store_subject *x;
	int r;

	memset(w, 0, sizeof(*w));
	if (c->kind == STORE_CHANGE_EVENT) {
		snprintf(w->reason, sizeof(w->reason), "%s",
			 weir_history_event_name((unsigned)c->id));
		snprintf(w->who, sizeof(w->who), "events of the kind %s", w->reason);
		weir_buf_printf(&w->filter, "kind:%s", w->reason);
		return 0;
	}
	x = store_subjects_by_id(&s->subjects, c->id);
	r = x ? store_text_get(s, &text, c->id) : -ENOENT;
	if (r == 0 && x->kind != WEIR_HISTORY_PROGRAM && x->program) {
		r = store_text_get(s, &program, x->program);
		if (r == 0)
			words_of_program(w, &program.sample.program);
	}
	if (r == 0 && x->kind == WEIR_HISTORY_PROGRAM) {
		words_of_program(w, &text.sample.program);
		snprintf(w->who, sizeof(w->who), "%s", w->program);
	} else if (r == 0 && x->kind == WEIR_HISTORY_PEER) {
		words_of_peer(w, &text.sample);
	} else if (r == 0) {
		words_of_loss(w, &text.sample);
	}
	store_text_done(&text);
	store_text_done(&program);
	return r;
}

static uint64_t whole(double v)
{
	return v >= 0x1p63 ? INT64_MAX : v > 0 ? (uint64_t)(v + 0.5) : 0;
}

static void put_change(struct store_compared *c, const struct store_change *x,
		       const struct store_words *w, uint64_t rank)
{
	static const char *const kinds[_STORE_CHANGE_MAX] = { "program", "peer", "loss", "event" };
	const struct store_subject *subject =
		x->kind == STORE_CHANGE_EVENT ? NULL
					      : store_subjects_by_id(&c->a->s->subjects, x->id);
	struct weir_buf sentence = { 0 };
	struct weir_builder *b = c->a->b;

	weir_builder_row(b, subject ? subject->uid : store_asked_owner(c->a), 1);
	weir_builder_uint(b, HISTORY_CHANGES_RANK, rank);
	weir_builder_text(b, HISTORY_CHANGES_KIND, kinds[x->kind]);
	weir_builder_text(b, HISTORY_CHANGES_PROGRAM, w->program[0] ? w->program : NULL);
	weir_builder_text(b, HISTORY_CHANGES_ROLE, w->role[0] ? w->role : NULL);
	weir_builder_text(b, HISTORY_CHANGES_PEER_NAME, w->peer[0] ? w->peer : NULL);
	if (w->port)
		weir_builder_uint(b, HISTORY_CHANGES_PORT, w->port);
	weir_builder_text(b, HISTORY_CHANGES_REASON, w->reason[0] ? w->reason : NULL);
	weir_builder_uint(b, HISTORY_CHANGES_BEFORE, whole(x->before));
	weir_builder_uint(b, HISTORY_CHANGES_AFTER, whole(x->after));
	weir_builder_text(b, HISTORY_CHANGES_UNIT_NAME, store_change_unit(x->kind));
	if (x->before > 0)
		weir_builder_uint(b, HISTORY_CHANGES_FACTOR, whole(100 * x->after / x->before));
	weir_builder_bool(b, HISTORY_CHANGES_NEW, x->before <= 0);
	weir_builder_bool(b, HISTORY_CHANGES_GONE, x->after <= 0);
	store_change_sentence(x, w->who, c->a->to - c->a->from, &sentence);
	weir_builder_text(b, HISTORY_CHANGES_SUMMARY, sentence.data);
	weir_builder_text(b, HISTORY_CHANGES_FILTER, w->filter.error ? NULL : w->filter.data);
	weir_buf_done(&sentence);
}

static int put_changes(struct store_compared *c)
{
	size_t n = store_changes_rank(c->list, c->n, ROWS_MAX);
	uint64_t rank = 0;

	for (size_t i = 0; i < n; i++) {
		struct store_words w;
		int r = words_of(c->a->s, &c->list[i], &w);

		if (r == 0)
			put_change(c, &c->list[i], &w, ++rank);
		weir_buf_done(&w.filter);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static int read_before(struct store_compared *c)
{
	const struct weir_history_question *q = c->a->q;
	uint64_t length = c->a->to - c->a->from;

	c->before = *c->a;
	if (q->from2_ns || q->to2_ns) {
		if (q->from2_ns >= q->to2_ns) {
			*c->a->error = strdup("the span to compare with ends before it begins: to2 "
					      "must be after from2");
			return *c->a->error ? -EINVAL : -ENOMEM;
		}
		c->before.from = q->from2_ns / STORE_NS;
		c->before.to = q->to2_ns / STORE_NS + (q->to2_ns % STORE_NS != 0);
		if (c->before.to > UINT32_MAX)
			c->before.to = UINT32_MAX;
		if (c->before.from >= c->before.to)
			c->before.from = c->before.to - 1;
		return 0;
	}
	c->before.to = c->a->from;
	c->before.from = c->a->from > length ? c->a->from - length : 0;
	if (c->before.from == c->before.to)
		c->before.to++;
	return 0;
}

int store_answer_changes(struct store_asked *a)
{
	struct store_compared c = { .a = a };
	int r = read_before(&c);

	if (r == 0)
		r = store_choose(a, true, c.chosen);
	for (unsigned k = 0; r == 0 && k < _WEIR_HISTORY_KIND_MAX; k++)
		r = compare_kind(&c, k);
	if (r == 0)
		r = compare_events(&c);
	if (r == 0)
		r = put_changes(&c);
	a->span->step_ns = store_level_width[store_cover_finest(&a->reach, a->from)] * STORE_NS;
	for (unsigned k = 0; k < _WEIR_HISTORY_KIND_MAX; k++)
		store_chosen_done(&c.chosen[k]);
	free(c.list);
	return r;
}
