// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "core/snapshot.h"
#include "store/store_private.h"

/* Days and months, and what the store says of itself. */

/* --- days and months ------------------------------------------------------------------------- */

#define USES_MAX 512

/* The first that there is anything of, and the second that the seconds begin with. */
static int beginning(struct weir_store *s, enum store_use use, uint32_t *ret, uint64_t *ret_second)
{
	uint64_t oldest = UINT32_MAX;
	int r = store_sql_number(s, STORE_SQL_USE_STATS + (unsigned)use, 0, 0, 0, &oldest);

	*ret_second = s->now;
	if (r == 0)
		r = store_sql_number(s, STORE_SQL_S1_NEXT, 1, 0, 0, ret_second);
	*ret = store_use_of(use, store_day_of(*ret_second));
	if (oldest < *ret)
		*ret = (uint32_t)oldest;
	return r;
}

/* Those of the span that there is anything of, the newest first. */
static unsigned uses_of(const struct store_asked *a, enum store_use use, uint32_t oldest, uint32_t ret[USES_MAX])
{
	uint32_t first = store_use_of(use, store_day_of(a->from));
	uint64_t end = a->s->newest > a->s->now ? a->s->newest : a->s->now;
	unsigned n = 0;

	if (first < oldest)
		first = oldest;
	for (uint64_t t = a->to - 1 < end ? a->to - 1 : end; n < USES_MAX; t -= 43200) {
		uint32_t when = store_use_of(use, store_day_of(t));

		if (when < first)
			break;
		if (!n || when != ret[n - 1])
			ret[n++] = when;
		if (t < 43200 || t - 43200 < a->from) {
			if (ret[n - 1] != first && n < USES_MAX)
				ret[n++] = first;
			break;
		}
	}
	return n;
}

struct store_tail {
	enum store_use use;
	uint32_t when;
	struct store_sums *sums;
};

static int add_tail(void *ctx, uint64_t time, struct store_bucket *b)
{
	struct store_tail *t = ctx;

	if (store_use_of(t->use, store_day_of(time)) != t->when)
		return 0;
	return store_bucket_take(t->sums, b);
}

static void use_text(enum store_use use, uint32_t when, char ret[32])
{
	if (use == STORE_DAYS)
		snprintf(ret, 32, "%04u-%02u-%02u", when / 10000, when / 100 % 100, when % 100);
	else
		snprintf(ret, 32, "%04u-%02u", when / 100, when % 100);
}

static void put_use(struct store_asked *a, const char *when, const struct store_entry *e,
		    const struct store_subject *x, const struct weir_history_program *p)
{
	struct weir_builder *b = a->b;

	weir_builder_row(b, x ? x->uid : store_asked_owner(a), 1);
	weir_builder_text(b, HISTORY_USE_WHEN, when);
	weir_builder_text(b, HISTORY_USE_PROGRAM, p ? p->comm : "other");
	if (!x && a->unknown)
		return;
	weir_builder_uint(b, HISTORY_USE_TX_BYTES, e->tx);
	weir_builder_uint(b, HISTORY_USE_RX_BYTES, e->rx);
	weir_builder_uint(b, HISTORY_USE_CONNECTIONS, e->connections);
	if (!x || !p)
		return;
	weir_builder_uint(b, HISTORY_USE_UID, x->uid);
	weir_builder_text(b, HISTORY_USE_USER, p->user);
	weir_builder_text(b, HISTORY_USE_UNIT, p->unit);
	weir_builder_text(b, HISTORY_USE_CONTAINER_NAME,
			  p->container_name ? p->container_name : p->container_id);
}

/* Of those that the viewer sees, the heaviest first. */
static int put_uses(struct store_asked *a, const char *when, const struct store_sums *all,
		    size_t most)
{
	struct store_text text = { 0 };
	struct store_sums seen = { 0 };
	bool other = false;
	int r = 0;

	a->unknown = false;
	for (size_t i = 0; r == 0 && i < all->n; i++) {
		const struct store_entry *e = &all->entries[i];

		if (e->tx || e->rx || e->connections)
			r = store_asked_keep(a, STORE_PROGRAMS, e, &seen);
	}
	if (r == 0)
		r = store_sums_cap(&seen, most, WEIR_HISTORY_PROGRAM);
	store_sums_by_weight(&seen);
	for (size_t i = 0; r == 0 && i < seen.n; i++) {
		const struct store_entry *e = &seen.entries[i];
		const struct store_subject *x = store_subjects_by_id(&a->s->subjects, e->id);

		other |= !x;
		r = x ? store_text_get(a->s, &text, e->id) : -ENOENT;
		if (r == 0 || r == -ENOENT) {
			put_use(a, when, e, r == 0 ? x : NULL,
				r == 0 ? &text.sample.program : NULL);
			r = i % 64 == 0 && store_asked_late(a->s) ? -ETIMEDOUT : 0;
		}
	}
	if (r == 0 && a->unknown && !other)
		put_use(a, when, NULL, NULL, NULL);
	store_text_done(&text);
	store_sums_done(&seen);
	return r;
}

