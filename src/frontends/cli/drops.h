// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/request.h"

/* A line per loss, and below those that ought not to be what they mean and what to do; with --sample also the packet that
 * was looked at last, and how the kernel came there. */
int cli_drops_draw(const struct weir_rows *r, const struct cli_command *c, const struct cli_request *rq,
		   const struct cli_style *style, struct weir_buf *out);

/* Sentences, each with what to do below it; one line when there is none. */
int cli_findings_draw(const struct weir_rows *r, const struct cli_command *c, const struct cli_request *rq,
		      const struct cli_style *style, struct weir_buf *out);
