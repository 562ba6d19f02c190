// SPDX-License-Identifier: GPL-2.0-or-later
#include "dgram.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* UDP with several peers, with answers, with nobody there, with a receiver that is too slow. */

static uint8_t room[BUFFER];

/* --- peers ----------------------------------------------------------------------------------- */

static unsigned peers_of(const struct instance *i)
{
	return (unsigned)strtoul(i->row->name + strlen("peers-"), NULL, 10);
}

static size_t peer_bytes(unsigned p)
{
	return 500 + 7 * p;
}

/* Many sockets of one process, each getting and answering from one unconnected socket of another.
 */
static void peers_rx(void *arg)
{
	const struct instance *i = arg;
	unsigned n = peers_of(i);
	struct end *ends = calloc(n, sizeof(*ends));

	if (!ends)
		scene_fail("out of memory");
	for (unsigned p = 0; p < n; p++) {
		int fd = net_socket(i->family, SOCK_DGRAM);

		net_bind(fd, i->family);
		ends[p] = end_open(fd, "rx");
	}
	/* Sockets are told apart by their port: the sender learns them from a datagram that each
	 * sends. */
	scene_await(SEM_LISTENING);
	for (unsigned p = 0; p < n; p++) {
		net_connect_fd(ends[p].fd, i->family, NUM_PORT);
		must(end_sent(&ends[p], send(ends[p].fd, buffer(), 10 + p, 0)), "send");
		must(end_got(&ends[p], recv(ends[p].fd, room, 65536, 0)), "recv");
	}
	scene_hold();
	free(ends);
}

static void peers_tx(void *arg)
{
	const struct instance *i = arg;
	int fd = net_socket(i->family, SOCK_DGRAM);
	unsigned n = peers_of(i);

	*scene_number(NUM_PORT) = net_bind(fd, i->family);
	scene_post(SEM_LISTENING);
	for (unsigned p = 0; p < n; p++) {
		struct sockaddr_storage a;
		socklen_t len = sizeof(a);
		ssize_t r =
			must(recvfrom(fd, room, 65536, 0, (struct sockaddr *)&a, &len), "recvfrom");
		char name[64];
		struct end e;

		net_name(&a, name, sizeof(name));
		e = end_open_peer(fd, "tx", name);
		end_got(&e, r);
		must(end_sent(&e,
			      sendto(fd, buffer(), peer_bytes(p), 0, (struct sockaddr *)&a, len)),
		     "sendto");
	}
	scene_hold();
	close(fd);
}

static void peers_run(const struct instance *i)
{
	scene_spawn("wg-peers-many", peers_rx, (void *)i);
	scene_spawn("wg-peers-one", peers_tx, (void *)i);
}

static void both_check(const struct instance *i)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	if (tx != rx || tx == 0)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

/* --- answers, refusals, losses --------------------------------------------------------------- */

static void echo_rx(void *arg)
{
	const struct instance *i = arg;
	struct end e = dgram_listen(i);

	for (size_t n = case_bytes(i); n;) {
		struct sockaddr_storage a;
		socklen_t len = sizeof(a);
		size_t k =
			dgram_took(&e, recvfrom(e.fd, room, 65536, 0, (struct sockaddr *)&a, &len),
				   "recvfrom");

		must(end_sent(&e, sendto(e.fd, buffer(), k * 2, 0, (struct sockaddr *)&a, len)),
		     "sendto");
		n -= k;
	}
	scene_hold();
	end_close(&e);
}

static void echo_tx(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	scene_await(SEM_LISTENING);
	e = dgram_connect(i);
	for (size_t n = case_bytes(i); n;) {
		n -= (size_t)must(end_sent(&e, send(e.fd, buffer(), least(n, 60), 0)), "send");
		must(end_got(&e, recv(e.fd, room, 65536, 0)), "recv");
	}
	scene_hold();
	end_close(&e);
}

static void echo_run(const struct instance *i)
{
	scene_spawn("wg-echo-server", echo_rx, (void *)i);
	scene_spawn("wg-echo-client", echo_tx, (void *)i);
}

/* Nobody listens: a send is taken, the next one is told. The error queue gives the refused datagram
 * back, which is not a received byte. */
static void refused_tx(void *arg)
{
	const struct instance *i = arg;
	int fd = net_socket(i->family, SOCK_DGRAM), refusals = 0;
	bool six = i->family == UDP6;
	char control[512];
	struct end e;

	close(fd);
	fd = net_socket(i->family, SOCK_DGRAM);
	*scene_number(NUM_PORT) = net_bind(fd, i->family);
	close(fd);
	e = dgram_connect(i);
	net_set(e.fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVERR : IP_RECVERR, 1);
	for (int k = 0; k < 10; k++) {
		struct iovec v = { room, 2000 };
		struct msghdr m = { .msg_iov = &v,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };

		if (end_sent(&e, send(e.fd, buffer(), 300, 0)) < 0)
			refusals += errno == ECONNREFUSED;
		if (k >= 5)
			continue; /* leaves the error for the next send */
		for (int t = 0; recvmsg(e.fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0 && t < 50; t++)
			usleep(200);
	}
	if (!refusals)
		scene_fail("no send was refused");
	scene_hold();
	end_close(&e);
}

static void refused_run(const struct instance *i)
{
	scene_spawn("wg-udp-refused", refused_tx, (void *)i);
}

/* More than the receive buffer holds: the kernel drops, the sender is not told. */
static void overflow_rx(void *arg)
{
	const struct instance *i = arg;
	struct end e = dgram_listen(i);
	ssize_t r;

	net_set(e.fd, SOL_SOCKET, SO_RCVBUF, 8192);
	scene_post(SEM_A);
	scene_await(SEM_B);
	while ((r = recv(e.fd, room, 65536, MSG_DONTWAIT)) > 0)
		end_got(&e, r);
	scene_hold();
	end_close(&e);
}

static void overflow_tx(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	scene_await(SEM_A);
	e = dgram_connect(i);
	for (int k = 0; k < 100; k++)
		must(end_sent(&e, send(e.fd, buffer(), DATAGRAM, 0)), "send");
	scene_post(SEM_B);
	scene_hold();
	end_close(&e);
}

static void overflow_run(const struct instance *i)
{
	scene_spawn("wg-overflow-rx", overflow_rx, (void *)i);
	scene_spawn("wg-overflow-tx", overflow_tx, (void *)i);
}

static void overflow_check(const struct instance *i)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	if (tx != 100 * DATAGRAM || rx == 0 || rx >= tx)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

#define PEERS(NAME, HELP)                                                         \
	{                                                                         \
		.name = NAME, .help = HELP, .families = IN_UDP, .run = peers_run, \
		.check = both_check                                               \
	}

const struct row dgram_peers_rows[] = {
	PEERS("peers-1", "an unconnected socket and 1 peer"),
	PEERS("peers-10", "an unconnected socket and 10 peers"),
	PEERS("peers-100", "an unconnected socket and 100 peers"),
	{ .name = "echo",
	  .help = "a server that answers with twice as much",
	  .families = IN_UDP,
	  .bytes = 6000,
	  .run = echo_run,
	  .check = both_check },
	{ .name = "refused",
	  .help = "ECONNREFUSED, error queue read",
	  .families = IN_UDP,
	  .run = refused_run },
	{ .name = "overflow",
	  .help = "a receive buffer that is too small",
	  .families = IN_UDP,
	  .run = overflow_run,
	  .check = overflow_check },
	{},
};
