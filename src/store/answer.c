// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/snapshot.h"
#include "store/store_private.h"

/* Questions: which level answers, what the viewer may see of it, and when it has taken too long. */

#define STEPS_MAX 400	       /* of time, that a sum over a span is made of */
#define PROGRESS_OPCODES 10000 /* of SQLite, between looks at the clock */

bool store_asked_late(const struct weir_store *s)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > s->deadline.tv_sec ||
	       (now.tv_sec == s->deadline.tv_sec && now.tv_nsec >= s->deadline.tv_nsec);
}

static int progress(void *ctx)
{
	return store_asked_late(ctx);
}

bool store_asked_sees(const struct store_asked *a, uint32_t uid)
{
	return a->q->viewer.sees_all || (uid == a->q->viewer.uid && uid != WEIR_UID_HOST);
}

uid_t store_asked_owner(const struct store_asked *a)
{
	return a->q->viewer.sees_all ? WEIR_UID_HOST : a->q->viewer.uid;
}

/* --- sums ------------------------------------------------------------------------------------ */

/* The finest level that has not too many steps in the span. */
static enum store_level level_for(const struct store_asked *a)
{
	unsigned l = STORE_LEVEL_1S;

	while (l < STORE_LEVEL_1H && (a->to - a->from) / store_level_width[l] > STEPS_MAX)
		l++;
	return (enum store_level)l;
}

/* What is not known is of nobody: "other", which those see who see all. */
int store_asked_keep(struct store_asked *a, enum store_column column, const struct store_entry *e, struct store_sums *ret)
{
	const struct store_subject *x = store_subjects_by_id(&a->s->subjects, e->id);
	struct store_entry *to;

	if (!store_asked_sees(a, x ? x->uid : WEIR_UID_HOST)) {
		a->unknown |= !x;
		return 0;
	}
	to = store_sums_at(ret, x ? e->id : (uint64_t)column - STORE_PROGRAMS);
	if (!to)
		return -ENOMEM;
	store_entry_add(to, e);
	if (!x)
		to->tx_max = to->rx_max = 0;
	return 0;
}

int store_asked_sums(struct store_asked *a, enum store_column column, uint64_t *from, uint64_t *to,
		     struct store_sums *ret)
{
	struct store_piece pieces[STORE_PIECES_MAX];
	struct store_sums sums = { 0 };
	unsigned n = store_cover(&a->reach, level_for(a), from, to, pieces);
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++)
		r = store_levels_read(a->s, pieces[i].level, column, pieces[i].from, pieces[i].to,
				      &sums);
	for (size_t i = 0; r == 0 && i < sums.n; i++)
		r = store_asked_keep(a, column, &sums.entries[i], ret);
	store_sums_done(&sums);
	return r;
}

/* --- events ---------------------------------------------------------------------------------- */

_Static_assert(WEIR_HISTORY_STARTED + 6 == WEIR_HISTORY_CLOCK, "what the store says of itself stands together");

int store_asked_events(const struct store_asked *a, uint64_t from_ns, uint64_t to_ns, bool newest, sqlite3_stmt **ret)
{
	uid_t uid = a->q->viewer.uid;
	sqlite3_stmt *q;
	int r = store_sql_get(a->s, STORE_SQL_EVENT_SPAN, &q);

	if (r < 0)
		return r;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)(from_ns & INT64_MAX));
	sqlite3_bind_int64(q, 2, (sqlite3_int64)(to_ns & INT64_MAX));
	sqlite3_bind_int64(q, 3, newest ? STORE_ROWS_MAX : -1);
	sqlite3_bind_int(q, 4, a->q->viewer.sees_all);
	sqlite3_bind_int64(q, 5, uid == WEIR_UID_HOST ? -1 : (sqlite3_int64)uid);
	sqlite3_bind_int64(q, 6, WEIR_UID_HOST);
	sqlite3_bind_int(q, 7, WEIR_HISTORY_STARTED);
	sqlite3_bind_int(q, 8, WEIR_HISTORY_CLOCK);
	*ret = q;
	return 0;
}

