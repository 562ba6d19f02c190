// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/words/said.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "frontends/words/said_private.h"
#include "frontends/words/words.h"

/* The page does the same in said.ts. */

#define HOLES_MAX 4
#define DEPTH_MAX 3 /* a finding's summary has a headline, and that an owner */
/* A program may have any name as long as this: it is no sentence, and a part only where it stands
 * for one. */
#define NAME_MAX_BYTES 15
#define PART_MAX 512

struct span {
	const char *at;
	size_t len;
};

struct out {
	char *at;
	size_t len, room;
};

static bool put(struct out *o, const char *bytes, size_t n)
{
	if (n >= o->room - o->len)
		return false;
	memcpy(o->at + o->len, bytes, n);
	o->len += n;
	o->at[o->len] = '\0';
	return true;
}

/* Text up to the next hole, and the hole, "{why?}"; holes are none behind the last. */
static struct span next_literal(const char **pattern, struct span *ret_hole)
{
	struct span text = { *pattern, strcspn(*pattern, "{") };
	const char *hole = text.at + text.len;

	*ret_hole = (struct span){ hole, *hole ? (size_t)(strchr(hole, '}') - hole) + 1 : 0 };
	*pattern = hole + ret_hole->len;
	return text;
}

/* --- what fits ----------------------------------------------------------------------------------
 */

static bool begins(struct span text, struct span with)
{
	return text.len >= with.len && !memcmp(text.at, with.at, with.len);
}

/* What stands in front of the literal, which is the end of the text when it is the last one. */
static bool cut_before(struct span *text, struct span literal, bool last, struct span *ret)
{
	const char *at;

	if (text->len <= literal.len)
		return false;
	/* At least one byte is the value's. */
	at = last ? text->at + text->len - literal.len
		  : memmem(text->at + 1, text->len - 1, literal.at, literal.len);
	if (!at || memcmp(at, literal.at, literal.len) != 0)
		return false;
	*ret = (struct span){ text->at, (size_t)(at - text->at) };
	text->len -= ret->len + literal.len;
	text->at = at + literal.len;
	return true;
}

/* "{name}" is one word. */
static bool may_be(struct span hole, struct span value)
{
	char mark = hole.at[hole.len - 2];

	return mark == '=' || mark == '?' || !memchr(value.at, ' ', value.len);
}

/* The values of the holes in their order. */
static bool fits(const char *pattern, struct span text, struct span ret[HOLES_MAX])
{
	struct span hole, of, literal = next_literal(&pattern, &hole);

	if (!begins(text, literal))
		return false;
	text.at += literal.len;
	text.len -= literal.len;
	for (unsigned i = 0; hole.len; i++) {
		of = hole;
		literal = next_literal(&pattern, &hole);
		if (i == HOLES_MAX || !cut_before(&text, literal, !hole.len, &ret[i]) ||
		    !may_be(of, ret[i]))
			return false;
	}
	return text.len == 0;
}

/* --- what is said -------------------------------------------------------------------------------
 */

static int compare(const char *row, struct span text)
{
	int r = strncmp(text.at, row, text.len);

	return r ? r : row[text.len] ? -1 : 0;
}

