// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/feature.h"
#include "store/batch.h"

/* What is put into a block comes out of it, or is summed, or counted. */

struct seen {
	unsigned samples, others, events, carries, anews;
	uint64_t tx, other_tx, other_n;
	char last[2048], last_peer[2048];
	struct weir_history_sample sample;
	uint8_t carried[16];
};

static void see_sample(void *ctx, const struct weir_history_sample *s)
{
	struct seen *x = ctx;

	x->samples++;
	x->tx += s->tx_bytes;
	x->sample = *s;
	snprintf(x->last, sizeof(x->last), "%s", s->program.comm ? s->program.comm : "");
	snprintf(x->last_peer, sizeof(x->last_peer), "%s", s->peer_name ? s->peer_name : "");
}

static void see_other(void *ctx, const struct weir_history_sample *s, uint64_t n)
{
	struct seen *x = ctx;

	x->others++;
	x->other_tx += s->tx_bytes;
	x->other_n += n;
}

static void see_event(void *ctx, const struct weir_history_event *e)
{
	struct seen *x = ctx;

	x->events++;
	snprintf(x->last, sizeof(x->last), "%s %s", weir_history_event_name(e->kind), e->summary);
}

static void see_carry(void *ctx, const char *feature, uint16_t type, const void *key,
		      size_t key_len, const void *bytes, size_t len)
{
	struct seen *x = ctx;

	assert_string_equal(feature, "traffic");
	assert_int_equal(type, 7);
	assert_int_equal(key_len, 3);
	assert_memory_equal(key, "k\0y", 3);
	assert_true(len <= sizeof(x->carried));
	memcpy(x->carried, bytes, len);
	x->carries++;
}

static void see_anew(void *ctx, const char *feature)
{
	struct seen *x = ctx;

	assert_string_equal(feature, "traffic");
	x->anews++;
}

static int decode(const void *block, size_t len, struct seen *x)
{
	const struct weir_batch_visitor v = { .ctx = x,
					      .sample = see_sample,
					      .other = see_other,
					      .event = see_event,
					      .carry = see_carry,
					      .carry_anew = see_anew };
	uint64_t real_ns = 0;
	int r = weir_batch_decode(block, len, &real_ns, &v);

	if (r == 0)
		assert_int_equal(real_ns, 1790000000123456789ull);
	return r;
}

static void fill(struct weir_batch *b)
{
	struct weir_history_sink *sink = weir_batch_sink(b);
	struct weir_history_sample s = {
		.kind = WEIR_HISTORY_PEER,
		.program = { .comm = "nginx", .exe = "/usr/sbin/nginx", .uid = 33 },
		.peer_name = "db.example",
		.peer_address = { .bytes = { 10, 0, 0, 1 }, .family = AF_INET },
		.port = 5432,
		.role = "client",
		.transport = "tcp",
		.tx_bytes = 300,
		.connections = 2,
	};
	const struct weir_history_event e = { .kind = WEIR_HISTORY_LISTENING,
					      .program = "nginx",
					      .summary = "listens on 80" };
	struct weir_carry_sink *carry;

	weir_batch_begin(b, 1790000000123456789ull);
	sink->event(sink, &e);
	sink->sample(sink, &s);
	s.program.comm = NULL; /* nobody's */
	s.kind = WEIR_HISTORY_LOSS;
	s.reason = "NO_SOCKET";
	s.packets = 9;
	sink->sample(sink, &s);
	s.program.comm = "nginx";
	s.kind = WEIR_HISTORY_PEER;
	sink->sample(sink, &s);
	carry = weir_batch_carry(b, "traffic");
	carry->anew(carry);
	carry->put(carry, 7, "k\0y", 3, "bytes", 6);
}

static void what_goes_in_comes_out(void **unused)
{
	struct weir_batch *b = weir_batch_new(WEIR_BATCH_MAX);
	struct seen x = { 0 };
	const void *block;
	size_t len;

	(void)unused;
	fill(b);
	block = weir_batch_end(b, &len);
	assert_int_equal(decode(block, len, &x), 0);
	assert_int_equal(x.samples, 3);
	assert_int_equal(x.events, 1);
	assert_int_equal(x.carries, 1);
	assert_int_equal(x.anews, 1);
	assert_int_equal(x.others, 0);
	assert_string_equal(x.last, "nginx");
	assert_string_equal(x.last_peer, "db.example");
	assert_string_equal((char *)x.carried, "bytes");
	assert_int_equal(x.sample.port, 5432);
	assert_int_equal(x.sample.peer_address.bytes[3], 1);
	assert_int_equal(x.sample.connections, 2);
	assert_int_equal(weir_batch_left_out(b), 0);
	weir_batch_free(b);
}

static void what_finds_no_room_is_summed(void **unused)
{
	struct weir_batch *b = weir_batch_new(65536);
	struct weir_history_sink *sink = weir_batch_sink(b);
	struct weir_carry_sink *carry;
	struct seen x = { 0 };
	const void *block;
	char comm[64];
	size_t len;

	(void)unused;
	weir_batch_begin(b, 1790000000123456789ull);
	for (unsigned i = 0; i < 5000; i++) {
		struct weir_history_sample s = { .program = { .comm = comm }, .tx_bytes = 1 };

		snprintf(comm, sizeof(comm), "a program with a long name %u", i);
		sink->sample(sink, &s);
	}
	carry = weir_batch_carry(b, "traffic");
	for (unsigned i = 0; i < 100; i++)
		carry->put(carry, 7, "k\0y", 3, comm, WEIR_CARRY_BYTES_MAX + 1);
	assert_int_equal(weir_batch_left_out(b), 100);
	block = weir_batch_end(b, &len);
	assert_true(len <= 65536);
	assert_int_equal(decode(block, len, &x), 0);
	assert_int_equal(x.tx + x.other_tx, 5000);
	assert_int_equal(x.samples + x.other_n, 5000);
	assert_true(x.samples > 1000 && x.others == 1);
	weir_batch_free(b);
}

