// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/history_draw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/units.h"
#include "frontends/cli/details.h"
#include "frontends/cli/table.h"
#include "frontends/cli/when.h"

#define BAR_LEAST 5
#define BAR_MOST 24
#define ANY_BAR 10
#define BAR_EIGHTHS 8

/* --- cells ----------------------------------------------------------------------------------- */

static int field_of(const struct weir_rows *r, const char *name)
{
	return weir_table_field(r->def, name);
}

static bool is_table(const struct weir_rows *r, const char *name)
{
	return !strcmp(r->def->name, name);
}

const char *cli_past_bar(double share, unsigned width, bool ascii, char buf[CLI_BAR_TEXT])
{
	static const char *const parts[BAR_EIGHTHS] = {
		"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589",
	};
	unsigned eighths = (unsigned)(share * width * BAR_EIGHTHS + 0.5);
	char *to = buf;

	if (width > (CLI_BAR_TEXT - 1) / 3)
		width = (CLI_BAR_TEXT - 1) / 3;
	if (share > 0 && !eighths)
		eighths = 1;
	if (eighths > width * BAR_EIGHTHS)
		eighths = width * BAR_EIGHTHS;
	for (; eighths >= BAR_EIGHTHS; eighths -= BAR_EIGHTHS)
		to = ascii ? stpcpy(to, "#") : stpcpy(to, "\u2588");
	if (eighths && ascii)
		to = stpcpy(to, eighths >= BAR_EIGHTHS / 2 ? "=" : "-");
	else if (eighths)
		to = stpcpy(to, parts[eighths]);
	*to = '\0';
	return buf;
}

/* What is empty shows as nothing, not as "no value". */
static const char *bar_cell(uint64_t v, uint64_t largest, unsigned width, bool ascii, char buf[CLI_BAR_TEXT])
{
	return v ? cli_past_bar((double)v / (double)largest, width, ascii, buf) : " ";
}

static uint64_t per_second(const struct weir_rows *r, size_t row, const char *field)
{
	uint64_t seconds = weir_row_number(r, row, "seconds");

	return weir_row_number(r, row, field) / (seconds ? seconds : 1);
}

uint64_t cli_past_rate(const struct weir_rows *r, size_t row)
{
	return per_second(r, row, "tx_bytes") + per_second(r, row, "rx_bytes");
}

static const char *rate_text(uint64_t v, const struct cli_style *style, char buf[CLI_CELL_TEXT])
{
	char unit[WEIR_UNITS_TEXT];

	if (style->exact)
		snprintf(buf, CLI_CELL_TEXT, "%" PRIu64, v);
	else
		snprintf(buf, CLI_CELL_TEXT, "%s", weir_units_rate(v, unit));
	return buf;
}

/* NULL for a second that is not known of several subjects together. */
static const char *largest_text(const struct weir_rows *r, size_t row, const char *field, const struct cli_style *style,
				char buf[CLI_CELL_TEXT])
{
	return weir_row_has(r, row, field) ? rate_text(weir_row_number(r, row, field), style, buf) : NULL;
}

/* The seconds say nothing where each row begins with a minute. */
static const char *time_text(uint64_t real_ns, uint64_t beside_ns, uint64_t step_s, char buf[CLI_WHEN_TEXT])
{
	cli_when_short(real_ns, beside_ns, buf);
	if (step_s && step_s % 60 == 0 && strlen(buf) == strlen("14:02:00") && buf[2] == ':')
		buf[5] = '\0';
	return buf;
}

/* --- rates ----------------------------------------------------------------------------------- */

/* What the other columns of rates take, about. */
#define RATES_WIDTH 78

static unsigned bar_width(const struct cli_style *style)
{
	unsigned left = style->width > RATES_WIDTH ? style->width - RATES_WIDTH : 0;

	return left < BAR_LEAST ? BAR_LEAST : left > BAR_MOST ? BAR_MOST : left;
}

