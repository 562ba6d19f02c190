// SPDX-License-Identifier: GPL-2.0-or-later
#include <sqlite3.h>

#include "store/store_fixture.h"

/* What is told as an event, how often, and how an answer sums it up. */

/* Of all events of a kind, however they are told; step 0: one by one. */
static uint64_t counted(struct weir_store *s, const char *kind, uint64_t step, unsigned *ret_rows)
{
	struct weir_history_question q = fixture_question("history_events", 1, UINT32_MAX);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	uint64_t sum = 0;

	q.step_ns = step * FIXTURE_NS;
	*ret_rows = 0;
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < rows.n; i++) {
		const char *summary = weir_cell_text(&rows, i, HISTORY_EVENTS_SUMMARY);
		uint64_t n = weir_cell_uint(&rows, i, HISTORY_EVENTS_COUNT);
		unsigned said;

		if (strcmp(weir_cell_text(&rows, i, HISTORY_EVENTS_KIND), kind) != 0)
			continue;
		if (sscanf(summary, "and %u more program", &said) == 1)
			assert_int_equal(n, said); /* also where rests of several minutes are one row */
		sum += n;
		++*ret_rows;
	}
	weir_snapshot_unref(snapshot);
	return sum;
}

static void a_flood_of_new_programs_is_a_few_events(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);

	(void)unused;
	fixture_second(s, FIXTURE_START + 1, "curl", 1, 1, 1);
	fixture_second(s, FIXTURE_START + 2, "curl", 1, 1, 1);
	assert_int_equal(fixture_events(s, "first_seen"), 1);
	fixture_many(s, FIXTURE_START + 3, 0, 10000, 1);
	/* Some one by one, and how many there were besides. */
	assert_int_equal(fixture_events(s, "first_seen"), 1 + 64 + 1);
	assert_int_equal(fixture_sum(s, "history", FIXTURE_START, FIXTURE_START + 9,
				     HISTORY_TX_BYTES, 0, NULL),
			 10002);
	weir_store_close(s);
}

static void a_rest_of_one_is_said_as_one(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	unsigned said = 0;

	(void)unused;
	fixture_many(s, FIXTURE_START + 3, 0, 65, 1);
	snapshot = fixture_all_events(s, &rows);
	for (size_t i = 0; i < rows.n; i++)
		said += !strcmp(weir_cell_text(&rows, i, HISTORY_EVENTS_SUMMARY),
				"and 1 more program was seen for the first time, or began to listen");
	assert_int_equal(said, 1);
	weir_snapshot_unref(snapshot);
	weir_store_close(s);
}

/* What the rests say, and who was told one by one. */
static unsigned told_in_all(struct weir_store *s, unsigned *ret_rows)
{
	struct weir_rows rows;
	struct weir_snapshot *snapshot = fixture_all_events(s, &rows);
	unsigned sum = 0;

	*ret_rows = 0;
	for (size_t i = 0; i < rows.n; i++) {
		const char *kind = weir_cell_text(&rows, i, HISTORY_EVENTS_KIND);
		unsigned n = 1;

		if (strcmp(kind, "first_seen") != 0 && strcmp(kind, "listening") != 0)
			continue;
		sscanf(weir_cell_text(&rows, i, HISTORY_EVENTS_SUMMARY), "and %u more program", &n);
		sum += n;
		++*ret_rows;
	}
	weir_snapshot_unref(snapshot);
	return sum;
}

