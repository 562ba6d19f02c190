// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/field.h"

/* The command line: `weir [OPTIONS] OBJECT [VERB] [FILTER...]`. The parser, the help, the manual
 * page and the shells' completions all read the two tables below, so they cannot differ. */

enum cli_option_id {
	CLI_OPTION_JSON,
	CLI_OPTION_PRETTY,
	CLI_OPTION_NDJSON,
	CLI_OPTION_NUMERIC,
	CLI_OPTION_IPV4,
	CLI_OPTION_IPV6,
	CLI_OPTION_TCP,
	CLI_OPTION_UDP,
	CLI_OPTION_DEVICE,
	CLI_OPTION_NETNS,
	CLI_OPTION_COLOR,
	CLI_OPTION_SOCKET,
	CLI_OPTION_SORT,
	CLI_OPTION_COLUMNS,
	CLI_OPTION_LIMIT,
	CLI_OPTION_SINCE,
	CLI_OPTION_UNTIL,
	CLI_OPTION_SINCE2,
	CLI_OPTION_UNTIL2,
	CLI_OPTION_STEP,
	CLI_OPTION_FOLLOW,
	CLI_OPTION_EXACT,
	CLI_OPTION_ASCII,
	CLI_OPTION_NO_MOUSE,
	CLI_OPTION_BATCH,
	CLI_OPTION_COUNT,
	CLI_OPTION_INTERVAL,
	CLI_OPTION_FLOWS,
	CLI_OPTION_BPFTRACE,
	CLI_OPTION_SAMPLE,
	CLI_OPTION_SECONDS,
	CLI_OPTION_FORCE,
	CLI_OPTION_SPEED,
	CLI_OPTION_SERVE,
	CLI_OPTION_LISTEN,
	CLI_OPTION_STATE,
	CLI_OPTION_CONFIG,
	CLI_OPTION_CHECK,
	CLI_OPTION_PINS,
	CLI_OPTION_HOOKS,
	CLI_OPTION_WITHOUT,
	CLI_OPTION_PURGE,
	CLI_OPTION_QUICK,
	CLI_OPTION_DROPS,
	CLI_OPTION_SNAP,
	CLI_OPTION_MDOC,
	CLI_OPTION_HELP,
	CLI_OPTION_VERSION,
	_CLI_OPTION_MAX,
};

#define CLI_BIT(option) (1ULL << CLI_OPTION_##option)

/* What an option's argument may be; checked while parsing. */
enum cli_argument {
	CLI_ARGUMENT_NONE,
	CLI_ARGUMENT_TEXT,
	CLI_ARGUMENT_NUMBER,  /* 0 and up */
	CLI_ARGUMENT_SECONDS, /* a decimal fraction, 0 and up */
	CLI_ARGUMENT_CHOICE,  /* one of .choices; may be left away, then it is the second of them */
};

struct cli_option {
	char letter;	  /* 0: only the long name */
	const char *name; /* without the dashes */
	enum cli_argument takes;
	const char *argument; /* its name in the help */
	const char *const *choices;
	const char *selects; /* "type:ipv4": the filter term it stands for; "netns:" takes the
				argument */
	const char *help;    /* one line */
};

extern const struct cli_option cli_options[_CLI_OPTION_MAX];

struct cli_command;

/* What may follow an object, and the table that it shows. */
struct cli_verb {
	const char *name;
	const char *table;
	const char *summary; /* one line */
	uint64_t usual_s;    /* how much of the past it shows unless told */
};

struct cli_object {
	const char *name;
	const char *arguments;	 /* as the help shows them, "" for none */
	const char *summary;	 /* one line */
	const char *description; /* some sentences, for the object's help and the manual */
	const char *table;	 /* name of the table whose rows it shows; NULL: none */
	const char *words; /* what the first word may be, separated by spaces, for completion; or
			      NULL */
	const struct cli_verb *verbs; /* ends with .name = NULL; NULL: none. Its table is the first one's */
	uint64_t options;  /* CLI_BIT()s, --help apart, which all have */
	unsigned min_words, max_words;
	bool raw; /* what follows is not ours to parse: handed on as it is */
	int (*run)(const struct cli_command *c);
};

#define CLI_WORDS_ANY ((unsigned)-1)

struct cli_command {
	const struct cli_object *object;    /* NULL: none was named */
	uint64_t given;			    /* CLI_BIT()s */
	const char *value[_CLI_OPTION_MAX]; /* borrowed from argv or from a const table */
	char **words; /* what follows the object; the array is owned, the words are argv's */
	unsigned n_words;
};

#define CLI_GIVEN(c, option) (((c)->given & CLI_BIT(option)) != 0)

/* Parses argv[1..]. objects ends with .name = NULL. On -EINVAL *ret_error is one line without the
 * program's name (what, where, the cure; caller frees) and *ret is empty. -ENOMEM otherwise. */
int cli_command_parse(int argc, char **argv, const struct cli_object *objects,
		      struct cli_command *ret, char **ret_error);
void cli_command_done(struct cli_command *c);

const struct cli_object *cli_object_find(const struct cli_object *objects, const char *name);

/* Whether the object takes the option: in its set and, for an option that stands for a filter term,
 * its table has such a field. */
bool cli_object_takes(const struct cli_object *o, enum cli_option_id id);

/* Checks the given options against an object's; used by the parser, and by commands that wrap
 * another object. also: further options that are fine. -EINVAL with one line. */
int cli_command_check(const struct cli_command *c, const struct cli_object *o, uint64_t also,
		      char **ret_error);

/* Checks that the table has what the given options select by (-4, -t, -N and the like). -EINVAL
 * with one line. */
int cli_command_check_table(const struct cli_command *c, const struct weir_table *def,
			    char **ret_error);

/* "-j" or "--ndjson", as a user would type it. buf is returned. */
const char *cli_option_text(enum cli_option_id id, char buf[32]);

uint64_t cli_value_number(const struct cli_command *c, enum cli_option_id id, uint64_t otherwise);
double cli_value_seconds(const struct cli_command *c, enum cli_option_id id, double otherwise);
const char *cli_value_text(const struct cli_command *c, enum cli_option_id id,
			   const char *otherwise);

/* The object whose help has the table's fields. */
const char *cli_table_object(const struct weir_table *def);
