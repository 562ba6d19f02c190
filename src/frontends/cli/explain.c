// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "core/document.h"
#include "core/tables.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/explain_tell.h"
#include "frontends/cli/json_text.h"
#include "frontends/cli/output.h"
#include "frontends/cli/source.h"
#include "frontends/cli/style.h"
#include "frontends/cli/when.h"
#include "frontends/words/words.h"

/* `weir explain`: finds out what is meant, asks the daemon, and has it told. */

#define NS_PER_S 1000000000ull
#define WIDTH 100
#define WIDTH_LEAST 40
#define ROWS_MAX 2000
#define CHANGES_MAX 10
#define EVENTS_MAX 20
/* Around a moment: what began a little before it belongs to it. */
#define MOMENT_BEFORE_S 60
#define MOMENT_LENGTH_S 300
#define PRIVATE_LOOK_NS NS_PER_S
#define PID_LARGEST 4194304 /* PID_MAX_LIMIT, include/linux/threads.h */

enum explain_table {
	EXPLAIN_PROCESSES,
	EXPLAIN_FLOWS,
	EXPLAIN_DROPS,
	EXPLAIN_FINDINGS,
	EXPLAIN_DAYS,
	EXPLAIN_PEERS,
	EXPLAIN_PAST,
	EXPLAIN_CHANGES,
	EXPLAIN_EVENTS,
	_EXPLAIN_TABLE_MAX,
};

static const char *const tables[_EXPLAIN_TABLE_MAX] = {
	[EXPLAIN_PROCESSES] = "processes",	  [EXPLAIN_FLOWS] = "flows",
	[EXPLAIN_DROPS] = "drops",		  [EXPLAIN_FINDINGS] = "findings",
	[EXPLAIN_DAYS] = "history_days",	  [EXPLAIN_PEERS] = "history_peers",
	[EXPLAIN_PAST] = "history",		  [EXPLAIN_CHANGES] = "history_changes",
	[EXPLAIN_EVENTS] = "history_events",
};

struct explain {
	const struct cli_command *c;
	struct cli_source *source;
	struct weir_snapshot *kept[_EXPLAIN_TABLE_MAX];
	struct explain_documents d;
};

/* --- asking ---------------------------------------------------------------------------------- */

static struct weir_rows *rows_of(struct explain *e, enum explain_table which)
{
	struct weir_rows *const rows[_EXPLAIN_TABLE_MAX] = {
		[EXPLAIN_PROCESSES] = &e->d.processes, [EXPLAIN_FLOWS] = &e->d.flows,	  [EXPLAIN_DROPS] = &e->d.drops,
		[EXPLAIN_FINDINGS] = &e->d.findings,   [EXPLAIN_DAYS] = &e->d.days,	  [EXPLAIN_PEERS] = &e->d.peers,
		[EXPLAIN_PAST] = &e->d.past,	       [EXPLAIN_CHANGES] = &e->d.changes, [EXPLAIN_EVENTS] = &e->d.events,
	};

	return rows[which];
}

static int read_answer(struct explain *e, enum explain_table which, const struct weir_table *table, const struct weir_buf *body)
{
	char *why = NULL;
	int r;

	weir_snapshot_unref(e->kept[which]);
	e->kept[which] = NULL;
	*rows_of(e, which) = (struct weir_rows){ .def = table };
	r = weir_document_parse(body->data ? body->data : "", body->len, table, &e->kept[which], &why);
	if (r < 0) {
		r = cli_fail(CLI_FAILED, "the answer for %s cannot be read: %s", table->name, why ? why : strerror(-r));
		free(why);
		return r;
	}
	r = weir_snapshot_rows(e->kept[which], table, rows_of(e, which));
	return r < 0 && r != -ENOENT ? cli_fail_error(r, NULL) : CLI_OK;
}

/* Asks for the rows that fit; must: without an answer there is no story. span NULL: of now. */
static int ask(struct explain *e, enum explain_table which, const char *filter, const struct cli_span *span, uint64_t limit,
	       bool must)
{
	struct cli_request rq = { .table = weir_table_find(tables[which]), .limit = limit };
	struct weir_buf body = {};
	char *why = NULL;
	int r = 0;

	if (!rq.table)
		return CLI_OK;
	if (span)
		rq.span = *span;
	weir_buf_str(&rq.filter, filter);
	if (!rq.filter.len)
		weir_buf_done(&rq.filter);
	r = rq.filter.error ? rq.filter.error : cli_source_try(e->source, &rq, false, &body, &why);
	if (r >= 0)
		r = read_answer(e, which, rq.table, &body);
	else if (must || r == -EINTR || r == -ENOMEM)
		r = cli_fail_error(r, TAKE_PTR(why));
	else
		r = CLI_OK;
	free(why);
	weir_buf_done(&body);
	cli_request_done(&rq);
	return r;
}

