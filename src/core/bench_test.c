// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "core/bench.h"

static void assert_near(double a, double b)
{
	if (fabs(a - b) > 1e-9 * (fabs(a) + 1))
		fail_msg("%g is not %g", a, b);
}

static struct weir_bench_spread spread_of(const double *values, unsigned n)
{
	struct weir_bench_series s = {};
	struct weir_bench_spread r;

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(weir_bench_series_add(&s, values[i]), 0);
	r = weir_bench_spread(&s);
	if (n)
		assert_near(s.values[0], values[0]); /* the order of the rounds stays */
	weir_bench_series_done(&s);
	return r;
}

static void test_spread(void **state)
{
	struct weir_bench_spread s = spread_of((double[]){ 5, 1, 4, 2, 3 }, 5);

	(void)state;
	assert_near(s.median, 3);
	assert_near(s.low, 2);
	assert_near(s.high, 4);
	assert_near(s.min, 1);
	assert_near(s.max, 5);
	assert_int_equal(s.n, 5);
	s = spread_of((double[]){ 4, 1 }, 2);
	assert_near(s.median, 2.5);
	assert_near(weir_bench_quantile(&(struct weir_bench_series){ (double[]){ 3, 1, 2 }, 3, 3 },
					0.5),
		    2);
	assert_near(
		weir_bench_quantile(&(struct weir_bench_series){ (double[]){ 3, 1, 2 }, 3, 3 }, 0),
		1);
	s = spread_of((double[]){ 7 }, 1);
	assert_near(s.low, 7);
	assert_int_equal(spread_of(NULL, 0).n, 0);
}

/* --- comparing ------------------------------------------------------------------------------- */

struct script {
	char order[64];
	unsigned running, begun, ended, measured;
	int fail_begin, fail_measure;
};

static int begin(struct script *s, char name)
{
	size_t n = strlen(s->order);

	if (n + 1 < sizeof(s->order))
		s->order[n] = name;
	s->running = name;
	s->begun++;
	return s->fail_begin;
}

static int begin_a(void *ctx)
{
	return begin(ctx, 'a');
}

static int begin_b(void *ctx)
{
	return begin(ctx, 'b');
}

static int begin_c(void *ctx)
{
	return begin(ctx, 'c');
}

static void end(void *ctx)
{
	struct script *s = ctx;

	s->running = 0;
	s->ended++;
}

/* a takes 100, b 110, c 130; each round is slower than the one before. */
static int measure(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	struct script *s = ctx;
	double drift = 1 + s->measured / 3 * 0.5;

	s->measured++;
	ret[0] = drift * (s->running == 'a' ? 100 : s->running == 'b' ? 110 : 130);
	ret[1] = 1;
	return s->fail_measure;
}

static const struct weir_bench_variant variants[] = {
	{ "a", begin_a, end },
	{ "b", begin_b, end },
	{ "c", begin_c, end },
};

static struct weir_bench_comparison comparison(struct script *s)
{
	return (struct weir_bench_comparison){ .variants = variants,
					       .n_variants = 3,
					       .n_metrics = 2,
					       .measure = measure,
					       .ctx = s,
					       .rounds_min = 2,
					       .rounds_max = 4,
					       .budget_ns = 60000000000ull };
}

static void test_compare(void **state)
{
	struct weir_bench *b = weir_bench_new("test", false, NULL);
	struct script s = {};
	struct weir_bench_comparison c = comparison(&s);
	struct weir_bench_rounds r;

	(void)state;
	assert_int_equal(weir_bench_compare(b, &c, &r), 0);
	assert_string_equal(s.order, "abccbaabccba");
	assert_int_equal(s.ended, 12);
	assert_int_equal(weir_bench_of(&r, 0, 0).n, 4);
	/* The drift is in the values and not in what is made of each round. */
	assert_near(weir_bench_of(&r, 0, 0).max, 250);
	assert_near(weir_bench_ratio(&r, 1, 0, 0).min, 1.1);
	assert_near(weir_bench_ratio(&r, 1, 0, 0).max, 1.1);
	assert_near(weir_bench_added(&r, 1, 0, 0).min, 10);
	assert_near(weir_bench_added(&r, 1, 0, 0).max, 25);
	assert_near(weir_bench_cost_ratio(&r, 2, 1, 0, 0).median, 3);
	assert_near(weir_bench_cost_ratio(&r, 2, 1, 0, 1).median, 0);
	weir_bench_rounds_done(&r);
	weir_bench_free(b);
}

