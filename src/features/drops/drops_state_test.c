// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/snapshot.h"
#include "features/drops/drops_fields.h"
#include "features/drops/drops_state.h"

#define SECOND 1000000000ull
#define BEGIN (100 * SECOND)
#define NETNS 4026531840u

/* Numbers as no kernel has them: only names count. */
enum { REASON_RCVBUFF = 70, REASON_NO_SOCKET, REASON_NOT_SPECIFIED, REASON_QDISC_DROP };

#define PLACE_QUEUE 0xffffffff81000010ull
#define PLACE_OTHER 0xffffffff81000020ull

static struct drops_state *world;

static void apply(uint64_t at, uint16_t type, const void *record, size_t len)
{
	union drops_event *e = malloc(sizeof(*e));

	assert_non_null(e);
	assert_int_equal(drops_decode(type, record, len, e), 0);
	assert_int_equal(drops_apply(world, at, e), 0);
	free(e);
}

static void name(uint32_t number, const char *text)
{
	struct drops_reason r = { .head = { DROPS_RECORD_REASON, sizeof(r) }, .number = number };

	snprintf(r.name, sizeof(r.name), "%s", text);
	apply(BEGIN, DROPS_RECORD_REASON, &r, sizeof(r));
}

static int begin(void **state)
{
	(void)state;
	world = drops_state_new();
	assert_non_null(world);
	name(REASON_RCVBUFF, "SKB_DROP_REASON_SOCKET_RCVBUFF");
	name(REASON_NO_SOCKET, "SKB_DROP_REASON_NO_SOCKET");
	name(REASON_NOT_SPECIFIED, "SKB_DROP_REASON_NOT_SPECIFIED");
	name(REASON_QDISC_DROP, "SKB_DROP_REASON_QDISC_DROP");
	drops_tick(world, BEGIN, BEGIN);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world = drops_state_free(world);
	return 0;
}

static struct drops_key key_of(uint32_t reason, uint64_t place, uint64_t cookie)
{
	return (struct drops_key){ .reason = reason, .place = place, .socket.cookie = cookie, .netns = NETNS, .ifindex = 1 };
}

static void seen(uint64_t at, struct drops_key key, const char *symbol)
{
	struct drops_seen *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->head = (struct drops_head){ DROPS_RECORD_SEEN, sizeof(*e) };
	e->key = key;
	e->length = 28;
	snprintf(e->device, sizeof(e->device), "lo");
	snprintf(e->symbol, sizeof(e->symbol), "%s", symbol);
	snprintf(e->stack_text, sizeof(e->stack_text), "bpf_trace_run4+0x1/0x2\n%s\nip_rcv+0x3/0x40\n0x0\n0x0", symbol);
	apply(at, DROPS_RECORD_SEEN, e, sizeof(*e));
	free(e);
}

static void sum(uint64_t at, struct drops_key key, uint64_t packets, bool over)
{
	struct drops_sum_record e = { .head = { DROPS_RECORD_SUM, sizeof(e) }, .key = key, .packets = packets,
				      .bytes = packets * 100, .over = over };

	apply(at, DROPS_RECORD_SUM, &e, sizeof(e));
}

static void owner(uint64_t at, uint64_t cookie, uint32_t pid, const char *comm)
{
	struct drops_owner e = { .head = { DROPS_RECORD_OWNER, sizeof(e) }, .socket.cookie = cookie, .pid = pid,
				 .start_ns = pid ? pid * SECOND : 0, .uid = 1000 };

	snprintf(e.comm, sizeof(e.comm), "%s", comm);
	snprintf(e.cgroup, sizeof(e.cgroup), "/system.slice/%s.service", comm);
	apply(at, DROPS_RECORD_OWNER, &e, sizeof(e));
}

static void counter(uint64_t at, const char *text, uint64_t total)
{
	struct drops_counter e = { .head = { DROPS_RECORD_COUNTER, sizeof(e) }, .total = total, .by = DROPS_BY_DEVICE,
				   .number = 2, .netns = NETNS };

	snprintf(e.name, sizeof(e.name), "%s", text);
	snprintf(e.device, sizeof(e.device), "eth0");
	apply(at, DROPS_RECORD_COUNTER, &e, sizeof(e));
}

