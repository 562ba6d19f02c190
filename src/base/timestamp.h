// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Calendar time as text: RFC 3339, UTC. */

#define WEIR_TIMESTAMP_TEXT 28 /* "2026-01-31T23:59:59.123456Z" and its NUL */

/* Writes ns since the epoch with microseconds (what is below is cut off) and returns the length. */
size_t weir_timestamp_format(uint64_t real_ns, char buf[WEIR_TIMESTAMP_TEXT]);

/* Parses "2026-01-31T23:59:59Z", with up to nine decimals of a second, or a day alone, "2026-01-31".
 * -EINVAL: not such a time, no such day, before 1970 or past what 64 bits hold; *ret is untouched then. */
int weir_timestamp_parse(const char *text, uint64_t *ret_real_ns);
