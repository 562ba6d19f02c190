// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* What changed between two spans: a ranking. Pure. */

enum store_change_kind {
	STORE_CHANGE_PROGRAM, /* bytes */
	STORE_CHANGE_PEER,    /* bytes */
	STORE_CHANGE_LOSS,    /* packets */
	STORE_CHANGE_EVENT,   /* count */
	_STORE_CHANGE_MAX,
};

/* Who changed by how much. Texts are borrowed. */
struct store_change {
	enum store_change_kind kind;
	uint64_t id;
	double before, after; /* sums; before as if its span were as long as that of after */
	bool is_new;          /* was never seen before the span */
	bool expected;        /* a loss that nobody has to do anything about */
	double score;
};

/* "bytes", "packets", "count". */
const char *store_change_unit(enum store_change_kind kind);

/* before, made as long as after's span. */
double store_change_scaled(uint64_t before, uint64_t before_seconds, uint64_t after_seconds);

/* Scores and sorts: what explains most of the difference of its kind first, then what is new. Drops what is no change
 * worth a line. Returns how many are left, at most max. */
size_t store_changes_rank(struct store_change *list, size_t n, size_t max);

/* The change as a sentence. who: "nginx", "nginx to db.example", "packets lost for NO_SOCKET"; seconds: of the span. */
void store_change_sentence(const struct store_change *c, const char *who, uint64_t seconds, struct weir_buf *out);
