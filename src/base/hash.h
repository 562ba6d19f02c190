// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

/* FNV-1a with 64 bits, as RFC 9923 has it. Fast, and well spread for short keys; but whoever chooses the bytes can choose
 * the hash, so a table that strangers fill needs one with a secret (store/siphash.h). Its values are stored and compared
 * between versions: they never change. */

#define WEIR_HASH_FNV1A 0xcbf29ce484222325ull /* of no bytes: what every hash starts from */

/* Takes n more bytes into a hash; bytes may be NULL when n is 0. Of a whole in parts comes the same as of the whole. */
static inline uint64_t weir_hash_fnv1a(uint64_t hash, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	return hash;
}