int store_answer_use(struct store_asked *a, enum store_use use)
{
	uint32_t uses[USES_MAX], oldest, untaken;
	unsigned n = 0;
	size_t most;
	uint64_t second;
	int r = beginning(a->s, use, &oldest, &second);

	if (r == 0)
		n = uses_of(a, use, oldest, uses);
	most = n ? STORE_ROWS_MAX / n : 1;
	/* What of the seconds is not in days yet. */
	if (second < a->s->numbers[STORE_N_USE])
		second = a->s->numbers[STORE_N_USE];
	untaken = store_use_of(use, store_day_of(second));
	for (unsigned i = 0; r == 0 && i < n; i++) {
		struct store_sums sums = { 0 };
		struct store_tail tail = { .use = use, .when = uses[i], .sums = &sums };
		char when[32];

		r = store_use_read(a->s, use, uses[i], &sums);
		if (r == 0 && uses[i] >= untaken)
			r = store_levels_visit(a->s, STORE_LEVEL_1S, STORE_PROGRAMS,
					       a->s->numbers[STORE_N_USE], INT64_MAX, add_tail,
					       &tail);
		use_text(use, uses[i], when);
		if (r == 0)
			r = put_uses(a, when, &sums, most < 10 ? 10 : most);
		store_sums_done(&sums);
		if (r == 0 && store_asked_late(a->s))
			r = -ETIMEDOUT;
	}
	a->span->step_ns = 86400 * STORE_NS;
	return r;
}

/* --- the store itself ------------------------------------------------------------------------ */

static void put_level(struct store_asked *a, const char *name, uint64_t seconds, uint64_t kept,
		      uint64_t rows)
{
	weir_builder_row(a->b, WEIR_UID_HOST, 1);
	weir_builder_text(a->b, HISTORY_STORE_LEVEL, name);
	weir_builder_uint(a->b, HISTORY_STORE_SECONDS, seconds);
	weir_builder_uint(a->b, HISTORY_STORE_KEPT_SECONDS, kept);
	weir_builder_uint(a->b, HISTORY_STORE_ROWS, rows);
}

/* Oldest and newest, as the statement has them in its first two columns, times scale ns; rows in
 * the third. */
static int edges(struct weir_store *s, unsigned which, uint64_t ret[3])
{
	sqlite3_stmt *q;
	int r = store_sql_get(s, which, &q);

	ret[0] = ret[1] = ret[2] = 0;
	if (r < 0)
		return r;
	r = store_sql_step(s, q);
	for (int i = 0; r > 0 && i < sqlite3_column_count(q) && i < 3; i++)
		ret[i] = (uint64_t)sqlite3_column_int64(q, i);
	sqlite3_reset(q);
	return r < 0 ? r : 0;
}

static void put_edges(struct store_asked *a, const uint64_t at[3], uint64_t scale)
{
	if (!at[0])
		return;
	weir_builder_time(a->b, HISTORY_STORE_OLDEST, at[0] * scale);
	weir_builder_time(a->b, HISTORY_STORE_NEWEST, at[1] * scale);
}

/* A step is older than what is in it: the hour or the day in which weir began is no older than that. In seconds. */
static void put_step_edges(struct store_asked *a, uint64_t at[3])
{
	uint64_t began = store_subjects_began(&a->s->subjects);

	for (unsigned i = 0; i < 2; i++)
		if (at[i] && at[i] < began)
			at[i] = began;
	put_edges(a, at, STORE_NS);
}

static uint64_t use_time(uint64_t when, enum store_use use)
{
	struct tm tm = { .tm_isdst = -1 };
	time_t t;

	if (use == STORE_MONTHS)
		when = when * 100 + 1;
	tm.tm_year = (int)(when / 10000) - 1900;
	tm.tm_mon = (int)(when / 100 % 100) - 1;
	tm.tm_mday = (int)(when % 100);
	t = mktime(&tm);
	return t > 0 ? (uint64_t)t : 0;
}

int store_answer_store(struct store_asked *a)
{
	static const char *const names[_STORE_LEVEL_MAX] = { "1 s", "10 s", "1 min", "1 h" };
	static const char *const use_names[_STORE_USE_MAX] = { "day", "month" };
	struct weir_store_status status;
	struct weir_store *s = a->s;
	uint64_t at[3];
	int r = 0;

	for (unsigned l = 0; r == 0 && l < _STORE_LEVEL_MAX; l++) {
		put_level(a, names[l], store_level_width[l], store_level_kept[l],
			  l ? s->numbers[STORE_N_ROWS + l] : s->s1_rows);
		r = edges(s, STORE_SQL_EDGE + l, at);
		put_step_edges(a, at);
	}
	for (unsigned u = 0; r == 0 && u < _STORE_USE_MAX; u++) {
		r = edges(s, STORE_SQL_USE_STATS + u, at);
		put_level(a, use_names[u], u == STORE_DAYS ? 86400 : 30 * 86400,
			  u == STORE_DAYS ? store_level_kept[STORE_LEVEL_1H] : 5 * 366 * 86400ull,
			  at[2]);
		for (unsigned i = 0; i < 2; i++)
			at[i] = at[i] ? use_time(at[i], u) : 0;
		put_step_edges(a, at);
	}
	if (r == 0)
		r = edges(s, STORE_SQL_EVENT_STATS, at);
	if (r == 0) {
		put_level(a, "event", 0, STORE_KEPT_EVENTS, at[2]);
		put_edges(a, at, 1);
	}
	weir_store_status(s, &status);
	weir_builder_row(a->b, WEIR_UID_HOST, 1);
	weir_builder_text(a->b, HISTORY_STORE_LEVEL, "file");
	weir_builder_uint(a->b, HISTORY_STORE_BYTES, status.bytes);
	weir_builder_uint(a->b, HISTORY_STORE_LIMIT_BYTES, status.limit_bytes);
	weir_builder_uint(a->b, HISTORY_STORE_LOST_SECONDS, status.lost_seconds);
	weir_builder_text(a->b, HISTORY_STORE_REASON, status.reason);
	/* Without a file there is still something to say: why. */
	return s->db ? r : 0;
}
