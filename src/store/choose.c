// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/filter.h"
#include "core/snapshot.h"
#include "store/store_private.h"

/* Which subjects a filter chooses: it is matched against rows of their texts, some at a time. */

#define ROWS_AT_ONCE 2000

static unsigned kind_of_field(unsigned field)
{
	if (field >= HISTORY_SUBJECTS_REASON)
		return WEIR_HISTORY_LOSS;
	return field >= HISTORY_SUBJECTS_ROLE ? WEIR_HISTORY_PEER : WEIR_HISTORY_PROGRAM;
}

/* The kind whose words the filter has; a filter of no such word is of programs. A bare word is of any kind: *ret_bare. */
static unsigned kind_of(const struct weir_filter *f, bool *ret_bare)
{
	unsigned kind = WEIR_HISTORY_PROGRAM;

	*ret_bare = false;
	for (size_t t = 0; f && t < f->n_terms; t++) {
		const struct weir_filter_value *v = &f->values[f->terms[t].first_value];

		*ret_bare |= f->terms[t].bare;
		if (!f->terms[t].bare && kind_of_field(v->field) != WEIR_HISTORY_PROGRAM)
			kind = kind_of_field(v->field);
	}
	return kind;
}

static void program_cells(struct weir_builder *b, const struct weir_history_program *p)
{
	weir_builder_text(b, HISTORY_SUBJECTS_PROGRAM, p->comm);
	weir_builder_text(b, HISTORY_SUBJECTS_EXE, p->exe);
	weir_builder_uint(b, HISTORY_SUBJECTS_UID, p->uid);
	weir_builder_text(b, HISTORY_SUBJECTS_USER, p->user);
	weir_builder_text(b, HISTORY_SUBJECTS_UNIT, p->unit);
	weir_builder_text(b, HISTORY_SUBJECTS_CONTAINER_ID, p->container_id);
	weir_builder_text(b, HISTORY_SUBJECTS_CONTAINER_NAME, p->container_name);
	weir_builder_text(b, HISTORY_SUBJECTS_POD_NAME, p->pod_name);
	weir_builder_text(b, HISTORY_SUBJECTS_POD_NAMESPACE, p->pod_namespace);
}

static void own_cells(struct weir_builder *b, const struct weir_history_sample *t)
{
	weir_builder_text(b, HISTORY_SUBJECTS_ROLE, t->role);
	weir_builder_text(b, HISTORY_SUBJECTS_TRANSPORT, t->transport);
	weir_builder_text(b, HISTORY_SUBJECTS_PEER_NAME, t->peer_name);
	if (t->peer_address.family)
		weir_builder_address(b, HISTORY_SUBJECTS_PEER_ADDRESS, &t->peer_address);
	if (t->kind == WEIR_HISTORY_PEER && t->port)
		weir_builder_uint(b, HISTORY_SUBJECTS_PORT, t->port);
	weir_builder_text(b, HISTORY_SUBJECTS_REASON, t->reason);
	weir_builder_text(b, HISTORY_SUBJECTS_CLASS, t->class);
	weir_builder_text(b, HISTORY_SUBJECTS_DEVICE, t->device);
}

struct store_choosing {
	struct store_asked *a;
	const struct weir_filter *filter;
	struct weir_builder *b;
	struct store_chosen *to; /* by kind */
	bool wanted[_WEIR_HISTORY_KIND_MAX];
	uint64_t ids[ROWS_AT_ONCE];
	uint8_t kinds[ROWS_AT_ONCE];
	size_t n;
};

