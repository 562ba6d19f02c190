// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/store_fixture.h"

#include <errno.h>
#include <sqlite3.h>
#include <time.h>

#include "base/cleanup.h"
#include "store/subjects.h"

/* Limits, events, carry records, and who may read what. */

/* --- limits ---------------------------------------------------------------------------------- */

static uint64_t level_value(struct weir_store *s, const char *level, unsigned field)
{
	return fixture_sum(s, "history_store", 1, UINT32_MAX, field, HISTORY_STORE_LEVEL, level);
}

static void what_is_too_old_goes(void **unused)
{
	uint64_t time = FIXTURE_START, end = FIXTURE_START + 20 * 86400, told = 0;
	struct weir_store *s = fixture_open(NULL, time, 0);

	(void)unused;
	/* A second each five minutes, for twenty days; ticks in between without anything. */
	for (unsigned i = 0; time < end; i++, time += 4) {
		if (i % 75 == 0) {
			fixture_second(s, time, "a", 1, 100, 0);
			told += 100;
		} else {
			weir_store_begin(s, time * FIXTURE_NS);
			assert_int_equal(weir_store_commit(s), 0);
		}
	}
	assert_true(level_value(s, "1 s", HISTORY_STORE_OLDEST) >= (end - 3600 - 900) * FIXTURE_NS);
	assert_true(level_value(s, "10 s", HISTORY_STORE_OLDEST) >=
		    (end - 12 * 3600 - 900) * FIXTURE_NS);
	assert_true(level_value(s, "1 min", HISTORY_STORE_OLDEST) >=
		    (end - 14 * 86400 - 7200) * FIXTURE_NS);
	assert_int_equal(level_value(s, "1 h", HISTORY_STORE_OLDEST) / FIXTURE_NS,
			 FIXTURE_START - FIXTURE_START % 3600);
	assert_int_equal(level_value(s, "1 h", HISTORY_STORE_ROWS),
			 20 * 24 - 1); /* the last is not over */
	/* And yet nothing is missing. */
	assert_int_equal(fixture_sum(s, "history_rates", FIXTURE_START, end, HISTORY_RATES_TX_BYTES,
				     0, NULL),
			 told);
	assert_int_equal(fixture_sum(s, "history", FIXTURE_START, end, HISTORY_TX_BYTES, 0, NULL),
			 told);
	assert_int_equal(
		fixture_sum(s, "history_days", FIXTURE_START, end, HISTORY_USE_TX_BYTES, 0, NULL),
		told);
	weir_store_close(s);
}

static void the_file_keeps_within_its_limit(void **unused)
{
	const uint64_t limit = 5 << 20;
	struct weir_store_status status;
	uint64_t time = FIXTURE_START;
	struct weir_store *s;
	char folder[64];

	(void)unused;
	fixture_folder(folder);
	s = fixture_open(folder, time, limit);
	for (unsigned i = 0; i < 3000; i++) {
		fixture_many(s, time++, i * 7 % 1000, 150, 12345 + i);
		if (i % 50)
			continue;
		weir_store_status(s, &status);
		assert_true(status.bytes <= limit);
		assert_null(status.reason);
	}
	weir_store_status(s, &status);
	assert_int_equal(status.lost_seconds, 0);
	/* What was used is still known: it goes last. */
	assert_true(fixture_sum(s, "history_days", FIXTURE_START, time, HISTORY_USE_TX_BYTES, 0,
				NULL) >= 3000ull * 150 * 12345);
	weir_store_close(s);
	/* A lower limit makes it smaller, little by little. */
	s = fixture_open(folder, time, 4 << 20);
	for (unsigned i = 0; i < 600; i++)
		fixture_second(s, ++time, "a", 1, 1, 1);
	weir_store_status(s, &status);
	assert_true(status.bytes <= 4 << 20);
	assert_null(status.reason);
	weir_store_close(s);
	fixture_remove(folder);
}

