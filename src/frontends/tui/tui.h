// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/tui/app.h"

/* `weir top` on a terminal. Who starts it lends it the way to the daemon. */

struct tui_link {
	void *user;
	/* Sends a question; its answer comes by take(). -ENOMEM. */
	int (*ask)(void *user, unsigned slot, const struct tui_question *q);
	/* The next answer that is here, or failure: *ret_text NULL and one line in *ret_error. Both
	 * are the link's and stay until the next call. False: none. */
	bool (*take)(void *user, unsigned *ret_slot, const char **ret_text, size_t *ret_len,
		     const char **ret_error);
	/* Waits until the monotonic time, an answer, or that one of the descriptors can be read.
	 * -EINTR: the user or the system wants an end. */
	int (*wait)(void *user, uint64_t until_mono_ns, const int *fds, unsigned n_fds);
};

struct tui_options {
	struct tui_start start; /* now_ns is filled in */
	bool color, ascii;
};

/* Takes the terminal and says what one waits for, before the way to the daemon is there. Errors as
 * below; the terminal is then as it was. tui_run() or tui_leave() come next. */
int tui_wait_for(const struct tui_options *o, const char *what);
void tui_leave(void);

/* Runs until the user leaves: 0. -EINTR: interrupted; -ENODEV: the terminal's kind is not known;
 * -ENOMEM. The terminal is as it was before, whatever the result. */
int tui_run(const struct tui_options *o, const struct tui_link *link);
