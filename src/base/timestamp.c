// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NS_PER_S 1000000000ull
#define S_PER_DAY 86400

/* Days since 1970-01-01 to a date and back, by years that begin in March, so that the leap day comes last:
 * Howard Hinnant, "chrono-compatible low-level date algorithms". 400 years have 146097 days. */
static void days_to_date(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t z = days + 719468;
	uint64_t era = z / 146097;
	unsigned doe = (unsigned)(z % 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = (unsigned)(yoe + era * 400) + (*month <= 2);
}

static uint64_t date_to_days(unsigned year, unsigned month, unsigned day)
{
	unsigned y = year - (month <= 2);
	unsigned era = y / 400, yoe = y % 400;
	unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (uint64_t)era * 146097 + doe - 719468;
}

static char *put_digits(char *to, unsigned value, unsigned digits)
{
	for (unsigned i = digits; i--; value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + digits;
}

size_t weir_timestamp_format(uint64_t real_ns, char buf[WEIR_TIMESTAMP_TEXT])
{
	uint64_t s = real_ns / NS_PER_S;
	unsigned of_day = (unsigned)(s % S_PER_DAY);
	unsigned year, month, day;
	char *to = buf;

	days_to_date(s / S_PER_DAY, &year, &month, &day);
	to = put_digits(to, year, 4);
	*to++ = '-';
	to = put_digits(to, month, 2);
	*to++ = '-';
	to = put_digits(to, day, 2);
	*to++ = 'T';
	to = put_digits(to, of_day / 3600, 2);
	*to++ = ':';
	to = put_digits(to, of_day / 60 % 60, 2);
	*to++ = ':';
	to = put_digits(to, of_day % 60, 2);
	*to++ = '.';
	to = put_digits(to, (unsigned)(real_ns % NS_PER_S / 1000), 6);
	*to++ = 'Z';
	*to = '\0';
	return (size_t)(to - buf);
}

static bool get_digits(const char **at, unsigned digits, unsigned *ret)
{
	unsigned v = 0;

	for (; digits; digits--, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		v = v * 10 + (unsigned)(**at - '0');
	}
	*ret = v;
	return true;
}

static bool get_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

static bool get_date(const char **at, uint64_t *ret_days)
{
	unsigned year, month, day, y, m, d;

	if (!get_digits(at, 4, &year) || !get_char(at, '-') || !get_digits(at, 2, &month) || !get_char(at, '-') ||
	    !get_digits(at, 2, &day))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	/* 31 April comes back as 1 May */
	*ret_days = date_to_days(year, month, day);
	days_to_date(*ret_days, &y, &m, &d);
	return m == month && d == day;
}

/* ".123": one to nine digits */
static bool get_fraction(const char **at, unsigned *ret_ns)
{
	unsigned ns = 0, digits = 0;

	if (!get_char(at, '.'))
		return true;
	for (; **at >= '0' && **at <= '9'; ++*at, digits++) {
		if (digits == 9)
			return false;
		ns = ns * 10 + (unsigned)(**at - '0');
	}
	if (!digits)
		return false;
	for (; digits < 9; digits++)
		ns *= 10;
	*ret_ns = ns;
	return true;
}

int weir_timestamp_parse(const char *text, uint64_t *ret_real_ns)
{
	unsigned hour = 0, minute = 0, second = 0, ns = 0;
	uint64_t days, v;

	if (!get_date(&text, &days))
		return -EINVAL;
	if (*text) {
		if (!get_char(&text, 'T') || !get_digits(&text, 2, &hour) || !get_char(&text, ':') ||
		    !get_digits(&text, 2, &minute) || !get_char(&text, ':') || !get_digits(&text, 2, &second) ||
		    !get_fraction(&text, &ns) || !get_char(&text, 'Z') || *text)
			return -EINVAL;
	}
	if (hour > 23 || minute > 59 || second > 59)
		return -EINVAL;
	v = days * S_PER_DAY + hour * 3600 + minute * 60 + second;
	if (__builtin_mul_overflow(v, NS_PER_S, &v) || __builtin_add_overflow(v, ns, &v))
		return -EINVAL;
	*ret_real_ns = v;
	return 0;
}
