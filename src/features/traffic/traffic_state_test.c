// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
/* cmocka.h wants the headers above first. */
#include <cmocka.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "core/snapshot.h"
#include "features/traffic/traffic_fields.h"
#include "features/traffic/traffic_kept.h"
#include "features/traffic/traffic_state.h"

#define SECOND 1000000000ull

static const struct traffic_key nginx = { .start_ns = 500, .pid = 4711 };
static const struct traffic_key curl = { .start_ns = 900, .pid = 4712 };

/* --- records in readable pieces ---------------------------------------------------------------- */

static union traffic_event process(struct traffic_key key, const char *comm, uint32_t uid)
{
	union traffic_event e = { .process = { .key = key, .uid = uid, .netns = 1 } };

	e.head = (struct traffic_head){ TRAFFIC_RECORD_PROCESS, sizeof(e.process) };
	snprintf(e.process.comm, sizeof(e.process.comm), "%s", comm);
	snprintf(e.process.exe, sizeof(e.process.exe), "/usr/bin/%s", comm);
	snprintf(e.process.cgroup, sizeof(e.process.cgroup), "/system.slice/%s.service", comm);
	return e;
}

static union traffic_event ended(struct traffic_key key, uint64_t at)
{
	union traffic_event e = { .exit = { .key = key, .at_ns = at } };

	e.head = (struct traffic_head){ TRAFFIC_RECORD_EXIT, sizeof(e.exit) };
	return e;
}

static union traffic_event tcp(uint8_t event, uint64_t cookie, struct traffic_key owner, uint64_t tx, uint64_t rx,
			       uint64_t at)
{
	union traffic_event e = { .socket = { .cookie = cookie, .owner = owner, .opened_ns = 1, .at_ns = at } };
	struct traffic_socket *s = &e.socket;

	s->head = (struct traffic_head){ TRAFFIC_RECORD_SOCKET, sizeof(*s) };
	s->event = event;
	s->state = event == TRAFFIC_SOCKET_GONE || event == TRAFFIC_SOCKET_CLOSE ? 7 : 1;
	s->role = TRAFFIC_ROLE_CLIENT;
	s->flags = TRAFFIC_SOCKET_BASED;
	s->tx = s->hook_tx = s->tcp_tx = tx;
	s->rx = s->hook_rx = s->tcp_rx = rx;
	s->tuple = (struct traffic_tuple){ .family = AF_INET, .transport = TRAFFIC_TCP, .local_port = 40000,
					   .peer_port = 443, .local = { 192, 0, 2, 1 }, .peer = { 10, 0, 0, 8 } };
	return e;
}

static union traffic_event sums(struct traffic_key key, uint64_t tx, uint64_t rx, bool final)
{
	union traffic_event e = { .sums = { .key = key, .final = final } };

	e.head = (struct traffic_head){ TRAFFIC_RECORD_SUMS, sizeof(e.sums) };
	e.sums.sums.by[TRAFFIC_TCP] = (struct traffic_bytes){ { tx, rx } };
	return e;
}

static void apply(struct traffic_state *s, uint64_t at, union traffic_event e)
{
	assert_int_equal(traffic_state_apply(s, at, &e), 0);
}

/* The end of a look: from here on the audit may compare. */
static void looked(struct traffic_state *s)
{
	union traffic_event e = { .head = { TRAFFIC_RECORD_TOTALS, sizeof(struct traffic_totals) } };

	apply(s, SECOND, e);
}

static struct traffic_state *fresh(void)
{
	struct traffic_state *s = traffic_state_new();

	assert_non_null(s);
	traffic_state_tick(s, SECOND, 1000 * SECOND);
	return s;
}

static const struct weir_audit_entry *line(const struct traffic_state *s, const char *scope)
{
	static struct weir_audit_entry lines[WEIR_AUDIT_MAX];
	unsigned n = traffic_audit(s, lines);

	for (unsigned i = 0; i < n; i++)
		if (!strcmp(lines[i].scope, scope))
			return &lines[i];
	fail_msg("the audit has no line %s", scope);
	return NULL;
}

