// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/document_layout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

void weir_layout_done(struct weir_layout *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->nodes[i].key);
		free(l->nodes[i].quoted);
	}
	free(l->nodes);
	*l = (struct weir_layout){ .first = -1 };
}

static int node_quote(struct weir_layout_node *n)
{
	_cleanup_(weir_buf_done) struct weir_buf b = { 0 };
	struct weir_json j;

	weir_json_init(&j, &b, false);
	weir_json_text(&j, n->key);
	if (b.error)
		return b.error;
	n->quoted_len = b.len;
	n->quoted = TAKE_PTR(b.data);
	return 0;
}

/* Adds a node; *ret_index is its index. The node is the layout's at once, so a half-made one is freed with it. */
static int layout_add(struct weir_layout *l, const char *key, size_t len, unsigned depth, int *ret_index)
{
	struct weir_layout_node *nodes, *n;

	nodes = reallocarray(l->nodes, l->n + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	l->nodes = nodes;
	n = &nodes[l->n];
	*n = (struct weir_layout_node){ .field = -1, .depth = depth, .child = -1, .next = -1 };
	*ret_index = (int)l->n++;
	n->key = strndup(key, len);
	return n->key ? node_quote(n) : -ENOMEM;
}

/* Finds the member of an object (parent -1: the row) by its key, or adds it behind the last. */
static int layout_member(struct weir_layout *l, int parent, const char *key, size_t len, int *ret_index)
{
	int at = parent < 0 ? l->first : l->nodes[parent].child;
	int last = -1, r;

	for (; at >= 0; last = at, at = l->nodes[at].next) {
		if (strncmp(l->nodes[at].key, key, len) == 0 && !l->nodes[at].key[len]) {
			*ret_index = at;
			return 0;
		}
	}
	r = layout_add(l, key, len, parent < 0 ? 0 : l->nodes[parent].depth + 1, &at);
	if (r < 0)
		return r;
	if (last >= 0)
		l->nodes[last].next = at;
	else if (parent >= 0)
		l->nodes[parent].child = at;
	else
		l->first = at;
	*ret_index = at;
	return 0;
}

static int layout_field(struct weir_layout *l, unsigned field)
{
	const char *key = l->def->fields[field].name;
	int parent = -1;

	for (;;) {
		size_t len = strcspn(key, ".");
		int at = -1, r;

		r = layout_member(l, parent, key, len, &at);
		if (r < 0)
			return r;
		assert(l->nodes[at].field < 0 && l->nodes[at].depth < WEIR_LAYOUT_DEPTH);
		l->nodes[at].fields |= 1ull << field;
		if (!key[len]) {
			assert(l->nodes[at].child < 0);
			l->nodes[at].field = (int)field;
			return 0;
		}
		parent = at;
		key += len + 1;
	}
}

int weir_layout_init(struct weir_layout *l, const struct weir_table *def)
{
	*l = (struct weir_layout){ .def = def, .first = -1 };
	for (unsigned i = 0; i < def->n_fields; i++) {
		int r = layout_field(l, i);

		if (r < 0) {
			weir_layout_done(l);
			return r;
		}
	}
	return 0;
}
