// SPDX-License-Identifier: GPL-2.0-or-later
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
#include "core/history.h"
#include "features/traffic/traffic_state.h"

/* What history is told, from records alone. */

#define SECOND 1000000000ull

static const struct traffic_key nginx = { .start_ns = 500, .pid = 4711 };

static union traffic_event process(struct traffic_key key, const char *comm)
{
	union traffic_event e = { .process = { .key = key, .uid = 33, .netns = 1 } };

	e.head = (struct traffic_head){ TRAFFIC_RECORD_PROCESS, sizeof(e.process) };
	snprintf(e.process.comm, sizeof(e.process.comm), "%s", comm);
	snprintf(e.process.exe, sizeof(e.process.exe), "/usr/sbin/%s", comm);
	snprintf(e.process.cgroup, sizeof(e.process.cgroup), "/system.slice/%s.service", comm);
	return e;
}

static union traffic_event sums(struct traffic_key key, int transport, uint64_t tx, uint64_t rx)
{
	union traffic_event e = { .sums = { .key = key } };

	e.head = (struct traffic_head){ TRAFFIC_RECORD_SUMS, sizeof(e.sums) };
	e.sums.sums.by[transport] = (struct traffic_bytes){ { tx, rx } };
	return e;
}

static union traffic_event tcp(uint64_t cookie, uint64_t tx, uint64_t rx, uint32_t retransmits)
{
	union traffic_event e = { .socket = { .cookie = cookie, .owner = nginx, .opened_ns = 1, .at_ns = SECOND } };
	struct traffic_socket *s = &e.socket;

	s->head = (struct traffic_head){ TRAFFIC_RECORD_SOCKET, sizeof(*s) };
	s->event = TRAFFIC_SOCKET_SWEEP;
	s->state = 1;
	s->role = TRAFFIC_ROLE_SERVER;
	s->tx = tx;
	s->rx = rx;
	s->retransmits = retransmits;
	s->tuple = (struct traffic_tuple){ .family = AF_INET, .transport = TRAFFIC_TCP, .local_port = 443, .peer_port = 40000,
					   .local = { 192, 0, 2, 1 }, .peer = { 10, 0, 0, 8 } };
	return e;
}

static union traffic_event udp(uint64_t cookie, uint64_t tx)
{
	union traffic_event e = tcp(cookie, tx, 0, 0);

	e.socket.role = TRAFFIC_ROLE_UNKNOWN;
	e.socket.tuple.transport = TRAFFIC_UDP;
	e.socket.tuple.local_port = 40000;
	e.socket.tuple.peer_port = 0;
	e.socket.flags = TRAFFIC_SOCKET_PEERS;
	return e;
}

static union traffic_event peer(uint64_t cookie, uint8_t last, uint64_t tx)
{
	union traffic_event e = { .peer = { .key = { .cookie = cookie, .opened_ns = 1, .address = { 10, 0, 0, last }, .port = 53,
						     .family = AF_INET },
					    .sums = { { tx, 0 } } } };

	e.head = (struct traffic_head){ TRAFFIC_RECORD_PEER, sizeof(e.peer) };
	return e;
}

static void apply(struct traffic_state *s, uint64_t at, union traffic_event e)
{
	assert_int_equal(traffic_state_apply(s, at, &e), 0);
}

/* --- what was told, summed ---------------------------------------------------------------------- */

struct told {
	struct weir_history_sink sink;
	uint64_t program_tx, program_rx, program_connections, program_retransmits;
	uint64_t peer_tx, peer_rx, peer_connections, peer_retransmits, other_tx;
	unsigned samples, events;
	char program[64], exe[64], unit[64], role[16], transport[16], summary[128];
	uint16_t port;
};

static void keep(char *to, size_t room, const char *text)
{
	snprintf(to, room, "%s", text ? text : "");
}

