// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/explain_story.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "frontends/words/words.h"

void explain_story_init(struct explain_story *s)
{
	*s = (struct explain_story){ .next = EXPLAIN_PARAGRAPH };
	weir_json_init(&s->json, &s->facts, false);
	weir_json_array(&s->json);
}

void explain_story_done(struct explain_story *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->sentences[i].text);
	free(s->sentences);
	weir_buf_done(&s->facts);
	weir_buf_done(&s->text);
	*s = (struct explain_story){};
}

void explain_paragraph(struct explain_story *s)
{
	s->next = EXPLAIN_PARAGRAPH;
}

void explain_line(struct explain_story *s)
{
	if (s->next == EXPLAIN_GOES_ON)
		s->next = EXPLAIN_LINE;
}

void explain_fact(struct explain_story *s, const char *name)
{
	weir_buf_reset(&s->text);
	weir_json_object(&s->json);
	weir_json_key(&s->json, "fact");
	weir_json_text(&s->json, name);
}

void explain_uint(struct explain_story *s, const char *key, uint64_t v)
{
	weir_json_key(&s->json, key);
	weir_json_uint(&s->json, v);
}

void explain_text(struct explain_story *s, const char *key, const char *v)
{
	if (!v)
		return;
	weir_json_key(&s->json, key);
	weir_json_text(&s->json, v);
}

void explain_time(struct explain_story *s, const char *key, uint64_t real_ns)
{
	weir_json_key(&s->json, key);
	weir_json_time(&s->json, real_ns);
}

struct weir_buf *explain_say(struct explain_story *s)
{
	return &s->text;
}

static int keep_sentence(struct explain_story *s)
{
	struct explain_sentence *more = reallocarray(s->sentences, s->n + 1, sizeof(*more));

	if (!more || s->text.error)
		return -ENOMEM;
	s->sentences = more;
	s->sentences[s->n] = (struct explain_sentence){ .text = TAKE_PTR(s->text.data), .begins = s->next };
	s->text = (struct weir_buf){};
	if (!s->sentences[s->n].text)
		return 0;
	s->n++;
	s->next = EXPLAIN_GOES_ON;
	return 0;
}

void explain_end(struct explain_story *s)
{
	int r;

	explain_text(s, "text", s->text.data ? s->text.data : "");
	weir_json_object_end(&s->json);
	r = keep_sentence(s);
	if (r < 0 && !s->error)
		s->error = r;
}

/* --- for people ------------------------------------------------------------------------------ */

/* Appends a sentence word by word, from *column on. */
static void add_words(struct weir_buf *out, char *sentence, unsigned width, size_t *column)
{
	for (char *rest = sentence, *word; (word = strsep(&rest, " "));) {
		size_t columns = weir_text_columns(word);

		if (*column && *column + 1 + columns > width) {
			weir_buf_char(out, '\n');
			*column = 0;
		} else if (*column) {
			weir_buf_char(out, ' ');
			++*column;
		}
		weir_buf_str(out, word);
		*column += columns;
	}
}

static void add_sentence(struct weir_buf *out, const struct explain_sentence *e, bool first, unsigned width, size_t *column)
{
	enum explain_break begins = e->begins;
	struct weir_buf escaped = {};

	/* Chinese has no blanks to break a line at; each sentence has a line. */
	if (begins == EXPLAIN_GOES_ON && weir_words_language() == WEIR_LANGUAGE_ZH)
		begins = EXPLAIN_LINE;
	if (!first && begins != EXPLAIN_GOES_ON)
		weir_buf_str(out, begins == EXPLAIN_PARAGRAPH ? "\n\n" : "\n");
	if (begins != EXPLAIN_GOES_ON)
		*column = 0;
	weir_text_escape_terminal(&escaped, e->text, WEIR_TEXT_UNLIMITED);
	if (escaped.data)
		add_words(out, escaped.data, width, column);
	if (escaped.error && !out->error)
		out->error = escaped.error;
	weir_buf_done(&escaped);
}

int explain_story_text(struct explain_story *s, unsigned width, struct weir_buf *out)
{
	size_t column = 0;

	for (size_t i = 0; i < s->n; i++)
		add_sentence(out, &s->sentences[i], i == 0, width, &column);
	if (s->n)
		weir_buf_char(out, '\n');
	return s->error ? s->error : out->error;
}

int explain_story_json(struct explain_story *s, const char *host, uint64_t real_ns, const char *about, struct weir_buf *out)
{
	struct weir_json j;

	weir_json_array_end(&s->json);
	weir_json_init(&j, out, false);
	weir_json_object(&j);
	weir_json_key(&j, "schema_version");
	weir_json_uint(&j, 1);
	weir_json_key(&j, "host");
	weir_json_text(&j, host);
	weir_json_key(&j, "time");
	weir_json_time(&j, real_ns);
	weir_json_key(&j, "about");
	weir_json_text(&j, about);
	weir_buf_str(out, ",\"facts\":");
	weir_buf_add(out, s->facts.data, s->facts.len);
	weir_json_object_end(&j);
	if (s->facts.error && !s->error)
		s->error = s->facts.error;
	return s->error ? s->error : out->error;
}
