// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "core/query.h"
#include "core/table_fixture.h"
#include "core/tables.h"

static const struct weir_snapshot_head head = { .number = 1 };
static struct weir_builder *builder;
static struct weir_snapshot *snapshot;
static struct weir_rows rows;

static int make_builder(void **state)
{
	(void)state;
	builder = weir_builder_new();
	if (builder)
		weir_builder_table(builder, &fixture_table);
	return !builder;
}

static int free_all(void **state)
{
	(void)state;
	builder = weir_builder_free(builder);
	snapshot = weir_snapshot_unref(snapshot);
	return 0;
}

static void finish(void)
{
	assert_int_equal(weir_builder_finish(builder, &head, &snapshot), 0);
	assert_int_equal(weir_snapshot_rows(snapshot, &fixture_table, &rows), 0);
}

static struct weir_query query_of_root(void)
{
	struct weir_query q;

	weir_query_init(&q, &fixture_table);
	q.viewer.sees_all = true;
	return q;
}

/* The selected rows' indexes as text: "2 0 1 of 5". */
static const char *selected(const struct weir_query *q)
{
	static char text[256];
	struct weir_buf b = { 0 };
	uint32_t *index = NULL;
	size_t n = 99, total = 99;

	assert_int_equal(weir_query_run(q, &rows, &index, &n, &total), 0);
	for (size_t i = 0; i < n; i++)
		weir_buf_printf(&b, "%u ", index[i]);
	weir_buf_printf(&b, "of %zu", total);
	assert_true(b.len < sizeof(text));
	memcpy(text, b.data, b.len + 1);
	weir_buf_done(&b);
	assert_int_equal(!index, !n);
	free(index);
	return text;
}

static void row(uint64_t bytes)
{
	weir_builder_row(builder, 1000, 1);
	weir_builder_uint(builder, FIXTURE_BYTES, bytes);
}

static void the_default_is_the_largest_first_and_ties_keep_their_order(void **state)
{
	struct weir_query q = query_of_root();

	(void)state;
	row(5);
	row(9);
	row(5);
	weir_builder_row(builder, 1000, 1); /* null */
	row(UINT64_MAX);
	row(0);
	finish();
	assert_string_equal(selected(&q), "4 1 0 2 5 3 of 6");
	q.ascending = true;
	assert_string_equal(selected(&q), "5 0 2 1 4 3 of 6"); /* null stays last */
	q.sort_field = WEIR_SORT_NONE;
	assert_string_equal(selected(&q), "0 1 2 3 4 5 of 6");
}

static void a_table_may_be_in_the_order_of_a_sum(void **state)
{
	struct weir_table sum = fixture_table;
	struct weir_query q;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		row(i == 1 ? 0 : 10 * i);
		weir_builder_uint(builder, FIXTURE_TCP_RX, i == 1 ? 30 : 1);
	}
	finish();
	sum.sort_plus = FIXTURE_TCP_RX;
	weir_query_init(&q, &sum);
	q.viewer.sees_all = true;
	assert_string_equal(selected(&q), "1 2 0 of 3");
}

static void each_type_has_its_order(void **state)
{
	static const struct {
		int64_t delta;
		bool live;
		const char *comm, *peer;
	} list[] = {
		{ 5, true, "abcdefgh2", "10.0.0.2" },
		{ -5, false, "abcdefgh10", "9.255.0.1" },
		{ INT64_MIN, true, "b", "2001:db8::2" },
		{ 0, false, "", "2001:db8::1" },
		{ INT64_MAX, true, "\xff", NULL },
	};
	struct weir_query q = query_of_root();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct weir_addr a;

		weir_builder_row(builder, 0, 0);
		weir_builder_int(builder, FIXTURE_DELTA, list[i].delta);
		weir_builder_bool(builder, FIXTURE_LIVE, list[i].live);
		weir_builder_text(builder, FIXTURE_COMM, list[i].comm);
		if (!list[i].peer)
			continue;
		assert_int_equal(weir_addr_parse(list[i].peer, &a), 0);
		weir_builder_address(builder, FIXTURE_PEER, &a);
	}
	finish();
	q.sort_field = FIXTURE_DELTA;
	assert_string_equal(selected(&q), "4 0 3 1 2 of 5");
	q.sort_field = FIXTURE_LIVE;
	assert_string_equal(selected(&q), "0 2 4 1 3 of 5");
	q.sort_field = FIXTURE_COMM;
	assert_string_equal(selected(&q), "4 2 0 1 3 of 5");
	q.sort_field = FIXTURE_PEER;
	assert_string_equal(selected(&q), "2 3 0 1 4 of 5");
	q.ascending = true;
	assert_string_equal(selected(&q), "1 0 3 2 4 of 5");
	q.sort_field = FIXTURE_COMM;
	assert_string_equal(selected(&q), "3 1 0 2 4 of 5");
}

