// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "frontends/tui/grid.h"

/* What a text becomes in a field of some width. */
/* clang-format off */
static const struct {
	const char *what, *text;
	unsigned width;
	const char *shown, *ascii;
	unsigned columns;
} texts[] = {
	{ "a plain text", "nginx", 8, "nginx", "nginx", 5 },
	{ "one that is too long is cut", "prometheus", 6, "prome\u2026", "prome~", 6 },
	{ "an escape sequence", "\033[31mred", 20, "\\x1b[31mred", "\\x1b[31mred", 11 },
	{ "a title sequence with a bell", "\033]0;x\a", 20, "\\x1b]0;x\\x07", "\\x1b]0;x\\x07", 12 },
	{ "a line's end", "two\nlines", 20, "two\\x0alines", "two\\x0alines", 12 },
	{ "a C1 control sequence", "a\xc2\x9b" "2Jb", 20, "a\\u{9b}2Jb", "a\\u{9b}2Jb", 10 },
	{ "a bare byte of it", "a\x9b" "b", 20, "a\\x9b" "b", "a\\x9b" "b", 6 },
	{ "text turned round", "\u202Eolleh", 20, "\\u{202e}olleh", "\\u{202e}olleh", 13 },
	{ "bytes that are no UTF-8", "\xff\xc3(", 20, "\\xff\\xc3(", "\\xff\\xc3(", 9 },
	{ "wide characters take two columns", "\u7f51\u7edc", 8, "\u7f51\u7edc", "????", 4 },
	{ "a wide one is not cut in half", "\u7f51\u7edc\u7f51", 4, "\u7f51\u2026", "??~", 3 },
	{ "a mark stays on its letter", "e\u0301t", 8, "e\u0301t", "et", 2 },
	{ "a heap of marks does not grow", "a\u0301\u0301\u0301\u0301", 20, "a\u0301\u0301\u0301\\u{301}",
	  "a\\u{301}", 8 },
	{ "an umlaut", "m\u00fcller", 8, "m\u00fcller", "m?ller", 6 },
	{ "no room", "x", 0, "", "", 0 },
};
/* clang-format on */

static void names_are_inert_and_measured(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts) * 2; i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		bool ascii = i % 2;
		const char *want = ascii ? texts[i / 2].ascii : texts[i / 2].shown, *have;
		struct tui_grid g;
		unsigned columns;

		assert_int_equal(tui_grid_init(&g, 1, 30, ascii), 0);
		columns = tui_grid_text(&g, 0, 0, texts[i / 2].width, texts[i / 2].text, TUI_PLAIN);
		tui_grid_row_text(&g, 0, &b);
		have = b.data ? b.data : "";
		if (strcmp(have, want) != 0 || columns != texts[i / 2].columns)
			fail_msg("%s: \"%s\" in %u columns", texts[i / 2].what, have, columns);
		tui_grid_done(&g);
	}
}

static void half_of_a_wide_character_does_not_stay(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	struct tui_grid g;

	(void)state;
	assert_int_equal(tui_grid_init(&g, 1, 8, false), 0);
	tui_grid_text(&g, 0, 0, 8, "\u7f51\u7edc\u7f51", TUI_PLAIN);
	tui_grid_text(&g, 0, 1, 4, "ab", TUI_PLAIN); /* over the right half of one and the left half of the next */
	tui_grid_row_text(&g, 0, &b);
	assert_string_equal(b.data, " ab \u7f51");
	tui_grid_done(&g);
}

static void nothing_is_written_outside(void **state)
{
	struct tui_grid g;

	(void)state;
	assert_int_equal(tui_grid_init(&g, 2, 4, false), 0);
	assert_int_equal(tui_grid_text(&g, 2, 0, 4, "x", TUI_PLAIN), 0);
	assert_int_equal(tui_grid_text(&g, 0, 4, 4, "x", TUI_PLAIN), 0);
	assert_int_equal(tui_grid_text(&g, 0, 3, 40, "\u7f51", TUI_PLAIN), 1); /* there is room for an ellipsis */
	tui_grid_right(&g, 1, 2, 9, "long", TUI_PLAIN);
	tui_grid_mark(&g, 1, 3, 9, TUI_REVERSE);
	tui_grid_blank(&g, 5, 0, 9);
	tui_grid_char(&g, 9, 9, 'x', TUI_PLAIN);
	tui_grid_done(&g);
	assert_int_equal(tui_grid_init(&g, 0, 0, false), 0);
	tui_grid_text(&g, 0, 0, 1, "x", TUI_PLAIN);
	tui_grid_done(&g);
}

static void a_dump_shows_text_and_attributes(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	struct tui_grid g;

	(void)state;
	assert_int_equal(tui_grid_init(&g, 2, 6, true), 0);
	tui_grid_text(&g, 0, 0, 3, "ab", TUI_BOLD);
	tui_grid_right(&g, 1, 0, 6, "c", TUI_WARN | TUI_BOLD);
	tui_grid_mark(&g, 1, 4, 2, TUI_REVERSE);
	tui_grid_dump(&g, &b);
	assert_string_equal(b.data, "6x2 ascii\n"
				    "|ab\n"
				    "|     c\n"
				    "attributes: e bad, w warning, g good, a accent, s sent, r received, b bold, "
				    "d dim, u underlined; capitals and X: reversed\n"
				    "|bb\n"
				    "|....XW\n");
	tui_grid_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_inert_and_measured),
		cmocka_unit_test(half_of_a_wide_character_does_not_stay),
		cmocka_unit_test(nothing_is_written_outside),
		cmocka_unit_test(a_dump_shows_text_and_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
