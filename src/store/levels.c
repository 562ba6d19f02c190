// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/store_private.h"

/* Sums of steps of time at four levels. A step of a coarser level is made of finer ones once it is
 * over, in the same transaction that says how far the level is rolled up. */

const uint64_t store_level_kept[_STORE_LEVEL_MAX] = {
	[STORE_LEVEL_1S] = 3600 + 600, /* so that the last hour is whole */
	[STORE_LEVEL_10S] = 12 * 3600,
	[STORE_LEVEL_1MIN] = 14 * 86400,
	[STORE_LEVEL_1H] = 400ull * 86400,
};

/* What a level is made of. */
static const enum store_level made_of[_STORE_LEVEL_MAX] = {
	[STORE_LEVEL_10S] = STORE_LEVEL_1S,
	[STORE_LEVEL_1MIN] =
		STORE_LEVEL_1S, /* so that the largest of a minute are those of its seconds */
	[STORE_LEVEL_1H] = STORE_LEVEL_1MIN,
};

struct store_reach store_reach_of(const struct weir_store *s)
{
	struct store_reach r;

	for (unsigned l = 0; l < _STORE_LEVEL_MAX; l++) {
		r.kept[l] = s->numbers[STORE_N_KEPT + l];
		r.rolled[l] = l ? s->numbers[STORE_N_ROLLED + l] : UINT64_MAX;
	}
	return r;
}

/* --- reading --------------------------------------------------------------------------------- */

static void damaged(struct weir_store *s)
{
	s->damaged_steps++;
	if (s->damaged_said)
		return;
	s->damaged_said = true;
	store_note(s, WEIR_HISTORY_DAMAGED, s->now * STORE_NS, NULL, WEIR_UID_HOST,
		   "a part of the history is not as it was written, and is left out");
}

int store_levels_visit(struct weir_store *s, enum store_level level, enum store_column column,
		       uint64_t from, uint64_t to, store_step_visit visit, void *ctx)
{
	unsigned which = STORE_SQL_READ + (unsigned)level * _STORE_COLUMN_MAX + (unsigned)column,
		 n = 0;
	sqlite3_stmt *q;
	int r = store_sql_get(s, which, &q);

	if (r < 0)
		return r;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)from);
	sqlite3_bind_int64(q, 2, to > INT64_MAX ? INT64_MAX : (sqlite3_int64)to);
	while ((r = store_sql_step(s, q)) > 0) {
		uint64_t time = (uint64_t)sqlite3_column_int64(q, 0);
		const void *body = sqlite3_column_blob(q, 1);
		size_t len = (size_t)sqlite3_column_bytes(q, 1);
		struct store_place place = { .level = (uint8_t)level,
					     .kind = (uint8_t)column,
					     .time = time };
		struct store_bucket b;
		int e;

		if (!body)
			continue;
		e = store_bucket_open(&b, body, len, place);
		if (e < 0)
			damaged(s);
		else
			e = visit(ctx, time, &b);
		if (e >= 0 && s->asked && ++n % 64 == 0 && store_asked_late(s))
			e = -ETIMEDOUT;
		if (e < 0 && e != -EBADMSG) {
			sqlite3_reset(q);
			return e;
		}
	}
	return r;
}

static int add_step(void *ctx, uint64_t time, struct store_bucket *b)
{
	(void)time;
	return store_bucket_take(ctx, b);
}

int store_levels_read(struct weir_store *s, enum store_level level, enum store_column column,
		      uint64_t from, uint64_t to, struct store_sums *sums)
{
	return store_levels_visit(s, level, column, from, to, add_step, sums);
}

/* --- writing --------------------------------------------------------------------------------- */

static int write_step(struct weir_store *s, enum store_level level, enum store_column column,
		      uint64_t time, struct store_sums *sums)
{
	struct store_place place = { .level = (uint8_t)level,
				     .kind = (uint8_t)column,
				     .time = time };
	struct weir_buf block = { 0 };
	int r = 0;

	if (column != STORE_TOTALS)
		r = store_sums_cap(sums, STORE_LEVEL_SUBJECTS, column - STORE_PROGRAMS);
	if (r < 0)
		return r;
	store_bucket_encode(&block, sums, place);
	r = store_sql_put_block(
		s, STORE_SQL_PUT + (unsigned)level * _STORE_COLUMN_MAX + (unsigned)column, time,
		&block);
	weir_buf_done(&block);
	return r;
}

/* Writes the row of a second. */
static int write_second(struct weir_store *s, uint64_t time,
			struct store_sums sums[_STORE_COLUMN_MAX])
{
	struct weir_buf blocks[_STORE_COLUMN_MAX] = { 0 };
	sqlite3_stmt *q;
	int r = store_sql_get(s, STORE_SQL_S1_PUT, &q);

	if (r == 0)
		sqlite3_bind_int64(q, 1, (sqlite3_int64)time);
	for (unsigned c = 0; r == 0 && c < _STORE_COLUMN_MAX; c++) {
		store_bucket_encode(&blocks[c], &sums[c],
				    (struct store_place){ .kind = (uint8_t)c, .time = time });
		r = blocks[c].error;
		if (r == 0 && blocks[c].len)
			r = store_sql_error(sqlite3_bind_blob64(q, (int)c + 2, blocks[c].data,
								blocks[c].len, SQLITE_STATIC));
	}
	if (r == 0)
		r = store_sql_step(s, q);
	for (unsigned c = 0; c < _STORE_COLUMN_MAX; c++)
		weir_buf_done(&blocks[c]);
	return r;
}

