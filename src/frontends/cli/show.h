// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/request.h"
#include "frontends/cli/source.h"

/* Shows the rows of one table once: as a table, or as the document. */

struct cli_show {
	/* Asked twice, this far apart, and the second answer is shown: for what is measured while
	 * one looks. 0: once. */
	uint64_t measure_ns;
	/* Whether the rows hold what the object looks for (exit status 4); NULL: it looks for
	 * nothing. */
	bool (*found)(const struct weir_rows *r);
	/* Draws the rows; NULL: cli_rows_draw(). */
	int (*draw)(const struct weir_rows *r, const struct cli_command *c,
		    const struct cli_request *rq, const struct cli_style *style,
		    struct weir_buf *out);
};

/* Checks what is asked, opens the source, shows. Returns the exit status. */
int cli_show_command(const struct cli_command *c, const struct weir_table *table,
		     unsigned first_word,
		     int (*open)(const struct cli_command *c, struct cli_source **ret));
