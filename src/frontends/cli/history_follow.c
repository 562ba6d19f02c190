// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/document.h"
#include "frontends/cli/history.h"
#include "frontends/cli/history_draw.h"
#include "frontends/cli/history_new.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/json_text.h"
#include "frontends/cli/output.h"
#include "frontends/cli/show.h"
#include "frontends/cli/style.h"

/* The past, then what happens, without a gap and without anything twice: each question begins where the last answer
 * ended, and history_new.c chooses what was not shown. */

#define NS_PER_S 1000000000ull
#define POLL_NS NS_PER_S
/* A daemon that restarts is waited for. */
#define RETRIES_MAX 30

struct follow {
	const struct cli_command *c;
	struct cli_request rq;
	struct cli_source *source;
	struct cli_style style;
	struct cli_new news;
	uint64_t largest; /* bytes a second, of what was shown */
	bool any;
};

/* The rows as JSON, and where each of their lines begins. */
struct row_lines {
	struct weir_buf text;
	const char **begin;
};

static int row_lines_make(struct row_lines *l, const struct weir_buf *body, size_t rows)
{
	int r = cli_json_rows(&l->text, body->data, body->len, false);
	const char *at = l->text.data;
	size_t n = 0;

	l->begin = calloc(rows + 1, sizeof(*l->begin));
	if (r < 0 || !l->begin)
		return r < 0 ? r : -ENOMEM;
	for (; at && *at && n < rows; n++) {
		l->begin[n] = at;
		at += strcspn(at, "\n") + 1;
	}
	return n == rows ? 0 : -EBADMSG;
}

static void row_lines_done(struct row_lines *l)
{
	weir_buf_done(&l->text);
	free(l->begin);
}

static void add_row(struct follow *f, const struct weir_rows *rows, size_t row, const struct row_lines *lines,
		    struct weir_buf *out)
{
	if (CLI_GIVEN(f->c, NDJSON))
		weir_buf_add(out, lines->begin[row], strcspn(lines->begin[row], "\n") + 1);
	else if (f->news.rates)
		cli_past_rate_line(rows, row, f->largest, &f->style, CLI_GIVEN(f->c, ASCII), out);
	else
		cli_past_event_line(rows, row, &f->style, out);
}

static int add_news(struct follow *f, const struct weir_rows *rows, const struct weir_buf *body,
		    const struct cli_span_answered *span, struct weir_buf *out)
{
	struct row_lines lines = {};
	uint32_t *index = NULL;
	size_t n = 0;
	int r = cli_new_choose(&f->news, rows, span, &index, &n);

	if (r >= 0 && CLI_GIVEN(f->c, NDJSON))
		r = row_lines_make(&lines, body, rows->n);
	for (size_t i = 0; r >= 0 && f->news.rates && i < n; i++)
		if (cli_past_rate(rows, index[i]) > f->largest)
			f->largest = cli_past_rate(rows, index[i]);
	if (r >= 0 && f->news.rates && !f->any && !CLI_GIVEN(f->c, NDJSON))
		cli_past_rate_heading(&f->style, out);
	f->any = true;
	for (size_t i = 0; r >= 0 && i < n; i++)
		add_row(f, rows, index[i], &lines, out);
	row_lines_done(&lines);
	free(index);
	return r < 0 ? r : out->error;
}

/* One question and what is new in its answer. */
static int follow_once(struct follow *f, const struct weir_buf *body, bool *ret_end)
{
	struct cli_span_answered span = {};
	struct weir_snapshot *s = NULL;
	struct weir_rows rows = {};
	struct weir_buf out = {};
	int r = cli_show_read(f->rq.table, body, &s, &rows), e = 0;

	if (r != CLI_OK)
		return r;
	e = cli_span_answered(body->data, body->len, &span);
	if (e >= 0)
		e = add_news(f, &rows, body, &span, &out);
	r = e < 0 ? cli_fail_error(e, NULL) : CLI_OK;
	if (r == CLI_OK && out.len)
		r = cli_output(&out, ret_end);
	weir_buf_done(&out);
	weir_snapshot_unref(s);
	/* From now on with the same steps, so that they fit together. */
	if (f->news.rates && !f->rq.span.step_s)
		f->rq.span.step_s = span.step_s;
	f->rq.span.from_real_ns = f->news.next_real_ns > f->rq.span.from_real_ns ? f->news.next_real_ns : f->rq.span.from_real_ns;
	return r;
}

static bool worth_a_retry(int error)
{
	return error == -EAGAIN || error == -ETIMEDOUT || error == -ECONNREFUSED || error == -ENOENT || error == -EREMOTEIO;
}

static int follow_on(struct follow *f)
{
	struct weir_buf body = {};
	unsigned retries = 0;
	bool end = false;
	int r = CLI_OK;

	while (r == CLI_OK && !end) {
		char *why = NULL;
		int e = cli_source_try(f->source, &f->rq, false, &body, &why);

		if (e >= 0) {
			retries = 0;
			r = follow_once(f, &body, &end);
		} else if (f->any && worth_a_retry(e) && retries++ < RETRIES_MAX) {
			free(why);
		} else {
			r = cli_fail_error(e, why);
		}
		if (r == CLI_OK && !end)
			r = cli_source_pause(f->source, POLL_NS);
	}
	weir_buf_done(&body);
	return r;
}

static int check(const struct cli_command *c, const struct cli_verb *verb)
{
	if (strcmp(verb->name, "rates") != 0 && strcmp(verb->name, "events") != 0)
		return cli_fail(CLI_USAGE, "--follow goes with rates and events, not with %s: weir history rates --follow",
				verb->name);
	if (CLI_GIVEN(c, UNTIL))
		return cli_fail(CLI_USAGE, "--follow goes on after now: leave --until away");
	if (CLI_GIVEN(c, STEP) && strcmp(verb->name, "events") == 0)
		return cli_fail(CLI_USAGE, "--follow tells events one by one: leave --step away");
	if (CLI_GIVEN(c, JSON) || CLI_GIVEN(c, PRETTY))
		return cli_fail(CLI_USAGE, "--follow has no end, and a document needs one: take --ndjson");
	if (CLI_GIVEN(c, SORT) || CLI_GIVEN(c, LIMIT) || CLI_GIVEN(c, COLUMNS))
		return cli_fail(CLI_USAGE, "--follow shows rows as they come: leave --sort, --limit and --columns away");
	return CLI_OK;
}

int cli_history_follow(const struct cli_command *c, const struct cli_verb *verb, unsigned first_word)
{
	struct follow f = { .c = c, .news = { .rates = !strcmp(verb->name, "rates") } };
	int r = check(c, verb);

	if (r != CLI_OK)
		return r;
	r = cli_history_open(c, verb, first_word, &f.rq, &f.source);
	if (r != CLI_OK) {
		cli_source_free(f.source);
		return r;
	}
	cli_style_init(&f.style, c);
	r = follow_on(&f);
	cli_new_done(&f.news);
	cli_source_free(f.source);
	cli_request_done(&f.rq);
	return r;
}
