// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The sentences as tools/said writes them. */

struct weir_said_row {
	const char *english, *chinese;
};

/* Sentences as they stand, and parts ("owner=the program"), by their bytes. */
extern const struct weir_said_row weir_said_plain[];
extern const unsigned weir_said_plain_n;
/* Sentences with values in them: the first that fits is the one. */
extern const struct weir_said_row weir_said_filled[];
extern const unsigned weir_said_filled_n;
