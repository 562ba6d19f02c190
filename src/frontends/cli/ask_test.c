// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "frontends/cli/ask.h"
#include "frontends/cli/interrupt.h"

/* A server that answers each question with its own path, in a child for each connection; one about
 * /never hangs. */
struct server {
	char folder[32], path[64];
	pid_t pid;
};

static void answer(int peer)
{
	char question[4096], path[256], reply[512];
	ssize_t n;

	while ((n = read(peer, question, sizeof(question) - 1)) > 0) {
		question[n] = '\0';
		if (sscanf(question, "GET %255s", path) != 1)
			_exit(1);
		if (strcmp(path, "/never") == 0)
			pause();
		n = snprintf(reply, sizeof(reply),
			     "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
			     strcmp(path, "/bad") == 0 ? "400 Bad" : "200 OK", strlen(path), path);
		if (write(peer, reply, (size_t)n) < 0)
			_exit(1);
	}
	_exit(0);
}

static int server_start(void **state)
{
	static struct server s;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(s.folder, sizeof(s.folder), "/tmp/weir-test-XXXXXX");
	assert_non_null(mkdtemp(s.folder));
	snprintf(s.path, sizeof(s.path), "%s/s", s.folder);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", s.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	s.pid = fork();
	if (s.pid == 0) {
		(void)setpgid(0, 0);
		for (;;) {
			int peer = accept(fd, NULL, NULL);

			if (fork() == 0)
				answer(peer);
			close(peer);
		}
	}
	(void)setpgid(s.pid, s.pid);
	close(fd);
	*state = &s;
	return 0;
}

static int server_stop(void **state)
{
	struct server *s = *state;

	kill(-s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	unlink(s->path);
	rmdir(s->folder);
	return 0;
}

struct taken {
	unsigned slot;
	int result;
	const char *text, *error;
	size_t len;
};

/* The next answer within some seconds. */
static bool take(struct cli_asker *a, struct taken *t)
{
	uint64_t end = weir_mono_ns() + 5000000000ull;

	do {
		if (cli_asker_take(a, &t->slot, &t->result, &t->text, &t->len, &t->error))
			return true;
	} while (cli_asker_wait(a, end, NULL, 0) == 0 && weir_mono_ns() < end);
	return false;
}

static void several_questions_are_answered_each(void **state)
{
	_cleanup_(cli_asker_freep) struct cli_asker *a = NULL;
	struct server *s = *state;
	static const char *const urls[] = { "/zero", "/one", "/two" };
	unsigned seen = 0;
	struct taken t;

	assert_int_equal(cli_asker_new(s->path, 3, &a), 0);
	for (int round = 0; round < 3; round++) {
		seen = 0;
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(cli_asker_ask(a, i, urls[i]), 0);
		for (unsigned i = 0; i < 3; i++) {
			assert_true(take(a, &t));
			assert_int_equal(t.result, 0);
			assert_string_equal(t.text, urls[t.slot]);
			assert_int_equal(t.len, strlen(urls[t.slot]));
			seen |= 1u << t.slot;
		}
		assert_int_equal(seen, 7);
	}
}

static void one_that_hangs_stops_no_other_and_can_be_given_up(void **state)
{
	_cleanup_(cli_asker_freep) struct cli_asker *a = NULL;
	struct server *s = *state;
	struct taken t;

	assert_int_equal(cli_asker_new(s->path, 2, &a), 0);
	assert_int_equal(cli_asker_ask(a, 0, "/never"), 0);
	assert_int_equal(cli_asker_ask(a, 1, "/now"), 0);
	assert_true(take(a, &t));
	assert_int_equal(t.slot, 1);
	assert_int_equal(cli_asker_ask(a, 0, "/instead"), 0);
	assert_true(take(a, &t));
	assert_int_equal(t.slot, 0);
	assert_string_equal(t.text, "/instead");
	assert_int_equal(cli_asker_ask(a, 0, "/never"), 0); /* and freed under way */
}

static void a_refusal_is_told_in_a_line(void **state)
{
	_cleanup_(cli_asker_freep) struct cli_asker *a = NULL;
	struct server *s = *state;
	struct taken t;

	assert_int_equal(cli_asker_new(s->path, 1, &a), 0);
	assert_int_equal(cli_asker_ask(a, 0, "/bad"), 0);
	assert_true(take(a, &t));
	assert_int_equal(t.result, -EBADRQC);
	assert_string_equal(t.error, "/bad");
	/* The next question is not the worse for it. */
	assert_int_equal(cli_asker_ask(a, 0, "/good"), 0);
	assert_true(take(a, &t));
	assert_int_equal(t.result, 0);
	assert_null(t.error);
}

static void nobody_listens(void **state)
{
	_cleanup_(cli_asker_freep) struct cli_asker *a = NULL;
	struct taken t;

	(void)state;
	assert_int_equal(cli_asker_new("/nonexistent/weir.sock", 1, &a), 0);
	assert_int_equal(cli_asker_ask(a, 0, "/x"), 0);
	assert_true(take(a, &t));
	assert_int_equal(t.result, -ENOENT);
	assert_non_null(strstr(t.error, "no daemon answers on /nonexistent/weir.sock"));
}

static void other_descriptors_wake_the_wait(void **state)
{
	_cleanup_(cli_asker_freep) struct cli_asker *a = NULL;
	struct server *s = *state;
	uint64_t begun = weir_mono_ns();
	int ends[2];

	assert_int_equal(cli_asker_new(s->path, 1, &a), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(cli_asker_wait(a, begun + 5000000000ull, ends, 1), 0);
	assert_true(weir_mono_ns() - begun < 4000000000ull);
	assert_int_equal(cli_asker_wait(a, weir_mono_ns() + 20000000, NULL, 0), 0); /* by time */
	assert_int_equal(cli_interrupt_init(), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(cli_asker_wait(a, begun + 5000000000ull, NULL, 0), -EINTR);
	cli_interrupt_reset();
	close(ends[0]);
	close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, server_start, server_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(several_questions_are_answered_each),
		TEST(one_that_hangs_stops_no_other_and_can_be_given_up),
		TEST(a_refusal_is_told_in_a_line),
		TEST(nobody_listens),
		TEST(other_descriptors_wake_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
