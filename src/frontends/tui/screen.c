// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/screen.h"

#define NCURSES_WIDECHAR 1
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/cleanup.h"
#include "frontends/tui/app.h"

#define ESCAPE_DELAY_MS 25
#define RUN_CHARACTERS 1024

static SCREEN *screen;
static bool colored, ascii_only, mouse_on;

enum screen_pair { PAIR_GOOD = 1, PAIR_WARN, PAIR_BAD, PAIR_ACCENT, PAIR_SENT, PAIR_RECEIVED };

/* The terminal's own palette on its own background. */
static void colors_init(bool wanted)
{
	colored = wanted && has_colors() && start_color() == OK;
	if (!colored)
		return;
	(void)use_default_colors();
	init_pair(PAIR_GOOD, COLOR_GREEN, -1);
	init_pair(PAIR_WARN, COLOR_YELLOW, -1);
	init_pair(PAIR_BAD, COLOR_RED, -1);
	init_pair(PAIR_ACCENT, COLOR_CYAN, -1);
	init_pair(PAIR_SENT, COLOR_BLUE, -1);
	init_pair(PAIR_RECEIVED, COLOR_MAGENTA, -1);
}

int tui_screen_open(bool color, bool *ret_ascii)
{
	const char *codeset;

	*ret_ascii = ascii_only;
	if (screen)
		return 0;
	/* Only how characters are written: numbers stay with their points. */
	(void)setlocale(LC_CTYPE, "");
	codeset = nl_langinfo(CODESET);
	*ret_ascii = ascii_only = strcmp(codeset, "UTF-8") != 0;
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -ENODEV;
	set_term(screen);
	set_escdelay(ESCAPE_DELAY_MS);
	colors_init(color);
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	scrollok(stdscr, FALSE);
	curs_set(0);
	return 0;
}

void tui_screen_close(void)
{
	if (!screen)
		return;
	tui_screen_mouse(false);
	curs_set(1);
	endwin();
	delscreen(screen);
	screen = NULL;
}

void tui_screen_size(unsigned *ret_rows, unsigned *ret_columns)
{
	struct winsize size = {};

	/* Asked of the kernel: of many changes in a row only the last counts. */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
	    (size.ws_row != LINES || size.ws_col != COLS))
		(void)resize_term(size.ws_row, size.ws_col);
	*ret_rows = LINES > 0 ? (unsigned)LINES : 0;
	*ret_columns = COLS > 0 ? (unsigned)COLS : 0;
}

static attr_t attributes(unsigned attr, short *ret_pair)
{
	attr_t a = A_NORMAL;

	*ret_pair = 0;
	if (attr & TUI_BOLD)
		a |= A_BOLD;
	if (attr & TUI_UNDERLINE)
		a |= A_UNDERLINE;
	if (attr & TUI_REVERSE)
		a |= A_REVERSE;
	else if (attr & TUI_DIM) /* not on a bar, where it could not be read */
		a |= A_DIM;
	if (attr & TUI_GOOD)
		*ret_pair = PAIR_GOOD;
	if (attr & TUI_SENT)
		*ret_pair = PAIR_SENT;
	if (attr & TUI_RECEIVED)
		*ret_pair = PAIR_RECEIVED;
	if (attr & TUI_ACCENT)
		*ret_pair = PAIR_ACCENT;
	if (attr & TUI_WARN)
		*ret_pair = PAIR_WARN;
	if (attr & TUI_BAD)
		*ret_pair = PAIR_BAD;
	if (colored)
		return a;
	*ret_pair = 0;
	if (attr & TUI_WARN)
		a |= A_BOLD;
	if (attr & TUI_BAD)
		a |= A_BOLD | A_UNDERLINE;
	return a;
}

/* Cells that look alike go out together; a character that is not plain ASCII ends a run, so that
 * columns agree even where the C library and the terminal disagree about its width. */
static void show_row(const struct tui_grid *g, unsigned row)
{
	const struct tui_cell *cells = g->cells + (size_t)row * g->stride;

	for (unsigned i = 0; i < g->columns;) {
		wchar_t run[RUN_CHARACTERS + TUI_CELL_MARKS + 1];
		unsigned from = i;
		bool plain = true;
		short pair;
		attr_t a;
		int n = 0;

		while (i < g->columns && n < RUN_CHARACTERS && plain &&
		       cells[i].attr == cells[from].attr) {
			plain = cells[i].character < 0x80 && cells[i].character;
			if (cells[i].character)
				run[n++] = (wchar_t)cells[i].character;
			for (unsigned k = 0; k < TUI_CELL_MARKS && cells[i].marks[k]; k++)
				run[n++] = (wchar_t)cells[i].marks[k];
			i++;
		}
		if (!n)
			continue;
		a = attributes(cells[from].attr, &pair);
		(void)attr_set(a, pair, NULL);
		(void)mvaddnwstr((int)row, (int)from, run, n);
	}
}

