// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/history.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/hash.h"

struct history_entry {
	struct tui_id id;
	struct tui_samples samples;
	UT_hash_handle hh;
};

struct tui_history {
	struct history_entry *entries;
};

/* --- names of rows --------------------------------------------------------------------------- */

static void mix(struct tui_id *id, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	id->a = weir_hash_fnv1a(id->a, bytes, n);
	for (size_t i = 0; i < n; i++) {
		id->b = (id->b ^ p[i]) * 0x9e3779b97f4a7c15ull;
		id->b ^= id->b >> 29;
	}
}

static const struct tui_id id_start = { WEIR_HASH_FNV1A, 0x2545f4914f6cdd1dull };

struct tui_id tui_id_of(const struct weir_rows *r, size_t row)
{
	struct tui_id id = id_start;
	struct weir_addr address;
	uint64_t number;

	for (unsigned i = 0; i < r->def->n_fields; i++) {
		uint8_t null = weir_cell_null(r, row, i);

		if (!(r->def->fields[i].flags & WEIR_FIELD_KEY))
			continue;
		mix(&id, &null, 1);
		if (null)
			continue;
		switch (r->def->fields[i].type) {
		case WEIR_TYPE_TEXT:
			mix(&id, weir_cell_text(r, row, i), strlen(weir_cell_text(r, row, i)) + 1);
			break;
		case WEIR_TYPE_ADDRESS:
			weir_cell_address(r, row, i, &address);
			mix(&id, address.bytes, sizeof(address.bytes));
			break;
		case WEIR_TYPE_UINT:
		case WEIR_TYPE_INT:
		case WEIR_TYPE_BOOL:
		case WEIR_TYPE_TIME:
		case _WEIR_TYPE_MAX:
			number = weir_cell_uint(r, row, i);
			mix(&id, &number, sizeof(number));
			break;
		}
	}
	return id;
}

struct tui_id tui_id_of_text(const char *text)
{
	struct tui_id id = id_start;

	mix(&id, "group", 6);
	mix(&id, text, strlen(text));
	return id;
}

bool tui_id_equal(struct tui_id x, struct tui_id y)
{
	return x.a == y.a && x.b == y.b;
}

bool tui_id_find(const struct weir_rows *r, struct tui_id id, size_t *ret_row)
{
	for (size_t i = 0; i < r->n; i++) {
		if (tui_id_equal(tui_id_of(r, i), id)) {
			*ret_row = i;
			return true;
		}
	}
	return false;
}

bool tui_id_none(struct tui_id x)
{
	return !x.a && !x.b;
}

/* --- the minute ------------------------------------------------------------------------------ */

struct tui_history *tui_history_new(void)
{
	return calloc(1, sizeof(struct tui_history));
}

struct tui_history *tui_history_free(struct tui_history *h)
{
	struct history_entry *e, *next;

	if (!h)
		return NULL;
	HASH_ITER(hh, h->entries, e, next)
	{
		HASH_DEL(h->entries, e);
		free(e);
	}
	free(h);
	return NULL;
}

static struct history_entry *find(const struct tui_history *h, struct tui_id id)
{
	struct history_entry *e;

	HASH_FIND(hh, h->entries, &id, sizeof(id), e);
	return e;
}

static struct history_entry *find_or_make(struct tui_history *h, struct tui_id id, uint64_t second)
{
	struct history_entry *e = find(h, id);

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->id = id;
	e->samples.last = second;
	for (unsigned i = 0; i < TUI_HISTORY_SECONDS; i++)
		e->samples.tx[i] = e->samples.rx[i] = -1;
	HASH_ADD(hh, h->entries, id, sizeof(id), e);
	return e;
}

static void forget_between(struct tui_samples *s, uint64_t second)
{
	uint64_t from = s->last + 1;

	if (second - s->last > TUI_HISTORY_SECONDS)
		from = second - TUI_HISTORY_SECONDS + 1;
	for (uint64_t t = from; t <= second; t++)
		s->tx[t % TUI_HISTORY_SECONDS] = s->rx[t % TUI_HISTORY_SECONDS] = -1;
	s->last = second;
}

void tui_history_add(struct tui_history *h, struct tui_id id, uint64_t second, uint64_t tx,
		     uint64_t rx, uint64_t retransmits)
{
	struct history_entry *before = find(h, id),
			     *e = before ? before : find_or_make(h, id, second);
	unsigned at = (unsigned)(second % TUI_HISTORY_SECONDS);

	if (!e || second < e->samples.last)
		return;
	if (second > e->samples.last)
		forget_between(&e->samples, second);
	if ((float)tx > e->samples.tx[at])
		e->samples.tx[at] = (float)tx;
	if ((float)rx > e->samples.rx[at])
		e->samples.rx[at] = (float)rx;
	if (before && retransmits > e->samples.retransmits)
		e->samples.rose = second;
	e->samples.retransmits = retransmits;
}

const struct tui_samples *tui_history_of(const struct tui_history *h, struct tui_id id)
{
	struct history_entry *e = find(h, id);

	return e ? &e->samples : NULL;
}

void tui_history_prune(struct tui_history *h, uint64_t second)
{
	struct history_entry *e, *next;

	HASH_ITER(hh, h->entries, e, next)
	{
		if (e->samples.last + TUI_HISTORY_SECONDS >= second)
			continue;
		HASH_DEL(h->entries, e);
		free(e);
	}
}

static float sample(const struct tui_samples *s, enum tui_samples_which which, uint64_t second)
{
	unsigned at = (unsigned)(second % TUI_HISTORY_SECONDS);
	float tx, rx;

	if (second > s->last || second + TUI_HISTORY_SECONDS <= s->last)
		return -1;
	tx = s->tx[at];
	rx = s->rx[at];
	switch (which) {
	case TUI_SAMPLES_TX:
		return tx;
	case TUI_SAMPLES_RX:
		return rx;
	case TUI_SAMPLES_SUM:
		break;
	}
	return tx < 0 ? rx : rx < 0 ? tx : tx + rx;
}

double tui_samples_recent(const struct tui_samples *s, enum tui_samples_which which, uint64_t second)
{
	double sum = 0;

	for (unsigned i = 0; s && i < TUI_RECENT_SECONDS; i++) {
		float v = sample(s, which, second - i);

		if (v > 0)
			sum += (double)v;
	}
	return sum;
}

void tui_samples_curve(const struct tui_samples *s, enum tui_samples_which which, uint64_t second,
		       unsigned width, float *ret, float *ret_peak)
{
	unsigned per = width ? (TUI_HISTORY_SECONDS + width - 1) / width : 1;
	uint64_t newest = second / per; /* columns are counted from the beginning of time */

	*ret_peak = 0;
	for (unsigned i = 0; i < width; i++) {
		uint64_t column = newest + 1 + i;
		float largest = -1;

		for (unsigned k = 0; s && k < per && column >= width; k++) {
			uint64_t t = (column - width) * per + k;
			float v = t <= second ? sample(s, which, t) : -1;

			if (v > largest)
				largest = v;
		}
		ret[i] = largest;
		if (largest > *ret_peak)
			*ret_peak = largest;
	}
}
