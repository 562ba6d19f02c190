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
#include "frontends/cli/history.h"
#include "frontends/cli/json_text.h"
#include "frontends/cli/output.h"
#include "frontends/cli/show.h"
#include "frontends/cli/top.h"

int cli_rows_run(const struct cli_command *c)
{
	const struct weir_table *table = weir_table_find(c->object->table);

	if (!table)
		return cli_fail(CLI_IMPOSSIBLE, "this weir was built without %s", c->object->table);
	if (CLI_GIVEN(c, SINCE) || CLI_GIVEN(c, UNTIL))
		return cli_history_instead(c);
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
#define LOADS (CLI_BIT(HOOKS) | CLI_BIT(WITHOUT))
#define DAEMON (CLI_BIT(LISTEN) | CLI_BIT(SOCKET) | CLI_BIT(STATE) | CLI_BIT(CONFIG) | CLI_BIT(PINS) | LOADS)
#define FRAMES (CLI_BIT(COUNT) | CLI_BIT(INTERVAL))
#define PAST (CLI_BIT(SINCE) | CLI_BIT(UNTIL))

#define SHOWS(object, text, also, ...)                                                                         \
	{ .name = (object), .arguments = "[FILTER...]", .summary = (text), .table = (object),                  \
	  .options = ROWS | LOADS | (also), .max_words = CLI_WORDS_ANY, .run = cli_rows_run, __VA_ARGS__ }

#define TABLES "processes flows drops findings names containers hooks doctor audit"
#define PASTS "history history_rates history_peers history_losses history_days history_months history_events " \
	      "history_changes history_store"

const struct cli_object cli_objects[] = {
	{ .name = "top", .arguments = "[FILTER...]", .summary = "the busiest processes or flows, live",
	  .description = "Shows processes by what they send and receive now, then by what they did so far; with "
			 "--flows the sockets. On a terminal it is interactive, with a tab each for now, processes, flows, "
			 "lost packets, history, doctor and every other table: Tab or a click switches, ? lists the keys; "
			 "among them / filters, s orders, t makes a tree of containers and units, Enter shows one process "
			 "with its flows, p pauses. It begins with now unless it is told what to list. Its words are English "
			 "or Chinese as LC_ALL, LC_MESSAGES or LANG say, or WEIR_LANG=en or zh. -b writes plain tables one below "
			 "the other, -c stops after some of them, and -j or --ndjson write a stream of documents or rows.",
	  .options = (ROWS | LOADS | SELECTS | FRAMES | CLI_BIT(BATCH) | CLI_BIT(FLOWS) | CLI_BIT(ASCII) |
		      CLI_BIT(NO_MOUSE)) &
		     ~CLI_BIT(DEVICE),
	  .max_words = CLI_WORDS_ANY,
	  .run = cli_top_main },
	SHOWS("processes", "processes and what they sent and received", SELECTS | PAST,
	      .description = "One row a process, most sent first (--sort takes others), also for those that "
			     "exited within the last minute. "
			     "Bytes are what programs handed to and took from IP sockets, each once. With --since or --until "
			     "it shows programs of that time, as weir history does."),
	SHOWS("flows", "sockets: who talks to whom, how much and how well", SELECTS | PAST,
	      .description = "One row a socket (for UDP that is not connected, one for each peer), open and recently "
			     "closed, most sent first. With --since or --until it shows who talked to whom then, as weir "
			     "history peers does."),
	SHOWS("drops", "lost packets: why, where, whose, and what to do",
	      FRAMES | CLI_BIT(SAMPLE) | CLI_BIT(DEVICE) | CLI_BIT(NETNS) | PAST,
	      .description = "One row for each reason, place in the kernel, device and process, most lost now first. Classes: "
			     "expected (nothing is wrong), tune (a limit, or a program that is too slow), attack, bug. "
			     "Below those that ought not to be stands why and what to do; --sample adds the packet that was "
			     "looked at last. -c and -d show it again and again. With --since or --until it shows what was "
			     "lost then, as weir history losses does."),
	SHOWS("findings", "what is wrong now, in words", FRAMES,
	      .description = "A sentence for each thing that ought not to be, the worst first, and what to do."),
	SHOWS("names", "names of peers, and who learned them", CLI_BIT(IPV4) | CLI_BIT(IPV6) | CLI_BIT(NETNS),
	      .description = "The addresses that peers are shown by name for: from DNS answers that programs of this host "
			     "received, and from /etc/hosts. The 1,000 that were used last."),
	SHOWS("containers", "containers by their names, images and pods", 0,
	      .description = "One row for each container with a process that used a socket, as long as processes or flows "
			     "show one of its processes. Names come from the state of docker, podman, containerd and "
			     "cri-o."),
	SHOWS("hooks", "each BPF program: where it hangs, what it costs, its maps", CLI_BIT(BPFTRACE),
	      .description = "Measures for a second, so that calls and nanoseconds per call are of now. Below each "
			     "program stand the maps that it fills."),
	SHOWS("doctor", "what this kernel and these privileges allow", 0,
	      .description = "For each feature the sets of kernel hooks that can serve it, the one in use, and why not "
			     "a better one. Exit status 4 when a feature that is switched on cannot run. --without "
			     "shows what would be left on another kernel: fentry,tracepoint:sock_send_length,"
			     "function:udp_sendmsg; a name that it does not know is answered with those that it does."),
	SHOWS("audit", "do the sums agree with what the kernel counted", 0,
	      .description = "Holds the sum of the processes against the sum of the sockets and what TCP counted, and "
			     "names each remainder. Exit status 4 when a byte has no owner."),
	{ .name = "history", .arguments = "[WHAT] [FILTER...]", .summary = "the past: programs, curves, peers, events, changes",
	  .description = "What the running daemon remembers of the last hour, or of --since to --until: to the second for an "
			 "hour, in steps of 10 s for 12 hours, of a minute for 14 days, of an hour for 400 days. Beside each "
			 "average stands the largest second of its step. WHAT is programs unless given; a filter chooses before "
			 "sums are made, so history rates process:nginx is the curve of nginx. Times, today and yesterday too, are "
			 "of your clocks (TZ), as date tells them; days and months are those of the clocks of the daemon, which "
			 "makes their sums. --follow, with rates and events, goes on after the past with what happens.",
	  .table = "history", .verbs = cli_history_verbs,
	  .options = ROWS | PAST | CLI_BIT(SINCE2) | CLI_BIT(UNTIL2) | CLI_BIT(STEP) | CLI_BIT(FOLLOW) | CLI_BIT(ASCII),
	  .max_words = CLI_WORDS_ANY, .run = cli_history_run },
	{ .name = "explain", .arguments = "PID|NAME|FLOW|TIME", .summary = "one story in words: a process, a socket, a moment",
	  .description = "A process (its id, or a program's name): who it is, how much, to whom, how well, what it listens on, "
			 "what is new, what is wrong. A socket (ADDR:PORT of either end, both ends, or the kernel's cookie): "
			 "its life in order. A moment (14:02, yesterday 14:02, 2h): what changed then, the most telling first. "
			 "Times are of your clocks (TZ); today is the day of the daemon's, as in weir top and on the page. "
			 "In English or, by WEIR_LANG or the locale, in Chinese; -j has the facts with their values.",
	  .options = CLI_BIT(JSON) | CLI_BIT(PRETTY) | CLI_BIT(SOCKET) | LOADS, .min_words = 1, .max_words = 2,
	  .run = cli_explain_run },
	{ .name = "record", .arguments = "FILE", .summary = "write raw events to a file",
	  .description = "Watches until --seconds are over, or Ctrl-C. The file replays into the same tables, documents "
			 "and page without root; it says who talks to whom, so only its owner can read it.",
	  .options = CLI_BIT(SECONDS) | CLI_BIT(FORCE) | LOADS, .min_words = 1, .max_words = 1,
	  .run = cli_record_run },
	{ .name = "replay", .arguments = "FILE [OBJECT [FILTER...]]", .summary = "show a recording, without root",
	  .description = "Shows the last state of an object (processes if none is named), plays top, or with --serve "
			 "serves the page and the API from the recording. The options of the object hold here too. "
			 "A file that is cut or damaged is shown as far as it is whole; the exit status is 1 then.",
	  .options = ROWS | SELECTS | FRAMES | CLI_BIT(BATCH) | CLI_BIT(FLOWS) | CLI_BIT(ASCII) |
		     CLI_BIT(NO_MOUSE) | CLI_BIT(BPFTRACE) | CLI_BIT(SPEED) | CLI_BIT(SERVE) | CLI_BIT(LISTEN),
	  .min_words = 1, .max_words = CLI_WORDS_ANY, .run = cli_replay_run },
	{ .name = "capture", .arguments = "FILE [FILTER]", .summary = "packets with their processes, to a pcapng file",
	  .description = "Each packet gets a comment: its direction, the process, container and pod at either end as far as "
			 "they are on this host, and for a dropped packet the kernel's reason and place. FILE is overwritten, "
			 "tcpdump and Wireshark read it, - is standard output. FILTER is one of pcap-filter(7). Shows "
			 "this network namespace; --drops alone, without -i, all of the host. Ends with --seconds, -c or "
			 "Ctrl-C, and says what was captured, unattributed and lost.",
	  .options = CLI_BIT(DEVICE) | CLI_BIT(COUNT) | CLI_BIT(SECONDS) | CLI_BIT(DROPS) | CLI_BIT(SNAP) |
		     CLI_BIT(SOCKET) | LOADS,
	  .min_words = 1, .max_words = CLI_WORDS_ANY, .run = cli_capture_run },
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
	  .options = CLI_BIT(PINS) | CLI_BIT(SOCKET) | CLI_BIT(STATE) | CLI_BIT(CONFIG) | CLI_BIT(PURGE),
	  .run = cli_uninstall_run },
	{ .name = "bench", .arguments = "[NAME]", .summary = "what weir costs here, measured beside others",
	  .description = "Loads weir, makes known work over loopback in a network namespace of its own with weir on and "
			 "off in turn, and says in words what each number is. Takes about 90 s, and one processor. "
			 "bpftrace and nethogs run beside it where they are installed.",
	  .words = "dns traffic", .options = CLI_BIT(JSON) | CLI_BIT(PRETTY) | CLI_BIT(QUICK), .max_words = 1,
	  .run = cli_bench_run },
	{ .name = "schema", .arguments = "OBJECT", .summary = "the JSON Schema of an object's document",
	  .description = "Draft 2020-12, made from the same declarations as the document.", .words = TABLES " " PASTS,
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
