// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Running out of memory is an error to be returned, not the end: an element whose hh.tbl is NULL was not added. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "core/feature.h"
#include "core/finding.h"
#include "core/identity.h"
#include "features/drops/drops_abi.h"
#include "features/drops/drops_reasons.h"

/* What the engine knows of losses, built from records alone. One thread, no locks, no clock.
 *
 *   entry   one sum of the kernel half: by reason, place, device, namespace and socket
 *   row     what is shown: the same by process instead of socket, so that sockets of one process are one row. An entry
 *           counts for the row of whoever holds its socket, and moves with all it has when that becomes known. Losses
 *           that the kernel counts itself have rows without entries
 *   group   sums for metrics, by reason, layer and device; they never shrink */

#define DROPS_ROWS_MAX 8192
#define DROPS_ROW_KEPT_NS (600ull * 1000000000ull) /* since its last packet */
#define DROPS_SAMPLE_TEXT 160
#define DROPS_GROUPS_MAX 2048
#define DROPS_OWN_COUNTERS 4 /* samples, crowded, unkeyed, missed */

union drops_event {
	struct drops_head head;
	struct drops_seen seen;
	struct drops_sum_record sum;
	struct drops_reason reason;
	struct drops_owner owner;
	struct drops_counter counter;
	struct drops_lost lost;
	struct drops_place_name place;
	struct drops_device_name device;
	struct drops_carried carried;
};

enum drops_source { DROPS_PACKET, DROPS_LISTENER, DROPS_INTERFACE, DROPS_PROCESSOR, _DROPS_SOURCE_MAX };

/* Compared as bytes: unused ones are 0. */
struct drops_row_key {
	uint64_t place;
	uint64_t start_ns;     /* of the process; 0: none is known */
	uint32_t pid;
	uint32_t netns;
	uint32_t ifindex;
	uint32_t reason;       /* of a packet */
	uint32_t flags;        /* of its device */
	uint32_t number;       /* listener: its port; processor: which */
	enum drops_source source;
	char name[DROPS_NAME]; /* of a counter */
	uint32_t reserved;
};
_Static_assert(sizeof(struct drops_row_key) == 2 * 8 + 6 * 4 + sizeof(enum drops_source) + DROPS_NAME + 4, "no holes");

struct drops_row {
	UT_hash_handle hh;
	struct drops_row_key key;
	uint64_t packets, bytes;
	uint64_t grouped;      /* of .packets: how many are in a group */
	uint64_t told;         /* and history was told of */
	uint64_t ungrouped;    /* while the keeper is given what is to be kept */
	uint64_t first_ns, last_ns;
	uint64_t tick_packets, rate, burst_ns; /* at the last tick; when losses began that have not paused since */
	uint32_t entries;      /* that count for it */
	uint32_t uid;
	bool has_uid;
	char comm[DROPS_COMM];
	struct weir_identity id;
	char sample[DROPS_SAMPLE_TEXT];
	struct drops_socket sampled; /* the sample's; that of another is nobody else's business */
	char *stack;           /* NULL: none was taken */
	const struct drops_meaning *meaning; /* NULL: not known */
	char reason[DROPS_NAME]; /* as it is shown */
	bool derived;          /* from the place: the kernel's own word says less */
	bool consumed;         /* no loss at all */
	bool overlaps;         /* in other rows too, or no packets: sums leave it out */
	bool dirty;
	uint64_t changed;
};

struct drops_entry {
	UT_hash_handle hh;
	struct drops_key key;
	uint64_t packets, bytes; /* as the kernel's map has it */
	uint64_t all_packets, all_bytes; /* with what was taken out of the map before */
	uint64_t last_ns;        /* when it last grew */
	struct drops_row *row;
};

struct drops_place {
	UT_hash_handle hh;
	uint64_t address;
	char symbol[DROPS_SYMBOL];
};

struct drops_name {
	UT_hash_handle hh;
	uint32_t number;
	char name[DROPS_NAME];
};

struct drops_device_key {
	uint32_t netns, ifindex;
};

struct drops_device {
	UT_hash_handle hh;
	struct drops_device_key key;
	char name[DROPS_DEVICE_ROOM];
};

/* Who holds a socket. */
struct drops_holder {
	UT_hash_handle hh;
	struct drops_socket socket;
	uint64_t start_ns;  /* 0: nobody does */
	uint64_t asked_ns, told_ns;
	uint32_t pid, uid;
	char comm[DROPS_COMM];
	struct weir_identity id;
};

/* A counter of the kernel's own, as it was first and last seen. */
struct drops_base {
	UT_hash_handle hh;
	struct drops_row_key key;
	uint64_t last, seen_ns;
};

struct drops_group {
	UT_hash_handle hh;
	char key[DROPS_GROUP_KEY]; /* reason, layer and device, each ends with a NUL */
	size_t key_len;
	uint64_t packets;
	bool grew; /* since it was carried */
};

struct drops_state {
	struct drops_reader *reader; /* NULL in a replay */
	struct drops_entry *entries;
	struct drops_row *rows;
	struct drops_place *places;
	struct drops_name *names;
	struct drops_device *devices;
	struct drops_holder *holders;
	struct drops_base *bases;
	struct drops_group *groups;
	struct drops_lost lost;
	uint64_t own_before[DROPS_OWN_COUNTERS]; /* of daemons before */
	uint64_t own_carried[DROPS_OWN_COUNTERS];
	bool carried_in; /* the counters of the daemon before this one are there */
	uint64_t began_ns, mono_ns, tick_ns, real_minus_mono_ns;
	bool unknown_holder; /* somebody should be asked for */
};

struct drops_state *drops_state_new(void); /* NULL when memory runs out */
struct drops_state *drops_state_free(struct drops_state *s); /* not the reader; accepts NULL, returns NULL */

/* As weir_feature of that name. */
int drops_decode(uint16_t type, const void *bytes, size_t len, void *ret_event);
int drops_apply(void *state, uint64_t mono_ns, const void *event);
void drops_tick(void *state, uint64_t mono_ns, uint64_t real_ns);
/* So that the groups of a snapshot, which are metrics, add up to its rows also between two ticks. */
void drops_rows_to_groups(struct drops_state *s);
void drops_listener_seen(void *state, uint64_t mono_ns, const struct weir_listener_seen *l);

/* What the reader wants to know of the state. */
const struct drops_entry *drops_entry_find(const struct drops_state *s, const struct drops_key *key);
/* Calls for each socket whose holder is not known, or was not found some seconds ago. */
void drops_unknown_holders(const struct drops_state *s, uint64_t mono_ns,
			   void (*visit)(void *ctx, const struct drops_socket *socket), void *ctx);

/* "eth0", or NULL. */
const char *drops_device_name(const struct drops_state *s, uint32_t netns, uint32_t ifindex);
const char *drops_symbol(const struct drops_state *s, uint64_t place); /* or NULL */

/* drops_carry.c */
struct weir_carry_sink;
void drops_carry(void *state, struct weir_carry_sink *sink, bool all);
bool drops_carried_in(void *state, bool done);
/* What weir could not tell, those of earlier daemons among it. */
void drops_own_counters(const struct drops_state *s, uint64_t ret[DROPS_OWN_COUNTERS]);
/* drops_history.c */
void drops_history(void *state, struct weir_history_sink *sink);
/* drops_rows.c */
void drops_snapshot(void *state, struct weir_builder *b, uint64_t number);
/* drops_findings.c */
unsigned drops_findings(const void *state, struct weir_finding *ret);