/* A second that was put before is joined with it. */
static int put_second(struct weir_store *s, const struct store_wait *w)
{
	struct store_sums sums[_STORE_COLUMN_MAX] = { 0 };
	uint64_t before = 0;
	bool there = false;
	int r = 0;

	if (w->time <= s->newest) {
		r = store_sql_number(s, STORE_SQL_S1_NEXT, 1, w->time, 0, &before);
		there = before == w->time;
	}
	for (unsigned c = 0; r == 0 && c < _STORE_COLUMN_MAX; c++) {
		if (there)
			r = store_levels_read(s, STORE_LEVEL_1S, c, w->time, w->time + 1, &sums[c]);
		if (r == 0)
			r = store_sums_add(&sums[c], &w->sums[c], store_entry_add_same_second);
	}
	if (r == 0)
		r = write_second(s, w->time, sums);
	if (r == 0 && !there)
		s->s1_rows++;
	for (unsigned c = 0; c < _STORE_COLUMN_MAX; c++)
		store_sums_done(&sums[c]);
	return r;
}

/* A second that comes after its step was rolled up. */
static int put_late(struct weir_store *s, enum store_level level, const struct store_wait *w)
{
	uint64_t time = w->time - w->time % store_level_width[level];
	int r = 0;

	if (time < s->numbers[STORE_N_KEPT + level])
		return 0;
	for (unsigned c = 0; r == 0 && c < _STORE_COLUMN_MAX; c++) {
		struct store_sums sums = { 0 };

		r = store_levels_read(s, level, c, time, time + 1, &sums);
		if (c == STORE_TOTALS && r == 0 && !sums.n)
			s->numbers[STORE_N_ROWS + level]++;
		if (r == 0)
			r = store_sums_add(&sums, &w->sums[c], store_entry_add);
		if (r == 0 && sums.n)
			r = write_step(s, level, c, time, &sums);
		store_sums_done(&sums);
	}
	s->numbers_changed = true;
	return r;
}

int store_levels_put(struct weir_store *s, const struct store_wait *w)
{
	int r = 0;

	if (w->time >= s->numbers[STORE_N_KEPT + STORE_LEVEL_1S])
		r = put_second(s, w);
	for (unsigned l = STORE_LEVEL_10S; r == 0 && l < _STORE_LEVEL_MAX; l++)
		if (w->time < s->numbers[STORE_N_ROLLED + l])
			r = put_late(s, l, w);
	if (r == 0 && w->time < s->numbers[STORE_N_USE])
		r = store_use_add(s, store_day_of(w->time), &w->sums[STORE_PROGRAMS]);
	if (r == 0 && w->time > s->newest)
		s->newest = w->time;
	return r;
}

/* --- rolling up ------------------------------------------------------------------------------ */

static int make_step(struct weir_store *s, enum store_level level, uint64_t time)
{
	int r = 0;

	for (unsigned c = 0; r == 0 && c < _STORE_COLUMN_MAX; c++) {
		struct store_sums sums = { 0 };

		r = store_levels_read(s, made_of[level], c, time, time + store_level_width[level],
				      &sums);
		if (r == 0 && sums.n)
			r = write_step(s, level, c, time, &sums);
		if (r == 0 && sums.n && c == STORE_TOTALS)
			s->numbers[STORE_N_ROWS + level]++;
		store_sums_done(&sums);
	}
	return r;
}

/* Where the level may be rolled up to: what is over, and what the finer ones have. */
static uint64_t may_roll_to(const struct weir_store *s, enum store_level level)
{
	uint64_t to = s->now;

	if (level > STORE_LEVEL_10S && s->numbers[STORE_N_ROLLED + level - 1] < to)
		to = s->numbers[STORE_N_ROLLED + level - 1];
	return to - to % store_level_width[level];
}

static int roll_level(struct weir_store *s, enum store_level level)
{
	uint64_t *rolled = &s->numbers[STORE_N_ROLLED + level], to = may_roll_to(s, level),
		 next = UINT64_MAX;
	int r;

	if (*rolled >= to)
		return 0;
	r = store_sql_number(s, STORE_SQL_NEXT + made_of[level], 1, *rolled, 0, &next);
	if (r < 0)
		return r;
	if (next >= to) {
		/* Nothing was there: no reason to write. Should this be forgotten, it is found
		 * again. */
		*rolled = to;
		return 0;
	}
	next -= next % store_level_width[level];
	r = make_step(s, level, next);
	if (r < 0)
		return r;
	*rolled = next + store_level_width[level];
	s->numbers_changed = true;
	return 1;
}

int store_levels_roll(struct weir_store *s)
{
	for (unsigned l = STORE_LEVEL_10S; l < _STORE_LEVEL_MAX; l++) {
		int r = roll_level(s, l);

		if (r)
			return r;
	}
	return 0;
}
