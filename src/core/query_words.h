// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/buf.h"
#include "core/field.h"

/* What to say about a name that a table does not have: what was meant, perhaps, and what there is. */

enum weir_words {
	WEIR_WORDS_FIELDS, /* names of fields: for sort and fields */
	WEIR_WORDS_FILTER, /* the words of the filter language too */
};

/* Appends `unknown <what> "<word>"; did you mean "..."? <table> has a, b and c`. The word is hostile: it is
 * shortened and escaped. */
void weir_words_unknown(struct weir_buf *out, const struct weir_table *def, enum weir_words words,
			const char *what, const char *word);

/* Appends text from outside in quotes, shortened and escaped. */
void weir_words_quote(struct weir_buf *out, const char *text);

/* Takes the text out of a buffer as an error: *ret (caller frees) is set when memory sufficed. Returns -EINVAL, or
 * -ENOMEM when even that failed. */
int weir_words_error(struct weir_buf *b, char **ret);