/* However much happened in its last minute, an answer reaches over the span. */
static void alike_events_of_a_step_are_one_row(void **unused)
{
	struct weir_history_question q = fixture_question("history_events", 1, UINT32_MAX);
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	uint64_t time = FIXTURE_START - FIXTURE_START % 60 + 60, sum = 0, finding = 0;
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	(void)unused;
	for (unsigned i = 0; i < 600; i++) {
		struct weir_history_sink *sink = weir_store_begin(s, time++ * FIXTURE_NS);

		for (unsigned k = 0; k < 20; k++)
			fixture_event(sink, WEIR_HISTORY_FINDING, 1000 + k % 2);
		assert_int_equal(weir_store_commit(s), 0);
	}
	q.step_ns = 60 * FIXTURE_NS;
	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	assert_int_equal(span.step_ns, q.step_ns);
	for (size_t i = 0; i < rows.n; i++) {
		sum += weir_cell_uint(&rows, i, HISTORY_EVENTS_COUNT);
		if (strcmp(weir_cell_text(&rows, i, HISTORY_EVENTS_KIND), "finding") == 0) {
			assert_int_equal(weir_cell_uint(&rows, i, HISTORY_EVENTS_COUNT), 600);
			assert_string_equal(weir_cell_text(&rows, i, HISTORY_EVENTS_PROGRAM), "nc");
			finding++;
		}
	}
	assert_int_equal(finding, 2 * 10);
	assert_int_equal(sum, 12000 + 2); /* weir started, and did not run for a minute */
	/* The latest first, with its time. */
	assert_int_equal(weir_cell_uint(&rows, 0, HISTORY_EVENTS_TIME), (time - 1) * FIXTURE_NS);
	weir_snapshot_unref(snapshot);
	weir_store_close(s);
}

/* Each run of a container that nobody gave a name is another one; its programs are none that were never seen. */
static void programs_of_nameless_containers_are_new_once(void **unused)
{
	char folder[64], id[16];
	uint64_t time = FIXTURE_START;
	struct weir_store *s;

	(void)unused;
	fixture_folder(folder);
	s = fixture_open(folder, time, 0);
	for (unsigned i = 0; i < 100; i++) {
		if (i == 50) {
			weir_store_close(s);
			s = fixture_open(folder, time, 0);
		}
		snprintf(id, sizeof(id), "%012x", i);
		for (unsigned uid = 1; uid <= 2; uid++) {
			struct weir_history_sink *sink = weir_store_begin(s, ++time * FIXTURE_NS);
			const struct weir_history_sample t = { .program = { .comm = "sh", .uid = uid, .container_id = id,
									    .container_name = i == 99 ? "shop" : NULL },
							       .tx_bytes = 1 };

			sink->sample(sink, &t);
			assert_int_equal(weir_store_commit(s), 0);
		}
	}
	/* Of each owner one without a name, and the one that has one. */
	assert_int_equal(fixture_events(s, "first_seen"), 4);
	/* They are told apart all the same. */
	assert_int_equal(fixture_sum(s, "history", FIXTURE_START, time + 1, HISTORY_TX_BYTES, HISTORY_CONTAINER_ID,
				     "000000000007"),
			 2);
	weir_store_close(s);
	fixture_remove(folder);
}

static void a_user_tells_so_much_and_no_more(void **unused)
{
	struct weir_store *s = fixture_open(NULL, FIXTURE_START, 0);
	uint64_t time = FIXTURE_START;
	unsigned rows;

	(void)unused;
	for (unsigned i = 0; i < 1000; i++) {
		struct weir_history_sink *sink = weir_store_begin(s, time++ * FIXTURE_NS);

		for (unsigned k = 0; k < 25; k++)
			fixture_event(sink, WEIR_HISTORY_LISTENING, 1000);
		if (i == 999)
			fixture_event(sink, WEIR_HISTORY_LISTENING, 1001);
		assert_int_equal(weir_store_commit(s), 0);
	}
	/* Sixty-four, then one in ten seconds, and how many more there were once a minute. */
	assert_int_equal(fixture_events_of(s, 1000), 64 + 99 + 17);
	assert_int_equal(fixture_events_of(s, 1001), 1);
	/* All are counted, within a minute. */
	fixture_second(s, time + 60, "a", 1, 1, 1);
	assert_int_equal(told_in_all(s, &rows), 25000 + 2);
	assert_int_equal(rows, 64 + 99 + 17 + 1 + 2);
	/* A clock that is set back makes nobody wait. */
	for (unsigned i = 0; i < 120; i++) {
		struct weir_history_sink *sink = weir_store_begin(s, (FIXTURE_START - 86400 + i) * FIXTURE_NS);

		fixture_event(sink, WEIR_HISTORY_LISTENING, 1000);
		assert_int_equal(weir_store_commit(s), 0);
	}
	assert_true(told_in_all(s, &rows) > 25000 + 2 + 50);
	weir_store_close(s);
}

