// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/document.h"
#include "core/query.h"
#include "core/replay.h"
#include "frontends/cli/client.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"
#include "frontends/cli/private_daemon.h"

struct cli_source {
	/* a daemon */
	struct cli_client *client;
	struct cli_private *own;
	char *socket;
	uint64_t due_mono_ns; /* when the next frame is; 0: none yet */
	/* a recording */
	struct weir_replay *replay;
	struct weir_snapshot *snapshot;
	const char *path;
	double speed;
};

/* Where the configuration has the daemon listen. What is wrong with it is the daemon's to say, and who may not read it
 * has the usual place. */
static const char *configured_socket(void)
{
	static char path[WEIR_CONFIG_VALUE_MAX + 1];
	struct weir_config *config = NULL;
	char *error = NULL;

	snprintf(path, sizeof(path), "%s", WEIR_DEFAULT_SOCKET);
	if (weir_config_new(weir_features, &config) == 0 && weir_config_load(config, NULL, &error) == 0)
		snprintf(path, sizeof(path), "%s", weir_config_text(config, "socket"));
	free(error);
	weir_config_free(config);
	return path;
}

const char *cli_socket_path(const struct cli_command *c, bool *ret_named)
{
	const char *path = c->value[CLI_OPTION_SOCKET];

	if (!path)
		path = getenv("WEIR_SOCKET");
	if (path && !*path)
		path = NULL;
	*ret_named = path != NULL;
	return path ? path : configured_socket();
}

static int source_connect(struct cli_source *s, const char *path)
{
	int r = cli_interrupt_init();

	if (r >= 0) {
		s->socket = strdup(path);
		r = s->socket ? 0 : -ENOMEM;
	}
	if (r >= 0)
		r = cli_client_new(path, cli_interrupted, &s->client);
	if (r == -ENAMETOOLONG)
		return cli_fail(CLI_USAGE, "the socket's path is too long: %s", path);
	return r < 0 ? cli_fail_error(r, NULL) : CLI_OK;
}

/* What is missing is what it shows. */
static bool is_doctor(const struct cli_command *c)
{
	return c->object->table && !strcmp(c->object->table, "doctor");
}

/* The option that only a daemon which is started can heed, or NULL. */
static const char *starting_option(const struct cli_command *c)
{
	return CLI_GIVEN(c, HOOKS) ? "--hooks" : CLI_GIVEN(c, WITHOUT) ? "--without" : NULL;
}

static int private_start(struct cli_source *s, const struct cli_command *c, const char *path)
{
	struct weir_daemon_options o = {
		.listen = "none",
		.pins = WEIR_DEFAULT_PINS,
		.hooks = c->value[CLI_OPTION_HOOKS],
		.without = c->value[CLI_OPTION_WITHOUT],
		.must_watch = !is_doctor(c),
		.ready_fd = -1,
		.record_fd = -1,
		.private_use = true,
	};
	int r;

	if (!cli_may_load() && geteuid() != 0 && !is_doctor(c))
		return cli_fail(
			CLI_IMPOSSIBLE,
			"no daemon answers on %s, and watching the kernel without one needs root: "
			"run sudo weir %s, or start the daemon with sudo weir daemon",
			path, c->object->name);
	r = cli_private_start(&o, &s->own);
	return r ? r : source_connect(s, cli_private_socket(s->own));
}

