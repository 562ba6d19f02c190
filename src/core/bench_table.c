// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "core/bench_private.h"

/* Tables of whole numbers in a report. Bytes stand there digit by digit: what is compared with the
 * truth must not be rounded. */

#define NAME_ROOM 160

bool weir_bench_emulated(void)
{
	char name[256];

	bench_processor_name(name, sizeof(name));
	return strstr(name, "TCG") != NULL;
}

void bench_columns_free(struct bench_columns *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n; i++) {
		free(c->names[i]);
		free(c->titles[i]);
	}
	free(c);
}

static struct bench_columns *columns_new(const struct weir_bench_column *columns, unsigned n)
{
	struct bench_columns *c = calloc(1, sizeof(*c));
	bool whole = c != NULL;

	for (unsigned i = 0; i < n && i < WEIR_BENCH_COLUMNS && c; i++) {
		c->names[i] = strdup(columns[i].name);
		c->titles[i] = strdup(columns[i].title);
		c->units[i] = columns[i].unit;
		c->n++;
		whole &= c->names[i] && c->titles[i];
	}
	if (whole)
		return c;
	bench_columns_free(c);
	return NULL;
}

void weir_bench_columns(struct weir_bench *b, const char *title,
			const struct weir_bench_column *columns, unsigned n)
{
	struct bench_columns *c = columns_new(columns, n);
	struct bench_entry *e = NULL;

	if (c)
		e = bench_entry_add(b, BENCH_COLUMNS, strdup(""), strdup(title));
	if (!e) {
		b->error = -ENOMEM;
		bench_columns_free(c);
		c = NULL;
	} else {
		e->columns = c;
	}
	b->columns = c;
}

void weir_bench_row(struct weir_bench *b, const char *name, const char *title,
		    const uint64_t *values)
{
	struct bench_entry *e;

	if (!b->columns)
		return; /* memory had run out before */
	e = bench_entry_add(b, BENCH_ROW, strdup(name), strdup(title));
	if (!e)
		return;
	e->columns = b->columns;
	memcpy(e->cells, values, b->columns->n * sizeof(*values));
}

void bench_row_json(const struct bench_entry *e, struct weir_json *j)
{
	static const char *const same[] = { "value", "low", "high", "min", "max" };
	char text[NAME_ROOM];

	for (unsigned i = 0; i < e->columns->n; i++) {
		weir_json_object(j);
		snprintf(text, sizeof(text), "%s.%s", e->name, e->columns->names[i]);
		weir_json_key(j, "name");
		weir_json_text(j, text);
		snprintf(text, sizeof(text), "%s: %s", e->text, e->columns->titles[i]);
		weir_json_key(j, "about");
		weir_json_text(j, text);
		weir_json_key(j, "unit");
		weir_json_text(j, bench_unit_names[e->columns->units[i]]);
		for (unsigned k = 0; k < sizeof(same) / sizeof(same[0]); k++) {
			weir_json_key(j, same[k]);
			weir_json_uint(j, e->cells[i]);
		}
		weir_json_key(j, "rounds");
		weir_json_uint(j, 1);
		weir_json_object_end(j);
	}
}

/* --- text ---------------------------------------------------------------------------------- */

/* As wide as its widest number and its heading; column n is that of the rows' titles. */
static unsigned column_width(const struct weir_bench *b, const struct bench_columns *c, unsigned n)
{
	unsigned width = n < c->n ? (unsigned)weir_text_columns(c->titles[n]) : 0;

	for (unsigned i = 0; i < b->n_entries; i++) {
		const struct bench_entry *e = &b->entries[i];
		unsigned wide;

		if (e->columns != c)
			continue;
		if (n == c->n)
			wide = (unsigned)weir_text_columns(e->text);
		else
			wide = e->kind == BENCH_ROW
				       ? (unsigned)snprintf(NULL, 0, "%" PRIu64, e->cells[n])
				       : 0;
		width = wide > width ? wide : width;
	}
	return width;
}

static void put_title(const struct weir_bench *b, const struct bench_entry *e, struct weir_buf *out)
{
	unsigned width = column_width(b, e->columns, e->columns->n);
	unsigned has = (unsigned)weir_text_columns(e->text);

	weir_buf_str(out, "  ");
	weir_text_escape_terminal(out, e->text, WEIR_TEXT_UNLIMITED);
	weir_buf_printf(out, "%*s", (int)(width - has), "");
}

void bench_columns_text(const struct weir_bench *b, unsigned at, struct weir_buf *out)
{
	const struct bench_entry *e = &b->entries[at];

	weir_buf_char(out, '\n');
	put_title(b, e, out);
	for (unsigned i = 0; i < e->columns->n; i++) {
		unsigned width = column_width(b, e->columns, i);

		weir_buf_printf(out, "  %*s", (int)width, e->columns->titles[i]);
	}
	weir_buf_char(out, '\n');
}

void bench_row_text(const struct weir_bench *b, unsigned at, struct weir_buf *out)
{
	const struct bench_entry *e = &b->entries[at];

	put_title(b, e, out);
	for (unsigned i = 0; i < e->columns->n; i++)
		weir_buf_printf(out, "  %*" PRIu64, (int)column_width(b, e->columns, i),
				e->cells[i]);
	weir_buf_char(out, '\n');
}
