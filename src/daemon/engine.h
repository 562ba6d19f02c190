// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/attach.h"
#include "core/probe.h"

/* The engine's process: drains the kernel's rings, holds the state, publishes snapshots. */

struct weir_engine_options {
	void *const *kernels;             /* per feature, as weir_feature.load gave it */
	const struct weir_attach *attach; /* for the tables of hooks */
	const struct weir_probe *probe;   /* for the table of doctor */
	const char *replay;               /* recording to play instead, or NULL */
	double replay_speed;
	int keeper_sock;
	int keeper_stat_fd;               /* /proc/PID/stat of the keeper, or -1 */
	int store_sock;                   /* to the store; -1: no history is kept */
	const char *history;              /* folder of history; NULL: it is in memory */
	const char *no_history;           /* why none is kept, or NULL */
	int record_fd;                    /* file to record to, or -1 */
};

/* Called after fork with full rights; gives them up before it looks at any event. Returns an exit status. */
int weir_engine_run(const struct weir_engine_options *o);
