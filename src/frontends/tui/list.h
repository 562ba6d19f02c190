// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/tui/columns.h"
#include "frontends/tui/document.h"
#include "frontends/tui/history.h"

/* A table under the eyes of somebody: its order, what of it is in sight, and the row that the
 * cursor is on. Only a window of its rows is here; the daemon sorts the rest. */

#define TUI_FILTER_TEXT 512

struct tui_order {
	int field, plus; /* of the table; negative: the table's own order, nothing is added */
	bool ascending;
};

/* A container or unit, with the sums of its processes. */
struct tui_group {
	struct tui_id id;
	char name[96];
	unsigned rows;
	uint64_t sums[WEIR_FIELDS_MAX]; /* of fields that can be summed */
	double recent;			/* of its rows, when the order is by a rate */
};

/* What stands on a line of the screen. */
struct tui_line {
	struct tui_id id;
	uint32_t row;	/* of the document; UINT32_MAX: a group */
	uint32_t group; /* that it is or belongs to; UINT32_MAX: none */
};

#define TUI_NO_ROW UINT32_MAX

struct tui_list {
	const struct weir_table *table;
	enum tui_columns_for purpose;
	struct tui_order order;
	uint64_t chosen; /* bit per field that the user wants as a column; 0: the usual ones */
	char filter[TUI_FILTER_TEXT]; /* that holds now */
	uint64_t limit;		      /* rows at most; UINT64_MAX: all */
	bool tree;

	struct tui_document document;
	struct tui_line *lines;
	size_t n_lines;
	struct tui_group *groups;
	size_t n_groups;
	bool fold_all; /* all groups are closed but those in folded; else those alone are */
	struct tui_id *folded;
	size_t n_folded;

	uint64_t first; /* line on top of the screen, counted from the first of all */
	bool has_cursor;
	struct tui_id
		cursor; /* the row that it is on, wherever that moves; none: the one at cursor_at */
	char cursor_filter[TUI_FILTER_TEXT]; /* that selects it; "" for a group */
	uint64_t cursor_at;		     /* where it was last seen */
	bool cursor_lost;		     /* it is not among the lines that are here */
	struct tui_document
		followed; /* that row, asked for by its name, when it is not in the window */
	const struct tui_history *history; /* borrowed; NULL: none. An order by a rate is of the */
	uint64_t second;	/* seconds before this one, or each burst would move rows */
	bool held;		/* the order stays as it is */
	uint64_t held_until_ns; /* the same for a while, since the cursor moved */
};

int tui_list_init(struct tui_list *l, const struct weir_table *table, enum tui_columns_for purpose);
void tui_list_done(struct tui_list *l);

/* Lines that there are, here or with the daemon. */
uint64_t tui_list_total(const struct tui_list *l);

/* The line at an absolute place, or NULL when it is not here. */
const struct tui_line *tui_list_line(const struct tui_list *l, uint64_t at);

/* Puts the document's rows in order: as the daemon sent them; while the order is held as they stood
 * before. sort: order them here instead, for a document that was asked for in another order.
 * -ENOMEM leaves no lines. */
int tui_list_arrange(struct tui_list *l, uint64_t now_ns, bool sort);

/* Parts of that: no lines; the cursor goes where its row went. */
void tui_list_forget_lines(struct tui_list *l);
void tui_list_find_cursor(struct tui_list *l);

/* The order as the API takes it, "" for the table's own. */
#define TUI_ORDER_TEXT 160
const char *tui_list_order_text(const struct tui_list *l, char buf[TUI_ORDER_TEXT]);

/* Sets an order with the direction that people expect of it: numbers largest first, names from a to
 * z. */
void tui_list_order_by(struct tui_list *l, int field, int plus);

/* A filter that selects this row and no other, from its key fields. */
void tui_row_filter(const struct weir_rows *r, size_t row, struct weir_buf *out);

/* Whether a filter's words mean something in the table. */
bool tui_filter_holds(const struct weir_table *table, const char *text);

/* Moves the cursor by rows, and what is in sight with it; height: lines of the screen. */
void tui_list_move(struct tui_list *l, int64_t by, unsigned height);
/* Puts it on a line. */
void tui_list_move_to(struct tui_list *l, uint64_t at, unsigned height);

/* Closes or opens a group. */
void tui_list_fold(struct tui_list *l, struct tui_id group);
void tui_list_fold_all(struct tui_list *l, bool fold);
bool tui_list_folded(const struct tui_list *l, struct tui_id group);

/* Whether rows of the field can be added up. */
bool tui_field_sums(const struct weir_field *f);
