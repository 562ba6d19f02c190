// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "features/traffic/traffic_bench.h"

/* Work is timed in small batches and a slice's number is the median of its batches, so that an
 * interrupt or another program falls into a few of them and out of the result. */

#define CALLS 64
#define PINGPONG_BATCH 16
#define PINGPONG_BYTES 32
#define BULK_BATCH 4
#define BULK_BYTES 65536
#define CHURN_BATCH 16
#define BATCHES_MAX 4096
#define QUIET 0.2

/* --- connections ----------------------------------------------------------------------------- */

void bench_pair_close(struct bench_pair *p)
{
	weir_closep(&p->a);
	weir_closep(&p->b);
}

static int bind_loopback(int fd, uint32_t address, struct sockaddr_in *ret)
{
	socklen_t len = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	if (bind(fd, (struct sockaddr *)ret, sizeof(*ret)) < 0 ||
	    getsockname(fd, (struct sockaddr *)ret, &len) < 0)
		return -errno;
	return 0;
}

static int open_udp(struct bench_pair *p)
{
	struct sockaddr_in a, b;
	int r;

	p->a = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	p->b = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (p->a < 0 || p->b < 0)
		return -errno;
	r = bind_loopback(p->a, INADDR_LOOPBACK, &a);
	if (r == 0)
		r = bind_loopback(p->b, INADDR_LOOPBACK, &b);
	if (r == 0 && (connect(p->a, (struct sockaddr *)&b, sizeof(b)) < 0 ||
		       connect(p->b, (struct sockaddr *)&a, sizeof(a)) < 0))
		r = -errno;
	return r;
}

