// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/query.h"

int tui_list_init(struct tui_list *l, const struct weir_table *table, enum tui_columns_for purpose)
{
	int tx = weir_table_field(table, "tx_bytes_per_second"),
	    rx = weir_table_field(table, "rx_bytes_per_second"),
	    lost = weir_table_field(table, "packets_per_second");

	*l = (struct tui_list){ .table = table, .purpose = purpose, .limit = UINT64_MAX };
	if (tx >= 0 && rx >= 0)
		l->order = (struct tui_order){ .field = tx, .plus = rx };
	else if (lost >= 0) /* live: what is lost now, before what was lost once */
		l->order = (struct tui_order){ .field = lost, .plus = -1 };
	else if (table->sort_field < table->n_fields)
		l->order =
			(struct tui_order){ .field = (int)table->sort_field,
					    .plus = table->sort_plus ? (int)table->sort_plus : -1 };
	else
		l->order = (struct tui_order){ .field = -1, .plus = -1 };
	return 0;
}

void tui_list_forget_lines(struct tui_list *l)
{
	free(l->lines);
	free(l->groups);
	l->lines = NULL;
	l->groups = NULL;
	l->n_lines = l->n_groups = 0;
}

void tui_list_done(struct tui_list *l)
{
	tui_document_done(&l->document);
	tui_document_done(&l->followed);
	tui_list_forget_lines(l);
	free(l->folded);
	*l = (struct tui_list){};
}

uint64_t tui_list_total(const struct tui_list *l)
{
	uint64_t total = l->tree ? l->n_lines : l->document.total;

	return total < l->limit ? total : l->limit;
}

const struct tui_line *tui_list_line(const struct tui_list *l, uint64_t at)
{
	uint64_t offset = l->tree ? 0 : l->document.offset;

	return at >= offset && at - offset < l->n_lines ? &l->lines[at - offset] : NULL;
}

/* --- order ----------------------------------------------------------------------------------- */

const char *tui_list_order_text(const struct tui_list *l, char buf[TUI_ORDER_TEXT])
{
	const struct weir_field *fields = l->table->fields;
	int tx = weir_table_field(l->table, "tx_bytes"), rx = weir_table_field(l->table, "rx_bytes");
	bool sums = tx >= 0 && rx >= 0 && fields[tx].type == WEIR_TYPE_UINT &&
		    fields[rx].type == WEIR_TYPE_UINT;

	buf[0] = '\0';
	if (l->order.field < 0)
		return buf;
	/* Rows that are equal by it, such as those at rest, stand by what they moved so far. */
	snprintf(buf, TUI_ORDER_TEXT, "%s%s%s%s%s", l->order.ascending ? "-" : "",
		 fields[l->order.field].name, l->order.plus >= 0 ? "+" : "",
		 l->order.plus >= 0 ? fields[l->order.plus].name : "",
		 sums ? ",tx_bytes+rx_bytes" : "");
	return buf;
}

void tui_list_order_by(struct tui_list *l, int field, int plus)
{
	enum weir_type type = field >= 0 ? l->table->fields[field].type : WEIR_TYPE_UINT;

	l->order = (struct tui_order){
		.field = field,
		.plus = plus,
		.ascending = type == WEIR_TYPE_TEXT || type == WEIR_TYPE_ADDRESS,
	};
	l->held = false;
	l->held_until_ns = 0;
}

/* Where the row can be asked for by its name, should it leave what is here. */
static void keep_filter(struct tui_list *l, const struct tui_line *line)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	if (line->row != TUI_NO_ROW)
		tui_row_filter(&l->document.rows, line->row, &b);
	snprintf(l->cursor_filter, sizeof(l->cursor_filter), "%s",
		 b.data && !b.error && b.len < sizeof(l->cursor_filter) ? b.data : "");
}

/* The cursor goes where its row went. */
void tui_list_find_cursor(struct tui_list *l)
{
	uint64_t offset = l->tree ? 0 : l->document.offset, total = tui_list_total(l);

	l->cursor_lost = false;
	if (!l->has_cursor)
		return;
	if (!tui_id_none(l->cursor)) {
		for (size_t i = 0; i < l->n_lines; i++) {
			if (tui_id_equal(l->lines[i].id, l->cursor)) {
				l->cursor_at = offset + i;
				keep_filter(l, &l->lines[i]);
				return;
			}
		}
		l->cursor_lost = true;
		return;
	}
	if (l->cursor_at >= total && total)
		l->cursor_at = total - 1;
	if (tui_list_line(l, l->cursor_at)) {
		l->cursor = tui_list_line(l, l->cursor_at)->id;
		keep_filter(l, tui_list_line(l, l->cursor_at));
	}
}

