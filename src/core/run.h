// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/feature.h"
#include "core/snapshot.h"

/* One run of all features: records in, snapshots out. The engine feeds it from the kernel, a replay from a file;
 * from here on there is no difference. */

struct weir_run;

/* kernels[i] belongs to weir_features[i]; NULL for a feature that could not be loaded, and kernels itself is NULL
 * in a replay, where every feature is there. */
int weir_run_new(void *const *kernels, struct weir_run **ret);
struct weir_run *weir_run_free(struct weir_run *r); /* accepts NULL, returns NULL */

/* Applies one record. -EBADMSG: malformed, or of a source that this build does not know; the run goes on. */
int weir_run_apply(struct weir_run *r, uint16_t source, uint16_t type, uint64_t mono_ns, const void *bytes,
		   size_t len);

/* State of feature i, NULL when it does not run. */
void *weir_run_state(const struct weir_run *r, unsigned i);

uint64_t weir_run_lost(const struct weir_run *r);     /* records lost, as last told */
uint64_t weir_run_real_ns(const struct weir_run *r, uint64_t mono_ns); /* by the last tick's clock */

/* All features' tables and the audit, into the builder. */
void weir_run_rows(struct weir_run *r, struct weir_builder *b, uint64_t number);

/* What moved since the last call, and the counters that must outlive the daemon, for the store. all: every counter, not only
 * those that changed. Counters of the daemon before that are not there yet are not carried: they would be forgotten. */
struct weir_history_sink;
struct weir_carry_sink;
typedef struct weir_carry_sink *(*weir_run_carry_to)(void *ctx, const char *feature);
void weir_run_history(struct weir_run *r, struct weir_history_sink *sink);
void weir_run_carry(struct weir_run *r, weir_run_carry_to to, void *ctx, bool all);

/* Whether each feature has the counters of the daemon before. */
bool weir_run_carried_in(const struct weir_run *r);
/* One of them. -EALREADY: the feature has them; otherwise as weir_run_apply(). */
int weir_run_carried(struct weir_run *r, const char *feature, uint16_t type, uint64_t mono_ns, const void *bytes, size_t len,
		     uint16_t *ret_source);
void weir_run_carried_end(struct weir_run *r); /* there were no others */
