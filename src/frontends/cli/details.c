// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/details.h"

#include <string.h>

#include "base/text.h"

#define PROSE_WIDTH 100
#define PROSE_MIN 40
#define NAME_WIDTH 8

/* Copies the next line of *at, with its end. */
static void copy_line(const char **at, struct weir_buf *out)
{
	size_t len = strcspn(*at, "\n");

	len += (*at)[len] == '\n';
	weir_buf_add(out, *at, len);
	*at += len;
}

int cli_details_draw(const struct weir_rows *r, const struct cli_columns *columns,
		     const uint32_t *index, size_t n, const struct cli_details *details,
		     const struct cli_style *style, struct weir_buf *out)
{
	struct weir_buf table = {};
	const char *at;
	int e;

	e = cli_rows_draw(r, columns, index, n, style, &table);
	if (e < 0) {
		weir_buf_done(&table);
		return e;
	}
	/* A heading, a line for each row, and perhaps one about columns without room. */
	at = table.data;
	copy_line(&at, out);
	for (size_t i = 0; i < n; i++) {
		copy_line(&at, out);
		if (details->below)
			details->below(r, index ? index[i] : i, style, details->user, out);
	}
	weir_buf_str(out, at);
	weir_buf_done(&table);
	return out->error;
}

void cli_details_prose(const char *name, const char *text, const struct cli_style *style,
		       struct weir_buf *out)
{
	size_t indent = CLI_DETAILS_INDENT + NAME_WIDTH, column = indent;
	size_t width = style->width ? style->width : PROSE_WIDTH;
	struct weir_buf escaped = {};

	if (!text || !*text)
		return;
	if (width < PROSE_MIN)
		width = PROSE_MIN;
	weir_text_escape_terminal(&escaped, text, WEIR_TEXT_UNLIMITED);
	weir_buf_spaces(out, CLI_DETAILS_INDENT);
	weir_buf_printf(out, "%-*s", NAME_WIDTH, name);
	for (char *rest = escaped.data, *word; (word = strsep(&rest, " "));) {
		size_t columns = weir_text_columns(word);

		if (column > indent && column + 1 + columns > width) {
			weir_buf_char(out, '\n');
			weir_buf_spaces(out, indent);
			column = indent;
		} else if (column > indent) {
			weir_buf_char(out, ' ');
			column++;
		}
		weir_buf_str(out, word);
		column += columns;
	}
	weir_buf_char(out, '\n');
	weir_buf_done(&escaped);
}
