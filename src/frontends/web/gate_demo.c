// SPDX-License-Identifier: GPL-2.0-or-later
// An engine with made-up numbers in front of the real gate, for gate_e2e.py. Usage:
//   gate_demo SOCKET ADDR TOKEN|-
// Prints "ready PORT PID" (the bound TCP port, the gate's pid), then obeys lines on standard input
// and answers each with one line; ends with its input.
//   rows N      N flows          churn N     N of them change with each tick
//   tick MS     0: no ticks      news        a snapshot between the ticks
//   remove N    flow N goes      insert N    it comes back
//   silent 0|1  no answers       garbage     messages and snapshots that are none
//   stats       what was heard   close       the engine goes; says the gate's exit status

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/snapshot.h"
#include "core/tables.h"
#include "daemon/daemon.h"
#include "daemon/ipc.h"

#define ROWS_MAX 200000
#define OTHER_USER 65534

/* Each is the name of a process; what is on a screen, in a log or a metric must not obey them. */
static const char *const hostile[] = {
	"<svg/onload=a>",      "</script><b>", "\x1b[31mred\x1b[0m", "a\"} 1\nweir_x 2",
	"back\\slash",	       "bad\xff\xfe",  "=cmd|' /C calc'",    "data: x\n\nevent: y",
	"\342\200\256gnp.exe", "%s%n%x",
};
#define N_HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

struct demo {
	int sock;
	pid_t gate;
	struct weir_builder *builder;
	uint64_t number, answered, refreshes, viewers, measured_ms;
	unsigned rows, churn, tick_ms;
	uint64_t *changed; /* per flow: snapshot in which it last changed */
	bool *removed;
	bool silent;
	uint64_t next_tick_ms;
};

static unsigned field(const struct weir_table *t, const char *name)
{
	int i = weir_table_field(t, name);

	if (i >= 0)
		return (unsigned)i;
	fprintf(stderr, "gate_demo: %s has no field %s\n", t->name, name);
	return 0;
}

static uid_t owner_of(unsigned i)
{
	return i % 2 ? OTHER_USER : 0;
}

/* --- the numbers -------------------------------------------------------------------------- */

static void build_processes(struct demo *e)
{
	const struct weir_table *t = weir_table_find("processes");
	unsigned pid = field(t, "pid"), start = field(t, "start_time_ns"), comm = field(t, "comm");
	unsigned user = field(t, "user"), tx = field(t, "tx_bytes");

	weir_builder_table(e->builder, t);
	for (unsigned i = 0; i < N_HOSTILE; i++) {
		weir_builder_row(e->builder, owner_of(i), 1);
		weir_builder_uint(e->builder, pid, 100 + i);
		weir_builder_uint(e->builder, start, 1000 + i);
		weir_builder_text(e->builder, comm, hostile[i]);
		weir_builder_text(e->builder, user, owner_of(i) ? "nobody" : "root");
		weir_builder_uint(e->builder, tx, 1000ull * (i + 1));
	}
}

static void build_flows(struct demo *e)
{
	const struct weir_table *t = weir_table_find("flows");
	unsigned cookie = field(t, "cookie"), pid = field(t, "pid"), comm = field(t, "comm");
	unsigned local = field(t, "local_address"), local_port = field(t, "local_port");
	unsigned peer = field(t, "peer_address"), peer_port = field(t, "peer_port");
	unsigned state = field(t, "state"), tx = field(t, "tx_bytes"), rx = field(t, "rx_bytes");
	struct weir_addr here = { .family = AF_INET, .bytes = { 127, 0, 0, 1 } },
			 there = { .family = AF_INET };

	weir_builder_table(e->builder, t);
	for (unsigned i = 0; i < e->rows; i++) {
		if (e->removed[i])
			continue;
		there.bytes[0] = 10;
		there.bytes[2] = (uint8_t)(i >> 8);
		there.bytes[3] = (uint8_t)i;
		weir_builder_row(e->builder, owner_of(i), e->changed[i]);
		weir_builder_uint(e->builder, cookie, i);
		weir_builder_uint(e->builder, pid, 100 + i % N_HOSTILE);
		weir_builder_text(e->builder, comm, hostile[i % N_HOSTILE]);
		weir_builder_address(e->builder, local, &here);
		weir_builder_uint(e->builder, local_port, 443);
		weir_builder_address(e->builder, peer, &there);
		weir_builder_uint(e->builder, peer_port, 1024 + i % 60000);
		weir_builder_text(e->builder, state, i % 10 ? "established" : "closed");
		weir_builder_uint(e->builder, tx, 1000 * e->changed[i] + i);
		weir_builder_uint(e->builder, rx, i);
	}
}

