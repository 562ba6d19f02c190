// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/capture_comment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Names of processes have 15 bytes, of containers and pods 253. */
#define VALUE_COLUMNS_MAX 256

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./@+"

/* A value with anything that a reader could take for more than the value stands in quotes. */
static void add_value(struct weir_buf *out, const char *value)
{
	if (*value && !value[strspn(value, PLAIN)]) {
		weir_text_escape_terminal(out, value, VALUE_COLUMNS_MAX);
		return;
	}
	weir_buf_char(out, '"');
	for (size_t n; *value; value += n) {
		n = strcspn(value, "\"\\");
		if (n) {
			char *piece = strndup(value, n);

			if (!piece) {
				out->error = -ENOMEM;
				return;
			}
			weir_text_escape_terminal(out, piece, VALUE_COLUMNS_MAX);
			free(piece);
		} else {
			weir_buf_char(out, '\\');
			weir_buf_char(out, *value);
			n = 1;
		}
	}
	weir_buf_char(out, '"');
}

static void add_clause(struct weir_buf *out, size_t start)
{
	if (out->len > start)
		weir_buf_str(out, ", ");
}

static void add_word(struct weir_buf *out, const char *word, const char *value)
{
	if (!value)
		return;
	weir_buf_printf(out, " %s:", word);
	add_value(out, value);
}

static void add_owner(struct weir_buf *out, size_t start, const char *which, const struct capture_owner *o)
{
	if (!o->pid)
		return;
	add_clause(out, start);
	weir_buf_str(out, which);
	add_word(out, "process", o->comm);
	weir_buf_str(out, " pid:");
	weir_buf_uint(out, o->pid);
	add_word(out, "container", o->container);
	add_word(out, "pod", o->pod);
}

static const char *way_name(enum capture_way way)
{
	switch (way) {
	case CAPTURE_WAY_UNKNOWN:
		return NULL;
	case CAPTURE_WAY_IN:
		return "in";
	case CAPTURE_WAY_OUT:
		return "out";
	case CAPTURE_WAY_LOCAL:
		return "local";
	case CAPTURE_WAY_OTHER:
		return "passing";
	}
	return NULL;
}

void capture_comment_write(struct weir_buf *out, const struct capture_said *s)
{
	const char *way = way_name(s->way);
	size_t start = out->len;

	if (way)
		weir_buf_printf(out, "direction:%s", way);
	add_owner(out, start, "from", &s->from);
	add_owner(out, start, "to", &s->to);
	if (s->of_kernel && !s->from.pid && !s->to.pid) {
		add_clause(out, start);
		weir_buf_str(out, "kernel");
	}
	if (!s->reason)
		return;
	add_clause(out, start);
	weir_buf_str(out, "dropped:");
	add_value(out, s->reason);
	if (s->place)
		add_word(out, "at", s->place);
}
