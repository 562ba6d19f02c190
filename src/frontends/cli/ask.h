// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Asks the daemon several questions at once and waits for their answers beside other things: what
 * an interactive view needs, which may not stand still while the daemon thinks. */

struct cli_asker;

/* slots: questions that can be under way together, at most CLI_ASKER_SLOTS. path is copied.
 * -ENOMEM, -ENAMETOOLONG. */
#define CLI_ASKER_SLOTS 16
int cli_asker_new(const char *path, unsigned slots, struct cli_asker **ret);
struct cli_asker *cli_asker_free(struct cli_asker *a); /* accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct cli_asker, cli_asker_free)

/* Sends GET url. A question that is under way in the slot is given up. -ENOMEM. */
int cli_asker_ask(struct cli_asker *a, unsigned slot, const char *url);

/* Takes a question that is over: 0 with *ret_text (terminated) and *ret_len, or an error of
 * cli_client_get() with one line in *ret_error, which may be NULL. Both belong to the asker until
 * the slot's next question. False: none is over. */
bool cli_asker_take(struct cli_asker *a, unsigned *ret_slot, int *ret_result, const char **ret_text,
		    size_t *ret_len, const char **ret_error);

/* Waits until the monotonic time, until a question goes on, one of the descriptors can be read, or
 * the command is interrupted (-EINTR). */
int cli_asker_wait(struct cli_asker *a, uint64_t until_mono_ns, const int *fds, unsigned n_fds);
