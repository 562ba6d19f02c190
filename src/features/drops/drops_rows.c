// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/lookup.h"
#include "core/snapshot.h"
#include "features/drops/drops_fields.h"
#include "features/drops/drops_state_private.h"

/* State -> rows. */

static const char *const source_names[] = {
	[DROPS_PACKET] = "packet",
	[DROPS_LISTENER] = "socket",
	[DROPS_INTERFACE] = "device",
	[DROPS_PROCESSOR] = "cpu",
};
_Static_assert(ARRAY_SIZE(source_names) == _DROPS_SOURCE_MAX, "each has its name");

static void put_owner(struct weir_builder *b, const struct drops_row *r)
{
	const struct weir_container_name *name = weir_lookup_container(b, r->id.container_id);

	weir_builder_uint(b, DROP_PID, r->key.pid);
	weir_builder_uint(b, DROP_START_TIME_NS, r->key.start_ns);
	weir_builder_text(b, DROP_COMM, r->comm);
	weir_builder_uint(b, DROP_UID, r->uid);
	weir_builder_text(b, DROP_UNIT, r->id.unit[0] ? r->id.unit : NULL);
	weir_builder_text(b, DROP_CONTAINER_ID, r->id.container_id[0] ? r->id.container_id : NULL);
	weir_builder_text(b, DROP_POD_NAME, name && name->pod_name ? name->pod_name : r->id.pod[0] ? r->id.pod : NULL);
	if (!name)
		return;
	weir_builder_text(b, DROP_CONTAINER_NAME, name->name);
	weir_builder_text(b, DROP_POD_NAMESPACE, name->pod_namespace);
}

static void put_place(const struct drops_state *s, struct weir_builder *b, const struct drops_row *r)
{
	const char *device = drops_device_name(s, r->key.netns, r->key.ifindex);
	const char *symbol = drops_symbol(s, r->key.place);
	char number[32];

	if (symbol) {
		weir_builder_text(b, DROP_LOCATION, symbol);
	} else if (r->key.place) {
		snprintf(number, sizeof(number), "0x%llx", (unsigned long long)r->key.place);
		weir_builder_text(b, DROP_LOCATION, number);
	}
	if (!device && r->key.ifindex) {
		snprintf(number, sizeof(number), "if%u", r->key.ifindex);
		device = number;
	}
	weir_builder_text(b, DROP_DEVICE, device);
	if (r->key.netns)
		weir_builder_uint(b, DROP_NETNS, r->key.netns);
	if (r->key.source == DROPS_LISTENER)
		weir_builder_uint(b, DROP_PORT, r->key.number);
	if (r->key.source == DROPS_PROCESSOR)
		weir_builder_uint(b, DROP_CPU, r->key.number);
}

static void put_row(const struct drops_state *s, struct weir_builder *b, struct drops_row *r, uint64_t number)
{
	if (r->dirty)
		r->changed = number;
	r->dirty = false;
	weir_builder_row(b, r->has_uid ? r->uid : WEIR_UID_HOST, r->changed);
	weir_builder_text(b, DROP_REASON, r->reason);
	weir_builder_text(b, DROP_CLASS, drops_class_name(r->meaning ? r->meaning->class : DROPS_UNKNOWN));
	weir_builder_uint(b, DROP_PACKETS_PER_SECOND, r->rate);
	weir_builder_uint(b, DROP_PACKETS, r->packets);
	if (r->key.source == DROPS_PACKET)
		weir_builder_uint(b, DROP_BYTES, r->bytes);
	put_place(s, b, r);
	weir_builder_text(b, DROP_LAYER, drops_layer_name(r->meaning ? r->meaning->layer : DROPS_LAYER_OTHER));
	if (r->key.pid)
		put_owner(b, r);
	weir_builder_text(b, DROP_SOURCE, source_names[r->key.source]);
	if (r->meaning) {
		weir_builder_text(b, DROP_MEANING, r->meaning->sentence);
		weir_builder_text(b, DROP_ADVICE, r->meaning->advice);
	}
	weir_builder_text(b, DROP_SAMPLE, r->sample[0] ? r->sample : NULL);
	weir_builder_text(b, DROP_STACK, r->stack && r->stack[0] ? r->stack : NULL);
	if (r->derived && r->key.source == DROPS_PACKET) {
		const char *word = drops_reason_name(s, r->key.reason);

		weir_builder_text(b, DROP_KERNEL_REASON, word ? word : "NOT_SPECIFIED");
	}
	weir_builder_bool(b, DROP_OVERLAPS, r->overlaps);
	weir_builder_time(b, DROP_FIRST_SEEN, r->first_ns + s->real_minus_mono_ns);
	weir_builder_time(b, DROP_LAST_SEEN, r->last_ns + s->real_minus_mono_ns);
}

static void put_groups(const struct drops_state *s, struct weir_builder *b, uint64_t number)
{
	for (const struct drops_group *g = s->groups; g; g = g->hh.next) {
		const char *layer = g->key + strlen(g->key) + 1, *device = layer + strlen(layer) + 1;

		weir_builder_row(b, WEIR_UID_HOST, number);
		weir_builder_text(b, DROPS_GROUP_REASON, g->key);
		weir_builder_text(b, DROPS_GROUP_LAYER, layer);
		weir_builder_text(b, DROPS_GROUP_DEVICE, device);
		weir_builder_uint(b, DROPS_GROUP_PACKETS, g->packets);
	}
}

static void put_own(struct weir_builder *b, const char *what, uint64_t total, uint64_t number)
{
	weir_builder_row(b, WEIR_UID_HOST, number);
	weir_builder_text(b, DROPS_OWN_WHAT, what);
	weir_builder_uint(b, DROPS_OWN_TOTAL, total);
}

/* What is lost now, then what was lost in all. */
static int by_rate(const struct drops_row *a, const struct drops_row *b)
{
	if (a->rate != b->rate)
		return a->rate > b->rate ? -1 : 1;
	return a->packets == b->packets ? 0 : a->packets > b->packets ? -1 : 1;
}

void drops_snapshot(void *state, struct weir_builder *b, uint64_t number)
{
	static const char *const own_names[DROPS_OWN_COUNTERS] = { "samples", "crowded", "unkeyed", "missed" };
	uint64_t own[DROPS_OWN_COUNTERS];
	struct drops_state *s = state;

	drops_rows_to_groups(s);
	HASH_SRT(hh, s->rows, by_rate);
	weir_builder_table(b, &drops_table);
	for (struct drops_row *r = s->rows; r; r = r->hh.next)
		if (r->packets && !r->consumed)
			put_row(s, b, r, number);
	weir_builder_table(b, &drops_table_groups);
	put_groups(s, b, number);
	weir_builder_table(b, &drops_table_own);
	drops_own_counters(s, own);
	for (unsigned i = 0; i < DROPS_OWN_COUNTERS; i++)
		put_own(b, own_names[i], own[i], number);
}
