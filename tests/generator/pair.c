// SPDX-License-Identifier: GPL-2.0-or-later
#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One TCP-like connection, one process at each end, bytes from tx to rx: each way to send
 * (pair_tx.c) against a plain receiver, and each way to receive (pair_rx.c) against a plain sender.
 */

/* --- the two processes ----------------------------------------------------------------------- */

static uint64_t after_bytes(const struct instance *i)
{
	return scene_options.after_bytes ? scene_options.after_bytes : case_bytes(i);
}

static void pair_rx(void *arg)
{
	const struct instance *i = arg;
	int listener = net_listen(i->family, NUM_PORT, 1, 1);
	struct end e = end_open(net_accept(listener), "rx");

	close(listener);
	if (i->row->rx_expect)
		snprintf(e.truth->expect, sizeof(e.truth->expect), "%s", i->row->rx_expect);
	i->row->rx(&e, case_bytes(i));
	if (scene_options.before) {
		scene_pause();
		i->row->rx(&e, after_bytes(i));
	}
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void pair_tx(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	scene_await(SEM_LISTENING);
	e = end_open(net_connect(i->family, NUM_PORT), "tx");
	if (i->row->tx_expect)
		snprintf(e.truth->expect, sizeof(e.truth->expect), "%s", i->row->tx_expect);
	i->row->tx(&e, case_bytes(i));
	if (scene_options.before) {
		scene_pause();
		i->row->tx(&e, after_bytes(i));
	}
	scene_hold();
	end_close(&e);
}

void pair_run(const struct instance *i)
{
	char name[32];

	snprintf(name, sizeof(name), "wg-rx-%s", i->row->name);
	scene_spawn(name, pair_rx, (void *)i);
	snprintf(name, sizeof(name), "wg-tx-%s", i->row->name);
	scene_spawn(name, pair_tx, (void *)i);
}

void pair_check(const struct instance *i)
{
	uint64_t want = case_bytes(i) + (scene_options.before ? after_bytes(i) : 0);
	uint64_t tx, rx;

	truth_sum("tx", &tx, &rx);
	if (tx != want || rx != 0)
		scene_fault("the sender sent %llu and received %llu of %llu",
			    (unsigned long long)tx, (unsigned long long)rx,
			    (unsigned long long)want);
	truth_sum("rx", &tx, &rx);
	if (rx != want || tx != 0)
		scene_fault("the receiver received %llu and sent %llu of %llu",
			    (unsigned long long)rx, (unsigned long long)tx,
			    (unsigned long long)want);
}

void expect_end(struct end *e)
{
	char c;
	ssize_t r = must(recv(e->fd, &c, 1, 0), "recv at the end");

	if (end_got(e, r) != 0)
		scene_fail("more came than was sent");
}

/* --- the kernel's own asynchronous calls ---------------------------------------------------------
 */

ssize_t aio_call(aio_context_t context, int fd, uint16_t opcode, size_t n)
{
	struct iocb cb = {
		.aio_fildes = (uint32_t)fd,
		.aio_lio_opcode = opcode,
		.aio_buf = (uint64_t)(uintptr_t)buffer(),
		.aio_nbytes = n,
	};
	struct iocb *list[] = { &cb };
	struct io_event done;

	must(syscall(SYS_io_submit, context, 1, list), "io_submit");
	must(syscall(SYS_io_getevents, context, 1, 1, &done, NULL), "io_getevents");
	if (done.res < 0)
		errno = (int)-done.res;
	return done.res < 0 ? -1 : (ssize_t)done.res;
}

aio_context_t aio_open(void)
{
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 1, &context) < 0)
		scene_skip("io_setup: %s", strerror(errno));
	return context;
}