static void add_term(struct weir_buf *filter, const char *field, const char *value)
{
	weir_buf_printf(filter, "%s%s:", filter->len ? " " : "", field);
	weir_filter_quote(filter, value);
}

static void add_number(struct weir_buf *filter, const char *field, uint64_t value)
{
	weir_buf_printf(filter, "%s%s:%" PRIu64, filter->len ? " " : "", field, value);
}

static const char *text_of_buf(const struct weir_buf *b)
{
	return b->data ? b->data : "";
}

/* --- a process, or all of one name ----------------------------------------------------------- */

/* What its program did today, in the words of the past. */
static int ask_past(struct explain *e, const char *name)
{
	struct cli_span today = { .from_real_ns = e->d.today_real_ns };
	_cleanup_(weir_buf_done) struct weir_buf filter = {};
	const struct weir_rows *p = &e->d.processes;
	int r = CLI_OK;

	add_term(&filter, "program", name);
	/* One process is told of with what shares its place, not with all of its name. */
	if (p->n == 1 && weir_row_text(p, 0, "unit"))
		add_term(&filter, "unit", weir_row_text(p, 0, "unit"));
	if (p->n == 1 && weir_row_text(p, 0, "container_name"))
		add_term(&filter, "container_name", weir_row_text(p, 0, "container_name"));
	if (filter.error)
		return cli_fail_error(filter.error, NULL);
	if (!today.from_real_ns || today.from_real_ns + NS_PER_S >= e->d.now_real_ns)
		return CLI_OK;
	r = ask(e, EXPLAIN_PAST, filter.data, &today, ROWS_MAX, false);
	if (r == CLI_OK)
		r = ask(e, EXPLAIN_DAYS, filter.data, &today, ROWS_MAX, false);
	if (r == CLI_OK)
		r = ask(e, EXPLAIN_PEERS, filter.data, &today, ROWS_MAX, false);
	return r;
}

/* filter: what chose the processes; flows and losses have the same fields. */
static int ask_rest(struct explain *e, const char *filter, const char *name)
{
	int r = ask(e, EXPLAIN_FLOWS, filter, NULL, ROWS_MAX, false);

	if (r == CLI_OK)
		r = ask(e, EXPLAIN_DROPS, filter, NULL, ROWS_MAX, false);
	e->d.drops_known = e->kept[EXPLAIN_DROPS];
	if (r == CLI_OK)
		r = ask(e, EXPLAIN_FINDINGS, "", NULL, UINT64_MAX, false);
	return r == CLI_OK ? ask_past(e, name) : r;
}

static int find_number(struct explain *e, const char *word, const char **ret_about)
{
	_cleanup_(weir_buf_done) struct weir_buf pid = {}, cookie = {};
	int r;

	weir_buf_printf(&pid, "pid:%s", word);
	weir_buf_printf(&cookie, "cookie:%s", word);
	if (pid.error || cookie.error)
		return cli_fail_error(-ENOMEM, NULL);
	/* What is no pid may be a socket's number. */
	r = ask(e, EXPLAIN_PROCESSES, pid.data, NULL, ROWS_MAX, strtoull(word, NULL, 10) <= PID_LARGEST);
	if (r == CLI_OK && e->d.processes.n) {
		*ret_about = "process";
		return ask_rest(e, pid.data, weir_row_text(&e->d.processes, 0, "comm") ?: "");
	}
	if (r == CLI_OK)
		r = ask(e, EXPLAIN_FLOWS, cookie.data, NULL, ROWS_MAX, true);
	if (r != CLI_OK)
		return r;
	*ret_about = "flow";
	if (e->d.flows.n)
		return CLI_OK;
	return cli_fail(CLI_FAILED, "no process and no socket that weir sees has the number %s: see weir processes and weir flows "
			"--columns +cookie", word);
}

