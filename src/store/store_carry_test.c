// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/store_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "store/store_private.h"

/* Carried records when the file is lost, or the disk refuses. */

struct carried {
	unsigned n;
	uint64_t sum;
};

static void add_carried(void *ctx, const char *feature, uint16_t type, const void *key, size_t key_len, const void *bytes,
			size_t len)
{
	struct carried *c = ctx;
	uint64_t value;

	(void)feature;
	(void)type;
	(void)key;
	(void)key_len;
	assert_true(len >= sizeof(value));
	memcpy(&value, bytes, sizeof(value));
	c->n++;
	c->sum += value;
}

static void put_value(struct weir_store *s, uint64_t time, unsigned key, uint64_t value)
{
	weir_store_begin(s, time * FIXTURE_NS);
	weir_store_carry_put(s, "traffic", 3, &key, sizeof(key), &value, sizeof(value));
	assert_int_equal(weir_store_commit(s), 0);
}

static uint64_t lost(const struct weir_store *s)
{
	struct weir_store_status status;

	weir_store_status(s, &status);
	return status.carry_lost;
}

static void a_file_begun_anew_is_told(void **unused)
{
	struct carried c = { 0 };
	struct weir_store *s;
	char folder[64];

	(void)unused;
	fixture_folder(folder);
	s = fixture_open(folder, FIXTURE_START, 0);
	put_value(s, FIXTURE_START + 1, 1, 7);
	assert_int_equal(lost(s), 0);
	assert_int_equal(store_file_set_aside(s, false), 0);
	assert_int_equal(lost(s), 1);
	assert_int_equal(weir_store_carry_get(s, NULL, add_carried, &c), 0);
	assert_int_equal(c.n, 0);
	put_value(s, FIXTURE_START + 2, 1, 8);
	assert_int_equal(lost(s), 1);
	assert_int_equal(weir_store_carry_get(s, NULL, add_carried, &c), 0);
	assert_int_equal(c.sum, 8);
	weir_store_close(s);
	fixture_remove(folder);
}

static void what_found_no_room_is_told_once_there_is_some(void **unused)
{
	static const uint8_t bytes[WEIR_CARRY_BYTES_MAX] = { 1 };
	char folder[64], path[128];
	struct weir_store *s;

	(void)unused;
	fixture_folder(folder);
	snprintf(path, sizeof(path), "%s/later", folder);
	s = fixture_open(path, FIXTURE_START, 0);
	for (unsigned i = 0; i < 1000; i++) {
		weir_store_begin(s, (FIXTURE_START + 1 + i) * FIXTURE_NS);
		weir_store_carry_put(s, "traffic", 3, &i, sizeof(i), bytes, sizeof(bytes));
		assert_int_equal(weir_store_commit(s), 0);
	}
	/* Who put them again now would fill the memory again. */
	assert_int_equal(lost(s), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(weir_store_flush(s), 0);
	assert_int_equal(lost(s), 1);
	assert_int_equal(weir_store_flush(s), 0);
	assert_int_equal(lost(s), 1);
	weir_store_close(s);
	fixture_remove(path);
	fixture_remove(folder);
}

static void a_disk_that_refuses_keeps_nobody_from_reading(void **unused)
{
	struct carried c = { 0 };
	struct rlimit limit, none;
	struct weir_store *s;
	char folder[64];

	(void)unused;
	fixture_folder(folder);
	signal(SIGXFSZ, SIG_IGN);
	s = fixture_open(folder, FIXTURE_START, 0);
	/* Some are in the table, some in the log over it. */
	for (unsigned i = 0; i < 200; i++)
		put_value(s, FIXTURE_START + 1 + i, i % 50, i);
	weir_store_close(s);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	s = fixture_open(folder, FIXTURE_START + 300, 0);
	assert_int_equal(weir_store_carry_get(s, NULL, add_carried, &c), 0);
	assert_int_equal(c.n, 50);
	assert_int_equal(c.sum, 50 * 150 + 49 * 50 / 2);
	/* What waits counts, too. */
	put_value(s, FIXTURE_START + 301, 7, 1157);
	c = (struct carried){ 0 };
	assert_int_equal(weir_store_carry_get(s, "traffic", add_carried, &c), 0);
	assert_int_equal(c.n, 50);
	assert_int_equal(c.sum, 50 * 150 + 49 * 50 / 2 + 1000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	c = (struct carried){ 0 };
	assert_int_equal(weir_store_carry_get(s, NULL, add_carried, &c), 0);
	assert_int_equal(c.n, 50);
	assert_int_equal(lost(s), 0);
	weir_store_close(s);
	fixture_remove(folder);
}

/* What died with the process is not called a second. */
static void an_end_while_the_disk_refused_is_told(void **unused)
{
	struct weir_history_question q = fixture_question("history_events", 1, UINT32_MAX);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	struct rlimit limit, none;
	char folder[64], text[512] = "";
	struct weir_store *s;

	(void)unused;
	fixture_folder(folder);
	signal(SIGXFSZ, SIG_IGN);
	s = fixture_open(folder, FIXTURE_START, 0);
	fixture_second(s, FIXTURE_START + 1, "a", 1, 1, 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (unsigned i = 2; i < 100; i++)
		fixture_second(s, FIXTURE_START + i, "a", 1, 1, 1);
	weir_store_close(s);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (unsigned i = 0; i < 2; i++) {
		s = fixture_open(folder, FIXTURE_START + 200 + 10 * i, 0);
		fixture_second(s, FIXTURE_START + 201 + 10 * i, "a", 1, 1, 1);
		assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
		for (size_t k = rows.n; k-- > 0;)
			if (strcmp(weir_cell_text(&rows, k, HISTORY_EVENTS_KIND), "killed") == 0)
				snprintf(text, sizeof(text), "%s", weir_cell_text(&rows, k, HISTORY_EVENTS_SUMMARY));
		weir_snapshot_unref(snapshot);
		/* It is over once it can be written again. */
		assert_true((strstr(text, "could not be written") != NULL) == (i == 0));
		weir_store_close(s);
	}
	fixture_remove(folder);
}

static void what_cannot_be_read_is_an_error(void **unused)
{
	struct carried c = { 0 };
	char folder[64], path[128];
	struct weir_store *s;

	(void)unused;
	fixture_folder(folder);
	snprintf(path, sizeof(path), "%s/later", folder);
	s = fixture_open(path, FIXTURE_START, 0);
	assert_true(weir_store_carry_get(s, NULL, add_carried, &c) < 0);
	assert_int_equal(c.n, 0);
	weir_store_close(s);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_begun_anew_is_told),
		cmocka_unit_test(what_found_no_room_is_told_once_there_is_some),
		cmocka_unit_test(a_disk_that_refuses_keeps_nobody_from_reading),
		cmocka_unit_test(an_end_while_the_disk_refused_is_told),
		cmocka_unit_test(what_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
