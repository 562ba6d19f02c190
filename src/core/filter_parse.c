// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "core/filter.h"
#include "core/query_words.h"

/* A filter comes from a URL: bounded, so that applying it to each row stays cheap. */
#define FILTER_TEXT_MAX 4096
#define FILTER_TERMS_MAX 64
#define FILTER_VALUES_MAX 1024
#define FILTER_WORD_MAX 128

struct filter_parser {
	const struct weir_table *def;
	const char *text, *at;
	struct weir_filter *filter;
	struct weir_buf literal; /* the value without quotes and backslashes */
	struct weir_buf pattern; /* the same with its literal specials escaped */
	bool glob;		 /* the value has a '*' or '?' that means something */
	struct weir_buf error;
};

static void parser_done(struct filter_parser *p)
{
	weir_filter_free(p->filter);
	weir_buf_done(&p->literal);
	weir_buf_done(&p->pattern);
	weir_buf_done(&p->error);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Starts the error line; the caller says the rest. Always -EINVAL. */
static int parser_fail(struct filter_parser *p, const char *at)
{
	weir_buf_printf(&p->error, "filter, column %zu: ", (size_t)(at - p->text) + 1);
	return -EINVAL;
}

static int parser_fail_value(struct filter_parser *p, const char *at, const char *word, const char *expected)
{
	parser_fail(p, at);
	weir_buf_printf(&p->error, "%s takes %s, not ", word, expected);
	weir_words_quote(&p->error, p->literal.data ? p->literal.data : "");
	return -EINVAL;
}

/* "proces" or "process" without a colon. */
static int parser_fail_no_colon(struct filter_parser *p, const char *at, size_t len)
{
	_cleanup_free_ char *word = strndup(at, len);

	if (!word)
		return -ENOMEM;
	parser_fail(p, at);
	weir_words_quote(&p->error, word);
	weir_buf_str(&p->error, " has no colon; a term reads word:value, such as process:nginx or tx_bytes:>1M");
	return -EINVAL;
}

static void value_char(struct filter_parser *p, char c, bool literal)
{
	if (c == '*' || c == '?' || c == '\\') {
		if (literal)
			weir_buf_char(&p->pattern, '\\');
		else
			p->glob = true;
	}
	weir_buf_char(&p->pattern, c);
	weir_buf_char(&p->literal, c);
}

/* Reads one alternative, up to a comma or white space outside quotes. */
static int parse_value_text(struct filter_parser *p)
{
	const char *quote = NULL;

	weir_buf_reset(&p->literal);
	weir_buf_reset(&p->pattern);
	weir_buf_add(&p->literal, "", 0);
	p->glob = false;
	for (; *p->at; p->at++) {
		char c = *p->at;

		if (c == '\\') {
			if (!p->at[1]) {
				parser_fail(p, p->at);
				weir_buf_str(&p->error, "a backslash stands at the end; write two for the character");
				return -EINVAL;
			}
			value_char(p, *++p->at, true);
		} else if (c == '"') {
			quote = quote ? NULL : p->at;
		} else if (!quote && (c == ',' || is_space(c))) {
			break;
		} else {
			value_char(p, c, false);
		}
	}
	if (quote) {
		parser_fail(p, quote);
		weir_buf_str(&p->error, "a double quote is opened here and never closed");
		return -EINVAL;
	}
	return p->literal.error ? p->literal.error : p->pattern.error;
}

static enum weir_filter_op parse_op(const char **at)
{
	bool equal = (*at)[0] && (*at)[1] == '=';
	char c = **at;

	if (c != '<' && c != '>')
		return WEIR_FILTER_EQUAL;
	*at += equal ? 2 : 1;
	if (c == '<')
		return equal ? WEIR_FILTER_LESS_EQUAL : WEIR_FILTER_LESS;
	return equal ? WEIR_FILTER_GREATER_EQUAL : WEIR_FILTER_GREATER;
}

static int parse_uint(const char *text, enum weir_unit unit, uint64_t *ret)
{
	uint64_t step = unit == WEIR_UNIT_MICROSECONDS ? 1000 : 1;
	uint64_t ns;
	int r;

	r = weir_units_parse(text, ret);
	if (r != -EINVAL || (unit != WEIR_UNIT_MICROSECONDS && unit != WEIR_UNIT_NANOSECONDS))
		return r;
	r = weir_units_parse_duration(text, &ns);
	if (r == 0)
		*ret = ns / step;
	return r;
}

static int parse_int(const char *text, uint64_t *ret)
{
	bool negative = *text == '-';
	uint64_t v;
	int r;

	r = weir_units_parse(text + negative, &v);
	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? -v : v;
	return 0;
}

static int parse_bool(const char *text, uint64_t *ret)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0)
		*ret = 1;
	else if (strcmp(text, "false") == 0 || strcmp(text, "no") == 0)
		*ret = 0;
	else
		return -EINVAL;
	return 0;
}

