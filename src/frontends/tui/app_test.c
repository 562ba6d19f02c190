// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/fixture.h"

#include "core/query.h"
#include "frontends/tui/tab.h"

/* Keys and answers in, questions and frames out: what a person at the terminal goes through. */

static const struct fixture_process some[] = {
	{ 100, "nginx", "nginx.service", NULL, 3000000, 2000, 0 },
	{ 200, "redis", "redis.service", NULL, 50000, 60000, 4 },
	{ 300, "curl", NULL, "0123456789abcdef0123", 700, 900000, 0 },
	{ 400, "sshd", "ssh.service", NULL, 0, 0, 0 },
	{ 500, "worker", "nginx.service", NULL, 10, 20, 0 },
};

static struct fixture f;

static int open_processes(void **state)
{
	(void)state;
	fixture_open(&f, "processes", 80, 24, false);
	fixture_draw(&f);
	fixture_tick(&f, fixture_snapshot(some, ARRAY_SIZE(some), 1, 0));
	return 0;
}

static int close_it(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static const char *name_on_bar(void)
{
	static char name[32] = "";
	int row = fixture_bar(&f);

	name[0] = '\0';
	if (row >= 0)
		(void)sscanf(fixture_row(&f, (unsigned)row), "%*u %31s", name);
	return name;
}

static void the_first_frame_is_there_before_any_answer(void **state)
{
	struct fixture fresh;

	(void)state;
	fixture_open(&fresh, "processes", 80, 24, false);
	fixture_draw(&fresh);
	assert_string_equal(fixture_row(&fresh, 1), "asking the daemon ...");
	fixture_tick(&fresh, NULL); /* nobody answers */
	assert_string_equal(fixture_row(&fresh, 1), "no answer yet");
	assert_string_equal(fixture_row(&fresh, 23), "no daemon answers on /run/weir/weir.sock");
	fixture_tick(&fresh, fixture_snapshot(some, 1, 1, 0));
	assert_non_null(strstr(fixture_row(&fresh, 1),
			       "web-1 sends 3 MB/s, receives 2 kB/s; 1 process, 2 conn"));
	fixture_close(&fresh);
}

static void only_what_is_in_sight_is_asked_for(void **state)
{
	struct fixture_process many[1000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct fixture_process){
			1000 + i, "w", NULL, NULL, 10 * (1000 - i), 0, 0
		};
	fixture_tick(&f, fixture_snapshot(many, ARRAY_SIZE(many), 2, 0));
	assert_true(f.sent < 230);
	assert_string_equal(f.sort, "tx_bytes_per_second+rx_bytes_per_second,tx_bytes+rx_bytes");
	assert_non_null(strstr(fixture_row(&f, 1), "1000 processes, 2000 connections"));
	fixture_key(&f, TUI_KEY_END);
	assert_true(f.sent < 230);
	assert_non_null(strstr(fixture_row(&f, 22), "1999 w"));
	assert_int_equal(fixture_bar(&f), 22);
	assert_non_null(strstr(fixture_row(&f, 3), "1000/1000"));
	fixture_key(&f, TUI_KEY_PAGE_UP);
	fixture_key(&f, TUI_KEY_HOME);
	assert_int_equal(fixture_bar(&f), 5);
	assert_non_null(strstr(fixture_row(&f, 5), "1000 w"));
}

/* The complaint about every top: the cursor stays where it is, and the process under it is
 * another. */
static void the_cursor_stays_on_its_process(void **state)
{
	struct fixture_process other[ARRAY_SIZE(some)];

	(void)state;
	assert_int_equal(fixture_bar(&f), -1); /* nothing is chosen until somebody chooses */
	fixture_key(&f, 'j');
	fixture_key(&f, 'j');
	assert_string_equal(name_on_bar(), "curl"); /* 900 kB/s, second */
	f.now_ns += 10 * FIXTURE_SECOND;	    /* the order is free again */
	memcpy(other, some, sizeof(some));
	other[1].tx_rate = 9000000;
	other[2].rx_rate = 0;
	fixture_tick(&f, fixture_snapshot(other, ARRAY_SIZE(other), 2, 0));
	assert_string_equal(name_on_bar(), "curl");
	assert_int_equal(fixture_bar(&f), 7); /* below redis and nginx now */
	assert_int_equal(fixture_find(&f, "redis"), 5);
}

/* A program that reads in bursts would otherwise change its place each second. */
static void a_burst_does_not_move_rows(void **state)
{
	struct fixture_process burst[ARRAY_SIZE(some)];

	(void)state;
	memcpy(burst, some, sizeof(some));
	burst[2].rx_rate = 0; /* curl is silent for a second, redis is not */
	fixture_tick(&f, fixture_snapshot(burst, ARRAY_SIZE(burst), 2, 0));
	assert_int_equal(fixture_find(&f, "curl"), 6);
	assert_int_equal(fixture_find(&f, "redis"), 7);
	for (int i = 0; i < 5; i++)
		fixture_tick(&f, NULL);
	assert_int_equal(fixture_find(&f, "curl"), 7);
}

static void rows_do_not_jump_while_the_cursor_moves(void **state)
{
	struct fixture_process other[ARRAY_SIZE(some)];

	(void)state;
	fixture_key(&f, TUI_KEY_DOWN);
	memcpy(other, some, sizeof(some));
	other[4].tx_rate = 90000000;
	fixture_tick(&f, fixture_snapshot(other, ARRAY_SIZE(other), 2, 0));
	assert_int_equal(fixture_find(&f, "worker"), 8); /* as before */
	assert_non_null(strstr(fixture_row(&f, 3), "order held"));
	for (int i = 0; i < 5; i++)
		fixture_tick(&f, NULL);
	assert_int_equal(fixture_find(&f, "worker"), 5);
	assert_string_equal(name_on_bar(), "nginx");
	/* Held on purpose it stays for good. */
	fixture_key(&f, 'o');
	fixture_tick(&f, fixture_snapshot(some, ARRAY_SIZE(some), 3, 0));
	for (int i = 0; i < 10; i++)
		fixture_tick(&f, NULL);
	assert_int_equal(fixture_find(&f, "worker"), 5);
	assert_non_null(strstr(fixture_row(&f, 3), "ORDER HELD"));
	fixture_key(&f, 'o');
	assert_int_equal(fixture_find(&f, "worker"), 8);
}

/* Far out of the rows that are here it is asked for by its name, and stays in sight at the edge. */
static void a_process_out_of_sight_stays_at_the_edge(void **state)
{
	struct fixture_process many[1000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct fixture_process){
			1000 + i, "w", NULL, NULL, 10 * (1000 - i), 0, 0
		};
	fixture_tick(&f, fixture_snapshot(many, ARRAY_SIZE(many), 2, 0));
	fixture_key(&f, TUI_KEY_DOWN);
	assert_non_null(strstr(fixture_row(&f, 5), "1000 w"));
	f.now_ns += 10 * FIXTURE_SECOND;
	many[0].tx_rate = 1; /* from the first place to the last */
	fixture_tick(&f, fixture_snapshot(many, ARRAY_SIZE(many), 3, 0));
	fixture_tick(&f, NULL);
	assert_int_equal(fixture_bar(&f), 22);
	assert_non_null(strstr(fixture_row(&f, 22), "1000 w"));
	assert_non_null(
		strstr(fixture_row(&f, 5), "1001 w")); /* the others are where one expects them */
	fixture_key(&f, TUI_KEY_ENTER);
	assert_int_equal(f.app.n_details, 1);
	fixture_key(&f, TUI_KEY_ESCAPE);
	/* It ends: that is said, and the cursor is where it was. */
	fixture_tick(&f, fixture_snapshot(many + 1, ARRAY_SIZE(many) - 1, 4, 0));
	fixture_tick(&f, NULL);
	assert_string_equal(fixture_row(&f, 23), "the row under the cursor has gone");
	assert_true(fixture_bar(&f) > 0);
}

static void orders_follow_the_keys(void **state)
{
	(void)state;
	fixture_key(&f, '<'); /* from the minute's curve, which stands for the sum, to received */
	assert_string_equal(f.sort, "rx_bytes_per_second,tx_bytes+rx_bytes");
	assert_int_equal(fixture_find(&f, "curl"), 5);
	fixture_key(&f, 'r');
	assert_string_equal(f.sort, "-rx_bytes_per_second,tx_bytes+rx_bytes");
	assert_int_equal(fixture_find(&f, "curl"), 9);
	fixture_key(&f, '<');
	fixture_key(&f, '<');
	assert_string_equal(f.sort, "-comm,tx_bytes+rx_bytes"); /* names from a to z */
	assert_int_equal(fixture_find(&f, "curl"), 5);
	fixture_key(&f, '<');
	fixture_key(&f, '<');
	fixture_key(&f, '<'); /* there is no further one */
	assert_string_equal(f.sort, "pid,tx_bytes+rx_bytes");
	fixture_key(&f, 's');
	fixture_key(&f, TUI_KEY_HOME);
	assert_non_null(strstr(fixture_row(&f, 3), "RATE"));
	fixture_key(&f, TUI_KEY_ENTER);
	assert_string_equal(f.sort, "tx_bytes_per_second+rx_bytes_per_second,tx_bytes+rx_bytes");
	fixture_key(&f, 's');
	fixture_key(&f, TUI_KEY_END);
	fixture_key(&f, TUI_KEY_ESCAPE);
	assert_string_equal(f.sort, "tx_bytes_per_second+rx_bytes_per_second,tx_bytes+rx_bytes");
}

static void a_filter_is_typed_checked_and_recalled(void **state)
{
	(void)state;
	fixture_type(&f, "/proc");
	assert_int_equal(f.grid.cursor_row, 23);
	assert_int_equal(f.grid.cursor_column, 8 + 4);
	fixture_key(&f, TUI_KEY_TAB);
	fixture_type(&f, "ngi*\n");
	assert_string_equal(f.filter, "process:ngi*");
	assert_non_null(strstr(fixture_row(&f, 3), "filter process:ngi*"));
	assert_non_null(strstr(fixture_row(&f, 1), "5 processes")); /* of the host */
	assert_int_equal(fixture_find(&f, "redis"), -1);
	/* A wrong one says why, keeps what was typed to be mended, and changes nothing. */
	fixture_type(&f, "/ nope:1\n");
	assert_non_null(strstr(fixture_row(&f, 22), "unknown word \"nope\""));
	assert_string_equal(fixture_row(&f, 23), "filter: process:ngi* nope:1");
	assert_string_equal(f.filter, "process:ngi*");
	for (int i = 0; i < 7; i++)
		fixture_key(&f, TUI_KEY_BACKSPACE);
	assert_null(strstr(fixture_row(&f, 22), "unknown"));
	fixture_key(&f, TUI_KEY_ESCAPE);
	assert_string_equal(f.filter, "process:ngi*");
	fixture_type(&f, "/\x15"
			 "port:1\n");
	assert_non_null(strstr(fixture_row(&f, 22), "processes has no port; flows has: weir flows port:1"));
	fixture_type(&f, "\x15\n");
	assert_string_equal(f.filter, "");
	fixture_type(&f, "/");
	fixture_key(&f, TUI_KEY_UP);
	fixture_key(&f, TUI_KEY_ENTER);
	assert_string_equal(f.filter, "process:ngi*");
	/* It holds for the flows as well. */
	fixture_key(&f, 'f');
	assert_string_equal(f.filter, "process:ngi*");
	assert_int_equal(fixture_find(&f, "redis"), -1);
	assert_true(fixture_find(&f, "192.0.2.7:443") > 0);
}

static void nothing_matches_is_said(void **state)
{
	(void)state;
	fixture_type(&f, "/process:nobody\n");
	assert_string_equal(fixture_row(&f, 5), "no processes match the filter");
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_ENTER);
	fixture_key(&f, TUI_KEY_END);
	assert_int_equal(fixture_bar(&f), -1);
}

