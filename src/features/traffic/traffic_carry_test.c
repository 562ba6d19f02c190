// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first. */
#include <cmocka.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "features/traffic/traffic_kept.h"
#include "features/traffic/traffic_state.h"

/* Sums that outlive the daemon. */

#define SECOND 1000000000ull
#define RECORDS 512

static const struct traffic_key nginx = { .start_ns = 500, .pid = 4711 }, curl = { .start_ns = 900, .pid = 4712 };

static void apply(struct traffic_state *s, union traffic_event e)
{
	assert_int_equal(traffic_state_apply(s, SECOND, &e), 0);
}

static void run(struct traffic_state *s, struct traffic_key key, const char *comm, uint64_t tx)
{
	union traffic_event e = { .process = { .head = { TRAFFIC_RECORD_PROCESS, sizeof(e.process) }, .key = key } };
	union traffic_event sums = { .sums = { .head = { TRAFFIC_RECORD_SUMS, sizeof(sums.sums) }, .key = key } };

	snprintf(e.process.comm, sizeof(e.process.comm), "%s", comm);
	apply(s, e);
	sums.sums.sums.by[TRAFFIC_TCP].bytes[TRAFFIC_TX] = tx;
	apply(s, sums);
}

static uint64_t sum_of(const struct traffic_state *s, const char *comm)
{
	for (const struct traffic_group *g = s->groups; g; g = g->hh.next)
		if (!strcmp(g->key, comm))
			return g->by[TRAFFIC_TCP].bytes[TRAFFIC_TX];
	return 0;
}

/* What a store keeps. */
struct store {
	struct weir_carry_sink sink;
	struct traffic_carried records[RECORDS];
	unsigned n, puts;
};

static void put(struct weir_carry_sink *sink, uint16_t type, const void *key, size_t key_len, const void *record, size_t len)
{
	struct store *to = (struct store *)sink;
	unsigned i = 0;

	assert_int_equal(type, TRAFFIC_RECORD_CARRIED);
	assert_int_equal(len, sizeof(to->records[0]));
	while (i < to->n && (to->records[i].key_len != key_len || memcmp(to->records[i].key, key, key_len)))
		i++;
	assert_true(i < RECORDS);
	to->n += i == to->n;
	memcpy(&to->records[i], record, len);
	to->puts++;
}

static void anew(struct weir_carry_sink *sink)
{
	((struct store *)sink)->n = 0;
}

static struct store *store_new(void)
{
	struct store *to = calloc(1, sizeof(*to));

	assert_non_null(to);
	to->sink = (struct weir_carry_sink){ .put = put, .anew = anew };
	return to;
}

static unsigned carry(struct traffic_state *s, struct store *to, bool all)
{
	to->puts = 0;
	traffic_carry(s, &to->sink, all);
	return to->puts;
}

static void give_back(struct traffic_state *s, const struct store *from)
{
	const struct weir_feature *f = weir_features[0];
	union traffic_event e;

	for (unsigned i = 0; i < from->n; i++) {
		assert_int_equal(f->decode(TRAFFIC_RECORD_CARRIED, &from->records[i], sizeof(from->records[i]), &e), 0);
		apply(s, e);
	}
	f->carried_in(s, true);
}

static void a_daemon_counts_on_where_the_one_before_ended(void **unused)
{
	struct traffic_state *s = traffic_state_new();
	struct store *store = store_new();

	(void)unused;
	run(s, nginx, "nginx", 100);
	assert_int_equal(carry(s, store, true), 2); /* and what has no group */
	run(s, nginx, "nginx", 150);
	assert_int_equal(carry(s, store, false), 1);
	assert_int_equal(carry(s, store, false), 0); /* nothing grew */
	traffic_state_free(s);

	for (unsigned daemon = 1; daemon <= 3; daemon++) {
		s = traffic_state_new();
		give_back(s, store);
		assert_int_equal(sum_of(s, "nginx"), 150 + (daemon - 1) * 20);
		run(s, curl, "nginx", 20); /* a new kernel map counts from 0 */
		assert_int_equal(sum_of(s, "nginx"), 150 + daemon * 20);
		carry(s, store, false);
		traffic_state_free(s);
	}
	free(store);
}

/* An answer that comes late, when the daemon has been counting for a while. */
static void what_comes_late_is_added(void **unused)
{
	struct traffic_state *s = traffic_state_new();
	struct store *store = store_new();

	(void)unused;
	run(s, nginx, "nginx", 100);
	carry(s, store, true);
	traffic_state_free(s);

	s = traffic_state_new();
	run(s, curl, "nginx", 7);
	give_back(s, store);
	assert_int_equal(sum_of(s, "nginx"), 107);
	assert_true(carry(s, store, false) >= 1);
	assert_int_equal(store->records[0].by[TRAFFIC_TCP].bytes[TRAFFIC_TX], 107);
	traffic_state_free(s);
	free(store);
}

