// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <time.h>

#include "features/traffic/traffic_bench.h"
#include "features/traffic/traffic_kernel.h"

/* Connections are made while nobody reads the ring, more than it holds. Each makes four records:
 * both ends open, both end. What the ring had and what was counted as lost must add up to that. */

#define RECORDS_EACH 4
#define CONNECTIONS 6000
#define ATTEMPTS 8

struct attempt {
	uint64_t made, delivered, lost, others;
};

static int flood(struct bench_loaded *l, struct bench_server *s, struct attempt *ret)
{
	struct timespec settle = { .tv_nsec = 20000000 };
	struct bench_drained before = {}, after = {};
	uint64_t first = s->connections;
	uint32_t netns = bench_netns();
	int r;

	r = bench_drain(l, netns, &before);
	for (unsigned i = 0; i < CONNECTIONS && r >= 0; i++)
		r = bench_connection(s);
	if (r < 0)
		return r;
	nanosleep(&settle, NULL); /* the last socket's end may come a moment after close() */
	r = bench_drain(l, netns, &after);
	if (r < 0)
		return r;
	*ret = (struct attempt){ .made = (s->connections - first) * RECORDS_EACH,
				 .delivered = after.ours,
				 .lost = after.lost - before.lost,
				 .others = after.others };
	return 0;
}

static void report(struct weir_bench *b, const struct attempt *a)
{
	double missing = (double)a->made - (double)(a->delivered + a->lost);

	weir_bench_line(b, "losses.missing", WEIR_BENCH_COUNT, weir_bench_single(missing),
			"records that were neither delivered nor counted as lost (less than 0: "
			"counted too often)");
	weir_bench_line(b, "losses.made", WEIR_BENCH_COUNT, weir_bench_single((double)a->made),
			"records that %d connections made while nobody read the ring", CONNECTIONS);
	weir_bench_line(b, "losses.delivered", WEIR_BENCH_COUNT,
			weir_bench_single((double)a->delivered),
			"of them were in the ring afterwards");
	weir_bench_line(b, "losses.counted", WEIR_BENCH_COUNT, weir_bench_single((double)a->lost),
			"of them were counted as lost");
	if (a->others)
		weir_bench_remark(b,
				  "other programs of this host made %llu records in between; how "
				  "many of those were lost "
				  "is not known, so the sum may be off by some",
				  (unsigned long long)a->others);
}

int bench_losses(struct weir_bench *b, struct bench_loaded *l)
{
	struct bench_server s = { .fd = -1 };
	struct attempt best = {}, a;
	int r;

	weir_bench_part(b, "losses",
			"A reader that is stopped loses records, never bytes. How many is counted "
			"exactly.");
	r = bench_attach(l);
	traffic_reader_watched(l->reader, true); /* every record there is */
	if (r == 0)
		r = bench_server_open(&s);
	/* Others' records cannot be told from ours once they are lost: it takes a moment in which
	 * there are none. */
	for (int i = 0; i < ATTEMPTS && r == 0; i++) {
		r = weir_bench_interrupted(b) ? -EINTR : flood(l, &s, &a);
		if (r < 0)
			break;
		if (i == 0 || a.others < best.others)
			best = a;
		if (!a.others)
			break;
	}
	bench_server_close(&s);
	traffic_reader_watched(l->reader, false);
	bench_detach(l);
	if (r == 0)
		report(b, &best);
	else if (r != -EINTR)
		weir_bench_skip(b, "losses", "%s", strerror(-r));
	return r == -EINTR ? r : 0;
}