static void test_compare_within_its_time(void **state)
{
	struct weir_bench *b = weir_bench_new("test", false, NULL);
	struct script s = {};
	struct weir_bench_comparison c = comparison(&s);
	struct weir_bench_rounds r;

	(void)state;
	c.budget_ns = 0;
	assert_int_equal(weir_bench_compare(b, &c, &r), 0);
	assert_int_equal(weir_bench_of(&r, 0, 0).n, 2);
	weir_bench_rounds_done(&r);
	weir_bench_free(b);
}

static int measure_at_times(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	struct script *s = ctx;

	return measure(ctx, ret) == 0 && s->measured % 5 ? 0 : -EAGAIN;
}

static void test_spoilt_rounds_are_thrown_away(void **state)
{
	struct weir_bench *b = weir_bench_new("test", false, NULL);
	struct script s = {};
	struct weir_bench_comparison c = comparison(&s);
	struct weir_bench_rounds r;

	(void)state;
	c.measure = measure_at_times;
	assert_int_equal(weir_bench_compare(b, &c, &r), 0);
	assert_int_equal(weir_bench_of(&r, 0, 0).n, 4);
	assert_int_equal(weir_bench_of(&r, 2, 1).n, 4);
	assert_true(s.measured > 12);
	assert_int_equal(s.begun, s.ended);
	weir_bench_rounds_done(&r);

	/* All of them are: it ends with its time. */
	s = (struct script){ .fail_measure = -EAGAIN };
	c = comparison(&s);
	c.budget_ns = 1000000;
	assert_int_equal(weir_bench_compare(b, &c, &r), 0);
	assert_int_equal(weir_bench_of(&r, 0, 0).n, 0);
	weir_bench_rounds_done(&r);
	weir_bench_free(b);
}

static void test_what_fails_is_undone(void **state)
{
	struct weir_bench *b = weir_bench_new("test", false, NULL);
	struct script s = { .fail_measure = -EIO };
	struct weir_bench_comparison c = comparison(&s);
	struct weir_bench_rounds r;

	(void)state;
	assert_int_equal(weir_bench_compare(b, &c, &r), -EIO);
	assert_int_equal(s.begun, 1);
	assert_int_equal(s.ended, 1);
	assert_int_equal(weir_bench_of(&r, 0, 0).n, 0);
	weir_bench_rounds_done(&r);

	s = (struct script){ .fail_begin = -EPERM };
	assert_int_equal(weir_bench_compare(b, &c, &r), -EPERM);
	assert_int_equal(s.ended, 0);
	assert_int_equal(s.measured, 0);
	weir_bench_rounds_done(&r);
	weir_bench_free(b);
}

static bool always(void)
{
	return true;
}

static void test_interrupted(void **state)
{
	struct weir_bench_host host = { .interrupted = always };
	struct weir_bench *b = weir_bench_new("test", false, &host);
	struct script s = {};
	struct weir_bench_comparison c = comparison(&s);
	struct weir_bench_rounds r;

	(void)state;
	assert_int_equal(weir_bench_compare(b, &c, &r), -EINTR);
	assert_int_equal(s.begun, 0);
	weir_bench_rounds_done(&r);
	weir_bench_free(b);
}

/* --- processes ------------------------------------------------------------------------------- */

static int spin(void *ctx)
{
	(void)ctx;
	pause();
	return 0;
}

static void test_processes(void **state)
{
	struct weir_bench *b = weir_bench_new("test", false, NULL);
	const char *const echo[] = { "echo", "hello", NULL }, *const absent[] = {
		"/nowhere/nothing", NULL
	};
	struct weir_bench_cost cost;
	char text[16] = "";
	int output = -1;
	pid_t pid = 0;

	(void)state;
	assert_int_equal(weir_bench_spawn(b, absent, &pid, NULL), -ENOENT);
	assert_int_equal(weir_bench_spawn(b, echo, &pid, &output), 0);
	assert_int_equal(read(output, text, sizeof(text) - 1), 6);
	assert_string_equal(text, "hello\n");
	close(output);
	weir_bench_end(&pid);
	assert_int_equal(pid, 0);
	weir_bench_end(&pid); /* nothing to end is fine */

	assert_int_equal(weir_bench_fork(b, spin, NULL, &pid), 0);
	assert_int_equal(weir_bench_cost(pid, &cost), 0);
	assert_int_equal(cost.processes, 1);
	weir_bench_end(&pid);
	assert_int_equal(weir_bench_cost(getpid(), &cost), 0);
	assert_true(cost.rss_bytes >= cost.pss_bytes && cost.pss_bytes > 0);
	weir_bench_free(b);
}

