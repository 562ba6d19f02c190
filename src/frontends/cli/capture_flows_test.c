// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "frontends/cli/capture_flows.h"
#include "frontends/cli/capture_hold.h"

#define OWN 10
#define OTHER 20

#define FLOW(cookie, pid, netns, transport, state, role, local, lport, peer, pport, seen, closed)                        \
	"{\"cookie\":" #cookie ",\"pid\":" #pid ",\"comm\":\"p" #pid "\",\"netns\":" #netns ",\"transport\":\"" transport \
	"\",\"state\":\"" state "\",\"role\":" role ",\"local_address\":" local ",\"local_port\":" #lport               \
	",\"peer_address\":" peer ",\"peer_port\":" pport ",\"first_seen\":\"2026-01-01T00:00:" seen                    \
	"Z\",\"closed_at\":" closed "}"

#define A "\"10.0.0.1\""
#define B "\"10.0.0.2\""
#define LO "\"127.0.0.1\""
#define ANY "\"0.0.0.0\""
#define ANY6 "\"::\""
#define CLIENT "\"client\""
#define SERVER "\"server\""

static const char document[] =
	"{\"schema_version\":1,\"host\":\"h\",\"time\":\"2026-01-01T00:00:00Z\",\"snapshot\":1,\"lost_events\":0,\"rows\":["
	FLOW(1, 100, 10, "tcp", "established", CLIENT, A, 4000, B, "80", "10", "null") ","
	FLOW(2, 101, 10, "tcp", "listen", SERVER, ANY6, 8080, "null", "null", "10", "null") ","
	FLOW(3, 102, 10, "tcp", "established", CLIENT, LO, 5000, LO, "6000", "10", "null") ","
	FLOW(4, 103, 10, "tcp", "established", SERVER, LO, 6000, LO, "5000", "10", "null") ","
	FLOW(5, 104, 10, "udp", "open", "null", ANY, 53, B, "9999", "10", "null") ","
	FLOW(6, 105, 20, "tcp", "established", CLIENT, "\"172.17.0.2\"", 7000, B, "443", "10", "null") ","
	FLOW(7, 106, 20, "tcp", "listen", SERVER, ANY, 9090, "null", "null", "10", "null") ","
	FLOW(8, 107, 10, "tcp", "closed", CLIENT, A, 4100, B, "80", "10", "\"2026-01-01T00:00:12Z\"") ","
	FLOW(9, 108, 10, "tcp", "established", CLIENT, A, 4100, B, "80", "20", "null") ","
	FLOW(10, 109, 10, "udp", "open", CLIENT, A, 4200, B, "53", "10", "null") ","
	FLOW(11, 110, 10, "mptcp", "established", CLIENT, "\"::ffff:10.0.0.1\"", 4300, "\"::ffff:10.0.0.2\"", "80",
	     "10", "null") ","
	FLOW(12, 111, 10, "udp", "closed", "null", ANY, 54, "null", "null", "10", "\"2026-01-01T00:00:12Z\"")
	"]}";

