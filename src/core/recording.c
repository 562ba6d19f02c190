// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/cleanup.h"

struct weir_recording {
	FILE *file;
	struct weir_recording_head head;
	uint32_t crc32;	  /* of the last block */
	uint64_t file_at; /* bytes read */
	uint64_t records;
	char *block; /* the block at hand; version 1: the record */
	size_t room, size, used;
	int failed; /* for good; why says it */
	char *why;
	bool ended;
};

uint32_t weir_recording_head_crc32(const struct weir_recording_head *head)
{
	return (uint32_t)crc32(0, (const Bytef *)head, sizeof(*head));
}

uint32_t weir_recording_block_crc32(uint32_t before, uint64_t records, const void *bytes,
				    uint32_t size)
{
	uLong crc = crc32(before, (const Bytef *)&records, sizeof(records));

	/* Without bytes zlib would begin anew. */
	return (uint32_t)(size ? crc32(crc, bytes, size) : crc);
}

/* --- what is wrong with it ------------------------------------------------------------------- */

/* What was read in part cannot be gone on with. */
static int fail_again(struct weir_recording *r, char **ret_error)
{
	*ret_error = r->why ? strdup(r->why) : NULL;
	return r->failed;
}

static int fail_cut(struct weir_recording *r)
{
	if (ferror(r->file))
		r->failed = weir_fail(&r->why, -EIO, "cannot be read at byte %" PRIu64, r->file_at);
	else
		r->failed = weir_fail(&r->why, -EBADMSG,
				      "cut at byte %lld: its end is missing, as when the recorder was "
				      "killed or the disk "
				      "was full; what came before is whole",
				      (long long)ftello(r->file));
	return r->failed;
}

static int fail_damaged(struct weir_recording *r, uint64_t at, const char *what)
{
	r->failed = weir_fail(&r->why, -EBADMSG, "damaged at byte %" PRIu64 ": %s", at, what);
	return r->failed;
}

/* --- the head -------------------------------------------------------------------------------- */

static int read_head(struct weir_recording *r, const char *path, char **ret_error)
{
	if (fread(&r->head, sizeof(r->head), 1, r->file) != 1 ||
	    memcmp(r->head.magic, WEIR_RECORDING_MAGIC, sizeof(r->head.magic)))
		return weir_fail(ret_error, -EBADMSG, "%s: this is not a recording made by weir record", path);
	if (r->head.version > WEIR_RECORDING_VERSION)
		return weir_fail(ret_error, -EPROTONOSUPPORT,
				 "%s: made by a newer weir (format %u, this one reads up to %u): use "
				 "that one",
				 path, r->head.version, WEIR_RECORDING_VERSION);
	if (r->head.head_size != sizeof(r->head))
		return weir_fail(ret_error, -EBADMSG, "%s: damaged at byte 12: wrong size of the head", path);
	r->file_at = sizeof(r->head);
	r->crc32 = weir_recording_head_crc32(&r->head);
	r->head.host[sizeof(r->head.host) - 1] = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(r->head.features); i++)
		r->head.features[i][sizeof(r->head.features[i]) - 1] = 0;
	return 0;
}

int weir_recording_open(const char *path, struct weir_recording **ret, char **ret_error)
{
	struct weir_recording *r = calloc(1, sizeof(*r));
	int e;

	*ret_error = NULL;
	if (!r)
		return -ENOMEM;
	r->file = fopen(path, "re");
	if (r->file)
		e = read_head(r, path, ret_error);
	else
		e = weir_fail(ret_error, -errno, "%s: cannot be read: %s", path, strerror(errno));
	if (e < 0) {
		weir_recording_free(r);
		return e;
	}
	*ret = r;
	return 0;
}

struct weir_recording *weir_recording_free(struct weir_recording *r)
{
	if (!r)
		return NULL;
	weir_fclosep(&r->file);
	free(r->block);
	free(r->why);
	free(r);
	return NULL;
}

const struct weir_recording_head *weir_recording_head(const struct weir_recording *r)
{
	return &r->head;
}

uint64_t weir_recording_at(const struct weir_recording *r)
{
	return r->file_at - (r->size - r->used);
}

