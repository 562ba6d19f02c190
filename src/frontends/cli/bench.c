// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/bench.h"
#include "core/feature.h"
#include "frontends/cli/client.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"
#include "frontends/cli/private_daemon.h"
#include "frontends/cli/style.h"

/* `weir bench`: the features measure, this gives them a daemon and says what they found. */

WEIR_DEFINE_CLEANUP(struct weir_bench, weir_bench_free)

#define ANSWER_TIMEOUT_NS (20ULL * 1000000000)

struct bench_host {
	char folder[64]; /* of the daemon's socket */
	char socket[96];
	pid_t pid;
	struct cli_client *client;
};

static void daemon_stop(void *ctx)
{
	struct bench_host *h = ctx;

	h->client = cli_client_free(h->client);
	weir_bench_end(&h->pid);
	(void)unlink(h->socket);
}

/* As a user starts it: this program anew, and not a copy of this process with all that it holds. */
static int daemon_start(void *ctx, struct weir_bench *b, pid_t *ret_pid)
{
	struct bench_host *h = ctx;
	const char *const argv[] = { "/proc/self/exe",
				     "daemon",
				     "--listen",
				     "none",
				     "--socket",
				     h->socket,
				     "--state",
				     h->folder,
				     "--pins",
				     "/sys/fs/bpf/weir-bench",
				     NULL };
	int r;

	daemon_stop(h);
	r = cli_client_new(h->socket, cli_interrupted, &h->client);
	if (r == 0)
		r = weir_bench_spawn(b, argv, &h->pid, NULL);
	if (r < 0)
		return r;
	*ret_pid = h->pid;
	return 0;
}

/* Asks until it answers: a daemon that was just started has no socket yet. */
static int daemon_get(void *ctx, const char *path, struct weir_buf *ret_body)
{
	uint64_t until = weir_mono_ns() + ANSWER_TIMEOUT_NS;
	struct bench_host *h = ctx;

	if (!h->client)
		return -ENOTCONN;
	for (;;) {
		char *error = NULL;
		int r = cli_client_get(h->client, path, ret_body, &error);

		free(error);
		if ((r != -ENOENT && r != -ECONNREFUSED) || weir_mono_ns() > until)
			return r;
		if (cli_interrupted())
			return -EINTR;
		usleep(1000);
	}
}

static void progress(void *ctx, const char *what)
{
	(void)ctx;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "measuring: %s\n", what);
}

static int host_init(struct bench_host *h)
{
	*h = (struct bench_host){ .folder = "/run/" CLI_PRIVATE_PREFIX "XXXXXX" };
	if (!mkdtemp(h->folder)) {
		snprintf(h->folder, sizeof(h->folder), "/tmp/" CLI_PRIVATE_PREFIX "XXXXXX");
		if (!mkdtemp(h->folder))
			return -errno;
	}
	snprintf(h->socket, sizeof(h->socket), "%s/weir.sock", h->folder);
	return 0;
}

static void host_done(struct bench_host *h)
{
	char token[96];

	daemon_stop(h);
	snprintf(token, sizeof(token), "%s/token", h->folder);
	(void)unlink(token);
	(void)rmdir(h->folder);
}

/* --- the features ---------------------------------------------------------------------------- */

static const struct weir_feature *feature_find(const char *name)
{
	for (unsigned i = 0; weir_features[i]; i++)
		if (weir_features[i]->bench && (!name || !strcmp(weir_features[i]->name, name)))
			return weir_features[i];
	return NULL;
}

static int measure(struct weir_bench *b, const char *name)
{
	int r = weir_bench_isolate();

	for (unsigned i = 0; weir_features[i] && r == 0; i++) {
		const struct weir_feature *f = weir_features[i];

		if (f->bench && (!name || !strcmp(f->name, name)))
			r = f->bench(b);
	}
	return r;
}

static int say(const struct cli_command *c, const struct weir_bench *b)
{
	struct weir_buf out = {};
	struct cli_style style;
	int r;

	cli_style_init(&style, c);
	if (CLI_GIVEN(c, JSON) || CLI_GIVEN(c, PRETTY))
		r = weir_bench_json(b, &out, CLI_GIVEN(c, PRETTY));
	else
		r = weir_bench_text(b, &out, style.width);
	r = r < 0 ? cli_fail_error(r, NULL) : cli_output(&out, NULL);
	weir_buf_done(&out);
	return r;
}

int cli_bench_run(const struct cli_command *c)
{
	_cleanup_(weir_bench_freep) struct weir_bench *b = NULL;
	const char *name = c->n_words ? c->words[0] : NULL;
	struct bench_host own;
	struct weir_bench_host host = { .daemon_start = daemon_start,
					.daemon_get = daemon_get,
					.daemon_stop = daemon_stop,
					.interrupted = cli_interrupted,
					.progress = progress,
					.ctx = &own };
	int r;

	if (!feature_find(name))
		return cli_fail(CLI_USAGE,
				"there is nothing to measure of \"%s\": see weir help bench",
				name ? name : "");
	if (!cli_may_load())
		return cli_fail(CLI_IMPOSSIBLE, "bench loads programs into the kernel, which needs "
						"root: run sudo weir bench");
	r = cli_interrupt_init();
	if (r == 0)
		r = host_init(&own);
	if (r < 0)
		return cli_fail_error(r, NULL);
	b = weir_bench_new(name ? name : "all", CLI_GIVEN(c, QUICK), &host);
	r = b ? measure(b, name) : -ENOMEM;
	host_done(&own);
	if (cli_interrupted())
		return cli_interrupt_status();
	if (r < 0)
		return cli_fail(CLI_FAILED, "the measurement could not be made: %s", strerror(-r));
	return say(c, b);
}
