// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "frontends/cli/capture_comment.h"

static const struct {
	const char *says;
	struct capture_said said;
	const char *comment;
} rows[] = {
	{ "the sender of a packet",
	  { .way = CAPTURE_WAY_OUT, .from = { .comm = "curl", .pid = 4711, .container = "web" } },
	  "direction:out, from process:curl pid:4711 container:web" },
	{ "both ends on this host",
	  { .way = CAPTURE_WAY_LOCAL, .from = { .comm = "ab", .pid = 12 }, .to = { .comm = "nginx", .pid = 99, .pod = "front-1" } },
	  "direction:local, from process:ab pid:12, to process:nginx pid:99 pod:front-1" },
	{ "a dropped packet",
	  { .way = CAPTURE_WAY_IN, .to = { .comm = "redis", .pid = 7 }, .reason = "SOCKET_RCVBUFF",
	    .place = "udp_queue_rcv_one_skb+0x1a3" },
	  "direction:in, to process:redis pid:7, dropped:SOCKET_RCVBUFF at:udp_queue_rcv_one_skb+0x1a3" },
	{ "a place in a module",
	  { .reason = "NETFILTER_DROP", .place = "nft_do_chain+0x1 [nf_tables]" },
	  "dropped:NETFILTER_DROP at:\"nft_do_chain+0x1 [nf_tables]\"" },
	{ "the kernel's own packet", { .way = CAPTURE_WAY_IN, .of_kernel = true }, "direction:in, kernel" },
	{ "the kernel carries for a process", { .of_kernel = true, .from = { .comm = "ping", .pid = 1 } },
	  "from process:ping pid:1" },
	{ "in passing", { .way = CAPTURE_WAY_OTHER }, "direction:passing" },
	{ "a process without a name", { .from = { .pid = 5 } }, "from pid:5" },
	{ "nothing is known", {}, "" },
	{ "a name that looks like more", { .from = { .comm = "x pid:1, to pid:2", .pid = 5 } },
	  "from process:\"x pid:1, to pid:2\" pid:5" },
	{ "a name with quotes and a backslash", { .from = { .comm = "a\"b\\", .pid = 5 } },
	  "from process:\"a\\\"b\\\\\" pid:5" },
	{ "control characters and bytes that are no text", { .from = { .comm = "\033[2J\n\xff", .pid = 5 } },
	  "from process:\"\\x1b[2J\\x0a\\xff\" pid:5" },
	{ "an empty name", { .from = { .comm = "", .pid = 5 } }, "from process:\"\" pid:5" },
};

static void comments_read_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};

		capture_comment_write(&b, &rows[i].said);
		if (strcmp(b.data ? b.data : "", rows[i].comment))
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].says, b.data, rows[i].comment);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(comments_read_so) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
