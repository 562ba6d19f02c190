// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* Measured comparisons. A machine's speed drifts by more than what is looked for, so variants are
 * run in turn, many times, and compared within one round: what is reported is the median over the
 * rounds, with its spread. */

struct weir_bench;

/* What a measurement needs of the whole program, which a feature does not see. */
struct weir_bench_host {
	/* Starts a daemon of its own, in this process's network namespace. Returns at once; get()
	 * waits until it answers. *ret_pid is the keeper's. */
	int (*daemon_start)(void *ctx, struct weir_bench *b, pid_t *ret_pid);
	/* GET of its API, such as "/api/v1/processes". -errno; the body is the caller's. */
	int (*daemon_get)(void *ctx, const char *path, struct weir_buf *ret_body);
	void (*daemon_stop)(void *ctx);
	bool (*interrupted)(void);		       /* NULL: never */
	void (*progress)(void *ctx, const char *what); /* NULL: nobody looks */
	void *ctx;
};

/* host is borrowed; NULL measures only what needs no daemon. NULL when memory runs out. */
struct weir_bench *weir_bench_new(const char *name, bool quick, const struct weir_bench_host *host);
struct weir_bench *weir_bench_free(struct weir_bench *b); /* accepts NULL, returns NULL */

const struct weir_bench_host *weir_bench_host(const struct weir_bench *b); /* NULL: none */
bool weir_bench_quick(const struct weir_bench *b);
bool weir_bench_interrupted(const struct weir_bench *b);
uint64_t weir_bench_budget(const struct weir_bench *b,
			   double seconds);		   /* in ns; a fifth of it when quick */
void weir_bench_lost(struct weir_bench *b, uint64_t lost); /* events lost: in the document's head */

/* --- where it runs ------------------------------------------------------------------------- */

/* Moves this process into a network namespace of its own, with a loopback device that is up, and
 * into a mount namespace of its own, where tracing scripts find tracefs: whatever load is made from
 * now on touches nothing of the host's. -errno. */
int weir_bench_isolate(void);

/* Keeps this thread on one processor, away from the first, which has most interrupts; undone by
 * unpin. */
int weir_bench_pin(struct weir_bench *b);
void weir_bench_unpin(struct weir_bench *b);

/* How many programs hang on these tracepoints, of anybody; the list ends with NULL. */
unsigned weir_bench_on_hooks(const char *const *tracepoints);

/* Waits some seconds for nobody to hang there; whether that came. Call it with nothing of one's own attached. */
bool weir_bench_await_alone(const struct weir_bench *b, const char *const *tracepoints);

/* Starts a program with its output in *ret_output (a pipe) or, for NULL, nowhere. It runs on all
 * processors and dies with this process. -errno, also when the program is not there. */
int weir_bench_spawn(struct weir_bench *b, const char *const *argv, pid_t *ret_pid,
		     int *ret_output);

/* Forks: the child runs serve(ctx), then leaves. It dies with this process. */
int weir_bench_fork(struct weir_bench *b, int (*serve)(void *ctx), void *ctx, pid_t *ret_pid);

/* Ends it and waits; after a while with force. Accepts 0. */
void weir_bench_end(pid_t *pid);

/* What a program and all its descendants took so far. -ESRCH when it is gone. */
struct weir_bench_cost {
	uint64_t cpu_ns;
	uint64_t rss_bytes; /* summed: pages that several share are counted by each */
	uint64_t pss_bytes; /* shared pages are divided among those who share them */
	unsigned processes;
};

int weir_bench_cost(pid_t pid, struct weir_bench_cost *ret);

/* --- time ---------------------------------------------------------------------------------- */

uint64_t weir_bench_wall_ns(void);

/* CPU time of this thread: what other programs do in between is not in it. Where the kernel leaves
 * out what it does in soft interrupts (CONFIG_IRQ_TIME_ACCOUNTING), which for loopback is the
 * receiver's half, it is wall time. */
uint64_t weir_bench_work_ns(const struct weir_bench *b);

/* Decides between the two: load does the same work at each call, some microseconds of it. */
int weir_bench_calibrate(struct weir_bench *b, int (*load)(void *ctx), void *ctx);
bool weir_bench_by_wall(const struct weir_bench *b);

/* --- numbers ------------------------------------------------------------------------------- */

struct weir_bench_series {
	double *values;
	unsigned n, room;
};

struct weir_bench_spread {
	double median, low, high; /* low to high: the middle half of the values */
	double min, max;
	unsigned n; /* 0: nothing was measured, the rest is 0 */
};

