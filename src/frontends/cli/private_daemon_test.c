// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "frontends/cli/interrupt.h"
#include "frontends/cli/private_daemon.h"

/* Stands in for the daemon: what it does is written where a real one has its list of hooks. */
int weir_daemon_run(const struct weir_daemon_options *o)
{
	const char *play = o->hooks;
	FILE *f;

	if (!strcmp(play, "refuse"))
		return 3;
	if (!strcmp(play, "crash"))
		raise(SIGKILL);
	if (!strcmp(play, "deaf"))
		signal(SIGTERM, SIG_IGN);
	f = fopen(o->socket, "w");
	if (!f)
		return 1;
	fclose(f);
	if (write(o->ready_fd, "r", 1) != 1)
		return 1;
	close(o->ready_fd);
	if (!strcmp(play, "end"))
		return 7;
	/* SIGTERM ends it: the command's handlers do not reach here. */
	for (;;)
		pause();
}

static int start(const char *play, struct cli_private **ret)
{
	struct weir_daemon_options o = { .hooks = play, .listen = "none", .ready_fd = -1 };

	*ret = NULL;
	return cli_private_start(&o, ret);
}

static void it_starts_and_leaves_nothing(void **state)
{
	struct cli_private *p;
	char path[128], *slash;
	struct stat st;

	(void)state;
	assert_int_equal(start("stay", &p), 0);
	snprintf(path, sizeof(path), "%s", cli_private_socket(p));
	assert_int_equal(access(path, F_OK), 0);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(cli_wait(weir_mono_ns() + 50000000, cli_private_fd(p)), 0);
	assert_int_equal(cli_private_stop(p), 128 + SIGTERM);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(cli_private_stop(p), 0);
	cli_private_free(p);
}

static void what_it_says_before_it_is_ready_is_the_status(void **state)
{
	struct cli_private *p;

	(void)state;
	assert_int_equal(start("refuse", &p), 3);
	assert_null(p);
	assert_int_equal(start("crash", &p), 1);
	assert_null(p);
}

static void its_end_can_be_waited_for(void **state)
{
	struct cli_private *p;

	(void)state;
	assert_int_equal(start("end", &p), 0);
	assert_int_equal(cli_wait(weir_mono_ns() + 5000000000, cli_private_fd(p)), 1);
	assert_int_equal(cli_private_stop(p), 7);
	cli_private_free(p);
}

/* The kernel ends it with the command, however that one ends. */
static void it_dies_with_its_command(void **state)
{
	int tell[2];
	pid_t command;
	char path[128] = "", end, *slash;
	struct cli_private *p;

	(void)state;
	assert_int_equal(pipe(tell), 0);
	command = fork();
	if (command == 0) {
		if (start("stay", &p) != 0 ||
		    write(tell[1], cli_private_socket(p), strlen(cli_private_socket(p))) < 0)
			_exit(1);
		/* Only its daemon keeps the pipe open when it is killed. */
		raise(SIGKILL);
	}
	close(tell[1]);
	assert_true(read(tell[0], path, sizeof(path) - 1) > 0);
	waitpid(command, NULL, 0);
	/* End of file: the daemon is gone too. */
	assert_int_equal(cli_wait(weir_mono_ns() + 5000000000, tell[0]), 1);
	assert_int_equal(read(tell[0], &end, 1), 0);
	close(tell[0]);
	unlink(path);
	slash = strrchr(path, '/');
	*slash = '\0';
	rmdir(path);
}

static void one_that_does_not_listen_is_killed(void **state)
{
	struct cli_private *p;

	(void)state;
	assert_int_equal(start("deaf", &p), 0);
	assert_int_equal(cli_private_stop(p), -1);
	cli_private_free(p);
}

static void an_interruption_ends_the_wait(void **state)
{
	(void)state;
	assert_int_equal(cli_interrupt_init(), 0);
	raise(SIGINT);
	assert_int_equal(cli_wait(UINT64_MAX, -1), -EINTR);
	assert_true(cli_interrupted());
	assert_int_equal(cli_interrupt_status(), 130);
	cli_interrupt_reset();
	assert_false(cli_interrupted());
	assert_int_equal(cli_interrupt_status(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_and_leaves_nothing),
		cmocka_unit_test(what_it_says_before_it_is_ready_is_the_status),
		cmocka_unit_test(its_end_can_be_waited_for),
		cmocka_unit_test(it_dies_with_its_command),
		cmocka_unit_test(one_that_does_not_listen_is_killed),
		cmocka_unit_test(an_interruption_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
