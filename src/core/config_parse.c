// SPDX-License-Identifier: GPL-2.0-or-later
#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/config_private.h"
#include "core/query_words.h"

/* One file. First libyaml's events are walked: they have the position of each key, and show what a configuration must
 * not have before anything is built from it (aliases, keys that are given twice, depth). What is left libcyaml turns
 * into values, by a schema made from the declarations. */

struct scan {
	const struct weir_config *c;
	const char *name; /* of the file */
	yaml_parser_t parser;
	unsigned *line; /* where each setting was given; 0: not yet */
	unsigned *group_line;
	unsigned given;
	char **ret_error;
};

static int fail_at(const char *name, size_t line, size_t column, char **ret_error, const char *fmt, va_list ap)
	__attribute__((format(printf, 5, 0)));

/* "FILE:LINE:COLUMN: what: cure". Lines and columns count from 1. */
static int fail_at(const char *name, size_t line, size_t column, char **ret_error, const char *fmt, va_list ap)
{
	struct weir_buf b = {};

	weir_text_escape_terminal(&b, name, WEIR_TEXT_UNLIMITED);
	weir_buf_printf(&b, ":%zu:%zu: ", line, column);
	weir_buf_vprintf(&b, fmt, ap);
	return weir_buf_error(&b, -EINVAL, ret_error);
}

