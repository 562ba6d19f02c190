// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "core/document.h"
#include "core/tables.h"
#include "frontends/cli/explain_tell.h"
#include "frontends/cli/testdata_path.h"
#include "frontends/words/words.h"

/* Documents in, sentences out. */

#define HEAD "{\"schema_version\":1,\"host\":\"vm\",\"time\":\"2026-11-22T13:00:05Z\",\"snapshot\":7,\"lost_events\":0,\"rows\":["

static const char processes[] = HEAD
	"{\"pid\":4711,\"start_time_ns\":1,\"comm\":\"nginx\",\"exe\":\"/usr/sbin/nginx\",\"uid\":33,\"user\":\"www-data\","
	"\"unit\":\"nginx.service\",\"container_id\":\"c0ffee\",\"container_name\":\"web\",\"pod_name\":\"shop-1\","
	"\"state\":\"running\",\"tx_bytes\":138000000,\"rx_bytes\":703,\"tx_bytes_per_second\":37200000,"
	"\"rx_bytes_per_second\":156,\"connections_open\":3,\"retransmits\":149,\"srtt_us\":5730,"
	"\"first_seen\":\"2026-11-22T08:15:00Z\"}]}";

static const char flows[] = HEAD
	"{\"cookie\":7,\"pid\":4711,\"comm\":\"nginx\",\"transport\":\"tcp\",\"role\":\"server\",\"local_address\":\"10.9.0.2\","
	"\"local_port\":80,\"peer_address\":\"10.9.0.1\",\"peer_port\":52070,\"state\":\"established\",\"tx_bytes\":37900000,"
	"\"rx_bytes\":80,\"wire_tx_bytes\":40000000,\"retransmitted_bytes\":200000,\"retransmits\":149,\"srtt_us\":5730,"
	"\"rtt_min_us\":40,\"rwnd_limited_us\":3200000,\"wmem_queued_bytes\":2500000,"
	"\"first_seen\":\"2026-11-22T12:02:05Z\",\"last_seen\":\"2026-11-22T13:00:04Z\"},"
	"{\"cookie\":8,\"pid\":4711,\"comm\":\"nginx\",\"transport\":\"tcp\",\"local_address\":\"::\",\"local_port\":80,"
	"\"state\":\"listen\",\"backlog\":128,\"max_backlog\":128,\"listen_drops\":45,\"first_seen\":\"2026-11-22T08:15:00Z\"}]}";

static const char drops[] = HEAD
	"{\"reason\":\"SOCKET_RCVBUFF\",\"class\":\"tune\",\"packets\":991,\"pid\":4711,"
	"\"meaning\":\"The socket's buffer is full.\",\"advice\":\"Read faster.\"},"
	"{\"reason\":\"NO_SOCKET\",\"class\":\"expected\",\"packets\":5,\"pid\":4711,\"meaning\":\"Nobody listens.\"}]}";

static const char findings[] = HEAD
	"{\"feature\":\"drops\",\"id\":\"a\",\"class\":\"tune\",\"summary\":\"nginx turns connections away.\","
	"\"advice\":\"Raise the backlog.\",\"pid\":4711},"
	"{\"feature\":\"drops\",\"id\":\"b\",\"class\":\"tune\",\"summary\":\"Of somebody else.\",\"pid\":4712}]}";

static const char days[] = HEAD
	"{\"day\":\"2026-11-22\",\"program\":\"nginx\",\"tx_bytes\":1200000000,\"rx_bytes\":30000000,\"connections\":1}]}";

static const char peers[] = HEAD
	"{\"program\":\"nginx\",\"role\":\"client\",\"transport\":\"tcp\",\"peer_name\":\"db.example.com\","
	"\"peer_address\":\"10.0.0.7\",\"port\":5432,\"tx_bytes\":900,\"rx_bytes\":100,\"first_seen\":\"2026-11-22T12:59:00Z\"},"
	"{\"program\":\"nginx\",\"role\":\"server\",\"transport\":\"tcp\",\"peer_address\":\"10.9.0.1\",\"port\":80,"
	"\"tx_bytes\":8900,\"rx_bytes\":100,\"first_seen\":\"2026-01-22T12:59:00Z\"}]}";

static const char past[] = HEAD
	"{\"program\":\"nginx\",\"tx_bytes\":1,\"rx_bytes\":1,\"first_seen\":\"2026-01-22T12:59:00Z\","
	"\"last_seen\":\"2026-11-22T12:59:00Z\",\"new\":false}]}";

