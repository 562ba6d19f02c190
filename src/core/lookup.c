// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/lookup.h"

#include "core/feature.h"
#include "core/history.h"
#include "core/identity.h"
#include "core/run.h"

static const char *peer_name(const struct weir_run *run, const struct weir_peer *p)
{
	const char *name = NULL;

	for (unsigned i = 0; run && weir_features[i] && !name; i++) {
		void *state = weir_run_state(run, i);

		if (state && weir_features[i]->peer_name)
			name = weir_features[i]->peer_name(state, p);
	}
	return name;
}

static const struct weir_container_name *container(const struct weir_run *run, const char *id)
{
	const struct weir_container_name *name = NULL;

	if (!id[0])
		return NULL;
	for (unsigned i = 0; run && weir_features[i] && !name; i++) {
		void *state = weir_run_state(run, i);

		if (state && weir_features[i]->container)
			name = weir_features[i]->container(state, id);
	}
	return name;
}

const char *weir_lookup_peer_name(const struct weir_builder *b, const struct weir_peer *p)
{
	return peer_name(weir_builder_run(b), p);
}

const struct weir_container_name *weir_lookup_container(const struct weir_builder *b, const char *id)
{
	return container(weir_builder_run(b), id);
}

const char *weir_history_peer_name(const struct weir_history_sink *sink, const struct weir_peer *p)
{
	return peer_name(sink->run, p);
}

void weir_history_place(const struct weir_history_sink *sink, const struct weir_identity *id, struct weir_history_program *ret)
{
	const struct weir_container_name *c = container(sink->run, id->container_id);

	ret->unit = id->unit;
	ret->container_id = id->container_id;
	ret->pod_name = id->pod;
	if (!c)
		return;
	ret->container_name = c->name;
	ret->pod_namespace = c->pod_namespace;
	if (c->pod_name)
		ret->pod_name = c->pod_name;
}

bool weir_history_program(const struct weir_history_sink *sink, uint32_t pid, uint64_t start_ns,
			  struct weir_history_program *ret)
{
	for (unsigned i = 0; sink->run && weir_features[i]; i++) {
		void *state = weir_run_state(sink->run, i);

		if (state && weir_features[i]->program && weir_features[i]->program(state, sink, pid, start_ns, ret))
			return true;
	}
	return false;
}