void tui_screen_show(const struct tui_grid *g)
{
	erase();
	for (unsigned row = 0; row < g->rows; row++)
		show_row(g, row);
	(void)attr_set(A_NORMAL, 0, NULL);
	curs_set(g->cursor_row >= 0);
	if (g->cursor_row >= 0)
		(void)move(g->cursor_row, g->cursor_column);
	else
		(void)move(g->rows ? (int)g->rows - 1 : 0, 0);
	refresh();
}

void tui_screen_forget(void)
{
	clearok(curscr, TRUE);
}

/* --- keys ------------------------------------------------------------------------------------ */

static const struct {
	wint_t curses;
	uint32_t key;
} special[] = {
	{ KEY_UP, TUI_KEY_UP },
	{ KEY_DOWN, TUI_KEY_DOWN },
	{ KEY_LEFT, TUI_KEY_LEFT },
	{ KEY_RIGHT, TUI_KEY_RIGHT },
	{ KEY_PPAGE, TUI_KEY_PAGE_UP },
	{ KEY_NPAGE, TUI_KEY_PAGE_DOWN },
	{ KEY_HOME, TUI_KEY_HOME },
	{ KEY_END, TUI_KEY_END },
	{ KEY_BACKSPACE, TUI_KEY_BACKSPACE },
	{ KEY_DC, TUI_KEY_DELETE },
	{ KEY_ENTER, TUI_KEY_ENTER },
	{ KEY_BTAB, TUI_KEY_BACK_TAB },
	{ KEY_F(1), '?' },
};

static const struct {
	wint_t character;
	uint32_t key;
} controls[] = {
	{ '\r', TUI_KEY_ENTER }, { '\n', TUI_KEY_ENTER },    { '\t', TUI_KEY_TAB },
	{ 27, TUI_KEY_ESCAPE },	 { 127, TUI_KEY_BACKSPACE }, { 8, TUI_KEY_BACKSPACE },
	{ 12, TUI_KEY_REDRAW },
};

static bool read_mouse(struct tui_input *ret)
{
	MEVENT e;

	if (getmouse(&e) != OK || e.x < 0 || e.y < 0)
		return false;
	*ret = (struct tui_input){ .is_mouse = true, .row = (unsigned)e.y, .column = (unsigned)e.x };
	if (e.bstate & BUTTON4_PRESSED)
		ret->mouse = TUI_MOUSE_WHEEL_UP;
	else if (e.bstate & BUTTON5_PRESSED)
		ret->mouse = TUI_MOUSE_WHEEL_DOWN;
	else if (e.bstate & BUTTON1_PRESSED)
		ret->mouse = TUI_MOUSE_CLICK;
	else
		return false;
	return true;
}

/* A key of ncurses' own number; false: none that means something here. */
static bool read_special(wint_t c, struct tui_input *ret)
{
	if (c == KEY_MOUSE)
		return read_mouse(ret);
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		if (special[i].curses == c) {
			*ret = (struct tui_input){ .key = special[i].key };
			return true;
		}
	}
	return false;
}

bool tui_screen_input(struct tui_input *ret)
{
	wint_t c;
	int kind;

	for (;;) {
		kind = get_wch(&c);
		if (kind == ERR)
			return false;
		if (kind != KEY_CODE_YES)
			break;
		if (read_special(c, ret))
			return true;
	}
	*ret = (struct tui_input){ .key = (uint32_t)c };
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++)
		if (controls[i].character == c)
			ret->key = controls[i].key;
	return true;
}

void tui_screen_mouse(bool on)
{
	if (on == mouse_on)
		return;
	mouse_on = on;
	/* Presses alone: nobody waits to see whether they become a double click. */
	(void)mouseinterval(0);
	(void)mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

/* --- stopping -------------------------------------------------------------------------------- */

void tui_screen_resume(void)
{
	if (!screen)
		return;
	reset_prog_mode();
	tui_screen_forget();
	curs_set(0);
}

void tui_screen_suspend(void)
{
	if (screen) {
		curs_set(1);
		endwin();
	}
	(void)raise(SIGSTOP);
	tui_screen_resume();
}
