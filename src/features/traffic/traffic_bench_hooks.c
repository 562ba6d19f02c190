// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "features/traffic/traffic_bench.h"
#include "features/traffic/traffic_bench.skel.h"
#include "features/traffic/traffic_hooks.h"
#include "features/traffic/traffic_kernel_private.h"

/* What one call costs with a program on its hook, beside an empty program on the same hook. The
 * sockets are opened and used once with all of weir attached, so that its programs know them; after
 * that nothing but the two hooks matters. */

#define OTHERS                                                                                    \
	"programs of others hang on these two hooks too (another weir?): the first program on a " \
	"hook costs the kernel more than the next, so an empty one looks cheaper here than it "   \
	"is, and weir dearer beside it"

enum { NONE, EMPTY, WEIR, SCRIPT };
enum { TCP, UDP, UNIX, _TRANSPORTS };

static const char *const transport_names[] = { "tcp", "udp", "unix" };

struct hooks {
	const struct weir_bench *b;
	struct bench_pair pairs[_TRANSPORTS];
	struct bpf_link *links[2];
	struct bpf_program *send[4], *receive[4];
	uint64_t slice_ns;
	bool among_others; /* they do not go away */
};

static void detach(void *ctx)
{
	struct hooks *h = ctx;

	for (unsigned i = 0; i < ARRAY_SIZE(h->links); i++) {
		bpf_link__destroy(h->links[i]);
		h->links[i] = NULL;
	}
}

