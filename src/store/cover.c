// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/cover.h"

const uint32_t store_level_width[_STORE_LEVEL_MAX] = {
	[STORE_LEVEL_1S] = 1,
	[STORE_LEVEL_10S] = 10,
	[STORE_LEVEL_1MIN] = 60,
	[STORE_LEVEL_1H] = 3600,
};

static uint64_t down(uint64_t t, uint32_t width)
{
	return t - t % width;
}

static uint64_t up(uint64_t t, uint32_t width)
{
	return t % width ? t - t % width + width : t;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

enum store_level store_cover_finest(const struct store_reach *r, uint64_t time)
{
	for (unsigned l = 0; l + 1 < _STORE_LEVEL_MAX; l++)
		if (time >= r->kept[l])
			return (enum store_level)l;
	return STORE_LEVEL_1H;
}

/* Where a piece of the level that begins at t ends; t itself: it cannot begin here. A finer piece
 * ends where the next coarser one, up to `level`, could go on. */
static uint64_t piece_end(const struct store_reach *r, enum store_level level, unsigned l,
			  uint64_t t, uint64_t to)
{
	uint32_t width = store_level_width[l];
	uint64_t end = down(least(to, r->rolled[l]), width), next;

	if (t % width || t < r->kept[l] || end <= t)
		return t;
	for (unsigned coarser = l + 1; coarser <= level; coarser++) {
		next = up(t, store_level_width[coarser]);
		if (next > t && next < end &&
		    next + store_level_width[coarser] <= least(to, r->rolled[coarser]))
			end = next;
	}
	return end;
}

/* The best level for what begins at t: as coarse as wanted, else finer, else, where nothing finer
 * is kept, coarser. */
static enum store_level piece_level(const struct store_reach *r, enum store_level level, uint64_t t,
				    uint64_t to, uint64_t *ret_end)
{
	for (unsigned l = level + 1; l-- > 0;) {
		*ret_end = piece_end(r, level, l, t, to);
		if (*ret_end > t)
			return (enum store_level)l;
	}
	/* Between what is kept by a finer level there is the coarser one's, up to where the finer
	 * begins. */
	for (unsigned l = store_cover_finest(r, t);; l++) {
		uint64_t limit = l ? least(up(to, store_level_width[l]), r->kept[l - 1]) : to;

		*ret_end = down(least(limit, r->rolled[l]), store_level_width[l]);
		if (*ret_end > t || l == STORE_LEVEL_1H) {
			if (*ret_end <= t)
				*ret_end = to > t ? to : t + 1;
			return (enum store_level)l;
		}
	}
}

unsigned store_cover(const struct store_reach *r, enum store_level level, uint64_t *from,
		     uint64_t *to, struct store_piece ret[STORE_PIECES_MAX])
{
	unsigned n = 0;
	uint64_t t;

	*from = down(*from, store_level_width[store_cover_finest(r, *from)]);
	if (*to > *from)
		*to = up(*to, store_level_width[store_cover_finest(r, *to - 1)]);
	for (t = *from; t < *to && n < STORE_PIECES_MAX; n++) {
		ret[n].level = piece_level(r, level, t, *to, &ret[n].to);
		ret[n].from = t;
		t = ret[n].to;
	}
	return n;
}
