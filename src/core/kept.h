// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

/* What a feature keeps in the keeper's memory, for an engine that takes the place of one that died: two halves, of which
 * .active names the one that is whole at any moment. An engine that was taken over may have written anything there, .active
 * too. */

/* Memory of all 0 that is the keeper's and its children's; pages that are not used cost nothing. NULL: there is none. */
static inline void *weir_kept_map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Which half is whole. */
static inline unsigned weir_kept_whole(const uint32_t *active)
{
	return __atomic_load_n(active, __ATOMIC_ACQUIRE) & 1;
}

/* The other one, to write to; weir_kept_turn() once it is whole. */
static inline unsigned weir_kept_spare(const uint32_t *active)
{
	return !weir_kept_whole(active);
}

static inline void weir_kept_turn(uint32_t *active)
{
	__atomic_store_n(active, weir_kept_spare(active), __ATOMIC_RELEASE);
}
