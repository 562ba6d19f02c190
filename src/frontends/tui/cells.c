// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/units.h"
#include "frontends/tui/columns.h"
#include "frontends/tui/document.h"
#include "frontends/words/said.h"
#include "frontends/words/words.h"

#define DAY_NS 86400000000000ull
#define CLOCK_LEN 19

/* --- times ----------------------------------------------------------------------------------- */

static uint64_t in_zone(uint64_t real_ns, const struct tui_look *look)
{
	int64_t offset_ns = look->utc_offset_s * 1000000000;

	return offset_ns < 0 && real_ns < (uint64_t)-offset_ns ? 0 : real_ns + (uint64_t)offset_ns;
}

const char *tui_clock_text(uint64_t real_ns, const struct tui_look *look, char buf[WEIR_TIMESTAMP_TEXT])
{
	weir_timestamp_format(in_zone(real_ns, look), buf);
	buf[10] = ' ';
	buf[CLOCK_LEN] = '\0';
	return buf;
}

const char *tui_zone_text(const struct tui_look *look, char buf[8])
{
	int minutes = (int)(look->utc_offset_s / 60), size = minutes < 0 ? -minutes : minutes;

	if (minutes)
		snprintf(buf, 8, "%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60 % 100, size % 60);
	else
		memcpy(buf, "Z", 2);
	return buf;
}

/* --- numbers --------------------------------------------------------------------------------- */

const char *tui_bytes_text(uint64_t bytes, const struct tui_look *look, char buf[TUI_CELL_TEXT])
{
	char unit[WEIR_UNITS_TEXT];

	if (look->exact)
		snprintf(buf, TUI_CELL_TEXT, "%" PRIu64, bytes);
	else
		snprintf(buf, TUI_CELL_TEXT, "%s", weir_units_bytes(bytes, unit));
	return buf;
}

const char *tui_rate_text(uint64_t v, const struct tui_look *look, char buf[TUI_CELL_TEXT])
{
	char unit[WEIR_UNITS_TEXT];

	if (!look->bits)
		return tui_bytes_text(v, look, buf);
	v = v > UINT64_MAX / 8 ? UINT64_MAX : v * 8;
	if (look->exact) {
		snprintf(buf, TUI_CELL_TEXT, "%" PRIu64, v);
		return buf;
	}
	weir_units_count(v, unit);
	/* "12 k" -> "12 kb", "7" -> "7 b": the small b is bits, as it is in every other tool. */
	snprintf(buf, TUI_CELL_TEXT, strchr(unit, ' ') ? "%sb" : "%s b", unit);
	return buf;
}

static const char *number_text(const struct weir_field *f, uint64_t v, const struct tui_look *look,
			       char buf[TUI_CELL_TEXT])
{
	char unit[WEIR_UNITS_TEXT];
	const char *text = NULL;

	switch (f->unit) {
	case WEIR_UNIT_BYTES:
		return tui_bytes_text(v, look, buf);
	case WEIR_UNIT_BYTES_PER_SECOND:
		return tui_rate_text(v, look, buf);
	case WEIR_UNIT_MICROSECONDS:
		if (v <= UINT64_MAX / 1000)
			text = weir_units_duration(v * 1000, unit);
		break;
	case WEIR_UNIT_NANOSECONDS:
		text = weir_units_duration(v, unit);
		break;
	case WEIR_UNIT_COUNT:
	case WEIR_UNIT_SEGMENTS:
		text = v < 10000 ? NULL : weir_units_count(v, unit);
		break;
	case WEIR_UNIT_NONE: /* ids, ports */
	case _WEIR_UNIT_MAX:
		break;
	}
	if (text && !look->exact)
		snprintf(buf, TUI_CELL_TEXT, "%s", text);
	else
		snprintf(buf, TUI_CELL_TEXT, "%" PRIu64, v);
	return buf;
}

static void signed_text(const struct weir_field *f, int64_t v, const struct tui_look *look,
			char buf[TUI_CELL_TEXT])
{
	char rest[TUI_CELL_TEXT];

	number_text(f, v < 0 ? -(uint64_t)v : (uint64_t)v, look, rest);
	snprintf(buf, TUI_CELL_TEXT, "%s%.*s", v < 0 ? "-" : "", TUI_CELL_TEXT - 2, rest);
}

/* --- cells ----------------------------------------------------------------------------------- */

/* By name, so that every table with such a field is marked alike. */
/* clang-format off */
static const struct {
	const char *field, *value;
	unsigned attr;
} signals[] = {
	{ "state", "exited", TUI_DIM },
	{ "state", "closed", TUI_DIM },
	{ "state", "off", TUI_DIM },
	{ "state", "degraded", TUI_WARN },
	{ "state", "fallback", TUI_WARN },
	{ "state", "failed", TUI_BAD },
	{ "state", "unavailable", TUI_BAD },
	{ "ok", "no", TUI_BAD },
	{ "class", "bug", TUI_BAD },
	{ "class", "attack", TUI_BAD },
	{ "class", "tune", TUI_WARN },
	{ "class", "expected", TUI_DIM },
	{ "reset", NULL, TUI_WARN },
	{ "timeouts", NULL, TUI_WARN },
	{ "listen_drops", NULL, TUI_BAD },
	{ "lost", NULL, TUI_BAD },
};
/* clang-format on */

static unsigned signal_of(const struct weir_field *f, const char *text, bool zero)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (strcmp(signals[i].field, f->name) == 0 &&
		    (signals[i].value ? strcmp(signals[i].value, text) == 0 : !zero))
			return signals[i].attr;
	/* A table of zeros is quiet, so that what is not zero stands out. */
	return zero && f->unit != WEIR_UNIT_NONE ? TUI_DIM : TUI_PLAIN;
}