static int nothing(void *ctx)
{
	(*(unsigned *)ctx)++;
	return 0;
}

static void test_clock(void **state)
{
	struct weir_bench *b = weir_bench_new("test", true, NULL);
	unsigned calls = 0;
	uint64_t t;

	(void)state;
	assert_int_equal(weir_bench_calibrate(b, nothing, &calls), 0);
	assert_true(calls > 100);
	t = weir_bench_work_ns(b);
	assert_true(weir_bench_work_ns(b) >= t);
	assert_true(weir_bench_budget(b, 10) == 2000000000ull);
	weir_bench_free(b);
}

/* --- the report ------------------------------------------------------------------------------ */

static struct weir_bench *sample(void)
{
	static const struct weir_bench_column columns[] = {
		{ "bytes", "seen", WEIR_BENCH_BYTES },
		{ "hits", "hits", WEIR_BENCH_COUNT },
	};
	struct weir_bench *b = weir_bench_new("test", false, NULL);

	weir_bench_part(b, "first part",
			"What it is about, in words that are long enough to need more than one "
			"line of it.");
	weir_bench_line(b, "first.ratio", WEIR_BENCH_RATIO,
			spread_of((double[]){ 1.25, 1.5, 1.75 }, 3), "a ratio of %d", 2);
	weir_bench_line(b, "first.nothing", WEIR_BENCH_NS, (struct weir_bench_spread){},
			"was not measured");
	weir_bench_line(b, "first.bytes", WEIR_BENCH_BYTES, weir_bench_single(1500000), "bytes");
	weir_bench_skip(b, "first.other", "%s is not installed", "it\x1b[31m");
	weir_bench_remark(b, "beside it <b>");
	weir_bench_columns(b, "what", columns, 2);
	weir_bench_row(b, "first.long", "a long one", (uint64_t[]){ 12345678901, 2 });
	weir_bench_row(b, "first.short", "short", (uint64_t[]){ 0, 345 });
	weir_bench_lost(b, 7);
	return b;
}

static void test_json(void **state)
{
	struct weir_bench *b = sample();
	struct weir_buf out = {};
	json_t *root, *rows;

	(void)state;
	assert_int_equal(weir_bench_json(b, &out, false), 0);
	assert_int_equal(out.data[out.len - 1], '\n');
	root = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_object_get(root, "schema_version")), 1);
	assert_int_equal(json_integer_value(json_object_get(root, "lost_events")), 7);
	assert_string_equal(json_string_value(json_object_get(root, "bench")), "test");
	assert_int_equal(json_array_size(json_object_get(root, "remarks")), 1);
	rows = json_object_get(root, "rows");
	assert_int_equal(json_array_size(rows), 7);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 3), "name")),
			    "first.long.bytes");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 3), "value")),
			 12345678901);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 6), "about")),
			    "short: hits");
	assert_near(json_number_value(json_object_get(json_array_get(rows, 0), "value")), 1.5);
	assert_near(json_number_value(json_object_get(json_array_get(rows, 0), "min")), 1.25);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "unit")),
			    "ratio");
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "about")),
			    "a ratio of 2");
	assert_non_null(json_object_get(json_array_get(rows, 2), "skipped"));
	assert_null(json_object_get(json_array_get(rows, 2), "value"));
	json_decref(root);
	weir_buf_done(&out);
	weir_bench_free(b);
}

static void test_text(void **state)
{
	struct weir_bench *b = sample();
	struct weir_buf out = {};

	(void)state;
	assert_int_equal(weir_bench_text(b, &out, 80), 0);
	assert_non_null(strstr(out.data, "       1.500  1.375 .. 1.625            a ratio of 2\n"));
	assert_non_null(strstr(out.data, "      1.5 MB"));
	assert_non_null(strstr(out.data, "skipped"));
	assert_null(strchr(out.data, '\x1b'));
	assert_non_null(strstr(out.data, "  what               seen  hits\n"
					 "  a long one  12345678901     2\n"
					 "  short                 0   345\n"));
	assert_null(strstr(out.data, "was not measured"));
	for (const char *line = out.data; *line; line += strcspn(line, "\n") + 1)
		if (strncmp(line, "weir bench", 10))
			assert_true(strcspn(line, "\n") <= 80);
	weir_buf_done(&out);
	weir_bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_compare_within_its_time),
		cmocka_unit_test(test_spoilt_rounds_are_thrown_away),
		cmocka_unit_test(test_what_fails_is_undone),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
