// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/tables.h"
#include "frontends/cli/doctor.h"
#include "frontends/cli/rows.h"

enum { PID, COMM, UID, USER, STATE, PEER, SENT, RATE, RTT, AGE, DELTA, OK, SEEN, RETRANS, _N };

#define COLUMN WEIR_FIELD_COLUMN

static const struct weir_field fields[] = {
	[PID] = { .name = "pid", .title = "PID", .flags = COLUMN },
	[COMM] = { .name = "comm", .title = "COMMAND", .type = WEIR_TYPE_TEXT, .flags = COLUMN },
	[UID] = { .name = "uid", .title = "UID" },
	[USER] = { .name = "user", .title = "USER", .type = WEIR_TYPE_TEXT, .flags = COLUMN },
	[STATE] = { .name = "state", .title = "STATE", .type = WEIR_TYPE_TEXT, .flags = COLUMN },
	[PEER] = { .name = "peer", .title = "PEER", .type = WEIR_TYPE_ADDRESS, .flags = COLUMN },
	[SENT] = { .name = "tx_bytes", .title = "SENT", .unit = WEIR_UNIT_BYTES, .flags = COLUMN },
	[RATE] = { .name = "rate", .title = "SENT/S", .unit = WEIR_UNIT_BYTES_PER_SECOND, .flags = COLUMN },
	[RTT] = { .name = "rtt_us", .title = "RTT", .unit = WEIR_UNIT_MICROSECONDS, .flags = COLUMN },
	[AGE] = { .name = "age_ns", .title = "AGE", .unit = WEIR_UNIT_NANOSECONDS },
	[DELTA] = { .name = "delta", .title = "DELTA", .type = WEIR_TYPE_INT, .unit = WEIR_UNIT_BYTES },
	[OK] = { .name = "ok", .title = "OK", .type = WEIR_TYPE_BOOL, .flags = COLUMN },
	[SEEN] = { .name = "seen", .title = "SEEN", .type = WEIR_TYPE_TIME },
	[RETRANS] = { .name = "retransmits", .title = "RETRANS", .unit = WEIR_UNIT_SEGMENTS },
};

static const struct weir_table table = { .name = "sample", .fields = fields, .n_fields = _N };

static void add_row(struct weir_builder *b, uint64_t pid, const char *comm, const char *state, uint64_t sent)
{
	struct weir_addr peer;

	assert_int_equal(weir_addr_parse("2001:db8::1", &peer), 0);
	weir_builder_row(b, 0, 1);
	weir_builder_uint(b, PID, pid);
	weir_builder_text(b, COMM, comm);
	weir_builder_uint(b, UID, 1000);
	weir_builder_text(b, USER, "www-data");
	weir_builder_text(b, STATE, state);
	weir_builder_address(b, PEER, &peer);
	weir_builder_uint(b, SENT, sent);
	weir_builder_uint(b, RATE, 1500);
	weir_builder_uint(b, RTT, 12345);
	weir_builder_uint(b, AGE, 90000000000);
	weir_builder_int(b, DELTA, -1500000);
	weir_builder_bool(b, OK, pid != 2);
	weir_builder_time(b, SEEN, 1795368307123456789);
	weir_builder_uint(b, RETRANS, pid - 1);
}

static int setup(void **state)
{
	struct weir_builder *b = weir_builder_new();
	const struct weir_snapshot_head head = { .number = 7, .host = "web-1" };
	struct weir_snapshot *s = NULL;

	weir_builder_table(b, &table);
	add_row(b, 1, "nginx", "running", 1234567);
	add_row(b, 2, "=cmd|' /C calc'!A0\r\n\033[31m", "exited", UINT64_MAX);
	weir_builder_row(b, 0, 1);
	weir_builder_uint(b, PID, 3);
	assert_int_equal(weir_builder_finish(b, &head, &s), 0);
	weir_builder_free(b);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	weir_snapshot_unref(*state);
	return 0;
}

