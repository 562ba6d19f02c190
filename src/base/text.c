// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/text.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <wchar.h>

#include "base/cleanup.h"

#define TEXT_MARKS_MAX 3 /* combining marks on one character; real scripts need no more */

static const char text_ellipsis[] = "\u2026";

size_t weir_text_utf8_next(const char *s, size_t len, uint32_t *ret)
{
	/* The smallest character that may take so many bytes: anything below is overlong. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = (const uint8_t *)s;
	uint32_t c = p[0];
	size_t n;

	*ret = c;
	if (c < 0x80)
		return 1;

	*ret = WEIR_TEXT_BAD;
	n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || n > len)
		return 1;
	c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 1;
	*ret = c;
	return n;
}

bool weir_text_utf8_valid(const char *s, size_t len)
{
	uint32_t c;

	while (len) {
		size_t n = weir_text_utf8_next(s, len, &c);

		if (c == WEIR_TEXT_BAD)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

bool weir_text_is_control(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x0, 0x1f },	     /* C0 */
		{ 0x7f, 0x9f },	     /* DEL, C1 */
		{ 0xad, 0xad },	     /* soft hyphen */
		{ 0x61c, 0x61c },    /* Arabic letter mark */
		{ 0x180e, 0x180e },  /* Mongolian vowel separator */
		{ 0x200b, 0x200f },  /* zero width, direction marks */
		{ 0x2028, 0x202e },  /* separators, bidirectional embeddings and overrides */
		{ 0x2060, 0x206f },  /* invisible operators, isolates */
		{ 0xfeff, 0xfeff },  /* byte order mark */
		{ 0xfff9, 0xfffb },  /* interlinear annotation */
		{ 0xe0000, 0xe0fff }, /* tags */
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

static locale_t text_locale;

static void text_locale_init(void)
{
	text_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

void weir_text_init(void)
{
	static once_flag once = ONCE_FLAG_INIT;

	call_once(&once, text_locale_init);
}

/* wcwidth() answers for the thread's locale; whether the user runs in a UTF-8 one must not decide what is escaped.
 * Without C.UTF-8 all but ASCII has width -1 and is escaped: ugly, and safe. */
static locale_t text_locale_enter(void)
{
	weir_text_init();
	return text_locale ? uselocale(text_locale) : (locale_t)0;
}

static void text_locale_leave(locale_t before)
{
	if (before)
		uselocale(before);
}

/* One character as it will stand on the screen. */
struct text_glyph {
	const char *bytes;
	size_t len, columns;
	char escape[16];
};

static void glyph_escape(struct text_glyph *g, bool byte, uint32_t value)
{
	int n = snprintf(g->escape, sizeof(g->escape), byte ? "\\x%02x" : "\\u{%x}", value);

	g->bytes = g->escape;
	g->len = g->columns = n < 0 ? 0 : (size_t)n;
}

/* Takes the next character of *s; *marks counts the combining marks since the last base character. */
static void glyph_next(struct text_glyph *g, const char **s, size_t *len, unsigned *marks)
{
	const char *at = *s;
	uint32_t c;
	size_t n = weir_text_utf8_next(at, *len, &c);
	int width;

	*s += n;
	*len -= n;
	g->bytes = at;
	g->len = n;
	g->columns = 1;
	if (c >= 0x20 && c < 0x7f) {
		*marks = 0;
		return;
	}

	width = c == WEIR_TEXT_BAD || weir_text_is_control(c) ? -1 : wcwidth((wchar_t)c);
	if (width > 0) {
		g->columns = (size_t)width;
		*marks = 0;
		return;
	}
	if (width == 0 && *marks < TEXT_MARKS_MAX) {
		g->columns = 0;
		++*marks;
		return;
	}
	/* An escape takes no marks: they would alter how it reads. */
	*marks = TEXT_MARKS_MAX;
	glyph_escape(g, c == WEIR_TEXT_BAD || c < 0x80, c == WEIR_TEXT_BAD ? (unsigned char)*at : c);
}

void weir_text_escape_terminal(struct weir_buf *b, const char *s, size_t max_columns)
{
	size_t len = strlen(s), columns = 0;
	size_t cut = b->len; /* up to here there is a column left for the ellipsis */
	unsigned marks = TEXT_MARKS_MAX; /* no base yet: a leading mark would sit on what stands before */
	locale_t before;
	struct text_glyph g;

	if (!max_columns)
		return;
	before = text_locale_enter();
	while (len) {
		glyph_next(&g, &s, &len, &marks);
		if (g.columns > max_columns - columns) {
			if (!b->error) {
				b->len = cut;
				weir_buf_str(b, text_ellipsis);
			}
			break;
		}
		columns += g.columns;
		weir_buf_add(b, g.bytes, g.len);
		if (columns < max_columns)
			cut = b->len;
	}
	text_locale_leave(before);
}

size_t weir_text_columns(const char *s)
{
	size_t len = strlen(s), columns = 0;
	unsigned marks = TEXT_MARKS_MAX;
	locale_t before = text_locale_enter();
	struct text_glyph g;

	while (len) {
		glyph_next(&g, &s, &len, &marks);
		columns += g.columns;
	}
	text_locale_leave(before);
	return columns;
}

unsigned weir_text_distance(const char *a, const char *b)
{
	unsigned rows[3][WEIR_TEXT_DISTANCE_FAR + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	size_t n = strlen(a), m = strlen(b);

	if (n > WEIR_TEXT_DISTANCE_FAR || m > WEIR_TEXT_DISTANCE_FAR)
		return WEIR_TEXT_DISTANCE_FAR;
	for (size_t k = 0; k <= m; k++)
		last[k] = (unsigned)k;
	for (size_t i = 1; i <= n; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t k = 1; k <= m; k++) {
			unsigned best = last[k - 1] + (a[i - 1] != b[k - 1]);

			if (last[k] + 1 < best)
				best = last[k] + 1;
			if (now[k - 1] + 1 < best)
				best = now[k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && before[k - 2] + 1 < best)
				best = before[k - 2] + 1;
			now[k] = best;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[m];
}
