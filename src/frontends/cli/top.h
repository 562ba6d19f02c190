// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/request.h"
#include "frontends/cli/source.h"

/* What `weir top` and `weir run` draw, again and again. */

enum cli_top_view {
	CLI_TOP_PROCESSES, /* one row a process, by rate, then by bytes */
	CLI_TOP_FLOWS,	   /* one row a flow with traffic, by bytes, with container, pod and both
			      addresses */
};

struct cli_top {
	enum cli_top_view view;
	struct cli_request request; /* its columns are used when they were chosen */
	uint64_t rows_max;	    /* of a frame; UINT64_MAX: all */
	bool sorted;		    /* the user named an order: keep the document's */
};

/* The request's table has to be the processes' or the flows'. Frees nothing on failure that
 * cli_top_done() would. */
int cli_top_init(struct cli_top *t, const struct cli_command *c, enum cli_top_view view,
		 unsigned first_word, char **ret_error);
void cli_top_done(struct cli_top *t);

/* The fields that a frame needs: those that are shown, and those to sort and to sum by. */
void cli_top_needs(const struct cli_top *t, struct cli_columns *ret);

/* Appends one frame: a line that says where, when and how much, then the rows. Pure. */
int cli_top_draw(const struct cli_top *t, const struct weir_snapshot *s,
		 const struct cli_style *style, struct weir_buf *out);

enum cli_top_output {
	CLI_TOP_FRAMES,	  /* one below the other */
	CLI_TOP_IN_PLACE, /* each over the one before */
	CLI_TOP_JSON,	  /* a document per line */
	CLI_TOP_PRETTY,
	CLI_TOP_NDJSON, /* a row per line, with time and snapshot in front */
};

/* What the options ask for. frames: one below the other even on a terminal. */
enum cli_top_output cli_top_output_of(const struct cli_command *c, bool frames);

struct cli_top_play {
	enum cli_top_output output;
	uint64_t count;	      /* frames to draw; 0: until interrupted, or the recording ends */
	uint64_t interval_ns; /* between a daemon's frames */
	const char *note;     /* written once, below the first frame; NULL: nothing */
};

/* --interval; 1 s without it. */
uint64_t cli_top_interval_ns(const struct cli_command *c);

/* Draws frames from the source. Returns the exit status. */
int cli_top_run(struct cli_top *t, struct cli_source *source, const struct cli_command *c,
		const struct cli_top_play *play);

/* Whether the command is for somebody at a terminal: the interactive view. */
bool cli_top_is_live(const struct cli_command *c);

/* That view, until the user leaves; opens the source itself. Returns the exit status. */
int cli_top_live(const struct cli_top *t, const struct cli_command *c,
		 int (*open)(const struct cli_command *c, struct cli_source **ret));

/* What its keys do, one after the other from 0, for the help and the manual. False past the last. */
bool cli_top_key(unsigned i, const char **ret_keys, const char **ret_does);

/* `weir top`: what is asked is checked first, then the source is opened. The words of the command
 * from first_word on are the filter. */
int cli_top_command(const struct cli_command *c, unsigned first_word,
		    int (*open)(const struct cli_command *c, struct cli_source **ret));