static uint64_t largest_of(const struct weir_rows *r, uint64_t (*value_of)(const struct weir_rows *r, size_t row))
{
	uint64_t most = 0;

	for (size_t i = 0; i < r->n; i++)
		if (value_of(r, i) > most)
			most = value_of(r, i);
	return most;
}

static void rate_columns(struct cli_table *t, const struct cli_style *style)
{
	cli_table_column(t, "TIME", 0);
	cli_table_column(t, "SENT/S", CLI_COLUMN_RIGHT | CLI_COLUMN_KEEP);
	cli_table_column(t, "MAX", CLI_COLUMN_RIGHT);
	cli_table_column(t, "RECEIVED/S", CLI_COLUMN_RIGHT | CLI_COLUMN_KEEP);
	cli_table_column(t, "MAX", CLI_COLUMN_RIGHT);
	if (style->width)
		cli_table_column(t, "", 0);
	cli_table_column(t, "NEW", CLI_COLUMN_RIGHT);
	cli_table_column(t, "RETRANS", CLI_COLUMN_RIGHT);
	cli_table_column(t, "LOST", CLI_COLUMN_RIGHT);
}

static void count_cell(struct cli_table *t, const struct weir_rows *r, size_t row, const char *field, enum cli_signal signal)
{
	char text[CLI_CELL_TEXT];
	uint64_t v = weir_row_number(r, row, field);

	snprintf(text, sizeof(text), "%" PRIu64, v);
	cli_table_cell(t, weir_row_has(r, row, field) ? text : NULL, v ? signal : CLI_SIGNAL_NONE);
}

static void rate_cells(struct cli_table *t, const struct cli_past *p, size_t row, uint64_t largest,
		       const struct cli_style *style)
{
	const struct weir_rows *r = p->rows;
	char buf[CLI_CELL_TEXT], when[CLI_WHEN_TEXT], bar[CLI_BAR_TEXT];

	cli_table_cell(t, time_text(weir_row_number(r, row, "time"), p->span.to_real_ns, p->span.step_s, when), CLI_SIGNAL_NONE);
	cli_table_cell(t, rate_text(per_second(r, row, "tx_bytes"), style, buf), CLI_SIGNAL_NONE);
	cli_table_cell(t, largest_text(r, row, "tx_bytes_per_second_max", style, buf), CLI_SIGNAL_NONE);
	cli_table_cell(t, rate_text(per_second(r, row, "rx_bytes"), style, buf), CLI_SIGNAL_NONE);
	cli_table_cell(t, largest_text(r, row, "rx_bytes_per_second_max", style, buf), CLI_SIGNAL_NONE);
	if (style->width)
		cli_table_cell(t, bar_cell(cli_past_rate(r, row), largest, bar_width(style), p->ascii, bar), CLI_SIGNAL_NONE);
	count_cell(t, r, row, "connections", CLI_SIGNAL_NONE);
	count_cell(t, r, row, "retransmits", CLI_SIGNAL_WARN);
	count_cell(t, r, row, "lost_packets", CLI_SIGNAL_WARN);
}

static int draw_rates(const struct cli_past *p, const struct cli_style *style, struct weir_buf *out)
{
	_cleanup_(cli_table_freep) struct cli_table *t = cli_table_new();
	uint64_t largest = largest_of(p->rows, cli_past_rate);

	if (!t)
		return -ENOMEM;
	rate_columns(t, style);
	for (size_t i = 0; i < p->rows->n; i++)
		rate_cells(t, p, i, largest, style);
	return cli_table_draw(t, style, out);
}

#define STREAM_TIME 19
#define STREAM_RATE 10

