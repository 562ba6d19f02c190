// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Exit statuses; the same for every object. */
enum cli_status {
	CLI_OK = 0,
	CLI_FAILED = 1, /* run-time error */
	CLI_USAGE = 2,
	CLI_IMPOSSIBLE = 3, /* not possible here: privilege, kernel */
	CLI_CONDITION = 4,  /* found what was looked for: doctor, audit */
	CLI_INTERRUPTED = 130,
	CLI_TERMINATED = 143,
};

/* Says in one line on standard error what went wrong ("weir: ..."), whatever the text holds, and
 * returns status. */
int cli_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for an error number and the line that came with it, if any: usage errors (-EINVAL,
 * -EBADRQC) give 2, missing rights 3, an interruption says nothing. Frees line. */
int cli_fail_error(int error, char *line);

/* Writes all of it to standard output. CLI_OK, or a status to end with: when nobody reads any more
 * (| head) the end is quiet. A buffer that ran out of memory counts as a failure too. *ret_end
 * tells the two ends from going on: a reader that went away is CLI_OK with *ret_end set. ret_end
 * may be NULL. */
int cli_output(const struct weir_buf *b, bool *ret_end);
