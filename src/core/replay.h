// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/snapshot.h"

/* Reads a recording and gives the snapshots that the daemon gave when it was made: one for each clock tick. */

struct weir_replay;

/* -ENOENT etc. for the file; -EBADMSG with one line in *ret_error (caller frees) when it is not a recording,
 * -EPROTONOSUPPORT when a newer weir made it. */
int weir_replay_open(const char *path, struct weir_replay **ret, char **ret_error);
struct weir_replay *weir_replay_free(struct weir_replay *r); /* accepts NULL, returns NULL */

/* Goes on to the next tick. 1: *ret is its snapshot (caller unrefs); 0: the end; -EBADMSG with one line (what, at
 * which byte) for a file that is damaged or that stops without an end mark (the writer was killed): what came before
 * was whole, and the snapshot before has all of it. */
int weir_replay_next(struct weir_replay *r, struct weir_snapshot **ret, char **ret_error);

/* The same one record at a time, for who keeps the recording's own pace. */
struct weir_run;

/* When the next record was made. 1, 0 or an error as above. */
int weir_replay_peek(struct weir_replay *r, uint64_t *ret_mono_ns, char **ret_error);
/* Applies the record that was peeked at. *ret_tick: it was a clock tick. */
int weir_replay_step(struct weir_replay *r, bool *ret_tick, char **ret_error);

struct weir_run *weir_replay_run(struct weir_replay *r); /* borrowed */
/* Host, times and losses as the recording has them by now; the number is left alone. */
void weir_replay_head(const struct weir_replay *r, struct weir_snapshot_head *head);
