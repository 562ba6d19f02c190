// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "core/snapshot.h"

/* What features tell each other while rows are made. Who fills a row asks by what it knows, and the first feature
 * that has an answer gives it; nobody names another feature. Without one that could answer, in a test or when it
 * could not be loaded, there is no answer and the cell stays null. */

/* Who is at the other end? Names are hints for people: nothing is ever decided by them. */
struct weir_peer {
	struct weir_addr addr;
	uint64_t at_mono_ns; /* names that were known then: when the flow opened */
	uint64_t start_ns;   /* with pid, the process at this end; 0: not known */
	uint32_t pid;
	uint32_t netns;      /* inode of the flow's network namespace; 0: not known */
	uint32_t uid;        /* whose row it is: what other users asked is not shown there. WEIR_UID_HOST: nobody's */
};

/* NULL: no name is known. The text is borrowed until the state of the feature that gave it changes, which is not
 * before the snapshot is made. */
const char *weir_lookup_peer_name(const struct weir_builder *b, const struct weir_peer *p);

/* What a container's runtime tells of it. Texts are NULL when not known, and hostile. */
struct weir_container_name {
	const char *name, *image;
	const char *pod_name, *pod_namespace;
	uint64_t version; /* grows when any of these changes; never 0 */
};

/* By the id that the control group's path has (core/identity.h). NULL: nothing is known. Borrowed as above. */
const struct weir_container_name *weir_lookup_container(const struct weir_builder *b, const char *id);

/* The same while history is told: of the run that tells it. */
struct weir_history_sink;
struct weir_history_program;
bool weir_history_program(const struct weir_history_sink *sink, uint32_t pid, uint64_t start_ns,
			  struct weir_history_program *ret); /* false: nobody knows the process */
const char *weir_history_peer_name(const struct weir_history_sink *sink, const struct weir_peer *p);
/* Fills in unit, container and pod. */
struct weir_identity;
void weir_history_place(const struct weir_history_sink *sink, const struct weir_identity *id, struct weir_history_program *ret);