static int parse_time(const char *text, uint64_t *ret_us)
{
	uint64_t ns;
	int r = weir_timestamp_parse(text, &ns);

	if (r == 0)
		*ret_us = ns / 1000;
	return r;
}

/* Reads the alternative as a value of a field. -EINVAL or -ERANGE: it is none. */
static int parse_value(struct filter_parser *p, unsigned field, bool op_allowed, struct weir_filter_value *v)
{
	const struct weir_field *f = &p->def->fields[field];
	const char *text = p->literal.data;

	*v = (struct weir_filter_value){ .field = field };
	if (op_allowed)
		v->op = parse_op(&text);
	switch (f->type) {
	case WEIR_TYPE_UINT:
		return parse_uint(text, f->unit, &v->number);
	case WEIR_TYPE_INT:
		return parse_int(text, &v->number);
	case WEIR_TYPE_TIME:
		return parse_time(text, &v->number);
	case WEIR_TYPE_BOOL:
		return v->op ? -EINVAL : parse_bool(text, &v->number);
	case WEIR_TYPE_ADDRESS:
		return v->op ? -EINVAL : weir_prefix_parse(text, &v->prefix);
	case WEIR_TYPE_TEXT:
		if (v->op)
			return -EINVAL;
		v->glob = p->glob;
		v->text = strdup(p->glob ? p->pattern.data : p->literal.data);
		return v->text ? 0 : -ENOMEM;
	case _WEIR_TYPE_MAX:
		break;
	}
	return -EINVAL;
}

static const char *expected_by(const struct weir_field *f)
{
	switch (f->type) {
	case WEIR_TYPE_UINT:
		if (f->unit == WEIR_UNIT_MICROSECONDS || f->unit == WEIR_UNIT_NANOSECONDS)
			return "a time, such as 20ms, >1500 or <=1s";
		return "a number, such as 443, >1M or <=20k";
	case WEIR_TYPE_INT:
		return "a number, such as -5, >1M or <=20k";
	case WEIR_TYPE_BOOL:
		return "true or false";
	case WEIR_TYPE_TEXT:
		return "a text or pattern (in quotes where it begins with < or >)";
	case WEIR_TYPE_ADDRESS:
		return "an address or a network without host bits, such as 10.0.0.0/8";
	case WEIR_TYPE_TIME:
		return "a time, such as >2026-01-31 or <2026-01-31T10:00:00Z";
	case _WEIR_TYPE_MAX:
		break;
	}
	return "a value";
}

static int filter_add_value(struct filter_parser *p, const char *at, struct weir_filter_value *v)
{
	struct weir_filter *f = p->filter;
	struct weir_filter_value *values;

	if (f->n_values == FILTER_VALUES_MAX) {
		free(v->text);
		parser_fail(p, at);
		weir_buf_printf(&p->error, "more than %d alternatives", FILTER_VALUES_MAX);
		return -EINVAL;
	}
	if (!(f->n_values & (f->n_values - 1))) { /* 0 or a power of two: full */
		values = reallocarray(f->values, f->n_values ? f->n_values * 2 : 1, sizeof(*values));
		if (!values) {
			free(v->text);
			return -ENOMEM;
		}
		f->values = values;
	}
	f->values[f->n_values++] = *v;
	return 0;
}

/* One alternative, for each field of the word that can have it. */
static int parse_alternative(struct filter_parser *p, const char *word, uint64_t fields)
{
	const char *at = p->at;
	bool op_allowed = *at == '<' || *at == '>'; /* not in quotes, not after a backslash */
	size_t before = p->filter->n_values;
	int r;

	r = parse_value_text(p);
	if (r < 0)
		return r;
	if (p->at == at)
		return parser_fail_value(p, at, word, expected_by(&p->def->fields[__builtin_ctzll(fields)]));

	for (uint64_t left = fields; left; left &= left - 1) {
		struct weir_filter_value v;

		r = parse_value(p, (unsigned)__builtin_ctzll(left), op_allowed, &v);
		if (r == -EINVAL || r == -ERANGE)
			continue;
		if (r == 0)
			r = filter_add_value(p, at, &v);
		if (r < 0)
			return r;
	}
	if (p->filter->n_values == before)
		return parser_fail_value(p, at, word, expected_by(&p->def->fields[__builtin_ctzll(fields)]));
	return 0;
}

