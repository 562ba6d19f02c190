// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Points in the past as people say them, and as they read them. Local time is that of TZ. */

/* Where summer time ends, an hour of local time is there twice: a span that begins in it begins at the first, one that
 * ends in it ends at the second, so that nothing of it is left out. */
enum cli_when_end {
	CLI_WHEN_SINCE,
	CLI_WHEN_UNTIL,
};

#define CLI_WHEN_FORMS "2h, 14:02, yesterday, \"2026-11-22 14:02\" or 2026-11-22T14:02:00Z"

/* Parses a time: "now"; "2h", "-2h", "90s", "1h30m", "2 hours ago" (s, m, h, d of 24 hours, w; "-3600" are seconds);
 * "14:02[:05]", the last that was; "today", "yesterday", where the day begins, also with a time of day; "2026-11-22
 * [14:02[:05]]"; times of day are local unless they end in Z, UTC or +01:00, so that RFC 3339 is read too; "@1763820120"
 * in seconds since 1970. A local time that the clocks jumped over is the moment of the jump.
 * what: the option that it is for, as the error names it. -EINVAL with one line (what, where, the cure; caller frees) for
 * anything else, and for a time in the future; -ENOMEM. *ret is untouched then. */
int cli_when_parse(const char *what, const char *text, uint64_t now_real_ns, enum cli_when_end end, uint64_t *ret_real_ns,
		   char **ret_error);

/* A length of time: "10s", "5m", "90", in seconds, at least one. -EINVAL with one line, -ENOMEM. */
int cli_when_step(const char *what, const char *text, uint64_t *ret_seconds, char **ret_error);

#define CLI_WHEN_TEXT 40

/* A point in time as short as it is clear beside the other one: "14:02:05" on the same local day, "11-22 14:02" in the
 * same year, "2025-11-22 14:02" otherwise. buf is returned. */
const char *cli_when_short(uint64_t real_ns, uint64_t beside_real_ns, char buf[CLI_WHEN_TEXT]);

/* The same always with date and second: "2026-11-22 14:02:05". */
const char *cli_when_full(uint64_t real_ns, char buf[CLI_WHEN_TEXT]);

/* "10 s", "5 min", "1 h", "2 days": a length of time in the largest unit that it is whole in. */
const char *cli_when_span(uint64_t seconds, char buf[CLI_WHEN_TEXT]);