static int find_name(struct explain *e, const char *word, const char **ret_about)
{
	_cleanup_(weir_buf_done) struct weir_buf filter = {};
	int r;

	add_term(&filter, "comm", word);
	if (filter.error)
		return cli_fail_error(filter.error, NULL);
	*ret_about = "program";
	e->d.name = word;
	r = ask(e, EXPLAIN_PROCESSES, filter.data, NULL, ROWS_MAX, true);
	if (r == CLI_OK)
		r = ask_rest(e, filter.data, word);
	if (r == CLI_OK && !e->d.processes.n && !e->d.past.n)
		r = cli_fail(CLI_FAILED, "\"%s\" is no process id, no socket (ADDR:PORT) and no time, and no program of that name "
			     "used the network today: see weir processes", word);
	return r;
}

/* --- a socket -------------------------------------------------------------------------------- */

struct end {
	char address[WEIR_ADDR_TEXT];
	uint64_t port;
};

/* "10.0.0.1:443", "[fe80::1]:443"; what follows the first n bytes is not looked at. */
static bool parse_end(const char *text, size_t n, struct end *ret)
{
	char copy[96], *colon, *address = copy, *stop;
	struct weir_addr a;

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	colon = strrchr(copy, ':');
	if (!colon || !colon[1] || colon[1 + strspn(colon + 1, "0123456789")] || strlen(colon) > strlen(":65535"))
		return false;
	*colon = '\0';
	ret->port = strtoull(colon + 1, NULL, 10);
	if (*address == '[') {
		stop = strchr(++address, ']');
		if (!stop || stop[1])
			return false;
		*stop = '\0';
	}
	if (ret->port > UINT16_MAX || weir_addr_parse(address, &a) < 0)
		return false;
	weir_addr_format(&a, ret->address);
	return true;
}

/* "A:1", "A:1-B:2", or two words. Returns how many ends. */
static unsigned parse_ends(const struct cli_command *c, struct end ret[2])
{
	const char *dash = strchr(c->words[0], '-');

	if (c->n_words == 2)
		return parse_end(c->words[0], strlen(c->words[0]), &ret[0]) &&
		       parse_end(c->words[1], strlen(c->words[1]), &ret[1]) ? 2 : 0;
	if (dash)
		return parse_end(c->words[0], (size_t)(dash - c->words[0]), &ret[0]) &&
		       parse_end(dash + 1, strlen(dash + 1), &ret[1]) ? 2 : 0;
	return parse_end(c->words[0], strlen(c->words[0]), &ret[0]);
}

static int ask_ends(struct explain *e, const struct end *local, const struct end *peer)
{
	_cleanup_(weir_buf_done) struct weir_buf filter = {};

	if (local) {
		add_term(&filter, "local_address", local->address);
		add_number(&filter, "local_port", local->port);
	}
	if (peer) {
		add_term(&filter, "peer_address", peer->address);
		add_number(&filter, "peer_port", peer->port);
	}
	return filter.error ? cli_fail_error(filter.error, NULL) : ask(e, EXPLAIN_FLOWS, filter.data, NULL, ROWS_MAX, true);
}

/* Either end may be this host's. */
static int find_flow(struct explain *e, const struct end *ends, unsigned n, const char **ret_about)
{
	int r = ask_ends(e, n == 2 ? &ends[0] : NULL, n == 2 ? &ends[1] : &ends[0]);

	*ret_about = "flow";
	if (r == CLI_OK && !e->d.flows.n)
		r = ask_ends(e, n == 2 ? &ends[1] : &ends[0], n == 2 ? &ends[0] : NULL);
	if (r == CLI_OK && !e->d.flows.n)
		r = cli_fail(CLI_FAILED, "weir knows no socket %s%s%s, open or closed within the last minute: see weir flows, and "
			     "weir flows --since for the past", e->c->words[0], n == 2 && e->c->n_words == 2 ? " " : "",
			     e->c->n_words == 2 ? e->c->words[1] : "");
	return r;
}

/* --- a moment -------------------------------------------------------------------------------- */

