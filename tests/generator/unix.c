// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cases.h"

/* Sockets without ports: Unix sockets (datagrams, packets, pairs) and raw IP. */

static uint8_t room[BUFFER];

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* --- Unix ------------------------------------------------------------------------------------ */

static void send_packets(struct end *e, size_t n)
{
	while (n)
		n -= (size_t)must(end_sent(e, send(e->fd, buffer(), least(n, 900), 0)), "send");
}

static void take_packets(struct end *e, size_t n)
{
	while (n) {
		must(recv(e->fd, room, 100, MSG_PEEK), "recv MSG_PEEK");
		n -= (size_t)must(end_got(e, recv(e->fd, room, 65536, 0)), "recv");
	}
}

static int packet_type(const struct instance *i)
{
	return strcmp(i->row->name, "unix-seqpacket") == 0 ? SOCK_SEQPACKET : SOCK_DGRAM;
}

static void packets_rx(void *arg)
{
	const struct instance *i = arg;
	int type = packet_type(i), fd = net_socket(UNIX, type);
	struct end e;

	*scene_number(NUM_PORT) = net_bind(fd, UNIX);
	if (type == SOCK_SEQPACKET) {
		int listener = fd;

		must(listen(listener, 1), "listen");
		scene_post(SEM_LISTENING);
		fd = net_accept(listener);
		close(listener);
	} else {
		scene_post(SEM_LISTENING);
	}
	e = end_open(fd, "rx");
	take_packets(&e, case_bytes(i));
	scene_hold();
	end_close(&e);
}

static void packets_tx(void *arg)
{
	const struct instance *i = arg;
	int fd = net_socket(UNIX, packet_type(i));
	struct end e;

	scene_await(SEM_LISTENING);
	net_connect_fd(fd, UNIX, NUM_PORT);
	e = end_open(fd, "tx");
	send_packets(&e, case_bytes(i));
	scene_hold();
	end_close(&e);
}

static void packets_run(const struct instance *i)
{
	scene_spawn("wg-unix-rx", packets_rx, (void *)i);
	scene_spawn("wg-unix-tx", packets_tx, (void *)i);
}

static int pair_fds[2];

static void socketpair_child(void *arg)
{
	const struct instance *i = arg;
	struct end e = end_open(pair_fds[1], "rx");

	close(pair_fds[0]);
	take_packets(&e, case_bytes(i));
	scene_hold();
	end_close(&e);
}

static void socketpair_parent(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair_fds), "socketpair");
	scene_spawn("wg-pair-child", socketpair_child, arg);
	close(pair_fds[1]);
	e = end_open(pair_fds[0], "tx");
	send_packets(&e, case_bytes(i));
	scene_hold();
	scene_join();
	end_close(&e);
}

static void socketpair_run(const struct instance *i)
{
	scene_spawn("wg-pair-parent", socketpair_parent, (void *)i);
}

/* Packets longer than the buffer, without and with the flag that makes the call return the full
 * length. */
static void unix_cut(void *arg)
{
	struct end a, b;
	int fds[2];

	(void)arg;
	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), "socketpair");
	a = end_open(fds[0], "tx");
	b = end_open(fds[1], "rx");
	snprintf(b.truth->expect, sizeof(b.truth->expect), "remainder:cut_datagrams");
	for (int k = 0; k < 10; k++) {
		must(end_sent(&a, send(a.fd, buffer(), 1000, 0)), "send");
		if (k % 2)
			end_got(&b, must(recv(b.fd, room, 100, 0), "recv"));
		else if (must(recv(b.fd, room, 100, MSG_TRUNC), "recv") == 1000)
			end_got(&b, 100);
		else
			scene_fail("MSG_TRUNC did not return the length");
	}
	scene_hold();
	end_close(&a);
	end_close(&b);
}

static void unix_cut_run(const struct instance *i)
{
	scene_spawn("wg-unix-cut", unix_cut, (void *)i);
}

static void unix_cut_check(const struct instance *i)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	if (tx != 10000 || rx != 1000)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

/* --- raw IP ---------------------------------------------------------------------------------- */

#define EXPERIMENTAL_PROTOCOL 253 /* RFC 3692 */

static void raw_rx(void *arg)
{
	const struct instance *i = arg;
	int fd = (int)must(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, EXPERIMENTAL_PROTOCOL),
			   "socket");
	struct end e;

	net_bind(fd, UDP4);
	e = end_open(fd, "rx");
	scene_post(SEM_LISTENING);
	for (size_t n = case_bytes(i); n;) {
		ssize_t r = must(end_got(&e, recv(e.fd, room, 65536, 0)), "recv");

		n -= (size_t)r - sizeof(struct iphdr); /* a raw socket gets the IP header too */
		*scene_number(NUM_ACKED) += (size_t)r;
	}
	scene_hold();
	end_close(&e);
}

