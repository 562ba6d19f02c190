// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "base/units.h"
#include "core/bench_private.h"

/* What was measured, as a document and as a text that says in words what each number is. */

const char *const bench_unit_names[_WEIR_BENCH_UNIT_MAX] = {
	[WEIR_BENCH_RATIO] = "ratio", [WEIR_BENCH_PERCENT] = "percent",
	[WEIR_BENCH_NS] = "ns",	      [WEIR_BENCH_MS] = "ms",
	[WEIR_BENCH_BYTES] = "bytes", [WEIR_BENCH_PER_SECOND] = "per_second",
	[WEIR_BENCH_COUNT] = "count",
};

static char *text_new(struct weir_bench *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static char *text_new(struct weir_bench *b, const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0) {
		b->error = -ENOMEM;
		return NULL;
	}
	return text;
}

struct bench_entry *bench_entry_add(struct weir_bench *b, enum bench_entry_kind kind, char *name,
				    char *text)
{
	if (b->n_entries == b->room) {
		unsigned room = b->room ? b->room * 2 : 64;
		struct bench_entry *more = reallocarray(b->entries, room, sizeof(*more));

		if (more) {
			b->entries = more;
			b->room = room;
		}
	}
	if (!name || !text || b->n_entries == b->room) {
		b->error = -ENOMEM;
		free(name);
		free(text);
		return NULL;
	}
	b->entries[b->n_entries] = (struct bench_entry){ .kind = kind, .name = name, .text = text };
	return &b->entries[b->n_entries++];
}

void weir_bench_part(struct weir_bench *b, const char *title, const char *about)
{
	bench_entry_add(b, BENCH_PART, strdup(title), strdup(about));
	if (b->host && b->host->progress)
		b->host->progress(b->host->ctx, title);
}

void weir_bench_line(struct weir_bench *b, const char *name, enum weir_bench_unit unit,
		     struct weir_bench_spread value, const char *fmt, ...)
{
	struct bench_entry *e;
	va_list ap;

	if (!value.n)
		return;
	va_start(ap, fmt);
	e = bench_entry_add(b, BENCH_LINE, strdup(name), text_new(b, fmt, ap));
	va_end(ap);
	if (!e)
		return;
	e->unit = unit;
	e->value = value;
}

void weir_bench_skip(struct weir_bench *b, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bench_entry_add(b, BENCH_SKIP, strdup(name), text_new(b, fmt, ap));
	va_end(ap);
}

void weir_bench_remark(struct weir_bench *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bench_entry_add(b, BENCH_REMARK, strdup(""), text_new(b, fmt, ap));
	va_end(ap);
}

/* The model name of /proc/cpuinfo; other machines than x86 name it otherwise or not at all. */
void bench_processor_name(char *name, size_t room)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/cpuinfo", "re");
	char line[512];

	snprintf(name, room, "unknown processor");
	while (f && fgets(line, sizeof(line), f)) {
		char *value = strchr(line, ':');

		if (!value || strncmp(line, "model name", strlen("model name")) != 0)
			continue;
		value += 1 + strspn(value + 1, " ");
		value[strcspn(value, "\n")] = '\0';
		snprintf(name, room, "%s", value);
		return;
	}
}

/* --- JSON ---------------------------------------------------------------------------------- */

/* Six digits are more than any of it is good for, and keep the text short. */
static double rounded(double v)
{
	double scale;

	if (v == 0 || !isfinite(v))
		return 0;
	scale = pow(10, 5 - floor(log10(fabs(v))));
	return round(v * scale) / scale;
}

static void put_number(struct weir_json *j, const char *key, double v)
{
	weir_json_key(j, key);
	weir_json_double(j, rounded(v));
}

static void put_text(struct weir_json *j, const char *key, const char *text)
{
	weir_json_key(j, key);
	weir_json_text(j, text);
}

