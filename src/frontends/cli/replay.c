// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/recording.h"
#include "core/tables.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/objects.h"
#include "frontends/cli/output.h"
#include "frontends/cli/private_daemon.h"
#include "frontends/cli/show.h"
#include "frontends/cli/top.h"

/* Plays at the speed of life for somebody who watches, and without waiting for a file or a pipe. */
static double speed_of(const struct cli_command *c)
{
	bool watched = isatty(STDOUT_FILENO) == 1 || CLI_GIVEN(c, SERVE);

	return cli_value_seconds(c, CLI_OPTION_SPEED, watched ? 1 : 0);
}

static int open_recording(const struct cli_command *c, struct cli_source **ret)
{
	return cli_source_open_replay(c->words[0], speed_of(c), ret);
}

/* --- serving it ------------------------------------------------------------------------------ */

/* Whether it is a recording is found out here, where the line about it is; and where it was made. */
static int check_recording(const char *path, char **ret_host)
{
	_cleanup_free_ char *why = NULL;
	struct weir_recording *recording = NULL;
	struct cli_source *source = NULL;
	int r = cli_source_open_replay(path, 0, &source);

	cli_source_free(source);
	if (r == CLI_OK && weir_recording_open(path, &recording, &why) == 0)
		*ret_host = strdup(weir_recording_head(recording)->host);
	weir_recording_free(recording);
	return r;
}

static int say_address(const char *path, const struct weir_daemon_options *o)
{
	struct weir_buf out = {};
	int r;

	weir_buf_printf(&out, "playing %s", path);
	if (strcmp(o->listen, "none") != 0)
		weir_buf_printf(&out, " on http://%s/", o->listen);
	weir_buf_printf(&out, " and on the socket %s; Ctrl-C ends it\n", o->socket);
	r = cli_output(&out, NULL);
	weir_buf_done(&out);
	return r;
}

static int serve(const struct cli_command *c)
{
	struct weir_daemon_options o = {
		.listen = cli_value_text(c, CLI_OPTION_LISTEN, WEIR_DEFAULT_LISTEN),
		.socket = c->value[CLI_OPTION_SOCKET],
		.replay = c->words[0],
		.replay_speed = speed_of(c),
		.ready_fd = -1,
		.record_fd = -1,
		.private_use = true,
	};
	_cleanup_(cli_private_freep) struct cli_private *daemon = NULL;
	_cleanup_free_ char *host = NULL;
	int r;

	if (c->n_words > 1)
		return cli_fail(CLI_USAGE, "--serve serves all objects: leave \"%s\" away",
				c->words[1]);
	r = check_recording(c->words[0], &host);
	o.replay_host = host;
	if (r == CLI_OK)
		r = cli_private_start(&o, &daemon);
	if (r == CLI_OK)
		r = say_address(c->words[0], &o);
	if (r != CLI_OK)
		return r;
	r = cli_wait(UINT64_MAX, cli_private_fd(daemon));
	if (r == -EINTR)
		return cli_interrupt_status();
	r = cli_private_stop(daemon);
	return r > 0 ? r : CLI_FAILED;
}

/* --- showing it ------------------------------------------------------------------------------ */

#define OWN_OPTIONS (CLI_BIT(SPEED) | CLI_BIT(LISTEN) | CLI_BIT(SERVE))

int cli_replay_run(const struct cli_command *c)
{
	const char *name = c->n_words > 1 ? c->words[1] : "processes";
	const struct cli_object *object = cli_object_find(cli_objects, name);
	const struct weir_table *table = weir_table_find(name);
	char *why = NULL;
	int r;

	if (CLI_GIVEN(c, SERVE))
		return serve(c);
	if (CLI_GIVEN(c, LISTEN))
		return cli_fail(CLI_USAGE, "--listen goes with --serve: see weir help replay");
	if (table && table->past)
		return cli_fail(CLI_IMPOSSIBLE, "a recording is no history: weir replay %s --serve plays it, and remembers what it "
						"played for weir history --socket", c->words[0]);
	if (!object || ((!table || table->internal) && strcmp(name, "top") != 0))
		return cli_fail(CLI_USAGE, "a recording cannot show \"%s\": see weir help replay",
				name);
	r = cli_command_check(c, object, OWN_OPTIONS, &why);
	if (r < 0)
		return cli_fail_error(r, why);
	return table ? cli_show_command(c, table, 2, open_recording)
		     : cli_top_command(c, 2, open_recording);
}