void cli_past_rate_heading(const struct cli_style *style, struct weir_buf *out)
{
	weir_buf_printf(out, "%-*s %*s %*s %*s %*s %6s %7s %6s%s\n", STREAM_TIME, "TIME", STREAM_RATE, "SENT/S", STREAM_RATE,
			"MAX", STREAM_RATE, "RECEIVED/S", STREAM_RATE, "MAX", "NEW", "RETRANS", "LOST",
			style->width > 90 ? "  " : "");
	while (out->len > 1 && out->data[out->len - 2] == ' ') {
		out->data[--out->len - 1] = '\n';
		out->data[out->len] = '\0';
	}
}

void cli_past_rate_line(const struct weir_rows *r, size_t row, uint64_t largest, const struct cli_style *style, bool ascii,
			struct weir_buf *out)
{
	char when[CLI_WHEN_TEXT], a[CLI_CELL_TEXT], b[CLI_CELL_TEXT], c[CLI_CELL_TEXT], d[CLI_CELL_TEXT], bar[CLI_BAR_TEXT];
	const char *most_tx = largest_text(r, row, "tx_bytes_per_second_max", style, b);
	const char *most_rx = largest_text(r, row, "rx_bytes_per_second_max", style, d);

	weir_buf_printf(out, "%-*s %*s %*s %*s %*s %6" PRIu64 " %7" PRIu64 " %6" PRIu64, STREAM_TIME,
			cli_when_full(weir_row_number(r, row, "time"), when), STREAM_RATE,
			rate_text(per_second(r, row, "tx_bytes"), style, a), STREAM_RATE, most_tx ? most_tx : "-",
			STREAM_RATE, rate_text(per_second(r, row, "rx_bytes"), style, c), STREAM_RATE,
			most_rx ? most_rx : "-", weir_row_number(r, row, "connections"), weir_row_number(r, row, "retransmits"),
			weir_row_number(r, row, "lost_packets"));
	if (style->width > 90 && largest && cli_past_rate(r, row))
		weir_buf_printf(out, "  %s", cli_past_bar((double)cli_past_rate(r, row) / (double)largest, 12, ascii, bar));
	weir_buf_char(out, '\n');
}

void cli_past_event_line(const struct weir_rows *r, size_t row, const struct cli_style *style, struct weir_buf *out)
{
	const char *kind = weir_row_text(r, row, "kind"), *summary = weir_row_text(r, row, "summary");
	struct weir_buf text = {};
	char when[CLI_WHEN_TEXT];

	weir_buf_printf(&text, "%s  %-10s  %s", cli_when_full(weir_row_number(r, row, "time"), when), kind ? kind : "-",
			summary ? summary : "-");
	if (text.data)
		weir_text_escape_terminal(out, text.data, style->width ? style->width : WEIR_TEXT_UNLIMITED);
	weir_buf_char(out, '\n');
	if (text.error && !out->error)
		out->error = text.error;
	weir_buf_done(&text);
}

/* --- what changed ---------------------------------------------------------------------------- */

/* The table of the past that has the change itself. */
static const char *more_of(const char *kind)
{
	static const char *const verbs[][2] = { { "peer", "peers" }, { "loss", "losses" }, { "event", "events" } };

	for (size_t i = 0; kind && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(kind, verbs[i][0]))
			return verbs[i][1];
	return "rates";
}

/* As one word for a shell: names in it are hostile, and the line is there to be copied. */
static void add_shell_word(struct weir_buf *out, const char *text)
{
	weir_buf_char(out, '\'');
	for (; *text; text++)
		if (*text == '\'')
			weir_buf_str(out, "'\\''");
		else
			weir_buf_char(out, *text);
	weir_buf_char(out, '\'');
}

static void change_below(const struct weir_rows *r, size_t row, const struct cli_style *style, struct weir_buf *out)
{
	const char *filter = weir_row_text(r, row, "filter");
	struct weir_buf line = {};

	if (!filter || !*filter)
		return;
	weir_buf_printf(&line, "weir history %s ", more_of(weir_row_text(r, row, "kind")));
	add_shell_word(&line, filter);
	cli_details_prose("more", line.data, style, out);
	weir_buf_done(&line);
}