static void on_sample(struct weir_history_sink *sink, const struct weir_history_sample *s)
{
	struct told *t = (struct told *)sink;

	t->samples++;
	keep(t->program, sizeof(t->program), s->program.comm);
	keep(t->exe, sizeof(t->exe), s->program.exe);
	keep(t->unit, sizeof(t->unit), s->program.unit);
	if (s->kind == WEIR_HISTORY_PROGRAM) {
		t->program_tx += s->tx_bytes;
		t->program_rx += s->rx_bytes;
		t->program_connections += s->connections;
		t->program_retransmits += s->retransmits;
		return;
	}
	t->peer_tx += s->tx_bytes;
	t->peer_rx += s->rx_bytes;
	t->peer_connections += s->connections;
	t->peer_retransmits += s->retransmits;
	if (s->peer_name && !strcmp(s->peer_name, "other"))
		t->other_tx += s->tx_bytes;
	keep(t->role, sizeof(t->role), s->role);
	keep(t->transport, sizeof(t->transport), s->transport);
	t->port = s->port;
}

static void on_event(struct weir_history_sink *sink, const struct weir_history_event *e)
{
	struct told *t = (struct told *)sink;

	t->events++;
	keep(t->summary, sizeof(t->summary), e->summary);
}

static struct told tell(struct traffic_state *s)
{
	struct told t = { .sink = { .sample = on_sample, .event = on_event } };

	traffic_history(s, &t.sink);
	return t;
}

/* --- tests -------------------------------------------------------------------------------------- */

static void each_byte_is_told_once(void **unused)
{
	struct traffic_state *s = traffic_state_new();
	struct told t;

	(void)unused;
	apply(s, SECOND, process(nginx, "nginx"));
	apply(s, SECOND, sums(nginx, TRAFFIC_TCP, 100, 20));
	apply(s, SECOND, tcp(7, 100, 20, 3));
	t = tell(s);
	assert_int_equal(t.program_tx, 100);
	assert_int_equal(t.program_rx, 20);
	assert_int_equal(t.peer_tx, 100);
	assert_int_equal(t.program_connections, 1);
	assert_int_equal(t.peer_connections, 1);
	assert_int_equal(t.program_retransmits, 3);
	assert_int_equal(t.port, 443);
	assert_string_equal(t.role, "server");
	assert_string_equal(t.transport, "tcp");
	assert_string_equal(t.exe, "/usr/sbin/nginx");
	assert_string_equal(t.unit, "nginx.service");

	t = tell(s);
	assert_int_equal(t.samples, 0); /* nothing moved */

	apply(s, 2 * SECOND, sums(nginx, TRAFFIC_TCP, 150, 20));
	apply(s, 2 * SECOND, tcp(7, 150, 20, 3));
	t = tell(s);
	assert_int_equal(t.program_tx, 50);
	assert_int_equal(t.peer_tx, 50);
	assert_int_equal(t.program_connections + t.peer_connections + t.program_retransmits, 0);
	traffic_state_free(s);
}

static void unix_sockets_do_not_count(void **unused)
{
	struct traffic_state *s = traffic_state_new();

	(void)unused;
	apply(s, SECOND, process(nginx, "nginx"));
	apply(s, SECOND, sums(nginx, TRAFFIC_UNIX, 100, 20));
	assert_int_equal(tell(s).samples, 0);
	traffic_state_free(s);
}

static void a_process_is_told_once_its_name_is_known(void **unused)
{
	struct traffic_state *s = traffic_state_new();
	struct told t;

	(void)unused;
	apply(s, SECOND, sums(nginx, TRAFFIC_TCP, 100, 20));
	apply(s, SECOND, tcp(7, 100, 20, 0));
	assert_int_equal(tell(s).samples, 0);
	apply(s, SECOND, process(nginx, "nginx"));
	t = tell(s);
	assert_int_equal(t.program_tx, 100);
	assert_int_equal(t.peer_tx, 100);
	traffic_state_free(s);
}