/* Rests of several minutes are one row of a step, a rest of one program among them. */
static void rests_of_a_step_are_added_up(void **unused)
{
	uint64_t time = FIXTURE_START - FIXTURE_START % 3600 + 3600;
	struct weir_store *s = fixture_open(NULL, time, 0);
	unsigned each, alike;

	(void)unused;
	fixture_many(s, time + 1, 0, 64 + 1, 1);
	fixture_many(s, time + 62, 1000, 6 + 200, 1);
	fixture_many(s, time + 123, 2000, 6 + 100, 1);
	assert_int_equal(counted(s, "first_seen", 0, &each), 65 + 206 + 106);
	assert_int_equal(each, 64 + 6 + 6 + 3);
	assert_int_equal(counted(s, "first_seen", 3600, &alike), 65 + 206 + 106);
	assert_int_equal(alike, 64 + 6 + 6 + 1);
	weir_store_close(s);
}

/* One that fills its room to the last page is none the worse. */
static void an_older_file_that_is_full_gets_what_it_lacks(void **unused)
{
	static const char old[] = "ALTER TABLE event DROP COLUMN many; DELETE FROM event;"
				  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<60000)"
				  "INSERT INTO event(time,kind,uid,program,summary) SELECT 1790028000000000000+i,0,1000,NULL,"
				  "'and 1000 more programs were seen for the first time, or began to listen' FROM n; VACUUM;";
	char folder[64], path[128];
	struct weir_store *s;
	unsigned rows;
	sqlite3 *db;

	(void)unused;
	fixture_folder(folder);
	weir_store_close(fixture_open(folder, FIXTURE_START, 0));
	snprintf(path, sizeof(path), "%s/" WEIR_STORE_FILE, folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, old, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	s = fixture_open(folder, FIXTURE_START + 10, WEIR_STORE_SIZE_MIN); /* less than there is */
	assert_int_equal(counted(s, "first_seen", 86400, &rows), 60000 * 1000);
	weir_store_close(s);
	fixture_remove(folder);
}

/* A file of before: that an event stands for many is said by its sentence alone. */
static void events_of_an_older_file_count_as_they_say(void **unused)
{
	char folder[64], path[128];
	struct weir_store *s;
	unsigned rows;
	sqlite3 *db;

	(void)unused;
	fixture_folder(folder);
	s = fixture_open(folder, FIXTURE_START, 0);
	fixture_many(s, FIXTURE_START + 3, 0, 300, 1);
	weir_store_close(s);
	snprintf(path, sizeof(path), "%s/" WEIR_STORE_FILE, folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "ALTER TABLE event DROP COLUMN many", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	for (unsigned i = 0; i < 2; i++) { /* once and for all */
		s = fixture_open(folder, FIXTURE_START + 10 + i, 0);
		assert_int_equal(counted(s, "first_seen", 0, &rows), 300);
		assert_int_equal(counted(s, "first_seen", 86400, &rows), 300);
		assert_int_equal(fixture_events(s, "damaged"), 0);
		weir_store_close(s);
	}
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_new_programs_is_a_few_events),
		cmocka_unit_test(a_rest_of_one_is_said_as_one),
		cmocka_unit_test(alike_events_of_a_step_are_one_row),
		cmocka_unit_test(programs_of_nameless_containers_are_new_once),
		cmocka_unit_test(a_user_tells_so_much_and_no_more),
		cmocka_unit_test(rests_of_a_step_are_added_up),
		cmocka_unit_test(events_of_an_older_file_count_as_they_say),
		cmocka_unit_test(an_older_file_that_is_full_gets_what_it_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
