// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/aio_abi.h>

#include "cases.h"

/* What both sides of the pairs use. */

static inline size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One read or write through io_submit(); skips the scene where the kernel has no such thing. */
aio_context_t aio_open(void);
ssize_t aio_call(aio_context_t context, int fd, uint16_t opcode, size_t n);

/* Senders that the receivers' table names too. */
void tx_zerocopy(struct end *e, size_t n);
void tx_pieces(struct end *e, size_t n); /* slowly, in five pieces */
void tx_partial(struct end *e, size_t n);