static void the_longest_unseen_leave(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_store_status status;
	uint64_t time = FIXTURE_START, told = 0;

	(void)unused;
	for (unsigned i = 0; i < 100; i++) {
		fixture_many(s, ++time, i * 700, 700, 10);
		told += 7000;
		/* Seen always. */
		fixture_second(s, time, "steady", 1, 1, 0);
		told++;
	}
	weir_store_status(s, &status);
	assert_true(status.subjects <= STORE_SUBJECTS_MAX);
	assert_true(status.subjects > STORE_SUBJECTS_MAX / 2);
	assert_int_equal(
		fixture_sum(s, "history", FIXTURE_START, time + 1, HISTORY_TX_BYTES, 0, NULL),
		told);
	assert_int_equal(fixture_sum(s, "history", FIXTURE_START, time + 1, HISTORY_TX_BYTES,
				     HISTORY_PROGRAM, "steady"),
			 100);
	assert_true(fixture_sum(s, "history", FIXTURE_START, time + 1, HISTORY_TX_BYTES,
				HISTORY_PROGRAM, "other") > 0);
	weir_store_close(s);
}

static void an_hour_of_ten_thousand_programs(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	uint64_t told = 0;

	(void)unused;
	for (unsigned i = 0; i < 3600; i++) {
		fixture_many(s, FIXTURE_START + i, i * 100 % 10000, 100, i);
		told += 100ull * i;
	}
	assert_int_equal(fixture_sum(s, "history_rates", FIXTURE_START, FIXTURE_START + 3600,
				     HISTORY_RATES_TX_BYTES, 0, NULL),
			 told);
	assert_int_equal(fixture_sum(s, "history_peers", FIXTURE_START, FIXTURE_START + 3600,
				     HISTORY_PEERS_TX_BYTES, 0, NULL),
			 told);
	assert_int_equal(fixture_sum(s, "history_months", FIXTURE_START, FIXTURE_START + 3600,
				     HISTORY_USE_TX_BYTES, 0, NULL),
			 told);
	weir_store_close(s);
}

/* --- events ---------------------------------------------------------------------------------- */

static void events_push_nothing_out(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 4 << 20);
	uint64_t time = FIXTURE_START;
	unsigned most = 0;

	(void)unused;
	fixture_second(s, ++time, "mine", 7, 1, 1);
	for (unsigned i = 0; i < 3000; i++) {
		struct weir_history_sink *sink = weir_store_begin(s, ++time * FIXTURE_NS);
		const struct weir_history_sample t = { .program = { .comm = "a", .uid = 1 }, .tx_bytes = 1 };

		for (unsigned k = 0; k < 25; k++)
			fixture_event(sink, WEIR_HISTORY_FINDING, 1000);
		sink->sample(sink, &t);
		assert_int_equal(weir_store_commit(s), 0);
		if (i % 60 == 0 && level_value(s, "event", HISTORY_STORE_ROWS) > most)
			most = (unsigned)level_value(s, "event", HISTORY_STORE_ROWS);
	}
	/* An eighth of the room at most, and what may come until they are looked at again. */
	assert_true(most < (4 << 20) / 8 / 320 + 62 * 25);
	/* Others' events are older, and there. */
	assert_int_equal(fixture_events_of(s, 7), 1);
	assert_int_equal(level_value(s, "1 s", HISTORY_STORE_OLDEST), (FIXTURE_START + 1) * FIXTURE_NS);
	assert_int_equal(fixture_sum(s, "history", FIXTURE_START, time + 1, HISTORY_TX_BYTES, 0, NULL), 3001);
	weir_store_close(s);
}

