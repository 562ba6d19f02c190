// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/changes.h"

/* The ranking: each row is a sentence, what there was, and who comes first. */

#define CHANGE(what, number, b, a)                                                       \
	{                                                                                \
		.kind = STORE_CHANGE_##what, .id = (number), .before = (b), .after = (a) \
	}

static const struct {
	const char *says;
	struct store_change list[4];
	size_t n, left;
	uint64_t first, second; /* ids */
} rows[] = {
	{ "what explains most comes first",
	  { CHANGE(PROGRAM, 1, 1e6, 2e6), CHANGE(PROGRAM, 2, 1e6, 9e6),
	    CHANGE(PROGRAM, 3, 1e6, 1e6) },
	  3,
	  2,
	  2,
	  1 },
	{ "one that is gone explains as much as one that came",
	  { CHANGE(PROGRAM, 1, 8e6, 0), CHANGE(PROGRAM, 2, 0, 4e6) },
	  2,
	  2,
	  1,
	  2 },
	{ "a program comes before its peer",
	  { CHANGE(PEER, 1, 0, 5e6), CHANGE(PROGRAM, 2, 0, 5e6) },
	  2,
	  2,
	  2,
	  1 },
	{ "a few bytes are no change",
	  { CHANGE(PROGRAM, 1, 0, 100), CHANGE(PROGRAM, 2, 0, 1e6) },
	  2,
	  1,
	  2,
	  0 },
	{ "a small share of what it was is no change",
	  { CHANGE(PROGRAM, 1, 1e9, 1.01e9), CHANGE(PROGRAM, 2, 1e6, 3e6) },
	  2,
	  1,
	  2,
	  0 },
	{ "a flood of lost packets is not hidden by bytes",
	  { CHANGE(PROGRAM, 1, 1e9, 2e9), CHANGE(LOSS, 2, 0, 5000),
	    CHANGE(PROGRAM, 3, 1e9, 1.5e9) },
	  3,
	  3,
	  2,
	  1 },
	{ "nothing changed", { CHANGE(PROGRAM, 1, 5e6, 5e6) }, 1, 0, 0, 0 },
};

static void the_ranking_explains_most_first(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_change list[4];
		size_t left;

		for (size_t k = 0; k < 4; k++)
			list[k] = rows[i].list[k];
		left = store_changes_rank(list, rows[i].n, 100);
		if (left != rows[i].left || (left && list[0].id != rows[i].first) ||
		    (left > 1 && list[1].id != rows[i].second))
			fail_msg("%s: %zu left, first %u", rows[i].says, left,
				 (unsigned)list[0].id);
	}
}

static void new_ones_come_before_equals(void **unused)
{
	struct store_change list[] = { CHANGE(PROGRAM, 1, 0, 1e6), CHANGE(PROGRAM, 2, 0, 1e6) };

	(void)unused;
	list[1].is_new = true;
	assert_int_equal(store_changes_rank(list, 2, 1), 1);
	assert_int_equal(list[0].id, 2);
}

static void a_loss_that_is_expected_leads_nothing(void **unused)
{
	struct store_change list[] = { CHANGE(LOSS, 1, 0, 1e6), CHANGE(LOSS, 2, 0, 1e5), CHANGE(PROGRAM, 3, 1e6, 2e6) };

	(void)unused;
	list[0].expected = true;
	list[0].is_new = true;
	assert_int_equal(store_changes_rank(list, 3, 100), 3);
	assert_int_equal(list[0].id, 3);
	assert_int_equal(list[1].id, 2);
}

static void spans_of_unequal_length_are_compared_by_rate(void **unused)
{
	(void)unused;
	assert_true(store_change_scaled(600, 3600, 600) == 100);
	assert_true(store_change_scaled(600, 60, 600) == 6000);
	assert_true(store_change_scaled(600, 0, 600) == 0);
}

static void a_change_reads_as_a_sentence(void **unused)
{
	static const struct {
		struct store_change change;
		const char *says;
	} sentences[] = {
		{ CHANGE(PROGRAM, 1, 60e6, 120e6), "curl rose from 1 MB/s to 2 MB/s" },
		{ CHANGE(PROGRAM, 1, 120e6, 60e6), "curl fell from 2 MB/s to 1 MB/s" },
		{ CHANGE(PROGRAM, 1, 0, 60e6), "curl moved 1 MB/s, and nothing before" },
		{ CHANGE(PROGRAM, 1, 60e6, 0), "curl moved 1 MB/s before, and nothing now" },
		{ CHANGE(LOSS, 1, 0, 42), "curl were 42, and nothing before" },
	};

	(void)unused;
	for (unsigned i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		struct weir_buf b = { 0 };

		store_change_sentence(&sentences[i].change, "curl", 60, &b);
		assert_string_equal(b.data, sentences[i].says);
		weir_buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ranking_explains_most_first),
		cmocka_unit_test(new_ones_come_before_equals),
		cmocka_unit_test(a_loss_that_is_expected_leads_nothing),
		cmocka_unit_test(spans_of_unequal_length_are_compared_by_rate),
		cmocka_unit_test(a_change_reads_as_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
