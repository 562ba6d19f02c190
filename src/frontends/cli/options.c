// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "core/snapshot.h"
#include "core/tables.h"

const char *cli_table_object(const struct weir_table *def)
{
	return def->past ? "history" : def->name;
}

const struct cli_object *cli_object_find(const struct cli_object *objects, const char *name)
{
	for (const struct cli_object *o = objects; o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

/* The field in front of the colon of "type:ipv4" or "netns:". */
static bool table_selects(const struct weir_table *def, const char *selects)
{
	char name[32];
	size_t n = strcspn(selects, ":");

	if (!def || n >= sizeof(name))
		return false;
	memcpy(name, selects, n);
	name[n] = '\0';
	return weir_table_field(def, name) >= 0;
}

bool cli_object_takes(const struct cli_object *o, enum cli_option_id id)
{
	if (id == CLI_OPTION_HELP)
		return true;
	if (!(o->options & (1ULL << id)))
		return false;
	/* An object without a table of its own (replay) leaves the choice to the one it wraps. */
	if (!cli_options[id].selects || !o->table)
		return true;
	return table_selects(weir_table_find(o->table), cli_options[id].selects);
}

const char *cli_option_text(enum cli_option_id id, char buf[32])
{
	const struct cli_option *o = &cli_options[id];

	if (o->letter)
		snprintf(buf, 32, "-%c", o->letter);
	else
		snprintf(buf, 32, "--%s", o->name);
	return buf;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool number_valid(const char *text)
{
	char *end;

	errno = 0;
	strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
}

static bool seconds_valid(const char *text)
{
	char *end;
	double v;

	if (text[strspn(text, "0123456789.")] || !*text || !strcmp(text, "."))
		return false;
	errno = 0;
	v = strtod(text, &end);
	return !*end && !errno && isfinite(v) && v <= 1e9;
}

static int value_check(enum cli_option_id id, const char *value, char **ret_error)
{
	const struct cli_option *o = &cli_options[id];
	_cleanup_(weir_buf_done) struct weir_buf list = {};

	switch (o->takes) {
	case CLI_ARGUMENT_NONE:
	case CLI_ARGUMENT_TEXT:
		if (value && !*value)
			return weir_fail(ret_error, -EINVAL, "--%s takes a %s, not an empty one", o->name, o->argument);
		return 0;
	case CLI_ARGUMENT_NUMBER:
		if (!number_valid(value))
			return weir_fail(ret_error, -EINVAL, "--%s takes a whole number, not \"%s\"", o->name, value);
		return 0;
	case CLI_ARGUMENT_SECONDS:
		if (!seconds_valid(value))
			return weir_fail(ret_error, -EINVAL, "--%s takes a number such as 1 or 0.5, not \"%s\"", o->name, value);
		return 0;
	case CLI_ARGUMENT_CHOICE:
		for (const char *const *c = o->choices; *c; c++) {
			if (!strcmp(*c, value))
				return 0;
			weir_buf_printf(&list, "%s%s", list.len ? ", " : "", *c);
		}
		return weir_fail(ret_error, -EINVAL, "--%s takes one of %s, not \"%s\"", o->name, list.data ? list.data : "",
				 value);
	}
	return 0;
}

uint64_t cli_value_number(const struct cli_command *c, enum cli_option_id id, uint64_t otherwise)
{
	return c->value[id] ? strtoull(c->value[id], NULL, 10) : otherwise;
}

double cli_value_seconds(const struct cli_command *c, enum cli_option_id id, double otherwise)
{
	return c->value[id] ? strtod(c->value[id], NULL) : otherwise;
}

const char *cli_value_text(const struct cli_command *c, enum cli_option_id id,
			   const char *otherwise)
{
	return c->value[id] ? c->value[id] : otherwise;
}

/* --- parsing --------------------------------------------------------------------------------- */

/* Where the parser stands. */
struct option_cursor {
	char **argv;
	int argc, next;
};

static int option_by_letter(char letter)
{
	for (int i = 0; i < _CLI_OPTION_MAX; i++)
		if (cli_options[i].letter == letter)
			return i;
	return -ENOENT;
}

static int option_by_name(const char *name, size_t len)
{
	for (int i = 0; i < _CLI_OPTION_MAX; i++)
		if (strlen(cli_options[i].name) == len && !memcmp(cli_options[i].name, name, len))
			return i;
	return -ENOENT;
}

/* value: what stood in the same word, or NULL. */
static int option_take(struct option_cursor *at, struct cli_command *c, enum cli_option_id id,
		       const char *value, char **ret_error)
{
	const struct cli_option *o = &cli_options[id];
	int r;

	if (o->takes == CLI_ARGUMENT_NONE) {
		if (value)
			return weir_fail(ret_error, -EINVAL, "--%s takes no argument", o->name);
	} else if (!value && o->takes == CLI_ARGUMENT_CHOICE) {
		value = o->choices[1];
	} else if (!value) {
		if (at->next >= at->argc)
			return weir_fail(ret_error, -EINVAL, "--%s needs its %s", o->name, o->argument);
		value = at->argv[at->next++];
	}
	r = value_check(id, value, ret_error);
	if (r < 0)
		return r;
	c->given |= 1ULL << id;
	c->value[id] = value;
	return 0;
}

static int parse_long(struct option_cursor *at, struct cli_command *c, const char *word,
		      char **ret_error)
{
	size_t len = strcspn(word, "=");
	int id = option_by_name(word, len);

	if (id < 0)
		return weir_fail(ret_error, -EINVAL, "there is no option --%.*s: see weir --help", (int)len, word);
	return option_take(at, c, id, word[len] ? word + len + 1 : NULL, ret_error);
}

/* "-bc3": letters in one word; the first that takes an argument takes the rest of it. */
static int parse_letters(struct option_cursor *at, struct cli_command *c, const char *letters,
			 char **ret_error)
{
	for (; *letters; letters++) {
		int id = option_by_letter(*letters);
		bool rest;
		int r;

		if (id < 0)
			return weir_fail(ret_error, -EINVAL, "there is no option -%c: see weir --help", *letters);
		rest = cli_options[id].takes != CLI_ARGUMENT_NONE && letters[1];
		r = option_take(at, c, id, rest ? letters + 1 : NULL, ret_error);
		if (r < 0 || rest)
			return r;
	}
	return 0;
}

static int unknown_object(const struct cli_object *objects, const char *word, char **ret_error)
{
	const struct cli_object *near = NULL;
	unsigned best = 3;

	for (const struct cli_object *o = objects; o->name; o++) {
		unsigned d = weir_text_distance(word, o->name);

		/* The beginning of a name counts as near too: "proc". */
		if (strlen(word) >= 2 && !strncmp(word, o->name, strlen(word)))
			d = 0;
		if (d < best) {
			best = d;
			near = o;
		}
	}
	if (near)
		return weir_fail(ret_error, -EINVAL, "there is no object \"%s\": did you mean %s?", word, near->name);
	return weir_fail(ret_error, -EINVAL, "there is no object \"%s\": see weir help", word);
}

int cli_command_check(const struct cli_command *c, const struct cli_object *o, uint64_t also,
		      char **ret_error)
{
	uint64_t wrong = c->given & ~(o->options | also | CLI_BIT(HELP) | CLI_BIT(VERSION));
	char text[32];

	for (int id = 0; id < _CLI_OPTION_MAX; id++)
		if (wrong & (1ULL << id))
			return weir_fail(ret_error, -EINVAL, "%s is not an option of %s: see weir help %s",
					 cli_option_text(id, text), o->name, o->name);
	return 0;
}

int cli_command_check_table(const struct cli_command *c, const struct weir_table *def,
			    char **ret_error)
{
	char text[32];

	for (int id = 0; id < _CLI_OPTION_MAX; id++) {
		const char *selects = cli_options[id].selects;

		if (!(c->given & (1ULL << id)) || !selects || table_selects(def, selects))
			continue;
		return weir_fail(ret_error, -EINVAL, "%s selects by %.*s, which %s do not have: see weir help %s",
				 cli_option_text(id, text), (int)strcspn(selects, ":"), selects, def->name, cli_table_object(def));
	}
	return 0;
}

static int words_check(const struct cli_command *c, char **ret_error)
{
	const struct cli_object *o = c->object;

	if (o->raw)
		return 0;
	if (c->n_words < o->min_words)
		return weir_fail(ret_error, -EINVAL, "%s needs more: weir %s %s", o->name, o->name, o->arguments);
	if (o->max_words != CLI_WORDS_ANY && c->n_words > o->max_words)
		return weir_fail(ret_error, -EINVAL, "%s does not take \"%s\": see weir help %s", o->name, c->words[o->max_words],
				 o->name);
	return 0;
}

static int parse_word(struct option_cursor *at, struct cli_command *c,
		      const struct cli_object *objects, char *word, char **ret_error)
{
	if (c->object) {
		c->words[c->n_words++] = word;
		return 0;
	}
	c->object = cli_object_find(objects, word);
	if (!c->object)
		return unknown_object(objects, word, ret_error);
	while (c->object->raw && at->next < at->argc)
		c->words[c->n_words++] = at->argv[at->next++];
	return 0;
}

static int parse_all(struct option_cursor *at, struct cli_command *c,
		     const struct cli_object *objects, char **ret_error)
{
	bool only_words = false;
	int r = 0;

	while (r >= 0 && at->next < at->argc) {
		char *word = at->argv[at->next++];

		if (!only_words && !strcmp(word, "--"))
			only_words = true;
		else if (!only_words && !strncmp(word, "--", 2))
			r = parse_long(at, c, word + 2, ret_error);
		else if (!only_words && word[0] == '-' && word[1])
			r = parse_letters(at, c, word + 1, ret_error);
		else
			r = parse_word(at, c, objects, word, ret_error);
	}
	if (r < 0)
		return r;
	/* Help answers whatever else stands there. */
	if (CLI_GIVEN(c, HELP) || CLI_GIVEN(c, VERSION))
		return 0;
	if (!c->object)
		return c->given ? weir_fail(ret_error, -EINVAL, "an object is missing: see weir help") : 0;
	r = cli_command_check(c, c->object, 0, ret_error);
	return r < 0 ? r : words_check(c, ret_error);
}

int cli_command_parse(int argc, char **argv, const struct cli_object *objects,
		      struct cli_command *ret, char **ret_error)
{
	struct option_cursor at = { .argv = argv, .argc = argc, .next = 1 };
	struct cli_command c = {};
	int r;

	c.words = calloc(argc > 0 ? argc : 1, sizeof(*c.words));
	if (!c.words)
		return -ENOMEM;
	r = parse_all(&at, &c, objects, ret_error);
	if (r < 0) {
		cli_command_done(&c);
		*ret = c;
		return r;
	}
	*ret = c;
	return 0;
}

void cli_command_done(struct cli_command *c)
{
	free(c->words);
	memset(c, 0, sizeof(*c));
}

/* --- the options ----------------------------------------------------------------------------- */

static const char *const color_choices[] = { "auto", "always", "never", NULL };

/* clang-format off */
#define FLAG(id, l, n, ...) [CLI_OPTION_##id] = { .letter = (l), .name = (n), __VA_ARGS__ }
#define TAKES(id, l, n, kind, arg, ...) \
	FLAG(id, l, n, .takes = CLI_ARGUMENT_##kind, .argument = (arg), __VA_ARGS__)

const struct cli_option cli_options[_CLI_OPTION_MAX] = {
	FLAG(JSON, 'j', "json", .help = "one compact JSON document"),
	FLAG(PRETTY, 'J', "pretty", .help = "the same document, indented"),
	FLAG(NDJSON, 0, "ndjson", .help = "one JSON object per line"),
	FLAG(NUMERIC, 'n', "numeric", .help = "ids instead of names that need a look-up"),
	FLAG(IPV4, '4', "ipv4", .selects = "type:ipv4", .help = "only IPv4"),
	FLAG(IPV6, '6', "ipv6", .selects = "type:ipv6", .help = "only IPv6"),
	FLAG(TCP, 't', "tcp", .selects = "transport:tcp", .help = "only TCP"),
	FLAG(UDP, 'u', "udp", .selects = "transport:udp", .help = "only UDP"),
	TAKES(DEVICE, 'i', "device", TEXT, "DEV", .selects = "device:", .help = "only this network device"),
	TAKES(NETNS, 'N', "netns", TEXT, "NETNS", .selects = "netns:",
	      .help = "only this network namespace: its name, inode number or path"),
	TAKES(COLOR, 0, "color", CHOICE, "WHEN", .choices = color_choices,
	      .help = "mark what needs attention: auto, always, never (NO_COLOR is heeded)"),
	TAKES(SOCKET, 0, "socket", TEXT, "PATH", .help = "the daemon's socket (also WEIR_SOCKET)"),
	TAKES(SORT, 0, "sort", TEXT, "FIELD", .help = "largest first by this field; -FIELD turns it round"),
	TAKES(COLUMNS, 0, "columns", TEXT, "LIST", .help = "fields to show: a,b or all, or +c beside the usual ones"),
	TAKES(LIMIT, 0, "limit", NUMBER, "N", .help = "at most N rows; 0 for all"),
	TAKES(SINCE, 0, "since", TEXT, "TIME",
	      .help = "of the past, from then on: 2h, 14:02, yesterday, \"2026-11-22 14:02\" or RFC 3339"),
	TAKES(UNTIL, 0, "until", TEXT, "TIME", .help = "up to then, in the same forms; now if not given"),
	TAKES(SINCE2, 0, "since2", TEXT, "TIME",
	      .help = "changes: compare with what was from then on, such as \"yesterday 14:02\", instead of just before"),
	TAKES(UNTIL2, 0, "until2", TEXT, "TIME", .help = "changes: up to then; as long as the span itself if not given"),
	TAKES(STEP, 0, "step", TEXT, "LENGTH", .help = "time that a row covers, such as 10s, 5m or 1h"),
	FLAG(FOLLOW, 'f', "follow", .help = "go on with what happens after the past was shown, until Ctrl-C"),
	FLAG(EXACT, 0, "exact", .help = "whole numbers in tables instead of 1.5 MB"),
	FLAG(ASCII, 0, "ascii", .help = "draw with ASCII characters only, whatever the locale"),
	FLAG(NO_MOUSE, 0, "no-mouse", .help = "leave the mouse to the terminal, which selects text with it; m switches"),
	FLAG(BATCH, 'b', "batch", .help = "plain frames one after the other, for files and pipes"),
	TAKES(COUNT, 'c', "count", NUMBER, "N", .help = "stop after N frames, or packets"),
	TAKES(INTERVAL, 'd', "interval", SECONDS, "SECONDS", .help = "time between frames; 1 if not given"),
	FLAG(FLOWS, 0, "flows", .help = "one row per flow with traffic instead of one per process"),
	FLAG(BPFTRACE, 0, "bpftrace", .help = "show the bpftrace line that would show the same"),
	FLAG(SAMPLE, 0, "sample", .help = "show the lost packet that was looked at last, and the kernel's stack"),
	TAKES(SECONDS, 0, "seconds", SECONDS, "N", .help = "stop after N seconds"),
	FLAG(FORCE, 0, "force", .help = "overwrite the file if it exists"),
	TAKES(SPEED, 0, "speed", SECONDS, "X", .help = "times as fast as it was recorded; 0: as fast as possible"),
	FLAG(SERVE, 0, "serve", .help = "serve the recording: page, API and metrics"),
	TAKES(LISTEN, 0, "listen", TEXT, "ADDR:PORT", .help = "where the page is served; none for nowhere"),
	TAKES(STATE, 0, "state", TEXT, "DIR", .help = "folder for what is kept"),
	TAKES(CONFIG, 0, "config", TEXT, "FILE", .help = "configuration file, read instead of the usual places"),
	FLAG(CHECK, 0, "check", .help = "say whether the configuration is right, and end"),
	TAKES(PINS, 0, "pins", TEXT, "DIR", .help = "folder on a bpffs; an own one lets several daemons run side by side"),
	TAKES(HOOKS, 0, "hooks", TEXT, "FEATURE:SET", .help = "force a hook set, such as traffic:sock"),
	TAKES(WITHOUT, 0, "without", TEXT, "LIST", .help = "act as if the kernel lacked these: fentry,btf"),
	FLAG(PURGE, 0, "purge", .help = "remove what is kept in the state folder too"),
	FLAG(QUICK, 0, "quick", .help = "fewer rounds, in about a fifth of the time"),
	FLAG(DROPS, 0, "drops", .help = "only packets that the kernel drops"),
	TAKES(SNAP, 's', "snaplen", NUMBER, "BYTES", .help = "of each packet, at most"),
	FLAG(MDOC, 0, "mdoc", .help = "the manual page's source"),
	FLAG(HELP, 'h', "help", .help = "say what weir, or the object, does"),
	FLAG(VERSION, 'V', "version", .help = "print the version"),
};
/* clang-format on */
_Static_assert(_CLI_OPTION_MAX <= 64, "one bit each");