static void gaps_and_clocks_are_said(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);

	(void)unused;
	fixture_second(s, FIXTURE_START + 1, "a", 1, 1, 1);
	fixture_second(s, FIXTURE_START + 100, "a", 1, 1, 1);
	assert_int_equal(fixture_events(s, "gap"), 1);
	assert_int_equal(fixture_events(s, "clock"), 0);
	fixture_second(s, FIXTURE_START + 50, "a", 1, 1, 1);
	fixture_second(s, FIXTURE_START + 51, "a", 1, 1, 1);
	assert_int_equal(fixture_events(s, "clock"), 1);
	assert_int_equal(fixture_sum(s, "history_rates", FIXTURE_START + 50, FIXTURE_START + 60,
				     HISTORY_RATES_TX_BYTES, 0, NULL),
			 2);
	/* In between it did not run: there is no step. */
	assert_int_equal(fixture_sum(s, "history_rates", FIXTURE_START + 10, FIXTURE_START + 40,
				     HISTORY_RATES_SECONDS, 0, NULL),
			 0);
	assert_int_equal(fixture_sum(s, "history_rates", FIXTURE_START + 1, FIXTURE_START + 2,
				     HISTORY_RATES_SECONDS, 0, NULL),
			 1);
	weir_store_close(s);
}

static void idle_seconds_after_a_clock_that_jumped_are_known(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	uint64_t time = FIXTURE_START;

	(void)unused;
	for (unsigned i = 0; i < 20; i++)
		fixture_second(s, ++time, "a", 1, 10, 0);
	fixture_second(s, time + 365 * 86400, "a", 1, 10, 0);
	for (unsigned i = 0; i < 100; i++) {
		weir_store_begin(s, ++time * FIXTURE_NS);
		assert_int_equal(weir_store_commit(s), 0);
	}
	assert_int_equal(fixture_sum(s, "history_rates", FIXTURE_START + 1, time + 1, HISTORY_RATES_SECONDS, 0, NULL), 120);
	weir_store_close(s);
}

static void a_clock_that_jumped_ahead_for_a_moment_deletes_nothing(void **unused)
{
	const uint64_t years = 3ull * 365 * 86400;
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	uint64_t time = FIXTURE_START;

	(void)unused;
	for (unsigned i = 0; i < 900; i++)
		fixture_second(s, ++time, "a", 1, 10, 0);
	for (unsigned i = 0; i < 100; i++)
		fixture_second(s, time + years + i, "a", 1, 10, 0);
	for (unsigned i = 0; i < 900; i++)
		fixture_second(s, ++time, "a", 1, 10, 0);
	assert_int_equal(fixture_sum(s, "history_rates", FIXTURE_START, time + 1, HISTORY_RATES_TX_BYTES, 0, NULL), 18000);
	assert_int_equal(fixture_sum(s, "history", FIXTURE_START, time + 1, HISTORY_TX_BYTES, 0, NULL), 18000);
	assert_int_equal(fixture_sum(s, "history", time + years - 900, time + years + 100, HISTORY_TX_BYTES, 0, NULL), 1000);
	assert_true(level_value(s, "10 s", HISTORY_STORE_NEWEST) < (time + 1) * FIXTURE_NS);
	assert_true(level_value(s, "10 s", HISTORY_STORE_ROWS) >= 170);
	weir_store_close(s);
}

/* --- carry ----------------------------------------------------------------------------------- */

struct carried {
	unsigned n;
	uint64_t sum;
};

static void add_carried(void *ctx, const char *feature, uint16_t type, const void *key,
			size_t key_len, const void *bytes, size_t len)
{
	struct carried *c = ctx;
	uint64_t value;

	(void)key;
	assert_string_equal(feature, "traffic");
	assert_int_equal(type, 3);
	assert_int_equal(key_len, sizeof(unsigned));
	assert_int_equal(len, sizeof(value));
	memcpy(&value, bytes, sizeof(value));
	c->n++;
	c->sum += value;
}

