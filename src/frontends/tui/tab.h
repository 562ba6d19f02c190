// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/tui/app.h"
#include "frontends/tui/draw.h"

/* A tab is a file with a table at its foot: what it is called, draws, asks and answers keys with. */

struct tui_tab {
	const char *name;    /* its table's, where it is one */
	enum weir_word word; /* its title */
	/* Lists of its own, added before the first frame; NULL: its table's. Errors end the start. */
	int (*init)(struct tui_app *a);
	/* Draws into what lies between the bar of tabs and the last line; returns the lines that its
	 * list has. */
	unsigned (*draw)(struct tui_app *a, struct tui_grid *g, uint64_t now_ns);
	/* What it asks beside its list; false: nothing in this slot. May be NULL. */
	bool (*question)(const struct tui_app *a, enum tui_slot slot, uint64_t round, struct tui_question *q);
	/* A key that means something else here; false: it does not. May be NULL. */
	bool (*key)(struct tui_app *a, uint32_t key, uint64_t now_ns);
	/* A click on a place that only this tab has. May be NULL. */
	void (*click)(struct tui_app *a, enum tui_mouse what, const struct tui_hit *hit, unsigned column,
		      uint64_t now_ns);
};

extern const struct tui_tab tui_tab_now, tui_tab_processes, tui_tab_flows, tui_tab_drops, tui_tab_history,
	tui_tab_doctor, tui_tab_names, tui_tab_containers, tui_tab_hooks, tui_tab_audit, tui_tab_findings,
	tui_tab_other;

/* The order in which they stand; tables that are not named follow. */
extern const struct tui_tab *const tui_tabs[];

/* A tab's title: of a table without a name of its own, the table's. */
const char *tui_tab_title(const struct tui_app *a, unsigned tab, char buf[32]);

/* The part of a list tab: host's curves, what is listed, and the rows with details beside them. */
unsigned tui_tab_list_draw(struct tui_app *a, struct tui_grid *g, uint64_t now_ns);

/* The two curves of the host, side by side: a line of words over a plot. */
void tui_draw_host_plots(const struct tui_app *a, struct tui_grid *g, uint64_t now_ns);

/* Asks for the sum of what is lost, each packet once; false: nothing is known of losses. */
bool tui_ask_losses(struct tui_question *q);

/* One titled curve: rows 0 words, below it the plot. */
struct tui_curve_words {
	enum weir_word title;
	unsigned attr;
	float now;   /* negative: left out */
	bool counts; /* of packets, not of bytes */
	const char *span;
};
void tui_draw_plot(const struct tui_app *a, struct tui_grid *g, const struct tui_plot *p,
		   const struct tui_curve_words *words);

/* A length of time as people say it: "15 min", "3 h", "14 d". */
#define TUI_LENGTH_TEXT 40
const char *tui_length_text(uint64_t seconds, char buf[TUI_LENGTH_TEXT]);

/* Heading of a panel: the words, and a line to its right end. */
void tui_panel_title(struct tui_grid *g, unsigned row, const char *title);

/* How many bytes of a text go on a line that is so wide: up to the last space, semicolon or wide
 * character that still has its place there; all of it when there is none. */
size_t tui_line_of(const char *text, unsigned room);

/* Text over as many lines as it takes, at most rows; returns those that it took. */
unsigned tui_draw_wrapped(struct tui_grid *g, unsigned row, unsigned column, unsigned rows,
			  const char *text, unsigned attr);

/* The filter of the past's list was changed: it holds for the others as well. */
void tui_past_changed(struct tui_app *a);
