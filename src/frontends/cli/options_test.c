// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "frontends/cli/objects.h"

static const struct cli_object raw_objects[] = {
	{ .name = "bench", .arguments = "[NAME]", .raw = true },
	{},
};

static const struct {
	const char *name;
	const char *line;   /* separated by blanks */
	const char *object; /* NULL: none */
	uint64_t given;
	const char *words;
	const char *error; /* NULL: it parses */
} rows[] = {
	{ "nothing at all is fine", "weir", NULL, 0, "", NULL },
	{ "an object alone", "weir processes", "processes", 0, "", NULL },
	{ "options before the object", "weir -j -n processes", "processes",
	  CLI_BIT(JSON) | CLI_BIT(NUMERIC), "", NULL },
	{ "options behind it", "weir processes -j", "processes", CLI_BIT(JSON), "", NULL },
	{ "an option's argument is no object", "weir -c 5 top", "top", CLI_BIT(COUNT), "", NULL },
	{ "letters in one word", "weir top -bjc5", "top",
	  CLI_BIT(BATCH) | CLI_BIT(JSON) | CLI_BIT(COUNT), "", NULL },
	{ "long names with and without =", "weir flows --limit=5 --sort pid", "flows",
	  CLI_BIT(LIMIT) | CLI_BIT(SORT), "", NULL },
	{ "an argument that begins with a dash", "weir flows --sort -pid", "flows", CLI_BIT(SORT), "",
	  NULL },
	{ "filter words among options", "weir flows port:443 -t not peer:::1", "flows", CLI_BIT(TCP),
	  "port:443 not peer:::1", NULL },
	{ "after -- all is words", "weir replay -- -j", "replay", 0, "-j", NULL },
	{ "color without an argument", "weir flows --color", "flows", CLI_BIT(COLOR), "", NULL },
	{ "color takes no next word", "weir --color flows", "flows", CLI_BIT(COLOR), "", NULL },
	{ "help answers whatever stands there", "weir record --help -j", "record",
	  CLI_BIT(HELP) | CLI_BIT(JSON), "", NULL },
	{ "version needs no object", "weir -V", NULL, CLI_BIT(VERSION), "", NULL },

	{ "an option alone", "weir -j", NULL, 0, "", "an object is missing: see weir help" },
	{ "an unknown object", "weir nonsense", NULL, 0, "",
	  "there is no object \"nonsense\": see weir help" },
	{ "an object with a slip", "weir proceses", NULL, 0, "",
	  "there is no object \"proceses\": did you mean processes?" },
	{ "the beginning of an object", "weir proc", NULL, 0, "",
	  "there is no object \"proc\": did you mean processes?" },
	{ "an unknown letter", "weir flows -z", NULL, 0, "", "there is no option -z: see weir --help" },
	{ "an unknown name", "weir flows --zebra=1", NULL, 0, "",
	  "there is no option --zebra: see weir --help" },
	{ "no argument where one is needed", "weir top -c", NULL, 0, "", "--count needs its N" },
	{ "an argument where none is taken", "weir flows --json=1", NULL, 0, "",
	  "--json takes no argument" },
	{ "a count that is none", "weir top -c many", NULL, 0, "",
	  "--count takes a whole number, not \"many\"" },
	{ "a negative count", "weir top -c -1", NULL, 0, "",
	  "--count takes a whole number, not \"-1\"" },
	{ "a count beyond 64 bits", "weir top -c 99999999999999999999", NULL, 0, "",
	  "--count takes a whole number, not \"99999999999999999999\"" },
	{ "seconds that are none", "weir top -d 1e3", NULL, 0, "",
	  "--interval takes a number such as 1 or 0.5, not \"1e3\"" },
	{ "a wrong choice", "weir flows --color=blue", NULL, 0, "",
	  "--color takes one of auto, always, never, not \"blue\"" },
	{ "an empty argument", "weir flows --socket=", NULL, 0, "",
	  "--socket takes a PATH, not an empty one" },
	{ "an option of another object", "weir processes --seconds 3", NULL, 0, "",
	  "--seconds is not an option of processes: see weir help processes" },
	{ "a word too few", "weir record", NULL, 0, "", "record needs more: weir record FILE" },
	{ "a word too many", "weir daemon now", NULL, 0, "",
	  "daemon does not take \"now\": see weir help daemon" },
};

/* Cuts the line at its blanks, in place. */
static int split(char *line, char **argv, int max)
{
	int n = 0;

	for (char *word; (word = strsep(&line, " ")) && n < max;)
		argv[n++] = word;
	return n;
}

