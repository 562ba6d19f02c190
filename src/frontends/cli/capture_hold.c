// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/capture_hold.h"

#include <stdlib.h>

struct capture_held *capture_held_new(uint32_t len)
{
	struct capture_held *p = malloc(sizeof(*p) + len);

	if (!p)
		return NULL;
	*p = (struct capture_held){ .len = len, .original_len = len };
	return p;
}

static size_t memory_of(const struct capture_held *p)
{
	return sizeof(*p) + p->len;
}

void capture_hold_add(struct capture_hold *h, enum capture_lane lane, struct capture_held *p)
{
	p->next = NULL;
	if (h->lanes[lane].last)
		h->lanes[lane].last->next = p;
	else
		h->lanes[lane].first = p;
	h->lanes[lane].last = p;
	h->packets++;
	h->bytes += memory_of(p);
}

static enum capture_lane first_lane(const struct capture_hold *h)
{
	const struct capture_held *live = h->lanes[CAPTURE_LANE_LIVE].first;
	const struct capture_held *dropped = h->lanes[CAPTURE_LANE_DROPPED].first;

	if (!live || !dropped)
		return live ? CAPTURE_LANE_LIVE : CAPTURE_LANE_DROPPED;
	return dropped->real_ns < live->real_ns ? CAPTURE_LANE_DROPPED : CAPTURE_LANE_LIVE;
}

struct capture_held *capture_hold_first(const struct capture_hold *h)
{
	return h->lanes[first_lane(h)].first;
}

struct capture_held *capture_hold_take(struct capture_hold *h)
{
	enum capture_lane lane = first_lane(h);
	struct capture_held *p = h->lanes[lane].first;

	if (!p)
		return NULL;
	h->lanes[lane].first = p->next;
	if (!p->next)
		h->lanes[lane].last = NULL;
	h->packets--;
	h->bytes -= memory_of(p);
	return p;
}

void capture_hold_done(struct capture_hold *h)
{
	struct capture_held *p;

	while ((p = capture_hold_take(h)))
		free(p);
}
