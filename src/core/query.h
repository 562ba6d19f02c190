// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/snapshot.h"

/* Which rows of a table, in which order, and which of their fields. The same for the command line, the
 * page and the API: `process:nginx port:443 peer:10.0.0.0/8 not unit:prometheus`. */

struct weir_filter;

/* Parses a filter for a table. Terms are separated by white space and must all hold; "not" turns the next
 * one round; a value may list alternatives with commas; text matches exactly or by shell pattern (* ?),
 * numbers equal or compared (>1M, <=20), addresses by network. A word is a field's name or its .filter word
 * (any field with it may match). Values with white space stand in double quotes; a backslash takes the next
 * character literally. word:"" finds rows without that text. Numbers may read 1.5M or 2Ki, times with a unit
 * 20ms, points in time 2026-01-31T10:00:00Z. A null cell matches nothing else.
 * An empty text gives *ret = NULL with result 0. On -EINVAL one line (what, where, the cure) is put in
 * *ret_error (caller frees) and *ret is untouched. */
int weir_filter_parse(const struct weir_table *def, const char *text, struct weir_filter **ret,
		      char **ret_error);
struct weir_filter *weir_filter_free(struct weir_filter *f); /* accepts NULL, returns NULL */

bool weir_filter_match(const struct weir_filter *f, const struct weir_rows *r, size_t row); /* NULL: all */

/* Who asks. */
struct weir_viewer {
	uid_t uid;
	bool sees_all; /* root, group weir, or a holder of the token */
};

#define WEIR_LIMIT_NONE SIZE_MAX

struct weir_query {
	const struct weir_filter *filter; /* borrowed; NULL: all */
	unsigned sort_field;              /* of the table, or WEIR_SORT_NONE */
	bool ascending;
	size_t offset, limit;
	uint64_t fields;                  /* bit per field to output; all by default */
	uint64_t changed_since;           /* only rows with changed > this; 0: all */
	struct weir_viewer viewer;
};

/* All rows and fields, in the table's default order, for a viewer who sees nobody's rows yet: the caller sets who
 * asks. */
void weir_query_init(struct weir_query *q, const struct weir_table *def);

/* Sets sort ("tx_bytes", "-tx_bytes" ascending) or fields ("pid,comm") from text, as -EINVAL with one line in
 * *ret_error (caller frees) when a name is unknown. A field list may name a group: "by_transport". */
int weir_query_sort(struct weir_query *q, const struct weir_table *def, const char *text, char **ret_error);
int weir_query_fields(struct weir_query *q, const struct weir_table *def, const char *text, char **ret_error);

/* The indexes of the rows that the query selects, in order. Caller frees *ret_index (NULL when none).
 * *ret_total counts the rows before offset and limit. Ties keep the order of the table. */
int weir_query_run(const struct weir_query *q, const struct weir_rows *r, uint32_t **ret_index, size_t *ret_n,
		   size_t *ret_total);
