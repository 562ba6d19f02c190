// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sched.h>

#include "core/bench.h"

/* Shared by core/bench*.c only. */

enum bench_entry_kind { BENCH_PART, BENCH_LINE, BENCH_SKIP, BENCH_REMARK };

struct bench_entry {
	enum bench_entry_kind kind;
	char *name, *text; /* of a part: title and what it is about */
	enum weir_bench_unit unit;
	struct weir_bench_spread value;
};

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
};
