// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/top.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "core/tables.h"

/* --- what is asked for ----------------------------------------------------------------------- */

/* What a frame needs beside the usual columns: to sort, to sum, or for a column that joins several.
 */
static const char *const process_needs[] = {
	"pid", "tx_bytes", "rx_bytes", "tx_bytes_per_second", "rx_bytes_per_second", NULL
};
static const char *const flow_needs[] = {
	"pid",	     "comm",	      "container_id", "container_name",	     "pod_name",
	"transport", "local_address", "local_port",   "peer_address",	     "peer_port",
	"state",     "tx_bytes",      "rx_bytes",     "tx_bytes_per_second", "rx_bytes_per_second",
	NULL
};

int cli_top_init(struct cli_top *t, const struct cli_command *c, enum cli_top_view view,
		 unsigned first_word, char **ret_error)
{
	const char *name = view == CLI_TOP_FLOWS ? "flows" : "processes";
	const struct weir_table *table = weir_table_find(name);
	int r;

	*t = (struct cli_top){ .view = view, .rows_max = UINT64_MAX };
	if (!table)
		return -ENOENT;
	r = cli_request_init(&t->request, c, table, first_word, ret_error);
	if (r < 0)
		return r;
	t->sorted = t->request.sort != NULL;
	return 0;
}

void cli_top_done(struct cli_top *t)
{
	cli_request_done(&t->request);
}

void cli_top_needs(const struct cli_top *t, struct cli_columns *ret)
{
	const char *const *needs = t->view == CLI_TOP_FLOWS ? flow_needs : process_needs;
	bool talk = t->view == CLI_TOP_FLOWS && !t->request.columns.chosen;

	*ret = talk ? (struct cli_columns){} : t->request.columns;
	for (; *needs; needs++) {
		int field = weir_table_field(t->request.table, *needs);
		bool have = false;

		for (unsigned i = 0; i < ret->n; i++)
			have |= field == (int)ret->field[i];
		if (field >= 0 && !have && ret->n < WEIR_FIELDS_MAX)
			ret->field[ret->n++] = (unsigned)field;
	}
}

/* --- order ----------------------------------------------------------------------------------- */

struct top_row {
	uint32_t row;
	uint64_t rate, bytes;
};

static int by_rate(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->rate != y->rate)
		return x->rate < y->rate ? 1 : -1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int by_bytes(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->row < y->row ? -1 : x->row > y->row;
}

struct top_totals {
	uint64_t tx_bytes, rx_bytes, tx_rate, rx_rate;
	size_t rows;
};

