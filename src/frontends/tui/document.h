// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/snapshot.h"

/* An answer of the daemon, read: rows of one table, and what its envelope says about those that
 * were not sent. */

struct tui_document {
	struct weir_snapshot *snapshot; /* NULL: nothing was answered yet */
	struct weir_rows rows;
	uint64_t total;			/* rows that the question selects */
	uint64_t offset;		/* of the first row among them */
	uint64_t have_sums;		/* bit per field */
	uint64_t sums[WEIR_FIELDS_MAX]; /* over all rows that the question selects */
	/* Of the past: begin of the daemon's day at the end that was asked for, and its zone then. */
	bool has_zone;
	uint64_t day_s;
	int64_t utc_offset_s;
};

/* Takes the place of what was there. -EBADMSG with one line in *ret_error (caller frees), -ENOMEM:
 * all stays. */
int tui_document_read(struct tui_document *d, const struct weir_table *table, const char *text,
		      size_t len, uint64_t offset, char **ret_error);
void tui_document_done(struct tui_document *d);

/* Bit per field that is named; names end with NULL. */
uint64_t tui_field_bits(const struct weir_table *table, const char *const *names);

/* weir_row_text(), and NULL for a text that is empty too. */
const char *tui_text(const struct weir_rows *r, size_t row, const char *name);

/* A sum of the envelope; false when it has none. */
bool tui_sum(const struct tui_document *d, const char *name, uint64_t *ret);
