// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "core/document.h"

uint64_t tui_field_bits(const struct weir_table *table, const char *const *names)
{
	uint64_t bits = 0;

	for (; *names; names++)
		if (weir_table_field(table, *names) >= 0)
			bits |= 1ull << weir_table_field(table, *names);
	return bits;
}

const char *tui_text(const struct weir_rows *r, size_t row, const char *name)
{
	const char *text = weir_row_text(r, row, name);

	return text && *text ? text : NULL;
}

bool tui_sum(const struct tui_document *d, const char *name, uint64_t *ret)
{
	int field = d->snapshot ? weir_table_field(d->rows.def, name) : -ENOENT;

	if (field < 0 || !(d->have_sums & 1ull << field))
		return false;
	*ret = d->sums[field];
	return true;
}

/* The number behind "name": in the envelope. Quotes inside of its texts are escaped, so the name
 * with its own is nowhere but where it is meant. */
static bool envelope_number(const char *text, const char *name, uint64_t *ret)
{
	char quoted[96];
	const char *at;
	char *end;

	if (snprintf(quoted, sizeof(quoted), "\"%s\":", name) >= (int)sizeof(quoted))
		return false;
	at = strstr(text, quoted);
	if (!at)
		return false;
	at += strlen(quoted);
	errno = 0;
	*ret = strtoull(at, &end, 10);
	return end > at && *at >= '0' && *at <= '9' && !errno;
}

static bool envelope_text(const char *text, const char *name, char *buf, size_t size)
{
	char quoted[96];
	const char *at;
	size_t len;

	if (snprintf(quoted, sizeof(quoted), "\"%s\":", name) >= (int)sizeof(quoted))
		return false;
	at = strstr(text, quoted);
	if (!at)
		return false;
	at += strlen(quoted);
	at += *at == '"';
	len = strcspn(at, "\",}");
	if (!len || len >= size)
		return false;
	memcpy(buf, at, len);
	buf[len] = '\0';
	return true;
}

/* Zones reach from -12 to +14 hours. */
#define ZONE_MOST (26 * 3600)

static void read_zone(struct tui_document *d, const char *envelope)
{
	char text[WEIR_TIMESTAMP_TEXT + 16], *end;
	uint64_t day_ns;

	if (!envelope_text(envelope, "day_start", text, sizeof(text)) || weir_timestamp_parse(text, &day_ns) < 0 ||
	    !envelope_text(envelope, "utc_offset_seconds", text, sizeof(text)))
		return;
	d->utc_offset_s = strtol(text, &end, 10);
	d->day_s = day_ns / 1000000000u;
	d->has_zone = end > text && !*end && d->utc_offset_s > -ZONE_MOST && d->utc_offset_s < ZONE_MOST;
}

static int read_envelope(struct tui_document *d, const struct weir_table *table, const char *text,
			 size_t len)
{
	const char *rows = memmem(text, len, "\"rows\":", 7), *sums;
	_cleanup_free_ char *envelope = NULL;

	d->total = d->rows.n;
	if (!rows)
		return 0;
	envelope = strndup(text, (size_t)(rows - text));
	if (!envelope)
		return -ENOMEM;
	(void)envelope_number(envelope, "total", &d->total);
	read_zone(d, envelope);
	sums = strstr(envelope, "\"sums\":");
	for (unsigned i = 0; sums && i < table->n_fields; i++)
		if (envelope_number(sums, table->fields[i].name, &d->sums[i]))
			d->have_sums |= 1ull << i;
	return 0;
}

int tui_document_read(struct tui_document *d, const struct weir_table *table, const char *text,
		      size_t len, uint64_t offset, char **ret_error)
{
	struct tui_document next = { .offset = offset };
	int r = weir_document_parse(text, len, table, &next.snapshot, ret_error);

	if (r < 0)
		return r;
	next.rows.def = table;
	r = weir_snapshot_rows(next.snapshot, table, &next.rows);
	if (r == -ENOENT) {
		next.rows.n = 0;
		r = 0;
	}
	if (r >= 0)
		r = read_envelope(&next, table, text, len);
	if (r < 0) {
		weir_snapshot_unref(next.snapshot);
		return r;
	}
	tui_document_done(d);
	*d = next;
	return 0;
}

void tui_document_done(struct tui_document *d)
{
	weir_snapshot_unref(d->snapshot);
	*d = (struct tui_document){};
}
