// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "core/query.h"
#include "core/snapshot.h"

/* The JSON documents of the command line and of the API: one place, so that they cannot differ. */

enum weir_json_style {
	WEIR_JSON_COMPACT, /* -j */
	WEIR_JSON_INDENTED, /* -J */
	WEIR_JSON_LINES,    /* --ndjson: one row object per line, no envelope */
};

/* Appends {"schema_version":1,"host":...,"time":...,"snapshot":N,"lost_events":N,"total":N,"rows":[...]}, with
 * "sums":{"FIELD":N,...} in front of the rows when the query asks for sums.
 * A table that the snapshot lacks gives no rows. Null cells are left out of objects that come from dotted
 * names (an object without any member is {}), and are null otherwise. Invalid UTF-8 becomes U+FFFD. */
int weir_document_json(struct weir_buf *out, const struct weir_snapshot *s, const struct weir_table *def,
		       const struct weir_query *q, enum weir_json_style style);

/* Appends the rows alone, as a JSON array: what a stream's event carries. */
int weir_document_rows(struct weir_buf *out, const struct weir_snapshot *s, const struct weir_table *def,
		       const struct weir_query *q);

/* Appends the JSON Schema (draft 2020-12) of such a document. */
int weir_document_schema(struct weir_buf *out, const struct weir_table *def);

/* Reads such a document back into a snapshot with that one table, e.g. to draw it as a table: members that
 * the declaration does not know are passed over. The text is hostile input: -EBADMSG with a reason. */
int weir_document_parse(const char *text, size_t len, const struct weir_table *def, struct weir_snapshot **ret,
			char **ret_error);