static void what_was_before_weir_is_no_connection_of_its_time(void **unused)
{
	struct traffic_state *s = traffic_state_new();
	union traffic_event e = tcp(7, 10, 0, 9);
	struct told t;

	(void)unused;
	e.socket.flags |= TRAFFIC_SOCKET_SEEDED;
	apply(s, SECOND, process(nginx, "nginx"));
	apply(s, SECOND, e);
	t = tell(s);
	assert_int_equal(t.peer_tx, 10);
	assert_int_equal(t.peer_connections + t.program_retransmits, 0);
	e.socket.retransmits = 11;
	apply(s, SECOND, e);
	assert_int_equal(tell(s).program_retransmits, 2);
	traffic_state_free(s);
}

static void peers_of_one_socket_are_told_apart_and_the_rest_is_nobodys(void **unused)
{
	struct traffic_state *s = traffic_state_new();
	struct told t;

	(void)unused;
	apply(s, SECOND, process(nginx, "nginx"));
	apply(s, SECOND, udp(9, 100));
	apply(s, SECOND, peer(9, 1, 60));
	t = tell(s);
	assert_int_equal(t.peer_tx, 60); /* the rest may be a peer whose sum comes with the next look */
	assert_int_equal(t.port, 53);
	assert_string_equal(t.role, "client");
	apply(s, 2 * SECOND, peer(9, 2, 30));
	t = tell(s);
	assert_int_equal(t.peer_tx, 40);
	assert_int_equal(t.other_tx, 10); /* waited since the look before */
	assert_int_equal(tell(s).samples, 0);
	traffic_state_free(s);
}

static void a_flow_that_ends_between_two_visits_is_told(void **unused)
{
	struct traffic_state *s = traffic_state_new();
	union traffic_event e = tcp(7, 500, 0, 0);

	(void)unused;
	e.socket.event = TRAFFIC_SOCKET_GONE;
	e.socket.state = 7;
	apply(s, SECOND, process(nginx, "nginx"));
	apply(s, SECOND, e);
	traffic_state_tick(s, 2 * SECOND, 2 * SECOND);
	assert_int_equal(tell(s).peer_tx, 500);
	traffic_state_free(s);
}

static void where_very_many_flows_move_each_has_its_turn(void **unused)
{
	struct traffic_state *s = traffic_state_new();
	uint64_t peers = 0;

	(void)unused;
	apply(s, SECOND, process(nginx, "nginx"));
	for (uint64_t cookie = 1; cookie <= 30000; cookie++)
		apply(s, SECOND, tcp(cookie, 10, 0, 0));
	for (unsigned second = 0; second < 4; second++) {
		struct told t = tell(s);

		assert_true(t.samples < 10000);
		peers += t.peer_tx;
	}
	assert_int_equal(peers, 300000);
	assert_null(s->untold_flows);
	traffic_state_free(s);
}

/* Engines of one daemon: the kernel's sums and the keeper's memory stay. */
static void an_engine_that_begins_anew_gives_nothing_twice(void **unused)
{
	struct traffic_given_memory *memory = calloc(1, sizeof(*memory));
	struct traffic_state *s = traffic_state_new();
	struct told t;

	(void)unused;
	assert_non_null(memory);
	assert_int_equal(traffic_given_open(memory, &s->given), 0);
	apply(s, SECOND, process(nginx, "nginx"));
	apply(s, SECOND, sums(nginx, TRAFFIC_TCP, 100, 20));
	apply(s, SECOND, tcp(7, 100, 20, 3));
	apply(s, SECOND, udp(9, 60));
	apply(s, SECOND, peer(9, 1, 60));
	t = tell(s);
	assert_int_equal(t.program_tx, 100);
	assert_int_equal(t.peer_tx, 160);
	traffic_state_free(s);

	s = traffic_state_new();
	assert_int_equal(traffic_given_open(memory, &s->given), 0);
	apply(s, 3 * SECOND, process(nginx, "nginx"));
	apply(s, 3 * SECOND, sums(nginx, TRAFFIC_TCP, 130, 20));
	apply(s, 3 * SECOND, tcp(7, 120, 20, 4));
	apply(s, 3 * SECOND, tcp(8, 10, 0, 0));
	apply(s, 3 * SECOND, udp(9, 70));
	apply(s, 3 * SECOND, peer(9, 1, 70));
	t = tell(s);
	assert_int_equal(t.program_tx, 30);
	assert_int_equal(t.program_rx, 0);
	assert_int_equal(t.peer_tx, 20 + 10 + 10);
	assert_int_equal(t.program_connections, 1); /* the new one */
	assert_int_equal(t.program_retransmits, 1);
	traffic_state_free(s);
	free(memory);
}