/* --- tests ------------------------------------------------------------------------------------- */

static void test_bytes_reach_their_process(void **state)
{
	struct traffic_state *s = fresh();
	const struct traffic_proc *p;

	(void)state;
	apply(s, SECOND, process(nginx, "nginx", 33));
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_OPEN, 7, nginx, 0, 0, SECOND));
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_SWEEP, 7, nginx, 1000, 50, SECOND));
	apply(s, SECOND, sums(nginx, 1000, 50, false));
	traffic_state_tick(s, 2 * SECOND, 1001 * SECOND);
	p = traffic_proc_find(s, &nginx);
	assert_string_equal(p->comm, "nginx");
	assert_string_equal(p->id.unit, "nginx.service");
	assert_int_equal(traffic_proc_ip_bytes(p, TRAFFIC_TX), 1000);
	assert_int_equal(p->rate[TRAFFIC_TX], 1000);
	assert_int_equal(p->connections_open, 1);
	assert_true(line(s, "unattributed")->ok);
	assert_int_equal(line(s, "processes")->tx_bytes, line(s, "sockets")->tx_bytes);
	traffic_state_free(s);
}

static void test_a_reused_pid_is_another_process(void **state)
{
	struct traffic_key again = { .start_ns = 700, .pid = nginx.pid };
	struct traffic_state *s = fresh();

	(void)state;
	apply(s, SECOND, process(nginx, "nginx", 33));
	apply(s, SECOND, sums(nginx, 1000, 0, false));
	apply(s, SECOND, ended(nginx, SECOND));
	apply(s, SECOND, process(again, "cron", 0));
	apply(s, SECOND, sums(again, 1, 0, false));
	assert_int_equal(traffic_proc_ip_bytes(traffic_proc_find(s, &nginx), TRAFFIC_TX), 1000);
	assert_int_equal(traffic_proc_ip_bytes(traffic_proc_find(s, &again), TRAFFIC_TX), 1);
	traffic_state_free(s);
}

static void test_who_uses_a_socket_owns_it(void **state)
{
	struct traffic_state *s = fresh();

	(void)state;
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_OPEN, 7, nginx, 0, 0, SECOND));
	assert_int_equal(traffic_proc_find(s, &nginx)->connections_total, 1);
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_SWEEP, 7, curl, 10, 0, SECOND));
	assert_int_equal(traffic_proc_find(s, &nginx)->connections_total, 0);
	assert_int_equal(traffic_proc_find(s, &nginx)->connections_open, 0);
	assert_int_equal(traffic_proc_find(s, &curl)->connections_open, 1);
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_GONE, 7, curl, 10, 0, SECOND));
	assert_int_equal(traffic_proc_find(s, &curl)->connections_open, 0);
	assert_int_equal(traffic_proc_find(s, &curl)->connections_total, 1);
	traffic_state_free(s);
}

static void test_sums_taken_out_of_the_map_are_kept(void **state)
{
	struct traffic_state *s = fresh();
	const struct traffic_proc *p;

	(void)state;
	apply(s, SECOND, sums(nginx, 1000, 0, false));
	apply(s, SECOND, sums(nginx, 1500, 0, true));
	p = traffic_proc_find(s, &nginx);
	assert_int_equal(traffic_proc_ip_bytes(p, TRAFFIC_TX), 1500);
	apply(s, SECOND, sums(nginx, 20, 0, false)); /* a socket that lingered */
	assert_int_equal(traffic_proc_ip_bytes(p, TRAFFIC_TX), 1520);
	assert_int_equal(s->groups->by[TRAFFIC_TCP].bytes[TRAFFIC_TX], 1520);
	traffic_state_free(s);
}

