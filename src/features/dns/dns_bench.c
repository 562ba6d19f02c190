// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/dns/dns_bench.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "core/probe.h"
#include "features/dns/dns_bench.skel.h"
#include "features/dns/dns_kernel.h"

/* Two sockets of this thread play ping-pong over loopback with nothing on the hook, with an empty program and with
 * weir's, in turn. Three kinds of sockets, since each takes another way through weir's program. */

#define BYTES 32
#define BATCH 32
#define BATCHES_MAX 4096
#define QUIET 0.2 /* a slice's number: most of its batches were not the ones that something came in between */

enum { NONE, EMPTY, WEIR };
enum { TCP, UDP, UDP_OPEN, _KINDS };

static const struct {
	const char *name, *about;
	int type;
	bool connected;
} kinds[] = {
	[TCP] = { "tcp", "TCP", SOCK_STREAM, true },
	[UDP] = { "udp", "UDP, connected", SOCK_DGRAM, true },
	[UDP_OPEN] = { "udp_open", "UDP, not connected", SOCK_DGRAM, false },
};
_Static_assert(ARRAY_SIZE(kinds) == _KINDS, "each has its row");

struct dns_bench_end {
	int fd;
	struct sockaddr_in at;
};

struct dns_bench_hook {
	const struct weir_bench *b;
	struct dns_bench_end ends[_KINDS][2];
	struct bpf_program *programs[3];
	struct bpf_link *link;
	int cgroup_fd;
	uint64_t slice_ns;
};

/* --- sockets --------------------------------------------------------------------------------- */

static int open_end(int type, struct dns_bench_end *ret)
{
	socklen_t len = sizeof(ret->at);

	ret->at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	ret->fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (ret->fd < 0 || bind(ret->fd, (struct sockaddr *)&ret->at, len) < 0 ||
	    getsockname(ret->fd, (struct sockaddr *)&ret->at, &len) < 0)
		return -errno;
	return 0;
}

static int connect_end(const struct dns_bench_end *from, const struct dns_bench_end *to)
{
	return connect(from->fd, (const struct sockaddr *)&to->at, sizeof(to->at)) < 0 ? -errno : 0;
}

