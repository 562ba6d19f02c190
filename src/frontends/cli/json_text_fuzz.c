// SPDX-License-Identifier: GPL-2.0-or-later
#include <jansson.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "frontends/cli/json_text.h"

/* Whatever a daemon answers, nothing is read beyond its end; and JSON stays the same JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(weir_buf_done) struct weir_buf indented = {}, rows = {}, stamped = {};
	json_t *before = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL), *after;

	if (cli_json_indent(&indented, (const char *)data, size) == 0 && before) {
		after = json_loadb(indented.data, indented.len, JSON_DECODE_ANY, NULL);
		if (!json_equal(before, after))
			__builtin_trap();
		json_decref(after);
	}
	cli_json_rows(&rows, (const char *)data, size, false);
	cli_json_rows(&stamped, (const char *)data, size, true);
	json_decref(before);
	return 0;
}
