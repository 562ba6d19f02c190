// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/show.h"

#include <errno.h>
#include <string.h>

#include "core/document.h"
#include "core/tables.h"
#include "frontends/cli/doctor.h"
#include "frontends/cli/drops.h"
#include "frontends/cli/hooks.h"
#include "frontends/cli/json_text.h"
#include "frontends/cli/output.h"
#include "frontends/cli/style.h"
#include "frontends/cli/top.h"

/* What is special about a table; any other is shown plainly. */
static const struct {
	const char *table;
	struct cli_show show;
} specials[] = {
	{ "doctor", { .found = cli_doctor_found, .live = true, .draw = cli_doctor_draw } },
	{ "audit", { .found = cli_audit_found, .draw = cli_audit_draw } },
	{ "drops", { .measure_alone_ns = 1000000000, .draw = cli_drops_draw } },
	{ "findings", { .measure_alone_ns = 1000000000, .draw = cli_findings_draw } },
	{ "hooks", { .measure_ns = 1000000000, .live = true, .draw = cli_hooks_draw } },
};

static struct cli_show show_for(const struct weir_table *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(specials); i++)
		if (!strcmp(specials[i].table, table->name))
			return specials[i].show;
	return (struct cli_show){};
}

bool cli_show_wants_document(const struct cli_command *c)
{
	return CLI_GIVEN(c, JSON) || CLI_GIVEN(c, PRETTY) || CLI_GIVEN(c, NDJSON);
}

int cli_show_document(const struct cli_command *c, const struct weir_buf *body, struct weir_buf *out)
{
	int r;

	if (CLI_GIVEN(c, NDJSON))
		return cli_json_rows(out, body->data, body->len, false);
	if (!CLI_GIVEN(c, PRETTY)) {
		weir_buf_add(out, body->data, body->len);
		weir_buf_char(out, '\n');
		return out->error;
	}
	r = cli_json_indent(out, body->data, body->len);
	weir_buf_char(out, '\n');
	return r;
}

static int lay_out_table(const struct cli_show *show, const struct cli_command *c,
			 const struct cli_request *rq, const struct weir_snapshot *s,
			 const struct weir_rows *rows, struct weir_buf *out)
{
	uint64_t lost = weir_snapshot_head(s)->lost_events;
	struct cli_style style;
	int r;

	cli_style_init(&style, c);
	if (show->draw)
		r = show->draw(rows, c, rq, &style, out);
	else
		r = cli_rows_draw(rows, &rq->columns, NULL, rows->n, &style, out);
	if (r < 0)
		return r;
	/* A number never stands without what is known to be missing from it. */
	if (lost) {
		cli_signal_begin(out, style.color ? CLI_SIGNAL_BAD : CLI_SIGNAL_NONE);
		weir_buf_printf(
			out,
			"%llu events were lost: live numbers may be late or too low (weir audit)",
			(unsigned long long)lost);
		cli_signal_end(out, style.color ? CLI_SIGNAL_BAD : CLI_SIGNAL_NONE);
		weir_buf_char(out, '\n');
	}
	return out->error;
}

int cli_show_read(const struct weir_table *table, const struct weir_buf *body, struct weir_snapshot **ret_s,
		  struct weir_rows *ret_rows)
{
	char *why = NULL;
	int r;

	r = weir_document_parse(body->data ? body->data : "", body->len, table, ret_s, &why);
	if (r == -ENOMEM)
		return cli_fail_error(r, why);
	if (r < 0) {
		r = cli_fail(CLI_FAILED, "the answer for %s cannot be read: %s", table->name,
			     why ? why : strerror(-r));
		free(why);
		return r;
	}
	*ret_rows = (struct weir_rows){ .def = table };
	r = weir_snapshot_rows(*ret_s, table, ret_rows);
	return r < 0 && r != -ENOENT ? cli_fail_error(r, NULL) : CLI_OK;
}

static int show_body(const struct cli_show *show, const struct cli_command *c,
		     const struct cli_request *rq, const struct weir_buf *body)
{
	struct weir_snapshot *s = NULL;
	struct weir_rows rows = {};
	struct weir_buf out = {};
	int r = CLI_OK, e;

	if (!cli_show_wants_document(c)) {
		r = cli_show_read(rq->table, body, &s, &rows);
		if (r != CLI_OK)
			return r;
		e = lay_out_table(show, c, rq, s, &rows, &out);
	} else {
		e = cli_show_document(c, body, &out);
	}
	weir_snapshot_unref(s);
	if (e == -EBADMSG)
		r = cli_fail(CLI_FAILED, "the answer for %s is not a document of weir",
			     rq->table->name);
	else if (e < 0)
		r = cli_fail_error(e, NULL);
	else
		r = cli_output(&out, NULL);
	weir_buf_done(&out);
	return r;
}

/* The whole table decides, whatever the filter and the columns leave of it. body: what was shown.
 */
