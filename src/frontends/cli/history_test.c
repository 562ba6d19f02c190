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
#include "core/document.h"
#include "core/history.h"
#include "core/tables.h"
#include "frontends/cli/history.h"
#include "frontends/cli/history_draw.h"
#include "frontends/cli/history_new.h"
#include "frontends/cli/objects.h"
#include "frontends/cli/request.h"
#include "frontends/cli/when.h"

#define HEAD "{\"schema_version\":1,\"host\":\"vm\",\"time\":\"2026-11-22T13:00:05.000000Z\",\"snapshot\":7,\"lost_events\":0,"
#define SPAN "\"from\":\"2026-11-22T12:00:00Z\",\"to\":\"2026-11-22T13:00:00Z\",\"step\":60,\"total\":2,"

static const char rates_text[] = HEAD SPAN "\"rows\":["
	"{\"time\":\"2026-11-22T12:00:00Z\",\"seconds\":60,\"tx_bytes\":60000000,\"rx_bytes\":6000,"
	"\"tx_bytes_per_second_max\":3000000,\"rx_bytes_per_second_max\":900,"
	"\"connections\":4,\"retransmits\":2,\"lost_packets\":0},"
	"{\"time\":\"2026-11-22T12:01:00Z\",\"seconds\":60,\"tx_bytes\":30000000,\"rx_bytes\":0,"
	"\"tx_bytes_per_second_max\":null,\"rx_bytes_per_second_max\":null,"
	"\"connections\":0,\"retransmits\":0,\"lost_packets\":7}]}";

static const char store_text[] = HEAD "\"rows\":["
	"{\"level\":\"1 s\",\"seconds\":1,\"kept_seconds\":3600,\"rows\":12,\"oldest\":\"2026-11-22T12:00:05Z\","
	"\"newest\":\"2026-11-22T13:00:04Z\"},"
	"{\"level\":\"1 h\",\"seconds\":3600,\"kept_seconds\":34560000,\"rows\":40,\"oldest\":\"2026-11-20T09:00:00Z\","
	"\"newest\":\"2026-11-22T12:00:00Z\"},"
	"{\"level\":\"month\",\"seconds\":2592000,\"kept_seconds\":158112000,\"rows\":9,\"oldest\":\"2026-11-01T00:00:00Z\","
	"\"newest\":\"2026-11-01T00:00:00Z\"},"
	"{\"level\":\"file\",\"bytes\":1234567,\"limit_bytes\":256000000,\"lost_seconds\":12,\"reason\":\"disk\\u001b full\"}]}";

static const char programs_text[] = HEAD SPAN "\"rows\":["
	"{\"program\":\"nginx\",\"exe\":\"/usr/sbin/nginx\",\"uid\":33,\"user\":\"www-data\",\"unit\":\"nginx.service\","
	"\"tx_bytes\":90000000,\"rx_bytes\":1000,\"tx_bytes_per_second_max\":3000000,\"rx_bytes_per_second_max\":900,"
	"\"connections\":4,\"retransmits\":2,\"lost_packets\":7,\"first_seen\":\"2025-01-02T03:04:05Z\","
	"\"last_seen\":\"2026-11-22T12:59:59Z\",\"new\":false},"
	"{\"program\":\"curl\",\"uid\":0,\"user\":\"root\",\"tx_bytes\":80,\"rx_bytes\":20,\"connections\":1,\"retransmits\":0,"
	"\"lost_packets\":0,\"first_seen\":\"2026-11-22T12:30:00Z\",\"new\":true}]}";

static const char changes_text[] = HEAD SPAN "\"rows\":["
	"{\"rank\":1,\"kind\":\"program\",\"program\":\"nginx\",\"summary\":\"nginx moved 3.1 GB, 14 times what it did before.\","
	"\"filter\":\"program:nginx\"},"
	"{\"rank\":2,\"kind\":\"event\",\"summary\":\"curl was seen for the first time.\"}]}";

#define BELOW                                        \
	"history reaches back to 11-20 10:00\n"      \
	"12 seconds were written late, as sums (weir history store)\n"

static uint64_t utc(const char *text)
{
	uint64_t ns = 0;

	assert_int_equal(weir_timestamp_parse(text, &ns), 0);
	return ns;
}

struct parsed {
	struct weir_snapshot *s;
	struct weir_rows rows;
	struct cli_span_answered span;
};

