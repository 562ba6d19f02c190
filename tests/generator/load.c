// SPDX-License-Identifier: GPL-2.0-or-later
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

enum {
	NUM_SERVED = NUM_A,
	NUM_STOP = NUM_B,
	NUM_LONGEST_NS = NUM_C,
	NUM_LATE = 30, /* processes that lived longer than they should */
	NUM_FAILED_CONNECTS = 31,
};

#define SHORT_LIFE_NS 5000000

static const struct load_options *options;
static uint8_t room[65536];

static void raise_descriptor_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int prepare(const struct load_options *o, size_t n_truths)
{
	int r = scene_init(n_truths);

	options = o;
	raise_descriptor_limit();
	if (r < 0) {
		fprintf(stderr, "weir-generate: shared memory: %s\n", strerror(-r));
		return -1;
	}
	return 0;
}

static int finish(const char *name, int r, uint64_t start, const char *key, uint64_t n)
{
	scene_print(name, "final");
	printf("{\"case\":\"%s\",\"result\":\"%s\"", name, r == 0 ? "ok" : "failed");
	if (scene_failure()) {
		putchar(',');
		print_text("reason", scene_failure());
	}
	printf(",\"%s\":%" PRIu64 ",\"longest_us\":%" PRIu64 ",\"late\":%" PRIu64
	       ",\"failed_connects\":%" PRIu64 ",\"ms\":%" PRIu64 "}\n",
	       key, n, *scene_number(NUM_LONGEST_NS) / 1000, (uint64_t)*scene_number(NUM_LATE),
	       (uint64_t)*scene_number(NUM_FAILED_CONNECTS), (mono_ns() - start) / 1000000);
	fflush(stdout);
	return r == 0 ? 0 : 1;
}

/* One truth for all sockets of this process. */
static struct end sum_open(const char *role)
{
	struct end e = { .fd = -1, .truth = truth_new(role) };

	snprintf(e.truth->transport, sizeof(e.truth->transport), "tcp");
	return e;
}

/* --- a server for many short connections ----------------------------------------------------- */

static int listener;

/* Reads a request until its end, answers with a tenth of it. */
static void serve_one(struct end *e)
{
	uint64_t before = e->truth->rx_bytes;

	while (must(end_got(e, recv(e->fd, room, sizeof(room), 0)), "recv") > 0)
		;
	for (size_t n = (e->truth->rx_bytes - before) / 10; n;)
		n -= (size_t)must(end_sent(e, send(e->fd, buffer(), n, MSG_NOSIGNAL)), "send");
	end_close(e);
	e->truth->sockets++;
	*scene_number(NUM_SERVED) += 1;
}

static void serve(void *arg)
{
	struct end e = sum_open("server");
	struct pollfd p = { .fd = listener, .events = POLLIN };

	(void)arg;
	prctl(PR_SET_TIMERSLACK, 1);
	while (!*scene_number(NUM_STOP)) {
		if (must(poll(&p, 1, 20), "poll") == 0)
			continue;
		e.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (e.fd >= 0)
			serve_one(&e);
		else if (errno != EAGAIN)
			must(-1, "accept");
	}
	scene_hold();
}

