// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/lookup.h"
#include "features/traffic/traffic_state.h"

/* Names of containers, which another feature knows (core/lookup.h). They come some time after the first bytes, and may
 * change. */

void traffic_container(struct weir_builder *b, struct traffic_proc *p, uint64_t number)
{
	p->container = weir_lookup_container(b, p->id.container_id);
	if (!p->container || p->container->version == p->container_version)
		return;
	p->container_version = p->container->version;
	p->container_changed = number;
	p->dirty = true;
}

/* --- groups, for metrics ------------------------------------------------------------------------ */

/* A group's key ends in the container: its id at first, cut to what fits of its name afterwards. */
static size_t named_key(const struct traffic_group *g, const char *name, char key[static sizeof(g->key)])
{
	size_t unit = strlen(g->key) + 1, container = unit + strlen(g->key + unit) + 1;
	size_t room = sizeof(((struct weir_identity *)0)->container_id) - 1, n = strlen(name);

	if (n > room) {
		n = room;
		while (n && ((unsigned char)name[n] & 0xc0) == 0x80)
			n--; /* not in the middle of a character */
	}
	memcpy(key, g->key, container);
	memcpy(key + container, name, n);
	key[container + n] = 0;
	return container + n + 1;
}

static void merge(struct traffic_state *s, struct traffic_group *to, struct traffic_group *from)
{
	struct traffic_proc *p;

	for (int t = 0; t < _TRAFFIC_TRANSPORT_MAX; t++) {
		for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++) {
			to->by[t].bytes[d] += from->by[t].bytes[d];
			to->taken[t].bytes[d] += from->taken[t].bytes[d];
		}
	}
	to->retransmits += from->retransmits;
	if (from->used_mono_ns > to->used_mono_ns)
		to->used_mono_ns = from->used_mono_ns;
	if (to->uid != from->uid)
		to->uid = WEIR_UID_HOST;
	DL_FOREACH2(from->members, p, group_next)
		p->group = to;
	DL_CONCAT2(to->members, from->members, group_prev, group_next);
	to->grew = true;
	s->regrouped = true;
	HASH_DEL(s->groups, from);
	free(from);
}

static void rename_group(struct traffic_state *s, struct traffic_group *g, const char *name)
{
	char key[sizeof(g->key)];
	size_t len = named_key(g, name, key);
	struct traffic_group *other;

	HASH_FIND(hh, s->groups, key, len, other);
	if (other == g)
		return;
	if (other) {
		merge(s, other, g);
		return;
	}
	HASH_DEL(s->groups, g);
	s->regrouped = true;
	memcpy(g->key, key, len);
	g->key_len = len;
	g->grew = true;
	HASH_ADD_KEYPTR(hh, s->groups, g->key, g->key_len, g);
	if (!g->hh.tbl) {
		/* Without memory for the table there is none for the group: its sums are those of "other". */
		traffic_group_to_other(s, g);
		while (g->members) {
			struct traffic_proc *p = g->members;

			DL_DELETE2(g->members, p, group_prev, group_next);
			p->group = NULL;
		}
		free(g);
	}
}

void traffic_name_groups(struct traffic_state *s, struct weir_builder *b)
{
	struct traffic_group *g, *next;

	HASH_ITER(hh, s->groups, g, next) {
		const char *unit = g->key + strlen(g->key) + 1, *container = unit + strlen(unit) + 1;
		const struct weir_container_name *c = weir_lookup_container(b, container);

		if (c && c->name)
			rename_group(s, g, c->name);
	}
}
