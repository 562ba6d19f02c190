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
		.limit = WEIR_LIMIT_NONE,
		.fields = all_fields(def),
		.viewer.uid = WEIR_UID_HOST, /* owns no row, see row_visible() */
	};
}

int weir_query_sort(struct weir_query *q, const struct weir_table *def, const char *text, char **ret_error)
{
	_cleanup_(weir_buf_done) struct weir_buf b = { 0 };
	bool ascending = *text == '-';
	const char *name = text + ascending;

	for (unsigned i = 0; i < def->n_fields; i++) {
		if (strcmp(def->fields[i].name, name) == 0) {
			q->sort_field = i;
			q->ascending = ascending;
			return 0;
		}
	}
	weir_words_unknown(&b, def, WEIR_WORDS_FIELDS, "field to sort by", name);
	return weir_words_error(&b, ret_error);
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
			return weir_words_error(&b, ret_error);
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
	unsigned field;
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

static uint64_t sort_key(const struct query_sort_order *o, size_t row)
{
	uint8_t address[17];
	const char *text;

	switch (o->rows->def->fields[o->field].type) {
	case WEIR_TYPE_UINT:
	case WEIR_TYPE_TIME:
		return weir_cell_uint(o->rows, row, o->field);
	case WEIR_TYPE_BOOL:
		return weir_cell_uint(o->rows, row, o->field) != 0;
	case WEIR_TYPE_INT:
		return weir_cell_uint(o->rows, row, o->field) ^ 1ull << 63; /* negative ones below the others */
	case WEIR_TYPE_TEXT:
		text = weir_cell_text(o->rows, row, o->field);
		return text ? bytes_key(text, strlen(text)) : 0;
	case WEIR_TYPE_ADDRESS:
		address_order(o->rows, row, o->field, address);
		return bytes_key(address, sizeof(address));
	case _WEIR_TYPE_MAX:
		break;
	}
	return 0;
}

static int compare_whole(const struct query_sort_order *o, uint32_t a, uint32_t b)
{
	uint8_t address[2][17];

	if (o->rows->def->fields[o->field].type == WEIR_TYPE_TEXT)
		return strcmp(weir_cell_text(o->rows, a, o->field), weir_cell_text(o->rows, b, o->field));
	address_order(o->rows, a, o->field, address[0]);
	address_order(o->rows, b, o->field, address[1]);
	return memcmp(address[0], address[1], sizeof(address[0]));
}

static int sort_compare(const void *x, const void *y, void *arg)
{
	const struct query_sort_order *o = arg;
	const struct query_sort_entry *a = x, *b = y;

	if (a->null != b->null)
		return a->null ? 1 : -1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (!a->null && !o->key_is_all) {
		int c = compare_whole(o, a->row, b->row);

		if (c)
			return o->ascending ? c : -c;
	}
	return a->row < b->row ? -1 : a->row > b->row;
}

static void sort_init(struct query_sort_order *o, const struct weir_query *q, const struct weir_rows *r)
{
	enum weir_type type = q->sort_field == WEIR_SORT_NONE ? WEIR_TYPE_UINT : r->def->fields[q->sort_field].type;

	*o = (struct query_sort_order){
		.rows = r,
		.field = q->sort_field,
		.ascending = q->ascending,
		.key_is_all = type != WEIR_TYPE_TEXT && type != WEIR_TYPE_ADDRESS,
	};
}

static struct query_sort_entry sort_entry(const struct query_sort_order *o, uint32_t row)
{
	struct query_sort_entry e = { .row = row };

	if (o->field == WEIR_SORT_NONE)
		return e;
	e.null = weir_cell_null(o->rows, row, o->field);
	if (!e.null) {
		e.key = sort_key(o, row);
		if (!o->ascending)
			e.key = ~e.key;
	}
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
