// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "features/traffic/traffic_abi.h"

/* How much of each process, flow and peer history was given. The kernel's sums outlive an engine, so one that begins anew
 * must not give them again: what was given stands in the keeper's memory. An engine writes it before it gives anything;
 * ended in between, it gave too little, never the same twice. */

#define TRAFFIC_GIVEN_PROCS 65536
#define TRAFFIC_GIVEN_FLOWS 131072
#define TRAFFIC_GIVEN_PEERS 65536

/* Each begins with what identifies it, and that with a word that is 0 when the place is free. */
struct traffic_given_proc {
	struct traffic_key key;
	uint64_t bytes[_TRAFFIC_DIRECTION_MAX];
};

struct traffic_flow_key {
	uint64_t cookie;
	uint64_t opened_ns;
};

struct traffic_given_flow {
	struct traffic_flow_key key;
	uint64_t bytes[_TRAFFIC_DIRECTION_MAX]; /* with those of its peers */
	uint32_t retransmits;
	uint32_t opened; /* that it was is given */
};

struct traffic_given_peer {
	struct traffic_peer_key key;
	uint64_t bytes[_TRAFFIC_DIRECTION_MAX];
};

/* In the keeper's memory; all 0 at first. Pages that are not used cost nothing. */
struct traffic_given_memory {
	uint64_t visited_ns; /* when history was given last; 0: never */
	uint32_t n_procs, n_flows, n_peers; /* places in use or free again */
	uint32_t full; /* something had to be left out */
	struct traffic_given_proc procs[TRAFFIC_GIVEN_PROCS];
	struct traffic_given_flow flows[TRAFFIC_GIVEN_FLOWS];
	struct traffic_given_peer peers[TRAFFIC_GIVEN_PEERS];
};

/* One kind of these, as an engine sees it. */
struct traffic_given_list {
	uint8_t *items;
	uint32_t *n;      /* in the keeper's memory */
	uint32_t item_size, key_size, max;
	uint32_t *index;  /* of what an engine before left, by key, place + 1; NULL: nothing, or no longer */
	uint32_t index_mask;
	uint32_t *free;   /* places to be used again */
	uint32_t n_free, free_room;
};

struct traffic_given {
	struct traffic_given_memory *memory;
	bool owns_memory;
	uint64_t before_ns; /* what an engine before this one gave last; 0: this one is the first */
	struct traffic_given_list procs, flows, peers;
};

/* A place that a process, flow or peer has; 0: none. */
typedef uint32_t traffic_given_place;

/* memory NULL: of its own, for a run that nothing outlives. -ENOMEM. */
int traffic_given_open(struct traffic_given_memory *memory, struct traffic_given **ret);
struct traffic_given *traffic_given_free(struct traffic_given *g); /* accepts NULL, returns NULL */

/* The place of this key: the one that an engine before left, or a new one. *ret_found tells which. 0 when there is no room,
 * which the memory then says. */
traffic_given_place traffic_given_find(struct traffic_given *g, struct traffic_given_list *l, const void *key, bool *ret_found);
void *traffic_given_at(const struct traffic_given_list *l, traffic_given_place place); /* place is not 0 */
void traffic_given_drop(struct traffic_given_list *l, traffic_given_place place); /* 0 is none */

/* What is there by now and was not asked for is over: its places are free. */
void traffic_given_settle(struct traffic_given *g);