static struct weir_rows rows_of(void **state)
{
	struct weir_rows r;

	assert_int_equal(weir_snapshot_rows(*state, &table, &r), 0);
	return r;
}

static const struct {
	unsigned field;
	const char *human, *exact;
} cells[] = {
	{ PID, "1", "1" },
	{ COMM, "nginx", "nginx" },
	{ PEER, "2001:db8::1", "2001:db8::1" },
	{ SENT, "1.23 MB", "1234567" },
	{ RATE, "1.5 kB/s", "1500" },
	{ RTT, "12.3 ms", "12345" },
	{ AGE, "1.5 min", "90000000000" },
	{ DELTA, "-1.5 MB", "-1500000" },
	{ OK, "yes", "yes" },
	{ SEEN, "2026-11-22 17:25:07Z", "2026-11-22T17:25:07.123456Z" },
};

static void cells_read_as_people_write_them(void **state)
{
	struct weir_rows r = rows_of(state);
	char buf[CLI_CELL_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		assert_string_equal(cli_cell_text(&r, 0, cells[i].field, false, buf), cells[i].human);
		assert_string_equal(cli_cell_text(&r, 0, cells[i].field, true, buf), cells[i].exact);
	}
	assert_null(cli_cell_text(&r, 2, SENT, false, buf));
	assert_string_equal(cli_cell_text(&r, 1, SENT, true, buf), "18446744073709551615");
}

static void what_needs_attention_is_marked(void **state)
{
	struct weir_rows r = rows_of(state);

	assert_int_equal(cli_cell_signal(&r, 0, STATE), CLI_SIGNAL_NONE);
	assert_int_equal(cli_cell_signal(&r, 1, STATE), CLI_SIGNAL_QUIET);
	assert_int_equal(cli_cell_signal(&r, 0, RETRANS), CLI_SIGNAL_NONE);
	assert_int_equal(cli_cell_signal(&r, 1, RETRANS), CLI_SIGNAL_WARN);
	assert_int_equal(cli_cell_signal(&r, 0, OK), CLI_SIGNAL_GOOD);
	assert_int_equal(cli_cell_signal(&r, 1, OK), CLI_SIGNAL_BAD);
	assert_int_equal(cli_cell_signal(&r, 2, RETRANS), CLI_SIGNAL_NONE);
	assert_int_equal(cli_cell_signal(&r, 1, SENT), CLI_SIGNAL_NONE);
}

static const struct {
	const char *text;
	bool numeric;
	const char *names; /* NULL: refused */
} columns[] = {
	{ NULL, false, "pid,comm,user,state,peer,tx_bytes,rate,rtt_us,ok" },
	{ NULL, true, "pid,comm,uid,state,peer,tx_bytes,rate,rtt_us,ok" },
	{ "comm,pid", false, "comm,pid" },
	{ "pid,pid", false, "pid" },
	{ "+seen", false, "pid,comm,user,state,peer,tx_bytes,rate,rtt_us,ok,seen" },
	{ "+pid", false, "pid,comm,user,state,peer,tx_bytes,rate,rtt_us,ok" },
	{ "all", false,
	  "pid,comm,uid,user,state,peer,tx_bytes,rate,rtt_us,age_ns,delta,ok,seen,retransmits" },
	{ "pid,", false, NULL },
	{ "colour", false, NULL },
	{ "PID", false, NULL },
};

static void columns_are_chosen_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		_cleanup_free_ char *error = NULL;
		struct cli_columns c;
		int r = cli_columns_parse(&table, columns[i].text, columns[i].numeric, &c, &error);

		assert_int_equal(r, columns[i].names ? 0 : -EINVAL);
		assert_true(!error == !!columns[i].names);
		if (!columns[i].names)
			continue;
		cli_columns_names(&table, &c, &b);
		assert_string_equal(b.data, columns[i].names);
	}
}

