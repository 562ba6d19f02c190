// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

/* What `weir explain` tells: facts, each with a name, its values and a sentence in the language that is set. Texts from
 * outside are escaped when it is shown. */

enum explain_break {
	EXPLAIN_GOES_ON,
	EXPLAIN_LINE,
	EXPLAIN_PARAGRAPH,
};

struct explain_sentence {
	char *text;
	enum explain_break begins;
};

struct explain_story {
	struct explain_sentence *sentences;
	size_t n;
	struct weir_buf facts; /* the members of a JSON array */
	struct weir_json json;
	struct weir_buf text; /* of the fact that is being told */
	enum explain_break next;
	int error;
};

void explain_story_init(struct explain_story *s);
void explain_story_done(struct explain_story *s);

/* The next sentence begins a paragraph, or a line. */
void explain_paragraph(struct explain_story *s);
void explain_line(struct explain_story *s);

/* Begins a fact: its values follow, in the units of the documents, then explain_end(). */
void explain_fact(struct explain_story *s, const char *name);
void explain_uint(struct explain_story *s, const char *key, uint64_t v);
void explain_text(struct explain_story *s, const char *key, const char *v); /* NULL: left out */
void explain_time(struct explain_story *s, const char *key, uint64_t real_ns);

/* Where the fact's sentence goes: weir_say_...(explain_say(s), ...). */
struct weir_buf *explain_say(struct explain_story *s);
void explain_end(struct explain_story *s);

/* Appends the paragraphs, lines no longer than width. The first error of all of the above is returned. */
int explain_story_text(struct explain_story *s, unsigned width, struct weir_buf *out);

/* Appends the document: {"schema_version":1,"host":...,"time":...,"about":...,"facts":[...]}. */
int explain_story_json(struct explain_story *s, const char *host, uint64_t real_ns, const char *about, struct weir_buf *out);
