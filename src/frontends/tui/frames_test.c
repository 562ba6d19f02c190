// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/fixture.h"

#include <stdio.h>

#include "core/replay.h"
#include "frontends/tui/golden.h"
#include "frontends/words/words.h"

/* Frames as they were found good, from a recording and from a minute that is made up. */

static struct fixture f;

static void expect(const char *name)
{
	fixture_draw(&f);
	golden_expect(&f.grid, name);
}

/* --- from a recording ------------------------------------------------------------------------ */

/* Up to its last second with traffic: rates are of that second. */
#define RECORDING_SECONDS 3

static void play(const char *table, unsigned columns, unsigned rows, bool ascii)
{
	struct weir_replay *replay = NULL;
	char *error = NULL;

	golden_open(&f, table, columns, rows, ascii);
	f.app.recording = true;
	fixture_draw(&f);
	assert_int_equal(weir_replay_open(WEIR_TESTDATA "/cases.events", &replay, &error), 0);
	for (int i = 0; i < RECORDING_SECONDS; i++) {
		struct weir_snapshot *s = NULL;

		assert_int_equal(weir_replay_next(replay, &s, &error), 1);
		fixture_tick(&f, s);
	}
	weir_replay_free(replay);
}

static const struct {
	unsigned columns, rows;
} sizes[] = { { 80, 24 }, { 120, 40 }, { 200, 60 } };

static void a_recording_at_each_size(void **state)
{
	char name[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		play("processes", sizes[i].columns, sizes[i].rows, false);
		snprintf(name, sizeof(name), "processes-%ux%u", sizes[i].columns, sizes[i].rows);
		expect(name);
		fixture_key(&f, 'f');
		snprintf(name, sizeof(name), "flows-%ux%u", sizes[i].columns, sizes[i].rows);
		expect(name);
		fixture_key(&f, 't');
		snprintf(name, sizeof(name), "tree-%ux%u", sizes[i].columns, sizes[i].rows);
		expect(name);
		fixture_close(&f);
	}
}

static void details_of_a_recorded_process(void **state)
{
	(void)state;
	play("processes", 80, 24, false);
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_ENTER);
	expect("details-80x24");
	fixture_key(&f, TUI_KEY_ENTER);
	expect("flow-80x24");
	fixture_close(&f);
}

/* --- a minute that is made up ---------------------------------------------------------------- */

#define CONTAINER "3f4e1a9c0b7d5e628194a3c2d1f0e9b8a7c6d5e4f3b2a1908f7e6d5c4b3a2910"

static struct weir_snapshot *minute(unsigned second, uint64_t lost)
{
	const uint64_t s = second;
	const struct fixture_process p[] = {
		{ 812, "nginx", "nginx.service", NULL, 2000000 + 90000 * (s % 20) * (s % 20),
		  40000 + 900 * s, 0 },
		{ 813, "nginx", "nginx.service", NULL, s % 7 ? 0 : 800000, s % 7 ? 0 : 9000, 0 },
		{ 1544, "postgres", "postgresql@15-main.service", NULL, 300000, 120000,
		  s > 55 ? s - 55 : 0 },
		{ 2210, "wget", "session-4.scope", NULL, 9000, s < 30 ? 0 : 11900000, 3 },
		{ 3001, "prometheus", NULL, CONTAINER, 4000, 64000, 0 },
		{ 3002, "node_exporter", NULL, CONTAINER, 64000, 4000, 0 },
		{ 700, "sshd", "ssh.service", NULL, 120, 60, 0 },
		{ 701, "chronyd", "chrony.service", NULL, 0, 0, 0 },
	};

	return fixture_snapshot(p, ARRAY_SIZE(p), second, lost);
}

static void made_up(unsigned columns, unsigned rows, bool ascii)
{
	golden_open(&f, "processes", columns, rows, ascii);
	fixture_draw(&f);
	for (unsigned i = 1; i <= 60; i++)
		fixture_tick(&f, minute(i, 0));
}

