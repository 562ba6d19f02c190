// SPDX-License-Identifier: GPL-2.0-or-later
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- ways to receive ------------------------------------------------------------------------- */

static void *into(void)
{
	static uint8_t room[BUFFER];

	return room;
}

/* What must came; an early end is a fault. */
static size_t some(struct end *e, ssize_t r, const char *what)
{
	if (must(end_got(e, r), what) == 0)
		scene_fail("%s: the stream ended early", what);
	return (size_t)r;
}

void rx_recv(struct end *e, size_t n)
{
	while (n)
		n -= some(e, recv(e->fd, into(), least(n, 65536), 0), "recv");
}

void rx_drain(struct end *e)
{
	while (end_got(e, recv(e->fd, into(), 65536, 0)) > 0)
		;
}

static void rx_read(struct end *e, size_t n)
{
	while (n)
		n -= some(e, read(e->fd, into(), least(n, 5000)), "read");
}

static void rx_readv(struct end *e, size_t n)
{
	while (n) {
		size_t a = least(n, 10), b = least(n - a, 9000);
		struct iovec v[2] = { { into(), a }, { (uint8_t *)into() + 10, b } };

		n -= some(e, readv(e->fd, v, 2), "readv");
	}
}

static void rx_recvfrom(struct end *e, size_t n)
{
	while (n)
		n -= some(e, recvfrom(e->fd, into(), least(n, 3000), 0, NULL, NULL), "recvfrom");
}

static void rx_recvmsg(struct end *e, size_t n)
{
	while (n) {
		struct iovec v[2] = { { into(), least(n, 1) },
				      { (uint8_t *)into() + 1, least(n, 7001) - 1 } };
		struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

		n -= some(e, recvmsg(e->fd, &m, 0), "recvmsg");
	}
}

static void rx_recvmmsg(struct end *e, size_t n)
{
	while (n) {
		struct mmsghdr m[4] = {};
		struct iovec v[4];
		unsigned k = 0;
		size_t left = n;

		for (; k < 4 && left; k++) {
			v[k] = (struct iovec){ into(), least(left, 2000) };
			left -= v[k].iov_len;
			m[k].msg_hdr = (struct msghdr){ .msg_iov = &v[k], .msg_iovlen = 1 };
		}
		k = (unsigned)must(recvmmsg(e->fd, m, k, MSG_WAITFORONE, NULL), "recvmmsg");
		for (unsigned j = 0; j < k; j++)
			n -= some(e, m[j].msg_len, "recvmmsg");
	}
}

static void rx_peek(struct end *e, size_t n)
{
	while (n) {
		size_t want = least(n, 10000);

		must(recv(e->fd, into(), want, MSG_PEEK), "recv MSG_PEEK");
		must(recv(e->fd, into(), want, MSG_PEEK), "recv MSG_PEEK");
		must(recv(e->fd, into(), 1, MSG_PEEK | MSG_TRUNC), "recv MSG_PEEK");
		n -= some(e, recv(e->fd, into(), want, 0), "recv");
	}
}

static void rx_peek_waitall(struct end *e, size_t n)
{
	size_t want = least(n, 5000);

	must(recv(e->fd, into(), want, MSG_PEEK | MSG_WAITALL), "recv MSG_PEEK");
	rx_recv(e, n);
}

static void rx_waitall(struct end *e, size_t n)
{
	if (some(e, recv(e->fd, into(), n, MSG_WAITALL), "recv MSG_WAITALL") != n)
		scene_fail("MSG_WAITALL came back early");
}

static void rx_low_water(struct end *e, size_t n)
{
	net_set(e->fd, SOL_SOCKET, SO_RCVLOWAT, (int)least(n, 20000));
	rx_recv(e, least(n, 20000));
	net_set(e->fd, SOL_SOCKET, SO_RCVLOWAT, 1);
	rx_recv(e, n > 20000 ? n - 20000 : 0);
}

/* On TCP, MSG_TRUNC takes bytes from the stream without copying them. */
static void rx_discard(struct end *e, size_t n)
{
	while (n) {
		n -= some(e, recv(e->fd, NULL, least(n, 30000), MSG_TRUNC), "recv MSG_TRUNC");
		if (n)
			n -= some(e, recv(e->fd, into(), least(n, 1000), 0), "recv");
	}
}

static void rx_nonblocking(struct end *e, size_t n)
{
	struct pollfd p = { .fd = e->fd, .events = POLLIN };

	while (n) {
		ssize_t r = recv(e->fd, into(), least(n, 65536), MSG_DONTWAIT);

		if (r < 0 && errno == EAGAIN)
			must(poll(&p, 1, 5000), "poll");
		else
			n -= some(e, r, "recv");
	}
}

static void rx_slow(struct end *e, size_t n)
{
	for (unsigned k = 0; n; k++) {
		if (k < 20)
			usleep(2000);
		n -= some(e, recv(e->fd, into(), least(n, 200000), 0), "recv");
	}
}

