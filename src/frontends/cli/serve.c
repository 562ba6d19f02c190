// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "core/config.h"
#include "frontends/cli/client.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"
#include "frontends/cli/private_daemon.h"
#include "frontends/cli/top.h"

/* `weir daemon` and `weir run`. */

#define RUN_ROWS 20 /* of a table, where the terminal does not say how many fit */

/* What the command line and the configuration say together; the options borrow from it. */
struct settings {
	struct weir_config *config;
	struct weir_buf hooks;
	struct weir_daemon_options daemon;
};

static void settings_done(struct settings *s)
{
	weir_config_free(s->config);
	weir_buf_done(&s->hooks);
}

/* given: by the command line or its environment; it goes before what a file says. */
static const char *setting(struct settings *s, const char *key, const char *given)
{
	if (given)
		weir_config_decide(s->config, key);
	return given ? given : weir_config_text(s->config, key);
}

static int settings_init(struct settings *s, const struct cli_command *c)
{
	const char *socket, *hooks = c->value[CLI_OPTION_HOOKS];
	char *error = NULL;
	bool named;
	int r;

	*s = (struct settings){};
	r = weir_config_new(weir_features, &s->config);
	if (r == 0)
		r = weir_config_load(s->config, c->value[CLI_OPTION_CONFIG], &error);
	if (r < 0)
		return cli_fail_error(r, error);
	weir_config_hooks(s->config, &s->hooks);
	if (s->hooks.error)
		return cli_fail_error(s->hooks.error, NULL);
	if (hooks)
		weir_config_decide(s->config, "hooks");
	socket = cli_socket_path(c, &named);
	s->daemon = (struct weir_daemon_options){
		.listen = setting(s, "listen", c->value[CLI_OPTION_LISTEN]),
		.socket = setting(s, "socket", named ? socket : NULL),
		.state = setting(s, "state", c->value[CLI_OPTION_STATE]),
		.pins = setting(s, "pins", c->value[CLI_OPTION_PINS]),
		.config = s->config,
		.hooks = hooks ? hooks : s->hooks.data,
		.without = c->value[CLI_OPTION_WITHOUT],
		.ready_fd = -1,
		.record_fd = -1,
	};
	return CLI_OK;
}

static int need_rights(const struct cli_command *c)
{
	/* Root with too few capabilities gets a daemon that says what it lacks. */
	if (cli_may_load() || geteuid() == 0)
		return CLI_OK;
	return cli_fail(CLI_IMPOSSIBLE,
			"%s loads programs into the kernel, which needs root: run sudo weir %s",
			c->object->name, c->object->name);
}

/* What was found right, and where it stands. */
static int say_checked(const struct settings *s)
{
	const char *files = weir_config_files(s->config);
	struct weir_buf out = {};
	int r;

	if (*files) {
		weir_buf_str(&out, "the configuration is right: ");
		weir_text_escape_terminal(&out, files, WEIR_TEXT_UNLIMITED);
		weir_buf_char(&out, '\n');
	} else {
		weir_buf_str(&out, "there is no configuration, so the defaults hold: see weir help daemon\n");
	}
	r = cli_output(&out, NULL);
	weir_buf_done(&out);
	return r;
}

int cli_daemon_run(const struct cli_command *c)
{
	_cleanup_(settings_done) struct settings s = {};
	int r = CLI_GIVEN(c, CHECK) ? CLI_OK : need_rights(c);

	if (r == CLI_OK)
		r = settings_init(&s, c);
	if (r != CLI_OK)
		return r;
	return CLI_GIVEN(c, CHECK) ? say_checked(&s) : weir_daemon_run(&s.daemon);
}

/* --- run ------------------------------------------------------------------------------------- */

/* Whether something accepts connections there: where a daemon that was here before serves its page,
 * it alone knows. */
static bool page_answers(const char *listen)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				  .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(listen, ':');
	struct addrinfo *to = NULL;
	char host[64];
	bool yes = false;
	int fd;

	if (!colon)
		return false;
	if (listen[0] == '[' && colon > listen + 1 && colon[-1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)(colon - listen - 2), listen + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)(colon - listen), listen);
	if (getaddrinfo(host, colon + 1, &hints, &to) != 0)
		return false;
	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		yes = connect(fd, to->ai_addr, to->ai_addrlen) == 0;
		close(fd);
	}
	freeaddrinfo(to);
	return yes;
}

/* What stands below the first table. */
static void make_note(const struct weir_daemon_options *o, bool ours, struct weir_buf *out)
{
	if (!ours)
		weir_buf_printf(out,
				"\nfrom the daemon that runs already (process %d, socket %s)\n",
				(int)cli_client_peer(o->socket), o->socket);
	else
		weir_buf_char(out, '\n');
	if (!strcmp(o->listen, "none"))
		weir_buf_str(out, "no page is served (--listen none)");
	else if (ours || page_answers(o->listen))
		weir_buf_printf(out, "page: http://%s/", o->listen);
	else
		weir_buf_printf(out, "its page is not on http://%s/: see how it was started",
				o->listen);
	weir_buf_str(out, "   Ctrl-C ends\n");
}

static int show_tables(const struct cli_command *c, const struct weir_daemon_options *o, bool ours)
{
	_cleanup_(cli_source_freep) struct cli_source *source = NULL;
	struct cli_top_play play = {
		.output = cli_top_output_of(c, true),
		.count = cli_value_number(c, CLI_OPTION_COUNT, 0),
		.interval_ns = cli_top_interval_ns(c),
	};
	struct weir_buf note = {};
	char *why = NULL;
	struct cli_top t;
	int r;

	r = cli_top_init(&t, c, CLI_TOP_FLOWS, 0, &why);
	if (r < 0)
		return cli_fail_error(r, why);
	t.rows_max = CLI_GIVEN(c, LIMIT) ? t.request.limit : RUN_ROWS;
	make_note(o, ours, &note);
	play.note = play.output == CLI_TOP_FRAMES ? note.data : NULL;
	r = cli_source_open_socket(o->socket, &source);
	if (r == CLI_OK)
		r = cli_top_run(&t, source, c, &play);
	weir_buf_done(&note);
	cli_top_done(&t);
	return r;
}

int cli_run_run(const struct cli_command *c)
{
	_cleanup_(settings_done) struct settings s = {};
	_cleanup_(cli_private_freep) struct cli_private *daemon = NULL;
	struct weir_daemon_options *o = &s.daemon;
	bool ours;
	int r;

	r = settings_init(&s, c);
	if (r != CLI_OK)
		return r;
	r = cli_client_probe(o->socket);
	ours = r == -ENOENT || r == -ECONNREFUSED;
	if (ours) {
		r = need_rights(c);
		o->must_watch = true; /* tables without rows say nothing */
		if (r == CLI_OK)
			r = cli_private_start(o, &daemon);
		if (r != CLI_OK)
			return r;
	} else if (r < 0) {
		return cli_fail(r == -EACCES ? CLI_IMPOSSIBLE : CLI_FAILED,
				"cannot use the socket %s: %s", o->socket, strerror(-r));
	}
	return show_tables(c, o, ours);
}