/* clang-format off */
static const struct {
	unsigned width;
	const char *golden;
} goldens[] = {
	{ 120,
	  "PID  COMMAND                             USER      STATE    PEER            SENT    SENT/S      RTT  OK\n"
	  "  1  nginx                               www-data  running  2001:db8::1  1.23 MB  1.5 kB/s  12.3 ms  yes\n"
	  "  2  =cmd|' /C calc'!A0\\x0d\\x0a\\x1b[31m  www-data  exited   2001:db8::1  18.4 EB  1.5 kB/s  12.3 ms  no\n"
	  "  3  -                                   -         -        -                  -         -        -  -\n" },
	{ 80,
	  "PID  COMMAND              USER      PEER            SENT    SENT/S      RTT  OK\n"
	  "  1  nginx                www-data  2001:db8::1  1.23 MB  1.5 kB/s  12.3 ms  yes\n"
	  "  2  =cmd|' /C calc'!A0…  www-data  2001:db8::1  18.4 EB  1.5 kB/s  12.3 ms  no\n"
	  "  3  -                    -         -                  -         -        -  -\n"
	  "no room for: STATE\n" },
};
/* clang-format on */

static void tables_are_laid_out_for_the_terminal(void **state)
{
	struct weir_rows r = rows_of(state);
	_cleanup_free_ char *error = NULL;
	struct cli_columns c;

	assert_int_equal(cli_columns_parse(&table, NULL, false, &c, &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		struct cli_style style = { .width = goldens[i].width };

		assert_int_equal(cli_rows_draw(&r, &c, NULL, r.n, &style, &b), 0);
		assert_string_equal(b.data, goldens[i].golden);
	}
}

static void rows_come_in_the_order_of_the_index(void **state)
{
	struct weir_rows r = rows_of(state);
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct cli_columns c = { .field = { PID, SENT }, .n = 2, .chosen = true };
	const struct cli_style style = { .exact = true };
	const uint32_t index[] = { 2, 0 };

	assert_int_equal(cli_rows_draw(&r, &c, index, 2, &style, &b), 0);
	assert_string_equal(b.data, "PID     SENT\n  3        -\n  1  1234567\n");
}

static void an_audit_line_that_is_not_right_is_found(void **state)
{
	struct weir_rows r = rows_of(state);

	assert_true(cli_audit_found(&r));
	r.n = 1;
	assert_false(cli_audit_found(&r));
	r.n = 0;
	assert_false(cli_audit_found(&r));
}

/* --- doctor ---------------------------------------------------------------------------------- */

static const struct weir_field doctor_fields[] = {
	{ .name = "feature", .title = "FEATURE", .type = WEIR_TYPE_TEXT },
	{ .name = "state", .title = "STATE", .type = WEIR_TYPE_TEXT },
};
static const struct weir_table doctor_table = { .name = "doctor", .fields = doctor_fields, .n_fields = 2 };

static const struct {
	const char *name;
	const char *rows[3][2];
	bool found;
} doctors[] = {
	{ "all is on", { { "traffic", "on" } }, false },
	{ "a fallback serves it", { { "traffic", "unavailable" }, { "traffic", "on" } }, false },
	{ "in part is enough", { { "traffic", "degraded" }, { "traffic", "unavailable" } }, false },
	{ "nothing serves it", { { "traffic", "unavailable" }, { "traffic", "unavailable" } }, true },
	{ "one of two features", { { "traffic", "on" }, { "drops", "unavailable" } }, true },
	{ "switched off is no finding", { { "traffic", "off" } }, false },
	{ "no rows", {}, false },
};

static void features_that_cannot_run_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(doctors); i++) {
		struct weir_builder *b = weir_builder_new();
		const struct weir_snapshot_head head = { .number = 1 };
		struct weir_snapshot *s = NULL;
		struct weir_rows r;

		weir_builder_table(b, &doctor_table);
		for (int k = 0; k < 3 && doctors[i].rows[k][0]; k++) {
			weir_builder_row(b, WEIR_UID_HOST, 1);
			weir_builder_text(b, 0, doctors[i].rows[k][0]);
			weir_builder_text(b, 1, doctors[i].rows[k][1]);
		}
		assert_int_equal(weir_builder_finish(b, &head, &s), 0);
		assert_int_equal(weir_snapshot_rows(s, &doctor_table, &r), 0);
		if (cli_doctor_found(&r) != doctors[i].found)
			fail_msg("%s", doctors[i].name);
		weir_snapshot_unref(s);
		weir_builder_free(b);
	}
}

