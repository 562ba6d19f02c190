// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/daemon.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "core/attach.h"
#include "core/feature.h"
#include "core/probe.h"
#include "daemon/keeper.h"
#include "daemon/listen.h"

/* From options to a running keeper: everything that can go wrong for a reason that the user can mend goes wrong
 * here, with one line. */

#define FEATURES_MAX 16

struct setup {
	const struct weir_daemon_options *o;
	struct weir_probe *probe;
	struct weir_attach *attach;
	void *kernels[FEATURES_MAX];
	int unix_fd, tcp_fd;
	char *tcp_name, *token;
};

static int say(int status, char *error)
{
	fprintf(stderr, "weir: %s\n", error ? error : "out of memory");
	free(error);
	return status;
}

/* libbpf's own words are for its developers. */
static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (getenv("WEIR_DEBUG_LIBBPF"))
		return vfprintf(stderr, fmt, ap);
	(void)level;
	return 0;
}

/* "traffic:sock,drops:x" -> the set that is forced for this feature, in text. */
static const char *forced_set(const char *hooks, const char *feature, char *text, size_t room)
{
	size_t n = strlen(feature);

	while (hooks && *hooks) {
		size_t len = strcspn(hooks, ",");

		if (len > n && !strncmp(hooks, feature, n) && hooks[n] == ':' && len - n - 1 < room) {
			memcpy(text, hooks + n + 1, len - n - 1);
			text[len - n - 1] = 0;
			return text;
		}
		hooks += len;
		hooks += *hooks == ',';
	}
	return NULL;
}

static int check_hooks(const char *hooks)
{
	while (hooks && *hooks) {
		size_t len = strcspn(hooks, ","), n = strcspn(hooks, ":");
		bool known = false;

		for (unsigned i = 0; weir_features[i]; i++)
			known |= n < len && strlen(weir_features[i]->name) == n &&
				 !memcmp(weir_features[i]->name, hooks, n);
		if (!known) {
			fprintf(stderr, "weir: --hooks %.*s: write it as FEATURE:SET, such as traffic:sock\n", (int)len,
				hooks);
			return 2;
		}
		hooks += len;
		hooks += *hooks == ',';
	}
	return 0;
}

static int load_features(struct setup *s)
{
	char text[64];
	int status = check_hooks(s->o->hooks);

	if (status)
		return status;
	for (unsigned i = 0; weir_features[i]; i++) {
		const struct weir_feature *f = weir_features[i];

		/* A feature that cannot run says why in doctor; the others go on. */
		if (f->load(s->attach, s->probe, forced_set(s->o->hooks, f->name, text, sizeof(text)),
			    &s->kernels[i]) < 0)
			weir_warning("%s does not run here: see weir doctor", f->name);
	}
	/* Loading took megabytes that nothing needs again; three processes would carry them on. */
	weir_probe_settle(s->probe);
	malloc_trim(0);
	return 0;
}

static int prepare_kernel(struct setup *s)
{
	const char *blocker;
	int r, why = 0;

	libbpf_set_print(quiet);
	r = weir_probe_new(&s->probe);
	if (r < 0)
		return say(1, NULL);
	blocker = weir_probe_blocker(s->probe, &why);
	if (blocker) {
		fprintf(stderr, "weir: %s\n", blocker);
		return 3;
	}
	s->attach = weir_attach_new();
	if (!s->attach)
		return say(1, NULL);
	return 0;
}

static int prepare_listeners(struct setup *s)
{
	char *error = NULL;
	int status = 1;

	if (weir_listen_tcp(s->o->listen, &s->tcp_fd, &s->tcp_name, &status, &error) < 0)
		return say(status, error);
	if (s->o->state && weir_token_load(s->o->state, &s->token, &status, &error) < 0)
		return say(status, error);
	if (weir_listen_unix(s->o->socket, &s->unix_fd, &status, &error) < 0)
		return say(status, error);
	return 0;
}

static void setup_done(struct setup *s)
{
	for (unsigned i = 0; weir_features[i]; i++)
		if (s->kernels[i])
			weir_features[i]->unload(s->kernels[i]);
	weir_attach_free(s->attach);
	weir_probe_free(s->probe);
	if (s->unix_fd >= 0)
		unlink(s->o->socket);
	weir_closep(&s->unix_fd);
	weir_closep(&s->tcp_fd);
	free(s->tcp_name);
	free(s->token);
}

static int run(struct setup *s)
{
	struct weir_keeper_options k;
	int status;

	/* Rights first: without them nothing else is worth saying. */
	if (!s->o->replay) {
		status = prepare_kernel(s);
		if (status)
			return status;
	}
	status = prepare_listeners(s);
	if (status)
		return status;
	if (!s->o->replay) {
		status = load_features(s);
		if (status)
			return status;
	}
	k = (struct weir_keeper_options){ .daemon = s->o, .kernels = s->kernels, .attach = s->attach,
					  .probe = s->probe, .unix_fd = s->unix_fd, .tcp_fd = s->tcp_fd,
					  .tcp_name = s->tcp_name, .token = s->token };
	return weir_keeper_run(&k);
}

/* What a file says goes before what the caller had set. */
static void set_log_level(const struct weir_daemon_options *o)
{
	enum weir_log_level level;

	weir_log_share_level();
	if (o->config && weir_config_given(o->config, "log_level") &&
	    weir_log_level_find(weir_config_text(o->config, "log_level"), &level) == 0)
		weir_log_set_level(level);
}

int weir_daemon_run(const struct weir_daemon_options *o)
{
	struct setup s = { .o = o, .unix_fd = -1, .tcp_fd = -1 };
	mode_t mask = umask(022);
	int status;

	weir_log_init("keeper");
	set_log_level(o);
	status = run(&s);
	setup_done(&s);
	umask(mask);
	return status;
}
