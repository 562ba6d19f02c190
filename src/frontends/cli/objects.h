// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/options.h"

/* The object table; ends with .name = NULL. Help, manual page, completions and the parser read it.
 */
extern const struct cli_object cli_objects[];

/* `weir ...`: parses, runs, returns the exit status. */
int cli_main(int argc, char **argv);
