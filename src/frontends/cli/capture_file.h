// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* The file that packets go to. Only whole blocks are written, so that it can be read at any time, and a disk that is full
 * leaves a file that ends with a whole block. */

struct capture_file {
	int fd; /* -1: none */
	const char *path; /* borrowed, as people named it */
	bool regular;
	struct weir_buf pending; /* blocks that are to be written */
	uint64_t size;		 /* of what was written, in whole blocks */
};

/* "-" is standard output. The file is emptied; a new one is its owner's alone, for it says who talks to whom. 0, or
 * -errno. */
int capture_file_open(struct capture_file *ret, const char *path);

/* Writes what is pending. -EPIPE: nobody reads any more. Another -errno: this is the end; what did not fit is cut off. */
int capture_file_flush(struct capture_file *f);

void capture_file_done(struct capture_file *f);