/* --- looking -------------------------------------------------------------------------------------- */

static struct weir_snapshot *snapshot;

static struct weir_rows rows_of(const struct weir_table *table)
{
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_builder *b = weir_builder_new();
	struct weir_rows rows;

	snapshot = weir_snapshot_unref(snapshot);
	assert_non_null(b);
	drops_snapshot(world, b, 1);
	assert_int_equal(weir_builder_finish(b, &head, &snapshot), 0);
	weir_builder_free(b);
	assert_int_equal(weir_snapshot_rows(snapshot, table, &rows), 0);
	return rows;
}

static int no_snapshot(void **state)
{
	(void)state;
	snapshot = weir_snapshot_unref(snapshot);
	return 0;
}

static void is_text(const struct weir_rows *r, size_t row, unsigned field, const char *text)
{
	const char *have = weir_cell_text(r, row, field);

	if (!text)
		assert_true(weir_cell_null(r, row, field));
	else if (!have)
		fail_msg("null, not %s", text);
	else
		assert_string_equal(have, text);
}

static uint64_t grouped(void)
{
	struct weir_rows r = rows_of(&drops_table_groups);
	uint64_t all = 0;

	for (size_t i = 0; i < r.n; i++)
		all += weir_cell_uint(&r, i, DROPS_GROUP_PACKETS);
	return all;
}

/* --- tests ---------------------------------------------------------------------------------------- */

static void a_loss_has_its_reason_place_and_device(void **state)
{
	struct drops_key key = key_of(REASON_RCVBUFF, PLACE_QUEUE, 7);
	struct weir_rows r;

	(void)state;
	seen(BEGIN, key, "udp_queue_rcv_one_skb+0x437/0x600");
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 0); /* until it is counted */
	sum(BEGIN + SECOND, key, 91, false);
	drops_tick(world, BEGIN + 2 * SECOND, BEGIN);
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 1);
	is_text(&r, 0, DROP_REASON, "SOCKET_RCVBUFF");
	is_text(&r, 0, DROP_KERNEL_REASON, NULL);
	is_text(&r, 0, DROP_CLASS, "tune");
	is_text(&r, 0, DROP_LOCATION, "udp_queue_rcv_one_skb+0x437");
	is_text(&r, 0, DROP_DEVICE, "lo");
	is_text(&r, 0, DROP_LAYER, "socket");
	is_text(&r, 0, DROP_STACK, "udp_queue_rcv_one_skb+0x437;ip_rcv+0x3");
	assert_true(weir_cell_null(&r, 0, DROP_PID));
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS), 91);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_BYTES), 9100);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS_PER_SECOND), 46); /* of 2 s */
}

static void sums_go_to_whoever_holds_the_socket(void **state)
{
	struct weir_rows r;

	(void)state;
	for (uint64_t cookie = 1; cookie <= 3; cookie++) {
		seen(BEGIN, key_of(REASON_RCVBUFF, PLACE_QUEUE, cookie), "udp_queue_rcv_one_skb+0x437/0x600");
		sum(BEGIN, key_of(REASON_RCVBUFF, PLACE_QUEUE, cookie), 10, false);
	}
	drops_tick(world, BEGIN + SECOND, BEGIN);
	assert_int_equal(grouped(), 30);
	owner(BEGIN + SECOND, 1, 41, "slow");
	owner(BEGIN + SECOND, 2, 41, "slow");
	owner(BEGIN + SECOND, 3, 0, "");
	sum(BEGIN + SECOND, key_of(REASON_RCVBUFF, PLACE_QUEUE, 2), 15, false);
	assert_int_equal(grouped(), 35); /* before the next tick, as the rows */
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 2);
	for (size_t i = 0; i < r.n; i++) {
		bool slow = !weir_cell_null(&r, i, DROP_PID);

		assert_int_equal(weir_cell_uint(&r, i, DROP_PACKETS), slow ? 25 : 10);
		is_text(&r, i, DROP_COMM, slow ? "slow" : NULL);
		is_text(&r, i, DROP_UNIT, slow ? "slow.service" : NULL);
		assert_int_equal(weir_row_uid(&r, i), slow ? 1000 : WEIR_UID_HOST);
	}
	drops_tick(world, BEGIN + 2 * SECOND, BEGIN);
	assert_int_equal(grouped(), 35); /* what moved is not counted again */
}

