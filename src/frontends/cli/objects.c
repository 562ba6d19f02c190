// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/document.h"
#include "core/tables.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/help.h"
#include "frontends/cli/json_text.h"
#include "frontends/cli/output.h"
#include "frontends/cli/show.h"
#include "frontends/cli/top.h"

int cli_rows_run(const struct cli_command *c)
{
	const struct weir_table *table = weir_table_find(c->object->table);

	if (!table)
		return cli_fail(CLI_IMPOSSIBLE, "this weir was built without %s", c->object->table);
	return cli_show_command(c, table, 0, cli_source_open);
}

int cli_top_main(const struct cli_command *c)
{
	return cli_top_command(c, 0, cli_source_open);
}

int cli_schema_run(const struct cli_command *c)
{
	const struct weir_table *table = weir_table_find(c->words[0]);
	struct weir_buf schema = {}, out = {};
	int r;

	if (!table || table->internal)
		return cli_fail(CLI_USAGE, "there is no document for \"%s\": see weir help schema",
				c->words[0]);
	r = weir_document_schema(&schema, table);
	while (schema.len && schema.data[schema.len - 1] == '\n')
		schema.len--;
	if (r >= 0 && CLI_GIVEN(c, PRETTY))
		r = cli_json_indent(&out, schema.data, schema.len);
	else if (r >= 0)
		weir_buf_add(&out, schema.data, schema.len);
	weir_buf_char(&out, '\n');
	r = r < 0 ? cli_fail_error(r, NULL) : cli_output(&out, NULL);
	weir_buf_done(&schema);
	weir_buf_done(&out);
	return r;
}

/* Says it on standard output, with the status. */
static int print(int (*make)(struct weir_buf *out, const struct cli_object *o),
		 const struct cli_object *o)
{
	struct weir_buf out = {};
	int r = make(&out, o);

	r = r < 0 ? cli_fail_error(r, NULL) : cli_output(&out, NULL);
	weir_buf_done(&out);
	return r;
}

int cli_help_run(const struct cli_command *c)
{
	const struct cli_object *o = NULL;

	if (CLI_GIVEN(c, MDOC))
		return print(cli_manual_make, NULL);
	if (c->n_words) {
		o = cli_object_find(cli_objects, c->words[0]);
		if (!o)
			return cli_fail(CLI_USAGE, "there is no object \"%s\": see weir help",
					c->words[0]);
	}
	return print(cli_help_make, o);
}

int cli_completions_run(const struct cli_command *c)
{
	struct weir_buf out = {};
	int r = cli_completions_make(&out, c->words[0]);

	if (r == -ENOENT)
		r = cli_fail(CLI_USAGE,
			     "there are completions for bash, zsh and fish, not for \"%s\"",
			     c->words[0]);
	else
		r = r < 0 ? cli_fail_error(r, NULL) : cli_output(&out, NULL);
	weir_buf_done(&out);
	return r;
}

static int print_version(void)
{
	struct weir_buf out = {};
	int r;

	weir_buf_str(&out, "weir " WEIR_VERSION "\n");
	r = cli_output(&out, NULL);
	weir_buf_done(&out);
	return r;
}

/* A standard stream that the caller closed is taken by the next file that is opened, a socket perhaps, and
 * what is printed would go there. This one can be neither written nor read with profit. */
static void fill_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int cli_main(int argc, char **argv)
{
	struct cli_command c;
	char *why = NULL;
	int r;

	fill_standard_streams();
	r = cli_command_parse(argc, argv, cli_objects, &c, &why);
	if (r < 0)
		return cli_fail_error(r, why);
	if (CLI_GIVEN(&c, VERSION))
		r = print_version();
	else if (CLI_GIVEN(&c, HELP) || !c.object)
		r = print(cli_help_make, c.object);
	else
		r = c.object->run(&c);
	cli_command_done(&c);
	return r;
}

/* --- the objects ----------------------------------------------------------------------------- */

/* clang-format off */
#define DOCUMENTS (CLI_BIT(JSON) | CLI_BIT(PRETTY) | CLI_BIT(NDJSON))
#define LOOKS (CLI_BIT(COLOR) | CLI_BIT(EXACT) | CLI_BIT(LIMIT))
#define SELECTS                                                                                                \
	(CLI_BIT(IPV4) | CLI_BIT(IPV6) | CLI_BIT(TCP) | CLI_BIT(UDP) | CLI_BIT(DEVICE) | CLI_BIT(NETNS))
#define ROWS (DOCUMENTS | LOOKS | CLI_BIT(NUMERIC) | CLI_BIT(SORT) | CLI_BIT(COLUMNS) | CLI_BIT(SOCKET))
#define LOADS CLI_BIT(HOOKS)
#define DAEMON (CLI_BIT(LISTEN) | CLI_BIT(SOCKET) | CLI_BIT(STATE) | CLI_BIT(CONFIG) | CLI_BIT(PINS) | LOADS)
#define FRAMES (CLI_BIT(COUNT) | CLI_BIT(INTERVAL))

#define SHOWS(object, text, also, ...)                                                                         \
	{ .name = (object), .arguments = "[FILTER...]", .summary = (text), .table = (object),                  \
	  .options = ROWS | LOADS | (also), .max_words = CLI_WORDS_ANY, .run = cli_rows_run, __VA_ARGS__ }

#define TABLES "processes flows hooks doctor audit"

