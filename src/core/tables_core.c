// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tables.h"

#include "core/declare.h"

/* The declarations of the core's own tables. */

/* clang-format off */

static const struct weir_field doctor_fields[] = {
	FIELD(DOCTOR_FEATURE, "feature", "FEATURE", TEXT, NONE, KEY | COLUMN, "The feature."),
	FIELD(DOCTOR_HOOK_SET, "hook_set", "HOOKS", TEXT, NONE, KEY | COLUMN, "A set of kernel hooks that can serve it."),
	FIELD(DOCTOR_STATE, "state", "STATE", TEXT, NONE, COLUMN, "on, off, unavailable or degraded.",
	      .words = "on off unavailable degraded"),
	FIELD(DOCTOR_SERVES, "serves", "SERVES", TEXT, NONE, COLUMN, "What this set is exact for."),
	FIELD(DOCTOR_HOOKS, "hooks", "KERNEL HOOKS", TEXT, NONE, COLUMN,
	      "The places in the kernel that call it now, without the way of hanging there; weir hooks has them whole."),
	FIELD(DOCTOR_REASON, "reason", "REASON", TEXT, NONE, COLUMN, "Why it is not on."),
	FIELD(DOCTOR_CURE, "cure", "CURE", TEXT, NONE, COLUMN, "What would make it work."),
};
_Static_assert(ARRAY_SIZE(doctor_fields) == _DOCTOR_FIELD_MAX, "each index has its declaration");

static const struct weir_field hooks_fields[] = {
	FIELD(HOOKS_FEATURE, "feature", "FEATURE", TEXT, NONE, COLUMN, "The feature that loaded the program."),
	FIELD(HOOKS_PROGRAM, "program", "PROGRAM", TEXT, NONE, KEY | COLUMN, "Name of the BPF program."),
	FIELD(HOOKS_HOOK, "hook", "HOOK", TEXT, NONE, COLUMN, "The place in the kernel that calls it."),
	FIELD(HOOKS_TYPE, "type", "TYPE", TEXT, NONE, COLUMN, "Type of the BPF program."),
	FIELD(HOOKS_ATTACHED, "attached", "ATTACHED", BOOL, NONE, COLUMN, "Whether the kernel calls it now."),
	FIELD(HOOKS_ON_DEMAND, "on_demand", "ON DEMAND", BOOL, NONE, 0, "Attached only while somebody looks."),
	FIELD(HOOKS_INSTRUCTIONS, "instructions", "INSNS", UINT, COUNT, COLUMN,
	      "BPF instructions after the verifier's rewriting."),
	FIELD(HOOKS_JIT_BYTES, "jit_bytes", "JIT", UINT, BYTES, COLUMN, "Size of the machine code."),
	FIELD(HOOKS_RUNS, "runs", "RUNS", UINT, COUNT, COLUMN, "Calls while run statistics were on."),
	FIELD(HOOKS_NS_PER_RUN, "ns_per_run", "PER RUN", UINT, NANOSECONDS, COLUMN, "Mean time of a call."),
	FIELD(HOOKS_MAP, "map", "MAP", TEXT, NONE, KEY | COLUMN, "A map that the program uses."),
	FIELD(HOOKS_MAP_TYPE, "map_type", "MAP TYPE", TEXT, NONE, 0, "Type of that map."),
	FIELD(HOOKS_ENTRIES, "entries", "ENTRIES", UINT, COUNT, COLUMN, "Entries in it now; null where the type does not tell."),
	FIELD(HOOKS_CAPACITY, "capacity", "CAPACITY", UINT, COUNT, COLUMN, "Entries it can hold; for rings, bytes."),
	FIELD(HOOKS_KEY_BYTES, "key_bytes", "KEY", UINT, BYTES, 0, "Size of a key."),
	FIELD(HOOKS_VALUE_BYTES, "value_bytes", "VALUE", UINT, BYTES, 0, "Size of a value."),
	FIELD(HOOKS_BPFTRACE, "bpftrace", "BPFTRACE", TEXT, NONE, 0, "A bpftrace line that shows the same."),
};
_Static_assert(ARRAY_SIZE(hooks_fields) == _HOOKS_FIELD_MAX, "each index has its declaration");

static const struct weir_field maps_fields[] = {
	FIELD(MAPS_MAP, "map", "MAP", TEXT, NONE, KEY | LABEL, "Name of the BPF map."),
	FIELD(MAPS_ENTRIES, "entries", "ENTRIES", UINT, COUNT, 0, "Entries in the map now.",
	      .metric = "weir_map_entries"),
	FIELD(MAPS_CAPACITY, "capacity", "CAPACITY", UINT, COUNT, 0, "Entries the map can hold.",
	      .metric = "weir_map_capacity"),
};
_Static_assert(ARRAY_SIZE(maps_fields) == _MAPS_FIELD_MAX, "each index has its declaration");

