// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/run.h"
#include "core/snapshot.h"

/* Plays a recording into a run at its own pace, for an engine without a kernel. */

struct weir_player;

/* speed 1: as it was; 0: all at once. -errno when the file cannot be read or is no recording (logged). */
int weir_player_open(const char *path, double speed, struct weir_player **ret);
struct weir_player *weir_player_free(struct weir_player *p); /* accepts NULL, returns NULL */

/* What it plays into; borrowed. */
struct weir_run *weir_player_state(struct weir_player *p);

/* Applies everything that is due now; on_tick() is called behind each tick. True when there was one. */
bool weir_player_run(struct weir_player *p, uint64_t now_mono_ns, void (*on_tick)(void *ctx), void *ctx);

/* All was applied, or what was left cannot be read: it holds the last state. */
bool weir_player_has_ended(const struct weir_player *p);

/* Fills in host, times and losses as the recording has them. */
void weir_player_head(const struct weir_player *p, struct weir_snapshot_head *head);
