// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "core/document.h"
#include "core/table_fixture.h"

/* Any text is read as a document; one that is taken is written, read again and written again: the same bytes. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct weir_snapshot *parse(const char *text, size_t len)
{
	struct weir_snapshot *s = NULL;
	char *error = NULL;
	int r;

	r = weir_document_parse(text, len, &fixture_table, &s, &error);
	if ((r < 0) != (error != NULL) || (r == 0) != (s != NULL))
		abort();
	free(error);
	return s;
}

static void write_document(struct weir_buf *out, const struct weir_snapshot *s)
{
	struct weir_query q;

	weir_query_init(&q, &fixture_table);
	q.viewer.sees_all = true;
	q.sort_field = WEIR_SORT_NONE;
	if (weir_document_json(out, s, &fixture_table, &q, WEIR_JSON_COMPACT) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_snapshot *s = parse((const char *)data, size);
	struct weir_buf first = { 0 }, second = { 0 };

	if (!s)
		return 0;
	write_document(&first, s);
	weir_snapshot_unref(s);
	s = parse(first.data, first.len);
	if (!s)
		abort();
	write_document(&second, s);
	weir_snapshot_unref(s);
	if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
		abort();
	weir_buf_done(&first);
	weir_buf_done(&second);
	return 0;
}
