// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/history_span.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "core/tables.h"
#include "frontends/cli/source.h"
#include "frontends/cli/url.h"
#include "frontends/cli/when.h"

#define NS_PER_S 1000000000ull
/* What a slow answer may make of the same clock. */
#define SAME_CLOCK_NS (10 * NS_PER_S)

/* The two options that a span is read from. */
static const struct ends {
	enum cli_option_id since, until;
} asked_ends = { CLI_OPTION_SINCE, CLI_OPTION_UNTIL }, compared_ends = { CLI_OPTION_SINCE2, CLI_OPTION_UNTIL2 };

static int fail_order(const struct cli_command *c, const struct ends *ends, uint64_t from, uint64_t to, char **ret_error)
{
	char since[CLI_WHEN_TEXT], until[CLI_WHEN_TEXT], a[32], b[32];
	struct weir_buf text = {};

	cli_option_text(ends->since, a);
	cli_option_text(ends->until, b);
	weir_buf_printf(&text, "%s is %s and %s is %s, which is not later: ", a, cli_when_full(from, since), b,
			cli_when_full(to, until));
	if (c->value[ends->since])
		weir_buf_str(&text, "swap them");
	else
		weir_buf_printf(&text, "move %s on", b);
	return weir_buf_error(&text, -EINVAL, ret_error);
}

/* 0 where the option is not given. */
static int read_end(const struct cli_command *c, enum cli_option_id id, enum cli_when_end end, uint64_t now_real_ns,
		    uint64_t *ret_real_ns, char **ret_error)
{
	char what[32];
	int r;

	*ret_real_ns = 0;
	if (!c->value[id])
		return 0;
	r = cli_when_parse(cli_option_text(id, what), c->value[id], now_real_ns, end, ret_real_ns, ret_error);
	if (r == 0 && !*ret_real_ns)
		*ret_real_ns = 1; /* 1970 is a time as well */
	return r;
}

static int read_ends(const struct cli_command *c, const struct ends *ends, uint64_t now_real_ns, uint64_t *ret_from,
		     uint64_t *ret_to, char **ret_error)
{
	int r = read_end(c, ends->until, CLI_WHEN_UNTIL, now_real_ns, ret_to, ret_error);

	return r < 0 ? r : read_end(c, ends->since, CLI_WHEN_SINCE, now_real_ns, ret_from, ret_error);
}

static uint64_t before(uint64_t end_ns, uint64_t length_ns)
{
	return end_ns > length_ns ? end_ns - length_ns : 1;
}

/* As long as the span itself, where one of its ends is left open. */
static int read_compared(const struct cli_command *c, uint64_t length_ns, uint64_t now_real_ns, struct cli_span *span,
			 char **ret_error)
{
	int r = read_ends(c, &compared_ends, now_real_ns, &span->from2_real_ns, &span->to2_real_ns, ret_error);

	if (r < 0 || (!span->from2_real_ns && !span->to2_real_ns))
		return r;
	if (!span->from2_real_ns)
		span->from2_real_ns = before(span->to2_real_ns, length_ns);
	else if (!span->to2_real_ns)
		span->to2_real_ns = now_real_ns - span->from2_real_ns < length_ns ? now_real_ns : span->from2_real_ns + length_ns;
	if (span->from2_real_ns >= span->to2_real_ns)
		return fail_order(c, &compared_ends, span->from2_real_ns, span->to2_real_ns, ret_error);
	return 0;
}

int cli_span_read(const struct cli_command *c, uint64_t usual_s, uint64_t now_real_ns, struct cli_span *ret,
		  char **ret_error)
{
	struct cli_span span = {};
	uint64_t end;
	int r = read_ends(c, &asked_ends, now_real_ns, &span.from_real_ns, &span.to_real_ns, ret_error);

	if (r < 0)
		return r;
	end = span.to_real_ns ? span.to_real_ns : now_real_ns;
	if (!span.from_real_ns)
		span.from_real_ns = before(end, usual_s * NS_PER_S);
	if (CLI_GIVEN(c, STEP) && (r = cli_when_step("--step", c->value[CLI_OPTION_STEP], &span.step_s, ret_error)) < 0)
		return r;
	if (span.from_real_ns >= end)
		return fail_order(c, &asked_ends, span.from_real_ns, end, ret_error);
	r = read_compared(c, end - span.from_real_ns, now_real_ns, &span, ret_error);
	if (r == 0)
		*ret = span;
	return r;
}

/* 0: not said. */
static void add_time(struct weir_buf *url, const char *name, uint64_t real_ns)
{
	char stamp[WEIR_TIMESTAMP_TEXT];

	if (!real_ns)
		return;
	weir_timestamp_format(real_ns, stamp);
	cli_url_parameter(url, name, stamp);
}

void cli_span_url(const struct cli_span *span, struct weir_buf *url)
{
	char step[24];

	if (!span->from_real_ns)
		return;
	add_time(url, "from", span->from_real_ns);
	add_time(url, "to", span->to_real_ns);
	add_time(url, "from2", span->from2_real_ns);
	add_time(url, "to2", span->to2_real_ns);
	if (span->step_s) {
		snprintf(step, sizeof(step), "%" PRIu64, span->step_s);
		cli_url_parameter(url, "step", step);
	}
}

static uint64_t time_of(const json_t *root, const char *name)
{
	const char *text = json_string_value(json_object_get(root, name));
	uint64_t ns = 0;

	return text && weir_timestamp_parse(text, &ns) == 0 ? ns : 0;
}

int cli_span_answered(const char *text, size_t len, struct cli_span_answered *ret)
{
	json_t *root = json_loadb(text, len, 0, NULL);
	json_int_t step;

	if (!json_is_object(root)) {
		json_decref(root);
		return -EBADMSG;
	}
	step = json_integer_value(json_object_get(root, "step"));
	*ret = (struct cli_span_answered){
		.from_real_ns = time_of(root, "from"),
		.to_real_ns = time_of(root, "to"),
		.step_s = step > 0 ? (uint64_t)step : 0,
		.real_ns = time_of(root, "time"),
		.day_real_ns = time_of(root, "day_start"),
		.utc_offset_s = json_integer_value(json_object_get(root, "utc_offset_seconds")),
	};
	json_decref(root);
	return 0;
}

void cli_span_there(struct cli_source *source, uint64_t *real_ns, uint64_t *ret_day_real_ns)
{
	struct cli_request rq = { .table = weir_table_find("history_store"), .limit = 1 };
	_cleanup_(weir_buf_done) struct weir_buf body = {};
	_cleanup_free_ char *why = NULL;
	struct cli_span_answered answered = {};
	uint64_t there;

	if (ret_day_real_ns)
		*ret_day_real_ns = 0;
	if (!rq.table || cli_source_try(source, &rq, false, &body, &why) < 0 || !body.data ||
	    cli_span_answered(body.data, body.len, &answered) < 0)
		return;
	there = answered.real_ns;
	if (there && (there > *real_ns ? there - *real_ns : *real_ns - there) >= SAME_CLOCK_NS)
		*real_ns = there;
	if (ret_day_real_ns)
		*ret_day_real_ns = answered.day_real_ns;
}
