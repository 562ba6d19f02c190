// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "daemon/daemon.h"

/* A daemon for the lifetime of one command: the same code as `weir daemon`, in a child. When the
 * command dies in whatever way, the kernel ends the child too. */

struct cli_private;

/* Starts it and waits until it can answer. o->ready_fd is filled in; with o->socket NULL it gets a
 * socket that only this user reaches, in a folder that goes with it. 0, or the exit status to end
 * with (the reason was said in one line). What o points to must stay until cli_private_free(). */
int cli_private_start(struct weir_daemon_options *o, struct cli_private **ret);

const char *cli_private_socket(const struct cli_private *p);

/* A descriptor that can be read once the daemon has ended by itself. */
int cli_private_fd(const struct cli_private *p);

/* Ends it, waits for it and removes what it left. Returns its exit status, -1 when it had to be
 * killed. */
int cli_private_stop(struct cli_private *p);

struct cli_private *
cli_private_free(struct cli_private *p); /* stops it; accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct cli_private, cli_private_free)

/* Whether this process has what loading into the kernel takes. */
bool cli_may_load(void);

/* Where the folders of private sockets are made; `weir uninstall` looks there for what a killed
 * weir left. */
#define CLI_PRIVATE_PARENT "/run"
#define CLI_PRIVATE_PREFIX "weir-private-"
