// SPDX-License-Identifier: GPL-2.0-or-later
#include "dgram.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* UDP: datagrams from tx to rx. Nothing may be dropped on the way (but for the case that wants it),
 * so the sender keeps at most WINDOW bytes ahead of what the receiver has read. */

#define WINDOW 30000 /* a small datagram takes three times its length of the receiver's buffer */

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static uint8_t room[BUFFER];

static void pace(uint64_t sent)
{
	if (sent > WINDOW)
		scene_await_number(NUM_ACKED, sent - WINDOW);
}

static void acked(size_t n)
{
	*scene_number(NUM_ACKED) += n;
}

/* --- the two processes ----------------------------------------------------------------------- */

struct end dgram_listen(const struct instance *i)
{
	int fd = net_socket(i->family, SOCK_DGRAM);
	struct end e;

	*scene_number(NUM_PORT) = net_bind(fd, i->family);
	e = end_open(fd, "rx");
	scene_post(SEM_LISTENING);
	return e;
}

static void dgram_rx(void *arg)
{
	const struct instance *i = arg;
	struct end e = dgram_listen(i);

	if (i->row->rx_expect)
		snprintf(e.truth->expect, sizeof(e.truth->expect), "%s", i->row->rx_expect);
	i->row->rx(&e, case_bytes(i));
	if (scene_options.before) {
		scene_pause();
		i->row->rx(&e,
			   scene_options.after_bytes ? scene_options.after_bytes : case_bytes(i));
	}
	scene_hold();
	end_close(&e);
}

struct end dgram_connect(const struct instance *i)
{
	int fd = net_socket(i->family, SOCK_DGRAM);

	net_connect_fd(fd, i->family, NUM_PORT);
	return end_open(fd, "tx");
}

static void dgram_tx(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	scene_await(SEM_LISTENING);
	e = dgram_connect(i);
	i->row->tx(&e, case_bytes(i));
	if (scene_options.before) {
		scene_pause();
		i->row->tx(&e,
			   scene_options.after_bytes ? scene_options.after_bytes : case_bytes(i));
	}
	scene_hold();
	end_close(&e);
}

static void dgram_run(const struct instance *i)
{
	char name[32];

	snprintf(name, sizeof(name), "wg-ur-%s", i->row->name);
	scene_spawn(name, dgram_rx, (void *)i);
	snprintf(name, sizeof(name), "wg-ut-%s", i->row->name);
	scene_spawn(name, dgram_tx, (void *)i);
}

/* --- ways to send ---------------------------------------------------------------------------- */

static void tx_dgram(struct end *e, size_t n)
{
	for (size_t left = n; left;) {
		left -= (size_t)must(end_sent(e, send(e->fd, buffer(), least(left, DATAGRAM), 0)),
				     "send");
		pace(e->truth->tx_bytes);
	}
}

static void tx_dgram_write(struct end *e, size_t n)
{
	for (size_t left = n; left;) {
		left -= (size_t)must(end_sent(e, write(e->fd, buffer(), least(left, 700))),
				     "write");
		pace(e->truth->tx_bytes);
	}
}

/* Over a socket that is not connected: the receiver of each datagram is named. */
static void tx_sendto(struct end *e, size_t n)
{
	struct sockaddr_storage a;
	int domain = AF_INET;
	socklen_t len = sizeof(domain);

	must(getsockopt(e->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len), "SO_DOMAIN");
	must(connect(e->fd, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr)),
	     "connect AF_UNSPEC");
	len = net_address(domain == AF_INET6 ? UDP6 : UDP4, (uint32_t)*scene_number(NUM_PORT), &a);
	for (size_t left = n; left;) {
		left -= (size_t)must(end_sent(e, sendto(e->fd, buffer(), least(left, DATAGRAM), 0,
							(struct sockaddr *)&a, len)),
				     "sendto");
		pace(e->truth->tx_bytes);
	}
}

static void tx_dgram_sendmsg(struct end *e, size_t n)
{
	for (size_t left = n; left;) {
		size_t a = least(left, 8), b = least(left - a, 1192);
		struct iovec v[2] = { { buffer(), a }, { buffer() + 8, b } };
		struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

		left -= (size_t)must(end_sent(e, sendmsg(e->fd, &m, 0)), "sendmsg");
		pace(e->truth->tx_bytes);
	}
}

