// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_bpf_fixture.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "features/traffic/traffic_kernel_private.h"
#include "features/traffic/traffic_state.h"

#define FILES_MAX 20000

struct world world;

/* --- the records ------------------------------------------------------------------------------- */

struct socket_entry {
	UT_hash_handle hh;
	uint64_t cookie;
	struct traffic_socket last;
	unsigned count, told;
};

struct process_entry {
	UT_hash_handle hh;
	pid_t pid;
	struct traffic_process last;
	struct traffic_sums sums;
	bool named, exited;
};

struct peer_entry {
	UT_hash_handle hh;
	struct traffic_peer_key key;
	struct traffic_bytes sums;
};

struct book {
	struct socket_entry *sockets;
	struct process_entry *processes;
	struct peer_entry *peers;
	void *event;
};

static void book_clear(struct book *b)
{
	struct process_entry *process, *next_process;
	struct socket_entry *s, *next_socket;
	struct peer_entry *peer, *next_peer;

	HASH_ITER(hh, b->sockets, s, next_socket) {
		HASH_DEL(b->sockets, s);
		free(s);
	}
	HASH_ITER(hh, b->processes, process, next_process) {
		HASH_DEL(b->processes, process);
		free(process);
	}
	HASH_ITER(hh, b->peers, peer, next_peer) {
		HASH_DEL(b->peers, peer);
		free(peer);
	}
}

static struct socket_entry *socket_at(uint64_t cookie, bool make)
{
	struct socket_entry *s;

	HASH_FIND(hh, world.book->sockets, &cookie, sizeof(cookie), s);
	if (s || !make)
		return s;
	s = calloc(1, sizeof(*s));
	assert_non_null(s);
	s->cookie = cookie;
	HASH_ADD(hh, world.book->sockets, cookie, sizeof(s->cookie), s);
	return s;
}

static struct process_entry *process_at(pid_t pid, bool make)
{
	struct process_entry *p;

	HASH_FIND(hh, world.book->processes, &pid, sizeof(pid), p);
	if (p || !make)
		return p;
	p = calloc(1, sizeof(*p));
	assert_non_null(p);
	p->pid = pid;
	HASH_ADD(hh, world.book->processes, pid, sizeof(p->pid), p);
	return p;
}

static void keep_peer(const struct traffic_peer_record *r)
{
	struct peer_entry *p;

	HASH_FIND(hh, world.book->peers, &r->key, sizeof(r->key), p);
	if (!p) {
		p = calloc(1, sizeof(*p));
		assert_non_null(p);
		p->key = r->key;
		HASH_ADD(hh, world.book->peers, key, sizeof(p->key), p);
	}
	p->sums = r->sums;
}

static void keep(uint16_t type, const union traffic_event *e)
{
	struct socket_entry *s;
	struct process_entry *p;

	switch (type) {
	case TRAFFIC_RECORD_SOCKET:
		s = socket_at(e->socket.cookie, true);
		s->last = e->socket;
		s->count++;
		s->told += e->socket.event != TRAFFIC_SOCKET_SWEEP;
		world.n_final += e->socket.event == TRAFFIC_SOCKET_GONE;
		return;
	case TRAFFIC_RECORD_SUMS:
		process_at((pid_t)e->sums.key.pid, true)->sums = e->sums.sums;
		return;
	case TRAFFIC_RECORD_PROCESS:
		p = process_at((pid_t)e->process.key.pid, true);
		p->last = e->process;
		p->named = true;
		return;
	case TRAFFIC_RECORD_PEER:
		keep_peer(&e->peer);
		return;
	case TRAFFIC_RECORD_EXIT:
		process_at((pid_t)e->exit.key.pid, true)->exited = true;
		return;
	}
}

static void put(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	(void)sink;
	assert_int_equal(traffic_feature.decode(type, bytes, len, world.book->event), 0);
	/* The reader asks the state what is known already. */
	assert_int_equal(traffic_feature.apply(world.state, 1, world.book->event), 0);
	world.n_records++;
	keep(type, world.book->event);
}

static void lost(struct weir_sink *sink, uint64_t total)
{
	(void)sink;
	world.lost = total;
}

static struct weir_sink sink = { put, lost };

void world_look(bool full)
{
	assert_true(traffic_feature.drain(world.state, &sink) >= 0);
	assert_true(traffic_feature.collect(world.state, &sink, full) >= 0);
}

void world_forget(void)
{
	book_clear(world.book);
	world.n_records = 0;
	world.n_final = 0;
}

const struct traffic_socket *world_socket(uint64_t cookie)
{
	const struct socket_entry *s = socket_at(cookie, false);

	return s ? &s->last : NULL;
}

unsigned world_count(uint64_t cookie)
{
	const struct socket_entry *s = socket_at(cookie, false);

	return s ? s->count : 0;
}

unsigned world_told(uint64_t cookie)
{
	const struct socket_entry *s = socket_at(cookie, false);

	return s ? s->told : 0;
}

const struct traffic_process *world_process(pid_t pid)
{
	const struct process_entry *p = process_at(pid, false);

	return p && p->named ? &p->last : NULL;
}

bool world_exited(pid_t pid)
{
	const struct process_entry *p = process_at(pid, false);

	return p && p->exited;
}

