// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/json_text.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 64

struct json_span {
	const char *at;
	size_t len;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(const char *text, size_t len, size_t at)
{
	while (at < len && is_space(text[at]))
		at++;
	return at;
}

/* text[at] is the opening quote; where the string ends (after the closing quote), 0 when it does
 * not. */
static size_t string_end(const char *text, size_t len, size_t at)
{
	for (at++; at < len; at++) {
		if (text[at] == '\\')
			at++;
		else if (text[at] == '"')
			return at + 1;
	}
	return 0;
}

/* Where the value that starts at text[at] ends; 0 when it does not. */
static size_t value_end(const char *text, size_t len, size_t at)
{
	char open[DEPTH_MAX];
	unsigned depth = 0;

	if (at >= len)
		return 0;
	while (at < len) {
		char c = text[at];

		if (c == '"') {
			at = string_end(text, len, at);
			if (!at)
				return 0;
		} else if (c == '{' || c == '[') {
			if (depth == DEPTH_MAX)
				return 0;
			open[depth++] = c;
			at++;
			continue;
		} else if (c == '}' || c == ']') {
			if (!depth || open[--depth] != (c == '}' ? '{' : '['))
				return 0;
			at++;
		} else {
			at++;
			/* A number or a word goes on to the next mark. */
			if (depth || (at < len && !strchr(",}] \t\r\n", text[at])))
				continue;
		}
		if (!depth)
			return at;
	}
	return depth ? 0 : at;
}

/* The value of a member of the object that text is. */
static int member_find(const char *text, size_t len, const char *name, struct json_span *ret)
{
	size_t at = skip_space(text, len, 0);

	if (at == len || text[at] != '{')
		return -EBADMSG;
	for (at++;;) {
		size_t key, key_end, end;

		key = skip_space(text, len, at);
		if (key < len && text[key] == '}')
			return -ENOENT;
		if (key == len || text[key] != '"')
			return -EBADMSG;
		key_end = string_end(text, len, key);
		at = key_end ? skip_space(text, len, key_end) : len;
		if (at >= len || text[at] != ':')
			return -EBADMSG;
		at = skip_space(text, len, at + 1);
		end = value_end(text, len, at);
		if (!end)
			return -EBADMSG;
		if (key_end - key - 2 == strlen(name) &&
		    !memcmp(text + key + 1, name, strlen(name))) {
			*ret = (struct json_span){ text + at, end - at };
			return 0;
		}
		at = skip_space(text, len, end);
		if (at < len && text[at] == ',')
			at++;
	}
}

/* Copies without white space outside strings, so that the row stays on its line. */
static void add_compact(struct weir_buf *out, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t end = at + 1;

		if (text[at] == '"')
			end = string_end(text, len, at) ?: len;
		if (!is_space(text[at]))
			weir_buf_add(out, text + at, end - at);
		at = end;
	}
}

static void add_row(struct weir_buf *out, const struct json_span *row, const struct weir_buf *stamp)
{
	bool object = row->len >= 2 && row->at[0] == '{';

	if (stamp->len && object) {
		bool empty = skip_space(row->at, row->len, 1) == row->len - 1;

		weir_buf_add(out, stamp->data, stamp->len - (empty ? 1 : 0));
		add_compact(out, row->at + 1, row->len - 1);
	} else {
		add_compact(out, row->at, row->len);
	}
	weir_buf_char(out, '\n');
}

/* {"time":"...","snapshot":12, */
static int make_stamp(struct weir_buf *out, const char *text, size_t len)
{
	struct json_span time, number;
	int r;

	r = member_find(text, len, "time", &time);
	if (r >= 0)
		r = member_find(text, len, "snapshot", &number);
	if (r < 0)
		return r;
	weir_buf_str(out, "{\"time\":");
	weir_buf_add(out, time.at, time.len);
	weir_buf_str(out, ",\"snapshot\":");
	weir_buf_add(out, number.at, number.len);
	weir_buf_char(out, ',');
	return out->error;
}

static int add_rows(struct weir_buf *out, const struct json_span *rows,
		    const struct weir_buf *stamp)
{
	for (size_t at = 1;;) {
		struct json_span row;
		size_t end;

		at = skip_space(rows->at, rows->len, at);
		if (at >= rows->len)
			return -EBADMSG;
		if (rows->at[at] == ']')
			return out->error;
		end = value_end(rows->at, rows->len, at);
		if (!end)
			return -EBADMSG;
		row = (struct json_span){ rows->at + at, end - at };
		add_row(out, &row, stamp);
		at = skip_space(rows->at, rows->len, end);
		if (at < rows->len && rows->at[at] == ',')
			at++;
	}
}

int cli_json_rows(struct weir_buf *out, const char *text, size_t len, bool stamp)
{
	struct weir_buf front = {};
	struct json_span rows;
	int r;

	r = member_find(text, len, "rows", &rows);
	if (r >= 0 && rows.at[0] != '[')
		r = -EBADMSG;
	if (r >= 0 && stamp)
		r = make_stamp(&front, text, len);
	if (r >= 0)
		r = add_rows(out, &rows, &front);
	weir_buf_done(&front);
	return r == -ENOENT ? -EBADMSG : r;
}

static void add_line(struct weir_buf *out, unsigned depth)
{
	weir_buf_char(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		weir_buf_str(out, "  ");
}

int cli_json_indent(struct weir_buf *out, const char *text, size_t len)
{
	size_t end = value_end(text, len, skip_space(text, len, 0));
	unsigned depth = 0;

	if (!end || skip_space(text, len, end) != len)
		return -EBADMSG;
	for (size_t at = 0; at < len;) {
		size_t next = skip_space(text, len, at + 1);
		char c = text[at];

		if (c == '"') {
			next = string_end(text, len, at);
			if (!next)
				return -EBADMSG;
			weir_buf_add(out, text + at, next - at);
			at = next;
			continue;
		}
		if ((c == '{' || c == '[') && next < len && text[next] == (c == '{' ? '}' : ']')) {
			weir_buf_char(out, c);
			weir_buf_char(out, text[next++]);
			at = next;
			continue;
		}
		if (c == '}' || c == ']') {
			if (!depth)
				return -EBADMSG;
			add_line(out, --depth);
		}
		if (!is_space(c))
			weir_buf_char(out, c);
		if (c == '{' || c == '[')
			depth++;
		if (c == '{' || c == '[' || c == ',')
			add_line(out, depth);
		else if (c == ':')
			weir_buf_char(out, ' ');
		at++;
	}
	return depth ? -EBADMSG : out->error;
}
