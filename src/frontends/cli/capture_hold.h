// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frontends/cli/capture_packet.h"

/* Packets that wait until their flows are known. Each source hands over in the order of time; together they leave in that
 * order too. Zero-initialised it is ready. */

enum capture_lane {
	CAPTURE_LANE_LIVE,
	CAPTURE_LANE_DROPPED,
	_CAPTURE_LANE_MAX,
};

struct capture_held {
	struct capture_held *next;
	uint64_t real_ns, taken_mono_ns; /* when it was on its way; when it came here */
	uint64_t cookie;
	const char *reason, *place; /* borrowed; NULL: it was not dropped */
	uint32_t interface;
	uint32_t netns;
	uint32_t len, original_len;
	enum capture_way way;
	bool cookie_sends; /* as capture_question has it */
	uint8_t bytes[];
};

struct capture_hold {
	struct {
		struct capture_held *first, *last;
	} lanes[_CAPTURE_LANE_MAX];
	size_t packets, bytes; /* of memory */
};

/* A packet with room for len bytes, not yet in the queue; NULL when memory ran out. */
struct capture_held *capture_held_new(uint32_t len);

void capture_hold_add(struct capture_hold *h, enum capture_lane lane, struct capture_held *p);

/* The one to leave next, which stays in; NULL: none is left. */
struct capture_held *capture_hold_first(const struct capture_hold *h);

/* Takes that one out; the caller frees it. */
struct capture_held *capture_hold_take(struct capture_hold *h);

void capture_hold_done(struct capture_hold *h);