static struct parsed parse(const char *text, const char *table)
{
	struct parsed p = {};
	char *why = NULL;

	assert_int_equal(weir_document_parse(text, strlen(text), weir_table_find(table), &p.s, &why), 0);
	assert_int_equal(weir_snapshot_rows(p.s, weir_table_find(table), &p.rows), 0);
	assert_int_equal(cli_span_answered(text, strlen(text), &p.span), 0);
	return p;
}

static void expect_asked(const char *text, const char *table, unsigned width, const struct cli_span *asked, const char *want)
{
	_cleanup_(weir_buf_done) struct weir_buf out = {};
	struct parsed p = parse(text, table), store = parse(store_text, "history_store");
	struct cli_style style = { .width = width };
	struct cli_columns columns;
	char *why = NULL;

	assert_int_equal(cli_columns_parse(p.rows.def, NULL, false, &columns, &why), 0);
	assert_int_equal(cli_past_draw(&(struct cli_past){ .rows = &p.rows, .columns = &columns, .store = &store.rows,
							   .span = p.span, .asked = *asked }, &style, &out), 0);
	if (strcmp(out.data, want) != 0)
		print_error("%s\n", out.data);
	assert_string_equal(out.data, want);
	weir_snapshot_unref(p.s);
	weir_snapshot_unref(store.s);
}

static void expect(const char *text, const char *table, unsigned width, const char *want)
{
	expect_asked(text, table, width, &(struct cli_span){}, want);
}

static void the_curve_has_averages_the_largest_second_and_bars(void **state)
{
	(void)state;
	expect(rates_text, "history_rates", 84,
	       "TIME     SENT/S     MAX  RECEIVED/S      MAX          NEW  RETRANS  LOST\n"
	       "13:00    1 MB/s  3 MB/s     100 B/s  900 B/s  \u2588\u2588\u2588\u2588\u2588\u2588    4        2     0\n"
	       "13:01  500 kB/s       -       0 B/s        -  \u2588\u2588\u2588       0        0     7\n"
	       "2026-11-22 13:00:00 to 14:00:00 CET, in steps of 1 min\n" BELOW);
}

static void a_page_says_which_part_of_the_past_it_is(void **state)
{
	(void)state;
	expect(programs_text, "history", 0,
	       "PROGRAM  USER      UNIT           CONTAINER   SENT  RECEIVED  SENT/S MAX  RECEIVED/S MAX  CONNECTIONS  RETRANS  "
	       "LOST  FIRST SEEN        NEW\n"
	       "nginx    www-data  nginx.service  -          90 MB      1 kB      3 MB/s         900 B/s            4        2  "
	       "   7  2025-01-02 04:04  -\n"
	       "curl     root      -              -           80 B      20 B           -               -            1        0  "
	       "   0  13:30:00          new\n"
	       "2026-11-22 13:00:00 to 14:00:00 CET\n" BELOW);
}

#define DAYS(offset)                                                                                                 \
	HEAD "\"from\":\"2026-11-22T00:00:00Z\",\"to\":\"2026-11-22T13:00:00Z\",\"step\":86400,"                       \
	     "\"day_start\":\"2026-11-22T05:00:00Z\",\"utc_offset_seconds\":" offset ",\"rows\":["                       \
	     "{\"day\":\"2026-11-22\",\"program\":\"nginx\",\"tx_bytes\":1000,\"rx_bytes\":0,\"connections\":1}]}"

static void days_of_other_clocks_are_said_to_be(void **state)
{
	static const char heading[] = "DAY         PROGRAM  USER  UNIT  CONTAINER NAME  SENT  RECEIVED  CONNECTIONS\n"
				      "2026-11-22  nginx    -     -     -               1 kB       0 B            1\n"
				      "2026-11-22 01:00:00 to 14:00:00 CET";
	_cleanup_(weir_buf_done) struct weir_buf want = {};

	(void)state;
	weir_buf_printf(&want, "%s\n" BELOW, heading);
	expect(DAYS("3600"), "history_days", 80, want.data);
	weir_buf_reset(&want);
	weir_buf_printf(&want, "%s; days are those of weir's clocks, UTC-05:00\n" BELOW, heading);
	expect(DAYS("-18000"), "history_days", 80, want.data);
}

