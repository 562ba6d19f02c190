// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "store/store_private.h"

/* What is too old goes, and when the file is nearly full, the oldest of the finest level: a little
 * each time. */

#define EVERY 60 /* seconds */
#define STEPS_AT_ONCE 64
#define EVENTS_MAX 100000
#define EVENT_BYTES 320 /* of one, with its place in the index, amply */
#define EVENTS_SHARE 8  /* of the room: more is not theirs */
#define EVENTS_AT_ONCE 2048
#define MONTHS_KEPT_SECONDS (5ull * 366 * 86400)

static uint64_t down(uint64_t t, uint32_t width)
{
	return t - t % width;
}

/* kept stands where the next level has a whole step. */
static uint32_t alignment(unsigned level)
{
	return store_level_width[level + 1 < _STORE_LEVEL_MAX ? level + 1 : level];
}

/* What may go at most: all that other levels have taken over, and no more than the finer ones. */
static uint64_t may_go(const struct weir_store *s, unsigned level)
{
	uint64_t to = UINT64_MAX;

	if (level + 1 < _STORE_LEVEL_MAX)
		to = s->numbers[STORE_N_ROLLED + level + 1];
	if (level == STORE_LEVEL_1S) {
		if (s->numbers[STORE_N_ROLLED + STORE_LEVEL_1MIN] < to)
			to = s->numbers[STORE_N_ROLLED + STORE_LEVEL_1MIN];
		if (s->numbers[STORE_N_USE] < to)
			to = s->numbers[STORE_N_USE];
	} else if (s->numbers[STORE_N_KEPT + level - 1] < to) {
		to = s->numbers[STORE_N_KEPT + level - 1];
	}
	return down(to, alignment(level));
}

/* Deletes some steps before `to`. 1: there were some. */
static int delete_some(struct weir_store *s, unsigned level, uint64_t to)
{
	uint64_t oldest = UINT64_MAX, end, gone;
	int r = store_sql_number(s, STORE_SQL_EDGE + level, 0, 0, 0, &oldest);

	if (r < 0 || oldest >= to)
		return r;
	end = down(oldest + (uint64_t)STEPS_AT_ONCE * store_level_width[level], alignment(level)) +
	      alignment(level);
	if (end > to)
		end = to;
	if (level == STORE_LEVEL_1S) {
		r = store_sql_run(s, STORE_SQL_S1_DELETE, 1, end, 0, 0);
		gone = (uint64_t)sqlite3_changes(s->db);
		s->s1_rows -= gone < s->s1_rows ? gone : s->s1_rows;
	}
	for (unsigned c = 0; r == 0 && level != STORE_LEVEL_1S && c < _STORE_COLUMN_MAX; c++) {
		uint64_t *rows = &s->numbers[STORE_N_ROWS + level];

		r = store_sql_run(s, STORE_SQL_DELETE + level * _STORE_COLUMN_MAX + c, 1, end, 0,
				  0);
		gone = c == STORE_TOTALS ? (uint64_t)sqlite3_changes(s->db) : 0;
		*rows -= gone < *rows ? gone : *rows;
	}
	if (r < 0)
		return r;
	if (s->numbers[STORE_N_KEPT + level] < end)
		s->numbers[STORE_N_KEPT + level] = end;
	s->numbers_changed = true;
	return 1;
}

static int age_levels(struct weir_store *s)
{
	int r = 0;

	for (unsigned l = 0; r >= 0 && l < _STORE_LEVEL_MAX; l++) {
		uint64_t kept = store_level_kept[l];
		uint64_t to = s->now > kept ? down(s->now - kept, alignment(l)) : 0,
			 most = may_go(s, l);

		r = delete_some(s, l, to < most ? to : most);
	}
	return r;
}

static uint64_t events_max(const struct weir_store *s)
{
	uint64_t max = s->options.limit_bytes / EVENTS_SHARE / EVENT_BYTES;

	return max < EVENTS_MAX ? max : EVENTS_MAX;
}

