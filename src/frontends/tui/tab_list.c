// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/tables.h"
#include "frontends/tui/tab.h"

/* Tabs that list a table; on a wide screen with the details of a row beside it. */

/* From so many columns on there is room for both, and the details' share of them. */
#define SIDE_FROM 150
#define SIDE_PERCENT 38
/* Without a cursor the side shows the first row, and not another one each second. */
#define SIDE_STAYS_NS 3000000000ull

/* --- details beside a list ------------------------------------------------------------------- */

/* They follow the cursor; what is new of them is asked for at once. */
static void follow(struct tui_app *a, const struct tui_list *l, uint64_t now_ns)
{
	struct tui_id before = a->side.id;

	if (!l->has_cursor && a->side.table && now_ns < a->side_since_ns + SIDE_STAYS_NS)
		return;
	if (!tui_details_of_row(l, &a->side)) {
		tui_details_done(&a->side);
		return;
	}
	if (tui_id_equal(before, a->side.id))
		return;
	a->side_since_ns = now_ns;
	a->ask_again = true;
	a->once = true;
}

static void draw_side(struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	struct tui_grid v = tui_grid_view(g, 0, 2, g->rows, g->columns - 2);

	for (unsigned i = 0; i < g->rows; i++)
		tui_grid_char(g, i, 0, TUI_GLYPH(g, 0x2502, '|'), TUI_DIM);
	tui_grid_hit(g, 0, 0, g->rows, g->columns, TUI_HIT_DETAILS, 0);
	/* What is in it is not what keys go to. */
	v.hits = NULL;
	if (a->side.table)
		tui_draw_details(a, &a->side, &v, (struct tui_area){ .rows = v.rows }, now_ns);
}

unsigned tui_tab_list_draw(struct tui_app *a, struct tui_grid *g, uint64_t now_ns)
{
	struct tui_list *l = &a->lists[a->current];
	unsigned head = tui_draw_head(a, g, now_ns), side;
	struct tui_grid list = tui_grid_view(g, head, 0, g->rows - head, g->columns);

	a->has_side = g->columns >= SIDE_FROM && list.rows > 8 && l->document.snapshot && l->n_lines;
	a->width = g->columns;
	if (a->has_side) {
		struct tui_grid v;

		side = g->columns * SIDE_PERCENT / 100;
		a->width = g->columns - side - 1;
		follow(a, l, now_ns);
		v = tui_grid_view(&list, 0, a->width + 1, list.rows, side);
		draw_side(a, &v, now_ns);
		list = tui_grid_view(&list, 0, 0, list.rows, a->width);
	}
	return tui_draw_list(a, l, &list, (struct tui_area){ .rows = list.rows }, now_ns);
}

/* --- lost packets ---------------------------------------------------------------------------- */

bool tui_ask_losses(struct tui_question *q)
{
	static const char *const sums[] = { "packets_per_second", "packets", NULL };

	q->table = weir_table_find("drops");
	if (!q->table)
		return false;
	if (weir_table_field(q->table, "overlaps") >= 0)
		snprintf(q->filter, sizeof(q->filter), "not overlaps:yes");
	q->fields = weir_table_keys(q->table);
	q->sums = tui_field_bits(q->table, sums);
	q->limit = 0;
	return true;
}

/* For the curve on top. */
static bool ask_losses(const struct tui_app *a, enum tui_slot slot, uint64_t round, struct tui_question *q)
{
	(void)a;
	(void)round;
	return slot == TUI_SLOT_LOSSES && tui_ask_losses(q);
}

/* --- the tabs -------------------------------------------------------------------------------- */

const char *tui_tab_title(const struct tui_app *a, unsigned tab, char buf[32])
{
	const struct tui_tab *t = a->tabs[tab].tab;

	if (t != &tui_tab_other)
		return weir_word(t->word);
	snprintf(buf, 32, "%s", a->lists[a->tabs[tab].list].table->name);
	buf[0] = (char)toupper((unsigned char)buf[0]);
	return buf;
}

#define LIST_TAB(table, title) { .name = (table), .word = (title), .draw = tui_tab_list_draw }

const struct tui_tab tui_tab_processes = LIST_TAB("processes", WORD_TAB_PROCESSES);
const struct tui_tab tui_tab_flows = LIST_TAB("flows", WORD_TAB_FLOWS);
const struct tui_tab tui_tab_drops = {
	.name = "drops", .word = WORD_TAB_DROPS, .draw = tui_tab_list_draw, .question = ask_losses
};
const struct tui_tab tui_tab_names = LIST_TAB("names", WORD_TAB_NAMES);
const struct tui_tab tui_tab_containers = LIST_TAB("containers", WORD_TAB_CONTAINERS);
const struct tui_tab tui_tab_hooks = LIST_TAB("hooks", WORD_TAB_HOOKS);
const struct tui_tab tui_tab_audit = LIST_TAB("audit", WORD_TAB_AUDIT);
const struct tui_tab tui_tab_findings = LIST_TAB("findings", WORD_TAB_FINDINGS);
const struct tui_tab tui_tab_other = LIST_TAB("", WORD_TAB_NOW);

const struct tui_tab *const tui_tabs[] = {
	&tui_tab_now,	     &tui_tab_processes, &tui_tab_flows, &tui_tab_drops, &tui_tab_history, &tui_tab_doctor,
	&tui_tab_containers, &tui_tab_names,	 &tui_tab_hooks, &tui_tab_audit, &tui_tab_findings, NULL,
};