static void what_is_kept_is_said_with_its_limits(void **state)
{
	(void)state;
	expect(store_text, "history_store", 0,
	       "STEP    KEPT FOR  ROWS  OLDEST               NEWEST\n"
	       "1 s          1 h    12  2026-11-22 13:00:05  2026-11-22 14:00:04\n"
	       "1 h     400 days    40  2026-11-20 10:00:00  2026-11-22 13:00:00\n"
	       "month  1830 days     9  2026-11-01 01:00:00  2026-11-01 01:00:00\n"
	       "1.23 MB of at most 256 MB; 12 seconds were written late, as sums; it cannot be written now: disk\\x1b full\n");
}

static void changes_are_sentences(void **state)
{
	(void)state;
	expect(changes_text, "history_changes", 100,
	       "    1       nginx moved 3.1 GB, 14 times what it did before.\n"
	       "    more    weir history rates 'program:nginx'\n"
	       "    2       curl was seen for the first time.\n"
	       "2026-11-22 13:00:00 to 14:00:00 CET\n" BELOW);
	expect_asked(changes_text, "history_changes", 100,
		     &(struct cli_span){ .from2_real_ns = utc("2026-11-21T12:00:00Z"), .to2_real_ns = utc("2026-11-21T13:00:00Z") },
		     "    1       nginx moved 3.1 GB, 14 times what it did before.\n"
		     "    more    weir history rates 'program:nginx'\n"
		     "    2       curl was seen for the first time.\n"
		     "2026-11-22 13:00:00 to 14:00:00 CET, beside 2026-11-21 13:00:00 to 14:00:00\n" BELOW);
	expect_asked(changes_text, "history_changes", 100,
		     &(struct cli_span){ .from2_real_ns = utc("2026-11-20T08:00:00Z"), .to2_real_ns = utc("2026-11-20T09:00:00Z") },
		     "nothing is known of the time before, so all of this is new\n"
		     "    1       nginx moved 3.1 GB, 14 times what it did before.\n"
		     "    more    weir history rates 'program:nginx'\n"
		     "    2       curl was seen for the first time.\n"
		     "2026-11-22 13:00:00 to 14:00:00 CET, beside 2026-11-20 09:00:00 to 10:00:00\n" BELOW);
}

/* The line below is there to be copied: whatever a program calls itself, its name is one word of it. */
static void a_name_runs_no_command(void **state)
{
	(void)state;
	expect(HEAD SPAN "\"rows\":[{\"rank\":1,\"kind\":\"program\",\"summary\":\"It moved.\","
	       "\"filter\":\"program:\\\"';sh /tmp/x;'\\\"\"}]}", "history_changes", 100,
	       "    1       It moved.\n"
	       "    more    weir history rates 'program:\"'\\'';sh /tmp/x;'\\''\"'\n"
	       "2026-11-22 13:00:00 to 14:00:00 CET\n" BELOW);
}

static void bars_show_what_is_small(void **state)
{
	char buf[CLI_BAR_TEXT];

	(void)state;
	assert_string_equal(cli_past_bar(0, 10, false, buf), "");
	assert_string_equal(cli_past_bar(1e-9, 10, false, buf), "\u258f");
	assert_string_equal(cli_past_bar(0.5, 3, false, buf), "\u2588\u258c");
	assert_string_equal(cli_past_bar(1, 3, false, buf), "\u2588\u2588\u2588");
	assert_string_equal(cli_past_bar(7, 3, false, buf), "\u2588\u2588\u2588");
	assert_string_equal(cli_past_bar(0.5, 3, true, buf), "#=");
	assert_true(strlen(cli_past_bar(1, 4000, false, buf)) < sizeof(buf));
}

/* --- what is asked --------------------------------------------------------------------------- */