static const struct weir_field audit_fields[] = {
	FIELD(AUDIT_SCOPE, "scope", "SCOPE", TEXT, NONE, KEY | COLUMN,
	      "A sum (processes, sockets, tcp) or a named remainder between them."),
	FIELD(AUDIT_HELP, "help", "MEANING", TEXT, NONE, COLUMN, "What the line counts."),
	FIELD(AUDIT_TX_BYTES, "tx_bytes", "SENT", INT, BYTES, COLUMN, "Bytes sent."),
	FIELD(AUDIT_RX_BYTES, "rx_bytes", "RECEIVED", INT, BYTES, COLUMN, "Bytes received."),
	FIELD(AUDIT_SOCKETS, "sockets", "SOCKETS", UINT, COUNT, COLUMN, "Sockets that the line is about."),
	FIELD(AUDIT_ATTRIBUTED, "attributed", "ATTRIBUTED", BOOL, NONE, COLUMN, "Whether a process's sum contains the bytes."),
	FIELD(AUDIT_OK, "ok", "OK", BOOL, NONE, COLUMN, "Whether the line is as it must be."),
};
_Static_assert(ARRAY_SIZE(audit_fields) == _AUDIT_FIELD_MAX, "each index has its declaration");

static const struct weir_field findings_fields[] = {
	FIELD(FINDINGS_FEATURE, "feature", "FEATURE", TEXT, NONE, KEY | COLUMN, "The feature that says it."),
	FIELD(FINDINGS_ID, "id", "ID", TEXT, NONE, KEY, "Tells it from the others, and stays while it lasts."),
	FIELD(FINDINGS_CLASS, "class", "CLASS", TEXT, NONE, COLUMN,
	      "tune (a limit, or a program that is too slow), attack, or bug.", .words = "tune attack bug"),
	FIELD(FINDINGS_SUMMARY, "summary", "WHAT", TEXT, NONE, COLUMN, "What happens, to whom, and why."),
	FIELD(FINDINGS_ADVICE, "advice", "WHAT TO DO", TEXT, NONE, COLUMN, "What to do."),
	FIELD(FINDINGS_OBJECT, "object", "OBJECT", TEXT, NONE, 0, "The table that shows more,"),
	FIELD(FINDINGS_FILTER, "filter", "FILTER", TEXT, NONE, 0, "and a filter for it."),
	FIELD(FINDINGS_SINCE, "since", "SINCE", TIME, NONE, 0, "When it began."),
	FIELD(FINDINGS_PID, "pid", "PID", UINT, NONE, 0, "The process that it is about."),
	FIELD(FINDINGS_COMM, "comm", "COMMAND", TEXT, NONE, 0, "That process's name.", .filter = "process"),
};
_Static_assert(ARRAY_SIZE(findings_fields) == _FINDINGS_FIELD_MAX, "each index has its declaration");

static const struct weir_field self_fields[] = {
	FIELD(SELF_VERSION, "version", "VERSION", TEXT, NONE, KEY | LABEL, "Version of weir."),
	FIELD(SELF_KERNEL, "kernel", "KERNEL", TEXT, NONE, KEY | LABEL, "Release of the kernel it runs on."),
	FIELD(SELF_VALUE, "value", "VALUE", UINT, NONE, 0, "Always 1; the labels tell the build.",
	      .metric = "weir_build_info"),
};
_Static_assert(ARRAY_SIZE(self_fields) == _SELF_FIELD_MAX, "each index has its declaration");

static const struct weir_field self_losses_fields[] = {
	FIELD(SELF_LOSSES_SOURCE, "source", "SOURCE", TEXT, NONE, KEY | LABEL, "Where the records come from."),
	FIELD(SELF_LOSSES_TOTAL, "total", "LOST", UINT, COUNT, COUNTER,
	      "Records that the kernel could not hand over.", .metric = "weir_events_lost_total"),
};
_Static_assert(ARRAY_SIZE(self_losses_fields) == _SELF_LOSSES_FIELD_MAX, "each index has its declaration");