static void a_page_of_the_rows(void **state)
{
	struct weir_query q = query_of_root();

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		row(10 - i);
	finish();
	q.limit = 2;
	assert_string_equal(selected(&q), "0 1 of 5");
	q.offset = 4;
	assert_string_equal(selected(&q), "4 of 5");
	q.offset = 5;
	assert_string_equal(selected(&q), "of 5");
	q.offset = SIZE_MAX;
	q.limit = SIZE_MAX;
	assert_string_equal(selected(&q), "of 5");
	q.offset = 3;
	assert_string_equal(selected(&q), "3 4 of 5");
	q.offset = 0;
	q.limit = 0;
	assert_string_equal(selected(&q), "of 5");
}

/* With a small limit only a heap's worth is sorted: the result must be the beginning of the whole order. */
static void a_limit_gives_the_beginning_of_the_whole_order(void **state)
{
	struct weir_query q = query_of_root();
	uint32_t *whole = NULL;
	size_t n, total;
	uint64_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		row(seed >> 57); /* many ties */
	}
	finish();
	assert_int_equal(weir_query_run(&q, &rows, &whole, &n, &total), 0);
	for (size_t i = 1; i < n; i++) {
		uint64_t a = weir_cell_uint(&rows, whole[i - 1], FIXTURE_BYTES);
		uint64_t b = weir_cell_uint(&rows, whole[i], FIXTURE_BYTES);

		assert_true(a > b || (a == b && whole[i - 1] < whole[i]));
	}
	for (q.limit = 1; q.limit < 300; q.limit += 7) {
		for (q.offset = 0; q.offset < 1100; q.offset += 97) {
			uint32_t *part = NULL;

			assert_int_equal(weir_query_run(&q, &rows, &part, &n, &total), 0);
			assert_int_equal(total, 1000);
			if (n)
				assert_memory_equal(part, whole + q.offset, n * sizeof(*part));
			free(part);
		}
	}
	free(whole);
}

static void who_sees_what(void **state)
{
	struct weir_query q;

	(void)state;
	weir_builder_row(builder, 0, 0);
	weir_builder_row(builder, 1000, 0);
	weir_builder_row(builder, 1001, 0);
	weir_builder_row(builder, WEIR_UID_HOST, 0);
	weir_builder_row(builder, 1000, 0);
	finish();
	weir_query_init(&q, &fixture_table);
	assert_string_equal(selected(&q), "of 0"); /* nobody yet */
	q.viewer.uid = 1000;
	assert_string_equal(selected(&q), "1 4 of 2");
	q.viewer.uid = 0; /* root is who sees all by .sees_all, not by its number */
	assert_string_equal(selected(&q), "0 of 1");
	q.viewer.uid = WEIR_UID_HOST;
	assert_string_equal(selected(&q), "of 0");
	q.viewer.sees_all = true;
	assert_string_equal(selected(&q), "0 1 2 3 4 of 5");
}

static void everybody_sees_the_hosts_tables(void **state)
{
	struct weir_query q;
	uint32_t *index = NULL;
	size_t n, total;

	(void)state;
	weir_builder_table(builder, &weir_table_doctor);
	weir_builder_row(builder, WEIR_UID_HOST, 0);
	finish();
	assert_int_equal(weir_snapshot_rows(snapshot, &weir_table_doctor, &rows), 0);
	weir_query_init(&q, &weir_table_doctor);
	q.viewer.uid = 1000;
	assert_int_equal(weir_query_run(&q, &rows, &index, &n, &total), 0);
	assert_int_equal(n, 1);
	free(index);
}