static void put_counters(struct weir_carry_sink *carry, unsigned n, size_t len)
{
	static const char bytes[WEIR_CARRY_BYTES_MAX];

	for (unsigned i = 0; i < n; i++)
		carry->put(carry, 7, "k\0y", 3, bytes, len);
}

/* However much moved: what was carried finds its room. */
static void samples_leave_room_for_what_is_carried(void **unused)
{
	struct weir_batch *b = weir_batch_new(WEIR_BATCH_MAX);
	struct weir_history_sink *sink = weir_batch_sink(b);
	struct weir_carry_sink *carry;
	struct seen x = { 0 };
	const void *block;
	char comm[1024];
	size_t len;

	(void)unused;
	weir_batch_begin(b, 1790000000123456789ull);
	for (unsigned i = 0; i < 20000; i++) {
		struct weir_history_sample s = { .program = { .comm = comm }, .tx_bytes = 1 };
		const struct weir_history_event e = { .kind = WEIR_HISTORY_FINDING, .summary = comm };

		snprintf(comm, sizeof(comm), "%01000u", i);
		sink->sample(sink, &s);
		sink->event(sink, &e);
	}
	assert_true(weir_batch_left_out(b) > 0); /* events */
	carry = weir_batch_carry(b, "traffic");
	carry->anew(carry);
	put_counters(carry, 30000, 8);
	block = weir_batch_end(b, &len);
	assert_int_equal(decode(block, len, &x), 0);
	assert_int_equal(x.anews, 1);
	assert_int_equal(x.carries, 30000);
	weir_batch_free(b);
}

/* A feature's records that void those before are all there, or none. */
static void what_is_begun_anew_is_whole(void **unused)
{
	struct weir_batch *b = weir_batch_new(65536);
	struct weir_carry_sink *carry;
	struct seen x = { 0 };
	const void *block;
	size_t len;

	(void)unused;
	weir_batch_begin(b, 1790000000123456789ull);
	carry = weir_batch_carry(b, "traffic");
	put_counters(carry, 10, 8);
	carry = weir_batch_carry(b, "traffic");
	carry->anew(carry);
	put_counters(carry, 100, 16); /* fit */
	carry = weir_batch_carry(b, "traffic");
	carry->anew(carry);
	put_counters(carry, 5000, 16); /* do not */
	assert_int_equal(weir_batch_left_out(b), 5000);
	carry = weir_batch_carry(b, "traffic");
	put_counters(carry, 7, 8); /* of another: there is room again */
	block = weir_batch_end(b, &len);
	assert_int_equal(decode(block, len, &x), 0);
	assert_int_equal(x.anews, 1);
	assert_int_equal(x.carries, 117);
	weir_batch_free(b);
}

static void long_texts_stay_two(void **unused)
{
	struct weir_batch *b = weir_batch_new(WEIR_BATCH_MAX);
	struct weir_history_sink *sink = weir_batch_sink(b);
	char name[2][3000], first[2048];
	struct seen x = { 0 };

	(void)unused;
	for (unsigned i = 0; i < 2; i++) {
		struct weir_history_sample s = { .program = { .comm = name[i] } };
		const void *block;
		size_t len;

		memset(name[i], 'n', sizeof(name[i]));
		name[i][2998] = i ? 'a' : 'b';
		name[i][2999] = '\0';
		weir_batch_begin(b, 1790000000123456789ull);
		sink->sample(sink, &s);
		block = weir_batch_end(b, &len);
		assert_int_equal(decode(block, len, &x), 0);
		assert_int_equal(strlen(x.last), WEIR_BATCH_TEXT_MAX);
		if (i)
			assert_string_not_equal(x.last, first);
		memcpy(first, x.last, sizeof(first));
	}
	weir_batch_free(b);
}

/* Cut short anywhere, or with any byte changed: refused as a whole, or well formed. */
static void a_malformed_block_is_not_taken_in_part(void **unused)
{
	struct weir_batch *b = weir_batch_new(WEIR_BATCH_MAX);
	const void *block;
	uint8_t *copy;
	size_t len;

	(void)unused;
	fill(b);
	block = weir_batch_end(b, &len);
	for (size_t cut = 0; cut < len; cut++) {
		struct seen x = { 0 };

		copy = malloc(cut ? cut : 1);
		memcpy(copy, block, cut);
		assert_int_equal(decode(copy, cut, &x), -EBADMSG);
		assert_int_equal(x.samples + x.events + x.carries, 0);
		free(copy);
	}
	copy = malloc(len);
	for (size_t at = 0; at < len * 255; at++) {
		memcpy(copy, block, len);
		copy[at % len] ^= (uint8_t)(1 + at / len);
		weir_batch_decode(copy, len, NULL, NULL);
	}
	free(copy);
	weir_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(what_finds_no_room_is_summed),
		cmocka_unit_test(samples_leave_room_for_what_is_carried),
		cmocka_unit_test(what_is_begun_anew_is_whole),
		cmocka_unit_test(long_texts_stay_two),
		cmocka_unit_test(a_malformed_block_is_not_taken_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
