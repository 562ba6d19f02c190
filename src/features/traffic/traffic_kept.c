// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_kept.h"

#include <string.h>

#include "core/kept.h"

void traffic_keep(struct traffic_kept *to, const struct traffic_state *s)
{
	struct traffic_kept_half *half = &to->half[weir_kept_spare(&to->active)];
	const struct traffic_group *g;

	half->n = 0;
	half->carried_in = s->carried_in;
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
	weir_kept_turn(&to->active);
}

void traffic_restore(const struct traffic_kept *from, struct traffic_state *s)
{
	const struct traffic_kept_half *half = &from->half[weir_kept_whole(&from->active)];
	uint32_t n;

	s->carried_in = half->carried_in;
	memcpy(s->other, half->other, sizeof(s->other));
	memcpy(s->other_taken, half->other, sizeof(s->other_taken));
	s->other_retransmits = half->other_retransmits;
	n = half->n < TRAFFIC_GROUPS_MAX ? half->n : TRAFFIC_GROUPS_MAX;
	for (uint32_t i = 0; i < n; i++) {
		/* An engine that was taken over may have written it, or still write: what is checked is a copy. */
		struct traffic_kept_group copy = half->groups[i];
		const struct traffic_kept_group *k = &copy;
		struct traffic_group *g;

		if (!k->key_len || !traffic_is_group_key(k->key, k->key_len))
			continue;
		g = traffic_group_get(s, k->key, k->key_len, k->uid);
		if (!g)
			return;
		memcpy(g->by, k->taken, sizeof(g->by));
		memcpy(g->taken, k->taken, sizeof(g->taken));
		g->retransmits = k->retransmits;
	}
}
