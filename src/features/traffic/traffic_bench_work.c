// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "features/traffic/traffic_bench.h"
#include "features/traffic/traffic_hooks.h"
#include "features/traffic/traffic_kernel_private.h"

/* What a program that does nothing but talk notices: the same work with weir's hooks on and off in
 * turn, many times a second, in one process. The daemon's own time is measured elsewhere. */

enum { OFF, ON };
enum { PINGPONG, BULK, CHURN, _METRICS };

struct work {
	struct weir_bench *b;
	struct bench_loaded *loaded;
	struct bench_pair pair;
	struct bench_server server;
	uint64_t slice_ns;
	struct bench_drained drained;
	unsigned own; /* programs of weir's on the hooks of send and receive, when all are attached */
	bool on, among_others;
};

static int switch_on(void *ctx)
{
	struct work *w = ctx;

	w->on = true;
	return bench_attach(w->loaded);
}

static void switch_off(void *ctx)
{
	struct work *w = ctx;

	bench_drain(w->loaded, 0, &w->drained);
	bench_detach(w->loaded);
	w->on = false;
}

static int measure_work(struct work *w, double ret[WEIR_BENCH_METRICS])
{
	int r;

	r = bench_pingpong_ns(w->b, &w->pair, w->slice_ns, &ret[PINGPONG]);
	if (r == 0)
		r = bench_bulk_ns(w->b, &w->pair, w->slice_ns, &ret[BULK]);
	return r == 0 ? bench_churn_ns(w->b, &w->server, w->slice_ns, &ret[CHURN]) : r;
}

/* Beside other programs on the same hooks weir's share looks smaller than it is. */
static int measure(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	struct work *w = ctx;
	unsigned own = w->on ? w->own : 0;
	int r;

	if (!w->among_others && bench_on_hooks() != own)
		return -EAGAIN;
	r = measure_work(w, ret);
	if (r == 0 && !w->among_others && bench_on_hooks() != own)
		return -EAGAIN;
	return r;
}

static void report(struct weir_bench *b, const struct weir_bench_rounds *r)
{
	static const struct {
		const char *name, *unit_name, *words, *unit_words;
	} lines[] = {
		[PINGPONG] = { "work.pingpong.ratio", "work.pingpong.ns",
			       "speed of a ping-pong of 32 bytes in one thread with weir's hooks, "
			       "1 being without: the "
			       "worst case, as nothing else is done",
			       "a round trip (two packets, four calls) without weir" },
		[BULK] = { "work.bulk.ratio", "work.bulk.ns",
			   "speed of bulk data in pieces of 64 KB with weir's hooks",
			   "64 KB sent and received without weir" },
		[CHURN] = { "work.churn.ratio", "work.churn.ns",
			    "speed of connections (opened, one byte, closed) with weir's hooks, "
			    "all of them",
			    "a connection with both ends without weir" },
	};

	for (unsigned m = 0; m < _METRICS; m++) {
		/* Speed is the inverse of time. */
		weir_bench_line(b, lines[m].name, WEIR_BENCH_RATIO, weir_bench_ratio(r, OFF, ON, m),
				"%s", lines[m].words);
		weir_bench_line(b, lines[m].unit_name, WEIR_BENCH_NS, weir_bench_of(r, OFF, m),
				"%s", lines[m].unit_words);
	}
}

static int run(struct work *w)
{
	static const struct weir_bench_variant variants[] = {
		[OFF] = { "off" },
		[ON] = { "on", switch_on, switch_off },
	};
	struct weir_bench_comparison c = {
		.variants = variants,
		.n_variants = ARRAY_SIZE(variants),
		.n_metrics = _METRICS,
		.measure = measure,
		.ctx = w,
		.rounds_min = weir_bench_quick(w->b) ? 6 : 20,
		.rounds_max = 100,
		.budget_ns = weir_bench_budget(w->b, 14),
	};
	struct weir_bench_rounds rounds = {};
	int r = 0;

	w->among_others = !bench_await_alone(w->b);
	if (!w->among_others)
		r = weir_bench_compare(w->b, &c, &rounds);
	if (r == 0 && weir_bench_of(&rounds, OFF, 0).n < 3) {
		weir_bench_rounds_done(&rounds);
		w->among_others = true;
		weir_bench_remark(w->b, "programs of others hang on the same hooks: all work is "
					"slower by them, so weir's share "
					"looks smaller than it is");
		r = weir_bench_compare(w->b, &c, &rounds);
	}
	if (r == 0)
		report(w->b, &rounds);
	weir_bench_rounds_done(&rounds);
	return r;
}

int bench_work(struct weir_bench *b, struct bench_loaded *l)
{
	struct work w = { .b = b,
			  .loaded = l,
			  .own = l->kernel->set == TRAFFIC_SET_SOCK ? 2 : 0,
			  .pair = { -1, -1 },
			  .server = { .fd = -1 },
			  .slice_ns = 30000000 };
	int r;

	weir_bench_part(b, "work",
			"One thread that does nothing but talk over loopback, with weir's hooks on "
			"and off in turn.");
	bench_detach(l);
	r = bench_pair_open(AF_INET, SOCK_STREAM, &w.pair);
	if (r == 0)
		r = bench_server_open(&w.server);
	if (r == 0)
		r = run(&w);
	if (r < 0 && r != -EINTR)
		weir_bench_skip(b, "work", "%s", strerror(-r));
	bench_pair_close(&w.pair);
	bench_server_close(&w.server);
	return r == -EINTR ? r : 0;
}