static void rx_splice(struct end *e, size_t n)
{
	int p[2], null = (int)must(open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");

	must(pipe2(p, O_CLOEXEC), "pipe");
	while (n) {
		size_t k = some(e, splice(e->fd, NULL, p[1], NULL, least(n, 65536), 0), "splice");

		n -= k;
		while (k)
			k -= (size_t)must(splice(p[0], NULL, null, NULL, k, 0), "splice");
	}
	close(null);
	close(p[0]);
	close(p[1]);
}

static void rx_aio(struct end *e, size_t n)
{
	aio_context_t context = aio_open();

	while (n)
		n -= some(e, aio_call(context, e->fd, IOCB_CMD_PREAD, least(n, 20000)), "aio read");
	syscall(SYS_io_destroy, context);
}

/* The kernel's own layout, of which libc's header may know less. */
struct zerocopy_receive {
	uint64_t address;
	uint32_t length, recv_skip_hint, inq;
	int32_t err;
	uint64_t copybuf_address;
	int32_t copybuf_len;
	uint32_t flags;
	uint64_t msg_control, msg_controllen;
	uint32_t msg_flags, reserved;
};

/* Maps whole pages, and copies what does not fill one. */
static void rx_zerocopy(struct end *e, size_t n)
{
	size_t room = 1u << 20, mapped = 0, all = n;
	struct pollfd p = { .fd = e->fd, .events = POLLIN };
	void *window = mmap(NULL, room, PROT_READ, MAP_SHARED, e->fd, 0);

	if (window == MAP_FAILED)
		scene_skip("TCP_ZEROCOPY_RECEIVE: %s", strerror(errno));
	while (n) {
		struct zerocopy_receive z = {
			.address = (uint64_t)(uintptr_t)window,
			.length = (uint32_t)least(room, n & ~4095ul),
			.copybuf_address = (uint64_t)(uintptr_t)into(),
			.copybuf_len = (int32_t)least(n, 4096),
		};
		socklen_t len = sizeof(z);

		must(poll(&p, 1, 5000), "poll");
		must(getsockopt(e->fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &z, &len),
		     "TCP_ZEROCOPY_RECEIVE");
		end_got(e, z.length);
		mapped += z.length;
		n -= z.length;
		if (z.copybuf_len > 0)
			n -= (size_t)end_got(e, z.copybuf_len);
		if (z.recv_skip_hint)
			n -= some(e, recv(e->fd, into(), least(n, z.recv_skip_hint), 0), "recv");
		if (z.length)
			must(madvise(window, room, MADV_DONTNEED), "madvise");
	}
	munmap(window, room);
	if (all >= 100000 && mapped == 0)
		scene_skip("TCP_ZEROCOPY_RECEIVE: this kernel mapped no page");
}

#define RECEIVE(NAME, TX, RX, N, FAMILIES, HELP)                                               \
	{                                                                                      \
		.name = NAME, .help = HELP, .families = FAMILIES, .bytes = N, .run = pair_run, \
		.check = pair_check, .tx = TX, .rx = RX                                        \
	}

const struct row pair_rx_rows[] = {
	RECEIVE("partial", tx_partial, rx_slow, 8388608, IN_STREAMS, "short counts and EAGAIN"),
	RECEIVE("recv", tx_write, rx_recv, 100003, IN_STREAMS | IN(MPTCP6), "recv()"),
	RECEIVE("read", tx_write, rx_read, 100003, IN_STREAMS, "read()"),
	RECEIVE("readv", tx_write, rx_readv, 100003, IN_STREAMS, "readv()"),
	RECEIVE("recvfrom", tx_write, rx_recvfrom, 100003, IN_STREAMS, "recvfrom()"),
	RECEIVE("recvmsg", tx_write, rx_recvmsg, 100003, IN_STREAMS, "recvmsg()"),
	RECEIVE("recvmmsg", tx_write, rx_recvmmsg, 100003, IN_STREAMS, "recvmmsg()"),
	RECEIVE("nonblocking", tx_pieces, rx_nonblocking, 100003, IN_STREAMS, "recv() with EAGAIN"),
	RECEIVE("peek", tx_write, rx_peek, 20000, IN_STREAMS, "MSG_PEEK three times, then recv()"),
	RECEIVE("peek-waitall", tx_pieces, rx_peek_waitall, 20000, IN_TCP,
		"MSG_PEEK with MSG_WAITALL"),
	RECEIVE("waitall", tx_pieces, rx_waitall, 20000, IN_STREAMS,
		"MSG_WAITALL, sent in slow pieces"),
	RECEIVE("low-water", tx_pieces, rx_low_water, 50000, IN_TCP, "SO_RCVLOWAT"),
	RECEIVE("discard", tx_write, rx_discard, 100003, IN_TCP, "MSG_TRUNC takes without copying"),
	RECEIVE("splice-out", tx_write, rx_splice, 1000003, IN_TCP | IN(MPTCP4),
		"splice(), socket to pipe"),
	/* Nothing in the kernel tells of it, and Unix sockets have no counters to hold against. */
	{ .name = "splice-out",
	  .help = "splice(), socket to pipe",
	  .families = IN(UNIX),
	  .bytes = 1000003,
	  .run = pair_run,
	  .check = pair_check,
	  .tx = tx_write,
	  .rx = rx_splice,
	  .rx_expect = "remainder:unix_splice" },
	RECEIVE("aio-read", tx_write, rx_aio, 100003, IN_STREAMS, "io_submit() of a read"),
	RECEIVE("zerocopy-receive", tx_zerocopy, rx_zerocopy, 1000003, IN_TCP,
		"TCP_ZEROCOPY_RECEIVE"),
	{},
};
