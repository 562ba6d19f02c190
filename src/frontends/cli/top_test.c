// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/tables.h"
#include "frontends/cli/hooks.h"
#include "frontends/cli/objects.h"
#include "frontends/cli/top.h"

/* Cells are set by name: a frontend knows fields by nothing else. */
static unsigned field(const struct weir_table *t, const char *name)
{
	int i = weir_table_field(t, name);

	if (i < 0)
		fail_msg("%s has no %s", t->name, name);
	return (unsigned)i;
}

static void text(struct weir_builder *b, const struct weir_table *t, const char *name, const char *value)
{
	weir_builder_text(b, field(t, name), value);
}

static void number(struct weir_builder *b, const struct weir_table *t, const char *name, uint64_t value)
{
	weir_builder_uint(b, field(t, name), value);
}

static void address(struct weir_builder *b, const struct weir_table *t, const char *name, const char *value)
{
	struct weir_addr a;

	assert_int_equal(weir_addr_parse(value, &a), 0);
	weir_builder_address(b, field(t, name), &a);
}

static void add_flow(struct weir_builder *b, uint64_t pid, const char *comm, const char *container,
		     const char *local, const char *peer, uint64_t tx, uint64_t rx)
{
	const struct weir_table *t = weir_table_find("flows");

	weir_builder_row(b, 0, 1);
	number(b, t, "pid", pid);
	text(b, t, "comm", comm);
	text(b, t, "container_id", container);
	address(b, t, "local_address", local);
	number(b, t, "local_port", 40000 + pid);
	address(b, t, "peer_address", peer);
	number(b, t, "peer_port", 443);
	number(b, t, "tx_bytes", tx);
	number(b, t, "rx_bytes", rx);
}

static void add_process(struct weir_builder *b, uint64_t pid, const char *comm, uint64_t rate, uint64_t tx)
{
	const struct weir_table *t = weir_table_find("processes");

	weir_builder_row(b, 0, 1);
	number(b, t, "pid", pid);
	text(b, t, "comm", comm);
	number(b, t, "tx_bytes", tx);
	number(b, t, "rx_bytes", 0);
	number(b, t, "tx_bytes_per_second", rate);
	number(b, t, "rx_bytes_per_second", 0);
}

static struct weir_snapshot *finish(struct weir_builder *b, uint64_t lost)
{
	const struct weir_snapshot_head head = {
		.number = 12, .real_ns = 1795368307123456789, .lost_events = lost, .host = "web-1"
	};
	struct weir_snapshot *s = NULL;

	assert_int_equal(weir_builder_finish(b, &head, &s), 0);
	weir_builder_free(b);
	return s;
}

static struct weir_snapshot *sample(uint64_t lost)
{
	struct weir_builder *b = weir_builder_new();

	weir_builder_table(b, weir_table_find("flows"));
	add_flow(b, 1, "small", NULL, "10.0.0.1", "192.0.2.1", 1, 2);
	add_flow(b, 2, "\033[2J<b>", "0123456789abcdef0123", "2001:db8::1", "2001:db8::2", 5000000, 1000);
	add_flow(b, 3, "silent", NULL, "10.0.0.1", "192.0.2.9", 0, 0);
	add_flow(b, 4, "down", NULL, "10.0.0.1", "192.0.2.7", 10, 40000);
	weir_builder_table(b, weir_table_find("processes"));
	add_process(b, 10, "idle-large", 0, 9000000);
	add_process(b, 11, "busy", 2000, 5000);
	add_process(b, 12, "idle-small", 0, 70);
	return finish(b, lost);
}

static void draw(char **argv, int argc, enum cli_top_view view, uint64_t rows_max,
		 const struct cli_style *style, uint64_t lost, struct weir_buf *out)
{
	struct weir_snapshot *s = sample(lost);
	_cleanup_free_ char *error = NULL;
	struct cli_command c;
	struct cli_top t;

	assert_int_equal(cli_command_parse(argc, argv, cli_objects, &c, &error), 0);
	assert_int_equal(cli_top_init(&t, &c, view, 0, &error), 0);
	t.rows_max = rows_max;
	assert_int_equal(cli_top_draw(&t, s, style, out), 0);
	cli_top_done(&t);
	cli_command_done(&c);
	weir_snapshot_unref(s);
}

