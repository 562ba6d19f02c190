// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/when.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "core/query_words.h"

#define NS_PER_S 1000000000ull
#define S_PER_DAY 86400
/* Far beyond what is kept, and far from where arithmetic ends. */
#define SECONDS_MAX (200ull * 366 * S_PER_DAY)

/* --- local time ------------------------------------------------------------------------------ */

static time_t offset_at(time_t t)
{
	struct tm local;

	return localtime_r(&t, &local) ? (time_t)local.tm_gmtoff : 0;
}

/* The second in (from, to] from which on the clocks show another zone than at from. */
static time_t jump_between(time_t from, time_t to)
{
	time_t before = offset_at(from);

	while (to - from > 1) {
		time_t middle = from + (to - from) / 2;

		if (offset_at(middle) == before)
			from = middle;
		else
			to = middle;
	}
	return to;
}

/* When the clocks here show what UTC's clocks show at `wall`. */
static time_t from_local(time_t wall, enum cli_when_end end)
{
	time_t before = offset_at(wall - S_PER_DAY), after = offset_at(wall + S_PER_DAY);
	time_t first = wall - before, second = wall - after;
	bool first_fits = offset_at(first) == before, second_fits = offset_at(second) == after;

	if (first_fits && second_fits)
		return end == CLI_WHEN_SINCE ? first : second;
	if (first_fits || second_fits)
		return first_fits ? first : second;
	return jump_between(wall - S_PER_DAY, wall + S_PER_DAY);
}

/* --- pieces ---------------------------------------------------------------------------------- */

struct when_cursor {
	const char *what, *text, *at;
	time_t now;
	enum cli_when_end end;
	char **ret_error;
};

static int fail(const struct when_cursor *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "--since 25:00: ..." */
static int fail(const struct when_cursor *c, const char *fmt, ...)
{
	struct weir_buf b = {};
	va_list ap;

	weir_buf_printf(&b, "%s ", c->what);
	weir_words_quote(&b, c->text);
	weir_buf_str(&b, ": ");
	va_start(ap, fmt);
	weir_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return weir_buf_error(&b, -EINVAL, c->ret_error);
}

static int fail_form(const struct when_cursor *c)
{
	return fail(c, "not a time; it reads like " CLI_WHEN_FORMS);
}

static void skip_blanks(struct when_cursor *c)
{
	while (*c->at == ' ' || *c->at == '\t')
		c->at++;
}

/* Takes a word in any case; what follows must not go on with letters. */
static bool take_word(struct when_cursor *c, const char *word)
{
	size_t n = strlen(word);

	if (strncasecmp(c->at, word, n) != 0 || isalpha((unsigned char)c->at[n]))
		return false;
	c->at += n;
	skip_blanks(c);
	return true;
}

/* Exactly n digits. */
static bool take_digits(struct when_cursor *c, unsigned n, int *ret)
{
	int v = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!isdigit((unsigned char)c->at[i]))
			return false;
		v = v * 10 + (c->at[i] - '0');
	}
	c->at += n;
	*ret = v;
	return true;
}

/* --- a time of day --------------------------------------------------------------------------- */

struct when_clock {
	int hour, minute, second;
	bool zoned; /* .zone_s is given */
	int zone_s; /* east of UTC */
};

static bool take_zone_offset(struct when_cursor *c, struct when_clock *ret)
{
	int sign = *c->at == '-' ? -1 : 1, hours, minutes = 0;

	c->at++;
	if (!take_digits(c, 2, &hours))
		return false;
	if (*c->at == ':')
		c->at++;
	if (isdigit((unsigned char)*c->at) && !take_digits(c, 2, &minutes))
		return false;
	ret->zoned = true;
	ret->zone_s = sign * (hours * 3600 + minutes * 60);
	return hours <= 14 && minutes <= 59;
}

static bool take_zone(struct when_cursor *c, struct when_clock *ret)
{
	skip_blanks(c);
	if (take_word(c, "z") || take_word(c, "utc") || take_word(c, "gmt")) {
		ret->zoned = true;
		return true;
	}
	return *c->at == '+' || *c->at == '-' ? take_zone_offset(c, ret) : true;
}

/* "14:02", "9:02", "14:02:05.25Z". Below a second is cut off. 1; 0: none is here; -EINVAL. */
static int take_clock(struct when_cursor *c, struct when_clock *ret)
{
	size_t digits = strspn(c->at, "0123456789");

	*ret = (struct when_clock){};
	if ((digits != 1 && digits != 2) || c->at[digits] != ':')
		return 0;
	if (!take_digits(c, (unsigned)digits, &ret->hour))
		return 0;
	c->at++;
	if (!take_digits(c, 2, &ret->minute))
		return fail(c, "minutes have two digits, as in 14:02");
	if (*c->at == ':') {
		c->at++;
		if (!take_digits(c, 2, &ret->second))
			return fail(c, "seconds have two digits, as in 14:02:05");
		if (*c->at == '.')
			c->at += 1 + strspn(c->at + 1, "0123456789");
	}
	if (ret->hour > 24 || ret->minute > 59 || ret->second > 60 ||
	    (ret->hour == 24 && (ret->minute || ret->second)))
		return fail(c, "a day goes from 00:00 to 24:00");
	return take_zone(c, ret) ? 1 : fail(c, "a time zone reads Z, UTC or +01:00");
}

