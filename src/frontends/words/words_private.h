// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/words/words.h"

/* The texts as tools/words writes them. */

struct weir_words_field {
	const char *name; /* "table.field" */
	const char *title[_WEIR_LANGUAGE_MAX], *help[_WEIR_LANGUAGE_MAX];
};

extern const char *const weir_words_texts[_WEIR_WORD_MAX + 1][_WEIR_LANGUAGE_MAX];
/* {0} is the first argument; {0|one|many} depends on whether that reads "1". */
extern const char *const weir_words_phrases[_WEIR_PHRASE_MAX + 1][_WEIR_LANGUAGE_MAX];
/* By name. */
extern const struct weir_words_field weir_words_fields[];
extern const unsigned weir_words_n_fields;
