// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "core/document.h"
#include "core/tables.h"
#include "frontends/export/prometheus.h"

/* --- parameters --------------------------------------------------------------------------- */

#define PARAMETERS_MAX 32

struct parameters {
	struct {
		const char *name, *value;
	} list[PARAMETERS_MAX];
	unsigned n;
	const char *error;
};

__attribute__((format(printf, 2, 3))) static int complain(char **ret_error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(ret_error, fmt, ap);
	va_end(ap);
	if (n < 0) {
		*ret_error = NULL;
		return -ENOMEM;
	}
	return -EINVAL;
}

static enum MHD_Result collect(void *to, enum MHD_ValueKind kind, const char *name, size_t name_len,
			       const char *value, size_t value_len)
{
	struct parameters *p = to;

	(void)kind;
	if (!value)
		value = "";
	if (strlen(name) != name_len || strlen(value) != value_len)
		p->error = "a parameter holds a NUL byte";
	else if (p->n == PARAMETERS_MAX)
		p->error = "too many parameters";
	for (unsigned i = 0; i < p->n && !p->error; i++)
		if (strcmp(p->list[i].name, name) == 0)
			p->error = "a parameter is given twice";
	if (p->error)
		return MHD_NO;
	p->list[p->n].name = name;
	p->list[p->n++].value = value;
	return MHD_YES;
}

static int parameters_read(struct parameters *p, struct web_request *r, char **ret_error)
{
	*p = (struct parameters){ 0 };
	MHD_get_connection_values_n(r->connection->mhd, MHD_GET_ARGUMENT_KIND, collect, p);
	return p->error ? complain(ret_error, "%s", p->error) : 0;
}

/* NULL: not given. What was taken is known; what is left at the end is not. */
static const char *take(struct parameters *p, const char *name)
{
	for (unsigned i = 0; i < p->n; i++) {
		if (!p->list[i].name || strcmp(p->list[i].name, name) != 0)
			continue;
		p->list[i].name = NULL;
		return p->list[i].value;
	}
	return NULL;
}

static const char *take_for(struct parameters *p, const char *name, const char *topic)
{
	char text[128];

	if (snprintf(text, sizeof(text), "%s.%s", name, topic) >= (int)sizeof(text))
		return NULL;
	return take(p, text);
}

static int refuse_others(struct parameters *p, const char *known, char **ret_error)
{
	(void)take(p, "token"); /* read elsewhere */
	for (unsigned i = 0; i < p->n; i++)
		if (p->list[i].name)
			return complain(ret_error, "unknown parameter \"%s\": there are %s",
					p->list[i].name, known);
	return 0;
}

static int read_count(const char *name, const char *text, size_t *ret, char **ret_error)
{
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!text)
		return 0;
	if (digits == 0 || digits > 15 || text[digits])
		return complain(ret_error, "%s must be a number from 0 on, not \"%s\"", name, text);
	*ret = strtoull(text, NULL, 10);
	return 0;
}

int web_api_read_table(struct web_request *r, char **ret_error)
{
	struct parameters p;
	const char *text;

	int e = parameters_read(&p, r, ret_error);
	if (e < 0)
		return e;
	weir_query_init(&r->query, r->table);
	r->query.viewer = r->viewer;
	text = take(&p, "filter");
	if (text && (e = weir_filter_parse(r->table, text, &r->filter, ret_error)) < 0)
		return e;
	r->query.filter = r->filter;
	text = take(&p, "sort");
	if (text && (e = weir_query_sort(&r->query, r->table, text, ret_error)) < 0)
		return e;
	text = take(&p, "fields");
	if (text && (e = weir_query_fields(&r->query, r->table, text, ret_error)) < 0)
		return e;
	e = read_count("limit", take(&p, "limit"), &r->query.limit, ret_error);
	if (e < 0)
		return e;
	e = read_count("offset", take(&p, "offset"), &r->query.offset, ret_error);
	if (e < 0)
		return e;
	text = take(&p, "indent");
	r->indent = text && strcmp(text, "0") != 0;
	return refuse_others(&p, "filter, sort, limit, offset, fields and indent", ret_error);
}

static int subscribe(struct web_request *r, struct parameters *p, const char *name,
		     const char *filter, const char *fields, char **ret_error)
{
	const struct weir_table *table = weir_table_find(name);
	const char *own;
	struct web_topic *topic;

	if (!table || table->internal)
		return complain(ret_error, "unknown topic \"%s\": GET /api/v1 lists them", name);
	for (unsigned i = 0; i < r->stream->n_subscriptions; i++)
		if (r->stream->subscriptions[i].topic->table == table)
			return complain(ret_error, "topic \"%s\" is given twice", name);
	own = take_for(p, "filter", name);
	filter = own ? own : filter;
	own = take_for(p, "fields", name);
	fields = own ? own : fields;
	int e = web_topic_get(&r->connection->server->streams.topics, table, filter ? filter : "",
			      fields, r->account, &topic, ret_error);
	if (e < 0)
		return e;
	e = web_stream_subscribe(r->stream, topic);
	if (e < 0) {
		web_topic_unref(topic);
		return complain(ret_error, "at most %d topics on one stream", WEB_TOPICS);
	}
	return 0;
}

