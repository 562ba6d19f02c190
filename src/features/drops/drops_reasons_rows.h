// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The parts of the one table, by where in the stack a packet is lost. Private to drops_reasons*.c. */

#include <stddef.h>

#include "features/drops/drops_reasons.h"

struct drops_rows {
	const struct drops_meaning *rows;
	size_t n;
};

extern const struct drops_rows drops_rows_socket;     /* sockets and TCP */
extern const struct drops_rows drops_rows_ip;         /* IP, neighbours, tunnels, filters */
extern const struct drops_rows drops_rows_device;     /* devices, queues, frames */
extern const struct drops_rows drops_rows_subsystems; /* Wi-Fi and Open vSwitch have reasons of their own */
extern const struct drops_rows drops_rows_counted;    /* weir's own: counters, not packets */
extern const struct drops_rows drops_rows_places;     /* where the kernel does not say why, and the place tells */

#define DROPS_ROWS(array) { .rows = (array), .n = sizeof(array) / sizeof((array)[0]) }

/* Classes and layers are written without DROPS_, headlines before sentences before advice. */
#define ROW(r, c, l, h, s, a) \
	{ .reason = (r), .class = DROPS_##c, .layer = DROPS_##l, .headline = (h), .sentence = (s), .advice = (a) }
/* The reason r means something else in function p. */
#define ROW_AT(r, p, c, l, h, s, a) \
	{ .reason = (r), .place = (p), .class = DROPS_##c, .layer = DROPS_##l, \
	  .headline = (h), .sentence = (s), .advice = (a) }
/* Freed with reason r in function p, after it was used: no loss. */
#define USED_AT(r, p, l, s) \
	{ .reason = (r), .place = (p), .is = DROPS_IS_CONSUMED, .class = DROPS_EXPECTED, .layer = DROPS_##l, .sentence = (s) }
/* The kernel says NOT_SPECIFIED in function p; newer ones say i. */
#define PLACE(p, i, c, l, h, s, a) \
	{ .reason = "NOT_SPECIFIED", .place = (p), .is = (i), .class = DROPS_##c, .layer = DROPS_##l, \
	  .headline = (h), .sentence = (s), .advice = (a) }
