// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "core/bench.h"

/* Shared by traffic_bench_talk*.c only. */

/* What the calls of a workload returned: its truth. A byte that is peeked at is not a read one. */
struct talk_moved {
	uint64_t sent, read;
};

struct talk_workload {
	const char *name, *title;
	int (*run)(const struct weir_bench *b, struct talk_moved *ret);
};

/* One connection over loopback each, both ends in this process; bounded in time. Ends with .name =
 * NULL. */
extern const struct talk_workload talk_workloads[];
