// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record.h"

/* Losses that the kernel itself counts and that are no freed packets: what network cards and their drivers report, and
 * softirqs that ran out of time. Read in the daemon's own network namespace. */

struct drops_counters;

struct drops_counters *drops_counters_new(void); /* NULL when memory runs out */
struct drops_counters *drops_counters_free(struct drops_counters *c); /* accepts NULL, returns NULL */

/* Puts a DROPS_RECORD_COUNTER for each counter that is new or has changed. What cannot be read is left out. */
void drops_counters_collect(struct drops_counters *c, struct weir_sink *sink);

/* One line of /proc/net/softnet_stat: squeezes, and which processor it is (line number n before 5.10). False: malformed.
 * Pure. */
bool drops_softnet_parse(const char *line, unsigned n, uint32_t *ret_cpu, uint64_t *ret_squeezes);