static const struct {
	const char *says;
	enum capture_way way;
	uint8_t protocol;
	const char *from;
	uint16_t from_port;
	const char *to;
	uint16_t to_port;
	const char *second;
	uint32_t netns;
	uint64_t cookie;
	bool cookie_sends;
	uint64_t from_pid, to_pid;
} rows[] = {
	{ "sent by a connection", CAPTURE_WAY_OUT, IPPROTO_TCP, "10.0.0.1", 4000, "10.0.0.2", 80, "15", 0, 0, false, 100, 0 },
	{ "received by it", CAPTURE_WAY_IN, IPPROTO_TCP, "10.0.0.2", 80, "10.0.0.1", 4000, "15", 0, 0, false, 0, 100 },
	{ "the same ports over UDP are another's", CAPTURE_WAY_OUT, IPPROTO_UDP, "10.0.0.1", 4000, "10.0.0.2", 80,
	  "15", 0, 0, false, 0,
	  0 },
	{ "both ends on this host", CAPTURE_WAY_LOCAL, IPPROTO_TCP, "127.0.0.1", 5000, "127.0.0.1", 6000,
	  "15", 0, 0, false, 102, 103 },
	{ "a SYN goes to who listens", CAPTURE_WAY_IN, IPPROTO_TCP, "10.9.9.9", 1234, "10.0.0.1", 8080, "15", 0, 0, false, 0, 101 },
	{ "but not one to another host's address", CAPTURE_WAY_IN, IPPROTO_TCP, "10.9.9.9", 1234, "10.0.0.7", 8080,
	  "15", 0, 0, false, 0,
	  0 },
	{ "nor one that leaves", CAPTURE_WAY_OUT, IPPROTO_TCP, "10.0.0.1", 1234, "10.0.0.2", 8080, "15", 0, 0, false, 0, 0 },
	{ "nor one in passing", CAPTURE_WAY_OTHER, IPPROTO_TCP, "10.9.9.9", 1234, "10.0.0.1", 8080, "15", 0, 0, false, 0, 0 },
	{ "a datagram of somebody new", CAPTURE_WAY_IN, IPPROTO_UDP, "10.9.9.9", 1234, "10.0.0.1", 53, "15", 0, 0, false, 0, 104 },
	{ "an answer to a known peer", CAPTURE_WAY_OUT, IPPROTO_UDP, "10.0.0.1", 53, "10.0.0.2", 9999, "15", 0, 0, false, 104, 0 },
	{ "a socket that connected takes from its peer alone", CAPTURE_WAY_IN, IPPROTO_UDP, "10.9.9.9", 53, "10.0.0.1", 4200,
	  "15", 0, 0, false, 0, 0 },
	{ "a container behind a bridge", CAPTURE_WAY_IN, IPPROTO_TCP, "172.17.0.2", 7000, "10.0.0.2", 443,
	  "15", 0, 0, false, 105, 0 },
	{ "who listens in another namespace is not this one's", CAPTURE_WAY_IN, IPPROTO_TCP, "10.9.9.9", 1, "10.0.0.1", 9090,
	  "15", 0, 0, false, 0, 0 },
	{ "but is there", CAPTURE_WAY_IN, IPPROTO_TCP, "10.9.9.9", 1, "10.0.0.1", 9090, "15", OTHER, 0, false, 0, 106 },
	{ "of two with the same ends the one of the time", CAPTURE_WAY_OUT, IPPROTO_TCP, "10.0.0.1", 4100, "10.0.0.2", 80, "11",
	  0, 0, false, 107, 0 },
	{ "and later the other", CAPTURE_WAY_OUT, IPPROTO_TCP, "10.0.0.1", 4100, "10.0.0.2", 80, "25", 0, 0, false, 108, 0 },
	{ "what is closed for long has no packets", CAPTURE_WAY_IN, IPPROTO_UDP, "10.0.0.2", 1, "10.0.0.1", 54,
	  "25", 0, 0, false, 0,
	  0 },
	{ "but had", CAPTURE_WAY_IN, IPPROTO_UDP, "10.0.0.2", 1, "10.0.0.1", 54, "11", 0, 0, false, 0, 111 },
	{ "a subflow of Multipath TCP, in mapped addresses", CAPTURE_WAY_OUT, IPPROTO_TCP, "10.0.0.1", 4300, "10.0.0.2", 80,
	  "15", 0, 0, false, 110, 0 },
	{ "the socket that the kernel named", CAPTURE_WAY_IN, IPPROTO_UDP, "10.9.9.9", 1, "10.9.9.8", 2,
	  "15", 0, 9, false, 0, 108 },
	{ "and on its way out the one that sends", CAPTURE_WAY_LOCAL, IPPROTO_UDP, "10.9.9.9", 1, "10.9.9.8", 2, "15", 0, 9, true,
	  108, 0 },
	{ "a cookie that nobody has", CAPTURE_WAY_IN, IPPROTO_UDP, "10.9.9.9", 1, "10.9.9.8", 2, "15", 0, 99, false, 0, 0 },
};

