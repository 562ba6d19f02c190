// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "frontends/cli/request.h"

/* What `doctor` and `audit` look for (true means exit status 4), and how they are drawn. */

/* A feature that is switched on and that none of its hook sets can serve. */
bool cli_doctor_found(const struct weir_rows *r);

/* Says why a table of nothing has no rows, when the feature that fills it cannot run here (for the
 * core's own tables: when any cannot). CLI_OK when that is not the reason. */
int cli_doctor_explain(const struct weir_rows *doctor, const struct weir_table *table);

/* A line of the sums that is not as it must be: a byte without an owner. */
bool cli_audit_found(const struct weir_rows *r);

/* A line per hook set, and below it in words what it serves, why not more, and the cure. */
int cli_doctor_draw(const struct weir_rows *r, const struct cli_command *c,
		    const struct cli_request *rq, const struct cli_style *style,
		    struct weir_buf *out);

/* The sums and remainders. Where the terminal has no room for what they mean beside them, it stands
 * below those that count something or are not as they must be. */
int cli_audit_draw(const struct weir_rows *r, const struct cli_command *c,
		   const struct cli_request *rq, const struct cli_style *style,
		   struct weir_buf *out);
