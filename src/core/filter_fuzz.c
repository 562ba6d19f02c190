// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "core/filter.h"
#include "core/query.h"
#include "core/table_fixture.h"

/* Any text is parsed as a filter, as a sort and as a list of fields; a filter that is taken is applied to rows. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct weir_snapshot *snapshot;
static struct weir_rows rows;

static void make_rows(void)
{
	struct weir_addr a = { .bytes = { 10, 1, 2, 3 }, .family = 2 };
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_builder *b = weir_builder_new();

	weir_builder_table(b, &fixture_table);
	weir_builder_row(b, 0, 0);
	weir_builder_row(b, 0, 0);
	weir_builder_uint(b, FIXTURE_PID, 5);
	weir_builder_text(b, FIXTURE_COMM, "aaab\xe6\xb5\x8b");
	weir_builder_text(b, FIXTURE_EXE, "/usr/bin/x");
	weir_builder_int(b, FIXTURE_DELTA, -1);
	weir_builder_bool(b, FIXTURE_LIVE, true);
	weir_builder_time(b, FIXTURE_SEEN, 1769860799123456789ull);
	weir_builder_address(b, FIXTURE_PEER, &a);
	if (weir_builder_finish(b, &head, &snapshot) < 0 || weir_snapshot_rows(snapshot, &fixture_table, &rows) < 0)
		abort();
	weir_builder_free(b);
}

static void check_error(int r, char *error)
{
	/* Refused means: one line, and no control characters. */
	if ((r < 0) != (error != NULL))
		abort();
	for (const char *c = error; c && *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			abort();
	free(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *error = NULL;
	struct weir_filter *f = NULL;
	struct weir_query q;
	int r;

	if (!snapshot)
		make_rows();
	r = weir_filter_parse(&fixture_table, text, &f, &error);
	check_error(r, error);
	for (size_t i = 0; i < rows.n; i++)
		weir_filter_match(f, &rows, i);
	weir_filter_free(f);

	weir_query_init(&q, &fixture_table);
	error = NULL;
	r = weir_query_sort(&q, &fixture_table, text, &error);
	check_error(r, error);
	error = NULL;
	r = weir_query_fields(&q, &fixture_table, text, &error);
	check_error(r, error);
	free(text);
	return 0;
}
