// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/bench.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "core/bench_private.h"

struct weir_bench *weir_bench_new(const char *name, bool quick, const struct weir_bench_host *host)
{
	struct weir_bench *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->name = strdup(name);
	if (!b->name)
		return weir_bench_free(b);
	b->quick = quick;
	b->host = host;
	b->begun_ns = weir_mono_ns();
	b->begun_real_ns = weir_clock_ns(CLOCK_REALTIME);
	CPU_ZERO(&b->all);
	sched_getaffinity(0, sizeof(b->all), &b->all);
	return b;
}

struct weir_bench *weir_bench_free(struct weir_bench *b)
{
	if (!b)
		return NULL;
	for (unsigned i = 0; i < b->n_entries; i++) {
		free(b->entries[i].name);
		free(b->entries[i].text);
		if (b->entries[i].kind == BENCH_COLUMNS)
			bench_columns_free(b->entries[i].columns);
	}
	free(b->entries);
	free(b->name);
	free(b);
	return NULL;
}

const struct weir_bench_host *weir_bench_host(const struct weir_bench *b)
{
	return b->host;
}

bool weir_bench_quick(const struct weir_bench *b)
{
	return b->quick;
}

bool weir_bench_interrupted(const struct weir_bench *b)
{
	return b->host && b->host->interrupted && b->host->interrupted();
}

uint64_t weir_bench_budget(const struct weir_bench *b, double seconds)
{
	return (uint64_t)(seconds * (b->quick ? 0.2e9 : 1e9));
}

void weir_bench_lost(struct weir_bench *b, uint64_t lost)
{
	b->lost += lost;
}

/* --- time ---------------------------------------------------------------------------------- */

uint64_t weir_bench_wall_ns(void)
{
	return weir_mono_ns();
}

uint64_t weir_bench_work_ns(const struct weir_bench *b)
{
	return weir_clock_ns(b->by_wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID);
}

bool weir_bench_by_wall(const struct weir_bench *b)
{
	return b->by_wall;
}

/* Somewhere in many short pieces nobody else ran: there both clocks agree, if the kernel counts all
 * of the work. */
int weir_bench_calibrate(struct weir_bench *b, int (*load)(void *ctx), void *ctx)
{
	double most = 0;

	for (int i = 0; i < 200; i++) {
		uint64_t wall = weir_mono_ns(), cpu = weir_clock_ns(CLOCK_THREAD_CPUTIME_ID);
		double share;

		for (int k = 0; k < 20; k++) {
			int r = load(ctx);

			if (r < 0)
				return r;
		}
		cpu = weir_clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
		wall = weir_mono_ns() - wall;
		share = wall ? (double)cpu / (double)wall : 0;
		most = share > most ? share : most;
	}
	b->by_wall = most < 0.9;
	return 0;
}

/* --- numbers ------------------------------------------------------------------------------- */

