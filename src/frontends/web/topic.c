// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/topic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "core/document.h"

/* --- topics ------------------------------------------------------------------------------- */

int web_topic_get(struct web_topics *list, const struct weir_table *table, const char *filter_text,
		  const char *fields_text, struct web_account *account, struct web_topic **ret,
		  char **ret_error)
{
	struct weir_query q;
	struct web_topic *t;

	weir_query_init(&q, table);
	if (fields_text && *fields_text) {
		int r = weir_query_fields(&q, table, fields_text, ret_error);
		if (r < 0)
			return r;
	}
	/* Without them a client could not tell which row changed. */
	q.fields |= weir_table_keys(table);
	LIST_FOREACH(t, list, link)
	{
		if (t->table == table && t->account == account && t->fields == q.fields &&
		    strcmp(t->filter_text, filter_text) == 0) {
			t->refs++;
			*ret = t;
			return 0;
		}
	}
	struct weir_filter *filter = NULL;
	int r = weir_filter_parse(table, filter_text, &filter, ret_error);
	if (r < 0)
		return r;
	t = calloc(1, sizeof(*t));
	char *text = strdup(filter_text);
	if (!t || !text) {
		weir_filter_free(filter);
		free(text);
		free(t);
		return -ENOMEM;
	}
	*t = (struct web_topic){
		.refs = 1,
		.table = table,
		.account = web_account_ref(account),
		.filter_text = text,
		.filter = filter,
		.fields = q.fields,
	};
	LIST_INSERT_HEAD(list, t, link);
	*ret = t;
	return 0;
}

struct web_topic *web_topic_unref(struct web_topic *t)
{
	if (!t || --t->refs)
		return NULL;
	LIST_REMOVE(t, link);
	web_payload_unref(t->full);
	web_payload_unref(t->changes);
	weir_filter_free(t->filter);
	web_account_unref(t->account);
	free(t->filter_text);
	free(t->shown);
	free(t->next);
	free(t);
	return NULL;
}

static void make_query(const struct web_topic *t, struct weir_query *q)
{
	weir_query_init(q, t->table);
	q->filter = t->filter;
	q->fields = t->fields;
	q->viewer = t->account->viewer;
}

/* --- keys --------------------------------------------------------------------------------- */

static uint64_t row_hash(const struct weir_rows *r, size_t row, uint64_t keys)
{
	uint64_t nulls = weir_row_nulls(r, row) & keys;
	uint64_t hash = weir_hash_fnv1a(WEIR_HASH_FNV1A, &nulls, sizeof(nulls));
	struct weir_addr a;

	for (uint64_t left = keys & ~nulls; left; left &= left - 1) {
		unsigned f = (unsigned)__builtin_ctzll(left);
		switch (r->def->fields[f].type) {
		case WEIR_TYPE_TEXT:
			hash = weir_hash_fnv1a(hash, weir_cell_text(r, row, f), strlen(weir_cell_text(r, row, f)));
			break;
		case WEIR_TYPE_ADDRESS:
			weir_cell_address(r, row, f, &a);
			hash = weir_hash_fnv1a(hash, a.bytes, sizeof(a.bytes));
			break;
		case WEIR_TYPE_UINT:
		case WEIR_TYPE_INT:
		case WEIR_TYPE_BOOL:
		case WEIR_TYPE_TIME:
		case _WEIR_TYPE_MAX:
			hash = (hash ^ weir_cell_uint(r, row, f)) * 0x9e3779b97f4a7c15ull;
			hash ^= hash >> 32;
			break;
		}
	}
	return hash;
}

