// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/doctor.h"

#include <string.h>

#include "base/text.h"
#include "core/feature.h"
#include "frontends/cli/details.h"
#include "frontends/cli/output.h"

/* A feature has a row per hook set; one that serves it, if only in part, is enough. */
static bool feature_runs(const struct weir_rows *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (weir_row_is(r, i, "feature", name) &&
		    (weir_row_is(r, i, "state", "on") || weir_row_is(r, i, "state", "degraded")))
			return true;
	return false;
}

bool cli_doctor_found(const struct weir_rows *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const char *name = weir_row_text(r, i, "feature");

		if (name && weir_row_is(r, i, "state", "unavailable") && !feature_runs(r, name))
			return true;
	}
	return false;
}

/* NULL: it is the core's. */
static const struct weir_feature *feature_of(const struct weir_table *table)
{
	for (unsigned i = 0; weir_features[i]; i++)
		for (const struct weir_table *const *t = weir_features[i]->tables; t && *t; t++)
			if (*t == table)
				return weir_features[i];
	return NULL;
}

int cli_doctor_explain(const struct weir_rows *doctor, const struct weir_table *table)
{
	const struct weir_feature *owner = feature_of(table);
	const char *name, *reason, *cure;

	for (size_t i = 0; i < doctor->n; i++) {
		name = weir_row_text(doctor, i, "feature");
		reason = weir_row_text(doctor, i, "reason");
		cure = weir_row_text(doctor, i, "cure");
		if (!name || !reason || !weir_row_is(doctor, i, "state", "unavailable") ||
		    (owner && strcmp(name, owner->name) != 0) || feature_runs(doctor, name))
			continue;
		return cli_fail(CLI_IMPOSSIBLE, "%s cannot run here: %s%s%s", name, reason,
				cure ? ": " : "", cure ? cure : "");
	}
	return CLI_OK;
}

bool cli_audit_found(const struct weir_rows *r)
{
	int ok = weir_table_field(r->def, "ok");

	for (size_t i = 0; ok >= 0 && i < r->n; i++)
		if (!weir_cell_null(r, i, (unsigned)ok) && !weir_cell_uint(r, i, (unsigned)ok))
			return true;
	return false;
}

/* --- drawing --------------------------------------------------------------------------------- */

static const char *const doctor_prose[] = { "serves", "hooks", "reason", "cure", NULL };
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

static void doctor_below(const struct weir_rows *r, size_t row, const struct cli_style *style,
			 void *user, struct weir_buf *out)
{
	(void)user;
	for (const char *const *name = doctor_prose; *name; name++)
		cli_details_prose(*name, weir_row_text(r, row, *name), style, out);
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

static void audit_below(const struct weir_rows *r, size_t row, const struct cli_style *style,
			void *user, struct weir_buf *out)
{
	(void)user;
	if (weir_row_number(r, row, "tx_bytes") || weir_row_number(r, row, "rx_bytes") || !weir_row_number(r, row, "ok"))
		cli_details_prose("", weir_row_text(r, row, "help"), style, out);
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
