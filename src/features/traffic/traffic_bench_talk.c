// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_bench_talk.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "features/traffic/traffic_bench.h"
#include "features/traffic/traffic_bench_talk_abi.h"
#include "features/traffic/traffic_bench_talk.skel.h"

/* The functions that byte counters commonly hang on: how often they run, what their numbers say
 * beside the truth, what a hook on them costs. */

enum kind { FENTRY, KPROBE, _KINDS };
enum place { SEND, SENT, RECEIVED, CLEANUP, _PLACES };
enum { SUM, EMPTY, _WHATS };

static const struct {
	const char *name, *words;
	const char *programs[_KINDS][_WHATS];
} places[_PLACES] = {
	[SEND] = { "sendmsg",
		   "tcp_sendmsg, at its entry",
		   { { "send_fentry", "send_fentry_empty" },
		     { "send_kprobe", "send_kprobe_empty" } } },
	[SENT] = { "sendmsg_return",
		   "tcp_sendmsg, at its return",
		   { { "sent_fexit", "sent_fexit_empty" },
		     { "sent_kretprobe", "sent_kretprobe_empty" } } },
	[RECEIVED] = { "recvmsg_return",
		       "tcp_recvmsg, at its return",
		       { { "received_fexit", "received_fexit_empty" },
			 { "received_kretprobe", "received_kretprobe_empty" } } },
	[CLEANUP] = { "cleanup_rbuf",
		      "tcp_cleanup_rbuf, at its entry",
		      { { "cleanup_fentry", "cleanup_fentry_empty" },
			{ "cleanup_kprobe", "cleanup_kprobe_empty" } } },
};

struct talk {
	struct weir_bench *b;
	struct traffic_bench_talk_bpf *bpf[_PLACES][_KINDS]; /* NULL: refused */
	int errors[_PLACES][_KINDS];
	uint64_t hits_per_call[_PLACES]; /* of one byte, in thousandths */
	struct bench_pair pair;
	uint64_t slice_ns;
	struct bpf_link *links[2];
	enum place watched; /* whose cost is measured */
};

/* --- loading --------------------------------------------------------------------------------- */

/* The better of those that work; _KINDS: none does. */
static enum kind kind_of(const struct talk *t, enum place p)
{
	enum kind k = FENTRY;

	while (k < _KINDS && !t->bpf[p][k])
		k++;
	return k;
}

static struct bpf_program *program_of(const struct talk *t, enum place p, enum kind k, int what)
{
	return bpf_object__find_program_by_name(t->bpf[p][k]->obj, places[p].programs[k][what]);
}

/* Whether it loads says little: some kernels refuse only to attach. */
static int try_attach(const struct talk *t, enum place p, enum kind k)
{
	for (int what = 0; what < _WHATS; what++) {
		struct bpf_link *link = bpf_program__attach(program_of(t, p, k, what));

		if (!link)
			return -errno;
		bpf_link__destroy(link);
	}
	return 0;
}

static void load_one(struct talk *t, enum place p, enum kind k)
{
	struct traffic_bench_talk_bpf *bpf = traffic_bench_talk_bpf__open();
	struct bpf_program *program;
	int r;

	if (!bpf) {
		t->errors[p][k] = -errno;
		return;
	}
	bpf_object__for_each_program(program, bpf->obj)
	{
		const char *name = bpf_program__name(program);

		bpf_program__set_autoload(program,
					  !strcmp(name, places[p].programs[k][SUM]) ||
						  !strcmp(name, places[p].programs[k][EMPTY]));
	}
	t->bpf[p][k] = bpf;
	r = traffic_bench_talk_bpf__load(bpf);
	if (r == 0)
		r = try_attach(t, p, k);
	if (r == 0)
		return;
	t->errors[p][k] = r;
	traffic_bench_talk_bpf__destroy(bpf);
	t->bpf[p][k] = NULL;
}

static int say_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static void put_refusal(const struct talk *t, const char *name, const char *what, enum place p)
{
	weir_bench_skip(
		t->b, name,
		"%s: this kernel refuses fentry (%s) and kprobes (%s); boot one with BTF and "
		"CONFIG_FUNCTION_TRACER or with CONFIG_KPROBES, such as a distribution's own",
		what, strerror(-t->errors[p][FENTRY]), strerror(-t->errors[p][KPROBE]));
}