static void a_tree_has_sums_and_folds(void **state)
{
	int group;

	(void)state;
	fixture_key(&f, 't');
	group = fixture_find(&f, "nginx.service (2)");
	assert_int_equal(group, 5);
	assert_non_null(strstr(fixture_row(&f, 5), "3 MB 2.02 kB"));
	assert_non_null(strstr(fixture_row(&f, 6), "  nginx "));
	assert_non_null(strstr(fixture_row(&f, 7), "  worker "));
	assert_non_null(strstr(fixture_row(&f, 8), "0123456789ab (1)"));
	assert_non_null(strstr(fixture_row(&f, 3), "5 in 4 groups"));
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, ' ');
	assert_false(f.app.paused);
	assert_non_null(strstr(fixture_row(&f, 5), "\u25b8 nginx.service (2)"));
	assert_int_equal(fixture_find(&f, "worker"), -1);
	fixture_key(&f, TUI_KEY_ENTER);
	assert_non_null(strstr(fixture_row(&f, 7), "  worker "));
	fixture_key(&f, '-');
	assert_int_equal(fixture_find(&f, "  sshd"), -1);
	assert_int_equal(fixture_bar(&f), 5);
	fixture_key(&f, '+');
	assert_true(fixture_find(&f, "  sshd") > 0);
	/* A process in it has details; its group has none. */
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_ENTER);
	assert_int_equal(f.app.n_details, 1);
	fixture_key(&f, TUI_KEY_ESCAPE);
	fixture_key(&f, 't');
	assert_int_equal(fixture_find(&f, "nginx.service (2)"), -1);
}

