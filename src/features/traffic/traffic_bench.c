// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_bench.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "core/probe.h"
#include "features/traffic/traffic_kernel.h"
#include "features/traffic/traffic_kernel_private.h"
#include "features/traffic/traffic_state.h"

/* --- weir's programs in this process --------------------------------------------------------- */

static double ms_since(uint64_t *from)
{
	uint64_t now = weir_bench_wall_ns(), was = *from;

	*from = now;
	return (double)(now - was) / 1e6;
}

int bench_load(struct bench_loaded *ret)
{
	uint64_t at = weir_bench_wall_ns();
	struct bench_loaded l = {};
	void *kernel = NULL;
	int r;

	r = weir_probe_new(&l.probe);
	l.probe_ms = ms_since(&at);
	l.attach = r == 0 ? weir_attach_new() : NULL;
	if (!l.attach)
		r = -ENOMEM;
	if (r == 0)
		r = traffic_kernel_load(l.attach, l.probe, NULL, &kernel);
	l.kernel = kernel;
	l.load_ms = ms_since(&at);
	if (r == 0)
		r = traffic_reader_new(l.kernel, &l.reader);
	if (r < 0) {
		bench_unload(&l);
		return r;
	}
	*ret = l;
	return 0;
}

void bench_unload(struct bench_loaded *l)
{
	traffic_reader_free(l->reader);
	weir_attach_free(l->attach);
	traffic_kernel_unload(l->kernel);
	weir_probe_free(l->probe);
	memset(l, 0, sizeof(*l));
}

void bench_detach(struct bench_loaded *l)
{
	weir_attach_undo(l->attach, 0);
}

int bench_attach(struct bench_loaded *l)
{
	const char *failed;

	bench_detach(l);
	return traffic_kernel_attach(l->kernel, l->probe, weir_probe_cgroup_fd(l->probe), &failed);
}

static const char *const tracepoints[] = { "sock_send_length", "sock_recv_length", NULL };

unsigned bench_on_hooks(void)
{
	return weir_bench_on_hooks(tracepoints);
}

bool bench_await_alone(const struct weir_bench *b)
{
	return weir_bench_await_alone(b, tracepoints);
}

/* --- the ring -------------------------------------------------------------------------------- */

uint32_t bench_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

struct counting_sink {
	struct weir_sink sink;
	struct bench_drained *to;
	uint32_t netns;
};

static void count_record(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	struct counting_sink *s = (struct counting_sink *)sink;
	const struct traffic_socket *record = bytes;

	if (type == TRAFFIC_RECORD_SOCKET && len == sizeof(*record) &&
	    record->tuple.netns == s->netns)
		s->to->ours++;
	else
		s->to->others++;
}

static void count_lost(struct weir_sink *sink, uint64_t total)
{
	struct counting_sink *s = (struct counting_sink *)sink;

	s->to->lost = total;
}

int bench_drain(struct bench_loaded *l, uint32_t netns, struct bench_drained *to)
{
	struct counting_sink s = { { count_record, count_lost }, to, netns };
	int r = traffic_reader_drain(l->reader, &s.sink);

	/* The sink is told of a change only. */
	to->lost = l->kernel->bpf->bss->control.lost;
	return r < 0 ? r : 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* On a kernel that weir's own programs do not load into the rest is still worth measuring. */
static int own_programs(struct weir_bench *b)
{
	struct bench_loaded l = {};
	int r = bench_load(&l);

	if (r < 0) {
		weir_bench_part(b, "hooks", "What weir's own programs cost.");
		weir_bench_skip(b, "hooks",
				"weir's programs do not load here (%s): weir doctor says why",
				strerror(-r));
		return 0;
	}
	r = bench_hooks(b, &l);
	if (r == 0)
		r = bench_work(b, &l);
	if (r == 0)
		r = bench_losses(b, &l);
	bench_unload(&l);
	return r;
}

static int in_this_process(struct weir_bench *b)
{
	struct bench_pair pair = { -1, -1 };
	int r;

	r = weir_bench_pin(b);
	if (r == 0)
		r = bench_pair_open(AF_INET, SOCK_STREAM, &pair);
	if (r == 0)
		r = weir_bench_calibrate(b, bench_pingpong_once, &pair);
	bench_pair_close(&pair);
	if (r == 0)
		r = own_programs(b);
	weir_bench_unpin(b);
	return r < 0 ? r : bench_talk(b);
}

int traffic_bench(struct weir_bench *b)
{
	int r;

	if (weir_bench_emulated())
		weir_bench_remark(b, "this processor is emulated in software: counts are right, "
				     "times and ratios are not to be trusted");
	r = in_this_process(b);
	if (r < 0)
		return r;
	if (!weir_bench_host(b)) {
		weir_bench_remark(b, "the daemon was not measured: there is none to start");
		return 0;
	}
	r = bench_watchers(b);
	return r < 0 ? r : bench_daemon(b);
}
