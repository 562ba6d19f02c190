// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/document.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "core/document_layout.h"
#include "core/history.h"

#define SCHEMA_VERSION 1

/* The rows to write, in order. */
struct document_selection {
	struct weir_rows rows;
	uint32_t *index;
	size_t n, total;
};

static void selection_done(struct document_selection *s)
{
	free(s->index);
}

static int selection_init(struct document_selection *sel, const struct weir_snapshot *s, const struct weir_table *def,
			  const struct weir_query *q)
{
	int r;

	*sel = (struct document_selection){ 0 };
	r = weir_snapshot_rows(s, def, &sel->rows);
	if (r == -ENOENT)
		return 0; /* an empty table */
	if (r < 0)
		return r;
	return weir_query_run(q, &sel->rows, &sel->index, &sel->n, &sel->total);
}

static void write_cell(struct weir_json *j, const struct weir_rows *r, size_t row, unsigned field)
{
	char text[WEIR_ADDR_TEXT];
	struct weir_addr a;

	switch (r->def->fields[field].type) {
	case WEIR_TYPE_UINT:
		weir_json_uint(j, weir_cell_uint(r, row, field));
		return;
	case WEIR_TYPE_INT:
		weir_json_int(j, (int64_t)weir_cell_uint(r, row, field));
		return;
	case WEIR_TYPE_BOOL:
		weir_json_bool(j, weir_cell_uint(r, row, field) != 0);
		return;
	case WEIR_TYPE_TIME:
		weir_json_time(j, weir_cell_uint(r, row, field));
		return;
	case WEIR_TYPE_TEXT:
		weir_json_text(j, weir_cell_text(r, row, field));
		return;
	case WEIR_TYPE_ADDRESS:
		weir_cell_address(r, row, field, &a);
		weir_json_text(j, a.family ? weir_addr_format(&a, text) : NULL);
		return;
	case _WEIR_TYPE_MAX:
		break;
	}
	weir_json_null(j);
}

/* fields: those asked for. present: those of them that are not null in this row. */
static void write_members(struct weir_json *j, const struct weir_layout *l, int first, const struct weir_rows *r,
			  size_t row, uint64_t fields, uint64_t present)
{
	for (int at = first; at >= 0; at = l->nodes[at].next) {
		const struct weir_layout_node *n = &l->nodes[at];

		/* Inside an object only what has a value; in the row itself all that was asked for. */
		if (!(n->fields & (n->depth ? present : fields)))
			continue;
		weir_json_key_quoted(j, n->quoted, n->quoted_len);
		if (n->field < 0) {
			weir_json_object(j);
			write_members(j, l, n->child, r, row, fields, present);
			weir_json_object_end(j);
		} else if (n->fields & present) {
			write_cell(j, r, row, (unsigned)n->field);
		} else {
			weir_json_null(j);
		}
	}
}

static void write_row(struct weir_json *j, const struct weir_layout *l, const struct weir_rows *r, size_t row,
		      uint64_t fields)
{
	weir_json_object(j);
	write_members(j, l, l->first, r, row, fields, fields & ~weir_row_nulls(r, row));
	weir_json_object_end(j);
}

static void write_rows(struct weir_json *j, const struct weir_layout *l, const struct document_selection *sel,
		       uint64_t fields)
{
	weir_json_array(j);
	for (size_t i = 0; i < sel->n; i++)
		write_row(j, l, &sel->rows, sel->index[i], fields);
	weir_json_array_end(j);
}

static void write_lines(struct weir_json *j, const struct weir_layout *l, const struct document_selection *sel,
			uint64_t fields)
{
	for (size_t i = 0; i < sel->n; i++) {
		write_row(j, l, &sel->rows, sel->index[i], fields);
		weir_buf_char(j->out, '\n');
	}
}

/* Over all rows that are selected, so a reader of the first ten still learns the whole. */
static void write_sums(struct weir_json *j, const struct document_selection *sel, const struct weir_table *def,
		       const struct weir_query *q)
{
	if (!q->sums)
		return;
	weir_json_key(j, "sums");
	weir_json_object(j);
	for (unsigned i = 0; i < def->n_fields; i++) {
		if (!(q->sums & 1ull << i))
			continue;
		weir_json_key(j, def->fields[i].name);
		weir_json_uint(j, sel->rows.def ? weir_query_sum(q, &sel->rows, i) : 0);
	}
	weir_json_object_end(j);
}

/* Of a table of the past: what was answered really. */
static void write_span(struct weir_json *j, const struct weir_history_span *span)
{
	if (!span)
		return;
	weir_json_key(j, "from");
	weir_json_time(j, span->from_ns);
	weir_json_key(j, "to");
	weir_json_time(j, span->to_ns);
	weir_json_key(j, "step");
	weir_json_uint(j, span->step_ns / 1000000000u);
	weir_json_key(j, "day_start");
	weir_json_time(j, span->day_ns);
	weir_json_key(j, "utc_offset_seconds");
	weir_json_int(j, span->utc_offset_s);
}

static void write_envelope(struct weir_json *j, const struct weir_layout *l, const struct document_selection *sel,
			   const struct weir_query *q, const struct weir_snapshot_head *head)
{
	weir_json_object(j);
	weir_json_key(j, "schema_version");
	weir_json_uint(j, SCHEMA_VERSION);
	weir_json_key(j, "host");
	weir_json_text(j, head->host);
	weir_json_key(j, "time");
	weir_json_time(j, head->real_ns);
	weir_json_key(j, "snapshot");
	weir_json_uint(j, head->number);
	weir_json_key(j, "lost_events");
	weir_json_uint(j, head->lost_events);
	write_span(j, q->span);
	weir_json_key(j, "total");
	weir_json_uint(j, sel->total);
	write_sums(j, sel, l->def, q);
	weir_json_key(j, "rows");
	write_rows(j, l, sel, q->fields);
	weir_json_object_end(j);
	weir_buf_char(j->out, '\n');
}

int weir_document_json(struct weir_buf *out, const struct weir_snapshot *s, const struct weir_table *def,
		       const struct weir_query *q, enum weir_json_style style)
{
	_cleanup_(selection_done) struct document_selection sel = { 0 };
	_cleanup_(weir_layout_done) struct weir_layout layout = { .first = -1 };
	struct weir_json j;
	int r;

	r = selection_init(&sel, s, def, q);
	if (r < 0)
		return r;
	r = weir_layout_init(&layout, def);
	if (r < 0)
		return r;
	weir_json_init(&j, out, style == WEIR_JSON_INDENTED);
	if (style == WEIR_JSON_LINES)
		write_lines(&j, &layout, &sel, q->fields);
	else
		write_envelope(&j, &layout, &sel, q, weir_snapshot_head(s));
	return out->error;
}

int weir_document_rows(struct weir_buf *out, const struct weir_snapshot *s, const struct weir_table *def,
		       const struct weir_query *q)
{
	_cleanup_(selection_done) struct document_selection sel = { 0 };
	_cleanup_(weir_layout_done) struct weir_layout layout = { .first = -1 };
	struct weir_json j;
	int r;

	r = selection_init(&sel, s, def, q);
	if (r < 0)
		return r;
	r = weir_layout_init(&layout, def);
	if (r < 0)
		return r;
	weir_json_init(&j, out, false);
	write_rows(&j, &layout, &sel, q->fields);
	return out->error;
}
