// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/assets.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_file_of_the_page_unpacks_to_its_size(void **state)
{
	(void)state;
	unsigned n = 0;

	for (const struct web_asset *a = web_assets; a->path; a++, n++) {
		char *plain = NULL;

		assert_int_equal(a->path[0], '/');
		assert_int_equal(strlen(a->etag), 32);
		assert_int_equal(web_asset_inflate(a, &plain), 0);
		assert_non_null(plain);
		free(plain);
	}
	assert_true(n > 0);
}

static void the_index_is_html_and_names_no_other_host(void **state)
{
	(void)state;
	const struct web_asset *a = web_asset_find("/");
	char *plain, *text;

	assert_non_null(a);
	assert_ptr_equal(a, web_asset_find("/index.html"));
	assert_string_equal(a->type, "text/html; charset=utf-8");
	assert_false(a->immutable); /* its name does not change with its content */
	assert_int_equal(web_asset_inflate(a, &plain), 0);
	text = strndup(plain, a->len);
	free(plain);
	assert_non_null(text);
	assert_non_null(strstr(text, "<html"));
	assert_null(strstr(text, "src=\"http"));
	assert_null(strstr(text, "href=\"http"));
	free(text);
}

static void nothing_else_is_found(void **state)
{
	(void)state;
	static const char *const paths[] = { "",      "index.html", "/index", "/../index.html",
					     "/page", "//",	    "/.",     "/INDEX.HTML" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_null(web_asset_find(paths[i]));
}

static void a_damaged_table_is_noticed(void **state)
{
	(void)state;
	struct web_asset a = *web_asset_find("/");
	char *plain = NULL;

	a.len++;
	assert_int_equal(web_asset_inflate(&a, &plain), -EBADMSG);
	a.len -= 2;
	assert_int_equal(web_asset_inflate(&a, &plain), -EBADMSG);
	a.len++;
	a.gzip_len--;
	assert_int_equal(web_asset_inflate(&a, &plain), -EBADMSG);
	assert_null(plain);
}

static void gzip_is_sent_to_who_takes_it(void **state)
{
	(void)state;
	static const struct {
		const char *accept;
		bool takes;
	} rows[] = {
		{ NULL, false },	   { "", false },
		{ "gzip", true },	   { "GZIP", true },
		{ "deflate, gzip", true }, { "br;q=1.0, gzip;q=0.8", true },
		{ "gzip;q=0", false },	   { "gzip; q=0.000", false },
		{ "gzip;q=0.1", true },	   { "xgzip", false },
		{ "gzipx", false },	   { "identity", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (web_asset_takes_gzip(rows[i].accept) != rows[i].takes)
			fail_msg("%s", rows[i].accept ? rows[i].accept : "(none)");
}

static void an_etag_matches_in_either_encoding(void **state)
{
	(void)state;
	const struct web_asset *a = web_asset_find("/");
	static const struct {
		const char *fmt;
		bool matches;
	} rows[] = {
		{ "\"%s\"", true },	   { "\"%s-gz\"", true }, { "W/\"%s\"", true },
		{ "\"x\", \"%s\"", true }, { "\"%sx\"", false },  { "\"x%s\"", false },
		{ "%s", false },
	};
	char text[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), rows[i].fmt, a->etag);
#pragma GCC diagnostic pop
		if (web_asset_matches(a, text) != rows[i].matches)
			fail_msg("%s", text);
	}
	assert_true(web_asset_matches(a, "*"));
	assert_false(web_asset_matches(a, NULL));
	assert_false(web_asset_matches(a, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_of_the_page_unpacks_to_its_size),
		cmocka_unit_test(the_index_is_html_and_names_no_other_host),
		cmocka_unit_test(nothing_else_is_found),
		cmocka_unit_test(a_damaged_table_is_noticed),
		cmocka_unit_test(gzip_is_sent_to_who_takes_it),
		cmocka_unit_test(an_etag_matches_in_either_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
