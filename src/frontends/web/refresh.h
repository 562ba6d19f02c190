// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* When to ask the engine for a newer snapshot. Questions that arrive together share one; those that
 * arrive while one is under way share the next. Pure: the caller brings the clock. */

#define WEB_REFRESH_INTERVAL_NS (20ull * 1000 * 1000)
#define WEB_REFRESH_AGAIN_NS (1000ull * 1000 * 1000) /* asked once more when nothing came back */

/* Zero-initialise it. */
struct web_refresh {
	uint64_t sent;	     /* serial of the newest question */
	uint64_t answered;   /* serial of the newest answer */
	uint64_t sent_at_ns; /* when the newest question left */
	bool wanted;	     /* somebody came after it */
};

/* Notes that somebody wants an answer from now on; returns the serial that answers it. */
uint64_t web_refresh_want(struct web_refresh *r);

/* Whether a question is due. True: *ret_serial is to be sent, then web_refresh_sent() is called. */
bool web_refresh_due(const struct web_refresh *r, uint64_t now_ns, uint64_t *ret_serial);
void web_refresh_sent(struct web_refresh *r, uint64_t serial, uint64_t now_ns);

/* A snapshot with that serial came. A serial that was never sent is passed over. */
void web_refresh_answer(struct web_refresh *r, uint64_t serial);

/* How long until a question may be due: UINT64_MAX when none will be by itself. */
uint64_t web_refresh_wait_ns(const struct web_refresh *r, uint64_t now_ns);
