// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/kept.h"
#include "core/record.h"

void drops_keep(struct drops_kept *to, const struct drops_state *s)
{
	struct drops_kept_half *half = &to->half[weir_kept_spare(&to->active)];

	half->n_groups = half->n_sums = 0;
	half->carried_in = s->carried_in;
	half->used = 1;
	memcpy(half->own_before, s->own_before, sizeof(half->own_before));
	for (const struct drops_group *g = s->groups; g && half->n_groups < DROPS_KEPT_GROUPS; g = g->hh.next) {
		struct drops_kept_group *k = &half->groups[half->n_groups++];

		memcpy(k->key, g->key, g->key_len);
		k->key_len = (uint32_t)g->key_len;
		k->packets = g->packets;
	}
	/* What no group has yet is left out of the sums: the next engine finds that they grew. */
	for (struct drops_row *r = s->rows; r; r = r->hh.next)
		r->ungrouped = r->packets > r->grouped ? r->packets - r->grouped : 0;
	for (const struct drops_entry *e = s->entries; e && half->n_sums < DROPS_KEPT_SUMS; e = e->hh.next) {
		uint64_t without = e->row->ungrouped < e->packets ? e->row->ungrouped : e->packets;

		e->row->ungrouped -= without;
		if (e->packets > without)
			half->sums[half->n_sums++] = (struct drops_kept_sum){ e->key, e->packets - without, e->bytes };
	}
	weir_kept_turn(&to->active);
}

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct drops_key));
}

int drops_left_new(const struct drops_kept *from, struct drops_left **ret)
{
	const struct drops_kept_half *half = &from->half[weir_kept_whole(&from->active)];
	struct drops_left *left;

	*ret = NULL;
	if (!half->used)
		return 0;
	left = malloc(sizeof(*left));
	if (!left)
		return -ENOMEM;
	memcpy(&left->half, half, sizeof(left->half));
	if (left->half.n_groups > DROPS_KEPT_GROUPS)
		left->half.n_groups = DROPS_KEPT_GROUPS;
	if (left->half.n_sums > DROPS_KEPT_SUMS)
		left->half.n_sums = DROPS_KEPT_SUMS;
	qsort(left->half.sums, left->half.n_sums, sizeof(left->half.sums[0]), by_key);
	*ret = left;
	return 0;
}

const struct drops_kept_sum *drops_left_sum(const struct drops_left *left, const struct drops_key *key)
{
	if (!left)
		return NULL;
	return bsearch(key, left->half.sums, left->half.n_sums, sizeof(left->half.sums[0]), by_key);
}

void drops_left_groups(const struct drops_left *left, struct weir_sink *sink)
{
	struct drops_carried own = { .head = { DROPS_RECORD_CARRIED, sizeof(own) } };

	for (uint32_t i = 0; i < left->half.n_groups; i++) {
		const struct drops_kept_group *k = &left->half.groups[i];
		struct drops_carried c = { .head = { DROPS_RECORD_CARRIED, sizeof(c) }, .packets = k->packets,
					   .key_len = k->key_len };

		memcpy(c.key, k->key, sizeof(c.key));
		sink->put(sink, DROPS_RECORD_CARRIED, &c, sizeof(c));
	}
	for (unsigned i = 0; i < DROPS_OWN_COUNTERS; i++)
		own.own[i] = left->half.own_before[i];
	sink->put(sink, DROPS_RECORD_CARRIED, &own, sizeof(own));
}
