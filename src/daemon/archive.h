// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The process "store": it alone opens the file of history. Batches come from the engine, questions from the gate. */

struct weir_archive_options {
	const char *folder;    /* of the file; NULL: history is kept in memory */
	const char *no_file;   /* then: why, if that was not asked for; one line with the cure */
	uint64_t limit_bytes;  /* 0: the store's own */
	uint64_t *newest_ns;   /* in memory that the next store has, too: the newest second that was taken */
	uint64_t away_ns;      /* how long there was none, in a daemon that runs; 0: it begins */
	bool played;           /* times are a recording's: now is where that is */
	const char *host;      /* then: where it was made */
	int keeper_sock;
};

/* Called after fork with full rights; gives them up before it opens the file. Returns an exit status. */
int weir_archive_run(const struct weir_archive_options *o);
