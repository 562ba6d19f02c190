// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/feature.h"
#include "features/traffic/traffic_bench.h"
#include "features/traffic/traffic_fields.h"
#include "features/traffic/traffic_kernel.h"
#include "features/traffic/traffic_state.h"

extern const struct weir_feature traffic_feature;

static const struct weir_table *const tables[] = {
	&traffic_table_processes,
	&traffic_table_flows,
	&traffic_table_groups,
	&traffic_table_health,
	NULL,
};

/* Rights first: without them the rest cannot be told. */
static const enum weir_ability needs[] = {
	WEIR_ABILITY_LOAD,
	WEIR_ABILITY_BTF,
	WEIR_ABILITY_TP_BTF,
	WEIR_ABILITY_READ_KERNEL,
	WEIR_ABILITY_TASK_BTF,
	WEIR_ABILITY_SK_STORAGE_TRACING,
	WEIR_ABILITY_ITER_TASK,
	WEIR_ABILITY_ITER_TASK_FILE,
	WEIR_ABILITY_ITER_SK_STORAGE,
	_WEIR_ABILITY_MAX,
};

static void traffic_close(void *state)
{
	struct traffic_state *s = state;

	if (!s)
		return;
	traffic_reader_free(s->reader);
	traffic_state_free(s);
}

static int traffic_open(void *kernel, void **ret_state)
{
	struct traffic_state *s = traffic_state_new();
	int r;

	if (!s)
		return -ENOMEM;
	s->kernel = kernel;
	if (kernel) {
		r = traffic_reader_new(kernel, &s->reader);
		if (r < 0) {
			traffic_state_free(s);
			return r;
		}
		r = traffic_reader_restore(s->reader, s);
		if (r < 0) {
			traffic_close(s);
			return r;
		}
	}
	*ret_state = s;
	return 0;
}

static int traffic_wake_fd(const void *state)
{
	const struct traffic_state *s = state;

	return s->reader ? traffic_reader_fd(s->reader) : -1;
}

static void traffic_watched(void *state, bool on)
{
	struct traffic_state *s = state;

	if (s->reader)
		traffic_reader_watched(s->reader, on);
}

static int traffic_drain(void *state, struct weir_sink *sink)
{
	struct traffic_state *s = state;

	return s->reader ? traffic_reader_drain(s->reader, sink) : 0;
}

static int traffic_collect(void *state, struct weir_sink *sink, bool full)
{
	struct traffic_state *s = state;

	return s->reader ? traffic_reader_collect(s->reader, s, sink, full) : 0;
}

static const size_t record_sizes[_TRAFFIC_RECORD_MAX] = {
	[TRAFFIC_RECORD_PROCESS] = sizeof(struct traffic_process),
	[TRAFFIC_RECORD_EXIT] = sizeof(struct traffic_exit),
	[TRAFFIC_RECORD_SOCKET] = sizeof(struct traffic_socket),
	[TRAFFIC_RECORD_SUMS] = sizeof(struct traffic_sums_record),
	[TRAFFIC_RECORD_PEER] = sizeof(struct traffic_peer_record),
	[TRAFFIC_RECORD_SWEPT] = sizeof(struct traffic_swept),
	[TRAFFIC_RECORD_USER] = sizeof(struct traffic_user),
	[TRAFFIC_RECORD_TOTALS] = sizeof(struct traffic_totals),
	[TRAFFIC_RECORD_CARRIED] = sizeof(struct traffic_carried),
};

size_t traffic_record_size(uint16_t type)
{
	return type < _TRAFFIC_RECORD_MAX ? record_sizes[type] : 0;
}

bool traffic_is_group_key(const char *key, uint32_t len)
{
	unsigned ends = 0;

	if (len > TRAFFIC_GROUP_KEY)
		return false;
	for (uint32_t i = 0; i < len; i++)
		ends += !key[i];
	return !len || (ends == 3 && !key[len - 1]);
}

