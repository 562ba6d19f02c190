// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "frontends/tui/rates.h"

static struct tui_plot plot;

static const char *row_of(const struct tui_grid *g, unsigned row)
{
	static struct weir_buf b;

	weir_buf_reset(&b);
	tui_grid_row_text(g, row, &b);
	return b.data ? b.data : "";
}

static void draw(struct tui_grid *g, unsigned rows, unsigned columns, bool ascii, float scale)
{
	assert_int_equal(tui_grid_init(g, rows, columns, ascii), 0);
	tui_plot_draw(g, &plot, scale, TUI_SENT);
}

static void levels_of_a_step_plot(void **state)
{
	static const float steps[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, -1 };
	struct tui_grid g;

	(void)state;
	plot = (struct tui_plot){ .n = ARRAY_SIZE(steps) };
	for (unsigned i = 0; i < plot.n; i++) {
		plot.average[i] = steps[i];
		plot.maximum[i] = -1;
	}
	draw(&g, 2, 5, false, 8);
	assert_int_equal(tui_plot_steps(&g), 10);
	/* Zero is a line at the foot, two steps to a cell and four levels. */
	assert_string_equal(row_of(&g, 0), "  \u2880\u28f4\u2847");
	assert_string_equal(row_of(&g, 1), "\u28c0\u28f4\u28ff\u28ff\u2847");
	tui_grid_done(&g);
}

static void the_largest_second_is_a_fainter_line(void **state)
{
	struct tui_grid g;

	(void)state;
	plot = (struct tui_plot){ .n = 4, .average = { 1, 1, 1, 1 }, .maximum = { 4, 4, -1, 2 } };
	draw(&g, 1, 2, false, 4);
	assert_string_equal(row_of(&g, 0), "\u28c9\u28e0");
	assert_int_equal(g.cells[0].attr, TUI_SENT); /* in one cell the filled part decides */
	tui_grid_done(&g);
	draw(&g, 2, 2, false, 4);
	assert_int_equal(g.cells[0].attr, TUI_DIM);
	tui_grid_done(&g);
	draw(&g, 4, 4, true, 4);
	assert_string_equal(row_of(&g, 0), "--");
	assert_string_equal(row_of(&g, 2), "   -");
	assert_string_equal(row_of(&g, 3), "####");
	tui_grid_done(&g);
}

static void nothing_known_draws_nothing(void **state)
{
	struct tui_grid g;

	(void)state;
	plot = (struct tui_plot){ .n = 2, .average = { -1, -1 }, .maximum = { -1, -1 } };
	draw(&g, 1, 1, false, 10);
	assert_string_equal(row_of(&g, 0), "");
	tui_grid_done(&g);
	draw(&g, 0, 0, false, 0);
	assert_int_equal(tui_plot_steps(&g), 0);
	tui_grid_done(&g);
}

static void scales_are_round(void **state)
{
	static const struct {
		float peak, least, want;
	} rows[] = {
		{ 0, 1000, 1000 }, { 1001, 1000, 1500 },	   { 34.9e6f, 1000, 40e6f },
		{ 7, 1, 8 },	   { 8.5f, 1, 10 }, { 12.2e6f, 1000, 15e6f },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_true(tui_plot_scale(rows[i].peak, rows[i].least) == rows[i].want);
}

static void seconds_become_steps(void **state)
{
	static struct tui_rates r;

	(void)state;
	tui_rates_add(&r, TUI_RATES_SENT, 1000, 10);
	tui_rates_add(&r, TUI_RATES_SENT, 1000, 30); /* the larger of one second */
	tui_rates_add(&r, TUI_RATES_SENT, 1001, 10);
	assert_true(tui_rates_now(&r, TUI_RATES_SENT, 1000) == 30);
	assert_true(tui_rates_now(&r, TUI_RATES_RECEIVED, 1000) < 0);
	tui_rates_plot(&r, TUI_RATES_SENT, 1001, 2, 2, &plot);
	assert_true(plot.average[0] < 0);
	assert_true(plot.average[1] == 20 && plot.maximum[1] == 30);
	/* A late answer: the step lasts until it. A long silence is one. */
	tui_rates_add(&r, TUI_RATES_SENT, 1004, 50);
	assert_true(tui_rates_now(&r, TUI_RATES_SENT, 1003) == 10);
	tui_rates_add(&r, TUI_RATES_SENT, 1009, 50);
	assert_true(tui_rates_now(&r, TUI_RATES_SENT, 1006) < 0);
	/* What the daemon remembers fills what was not seen. */
	tui_rates_fill(&r, TUI_RATES_SENT, 1006, 7);
	tui_rates_fill(&r, TUI_RATES_SENT, 1009, 7);
	assert_true(tui_rates_now(&r, TUI_RATES_SENT, 1006) == 7);
	assert_true(tui_rates_now(&r, TUI_RATES_SENT, 1009) == 50);
	tui_rates_add(&r, TUI_RATES_SENT, 1009 + 2 * TUI_RATES_SECONDS, 1);
	assert_true(tui_rates_now(&r, TUI_RATES_SENT, 1009) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_of_a_step_plot),
		cmocka_unit_test(the_largest_second_is_a_fainter_line),
		cmocka_unit_test(nothing_known_draws_nothing),
		cmocka_unit_test(scales_are_round),
		cmocka_unit_test(seconds_become_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
