// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/query.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/query_words.h"

static uint64_t all_fields(const struct weir_table *def)
{
	return def->n_fields == 64 ? UINT64_MAX : (1ull << def->n_fields) - 1;
}

void weir_query_init(struct weir_query *q, const struct weir_table *def)
{
	*q = (struct weir_query){
		.sort_field = def->sort_field,
		.sort_plus = def->sort_plus ? def->sort_plus : WEIR_SORT_NONE,
		.then_field = WEIR_SORT_NONE,
		.then_plus = WEIR_SORT_NONE,
		.limit = WEIR_LIMIT_NONE,
		.fields = all_fields(def),
		.viewer.uid = WEIR_UID_HOST, /* owns no row, see row_visible() */
	};
}

/* One field by its name; what: as the error calls it. */
static int field_named(const struct weir_table *def, const char *name, size_t len, const char *what,
		       unsigned *ret, char **ret_error)
{
	_cleanup_(weir_buf_done) struct weir_buf b = { 0 };
	_cleanup_free_ char *copy = NULL;

	for (unsigned i = 0; i < def->n_fields; i++) {
		if (strlen(def->fields[i].name) == len && memcmp(def->fields[i].name, name, len) == 0) {
			*ret = i;
			return 0;
		}
	}
	copy = strndup(name, len);
	if (!copy)
		return -ENOMEM;
	weir_words_unknown(&b, def, WEIR_WORDS_FIELDS, what, copy);
	return weir_buf_error(&b, -EINVAL, ret_error);
}

static int need_uint(const struct weir_table *def, unsigned field, char **ret_error)
{
	_cleanup_(weir_buf_done) struct weir_buf b = { 0 };

	if (def->fields[field].type == WEIR_TYPE_UINT)
		return 0;
	weir_buf_printf(&b, "%s is no whole number, so it cannot be added up", def->fields[field].name);
	return weir_buf_error(&b, -EINVAL, ret_error);
}

/* "a" or "a+b", up to len. A plus that was not escaped in a URL has become a blank. */
static int read_order(const struct weir_table *def, const char *text, size_t len, unsigned *ret_field,
		      unsigned *ret_plus, char **ret_error)
{
	size_t first = strcspn(text, "+ ,");
	const char *sign = first < len ? text + first : NULL;
	unsigned field, plus = WEIR_SORT_NONE;
	int r;

	r = field_named(def, text, first, "field to sort by", &field, ret_error);
	if (r == 0 && sign)
		r = field_named(def, sign + 1, len - first - 1, "field to sort by", &plus, ret_error);
	if (r == 0 && sign)
		r = need_uint(def, field, ret_error);
	if (r == 0 && sign)
		r = need_uint(def, plus, ret_error);
	if (r < 0)
		return r;
	*ret_field = field;
	*ret_plus = plus;
	return 0;
}

int weir_query_sort(struct weir_query *q, const struct weir_table *def, const char *text, char **ret_error)
{
	unsigned field, plus, then_field = WEIR_SORT_NONE, then_plus = WEIR_SORT_NONE;
	bool ascending = *text == '-';
	const char *comma;
	int r;

	text += ascending;
	comma = strchr(text, ',');
	r = read_order(def, text, comma ? (size_t)(comma - text) : strlen(text), &field, &plus, ret_error);
	if (r == 0 && comma)
		r = read_order(def, comma + 1, strlen(comma + 1), &then_field, &then_plus, ret_error);
	if (r < 0)
		return r;
	q->sort_field = field;
	q->sort_plus = plus;
	q->then_field = then_field;
	q->then_plus = then_plus;
	q->ascending = ascending;
	return 0;
}

int weir_query_sums(struct weir_query *q, const struct weir_table *def, const char *text, char **ret_error)
{
	uint64_t sums = 0;

	for (;;) {
		size_t len = strcspn(text, ",");
		unsigned field = 0;
		int r = field_named(def, text, len, "field to add up", &field, ret_error);

		if (r == 0)
			r = need_uint(def, field, ret_error);
		if (r < 0)
			return r;
		sums |= 1ull << field;
		if (!text[len])
			break;
		text += len + 1;
	}
	q->sums = sums;
	return 0;
}

/* The fields with that name, or in that group ("by_transport", "by_transport.tcp"). */
static uint64_t fields_named(const struct weir_table *def, const char *name, size_t len)
{
	uint64_t fields = 0;

	for (unsigned i = 0; len && i < def->n_fields; i++) {
		const char *n = def->fields[i].name;

		if (strncmp(n, name, len) == 0 && (n[len] == '\0' || n[len] == '.'))
			fields |= 1ull << i;
	}
	return fields;
}

