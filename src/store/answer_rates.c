// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/snapshot.h"
#include "store/store_private.h"

/* The curve of a span: of the host, or of the subjects that a filter chooses and the viewer may
 * see. */

#define STEPS_WANTED 600
#define STEPS_MAX 5000

static const uint32_t round_steps[] = { 1,    2,     5,	    10,	   20,	  30,	60,
					120,  300,   600,   900,   1200,  1800, 3600,
					7200, 10800, 14400, 21600, 43200, 86400 };

/* A multiple of what is told apart there, and of the coarsest level that fits into it. */
static uint64_t round_up(uint64_t step, uint32_t finest)
{
	uint32_t width = finest;

	for (unsigned l = 0; l < _STORE_LEVEL_MAX; l++)
		if (step >= store_level_width[l] && store_level_width[l] > width)
			width = store_level_width[l];
	return (step + width - 1) / width * width;
}

static uint64_t step_of(const struct store_asked *a)
{
	uint64_t span = a->to - a->from, step = a->q->step_ns / STORE_NS;
	uint32_t finest = store_level_width[store_cover_finest(&a->reach, a->from)];

	if (!step) {
		unsigned i = 0;

		while (i + 1 < ARRAY_SIZE(round_steps) && span / round_steps[i] > STEPS_WANTED)
			i++;
		step = round_steps[i];
		if (span / step > STEPS_WANTED)
			step = (span / STEPS_WANTED / step + 1) * step;
	}
	if (span / step > STEPS_MAX)
		step = span / STEPS_MAX + 1;
	return round_up(step, finest);
}

static enum store_level level_of(uint64_t step)
{
	unsigned l = STORE_LEVEL_1H;

	while (l && step % store_level_width[l])
		l--;
	return (enum store_level)l;
}

struct store_curve {
	struct store_asked *a;
	uint64_t from, step;
	size_t n;
	struct store_entry *steps;
	bool *present;
	bool one; /* of a single subject, or of the host: the largest second is known */
	const struct store_chosen *chosen; /* NULL: the host's sums */
};

static int add_step(void *ctx, uint64_t time, struct store_bucket *b)
{
	struct store_curve *c = ctx;
	size_t at = time < c->from ? 0 : (size_t)((time - c->from) / c->step);
	struct store_entry e;

	if (at >= c->n)
		return 0;
	while (store_bucket_next(b, &e)) {
		if (c->chosen && !c->chosen->all && !store_chosen_has(c->chosen, e.id))
			continue;
		if (c->chosen && c->chosen->all) {
			const struct store_subject *x =
				store_subjects_by_id(&c->a->s->subjects, e.id);

			if (!x || !store_asked_sees(c->a, x->uid))
				continue;
		}
		store_entry_add(&c->steps[at], &e);
		c->present[at] = true;
	}
	return 0;
}

static int read_curve(struct store_curve *c, enum store_column column, uint64_t *from, uint64_t *to)
{
	struct store_piece pieces[STORE_PIECES_MAX];
	unsigned n = store_cover(&c->a->reach, level_of(c->step), from, to, pieces);
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++)
		r = store_levels_visit(c->a->s, pieces[i].level, column, pieces[i].from,
				       pieces[i].to, add_step, c);
	return r;
}

/* Weir ran for some of the time. */
static bool ran(const struct weir_store *s, uint64_t from, uint64_t to)
{
	size_t low = 0, high = s->n_runs;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->runs[middle].to <= from)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n_runs && s->runs[low].from < to;
}

static void put_rows(const struct store_curve *c, uint64_t to)
{
	struct weir_builder *b = c->a->b;

	for (size_t i = 0; i < c->n; i++) {
		const struct store_entry *e = &c->steps[i];
		uint64_t time = c->from + i * c->step,
			 end = time + c->step < to ? time + c->step : to;

		if (!c->present[i] && !ran(c->a->s, time, end))
			continue;
		weir_builder_row(b, store_asked_owner(c->a), 1);
		weir_builder_time(b, HISTORY_RATES_TIME, time * STORE_NS);
		weir_builder_uint(b, HISTORY_RATES_SECONDS, end - time);
		weir_builder_uint(b, HISTORY_RATES_TX_BYTES, e->tx);
		weir_builder_uint(b, HISTORY_RATES_RX_BYTES, e->rx);
		if (c->one) {
			weir_builder_uint(b, HISTORY_RATES_TX_MAX, e->tx_max);
			weir_builder_uint(b, HISTORY_RATES_RX_MAX, e->rx_max);
		}
		weir_builder_uint(b, HISTORY_RATES_CONNECTIONS, e->connections);
		weir_builder_uint(b, HISTORY_RATES_RETRANSMITS, e->retransmits);
		weir_builder_uint(b, HISTORY_RATES_LOST_PACKETS, e->packets);
	}
}

static int draw(struct store_asked *a, const struct store_chosen *chosen)
{
	struct store_curve c = { .a = a, .step = step_of(a) };
	enum store_column column = STORE_TOTALS;
	uint64_t from = a->from, to = a->to;
	int r;

	c.from = from - from % c.step;
	/* Steps that lie ahead are none. */
	if (to > a->s->now + 1 && from <= a->s->now)
		to = a->s->now + 1;
	from = c.from;
	c.n = (size_t)((to - c.from + c.step - 1) / c.step);
	c.steps = calloc(c.n, sizeof(*c.steps));
	c.present = calloc(c.n, sizeof(*c.present));
	if (!chosen->all || !a->q->viewer.sees_all) {
		c.chosen = chosen;
		column = STORE_COLUMN(chosen->kind);
	}
	c.one = !c.chosen || (!chosen->all && chosen->n == 1);
	r = c.steps && c.present ? read_curve(&c, column, &from, &to) : -ENOMEM;
	if (r == 0)
		put_rows(&c, to);
	a->span->from_ns = c.from * STORE_NS;
	a->span->to_ns = to * STORE_NS;
	a->span->step_ns = c.step * STORE_NS;
	free(c.steps);
	free(c.present);
	return r;
}

int store_answer_rates(struct store_asked *a)
{
	struct store_chosen chosen[_WEIR_HISTORY_KIND_MAX] = { 0 };
	int r = store_choose(a, false, chosen);

	if (r == 0)
		r = draw(a, &chosen[chosen[0].kind]);
	for (unsigned k = 0; k < _WEIR_HISTORY_KIND_MAX; k++)
		store_chosen_done(&chosen[k]);
	return r;
}