/* Texts end inside their arrays, small numbers are in their ranges: what follows need not ask again. */
static int check(union traffic_event *e)
{
	switch ((enum traffic_record)e->head.type) {
	case TRAFFIC_RECORD_PROCESS:
		e->process.comm[sizeof(e->process.comm) - 1] = 0;
		e->process.exe[sizeof(e->process.exe) - 1] = 0;
		e->process.cgroup[sizeof(e->process.cgroup) - 1] = 0;
		return 0;
	case TRAFFIC_RECORD_SUMS:
		e->sums.sums.comm[sizeof(e->sums.sums.comm) - 1] = 0;
		return 0;
	case TRAFFIC_RECORD_USER:
		e->user.name[sizeof(e->user.name) - 1] = 0;
		return 0;
	case TRAFFIC_RECORD_SOCKET:
		if (!e->socket.cookie || e->socket.tuple.transport >= _TRAFFIC_TRANSPORT_MAX ||
		    e->socket.event > TRAFFIC_SOCKET_GONE)
			return -EBADMSG;
		return 0;
	case TRAFFIC_RECORD_CARRIED:
		return traffic_is_group_key(e->carried.key, e->carried.key_len) ? 0 : -EBADMSG;
	default:
		return 0;
	}
}

static int traffic_decode(uint16_t type, const void *bytes, size_t len, void *ret_event)
{
	union traffic_event *e = ret_event;
	struct traffic_head head;

	if (!traffic_record_size(type) || len != traffic_record_size(type))
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	if (head.type != type || head.size != len)
		return -EBADMSG;
	memset(e, 0, sizeof(*e));
	memcpy(e, bytes, len);
	return check(e);
}

static int traffic_apply(void *state, uint64_t mono_ns, const void *event)
{
	return traffic_state_apply(state, mono_ns, event);
}

static void traffic_tick(void *state, uint64_t mono_ns, uint64_t real_ns)
{
	traffic_state_tick(state, mono_ns, real_ns);
}

static bool traffic_has_news(const void *state)
{
	return ((const struct traffic_state *)state)->news;
}

static void traffic_snapshot(void *state, struct weir_builder *b, uint64_t number)
{
	traffic_rows(state, b, number);
}

static unsigned traffic_audit_lines(const void *state, struct weir_audit_entry ret[WEIR_AUDIT_MAX])
{
	return traffic_audit(state, ret);
}

static const char *traffic_introduces(const void *event)
{
	const union traffic_event *e = event;

	return e->head.type == TRAFFIC_RECORD_PROCESS ? e->process.cgroup : NULL;
}

static void traffic_processes(const void *state, weir_process_visit visit, void *ctx)
{
	const struct traffic_state *s = state;

	for (const struct traffic_proc *p = s->procs; p; p = p->hh.next)
		visit(ctx, &(struct weir_process_seen){ .id = &p->id, .lives = !p->exited });
}

static void traffic_listeners(const void *state, weir_listener_visit visit, void *ctx)
{
	const struct traffic_state *s = state;

	for (const struct traffic_flow *f = s->flows; f; f = f->hh.next) {
		const struct traffic_socket *last = &f->last;
		struct weir_listener_seen seen = {
			.cookie = f->key.cookie,
			.turned_away = last->listen_drops,
			.all_seen = !(last->flags & TRAFFIC_SOCKET_SEEDED),
			.netns = last->tuple.netns,
			.port = last->tuple.local_port,
		};

		if (last->role != TRAFFIC_ROLE_LISTENER)
			continue;
		if (f->proc) {
			seen.pid = f->proc->key.pid;
			seen.start_ns = f->proc->key.start_ns;
			seen.uid = f->proc->uid;
			seen.comm = f->proc->comm;
			seen.id = &f->proc->id;
		}
		visit(ctx, &seen);
	}
}

const struct weir_feature traffic_feature = {
	.name = "traffic",
	.summary = "Which process sends how much to whom, and how well.",
	.needs = needs,
	.hook_sets = traffic_hook_sets,
	.tables = tables,
	.load = traffic_kernel_load,
	.unload = traffic_kernel_unload,
	.leave = traffic_kernel_leave,
	.open = traffic_open,
	.wake_fd = traffic_wake_fd,
	.watched = traffic_watched,
	.drain = traffic_drain,
	.collect = traffic_collect,
	.event_size = sizeof(union traffic_event),
	.decode = traffic_decode,
	.apply = traffic_apply,
	.tick = traffic_tick,
	.has_news = traffic_has_news,
	.snapshot = traffic_snapshot,
	.audit = traffic_audit_lines,
	.close = traffic_close,
	.introduces = traffic_introduces,
	.processes = traffic_processes,
	.listeners = traffic_listeners,
	.bench = traffic_bench,
	.program = traffic_program,
	.history = traffic_history,
	.carry = traffic_carry,
	.carried_in = traffic_carried_in,
};
