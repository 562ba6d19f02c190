// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "frontends/cli/json_text.h"

#define HEAD "{\"schema_version\":1,\"time\":\"T\",\"snapshot\":7,\"rows\":"

static const struct {
	const char *name, *text, *indented;
} indents[] = {
	{ "an object with a list", "{\"a\":[1,2],\"b\":\"x\"}",
	  "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": \"x\"\n}" },
	{ "empty ones stay on their line", "{\"a\":{},\"b\":[]}", "{\n  \"a\": {},\n  \"b\": []\n}" },
	{ "marks inside strings are text", "{\"a\":\"{,:\\\"}\"}", "{\n  \"a\": \"{,:\\\"}\"\n}" },
	{ "numbers stay as they are", "[18446744073709551615,-1e400]",
	  "[\n  18446744073709551615,\n  -1e400\n]" },
	{ "white space that was there goes", " { \"a\" :\n1 } \n", "{\n  \"a\": 1\n}" },
	{ "a number alone", "5", "5" },
	{ "a bracket too few", "{\"a\":[1}", NULL },
	{ "a bracket too many", "{}}", NULL },
	{ "a string that does not end", "{\"a", NULL },
	{ "nothing", "", NULL },
};

static void documents_are_indented(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(indents); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		int r = cli_json_indent(&b, indents[i].text, strlen(indents[i].text));

		if (r != (indents[i].indented ? 0 : -EBADMSG))
			fail_msg("%s: %d", indents[i].name, r);
		if (indents[i].indented)
			assert_string_equal(b.data, indents[i].indented);
	}
}

static const struct {
	const char *name, *text;
	bool stamp;
	const char *lines;
} lists[] = {
	{ "each row on its line", HEAD "[{\"a\":1},{\"a\":\"]}\"}]}", false,
	  "{\"a\":1}\n{\"a\":\"]}\"}\n" },
	{ "with time and snapshot in front", HEAD "[{\"a\":1},{}]}", true,
	  "{\"time\":\"T\",\"snapshot\":7,\"a\":1}\n{\"time\":\"T\",\"snapshot\":7}\n" },
	{ "no rows, no lines", HEAD "[]}", true, "" },
	{ "a row over several lines becomes one", HEAD "[\n{ \"a\" : [1,\n 2] }\n]}", false,
	  "{\"a\":[1,2]}\n" },
	{ "rows inside a row are its own", HEAD "[{\"rows\":[{}]}]}", false, "{\"rows\":[{}]}\n" },
	{ "no rows member", "{\"time\":\"T\"}", false, NULL },
	{ "rows that are no list", HEAD "5}", false, NULL },
	{ "cut off in a row", HEAD "[{\"a\":1},{\"a\"", false, NULL },
	{ "cut off behind the name", HEAD, false, NULL },
	{ "no object", "[]", false, NULL },
	{ "nothing", "", false, NULL },
};

static void rows_come_one_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		int r = cli_json_rows(&b, lists[i].text, strlen(lists[i].text), lists[i].stamp);

		if (r != (lists[i].lines ? 0 : -EBADMSG))
			fail_msg("%s: %d", lists[i].name, r);
		if (lists[i].lines)
			assert_string_equal(b.data ? b.data : "", lists[i].lines);
	}
}

/* Every beginning of a document, in memory of just that size so that the sanitizers see a byte too far. */
static void cut_anywhere_it_is_refused(void **state)
{
	const char whole[] = HEAD "[{\"a\":\"\\\"\\u00e4\",\"b\":[1,{}]},{\"c\":null}],\"more\":true}";

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		_cleanup_(weir_buf_done) struct weir_buf rows = {}, indented = {};
		_cleanup_free_ char *cut = malloc(len ? len : 1);

		memcpy(cut, whole, len);
		assert_int_equal(cli_json_indent(&indented, cut, len), -EBADMSG);
		/* Past the list the rows are whole. */
		if (cli_json_rows(&rows, cut, len, true) == 0)
			assert_non_null(memmem(cut, len, "}]", 2));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_indented),
		cmocka_unit_test(rows_come_one_a_line),
		cmocka_unit_test(cut_anywhere_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