int web_api_read_events(struct web_request *r, char **ret_error)
{
	struct parameters p;

	int e = parameters_read(&p, r, ret_error);
	if (e < 0)
		return e;
	const char *topics = take(&p, "topics");
	if (!topics || !*topics)
		return complain(ret_error,
				"topics is missing: name tables, such as topics=processes,flows");
	r->stream = web_stream_new(r->connection);
	_cleanup_free_ char *names = strdup(topics);
	if (!r->stream || !names)
		return -ENOMEM;
	const char *filter = take(&p, "filter"), *fields = take(&p, "fields"), *name;
	char *rest = names;
	while ((name = strsep(&rest, ","))) {
		e = subscribe(r, &p, name, filter, fields, ret_error);
		if (e < 0)
			return e;
	}
	return refuse_others(&p, "topics, filter, fields, filter.TOPIC and fields.TOPIC",
			     ret_error);
}

/* --- documents ---------------------------------------------------------------------------- */

int web_api_render(struct web_request *r, const struct weir_snapshot *s, struct web_payload **ret)
{
	struct web_payload *p = web_payload_new(r->account);
	int e;

	if (!p)
		return -ENOMEM;
	if (r->table)
		e = weir_document_json(&p->text, s, r->table, &r->query,
				       r->indent ? WEIR_JSON_INDENTED : WEIR_JSON_COMPACT);
	else
		e = weir_prometheus_render(&p->text, s, &r->viewer);
	int sealed = web_payload_seal(p);
	if (e < 0 || sealed < 0) {
		web_payload_unref(p);
		return e < 0 ? e : sealed;
	}
	*ret = p;
	return 0;
}

static const char *const type_names[] = {
	[WEIR_TYPE_UINT] = "uint", [WEIR_TYPE_INT] = "int",	    [WEIR_TYPE_BOOL] = "bool",
	[WEIR_TYPE_TEXT] = "text", [WEIR_TYPE_ADDRESS] = "address", [WEIR_TYPE_TIME] = "time",
};
_Static_assert(ARRAY_SIZE(type_names) == _WEIR_TYPE_MAX, "each type has its name");

static void text_member(struct weir_json *j, const char *key, const char *value)
{
	weir_json_key(j, key);
	weir_json_text(j, value);
}

static void bool_member(struct weir_json *j, const char *key, bool value)
{
	weir_json_key(j, key);
	weir_json_bool(j, value);
}

static void write_field(struct weir_json *j, const struct weir_field *f)
{
	weir_json_object(j);
	text_member(j, "name", f->name);
	text_member(j, "title", f->title);
	text_member(j, "type", type_names[f->type]);
	text_member(j, "unit", weir_unit_name(f->unit));
	text_member(j, "help", f->help);
	bool_member(j, "key", f->flags & WEIR_FIELD_KEY);
	bool_member(j, "column", f->flags & WEIR_FIELD_COLUMN);
	text_member(j, "filter", f->filter);
	text_member(j, "metric", f->metric);
	weir_json_object_end(j);
}

void web_api_index(struct weir_buf *out)
{
	const struct weir_table *t;
	struct weir_json j;

	weir_json_init(&j, out, false);
	weir_json_object(&j);
	weir_json_key(&j, "schema_version");
	weir_json_uint(&j, 1);
	weir_json_key(&j, "tables");
	weir_json_array(&j);
	for (unsigned i = 0; (t = weir_table_at(i)); i++) {
		if (t->internal)
			continue;
		weir_json_object(&j);
		text_member(&j, "name", t->name);
		text_member(&j, "summary", t->summary);
		text_member(&j, "sort",
			    t->sort_field < t->n_fields ? t->fields[t->sort_field].name : NULL);
		bool_member(&j, "host_wide", t->host_wide);
		weir_json_key(&j, "fields");
		weir_json_array(&j);
		for (unsigned k = 0; k < t->n_fields; k++)
			write_field(&j, &t->fields[k]);
		weir_json_array_end(&j);
		weir_json_object_end(&j);
	}
	weir_json_array_end(&j);
	weir_json_object_end(&j);
	weir_buf_char(out, '\n');
}