static void build_rest(struct demo *e)
{
	const struct weir_table *t = weir_table_find("process_groups");

	weir_builder_table(e->builder, t);
	for (unsigned i = 0; i < N_HOSTILE; i++) {
		weir_builder_row(e->builder, owner_of(i), 1);
		weir_builder_text(e->builder, field(t, "process"), hostile[i]);
		weir_builder_text(e->builder, field(t, "transport"), "tcp");
		weir_builder_text(e->builder, field(t, "direction"), "transmit");
		weir_builder_uint(e->builder, field(t, "bytes"), 1000ull * (i + 1));
	}
	t = &weir_table_doctor;
	weir_builder_table(e->builder, t);
	weir_builder_row(e->builder, WEIR_UID_HOST, 1);
	weir_builder_text(e->builder, field(t, "feature"), "traffic");
	weir_builder_text(e->builder, field(t, "state"), "on");
	weir_builder_table(e->builder, &weir_table_hooks);
	weir_builder_row(e->builder, WEIR_UID_HOST, 1);
	weir_builder_text(e->builder, field(&weir_table_hooks, "program"), "made_up");
}

static void publish(struct demo *e, bool tick)
{
	struct weir_snapshot_head head = {
		.number = ++e->number,
		.mono_ns = weir_mono_ns(),
		.real_ns = weir_clock_ns(CLOCK_REALTIME),
		.lost_events = 7,
		.host = "demo",
	};
	size_t size;
	int fd;

	if (tick)
		for (unsigned i = 0; i < e->churn && i < e->rows; i++)
			e->changed[i] = e->number;
	build_processes(e);
	build_flows(e);
	build_rest(e);
	int r = weir_builder_finish_fd(e->builder, &head, &fd, &size);
	if (r < 0) {
		fprintf(stderr, "gate_demo: no snapshot: %s\n", strerror(-r));
		return;
	}
	struct weir_message m = {
		.type = WEIR_MESSAGE_SNAPSHOT,
		.size = (uint32_t)size,
		.serial = e->answered,
		.count = tick,
	};
	weir_message_send(e->sock, &m, fd);
	close(fd);
}

static void hear(struct demo *e)
{
	struct weir_message m;
	bool asked = false;
	int fd;

	while (weir_message_receive(e->sock, &m, &fd) == 1) {
		if (m.type == WEIR_MESSAGE_REFRESH && !e->silent) {
			e->answered = m.serial;
			asked = true;
		}
		e->refreshes += m.type == WEIR_MESSAGE_REFRESH;
		if (m.type == WEIR_MESSAGE_VIEWERS)
			e->viewers = m.count;
		if (m.type == WEIR_MESSAGE_MEASURE)
			e->measured_ms = m.count;
	}
	if (asked)
		publish(e, false);
}

/* What an engine that somebody took over could send. */
static void send_garbage(struct demo *e)
{
	struct weir_message m = {
		.type = WEIR_MESSAGE_SNAPSHOT, .size = 4096, .serial = UINT64_MAX, .count = 1
	};
	int fd = memfd_create("junk", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	send(e->sock, "short", 5, MSG_NOSIGNAL);
	weir_message_send(e->sock, &m, -1);
	for (unsigned i = 0; i < 4096 / 8; i++)
		if (write(fd, &(uint64_t){ (uint64_t)i * 0x9e3779b97f4a7c15ull }, 8) != 8)
			break;
	weir_message_send(e->sock, &m, fd); /* not sealed */
	fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	weir_message_send(e->sock, &m, fd); /* sealed, but no snapshot */
	close(fd);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	weir_message_send(e->sock, &m, fd); /* a file */
	close(fd);
}

/* --- commands ----------------------------------------------------------------------------- */

static void set_removed(struct demo *e, unsigned long n, bool removed)
{
	if (n >= ROWS_MAX)
		return;
	e->removed[n] = removed;
	if (!removed)
		e->changed[n] = e->number + 1;
}

static void obey(struct demo *e, const char *line)
{
	char word[16];
	unsigned long n = 0;

	if (sscanf(line, "%15s %lu", word, &n) < 1)
		return;
	if (strcmp(word, "rows") == 0)
		e->rows = n < ROWS_MAX ? (unsigned)n : ROWS_MAX;
	else if (strcmp(word, "churn") == 0)
		e->churn = (unsigned)n;
	else if (strcmp(word, "tick") == 0)
		e->tick_ms = (unsigned)n;
	else if (strcmp(word, "silent") == 0)
		e->silent = n;
	else if (strcmp(word, "remove") == 0)
		set_removed(e, n, true);
	else if (strcmp(word, "insert") == 0)
		set_removed(e, n, false);
	else if (strcmp(word, "news") == 0)
		publish(e, false);
	else if (strcmp(word, "garbage") == 0)
		send_garbage(e);
	if (strcmp(word, "close") == 0) {
		int status = 0;
		shutdown(e->sock, SHUT_RDWR);
		waitpid(e->gate, &status, 0);
		e->gate = 0;
		printf("exit %d signal %d\n", WEXITSTATUS(status),
		       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	} else if (strcmp(word, "stats") == 0) {
		printf("number %" PRIu64 " refreshes %" PRIu64 " viewers %" PRIu64
		       " measured %" PRIu64 "\n",
		       e->number, e->refreshes, e->viewers, e->measured_ms);
	} else {
		printf("ok\n");
	}
	fflush(stdout);
}

/* --- start -------------------------------------------------------------------------------- */

static int listen_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(path, 0666) < 0 ||
	    listen(fd, 4096) < 0)
		return -1;
	return fd;
}