/* The keeper's memory has what the store gave before, so it is not asked for again. */
static void an_engine_that_begins_anew_has_them_already(void **unused)
{
	struct traffic_state *s = traffic_state_new(), *next = traffic_state_new();
	struct traffic_kept *kept = calloc(1, sizeof(*kept));
	struct store *store = store_new();

	(void)unused;
	assert_non_null(kept);
	run(s, nginx, "nginx", 100);
	carry(s, store, true);
	traffic_state_free(s);

	s = traffic_state_new();
	traffic_restore(kept, s);
	assert_false(weir_features[0]->carried_in(s, false));
	give_back(s, store);
	run(s, curl, "nginx", 7);
	traffic_keep(kept, s);
	traffic_restore(kept, next);
	assert_true(weir_features[0]->carried_in(next, false));
	run(next, curl, "nginx", 7); /* that part is in the kernel's map */
	assert_int_equal(sum_of(next, "nginx"), 107);
	traffic_state_free(s);
	traffic_state_free(next);
	free(store);
	free(kept);
}

/* However many daemons and programs there are, what is carried is bounded, and no sum falls. */
static void groups_without_end_are_carried_as_other(void **unused)
{
	struct store *store = store_new();
	uint64_t total = 0, sum = 0;

	(void)unused;
	for (unsigned daemon = 0; daemon < 4; daemon++) {
		struct traffic_state *s = traffic_state_new();

		give_back(s, store);
		for (unsigned i = 0; i < TRAFFIC_GROUPS_MAX; i++) {
			struct traffic_key key = { .start_ns = 1 + daemon, .pid = i };
			char comm[16];

			snprintf(comm, sizeof(comm), "p%u-%u", daemon, i);
			run(s, key, comm, 10);
			total += 10;
		}
		carry(s, store, daemon % 2);
		traffic_state_free(s);
	}
	assert_true(store->n <= TRAFFIC_GROUPS_MAX + 1);
	for (unsigned i = 0; i < store->n; i++)
		sum += store->records[i].by[TRAFFIC_TCP].bytes[TRAFFIC_TX];
	assert_int_equal(sum, total);
	free(store);
}

static void what_a_file_says_is_checked(void **unused)
{
	struct traffic_carried c = { .head = { TRAFFIC_RECORD_CARRIED, sizeof(c) }, .key_len = 4, .key = "ab" };
	const struct weir_feature *f = weir_features[0];
	union traffic_event e;

	(void)unused;
	assert_int_equal(f->decode(TRAFFIC_RECORD_CARRIED, &c, sizeof(c), &e), -EBADMSG); /* two texts */
	c.key_len = 5;
	assert_int_equal(f->decode(TRAFFIC_RECORD_CARRIED, &c, sizeof(c), &e), 0 - EBADMSG * (c.key[4] != 0));
	c.key_len = sizeof(c.key) + 1;
	assert_int_equal(f->decode(TRAFFIC_RECORD_CARRIED, &c, sizeof(c), &e), -EBADMSG);
	c.key_len = 3;
	assert_int_equal(f->decode(TRAFFIC_RECORD_CARRIED, &c, sizeof(c), &e), -EBADMSG);
	assert_int_equal(f->decode(TRAFFIC_RECORD_CARRIED, &c, sizeof(c) - 1, &e), -EBADMSG);
}

/* Any bytes may stand there: an engine that was taken over wrote them. */
static void what_makes_no_sense_is_not_restored(void **unused)
{
	static const uint32_t lengths[] = { 0, 1, TRAFFIC_GROUP_KEY, TRAFFIC_GROUP_KEY + 1, 1u << 20, UINT32_MAX };
	struct traffic_kept *kept = malloc(sizeof(*kept));
	struct traffic_kept_half *half = &kept->half[1];
	struct traffic_state *s = traffic_state_new();

	(void)unused;
	assert_non_null(kept);
	memset(kept, 0xff, sizeof(*kept));
	for (unsigned i = 0; i < TRAFFIC_GROUPS_MAX; i++)
		half->groups[i].key_len = lengths[i % ARRAY_SIZE(lengths)];
	memcpy(half->groups[7].key, "nginx\0\0", 8);
	half->groups[7].key_len = 8; /* one that does */
	half->groups[8].key_len = 2; /* and one without its ends */
	traffic_restore(kept, s);
	assert_int_equal(HASH_COUNT(s->groups), 1);
	assert_int_equal(s->groups->key_len, 8);
	assert_string_equal(s->groups->key, "nginx");
	traffic_state_free(s);
	free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_daemon_counts_on_where_the_one_before_ended),
		cmocka_unit_test(what_comes_late_is_added),
		cmocka_unit_test(an_engine_that_begins_anew_has_them_already),
		cmocka_unit_test(groups_without_end_are_carried_as_other),
		cmocka_unit_test(what_a_file_says_is_checked),
		cmocka_unit_test(what_makes_no_sense_is_not_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
