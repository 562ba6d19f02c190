// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "features/traffic/traffic_bench.h"

/* Whole programs that answer "who sends how much", in turn beside nothing: weir's daemon, the line
 * of bpftrace that hangs on the same hooks, nethogs. What each costs the work, and what it takes
 * itself. */

enum { NONE, WEIR, BPFTRACE, NETHOGS, _WATCHERS };
enum { PINGPONG, BULK, CHURN, CPU, _METRICS };

#define READY_MS 8000

struct watchers {
	struct weir_bench *b;
	pid_t pid; /* of the one that runs now */
	int output;
	uint64_t slice_ns;
};

/* --- starting one ---------------------------------------------------------------------------- */

static int start_weir(void *ctx)
{
	struct watchers *w = ctx;
	const struct weir_bench_host *host = weir_bench_host(w->b);
	_cleanup_(weir_buf_done) struct weir_buf body = {};
	int r = host->daemon_start(host->ctx, w->b, &w->pid);

	if (r < 0)
		return r;
	r = host->daemon_get(host->ctx, "/api/v1/processes?limit=1", &body);
	if (r < 0)
		host->daemon_stop(host->ctx);
	return r;
}

static void stop_weir(void *ctx)
{
	struct watchers *w = ctx;
	const struct weir_bench_host *host = weir_bench_host(w->b);

	host->daemon_stop(host->ctx);
	w->pid = 0;
}

static void stop_program(void *ctx)
{
	struct watchers *w = ctx;

	/* Nobody reads its last words, and it must not wait for that. */
	weir_closep(&w->output);
	weir_bench_end(&w->pid);
}

/* Until it says the word; -ENOMSG with its first line in what it said. */
static int await(struct watchers *w, const char *word, struct weir_buf *said)
{
	uint64_t until = weir_bench_wall_ns() + READY_MS * 1000000ull;

	while (weir_bench_wall_ns() < until && !weir_bench_interrupted(w->b)) {
		struct pollfd p = { .fd = w->output, .events = POLLIN };
		char text[1024];
		ssize_t n;

		if (poll(&p, 1, 100) <= 0)
			continue;
		n = read(w->output, text, sizeof(text));
		if (n <= 0)
			break;
		weir_buf_add(said, text, (size_t)n);
		if (said->data && strstr(said->data, word))
			return 0;
	}
	return weir_bench_interrupted(w->b) ? -EINTR : -ENOMSG;
}

static int start_program(struct watchers *w, const char *const *argv, const char *word,
			 struct weir_buf *said)
{
	int r = weir_bench_spawn(w->b, argv, &w->pid, &w->output);

	if (r < 0)
		return r;
	r = await(w, word, said);
	if (r < 0)
		stop_program(w);
	return r;
}

static int start_bpftrace_said(struct watchers *w, struct weir_buf *said)
{
	/* Its own tests use the variable: it tells when the programs are attached. */
	static const char *const argv[] = {
		"env",
		"__BPFTRACE_NOTIFY_PROBES_ATTACHED=1",
		"bpftrace",
		"-e",
		"tracepoint:sock:sock_send_length /args->ret > 0/ { @tx[pid, comm] = "
		"sum(args->ret); } "
		"tracepoint:sock:sock_recv_length /args->ret > 0/ { @rx[pid, comm] = "
		"sum(args->ret); }",
		NULL,
	};

	return start_program(w, argv, "NOTIFY_PROBES_ATTACHED", said);
}

static int start_nethogs_said(struct watchers *w, struct weir_buf *said)
{
	static const char *const argv[] = { "nethogs", "-a", "-t", "-C", "-d", "1", "lo", NULL };

	return start_program(w, argv, "Refreshing", said);
}

static int start_bpftrace(void *ctx)
{
	_cleanup_(weir_buf_done) struct weir_buf said = {};

	return start_bpftrace_said(ctx, &said);
}

static int start_nethogs(void *ctx)
{
	_cleanup_(weir_buf_done) struct weir_buf said = {};

	return start_nethogs_said(ctx, &said);
}

/* --- comparing ------------------------------------------------------------------------------- */

static int measure(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	struct bench_server server = { .fd = -1 };
	struct bench_pair pair = { -1, -1 };
	struct watchers *w = ctx;
	struct weir_bench_cost before = {}, after = {};
	uint64_t begun;
	int r;

	r = bench_pair_open(AF_INET, SOCK_STREAM, &pair);
	if (r == 0)
		r = bench_server_open(&server);
	if (w->pid)
		weir_bench_cost(w->pid, &before);
	begun = weir_bench_wall_ns();
	if (r == 0)
		r = bench_pingpong_ns(w->b, &pair, w->slice_ns, &ret[PINGPONG]);
	if (r == 0)
		r = bench_bulk_ns(w->b, &pair, w->slice_ns, &ret[BULK]);
	if (r == 0)
		r = bench_churn_ns(w->b, &server, w->slice_ns, &ret[CHURN]);
	begun = weir_bench_wall_ns() - begun;
	if (w->pid && weir_bench_cost(w->pid, &after) == 0 && begun)
		ret[CPU] = 100 * (double)(after.cpu_ns - before.cpu_ns) / (double)begun;
	bench_pair_close(&pair);
	bench_server_close(&server);
	return r;
}