void world_crowd(bool crowded)
{
	const struct traffic_kernel *k = world.kernel;
	int fd = bpf_map__fd(k->bpf->maps.processes);

	for (uint32_t i = 1; i <= TRAFFIC_PROCESSES_MAX; i++) {
		const struct traffic_key key = { .start_ns = i };
		const struct traffic_sums none = { .named = 1 };

		if (crowded && bpf_map_update_elem(fd, &key, &none, BPF_NOEXIST) < 0)
			return;
		if (!crowded)
			bpf_map_delete_elem(fd, &key);
	}
}

bool world_waits(pid_t pid)
{
	const struct traffic_state *s = world.state;

	for (const struct traffic_proc *p = s->procs; p; p = p->hh.next)
		if ((pid_t)p->key.pid == pid && !p->gone_from_map)
			return true;
	return false;
}

uint64_t world_sum(pid_t pid, enum traffic_transport transport, enum traffic_direction direction)
{
	const struct process_entry *p = process_at(pid, false);

	return p ? p->sums.by[transport].bytes[direction] : 0;
}

unsigned world_peers(uint64_t cookie, uint64_t *ret_tx_bytes)
{
	unsigned n = 0;

	*ret_tx_bytes = 0;
	for (const struct peer_entry *p = world.book->peers; p; p = p->hh.next) {
		if (p->key.cookie != cookie)
			continue;
		*ret_tx_bytes += p->sums.bytes[TRAFFIC_TX];
		n++;
	}
	return n;
}

uint64_t world_peer_tx(uint64_t cookie, uint16_t port)
{
	for (const struct peer_entry *p = world.book->peers; p; p = p->hh.next)
		if (p->key.cookie == cookie && p->key.port == port)
			return p->sums.bytes[TRAFFIC_TX];
	return 0;
}

/* --- life -------------------------------------------------------------------------------------- */

static const char *lo_up(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return "the loopback of a new network namespace cannot be set up";
	return NULL;
}

const char *world_prepare(void)
{
	struct rlimit files = { FILES_MAX, FILES_MAX };
	struct weir_probe *probe = NULL;
	static char reason[256];
	const char *blocker;
	int why = 0;

	if (geteuid() != 0)
		return "needs root: programs are loaded into the kernel";
	if (weir_probe_new(&probe) < 0)
		return "needs memory";
	blocker = weir_probe_blocker(probe, &why);
	for (const struct weir_hook_set *s = traffic_feature.hook_sets; !why && s->name; s++) {
		const char *forced = getenv("WEIR_HOOKS");

		if ((!forced || !strcmp(forced, s->name)) && s->possible(probe, &blocker) == 0) {
			blocker = NULL;
			break;
		}
	}
	snprintf(reason, sizeof(reason), "%s", blocker ? blocker : "");
	weir_probe_free(probe);
	if (reason[0])
		return reason;
	if (unshare(CLONE_NEWNET) < 0)
		return "needs a network namespace of its own";
	setrlimit(RLIMIT_NOFILE, &files);
	return lo_up();
}

void world_begin(void)
{
	world = (struct world){ .attach = weir_attach_new(), .book = calloc(1, sizeof(*world.book)) };
	assert_non_null(world.attach);
	assert_non_null(world.book);
	world.book->event = calloc(1, traffic_feature.event_size);
	assert_non_null(world.book->event);
	assert_int_equal(weir_probe_new(&world.probe), 0);
	assert_int_equal(traffic_feature.load(world.attach, world.probe, getenv("WEIR_HOOKS"), &world.kernel), 0);
	assert_int_equal(traffic_feature.open(world.kernel, &world.state), 0);
}

bool world_is(const char *set)
{
	const struct traffic_kernel *k = world.kernel;

	return !strcmp(traffic_feature.hook_sets[__builtin_ctz(k->set)].name, set);
}

void world_end(void)
{
	if (world.state)
		traffic_feature.close(world.state);
	weir_attach_free(world.attach);
	if (world.kernel)
		traffic_feature.unload(world.kernel);
	weir_probe_free(world.probe);
	if (world.book) {
		book_clear(world.book);
		free(world.book->event);
	}
	free(world.book);
	world = (struct world){};
}

/* --- sockets ----------------------------------------------------------------------------------- */

uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

int listen_on_loopback(int backlog)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

int connect_to(int listener)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	assert_true(fd >= 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

void pair_open(struct pair *p)
{
	p->listener = listen_on_loopback(1);
	p->client = connect_to(p->listener);
	p->server = accept(p->listener, NULL, NULL);
	assert_true(p->server >= 0);
	p->client_cookie = cookie_of(p->client);
	p->server_cookie = cookie_of(p->server);
}

void pair_close(struct pair *p)
{
	close(p->client);
	close(p->server);
	close(p->listener);
}

void move(int from, int to, size_t n)
{
	char bytes[65536] = { 0 };
	size_t got = 0;

	assert_true(n <= sizeof(bytes));
	assert_int_equal(send(from, bytes, n, MSG_NOSIGNAL), n);
	while (got < n) {
		ssize_t r = recv(to, bytes, sizeof(bytes), 0);

		assert_true(r > 0);
		got += (size_t)r;
	}
}

pid_t fork_child(void)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* A test that fails must not leave it behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

pid_t fork_before(void)
{
	for (pid_t pid = getpid() - 1; pid > 1; pid--) {
		struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1 };
		long r = syscall(SYS_clone3, &args, sizeof(args));

		if (r == 0)
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (r >= 0 || errno != EEXIST)
			return (pid_t)r;
	}
	return -1;
}

pid_t run_child(void (*f)(int fd), int fd)
{
	pid_t pid = fork_child();
	int status;

	if (pid == 0) {
		f(fd);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return pid;
}
