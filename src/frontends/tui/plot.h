// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/tui/grid.h"

/* Curves of many rows: a step plot in braille, two steps and four levels to a cell; in ASCII one of
 * each. What is not known is blank, and zero is a line at the foot. */

#define TUI_PLOT_STEPS_MAX 512

struct tui_plot {
	unsigned n; /* steps, oldest first */
	float average[TUI_PLOT_STEPS_MAX]; /* negative: not known */
	float maximum[TUI_PLOT_STEPS_MAX]; /* the largest second of each step; negative: not known */
};

/* Steps that a width has room for. */
unsigned tui_plot_steps(const struct tui_grid *g);

/* The largest number in it, and the end of a scale for it: a small number times a power of ten, at least
 * `least`, so that the scale changes seldom. */
float tui_plot_peak(const struct tui_plot *p);
float tui_plot_scale(float peak, float least);

/* Fills the grid, or a view of it. Below the average it is filled; the maximum is a fainter line
 * above it. */
void tui_plot_draw(struct tui_grid *g, const struct tui_plot *p, float scale, unsigned attr);
