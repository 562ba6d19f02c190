// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/query_words.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/feature.h"
#include "core/history.h"
#include "core/tables.h"

#define QUOTED_COLUMNS 40

void weir_words_quote(struct weir_buf *out, const char *text)
{
	weir_buf_char(out, '"');
	weir_text_escape_terminal(out, text, QUOTED_COLUMNS);
	weir_buf_char(out, '"');
}

/* Each word once: all names first, then the filter words that are not names. NULL past the last. */
static const char *words_at(const struct weir_table *def, enum weir_words words, unsigned i)
{
	const char *word;

	if (i < def->n_fields)
		return def->fields[i].name;
	i -= def->n_fields;
	if (words == WEIR_WORDS_FIELDS || i >= def->n_fields)
		return NULL;
	word = def->fields[i].filter;
	if (!word)
		return "";
	for (unsigned k = 0; k < def->n_fields; k++) {
		if (strcmp(def->fields[k].name, word) == 0)
			return "";
		if (k < i && def->fields[k].filter && strcmp(def->fields[k].filter, word) == 0)
			return "";
	}
	return word;
}

static const char *words_nearest(const struct weir_table *def, enum weir_words words, const char *word)
{
	/* A third of its letters may be wrong; of short ones, one. */
	unsigned best = (unsigned)(strlen(word) < WEIR_TEXT_DISTANCE_FAR ? strlen(word) : WEIR_TEXT_DISTANCE_FAR) / 3 + 1;
	const char *nearest = NULL, *w;

	for (unsigned i = 0; i < def->n_fields; i++)
		if (def->fields[i].title && strcasecmp(def->fields[i].title, word) == 0)
			return def->fields[i].name; /* what the table shows above it */
	for (unsigned i = 0; (w = words_at(def, words, i)); i++) {
		unsigned distance = *w ? weir_text_distance(word, w) : WEIR_TEXT_DISTANCE_FAR;

		if (distance < best || (distance == best && !nearest && distance < strlen(word))) {
			best = distance;
			nearest = w;
		}
	}
	return nearest;
}

void weir_words_unknown(struct weir_buf *out, const struct weir_table *def, enum weir_words words,
			const char *what, const char *word)
{
	const char *nearest = words_nearest(def, words, word), *w;
	bool some = false;

	weir_buf_printf(out, "unknown %s ", what);
	weir_words_quote(out, word);
	if (nearest)
		weir_buf_printf(out, ", did you mean \"%s\"?", nearest);
	/* An internal one has no name that people know. */
	weir_buf_printf(out, "%s %s%s: ", nearest ? "" : ";", def->internal ? "there are" : def->name, def->internal ? "" : " has");
	for (unsigned i = 0; (w = words_at(def, words, i)); i++) {
		if (!*w)
			continue;
		weir_buf_printf(out, "%s%s", some ? ", " : "", w);
		some = true;
	}
}

bool weir_words_hold(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && !memcmp(at, word, n))
			return true;
		at += n;
	}
	return false;
}

/* value: NULL: any. Otherwise the word must be one with a list of values, and this among them. */
static bool has_word(const struct weir_table *def, const char *word, const char *value)
{
	for (unsigned i = 0; i < def->n_fields; i++) {
		const struct weir_field *f = &def->fields[i];

		if (strcmp(f->name, word) != 0 && (!f->filter || strcmp(f->filter, word) != 0))
			continue;
		if (!value || (f->words && weir_words_hold(f->words, value)))
			return true;
	}
	return false;
}

static const struct weir_feature *feature_of(const struct weir_table *def)
{
	for (const struct weir_feature *const *f = weir_features; *f; f++)
		for (const struct weir_table *const *t = (*f)->tables; t && *t; t++)
			if (*t == def)
				return *f;
	return NULL;
}

/* Whether a table takes the term as it is written. */
static bool takes(const struct weir_table *t, const char *term)
{
	_cleanup_free_ char *error = NULL;
	struct weir_filter *f = NULL;
	int r = weir_filter_parse(t, term, &f, &error);

	weir_filter_free(f);
	return r == 0;
}

/* The table that has it: one that takes the term if there is one, else one of the present as this one, and of its feature
 * rather than of another. term: NULL: none that could be taken. */
