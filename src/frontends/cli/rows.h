// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/snapshot.h"
#include "frontends/cli/table.h"

/* The rows of a snapshot's table, drawn: headings, units and alignment come from the fields'
 * declarations. */

/* Which fields, in which order. */
struct cli_columns {
	unsigned field[WEIR_FIELDS_MAX];
	unsigned n;
	bool chosen; /* by the user, so that empty ones stay too */
	bool named; /* names instead of addresses and ports, where they have some */
};

/* text: "pid,comm"; "all"; "+unit,cgroup" beside the usual ones; NULL: the usual ones. numeric
 * takes uid where user is usual, addresses and ports; so do columns that were chosen by name.
 * -EINVAL with one line for a name that the table does not have. */
int cli_columns_parse(const struct weir_table *def, const char *text, bool numeric,
		      struct cli_columns *ret, char **ret_error);

/* Appends the fields' names with commas, as the API's "fields" takes them, and those that their
 * names are in. */
void cli_columns_names(const struct weir_table *def, const struct cli_columns *columns,
		       struct weir_buf *out);

#define CLI_CELL_TEXT 64

/* What a cell reads: text that is not in the snapshot goes to buf. NULL for a null cell. */
const char *cli_cell_text(const struct weir_rows *r, size_t row, unsigned field, bool exact,
			  char buf[CLI_CELL_TEXT]);

/* The same with a name instead of an address or a port that has one. */
const char *cli_cell_named(const struct weir_rows *r, size_t row, unsigned field, bool exact,
			   char buf[CLI_CELL_TEXT]);

/* What the cell of a field by its name reads, exactly; NULL for a null cell, and where the table has no such field. */
const char *cli_row_exact(const struct weir_rows *r, size_t row, const char *name, char buf[CLI_CELL_TEXT]);

/* Whether the cell needs attention. */
enum cli_signal cli_cell_signal(const struct weir_rows *r, size_t row, unsigned field);

/* How a field's column is laid out: CLI_COLUMN_ bits. */
unsigned cli_field_flags(const struct weir_field *f);

/* Appends heading and rows, in the order of index (n of them; NULL: as they stand). */
int cli_rows_draw(const struct weir_rows *r, const struct cli_columns *columns,
		  const uint32_t *index, size_t n, const struct cli_style *style,
		  struct weir_buf *out);
