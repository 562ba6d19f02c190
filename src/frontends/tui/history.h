// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "core/snapshot.h"

/* What was seen of a row in the last minute: the daemon keeps sums, so the frontend that draws a
 * curve remembers it. */

#define TUI_HISTORY_SECONDS 60

/* Names a row of a table over time: from its key fields. */
struct tui_id {
	uint64_t a, b;
};

struct tui_id tui_id_of(const struct weir_rows *r, size_t row);
struct tui_id tui_id_of_text(const char *text); /* of a group, by its name */
bool tui_id_equal(struct tui_id x, struct tui_id y);
bool tui_id_find(const struct weir_rows *r, struct tui_id id, size_t *ret_row);
bool tui_id_none(struct tui_id x); /* all zero: no row */

struct tui_samples {
	float tx[TUI_HISTORY_SECONDS],
		rx[TUI_HISTORY_SECONDS]; /* bytes per second; negative: not known */
	uint64_t last;			 /* second of the newest */
	uint64_t retransmits;		 /* at that time */
	uint64_t rose;			 /* second in which they last grew; 0: never */
};

enum tui_samples_which { TUI_SAMPLES_TX, TUI_SAMPLES_RX, TUI_SAMPLES_SUM };

struct tui_history;

struct tui_history *tui_history_new(void);		     /* NULL: no memory */
struct tui_history *tui_history_free(struct tui_history *h); /* accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct tui_history, tui_history_free)

/* Remembers one second (counted from 1). Several looks in one second keep the largest rates. A row
 * that finds no memory has no curve. */
void tui_history_add(struct tui_history *h, struct tui_id id, uint64_t second, uint64_t tx,
		     uint64_t rx, uint64_t retransmits);

const struct tui_samples *tui_history_of(const struct tui_history *h,
					 struct tui_id id); /* NULL: nothing known */

/* What was moved in the last seconds: a rate that does not jump with each burst. 0 where nothing is known. */
double tui_samples_recent(const struct tui_samples *s, enum tui_samples_which which, uint64_t second);
#define TUI_RECENT_SECONDS 5

/* Forgets what was not seen for a minute. */
void tui_history_prune(struct tui_history *h, uint64_t second);

/* The minute before `second` in width columns, oldest first: the largest rate in each, -1 where
 * nothing is known. Which seconds share a column does not change as time goes on, so that a curve
 * moves but does not tremble. ret_peak: the largest of the minute. */
void tui_samples_curve(const struct tui_samples *s, enum tui_samples_which which, uint64_t second,
		       unsigned width, float *ret, float *ret_peak);