static const struct weir_table *table_elsewhere(const struct weir_table *def, const char *word, const char *value,
						const char *term)
{
	bool past = def->past || def == &weir_table_history_subjects;
	const struct weir_feature *own = feature_of(def);
	const struct weir_table *best = NULL, *t;
	int best_rank = -1;

	for (unsigned i = 0; (t = weir_table_at(i)); i++) {
		int rank = (t->past == past) * 2 + (own && feature_of(t) == own);

		if (t->internal || weir_history_filter_table(t) != t || !has_word(t, word, value))
			continue;
		rank += term && takes(t, term) ? 4 : 0;
		if (rank <= best_rank)
			continue;
		best = t;
		best_rank = rank;
	}
	return best;
}

/* "weir history peers" */
static void say_command(struct weir_buf *out, const struct weir_table *t)
{
	size_t object = t->past ? strcspn(t->name, "_") : strlen(t->name);

	weir_buf_printf(out, "weir %.*s", (int)object, t->name);
	if (t->name[object])
		weir_buf_printf(out, " %s", t->name + object + 1);
}

/* The term that begins there, if it can stand in a line to be copied: not one that is long or odd. */
static bool term_at(const char *at, char ret[QUOTED_COLUMNS + 1])
{
	size_t len = strcspn(at, " \t\n\v\f\r");

	if (len > QUOTED_COLUMNS)
		return false;
	for (size_t i = 0; i < len; i++)
		if (at[i] <= ' ' || at[i] >= 0x7f || strchr("'\"\\", at[i]))
			return false;
	memcpy(ret, at, len);
	ret[len] = '\0';
	return true;
}

/* As a shell takes it. */
static void say_term(struct weir_buf *out, const char *term)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:/-=";
	const char *quote = term[strspn(term, plain)] ? "'" : "";

	weir_buf_printf(out, " %s%s%s", quote, term, quote);
}

bool weir_words_elsewhere(struct weir_buf *out, const struct weir_table *def, const char *word, const char *term)
{
	char whole[QUOTED_COLUMNS + 1];
	bool plain = term_at(term, whole);
	const struct weir_table *t = table_elsewhere(def, word, NULL, plain ? whole : NULL);

	if (!t)
		return false;
	if (def->internal)
		weir_buf_printf(out, "no %s here; ", word);
	else
		weir_buf_printf(out, "%s has no %s; ", def->name, word);
	weir_buf_printf(out, "%s has: ", t->name);
	say_command(out, t);
	if (plain && takes(t, whole))
		say_term(out, whole);
	return true;
}

void weir_words_value_elsewhere(struct weir_buf *out, const struct weir_table *def, const char *word, const char *value)
{
	const struct weir_table *t = has_word(def, word, value) ? NULL : table_elsewhere(def, word, value, NULL);

	if (!t)
		return;
	weir_buf_printf(out, "; %s has that: ", t->name);
	say_command(out, t);
	weir_buf_printf(out, " %s:%s", word, value);
}

static const char *expected_by(const struct weir_field *f)
{
	switch (f->type) {
	case WEIR_TYPE_UINT:
		if (f->unit == WEIR_UNIT_MICROSECONDS || f->unit == WEIR_UNIT_NANOSECONDS)
			return "a time, such as 20ms, >1500 or <=1s";
		return "a number, such as 443, >1M or <=20k";
	case WEIR_TYPE_INT:
		return "a number, such as -5, >1M or <=20k";
	case WEIR_TYPE_BOOL:
		return "true or false";
	case WEIR_TYPE_TEXT:
		return "a text or pattern (in quotes where it begins with < or >)";
	case WEIR_TYPE_ADDRESS:
		return "an address or a network without host bits, such as 10.0.0.0/8";
	case WEIR_TYPE_TIME:
		return "a time, such as >2026-01-31 or <2026-01-31T10:00:00Z";
	case _WEIR_TYPE_MAX:
		break;
	}
	return "a value";
}

void weir_words_expected(struct weir_buf *out, const struct weir_field *f)
{
	if (!f->words && f->max)
		weir_buf_printf(out, "a number from 0 to %llu", (unsigned long long)f->max);
	else if (!f->words)
		weir_buf_str(out, expected_by(f));
	if (!f->words)
		return;
	weir_buf_str(out, "one of");
	for (const char *at = f->words; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		weir_buf_printf(out, "%s %.*s", at == f->words ? "" : ",", (int)n, at);
		at += n;
	}
}
