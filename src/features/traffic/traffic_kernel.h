// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "core/feature.h"

/* The edge to the kernel: loading and attaching (keeper), reading rings, iterators and maps (engine). */

struct traffic_kernel;
struct traffic_reader;
struct traffic_state;

extern const struct weir_hook_set traffic_hook_sets[];

/* As weir_feature.load and .unload. */
int traffic_kernel_load(struct weir_attach *attach, struct weir_probe *probe, const char *forced_set,
			void **ret_kernel);
void traffic_kernel_unload(void *kernel);
void traffic_kernel_leave(void *kernel); /* as weir_feature.leave */

/* The engine's side: maps the ring. Called with the rights to load still there; the rest needs none. */
int traffic_reader_new(struct traffic_kernel *k, struct traffic_reader **ret);
struct traffic_reader *traffic_reader_free(struct traffic_reader *r); /* accepts NULL, returns NULL */
int traffic_reader_fd(const struct traffic_reader *r);

/* Takes over the sums that an engine before this one left, and what it gave history. -ENOMEM. */
int traffic_reader_restore(const struct traffic_reader *r, struct traffic_state *state);

/* As weir_feature.watched. */
void traffic_reader_watched(struct traffic_reader *r, bool on);

/* Hands everything in the ring over. Returns how many records. */
int traffic_reader_drain(struct traffic_reader *r, struct weir_sink *sink);

/* Looks at every socket and every sum that changed; full: at all. state is only read: what is known already need
 * not be told again. */
int traffic_reader_collect(struct traffic_reader *r, const struct traffic_state *state, struct weir_sink *sink,
			   bool full);
