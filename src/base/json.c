// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"

void weir_json_init(struct weir_json *j, struct weir_buf *out, bool indent)
{
	*j = (struct weir_json){ .out = out, .indent = indent };
}

static void json_newline(struct weir_json *j)
{
	if (!j->indent)
		return;
	weir_buf_char(j->out, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		weir_buf_add(j->out, "  ", 2);
}

/* What stands in front of a value or a key: a comma when there was one before. */
static void json_next(struct weir_json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (!j->depth)
		return;
	if (j->some[j->depth - 1])
		weir_buf_char(j->out, ',');
	j->some[j->depth - 1] = true;
	json_newline(j);
}

static void json_begin(struct weir_json *j, char c)
{
	json_next(j);
	assert(j->depth < WEIR_JSON_DEPTH);
	j->some[j->depth++] = false;
	weir_buf_char(j->out, c);
}

static void json_end(struct weir_json *j, char c)
{
	assert(j->depth > 0 && !j->after_key);
	j->depth--;
	if (j->some[j->depth])
		json_newline(j);
	weir_buf_char(j->out, c);
}

void weir_json_object(struct weir_json *j)
{
	json_begin(j, '{');
}

void weir_json_object_end(struct weir_json *j)
{
	json_end(j, '}');
}

void weir_json_array(struct weir_json *j)
{
	json_begin(j, '[');
}

void weir_json_array_end(struct weir_json *j)
{
	json_end(j, ']');
}

/* ASCII that may stand in a string as it is. Not so: what JSON forbids, what means something in HTML, DEL. */
static bool json_plain(unsigned char c)
{
	static const bool special[128] = {
		['"'] = true, ['\\'] = true, ['<'] = true, ['>'] = true, ['&'] = true, [0x7f] = true,
	};

	return c >= 0x20 && c < 0x80 && !special[c];
}

static void json_escape_char(struct weir_buf *out, uint32_t c)
{
	switch (c) {
	case '"':
		weir_buf_add(out, "\\\"", 2);
		return;
	case '\\':
		weir_buf_add(out, "\\\\", 2);
		return;
	case '\n':
		weir_buf_add(out, "\\n", 2);
		return;
	case '\t':
		weir_buf_add(out, "\\t", 2);
		return;
	}
	if (c >= 0x10000) {
		c -= 0x10000;
		weir_buf_printf(out, "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
		return;
	}
	weir_buf_printf(out, "\\u%04x", c);
}

static void json_quote(struct weir_buf *out, const char *s)
{
	size_t len = strlen(s);

	weir_buf_char(out, '"');
	while (len) {
		size_t n = 0;
		uint32_t c;

		while (n < len && json_plain((unsigned char)s[n]))
			n++;
		weir_buf_add(out, s, n);
		s += n;
		len -= n;
		if (!len)
			break;

		n = weir_text_utf8_next(s, len, &c);
		if (c == WEIR_TEXT_BAD)
			weir_buf_str(out, "\ufffd");
		else if (c < 0x80 || weir_text_is_control(c))
			json_escape_char(out, c); /* a terminal may show the document too */
		else
			weir_buf_add(out, s, n);
		s += n;
		len -= n;
	}
	weir_buf_char(out, '"');
}

static void json_colon(struct weir_json *j)
{
	weir_buf_add(j->out, ": ", j->indent ? 2 : 1);
	j->after_key = true;
}

void weir_json_key(struct weir_json *j, const char *key)
{
	assert(j->depth && !j->after_key);
	json_next(j);
	json_quote(j->out, key);
	json_colon(j);
}

void weir_json_key_quoted(struct weir_json *j, const char *quoted, size_t len)
{
	char *to;

	assert(j->depth && !j->after_key);
	if (j->indent || !j->some[j->depth - 1]) {
		json_next(j);
		weir_buf_add(j->out, quoted, len);
		json_colon(j);
		return;
	}
	/* The same in one piece: most of a large document passes here. */
	to = weir_buf_room(j->out, len + 2);
	j->after_key = true;
	if (!to)
		return;
	*to++ = ',';
	memcpy(to, quoted, len);
	to += len;
	*to++ = ':';
	*to = '\0';
	j->out->len += len + 2;
}

void weir_json_uint(struct weir_json *j, uint64_t v)
{
	json_next(j);
	weir_buf_uint(j->out, v);
}

void weir_json_int(struct weir_json *j, int64_t v)
{
	json_next(j);
	if (v < 0)
		weir_buf_char(j->out, '-');
	weir_buf_uint(j->out, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* The decimal point of the user's locale may be a comma, or two bytes long. */
static void json_point(char *text)
{
	char *to = text;

	for (char *at = text; *at; at++) {
		if (strchr("0123456789+-e", *at))
			*to++ = *at;
		else if (to == text || to[-1] != '.')
			*to++ = '.';
	}
	*to = '\0';
}

void weir_json_double(struct weir_json *j, double v)
{
	char text[40];

	if (!isfinite(v)) {
		weir_json_null(j);
		return;
	}
	json_next(j);
	/* The shortest of the three that reads back the same. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	json_point(text);
	weir_buf_str(j->out, text);
}

void weir_json_bool(struct weir_json *j, bool v)
{
	json_next(j);
	weir_buf_str(j->out, v ? "true" : "false");
}

void weir_json_text(struct weir_json *j, const char *s)
{
	json_next(j);
	if (s)
		json_quote(j->out, s);
	else
		weir_buf_add(j->out, "null", 4);
}

void weir_json_null(struct weir_json *j)
{
	json_next(j);
	weir_buf_add(j->out, "null", 4);
}

void weir_json_time(struct weir_json *j, uint64_t real_ns)
{
	char text[WEIR_TIMESTAMP_TEXT];

	json_next(j);
	weir_buf_char(j->out, '"');
	weir_buf_add(j->out, text, weir_timestamp_format(real_ns, text));
	weir_buf_char(j->out, '"');
}
