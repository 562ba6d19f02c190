// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/store_private.h"

/* What waits goes into the file, and what is there is rolled up and deleted: transactions, and what follows when the disk
 * refuses one. */

#define RETRY_SECONDS 2
#define ROLL_STEPS 8 /* a second */

static time_t mono_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void store_failed(struct weir_store *s, int r)
{
	char text[384];

	s->retry_mono = mono_now() + RETRY_SECONDS;
	if (!s->reason[0])
		snprintf(s->reason, sizeof(s->reason), "%s", strerror(-r));
	store_beside_mark(s, true);
	if (!s->error) {
		snprintf(text, sizeof(text),
			 "history cannot be written (%s): sums are kept in memory until it can",
			 s->reason);
		store_note(s, WEIR_HISTORY_DISK, s->now * STORE_NS, NULL, WEIR_UID_HOST, text);
	}
	s->error = r;
}

static int write_subjects(struct weir_store *s)
{
	const struct weir_buf *b = &s->subjects.unsaved;
	int r = 0;

	for (size_t at = 0; r == 0 && at < b->len;) {
		struct weir_buf body;
		uint64_t id;
		uint32_t len;

		memcpy(&id, b->data + at, sizeof(id));
		memcpy(&len, b->data + at + sizeof(id), sizeof(len));
		at += sizeof(id) + sizeof(len);
		body = (struct weir_buf){ .data = b->data + at, .len = len };
		at += len;
		r = store_sql_put_block(s, STORE_SQL_SUBJECT_PUT, id, &body);
	}
	for (size_t i = 0; r == 0 && i < s->subjects.n_gone; i++)
		r = store_sql_run(s, STORE_SQL_SUBJECT_DELETE, 1, s->subjects.gone[i], 0, 0);
	return r;
}

static int write_notes(struct weir_store *s)
{
	sqlite3_stmt *q;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < s->n_notes; i++) {
		const struct store_note *n = &s->notes[i];

		r = store_sql_get(s, STORE_SQL_EVENT_PUT, &q);
		if (r < 0)
			break;
		sqlite3_bind_int64(q, 1, (sqlite3_int64)(n->real_ns & INT64_MAX));
		sqlite3_bind_int(q, 2, n->kind);
		sqlite3_bind_int64(q, 3, n->uid);
		if (n->program)
			sqlite3_bind_text(q, 4, n->program, -1, SQLITE_STATIC);
		sqlite3_bind_text(q, 5, n->summary, -1, SQLITE_STATIC);
		if (n->many)
			sqlite3_bind_int64(q, 6, n->many);
		r = store_sql_step(s, q);
	}
	return r;
}

static int write_all(struct weir_store *s)
{
	int r = write_subjects(s);

	if (s->lost_now) {
		s->numbers[STORE_N_LOST_SECONDS] += s->lost_now;
		s->numbers_changed = true;
	}
	for (unsigned i = 0; r == 0 && i < s->n_waits; i++)
		r = store_levels_put(s, &s->waits[i]);
	if (r == 0)
		r = write_notes(s);
	if (r == 0)
		r = store_carry_log(s);
	if (r == 0 && s->runs_changed)
		r = store_file_save_runs(s);
	return r < 0 ? r : store_file_save_numbers(s);
}

static int roll_some(struct weir_store *s)
{
	/* Nothing is rolled up to where the clock jumped, unless it stays there: all that follows
	 * would be late. */
	bool believed = s->calm >= STORE_CALM_COMMITS;
	int r = 0;

	for (unsigned i = 0; believed && i < ROLL_STEPS; i++) {
		r = store_levels_roll(s);
		if (r <= 0)
			break;
	}
	if (r >= 0 && believed)
		r = store_use_roll(s, s->pressed);
	if (r >= 0)
		r = store_carry_settle(s);
	if (r >= 0 && s->now >= s->seen_saved + 3600) {
		r = store_file_save_seen(s);
		s->seen_saved = s->now;
	}
	if (r >= 0 && s->now >= s->runs_saved + 60) {
		r = store_file_save_runs(s);
		s->runs_saved = s->now;
	}
	return r < 0 ? r : store_file_save_numbers(s);
}

