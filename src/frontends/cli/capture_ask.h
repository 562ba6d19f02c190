// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

/* The half of `weir capture` that asks the daemon whose flows there are, on behalf of the worker (capture_work.h). It keeps the
 * rights of who called, since the daemon shows others' processes only to root, and never sees a packet. */

/* Answers the worker until it ends; a signal makes it end in order. socket: the daemon's, NULL: there is none. fd: the
 * worker's. Returns the exit status of both. */
int capture_ask_run(pid_t worker, int fd, const char *socket);
