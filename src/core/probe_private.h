// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/probe.h"

/* Shared by the probe's own files and its test. */

/* --- rights: probe_rights.c -------------------------------------------------------------------- */

#define WEIR_RIGHT(capability) (1ull << (capability))

/* What this process may, as far as the kernel tells. */
struct weir_rights {
	uint64_t capabilities; /* effective */
	bool user_namespace;   /* they count inside a user namespace only */
	bool seccomp;	       /* a filter looks at each system call */
	bool no_proc;	       /* nothing is mounted at /proc */
	bool memlock_counts;   /* the kernel charges maps to RLIMIT_MEMLOCK: older than 5.11 */
	uint64_t memlock_bytes;
	char lockdown[24]; /* "none", "integrity", "confidentiality"; "": not known */
};

struct weir_why {
	char reason[256];
	char cure[192]; /* "": none is known */
};

void weir_rights_read(struct weir_rights *ret);

/* Pure: what stands behind an errno, when `wanted` capabilities (WEIR_RIGHT() or'ed; CAP_SYS_ADMIN
 * stands for the others) were needed to get `what`. False: the errno says nothing about
 * rights or memory, but that the kernel has no such thing. */
bool weir_rights_explain(const struct weir_rights *r, int error, uint64_t wanted, const char *what,
			 struct weir_why *ret);

/* The word between brackets of "none [integrity] confidentiality"; false: there is none. */
bool weir_lockdown_parse(const char *text, char *ret, size_t room);

/* --- the probe: probe.c; its lines for doctor: probe_notes.c ----------------------------------- */

struct weir_note {
	char *feature, *hook_set, *serves, *places, *reason, *cure;
	enum weir_doctor_state state;
};

/* What was found out so far; asking changes nothing else. */
struct weir_answers {
	struct {
		bool known, has;
		struct weir_why why;
	} ability[_WEIR_ABILITY_MAX];
	struct weir_looked_up {
		char *type;
		uint32_t kind;
		int parameters; /* -1: there is none */
	} *looked_up;
	unsigned n_looked_up;
	struct weir_why refusal;
	char blocker[sizeof(struct weir_why)];
};

struct weir_probe {
	struct btf *btf;
	int cgroup_fd;
	struct weir_answers *answers;
	char *without; /* as --without had it, or NULL */
	struct weir_note *notes;
	unsigned n_notes;
};

void weir_probe_notes_done(struct weir_probe *p);

/* --- trying: probe_try.c ----------------------------------------------------------------------- */

struct weir_tries {
	const struct btf *btf; /* or NULL */
	int cgroup_fd;	       /* or -1 */
};

/* 0: it can be had. -errno: what the kernel said. Nothing stays loaded or attached. */
int weir_try(const struct weir_tries *t, enum weir_ability a);
