// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/snapshot.h"
#include "frontends/cli/explain_story.h"

/* Documents in, facts out. Pure but for the language and the local time zone. */

/* What the daemon answered. A table that it did not answer has no rows. */
struct explain_documents {
	struct weir_rows processes; /* those that are asked for, largest first */
	struct weir_rows flows;     /* theirs, or the sockets that are asked for; largest first */
	struct weir_rows drops;     /* theirs */
	struct weir_rows findings;  /* all */
	struct weir_rows days;      /* of today, of their program */
	struct weir_rows peers;     /* of today, of their program; largest first */
	struct weir_rows past;      /* their program today */
	struct weir_rows changes, events;
	bool drops_known;
	uint64_t now_real_ns, today_real_ns; /* today began there by the daemon's clocks; 0: nothing is known of it */
	uint64_t from_real_ns, to_real_ns; /* of a moment */
	const char *name;                  /* as it was asked for */
};

void explain_tell_process(const struct explain_documents *d, struct explain_story *s);
void explain_tell_flows(const struct explain_documents *d, struct explain_story *s);
void explain_tell_moment(const struct explain_documents *d, struct explain_story *s);

/* "10.0.0.1:443", "[fe80::1]:443", "example.com:443 (10.0.0.1)": an end of a row of flows, by the fields of that side. */
enum explain_side {
	EXPLAIN_LOCAL,
	EXPLAIN_PEER,
};
void explain_end_text(const struct weir_rows *r, size_t row, enum explain_side side, struct weir_buf *out);