static void places_are_used_again(void **unused)
{
	struct traffic_given_memory *memory = calloc(1, sizeof(*memory));
	struct traffic_given *g;
	traffic_given_place a, b;
	struct traffic_key key = nginx;
	bool found;

	(void)unused;
	assert_non_null(memory);
	assert_int_equal(traffic_given_open(memory, &g), 0);
	a = traffic_given_find(g, &g->procs, &key, &found);
	assert_true(a && !found);
	traffic_given_drop(&g->procs, a);
	key.pid++;
	b = traffic_given_find(g, &g->procs, &key, &found);
	assert_true(b == a && !found);
	traffic_given_free(g);

	assert_int_equal(traffic_given_open(memory, &g), 0);
	assert_int_equal(traffic_given_find(g, &g->procs, &key, &found), b);
	assert_true(found);
	traffic_given_free(g);

	/* One that nobody asks for is over. */
	assert_int_equal(traffic_given_open(memory, &g), 0);
	traffic_given_settle(g);
	key.pid++;
	assert_int_equal(traffic_given_find(g, &g->procs, &key, &found), b);
	assert_false(found);
	for (uint32_t i = 0; i < TRAFFIC_GIVEN_PROCS; i++) {
		key.pid++;
		traffic_given_find(g, &g->procs, &key, &found);
	}
	assert_int_equal(memory->n_procs, TRAFFIC_GIVEN_PROCS);
	assert_true(memory->full);
	traffic_given_free(g);
	free(memory);
}

/* Any bytes may stand in the memory: an engine that was taken over wrote them. */
static void memory_that_makes_no_sense_does_no_harm(void **unused)
{
	struct traffic_given_memory *memory = malloc(sizeof(*memory));
	struct traffic_state *s = traffic_state_new();

	(void)unused;
	assert_non_null(memory);
	memset(memory, 0xff, sizeof(*memory));
	assert_int_equal(traffic_given_open(memory, &s->given), 0);
	apply(s, SECOND, process(nginx, "nginx"));
	apply(s, SECOND, sums(nginx, TRAFFIC_TCP, 100, 20));
	apply(s, SECOND, tcp(7, 100, 20, 3));
	tell(s);
	traffic_state_free(s);
	free(memory);
}

static void a_program_that_begins_to_listen_is_an_event(void **unused)
{
	struct traffic_state *s = traffic_state_new();
	union traffic_event e = tcp(7, 0, 0, 0);
	struct told t;

	(void)unused;
	e.socket.role = TRAFFIC_ROLE_LISTENER;
	e.socket.tuple.peer_port = 0;
	e.socket.state = 10;
	apply(s, SECOND, process(nginx, "nginx"));
	apply(s, SECOND, e);
	t = tell(s);
	assert_int_equal(t.events, 1);
	assert_int_equal(t.samples, 0);
	assert_string_equal(t.summary, "nginx listens on 192.0.2.1:443");
	apply(s, 2 * SECOND, e);
	assert_int_equal(tell(s).events, 0);
	e.socket.cookie = 8;
	e.socket.flags |= TRAFFIC_SOCKET_SEEDED;
	apply(s, 2 * SECOND, e);
	assert_int_equal(tell(s).events, 0); /* it did so before weir came */
	traffic_state_free(s);
}