/* Midnight in UTC of the date that the clocks here show now. */
static time_t today_utc(const struct when_cursor *c, const struct when_clock *clock)
{
	time_t local = c->now + (clock->zoned ? (time_t)clock->zone_s : offset_at(c->now));

	return local - ((local % S_PER_DAY) + S_PER_DAY) % S_PER_DAY;
}

static time_t at_clock(const struct when_cursor *c, time_t midnight_utc, const struct when_clock *clock)
{
	time_t wall = midnight_utc + clock->hour * 3600 + clock->minute * 60 + clock->second;

	return clock->zoned ? wall - clock->zone_s : from_local(wall, c->end);
}

/* --- the forms ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned seconds;
} lengths[] = {
	{ "s", 1 },	     { "sec", 1 },	{ "secs", 1 },	    { "second", 1 },	   { "seconds", 1 },
	{ "m", 60 },	     { "min", 60 },	{ "mins", 60 },	    { "minute", 60 },	   { "minutes", 60 },
	{ "h", 3600 },	     { "hr", 3600 },	{ "hrs", 3600 },    { "hour", 3600 },	   { "hours", 3600 },
	{ "d", S_PER_DAY },  { "day", S_PER_DAY }, { "days", S_PER_DAY }, { "w", 7 * S_PER_DAY }, { "week", 7 * S_PER_DAY },
	{ "weeks", 7 * S_PER_DAY },
};

static unsigned take_unit(struct when_cursor *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		if (take_word(c, lengths[i].name))
			return lengths[i].seconds;
	return 0;
}

/* "1h30m", "2 hours": 1, 0 when it does not begin as a length does, -EINVAL when it does and is none. bare: a number
 * without a unit is one, in seconds. */
static int take_length(struct when_cursor *c, bool bare, uint64_t *ret_seconds)
{
	uint64_t sum = 0;
	bool some = false;

	while (isdigit((unsigned char)*c->at)) {
		const char *begin = c->at;
		uint64_t n = 0, unit;

		for (; isdigit((unsigned char)*c->at); c->at++)
			if (n <= SECONDS_MAX)
				n = n * 10 + (uint64_t)(*c->at - '0');
		skip_blanks(c);
		unit = take_unit(c);
		if (!unit && bare && !some && !*c->at)
			unit = 1;
		if (!unit) {
			c->at = begin;
			return 0;
		}
		if (n > SECONDS_MAX || (sum += n * unit) > SECONDS_MAX)
			return fail(c, "longer ago than anything is kept");
		some = true;
	}
	*ret_seconds = sum;
	return some;
}

/* "2h", "-2h", "2 hours ago" */
static int parse_ago(struct when_cursor *c, time_t *ret)
{
	const char *begin = c->at;
	bool minus = *c->at == '-';
	uint64_t seconds;
	int r;

	c->at += minus;
	r = take_length(c, minus, &seconds);
	if (r <= 0) {
		c->at = begin;
		return r;
	}
	(void)take_word(c, "ago");
	*ret = c->now - (time_t)seconds;
	return 1;
}

/* "today", "yesterday 14:02" */
static int parse_day_word(struct when_cursor *c, time_t *ret)
{
	struct when_clock clock;
	bool yesterday;
	int r;

	yesterday = take_word(c, "yesterday");
	if (!yesterday && !take_word(c, "today"))
		return 0;
	r = take_clock(c, &clock);
	if (r < 0)
		return r;
	*ret = at_clock(c, today_utc(c, &clock) - (yesterday ? S_PER_DAY : 0), &clock);
	return 1;
}

/* "14:02": today's, or yesterday's while today's is still to come. */
static int parse_clock(struct when_cursor *c, time_t *ret)
{
	struct when_clock clock;
	time_t today;
	int r = take_clock(c, &clock);

	if (r <= 0)
		return r;
	today = today_utc(c, &clock);
	*ret = at_clock(c, today, &clock);
	if (*ret > c->now)
		*ret = at_clock(c, today - S_PER_DAY, &clock);
	return 1;
}

/* "2026-11-22", "2026-11-22 14:02", RFC 3339 */
static int parse_date(struct when_cursor *c, time_t *ret)
{
	struct tm date = {}, again;
	struct when_clock clock;
	const char *begin = c->at;
	time_t midnight;
	int r;

	if (!take_digits(c, 4, &date.tm_year) || *c->at++ != '-' || !take_digits(c, 2, &date.tm_mon) || *c->at++ != '-' ||
	    !take_digits(c, 2, &date.tm_mday)) {
		c->at = begin;
		return 0;
	}
	date.tm_year -= 1900;
	date.tm_mon--;
	again = date;
	midnight = timegm(&again);
	if (again.tm_mday != date.tm_mday || again.tm_mon != date.tm_mon)
		return fail(c, "the calendar has no such day");
	if ((*c->at == 'T' || *c->at == 't') && isdigit((unsigned char)c->at[1]))
		c->at++;
	skip_blanks(c);
	r = take_clock(c, &clock);
	if (r < 0)
		return r;
	*ret = at_clock(c, midnight, &clock);
	return 1;
}