static void test_lost_records_are_named_not_lost(void **state)
{
	union traffic_event swept = { .swept = { .head = { TRAFFIC_RECORD_SWEPT, sizeof(struct traffic_swept) },
						 .began_ns = 5 * SECOND, .full = 1 } };
	struct traffic_state *s = fresh();

	(void)state;
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_SWEEP, 7, nginx, 600, 0, SECOND));
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_SWEEP, 8, nginx, 1, 0, 6 * SECOND));
	apply(s, SECOND, sums(nginx, 1001, 0, false)); /* socket 7 moved 400 more, and its last record was lost */
	apply(s, 6 * SECOND, swept);
	assert_true(traffic_flow_find(s, 7, 1)->closed);
	assert_true(traffic_flow_find(s, 7, 1)->lost_record);
	assert_false(traffic_flow_find(s, 8, 1)->closed);
	assert_int_equal(line(s, "lost_records")->tx_bytes, 400);
	assert_true(line(s, "unattributed")->ok);
	traffic_state_free(s);
}

/* A process whose end was lost: a look at all processes does not find it. */
static void test_a_lost_exit_is_noticed(void **state)
{
	union traffic_event swept = { .swept = { .head = { TRAFFIC_RECORD_SWEPT, sizeof(struct traffic_swept) },
						 .began_ns = 5 * SECOND, .full = 1, .names = 1 } };
	struct traffic_state *s = fresh();

	(void)state;
	apply(s, SECOND, process(nginx, "nginx", 33));
	apply(s, SECOND, process(curl, "curl", 33));
	apply(s, 6 * SECOND, process(curl, "curl", 33)); /* the look found this one */
	apply(s, 6 * SECOND, swept);
	assert_true(traffic_proc_find(s, &nginx)->exited);
	assert_false(traffic_proc_find(s, &curl)->exited);
	traffic_state_free(s);
}

/* An engine dies: the next one has the sums of processes that are over, and reads the others from the map again. */
/* A look that may have skipped some closes only what ten of them in a row did not find. */
static void test_a_socket_that_no_look_finds(void **state)
{
	union traffic_event swept = { .swept = { .head = { TRAFFIC_RECORD_SWEPT, sizeof(struct traffic_swept) },
						 .full = TRAFFIC_SWEPT_NOT_SURELY } };
	struct traffic_state *s = fresh();

	(void)state;
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_SWEEP, 7, nginx, 600, 0, SECOND));
	for (unsigned i = 2; i <= 11; i++) {
		assert_false(traffic_flow_find(s, 7, 1)->closed);
		swept.swept.began_ns = i * SECOND;
		apply(s, i * SECOND, swept);
	}
	assert_true(traffic_flow_find(s, 7, 1)->closed);
	assert_true(traffic_flow_find(s, 7, 1)->lost_record);
	traffic_state_free(s);
}

static void test_sums_outlive_their_engine(void **state)
{
	struct traffic_kept *kept = calloc(1, sizeof(*kept));
	struct traffic_state *s = fresh(), *next = fresh();

	(void)state;
	apply(s, SECOND, process(nginx, "nginx", 33));
	apply(s, SECOND, sums(nginx, 1000, 7, true));
	apply(s, SECOND, process(curl, "curl", 33));
	apply(s, SECOND, sums(curl, 50, 5, false));
	traffic_keep(kept, s);
	traffic_state_free(s);
	traffic_restore(kept, next);
	apply(next, SECOND, process(curl, "curl", 33));
	apply(next, SECOND, sums(curl, 60, 5, false));
	assert_int_equal(HASH_COUNT(next->groups), 2);
	for (struct traffic_group *g = next->groups; g; g = g->hh.next)
		assert_int_equal(g->by[TRAFFIC_TCP].bytes[TRAFFIC_TX], strcmp(g->key, "nginx") ? 60 : 1000);
	traffic_state_free(next);
	free(kept);
}

static void test_unattributed_bytes_are_an_alarm(void **state)
{
	struct traffic_state *s = fresh();

	(void)state;
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_GONE, 7, (struct traffic_key){}, 600, 0, SECOND));
	assert_true(line(s, "unattributed")->ok);
	assert_int_equal(line(s, "between_looks")->tx_bytes, 600);
	looked(s);
	assert_int_equal(line(s, "between_looks")->tx_bytes, 0);
	assert_false(line(s, "unattributed")->ok);
	assert_int_equal(line(s, "unattributed")->tx_bytes, 600);
	traffic_state_free(s);
}