static uint64_t at_second(const char *second)
{
	char text[WEIR_TIMESTAMP_TEXT];
	uint64_t ns = 0;

	snprintf(text, sizeof(text), "2026-01-01T00:00:%sZ", second);
	assert_int_equal(weir_timestamp_parse(text, &ns), 0);
	return ns;
}

static void packets_find_their_owners(void **state)
{
	_cleanup_(capture_flows_freep) struct capture_flows *f = NULL;
	struct weir_addr own;
	char *why = NULL;

	(void)state;
	memset(&own, 0, sizeof(own));
	assert_int_equal(weir_addr_parse("10.0.0.1", &own), 0);
	if (capture_flows_parse(document, strlen(document), OWN, &own, 1, &f, &why) < 0)
		fail_msg("%s", why);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct capture_packet p;
		struct capture_question q = { .packet = &p, .real_ns = at_second(rows[i].second), .netns = rows[i].netns,
					      .cookie = rows[i].cookie, .cookie_sends = rows[i].cookie_sends };
		struct capture_owner from, to;

		memset(&p, 0, sizeof(p));
		p.way = rows[i].way;
		p.protocol = rows[i].protocol;
		assert_int_equal(weir_addr_parse(rows[i].from, &p.from.addr), 0);
		assert_int_equal(weir_addr_parse(rows[i].to, &p.to.addr), 0);
		p.from.port = rows[i].from_port;
		p.to.port = rows[i].to_port;
		capture_flows_find(f, &q, &from, &to);
		if (from.pid != rows[i].from_pid || to.pid != rows[i].to_pid)
			fail_msg("%s: from %u to %u", rows[i].says, (unsigned)from.pid, (unsigned)to.pid);
	}
}

static void without_flows_nobody_is_known(void **state)
{
	struct capture_packet p = { .protocol = IPPROTO_TCP };
	struct capture_question q = { .packet = &p };
	struct capture_owner from = { .pid = 1 }, to = { .pid = 1 };

	(void)state;
	capture_flows_find(NULL, &q, &from, &to);
	assert_int_equal(from.pid, 0);
	assert_int_equal(to.pid, 0);
}

static void what_is_no_document_is_refused(void **state)
{
	static const char *const bad[] = { "", "{}", "[]", "{\"rows\":[{\"pid\":\"x\"}]}", "{\"rows\":" };
	struct capture_flows *f = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *why = NULL;
		int r = capture_flows_parse(bad[i], strlen(bad[i]), OWN, NULL, 0, &f, &why);

		if (r == 0)
			f = capture_flows_free(f); /* an empty document is one */
		assert_null(f);
	}
}

static void hold(struct capture_hold *h, enum capture_lane lane, uint64_t real_ns)
{
	struct capture_held *p = capture_held_new(3);

	assert_non_null(p);
	p->real_ns = real_ns;
	capture_hold_add(h, lane, p);
}

static void packets_leave_in_the_order_of_time(void **state)
{
	static const uint64_t order[] = { 1, 2, 3, 4, 5, 9 };
	struct capture_hold h = {};

	(void)state;
	hold(&h, CAPTURE_LANE_LIVE, 1);
	hold(&h, CAPTURE_LANE_LIVE, 3);
	hold(&h, CAPTURE_LANE_DROPPED, 2);
	hold(&h, CAPTURE_LANE_LIVE, 4);
	hold(&h, CAPTURE_LANE_DROPPED, 5);
	hold(&h, CAPTURE_LANE_DROPPED, 9);
	assert_int_equal(h.packets, ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct capture_held *p = capture_hold_take(&h);

		assert_int_equal(p->real_ns, order[i]);
		free(p);
	}
	assert_null(capture_hold_first(&h));
	assert_int_equal(h.bytes, 0);
	hold(&h, CAPTURE_LANE_LIVE, 1);
	capture_hold_done(&h);
	assert_int_equal(h.packets, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_find_their_owners),
		cmocka_unit_test(without_flows_nobody_is_known),
		cmocka_unit_test(what_is_no_document_is_refused),
		cmocka_unit_test(packets_leave_in_the_order_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
