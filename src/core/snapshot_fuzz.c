// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/document.h"
#include "core/table_fixture.h"
#include "core/tables.h"

/* Any bytes in a sealed memfd are mapped as a snapshot; one that is taken is written as documents. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_tables(const struct weir_snapshot *s)
{
	struct weir_buf out = { 0 };
	const struct weir_table *def;

	for (unsigned i = 0; (def = weir_table_at(i)); i++) {
		struct weir_query q;

		weir_query_init(&q, def);
		q.viewer.sees_all = true;
		weir_buf_reset(&out);
		if (weir_document_json(&out, s, def, &q, WEIR_JSON_COMPACT) < 0)
			abort();
	}
	weir_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct weir_snapshot *s = NULL;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		abort();
	if (weir_snapshot_map(fd, &s) == 0)
		write_tables(s);
	weir_snapshot_unref(s);
	close(fd);
	return 0;
}
