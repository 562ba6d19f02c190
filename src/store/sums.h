// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Sums by subject, in memory. Additions saturate. */

struct store_entry {
	uint64_t id;
	uint64_t tx, rx;
	uint64_t tx_max, rx_max; /* the largest second */
	uint64_t connections, retransmits, packets;
};

/* Zero-initialise. */
struct store_sums {
	struct store_entry *entries;
	size_t n, cap;
	uint32_t *index; /* position + 1 by hash of the id */
	size_t n_index;
};

void store_sums_done(struct store_sums *s);

/* The entry of that id, made when there is none; NULL when memory runs out. Valid until the next call. */
struct store_entry *store_sums_at(struct store_sums *s, uint64_t id);
/* The entry of that id, or NULL. */
struct store_entry *store_sums_find(const struct store_sums *s, uint64_t id);

/* Adds counters; the largest second is the larger one (other seconds) or the sum (the same second). */
void store_entry_add(struct store_entry *to, const struct store_entry *e);
void store_entry_add_same_second(struct store_entry *to, const struct store_entry *e);

typedef void (*store_entry_adder)(struct store_entry *to, const struct store_entry *e);

/* All of `from` into `to`; join: one of the two above. -ENOMEM: some are missing. */
int store_sums_add(struct store_sums *to, const struct store_sums *from, store_entry_adder join);

/* What an entry weighs against others of its kind. */
uint64_t store_entry_weight(const struct store_entry *e);

/* Keeps the max heaviest and sums the rest, without its largest seconds, as entry `other`, which does not count. */
int store_sums_cap(struct store_sums *s, size_t max, uint64_t other);

/* Heaviest first; the same is true of the index then. */
void store_sums_by_weight(struct store_sums *s);

/* By id; the index is void afterwards: only look at the entries then. */
void store_sums_sort(struct store_sums *s);
