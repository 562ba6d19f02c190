// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/doctor.h"

#include <string.h>

#include "base/text.h"
#include "frontends/cli/details.h"

static bool text_is(const struct weir_rows *r, size_t row, int field, const char *text)
{
	const char *have = field < 0 ? NULL : weir_cell_text(r, row, (unsigned)field);

	return have && !strcmp(have, text);
}

/* A feature has a row per hook set; one that serves it, if only in part, is enough. */
static bool feature_runs(const struct weir_rows *r, int feature, int state, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (text_is(r, i, feature, name) &&
		    (text_is(r, i, state, "on") || text_is(r, i, state, "degraded")))
			return true;
	return false;
}

bool cli_doctor_found(const struct weir_rows *r)
{
	int feature = cli_field_find(r->def, "feature"), state = cli_field_find(r->def, "state");

	for (size_t i = 0; feature >= 0 && i < r->n; i++) {
		const char *name = weir_cell_text(r, i, (unsigned)feature);

		if (name && text_is(r, i, state, "unavailable") &&
		    !feature_runs(r, feature, state, name))
			return true;
	}
	return false;
}

bool cli_audit_found(const struct weir_rows *r)
{
	int ok = cli_field_find(r->def, "ok");

	for (size_t i = 0; ok >= 0 && i < r->n; i++)
		if (!weir_cell_null(r, i, (unsigned)ok) && !weir_cell_uint(r, i, (unsigned)ok))
			return true;
	return false;
}

/* --- drawing --------------------------------------------------------------------------------- */

static const char *const doctor_prose[] = { "serves", "reason", "cure", NULL };
static const char *const audit_prose[] = { "help", NULL };

static bool is_one_of(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

/* The columns without those that are prose. */
static struct cli_columns columns_without(const struct weir_rows *r, const struct cli_columns *all,
					  const char *const *prose)
{
	struct cli_columns columns = {};

	for (unsigned i = 0; i < all->n; i++)
		if (!is_one_of(prose, r->def->fields[all->field[i]].name))
			columns.field[columns.n++] = all->field[i];
	return columns;
}

static const char *text_of(const struct weir_rows *r, size_t row, const char *name)
{
	int field = cli_field_find(r->def, name);

	return field < 0 ? NULL : weir_cell_text(r, row, (unsigned)field);
}

static void doctor_below(const struct weir_rows *r, size_t row, const struct cli_style *style,
			 void *user, struct weir_buf *out)
{
	(void)user;
	for (const char *const *name = doctor_prose; *name; name++)
		cli_details_prose(*name, text_of(r, row, *name), style, out);
}

int cli_doctor_draw(const struct weir_rows *r, const struct cli_command *c,
		    const struct cli_request *rq, const struct cli_style *style,
		    struct weir_buf *out)
{
	struct cli_columns columns = columns_without(r, &rq->columns, doctor_prose);

	(void)c;
	if (rq->columns.chosen)
		return cli_rows_draw(r, &rq->columns, NULL, r->n, style, out);
	return cli_details_draw(r, &columns, NULL, r->n,
				&(struct cli_details){ .below = doctor_below }, style, out);
}

static uint64_t number_of(const struct weir_rows *r, size_t row, const char *name)
{
	int field = cli_field_find(r->def, name);

	return field < 0 || weir_cell_null(r, row, (unsigned)field)
		       ? 0
		       : weir_cell_uint(r, row, (unsigned)field);
}

static void audit_below(const struct weir_rows *r, size_t row, const struct cli_style *style,
			void *user, struct weir_buf *out)
{
	(void)user;
	if (number_of(r, row, "tx_bytes") || number_of(r, row, "rx_bytes") ||
	    !number_of(r, row, "ok"))
		cli_details_prose("", text_of(r, row, "help"), style, out);
}

/* Whether each line of the text fits. */
static bool fits(char *text, unsigned width)
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (weir_text_columns(line) > width)
			return false;
	return true;
}

int cli_audit_draw(const struct weir_rows *r, const struct cli_command *c,
		   const struct cli_request *rq, const struct cli_style *style,
		   struct weir_buf *out)
{
	struct cli_columns columns = columns_without(r, &rq->columns, audit_prose);
	const struct cli_style unlimited = { .exact = style->exact };
	struct weir_buf whole = {};
	bool beside = rq->columns.chosen || !style->width;
	int e = 0;

	(void)c;
	if (!beside) {
		e = cli_rows_draw(r, &rq->columns, NULL, r->n, &unlimited, &whole);
		beside = e >= 0 && fits(whole.data, style->width);
	}
	weir_buf_done(&whole);
	if (e < 0)
		return e;
	if (beside)
		return cli_rows_draw(r, &rq->columns, NULL, r->n, style, out);
	return cli_details_draw(r, &columns, NULL, r->n,
				&(struct cli_details){ .below = audit_below }, style, out);
}
