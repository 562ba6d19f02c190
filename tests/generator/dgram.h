// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "cases.h"

#define DATAGRAM 1000

static inline size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The receiver's socket, bound and made known; the sender's, connected to it. */
struct end dgram_listen(const struct instance *i);
struct end dgram_connect(const struct instance *i);
/* Counts what a receiving call returned, and tells the sender that it may go on. */
size_t dgram_took(struct end *e, ssize_t r, const char *what);
