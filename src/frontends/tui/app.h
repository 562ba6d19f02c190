// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/tui/edit.h"
#include "frontends/tui/list.h"
#include "frontends/tui/rates.h"
#include "frontends/words/words.h"

/* `weir top` without a terminal and without a daemon: keys and answers go in, questions and frames
 * come out. Nothing here waits, reads a clock or draws by itself, so all of it is tested as
 * functions. */

/* --- what is asked --------------------------------------------------------------------------- */

enum tui_slot {
	TUI_SLOT_HOST,	   /* sums over all processes, for the line on top */
	TUI_SLOT_LIST,	   /* the rows in sight */
	TUI_SLOT_FOLLOWED, /* the cursor's row, when it is not among them */
	TUI_SLOT_SUBJECT,  /* the row whose details are shown */
	TUI_SLOT_FLOWS,	   /* its flows */
	TUI_SLOT_COST,	   /* what weir itself uses */
	TUI_SLOT_DOCTOR,   /* what this kernel does not give */
	TUI_SLOT_FINDINGS, /* what is wrong */
	TUI_SLOT_LARGEST,  /* the flow that moves most */
	TUI_SLOT_LOSSES,   /* what is lost most */
	TUI_SLOT_NEW,	   /* programs that were never seen before today */
	TUI_SLOT_CURVE,	   /* the curve of a span of the past */
	TUI_SLOT_PEERS,	   /* who was talked to in it */
	TUI_SLOT_CHANGES,  /* what changed in it */
	TUI_SLOT_STORE,	   /* what history keeps, and its limits */
	_TUI_SLOT_MAX,
};

struct tui_question {
	const struct weir_table *table; /* NULL: /metrics */
	char filter[TUI_FILTER_TEXT + 64];
	char sort[TUI_ORDER_TEXT];
	uint64_t offset, limit; /* limit UINT64_MAX: all */
	uint64_t fields, sums;	/* bit per field; fields 0: all */
	char from[32], to[32];	/* of a table of the past, as the API takes them; "": not said */
	bool before;		/* it asks for the minutes before the view began, whatever tab is in sight */
};

/* --- what is shown --------------------------------------------------------------------------- */

enum tui_mode {
	TUI_MODE_NORMAL,
	TUI_MODE_FILTER,
	TUI_MODE_SORT,	  /* the menu of orders */
	TUI_MODE_COLUMNS, /* the menu of columns */
	TUI_MODE_HELP,
};

#define TUI_LISTS_MAX 40
#define TUI_TABS_MAX 24
#define TUI_DETAILS_MAX 3

/* One row, with all that is known of it. */
struct tui_details {
	struct tui_document subject;
	char filter[TUI_FILTER_TEXT]; /* that selects it */
	const struct weir_table *table;
	struct tui_id id;
	bool gone;	       /* it was there, and is no longer */
	struct tui_list flows; /* .table NULL: it is no process */
	uint64_t first;	       /* line of its fields on top, where they do not all fit */
};

/* A span of the past, and what of it is listed. */
struct tui_past {
	uint64_t length_s;
	uint64_t to_s; /* its end, since the epoch; 0: now, and it goes on */
	unsigned view, n_views;
	unsigned first_list; /* of the first view among the lists */
	bool ask;	     /* keys changed it since it was asked for */
	bool moved;	     /* an answer changed it */
	bool beside;	     /* the last frame had room for panels beside the list */
	unsigned fitting;    /* so many more answers may move it to the ends of a day */
	int64_t utc_offset_s; /* of the daemon's clocks at its end */
	char error[256];     /* why there is none; "": there is */
};

struct tui_self {
	double cpu_seconds, memory_bytes; /* all roles together; memory 0: not known */
	uint64_t at_ns;
	double share; /* of one CPU since the look before; negative: not known yet */
};

struct tui_tab;

struct tui_app {
	struct tui_look look;
	uint64_t interval_ns;
	uint64_t start_ns; /* of the clock that now_ns is read from */
	bool recording;	   /* the rows come from a file */
	bool own_only;	   /* the daemon shows this user's processes alone */

