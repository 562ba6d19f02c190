// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/tui/app.h"

/* The terminal, by ncurses. There is but one, so nothing here has a handle. */

/* Takes it over, unless it has it. color: as far as it has any. *ret_ascii: it shows nothing but ASCII. -ENODEV: a
 * terminal of this kind is not known; -ENOMEM. On failure it is as it was. */
int tui_screen_open(bool color, bool *ret_ascii);

/* Gives it back as it was; may be called when it was not taken. */
void tui_screen_close(void);

void tui_screen_size(unsigned *ret_rows, unsigned *ret_columns);

/* Brings the screen up to the grid: what did not change is not sent. */
void tui_screen_show(const struct tui_grid *g);

/* What the terminal shows is not known any more: all of it is sent the next time. */
void tui_screen_forget(void);

/* A key as in app.h, or a click or a turn of the wheel. */
struct tui_input {
	bool is_mouse;
	uint32_t key;
	enum tui_mouse mouse;
	unsigned row, column;
};

/* The next that came; false: there is none now. */
bool tui_screen_input(struct tui_input *ret);

/* Whether clicks come here, or the terminal does with them what it does. Off at first. */
void tui_screen_mouse(bool on);

/* Gives the terminal back, stops the process, and takes it again when it is continued. */
void tui_screen_suspend(void);

/* After it was stopped by somebody else: the terminal may have been set otherwise meanwhile. */
void tui_screen_resume(void);