static int listen_tcp(const char *address, uint16_t *ret_port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	bool six = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;
	int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = six ? sizeof(v6) : sizeof(v4);
	struct sockaddr *a = six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;

	if (!six)
		inet_pton(AF_INET, address, &v4.sin_addr);
	if (fd < 0 || bind(fd, a, size) < 0 || listen(fd, 4096) < 0 ||
	    getsockname(fd, a, &size) < 0)
		return -1;
	*ret_port = ntohs(six ? v6.sin6_port : v4.sin_port);
	return fd;
}

static int run_gate(int sock, int unix_fd, int tcp_fd, const char *address, uint16_t port,
		    const char *token)
{
	char name[80];

	snprintf(name, sizeof(name), strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, port);
	const struct weir_gate_options o = {
		.engine_sock = sock,
		.unix_fd = unix_fd,
		.tcp_fd = tcp_fd,
		.tcp_name = name,
		.token = strcmp(token, "-") == 0 ? NULL : token,
		.store_sock = -1,
		.no_past = "the demo keeps no history",
	};
	return weir_gate_run(&o);
}

static int loop(struct demo *e)
{
	char line[256];
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = e->sock, .events = POLLIN } };

	for (;;) {
		uint64_t now_ms = weir_mono_ns() / 1000000;
		int wait_ms = -1;
		if (e->tick_ms && now_ms >= e->next_tick_ms) {
			e->next_tick_ms = now_ms + e->tick_ms;
			if (!e->silent)
				publish(e, true);
		}
		if (e->tick_ms)
			wait_ms = (int)(e->next_tick_ms - now_ms);
		fds[1].fd = e->gate ? e->sock : -1;
		if (poll(fds, 2, wait_ms) < 0 && errno != EINTR)
			return 1;
		if (fds[1].revents)
			hear(e);
		if (fds[0].revents && !fgets(line, sizeof(line), stdin))
			return 0;
		if (fds[0].revents)
			obey(e, line);
	}
}

int main(int argc, char **argv)
{
	struct demo e = { .rows = 100, .churn = 3 };
	uint16_t port = 0;
	int pair[2];

	if (argc != 4) {
		fprintf(stderr, "usage: gate_demo SOCKET ADDR TOKEN|-\n");
		return 2;
	}
	int unix_fd = listen_unix(argv[1]), tcp_fd = listen_tcp(argv[2], &port);
	e.builder = weir_builder_new();
	e.changed = calloc(ROWS_MAX, sizeof(*e.changed));
	e.removed = calloc(ROWS_MAX, sizeof(*e.removed));
	if (unix_fd < 0 || tcp_fd < 0 || !e.builder || !e.changed || !e.removed ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		fprintf(stderr, "gate_demo: %s\n", strerror(errno));
		return 1;
	}
	setvbuf(stdin, NULL, _IONBF, 0); /* what stands in a buffer, poll() does not see */
	for (unsigned i = 0; i < ROWS_MAX; i++)
		e.changed[i] = 1;
	e.gate = fork();
	if (e.gate == 0) {
		close(pair[0]);
		_exit(run_gate(pair[1], unix_fd, tcp_fd, argv[2], port, argv[3]));
	}
	close(pair[1]);
	close(unix_fd);
	close(tcp_fd);
	e.sock = pair[0];
	printf("ready %u %d\n", port, (int)e.gate);
	fflush(stdout);
	int status = loop(&e);
	close(e.sock);
	if (e.gate)
		waitpid(e.gate, NULL, 0);
	weir_builder_free(e.builder);
	free(e.changed);
	free(e.removed);
	return status;
}
