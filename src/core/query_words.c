// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/query_words.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define QUOTED_COLUMNS 40

void weir_words_quote(struct weir_buf *out, const char *text)
{
	weir_buf_char(out, '"');
	weir_text_escape_terminal(out, text, QUOTED_COLUMNS);
	weir_buf_char(out, '"');
}

int weir_words_error(struct weir_buf *b, char **ret)
{
	if (b->error)
		return b->error;
	*ret = TAKE_PTR(b->data);
	*b = (struct weir_buf){ 0 };
	return -EINVAL;
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
	weir_buf_printf(out, "%s %s has: ", nearest ? "" : ";", def->name);
	for (unsigned i = 0; (w = words_at(def, words, i)); i++) {
		if (!*w)
			continue;
		weir_buf_printf(out, "%s%s", some ? ", " : "", w);
		some = true;
	}
}
