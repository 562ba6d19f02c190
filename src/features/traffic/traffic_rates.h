// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "features/traffic/traffic_abi.h"

static inline uint64_t traffic_per_second(uint64_t bytes, uint64_t ns)
{
	return ns ? (uint64_t)((__uint128_t)bytes * 1000000000u / ns) : 0;
}

/* Bytes a second in each direction since the last tick, ns ago (0: there was none, and no rate), from sums that only grow.
 * tick_bytes becomes now. Whether a rate is another one. */
static inline bool traffic_rates_update(uint64_t rate[], uint64_t tick_bytes[], const uint64_t now[], uint64_t ns)
{
	bool changed = false;

	for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++) {
		uint64_t r = now[d] > tick_bytes[d] ? traffic_per_second(now[d] - tick_bytes[d], ns) : 0;

		changed |= r != rate[d];
		rate[d] = r;
		tick_bytes[d] = now[d];
	}
	return changed;
}
