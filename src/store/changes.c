// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/changes.h"

#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/units.h"

#define LEAST_SHARE \
	0.005 /* of the difference of its kind: less is no line, unless it is new or gone */
#define LEAST_FACTOR 0.1 /* it must have changed by a tenth of what it was */
#define NEW_BONUS 0.02
#define EXPECTED_WEIGHT 0.05 /* it is there in case that it explains something, and leads nothing */

static const struct {
	const char *unit;
	double weight; /* against other kinds: packets that were lost say more than bytes that were
			  sent */
	double least;  /* smaller differences are noise */
} kinds[_STORE_CHANGE_MAX] = {
	[STORE_CHANGE_PROGRAM] = { "bytes", 1.0, 1024 },
	[STORE_CHANGE_PEER] = { "bytes", 0.8,
				1024 }, /* tells apart what a program's line has said */
	[STORE_CHANGE_LOSS] = { "packets", 0.9, 2 },
	[STORE_CHANGE_EVENT] = { "count", 0.5, 1 },
};

const char *store_change_unit(enum store_change_kind kind)
{
	return kinds[kind].unit;
}

double store_change_scaled(uint64_t before, uint64_t before_seconds, uint64_t after_seconds)
{
	return before_seconds ? (double)before * (double)after_seconds / (double)before_seconds : 0;
}

static int by_score(const void *x, const void *y)
{
	const struct store_change *a = x, *b = y;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static double difference(const struct store_change *c)
{
	return fabs(c->after - c->before);
}

static bool is_change(const struct store_change *c, double share)
{
	double larger = c->after > c->before ? c->after : c->before;

	if (difference(c) < kinds[c->kind].least || difference(c) < LEAST_FACTOR * larger)
		return false;
	return share >= LEAST_SHARE || c->before <= 0 || c->after <= 0;
}

size_t store_changes_rank(struct store_change *list, size_t n, size_t max)
{
	double all[_STORE_CHANGE_MAX] = { 0 };
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		all[list[i].kind] += difference(&list[i]);
	for (size_t i = 0; i < n; i++) {
		struct store_change *c = &list[i];
		double share = all[c->kind] > 0 ? difference(c) / all[c->kind] : 0;

		if (!is_change(c, share))
			continue;
		c->score = share * kinds[c->kind].weight * (c->expected ? EXPECTED_WEIGHT : 1) +
			   (c->is_new && c->before <= 0 && !c->expected ? NEW_BONUS : 0);
		list[left++] = *c;
	}
	if (left)
		qsort(list, left, sizeof(*list), by_score);
	return left < max ? left : max;
}

/* --- in words -------------------------------------------------------------------------------- */

static void amount(enum store_change_kind kind, double value, uint64_t seconds,
		   char ret[WEIR_UNITS_TEXT])
{
	uint64_t v = value >= 0x1p63 ? UINT64_MAX : (uint64_t)value;

	if (kind == STORE_CHANGE_PROGRAM || kind == STORE_CHANGE_PEER)
		weir_units_rate(seconds ? v / seconds : v, ret);
	else
		weir_units_count(v, ret);
}

static const char *verb(enum store_change_kind kind)
{
	static const char *const verbs[_STORE_CHANGE_MAX] = {
		[STORE_CHANGE_PROGRAM] = "moved",
		[STORE_CHANGE_PEER] = "moved",
		[STORE_CHANGE_LOSS] = "were",
		[STORE_CHANGE_EVENT] = "were",
	};

	return verbs[kind];
}

void store_change_sentence(const struct store_change *c, const char *who, uint64_t seconds,
			   struct weir_buf *out)
{
	char before[WEIR_UNITS_TEXT], after[WEIR_UNITS_TEXT];

	amount(c->kind, c->before, seconds, before);
	amount(c->kind, c->after, seconds, after);
	if (c->before <= 0)
		weir_buf_printf(out, "%s %s %s, and nothing before%s", who, verb(c->kind), after,
				c->is_new ? ": it is new" : "");
	else if (c->after <= 0)
		weir_buf_printf(out, "%s %s %s before, and nothing now", who, verb(c->kind),
				before);
	else if (c->after > c->before)
		weir_buf_printf(out, "%s rose from %s to %s", who, before, after);
	else
		weir_buf_printf(out, "%s fell from %s to %s", who, before, after);
}
