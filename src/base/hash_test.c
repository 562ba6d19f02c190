// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"

/* Test vectors of RFC 9923 and of the authors' own test program. */
static void fnv1a_is_the_published_one(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		uint64_t hash;
	} rows[] = {
		{ "", 0, 0xcbf29ce484222325ull },
		{ "", 1, 0xaf63bd4c8601b7dfull },
		{ "a", 1, 0xaf63dc4c8601ec8cull },
		{ "a", 2, 0x089be207b544f1e4ull },
		{ "foobar", 6, 0x85944171f73967e8ull },
		{ "chongo was here!\n", 17, 0x46810940eff5f915ull },
		{ "\xd5\x6b\xb9\x53\x42\x87\x08\x36", 8, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(weir_hash_fnv1a(WEIR_HASH_FNV1A, rows[i].bytes, rows[i].n), rows[i].hash);
	assert_int_equal(weir_hash_fnv1a(WEIR_HASH_FNV1A, NULL, 0), WEIR_HASH_FNV1A);
}

static void parts_hash_like_the_whole(void **state)
{
	static const char whole[] = "foobar";

	(void)state;
	for (size_t cut = 0; cut <= 6; cut++) {
		uint64_t head = weir_hash_fnv1a(WEIR_HASH_FNV1A, whole, cut);

		assert_int_equal(weir_hash_fnv1a(head, &whole[cut], 6 - cut), 0x85944171f73967e8ull);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fnv1a_is_the_published_one),
		cmocka_unit_test(parts_hash_like_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
