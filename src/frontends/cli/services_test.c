// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "frontends/cli/services.h"

static struct cli_service services[CLI_SERVICES_MAX];

static size_t parse(const char *text)
{
	return cli_services_parse(text, strlen(text), services);
}

static void a_file_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse("# comment\nhttps\t443/tcp\t\thttp-alt # web\ndomain 53/udp\ndomain\t53/tcp\n"
			       "\nother 443/tcp\nhttps 443/udp"),
			 4);
	assert_int_equal(services[0].port, 53);
	assert_false(services[0].udp);
	assert_string_equal(services[1].name, "domain");
	assert_true(services[1].udp);
	assert_string_equal(services[2].name, "https");
	assert_true(services[3].udp);
}

static void what_is_no_service_is_passed_over(void **state)
{
	static const char *const lines[] = {
		"x 70000/tcp", "x -1/tcp", "x 5/sctp", "x 5", "5/tcp", "\x1b[31m 5/tcp", "a<b 5/tcp", "x 5/tcpx",
		"abcdefghijabcdefghijabcdefghijabcdefghij 5/tcp", "#x 5/tcp", "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(lines[i]), 0);
}

static void more_than_there_is_room_for_stays_out(void **state)
{
	static char text[6000 * 16];
	size_t len = 0;

	(void)state;
	for (unsigned i = 1; i <= 6000; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "p%u %u/tcp\n", i, i);
	assert_int_equal(cli_services_parse(text, len, services), CLI_SERVICES_MAX);
}

static void only_known_transports_have_services(void **state)
{
	(void)state;
	assert_null(cli_service_name(443, NULL));
	assert_null(cli_service_name(443, "unix"));
	assert_null(cli_service_name(0, "tcp"));
	assert_null(cli_service_name(65536 + 443, "tcp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read),
		cmocka_unit_test(what_is_no_service_is_passed_over),
		cmocka_unit_test(more_than_there_is_room_for_stays_out),
		cmocka_unit_test(only_known_transports_have_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
