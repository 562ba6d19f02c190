// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/plot.h"

#define BRAILLE 0x2800u
#define DOTS 4 /* levels in a cell */

unsigned tui_plot_steps(const struct tui_grid *g)
{
	unsigned n = g->ascii ? g->columns : 2 * g->columns;

	return n < TUI_PLOT_STEPS_MAX ? n : TUI_PLOT_STEPS_MAX;
}

float tui_plot_peak(const struct tui_plot *p)
{
	float peak = 0;

	for (unsigned i = 0; i < p->n; i++) {
		if (p->average[i] > peak)
			peak = p->average[i];
		if (p->maximum[i] > peak)
			peak = p->maximum[i];
	}
	return peak;
}

float tui_plot_scale(float peak, float least)
{
	static const float steps[] = { 1, 1.5f, 2, 3, 4, 5, 6, 8 };
	float power = 1;

	if (peak < least)
		peak = least;
	for (; power < 1e30f; power *= 10)
		for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			if (steps[i] * power >= peak)
				return steps[i] * power;
	return peak;
}

/* The number of levels that a value fills: at least one for what is not zero. */
static unsigned level(float v, float scale, unsigned levels)
{
	float at = scale > 0 ? v / scale * (float)levels : 0;

	if (v <= 0)
		return 0;
	if (at >= (float)levels)
		return levels;
	return (unsigned)at < at ? (unsigned)at + 1 : (unsigned)at;
}

/* What of one step lies in a cell, which begins `above` levels from the foot. */
struct plot_part {
	unsigned filled; /* levels of the average */
	unsigned line;	 /* the maximum's or the foot's level, from 1; 0: not in this cell */
};

static struct plot_part part_of(const struct tui_plot *p, unsigned step, float scale, unsigned levels,
				unsigned above, unsigned per_cell)
{
	struct plot_part part = {};
	unsigned filled, top;

	if (step >= p->n || p->average[step] < 0)
		return part;
	filled = level(p->average[step], scale, levels);
	top = level(p->maximum[step], scale, levels);
	if (filled > above)
		part.filled = filled - above < per_cell ? filled - above : per_cell;
	if (top > filled && top > above && top - above <= per_cell)
		part.line = top - above;
	if (!filled && !top && !above)
		part.line = 1;
	return part;
}

/* Dots of the left column from the foot up; the right column's are beside them. */
static uint32_t dots(struct plot_part part, bool right)
{
	static const uint8_t bits[2][DOTS] = { { 0x40, 0x04, 0x02, 0x01 }, { 0x80, 0x20, 0x10, 0x08 } };
	uint32_t set = 0;

	for (unsigned i = 0; i < part.filled; i++)
		set |= bits[right][i];
	if (part.line)
		set |= bits[right][part.line - 1];
	return set;
}

static void draw_braille(struct tui_grid *g, const struct tui_plot *p, float scale, unsigned attr)
{
	unsigned levels = g->rows * DOTS;

	for (unsigned row = 0; row < g->rows; row++) {
		unsigned above = (g->rows - 1 - row) * DOTS;

		for (unsigned i = 0; i < g->columns; i++) {
			struct plot_part a = part_of(p, 2 * i, scale, levels, above, DOTS);
			struct plot_part b = part_of(p, 2 * i + 1, scale, levels, above, DOTS);
			uint32_t set = dots(a, false) | dots(b, true);

			if (set)
				tui_grid_char(g, row, i, BRAILLE | set,
					      a.filled || b.filled ? attr : TUI_DIM);
		}
	}
}

static void draw_ascii(struct tui_grid *g, const struct tui_plot *p, float scale, unsigned attr)
{
	for (unsigned row = 0; row < g->rows; row++) {
		unsigned above = g->rows - 1 - row;

		for (unsigned i = 0; i < g->columns; i++) {
			struct plot_part part = part_of(p, i, scale, g->rows, above, 1);

			if (part.filled)
				tui_grid_char(g, row, i, '#', attr);
			else if (part.line)
				tui_grid_char(g, row, i, p->maximum[i] > 0 ? '-' : '_', TUI_DIM);
		}
	}
}

void tui_plot_draw(struct tui_grid *g, const struct tui_plot *p, float scale, unsigned attr)
{
	if (g->ascii)
		draw_ascii(g, p, scale, attr);
	else
		draw_braille(g, p, scale, attr);
}