static const char *plain(struct span text)
{
	unsigned from = 0, to = weir_said_plain_n;

	while (from < to) {
		unsigned middle = from + (to - from) / 2;
		int r = compare(weir_said_plain[middle].english, text);

		if (r == 0)
			return weir_said_plain[middle].chinese;
		if (r < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

static bool say(struct out *o, struct span text, unsigned depth);
static bool say_filled(struct out *o, struct span text, size_t beginning, unsigned depth);

/* The part "why=TEXT" for the hole "{why?}". */
static bool say_part(struct out *o, struct span hole, struct span text, unsigned depth)
{
	char key[PART_MAX];
	size_t name = hole.len - strlen("{=}");
	struct span whole = { key, name + 1 + text.len };
	const char *known;

	if (whole.len > sizeof(key))
		return false;
	memcpy(key, hole.at + 1, name);
	key[name] = '=';
	memcpy(key + name + 1, text.at, text.len);
	known = plain(whole);
	if (known)
		return put(o, known, strlen(known));
	return text.len > NAME_MAX_BYTES && depth < DEPTH_MAX &&
	       say_filled(o, whole, name + 1, depth + 1);
}

static bool say_value(struct out *o, struct span hole, struct span text, unsigned depth)
{
	char mark = hole.at[hole.len - 2];

	if (mark != '=' && mark != '?')
		return put(o, text.at, text.len);
	if (say_part(o, hole, text, depth))
		return true;
	if (text.len > NAME_MAX_BYTES && depth < DEPTH_MAX && say(o, text, depth + 1))
		return true;
	return mark == '?' && put(o, text.at, text.len);
}

static bool is_wide(char byte)
{
	return (unsigned char)byte >= 0x80;
}

/* Which value of the English is the hole's. */
static unsigned index_of(const char *english, struct span hole)
{
	struct span other;

	for (unsigned i = 0;; i++) {
		next_literal(&english, &other);
		/* tools/said has compared the two sides. */
		if (!other.len || (other.len == hole.len && !memcmp(other.at, hole.at, hole.len)))
			return i;
	}
}

/* The space beside a value is there for Latin letters: between two Chinese characters it falls
 * away. */
static void settle_space(struct out *o, size_t at)
{
	if (!at || at + 1 >= o->len || o->at[at] != ' ' || !is_wide(o->at[at - 1]) ||
	    !is_wide(o->at[at + 1]))
		return;
	memmove(o->at + at, o->at + at + 1, o->len - at);
	o->len--;
}

static bool fill(struct out *o, const struct weir_said_row *row, const struct span *values,
		 unsigned depth)
{
	const char *pattern = row->chinese;
	struct span hole, literal = next_literal(&pattern, &hole);

	if (!put(o, literal.at, literal.len))
		return false;
	while (hole.len) {
		size_t before = o->len, after;

		if (!say_value(o, hole, values[index_of(row->english, hole)], depth))
			return false;
		if (before)
			settle_space(o, before - 1);
		after = o->len;
		literal = next_literal(&pattern, &hole);
		if (!put(o, literal.at, literal.len))
			return false;
		/* Between two values it waits for the second. */
		if (literal.len > 1 || !hole.len)
			settle_space(o, after);
	}
	return true;
}

/* By the first line that fits, of those that have the same beginning. */
static bool say_filled(struct out *o, struct span text, size_t beginning, unsigned depth)
{
	struct span values[HOLES_MAX];
	size_t before = o->len;

	for (unsigned i = 0; i < weir_said_filled_n; i++) {
		const struct weir_said_row *row = &weir_said_filled[i];

		if (strncmp(row->english, text.at, beginning) != 0 ||
		    !fits(row->english, text, values))
			continue;
		if (fill(o, row, values, depth))
			return true;
		o->len = before;
	}
	return false;
}

static bool say(struct out *o, struct span text, unsigned depth)
{
	const char *known = plain(text);

	return known ? put(o, known, strlen(known)) : say_filled(o, text, 0, depth);
}

const char *weir_said(const char *english, char *buf, size_t room)
{
	struct out o = { buf, 0, room };
	struct span text;
	const char *known;

	if (!english || weir_words_language() != WEIR_LANGUAGE_ZH)
		return english;
	text = (struct span){ english, strlen(english) };
	known = plain(text);
	if (known)
		return known;
	return room && say(&o, text, 0) ? buf : english;
}

const char *weir_said_field(const char *field, const char *english, char *buf, size_t room)
{
	static const char *const fields[] = {
		"advice", "cure", "feature", "help", "meaning", "reason", "serves", "summary",
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i], field))
			return weir_said(english, buf, room);
	return english;
}
