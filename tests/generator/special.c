// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cases.h"

/* TCP fast open, MPTCP that falls back, socket maps, and what only a pause shows. */

static void check_sums(const struct instance *i)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	if (tx != rx || tx == 0)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

/* --- TCP fast open --------------------------------------------------------------------------- */

static void allow_fast_open(void)
{
	int fd = (int)must(open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY | O_CLOEXEC),
			   "tcp_fastopen");

	/* Both sides, without cookies: 1 client, 2 server, 4 client and 0x200 server need no
	 * cookie. */
	must(write(fd, "519\n", 4), "tcp_fastopen");
	close(fd);
}

static void fast_open_rx(void *arg)
{
	const struct instance *i = arg;
	int listener = net_socket(i->family, SOCK_STREAM);
	struct end e;

	allow_fast_open();
	*scene_number(NUM_PORT) = net_bind(listener, i->family);
	net_set(listener, IPPROTO_TCP, TCP_FASTOPEN, 5);
	must(listen(listener, 5), "listen");
	scene_post(SEM_LISTENING);
	e = end_open(net_accept(listener), "rx");
	close(listener);
	rx_recv(&e, case_bytes(i));
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void fast_open_tx(void *arg)
{
	const struct instance *i = arg;
	int fd = net_socket(i->family, SOCK_STREAM);
	struct sockaddr_storage a;
	struct tcp_info info = {};
	socklen_t n;
	struct end e;
	ssize_t r;

	scene_await(SEM_LISTENING);
	n = net_address(i->family, (uint32_t)*scene_number(NUM_PORT), &a);
	e = end_open(fd, "tx");
	if (strcmp(i->row->name, "fast-open") == 0) {
		r = must(end_sent(&e, sendto(fd, buffer(), 500, MSG_FASTOPEN, (struct sockaddr *)&a,
					     n)),
			 "sendto MSG_FASTOPEN");
	} else {
		net_set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
		must(connect(fd, (struct sockaddr *)&a, n), "connect"); /* does nothing yet */
		r = must(end_sent(&e, write(fd, buffer(), 500)), "write");
	}
	tx_send(&e, case_bytes(i) - (size_t)r);
	n = sizeof(info);
	must(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n), "TCP_INFO");
	if (!(info.tcpi_options & 32)) /* TCPI_OPT_SYN_DATA */
		scene_fail("the SYN carried no data");
	scene_hold();
	end_close(&e);
}

static void fast_open_run(const struct instance *i)
{
	scene_spawn("wg-fastopen-rx", fast_open_rx, (void *)i);
	scene_spawn("wg-fastopen-tx", fast_open_tx, (void *)i);
}

/* --- MPTCP that meets plain TCP -------------------------------------------------------------- */

static bool client_is_mptcp(const struct instance *i)
{
	return strcmp(i->row->name, "mptcp-client") == 0;
}

static void fallback_rx(void *arg)
{
	const struct instance *i = arg;
	int listener = net_listen(client_is_mptcp(i) ? TCP4 : MPTCP4, NUM_PORT, 1, 1);
	struct end e = end_open(net_accept(listener), "rx");

	close(listener);
	rx_recv(&e, 30000);
	tx_send(&e, 10000);
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void fallback_tx(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	scene_await(SEM_LISTENING);
	e = end_open(net_connect(client_is_mptcp(i) ? MPTCP4 : TCP4, NUM_PORT), "tx");
	tx_send(&e, 30000);
	rx_recv(&e, 10000);
	scene_hold();
	end_close(&e);
}

static void fallback_run(const struct instance *i)
{
	scene_spawn("wg-fallback-rx", fallback_rx, (void *)i);
	scene_spawn("wg-fallback-tx", fallback_tx, (void *)i);
}

/* --- socket map ------------------------------------------------------------------------------ */

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int map_fd;

/* A program that hands each message straight to the socket at key 1, past TCP. */
static void sockmap_load(void)
{
	struct bpf_insn program[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 2, .src_reg = BPF_PSEUDO_MAP_FD },
		{ .code = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 4, .imm = BPF_F_INGRESS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_msg_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_SOCKMAP, .key_size = 4, .value_size = 4, .max_entries = 2
	};
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_SK_MSG,
				.insns = (uint64_t)(uintptr_t)program,
				.insn_cnt = sizeof(program) / sizeof(program[0]),
				.license = (uint64_t)(uintptr_t) "GPL" };
	union bpf_attr attach = { .attach_type = BPF_SK_MSG_VERDICT };

	map_fd = bpf(BPF_MAP_CREATE, &map);
	if (map_fd < 0)
		scene_skip("a socket map: %s", strerror(errno));
	program[0].imm = map_fd;
	attach.target_fd = (uint32_t)map_fd;
	attach.attach_bpf_fd = (uint32_t)bpf(BPF_PROG_LOAD, &load);
	if ((int)attach.attach_bpf_fd < 0)
		scene_skip("a program for a socket map: %s", strerror(errno));
	must(bpf(BPF_PROG_ATTACH, &attach), "BPF_PROG_ATTACH");
	close((int)attach.attach_bpf_fd);
}

