// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/record.h"
#include "features/drops/drops_bench.h"

/* Of each new sum one packet is handed over, and then one a second: with many sums that is more than the ring has room
 * for. What it had and what was counted as lost must add up to the sums. After that the same sockets lose for a while. */

#define SOCKETS 800 /* their samples are more than the ring holds */
#define ATTEMPTS 8
#define DRAIN_EVERY 64 /* losses */

struct samples {
	struct drops_kernel *kernel;
	struct drops_reader *reader;
	struct drops_full *sockets;
	struct bpf_link *link;
};

struct counting_sink {
	struct weir_sink sink;
	uint64_t seen;
};

static void count_record(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	struct counting_sink *s = (struct counting_sink *)sink;

	(void)bytes;
	(void)len;
	s->seen += type == DROPS_RECORD_SEEN;
}

static int drain(struct samples *s, uint64_t *ret_seen)
{
	struct counting_sink sink = { .sink = { .put = count_record } };
	int r = drops_reader_drain(s->reader, &sink.sink);

	*ret_seen = sink.seen;
	return r < 0 ? r : 0;
}

static uint64_t lost(const struct samples *s)
{
	return __atomic_load_n(&drops_kernel_control(s->kernel)->samples_lost, __ATOMIC_RELAXED);
}

static void close_sockets(struct samples *s)
{
	for (unsigned i = 0; s->sockets && i < SOCKETS; i++)
		drops_full_close(&s->sockets[i]);
}

static int open_sockets(struct samples *s)
{
	int r = 0;

	for (unsigned i = 0; i < SOCKETS && r == 0; i++)
		r = drops_full_open(&s->sockets[i]);
	return r;
}

/* --- what the ring has no room for ------------------------------------------------------------------- */

/* Sockets that were not seen losing before lose one packet each while nobody reads. */
static int overflow(struct samples *s, uint64_t *ret_delivered, uint64_t *ret_lost)
{
	uint64_t before, unused;
	int r;

	close_sockets(s);
	r = open_sockets(s);
	if (r < 0)
		return r;
	s->link = bpf_program__attach(drops_kernel_program(s->kernel));
	if (!s->link)
		return -errno;
	r = drain(s, &unused);
	before = lost(s);
	for (unsigned i = 0; i < SOCKETS && r == 0; i++)
		r = drops_full_lose(&s->sockets[i]);
	bpf_link__destroy(s->link);
	s->link = NULL;
	if (r == 0)
		r = drain(s, ret_delivered);
	*ret_lost = lost(s) - before;
	return r;
}

static int report_overflow(struct weir_bench *b, struct samples *s)
{
	uint64_t delivered = 0, not_taken = 0;
	double missing = 0;
	int r = 0;

	/* Others' losses cannot be told from ours once they are lost: it takes a moment in which there are none. */
	for (int i = 0; i < ATTEMPTS && r == 0; i++) {
		r = weir_bench_interrupted(b) ? -EINTR : overflow(s, &delivered, &not_taken);
		missing = (double)SOCKETS - (double)(delivered + not_taken);
		if (missing == 0)
			break;
	}
	if (r < 0)
		return r;
	weir_bench_line(b, "drops.samples.missing", WEIR_BENCH_COUNT, weir_bench_single(missing),
			"samples of %d new sums that were neither delivered nor counted as lost (less than 0: counted too often)",
			SOCKETS);
	weir_bench_line(b, "drops.samples.delivered", WEIR_BENCH_COUNT, weir_bench_single((double)delivered),
			"of them were in the ring, which nobody had read");
	weir_bench_line(b, "drops.samples.counted", WEIR_BENCH_COUNT, weir_bench_single((double)not_taken),
			"of them were counted as lost");
	return 0;
}

/* --- how many there are in a second ------------------------------------------------------------------- */

/* All sums are known by now, and the ring is read. */
static int lose_for(struct weir_bench *b, struct samples *s, double seconds, uint64_t *ret_seen, uint64_t *ret_made)
{
	uint64_t until = weir_bench_wall_ns() + (uint64_t)(seconds * 1e9);
	int r = 0;

	while (r == 0 && weir_bench_wall_ns() < until) {
		for (unsigned i = 0; i < SOCKETS && r == 0; i++) {
			uint64_t seen = 0;

			r = drops_full_lose_many(&s->sockets[i]);
			*ret_made += DROPS_PER_CALL;
			if (r == 0 && i % DRAIN_EVERY == 0)
				r = drain(s, &seen);
			*ret_seen += seen;
		}
		if (weir_bench_interrupted(b))
			return -EINTR;
	}
	return r;
}

static int report_rate(struct weir_bench *b, struct samples *s)
{
	double seconds = weir_bench_quick(b) ? 1.5 : 4;
	uint64_t seen = 0, made = 0, begun, before;
	int r;

	s->link = bpf_program__attach(drops_kernel_program(s->kernel));
	if (!s->link)
		return -errno;
	begun = weir_bench_wall_ns();
	before = lost(s);
	r = lose_for(b, s, seconds, &seen, &made);
	seconds = (double)(weir_bench_wall_ns() - begun) / 1e9;
	if (r < 0)
		return r;
	weir_bench_line(b, "drops.samples.per_second", WEIR_BENCH_PER_SECOND, weir_bench_single((double)seen / seconds),
			"samples of one processor while %d sums grow, by %.0f losses a second", SOCKETS, (double)made / seconds);
	weir_bench_line(b, "drops.samples.passed_over", WEIR_BENCH_PER_SECOND,
			weir_bench_single((double)(lost(s) - before) / seconds), "were due, and counted instead of taken");
	return 0;
}

/* Two descriptors for each. */
static int allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if (limit.rlim_cur >= 2 * SOCKETS + 256)
		return 0;
	limit.rlim_cur = 2 * SOCKETS + 256;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int drops_bench_samples(struct weir_bench *b, const struct drops_bench_loaded *l)
{
	struct samples s = { .kernel = l->kernel, .sockets = calloc(SOCKETS, sizeof(*s.sockets)) };
	int r = s.sockets ? allow_descriptors() : -ENOMEM;

	for (unsigned i = 0; s.sockets && i < SOCKETS; i++)
		s.sockets[i] = (struct drops_full){ -1, -1 };
	weir_bench_part(b, "samples",
			"Each packet is counted; now and then one is handed over to be shown. How many is bounded, and what is "
			"left out is counted.");
	if (r == 0)
		r = drops_reader_new(s.kernel, &s.reader);
	if (r == 0)
		r = report_overflow(b, &s);
	if (r == 0)
		r = report_rate(b, &s);
	bpf_link__destroy(s.link);
	drops_reader_free(s.reader);
	close_sockets(&s);
	free(s.sockets);
	if (r < 0 && r != -EINTR)
		weir_bench_skip(b, "drops.samples", "%s", strerror(-r));
	return r == -EINTR ? r : 0;
}
