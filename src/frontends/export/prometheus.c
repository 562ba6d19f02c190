// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/export/prometheus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "core/tables.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* One line of a family: its label part stands in a buffer of the family. */
struct sample {
	size_t labels, labels_len;
	bool whole; /* .integer holds the value, else .number */
	uint64_t integer;
	double number;
};

struct family {
	const char *name;
	const struct weir_field *first; /* its HELP and TYPE count for all */
	struct weir_buf labels;
	struct sample *samples;
	size_t n, cap;
};

static void family_done(struct family *f)
{
	weir_buf_done(&f->labels);
	free(f->samples);
}

static struct sample *family_add(struct family *f)
{
	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 64;
		struct sample *grown = reallocarray(f->samples, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		f->samples = grown;
		f->cap = cap;
	}
	struct sample *s = &f->samples[f->n++];
	*s = (struct sample){ .labels = f->labels.len };
	return s;
}

/* --- labels ------------------------------------------------------------------------------- */

static void add_escaped(struct weir_buf *b, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		uint32_t c;
		size_t n = weir_text_utf8_next(text, len, &c);

		if (c == '\\')
			weir_buf_str(b, "\\\\");
		else if (c == '"')
			weir_buf_str(b, "\\\"");
		else if (c == '\n')
			weir_buf_str(b, "\\n");
		else if (c == WEIR_TEXT_BAD || weir_text_is_control(c))
			weir_buf_str(b, REPLACEMENT); /* the format has no escape for it */
		else
			weir_buf_add(b, text, n);
		text += n;
		len -= n;
	}
}

/* "by_transport.tcp" is no label name; dots become underscores. */
static void add_label_name(struct weir_buf *b, const char *name)
{
	for (; *name; name++)
		weir_buf_char(b, *name == '.' ? '_' : *name);
}

static void add_label_value(struct weir_buf *b, const struct weir_rows *r, size_t row,
			    unsigned field)
{
	char text[WEIR_ADDR_TEXT];
	struct weir_addr a;

	if (weir_cell_null(r, row, field))
		return; /* an empty value is the same as no label */
	switch (r->def->fields[field].type) {
	case WEIR_TYPE_TEXT:
		add_escaped(b, weir_cell_text(r, row, field));
		return;
	case WEIR_TYPE_ADDRESS:
		weir_cell_address(r, row, field, &a);
		weir_buf_str(b, weir_addr_format(&a, text));
		return;
	case WEIR_TYPE_INT:
		weir_buf_printf(b, "%" PRId64, (int64_t)weir_cell_uint(r, row, field));
		return;
	case WEIR_TYPE_BOOL:
		weir_buf_str(b, weir_cell_uint(r, row, field) ? "true" : "false");
		return;
	case WEIR_TYPE_UINT:
	case WEIR_TYPE_TIME:
	case _WEIR_TYPE_MAX:
		break;
	}
	weir_buf_uint(b, weir_cell_uint(r, row, field));
}

static void add_labels(struct weir_buf *b, const struct weir_rows *r, size_t row)
{
	bool some = false;

	for (unsigned i = 0; i < r->def->n_fields; i++) {
		if (!(r->def->fields[i].flags & WEIR_FIELD_LABEL))
			continue;
		weir_buf_char(b, some ? ',' : '{');
		add_label_name(b, r->def->fields[i].name);
		weir_buf_str(b, "=\"");
		add_label_value(b, r, row, i);
		weir_buf_char(b, '"');
		some = true;
	}
	if (some)
		weir_buf_char(b, '}');
}

/* --- samples ------------------------------------------------------------------------------ */

static void set_value(struct sample *s, const struct weir_rows *r, size_t row, unsigned field)
{
	const struct weir_field *def = &r->def->fields[field];
	uint64_t raw = weir_cell_uint(r, row, field);
	bool scaled = def->metric_scale != 0 && def->metric_scale != 1;

	s->whole = !scaled && def->type != WEIR_TYPE_INT;
	s->integer = raw;
	s->number = def->type == WEIR_TYPE_INT ? (double)(int64_t)raw : (double)raw;
	if (scaled)
		s->number *= def->metric_scale;
}

static int add_table(struct family *f, const struct weir_rows *r, unsigned field,
		     const struct weir_viewer *viewer)
{
	_cleanup_free_ uint32_t *index = NULL;
	size_t n, total;
	struct weir_query q;

	weir_query_init(&q, r->def);
	q.sort_field = WEIR_SORT_NONE;
	q.viewer = *viewer;
	int e = weir_query_run(&q, r, &index, &n, &total);
	if (e < 0)
		return e;
	for (size_t i = 0; i < n; i++) {
		if (weir_cell_null(r, index[i], field))
			continue;
		struct sample *s = family_add(f);
		if (!s)
			return -ENOMEM;
		add_labels(&f->labels, r, index[i]);
		s->labels_len = f->labels.len - s->labels;
		set_value(s, r, index[i], field);
	}
	return f->labels.error;
}

