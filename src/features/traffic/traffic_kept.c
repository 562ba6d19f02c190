// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_kept.h"

#include <string.h>

void traffic_keep(struct traffic_kept *to, const struct traffic_state *s)
{
	uint32_t spare = !__atomic_load_n(&to->active, __ATOMIC_RELAXED);
	struct traffic_kept_half *half = &to->half[spare];
	const struct traffic_group *g;

	half->n = 0;
	memcpy(half->other, s->other_taken, sizeof(half->other));
	half->other_retransmits = s->other_retransmits;
	for (g = s->groups; g && half->n < TRAFFIC_GROUPS_MAX; g = g->hh.next) {
		struct traffic_kept_group *k = &half->groups[half->n++];

		memcpy(k->key, g->key, sizeof(k->key));
		k->key_len = (uint32_t)g->key_len;
		k->uid = g->uid;
		memcpy(k->taken, g->taken, sizeof(k->taken));
		k->retransmits = g->retransmits;
	}
	__atomic_store_n(&to->active, spare, __ATOMIC_RELEASE);
}

void traffic_restore(const struct traffic_kept *from, struct traffic_state *s)
{
	const struct traffic_kept_half *half = &from->half[__atomic_load_n(&from->active, __ATOMIC_ACQUIRE) & 1];

	memcpy(s->other, half->other, sizeof(s->other));
	memcpy(s->other_taken, half->other, sizeof(s->other_taken));
	s->other_retransmits = half->other_retransmits;
	for (uint32_t i = 0; i < half->n && i < TRAFFIC_GROUPS_MAX; i++) {
		const struct traffic_kept_group *k = &half->groups[i];
		struct traffic_group *g = traffic_group_get(s, k->key, k->key_len, k->uid);

		if (!g)
			return;
		memcpy(g->by, k->taken, sizeof(g->by));
		memcpy(g->taken, k->taken, sizeof(g->taken));
		g->retransmits = k->retransmits;
	}
}
