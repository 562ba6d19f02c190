// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/request.h"

/* `weir hooks`: a line per program, and below it one for each map that it uses, and with --bpftrace
 * the line that would show the same. With --columns it is a plain table, one row per program and
 * map. */
int cli_hooks_draw(const struct weir_rows *r, const struct cli_command *c,
		   const struct cli_request *rq, const struct cli_style *style,
		   struct weir_buf *out);
