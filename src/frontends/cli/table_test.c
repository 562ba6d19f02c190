// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "frontends/cli/table.h"

static struct cli_table *sample(void)
{
	static const struct {
		const char *pid, *command, *unit, *state, *sent;
	} rows[] = {
		{ "1", "systemd", NULL, "running", "0 B" },
		{ "4711", "nginx: worker process", "nginx.service", "running", "1.23 MB" },
		{ "99999", "\033]0;owned\a\033[2J<svg>", "a\nb\tc.service", "exited", "12 kB" },
		{ "7", "日本語プロセス", "user@1000.service", "running", "999 B" },
		{ "8", "a\xff\xfe\xe2\x80\xae" "gpj.exe", "-.mount", "running", "5 GB" },
	};
	struct cli_table *t = cli_table_new();

	assert_non_null(t);
	cli_table_column(t, "PID", CLI_COLUMN_RIGHT);
	cli_table_column(t, "COMMAND", CLI_COLUMN_CLIP);
	cli_table_column(t, "UNIT", CLI_COLUMN_CLIP);
	cli_table_column(t, "POD", CLI_COLUMN_CLIP);
	cli_table_column(t, "STATE", CLI_COLUMN_CLIP);
	cli_table_column(t, "SENT", CLI_COLUMN_RIGHT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cli_table_cell(t, rows[i].pid, CLI_SIGNAL_NONE);
		cli_table_cell(t, rows[i].command, CLI_SIGNAL_NONE);
		cli_table_cell(t, rows[i].unit, CLI_SIGNAL_NONE);
		cli_table_cell(t, NULL, CLI_SIGNAL_NONE);
		cli_table_cell(t, rows[i].state,
			       strcmp(rows[i].state, "exited") ? CLI_SIGNAL_NONE : CLI_SIGNAL_QUIET);
		cli_table_cell(t, rows[i].sent, CLI_SIGNAL_NONE);
	}
	return t;
}

static void draw(const struct cli_table *t, unsigned width, bool color, struct weir_buf *out)
{
	struct cli_style style = { .width = width, .color = color };

	weir_buf_reset(out);
	assert_int_equal(cli_table_draw(t, &style, out), 0);
}

/* clang-format off */
static const struct {
	unsigned width;
	const char *golden;
} goldens[] = {
	{ 0,
	  "  PID  COMMAND                       UNIT                 POD  STATE       SENT\n"
	  "    1  systemd                       -                    -    running      0 B\n"
	  " 4711  nginx: worker process         nginx.service        -    running  1.23 MB\n"
	  "99999  \\x1b]0;owned\\x07\\x1b[2J<svg>  a\\x0ab\\x09c.service  -    exited     12 kB\n"
	  "    7  日本語プロセス                user@1000.service    -    running    999 B\n"
	  "    8  a\\xff\\xfe\\u{202e}gpj.exe      -.mount              -    running     5 GB\n" },
	/* The column without values goes first. */
	{ 75,
	  "  PID  COMMAND                       UNIT                 STATE       SENT\n"
	  "    1  systemd                       -                    running      0 B\n"
	  " 4711  nginx: worker process         nginx.service        running  1.23 MB\n"
	  "99999  \\x1b]0;owned\\x07\\x1b[2J<svg>  a\\x0ab\\x09c.service  exited     12 kB\n"
	  "    7  日本語プロセス                user@1000.service    running    999 B\n"
	  "    8  a\\xff\\xfe\\u{202e}gpj.exe      -.mount              running     5 GB\n" },
	/* Then the widest texts shrink. */
	{ 62,
	  "  PID  COMMAND           UNIT                 STATE       SENT\n"
	  "    1  systemd           -                    running      0 B\n"
	  " 4711  nginx: worker p…  nginx.service        running  1.23 MB\n"
	  "99999  \\x1b]0;owned…     a\\x0ab\\x09c.service  exited     12 kB\n"
	  "    7  日本語プロセス    user@1000.service    running    999 B\n"
	  "    8  a\\xff\\xfe…        -.mount              running     5 GB\n" },
	/* Then texts go whole, from the right. */
	{ 46,
	  "  PID  COMMAND       UNIT                 SENT\n"
	  "    1  systemd       -                     0 B\n"
	  " 4711  nginx: work…  nginx.service     1.23 MB\n"
	  "99999  \\x1b]0;owne…  a\\x0ab\\x09c.ser…    12 kB\n"
	  "    7  日本語プロ…   user@1000.servi…    999 B\n"
	  "    8  a\\xff\\xfe…    -.mount              5 GB\n"
	  "no room for: STATE\n" },
	{ 24,
	  "  PID  COMMAND\n"
	  "    1  systemd\n"
	  " 4711  nginx: worker pr…\n"
	  "99999  \\x1b]0;owned\\x07…\n"
	  "    7  日本語プロセス\n"
	  "    8  a\\xff\\xfe…\n"
	  "no room for: UNIT STATE…\n" },
};
/* clang-format on */