static void server_master(void *arg)
{
	(void)arg;
	listener = net_listen(TCP4, NUM_PORT, 4096, 1);
	must(fcntl(listener, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	scene_spawn("wg-serve-1", serve, NULL);
	scene_spawn("wg-serve-2", serve, NULL);
	scene_join();
}

static int connect_with_patience(void)
{
	struct sockaddr_storage a;
	socklen_t n = net_address(TCP4, (uint32_t)*scene_number(NUM_PORT), &a);

	for (int t = 0; t < 200; t++) {
		int fd = net_socket(TCP4, SOCK_STREAM);

		if (connect(fd, (struct sockaddr *)&a, n) == 0)
			return fd;
		if (errno != EADDRNOTAVAIL)
			must(-1, "connect");
		close(fd);
		*scene_number(NUM_FAILED_CONNECTS) += 1;
		sleep_ms(10);
	}
	scene_fail("no free port");
}

static void visit(struct end *e, size_t bytes)
{
	for (size_t n = bytes; n;)
		n -= (size_t)must(end_sent(e, send(e->fd, buffer(), n, MSG_NOSIGNAL)), "send");
	must(shutdown(e->fd, SHUT_WR), "shutdown");
	while (must(end_got(e, recv(e->fd, room, sizeof(room), 0)), "recv") > 0)
		;
	end_close(e);
}

/* --- crowd ----------------------------------------------------------------------------------- */

static void crowd_member(uint64_t i, uint64_t born_ns, pid_t parent)
{
	char name[16];
	struct end e;
	uint64_t age, longest;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	snprintf(name, sizeof(name), "wg-c%07" PRIu64, i % 10000000);
	set_process_name(name);
	e = end_open(connect_with_patience(), "crowd");
	visit(&e, (options->bytes ? options->bytes : 1000) + i % 97);
	age = mono_ns() - born_ns;
	longest = *scene_number(NUM_LONGEST_NS);
	while (age > longest &&
	       !atomic_compare_exchange_weak(scene_number(NUM_LONGEST_NS), &longest, age))
		;
	if (age > SHORT_LIFE_NS)
		*scene_number(NUM_LATE) += 1;
	_exit(0);
}

static bool reap_one(pid_t servers)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	if (pid == servers)
		scene_fault("the server went");
	else if (pid < 0 || status != 0)
		scene_fault("a process of the crowd ended with status %d", status);
	return !scene_failure();
}

static bool crowd_gather(pid_t servers)
{
	unsigned running = 0, jobs = options->jobs ? options->jobs : 2;
	pid_t self = getpid();

	for (uint64_t i = 0; i < options->count; i++) {
		uint64_t now = mono_ns();
		pid_t pid = fork();

		if (pid < 0) {
			scene_fault("fork: %s", strerror(errno));
			break;
		}
		if (pid == 0)
			crowd_member(i, now, self);
		if (++running >= jobs) {
			if (!reap_one(servers))
				return false;
			running--;
		}
	}
	for (; running; running--)
		if (!reap_one(servers))
			return false;
	return true;
}

static void check_sums(void)
{
	uint64_t tx, rx;

	truth_sum(NULL, &tx, &rx);
	if (tx != rx)
		scene_fault("sent %" PRIu64 ", received %" PRIu64, tx, rx);
}

int load_crowd(const struct load_options *o)
{
	uint64_t start = mono_ns();
	pid_t servers;
	int r = -1;

	if (prepare(o, o->count + 16) < 0)
		return 1;
	servers = scene_spawn("wg-crowd-server", server_master, NULL);
	scene_await(SEM_LISTENING);
	buffer();
	fflush(stdout);
	if (crowd_gather(servers)) {
		*scene_number(NUM_STOP) = 1;
		r = scene_direct("crowd");
		check_sums();
	} else {
		scene_kill();
	}
	return finish("crowd", scene_failure() ? -1 : r, start, "processes", o->count);
}

/* --- hold ------------------------------------------------------------------------------------ */

#define HOLD_EACH 4000 /* connections that one process has */

static uint64_t hold_share;

static void hold_server(void *arg)
{
	uint64_t k = (uint64_t)(uintptr_t)arg;
	int fd = net_listen(TCP4, NUM_PORTS + (unsigned)k, 4096, 0);

	scene_post(SEM_LISTENING);
	for (uint64_t i = 0; i < hold_share; i++)
		end_open(net_accept(fd), "server");
	close(fd);
	scene_hold();
}

static void hold_client(void *arg)
{
	uint64_t k = (uint64_t)(uintptr_t)arg;

	scene_await_number(NUM_PORTS + (unsigned)k, 1);
	scene_await(SEM_LISTENING);
	for (uint64_t i = 0; i < hold_share; i++)
		end_open(net_connect(TCP4, NUM_PORTS + (unsigned)k), "client");
	scene_hold();
}

int load_hold(const struct load_options *o)
{
	uint64_t start = mono_ns(), left = (o->count + 1) / 2;
	int r;

	if (left > 16 * HOLD_EACH) {
		fprintf(stderr, "weir-generate: hold: at most %d sockets\n", 2 * 16 * HOLD_EACH);
		return 2;
	}
	if (prepare(o, o->count + 16) < 0)
		return 1;
	scene_options.hold = true;
	for (uint64_t k = 0; left; k++) {
		char name[16];

		hold_share = left < HOLD_EACH ? left : HOLD_EACH;
		left -= hold_share;
		snprintf(name, sizeof(name), "wg-hold-s%" PRIu64, k);
		scene_spawn(name, hold_server, (void *)(uintptr_t)k);
		snprintf(name, sizeof(name), "wg-hold-c%" PRIu64, k);
		scene_spawn(name, hold_client, (void *)(uintptr_t)k);
	}
	r = scene_direct("hold");
	return finish("hold", r, start, "sockets", scene_truths());
}

/* --- churn ----------------------------------------------------------------------------------- */

static void churn_client(void *arg)
{
	struct end e = sum_open("client");
	uint64_t until = mono_ns() + (uint64_t)(options->seconds * 1e9);

	(void)arg;
	while (mono_ns() < until) {
		e.fd = connect_with_patience();
		visit(&e, options->bytes ? options->bytes : 100);
		e.truth->sockets++;
	}
	scene_hold();
}

static void churn_master(void *arg)
{
	pid_t clients[16];
	unsigned jobs = options->jobs ? options->jobs : 2;

	(void)arg;
	scene_await(SEM_LISTENING);
	for (unsigned j = 0; j < jobs && j < 16; j++) {
		char name[16];

		snprintf(name, sizeof(name), "wg-churn-%u", j);
		clients[j] = scene_spawn(name, churn_client, NULL);
	}
	(void)clients;
	scene_join();
}

int load_churn(const struct load_options *o)
{
	uint64_t start = mono_ns();
	pid_t clients;
	int r;

	if (prepare(o, 64) < 0)
		return 1;
	scene_spawn("wg-churn-server", server_master, NULL);
	clients = scene_spawn("wg-churn", churn_master, NULL);
	scene_wait(clients);
	*scene_number(NUM_STOP) = 1;
	r = scene_direct("churn");
	check_sums();
	return finish("churn", scene_failure() ? -1 : r, start, "connections",
		      *scene_number(NUM_SERVED));
}

/* --- speed ----------------------------------------------------------------------------------- */

static bool connection(int fds[2])
{
	struct sockaddr_storage a;
	int l = net_socket(TCP4, SOCK_STREAM);
	socklen_t n;

	*scene_number(NUM_PORT) = net_bind(l, TCP4);
	must(listen(l, 1), "listen");
	n = net_address(TCP4, (uint32_t)*scene_number(NUM_PORT), &a);
	fds[0] = net_socket(TCP4, SOCK_STREAM);
	must(connect(fds[0], (struct sockaddr *)&a, n), "connect");
	fds[1] = net_accept(l);
	close(l);
	net_set(fds[0], IPPROTO_TCP, TCP_NODELAY, 1);
	net_set(fds[1], IPPROTO_TCP, TCP_NODELAY, 1);
	return true;
}

static void move(int from, int to, size_t n)
{
	for (size_t sent = 0, got = 0; got < n;) {
		if (sent < n)
			sent += (size_t)must(send(from, buffer(), n - sent, 0), "send");
		got += (size_t)must(recv(to, room, sizeof(room), 0), "recv");
	}
}

static void pingpong(void *arg)
{
	size_t bytes = options->bytes && options->bytes <= 4096 ? options->bytes : 32;
	uint64_t start, until, now, n = 0;
	int fds[2];

	(void)arg;
	connection(fds);
	for (int warm = 0; warm < 1000; warm++)
		move(fds[0], fds[1], bytes);
	start = mono_ns();
	until = start + (uint64_t)(options->seconds * 1e9);
	do {
		for (int k = 0; k < 100; k++, n++) {
			move(fds[0], fds[1], bytes);
			move(fds[1], fds[0], bytes);
		}
		now = mono_ns();
	} while (now < until);
	printf("{\"bench\":\"pingpong\",\"bytes\":%zu,\"round_trips\":%" PRIu64 ",\"ns\":%" PRIu64
	       ",\"ns_per_round_trip\":%.1f,\"per_second\":%.0f}\n",
	       bytes, n, now - start, (double)(now - start) / (double)n,
	       (double)n * 1e9 / (double)(now - start));
	fflush(stdout);
}

static void bulk(void *arg)
{
	size_t bytes = options->bytes && options->bytes <= 65536 ? options->bytes : 65536;
	uint64_t start, until, now, n = 0;
	int fds[2];

	(void)arg;
	connection(fds);
	for (int warm = 0; warm < 200; warm++)
		move(fds[0], fds[1], bytes);
	start = mono_ns();
	until = start + (uint64_t)(options->seconds * 1e9);
	do {
		for (int k = 0; k < 20; k++, n += bytes)
			move(fds[0], fds[1], bytes);
		now = mono_ns();
	} while (now < until);
	printf("{\"bench\":\"bulk\",\"message_bytes\":%zu,\"bytes\":%" PRIu64 ",\"ns\":%" PRIu64
	       ",\"bytes_per_second\":%.0f}\n",
	       bytes, n, now - start, (double)n * 1e9 / (double)(now - start));
	fflush(stdout);
}

static int in_child(const struct load_options *o, const char *name, void (*fn)(void *))
{
	if (prepare(o, 1) < 0)
		return 1;
	scene_no_limit();
	scene_spawn(name, fn, NULL);
	if (scene_direct(name) < 0) {
		fprintf(stderr, "weir-generate: %s\n", scene_failure());
		return 1;
	}
	return 0;
}

int load_pingpong(const struct load_options *o)
{
	return in_child(o, "wg-pingpong", pingpong);
}

int load_bulk(const struct load_options *o)
{
	return in_child(o, "wg-bulk", bulk);
}
