// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frontends/tui/plot.h"

/* What the host moved in the last minutes, second by second: seen by the view itself, and what was
 * before it began from the daemon's history. */

#define TUI_RATES_SECONDS 600

enum tui_rates_which { TUI_RATES_SENT, TUI_RATES_RECEIVED, TUI_RATES_LOST, _TUI_RATES_MAX };

struct tui_rates {
	float seconds[_TUI_RATES_MAX][TUI_RATES_SECONDS]; /* negative: not known */
	uint64_t last; /* second of the newest; 0: none yet */
};

/* Several looks in one second keep the largest. A second too old for it is left away. */
void tui_rates_add(struct tui_rates *r, enum tui_rates_which which, uint64_t second, float v);

/* The same for a second of the past, unless it was seen. */
void tui_rates_fill(struct tui_rates *r, enum tui_rates_which which, uint64_t second, float v);

/* The newest second's; negative: not known. */
float tui_rates_now(const struct tui_rates *r, enum tui_rates_which which, uint64_t second);

/* How many of the `most` seconds up to `second` there are from the first one that is known. */
uint64_t tui_rates_known(const struct tui_rates *r, enum tui_rates_which which, uint64_t second, uint64_t most);

/* n steps of `per` seconds each up to `second`. Which seconds share a step does not change as time
 * goes on. */
void tui_rates_plot(const struct tui_rates *r, enum tui_rates_which which, uint64_t second, unsigned per,
		    unsigned n, struct tui_plot *ret);