static bool same_cell(const struct weir_rows *x, size_t i, const struct weir_rows *y, size_t k,
		      unsigned f)
{
	struct weir_addr a, b;

	switch (x->def->fields[f].type) {
	case WEIR_TYPE_TEXT:
		return strcmp(weir_cell_text(x, i, f), weir_cell_text(y, k, f)) == 0;
	case WEIR_TYPE_ADDRESS:
		weir_cell_address(x, i, f, &a);
		weir_cell_address(y, k, f, &b);
		return a.family == b.family && memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
	case WEIR_TYPE_UINT:
	case WEIR_TYPE_INT:
	case WEIR_TYPE_BOOL:
	case WEIR_TYPE_TIME:
	case _WEIR_TYPE_MAX:
		break;
	}
	return weir_cell_uint(x, i, f) == weir_cell_uint(y, k, f);
}

static bool same_row(const struct weir_rows *x, size_t i, const struct weir_rows *y, size_t k,
		     uint64_t keys)
{
	uint64_t nulls = weir_row_nulls(x, i) & keys;

	if (nulls != (weir_row_nulls(y, k) & keys))
		return false;
	for (uint64_t left = keys & ~nulls; left; left &= left - 1)
		if (!same_cell(x, i, y, k, (unsigned)__builtin_ctzll(left)))
			return false;
	return true;
}

/* --- from one snapshot to the next -------------------------------------------------------- */

/* An open table of rows by key, half full at most. */
struct index {
	uint32_t *slots; /* row + 1; 0: empty */
	uint64_t mask;
};

static int index_init(struct index *x, const struct weir_rows *r, uint64_t keys)
{
	size_t size = 16;

	while (size < r->n * 2)
		size *= 2;
	x->slots = calloc(size, sizeof(*x->slots));
	if (!x->slots)
		return -ENOMEM;
	x->mask = size - 1;
	for (size_t row = 0; row < r->n; row++) {
		uint64_t at = row_hash(r, row, keys) & x->mask;
		while (x->slots[at])
			at = (at + 1) & x->mask;
		x->slots[at] = (uint32_t)row + 1;
	}
	return 0;
}

static uint32_t index_find(const struct index *x, const struct weir_rows *r,
			   const struct weir_rows *from, size_t row, uint64_t keys)
{
	for (uint64_t at = row_hash(from, row, keys) & x->mask; x->slots[at];
	     at = (at + 1) & x->mask)
		if (same_row(r, x->slots[at] - 1, from, row, keys))
			return x->slots[at] - 1;
	return WEB_GONE;
}

/* Most rows keep their neighbours, so the next one is tried first; the index is made when that
 * fails once. */
static int find_moves(const struct weir_rows *before, const struct weir_rows *now, uint64_t keys,
		      uint32_t *to)
{
	struct index x = { 0 };
	size_t expected = 0;

	for (size_t row = 0; row < before->n; row++) {
		if (expected < now->n && same_row(now, expected, before, row, keys)) {
			to[row] = (uint32_t)expected++;
			continue;
		}
		if (!x.slots && index_init(&x, now, keys) < 0)
			return -ENOMEM;
		to[row] = index_find(&x, now, before, row, keys);
		if (to[row] != WEB_GONE)
			expected = to[row] + 1;
	}
	free(x.slots);
	return 0;
}

static int get_moves(struct web_step *s, const struct weir_table *table,
		     const struct web_moves **ret)
{
	struct weir_rows before = { .def = table }, now = { .def = table };

	for (unsigned i = 0; i < s->n_moves; i++) {
		if (s->moves[i].table == table) {
			*ret = &s->moves[i];
			return 0;
		}
	}
	if (s->n_moves == ARRAY_SIZE(s->moves))
		return -E2BIG;
	struct web_moves *m = &s->moves[s->n_moves];
	*m = (struct web_moves){ .table = table };
	(void)weir_snapshot_rows(s->before, table, &before);
	(void)weir_snapshot_rows(s->now, table, &now);
	if (before.n) {
		m->to = malloc(before.n * sizeof(*m->to));
		if (!m->to)
			return -ENOMEM;
		if (find_moves(&before, &now, weir_table_keys(table), m->to) < 0) {
			free(m->to);
			return -ENOMEM;
		}
	}
	m->n = before.n;
	s->n_moves++;
	*ret = m;
	return 0;
}

