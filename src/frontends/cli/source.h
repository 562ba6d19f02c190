// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/snapshot.h"
#include "frontends/cli/options.h"
#include "frontends/cli/request.h"

/* Where the numbers come from: the running daemon, a private one, or a recording. All of them
 * answer with the same JSON document, so what is drawn or printed does not depend on which.
 *
 * Functions return 0 or the exit status to end with, after one line on standard error. */

struct cli_source;

/* The daemon that answers on --socket, WEIR_SOCKET or the usual place. When none does at the usual
 * place, a private one is started for as long as the source is open. */
int cli_source_open(const struct cli_command *c, struct cli_source **ret);

/* The daemon on this socket; the path is copied. */
int cli_source_open_socket(const char *path, struct cli_source **ret);

/* A recording; it stands in front of its first snapshot. speed: times as fast as recorded; 0: no
 * waiting. */
int cli_source_open_replay(const char *path, double speed, struct cli_source **ret);

bool cli_source_is_replay(const struct cli_source *s);

/* A daemon of this command's own, which began to look just now. */
bool cli_source_is_private(const struct cli_source *s);

/* Where its daemon answers; NULL: it has none. Borrowed. */
const char *cli_source_socket(const struct cli_source *s);

struct cli_source *cli_source_free(struct cli_source *s); /* accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct cli_source, cli_source_free)

/* Goes on: a daemon's next second (interval_ns after the last time; at once the first time), a
 * recording's next snapshot at its time. *ret_end: the recording has no further one. */
int cli_source_next(struct cli_source *s, uint64_t interval_ns, bool *ret_end);

/* A recording goes to its last snapshot; a daemon is there already. A damaged recording is shown up
 * to the damage: *ret_status is then the exit status for the end, and what is damaged was said. */
int cli_source_last(struct cli_source *s, int *ret_status);

/* Lets a daemon measure for a while; a recording has done so. */
int cli_source_pause(struct cli_source *s, uint64_t ns);

/* The document that answers rq, without a line's end. fields: only the columns' fields are asked
 * for. */
int cli_source_fetch(struct cli_source *s, const struct cli_request *rq, bool fields,
		     struct weir_buf *ret_body);

/* The same without a line: 0, or -errno with what cli_fail_error() takes in *ret_error. -EAGAIN and
 * -ETIMEDOUT may be over at the next question. */
int cli_source_try(struct cli_source *s, const struct cli_request *rq, bool fields,
		   struct weir_buf *ret_body, char **ret_error);

/* The path that --socket, WEIR_SOCKET or the usual place give. *ret_named: it is not the usual one.
 */
const char *cli_socket_path(const struct cli_command *c, bool *ret_named);
