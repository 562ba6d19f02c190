// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/field.h"

/* Indexes into the declarations in dns_fields.c, which is asserted to have the same order. */

enum dns_names_field {
	NAMES_ADDRESS,
	NAMES_NAME,
	NAMES_SOURCE,
	NAMES_PID,
	NAMES_UID,
	NAMES_NETNS,
	NAMES_ANSWERS,
	NAMES_FIRST_SEEN,
	NAMES_LAST_SEEN,
	NAMES_VALID_UNTIL,
	_NAMES_FIELD_MAX,
};

enum dns_answers_field {
	ANSWERS_OUTCOME,
	ANSWERS_TOTAL,
	_ANSWERS_FIELD_MAX,
};

#define DNS_ROWS_MAX 1000 /* of the table of names */

extern const struct weir_table dns_table_names;
extern const struct weir_table dns_table_answers; /* internal */
