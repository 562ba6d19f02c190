// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/document.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/json_text.h"
#include "frontends/cli/output.h"
#include "frontends/cli/style.h"
#include "frontends/cli/top.h"

/* The alternate screen keeps what stood in the terminal before. */
#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"

/* Lines that a frame takes beside its rows: the head (two when narrow), the heading, what was left
 * out, "no room for", and the prompt. */
#define FRAME_LINES 6
#define FRAME_ROWS_MIN 5

/* Faster than that a daemon has nothing new to say. */
#define INTERVAL_MIN_S 0.1

/* A machine that is too busy to answer is when somebody looks: so many frames may fail before it is
 * given up. */
#define MISSED_MAX 5

static int write_text(const char *text)
{
	struct weir_buf b = {};
	int r;

	weir_buf_str(&b, text);
	r = cli_output(&b, NULL);
	weir_buf_done(&b);
	return r;
}

/* Each line wipes what is left of the one before it; the rest of the screen is wiped at the end. */
static void over_before(const struct weir_buf *frame, struct weir_buf *out)
{
	weir_buf_str(out, "\033[H");
	for (size_t i = 0; i < frame->len; i++) {
		if (frame->data[i] == '\n')
			weir_buf_str(out, "\033[K");
		weir_buf_char(out, frame->data[i]);
	}
	weir_buf_str(out, "\033[J");
}

static int draw_frame(const struct cli_top *t, const struct cli_command *c,
		      const struct weir_buf *body, struct weir_buf *out, char **ret_error)
{
	struct weir_snapshot *s = NULL;
	struct cli_top fitting = *t;
	struct cli_style style;
	int r;

	r = weir_document_parse(body->data ? body->data : "", body->len, t->request.table, &s,
				ret_error);
	if (r < 0)
		return r;
	/* Asked again for each frame: windows change. */
	cli_style_init(&style, c);
	if (style.height && !CLI_GIVEN(c, LIMIT)) {
		unsigned fit = style.height > FRAME_LINES + FRAME_ROWS_MIN
				       ? style.height - FRAME_LINES
				       : FRAME_ROWS_MIN;

		if (fit < fitting.rows_max)
			fitting.rows_max = fit;
	}
	r = cli_top_draw(&fitting, s, &style, out);
	weir_snapshot_unref(s);
	return r;
}

static int lay_out(const struct cli_top *t, const struct cli_command *c, enum cli_top_output output,
		   const struct weir_buf *body, struct weir_buf *out, char **ret_error)
{
	int r = 0;

	switch (output) {
	case CLI_TOP_FRAMES:
	case CLI_TOP_IN_PLACE:
		return draw_frame(t, c, body, out, ret_error);
	case CLI_TOP_NDJSON:
		return cli_json_rows(out, body->data, body->len, true);
	case CLI_TOP_PRETTY:
		r = cli_json_indent(out, body->data, body->len);
		break;
	case CLI_TOP_JSON:
		weir_buf_add(out, body->data, body->len);
		break;
	}
	weir_buf_char(out, '\n');
	return r < 0 ? r : out->error;
}

/* What one round needs, made once. */
struct top_round {
	struct weir_buf body, out;
	struct weir_buf screen; /* out, as it goes over the frame before */
	uint64_t drawn;
	unsigned missed; /* answers that did not come, one after the other */
	bool over;	 /* the recording's end, or nobody reads any more */
};

