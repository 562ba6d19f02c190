// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

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

/* The same for a word of a filter that another table has: `processes has no port; flows has: weir flows port:443`. Its
 * term begins at `term`. False, and nothing appended, when none has it. */
bool weir_words_elsewhere(struct weir_buf *out, const struct weir_table *def, const char *word, const char *term);

/* Behind a value that the word can't have here: the table where it can, if there is one. */
void weir_words_value_elsewhere(struct weir_buf *out, const struct weir_table *def, const char *word, const char *value);

/* Whether a list of words separated by spaces has this one. */
bool weir_words_hold(const char *words, const char *word);

/* Appends text from outside in quotes, shortened and escaped. */
void weir_words_quote(struct weir_buf *out, const char *text);

/* Appends which values a filter can ask of a field: `a number, such as 443, >1M or <=20k`. */
void weir_words_expected(struct weir_buf *out, const struct weir_field *f);

