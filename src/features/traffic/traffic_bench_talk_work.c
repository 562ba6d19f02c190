// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "features/traffic/traffic_bench.h"
#include "features/traffic/traffic_bench_talk.h"

/* Ways to send and to receive on which counters disagree. What the calls return is the truth. */

#define PIECE 65536
#define PATIENCE_S 10

struct talk_work {
	const struct weir_bench *b;
	struct bench_pair pair; /* a sends, b receives */
	struct talk_moved moved;
	size_t total;
	void (*send)(struct talk_work *w);
	pthread_t sender;
	int send_error;
};

/* Nobody waits forever: a call that gets nothing for so long fails. */
static int set_patience(int fd, int option, long ms)
{
	struct timeval t = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, option, &t, sizeof(t)) < 0 ? -errno : 0;
}

static int begin(const struct weir_bench *b, struct talk_work *w)
{
	int r;

	*w = (struct talk_work){ .b = b, .pair = { -1, -1 } };
	r = bench_pair_open(AF_INET, SOCK_STREAM, &w->pair);
	if (r == 0)
		r = set_patience(w->pair.a, SO_SNDTIMEO, PATIENCE_S * 1000);
	return r == 0 ? set_patience(w->pair.b, SO_RCVTIMEO, PATIENCE_S * 1000) : r;
}

static int end(struct talk_work *w, int r, struct talk_moved *ret)
{
	bench_pair_close(&w->pair);
	*ret = w->moved;
	return r == -EAGAIN ? -ETIMEDOUT : r;
}

static void rest_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static const char *pattern(void)
{
	static char bytes[1 << 20];

	return bytes;
}

/* One call. Returns what it took or -errno. */
static ssize_t send_some(struct talk_work *w, size_t n, int flags)
{
	ssize_t done = send(w->pair.a, pattern(), n, flags | MSG_NOSIGNAL);

	if (done < 0)
		return -errno;
	w->moved.sent += (uint64_t)done;
	return done;
}

static int send_whole(struct talk_work *w, size_t n)
{
	while (n) {
		ssize_t done = send_some(w, n, 0);

		if (done < 0)
			return (int)done;
		n -= (size_t)done;
	}
	return 0;
}

/* One call; 0 at the end of the stream. */
static ssize_t read_some(struct talk_work *w, size_t n, int flags)
{
	char bytes[PIECE];
	ssize_t done = recv(w->pair.b, bytes, n < sizeof(bytes) ? n : sizeof(bytes), flags);

	if (done < 0)
		return -errno;
	if (!(flags & MSG_PEEK))
		w->moved.read += (uint64_t)done;
	return done;
}

static int read_whole(struct talk_work *w, size_t n, size_t at_once)
{
	while (n) {
		ssize_t done = read_some(w, n < at_once ? n : at_once, 0);

		if (done <= 0)
			return done < 0 ? (int)done : -EPIPE;
		n -= (size_t)done;
	}
	return 0;
}

static void *sender_main(void *arg)
{
	struct talk_work *w = arg;

	w->send(w);
	/* The reader sees the end, also when sending failed. */
	shutdown(w->pair.a, SHUT_WR);
	return NULL;
}

static int sender_start(struct talk_work *w, size_t total, void (*send)(struct talk_work *w))
{
	w->total = total;
	w->send = send;
	return -pthread_create(&w->sender, NULL, sender_main, w);
}

static int sender_join(struct talk_work *w, int r)
{
	if (r < 0)
		shutdown(w->pair.b, SHUT_RDWR); /* so that it does not wait for a reader */
	pthread_join(w->sender, NULL);
	return r < 0 ? r : w->send_error;
}

/* --- the workloads --------------------------------------------------------------------------- */

static void send_bulk(struct talk_work *w)
{
	for (size_t left = w->total; left && w->send_error == 0; left -= PIECE)
		w->send_error = send_whole(w, PIECE);
}

static int run_bulk(const struct weir_bench *b, struct talk_moved *ret)
{
	size_t total = weir_bench_quick(b) ? 4u << 20 : 16u << 20;
	struct talk_work w;
	int r = begin(b, &w);

	if (r == 0)
		r = sender_start(&w, total, send_bulk);
	if (r == 0)
		r = sender_join(&w, read_whole(&w, total, PIECE));
	return end(&w, r, ret);
}

static int run_pingpong(const struct weir_bench *b, struct talk_moved *ret)
{
	enum { TURNS = 1000, BYTES = 32 };
	struct talk_work w;
	int r = begin(b, &w);

	for (int i = 0; i < 2 * TURNS && r == 0; i++) {
		r = send_whole(&w, BYTES);
		if (r == 0)
			r = read_whole(&w, BYTES, PIECE);
		w.pair = (struct bench_pair){ w.pair.b, w.pair.a };
	}
	return end(&w, r, ret);
}

/* As bench_calls_ns() does it: so many hits has one call there. */
static int run_bytes(const struct weir_bench *b, struct talk_moved *ret)
{
	enum { CALLS = 64, TURNS = 20 };
	struct talk_work w;
	int r = begin(b, &w);

	for (int t = 0; t < TURNS && r == 0; t++) {
		ssize_t done = 1;

		for (int i = 0; i < CALLS && done == 1; i++)
			done = send_some(&w, 1, i + 1 < CALLS ? MSG_MORE : 0);
		for (int i = 0; i < CALLS && done == 1; i++)
			done = read_some(&w, 1, MSG_WAITALL);
		r = done == 1 ? 0 : done < 0 ? (int)done : -EPIPE;
	}
	return end(&w, r, ret);
}