/* --- doctor and audit as they are drawn ------------------------------------------------------ */

static void set_text(struct weir_builder *b, const struct weir_table *t, const char *name, const char *value)
{
	weir_builder_text(b, (unsigned)weir_table_field(t, name), value);
}

static void draw_special(struct weir_builder *b, const struct weir_table *t, unsigned width,
			 int (*draw)(const struct weir_rows *, const struct cli_command *,
				     const struct cli_request *, const struct cli_style *, struct weir_buf *),
			 struct weir_buf *out)
{
	const struct weir_snapshot_head head = { .number = 1 };
	const struct cli_style style = { .width = width };
	const struct cli_command c = {};
	struct cli_request rq = { .table = t };
	_cleanup_free_ char *error = NULL;
	struct weir_snapshot *s = NULL;
	struct weir_rows r;

	assert_int_equal(cli_columns_parse(t, NULL, false, &rq.columns, &error), 0);
	assert_int_equal(weir_builder_finish(b, &head, &s), 0);
	assert_int_equal(weir_snapshot_rows(s, t, &r), 0);
	assert_int_equal(draw(&r, &c, &rq, &style, out), 0);
	weir_snapshot_unref(s);
	weir_builder_free(b);
}

static void doctors_words_stand_below(void **state)
{
	const struct weir_table *t = &weir_table_doctor;
	struct weir_builder *b = weir_builder_new();
	_cleanup_(weir_buf_done) struct weir_buf out = {};

	(void)state;
	weir_builder_table(b, t);
	weir_builder_row(b, WEIR_UID_HOST, 1);
	set_text(b, t, "feature", "traffic");
	set_text(b, t, "hook_set", "sock");
	set_text(b, t, "state", "unavailable");
	set_text(b, t, "reason", "the kernel has no tracepoint of that name\033[2J and will not get one");
	set_text(b, t, "cure", "a newer kernel");
	draw_special(b, t, 60, cli_doctor_draw, &out);
	assert_string_equal(out.data,
			    "FEATURE  HOOKS  STATE\n"
			    "traffic  sock   unavailable\n"
			    "    reason  the kernel has no tracepoint of that name\\x1b[2J\n"
			    "            and will not get one\n"
			    "    cure    a newer kernel\n");
}

static void audits_words_stand_where_there_is_room(void **state)
{
	const struct weir_table *t = &weir_table_audit;

	(void)state;
	for (unsigned width = 0; width <= 80; width += 80) {
		_cleanup_(weir_buf_done) struct weir_buf out = {};
		struct weir_builder *b = weir_builder_new();

		weir_builder_table(b, t);
		for (int i = 0; i < 2; i++) {
			weir_builder_row(b, WEIR_UID_HOST, 1);
			set_text(b, t, "scope", i ? "in_call" : "tcp");
			set_text(b, t, "help", i ? "What lies inside a call that has not returned yet."
						 : "What TCP itself counted on all of the sockets.");
			weir_builder_int(b, (unsigned)weir_table_field(t, "tx_bytes"), i ? 0 : -5);
			weir_builder_bool(b, (unsigned)weir_table_field(t, "ok"), true);
		}
		draw_special(b, t, width, cli_audit_draw, &out);
		if (width)
			assert_string_equal(out.data,
					    "SCOPE    SENT  RECEIVED  SOCKETS  ATTRIBUTED  OK\n"
					    "tcp      -5 B         -        -  -           yes\n"
					    "            What TCP itself counted on all of the sockets.\n"
					    "in_call   0 B         -        -  -           yes\n");
		else
			assert_non_null(strstr(out.data, "tcp      What TCP itself counted"));
	}
}