/* What is refused becomes a line of the report. How many places there are. */
static unsigned load(struct talk *t)
{
	libbpf_print_fn_t before = libbpf_set_print(say_nothing);
	unsigned n = 0;

	for (enum place p = 0; p < _PLACES; p++) {
		for (enum kind k = 0; k < _KINDS; k++)
			load_one(t, p, k);
		n += kind_of(t, p) < _KINDS;
	}
	libbpf_set_print(before);
	if (!n)
		put_refusal(t, "talk", "tcp_sendmsg, tcp_recvmsg and tcp_cleanup_rbuf", SEND);
	for (enum place p = 0; p < _PLACES && n; p++) {
		char name[64];

		snprintf(name, sizeof(name), "talk.%s", places[p].name);
		if (kind_of(t, p) == _KINDS)
			put_refusal(t, name, places[p].words, p);
	}
	return n;
}

static void unload(struct talk *t)
{
	for (enum place p = 0; p < _PLACES; p++)
		for (enum kind k = 0; k < _KINDS; k++)
			traffic_bench_talk_bpf__destroy(t->bpf[p][k]);
}

/* --- attaching ------------------------------------------------------------------------------- */

static void detach(void *ctx)
{
	struct talk *t = ctx;

	for (unsigned i = 0; i < ARRAY_SIZE(t->links); i++) {
		bpf_link__destroy(t->links[i]);
		t->links[i] = NULL;
	}
}

static int attach_at(struct talk *t, unsigned i, enum place p, enum kind k, int what)
{
	t->links[i] = bpf_program__attach(program_of(t, p, k, what));
	return t->links[i] ? 0 : -errno;
}

static int attach_two(struct talk *t, enum place one, enum place other, enum kind k, int what)
{
	int r = attach_at(t, 0, one, k < _KINDS ? k : kind_of(t, one), what);

	if (r == 0)
		r = attach_at(t, 1, other, k < _KINDS ? k : kind_of(t, other), what);
	if (r < 0)
		detach(t);
	return r;
}

/* --- hits and bytes -------------------------------------------------------------------------- */

struct facts {
	struct talk_moved moved;
	struct talk_seen seen[_PLACES];
};

static int sums_fd(const struct talk *t, enum place p)
{
	return bpf_map__fd(t->bpf[p][kind_of(t, p)]->maps.sums);
}

static int run_workload(struct talk *t, const struct talk_workload *w, struct facts *ret)
{
	struct bpf_link *links[_PLACES] = {};
	uint32_t self = (uint32_t)getpid();
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	for (enum place p = 0; p < _PLACES && r == 0; p++) {
		enum kind k = kind_of(t, p);

		if (k == _KINDS)
			continue;
		(void)bpf_map_delete_elem(sums_fd(t, p), &self);
		links[p] = bpf_program__attach(program_of(t, p, k, SUM));
		r = links[p] ? 0 : -errno;
	}
	if (r == 0)
		r = w->run(t->b, &ret->moved);
	for (enum place p = 0; p < _PLACES; p++) {
		bpf_link__destroy(links[p]);
		/* Not there: it never ran. */
		if (links[p])
			(void)bpf_map_lookup_elem(sums_fd(t, p), &self, &ret->seen[p]);
	}
	return r;
}

#define COUNT WEIR_BENCH_COUNT
#define BYTES WEIR_BENCH_BYTES

/* The columns of a table: what a place says, or the truth. */
struct column {
	struct weir_bench_column head;
	enum place place; /* _PLACES: the truth */
};

static const struct column send_columns[] = {
	{ { "sent", "sent", BYTES }, _PLACES },
	{ { "sendmsg_hits", "tcp_sendmsg", COUNT }, SEND },
	{ { "sendmsg_bytes", "bytes at entry", BYTES }, SEND },
	{ { "sendmsg_returned", "bytes at return", BYTES }, SENT },
};

static const struct column receive_columns[] = {
	{ { "read", "read", BYTES }, _PLACES },
	{ { "recvmsg_hits", "tcp_recvmsg", COUNT }, RECEIVED },
	{ { "recvmsg_returned", "bytes at return", BYTES }, RECEIVED },
	{ { "cleanup_hits", "tcp_cleanup_rbuf", COUNT }, CLEANUP },
	{ { "cleanup_bytes", "bytes copied", BYTES }, CLEANUP },
};

