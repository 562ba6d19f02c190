// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "features/traffic/traffic_bpf_fixture.h"

/* What each hook says of small known loads. What becomes of the records is traffic_state_test's business, the whole line
 * the end-to-end tests'; what happens at the limits is in traffic_bpf_limits_test.c. */

static void each_hook_of_the_set_is_attached(void **unused)
{
	(void)unused;
	assert_true(weir_attach_count(world.attach) >= 10);
}

static void bytes_count_for_their_socket_once(void **unused)
{
	const struct traffic_socket *r;
	struct pair p;

	(void)unused;
	pair_open(&p);
	move(p.client, p.server, 1000);
	move(p.server, p.client, 77);
	world_look(true);
	r = world_socket(p.client_cookie);
	assert_non_null(r);
	assert_int_equal(r->tx, 1000);
	assert_int_equal(r->rx, 77);
	assert_int_equal(r->hook_tx, 1000);
	assert_int_equal(r->tcp_tx, 1000);
	assert_int_equal(r->tcp_rx, 77);
	assert_int_equal(r->owner.pid, getpid());
	assert_int_equal(r->role, TRAFFIC_ROLE_CLIENT);
	assert_false(r->flags & TRAFFIC_SOCKET_SEEDED);
	r = world_socket(p.server_cookie);
	assert_non_null(r);
	assert_int_equal(r->rx, 1000);
	assert_int_equal(r->tx, 77);
	assert_int_equal(r->role, TRAFFIC_ROLE_SERVER);
	pair_close(&p);
}