int weir_query_fields(struct weir_query *q, const struct weir_table *def, const char *text, char **ret_error)
{
	_cleanup_(weir_buf_done) struct weir_buf b = { 0 };
	uint64_t fields = 0;

	for (;;) {
		size_t len = strcspn(text, ",");
		uint64_t named = fields_named(def, text, len);

		if (!named) {
			_cleanup_free_ char *name = strndup(text, len);

			if (!name)
				return -ENOMEM;
			weir_words_unknown(&b, def, WEIR_WORDS_FIELDS, "field", name);
			return weir_buf_error(&b, -EINVAL, ret_error);
		}
		fields |= named;
		if (!text[len])
			break;
		text += len + 1;
	}
	q->fields = fields;
	return 0;
}

static bool row_visible(const struct weir_query *q, const struct weir_rows *r, size_t row)
{
	uid_t uid;

	if (q->viewer.sees_all || r->def->host_wide)
		return true;
	uid = weir_row_uid(r, row);
	return uid != WEIR_UID_HOST && uid == q->viewer.uid;
}

static bool row_selected(const struct weir_query *q, const struct weir_rows *r, size_t row)
{
	if (!row_visible(q, r, row))
		return false;
	if (q->changed_since && weir_row_changed(r, row) <= q->changed_since)
		return false;
	return weir_filter_match(q->filter, r, row);
}

/* What a row is sorted by: small keys first. Nulls stand last in either direction. */
struct query_sort_entry {
	uint64_t key;
	uint32_t row;
	bool null;
};

struct query_sort_order {
	const struct weir_rows *rows;
	unsigned field, plus;
	unsigned then_field, then_plus;
	bool ascending;
	bool key_is_all; /* equal keys are equal values */
};

/* The first eight bytes, as a number in the order of the bytes. */
static uint64_t bytes_key(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t key = 0;

	for (size_t i = 0; i < 8; i++)
		key = key << 8 | (i < len ? p[i] : 0);
	return key;
}

/* A family byte, then the address's: IPv4 before IPv6. */
static void address_order(const struct weir_rows *r, size_t row, unsigned field, uint8_t ret[17])
{
	struct weir_addr a;

	weir_cell_address(r, row, field, &a);
	ret[0] = a.family;
	memcpy(ret + 1, a.bytes, sizeof(a.bytes));
}

static uint64_t sort_key(const struct query_sort_order *o, size_t row, unsigned field)
{
	uint8_t address[17];
	const char *text;

	switch (o->rows->def->fields[field].type) {
	case WEIR_TYPE_UINT:
	case WEIR_TYPE_TIME:
		return weir_cell_uint(o->rows, row, field);
	case WEIR_TYPE_BOOL:
		return weir_cell_uint(o->rows, row, field) != 0;
	case WEIR_TYPE_INT:
		return weir_cell_uint(o->rows, row, field) ^ 1ull << 63; /* negative ones below the others */
	case WEIR_TYPE_TEXT:
		text = weir_cell_text(o->rows, row, field);
		return text ? bytes_key(text, strlen(text)) : 0;
	case WEIR_TYPE_ADDRESS:
		address_order(o->rows, row, field, address);
		return bytes_key(address, sizeof(address));
	case _WEIR_TYPE_MAX:
		break;
	}
	return 0;
}

static int compare_whole(const struct query_sort_order *o, uint32_t a, uint32_t b, unsigned field)
{
	uint8_t address[2][17];

	if (o->rows->def->fields[field].type == WEIR_TYPE_TEXT)
		return strcmp(weir_cell_text(o->rows, a, field), weir_cell_text(o->rows, b, field));
	address_order(o->rows, a, field, address[0]);
	address_order(o->rows, b, field, address[1]);
	return memcmp(address[0], address[1], sizeof(address[0]));
}

/* A field, or the sum of two: null when there is nothing to add. */
static bool order_key(const struct query_sort_order *o, size_t row, unsigned field, unsigned plus, uint64_t *ret)
{
	bool have = !weir_cell_null(o->rows, row, field), more;
	uint64_t key = have ? sort_key(o, row, field) : 0;

	*ret = key;
	if (plus == WEIR_SORT_NONE)
		return have;
	more = !weir_cell_null(o->rows, row, plus);
	if (more && __builtin_add_overflow(key, sort_key(o, row, plus), ret))
		*ret = UINT64_MAX;
	return have || more;
}

/* The second order, asked only for rows that are equal by the first. */
static int compare_then(const struct query_sort_order *o, uint32_t a, uint32_t b)
{
	uint64_t x = 0, y = 0;
	bool have_x, have_y;
	int c;

	if (o->then_field == WEIR_SORT_NONE)
		return 0;
	have_x = order_key(o, a, o->then_field, o->then_plus, &x);
	have_y = order_key(o, b, o->then_field, o->then_plus, &y);
	if (have_x != have_y)
		return have_x ? -1 : 1;
	if (!have_x)
		return 0;
	c = x < y ? -1 : x > y;
	if (!c && o->rows->def->fields[o->then_field].type >= WEIR_TYPE_TEXT &&
	    o->rows->def->fields[o->then_field].type <= WEIR_TYPE_ADDRESS)
		c = compare_whole(o, a, b, o->then_field);
	return o->ascending ? c : -c;
}

