// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/field.h"
#include "core/record.h"
#include "core/snapshot.h"

/* The contract of a feature. A feature is one folder; core/features.c lists it; nothing else names it.
 *
 *   keeper   load()                 with the rights to load: BPF programs in, hooks attached, maps made
 *   engine   open() collect()       no rights: reads maps, rings and iterators, turns them into records
 *            decode() apply()       pure: bytes -> event -> state; reads no clock, no map, no file
 *            snapshot() audit()     pure: state -> rows
 *
 * A replay runs open(kernel = NULL), decode, apply and snapshot from a file, without rights.
 * A feature without a ring, rates or news leaves wake_fd, drain, tick, has_news and audit NULL. */

struct weir_attach;     /* core/attach.h: what is attached, and its undoing */
struct weir_key;        /* core/config.h: a key of the configuration */
struct weir_probe;      /* core/probe.h: what this kernel can do, with reasons */
struct weir_sink;       /* core/record.h: where collected records go */
struct weir_bench;      /* core/bench.h: measured comparisons */

/* One way to serve a feature, best first. */
struct weir_hook_set {
	const char *name;   /* "sock": forced with --hooks=traffic:sock */
	const char *serves; /* what it is exact for, one sentence */
	/* 0 when this kernel has it; -EOPNOTSUPP and one sentence with the cure otherwise. */
	int (*possible)(const struct weir_probe *p, const char **ret_reason);
};

/* A line of the audit: one way of counting, or a named gap between two. */
struct weir_audit_entry {
	const char *scope;  /* "processes", "in_call" */
	const char *help;   /* one sentence */
	int64_t tx_bytes, rx_bytes;
	uint64_t sockets;
	bool attributed;    /* the bytes are in some process's sum */
	bool ok;            /* needs no attention */
};

#define WEIR_AUDIT_MAX 32

struct weir_feature {
	const char *name;    /* command, metric prefix, page */
	const char *summary; /* one line of help */
	const struct weir_hook_set *hook_sets; /* ends with .name = NULL */
	const struct weir_table *const *tables; /* ends with NULL */
	const struct weir_key *keys; /* configuration under the feature's name; ends with .name = NULL; NULL: none */

	/* Loads and attaches the best possible hook set (or the forced one) and registers maps, programs and
	 * links with attach. *ret_kernel is the feature's own view of them. On failure nothing stays attached. */
	int (*load)(struct weir_attach *attach, struct weir_probe *probe, const char *forced_set,
		    void **ret_kernel);
	void (*unload)(void *kernel);

	/* State of one run. kernel is NULL in a replay. Called with the rights to load still there. */
	int (*open)(void *kernel, void **ret_state);
	/* A descriptor that becomes readable when there is much to collect, or -1. */
	int (*wake_fd)(const void *state);
	/* Somebody watches live, or asks, from now on, or nobody any more: whether news is wanted at once, and
	 * whether collect() may leave something that is probably unchanged to a later call. */
	void (*watched)(void *state, bool on);
	/* Reads the ring alone: cheap, called many times a second. */
	int (*drain)(void *state, struct weir_sink *sink);
	/* Reads what is new. full: look at everything, e.g. at the start and after losses. */
	int (*collect)(void *state, struct weir_sink *sink, bool full);

	size_t event_size;
	/* Reads one record into ret_event, which has event_size bytes. -EBADMSG for anything malformed. */
	int (*decode)(uint16_t type, const void *bytes, size_t len, void *ret_event);
	int (*apply)(void *state, uint64_t mono_ns, const void *event);
	/* Clock tick: rates, ageing. real_ns - mono_ns places monotonic times on the calendar. */
	void (*tick)(void *state, uint64_t mono_ns, uint64_t real_ns);
	/* Something was opened or closed since the last snapshot: worth publishing before the tick. */
	bool (*has_news)(const void *state);

	void (*snapshot)(void *state, struct weir_builder *b, uint64_t number);
	unsigned (*audit)(const void *state, struct weir_audit_entry ret[WEIR_AUDIT_MAX]);
	void (*close)(void *state);

	/* Measures what the feature costs here and adds its lines; runs in namespaces of its own. NULL: nothing to
	 * measure. -EINTR when interrupted; what could not be measured is a line of the report. */
	int (*bench)(struct weir_bench *b);
};

/* The one visible list; ends with NULL. */
extern const struct weir_feature *const weir_features[];