static int fail(struct scan *s, const yaml_mark_t *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(struct scan *s, const yaml_mark_t *at, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fail_at(s->name, at->line + 1, at->column + 1, s->ret_error, fmt, ap);
	va_end(ap);
	return r;
}

static int fail_text(const char *name, size_t line, size_t column, char **ret_error, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static int fail_text(const char *name, size_t line, size_t column, char **ret_error, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fail_at(name, line, column, ret_error, fmt, ap);
	va_end(ap);
	return r;
}

/* --- events ------------------------------------------------------------------------------------ */

static int fail_syntax(struct scan *s)
{
	const yaml_parser_t *p = &s->parser;

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	return fail(s, &p->problem_mark, "this is not YAML: %s%s%s: write it as KEY: VALUE",
		    p->problem ? p->problem : "it cannot be read", p->context ? " " : "",
		    p->context ? p->context : "");
}

static int refuse(struct scan *s, const yaml_event_t *e, bool anchor, bool tag)
{
	if (anchor)
		return fail(s, &e->start_mark, "anchors (&name) are not taken: write the value itself");
	if (tag)
		return fail(s, &e->start_mark, "tags (!name) are not taken: write the value alone");
	return 0;
}

/* The caller deletes the event when this returns 0. */
static int next_event(struct scan *s, yaml_event_t *e)
{
	int r = 0;

	if (!yaml_parser_parse(&s->parser, e))
		return fail_syntax(s);
	if (e->type == YAML_ALIAS_EVENT)
		r = fail(s, &e->start_mark, "aliases (*name) are not taken: write the value itself");
	else if (e->type == YAML_SCALAR_EVENT)
		r = refuse(s, e, e->data.scalar.anchor, e->data.scalar.tag);
	else if (e->type == YAML_MAPPING_START_EVENT)
		r = refuse(s, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
	else if (e->type == YAML_SEQUENCE_START_EVENT)
		r = refuse(s, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
	if (r < 0)
		yaml_event_delete(e);
	return r;
}

static const char *scalar(const yaml_event_t *e)
{
	return (const char *)e->data.scalar.value;
}

/* --- keys and values --------------------------------------------------------------------------- */

static const char *kind_of(const yaml_event_t *e)
{
	return e->type == YAML_SEQUENCE_START_EVENT ? "a list" : "keys of its own";
}

static int unknown_key(struct scan *s, const char *group, const yaml_event_t *key)
{
	const char *near = weir_config_near(s->c, group, scalar(key));
	_cleanup_(weir_buf_done) struct weir_buf text = {};

	weir_words_quote(&text, scalar(key));
	if (group)
		weir_buf_printf(&text, " in %s", group);
	if (text.error)
		return -ENOMEM;
	if (near)
		return fail(s, &key->start_mark, "unknown key %s: did you mean %s?", text.data, near);
	return fail(s, &key->start_mark, "unknown key %s: weir help daemon lists them", text.data);
}

static int given_twice(struct scan *s, const yaml_event_t *key, unsigned before)
{
	return fail(s, &key->start_mark, "%s stands here again, first on line %u: take one away", scalar(key), before);
}

static int read_value(struct scan *s, unsigned i)
{
	_cleanup_(weir_buf_done) struct weir_buf reason = {};
	const struct weir_setting *set = &s->c->settings[i];
	yaml_event_t e;
	int r;

	r = next_event(s, &e);
	if (r < 0)
		return r;
	if (e.type != YAML_SCALAR_EVENT) {
		weir_key_takes(&set->key, &reason);
		r = fail(s, &e.start_mark, "%s takes %s, not %s", set->name, reason.data ? reason.data : "", kind_of(&e));
	} else if (!weir_key_check(&set->key, scalar(&e), e.data.scalar.length,
				   e.data.scalar.style == YAML_PLAIN_SCALAR_STYLE, &reason)) {
		r = fail(s, &e.start_mark, "%s %s", set->name, reason.data ? reason.data : "");
	}
	if (reason.error)
		r = -ENOMEM;
	yaml_event_delete(&e);
	return r;
}

static int read_group(struct scan *s, const yaml_event_t *key);

/* One key and its value; group NULL: at the top. */
static int read_entry(struct scan *s, const char *group, const yaml_event_t *key)
{
	int i;

	if (key->type != YAML_SCALAR_EVENT)
		return fail(s, &key->start_mark, "a key is a word, not %s: write it as KEY: VALUE", kind_of(key));
	if (strlen(scalar(key)) != key->data.scalar.length)
		return fail(s, &key->start_mark, "the key has a NUL in it: take it out");
	if (!group && weir_config_group(s->c, scalar(key)))
		return read_group(s, key);
	i = weir_config_find(s->c, group, scalar(key));
	if (i < 0)
		return unknown_key(s, group, key);
	if (s->line[i])
		return given_twice(s, key, s->line[i]);
	s->line[i] = (unsigned)key->start_mark.line + 1;
	s->given++;
	return read_value(s, (unsigned)i);
}

/* Up to the end of a mapping whose start was read. */
static int read_entries(struct scan *s, const char *group)
{
	for (;;) {
		yaml_event_t key;
		int r = next_event(s, &key);

		if (r < 0)
			return r;
		if (key.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&key);
			return 0;
		}
		r = read_entry(s, group, &key);
		yaml_event_delete(&key);
		if (r < 0)
			return r;
	}
}

static int read_group(struct scan *s, const yaml_event_t *key)
{
	unsigned first = 0;
	yaml_event_t e;
	int r;

	while (!s->c->settings[first].group || strcmp(s->c->settings[first].group, scalar(key)) != 0)
		first++;
	if (s->group_line[first])
		return given_twice(s, key, s->group_line[first]);
	s->group_line[first] = (unsigned)key->start_mark.line + 1;
	r = next_event(s, &e);
	if (r < 0)
		return r;
	if (e.type == YAML_MAPPING_START_EVENT)
		r = read_entries(s, s->c->settings[first].group);
	else
		r = fail(s, &e.start_mark, "%s takes keys of its own, such as %s", scalar(key),
			 s->c->settings[first].key.name);
	yaml_event_delete(&e);
	return r;
}

/* The document's root was read into e. */
static int read_root(struct scan *s, const yaml_event_t *e)
{
	if (e->type == YAML_MAPPING_START_EVENT)
		return read_entries(s, NULL);
	if (e->type == YAML_SCALAR_EVENT && !e->data.scalar.length && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return 0; /* "---" and nothing else */
	return fail(s, &e->start_mark, "keys are expected here, not %s: write KEY: VALUE",
		    e->type == YAML_SCALAR_EVENT ? "a text" : "a list");
}

static int scan_document(struct scan *s)
{
	unsigned documents = 0;

	for (;;) {
		yaml_event_t e;
		int r = next_event(s, &e);

		if (r < 0)
			return r;
		if (e.type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(&e);
			return 0;
		}
		if (e.type == YAML_DOCUMENT_START_EVENT && documents++)
			r = fail(s, &e.start_mark, "a second document begins here: keep to one");
		else if (e.type != YAML_STREAM_START_EVENT && e.type != YAML_DOCUMENT_START_EVENT &&
			 e.type != YAML_DOCUMENT_END_EVENT)
			r = read_root(s, &e);
		yaml_event_delete(&e);
		if (r < 0)
			return r;
	}
}

/* --- bytes ------------------------------------------------------------------------------------- */

/* Before any YAML is read: only text gets there. */
static int check_bytes(const char *name, const char *text, size_t len, char **ret_error)
{
	size_t line = 1, column = 1;

	if (len > WEIR_CONFIG_BYTES_MAX)
		return fail_text(name, 1, 1, ret_error, "the file has more than %u bytes: make it shorter",
				 WEIR_CONFIG_BYTES_MAX);
	while (len) {
		uint32_t character;
		size_t n = weir_text_utf8_next(text, len, &character);

		if (character == 0)
			return fail_text(name, line, column, ret_error, "there is a NUL byte here: save it as text");
		if (character == WEIR_TEXT_BAD)
			return fail_text(name, line, column, ret_error,
					 "byte 0x%02x is not UTF-8: save the file as UTF-8", (unsigned char)*text);
		column++;
		if (character == '\n') {
			line++;
			column = 1;
		}
		text += n;
		len -= n;
	}
	return 0;
}

/* --- values, by libcyaml ----------------------------------------------------------------------- */

/* Where libcyaml puts one value; by the key's type. */
struct slot {
	char *text;
	uint64_t number;
	bool yes;
};

static void field_make(const struct weir_key *k, unsigned i, struct cyaml_schema_field *ret)
{
	uint32_t at = i * (uint32_t)sizeof(struct slot);

	*ret = (struct cyaml_schema_field){ .key = k->name };
	switch (k->type) {
	case WEIR_KEY_COUNT:
		ret->data_offset = at + offsetof(struct slot, number);
		ret->value = (struct cyaml_schema_value){ CYAML_VALUE_UINT(CYAML_FLAG_OPTIONAL, uint64_t) };
		return;
	case WEIR_KEY_BOOL:
		ret->data_offset = at + offsetof(struct slot, yes);
		ret->value = (struct cyaml_schema_value){ CYAML_VALUE_BOOL(CYAML_FLAG_OPTIONAL, bool) };
		return;
	case WEIR_KEY_TEXT:
	case WEIR_KEY_PATH:
	case WEIR_KEY_LISTEN:
	case WEIR_KEY_CHOICE:
	case WEIR_KEY_SIZE:
		ret->data_offset = at + offsetof(struct slot, text);
		ret->value = (struct cyaml_schema_value){ CYAML_VALUE_STRING(
			CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, char, 1, WEIR_CONFIG_VALUE_MAX) };
		return;
	}
}

/* The fields of one group, and at the top the groups themselves. Each list ends with a field without a key. */
static struct cyaml_schema_field *fields_make(const struct weir_config *c, const char *group,
					      struct cyaml_schema_field **at, uint32_t data_size)
{
	struct cyaml_schema_field *first = *at, *group_fields;
	unsigned n = 0;

	for (unsigned i = 0; i < c->n; i++) {
		const struct weir_setting *s = &c->settings[i];
		bool new_group = !group && s->group && (i == 0 || c->settings[i - 1].group != s->group);

		if (s->group == group)
			field_make(&s->key, i, &first[n++]);
		else if (new_group)
			/* The group's fields have their offsets from the beginning of all slots. */
			first[n++] = (struct cyaml_schema_field){
				.key = s->group,
				.value = { .type = CYAML_MAPPING, .flags = CYAML_FLAG_OPTIONAL, .data_size = data_size },
			};
	}
	*at = first + n + 1;
	for (unsigned i = 0; !group && i < n; i++) {
		if (first[i].value.type != CYAML_MAPPING)
			continue;
		group_fields = fields_make(c, first[i].key, at, data_size);
		first[i].value.mapping.fields = group_fields;
	}
	return first;
}

static char *value_text(const struct weir_key *k, const struct slot *slot)
{
	char number[24];

	switch (k->type) {
	case WEIR_KEY_COUNT:
		snprintf(number, sizeof(number), "%llu", (unsigned long long)slot->number);
		return strdup(number);
	case WEIR_KEY_BOOL:
		return strdup(slot->yes ? "true" : "false");
	case WEIR_KEY_TEXT:
	case WEIR_KEY_PATH:
	case WEIR_KEY_LISTEN:
	case WEIR_KEY_CHOICE:
	case WEIR_KEY_SIZE:
		return strdup(slot->text ? slot->text : "");
	}
	return NULL;
}

/* All or nothing: texts are made before any is put in place. */
static int take_values(struct weir_config *c, const struct scan *s, const struct slot *slots)
{
	char **texts = calloc(c->n, sizeof(*texts));
	int r = texts ? 0 : -ENOMEM;

	for (unsigned i = 0; r == 0 && i < c->n; i++) {
		if (!s->line[i])
			continue;
		texts[i] = value_text(&c->settings[i].key, &slots[i]);
		if (!texts[i])
			r = -ENOMEM;
	}
	for (unsigned i = 0; texts && i < c->n; i++) {
		if (r == 0 && texts[i]) {
			free(c->values[i].text);
			c->values[i].text = TAKE_PTR(texts[i]);
		}
		free(texts[i]);
	}
	free(texts);
	return r;
}

static int load_values(struct weir_config *c, struct scan *s, const char *text, size_t len)
{
	/* Group names at most as many as settings, and an end for each list. */
	_cleanup_free_ struct cyaml_schema_field *fields = calloc(3 * c->n + 2, sizeof(*fields));
	struct cyaml_config cyaml = { .mem_fn = cyaml_mem, .flags = CYAML_CFG_NO_ALIAS };
	uint32_t data_size = c->n * (uint32_t)sizeof(struct slot);
	struct cyaml_schema_field *at = fields;
	struct cyaml_schema_value root = { .type = CYAML_MAPPING, .flags = CYAML_FLAG_POINTER, .data_size = data_size };
	struct slot *slots = NULL;
	cyaml_err_t e;
	int r;

	if (!fields)
		return -ENOMEM;
	root.mapping.fields = fields_make(c, NULL, &at, data_size);
	e = cyaml_load_data((const uint8_t *)text, len, &cyaml, &root, (cyaml_data_t **)&slots, NULL);
	if (e == CYAML_ERR_OOM)
		return -ENOMEM;
	if (e != CYAML_OK)
		return fail_text(s->name, 1, 1, s->ret_error, "the file cannot be read: %s", cyaml_strerror(e));
	r = take_values(c, s, slots);
	cyaml_free(&cyaml, &root, slots, 0);
	return r;
}

int weir_config_parse(struct weir_config *c, const char *name, const char *text, size_t len, char **ret_error)
{
	_cleanup_free_ unsigned *line = calloc(c->n, sizeof(*line)), *group_line = calloc(c->n, sizeof(*group_line));
	struct scan s = { .c = c, .name = name, .line = line, .group_line = group_line, .ret_error = ret_error };
	int r;

	if (!line || !group_line)
		return -ENOMEM;
	r = check_bytes(name, text, len, ret_error);
	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&s.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&s.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&s.parser, (const unsigned char *)text, len);
	r = scan_document(&s);
	yaml_parser_delete(&s.parser);
	if (r < 0 || !s.given)
		return r;
	return load_values(c, &s, text, len);
}
