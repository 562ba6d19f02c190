// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/document.h"
#include "core/table_fixture.h"
#include "core/tables.h"

static const struct weir_snapshot_head head = {
	.number = 7, .real_ns = 1769860799123456789ull, .lost_events = 3, .host = "weirhost",
};

static struct weir_builder *builder;
static struct weir_snapshot *snapshot;
static struct weir_buf out;
static struct weir_query query;

static int begin(void **state)
{
	(void)state;
	builder = weir_builder_new();
	weir_builder_table(builder, &fixture_table);
	weir_query_init(&query, &fixture_table);
	query.viewer.sees_all = true;
	return 0;
}

static int end(void **state)
{
	(void)state;
	builder = weir_builder_free(builder);
	snapshot = weir_snapshot_unref(snapshot);
	weir_buf_done(&out);
	return 0;
}

static void finish(void)
{
	snapshot = weir_snapshot_unref(snapshot);
	assert_int_equal(weir_builder_finish(builder, &head, &snapshot), 0);
}

static const char *document(enum weir_json_style style)
{
	weir_buf_reset(&out);
	assert_int_equal(weir_document_json(&out, snapshot, &fixture_table, &query, style), 0);
	return out.data;
}

static void two_rows(void)
{
	struct weir_addr a;

	weir_builder_row(builder, 1000, 1);
	weir_builder_uint(builder, FIXTURE_PID, 4711);
	weir_builder_text(builder, FIXTURE_COMM, "nginx");
	weir_builder_text(builder, FIXTURE_EXE, "/usr/sbin/nginx");
	weir_builder_int(builder, FIXTURE_DELTA, -5);
	weir_builder_bool(builder, FIXTURE_LIVE, true);
	weir_builder_time(builder, FIXTURE_SEEN, 1000001999);
	weir_addr_parse("2001:db8::1", &a);
	weir_builder_address(builder, FIXTURE_PEER, &a);
	weir_builder_uint(builder, FIXTURE_LOCAL_PORT, 443);
	weir_builder_uint(builder, FIXTURE_PEER_PORT, 50000);
	weir_builder_uint(builder, FIXTURE_SRTT_US, 250);
	weir_builder_uint(builder, FIXTURE_TCP_TX, 1);
	weir_builder_uint(builder, FIXTURE_TCP_RX, 2);
	weir_builder_uint(builder, FIXTURE_BYTES, UINT64_MAX);
	weir_builder_uint(builder, FIXTURE_UDP_TX, 3);
	weir_builder_text(builder, FIXTURE_NOTE, "note");
	weir_builder_row(builder, 1001, 2);
	weir_builder_uint(builder, FIXTURE_PID, 1);
	finish();
}

static void the_whole_document(void **state)
{
	(void)state;
	two_rows();
	assert_string_equal(
		document(WEIR_JSON_COMPACT),
		"{\"schema_version\":1,\"host\":\"weirhost\",\"time\":\"2026-01-31T11:59:59.123456Z\","
		"\"snapshot\":7,\"lost_events\":3,\"total\":2,\"rows\":["
		"{\"pid\":4711,\"comm\":\"nginx\",\"exe\":\"/usr/sbin/nginx\",\"delta\":-5,\"live\":true,"
		"\"seen\":\"1970-01-01T00:00:01.000001Z\",\"peer_address\":\"2001:db8::1\",\"local_port\":443,"
		"\"peer_port\":50000,\"srtt_us\":250,"
		"\"by_transport\":{\"tcp\":{\"tx_bytes\":1,\"rx_bytes\":2},\"udp\":{\"tx_bytes\":3},\"note\":\"note\"},"
		"\"tx_bytes\":18446744073709551615},"
		"{\"pid\":1,\"comm\":null,\"exe\":null,\"delta\":null,\"live\":null,\"seen\":null,"
		"\"peer_address\":null,\"local_port\":null,\"peer_port\":null,\"srtt_us\":null,"
		"\"by_transport\":{},\"tx_bytes\":null}]}\n");
}

static void sums_stand_before_the_rows(void **state)
{
	char *error = NULL;

	(void)state;
	two_rows();
	assert_int_equal(weir_query_sums(&query, &fixture_table, "local_port,by_transport.tcp.rx_bytes", &error), 0);
	assert_int_equal(weir_query_fields(&query, &fixture_table, "pid", &error), 0);
	query.limit = 0;
	assert_string_equal(document(WEIR_JSON_COMPACT),
			    "{\"schema_version\":1,\"host\":\"weirhost\",\"time\":\"2026-01-31T11:59:59.123456Z\","
			    "\"snapshot\":7,\"lost_events\":3,\"total\":2,"
			    "\"sums\":{\"local_port\":443,\"by_transport.tcp.rx_bytes\":2},\"rows\":[]}\n");
}

