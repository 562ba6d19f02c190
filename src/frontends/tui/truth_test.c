// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/fixture.h"

#include "base/text.h"
#include "frontends/tui/past.h"
#include "frontends/tui/world.h"

/* Sentences and times that must not say more than is known. */

static struct fixture f;

static void open_at(unsigned columns, unsigned rows, uint32_t tab)
{
	fixture_open(&f, "processes", columns, rows, false);
	fixture_draw(&f);
	fixture_key(&f, tab);
}

/* --- losses ---------------------------------------------------------------------------------- */

/* Nothing is in the table, and this is why. */
static struct weir_snapshot *no_losses(const char *state, unsigned second)
{
	const struct fixture_process p[] = { { 812, "nginx", NULL, NULL, 2000, 1000, 0 } };
	const struct weir_table *t = weir_table_find("doctor");
	struct weir_builder *b = weir_builder_new();

	fixture_traffic(b, p, 1);
	weir_builder_table(b, weir_table_find("drops"));
	weir_builder_table(b, t);
	weir_builder_row(b, 0, 1);
	fixture_text(b, t, "feature", "traffic");
	fixture_text(b, t, "hook_set", "sock");
	fixture_text(b, t, "state", "on");
	if (state) {
		weir_builder_row(b, 0, 1);
		fixture_text(b, t, "feature", "drops");
		fixture_text(b, t, "hook_set", "kfree_skb");
		fixture_text(b, t, "state", state);
	}
	return fixture_finish(b, second, 0);
}

static void none_is_said_where_they_are_seen(void **unused)
{
	static const struct {
		const char *state;
		bool seen;
	} states[] = { { "on", true }, { "degraded", true }, { "unavailable", false }, { "off", false }, { NULL, false } };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		open_at(120, 40, '1');
		fixture_tick(&f, no_losses(states[i].state, 1));
		assert_int_equal(fixture_find(&f, "No packet was lost"), -1); /* doctor was not asked yet */
		for (unsigned k = 2; k < 6; k++)
			fixture_tick(&f, no_losses(states[i].state, k));
		assert_int_equal(fixture_find(&f, "No packet was lost") > 0, states[i].seen);
		assert_int_equal(fixture_find(&f, "Packets lost: 0/s") > 0, states[i].seen);
		assert_int_equal(fixture_find(&f, "Losses cannot be seen here") > 0, !states[i].seen);
		fixture_key(&f, '4');
		assert_int_equal(fixture_find(&f, "Losses cannot be seen here") > 0, !states[i].seen);
		fixture_close(&f);
	}
}

/* --- mostly ---------------------------------------------------------------------------------- */

/* A server with so many clients, of which the first takes this part of a thousand. */
static struct weir_snapshot *clients(unsigned n, unsigned first, bool receives, unsigned second)
{
	const struct fixture_process p[] = { { 812, "nginx", NULL, NULL, receives ? 5 : 100000000, receives ? 100000000 : 5, 0 } };
	const struct fixture_process other = { 900, "backup", NULL, NULL, 900000, 900000, 0 };
	struct weir_builder *b = weir_builder_new();

	weir_builder_table(b, weir_table_find("processes"));
	for (unsigned i = 0; i < 2; i++) {
		const struct weir_table *t = weir_table_find("processes");
		const struct fixture_process *q = i ? &other : p;

		weir_builder_row(b, 0, 1);
		fixture_number(b, t, "pid", q->pid);
		fixture_number(b, t, "start_time_ns", q->pid * 1000);
		fixture_text(b, t, "comm", q->comm);
		fixture_number(b, t, "tx_bytes_per_second", q->tx_rate);
		fixture_number(b, t, "rx_bytes_per_second", q->rx_rate);
	}
	weir_builder_table(b, weir_table_find("flows"));
	for (unsigned i = 0; i < n; i++) {
		uint64_t part = i == 0 ? 100000ull * first : 100000ull * (1000 - first) / (n > 1 ? n - 1 : 1);
		/* What comes back is of another client. */
		uint64_t back = i == n - 1 ? 5 : 0;
		const struct fixture_process flow = { 812, "nginx", NULL, NULL, receives ? back : part,
						      receives ? part : back, 0 };

		fixture_flow(b, &flow, i + 1);
	}
	fixture_flow(b, &other, n + 1);
	return fixture_finish(b, second, 0);
}

