// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/snapshot.h"
#include "core/tables.h"
#include "store/batch.h"
#include "store/store.h"

/* A day of a busy host at full speed: 10,000 processes, one in a hundred active in any second, each
 * with its peers. Then each page's questions, the best of a few. Fails when the file is larger than
 * its limit, when an answer takes longer than LIMIT_MS, or when sums are not what was told.
 *
 *   store_sim [HOURS [FOLDER [LIMIT_MB]]] */

#define PROCESSES 10000
#define ACTIVE 100
#define LIMIT_MS 100.0
#define START 1790000000ull
#define NS 1000000000ull

static uint64_t random_state = 88172645463325252ull;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What the process has handed to write() and its like. */
static double written_mb(void)
{
	unsigned long long bytes = 0;
	char line[64];
	FILE *f = fopen("/proc/self/io", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "wchar: %llu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return (double)bytes / 1e6;
}

static uint64_t total_tx, total_rx;

static void tell_process(struct weir_history_sink *sink, unsigned i)
{
	char comm[16], exe[64], unit[48], peer[48];
	uint64_t tx = random_next() % 20000, rx = random_next() % 100000;
	struct weir_history_sample s = {
		.kind = WEIR_HISTORY_PROGRAM,
		.program = { .comm = comm,
			     .exe = exe,
			     .unit = unit,
			     .user = "worker",
			     .uid = 1000 + i % 16 },
		.tx_bytes = tx,
		.rx_bytes = rx,
		.connections = random_next() % 3,
		.retransmits = random_next() % 50 == 0,
	};

	snprintf(comm, sizeof(comm), "worker-%u", i);
	snprintf(exe, sizeof(exe), "/opt/services/bin/worker-%u", i);
	snprintf(unit, sizeof(unit), "worker@%u.service", i);
	sink->sample(sink, &s);
	total_tx += tx;
	total_rx += rx;

	s.kind = WEIR_HISTORY_PEER;
	s.role = "client";
	s.transport = "tcp";
	s.port = 443;
	s.peer_address = (struct weir_addr){ .bytes = { 10, 1, (uint8_t)(i >> 8), (uint8_t)i },
					     .family = AF_INET };
	if (i % 3 == 0) {
		snprintf(peer, sizeof(peer), "backend-%u.example.net", i % 997);
		s.peer_name = peer;
	}
	sink->sample(sink, &s);
	if (random_next() % 20)
		return;
	s = (struct weir_history_sample){
		.kind = WEIR_HISTORY_LOSS,
		.program = s.program,
		.reason = i % 2 ? "SOCKET_RCVBUFF" : "TCP_OFO_QUEUE",
		.class = "tune",
		.device = "eth0",
		.packets = 1 + random_next() % 5,
	};
	sink->sample(sink, &s);
}

/* --- questions ------------------------------------------------------------------------------- */

struct measured {
	const char *table, *filter;
	uint64_t seconds;
	uint64_t step;
};

static const struct measured questions[] = {
	{ "history", "", 3600, 0 },
	{ "history", "", 86400, 0 },
	{ "history_rates", "", 3600, 0 },
	{ "history_rates", "", 3600, 1 },
	{ "history_rates", "", 86400, 0 },
	{ "history_rates", "program:worker-7", 3600, 0 },
	{ "history_rates", "program:worker-7", 86400, 0 },
	{ "history_rates", "user:worker not program:worker-1*", 86400, 0 },
	{ "history_rates", "peer:backend-3*", 86400, 0 },
	{ "history_rates", "reason:SOCKET_RCVBUFF", 86400, 0 },
	{ "history_peers", "", 3600, 0 },
	{ "history_peers", "", 86400, 0 },
	{ "history_losses", "", 3600, 0 },
	{ "history_losses", "", 86400, 0 },
	{ "history_days", "", 86400, 0 },
	{ "history_days", "", 7 * 86400, 0 },
	{ "history_months", "", 86400, 0 },
	{ "history_events", "", 86400, 0 },
	{ "history_changes", "", 3600, 0 },
	{ "history_changes", "", 43200, 0 },
	{ "history_changes", "program:worker-7*", 3600, 0 },
	{ "history_store", "", 86400, 0 },
};

static bool answer(struct weir_store *s, const struct measured *m, uint64_t end,
		   struct weir_builder *b, size_t *ret_rows, size_t *ret_bytes)
{
	struct weir_history_question q = {
		.from_ns = (end - m->seconds) * NS,
		.to_ns = end * NS,
		.step_ns = m->step * NS,
		.viewer = { .sees_all = true },
	};
	const struct weir_snapshot_head head = { .number = 1 };
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	char *error = NULL;
	int fd, r;

	snprintf(q.table, sizeof(q.table), "%s", m->table);
	snprintf(q.filter, sizeof(q.filter), "%s", m->filter);
	r = weir_store_answer(s, &q, b, &span, &error);
	if (r < 0) {
		printf("%s: %s\n", m->table, error ? error : strerror(-r));
		free(error);
		return false;
	}
	if (weir_builder_finish_fd(b, &head, &fd, ret_bytes) < 0)
		return false;
	*ret_rows = 0;
	if (weir_snapshot_map(fd, &snapshot) == 0) {
		struct weir_rows rows;

		if (weir_snapshot_rows(snapshot, weir_table_find(m->table), &rows) == 0)
			*ret_rows = rows.n;
		weir_snapshot_unref(snapshot);
	}
	close(fd);
	return true;
}

static bool measure(struct weir_store *s, uint64_t end)
{
	struct weir_builder *b = weir_builder_new();
	double worst = 0;
	bool ok = true;

	for (unsigned i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		double best = 1e9;
		size_t rows = 0, bytes = 0;

		for (unsigned k = 0; ok && k < (best > LIMIT_MS / 2 ? 9 : 3);
		     k++) { /* others may be at work too */
			double before = now_s();

			ok = answer(s, &questions[i], end, b, &rows, &bytes);
			if ((now_s() - before) * 1000 < best)
				best = (now_s() - before) * 1000;
		}
		printf("  %-16s %6llu s %-36s %6.1f ms %6zu rows %5zu KB%s\n", questions[i].table,
		       (unsigned long long)questions[i].seconds, questions[i].filter, best, rows,
		       bytes >> 10, best > LIMIT_MS ? "  TOO SLOW" : "");
		if (best > worst)
			worst = best;
	}
	printf("worst answer %.1f ms, limit %.0f ms\n", worst, LIMIT_MS);
	weir_builder_free(b);
	return ok && worst <= LIMIT_MS;
}

/* The host's curve over everything is what was told. */
static bool sums_hold(struct weir_store *s, uint64_t end)
{
	struct weir_history_question q = { .from_ns = START * NS,
					   .to_ns = end * NS,
					   .viewer = { .sees_all = true },
					   .table = "history_rates" };
	const struct weir_snapshot_head head = { .number = 1 };
	struct weir_builder *b = weir_builder_new();
	struct weir_snapshot *snapshot = NULL;
	struct weir_history_span span;
	uint64_t tx = 0, rx = 0;
	struct weir_rows rows;
	char *error = NULL;

	if (weir_store_answer(s, &q, b, &span, &error) == 0 &&
	    weir_builder_finish(b, &head, &snapshot) == 0 &&
	    weir_snapshot_rows(snapshot, &weir_table_history_rates, &rows) == 0)
		for (size_t i = 0; i < rows.n; i++) {
			tx += weir_cell_uint(&rows, i, HISTORY_RATES_TX_BYTES);
			rx += weir_cell_uint(&rows, i, HISTORY_RATES_RX_BYTES);
		}
	printf("told %llu + %llu bytes, answered %llu + %llu\n", (unsigned long long)total_tx,
	       (unsigned long long)total_rx, (unsigned long long)tx, (unsigned long long)rx);
	weir_snapshot_unref(snapshot);
	weir_builder_free(b);
	free(error);
	return tx == total_tx && rx == total_rx;
}

/* --- the day --------------------------------------------------------------------------------- */

static void report(void *ctx, const struct weir_history_event *e)
{
	(void)ctx;
	printf("%s: %s\n", weir_history_event_name(e->kind), e->summary);
}

static bool simulate(const char *folder, unsigned hours, uint64_t limit)
{
	struct weir_store_options o = {
		.folder = folder, .limit_bytes = limit, .real_ns = START * NS, .report = report
	};
	struct weir_batch *batch = weir_batch_new(WEIR_BATCH_MAX);
	uint64_t end = START + hours * 3600ull, largest = 0;
	double cpu = 0, worst = 0, began = now_s();
	struct weir_store_status status;
	struct weir_store *s;
	struct rusage usage;
	bool ok = true;

	if (!batch || weir_store_open(&o, &s) < 0)
		return false;
	for (uint64_t t = START + 1; t < end; t++) {
		struct weir_history_sink *sink = weir_batch_sink(batch);
		const void *block;
		double before;
		size_t len;

		weir_batch_begin(batch, t * NS);
		for (unsigned i = 0; i < ACTIVE; i++)
			tell_process(sink, (unsigned)(random_next() % PROCESSES));
		block = weir_batch_end(batch, &len);
		before = cpu_s();
		if (!block || weir_store_append(s, block, len) < 0)
			ok = false;
		before = cpu_s() - before;
		cpu += before;
		if (before > worst)
			worst = before;
		if (t % 600 == 0) {
			weir_store_status(s, &status);
			largest = status.bytes > largest ? status.bytes : largest;
		}
	}
	weir_store_status(s, &status);
	getrusage(RUSAGE_SELF, &usage);
	printf("%u h of %d processes, %d active a second, in %.1f s\n", hours, PROCESSES, ACTIVE,
	       now_s() - began);
	printf("append: mean %.0f us, worst %.1f ms of CPU a second; memory at most %ld KB\n",
	       cpu * 1e6 / (double)(end - START), worst * 1000, usage.ru_maxrss);
	printf("file %.1f MB at the end, %.1f MB at most, limit %.1f MB; %llu subjects, %llu "
	       "seconds lost%s%s\n",
	       (double)status.bytes / 1e6, (double)largest / 1e6, (double)status.limit_bytes / 1e6,
	       (unsigned long long)status.subjects, (unsigned long long)status.lost_seconds,
	       status.reason ? ", " : "", status.reason ? status.reason : "");
	printf("written: %.1f KB a second\n", written_mb() * 1000 / (double)(end - START));
	ok = ok && largest <= status.limit_bytes && !status.reason && !status.lost_seconds;
	ok = sums_hold(s, end) && ok;
	ok = measure(s, end) && ok;
	getrusage(RUSAGE_SELF, &usage);
	printf("memory with answers at most %ld KB\n", usage.ru_maxrss);
	if (weir_store_end(s, end * NS) < 0)
		ok = false;
	weir_store_close(s);
	weir_batch_free(batch);
	return ok;
}

static void clean(const char *folder)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char path[256];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/" WEIR_STORE_FILE "%s", folder, tails[i]);
		unlink(path);
	}
}

int main(int argc, char **argv)
{
	unsigned hours = argc > 1 ? (unsigned)atoi(argv[1]) : 24;
	char own[] = "/tmp/weir-store-sim.XXXXXX";
	const char *folder = argc > 2 ? argv[2] : mkdtemp(own);
	uint64_t limit = argc > 3 ? (uint64_t)atoi(argv[3]) << 20 : 0;
	bool ok;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!folder || !hours)
		return 2;
	ok = simulate(folder, hours, limit);
	if (argc < 3) {
		clean(folder);
		rmdir(folder);
	}
	printf("%d passed, %d failed\n", ok, !ok);
	return ok ? 0 : 1;
}
