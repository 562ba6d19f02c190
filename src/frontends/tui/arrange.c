// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/query.h"
#include "frontends/tui/list.h"

/* Rows become lines: in an order, or under their groups. */

struct list_entry {
	struct tui_id id;
	uint64_t rank;
	double recent; /* what it moved in the last seconds, when the order is by a rate */
	uint32_t row, group;
};

/* Where each line stood before: an open table, half full at most. */
struct list_places {
	struct {
		struct tui_id id;
		uint64_t place; /* + 1; 0: empty */
	} * slots;
	uint64_t mask;
};

static int places_init(struct list_places *p, size_t n)
{
	size_t size = 16;

	while (size < n * 2)
		size *= 2;
	p->slots = calloc(size, sizeof(*p->slots));
	p->mask = size - 1;
	return p->slots ? 0 : -ENOMEM;
}

/* The place of an id, taking one for it when it had none. */
static uint64_t places_get(struct list_places *p, struct tui_id id, uint64_t otherwise)
{
	uint64_t at = id.a & p->mask;

	while (p->slots[at].place) {
		if (tui_id_equal(p->slots[at].id, id))
			return p->slots[at].place - 1;
		at = (at + 1) & p->mask;
	}
	if (otherwise != UINT64_MAX) {
		p->slots[at].id = id;
		p->slots[at].place = otherwise + 1;
	}
	return otherwise;
}

