// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <errno.h>
#include <stdio.h>

#include "frontends/tui/fixture.h"
#include "frontends/tui/tab.h"
#include "frontends/tui/testdata_path.h"

/* For tests: frames as they were found good, files under tests/testdata/tui. UPDATE_GOLDEN=1 writes
 * them anew: read what changed before it is committed. */

/* Only the tabs that are named: a feature more or less changes no frame. */
static inline void golden_open(struct fixture *f, const char *table, unsigned columns, unsigned rows, bool ascii)
{
	fixture_open(f, table, columns, rows, ascii);
	while (f->app.n_tabs && f->app.tabs[f->app.n_tabs - 1].tab == &tui_tab_other)
		f->app.n_tabs--;
}

static inline char *golden_read(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	struct weir_buf b = {};
	char piece[4096];
	size_t n;

	if (!file)
		return NULL;
	while ((n = fread(piece, 1, sizeof(piece), file)))
		weir_buf_add(&b, piece, n);
	return b.data;
}

static inline void golden_difference(const char *name, const char *have, const char *want)
{
	unsigned line = 1;

	while (*have && *want) {
		size_t h = strcspn(have, "\n"), w = strcspn(want, "\n");

		if (h != w || memcmp(have, want, h) != 0)
			fail_msg("%s, line %u (UPDATE_GOLDEN=1 writes it anew):\nhave %.*s\nwant "
				 "%.*s",
				 name, line, (int)h, have, (int)w, want);
		have += h + (have[h] != '\0');
		want += w + (want[w] != '\0');
		line++;
	}
	if (*have || *want)
		fail_msg("%s ends at line %u in one of them", name, line);
}

/* Compares a frame with its file. */
static inline void golden_expect(const struct tui_grid *g, const char *name)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	_cleanup_free_ char *want = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/tui/%s.txt", WEIR_TESTDATA, name);
	tui_grid_dump(g, &b);
	assert_int_equal(b.error, 0);
	if (getenv("UPDATE_GOLDEN")) {
		FILE *file = fopen(path, "we");

		if (!file)
			fail_msg("%s: %s", path, strerror(errno));
		fwrite(b.data, 1, b.len, file);
		fclose(file);
		return;
	}
	want = golden_read(path);
	if (!want)
		fail_msg("%s: %s; UPDATE_GOLDEN=1 writes it", path, strerror(errno));
	golden_difference(name, b.data, want);
}
