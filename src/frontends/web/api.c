// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "core/document.h"
#include "core/history.h"
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
	return p->error ? weir_fail(ret_error, -EINVAL, "%s", p->error) : 0;
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
			return weir_fail(ret_error, -EINVAL, "unknown parameter \"%s\": there are %s", p->list[i].name, known);
	return 0;
}

static int read_count(const char *name, const char *text, size_t *ret, char **ret_error)
{
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!text)
		return 0;
	if (digits == 0 || digits > 15 || text[digits])
		return weir_fail(ret_error, -EINVAL, "%s must be a number from 0 on, not \"%s\"", name, text);
	*ret = strtoull(text, NULL, 10);
	return 0;
}

/* --- spans of the past --------------------------------------------------------------------- */

#define STEP_MOST (366u * 86400u)

/* RFC 3339, or seconds before now: "-3600". */
static int read_moment(const char *name, const char *text, enum weir_past_time which, struct weir_past_question *q,
		       uint64_t *ret_ns, char **ret_error)
{
	size_t seconds = 0;

	if (!strcmp(text, "now")) {
		*ret_ns = 0;
		q->before_now |= which;
		return 0;
	}
	if (text[0] == '-' && read_count(name, text + 1, &seconds, ret_error) == 0 && seconds <= UINT32_MAX) {
		*ret_ns = seconds * WEB_SECOND_NS;
		q->before_now |= which;
		return 0;
	}
	free(*ret_error);
	*ret_error = NULL;
	if (weir_timestamp_parse(text, ret_ns) == 0)
		return 0;
	return weir_fail(ret_error, -EINVAL,
			 "%s must be a time such as 2026-01-31T23:59:59Z, or seconds before now such as -3600, "
			 "not \"%s\"",
			 name, text);
}

/* How long the span is when only its end is given: what is told apart by days or months needs more than an hour. */
static uint64_t usual_span_ns(const struct weir_table *t)
{
	if (t == &weir_table_history_months)
		return 366 * 86400 * WEB_SECOND_NS;
	return (t == &weir_table_history_days ? 31 * 86400 : 3600) * WEB_SECOND_NS;
}

static int read_span(const struct weir_table *t, struct parameters *p, struct weir_past_question *q, char **ret_error)
{
	struct weir_history_question *h = &q->question;
	const char *from = take(p, "from"), *to = take(p, "to"), *from2 = take(p, "from2"), *to2 = take(p, "to2");
	uint64_t usual = usual_span_ns(t);
	int e = read_moment("to", to ? to : "now", WEIR_PAST_TO, q, &h->to_ns, ret_error);

	if (e == 0 && from)
		e = read_moment("from", from, WEIR_PAST_FROM, q, &h->from_ns, ret_error);
	if (e < 0)
		return e;
	if (!from && q->before_now & WEIR_PAST_TO) {
		q->before_now |= WEIR_PAST_FROM;
		h->from_ns = h->to_ns + usual;
	} else if (!from) {
		h->from_ns = h->to_ns > usual ? h->to_ns - usual : 0;
	}
	if (!from2 != !to2)
		return weir_fail(ret_error, -EINVAL, "from2 and to2 go together: the span to compare with");
	if (!from2)
		return 0;
	e = read_moment("from2", from2, WEIR_PAST_FROM2, q, &h->from2_ns, ret_error);
	return e < 0 ? e : read_moment("to2", to2, WEIR_PAST_TO2, q, &h->to2_ns, ret_error);
}