int weir_bench_series_add(struct weir_bench_series *s, double value);
void weir_bench_series_done(struct weir_bench_series *s);
struct weir_bench_spread weir_bench_spread(const struct weir_bench_series *s);
struct weir_bench_spread weir_bench_single(double value);
/* The value that the share (0 to 1) of all values does not exceed; 0 of none. */
double weir_bench_quantile(const struct weir_bench_series *s, double share);

/* --- comparing ----------------------------------------------------------------------------- */

#define WEIR_BENCH_VARIANTS 5
#define WEIR_BENCH_METRICS 16

struct weir_bench_variant {
	const char *name;
	int (*begin)(void *ctx); /* NULL: nothing to do */
	void (*end)(void *ctx);	 /* NULL: nothing to undo; called once for each begin() that did not
				    fail */
};

struct weir_bench_comparison {
	const struct weir_bench_variant *variants;
	unsigned n_variants, n_metrics;
	/* Measures what is there now: one number for each metric. -EAGAIN: something came in
	 * between that spoils the round, which is thrown away. -errno otherwise. */
	int (*measure)(void *ctx, double ret[WEIR_BENCH_METRICS]);
	void *ctx;
	unsigned rounds_min;
	unsigned rounds_max;
	uint64_t budget_ns; /* after rounds_min no round begins when it is over */
};

/* By variant and metric: one value for each round. */
struct weir_bench_rounds {
	struct weir_bench_series series[WEIR_BENCH_VARIANTS][WEIR_BENCH_METRICS];
};

/* Runs the variants in turn, forwards in one round and backwards in the next. -errno of what failed
 * first, -EINTR when interrupted; a round that was not finished is not in *ret. *ret is to be freed
 * in any case. */
int weir_bench_compare(struct weir_bench *b, const struct weir_bench_comparison *c,
		       struct weir_bench_rounds *ret);
void weir_bench_rounds_done(struct weir_bench_rounds *r);

struct weir_bench_spread weir_bench_of(const struct weir_bench_rounds *r, unsigned variant,
				       unsigned metric);
/* Round by round: variant / base, and variant - base. */
struct weir_bench_spread weir_bench_ratio(const struct weir_bench_rounds *r, unsigned variant,
					  unsigned base, unsigned metric);
struct weir_bench_spread weir_bench_added(const struct weir_bench_rounds *r, unsigned variant,
					  unsigned base, unsigned metric);
/* (variant - base) / (other - base), of the medians: single differences may be close to nothing.
 * The spread is that of leaving out each tenth of the rounds in turn. */
struct weir_bench_spread weir_bench_cost_ratio(const struct weir_bench_rounds *r, unsigned variant,
					       unsigned other, unsigned base, unsigned metric);

/* --- the report ---------------------------------------------------------------------------- */

enum weir_bench_unit {
	WEIR_BENCH_RATIO,
	WEIR_BENCH_PERCENT,
	WEIR_BENCH_NS,
	WEIR_BENCH_MS,
	WEIR_BENCH_BYTES,
	WEIR_BENCH_PER_SECOND,
	WEIR_BENCH_COUNT,
	_WEIR_BENCH_UNIT_MAX,
};

/* A new part of the report: a title, and what it is about in a sentence or two. Both are copied. */
void weir_bench_part(struct weir_bench *b, const char *title, const char *about);

/* One line: name is for scripts ("hooks.tcp.send.ratio"), the text for people. Nothing measured: no
 * line. */
void weir_bench_line(struct weir_bench *b, const char *name, enum weir_bench_unit unit,
		     struct weir_bench_spread value, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* A line that could not be measured, with the reason. */
void weir_bench_skip(struct weir_bench *b, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A table of whole numbers, such as hits and bytes for each workload: the columns, then its rows.
 * In the document each number is a row of its own, named ROW.COLUMN. All texts are copied. */
#define WEIR_BENCH_COLUMNS 8

struct weir_bench_column {
	const char *name, *title; /* for scripts; for people, above the numbers */
	enum weir_bench_unit unit;
};

void weir_bench_columns(struct weir_bench *b, const char *title,
			const struct weir_bench_column *columns, unsigned n);
/* One number for each of the columns that were named last. */
void weir_bench_row(struct weir_bench *b, const char *name, const char *title,
		    const uint64_t *values);

/* What the reader should know beside it, such as others' programs on the same hooks. */
void weir_bench_remark(struct weir_bench *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether the processor is emulated in software, as QEMU's TCG does it: counts are right there,
 * times are not. */
bool weir_bench_emulated(void);

/* The whole report as one document (with a newline), or for people. -ENOMEM if memory ran out while
 * measuring. */
int weir_bench_json(const struct weir_bench *b, struct weir_buf *out, bool indent);
int weir_bench_text(const struct weir_bench *b, struct weir_buf *out, unsigned width);
