// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "core/record.h"

/* Writes records to a file as the engine reads them. The file begins with a head that names version, host and
 * features. Written in large pieces with a checksum each, flushed at each tick; the end mark says that it is whole. */

struct weir_recorder;

/* Takes the descriptor over. Where something was written to it before, by one who died, nothing more is: the file stays
 * cut there, and weir_recorder_flush() says -EOWNERDEAD. */
int weir_recorder_new(int fd, const char *host, struct weir_recorder **ret);
struct weir_recorder *weir_recorder_free(struct weir_recorder *r); /* flushes, sets the end mark; accepts NULL, returns NULL */

void weir_recorder_put(struct weir_recorder *r, uint16_t source, uint16_t type, uint64_t mono_ns,
		       const void *bytes, uint32_t len);
/* The first error of writing so far (disk full: the recording ends there, the daemon goes on), or 0. */
int weir_recorder_flush(struct weir_recorder *r);
