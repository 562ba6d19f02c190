// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>
#include <time.h>

/* What one of the system's clocks shows, in ns. */
static inline uint64_t weir_clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t weir_mono_ns(void)
{
	return weir_clock_ns(CLOCK_MONOTONIC);
}
