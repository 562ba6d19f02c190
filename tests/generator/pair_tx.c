// SPDX-License-Identifier: GPL-2.0-or-later
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- ways to send ---------------------------------------------------------------------------- */

void tx_write(struct end *e, size_t n)
{
	while (n)
		n -= (size_t)must(end_sent(e, write(e->fd, buffer(), least(n, 16384))), "write");
}

void tx_send(struct end *e, size_t n)
{
	while (n)
		n -= (size_t)must(end_sent(e, send(e->fd, buffer(), least(n, 4000), 0)), "send");
}

static void tx_writev(struct end *e, size_t n)
{
	while (n) {
		size_t a = least(n, 1000), b = least(n - a, 3000);
		struct iovec v[2] = { { buffer(), a }, { buffer() + 5000, b } };

		n -= (size_t)must(end_sent(e, writev(e->fd, v, 2)), "writev");
	}
}

static void tx_more(struct end *e, size_t n)
{
	while (n) {
		size_t part = least(n, 777);

		n -= (size_t)must(end_sent(e, send(e->fd, buffer(), part, part < n ? MSG_MORE : 0)),
				  "send");
	}
}

static void tx_sendmsg(struct end *e, size_t n)
{
	while (n) {
		size_t a = least(n, 100), b = least(n - a, 8000);
		struct iovec v[2] = { { buffer(), a }, { buffer() + 100, b } };
		struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

		n -= (size_t)must(end_sent(e, sendmsg(e->fd, &m, 0)), "sendmsg");
	}
}

static void tx_sendmmsg(struct end *e, size_t n)
{
	while (n) {
		struct mmsghdr m[8] = {};
		struct iovec v[8];
		unsigned k = 0;
		size_t left = n;

		for (; k < 8 && left; k++) {
			v[k] = (struct iovec){ buffer(), least(left, 1111) };
			left -= v[k].iov_len;
			m[k].msg_hdr = (struct msghdr){ .msg_iov = &v[k], .msg_iovlen = 1 };
		}
		k = (unsigned)must(sendmmsg(e->fd, m, k, 0), "sendmmsg");
		for (unsigned j = 0; j < k; j++)
			n -= (size_t)end_sent(e, m[j].msg_len);
	}
}

static void tx_large(struct end *e, size_t n)
{
	while (n)
		n -= (size_t)must(end_sent(e, send(e->fd, buffer(), least(n, BUFFER), 0)), "send");
}