static void tx_dgram_sendmmsg(struct end *e, size_t n)
{
	while (n) {
		struct mmsghdr m[16] = {};
		struct iovec v[16];
		unsigned k = 0;
		size_t left = n;

		for (; k < 16 && left; k++) {
			v[k] = (struct iovec){ buffer(), least(left, 1200) };
			left -= v[k].iov_len;
			m[k].msg_hdr = (struct msghdr){ .msg_iov = &v[k], .msg_iovlen = 1 };
		}
		k = (unsigned)must(sendmmsg(e->fd, m, k, 0), "sendmmsg");
		for (unsigned j = 0; j < k; j++)
			n -= (size_t)end_sent(e, m[j].msg_len);
		pace(e->truth->tx_bytes);
	}
}

/* One call, cut into datagrams by the kernel. */
static void tx_gso(struct end *e, size_t n)
{
	int size = 1000;

	if (setsockopt(e->fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) < 0)
		scene_skip("UDP_SEGMENT: %s", strerror(errno));
	for (size_t left = n; left;) {
		left -= (size_t)must(end_sent(e, send(e->fd, buffer(), least(left, 20000), 0)),
				     "send");
		pace(e->truth->tx_bytes);
	}
}

/* Several calls make one datagram. */
static void tx_cork(struct end *e, size_t n)
{
	for (size_t left = n; left;) {
		size_t part = least(left, 250);
		int flags = left > part && (n - left) / 250 % 4 != 3 ? MSG_MORE : 0;

		left -= (size_t)must(end_sent(e, send(e->fd, buffer(), part, flags)),
				     "send MSG_MORE");
		pace(e->truth->tx_bytes);
	}
}

