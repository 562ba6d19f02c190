// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/history_new.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "core/history.h"

#define NS_PER_S 1000000000ull
/* The engine tells the store once a second what happened in the one before. */
#define OPEN_NS (2 * NS_PER_S)
/* As long as an event may come late. */
#define LATE_NS (10 * NS_PER_S)

static int by_time(const void *a, const void *b, void *user)
{
	const struct weir_rows *r = user;
	uint64_t x = weir_cell_uint(r, *(const uint32_t *)a, 0), y = weir_cell_uint(r, *(const uint32_t *)b, 0);

	if (x != y)
		return x < y ? -1 : 1;
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}
_Static_assert(HISTORY_RATES_TIME == 0 && HISTORY_EVENTS_TIME == 0, "the time stands first");

/* --- steps ----------------------------------------------------------------------------------- */

static bool step_is_new(struct cli_new *n, const struct weir_rows *r, size_t row, uint64_t now)
{
	uint64_t begin = weir_cell_uint(r, row, HISTORY_RATES_TIME);
	uint64_t end = begin + weir_cell_uint(r, row, HISTORY_RATES_SECONDS) * NS_PER_S;

	if (begin < n->next_real_ns || end + OPEN_NS > now)
		return false;
	return true;
}

static void steps_are_shown(struct cli_new *n, const struct weir_rows *r, const uint32_t *index, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t end = weir_cell_uint(r, index[i], HISTORY_RATES_TIME) +
			       weir_cell_uint(r, index[i], HISTORY_RATES_SECONDS) * NS_PER_S;

		if (end > n->next_real_ns)
			n->next_real_ns = end;
	}
}

/* --- events ---------------------------------------------------------------------------------- */

/* Ends in a byte that UTF-8 has not, so that what ends one text can't begin the next. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	return weir_hash_fnv1a(weir_hash_fnv1a(hash, text, text ? strlen(text) : 0), "\xff", 1);
}

static struct cli_new_seen event_of(const struct weir_rows *r, size_t row)
{
	uint64_t hash = WEIR_HASH_FNV1A;

	hash = hash_text(hash, weir_cell_text(r, row, HISTORY_EVENTS_KIND));
	hash = hash_text(hash, weir_cell_text(r, row, HISTORY_EVENTS_PROGRAM));
	hash = hash_text(hash, weir_cell_text(r, row, HISTORY_EVENTS_SUMMARY));
	return (struct cli_new_seen){ .real_ns = weir_cell_uint(r, row, HISTORY_EVENTS_TIME), .hash = hash };
}

static bool event_is_new(const struct cli_new *n, const struct weir_rows *r, size_t row)
{
	struct cli_new_seen e = event_of(r, row);

	if (e.real_ns < n->next_real_ns)
		return false;
	for (size_t i = 0; i < n->n_seen; i++)
		if (n->seen[i].real_ns == e.real_ns && n->seen[i].hash == e.hash)
			return false;
	return true;
}

/* Those that no further answer has are forgotten. */
static void forget_before(struct cli_new *n, uint64_t real_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->n_seen; i++)
		if (n->seen[i].real_ns >= real_ns)
			n->seen[kept++] = n->seen[i];
	n->n_seen = kept;
}

static int events_are_shown(struct cli_new *n, const struct weir_rows *r, const uint32_t *index, size_t count, uint64_t now)
{
	uint64_t next = now > LATE_NS ? now - LATE_NS : 0;
	struct cli_new_seen *more;

	if (count) {
		more = reallocarray(n->seen, n->n_seen + count, sizeof(*more));
		if (!more)
			return -ENOMEM;
		n->seen = more;
		for (size_t i = 0; i < count; i++)
			n->seen[n->n_seen++] = event_of(r, index[i]);
	}
	if (next > n->next_real_ns)
		n->next_real_ns = next;
	forget_before(n, n->next_real_ns);
	return 0;
}

/* --- both ------------------------------------------------------------------------------------ */

int cli_new_choose(struct cli_new *n, const struct weir_rows *rows, const struct cli_span_answered *span,
		   uint32_t **ret_index, size_t *ret_n)
{
	/* The span may be widened to whole steps, so it may end later than now. */
	uint64_t now = span->to_real_ns && span->to_real_ns < span->real_ns ? span->to_real_ns : span->real_ns;
	uint32_t *index = rows->n ? calloc(rows->n, sizeof(*index)) : NULL;
	size_t count = 0;
	int r = 0;

	if (rows->n && !index)
		return -ENOMEM;
	for (size_t i = 0; i < rows->n; i++)
		if (n->rates ? step_is_new(n, rows, i, now) : event_is_new(n, rows, i))
			index[count++] = (uint32_t)i;
	if (count)
		qsort_r(index, count, sizeof(*index), by_time, (void *)rows);
	if (n->rates)
		steps_are_shown(n, rows, index, count);
	else
		r = events_are_shown(n, rows, index, count, now);
	if (r < 0) {
		free(index);
		return r;
	}
	*ret_index = index;
	*ret_n = count;
	return 0;
}

void cli_new_done(struct cli_new *n)
{
	free(n->seen);
	*n = (struct cli_new){};
}
