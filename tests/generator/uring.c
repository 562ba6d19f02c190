// SPDX-License-Identifier: GPL-2.0-or-later
#include "cases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBURING

#include <fcntl.h>
#include <liburing.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* The same pairs as in pair.c, with one side's calls made through io_uring. With SQPOLL and
 * IOSQE_ASYNC the kernel's own threads of the process make them. */

enum how {
	PLAIN = 0,
	SQPOLL = 1 << 0,     /* a kernel thread takes the requests */
	ASYNC = 1 << 1,	     /* a worker thread carries them out */
	FIXED_FILE = 1 << 2, /* the ring holds the socket, not the table of descriptors */
};

struct ring {
	struct io_uring io;
	int fd;
	unsigned sqe_flags;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static uint8_t room[BUFFER];

static void ring_open(struct ring *r, int fd, enum how how)
{
	struct io_uring_params p = {};
	int ret;

	if (how & SQPOLL) {
		p.flags = IORING_SETUP_SQPOLL;
		p.sq_thread_idle = 100;
	}
	ret = io_uring_queue_init_params(8, &r->io, &p);
	if (ret < 0)
		scene_skip("io_uring: %s", strerror(-ret));
	r->fd = fd;
	r->sqe_flags = how & ASYNC ? IOSQE_ASYNC : 0;
	if (how & FIXED_FILE) {
		ret = io_uring_register_files(&r->io, &fd, 1);
		if (ret < 0)
			scene_fail("io_uring_register_files: %s", strerror(-ret));
		r->fd = 0;
		r->sqe_flags |= IOSQE_FIXED_FILE;
	}
}

static struct io_uring_sqe *request(struct ring *r)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->io);

	if (!sqe)
		scene_fail("io_uring: the queue is full");
	return sqe;
}

/* Submits what was prepared and gives the result; *ret_flags, when asked for, the flags of the
 * completion. */
static int result(struct ring *r, unsigned *ret_flags)
{
	struct io_uring_cqe *cqe;
	int ret = io_uring_submit(&r->io);

	if (ret >= 0)
		ret = io_uring_wait_cqe(&r->io, &cqe);
	if (ret < 0)
		scene_fail("io_uring: %s", strerror(-ret));
	ret = cqe->res;
	if (ret_flags)
		*ret_flags = cqe->flags;
	io_uring_cqe_seen(&r->io, cqe);
	return ret;
}

static int finish(struct ring *r, struct io_uring_sqe *sqe, const char *what, unsigned *ret_flags)
{
	int ret;

	io_uring_sqe_set_flags(sqe, sqe->flags | r->sqe_flags);
	ret = result(r, ret_flags);
	if (ret == -EINVAL)
		scene_skip("%s: this kernel's io_uring does not know it", what);
	if (ret < 0)
		scene_fail("%s: %s", what, strerror(-ret));
	return ret;
}

/* --- sending --------------------------------------------------------------------------------- */

static void send_all(struct end *e, size_t n, enum how how)
{
	struct ring r;

	ring_open(&r, e->fd, how);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);

		io_uring_prep_send(sqe, r.fd, buffer(), least(n, 20000), 0);
		n -= (size_t)end_sent(e, finish(&r, sqe, "send", NULL));
	}
	io_uring_queue_exit(&r.io);
}

static void tx_send_plain(struct end *e, size_t n)
{
	send_all(e, n, PLAIN);
}

static void tx_send_sqpoll(struct end *e, size_t n)
{
	send_all(e, n, SQPOLL);
}

static void tx_send_async(struct end *e, size_t n)
{
	send_all(e, n, ASYNC);
}

static void tx_send_fixed(struct end *e, size_t n)
{
	send_all(e, n, FIXED_FILE);
}

static void tx_sendmsg(struct end *e, size_t n)
{
	struct ring r;

	ring_open(&r, e->fd, PLAIN);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);
		struct iovec v = { buffer(), least(n, 20000) };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

		io_uring_prep_sendmsg(sqe, r.fd, &m, 0);
		n -= (size_t)end_sent(e, finish(&r, sqe, "sendmsg", NULL));
	}
	io_uring_queue_exit(&r.io);
}

