// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_given.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_BIT (1u << 31) /* in the index: this engine has asked for it */
/* The index is at most half full: nothing lies so far from its slot by chance, and what was put there on purpose does not
 * make an engine slow. */
#define PROBES_MAX 256

static uint64_t first_word(const void *item)
{
	uint64_t word;

	memcpy(&word, item, sizeof(word));
	return word;
}

static uint8_t *item_at(const struct traffic_given_list *l, uint32_t i)
{
	return l->items + (size_t)i * l->item_size;
}

/* FNV-1a over words: keys are whole ones. */
static uint32_t hash(const void *key, uint32_t size)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (uint32_t at = 0; at + 8 <= size; at += 8) {
		uint64_t word;

		memcpy(&word, (const uint8_t *)key + at, sizeof(word));
		h = (h ^ word) * 0x100000001b3u;
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

static void add_free(struct traffic_given_list *l, uint32_t i)
{
	if (l->n_free == l->free_room) {
		uint32_t room = l->free_room ? 2 * l->free_room : 64;
		uint32_t *more = realloc(l->free, room * sizeof(*more));

		if (!more)
			return; /* the place is lost until the next engine */
		l->free = more;
		l->free_room = room;
	}
	l->free[l->n_free++] = i;
}

static bool index_put(struct traffic_given_list *l, uint32_t i)
{
	uint32_t at = hash(item_at(l, i), l->key_size) & l->index_mask;

	for (unsigned n = 0; n < PROBES_MAX; n++, at = (at + 1) & l->index_mask) {
		if (l->index[at])
			continue;
		l->index[at] = i + 1;
		return true;
	}
	return false;
}

static int make_index(struct traffic_given_list *l)
{
	uint32_t n = *l->n < l->max ? *l->n : l->max, size = 16;

	*l->n = n;
	if (!n)
		return 0;
	while (size < 2 * n)
		size *= 2;
	l->index = calloc(size, sizeof(*l->index));
	if (!l->index)
		return -ENOMEM;
	l->index_mask = size - 1;
	for (uint32_t i = 0; i < n; i++)
		if (!first_word(item_at(l, i)) || !index_put(l, i))
			traffic_given_drop(l, i + 1);
	return 0;
}

static void list_done(struct traffic_given_list *l)
{
	free(l->index);
	free(l->free);
}

int traffic_given_open(struct traffic_given_memory *memory, struct traffic_given **ret)
{
	struct traffic_given *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->owns_memory = !memory;
	g->memory = memory ? memory : calloc(1, sizeof(*memory));
	if (!g->memory) {
		free(g);
		return -ENOMEM;
	}
	memory = g->memory;
	g->before_ns = memory->visited_ns;
	g->procs = (struct traffic_given_list){ .items = (uint8_t *)memory->procs, .n = &memory->n_procs,
						.item_size = sizeof(memory->procs[0]),
						.key_size = sizeof(memory->procs[0].key), .max = TRAFFIC_GIVEN_PROCS };
	g->flows = (struct traffic_given_list){ .items = (uint8_t *)memory->flows, .n = &memory->n_flows,
						.item_size = sizeof(memory->flows[0]),
						.key_size = sizeof(memory->flows[0].key), .max = TRAFFIC_GIVEN_FLOWS };
	g->peers = (struct traffic_given_list){ .items = (uint8_t *)memory->peers, .n = &memory->n_peers,
						.item_size = sizeof(memory->peers[0]),
						.key_size = sizeof(memory->peers[0].key), .max = TRAFFIC_GIVEN_PEERS };
	r = make_index(&g->procs);
	r = r < 0 ? r : make_index(&g->flows);
	r = r < 0 ? r : make_index(&g->peers);
	if (r < 0) {
		traffic_given_free(g);
		return r;
	}
	*ret = g;
	return 0;
}

struct traffic_given *traffic_given_free(struct traffic_given *g)
{
	if (!g)
		return NULL;
	list_done(&g->procs);
	list_done(&g->flows);
	list_done(&g->peers);
	if (g->owns_memory)
		free(g->memory);
	free(g);
	return NULL;
}

static traffic_given_place find_left(struct traffic_given_list *l, const void *key)
{
	uint32_t at = l->index ? hash(key, l->key_size) & l->index_mask : 0;

	for (unsigned n = 0; l->index && l->index[at] && n < PROBES_MAX; n++, at = (at + 1) & l->index_mask) {
		uint32_t place = l->index[at] & ~TAKEN_BIT;

		if (memcmp(item_at(l, place - 1), key, l->key_size))
			continue;
		l->index[at] |= TAKEN_BIT;
		return place;
	}
	return 0;
}

traffic_given_place traffic_given_find(struct traffic_given *g, struct traffic_given_list *l, const void *key, bool *ret_found)
{
	traffic_given_place place = find_left(l, key);
	uint32_t i;

	*ret_found = place != 0;
	if (place)
		return place;
	if (l->n_free)
		i = l->free[--l->n_free];
	else if (*l->n < l->max)
		i = (*l->n)++;
	else
		i = UINT32_MAX;
	if (i == UINT32_MAX || !first_word(key)) {
		g->memory->full = 1;
		return 0;
	}
	memset(item_at(l, i), 0, l->item_size);
	memcpy(item_at(l, i), key, l->key_size);
	return i + 1;
}

void *traffic_given_at(const struct traffic_given_list *l, traffic_given_place place)
{
	return item_at(l, place - 1);
}

void traffic_given_drop(struct traffic_given_list *l, traffic_given_place place)
{
	if (!place)
		return;
	memset(item_at(l, place - 1), 0, l->item_size);
	add_free(l, place - 1);
}

static void settle(struct traffic_given_list *l)
{
	for (uint32_t at = 0; l->index && at <= l->index_mask; at++)
		if (l->index[at] && !(l->index[at] & TAKEN_BIT))
			traffic_given_drop(l, l->index[at]);
	free(l->index);
	l->index = NULL;
}

void traffic_given_settle(struct traffic_given *g)
{
	settle(&g->procs);
	settle(&g->flows);
	settle(&g->peers);
}
