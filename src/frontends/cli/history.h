// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/options.h"
#include "frontends/cli/request.h"
#include "frontends/cli/source.h"

/* `weir history`, and --since and --until of other objects: what the daemon remembers. */

/* What follows `weir history`; the first is what it shows alone. */
extern const struct cli_verb cli_history_verbs[];

/* The one for a table, or NULL. */
const struct cli_verb *cli_history_verb(const char *table);

/* Shows a part of the past once. first_word: where the filter begins. Returns the exit status. */
int cli_history_show(const struct cli_command *c, const struct cli_verb *verb, unsigned first_word);

/* The same for an object that shows the present: processes, flows, drops. */
int cli_history_instead(const struct cli_command *c);

/* Shows it, and goes on: a line for each step that is over, or each event. */
int cli_history_follow(const struct cli_command *c, const struct cli_verb *verb, unsigned first_word);

/* What both of these ask: the request with its span, and the daemon that remembers. 0, or the exit status. */
int cli_history_open(const struct cli_command *c, const struct cli_verb *verb, unsigned first_word, struct cli_request *ret,
		     struct cli_source **ret_source);
