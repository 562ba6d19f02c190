// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "core/record.h"

/* The file of a recording, little endian. It begins with a head. Then come blocks, each a block's head and the records
 * that were written together (core/record.h, each padded to 8 bytes), and last the end mark: a block without records.
 * A block's checksum goes on from the one before, the first from that of the file's head, so a block that is missing,
 * doubled or changed is found out before any of its records is used.
 *
 * Version 1 had neither blocks nor an end mark, only records; it is still read. */

#define WEIR_RECORDING_MAGIC "weirrec\n"
#define WEIR_RECORDING_VERSION 2
#define WEIR_RECORD_SIZE_MAX (1u << 20)
#define WEIR_RECORDING_BLOCK_MAX (2u << 20)

struct weir_recording_head {
	char magic[8];
	uint32_t version;
	uint32_t head_size;
	char host[64];
	char features[16][32]; /* which source is which feature */
};

struct weir_recording_block {
	uint32_t size;    /* of what follows; 0: the end mark */
	uint32_t crc32;   /* of count and what follows, going on from the block before */
	uint64_t records; /* in this block; of the end mark: in the file */
};

_Static_assert(sizeof(struct weir_recording_head) == 8 + 8 + 64 + 16 * 32, "file format");
_Static_assert(sizeof(struct weir_recording_block) == 16, "file format");

static inline uint32_t weir_record_padding(uint32_t len)
{
	return (8 - len % 8) % 8;
}

/* crc32 as zlib and Ethernet have it. */
uint32_t weir_recording_head_crc32(const struct weir_recording_head *head);
uint32_t weir_recording_block_crc32(uint32_t before, uint64_t records, const void *bytes, uint32_t size);

/* --- reading one ----------------------------------------------------------------------------- */

struct weir_recording;

/* -ENOENT etc. for the file; -EBADMSG with one line in *ret_error (caller frees) when it is not a recording,
 * -EPROTONOSUPPORT when a newer weir made it. */
int weir_recording_open(const char *path, struct weir_recording **ret, char **ret_error);
struct weir_recording *weir_recording_free(struct weir_recording *r); /* accepts NULL, returns NULL */

const struct weir_recording_head *weir_recording_head(const struct weir_recording *r); /* texts end with 0 */

/* 1: the next record; *ret_bytes holds until the next call. 0: the end mark was read (version 1: the file ends).
 * -EBADMSG with one line (what, at which byte) when the file is cut or damaged there, -EIO; the same again with each
 * further call. */
int weir_recording_next(struct weir_recording *r, struct weir_record_head *ret, const void **ret_bytes,
			char **ret_error);

uint64_t weir_recording_at(const struct weir_recording *r); /* bytes up to the end of that record */