static void tx_write_plain(struct end *e, size_t n)
{
	struct ring r;

	ring_open(&r, e->fd, PLAIN);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);

		io_uring_prep_write(sqe, r.fd, buffer(), (unsigned)least(n, 20000), 0);
		n -= (size_t)end_sent(e, finish(&r, sqe, "write", NULL));
	}
	io_uring_queue_exit(&r.io);
}

static void tx_writev(struct end *e, size_t n)
{
	struct ring r;

	ring_open(&r, e->fd, PLAIN);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);
		struct iovec v = { buffer(), least(n, 20000) };

		io_uring_prep_writev(sqe, r.fd, &v, 1, 0);
		n -= (size_t)end_sent(e, finish(&r, sqe, "writev", NULL));
	}
	io_uring_queue_exit(&r.io);
}

/* The completion of a zero-copy send is followed by a notice that the pages are free. */
static void zc_finish(struct ring *r, struct end *e, struct io_uring_sqe *sqe, size_t *n,
		      const char *what)
{
	unsigned flags;

	*n -= (size_t)end_sent(e, finish(r, sqe, what, &flags));
	if (flags & IORING_CQE_F_MORE) {
		struct io_uring_cqe *cqe;

		if (io_uring_wait_cqe(&r->io, &cqe) < 0 || !(cqe->flags & IORING_CQE_F_NOTIF))
			scene_fail("%s: no notice came", what);
		io_uring_cqe_seen(&r->io, cqe);
	}
}

static void tx_send_zc(struct end *e, size_t n)
{
	struct ring r;

	ring_open(&r, e->fd, PLAIN);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);

		io_uring_prep_send_zc(sqe, r.fd, buffer(), least(n, 50000), 0, 0);
		zc_finish(&r, e, sqe, &n, "send_zc");
	}
	io_uring_queue_exit(&r.io);
}

static void tx_sendmsg_zc(struct end *e, size_t n)
{
	struct ring r;

	ring_open(&r, e->fd, PLAIN);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);
		struct iovec v = { buffer(), least(n, 50000) };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

		io_uring_prep_sendmsg_zc(sqe, r.fd, &m, 0);
		zc_finish(&r, e, sqe, &n, "sendmsg_zc");
	}
	io_uring_queue_exit(&r.io);
}

/* Eight sends in one submission, each waiting for the one before. */
static void tx_linked(struct end *e, size_t n)
{
	struct ring r;

	ring_open(&r, e->fd, PLAIN);
	while (n) {
		unsigned k = 0;
		size_t left = n;

		for (; k < 8 && left; k++) {
			struct io_uring_sqe *sqe = request(&r);
			size_t part = least(left, 3000);

			left -= part;
			io_uring_prep_send(sqe, r.fd, buffer(), part, MSG_WAITALL);
			if (k < 7 && left)
				io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
		}
		for (; k; k--) {
			int ret = result(&r, NULL);

			if (ret < 0)
				scene_fail("linked send: %s", strerror(-ret));
			n -= (size_t)end_sent(e, ret);
		}
	}
	io_uring_queue_exit(&r.io);
}

static void tx_splice(struct end *e, size_t n)
{
	struct ring r;
	int p[2];

	must(pipe2(p, O_CLOEXEC), "pipe");
	ring_open(&r, e->fd, PLAIN);
	while (n) {
		ssize_t k = must(write(p[1], buffer(), least(n, 32768)), "write");

		while (k) {
			struct io_uring_sqe *sqe = request(&r);
			int ret;

			io_uring_prep_splice(sqe, p[0], -1, r.fd, -1, (unsigned)k, 0);
			ret = finish(&r, sqe, "splice", NULL);
			end_sent(e, ret);
			k -= ret;
			n -= (size_t)ret;
		}
	}
	io_uring_queue_exit(&r.io);
	close(p[0]);
	close(p[1]);
}

/* --- receiving ------------------------------------------------------------------------------- */

static size_t some(struct end *e, int ret, const char *what)
{
	if (ret <= 0)
		scene_fail("%s: the stream ended early", what);
	return (size_t)end_got(e, ret);
}

