// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* Asks the daemon, by HTTP over its Unix socket. The connection stays open between questions. */

struct cli_client;

/* path: the socket; copied. interrupted is asked a few times a second while waiting, and true ends
 * a question with -EINTR; NULL: never. -ENOMEM, or -ENAMETOOLONG for a path that no Unix socket can
 * have. */
int cli_client_new(const char *path, bool (*interrupted)(void), struct cli_client **ret);
struct cli_client *cli_client_free(struct cli_client *c); /* accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct cli_client, cli_client_free)

/* Whether somebody listens there: 0; -ENOENT or -ECONNREFUSED: nobody; -EACCES: not for this user.
 */
int cli_client_probe(const char *path);

/* The process at the other end, as the kernel names it; 0 when nobody listens. */
pid_t cli_client_peer(const char *path);

/* GET url ("/api/v1/flows?limit=3"). On success *ret_body has the body. On failure one line is in
 * *ret_error (what, on which socket, why, the cure; caller frees):
 *
 * - -ENOENT, -ECONNREFUSED, -EACCES: as above
 * - -EBADRQC: the daemon refused the question (400 and the like); the line is its own
 * - -EPERM: 401, 403
 * - -ETIMEDOUT: no answer in time
 * - -EAGAIN: 503, it is too busy now
 * - -EINTR: interrupted; no line
 * - -EREMOTEIO: anything else, such as a broken answer */
int cli_client_get(struct cli_client *c, const char *url, struct weir_buf *ret_body,
		   char **ret_error);
