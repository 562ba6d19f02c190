// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/document.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "core/document_layout.h"

static void write_pair(struct weir_json *j, const char *key, const char *text)
{
	weir_json_key(j, key);
	weir_json_text(j, text);
}

static const char *schema_type(enum weir_type type)
{
	switch (type) {
	case WEIR_TYPE_UINT:
	case WEIR_TYPE_INT:
		return "integer";
	case WEIR_TYPE_BOOL:
		return "boolean";
	case WEIR_TYPE_TEXT:
	case WEIR_TYPE_ADDRESS:
	case WEIR_TYPE_TIME:
		return "string";
	case _WEIR_TYPE_MAX:
		break;
	}
	return "null";
}

static void write_range(struct weir_json *j, enum weir_type type, uint64_t max)
{
	if (type == WEIR_TYPE_UINT) {
		weir_json_key(j, "minimum");
		weir_json_uint(j, 0);
		weir_json_key(j, "maximum");
		weir_json_uint(j, max ? max : UINT64_MAX);
	} else if (type == WEIR_TYPE_INT) {
		weir_json_key(j, "minimum");
		weir_json_int(j, INT64_MIN);
		weir_json_key(j, "maximum");
		weir_json_int(j, INT64_MAX);
	}
}

/* "format" may be asserted by a reader; a field that is either of two formats lists both. */
static void write_format(struct weir_json *j, enum weir_type type)
{
	static const char *const addresses[] = { "ipv4", "ipv6" };

	if (type == WEIR_TYPE_TIME)
		write_pair(j, "format", "date-time");
	if (type != WEIR_TYPE_ADDRESS)
		return;
	weir_json_key(j, "anyOf");
	weir_json_array(j);
	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
		weir_json_object(j);
		write_pair(j, "format", addresses[i]);
		weir_json_object_end(j);
	}
	weir_json_array_end(j);
}

static void write_words(struct weir_json *j, const char *words, bool nullable)
{
	char word[64];

	weir_json_key(j, "enum");
	weir_json_array(j);
	for (const char *at = words; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		snprintf(word, sizeof(word), "%.*s", (int)n, at);
		weir_json_text(j, word);
		at += n;
	}
	if (nullable)
		weir_json_null(j);
	weir_json_array_end(j);
}

static void write_value(struct weir_json *j, const struct weir_field *f, bool nullable)
{
	weir_json_object(j);
	write_pair(j, "title", f->title);
	write_pair(j, "description", f->help);
	weir_json_key(j, "type");
	if (nullable) {
		weir_json_array(j);
		weir_json_text(j, schema_type(f->type));
		weir_json_text(j, "null");
		weir_json_array_end(j);
	} else {
		weir_json_text(j, schema_type(f->type));
	}
	if (f->words)
		write_words(j, f->words, nullable);
	write_range(j, f->type, f->max);
	write_format(j, f->type);
	weir_json_object_end(j);
}

/* No member is required: a caller may ask for some fields only. Unknown ones are refused, so that a document and
 * its schema cannot drift apart. */
static void write_properties(struct weir_json *j, const struct weir_layout *l, int first)
{
	write_pair(j, "type", "object");
	weir_json_key(j, "additionalProperties");
	weir_json_bool(j, false);
	weir_json_key(j, "properties");
	weir_json_object(j);
	for (int at = first; at >= 0; at = l->nodes[at].next) {
		const struct weir_layout_node *n = &l->nodes[at];

		weir_json_key(j, n->key);
		if (n->field >= 0) {
			write_value(j, &l->def->fields[n->field], n->depth == 0);
			continue;
		}
		weir_json_object(j);
		write_properties(j, l, n->child);
		weir_json_object_end(j);
	}
	weir_json_object_end(j);
}

static void write_integer(struct weir_json *j, const char *key, const char *help)
{
	weir_json_key(j, key);
	weir_json_object(j);
	write_pair(j, "description", help);
	write_pair(j, "type", "integer");
	write_range(j, WEIR_TYPE_UINT, 0);
	weir_json_object_end(j);
}

static void write_moment(struct weir_json *j, const char *key, const char *help)
{
	weir_json_key(j, key);
	weir_json_object(j);
	write_pair(j, "description", help);
	write_pair(j, "type", "string");
	write_pair(j, "format", "date-time");
	weir_json_object_end(j);
}

static void write_envelope(struct weir_json *j, bool past)
{
	weir_json_key(j, "schema_version");
	weir_json_object(j);
	write_pair(j, "description", "Goes up when a member changes its meaning; new members do not count.");
	weir_json_key(j, "const");
	weir_json_uint(j, 1);
	weir_json_object_end(j);

	weir_json_key(j, "host");
	weir_json_object(j);
	write_pair(j, "description", "Name of the host.");
	write_pair(j, "type", "string");
	weir_json_object_end(j);

	write_moment(j, "time", "When the snapshot was taken.");
	if (past) {
		write_moment(j, "from", "Where the span that was answered begins.");
		write_moment(j, "to", "Where it ends.");
		write_integer(j, "step", "Seconds of a step, or how finely the span's ends are known.");
		write_moment(j, "day_start", "When the daemon's local day began, at the end that was asked for; up to now: today.");
		weir_json_key(j, "utc_offset_seconds");
		weir_json_object(j);
		write_pair(j, "description", "By how much the daemon's local time was ahead of Universal Time then.");
		write_pair(j, "type", "integer");
		weir_json_object_end(j);
	}

	write_integer(j, "snapshot", "Number of the snapshot, counted up while the daemon runs.");
	write_integer(j, "lost_events", "Records that the kernel could not hand over since the start.");
	write_integer(j, "total", "Rows that the query selects, before limit and offset.");

	weir_json_key(j, "sums");
	weir_json_object(j);
	write_pair(j, "description", "Of the fields that were asked for, over all rows that the query selects.");
	write_pair(j, "type", "object");
	weir_json_key(j, "additionalProperties");
	weir_json_object(j);
	write_pair(j, "type", "integer");
	write_range(j, WEIR_TYPE_UINT, 0);
	weir_json_object_end(j);
	weir_json_object_end(j);
}

static void write_required(struct weir_json *j)
{
	static const char *const members[] = {
		"schema_version", "host", "time", "snapshot", "lost_events", "total", "rows",
	};

	weir_json_key(j, "required");
	weir_json_array(j);
	for (unsigned i = 0; i < ARRAY_SIZE(members); i++)
		weir_json_text(j, members[i]);
	weir_json_array_end(j);
}

int weir_document_schema(struct weir_buf *out, const struct weir_table *def)
{
	_cleanup_(weir_layout_done) struct weir_layout layout = { .first = -1 };
	struct weir_json j;
	int r;

	r = weir_layout_init(&layout, def);
	if (r < 0)
		return r;
	weir_json_init(&j, out, true);
	weir_json_object(&j);
	write_pair(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	write_pair(&j, "title", def->name);
	write_pair(&j, "description", def->summary);
	write_pair(&j, "type", "object");
	write_required(&j);
	weir_json_key(&j, "properties");
	weir_json_object(&j);
	write_envelope(&j, def->past);
	weir_json_key(&j, "rows");
	weir_json_object(&j);
	write_pair(&j, "type", "array");
	weir_json_key(&j, "items");
	weir_json_object(&j);
	write_properties(&j, &layout, layout.first);
	weir_json_object_end(&j);
	weir_json_object_end(&j);
	weir_json_object_end(&j);
	weir_json_object_end(&j);
	weir_buf_char(out, '\n');
	return out->error;
}