/* --- records --------------------------------------------------------------------------------- */

/* Reads so many bytes to the end of what the block has. */
static int read_more(struct weir_recording *r, size_t n)
{
	if (r->size + n > r->room) {
		char *more = realloc(r->block, r->size + n);

		if (!more)
			return r->failed = -ENOMEM;
		r->block = more;
		r->room = r->size + n;
	}
	if (n && fread(r->block + r->size, n, 1, r->file) != 1)
		return fail_cut(r);
	r->size += n;
	r->file_at += n;
	return 0;
}

/* The record that begins at r->used, of which the block has everything, or nothing but the head. */
static int record_size(struct weir_recording *r, struct weir_record_head *ret, size_t *ret_size)
{
	memcpy(ret, r->block + r->used, sizeof(*ret));
	if (ret->size > WEIR_RECORD_SIZE_MAX)
		return fail_damaged(r, weir_recording_at(r), "a record that is too long");
	*ret_size = ret->size + weir_record_padding(ret->size);
	return 0;
}

/* Version 1: 1, or 0 at the end of the file. */
static int read_record(struct weir_recording *r)
{
	struct weir_record_head head;
	size_t size;
	int e, next = fgetc(r->file);

	if (next == EOF && !ferror(r->file))
		return 0;
	ungetc(next, r->file);
	r->size = r->used = 0;
	e = read_more(r, sizeof(head));
	if (e == 0)
		e = record_size(r, &head, &size);
	if (e == 0)
		e = read_more(r, size);
	return e < 0 ? e : 1;
}

static int read_end(struct weir_recording *r, const struct weir_recording_block *b, uint64_t at)
{
	if (b->records != r->records)
		return fail_damaged(r, at, "the end mark counts other records than there are");
	if (fgetc(r->file) != EOF)
		return fail_damaged(r, r->file_at, "something stands behind the end mark");
	return 0;
}

/* 1: a whole block is there, and it is what was written. 0: the end mark. */
static int read_block(struct weir_recording *r)
{
	struct weir_recording_block b;
	uint64_t at = r->file_at;
	int e;

	r->size = r->used = 0;
	e = read_more(r, sizeof(b));
	if (e < 0)
		return e;
	memcpy(&b, r->block, sizeof(b));
	r->size = 0;
	if (b.size > WEIR_RECORDING_BLOCK_MAX || b.size % 8)
		return fail_damaged(r, at, "a block of a size that there is not");
	e = read_more(r, b.size);
	if (e < 0)
		return e;
	r->crc32 = weir_recording_block_crc32(r->crc32, b.records, r->block, b.size);
	if (b.crc32 != r->crc32) {
		r->size = 0;
		return fail_damaged(r, at, "a block that is not what was written");
	}
	return b.size ? 1 : read_end(r, &b, at);
}

/* What is left of the block holds a whole record. */
static int check_record(struct weir_recording *r, struct weir_record_head *ret, size_t *ret_size)
{
	size_t left = r->size - r->used;
	int e;

	if (left < sizeof(*ret))
		return fail_damaged(r, weir_recording_at(r), "a block that ends within a record");
	e = record_size(r, ret, ret_size);
	if (e == 0 && left - sizeof(*ret) < *ret_size)
		e = fail_damaged(r, weir_recording_at(r), "a record that is longer than its block");
	return e;
}

int weir_recording_next(struct weir_recording *r, struct weir_record_head *ret,
			const void **ret_bytes, char **ret_error)
{
	size_t size;
	int e = 1;

	*ret_error = NULL;
	if (r->ended)
		return 0;
	if (!r->failed && r->used == r->size)
		e = r->head.version == 1 ? read_record(r) : read_block(r);
	if (e == 0)
		r->ended = true;
	if (e > 0 && !r->failed) {
		e = check_record(r, ret, &size);
		e = e < 0 ? e : 1;
	}
	if (r->failed)
		return fail_again(r, ret_error);
	if (e <= 0)
		return e;
	*ret_bytes = r->block + r->used + sizeof(*ret);
	r->used += sizeof(*ret) + size;
	r->records++;
	return 1;
}
