// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"

static struct weir_buf out;
static struct weir_json json;

static int begin(void **state)
{
	(void)state;
	weir_json_init(&json, &out, false);
	return 0;
}

static int end(void **state)
{
	(void)state;
	weir_buf_done(&out);
	return 0;
}

static void containers_get_their_commas(void **state)
{
	(void)state;
	weir_json_object(&json);
	weir_json_key(&json, "a");
	weir_json_array(&json);
	weir_json_uint(&json, 1);
	weir_json_int(&json, -2);
	weir_json_object(&json);
	weir_json_object_end(&json);
	weir_json_array(&json);
	weir_json_array_end(&json);
	weir_json_array_end(&json);
	weir_json_key_quoted(&json, "\"b\"", 3);
	weir_json_bool(&json, true);
	weir_json_key(&json, "c");
	weir_json_bool(&json, false);
	weir_json_key(&json, "d");
	weir_json_null(&json);
	weir_json_key(&json, "e");
	weir_json_text(&json, NULL);
	weir_json_object_end(&json);
	assert_string_equal(out.data, "{\"a\":[1,-2,{},[]],\"b\":true,\"c\":false,\"d\":null,\"e\":null}");
}

static void indented_it_is_laid_out_in_lines(void **state)
{
	(void)state;
	weir_json_init(&json, &out, true);
	weir_json_object(&json);
	weir_json_key(&json, "a");
	weir_json_array(&json);
	weir_json_uint(&json, 1);
	weir_json_uint(&json, 2);
	weir_json_array_end(&json);
	weir_json_key(&json, "b");
	weir_json_object(&json);
	weir_json_object_end(&json);
	weir_json_object_end(&json);
	assert_string_equal(out.data, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
}

static void integers_keep_their_64_bits(void **state)
{
	(void)state;
	weir_json_array(&json);
	weir_json_uint(&json, UINT64_MAX);
	weir_json_int(&json, INT64_MIN);
	weir_json_int(&json, INT64_MAX);
	weir_json_array_end(&json);
	assert_string_equal(out.data, "[18446744073709551615,-9223372036854775808,9223372036854775807]");
}

static void doubles(void **state)
{
	static const double values[] = { 0.1, 1e-9, 1.0 / 3, DBL_MAX, DBL_MIN, 5e-324, -2.5, 1e15, 123456789.123 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		weir_buf_reset(&out);
		weir_json_double(&json, values[i]);
		assert_true(strtod(out.data, NULL) == values[i]);
	}
	weir_buf_reset(&out);
	weir_json_double(&json, 0.1);
	assert_string_equal(out.data, "0.1");
	weir_buf_reset(&out);
	weir_json_array(&json);
	weir_json_double(&json, NAN);
	weir_json_double(&json, INFINITY);
	weir_json_double(&json, -INFINITY);
	weir_json_array_end(&json);
	assert_string_equal(out.data, "[null,null,null]");
}

static void a_comma_for_a_decimal_point_does_not_get_in(void **state)
{
	locale_t german = newlocale(LC_NUMERIC_MASK, "de_DE.UTF-8", (locale_t)0);

	(void)state;
	if (!german) {
		print_message("this machine has no locale de_DE.UTF-8\n");
		skip();
	}
	uselocale(german);
	weir_json_double(&json, 1.5);
	uselocale(LC_GLOBAL_LOCALE);
	freelocale(german);
	assert_string_equal(out.data, "1.5");
}

static void texts(void **state)
{
	static const struct {
		const char *what, *text, *json;
	} rows[] = {
		{ "plain", "nginx: worker 1", "nginx: worker 1" },
		{ "empty", "", "" },
		{ "quotes and backslashes", "a\"b\\c", "a\\\"b\\\\c" },
		{ "markup is inert in HTML", "<svg/onload=a&b>", "\\u003csvg/onload=a\\u0026b\\u003e" },
		{ "control characters", "\n\t\r\x01\x1b[31m\x7f", "\\n\\t\\u000d\\u0001\\u001b[31m\\u007f" },
		{ "C1 control characters", "\xc2\x9b" "31m", "\\u009b31m" },
		{ "line and paragraph separators", "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029" },
		{ "bidirectional override", "a\xe2\x80\xae" "b", "a\\u202eb" },
		{ "invisible characters beyond the first plane", "\xf3\xa0\x81\x81", "\\udb40\\udc41" },
		{ "other scripts stay", "\xe6\xb5\x8b\xe8\xaf\x95 \xf0\x9f\x98\x80", "\xe6\xb5\x8b\xe8\xaf\x95 \xf0\x9f\x98\x80" },
		{ "each bad byte is replaced", "a\xff\xfe" "b", "a\xef\xbf\xbd\xef\xbf\xbd" "b" },
		{ "an overlong slash is two bad bytes", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "a surrogate is three bad bytes", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "a character that is cut off", "x\xe6\xb5", "x\xef\xbf\xbd\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		weir_buf_reset(&out);
		weir_json_text(&json, rows[i].text);
		out.data[out.len - 1] = '\0';
		if (strcmp(out.data + 1, rows[i].json) != 0)
			fail_msg("%s: %s", rows[i].what, out.data + 1);
	}
}

static void times(void **state)
{
	(void)state;
	weir_json_time(&json, 1769860799123456789ull);
	assert_string_equal(out.data, "\"2026-01-31T11:59:59.123456Z\"");
}

static void out_of_memory_is_the_buffers_to_tell(void **state)
{
	(void)state;
	assert_null(weir_buf_room(&out, SIZE_MAX));
	weir_json_object(&json);
	weir_json_key(&json, "a<");
	weir_json_text(&json, "b\x1b");
	weir_json_object_end(&json);
	assert_true(out.error < 0);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(containers_get_their_commas, begin, end),
		cmocka_unit_test_setup_teardown(indented_it_is_laid_out_in_lines, begin, end),
		cmocka_unit_test_setup_teardown(integers_keep_their_64_bits, begin, end),
		cmocka_unit_test_setup_teardown(doubles, begin, end),
		cmocka_unit_test_setup_teardown(a_comma_for_a_decimal_point_does_not_get_in, begin, end),
		cmocka_unit_test_setup_teardown(texts, begin, end),
		cmocka_unit_test_setup_teardown(times, begin, end),
		cmocka_unit_test_setup_teardown(out_of_memory_is_the_buffers_to_tell, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
