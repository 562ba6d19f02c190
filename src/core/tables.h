// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/field.h"

/* All tables: those of the features, then the core's own (doctor, hooks, audit, ...). */

const struct weir_table *weir_table_find(const char *name); /* NULL: no such table */
const struct weir_table *weir_table_at(unsigned i);         /* NULL past the last */

const char *weir_unit_name(enum weir_unit unit); /* "bytes_per_second"; "none" */

/* The core's own, declared in core/tables_core.c, filled by: */
extern const struct weir_table weir_table_doctor;        /* core/probe.c */
extern const struct weir_table weir_table_hooks;         /* core/attach.c */
extern const struct weir_table weir_table_maps;          /* core/attach.c, internal */
extern const struct weir_table weir_table_audit;         /* core/audit.c */
extern const struct weir_table weir_table_findings;      /* core/finding.c */
extern const struct weir_table weir_table_self;          /* core/self.c, internal: build */
extern const struct weir_table weir_table_self_losses;   /* core/self.c, internal */
extern const struct weir_table weir_table_self_cost;     /* core/self.c, internal: CPU and memory per role */
extern const struct weir_table weir_table_self_history;  /* core/self.c, internal: the file of history */
extern const struct weir_table weir_table_features_info; /* core/probe.c, internal */

/* Indexes into their declarations. */

enum weir_doctor_field {
	DOCTOR_FEATURE,
	DOCTOR_HOOK_SET,
	DOCTOR_STATE, /* "on", "off", "unavailable", "degraded" */
	DOCTOR_SERVES,
	DOCTOR_HOOKS,
	DOCTOR_REASON,
	DOCTOR_CURE,
	_DOCTOR_FIELD_MAX,
};

/* One row for each program and map that it uses; one without a map for a program that uses none. */
enum weir_hooks_field {
	HOOKS_FEATURE,
	HOOKS_PROGRAM,
	HOOKS_HOOK,
	HOOKS_TYPE,
	HOOKS_ATTACHED,
	HOOKS_ON_DEMAND,
	HOOKS_INSTRUCTIONS,
	HOOKS_JIT_BYTES,
	HOOKS_RUNS,
	HOOKS_NS_PER_RUN,
	HOOKS_MAP,
	HOOKS_MAP_TYPE,
	HOOKS_ENTRIES,
	HOOKS_CAPACITY,
	HOOKS_KEY_BYTES,
	HOOKS_VALUE_BYTES,
	HOOKS_BPFTRACE,
	_HOOKS_FIELD_MAX,
};

enum weir_maps_field {
	MAPS_MAP,
	MAPS_ENTRIES,
	MAPS_CAPACITY,
	_MAPS_FIELD_MAX,
};

enum weir_audit_field {
	AUDIT_SCOPE, /* "processes", "sockets", "tcp", or a remainder's name */
	AUDIT_HELP,
	AUDIT_TX_BYTES,
	AUDIT_RX_BYTES,
	AUDIT_SOCKETS,
	AUDIT_ATTRIBUTED,
	AUDIT_OK,
	_AUDIT_FIELD_MAX,
};

enum weir_findings_field {
	FINDINGS_FEATURE,
	FINDINGS_ID,
	FINDINGS_CLASS,
	FINDINGS_SUMMARY,
	FINDINGS_ADVICE,
	FINDINGS_OBJECT,
	FINDINGS_FILTER,
	FINDINGS_SINCE,
	FINDINGS_PID,
	FINDINGS_COMM,
	_FINDINGS_FIELD_MAX,
};

enum weir_self_field {
	SELF_VERSION,
	SELF_KERNEL,
	SELF_VALUE, /* always 1 */
	_SELF_FIELD_MAX,
};

enum weir_self_losses_field {
	SELF_LOSSES_SOURCE,
	SELF_LOSSES_TOTAL,
	_SELF_LOSSES_FIELD_MAX,
};

enum weir_self_cost_field {
	SELF_COST_ROLE,
	SELF_COST_CPU_NS,
	SELF_COST_MEMORY_BYTES,
	_SELF_COST_FIELD_MAX,
};

enum weir_self_history_field {
	SELF_HISTORY_BYTES,
	SELF_HISTORY_LIMIT_BYTES,
	SELF_HISTORY_LOST_SECONDS,
	_SELF_HISTORY_FIELD_MAX,
};

enum weir_features_info_field {
	FEATURES_INFO_FEATURE,
	FEATURES_INFO_STATE,
	FEATURES_INFO_REASON,
	FEATURES_INFO_VALUE, /* always 1 */
	_FEATURES_INFO_FIELD_MAX,
};
