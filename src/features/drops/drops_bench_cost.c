// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "features/drops/drops_bench.h"
#include "features/drops/drops_bench.skel.h"

/* Packets are lost in one thread with nothing on the hook, with an empty program, with weir's and with a tracing
 * script's, in turn. Then the same thread works without losing any. */

#define BATCHES_MAX 4096
#define QUIET 0.2 /* a slice's number: most of its batches were not the ones that something came in between */
#define SLICE_NS 6000000
#define CALLS 8

static const char *const tracepoints[] = { "kfree_skb", NULL };

enum { NONE, EMPTY, WEIR, SCRIPT, _VARIANTS };
enum { UDP, FRAME, _KINDS };

static const struct {
	const char *name, *about;
} kinds[] = {
	[UDP] = { "udp", "a datagram for a full receive buffer (reason, place, device, socket)" },
	[FRAME] = { "frame", "a frame of a protocol that nobody speaks (reason, place, device)" },
};
_Static_assert(ARRAY_SIZE(kinds) == _KINDS, "each has its row");

struct cost {
	const struct weir_bench *b;
	struct bpf_program *programs[_VARIANTS];
	struct bpf_link *link;
	struct drops_full full;
	int pairs[2][2]; /* of quiet work: UDP, TCP */
	int frame_fd;
	bool among_others; /* they do not go away */
};

/* --- variants -------------------------------------------------------------------------------------- */

static int attach(struct cost *c, unsigned which)
{
	c->link = bpf_program__attach(c->programs[which]);
	return c->link ? 0 : -errno;
}

static int attach_empty(void *ctx)
{
	return attach(ctx, EMPTY);
}

static int attach_weir(void *ctx)
{
	return attach(ctx, WEIR);
}

static int attach_script(void *ctx)
{
	return attach(ctx, SCRIPT);
}

static void detach(void *ctx)
{
	struct cost *c = ctx;

	bpf_link__destroy(c->link);
	c->link = NULL;
}

static const struct weir_bench_variant variants[] = {
	[NONE] = { "none" },
	[EMPTY] = { "empty", attach_empty, detach },
	[WEIR] = { "weir", attach_weir, detach },
	[SCRIPT] = { "script", attach_script, detach },
};

/* --- one loss -------------------------------------------------------------------------------------- */

static int lose(struct cost *c, unsigned kind, unsigned *ret_n)
{
	int r = 0;

	if (kind == FRAME) {
		*ret_n = DROPS_PER_RUN;
		return drops_frames_lose(c->frame_fd);
	}
	*ret_n = CALLS * DROPS_PER_CALL;
	for (unsigned i = 0; i < CALLS && r == 0; i++)
		r = drops_full_lose_many(&c->full);
	return r;
}

static int measure_kind(struct cost *c, unsigned kind, double *ret)
{
	uint64_t until = weir_bench_wall_ns() + SLICE_NS;
	struct weir_bench_series times = {};
	int r;

	do {
		uint64_t begun = weir_bench_work_ns(c->b);
		unsigned n = 1;

		r = lose(c, kind, &n);
		if (r == 0)
			r = weir_bench_series_add(&times, (double)(weir_bench_work_ns(c->b) - begun) / n);
	} while (r == 0 && times.n < BATCHES_MAX && (times.n < 3 || weir_bench_wall_ns() < until));
	*ret = weir_bench_quantile(&times, QUIET);
	weir_bench_series_done(&times);
	return r;
}

/* A second program on a hook costs the kernel another way than the first: it counts only when no other was there. */
static int measure_losses(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	struct cost *c = ctx;
	unsigned own = c->link != NULL;
	int r = 0;

	if (!c->among_others && weir_bench_on_hooks(tracepoints) != own)
		return -EAGAIN;
	for (unsigned k = 0; k < _KINDS && r == 0; k++)
		r = measure_kind(c, k, &ret[k]);
	if (r == 0 && !c->among_others && weir_bench_on_hooks(tracepoints) != own)
		return -EAGAIN;
	return r;
}

static void report_losses(struct weir_bench *b, const struct weir_bench_rounds *r)
{
	for (unsigned k = 0; k < _KINDS; k++) {
		char name[64];

#define NAMED(last) (snprintf(name, sizeof(name), "drops.%s.%s", kinds[k].name, last), name)
		weir_bench_line(b, NAMED("ratio"), WEIR_BENCH_RATIO, weir_bench_cost_ratio(r, WEIR, EMPTY, NONE, k),
				"%s: weir's program beside an empty one", kinds[k].about);
		weir_bench_line(b, NAMED("weir_ns"), WEIR_BENCH_NS, weir_bench_added(r, WEIR, NONE, k),
				"added to each loss by weir");
		weir_bench_line(b, NAMED("empty_ns"), WEIR_BENCH_NS, weir_bench_added(r, EMPTY, NONE, k),
				"added by an empty program: the least that any watcher on this hook costs");
		weir_bench_line(b, NAMED("script_ns"), WEIR_BENCH_NS, weir_bench_added(r, SCRIPT, NONE, k),
				"added by a sum for each (reason, place), as a tracing script keeps it");
		weir_bench_line(b, NAMED("loss_ns"), WEIR_BENCH_NS, weir_bench_of(r, NONE, k),
				"the packet itself, made and lost, with nothing attached");
#undef NAMED
	}
}

