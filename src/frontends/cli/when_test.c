// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "frontends/cli/when.h"

/* Rules instead of a name, so that no time zone files are needed. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"

static uint64_t utc(const char *text)
{
	uint64_t ns = 0;

	assert_int_equal(weir_timestamp_parse(text, &ns), 0);
	return ns;
}

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static const struct {
	const char *name, *tz, *now, *text;
	enum cli_when_end end;
	const char *is;
} rows[] = {
	{ "now", BERLIN, "2026-11-22T12:00:00.25Z", "now", 0, "2026-11-22T12:00:00.250000Z" },
	{ "hours before now", BERLIN, "2026-11-22T12:00:00Z", "2h", 0, "2026-11-22T10:00:00.000000Z" },
	{ "the same with a minus", BERLIN, "2026-11-22T12:00:00Z", "-2h", 0, "2026-11-22T10:00:00.000000Z" },
	{ "seconds", BERLIN, "2026-11-22T12:00:00Z", "90s", 0, "2026-11-22T11:58:30.000000Z" },
	{ "several units", BERLIN, "2026-11-22T12:00:00Z", "1h30m", 0, "2026-11-22T10:30:00.000000Z" },
	{ "in words", BERLIN, "2026-11-22T12:00:00Z", "2 hours ago", 0, "2026-11-22T10:00:00.000000Z" },
	{ "in more words", BERLIN, "2026-11-22T12:00:00Z", " 1 Week 2 days  ago ", 0, "2026-11-13T12:00:00.000000Z" },
	{ "a day is 24 hours, over a change of the clocks too", BERLIN, "2026-10-25T12:00:00Z", "1d", 0,
	  "2026-10-24T12:00:00.000000Z" },
	{ "seconds as the API takes them", BERLIN, "2026-11-22T12:00:00Z", "-3600", 0, "2026-11-22T11:00:00.000000Z" },
	{ "a time of day that was", BERLIN, "2026-11-22T15:00:00Z", "14:02", 0, "2026-11-22T13:02:00.000000Z" },
	{ "one hour in one digit", BERLIN, "2026-11-22T15:00:00Z", "9:02", 0, "2026-11-22T08:02:00.000000Z" },
	{ "a time of day that is still to come is yesterday's", BERLIN, "2026-11-22T12:00:00Z", "14:02", 0,
	  "2026-11-21T13:02:00.000000Z" },
	{ "with seconds", BERLIN, "2026-11-22T15:00:00Z", "14:02:05", 0, "2026-11-22T13:02:05.000000Z" },
	{ "in another zone", BERLIN, "2026-11-22T15:00:00Z", "14:02:05Z", 0, "2026-11-22T14:02:05.000000Z" },
	{ "today is another day there", NEW_YORK, "2026-11-23T02:00:00Z", "01:00Z", 0, "2026-11-23T01:00:00.000000Z" },
	{ "today", BERLIN, "2026-11-22T12:00:00Z", "today", 0, "2026-11-21T23:00:00.000000Z" },
	{ "today, where it is still yesterday", NEW_YORK, "2026-11-22T03:00:00Z", "today", 0, "2026-11-21T05:00:00.000000Z" },
	{ "yesterday", BERLIN, "2026-11-22T12:00:00Z", "yesterday", 0, "2026-11-20T23:00:00.000000Z" },
	{ "yesterday, which had 25 hours", BERLIN, "2026-10-26T12:00:00Z", "yesterday", 0, "2026-10-24T22:00:00.000000Z" },
	{ "yesterday with a time", BERLIN, "2026-11-22T12:00:00Z", "Yesterday 14:02", 0, "2026-11-21T13:02:00.000000Z" },
	{ "a date", BERLIN, "2026-11-22T12:00:00Z", "2026-07-01", 0, "2026-06-30T22:00:00.000000Z" },
	{ "a date and a time", BERLIN, "2026-11-22T12:00:00Z", "2026-07-01 14:02", 0, "2026-07-01T12:02:00.000000Z" },
	{ "the end of a day", BERLIN, "2026-11-22T12:00:00Z", "2026-07-01 24:00", 0, "2026-07-01T22:00:00.000000Z" },
	{ "as tables print it", BERLIN, "2026-11-22T12:00:00Z", "2026-07-01 14:02:03Z", 0, "2026-07-01T14:02:03.000000Z" },
	{ "RFC 3339", BERLIN, "2026-11-22T12:00:00Z", "2026-07-01T14:02:03.123Z", 0, "2026-07-01T14:02:03.000000Z" },
	{ "RFC 3339 with an offset", BERLIN, "2026-11-22T12:00:00Z", "2026-07-01T14:02:03-05:30", 0,
	  "2026-07-01T19:32:03.000000Z" },
	{ "a leap day", BERLIN, "2026-11-22T12:00:00Z", "2024-02-29", 0, "2024-02-28T23:00:00.000000Z" },
	{ "seconds since 1970", BERLIN, "2026-11-22T12:00:00Z", "@1763820120", 0, "2025-11-22T14:02:00.000000Z" },
	{ "an hour that is there twice begins at the first", BERLIN, "2026-11-22T12:00:00Z", "2026-10-25 02:30",
	  CLI_WHEN_SINCE, "2026-10-25T00:30:00.000000Z" },
	{ "and ends at the second", BERLIN, "2026-11-22T12:00:00Z", "2026-10-25 02:30", CLI_WHEN_UNTIL,
	  "2026-10-25T01:30:00.000000Z" },
	{ "with a zone there is but one", BERLIN, "2026-11-22T12:00:00Z", "2026-10-25 02:30+02:00", CLI_WHEN_UNTIL,
	  "2026-10-25T00:30:00.000000Z" },
	{ "a time that the clocks jumped over is the jump", BERLIN, "2026-11-22T12:00:00Z", "2026-03-29 02:30",
	  CLI_WHEN_SINCE, "2026-03-29T01:00:00.000000Z" },
	{ "before it", BERLIN, "2026-11-22T12:00:00Z", "2026-03-29 01:59", CLI_WHEN_SINCE, "2026-03-29T00:59:00.000000Z" },
	{ "after it", BERLIN, "2026-11-22T12:00:00Z", "2026-03-29 03:00", CLI_WHEN_SINCE, "2026-03-29T01:00:00.000000Z" },
	{ "west of Greenwich too", NEW_YORK, "2026-11-22T12:00:00Z", "2026-11-01 01:30", CLI_WHEN_UNTIL,
	  "2026-11-01T06:30:00.000000Z" },
};

static void times_are_read_as_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char stamp[WEIR_TIMESTAMP_TEXT] = "";
		char *why = NULL;
		uint64_t ns = 0;
		int r;

		zone(rows[i].tz);
		r = cli_when_parse("--since", rows[i].text, utc(rows[i].now), rows[i].end, &ns, &why);
		if (r == 0)
			weir_timestamp_format(ns, stamp);
		if (r != 0 || strcmp(stamp, rows[i].is) != 0)
			print_error("%s: %s gave %s %s\n", rows[i].name, rows[i].text, stamp, why ? why : "");
		assert_int_equal(r, 0);
		assert_string_equal(stamp, rows[i].is);
		assert_null(why);
	}
}

static const struct {
	const char *text, *error;
} refused[] = {
	{ "", "--since \"\": not a time; it reads like " CLI_WHEN_FORMS },
	{ "soon", "--since \"soon\": not a time; it reads like " CLI_WHEN_FORMS },
	{ "3600", "--since \"3600\": not a time; it reads like " CLI_WHEN_FORMS },
	{ "2 parsecs", "--since \"2 parsecs\": not a time; it reads like " CLI_WHEN_FORMS },
	{ "14:02 tomorrow", "--since \"14:02 tomorrow\": not a time; it reads like " CLI_WHEN_FORMS },
	{ "25:00", "--since \"25:00\": a day goes from 00:00 to 24:00" },
	{ "14:2", "--since \"14:2\": minutes have two digits, as in 14:02" },
	{ "14:02:5", "--since \"14:02:5\": seconds have two digits, as in 14:02:05" },
	{ "14:02+9", "--since \"14:02+9\": a time zone reads Z, UTC or +01:00" },
	{ "2026-02-29", "--since \"2026-02-29\": the calendar has no such day" },
	{ "2026-13-01", "--since \"2026-13-01\": the calendar has no such day" },
	{ "2026-11-23", "--since \"2026-11-23\": that is still to come; history ends now" },
	{ "1969-11-23", "--since \"1969-11-23\": before 1970 nothing was kept" },
	{ "99999999999999999999h", "--since \"99999999999999999999h\": longer ago than anything is kept" },
	{ "a\nb", "--since \"a\\x0ab\": not a time; it reads like " CLI_WHEN_FORMS },
};

static void what_is_no_time_is_refused_in_one_line(void **state)
{
	(void)state;
	zone(BERLIN);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_free_ char *why = NULL;
		uint64_t ns = 7;

		assert_int_equal(cli_when_parse("--since", refused[i].text, utc("2026-11-22T12:00:00Z"), CLI_WHEN_SINCE, &ns,
						&why), -EINVAL);
		assert_string_equal(why, refused[i].error);
		assert_int_equal(ns, 7);
	}
}

static void steps_are_lengths_of_time(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} good[] = { { "10s", 10 }, { "5m", 300 }, { "1 hour", 3600 }, { "90", 90 }, { "1m30s", 90 } };
	static const char *const bad[] = { "", "0", "0s", "-1s", "1.5s", "10s ago", "fast" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint64_t seconds = 0;
		char *why = NULL;

		assert_int_equal(cli_when_step("--step", good[i].text, &seconds, &why), 0);
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *why = NULL;
		uint64_t seconds = 0;

		assert_int_equal(cli_when_step("--step", bad[i], &seconds, &why), -EINVAL);
		assert_int_equal(strncmp(why, "--step ", 7), 0);
		assert_int_equal(seconds, 0);
	}
}

static void times_are_shown_as_short_as_they_are_clear(void **state)
{
	uint64_t now = utc("2026-11-22T12:00:00Z");
	char buf[CLI_WHEN_TEXT];

	(void)state;
	zone(BERLIN);
	assert_string_equal(cli_when_short(utc("2026-11-22T10:02:03Z"), now, buf), "11:02:03");
	assert_string_equal(cli_when_short(utc("2026-11-21T22:59:00Z"), now, buf), "11-21 23:59");
	assert_string_equal(cli_when_short(utc("2026-11-21T23:00:00Z"), now, buf), "00:00:00");
	assert_string_equal(cli_when_short(utc("2025-07-01T00:00:00Z"), now, buf), "2025-07-01 02:00");
	assert_string_equal(cli_when_full(now, buf), "2026-11-22 13:00:00");
	assert_string_equal(cli_when_span(10, buf), "10 s");
	assert_string_equal(cli_when_span(60, buf), "1 min");
	assert_string_equal(cli_when_span(90, buf), "90 s");
	assert_string_equal(cli_when_span(7200, buf), "2 h");
	assert_string_equal(cli_when_span(86400 * 14, buf), "14 days");
	assert_string_equal(cli_when_span(0, buf), "0 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_as_the_table_says),
		cmocka_unit_test(what_is_no_time_is_refused_in_one_line),
		cmocka_unit_test(steps_are_lengths_of_time),
		cmocka_unit_test(times_are_shown_as_short_as_they_are_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
