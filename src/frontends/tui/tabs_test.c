// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/fixture.h"

#include "base/text.h"
#include "frontends/tui/golden.h"
#include "frontends/tui/tab.h"
#include "frontends/tui/world.h"

/* Every tab at every size, in both languages and without braille: what a person sees. */

static struct fixture f;

static void open_world(const char *table, unsigned columns, unsigned rows, bool ascii)
{
	golden_open(&f, table, columns, rows, ascii);
	fixture_draw(&f);
	for (unsigned i = 1; i <= 60; i++)
		fixture_tick(&f, world(i, 0));
}

static void expect(const char *tab, const char *kind, bool cursor)
{
	char name[96];

	if (cursor)
		fixture_key(&f, TUI_KEY_DOWN);
	f.now_ns += 10 * FIXTURE_SECOND; /* the order is free again */
	fixture_tick(&f, NULL);
	fixture_tick(&f, NULL);
	fixture_draw(&f);
	snprintf(name, sizeof(name), "tab-%s-%s%ux%u", tab, kind, f.columns, f.rows);
	golden_expect(&f.grid, name);
}

static void walk(unsigned columns, unsigned rows, bool ascii, const char *kind)
{
	static const char *const cursors[] = { "processes", "doctor", "history" };

	open_world("processes", columns, rows, ascii);
	fixture_key(&f, '1');
	for (unsigned i = 0; i < 6; i++) {
		const char *tab = f.app.tabs[f.app.tab].tab->name;
		bool cursor = false;

		for (size_t k = 0; k < ARRAY_SIZE(cursors); k++)
			cursor |= strcmp(tab, cursors[k]) == 0;
		expect(tab, kind, cursor);
		fixture_key(&f, TUI_KEY_TAB);
	}
	fixture_close(&f);
}

static void every_tab_at_each_size(void **state)
{
	(void)state;
	walk(80, 24, false, "");
	walk(120, 40, false, "");
	walk(200, 60, false, "");
}

static void every_tab_in_chinese(void **state)
{
	(void)state;
	weir_words_set(WEIR_LANGUAGE_ZH);
	walk(80, 24, false, "zh-");
	walk(120, 40, false, "zh-");
	walk(200, 60, false, "zh-");
	open_world("processes", 80, 24, false);
	fixture_key(&f, '?');
	golden_expect(&f.grid, "help-zh-80x24");
	for (const struct tui_key_help *h = tui_key_helps; h->keys; h++)
		if (fixture_find(&f, weir_word(h->does)) < 0)
			fail_msg("the help has no room for \"%s\"", weir_word(h->does));
	fixture_key(&f, 's');
	fixture_key(&f, 's');
	golden_expect(&f.grid, "order-menu-zh-80x24");
	fixture_close(&f);
	weir_words_set(WEIR_LANGUAGE_EN);
}

static void every_tab_in_ascii(void **state)
{
	(void)state;
	walk(80, 24, true, "ascii-");
	walk(120, 40, true, "ascii-");
}

/* Of the tables that have a tab by their name alone one size stands for all. */
static void the_other_tabs(void **state)
{
	static const char *const tabs[] = { "containers", "names", "hooks", "findings" };

	(void)state;
	open_world("processes", 120, 40, false);
	for (size_t i = 0; i < ARRAY_SIZE(tabs); i++) {
		assert_true(tui_app_switch_to(&f.app, tabs[i], f.now_ns));
		fixture_tick(&f, NULL);
		expect(tabs[i], "", true);
	}
	fixture_close(&f);
}

