// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "frontends/cli/options.h"

/* How what is shown has to look, decided once from the terminal, the environment and the options.
 */
struct cli_style {
	unsigned width;	 /* columns of the terminal; 0: no terminal, no limit */
	unsigned height; /* lines of it; 0: no limit */
	bool color;
	bool exact; /* whole numbers instead of 1.5 MB */
};

void cli_style_init(struct cli_style *s, const struct cli_command *c);