static void columns_give_way_in_order(void **state)
{
	_cleanup_(cli_table_freep) struct cli_table *t = sample();
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		draw(t, goldens[i].width, false, &b);
		assert_string_equal(b.data, goldens[i].golden);
	}
	draw(t, 120, false, &b);
	assert_string_equal(b.data, goldens[0].golden);
}

static void each_line_fits(void **state)
{
	_cleanup_(cli_table_freep) struct cli_table *t = sample();
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	(void)state;
	/* Below that the first two columns alone are wider. */
	for (unsigned width = 19; width < 100; width++) {
		draw(t, width, false, &b);
		for (char *line = b.data, *end; *line; line = end + 1) {
			end = strchr(line, '\n');
			assert_non_null(end);
			*end = '\0';
			if (weir_text_columns(line) > width)
				fail_msg("at %u columns: %s", width, line);
		}
	}
}

static void nothing_that_acts_reaches_the_terminal(void **state)
{
	_cleanup_(cli_table_freep) struct cli_table *t = sample();
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	(void)state;
	for (unsigned width = 0; width < 100; width++) {
		draw(t, width, false, &b);
		for (size_t i = 0; i < b.len; i++)
			assert_true((unsigned char)b.data[i] >= 0x20 || b.data[i] == '\n');
		assert_true(weir_text_utf8_valid(b.data, b.len));
		assert_null(strstr(b.data, "\u202e"));
	}
}

static void colour_marks_the_cell_and_ends_with_it(void **state)
{
	_cleanup_(cli_table_freep) struct cli_table *t = sample();
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const char *at;

	(void)state;
	draw(t, 0, true, &b);
	at = strchr(b.data, '\033');
	assert_non_null(at);
	assert_memory_equal(at, "\033[2mexited\033[0m", 14);
	assert_null(strchr(at + 14, '\033'));
}

static void an_empty_table_is_its_heading(void **state)
{
	_cleanup_(cli_table_freep) struct cli_table *t = cli_table_new();
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	(void)state;
	cli_table_column(t, "PID", CLI_COLUMN_RIGHT);
	cli_table_column(t, "COMMAND", CLI_COLUMN_CLIP);
	cli_table_column(t, "STATE", CLI_COLUMN_CLIP);
	draw(t, 80, false, &b);
	assert_string_equal(b.data, "PID  COMMAND  STATE\n");
}

static void too_many_columns_are_an_error(void **state)
{
	_cleanup_(cli_table_freep) struct cli_table *t = cli_table_new();
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	struct cli_style style = {};

	(void)state;
	for (int i = 0; i < 65; i++)
		cli_table_column(t, "X", 0);
	assert_true(cli_table_draw(t, &style, &b) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_give_way_in_order),
		cmocka_unit_test(each_line_fits),
		cmocka_unit_test(nothing_that_acts_reaches_the_terminal),
		cmocka_unit_test(colour_marks_the_cell_and_ends_with_it),
		cmocka_unit_test(an_empty_table_is_its_heading),
		cmocka_unit_test(too_many_columns_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
