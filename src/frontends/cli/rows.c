// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/units.h"
#include "frontends/cli/options.h"
#include "frontends/cli/services.h"

/* --- which columns --------------------------------------------------------------------------- */

static void columns_add(struct cli_columns *c, unsigned field)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->field[i] == field)
			return;
	if (c->n < WEIR_FIELDS_MAX)
		c->field[c->n++] = field;
}

/* -n: the number behind a name, where the table has both. */
static unsigned field_numeric(const struct weir_table *def, unsigned field)
{
	int uid = strcmp(def->fields[field].name, "user") ? -ENOENT : weir_table_field(def, "uid");

	return uid < 0 ? field : (unsigned)uid;
}

static void columns_usual(const struct weir_table *def, bool numeric, struct cli_columns *c)
{
	for (unsigned i = 0; i < def->n_fields; i++)
		if (def->fields[i].flags & WEIR_FIELD_COLUMN)
			columns_add(c, numeric ? field_numeric(def, i) : i);
}

static int unknown_field(const struct weir_table *def, const char *name, size_t len,
			 char **ret_error)
{
	struct weir_buf b = {};

	weir_buf_printf(&b, "%s has no field \"%.*s\": see weir help %s", def->name, (int)len, name,
			cli_table_object(def));
	return weir_buf_error(&b, -EINVAL, ret_error);
}

static int columns_add_name(const struct weir_table *def, const char *name, size_t len,
			    struct cli_columns *c, char **ret_error)
{
	for (unsigned i = 0; i < def->n_fields; i++) {
		const char *have = def->fields[i].name;

		if (strlen(have) == len && !memcmp(have, name, len)) {
			columns_add(c, i);
			return 0;
		}
	}
	return unknown_field(def, name, len, ret_error);
}

int cli_columns_parse(const struct weir_table *def, const char *text, bool numeric,
		      struct cli_columns *ret, char **ret_error)
{
	struct cli_columns c = { .chosen = text != NULL,
				 .named = !numeric && (!text || text[0] == '+') };
	int r = 0;

	if (!text || text[0] == '+')
		columns_usual(def, numeric, &c);
	if (text && text[0] == '+')
		text++;
	if (text && !strcmp(text, "all")) {
		for (unsigned i = 0; i < def->n_fields; i++)
			columns_add(&c, i);
		text = NULL;
	}
	while (text && r >= 0) {
		size_t len = strcspn(text, ",");

		r = columns_add_name(def, text, len, &c, ret_error);
		text = text[len] ? text + len + 1 : NULL;
	}
	if (r >= 0)
		*ret = c;
	return r;
}

void cli_columns_names(const struct weir_table *def, const struct cli_columns *columns,
		       struct weir_buf *out)
{
	struct cli_columns all = *columns;

	for (unsigned i = 0; i < columns->n && columns->named; i++) {
		const struct weir_field *f = &def->fields[columns->field[i]];
		int by = f->named_by ? weir_table_field(def, f->named_by) : -ENOENT;

		if (f->flags & WEIR_FIELD_PORT)
			by = weir_table_field(def, "transport");
		if (by >= 0)
			columns_add(&all, (unsigned)by);
	}
	for (unsigned i = 0; i < all.n; i++)
		weir_buf_printf(out, "%s%s", i ? "," : "", def->fields[all.field[i]].name);
}

/* --- what a cell reads ----------------------------------------------------------------------- */

static const char *number_text(const struct weir_field *f, uint64_t v, bool exact,
			       char buf[CLI_CELL_TEXT])
{
	char unit[WEIR_UNITS_TEXT];
	const char *text = NULL;

	switch (f->unit) {
	case WEIR_UNIT_BYTES:
		text = weir_units_bytes(v, unit);
		break;
	case WEIR_UNIT_BYTES_PER_SECOND:
		text = weir_units_rate(v, unit);
		break;
	case WEIR_UNIT_MICROSECONDS:
		if (v <= UINT64_MAX / 1000)
			text = weir_units_duration(v * 1000, unit);
		break;
	case WEIR_UNIT_NANOSECONDS:
		text = weir_units_duration(v, unit);
		break;
	case WEIR_UNIT_NONE: /* ids, ports */
	case WEIR_UNIT_COUNT:
	case WEIR_UNIT_SEGMENTS:
	case _WEIR_UNIT_MAX:
		break;
	}
	if (text && !exact)
		snprintf(buf, CLI_CELL_TEXT, "%s", text);
	else
		snprintf(buf, CLI_CELL_TEXT, "%" PRIu64, v);
	return buf;
}

static const char *signed_text(const struct weir_field *f, int64_t v, bool exact,
			       char buf[CLI_CELL_TEXT])
{
	char rest[CLI_CELL_TEXT];

	if (v >= 0)
		return number_text(f, (uint64_t)v, exact, buf);
	snprintf(buf, CLI_CELL_TEXT, "-%.*s", CLI_CELL_TEXT - 2,
		 number_text(f, -(uint64_t)v, exact, rest));
	return buf;
}

/* Without an exact look a time reads to the second: "2026-11-22 17:25:07Z". */
static const char *time_text(uint64_t real_ns, bool exact, char buf[CLI_CELL_TEXT])
{
	char stamp[WEIR_TIMESTAMP_TEXT];

	weir_timestamp_format(real_ns, stamp);
	if (exact)
		snprintf(buf, CLI_CELL_TEXT, "%s", stamp);
	else
		snprintf(buf, CLI_CELL_TEXT, "%.10s %.8sZ", stamp, stamp + 11);
	return buf;
}

