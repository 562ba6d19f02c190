// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of text that is being typed, with the lines that were typed before. */

#define TUI_EDIT_TEXT 512
#define TUI_EDIT_HISTORY 32

struct tui_edit {
	char text[TUI_EDIT_TEXT];	 /* UTF-8 */
	size_t len, at;			 /* bytes; at: of the cursor */
	char *history[TUI_EDIT_HISTORY]; /* newest first; owned */
	unsigned n_history;
	int recalled;		   /* -1: what is typed itself */
	char typed[TUI_EDIT_TEXT]; /* while another line is recalled */
};

void tui_edit_start(struct tui_edit *e, const char *text); /* keeps the history */
void tui_edit_done(struct tui_edit *e);
void tui_edit_remember(struct tui_edit *e); /* puts the text on top of the history */

/* A character, or a key that edits or recalls (tui_key_code). False: the line does not know it. */
bool tui_edit_key(struct tui_edit *e, uint32_t key);

/* Puts text in at the cursor; what does not fit is left away as a whole. */
void tui_edit_insert(struct tui_edit *e, const char *text, size_t len);