static void a_minute_with_curves(void **state)
{
	(void)state;
	made_up(80, 24, false);
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_DOWN);
	expect("minute-80x24");
	fixture_key(&f, TUI_KEY_ENTER);
	expect("minute-details-80x24");
	fixture_close(&f);
	made_up(120, 40, false);
	fixture_tick(&f, minute(61, 17));
	fixture_key(&f, 'p');
	f.now_ns += 75 * FIXTURE_SECOND;
	expect("minute-lost-paused-120x40");
	fixture_close(&f);
}

static void a_minute_in_ascii(void **state)
{
	(void)state;
	made_up(80, 24, true);
	expect("minute-ascii-80x24");
	fixture_key(&f, 't');
	fixture_tick(&f, minute(61, 0));
	expect("minute-tree-ascii-80x24");
	fixture_close(&f);
}

static void filter_line_menus_and_help(void **state)
{
	(void)state;
	made_up(80, 24, false);
	fixture_type(&f, "/process:nginx port:443\n");
	expect("filter-error-80x24");
	fixture_key(&f, TUI_KEY_ESCAPE);
	fixture_key(&f, 's');
	expect("order-menu-80x24");
	fixture_key(&f, TUI_KEY_ESCAPE);
	fixture_key(&f, '?');
	expect("help-80x24");
	for (const struct tui_key_help *h = tui_key_helps; h->keys; h++)
		if (fixture_find(&f, h->keys) < 0)
			fail_msg("the help has no room for \"%s\"", h->keys);
	fixture_close(&f);
}

/* --- lost packets ---------------------------------------------------------------------------- */

static const struct fixture_loss {
	const char *reason, *class, *location, *layer, *device, *comm;
	uint64_t pid, rate, packets;
	const char *meaning, *advice, *sample, *stack;
} losses[] = {
	{ "NO_SOCKET", "expected", "tcp_v4_rcv+0x8a1", "transport", "eth0", NULL, 0, 2, 90210,
	  "Nobody listens on the port that it was sent to.", NULL, NULL, NULL },
	{ "SOCKET_RCVBUFF", "tune", "udp_queue_rcv_one_skb+0x1a3", "socket", "lo", "redis-server",
	  4711, 412, 24720,
	  "The socket's receive buffer is full, because the program reads more slowly than packets "
	  "arrive.",
	  "Give the program more processor time or readers, or a larger buffer: SO_RCVBUF in the "
	  "program, sysctl "
	  "net.core.rmem_default and net.core.rmem_max. What is full now: ss -uampn.",
	  "udp 10.0.0.8:40312 > 10.0.0.4:8125 len 120",
	  "udp_queue_rcv_one_skb+0x1a3;udp_unicast_rcv_skb+0x74;__udp4_lib_rcv+0x6f1;ip_protocol_"
	  "deliver_rcu+0xcd;"
	  "ip_local_deliver_finish+0x76;__netif_receive_skb_one_core+0x85;process_backlog+0x8a" },
	{ "listen_overflow", "tune", NULL, "socket", NULL, "\033[31mnginx", 812, 0, 17,
	  "The queue of connections that the program has to accept is full.", NULL, NULL, NULL },
	{ "TCP_CSUM", "bug", "tcp_v4_rcv+0x1e0", "transport", "eth0", NULL, 0, 1, 5, NULL, NULL,
	  NULL, NULL },
	{ "RX_INVALID_PEER_OF_A_NEWER_KERNEL", NULL,
	  "a_function_whose_name_is_rather_long+0x10 [some_module]", "other", "veth0123456789a",
	  NULL, 0, 0, 1, NULL, NULL, NULL, NULL },
};

static struct weir_snapshot *lost_packets(void)
{
	const struct weir_snapshot_head head = { .number = 1,
						 .real_ns = 1795368307000000000ull,
						 .host = "web-1" };
	const struct weir_table *t = weir_table_find("drops");
	struct weir_builder *b = weir_builder_new();
	struct weir_snapshot *s = NULL;

	weir_builder_table(b, t);
	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		const struct fixture_loss *l = &losses[i];

