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

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "core/attach.h"
#include "core/feature.h"
#include "core/probe.h"
#include "daemon/descriptors.h"
#include "daemon/keeper.h"
#include "daemon/listen.h"
#include "daemon/sandbox.h"
#include "daemon/state_lock.h"

/* From options to a running keeper: everything that can go wrong for a reason that the user can mend goes wrong
 * here, with one line. */

#define FEATURES_MAX 16

struct setup {
	const struct weir_daemon_options *o;
	struct weir_probe *probe;
	struct weir_attach *attach;
	void *kernels[FEATURES_MAX];
	int unix_fd, tcp_fd, lock_fd;
	char *tcp_name, *token;
	char *history;          /* folder; NULL: in memory, or nothing is kept */
	const char *no_history; /* why nothing is kept */
	const char *no_history_file;
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

/* For who wants rows and nothing else: why there are none. */
static int say_nothing_runs(const struct setup *s)
{
	const char *reason = "no feature is switched on", *cure = NULL;

	weir_probe_first_loss(s->probe, &reason, &cure);
	fprintf(stderr, "weir: %s%s%s\n", reason, cure ? ": " : "", cure ? cure : "");
	return 3;
}

static int load_feature(struct setup *s, unsigned i)
{
	const struct weir_feature *f = weir_features[i];
	enum weir_ability lacks = f->needs ? weir_probe_lacks(s->probe, f->needs) : _WEIR_ABILITY_MAX;
	char text[64];
	const char *forced = forced_set(s->o->hooks, f->name, text, sizeof(text));

	if (lacks == _WEIR_ABILITY_MAX)
		return f->load(s->attach, s->probe, forced, &s->kernels[i]);
	weir_probe_note(s->probe, f->name, forced ? forced : "none", WEIR_DOCTOR_UNAVAILABLE, NULL,
			weir_probe_reason(s->probe, lacks), weir_probe_cure(s->probe, lacks));
	return -EOPNOTSUPP;
}

static void note_places(const struct setup *s, const struct weir_feature *f)
{
	struct weir_buf places = {};

	weir_attach_places(s->attach, f->name, &places);
	if (!places.error)
		weir_probe_note_places(s->probe, f->name, places.data);
	weir_buf_done(&places);
}

static int load_features(struct setup *s)
{
	const char *reason, *cure;
	bool any = false;

	for (unsigned i = 0; weir_features[i]; i++) {
		/* A feature that cannot run says why in doctor; the others go on. A command with a daemon of its own
		 * has lines of its own. */
		if (load_feature(s, i) < 0)
			weir_log(s->o->private_use ? WEIR_LOG_DEBUG : WEIR_LOG_WARNING,
				 "%s does not run here: see weir doctor", weir_features[i]->name);
		else if (weir_features[i]->configured)
			weir_features[i]->configured(s->o->config, s->probe);
		if (!s->o->hooks)
			weir_probe_note_sets(s->probe, weir_features[i]->name, weir_features[i]->hook_sets);
		note_places(s, weir_features[i]);
		/* One that reads nothing from the kernel is of no use alone. */
		any |= s->kernels[i] && weir_features[i]->collect && !weir_features[i]->beside;
	}
	if (!any && s->o->must_watch)
		return say_nothing_runs(s);
	weir_probe_note_process(s->probe);
	if (weir_sandbox_lacks(&reason, &cure))
		weir_probe_note(s->probe, "weir: roles", NULL, WEIR_DOCTOR_DEGRADED,
				"engine, gate and store hold no capability, and make only the system calls that they need",
				reason, cure);
	if (!weir_probe_has(s->probe, WEIR_ABILITY_READ_MAPS))
		weir_probe_note(s->probe, "weir: engine", NULL, WEIR_DOCTOR_DEGRADED,
				"the engine keeps CAP_BPF, and no other capability",
				weir_probe_reason(s->probe, WEIR_ABILITY_READ_MAPS),
				weir_probe_cure(s->probe, WEIR_ABILITY_READ_MAPS));
	/* Loading took megabytes that nothing needs again; three processes would carry them on. */
	weir_probe_settle(s->probe);
	malloc_trim(0);
	return 0;
}

static int prepare_kernel(struct setup *s)
{
	const char *blocker;
	char *error = NULL;
	int r, why = 0;

	libbpf_set_print(quiet);
	r = weir_probe_new(&s->probe);
	if (r < 0)
		return say(1, NULL);
	r = weir_probe_pretend(s->probe, s->o->without, &error);
	if (r < 0)
		return say(r == -EINVAL ? 2 : 1, error);
	blocker = s->o->must_watch ? weir_probe_blocker(s->probe, &why) : NULL;
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
	if (s->o->state && weir_state_lock(s->o->state, &s->lock_fd, &status, &error) < 0)
		return say(status, error);
	if (s->o->state && weir_token_load(s->o->state, &s->token, &status, &error) < 0)
		return say(status, error);
	if (weir_listen_unix(s->o->socket, &s->unix_fd, &status, &error) < 0)
		return say(status, error);
	return 0;
}

#define NO_CHOWN "history is in memory only, since its folder could not be given to its process: give the daemon CAP_CHOWN"
#define NO_FOLDER "history is in memory only, since its folder could not be made or opened: see the daemon's log"
#define NO_HISTORY "history is switched off: set history.enabled to true in the configuration"

/* History that cannot be kept is no reason not to run: it is in memory then, and doctor says so. */
static void prepare_history(struct setup *s)
{
	const struct weir_config *c = s->o->config;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int r;

	if (s->o->no_history || (c && !weir_config_true(c, "history.enabled"))) {
		s->no_history = NO_HISTORY;
		return;
	}
	if (!s->o->state)
		return;
	if (weir_sandbox_becomes_other())
		weir_sandbox_identity(&uid, &gid);
	r = weir_state_folder(s->o->state, "history", uid, gid, &s->history);
	if (r >= 0)
		return;
	s->no_history_file = r == -EPERM ? NO_CHOWN : NO_FOLDER;
	weir_warning("%s/history cannot be used, so history is kept in memory only: %s", s->o->state, strerror(-r));
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
	weir_closep(&s->lock_fd);
	free(s->history);
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
		/* What was typed wrong, before what is in its way elsewhere. */
		if (!status)
			status = check_hooks(s->o->hooks);
		if (status)
			return status;
	}
	status = prepare_listeners(s);
	if (status)
		return status;
	prepare_history(s);
	if (!s->o->replay) {
		status = load_features(s);
		if (status)
			return status;
	}
	k = (struct weir_keeper_options){ .daemon = s->o, .kernels = s->kernels, .attach = s->attach,
					  .probe = s->probe, .unix_fd = s->unix_fd, .tcp_fd = s->tcp_fd,
					  .lock_fd = s->lock_fd,
					  .tcp_name = s->tcp_name, .token = s->token,
					  .history = s->history, .no_history = s->no_history,
					  .no_history_file = s->no_history_file,
					  .history_bytes = s->o->config ? weir_config_number(s->o->config, "history.size") : 0 };
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
	struct setup s = { .o = o, .unix_fd = -1, .tcp_fd = -1, .lock_fd = -1 };
	mode_t mask = umask(022);
	int status;

	/* Whoever started us may have left descriptors open that are none of ours. */
	weir_keep_only((int[]){ STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, o->ready_fd, o->record_fd, o->alive_fd }, 6);
	weir_log_init("keeper");
	set_log_level(o);
	status = run(&s);
	setup_done(&s);
	umask(mask);
	return status;
}
