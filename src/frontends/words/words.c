// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/words/words.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "frontends/words/words_private.h"

static enum weir_language current;

/* --- the language ---------------------------------------------------------------------------- */

static enum weir_language from_environment(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *v = getenv("WEIR_LANG");

	if (v && strcmp(v, "zh") == 0)
		return WEIR_LANGUAGE_ZH;
	if (v && strcmp(v, "en") == 0)
		return WEIR_LANGUAGE_EN;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		v = getenv(names[i]);
		if (v && *v)
			return strncmp(v, "zh", 2) == 0 ? WEIR_LANGUAGE_ZH : WEIR_LANGUAGE_EN;
	}
	return WEIR_LANGUAGE_EN;
}

void weir_words_init(void)
{
	current = from_environment();
}

void weir_words_set(enum weir_language language)
{
	current = language;
}

enum weir_language weir_words_language(void)
{
	return current;
}

/* --- texts ----------------------------------------------------------------------------------- */

const char *weir_word_in(enum weir_language language, enum weir_word word)
{
	assert(word < _WEIR_WORD_MAX);
	return weir_words_texts[word][language];
}

const char *weir_word(enum weir_word word)
{
	return weir_word_in(current, word);
}

/* "{0}" or "{0|one|many}"; returns what follows it. */
static const char *fill_hole(struct weir_buf *out, const char *hole, const char *const *with)
{
	const char *end = strchr(hole, '}'), *one = strchr(hole, '|'), *many;
	const char *text = with[hole[1] - '0'];

	if (one && one < end) {
		many = strchr(one + 1, '|');
		if (strcmp(text, "1") == 0)
			weir_buf_add(out, one + 1, (size_t)(many - one - 1));
		else
			weir_buf_add(out, many + 1, (size_t)(end - many - 1));
	} else {
		weir_buf_str(out, text);
	}
	return end + 1;
}

void weir_words_fill(struct weir_buf *out, enum weir_phrase phrase, const char *const *with)
{
	const char *text;

	assert(phrase < _WEIR_PHRASE_MAX);
	text = weir_words_phrases[phrase][current];
	while (*text) {
		size_t n = strcspn(text, "{");

		weir_buf_add(out, text, n);
		text += n;
		if (*text)
			text = fill_hole(out, text, with);
	}
}

const char *weir_number(uint64_t v, char buf[WEIR_NUMBER_TEXT])
{
	snprintf(buf, WEIR_NUMBER_TEXT, "%" PRIu64, v);
	return buf;
}

/* --- fields ---------------------------------------------------------------------------------- */

static int compare_field(const void *key, const void *field)
{
	return strcmp(key, ((const struct weir_words_field *)field)->name);
}

static const struct weir_words_field *field_of(const struct weir_table *table, unsigned field)
{
	char name[160];

	/* What the declaration says is English. */
	if (current == WEIR_LANGUAGE_EN)
		return NULL;
	snprintf(name, sizeof(name), "%s.%s", table->name, table->fields[field].name);
	return bsearch(name, weir_words_fields, weir_words_n_fields, sizeof(weir_words_fields[0]),
		       compare_field);
}

const char *weir_word_title(const struct weir_table *table, unsigned field)
{
	const struct weir_words_field *f = field_of(table, field);

	return f ? f->title[current] : table->fields[field].title;
}

const char *weir_word_help(const struct weir_table *table, unsigned field)
{
	const struct weir_words_field *f = field_of(table, field);

	return f ? f->help[current] : table->fields[field].help;
}