static const char closed[] = HEAD
	"{\"cookie\":9,\"pid\":5,\"comm\":\"cu\\u001brl\",\"transport\":\"tcp\",\"role\":\"client\",\"local_address\":\"10.9.0.1\","
	"\"local_port\":52070,\"peer_address\":\"fe80::1\",\"peer_port\":443,\"peer_name\":\"example.com\",\"state\":\"closed\","
	"\"tx_bytes\":0,\"rx_bytes\":0,\"connect_us\":12000,\"reset\":\"received\",\"timeouts\":1,"
	"\"first_seen\":\"2026-11-22T12:02:05Z\",\"closed_at\":\"2026-11-22T12:03:01Z\",\"close_reason\":\"reset_received\"}]}";

static const char changes[] = HEAD
	"{\"rank\":1,\"kind\":\"program\",\"program\":\"nginx\",\"before\":10,\"after\":3100000000,\"unit_name\":\"bytes\","
	"\"summary\":\"nginx moved 3.1 GB, and 10 B before.\",\"filter\":\"program:nginx\"}]}";

static const char events[] = HEAD
	"{\"time\":\"2026-11-22T12:02:05Z\",\"kind\":\"first_seen\",\"program\":\"curl\","
	"\"summary\":\"curl was seen for the first time.\"}]}";

static struct weir_snapshot *kept[16];
static unsigned n_kept;

static struct weir_rows rows(const char *text, const char *table)
{
	struct weir_rows r = {};
	char *why = NULL;

	assert_int_equal(weir_document_parse(text, strlen(text), weir_table_find(table), &kept[n_kept], &why), 0);
	assert_int_equal(weir_snapshot_rows(kept[n_kept++], weir_table_find(table), &r), 0);
	return r;
}

static uint64_t utc(const char *text)
{
	uint64_t ns = 0;

	assert_int_equal(weir_timestamp_parse(text, &ns), 0);
	return ns;
}

static struct explain_documents documents(void)
{
	return (struct explain_documents){
		.now_real_ns = utc("2026-11-22T13:00:05Z"), .today_real_ns = utc("2026-11-21T23:00:00Z"), .drops_known = true,
	};
}

/* UPDATE_GOLDEN=1 writes what it is now. */
static void compare(const char *golden, const char *text)
{
	static char want[8192];
	char path[512];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/explain/%s.txt", WEIR_TESTDATA, golden);
	f = fopen(path, getenv("UPDATE_GOLDEN") ? "we" : "re");
	if (!f)
		fail_msg("%s: UPDATE_GOLDEN=1 writes it", path);
	if (getenv("UPDATE_GOLDEN"))
		fputs(text, f);
	else
		n = fread(want, 1, sizeof(want) - 1, f);
	want[n] = '\0';
	fclose(f);
	if (!getenv("UPDATE_GOLDEN"))
		assert_string_equal(text, want);
}

static void expect(const struct explain_documents *d, void (*tell)(const struct explain_documents *, struct explain_story *),
		   enum weir_language language, const char *golden)
{
	_cleanup_(weir_buf_done) struct weir_buf out = {}, document = {};
	struct explain_story s;
	json_t *root;

	weir_words_set(language);
	explain_story_init(&s);
	tell(d, &s);
	assert_int_equal(explain_story_text(&s, 100, &out), 0);
	assert_int_equal(explain_story_json(&s, "vm", d->now_real_ns, "process", &document), 0);
	explain_story_done(&s);
	weir_words_set(WEIR_LANGUAGE_EN);
	compare(golden, out.data);
	root = json_loadb(document.data, document.len, 0, NULL);
	assert_true(json_is_array(json_object_get(root, "facts")));
	for (size_t i = 0; i < json_array_size(json_object_get(root, "facts")); i++) {
		json_t *fact = json_array_get(json_object_get(root, "facts"), i);

		assert_non_null(json_string_value(json_object_get(fact, "fact")));
		assert_non_null(json_string_value(json_object_get(fact, "text")));
	}
	json_decref(root);
	while (n_kept)
		weir_snapshot_unref(kept[--n_kept]);
}

static struct explain_documents of_nginx(void)
{
	struct explain_documents d = documents();

