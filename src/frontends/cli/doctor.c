// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/doctor.h"

#include <string.h>

#include "frontends/cli/options.h"

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