	struct tui_list lists[TUI_LISTS_MAX];
	unsigned n_lists, current; /* current: the one that the tab in sight has */
	struct {
		const struct tui_tab *tab;
		unsigned list;
	} tabs[TUI_TABS_MAX];
	unsigned n_tabs, tab;
	struct tui_details details[TUI_DETAILS_MAX]; /* the last of them is in sight */
	unsigned n_details;
	struct tui_details side; /* of the cursor's row, beside a list on a wide screen */
	bool has_side;		 /* the last frame had one */
	uint64_t side_since_ns;	 /* when it began to show this row */
	struct tui_history *history;
	struct tui_rates rates;
	bool rates_filled; /* with what the daemon remembers */
	struct tui_past past;
	uint64_t today_s;	  /* when the daemon's day began, as it says; 0: it did not yet */
	int64_t utc_offset_s;	  /* of its clocks now */
	bool other_day;		  /* what is new today was asked for with another begin */
	struct tui_document host, doctor;
	struct tui_document extra[_TUI_SLOT_MAX]; /* answers of slots that have no other place */
	uint64_t retransmits, retransmits_ns, retransmits_per_second; /* of the host */
	uint64_t lost, lost_second; /* events, and when they grew last; 0: not while this ran */
	bool have_lost;
	struct tui_self self;
	char missing[64]; /* a feature that this kernel cannot run; "": none */
	bool degraded;	  /* one that does not see all, as doctor tells */
	enum { TUI_LOSSES_UNKNOWN, TUI_LOSSES_SEEN, TUI_LOSSES_UNSEEN } losses; /* as it tells, too */

	enum tui_mode mode;
	struct tui_edit edit;
	unsigned menu_at;
	char error[256];   /* below the filter line */
	char message[256]; /* in the last line */
	uint64_t message_until_ns;
	bool quit;

	bool paused;
	uint64_t paused_ns;
	uint64_t answered_ns; /* when rows came last; 0: never */
	char trouble[256];    /* why no answer comes; "": one came */
	unsigned height; /* lines that the list in sight has on the screen, from the last frame */
	unsigned width;	 /* columns of it; 0: none was drawn yet */
	bool ask_again;	 /* keys want other rows than those that were asked for */
	bool once;	 /* ask for details although paused */
	bool mouse;	 /* clicks come here; else the terminal selects text with them */
	struct tui_hits hits; /* of the last frame, */
	struct {
		unsigned tab, current, n_details;
		enum tui_mode mode;
	} hits_of; /* which showed this: a click that comes before the next frame is for nothing else */
};

struct tui_start {
	const char *tab;    /* to begin with: "now"; NULL: the table's */
	const char *table;  /* "processes" */
	const char *filter; /* checked; may be NULL */
	const char *sort;   /* the same */
	uint64_t columns;   /* bit per field; 0: the usual ones */
	uint64_t limit;	    /* UINT64_MAX: all */
	uint64_t interval_ns, now_ns;
	bool recording, own_only, mouse;
	struct tui_look look;
};

/* -ENOMEM; -ENOENT: there is no such table. On failure nothing is left to be done(). */
int tui_app_init(struct tui_app *a, const struct tui_start *start);
void tui_app_done(struct tui_app *a);

struct tui_list *tui_app_list(struct tui_app *a);	/* the one that keys go to */
struct tui_details *tui_app_details(struct tui_app *a); /* NULL: none is open */

/* The same, to be looked at. */
const struct tui_list *tui_app_in_sight(const struct tui_app *a);
const struct tui_details *tui_app_open(const struct tui_app *a);

/* Fills in what has to be asked now, for a screen as it was drawn last; false: nothing in this
 * slot. round counts the times that the app asked, from 0: some questions come seldom. */
bool tui_app_question(const struct tui_app *a, enum tui_slot slot, uint64_t round,
		      struct tui_question *ret);

/* All slots were gone through. */
void tui_app_asked(struct tui_app *a);

/* Takes an answer in. text NULL: it failed, and error (one line, not owned) says why. */
void tui_app_answer(struct tui_app *a, enum tui_slot slot, const struct tui_question *asked,
		    const char *text, size_t len, const char *error, uint64_t now_ns);

