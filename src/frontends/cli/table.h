// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"
#include "frontends/cli/style.h"

/* Lays text out in columns. Cells may hold anything: control characters are shown escaped. */

/* Why a cell is worth a look; the only thing that colours stand for. */
enum cli_signal {
	CLI_SIGNAL_NONE,
	CLI_SIGNAL_QUIET, /* over: exited, closed */
	CLI_SIGNAL_GOOD,
	CLI_SIGNAL_WARN,
	CLI_SIGNAL_BAD,
	_CLI_SIGNAL_MAX,
};

enum cli_column_flags {
	CLI_COLUMN_RIGHT = 1 << 0, /* numbers */
	CLI_COLUMN_CLIP = 1 << 1,  /* may be cut when the terminal is narrow */
	CLI_COLUMN_KEEP = 1 << 2, /* asked for by name: stays even when no cell of it has a value */
};

struct cli_table;

/* Columns come first, then cells, row by row. NULL when memory runs out; later such errors are kept
 * and returned by cli_table_draw(). */
struct cli_table *cli_table_new(void);
struct cli_table *cli_table_free(struct cli_table *t); /* accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct cli_table, cli_table_free)

void cli_table_column(struct cli_table *t, const char *title,
		      unsigned flags); /* title is borrowed */
void cli_table_cell(struct cli_table *t, const char *text,
		    enum cli_signal signal); /* NULL or "": no value, "-" */

/* Appends heading and rows. On a terminal that is too narrow columns without any value go first,
 * then the widest texts are cut, then whole columns go from the right; a last line then says which.
 */
int cli_table_draw(const struct cli_table *t, const struct cli_style *style, struct weir_buf *out);

/* Appends what switches a colour on (off for CLI_SIGNAL_NONE). */
void cli_signal_begin(struct weir_buf *out, enum cli_signal signal);
void cli_signal_end(struct weir_buf *out, enum cli_signal signal);
