// SPDX-License-Identifier: GPL-2.0-or-later
#include "end.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How connections end, and fail. */

static uint8_t room[BUFFER];

static void abort_connection(struct end *e)
{
	struct linger now = { .l_onoff = 1 };

	must(setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), "SO_LINGER");
	end_close(e);
}

/* Sends without blocking until nothing more fits, for as long as the queues still move. */
static void fill(struct end *e)
{
	must(fcntl(e->fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	for (int full = 0; full < 5;) {
		if (end_sent(e, send(e->fd, buffer(), 100000, 0)) >= 0)
			continue;
		if (errno != EAGAIN)
			must(-1, "send");
		full++;
		sleep_ms(3);
	}
	must(fcntl(e->fd, F_SETFL, 0), "F_SETFL");
}

static void await_readable(int fd, size_t n)
{
	int have = 0;

	for (int t = 0; t < 5000; t++) {
		must(ioctl(fd, FIONREAD, &have), "FIONREAD");
		if ((size_t)have >= n)
			return;
		usleep(200);
	}
	scene_fail("%d of %zu bytes came", have, n);
}

struct end accept_one(const struct instance *i)
{
	int listener = net_listen(i->family, NUM_PORT, 1, 1);
	struct end e = end_open(net_accept(listener), "rx");

	close(listener);
	return e;
}

struct end connect_one(const struct instance *i)
{
	scene_await(SEM_LISTENING);
	return end_open(net_connect(i->family, NUM_PORT), "tx");
}

void spawn_two(const struct instance *i, void (*rx)(void *), void (*tx)(void *))
{
	char name[32];

	snprintf(name, sizeof(name), "wg-er-%s", i->row->name);
	scene_spawn(name, rx, (void *)i);
	snprintf(name, sizeof(name), "wg-et-%s", i->row->name);
	scene_may_die(scene_spawn(name, tx, (void *)i));
}

void expect_sums(const struct instance *i, uint64_t want_tx, uint64_t want_rx)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	if (tx != want_tx || rx != want_rx)
		scene_fault("sent %llu of %llu, received %llu of %llu", (unsigned long long)tx,
			    (unsigned long long)want_tx, (unsigned long long)rx,
			    (unsigned long long)want_rx);
}

/* --- closed with unread bytes ---------------------------------------------------------------- */

static void unread_rx(void *arg)
{
	struct end e = accept_one(arg);

	await_readable(e.fd, 20000);
	rx_recv(&e, 5000);
	scene_hold();
	end_close(&e); /* the kernel answers with a reset */
	scene_post(SEM_A);
}

static void unread_tx(void *arg)
{
	struct end e = connect_one(arg);

	tx_send(&e, 20000);
	scene_hold();
	scene_await(SEM_A);
	for (int t = 0; t < 1000 && end_sent(&e, send(e.fd, buffer(), 0, 0)) == 0; t++)
		usleep(200);
	end_close(&e);
}

static void unread_run(const struct instance *i)
{
	spawn_two(i, unread_rx, unread_tx);
}

static void unread_check(const struct instance *i)
{
	expect_sums(i, 20000, 5000);
}

/* --- aborted --------------------------------------------------------------------------------- */

static void linger_rx(void *arg)
{
	struct end e = accept_one(arg);

	rx_recv(&e, 20000);
	scene_post(SEM_A);
	scene_hold();
	if (recv(e.fd, room, 1, 0) >= 0 || errno != ECONNRESET)
		scene_fail("no reset came");
	end_close(&e);
}

static void linger_tx(void *arg)
{
	struct end e = connect_one(arg);

	tx_send(&e, 20000);
	scene_await(SEM_A);
	scene_hold();
	abort_connection(&e);
}

static void linger_run(const struct instance *i)
{
	spawn_two(i, linger_rx, linger_tx);
}

static void linger_check(const struct instance *i)
{
	expect_sums(i, 20000, 20000);
}

static void unsent_rx(void *arg)
{
	struct end e = accept_one(arg);

	scene_hold();
	scene_await(SEM_A);
	rx_drain(&e);
	end_close(&e);
}

static void unsent_tx(void *arg)
{
	struct end e = connect_one(arg);

	fill(&e);
	scene_hold();
	abort_connection(&e); /* with bytes that never left */
	scene_post(SEM_A);
}

static void unsent_run(const struct instance *i)
{
	spawn_two(i, unsent_rx, unsent_tx);
}

static void unsent_check(const struct instance *i)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	if (tx < 100000 || rx >= tx)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

/* --- killed in a blocked call ---------------------------------------------------------------- */

static void killed_rx(void *arg)
{
	struct end e = accept_one(arg);

	await_readable(e.fd, 10000);
	*scene_number(NUM_A) = 1; /* the sender is full or about to be */
	scene_await(SEM_A);
	rx_drain(&e);
	scene_post(SEM_B);
	scene_hold();
	end_close(&e);
}

static void killed_tx(void *arg)
{
	struct end e = connect_one(arg);

	*scene_number(NUM_B) = scene_truth_index(e.truth) + 1;
	for (;;)
		must(send(e.fd, buffer(), BUFFER, 0), "send"); /* ends in here */
}

/* The sender can't write down what its last call had taken when it was killed; the kernel did not
 * throw any of it away, so it is what the receiver got. */
static void killed_director(void *arg)
{
	pid_t rx = scene_spawn("wg-er-killed", killed_rx, arg);
	pid_t tx = scene_spawn("wg-et-killed", killed_tx, arg);
	uint64_t sent, got;

	scene_may_die(tx);
	scene_await_number(NUM_A, 1);
	sleep_ms(30);
	kill(tx, SIGKILL);
	if (!WIFSIGNALED(scene_wait(tx)))
		scene_fail("the sender was not killed");
	scene_post(SEM_A);
	scene_await(SEM_B);
	truth_sum("rx", &sent, &got);
	scene_truth_at((unsigned)*scene_number(NUM_B) - 1)->tx_bytes = got;
	(void)rx;
	scene_join();
}

static void killed_run(const struct instance *i)
{
	scene_spawn("wg-killer", killed_director, (void *)i);
}

static void killed_check(const struct instance *i)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	/* MPTCP of older kernels begins with a small buffer and lets it grow after a while. */
	if (tx != rx || rx < 30000)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

/* --- inside a call that lasts ---------------------------------------------------------------- */

static void in_call_rx(void *arg)
{
	struct end e = accept_one(arg);

	rx_recv(&e, 50000);
	for (int before = -1, now = 0; before != now; sleep_ms(20)) { /* until the sender stands */
		before = now;
		must(ioctl(e.fd, FIONREAD, &now), "FIONREAD");
	}
	*scene_number(NUM_A) = 1;
	if (scene_options.before)
		scene_pause();
	scene_hold();
	rx_drain(&e);
	end_close(&e);
}

static void in_call_tx(void *arg)
{
	struct end e = connect_one(arg);
	struct iovec v[24];
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 24 };

	/* Over a pause one call reaches from before it to behind it: only the sum is known. */
	snprintf(e.truth->expect, sizeof(e.truth->expect),
		 scene_options.before ? "total" : "remainder:in_call");
	for (int k = 0; k < 24; k++)
		v[k] = (struct iovec){ buffer(), BUFFER };
	scene_in_call(true);
	must(end_sent(&e, sendmsg(e.fd, &m, 0)), "sendmsg");
	scene_in_call(false);
	if (!scene_options.before)
		snprintf(e.truth->expect, sizeof(e.truth->expect), "exact");
	end_close(&e);
}

