// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/export/prometheus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/tables.h"

static const struct weir_snapshot_head head = { .number = 1, .real_ns = 1, .host = "test" };

static unsigned field(const struct weir_table *t, const char *name)
{
	int i = weir_table_field(t, name);

	if (i < 0)
		fail_msg("%s has no field %s", t->name, name);
	return (unsigned)i;
}

static const struct weir_table *table(const char *name)
{
	const struct weir_table *t = weir_table_find(name);

	assert_non_null(t);
	return t;
}

static void group(struct weir_builder *b, uid_t uid, const char *process, uint64_t bytes)
{
	const struct weir_table *t = table("process_groups");

	weir_builder_row(b, uid, 1);
	weir_builder_text(b, field(t, "process"), process);
	weir_builder_text(b, field(t, "transport"), "tcp");
	weir_builder_text(b, field(t, "direction"), "transmit");
	weir_builder_uint(b, field(t, "bytes"), bytes);
}

static void health(struct weir_builder *b, const char *process, uint64_t retransmits,
		   uint64_t srtt_us)
{
	const struct weir_table *t = table("process_health");

	weir_builder_row(b, 0, 1);
	weir_builder_text(b, field(t, "process"), process);
	weir_builder_uint(b, field(t, "retransmits"), retransmits);
	if (srtt_us)
		weir_builder_uint(b, field(t, "srtt_us"), srtt_us);
}

struct fixture {
	struct weir_builder *builder;
	struct weir_buf out;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .builder = weir_builder_new() };
	*state = &f;
	return f.builder ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	weir_builder_free(f->builder);
	weir_buf_done(&f->out);
	return 0;
}

static const char *render(struct fixture *f, struct weir_viewer viewer)
{
	struct weir_snapshot *s;

	assert_int_equal(weir_builder_finish(f->builder, &head, &s), 0);
	weir_buf_reset(&f->out);
	assert_int_equal(weir_prometheus_render(&f->out, s, &viewer), 0);
	weir_snapshot_unref(s);
	return f->out.data ? f->out.data : "";
}

static const struct weir_viewer root = { .uid = 0, .sees_all = true };

static void a_family_has_its_help_and_type_once_and_sorted_samples(void **state)
{
	struct fixture *f = *state;

	weir_builder_table(f->builder, table("process_groups"));
	group(f->builder, 0, "wget", 5);
	group(f->builder, 0, "curl", UINT64_MAX);
	assert_string_equal(
		render(f, root),
		"# HELP weir_process_network_io_bytes_total "
		"Bytes that programs handed to and took from sockets, each once.\n"
		"# TYPE weir_process_network_io_bytes_total counter\n"
		"weir_process_network_io_bytes_total{process=\"curl\",unit=\"\",container=\"\","
		"transport=\"tcp\",direction=\"transmit\"} 18446744073709551615\n"
		"weir_process_network_io_bytes_total{process=\"wget\",unit=\"\",container=\"\","
		"transport=\"tcp\",direction=\"transmit\"} 5\n");
}

static void values_are_scaled_to_base_units_and_nulls_give_no_sample(void **state)
{
	struct fixture *f = *state;

	weir_builder_table(f->builder, table("process_health"));
	health(f->builder, "a", 3, 1234);
	health(f->builder, "b", 4, 0);
	const char *text = render(f, root);
	assert_non_null(strstr(
		text,
		"# TYPE weir_process_tcp_rtt_seconds gauge\n"
		"weir_process_tcp_rtt_seconds{process=\"a\",unit=\"\",container=\"\"} 0.001234\n"));
	assert_null(strstr(text, "weir_process_tcp_rtt_seconds{process=\"b\""));
	assert_non_null(strstr(
		text,
		"weir_process_tcp_retransmits_total{process=\"b\",unit=\"\",container=\"\"} 4\n"));
}

static void hostile_names_stay_inside_their_quotes(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *name, *label;
	} rows[] = {
		{ "a\"} 1\nweir_x 2", "{process=\"a\\\"} 1\\nweir_x 2\"," },
		{ "back\\slash", "{process=\"back\\\\slash\"," },
		{ "\x1b[31mred", "{process=\"\xef\xbf\xbd[31mred\"," },
		{ "\xe2\x80\xaegnp.exe", "{process=\"\xef\xbf\xbdgnp.exe\"," },
		{ "caf\xc3\xa9", "{process=\"caf\xc3\xa9\"," },
		{ "bad\xff", "{process=\"bad\xef\xbf\xbd\"," },
		{ "cut\xe2\x82", "{process=\"cut\xef\xbf\xbd\xef\xbf\xbd\"," },
		{ "<svg/onload=a>", "{process=\"<svg/onload=a>\"," },
	};

	weir_builder_table(f->builder, table("process_groups"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		group(f->builder, 0, rows[i].name, 1);
	const char *text = render(f, root);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strstr(text, rows[i].label))
			fail_msg("no %s in\n%s", rows[i].label, text);
	/* Two lines of comment and one for each sample: nothing broke out. */
	unsigned lines = 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 2 + sizeof(rows) / sizeof(rows[0]));
}

static void rows_that_read_the_same_become_one_sample(void **state)
{
	struct fixture *f = *state;

	weir_builder_table(f->builder, table("process_groups"));
	group(f->builder, 0, "bad\xfe", 3);
	group(f->builder, 0, "other", 1);
	group(f->builder, 0, "bad\xff", 4);
	const char *text = render(f, root), *first = strstr(text, "process=\"bad");
	assert_non_null(first);
	assert_non_null(strstr(first, "} 7\n"));
	assert_null(strstr(first + 1, "process=\"bad"));
	assert_non_null(strstr(text, "process=\"other\""));
}

static void a_user_sees_the_own_rows_and_the_hosts_stay_hidden(void **state)
{
	struct fixture *f = *state;
	const struct weir_viewer user = { .uid = 1000 }, stranger = { .uid = 1001 };
	const struct weir_viewer *viewers[] = { &user, &stranger };

	for (int i = 0; i < 2; i++) {
		weir_builder_table(f->builder, table("process_groups"));
		group(f->builder, 1000, "mine", 1);
		group(f->builder, 0, "roots", 2);
		group(f->builder, WEIR_UID_HOST, "hosts", 3);
		const char *text = render(f, *viewers[i]);
		assert_null(strstr(text, "roots"));
		assert_null(strstr(text, "hosts"));
		if (i == 0)
			assert_non_null(strstr(text, "mine"));
		else
			assert_string_equal(text, ""); /* a family without samples is left out */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_family_has_its_help_and_type_once_and_sorted_samples, setup, teardown),
		cmocka_unit_test_setup_teardown(
			values_are_scaled_to_base_units_and_nulls_give_no_sample, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_names_stay_inside_their_quotes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(rows_that_read_the_same_become_one_sample, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_user_sees_the_own_rows_and_the_hosts_stay_hidden,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
