// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/units.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* Writes value / step with three significant digits, without trailing zeros. value / step is below 1000 or the
 * last step is in use. Returns false when rounding reaches 1000: the caller takes the next step then. */
static bool units_format(uint64_t value, uint64_t step, bool last, const char *suffix, char buf[WEIR_UNITS_TEXT])
{
	uint64_t whole = value / step;
	unsigned decimals = whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
	uint64_t scale = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;
	/* 128 bits: a value near 2^64 times 100 */
	uint64_t scaled = (uint64_t)(((unsigned __int128)value * scale + step / 2) / step);

	if (scaled >= 1000 * scale && !last)
		return false;
	while (decimals && scaled % 10 == 0) {
		scaled /= 10;
		decimals--;
		scale /= 10;
	}
	if (decimals)
		snprintf(buf, WEIR_UNITS_TEXT, "%llu.%0*llu%s", (unsigned long long)(scaled / scale),
			 (int)decimals, (unsigned long long)(scaled % scale), suffix);
	else
		snprintf(buf, WEIR_UNITS_TEXT, "%llu%s", (unsigned long long)scaled, suffix);
	return true;
}

static const char *units_si(uint64_t value, const char *const suffixes[7], char buf[WEIR_UNITS_TEXT])
{
	uint64_t step = 1;
	unsigned i = 0;

	while (i < 6 && value / step >= 1000) {
		step *= 1000;
		i++;
	}
	if (!units_format(value, step, i == 6, suffixes[i], buf))
		units_format(value, step * 1000, i + 1 == 6, suffixes[i + 1], buf);
	return buf;
}

const char *weir_units_bytes(uint64_t bytes, char buf[WEIR_UNITS_TEXT])
{
	static const char *const suffixes[] = { " B", " kB", " MB", " GB", " TB", " PB", " EB" };

	return units_si(bytes, suffixes, buf);
}

const char *weir_units_rate(uint64_t bytes_per_second, char buf[WEIR_UNITS_TEXT])
{
	static const char *const suffixes[] = { " B/s", " kB/s", " MB/s", " GB/s", " TB/s", " PB/s", " EB/s" };

	return units_si(bytes_per_second, suffixes, buf);
}

const char *weir_units_count(uint64_t count, char buf[WEIR_UNITS_TEXT])
{
	static const char *const suffixes[] = { "", " k", " M", " G", " T", " P", " E" };

	return units_si(count, suffixes, buf);
}

static const struct {
	const char *suffix;
	uint64_t ns;
} units_times[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60 * 1000000000ull },
	{ "h", 3600 * 1000000000ull },
	{ "d", 86400 * 1000000000ull },
};

const char *weir_units_duration(uint64_t ns, char buf[WEIR_UNITS_TEXT])
{
	static const char *const shown[] = { " ns", " us", " ms", " s", " min", " h", " d" };
	unsigned i = ARRAY_SIZE(units_times) - 1;

	while (i && ns < units_times[i].ns)
		i--;
	if (!units_format(ns, units_times[i].ns, i + 1 == ARRAY_SIZE(units_times), shown[i], buf))
		units_format(ns, units_times[i + 1].ns, false, shown[i + 1], buf);
	return buf;
}

/* Reads digits[.digits] at *text into mantissa / 10^decimals, and moves on. */
static int units_parse_decimal(const char **text, uint64_t *ret_mantissa, unsigned *ret_decimals)
{
	const char *at = *text;
	uint64_t mantissa = 0;
	unsigned decimals = 0;
	bool point = false, digits = false;

	for (;; at++) {
		if (*at == '.' && digits && !point) {
			point = true;
			digits = false; /* "1." is not a number */
			continue;
		}
		if (*at < '0' || *at > '9')
			break;
		digits = true;
		if (__builtin_mul_overflow(mantissa, 10, &mantissa) ||
		    __builtin_add_overflow(mantissa, (uint64_t)(*at - '0'), &mantissa))
			return -ERANGE;
		decimals += point;
	}
	if (!digits)
		return -EINVAL;
	*text = at;
	*ret_mantissa = mantissa;
	*ret_decimals = decimals;
	return 0;
}

static int units_scale(uint64_t mantissa, unsigned decimals, uint64_t factor, uint64_t *ret)
{
	unsigned __int128 v = (unsigned __int128)mantissa * factor;

	for (; decimals; decimals--) {
		if (v % 10)
			return -EINVAL;
		v /= 10;
	}
	if (v > UINT64_MAX)
		return -ERANGE;
	*ret = (uint64_t)v;
	return 0;
}

int weir_units_parse(const char *text, uint64_t *ret)
{
	static const char letters[] = "kMGTPE";
	uint64_t mantissa, factor = 1;
	unsigned decimals;
	const char *letter;
	int r;

	r = units_parse_decimal(&text, &mantissa, &decimals);
	if (r < 0)
		return r;
	letter = *text ? strchr(*text == 'K' ? "k" : letters, *text == 'K' ? 'k' : *text) : NULL;
	if (letter) {
		bool binary = text[1] == 'i';
		ptrdiff_t steps = *text == 'K' ? 1 : letter - letters + 1;

		while (steps--)
			factor *= binary ? 1024 : 1000;
		text += binary ? 2 : 1;
	}
	if (*text == 'B')
		text++;
	if (*text)
		return -EINVAL;
	return units_scale(mantissa, decimals, factor, ret);
}

int weir_units_parse_duration(const char *text, uint64_t *ret_ns)
{
	uint64_t mantissa;
	unsigned decimals;
	int r;

	r = units_parse_decimal(&text, &mantissa, &decimals);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(units_times); i++)
		if (strcmp(text, units_times[i].suffix) == 0)
			return units_scale(mantissa, decimals, units_times[i].ns, ret_ns);
	return -EINVAL;
}