static void details_show_a_process_and_its_flows(void **state)
{
	(void)state;
	fixture_key(&f, 'j');
	fixture_key(&f, 'j');
	fixture_key(&f, TUI_KEY_ENTER);
	assert_int_equal(fixture_find(&f, "curl  process 300  running"), 4);
	assert_true(fixture_find(&f, "CONTAINER        0123456789abcdef0123") > 0);
	assert_true(fixture_find(&f, "192.0.2.7:443") > 0);
	assert_true(fixture_find(&f, "[2001:db8::17]:443") > 0);
	assert_non_null(strstr(fixture_row(&f, 3), "filter pid:300"));
	/* Its flows have an order and a cursor of their own, and details. */
	fixture_key(&f, 's');
	fixture_type(&f, "jjjjjjjj");
	fixture_key(&f, TUI_KEY_ESCAPE);
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_ENTER);
	assert_int_equal(f.app.n_details, 2);
	assert_true(fixture_find(&f, "COOKIE") > 0);
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_ENTER); /* nothing further */
	assert_int_equal(f.app.n_details, 2);
	fixture_key(&f, TUI_KEY_ESCAPE);
	fixture_key(&f, TUI_KEY_ESCAPE);
	assert_int_equal(f.app.n_details, 0);
	assert_string_equal(name_on_bar(), "curl");
}