static int sort_compare(const void *x, const void *y, void *arg)
{
	const struct query_sort_order *o = arg;
	const struct query_sort_entry *a = x, *b = y;
	int c;

	if (a->null != b->null)
		return a->null ? 1 : -1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (!a->null && !o->key_is_all) {
		c = compare_whole(o, a->row, b->row, o->field);
		if (c)
			return o->ascending ? c : -c;
	}
	c = compare_then(o, a->row, b->row);
	if (c)
		return c;
	return a->row < b->row ? -1 : a->row > b->row;
}

static void sort_init(struct query_sort_order *o, const struct weir_query *q, const struct weir_rows *r)
{
	enum weir_type type = q->sort_field == WEIR_SORT_NONE ? WEIR_TYPE_UINT : r->def->fields[q->sort_field].type;

	*o = (struct query_sort_order){
		.rows = r,
		.field = q->sort_field,
		.plus = q->sort_plus,
		.then_field = q->then_field,
		.then_plus = q->then_plus,
		.ascending = q->ascending,
		.key_is_all = type != WEIR_TYPE_TEXT && type != WEIR_TYPE_ADDRESS,
	};
}

static struct query_sort_entry sort_entry(const struct query_sort_order *o, uint32_t row)
{
	struct query_sort_entry e = { .row = row };

	if (o->field == WEIR_SORT_NONE)
		return e;
	e.null = !order_key(o, row, o->field, o->plus, &e.key);
	if (!e.null && !o->ascending)
		e.key = ~e.key;
	return e;
}

/* Keeps the best entries in a heap with the worst on top: sifts the entry at i down. */
static void heap_sift(struct query_sort_entry *heap, size_t n, size_t i, struct query_sort_order *o)
{
	for (;;) {
		size_t worst = i;
		struct query_sort_entry e;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
			if (sort_compare(&heap[child], &heap[worst], o) > 0)
				worst = child;
		if (worst == i)
			return;
		e = heap[i];
		heap[i] = heap[worst];
		heap[worst] = e;
		i = worst;
	}
}

/* Puts the first `keep` entries of the order in front, in order. */
static void sort_some(struct query_sort_entry *entries, size_t n, size_t keep, struct query_sort_order *o)
{
	if (o->field == WEIR_SORT_NONE)
		return;
	if (keep < n / 8) {
		for (size_t i = keep / 2; i-- > 0;)
			heap_sift(entries, keep, i, o);
		for (size_t i = keep; keep && i < n; i++) {
			if (sort_compare(&entries[i], &entries[0], o) >= 0)
				continue;
			entries[0] = entries[i];
			heap_sift(entries, keep, 0, o);
		}
		n = keep;
	}
	qsort_r(entries, n, sizeof(*entries), sort_compare, o);
}

static size_t query_select(const struct weir_query *q, const struct weir_rows *r, const struct query_sort_order *o,
			   struct query_sort_entry *entries)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (row_selected(q, r, i))
			entries[n++] = sort_entry(o, (uint32_t)i);
	return n;
}

int weir_query_run(const struct weir_query *q, const struct weir_rows *r, uint32_t **ret_index, size_t *ret_n,
		   size_t *ret_total)
{
	_cleanup_free_ struct query_sort_entry *entries = NULL;
	uint32_t *index = NULL;
	struct query_sort_order order;
	size_t total, n, offset;

	assert(q->sort_field == WEIR_SORT_NONE || q->sort_field < r->def->n_fields);
	if (r->n > UINT32_MAX)
		return -E2BIG;
	entries = malloc((r->n ? r->n : 1) * sizeof(*entries));
	if (!entries)
		return -ENOMEM;

	sort_init(&order, q, r);
	total = query_select(q, r, &order, entries);
	offset = q->offset < total ? q->offset : total;
	n = q->limit < total - offset ? q->limit : total - offset;
	if (n) {
		index = malloc(n * sizeof(*index));
		if (!index)
			return -ENOMEM;
		sort_some(entries, total, offset + n, &order);
		for (size_t i = 0; i < n; i++)
			index[i] = entries[offset + i].row;
	}
	*ret_index = index;
	*ret_n = n;
	*ret_total = total;
	return 0;
}

uint64_t weir_query_sum(const struct weir_query *q, const struct weir_rows *r, unsigned field)
{
	uint64_t sum = 0;

	assert(r->def->fields[field].type == WEIR_TYPE_UINT);
	for (size_t i = 0; i < r->n; i++) {
		if (!row_selected(q, r, i) || weir_cell_null(r, i, field))
			continue;
		if (__builtin_add_overflow(sum, weir_cell_uint(r, i, field), &sum))
			return UINT64_MAX;
	}
	return sum;
}