static void a_sum_that_left_the_map_stays_counted(void **state)
{
	struct drops_key key = key_of(REASON_NO_SOCKET, PLACE_QUEUE, 0);
	struct weir_rows r;

	(void)state;
	seen(BEGIN, key, "tcp_v4_rcv+0x91/0x100");
	sum(BEGIN, key, 10, false);
	sum(BEGIN, key, 12, true);
	assert_null(drops_entry_find(world, &key));
	sum(BEGIN + SECOND, key, 3, false);
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 1);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS), 15);
	is_text(&r, 0, DROP_CLASS, "expected");
}

static void where_the_kernel_says_nothing_the_place_tells(void **state)
{
	struct drops_key key = key_of(REASON_NOT_SPECIFIED, PLACE_QUEUE, 0);
	struct weir_rows r;

	(void)state;
	sum(BEGIN, key, 5, false);
	drops_tick(world, BEGIN + SECOND, BEGIN);
	r = rows_of(&drops_table);
	is_text(&r, 0, DROP_REASON, "NOT_SPECIFIED");
	is_text(&r, 0, DROP_CLASS, NULL);
	is_text(&r, 0, DROP_LOCATION, "0xffffffff81000010");
	assert_int_equal(grouped(), 0); /* its place may yet say that it is no loss */
	seen(BEGIN + SECOND, key, "udp_recvmsg+0xf8/0x3c0");
	drops_tick(world, BEGIN + 2 * SECOND, BEGIN);
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 1);
	is_text(&r, 0, DROP_REASON, "UDP_CSUM");
	is_text(&r, 0, DROP_KERNEL_REASON, "NOT_SPECIFIED");
	assert_int_equal(grouped(), 5);
}

static void a_queue_without_a_device_below_it_is_told_from_a_full_one(void **state)
{
	struct drops_key key = key_of(REASON_QDISC_DROP, PLACE_QUEUE, 0);
	struct weir_rows r;
	unsigned found = 0;

	(void)state;
	for (uint32_t flags = 0; flags < 3; flags++) {
		key.flags = flags;
		seen(BEGIN, key, "__dev_queue_xmit+0x8f/0x100");
		sum(BEGIN, key, 1, false);
	}
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 3);
	for (size_t i = 0; i < r.n; i++) {
		const char *reason = weir_cell_text(&r, i, DROP_REASON);

		found |= !strcmp(reason, "QDISC_DROP") ? 1 : !strcmp(reason, "device_down") ? 2 :
			 !strcmp(reason, "no_carrier") ? 4 : 8;
	}
	assert_int_equal(found, 7);
}

static void what_was_used_is_no_loss(void **state)
{
	const struct drops_meaning *m;
	struct drops_key key = key_of(REASON_NOT_SPECIFIED, PLACE_QUEUE, 0);
	char symbol[DROPS_SYMBOL];
	size_t i = 0;

	(void)state;
	while ((m = drops_meaning_at(i++)) && (!m->is || strcmp(m->is, DROPS_IS_CONSUMED) || !m->place))
		;
	if (!m)
		skip(); /* no kernel of the matrix does that */
	if (strcmp(m->reason, "NOT_SPECIFIED"))
		name(key.reason = 99, m->reason);
	snprintf(symbol, sizeof(symbol), "%.*s+0x1/0x2", (int)strcspn(m->place, "*"), m->place);
	seen(BEGIN, key, symbol);
	sum(BEGIN, key, 1000, false);
	drops_tick(world, BEGIN + 10 * SECOND, BEGIN);
	assert_int_equal(rows_of(&drops_table).n, 0);
	assert_int_equal(grouped(), 0);
}

