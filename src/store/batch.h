// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/history.h"

/* One second of samples, events and carry records as a block of bytes, for another process: the engine makes it, the
 * store takes it. Pure. */

#define WEIR_BATCH_MAX (8u << 20) /* no block is larger */
#define WEIR_BATCH_CARRY_ROOM (1u << 20) /* of a block's room, at most an eighth: samples and events leave it to carry records */
#define WEIR_BATCH_TEXT_MAX 1024  /* a longer text is cut (texts of processes are not; keys must not collide, so a cut text
				   * ends in a hash of the whole) */

struct weir_batch;

/* --- making ---------------------------------------------------------------------------------- */

/* room: at most this many bytes, at least 64 KiB, at most WEIR_BATCH_MAX. NULL when memory runs out. */
struct weir_batch *weir_batch_new(size_t room);
struct weir_batch *weir_batch_free(struct weir_batch *b); /* accepts NULL, returns NULL */

/* Empties it and says which second it is. */
void weir_batch_begin(struct weir_batch *b, uint64_t real_ns);

/* Where features put samples and events. What finds no room any more is summed, by kind; events are counted. */
struct weir_history_sink *weir_batch_sink(struct weir_batch *b);
/* Where a feature puts its carry records (core/feature.h); feature: its name, borrowed until the next call. A record
 * without bytes removes the one before. Where records after anew() find no room, none of them is in the block, nor is what
 * voids those before: all or nothing. */
struct weir_carry_sink;
struct weir_carry_sink *weir_batch_carry(struct weir_batch *b, const char *feature);

/* The block, valid until the next call for b; *ret_len bytes. */
const void *weir_batch_end(struct weir_batch *b, size_t *ret_len);
/* Carry records and events that found no room since begin: carry them again in the next second. */
uint64_t weir_batch_left_out(const struct weir_batch *b);

/* --- taking ---------------------------------------------------------------------------------- */

/* What a block holds, in its order. All texts and bytes are borrowed for the call. Any may be NULL. */
struct weir_batch_visitor {
	void *ctx;
	void (*begin)(void *ctx, uint64_t real_ns); /* before all others */
	void (*sample)(void *ctx, const struct weir_history_sample *s);
	void (*other)(void *ctx, const struct weir_history_sample *sum, uint64_t n); /* .kind and counters alone */
	void (*event)(void *ctx, const struct weir_history_event *e);
	void (*carry)(void *ctx, const char *feature, uint16_t type, const void *key, size_t key_len, const void *bytes,
		      size_t len);
	void (*carry_anew)(void *ctx, const char *feature);
};

/* Reads a block that anybody may have made. The whole block is looked at before the first visit: -EBADMSG, then nothing
 * was visited. What is visited is well formed: kinds and lengths in range, texts without NUL. */
int weir_batch_decode(const void *block, size_t len, uint64_t *ret_real_ns, const struct weir_batch_visitor *v);