/* One transaction: all of it, or nothing, in the file and of what is remembered of it. */
static int transaction(struct weir_store *s, int (*body)(struct weir_store *s))
{
	uint64_t numbers[_STORE_NUMBER_MAX], newest = s->newest, s1_rows = s->s1_rows;
	uint64_t log_rows = s->carry_log_rows, log_bytes = s->carry_log_bytes;
	bool changed = s->numbers_changed;
	int r;

	memcpy(numbers, s->numbers, sizeof(numbers));
	r = store_sql_run(s, STORE_SQL_BEGIN, 0, 0, 0, 0);
	if (r == 0)
		r = body(s);
	/* Some errors roll it back at once. */
	if (r >= 0)
		r = sqlite3_get_autocommit(s->db) ? -EIO
						  : store_sql_run(s, STORE_SQL_COMMIT, 0, 0, 0, 0);
	if (r == 0) {
		s->numbers_changed = false;
		return 0;
	}
	if (s->db && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	memcpy(s->numbers, numbers, sizeof(numbers));
	s->numbers_changed = changed;
	s->newest = newest;
	s->s1_rows = s1_rows;
	s->carry_log_rows = log_rows;
	s->carry_log_bytes = log_bytes;
	return r;
}

static void written(struct weir_store *s)
{
	char text[128];

	store_subjects_saved(&s->subjects);
	store_wait_free(s);
	store_notes_free(s);
	if (s->notes_lost) {
		snprintf(text, sizeof(text),
			 "%llu events are missing here: they found no room while history could not "
			 "be written",
			 (unsigned long long)s->notes_lost);
		s->notes_lost = 0;
		store_note(s, WEIR_HISTORY_DISK, s->now * STORE_NS, NULL, WEIR_UID_HOST, text);
	}
	weir_buf_reset(&s->carry);
	s->carry_lost += s->carry_dropped;
	s->carry_dropped = false;
	s->runs_changed = false;
	s->lost_now = 0;
	s->commits++;
}

static int set_aside(struct weir_store *s)
{
	int r = store_file_set_aside(s, false);

	if (r == 0)
		s->numbers_changed = true;
	return r;
}

int store_write_waiting(struct weir_store *s)
{
	int r;

	if (!s->n_waits && !s->n_notes && !s->carry.len && !s->subjects.unsaved.len &&
	    !s->subjects.n_gone && !s->carry_dropped)
		return s->error && !s->db ? s->error : 0;
	r = transaction(s, write_all);
	if (r == -EUCLEAN) {
		r = set_aside(s);
		if (r == 0)
			r = transaction(s, write_all);
	}
	if (r < 0)
		return r;
	written(s);
	return 0;
}

/* Tries to open, or to open again, what could not be used. */
static int try_again(struct weir_store *s)
{
	int r;

	if (s->db && s->error != -EIO)
		return 0;
	store_file_close(s);
	r = store_file_open(s);
	if (r == 0 && !s->began)
		store_run_begin(s);
	/* What the file says may be older than what was tried to be written. */
	s->numbers[STORE_N_CLEAN] = 0;
	s->numbers_changed = true;
	return r;
}

static int age_some(struct weir_store *s)
{
	int r = store_age(s);

	return r < 0 ? r : store_file_save_numbers(s);
}

static int write_now(struct weir_store *s)
{
	uint64_t seconds = 0;
	char text[160];
	int r = s->error || !s->db ? try_again(s) : 0;

	if (!s->error)
		s->reason[0] = '\0';
	for (unsigned i = 0; i < s->n_waits; i++)
		seconds += s->waits[i].seconds;
	if (r == 0)
		r = store_write_waiting(s);
	/* It is full by its own limit: deleting takes no room. */
	if (r == -ENOSPC && transaction(s, age_some) == 0)
		r = store_write_waiting(s);
	if (r < 0) {
		store_failed(s, r);
		return r;
	}
	store_beside_mark(s, false);
	if (s->error) {
		s->error = 0;
		s->reason[0] = '\0';
		snprintf(text, sizeof(text),
			 "history can be written again: %llu seconds had to wait",
			 (unsigned long long)seconds);
		store_note(s, WEIR_HISTORY_DISK, s->now * STORE_NS, NULL, WEIR_UID_HOST, text);
	}
	return 0;
}

/* Each second, after it was written. What fails here is done later: nothing is lost by that. */
static void maintain(struct weir_store *s)
{
	int r = transaction(s, age_some);

	if (r == 0)
		r = transaction(s, roll_some);
	if (r == -EUCLEAN)
		r = set_aside(s);
	if (r == 0 || r == -ENOSPC)
		s->reason[0] = '\0';
	else
		store_failed(s, r);
}

int weir_store_commit(struct weir_store *s)
{
	int r;

	store_tell_rest(s, false);
	r = store_wait_second(s, s->now);
	if (r < 0)
		return r;
	if (s->error && mono_now() < s->retry_mono)
		return 0;
	if (write_now(s) == 0)
		maintain(s);
	return 0;
}

/* --- outside of a second ----------------------------------------------------------------------- */

int weir_store_event(struct weir_store *s, const struct weir_history_event *e)
{
	if (e->kind >= _WEIR_HISTORY_EVENT_MAX)
		return -EINVAL;
	store_note(s, e->kind, e->real_ns, e->program, e->uid, e->summary);
	return write_now(s);
}

int weir_store_flush(struct weir_store *s)
{
	int r = write_now(s);

	if (r == 0 && s->path)
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return r;
}

static int write_end(struct weir_store *s)
{
	int r = write_all(s);

	if (r == 0)
		r = store_file_save_seen(s);
	if (r == 0)
		r = store_file_save_runs(s);
	s->numbers[STORE_N_CLEAN] = 1;
	s->numbers_changed = true;
	return r < 0 ? r : store_file_save_numbers(s);
}

int weir_store_end(struct weir_store *s, uint64_t real_ns)
{
	int r;

	store_tell_rest(s, true);
	store_wait_second(s, s->now);
	r = write_now(s);
	if (r < 0)
		return r;
	store_note(s, WEIR_HISTORY_STOPPED, real_ns, NULL, WEIR_UID_HOST, "weir stopped");
	r = transaction(s, write_end);
	if (r < 0)
		return r;
	written(s);
	if (s->path)
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return 0;
}
