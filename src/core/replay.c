// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "core/feature.h"
#include "core/recording.h"
#include "core/run.h"

struct weir_replay {
	struct weir_recording *recording;
	struct weir_run *run;
	struct weir_builder *builder;
	uint16_t sources[16]; /* the file's feature -> this build's source, 0: unknown here */
	const void *bytes;   /* of the next record */
	uint64_t number; /* of the last snapshot */
	uint64_t mono_ns;
	bool ended, fresh, peeked;
	struct weir_record_head next;
	uint16_t next_source;
};

static void map_sources(struct weir_replay *r)
{
	const struct weir_recording_head *head = weir_recording_head(r->recording);

	for (unsigned i = 0; i < ARRAY_SIZE(head->features); i++)
		for (unsigned j = 0; weir_features[j]; j++)
			if (!strcmp(weir_features[j]->name, head->features[i]))
				r->sources[i] = (uint16_t)(WEIR_SOURCE_FEATURE + j);
}

int weir_replay_open(const char *path, struct weir_replay **ret, char **ret_error)
{
	struct weir_replay *r = calloc(1, sizeof(*r));
	int e = -ENOMEM;

	*ret_error = NULL;
	if (!r)
		return -ENOMEM;
	e = weir_recording_open(path, &r->recording, ret_error);
	if (e < 0)
		goto failed;
	map_sources(r);
	e = weir_run_new(NULL, &r->run);
	if (e < 0)
		goto failed;
	r->builder = weir_builder_new();
	if (!r->builder) {
		e = -ENOMEM;
		goto failed;
	}
	*ret = r;
	return 0;

failed:
	weir_replay_free(r);
	return e;
}

struct weir_replay *weir_replay_free(struct weir_replay *r)
{
	if (!r)
		return NULL;
	weir_recording_free(r->recording);
	weir_run_free(r->run);
	weir_builder_free(r->builder);
	free(r);
	return NULL;
}

static uint16_t source_here(const struct weir_replay *r, uint16_t source)
{
	size_t i = (size_t)source - WEIR_SOURCE_FEATURE;

	return source < WEIR_SOURCE_FEATURE || i >= ARRAY_SIZE(r->sources) ? source : r->sources[i];
}

int weir_replay_peek(struct weir_replay *r, uint64_t *ret_mono_ns, char **ret_error)
{
	int e;

	*ret_error = NULL;
	while (!r->peeked) {
		if (r->ended)
			return 0;
		e = weir_recording_next(r->recording, &r->next, &r->bytes, ret_error);
		if (e < 0)
			return e;
		if (e == 0) {
			r->ended = true;
			return 0;
		}
		r->next_source = source_here(r, r->next.source);
		/* A record of a feature that this build lacks is passed over. */
		r->peeked = r->next.source == WEIR_SOURCE_CORE || r->next_source != WEIR_SOURCE_CORE;
	}
	*ret_mono_ns = r->next.mono_ns;
	return 1;
}

int weir_replay_step(struct weir_replay *r, bool *ret_tick, char **ret_error)
{
	int e;

	r->peeked = false;
	r->mono_ns = r->next.mono_ns;
	e = weir_run_apply(r->run, r->next_source, r->next.type, r->mono_ns, r->bytes, r->next.size);
	if (e < 0)
		return weir_fail(ret_error, e, "damaged before byte %" PRIu64 ": a record of type %u that holds nothing sensible",
				 weir_recording_at(r->recording), r->next.type);
	r->fresh = true;
	*ret_tick = r->next_source == WEIR_SOURCE_CORE && r->next.type == WEIR_RECORD_TICK;
	return 1;
}

struct weir_run *weir_replay_run(struct weir_replay *r)
{
	return r->run;
}

void weir_replay_head(const struct weir_replay *r, struct weir_snapshot_head *head)
{
	head->mono_ns = r->mono_ns;
	head->real_ns = weir_run_real_ns(r->run, r->mono_ns);
	head->lost_events = weir_run_lost(r->run);
	memcpy(head->host, weir_recording_head(r->recording)->host, sizeof(head->host));
}

static int make_snapshot(struct weir_replay *r, struct weir_snapshot **ret)
{
	struct weir_snapshot_head head = { .number = ++r->number };
	int e;

	weir_replay_head(r, &head);
	weir_run_rows(r->run, r->builder, r->number);
	e = weir_builder_finish(r->builder, &head, ret);
	r->fresh = false;
	return e < 0 ? e : 1;
}

int weir_replay_next(struct weir_replay *r, struct weir_snapshot **ret, char **ret_error)
{
	uint64_t mono_ns;
	bool tick;
	int e;

	while ((e = weir_replay_peek(r, &mono_ns, ret_error)) > 0) {
		e = weir_replay_step(r, &tick, ret_error);
		if (e < 0)
			return e;
		if (tick)
			return make_snapshot(r, ret);
	}
	if (!r->fresh)
		return e;
	/* What is wrong with the file is told again when it goes on. */
	free(*ret_error);
	*ret_error = NULL;
	return make_snapshot(r, ret);
}