static void details_of_a_process_that_ended_stay(void **state)
{
	(void)state;
	fixture_key(&f, TUI_KEY_ENTER); /* without a cursor: the first row */
	assert_true(fixture_find(&f, "nginx  process 100") > 0);
	fixture_tick(&f, fixture_snapshot(some + 1, ARRAY_SIZE(some) - 1, 2, 0));
	assert_true(fixture_find(&f, "nginx  process 100  has gone") > 0);
	fixture_tick(&f, NULL);
	fixture_tick(&f, fixture_snapshot(some + 1, ARRAY_SIZE(some) - 1, 3, 0));
	assert_true(fixture_find(&f, "nginx  process 100  has gone") > 0);
}

static void a_pause_shows_its_age_and_asks_nothing(void **state)
{
	unsigned asked;

	(void)state;
	fixture_key(&f, 'p');
	asked = f.asked[TUI_SLOT_LIST];
	for (int i = 0; i < 12; i++)
		fixture_tick(&f, NULL);
	assert_int_equal(f.asked[TUI_SLOT_LIST], asked);
	assert_non_null(strstr(fixture_row(&f, 3), "PAUSED for 12 s"));
	/* What is here can be put in another order, and a row looked at. */
	fixture_key(&f, '<');
	assert_int_equal(fixture_find(&f, "curl"), 5);
	assert_int_equal(f.asked[TUI_SLOT_LIST], asked);
	fixture_key(&f, TUI_KEY_ENTER);
	assert_true(fixture_find(&f, "curl  process 300") > 0);
	assert_true(f.app.paused);
	fixture_key(&f, TUI_KEY_ESCAPE);
	fixture_key(&f, ' ');
	assert_false(f.app.paused);
	assert_true(f.asked[TUI_SLOT_LIST] > asked);
}

