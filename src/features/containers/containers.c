// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "core/attach.h"
#include "core/config.h"
#include "core/probe.h"
#include "features/containers/containers_places.h"
#include "features/containers/containers_state.h"

extern const struct weir_feature containers_feature;

/* What stands for the kernel's side, which there is none of: whether names are asked for. */
struct containers_setting {
	bool asks;
};

static struct containers_setting setting;

static int state_possible(const struct weir_probe *p, const char **ret_reason)
{
	(void)p;
	(void)ret_reason;
	return 0;
}

static const struct weir_hook_set hook_sets[] = {
	{ .name = "state", .serves = "names of containers, images and pods", .possible = state_possible },
	{},
};

static const struct weir_table *const tables[] = { &containers_table, NULL };

static int containers_load(struct weir_attach *attach, struct weir_probe *probe, const char *forced_set,
			   void **ret_kernel)
{
	(void)attach;
	if (forced_set && strcmp(forced_set, hook_sets[0].name)) {
		weir_probe_note(probe, "containers", forced_set, WEIR_DOCTOR_UNAVAILABLE, NULL,
				"there is no hook set of this name",
				"leave --hooks away, or use one that weir doctor names");
		return -EOPNOTSUPP;
	}
	*ret_kernel = &setting;
	return 0;
}

static void containers_unload(void *kernel)
{
	(void)kernel;
}

static void containers_configured(const struct weir_config *c, struct weir_probe *probe)
{
	setting.asks = !c || weir_config_true(c, "containers.names");
	if (setting.asks)
		containers_places_note(c ? weir_config_text(c, "containers.root") : "/", probe);
	else
		weir_probe_note(probe, "containers", "state", WEIR_DOCTOR_OFF, NULL, "containers.names is false", NULL);
}

static int containers_open(void *kernel, void **ret_state)
{
	const struct containers_setting *set = kernel;
	struct containers_state *s = containers_state_new();

	if (!s)
		return -ENOMEM;
	s->asks = set && set->asks;
	*ret_state = s;
	return 0;
}

static bool containers_has_news(const void *state)
{
	return ((const struct containers_state *)state)->news;
}

static void containers_close(void *state)
{
	containers_state_free(state);
}

const struct weir_feature containers_feature = {
	.name = "containers",
	.summary = "Names of containers, images and pods.",
	.hook_sets = hook_sets,
	.tables = tables,
	.keys = containers_keys,
	.load = containers_load,
	.unload = containers_unload,
	.configured = containers_configured,
	.open = containers_open,
	.event_size = sizeof(struct containers_name),
	.decode = containers_decode,
	.apply = containers_apply,
	.tick = containers_tick,
	.has_news = containers_has_news,
	.snapshot = containers_snapshot,
	.close = containers_close,
	.container = containers_container,
	.process_seen = containers_process_seen,
	.helper = &containers_helper,
	.ask = containers_ask,
};
