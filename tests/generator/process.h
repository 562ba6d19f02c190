// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the case "exec" runs in the program that it starts: argv of that program. */
int process_after_exec(char **argv);
