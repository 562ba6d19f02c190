// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Numbers for people: SI steps of 1000, three significant digits, exact below 1000. */

#define WEIR_UNITS_TEXT 16

/* Each writes into buf, always terminated, and returns buf. */
const char *weir_units_bytes(uint64_t bytes, char buf[WEIR_UNITS_TEXT]);          /* "999 B", "1.5 MB" */
const char *weir_units_rate(uint64_t bytes_per_second, char buf[WEIR_UNITS_TEXT]); /* "1.5 MB/s" */
const char *weir_units_count(uint64_t count, char buf[WEIR_UNITS_TEXT]);          /* "999", "1.5 M" */
const char *weir_units_duration(uint64_t ns, char buf[WEIR_UNITS_TEXT]);          /* "850 ns", "1.2 ms", "3 h" */

/* Parses a count as people write it: "20k", "1.5M", "2Gi", "512", each also with B at its end. k, M, G, T, P, E are
 * powers of 1000; Ki, Mi, ... of 1024. -EINVAL: not a count, or not a whole number; -ERANGE: 2^64 or more.
 * *ret is untouched then. */
int weir_units_parse(const char *text, uint64_t *ret);

/* Parses a time such as "1.5ms" or "20s" (ns, us, ms, s, m, h, d) into nanoseconds. Errors as above. */
int weir_units_parse_duration(const char *text, uint64_t *ret_ns);