int cli_source_open(const struct cli_command *c, struct cli_source **ret)
{
	_cleanup_(cli_source_freep) struct cli_source *s = calloc(1, sizeof(*s));
	bool named, none;
	const char *path = cli_socket_path(c, &named);
	int r;

	if (!s)
		return cli_fail_error(-ENOMEM, NULL);
	r = cli_client_probe(path);
	none = r == -ENOENT || r == -ECONNREFUSED;
	/* Who names a socket means the daemon there; who says how to start means one that is started. */
	if (none && (!named || starting_option(c)))
		r = private_start(s, c, path);
	else if (r == -EACCES || r == -EPERM)
		r = cli_fail(CLI_IMPOSSIBLE, "may not use the socket %s: run it with sudo", path);
	else if (starting_option(c))
		r = cli_fail(CLI_USAGE,
			     "%s is for a daemon that is started, and one runs already on %s: "
			     "end it first, or leave %s away",
			     starting_option(c), path, starting_option(c));
	else
		r = source_connect(s, path); /* the first question says what is wrong */
	if (r != CLI_OK)
		return r;
	*ret = TAKE_PTR(s);
	return CLI_OK;
}

int cli_source_open_socket(const char *path, struct cli_source **ret)
{
	_cleanup_(cli_source_freep) struct cli_source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return cli_fail_error(-ENOMEM, NULL);
	r = source_connect(s, path);
	if (r != CLI_OK)
		return r;
	*ret = TAKE_PTR(s);
	return CLI_OK;
}

int cli_source_open_replay(const char *path, double speed, struct cli_source **ret)
{
	_cleanup_(cli_source_freep) struct cli_source *s = calloc(1, sizeof(*s));
	_cleanup_free_ char *why = NULL;
	int r;

	if (!s)
		return cli_fail_error(-ENOMEM, NULL);
	s->path = path;
	s->speed = speed;
	r = cli_interrupt_init();
	if (r < 0)
		return cli_fail_error(r, NULL);
	r = weir_replay_open(path, &s->replay, &why);
	if (r < 0 && why)
		return cli_fail(CLI_FAILED, "%s", why);
	if (r < 0)
		return cli_fail(CLI_FAILED, "cannot read the recording %s: %s", path, strerror(-r));
	*ret = TAKE_PTR(s);
	return CLI_OK;
}

bool cli_source_is_replay(const struct cli_source *s)
{
	return s->replay;
}

bool cli_source_is_private(const struct cli_source *s)
{
	return s->own;
}

const char *cli_source_socket(const struct cli_source *s)
{
	return s->socket;
}

struct cli_source *cli_source_free(struct cli_source *s)
{
	if (!s)
		return NULL;
	free(s->socket);
	cli_client_free(s->client);
	cli_private_free(s->own);
	weir_snapshot_unref(s->snapshot);
	weir_replay_free(s->replay);
	free(s);
	return NULL;
}

/* --- going on -------------------------------------------------------------------------------- */

static int wait_until(uint64_t due_mono_ns)
{
	int r = cli_wait(due_mono_ns, -1);

	return r < 0 ? cli_fail_error(r, NULL) : CLI_OK;
}

/* Frames keep to the beat of the first; one that came too late does not make the next ones hurry.
 */
static int daemon_next(struct cli_source *s, uint64_t interval_ns)
{
	uint64_t now = weir_mono_ns();

	if (!s->due_mono_ns) {
		s->due_mono_ns = now;
		return cli_interrupted() ? cli_interrupt_status() : CLI_OK;
	}
	s->due_mono_ns += interval_ns;
	if (s->due_mono_ns < now)
		s->due_mono_ns = now;
	return wait_until(s->due_mono_ns);
}

/* Takes the next snapshot. 1, 0 at the end, or -EBADMSG after a line. */
static int replay_step(struct cli_source *s)
{
	_cleanup_free_ char *why = NULL;
	struct weir_snapshot *next = NULL;
	int r = weir_replay_next(s->replay, &next, &why);

	if (r < 0)
		cli_fail(CLI_FAILED, "%s: %s", s->path, why ? why : strerror(-r));
	if (r <= 0)
		return r;
	weir_snapshot_unref(s->snapshot);
	s->snapshot = next;
	return 1;
}

