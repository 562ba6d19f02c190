// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/past.h"

#include <string.h>
#include <time.h>

#include "base/timestamp.h"
#include "core/history.h"

#define SECOND_NS 1000000000ull
#define DAY_S 86400
#define FITTING_MOST 3

/* Lengths that one zooms through. */
static const uint64_t lengths[] = {
	60,	  300,	     900,	 3600,	      3 * 3600,	   6 * 3600,   12 * 3600, 86400,
	3 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 90 * 86400, 400 * 86400,
};

static uint64_t now_s(const struct tui_app *a)
{
	const struct weir_snapshot_head *head = tui_newest_head(a);

	return head ? head->real_ns / SECOND_NS : 0;
}

bool tui_past_span(const struct tui_app *a, uint64_t *ret_from_s, uint64_t *ret_to_s)
{
	*ret_to_s = a->past.to_s ? a->past.to_s : now_s(a);
	*ret_from_s = *ret_to_s > a->past.length_s ? *ret_to_s - a->past.length_s : 0;
	return *ret_to_s > 0;
}

/* --- filters --------------------------------------------------------------------------------- */

const char *tui_past_filter_for(const struct tui_app *a, const struct weir_table *table)
{
	const char *text = a->lists[a->past.first_list + a->past.view].filter;

	return *text && tui_filter_holds(weir_history_filter_table(table), text) ? text : "";
}

void tui_past_changed(struct tui_app *a)
{
	const struct tui_list *from = &a->lists[a->past.first_list + a->past.view];

	for (unsigned i = 0; i < a->past.n_views; i++) {
		struct tui_list *to = &a->lists[a->past.first_list + i];

		if (to == from)
			continue;
		if (!*from->filter || tui_filter_holds(to->table, from->filter))
			memcpy(to->filter, from->filter, sizeof(to->filter));
		to->first = 0;
		to->has_cursor = false;
	}
	a->past.ask = a->ask_again = true;
}

void tui_past_filter(struct tui_app *a, const char *text)
{
	struct tui_list *l = &a->lists[a->past.first_list + a->past.view];

	if (strlen(text) >= sizeof(l->filter))
		return;
	memmove(l->filter, text, strlen(text) + 1);
	l->first = 0;
	l->has_cursor = false;
	tui_past_changed(a);
}

void tui_past_view(struct tui_app *a, unsigned view)
{
	if (view >= a->past.n_views)
		return;
	a->past.view = view;
	a->current = a->tabs[a->tab].list = a->past.first_list + view;
	a->past.ask = a->ask_again = true;
}

/* --- the span -------------------------------------------------------------------------------- */

static void show(struct tui_app *a, uint64_t to_s)
{
	uint64_t now = now_s(a);

	/* What reaches the present goes on with it. */
	if (!a->past.to_s)
		a->past.utc_offset_s = a->utc_offset_s;
	a->past.fitting = 0;
	a->past.to_s = !now || to_s >= now ? 0 : to_s < a->past.length_s ? a->past.length_s : to_s;
	a->past.ask = a->ask_again = true;
}

void tui_past_move(struct tui_app *a, int halves)
{
	uint64_t from, to, by = a->past.length_s / 2 * (uint64_t)(halves < 0 ? -halves : halves);

	if (!tui_past_span(a, &from, &to))
		return;
	show(a, halves < 0 ? (to > by ? to - by : 1) : to + by);
}

void tui_past_now(struct tui_app *a)
{
	show(a, UINT64_MAX);
}

void tui_past_centre(struct tui_app *a, double where)
{
	uint64_t from, to;

	if (tui_past_span(a, &from, &to))
		show(a, from + (uint64_t)(where * (double)a->past.length_s) + a->past.length_s / 2);
}

void tui_past_zoom(struct tui_app *a, int by, double where)
{
	uint64_t from, to, at, length = a->past.length_s;
	unsigned i = 0;
	bool live = !a->past.to_s;

	if (!tui_past_span(a, &from, &to))
		return;
	while (i + 1 < ARRAY_SIZE(lengths) && lengths[i] < length)
		i++;
	if ((by > 0 && i + 1 == ARRAY_SIZE(lengths)) || (by < 0 && i == 0))
		return;
	/* The place under the eyes stays where it is. */
	at = from + (uint64_t)(where * (double)length);
	a->past.length_s = lengths[by > 0 ? i + 1 : i - 1];
	show(a, live && where >= 1 ? UINT64_MAX
				   : at + (uint64_t)((1 - where) * (double)a->past.length_s));
}

