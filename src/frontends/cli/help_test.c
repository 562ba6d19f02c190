// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "core/tables.h"
#include "frontends/cli/help.h"
#include "frontends/cli/objects.h"

static void assert_has(const struct weir_buf *b, const char *part, const char *of)
{
	if (!strstr(b->data, part))
		fail_msg("%s: \"%s\" is missing", of, part);
}

static void an_objects_help_reads_so(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	(void)state;
	assert_int_equal(cli_help_make(&b, cli_object_find(cli_objects, "record")), 0);
	assert_string_equal(
		b.data,
		"weir record: write raw events to a file\n"
		"\n"
		"usage: weir record [OPTIONS] FILE\n"
		"\n"
		"Watches until --seconds are over, or Ctrl-C. The file replays into the same\n"
		"tables, documents and page without root; it says who talks to whom, so only its\n"
		"owner can read it.\n"
		"\n"
		"options:\n"
		"      --seconds N           stop after N seconds\n"
		"      --force               overwrite the file if it exists\n"
		"      --hooks FEATURE:SET   force a hook set, such as traffic:sock\n"
		"      --without LIST        act as if the kernel lacked these: fentry,btf\n"
		"  -h, --help                say what weir, or the object, does\n");
}

static void each_line_of_help_fits_80_columns(void **state)
{
	(void)state;
	for (const struct cli_object *o = cli_objects;; o++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};

		assert_int_equal(cli_help_make(&b, o->name ? o : NULL), 0);
		for (const char *line = b.data; *line; line += strcspn(line, "\n") + 1) {
			if (strcspn(line, "\n") > 80)
				fail_msg("%s: %.*s", o->name ? o->name : "weir",
					 (int)strcspn(line, "\n"), line);
			if (*line == '\n')
				continue;
			assert_true(line[strcspn(line, "\n") - 1] != ' ');
		}
		if (!o->name)
			break;
	}
}

/* What the parser knows stands in the help, the manual and the completions, and nothing else does. */
static void help_knows_what_the_parser_knows(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf all = {}, manual = {};

	(void)state;
	assert_int_equal(cli_help_make(&all, NULL), 0);
	assert_int_equal(cli_manual_make(&manual, NULL), 0);
	for (const struct cli_object *o = cli_objects; o->name; o++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		char line[64];

		snprintf(line, sizeof(line), "\n  %s ", o->name);
		assert_has(&all, line, "weir help");
		snprintf(line, sizeof(line), "\n.It Cm %s", o->name);
		assert_has(&manual, line, "the manual");
		assert_int_equal(cli_help_make(&b, o), 0);
		for (int id = 0; id < _CLI_OPTION_MAX; id++) {
			snprintf(line, sizeof(line), " --%s", cli_options[id].name);
			if (cli_object_takes(o, id))
				assert_has(&b, line, o->name);
		}
	}
	for (int id = 0; id < _CLI_OPTION_MAX; id++) {
		char line[64];

		snprintf(line, sizeof(line), " Fl \\-%s", cli_options[id].name);
		assert_has(&manual, line, "the manual");
	}
}

static void every_option_belongs_to_an_object(void **state)
{
	(void)state;
	for (int id = 0; id < _CLI_OPTION_MAX; id++) {
		unsigned objects = id == CLI_OPTION_VERSION;

		for (const struct cli_object *o = cli_objects; o->name; o++)
			objects += (o->options & (1ULL << id)) || id == CLI_OPTION_HELP;
		if (!objects)
			fail_msg("--%s: no object takes it", cli_options[id].name);
	}
}

static void fields_stand_in_the_help_of_their_object(void **state)
{
	const struct weir_table *t = weir_table_find("audit");
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	(void)state;
	assert_int_equal(cli_help_make(&b, cli_object_find(cli_objects, "audit")), 0);
	for (unsigned i = 0; i < t->n_fields; i++) {
		char line[80];

		snprintf(line, sizeof(line), " %s", t->fields[i].name);
		assert_has(&b, line, "weir help audit");
	}
}