static void only_what_changed(void **state)
{
	struct weir_query q = query_of_root();

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		weir_builder_row(builder, 0, i);
	finish();
	q.changed_since = 2;
	assert_string_equal(selected(&q), "3 4 of 2");
	q.changed_since = 4;
	assert_string_equal(selected(&q), "of 0");
	q.changed_since = 0;
	assert_string_equal(selected(&q), "0 1 2 3 4 of 5");
}

static void filter_and_sort_together(void **state)
{
	struct weir_query q = query_of_root();
	struct weir_filter *f = NULL;
	char *error = NULL;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		row(i);
	finish();
	assert_int_equal(weir_filter_parse(&fixture_table, "tx_bytes:>1 not tx_bytes:4", &f, &error), 0);
	q.filter = f;
	q.limit = 2;
	assert_string_equal(selected(&q), "5 3 of 3");
	weir_filter_free(f);
}

static void add_sums_row(uint64_t pid, uint64_t sent, int64_t udp, uint64_t rtt)
{
	weir_builder_row(builder, 0, 1);
	weir_builder_uint(builder, FIXTURE_PID, pid);
	weir_builder_uint(builder, FIXTURE_BYTES, sent);
	if (udp >= 0)
		weir_builder_uint(builder, FIXTURE_UDP_TX, (uint64_t)udp);
	weir_builder_uint(builder, FIXTURE_SRTT_US, rtt);
}

/* Neither the ten that sent most nor the ten that received most need to hold the ten that moved most. */
static void sort_by_a_sum_and_then_by_another(void **state)
{
	struct weir_query q = query_of_root();
	char *error = NULL;

	(void)state;
	add_sums_row(1, 6, 5, 0);	      /* 0: 11 */
	add_sums_row(2, 10, -1, 7);	      /* 1: 10, one is null */
	add_sums_row(3, 0, 11, 9);	      /* 2: 11 */
	add_sums_row(4, UINT64_MAX, 2, 0);    /* 3: more than a number holds */
	finish();
	assert_int_equal(weir_query_sort(&q, &fixture_table, "tx_bytes+by_transport.udp.tx_bytes", &error), 0);
	assert_string_equal(selected(&q), "3 0 2 1 of 4");
	assert_int_equal(weir_query_sort(&q, &fixture_table, "tx_bytes+by_transport.udp.tx_bytes,srtt_us", &error), 0);
	assert_string_equal(selected(&q), "3 2 0 1 of 4");
	assert_int_equal(weir_query_sort(&q, &fixture_table, "-tx_bytes+by_transport.udp.tx_bytes,srtt_us+pid", &error),
			 0);
	assert_string_equal(selected(&q), "1 0 2 3 of 4");
	assert_int_equal(weir_query_sort(&q, &fixture_table, "tx_bytes by_transport.udp.tx_bytes", &error), 0);
	assert_string_equal(selected(&q), "3 0 2 1 of 4");
	q.limit = 1;
	q.offset = 1;
	assert_int_equal(weir_query_sum(&q, &rows, FIXTURE_SRTT_US), 16);
	assert_int_equal(weir_query_sum(&q, &rows, FIXTURE_UDP_TX), 18);
	assert_true(weir_query_sum(&q, &rows, FIXTURE_BYTES) == UINT64_MAX);
}

static void what_cannot_be_added_up(void **state)
{
	static const char *const sorts[] = { "tx_bytes+comm", "delta+tx_bytes", "tx_bytes+", "+tx_bytes", "pid,",
					     "pid,comm,tx_bytes", "pid,-comm", ",pid" };
	struct weir_query q = query_of_root();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++) {
		char *error = NULL;

		assert_int_equal(weir_query_sort(&q, &fixture_table, sorts[i], &error), -EINVAL);
		assert_non_null(error);
		free(error);
	}
	char *error = NULL;

	assert_int_equal(q.sort_field, FIXTURE_BYTES);
	assert_int_equal(weir_query_sums(&q, &fixture_table, "tx_bytes,comm", &error), -EINVAL);
	assert_string_equal(error, "comm is no whole number, so it cannot be added up");
	free(error);
	assert_int_equal(weir_query_sums(&q, &fixture_table, "", &error), -EINVAL);
	free(error);
	assert_true(q.sums == 0);
	assert_int_equal(weir_query_sums(&q, &fixture_table, "tx_bytes,srtt_us", &error), 0);
	assert_true(q.sums == (1ull << FIXTURE_BYTES | 1ull << FIXTURE_SRTT_US));
}

