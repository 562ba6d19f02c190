// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "features/drops/drops_state_private.h"

/* Counters for metrics outlive the daemon: what it had counted comes back as records, and is added to what the kernel
 * has. */

int drops_apply_carried(struct drops_state *s, const struct drops_carried *c)
{
	struct drops_group *g;

	for (unsigned i = 0; i < DROPS_OWN_COUNTERS && !c->key_len; i++)
		s->own_before[i] += c->own[i];
	if (!c->key_len)
		return 0;
	if (HASH_COUNT(s->groups) >= 2 * DROPS_GROUPS_MAX)
		return -ENOMEM; /* no daemon had so many */
	g = drops_group_get(s, c->key, c->key_len);
	if (!g)
		return -ENOMEM;
	g->packets += c->packets;
	g->grew = true;
	return 0;
}

void drops_own_counters(const struct drops_state *s, uint64_t ret[DROPS_OWN_COUNTERS])
{
	const uint64_t now[] = { s->lost.samples, s->lost.crowded, s->lost.unkeyed, s->lost.missed };

	for (unsigned i = 0; i < DROPS_OWN_COUNTERS; i++)
		ret[i] = s->own_before[i] + now[i];
}

void drops_carry(void *state, struct weir_carry_sink *sink, bool all)
{
	struct drops_carried own = { .head = { DROPS_RECORD_CARRIED, sizeof(own) } };
	struct drops_state *s = state;
	uint64_t now[DROPS_OWN_COUNTERS];

	if (all)
		sink->anew(sink);
	for (struct drops_group *g = s->groups; g; g = g->hh.next) {
		struct drops_carried c = { .head = { DROPS_RECORD_CARRIED, sizeof(c) }, .packets = g->packets,
					   .key_len = (uint32_t)g->key_len };

		if (!all && !g->grew)
			continue;
		g->grew = false;
		memcpy(c.key, g->key, g->key_len);
		sink->put(sink, DROPS_RECORD_CARRIED, g->key, g->key_len, &c, sizeof(c));
	}
	drops_own_counters(s, now);
	if (!all && !memcmp(now, s->own_carried, sizeof(now)))
		return;
	memcpy(s->own_carried, now, sizeof(now));
	for (unsigned i = 0; i < DROPS_OWN_COUNTERS; i++)
		own.own[i] = now[i];
	sink->put(sink, DROPS_RECORD_CARRIED, "", 0, &own, sizeof(own));
}

bool drops_carried_in(void *state, bool done)
{
	struct drops_state *s = state;

	s->carried_in |= done;
	return s->carried_in;
}
