// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/attach.h"
#include "core/probe.h"
#include "daemon/daemon.h"

/* The keeper's process: holds what is in the kernel and watches over the others. It reads nothing that comes
 * from outside but signals and messages of a fixed size. */

struct weir_keeper_options {
	const struct weir_daemon_options *daemon;
	void *const *kernels;
	const struct weir_attach *attach;
	const struct weir_probe *probe;
	int unix_fd, tcp_fd;
	int lock_fd; /* holds the folder of state; -1: there is none */
	const char *tcp_name;
	const char *token;
	const char *history;     /* folder of its file; NULL: in memory */
	const char *no_history_file; /* why it is in memory, if that was not asked for; or NULL */
	uint64_t history_bytes;  /* the most that it may have; 0: as much as usual */
	const char *no_history;  /* why none is kept; NULL: it is */
};

/* Forks store, engine and gate, restarts what dies, returns when told to end. An exit status: 1 if the engine could not begin. */
int weir_keeper_run(const struct weir_keeper_options *o);