static int find_moment(struct explain *e, uint64_t at_real_ns, const char **ret_about)
{
	uint64_t to = at_real_ns + (MOMENT_LENGTH_S - MOMENT_BEFORE_S) * NS_PER_S;
	struct cli_span span;
	int r;

	*ret_about = "time";
	if (to > e->d.now_real_ns)
		to = e->d.now_real_ns;
	e->d.to_real_ns = to - to % NS_PER_S;
	e->d.from_real_ns = e->d.to_real_ns - MOMENT_LENGTH_S * NS_PER_S;
	span = (struct cli_span){ .from_real_ns = e->d.from_real_ns, .to_real_ns = e->d.to_real_ns };
	r = ask(e, EXPLAIN_CHANGES, "", &span, CHANGES_MAX, true);
	if (r == CLI_OK)
		r = ask(e, EXPLAIN_EVENTS, "", &span, EVENTS_MAX, true);
	return r;
}

/* --- the command ----------------------------------------------------------------------------- */

static bool is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

static int find(struct explain *e, const char **ret_about)
{
	const char *word = e->c->words[0];
	struct end ends[2] = {};
	unsigned n = parse_ends(e->c, ends);
	_cleanup_free_ char *why = NULL;
	uint64_t at = 0;

	if (n)
		return find_flow(e, ends, n, ret_about);
	if (e->c->n_words > 1)
		return cli_fail(CLI_USAGE, "two words are the two ends of a socket, as in 10.0.0.1:50000 10.0.0.2:443: "
				"see weir help explain");
	if (is_number(word))
		return find_number(e, word, ret_about);
	if (cli_when_parse("explain", word, e->d.now_real_ns, CLI_WHEN_SINCE, &at, &why) == 0)
		return find_moment(e, at, ret_about);
	/* What looks like a time is meant as one: what is wrong with it is said. */
	if (why && strspn(word, "0123456789") && strchr(word, ':'))
		return cli_fail_error(-EINVAL, TAKE_PTR(why));
	return find_name(e, word, ret_about);
}

static const char *host_of(const struct explain *e)
{
	for (unsigned i = 0; i < _EXPLAIN_TABLE_MAX; i++)
		if (e->kept[i])
			return weir_snapshot_head(e->kept[i])->host;
	return "";
}

static int show(struct explain *e, struct explain_story *s, const char *about, struct weir_buf *out)
{
	struct weir_buf document = {};
	struct cli_style style;
	int r;

	cli_style_init(&style, e->c);
	if (!CLI_GIVEN(e->c, JSON) && !CLI_GIVEN(e->c, PRETTY))
		return explain_story_text(s, style.width >= WIDTH_LEAST && style.width < WIDTH ? style.width : WIDTH, out);
	r = explain_story_json(s, host_of(e), e->d.now_real_ns, about, &document);
	if (r >= 0 && CLI_GIVEN(e->c, PRETTY))
		r = cli_json_indent(out, text_of_buf(&document), document.len);
	else if (r >= 0)
		weir_buf_add(out, document.data, document.len);
	weir_buf_char(out, '\n');
	weir_buf_done(&document);
	return r < 0 ? r : out->error;
}

static int tell(struct explain *e, const char *about)
{
	struct explain_story s;
	struct weir_buf out = {};
	int r;

	explain_story_init(&s);
	if (!strcmp(about, "flow"))
		explain_tell_flows(&e->d, &s);
	else if (!strcmp(about, "time"))
		explain_tell_moment(&e->d, &s);
	else
		explain_tell_process(&e->d, &s);
	r = show(e, &s, about, &out);
	r = r < 0 ? cli_fail_error(r, NULL) : cli_output(&out, NULL);
	weir_buf_done(&out);
	explain_story_done(&s);
	return r;
}

int cli_explain_run(const struct cli_command *c)
{
	struct explain e = { .c = c };
	const char *about = NULL;
	int r;

	weir_words_init();
	e.d.now_real_ns = weir_clock_ns(CLOCK_REALTIME);
	r = cli_source_open(c, &e.source);
	if (r == CLI_OK && cli_source_is_private(e.source))
		r = cli_source_pause(e.source, PRIVATE_LOOK_NS);
	if (r == CLI_OK) {
		/* The day of the daemon's clocks: history sums by that one. */
		cli_span_there(e.source, &e.d.now_real_ns, &e.d.today_real_ns);
		r = find(&e, &about);
	}
	if (r == CLI_OK)
		r = tell(&e, about);
	for (unsigned i = 0; i < _EXPLAIN_TABLE_MAX; i++)
		weir_snapshot_unref(e.kept[i]);
	cli_source_free(e.source);
	return r;
}