static void check_row(size_t i)
{
	_cleanup_free_ char *line = strdup(rows[i].line), *error = NULL;
	char *argv[16], words[256] = "";
	struct cli_command c;
	int argc = split(line, argv, 16);
	int r = cli_command_parse(argc, argv, cli_objects, &c, &error);

	if (r != (rows[i].error ? -EINVAL : 0))
		fail_msg("%s: %d %s", rows[i].name, r, error ? error : "");
	if (rows[i].error) {
		assert_string_equal(error, rows[i].error);
		assert_null(c.words);
		return;
	}
	assert_null(error);
	for (unsigned k = 0; k < c.n_words; k++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s", k ? " " : "",
			 c.words[k]);
	if (c.given != rows[i].given || strcmp(words, rows[i].words) != 0)
		fail_msg("%s: words \"%s\", options %llx", rows[i].name, words,
			 (unsigned long long)c.given);
	if (!rows[i].object)
		assert_null(c.object);
	else
		assert_string_equal(c.object->name, rows[i].object);
	cli_command_done(&c);
}

static void lines_parse_as_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_row(i);
}

static void values_are_kept(void **state)
{
	char *argv[] = { "weir", "top", "-c", "7", "-d", ".5", "--color" };
	_cleanup_free_ char *error = NULL;
	struct cli_command c;

	(void)state;
	assert_int_equal(cli_command_parse(7, argv, cli_objects, &c, &error), 0);
	assert_int_equal(cli_value_number(&c, CLI_OPTION_COUNT, 1), 7);
	assert_int_equal(cli_value_number(&c, CLI_OPTION_LIMIT, 42), 42);
	assert_true(cli_value_seconds(&c, CLI_OPTION_INTERVAL, 1) == 0.5);
	assert_string_equal(cli_value_text(&c, CLI_OPTION_COLOR, "auto"), "always");
	assert_string_equal(cli_value_text(&c, CLI_OPTION_SOCKET, "here"), "here");
	cli_command_done(&c);
}

static void a_raw_object_gets_what_follows_as_it_is(void **state)
{
	char *argv[] = { "weir", "bench", "--runs", "5", "-x", "--help" };
	_cleanup_free_ char *error = NULL;
	struct cli_command c;

	(void)state;
	assert_int_equal(cli_command_parse(6, argv, raw_objects, &c, &error), 0);
	assert_int_equal(c.n_words, 4);
	assert_string_equal(c.words[0], "--runs");
	assert_string_equal(c.words[3], "--help");
	assert_int_equal(c.given, 0);
	cli_command_done(&c);
}

static void each_letter_and_name_stands_once(void **state)
{
	(void)state;
	for (int i = 0; i < _CLI_OPTION_MAX; i++) {
		assert_non_null(cli_options[i].name);
		assert_non_null(cli_options[i].help);
		assert_true(!cli_options[i].argument == (cli_options[i].takes == CLI_ARGUMENT_NONE));
		for (int k = 0; k < i; k++) {
			assert_string_not_equal(cli_options[i].name, cli_options[k].name);
			if (cli_options[i].letter)
				assert_int_not_equal(cli_options[i].letter, cli_options[k].letter);
		}
	}
	for (const struct cli_object *o = cli_objects; o->name; o++) {
		assert_non_null(o->summary);
		assert_non_null(o->description);
		assert_non_null(o->arguments);
		assert_non_null(o->run);
		assert_ptr_equal(cli_object_find(cli_objects, o->name), o);
	}
}

/* Whatever stands on the line: an answer, and nothing leaked (with the sanitizers). */
static void lines_at_random_end_in_an_answer(void **state)
{
	static const char *const words[] = { "top", "flows", "-j", "-c", "--", "--limit", "=", "-", "--=",
					     "", "-\xff", "--color=", "port:1", "5", "record", "-bc" };
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		_cleanup_free_ char *error = NULL;
		char *argv[6] = { "weir" };
		struct cli_command c;

		for (int i = 1; i < 6; i++) {
			seed = seed * 1103515245 + 12345;
			argv[i] = (char *)words[(seed >> 16) % ARRAY_SIZE(words)];
		}
		if (cli_command_parse(6, argv, cli_objects, &c, &error) < 0)
			assert_non_null(error);
		cli_command_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_parse_as_the_table_says),
		cmocka_unit_test(values_are_kept),
		cmocka_unit_test(a_raw_object_gets_what_follows_as_it_is),
		cmocka_unit_test(each_letter_and_name_stands_once),
		cmocka_unit_test(lines_at_random_end_in_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
