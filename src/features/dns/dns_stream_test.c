// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "features/dns/dns_stream.h"

static struct {
	unsigned n;
	size_t len;
	uint8_t bytes[DNS_STREAM_MESSAGE];
} got;

static void take(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	got.n++;
	got.len = len;
	memcpy(got.bytes, bytes, len);
}

static int put(struct dns_streams *s, uint64_t cookie, uint64_t offset, const void *bytes, uint32_t length,
	       uint32_t captured, uint64_t now_ns)
{
	struct dns_segment g = { cookie, offset, length, captured, bytes };

	return dns_streams_put(s, &g, now_ns, take, NULL);
}

/* Two messages: "abcde", then "xyz". */
static const uint8_t two[] = { 0, 5, 'a', 'b', 'c', 'd', 'e', 0, 3, 'x', 'y', 'z' };

static int begin(void **state)
{
	memset(&got, 0, sizeof(got));
	*state = dns_streams_new();
	return 0;
}

static int end(void **state)
{
	dns_streams_free(*state);
	return 0;
}

static void cut_at_every_byte(void **state)
{
	for (uint32_t a = 0; a <= sizeof(two); a++) {
		for (uint32_t b = a; b <= sizeof(two); b++) {
			uint64_t cookie = 1 + a * 100 + b;

			got.n = 0;
			if (a)
				put(*state, cookie, 0, two, a, a, a);
			if (b > a)
				put(*state, cookie, a, two + a, b - a, b - a, a);
			if (b < sizeof(two))
				put(*state, cookie, b, two + b, sizeof(two) - b, sizeof(two) - b, a);
			assert_int_equal(got.n, 2);
			assert_int_equal(got.len, 3);
			assert_memory_equal(got.bytes, "xyz", 3);
		}
	}
}

static void what_is_sent_again_counts_once(void **state)
{
	assert_int_equal(put(*state, 1, 0, two, 7, 7, 1), 1);
	assert_int_equal(put(*state, 1, 0, two, 7, 7, 1), 0);
	assert_int_equal(put(*state, 1, 5, two + 5, 7, 7, 1), 1); /* overlaps */
	assert_memory_equal(got.bytes, "xyz", 3);
}

static void a_hole_ends_the_stream(void **state)
{
	assert_int_equal(put(*state, 1, 0, two, 3, 3, 1), 0);
	assert_int_equal(put(*state, 1, 5, two + 5, 7, 7, 1), -ENODATA);
	assert_int_equal(put(*state, 1, 3, two + 3, 9, 9, 1), -ENODATA);
	assert_int_equal(got.n, 0);
}

static void a_stream_whose_begin_was_not_seen_is_not_read(void **state)
{
	assert_int_equal(put(*state, 1, 7, two + 7, 5, 5, 1), -ENODATA);
	assert_int_equal(put(*state, 0, 0, two, 7, 7, 1), -ENODATA);
	assert_int_equal(put(*state, 1, 0, two, 4, 5, 1), -ENODATA);
}

static void bytes_that_were_not_captured_shorten_their_message_alone(void **state)
{
	/* Of a segment of 12 only 4 bytes are there: the second message's length among the missing ones. */
	assert_int_equal(put(*state, 1, 0, two, sizeof(two), 4, 1), -ENODATA);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.len, 2);
	/* The hole ends with its message: the next is whole. */
	assert_int_equal(put(*state, 2, 0, two, 7, 4, 1), 1);
	assert_int_equal(got.len, 2);
	assert_int_equal(put(*state, 2, 7, two + 7, 5, 5, 1), 1);
	assert_int_equal(got.len, 3);
}

static void a_long_message_keeps_its_front(void **state)
{
	static uint8_t bytes[65537];

	bytes[0] = bytes[1] = 0xff;
	assert_int_equal(put(*state, 1, 0, bytes, sizeof(bytes), sizeof(bytes), 1), 1);
	assert_int_equal(got.len, DNS_STREAM_MESSAGE);
	assert_int_equal(put(*state, 1, sizeof(bytes), two, sizeof(two), sizeof(two), 1), 2);
}

static void empty_messages_are_none(void **state)
{
	assert_int_equal(put(*state, 1, 0, "\0\0\0\0\0\1a", 7, 7, 1), 1);
	assert_int_equal(got.len, 1);
}

static void streams_are_bounded(void **state)
{
	for (uint64_t i = 1; i <= 2 * DNS_STREAMS_MAX; i++)
		assert_int_equal(put(*state, i, 0, two, 3, 3, i), 0);
	assert_int_equal(put(*state, 1, 3, two + 3, 9, 9, 1000), -ENODATA); /* went for others */
	assert_int_equal(put(*state, 2 * DNS_STREAMS_MAX, 3, two + 3, 9, 9, 1000), 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(cut_at_every_byte),
		TEST(what_is_sent_again_counts_once),
		TEST(a_hole_ends_the_stream),
		TEST(a_stream_whose_begin_was_not_seen_is_not_read),
		TEST(bytes_that_were_not_captured_shorten_their_message_alone),
		TEST(a_long_message_keeps_its_front),
		TEST(empty_messages_are_none),
		TEST(streams_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
