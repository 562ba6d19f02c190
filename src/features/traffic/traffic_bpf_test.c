// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka.h wants the headers above first. */
#include <cmocka.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "core/feature.h"
#include "core/probe.h"
#include "core/snapshot.h"
#include "features/traffic/traffic_abi.h"

/* The kernel half alone: loaded into this kernel, fed from this process on loopback, and judged by
 * the records that it hands over. What becomes of the records is traffic_state_test's business, the
 * whole line the end-to-end tests'. */

extern const struct weir_feature traffic_feature;

#define SOCKETS_MAX 65536
#define PROCESSES_MAX 65536
#define PEERS_MAX 65536

static struct world {
	struct weir_sink sink;
	struct weir_probe *probe;
	struct weir_attach *attach;
	void *kernel, *state, *event;
	/* The newest record of each. */
	struct traffic_socket *sockets;
	struct traffic_sums_record *sums;
	struct traffic_process *processes;
	struct traffic_peer_record *peers;
	unsigned n_sockets, n_sums, n_processes, n_peers;
	uint32_t exited[1024];
	unsigned n_exited;
} world;

/* --- what comes out of the kernel --------------------------------------------------------------
 */

static void keep_socket(const struct traffic_socket *r)
{
	unsigned i;

	for (i = 0; i < world.n_sockets; i++)
		if (world.sockets[i].cookie == r->cookie &&
		    world.sockets[i].opened_ns == r->opened_ns)
			break;
	assert_true(i < SOCKETS_MAX);
	world.sockets[i] = *r;
	world.n_sockets += i == world.n_sockets;
}

static void keep_sums(const struct traffic_sums_record *r)
{
	unsigned i;

	for (i = 0; i < world.n_sums; i++)
		if (!memcmp(&world.sums[i].key, &r->key, sizeof(r->key)))
			break;
	assert_true(i < PROCESSES_MAX);
	world.sums[i] = *r;
	world.n_sums += i == world.n_sums;
}

static void put(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	struct traffic_head head;

	(void)sink;
	memcpy(&head, bytes, sizeof(head));
	assert_int_equal(head.type, type);
	assert_int_equal(head.size, len);
	/* The reader asks the state what is known already. */
	assert_int_equal(traffic_feature.decode(type, bytes, len, world.event), 0);
	assert_int_equal(traffic_feature.apply(world.state, 1, world.event), 0);
	switch (type) {
	case TRAFFIC_RECORD_SOCKET:
		keep_socket(bytes);
		break;
	case TRAFFIC_RECORD_SUMS:
		keep_sums(bytes);
		break;
	case TRAFFIC_RECORD_PROCESS:
		assert_true(world.n_processes < PROCESSES_MAX);
		world.processes[world.n_processes++] = *(const struct traffic_process *)bytes;
		break;
	case TRAFFIC_RECORD_PEER:
		assert_true(world.n_peers < PEERS_MAX);
		world.peers[world.n_peers++] = *(const struct traffic_peer_record *)bytes;
		break;
	case TRAFFIC_RECORD_EXIT:
		world.exited[world.n_exited++ % 1024] =
			((const struct traffic_exit *)bytes)->key.pid;
		break;
	}
}

static void lost(struct weir_sink *sink, uint64_t total)
{
	(void)sink;
	if (total)
		print_message("# %llu records were lost on the way\n", (unsigned long long)total);
}

/* Reads the ring and looks at everything. */
static void look(void)
{
	assert_true(traffic_feature.drain(world.state, &world.sink) >= 0);
	assert_true(traffic_feature.collect(world.state, &world.sink, true) >= 0);
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

static const struct traffic_socket *socket_record(uint64_t cookie)
{
	for (unsigned i = world.n_sockets; i-- > 0;)
		if (world.sockets[i].cookie == cookie)
			return &world.sockets[i];
	fail_msg("no record of the socket with cookie %llu", (unsigned long long)cookie);
	return NULL;
}

static uint64_t sum_of(pid_t pid, enum traffic_transport transport,
		       enum traffic_direction direction)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < world.n_sums; i++)
		if (world.sums[i].key.pid == (uint32_t)pid)
			sum = world.sums[i].sums.by[transport].bytes[direction];
	return sum;
}

/* --- sockets to play with ----------------------------------------------------------------------
 */

struct pair {
	int client, server;
	uint64_t client_cookie, server_cookie;
};

static void pair_open(struct pair *p)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	p->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(p->client, (struct sockaddr *)&at, sizeof(at)), 0);
	p->server = accept(listener, NULL, NULL);
	assert_true(p->server >= 0);
	close(listener);
	p->client_cookie = cookie_of(p->client);
	p->server_cookie = cookie_of(p->server);
}

