// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/request.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "core/history.h"
#include "core/query.h"
#include "frontends/cli/url.h"

static int say(char **ret_error, const char *fmt, const char *value)
{
	struct weir_buf b = {};
	const char *at = strstr(fmt, "%s");

	weir_buf_add(&b, fmt, (size_t)(at - fmt));
	weir_buf_str(&b, value);
	weir_buf_str(&b, at + 2);
	return weir_buf_error(&b, -EINVAL, ret_error);
}

/* A namespace's number, from itself, a path such as /proc/1/ns/net, or a name as `ip netns` gives.
 */
static int netns_number(const char *text, uint64_t *ret, char **ret_error)
{
	char path[PATH_MAX];
	struct stat st;
	int n;

	if (text[strspn(text, "0123456789")] == '\0') {
		errno = 0;
		*ret = strtoull(text, NULL, 10);
		return errno ? say(ret_error, "-N %s is not the number of a network namespace",
				   text)
			     : 0;
	}
	n = snprintf(path, sizeof(path), "%s%s", strchr(text, '/') ? "" : "/run/netns/", text);
	if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &st) < 0)
		return say(ret_error, "there is no network namespace %s: see ip netns list", text);
	*ret = st.st_ino;
	return 0;
}

static void term_begin(struct weir_buf *filter)
{
	if (filter->len)
		weir_buf_char(filter, ' ');
}

/* Options that stand for the same field are alternatives: -4 -6 is type:ipv4,ipv6. */
static int add_selecting_options(struct weir_buf *filter, const struct cli_command *c,
				 char **ret_error)
{
	const char *last = NULL;

	for (int id = 0; id < _CLI_OPTION_MAX; id++) {
		const char *selects = cli_options[id].selects;
		size_t field;
		uint64_t number;
		int r;

		if (!selects || !(c->given & (1ULL << id)))
			continue;
		field = strcspn(selects, ":") + 1;
		if (last && !strncmp(last, selects, field)) {
			weir_buf_printf(filter, ",%s", selects + field);
			continue;
		}
		last = selects;
		term_begin(filter);
		weir_buf_str(filter, selects);
		if (selects[field])
			continue;
		if (id != CLI_OPTION_NETNS) {
			weir_buf_printf(filter, "\"%s\"", c->value[id]);
			continue;
		}
		r = netns_number(c->value[id], &number, ret_error);
		if (r < 0)
			return r;
		weir_buf_uint(filter, number);
	}
	return 0;
}

static int check(const struct cli_request *rq, char **ret_error)
{
	struct weir_filter *filter = NULL;
	struct weir_query q;
	int r = 0;

	if (rq->filter.data)
		r = weir_filter_parse(weir_history_filter_table(rq->table), rq->filter.data, &filter, ret_error);
	weir_filter_free(filter);
	if (r < 0 || !rq->sort)
		return r;
	weir_query_init(&q, rq->table);
	return weir_query_sort(&q, rq->table, rq->sort, ret_error);
}

static int request_read(struct cli_request *rq, const struct cli_command *c, unsigned first_word,
			char **ret_error)
{
	int r;

	for (unsigned i = first_word; i < c->n_words; i++) {
		term_begin(&rq->filter);
		weir_buf_str(&rq->filter, c->words[i]);
	}
	r = cli_command_check_table(c, rq->table, ret_error);
	if (r >= 0)
		r = add_selecting_options(&rq->filter, c, ret_error);
	if (r >= 0)
		r = rq->filter.error;
	if (r >= 0)
		r = cli_columns_parse(rq->table, c->value[CLI_OPTION_COLUMNS],
				      CLI_GIVEN(c, NUMERIC), &rq->columns, ret_error);
	return r < 0 ? r : check(rq, ret_error);
}

int cli_request_init(struct cli_request *ret, const struct cli_command *c,
		     const struct weir_table *table, unsigned first_word, char **ret_error)
{
	int r;

	*ret = (struct cli_request){
		.table = table,
		.sort = c->value[CLI_OPTION_SORT],
		.limit = cli_value_number(c, CLI_OPTION_LIMIT, 0),
	};
	if (!ret->limit)
		ret->limit = UINT64_MAX;
	r = request_read(ret, c, first_word, ret_error);
	if (r < 0)
		cli_request_done(ret);
	return r;
}

void cli_request_done(struct cli_request *rq)
{
	weir_buf_done(&rq->filter);
}

void cli_request_url(const struct cli_request *rq, bool fields, struct weir_buf *out)
{
	struct weir_buf text = {};

	weir_buf_printf(out, "/api/v1/%s", rq->table->name);
	cli_url_parameter(out, "filter", rq->filter.len ? rq->filter.data : NULL);
	cli_url_parameter(out, "sort", rq->sort);
	if (rq->limit != UINT64_MAX) {
		weir_buf_uint(&text, rq->limit);
		cli_url_parameter(out, "limit", text.data);
		weir_buf_reset(&text);
	}
	cli_span_url(&rq->span, out);
	if (fields) {
		cli_columns_names(rq->table, &rq->columns, &text);
		cli_url_parameter(out, "fields", text.data);
	}
	if (text.error && !out->error)
		out->error = text.error;
	weir_buf_done(&text);
}