static void one_object_a_line(void **state)
{
	char *error = NULL;

	(void)state;
	two_rows();
	assert_int_equal(weir_query_fields(&query, &fixture_table, "pid,by_transport", &error), 0);
	assert_string_equal(document(WEIR_JSON_LINES),
			    "{\"pid\":4711,\"by_transport\":{\"tcp\":{\"tx_bytes\":1,\"rx_bytes\":2},"
			    "\"udp\":{\"tx_bytes\":3},\"note\":\"note\"}}\n"
			    "{\"pid\":1,\"by_transport\":{}}\n");
}

static void the_rows_alone(void **state)
{
	char *error = NULL;

	(void)state;
	two_rows();
	assert_int_equal(weir_query_fields(&query, &fixture_table, "by_transport.udp,comm", &error), 0);
	assert_int_equal(weir_document_rows(&out, snapshot, &fixture_table, &query), 0);
	assert_string_equal(out.data, "[{\"comm\":\"nginx\",\"by_transport\":{\"udp\":{\"tx_bytes\":3}}},"
				      "{\"comm\":null,\"by_transport\":{}}]");
}

static void indented_it_is_the_same_document(void **state)
{
	json_t *compact, *indented;

	(void)state;
	two_rows();
	query.fields &= ~(1ull << FIXTURE_BYTES); /* jansson has no room for it */
	compact = json_loads(document(WEIR_JSON_COMPACT), 0, NULL);
	indented = json_loads(document(WEIR_JSON_INDENTED), 0, NULL);
	assert_non_null(strstr(out.data, "\n      \"by_transport\": {\n        \"tcp\": {\n          \"tx_bytes\": 1,\n"));
	assert_non_null(compact);
	assert_true(json_equal(compact, indented));
	json_decref(compact);
	json_decref(indented);
}

static void total_counts_before_the_limit_and_for_the_viewer(void **state)
{
	(void)state;
	two_rows();
	query.fields = 1 << FIXTURE_PID;
	query.limit = 1;
	assert_non_null(strstr(document(WEIR_JSON_COMPACT), "\"total\":2,\"rows\":[{\"pid\":4711}]}"));
	query.viewer.sees_all = false;
	query.viewer.uid = 1001;
	assert_non_null(strstr(document(WEIR_JSON_COMPACT), "\"total\":1,\"rows\":[{\"pid\":1}]}"));
}

static void a_table_that_the_snapshot_lacks_has_no_rows(void **state)
{
	struct weir_query q;

	(void)state;
	two_rows();
	weir_query_init(&q, &weir_table_audit);
	assert_int_equal(weir_document_json(&out, snapshot, &weir_table_audit, &q, WEIR_JSON_COMPACT), 0);
	assert_non_null(strstr(out.data, "\"total\":0,\"rows\":[]}"));
	weir_buf_reset(&out);
	assert_int_equal(weir_document_json(&out, snapshot, &weir_table_audit, &q, WEIR_JSON_LINES), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(weir_document_rows(&out, snapshot, &weir_table_audit, &q), 0);
	assert_string_equal(out.data, "[]");
}

static void hostile_names_are_inert(void **state)
{
	(void)state;
	weir_builder_row(builder, 0, 0);
	weir_builder_text(builder, FIXTURE_COMM, "</script><svg/onload=a>");
	weir_builder_text(builder, FIXTURE_EXE, "\x1b]0;x\x07\"},{\xff\n");
	weir_builder_text(builder, FIXTURE_NOTE, "\u202e");
	finish();
	query.fields = 1 << FIXTURE_COMM | 1 << FIXTURE_EXE | 1 << FIXTURE_NOTE;
	assert_string_equal(document(WEIR_JSON_LINES),
			    "{\"comm\":\"\\u003c/script\\u003e\\u003csvg/onload=a\\u003e\","
			    "\"exe\":\"\\u001b]0;x\\u0007\\\"},{\ufffd\\n\",\"by_transport\":{\"note\":\"\\u202e\"}}\n");
}

/* --- reading back -------------------------------------------------------------------------- */

static struct weir_snapshot *parsed(const char *text)
{
	struct weir_snapshot *s = NULL;
	char *error = NULL;

	if (weir_document_parse(text, strlen(text), &fixture_table, &s, &error) < 0)
		fail_msg("%s: %s", error, text);
	return s;
}

/* document -> parse -> document gives the same bytes. */
static void assert_round_trip(void)
{
	struct weir_snapshot *again;
	char *first;

	first = strdup(document(WEIR_JSON_COMPACT));
	again = parsed(first);
	weir_buf_reset(&out);
	query.sort_field = WEIR_SORT_NONE; /* it was sorted the first time */
	assert_int_equal(weir_document_json(&out, again, &fixture_table, &query, WEIR_JSON_COMPACT), 0);
	assert_string_equal(out.data, first);
	weir_snapshot_unref(again);
	free(first);
}

static void a_document_comes_back(void **state)
{
	struct weir_snapshot *s;
	struct weir_rows r;

	(void)state;
	two_rows();
	assert_round_trip();
	s = parsed(document(WEIR_JSON_INDENTED));
	assert_int_equal(weir_snapshot_head(s)->number, 7);
	assert_int_equal(weir_snapshot_head(s)->lost_events, 3);
	assert_string_equal(weir_snapshot_head(s)->host, "weirhost");
	assert_int_equal(weir_snapshot_head(s)->real_ns, 1769860799123456000ull);
	assert_int_equal(weir_snapshot_rows(s, &fixture_table, &r), 0);
	assert_int_equal(r.n, 2);
	assert_true(weir_cell_uint(&r, 0, FIXTURE_BYTES) == UINT64_MAX);
	assert_int_equal(weir_row_changed(&r, 0), 7);
	assert_int_equal(weir_row_uid(&r, 0), WEIR_UID_HOST);
	weir_snapshot_unref(s);
}

static uint64_t seed;

static uint64_t random_bits(unsigned bits)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return bits ? seed >> (64 - bits) : 0;
}