static uint64_t cell(const struct column *c, const struct facts *f, uint64_t truth)
{
	if (c->place == _PLACES)
		return truth;
	return c->head.unit == COUNT ? f->seen[c->place].hits : f->seen[c->place].bytes;
}

/* Only the columns of places that could be watched. */
static void put_table(const struct talk *t, const char *title, const struct column *columns,
		      unsigned n, const struct facts *facts, bool receiving)
{
	struct weir_bench_column heads[WEIR_BENCH_COLUMNS];
	const struct column *shown[WEIR_BENCH_COLUMNS];
	unsigned k = 0;

	for (unsigned i = 0; i < n; i++) {
		if (columns[i].place < _PLACES && kind_of(t, columns[i].place) == _KINDS)
			continue;
		shown[k] = &columns[i];
		heads[k++] = columns[i].head;
	}
	if (k < 2)
		return;
	weir_bench_columns(t->b, title, heads, k);
	for (unsigned w = 0; talk_workloads[w].name; w++) {
		uint64_t cells[WEIR_BENCH_COLUMNS];
		char name[64];

		for (unsigned i = 0; i < k; i++)
			cells[i] = cell(shown[i], &facts[w],
					receiving ? facts[w].moved.read : facts[w].moved.sent);
		snprintf(name, sizeof(name), "talk.%s", talk_workloads[w].name);
		weir_bench_row(t->b, name, talk_workloads[w].title, cells);
	}
}

/* It is said to run far less often than tcp_recvmsg: less than half as often would be that. */
static void put_verdict(const struct talk *t, const struct facts *facts, unsigned n)
{
	uint64_t received = 0, cleanup = 0;
	double most = 0, least = 0;
	unsigned counted = 0;

	if (kind_of(t, RECEIVED) == _KINDS || kind_of(t, CLEANUP) == _KINDS)
		return;
	for (unsigned w = 0; w < n; w++) {
		const struct talk_seen *s = facts[w].seen;
		double share;

		if (!s[RECEIVED].hits)
			continue;
		share = (double)s[CLEANUP].hits / (double)s[RECEIVED].hits;
		most = !counted || share > most ? share : most;
		least = !counted || share < least ? share : least;
		received += s[RECEIVED].hits;
		cleanup += s[CLEANUP].hits;
		counted++;
	}
	if (!received)
		return;
	weir_bench_line(t->b, "talk.cleanup_per_recvmsg", WEIR_BENCH_RATIO,
			weir_bench_single((double)cleanup / (double)received),
			"calls of tcp_cleanup_rbuf for each call of tcp_recvmsg; by workload %.2f "
			"to %.2f",
			least, most);
	weir_bench_remark(t->b,
			  "tcp_cleanup_rbuf ran %" PRIu64 " times for %" PRIu64
			  " calls of tcp_recvmsg (splice apart, which makes none): that it runs "
			  "far less often %s here",
			  cleanup, received, 2 * cleanup < received ? "holds" : "does not hold");
}

/* Where a place's bytes are not the truth, in words. */
static void put_wrong(const struct talk *t, const struct facts *facts, unsigned n)
{
	for (enum place p = 0; p < _PLACES; p++) {
		char wrong[256] = "";
		size_t at = 0;

		if (kind_of(t, p) == _KINDS)
			continue;
		for (unsigned w = 0; w < n && at < sizeof(wrong); w++) {
			const struct talk_moved *m = &facts[w].moved;
			uint64_t truth = p == SEND || p == SENT ? m->sent : m->read;

			if (facts[w].seen[p].bytes == truth)
				continue;
			at += (size_t)snprintf(wrong + at, sizeof(wrong) - at, "%s%s",
					       at ? ", " : "", talk_workloads[w].name);
		}
		weir_bench_remark(t->b, "bytes seen at %s: %s%s", places[p].words,
				  at ? "wrong for " : "right for every workload above", wrong);
	}
}