void web_step_done(struct web_step *s)
{
	for (unsigned i = 0; i < s->n_moves; i++)
		free(s->moves[i].to);
	s->n_moves = 0;
}

/* Which rows of the next snapshot the topic has. */
static int prepare(struct web_topic *t, struct web_step *s)
{
	struct weir_rows now;
	struct weir_query q;
	size_t total;

	if (t->prepared)
		return 0;
	make_query(t, &q);
	q.sort_field = WEIR_SORT_NONE; /* in the order of the table, which is ascending */
	if (weir_snapshot_rows(s->now, t->table, &now) == 0) {
		int r = weir_query_run(&q, &now, &t->next, &t->n_next, &total);
		if (r < 0)
			return r;
	}
	t->prepared = true;
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool has_next(const struct web_topic *t, uint32_t row)
{
	return t->n_next && bsearch(&row, t->next, t->n_next, sizeof(*t->next), compare_rows);
}

/* --- texts -------------------------------------------------------------------------------- */

static void write_key_cell(struct weir_json *j, const struct weir_rows *r, size_t row, unsigned f)
{
	char text[WEIR_ADDR_TEXT];
	struct weir_addr a;

	if (weir_cell_null(r, row, f)) {
		weir_json_null(j);
		return;
	}
	switch (r->def->fields[f].type) {
	case WEIR_TYPE_UINT:
		weir_json_uint(j, weir_cell_uint(r, row, f));
		return;
	case WEIR_TYPE_INT:
		weir_json_int(j, (int64_t)weir_cell_uint(r, row, f));
		return;
	case WEIR_TYPE_BOOL:
		weir_json_bool(j, weir_cell_uint(r, row, f) != 0);
		return;
	case WEIR_TYPE_TEXT:
		weir_json_text(j, weir_cell_text(r, row, f));
		return;
	case WEIR_TYPE_ADDRESS:
		weir_cell_address(r, row, f, &a);
		weir_json_text(j, a.family ? weir_addr_format(&a, text) : NULL);
		return;
	case WEIR_TYPE_TIME:
		weir_json_time(j, weir_cell_uint(r, row, f));
		return;
	case _WEIR_TYPE_MAX:
		break;
	}
	weir_json_null(j);
}

static void write_key(struct weir_json *j, const struct weir_rows *r, size_t row)
{
	weir_json_array(j);
	for (uint64_t left = weir_table_keys(r->def); left; left &= left - 1)
		write_key_cell(j, r, row, (unsigned)__builtin_ctzll(left));
	weir_json_array_end(j);
}

/* The keys of rows that left the table, or that the filter or the viewer no longer sees. */
static int write_gone(struct weir_buf *out, const struct web_topic *t, struct web_step *s,
		      size_t *ret_n)
{
	struct weir_rows before;
	const struct web_moves *m;
	struct weir_json j;

	*ret_n = 0;
	weir_json_init(&j, out, false);
	weir_json_array(&j);
	if (t->n_shown && weir_snapshot_rows(s->before, t->table, &before) == 0) {
		int r = get_moves(s, t->table, &m);
		if (r < 0)
			return r;
		for (size_t i = 0; i < t->n_shown; i++) {
			uint32_t row = t->shown[i];
			if (row >= m->n || (m->to[row] != WEB_GONE && has_next(t, m->to[row])))
				continue;
			write_key(&j, &before, row);
			(*ret_n)++;
		}
	}
	weir_json_array_end(&j);
	return out->error;
}

static void write_head(struct weir_buf *out, const struct web_topic *t, const struct web_step *s)
{
	const struct weir_snapshot_head *h = weir_snapshot_head(s->now);
	char time[WEIR_TIMESTAMP_TEXT];

	weir_timestamp_format(h->real_ns, time);
	weir_buf_printf(out,
			"event: rows\ndata: {\"snapshot\":%" PRIu64
			",\"time\":\"%s\",\"lost_events\":%" PRIu64
			",\"topic\":\"%s\",\"tick\":%s,\"rows\":",
			h->number, time, h->lost_events, t->table->name,
			s->tick ? "true" : "false");
}

int web_topic_full(struct web_topic *t, struct web_step *s, struct web_payload **ret)
{
	static const char open[] = "{";
	struct weir_query q;

	if (t->full) {
		*ret = t->full;
		return 0;
	}
	struct web_payload *p = web_payload_new(t->account);
	if (!p)
		return -ENOMEM;
	make_query(t, &q);
	_cleanup_(weir_buf_done) struct weir_buf document = { 0 };
	int r = weir_document_json(&document, s->now, t->table, &q, WEIR_JSON_COMPACT);
	if (r == 0 && document.len > sizeof(open)) {
		/* The document as everywhere, with the topic in front; one line, as an event must
		 * be. */
		weir_buf_printf(&p->text, "event: snapshot\ndata: {\"topic\":\"%s\",",
				t->table->name);
		weir_buf_add(&p->text, document.data + 1, document.len - 2);
		weir_buf_str(&p->text, "\n\n");
	}
	int sealed = web_payload_seal(p);
	if (r < 0 || sealed < 0) {
		web_payload_unref(p);
		return r < 0 ? r : sealed;
	}
	*ret = t->full = p;
	return 0;
}

static int make_changes(struct web_topic *t, struct web_step *s, struct web_payload *p)
{
	_cleanup_(weir_buf_done) struct weir_buf gone = { 0 };
	struct weir_query q;
	size_t n_gone;

	int r = prepare(t, s);
	if (r < 0)
		return r;
	r = write_gone(&gone, t, s, &n_gone);
	if (r < 0)
		return r;
	make_query(t, &q);
	q.sort_field = WEIR_SORT_NONE;
	q.changed_since = weir_snapshot_head(s->before)->number;
	write_head(&p->text, t, s);
	size_t start = p->text.len;
	r = weir_document_rows(&p->text, s->now, t->table, &q);
	if (r < 0)
		return r;
	bool nothing = p->text.len == start + 2 && n_gone == 0;
	if (nothing && !s->tick) {
		weir_buf_reset(&p->text);
		return 0;
	}
	weir_buf_str(&p->text, ",\"gone\":");
	weir_buf_add(&p->text, gone.data, gone.len);
	weir_buf_str(&p->text, "}\n\n");
	return 0;
}

int web_topic_changes(struct web_topic *t, struct web_step *s, struct web_payload **ret)
{
	if (t->compared) {
		*ret = t->changes;
		return 0;
	}
	if (!s->tick &&
	    weir_snapshot_head(s->before)->number == weir_snapshot_head(s->now)->number) {
		*ret = NULL; /* only a newcomer's turn */
		return 0;
	}
	struct web_payload *p = web_payload_new(t->account);
	if (!p)
		return -ENOMEM;
	int r = make_changes(t, s, p);
	int sealed = web_payload_seal(p);
	if (r < 0 || sealed < 0) {
		web_payload_unref(p);
		return r < 0 ? r : sealed;
	}
	if (p->text.len == 0)
		p = web_payload_unref(p);
	t->compared = true;
	*ret = t->changes = p;
	return 0;
}

int web_topic_published(struct web_topic *t, struct web_step *s)
{
	int r = prepare(t, s);

	if (r < 0)
		t->n_next = 0;
	free(t->shown);
	t->shown = TAKE_PTR(t->next);
	t->n_shown = t->n_next;
	t->n_next = 0;
	t->prepared = t->compared = false;
	t->full = web_payload_unref(t->full);
	t->changes = web_payload_unref(t->changes);
	return r;
}