const char *tui_field_text(const struct weir_rows *r, size_t row, unsigned field,
			   const struct tui_look *look, char buf[TUI_CELL_TEXT], unsigned *ret_attr)
{
	const struct weir_field *f = &r->def->fields[field];
	char stamp[WEIR_TIMESTAMP_TEXT], zone[8], address_text[WEIR_ADDR_TEXT];
	struct weir_addr address;
	char said[WEIR_SAID_ROOM];
	bool zero = false;

	*ret_attr = TUI_DIM;
	snprintf(buf, TUI_CELL_TEXT, "-");
	if (weir_cell_null(r, row, field))
		return buf;
	switch (f->type) {
	case WEIR_TYPE_UINT:
		zero = weir_cell_uint(r, row, field) == 0;
		number_text(f, weir_cell_uint(r, row, field), look, buf);
		break;
	case WEIR_TYPE_INT:
		signed_text(f, (int64_t)weir_cell_uint(r, row, field), look, buf);
		break;
	case WEIR_TYPE_BOOL:
		snprintf(buf, TUI_CELL_TEXT, "%s",
			 weir_word(weir_cell_uint(r, row, field) ? WORD_CELL_YES : WORD_CELL_NO));
		break;
	case WEIR_TYPE_TEXT:
		if (*weir_cell_text(r, row, field))
			snprintf(buf, TUI_CELL_TEXT, "%s",
				 weir_said_field(f->name, weir_cell_text(r, row, field), said, sizeof(said)));
		break;
	case WEIR_TYPE_ADDRESS:
		weir_cell_address(r, row, field, &address);
		snprintf(buf, TUI_CELL_TEXT, "%s", weir_addr_format(&address, address_text));
		break;
	case WEIR_TYPE_TIME:
		tui_clock_text(weir_cell_uint(r, row, field), look, stamp);
		snprintf(buf, TUI_CELL_TEXT, "%s%s", stamp, tui_zone_text(look, zone));
		break;
	case _WEIR_TYPE_MAX:
		break;
	}
	/* Signals know words of the API, not of a language. */
	*ret_attr = signal_of(f, f->type != WEIR_TYPE_BOOL ? buf : weir_cell_uint(r, row, field) ? "yes" : "no",
			      zero);
	return buf;
}

const char *tui_place(const struct weir_rows *r, size_t row, bool numeric, char buf[TUI_CELL_TEXT])
{
	const char *name = numeric ? NULL : tui_text(r, row, "container_name");
	const char *id = tui_text(r, row, "container_id");
	const char *pod = tui_text(r, row, "pod_name"), *space = tui_text(r, row, "pod_namespace");
	const char *unit = tui_text(r, row, "unit");

	if (pod)
		snprintf(buf, TUI_CELL_TEXT, "%s%s%s%s%.12s", space ? space : "", space ? "/" : "",
			 pod, name || id ? "/" : "",
			 name ? name
			 : id ? id
			      : "");
	else if (name)
		snprintf(buf, TUI_CELL_TEXT, "%s", name);
	else if (id) /* as short as docker ps has it */
		snprintf(buf, TUI_CELL_TEXT, "%.12s", id);
	else if (unit)
		snprintf(buf, TUI_CELL_TEXT, "%s", unit);
	else
		return NULL;
	return buf;
}