/* Asks for a megabyte at a time and gets short counts and EAGAIN. */
void tx_partial(struct end *e, size_t n)
{
	struct pollfd p = { .fd = e->fd, .events = POLLOUT };
	unsigned short_counts = 0;
	size_t all = n;

	net_set(e->fd, SOL_SOCKET, SO_SNDBUF, 65536);
	must(fcntl(e->fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	while (n) {
		size_t want = least(n, BUFFER);
		ssize_t r = end_sent(e, send(e->fd, buffer(), want, 0));

		if (r > 0) {
			short_counts += (size_t)r < want;
			n -= (size_t)r;
		} else if (errno == EAGAIN) {
			must(poll(&p, 1, 5000), "poll");
		} else {
			must(r, "send");
		}
	}
	must(fcntl(e->fd, F_SETFL, 0), "F_SETFL");
	if (!short_counts && all > BUFFER)
		scene_fail("no short count");
}

static int file_of(size_t n)
{
	int fd = (int)must(memfd_create("bytes", MFD_CLOEXEC), "memfd_create");

	for (size_t left = n; left;)
		left -= (size_t)must(write(fd, buffer(), least(left, BUFFER)), "write");
	must(lseek(fd, 0, SEEK_SET), "lseek");
	return fd;
}

static void tx_sendfile(struct end *e, size_t n)
{
	int fd = file_of(n);

	while (n)
		n -= (size_t)must(end_sent(e, sendfile(e->fd, fd, NULL, n)), "sendfile");
	close(fd);
}

static void drain_pipe(struct end *e, int pipe_fd, size_t n)
{
	while (n)
		n -= (size_t)must(end_sent(e, splice(pipe_fd, NULL, e->fd, NULL, n, SPLICE_F_MORE)),
				  "splice");
}

static void tx_splice(struct end *e, size_t n)
{
	int fd = file_of(n), p[2];

	must(pipe2(p, O_CLOEXEC), "pipe");
	while (n) {
		size_t k = (size_t)must(splice(fd, NULL, p[1], NULL, least(n, 65536), 0), "splice");

		drain_pipe(e, p[0], k);
		n -= k;
	}
	close(fd);
	close(p[0]);
	close(p[1]);
}

static void tx_vmsplice(struct end *e, size_t n)
{
	int p[2];

	must(pipe2(p, O_CLOEXEC), "pipe");
	while (n) {
		struct iovec v = { buffer(), least(n, 32768) };
		size_t k = (size_t)must(vmsplice(p[1], &v, 1, 0), "vmsplice");

		drain_pipe(e, p[0], k);
		n -= k;
	}
	close(p[0]);
	close(p[1]);
}

/* The pipe's bytes twice: once into a second pipe and from there to the socket, once thrown away.
 */
static void tx_tee(struct end *e, size_t n)
{
	int a[2], b[2], null = (int)must(open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");

	must(pipe2(a, O_CLOEXEC), "pipe");
	must(pipe2(b, O_CLOEXEC), "pipe");
	while (n) {
		size_t k = (size_t)must(write(a[1], buffer(), least(n, 16384)), "write");

		k = (size_t)must(tee(a[0], b[1], k, 0), "tee");
		drain_pipe(e, b[0], k);
		for (size_t left = k; left;)
			left -= (size_t)must(splice(a[0], NULL, null, NULL, left, 0), "splice");
		n -= k;
	}
	close(null);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

/* Reads the notices of finished zero-copy sends; what is read from the error queue is no payload.
 */
static unsigned zerocopy_notices(int fd)
{
	char control[128];
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
	unsigned n = 0;

	while (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			const struct sock_extended_err *err = (const void *)CMSG_DATA(c);

			if (err->ee_origin == SO_EE_ORIGIN_ZEROCOPY)
				n += err->ee_data - err->ee_info + 1;
		}
		m.msg_controllen = sizeof(control);
	}
	return n;
}

void tx_zerocopy(struct end *e, size_t n)
{
	struct pollfd p = { .fd = e->fd };
	unsigned sends = 0, notices = 0;

	net_set(e->fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	while (n) {
		ssize_t r = end_sent(e, send(e->fd, buffer(), least(n, 65536), MSG_ZEROCOPY));

		if (r < 0 &&
		    errno == ENOBUFS) { /* the limit on locked pages: wait for some to come back */
			notices += zerocopy_notices(e->fd);
			continue;
		}
		n -= (size_t)must(r, "send MSG_ZEROCOPY");
		sends++;
	}
	for (int tries = 0; notices < sends && tries < 100; tries++) {
		must(poll(&p, 1, 50), "poll");
		notices += zerocopy_notices(e->fd);
	}
	if (notices != sends)
		scene_fail("%u zero-copy sends, %u notices", sends, notices);
}

static void tx_aio(struct end *e, size_t n)
{
	aio_context_t context = aio_open();

	while (n)
		n -= (size_t)must(
			end_sent(e, aio_call(context, e->fd, IOCB_CMD_PWRITE, least(n, 20000))),
			"aio write");
	syscall(SYS_io_destroy, context);
}

void tx_pieces(struct end *e, size_t n)
{
	size_t piece = n / 5 + 1;

	while (n) {
		n -= (size_t)must(end_sent(e, send(e->fd, buffer(), least(n, piece), 0)), "send");
		sleep_ms(4);
	}
}

#define SEND(NAME, TX, N, FAMILIES, HELP)                                                      \
	{                                                                                      \
		.name = NAME, .help = HELP, .families = FAMILIES, .bytes = N, .run = pair_run, \
		.check = pair_check, .tx = TX, .rx = rx_recv                                   \
	}
const struct row pair_tx_rows[] = {
	SEND("write", tx_write, 100003, IN_STREAMS | IN(MPTCP6), "write()"),
	SEND("writev", tx_writev, 100003, IN_STREAMS, "writev()"),
	SEND("send", tx_send, 100003, IN_STREAMS, "send()"),
	SEND("send-more", tx_more, 100003, IN_STREAMS, "send() with MSG_MORE"),
	SEND("sendmsg", tx_sendmsg, 100003, IN_STREAMS, "sendmsg()"),
	SEND("sendmmsg", tx_sendmmsg, 100003, IN_STREAMS, "sendmmsg()"),
	SEND("large", tx_large, 8000009, IN_STREAMS, "send() of a megabyte at a time"),
	SEND("sendfile", tx_sendfile, 1000003, IN_STREAMS, "sendfile()"),
	SEND("splice-in", tx_splice, 1000003, IN_STREAMS, "splice(), pipe to socket"),
	SEND("vmsplice", tx_vmsplice, 300007, IN_STREAMS, "vmsplice(), then splice()"),
	SEND("tee", tx_tee, 100003, IN_TCP, "tee(), then splice()"),
	SEND("zerocopy", tx_zerocopy, 1000003, IN_TCP,
	     "send() with MSG_ZEROCOPY, error queue read"),
	SEND("aio-write", tx_aio, 100003, IN_STREAMS, "io_submit() of a write"),
	{},
};