static void a_reason_of_a_newer_kernel_is_shown_as_it_is(void **state)
{
	struct drops_key key = key_of(12345, PLACE_QUEUE, 0);
	struct weir_rows r;

	(void)state;
	sum(BEGIN, key, 1, false);
	r = rows_of(&drops_table);
	is_text(&r, 0, DROP_REASON, "12345");
	is_text(&r, 0, DROP_CLASS, NULL);
	name(54321, "SKB_DROP_REASON_OF_TOMORROW");
	key.reason = 54321;
	sum(BEGIN, key, 1, false);
	r = rows_of(&drops_table);
	is_text(&r, 1, DROP_REASON, "OF_TOMORROW");
	is_text(&r, 1, DROP_CLASS, NULL);
	is_text(&r, 1, DROP_MEANING, NULL);
}

static void what_was_lost_before_is_not_counted(void **state)
{
	struct weir_rows r;

	(void)state;
	counter(BEGIN, "device_rx_missed_errors", 1000);
	assert_int_equal(rows_of(&drops_table).n, 0);
	counter(BEGIN + SECOND, "device_rx_missed_errors", 1005);
	counter(BEGIN + 2 * SECOND, "device_rx_missed_errors", 3); /* the driver was loaded again */
	counter(BEGIN, "device_rx_dropped", 0);
	counter(BEGIN + SECOND, "device_rx_dropped", 4);
	drops_tick(world, BEGIN + 3 * SECOND, BEGIN);
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 2);
	is_text(&r, 0, DROP_SOURCE, "device");
	is_text(&r, 0, DROP_DEVICE, "eth0");
	is_text(&r, 0, DROP_REASON, "device_rx_missed_errors");
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS), 8);
	assert_true(weir_cell_null(&r, 0, DROP_BYTES));
	assert_true(weir_cell_uint(&r, 1, DROP_OVERLAPS));
	assert_int_equal(grouped(), 8);
}

static void listeners_are_counted_from_where_they_were_met(void **state)
{
	struct weir_listener_seen old = { .cookie = 1, .turned_away = 50, .pid = 9, .start_ns = 9, .port = 80, .comm = "web" };
	struct weir_listener_seen young = { .cookie = 2, .turned_away = 5, .all_seen = true, .port = 81 };
	struct weir_rows r;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		drops_listener_seen(world, BEGIN, &old);
		drops_listener_seen(world, BEGIN, &young);
	}
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 1);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS), 5);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PORT), 81);
	old.turned_away = 60;
	drops_listener_seen(world, BEGIN + SECOND, &old);
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 2);
	is_text(&r, 0, DROP_REASON, "listen_overflow"); /* the most comes first */
	is_text(&r, 0, DROP_COMM, "web");
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS), 10);
}

static void only_what_ought_not_to_be_is_found(void **state)
{
	struct weir_finding found[WEIR_FINDINGS_MAX];
	struct drops_key bad = key_of(REASON_RCVBUFF, PLACE_QUEUE, 7), good = key_of(REASON_NO_SOCKET, PLACE_OTHER, 0);

	(void)state;
	seen(BEGIN, bad, "udp_queue_rcv_one_skb+0x437/0x600");
	seen(BEGIN, good, "tcp_v4_rcv+0x91/0x100");
	owner(BEGIN, 7, 41, "redis");
	sum(BEGIN + SECOND, good, 100000, false);
	drops_tick(world, BEGIN + SECOND, BEGIN);
	assert_int_equal(drops_findings(world, found), 0);
	sum(BEGIN + 2 * SECOND, bad, 412, false);
	drops_tick(world, BEGIN + 2 * SECOND, BEGIN);
	assert_int_equal(drops_findings(world, found), 1);
	assert_string_equal(found[0].class, "tune");
	assert_non_null(strstr(found[0].summary, "412 packets a second lost on lo: redis's receive buffer is full"));
	assert_non_null(found[0].advice);
	assert_string_equal(found[0].filter, "reason:SOCKET_RCVBUFF pid:41");
	assert_int_equal(found[0].owner, 1000);
	drops_tick(world, BEGIN + 13 * SECOND, BEGIN);
	assert_int_equal(drops_findings(world, found), 0); /* it is over */
}

static void a_row_that_all_has_left_says_nothing(void **state)
{
	struct weir_finding found[WEIR_FINDINGS_MAX];
	struct drops_key key = key_of(REASON_RCVBUFF, PLACE_QUEUE, 7);

	(void)state;
	seen(BEGIN, key, "udp_queue_rcv_one_skb+0x437/0x600");
	sum(BEGIN + SECOND, key, 412, false);
	assert_int_equal(drops_findings(world, found), 1);
	owner(BEGIN + SECOND, 7, 41, "redis");
	assert_int_equal(drops_findings(world, found), 1);
	assert_int_equal(found[0].pid, 41);
}

