// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/refresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS 1000000ull

static void the_first_question_leaves_at_once_and_serves_all_who_came_with_it(void **state)
{
	(void)state;
	struct web_refresh r = { 0 };
	uint64_t serial;

	assert_false(web_refresh_due(&r, 5 * MS, &serial));
	assert_int_equal(web_refresh_wait_ns(&r, 5 * MS), UINT64_MAX);
	assert_int_equal(web_refresh_want(&r), 1);
	assert_int_equal(web_refresh_want(&r), 1);
	assert_true(web_refresh_due(&r, 5 * MS, &serial));
	assert_int_equal(serial, 1);
}

static void who_comes_later_waits_for_the_next(void **state)
{
	(void)state;
	struct web_refresh r = { 0 };
	uint64_t serial;

	web_refresh_want(&r);
	web_refresh_sent(&r, 1, 100 * MS);
	/* Under way: its snapshot may have been made before this one asked. */
	assert_int_equal(web_refresh_want(&r), 2);
	assert_false(web_refresh_due(&r, 150 * MS, &serial));
	web_refresh_answer(&r, 1);
	assert_true(web_refresh_due(&r, 150 * MS, &serial));
	assert_int_equal(serial, 2);
}

static void questions_keep_their_distance(void **state)
{
	(void)state;
	struct web_refresh r = { 0 };
	uint64_t serial;

	web_refresh_want(&r);
	web_refresh_sent(&r, 1, 100 * MS);
	web_refresh_answer(&r, 1);
	web_refresh_want(&r);
	assert_false(web_refresh_due(&r, 119 * MS, &serial));
	assert_int_equal(web_refresh_wait_ns(&r, 119 * MS), 1 * MS);
	assert_true(web_refresh_due(&r, 120 * MS, &serial));
	assert_int_equal(web_refresh_wait_ns(&r, 130 * MS), 0);
}

static void a_lost_question_is_asked_again(void **state)
{
	(void)state;
	struct web_refresh r = { 0 };
	uint64_t serial;

	web_refresh_want(&r);
	web_refresh_sent(&r, 1, 0);
	assert_false(web_refresh_due(&r, 999 * MS, &serial));
	assert_true(web_refresh_due(&r, 1000 * MS, &serial));
	assert_int_equal(serial, 2);
	web_refresh_sent(&r, 2, 1000 * MS);
	web_refresh_answer(&r, 2); /* answers the first as well */
	assert_int_equal(web_refresh_wait_ns(&r, 1000 * MS), UINT64_MAX);
}

static void an_answer_to_no_question_is_passed_over(void **state)
{
	(void)state;
	struct web_refresh r = { 0 };

	web_refresh_want(&r);
	web_refresh_sent(&r, 1, 0);
	web_refresh_answer(&r, UINT64_MAX);
	assert_int_equal(r.answered, 0);
	web_refresh_answer(&r, 1);
	web_refresh_answer(&r, 0); /* a tick */
	assert_int_equal(r.answered, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_question_leaves_at_once_and_serves_all_who_came_with_it),
		cmocka_unit_test(who_comes_later_waits_for_the_next),
		cmocka_unit_test(questions_keep_their_distance),
		cmocka_unit_test(a_lost_question_is_asked_again),
		cmocka_unit_test(an_answer_to_no_question_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
