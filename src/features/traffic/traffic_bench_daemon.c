// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "features/traffic/traffic_bench.h"

/* The daemon as a user runs it: what it takes while nothing happens, how soon it is there, and
 * whether it keeps up. */

#define HELD 10000
#define KNOWN 8000

static const struct weir_bench_host *host_of(const struct weir_bench *b)
{
	return weir_bench_host(b);
}

static int start(struct weir_bench *b, pid_t *ret_pid)
{
	return host_of(b)->daemon_start(host_of(b)->ctx, b, ret_pid);
}

static void stop(struct weir_bench *b)
{
	host_of(b)->daemon_stop(host_of(b)->ctx);
}

/* The parsed document; NULL with *ret_error. */
static json_t *get(struct weir_bench *b, const char *path, int *ret_error)
{
	_cleanup_(weir_buf_done) struct weir_buf body = {};
	json_t *root;

	*ret_error = host_of(b)->daemon_get(host_of(b)->ctx, path, &body);
	if (*ret_error < 0)
		return NULL;
	root = json_loadb(body.data, body.len, 0, NULL);
	if (!root)
		*ret_error = -EBADMSG;
	return root;
}

static void rest(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds,
			      .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };

	nanosleep(&t, NULL);
}

/* --- idle ------------------------------------------------------------------------------------ */

/* Watches for some seconds; asks: what a table that is drawn each second asks. */
static int cpu_percent(struct weir_bench *b, pid_t pid, double seconds, const char *asks,
		       double *ret, struct weir_bench_cost *ret_cost)
{
	uint64_t begun = weir_bench_wall_ns(), until = begun + (uint64_t)(seconds * 1e9);
	struct weir_bench_cost before, after;
	int r = weir_bench_cost(pid, &before);

	while (r == 0 && weir_bench_wall_ns() < until) {
		_cleanup_(weir_buf_done) struct weir_buf body = {};

		if (weir_bench_interrupted(b))
			return -EINTR;
		if (asks)
			r = host_of(b)->daemon_get(host_of(b)->ctx, asks, &body);
		rest(1);
	}
	begun = weir_bench_wall_ns() - begun;
	if (r == 0)
		r = weir_bench_cost(pid, &after);
	if (r < 0)
		return r;
	*ret = 100 * (double)(after.cpu_ns - before.cpu_ns) / (double)begun;
	*ret_cost = after;
	return 0;
}

static int idle(struct weir_bench *b)
{
	struct weir_bench_cost cost;
	double percent, asked;
	json_t *root;
	pid_t pid;
	int r;

	r = start(b, &pid);
	if (r < 0)
		return r;
	root = get(b, "/api/v1/flows?limit=1&fields=cookie", &r);
	json_decref(root);
	if (r == 0) {
		rest(1); /* what the start took is not idleness */
		r = cpu_percent(b, pid, weir_bench_quick(b) ? 3 : 10, NULL, &percent, &cost);
	}
	if (r == 0) {
		weir_bench_line(b, "daemon.idle.cpu", WEIR_BENCH_PERCENT,
				weir_bench_single(percent),
				"of a processor with %d open sockets that are silent", HELD);
		weir_bench_line(b, "daemon.idle.rss", WEIR_BENCH_BYTES,
				weir_bench_single((double)cost.rss_bytes),
				"resident memory of its %u processes, summed", cost.processes);
		weir_bench_line(b, "daemon.idle.pss", WEIR_BENCH_BYTES,
				weir_bench_single((double)cost.pss_bytes),
				"the same with shared pages divided among their users: what would "
				"be free without it");
		r = cpu_percent(b, pid, weir_bench_quick(b) ? 2 : 5, "/api/v1/flows?limit=20",
				&asked, &cost);
	}
	if (r == 0) {
		weir_bench_line(b, "daemon.asked.cpu", WEIR_BENCH_PERCENT, weir_bench_single(asked),
				"of a processor while a table of 20 flows is drawn each second");
		weir_bench_line(b, "daemon.asked.rss", WEIR_BENCH_BYTES,
				weir_bench_single((double)cost.rss_bytes),
				"resident memory then, summed");
	}
	stop(b);
	return r;
}

/* --- start ----------------------------------------------------------------------------------- */

struct starts {
	struct weir_bench_series first, known, stop;
	uint64_t fewest;
};

