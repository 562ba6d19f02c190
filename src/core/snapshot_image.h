// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "core/snapshot.h"

/* The block of a snapshot: head, table list, the rows of each table, heap. Offsets count from the block's start.
 * Both ends are the same binary on the same host, so this is no file format; the version catches a mixed install.
 * The heap begins and ends with a NUL: no text in it can run out of it. */

#define WEIR_IMAGE_MAGIC 0x5450414e53524557ull /* "WERSNAPT" */
#define WEIR_IMAGE_VERSION 1
#define WEIR_IMAGE_TABLES_MAX 64
#define WEIR_IMAGE_NAME 40

struct weir_image_head {
	uint64_t magic;
	uint32_t version;
	uint32_t n_tables;
	uint64_t size;
	uint64_t heap_offset, heap_size;
	struct weir_snapshot_head head;
};

struct weir_image_table {
	char name[WEIR_IMAGE_NAME];
	uint64_t n_fields;
	uint64_t rows_offset;
	uint64_t n_rows;
};

struct weir_image_row {
	uint32_t uid;
	uint32_t reserved;
	uint64_t changed;
	uint64_t nulls;	  /* bit per field */
	uint64_t cells[]; /* numbers as they are; text and addresses: offset in the heap */
};

_Static_assert(sizeof(struct weir_image_head) % 8 == 0, "what follows is aligned");
_Static_assert(sizeof(struct weir_image_table) % 8 == 0, "what follows is aligned");
_Static_assert(sizeof(struct weir_image_row) == 24, "no holes");

static inline size_t weir_image_stride(uint64_t n_fields)
{
	return sizeof(struct weir_image_row) + n_fields * sizeof(uint64_t);
}

/* Wraps a block that the caller allocated with malloc; takes it over on success only. defs has one declaration for
 * each table of the block, in its order. */
int weir_snapshot_adopt(void *block, size_t size, const struct weir_table *const *defs, struct weir_snapshot **ret);
