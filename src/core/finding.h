// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/snapshot.h"

/* What a feature has to say in words: something is wrong, why, and what to do. Shown first, on Now and by
 * `weir findings`. */

#define WEIR_FINDINGS_MAX 16 /* of one feature */

struct weir_finding {
	char id[96];           /* tells it from the feature's others, and stays the same while it lasts */
	const char *class;     /* "tune", "attack", "bug"; borrowed for ever */
	char summary[320];     /* one sentence, with numbers and names; hostile */
	const char *advice;    /* what to do; borrowed for ever, or NULL */
	const char *object;    /* the table that shows more, and a filter for it */
	char filter[96];
	uint64_t since_real_ns;
	uint32_t pid;          /* 0: of no process */
	char comm[16];
	uid_t owner;           /* who may read it beside those who read everything; WEIR_UID_HOST */
};

struct weir_run;

/* The table "findings", from all features. */
void weir_findings_snapshot(const struct weir_run *r, struct weir_builder *b, uint64_t number);

/* Which of them are told as events: each that begins, not one that merely pauses. Zero-initialised. */
#define WEIR_FINDINGS_BEGUN 128
struct weir_findings_begun {
	uint64_t ids[WEIR_FINDINGS_BEGUN];     /* hashes; 0: free */
	uint64_t seen_ns[WEIR_FINDINGS_BEGUN];
};

struct weir_history_sink;
void weir_findings_tell(const struct weir_run *r, struct weir_findings_begun *begun, uint64_t mono_ns,
			struct weir_history_sink *sink);