static int start_once(struct weir_bench *b, struct starts *to)
{
	uint64_t begun = weir_bench_wall_ns(), stopped;
	json_t *root;
	pid_t pid;
	int r;

	r = start(b, &pid);
	if (r < 0)
		return r;
	root = get(b, "/api/v1/processes?limit=20", &r);
	json_decref(root);
	if (r == 0)
		r = weir_bench_series_add(&to->first, (double)(weir_bench_wall_ns() - begun) / 1e6);
	root = r == 0 ? get(b, "/api/v1/flows?fields=cookie,pid&filter=transport:tcp", &r) : NULL;
	if (root) {
		uint64_t n = json_array_size(json_object_get(root, "rows"));

		to->fewest = n < to->fewest ? n : to->fewest;
		r = weir_bench_series_add(&to->known, (double)(weir_bench_wall_ns() - begun) / 1e6);
		json_decref(root);
	}
	stopped = weir_bench_wall_ns();
	stop(b);
	if (r == 0)
		r = weir_bench_series_add(&to->stop,
					  (double)(weir_bench_wall_ns() - stopped) / 1e6);
	return r;
}

static int starts(struct weir_bench *b)
{
	struct starts s = { .fewest = UINT64_MAX };
	int r = 0;

	for (int i = 0; i < (weir_bench_quick(b) ? 2 : 7) && r == 0; i++)
		r = weir_bench_interrupted(b) ? -EINTR : start_once(b, &s);
	if (r == 0) {
		weir_bench_line(b, "daemon.start.table", WEIR_BENCH_MS, weir_bench_spread(&s.first),
				"from its start to the first table, with %d sockets open already",
				KNOWN);
		weir_bench_line(b, "daemon.start.known", WEIR_BENCH_MS, weir_bench_spread(&s.known),
				"from its start until all sockets were listed with who holds them");
		weir_bench_line(b, "daemon.start.sockets", WEIR_BENCH_COUNT,
				weir_bench_single((double)s.fewest),
				"TCP sockets in that list (%d are held by the measurement)", KNOWN);
		weir_bench_line(b, "daemon.stop", WEIR_BENCH_MS, weir_bench_spread(&s.stop),
				"to end it");
	}
	weir_bench_series_done(&s.first);
	weir_bench_series_done(&s.known);
	weir_bench_series_done(&s.stop);
	return r;
}

/* --- churn ----------------------------------------------------------------------------------- */

static int churn(struct weir_bench *b)
{
	uint64_t begun, until, ns, lost;
	struct bench_server s = { .fd = -1 };
	struct weir_bench_cost before, after;
	json_t *root = NULL;
	pid_t pid;
	int r;

	r = start(b, &pid);
	if (r < 0)
		return r;
	root = get(b, "/api/v1/processes?limit=1", &r);
	json_decref(root);
	if (r == 0)
		r = weir_bench_pin(b);
	if (r == 0)
		r = bench_server_open(&s);
	if (r == 0)
		r = weir_bench_cost(pid, &before);
	begun = weir_bench_wall_ns();
	until = begun + (weir_bench_quick(b) ? 1 : 3) * 1000000000ull;
	while (r == 0 && weir_bench_wall_ns() < until)
		r = bench_connection(&s);
	ns = weir_bench_wall_ns() - begun;
	if (r == 0)
		r = weir_bench_cost(pid, &after);
	weir_bench_unpin(b);
	root = r == 0 ? get(b, "/api/v1/processes?limit=1", &r) : NULL;
	if (root) {
		lost = (uint64_t)json_integer_value(json_object_get(root, "lost_events"));
		weir_bench_lost(b, lost);
		weir_bench_line(
			b, "daemon.churn.lost", WEIR_BENCH_COUNT, weir_bench_single((double)lost),
			"events lost while one thread made connections as fast as it could");
		weir_bench_line(b, "daemon.churn.rate", WEIR_BENCH_PER_SECOND,
				weir_bench_single((double)s.connections * 1e9 / (double)ns),
				"connections (both ends, opened and closed) that it made");
		weir_bench_line(b, "daemon.churn.cpu", WEIR_BENCH_PERCENT,
				weir_bench_single(100 * (double)(after.cpu_ns - before.cpu_ns) /
						  (double)ns),
				"of a processor taken by the daemon to follow them");
		json_decref(root);
	}
	bench_server_close(&s);
	stop(b);
	return r;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int with_sockets(struct weir_bench *b, unsigned n, int (*part)(struct weir_bench *b))
{
	struct bench_hold hold;
	int r = bench_hold_start(b, n, &hold);

	if (r < 0)
		return r;
	r = part(b);
	bench_hold_end(&hold);
	return r;
}

static int note(struct weir_bench *b, const char *name, int r)
{
	if (r < 0 && r != -EINTR)
		weir_bench_skip(b, name, "%s", strerror(-r));
	return r == -EINTR ? r : 0;
}

int bench_daemon(struct weir_bench *b)
{
	int r;

	weir_bench_part(b, "daemon", "All processes of weir together, started for this.");
	r = note(b, "daemon.idle", with_sockets(b, HELD, idle));
	if (r == 0)
		r = note(b, "daemon.start", with_sockets(b, KNOWN, starts));
	if (r == 0)
		r = note(b, "daemon.churn", churn(b));
	return r;
}
