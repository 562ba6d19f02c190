// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "core/document.h"
#include "core/document_layout.h"

/* jansson holds integers in 64 bits with a sign. A larger one, up to 2^64-1, is handed to it as a text that begins
 * with this byte, which JSON forbids inside a text unless escaped; a document that holds such a text on purpose
 * only wrote a number in another way. */
#define BIG_MARK "\\u0001"
#define BIG_MARK_BYTE '\1'

static void builder_freep(struct weir_builder **b)
{
	weir_builder_free(*b);
}

struct document_reader {
	const struct weir_layout *layout;
	struct weir_builder *builder;
	size_t row;
	struct weir_buf error;
};

/* --- integers of 64 bits --------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool in_number(char c)
{
	return is_digit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
}

/* Reads all of the digits; false when they are more than 64 bits hold. */
static bool digits_to_uint(const char *digits, size_t len, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++) {
		if (!is_digit(digits[i]) || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(digits[i] - '0'), &v))
			return false;
	}
	*ret = v;
	return len > 0;
}

/* The length of a string token that begins at text, with both quotes; up to len when it does not end. */
static size_t string_token(const char *text, size_t len)
{
	size_t i = 1;

	while (i < len && text[i] != '"')
		i += text[i] == '\\' && i + 1 < len ? 2 : 1;
	return i < len ? i + 1 : len;
}

/* Copies the document with each integer above INT64_MAX turned into a marked text. */
static int mark_big_integers(struct weir_buf *out, const char *text, size_t len)
{
	size_t kept = 0; /* copied up to here */

	for (size_t i = 0; i < len;) {
		size_t n = 0;
		uint64_t v;

		if (text[i] == '"') {
			i += string_token(text + i, len - i);
			continue;
		}
		while (i + n < len && in_number(text[i + n]))
			n++;
		if (n >= 19 && text[i] != '0' && digits_to_uint(text + i, n, &v) && v > INT64_MAX) {
			weir_buf_add(out, text + kept, i - kept);
			weir_buf_printf(out, "\"" BIG_MARK "%" PRIu64 "\"", v);
			kept = i + n;
		}
		i += n ? n : 1;
	}
	weir_buf_add(out, text + kept, len - kept);
	return out->error;
}

static bool value_uint(const json_t *v, uint64_t *ret)
{
	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		*ret = (uint64_t)json_integer_value(v);
		return true;
	}
	if (json_is_string(v) && json_string_value(v)[0] == BIG_MARK_BYTE)
		return digits_to_uint(json_string_value(v) + 1, json_string_length(v) - 1, ret);
	return false;
}

/* --- rows ------------------------------------------------------------------------------------ */

static int fail_cell(struct document_reader *rd, unsigned field, const char *expected)
{
	weir_buf_printf(&rd->error, "rows[%zu].%s is not %s", rd->row, rd->layout->def->fields[field].name, expected);
	return -EBADMSG;
}

static int read_uint(struct document_reader *rd, unsigned field, const json_t *v)
{
	uint64_t number;

	if (!value_uint(v, &number))
		return fail_cell(rd, field, "a whole number from 0 to 2^64-1");
	weir_builder_uint(rd->builder, field, number);
	return 0;
}

static int read_int(struct document_reader *rd, unsigned field, const json_t *v)
{
	if (!json_is_integer(v))
		return fail_cell(rd, field, "a whole number of 64 bits");
	weir_builder_int(rd->builder, field, json_integer_value(v));
	return 0;
}

static int read_bool(struct document_reader *rd, unsigned field, const json_t *v)
{
	if (!json_is_boolean(v))
		return fail_cell(rd, field, "true or false");
	weir_builder_bool(rd->builder, field, json_is_true(v));
	return 0;
}

static int read_text(struct document_reader *rd, unsigned field, const json_t *v)
{
	if (!json_is_string(v))
		return fail_cell(rd, field, "a text");
	weir_builder_text(rd->builder, field, json_string_value(v));
	return 0;
}

static int read_address(struct document_reader *rd, unsigned field, const json_t *v)
{
	struct weir_addr a;

	if (!json_is_string(v) || weir_addr_parse(json_string_value(v), &a) < 0)
		return fail_cell(rd, field, "an address");
	weir_builder_address(rd->builder, field, &a);
	return 0;
}

static int read_time(struct document_reader *rd, unsigned field, const json_t *v)
{
	uint64_t real_ns;

	if (!json_is_string(v) || weir_timestamp_parse(json_string_value(v), &real_ns) < 0)
		return fail_cell(rd, field, "a time (RFC 3339, UTC)");
	weir_builder_time(rd->builder, field, real_ns);
	return 0;
}

static int read_cell(struct document_reader *rd, unsigned field, const json_t *v)
{
	static int (*const readers[])(struct document_reader *, unsigned, const json_t *) = {
		[WEIR_TYPE_UINT] = read_uint, [WEIR_TYPE_INT] = read_int,	  [WEIR_TYPE_BOOL] = read_bool,
		[WEIR_TYPE_TEXT] = read_text, [WEIR_TYPE_ADDRESS] = read_address, [WEIR_TYPE_TIME] = read_time,
	};
	_Static_assert(ARRAY_SIZE(readers) == _WEIR_TYPE_MAX, "each type has its reader");

	return readers[rd->layout->def->fields[field].type](rd, field, v);
}

