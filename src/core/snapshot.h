// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "core/field.h"

/* A snapshot is what every frontend renders: an immutable, numbered set of tables in one contiguous
 * block, without pointers, so that it can stand in a sealed memfd and be mapped by another process.
 * The engine builds one; the gate and the command line read it; a replay builds the same. */

#define WEIR_HOST_TEXT 64

/* Says when and where; the same for all tables of the snapshot. */
struct weir_snapshot_head {
	uint64_t number;      /* counts up from 1 in one engine's life */
	uint64_t mono_ns;     /* CLOCK_MONOTONIC */
	uint64_t real_ns;     /* CLOCK_REALTIME */
	uint64_t lost_events; /* records that the kernel could not hand over since start */
	char host[WEIR_HOST_TEXT];
};

/* --- building ------------------------------------------------------------------------------ */

struct weir_builder;

/* NULL when memory runs out. A builder can be used again after each finish; it keeps its memory. */
struct weir_builder *weir_builder_new(void);
struct weir_builder *weir_builder_free(struct weir_builder *b); /* accepts NULL, returns NULL */

/* Whose features answer each other's questions while rows are made (core/lookup.h). NULL: nobody's. */
struct weir_run;
void weir_builder_set_run(struct weir_builder *b, const struct weir_run *run);
const struct weir_run *weir_builder_run(const struct weir_builder *b);

/* Starts a table; rows go to the table started last. Errors are kept and returned by finish. */
void weir_builder_table(struct weir_builder *b, const struct weir_table *def);

/* Starts a row: every cell is null. owner_uid decides who may see it (WEIR_UID_HOST: only those who
 * see everything). changed is the number of the snapshot in which the row last changed. */
#define WEIR_UID_HOST ((uid_t)-1)
void weir_builder_row(struct weir_builder *b, uid_t owner_uid, uint64_t changed);

/* Set a cell of the current row. A wrong type or index is a programmer's error (assert).
 * Text and addresses are copied; a NULL text leaves the cell null. */
void weir_builder_uint(struct weir_builder *b, unsigned field, uint64_t value);
void weir_builder_int(struct weir_builder *b, unsigned field, int64_t value);
void weir_builder_bool(struct weir_builder *b, unsigned field, bool value);
void weir_builder_time(struct weir_builder *b, unsigned field, uint64_t real_ns);
void weir_builder_text(struct weir_builder *b, unsigned field, const char *text);
void weir_builder_text_n(struct weir_builder *b, unsigned field, const char *text, size_t len);
void weir_builder_address(struct weir_builder *b, unsigned field, const struct weir_addr *a);

/* --- a finished snapshot ------------------------------------------------------------------- */

struct weir_snapshot;

/* Makes the snapshot and empties the builder. -ENOMEM, or the first error kept while building. */
int weir_builder_finish(struct weir_builder *b, const struct weir_snapshot_head *head,
			struct weir_snapshot **ret);

/* The same into a sealed memfd, for another process. The caller owns the descriptor. */
int weir_builder_finish_fd(struct weir_builder *b, const struct weir_snapshot_head *head, int *ret_fd,
			   size_t *ret_size);

/* Maps a snapshot from a descriptor; takes no ownership of it. Offsets are checked once here, so that
 * the readers below need not: -EBADMSG for a block that does not hold together. */
int weir_snapshot_map(int fd, struct weir_snapshot **ret);

/* Snapshots are counted references. unref accepts NULL and returns NULL. Not thread safe. */
struct weir_snapshot *weir_snapshot_ref(struct weir_snapshot *s);
struct weir_snapshot *weir_snapshot_unref(struct weir_snapshot *s);

const struct weir_snapshot_head *weir_snapshot_head(const struct weir_snapshot *s);

/* The rows of one table. Valid as long as the snapshot. */
struct weir_rows {
	const struct weir_table *def;
	size_t n;
	size_t stride;
	const uint8_t *base;
	const uint8_t *heap;
};

/* -ENOENT when the snapshot has no such table (nothing is written then). */
int weir_snapshot_rows(const struct weir_snapshot *s, const struct weir_table *def, struct weir_rows *ret);

uid_t weir_row_uid(const struct weir_rows *r, size_t row);
uint64_t weir_row_changed(const struct weir_rows *r, size_t row);
uint64_t weir_row_nulls(const struct weir_rows *r, size_t row); /* bit per field that is null */
bool weir_cell_null(const struct weir_rows *r, size_t row, unsigned field);
uint64_t weir_cell_uint(const struct weir_rows *r, size_t row, unsigned field); /* UINT, INT, BOOL, TIME */
const char *weir_cell_text(const struct weir_rows *r, size_t row, unsigned field); /* NUL-terminated, or NULL */
void weir_cell_address(const struct weir_rows *r, size_t row, unsigned field, struct weir_addr *ret);

/* Index of a field by its name, for the builder and the cells; -ENOENT without one. */
int weir_table_field(const struct weir_table *table, const char *name);

/* Bit per field that is part of what identifies a row. */
uint64_t weir_table_keys(const struct weir_table *table);

/* Cells by the names of their fields: false, 0 and NULL where the table has no such field or the cell is null. */
bool weir_row_has(const struct weir_rows *r, size_t row, const char *name);
uint64_t weir_row_number(const struct weir_rows *r, size_t row, const char *name);
const char *weir_row_text(const struct weir_rows *r, size_t row, const char *name);
bool weir_row_is(const struct weir_rows *r, size_t row, const char *name, const char *text); /* what weir_row_text() has */
