// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "core/recording.h"
#include "core/run.h"

struct weir_replay {
	FILE *file;
	struct weir_recording_head head;
	struct weir_run *run;
	struct weir_builder *builder;
	uint16_t sources[16]; /* the file's feature -> this build's source, 0: unknown here */
	char *bytes;
	size_t room;
	uint64_t at;     /* bytes read */
	uint64_t number; /* of the last snapshot */
	uint64_t mono_ns;
	bool ended, fresh, peeked;
	struct weir_record_head next;
	uint16_t next_source;
};

static int fail(char **ret_error, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(char **ret_error, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(ret_error, fmt, ap) < 0)
		*ret_error = NULL;
	va_end(ap);
	return r;
}

static int read_head(struct weir_replay *r, const char *path, char **ret_error)
{
	if (fread(&r->head, sizeof(r->head), 1, r->file) != 1 ||
	    memcmp(r->head.magic, WEIR_RECORDING_MAGIC, sizeof(r->head.magic)))
		return fail(ret_error, -EBADMSG, "%s: this is not a recording made by weir record", path);
	if (r->head.version > WEIR_RECORDING_VERSION)
		return fail(ret_error, -EPROTONOSUPPORT,
			    "%s: made by a newer weir (format %u, this one reads up to %u): use that one", path,
			    r->head.version, WEIR_RECORDING_VERSION);
	if (r->head.head_size != sizeof(r->head))
		return fail(ret_error, -EBADMSG, "%s: damaged at byte 12: wrong size of the head", path);
	r->head.host[sizeof(r->head.host) - 1] = 0;
	r->at = sizeof(r->head);
	return 0;
}

static void map_sources(struct weir_replay *r)
{
	for (unsigned i = 0; i < ARRAY_SIZE(r->head.features); i++) {
		r->head.features[i][sizeof(r->head.features[i]) - 1] = 0;
		for (unsigned j = 0; weir_features[j]; j++)
			if (!strcmp(weir_features[j]->name, r->head.features[i]))
				r->sources[i] = (uint16_t)(WEIR_SOURCE_FEATURE + j);
	}
}

int weir_replay_open(const char *path, struct weir_replay **ret, char **ret_error)
{
	struct weir_replay *r = calloc(1, sizeof(*r));
	int e = -ENOMEM;

	*ret_error = NULL;
	if (!r)
		return -ENOMEM;
	r->file = fopen(path, "re");
	if (!r->file) {
		e = fail(ret_error, -errno, "%s: cannot be read: %s", path, strerror(errno));
		goto failed;
	}
	e = read_head(r, path, ret_error);
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
	weir_fclosep(&r->file);
	weir_run_free(r->run);
	weir_builder_free(r->builder);
	free(r->bytes);
	free(r);
	return NULL;
}

/* 1: a whole record is in r->bytes; 0: the file ends here, within a record perhaps. */
static int read_record(struct weir_replay *r, struct weir_record_head *ret, char **ret_error)
{
	size_t want;

	if (fread(ret, sizeof(*ret), 1, r->file) != 1)
		return ferror(r->file) ? fail(ret_error, -EIO, "cannot be read at byte %" PRIu64, r->at) : 0;
	if (ret->size > WEIR_RECORD_SIZE_MAX)
		return fail(ret_error, -EBADMSG, "damaged at byte %" PRIu64 ": a record of %u bytes", r->at,
			    ret->size);
	want = ret->size + weir_record_padding(ret->size);
	if (want > r->room) {
		char *more = realloc(r->bytes, want);

		if (!more)
			return -ENOMEM;
		r->bytes = more;
		r->room = want;
	}
	if (want && fread(r->bytes, want, 1, r->file) != 1)
		return 0;
	r->at += sizeof(*ret) + want;
	return 1;
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
		e = read_record(r, &r->next, ret_error);
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
		return fail(ret_error, e, "damaged before byte %" PRIu64 ": a record of type %u that holds nothing sensible",
			    r->at, r->next.type);
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
	memcpy(head->host, r->head.host, sizeof(head->host));
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
	if (e < 0)
		return e;
	return r->fresh ? make_snapshot(r, ret) : 0;
}