static void raw_tx(void *arg)
{
	const struct instance *i = arg;
	int fd = (int)must(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, EXPERIMENTAL_PROTOCOL),
			   "socket");
	struct sockaddr_in other = { .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1) };
	struct end e;

	/* Bound elsewhere, so that it does not get copies of its own. */
	must(bind(fd, (struct sockaddr *)&other, sizeof(other)), "bind");
	scene_await(SEM_LISTENING);
	e = end_open(fd, "tx");
	other.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t n = case_bytes(i); n;) {
		ssize_t r = must(end_sent(&e, sendto(e.fd, buffer(), least(n, 800), 0,
						     (struct sockaddr *)&other, sizeof(other))),
				 "sendto");

		n -= (size_t)r;
		if (e.truth->tx_bytes > 30000)
			scene_await_number(NUM_ACKED, e.truth->tx_bytes - 30000);
	}
	scene_hold();
	end_close(&e);
}

static void raw_run(const struct instance *i)
{
	scene_spawn("wg-raw-rx", raw_rx, (void *)i);
	scene_spawn("wg-raw-tx", raw_tx, (void *)i);
}

static uint16_t internet_checksum(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void ping(int type)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = (int)must(socket(AF_INET, type | SOCK_CLOEXEC, IPPROTO_ICMP), "socket"),
	    replies = 0;
	struct end e = end_open(fd, "ping");

	for (uint16_t k = 0; k < 10; k++) {
		struct {
			struct icmphdr head;
			uint8_t payload[56];
		} echo = { .head = { .type = ICMP_ECHO } };

		echo.head.un.echo.id = htons((uint16_t)getpid());
		echo.head.un.echo.sequence = htons(k);
		echo.head.checksum = internet_checksum(&echo, sizeof(echo));
		must(end_sent(&e, sendto(fd, &echo, sizeof(echo), 0, (struct sockaddr *)&to,
					 sizeof(to))),
		     "sendto");
		/* A raw socket gets the request too. */
		for (int n = type == SOCK_RAW ? 2 : 1; n; n--, replies++)
			must(end_got(&e, recv(fd, room, sizeof(room), 0)), "recv");
	}
	scene_hold();
	end_close(&e);
}

static void icmp_raw(void *arg)
{
	(void)arg;
	ping(SOCK_RAW);
}

static void icmp_raw_run(const struct instance *i)
{
	scene_spawn("wg-ping-raw", icmp_raw, (void *)i);
}

static void icmp_dgram(void *arg)
{
	int fd = (int)must(open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC),
			   "ping_group_range");

	(void)arg;
	must(write(fd, "0 2147483647\n", 13), "ping_group_range");
	close(fd);
	ping(SOCK_DGRAM);
}

static void icmp_dgram_run(const struct instance *i)
{
	scene_spawn("wg-ping", icmp_dgram, (void *)i);
}

static void some_check(const struct instance *i)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	if (tx == 0 || rx < tx)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

const struct row unix_rows[] = {
	{ .name = "unix-dgram",
	  .help = "Unix datagrams",
	  .bytes = 20000,
	  .run = packets_run,
	  .check = pair_check },
	{ .name = "unix-seqpacket",
	  .help = "Unix packets",
	  .bytes = 20000,
	  .run = packets_run,
	  .check = pair_check },
	{ .name = "unix-socketpair",
	  .help = "a pair, shared by a fork",
	  .bytes = 20000,
	  .run = socketpair_run,
	  .check = pair_check },
	{ .name = "unix-cut",
	  .help = "packets longer than the buffer",
	  .run = unix_cut_run,
	  .check = unix_cut_check },
	{},
};

const struct row other_rows[] = {
	{ .name = "raw",
	  .help = "raw IP, protocol 253",
	  .flags = NEEDS_ROOT,
	  .bytes = 20000,
	  .run = raw_run,
	  .check = some_check },
	{ .name = "icmp-raw",
	  .help = "ping over a raw socket",
	  .flags = NEEDS_ROOT | OWN_NETNS,
	  .run = icmp_raw_run,
	  .check = some_check },
	{ .name = "icmp",
	  .help = "ping over a ping socket",
	  .flags = NEEDS_ROOT | OWN_NETNS,
	  .run = icmp_dgram_run,
	  .check = some_check },
	{},
};