/* 10.0.0.1:80, [fe80::1]:80 */
static void end_text(const struct weir_rows *r, size_t row, const char *address_name,
		     const char *port_name, const char *name, char buf[TUI_CELL_TEXT])
{
	int field = weir_table_field(r->def, address_name);
	char text[WEIR_ADDR_TEXT];
	struct weir_addr address;
	uint64_t port = weir_row_number(r, row, port_name);

	if (name) {
		snprintf(buf, TUI_CELL_TEXT, "%s:%" PRIu64, name, port);
		return;
	}
	if (field < 0 || weir_cell_null(r, row, (unsigned)field))
		return;
	weir_cell_address(r, row, (unsigned)field, &address);
	weir_addr_format(&address, text);
	if (!port)
		snprintf(buf, TUI_CELL_TEXT, "%s", text);
	else
		snprintf(buf, TUI_CELL_TEXT, strchr(text, ':') ? "[%s]:%" PRIu64 : "%s:%" PRIu64,
			 text, port);
}

/* What a narrow column has no room for: the commonest state's ending; of a time its day, or, of
 * another day, the hour. */
static void shorten(const struct weir_rows *r, size_t row, const struct tui_column *c, const struct tui_look *look,
		    char buf[TUI_CELL_TEXT])
{
	const struct weir_field *f = &r->def->fields[c->field];

	if (c->width < 11 && strcmp(f->name, "state") == 0 && strcmp(buf, "established") == 0)
		snprintf(buf, TUI_CELL_TEXT, "estab");
	if (f->type != WEIR_TYPE_TIME || strlen(buf) <= c->width || strlen(buf) < CLOCK_LEN)
		return;
	if (c->width >= CLOCK_LEN) {
		buf[CLOCK_LEN] = '\0'; /* the frame says the zone once */
	} else if (!look->day || in_zone(weir_cell_uint(r, row, (unsigned)c->field), look) / DAY_NS == look->day) {
		memmove(buf, buf + 11, strlen(buf + 11) + 1);
		if (strlen(buf) > c->width)
			buf[8] = '\0';
	} else {
		memmove(buf, buf + 5, 5);
		buf[5] = '\0';
	}
}

const char *tui_column_text(const struct weir_rows *r, size_t row, const struct tui_column *c,
			    const struct tui_look *look, char buf[TUI_CELL_TEXT],
			    unsigned *ret_attr)
{
	*ret_attr = TUI_DIM;
	snprintf(buf, TUI_CELL_TEXT, "-");
	switch (c->kind) {
	case TUI_COLUMN_FIELD:
		tui_field_text(r, row, (unsigned)c->field, look, buf, ret_attr);
		shorten(r, row, c, look, buf);
		return buf;
	case TUI_COLUMN_CURVE:
		buf[0] = '\0';
		return buf;
	case TUI_COLUMN_PLACE:
		if (tui_place(r, row, look->numeric, buf))
			*ret_attr = TUI_PLAIN;
		return buf;
	case TUI_COLUMN_LOCAL:
		end_text(r, row, "local_address", "local_port", NULL, buf);
		break;
	case TUI_COLUMN_PEER:
		end_text(r, row, "peer_address", weir_table_field(r->def, "peer_port") >= 0 ? "peer_port" : "port",
			 look->numeric ? NULL : tui_text(r, row, "peer_name"), buf);
		break;
	}
	if (strcmp(buf, "-") != 0)
		*ret_attr = TUI_PLAIN;
	return buf;
}

/* --- curves ---------------------------------------------------------------------------------- */

/* Below a kilobyte a second a row is a trickle, and its curve stays low. */
#define CURVE_LEAST 1000.0f
#define CURVE_WIDEST 256

void tui_curve(struct tui_grid *g, unsigned row, unsigned column, const struct tui_samples *s,
	       enum tui_samples_which which, uint64_t second, unsigned width, unsigned attr,
	       float *ret_peak)
{
	static const uint32_t blocks[] = { 0x2581, 0x2582, 0x2583, 0x2584,
					   0x2585, 0x2586, 0x2587, 0x2588 };
	static const char plain[] = { '_', '.', ':', '-', '=', '+', '*', '#' };
	float curve[CURVE_WIDEST], peak, top;

	if (width > CURVE_WIDEST)
		width = CURVE_WIDEST;
	tui_samples_curve(s, which, second, width, curve, &peak);
	top = peak > CURVE_LEAST ? peak : CURVE_LEAST;
	for (unsigned i = 0; i < width; i++) {
		unsigned level;

		if (curve[i] <= 0)
			continue;
		level = (unsigned)(curve[i] / top * 8);
		if (level > 7)
			level = 7;
		tui_grid_char(g, row, column + i, g->ascii ? (uint32_t)plain[level] : blocks[level],
			      attr);
	}
	if (ret_peak)
		*ret_peak = peak;
}
