// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void store_sums_done(struct store_sums *s)
{
	free(s->entries);
	free(s->index);
	*s = (struct store_sums){ 0 };
}

/* splitmix64's finish. */
static size_t slot_of(const struct store_sums *s, uint64_t id)
{
	id = (id ^ id >> 30) * 0xbf58476d1ce4e5b9;
	id = (id ^ id >> 27) * 0x94d049bb133111eb;
	return (size_t)(id ^ id >> 31) & (s->n_index - 1);
}

static void index_put(struct store_sums *s, size_t at)
{
	size_t slot = slot_of(s, s->entries[at].id);

	while (s->index[slot])
		slot = (slot + 1) & (s->n_index - 1);
	s->index[slot] = (uint32_t)at + 1;
}

static int grow(struct store_sums *s)
{
	size_t cap = s->cap ? 2 * s->cap : 64;
	struct store_entry *entries = realloc(s->entries, cap * sizeof(*entries));
	uint32_t *index;

	if (!entries)
		return -ENOMEM;
	s->entries = entries;
	index = calloc(2 * cap, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(s->index);
	s->index = index;
	s->n_index = 2 * cap;
	s->cap = cap;
	for (size_t i = 0; i < s->n; i++)
		index_put(s, i);
	return 0;
}

struct store_entry *store_sums_find(const struct store_sums *s, uint64_t id)
{
	if (!s->n)
		return NULL;
	for (size_t slot = slot_of(s, id); s->index[slot]; slot = (slot + 1) & (s->n_index - 1))
		if (s->entries[s->index[slot] - 1].id == id)
			return &s->entries[s->index[slot] - 1];
	return NULL;
}

struct store_entry *store_sums_at(struct store_sums *s, uint64_t id)
{
	struct store_entry *e = store_sums_find(s, id);

	if (e)
		return e;
	if (s->n == s->cap && grow(s) < 0)
		return NULL;
	s->entries[s->n] = (struct store_entry){ .id = id };
	index_put(s, s->n);
	return &s->entries[s->n++];
}

static void add(uint64_t *sum, uint64_t v)
{
	if (__builtin_add_overflow(*sum, v, sum))
		*sum = UINT64_MAX;
}

static void add_counters(struct store_entry *to, const struct store_entry *e)
{
	add(&to->tx, e->tx);
	add(&to->rx, e->rx);
	add(&to->connections, e->connections);
	add(&to->retransmits, e->retransmits);
	add(&to->packets, e->packets);
}

void store_entry_add(struct store_entry *to, const struct store_entry *e)
{
	add_counters(to, e);
	if (e->tx_max > to->tx_max)
		to->tx_max = e->tx_max;
	if (e->rx_max > to->rx_max)
		to->rx_max = e->rx_max;
}

void store_entry_add_same_second(struct store_entry *to, const struct store_entry *e)
{
	add_counters(to, e);
	add(&to->tx_max, e->tx_max);
	add(&to->rx_max, e->rx_max);
}

int store_sums_add(struct store_sums *to, const struct store_sums *from, store_entry_adder join)
{
	for (size_t i = 0; i < from->n; i++) {
		struct store_entry *e = store_sums_at(to, from->entries[i].id);

		if (!e)
			return -ENOMEM;
		join(e, &from->entries[i]);
	}
	return 0;
}

uint64_t store_entry_weight(const struct store_entry *e)
{
	uint64_t w = e->tx;

	add(&w, e->rx);
	add(&w, e->packets);
	add(&w, e->connections);
	return w;
}

/* Heavier first; of equals the one that is known longer. */
static int by_weight(const void *x, const void *y)
{
	const struct store_entry *a = x, *b = y;
	uint64_t wa = store_entry_weight(a), wb = store_entry_weight(b);

	if (wa != wb)
		return wa > wb ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

int store_sums_cap(struct store_sums *s, size_t max, uint64_t other)
{
	struct store_entry rest = { .id = other };
	struct store_entry *e = store_sums_find(s, other);
	size_t n;

	if (s->n <= max + (e != NULL))
		return 0;
	if (e) {
		rest = *e;
		*e = s->entries[--s->n];
	}
	qsort(s->entries, s->n, sizeof(*s->entries), by_weight);
	for (size_t i = max; i < s->n; i++)
		add_counters(&rest, &s->entries[i]);
	n = max;
	s->n = 0;
	memset(s->index, 0, s->n_index * sizeof(*s->index));
	for (size_t i = 0; i < n; i++)
		index_put(s, i);
	s->n = n;
	e = store_sums_at(s, other);
	if (!e)
		return -ENOMEM;
	rest.tx_max = rest.rx_max = 0;
	*e = rest;
	return 0;
}

void store_sums_by_weight(struct store_sums *s)
{
	if (s->n)
		qsort(s->entries, s->n, sizeof(*s->entries), by_weight);
}

static int by_id(const void *x, const void *y)
{
	const struct store_entry *a = x, *b = y;

	return a->id < b->id ? -1 : a->id > b->id;
}

void store_sums_sort(struct store_sums *s)
{
	if (s->n)
		qsort(s->entries, s->n, sizeof(*s->entries), by_id);
}
