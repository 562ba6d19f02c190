// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/feature.h"
#include "features/traffic/traffic_state.h"

/* Sums for metrics outlive the daemon: what it had counted comes back as records, and is added to what the kernel has. */

/* Once, sooner or later: it is added to what there is. */
void traffic_carried_apply(struct traffic_state *s, const struct traffic_carried *e)
{
	struct traffic_group *g = e->key_len ? traffic_group_get(s, e->key, e->key_len, e->uid) : NULL;
	struct traffic_bytes *by = g ? g->by : s->other, *taken = g ? g->taken : s->other_taken;

	for (int t = 0; t < _TRAFFIC_TRANSPORT_MAX; t++) {
		for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++) {
			by[t].bytes[d] += e->by[t].bytes[d];
			taken[t].bytes[d] += e->by[t].bytes[d]; /* no map of this kernel has them */
		}
	}
	if (g) {
		g->retransmits += e->retransmits;
		g->used_mono_ns = s->mono_ns;
		g->grew = true;
		return;
	}
	s->other_retransmits += e->retransmits;
	s->other_grew = true;
	if (e->key_len)
		s->regrouped = true; /* it was carried by another key */
}

static void carry_group(struct weir_carry_sink *sink, const char *key, size_t key_len, uint32_t uid,
			const struct traffic_bytes by[], uint64_t retransmits)
{
	struct traffic_carried e = { .head = { TRAFFIC_RECORD_CARRIED, sizeof(e) }, .uid = uid, .key_len = (uint32_t)key_len,
				     .retransmits = retransmits };

	memcpy(e.by, by, sizeof(e.by));
	memcpy(e.key, key, key_len);
	sink->put(sink, TRAFFIC_RECORD_CARRIED, key, key_len, &e, sizeof(e));
}

void traffic_carry(void *state, struct weir_carry_sink *sink, bool all)
{
	struct traffic_state *s = state;

	all |= s->regrouped;
	if (all)
		sink->anew(sink);
	for (struct traffic_group *g = s->groups; g; g = g->hh.next) {
		if (all || g->grew)
			carry_group(sink, g->key, g->key_len, g->uid, g->by, g->retransmits);
		g->grew = false;
	}
	if (all || s->other_grew)
		carry_group(sink, "", 0, (uint32_t)-1, s->other, s->other_retransmits);
	s->other_grew = false;
	s->regrouped = false;
}

bool traffic_carried_in(void *state, bool done)
{
	struct traffic_state *s = state;

	s->carried_in |= done;
	return s->carried_in;
}