static void pair_close(struct pair *p)
{
	close(p->client);
	close(p->server);
}

static void move(int from, int to, size_t n, int flags)
{
	char bytes[65536] = { 0 };
	size_t got = 0;

	assert_true(n <= sizeof(bytes));
	assert_int_equal(send(from, bytes, n, MSG_NOSIGNAL), n);
	while (got < n) {
		ssize_t r = recv(to, bytes, sizeof(bytes), flags);

		assert_true(r > 0);
		got += (size_t)r;
	}
}

static void run_child(void (*f)(int fd), int fd, pid_t *ret_pid)
{
	int status;

	*ret_pid = fork();
	assert_true(*ret_pid >= 0);
	if (*ret_pid == 0) {
		f(fd);
		_exit(0);
	}
	assert_int_equal(waitpid(*ret_pid, &status, 0), *ret_pid);
	assert_int_equal(status, 0);
}

/* --- tests -------------------------------------------------------------------------------------
 */

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
	move(p.client, p.server, 1000, 0);
	move(p.server, p.client, 77, 0);
	look();
	r = socket_record(p.client_cookie);
	assert_int_equal(r->tx, 1000);
	assert_int_equal(r->rx, 77);
	assert_int_equal(r->hook_tx, 1000);
	assert_int_equal(r->tcp_tx, 1000);
	assert_int_equal(r->tcp_rx, 77);
	assert_int_equal(r->owner.pid, getpid());
	assert_int_equal(r->role, TRAFFIC_ROLE_CLIENT);
	r = socket_record(p.server_cookie);
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
	look();
	r = socket_record(p.client_cookie);
	assert_int_equal(getpeername(p.client, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(r->tuple.family, AF_INET);
	assert_int_equal(r->tuple.transport, TRAFFIC_TCP);
	assert_int_equal(r->tuple.peer_port, ntohs(at.sin_port));
	assert_memory_equal(r->tuple.peer, &at.sin_addr, 4);
	pair_close(&p);
}

static void a_peeked_byte_is_not_a_read_one(void **unused)
{
	char bytes[1000];
	struct pair p;

	(void)unused;
	pair_open(&p);
	assert_int_equal(send(p.client, bytes, 500, MSG_NOSIGNAL), 500);
	assert_int_equal(recv(p.server, bytes, 500, MSG_PEEK | MSG_WAITALL), 500);
	assert_int_equal(recv(p.server, bytes, 500, MSG_PEEK), 500);
	look();
	assert_int_equal(socket_record(p.server_cookie)->rx, 0);
	assert_int_equal(recv(p.server, bytes, 500, MSG_WAITALL), 500);
	look();
	assert_int_equal(socket_record(p.server_cookie)->rx, 500);
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
	look();
	assert_int_equal(socket_record(p.client_cookie)->tx, taken);
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
	move(p.client, p.server, 100, 0);
	run_child(send_300, p.client, &child);
	look();
	r = socket_record(p.client_cookie);
	assert_int_equal(r->tx, 400);
	assert_int_equal(r->foreign_tx, 300);
	assert_int_equal(r->owner.pid, getpid());
	assert_true(r->flags & TRAFFIC_SOCKET_SHARED);
	assert_int_equal(sum_of(child, TRAFFIC_TCP, TRAFFIC_TX), 300);
	pair_close(&p);
}

static void unix_sockets_are_counted_apart(void **unused)
{
	uint64_t before;
	int ends[2];

	(void)unused;
	look();
	before = sum_of(getpid(), TRAFFIC_UNIX, TRAFFIC_TX);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	move(ends[0], ends[1], 250, 0);
	look();
	assert_int_equal(sum_of(getpid(), TRAFFIC_UNIX, TRAFFIC_TX) - before, 250);
	close(ends[0]);
	close(ends[1]);
}

static void a_closed_socket_has_its_last_word(void **unused)
{
	const struct traffic_socket *r;
	struct pair p;

	(void)unused;
	pair_open(&p);
	move(p.client, p.server, 4000, 0);
	pair_close(&p);
	look();
	r = socket_record(p.server_cookie);
	assert_true(r->event == TRAFFIC_SOCKET_GONE || r->event == TRAFFIC_SOCKET_CLOSE);
	assert_int_equal(r->rx, 4000);
	assert_int_equal(r->tcp_rx, 4000);
}

static void a_reset_has_a_sender_and_a_receiver(void **unused)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct pair p;
	char byte;

	(void)unused;
	pair_open(&p);
	move(p.client, p.server, 10, 0);
	assert_int_equal(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	close(p.client);
	assert_int_equal(recv(p.server, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	look();
	assert_true(socket_record(p.server_cookie)->flags & TRAFFIC_SOCKET_RESET_RX);
	close(p.server);
}

static void each_peer_of_an_unconnected_socket_has_its_sum(void **unused)
{
	struct sockaddr_in at[2];
	uint64_t found[2] = { 0 }, cookie;
	char bytes[100] = { 0 };
	int fd, sinks[2];

	(void)unused;
	if (weir_probe_cgroup_fd(world.probe) < 0) {
		print_message("skipped: no cgroup2 hierarchy is mounted\n");
		skip();
	}
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof(at[i]);

		at[i] = (struct sockaddr_in){ .sin_family = AF_INET,
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		sinks[i] = socket(AF_INET, SOCK_DGRAM, 0);
		assert_int_equal(bind(sinks[i], (struct sockaddr *)&at[i], sizeof(at[i])), 0);
		assert_int_equal(getsockname(sinks[i], (struct sockaddr *)&at[i], &len), 0);
		for (int times = 0; times <= i; times++)
			assert_int_equal(
				sendto(fd, bytes, 100, 0, (struct sockaddr *)&at[i], sizeof(at[i])),
				100);
	}
	cookie = cookie_of(fd);
	look();
	for (unsigned k = 0; k < world.n_peers; k++)
		for (int i = 0; i < 2; i++)
			if (world.peers[k].key.cookie == cookie &&
			    world.peers[k].key.port == ntohs(at[i].sin_port))
				found[i] = world.peers[k].sums.bytes[TRAFFIC_TX];
	assert_int_equal(found[0], 100);
	assert_int_equal(found[1], 200);
	assert_int_equal(socket_record(cookie)->tx, 300);
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
	bool named = false, ended = false;
	struct pair p;
	pid_t child;

	(void)unused;
	pair_open(&p);
	run_child(named_and_short, p.client, &child);
	look();
	for (unsigned i = 0; i < world.n_processes; i++)
		named |= world.processes[i].key.pid == (uint32_t)child &&
			 !strcmp(world.processes[i].comm, "weir-bpf-child") &&
			 world.processes[i].uid == geteuid() && world.processes[i].exe[0] == '/';
	for (unsigned i = 0; i < world.n_exited && i < 1024; i++)
		ended |= world.exited[i] == (uint32_t)child;
	assert_true(named);
	assert_true(ended);
	pair_close(&p);
}

/* --- life --------------------------------------------------------------------------------------
 */

static int begin(void **unused)
{
	int why;

	(void)unused;
	world.sink = (struct weir_sink){ put, lost };
	world.sockets = calloc(SOCKETS_MAX, sizeof(*world.sockets));
	world.sums = calloc(PROCESSES_MAX, sizeof(*world.sums));
	world.processes = calloc(PROCESSES_MAX, sizeof(*world.processes));
	world.peers = calloc(PEERS_MAX, sizeof(*world.peers));
	world.event = calloc(1, traffic_feature.event_size);
	world.attach = weir_attach_new();
	if (!world.sockets || !world.sums || !world.processes || !world.peers || !world.event ||
	    !world.attach || weir_probe_new(&world.probe) < 0)
		return -1;
	if (weir_probe_blocker(world.probe, &why)) {
		print_message("# %s\n", weir_probe_blocker(world.probe, &why));
		return -1;
	}
	if (traffic_feature.load(world.attach, world.probe, NULL, &world.kernel) < 0)
		return -1;
	return traffic_feature.open(world.kernel, &world.state) < 0 ? -1 : 0;
}

static int end(void **unused)
{
	(void)unused;
	if (world.state)
		traffic_feature.close(world.state);
	weir_attach_free(world.attach);
	if (world.kernel)
		traffic_feature.unload(world.kernel);
	weir_probe_free(world.probe);
	free(world.sockets);
	free(world.sums);
	free(world.processes);
	free(world.peers);
	free(world.event);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hook_of_the_set_is_attached),
		cmocka_unit_test(bytes_count_for_their_socket_once),
		cmocka_unit_test(both_ends_are_known),
		cmocka_unit_test(a_peeked_byte_is_not_a_read_one),
		cmocka_unit_test(a_send_that_fails_counts_what_it_took),
		cmocka_unit_test(bytes_on_an_inherited_socket_are_the_callers),
		cmocka_unit_test(unix_sockets_are_counted_apart),
		cmocka_unit_test(a_closed_socket_has_its_last_word),
		cmocka_unit_test(a_reset_has_a_sender_and_a_receiver),
		cmocka_unit_test(each_peer_of_an_unconnected_socket_has_its_sum),
		cmocka_unit_test(a_process_that_lives_for_a_moment_is_named),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
