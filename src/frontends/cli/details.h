// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/rows.h"

/* A table with something below each of its rows. */
struct cli_details {
	/* Appends whole lines about the row, indented; NULL: none. */
	void (*below)(const struct weir_rows *r, size_t row, const struct cli_style *style,
		      void *user, struct weir_buf *out);
	void *user;
};

#define CLI_DETAILS_INDENT 4

int cli_details_draw(const struct weir_rows *r, const struct cli_columns *columns,
		     const uint32_t *index, size_t n, const struct cli_details *details,
		     const struct cli_style *style, struct weir_buf *out);

/* Appends "    name  text", the text broken between words to the terminal's width (100 columns
 * without one). An empty text appends nothing. */
void cli_details_prose(const char *name, const char *text, const struct cli_style *style,
		       struct weir_buf *out);