static void test_gaps_have_names(void **state)
{
	struct traffic_state *s = fresh();
	union traffic_event spliced = tcp(TRAFFIC_SOCKET_GONE, 1, nginx, 0, 900, SECOND);
	union traffic_event redirected = tcp(TRAFFIC_SOCKET_SWEEP, 2, nginx, 70, 0, SECOND);
	union traffic_event shared = tcp(TRAFFIC_SOCKET_GONE, 3, nginx, 10, 10, SECOND);

	(void)state;
	spliced.socket.hook_rx = 100;
	redirected.socket.tcp_tx = 0;
	shared.socket.flags |= TRAFFIC_SOCKET_SHARED;
	shared.socket.tcp_rx = 15;
	apply(s, SECOND, spliced);
	apply(s, SECOND, redirected);
	apply(s, SECOND, shared);
	assert_int_equal(line(s, "bypass")->rx_bytes, 800);
	assert_int_equal(line(s, "redirected")->tx_bytes, 70);
	assert_int_equal(line(s, "shared_bypass")->rx_bytes, 5);
	assert_false(line(s, "shared_bypass")->ok);
	traffic_state_free(s);
}

static void test_old_things_go_and_their_sums_stay(void **state)
{
	struct traffic_state *s = fresh();
	uint64_t later = 200 * SECOND;

	(void)state;
	apply(s, SECOND, process(nginx, "nginx", 33));
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_GONE, 7, nginx, 1000, 0, SECOND));
	apply(s, SECOND, sums(nginx, 1000, 0, false));
	apply(s, SECOND, ended(nginx, SECOND));
	traffic_state_tick(s, 30 * SECOND, 1030 * SECOND);
	assert_non_null(traffic_flow_find(s, 7, 1));
	apply(s, 31 * SECOND, sums(nginx, 1000, 0, true));
	traffic_state_tick(s, later, 1000 * SECOND + later);
	assert_null(traffic_flow_find(s, 7, 1));
	assert_null(traffic_proc_find(s, &nginx));
	assert_int_equal(line(s, "processes")->tx_bytes, 1000);
	assert_int_equal(line(s, "sockets")->tx_bytes, 1000);
	assert_int_equal(s->groups->by[TRAFFIC_TCP].bytes[TRAFFIC_TX], 1000);
	traffic_state_free(s);
}

/* A program may hold a socket for long after its connection ended, or connect it again. */
static void test_a_socket_held_after_its_end_is_counted_once(void **state)
{
	struct traffic_state *s = fresh();
	union traffic_event held = tcp(TRAFFIC_SOCKET_SWEEP, 7, nginx, 1000, 0, 190 * SECOND);

	(void)state;
	held.socket.state = 7;
	apply(s, SECOND, process(nginx, "nginx", 33));
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_CLOSE, 7, nginx, 1000, 0, SECOND));
	apply(s, SECOND, sums(nginx, 1000, 0, false));
	for (uint64_t at = 30 * SECOND; at < 200 * SECOND; at += 30 * SECOND) {
		held.socket.at_ns = at;
		apply(s, at, held);
		traffic_state_tick(s, at, 1000 * SECOND + at);
	}
	assert_int_equal(traffic_proc_find(s, &nginx)->connections_total, 1);
	assert_int_equal(traffic_proc_find(s, &nginx)->connections_open, 0);
	assert_int_equal(line(s, "sockets")->tx_bytes, 1000);
	apply(s, 200 * SECOND, tcp(TRAFFIC_SOCKET_SWEEP, 7, nginx, 1500, 0, 200 * SECOND));
	assert_int_equal(traffic_proc_find(s, &nginx)->connections_open, 1);
	apply(s, 201 * SECOND, tcp(TRAFFIC_SOCKET_GONE, 7, nginx, 1500, 0, 201 * SECOND));
	traffic_state_tick(s, 300 * SECOND, 1300 * SECOND);
	assert_null(traffic_flow_find(s, 7, 1));
	assert_int_equal(line(s, "sockets")->tx_bytes, 1500);
	traffic_state_free(s);
}

