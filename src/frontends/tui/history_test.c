// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "frontends/tui/history.h"

static const struct tui_id one = { 1, 1 }, two = { 2, 2 };

/* The curve as text: "-" unknown, else the rate. */
static const char *curve(const struct tui_history *h, struct tui_id id, uint64_t second,
			 unsigned width)
{
	static char text[1024];
	float v[256], peak;
	size_t len = 0;

	tui_samples_curve(tui_history_of(h, id), TUI_SAMPLES_SUM, second, width, v, &peak);
	for (unsigned i = 0; i < width; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, v[i] < 0 ? "-" : "%.0f ",
					(double)v[i]);
	snprintf(text + len, sizeof(text) - len, "peak %.0f", (double)peak);
	return text;
}

static void a_column_is_the_largest_of_its_seconds(void **state)
{
	struct tui_history *h = tui_history_new();

	(void)state;
	for (uint64_t t = 1000; t < 1060; t++)
		tui_history_add(h, one, t, t - 1000, 0, 0);
	assert_string_equal(curve(h, one, 1059, 6), "9 19 29 39 49 59 peak 59");
	tui_history_free(h);
}

/* Which seconds share a column must not change with each second, or the curve would tremble. */
static void columns_stay_as_time_goes_on(void **state)
{
	struct tui_history *h = tui_history_new();

	(void)state;
	for (uint64_t t = 1000; t < 1055; t++)
		tui_history_add(h, one, t, t == 1012 ? 500 : 1, 0, 0);
	assert_string_equal(curve(h, one, 1054, 6), "1 500 1 1 1 1 peak 500");
	for (uint64_t t = 1055; t < 1060; t++) {
		tui_history_add(h, one, t, 1, 0, 0);
		assert_string_equal(curve(h, one, t, 6), "1 500 1 1 1 1 peak 500");
	}
	tui_history_add(h, one, 1060, 1, 0, 0);
	assert_string_equal(curve(h, one, 1060, 6), "500 1 1 1 1 1 peak 500");
	tui_history_free(h);
}

static void what_was_not_seen_is_not_zero(void **state)
{
	struct tui_history *h = tui_history_new();

	(void)state;
	tui_history_add(h, one, 1000, 5, 5, 0);
	tui_history_add(h, one, 1003, 0, 0, 0);
	assert_non_null(strstr(curve(h, one, 1004, 60), "---10 --0 -peak 10"));
	/* After more than a minute nothing is left of before. */
	tui_history_add(h, one, 1200, 7, 0, 0);
	assert_string_equal(curve(h, one, 1200, 3), "--7 peak 7");
	assert_string_equal(curve(h, two, 1200, 3), "---peak 0");
	tui_history_free(h);
}

static void several_looks_in_a_second_keep_the_largest(void **state)
{
	struct tui_history *h = tui_history_new();

	(void)state;
	tui_history_add(h, one, 1000, 5, 1, 0);
	tui_history_add(h, one, 1000, 3, 2, 0);
	tui_history_add(h, one, 999, 100, 100, 0); /* late: not taken */
	assert_string_equal(curve(h, one, 1000, 2), "-7 peak 7");
	tui_history_free(h);
}

static void retransmits_are_news_only_when_they_grow(void **state)
{
	struct tui_history *h = tui_history_new();

	(void)state;
	tui_history_add(h, one, 1000, 0, 0, 9);
	assert_int_equal(tui_history_of(h, one)->rose, 0);
	tui_history_add(h, one, 1001, 0, 0, 9);
	assert_int_equal(tui_history_of(h, one)->rose, 0);
	tui_history_add(h, one, 1002, 0, 0, 10);
	assert_int_equal(tui_history_of(h, one)->rose, 1002);
	tui_history_free(h);
}

static void who_has_gone_is_forgotten(void **state)
{
	struct tui_history *h = tui_history_new();

	(void)state;
	tui_history_add(h, one, 1000, 1, 1, 0);
	tui_history_add(h, two, 1050, 1, 1, 0);
	tui_history_prune(h, 1061);
	assert_null(tui_history_of(h, one));
	assert_non_null(tui_history_of(h, two));
	tui_history_free(h);
	assert_null(tui_history_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_column_is_the_largest_of_its_seconds),
		cmocka_unit_test(columns_stay_as_time_goes_on),
		cmocka_unit_test(what_was_not_seen_is_not_zero),
		cmocka_unit_test(several_looks_in_a_second_keep_the_largest),
		cmocka_unit_test(retransmits_are_news_only_when_they_grow),
		cmocka_unit_test(who_has_gone_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
