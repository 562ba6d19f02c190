// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/request.h"
#include "frontends/cli/source.h"

/* Shows the rows of one table once: as a table, or as the document. */

struct cli_show {
	/* Asked twice, this far apart, and the second answer is shown: for what is measured while
	 * one looks. 0: once. */
	uint64_t measure_ns;
	/* How long a private daemon watches before it is asked: it has seen nothing yet. */
	uint64_t measure_alone_ns;
	/* Whether the rows hold what the object looks for (exit status 4); NULL: it looks for
	 * nothing. */
	bool (*found)(const struct weir_rows *r);
	/* It is about the machine and what runs on it, so a recording has nothing of it. */
	bool live;
	/* Draws the rows; NULL: cli_rows_draw(). */
	int (*draw)(const struct weir_rows *r, const struct cli_command *c,
		    const struct cli_request *rq, const struct cli_style *style,
		    struct weir_buf *out);
};

/* Checks what is asked, opens the source, shows. Returns the exit status. */
int cli_show_command(const struct cli_command *c, const struct weir_table *table,
		     unsigned first_word,
		     int (*open)(const struct cli_command *c, struct cli_source **ret));

/* Whether the command asks for a document instead of a table. */
bool cli_show_wants_document(const struct cli_command *c);

/* Appends the document as -j, -J or --ndjson have it. -EBADMSG when it is none. */
int cli_show_document(const struct cli_command *c, const struct weir_buf *body, struct weir_buf *out);

/* Reads the document's rows; *ret_s keeps them. 0, or the exit status after one line. */
int cli_show_read(const struct weir_table *table, const struct weir_buf *body, struct weir_snapshot **ret_s,
		  struct weir_rows *ret_rows);
