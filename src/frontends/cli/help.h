// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/buf.h"
#include "core/config.h"
#include "frontends/cli/options.h"

/* Texts about the command line, made from the tables of options and objects. All return 0 or
 * -ENOMEM. */

/* What `weir help`, or `weir help OBJECT`, prints. o NULL: weir itself. */
int cli_help_make(struct weir_buf *out, const struct cli_object *o);

/* The manual page weir(8) in mdoc(7). The argument is there for the likeness of the two and not
 * read. */
int cli_manual_make(struct weir_buf *out, const struct cli_object *unused);

/* A script for "bash", "zsh" or "fish"; -ENOENT for another shell. */
int cli_completions_make(struct weir_buf *out, const char *shell);

/* Exit statuses with their meanings, shared by both. Ends with .meaning = NULL. */
struct cli_status_help {
	int status;
	const char *meaning;
};
extern const struct cli_status_help cli_status_helps[];

/* Lines that show how a filter reads, each a command without "weir " and what it shows. Ends with
 * NULL. */
struct cli_example {
	const char *command, *shows;
};
extern const struct cli_example cli_examples[];

#define CLI_CONFIG_PLACES                                                                          \
	"The configuration is YAML: " WEIR_DEFAULT_CONFIG ", then the .yaml files in "                 \
	WEIR_DEFAULT_CONFIG_MORE " by their names; of two files that give a key the later one counts. "  \
	"All may be absent. A key with a dot stands in a group, as in \"hooks: {traffic: sock}\". "     \
	"Anything wrong in any of them rejects them all."

#define CLI_PURPOSE "exact network traffic of every process, from the kernel"

/* Whether most objects take the option, so that it stands in the general help. */
bool cli_option_is_common(enum cli_option_id id);
