// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "features/dns/dns_state.h"

/* Counters that outlive the daemon. */

struct store {
	struct weir_carry_sink sink;
	struct dns_carried kept;
	unsigned puts;
};

static void put(struct weir_carry_sink *sink, uint16_t type, const void *key, size_t key_len, const void *record, size_t len)
{
	struct store *to = (struct store *)sink;

	(void)key;
	assert_int_equal(type, DNS_RECORD_CARRIED);
	assert_int_equal(key_len, 0);
	assert_int_equal(len, sizeof(to->kept));
	memcpy(&to->kept, record, len);
	to->puts++;
}

static void apply(struct dns_state *s, const void *record, size_t len)
{
	const struct dns_head *head = record;
	union dns_event *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	assert_int_equal(dns_decode((uint16_t)head->type, record, len, e), 0);
	assert_int_equal(dns_apply(s, 1000, e), 0);
	free(e);
}

static void a_daemon_and_an_engine_count_on(void **unused)
{
	struct dns_counts counts = { .head = { DNS_RECORD_COUNTS, sizeof(counts) }, .by = { 10, 0, 2 } };
	struct store store = { .sink.put = put };
	struct dns_state *s = dns_state_new();
	struct dns_kept kept = {};

	(void)unused;
	apply(s, &counts, sizeof(counts));
	s->readings[DNS_NAMED] = 7;
	dns_carry(s, &store.sink, false);
	dns_carry(s, &store.sink, false);
	assert_int_equal(store.puts, 1);
	dns_state_free(s);

	s = dns_state_new();
	apply(s, &store.kept, sizeof(store.kept));
	assert_true(dns_carried_in(s, true));
	counts.by[0] = 3; /* the kernel half is a new one */
	apply(s, &counts, sizeof(counts));
	s->readings[DNS_NAMED]++;
	dns_carry(s, &store.sink, false);
	assert_int_equal(store.kept.by[0], 13);
	assert_int_equal(store.kept.by[2], 4);
	assert_int_equal(store.kept.readings[DNS_NAMED], 8);
	dns_keep(&kept, s);
	memset(&kept.half[!kept.active], 0xff, sizeof(kept.half[0])); /* an engine that ended while it wrote the next */
	dns_state_free(s);

	s = dns_state_new();
	dns_restore(&kept, s);
	assert_true(dns_carried_in(s, false));
	counts.by[0] = 5; /* it went on */
	apply(s, &counts, sizeof(counts));
	dns_carry(s, &store.sink, true);
	assert_int_equal(store.kept.by[0], 15);
	assert_int_equal(store.kept.readings[DNS_NAMED], 8);
	dns_state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_daemon_and_an_engine_count_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
