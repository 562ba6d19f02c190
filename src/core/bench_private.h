// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sched.h>

#include "core/bench.h"

/* Shared by core/bench*.c only. */

enum bench_entry_kind {
	BENCH_PART,
	BENCH_LINE,
	BENCH_SKIP,
	BENCH_REMARK,
	BENCH_COLUMNS,
	BENCH_ROW
};

struct bench_columns {
	unsigned n;
	char *names[WEIR_BENCH_COLUMNS], *titles[WEIR_BENCH_COLUMNS];
	enum weir_bench_unit units[WEIR_BENCH_COLUMNS];
};

struct bench_entry {
	enum bench_entry_kind kind;
	char *name, *text; /* of a part: title and what it is about */
	enum weir_bench_unit unit;
	struct weir_bench_spread value;
	struct bench_columns *columns; /* of BENCH_COLUMNS, owned; of BENCH_ROW, borrowed from there */
	uint64_t cells[WEIR_BENCH_COLUMNS];
};

/* Takes both texts over; NULL when memory ran out, which is noted. */
struct bench_entry *bench_entry_add(struct weir_bench *b, enum bench_entry_kind kind, char *name,
				    char *text);
void bench_columns_free(struct bench_columns *c); /* accepts NULL */

/* The entries of a table, as the report shows them. */
struct weir_json;
void bench_row_json(const struct bench_entry *e, struct weir_json *j);
void bench_columns_text(const struct weir_bench *b, unsigned at, struct weir_buf *out);
void bench_row_text(const struct weir_bench *b, unsigned at, struct weir_buf *out);

struct weir_bench {
	const struct weir_bench_host *host;
	char *name;
	bool quick;
	bool by_wall;
	int error; /* the first time that memory ran out */
	uint64_t begun_real_ns, begun_ns, lost;
	struct bench_entry *entries;
	unsigned n_entries, room;
	cpu_set_t all; /* where this process may run */
	struct bench_columns *columns; /* those named last */
};

extern const char *const bench_unit_names[_WEIR_BENCH_UNIT_MAX];
void bench_processor_name(char *name, size_t room);