/* Half a wide character, or one that runs over an edge, would push a line out of its place. */
static void wide_characters_stay_whole(void **state)
{
	(void)state;
	weir_words_set(WEIR_LANGUAGE_ZH);
	open_world("processes", 80, 24, false);
	for (unsigned columns = TUI_COLUMNS_MIN; columns < 210; columns += 3) {
		f.columns = columns;
		f.rows = TUI_ROWS_MIN + columns % 50;
		fixture_key(&f, columns % 2 ? TUI_KEY_TAB : 'v');
		for (size_t i = 0; i < (size_t)f.grid.rows * f.grid.columns; i++) {
			const struct tui_cell *c = &f.grid.cells[i];
			bool last = i % f.grid.columns + 1 == f.grid.columns;
			char text[5];

			if (!c->character) {
				assert_true(i % f.grid.columns > 0 && c[-1].character);
				continue;
			}
			tui_utf8(c->character, text);
			if (weir_text_columns(text) == 2)
				assert_true(!last && !c[1].character);
		}
	}
	fixture_close(&f);
	weir_words_set(WEIR_LANGUAGE_EN);
}

/* --- the past -------------------------------------------------------------------------------- */

static void what_stands_beside_is_asked_for_where_it_does(void **state)
{
	static const struct {
		unsigned columns;
		bool asked;
	} sizes[] = { { 80, false }, { 149, false }, { 150, true }, { 200, true }, { 500, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		open_world("processes", sizes[i].columns, 40, false);
		fixture_key(&f, '5');
		fixture_tick(&f, NULL);
		assert_int_equal(f.asked[TUI_SLOT_CHANGES] > 0, sizes[i].asked);
		assert_int_equal(f.asked[TUI_SLOT_PEERS] > 0, sizes[i].asked);
		fixture_close(&f);
	}
}

static void a_span_is_moved_and_zoomed(void **state)
{
	(void)state;
	open_world("processes", 120, 40, false);
	fixture_key(&f, '5');
	assert_true(tui_app_in_tab(&f.app, "history"));
	assert_string_equal(f.from, "-3600");
	assert_string_equal(f.to, "");
	fixture_key(&f, '-');
	assert_string_equal(f.from, "-10800");
	fixture_key(&f, '+');
	fixture_key(&f, TUI_KEY_LEFT);
	assert_string_equal(f.from, "2026-11-22T15:56:07Z");
	assert_string_equal(f.to, "2026-11-22T16:56:07Z");
	fixture_key(&f, '+'); /* around its middle */
	assert_string_equal(f.from, "2026-11-22T16:18:37Z");
	assert_string_equal(f.to, "2026-11-22T16:33:37Z");
	fixture_key(&f, '0');
	assert_string_equal(f.from, "-900");
	for (int i = 0; i < 40; i++)
		fixture_key(&f, '-');
	assert_string_equal(f.from, "-34560000");
	for (int i = 0; i < 40; i++)
		fixture_key(&f, '+');
	assert_string_equal(f.from, "-60");
	for (int i = 0; i < 200; i++)
		fixture_key(&f, TUI_KEY_LEFT);
	for (int i = 0; i < 300; i++)
		fixture_key(&f, TUI_KEY_RIGHT);
	assert_string_equal(f.from, "-60"); /* it does not go on into the future */
	fixture_close(&f);
}

static void a_program_of_the_past_is_looked_at(void **state)
{
	(void)state;
	open_world("processes", 120, 40, false);
	fixture_key(&f, '5');
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_ENTER);
	assert_string_equal(f.filter, "program:\"nginx\"");
	assert_true(fixture_find(&f, "192.0.2.7:443") > 0);
	assert_int_equal(fixture_find(&f, "mirror.example.org"), -1);
	fixture_key(&f, TUI_KEY_ESCAPE);
	assert_string_equal(f.filter, "");
	assert_true(fixture_find(&f, "redis-server") > 0);
	/* A change shows what it is about, a day its hours. */
	fixture_type(&f, "vv");
	assert_true(fixture_find(&f, "4.2 times as much") > 0);
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_DOWN);
	fixture_key(&f, TUI_KEY_ENTER);
	assert_string_equal(f.filter, "program:nginx");
	fixture_key(&f, TUI_KEY_ESCAPE);
	fixture_type(&f, "VV");
	assert_true(fixture_find(&f, "2026-11-21") > 0);
	fixture_key(&f, TUI_KEY_END);
	fixture_key(&f, TUI_KEY_ENTER);
	assert_true(fixture_find(&f, "(1 d)") > 0);
	fixture_close(&f);
}