static void a_daemon_that_dies_is_said_and_found_again(void **state)
{
	(void)state;
	weir_snapshot_unref(f.snapshot);
	f.snapshot = NULL;
	for (int i = 0; i < 4; i++)
		fixture_tick(&f, NULL);
	assert_string_equal(fixture_row(&f, 23), "no daemon answers on /run/weir/weir.sock");
	assert_non_null(strstr(fixture_row(&f, 3), "4 s OLD"));
	assert_true(fixture_find(&f, "nginx") > 0); /* what was known is still there */
	fixture_tick(&f, fixture_snapshot(some, ARRAY_SIZE(some), 1, 0));
	assert_null(strstr(fixture_row(&f, 3), "OLD"));
	assert_null(strstr(fixture_row(&f, 23), "no daemon"));
}

static void losses_and_weirs_own_cost_stand_in_the_head(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++)
		fixture_tick(&f, NULL);
	assert_non_null(strstr(fixture_row(&f, 2), "weir: lost 0, 0.0 % CPU, 44 MB"));
	fixture_tick(&f, fixture_snapshot(some, ARRAY_SIZE(some), 9, 12));
	assert_non_null(strstr(fixture_row(&f, 2), "LOST 12 EVENTS"));
	for (int i = 0; i < 61; i++)
		fixture_tick(&f, NULL);
	assert_non_null(strstr(fixture_row(&f, 2), "weir: lost 12 earlier"));
}

static void who_sees_only_own_processes_is_told(void **state)
{
	(void)state;
	f.app.own_only = true;
	fixture_draw(&f);
	assert_non_null(strstr(fixture_row(&f, 1), "web-1 (your processes) sends 3.05 MB/s"));
}

static void retransmits_that_happen_now_are_marked(void **state)
{
	struct fixture_process other[ARRAY_SIZE(some)];
	int row;

	(void)state;
	memcpy(other, some, sizeof(some));
	other[1].retransmits = 9;
	fixture_tick(&f, fixture_snapshot(other, ARRAY_SIZE(other), 2, 0));
	assert_non_null(strstr(fixture_row(&f, 1), "; 5 retransmits/s; 5 processes"));
	row = fixture_find(&f, "redis");
	assert_true(f.grid.cells[row * 80 + 71].attr & TUI_WARN);
	for (int i = 0; i < 12; i++)
		fixture_tick(&f, NULL);
	assert_null(strstr(fixture_row(&f, 1), "retransmits/s"));
	assert_false(f.grid.cells[fixture_find(&f, "redis") * 80 + 71].attr & TUI_WARN);
}

static void columns_are_chosen(void **state)
{
	(void)state;
	fixture_key(&f, 'c');
	assert_non_null(strstr(fixture_row(&f, 3), "[x] PID"));
	fixture_key(&f, ' ');
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, ' ');
	fixture_key(&f, TUI_KEY_ENTER);
	assert_null(strstr(fixture_row(&f, 4), "PID"));
	assert_non_null(strstr(fixture_row(&f, 4), "EXE"));
	fixture_type(&f, "cd");
	fixture_key(&f, TUI_KEY_ESCAPE);
	assert_non_null(strstr(fixture_row(&f, 4), "PID"));
}

static void looks_are_switched(void **state)
{
	(void)state;
	fixture_key(&f, 'u');
	assert_true(fixture_find(&f, "24 Mb") > 0);
	assert_non_null(strstr(fixture_row(&f, 1), "sends 24.4 Mb/s"));
	fixture_key(&f, 'u');
	fixture_key(&f, 'x');
	assert_true(fixture_find(&f, "3000000") > 0);
	fixture_key(&f, 'x');
	fixture_key(&f, '?');
	assert_non_null(strstr(fixture_row(&f, 2), "Up Down j k"));
	fixture_key(&f, 'q'); /* any key goes back, this one too */
	assert_false(f.app.quit);
	fixture_key(&f, 'q');
	assert_true(f.app.quit);
}

