// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "core/snapshot.h"

/* What this kernel and these privileges allow, found out by looking and trying, never by a version number. Each
 * "no" comes with the reason and the cure, for `weir doctor`. */

struct weir_probe;
struct btf;

enum weir_doctor_state {
	WEIR_DOCTOR_ON,
	WEIR_DOCTOR_DEGRADED,    /* works; something particular cannot be seen */
	WEIR_DOCTOR_OFF,         /* not asked for */
	WEIR_DOCTOR_UNAVAILABLE, /* asked for, and cannot run: doctor's exit status is 4 */
	_WEIR_DOCTOR_STATE_MAX,
};

/* Looks at the kernel. -ENOMEM only; what is missing is part of the answer. */
int weir_probe_new(struct weir_probe **ret);
struct weir_probe *weir_probe_free(struct weir_probe *p); /* accepts NULL, returns NULL */

/* The first thing that makes all of weir impossible here, as one line with the cure, or NULL. *ret_errno gets
 * EPERM for missing rights, EOPNOTSUPP for a kernel that lacks something. */
const char *weir_probe_blocker(const struct weir_probe *p, int *ret_errno);

/* Frees the kernel's types, some megabytes, and closes the cgroup once everything is loaded; the notes stay. */
void weir_probe_settle(struct weir_probe *p);

const struct btf *weir_probe_btf(const struct weir_probe *p); /* NULL: the kernel has none */
bool weir_probe_tracepoint(const struct weir_probe *p, const char *name); /* as BTF-typed tracepoint */
int weir_probe_cgroup_fd(const struct weir_probe *p); /* root of the cgroup2 hierarchy; -1: none. Borrowed. */

/* Adds a line for `weir doctor`. Texts are copied; any may be NULL. */
void weir_probe_note(struct weir_probe *p, const char *feature, const char *hook_set,
		     enum weir_doctor_state state, const char *serves, const char *reason, const char *cure);

/* The table of these lines, and the metric weir_feature_info. */
void weir_probe_snapshot(const struct weir_probe *p, struct weir_builder *b, uint64_t number);
