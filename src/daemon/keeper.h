// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/attach.h"
#include "core/probe.h"
#include "daemon/daemon.h"

/* The keeper's process: holds what is in the kernel and watches over the other two. It reads nothing that comes
 * from outside but signals and messages of a fixed size. */

struct weir_keeper_options {
	const struct weir_daemon_options *daemon;
	void *const *kernels;
	const struct weir_attach *attach;
	const struct weir_probe *probe;
	int unix_fd, tcp_fd;
	const char *tcp_name;
	const char *token;
};

/* Forks engine and gate, restarts what dies, returns when told to end. An exit status. */
int weir_keeper_run(const struct weir_keeper_options *o);
