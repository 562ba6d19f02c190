// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/feature.h"
#include "core/history.h"
#include "core/record.h"
#include "features/drops/drops_kept.h"

/* What losses tell history, and what of them outlives the daemon. */

#define SECOND 1000000000ull
#define BEGIN (100 * SECOND)
#define REASON 70
#define REASON_NAME "SKB_DROP_REASON_SOCKET_RCVBUFF"
#define PLACE 0xffffffff81000010ull

static void apply_to(struct drops_state *s, uint64_t at, const void *record, size_t len)
{
	const struct drops_head *head = record;
	union drops_event *e = malloc(sizeof(*e));

	assert_non_null(e);
	assert_int_equal(drops_decode((uint16_t)head->type, record, len, e), 0);
	assert_int_equal(drops_apply(s, at, e), 0);
	free(e);
}

static struct drops_state *begin(void)
{
	struct drops_reason r = { .head = { DROPS_RECORD_REASON, sizeof(r) }, .number = REASON, .name = REASON_NAME };
	struct drops_place_name p = { .head = { DROPS_RECORD_PLACE, sizeof(p) }, .address = PLACE, .symbol = "sock_queue" };
	struct drops_state *s = drops_state_new();

	assert_non_null(s);
	apply_to(s, BEGIN, &r, sizeof(r));
	apply_to(s, BEGIN, &p, sizeof(p));
	drops_tick(s, BEGIN, BEGIN);
	return s;
}

static void lose(struct drops_state *s, uint64_t at, uint64_t packets, enum drops_earlier earlier)
{
	struct drops_sum_record e = { .head = { DROPS_RECORD_SUM, sizeof(e) }, .packets = packets, .bytes = packets * 100,
				      .earlier = earlier, .key = { .place = PLACE, .reason = REASON, .socket.cookie = 1 } };

	apply_to(s, at, &e, sizeof(e));
	drops_tick(s, at, at);
}

struct told {
	struct weir_history_sink sink;
	uint64_t packets;
	unsigned samples;
	char reason[64], comm[16];
};

static void on_sample(struct weir_history_sink *sink, const struct weir_history_sample *s)
{
	struct told *t = (struct told *)sink;

	assert_int_equal(s->kind, WEIR_HISTORY_LOSS);
	t->packets += s->packets;
	t->samples++;
	snprintf(t->reason, sizeof(t->reason), "%s", s->reason);
	snprintf(t->comm, sizeof(t->comm), "%s", s->program.comm ? s->program.comm : "");
}

static struct told tell(struct drops_state *s)
{
	struct told t = { .sink.sample = on_sample };

	drops_history(s, &t.sink);
	return t;
}

static uint64_t grouped(const struct drops_state *s)
{
	uint64_t sum = 0;

	for (const struct drops_group *g = s->groups; g; g = g->hh.next)
		sum += g->packets;
	return sum;
}

static void each_packet_is_told_once(void **unused)
{
	struct drops_state *s = begin();
	struct drops_owner o = { .head = { DROPS_RECORD_OWNER, sizeof(o) }, .socket.cookie = 1, .pid = 41, .start_ns = 1,
				 .uid = 33, .comm = "redis" };
	struct told t;

	(void)unused;
	lose(s, BEGIN + SECOND, 5, DROPS_NOW);
	t = tell(s);
	assert_int_equal(t.packets, 5);
	assert_string_equal(t.reason, "SOCKET_RCVBUFF");
	assert_int_equal(tell(s).samples, 0);
	/* When it becomes known whose they are, what was told stays told. */
	apply_to(s, BEGIN + SECOND, &o, sizeof(o));
	lose(s, BEGIN + 2 * SECOND, 8, DROPS_NOW);
	t = tell(s);
	assert_int_equal(t.packets, 3);
	assert_string_equal(t.comm, "redis");
	drops_state_free(s);
}

struct store {
	struct weir_carry_sink sink;
	struct weir_sink records;
	struct drops_carried kept[64];
	unsigned n, puts;
};

static void put(struct weir_carry_sink *sink, uint16_t type, const void *key, size_t key_len, const void *record, size_t len)
{
	struct store *to = (struct store *)sink;
	unsigned i = 0;

	assert_int_equal(type, DROPS_RECORD_CARRIED);
	assert_int_equal(len, sizeof(to->kept[0]));
	while (i < to->n && (to->kept[i].key_len != key_len || memcmp(to->kept[i].key, key, key_len)))
		i++;
	to->n += i == to->n;
	memcpy(&to->kept[i], record, len);
	to->puts++;
}

