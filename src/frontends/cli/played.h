// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/cleanup.h"
#include "frontends/tui/tui.h"

/* A recording under the interactive view: it plays at its own pace, and answers what the view asks
 * as a daemon would, without one. */

struct cli_played;

/* speed: times as fast as recorded; 0: at its end at once. 0, or the exit status after one line. */
int cli_played_open(const char *path, double speed, struct cli_played **ret);
struct cli_played *cli_played_free(struct cli_played *p); /* accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct cli_played, cli_played_free)

/* The view's link; user is the recording. */
int cli_played_ask(void *user, unsigned slot, const struct tui_question *q);
bool cli_played_take(void *user, unsigned *ret_slot, const char **ret_text, size_t *ret_len,
		     const char **ret_error);
int cli_played_wait(void *user, uint64_t until_mono_ns, const int *fds, unsigned n_fds);

/* 0; or the exit status, after one line, when the file was damaged: it was shown up to there. */
int cli_played_status(const struct cli_played *p);