const char *cli_cell_text(const struct weir_rows *r, size_t row, unsigned field, bool exact,
			  char buf[CLI_CELL_TEXT])
{
	const struct weir_field *f = &r->def->fields[field];
	struct weir_addr address;

	if (weir_cell_null(r, row, field))
		return NULL;
	switch (f->type) {
	case WEIR_TYPE_UINT:
		return number_text(f, weir_cell_uint(r, row, field), exact, buf);
	case WEIR_TYPE_INT:
		return signed_text(f, (int64_t)weir_cell_uint(r, row, field), exact, buf);
	case WEIR_TYPE_BOOL:
		return weir_cell_uint(r, row, field) ? "yes" : "no";
	case WEIR_TYPE_TEXT:
		return weir_cell_text(r, row, field);
	case WEIR_TYPE_ADDRESS:
		weir_cell_address(r, row, field, &address);
		return weir_addr_format(&address, buf);
	case WEIR_TYPE_TIME:
		return time_text(weir_cell_uint(r, row, field), exact, buf);
	case _WEIR_TYPE_MAX:
		break;
	}
	return NULL;
}

const char *cli_row_exact(const struct weir_rows *r, size_t row, const char *name, char buf[CLI_CELL_TEXT])
{
	int field = weir_table_field(r->def, name);

	return field >= 0 ? cli_cell_text(r, row, (unsigned)field, true, buf) : NULL;
}

/* Of a name that is longer the end stays, which says whose it is. */
#define NAME_SHOWN 48

const char *cli_cell_named(const struct weir_rows *r, size_t row, unsigned field, bool exact,
			   char buf[CLI_CELL_TEXT])
{
	const struct weir_field *f = &r->def->fields[field];
	const char *name = f->named_by ? weir_row_text(r, row, f->named_by) : NULL;

	if (f->flags & WEIR_FIELD_PORT && !weir_cell_null(r, row, field))
		name = cli_service_name(weir_cell_uint(r, row, field), weir_row_text(r, row, "transport"));
	if (!name)
		return cli_cell_text(r, row, field, exact, buf);
	if (strlen(name) <= NAME_SHOWN)
		return name;
	snprintf(buf, CLI_CELL_TEXT, "..%s", name + strlen(name) - NAME_SHOWN + 2);
	return buf;
}

/* --- what needs attention -------------------------------------------------------------------- */

/* By name, so that every table which has such a field is marked alike. value NULL: any number but
 * 0. */
/* clang-format off */
static const struct {
	const char *field, *value;
	enum cli_signal signal;
} signals[] = {
	{ "state", "exited", CLI_SIGNAL_QUIET },
	{ "state", "closed", CLI_SIGNAL_QUIET },
	{ "state", "off", CLI_SIGNAL_QUIET },
	{ "state", "ok", CLI_SIGNAL_GOOD },
	{ "state", "on", CLI_SIGNAL_GOOD },
	{ "state", "degraded", CLI_SIGNAL_WARN },
	{ "state", "fallback", CLI_SIGNAL_WARN },
	{ "state", "failed", CLI_SIGNAL_BAD },
	{ "state", "unavailable", CLI_SIGNAL_BAD },
	{ "ok", "yes", CLI_SIGNAL_GOOD },
	{ "ok", "no", CLI_SIGNAL_BAD },
	{ "retransmits", NULL, CLI_SIGNAL_WARN },
	{ "timeouts", NULL, CLI_SIGNAL_WARN },
	{ "listen_drops", NULL, CLI_SIGNAL_BAD },
	{ "unattributed_bytes", NULL, CLI_SIGNAL_BAD },
	{ "missed", NULL, CLI_SIGNAL_BAD },
};
/* clang-format on */

enum cli_signal cli_cell_signal(const struct weir_rows *r, size_t row, unsigned field)
{
	const char *name = r->def->fields[field].name;
	char buf[CLI_CELL_TEXT];
	const char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (strcmp(signals[i].field, name) != 0)
			continue;
		if (!text)
			text = cli_cell_text(r, row, field, true, buf);
		if (!text)
			return CLI_SIGNAL_NONE;
		if (signals[i].value ? !strcmp(signals[i].value, text) : strcmp(text, "0") != 0)
			return signals[i].signal;
	}
	return CLI_SIGNAL_NONE;
}

/* --- drawing --------------------------------------------------------------------------------- */

unsigned cli_field_flags(const struct weir_field *f)
{
	switch (f->type) {
	case WEIR_TYPE_UINT:
	case WEIR_TYPE_INT:
		return CLI_COLUMN_RIGHT;
	case WEIR_TYPE_TEXT:
		return CLI_COLUMN_CLIP;
	case WEIR_TYPE_BOOL:
	case WEIR_TYPE_ADDRESS: /* half an address is none */
	case WEIR_TYPE_TIME:
	case _WEIR_TYPE_MAX:
		break;
	}
	return 0;
}

int cli_rows_draw(const struct weir_rows *r, const struct cli_columns *columns,
		  const uint32_t *index, size_t n, const struct cli_style *style,
		  struct weir_buf *out)
{
	_cleanup_(cli_table_freep) struct cli_table *t = cli_table_new();
	char buf[CLI_CELL_TEXT];

	if (!t)
		return -ENOMEM;
	for (unsigned i = 0; i < columns->n; i++) {
		const struct weir_field *f = &r->def->fields[columns->field[i]];

		cli_table_column(t, f->title,
				 cli_field_flags(f) | (columns->chosen ? CLI_COLUMN_KEEP : 0));
	}
	for (size_t i = 0; i < n; i++) {
		size_t row = index ? index[i] : i;

		for (unsigned j = 0; j < columns->n; j++)
			cli_table_cell(t,
				       (columns->named ? cli_cell_named : cli_cell_text)(
					       r, row, columns->field[j], style->exact, buf),
				       cli_cell_signal(r, row, columns->field[j]));
	}
	return cli_table_draw(t, style, out);
}