static void put_head(const struct weir_bench *b, struct weir_json *j)
{
	char host[256] = "", cpu[256];
	struct utsname uts = {};

	uname(&uts);
	gethostname(host, sizeof(host) - 1);
	bench_processor_name(cpu, sizeof(cpu));
	weir_json_key(j, "schema_version");
	weir_json_uint(j, 1);
	put_text(j, "host", host);
	weir_json_key(j, "time");
	weir_json_time(j, b->begun_real_ns);
	weir_json_key(j, "snapshot");
	weir_json_uint(j, 0);
	weir_json_key(j, "lost_events");
	weir_json_uint(j, b->lost);
	put_text(j, "bench", b->name);
	put_text(j, "version", WEIR_VERSION);
	put_text(j, "kernel", uts.release);
	put_text(j, "processor", cpu);
	weir_json_key(j, "processors");
	weir_json_int(j, CPU_COUNT(&b->all));
	put_text(j, "clock", b->by_wall ? "wall" : "thread");
	weir_json_key(j, "quick");
	weir_json_bool(j, b->quick);
	put_number(j, "seconds", (double)(weir_bench_wall_ns() - b->begun_ns) / 1e9);
}

static void put_entry(const struct bench_entry *e, struct weir_json *j)
{
	weir_json_object(j);
	put_text(j, "name", e->name);
	put_text(j, e->kind == BENCH_SKIP ? "skipped" : "about", e->text);
	if (e->kind == BENCH_LINE) {
		put_text(j, "unit", bench_unit_names[e->unit]);
		put_number(j, "value", e->value.median);
		put_number(j, "low", e->value.low);
		put_number(j, "high", e->value.high);
		put_number(j, "min", e->value.min);
		put_number(j, "max", e->value.max);
		weir_json_key(j, "rounds");
		weir_json_uint(j, e->value.n);
	}
	weir_json_object_end(j);
}

int weir_bench_json(const struct weir_bench *b, struct weir_buf *out, bool indent)
{
	struct weir_json j;

	if (b->error)
		return b->error;
	weir_json_init(&j, out, indent);
	weir_json_object(&j);
	put_head(b, &j);
	weir_json_key(&j, "remarks");
	weir_json_array(&j);
	for (unsigned i = 0; i < b->n_entries; i++)
		if (b->entries[i].kind == BENCH_REMARK)
			weir_json_text(&j, b->entries[i].text);
	weir_json_array_end(&j);
	weir_json_key(&j, "rows");
	weir_json_array(&j);
	for (unsigned i = 0; i < b->n_entries; i++)
		if (b->entries[i].kind == BENCH_LINE || b->entries[i].kind == BENCH_SKIP)
			put_entry(&b->entries[i], &j);
		else if (b->entries[i].kind == BENCH_ROW)
			bench_row_json(&b->entries[i], &j);
	weir_json_array_end(&j);
	weir_json_object_end(&j);
	weir_buf_char(out, '\n');
	return out->error;
}

/* --- text ---------------------------------------------------------------------------------- */

#define NUMBER_ROOM 40

static const char *number(double v, enum weir_bench_unit unit, char buf[NUMBER_ROOM])
{
	char text[WEIR_UNITS_TEXT];

	switch (unit) {
	case WEIR_BENCH_RATIO:
		snprintf(buf, NUMBER_ROOM, "%.3f", v);
		return buf;
	case WEIR_BENCH_PERCENT:
		snprintf(buf, NUMBER_ROOM, "%.2f %%", v);
		return buf;
	case WEIR_BENCH_NS:
		snprintf(buf, NUMBER_ROOM, fabs(v) < 1000 ? "%.1f ns" : "%.0f ns", v);
		return buf;
	case WEIR_BENCH_MS:
		snprintf(buf, NUMBER_ROOM, "%.1f ms", v);
		return buf;
	case WEIR_BENCH_BYTES:
		snprintf(buf, NUMBER_ROOM, "%s", weir_units_bytes(v > 0 ? (uint64_t)v : 0, text));
		return buf;
	case WEIR_BENCH_PER_SECOND:
		snprintf(buf, NUMBER_ROOM, "%s/s", weir_units_count(v > 0 ? (uint64_t)v : 0, text));
		return buf;
	case WEIR_BENCH_COUNT:
		snprintf(buf, NUMBER_ROOM, "%.0f", v);
		return buf;
	case _WEIR_BENCH_UNIT_MAX:
		break;
	}
	buf[0] = '\0';
	return buf;
}

