// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "core/tables.h"
#include "frontends/cli/objects.h"
#include "frontends/cli/request.h"
#include "frontends/cli/url.h"

static const struct {
	const char *name, *text, *escaped;
} rows[] = {
	{ "plain text stays", "tx_bytes-1.0~", "tx_bytes-1.0~" },
	{ "what separates parts of a URL is escaped", "a&b=c?d#e/f", "a%26b%3Dc%3Fd%23e%2Ff" },
	{ "a blank is %20, a plus is no blank", "a b+c", "a%20b%2Bc" },
	{ "per cent is escaped too", "100%41", "100%2541" },
	{ "bytes beyond ASCII one by one", "\xc3\xa4\xff", "%C3%A4%FF" },
	{ "line ends cannot start a header", "a\r\nHost: x", "a%0D%0AHost%3A%20x" },
};

static void text_is_escaped_as_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};

		cli_url_escape(&b, rows[i].text);
		assert_string_equal(b.data, rows[i].escaped);
	}
}

static void parameters_follow_each_other(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	(void)state;
	weir_buf_str(&b, "/api/v1/flows");
	cli_url_parameter(&b, "sort", NULL);
	assert_string_equal(b.data, "/api/v1/flows");
	cli_url_parameter(&b, "filter", "port:443 not comm:a?b");
	cli_url_parameter(&b, "limit", "3");
	assert_string_equal(b.data, "/api/v1/flows?filter=port%3A443%20not%20comm%3Aa%3Fb&limit=3");
}

/* From the command line to what the daemon is asked. */
static const struct {
	const char *name, *object;
	char *argv[8];
	bool fields;
	const char *url, *error;
} requests[] = {
	{ "an object alone", "audit", { "weir", "audit" }, false, "/api/v1/audit", NULL },
	{ "words are one filter", "audit", { "weir", "audit", "ok:no", "scope:tcp*" }, false,
	  "/api/v1/audit?filter=ok%3Ano%20scope%3Atcp%2A", NULL },
	{ "order and number", "audit", { "weir", "audit", "--sort", "-tx_bytes", "--limit", "2" }, false,
	  "/api/v1/audit?sort=-tx_bytes&limit=2", NULL },
	{ "a limit of 0 is none", "audit", { "weir", "audit", "--limit", "0" }, false, "/api/v1/audit",
	  NULL },
	{ "chosen columns", "audit", { "weir", "audit", "--columns", "scope,ok" }, true,
	  "/api/v1/audit?fields=scope%2Cok", NULL },
	{ "a column beside the usual ones", "doctor", { "weir", "doctor", "--columns", "+state" }, true,
	  "/api/v1/doctor?fields=feature%2Chook_set%2Cstate%2Cserves%2Chooks%2Creason%2Ccure", NULL },
	{ "a column that is not there", "audit", { "weir", "audit", "--columns", "scope,colour" }, false,
	  NULL, "audit has no field \"colour\": see weir help audit" },
	{ "an empty column", "audit", { "weir", "audit", "--columns", "scope,," }, false, NULL,
	  "audit has no field \"\": see weir help audit" },
	{ "options that select", "flows", { "weir", "flows", "-4", "-6", "-u", "pid:5" }, false,
	  "/api/v1/flows?filter=pid%3A5%20type%3Aipv4%2Cipv6%20transport%3Audp", NULL },
	{ "a namespace by its number", "flows", { "weir", "flows", "-N", "4026531840" }, false,
	  "/api/v1/flows?filter=netns%3A4026531840", NULL },
	{ "a namespace that is not there", "flows", { "weir", "flows", "-N", "no such" }, false, NULL,
	  "there is no network namespace no such: see ip netns list" },
	{ "a selecting option without its field", "processes", { "weir", "processes", "-4" }, false, NULL,
	  "-4 selects by type, which processes do not have: see weir help processes" },
};

static void commands_become_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		_cleanup_free_ char *error = NULL;
		struct cli_command c;
		struct cli_request rq;
		int argc = 0, r;

		while (requests[i].argv[argc])
			argc++;
		assert_int_equal(cli_command_parse(argc, (char **)requests[i].argv, cli_objects, &c, &error),
				 0);
		r = cli_request_init(&rq, &c, weir_table_find(requests[i].object), 0, &error);
		cli_command_done(&c);
		if (requests[i].error) {
			assert_true(r < 0);
			assert_string_equal(error, requests[i].error);
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", requests[i].name, error);
		cli_request_url(&rq, requests[i].fields, &b);
		assert_string_equal(b.data, requests[i].url);
		cli_request_done(&rq);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_escaped_as_the_table_says),
		cmocka_unit_test(parameters_follow_each_other),
		cmocka_unit_test(commands_become_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
