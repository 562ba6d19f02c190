// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/cleanup.h"
#include "core/field.h"

/* Words to declare fields in, for the one source file of a table. */

#define KEY WEIR_FIELD_KEY
#define COLUMN WEIR_FIELD_COLUMN
#define LABEL WEIR_FIELD_LABEL
#define COUNTER WEIR_FIELD_COUNTER
#define PORT WEIR_FIELD_PORT

/* clang-format off */
#define FIELD(index, n, head, kind, measure, bits, sentence, ...) \
	[index] = { .name = (n), .title = (head), .type = WEIR_TYPE_##kind, .unit = WEIR_UNIT_##measure, \
		    .flags = (bits), .help = (sentence), ##__VA_ARGS__ }
