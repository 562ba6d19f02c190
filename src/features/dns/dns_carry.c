// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/kept.h"
#include "features/dns/dns_state.h"

/* Counters for metrics outlive the daemon: what it had counted comes back as a record, and is added. What the kernel half
 * counts outlives an engine by itself; what was read from messages stands in the keeper's memory. */

void dns_apply_carried(struct dns_state *s, const struct dns_carried *c)
{
	for (unsigned i = 0; i < _DNS_COUNT_MAX; i++)
		s->counts_before[i] += c->by[i];
	for (unsigned i = 0; i < _DNS_READING_MAX; i++)
		s->readings[i] += c->readings[i];
}

void dns_carry(void *state, struct weir_carry_sink *sink, bool all)
{
	struct dns_carried c = { .head = { DNS_RECORD_CARRIED, sizeof(c) } };
	struct dns_state *s = state;

	for (unsigned i = 0; i < _DNS_COUNT_MAX; i++)
		c.by[i] = s->counts_before[i] + s->counts.by[i];
	_Static_assert(sizeof(c.readings) == sizeof(s->readings), "the same ones");
	memcpy(c.readings, s->readings, sizeof(c.readings));
	if (!all && !memcmp(&c, &s->carried, sizeof(c)))
		return;
	s->carried = c;
	sink->put(sink, DNS_RECORD_CARRIED, "", 0, &c, sizeof(c));
}

bool dns_carried_in(void *state, bool done)
{
	struct dns_state *s = state;

	s->carried_in |= done;
	return s->carried_in;
}

void dns_keep(struct dns_kept *to, const struct dns_state *s)
{
	struct dns_kept_half *half = &to->half[weir_kept_spare(&to->active)];

	memcpy(half->counts_before, s->counts_before, sizeof(half->counts_before));
	memcpy(half->readings, s->readings, sizeof(half->readings));
	half->carried_in = s->carried_in;
	weir_kept_turn(&to->active);
}

void dns_restore(const struct dns_kept *from, struct dns_state *s)
{
	const struct dns_kept_half *half = &from->half[weir_kept_whole(&from->active)];

	memcpy(s->counts_before, half->counts_before, sizeof(s->counts_before));
	memcpy(s->readings, half->readings, sizeof(s->readings));
	s->carried_in = half->carried_in;
}
