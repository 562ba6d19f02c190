// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/buf.h"
#include "core/field.h"
#include "frontends/words/words_list.h" /* made by tools/words from the .tsv files beside this one */

/* What people read, in their language. A text that stands as it is has a name, WORD_TAB_NOW of key
 * tab.now; one that is filled in has a function, weir_say_head_rates(out, host, ...) of head.rates,
 * so that the compiler finds a name too many or too few. */

enum weir_language {
	WEIR_LANGUAGE_EN,
	WEIR_LANGUAGE_ZH,
	_WEIR_LANGUAGE_MAX,
};

/* From WEIR_LANG (en or zh), else from the first of LC_ALL, LC_MESSAGES and LANG that says something.
 * English until it is called. */
void weir_words_init(void);

void weir_words_set(enum weir_language language);
enum weir_language weir_words_language(void);

const char *weir_word(enum weir_word word); /* in the language that is set */
const char *weir_word_in(enum weir_language language, enum weir_word word);

/* A whole number, for a text that is filled in. buf is returned. */
#define WEIR_NUMBER_TEXT 24
const char *weir_number(uint64_t v, char buf[WEIR_NUMBER_TEXT]);

/* A field's heading and its sentence of help; the declaration's own where the table has none. */
const char *weir_word_title(const struct weir_table *table, unsigned field);
const char *weir_word_help(const struct weir_table *table, unsigned field);