	d.processes = rows(processes, "processes");
	d.flows = rows(flows, "flows");
	d.drops = rows(drops, "drops");
	d.findings = rows(findings, "findings");
	d.days = rows(days, "history_days");
	d.peers = rows(peers, "history_peers");
	d.past = rows(past, "history");
	return d;
}

static void a_process(void **state)
{
	struct explain_documents d = of_nginx();

	(void)state;
	expect(&d, explain_tell_process, WEIR_LANGUAGE_EN, "process");
}

static void a_process_in_chinese(void **state)
{
	struct explain_documents d = of_nginx();

	(void)state;
	expect(&d, explain_tell_process, WEIR_LANGUAGE_ZH, "process-zh");
}

static void a_program_that_is_gone(void **state)
{
	struct explain_documents d = documents();

	(void)state;
	d.name = "nginx";
	d.past = rows(past, "history");
	expect(&d, explain_tell_process, WEIR_LANGUAGE_EN, "program-gone");
}

static void a_socket_that_is_open(void **state)
{
	struct explain_documents d = documents();

	(void)state;
	d.flows = rows(flows, "flows");
	expect(&d, explain_tell_flows, WEIR_LANGUAGE_EN, "socket-open");
}

static void a_socket_that_was_closed(void **state)
{
	struct explain_documents d = documents();

	(void)state;
	d.flows = rows(closed, "flows");
	expect(&d, explain_tell_flows, WEIR_LANGUAGE_EN, "socket-closed");
	d.flows = rows(closed, "flows");
	expect(&d, explain_tell_flows, WEIR_LANGUAGE_ZH, "socket-closed-zh");
}

static void a_moment(void **state)
{
	struct explain_documents d = documents();

	(void)state;
	d.from_real_ns = utc("2026-11-22T12:01:00Z");
	d.to_real_ns = utc("2026-11-22T12:06:00Z");
	d.changes = rows(changes, "history_changes");
	d.events = rows(events, "history_events");
	expect(&d, explain_tell_moment, WEIR_LANGUAGE_EN, "moment");
	d.changes.n = d.events.n = 0;
	expect(&d, explain_tell_moment, WEIR_LANGUAGE_ZH, "moment-nothing-zh");
}

/* A program with many peers, none of which has more than half of what it moved. */
static void mostly_is_more_than_half(void **state)
{
	static const char equal[] = HEAD
		"{\"program\":\"nginx\",\"role\":\"server\",\"transport\":\"tcp\",\"peer_address\":\"10.0.0.7\",\"port\":80,"
		"\"tx_bytes\":900,\"rx_bytes\":100},"
		"{\"program\":\"nginx\",\"role\":\"server\",\"transport\":\"tcp\",\"peer_address\":\"10.0.0.8\",\"port\":80,"
		"\"tx_bytes\":900,\"rx_bytes\":100}]}";
	static const char more[] = HEAD "{\"program\":\"nginx\",\"tx_bytes\":19000,\"rx_bytes\":1000}]}";
	static const struct {
		const char *peers, *past, *says;
	} cases[] = {
		{ equal, past, "Its largest peer is 10.0.0.7: 900 B sent, 100 B received, 50 % of all." },
		{ peers, past, "Mostly it talks to 10.9.0.1" },
		/* Peers without rows of their own count. */
		{ peers, more, "Its largest peer is 10.9.0.1: 8.9 kB sent, 100 B received, 45 % of all." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(weir_buf_done) struct weir_buf out = {};
		struct explain_documents d = documents();
		struct explain_story s;

		d.processes = rows(processes, "processes");
		d.peers = rows(cases[i].peers, "history_peers");
		d.past = rows(cases[i].past, "history");
		explain_story_init(&s);
		explain_tell_process(&d, &s);
		assert_int_equal(explain_story_text(&s, 10000, &out), 0);
		explain_story_done(&s);
		if (!strstr(out.data, cases[i].says))
			fail_msg("%s is not in: %s", cases[i].says, out.data);
		while (n_kept)
			weir_snapshot_unref(kept[--n_kept]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process),
		cmocka_unit_test(a_process_in_chinese),
		cmocka_unit_test(a_program_that_is_gone),
		cmocka_unit_test(a_socket_that_is_open),
		cmocka_unit_test(a_socket_that_was_closed),
		cmocka_unit_test(a_moment),
		cmocka_unit_test(mostly_is_more_than_half),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