static void test_ten_thousand_rounds_leave_no_growth(void **state)
{
	struct traffic_state *s = fresh();

	(void)state;
	for (uint64_t i = 1; i <= 10000; i++) {
		struct traffic_key key = { .start_ns = 10000 + i, .pid = 100 + (uint32_t)i };
		uint64_t at = i * SECOND;

		apply(s, at, process(key, "brief", 1000));
		apply(s, at, tcp(TRAFFIC_SOCKET_GONE, i, key, 1, 1, at));
		apply(s, at, ended(key, at));
		apply(s, at, sums(key, 1, 1, true));
		traffic_state_tick(s, at, at);
	}
	assert_true(HASH_COUNT(s->procs) < 100);
	assert_true(HASH_COUNT(s->flows) < 100);
	assert_int_equal(HASH_COUNT(s->groups), 1);
	assert_int_equal(line(s, "processes")->tx_bytes, 10000);
	assert_int_equal(line(s, "sockets")->tx_bytes, 10000);
	traffic_state_free(s);
}

/* Names beyond the maximum count for "other"; a group that was idle for long makes room, and its bytes stay. */
static void test_groups_beyond_the_maximum_are_other(void **state)
{
	struct traffic_state *s = fresh();
	uint64_t later = 2 * TRAFFIC_GROUP_IDLE_NS;
	struct traffic_group *g;
	uint64_t total = 0;

	(void)state;
	for (uint32_t i = 0; i < TRAFFIC_GROUPS_MAX + 50; i++) {
		struct traffic_key key = { .start_ns = 10000 + i, .pid = 100 + i };
		char name[16];

		snprintf(name, sizeof(name), "program%u", i);
		apply(s, SECOND + i, process(key, name, 1000));
		apply(s, SECOND + i, sums(key, 10, 0, false));
	}
	assert_int_equal(HASH_COUNT(s->groups), TRAFFIC_GROUPS_MAX);
	assert_int_equal(s->other[TRAFFIC_TCP].bytes[TRAFFIC_TX], 50 * 10);
	apply(s, later, process(nginx, "nginx", 33));
	apply(s, later, sums(nginx, 7, 0, false));
	assert_int_equal(HASH_COUNT(s->groups), TRAFFIC_GROUPS_MAX);
	assert_int_equal(s->other[TRAFFIC_TCP].bytes[TRAFFIC_TX], 51 * 10);
	for (g = s->groups; g; g = g->hh.next)
		total += g->by[TRAFFIC_TCP].bytes[TRAFFIC_TX];
	assert_int_equal(total + s->other[TRAFFIC_TCP].bytes[TRAFFIC_TX], (TRAFFIC_GROUPS_MAX + 50) * 10 + 7);
	traffic_state_free(s);
}