static void mostly_is_more_than_half(void **unused)
{
	static const struct {
		unsigned clients, first;
		bool receives, mostly;
	} cases[] = {
		{ 1000, 1, false, false }, { 1000, 1, true, false }, { 40, 400, false, false }, { 2, 500, false, false },
		{ 40, 510, false, true },  { 40, 900, true, true },  { 1, 1000, true, true },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		open_at(160, 40, '1');
		for (unsigned k = 1; k < 5; k++)
			fixture_tick(&f, clients(cases[i].clients, cases[i].first, cases[i].receives, k));
		assert_true(fixture_find(&f, cases[i].receives ? "nginx receives" : "nginx sends") > 0);
		if (cases[i].receives)
			assert_int_equal(fixture_find(&f, "mostly from 192.0.2.7:443") > 0, cases[i].mostly);
		else
			assert_int_equal(fixture_find(&f, "mostly to 192.0.2.7:443") > 0, cases[i].mostly);
		assert_int_equal(fixture_find(&f, "mostly") > 0, cases[i].mostly);
		assert_string_equal(f.last[TUI_SLOT_LARGEST].filter, "pid:812");
		fixture_close(&f);
	}
}

/* --- the daemon's clocks --------------------------------------------------------------------- */

#define AUTUMN 1792890000ull /* 2026-10-25 01:00Z: from +02:00 to +01:00 */
#define SPRING 1774746000ull /* 2026-03-29 01:00Z: back again */

static int64_t central_europe(uint64_t s)
{
	return s >= SPRING && s < AUTUMN ? 7200 : 3600;
}

static int64_t new_york(uint64_t s)
{
	(void)s;
	return -5 * 3600;
}

static void open_in(int64_t (*zone)(uint64_t), uint32_t tab)
{
	fixture_open(&f, "processes", 120, 40, false);
	f.zone = zone;
	fixture_draw(&f);
	fixture_key(&f, tab);
	for (unsigned i = 1; i < 6; i++)
		fixture_tick(&f, world(i, 0));
}

static void today_is_the_daemons(void **unused)
{
	(void)unused;
	open_in(central_europe, '1');
	assert_string_equal(f.last[TUI_SLOT_NEW].from, "2026-11-21T23:00:00Z");
	assert_true(fixture_find(&f, "18:25:12+01:00") >= 0);
	assert_true(fixture_find(&f, "17:55") > 0); /* wget, half an hour ago */
	assert_int_equal(fixture_find(&f, "16:55Z"), -1);
	/* Midnight goes by: once the daemon said so, what is new is asked for from there on. */
	for (unsigned i = 0; i < 40 && f.app.today_s == 1795302000; i++)
		fixture_tick(&f, world(5 * 3600 + 35 * 60 + i, 0));
	fixture_tick(&f, NULL);
	assert_string_equal(f.last[TUI_SLOT_NEW].from, "2026-11-22T23:00:00Z");
	fixture_close(&f);
	open_in(new_york, '1');
	assert_string_equal(f.last[TUI_SLOT_NEW].from, "2026-11-22T05:00:00Z");
	assert_true(fixture_find(&f, "12:25:12-05:00") >= 0);
	fixture_close(&f);
}

static void an_older_daemon_does_not_tell(void **unused)
{
	(void)unused;
	fixture_open(&f, "processes", 120, 40, false);
	f.old = true;
	fixture_draw(&f);
	fixture_key(&f, '1');
	for (unsigned i = 1; i < 6; i++)
		fixture_tick(&f, world(i, 0));
	assert_true(fixture_find(&f, "17:25:12Z") >= 0);
	assert_int_equal(f.last[TUI_SLOT_NEW].from[0], '-');
	fixture_close(&f);
}

