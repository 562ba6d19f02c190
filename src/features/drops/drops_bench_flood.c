// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "features/drops/drops_bench.h"

/* The daemon as a user runs it, while two threads lose what they can. Each socket counts its losses itself; weir must
 * have the same number, under the reason, this network namespace and this process. */

#define THREADS 2
#define CHECK_EVERY 64 /* calls */
#define ROWS "/api/v1/drops?limit=10000&fields=reason,netns,pid,packets"

struct loser {
	pthread_t thread;
	struct drops_full full;
	const struct weir_bench *b;
	uint64_t until_ns;
	uint32_t before;
	uint64_t made;
	int result;
};

static const struct weir_bench_host *host_of(const struct weir_bench *b)
{
	return weir_bench_host(b);
}

/* --- the truth --------------------------------------------------------------------------------------- */

static void *lose(void *arg)
{
	struct loser *l = arg;
	int r = 0;

	while (r == 0 && weir_bench_wall_ns() < l->until_ns && !weir_bench_interrupted(l->b))
		for (unsigned i = 0; i < CHECK_EVERY && r == 0; i++) {
			r = drops_full_lose_many(&l->full);
			l->made += r == 0 ? DROPS_PER_CALL : 0;
		}
	l->result = r;
	return NULL;
}

/* Nanoseconds that it took. */
static int run_losers(struct weir_bench *b, struct loser *losers, double seconds, uint64_t *ret_ns)
{
	uint64_t begun = weir_bench_wall_ns();
	unsigned n = 0;
	int r = 0;

	for (; n < THREADS && r == 0; n += r == 0) {
		losers[n].b = b;
		losers[n].until_ns = begun + (uint64_t)(seconds * 1e9);
		losers[n].before = drops_full_lost(&losers[n].full);
		r = -pthread_create(&losers[n].thread, NULL, lose, &losers[n]);
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(losers[i].thread, NULL);
		if (r == 0)
			r = losers[i].result;
	}
	*ret_ns = weir_bench_wall_ns() - begun;
	return r == 0 && weir_bench_interrupted(b) ? -EINTR : r;
}

/* --- what weir has ----------------------------------------------------------------------------------- */

struct counted {
	uint64_t packets, owned;
};

static int count_rows(struct weir_bench *b, struct counted *ret)
{
	_cleanup_(weir_buf_done) struct weir_buf body = {};
	int r = host_of(b)->daemon_get(host_of(b)->ctx, ROWS, &body);
	json_t *root, *row;
	struct stat st;
	size_t i;

	if (r < 0)
		return r;
	root = json_loadb(body.data, body.len, 0, NULL);
	if (!root || stat("/proc/self/ns/net", &st) < 0) {
		json_decref(root);
		return -EBADMSG;
	}
	*ret = (struct counted){};
	json_array_foreach (json_object_get(root, "rows"), i, row) {
		const char *reason = json_string_value(json_object_get(row, "reason"));
		uint64_t packets = (uint64_t)json_integer_value(json_object_get(row, "packets"));

		if (!reason || strcmp(reason, "SOCKET_RCVBUFF") != 0 ||
		    (uint64_t)json_integer_value(json_object_get(row, "netns")) != st.st_ino)
			continue;
		ret->packets += packets;
		if (json_integer_value(json_object_get(row, "pid")) == getpid())
			ret->owned += packets;
	}
	json_decref(root);
	return 0;
}

/* Who holds a socket is asked a moment after its first loss. */
static int count_owned(struct weir_bench *b, struct counted *ret)
{
	uint64_t until = weir_bench_wall_ns() + 3000000000ull;
	struct timespec rest = { .tv_nsec = 100000000 };
	int r;

	while ((r = count_rows(b, ret)) == 0 && ret->owned != ret->packets && weir_bench_wall_ns() < until)
		nanosleep(&rest, NULL);
	return r;
}

static int flood(struct weir_bench *b, struct loser *losers)
{
	uint64_t made = 0, lost = 0, ns = 1;
	struct counted before = {}, after = {};
	int r = count_rows(b, &before); /* the daemon is up when it answers */

	for (unsigned i = 0; i < THREADS && r == 0; i++)
		r = drops_full_open(&losers[i].full);
	if (r == 0) /* what filled them lost some */
		r = count_rows(b, &before);
	if (r == 0)
		r = run_losers(b, losers, weir_bench_quick(b) ? 1 : 5, &ns);
	for (unsigned i = 0; i < THREADS; i++) {
		made += losers[i].made;
		lost += drops_full_lost(&losers[i].full) - losers[i].before;
	}
	if (r == 0)
		r = count_owned(b, &after);
	if (r < 0)
		return r;
	after.packets -= before.packets;
	weir_bench_line(b, "drops.flood.missing", WEIR_BENCH_COUNT, weir_bench_single((double)lost - (double)after.packets),
			"losses that weir did not count (less than 0: counted too often)");
	weir_bench_line(b, "drops.flood.unowned", WEIR_BENCH_COUNT,
			weir_bench_single((double)(after.packets + before.packets) - (double)after.owned),
			"of those that it counted are without their process");
	weir_bench_line(b, "drops.flood.made", WEIR_BENCH_COUNT, weir_bench_single((double)lost),
			"losses by the sockets' own counters, of %llu datagrams sent", (unsigned long long)made);
	weir_bench_line(b, "drops.flood.rate", WEIR_BENCH_PER_SECOND, weir_bench_single((double)lost * 1e9 / (double)ns),
			"of them, from %d threads with the daemon beside them", THREADS);
	return 0;
}

int drops_bench_flood(struct weir_bench *b)
{
	struct loser losers[THREADS] = {};
	pid_t pid;
	int r;

	weir_bench_part(b, "flood", "As many losses as two threads can make, with the daemon running.");
	for (unsigned i = 0; i < THREADS; i++)
		losers[i].full = (struct drops_full){ -1, -1 };
	r = host_of(b)->daemon_start(host_of(b)->ctx, b, &pid);
	if (r == 0)
		r = flood(b, losers);
	host_of(b)->daemon_stop(host_of(b)->ctx);
	for (unsigned i = 0; i < THREADS; i++)
		drops_full_close(&losers[i].full);
	if (r < 0 && r != -EINTR)
		weir_bench_skip(b, "drops.flood", "%s", strerror(-r));
	return r == -EINTR ? r : 0;
}