static int round_draw(struct cli_top *t, struct cli_source *source, const struct cli_command *c,
		      const struct cli_top_play *play, struct top_round *round)
{
	bool frames = play->output == CLI_TOP_FRAMES || play->output == CLI_TOP_IN_PLACE;
	struct cli_request request = t->request;
	char *why = NULL;
	int r;

	if (frames) {
		/* The frame orders the rows itself, so it has to see all of them. */
		request.limit = UINT64_MAX;
		cli_top_needs(t, &request.columns);
	}
	r = cli_source_try(source, &request, frames || request.columns.chosen, &round->body, &why);
	if ((r == -EAGAIN || r == -ETIMEDOUT) && ++round->missed < MISSED_MAX) {
		cli_fail_error(r, why);
		return CLI_OK;
	}
	if (r < 0)
		return cli_fail_error(r, why);
	round->missed = 0;
	weir_buf_reset(&round->out);
	if (play->output == CLI_TOP_FRAMES && round->drawn)
		weir_buf_char(&round->out, '\n');
	r = lay_out(t, c, play->output, &round->body, &round->out, &why);
	if (r < 0 && r != -ENOMEM) {
		r = cli_fail(CLI_FAILED, "the answer for %s cannot be read: %s",
			     request.table->name, why ? why : strerror(-r));
		free(why);
		return r;
	}
	if (r < 0)
		return cli_fail_error(r, why);
	/* On a terminal each frame pushes the one before it out of sight. */
	if (play->note && (!round->drawn || isatty(STDOUT_FILENO)))
		weir_buf_str(&round->out, play->note);
	round->drawn++;
	if (play->output != CLI_TOP_IN_PLACE)
		return cli_output(&round->out, &round->over);
	weir_buf_reset(&round->screen);
	over_before(&round->out, &round->screen);
	return cli_output(&round->screen, &round->over);
}

int cli_top_run(struct cli_top *t, struct cli_source *source, const struct cli_command *c,
		const struct cli_top_play *play)
{
	bool in_place = play->output == CLI_TOP_IN_PLACE;
	struct top_round round = {};
	int r = in_place ? write_text(SCREEN_ENTER) : CLI_OK;

	while (r == CLI_OK && !round.over && (!play->count || round.drawn < play->count)) {
		r = cli_source_next(source, play->interval_ns, &round.over);
		if (r == CLI_OK && !round.over)
			r = round_draw(t, source, c, play, &round);
	}
	if (in_place)
		(void)write_text(SCREEN_LEAVE);
	/* What was on the screen at the end stays to be read. */
	if (in_place && r == CLI_OK && !cli_interrupted())
		r = cli_output(&round.out, NULL);
	weir_buf_done(&round.body);
	weir_buf_done(&round.out);
	weir_buf_done(&round.screen);
	return r;
}

enum cli_top_output cli_top_output_of(const struct cli_command *c, bool frames)
{
	if (CLI_GIVEN(c, NDJSON))
		return CLI_TOP_NDJSON;
	if (CLI_GIVEN(c, PRETTY))
		return CLI_TOP_PRETTY;
	if (CLI_GIVEN(c, JSON))
		return CLI_TOP_JSON;
	return !frames && !CLI_GIVEN(c, BATCH) && isatty(STDOUT_FILENO) == 1 ? CLI_TOP_IN_PLACE
									     : CLI_TOP_FRAMES;
}

uint64_t cli_top_interval_ns(const struct cli_command *c)
{
	double seconds = cli_value_seconds(c, CLI_OPTION_INTERVAL, 1);

	return (uint64_t)((seconds < INTERVAL_MIN_S ? INTERVAL_MIN_S : seconds) * 1e9);
}

int cli_top_command(const struct cli_command *c, unsigned first_word,
		    int (*open)(const struct cli_command *c, struct cli_source **ret))
{
	_cleanup_(cli_source_freep) struct cli_source *source = NULL;
	struct cli_top_play play = {
		.output = cli_top_output_of(c, false),
		.count = cli_value_number(c, CLI_OPTION_COUNT, 0),
		.interval_ns = cli_top_interval_ns(c),
	};
	char *why = NULL;
	struct cli_top t;
	int r;

	r = cli_top_init(&t, c, CLI_GIVEN(c, FLOWS) ? CLI_TOP_FLOWS : CLI_TOP_PROCESSES, first_word,
			 &why);
	if (r < 0)
		return cli_fail_error(r, why);
	t.rows_max = t.request.limit;
	if (cli_top_is_live(c)) {
		r = cli_top_live(&t, c, open);
	} else {
		r = open(c, &source);
		if (r == CLI_OK)
			r = cli_top_run(&t, source, c, &play);
	}
	cli_top_done(&t);
	return r;
}