/* When what is kept begins, as finely as it is known: a step begins at a full hour whenever weir did. Use of a day or a
 * month is no curve. */
static uint64_t oldest_kept(const struct weir_rows *store)
{
	uint64_t oldest = 0, step_ns = 0;

	for (size_t i = store ? store->n : 0; i-- > 0;) { /* the finest is the first row */
		uint64_t t = weir_row_number(store, i, "oldest"), seconds = weir_row_number(store, i, "seconds");

		if (!t || !seconds || seconds > 3600)
			continue;
		if (!oldest || (t > oldest && t - oldest < step_ns))
			oldest = t;
		step_ns = seconds * 1000000000u;
	}
	return oldest;
}

/* Beside what nobody recorded all is new. */
static bool is_unknown_before(const struct cli_past *p)
{
	uint64_t before = p->asked.to2_real_ns ? p->asked.to2_real_ns : p->span.from_real_ns;

	return oldest_kept(p->store) >= before && before;
}

static int draw_changes(const struct cli_past *p, const struct cli_style *style, struct weir_buf *out)
{
	if (!p->rows->n)
		weir_buf_str(out, "nothing changed that history knows of\n");
	else if (is_unknown_before(p))
		weir_buf_str(out, "nothing is known of the time before, so all of this is new\n");
	for (size_t i = 0; i < p->rows->n; i++) {
		char rank[CLI_CELL_TEXT];

		snprintf(rank, sizeof(rank), "%" PRIu64, weir_row_number(p->rows, i, "rank"));
		cli_details_prose(rank, weir_row_text(p->rows, i, "summary"), style, out);
		change_below(p->rows, i, style, out);
	}
	if (p->cut)
		weir_buf_printf(out, "these %zu tell most; --limit 0 shows all\n", p->rows->n);
	return out->error;
}

/* --- what is kept ---------------------------------------------------------------------------- */

static void say_file(const struct weir_rows *r, size_t row, struct weir_buf *out)
{
	char a[WEIR_UNITS_TEXT], b[WEIR_UNITS_TEXT];
	uint64_t lost = weir_row_number(r, row, "lost_seconds");
	const char *reason = weir_row_text(r, row, "reason");

	weir_buf_printf(out, "%s of at most %s; ", weir_units_bytes(weir_row_number(r, row, "bytes"), a),
			weir_units_bytes(weir_row_number(r, row, "limit_bytes"), b));
	if (lost)
		weir_buf_printf(out, "%" PRIu64 " seconds were written late, as sums", lost);
	else
		weir_buf_str(out, "no second is missing");
	if (reason && *reason) {
		weir_buf_str(out, "; it cannot be written now: ");
		weir_text_escape_terminal(out, reason, WEIR_TEXT_UNLIMITED);
	}
	weir_buf_char(out, '\n');
}

static const char *kept_text(const struct weir_rows *r, size_t row, char buf[CLI_WHEN_TEXT])
{
	return weir_row_has(r, row, "kept_seconds") ? cli_when_span(weir_row_number(r, row, "kept_seconds"), buf) : NULL;
}

static const char *when_or_none(const struct weir_rows *r, size_t row, const char *field, char buf[CLI_WHEN_TEXT])
{
	return weir_row_number(r, row, field) ? cli_when_full(weir_row_number(r, row, field), buf) : NULL;
}

