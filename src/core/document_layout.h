// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/field.h"

/* How the fields of a table nest in a row's JSON object: "by_transport.tcp.tx_bytes" lies in an object in an object.
 * Derived once for a document, then followed for each row. */

#define WEIR_LAYOUT_DEPTH 8

struct weir_layout_node {
	char *key;	    /* owned */
	char *quoted;	    /* owned: the key as JSON, in quotes */
	size_t quoted_len;
	int field;	    /* its index; -1 for an object */
	uint64_t fields;    /* bit per field at or below this node */
	unsigned depth;	    /* 0: member of the row itself */
	int child, next;    /* indexes of nodes; -1: none */
};

struct weir_layout {
	const struct weir_table *def;
	struct weir_layout_node *nodes;
	size_t n;
	int first;
};

/* -ENOMEM. A name that is both a value and an object, or nests too deep, is a programmer's error (assert). */
int weir_layout_init(struct weir_layout *l, const struct weir_table *def);
void weir_layout_done(struct weir_layout *l);