static const struct weir_field self_cost_fields[] = {
	FIELD(SELF_COST_ROLE, "role", "ROLE", TEXT, NONE, KEY | LABEL, "keeper, engine, gate or store."),
	FIELD(SELF_COST_CPU_NS, "cpu_ns", "CPU", UINT, NANOSECONDS, COUNTER, "CPU time that weir's own process used.",
	      .metric = "weir_self_cpu_seconds_total", .metric_scale = 1e-9),
	FIELD(SELF_COST_MEMORY_BYTES, "memory_bytes", "MEMORY", UINT, BYTES, 0,
	      "Resident memory of weir's own process.", .metric = "weir_self_memory_bytes"),
};
_Static_assert(ARRAY_SIZE(self_cost_fields) == _SELF_COST_FIELD_MAX, "each index has its declaration");

static const struct weir_field self_history_fields[] = {
	FIELD(SELF_HISTORY_BYTES, "bytes", "BYTES", UINT, BYTES, 0, "Size of history's file, with its write-ahead log.",
	      .metric = "weir_history_bytes"),
	FIELD(SELF_HISTORY_LIMIT_BYTES, "limit_bytes", "LIMIT", UINT, BYTES, 0, "The most that it may have.",
	      .metric = "weir_history_limit_bytes"),
	FIELD(SELF_HISTORY_LOST_SECONDS, "lost_seconds", "LOST", UINT, COUNT, COUNTER,
	      "Seconds that could not be written in time: they are kept as one sum.",
	      .metric = "weir_history_lost_seconds_total"),
};
_Static_assert(ARRAY_SIZE(self_history_fields) == _SELF_HISTORY_FIELD_MAX, "each index has its declaration");

static const struct weir_field features_info_fields[] = {
	FIELD(FEATURES_INFO_FEATURE, "feature", "FEATURE", TEXT, NONE, KEY | LABEL, "The feature."),
	FIELD(FEATURES_INFO_STATE, "state", "STATE", TEXT, NONE, LABEL, "on, off, unavailable or degraded."),
	FIELD(FEATURES_INFO_REASON, "reason", "REASON", TEXT, NONE, LABEL, "Why it is not on."),
	FIELD(FEATURES_INFO_VALUE, "value", "VALUE", UINT, NONE, 0, "Always 1; the labels tell the state.",
	      .metric = "weir_feature_info"),
};
_Static_assert(ARRAY_SIZE(features_info_fields) == _FEATURES_INFO_FIELD_MAX, "each index has its declaration");

/* clang-format on */

#define TABLE(list) .fields = (list), .n_fields = ARRAY_SIZE(list)

const struct weir_table weir_table_doctor = {
	.name = "doctor",
	.summary = "What this kernel and these privileges allow, and what is lost.",
	TABLE(doctor_fields),
	.sort_field = WEIR_SORT_NONE,
	.host_wide = true,
};

const struct weir_table weir_table_hooks = {
	.name = "hooks",
	.summary = "BPF programs, where they hang, what they cost, and their maps.",
	TABLE(hooks_fields),
	.sort_field = WEIR_SORT_NONE,
	.host_wide = true,
};

const struct weir_table weir_table_maps = {
	.name = "maps",
	.summary = "How full the BPF maps are.",
	TABLE(maps_fields),
	.sort_field = WEIR_SORT_NONE,
	.internal = true,
};

const struct weir_table weir_table_audit = {
	.name = "audit",
	.summary = "Whether the sums agree with what the kernel counted, and each named remainder.",
	TABLE(audit_fields),
	.sort_field = WEIR_SORT_NONE,
};

const struct weir_table weir_table_findings = {
	.name = "findings",
	.summary = "What is wrong now, in words, and what to do.",
	TABLE(findings_fields),
	.sort_field = WEIR_SORT_NONE,
};

const struct weir_table weir_table_self = {
	.name = "self",
	.summary = "Build of weir.",
	TABLE(self_fields),
	.sort_field = WEIR_SORT_NONE,
	.internal = true,
};

const struct weir_table weir_table_self_losses = {
	.name = "self_losses",
	.summary = "Records lost, by source.",
	TABLE(self_losses_fields),
	.sort_field = WEIR_SORT_NONE,
	.internal = true,
};

const struct weir_table weir_table_self_cost = {
	.name = "self_cost",
	.summary = "What weir's own processes use.",
	TABLE(self_cost_fields),
	.sort_field = WEIR_SORT_NONE,
	.internal = true,
};

const struct weir_table weir_table_self_history = {
	.name = "self_history",
	.summary = "The file of history.",
	TABLE(self_history_fields),
	.sort_field = WEIR_SORT_NONE,
	.internal = true,
};

const struct weir_table weir_table_features_info = {
	.name = "features_info",
	.summary = "State of each feature.",
	TABLE(features_info_fields),
	.sort_field = WEIR_SORT_NONE,
	.internal = true,
};
