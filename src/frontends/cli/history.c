// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/history.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "core/document.h"
#include "core/tables.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/history_draw.h"
#include "frontends/cli/output.h"
#include "frontends/cli/show.h"
#include "frontends/cli/style.h"

#define CHANGES_SHOWN 12
#define HOUR 3600
#define DAY 86400

const struct cli_verb cli_history_verbs[] = {
	{ "programs", "history", "programs: what they sent and received", HOUR },
	{ "rates", "history_rates", "the curve, with the largest second of each step", HOUR },
	{ "peers", "history_peers", "who talked to whom", HOUR },
	{ "losses", "history_losses", "packets lost: why and whose", HOUR },
	{ "days", "history_days", "what each program used, day by day", 30 * DAY },
	{ "months", "history_months", "the same, month by month", 400 * DAY },
	{ "events", "history_events", "what happened: new programs, findings, starts", DAY },
	{ "changes", "history_changes", "what is different from the time before, the most telling first", HOUR },
	{ "store", "history_store", "what is kept, for how long, and how much room it takes", HOUR },
	{},
};

const struct cli_verb *cli_history_verb(const char *table)
{
	for (const struct cli_verb *v = cli_history_verbs; v->name; v++)
		if (!strcmp(v->table, table))
			return v;
	return NULL;
}

/* --- one answer ------------------------------------------------------------------------------ */

/* How far back history reaches: worth a line, and no reason to fail. */
static bool ask_store(struct cli_source *source, struct weir_snapshot **ret_s, struct weir_rows *ret_rows)
{
	struct cli_request rq = { .table = weir_table_find("history_store"), .limit = UINT64_MAX };
	_cleanup_(weir_buf_done) struct weir_buf body = {};
	_cleanup_free_ char *why = NULL;

	if (!rq.table || cli_source_try(source, &rq, false, &body, &why) < 0 ||
	    weir_document_parse(body.data ? body.data : "", body.len, rq.table, ret_s, &why) < 0)
		return false;
	return weir_snapshot_rows(*ret_s, rq.table, ret_rows) == 0;
}

static int draw_answer(const struct cli_command *c, const struct cli_request *rq, struct cli_source *source,
		       const struct weir_buf *body, struct weir_buf *out)
{
	struct cli_past past = { .columns = &rq->columns, .asked = rq->span, .ascii = CLI_GIVEN(c, ASCII) };
	struct weir_snapshot *s = NULL, *store_s = NULL;
	struct weir_rows rows = {}, store = {};
	struct cli_style style;
	int r = cli_show_read(rq->table, body, &s, &rows);

	if (r == CLI_OK) {
		cli_style_init(&style, c);
		past.rows = &rows;
		past.cut = !CLI_GIVEN(c, LIMIT) && rows.n == rq->limit;
		if (ask_store(source, &store_s, &store))
			past.store = &store;
		r = cli_span_answered(body->data, body->len, &past.span);
		if (r >= 0)
			r = cli_past_draw(&past, &style, out);
		r = r < 0 ? cli_fail_error(r, NULL) : CLI_OK;
	}
	weir_snapshot_unref(store_s);
	weir_snapshot_unref(s);
	return r;
}

static int show_answer(const struct cli_command *c, const struct cli_request *rq, struct cli_source *source,
		       const struct weir_buf *body)
{
	struct weir_buf out = {};
	int r = CLI_OK, e = 0;

	if (cli_show_wants_document(c))
		e = cli_show_document(c, body, &out);
	else
		r = draw_answer(c, rq, source, body, &out);
	if (e < 0)
		r = cli_fail(CLI_FAILED, "the answer for %s is not a document of weir", rq->table->name);
	if (r == CLI_OK)
		r = cli_output(&out, NULL);
	weir_buf_done(&out);
	return r;
}

/* History is what a daemon remembers: one that is started now knows none. */
int cli_history_open(const struct cli_command *c, const struct cli_verb *verb, unsigned first_word, struct cli_request *ret,
		     struct cli_source **ret_source)
{
	const struct weir_table *table = weir_table_find(verb->table);
	uint64_t now, there;
	char *why = NULL;
	bool named;
	int r;