static void the_most_is_said_first(void **state)
{
	struct weir_finding found[WEIR_FINDINGS_MAX];

	(void)state;
	for (uint32_t i = 0; i < 2 * WEIR_FINDINGS_MAX; i++) {
		struct drops_key key = key_of(REASON_RCVBUFF, PLACE_QUEUE, 100 + i);

		seen(BEGIN, key, "udp_queue_rcv_one_skb+0x437/0x600");
		owner(BEGIN, 100 + i, 41 + i, "reader");
		sum(BEGIN + SECOND, key, 1 + i * 7 % 31, false);
	}
	drops_tick(world, BEGIN + SECOND, BEGIN);
	assert_int_equal(drops_findings(world, found), WEIR_FINDINGS_MAX);
	assert_non_null(strstr(found[0].summary, "31 packets"));
}

static void what_is_over_is_forgotten(void **state)
{
	struct drops_key key = key_of(REASON_RCVBUFF, PLACE_QUEUE, 7);

	(void)state;
	seen(BEGIN, key, "udp_queue_rcv_one_skb+0x437/0x600");
	owner(BEGIN, 7, 41, "redis");
	sum(BEGIN, key, 10, false);
	sum(BEGIN + 400 * SECOND, key, 10, true);
	drops_tick(world, BEGIN + 500 * SECOND, BEGIN);
	assert_int_equal(rows_of(&drops_table).n, 1);
	drops_tick(world, BEGIN + 700 * SECOND, BEGIN);
	assert_int_equal(rows_of(&drops_table).n, 0);
	assert_int_equal(grouped(), 10);
	assert_null(world->entries);
	assert_null(world->holders);
}

static void owner_by_port(uint64_t at, struct drops_socket socket, uint32_t pid)
{
	struct drops_owner e = { .head = { DROPS_RECORD_OWNER, sizeof(e) }, .socket = socket, .pid = pid,
				 .start_ns = pid * SECOND, .uid = 1000, .comm = "redis" };

	apply(at, DROPS_RECORD_OWNER, &e, sizeof(e));
}

static void count_asked(void *ctx, const struct drops_socket *socket)
{
	(void)socket;
	++*(unsigned *)ctx;
}

static void a_port_that_was_taken_over_counts_for_its_new_owner(void **state)
{
	struct drops_key key = key_of(REASON_RCVBUFF, PLACE_QUEUE, 0);
	unsigned asked = 0;
	struct weir_rows r;

	(void)state;
	key.socket = (struct drops_socket){ .netns = NETNS, .port = 6379, .protocol = 17 };
	sum(BEGIN, key, 10, false);
	owner_by_port(BEGIN, key.socket, 41);
	sum(BEGIN + 15 * SECOND, key, 30, false);
	drops_unknown_holders(world, BEGIN + 15 * SECOND, count_asked, &asked);
	assert_int_equal(asked, 1);
	owner_by_port(BEGIN + 15 * SECOND, key.socket, 52);
	sum(BEGIN + 16 * SECOND, key, 35, false);
	drops_tick(world, BEGIN + 100 * SECOND, BEGIN);
	sum(BEGIN + 101 * SECOND, key, 36, false); /* nothing is counted twice */
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 2);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PID), 41);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS), 30);
	assert_int_equal(weir_cell_uint(&r, 1, DROP_PID), 52);
	assert_int_equal(weir_cell_uint(&r, 1, DROP_PACKETS), 6);
}

static void nobody_gets_the_sample_of_another(void **state)
{
	struct weir_rows r;

	(void)state;
	sum(BEGIN, key_of(REASON_RCVBUFF, PLACE_QUEUE, 1), 10, false);
	seen(BEGIN, key_of(REASON_RCVBUFF, PLACE_QUEUE, 2), "udp_queue_rcv_one_skb+0x437/0x600");
	sum(BEGIN, key_of(REASON_RCVBUFF, PLACE_QUEUE, 2), 20, false);
	owner(BEGIN, 1, 41, "redis");
	owner(BEGIN, 2, 42, "other");
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 2);
	assert_int_equal(weir_cell_uint(&r, 1, DROP_PID), 41);
	is_text(&r, 1, DROP_SAMPLE, NULL);
	is_text(&r, 1, DROP_STACK, NULL);
	is_text(&r, 0, DROP_SAMPLE, "len 28");
}

