// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/timestamp.h"
#include "core/field.h"
#include "frontends/tui/grid.h"
#include "frontends/tui/history.h"

/* Which columns a table has at which width, and what their cells read. Tables and fields that are
 * not named here are shown as their declarations say. */

enum tui_column_kind {
	TUI_COLUMN_FIELD,
	TUI_COLUMN_CURVE, /* rates of the last minute, sent and received together */
	TUI_COLUMN_PLACE, /* container, pod or unit */
	TUI_COLUMN_LOCAL, /* address and port */
	TUI_COLUMN_PEER,  /* the same, or a name */
};

struct tui_column {
	enum tui_column_kind kind;
	int field;	   /* it shows this, or orders by it; negative: neither */
	int plus;	   /* it orders by the sum of both; negative: by the field alone */
	const char *title; /* borrowed */
	uint16_t width, widest;
	uint8_t priority; /* 0 stays longest */
	bool right;
};

struct tui_columns {
	struct tui_column list[WEIR_FIELDS_MAX];
	unsigned n;
};

/* How cells read. */
struct tui_look {
	bool ascii;
	bool bits;    /* rates in bits per second */
	bool numeric; /* addresses and ids instead of names */
	bool exact;   /* whole numbers */
	int64_t utc_offset_s; /* of the clocks that times are told by: the daemon's */
	uint64_t day; /* today by them, in days since the epoch: times of others are told by their date; 0: not known */
};

/* "2026-11-22 18:25:07" by those clocks, and what says which they are: "Z", "+01:00". */
const char *tui_clock_text(uint64_t real_ns, const struct tui_look *look, char buf[WEIR_TIMESTAMP_TEXT]);
const char *tui_zone_text(const struct tui_look *look, char buf[8]);

#define TUI_COLUMN_GAP 1

/* What is shown of which table. */
enum tui_columns_for {
	TUI_COLUMNS_TABLE,
	TUI_COLUMNS_TREE,
	TUI_COLUMNS_OF_PROCESS, /* flows, all of one process */
	TUI_COLUMNS_TALKERS,	/* processes, beside much else */
};

/* Chooses what fits into width and gives each its columns; they depend on nothing else, so they do
 * not jump. chosen: bit per field that the user asked for; 0: the usual ones. */
void tui_columns_fit(const struct weir_table *table, enum tui_columns_for purpose, uint64_t chosen,
		     const struct tui_look *look, unsigned width, struct tui_columns *ret);

/* The fields that these columns need, beside the keys. */
uint64_t tui_columns_fields(const struct weir_table *table, const struct tui_columns *columns);

#define TUI_CELL_TEXT 1024 /* also the longest sentence of the daemon, in any language */

/* What a field reads; "-" for null. ret_attr: what it signals. buf is returned. */
const char *tui_field_text(const struct weir_rows *r, size_t row, unsigned field,
			   const struct tui_look *look, char buf[TUI_CELL_TEXT],
			   unsigned *ret_attr);

/* The same for a column. */
const char *tui_column_text(const struct weir_rows *r, size_t row, const struct tui_column *c,
			    const struct tui_look *look, char buf[TUI_CELL_TEXT],
			    unsigned *ret_attr);

/* The fields that a row's place is read from. */
uint64_t tui_place_fields(const struct weir_table *table);

/* The container's name or short id, the pod, else the unit; NULL: none of them. */
const char *tui_place(const struct weir_rows *r, size_t row, bool numeric, char buf[TUI_CELL_TEXT]);

/* A rate, in bytes or bits per second, and other numbers for people. */
const char *tui_rate_text(uint64_t bytes_per_second, const struct tui_look *look,
			  char buf[TUI_CELL_TEXT]);
const char *tui_bytes_text(uint64_t bytes, const struct tui_look *look, char buf[TUI_CELL_TEXT]);

/* Draws a curve; its full height is peak, but never less than what a trickle is. */
void tui_curve(struct tui_grid *g, unsigned row, unsigned column, const struct tui_samples *s,
	       enum tui_samples_which which, uint64_t second, unsigned width, unsigned attr,
	       float *ret_peak);