static void random_cell(unsigned field)
{
	struct weir_addr a = { .family = random_bits(1) ? 2 : 10 };
	char text[20] = { 0 };

	switch (fixture_fields[field].type) {
	case WEIR_TYPE_UINT:
		weir_builder_uint(builder, field, random_bits((unsigned)random_bits(6) + 1));
		return;
	case WEIR_TYPE_INT:
		weir_builder_int(builder, field, (int64_t)random_bits(64) >> random_bits(6));
		return;
	case WEIR_TYPE_BOOL:
		weir_builder_bool(builder, field, random_bits(1));
		return;
	case WEIR_TYPE_TIME:
		weir_builder_time(builder, field, random_bits(64));
		return;
	case WEIR_TYPE_TEXT:
		for (size_t i = 0, n = random_bits(4); i < n; i++)
			text[i] = (char)random_bits(8);
		weir_builder_text(builder, field, text);
		return;
	case WEIR_TYPE_ADDRESS:
		for (size_t i = 0; i < (a.family == 2 ? 4 : 16); i++)
			a.bytes[i] = (uint8_t)random_bits(8);
		weir_builder_address(builder, field, &a);
		return;
	case _WEIR_TYPE_MAX:
		break;
	}
}

static void any_rows_come_back(void **state)
{
	(void)state;
	for (seed = 1; seed < 300; seed++) {
		uint64_t kept = seed;

		for (size_t i = 0, n = random_bits(5); i < n; i++) {
			weir_builder_row(builder, 0, 0);
			for (unsigned f = 0; f < _FIXTURE_FIELD_MAX; f++)
				if (random_bits(2))
					random_cell(f);
		}
		finish();
		assert_round_trip();
		weir_builder_table(builder, &fixture_table);
		seed = kept;
	}
}

#define HEAD "\"schema_version\":1,\"host\":\"h\",\"time\":\"2026-01-31T00:00:00Z\",\"snapshot\":1,\"lost_events\":0"