	if (!table)
		return cli_fail(CLI_IMPOSSIBLE, "this weir was built without history");
	r = cli_request_init(ret, c, table, first_word, &why);
	if (r < 0)
		return cli_fail_error(r, why);
	now = weir_clock_ns(CLOCK_REALTIME);
	/* What is wrong with it is said before anybody is asked. */
	r = cli_span_read(c, verb->usual_s, now, &ret->span, &why);
	r = r < 0 ? cli_fail_error(r, why) : cli_source_open_socket(cli_socket_path(c, &named), ret_source);
	if (r == CLI_OK) {
		there = now;
		cli_span_there(*ret_source, &there, NULL);
		if (there != now && (r = cli_span_read(c, verb->usual_s, there, &ret->span, &why)) < 0)
			r = cli_fail_error(r, why);
	}
	if (r != CLI_OK)
		cli_request_done(ret);
	return r;
}

/* With a step a row stands for many: how many stands before the sentence, which has no width. */
static void show_counts(struct cli_request *rq)
{
	struct cli_columns *c = &rq->columns;
	int count = weir_table_field(rq->table, "count");

	if (c->chosen || count < 0 || !c->n || c->n == WEIR_FIELDS_MAX)
		return;
	c->field[c->n] = c->field[c->n - 1];
	c->field[c->n - 1] = (unsigned)count;
	c->n++;
}

int cli_history_show(const struct cli_command *c, const struct cli_verb *verb, unsigned first_word)
{
	_cleanup_(cli_source_freep) struct cli_source *source = NULL;
	_cleanup_(weir_buf_done) struct weir_buf body = {};
	struct cli_request rq;
	int r = cli_history_open(c, verb, first_word, &rq, &source);

	if (r != CLI_OK)
		return r;
	/* A person reads the first few of a ranked list. */
	if (!strcmp(verb->name, "changes") && !CLI_GIVEN(c, LIMIT) && !cli_show_wants_document(c))
		rq.limit = CHANGES_SHOWN;
	if (!strcmp(verb->name, "events") && CLI_GIVEN(c, STEP))
		show_counts(&rq);
	r = cli_source_fetch(source, &rq, rq.columns.chosen, &body);
	if (r == CLI_OK)
		r = show_answer(c, &rq, source, &body);
	cli_request_done(&rq);
	return r;
}

/* --- the command ----------------------------------------------------------------------------- */

static const struct {
	const char *present, *past;
} instead[] = {
	{ "processes", "history" },
	{ "flows", "history_peers" },
	{ "drops", "history_losses" },
};

int cli_history_instead(const struct cli_command *c)
{
	char text[32];

	for (int id = 0; id < _CLI_OPTION_MAX; id++)
		if ((CLI_BIT(COUNT) | CLI_BIT(INTERVAL) | CLI_BIT(SAMPLE)) & c->given & (1ULL << id))
			return cli_fail(CLI_USAGE, "%s is about now, and --since and --until are about the past: leave one of "
					"them away", cli_option_text(id, text));
	for (size_t i = 0; i < ARRAY_SIZE(instead); i++)
		if (!strcmp(instead[i].present, c->object->name))
			return cli_history_show(c, cli_history_verb(instead[i].past), 0);
	return cli_fail(CLI_USAGE, "%s has no past: see weir help history", c->object->name);
}

static bool is_filter(const char *word)
{
	return strpbrk(word, ":<>") || !strcmp(word, "not");
}

static int fail_verb(const char *word)
{
	const struct cli_verb *near = NULL;
	unsigned best = 3;

	for (const struct cli_verb *v = cli_history_verbs; v->name; v++) {
		unsigned d = !strncmp(word, v->name, strlen(word)) ? 0 : weir_text_distance(word, v->name);

		if (d < best) {
			best = d;
			near = v;
		}
	}
	if (near)
		return cli_fail(CLI_USAGE, "history has no \"%s\": did you mean %s?", word, near->name);
	return cli_fail(CLI_USAGE, "history has no \"%s\": see weir help history", word);
}

int cli_history_run(const struct cli_command *c)
{
	const struct cli_verb *verb = cli_history_verbs;
	unsigned first_word = 0;
	char text[32];

	if (c->n_words && !is_filter(c->words[0])) {
		for (first_word = 1; verb->name && strcmp(verb->name, c->words[0]) != 0;)
			verb++;
		if (!verb->name)
			return fail_verb(c->words[0]);
	}
	if ((CLI_GIVEN(c, SINCE2) || CLI_GIVEN(c, UNTIL2)) && strcmp(verb->name, "changes") != 0)
		return cli_fail(CLI_USAGE, "%s goes with changes, which compares two spans, not with %s: weir history changes",
				cli_option_text(CLI_GIVEN(c, SINCE2) ? CLI_OPTION_SINCE2 : CLI_OPTION_UNTIL2, text), verb->name);
	return CLI_GIVEN(c, FOLLOW) ? cli_history_follow(c, verb, first_word) : cli_history_show(c, verb, first_word);
}