/* "now", "@1763820120" */
static int parse_other(struct when_cursor *c, time_t *ret)
{
	uint64_t v = 0;

	if (take_word(c, "now")) {
		*ret = c->now;
		return 1;
	}
	if (*c->at != '@' || !isdigit((unsigned char)c->at[1]))
		return 0;
	for (c->at++; isdigit((unsigned char)*c->at); c->at++)
		if (v <= SECONDS_MAX)
			v = v * 10 + (uint64_t)(*c->at - '0');
	if (v > SECONDS_MAX)
		return fail(c, "not a time that this calendar has");
	*ret = (time_t)v;
	return 1;
}

int cli_when_parse(const char *what, const char *text, uint64_t now_real_ns, enum cli_when_end end, uint64_t *ret_real_ns,
		   char **ret_error)
{
	static int (*const forms[])(struct when_cursor *c, time_t *ret) = {
		parse_other, parse_day_word, parse_date, parse_clock, parse_ago,
	};
	struct when_cursor c = {
		.what = what, .text = text, .at = text, .now = (time_t)(now_real_ns / NS_PER_S), .end = end,
		.ret_error = ret_error,
	};
	time_t t = 0;
	int r = 0;

	skip_blanks(&c);
	for (size_t i = 0; i < ARRAY_SIZE(forms) && r == 0; i++)
		r = forms[i](&c, &t);
	if (r < 0)
		return r;
	skip_blanks(&c);
	if (r == 0 || *c.at)
		return fail_form(&c);
	if (t < 0)
		return fail(&c, "before 1970 nothing was kept");
	if (t > c.now + 1)
		return fail(&c, "that is still to come; history ends now");
	*ret_real_ns = t >= c.now ? now_real_ns : (uint64_t)t * NS_PER_S;
	return 0;
}

int cli_when_step(const char *what, const char *text, uint64_t *ret_seconds, char **ret_error)
{
	struct when_cursor c = { .what = what, .text = text, .at = text, .ret_error = ret_error };
	uint64_t seconds = 0;
	int r;

	skip_blanks(&c);
	r = take_length(&c, true, &seconds);
	if (r < 0)
		return r;
	if (r == 0 || *c.at)
		return fail(&c, "not a length of time; it reads like 10s, 5m or 1h");
	if (!seconds)
		return fail(&c, "a step is at least 1s long");
	*ret_seconds = seconds;
	return 0;
}

/* --- for people ------------------------------------------------------------------------------ */

static bool local_of(uint64_t real_ns, struct tm *ret)
{
	time_t t = (time_t)(real_ns / NS_PER_S);

	return localtime_r(&t, ret);
}

const char *cli_when_full(uint64_t real_ns, char buf[CLI_WHEN_TEXT])
{
	struct tm t;

	if (!local_of(real_ns, &t) || !strftime(buf, CLI_WHEN_TEXT, "%Y-%m-%d %H:%M:%S", &t))
		snprintf(buf, CLI_WHEN_TEXT, "@%" PRIu64, (uint64_t)(real_ns / NS_PER_S));
	return buf;
}

const char *cli_when_short(uint64_t real_ns, uint64_t beside_real_ns, char buf[CLI_WHEN_TEXT])
{
	struct tm t, beside;

	cli_when_full(real_ns, buf);
	if (!local_of(real_ns, &t) || !local_of(beside_real_ns, &beside))
		return buf;
	if (t.tm_year != beside.tm_year)
		strftime(buf, CLI_WHEN_TEXT, "%Y-%m-%d %H:%M", &t);
	else if (t.tm_yday != beside.tm_yday)
		strftime(buf, CLI_WHEN_TEXT, "%m-%d %H:%M", &t);
	else
		strftime(buf, CLI_WHEN_TEXT, "%H:%M:%S", &t);
	return buf;
}

const char *cli_when_span(uint64_t seconds, char buf[CLI_WHEN_TEXT])
{
	static const struct {
		const char *one, *many;
		unsigned seconds;
	} units[] = { { "1 day", "days", S_PER_DAY }, { "1 h", "h", 3600 }, { "1 min", "min", 60 } };

	for (size_t i = 0; seconds && i < ARRAY_SIZE(units); i++) {
		if (seconds % units[i].seconds)
			continue;
		if (seconds == units[i].seconds)
			snprintf(buf, CLI_WHEN_TEXT, "%s", units[i].one);
		else
			snprintf(buf, CLI_WHEN_TEXT, "%" PRIu64 " %s", seconds / units[i].seconds, units[i].many);
		return buf;
	}
	snprintf(buf, CLI_WHEN_TEXT, "%" PRIu64 " s", seconds);
	return buf;
}