static void names_of_an_earlier_reader_come_first(void **state)
{
	struct drops_place_name p = { .head = { DROPS_RECORD_PLACE, sizeof(p) }, .address = PLACE_QUEUE,
				      .symbol = "udp_recvmsg+0xf8/0x3c0" };
	struct drops_device_name d = { .head = { DROPS_RECORD_DEVICE, sizeof(d) }, .id = { NETNS, 1 }, .name = "eth7" };
	struct weir_rows r;

	(void)state;
	apply(BEGIN, DROPS_RECORD_PLACE, &p, sizeof(p));
	apply(BEGIN, DROPS_RECORD_DEVICE, &d, sizeof(d));
	sum(BEGIN, key_of(REASON_NOT_SPECIFIED, PLACE_QUEUE, 0), 10, false);
	r = rows_of(&drops_table);
	is_text(&r, 0, DROP_REASON, "UDP_CSUM");
	is_text(&r, 0, DROP_LOCATION, "udp_recvmsg+0xf8");
	is_text(&r, 0, DROP_DEVICE, "eth7");
}

static void the_newest_interfaces_have_names(void **state)
{
	struct drops_device_name d = { .head = { DROPS_RECORD_DEVICE, sizeof(d) } };

	(void)state;
	for (uint32_t i = 1; i <= 5000; i++) {
		d.id = (struct drops_device_id){ NETNS, i };
		snprintf(d.name, sizeof(d.name), "veth%u", i);
		apply(BEGIN, DROPS_RECORD_DEVICE, &d, sizeof(d));
	}
	assert_string_equal(drops_device_name(world, NETNS, 5000), "veth5000");
	assert_null(drops_device_name(world, NETNS, 1));
}

static void what_moves_is_not_lost_again(void **state)
{
	struct weir_rows r;

	(void)state;
	sum(BEGIN, key_of(REASON_RCVBUFF, PLACE_QUEUE, 1), 1000, false);
	drops_tick(world, BEGIN + SECOND, BEGIN);
	sum(BEGIN + SECOND, key_of(REASON_RCVBUFF, PLACE_QUEUE, 1), 1003, false);
	owner(BEGIN + SECOND, 1, 41, "redis");
	drops_tick(world, BEGIN + 2 * SECOND, BEGIN);
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 1);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS), 1003);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS_PER_SECOND), 3);
}

static void what_was_lost_before_the_reader_began_is_not_lost_now(void **state)
{
	struct drops_sum_record e = { .head = { DROPS_RECORD_SUM, sizeof(e) }, .packets = 5000, .earlier = 1,
				      .key = key_of(REASON_RCVBUFF, PLACE_QUEUE, 1) };
	struct weir_finding found[WEIR_FINDINGS_MAX];
	struct weir_rows r;

	(void)state;
	apply(BEGIN, DROPS_RECORD_SUM, &e, sizeof(e));
	drops_tick(world, BEGIN + SECOND, BEGIN);
	r = rows_of(&drops_table);
	assert_int_equal(r.n, 1);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS), 5000);
	assert_int_equal(weir_cell_uint(&r, 0, DROP_PACKETS_PER_SECOND), 0);
	assert_int_equal(drops_findings(world, found), 0);
	e.earlier = 0;
	e.packets++;
	apply(BEGIN + 2 * SECOND, DROPS_RECORD_SUM, &e, sizeof(e));
	assert_int_equal(drops_findings(world, found), 1);
}