static void what_was_carried_last_comes_back(void **unused)
{
	struct carried c = { 0 };
	struct weir_store *s;
	char folder[64];

	(void)unused;
	fixture_folder(folder);
	s = fixture_open(folder, FIXTURE_START, 0);
	for (uint64_t i = 1; i <= 500; i++) {
		weir_store_begin(s, (FIXTURE_START + i) * FIXTURE_NS);
		for (unsigned key = 0; key < 10; key++)
			if (i % (key + 1) == 0)
				weir_store_carry_put(s, "traffic", 3, &key, sizeof(key), &i,
						     sizeof(i));
		assert_int_equal(weir_store_commit(s), 0);
		if (i == 250) {
			weir_store_close(s); /* as if killed */
			s = fixture_open(folder, FIXTURE_START + i, 0);
		}
	}
	weir_store_close(s);
	s = fixture_open(folder, FIXTURE_START + 600, 0);
	assert_int_equal(weir_store_carry_get(s, "traffic", add_carried, &c), 0);
	assert_int_equal(c.n, 10);
	assert_int_equal(c.sum, 500 + 500 + 498 + 500 + 500 + 498 + 497 + 496 + 495 + 500);
	c = (struct carried){ 0 };
	assert_int_equal(weir_store_carry_get(s, "drops", add_carried, &c), 0);
	assert_int_equal(c.n, 0);

	/* Begun anew, and one removed. */
	weir_store_begin(s, (FIXTURE_START + 601) * FIXTURE_NS);
	weir_store_carry_anew(s, "traffic");
	for (unsigned key = 0; key < 3; key++)
		weir_store_carry_put(s, "traffic", 3, &key, sizeof(key), &c.sum, sizeof(c.sum));
	weir_store_carry_put(s, "traffic", 3, &(unsigned){ 1 }, sizeof(unsigned), NULL, 0);
	assert_int_equal(weir_store_commit(s), 0);
	assert_int_equal(weir_store_carry_get(s, NULL, add_carried, &c), 0);
	assert_int_equal(c.n, 2);
	weir_store_close(s);
	fixture_remove(folder);
}

/* --- readers --------------------------------------------------------------------------------- */

static void tell_all_kinds(struct weir_store *s, uint64_t time, const char *comm, uint32_t uid, uint64_t tx)
{
	struct weir_history_sink *sink = weir_store_begin(s, time * FIXTURE_NS);
	struct weir_history_sample t = { .program = { .comm = comm, .uid = uid }, .tx_bytes = tx };

	sink->sample(sink, &t);
	t.kind = WEIR_HISTORY_PEER;
	t.peer_name = "peer";
	sink->sample(sink, &t);
	t.kind = WEIR_HISTORY_LOSS;
	t.tx_bytes = 0;
	t.packets = 3;
	t.reason = "NO_SOCKET";
	sink->sample(sink, &t);
	fixture_event(sink, WEIR_HISTORY_FINDING, uid);
	assert_int_equal(weir_store_commit(s), 0);
}

static void others_programs_are_not_shown(void **unused)
{
	static const char *const tables[] = { "history",      "history_peers",  "history_losses", "history_days",
					      "history_months", "history_changes", "history_events" };
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_history_question q = fixture_question("history_rates", FIXTURE_START, FIXTURE_START + 10);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	uint64_t tx = 0;

	(void)unused;
	tell_all_kinds(s, FIXTURE_START + 1, "mine", 1000, 5000);
	tell_all_kinds(s, FIXTURE_START + 2, "theirs", 1001, 70000);
	q.viewer = (struct weir_viewer){ .uid = 1000 };
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < rows.n; i++)
		tx += weir_cell_uint(&rows, i, HISTORY_RATES_TX_BYTES);
	assert_int_equal(tx, 5000);
	weir_snapshot_unref(snapshot);
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		snprintf(q.table, sizeof(q.table), "%s", tables[i]);
		assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
		assert_true(rows.n > 0);
		for (size_t k = 0; k < rows.n; k++)
			assert_int_equal(weir_row_uid(&rows, k), 1000);
		weir_snapshot_unref(snapshot);
	}
	weir_store_close(s);
}