/* The rows to draw in their order; caller frees *ret_rows (NULL when none). */
static int order_rows(const struct cli_top *t, const struct weir_rows *r, struct top_row **ret_rows,
		      size_t *ret_n, struct top_totals *ret_totals)
{
	struct top_row *rows = NULL;
	size_t n = 0;

	*ret_totals = (struct top_totals){ .rows = r->n };
	if (r->n) {
		rows = calloc(r->n, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
	}
	for (size_t i = 0; i < r->n; i++) {
		uint64_t tx = weir_row_number(r, i, "tx_bytes"), rx = weir_row_number(r, i, "rx_bytes");
		uint64_t tx_rate = weir_row_number(r, i, "tx_bytes_per_second"),
			 rx_rate = weir_row_number(r, i, "rx_bytes_per_second");

		ret_totals->tx_bytes += tx;
		ret_totals->rx_bytes += rx;
		ret_totals->tx_rate += tx_rate;
		ret_totals->rx_rate += rx_rate;
		if (t->view == CLI_TOP_FLOWS && !tx && !rx)
			continue;
		rows[n++] = (struct top_row){ .row = (uint32_t)i,
					      .rate = tx_rate + rx_rate,
					      .bytes = tx + rx };
	}
	if (!t->sorted && n)
		qsort(rows, n, sizeof(*rows), t->view == CLI_TOP_FLOWS ? by_bytes : by_rate);
	*ret_rows = rows;
	*ret_n = n;
	return 0;
}

/* --- the line on top ------------------------------------------------------------------------- */

static void draw_place(const struct weir_snapshot_head *head, bool color, struct weir_buf *out)
{
	enum cli_signal lost = color && head->lost_events ? CLI_SIGNAL_BAD : CLI_SIGNAL_NONE;
	char stamp[WEIR_TIMESTAMP_TEXT];

	weir_timestamp_format(head->real_ns, stamp);
	weir_text_escape_terminal(out, head->host, WEIR_HOST_TEXT);
	weir_buf_printf(out, "  %.10s %.8sZ  snapshot %" PRIu64 "  ", stamp, stamp + 11,
			head->number);
	cli_signal_begin(out, lost);
	weir_buf_printf(out, "lost %" PRIu64, head->lost_events);
	cli_signal_end(out, lost);
}

static void draw_sum(const char *word, uint64_t bytes, uint64_t rate, bool exact,
		     struct weir_buf *out)
{
	char a[WEIR_UNITS_TEXT], b[WEIR_UNITS_TEXT];

	if (exact)
		weir_buf_printf(out, "%s %" PRIu64 " (%" PRIu64 "/s)", word, bytes, rate);
	else
		weir_buf_printf(out, "%s %s (%s)", word, weir_units_bytes(bytes, a),
				weir_units_rate(rate, b));
}

static void draw_head(const struct cli_top *t, const struct weir_snapshot_head *head,
		      const struct top_totals *sum, const struct cli_style *style,
		      struct weir_buf *out)
{
	struct weir_buf place = {}, totals = {};
	size_t columns;

	draw_place(head, false, &place);
	columns = place.len;
	if (style->color) {
		weir_buf_reset(&place);
		draw_place(head, true, &place);
	}
	weir_buf_printf(&totals, "%zu %s  ", sum->rows, t->request.table->name);
	draw_sum("sent", sum->tx_bytes, sum->tx_rate, style->exact, &totals);
	weir_buf_str(&totals, "  ");
	draw_sum("received", sum->rx_bytes, sum->rx_rate, style->exact, &totals);
	columns += 2 + totals.len;
	weir_buf_add(out, place.data, place.len);
	/* One line where there is room, else two. */
	weir_buf_str(out, style->width && columns > style->width ? "\n" : "  ");
	weir_buf_add(out, totals.data, totals.len);
	weir_buf_char(out, '\n');
	if (!out->error)
		out->error = place.error ? place.error : totals.error;
	weir_buf_done(&place);
	weir_buf_done(&totals);
}

/* --- one row a flow -------------------------------------------------------------------------- */

/* The name when its runtime told it; else the id, as short as `docker ps` has it. */
static const char *container_text(const struct weir_rows *r, size_t row, char buf[CLI_CELL_TEXT])
{
	char unused[CLI_CELL_TEXT];
	const char *name = cli_row_exact(r, row, "container_name", unused);
	const char *id = cli_row_exact(r, row, "container_id", unused);

	if (name && *name)
		return name;
	if (!id)
		return NULL;
	snprintf(buf, CLI_CELL_TEXT, "%.12s", id);
	return buf;
}

/* 10.0.0.1:80, [fe80::1]:80 */
static const char *end_text(const struct weir_rows *r, size_t row, const char *address,
			    const char *port, char buf[CLI_CELL_TEXT])
{
	char a[CLI_CELL_TEXT], p[CLI_CELL_TEXT];
	const char *host = cli_row_exact(r, row, address, a), *number = cli_row_exact(r, row, port, p);

	if (!host)
		return NULL;
	snprintf(buf, CLI_CELL_TEXT, strchr(host, ':') ? "[%.46s]:%.8s" : "%.46s:%.8s", host,
		 number ? number : "-");
	return buf;
}

static const char *bytes_text(uint64_t v, bool exact, char buf[CLI_CELL_TEXT])
{
	char unit[WEIR_UNITS_TEXT];

	if (exact)
		snprintf(buf, CLI_CELL_TEXT, "%" PRIu64, v);
	else
		snprintf(buf, CLI_CELL_TEXT, "%s", weir_units_bytes(v, unit));
	return buf;
}

static void flow_row(struct cli_table *table, const struct weir_rows *r, size_t row, bool exact)
{
	uint64_t tx = weir_row_number(r, row, "tx_bytes"), rx = weir_row_number(r, row, "rx_bytes");
	char buf[CLI_CELL_TEXT];
	enum cli_signal signal = weir_row_is(r, row, "state", "closed") ? CLI_SIGNAL_QUIET : CLI_SIGNAL_NONE;

	cli_table_cell(table, cli_row_exact(r, row, "pid", buf), signal);
	cli_table_cell(table, container_text(r, row, buf), signal);
	cli_table_cell(table, cli_row_exact(r, row, "pod_name", buf), signal);
	cli_table_cell(table, cli_row_exact(r, row, "comm", buf), signal);
	cli_table_cell(table, bytes_text(rx, exact, buf), signal);
	cli_table_cell(table, bytes_text(tx, exact, buf), signal);
	cli_table_cell(table, bytes_text(tx + rx, exact, buf), signal);
	cli_table_cell(table, end_text(r, row, "local_address", "local_port", buf), signal);
	cli_table_cell(table, end_text(r, row, "peer_address", "peer_port", buf), signal);
}

static int draw_flows(const struct weir_rows *r, const uint32_t *index, size_t n,
		      const struct cli_style *style, struct weir_buf *out)
{
	_cleanup_(cli_table_freep) struct cli_table *table = cli_table_new();

	if (!table)
		return -ENOMEM;
	cli_table_column(table, "PID", CLI_COLUMN_RIGHT);
	cli_table_column(table, "CONTAINER", CLI_COLUMN_CLIP);
	cli_table_column(table, "POD", CLI_COLUMN_CLIP);
	cli_table_column(table, "COMMAND", CLI_COLUMN_CLIP | CLI_COLUMN_KEEP);
	cli_table_column(table, "RECEIVED", CLI_COLUMN_RIGHT);
	cli_table_column(table, "SENT", CLI_COLUMN_RIGHT);
	cli_table_column(table, "SUM", CLI_COLUMN_RIGHT);
	cli_table_column(table, "LOCAL ADDRESS", 0);
	cli_table_column(table, "REMOTE ADDRESS", 0);
	for (size_t i = 0; i < n; i++)
		flow_row(table, r, index[i], style->exact);
	return cli_table_draw(table, style, out);
}

/* --- a frame --------------------------------------------------------------------------------- */

static int draw_rows(const struct cli_top *t, const struct weir_rows *r, struct top_row *rows,
		     size_t n, const struct cli_style *style, struct weir_buf *out)
{
	size_t shown = n < t->rows_max ? n : (size_t)t->rows_max;
	_cleanup_free_ uint32_t *index = calloc(shown ? shown : 1, sizeof(*index));
	int e;

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < shown; i++)
		index[i] = rows[i].row;
	if (t->view == CLI_TOP_FLOWS && !t->request.columns.chosen)
		e = draw_flows(r, index, shown, style, out);
	else
		e = cli_rows_draw(r, &t->request.columns, index, shown, style, out);
	if (e < 0)
		return e;
	if (shown < n)
		weir_buf_printf(out, "%zu more with --limit 0\n", n - shown);
	if (t->view == CLI_TOP_FLOWS && !n && r->n)
		weir_buf_printf(out, "no byte yet on %zu sockets\n", r->n);
	return out->error;
}

int cli_top_draw(const struct cli_top *t, const struct weir_snapshot *s,
		 const struct cli_style *style, struct weir_buf *out)
{
	struct weir_rows r = { .def = t->request.table };
	_cleanup_free_ struct top_row *rows = NULL;
	struct top_totals totals;
	size_t n;
	int e;

	e = weir_snapshot_rows(s, t->request.table, &r);
	if (e == -ENOENT)
		r.n = 0;
	else if (e < 0)
		return e;
	e = order_rows(t, &r, &rows, &n, &totals);
	if (e < 0)
		return e;
	draw_head(t, weir_snapshot_head(s), &totals, style, out);
	return draw_rows(t, &r, rows, n, style, out);
}