static const struct {
	const char *name;
	char *argv[10];
	const char *url, *error;
} spans[] = {
	{ "the last hour, if not told", { "weir", "history" }, "/api/v1/history?from=2026-11-22T11%3A00%3A00.000000Z", NULL },
	{ "from a time on", { "weir", "history", "--since", "12:30" },
	  "/api/v1/history?from=2026-11-22T11%3A30%3A00.000000Z", NULL },
	{ "an hour up to a time", { "weir", "history", "--until", "12:30" },
	  "/api/v1/history?from=2026-11-22T10%3A30%3A00.000000Z&to=2026-11-22T11%3A30%3A00.000000Z", NULL },
	{ "with steps and a filter", { "weir", "history", "process:nginx", "--since", "2h", "--step", "5m" },
	  "/api/v1/history?filter=process%3Anginx&from=2026-11-22T10%3A00%3A00.000000Z&step=300", NULL },
	{ "beside another span, as long as it", { "weir", "history", "--since", "11:00", "--until", "11:30", "--since2",
						  "yesterday 11:00" },
	  "/api/v1/history?from=2026-11-22T10%3A00%3A00.000000Z&to=2026-11-22T10%3A30%3A00.000000Z"
	  "&from2=2026-11-21T10%3A00%3A00.000000Z&to2=2026-11-21T10%3A30%3A00.000000Z", NULL },
	{ "or with both ends", { "weir", "history", "--since", "1h", "--since2", "4h", "--until2", "3h" },
	  "/api/v1/history?from=2026-11-22T11%3A00%3A00.000000Z&from2=2026-11-22T08%3A00%3A00.000000Z"
	  "&to2=2026-11-22T09%3A00%3A00.000000Z", NULL },
	{ "or with its end alone", { "weir", "history", "--since", "1h", "--until2", "3h" },
	  "/api/v1/history?from=2026-11-22T11%3A00%3A00.000000Z&from2=2026-11-22T08%3A00%3A00.000000Z"
	  "&to2=2026-11-22T09%3A00%3A00.000000Z", NULL },
	{ "which is not longer than until now", { "weir", "history", "--since", "2h", "--since2", "1h" },
	  "/api/v1/history?from=2026-11-22T10%3A00%3A00.000000Z&from2=2026-11-22T11%3A00%3A00.000000Z"
	  "&to2=2026-11-22T12%3A00%3A00.000000Z", NULL },
	{ "its end before its beginning", { "weir", "history", "--since2", "1h", "--until2", "2h" }, NULL,
	  "--since2 is 2026-11-22 12:00:00 and --until2 is 2026-11-22 11:00:00, which is not later: swap them" },
	{ "its beginning unreadable", { "weir", "history", "--since2", "soon" }, NULL,
	  "--since2 \"soon\": not a time; it reads like " CLI_WHEN_FORMS },
	{ "from the beginning of all times", { "weir", "history", "--since", "@0" },
	  "/api/v1/history?from=1970-01-01T00%3A00%3A00.000000Z", NULL },
	{ "the end before the beginning", { "weir", "history", "--since", "1h", "--until", "2h" }, NULL,
	  "--since is 2026-11-22 12:00:00 and --until is 2026-11-22 11:00:00, which is not later: swap them" },
	{ "nothing in between", { "weir", "history", "--since", "now" }, NULL,
	  "--since is 2026-11-22 13:00:00 and --until is 2026-11-22 13:00:00, which is not later: swap them" },
};

static void options_say_which_part_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		_cleanup_(weir_buf_done) struct weir_buf url = {};
		_cleanup_free_ char *why = NULL;
		struct cli_command c = {};
		struct cli_request rq = {};
		int argc = 0, r;

		while (spans[i].argv[argc])
			argc++;
		assert_int_equal(cli_command_parse(argc, (char **)spans[i].argv, cli_objects, &c, &why), 0);
		assert_int_equal(cli_request_init(&rq, &c, weir_table_find("history"), 0, &why), 0);
		r = cli_span_read(&c, 3600, utc("2026-11-22T12:00:00Z"), &rq.span, &why);
		if (spans[i].error) {
			assert_int_equal(r, -EINVAL);
			assert_string_equal(why, spans[i].error);
		} else {
			assert_int_equal(r, 0);
			cli_request_url(&rq, false, &url);
			assert_string_equal(url.data, spans[i].url);
		}
		cli_request_done(&rq);
		cli_command_done(&c);
	}
}

static void curves_and_changes_are_filtered_by_what_subjects_have(void **state)
{
	char *const argv[] = { "weir", "history", "rates", "peer:10.0.0.0/8" };
	struct cli_request rq = {};
	struct cli_command c = {};
	_cleanup_free_ char *why = NULL;

	(void)state;
	assert_int_equal(cli_command_parse(4, (char **)argv, cli_objects, &c, &why), 0);
	assert_int_equal(cli_request_init(&rq, &c, weir_table_find("history_rates"), 1, &why), 0);
	cli_request_done(&rq);
	assert_int_equal(cli_request_init(&rq, &c, weir_table_find("history"), 1, &why), -EINVAL);
	cli_command_done(&c);
}

