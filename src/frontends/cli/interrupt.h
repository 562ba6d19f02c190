// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h" /* what time it is for cli_wait() */

/* Ctrl-C, SIGTERM and a reader that goes away end a command in order: what it started ends, what it
 * made goes. */

/* From now on SIGINT, SIGTERM and SIGHUP only set a mark, and SIGPIPE is an error of write(). */
int cli_interrupt_init(void);

/* Undoes that, for a forked child. */
void cli_interrupt_reset(void);

bool cli_interrupted(void);
int cli_interrupt_status(void); /* 130 for SIGINT, 128 + signal for others, 0 without one */

/* A descriptor that can be read once the command was interrupted, for who waits by other means; -1
 * before cli_interrupt_init(). */
int cli_interrupt_fd(void);

/* Waits until the monotonic time, until fd can be read (-1: none), or for an interruption. 1: fd
 * can be read; 0: the time has come; -EINTR. UINT64_MAX waits for ever. */
int cli_wait(uint64_t until_mono_ns, int fd);
