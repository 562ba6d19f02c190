// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A frame before it meets a terminal: rows of cells, each a character and how it looks. Text from
 * outside is made inert on its way in, so nothing that stands in a grid can move a cursor. */

/* Bits. Colours are signals; a terminal without them still has the others. */
enum tui_attr {
	TUI_PLAIN = 0,
	TUI_BOLD = 1 << 0,
	TUI_DIM = 1 << 1,
	TUI_REVERSE = 1 << 2,
	TUI_UNDERLINE = 1 << 3,
	TUI_GOOD = 1 << 4,
	TUI_WARN = 1 << 5,
	TUI_BAD = 1 << 6,
	TUI_ACCENT = 1 << 7,
	TUI_SENT = 1 << 8, /* of a curve: which way bytes went */
	TUI_RECEIVED = 1 << 9,
};

#define TUI_CELL_MARKS 3

struct tui_cell {
	uint32_t character;		/* 0: the right half of a wide one */
	uint32_t marks[TUI_CELL_MARKS]; /* combining, 0 where there is none */
	uint16_t attr;
};

/* What a click on a place means; which of them arg says. */
enum tui_hit_kind {
	TUI_HIT_TAB,	/* its index */
	TUI_HIT_KEY,	/* the key that it stands for */
	TUI_HIT_LINE,	/* of the list that keys go to */
	TUI_HIT_CURVE,	/* the same, on its curve */
	TUI_HIT_COLUMN, /* index of the field, and << 16 that which is added + 1 */
	TUI_HIT_ENTRY,	/* of a menu */
	TUI_HIT_FILTER,
	TUI_HIT_PLOT,	/* of the past: column << 16 | columns */
	TUI_HIT_DETAILS,
	TUI_HIT_VIEW,	/* of the past: its index */
};

struct tui_hit {
	uint16_t row, column, rows, columns;
	enum tui_hit_kind kind;
	uint64_t arg;
};

#define TUI_HITS_MAX 384

struct tui_hits {
	struct tui_hit list[TUI_HITS_MAX];
	unsigned n;
};

struct tui_grid {
	unsigned rows, columns;
	unsigned stride, top, left; /* of a view: where it lies in the whole */
	struct tui_cell *cells;
	bool ascii;		       /* nothing but ASCII goes in: other characters become '?' */
	int cursor_row, cursor_column; /* where the terminal's cursor stands; row -1: hidden */
	struct tui_hits *hits;	       /* borrowed; NULL: nobody clicks */
};

/* Blank cells. -ENOMEM. */
int tui_grid_init(struct tui_grid *g, unsigned rows, unsigned columns, bool ascii);
void tui_grid_done(struct tui_grid *g);

/* A part of it, to be drawn into as if it were all: cut off where the grid ends. It has no cells of
 * its own and is not to be done(). */
struct tui_grid tui_grid_view(const struct tui_grid *g, unsigned row, unsigned column, unsigned rows,
			      unsigned columns);

/* A place that can be clicked; later ones lie above earlier ones. */
void tui_grid_hit(const struct tui_grid *g, unsigned row, unsigned column, unsigned rows,
		  unsigned columns, enum tui_hit_kind kind, uint64_t arg);
const struct tui_hit *tui_hit_at(const struct tui_hits *h, unsigned row, unsigned column);

/* Puts text, escaped, at a place; what is wider than width is cut and ends in an ellipsis. What
 * falls outside the grid is left away. Returns the columns that it took. */
unsigned tui_grid_text(struct tui_grid *g, unsigned row, unsigned column, unsigned width,
		       const char *text, unsigned attr);

/* The same, at the right end of width. */
void tui_grid_right(struct tui_grid *g, unsigned row, unsigned column, unsigned width,
		    const char *text, unsigned attr);

/* printf() into the grid; the arguments are escaped with the rest. */
unsigned tui_grid_printf(struct tui_grid *g, unsigned row, unsigned column, unsigned width,
			 unsigned attr, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* One character of weir's own, one column wide. */
void tui_grid_char(struct tui_grid *g, unsigned row, unsigned column, uint32_t character,
		   unsigned attr);

/* Adds attributes to cells that stand there. */
void tui_grid_mark(struct tui_grid *g, unsigned row, unsigned column, unsigned width,
		   unsigned attr);

/* Blanks cells. */
void tui_grid_blank(struct tui_grid *g, unsigned row, unsigned column, unsigned width);

/* Writes a character as UTF-8, terminated; returns its bytes. */
size_t tui_utf8(uint32_t character, char buf[5]);

/* Appends the characters of a row as UTF-8, without the blanks at its end. */
void tui_grid_row_text(const struct tui_grid *g, unsigned row, struct weir_buf *out);

/* Appends all of it as text to read and compare: the characters, then a letter a cell for the
 * attributes. */
void tui_grid_dump(const struct tui_grid *g, struct weir_buf *out);
