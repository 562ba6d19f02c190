// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "core/snapshot.h"

/* Which rows of a table, in which order, and which of their fields. The same for the command line, the
 * page and the API: `process:nginx port:443 peer:10.0.0.0/8 not unit:prometheus`. */

struct weir_filter;

/* Parses a filter for a table. Terms are separated by white space and must all hold; "not" turns the next
 * one round; a value may list alternatives with commas; text matches exactly or by shell pattern (* ?),
 * numbers equal or compared (>1M, <=20), addresses by network. A word is a field's name or its .filter word
 * (any field with it may match). Values with white space stand in double quotes; a backslash takes the next
 * character literally. A word alone is looked for in all names, addresses and ports: in those fields of
 * text and addresses that have a .filter word, of which a part is enough, upper and lower case alike,
 * and in ports, which are equal. Before a comparison the colon may be left out: tx_bytes>1M. word:""
 * finds rows without that text. Numbers may read 1.5M or 2Ki, times with a unit 20ms, points in time
 * 2026-01-31T10:00:00Z. A null cell matches nothing else.
 * An empty text gives *ret = NULL with result 0. On -EINVAL one line (what, where, the cure) is put in
 * *ret_error (caller frees) and *ret is untouched. */
int weir_filter_parse(const struct weir_table *def, const char *text, struct weir_filter **ret,
		      char **ret_error);
/* Appends text as a value that matches it and nothing else, whatever is in it. */
void weir_filter_quote(struct weir_buf *out, const char *text);
struct weir_filter *weir_filter_free(struct weir_filter *f); /* accepts NULL, returns NULL */

bool weir_filter_match(const struct weir_filter *f, const struct weir_rows *r, size_t row); /* NULL: all */

/** Whether the filter (NULL: none) asks for values of a field of its table. */
bool weir_filter_has(const struct weir_filter *f, unsigned field);

/* Who asks. */
struct weir_viewer {
	uid_t uid;
	bool sees_all; /* root, group weir, or a holder of the token */
};

#define WEIR_LIMIT_NONE SIZE_MAX

struct weir_history_span; /* core/history.h */

struct weir_query {
	const struct weir_filter *filter; /* borrowed; NULL: all */
	unsigned sort_field;              /* of the table, or WEIR_SORT_NONE */
	unsigned sort_plus;               /* added to it, or WEIR_SORT_NONE; both are UINT then */
	unsigned then_field, then_plus;   /* the same again, for rows that are equal by it */
	bool ascending;
	size_t offset, limit;
	uint64_t fields;                  /* bit per field to output; all by default */
	uint64_t sums;                    /* bit per UINT field to sum over all rows that are selected; none by default */
	uint64_t changed_since;           /* only rows with changed > this; 0: all */
	struct weir_viewer viewer;
	const struct weir_history_span *span; /* of a table of the past: what was answered; borrowed. NULL: none */
};

/* All rows and fields, in the table's default order, for a viewer who sees nobody's rows yet: the caller sets who
 * asks. */
void weir_query_init(struct weir_query *q, const struct weir_table *def);

/* Sets sort ("tx_bytes"; "-tx_bytes" ascending; "tx_bytes+rx_bytes" by the sum of two whole numbers; "state,pid"
 * those that are equal by a second order), fields ("pid,comm") or sums ("tx_bytes,rx_bytes") from text, as -EINVAL
 * with one line in *ret_error (caller frees) when a name is unknown or names no number where one is needed. A field
 * list may name a group: "by_transport". */
int weir_query_sort(struct weir_query *q, const struct weir_table *def, const char *text, char **ret_error);
int weir_query_fields(struct weir_query *q, const struct weir_table *def, const char *text, char **ret_error);
int weir_query_sums(struct weir_query *q, const struct weir_table *def, const char *text, char **ret_error);

/* The indexes of the rows that the query selects, in order. Caller frees *ret_index (NULL when none).
 * *ret_total counts the rows before offset and limit. Ties keep the order of the table. */
int weir_query_run(const struct weir_query *q, const struct weir_rows *r, uint32_t **ret_index, size_t *ret_n,
		   size_t *ret_total);

/* The sum of a UINT field over all rows that the query selects, whatever offset and limit; nulls count as 0. */
uint64_t weir_query_sum(const struct weir_query *q, const struct weir_rows *r, unsigned field);
