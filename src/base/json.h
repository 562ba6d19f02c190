// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A streaming JSON writer on top of a buffer. Commas, indentation and escaping are its business; balanced
 * begin/end calls are the caller's (assert). Text that is not valid UTF-8 has each bad byte replaced by U+FFFD.
 * "<", ">", "&", U+2028 and U+2029 are written as \u escapes, so that the text is inert inside HTML too. */

#define WEIR_JSON_DEPTH 16

struct weir_json {
	struct weir_buf *out;
	bool indent;
	unsigned depth;
	bool some[WEIR_JSON_DEPTH]; /* the open container at this depth has a member already */
	bool after_key;
};

void weir_json_init(struct weir_json *j, struct weir_buf *out, bool indent);
void weir_json_object(struct weir_json *j);
void weir_json_object_end(struct weir_json *j);
void weir_json_array(struct weir_json *j);
void weir_json_array_end(struct weir_json *j);
void weir_json_key(struct weir_json *j, const char *key);
/* A key that stands in quotes and is escaped already: for keys that are written once per row. */
void weir_json_key_quoted(struct weir_json *j, const char *quoted, size_t len);
void weir_json_uint(struct weir_json *j, uint64_t v);
void weir_json_int(struct weir_json *j, int64_t v);
void weir_json_double(struct weir_json *j, double v); /* not finite: null */
void weir_json_bool(struct weir_json *j, bool v);
void weir_json_text(struct weir_json *j, const char *s); /* NULL: null */
void weir_json_null(struct weir_json *j);
void weir_json_time(struct weir_json *j, uint64_t real_ns); /* RFC 3339, UTC, microseconds */
