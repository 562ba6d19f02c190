// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* Standard error goes to a file in memory while a test runs. */
static int saved = -1, file = -1;
static char text[4096];

static int capture(void **state)
{
	(void)state;
	saved = dup(STDERR_FILENO);
	file = memfd_create("log", MFD_CLOEXEC);
	dup2(file, STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	weir_log_set_level(WEIR_LOG_INFO);
	weir_log_init("gate");
	return saved < 0 || file < 0;
}

static int release(void **state)
{
	(void)state;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(file);
	return 0;
}

static const char *logged(void)
{
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void a_line_names_the_role(void **state)
{
	(void)state;
	weir_error("port %d is in use", 9474);
	weir_log_init(NULL);
	weir_info("without a role\n");
	assert_string_equal(logged(), "weir gate: port 9474 is in use\nweir: without a role\n");
}

static void a_hostile_name_forges_no_line(void **state)
{
	(void)state;
	weir_warning("%s left", "x\n<0>weir keeper: all is well\x1b[2J");
	assert_string_equal(logged(), "weir gate: x\\x0a<0>weir keeper: all is well\\x1b[2J left\n");
}

static void what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	weir_debug("not shown");
	weir_log_set_level(WEIR_LOG_ERROR);
	weir_info("not shown");
	assert_string_equal(logged(), "");
	weir_log_set_level(WEIR_LOG_DEBUG);
	weir_debug("shown");
	assert_string_equal(logged(), "weir gate: shown\n");
}

static void systemd_gets_priorities(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	weir_log_init("engine");
	weir_error("e");
	weir_warning("w");
	setenv("JOURNAL_STREAM", "1:1", 1);
	weir_log_init("engine");
	weir_error("elsewhere");
	assert_string_equal(logged(), "<3>weir engine: e\n<4>weir engine: w\nweir engine: elsewhere\n");
}

static void a_long_line_is_whole(void **state)
{
	char name[2000];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	weir_error("%s!", name);
	assert_int_equal(strlen(logged()), strlen("weir gate: !\n") + sizeof(name) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_names_the_role, capture, release),
		cmocka_unit_test_setup_teardown(a_hostile_name_forges_no_line, capture, release),
		cmocka_unit_test_setup_teardown(what_is_below_the_level_is_not_written, capture, release),
		cmocka_unit_test_setup_teardown(systemd_gets_priorities, capture, release),
		cmocka_unit_test_setup_teardown(a_long_line_is_whole, capture, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