static void every_table_can_be_looked_at(void **state)
{
	(void)state;
	assert_true(f.app.n_tabs > 8);
	for (unsigned i = 0; i < f.app.n_tabs; i++) {
		struct tui_columns shown;
		char title[32];

		assert_true(fixture_find(&f, tui_tab_title(&f.app, f.app.tab, title)) == 0);
		/* More than the first column: the headings come from the declarations. */
		tui_app_columns(&f.app, tui_app_list(&f.app), 80, &shown);
		assert_true(shown.n > 1);
		fixture_key(&f, TUI_KEY_DOWN);
		fixture_key(&f, '>');
		fixture_key(&f, TUI_KEY_TAB);
	}
	assert_true(tui_app_in_tab(&f.app, "processes"));
	fixture_key(&f, TUI_KEY_BACK_TAB);
	assert_true(tui_app_in_tab(&f.app, "now"));
	fixture_key(&f, TUI_KEY_TAB);
	fixture_key(&f, '6');
	assert_true(tui_app_in_tab(&f.app, "doctor"));
	for (unsigned i = 0; weir_table_at(i); i++) {
		const struct weir_table *table = weir_table_at(i);
		bool found = table->internal || table->past;

		for (unsigned k = 0; k < f.app.n_tabs; k++)
			found |= f.app.lists[f.app.tabs[k].list].table == table;
		if (!found)
			fail_msg("no tab has %s", table->name);
	}
}

/* No size and no order of keys may leave the ground that is there. */
static void any_size_and_any_keys(void **state)
{
	static const uint32_t keys[] = { TUI_KEY_UP,
					 TUI_KEY_DOWN,
					 TUI_KEY_PAGE_DOWN,
					 TUI_KEY_END,
					 TUI_KEY_HOME,
					 TUI_KEY_ENTER,
					 TUI_KEY_ENTER,
					 TUI_KEY_ESCAPE,
					 TUI_KEY_ESCAPE,
					 TUI_KEY_TAB,
					 TUI_KEY_LEFT,
					 TUI_KEY_RIGHT,
					 TUI_KEY_BACKSPACE,
					 't',
					 'f',
					 'r',
					 's',
					 'c',
					 ' ',
					 'p',
					 'o',
					 'u',
					 'x',
					 'n',
					 '/',
					 '?',
					 '-',
					 '+',
					 'x',
					 ':',
					 'j',
					 'k',
					 0x7f51,
					 7 };
	uint64_t seed = 42;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		if (i % 7 == 0) {
			f.rows = (unsigned)(seed >> 33) % 70;
			f.columns = (unsigned)(seed >> 43) % 210;
		}
		f.app.quit = false;
		fixture_key(&f, keys[(seed >> 20) % ARRAY_SIZE(keys)]);
		if (i % 97 == 0)
			fixture_tick(&f,
				     fixture_snapshot(some, (seed >> 50) % (ARRAY_SIZE(some) + 1),
						      i, 0));
	}
}

static void a_tiny_terminal_says_so(void **state)
{
	(void)state;
	f.rows = 5;
	f.columns = 20;
	fixture_draw(&f);
	assert_string_equal(fixture_row(&f, 0), "too small: 20x5, ne\u2026");
	f.rows = 24;
	f.columns = 80;
	fixture_draw(&f);
	assert_true(fixture_find(&f, "nginx") > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_processes, close_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_frame_is_there_before_any_answer),
		TEST(only_what_is_in_sight_is_asked_for),
		TEST(the_cursor_stays_on_its_process),
		TEST(a_burst_does_not_move_rows),
		TEST(rows_do_not_jump_while_the_cursor_moves),
		TEST(a_process_out_of_sight_stays_at_the_edge),
		TEST(orders_follow_the_keys),
		TEST(a_filter_is_typed_checked_and_recalled),
		TEST(nothing_matches_is_said),
		TEST(a_tree_has_sums_and_folds),
		TEST(details_show_a_process_and_its_flows),
		TEST(details_of_a_process_that_ended_stay),
		TEST(a_pause_shows_its_age_and_asks_nothing),
		TEST(a_daemon_that_dies_is_said_and_found_again),
		TEST(losses_and_weirs_own_cost_stand_in_the_head),
		TEST(who_sees_only_own_processes_is_told),
		TEST(retransmits_that_happen_now_are_marked),
		TEST(columns_are_chosen),
		TEST(looks_are_switched),
		TEST(every_table_can_be_looked_at),
		TEST(any_size_and_any_keys),
		TEST(a_tiny_terminal_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
