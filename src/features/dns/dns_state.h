// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/feature.h"
#include "core/lookup.h"
#include "features/dns/dns_abi.h"
#include "features/dns/dns_names.h"
#include "features/dns/dns_stream.h"

/* What the engine knows: names, built from records alone. One thread, no locks, no clock. */

union dns_event {
	struct dns_head head;
	struct dns_answer answer;
	struct dns_hosts hosts;
	struct dns_host host;
	struct dns_counts counts;
	struct dns_carried carried;
};

/* What became of the messages that were handed over. */
enum dns_reading {
	DNS_NAMED,     /* gave at least one address its name */
	DNS_USELESS,   /* no address in it: an error, another type, a query */
	DNS_MALFORMED,
	DNS_SPLIT,     /* a piece of a TCP stream that began unseen or lost a piece */
	_DNS_READING_MAX,
};

struct dns_kept;
struct dns_reader;

struct dns_state {
	struct dns_reader *reader; /* NULL in a replay */
	struct dns_names *names;
	struct dns_streams *streams;
	struct dns_counts counts; /* of the kernel half */
	uint64_t counts_before[_DNS_COUNT_MAX]; /* of kernel halves before */
	uint64_t readings[_DNS_READING_MAX];
	struct dns_carried carried; /* as it was put last */
	struct dns_kept *kept;      /* NULL in a replay */
	bool carried_in;            /* the counters of the daemon before this one are there */
	uint64_t real_minus_mono_ns;
	const struct dns_answer *answer; /* while a piece of a stream is read */
	int error;
};

struct dns_state *dns_state_new(void); /* NULL when memory runs out */
struct dns_state *dns_state_free(struct dns_state *s); /* not the reader; accepts NULL, returns NULL */

/* Reads one record. -EBADMSG: malformed. */
int dns_decode(uint16_t type, const void *bytes, size_t len, void *ret_event);

/* Changes the state by one record. -ENOMEM leaves it whole. A message that is malformed is counted, not an error. */
int dns_apply(void *state, uint64_t mono_ns, const void *event);
void dns_tick(void *state, uint64_t mono_ns, uint64_t real_ns);
const char *dns_peer_name(void *state, const struct weir_peer *p);

/* In the keeper's memory: what an engine that begins anew counts on from. Two halves: the one that .active names is whole at
 * any moment. */
struct dns_kept {
	uint32_t active;
	struct dns_kept_half {
		uint64_t counts_before[_DNS_COUNT_MAX];
		uint64_t readings[_DNS_READING_MAX];
		uint64_t carried_in;
	} half[2];
};

/* dns_carry.c: as weir_feature of those names. */
void dns_carry(void *state, struct weir_carry_sink *sink, bool all);
bool dns_carried_in(void *state, bool done);
void dns_apply_carried(struct dns_state *s, const struct dns_carried *c);
void dns_keep(struct dns_kept *to, const struct dns_state *s);
void dns_restore(const struct dns_kept *from, struct dns_state *s);

/* dns_fields.c: state -> rows. */
void dns_snapshot(void *state, struct weir_builder *b, uint64_t number);
