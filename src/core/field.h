// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field is declared once, by the feature that owns it. CLI columns, JSON keys, the JSON schema,
 * Prometheus metrics and the tables in the pages all come from this declaration. */

enum weir_type {
	WEIR_TYPE_UINT,    /* uint64_t */
	WEIR_TYPE_INT,     /* int64_t */
	WEIR_TYPE_BOOL,
	WEIR_TYPE_TEXT,    /* any bytes without NUL; hostile, escaped by who shows it */
	WEIR_TYPE_ADDRESS, /* struct weir_addr */
	WEIR_TYPE_TIME,    /* ns since the epoch; RFC 3339 in JSON */
	_WEIR_TYPE_MAX,
};

enum weir_unit {
	WEIR_UNIT_NONE,
	WEIR_UNIT_BYTES,
	WEIR_UNIT_BYTES_PER_SECOND,
	WEIR_UNIT_COUNT,
	WEIR_UNIT_MICROSECONDS,
	WEIR_UNIT_NANOSECONDS,
	WEIR_UNIT_SEGMENTS,
	_WEIR_UNIT_MAX,
};

enum weir_field_flags {
	WEIR_FIELD_KEY = 1 << 0,     /* part of what identifies a row (changed rows are matched by it) */
	WEIR_FIELD_COLUMN = 1 << 1,  /* shown in the plain table unless other columns are asked for */
	WEIR_FIELD_LABEL = 1 << 2,   /* a label of every metric of this table */
	WEIR_FIELD_COUNTER = 1 << 3, /* with .metric: a Prometheus counter; without: a gauge */
	WEIR_FIELD_PORT = 1 << 4,    /* a port of the row's "transport": people read "https" */
};

/* A table has at most this many fields: one bit each in a row's null mask. */
#define WEIR_FIELDS_MAX 64

struct weir_field {
	const char *name;     /* JSON key; "a.b" nests b in object a */
	const char *title;    /* column heading, short */
	const char *help;     /* one sentence */
	const char *filter;   /* word of the filter language, beside .name; several fields may share one; or NULL.
			       * A text or address that has one is a name: a bare word of a filter is looked for in it */
	const char *metric;   /* Prometheus name, or NULL */
	const char *words;    /* TEXT: all values that it can have, separated by spaces; NULL: any */
	const char *named_by; /* the text field of this table that people read instead where it has one, or NULL */
	uint64_t max;         /* UINT: the largest value that it can have; 0: any */
	double metric_scale;  /* value * scale = base unit; 0 means 1 */
	enum weir_type type;
	enum weir_unit unit;
	unsigned flags;
};

/* .sort_field of a table whose rows stand in a meaningful order already. */
#define WEIR_SORT_NONE UINT32_MAX

struct weir_table {
	const char *name;    /* object of the command line and of /api/v1/NAME */
	const char *summary; /* one sentence */
	const struct weir_field *fields;
	unsigned n_fields;
	unsigned sort_field; /* largest first by default; WEIR_SORT_NONE: the table's own order */
	unsigned sort_plus;  /* by the sum with this one, both are UINT then; 0: by that field alone */
	bool host_wide;      /* rows describe the host, not one user's process: everybody may read them */
	bool internal;       /* only for metrics and other tables; no command, no /api/v1/NAME */
	bool past;           /* answered by the store for a span of time (core/history.h); in no snapshot of the engine */
};