static void test_closing_says_why(void **state)
{
	static const struct {
		const char *want;
		uint32_t error, flags;
		uint8_t close_state;
	} rows[] = {
		{ "normal", 0, 0, 9 },
		{ "refused", ECONNREFUSED, TRAFFIC_SOCKET_RESET_RX, 2 },
		{ "timeout", ETIMEDOUT, 0, 1 },
		{ "unreachable", EHOSTUNREACH, 0, 2 },
		{ "reset_received", ECONNRESET, TRAFFIC_SOCKET_RESET_RX, 1 },
		{ "reset_sent", 0, TRAFFIC_SOCKET_RESET_TX, 1 },
		{ "aborted", 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct traffic_state *s = fresh();
		struct weir_builder *b = weir_builder_new();
		struct weir_snapshot_head head = { .number = 1 };
		union traffic_event e = tcp(TRAFFIC_SOCKET_GONE, 7, nginx, 0, 0, SECOND);
		struct weir_snapshot *snapshot;
		struct weir_rows r;

		e.socket.error = rows[i].error;
		e.socket.flags |= rows[i].flags;
		e.socket.close_state = rows[i].close_state;
		apply(s, SECOND, e);
		traffic_rows(s, b, 1);
		assert_int_equal(weir_builder_finish(b, &head, &snapshot), 0);
		assert_int_equal(weir_snapshot_rows(snapshot, &traffic_table_flows, &r), 0);
		assert_string_equal(weir_cell_text(&r, 0, FLOW_CLOSE_REASON), rows[i].want);
		assert_string_equal(weir_cell_text(&r, 0, FLOW_STATE), "closed");
		assert_string_equal(weir_cell_text(&r, 0, FLOW_SCOPE), "east_west");
		weir_snapshot_unref(snapshot);
		weir_builder_free(b);
		traffic_state_free(s);
	}
}

static uint64_t rtt_of(struct traffic_state *s, const struct weir_table *table, unsigned field)
{
	struct weir_builder *b = weir_builder_new();
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_snapshot *snapshot;
	struct weir_rows r;
	uint64_t rtt;

	traffic_rows(s, b, 1);
	assert_int_equal(weir_builder_finish(b, &head, &snapshot), 0);
	assert_int_equal(weir_snapshot_rows(snapshot, table, &r), 0);
	assert_int_equal(r.n, 1);
	rtt = weir_cell_null(&r, 0, field) ? 0 : weir_cell_uint(&r, 0, field);
	weir_snapshot_unref(snapshot);
	weir_builder_free(b);
	return rtt;
}

/* One to a neighbour and one to far away: their mean is the time of neither. */
static void test_the_slowest_connection_is_the_one_that_is_told(void **state)
{
	static const uint32_t rtts[] = { 16, 105000, 20 };
	struct traffic_state *s = fresh();

	(void)state;
	apply(s, SECOND, process(nginx, "nginx", 33));
	apply(s, SECOND, sums(nginx, 3000, 150, false));
	for (unsigned i = 0; i < ARRAY_SIZE(rtts); i++) {
		union traffic_event e = tcp(TRAFFIC_SOCKET_SWEEP, 7 + i, nginx, 1000, 50, SECOND);

		apply(s, SECOND, tcp(TRAFFIC_SOCKET_OPEN, 7 + i, nginx, 0, 0, SECOND));
		e.socket.srtt_us = rtts[i];
		apply(s, SECOND, e);
	}
	assert_int_equal(rtt_of(s, &traffic_table_processes, PROCESS_SRTT_US), 105000);
	assert_int_equal(rtt_of(s, &traffic_table_health, HEALTH_SRTT_US), 105000);
	/* What is closed is slow no more. */
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_GONE, 8, nginx, 1000, 50, SECOND));
	assert_int_equal(rtt_of(s, &traffic_table_processes, PROCESS_SRTT_US), 20);
	traffic_state_free(s);
}

static uint64_t process_changed(struct traffic_state *s, uint64_t number)
{
	struct weir_snapshot_head head = { .number = number };
	struct weir_builder *b = weir_builder_new();
	struct weir_snapshot *snapshot;
	struct weir_rows r;
	uint64_t changed;

	traffic_rows(s, b, number);
	assert_int_equal(weir_builder_finish(b, &head, &snapshot), 0);
	assert_int_equal(weir_snapshot_rows(snapshot, &traffic_table_processes, &r), 0);
	changed = weir_row_changed(&r, 0);
	weir_snapshot_unref(snapshot);
	weir_builder_free(b);
	return changed;
}

/* Who follows changes would keep the time of before. */
static void test_a_process_of_which_only_the_round_trip_changed(void **state)
{
	union traffic_event e = tcp(TRAFFIC_SOCKET_SWEEP, 7, nginx, 1000, 50, SECOND);
	struct traffic_state *s = fresh();

	(void)state;
	apply(s, SECOND, process(nginx, "nginx", 33));
	apply(s, SECOND, tcp(TRAFFIC_SOCKET_OPEN, 7, nginx, 0, 0, SECOND));
	e.socket.srtt_us = 100;
	apply(s, SECOND, e);
	assert_int_equal(process_changed(s, 1), 1);
	assert_int_equal(process_changed(s, 2), 1);
	e.socket.srtt_us = 200;
	apply(s, SECOND, e);
	assert_int_equal(process_changed(s, 3), 3);
	assert_int_equal(process_changed(s, 4), 3);
	traffic_state_free(s);
}

