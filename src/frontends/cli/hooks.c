// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/hooks.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "frontends/cli/details.h"

/* The part of the usual columns that is about the program; the rest is about one of its maps. */
static const char *const map_fields[] = { "map",       "map_type",    "entries", "capacity",
					  "key_bytes", "value_bytes", "bpftrace" };

static bool is_map_field(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(map_fields); i++)
		if (!strcmp(map_fields[i], name))
			return true;
	return false;
}

static bool same_program(const struct weir_rows *r, size_t a, size_t b)
{
	char x[CLI_CELL_TEXT], y[CLI_CELL_TEXT];
	const char *program = cli_row_exact(r, a, "program", x), *other = cli_row_exact(r, b, "program", y);

	return program && other && !strcmp(program, other);
}

/* The rows of a program follow each other or not; the first one stands for it. */
static bool first_of_program(const struct weir_rows *r, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (same_program(r, i, row))
			return false;
	return true;
}

static void add_field(struct weir_buf *line, const char *before, const char *value)
{
	if (!value || !*value)
		return;
	weir_buf_str(line, before);
	weir_buf_str(line, value);
}

static void add_map(const struct weir_rows *r, size_t row, struct weir_buf *out)
{
	char buf[CLI_CELL_TEXT];
	const char *map = cli_row_exact(r, row, "map", buf);
	struct weir_buf line = {};

	if (!map || !*map)
		return;
	weir_buf_printf(&line, "-> %s", map);
	add_field(&line, "  ", cli_row_exact(r, row, "map_type", buf));
	add_field(&line, "  entries ", cli_row_exact(r, row, "entries", buf));
	add_field(&line, "  capacity ", cli_row_exact(r, row, "capacity", buf));
	weir_buf_str(out, "    ");
	if (line.data)
		weir_text_escape_terminal(out, line.data, WEIR_TEXT_UNLIMITED);
	weir_buf_char(out, '\n');
	weir_buf_done(&line);
}

/* What stands below the program's own line. */
static void add_below(const struct weir_rows *r, size_t row, const struct cli_style *style,
		      void *user, struct weir_buf *out)
{
	char buf[CLI_CELL_TEXT];
	const bool *bpftrace = user;
	const char *line = *bpftrace ? cli_row_exact(r, row, "bpftrace", buf) : NULL;

	(void)style;
	for (size_t i = row; i < r->n; i++)
		if (i == row || same_program(r, i, row))
			add_map(r, i, out);
	if (!line || !*line)
		return;
	weir_buf_str(out, "    ");
	weir_text_escape_terminal(out, line, WEIR_TEXT_UNLIMITED);
	weir_buf_char(out, '\n');
}

int cli_hooks_draw(const struct weir_rows *r, const struct cli_command *c,
		   const struct cli_request *rq, const struct cli_style *style,
		   struct weir_buf *out)
{
	_cleanup_free_ uint32_t *index = calloc(r->n ? r->n : 1, sizeof(*index));
	struct cli_columns columns = {};
	bool bpftrace = CLI_GIVEN(c, BPFTRACE);
	size_t n = 0;

	if (!index)
		return -ENOMEM;
	if (rq->columns.chosen)
		return cli_rows_draw(r, &rq->columns, NULL, r->n, style, out);
	for (unsigned i = 0; i < rq->columns.n; i++)
		if (!is_map_field(r->def->fields[rq->columns.field[i]].name))
			columns.field[columns.n++] = rq->columns.field[i];
	for (size_t i = 0; i < r->n; i++)
		if (first_of_program(r, i))
			index[n++] = (uint32_t)i;
	return cli_details_draw(r, &columns, index, n,
				&(struct cli_details){ .below = add_below, .user = &bpftrace },
				style, out);
}