static void a_daemon_without_a_past_says_so(void **state)
{
	const struct tui_question asked = { .table = weir_table_find("history"), .limit = 10 };

	(void)state;
	open_world("processes", 80, 24, false);
	fixture_key(&f, '5');
	tui_app_answer(&f.app, TUI_SLOT_LIST, &asked, NULL, 0, "this daemon keeps no history", f.now_ns);
	fixture_draw(&f);
	assert_true(fixture_find(&f, "this daemon keeps no history") > 0);
	assert_string_equal(f.app.trouble, "");
	fixture_close(&f);
}

/* --- the mouse ------------------------------------------------------------------------------- */

static void click(unsigned row, unsigned column)
{
	f.now_ns += FIXTURE_SECOND / 10;
	tui_app_mouse(&f.app, TUI_MOUSE_CLICK, row, column, f.now_ns);
	if (f.app.ask_again)
		fixture_round(&f);
	fixture_draw(&f);
}

static void wheel(bool down, unsigned row, unsigned column)
{
	tui_app_mouse(&f.app, down ? TUI_MOUSE_WHEEL_DOWN : TUI_MOUSE_WHEEL_UP, row, column, f.now_ns);
	if (f.app.ask_again)
		fixture_round(&f);
	fixture_draw(&f);
}

static unsigned column_of(unsigned row, const char *text)
{
	const char *line = fixture_row(&f, row), *at = strstr(line, text);

	assert_non_null(at);
	return (unsigned)(at - line);
}

static void clicks_do_what_keys_do(void **state)
{
	(void)state;
	open_world("processes", 80, 24, false);
	click(0, column_of(0, "Drops"));
	assert_true(tui_app_in_tab(&f.app, "drops"));
	click(0, column_of(0, "Processes"));
	assert_true(tui_app_in_tab(&f.app, "processes"));
	click(4, column_of(4, "RECV/S"));
	assert_string_equal(f.sort, "rx_bytes_per_second,tx_bytes+rx_bytes");
	click(4, column_of(4, "RECV/S"));
	assert_string_equal(f.sort, "-rx_bytes_per_second,tx_bytes+rx_bytes");
	/* A row is chosen, and opened by the next click. */
	click(7, 3);
	assert_int_equal(fixture_bar(&f), 7);
	assert_int_equal(f.app.n_details, 0);
	click(7, 3);
	assert_int_equal(f.app.n_details, 1);
	click(23, column_of(23, "Esc"));
	assert_int_equal(f.app.n_details, 0);
	/* Its curve opens it at once. */
	click(6, column_of(4, "LAST MINUTE") + 2);
	assert_int_equal(f.app.n_details, 1);
	fixture_key(&f, TUI_KEY_ESCAPE);
	click(23, column_of(23, "help"));
	assert_int_equal(f.app.mode, TUI_MODE_HELP);
	click(10, 10);
	assert_int_equal(f.app.mode, TUI_MODE_NORMAL);
	fixture_key(&f, 's');
	click(4, 10);
	assert_int_equal(f.app.mode, TUI_MODE_NORMAL);
	assert_string_equal(f.sort, "tx_bytes+rx_bytes,tx_bytes+rx_bytes");
	fixture_close(&f);
}

static void the_wheel_scrolls_and_zooms(void **state)
{
	struct fixture_process many[200];

	(void)state;
	open_world("processes", 80, 24, false);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct fixture_process){ 1000 + i, "w", NULL, NULL, 10 * (1000 - i), 0, 0 };
	fixture_tick(&f, fixture_snapshot(many, ARRAY_SIZE(many), 61, 0));
	wheel(true, 10, 10);
	assert_int_equal(f.app.lists[f.app.current].first, 3);
	for (int i = 0; i < 100; i++)
		wheel(true, 10, 10);
	assert_int_equal(f.app.lists[f.app.current].first + f.app.height, 200);
	for (int i = 0; i < 100; i++)
		wheel(false, 10, 10);
	assert_int_equal(f.app.lists[f.app.current].first, 0);
	fixture_key(&f, '5');
	wheel(true, 4, 10);
	assert_int_equal(f.app.past.length_s, 3 * 3600);
	click(4, 2);
	assert_true(f.app.past.to_s > 0);
	fixture_close(&f);
}