/* The oldest of the owner who has the most, so that no user's events push others' out. 1: there were too many. */
static int trim_events(struct weir_store *s)
{
	uint64_t events = 0;
	int r = store_sql_number(s, STORE_SQL_EVENT_COUNT, 0, 0, 0, &events);

	if (r < 0 || events <= events_max(s))
		return r;
	r = store_sql_run(s, STORE_SQL_EVENT_TRIM, 1, EVENTS_AT_ONCE, 0, 0);
	return r < 0 ? r : 1;
}

static int age_events(struct weir_store *s)
{
	int r = 0;

	if (s->now > STORE_KEPT_EVENTS)
		r = store_sql_run(s, STORE_SQL_EVENT_AGE, 2, (s->now - STORE_KEPT_EVENTS) * STORE_NS, EVENTS_AT_ONCE, 0);
	return r < 0 ? r : trim_events(s);
}

static int age_uses(struct weir_store *s)
{
	uint64_t days = store_level_kept[STORE_LEVEL_1H];
	int r = 0;

	if (s->now > days)
		r = store_sql_run(s, STORE_SQL_USE_DELETE + STORE_DAYS, 1,
				  store_day_of(s->now - days), 0, 0);
	if (r == 0 && s->now > MONTHS_KEPT_SECONDS)
		r = store_sql_run(
			s, STORE_SQL_USE_DELETE + STORE_MONTHS, 1,
			store_use_of(STORE_MONTHS, store_day_of(s->now - MONTHS_KEPT_SECONDS)), 0,
			0);
	return r;
}

/* Days make room only when nothing else can. */
static int delete_day(struct weir_store *s)
{
	uint64_t oldest = UINT64_MAX;
	int r = store_sql_number(s, STORE_SQL_USE_STATS + STORE_DAYS, 0, 0, 0, &oldest);

	if (r < 0 || oldest >= store_day_of(s->now))
		return r < 0 ? r : store_sql_run(s, STORE_SQL_EVENT_TRIM, 1, EVENTS_AT_ONCE, 0, 0);
	return store_sql_run(s, STORE_SQL_USE_DELETE + STORE_DAYS, 1, oldest + 1, 0, 0);
}

static int make_room(struct weir_store *s)
{
	int r = trim_events(s);

	if (r)
		return r < 0 ? r : 0;
	for (unsigned l = 0; l < _STORE_LEVEL_MAX; l++) {
		uint64_t most = may_go(s, l);

		/* The hour that is now stays. */
		if (l == STORE_LEVEL_1H && most > s->now)
			most = down(s->now, store_level_width[l]);
		r = delete_some(s, l, most);
		if (r)
			return r < 0 ? r : 0;
	}
	return delete_day(s);
}

/* The limit was lowered: the file itself becomes smaller, some pages at a time. */
static int shrink(struct weir_store *s, uint64_t pages, uint64_t unused)
{
	char sql[64];
	int r = unused ? store_sql_run(s, STORE_SQL_VACUUM, 0, 0, 0, 0) : 0;

	if (r == 0 && pages <= s->max_pages + 64) {
		snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%llu",
			 (unsigned long long)s->max_pages);
		r = store_sql_error(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
	}
	return r;
}

static int look_at_size(struct weir_store *s)
{
	uint64_t pages = 0, unused = 0;
	int r = store_sql_number(s, STORE_SQL_PAGES, 0, 0, 0, &pages);

	if (r == 0)
		r = store_sql_number(s, STORE_SQL_FREE_PAGES, 0, 0, 0, &unused);
	s->pressed = r == 0 && pages - unused > s->max_pages - s->max_pages / 16;
	if (s->pressed)
		r = make_room(s);
	if (r == 0 && pages > s->max_pages)
		r = shrink(s, pages, unused);
	return r;
}

int store_age(struct weir_store *s)
{
	int r = look_at_size(s);

	if (r < 0 || s->calm < STORE_CALM_COMMITS)
		return r;
	if (s->now >= s->aged && s->now < s->aged + EVERY)
		return 0;
	s->aged = s->now;
	r = age_levels(s);
	if (r >= 0)
		r = age_events(s);
	if (r < 0)
		return r;
	if (s->now >= s->swept && s->now < s->swept + 3600)
		return 0;
	s->swept = s->now;
	return age_uses(s);
}
