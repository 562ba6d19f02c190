// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/history_span.h"
#include "frontends/cli/rows.h"

/* The past, drawn for people. */

struct cli_past {
	const struct weir_rows *rows;
	const struct cli_columns *columns;
	const struct weir_rows *store; /* the table history_store: how far back it reaches; NULL: not known */
	struct cli_span_answered span;
	struct cli_span asked;
	bool ascii;
	bool cut; /* there may be more rows: no limit was asked for, and one was set */
};

/* Appends heading, rows, and a line that says which part of the past it is. */
int cli_past_draw(const struct cli_past *p, const struct cli_style *style, struct weir_buf *out);

#define CLI_BAR_TEXT 128 /* of at most 40 columns */

/* A bar of share (0 to 1) of width columns; anything above 0 shows. buf is returned. */
const char *cli_past_bar(double share, unsigned width, bool ascii, char buf[CLI_BAR_TEXT]);

/* The lines of a stream, each of the same width: of a row of history_rates, with its bar against `largest` bytes a
 * second; of a row of history_events. */
void cli_past_rate_heading(const struct cli_style *style, struct weir_buf *out);
void cli_past_rate_line(const struct weir_rows *r, size_t row, uint64_t largest, const struct cli_style *style, bool ascii,
			struct weir_buf *out);
void cli_past_event_line(const struct weir_rows *r, size_t row, const struct cli_style *style, struct weir_buf *out);

/* Bytes a second of both directions, on average over the row's step. */
uint64_t cli_past_rate(const struct weir_rows *r, size_t row);
