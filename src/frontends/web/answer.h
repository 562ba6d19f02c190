// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "frontends/web/request.h"

/* Requests that need a snapshot newer than themselves wait here, suspended. */

/* Suspends the request and lets the engine be asked. */
void web_answer_later(struct web_request *r, uint64_t now_ns);

/* Takes a waiting request out. */
void web_answer_never(struct web_request *r);

/* Answers what the newest snapshot can answer, whose account had least first, for as long as a turn
 * may take; tells those that waited too long. */
void web_answers_run(struct web_server *server, uint64_t now_ns);

/* How long until web_answers_run() has something to do; UINT64_MAX: not by itself. */
uint64_t web_answers_wait_ns(const struct web_server *server, uint64_t now_ns);