static void in_call_run(const struct instance *i)
{
	spawn_two(i, in_call_rx, in_call_tx);
}

static void in_call_check(const struct instance *i)
{
	expect_sums(i, 24 * BUFFER, 24 * BUFFER);
}

/* --- half closed ----------------------------------------------------------------------------- */

static void half_rx(void *arg)
{
	struct end e = accept_one(arg);

	rx_recv(&e, 10000);
	expect_end(&e);
	tx_send(&e, 30000);
	scene_hold();
	end_close(&e);
}

static void half_tx(void *arg)
{
	struct end e = connect_one(arg);

	tx_send(&e, 10000);
	must(shutdown(e.fd, SHUT_WR), "shutdown");
	if (send(e.fd, buffer(), 10, 0) >= 0 || errno != EPIPE)
		scene_fail("sending after shutdown() was not refused");
	rx_recv(&e, 30000);
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void half_run(const struct instance *i)
{
	spawn_two(i, half_rx, half_tx);
}

static void half_check(const struct instance *i)
{
	expect_sums(i, 40000, 40000);
}

/* --- read when TCP is through ---------------------------------------------------------------- */

static void late_rx(void *arg)
{
	struct end e = accept_one(arg);

	rx_recv(&e, 100);
	expect_end(&e);
	tx_send(&e, 30000);
	end_close(&e);
	scene_post(SEM_A);
}

/* Both sides have said that they are done, and all has arrived, before the first byte is read. */
static void late_tx(void *arg)
{
	struct end e = connect_one(arg);

	tx_send(&e, 100);
	must(shutdown(e.fd, SHUT_WR), "shutdown");
	scene_await(SEM_A);
	await_readable(e.fd, 30000);
	sleep_ms(20);
	rx_recv(&e, 30000);
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void late_run(const struct instance *i)
{
	spawn_two(i, late_rx, late_tx);
}

static void late_check(const struct instance *i)
{
	expect_sums(i, 30100, 30100);
}

/* --- reset by the peer while bytes wait to be read ------------------------------------------- */

static void reset_rx(void *arg)
{
	struct end e = accept_one(arg);

	await_readable(e.fd, 20000);
	rx_recv(&e, 3000);
	scene_post(SEM_A);
	scene_await(SEM_B);
	scene_hold();
	end_close(&e);
}

static void reset_tx(void *arg)
{
	struct end e = connect_one(arg);

	tx_send(&e, 20000);
	scene_await(SEM_A);
	abort_connection(&e);
	scene_post(SEM_B);
}

static void reset_run(const struct instance *i)
{
	spawn_two(i, reset_rx, reset_tx);
}

static void reset_check(const struct instance *i)
{
	expect_sums(i, 20000, 3000);
}

/* --- sends that fail ------------------------------------------------------------------------- */

static void failures_rx(void *arg)
{
	struct end e = accept_one(arg);

	rx_recv(&e, 100);
	scene_await(SEM_A);
	abort_connection(&e);
	scene_post(SEM_B);
}

static void failures_tx(void *arg)
{
	const struct instance *i = arg;
	int loose = net_socket(i->family, SOCK_STREAM), refused = 0;
	struct end e;

	if (send(loose, buffer(), 100, 0) >= 0)
		scene_fail("a socket without a peer sent");
	close(loose);
	e = connect_one(i);
	tx_send(&e, 100);
	if (end_sent(&e, send(e.fd, (void *)4096, 100, 0)) >= 0 || errno != EFAULT)
		scene_fail("sending from nowhere was not refused");
	if (end_got(&e, recv(e.fd, room, 100, MSG_DONTWAIT)) >= 0 || errno != EAGAIN)
		scene_fail("there was something to read");
	scene_post(SEM_A);
	scene_await(SEM_B);
	for (int k = 0; k < 10; k++)
		refused += end_sent(&e, send(e.fd, buffer(), 1000, 0)) < 0;
	if (refused != 10)
		scene_fail("%d of 10 sends were refused", refused);
	scene_hold();
	end_close(&e);
}

static void failures_run(const struct instance *i)
{
	spawn_two(i, failures_rx, failures_tx);
}

static void failures_check(const struct instance *i)
{
	expect_sums(i, 100, 100);
}

/* --- one socket, two connections ------------------------------------------------------------- */

static void reconnect_rx(void *arg)
{
	const struct instance *i = arg;
	int listener = net_listen(i->family, NUM_PORT, 2, 1);

	for (size_t n = 7000; n <= 8000; n += 1000) {
		struct end e = end_open(net_accept(listener), "rx");

		rx_recv(&e, n);
		tx_send(&e, n / 2);
		scene_post(SEM_A);
		if (n == 8000)
			scene_hold();
		while (recv(e.fd, room, 1, 0) > 0)
			;
		end_close(&e);
	}
	close(listener);
}

static void reconnect_tx(void *arg)
{
	const struct instance *i = arg;
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct end e;

	scene_await(SEM_LISTENING);
	e = end_open(net_socket(i->family, SOCK_STREAM), "tx");
	for (size_t n = 7000; n <= 8000; n += 1000) {
		net_connect_fd(e.fd, i->family, NUM_PORT);
		tx_send(&e, n);
		rx_recv(&e, n / 2);
		scene_await(SEM_A);
		if (n == 8000)
			scene_hold();
		must(connect(e.fd, &none, sizeof(none)), "connect AF_UNSPEC");
	}
	end_close(&e);
}

static void reconnect_run(const struct instance *i)
{
	spawn_two(i, reconnect_rx, reconnect_tx);
}

static void reconnect_check(const struct instance *i)
{
	expect_sums(i, 22500, 22500);
}

#define ROW(NAME, PREFIX, FAMILIES, CHECK, HELP)                                       \
	{                                                                              \
		.name = NAME, .help = HELP, .families = FAMILIES, .run = PREFIX##_run, \
		.check = CHECK                                                         \
	}

const struct row end_rows[] = {
	ROW("unread", unread, IN_TCP | IN(MPTCP4), unread_check, "closed with unread bytes"),
	ROW("linger", linger, IN_TCP, linger_check, "aborted with SO_LINGER 0, all read"),
	ROW("unsent", unsent, IN_TCP, unsent_check, "aborted with unsent bytes"),
	ROW("killed", killed, IN_TCP | IN(MPTCP4), killed_check, "SIGKILL inside a blocked send()"),
	{ .name = "in-call",
	  .help = "a sendmsg() that has not returned yet",
	  .families = IN_TCP,
	  .flags = ONLY_STOPPED | CAN_PAUSE,
	  .run = in_call_run,
	  .check = in_call_check },
	ROW("half-close", half, IN_TCP | IN(MPTCP4) | IN(UNIX), half_check,
	    "shutdown(), then bytes the other way"),
	ROW("late-read", late, IN_TCP | IN(MPTCP4), late_check, "read after both sides are done"),
	ROW("reset-unread", reset, IN_TCP, reset_check, "reset by the peer with bytes unread"),
	ROW("failures", failures, IN_TCP, failures_check,
	    "EPIPE, EFAULT, EAGAIN, ENOTCONN: no byte"),
	ROW("reconnect", reconnect, IN_TCP, reconnect_check, "one socket connects twice"),
	{},
};