static size_t events_shown(struct weir_store *s, uint32_t uid)
{
	struct weir_history_question q = fixture_question("history_events", FIXTURE_START, FIXTURE_START + 1000);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	size_t n;

	q.viewer = (struct weir_viewer){ .uid = uid };
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	n = rows.n;
	weir_snapshot_unref(snapshot);
	return n;
}

/* What names no program is not for all by that. */
static void events_of_nobody_are_for_those_who_see_all(void **unused)
{
	static const struct weir_history_event nobodys = { .real_ns = (FIXTURE_START + 1) * FIXTURE_NS,
							   .kind = WEIR_HISTORY_FINDING,
							   .uid = WEIR_UID_HOST,
							   .summary = "something of somebody's" };
	static const struct weir_history_event gap = { .real_ns = (FIXTURE_START + 2) * FIXTURE_NS,
						       .kind = WEIR_HISTORY_GAP,
						       .uid = WEIR_UID_HOST,
						       .summary = "nothing is known of a while" };
	struct weir_history_question q = fixture_question("history_changes", FIXTURE_START, FIXTURE_START + 1000);
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	(void)unused;
	assert_int_equal(weir_store_event(s, &nobodys), 0);
	assert_int_equal(weir_store_event(s, &gap), 0);
	assert_int_equal(events_shown(s, 1000), 2); /* weir started, and the gap */
	assert_int_equal(fixture_events(s, "finding"), 1);
	/* What counts them says no more. */
	q.viewer = (struct weir_viewer){ .uid = 1000 };
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < rows.n; i++)
		assert_string_not_equal(weir_cell_text(&rows, i, HISTORY_CHANGES_REASON), "finding");
	weir_snapshot_unref(snapshot);
	/* More of others' than an answer has rows take him none of his own. */
	tell_all_kinds(s, FIXTURE_START + 5, "mine", 1000, 1);
	for (unsigned i = 0; i < 60; i++) {
		struct weir_history_sink *sink = weir_store_begin(s, (FIXTURE_START + 10 + i) * FIXTURE_NS);

		for (unsigned k = 0; k < 200; k++)
			fixture_event(sink, WEIR_HISTORY_FINDING, 1001);
		assert_int_equal(weir_store_commit(s), 0);
	}
	assert_int_equal(events_shown(s, 1000), 2 + 2);
	weir_store_close(s);
}

/* He is told that there is more, and not how much: nobody knows what of it is his. */
static void what_found_no_room_is_an_unknown_share(void **unused)
{
	static const char *const tables[] = { "history", "history_peers", "history_days" };
	static const unsigned programs[] = { HISTORY_PROGRAM, HISTORY_PEERS_PROGRAM, HISTORY_USE_PROGRAM };
	static const unsigned sums[] = { HISTORY_TX_BYTES, HISTORY_PEERS_TX_BYTES, HISTORY_USE_TX_BYTES };
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	(void)unused;
	tell_all_kinds(s, FIXTURE_START + 1, "mine", 1000, 5000);
	fixture_many(s, FIXTURE_START + 2, 0, 5000, 10);
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		struct weir_history_question q = fixture_question(tables[i], FIXTURE_START, FIXTURE_START + 10);
		unsigned others = 0;

		q.viewer = (struct weir_viewer){ .uid = 1000 };
		assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
		for (size_t k = 0; k < rows.n; k++) {
			if (strcmp(weir_cell_text(&rows, k, programs[i]), "other") != 0)
				continue;
			assert_true(weir_cell_null(&rows, k, sums[i]));
			assert_int_equal(weir_row_uid(&rows, k), 1000);
			others++;
		}
		assert_int_equal(others, 1);
		weir_snapshot_unref(snapshot);
	}
	weir_store_close(s);
}