static int add_id(struct store_chosen *c, uint64_t id)
{
	uint64_t *ids = c->ids;

	/* A power of two is full. */
	if (!(c->n & (c->n - 1)))
		ids = realloc(c->ids, (c->n ? 2 * c->n : 1) * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	c->ids = ids;
	c->ids[c->n++] = id;
	return 0;
}

static int match_rows(struct store_choosing *c)
{
	const struct weir_snapshot_head head = { .number = 1 };
	struct weir_snapshot *s = NULL;
	struct weir_rows rows;
	int r = weir_builder_finish(c->b, &head, &s);

	if (r < 0)
		return r;
	if (weir_snapshot_rows(s, &weir_table_history_subjects, &rows) == 0)
		for (size_t i = 0; r == 0 && i < rows.n; i++)
			if (weir_filter_match(c->filter, &rows, i))
				r = add_id(&c->to[c->kinds[i]], c->ids[i]);
	weir_snapshot_unref(s);
	c->n = 0;
	return store_asked_late(c->a->s) && r == 0 ? -ETIMEDOUT : r;
}

static int add_row(struct store_choosing *c, const struct store_subject *x, const void *body,
		   size_t len, struct store_text *program)
{
	struct weir_history_sample t;

	if (!c->wanted[x->kind] || !store_asked_sees(c->a, x->uid) ||
	    store_subject_decode(x->id, body, len, &t, NULL) < 0)
		return 0;
	if (x->kind != WEIR_HISTORY_PROGRAM && x->program) {
		int r = store_text_get(c->a->s, program, x->program);

		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0)
			t.program = program->sample.program;
	}
	if (!c->n)
		weir_builder_table(c->b, &weir_table_history_subjects);
	weir_builder_row(c->b, x->uid, 1);
	if (t.program.comm)
		program_cells(c->b, &t.program);
	if (x->kind != WEIR_HISTORY_PROGRAM)
		own_cells(c->b, &t);
	c->ids[c->n] = x->id;
	c->kinds[c->n++] = x->kind;
	return c->n == ROWS_AT_ONCE ? match_rows(c) : 0;
}

static int match_all(struct store_choosing *c)
{
	struct weir_store *s = c->a->s;
	struct store_text program = { 0 };
	sqlite3_stmt *q;
	int r = store_sql_get(s, STORE_SQL_SUBJECT_ALL, &q);

	while (r == 0 && (r = store_sql_step(s, q)) > 0) {
		const struct store_subject *x =
			store_subjects_by_id(&s->subjects, (uint64_t)sqlite3_column_int64(q, 0));

		r = x ? add_row(c, x, sqlite3_column_blob(q, 1), (size_t)sqlite3_column_bytes(q, 1),
				&program)
		      : 0;
	}
	if (r < 0)
		sqlite3_reset(q);
	store_text_done(&program);
	return r == 0 && c->n ? match_rows(c) : r;
}

/* Where one kind has to be enough: programs, and if the bare word is in the name of none, peers, then losses. */
static void choose_kind(struct store_chosen chosen[_WEIR_HISTORY_KIND_MAX])
{
	unsigned kind = 0;

	while (kind < _WEIR_HISTORY_KIND_MAX && !chosen[kind].n)
		kind++;
	for (unsigned k = 0; kind < _WEIR_HISTORY_KIND_MAX && k < _WEIR_HISTORY_KIND_MAX; k++)
		chosen[k].kind = kind;
}

int store_choose(struct store_asked *a, bool every_kind,
		 struct store_chosen ret[_WEIR_HISTORY_KIND_MAX])
{
	struct weir_filter *filter = NULL;
	struct store_choosing *c;
	unsigned kind;
	bool bare;
	int r = weir_filter_parse(&weir_table_history_subjects, a->q->filter, &filter, a->error);

	if (r < 0)
		return r;
	kind = kind_of(filter, &bare);
	for (unsigned k = 0; k < _WEIR_HISTORY_KIND_MAX; k++)
		ret[k] = (struct store_chosen){ .all = !filter, .kind = kind };
	if (!filter)
		return 0;
	c = calloc(1, sizeof(*c));
	if (c)
		c->b = weir_builder_new();
	if (!c || !c->b) {
		free(c);
		weir_filter_free(filter);
		return -ENOMEM;
	}
	c->a = a;
	c->filter = filter;
	c->to = ret;
	for (unsigned k = 0; k < _WEIR_HISTORY_KIND_MAX; k++)
		c->wanted[k] = k == kind || ((every_kind || bare) && kind == WEIR_HISTORY_PROGRAM);
	r = match_all(c);
	if (bare && !every_kind && kind == WEIR_HISTORY_PROGRAM)
		choose_kind(ret);
	for (unsigned k = 0; k < _WEIR_HISTORY_KIND_MAX; k++)
		if (ret[k].n)
			qsort(ret[k].ids, ret[k].n, sizeof(*ret[k].ids), store_compare_numbers);
	weir_builder_free(c->b);
	free(c);
	weir_filter_free(filter);
	return r;
}

bool store_chosen_has(const struct store_chosen *c, uint64_t id)
{
	if (c->all)
		return true;
	return c->n && bsearch(&id, c->ids, c->n, sizeof(*c->ids), store_compare_numbers);
}

void store_chosen_done(struct store_chosen *c)
{
	free(c->ids);
	*c = (struct store_chosen){ 0 };
}
