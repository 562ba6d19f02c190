// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/drops/drops_state.h"

/* What an engine that begins anew has to know to count on: what groups have, and how much of the kernel's sums is in them.
 * It stands in memory of the keeper. Two halves: the one that .active names is whole at any moment. */

#define DROPS_KEPT_GROUPS (2 * DROPS_GROUPS_MAX)
#define DROPS_KEPT_SUMS (2 * DROPS_KEYS_MAX)

struct drops_kept_group {
	char key[DROPS_GROUP_KEY];
	uint32_t key_len;
	uint32_t reserved;
	uint64_t packets;
};

struct drops_kept_sum {
	struct drops_key key;
	uint64_t packets, bytes; /* as the kernel's map had it */
};

struct drops_kept {
	uint32_t active;
	struct drops_kept_half {
		uint32_t n_groups, n_sums;
		uint32_t carried_in;
		uint32_t used; /* an engine wrote it */
		uint64_t own_before[DROPS_OWN_COUNTERS];
		struct drops_kept_group groups[DROPS_KEPT_GROUPS];
		struct drops_kept_sum sums[DROPS_KEPT_SUMS];
	} half[2];
};

/* Writes what the state has into the spare half and makes that the active one. */
void drops_keep(struct drops_kept *to, const struct drops_state *s);

/* What an engine before left, as a copy of its own: sums sorted by key. *ret NULL: this one is the first. -ENOMEM. */
struct drops_left {
	struct drops_kept_half half;
};
int drops_left_new(const struct drops_kept *from, struct drops_left **ret);
/* How much of this sum the groups have already; NULL: nothing. */
const struct drops_kept_sum *drops_left_sum(const struct drops_left *left, const struct drops_key *key);
/* Puts records that bring a fresh state to the same groups. */
void drops_left_groups(const struct drops_left *left, struct weir_sink *sink);