static char *plain[] = { "weir", "top" };

static void flows_with_traffic_come_largest_first(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct cli_style style = {};

	(void)state;
	draw(plain, 2, CLI_TOP_FLOWS, UINT64_MAX, &style, 0, &b);
	assert_string_equal(
		b.data,
		"web-1  2026-11-22 17:25:07Z  snapshot 12  lost 0  4 flows  sent 5 MB (0 B/s)  received 41 kB (0 B/s)\n"
		"PID  CONTAINER     POD  COMMAND     RECEIVED  SENT    SUM  LOCAL ADDRESS        REMOTE ADDRESS\n"
		"  2  0123456789ab  -    \\x1b[2J<b>      1 kB  5 MB   5 MB  [2001:db8::1]:40002  [2001:db8::2]:443\n"
		"  4  -             -    down           40 kB  10 B  40 kB  10.0.0.1:40004       192.0.2.7:443\n"
		"  1  -             -    small            2 B   1 B    3 B  10.0.0.1:40001       192.0.2.1:443\n");
}

static void processes_come_by_rate_then_by_bytes(void **state)
{
	char *argv[] = { "weir", "top", "--columns", "pid,comm,tx_bytes" };
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct cli_style style = { .exact = true };

	(void)state;
	draw(argv, 4, CLI_TOP_PROCESSES, 2, &style, 0, &b);
	assert_string_equal(
		b.data,
		"web-1  2026-11-22 17:25:07Z  snapshot 12  lost 0  3 processes  sent 9005070 (2000/s)  received 0 (0/s)\n"
		"PID  COMMAND        SENT\n"
		" 11  busy           5000\n"
		" 10  idle-large  9000000\n"
		"1 more with --limit 0\n");
}

static void a_named_order_is_the_documents(void **state)
{
	char *argv[] = { "weir", "top", "--columns", "pid", "--sort", "pid" };
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct cli_style style = {};

	(void)state;
	draw(argv, 6, CLI_TOP_PROCESSES, UINT64_MAX, &style, 0, &b);
	assert_non_null(strstr(b.data, "PID\n 10\n 11\n 12\n"));
}

static void losses_stand_in_the_first_line(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct cli_style style = { .color = true };

	(void)state;
	draw(plain, 2, CLI_TOP_FLOWS, UINT64_MAX, &style, 5, &b);
	assert_non_null(strstr(b.data, "  \033[31mlost 5\033[0m  "));
}

static void a_narrow_terminal_gets_two_lines(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct cli_style style = { .width = 80 };

	(void)state;
	draw(plain, 2, CLI_TOP_FLOWS, UINT64_MAX, &style, 0, &b);
	assert_non_null(strstr(b.data, "lost 0\n4 flows  sent"));
}

static void nothing_yet_is_said(void **state)
{
	struct weir_builder *builder = weir_builder_new();
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	_cleanup_free_ char *error = NULL;
	const struct cli_style style = {};
	struct weir_snapshot *s;
	struct cli_command c;
	struct cli_top t;

	(void)state;
	weir_builder_table(builder, weir_table_find("flows"));
	add_flow(builder, 3, "silent", NULL, "10.0.0.1", "192.0.2.9", 0, 0);
	s = finish(builder, 0);
	assert_int_equal(cli_command_parse(2, plain, cli_objects, &c, &error), 0);
	assert_int_equal(cli_top_init(&t, &c, CLI_TOP_FLOWS, 0, &error), 0);
	assert_int_equal(cli_top_draw(&t, s, &style, &b), 0);
	assert_non_null(strstr(b.data, "no byte yet on 1 sockets\n"));
	cli_top_done(&t);
	cli_command_done(&c);
	weir_snapshot_unref(s);
}

