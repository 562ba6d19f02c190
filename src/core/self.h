// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/snapshot.h"

/* What weir itself is and costs: build, records lost, CPU and memory of each role. */

#define WEIR_SELF_ROLES 4

/* What a process has used; one that takes another's place counts on from there. */
struct weir_self_role {
	const char *name;
	int stat_fd;  /* /proc/PID/stat, opened by the keeper; -1: unknown */
	uint64_t before_ns;       /* CPU of those before it */
	uint64_t pid, start;      /* which process it is; 0: not read yet */
	uint64_t cpu_ns, bytes;   /* as read last */
};

/* How the file of history is. */
struct weir_self_history {
	uint64_t bytes, limit_bytes, lost_seconds;
	bool known; /* it was told */
};

struct weir_self {
	struct weir_self_role roles[WEIR_SELF_ROLES]; /* the keeper's first */
	uint64_t lost_before;                         /* of daemons before this one */
	struct weir_self_history history;
};

/* What counters a daemon leaves to the next one. */
struct weir_self_carried {
	uint64_t lost_before, lost;
	struct {
		uint64_t pid, start, before_ns, cpu_ns;
	} roles[WEIR_SELF_ROLES];
};

/* Takes the descriptor over: another process has the role now. */
void weir_self_renew(struct weir_self_role *role, int stat_fd);
void weir_self_done(struct weir_self *s);

void weir_self_carry(struct weir_self *s, uint64_t lost_events, struct weir_self_carried *ret);
/* Of whom was before: the very same processes, if only this one began anew, or none of them. */
void weir_self_carried(struct weir_self *s, const struct weir_self_carried *c);

void weir_self_snapshot(struct weir_self *s, struct weir_builder *b, uint64_t number, uint64_t lost_events);

/* Lines of doctor, which has to be the table begun last. state: enum weir_doctor_state. Where history stands: */
void weir_self_history_line(struct weir_builder *b, uint64_t number, const char *state, const char *serves, const char *reason,
			    const char *cure);
/* That what is shown is a recording: */
void weir_self_recording_line(struct weir_builder *b, uint64_t number, const char *serves);
