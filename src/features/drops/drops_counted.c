// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "features/drops/drops_state_private.h"

/* Losses that the kernel counts itself: interfaces, processors, listening sockets. */

#define BASES_MAX 8192

/* How much it grew since it was looked at last; 0 at the first look unless all of it is new. */
static int base_delta(struct drops_state *s, const struct drops_row_key *key, uint64_t total, bool all_new, uint64_t mono_ns,
		      uint64_t *ret)
{
	struct drops_base *b;

	HASH_FIND(hh, s->bases, key, sizeof(*key), b);
	*ret = 0;
	if (!b) {
		if (HASH_COUNT(s->bases) >= BASES_MAX)
			return 0;
		b = calloc(1, sizeof(*b));
		if (!b)
			return -ENOMEM;
		b->key = *key;
		b->last = all_new ? 0 : total;
		HASH_ADD(hh, s->bases, key, sizeof(b->key), b);
		if (!b->hh.tbl) {
			free(b);
			return -ENOMEM;
		}
	}
	*ret = total >= b->last ? total - b->last : total; /* a driver that was loaded again begins at 0 */
	b->last = total;
	b->seen_ns = mono_ns;
	return 0;
}

/* Of the interface's counters these count what the kernel frees, too; a squeeze loses no packet. */
static bool counts_again(const char *name)
{
	static const char *const names[] = { "device_rx_dropped", "device_tx_dropped", "softirq_squeeze" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static int count(struct drops_state *s, const struct drops_row_key *by, const struct drops_row_key *key, uint64_t total,
		 bool all_new, uint64_t mono_ns, struct drops_row **ret)
{
	uint64_t more;
	int error = base_delta(s, by, total, all_new, mono_ns, &more);

	*ret = NULL;
	if (error < 0 || !more)
		return error;
	*ret = drops_row_get(s, key, mono_ns);
	if (!*ret)
		return -ENOMEM;
	(*ret)->overlaps = counts_again(key->name);
	drops_row_grow(*ret, more, 0, mono_ns);
	return 0;
}

int drops_apply_counter(struct drops_state *s, uint64_t mono_ns, const struct drops_counter *c)
{
	struct drops_row_key key = { .source = c->by == DROPS_BY_DEVICE ? DROPS_INTERFACE : DROPS_PROCESSOR };
	struct drops_row *row;

	if (c->by == DROPS_BY_DEVICE) {
		key.netns = c->netns;
		key.ifindex = c->number;
	} else {
		key.number = c->number;
	}
	memcpy(key.name, c->name, strnlen(c->name, sizeof(key.name) - 1));
	if (c->by == DROPS_BY_DEVICE && drops_device_put(s, c->netns, c->number, c->device) < 0)
		return -ENOMEM;
	return count(s, &key, &key, c->total, false, mono_ns, &row);
}

void drops_listener_seen(void *state, uint64_t mono_ns, const struct weir_listener_seen *l)
{
	struct drops_row_key key = {
		.start_ns = l->start_ns,
		.pid = l->pid,
		.netns = l->netns,
		.number = l->port,
		.source = DROPS_LISTENER,
		.name = "listen_overflow",
	};
	struct drops_row_key by = { .place = l->cookie, .source = DROPS_LISTENER };
	struct drops_state *s = state;
	struct drops_row *row;

	if (count(s, &by, &key, l->turned_away, l->all_seen, mono_ns, &row) == 0 && row && l->pid)
		drops_row_process(row, l->uid, l->comm ? l->comm : "", l->id);
}
