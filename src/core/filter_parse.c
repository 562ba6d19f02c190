// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
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

void weir_filter_quote(struct weir_buf *out, const char *text)
{
	weir_buf_char(out, '"');
	for (; *text; text++) {
		if (strchr("\"\\*?", *text))
			weir_buf_char(out, '\\');
		weir_buf_char(out, *text);
	}
	weir_buf_char(out, '"');
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

/* Whether the field can ever have it. A pattern may stand for several; "" finds what has no value. */
static bool is_possible(const struct weir_field *f, const struct weir_filter_value *v)
{
	size_t len = v->text ? strlen(v->text) : 0;

	if (f->max && v->number > f->max)
		return false;
	return !f->words || v->glob || !len || weir_words_hold(f->words, v->text);
}

/* Reads the alternative as a value of a field's type. -EINVAL or -ERANGE: it is none. */
static int parse_typed(struct filter_parser *p, unsigned field, bool op_allowed, struct weir_filter_value *v)
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

static int parse_value(struct filter_parser *p, unsigned field, bool op_allowed, struct weir_filter_value *v)
{
	int r = parse_typed(p, field, op_allowed, v);

	if (r == 0 && !is_possible(&p->def->fields[field], v)) {
		free(v->text);
		v->text = NULL;
		return -ERANGE;
	}
	return r;
}

static int parser_fail_value(struct filter_parser *p, const char *at, const char *word, uint64_t fields)
{
	parser_fail(p, at);
	weir_buf_printf(&p->error, "%s takes ", word);
	weir_words_expected(&p->error, &p->def->fields[__builtin_ctzll(fields)]);
	weir_buf_str(&p->error, ", not ");
	weir_words_quote(&p->error, p->literal.data ? p->literal.data : "");
	weir_words_value_elsewhere(&p->error, p->def, word, p->literal.data ? p->literal.data : "");
	return -EINVAL;
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

/* Where a word finds both addresses and names, what is written like an address is meant as one: a slip in it is an
 * error and not a name that nothing has. */
static bool is_address_like(const char *text)
{
	return strpbrk(text, "/:") || !text[strspn(text, "0123456789.")];
}

static bool is_address(const struct weir_field *f)
{
	return f->type == WEIR_TYPE_ADDRESS;
}

static bool is_text(const struct weir_field *f)
{
	return f->type == WEIR_TYPE_TEXT;
}

/* What a word alone is looked for in. */
static bool is_name(const struct weir_field *f)
{
	if (f->flags & WEIR_FIELD_PORT)
		return f->type == WEIR_TYPE_UINT;
	return f->filter && (is_text(f) || is_address(f));
}

static bool is_text_or_address_name(const struct weir_field *f)
{
	return is_name(f) && !(f->flags & WEIR_FIELD_PORT);
}

/* "!nginx", "-port:443" and "port!=443": what turns a term round elsewhere. `rest` is what follows its word. */
static int parser_fail_turned(struct filter_parser *p, const char *at, const char *word, size_t len, const char *rest)
{
	_cleanup_free_ char *meant = NULL;

	if (asprintf(&meant, "not %.*s%.*s", (int)len, word, (int)strcspn(rest, " \t\n\v\f\r"), rest) < 0) {
		meant = NULL;
		return -ENOMEM;
	}
	parser_fail(p, at);
	weir_buf_str(&p->error, "what turns a term round is a \"not\" before it: ");
	weir_words_quote(&p->error, meant);
	return -EINVAL;
}

/* Those of the fields that are such. */
static uint64_t fields_that(const struct weir_table *def, uint64_t fields, bool (*are)(const struct weir_field *f))
{
	uint64_t those = 0;

	for (unsigned i = 0; i < def->n_fields; i++)
		if (fields >> i & 1 && are(&def->fields[i]))
			those |= 1ull << i;
	return those;
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

static void to_lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text += 'a' - 'A';
}

/* A word alone: in each name a part is enough, upper and lower case alike; a port, and an address that is written whole,
 * are meant as they are. */
static int parse_bare_value(struct filter_parser *p, unsigned field, struct weir_filter_value *v)
{
	const struct weir_field *f = &p->def->fields[field];
	int r;

	*v = (struct weir_filter_value){ .field = field };
	if (f->flags & WEIR_FIELD_PORT) {
		if (p->glob || p->literal.data[strspn(p->literal.data, "0123456789")])
			return -EINVAL; /* "2k" is a part of a name, and no port */
		r = parse_uint(p->literal.data, WEIR_UNIT_NONE, &v->number);
		return r == 0 && v->number > UINT16_MAX ? -ERANGE : r;
	}
	if (is_address(f) && weir_prefix_parse(p->literal.data, &v->prefix) == 0)
		return 0;
	v->part = is_name(f);
	v->glob = p->glob;
	v->text = strdup(p->glob ? p->pattern.data : p->literal.data);
	if (!v->text)
		return -ENOMEM;
	if (!v->part)
		to_lower(v->text); /* a field of few values, all in small letters, and this is one */
	return 0;
}

/* Adds the alternative that was read, which began at `at`, for each of the fields that can have it. */
static int add_values(struct filter_parser *p, const char *at, uint64_t fields, bool bare)
{
	bool op_allowed = *at == '<' || *at == '>'; /* not in quotes, not after a backslash */

	for (; fields; fields &= fields - 1) {
		unsigned field = (unsigned)__builtin_ctzll(fields);
		struct weir_filter_value v;
		int r = bare ? parse_bare_value(p, field, &v) : parse_value(p, field, op_allowed, &v);

		if (r == -EINVAL || r == -ERANGE)
			continue;
		if (r == 0)
			r = filter_add_value(p, at, &v);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One alternative, for each field of the word that can have it. */
static int parse_alternative(struct filter_parser *p, const char *word, uint64_t fields)
{
	const char *at = p->at;
	size_t before = p->filter->n_values;
	uint64_t asked = fields;
	int r;

	r = parse_value_text(p);
	if (r < 0)
		return r;
	if (p->at == at)
		return parser_fail_value(p, at, word, fields);
	if (fields_that(p->def, fields, is_address) && is_address_like(p->literal.data))
		asked &= ~fields_that(p->def, fields, is_text);
	r = add_values(p, at, asked, false);
	if (r == 0 && p->filter->n_values == before)
		return parser_fail_value(p, at, word, fields);
	return r;
}

/* Whether a word alone is meant as a network: an address, or the beginning of one, and a number of bits. */
static bool is_network_like(const char *text)
{
	size_t len = strcspn(text, "/");
	const char *bits = text + len;

	if (!*bits || !bits[1] || bits[1 + strspn(bits + 1, "0123456789")])
		return false;
	if (memchr(text, ':', len))
		return strspn(text, "0123456789abcdefABCDEF:.") == len;
	return memchr(text, '.', len) && strspn(text, "0123456789.") == len;
}

/* "10.1.2.3/8" or "10.1/16": as a part of a name it would find nothing, and nobody would know why. */
static int parser_fail_network(struct filter_parser *p, const char *at)
{
	char network[WEIR_ADDR_TEXT];
	struct weir_prefix around;

	parser_fail(p, at);
	weir_words_quote(&p->error, p->literal.data);
	if (weir_prefix_around(p->literal.data, &around) == 0)
		weir_buf_printf(&p->error, " is no network, bits behind the first %u are set; its network is %s/%u", around.bits,
				weir_addr_format(&around.addr, network), around.bits);
	else
		weir_buf_str(&p->error, " is no network such as 10.0.0.0/8; a part of a name that reads so stands in quotes");
	return -EINVAL;
}

/* "udp" or "Established": fields of few values that have this one. */
static uint64_t fields_with_value(const struct weir_table *def, const char *text)
{
	char value[FILTER_WORD_MAX];
	uint64_t fields = 0;

	if ((size_t)snprintf(value, sizeof(value), "%s", text) >= sizeof(value))
		return 0;
	to_lower(value);
	for (unsigned i = 0; i < def->n_fields; i++)
		if (def->fields[i].words && weir_words_hold(def->fields[i].words, value))
			fields |= 1ull << i;
	return fields;
}

/* What other languages of queries have. */
static int refuse_operators(struct filter_parser *p, const char *at)
{
	const char *text = *at == '"' ? "" : p->literal.data;

	if (!strcmp(text, "or") || !strcmp(text, "||")) {
		parser_fail(p, at);
		weir_buf_str(&p->error, "alternatives stand behind a comma, such as nginx,redis or port:80,443");
		return -EINVAL;
	}
	if (!strcmp(text, "and") || !strcmp(text, "&&")) {
		parser_fail(p, at);
		weir_buf_str(&p->error, "terms beside each other all hold: leave it out, as in process:nginx port:443");
		return -EINVAL;
	}
	return *at == '!' && at[1] ? parser_fail_turned(p, at, at + 1, 0, at + 1) : 0;
}

static int parse_bare_alternative(struct filter_parser *p)
{
	uint64_t names = fields_that(p->def, UINT64_MAX, is_name);
	struct weir_prefix network;
	const char *at = p->at;
	int r;

	r = parse_value_text(p);
	if (r < 0)
		return r;
	if (!p->literal.len) {
		parser_fail(p, at);
		weir_buf_str(&p->error, "a name is missing; one alone finds what has it as a part of its name");
		return -EINVAL;
	}
	if (!p->glob && *at != '"' && fields_of_word(p->def, p->literal.data)) {
		parser_fail(p, at);
		weir_buf_printf(&p->error, "\"%s\" has no value, as in %s:VALUE; a name that has it in it is found by *%s*",
				p->literal.data, p->literal.data, p->literal.data);
		return -EINVAL;
	}
	r = refuse_operators(p, at);
	if (r < 0)
		return r;
	if (*at != '"' && !p->glob)
		names |= fields_with_value(p->def, p->literal.data);
	if (*at != '"' && is_network_like(p->literal.data) && fields_that(p->def, names, is_address) &&
	    weir_prefix_parse(p->literal.data, &network) < 0)
		return parser_fail_network(p, at);
	return add_values(p, at, names, true);
}

/* Whether a term is a word alone. Of what has colons only an address is: fe80::1. */
static bool is_bare(const char *at)
{
	size_t len = 0, colons = 0;
	bool quoted = false, special = false;

	for (; at[len] && (quoted || !is_space(at[len])); len++) {
		if (at[len] == '\\' && at[len + 1])
			len++;
		else if (at[len] == '"')
			quoted = !quoted;
		else if (!quoted && strchr(":<>=", at[len]))
			special = true;
		colons += at[len] == ':';
	}
	return !special || (colons > 1 && strspn(at, "0123456789abcdefABCDEF:./,") == len);
}

/* Of a word that is none: whether it is one but for what turns a term round elsewhere. */
static int refuse_turned(struct filter_parser *p, const char *at, size_t len)
{
	size_t before = *at == '!' || *at == '-', behind = at[len] == '=' && len > before && at[len - 1] == '!';
	_cleanup_free_ char *word = strndup(at + before, len - before - behind);

	if (!word)
		return -ENOMEM;
	if ((!before && !behind) || !fields_of_word(p->def, word))
		return 0;
	return parser_fail_turned(p, at, word, strlen(word), at + len);
}

static int parse_word(struct filter_parser *p, char word[FILTER_WORD_MAX], uint64_t *ret_fields)
{
	const char *at = p->at;
	size_t len = 0, kept;
	int r;

	while (at[len] && !strchr(":<>=\"", at[len]) && !is_space(at[len]))
		len++;
	if (!at[len] || !strchr(":<>=", at[len]))
		return parser_fail_no_colon(p, at, len);
	if (!len) {
		parser_fail(p, at);
		weir_buf_printf(&p->error, "a word is missing before the \"%c\"; a term reads word:value, such as process:nginx or "
				"tx_bytes:>1M", *at);
		return -EINVAL;
	}

	kept = len < FILTER_WORD_MAX ? len : FILTER_WORD_MAX - 1;
	memcpy(word, at, kept);
	word[kept] = '\0';
	*ret_fields = kept == len ? fields_of_word(p->def, word) : 0;
	if (!*ret_fields) {
		r = refuse_turned(p, at, len);
		if (r < 0)
			return r;
		parser_fail(p, at);
		if (!weir_words_elsewhere(&p->error, p->def, word, at))
			weir_words_unknown(&p->error, p->def, WEIR_WORDS_FILTER, "word", word);
		return -EINVAL;
	}
	/* tx_bytes>1M needs no colon, and process=nginx is what many type; => is no comparison, and not taken for one. */
	p->at = at + len + (at[len] == ':' ? 1 : strspn(at + len, "="));
	if (at[len] == '=' && (*p->at == '<' || *p->at == '>'))
		p->at = at + len;
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
	uint64_t fields = 0;
	int r;

	if (p->filter->n_terms == FILTER_TERMS_MAX) {
		parser_fail(p, p->at);
		weir_buf_printf(&p->error, "more than %d terms", FILTER_TERMS_MAX);
		return -EINVAL;
	}
	t.bare = fields_that(p->def, UINT64_MAX, is_text_or_address_name) && is_bare(p->at);
	r = t.bare ? 0 : parse_word(p, word, &fields);
	if (r < 0)
		return r;
	for (;;) {
		r = t.bare ? parse_bare_alternative(p) : parse_alternative(p, word, fields);
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
		return weir_buf_error(&p.error, -EINVAL, ret_error);
	}
	p.filter = calloc(1, sizeof(*p.filter));
	if (!p.filter)
		return -ENOMEM;
	p.filter->def = def;
	r = parse_filter(&p);
	if (r == -EINVAL)
		return weir_buf_error(&p.error, -EINVAL, ret_error);
	if (r < 0)
		return r;
	*ret = p.filter->n_terms ? TAKE_PTR(p.filter) : NULL;
	return 0;
}
