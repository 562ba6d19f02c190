// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "core/snapshot.h"
#include "frontends/cli/history_span.h"

/* Of answers that follow each other and overlap, the rows that were not chosen before. Pure. */

struct cli_new {
	bool rates;            /* rows of history_rates; otherwise of history_events */
	uint64_t next_real_ns; /* where the next question may begin */
	/* events: those that may come again */
	struct cli_new_seen {
		uint64_t real_ns, hash;
	} *seen;
	size_t n_seen;
};

/* Steps count when they are over: whole, and past what may still be written. Events are told apart by all they say, and
 * may come late. The caller frees *ret_index (NULL when none), in the order of time. -ENOMEM. */
int cli_new_choose(struct cli_new *n, const struct weir_rows *rows, const struct cli_span_answered *span,
		   uint32_t **ret_index, size_t *ret_n);
void cli_new_done(struct cli_new *n);
