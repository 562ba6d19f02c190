// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* Numbers and texts in a block of bytes: written by one, read by another who trusts nothing. A reader that met something
 * malformed stays bad and gives zeros. */

struct store_reader {
	const uint8_t *at, *end;
	bool bad;
};

static inline uint8_t store_read_byte(struct store_reader *r)
{
	if (r->bad || r->at >= r->end) {
		r->bad = true;
		return 0;
	}
	return *r->at++;
}

/* Seven bits a byte, the lowest first; a set top bit says that more follow. */
static inline uint64_t store_read_number(struct store_reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = store_read_byte(r);

		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	r->bad = true;
	return 0;
}

static inline const uint8_t *store_read_bytes(struct store_reader *r, size_t n)
{
	const uint8_t *p = r->at;

	if (r->bad || (size_t)(r->end - r->at) < n) {
		r->bad = true;
		return NULL;
	}
	r->at += n;
	return p;
}

/* A text with its NUL; "" where it is malformed. */
static inline const char *store_read_text(struct store_reader *r, size_t max)
{
	uint64_t len = store_read_number(r);
	const uint8_t *p;

	if (len > max)
		r->bad = true;
	p = r->bad ? NULL : store_read_bytes(r, len + 1);
	if (!p || p[len] || memchr(p, 0, len)) {
		r->bad = true;
		return "";
	}
	return (const char *)p;
}

static inline void store_write_number(struct weir_buf *b, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;

	while (v >= 0x80) {
		bytes[n++] = (uint8_t)v | 0x80;
		v >>= 7;
	}
	bytes[n++] = (uint8_t)v;
	weir_buf_add(b, bytes, n);
}

/* Writes a text that is to be read back with that max; a longer one is cut, and ends in a hash of the whole, so that two of
 * them stay two. */
void store_write_text(struct weir_buf *b, const char *text, size_t max);
