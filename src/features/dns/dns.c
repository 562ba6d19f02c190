// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "core/feature.h"
#include "features/dns/dns_bench.h"
#include "features/dns/dns_fields.h"
#include "features/dns/dns_kernel.h"
#include "features/dns/dns_state.h"

#define HOSTS "/etc/hosts"

extern const struct weir_feature dns_feature;

static const struct weir_table *const tables[] = { &dns_table_names, &dns_table_answers, NULL };

static int dns_open(void *kernel, void **ret_state)
{
	struct dns_state *s = dns_state_new();
	int r;

	if (!s)
		return -ENOMEM;
	r = kernel ? dns_reader_new(kernel, HOSTS, &s->reader) : 0;
	if (r < 0) {
		dns_state_free(s);
		return r;
	}
	if (kernel) {
		s->kept = dns_kernel_kept(kernel);
		dns_restore(s->kept, s);
	}
	*ret_state = s;
	return 0;
}

static void dns_close(void *state)
{
	struct dns_state *s = state;

	if (!s)
		return;
	dns_reader_free(s->reader);
	dns_state_free(s);
}

static int dns_wake_fd(const void *state)
{
	const struct dns_state *s = state;

	return s->reader ? dns_reader_fd(s->reader) : -1;
}

static int dns_drain(void *state, struct weir_sink *sink)
{
	struct dns_state *s = state;

	return s->reader ? dns_reader_drain(s->reader, sink) : 0;
}

static int dns_collect(void *state, struct weir_sink *sink, bool full)
{
	struct dns_state *s = state;

	int r = s->reader ? dns_reader_collect(s->reader, sink) : 0;

	(void)full;
	if (s->kept)
		dns_keep(s->kept, s);
	return r;
}

const struct weir_feature dns_feature = {
	.name = "dns",
	.summary = "Names of peers, as programs of this host learned them.",
	.hook_sets = dns_hook_sets,
	.beside = true,
	.tables = tables,
	.load = dns_kernel_load,
	.unload = dns_kernel_unload,
	.leave = dns_kernel_leave,
	.open = dns_open,
	.wake_fd = dns_wake_fd,
	.drain = dns_drain,
	.collect = dns_collect,
	.event_size = sizeof(union dns_event),
	.decode = dns_decode,
	.apply = dns_apply,
	.tick = dns_tick,
	.snapshot = dns_snapshot,
	.close = dns_close,
	.peer_name = dns_peer_name,
	.bench = dns_bench,
	.carry = dns_carry,
	.carried_in = dns_carried_in,
};
