// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/tab.h"

/* Clicks and the wheel: each does what keys do as well. */

#define WHEEL_LINES 3

static void wheel(struct tui_app *a, int by, uint64_t now_ns)
{
	struct tui_list *l = tui_app_list(a);
	uint64_t total = tui_list_total(l), most = total > a->height ? total - a->height : 0;

	if (a->mode == TUI_MODE_SORT || a->mode == TUI_MODE_COLUMNS) {
		tui_menu_key(a, by < 0 ? TUI_KEY_UP : TUI_KEY_DOWN, now_ns);
		return;
	}
	if (a->mode != TUI_MODE_NORMAL)
		return;
	if (a->n_details && !tui_app_details(a)->flows.table) {
		tui_app_key(a, by < 0 ? TUI_KEY_UP : TUI_KEY_DOWN, now_ns);
		return;
	}
	if (by < 0)
		l->first -= l->first > WHEEL_LINES ? WHEEL_LINES : l->first;
	else
		l->first = l->first + WHEEL_LINES < most ? l->first + WHEEL_LINES : most;
	a->ask_again |= !tui_list_line(l, l->first) || !tui_list_line(l, l->first + a->height);
}

/* A row that is chosen already opens. */
static void click_line(struct tui_app *a, uint64_t at, bool open, uint64_t now_ns)
{
	struct tui_list *l = tui_app_list(a);
	bool chosen = l->has_cursor && !l->cursor_lost && l->cursor_at == at;

	if (at >= tui_list_total(l))
		return;
	if (!chosen)
		tui_list_move_to(l, at, a->height);
	l->held_until_ns = now_ns + TUI_HOLD_NS;
	if (chosen || open)
		tui_app_key(a, TUI_KEY_ENTER, now_ns);
}

static void click_column(struct tui_app *a, uint64_t arg, uint64_t now_ns)
{
	struct tui_list *l = tui_app_list(a);
	int field = (int)(arg & 0xffff), plus = (int)(arg >> 16) - 1;

	if (l->order.field == field && l->order.plus == plus)
		l->order.ascending = !l->order.ascending;
	else
		tui_list_order_by(l, field, plus);
	tui_app_reorder(a, l, now_ns);
}

static void click(struct tui_app *a, const struct tui_hit *hit, unsigned column, uint64_t now_ns)
{
	const struct tui_tab *tab = a->tabs[a->tab].tab;

	switch (hit->kind) {
	case TUI_HIT_TAB:
		a->mode = TUI_MODE_NORMAL;
		tui_app_switch(a, (unsigned)hit->arg, now_ns);
		return;
	case TUI_HIT_KEY:
		tui_app_key(a, (uint32_t)hit->arg, now_ns);
		return;
	case TUI_HIT_LINE:
	case TUI_HIT_CURVE:
		click_line(a, hit->arg, hit->kind == TUI_HIT_CURVE, now_ns);
		return;
	case TUI_HIT_COLUMN:
		click_column(a, hit->arg, now_ns);
		return;
	case TUI_HIT_ENTRY:
		a->menu_at = (unsigned)hit->arg;
		tui_menu_key(a, a->mode == TUI_MODE_COLUMNS ? ' ' : TUI_KEY_ENTER, now_ns);
		return;
	case TUI_HIT_FILTER:
		tui_app_key(a, '/', now_ns);
		return;
	case TUI_HIT_DETAILS:
		tui_app_key(a, TUI_KEY_ENTER, now_ns);
		return;
	case TUI_HIT_PLOT:
	case TUI_HIT_VIEW:
		if (tab->click)
			tab->click(a, TUI_MOUSE_CLICK, hit, column, now_ns);
		return;
	}
}

/* Several may come between two frames. */
static bool hits_are_fresh(const struct tui_app *a)
{
	return a->hits_of.tab == a->tab && a->hits_of.current == a->current &&
	       a->hits_of.n_details == a->n_details && a->hits_of.mode == a->mode;
}

void tui_app_mouse(struct tui_app *a, enum tui_mouse what, unsigned row, unsigned column, uint64_t now_ns)
{
	const struct tui_hit *hit = tui_hit_at(&a->hits, row, column);
	const struct tui_tab *tab = a->tabs[a->tab].tab;

	if (!hits_are_fresh(a))
		return;
	if (what != TUI_MOUSE_CLICK) {
		if (hit && hit->kind == TUI_HIT_PLOT && tab->click && !a->n_details && a->mode == TUI_MODE_NORMAL)
			tab->click(a, what, hit, column, now_ns);
		else
			wheel(a, what == TUI_MOUSE_WHEEL_UP ? -1 : 1, now_ns);
		return;
	}
	if (a->mode == TUI_MODE_HELP && (!hit || hit->kind != TUI_HIT_TAB)) {
		a->mode = TUI_MODE_NORMAL;
		return;
	}
	/* A line that is being typed is not lost by a click beside it. */
	if (!hit || (a->mode == TUI_MODE_FILTER && hit->kind != TUI_HIT_TAB))
		return;
	click(a, hit, column, now_ns);
}