static int replay_next(struct cli_source *s, bool *ret_end)
{
	uint64_t before = s->snapshot ? weir_snapshot_head(s->snapshot)->mono_ns : 0, now;
	int r = replay_step(s);

	*ret_end = r == 0;
	if (r <= 0)
		return r < 0 ? CLI_FAILED : CLI_OK;
	now = weir_snapshot_head(s->snapshot)->mono_ns;
	if (!before || now <= before || s->speed <= 0)
		return cli_interrupted() ? cli_interrupt_status() : CLI_OK;
	return wait_until(weir_mono_ns() + (uint64_t)((double)(now - before) / s->speed));
}

int cli_source_next(struct cli_source *s, uint64_t interval_ns, bool *ret_end)
{
	*ret_end = false;
	return s->replay ? replay_next(s, ret_end) : daemon_next(s, interval_ns);
}

int cli_source_last(struct cli_source *s, int *ret_status)
{
	int r = 1;

	*ret_status = CLI_OK;
	while (s->replay && r > 0) {
		if (cli_interrupted())
			return cli_interrupt_status();
		r = replay_step(s);
	}
	if (r >= 0)
		return !s->replay || s->snapshot
			       ? CLI_OK
			       : cli_fail(CLI_FAILED, "%s holds no whole second yet", s->path);
	*ret_status = CLI_FAILED;
	return s->snapshot ? CLI_OK : CLI_FAILED;
}

int cli_source_pause(struct cli_source *s, uint64_t ns)
{
	return s->replay ? CLI_OK : wait_until(weir_mono_ns() + ns);
}

/* --- the document ---------------------------------------------------------------------------- */

/* What the daemon would answer; the texts were checked by cli_request_init(). */
static int replay_fetch(struct cli_source *s, const struct cli_request *rq, bool fields,
			struct weir_buf *ret_body, char **ret_error)
{
	struct weir_filter *filter = NULL;
	struct weir_query q;
	int r = 0;

	weir_buf_reset(ret_body);
	weir_query_init(&q, rq->table);
	q.viewer = (struct weir_viewer){ .sees_all = true };
	if (rq->filter.len)
		r = weir_filter_parse(rq->table, rq->filter.data, &filter, ret_error);
	if (r >= 0 && rq->sort)
		r = weir_query_sort(&q, rq->table, rq->sort, ret_error);
	if (rq->limit < WEIR_LIMIT_NONE)
		q.limit = rq->limit;
	if (fields) {
		q.fields = 0;
		for (unsigned i = 0; i < rq->columns.n; i++)
			q.fields |= 1ULL << rq->columns.field[i];
	}
	q.filter = filter;
	if (r >= 0)
		r = weir_document_json(ret_body, s->snapshot, rq->table, &q, WEIR_JSON_COMPACT);
	weir_filter_free(filter);
	return r < 0 ? r : ret_body->error;
}

static int daemon_fetch(struct cli_source *s, const struct cli_request *rq, bool fields,
			struct weir_buf *ret_body, char **ret_error)
{
	struct weir_buf url = {};
	int r;

	cli_request_url(rq, fields, &url);
	r = url.error;
	if (r >= 0)
		r = cli_client_get(s->client, url.data, ret_body, ret_error);
	weir_buf_done(&url);
	/* The document alone, however the other side ends it. */
	while (r >= 0 && ret_body->len && ret_body->data[ret_body->len - 1] == '\n')
		ret_body->data[--ret_body->len] = '\0';
	return r;
}

int cli_source_try(struct cli_source *s, const struct cli_request *rq, bool fields,
		   struct weir_buf *ret_body, char **ret_error)
{
	return s->replay ? replay_fetch(s, rq, fields, ret_body, ret_error)
			 : daemon_fetch(s, rq, fields, ret_body, ret_error);
}

int cli_source_fetch(struct cli_source *s, const struct cli_request *rq, bool fields,
		     struct weir_buf *ret_body)
{
	char *why = NULL;
	int r = cli_source_try(s, rq, fields, ret_body, &why);

	return r < 0 ? cli_fail_error(r, why) : CLI_OK;
}