static void numbers_keep_their_64_bits(void **state)
{
	static const struct {
		const char *json;
		uint64_t value;
	} list[] = {
		{ "0", 0 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", 1ull << 63 },
		{ "18446744073709551615", UINT64_MAX },
		{ "\"\\u000118446744073709551615\"", UINT64_MAX }, /* how it is kept on the way */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct weir_snapshot *s;
		struct weir_rows r;
		char text[400];

		snprintf(text, sizeof(text), "{" HEAD ",\"rows\":[{\"pid\":%s,\"comm\":\"\\\"18446744073709551615\"},{}]}",
			 list[i].json);
		s = parsed(text);
		assert_int_equal(weir_snapshot_rows(s, &fixture_table, &r), 0);
		assert_int_equal(r.n, 2);
		assert_true(weir_cell_uint(&r, 0, FIXTURE_PID) == list[i].value);
		assert_string_equal(weir_cell_text(&r, 0, FIXTURE_COMM), "\"18446744073709551615");
		assert_true(weir_cell_null(&r, 1, FIXTURE_PID));
		weir_snapshot_unref(s);
	}
}

static void unknown_members_are_passed_over(void **state)
{
	struct weir_snapshot *s;
	struct weir_rows r;

	(void)state;
	s = parsed("{" HEAD ",\"new\":{\"a\":[1,99999999999999999999e9]},\"rows\":[{\"pid\":5,\"later\":{},"
		   "\"by_transport\":{\"sctp\":{\"tx_bytes\":\"x\"},\"tcp\":null}}]}");
	assert_int_equal(weir_snapshot_rows(s, &fixture_table, &r), 0);
	assert_int_equal(weir_cell_uint(&r, 0, FIXTURE_PID), 5);
	weir_snapshot_unref(s);
}

static void a_long_host_is_cut_between_characters(void **state)
{
	struct weir_snapshot *s;
	struct weir_buf b = { 0 };

	(void)state;
	weir_buf_str(&b, "{\"schema_version\":1,\"host\":\"x");
	for (unsigned i = 0; i < 40; i++)
		weir_buf_str(&b, "\u6d4b");
	weir_buf_str(&b, "\",\"time\":\"2026-01-31T00:00:00Z\",\"snapshot\":1,\"lost_events\":0,\"rows\":[]}");
	s = parsed(b.data);
	assert_int_equal(strlen(weir_snapshot_head(s)->host), 61);
	weir_snapshot_unref(s);
	weir_buf_done(&b);
}

static void what_is_no_document_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *what, *text, *says;
	} list[] = {
		{ "empty", "", "line 1: " },
		{ "a page of HTML", "<html>", "line 1: " },
		{ "cut off", "{" HEAD ",\"rows\":[{\"pid\":", "line 1: " },
		{ "something behind", "{" HEAD ",\"rows\":[]} x", "line 1: " },
		{ "an array", "[]", "schema_version" },
		{ "a newer version", "{\"schema_version\":2}", "schema_version is not 1" },
		{ "no time", "{\"schema_version\":1,\"host\":\"h\"}", "host or time" },
		{ "no number", "{\"schema_version\":1,\"host\":\"h\",\"time\":\"2026-01-31T00:00:00Z\"}", "snapshot or" },
		{ "no rows", "{" HEAD "}", "rows is not an array" },
		{ "rows are an object", "{" HEAD ",\"rows\":{}}", "rows is not an array" },
		{ "a row is a number", "{" HEAD ",\"rows\":[{},1]}", "rows[1] is not an object" },
		{ "a number in quotes", "{" HEAD ",\"rows\":[{\"pid\":\"5\"}]}", "rows[0].pid is not a whole number" },
		{ "a negative count", "{" HEAD ",\"rows\":[{\"pid\":-1}]}", "rows[0].pid" },
		{ "a fraction", "{" HEAD ",\"rows\":[{\"pid\":1.0}]}", "rows[0].pid" },
		{ "2^64", "{" HEAD ",\"rows\":[{\"pid\":18446744073709551616}]}", "line 1: too big integer" },
		{ "below 64 bits", "{" HEAD ",\"rows\":[{\"delta\":-9223372036854775809}]}", "line 1: too big negative" },
		{ "above 63 bits with a sign", "{" HEAD ",\"rows\":[{\"delta\":9223372036854775808}]}", "rows[0].delta" },
		{ "a number for a text", "{" HEAD ",\"rows\":[{\"comm\":5}]}", "rows[0].comm is not a text" },
		{ "a number for a truth", "{" HEAD ",\"rows\":[{\"live\":1}]}", "rows[0].live is not true or false" },
		{ "no address", "{" HEAD ",\"rows\":[{\"peer_address\":\"x\"}]}", "rows[0].peer_address is not an address" },
		{ "no time", "{" HEAD ",\"rows\":[{\"seen\":\"now\"}]}", "rows[0].seen is not a time" },
		{ "a text for an object", "{" HEAD ",\"rows\":[{\"by_transport\":\"x\"}]}", "rows[0].by_transport.tcp.tx" },
		{ "a member twice", "{" HEAD ",\"rows\":[{\"pid\":1,\"pid\":2}]}", "line 1: duplicate object key" },
		{ "NUL in a text", "{" HEAD ",\"rows\":[{\"comm\":\"a\\u0000b\"}]}", "line 1: " },
		{ "bytes that are not UTF-8", "{" HEAD ",\"rows\":[{\"comm\":\"\xff\"}]}", "line 1: " },
		{ "an escape sequence near the fault", "{\"\x1b[2J\"}", "line 1: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct weir_snapshot *s = NULL;
		char *error = NULL;

		if (weir_document_parse(list[i].text, strlen(list[i].text), &fixture_table, &s, &error) != -EBADMSG)
			fail_msg("%s was taken", list[i].what);
		assert_null(s);
		assert_non_null(error);
		if (strncmp(error, list[i].says, strlen(list[i].says)) != 0 || strpbrk(error, "\n\x1b"))
			fail_msg("%s: %s", list[i].what, error);
		free(error);
	}
}