/* filter: what is chosen before sums are made, NULL: everything. */
static int read_past(struct web_request *r, struct parameters *p, const char *filter, char **ret_error)
{
	struct weir_past_question *q = calloc(1, sizeof(*q));
	size_t step = 0;
	int e;

	if (!q)
		return -ENOMEM;
	r->question = q;
	q->question.viewer = r->viewer;
	snprintf(q->question.table, sizeof(q->question.table), "%s", r->table->name);
	e = read_span(r->table, p, q, ret_error);
	if (e == 0)
		e = read_count("step", take(p, "step"), &step, ret_error);
	if (e < 0)
		return e;
	if (step > STEP_MOST)
		return weir_fail(ret_error, -EINVAL, "step is given in seconds, at most %u", STEP_MOST);
	q->question.step_ns = step * WEB_SECOND_NS;
	if (!filter)
		return 0;
	if (strlen(filter) >= sizeof(q->question.filter))
		return weir_fail(ret_error, -EINVAL, "the filter is longer than %zu bytes", sizeof(q->question.filter) - 1);
	snprintf(q->question.filter, sizeof(q->question.filter), "%s", filter);
	return 0;
}

/* A step makes one row of several events, with the last one's time and words: what asks for those asks for each event. */
static bool asks_for_each(const struct web_request *r)
{
	return r->table == &weir_table_history_events && (weir_filter_has(r->filter, HISTORY_EVENTS_TIME) ||
							   weir_filter_has(r->filter, HISTORY_EVENTS_SUMMARY));
}

int web_api_read_table(struct web_request *r, char **ret_error)
{
	const struct weir_table *chosen_from = weir_history_filter_table(r->table);
	bool before_sums = chosen_from != r->table;
	struct parameters p;
	const char *text;

	int e = parameters_read(&p, r, ret_error);
	if (e < 0)
		return e;
	weir_query_init(&r->query, r->table);
	r->query.viewer = r->viewer;
	text = take(&p, "filter");
	if (text && (e = weir_filter_parse(chosen_from, text, &r->filter, ret_error)) < 0)
		return e;
	if (r->table->past && (e = read_past(r, &p, before_sums ? text : NULL, ret_error)) < 0)
		return e;
	if (asks_for_each(r))
		r->question->question.step_ns = 0;
	if (!before_sums)
		r->query.filter = r->filter;
	text = take(&p, "sort");
	if (text && (e = weir_query_sort(&r->query, r->table, text, ret_error)) < 0)
		return e;
	text = take(&p, "fields");
	if (text && (e = weir_query_fields(&r->query, r->table, text, ret_error)) < 0)
		return e;
	text = take(&p, "sums");
	if (text && (e = weir_query_sums(&r->query, r->table, text, ret_error)) < 0)
		return e;
	e = read_count("limit", take(&p, "limit"), &r->query.limit, ret_error);
	if (e < 0)
		return e;
	e = read_count("offset", take(&p, "offset"), &r->query.offset, ret_error);
	if (e < 0)
		return e;
	text = take(&p, "indent");
	r->indent = text && strcmp(text, "0") != 0;
	if (r->table->past)
		return refuse_others(&p, "from, to, step, from2, to2, filter, sort, limit, offset, fields, sums and indent",
				     ret_error);
	return refuse_others(&p, "filter, sort, limit, offset, fields, sums and indent", ret_error);
}

static int subscribe(struct web_request *r, struct parameters *p, const char *name,
		     const char *filter, const char *fields, char **ret_error)
{
	const struct weir_table *table = weir_table_find(name);
	const char *own;
	struct web_topic *topic;

	if (!table || table->internal)
		return weir_fail(ret_error, -EINVAL, "unknown topic \"%s\": GET /api/v1 lists them", name);
	if (table->past)
		return weir_fail(ret_error, -EINVAL, "topic \"%s\" is the past: GET /api/v1/%s asks for it", name, name);
	for (unsigned i = 0; i < r->stream->n_subscriptions; i++)
		if (r->stream->subscriptions[i].topic->table == table)
			return weir_fail(ret_error, -EINVAL, "topic \"%s\" is given twice", name);
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
		return weir_fail(ret_error, -EINVAL, "at most %d topics on one stream", WEB_TOPICS);
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
		return weir_fail(ret_error, -EINVAL, "topics is missing: name tables, such as topics=processes,flows");
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
		bool_member(&j, "past", t->past);
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
