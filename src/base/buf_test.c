// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"

static void an_unused_buffer_can_be_freed(void **state)
{
	struct weir_buf b = { 0 };

	(void)state;
	weir_buf_reset(&b);
	weir_buf_done(&b);
	assert_null(b.data);
}

static void what_is_appended_stands_there_and_ends_in_nul(void **state)
{
	struct weir_buf b = { 0 };

	(void)state;
	weir_buf_str(&b, "ab");
	weir_buf_char(&b, 'c');
	weir_buf_uint(&b, 0);
	weir_buf_uint(&b, UINT64_MAX);
	weir_buf_printf(&b, "-%s-", "x");
	weir_buf_add(&b, "", 0);
	assert_int_equal(b.error, 0);
	assert_string_equal(b.data, "abc018446744073709551615-x-");
	assert_int_equal(b.len, strlen(b.data));
	weir_buf_done(&b);
}

static void numbers_read_back(void **state)
{
	struct weir_buf b = { 0 };

	(void)state;
	for (uint64_t v = 0; v < UINT64_MAX / 2; v = v < 12000 ? v + 1 : v + v / 99) {
		weir_buf_reset(&b);
		weir_buf_uint(&b, v);
		assert_true(strtoull(b.data, NULL, 10) == v);
		assert_true(b.data[0] != '0' || v == 0);
		assert_int_equal(b.len, strlen(b.data));
	}
	weir_buf_done(&b);
}

static void it_grows_at_every_boundary(void **state)
{
	struct weir_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		weir_buf_char(&b, (char)('a' + i % 26));
		assert_int_equal(b.len, i + 1);
		assert_true(b.cap > b.len);
		assert_int_equal(b.data[b.len], '\0');
	}
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	weir_buf_done(&b);
}

static void long_formatted_text_is_not_cut(void **state)
{
	struct weir_buf b = { 0 };
	char text[3000];

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t len = 250; len < 262; len++) {
		weir_buf_done(&b);
		weir_buf_printf(&b, "%.*s", (int)len, text);
		assert_int_equal(b.len, len);
		assert_int_equal(strlen(b.data), len);
	}
	weir_buf_reset(&b);
	weir_buf_printf(&b, "<%s>", text);
	assert_int_equal(b.len, sizeof(text) + 1);
	assert_int_equal(b.data[b.len - 1], '>');
	weir_buf_done(&b);
}

static void reset_keeps_the_memory(void **state)
{
	struct weir_buf b = { 0 };
	const char *data;

	(void)state;
	weir_buf_str(&b, "something");
	data = b.data;
	weir_buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	weir_buf_str(&b, "else");
	assert_ptr_equal(b.data, data);
	assert_string_equal(b.data, "else");
	weir_buf_done(&b);
}

static void the_caller_may_write_into_the_room(void **state)
{
	struct weir_buf b = { 0 };
	char *room;

	(void)state;
	weir_buf_str(&b, "x");
	room = weir_buf_room(&b, 1000);
	assert_non_null(room);
	memset(room, 'z', 1000);
	b.len += 1000;
	weir_buf_char(&b, '!');
	assert_int_equal(b.len, 1002);
	assert_string_equal(b.data + 1000, "z!");
	weir_buf_done(&b);
}

static void an_error_takes_the_text_along(void **state)
{
	struct weir_buf b = { 0 };
	char *error = NULL;

	(void)state;
	weir_buf_str(&b, "no such file");
	weir_buf_spaces(&b, 2);
	assert_int_equal(weir_buf_error(&b, -ENOENT, &error), -ENOENT);
	assert_string_equal(error, "no such file  ");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	free(error);
	assert_int_equal(weir_fail(&error, -EINVAL, "%s takes %u", "it", 5u), -EINVAL);
	assert_string_equal(error, "it takes 5");
	free(error);
	assert_null(weir_buf_room(&b, SIZE_MAX));
	assert_int_equal(weir_buf_error(&b, -EINVAL, &error), -ENOMEM);
	assert_null(error);
	assert_int_equal(b.error, 0);
}

static void out_of_memory_is_kept_and_the_text_stays_whole(void **state)
{
	struct weir_buf b = { 0 };

	(void)state;
	weir_buf_str(&b, "before");
	assert_null(weir_buf_room(&b, SIZE_MAX));
	assert_int_equal(b.error, -ENOMEM);
	weir_buf_str(&b, "after");
	weir_buf_printf(&b, "%d", 5);
	assert_null(weir_buf_room(&b, 1));
	assert_string_equal(b.data, "before");
	assert_int_equal(b.len, 6);
	weir_buf_reset(&b);
	assert_null(weir_buf_room(&b, SIZE_MAX - 10));
	assert_int_equal(b.error, -ENOMEM);
	weir_buf_reset(&b);
	weir_buf_str(&b, "again");
	assert_int_equal(b.error, 0);
	assert_string_equal(b.data, "again");
	weir_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unused_buffer_can_be_freed),
		cmocka_unit_test(what_is_appended_stands_there_and_ends_in_nul),
		cmocka_unit_test(numbers_read_back),
		cmocka_unit_test(it_grows_at_every_boundary),
		cmocka_unit_test(long_formatted_text_is_not_cut),
		cmocka_unit_test(reset_keeps_the_memory),
		cmocka_unit_test(the_caller_may_write_into_the_room),
		cmocka_unit_test(an_error_takes_the_text_along),
		cmocka_unit_test(out_of_memory_is_kept_and_the_text_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