static void a_device_that_is_down_matters_to_queues_only(void **state)
{
	struct drops_key key = key_of(REASON_NO_SOCKET, PLACE_QUEUE, 0);

	(void)state;
	sum(BEGIN, key, 1, false);
	key.flags = DROPS_DEVICE_DOWN | DROPS_NO_CARRIER;
	sum(BEGIN, key, 1, false);
	assert_int_equal(rows_of(&drops_table).n, 1);
	key.reason = REASON_QDISC_DROP;
	sum(BEGIN, key, 1, false);
	key.flags = DROPS_DEVICE_DOWN;
	sum(BEGIN, key, 1, false);
	assert_int_equal(rows_of(&drops_table).n, 2);
}

static void ten_thousand_sockets_are_bounded(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		struct drops_sum_record e = { .head = { DROPS_RECORD_SUM, sizeof(e) },
					      .key = key_of(REASON_RCVBUFF, PLACE_QUEUE, 1000 + i), .packets = 1 };
		struct drops_owner o = { .head = { DROPS_RECORD_OWNER, sizeof(o) }, .socket.cookie = 1000 + i,
					 .pid = 1000 + i, .start_ns = 1 };

		drops_apply(world, BEGIN, &o);
		drops_apply(world, BEGIN, &e);
	}
	assert_true(HASH_COUNT(world->entries) <= 2 * DROPS_KEYS_MAX);
	assert_true(HASH_COUNT(world->rows) <= DROPS_ROWS_MAX + 1);
	assert_true(HASH_COUNT(world->holders) <= 8192);
	assert_int_equal(((const struct drops_holder *)ELMT_FROM_HH(world->holders->hh.tbl, world->holders->hh.tbl->tail))->pid,
			 10999); /* the last is known */
}

static void records_that_are_none_are_refused(void **state)
{
	union drops_event *e = malloc(sizeof(*e)), *bad = calloc(1, sizeof(*bad));

	(void)state;
	assert_non_null(e);
	assert_non_null(bad);
	assert_int_equal(drops_decode(0, bad, 0, e), -EBADMSG);
	assert_int_equal(drops_decode(_DROPS_RECORD_MAX, bad, sizeof(bad->sum), e), -EBADMSG);
	bad->head = (struct drops_head){ DROPS_RECORD_SUM, sizeof(bad->sum) };
	assert_int_equal(drops_decode(DROPS_RECORD_SUM, bad, sizeof(bad->sum), e), 0);
	assert_int_equal(drops_decode(DROPS_RECORD_SUM, bad, sizeof(bad->sum) - 1, e), -EBADMSG);
	bad->head = (struct drops_head){ DROPS_RECORD_SEEN, sizeof(bad->seen) };
	bad->seen.captured = DROPS_HEAD_BYTES + 1;
	assert_int_equal(drops_decode(DROPS_RECORD_SEEN, bad, sizeof(bad->seen), e), -EBADMSG);
	bad->seen.captured = 0;
	memset(bad->seen.device, 'x', sizeof(bad->seen.device));
	assert_int_equal(drops_decode(DROPS_RECORD_SEEN, bad, sizeof(bad->seen), e), -EBADMSG);
	free(bad);
	free(e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_loss_has_its_reason_place_and_device),
		TEST(sums_go_to_whoever_holds_the_socket),
		TEST(a_sum_that_left_the_map_stays_counted),
		TEST(where_the_kernel_says_nothing_the_place_tells),
		TEST(a_queue_without_a_device_below_it_is_told_from_a_full_one),
		TEST(what_was_used_is_no_loss),
		TEST(a_reason_of_a_newer_kernel_is_shown_as_it_is),
		TEST(what_was_lost_before_is_not_counted),
		TEST(listeners_are_counted_from_where_they_were_met),
		TEST(only_what_ought_not_to_be_is_found),
		TEST(a_row_that_all_has_left_says_nothing),
		TEST(the_most_is_said_first),
		TEST(what_is_over_is_forgotten),
		TEST(a_port_that_was_taken_over_counts_for_its_new_owner),
		TEST(nobody_gets_the_sample_of_another),
		TEST(names_of_an_earlier_reader_come_first),
		TEST(the_newest_interfaces_have_names),
		TEST(what_moves_is_not_lost_again),
		TEST(what_was_lost_before_the_reader_began_is_not_lost_now),
		TEST(a_device_that_is_down_matters_to_queues_only),
		TEST(ten_thousand_sockets_are_bounded),
		TEST(records_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, no_snapshot);
}