/* The sums and the order need fields that may not be shown. */
static void what_a_frame_needs_is_asked_for(void **state)
{
	char *argv[] = { "weir", "top", "--columns", "comm" };
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	_cleanup_free_ char *error = NULL;
	struct cli_columns needs;
	struct cli_command c;
	struct cli_top t;

	(void)state;
	assert_int_equal(cli_command_parse(4, argv, cli_objects, &c, &error), 0);
	assert_int_equal(cli_top_init(&t, &c, CLI_TOP_PROCESSES, 0, &error), 0);
	cli_top_needs(&t, &needs);
	cli_columns_names(t.request.table, &needs, &b);
	assert_string_equal(b.data,
			    "comm,pid,tx_bytes,rx_bytes,tx_bytes_per_second,rx_bytes_per_second");
	cli_top_done(&t);
	cli_command_done(&c);
}

/* --- hooks ----------------------------------------------------------------------------------- */

static void add_hook(struct weir_builder *b, const char *program, const char *map, uint64_t entries)
{
	const struct weir_table *t = weir_table_find("hooks");

	weir_builder_row(b, WEIR_UID_HOST, 1);
	text(b, t, "feature", "traffic");
	text(b, t, "program", program);
	text(b, t, "hook", "tp_btf/x");
	number(b, t, "runs", 5);
	number(b, t, "ns_per_run", 80);
	text(b, t, "map", map);
	number(b, t, "entries", entries);
	number(b, t, "capacity", 100);
	text(b, t, "bpftrace", "bpftrace -e 'x'");
}

static void hooks_have_their_maps_below(void **state)
{
	char *argv[] = { "weir", "hooks", "--bpftrace" };
	const struct weir_table *table = weir_table_find("hooks");
	struct weir_builder *builder = weir_builder_new();
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	_cleanup_free_ char *error = NULL;
	const struct cli_style style = {};
	struct weir_snapshot *s;
	struct cli_request rq;
	struct cli_command c;
	struct weir_rows r;

	(void)state;
	weir_builder_table(builder, table);
	add_hook(builder, "send", "sockets", 7);
	add_hook(builder, "send", "events\033", 8);
	add_hook(builder, "recv", "sockets", 7);
	s = finish(builder, 0);
	assert_int_equal(weir_snapshot_rows(s, table, &r), 0);
	assert_int_equal(cli_command_parse(3, argv, cli_objects, &c, &error), 0);
	assert_int_equal(cli_request_init(&rq, &c, table, 0, &error), 0);
	assert_int_equal(cli_hooks_draw(&r, &c, &rq, &style, &b), 0);
	assert_string_equal(
		b.data,
		"FEATURE  PROGRAM  HOOK      TYPE  ATTACHED  INSNS  JIT  RUNS  PER RUN\n"
		"traffic  send     tp_btf/x  -     -             -    -     5    80 ns\n"
		"    -> sockets  entries 7  capacity 100\n"
		"    -> events\\x1b  entries 8  capacity 100\n"
		"    bpftrace -e 'x'\n"
		"traffic  recv     tp_btf/x  -     -             -    -     5    80 ns\n"
		"    -> sockets  entries 7  capacity 100\n"
		"    bpftrace -e 'x'\n");
	cli_request_done(&rq);
	cli_command_done(&c);
	weir_snapshot_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_with_traffic_come_largest_first),
		cmocka_unit_test(processes_come_by_rate_then_by_bytes),
		cmocka_unit_test(a_named_order_is_the_documents),
		cmocka_unit_test(losses_stand_in_the_first_line),
		cmocka_unit_test(a_narrow_terminal_gets_two_lines),
		cmocka_unit_test(nothing_yet_is_said),
		cmocka_unit_test(what_a_frame_needs_is_asked_for),
		cmocka_unit_test(hooks_have_their_maps_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
