// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "frontends/web/request.h"

/* Requests for tables of the past wait here, suspended, until the store has answered. It is asked one thing at a time, for
 * whose account had least first. */

/* Suspends the request. */
void web_past_later(struct web_request *r, uint64_t now_ns);

/* Takes a waiting request out. */
void web_past_never(struct web_request *r);

/* Another store is there; takes the descriptor over. What the one before was asked is asked again. */
void web_past_connect(struct web_server *server, int sock);

/* Reads what the store says; closes the descriptor when it is gone. */
void web_past_hear(struct web_server *server, uint64_t now_ns);

/* Asks the next question if none is out; tells those that waited too long. */
void web_past_run(struct web_server *server, uint64_t now_ns);

/* How long until web_past_run() has something to do; UINT64_MAX: not by itself. */
uint64_t web_past_wait_ns(const struct web_server *server, uint64_t now_ns);