static int read_members(struct document_reader *rd, int first, const json_t *object)
{
	for (int at = first; at >= 0; at = rd->layout->nodes[at].next) {
		const struct weir_layout_node *n = &rd->layout->nodes[at];
		const json_t *v = json_object_get(object, n->key);
		int r;

		if (!v || json_is_null(v))
			continue;
		if (n->field >= 0)
			r = read_cell(rd, (unsigned)n->field, v);
		else if (json_is_object(v))
			r = read_members(rd, n->child, v);
		else
			r = fail_cell(rd, (unsigned)__builtin_ctzll(n->fields), "inside an object");
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_rows(struct document_reader *rd, const json_t *rows, uint64_t changed)
{
	size_t n = json_array_size(rows);

	weir_builder_table(rd->builder, rd->layout->def);
	for (rd->row = 0; rd->row < n; rd->row++) {
		const json_t *row = json_array_get(rows, rd->row);
		int r;

		if (!json_is_object(row)) {
			weir_buf_printf(&rd->error, "rows[%zu] is not an object", rd->row);
			return -EBADMSG;
		}
		weir_builder_row(rd->builder, WEIR_UID_HOST, changed);
		r = read_members(rd, rd->layout->first, row);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- envelope -------------------------------------------------------------------------------- */

/* A host's name that does not fit is cut between two characters. */
static void read_host(struct weir_snapshot_head *head, const char *host)
{
	size_t len = 0, left = strlen(host);
	uint32_t c;

	while (left) {
		size_t n = weir_text_utf8_next(host + len, left, &c);

		if (len + n >= sizeof(head->host))
			break;
		len += n;
		left -= n;
	}
	memcpy(head->host, host, len);
}

static int read_head(struct document_reader *rd, const json_t *document, struct weir_snapshot_head *head)
{
	const json_t *version = json_object_get(document, "schema_version");
	const json_t *host = json_object_get(document, "host");
	const json_t *when = json_object_get(document, "time");

	if (!json_is_integer(version) || json_integer_value(version) != 1) {
		weir_buf_str(&rd->error, "schema_version is not 1: this is no document of weir, or of a newer one");
		return -EBADMSG;
	}
	if (!json_is_string(host) || !json_is_string(when) ||
	    weir_timestamp_parse(json_string_value(when), &head->real_ns) < 0) {
		weir_buf_str(&rd->error, "host or time is missing or malformed");
		return -EBADMSG;
	}
	if (!value_uint(json_object_get(document, "snapshot"), &head->number) ||
	    !value_uint(json_object_get(document, "lost_events"), &head->lost_events)) {
		weir_buf_str(&rd->error, "snapshot or lost_events is missing or not a whole number");
		return -EBADMSG;
	}
	read_host(head, json_string_value(host));
	return 0;
}

static int read_document(struct document_reader *rd, const json_t *document, struct weir_snapshot **ret)
{
	const json_t *rows = json_object_get(document, "rows");
	struct weir_snapshot_head head = { 0 };
	int r;

	r = read_head(rd, document, &head);
	if (r < 0)
		return r;
	if (!json_is_array(rows)) {
		weir_buf_str(&rd->error, "rows is not an array");
		return -EBADMSG;
	}
	r = read_rows(rd, rows, head.number);
	if (r < 0)
		return r;
	return weir_builder_finish(rd->builder, &head, ret);
}

static int load_json(const char *text, size_t len, json_t **ret, struct weir_buf *error)
{
	_cleanup_(weir_buf_done) struct weir_buf marked = { 0 };
	json_error_t where;
	int r;

	r = mark_big_integers(&marked, text, len);
	if (r < 0)
		return r;
	*ret = json_loadb(marked.data, marked.len, JSON_REJECT_DUPLICATES, &where);
	if (*ret)
		return 0;
	if (json_error_code(&where) == json_error_out_of_memory)
		return -ENOMEM;
	weir_buf_printf(error, "line %d: ", where.line);
	weir_text_escape_terminal(error, where.text, 120);
	return -EBADMSG;
}

int weir_document_parse(const char *text, size_t len, const struct weir_table *def, struct weir_snapshot **ret,
			char **ret_error)
{
	_cleanup_(weir_layout_done) struct weir_layout layout = { .first = -1 };
	_cleanup_(builder_freep) struct weir_builder *builder = NULL;
	_cleanup_(json_decrefp) json_t *document = NULL;
	struct document_reader rd = { .layout = &layout };
	int r;

	r = weir_layout_init(&layout, def);
	if (r < 0)
		return r;
	builder = rd.builder = weir_builder_new();
	if (!builder)
		return -ENOMEM;
	r = load_json(text, len, &document, &rd.error);
	if (r == 0)
		r = read_document(&rd, document, ret);
	if (r == -EBADMSG) {
		if (rd.error.error)
			r = -ENOMEM;
		else
			*ret_error = TAKE_PTR(rd.error.data);
	}
	weir_buf_done(&rd.error);
	return r;
}
