// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/bytes.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"

#define MARK_LEN 17 /* "#" and sixteen digits */

void store_write_text(struct weir_buf *b, const char *text, size_t max)
{
	size_t len = text ? strlen(text) : 0;
	char mark[MARK_LEN + 1];

	if (len <= max) {
		store_write_number(b, len);
		weir_buf_add(b, text ? text : "", len + 1);
		return;
	}
	snprintf(mark, sizeof(mark), "#%016" PRIx64, weir_hash_fnv1a(WEIR_HASH_FNV1A, text, len));
	store_write_number(b, max);
	weir_buf_add(b, text, max - MARK_LEN);
	weir_buf_add(b, mark, sizeof(mark));
}
