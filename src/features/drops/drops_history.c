// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/history.h"
#include "core/lookup.h"
#include "features/drops/drops_state_private.h"

/* What was lost since history was told last. Rows that count what others count, too, are left out, and so is what may turn
 * out to be no loss. */

static void fill_program(const struct weir_history_sink *sink, const struct drops_row *r, struct weir_history_program *ret)
{
	*ret = (struct weir_history_program){ .uid = WEIR_UID_HOST };
	if (!r->key.pid || weir_history_program(sink, r->key.pid, r->key.start_ns, ret))
		return;
	ret->comm = r->comm;
	ret->uid = r->has_uid ? r->uid : WEIR_UID_HOST;
	weir_history_place(sink, &r->id, ret);
}

static void tell_row(const struct drops_state *s, struct weir_history_sink *sink, struct drops_row *r)
{
	struct weir_history_sample sample = {
		.kind = WEIR_HISTORY_LOSS,
		.reason = r->reason,
		.class = drops_class_name(r->meaning ? r->meaning->class : DROPS_UNKNOWN),
		.device = drops_device_name(s, r->key.netns, r->key.ifindex),
		.packets = r->packets - r->told,
	};

	r->told = r->packets;
	if (r->consumed || r->overlaps)
		return;
	fill_program(sink, r, &sample.program);
	sink->sample(sink, &sample);
}

void drops_history(void *state, struct weir_history_sink *sink)
{
	struct drops_state *s = state;

	for (struct drops_row *r = s->rows; r; r = r->hh.next)
		if (r->packets > r->told && !drops_row_waits(s, r, s->mono_ns))
			tell_row(s, sink, r);
}
