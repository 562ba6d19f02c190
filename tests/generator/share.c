// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cases.h"

/* One socket in several hands: each byte belongs to the process that called. */

/* The other side of a case: takes n bytes and answers with m. */
static void far_side(const struct instance *i, size_t n, size_t m)
{
	int listener = net_listen(i->family, NUM_PORT, 1, 1);
	struct end e = end_open(net_accept(listener), "far");

	close(listener);
	rx_recv(&e, n);
	tx_send(&e, m);
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static int near_connect(const struct instance *i)
{
	scene_await(SEM_LISTENING);
	return net_connect(i->family, NUM_PORT);
}

static void check_sums(const struct instance *i)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	if (tx != rx || tx == 0)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

/* --- inherited ------------------------------------------------------------------------------- */

static int shared_fd;

static void fork_far(void *arg)
{
	far_side(arg, 4000 + 7000 + 5000, 9000);
}

static void fork_child(void *arg)
{
	struct end e = end_open(shared_fd, "child");

	(void)arg;
	tx_send(&e, 7000);
	scene_post(SEM_A);
	scene_await(SEM_B);
	rx_recv(&e, 6000);
	scene_hold();
	end_close(&e);
}

/* Parent, child, parent again send; then both read. */
static void fork_parent(void *arg)
{
	struct end e;

	shared_fd = near_connect(arg);
	e = end_open(shared_fd, "parent");
	tx_send(&e, 4000);
	scene_spawn("wg-fork-child", fork_child, arg);
	scene_await(SEM_A);
	tx_send(&e, 5000);
	rx_recv(&e, 3000);
	scene_post(SEM_B);
	scene_hold();
	scene_join();
	end_close(&e);
}

static void fork_run(const struct instance *i)
{
	scene_spawn("wg-fork-far", fork_far, (void *)i);
	scene_spawn("wg-fork-parent", fork_parent, (void *)i);
}

/* The parent is gone before the child uses what it inherited. */
static void heir_far(void *arg)
{
	far_side(arg, 4000 + 7000, 2000);
}

static void heir_child(void *arg)
{
	struct end e = end_open(shared_fd, "child");

	(void)arg;
	scene_await(SEM_A); /* posted once the parent's part is over */
	tx_send(&e, 7000);
	rx_recv(&e, 2000);
	scene_hold();
	end_close(&e);
}

static void heir_parent(void *arg)
{
	struct end e;

	shared_fd = near_connect(arg);
	e = end_open(shared_fd, "parent");
	tx_send(&e, 4000);
	scene_spawn("wg-heir-child", heir_child, arg);
	end_close(&e);
	scene_post(SEM_A);
	scene_join();
}

static void heir_run(const struct instance *i)
{
	scene_spawn("wg-heir-far", heir_far, (void *)i);
	scene_spawn("wg-heir-parent", heir_parent, (void *)i);
}

/* --- passed ---------------------------------------------------------------------------------- */

static void pass_far(void *arg)
{
	far_side(arg, 4000 + 7000, 2000);
}

static void pass_fd(struct end *over, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	char c = 'x';
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	must(end_sent(over, sendmsg(over->fd, &m, 0)), "sendmsg SCM_RIGHTS");
}

static int take_fd(struct end *over)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char c;
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	int fd = -1;

	must(end_got(over, recvmsg(over->fd, &m, MSG_CMSG_CLOEXEC)), "recvmsg SCM_RIGHTS");
	if (CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	if (fd < 0)
		scene_fail("no descriptor came");
	return fd;
}

static int pass_pair[2];

static void pass_taker(void *arg)
{
	struct end over = end_open(pass_pair[1], "taker-unix"), e;

	(void)arg;
	close(pass_pair[0]);
	e = end_open(take_fd(&over), "taker");
	tx_send(&e, 7000);
	rx_recv(&e, 2000);
	scene_hold();
	end_close(&e);
	end_close(&over);
}

static void pass_giver(void *arg)
{
	struct end over, e;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pass_pair), "socketpair");
	scene_spawn("wg-pass-taker", pass_taker, arg);
	close(pass_pair[1]);
	over = end_open(pass_pair[0], "giver-unix");
	e = end_open(near_connect(arg), "giver");
	tx_send(&e, 4000);
	pass_fd(&over, e.fd);
	end_close(&e);
	scene_hold();
	scene_join();
	end_close(&over);
}

static void pass_run(const struct instance *i)
{
	scene_spawn("wg-pass-far", pass_far, (void *)i);
	scene_spawn("wg-pass-giver", pass_giver, (void *)i);
}

/* Taken without being given: pidfd_getfd(). */
static void steal_thief(void *arg)
{
	struct end e;
	int pidfd, fd;

	(void)arg;
	scene_await(SEM_A);
	pidfd = (int)must(syscall(SYS_pidfd_open, (pid_t)*scene_number(NUM_A), 0), "pidfd_open");
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)*scene_number(NUM_B), 0);
	if (fd < 0)
		scene_skip("pidfd_getfd: %s", strerror(errno));
	close(pidfd);
	e = end_open(fd, "thief");
	tx_send(&e, 7000);
	rx_recv(&e, 2000);
	scene_post(SEM_B);
	scene_hold();
	end_close(&e);
}