static int compare_rank(const void *a, const void *b)
{
	const struct list_entry *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* The ranks that this order gives the rows that are here. */
static int rank_by_order(const struct tui_list *l, struct list_entry *entries)
{
	const struct weir_rows *rows = &l->document.rows;
	_cleanup_free_ uint32_t *index = NULL;
	char text[TUI_ORDER_TEXT], *error = NULL;
	struct weir_query q;
	size_t n, total;
	int r = 0;

	if (!rows->def) /* no answer came yet */
		return 0;
	weir_query_init(&q, l->table);
	q.viewer.sees_all = true;
	tui_list_order_text(l, text);
	if (*text)
		r = weir_query_sort(&q, l->table, text, &error);
	free(error);
	if (r == 0)
		r = weir_query_run(&q, rows, &index, &n, &total);
	for (size_t i = 0; r == 0 && i < n; i++)
		entries[index[i]].rank = i;
	return r == -ENOMEM ? r : 0;
}

/* The ranks that they had; those that are new come behind, in their own order. */
static int rank_as_before(const struct tui_list *l, struct list_entry *entries, size_t n)
{
	struct list_places places;

	if (places_init(&places, l->n_lines + 1) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_lines; i++)
		places_get(&places, l->lines[i].id, i);
	for (size_t i = 0; i < n; i++) {
		uint64_t place = places_get(&places, entries[i].id, UINT64_MAX);

		entries[i].rank = place == UINT64_MAX ? l->n_lines + entries[i].rank : place;
	}
	free(places.slots);
	return 0;
}

/* Whether the order is by what the history remembers, and by which part of it. */
static bool by_rate(const struct tui_list *l, enum tui_samples_which *ret)
{
	int tx = weir_table_field(l->table, "tx_bytes_per_second");
	int rx = weir_table_field(l->table, "rx_bytes_per_second");

	if (!l->history || tx < 0 || rx < 0)
		return false;
	if (l->order.field == tx && l->order.plus == rx)
		*ret = TUI_SAMPLES_SUM;
	else if (l->order.field == tx && l->order.plus < 0)
		*ret = TUI_SAMPLES_TX;
	else if (l->order.field == rx && l->order.plus < 0)
		*ret = TUI_SAMPLES_RX;
	else
		return false;
	return true;
}

static int compare_recent(const void *a, const void *b, void *arg)
{
	const struct list_entry *x = a, *y = b;
	const struct tui_list *l = arg;

	if (x->recent != y->recent) {
		int c = x->recent > y->recent ? -1 : 1;

		return l->order.ascending ? -c : c;
	}
	return compare_rank(a, b);
}

/* By what rows moved in the last seconds; those that moved nothing keep the order that they have.
 */
static void rank_by_recent(struct tui_list *l, struct list_entry *entries, size_t n,
			   enum tui_samples_which which)
{
	for (size_t i = 0; i < n; i++)
		entries[i].recent = tui_samples_recent(tui_history_of(l->history, entries[i].id),
						       which, l->second);
	qsort_r(entries, n, sizeof(*entries), compare_recent, l);
	for (size_t i = 0; i < n; i++)
		entries[i].rank = i;
}

bool tui_field_sums(const struct weir_field *f)
{
	switch (f->unit) {
	case WEIR_UNIT_BYTES:
	case WEIR_UNIT_BYTES_PER_SECOND:
	case WEIR_UNIT_COUNT:
	case WEIR_UNIT_SEGMENTS:
		return f->type == WEIR_TYPE_UINT;
	case WEIR_UNIT_NONE:
	case WEIR_UNIT_MICROSECONDS:
	case WEIR_UNIT_NANOSECONDS:
	case _WEIR_UNIT_MAX:
		break;
	}
	return false;
}

static void group_add(struct tui_group *g, const struct weir_rows *r, size_t row)
{
	g->rows++;
	for (unsigned i = 0; i < r->def->n_fields; i++) {
		if (!tui_field_sums(&r->def->fields[i]) || weir_cell_null(r, row, i))
			continue;
		if (__builtin_add_overflow(g->sums[i], weir_cell_uint(r, row, i), &g->sums[i]))
			g->sums[i] = UINT64_MAX;
	}
}

/* Sorts the rows into groups; each entry learns its own. */
static int make_groups(struct tui_list *l, struct list_entry *entries, size_t n)
{
	const struct weir_rows *r = &l->document.rows;
	struct list_places places;
	char text[TUI_CELL_TEXT];
	size_t n_groups = 0, room = 0;
	struct tui_group *groups = NULL;

	if (places_init(&places, n + 1) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *name = tui_place(r, entries[i].row, false, text);
		struct tui_id id;
		uint64_t at;

		name = name ? name : "";
		id = tui_id_of_text(name);
		at = places_get(&places, id, n_groups);
		if (at == n_groups) {
			if (n_groups == room) {
				struct tui_group *more;

				room = room ? room * 2 : 16;
				more = realloc(groups, room * sizeof(*groups));
				if (!more) {
					free(groups);
					free(places.slots);
					return -ENOMEM;
				}
				groups = more;
			}
			memset(&groups[n_groups], 0, sizeof(groups[0]));
			groups[n_groups].id = id;
			snprintf(groups[n_groups].name, sizeof(groups[0].name), "%s", name);
			n_groups++;
		}
		entries[i].group = (uint32_t)at;
		group_add(&groups[at], r, entries[i].row);
		groups[at].recent += entries[i].recent;
	}
	free(places.slots);
	free(l->groups);
	l->groups = groups;
	l->n_groups = n_groups;
	return 0;
}

static uint64_t group_value(const struct tui_list *l, const struct tui_group *g)
{
	int field = l->order.field, plus = l->order.plus;
	enum tui_samples_which which;

	if (by_rate(l, &which))
		return (uint64_t)g->recent;
	if (field < 0 || !tui_field_sums(&l->table->fields[field]))
		return 0;
	return g->sums[field] + (plus >= 0 ? g->sums[plus] : 0);
}

struct group_rank {
	const struct tui_list *list;
	const struct tui_group *group;
	uint64_t place; /* where its line stood, while the order is held */
	size_t best;	/* the first of its rows in the order */
	uint32_t index;
};

static int compare_groups(const void *a, const void *b)
{
	const struct group_rank *x = a, *y = b;
	uint64_t v, w;
	int c;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	v = group_value(x->list, x->group);
	w = group_value(y->list, y->group);
	if (v != w) {
		c = v > w ? -1 : 1;
		return x->list->order.ascending ? -c : c;
	}
	if (x->list->order.field >= 0 &&
	    tui_field_sums(&x->list->table->fields[x->list->order.field]))
		return strcmp(x->group->name, y->group->name);
	return x->best < y->best ? -1 : x->best > y->best;
}

static int rank_groups(struct tui_list *l, const struct list_entry *entries, size_t n, bool held,
		       struct group_rank **ret)
{
	struct group_rank *ranks = calloc(l->n_groups ? l->n_groups : 1, sizeof(*ranks));
	struct list_places places;

	if (!ranks)
		return -ENOMEM;
	if (places_init(&places, l->n_lines + 1) < 0) {
		free(ranks);
		return -ENOMEM;
	}
	for (size_t i = 0; held && i < l->n_lines; i++)
		if (l->lines[i].row == TUI_NO_ROW)
			places_get(&places, l->lines[i].id, i);
	for (uint32_t i = 0; i < l->n_groups; i++)
		ranks[i] = (struct group_rank){
			.list = l,
			.group = &l->groups[i],
			.place = places_get(&places, l->groups[i].id, UINT64_MAX),
			.best = SIZE_MAX,
			.index = i,
		};
	for (size_t i = n; i-- > 0;)
		ranks[entries[i].group].best = i;
	free(places.slots);
	qsort(ranks, l->n_groups, sizeof(*ranks), compare_groups);
	*ret = ranks;
	return 0;
}

/* A line for each group, and below it its rows unless it is closed. */
static int tree_lines(struct tui_list *l, const struct list_entry *entries, size_t n, bool held,
		      struct tui_line **ret_lines, size_t *ret_n)
{
	_cleanup_free_ struct group_rank *ranks = NULL;
	_cleanup_free_ uint32_t *next = NULL, *head = NULL;
	struct tui_line *lines = calloc(n + l->n_groups + 1, sizeof(*lines));
	size_t k = 0;

	next = calloc(n + 1, sizeof(*next));
	head = malloc((l->n_groups + 1) * sizeof(*head));
	if (!lines || !next || !head || rank_groups(l, entries, n, held, &ranks) < 0) {
		free(lines);
		return -ENOMEM;
	}
	/* The rows of each group as a chain, so that a group's are found without looking at all of
	 * them. */
	memset(head, 0xff, (l->n_groups + 1) * sizeof(*head));
	for (size_t i = n; i-- > 0;) {
		next[i] = head[entries[i].group];
		head[entries[i].group] = (uint32_t)i;
	}
	for (size_t g = 0; g < l->n_groups; g++) {
		uint32_t index = ranks[g].index;

		lines[k++] = (struct tui_line){ .id = l->groups[index].id,
						.row = TUI_NO_ROW,
						.group = index };
		if (tui_list_folded(l, l->groups[index].id))
			continue;
		for (uint32_t i = head[index]; i != UINT32_MAX; i = next[i])
			lines[k++] = (struct tui_line){ .id = entries[i].id,
							.row = entries[i].row,
							.group = index };
	}
	*ret_lines = lines;
	*ret_n = k;
	return 0;
}

static int flat_lines(const struct list_entry *entries, size_t n, struct tui_line **ret_lines,
		      size_t *ret_n)
{
	struct tui_line *lines = calloc(n + 1, sizeof(*lines));

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		lines[i] = (struct tui_line){ .id = entries[i].id,
					      .row = entries[i].row,
					      .group = UINT32_MAX };
	*ret_lines = lines;
	*ret_n = n;
	return 0;
}

int tui_list_arrange(struct tui_list *l, uint64_t now_ns, bool sort)
{
	const struct weir_rows *r = &l->document.rows;
	bool held = (l->held || now_ns < l->held_until_ns) && l->n_lines && !sort;
	_cleanup_free_ struct list_entry *entries = NULL;
	struct tui_line *lines = NULL;
	size_t n = l->document.snapshot ? r->n : 0, n_lines = 0;
	enum tui_samples_which which;
	/* Further down the daemon's order is the only one that knows what stands above. */
	bool recent = !l->document.offset && by_rate(l, &which);
	int e = 0;

	entries = calloc(n + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct list_entry){
			.id = tui_id_of(r, i), .rank = i, .row = (uint32_t)i, .group = UINT32_MAX
		};
	if (sort)
		e = rank_by_order(l, entries);
	if (e == 0 && recent)
		rank_by_recent(l, entries, n, which);
	if (e == 0 && held)
		e = rank_as_before(l, entries, n);
	if (e == 0 && (sort || held || recent))
		qsort(entries, n, sizeof(*entries), compare_rank);
	if (e == 0 && l->tree)
		e = make_groups(l, entries, n);
	if (e == 0)
		e = l->tree ? tree_lines(l, entries, n, held, &lines, &n_lines)
			    : flat_lines(entries, n, &lines, &n_lines);
	if (e < 0) {
		tui_list_forget_lines(l);
		return e;
	}
	free(l->lines);
	l->lines = lines;
	l->n_lines = n_lines;
	tui_list_find_cursor(l);
	return 0;
}
