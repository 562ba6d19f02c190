// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "frontends/tui/tab.h"

/* Pieces that several tabs are made of: titled panels, text over lines, curves with their words. */

void tui_panel_title(struct tui_grid *g, unsigned row, const char *title)
{
	unsigned at = tui_grid_text(g, row, 0, g->columns, title, TUI_ACCENT | TUI_BOLD);

	for (unsigned i = at + 1; i < g->columns; i++)
		tui_grid_char(g, row, i, TUI_GLYPH(g, 0x2500, '-'), TUI_DIM);
}

size_t tui_line_of(const char *text, unsigned room)
{
	size_t len = strlen(text), best = 0;
	char part[TUI_CELL_TEXT];

	if (weir_text_columns(text) <= room)
		return len;
	for (size_t i = 0; i < len && i + 5 < sizeof(part);) {
		uint32_t c;
		size_t n = weir_text_utf8_next(text + i, len - i, &c);

		memcpy(part, text, i + n);
		part[i + n] = '\0';
		/* A space at the end of a line needs no place. */
		if (c != ' ' && weir_text_columns(part) > room)
			break;
		i += n;
		if (c == ' ' || c == ';' || c >= 0x2e80)
			best = i;
	}
	return best ? best : len;
}

unsigned tui_draw_wrapped(struct tui_grid *g, unsigned row, unsigned column, unsigned rows,
			  const char *text, unsigned attr)
{
	unsigned room = g->columns > column ? g->columns - column : 0, used = 0;
	char part[TUI_CELL_TEXT];

	while (*text && used < rows && room) {
		size_t n = used + 1 < rows ? tui_line_of(text, room) : strlen(text);

		snprintf(part, sizeof(part), "%.*s", (int)(n - (text[n - 1] == ' ')), text);
		tui_grid_text(g, row + used, column, room, part, attr);
		text += n;
		used++;
	}
	return used;
}

const char *tui_length_text(uint64_t s, char buf[TUI_LENGTH_TEXT])
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	char n[24];

	snprintf(n, sizeof(n), "%" PRIu64, s < 60 ? s : s % 86400 == 0 ? s / 86400 : s % 3600 == 0 ? s / 3600 : s / 60);
	if (s < 60)
		weir_say_length_seconds(&b, n);
	else if (s % 86400 == 0)
		weir_say_length_days(&b, n);
	else if (s % 3600 == 0)
		weir_say_length_hours(&b, n);
	else
		weir_say_length_minutes(&b, n);
	snprintf(buf, TUI_LENGTH_TEXT, "%s", b.data ? b.data : "");
	return buf;
}

/* --- curves ---------------------------------------------------------------------------------- */

/* Below a kilobyte a second the host is as good as silent, and its curve stays low; a few lost packets
 * are few. */
#define SCALE_LEAST 1000.0f
#define SCALE_LEAST_PACKETS 10.0f

static const char *value_text(const struct tui_app *a, const struct tui_curve_words *w, float v,
			      char buf[TUI_CELL_TEXT])
{
	char unit[WEIR_UNITS_TEXT];

	if (!w->counts)
		return tui_rate_text((uint64_t)v, &a->look, buf);
	snprintf(buf, TUI_CELL_TEXT, "%s", weir_units_count((uint64_t)v, unit));
	return buf;
}