static const struct weir_bench_variant all[_WATCHERS] = {
	[NONE] = { "none" },
	[WEIR] = { "weir", start_weir, stop_weir },
	[BPFTRACE] = { "bpftrace", start_bpftrace, stop_program },
	[NETHOGS] = { "nethogs", start_nethogs, stop_program },
};

static void report(struct weir_bench *b, const struct weir_bench_variant *variants, unsigned n,
		   const struct weir_bench_rounds *r)
{
	static const char *const metrics[] = { "pingpong", "bulk", "churn" };
	static const char *const words[] = {
		[PINGPONG] =
			"speed of a ping-pong of 32 bytes in one thread beside %s, 1 being without",
		[BULK] = "speed of bulk data beside %s",
		[CHURN] = "speed of short connections beside %s",
	};
	char name[64], text[128];

	for (unsigned v = 1; v < n; v++) {
		const char *who = variants[v].name,
			   *shown = strcmp(who, "weir") ? who : "the whole of weir";

		for (unsigned m = 0; m < ARRAY_SIZE(metrics); m++) {
			snprintf(name, sizeof(name), "watchers.%s.%s.ratio", who, metrics[m]);
			snprintf(text, sizeof(text), "%.*s%s%s",
				 (int)(strstr(words[m], "%s") - words[m]), words[m], shown,
				 strstr(words[m], "%s") + 2);
			weir_bench_line(b, name, WEIR_BENCH_RATIO, weir_bench_ratio(r, NONE, v, m),
					"%s", text);
		}
		snprintf(name, sizeof(name), "watchers.%s.cpu", who);
		weir_bench_line(b, name, WEIR_BENCH_PERCENT, weir_bench_of(r, v, CPU),
				"of a processor taken by %s itself meanwhile", shown);
	}
}

/* One start each before the comparison: who does not start is named with the reason, and the rest
 * goes on. */
static unsigned choose(struct watchers *w, struct weir_bench_variant *ret)
{
	unsigned n = 0;

	ret[n++] = all[NONE];
	for (unsigned v = WEIR; v < _WATCHERS; v++) {
		_cleanup_(weir_buf_done) struct weir_buf said = {};
		char name[64];
		int r;

		r = v == WEIR	    ? start_weir(w)
		    : v == BPFTRACE ? start_bpftrace_said(w, &said)
				    : start_nethogs_said(w, &said);
		if (r == 0) {
			all[v].end(w);
			ret[n++] = all[v];
			continue;
		}
		snprintf(name, sizeof(name), "watchers.%s", all[v].name);
		if (said.len)
			weir_bench_skip(w->b, name, "%s did not start: %.*s", all[v].name,
					(int)strcspn(said.data, "\n"), said.data);
		else
			weir_bench_skip(w->b, name, "%s did not start: %s", all[v].name,
					r == -ENOMSG ? "it did not say that it was ready"
						     : strerror(-r));
	}
	return n;
}

int bench_watchers(struct weir_bench *b)
{
	struct watchers w = { .b = b,
			      .output = -1,
			      .slice_ns = weir_bench_quick(b) ? 60000000 : 200000000 };
	struct weir_bench_variant variants[_WATCHERS];
	struct weir_bench_comparison c = {
		.variants = variants,
		.n_metrics = _METRICS,
		.measure = measure,
		.ctx = &w,
		.rounds_min = weir_bench_quick(b) ? 1 : 5,
		.rounds_max = weir_bench_quick(b) ? 1 : 12,
		.budget_ns = weir_bench_budget(b, 20),
	};
	struct weir_bench_rounds rounds;
	int r;

	weir_bench_part(
		b, "watchers",
		"Whole programs beside the same work, started and ended in turn: weir's daemon, a "
		"line of bpftrace "
		"that sums bytes by process on the same hooks, and nethogs, which reads packets.");
	r = weir_bench_pin(b);
	if (r < 0)
		return r;
	c.n_variants = choose(&w, variants);
	r = weir_bench_compare(b, &c, &rounds);
	if (rounds.series[0][0].n)
		report(b, variants, c.n_variants, &rounds);
	if (r < 0 && r != -EINTR)
		weir_bench_skip(b, "watchers", "%s", strerror(-r));
	weir_bench_rounds_done(&rounds);
	weir_bench_unpin(b);
	return r == -EINTR ? r : 0;
}