static void sockmap_put(uint32_t key, int fd)
{
	union bpf_attr put = { .map_fd = (uint32_t)map_fd,
			       .key = (uint64_t)(uintptr_t)&key,
			       .value = (uint64_t)(uintptr_t)&fd };

	must(bpf(BPF_MAP_UPDATE_ELEM, &put), "BPF_MAP_UPDATE_ELEM");
}

static void sockmap_rx(void *arg)
{
	const struct instance *i = arg;
	int listener = net_listen(i->family, NUM_PORT, 1, 1);
	struct end e = end_open(net_accept(listener), "rx");

	close(listener);
	sockmap_put(1, e.fd);
	scene_post(SEM_A);
	rx_recv(&e, case_bytes(i));
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void sockmap_tx(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	scene_await(SEM_LISTENING);
	e = end_open(net_connect(i->family, NUM_PORT), "tx");
	scene_await(SEM_A);
	sockmap_put(0, e.fd);
	tx_send(&e, case_bytes(i));
	scene_hold();
	end_close(&e);
}

static void sockmap_director(void *arg)
{
	sockmap_load();
	scene_spawn("wg-sockmap-rx", sockmap_rx, arg);
	scene_spawn("wg-sockmap-tx", sockmap_tx, arg);
	scene_join();
}

static void sockmap_run(const struct instance *i)
{
	scene_spawn("wg-sockmap", sockmap_director, (void *)i);
}

/* --- urgent data ----------------------------------------------------------------------------- */

enum urgent { URGENT_READ, URGENT_UNREAD, URGENT_INLINE };

static enum urgent urgent_kind(const struct instance *i)
{
	if (strcmp(i->row->name, "urgent") == 0)
		return URGENT_READ;
	return strcmp(i->row->name, "urgent-unread") == 0 ? URGENT_UNREAD : URGENT_INLINE;
}

static void urgent_rx(void *arg)
{
	const struct instance *i = arg;
	enum urgent kind = urgent_kind(i);
	int listener = net_listen(i->family, NUM_PORT, 1, 0);
	struct end e;
	char c;

	if (kind == URGENT_INLINE)
		net_set(listener, SOL_SOCKET, SO_OOBINLINE, 1);
	scene_post(SEM_LISTENING);
	e = end_open(net_accept(listener), "rx");
	close(listener);
	scene_await(SEM_A); /* everything was sent */
	sleep_ms(5);
	if (kind == URGENT_READ)
		must(end_got(&e, recv(e.fd, &c, 1, MSG_OOB)), "recv MSG_OOB");
	rx_recv(&e, kind == URGENT_INLINE ? 2001 : 2000);
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void urgent_tx(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	scene_await(SEM_LISTENING);
	e = end_open(net_connect(i->family, NUM_PORT), "tx");
	tx_send(&e, 1000);
	must(end_sent(&e, send(e.fd, "!", 1, MSG_OOB)), "send MSG_OOB");
	tx_send(&e, 1000);
	scene_post(SEM_A);
	scene_hold();
	end_close(&e);
}

static void urgent_run(const struct instance *i)
{
	scene_spawn("wg-urgent-rx", urgent_rx, (void *)i);
	scene_spawn("wg-urgent-tx", urgent_tx, (void *)i);
}

static void urgent_check(const struct instance *i)
{
	uint64_t want = urgent_kind(i) == URGENT_UNREAD ? 2000 : 2001, tx, rx;

	truth_sum(NULL, &tx, &rx);
	if (tx != 2001 || rx != want)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

/* --- what lies unread when weir comes -------------------------------------------------------- */

static void waiting_rx(void *arg)
{
	const struct instance *i = arg;
	int listener = net_listen(i->family, NUM_PORT, 1, 1), have = 0;
	struct end e = end_open(net_accept(listener), "rx");

	close(listener);
	while (have < 30000)
		must(ioctl(e.fd, FIONREAD, &have), "FIONREAD");
	rx_recv(&e, 10000);
	scene_pause();
	rx_recv(&e, 20000 + 5000);
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void waiting_tx(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	scene_await(SEM_LISTENING);
	e = end_open(net_connect(i->family, NUM_PORT), "tx");
	tx_send(&e, 30000);
	scene_pause();
	tx_send(&e, 5000);
	scene_hold();
	end_close(&e);
}

static void waiting_run(const struct instance *i)
{
	scene_spawn("wg-waiting-rx", waiting_rx, (void *)i);
	scene_spawn("wg-waiting-tx", waiting_tx, (void *)i);
}

/* A recv() that began before the pause and returns behind it. */
static void blocked_rx(void *arg)
{
	const struct instance *i = arg;
	int listener = net_listen(i->family, NUM_PORT, 1, 1);
	struct end e = end_open(net_accept(listener), "rx");

	close(listener);
	scene_in_call(true);
	rx_recv(&e, 5000);
	scene_in_call(false);
	scene_hold();
	expect_end(&e);
	end_close(&e);
}

static void blocked_tx(void *arg)
{
	const struct instance *i = arg;
	struct end e;

	scene_await(SEM_LISTENING);
	e = end_open(net_connect(i->family, NUM_PORT), "tx");
	sleep_ms(20);
	scene_pause();
	tx_send(&e, 5000);
	scene_hold();
	end_close(&e);
}

static void blocked_run(const struct instance *i)
{
	scene_spawn("wg-blocked-rx", blocked_rx, (void *)i);
	scene_spawn("wg-blocked-tx", blocked_tx, (void *)i);
}

#define ROW(NAME, PREFIX, FAMILIES, FLAGS, BYTES, CHECK, HELP)                                    \
	{                                                                                         \
		.name = NAME, .help = HELP, .families = FAMILIES, .flags = FLAGS, .bytes = BYTES, \
		.run = PREFIX##_run, .check = CHECK                                               \
	}

const struct row special_rows[] = {
	ROW("fast-open", fast_open, IN_TCP, NEEDS_ROOT | OWN_NETNS, 20000, check_sums,
	    "MSG_FASTOPEN"),
	ROW("fast-open-connect", fast_open, IN_TCP, NEEDS_ROOT | OWN_NETNS, 20000, check_sums,
	    "TCP_FASTOPEN_CONNECT"),
	ROW("mptcp-client", fallback, 0, 0, 0, check_sums, "an MPTCP client, a TCP server"),
	ROW("mptcp-server", fallback, 0, 0, 0, check_sums, "a TCP client, an MPTCP server"),
	ROW("sockmap", sockmap, IN_TCP, NEEDS_ROOT, 100003, check_sums,
	    "redirected by a socket map"),
	ROW("urgent", urgent, IN_TCP, 0, 0, urgent_check, "urgent byte, read by MSG_OOB"),
	ROW("urgent-unread", urgent, IN_TCP, 0, 0, urgent_check, "urgent byte that nobody reads"),
	ROW("urgent-inline", urgent, IN_TCP, 0, 0, urgent_check, "urgent byte in line"),
	ROW("waiting", waiting, IN_TCP | IN(MPTCP4), ONLY_STOPPED | CAN_PAUSE, 0, check_sums,
	    "bytes unread at the pause"),
	ROW("blocked", blocked, IN_TCP | IN(MPTCP4), ONLY_STOPPED | CAN_PAUSE, 0, check_sums,
	    "a recv() that spans the pause"),
	{},
};
