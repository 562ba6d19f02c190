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
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "frontends/cli/client.h"

/* A server that says what it is told to whatever it is asked, in a child, on a socket of its own. */
struct server {
	char folder[32], path[64];
	pid_t pid;
};

static void answer_all(int fd, const char *reply, size_t len)
{
	for (;;) {
		int peer = accept(fd, NULL, NULL);
		char question[4096];
		size_t at = 0;

		while (at < sizeof(question) - 1) {
			ssize_t n = read(peer, question + at, sizeof(question) - 1 - at);

			if (n <= 0)
				break;
			at += (size_t)n;
			question[at] = '\0';
			if (strstr(question, "\r\n\r\n"))
				break;
		}
		if (reply && write(peer, reply, len) < 0)
			_exit(1);
		if (!reply) /* hangs */
			pause();
		close(peer);
	}
}

static void server_start(struct server *s, const char *reply, size_t len)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(s->folder, sizeof(s->folder), "/tmp/weir-test-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof(s->path), "%s/s", s->folder);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", s->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	s->pid = fork();
	if (s->pid == 0)
		answer_all(fd, reply, len);
	close(fd);
}

static void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	unlink(s->path);
	rmdir(s->folder);
}

static int get(const char *path, struct weir_buf *body, char **error)
{
	_cleanup_(cli_client_freep) struct cli_client *c = NULL;

	*error = NULL;
	assert_int_equal(cli_client_new(path, NULL, &c), 0);
	return cli_client_get(c, "/api/v1/flows", body, error);
}

static const struct {
	const char *name, *reply;
	int r;
	const char *body, *error; /* a part of it */
} rows[] = {
	{ "an answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0, "{}", NULL },
	{ "an answer in chunks",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 0, "{}",
	  NULL },
	{ "an empty answer", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", -EREMOTEIO,
	  NULL, "broke off" },
	{ "the daemon's own words",
	  "HTTP/1.1 400 Bad\r\nContent-Length: 30\r\n\r\n{\"error\":\"unknown word \\\"x\\\"\"}\n", -EBADRQC,
	  NULL, "unknown word \"x\"" },
	{ "an error that is no JSON", "HTTP/1.1 400 Bad\r\nContent-Length: 9\r\n\r\nno\nbecause", -EBADRQC,
	  NULL, "no" },
	{ "refused", "HTTP/1.1 403 No\r\nContent-Length: 16\r\n\r\n{\"error\":\"Host\"}", -EPERM, NULL,
	  "refused: Host" },
	{ "an object that it does not know", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", -EBADRQC, NULL,
	  "does not know this object" },
	{ "overloaded", "HTTP/1.1 503 Busy\r\nContent-Length: 16\r\n\r\n{\"error\":\"busy\"}", -EAGAIN,
	  NULL, "status 503: busy" },
	{ "a redirect is not followed",
	  "HTTP/1.1 302 There\r\nLocation: http://example.org/\r\nContent-Length: 0\r\n\r\n", -EREMOTEIO,
	  NULL, "status 302" },
	{ "cut off in the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", -EREMOTEIO, NULL,
	  "broke off" },
	{ "cut off in the head", "HTTP/1.1 200 OK\r\nConte", -EREMOTEIO, NULL,
	  "broke off" },
	{ "no HTTP", "SSH-2.0-OpenSSH\r\n", -EREMOTEIO, NULL, "broke off" },
	{ "nothing", "", -EREMOTEIO, NULL, "broke off" },
	{ "more than memory is meant for", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{",
	  -EREMOTEIO, NULL, "broke off" },
};

static void answers_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(weir_buf_done) struct weir_buf body = {};
		_cleanup_free_ char *error = NULL;
		struct server s;
		int r;

		server_start(&s, rows[i].reply, strlen(rows[i].reply));
		r = get(s.path, &body, &error);
		server_stop(&s);
		if (r != rows[i].r)
			fail_msg("%s: %d %s", rows[i].name, r, error ? error : "");
		if (rows[i].body)
			assert_string_equal(body.data ? body.data : "", rows[i].body);
		if (r < 0)
			assert_non_null(error);
		if (rows[i].error && !strstr(error, rows[i].error))
			fail_msg("%s: %s", rows[i].name, error);
	}
}

static void without_a_daemon_it_says_so(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf body = {};
	_cleanup_free_ char *error = NULL, *again = NULL;
	struct server s;

	(void)state;
	assert_int_equal(get("/nonexistent/weir.sock", &body, &error), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent/weir.sock"));
	assert_non_null(strstr(error, "weir daemon"));

	/* The socket of a daemon that was killed. */
	server_start(&s, "", 0);
	assert_int_equal(cli_client_probe(s.path), 0);
	assert_int_equal(cli_client_peer(s.path), getpid());
	kill(s.pid, SIGKILL);
	waitpid(s.pid, NULL, 0);
	assert_int_equal(cli_client_probe(s.path), -ECONNREFUSED);
	assert_int_equal(get(s.path, &body, &again), -ECONNREFUSED);
	assert_int_equal(cli_client_peer(s.path), 0);
	unlink(s.path);
	rmdir(s.folder);
	assert_int_equal(cli_client_probe(s.path), -ENOENT);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	struct cli_client *c = NULL;
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(cli_client_new(path, NULL, &c), -ENAMETOOLONG);
	assert_null(c);
	assert_int_equal(cli_client_probe(path), -ENAMETOOLONG);
}

static bool yes(void)
{
	return true;
}

static void a_question_can_be_interrupted(void **state)
{
	_cleanup_(cli_client_freep) struct cli_client *c = NULL;
	_cleanup_(weir_buf_done) struct weir_buf body = {};
	_cleanup_free_ char *error = NULL;
	struct server s;

	(void)state;
	server_start(&s, NULL, 0);
	assert_int_equal(cli_client_new(s.path, yes, &c), 0);
	assert_int_equal(cli_client_get(c, "/api/v1/flows", &body, &error), -EINTR);
	assert_null(error);
	server_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_told_apart),
		cmocka_unit_test(without_a_daemon_it_says_so),
		cmocka_unit_test(a_path_that_is_too_long_is_refused),
		cmocka_unit_test(a_question_can_be_interrupted),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
