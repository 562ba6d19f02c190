// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/buf.h"
#include "frontends/cli/history_span.h"
#include "frontends/cli/rows.h"

/* What a command asks for: which rows of which table, in which order, and which of their fields. */
struct cli_request {
	const struct weir_table *table;
	struct weir_buf
		filter;	  /* the words and the options that stand for terms; .data NULL: all rows */
	const char *sort; /* borrowed; NULL: the table's own order */
	struct cli_columns columns;
	uint64_t limit; /* UINT64_MAX: all */
	struct cli_span span; /* of the past; .from_real_ns 0: of now */
};

/* Reads it from the command's options and its words from first_word on, and checks it against the
 * table's declarations, before any daemon is asked. -EINVAL with one line (what, where, the cure),
 * -ENOMEM. On failure *ret needs no cli_request_done(). */
int cli_request_init(struct cli_request *ret, const struct cli_command *c,
		     const struct weir_table *table, unsigned first_word, char **ret_error);
void cli_request_done(struct cli_request *rq);

/* Appends the path and query of the API's URL. fields: take only the columns' fields. */
void cli_request_url(const struct cli_request *rq, bool fields, struct weir_buf *out);