static void both_ends_are_known(void **unused)
{
	const struct traffic_socket *r;
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	struct pair p;

	(void)unused;
	pair_open(&p);
	world_look(true);
	r = world_socket(p.client_cookie);
	assert_non_null(r);
	assert_int_equal(getpeername(p.client, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(r->tuple.family, AF_INET);
	assert_int_equal(r->tuple.transport, TRAFFIC_TCP);
	assert_int_equal(r->tuple.peer_port, ntohs(at.sin_port));
	assert_memory_equal(r->tuple.peer, &at.sin_addr, 4);
	pair_close(&p);
}

static void a_peeked_byte_is_not_a_read_one(void **unused)
{
	char bytes[1000] = { 0 };
	struct pair p;

	(void)unused;
	pair_open(&p);
	assert_int_equal(send(p.client, bytes, 500, MSG_NOSIGNAL), 500);
	assert_int_equal(recv(p.server, bytes, 500, MSG_PEEK | MSG_WAITALL), 500);
	assert_int_equal(recv(p.server, bytes, 500, MSG_PEEK), 500);
	world_look(true);
	assert_int_equal(world_socket(p.server_cookie)->rx, 0);
	assert_int_equal(recv(p.server, bytes, 500, MSG_WAITALL), 500);
	world_look(true);
	assert_int_equal(world_socket(p.server_cookie)->rx, 500);
	pair_close(&p);
}

static void calls_that_move_nothing_count_nothing(void **unused)
{
	const struct traffic_socket *r;
	char byte;
	struct pair p;

	(void)unused;
	pair_open(&p);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(recv(p.server, &byte, 1, MSG_DONTWAIT), -1);
		assert_int_equal(errno, EAGAIN);
	}
	assert_int_equal(send(p.client, &byte, 0, 0), 0);
	world_look(true);
	r = world_socket(p.server_cookie);
	assert_non_null(r);
	assert_int_equal(r->rx | r->tx | r->hook_rx | r->hook_tx | r->tcp_rx, 0);
	assert_int_equal(world_socket(p.client_cookie)->tx, 0);
	pair_close(&p);
}

static void a_send_that_fails_counts_what_it_took(void **unused)
{
	static char bytes[1 << 20];
	uint64_t taken = 0;
	struct pair p;
	ssize_t n;

	(void)unused;
	pair_open(&p);
	while ((n = send(p.client, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
		taken += (uint64_t)n;
	assert_int_equal(errno, EAGAIN);
	world_look(true);
	assert_int_equal(world_socket(p.client_cookie)->tx, taken);
	assert_int_equal(world_socket(p.client_cookie)->tcp_tx, taken);
	pair_close(&p);
}

static void send_300(int fd)
{
	char bytes[300] = { 0 };

	if (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) != sizeof(bytes))
		_exit(1);
}

static void bytes_on_an_inherited_socket_are_the_callers(void **unused)
{
	const struct traffic_socket *r;
	struct pair p;
	pid_t child;

	(void)unused;
	pair_open(&p);
	move(p.client, p.server, 100);
	child = run_child(send_300, p.client);
	world_look(true);
	r = world_socket(p.client_cookie);
	assert_int_equal(r->tx, 400);
	assert_int_equal(r->foreign_tx, 300);
	assert_int_equal(r->owner.pid, getpid());
	assert_true(r->flags & TRAFFIC_SOCKET_SHARED);
	assert_int_equal(world_sum(child, TRAFFIC_TCP, TRAFFIC_TX), 300);
	pair_close(&p);
}

static void unix_sockets_are_counted_apart(void **unused)
{
	uint64_t before, tcp;
	int ends[2];

	(void)unused;
	world_look(true);
	before = world_sum(getpid(), TRAFFIC_UNIX, TRAFFIC_TX);
	tcp = world_sum(getpid(), TRAFFIC_TCP, TRAFFIC_TX);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	move(ends[0], ends[1], 250);
	world_look(true);
	assert_int_equal(world_sum(getpid(), TRAFFIC_UNIX, TRAFFIC_TX) - before, 250);
	assert_int_equal(world_sum(getpid(), TRAFFIC_TCP, TRAFFIC_TX), tcp);
	close(ends[0]);
	close(ends[1]);
}

static void a_closed_socket_has_its_last_word(void **unused)
{
	const struct traffic_socket *r;
	struct pair p;

	(void)unused;
	pair_open(&p);
	move(p.client, p.server, 4000);
	pair_close(&p);
	world_look(true);
	r = world_socket(p.server_cookie);
	assert_non_null(r);
	assert_true(r->event == TRAFFIC_SOCKET_GONE || r->event == TRAFFIC_SOCKET_CLOSE);
	assert_int_equal(r->rx, 4000);
	assert_int_equal(r->tcp_rx, 4000);
}

static void a_reset_has_a_receiver(void **unused)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct pair p;
	char byte;

	(void)unused;
	pair_open(&p);
	move(p.client, p.server, 10);
	assert_int_equal(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	close(p.client);
	p.client = -1;
	assert_int_equal(recv(p.server, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	world_look(true);
	assert_true(world_socket(p.server_cookie)->flags & TRAFFIC_SOCKET_RESET_RX);
	pair_close(&p);
}

/* Sends to a socket of its own that nobody reads, times times; its port. */
static uint16_t send_to_new(int fd, int *ret_sink, int times)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	char bytes[100] = { 0 };

	*ret_sink = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_sink, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(*ret_sink, (struct sockaddr *)&at, &len), 0);
	for (int i = 0; i < times; i++)
		assert_int_equal(sendto(fd, bytes, 100, 0, (struct sockaddr *)&at, sizeof(at)), 100);
	return ntohs(at.sin_port);
}

static void each_peer_of_an_unconnected_socket_has_its_sum(void **unused)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), sinks[2];
	uint16_t ports[2];

	(void)unused;
	if (weir_probe_cgroup_fd(world.probe) < 0) {
		print_message("# skipped: no cgroup2 hierarchy is mounted\n");
		skip();
	}
	for (int i = 0; i < 2; i++)
		ports[i] = send_to_new(fd, &sinks[i], i + 1);
	world_look(true);
	assert_int_equal(world_peer_tx(cookie_of(fd), ports[0]), 100);
	assert_int_equal(world_peer_tx(cookie_of(fd), ports[1]), 200);
	assert_int_equal(world_socket(cookie_of(fd))->tx, 300);
	close(fd);
	close(sinks[0]);
	close(sinks[1]);
}

static void named_and_short(int fd)
{
	prctl(PR_SET_NAME, "weir-bpf-child");
	send_300(fd);
}

static void a_process_that_lives_for_a_moment_is_named(void **unused)
{
	const struct traffic_process *r;
	struct pair p;
	pid_t child;

	(void)unused;
	pair_open(&p);
	child = run_child(named_and_short, p.client);
	world_look(true);
	r = world_process(child);
	assert_non_null(r);
	assert_string_equal(r->comm, "weir-bpf-child");
	assert_int_equal(r->uid, geteuid());
	assert_int_equal(r->exe[0], '/');
	assert_int_equal(r->parent.pid, getpid());
	assert_true(world_exited(child));
	pair_close(&p);
}

static int begin(void **unused)
{
	(void)unused;
	world_begin();
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	world_end();
	return 0;
}

int main(void)
{
	const char *reason = world_prepare();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hook_of_the_set_is_attached),
		cmocka_unit_test(bytes_count_for_their_socket_once),
		cmocka_unit_test(both_ends_are_known),
		cmocka_unit_test(a_peeked_byte_is_not_a_read_one),
		cmocka_unit_test(calls_that_move_nothing_count_nothing),
		cmocka_unit_test(a_send_that_fails_counts_what_it_took),
		cmocka_unit_test(bytes_on_an_inherited_socket_are_the_callers),
		cmocka_unit_test(unix_sockets_are_counted_apart),
		cmocka_unit_test(a_closed_socket_has_its_last_word),
		cmocka_unit_test(a_reset_has_a_receiver),
		cmocka_unit_test(each_peer_of_an_unconnected_socket_has_its_sum),
		cmocka_unit_test(a_process_that_lives_for_a_moment_is_named),
	};

	if (reason) {
		printf("%s\n", reason);
		return 77; /* not tested, says meson too */
	}
	return cmocka_run_group_tests(tests, begin, end);
}