static void steal_owner(void *arg)
{
	struct end e = end_open(near_connect(arg), "owner");

	tx_send(&e, 4000);
	*scene_number(NUM_A) = (uint64_t)getpid();
	*scene_number(NUM_B) = (uint64_t)e.fd;
	scene_post(SEM_A);
	scene_await(SEM_B);
	scene_hold();
	end_close(&e);
}

static void steal_run(const struct instance *i)
{
	scene_spawn("wg-steal-far", pass_far, (void *)i);
	scene_spawn("wg-steal-owner", steal_owner, (void *)i);
	scene_spawn("wg-steal-thief", steal_thief, (void *)i);
}

/* --- servers that share a listener ----------------------------------------------------------- */

#define WORKERS 4
#define VISITS 12

static void prefork_worker(void *arg)
{
	struct end e;

	(void)arg;
	for (;;) {
		int fd = accept4(shared_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			break; /* the listener was shut */
		e = end_open(fd, "worker");
		rx_recv(&e, 500);
		tx_send(&e, 1500);
		scene_post(SEM_A);
		rx_drain(&e);
		end_close(&e);
	}
	scene_hold();
}

static void prefork_master(void *arg)
{
	const struct instance *i = arg;
	char name[16];

	shared_fd = net_listen(i->family, NUM_PORT, VISITS, 1);
	for (int w = 0; w < WORKERS; w++) {
		snprintf(name, sizeof(name), "wg-worker-%d", w);
		scene_spawn(name, prefork_worker, arg);
	}
	scene_await(SEM_B);
	must(shutdown(shared_fd, SHUT_RDWR), "shutdown");
	scene_hold();
	scene_join();
	close(shared_fd);
}

static void prefork_client(void *arg)
{
	const struct instance *i = arg;

	scene_await(SEM_LISTENING);
	for (int v = 0; v < VISITS; v++) {
		struct end e = end_open(net_connect(i->family, NUM_PORT), "client");

		tx_send(&e, 500);
		rx_recv(&e, 1500);
		scene_await(SEM_A);
		end_close(&e);
	}
	scene_post(SEM_B);
	scene_hold();
}

static void prefork_run(const struct instance *i)
{
	scene_spawn("wg-master", prefork_master, (void *)i);
	scene_spawn("wg-visitor", prefork_client, (void *)i);
}

/* --- threads --------------------------------------------------------------------------------- */

#define THREADS 4

static void threads_far(void *arg)
{
	far_side(arg, THREADS * 5000, THREADS * 3000);
}

static void *thread_both_ways(void *arg)
{
	struct end *e = arg;

	pthread_setname_np(pthread_self(), "wg-not-leader");
	tx_send(e, 5000);
	rx_recv(e, 3000);
	return NULL;
}

static void threads_near(void *arg)
{
	struct end e = end_open(near_connect(arg), "threads");
	pthread_t t[THREADS];

	for (int k = 0; k < THREADS; k++)
		if (pthread_create(&t[k], NULL, thread_both_ways, &e))
			scene_fail("pthread_create");
	for (int k = 0; k < THREADS; k++)
		pthread_join(t[k], NULL);
	scene_hold();
	end_close(&e);
}

static void threads_run(const struct instance *i)
{
	scene_spawn("wg-threads-far", threads_far, (void *)i);
	scene_spawn("wg-threads", threads_near, (void *)i);
}

/* The leader has gone, a thread carries on: the process still has the leader's name. */
static void *orphan_thread(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	pthread_setname_np(pthread_self(), "wg-not-leader");
	sleep_ms(5);
	e = end_open(near_connect(i), "orphan");
	tx_send(&e, 4000 + 7000);
	rx_recv(&e, 2000);
	scene_hold();
	end_close(&e);
	_exit(0);
}

static void leaderless_near(void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, orphan_thread, arg))
		scene_fail("pthread_create");
	pthread_exit(NULL);
}

static void leaderless_run(const struct instance *i)
{
	scene_spawn("wg-leader-far", pass_far, (void *)i);
	scene_spawn("wg-leader-gone", leaderless_near, (void *)i);
}

#define ROW(NAME, PREFIX, FAMILIES, HELP)                                              \
	{                                                                              \
		.name = NAME, .help = HELP, .families = FAMILIES, .run = PREFIX##_run, \
		.check = check_sums                                                    \
	}

const struct row share_rows[] = {
	ROW("fork", fork, IN_TCP | IN(MPTCP4) | IN(UNIX), "parent and child on one socket"),
	ROW("heir", heir, IN_TCP, "a child goes on where its parent stopped"),
	ROW("pass", pass, IN_TCP | IN(MPTCP4), "passed over SCM_RIGHTS"),
	ROW("steal", steal, IN(TCP4), "taken by pidfd_getfd()"),
	ROW("prefork", prefork, IN_TCP, "several workers accept from one listener"),
	ROW("threads", threads, IN_TCP, "threads on one socket, none of them the leader"),
	ROW("leaderless", leaderless, IN_TCP, "the leader has exited, a thread goes on"),
	{},
};