/* Each lives for a moment, moves ten bytes, and opens no flow. */
static void many_exit(struct traffic_state *s, uint64_t at, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct traffic_key key = { .start_ns = at + i, .pid = first + i };
		union traffic_event last = sums(key, TRAFFIC_TCP, 10, 1), gone = { .exit = { .key = key, .at_ns = at } };

		last.sums.final = true;
		gone.head = (struct traffic_head){ TRAFFIC_RECORD_EXIT, sizeof(gone.exit) };
		apply(s, at, process(key, "sh"));
		apply(s, at, gone);
		apply(s, at, last);
	}
}

static unsigned count_untold(const struct traffic_state *s)
{
	unsigned n = 0;

	for (const struct traffic_proc *p = s->untold; p; p = p->untold_next)
		n++;
	return n;
}

/* History is off, or is a recording's: what it would be told keeps no process. */
static void where_history_never_asks_processes_go(void **unused)
{
	struct traffic_given_memory *memory = calloc(1, sizeof(*memory));
	struct traffic_state *s = traffic_state_new();

	(void)unused;
	assert_non_null(memory);
	assert_int_equal(traffic_given_open(memory, &s->given), 0); /* as each live run does */
	many_exit(s, SECOND, 1, 30000);
	traffic_state_tick(s, 2 * SECOND, 2 * SECOND);
	assert_int_equal(HASH_COUNT(s->procs), TRAFFIC_EXITED_MAX);
	traffic_state_tick(s, 100 * SECOND, 100 * SECOND);
	assert_int_equal(HASH_COUNT(s->procs), 0);
	assert_int_equal(count_untold(s), 0);
	assert_int_equal(memory->n_procs, 0);
	traffic_state_free(s);
	free(memory);
}

/* A store that takes nothing for minutes: memory is bounded, and no byte is lost. */
static void where_history_asks_no_more_the_rest_is_nobodys(void **unused)
{
	struct traffic_given_memory *memory = calloc(1, sizeof(*memory));
	struct traffic_state *s = traffic_state_new();
	struct told t;

	(void)unused;
	assert_non_null(memory);
	assert_int_equal(traffic_given_open(memory, &s->given), 0);
	apply(s, SECOND, process(nginx, "nginx"));
	tell(s);
	for (unsigned i = 1; i <= 6; i++) {
		many_exit(s, i * 100 * SECOND, 1 + i * 30000, 30000);
		traffic_state_tick(s, (i * 100 + 90) * SECOND, (i * 100 + 90) * SECOND);
		assert_true(HASH_COUNT(s->procs) <= TRAFFIC_EXITED_MAX + 1);
		assert_true(count_untold(s) <= TRAFFIC_EXITED_MAX);
		assert_true(memory->n_procs <= TRAFFIC_EXITED_MAX + 1);
	}
	t = tell(s);
	assert_int_equal(t.program_tx, 6 * 30000 * 10);
	assert_int_equal(t.program_rx, 6 * 30000);
	assert_string_equal(t.program, ""); /* the sum of what could not wait comes last */
	assert_int_equal(tell(s).samples, 0);
	traffic_state_tick(s, 1000 * SECOND, 1000 * SECOND);
	assert_int_equal(HASH_COUNT(s->procs), 1);
	traffic_state_free(s);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_is_told_once),
		cmocka_unit_test(unix_sockets_do_not_count),
		cmocka_unit_test(a_process_is_told_once_its_name_is_known),
		cmocka_unit_test(what_was_before_weir_is_no_connection_of_its_time),
		cmocka_unit_test(peers_of_one_socket_are_told_apart_and_the_rest_is_nobodys),
		cmocka_unit_test(a_flow_that_ends_between_two_visits_is_told),
		cmocka_unit_test(where_very_many_flows_move_each_has_its_turn),
		cmocka_unit_test(an_engine_that_begins_anew_gives_nothing_twice),
		cmocka_unit_test(places_are_used_again),
		cmocka_unit_test(memory_that_makes_no_sense_does_no_harm),
		cmocka_unit_test(a_program_that_begins_to_listen_is_an_event),
		cmocka_unit_test(where_history_never_asks_processes_go),
		cmocka_unit_test(where_history_asks_no_more_the_rest_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