/* A look that meets a process while it ends finds its memory gone, and with it the name of its executable. */
static void test_who_ends_is_still_who_it_was(void **state)
{
	union traffic_event e = process(nginx, "nginx", 33);
	struct traffic_state *s = fresh();

	(void)state;
	apply(s, SECOND, e);
	e.process.exe[0] = '\0';
	e.process.netns = 0;
	apply(s, 2 * SECOND, e);
	assert_string_equal(traffic_proc_find(s, &nginx)->exe, "/usr/bin/nginx");
	assert_int_equal(traffic_proc_find(s, &nginx)->netns, 1);
	traffic_state_free(s);
}

/* Peers and the rest sum to the socket. */
static void test_udp_peers_sum_to_the_socket(void **state)
{
	union traffic_event e = tcp(TRAFFIC_SOCKET_OPEN, 7, nginx, 1000, 0, SECOND);
	union traffic_event peer = { .peer = { .key = { .cookie = 7, .opened_ns = 1, .port = 53, .family = AF_INET,
							.address = { 9, 9, 9, 9 } },
					       .sums = { { 600, 0 } } } };
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_builder *b = weir_builder_new();
	struct traffic_state *s = fresh();
	struct weir_snapshot *snapshot;
	struct weir_rows r;
	uint64_t tx = 0, rate = 0;

	(void)state;
	peer.head = (struct traffic_head){ TRAFFIC_RECORD_PEER, sizeof(peer.peer) };
	e.socket.tuple.transport = TRAFFIC_UDP;
	e.socket.tuple.peer_port = 0;
	traffic_state_tick(s, SECOND, SECOND);
	apply(s, SECOND, e);
	apply(s, SECOND, peer);
	traffic_state_tick(s, 2 * SECOND, 2 * SECOND);
	traffic_rows(s, b, 1);
	assert_int_equal(weir_builder_finish(b, &head, &snapshot), 0);
	assert_int_equal(weir_snapshot_rows(snapshot, &traffic_table_flows, &r), 0);
	assert_int_equal(r.n, 2);
	for (size_t i = 0; i < r.n; i++)
		tx += weir_cell_uint(&r, i, FLOW_TX_BYTES);
	assert_int_equal(tx, 1000);
	/* Rates are each one's own, too, and not the socket's for all. */
	for (size_t i = 0; i < r.n; i++) {
		rate += weir_cell_uint(&r, i, FLOW_TX_BYTES_PER_SECOND);
		assert_int_equal(weir_cell_uint(&r, i, FLOW_TX_BYTES_PER_SECOND), weir_cell_uint(&r, i, FLOW_TX_BYTES));
	}
	assert_int_equal(rate, 1000);
	weir_snapshot_unref(snapshot);
	weir_builder_free(b);
	traffic_state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_reach_their_process),
		cmocka_unit_test(test_a_reused_pid_is_another_process),
		cmocka_unit_test(test_who_uses_a_socket_owns_it),
		cmocka_unit_test(test_sums_taken_out_of_the_map_are_kept),
		cmocka_unit_test(test_lost_records_are_named_not_lost),
		cmocka_unit_test(test_a_socket_that_no_look_finds),
		cmocka_unit_test(test_a_lost_exit_is_noticed),
		cmocka_unit_test(test_sums_outlive_their_engine),
		cmocka_unit_test(test_unattributed_bytes_are_an_alarm),
		cmocka_unit_test(test_gaps_have_names),
		cmocka_unit_test(test_old_things_go_and_their_sums_stay),
		cmocka_unit_test(test_a_socket_held_after_its_end_is_counted_once),
		cmocka_unit_test(test_ten_thousand_rounds_leave_no_growth),
		cmocka_unit_test(test_groups_beyond_the_maximum_are_other),
		cmocka_unit_test(test_closing_says_why),
		cmocka_unit_test(test_the_slowest_connection_is_the_one_that_is_told),
		cmocka_unit_test(test_a_process_of_which_only_the_round_trip_changed),
		cmocka_unit_test(test_udp_peers_sum_to_the_socket),
		cmocka_unit_test(test_who_ends_is_still_who_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