static void names_stand_for_addresses_and_ports(void **state)
{
	static const struct weir_field named[] = {
		{ .name = "peer_address", .title = "PEER", .type = WEIR_TYPE_ADDRESS, .flags = COLUMN,
		  .named_by = "peer_name" },
		{ .name = "peer_port", .title = "PPORT", .flags = COLUMN | WEIR_FIELD_PORT },
		{ .name = "peer_name", .title = "NAME", .type = WEIR_TYPE_TEXT },
		{ .name = "transport", .title = "PROTO", .type = WEIR_TYPE_TEXT },
	};
	static const struct weir_table def = { .name = "named", .fields = named, .n_fields = 4 };
	static const char longest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com";
	struct weir_builder *b = weir_builder_new();
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_snapshot *s = NULL;
	struct weir_rows r;
	struct cli_columns c;
	struct weir_addr peer;
	struct weir_buf names = {};
	char *error = NULL, buf[CLI_CELL_TEXT];

	(void)state;
	weir_addr_parse("192.0.2.1", &peer);
	weir_builder_table(b, &def);
	for (unsigned i = 0; i < 3; i++) {
		weir_builder_row(b, 0, 1);
		weir_builder_address(b, 0, &peer);
		weir_builder_uint(b, 1, 1); /* no program asks for this port's name */
		weir_builder_text(b, 2, i == 0 ? "www.example.com" : i == 1 ? longest : NULL);
	}
	assert_int_equal(weir_builder_finish(b, &head, &s), 0);
	assert_int_equal(weir_snapshot_rows(s, &def, &r), 0);
	assert_string_equal(cli_cell_named(&r, 0, 0, false, buf), "www.example.com");
	assert_string_equal(cli_cell_named(&r, 1, 0, false, buf), "..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com");
	assert_string_equal(cli_cell_named(&r, 2, 0, false, buf), "192.0.2.1");
	assert_string_equal(cli_cell_named(&r, 0, 1, false, buf), "1"); /* without a transport */
	assert_int_equal(cli_columns_parse(&def, NULL, false, &c, &error), 0);
	cli_columns_names(&def, &c, &names);
	assert_string_equal(names.data, "peer_address,peer_port,peer_name,transport");
	weir_buf_reset(&names);
	assert_int_equal(cli_columns_parse(&def, NULL, true, &c, &error), 0);
	cli_columns_names(&def, &c, &names);
	assert_string_equal(names.data, "peer_address,peer_port");
	assert_int_equal(cli_columns_parse(&def, "peer_address", false, &c, &error), 0);
	assert_false(c.named);
	weir_buf_done(&names);
	weir_snapshot_unref(s);
	weir_builder_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stand_for_addresses_and_ports),
		cmocka_unit_test_setup_teardown(cells_read_as_people_write_them, setup, teardown),
		cmocka_unit_test_setup_teardown(what_needs_attention_is_marked, setup, teardown),
		cmocka_unit_test(columns_are_chosen_by_name),
		cmocka_unit_test_setup_teardown(tables_are_laid_out_for_the_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(rows_come_in_the_order_of_the_index, setup, teardown),
		cmocka_unit_test_setup_teardown(an_audit_line_that_is_not_right_is_found, setup, teardown),
		cmocka_unit_test(features_that_cannot_run_are_found),
		cmocka_unit_test(doctors_words_stand_below),
		cmocka_unit_test(audits_words_stand_where_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
