// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_bench.h"

#include <errno.h>
#include <string.h>

#include "core/attach.h"
#include "core/probe.h"

static int full_once(void *ctx)
{
	return drops_full_lose_many(ctx);
}

/* One thread on one processor. */
static int pinned(struct weir_bench *b, const struct drops_bench_loaded *l)
{
	struct drops_full full = { -1, -1 };
	int r = weir_bench_pin(b);

	if (r < 0)
		return r;
	r = drops_full_open(&full);
	if (r == 0)
		r = weir_bench_calibrate(b, full_once, &full);
	drops_full_close(&full);
	if (r == 0)
		r = drops_bench_cost(b, l);
	if (r == 0)
		r = drops_bench_quiet(b, l);
	if (r == 0)
		r = drops_bench_samples(b, l);
	weir_bench_unpin(b);
	return r;
}

static int own_program(struct weir_bench *b)
{
	struct drops_bench_loaded l = { .attach = weir_attach_new() };
	int r = l.attach ? weir_probe_new(&l.probe) : -ENOMEM;

	if (r == 0)
		r = drops_kernel_load(l.attach, l.probe, NULL, &l.kernel);
	if (r == 0) {
		weir_attach_undo(l.attach, 0); /* loaded; attached in turn */
		r = pinned(b, &l);
	}
	weir_attach_free(l.attach);
	drops_kernel_unload(l.kernel);
	weir_probe_free(l.probe);
	return r;
}

int drops_bench(struct weir_bench *b)
{
	int r = own_program(b);

	if (r < 0 && r != -EINTR) {
		weir_bench_part(b, "drops", "What a lost packet pays for being counted.");
		weir_bench_skip(b, "drops", "%s", strerror(-r));
		return 0;
	}
	if (r == 0 && weir_bench_host(b))
		r = drops_bench_flood(b);
	return r;
}
