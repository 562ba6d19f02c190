// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct weir_filter *weir_filter_free(struct weir_filter *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < f->n_values; i++)
		free(f->values[i].text);
	free(f->values);
	free(f->terms);
	free(f);
	return NULL;
}

/* Reads one element of a pattern: a literal (a backslash takes the next one literally), '*' or '?'. */
static char glob_element(const char **pattern, bool *ret_literal)
{
	char c = *(*pattern)++;

	*ret_literal = c != '*' && c != '?';
	if (c == '\\' && **pattern)
		c = *(*pattern)++;
	return c;
}

bool weir_filter_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *star_text = NULL; /* the last '*' and how far it reaches so far */
	size_t len = strlen(text);
	uint32_t character;

	/* Only the last star is ever tried again, so the work is at most pattern times text. */
	while (len || *pattern) {
		const char *at = pattern;
		bool literal = true;
		char c = *at ? glob_element(&at, &literal) : '\0';

		if (!literal && c == '*') {
			star = pattern = at;
			star_text = text;
			continue;
		}
		if (len && *pattern && (!literal || c == *text)) {
			size_t n = literal ? 1 : weir_text_utf8_next(text, len, &character);

			pattern = at;
			text += n;
			len -= n;
			continue;
		}
		if (!star || !*star_text)
			return false;
		len += (size_t)(text - star_text) - 1;
		text = ++star_text;
		pattern = star;
	}
	return true;
}

static bool compare(int c, enum weir_filter_op op)
{
	switch (op) {
	case WEIR_FILTER_EQUAL:
		return c == 0;
	case WEIR_FILTER_LESS:
		return c < 0;
	case WEIR_FILTER_LESS_EQUAL:
		return c <= 0;
	case WEIR_FILTER_GREATER:
		return c > 0;
	case WEIR_FILTER_GREATER_EQUAL:
		return c >= 0;
	}
	return false;
}

static bool match_uint(const struct weir_filter_value *v, uint64_t cell)
{
	return compare(cell < v->number ? -1 : cell > v->number, v->op);
}

static bool match_int(const struct weir_filter_value *v, int64_t cell)
{
	int64_t number = (int64_t)v->number;

	return compare(cell < number ? -1 : cell > number, v->op);
}

static bool match_text(const struct weir_filter_value *v, const char *cell)
{
	/* Without a text: only the empty value finds it. */
	if (!cell)
		return !*v->text;
	if (v->part && !v->glob)
		return strcasestr(cell, v->text) != NULL;
	return v->glob ? weir_filter_glob(v->text, cell) : strcmp(v->text, cell) == 0;
}

static bool match_value(const struct weir_filter_value *v, const struct weir_rows *r, size_t row)
{
	char buf[WEIR_ADDR_TEXT];
	struct weir_addr a;

	switch (r->def->fields[v->field].type) {
	case WEIR_TYPE_TEXT:
		return match_text(v, weir_cell_text(r, row, v->field));
	case WEIR_TYPE_UINT:
		return !weir_cell_null(r, row, v->field) && match_uint(v, weir_cell_uint(r, row, v->field));
	case WEIR_TYPE_TIME:
		/* In the microseconds that a time is shown with, so that a shown time finds its row. */
		return !weir_cell_null(r, row, v->field) && match_uint(v, weir_cell_uint(r, row, v->field) / 1000);
	case WEIR_TYPE_BOOL:
		return !weir_cell_null(r, row, v->field) && match_uint(v, weir_cell_uint(r, row, v->field) != 0);
	case WEIR_TYPE_INT:
		return !weir_cell_null(r, row, v->field) && match_int(v, (int64_t)weir_cell_uint(r, row, v->field));
	case WEIR_TYPE_ADDRESS:
		weir_cell_address(r, row, v->field, &a);
		if (!a.family)
			return false;
		return v->part ? match_text(v, weir_addr_format(&a, buf)) : weir_prefix_match(&v->prefix, &a);
	case _WEIR_TYPE_MAX:
		break;
	}
	return false;
}

static bool match_term(const struct weir_filter *f, const struct weir_filter_term *t, const struct weir_rows *r,
		       size_t row)
{
	for (size_t i = 0; i < t->n_values; i++)
		if (match_value(&f->values[t->first_value + i], r, row))
			return true;
	return false;
}

bool weir_filter_match(const struct weir_filter *f, const struct weir_rows *r, size_t row)
{
	if (!f)
		return true;
	assert(f->def == r->def);
	for (size_t i = 0; i < f->n_terms; i++)
		if (match_term(f, &f->terms[i], r, row) == f->terms[i].inverted)
			return false;
	return true;
}

bool weir_filter_has(const struct weir_filter *f, unsigned field)
{
	for (size_t i = 0; f && i < f->n_values; i++)
		if (f->values[i].field == field)
			return true;
	return false;
}