static int hits(struct talk *t)
{
	enum { MOST = 16 };
	struct facts facts[MOST] = {};
	unsigned n = 0;
	int r = 0;

	for (; talk_workloads[n].name && n < MOST && r == 0; n++) {
		r = weir_bench_interrupted(t->b) ? -EINTR
						 : run_workload(t, &talk_workloads[n], &facts[n]);
		if (r < 0)
			weir_bench_skip(t->b, "talk.hits", "%s: %s", talk_workloads[n].title,
					strerror(-r));
		for (enum place p = 0; p < _PLACES && !strcmp(talk_workloads[n].name, "bytes"); p++)
			t->hits_per_call[p] = facts[n].moved.read ? facts[n].seen[p].hits * 1000 /
									    facts[n].moved.read
								  : 0;
	}
	if (r < 0)
		return r;
	put_table(t, "sending", send_columns, ARRAY_SIZE(send_columns), facts, false);
	put_table(t, "receiving", receive_columns, ARRAY_SIZE(receive_columns), facts, true);
	put_verdict(t, facts, n);
	put_wrong(t, facts, n);
	return 0;
}

/* --- what a hit costs ------------------------------------------------------------------------ */

enum { WITHOUT, WITH_EMPTY, WITH_SUM, WITH_KPROBE };

static int cost_empty(void *ctx)
{
	struct talk *t = ctx;

	return attach_at(t, 0, t->watched, kind_of(t, t->watched), EMPTY);
}

static int cost_sum(void *ctx)
{
	struct talk *t = ctx;

	return attach_at(t, 0, t->watched, kind_of(t, t->watched), SUM);
}

static int cost_kprobe(void *ctx)
{
	struct talk *t = ctx;

	return attach_at(t, 0, t->watched, KPROBE, SUM);
}

static int measure_call(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	struct talk *t = ctx;
	double send, receive;
	int r = bench_calls_ns(t->b, &t->pair, true, t->slice_ns, &send, &receive);

	ret[0] = t->watched == SEND || t->watched == SENT ? send : receive;
	return r;
}

static struct weir_bench_spread per_hit(const struct talk *t, struct weir_bench_spread s)
{
	double hits = (double)t->hits_per_call[t->watched] / 1000;

	if (hits <= 0)
		return (struct weir_bench_spread){};
	return (struct weir_bench_spread){ s.median / hits, s.low / hits, s.high / hits,
					   s.min / hits,    s.max / hits, s.n };
}

static void put_cost(const struct talk *t, const struct weir_bench_rounds *r, bool kprobe)
{
	const char *words = places[t->watched].words;
	bool fentry = kind_of(t, t->watched) == FENTRY;
	char name[64];

	snprintf(name, sizeof(name), "talk.%s.empty_ns", places[t->watched].name);
	weir_bench_line(
		t->b, name, WEIR_BENCH_NS, per_hit(t, weir_bench_added(r, WITH_EMPTY, WITHOUT, 0)),
		"%s: a hit with an empty program (%s)", words, fentry ? "fentry" : "kprobe");
	snprintf(name, sizeof(name), "talk.%s.sum_ns", places[t->watched].name);
	weir_bench_line(t->b, name, WEIR_BENCH_NS,
			per_hit(t, weir_bench_added(r, WITH_SUM, WITHOUT, 0)),
			"with a sum for each process");
	if (!kprobe)
		return;
	snprintf(name, sizeof(name), "talk.%s.kprobe_ns", places[t->watched].name);
	weir_bench_line(t->b, name, WEIR_BENCH_NS,
			per_hit(t, weir_bench_added(r, WITH_KPROBE, WITHOUT, 0)),
			"the same sum by a kprobe");
}

static int cost_of_place(struct talk *t, enum place p)
{
	static const struct weir_bench_variant variants[] = {
		[WITHOUT] = { "none" },
		[WITH_EMPTY] = { "empty", cost_empty, detach },
		[WITH_SUM] = { "sum", cost_sum, detach },
		[WITH_KPROBE] = { "kprobe", cost_kprobe, detach },
	};
	bool kprobe = kind_of(t, p) == FENTRY && t->bpf[p][KPROBE];
	struct weir_bench_comparison c = {
		.variants = variants,
		.n_variants = kprobe ? WITH_KPROBE + 1 : WITH_SUM + 1,
		.n_metrics = 1,
		.measure = measure_call,
		.ctx = t,
		.rounds_min = weir_bench_quick(t->b) ? 5 : 20,
		.rounds_max = 100,
		.budget_ns = weir_bench_budget(t->b, 4),
	};
	struct weir_bench_rounds rounds = {};
	int r;

	t->watched = p;
	r = weir_bench_compare(t->b, &c, &rounds);
	if (r == 0)
		put_cost(t, &rounds, kprobe);
	weir_bench_rounds_done(&rounds);
	return r;
}