		weir_builder_row(b, 0, 1);
		fixture_text(b, t, "reason", l->reason);
		fixture_text(b, t, "class", l->class);
		fixture_text(b, t, "location", l->location);
		fixture_text(b, t, "layer", l->layer);
		fixture_text(b, t, "device", l->device);
		fixture_text(b, t, "comm", l->comm);
		if (l->pid)
			fixture_number(b, t, "pid", l->pid);
		fixture_text(b, t, "source", "packet");
		fixture_number(b, t, "packets_per_second", l->rate);
		fixture_number(b, t, "packets", l->packets);
		fixture_text(b, t, "meaning", l->meaning);
		fixture_text(b, t, "advice", l->advice);
		fixture_text(b, t, "sample", l->sample);
		fixture_text(b, t, "stack", l->stack);
	}
	assert_int_equal(weir_builder_finish(b, &head, &s), 0);
	weir_builder_free(b);
	return s;
}

static void what_is_lost(void **state)
{
	char name[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		golden_open(&f, "drops", sizes[i].columns, sizes[i].rows, false);
		fixture_draw(&f);
		fixture_tick(&f, lost_packets());
		snprintf(name, sizeof(name), "drops-%ux%u", sizes[i].columns, sizes[i].rows);
		expect(name);
		fixture_key(&f, TUI_KEY_ENTER);
		snprintf(name, sizeof(name), "drops-details-%ux%u", sizes[i].columns,
			 sizes[i].rows);
		if (i < 2)
			expect(name);
		fixture_close(&f);
	}
}

/* What the daemon says of them in English. */
static void what_is_lost_in_chinese(void **state)
{
	(void)state;
	weir_words_set(WEIR_LANGUAGE_ZH);
	golden_open(&f, "drops", 120, 40, false);
	fixture_draw(&f);
	fixture_tick(&f, lost_packets());
	fixture_key(&f, TUI_KEY_ENTER);
	expect("drops-details-zh-120x40");
	fixture_close(&f);
	weir_words_set(WEIR_LANGUAGE_EN);
}

/* --- names ----------------------------------------------------------------------------------- */

static const struct fixture_process hostile[] = {
	{ 1, "\033[2J\033[31mred", "evil\033]0;t\a.service", NULL, 9000, 0, 0 },
	{ 2, "\u7f51\u7edc\u76d1\u63a7\u7a0b\u5e8f\u4e00\u4e8c", "\u202Eelbatrela.service", NULL,
	  8000, 0, 0 },
	{ 3, "e\u0301\u0301\u0301\u0301\u0301tat", "two\nlines", NULL, 7000, 0, 0 },
	{ 4, "\xff\xfe\xc3(",
	  "\x9b"
	  "31m",
	  NULL, 6000, 0, 0 },
	{ 5, "<svg/onload=a>", "=cmd|' /C'!A0", NULL, 5000, 0, 0 },
	{ 6, "a very very long name that no kernel gives", "%s%n%x", NULL, 4000, 0, 0 },
	{ 7, "\U0001f600\U0001f600", "\ufeff", NULL, 3000, 0, 0 },
	{ 8, " ", "", NULL, 2000, 0, 0 },
};

static void hostile_names(void **state)
{
	(void)state;
	for (int ascii = 0; ascii < 2; ascii++) {
		golden_open(&f, "processes", 120, 24, ascii);
		fixture_draw(&f);
		fixture_tick(&f, fixture_snapshot(hostile, ARRAY_SIZE(hostile), 1, 0));
		for (size_t i = 0; i < (size_t)f.grid.rows * f.grid.columns; i++)
			if ((f.grid.cells[i].character && f.grid.cells[i].character < ' ') ||
			    (f.grid.cells[i].character >= 0x7f &&
			     f.grid.cells[i].character < 0xa0) ||
			    (ascii && f.grid.cells[i].character >= 0x80))
				fail_msg("U+%04x is in the grid", f.grid.cells[i].character);
		expect(ascii ? "hostile-ascii-120x24" : "hostile-120x24");
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_at_each_size),
		cmocka_unit_test(details_of_a_recorded_process),
		cmocka_unit_test(a_minute_with_curves),
		cmocka_unit_test(a_minute_in_ascii),
		cmocka_unit_test(filter_line_menus_and_help),
		cmocka_unit_test(what_is_lost),
		cmocka_unit_test(what_is_lost_in_chinese),
		cmocka_unit_test(hostile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
