// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "frontends/export/pcapng.h"

/* A small reader of its own, from the format's draft. */

static uint32_t u32(const char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static uint16_t u16(const char *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

struct block {
	uint32_t type, len;
	const char *body; /* behind the type and the length */
	size_t body_len;
};

/* Checks that both lengths agree and that it ends on four bytes; steps on. */
static struct block next_block(const struct weir_buf *b, size_t *at)
{
	struct block k = { .type = u32(b->data + *at), .len = u32(b->data + *at + 4) };

	assert_true(*at + 12 <= b->len);
	assert_int_equal(k.len % 4, 0);
	assert_true(k.len >= 12 && *at + k.len <= b->len);
	assert_int_equal(u32(b->data + *at + k.len - 4), k.len);
	k.body = b->data + *at + 8;
	k.body_len = k.len - 12;
	*at += k.len;
	return k;
}

/* The option's value, NULL without one. Checks that the options end with the block. */
static const char *option(const struct block *k, size_t from, uint16_t code, uint16_t *ret_len)
{
	const char *found = NULL;
	size_t at = from;

	while (at < k->body_len) {
		uint16_t this = u16(k->body + at), len = u16(k->body + at + 2);

		at += 4;
		if (this == 0) {
			assert_int_equal(len, 0);
			assert_int_equal(at, k->body_len);
			return found;
		}
		assert_true(at + len <= k->body_len);
		if (this == code && !found) {
			found = k->body + at;
			*ret_len = len;
		}
		at += (len + 3u) & ~3u;
	}
	return found;
}

static void assert_option(const struct block *k, size_t from, uint16_t code, const char *text)
{
	uint16_t len = 0;
	const char *found = option(k, from, code, &len);

	assert_non_null(found);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(found, text, len);
}

static void a_section_names_its_maker(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct weir_pcapng_origin o = {
		.hardware = "x86_64", .os = "Linux 6.1", .application = "weir 0.1", .comment = "captured on a" };
	struct block k;
	size_t at = 0;

	(void)state;
	weir_pcapng_section(&b, &o);
	k = next_block(&b, &at);
	assert_int_equal(at, b.len);
	assert_int_equal(k.type, 0x0a0d0d0a);
	assert_int_equal(u32(k.body), 0x1a2b3c4d);
	assert_int_equal(u16(k.body + 4), 1);
	assert_option(&k, 16, 1, "captured on a");
	assert_option(&k, 16, 2, "x86_64");
	assert_option(&k, 16, 3, "Linux 6.1");
	assert_option(&k, 16, 4, "weir 0.1");
}

static void an_interface_has_nanoseconds_a_name_and_its_filter(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct weir_pcapng_interface i = {
		.name = "eth0", .filter = "port 53", .link = WEIR_LINK_SLL2, .snap_bytes = 262144 };
	uint16_t len = 0;
	struct block k;
	const char *v;
	size_t at = 0;

	(void)state;
	weir_pcapng_interface(&b, &i);
	k = next_block(&b, &at);
	assert_int_equal(k.type, 1);
	assert_int_equal(u16(k.body), WEIR_LINK_SLL2);
	assert_int_equal(u32(k.body + 4), 262144);
	assert_option(&k, 8, 2, "eth0");
	assert_null(option(&k, 8, 3, &len)); /* no description */
	v = option(&k, 8, 9, &len);
	assert_non_null(v);
	assert_int_equal(len, 1);
	assert_int_equal(*v, 9);
	v = option(&k, 8, 11, &len);
	assert_non_null(v);
	assert_int_equal(len, 8);
	assert_memory_equal(v, "\0port 53", 8);
}

static void packets_of_each_length_are_padded(void **state)
{
	static const char bytes[] = "0123456789";

	(void)state;
	for (uint32_t n = 0; n <= 9; n++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};
		const struct weir_pcapng_packet p = {
			.interface = 3, .real_ns = 0x0123456789abcdefULL, .bytes = bytes, .len = n, .original_len = 1500,
			.way = WEIR_PCAPNG_WAY_OUT, .comment = "process:ab pid:12" };
		uint16_t len = 0;
		struct block k;
		const char *v;
		size_t at = 0, options = 20 + ((n + 3u) & ~3u);

		weir_pcapng_packet(&b, &p);
		k = next_block(&b, &at);
		assert_int_equal(at, b.len);
		assert_int_equal(k.type, 6);
		assert_int_equal(u32(k.body), 3);
		assert_int_equal(u32(k.body + 4), 0x01234567);
		assert_int_equal(u32(k.body + 8), 0x89abcdef);
		assert_int_equal(u32(k.body + 12), n);
		assert_int_equal(u32(k.body + 16), 1500);
		assert_memory_equal(k.body + 20, bytes, n);
		assert_option(&k, options, 1, "process:ab pid:12");
		v = option(&k, options, 2, &len);
		assert_int_equal(len, 4);
		assert_int_equal(u32(v), 2);
	}
}

static void a_packet_of_which_nothing_is_known_has_no_options(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct weir_pcapng_packet p = { .bytes = "abcd", .len = 4, .original_len = 4, .comment = "" };
	struct block k;
	size_t at = 0;

	(void)state;
	weir_pcapng_packet(&b, &p);
	k = next_block(&b, &at);
	assert_int_equal(k.body_len, 24);
}

/* An option's length has 16 bits; a cut character would be no UTF-8. */
static void a_comment_that_is_too_long_is_cut_between_characters(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {}, text = {};
	struct weir_pcapng_packet p = { .bytes = "", .len = 0 };
	uint16_t len = 0;
	struct block k;
	const char *v;
	size_t at = 0;

	(void)state;
	for (unsigned i = 0; i < 30000; i++)
		weir_buf_str(&text, "\xe2\x82\xac");
	p.comment = text.data;
	weir_pcapng_packet(&b, &p);
	k = next_block(&b, &at);
	v = option(&k, 20, 1, &len);
	assert_non_null(v);
	assert_int_equal(len % 3, 0);
	assert_true(len > 65000);
	assert_int_equal(at, b.len);
}

static void statistics_count_what_was_lost(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct weir_pcapng_statistics s = {
		.interface = 1, .start_ns = 1ULL << 32, .end_ns = 2ULL << 32, .received = 12, .dropped = 5, .delivered = 7 };
	static const struct {
		uint16_t code;
		uint64_t value;
	} counts[] = { { 4, 12 }, { 5, 5 }, { 8, 7 } };
	struct block k;
	size_t at = 0;

	(void)state;
	weir_pcapng_statistics(&b, &s);
	k = next_block(&b, &at);
	assert_int_equal(k.type, 5);
	assert_int_equal(u32(k.body), 1);
	assert_int_equal(u32(k.body + 4), 2);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		uint16_t len = 0;
		const char *v = option(&k, 12, counts[i].code, &len);

		assert_non_null(v);
		assert_int_equal(len, 8);
		assert_memory_equal(v, &counts[i].value, 8);
	}
}

static void a_file_is_cut_where_a_block_ends(void **state)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};
	const struct weir_pcapng_packet p = { .bytes = "abcd", .len = 4, .original_len = 4 };
	size_t one;

	(void)state;
	weir_pcapng_packet(&b, &p);
	one = b.len;
	weir_pcapng_packet(&b, &p);
	for (size_t n = 0; n <= b.len; n++)
		assert_int_equal(weir_pcapng_whole(b.data, n), n == b.len ? b.len : n >= one ? one : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_section_names_its_maker),
		cmocka_unit_test(an_interface_has_nanoseconds_a_name_and_its_filter),
		cmocka_unit_test(packets_of_each_length_are_padded),
		cmocka_unit_test(a_packet_of_which_nothing_is_known_has_no_options),
		cmocka_unit_test(a_comment_that_is_too_long_is_cut_between_characters),
		cmocka_unit_test(statistics_count_what_was_lost),
		cmocka_unit_test(a_file_is_cut_where_a_block_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
