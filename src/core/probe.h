// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "core/snapshot.h"

/* What this kernel and these privileges allow, found out by looking and trying, never by a version
 * number. Each "no" comes with the reason and the cure, for `weir doctor`. */

struct weir_probe;
struct btf;

enum weir_doctor_state {
	WEIR_DOCTOR_ON,
	WEIR_DOCTOR_DEGRADED,	 /* works; something particular cannot be seen */
	WEIR_DOCTOR_OFF,	 /* not asked for */
	WEIR_DOCTOR_UNAVAILABLE, /* asked for, and cannot run: doctor's exit status is 4 */
	_WEIR_DOCTOR_STATE_MAX,
};

/* What can be missing. Each is tried when it is first asked for, and only then: a kernel where the
 * best hook set runs pays for none of the others. In the order in which one needs the other. */
enum weir_ability {
	WEIR_ABILITY_LOAD,		 /* bpf() takes a program from this process at all */
	WEIR_ABILITY_BTF,		 /* the kernel describes its own types */
	WEIR_ABILITY_TP_BTF,		 /* programs on tracepoints with typed arguments */
	WEIR_ABILITY_READ_KERNEL,	 /* bpf_probe_read_kernel() */
	WEIR_ABILITY_RINGBUF,		 /* the BPF ring buffer */
	WEIR_ABILITY_SK_STORAGE_TRACING, /* sums beside a socket, from a tracing program */
	WEIR_ABILITY_TASK_BTF,		 /* bpf_get_current_task_btf() */
	WEIR_ABILITY_BPF_LOOP,		 /* bpf_loop() */
	WEIR_ABILITY_ITER_TASK,		 /* iterators over tasks, */
	WEIR_ABILITY_ITER_TASK_FILE,	 /* their open files */
	WEIR_ABILITY_ITER_SK_STORAGE,	 /* and the sockets that have storage */
	WEIR_ABILITY_FENTRY,		 /* programs at a function's begin and return */
	WEIR_ABILITY_KPROBE,		 /* the older way of the same, which fires too */
	WEIR_ABILITY_READ_MAPS,		 /* maps that are open are read without a capability */
	WEIR_ABILITY_CGROUP,		 /* programs of a cgroup2 hierarchy */
	_WEIR_ABILITY_MAX,
};

/* Looks at the kernel. -ENOMEM only; what is missing is part of the answer. */
int weir_probe_new(struct weir_probe **ret);
struct weir_probe *weir_probe_free(struct weir_probe *p); /* accepts NULL, returns NULL */

/* From now on answers as if this kernel lacked what the list names:
 * "fentry,tracepoint:sock_send_length, function:udp_sendmsg". NULL: nothing. -EINVAL and one line
 * in *ret_error (to be freed) for a name that is no ability; nothing is switched off then. */
int weir_probe_pretend(struct weir_probe *p, const char *without, char **ret_error);

/* The first thing that makes all of weir impossible here, as one line with the cure, or NULL.
 * *ret_errno gets EPERM for missing rights, EOPNOTSUPP for a kernel that lacks something. */
const char *weir_probe_blocker(const struct weir_probe *p, int *ret_errno);

/* Whether it can be had. A try leaves nothing behind. */
bool weir_probe_has(const struct weir_probe *p, enum weir_ability a);
/* Why not, and what would help: one line each, NULL when it can be had (the cure also where none is
 * known). The reason tells lockdown, a missing capability, a seccomp filter, the kernel's
 * configuration and a kernel that is too old apart. Borrowed from p. */
const char *weir_probe_reason(const struct weir_probe *p, enum weir_ability a);
const char *weir_probe_cure(const struct weir_probe *p, enum weir_ability a);
/* The first one of the list (ends with _WEIR_ABILITY_MAX) that is missing, or _WEIR_ABILITY_MAX. */
enum weir_ability weir_probe_lacks(const struct weir_probe *p, const enum weir_ability *list);

/* "fentry", as --without takes it, and what it is in words. */
const char *weir_ability_name(enum weir_ability a);
const char *weir_ability_help(enum weir_ability a);

/* A kernel function and a BTF-typed tracepoint: whether it is there, how many parameters it has (a
 * tracepoint's as its event declares them), -1: it is not there. */
bool weir_probe_function(const struct weir_probe *p, const char *name);
int weir_probe_function_arity(const struct weir_probe *p, const char *name);
bool weir_probe_tracepoint(const struct weir_probe *p, const char *name);
int weir_probe_tracepoint_arity(const struct weir_probe *p, const char *name);
/* Whether --without named it, so that a reason can say so. */
bool weir_probe_pretends(const struct weir_probe *p, const char *kind, const char *name);

/* What stands behind an errno (positive or negative) with which the kernel refused to load or
 * attach something that should have worked, in words and with the cure (may become NULL). Borrowed
 * from p until the next call. */
const char *weir_probe_refusal(const struct weir_probe *p, int error, const char **ret_cure);

/* Frees the kernel's types, some megabytes, and closes the cgroup once everything is loaded; the
 * notes stay, and so do the answers that were given. */
void weir_probe_settle(struct weir_probe *p);

const struct btf *weir_probe_btf(const struct weir_probe *p); /* NULL: the kernel has none */
int weir_probe_cgroup_fd(
	const struct weir_probe *p); /* root of the cgroup2 hierarchy; -1: none. Borrowed. */

/* Adds a line for `weir doctor`. Texts are copied; any may be NULL. A
 * reason of weir_probe_reason() brings its cure along. */
void weir_probe_note(struct weir_probe *p, const char *feature, const char *hook_set,
		     enum weir_doctor_state state, const char *serves, const char *reason,
		     const char *cure);

/* Whether a line says that this set of hooks serves the feature; set NULL: any. */
bool weir_probe_serves(const struct weir_probe *p, const char *feature, const char *set);

/* Adds why the feature's sets that are better than the one that serves it are not possible: off
 * then, and unavailable when none serves it. sets: best first, ends with .name = NULL; NULL: none.
 */
struct weir_hook_set;
void weir_probe_note_sets(struct weir_probe *p, const char *feature,
			  const struct weir_hook_set *sets);

/* What the feature's set that is on hangs on, for the same table. The text is copied; NULL or "":
 * nothing. */
void weir_probe_note_places(struct weir_probe *p, const char *feature, const char *places);

/* Adds what weir itself, whatever the feature, can do less of in this process. */
void weir_probe_note_process(struct weir_probe *p);

/* The first line that says unavailable: why, and the cure (may become NULL). False: there is none,
 * and neither is touched. Borrowed from p. */
bool weir_probe_first_loss(const struct weir_probe *p, const char **ret_reason,
			   const char **ret_cure);

/* The table of these lines, and the metric weir_feature_info. */
void weir_probe_snapshot(const struct weir_probe *p, struct weir_builder *b, uint64_t number);
