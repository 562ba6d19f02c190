// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/history.h"
#include "store/bytes.h"

/* Who a sample is about, as bytes: the same in a block of the engine's and in the file. What is read is borrowed from
 * the bytes; a text that is empty is NULL. */

/* A program, but for its uid. */
void store_write_program(struct weir_buf *b, const struct weir_history_program *p);
void store_read_program(struct store_reader *r, struct weir_history_program *ret);

/* What a peer or a loss has beside its program, by t->kind; of a program nothing. */
void store_write_own(struct weir_buf *b, const struct weir_history_sample *t);
void store_read_own(struct store_reader *r, struct weir_history_sample *t);
