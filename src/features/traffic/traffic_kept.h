// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_state.h"

/* Sums that are nowhere in the kernel any more. They stand in memory of the keeper, so that a new engine goes on
 * where one that died stopped. Two halves: the one that .active names is whole at any moment. */
struct traffic_kept_group {
	char key[sizeof(((struct traffic_group *)0)->key)];
	uint32_t key_len;
	uint32_t uid;
	struct traffic_bytes taken[_TRAFFIC_TRANSPORT_MAX];
	uint64_t retransmits;
};

struct traffic_kept {
	uint32_t active;
	struct traffic_kept_half {
		uint32_t n;
		uint32_t carried_in;
		struct traffic_bytes other[_TRAFFIC_TRANSPORT_MAX];
		uint64_t other_retransmits;
		struct traffic_kept_group groups[TRAFFIC_GROUPS_MAX];
	} half[2];
	struct traffic_given_memory given;
};

/* Writes what the state has into the spare half and makes that the active one. */
void traffic_keep(struct traffic_kept *to, const struct traffic_state *s);
/* Starts a fresh state with what was kept. */
void traffic_restore(const struct traffic_kept *from, struct traffic_state *s);
