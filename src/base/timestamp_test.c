// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/timestamp.h"

static void format_agrees_with_the_c_library(void **state)
{
	(void)state;
	/* Every 11 hours and some, up to the end of what 64 bits hold (the year 2554). */
	for (uint64_t s = 0; s < UINT64_MAX / 1000000000; s += 40009) {
		char text[WEIR_TIMESTAMP_TEXT], expected[64];
		time_t t = (time_t)s;
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000001Z", &tm);
		assert_int_equal(weir_timestamp_format(s * 1000000000 + 1999, text), strlen(expected));
		if (strcmp(text, expected) != 0)
			fail_msg("%s, expected %s", text, expected);
	}
}

static void parse_takes_back_what_format_wrote(void **state)
{
	(void)state;
	for (uint64_t ns = 0; ns < UINT64_MAX - 3000000000000000000ull / 7; ns += 3000000000000000000ull / 7) {
		char text[WEIR_TIMESTAMP_TEXT];
		uint64_t back;

		weir_timestamp_format(ns, text);
		assert_int_equal(weir_timestamp_parse(text, &back), 0);
		assert_int_equal(back, ns / 1000 * 1000);
	}
}

static void parsing(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns; /* 0: refused */
	} rows[] = {
		{ "1970-01-01T00:00:01Z", 1000000000ull },
		{ "2026-01-31T11:59:59Z", 1769860799000000000ull },
		{ "2026-01-31T11:59:59.1Z", 1769860799100000000ull },
		{ "2026-01-31T11:59:59.123456789Z", 1769860799123456789ull },
		{ "2026-01-31", 1769817600000000000ull },
		{ "2024-02-29", 1709164800000000000ull },
		{ "2554-07-21T23:34:33.709551615Z", UINT64_MAX },
		{ "2554-07-21T23:34:33.709551616Z", 0 },
		{ "9999-12-31", 0 },
		{ "2025-02-29", 0 },
		{ "2026-04-31", 0 },
		{ "2026-13-01", 0 },
		{ "2026-00-01", 0 },
		{ "2026-01-00", 0 },
		{ "1969-12-31", 0 },
		{ "", 0 },
		{ "2026", 0 },
		{ "2026-1-31", 0 },
		{ "2026-01-31T", 0 },
		{ "2026-01-31T11:59", 0 },
		{ "2026-01-31T11:59:59", 0 },
		{ "2026-01-31T24:00:00Z", 0 },
		{ "2026-01-31T11:60:00Z", 0 },
		{ "2026-01-31T11:59:60Z", 0 },
		{ "2026-01-31T11:59:59.Z", 0 },
		{ "2026-01-31T11:59:59.1234567890Z", 0 },
		{ "2026-01-31T11:59:59+01:00", 0 },
		{ "2026-01-31T11:59:59Z ", 0 },
		{ " 2026-01-31", 0 },
		{ "-026-01-31", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t ns = 7;
		int r = weir_timestamp_parse(rows[i].text, &ns);

		if (r != (rows[i].ns ? 0 : -EINVAL) || ns != (rows[i].ns ? rows[i].ns : 7))
			fail_msg("\"%s\": %d, %llu", rows[i].text, r, (unsigned long long)ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_agrees_with_the_c_library),
		cmocka_unit_test(parse_takes_back_what_format_wrote),
		cmocka_unit_test(parsing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
