// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Which level answers for which part of a span, so that each second counts once. Times are seconds since the epoch. Pure. */

enum store_level {
	STORE_LEVEL_1S,
	STORE_LEVEL_10S,
	STORE_LEVEL_1MIN,
	STORE_LEVEL_1H,
	_STORE_LEVEL_MAX,
};

extern const uint32_t store_level_width[_STORE_LEVEL_MAX]; /* in seconds; each is a multiple of the one before */

/* What a level has: whole steps in [kept, rolled). kept is a multiple of the next level's width, and no finer level reaches
 * further back; no coarser one is rolled further than the finer ones. The finest has all up to now: rolled UINT64_MAX. */
struct store_reach {
	uint64_t kept[_STORE_LEVEL_MAX];
	uint64_t rolled[_STORE_LEVEL_MAX];
};

struct store_piece {
	enum store_level level;
	uint64_t from, to; /* multiples of the level's width */
};

#define STORE_PIECES_MAX 16

/* The finest level that still tells seconds apart at that time. */
enum store_level store_cover_finest(const struct store_reach *r, uint64_t time);

/* Pieces for [*from, *to), by `level` where it can, by finer ones at the edges and for what is not rolled up, by coarser
 * ones where nothing finer is kept: the span is widened to their steps then. Returns how many. */
unsigned store_cover(const struct store_reach *r, enum store_level level, uint64_t *from, uint64_t *to,
		     struct store_piece ret[STORE_PIECES_MAX]);