/* --- keys ------------------------------------------------------------------------------------ */

/* A character as itself, other keys beyond the last of them. */
enum tui_key_code {
	TUI_KEY_UP = 0x110000,
	TUI_KEY_DOWN,
	TUI_KEY_LEFT,
	TUI_KEY_RIGHT,
	TUI_KEY_PAGE_UP,
	TUI_KEY_PAGE_DOWN,
	TUI_KEY_HOME,
	TUI_KEY_END,
	TUI_KEY_BACKSPACE,
	TUI_KEY_DELETE,
	TUI_KEY_ENTER,
	TUI_KEY_ESCAPE,
	TUI_KEY_TAB,
	TUI_KEY_BACK_TAB,
	TUI_KEY_REDRAW, /* Ctrl-L */
};

void tui_app_key(struct tui_app *a, uint32_t key, uint64_t now_ns);

/* A click or a turn of the wheel at a cell. */
enum tui_mouse { TUI_MOUSE_CLICK, TUI_MOUSE_WHEEL_UP, TUI_MOUSE_WHEEL_DOWN };
void tui_app_mouse(struct tui_app *a, enum tui_mouse what, unsigned row, unsigned column, uint64_t now_ns);

/* What the keys do, for the help, the manual and its test. Ends with .keys NULL. */
struct tui_key_help {
	const char *keys;
	enum weir_word does;
};
extern const struct tui_key_help tui_key_helps[];

/* Columns of the list in sight at the width of the last frame; what < and > walk over. */
void tui_app_columns(const struct tui_app *a, const struct tui_list *l, unsigned width,
		     struct tui_columns *ret);

/* After the order changed: the rows that are here stand in it at once; the daemon's answer brings
 * the others. */
void tui_app_reorder(struct tui_app *a, struct tui_list *l, uint64_t now_ns);

/* So long the order stays after the cursor moved: time to read the line and to press Enter. */
#define TUI_HOLD_NS 4000000000ull

/* Shows a tab: by its place, or its name (false: there is none). */
void tui_app_switch(struct tui_app *a, unsigned tab, uint64_t now_ns);
bool tui_app_switch_to(struct tui_app *a, const char *name, uint64_t now_ns);

/* Whether the tab in sight has this name. */
bool tui_app_in_tab(const struct tui_app *a, const char *name);

/* The details that answers are for: those that are open, else those beside the list; NULL: neither. */
struct tui_details *tui_app_subject(struct tui_app *a);
const struct tui_details *tui_app_open_or_beside(const struct tui_app *a);

/* Fills them for the row of a list that keys mean, unless they are of it already; false: there is no
 * such row. */
bool tui_details_of_row(const struct tui_list *l, struct tui_details *d);
void tui_details_done(struct tui_details *d);

/* Times are told by the daemon's clocks: those of the span that is looked at, or of now. */
void tui_app_clocks(struct tui_app *a);

/* Parts of answers (answer.c) and questions (ask.c) that tabs use. */
bool tui_is_past(const struct weir_table *t);

/* Opens a menu, and what keys do in it. */
void tui_menu_open(struct tui_app *a, enum tui_mode mode);
void tui_menu_key(struct tui_app *a, uint32_t key, uint64_t now_ns);

/* The entries of a menu: which field (and which is added to it), and its words. */
unsigned tui_menu_count(const struct tui_app *a);
bool tui_menu_entry(const struct tui_app *a, unsigned at, int *ret_field, int *ret_plus,
		    const char **ret_title, const char **ret_help);

/* --- frames ---------------------------------------------------------------------------------- */

#define TUI_COLUMNS_MIN 40
#define TUI_ROWS_MIN 8

/* Draws all of it. Pure but for what a frame decides: how many lines the list has. */
void tui_app_draw(struct tui_app *a, struct tui_grid *g, uint64_t now_ns);

/* Second of the history that a time lies in; while paused, the one in which the pause began. */
uint64_t tui_app_second(const struct tui_app *a, uint64_t now_ns);

/* Says something in the last line for some seconds. */
void tui_app_say(struct tui_app *a, uint64_t now_ns, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
