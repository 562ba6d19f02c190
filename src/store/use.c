// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "store/store_private.h"

/* What each program used in a day and in a month: made from the seconds themselves, so it is exact,
 * ten minutes at a time. */

#define STEP 600
#define PLACE_USE 0x40

uint32_t store_day_of(uint64_t time)
{
	time_t t = (time_t)time;
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return 19700101;
	return (uint32_t)(tm.tm_year + 1900) * 10000 + (uint32_t)(tm.tm_mon + 1) * 100 +
	       (uint32_t)tm.tm_mday;
}

/* The first second in (before, in] that is of the same day as the last one. */
static uint64_t day_begins(uint64_t before, uint64_t in)
{
	uint32_t day = store_day_of(in);

	while (before + 1 < in) {
		uint64_t middle = before + (in - before) / 2;

		if (store_day_of(middle) == day)
			in = middle;
		else
			before = middle;
	}
	return in;
}

/* No day has more hours than this, whatever is done to its clocks. */
#define DAY_LONGEST (36 * 3600)

void store_day_at(uint64_t time, struct weir_history_span *span)
{
	time_t t = (time_t)time;
	struct tm tm;

	span->day_ns = day_begins(time > DAY_LONGEST ? time - DAY_LONGEST : 0, time) * STORE_NS;
	span->utc_offset_s = localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

uint32_t store_use_of(enum store_use use, uint32_t day)
{
	return use == STORE_DAYS ? day : day / 100;
}

static struct store_place place_of(enum store_use use, uint32_t when)
{
	return (struct store_place){ .level = PLACE_USE + (uint8_t)use, .time = when };
}

int store_use_read(struct weir_store *s, enum store_use use, uint32_t when, struct store_sums *sums)
{
	sqlite3_stmt *q;
	int r = store_sql_get(s, STORE_SQL_USE_READ + (unsigned)use, &q);

	if (r < 0)
		return r;
	sqlite3_bind_int64(q, 1, when);
	r = store_sql_step(s, q);
	if (r <= 0)
		return r;
	r = store_bucket_add(sums, sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0),
			     place_of(use, when));
	sqlite3_reset(q);
	if (r == -EBADMSG) {
		s->damaged_steps++;
		r = 0;
	}
	return r;
}

/* Adds what is known, and the rest as "other"; without what is not shown of use. */
static int add_known(struct weir_store *s, struct store_sums *to, const struct store_sums *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct store_entry e = from->entries[i], *t;

		if (!e.tx && !e.rx && !e.connections)
			continue;
		if (!store_subjects_by_id(&s->subjects, e.id))
			e.id = WEIR_HISTORY_PROGRAM;
		t = store_sums_at(to, e.id);
		if (!t)
			return -ENOMEM;
		store_entry_add(t, &e);
		t->retransmits = t->packets = 0;
		t->tx_max = t->tx;
		t->rx_max = t->rx;
	}
	return 0;
}

int store_use_add(struct weir_store *s, uint32_t day, const struct store_sums *sums)
{
	int r = 0;

	for (unsigned use = 0; r == 0 && use < _STORE_USE_MAX; use++) {
		uint32_t when = store_use_of(use, day);
		struct store_sums old = { 0 }, all = { 0 };
		struct weir_buf block = { 0 };

		r = store_use_read(s, use, when, &old);
		if (r == 0)
			r = add_known(s, &all, &old);
		if (r == 0)
			r = add_known(s, &all, sums);
		if (r == 0) {
			store_bucket_encode(&block, &all, place_of(use, when));
			r = store_sql_put_block(s, STORE_SQL_USE_PUT + use, when, &block);
		}
		weir_buf_done(&block);
		store_sums_done(&old);
		store_sums_done(&all);
	}
	return r;
}

/* The first second of [from, to) that is of another day than from, or to. */
static uint64_t end_of_day(uint64_t from, uint64_t to)
{
	return store_day_of(to - 1) == store_day_of(from) ? to : day_begins(from, to - 1);
}

int store_use_roll(struct weir_store *s, bool urgent)
{
	uint64_t *done = &s->numbers[STORE_N_USE], from = UINT64_MAX, to;
	struct store_sums sums = { 0 };
	int r;

	if (*done + (urgent ? 0 : STEP) >= s->now)
		return 0;
	r = store_sql_number(s, STORE_SQL_S1_NEXT, 1, *done, 0, &from);
	if (r < 0)
		return r;
	if (from >= s->now) {
		*done = s->now;
		return 0;
	}
	to = from - from % STEP + STEP;
	if (to > s->now && !urgent)
		return 0;
	if (to > s->now)
		to = s->now;
	to = end_of_day(from, to);
	r = store_levels_read(s, STORE_LEVEL_1S, STORE_PROGRAMS, from, to, &sums);
	if (r == 0 && sums.n)
		r = store_use_add(s, store_day_of(from), &sums);
	store_sums_done(&sums);
	if (r < 0)
		return r;
	*done = to;
	s->numbers_changed = true;
	return 1;
}
