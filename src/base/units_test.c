// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "base/units.h"

static void shown(void **state)
{
	static const struct {
		const char *(*format)(uint64_t, char[WEIR_UNITS_TEXT]);
		uint64_t value;
		const char *text;
	} rows[] = {
		{ weir_units_bytes, 0, "0 B" },
		{ weir_units_bytes, 999, "999 B" },
		{ weir_units_bytes, 1000, "1 kB" },
		{ weir_units_bytes, 1004, "1 kB" },
		{ weir_units_bytes, 1005, "1.01 kB" },
		{ weir_units_bytes, 1500000, "1.5 MB" },
		{ weir_units_bytes, 15340000, "15.3 MB" },
		{ weir_units_bytes, 153400000, "153 MB" },
		{ weir_units_bytes, 999499, "999 kB" },
		{ weir_units_bytes, 999500, "1 MB" },
		{ weir_units_bytes, 9995, "10 kB" },
		{ weir_units_bytes, UINT64_MAX, "18.4 EB" },
		{ weir_units_bytes, 999999999999999999ull, "1 EB" },
		{ weir_units_rate, 12, "12 B/s" },
		{ weir_units_rate, 1500000, "1.5 MB/s" },
		{ weir_units_rate, UINT64_MAX, "18.4 EB/s" },
		{ weir_units_count, 999, "999" },
		{ weir_units_count, 1234567, "1.23 M" },
		{ weir_units_duration, 0, "0 ns" },
		{ weir_units_duration, 850, "850 ns" },
		{ weir_units_duration, 1200000, "1.2 ms" },
		{ weir_units_duration, 999600, "1 ms" },
		{ weir_units_duration, 59000000000ull, "59 s" },
		{ weir_units_duration, 90000000000ull, "1.5 min" },
		{ weir_units_duration, 3 * 3600 * 1000000000ull, "3 h" },
		{ weir_units_duration, 36 * 3600 * 1000000000ull, "1.5 d" },
		{ weir_units_duration, UINT64_MAX, "213504 d" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[WEIR_UNITS_TEXT];

		assert_string_equal(rows[i].format(rows[i].value, text), rows[i].text);
	}
}

static void what_is_shown_can_be_parsed_back_within_half_a_percent(void **state)
{
	(void)state;
	for (uint64_t v = 1; v < UINT64_MAX / 3; v += v / 7 + 1) {
		char text[WEIR_UNITS_TEXT], *space;
		uint64_t back;

		weir_units_bytes(v, text);
		space = strchr(text, ' ');
		memmove(space, space + 1, strlen(space));
		assert_int_equal(weir_units_parse(text, &back), 0);
		assert_true((back > v ? back - v : v - back) <= v / 200);
		if (v < 1000)
			assert_int_equal(back, v);
	}
}

static void parsed(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "443", 0, 443 },
		{ "20k", 0, 20000 },
		{ "20K", 0, 20000 },
		{ "20kB", 0, 20000 },
		{ "1M", 0, 1000000 },
		{ "1.5M", 0, 1500000 },
		{ "1.500k", 0, 1500 },
		{ "2Ki", 0, 2048 },
		{ "2KiB", 0, 2048 },
		{ "1.5Gi", 0, 1610612736 },
		{ "3B", 0, 3 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "18.4E", 0, 18400000000000000000ull },
		{ "19E", -ERANGE, 0 },
		{ "16Ei", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "1.5", -EINVAL, 0 },
		{ "1.0005k", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "k", -EINVAL, 0 },
		{ ".5k", -EINVAL, 0 },
		{ "1.k", -EINVAL, 0 },
		{ "1..5k", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1m", -EINVAL, 0 },
		{ "1kk", -EINVAL, 0 },
		{ "1i", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t v = 0;
		int r = weir_units_parse(rows[i].text, &v);

		if (r != rows[i].result || v != rows[i].value)
			fail_msg("\"%s\": %d, %llu", rows[i].text, r, (unsigned long long)v);
	}
}

static void durations_parsed(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t ns;
	} rows[] = {
		{ "5ns", 0, 5 },	 { "20us", 0, 20000 },	   { "1.5ms", 0, 1500000 },
		{ "2s", 0, 2000000000 }, { "1m", 0, 60000000000 }, { "1h", 0, 3600000000000 },
		{ "2d", 0, 172800000000000 },
		{ "5", -EINVAL, 0 },	 { "5 ms", -EINVAL, 0 },   { "ms", -EINVAL, 0 },
		{ "0.5ns", -EINVAL, 0 }, { "5min", -EINVAL, 0 },   { "999999999999h", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t ns = 0;
		int r = weir_units_parse_duration(rows[i].text, &ns);

		if (r != rows[i].result || ns != rows[i].ns)
			fail_msg("\"%s\": %d, %llu", rows[i].text, r, (unsigned long long)ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shown),
		cmocka_unit_test(what_is_shown_can_be_parsed_back_within_half_a_percent),
		cmocka_unit_test(parsed),
		cmocka_unit_test(durations_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
