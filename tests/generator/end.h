// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "cases.h"

/* What the cases about the end of a connection share: one process that accepts, one that connects.
 */

struct end accept_one(const struct instance *i);
struct end connect_one(const struct instance *i);
void spawn_two(const struct instance *i, void (*rx)(void *), void (*tx)(void *));
/* The sums over all processes are these. */
void expect_sums(const struct instance *i, uint64_t want_tx, uint64_t want_rx);