static void recv_all(struct end *e, size_t n, enum how how, int flags)
{
	struct ring r;

	ring_open(&r, e->fd, how);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);

		if (flags & MSG_PEEK) {
			io_uring_prep_recv(sqe, r.fd, room, least(n, 5000), flags);
			finish(&r, sqe, "recv MSG_PEEK", NULL);
			sqe = request(&r);
		}
		io_uring_prep_recv(sqe, r.fd, room, least(n, 20000), flags & ~MSG_PEEK);
		n -= some(e, finish(&r, sqe, "recv", NULL), "recv");
	}
	io_uring_queue_exit(&r.io);
}

static void rx_recv_plain(struct end *e, size_t n)
{
	recv_all(e, n, PLAIN, 0);
}

static void rx_recv_sqpoll(struct end *e, size_t n)
{
	recv_all(e, n, SQPOLL, 0);
}

static void rx_recv_async(struct end *e, size_t n)
{
	recv_all(e, n, ASYNC, 0);
}

static void rx_recv_fixed(struct end *e, size_t n)
{
	recv_all(e, n, FIXED_FILE, 0);
}

static void rx_recv_waitall(struct end *e, size_t n)
{
	recv_all(e, n, PLAIN, MSG_WAITALL);
}

static void rx_recv_peek(struct end *e, size_t n)
{
	recv_all(e, n, PLAIN, MSG_PEEK);
}

static void rx_recvmsg(struct end *e, size_t n)
{
	struct ring r;

	ring_open(&r, e->fd, PLAIN);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);
		struct iovec v = { room, least(n, 20000) };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

		io_uring_prep_recvmsg(sqe, r.fd, &m, 0);
		n -= some(e, finish(&r, sqe, "recvmsg", NULL), "recvmsg");
	}
	io_uring_queue_exit(&r.io);
}

static void rx_read_plain(struct end *e, size_t n)
{
	struct ring r;

	ring_open(&r, e->fd, PLAIN);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);

		io_uring_prep_read(sqe, r.fd, room, (unsigned)least(n, 20000), 0);
		n -= some(e, finish(&r, sqe, "read", NULL), "read");
	}
	io_uring_queue_exit(&r.io);
}

static void rx_readv(struct end *e, size_t n)
{
	struct ring r;

	ring_open(&r, e->fd, PLAIN);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);
		struct iovec v = { room, least(n, 20000) };

		io_uring_prep_readv(sqe, r.fd, &v, 1, 0);
		n -= some(e, finish(&r, sqe, "readv", NULL), "readv");
	}
	io_uring_queue_exit(&r.io);
}

/* One request that stays and completes with each piece that arrives, into buffers that the ring was
 * given. It takes as many as there are, so the sender must not send more than n before the stream
 * ends or pauses. */
static void rx_multishot(struct end *e, size_t n)
{
	enum { BUFFERS = 8, SIZE = 16384 };
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS };
	struct io_uring_buf_ring *ring = NULL;
	struct io_uring_sqe *sqe;
	struct ring r;
	bool armed = false;
	int ret;

	ring_open(&r, e->fd, PLAIN);
	if (posix_memalign((void **)&ring, 4096, 4096))
		scene_fail("out of memory");
	reg.ring_addr = (uint64_t)(uintptr_t)ring;
	ret = io_uring_register_buf_ring(&r.io, &reg, 0);
	if (ret < 0)
		scene_skip("io_uring_register_buf_ring: %s", strerror(-ret));
	io_uring_buf_ring_init(ring);
	for (unsigned short b = 0; b < BUFFERS; b++)
		io_uring_buf_ring_add(ring, room + b * SIZE, SIZE, b, BUFFERS - 1, b);
	io_uring_buf_ring_advance(ring, BUFFERS);
	while (n) {
		unsigned short b;
		unsigned flags;

		if (!armed) {
			sqe = request(&r);
			io_uring_prep_recv_multishot(sqe, r.fd, NULL, 0, 0);
			sqe->buf_group = 0;
			io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
		}
		ret = result(&r, &flags);
		armed = flags & IORING_CQE_F_MORE;
		if (ret == -ENOBUFS)
			continue;
		if (ret == -EINVAL)
			scene_skip("recv multishot: this kernel's io_uring does not know it");
		n -= some(e, ret < 0 ? 0 : ret, "recv multishot");
		b = (unsigned short)(flags >> IORING_CQE_BUFFER_SHIFT);
		io_uring_buf_ring_add(ring, room + b * SIZE, SIZE, b, BUFFERS - 1, 0);
		io_uring_buf_ring_advance(ring, 1);
	}
	io_uring_queue_exit(&r.io); /* with the ring the standing request ends */
	free(ring);
}

