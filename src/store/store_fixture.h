// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/snapshot.h"
#include "core/tables.h"
#include "store/store.h"

/* For the tests of the store: a folder of its own, samples in a line, answers as rows. */

#define FIXTURE_NS 1000000000ull
#define FIXTURE_START 1790028000ull /* two hours before a midnight, UTC */

static inline uint64_t fixture_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void fixture_folder(char ret[64])
{
	/* Where nothing waits for a disk, if there is such a place. */
	snprintf(ret, 64, "%s/weir-store-test.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(ret));
}

static inline void fixture_remove(const char *folder)
{
	struct dirent *e;
	char path[512];
	DIR *d = opendir(folder);

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(folder);
}

static inline unsigned fixture_files(const char *folder, const char *prefix)
{
	struct dirent *e;
	unsigned n = 0;
	DIR *d = opendir(folder);

	assert_non_null(d);
	while ((e = readdir(d)))
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static inline struct weir_store *fixture_open(const char *folder, uint64_t time, uint64_t limit)
{
	const struct weir_store_options o = { .folder = folder,
					      .real_ns = time * FIXTURE_NS,
					      .limit_bytes = limit };
	struct weir_store *s = NULL;

	assert_int_equal(weir_store_open(&o, &s), 0);
	return s;
}

/* One second with one program's bytes. */
static inline void fixture_second(struct weir_store *s, uint64_t time, const char *comm,
				  uint32_t uid, uint64_t tx, uint64_t rx)
{
	struct weir_history_sink *sink = weir_store_begin(s, time * FIXTURE_NS);
	const struct weir_history_sample sample = { .program = { .comm = comm, .uid = uid },
						    .tx_bytes = tx,
						    .rx_bytes = rx };

	sink->sample(sink, &sample);
	assert_int_equal(weir_store_commit(s), 0);
}

static inline int fixture_try(struct weir_store *s, const struct weir_history_question *q,
			      struct weir_snapshot **ret, struct weir_rows *rows,
			      struct weir_history_span *span)
{
	const struct weir_snapshot_head head = { .number = 1 };
	struct weir_builder *b = weir_builder_new();
	char *error = NULL;
	int r = weir_store_answer(s, q, b, span, &error);

	free(error);
	if (r == 0) {
		assert_int_equal(weir_builder_finish(b, &head, ret), 0);
		assert_int_equal(weir_snapshot_rows(*ret, weir_table_find(q->table), rows), 0);
	}
	weir_builder_free(b);
	return r;
}

static inline struct weir_history_question fixture_question(const char *table, uint64_t from,
							    uint64_t to)
{
	struct weir_history_question q = { .from_ns = from * FIXTURE_NS,
					   .to_ns = to * FIXTURE_NS,
					   .viewer = { .sees_all = true } };

	snprintf(q.table, sizeof(q.table), "%s", table);
	return q;
}

/* The sum of a field over all rows of an answer whose text field has that text; text NULL: all
 * rows. */
static inline uint64_t fixture_sum(struct weir_store *s, const char *table, uint64_t from,
				   uint64_t to, unsigned field, unsigned text_field,
				   const char *text)
{
	struct weir_history_question q = fixture_question(table, from, to);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	uint64_t sum = 0;

	assert_int_equal(fixture_try(s, &q, &snapshot, &rows, &span), 0);
	for (size_t i = 0; i < rows.n; i++) {
		const char *t = text ? weir_cell_text(&rows, i, text_field) : NULL;

		if (!text || (t && strcmp(t, text) == 0))
			sum += weir_cell_uint(&rows, i, field);
	}
	weir_snapshot_unref(snapshot);
	return sum;
}

/* All events, as a viewer has them who sees all; free with weir_snapshot_unref(). */
static inline struct weir_snapshot *fixture_all_events(struct weir_store *s, struct weir_rows *ret)
{
	struct weir_history_question q = fixture_question("history_events", 1, UINT32_MAX);
	struct weir_history_span span;
	struct weir_snapshot *snapshot;

	assert_int_equal(fixture_try(s, &q, &snapshot, ret, &span), 0);
	return snapshot;
}

/* How many events of a kind there are. */
static inline unsigned fixture_events(struct weir_store *s, const char *kind)
{
	struct weir_rows rows;
	struct weir_snapshot *snapshot = fixture_all_events(s, &rows);
	unsigned n = 0;

	for (size_t i = 0; i < rows.n; i++)
		n += strcmp(weir_cell_text(&rows, i, HISTORY_EVENTS_KIND), kind) == 0;
	weir_snapshot_unref(snapshot);
	return n;
}

/* How many events of one owner there are. */
static inline unsigned fixture_events_of(struct weir_store *s, uint32_t uid)
{
	struct weir_rows rows;
	struct weir_snapshot *snapshot = fixture_all_events(s, &rows);
	unsigned n = 0;

	for (size_t i = 0; i < rows.n; i++)
		n += !weir_cell_null(&rows, i, HISTORY_EVENTS_UID) && weir_cell_uint(&rows, i, HISTORY_EVENTS_UID) == uid;
	weir_snapshot_unref(snapshot);
	return n;
}

static inline void fixture_event(struct weir_history_sink *sink, enum weir_history_event_kind kind, uint32_t uid)
{
	const struct weir_history_event e = { .kind = kind, .program = "nc", .uid = uid, .summary = "nc listens on port 4711" };

	sink->event(sink, &e);
}

static inline void fixture_many(struct weir_store *s, uint64_t time, unsigned first, unsigned n, uint64_t tx)
{
	struct weir_history_sink *sink = weir_store_begin(s, time * FIXTURE_NS);

	for (unsigned i = first; i < first + n; i++) {
		char comm[32], peer[32];
		struct weir_history_sample t = { .program = { .comm = comm, .uid = 1000 },
						 .tx_bytes = tx };

		snprintf(comm, sizeof(comm), "program-%u", i);
		snprintf(peer, sizeof(peer), "peer-%u", i);
		sink->sample(sink, &t);
		t.kind = WEIR_HISTORY_PEER;
		t.peer_name = peer;
		sink->sample(sink, &t);
	}
	assert_int_equal(weir_store_commit(s), 0);
}