static uint64_t fields_of_word(const struct weir_table *def, const char *word)
{
	uint64_t fields = 0;

	for (unsigned i = 0; i < def->n_fields; i++) {
		const struct weir_field *f = &def->fields[i];

		if (strcmp(f->name, word) == 0 || (f->filter && strcmp(f->filter, word) == 0))
			fields |= 1ull << i;
	}
	return fields;
}

static int parse_word(struct filter_parser *p, char word[FILTER_WORD_MAX], uint64_t *ret_fields)
{
	const char *at = p->at;
	size_t len = 0, kept;

	while (at[len] && at[len] != ':' && at[len] != '"' && !is_space(at[len]))
		len++;
	if (at[len] != ':')
		return parser_fail_no_colon(p, at, len);

	kept = len < FILTER_WORD_MAX ? len : FILTER_WORD_MAX - 1;
	memcpy(word, at, kept);
	word[kept] = '\0';
	*ret_fields = kept == len ? fields_of_word(p->def, word) : 0;
	if (!*ret_fields) {
		parser_fail(p, at);
		weir_words_unknown(&p->error, p->def, WEIR_WORDS_FILTER, "word", word);
		return -EINVAL;
	}
	p->at = at + len + 1;
	return 0;
}

static int filter_add_term(struct filter_parser *p, const struct weir_filter_term *t)
{
	struct weir_filter *f = p->filter;
	struct weir_filter_term *terms;

	terms = reallocarray(f->terms, f->n_terms + 1, sizeof(*terms));
	if (!terms)
		return -ENOMEM;
	f->terms = terms;
	f->terms[f->n_terms++] = *t;
	return 0;
}

static int parse_term(struct filter_parser *p, bool inverted)
{
	struct weir_filter_term t = { .inverted = inverted, .first_value = p->filter->n_values };
	char word[FILTER_WORD_MAX];
	uint64_t fields;
	int r;

	if (p->filter->n_terms == FILTER_TERMS_MAX) {
		parser_fail(p, p->at);
		weir_buf_printf(&p->error, "more than %d terms", FILTER_TERMS_MAX);
		return -EINVAL;
	}
	r = parse_word(p, word, &fields);
	if (r < 0)
		return r;
	for (;;) {
		r = parse_alternative(p, word, fields);
		if (r < 0)
			return r;
		if (*p->at != ',')
			break;
		p->at++;
	}
	t.n_values = p->filter->n_values - t.first_value;
	return filter_add_term(p, &t);
}

static void skip_space(struct filter_parser *p)
{
	while (is_space(*p->at))
		p->at++;
}

static int parse_filter(struct filter_parser *p)
{
	const char *not_at = NULL;
	bool inverted = false;
	int r;

	for (skip_space(p); *p->at; skip_space(p)) {
		if (strncmp(p->at, "not", 3) == 0 && (!p->at[3] || is_space(p->at[3]))) {
			not_at = p->at;
			inverted = !inverted;
			p->at += 3;
			continue;
		}
		r = parse_term(p, inverted);
		if (r < 0)
			return r;
		not_at = NULL;
		inverted = false;
	}
	if (not_at) {
		parser_fail(p, not_at);
		weir_buf_str(&p->error, "\"not\" stands before the term that it turns round, such as not unit:ssh.service");
		return -EINVAL;
	}
	return 0;
}

int weir_filter_parse(const struct weir_table *def, const char *text, struct weir_filter **ret, char **ret_error)
{
	_cleanup_(parser_done) struct filter_parser p = { .def = def, .text = text, .at = text };
	int r;

	if (strnlen(text, FILTER_TEXT_MAX + 1) > FILTER_TEXT_MAX) {
		weir_buf_printf(&p.error, "filter: longer than %d bytes", FILTER_TEXT_MAX);
		return weir_words_error(&p.error, ret_error);
	}
	p.filter = calloc(1, sizeof(*p.filter));
	if (!p.filter)
		return -ENOMEM;
	p.filter->def = def;
	r = parse_filter(&p);
	if (r == -EINVAL)
		return weir_words_error(&p.error, ret_error);
	if (r < 0)
		return r;
	*ret = p.filter->n_terms ? TAKE_PTR(p.filter) : NULL;
	return 0;
}