static void tx_dgram_zerocopy(struct end *e, size_t n)
{
	struct pollfd p = { .fd = e->fd };
	char control[128];

	net_set(e->fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	for (size_t left = n; left;) {
		struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };

		left -= (size_t)must(
			end_sent(e, send(e->fd, buffer(), least(left, DATAGRAM), MSG_ZEROCOPY)),
			"send MSG_ZEROCOPY");
		pace(e->truth->tx_bytes);
		must(poll(&p, 1, 20), "poll");
		recvmsg(e->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
	}
}

static void tx_dgram_splice(struct end *e, size_t n)
{
	int p[2];

	must(pipe2(p, O_CLOEXEC), "pipe");
	for (size_t left = n; left;) {
		size_t k = (size_t)must(write(p[1], buffer(), least(left, DATAGRAM)), "write");

		must(end_sent(e, splice(p[0], NULL, e->fd, NULL, k, 0)), "splice");
		left -= k;
		pace(e->truth->tx_bytes);
	}
	close(p[0]);
	close(p[1]);
}

/* Sends that count nothing: refused for their length, and empty. */
static void tx_with_failures(struct end *e, size_t n)
{
	for (int k = 0; k < 5; k++)
		if (send(e->fd, buffer(), 70000, 0) >= 0 || errno != EMSGSIZE)
			scene_fail("a datagram of 70000 bytes was not refused");
	for (int k = 0; k < 5; k++)
		must(send(e->fd, buffer(), 0, 0), "send of an empty datagram");
	tx_dgram(e, n);
}

/* --- ways to receive ------------------------------------------------------------------------- */

size_t dgram_took(struct end *e, ssize_t r, const char *what)
{
	must(end_got(e, r), what);
	acked((size_t)r);
	return (size_t)r;
}

static void rx_dgram(struct end *e, size_t n)
{
	while (n)
		n -= dgram_took(e, recv(e->fd, room, 65536, 0), "recv");
}

static void rx_dgram_read(struct end *e, size_t n)
{
	while (n)
		n -= dgram_took(e, read(e->fd, room, 65536), "read");
}

static void rx_dgram_recvfrom(struct end *e, size_t n)
{
	struct sockaddr_storage a;

	while (n) {
		socklen_t len = sizeof(a);

		n -= dgram_took(e, recvfrom(e->fd, room, 65536, 0, (struct sockaddr *)&a, &len),
				"recvfrom");
	}
}

static void rx_dgram_recvmsg(struct end *e, size_t n)
{
	while (n) {
		struct iovec v[2] = { { room, 8 }, { room + 8, 65000 } };
		struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

		n -= dgram_took(e, recvmsg(e->fd, &m, 0), "recvmsg");
	}
}

static void rx_dgram_recvmmsg(struct end *e, size_t n)
{
	while (n) {
		struct mmsghdr m[16] = {};
		struct iovec v[16];
		int k;

		for (k = 0; k < 16; k++) {
			v[k] = (struct iovec){ room, 2000 };
			m[k].msg_hdr = (struct msghdr){ .msg_iov = &v[k], .msg_iovlen = 1 };
		}
		k = (int)must(recvmmsg(e->fd, m, 16, MSG_WAITFORONE, NULL), "recvmmsg");
		for (int j = 0; j < k; j++)
			n -= dgram_took(e, m[j].msg_len, "recvmmsg");
	}
}

static void rx_gro(struct end *e, size_t n)
{
	net_set(e->fd, IPPROTO_UDP, UDP_GRO, 1);
	rx_dgram(e, n);
}

static void rx_dgram_peek(struct end *e, size_t n)
{
	while (n) {
		must(recv(e->fd, room, 10, MSG_PEEK), "recv MSG_PEEK");
		must(recv(e->fd, room, 10, MSG_PEEK | MSG_TRUNC), "recv MSG_PEEK");
		n -= dgram_took(e, recv(e->fd, room, 65536, 0), "recv");
	}
}

/* Buffers shorter than the datagrams: what does not fit is lost. With the flag MSG_TRUNC the call
 * returns the datagram's length; what counts is what was copied. */
static void rx_cut(struct end *e, size_t n, int flags)
{
	while (n) {
		size_t sent = least(n, DATAGRAM);
		ssize_t r = must(recv(e->fd, room, 100, flags), "recv");

		if ((size_t)r != (flags & MSG_TRUNC ? sent : least(sent, 100)))
			scene_fail("recv returned %zd", r);
		end_got(e, (ssize_t)least((size_t)r, 100));
		acked(sent);
		n -= sent;
	}
}

static void rx_cut_plain(struct end *e, size_t n)
{
	rx_cut(e, n, 0);
}

static void rx_cut_flag(struct end *e, size_t n)
{
	rx_cut(e, n, MSG_TRUNC);
}

static void cut_check(const struct instance *i)
{
	size_t n = case_bytes(i), want = n / DATAGRAM * 100 + least(n % DATAGRAM, 100);
	uint64_t tx, rx;

	if (scene_options.before && scene_options.after_bytes)
		return; /* sums that nobody needs */
	if (scene_options.before) {
		n *= 2;
		want *= 2;
	}
	truth_sum(NULL, &tx, &rx);
	if (tx != n || rx != want)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

#define PAIR(NAME, TX, RX, N, HELP)                                                           \
	{                                                                                     \
		.name = NAME, .help = HELP, .families = IN_UDP, .bytes = N, .run = dgram_run, \
		.check = pair_check, .tx = TX, .rx = RX                                       \
	}
const struct row dgram_rows[] = {
	PAIR("send", tx_dgram, rx_dgram, 100003, "send() and recv(), connected"),
	PAIR("write", tx_dgram_write, rx_dgram_read, 100003, "write() and read()"),
	PAIR("sendto", tx_sendto, rx_dgram_recvfrom, 100003,
	     "sendto() and recvfrom(), not connected"),
	PAIR("sendmsg", tx_dgram_sendmsg, rx_dgram_recvmsg, 100003, "sendmsg() and recvmsg()"),
	PAIR("sendmmsg", tx_dgram_sendmmsg, rx_dgram_recvmmsg, 100003, "sendmmsg() and recvmmsg()"),
	PAIR("gso", tx_gso, rx_dgram, 100000, "UDP_SEGMENT"),
	PAIR("gso-gro", tx_gso, rx_gro, 100000, "UDP_SEGMENT and UDP_GRO"),
	PAIR("cork", tx_cork, rx_dgram, 50000, "MSG_MORE: several calls, one datagram"),
	PAIR("zerocopy", tx_dgram_zerocopy, rx_dgram, 20000, "MSG_ZEROCOPY"),
	PAIR("splice-in", tx_dgram_splice, rx_dgram, 20000, "splice(), pipe to socket"),
	PAIR("failures", tx_with_failures, rx_dgram, 20000, "EMSGSIZE, empty datagrams"),
	PAIR("peek", tx_dgram, rx_dgram_peek, 20000, "MSG_PEEK twice, then recv()"),
	{ .name = "cut",
	  .help = "datagrams longer than the buffer",
	  .families = IN_UDP,
	  .bytes = 20050,
	  .run = dgram_run,
	  .check = cut_check,
	  .tx = tx_dgram,
	  .rx = rx_cut_plain },
	{ .name = "cut-flag",
	  .help = "the same with MSG_TRUNC, which returns the full length",
	  .families = IN_UDP,
	  .bytes = 20050,
	  .run = dgram_run,
	  .check = cut_check,
	  .tx = tx_dgram,
	  .rx = rx_cut_flag,
	  /* The call tells the length, not how much of it was copied. */
	  .rx_expect = "remainder:cut_datagrams" },
	{},
};