uint32_t store_event_many(sqlite3_stmt *q)
{
	sqlite3_int64 n = sqlite3_column_int64(q, 5);

	return n >= 1 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

/* --- texts ----------------------------------------------------------------------------------- */

int store_text_get(struct weir_store *s, struct store_text *t, uint64_t id)
{
	sqlite3_stmt *q;
	int r;

	if (t->id == id && id)
		return 0;
	t->id = 0;
	r = store_sql_get(s, STORE_SQL_SUBJECT_GET, &q);
	if (r < 0)
		return r;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)id);
	r = store_sql_step(s, q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	weir_buf_reset(&t->body);
	weir_buf_add(&t->body, sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0));
	sqlite3_reset(q);
	if (t->body.error)
		return t->body.error;
	if (store_subject_decode(id, t->body.data, t->body.len, &t->sample, NULL) < 0)
		return -ENOENT;
	t->id = id;
	return 0;
}

void store_text_done(struct store_text *t)
{
	weir_buf_done(&t->body);
	t->id = 0;
}

/* --- asking ---------------------------------------------------------------------------------- */

static int complain(char **error, const char *text)
{
	*error = strdup(text);
	return *error ? -EINVAL : -ENOMEM;
}

static int read_span(struct store_asked *a, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns >= to_ns)
		return complain(a->error, "the span ends before it begins: to must be after from");
	a->from = from_ns / STORE_NS;
	a->to = to_ns / STORE_NS + (to_ns % STORE_NS != 0);
	if (a->to > UINT32_MAX)
		a->to = UINT32_MAX;
	if (a->from >= a->to)
		return complain(a->error, "the span lies too far ahead");
	return 0;
}

struct store_answerer {
	const struct weir_table *table;
	int (*answer)(struct store_asked *a);
};

static int answer_days(struct store_asked *a)
{
	return store_answer_use(a, STORE_DAYS);
}

static int answer_months(struct store_asked *a)
{
	return store_answer_use(a, STORE_MONTHS);
}

static const struct store_answerer answerers[] = {
	{ &weir_table_history, store_answer_programs },
	{ &weir_table_history_rates, store_answer_rates },
	{ &weir_table_history_peers, store_answer_peers },
	{ &weir_table_history_losses, store_answer_losses },
	{ &weir_table_history_days, answer_days },
	{ &weir_table_history_months, answer_months },
	{ &weir_table_history_events, store_answer_events },
	{ &weir_table_history_changes, store_answer_changes },
	{ &weir_table_history_store, store_answer_store },
};

static void set_deadline(struct weir_store *s)
{
	clock_gettime(CLOCK_MONOTONIC, &s->deadline);
	s->deadline.tv_sec += s->options.answer_ms / 1000;
	s->deadline.tv_nsec += (long)(s->options.answer_ms % 1000) * 1000000;
	if (s->deadline.tv_nsec >= 1000000000) {
		s->deadline.tv_nsec -= 1000000000;
		s->deadline.tv_sec++;
	}
}

static int ask(struct store_asked *a, const struct store_answerer *w)
{
	struct weir_store *s = a->s;
	int r;

	set_deadline(s);
	s->asked = true;
	if (s->db)
		sqlite3_progress_handler(s->db, PROGRESS_OPCODES, progress, s);
	weir_builder_table(a->b, w->table);
	r = w->answer(a);
	s->asked = false;
	if (s->db)
		sqlite3_progress_handler(s->db, 0, NULL, NULL);
	if (r == -EUCLEAN) {
		store_file_set_aside(s, false);
		return -EIO;
	}
	if (r < 0 && r != -ETIMEDOUT && r != -EINVAL && r != -ENOMEM)
		return -EIO;
	return r;
}

int weir_store_answer(struct weir_store *s, const struct weir_history_question *q,
		      struct weir_builder *b, struct weir_history_span *ret_span, char **ret_error)
{
	struct weir_history_span span = { .from_ns = q->from_ns, .to_ns = q->to_ns };
	struct store_asked a = { .s = s, .q = q, .b = b, .span = &span, .error = ret_error };
	int r;

	if (!memchr(q->table, 0, sizeof(q->table)) || !memchr(q->filter, 0, sizeof(q->filter)))
		return complain(ret_error, "the question is malformed");
	for (unsigned i = 0; i < ARRAY_SIZE(answerers); i++) {
		if (strcmp(answerers[i].table->name, q->table) != 0)
			continue;
		r = read_span(&a, q->from_ns, q->to_ns);
		if (r < 0)
			return r;
		a.reach = store_reach_of(s);
		r = ask(&a, &answerers[i]);
		if (r == 0) {
			store_day_at((q->to_ns - 1) / STORE_NS, &span);
			*ret_span = span;
		}
		return r;
	}
	return -ENOENT;
}