static int look_for(const struct cli_show *show, const struct cli_request *rq,
		    struct cli_source *source, struct weir_buf *body)
{
	struct cli_request all = { .table = rq->table, .limit = UINT64_MAX };
	struct weir_snapshot *s = NULL;
	struct weir_rows rows = {};
	int r = CLI_OK;

	if (rq->filter.len || rq->columns.chosen || rq->limit != UINT64_MAX)
		r = cli_source_fetch(source, &all, false, body);
	if (r == CLI_OK)
		r = cli_show_read(rq->table, body, &s, &rows);
	if (r == CLI_OK && show->found(&rows))
		r = CLI_CONDITION;
	weir_snapshot_unref(s);
	return r;
}

static bool is_empty(const struct weir_buf *body)
{
	static const char end[] = "\"rows\":[]}";

	return body->len >= strlen(end) &&
	       !memcmp(body->data + body->len - strlen(end), end, strlen(end));
}

/* No rows may mean that nothing could be seen: then that is said, and not an empty table. */
static int explain_absence(const struct weir_table *table, struct cli_source *source)
{
	struct cli_request all = { .table = weir_table_find("doctor"), .limit = UINT64_MAX };
	struct weir_snapshot *s = NULL;
	struct weir_rows rows = {};
	struct weir_buf body = {};
	int r = cli_source_fetch(source, &all, false, &body);

	if (r == CLI_OK)
		r = cli_show_read(all.table, &body, &s, &rows);
	if (r == CLI_OK)
		r = cli_doctor_explain(&rows, table);
	weir_snapshot_unref(s);
	weir_buf_done(&body);
	return r;
}

static int say_not_recorded(const struct weir_table *table)
{
	return cli_fail(CLI_IMPOSSIBLE,
			"%s is not available in a replay: a recording holds what was seen, not the "
			"machine that saw it; run weir %s there",
			table->name, table->name);
}

/* With -c or -d again and again, a second apart if not told otherwise. */
static int show_again(const struct cli_show *show, const struct cli_command *c, const struct cli_request *rq, bool fields,
		      struct cli_source *source, struct weir_buf *body)
{
	uint64_t frames = CLI_GIVEN(c, COUNT) ? cli_value_number(c, CLI_OPTION_COUNT, 1) : UINT64_MAX;
	struct weir_buf gap = {};
	int r = CLI_OK;

	if ((!CLI_GIVEN(c, COUNT) && !CLI_GIVEN(c, INTERVAL)) || cli_source_is_replay(source))
		return CLI_OK;
	if (!cli_show_wants_document(c))
		weir_buf_char(&gap, '\n');
	for (uint64_t i = 1; i < frames && r == CLI_OK; i++) {
		r = cli_source_pause(source, cli_top_interval_ns(c));
		if (r == CLI_OK)
			r = cli_source_fetch(source, rq, fields, body);
		if (r == CLI_OK && gap.len)
			r = cli_output(&gap, NULL);
		if (r == CLI_OK)
			r = show_body(show, c, rq, body);
	}
	weir_buf_done(&gap);
	return r;
}

static int show_from(const struct cli_show *show, const struct cli_command *c,
		     const struct cli_request *rq, struct cli_source *source)
{
	/* What looks at the rows itself looks at all their fields. */
	bool fields = rq->columns.chosen || (!cli_show_wants_document(c) && !show->draw && !show->found);
	struct weir_buf body = {};
	int status, r;

	if (show->live && cli_source_is_replay(source))
		return say_not_recorded(rq->table);
	r = cli_source_last(source, &status);
	if (r == CLI_OK && show->measure_alone_ns && cli_source_is_private(source))
		r = cli_source_pause(source, show->measure_alone_ns);
	if (r == CLI_OK && show->measure_ns) {
		r = cli_source_fetch(source, rq, fields, &body);
		if (r == CLI_OK)
			r = cli_source_pause(source, show->measure_ns);
	}
	if (r == CLI_OK)
		r = cli_source_fetch(source, rq, fields, &body);
	if (r == CLI_OK && is_empty(&body) && !cli_source_is_replay(source) &&
	    strcmp(rq->table->name, "doctor") != 0)
		r = explain_absence(rq->table, source);
	if (r == CLI_OK)
		r = show_body(show, c, rq, &body);
	if (r == CLI_OK)
		r = show_again(show, c, rq, fields, source, &body);
	if (r == CLI_OK && show->found)
		r = look_for(show, rq, source, &body);
	weir_buf_done(&body);
	return r == CLI_OK ? status : r;
}

int cli_show_command(const struct cli_command *c, const struct weir_table *table,
		     unsigned first_word,
		     int (*open)(const struct cli_command *c, struct cli_source **ret))
{
	_cleanup_(cli_source_freep) struct cli_source *source = NULL;
	struct cli_show show = show_for(table);
	struct cli_request rq;
	char *why = NULL;
	int r;

	r = cli_request_init(&rq, c, table, first_word, &why);
	if (r < 0)
		return cli_fail_error(r, why);
	r = open(c, &source);
	if (r == CLI_OK)
		r = show_from(&show, c, &rq, source);
	cli_request_done(&rq);
	return r;
}