/* What the kernel's own clock says of one program, its reading included. */
static double kernel_ns(struct cost *c, unsigned which, unsigned kind)
{
	struct bpf_prog_info info[2] = {};
	double unused;
	int r = attach(c, which);

	for (int turn = 0; turn < 2 && r == 0; turn++) {
		uint32_t len = sizeof(info[turn]);

		if (turn)
			r = measure_kind(c, kind, &unused);
		if (r == 0 && bpf_obj_get_info_by_fd(bpf_program__fd(c->programs[which]), &info[turn], &len) < 0)
			r = -errno;
	}
	detach(c);
	if (r < 0 || info[1].run_cnt == info[0].run_cnt)
		return 0;
	return (double)(info[1].run_time_ns - info[0].run_time_ns) / (double)(info[1].run_cnt - info[0].run_cnt);
}

static void report_kernel(struct weir_bench *b, struct cost *c)
{
	_cleanup_close_ int stats_fd = -1;
	int r = weir_attach_measure(&stats_fd);

	if (r < 0) {
		weir_bench_skip(b, "drops.kernel_ns", "the kernel's own times: %s", strerror(-r));
		return;
	}
	for (unsigned k = 0; k < _KINDS; k++) {
		char name[64];

		snprintf(name, sizeof(name), "drops.%s.kernel_ns", kinds[k].name);
		weir_bench_line(b, name, WEIR_BENCH_NS, weir_bench_single(kernel_ns(c, WEIR, k)),
				"in weir's program by the kernel's own clock, its reading included, which is %.0f of it",
				kernel_ns(c, EMPTY, k));
	}
}

static int compare_losses(struct weir_bench *b, struct cost *c)
{
	struct weir_bench_comparison how = {
		.variants = variants,
		.n_variants = _VARIANTS,
		.n_metrics = _KINDS,
		.measure = measure_losses,
		.ctx = c,
		.rounds_min = weir_bench_quick(b) ? 15 : 60,
		.rounds_max = 200,
		.budget_ns = weir_bench_budget(b, 12),
	};
	struct weir_bench_rounds rounds = {};
	int r = 0;

	c->among_others = !weir_bench_await_alone(b, tracepoints);
	if (!c->among_others)
		r = weir_bench_compare(b, &how, &rounds);
	if (r == 0 && weir_bench_of(&rounds, NONE, 0).n < 5) {
		weir_bench_rounds_done(&rounds);
		c->among_others = true;
		weir_bench_remark(b, "programs of others hang on the hook too (another weir?): the first one costs the kernel "
				     "more than the next, so an empty one looks cheaper here than it is, and weir dearer");
		r = weir_bench_compare(b, &how, &rounds);
	}
	if (r == 0) {
		report_losses(b, &rounds);
		report_kernel(b, c);
	}
	weir_bench_rounds_done(&rounds);
	return r;
}

static int open_cost(struct weir_bench *b, const struct drops_bench_loaded *l, struct cost *c,
		     struct drops_bench_bpf **ret_bpf)
{
	struct drops_bench_bpf *bpf = drops_bench_bpf__open_and_load();

	*c = (struct cost){ .b = b, .full = { -1, -1 } };
	*ret_bpf = bpf;
	if (!bpf)
		return -errno;
	c->programs[EMPTY] = bpf->progs.empty_freed;
	c->programs[WEIR] = drops_kernel_program(l->kernel);
	c->programs[SCRIPT] = bpf->progs.script_freed;
	c->frame_fd = bpf_program__fd(bpf->progs.make_frame);
	return drops_full_open(&c->full);
}

int drops_bench_cost(struct weir_bench *b, const struct drops_bench_loaded *l)
{
	struct drops_bench_bpf *bpf = NULL;
	struct cost c;
	int r;

	weir_bench_part(b, "drops",
			"One lost packet. Its cost is the time with a program on kfree_skb less the time without. The ratio to "
			"an empty program says how much of it is weir's own work.");
	r = open_cost(b, l, &c, &bpf);
	if (r == 0)
		r = compare_losses(b, &c);
	drops_full_close(&c.full);
	drops_bench_bpf__destroy(bpf);
	if (r < 0 && r != -EINTR)
		weir_bench_skip(b, "drops.cost", "%s", strerror(-r));
	return r == -EINTR ? r : 0;
}