static void anew(struct weir_carry_sink *sink)
{
	((struct store *)sink)->n = 0;
}

static void a_daemon_counts_on(void **unused)
{
	struct store store = { .sink = { put, anew } };
	struct drops_state *s = begin();
	uint64_t own[DROPS_OWN_COUNTERS];

	(void)unused;
	s->lost.samples = 4;
	lose(s, BEGIN + SECOND, 5, DROPS_NOW);
	drops_carry(s, &store.sink, true);
	assert_int_equal(store.puts, 2);
	drops_carry(s, &store.sink, false);
	assert_int_equal(store.puts, 2);
	drops_state_free(s);

	s = begin();
	assert_false(drops_carried_in(s, false));
	for (unsigned i = 0; i < store.n; i++)
		apply_to(s, BEGIN, &store.kept[i], sizeof(store.kept[i]));
	assert_true(drops_carried_in(s, true));
	assert_int_equal(grouped(s), 5);
	lose(s, BEGIN + SECOND, 2, DROPS_NOW);
	assert_int_equal(grouped(s), 7);
	s->lost.samples = 1;
	drops_own_counters(s, own);
	assert_int_equal(own[0], 5);
	assert_int_equal(tell(s).packets, 2); /* the others are history already */
	drops_state_free(s);
}

static struct drops_state *successor;

static void put_record(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	(void)sink;
	(void)type;
	apply_to(successor, BEGIN, bytes, len);
}

/* The kernel's sums go on while an engine is away. */
static void an_engine_that_begins_anew_counts_on(void **unused)
{
	struct drops_kept *kept = calloc(1, sizeof(*kept));
	struct drops_key key = { .place = PLACE, .reason = REASON, .socket.cookie = 1 };
	struct weir_sink sink = { .put = put_record };
	const struct drops_kept_sum *sum;
	struct drops_left *left;
	struct drops_state *s = begin();

	(void)unused;
	assert_non_null(kept);
	assert_int_equal(drops_left_new(kept, &left), 0);
	assert_null(left); /* nobody was before */
	lose(s, BEGIN + SECOND, 5, DROPS_NOW);
	tell(s);
	s->carried_in = true;
	drops_keep(kept, s);
	drops_state_free(s);

	successor = begin();
	assert_int_equal(drops_left_new(kept, &left), 0);
	assert_true(left->half.carried_in);
	drops_left_groups(left, &sink);
	sum = drops_left_sum(left, &key);
	assert_non_null(sum);
	lose(successor, BEGIN + SECOND, sum->packets, DROPS_EARLIER_COUNTED);
	assert_int_equal(grouped(successor), 5);
	assert_int_equal(tell(successor).packets, 0);
	lose(successor, BEGIN + SECOND, 9, DROPS_NOW);
	assert_int_equal(grouped(successor), 9);
	assert_int_equal(tell(successor).packets, 4);
	key.socket.cookie = 2;
	assert_null(drops_left_sum(left, &key));
	drops_state_free(successor);
	free(left);
	free(kept);
}

static void what_a_file_says_is_checked(void **unused)
{
	struct drops_carried c = { .head = { DROPS_RECORD_CARRIED, sizeof(c) }, .key_len = 6, .key = "ab\0cd" };
	union drops_event *e = malloc(sizeof(*e));

	(void)unused;
	assert_non_null(e);
	assert_int_equal(drops_decode(DROPS_RECORD_CARRIED, &c, sizeof(c), e), -EBADMSG); /* two texts */
	c.key_len = 7;
	assert_int_equal(drops_decode(DROPS_RECORD_CARRIED, &c, sizeof(c), e), 0);
	c.key_len = sizeof(c.key) + 1;
	assert_int_equal(drops_decode(DROPS_RECORD_CARRIED, &c, sizeof(c), e), -EBADMSG);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_packet_is_told_once),
		cmocka_unit_test(a_daemon_counts_on),
		cmocka_unit_test(an_engine_that_begins_anew_counts_on),
		cmocka_unit_test(what_a_file_says_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