/* Any place, any time, any button; whatever is there. */
static void a_storm_of_clicks(void **state)
{
	uint64_t seed = 7;

	(void)state;
	open_world("processes", 120, 40, false);
	for (unsigned i = 0; i < 6000; i++) {
		unsigned row, column;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		row = (unsigned)(seed >> 33) % 66;
		column = (unsigned)(seed >> 43) % 220;
		f.app.quit = false;
		if (i % 11 == 0) {
			f.rows = row;
			f.columns = column;
		}
		/* Several between two frames. */
		for (unsigned k = 0; k < (seed >> 55) % 4; k++)
			tui_app_mouse(&f.app, TUI_MOUSE_CLICK, (row + k * 5) % 40, (column + k * 31) % 120, f.now_ns);
		if (i % 5 == 0)
			wheel(i & 8, row, column);
		else if (i % 13 == 0)
			fixture_key(&f, "\tvtsc?/1245"[seed >> 20 & 7]);
		else
			click(row, column);
		if (i % 97 == 0)
			fixture_tick(&f, world(i % 61 + 61, 0));
	}
	fixture_close(&f);
}

/* Any keys in any tab, with all that a host can have in its tables, and a daemon that comes and goes. */
static void any_keys_in_any_tab(void **state)
{
	static const char keys[] = "123456789\t0vV[]+-=<>jkgGsrctfpuxnom/? \r\n\033q";
	uint64_t seed = 99;

	(void)state;
	open_world("processes", 120, 40, false);
	for (unsigned i = 0; i < 12000; i++) {
		uint32_t key;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		key = (uint32_t)(unsigned char)keys[(seed >> 20) % (sizeof(keys) - 1)];
		if (key == '\r')
			key = TUI_KEY_ENTER;
		else if (key == '\n')
			key = TUI_KEY_LEFT + (uint32_t)(seed >> 50) % 8;
		else if (key == '\033')
			key = TUI_KEY_ESCAPE;
		else if (key == '\t')
			key = TUI_KEY_TAB;
		if (i % 31 == 0) {
			f.rows = (unsigned)(seed >> 33) % 70;
			f.columns = (unsigned)(seed >> 43) % 220;
		}
		if (i % 500 == 0)
			weir_words_set(i / 500 % 2 ? WEIR_LANGUAGE_ZH : WEIR_LANGUAGE_EN);
		f.app.quit = false;
		fixture_key(&f, key);
		if (i % 211 == 0) {
			weir_snapshot_unref(f.snapshot);
			f.snapshot = NULL;
			fixture_tick(&f, NULL);
		}
		if (i % 97 == 0)
			fixture_tick(&f, world(i % 61 + 61, i / 3000));
	}
	weir_words_set(WEIR_LANGUAGE_EN);
	fixture_close(&f);
}

static void the_mouse_is_given_back(void **state)
{
	(void)state;
	open_world("processes", 80, 24, false);
	f.app.mouse = true;
	fixture_key(&f, 'm');
	assert_false(f.app.mouse);
	assert_true(fixture_find(&f, "the terminal has the mouse") > 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tab_at_each_size),
		cmocka_unit_test(every_tab_in_chinese),
		cmocka_unit_test(every_tab_in_ascii),
		cmocka_unit_test(the_other_tabs),
		cmocka_unit_test(wide_characters_stay_whole),
		cmocka_unit_test(what_stands_beside_is_asked_for_where_it_does),
		cmocka_unit_test(a_span_is_moved_and_zoomed),
		cmocka_unit_test(a_program_of_the_past_is_looked_at),
		cmocka_unit_test(a_daemon_without_a_past_says_so),
		cmocka_unit_test(clicks_do_what_keys_do),
		cmocka_unit_test(the_wheel_scrolls_and_zooms),
		cmocka_unit_test(a_storm_of_clicks),
		cmocka_unit_test(any_keys_in_any_tab),
		cmocka_unit_test(the_mouse_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
