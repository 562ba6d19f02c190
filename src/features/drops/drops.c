// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "core/feature.h"
#include "features/drops/drops_bench.h"
#include "features/drops/drops_capture.h"
#include "features/drops/drops_fields.h"
#include "features/drops/drops_kernel.h"
#include "features/drops/drops_state.h"

extern const struct weir_feature drops_feature;

static const struct weir_table *const tables[] = { &drops_table, &drops_table_groups, &drops_table_own, NULL };

static int drops_open(void *kernel, void **ret_state)
{
	struct drops_state *s = drops_state_new();
	int r;

	if (!s)
		return -ENOMEM;
	r = kernel ? drops_reader_new(kernel, &s->reader) : 0;
	if (r < 0) {
		drops_state_free(s);
		return r;
	}
	s->carried_in = s->reader && drops_reader_carried_in(s->reader);
	*ret_state = s;
	return 0;
}

static void drops_close(void *state)
{
	struct drops_state *s = state;

	if (!s)
		return;
	drops_reader_free(s->reader);
	drops_state_free(s);
}

static int drops_wake_fd(const void *state)
{
	const struct drops_state *s = state;

	return s->reader ? drops_reader_fd(s->reader) : -1;
}

static int drops_drain(void *state, struct weir_sink *sink)
{
	struct drops_state *s = state;

	return s->reader ? drops_reader_drain(s->reader, sink) : 0;
}

static int drops_collect(void *state, struct weir_sink *sink, bool full)
{
	struct drops_state *s = state;

	(void)full;
	return s->reader ? drops_reader_collect(s->reader, s, sink) : 0;
}

static const char *drops_introduces(const void *event)
{
	const union drops_event *e = event;

	return e->head.type == DROPS_RECORD_OWNER && e->owner.start_ns && e->owner.cgroup[0] ? e->owner.cgroup : NULL;
}

static void drops_processes(const void *state, weir_process_visit visit, void *ctx)
{
	const struct drops_state *s = state;

	for (const struct drops_row *r = s->rows; r; r = r->hh.next)
		if (r->key.pid)
			visit(ctx, &(struct weir_process_seen){ .id = &r->id, .lives = false });
}

const struct weir_feature drops_feature = {
	.name = "drops",
	.summary = "Which packets are lost, where, why and whose, and what to do.",
	.hook_sets = drops_hook_sets,
	.tables = tables,
	.load = drops_kernel_load,
	.unload = drops_kernel_unload,
	.leave = drops_kernel_leave,
	.open = drops_open,
	.wake_fd = drops_wake_fd,
	.drain = drops_drain,
	.collect = drops_collect,
	.event_size = sizeof(union drops_event),
	.decode = drops_decode,
	.apply = drops_apply,
	.tick = drops_tick,
	.snapshot = drops_snapshot,
	.close = drops_close,
	.introduces = drops_introduces,
	.processes = drops_processes,
	.listener_seen = drops_listener_seen,
	.findings = drops_findings,
	.bench = drops_bench,
	.history = drops_history,
	.carry = drops_carry,
	.carried_in = drops_carried_in,
	.capture = &drops_capture_source,
};