/* --- work that loses nothing ------------------------------------------------------------------------- */

#define BYTES 32
#define BATCH 32

static int throw(int from, int to)
{
	char bytes[BYTES] = {};
	ssize_t n = send(from, bytes, sizeof(bytes), 0);

	if (n == BYTES)
		n = recv(to, bytes, sizeof(bytes), MSG_WAITALL);
	return n == BYTES ? 0 : n < 0 ? -errno : -EIO;
}

static int measure_pair(struct cost *c, const int pair[2], double *ret)
{
	uint64_t until = weir_bench_wall_ns() + SLICE_NS / 2;
	struct weir_bench_series times = {};
	int r = 0;

	do {
		uint64_t begun = weir_bench_work_ns(c->b);

		for (int i = 0; i < BATCH && r == 0; i++) {
			r = throw(pair[0], pair[1]);
			if (r == 0)
				r = throw(pair[1], pair[0]);
		}
		if (r == 0)
			r = weir_bench_series_add(&times, (double)(weir_bench_work_ns(c->b) - begun) / BATCH);
	} while (r == 0 && times.n < BATCHES_MAX && (times.n < 3 || weir_bench_wall_ns() < until));
	*ret = weir_bench_quantile(&times, QUIET);
	weir_bench_series_done(&times);
	return r;
}

static int measure_quiet(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	struct cost *c = ctx;
	int r = measure_pair(c, c->pairs[0], &ret[0]);

	return r < 0 ? r : measure_pair(c, c->pairs[1], &ret[1]);
}

static int connect_to(int from, int to)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	if (getsockname(to, (struct sockaddr *)&at, &len) < 0 || connect(from, (struct sockaddr *)&at, len) < 0)
		return -errno;
	return 0;
}

static int open_bound(int type, int *ret_fd)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	*ret_fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	return *ret_fd < 0 || bind(*ret_fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

static int open_udp(int pair[2])
{
	int r = open_bound(SOCK_DGRAM, &pair[0]);

	if (r == 0)
		r = open_bound(SOCK_DGRAM, &pair[1]);
	if (r == 0)
		r = connect_to(pair[0], pair[1]);
	return r < 0 ? r : connect_to(pair[1], pair[0]);
}

static int open_tcp(int pair[2])
{
	_cleanup_close_ int listener = -1;
	int one = 1, r;

	r = open_bound(SOCK_STREAM, &listener);
	if (r == 0 && listen(listener, 1) < 0)
		r = -errno;
	if (r == 0)
		r = open_bound(SOCK_STREAM, &pair[0]);
	if (r == 0)
		r = connect_to(pair[0], listener);
	if (r < 0)
		return r;
	pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	for (int i = 0; i < 2; i++)
		if (pair[i] < 0 || setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
			return -errno;
	return 0;
}

int drops_bench_quiet(struct weir_bench *b, const struct drops_bench_loaded *l)
{
	static const struct weir_bench_variant with_and_without[] = {
		{ "none" },
		{ "weir", attach_weir, detach },
	};
	struct cost c = { .b = b, .pairs = { { -1, -1 }, { -1, -1 } }, .programs[WEIR] = drops_kernel_program(l->kernel) };
	struct weir_bench_comparison how = {
		.variants = with_and_without,
		.n_variants = ARRAY_SIZE(with_and_without),
		.n_metrics = 2,
		.measure = measure_quiet,
		.ctx = &c,
		.rounds_min = weir_bench_quick(b) ? 20 : 100,
		.rounds_max = 400,
		.budget_ns = weir_bench_budget(b, 6),
	};
	struct weir_bench_rounds rounds = {};
	int r;

	weir_bench_part(b, "no drops", "Work that loses nothing, with weir's program on the hook and without.");
	r = open_udp(c.pairs[0]);
	if (r == 0)
		r = open_tcp(c.pairs[1]);
	if (r == 0)
		r = weir_bench_compare(b, &how, &rounds);
	if (r == 0) {
		weir_bench_line(b, "drops.quiet.udp.ratio", WEIR_BENCH_RATIO, weir_bench_ratio(&rounds, 1, 0, 0),
				"a ping-pong of two datagrams with weir's program, 1 being without");
		weir_bench_line(b, "drops.quiet.tcp.ratio", WEIR_BENCH_RATIO, weir_bench_ratio(&rounds, 1, 0, 1),
				"the same over a TCP connection");
	}
	weir_bench_rounds_done(&rounds);
	for (int i = 0; i < 4; i++)
		weir_closep(&c.pairs[i / 2][i % 2]);
	if (r < 0 && r != -EINTR)
		weir_bench_skip(b, "drops.quiet", "%s", strerror(-r));
	return r == -EINTR ? r : 0;
}