/* An even curve has not changed, however little of the time before it is known; and a step is no older than what is in it. */
static void what_was_before_weir_is_not_nothing(void **unused)
{
	uint64_t began = FIXTURE_START + 1234, now = began + 900;
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_history_question q = fixture_question("history_changes", now - 600, now);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	unsigned steps = 0;

	(void)unused;
	for (uint64_t t = began; t < now; t++)
		fixture_second(s, t, "even", 1, 100, 0);
	q.from2_ns = (FIXTURE_START - 86400) * FIXTURE_NS;
	q.to2_ns = (now - 600) * FIXTURE_NS;
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < rows.n; i++)
		assert_string_not_equal(weir_cell_text(&rows, i, HISTORY_CHANGES_KIND), "program");
	weir_snapshot_unref(snapshot);
	/* As much as is known of both is as long as it is known. */
	q.from_ns = q.from2_ns;
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < rows.n; i++)
		assert_string_not_equal(weir_cell_text(&rows, i, HISTORY_CHANGES_KIND), "program");
	weir_snapshot_unref(snapshot);
	q = fixture_question("history_store", 0, now);
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < rows.n; i++) {
		if (!weir_cell_text(&rows, i, HISTORY_STORE_LEVEL) || weir_cell_null(&rows, i, HISTORY_STORE_OLDEST) ||
		    !strcmp(weir_cell_text(&rows, i, HISTORY_STORE_LEVEL), "event"))
			continue;
		assert_true(weir_cell_uint(&rows, i, HISTORY_STORE_OLDEST) >= began * FIXTURE_NS);
		steps++;
	}
	assert_true(steps >= 4); /* seconds, tens, minutes, days */
	weir_snapshot_unref(snapshot);
	weir_store_close(s);
}

/* Of one peer two ports are two changes, and each row says which. */
static void a_peers_change_has_its_port(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_history_sink *sink = weir_store_begin(s, (FIXTURE_START + 5) * FIXTURE_NS);
	struct weir_history_sample t = { .program = { .comm = "api", .uid = 1 }, .kind = WEIR_HISTORY_PEER, .role = "client",
					 .transport = "tcp", .peer_name = "db", .tx_bytes = 50000 };
	struct weir_history_question q = fixture_question("history_changes", FIXTURE_START, FIXTURE_START + 10);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	unsigned seen = 0;

	(void)unused;
	for (t.port = 5432; t.port <= 5433; t.port++)
		sink->sample(sink, &t);
	assert_int_equal(weir_store_commit(s), 0);
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < rows.n; i++) {
		const char *filter = weir_cell_text(&rows, i, HISTORY_CHANGES_FILTER);

		if (strcmp(weir_cell_text(&rows, i, HISTORY_CHANGES_KIND), "peer") != 0)
			continue;
		seen |= 1u << (weir_cell_uint(&rows, i, HISTORY_CHANGES_PORT) - 5432);
		assert_string_equal(weir_cell_text(&rows, i, HISTORY_CHANGES_ROLE), "client");
		assert_non_null(strstr(filter, weir_cell_uint(&rows, i, HISTORY_CHANGES_PORT) == 5432 ? "port:5432" : "port:5433"));
	}
	assert_int_equal(seen, 3);
	weir_snapshot_unref(snapshot);
	weir_store_close(s);
}

static void today_is_whole_when_tomorrow_is_asked_for(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	uint64_t time = FIXTURE_START, to = FIXTURE_START + 10 * 86400;

	(void)unused;
	for (unsigned i = 0; i < 1500; i++)
		fixture_second(s, ++time, "a", 1, 10, 0);
	assert_int_equal(fixture_sum(s, "history_days", FIXTURE_START - 86400, to, HISTORY_USE_TX_BYTES, 0, NULL), 15000);
	assert_int_equal(fixture_sum(s, "history_months", FIXTURE_START - 86400, to, HISTORY_USE_TX_BYTES, 0, NULL), 15000);
	weir_store_close(s);
}