static void rx_splice(struct end *e, size_t n)
{
	struct ring r;
	int p[2];

	must(pipe2(p, O_CLOEXEC), "pipe");
	ring_open(&r, e->fd, PLAIN);
	while (n) {
		struct io_uring_sqe *sqe = request(&r);
		size_t k;

		io_uring_prep_splice(sqe, r.fd, -1, p[1], -1, (unsigned)least(n, 32768), 0);
		k = some(e, finish(&r, sqe, "splice", NULL), "splice");
		n -= k;
		while (k)
			k -= (size_t)must(read(p[0], room, k), "read");
	}
	io_uring_queue_exit(&r.io);
	close(p[0]);
	close(p[1]);
}

#define SEND(NAME, TX, FAMILIES, HELP)                                                         \
	{                                                                                      \
		.name = "uring-" NAME, .help = "io_uring: " HELP, .families = FAMILIES,        \
		.bytes = 200003, .run = pair_run, .check = pair_check, .tx = TX, .rx = rx_recv \
	}
#define RECEIVE(NAME, RX, FAMILIES, HELP)                                                       \
	{                                                                                       \
		.name = "uring-" NAME, .help = "io_uring: " HELP, .families = FAMILIES,         \
		.bytes = 200003, .run = pair_run, .check = pair_check, .tx = tx_write, .rx = RX \
	}

const struct row uring_rows[] = {
	SEND("send", tx_send_plain, IN_STREAMS, "send"),
	SEND("send-sqpoll", tx_send_sqpoll, IN_STREAMS, "send, taken by a kernel thread"),
	SEND("send-async", tx_send_async, IN_STREAMS, "send, by a worker thread"),
	SEND("send-fixed", tx_send_fixed, IN_TCP, "send over a registered file"),
	SEND("send-linked", tx_linked, IN_TCP, "sends linked to each other"),
	SEND("sendmsg", tx_sendmsg, IN_STREAMS, "sendmsg"),
	SEND("send-zc", tx_send_zc, IN_TCP, "zero-copy send"),
	SEND("sendmsg-zc", tx_sendmsg_zc, IN_TCP, "zero-copy sendmsg"),
	SEND("write", tx_write_plain, IN_STREAMS, "write"),
	SEND("writev", tx_writev, IN_STREAMS, "writev"),
	SEND("splice-in", tx_splice, IN_TCP, "splice, pipe to socket"),
	RECEIVE("recv", rx_recv_plain, IN_STREAMS, "recv"),
	RECEIVE("recv-sqpoll", rx_recv_sqpoll, IN_STREAMS, "recv, taken by a kernel thread"),
	RECEIVE("recv-async", rx_recv_async, IN_STREAMS, "recv, by a worker thread"),
	RECEIVE("recv-fixed", rx_recv_fixed, IN_TCP, "recv over a registered file"),
	RECEIVE("recv-waitall", rx_recv_waitall, IN_TCP, "recv with MSG_WAITALL"),
	RECEIVE("recv-peek", rx_recv_peek, IN_STREAMS, "recv with MSG_PEEK, then recv"),
	RECEIVE("recv-multishot", rx_multishot, IN_TCP, "one recv that completes again and again"),
	RECEIVE("recvmsg", rx_recvmsg, IN_STREAMS, "recvmsg"),
	RECEIVE("read", rx_read_plain, IN_STREAMS, "read"),
	RECEIVE("readv", rx_readv, IN_STREAMS, "readv"),
	RECEIVE("splice-out", rx_splice, IN_TCP, "splice, socket to pipe"),
	{},
};

#else

static void missing(void *arg)
{
	(void)arg;
	scene_skip("built without liburing");
}

static void without(const struct instance *i)
{
	(void)i;
	scene_spawn("wg-uring", missing, NULL);
}

const struct row uring_rows[] = {
	{ .name = "uring", .help = "built without liburing", .run = without },
	{},
};

#endif