static int open_tcp(struct bench_pair *p)
{
	_cleanup_close_ int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to;
	int r, one = 1;

	if (listener < 0)
		return -errno;
	r = bind_loopback(listener, INADDR_LOOPBACK, &to);
	if (r < 0)
		return r;
	if (listen(listener, 1) < 0)
		return -errno;
	p->a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->a < 0 || connect(p->a, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	p->b = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (p->b < 0 || setsockopt(p->a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
	    setsockopt(p->b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		return -errno;
	return 0;
}

int bench_pair_open(int family, int type, struct bench_pair *ret)
{
	struct bench_pair p = { -1, -1 };
	int fds[2], r;

	if (family == AF_UNIX) {
		if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0)
			return -errno;
		*ret = (struct bench_pair){ fds[0], fds[1] };
		return 0;
	}
	r = type == SOCK_DGRAM ? open_udp(&p) : open_tcp(&p);
	if (r < 0) {
		bench_pair_close(&p);
		return r;
	}
	*ret = p;
	return 0;
}

/* --- batches --------------------------------------------------------------------------------- */

static double finish(struct weir_bench_series *s)
{
	double quiet = weir_bench_quantile(s, QUIET);

	weir_bench_series_done(s);
	return quiet;
}

/* Runs one batch after the other; each says how long one unit of its work took. */
static int run_batches(const struct weir_bench *b, int (*batch)(void *ctx), void *ctx,
		       unsigned units, uint64_t for_ns, double *ret)
{
	uint64_t until = weir_bench_wall_ns() + for_ns;
	struct weir_bench_series times = {};

	do {
		uint64_t begun = weir_bench_work_ns(b);
		int r = batch(ctx);

		if (r == 0)
			r = weir_bench_series_add(&times,
						  (double)(weir_bench_work_ns(b) - begun) / units);
		if (r < 0) {
			weir_bench_series_done(&times);
			return r;
		}
	} while (times.n < BATCHES_MAX && (times.n < 3 || weir_bench_wall_ns() < until));
	*ret = finish(&times);
	return 0;
}

static int send_all(int fd, const void *bytes, size_t n, int flags)
{
	ssize_t r = send(fd, bytes, n, flags | MSG_NOSIGNAL);

	return r == (ssize_t)n ? 0 : r < 0 ? -errno : -EIO;
}

static int receive_all(int fd, void *bytes, size_t n)
{
	ssize_t r = recv(fd, bytes, n, MSG_WAITALL);

	return r == (ssize_t)n ? 0 : r < 0 ? -errno : -EIO;
}

int bench_calls_ns(const struct weir_bench *b, const struct bench_pair *p, bool cork,
		   uint64_t for_ns, double *ret_send, double *ret_receive)
{
	struct weir_bench_series send_times = {}, receive_times = {};
	uint64_t until = weir_bench_wall_ns() + for_ns;
	int r = 0;

	do {
		uint64_t t0 = weir_bench_work_ns(b), t1, t2;
		char byte = 'w';

		/* Held back until the last, so that it is the call that is timed and not TCP. */
		for (int i = 0; i < CALLS && r == 0; i++)
			r = send_all(p->a, &byte, 1, cork && i + 1 < CALLS ? MSG_MORE : 0);
		t1 = weir_bench_work_ns(b);
		for (int i = 0; i < CALLS && r == 0; i++)
			r = receive_all(p->b, &byte, 1);
		t2 = weir_bench_work_ns(b);
		if (r == 0)
			r = weir_bench_series_add(&send_times, (double)(t1 - t0) / CALLS);
		if (r == 0)
			r = weir_bench_series_add(&receive_times, (double)(t2 - t1) / CALLS);
	} while (r == 0 && send_times.n < BATCHES_MAX &&
		 (send_times.n < 3 || weir_bench_wall_ns() < until));
	*ret_send = finish(&send_times);
	*ret_receive = finish(&receive_times);
	return r;
}

int bench_pingpong_once(void *pair)
{
	const struct bench_pair *p = pair;
	char bytes[PINGPONG_BYTES] = { 0 };
	int r;

	r = send_all(p->a, bytes, sizeof(bytes), 0);
	if (r == 0)
		r = receive_all(p->b, bytes, sizeof(bytes));
	if (r == 0)
		r = send_all(p->b, bytes, sizeof(bytes), 0);
	return r == 0 ? receive_all(p->a, bytes, sizeof(bytes)) : r;
}

static int pingpong_batch(void *pair)
{
	int r = 0;

	for (int i = 0; i < PINGPONG_BATCH && r == 0; i++)
		r = bench_pingpong_once(pair);
	return r;
}

int bench_pingpong_ns(const struct weir_bench *b, const struct bench_pair *p, uint64_t for_ns,
		      double *ret)
{
	return run_batches(b, pingpong_batch, (void *)p, PINGPONG_BATCH, for_ns, ret);
}

static int bulk_batch(void *pair)
{
	const struct bench_pair *p = pair;
	static char bytes[BULK_BYTES];
	int r = 0;

	for (int i = 0; i < BULK_BATCH && r == 0; i++) {
		r = send_all(p->a, bytes, sizeof(bytes), 0);
		if (r == 0)
			r = receive_all(p->b, bytes, sizeof(bytes));
	}
	return r;
}

int bench_bulk_ns(const struct weir_bench *b, const struct bench_pair *p, uint64_t for_ns,
		  double *ret)
{
	return run_batches(b, bulk_batch, (void *)p, BULK_BATCH, for_ns, ret);
}

/* --- churn ----------------------------------------------------------------------------------- */

int bench_server_open(struct bench_server *ret)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at;
	int r;

	if (fd < 0)
		return -errno;
	r = bind_loopback(fd, INADDR_ANY, &at);
	if (r < 0)
		return r;
	if (listen(fd, 128) < 0)
		return -errno;
	*ret = (struct bench_server){ .fd = TAKE_FD(fd), .port = ntohs(at.sin_port) };
	return 0;
}

void bench_server_close(struct bench_server *s)
{
	weir_closep(&s->fd);
}

int bench_connection(struct bench_server *s)
{
	/* Some addresses in turn: each has its own ports, and a port rests for a second after use.
	 */
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(s->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + s->connections % 4) };
	_cleanup_close_ int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int server = -1;
	char byte = 'w';
	int r;

	if (client < 0 || connect(client, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	server = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	if (server < 0)
		return -errno;
	s->connections++;
	r = send_all(client, &byte, 1, 0);
	if (r == 0)
		r = receive_all(server, &byte, 1);
	/* The client goes first, as it does with most protocols. */
	close(TAKE_FD(client));
	return r;
}

static int churn_batch(void *server)
{
	int r = 0;

	for (int i = 0; i < CHURN_BATCH && r == 0; i++)
		r = bench_connection(server);
	return r;
}

int bench_churn_ns(const struct weir_bench *b, struct bench_server *s, uint64_t for_ns, double *ret)
{
	return run_batches(b, churn_batch, s, CHURN_BATCH, for_ns, ret);
}

/* --- many idle sockets ----------------------------------------------------------------------- */

#define PAIRS_EACH 2000

struct holder {
	unsigned pairs;
	int ready_fd;
};

static void raise_descriptor_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int hold_pairs(void *ctx)
{
	const struct holder *h = ctx;
	struct bench_server s = { .fd = -1 };
	int r;

	raise_descriptor_limit();
	r = bench_server_open(&s);
	for (unsigned i = 0; i < h->pairs && r == 0; i++) {
		struct sockaddr_in to = { .sin_family = AF_INET,
					  .sin_port = htons(s.port),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
		    accept4(s.fd, NULL, NULL, SOCK_CLOEXEC) < 0)
			r = -errno;
	}
	/* Held until this process ends. */
	bench_server_close(&s);
	if (r == 0 && write(h->ready_fd, "1", 1) == 1)
		pause();
	return r;
}

int bench_hold_start(struct weir_bench *b, unsigned n, struct bench_hold *ret)
{
	unsigned pairs = n / 2;
	int ready[2], r = 0;
	char byte;

	memset(ret, 0, sizeof(*ret));
	if (pairs > PAIRS_EACH * BENCH_HOLDERS)
		return -E2BIG;
	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	for (unsigned i = 0; pairs && r == 0; i++) {
		struct holder h = { .pairs = pairs < PAIRS_EACH ? pairs : PAIRS_EACH,
				    .ready_fd = ready[1] };

		r = weir_bench_fork(b, hold_pairs, &h, &ret->pids[i]);
		pairs -= h.pairs;
	}
	close(ready[1]);
	for (unsigned i = 0; i < BENCH_HOLDERS && r == 0 && ret->pids[i]; i++)
		if (read(ready[0], &byte, 1) != 1)
			r = -EMFILE; /* one of them ended before it had its sockets */
	close(ready[0]);
	if (r < 0)
		bench_hold_end(ret);
	return r;
}

void bench_hold_end(struct bench_hold *h)
{
	for (unsigned i = 0; i < BENCH_HOLDERS; i++)
		weir_bench_end(&h->pids[i]);
}