const struct cli_object cli_objects[] = {
	{ .name = "top", .arguments = "[FILTER...]", .summary = "the busiest processes or flows, a table a second",
	  .description = "Shows processes by what they send and receive now, then by what they did so far; with "
			 "--flows one row per flow with traffic: pid, container, pod, command, received, sent, sum, "
			 "local and remote address. On a terminal each table stands over the one before; -b writes "
			 "them one below the other, and -j or --ndjson as a stream of documents or rows.",
	  .options = (ROWS | LOADS | SELECTS | FRAMES | CLI_BIT(BATCH) | CLI_BIT(FLOWS)) & ~CLI_BIT(DEVICE),
	  .max_words = CLI_WORDS_ANY,
	  .run = cli_top_main },
	SHOWS("processes", "processes and what they sent and received", SELECTS,
	      .description = "One row a process, most sent first (--sort takes others), also for those that "
			     "exited within the last minute. "
			     "Bytes are what programs handed to and took from IP sockets, each once."),
	SHOWS("flows", "sockets: who talks to whom, how much and how well", SELECTS,
	      .description = "One row a socket (for UDP that is not connected, one for each peer), open and recently "
			     "closed, most sent first."),
	SHOWS("hooks", "each BPF program: where it hangs, what it costs, its maps", CLI_BIT(BPFTRACE),
	      .description = "Measures for a second, so that calls and nanoseconds per call are of now. Below each "
			     "program stand the maps that it fills."),
	SHOWS("doctor", "what this kernel and these privileges allow", 0,
	      .description = "For each feature the sets of kernel hooks that can serve it, the one in use, and why not "
			     "a better one. Exit status 4 when a feature that is switched on cannot run."),
	SHOWS("audit", "do the sums agree with what the kernel counted", 0,
	      .description = "Holds the sum of the processes against the sum of the sockets and what TCP counted, and "
			     "names each remainder. Exit status 4 when a byte has no owner."),
	{ .name = "record", .arguments = "FILE", .summary = "write raw events to a file",
	  .description = "Watches until --seconds are over, or Ctrl-C. The file replays into the same tables, documents "
			 "and page without root; it says who talks to whom, so only its owner can read it.",
	  .options = CLI_BIT(SECONDS) | CLI_BIT(FORCE) | LOADS, .min_words = 1, .max_words = 1,
	  .run = cli_record_run },
	{ .name = "replay", .arguments = "FILE [OBJECT [FILTER...]]", .summary = "show a recording, without root",
	  .description = "Shows the last state of an object (processes if none is named), plays top, or with --serve "
			 "serves the page and the API from the recording. The options of the object hold here too.",
	  .options = ROWS | SELECTS | FRAMES | CLI_BIT(BATCH) | CLI_BIT(FLOWS) |
		     CLI_BIT(BPFTRACE) | CLI_BIT(SPEED) | CLI_BIT(SERVE) | CLI_BIT(LISTEN),
	  .min_words = 1, .max_words = CLI_WORDS_ANY, .run = cli_replay_run },
	{ .name = "daemon", .arguments = "", .summary = "run the daemon in the foreground",
	  .description = "Watches, answers on the socket and serves the page until SIGTERM or Ctrl-C; SIGHUP reads the "
			 "configuration again. systemd starts it so. What the command line says goes before the "
			 "configuration; --check reads that, exit status 2 when something in it is wrong, and ends.",
	  .options = DAEMON | CLI_BIT(CHECK), .run = cli_daemon_run },
	{ .name = "run", .arguments = "[FILTER...]", .summary = "daemon, live table and page in one, until Ctrl-C",
	  .description = "Starts a daemon for as long as it runs, or uses the one that answers, and prints flows with "
			 "traffic, largest first, a table a second, and the page's address.",
	  .options = DAEMON | DOCUMENTS | LOOKS | FRAMES | CLI_BIT(IPV4) | CLI_BIT(IPV6) | CLI_BIT(TCP) |
		     CLI_BIT(UDP) | CLI_BIT(NETNS) | CLI_BIT(COLUMNS) | CLI_BIT(SORT),
	  .max_words = CLI_WORDS_ANY, .run = cli_run_run },
	{ .name = "uninstall", .arguments = "", .summary = "detach and remove everything, say what is left",
	  .description = "Removes the socket and the pins that a daemon left; with --purge what it kept, too. A running "
			 "daemon is named, not stopped.",
	  .options = CLI_BIT(PINS) | CLI_BIT(SOCKET) | CLI_BIT(STATE) | CLI_BIT(PURGE), .run = cli_uninstall_run },
	{ .name = "bench", .arguments = "[NAME]", .summary = "what weir costs here, measured beside others",
	  .description = "Loads weir, makes known work over loopback in a network namespace of its own with weir on and "
			 "off in turn, and says in words what each number is. Takes about 90 s, and one processor. "
			 "bpftrace and nethogs run beside it where they are installed.",
	  .words = "traffic", .options = CLI_BIT(JSON) | CLI_BIT(PRETTY) | CLI_BIT(QUICK), .max_words = 1,
	  .run = cli_bench_run },
	{ .name = "schema", .arguments = "OBJECT", .summary = "the JSON Schema of an object's document",
	  .description = "Draft 2020-12, made from the same declarations as the document.", .words = TABLES,
	  .options = CLI_BIT(JSON) | CLI_BIT(PRETTY), .min_words = 1, .max_words = 1, .run = cli_schema_run },
	{ .name = "completions", .arguments = "SHELL", .summary = "completions for bash, zsh or fish",
	  .description = "For example: weir completions bash > /usr/share/bash-completion/completions/weir",
	  .words = "bash zsh fish", .min_words = 1, .max_words = 1, .run = cli_completions_run },
	{ .name = "help", .arguments = "[OBJECT]", .summary = "what weir, or an object, does and takes",
	  .description = "With --mdoc the manual page, as mandoc and man read it.", .options = CLI_BIT(MDOC),
	  .max_words = 1, .run = cli_help_run },
	{},
};
/* clang-format on */
