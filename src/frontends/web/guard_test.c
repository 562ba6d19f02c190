// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void only_own_names_reach_the_tcp_listener(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool good;
	} rows[] = {
		{ "127.0.0.1:9474", true },
		{ "localhost:9474", true },
		{ "LOCALHOST:9474", true },
		{ "[::1]:9474", true },
		{ "10.1.2.3:9474", true }, /* what --listen named */
		{ "10.1.2.3", false },
		{ "127.0.0.1", false },
		{ "127.0.0.1:9475", false },
		{ "127.0.0.1:", false },
		{ "127.0.0.1:09474x", false },
		{ "127.0.0.2:9474", false },
		{ "evil.example:9474", false },
		{ "localhost.evil.example:9474", false },
		{ "localhost:9474.evil.example", false },
		{ "localhost@evil.example:9474", false },
		{ "::1:9474", false },
		{ "[::1:9474", false },
		{ "", false },
		{ ":9474", false },
	};
	struct web_hosts h;

	web_hosts_init(&h, "10.1.2.3:9474", 9474);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (web_guard_host(&h, rows[i].host) != rows[i].good)
			fail_msg("%s", rows[i].host);
}

static void port_80_may_be_left_out(void **state)
{
	(void)state;
	struct web_hosts h;

	web_hosts_init(&h, "[::1]:80", 80);
	assert_true(web_guard_host(&h, "[::1]"));
	assert_true(web_guard_host(&h, "localhost"));
	assert_true(web_guard_host(&h, "localhost:80"));
	assert_false(web_guard_host(&h, "localhost:8080"));
}

static void a_host_has_a_form(void **state)
{
	(void)state;
	static const char *const good[] = { "weir", "weir:80", "a-b.c_d", "[2001:db8::1]:1",
					    "10.0.0.1" };
	static const char *const bad[] = { "",	   "a b",   "a/b",  "a:b",	"a:70000",
					   "a:0",  "a:1:2", "[",    "[]",	"[x]:1",
					   "a\"b", "<svg>", "a\tb", "user@host" };

	for (size_t i = 0; i < COUNT(good); i++)
		if (!web_guard_host_syntax(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (web_guard_host_syntax(bad[i]))
			fail_msg("%s", bad[i]);
	assert_true(web_guard_host_is_loopback("localhost:8080"));
	assert_false(web_guard_host_is_loopback("evil.example:8080"));
}

static void an_origin_must_be_the_hosts(void **state)
{
	(void)state;
	assert_true(web_guard_origin("http://localhost:9474", "localhost:9474"));
	assert_true(web_guard_origin("HTTP://LOCALHOST:9474", "localhost:9474"));
	assert_false(web_guard_origin("http://localhost:9474", "127.0.0.1:9474"));
	assert_false(web_guard_origin("http://localhost:94740", "localhost:9474"));
	assert_false(web_guard_origin("https://localhost:9474", "localhost:9474"));
	assert_false(web_guard_origin("http://evil.example", "localhost:9474"));
	assert_false(web_guard_origin("null", "localhost:9474"));
	assert_false(web_guard_origin("", "localhost:9474"));
}

static void an_address_has_no_disguise(void **state)
{
	(void)state;
	static const char *const good[] = {
		"/",
		"/app.js",
		"/api/v1/flows?filter=process:nginx%20port:443&limit=5",
		"/api/v1/flows?filter=a%0Ab%09c",
		"/api/v1/flows?filter=process:\xc3\xbc",
		"/api/v1/flows?filter=peer:10.0.0.0/8,..",
		"/?token=a%2e%2e",
	};
	static const char *const bad[] = {
		"",
		"*",
		"app.js",
		"http://evil.example/",
		"/../etc/passwd",
		"/a/..",
		"/%2e%2e/etc/passwd",
		"/%2E",
		"/a%00",
		"/api/v1/flows?filter=a%00b",
		"/api/v1/flows?filter=a%1b[31m",
		"/api/v1/flows?filter=a%7F",
		"/a\x01",
		"/a\x7f",
		"/a b",
		"/a\\b",
		"/a;b",
		"/<svg>",
		"/\xc3\xbc",
	};

	for (size_t i = 0; i < COUNT(good); i++)
		if (web_guard_uri(good[i]))
			fail_msg("%s: %s", good[i], web_guard_uri(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (!web_guard_uri(bad[i]))
			fail_msg("%s", bad[i]);
}

static void header_fields_are_tokens_and_text(void **state)
{
	(void)state;
	assert_true(web_guard_header_name("X-Good_1", 8));
	assert_false(web_guard_header_name("Host ", 5));
	assert_false(web_guard_header_name("", 0));
	assert_false(web_guard_header_name("a\0b", 3));
	assert_false(web_guard_header_name("a\x80", 2));
	assert_true(web_guard_header_value("a\tb \xc3\xbc", 6));
	assert_true(web_guard_header_value("", 0));
	assert_false(web_guard_header_value("a\rb", 3));
	assert_false(web_guard_header_value("a\0b", 3));
}

static void a_token_is_right_or_wrong(void **state)
{
	(void)state;
	assert_true(web_guard_token("secret", "secret"));
	assert_false(web_guard_token("secre", "secret"));
	assert_false(web_guard_token("secrets", "secret"));
	assert_false(web_guard_token("secretsecret", "secret"));
	assert_false(web_guard_token("", "secret"));
	assert_false(web_guard_token(NULL, "secret"));
	assert_false(web_guard_token("secret", NULL));
	assert_false(web_guard_token("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_own_names_reach_the_tcp_listener),
		cmocka_unit_test(port_80_may_be_left_out),
		cmocka_unit_test(a_host_has_a_form),
		cmocka_unit_test(an_origin_must_be_the_hosts),
		cmocka_unit_test(an_address_has_no_disguise),
		cmocka_unit_test(header_fields_are_tokens_and_text),
		cmocka_unit_test(a_token_is_right_or_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
