// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_bench.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define FILL_MAX 4096 /* datagrams: more than the smallest receive buffer holds */
#define FRAME_BYTES 64

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* --- a full socket -------------------------------------------------------------------------------- */

uint32_t drops_full_lost(const struct drops_full *f)
{
	uint32_t info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	if (getsockopt(f->to, SOL_SOCKET, SO_MEMINFO, info, &len) < 0 || len < sizeof(info))
		return 0;
	return info[SK_MEMINFO_DROPS];
}

int drops_full_lose(const struct drops_full *f)
{
	ssize_t n = send(f->from, "", 1, 0);

	return n == 1 ? 0 : n < 0 ? -errno : -EIO;
}

/* The kernel takes the call's bytes for so many datagrams only where the socket ends, and each of them is lost there. */
int drops_full_lose_many(const struct drops_full *f)
{
	static const char bytes[DROPS_PER_CALL];
	char control[CMSG_SPACE(sizeof(uint16_t))] __attribute__((aligned(8))) = {};
	struct iovec of = { (void *)bytes, sizeof(bytes) };
	struct msghdr message = { .msg_iov = &of, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	ssize_t n;

	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
	*(uint16_t *)CMSG_DATA(c) = 1;
	n = sendmsg(f->from, &message, 0);
	return n == sizeof(bytes) ? 0 : n < 0 ? -errno : -EIO;
}

static int connect_to(int from, int to)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int smallest = 1;

	if (setsockopt(to, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)) < 0 ||
	    bind(to, (struct sockaddr *)&at, sizeof(at)) < 0 || getsockname(to, (struct sockaddr *)&at, &len) < 0 ||
	    connect(from, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return 0;
}

int drops_full_open(struct drops_full *ret)
{
	int r;

	ret->from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ret->to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = ret->from < 0 || ret->to < 0 ? -errno : connect_to(ret->from, ret->to);
	for (unsigned i = 0; r == 0 && i < FILL_MAX && !drops_full_lost(ret); i++)
		r = drops_full_lose(ret);
	if (r == 0 && !drops_full_lost(ret))
		r = -EOPNOTSUPP;
	return r;
}

void drops_full_close(struct drops_full *f)
{
	weir_closep(&f->from);
	weir_closep(&f->to);
}

/* --- frames --------------------------------------------------------------------------------------- */

int drops_frames_lose(int program_fd)
{
	/* to loopback's own address, from a local one, of the first protocol for experiments (IEEE 802) */
	static const unsigned char frame[FRAME_BYTES] = { [6] = 2, [12] = 0x88, [13] = 0xb5 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .repeat = DROPS_PER_RUN,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(program_fd, &opts) < 0 ? -errno : 0;
}
