// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/bytes.h"
#include "store/sums.h"

/* The sums of one step of time as a few bytes: what stands in a cell of the file. A checksum over the bytes and over where
 * they belong tells whether they are what was written. Pure. */

/* Where a bucket belongs; part of its checksum. */
struct store_place {
	uint8_t level;
	uint8_t kind;
	uint64_t time;
};

/* Appends the entries, by id (sorts them). Nothing for no entries. */
void store_bucket_encode(struct weir_buf *out, struct store_sums *s, struct store_place place);

/* Reads entry by entry: open() gives -EBADMSG for bytes that are not what was written there; then next() gives each once. */
struct store_bucket {
	struct store_reader r;
	uint64_t id, left;
};

int store_bucket_open(struct store_bucket *b, const void *bytes, size_t len, struct store_place place);
bool store_bucket_next(struct store_bucket *b, struct store_entry *ret);

/* Adds what is left of it to sums. -EBADMSG: it ends before its end. -ENOMEM. */
int store_bucket_take(struct store_sums *to, struct store_bucket *b);

/* Adds a whole bucket to sums. -EBADMSG as above, -ENOMEM. */
int store_bucket_add(struct store_sums *to, const void *bytes, size_t len, struct store_place place);

/* The checksum that ends a block: of its bytes and its place. */
void store_write_checksum(struct weir_buf *b, size_t from, struct store_place place);
/* The length without it, or -EBADMSG. */
int store_check(const void *bytes, size_t len, struct store_place place, size_t *ret_len);