static void days_before_the_file_take_no_rows(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_history_question q = fixture_question("history_days", 0, FIXTURE_START + 100);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	(void)unused;
	fixture_many(s, FIXTURE_START + 1, 0, 450, 10);
	fixture_many(s, FIXTURE_START + 2, 450, 450, 10);
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	assert_int_equal(rows.n, 900);
	weir_snapshot_unref(snapshot);
	weir_store_close(s);
}

/* Today begins where the daemon's clocks say so, on days of 23 and of 25 hours as well. */
static void the_day_and_the_zone_are_told(void **unused)
{
	static const struct {
		uint64_t at, day;
		int64_t offset;
	} days[] = {
		{ 1795368307, 1795302000, 3600 },     /* 2026-11-22 18:25:07 +01:00 */
		{ 1795302000, 1795302000, 3600 },     /* its first second, */
		{ 1795301999, 1795215600, 3600 },     /* and the one before */
		{ 1774749600, 1774738800, 7200 },     /* 2026-03-29 04:00 +02:00, after three hours */
		{ 1792902600, 1792879200, 3600 },     /* 2026-10-25 05:30 +01:00, after six and a half */
	};
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_history_question q = fixture_question("history", 1, 2);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	(void)unused;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		q.from_ns = (days[i].at - 100000) * FIXTURE_NS;
		q.to_ns = (days[i].at + 1) * FIXTURE_NS; /* its end is not in it */
		assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
		assert_int_equal(span.day_ns, days[i].day * FIXTURE_NS);
		assert_int_equal(span.utc_offset_s, days[i].offset);
		weir_snapshot_unref(snapshot);
	}
	unsetenv("TZ");
	tzset();
	weir_store_close(s);
}

static uint64_t rates_of(struct weir_store *s, const char *filter, struct weir_viewer viewer)
{
	struct weir_history_question q = fixture_question("history_rates", FIXTURE_START, FIXTURE_START + 10);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	uint64_t sum = 0;

	q.viewer = viewer;
	snprintf(q.filter, sizeof(q.filter), "%s", filter);
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < rows.n; i++)
		sum += weir_cell_uint(&rows, i, HISTORY_RATES_TX_BYTES);
	weir_snapshot_unref(snapshot);
	return sum;
}

/* A bare word is looked for in names of programs; what is none of them may be that of a peer, or a port. */
static void a_curve_of_a_bare_word_is_of_what_has_it(void **unused)
{
	const struct weir_viewer all = { .sees_all = true }, own = { .uid = 2 };
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_history_sink *sink = weir_store_begin(s, (FIXTURE_START + 1) * FIXTURE_NS);

	(void)unused;
	for (unsigned uid = 1; uid <= 2; uid++) {
		struct weir_history_sample t = { .program = { .comm = "curl", .uid = uid }, .tx_bytes = 100 };

		sink->sample(sink, &t);
		t.kind = WEIR_HISTORY_PEER;
		t.peer_name = "shop.example";
		t.port = 443;
		t.tx_bytes = 70;
		sink->sample(sink, &t);
	}
	assert_int_equal(weir_store_commit(s), 0);
	assert_int_equal(rates_of(s, "curl", all), 200);
	assert_int_equal(rates_of(s, "443", all), 140);
	assert_int_equal(rates_of(s, "SHOP", all), 140);
	assert_int_equal(rates_of(s, "curl 443", all), 140);
	assert_int_equal(rates_of(s, "nobody", all), 0);
	assert_int_equal(rates_of(s, "443", own), 70);
	weir_store_close(s);
}

static void questions_without_sense_are_refused(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_history_question q =
		fixture_question("history_rates", FIXTURE_START, FIXTURE_START + 10);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	(void)unused;
	snprintf(q.filter, sizeof(q.filter), "no_such_word:1");
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), -EINVAL);
	q = fixture_question("history_rates", FIXTURE_START + 10, FIXTURE_START);
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), -EINVAL);
	q = fixture_question("processes", FIXTURE_START, FIXTURE_START + 10);
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), -ENOENT);
	memset(q.table, 'h', sizeof(q.table));
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), -EINVAL);
	/* All time, in seconds: the step is raised. */
	q = fixture_question("history_rates", 0, UINT32_MAX);
	q.step_ns = FIXTURE_NS;
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	assert_true(span.step_ns > FIXTURE_NS);
	weir_snapshot_unref(snapshot);
	weir_store_close(s);
}