static void help_is_where_the_fields_are(void **state)
{
	char *const argv[] = { "weir", "flows", "-4", "--since", "1h" }, *const columns[] = { "weir", "history", "--columns", "x" };
	struct cli_request rq = {};
	struct cli_command c = {};
	char *why = NULL;

	(void)state;
	assert_int_equal(cli_command_parse(5, (char **)argv, cli_objects, &c, &why), 0);
	assert_int_equal(cli_request_init(&rq, &c, weir_table_find("history_peers"), 0, &why), -EINVAL);
	assert_string_equal(why, "-4 selects by type, which history_peers do not have: see weir help history");
	free(why);
	cli_command_done(&c);
	assert_int_equal(cli_command_parse(4, (char **)columns, cli_objects, &c, &why), 0);
	assert_int_equal(cli_request_init(&rq, &c, weir_table_find("history_rates"), 0, &why), -EINVAL);
	assert_string_equal(why, "history_rates has no field \"x\": see weir help history");
	free(why);
	cli_command_done(&c);
}

/* --- what is new ----------------------------------------------------------------------------- */

#define STEP(at) "{\"time\":\"2026-11-22T12:00:" at "Z\",\"seconds\":1,\"tx_bytes\":1,\"rx_bytes\":0}"
#define AT(time, rows) "{\"schema_version\":1,\"host\":\"vm\",\"time\":\"2026-11-22T12:00:" time "Z\",\"snapshot\":1," \
	"\"lost_events\":0,\"from\":\"2026-11-22T12:00:00Z\",\"to\":\"2026-11-22T12:00:59Z\",\"step\":1,\"rows\":[" rows "]}"

static void expect_new(struct cli_new *n, const char *text, const char *table, size_t count)
{
	struct parsed p = parse(text, table);
	uint32_t *index = NULL;
	size_t got = 0;

	assert_int_equal(cli_new_choose(n, &p.rows, &p.span, &index, &got), 0);
	assert_int_equal(got, count);
	free(index);
	weir_snapshot_unref(p.s);
}

static void steps_come_once_and_when_they_are_over(void **state)
{
	struct cli_new n = { .rates = true };

	(void)state;
	expect_new(&n, AT("04", STEP("01") "," STEP("02") "," STEP("03")), "history_rates", 1);
	expect_new(&n, AT("04", STEP("01") "," STEP("02") "," STEP("03")), "history_rates", 0);
	expect_new(&n, AT("05", STEP("02") "," STEP("03") "," STEP("04")), "history_rates", 1);
	/* The daemon was away: what it did not see is no step. */
	expect_new(&n, AT("30", STEP("03") "," STEP("04") "," STEP("20") "," STEP("27")), "history_rates", 4);
	assert_int_equal(n.next_real_ns, utc("2026-11-22T12:00:28Z"));
	cli_new_done(&n);
}

#define EVENT(at, what) "{\"time\":\"2026-11-22T12:00:" at "Z\",\"kind\":\"first_seen\",\"program\":\"a\",\"summary\":\"" what "\"}"

static void events_come_once_also_several_of_one_moment(void **state)
{
	struct cli_new n = {};

	(void)state;
	expect_new(&n, AT("20", EVENT("01", "old") "," EVENT("19", "x")), "history_events", 2);
	expect_new(&n, AT("21", EVENT("19", "x") "," EVENT("19", "y")), "history_events", 1);
	expect_new(&n, AT("22", EVENT("15", "late") "," EVENT("19", "x") "," EVENT("19", "y")), "history_events", 1);
	/* An answer may begin before what was asked for. */
	expect_new(&n, AT("40", EVENT("01", "old") "," EVENT("19", "x") "," EVENT("39", "z")), "history_events", 1);
	cli_new_done(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_curve_has_averages_the_largest_second_and_bars),
		cmocka_unit_test(a_page_says_which_part_of_the_past_it_is),
		cmocka_unit_test(days_of_other_clocks_are_said_to_be),
		cmocka_unit_test(what_is_kept_is_said_with_its_limits),
		cmocka_unit_test(changes_are_sentences),
		cmocka_unit_test(a_name_runs_no_command),
		cmocka_unit_test(bars_show_what_is_small),
		cmocka_unit_test(options_say_which_part_is_asked_for),
		cmocka_unit_test(curves_and_changes_are_filtered_by_what_subjects_have),
		cmocka_unit_test(help_is_where_the_fields_are),
		cmocka_unit_test(steps_come_once_and_when_they_are_over),
		cmocka_unit_test(events_come_once_also_several_of_one_moment),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