static void every_truncation_is_refused(void **state)
{
	size_t len;
	char *text;

	(void)state;
	two_rows();
	text = strdup(document(WEIR_JSON_COMPACT));
	len = strlen(text) - 1; /* without the newline */
	for (size_t n = 0; n < len; n++) {
		struct weir_snapshot *s = NULL;
		char *error = NULL;

		assert_int_equal(weir_document_parse(text, n, &fixture_table, &s, &error), -EBADMSG);
		free(error);
	}
	free(text);
}

static void deep_nesting_is_refused(void **state)
{
	struct weir_buf b = { 0 };
	struct weir_snapshot *s = NULL;
	char *error = NULL;

	(void)state;
	for (unsigned i = 0; i < 1000000; i++)
		weir_buf_char(&b, '[');
	assert_int_equal(weir_document_parse(b.data, b.len, &fixture_table, &s, &error), -EBADMSG);
	free(error);
	weir_buf_done(&b);
}

/* --- schema -------------------------------------------------------------------------------- */

/* Each member of a row is declared in the schema, with a type that fits. */
static void assert_declared(const json_t *schema, const json_t *object)
{
	const json_t *properties = json_object_get(schema, "properties"), *value;
	const char *key;

	assert_true(json_is_object(properties));
	assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
	json_object_foreach((json_t *)object, key, value)
	{
		const json_t *declared = json_object_get(properties, key);

		if (!declared)
			fail_msg("%s is not in the schema", key);
		if (json_is_object(value))
			assert_declared(declared, value);
		else
			assert_non_null(json_object_get(declared, "description"));
	}
}

static void the_schema_declares_each_member(void **state)
{
	json_t *text, *schema, *rows;
	char *comma;

	(void)state;
	two_rows();
	assert_int_equal(weir_document_schema(&out, &fixture_table), 0);
	/* the one number that jansson cannot hold */
	while ((comma = strstr(out.data, "18446744073709551615")))
		memcpy(comma, "                1844", 20);
	schema = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(schema);
	assert_string_equal(json_string_value(json_object_get(schema, "$schema")),
			    "https://json-schema.org/draft/2020-12/schema");
	rows = json_object_get(json_object_get(schema, "properties"), "rows");

	query.fields &= ~(1ull << FIXTURE_BYTES);
	text = json_loads(document(WEIR_JSON_COMPACT), 0, NULL);
	assert_non_null(text);
	assert_declared(json_object_get(rows, "items"), json_array_get(json_object_get(text, "rows"), 0));
	for (size_t i = 0; i < json_array_size(json_object_get(schema, "required")); i++) {
		const char *member = json_string_value(json_array_get(json_object_get(schema, "required"), i));

		assert_non_null(json_object_get(text, member));
		assert_non_null(json_object_get(json_object_get(schema, "properties"), member));
	}
	json_decref(text);
	json_decref(schema);
}

static void each_table_has_a_schema(void **state)
{
	const struct weir_table *t;

	(void)state;
	for (unsigned i = 0; (t = weir_table_at(i)); i++) {
		weir_buf_reset(&out);
		assert_int_equal(weir_document_schema(&out, t), 0);
		assert_non_null(strstr(out.data, t->name));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_whole_document),
		TEST(sums_stand_before_the_rows),
		TEST(one_object_a_line),
		TEST(the_rows_alone),
		TEST(indented_it_is_the_same_document),
		TEST(total_counts_before_the_limit_and_for_the_viewer),
		TEST(a_table_that_the_snapshot_lacks_has_no_rows),
		TEST(hostile_names_are_inert),
		TEST(a_document_comes_back),
		TEST(any_rows_come_back),
		TEST(numbers_keep_their_64_bits),
		TEST(unknown_members_are_passed_over),
		TEST(a_long_host_is_cut_between_characters),
		TEST(what_is_no_document_is_refused_with_a_reason),
		TEST(every_truncation_is_refused),
		TEST(deep_nesting_is_refused),
		TEST(the_schema_declares_each_member),
		TEST(each_table_has_a_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
