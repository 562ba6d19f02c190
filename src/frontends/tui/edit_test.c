// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "frontends/tui/app.h"

static struct tui_edit line;

static int start(void **state)
{
	(void)state;
	tui_edit_start(&line, "");
	return 0;
}

static int done(void **state)
{
	(void)state;
	tui_edit_done(&line);
	return 0;
}

static void type(const char *text)
{
	for (; *text; text++)
		assert_true(tui_edit_key(&line, (unsigned char)*text));
}

static void press(uint32_t key, unsigned times)
{
	while (times--)
		assert_true(tui_edit_key(&line, key));
}

static void letters_go_in_at_the_cursor(void **state)
{
	(void)state;
	type("port:43");
	press(TUI_KEY_LEFT, 1);
	type("4");
	assert_string_equal(line.text, "port:443");
	press(TUI_KEY_HOME, 1);
	type("x");
	press(TUI_KEY_DELETE, 1);
	assert_string_equal(line.text, "xort:443");
	press(TUI_KEY_END, 1);
	press(TUI_KEY_BACKSPACE, 4);
	assert_string_equal(line.text, "xort");
	press('a' & 0x1f, 1);
	press('k' & 0x1f, 1);
	assert_string_equal(line.text, "");
	press(TUI_KEY_BACKSPACE, 2); /* nothing to take away */
	press(TUI_KEY_DELETE, 2);
}

static void characters_of_several_bytes_are_one(void **state)
{
	(void)state;
	assert_true(tui_edit_key(&line, 0xfc));
	assert_true(tui_edit_key(&line, 0x7f51));
	assert_true(tui_edit_key(&line, 0x1f600));
	assert_string_equal(line.text, "\u00fc\u7f51\U0001f600");
	press(TUI_KEY_LEFT, 2);
	press(TUI_KEY_BACKSPACE, 1);
	assert_string_equal(line.text, "\u7f51\U0001f600");
	press(TUI_KEY_RIGHT, 2);
	press(TUI_KEY_BACKSPACE, 1);
	assert_string_equal(line.text, "\u7f51");
}

static void control_characters_do_not_go_in(void **state)
{
	(void)state;
	assert_false(tui_edit_key(&line, 0x07));
	assert_false(tui_edit_key(&line, 0x9b));
	assert_false(tui_edit_key(&line, 0x202e));
	assert_false(tui_edit_key(&line, TUI_KEY_PAGE_UP));
	assert_string_equal(line.text, "");
}

static void words_are_cut(void **state)
{
	(void)state;
	type("process:nginx  port:443 ");
	press('w' & 0x1f, 1);
	assert_string_equal(line.text, "process:nginx  ");
	press('w' & 0x1f, 1);
	assert_string_equal(line.text, "");
	type("a b");
	press(TUI_KEY_LEFT, 1);
	press('u' & 0x1f, 1);
	assert_string_equal(line.text, "b");
}

static void it_does_not_overflow(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * TUI_EDIT_TEXT; i++)
		tui_edit_key(&line, i % 2 ? 0x7f51 : 'x');
	assert_int_equal(strlen(line.text), line.len);
	assert_true(line.len < sizeof(line.text));
}

static void earlier_lines_come_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TUI_EDIT_HISTORY + 5; i++) {
		char text[16];

		snprintf(text, sizeof(text), "pid:%u", i);
		tui_edit_start(&line, text);
		tui_edit_remember(&line);
		tui_edit_remember(&line); /* the same again is not kept twice */
	}
	assert_int_equal(line.n_history, TUI_EDIT_HISTORY);
	tui_edit_start(&line, "new");
	press(TUI_KEY_UP, 2);
	assert_string_equal(line.text, "pid:35");
	press(TUI_KEY_UP, 100);
	assert_string_equal(line.text, "pid:5");
	press(TUI_KEY_DOWN, 100);
	assert_string_equal(line.text, "new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(letters_go_in_at_the_cursor, start, done),
		cmocka_unit_test_setup_teardown(characters_of_several_bytes_are_one, start, done),
		cmocka_unit_test_setup_teardown(control_characters_do_not_go_in, start, done),
		cmocka_unit_test_setup_teardown(words_are_cut, start, done),
		cmocka_unit_test_setup_teardown(it_does_not_overflow, start, done),
		cmocka_unit_test_setup_teardown(earlier_lines_come_back, start, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
