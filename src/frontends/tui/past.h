// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/tui/tab.h"

/* The span of the past that is looked at, and what of it is listed. Each change asks anew. */

/* The span as it is now, in seconds since the epoch; false: the daemon's time is not known yet. */
bool tui_past_span(const struct tui_app *a, uint64_t *ret_from_s, uint64_t *ret_to_s);

/* Moves it by halves of its length; to the present; so that a part of it (0 to 1) is its middle. */
void tui_past_move(struct tui_app *a, int halves);
void tui_past_now(struct tui_app *a);
void tui_past_centre(struct tui_app *a, double where);

/* A longer span (1) or a shorter one (-1), around a part of it. */
void tui_past_zoom(struct tui_app *a, int by, double where);

/* The span of a day of the daemon's, "2026-11-22"; false: that is none. Where it begins and ends is known for
 * sure when the answer says so: it is moved there then, and asked for again. */
bool tui_past_day(struct tui_app *a, const char *day);
void tui_past_fit(struct tui_app *a, const struct tui_question *asked, const struct tui_document *d);

/* Another list of it. */
void tui_past_view(struct tui_app *a, unsigned view);

/* Filters all of it, as far as the words mean something in each table; the text may be a list's own. */
void tui_past_filter(struct tui_app *a, const char *text);

/* The filter that holds for a table; "": none, or its words mean nothing there. */
const char *tui_past_filter_for(const struct tui_app *a, const struct weir_table *table);

/* The curve that was answered, in n steps over the span: a field of bytes, and its largest second. */
void tui_past_plot(const struct tui_app *a, const char *bytes, const char *largest, unsigned n,
		   struct tui_plot *ret);
