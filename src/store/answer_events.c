// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/cleanup.h"
#include "core/snapshot.h"
#include "store/siphash.h"
#include "store/store_private.h"

/* Events: one by one; or, where a step was asked for, those of one step that are alike as one row that says how many, so
 * that an answer reaches over a span however much happened in its last minute. */

/* Alike: of one kind, owner and program; and findings, which differ in what they find, in the same words. What stands for
 * many counts as many. */
struct store_event {
	uint64_t hash;
	uint64_t real_ns; /* of the latest */
	unsigned kind;
	uint32_t uid;
	char *program, *summary; /* of the latest; NULL: none */
	uint64_t n;
	bool many; /* a flood's rest: its sentence says how many, and so does the row's */
	struct store_event *next;
	UT_hash_handle hh;
};

struct store_events {
	struct store_event *alike, *first, **last; /* in the order of coming: the latest first */
	uint64_t step;
	size_t rows;
};

static void put_event(struct store_asked *a, const struct store_event *e)
{
	bool nobodys = e->uid == WEIR_UID_HOST;
	char text[STORE_MANY_TEXT];

	if (e->many)
		store_many_text(e->n, text);
	weir_builder_row(a->b, nobodys ? store_asked_owner(a) : e->uid, 1);
	weir_builder_time(a->b, HISTORY_EVENTS_TIME, e->real_ns);
	weir_builder_text(a->b, HISTORY_EVENTS_KIND, weir_history_event_name(e->kind));
	weir_builder_text(a->b, HISTORY_EVENTS_PROGRAM, e->program);
	if (!nobodys)
		weir_builder_uint(a->b, HISTORY_EVENTS_UID, e->uid);
	weir_builder_text(a->b, HISTORY_EVENTS_SUMMARY, e->many ? text : e->summary);
	weir_builder_uint(a->b, HISTORY_EVENTS_COUNT, e->n);
}

static void flush(struct store_asked *a, struct store_events *all)
{
	struct store_event *e;

	HASH_CLEAR(hh, all->alike);
	while ((e = all->first)) {
		all->first = e->next;
		if (all->rows++ < STORE_ROWS_MAX && a)
			put_event(a, e);
		free(e->program);
		free(e->summary);
		free(e);
	}
	all->last = &all->first;
}

static void hash_text(uint64_t hash[2], const char *text)
{
	uint8_t key[16];

	memcpy(key, hash, sizeof(key));
	store_siphash(key, text ? text : "", text ? strlen(text) + 1 : 0, hash);
}

static uint64_t hash_of(const struct weir_store *s, const struct store_event *e)
{
	const uint32_t numbers[] = { e->kind, e->uid, e->many };
	uint64_t hash[2];

	store_siphash(s->subjects.key, numbers, sizeof(numbers), hash);
	hash_text(hash, e->program);
	hash_text(hash, e->kind == WEIR_HISTORY_FINDING ? e->summary : NULL);
	return hash[0];
}

static int keep(struct store_events *all, const struct store_event *e)
{
	struct store_event *n;

	/* No more than an answer has, however many come in one step: they come in its order. */
	if (all->rows + HASH_COUNT(all->alike) >= STORE_ROWS_MAX)
		return 0;
	n = malloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = *e;
	n->next = NULL;
	n->program = e->program ? strdup(e->program) : NULL;
	n->summary = e->summary ? strdup(e->summary) : NULL;
	*all->last = n;
	all->last = &n->next;
	HASH_ADD(hh, all->alike, hash, sizeof(n->hash), n);
	return !n->hh.tbl || (e->program && !n->program) || (e->summary && !n->summary) ? -ENOMEM : 0;
}

static int add_event(struct store_asked *a, struct store_events *all, struct store_event *e)
{
	uint64_t step = e->real_ns / a->q->step_ns;
	struct store_event *known;

	if (step != all->step)
		flush(a, all);
	all->step = step;
	e->hash = hash_of(a->s, e);
	HASH_FIND(hh, all->alike, &e->hash, sizeof(e->hash), known);
	if (!known)
		return keep(all, e);
	known->n += e->n;
	return 0;
}

int store_answer_events(struct store_asked *a)
{
	struct store_events all = { .last = &all.first };
	sqlite3_stmt *q;
	int r = store_asked_events(a, a->q->from_ns, a->q->to_ns, !a->q->step_ns, &q);

	if (r < 0)
		return r;
	while ((r = store_sql_step(a->s, q)) > 0) {
		/* Borrowed from the statement, until its next step. */
		struct store_event e = {
			.real_ns = (uint64_t)sqlite3_column_int64(q, 0),
			.kind = (unsigned)sqlite3_column_int(q, 1),
			.uid = (uint32_t)sqlite3_column_int64(q, 2),
			.program = (char *)sqlite3_column_text(q, 3),
			.summary = (char *)sqlite3_column_text(q, 4),
			.n = store_event_many(q),
		};

		e.many = e.n;
		e.n = e.many ? e.n : 1;
		if (e.kind >= _WEIR_HISTORY_EVENT_MAX)
			continue;
		if (!a->q->step_ns) {
			put_event(a, &e);
			continue;
		}
		r = add_event(a, &all, &e);
		if (r < 0) {
			sqlite3_reset(q);
			break;
		}
	}
	flush(r < 0 ? NULL : a, &all);
	if (a->q->step_ns)
		a->span->step_ns = a->q->step_ns;
	return r;
}
