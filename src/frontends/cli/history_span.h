// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "frontends/cli/options.h"

/* Which part of the past is asked for, and which was answered. */

struct cli_span {
	uint64_t from_real_ns; /* 0: no part of the past is asked for */
	uint64_t to_real_ns;   /* 0: until now */
	uint64_t from2_real_ns, to2_real_ns; /* what it is compared with; both 0: what was just before */
	uint64_t step_s;       /* 0: what fits the span */
};

/* From --since, --until, --since2, --until2 and --step; usual_s: how long it is when none is given. Of the span to compare
 * with one end is enough: it is as long then, up to now at most. -EINVAL with one line, -ENOMEM. */
int cli_span_read(const struct cli_command *c, uint64_t usual_s, uint64_t now_real_ns, struct cli_span *ret,
		  char **ret_error);

/* Appends from=, to=, from2=, to2= and step= to a URL. */
void cli_span_url(const struct cli_span *span, struct weir_buf *url);

/* What an answer's envelope says; 0 where it says nothing. */
struct cli_span_answered {
	uint64_t from_real_ns, to_real_ns;
	uint64_t step_s;
	uint64_t real_ns; /* when it was answered */
	uint64_t day_real_ns; /* where the day began in which the span ends, by the daemon's clocks */
	int64_t utc_offset_s; /* of those clocks then */
};

/* Reads it from the members in front of the rows, whatever they look like; -EBADMSG when it is no document. */
int cli_span_answered(const char *text, size_t len, struct cli_span_answered *ret);

/* What time it is there: a recording that is played has another one than this host. *real_ns stays when the other is the
 * same but for seconds, or does not tell. *ret_day_real_ns, if not NULL: where today began there; 0: it does not tell. */
struct cli_source;
void cli_span_there(struct cli_source *source, uint64_t *real_ns, uint64_t *ret_day_real_ns);
