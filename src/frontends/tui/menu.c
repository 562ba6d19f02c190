// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/app.h"

/* Lists to choose from: of orders and of columns. Both show what each field means. */

unsigned tui_menu_count(const struct tui_app *a)
{
	unsigned n = 0;
	int field, plus;
	const char *title, *help;

	while (tui_menu_entry(a, n, &field, &plus, &title, &help))
		n++;
	return n;
}

bool tui_menu_entry(const struct tui_app *a, unsigned at, int *ret_field, int *ret_plus,
		    const char **ret_title, const char **ret_help)
{
	static const struct {
		const char *field, *plus;
		enum weir_word title, help;
	} sums[] = {
		{ "tx_bytes_per_second", "rx_bytes_per_second", WORD_MENU_RATE, WORD_MENU_RATE_HELP },
		{ "tx_bytes", "rx_bytes", WORD_MENU_BYTES, WORD_MENU_BYTES_HELP },
	};
	const struct weir_table *table = tui_app_in_sight(a)->table;

	*ret_plus = -1;
	for (size_t i = 0; i < ARRAY_SIZE(sums) && a->mode == TUI_MODE_SORT; i++) {
		int field = weir_table_field(table, sums[i].field), plus = weir_table_field(table, sums[i].plus);

		if (field < 0 || plus < 0 || table->fields[field].type != WEIR_TYPE_UINT)
			continue;
		if (at == 0) {
			*ret_field = field;
			*ret_plus = plus;
			*ret_title = weir_word(sums[i].title);
			*ret_help = weir_word(sums[i].help);
			return true;
		}
		at--;
	}
	if (at >= table->n_fields)
		return false;
	*ret_field = (int)at;
	*ret_title = weir_word_title(table, at);
	*ret_help = weir_word_help(table, at);
	return true;
}

void tui_menu_open(struct tui_app *a, enum tui_mode mode)
{
	const struct tui_list *l = tui_app_list(a);
	const char *title, *help;
	int field, plus;

	a->mode = mode;
	a->menu_at = 0;
	for (unsigned i = 0;
	     mode == TUI_MODE_SORT && tui_menu_entry(a, i, &field, &plus, &title, &help); i++)
		if (field == l->order.field && plus == l->order.plus)
			a->menu_at = i;
}

static void toggle_column(struct tui_app *a, struct tui_list *l, unsigned width)
{
	const char *title, *help;
	int field, plus;

	if (!tui_menu_entry(a, a->menu_at, &field, &plus, &title, &help))
		return;
	if (!l->chosen) {
		struct tui_columns c;

		tui_app_columns(a, l, width, &c);
		for (unsigned i = 0; i < c.n; i++)
			if (c.list[i].field >= 0)
				l->chosen |= 1ull << c.list[i].field;
	}
	l->chosen ^= 1ull << field;
	a->ask_again = true;
}

void tui_menu_key(struct tui_app *a, uint32_t key, uint64_t now_ns)
{
	struct tui_list *l = tui_app_list(a);
	unsigned n = tui_menu_count(a), page = a->height > 4 ? a->height - 2 : 4;
	const char *title, *help;
	int field, plus;

	switch (key) {
	case TUI_KEY_UP:
	case 'k':
		a->menu_at -= a->menu_at > 0;
		return;
	case TUI_KEY_DOWN:
	case 'j':
		a->menu_at += a->menu_at + 1 < n;
		return;
	case TUI_KEY_PAGE_UP:
		a->menu_at -= a->menu_at > page ? page : a->menu_at;
		return;
	case TUI_KEY_PAGE_DOWN:
		a->menu_at = a->menu_at + page < n ? a->menu_at + page : n - 1;
		return;
	case TUI_KEY_HOME:
	case 'g':
		a->menu_at = 0;
		return;
	case TUI_KEY_END:
	case 'G':
		a->menu_at = n - 1;
		return;
	case ' ':
		if (a->mode == TUI_MODE_COLUMNS) {
			toggle_column(a, l, a->width);
			return;
		}
		break;
	case 'd':
		if (a->mode == TUI_MODE_COLUMNS) {
			l->chosen = 0;
			a->ask_again = true;
		}
		return;
	case TUI_KEY_ENTER:
		break;
	case TUI_KEY_ESCAPE:
	case 'q':
	case 's':
	case 'c':
		a->mode = TUI_MODE_NORMAL;
		return;
	default:
		return;
	}
	if (a->mode == TUI_MODE_SORT &&
	    tui_menu_entry(a, a->menu_at, &field, &plus, &title, &help)) {
		tui_list_order_by(l, field, plus);
		tui_app_reorder(a, l, now_ns);
	}
	a->mode = TUI_MODE_NORMAL;
}