bool tui_past_day(struct tui_app *a, const char *day)
{
	struct tm tm = {};
	time_t t;

	if (!day || !strptime(day, "%Y-%m-%d", &tm))
		return false;
	t = timegm(&tm);
	if (t <= DAY_S)
		return false;
	a->past.length_s = DAY_S;
	a->past.utc_offset_s = a->utc_offset_s;
	show(a, (uint64_t)(t + DAY_S - a->utc_offset_s));
	if (a->past.to_s)
		a->past.fitting = FITTING_MOST;
	else if (a->today_s && now_s(a) > a->today_s)
		a->past.length_s = now_s(a) - a->today_s; /* today is not over */
	return true;
}

void tui_past_fit(struct tui_app *a, const struct tui_question *asked, const struct tui_document *d)
{
	uint64_t to = 0;
	int64_t off = d->utc_offset_s - a->past.utc_offset_s;

	if (!a->past.to_s || weir_timestamp_parse(asked->to, &to) < 0 || to / SECOND_NS != a->past.to_s)
		return;
	a->past.utc_offset_s = d->utc_offset_s;
	if (!a->past.fitting)
		return;
	a->past.fitting--;
	if (off) {
		a->past.to_s = (uint64_t)((int64_t)a->past.to_s - off);
	} else {
		a->past.fitting = 0;
		if (d->day_s >= a->past.to_s || a->past.to_s - d->day_s == a->past.length_s ||
		    a->past.to_s - d->day_s > 2 * DAY_S)
			return;
		a->past.length_s = a->past.to_s - d->day_s;
	}
	a->past.moved = a->past.ask = a->ask_again = true;
}

void tui_app_clocks(struct tui_app *a)
{
	const struct weir_snapshot_head *head = tui_newest_head(a);

	a->look.utc_offset_s = tui_is_past(a->lists[a->current].table) && a->past.to_s ? a->past.utc_offset_s : a->utc_offset_s;
	a->look.day = head ? (uint64_t)((int64_t)(head->real_ns / SECOND_NS) + a->look.utc_offset_s) / DAY_S : 0;
}

/* --- the curve ------------------------------------------------------------------------------- */

void tui_past_plot(const struct tui_app *a, const char *bytes, const char *largest, unsigned n,
		   struct tui_plot *ret)
{
	const struct weir_rows *r = &a->extra[TUI_SLOT_CURVE].rows;
	double weight[TUI_PLOT_STEPS_MAX] = {}, sum[TUI_PLOT_STEPS_MAX] = {}, width;
	uint64_t from, to;
	int max_field;

	ret->n = n < TUI_PLOT_STEPS_MAX ? n : TUI_PLOT_STEPS_MAX;
	for (unsigned i = 0; i < ret->n; i++)
		ret->average[i] = ret->maximum[i] = -1;
	if (!ret->n || !a->extra[TUI_SLOT_CURVE].snapshot || strcmp(r->def->name, "history_rates") != 0 ||
	    !tui_past_span(a, &from, &to))
		return;
	width = (double)(to - from) / ret->n;
	max_field = weir_table_field(r->def, largest);
	for (size_t row = 0; row < r->n; row++) {
		double begin = (double)weir_row_number(r, row, "time") / 1e9 - (double)from;
		double wide = (double)weir_row_number(r, row, "seconds"), end = begin + wide;
		double rate = wide > 0 ? (double)weir_row_number(r, row, bytes) / wide : 0;
		float most = max_field < 0 || weir_cell_null(r, row, (unsigned)max_field)
				     ? -1
				     : (float)weir_cell_uint(r, row, (unsigned)max_field);

		for (unsigned i = begin > 0 ? (unsigned)(begin / width) : 0; wide > 0 && i < ret->n; i++) {
			double left = i * width > begin ? i * width : begin;
			double right = (i + 1) * width < end ? (i + 1) * width : end;

			if (right <= left)
				break;
			weight[i] += right - left;
			sum[i] += rate * (right - left);
			ret->maximum[i] = most > ret->maximum[i] ? most : ret->maximum[i];
		}
	}
	for (unsigned i = 0; i < ret->n; i++)
		if (weight[i] > 0)
			ret->average[i] = (float)(sum[i] / weight[i]);
}
