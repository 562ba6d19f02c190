// SPDX-License-Identifier: GPL-2.0-or-later
#include "end.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that nobody answers, and segments that are lost: a filter on the receiving socket
 * throws away what arrives, which looks like a dead network from the other side and needs no
 * rights. */

static uint8_t room[BUFFER];

/* --- refused, timed out ---------------------------------------------------------------------- */

static void refused_tx(void *arg)
{
	const struct instance *i = arg;
	int fd = net_socket(i->family, SOCK_STREAM);
	struct sockaddr_storage a;
	socklen_t n;
	struct end e;

	*scene_number(NUM_PORT) = net_bind(fd, i->family); /* taken, but nobody listens */
	e = end_open(net_socket(i->family, SOCK_STREAM), "tx");
	n = net_address(i->family, (uint32_t)*scene_number(NUM_PORT), &a);
	if (connect(e.fd, (struct sockaddr *)&a, n) == 0 || errno != ECONNREFUSED)
		scene_fail("connect was not refused");
	scene_hold();
	end_close(&e);
	close(fd);
}

static void refused_run(const struct instance *i)
{
	scene_spawn("wg-refused", refused_tx, (void *)i);
}

/* A socket that throws away all that arrives: the network seen from the other side is dead. */
static void deafen(int fd, bool on)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog f = { .len = 1, .filter = &none };

	if (on)
		must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof(f)),
		     "SO_ATTACH_FILTER");
	else
		must(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &f, sizeof(f)),
		     "SO_DETACH_FILTER");
}

static void unanswered_tx(void *arg)
{
	const struct instance *i = arg;
	int listener = net_listen(i->family, NUM_PORT, 1, 0);
	struct sockaddr_storage a;
	socklen_t n = net_address(i->family, (uint32_t)*scene_number(NUM_PORT), &a);
	struct end e = end_open(net_socket(i->family, SOCK_STREAM), "tx");

	deafen(listener, true);
	net_set(e.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 200);
	net_set(e.fd, IPPROTO_TCP, TCP_SYNCNT, 1);
	if (connect(e.fd, (struct sockaddr *)&a, n) == 0 || errno != ETIMEDOUT)
		scene_fail("connect did not time out: %s", strerror(errno));
	scene_hold();
	end_close(&e);
	close(listener);
}

static void unanswered_run(const struct instance *i)
{
	scene_spawn("wg-unanswered", unanswered_tx, (void *)i);
}

static void deaf_rx(void *arg)
{
	struct end e = accept_one(arg);

	rx_recv(&e, 1000);
	deafen(e.fd, true);
	scene_post(SEM_A);
	scene_await(SEM_B);
	scene_hold();
	end_close(&e);
}

static void deaf_tx(void *arg)
{
	struct end e = connect_one(arg);

	tx_send(&e, 1000);
	scene_await(SEM_A);
	net_set(e.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 500);
	tx_send(&e, 2000);
	/* Nothing acknowledges: sent again and again, then given up. */
	if (recv(e.fd, room, 1, 0) >= 0 || errno != ETIMEDOUT)
		scene_fail("the connection did not time out");
	scene_post(SEM_B);
	scene_hold();
	end_close(&e);
}

static void deaf_run(const struct instance *i)
{
	spawn_two(i, deaf_rx, deaf_tx);
}

static void deaf_check(const struct instance *i)
{
	expect_sums(i, 3000, 1000);
}

static void again_rx(void *arg)
{
	struct end e = accept_one(arg);

	rx_recv(&e, 1000);
	deafen(e.fd, true);
	scene_post(SEM_A);
	sleep_ms(300);
	deafen(e.fd, false);
	rx_recv(&e, 50000);
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void again_tx(void *arg)
{
	struct end e = connect_one(arg);
	struct tcp_info info = {};
	socklen_t n = sizeof(info);

	tx_send(&e, 1000);
	scene_await(SEM_A);
	tx_send(&e, 50000);
	for (int t = 0; t < 1000; t++) {
		must(getsockopt(e.fd, IPPROTO_TCP, TCP_INFO, &info, &n), "TCP_INFO");
		if (info.tcpi_unacked == 0)
			break;
		usleep(2000);
	}
	if (!info.tcpi_total_retrans)
		scene_fail("nothing was sent again");
	scene_hold();
	end_close(&e);
}

static void again_run(const struct instance *i)
{
	spawn_two(i, again_rx, again_tx);
}

static void again_check(const struct instance *i)
{
	expect_sums(i, 51000, 51000);
}

#define ROW(NAME, PREFIX, FAMILIES, CHECK, HELP)                                       \
	{                                                                              \
		.name = NAME, .help = HELP, .families = FAMILIES, .run = PREFIX##_run, \
		.check = CHECK                                                         \
	}

const struct row lost_rows[] = {
	ROW("refused", refused, IN_TCP, NULL, "connect() refused"),
	ROW("unanswered", unanswered, IN_TCP, NULL, "connect() times out"),
	ROW("deaf", deaf, IN_TCP, deaf_check, "the connection times out with bytes unacknowledged"),
	ROW("again", again, IN_TCP, again_check, "segments lost and sent again"),
	{},
};