static int draw_store(const struct cli_past *p, const struct cli_style *style, struct weir_buf *out)
{
	_cleanup_(cli_table_freep) struct cli_table *t = cli_table_new();
	char buf[CLI_WHEN_TEXT];
	int r;

	if (!t)
		return -ENOMEM;
	cli_table_column(t, "STEP", 0);
	cli_table_column(t, "KEPT FOR", CLI_COLUMN_RIGHT);
	cli_table_column(t, "ROWS", CLI_COLUMN_RIGHT);
	cli_table_column(t, "OLDEST", 0);
	cli_table_column(t, "NEWEST", 0);
	for (size_t i = 0; i < p->rows->n; i++) {
		if (weir_row_is(p->rows, i, "level", "file"))
			continue;
		cli_table_cell(t, weir_row_text(p->rows, i, "level"), CLI_SIGNAL_NONE);
		cli_table_cell(t, kept_text(p->rows, i, buf), CLI_SIGNAL_NONE);
		count_cell(t, p->rows, i, "rows", CLI_SIGNAL_NONE);
		cli_table_cell(t, when_or_none(p->rows, i, "oldest", buf), CLI_SIGNAL_NONE);
		cli_table_cell(t, when_or_none(p->rows, i, "newest", buf), CLI_SIGNAL_NONE);
	}
	r = cli_table_draw(t, style, out);
	for (size_t i = 0; r >= 0 && i < p->rows->n; i++)
		if (weir_row_is(p->rows, i, "level", "file"))
			say_file(p->rows, i, out);
	return r < 0 ? r : out->error;
}

/* --- any other ------------------------------------------------------------------------------- */

static uint64_t weight_of(const struct weir_rows *r, size_t row)
{
	return field_of(r, "packets") >= 0 ? weir_row_number(r, row, "packets")
					   : weir_row_number(r, row, "tx_bytes") + weir_row_number(r, row, "rx_bytes");
}

/* A name that stands in another column already, instead of an address. */
static bool shown_elsewhere(const struct cli_past *p, const struct weir_field *f)
{
	if (!p->columns->named || p->columns->chosen)
		return false;
	for (unsigned i = 0; i < p->columns->n; i++) {
		const char *by = p->rows->def->fields[p->columns->field[i]].named_by;

		if (by && !strcmp(by, f->name))
			return true;
	}
	return false;
}

static void past_cell(struct cli_table *t, const struct cli_past *p, size_t row, unsigned field, const struct cli_style *style)
{
	const struct weir_field *f = &p->rows->def->fields[field];
	char buf[CLI_CELL_TEXT], when[CLI_WHEN_TEXT];
	const char *text;

	if (weir_cell_null(p->rows, row, field))
		text = NULL;
	else if (f->type == WEIR_TYPE_TIME && !style->exact)
		text = cli_when_short(weir_cell_uint(p->rows, row, field), p->span.to_real_ns, when);
	else if (f->type == WEIR_TYPE_BOOL)
		text = weir_cell_uint(p->rows, row, field) ? f->name : NULL;
	else if (p->columns->named)
		text = cli_cell_named(p->rows, row, field, style->exact, buf);
	else
		text = cli_cell_text(p->rows, row, field, style->exact, buf);
	cli_table_cell(t, text, cli_cell_signal(p->rows, row, field));
}

static int draw_any(const struct cli_past *p, const struct cli_style *style, struct weir_buf *out)
{
	_cleanup_(cli_table_freep) struct cli_table *t = cli_table_new();
	bool bars = style->width >= 100 && !p->columns->chosen &&
		    (field_of(p->rows, "tx_bytes") >= 0 || field_of(p->rows, "packets") >= 0);
	uint64_t largest = largest_of(p->rows, weight_of);
	char bar[CLI_BAR_TEXT];

	if (!t)
		return -ENOMEM;
	for (unsigned i = 0; i < p->columns->n; i++) {
		const struct weir_field *f = &p->rows->def->fields[p->columns->field[i]];

		if (shown_elsewhere(p, f))
			continue;
		cli_table_column(t, f->title, cli_field_flags(f) | (p->columns->chosen ? CLI_COLUMN_KEEP : 0));
	}
	if (bars)
		cli_table_column(t, "", 0);
	for (size_t i = 0; i < p->rows->n; i++) {
		for (unsigned j = 0; j < p->columns->n; j++)
			if (!shown_elsewhere(p, &p->rows->def->fields[p->columns->field[j]]))
				past_cell(t, p, i, p->columns->field[j], style);
		if (bars)
			cli_table_cell(t, bar_cell(weight_of(p->rows, i), largest, ANY_BAR, p->ascii, bar), CLI_SIGNAL_NONE);
	}
	return cli_table_draw(t, style, out);
}