/* --- the cursor ------------------------------------------------------------------------------ */

static void scroll_to(struct tui_list *l, uint64_t at, unsigned height)
{
	uint64_t total = tui_list_total(l);

	if (at < l->first)
		l->first = at;
	if (height && at >= l->first + height)
		l->first = at - height + 1;
	if (l->first + height > total)
		l->first = total > height ? total - height : 0;
}

void tui_list_move_to(struct tui_list *l, uint64_t at, unsigned height)
{
	uint64_t total = tui_list_total(l);
	const struct tui_line *line;

	if (!total) {
		l->has_cursor = false;
		l->first = 0;
		return;
	}
	if (at >= total)
		at = total - 1;
	line = tui_list_line(l, at);
	l->has_cursor = true;
	l->cursor_lost = false;
	l->cursor_at = at;
	l->cursor = line ? line->id : (struct tui_id){}; /* named when its row arrives */
	if (line)
		keep_filter(l, line);
	scroll_to(l, at, height);
}

void tui_list_move(struct tui_list *l, int64_t by, unsigned height)
{
	uint64_t at = l->cursor_at;

	/* The first key shows the cursor where the eyes are: on top. */
	if (!l->has_cursor) {
		tui_list_move_to(l, by > 1 ? l->first + (uint64_t)by - 1 : l->first, height);
		return;
	}
	/* A row that is drawn out of its place, at the edge: from there on. */
	if (l->cursor_lost && height)
		at = l->first + height - 1;
	if (by < 0 && (uint64_t)-by > at)
		at = 0;
	else
		at += (uint64_t)by;
	tui_list_move_to(l, at, height);
}

/* --- groups ---------------------------------------------------------------------------------- */

bool tui_list_folded(const struct tui_list *l, struct tui_id group)
{
	for (size_t i = 0; i < l->n_folded; i++)
		if (tui_id_equal(l->folded[i], group))
			return !l->fold_all;
	return l->fold_all;
}

void tui_list_fold_all(struct tui_list *l, bool fold)
{
	l->fold_all = fold;
	l->n_folded = 0;
}

void tui_list_fold(struct tui_list *l, struct tui_id group)
{
	struct tui_id *more;

	for (size_t i = 0; i < l->n_folded; i++) {
		if (tui_id_equal(l->folded[i], group)) {
			l->folded[i] = l->folded[--l->n_folded];
			return;
		}
	}
	more = realloc(l->folded, (l->n_folded + 1) * sizeof(*more));
	if (!more)
		return;
	l->folded = more;
	l->folded[l->n_folded++] = group;
}

/* --- one row --------------------------------------------------------------------------------- */

void tui_row_filter(const struct weir_rows *r, size_t row, struct weir_buf *out)
{
	char text[WEIR_ADDR_TEXT];
	struct weir_addr address;

	for (unsigned i = 0; i < r->def->n_fields; i++) {
		const struct weir_field *f = &r->def->fields[i];

		if (!(f->flags & WEIR_FIELD_KEY) || weir_cell_null(r, row, i))
			continue;
		if (f->type == WEIR_TYPE_TIME ||
		    (f->type == WEIR_TYPE_TEXT && !*weir_cell_text(r, row, i)))
			continue;
		weir_buf_printf(out, "%s%s:", out->len ? " " : "", f->name);
		switch (f->type) {
		case WEIR_TYPE_UINT:
			weir_buf_uint(out, weir_cell_uint(r, row, i));
			break;
		case WEIR_TYPE_INT:
			weir_buf_printf(out, "%" PRId64, (int64_t)weir_cell_uint(r, row, i));
			break;
		case WEIR_TYPE_BOOL:
			weir_buf_str(out, weir_cell_uint(r, row, i) ? "yes" : "no");
			break;
		case WEIR_TYPE_TEXT:
			weir_filter_quote(out, weir_cell_text(r, row, i));
			break;
		case WEIR_TYPE_ADDRESS:
			weir_cell_address(r, row, i, &address);
			weir_buf_str(out, weir_addr_format(&address, text));
			break;
		case WEIR_TYPE_TIME:
		case _WEIR_TYPE_MAX:
			break;
		}
	}
}

bool tui_filter_holds(const struct weir_table *table, const char *text)
{
	struct weir_filter *filter = NULL;
	char *error = NULL;
	bool holds = weir_filter_parse(table, text, &filter, &error) == 0;

	weir_filter_free(filter);
	free(error);
	return holds;
}
