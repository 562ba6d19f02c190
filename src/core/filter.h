// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "core/query.h"

/* A parsed filter, as filter_parse.c makes it and filter.c applies it. */

enum weir_filter_op {
	WEIR_FILTER_EQUAL,
	WEIR_FILTER_LESS,
	WEIR_FILTER_LESS_EQUAL,
	WEIR_FILTER_GREATER,
	WEIR_FILTER_GREATER_EQUAL,
};

/* One alternative for one field. */
struct weir_filter_value {
	unsigned field;
	enum weir_filter_op op;
	uint64_t number; /* UINT, BOOL; INT as its bits; TIME in microseconds */
	struct weir_prefix prefix;
	char *text; /* TEXT and parts of an ADDRESS: owned; a pattern when .glob */
	bool glob;
	bool part; /* found anywhere in it, upper and lower case alike; a pattern must match it whole */
};

/* word:a,b,c, or a,b,c alone */
struct weir_filter_term {
	bool inverted;
	bool bare; /* without a word: of all names */
	size_t first_value, n_values;
};

struct weir_filter {
	const struct weir_table *def;
	struct weir_filter_term *terms;
	size_t n_terms;
	struct weir_filter_value *values;
	size_t n_values;
};

/* Whether a whole text matches a pattern: '*' any run, '?' any character, a backslash takes the next literally. */
bool weir_filter_glob(const char *pattern, const char *text);
