// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/options.h"

/* What the rows of the object table run. Each returns the exit status and has said in one line what
 * went wrong. */

int cli_rows_run(const struct cli_command
			 *c); /* processes, flows, hooks, doctor, audit: by the table's name */
int cli_top_main(const struct cli_command *c);
int cli_record_run(const struct cli_command *c);
int cli_replay_run(const struct cli_command *c);
int cli_daemon_run(const struct cli_command *c);
int cli_run_run(const struct cli_command *c);
int cli_uninstall_run(const struct cli_command *c);
int cli_schema_run(const struct cli_command *c);
int cli_help_run(const struct cli_command *c);
int cli_completions_run(const struct cli_command *c);
int cli_bench_run(const struct cli_command *c);
int cli_capture_run(const struct cli_command *c);
int cli_history_run(const struct cli_command *c);
int cli_explain_run(const struct cli_command *c);