static int open_tcp(struct dns_bench_end e[2])
{
	int one = 1, r, fd;

	r = open_end(SOCK_STREAM, &e[0]);
	if (r == 0)
		r = open_end(SOCK_STREAM, &e[1]);
	if (r == 0 && listen(e[1].fd, 1) < 0)
		r = -errno;
	if (r == 0)
		r = connect_end(&e[0], &e[1]);
	if (r < 0)
		return r;
	fd = accept4(e[1].fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(e[1].fd);
	e[1].fd = fd;
	for (int i = 0; i < 2; i++)
		if (setsockopt(e[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
			return -errno;
	return 0;
}

static int open_pair(unsigned kind, struct dns_bench_end e[2])
{
	int r;

	if (kind == TCP)
		return open_tcp(e);
	r = open_end(SOCK_DGRAM, &e[0]);
	if (r == 0)
		r = open_end(SOCK_DGRAM, &e[1]);
	if (r == 0 && kinds[kind].connected)
		r = connect_end(&e[0], &e[1]);
	if (r == 0 && kinds[kind].connected)
		r = connect_end(&e[1], &e[0]);
	return r;
}

static int throw(const struct dns_bench_end *from, const struct dns_bench_end *to, bool connected)
{
	static const char bytes[BYTES];
	char got[BYTES];
	ssize_t n = connected ? send(from->fd, bytes, BYTES, 0) :
				sendto(from->fd, bytes, BYTES, 0, (const struct sockaddr *)&to->at, sizeof(to->at));

	if (n == BYTES)
		n = recv(to->fd, got, BYTES, MSG_WAITALL);
	return n == BYTES ? 0 : n < 0 ? -errno : -EIO;
}

static int pingpong(const struct dns_bench_end e[2], bool connected)
{
	int r = throw(&e[0], &e[1], connected);

	return r < 0 ? r : throw(&e[1], &e[0], connected);
}

static int tcp_once(void *ctx)
{
	const struct dns_bench_hook *h = ctx;

	return pingpong(h->ends[TCP], true);
}

/* --- variants -------------------------------------------------------------------------------- */

static int attach(struct dns_bench_hook *h, unsigned which)
{
	h->link = bpf_program__attach_cgroup(h->programs[which], h->cgroup_fd);
	return h->link ? 0 : -errno;
}

static int attach_empty(void *ctx)
{
	return attach(ctx, EMPTY);
}

static int attach_weir(void *ctx)
{
	return attach(ctx, WEIR);
}

static void detach(void *ctx)
{
	struct dns_bench_hook *h = ctx;

	bpf_link__destroy(h->link);
	h->link = NULL;
}

static int measure_kind(struct dns_bench_hook *h, unsigned kind, double *ret)
{
	uint64_t until = weir_bench_wall_ns() + h->slice_ns;
	struct weir_bench_series times = {};
	int r = 0;

	do {
		uint64_t begun = weir_bench_work_ns(h->b);

		for (int i = 0; i < BATCH && r == 0; i++)
			r = pingpong(h->ends[kind], kinds[kind].connected);
		if (r == 0)
			r = weir_bench_series_add(&times, (double)(weir_bench_work_ns(h->b) - begun) / BATCH);
	} while (r == 0 && times.n < BATCHES_MAX && (times.n < 3 || weir_bench_wall_ns() < until));
	*ret = weir_bench_quantile(&times, QUIET);
	weir_bench_series_done(&times);
	return r;
}

static int measure(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	int r = 0;

	for (unsigned k = 0; k < _KINDS && r == 0; k++)
		r = measure_kind(ctx, k, &ret[k]);
	return r;
}

static void report(struct weir_bench *b, const struct weir_bench_rounds *r)
{
	for (unsigned k = 0; k < _KINDS; k++) {
		char name[64];

#define NAMED(last) (snprintf(name, sizeof(name), "dns.%s.%s", kinds[k].name, last), name)
		weir_bench_line(b, NAMED("pingpong_ratio"), WEIR_BENCH_RATIO, weir_bench_ratio(r, WEIR, NONE, k),
				"%s: a ping-pong with weir's program against one without any", kinds[k].about);
		weir_bench_line(b, NAMED("weir_ns"), WEIR_BENCH_NS, weir_bench_added(r, WEIR, NONE, k),
				"added to each ping-pong of two packets by weir's program");
		weir_bench_line(b, NAMED("empty_ns"), WEIR_BENCH_NS, weir_bench_added(r, EMPTY, NONE, k),
				"added by an empty program: what the kernel takes for running any on this hook");
		weir_bench_line(b, NAMED("pingpong_ns"), WEIR_BENCH_NS, weir_bench_of(r, NONE, k),
				"the ping-pong itself, with nothing attached");
#undef NAMED
	}
}

/* A hook that others use already costs less than the first program on it. */
static void remark_others(struct weir_bench *b, int cgroup_fd)
{
	LIBBPF_OPTS(bpf_prog_query_opts, q, .query_flags = BPF_F_QUERY_EFFECTIVE);

	if (bpf_prog_query_opts(cgroup_fd, BPF_CGROUP_INET_INGRESS, &q) == 0 && q.prog_cnt)
		weir_bench_remark(b,
				  "%u programs of others hang on this hook already (another weir?): one more costs "
				  "less than the first",
				  q.prog_cnt);
}

static int run(struct weir_bench *b, struct dns_bench_hook *h)
{
	static const struct weir_bench_variant variants[] = {
		[NONE] = { "none" },
		[EMPTY] = { "empty", attach_empty, detach },
		[WEIR] = { "weir", attach_weir, detach },
	};
	struct weir_bench_comparison c = {
		.variants = variants,
		.n_variants = ARRAY_SIZE(variants),
		.n_metrics = _KINDS,
		.measure = measure,
		.ctx = h,
		.rounds_min = weir_bench_quick(b) ? 20 : 80,
		.rounds_max = 400,
		.budget_ns = weir_bench_budget(b, 10),
	};
	struct weir_bench_rounds rounds = {};
	int r;

	remark_others(b, h->cgroup_fd);
	r = weir_bench_compare(b, &c, &rounds);
	if (r == 0)
		report(b, &rounds);
	weir_bench_rounds_done(&rounds);
	return r;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int load_and_run(struct weir_bench *b, struct weir_probe *probe, struct weir_attach *attached)
{
	struct dns_bench_hook h = { .b = b, .cgroup_fd = weir_probe_cgroup_fd(probe), .slice_ns = 3000000 };
	struct dns_bench_bpf *bpf = NULL;
	void *kernel = NULL;
	int r;

	for (unsigned k = 0; k < _KINDS; k++)
		h.ends[k][0].fd = h.ends[k][1].fd = -1;
	r = dns_kernel_load(attached, probe, "cgroup", &kernel);
	if (r == 0) {
		weir_attach_undo(attached, 0); /* loaded; attached in turn below */
		bpf = dns_bench_bpf__open_and_load();
		r = bpf ? 0 : -errno;
	}
	for (unsigned k = 0; k < _KINDS && r == 0; k++)
		r = open_pair(k, h.ends[k]);
	if (r == 0)
		r = weir_bench_calibrate(b, tcp_once, &h);
	if (r == 0) {
		h.programs[EMPTY] = bpf->progs.empty_receive;
		h.programs[WEIR] = dns_kernel_program(kernel);
		r = run(b, &h);
	}
	for (unsigned k = 0; k < _KINDS; k++) {
		weir_closep(&h.ends[k][0].fd);
		weir_closep(&h.ends[k][1].fd);
	}
	dns_bench_bpf__destroy(bpf);
	dns_kernel_unload(kernel);
	return r;
}

int dns_bench(struct weir_bench *b)
{
	struct weir_attach *attached = weir_attach_new();
	struct weir_probe *probe = NULL;
	int r = attached ? weir_probe_new(&probe) : -ENOMEM;

	weir_bench_part(b, "dns",
			"Each packet that reaches a socket of this host runs through one program, which hands over those "
			"from port 53. What all others pay for it: a ping-pong of two packets that are not DNS.");
	if (r == 0)
		r = weir_bench_pin(b);
	if (r == 0) {
		r = load_and_run(b, probe, attached);
		weir_bench_unpin(b);
	}
	if (r < 0 && r != -EINTR)
		weir_bench_skip(b, "dns", "%s", strerror(-r));
	weir_attach_free(attached);
	weir_probe_free(probe);
	return r == -EINTR ? r : 0;
}