static int run_small(const struct weir_bench *b, struct talk_moved *ret)
{
	enum { MESSAGES = 64, BYTES = 100, TURNS = 20 };
	struct talk_work w;
	int r = begin(b, &w);

	for (int t = 0; t < TURNS && r == 0; t++) {
		for (int i = 0; i < MESSAGES && r == 0; i++)
			r = send_whole(&w, BYTES);
		if (r == 0)
			r = read_whole(&w, MESSAGES * BYTES, PIECE);
	}
	return end(&w, r, ret);
}

static int run_peek(const struct weir_bench *b, struct talk_moved *ret)
{
	enum { BYTES = 20000, TURNS = 10 };
	struct talk_work w;
	int r = begin(b, &w);

	for (int t = 0; t < TURNS && r == 0; t++) {
		ssize_t done;

		r = send_whole(&w, BYTES);
		for (int i = 0; i < 2 && r == 0; i++) {
			done = read_some(&w, BYTES, MSG_PEEK | MSG_WAITALL);
			r = done == BYTES ? 0 : done < 0 ? (int)done : -EPIPE;
		}
		if (r == 0)
			r = read_whole(&w, BYTES, PIECE);
	}
	return end(&w, r, ret);
}

static void send_slowly(struct talk_work *w)
{
	enum { PIECES = 5 };

	for (int i = 0; i < PIECES && w->send_error == 0; i++) {
		rest_ms(5);
		w->send_error = send_whole(w, w->total / PIECES);
	}
}

static int run_waitall(const struct weir_bench *b, struct talk_moved *ret)
{
	enum { BYTES = 20000, TURNS = 4 };
	struct talk_work w = {};
	uint64_t sent = 0, got = 0;
	int r = 0;

	for (int t = 0; t < TURNS && r == 0; t++) {
		ssize_t done;

		r = begin(b, &w);
		if (r == 0)
			r = sender_start(&w, BYTES, send_slowly);
		if (r == 0) {
			done = read_some(&w, BYTES, MSG_WAITALL);
			r = done == BYTES ? 0 : done < 0 ? (int)done : -EPIPE;
			r = sender_join(&w, r);
		}
		r = end(&w, r, ret);
		sent += ret->sent;
		got += ret->read;
	}
	*ret = (struct talk_moved){ sent, got };
	return r;
}

/* From the socket to a pipe, from there to nowhere. */
static int splice_whole(struct talk_work *w, size_t n)
{
	_cleanup_close_ int in = -1, out = -1, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int ends[2];

	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	out = ends[0];
	in = ends[1];
	while (n) {
		ssize_t done = splice(w->pair.b, NULL, in, NULL, n < PIECE ? n : PIECE, 0);

		if (done <= 0)
			return done < 0 ? -errno : -EPIPE;
		w->moved.read += (uint64_t)done;
		n -= (size_t)done;
		while (done) {
			ssize_t gone = splice(out, NULL, null, NULL, (size_t)done, 0);

			if (gone <= 0)
				return gone < 0 ? -errno : -EPIPE;
			done -= gone;
		}
	}
	return 0;
}

static int run_splice(const struct weir_bench *b, struct talk_moved *ret)
{
	enum { BYTES = 1 << 20 };
	struct talk_work w;
	int r = begin(b, &w);

	if (r == 0)
		r = sender_start(&w, BYTES, send_bulk);
	if (r == 0)
		r = sender_join(&w, splice_whole(&w, BYTES));
	return end(&w, r, ret);
}

/* Each call offers much more than there is room for, the last ones are refused. */
static int run_partial(const struct weir_bench *b, struct talk_moved *ret)
{
	enum { OFFERED = 1 << 20, TURNS = 4, MOST_CALLS = 200 };
	struct talk_work w;
	int r = begin(b, &w);

	for (int t = 0; t < TURNS && r == 0; t++) {
		uint64_t before = w.moved.sent;
		ssize_t done = 0;
		int refused = 0;

		for (int i = 0; i < MOST_CALLS && refused < 3 && r == 0; i++) {
			done = send_some(&w, OFFERED, MSG_DONTWAIT);
			refused += done == -EAGAIN;
			r = done < 0 && done != -EAGAIN ? (int)done : 0;
		}
		if (r == 0)
			r = read_whole(&w, (size_t)(w.moved.sent - before), PIECE);
	}
	return end(&w, r, ret);
}

static int run_timeout(const struct weir_bench *b, struct talk_moved *ret)
{
	enum { TURNS = 10 };
	struct talk_work w;
	int r = begin(b, &w);

	if (r == 0)
		r = set_patience(w.pair.b, SO_RCVTIMEO, 10);
	for (int t = 0; t < TURNS && r == 0; t++) {
		ssize_t done = read_some(&w, PIECE, 0);

		r = done == -EAGAIN ? 0 : done < 0 ? (int)done : -EIO;
	}
	return end(&w, r, ret);
}

const struct talk_workload talk_workloads[] = {
	{ "bulk", "bulk, 64 KB a call", run_bulk },
	{ "pingpong", "ping-pong, 32 bytes", run_pingpong },
	{ "bytes", "byte by byte", run_bytes },
	{ "small", "100 bytes sent, 64 KB buffer", run_small },
	{ "peek", "MSG_PEEK twice, then read", run_peek },
	{ "waitall", "MSG_WAITALL, five pieces", run_waitall },
	{ "splice", "splice into a pipe", run_splice },
	{ "partial", "partial sends, O_NONBLOCK", run_partial },
	{ "timeout", "a receive that times out", run_timeout },
	{},
};
