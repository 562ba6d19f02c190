// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/snapshot.h"

/* What weir itself is and costs: build, records lost, CPU and memory of each role. */

struct weir_self_role {
	const char *name;
	int stat_fd;  /* /proc/PID/stat, opened by the keeper; -1: unknown */
};

void weir_self_snapshot(struct weir_builder *b, uint64_t number, uint64_t lost_events,
			const struct weir_self_role *roles, unsigned n_roles);
