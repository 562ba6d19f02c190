// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/drops.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "frontends/cli/details.h"

static void add_stack(const char *stack, const struct cli_style *style, struct weir_buf *out)
{
	const char *name = "stack";

	while (stack && *stack) {
		size_t n = strcspn(stack, ";");
		struct weir_buf frame = {};

		weir_buf_add(&frame, stack, n);
		if (frame.len)
			cli_details_prose(name, frame.data, style, out);
		weir_buf_done(&frame);
		name = "";
		stack += n;
		stack += *stack == ';';
	}
}

static void add_below(const struct weir_rows *r, size_t row, const struct cli_style *style, void *user,
		      struct weir_buf *out)
{
	const char *class = weir_row_text(r, row, "class");
	const bool *sample = user;

	if (*sample || !class || strcmp(class, "expected") != 0) {
		cli_details_prose("why", weir_row_text(r, row, "meaning"), style, out);
		cli_details_prose("do", weir_row_text(r, row, "advice"), style, out);
	}
	if (!*sample)
		return;
	cli_details_prose("packet", weir_row_text(r, row, "sample"), style, out);
	add_stack(weir_row_text(r, row, "stack"), style, out);
}

/* Others than root and weir's group see what is theirs: there may be more. */
static void say_none(const char *text, struct weir_buf *out)
{
	weir_buf_printf(out, "%s%s\n", text, geteuid() == 0 ? "" : " that this user may see");
}

int cli_drops_draw(const struct weir_rows *r, const struct cli_command *c, const struct cli_request *rq,
		   const struct cli_style *style, struct weir_buf *out)
{
	bool sample = CLI_GIVEN(c, SAMPLE);

	if (!r->n && !rq->filter.len) {
		say_none("no packet was lost since weir looks", out);
		return out->error;
	}
	if (rq->columns.chosen)
		return cli_rows_draw(r, &rq->columns, NULL, r->n, style, out);
	return cli_details_draw(r, &rq->columns, NULL, r->n, &(struct cli_details){ .below = add_below, .user = &sample },
				style, out);
}

int cli_findings_draw(const struct weir_rows *r, const struct cli_command *c, const struct cli_request *rq,
		      const struct cli_style *style, struct weir_buf *out)
{
	(void)c;
	if (!r->n && !rq->filter.len) {
		say_none("nothing is wrong now", out);
		return out->error;
	}
	if (rq->columns.chosen)
		return cli_rows_draw(r, &rq->columns, NULL, r->n, style, out);
	for (size_t i = 0; i < r->n; i++) {
		const char *class = weir_row_text(r, i, "class");

		cli_details_prose(class ? class : "", weir_row_text(r, i, "summary"), style, out);
		cli_details_prose("do", weir_row_text(r, i, "advice"), style, out);
	}
	return out->error;
}