int weir_bench_series_add(struct weir_bench_series *s, double value)
{
	if (s->n == s->room) {
		unsigned room = s->room ? s->room * 2 : 32;
		double *more = reallocarray(s->values, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->values = more;
		s->room = room;
	}
	s->values[s->n++] = value;
	return 0;
}

void weir_bench_series_done(struct weir_bench_series *s)
{
	free(s->values);
	*s = (struct weir_bench_series){};
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between the two values that stand around it; share is 0 to 1. */
static double quantile(const double *sorted, unsigned n, double share)
{
	double at = share * (n - 1), whole = floor(at);
	unsigned i = (unsigned)whole;

	return i + 1 < n ? sorted[i] + (at - whole) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* Sorts the values where they stand. */
static struct weir_bench_spread spread_of(double *values, unsigned n)
{
	if (!n)
		return (struct weir_bench_spread){};
	qsort(values, n, sizeof(*values), by_size);
	return (struct weir_bench_spread){
		.median = quantile(values, n, 0.5),
		.low = quantile(values, n, 0.25),
		.high = quantile(values, n, 0.75),
		.min = values[0],
		.max = values[n - 1],
		.n = n,
	};
}

struct weir_bench_spread weir_bench_spread(const struct weir_bench_series *s)
{
	_cleanup_free_ double *copy = s->n ? malloc(s->n * sizeof(*copy)) : NULL;

	if (!copy)
		return (struct weir_bench_spread){};
	memcpy(copy, s->values, s->n * sizeof(*copy));
	return spread_of(copy, s->n);
}

double weir_bench_quantile(const struct weir_bench_series *s, double share)
{
	_cleanup_free_ double *copy = s->n ? malloc(s->n * sizeof(*copy)) : NULL;

	if (!copy)
		return 0;
	memcpy(copy, s->values, s->n * sizeof(*copy));
	qsort(copy, s->n, sizeof(*copy), by_size);
	return quantile(copy, s->n, share);
}

struct weir_bench_spread weir_bench_single(double value)
{
	return (struct weir_bench_spread){ value, value, value, value, value, 1 };
}

/* --- comparing ----------------------------------------------------------------------------- */

static int run_variant(const struct weir_bench_comparison *c, unsigned variant,
		       double ret[WEIR_BENCH_METRICS])
{
	const struct weir_bench_variant *v = &c->variants[variant];
	int r = v->begin ? v->begin(c->ctx) : 0;

	if (r < 0)
		return r;
	r = c->measure(c->ctx, ret);
	if (v->end)
		v->end(c->ctx);
	return r;
}

/* One number of each variant and metric, or nothing. */
static int keep_round(const struct weir_bench_comparison *c, struct weir_bench_rounds *to,
		      double values[WEIR_BENCH_VARIANTS][WEIR_BENCH_METRICS])
{
	for (unsigned v = 0; v < c->n_variants; v++) {
		for (unsigned m = 0; m < c->n_metrics; m++) {
			int r = weir_bench_series_add(&to->series[v][m], values[v][m]);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int run_round(struct weir_bench *b, const struct weir_bench_comparison *c, bool backwards,
		     struct weir_bench_rounds *to)
{
	double values[WEIR_BENCH_VARIANTS][WEIR_BENCH_METRICS] = {};

	for (unsigned i = 0; i < c->n_variants; i++) {
		unsigned v = backwards ? c->n_variants - 1 - i : i;
		int r = weir_bench_interrupted(b) ? -EINTR : run_variant(c, v, values[v]);

		if (r < 0)
			return r;
	}
	return keep_round(c, to, values);
}

int weir_bench_compare(struct weir_bench *b, const struct weir_bench_comparison *c,
		       struct weir_bench_rounds *ret)
{
	uint64_t begun = weir_bench_wall_ns();
	unsigned kept = 0;

	memset(ret, 0, sizeof(*ret));
	for (unsigned round = 0; kept < c->rounds_max; round++) {
		bool over = weir_bench_wall_ns() - begun >= c->budget_ns;
		int r;

		if (over && (kept >= c->rounds_min || kept < round))
			break;
		r = run_round(b, c, round % 2, ret);
		if (r < 0 && r != -EAGAIN)
			return r;
		kept += r == 0;
	}
	return 0;
}

void weir_bench_rounds_done(struct weir_bench_rounds *r)
{
	for (unsigned v = 0; v < WEIR_BENCH_VARIANTS; v++)
		for (unsigned m = 0; m < WEIR_BENCH_METRICS; m++)
			weir_bench_series_done(&r->series[v][m]);
}

struct weir_bench_spread weir_bench_of(const struct weir_bench_rounds *r, unsigned variant,
				       unsigned metric)
{
	return weir_bench_spread(&r->series[variant][metric]);
}

static double quotient(double a, double b)
{
	return b != 0 ? a / b : 0;
}

static double difference(double a, double b)
{
	return a - b;
}

static struct weir_bench_spread pairs(const struct weir_bench_series *a,
				      const struct weir_bench_series *b,
				      double (*of)(double a, double b))
{
	unsigned n = a->n < b->n ? a->n : b->n;
	_cleanup_free_ double *values = n ? malloc(n * sizeof(*values)) : NULL;

	if (!values)
		return (struct weir_bench_spread){};
	for (unsigned i = 0; i < n; i++)
		values[i] = of(a->values[i], b->values[i]);
	return spread_of(values, n);
}

struct weir_bench_spread weir_bench_ratio(const struct weir_bench_rounds *r, unsigned variant,
					  unsigned base, unsigned metric)
{
	return pairs(&r->series[variant][metric], &r->series[base][metric], quotient);
}

struct weir_bench_spread weir_bench_added(const struct weir_bench_rounds *r, unsigned variant,
					  unsigned base, unsigned metric)
{
	return pairs(&r->series[variant][metric], &r->series[base][metric], difference);
}

/* The median difference of the rounds but for those whose number modulo parts is left_out. */
static double median_added(const struct weir_bench_series *a, const struct weir_bench_series *b,
			   double *room, unsigned parts, unsigned left_out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->n && i < b->n; i++)
		if (i % parts != left_out)
			room[n++] = a->values[i] - b->values[i];
	return spread_of(room, n).median;
}

struct weir_bench_spread weir_bench_cost_ratio(const struct weir_bench_rounds *r, unsigned variant,
					       unsigned other, unsigned base, unsigned metric)
{
	enum { PARTS = 10 };
	const struct weir_bench_series *a = &r->series[variant][metric],
				       *o = &r->series[other][metric],
				       *z = &r->series[base][metric];
	_cleanup_free_ double *room = a->n ? malloc(a->n * sizeof(*room)) : NULL;
	struct weir_bench_spread s;
	double part[PARTS];

	if (!room)
		return (struct weir_bench_spread){};
	for (unsigned k = 0; k < PARTS; k++)
		part[k] = quotient(median_added(a, z, room, PARTS, k),
				   median_added(o, z, room, PARTS, k));
	s = spread_of(part, PARTS);
	s.median = quotient(median_added(a, z, room, PARTS, PARTS),
			    median_added(o, z, room, PARTS, PARTS));
	s.n = a->n;
	return s;
}