static void completions_know_what_the_parser_knows(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		char part[64];

		assert_int_equal(cli_completions_make(&b, shells[i]), 0);
		for (const struct cli_object *o = cli_objects; o->name; o++)
			assert_has(&b, o->name, shells[i]);
		for (int id = 0; id < _CLI_OPTION_MAX; id++) {
			snprintf(part, sizeof(part), i == 2 ? "-l %s" : "--%s", cli_options[id].name);
			assert_has(&b, part, shells[i]);
		}
	}
	struct weir_buf none = {};
	assert_int_equal(cli_completions_make(&none, "tcsh"), -ENOENT);
}

/* Feeds text to a program's standard input. Its exit status; -1 when it cannot be run. */
static int run(const char *const argv[], const struct weir_buf *input)
{
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[1]);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(ends[0]);
	for (size_t at = 0; at < input->len;) {
		ssize_t n = write(ends[1], input->data + at, input->len - at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	close(ends[1]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

/* Completes a command line as an interactive bash would, and looks for the words. */
static void bash_completes(void **state)
{
	static const char script[] =
		"\ntry() { COMP_WORDS=(\"${@:2}\"); COMP_CWORD=$(($# - 2)); _weir 2>/dev/null\n"
		"[[ \" ${COMPREPLY[*]} \" == *\" $1 \"* ]] || { echo \"$*: ${COMPREPLY[*]}\" >&2; exit 9; }; }\n"
		"try processes weir pro\n"
		"try audit weir -j a\n"
		"try audit weir -c 5 a\n"
		"try --limit weir flows --li\n"
		"try -j weir top -\n"
		"try scope: weir audit sc\n"
		"try ok weir audit --sort o\n"
		"try zsh weir completions z\n"
		"try rates weir history ra\n"
		"try peer_name: weir history peer\n"
		"try --since weir flows --si\n"
		"try tx_bytes_per_second_max weir history --sort tx\n"
		"try audit weir schema au\n"
		"try audit weir help au\n"
		"try /etc weir daemon --state /et\n";
	const char *const bash[] = { "bash", "--norc", "-s", NULL };
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	int r;

	(void)state;
	assert_int_equal(cli_completions_make(&b, "bash"), 0);
	weir_buf_str(&b, script);
	r = run(bash, &b);
	if (r < 0)
		skip();
	assert_int_equal(r, 0);
}

static void the_shells_can_read_them(void **state)
{
	static const char *const shells[][4] = {
		{ "bash", "-n", "-s", NULL },
		{ "zsh", "-n", "-s", NULL },
		{ "fish", "--no-execute", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		int r;

		assert_int_equal(cli_completions_make(&b, shells[i][0]), 0);
		r = run(shells[i], &b);
		if (r < 0)
			print_message("%s is not installed\n", shells[i][0]);
		else
			assert_int_equal(r, 0);
	}
}

static void the_manual_has_no_fault(void **state)
{
	const char *const mandoc[] = { "mandoc", "-Tlint", "-Wwarning", NULL };
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	int r;

	(void)state;
	assert_int_equal(cli_manual_make(&b, NULL), 0);
	r = run(mandoc, &b);
	if (r < 0) {
		print_message("mandoc is not installed\n");
		skip();
	}
	assert_int_equal(r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_objects_help_reads_so),
		cmocka_unit_test(each_line_of_help_fits_80_columns),
		cmocka_unit_test(help_knows_what_the_parser_knows),
		cmocka_unit_test(every_option_belongs_to_an_object),
		cmocka_unit_test(fields_stand_in_the_help_of_their_object),
		cmocka_unit_test(completions_know_what_the_parser_knows),
		cmocka_unit_test(bash_completes),
		cmocka_unit_test(the_shells_can_read_them),
		cmocka_unit_test(the_manual_has_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