/* Words that start at a column and wrap before the last; columns 0: no limit. */
static void put_words(struct weir_buf *out, const char *text, unsigned from, unsigned columns)
{
	unsigned at = from;

	while (*text) {
		size_t len = strcspn(text, " "), wide = len;
		char word[512];

		if (len >= sizeof(word))
			len = wide = sizeof(word) - 1;
		memcpy(word, text, len);
		word[len] = '\0';
		wide = weir_text_columns(word);
		if (columns && at > from && at + 1 + wide > columns) {
			weir_buf_printf(out, "\n%*s", (int)from, "");
			at = from;
		}
		if (at > from) {
			weir_buf_char(out, ' ');
			at++;
		}
		weir_text_escape_terminal(out, word, WEIR_TEXT_UNLIMITED);
		at += (unsigned)wide;
		text += len;
		text += strspn(text, " ");
	}
	weir_buf_char(out, '\n');
}

static void put_line(struct weir_buf *out, const struct bench_entry *e, unsigned width)
{
	char value[NUMBER_ROOM], low[NUMBER_ROOM], high[NUMBER_ROOM],
		range[2 * NUMBER_ROOM + 8] = "";

	if (e->kind == BENCH_SKIP) {
		weir_buf_printf(out, "%12s  %-24s  ", "skipped", "");
		put_words(out, e->text, 40, width);
		return;
	}
	if (e->value.n > 1)
		snprintf(range, sizeof(range), "%s .. %s", number(e->value.low, e->unit, low),
			 number(e->value.high, e->unit, high));
	weir_buf_printf(out, "%12s  %-24s  ", number(e->value.median, e->unit, value), range);
	put_words(out, e->text, 40, width);
}

int weir_bench_text(const struct weir_bench *b, struct weir_buf *out, unsigned width)
{
	struct utsname uts = {};
	char cpu[256];

	if (b->error)
		return b->error;
	/* Below that columns of words make no sense. */
	width = width && width < 72 ? 0 : width;
	uname(&uts);
	bench_processor_name(cpu, sizeof(cpu));
	weir_buf_printf(out, "weir bench %s: kernel %s, ", b->name, uts.release);
	weir_text_escape_terminal(out, cpu, WEIR_TEXT_UNLIMITED);
	weir_buf_printf(out, ", %d processor(s), %.0f s\n", CPU_COUNT(&b->all),
			(double)(weir_bench_wall_ns() - b->begun_ns) / 1e9);
	put_words(out,
		  "Each number is the median of many rounds in which the variants ran in turn; "
		  "beside it, where "
		  "the middle half of the rounds lies. Ratios and added times are taken round by "
		  "round.",
		  0, width ? width : 100);
	for (unsigned i = 0; i < b->n_entries; i++) {
		const struct bench_entry *e = &b->entries[i];

		switch (e->kind) {
		case BENCH_PART:
			weir_buf_printf(out, "\n%s\n  ", e->name);
			put_words(out, e->text, 2, width ? width : 100);
			break;
		case BENCH_LINE:
		case BENCH_SKIP:
			put_line(out, e, width);
			break;
		case BENCH_REMARK:
			weir_buf_str(out, "  note: ");
			put_words(out, e->text, 8, width ? width : 100);
			break;
		case BENCH_COLUMNS:
			bench_columns_text(b, i, out);
			break;
		case BENCH_ROW:
			bench_row_text(b, i, out);
			break;
		}
	}
	return out->error;
}