static void an_answer_has_its_time(void **unused)
{
	const struct weir_store_options o = { .real_ns = FIXTURE_START * FIXTURE_NS, .answer_ms = 1 };
	struct weir_history_question q = fixture_question("history", FIXTURE_START, FIXTURE_START + 10);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	struct weir_store *s;
	int r = -ETIMEDOUT;

	(void)unused;
	assert_int_equal(weir_store_open(&o, &s), 0);
	for (unsigned i = 0; i < 8; i++)
		fixture_many(s, FIXTURE_START + i, i * 1000, 1000, 1);
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), -ETIMEDOUT);
	/* The next second, and the next question, are none the worse. */
	fixture_second(s, FIXTURE_START + 9, "a", 1, 1, 1);
	q = fixture_question("history_rates", FIXTURE_START, FIXTURE_START + 10);
	for (unsigned i = 0; i < 1000 && r == -ETIMEDOUT; i++)
		r = fixture_try(s, &q, &snapshot, &rows, &span);
	assert_int_equal(r, 0);
	assert_int_equal(rows.n, 10);
	weir_snapshot_unref(snapshot);
	weir_store_close(s);
}

static void another_version_is_kept_aside(void **unused)
{
	char folder[64], path[128];
	struct weir_store *s;
	sqlite3 *db;

	(void)unused;
	fixture_folder(folder);
	s = fixture_open(folder, FIXTURE_START, 0);
	fixture_second(s, FIXTURE_START + 1, "a", 1, 5, 0);
	weir_store_close(s);
	snprintf(path, sizeof(path), "%s/" WEIR_STORE_FILE, folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	s = fixture_open(folder, FIXTURE_START + 10, 0);
	assert_int_equal(fixture_sum(s, "history", FIXTURE_START, FIXTURE_START + 9,
				     HISTORY_TX_BYTES, 0, NULL),
			 0);
	assert_int_equal(fixture_events(s, "damaged"), 1);
	weir_store_close(s);
	assert_int_equal(fixture_files(folder, WEIR_STORE_FILE ".foreign-"), 1);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_too_old_goes),
		cmocka_unit_test(the_file_keeps_within_its_limit),
		cmocka_unit_test(the_longest_unseen_leave),
		cmocka_unit_test(an_hour_of_ten_thousand_programs),
		cmocka_unit_test(events_push_nothing_out),
		cmocka_unit_test(gaps_and_clocks_are_said),
		cmocka_unit_test(idle_seconds_after_a_clock_that_jumped_are_known),
		cmocka_unit_test(a_clock_that_jumped_ahead_for_a_moment_deletes_nothing),
		cmocka_unit_test(an_answer_has_its_time),
		cmocka_unit_test(what_was_carried_last_comes_back),
		cmocka_unit_test(others_programs_are_not_shown),
		cmocka_unit_test(events_of_nobody_are_for_those_who_see_all),
		cmocka_unit_test(what_found_no_room_is_an_unknown_share),
		cmocka_unit_test(what_was_before_weir_is_not_nothing),
		cmocka_unit_test(a_peers_change_has_its_port),
		cmocka_unit_test(today_is_whole_when_tomorrow_is_asked_for),
		cmocka_unit_test(days_before_the_file_take_no_rows),
		cmocka_unit_test(the_day_and_the_zone_are_told),
		cmocka_unit_test(a_curve_of_a_bare_word_is_of_what_has_it),
		cmocka_unit_test(questions_without_sense_are_refused),
		cmocka_unit_test(another_version_is_kept_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
