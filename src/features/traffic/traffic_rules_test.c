// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants the headers above first. */
#include <cmocka.h>

#include "base/cleanup.h"
#include "features/traffic/traffic_rules.h"

#define GIB (1ull << 30)

static void test_extend(void **state)
{
	static const struct {
		const char *sentence;
		uint32_t low;
		uint64_t about, want;
	} rows[] = {
		{ "an exact counter stays", 5000, 5000, 5000 },
		{ "a counter that lags by a segment is set right", 6448, 5000, 6448 },
		{ "a counter that runs ahead by a segment is set right", 5000, 6448, 5000 },
		{ "after one round the counter says which", 100, 4 * GIB + 90, 4 * GIB + 100 },
		{ "just before a round the number is below", 0xffffff00u, 4 * GIB + 10, 0xffffff00u },
		{ "just after a round the number is above", 0x10, 4 * GIB - 20, 4 * GIB + 0x10 },
		{ "many rounds are no matter", 7, 4000 * GIB, 4000 * GIB + 7 },
		{ "nothing is nothing", 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (traffic_extend(rows[i].low, rows[i].about) != rows[i].want)
			fail_msg("%s: %llu", rows[i].sentence,
				 (unsigned long long)traffic_extend(rows[i].low, rows[i].about));
}

/* Any true count, read as its low half beside a counter that is off by less than half a round. */
static void test_extend_finds_every_count(void **state)
{
	uint64_t seed = 88172645463325252ull;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t count;
		int64_t off;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		count = (seed >> 8) + (1ull << 32);
		off = (int64_t)(seed % (1ull << 31)) - (1ll << 30);
		assert_true(traffic_extend((uint32_t)count, count + (uint64_t)off) == count);
	}
}

static void test_fin_takes_a_number(void **state)
{
	/* ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING */
	static const bool want[] = { 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1 };

	(void)state;
	for (uint8_t s = 1; s < ARRAY_SIZE(want); s++)
		assert_int_equal(traffic_fin_sent(s), want[s]);
}

static void test_effective(void **state)
{
	static const struct {
		const char *sentence;
		uint64_t hook, tcp;
		bool based, shared, urgent;
		uint64_t want;
	} rows[] = {
		{ "both agree", 100, 100, true, false, false, 100 },
		{ "a call that has not returned is counted by TCP", 100, 150, true, false, false, 150 },
		{ "what a socket map carried is counted by the calls", 150, 0, true, false, false, 150 },
		{ "without a known start TCP says nothing", 100, 999, false, false, false, 100 },
		{ "whose the gap is cannot be told among several", 100, 150, true, true, false, 100 },
		{ "an urgent byte that was passed over is not taken", 2000, 2001, true, false, true, 2000 },
		{ "urgent data does not hide a splice", 2000, 12000, true, false, true, 12000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (traffic_effective(rows[i].hook, rows[i].tcp, rows[i].based, rows[i].shared, rows[i].urgent) !=
		    rows[i].want)
			fail_msg("%s", rows[i].sentence);
}

static void test_jiffies_are_told_by_comparing_clocks(void **state)
{
	static const struct {
		const char *sentence;
		uint64_t jiffies, ns, want;
	} rows[] = {
		{ "too early to tell is taken as the usual", 3, 3000000, 4000 },
		{ "nothing is taken as the usual", 0, 0, 4000 },
		{ "HZ=1000", 5000, 5003000000, 1000 },
		{ "HZ=300", 300, 1001000000, 3333 },
		{ "HZ=250", 250, 1003000000, 4000 },
		{ "HZ=100", 100, 1009000000, 10000 },
		{ "one jiffy off at the earliest moment", 17, 64000000, 4000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (traffic_jiffy_us(rows[i].jiffies, rows[i].ns) != rows[i].want)
			fail_msg("%s", rows[i].sentence);
}

static void test_overlap(void **state)
{
	(void)state;
	assert_int_equal(traffic_overlap(1000, 400, 5000), 600); /* 600 of the call were before */
	assert_int_equal(traffic_overlap(1000, 1000, 5000), 0);
	assert_int_equal(traffic_overlap(1000, 0, 5000), 0); /* all past TCP: a socket map */
	assert_int_equal(traffic_overlap(9000, 400, 5000), 0); /* more than there was before */
}

static void test_passed(void **state)
{
	(void)state;
	assert_false(traffic_passed(100, 10, 0));
	assert_false(traffic_passed(100, 10, 100)); /* the next byte */
	assert_true(traffic_passed(100, 10, 99));
	assert_true(traffic_passed(100, 10, 90));
	assert_false(traffic_passed(100, 10, 89));
	assert_false(traffic_passed(100, 0, 99));
	assert_true(traffic_passed(3, 10, 0xfffffffeu)); /* across the wrap */
	assert_false(traffic_passed(3, 4, 0xfffffffeu));
}

/* TCP_ESTABLISHED 1, FIN_WAIT1 4, CLOSE 7, CLOSE_WAIT 8, LAST_ACK 9 */
static void test_a_fin_is_no_byte(void **state)
{
	(void)state;
	assert_false(traffic_fin_possible(1, false));
	assert_false(traffic_fin_possible(8, false));
	assert_true(traffic_fin_possible(4, false));
	assert_true(traffic_fin_possible(9, true));
	assert_false(traffic_fin_possible(7, true));
	assert_true(traffic_fin_possible(7, false)); /* its end was passed over */
}

/* As hooks and tasks interrupt each other: who took first may be done before who took later. */
static void test_none_is_taken_twice(void **state)
{
	__u64 taken[3] = { 0 };

	(void)state;
	assert_int_equal(traffic_take_free(taken, 3), 0);
	assert_int_equal(traffic_take_free(taken, 3), 1);
	taken[0] = 0;
	assert_int_equal(traffic_take_free(taken, 3), 0);
	assert_int_equal(traffic_take_free(taken, 3), 2);
	assert_int_equal(traffic_take_free(taken, 3), 3);
	taken[1] = 0;
	assert_int_equal(traffic_take_free(taken, 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed),
		cmocka_unit_test(test_extend),
		cmocka_unit_test(test_extend_finds_every_count),
		cmocka_unit_test(test_fin_takes_a_number),
		cmocka_unit_test(test_effective),
		cmocka_unit_test(test_jiffies_are_told_by_comparing_clocks),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_none_is_taken_twice),
		cmocka_unit_test(test_a_fin_is_no_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