/* --- ping-pong ------------------------------------------------------------------------------- */

static int pair_empty(void *ctx)
{
	return attach_two(ctx, SEND, CLEANUP, _KINDS, EMPTY);
}

static int pair_sum(void *ctx)
{
	return attach_two(ctx, SEND, CLEANUP, _KINDS, SUM);
}

static int pair_returns(void *ctx)
{
	return attach_two(ctx, SENT, RECEIVED, _KINDS, SUM);
}

static int pair_kprobes(void *ctx)
{
	return attach_two(ctx, SEND, CLEANUP, KPROBE, SUM);
}

static int measure_pingpong(void *ctx, double ret[WEIR_BENCH_METRICS])
{
	struct talk *t = ctx;

	return bench_pingpong_ns(t->b, &t->pair, 5 * t->slice_ns, &ret[0]);
}

static int pingpong(struct talk *t)
{
	static const char *const words[] = {
		NULL,
		"speed of a ping-pong of 32 bytes with empty programs on tcp_sendmsg and "
		"tcp_cleanup_rbuf, 1 being without",
		"with sums there",
		"with sums at the returns of tcp_sendmsg and tcp_recvmsg instead",
		"with sums on the first two by kprobes",
	};
	static const struct weir_bench_variant variants[] = {
		{ "none" },
		{ "empty", pair_empty, detach },
		{ "sum", pair_sum, detach },
		{ "returns", pair_returns, detach },
		{ "kprobe", pair_kprobes, detach },
	};
	bool kprobe = kind_of(t, SEND) == FENTRY && kind_of(t, CLEANUP) == FENTRY &&
		      t->bpf[SEND][KPROBE] && t->bpf[CLEANUP][KPROBE];
	struct weir_bench_comparison c = {
		.variants = variants,
		.n_variants = (unsigned)ARRAY_SIZE(variants) - (kprobe ? 0 : 1),
		.n_metrics = 1,
		.measure = measure_pingpong,
		.ctx = t,
		.rounds_min = weir_bench_quick(t->b) ? 5 : 20,
		.rounds_max = 100,
		.budget_ns = weir_bench_budget(t->b, 8),
	};
	struct weir_bench_rounds rounds = {};
	int r = weir_bench_compare(t->b, &c, &rounds);

	for (unsigned v = 1; v < c.n_variants && r == 0; v++) {
		char name[64];

		snprintf(name, sizeof(name), "talk.pingpong.%s.ratio", variants[v].name);
		/* Speed is the inverse of time. */
		weir_bench_line(t->b, name, WEIR_BENCH_RATIO, weir_bench_ratio(&rounds, 0, v, 0),
				"%s", words[v]);
	}
	weir_bench_rounds_done(&rounds);
	return r;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int costs(struct talk *t)
{
	bool all = true;
	int r;

	r = weir_bench_pin(t->b);
	if (r == 0)
		r = bench_pair_open(AF_INET, SOCK_STREAM, &t->pair);
	for (enum place p = 0; p < _PLACES && r == 0; p++) {
		if (kind_of(t, p) == _KINDS)
			all = false;
		else
			r = cost_of_place(t, p);
	}
	if (r == 0 && all)
		r = pingpong(t);
	bench_pair_close(&t->pair);
	weir_bench_unpin(t->b);
	if (r < 0 && r != -EINTR)
		weir_bench_skip(t->b, "talk.cost", "%s", strerror(-r));
	return r;
}

int bench_talk(struct weir_bench *b)
{
	struct talk t = { .b = b, .pair = { -1, -1 }, .slice_ns = 3000000 };
	unsigned n;
	int r = 0;

	weir_bench_part(
		b, "talk",
		"The functions of the kernel that byte counters commonly hang on: how often "
		"each runs, what it says of the bytes beside what the calls returned, and what "
		"a hook on it costs. A small program sums bytes by process on each.");
	n = load(&t);
	if (n)
		r = hits(&t);
	if (n && r == 0)
		r = costs(&t);
	unload(&t);
	return r == -EINTR ? r : 0;
}