static int compare_samples(const void *a, const void *b, void *family)
{
	const struct sample *x = a, *y = b;
	const char *base = ((const struct family *)family)->labels.data;

	if (!base)
		return 0; /* no labels at all */
	size_t shorter = x->labels_len < y->labels_len ? x->labels_len : y->labels_len;
	int order = memcmp(base + x->labels, base + y->labels, shorter);
	if (order)
		return order;
	return (x->labels_len > y->labels_len) - (x->labels_len < y->labels_len);
}

/* Counters of the same labels add up; of gauges the first row's stays. */
static void merge_equal(struct family *f)
{
	size_t kept = 0;

	qsort_r(f->samples, f->n, sizeof(*f->samples), compare_samples, f);
	for (size_t i = 1; i < f->n; i++) {
		struct sample *last = &f->samples[kept], *s = &f->samples[i];

		if (compare_samples(last, s, f) != 0) {
			f->samples[++kept] = *s;
		} else if (f->first->flags & WEIR_FIELD_COUNTER) {
			last->integer += s->integer;
			last->number += s->number;
			last->whole = last->whole && s->whole;
		}
	}
	if (f->n)
		f->n = kept + 1;
}

/* --- text --------------------------------------------------------------------------------- */

static void add_help(struct weir_buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			weir_buf_str(out, "\\\\");
		else if (*text == '\n')
			weir_buf_str(out, "\\n");
		else
			weir_buf_char(out, *text);
	}
}

static void write_family(struct weir_buf *out, const struct family *f)
{
	weir_buf_printf(out, "# HELP %s ", f->name);
	add_help(out, f->first->help);
	weir_buf_printf(out, "\n# TYPE %s %s\n", f->name,
			f->first->flags & WEIR_FIELD_COUNTER ? "counter" : "gauge");
	for (size_t i = 0; i < f->n; i++) {
		const struct sample *s = &f->samples[i];

		weir_buf_str(out, f->name);
		if (s->labels_len)
			weir_buf_add(out, f->labels.data + s->labels, s->labels_len);
		weir_buf_char(out, ' ');
		if (s->whole)
			weir_buf_uint(out, s->integer);
		else
			weir_buf_printf(out, "%.15g", s->number);
		weir_buf_char(out, '\n');
	}
}

static bool is_metric(const struct weir_field *f)
{
	return f->metric && f->type != WEIR_TYPE_TEXT && f->type != WEIR_TYPE_ADDRESS;
}

/* Whether an earlier field has that name already, so that its family is written. */
static bool written_before(const struct weir_table *table, unsigned field)
{
	const struct weir_table *t;
	const char *name = table->fields[field].metric;

	for (unsigned i = 0; (t = weir_table_at(i)); i++) {
		for (unsigned k = 0; k < t->n_fields; k++) {
			if (t == table && k == field)
				return false;
			if (is_metric(&t->fields[k]) && strcmp(t->fields[k].metric, name) == 0)
				return true;
		}
	}
	return false;
}

/* Collects a family over all tables that have a part of it. */
static int render_family(struct weir_buf *out, const struct weir_snapshot *s,
			 const struct weir_viewer *viewer, const struct weir_field *first)
{
	_cleanup_(family_done) struct family f = { .name = first->metric, .first = first };
	const struct weir_table *t;
	struct weir_rows rows;

	for (unsigned i = 0; (t = weir_table_at(i)); i++) {
		if (weir_snapshot_rows(s, t, &rows) < 0)
			continue;
		for (unsigned k = 0; k < t->n_fields; k++) {
			if (!is_metric(&t->fields[k]) || strcmp(t->fields[k].metric, f.name) != 0)
				continue;
			int r = add_table(&f, &rows, k, viewer);
			if (r < 0)
				return r;
		}
	}
	if (f.n == 0)
		return 0;
	merge_equal(&f);
	write_family(out, &f);
	return out->error;
}

int weir_prometheus_render(struct weir_buf *out, const struct weir_snapshot *s,
			   const struct weir_viewer *viewer)
{
	const struct weir_table *t;

	for (unsigned i = 0; (t = weir_table_at(i)); i++) {
		for (unsigned k = 0; k < t->n_fields; k++) {
			if (!is_metric(&t->fields[k]) || written_before(t, k))
				continue;
			int r = render_family(out, s, viewer, &t->fields[k]);
			if (r < 0)
				return r;
		}
	}
	return out->error;
}