/* --- the line below -------------------------------------------------------------------------- */

static uint64_t seconds_late(const struct weir_rows *store)
{
	uint64_t lost = 0;

	for (size_t i = 0; store && i < store->n; i++)
		lost += weir_row_number(store, i, "lost_seconds");
	return lost;
}

static void say_zone(uint64_t real_ns, struct weir_buf *out)
{
	time_t t = (time_t)(real_ns / 1000000000);
	char zone[16];
	struct tm local;

	if (localtime_r(&t, &local) && strftime(zone, sizeof(zone), "%Z", &local))
		weir_buf_printf(out, " %s", zone);
}

/* Sums of days are made where weir runs; times above are told by the clocks here. */
static void say_days(const struct cli_past *p, struct weir_buf *out)
{
	time_t t = (time_t)(p->span.to_real_ns / 1000000000);
	int64_t there = p->span.utc_offset_s, size = there < 0 ? -there : there;
	struct tm local;

	if (!is_table(p->rows, "history_days") && !is_table(p->rows, "history_months"))
		return;
	if (p->span.day_real_ns && localtime_r(&t, &local) && local.tm_gmtoff != there)
		weir_buf_printf(out, "; days are those of weir's clocks, UTC%c%02" PRIi64 ":%02" PRIi64, there < 0 ? '-' : '+',
				size / 3600, size / 60 % 60);
}

static void say_span(const struct cli_past *p, struct weir_buf *out)
{
	char a[CLI_WHEN_TEXT], b[CLI_WHEN_TEXT];
	uint64_t oldest = oldest_kept(p->store), lost = seconds_late(p->store);

	if (!p->span.from_real_ns || !p->span.to_real_ns)
		return;
	weir_buf_printf(out, "%s to %s", cli_when_full(p->span.from_real_ns, a),
			cli_when_short(p->span.to_real_ns, p->span.from_real_ns, b));
	say_zone(p->span.to_real_ns, out);
	say_days(p, out);
	if (p->asked.from2_real_ns)
		weir_buf_printf(out, ", beside %s to %s", cli_when_full(p->asked.from2_real_ns, a),
				cli_when_short(p->asked.to2_real_ns, p->asked.from2_real_ns, b));
	if (is_table(p->rows, "history_rates") && p->span.step_s)
		weir_buf_printf(out, ", in steps of %s", cli_when_span(p->span.step_s, b));
	if (oldest)
		weir_buf_printf(out, "\nhistory reaches back to %s", cli_when_short(oldest, p->span.to_real_ns, b));
	if (lost)
		weir_buf_printf(out, "\n%" PRIu64 " seconds were written late, as sums (weir history store)", lost);
	weir_buf_char(out, '\n');
}

int cli_past_draw(const struct cli_past *p, const struct cli_style *style, struct weir_buf *out)
{
	enum cli_signal quiet = style->color ? CLI_SIGNAL_QUIET : CLI_SIGNAL_NONE;
	int r;

	if (is_table(p->rows, "history_store") && !p->columns->chosen)
		return draw_store(p, style, out);
	if (is_table(p->rows, "history_rates") && !p->columns->chosen)
		r = draw_rates(p, style, out);
	else if (is_table(p->rows, "history_changes") && !p->columns->chosen)
		r = draw_changes(p, style, out);
	else
		r = draw_any(p, style, out);
	if (r < 0)
		return r;
	cli_signal_begin(out, quiet);
	say_span(p, out);
	cli_signal_end(out, quiet);
	return out->error;
}
