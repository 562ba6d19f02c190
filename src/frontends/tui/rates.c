// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/rates.h"

static void go_on_to(struct tui_rates *r, uint64_t second)
{
	uint64_t from = r->last + 1;

	if (second <= r->last)
		return;
	if (!r->last || second - r->last > TUI_RATES_SECONDS)
		from = second > TUI_RATES_SECONDS ? second - TUI_RATES_SECONDS + 1 : 1;
	for (uint64_t t = from; t <= second; t++)
		for (unsigned i = 0; i < _TUI_RATES_MAX; i++)
			r->seconds[i][t % TUI_RATES_SECONDS] = -1;
	r->last = second;
}

static bool kept(const struct tui_rates *r, uint64_t second)
{
	return r->last && second <= r->last && second + TUI_RATES_SECONDS > r->last;
}

/* On a busy host an answer may take more than a second: a step lasts until the next one is known, but
 * not for longer than this. */
#define HOLDS_SECONDS 3

static void hold(struct tui_rates *r, enum tui_rates_which which, uint64_t second)
{
	for (uint64_t back = 1; back <= HOLDS_SECONDS && back < second && kept(r, second - back); back++) {
		float v = r->seconds[which][(second - back) % TUI_RATES_SECONDS];

		if (v < 0)
			continue;
		while (--back)
			r->seconds[which][(second - back) % TUI_RATES_SECONDS] = v;
		return;
	}
}

void tui_rates_add(struct tui_rates *r, enum tui_rates_which which, uint64_t second, float v)
{
	float *at = &r->seconds[which][second % TUI_RATES_SECONDS];

	go_on_to(r, second);
	if (!kept(r, second))
		return;
	if (*at < 0)
		hold(r, which, second);
	if (v > *at)
		*at = v;
}

void tui_rates_fill(struct tui_rates *r, enum tui_rates_which which, uint64_t second, float v)
{
	float *at = &r->seconds[which][second % TUI_RATES_SECONDS];

	if (kept(r, second) && *at < 0)
		*at = v;
}

float tui_rates_now(const struct tui_rates *r, enum tui_rates_which which, uint64_t second)
{
	return kept(r, second) ? r->seconds[which][second % TUI_RATES_SECONDS] : -1;
}

uint64_t tui_rates_known(const struct tui_rates *r, enum tui_rates_which which, uint64_t second, uint64_t most)
{
	for (uint64_t n = most < TUI_RATES_SECONDS ? most : TUI_RATES_SECONDS; n; n--)
		if (n <= second + 1 && kept(r, second + 1 - n) && r->seconds[which][(second + 1 - n) % TUI_RATES_SECONDS] >= 0)
			return n;
	return 0;
}

void tui_rates_plot(const struct tui_rates *r, enum tui_rates_which which, uint64_t second, unsigned per,
		    unsigned n, struct tui_plot *ret)
{
	uint64_t newest = second / per;

	ret->n = n < TUI_PLOT_STEPS_MAX ? n : TUI_PLOT_STEPS_MAX;
	for (unsigned i = 0; i < ret->n; i++) {
		uint64_t back = ret->n - 1 - i;
		unsigned known = 0;
		float sum = 0, largest = -1;

		for (unsigned k = 0; k < per && back <= newest; k++) {
			uint64_t t = (newest - back) * per + k;
			float v = t <= second && kept(r, t) ? r->seconds[which][t % TUI_RATES_SECONDS] : -1;

			if (v < 0)
				continue;
			known++;
			sum += v;
			largest = v > largest ? v : largest;
		}
		ret->average[i] = known ? sum / (float)known : -1;
		ret->maximum[i] = per > 1 ? largest : -1;
	}
}