static void expect_day(const char *day, const char *from, const char *to)
{
	assert_true(tui_past_day(&f.app, day));
	for (unsigned i = 0; i < 4 && f.app.ask_again; i++)
		fixture_round(&f);
	fixture_draw(&f);
	assert_false(f.app.ask_again);
	assert_string_equal(f.from, from);
	assert_string_equal(f.to, to);
}

static void a_day_has_the_hours_that_it_had(void **unused)
{
	(void)unused;
	open_in(central_europe, '5');
	assert_true(fixture_find(&f, "last 1 h, since 2026-11-22 17:25:1") > 0);
	assert_true(fixture_find(&f, "+01:00") > 0);
	expect_day("2026-11-21", "2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z");
	assert_true(fixture_find(&f, "2026-11-21 00:00:00 to 2026-11-22 00:00:00+01:00 (1 d)") > 0);
	expect_day("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
	assert_true(fixture_find(&f, "(25 h)") > 0);
	expect_day("2026-10-24", "2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z");
	assert_true(fixture_find(&f, "2026-10-24 00:00:00 to 2026-10-25 00:00:00+02:00 (1 d)") > 0);
	expect_day("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
	assert_true(fixture_find(&f, "(23 h)") > 0);
	/* Today is not over: it goes on, from midnight. */
	assert_true(tui_past_day(&f.app, "2026-11-22"));
	fixture_round(&f);
	assert_string_equal(f.to, "");
	assert_int_equal(f.app.past.length_s, FIXTURE_EPOCH + 5 - 1795302000);
	assert_false(tui_past_day(&f.app, "some day"));
	assert_false(tui_past_day(&f.app, "1970-01-01"));
	fixture_close(&f);
}

/* --- the curve of the host ------------------------------------------------------------------- */

/* The span and the filter of a tab fill nothing but that tab's own curve, and the host's nothing of it. */
static void the_hosts_curve_is_the_hosts(void **unused)
{
	const struct tui_start start = { .tab = "history", .table = "processes", .limit = UINT64_MAX,
					 .interval_ns = FIXTURE_SECOND, .now_ns = 5 * FIXTURE_SECOND };
	struct tui_question q;
	unsigned before = 0;

	(void)unused;
	fixture_open(&f, "processes", 120, 40, false);
	tui_app_done(&f.app);
	assert_int_equal(tui_app_init(&f.app, &start), 0);
	f.snapshot = world(1, 0);
	fixture_draw(&f);
	tui_past_filter(&f.app, "program:nginx");
	for (unsigned round = 0; round < 3; round++) {
		f.now_ns += FIXTURE_SECOND;
		if (tui_app_question(&f.app, TUI_SLOT_CURVE, round, &q)) {
			size_t rows = f.app.extra[TUI_SLOT_CURVE].rows.n;

			fixture_answer(&f, TUI_SLOT_CURVE, &q);
			before += q.before;
			assert_int_equal(f.app.rates_filled, before > 0);
			if (q.before) {
				assert_string_equal(q.filter, "");
				assert_string_equal(q.from, "-600");
				assert_int_equal(f.app.extra[TUI_SLOT_CURVE].rows.n, rows);
			} else {
				assert_string_equal(q.filter, "program:nginx");
				assert_true(f.app.rates.last == 0);
			}
		}
		tui_app_asked(&f.app);
	}
	assert_int_equal(before, 1);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_said_where_they_are_seen),
		cmocka_unit_test(mostly_is_more_than_half),
		cmocka_unit_test(today_is_the_daemons),
		cmocka_unit_test(an_older_daemon_does_not_tell),
		cmocka_unit_test(a_day_has_the_hours_that_it_had),
		cmocka_unit_test(the_hosts_curve_is_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