static int attach(struct hooks *h, unsigned which)
{
	struct bpf_program *programs[] = { h->send[which], h->receive[which] };

	for (unsigned i = 0; i < ARRAY_SIZE(programs); i++) {
		h->links[i] = bpf_program__attach(programs[i]);
		if (!h->links[i]) {
			int r = -errno;

			detach(h);
			return r;
		}
	}
	return 0;
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

static int measure_calls(struct hooks *h, double ret[WEIR_BENCH_METRICS])
{
	for (unsigned t = 0; t < _TRANSPORTS; t++) {
		int r = bench_calls_ns(h->b, &h->pairs[t], t == TCP, h->slice_ns, &ret[2 * t],
				       &ret[2 * t + 1]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A second program on a hook costs the kernel another way than the first: it counts only when no
 * other was there. */
static int measure(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	struct hooks *h = ctx;
	unsigned own = h->links[0] ? ARRAY_SIZE(h->links) : 0;
	int r;

	if (!h->among_others && bench_on_hooks() != own)
		return -EAGAIN;
	r = measure_calls(h, ret);
	if (r == 0 && !h->among_others && bench_on_hooks() != own)
		return -EAGAIN;
	return r;
}

static void report(struct weir_bench *b, const struct weir_bench_rounds *r)
{
	for (unsigned m = 0; m < 2 * _TRANSPORTS; m++) {
		const char *transport = transport_names[m / 2], *call = m % 2 ? "receive" : "send";
		char name[64];

		snprintf(name, sizeof(name), "hooks.%s.%s.", transport, call);
#define NAMED(end) (snprintf(name, sizeof(name), "hooks.%s.%s.%s", transport, call, end), name)
		weir_bench_line(b, NAMED("ratio"), WEIR_BENCH_RATIO,
				weir_bench_cost_ratio(r, WEIR, EMPTY, NONE, m),
				"%s %s: weir's program beside an empty one", transport, call);
		weir_bench_line(b, NAMED("weir_ns"), WEIR_BENCH_NS,
				weir_bench_added(r, WEIR, NONE, m), "added to each call by weir");
		weir_bench_line(
			b, NAMED("empty_ns"), WEIR_BENCH_NS, weir_bench_added(r, EMPTY, NONE, m),
			"added by an empty program: the least that any watcher on this hook costs");
		weir_bench_line(
			b, NAMED("script_ns"), WEIR_BENCH_NS, weir_bench_added(r, SCRIPT, NONE, m),
			"added by a sum for each (pid, name), as a tracing script keeps it");
		weir_bench_line(b, NAMED("call_ns"), WEIR_BENCH_NS, weir_bench_of(r, NONE, m),
				"the call itself, with nothing attached");
#undef NAMED
	}
}

/* --- what the kernel says of it -------------------------------------------------------------- */

static void report_stats(struct weir_bench *b, struct hooks *h)
{
	static const char *const names[] = { "hooks.send.kernel_ns", "hooks.receive.kernel_ns" };
	double unused[WEIR_BENCH_METRICS];
	_cleanup_close_ int stats_fd = -1;
	struct bpf_prog_info before[2], after[2];
	int r = weir_attach_measure(&stats_fd);

	if (r == 0)
		r = attach_weir(h);
	if (r < 0) {
		weir_bench_skip(b, names[0], "the kernel's own times: %s", strerror(-r));
		return;
	}
	for (int turn = 0; turn < 2 && r == 0; turn++) {
		struct bpf_prog_info *to = turn ? after : before;
		const struct bpf_program *programs[] = { h->send[WEIR], h->receive[WEIR] };

		if (turn)
			r = measure_calls(h, unused);
		for (unsigned i = 0; i < 2 && r == 0; i++) {
			uint32_t len = sizeof(to[i]);

			memset(&to[i], 0, sizeof(to[i]));
			r = bpf_obj_get_info_by_fd(bpf_program__fd(programs[i]), &to[i], &len);
		}
	}
	detach(h);
	for (unsigned i = 0; i < 2 && r == 0; i++) {
		uint64_t runs = after[i].run_cnt - before[i].run_cnt;

		if (runs)
			weir_bench_line(b, names[i], WEIR_BENCH_NS,
					weir_bench_single((double)(after[i].run_time_ns -
								   before[i].run_time_ns) /
							  (double)runs),
					"in weir's %s program by the kernel's own clock, over all "
					"transports (the clock's "
					"reading included)",
					i ? "receive" : "send");
	}
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Opened and used by the one who will use them. */
static int open_pairs(struct hooks *h)
{
	static const int families[] = { AF_INET, AF_INET, AF_UNIX };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_STREAM };
	double unused;
	int r = 0;

	for (unsigned t = 0; t < _TRANSPORTS; t++)
		h->pairs[t] = (struct bench_pair){ -1, -1 };
	for (unsigned t = 0; t < _TRANSPORTS && r == 0; t++) {
		r = bench_pair_open(families[t], types[t], &h->pairs[t]);
		if (r == 0)
			r = bench_calls_ns(h->b, &h->pairs[t], t == TCP, 0, &unused, &unused);
	}
	return r;
}

static int run(struct weir_bench *b, struct hooks *h)
{
	static const struct weir_bench_variant variants[] = {
		[NONE] = { "none" },
		[EMPTY] = { "empty", attach_empty, detach },
		[WEIR] = { "weir", attach_weir, detach },
		[SCRIPT] = { "script", attach_script, detach },
	};
	struct weir_bench_comparison c = {
		.variants = variants,
		.n_variants = ARRAY_SIZE(variants),
		.n_metrics = 2 * _TRANSPORTS,
		.measure = measure,
		.ctx = h,
		.rounds_min = weir_bench_quick(b) ? 10 : 40,
		.rounds_max = 200,
		.budget_ns = weir_bench_budget(b, 12),
	};
	struct weir_bench_rounds rounds = {};
	int r = 0;

	h->among_others = !bench_await_alone(b);
	if (!h->among_others)
		r = weir_bench_compare(b, &c, &rounds);
	if (r == 0 && weir_bench_of(&rounds, NONE, 0).n < 5) {
		weir_bench_rounds_done(&rounds);
		h->among_others = true;
		weir_bench_remark(b, OTHERS);
		r = weir_bench_compare(b, &c, &rounds);
	}
	if (r == 0) {
		report(b, &rounds);
		report_stats(b, h);
	}
	weir_bench_rounds_done(&rounds);
	return r;
}

int bench_hooks(struct weir_bench *b, struct bench_loaded *l)
{
	struct hooks h = { .b = b, .slice_ns = 3000000 };
	struct traffic_bench_bpf *bpf = NULL;
	int r;

	weir_bench_part(b, "hooks",
			"One send or receive of one byte. Its cost is the time with programs on "
			"the two tracepoints less "
			"the time without. The ratio to an empty program says how much of it is "
			"weir's own work.");
	if (l->kernel->set != TRAFFIC_SET_SOCK) {
		weir_bench_skip(b, "hooks",
				"the set of hooks in use here hangs on other functions: the part "
				"work has what all of it costs, the part talk what the functions do");
		return 0;
	}
	r = bench_attach(l);
	if (r == 0)
		r = open_pairs(&h);
	if (r == 0) {
		bpf = traffic_bench_bpf__open_and_load();
		r = bpf ? 0 : -errno;
	}
	if (r == 0) {
		struct traffic_bpf *weir = l->kernel->bpf;

		h.send[EMPTY] = bpf->progs.empty_send;
		h.receive[EMPTY] = bpf->progs.empty_receive;
		h.send[WEIR] = weir->progs.traffic_send;
		h.receive[WEIR] = weir->progs.traffic_receive;
		h.send[SCRIPT] = bpf->progs.script_send;
		h.receive[SCRIPT] = bpf->progs.script_receive;
		bench_detach(l);
		r = run(b, &h);
	}
	if (r < 0 && r != -EINTR)
		weir_bench_skip(b, "hooks", "%s", strerror(-r));
	traffic_bench_bpf__destroy(bpf);
	for (unsigned t = 0; t < _TRANSPORTS; t++)
		bench_pair_close(&h.pairs[t]);
	return r == -EINTR ? r : 0;
}