/* "sent 2.4 MB/s   peak 34.9 MB, average 2 MB" */
static void draw_plot_words(const struct tui_app *a, struct tui_grid *g, const struct tui_plot *p,
			    const struct tui_curve_words *w, float scale)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {}, now = {};
	char peak[TUI_CELL_TEXT], average[TUI_CELL_TEXT], top[TUI_CELL_TEXT], rate[TUI_CELL_TEXT];
	unsigned known = 0, at;
	double sum = 0;

	for (unsigned i = 0; i < p->n; i++) {
		if (p->average[i] < 0)
			continue;
		known++;
		sum += (double)p->average[i];
	}
	at = tui_grid_text(g, 0, 0, g->columns, weir_word(w->title), w->attr | TUI_BOLD) + 1;
	if (w->now >= 0) {
		weir_say_plot_now(&now, value_text(a, w, w->now, rate));
		at += tui_grid_text(g, 0, at, g->columns > at ? g->columns - at : 0, now.data ? now.data : "",
				    TUI_BOLD) + 2;
	}
	if (!known)
		return;
	value_text(a, w, tui_plot_peak(p), peak);
	weir_say_plot_words(&b, value_text(a, w, (float)(sum / known), average), peak, w->span,
			    value_text(a, w, scale, top));
	if (b.data && at + weir_text_columns(b.data) > g->columns) {
		weir_buf_reset(&b);
		weir_say_plot_short(&b, peak, w->span);
	}
	if (b.data && at < g->columns)
		tui_grid_right(g, 0, at, g->columns - at, b.data, TUI_DIM);
}

void tui_draw_plot(const struct tui_app *a, struct tui_grid *g, const struct tui_plot *p,
		   const struct tui_curve_words *w)
{
	struct tui_grid below = tui_grid_view(g, 1, 0, g->rows ? g->rows - 1 : 0, g->columns);
	float scale = tui_plot_scale(tui_plot_peak(p), w->counts ? SCALE_LEAST_PACKETS : SCALE_LEAST);

	draw_plot_words(a, g, p, w, scale);
	tui_plot_draw(&below, p, scale, w->attr);
}

/* The span of the live curves, as near to it as whole seconds to a step come. */
#define LIVE_SECONDS 300

/* What a plot of so many steps tells of, in seconds: from the first one that is known; to the minute from one minute on. */
static uint64_t plot_length(const struct tui_app *a, enum tui_rates_which which, uint64_t second, unsigned per, unsigned steps)
{
	uint64_t before = (second / per + 1) * per - (uint64_t)per * steps; /* the plot's first second */
	uint64_t s = tui_rates_known(&a->rates, which, second, second + 1 - before);

	return s < 60 ? s : (s + 30) / 60 * 60;
}

static void draw_live(const struct tui_app *a, struct tui_grid *g, enum tui_rates_which which, uint64_t second)
{
	static const struct {
		enum weir_word title;
		unsigned attr;
	} words[_TUI_RATES_MAX] = {
		[TUI_RATES_SENT] = { WORD_PLOT_SENT, TUI_SENT },
		[TUI_RATES_RECEIVED] = { WORD_PLOT_RECEIVED, TUI_RECEIVED },
		[TUI_RATES_LOST] = { WORD_PLOT_LOST, TUI_WARN },
	};
	char span[TUI_LENGTH_TEXT];
	unsigned steps = tui_plot_steps(g), per = steps ? (LIVE_SECONDS + steps - 1) / steps : 1;
	struct tui_plot p;

	while (per * steps > TUI_RATES_SECONDS && per > 1)
		per--;
	tui_rates_plot(&a->rates, which, second, per, steps, &p);
	tui_length_text(plot_length(a, which, second, per, steps), span);
	tui_draw_plot(a, g, &p,
		      &(struct tui_curve_words){ .title = words[which].title,
						 .attr = words[which].attr,
						 .counts = which == TUI_RATES_LOST,
						 .now = tui_rates_now(&a->rates, which, second),
						 .span = span });
}

void tui_draw_host_plots(const struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	unsigned width = g->columns / 2 - 1;
	uint64_t second = tui_app_second(a, now_ns);
	struct tui_grid left = tui_grid_view(g, 0, 0, g->rows, width);
	struct tui_grid right = tui_grid_view(g, 0, width + 2, g->rows, width);

	if (tui_app_in_tab(a, "drops") && !a->n_details) {
		draw_live(a, g, TUI_RATES_LOST, second);
		return;
	}
	draw_live(a, &left, TUI_RATES_SENT, second);
	draw_live(a, &right, TUI_RATES_RECEIVED, second);
}