static void sort_from_text(void **state)
{
	struct weir_query q = query_of_root();
	char *error = NULL;

	(void)state;
	assert_int_equal(weir_query_sort(&q, &fixture_table, "pid", &error), 0);
	assert_int_equal(q.sort_field, FIXTURE_PID);
	assert_false(q.ascending);
	assert_int_equal(weir_query_sort(&q, &fixture_table, "-by_transport.tcp.tx_bytes", &error), 0);
	assert_int_equal(q.sort_field, FIXTURE_TCP_TX);
	assert_true(q.ascending);

	assert_int_equal(weir_query_sort(&q, &fixture_table, "tx_byte", &error), -EINVAL);
	assert_int_equal(q.sort_field, FIXTURE_TCP_TX);
	assert_non_null(strstr(error, "unknown field to sort by \"tx_byte\", did you mean \"tx_bytes\"? fixture has: pid,"));
	assert_null(strstr(error, "process")); /* a word of the filter, not a field */
	free(error);
	assert_int_equal(weir_query_sort(&q, &fixture_table, "", &error), -EINVAL);
	free(error);
	assert_int_equal(weir_query_sort(&q, &fixture_table, "--pid", &error), -EINVAL);
	free(error);
	assert_int_equal(weir_query_sort(&q, &fixture_table, "by_transport", &error), -EINVAL);
	free(error);
}

static void fields_from_text(void **state)
{
	static const struct {
		const char *text;
		uint64_t fields; /* 0: refused */
	} list[] = {
		{ "pid", 1 << FIXTURE_PID },
		{ "pid,comm,pid", 1 << FIXTURE_PID | 1 << FIXTURE_COMM },
		{ "by_transport.tcp", 1 << FIXTURE_TCP_TX | 1 << FIXTURE_TCP_RX },
		{ "by_transport", 1 << FIXTURE_TCP_TX | 1 << FIXTURE_TCP_RX | 1 << FIXTURE_UDP_TX | 1 << FIXTURE_NOTE },
		{ "by_transport.tcp.tx_bytes", 1 << FIXTURE_TCP_TX },
		{ "", 0 },
		{ "pid,", 0 },
		{ ",pid", 0 },
		{ "pi", 0 },
		{ "by_transport.", 0 },
		{ "by_trans", 0 },
		{ "process", 0 },
		{ "pid comm", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct weir_query q = query_of_root();
		uint64_t before = q.fields;
		char *error = NULL;
		int r = weir_query_fields(&q, &fixture_table, list[i].text, &error);

		if (r != (list[i].fields ? 0 : -EINVAL) || q.fields != (list[i].fields ? list[i].fields : before))
			fail_msg("\"%s\": %d", list[i].text, r);
		assert_int_equal(r < 0, error != NULL);
		free(error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_default_is_the_largest_first_and_ties_keep_their_order,
						make_builder, free_all),
		cmocka_unit_test_setup_teardown(a_table_may_be_in_the_order_of_a_sum, make_builder, free_all),
		cmocka_unit_test_setup_teardown(each_type_has_its_order, make_builder, free_all),
		cmocka_unit_test_setup_teardown(a_page_of_the_rows, make_builder, free_all),
		cmocka_unit_test_setup_teardown(a_limit_gives_the_beginning_of_the_whole_order, make_builder,
						free_all),
		cmocka_unit_test_setup_teardown(who_sees_what, make_builder, free_all),
		cmocka_unit_test_setup_teardown(everybody_sees_the_hosts_tables, make_builder, free_all),
		cmocka_unit_test_setup_teardown(only_what_changed, make_builder, free_all),
		cmocka_unit_test_setup_teardown(filter_and_sort_together, make_builder, free_all),
		cmocka_unit_test_setup_teardown(sort_from_text, make_builder, free_all),
		cmocka_unit_test_setup_teardown(sort_by_a_sum_and_then_by_another, make_builder, free_all),
		cmocka_unit_test_setup_teardown(what_cannot_be_added_up, make_builder, free_all),
		cmocka_unit_test_setup_teardown(fields_from_text, make_builder, free_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
