// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/topic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/tables.h"

/* Snapshots of the table of flows, described by one line each: "cookie owner changed state ...". */

struct flow {
	uint64_t cookie;
	uid_t owner;
	uint64_t changed;
	const char *state;
};

struct fixture {
	struct web_accounts accounts;
	struct web_topics topics;
	struct weir_builder *builder;
	struct web_account *root, *user;
	const struct weir_table *flows;
	struct web_step step;
	struct weir_snapshot *before;
};

static unsigned field(const struct weir_table *t, const char *name)
{
	int i = weir_table_field(t, name);

	if (i < 0)
		fail_msg("no field %s", name);
	return (unsigned)i;
}

static int setup(void **state)
{
	static struct fixture f;
	const struct weir_viewer root = { .uid = 0, .sees_all = true }, user = { .uid = 1000 };

	f = (struct fixture){ .builder = weir_builder_new(), .flows = weir_table_find("flows") };
	f.root = web_account_get(&f.accounts, &root, false);
	f.user = web_account_get(&f.accounts, &user, false);
	*state = &f;
	return f.builder && f.root && f.user && f.flows ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	weir_builder_free(f->builder);
	weir_snapshot_unref(f->before);
	web_account_unref(f->root);
	web_account_unref(f->user);
	assert_true(LIST_EMPTY(&f->topics));
	assert_true(LIST_EMPTY(&f->accounts)); /* every payload gave its bytes back */
	return 0;
}

static struct weir_snapshot *snapshot(struct fixture *f, uint64_t number, const struct flow *flows,
				      size_t n)
{
	const struct weir_snapshot_head head = {
		.number = number, .real_ns = 1, .lost_events = 5, .host = "h"
	};
	struct weir_addr peer = { .family = 2, .bytes = { 10, 0, 0, 1 } };
	struct weir_snapshot *s;

	weir_builder_table(f->builder, f->flows);
	for (size_t i = 0; i < n; i++) {
		weir_builder_row(f->builder, flows[i].owner, flows[i].changed);
		weir_builder_uint(f->builder, field(f->flows, "cookie"), flows[i].cookie);
		weir_builder_address(f->builder, field(f->flows, "peer_address"), &peer);
		weir_builder_uint(f->builder, field(f->flows, "peer_port"), 80);
		weir_builder_text(f->builder, field(f->flows, "state"), flows[i].state);
	}
	assert_int_equal(weir_builder_finish(f->builder, &head, &s), 0);
	return s;
}

static struct web_topic *topic(struct fixture *f, const char *filter, struct web_account *a)
{
	struct web_topic *t;
	char *error = NULL;

	assert_int_equal(web_topic_get(&f->topics, f->flows, filter, "state", a, &t, &error), 0);
	return t;
}

/* Publishes the step's snapshot: it becomes what was shown. */
static void published(struct fixture *f, struct web_topic *t)
{
	assert_int_equal(web_topic_published(t, &f->step), 0);
	web_step_done(&f->step);
	weir_snapshot_unref(f->before);
	f->before = (struct weir_snapshot *)f->step.now;
}

static void next(struct fixture *f, uint64_t number, bool tick, const struct flow *flows, size_t n)
{
	f->step = (struct web_step){ .before = f->before,
				     .now = snapshot(f, number, flows, n),
				     .tick = tick };
}

static void check(struct fixture *f, struct web_topic *t, const char *expected)
{
	struct web_payload *p, *again;

	assert_int_equal(web_topic_changes(t, &f->step, &p), 0);
	assert_int_equal(web_topic_changes(t, &f->step, &again), 0);
	assert_ptr_equal(p, again); /* made once */
	if (!expected)
		assert_null(p);
	else
		assert_string_equal(p->text.data, expected);
}

#define HEAD(number, tick)                                                                      \
	"event: rows\ndata: {\"snapshot\":" number ",\"time\":\"1970-01-01T00:00:00.000000Z\"," \
	"\"lost_events\":5,\"topic\":\"flows\",\"tick\":" tick ",\"rows\":"
#define ROW(cookie, state)                                                                         \
	"{\"cookie\":" cookie ",\"peer_address\":\"10.0.0.1\",\"peer_port\":80,\"state\":\"" state \
	"\"}"
#define KEY(cookie) "[" cookie ",\"10.0.0.1\",80]"
#define N(a) (a), sizeof(a) / sizeof((a)[0])

static void a_newcomer_gets_the_whole_table_in_one_line(void **state)
{
	struct fixture *f = *state;
	const struct flow flows[] = { { 1, 0, 1, "open" } };
	struct web_topic *t = topic(f, "", f->root);
	struct web_payload *p;

	next(f, 1, true, N(flows));
	assert_int_equal(web_topic_full(t, &f->step, &p), 0);
	assert_string_equal(
		p->text.data,
		"event: snapshot\ndata: {\"topic\":\"flows\",\"schema_version\":1,\"host\":\"h\","
		"\"time\":\"1970-01-01T00:00:00.000000Z\",\"snapshot\":1,\"lost_events\":5,"
		"\"total\":1,"
		"\"rows\":[" ROW("1", "open") "]}\n\n");
	published(f, t);
	web_topic_unref(t);
}

static void only_changed_rows_and_the_keys_of_gone_ones_are_sent(void **state)
{
	struct fixture *f = *state;
	const struct flow first[] = {
		{ 1, 0, 1, "a" }, { 2, 0, 1, "b" }, { 3, 0, 1, "c" }, { 4, 0, 1, "d" }
	};
	/* 2 changed, 1 and 4 went, 5 came, and the rest moved about. */
	const struct flow second[] = { { 5, 0, 2, "e" }, { 3, 0, 1, "c" }, { 2, 0, 2, "B" } };
	struct web_topic *t = topic(f, "", f->root);

	next(f, 1, true, N(first));
	published(f, t);
	next(f, 2, false, N(second));
	check(f, t,
	      HEAD("2", "false") "[" ROW("5", "e") "," ROW("2", "B") "],\"gone\":[" KEY(
		      "1") "," KEY("4") "]}\n\n");
	published(f, t);
	web_topic_unref(t);
}

static void a_row_that_the_filter_loses_is_gone(void **state)
{
	struct fixture *f = *state;
	const struct flow first[] = { { 1, 0, 1, "open" },
				      { 2, 0, 1, "open" },
				      { 3, 0, 1, "shut" } };
	const struct flow second[] = { { 1, 0, 2, "shut" },
				       { 2, 0, 1, "open" },
				       { 3, 0, 2, "open" } };
	struct web_topic *t = topic(f, "state:open", f->root);

	next(f, 1, true, N(first));
	published(f, t);
	next(f, 2, true, N(second));
	check(f, t, HEAD("2", "true") "[" ROW("3", "open") "],\"gone\":[" KEY("1") "]}\n\n");
	published(f, t);
	web_topic_unref(t);
}

static void a_row_that_changes_its_owner_is_gone_for_the_former_one(void **state)
{
	struct fixture *f = *state;
	const struct flow first[] = { { 1, 1000, 1, "a" }, { 2, 0, 1, "b" } };
	const struct flow second[] = { { 1, 0, 2, "a" }, { 2, 1000, 2, "b" } };
	struct web_topic *t = topic(f, "", f->user);

	next(f, 1, true, N(first));
	published(f, t);
	next(f, 2, true, N(second));
	check(f, t, HEAD("2", "true") "[" ROW("2", "b") "],\"gone\":[" KEY("1") "]}\n\n");
	published(f, t);
	web_topic_unref(t);
}

static void a_tick_is_always_sent_but_news_only_when_there_are_some(void **state)
{
	struct fixture *f = *state;
	const struct flow flows[] = { { 1, 0, 1, "a" } };
	struct web_topic *t = topic(f, "", f->root);

	next(f, 1, true, N(flows));
	published(f, t);
	next(f, 2, false, N(flows));
	check(f, t, NULL);
	published(f, t);
	next(f, 3, true, N(flows));
	check(f, t, HEAD("3", "true") "[],\"gone\":[]}\n\n");
	published(f, t);
	web_topic_unref(t);
}

static void a_table_that_empties_is_gone_row_by_row(void **state)
{
	struct fixture *f = *state;
	const struct flow flows[] = { { 1, 0, 1, "a" }, { 2, 0, 1, "b" } };
	struct web_topic *t = topic(f, "", f->root);

	next(f, 1, true, N(flows));
	published(f, t);
	next(f, 2, true, NULL, 0);
	check(f, t, HEAD("2", "true") "[],\"gone\":[" KEY("1") "," KEY("2") "]}\n\n");
	published(f, t);
	web_topic_unref(t);
}

static void ten_thousand_rows_in_a_new_order_are_all_found(void **state)
{
	struct fixture *f = *state;
	enum { ROWS = 10000 };
	struct flow *flows = calloc(ROWS, sizeof(*flows));
	struct web_topic *t = topic(f, "", f->root);

	for (unsigned i = 0; i < ROWS; i++)
		flows[i] = (struct flow){ i, 0, 1, "a" };
	next(f, 1, true, flows, ROWS);
	published(f, t);
	for (unsigned i = 0; i < ROWS; i++)
		flows[i].cookie = (i * 7919u) % ROWS;
	next(f, 2, true, flows, ROWS);
	check(f, t, HEAD("2", "true") "[],\"gone\":[]}\n\n");
	published(f, t);
	web_topic_unref(t);
	free(flows);
}

static void equal_questions_of_one_viewer_share_a_topic(void **state)
{
	struct fixture *f = *state;
	struct web_topic *a = topic(f, "state:open", f->root), *b = topic(f, "state:open", f->root);
	struct web_topic *c = topic(f, "state:open", f->user), *d = topic(f, "", f->root);

	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_ptr_not_equal(a, d);
	web_topic_unref(a);
	web_topic_unref(b);
	web_topic_unref(c);
	web_topic_unref(d);
}

static void a_bad_question_is_explained(void **state)
{
	struct fixture *f = *state;
	struct web_topic *t = NULL;
	char *error = NULL;

	assert_int_equal(web_topic_get(&f->topics, f->flows, "nope:1", NULL, f->root, &t, &error),
			 -EINVAL);
	assert_non_null(error);
	free(error);
	error = NULL;
	assert_int_equal(web_topic_get(&f->topics, f->flows, "", "nope", f->root, &t, &error),
			 -EINVAL);
	assert_non_null(error);
	free(error);
	assert_null(t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_newcomer_gets_the_whole_table_in_one_line),
		TEST(only_changed_rows_and_the_keys_of_gone_ones_are_sent),
		TEST(a_row_that_the_filter_loses_is_gone),
		TEST(a_row_that_changes_its_owner_is_gone_for_the_former_one),
		TEST(a_tick_is_always_sent_but_news_only_when_there_are_some),
		TEST(a_table_that_empties_is_gone_row_by_row),
		TEST(ten_thousand_rows_in_a_new_order_are_all_found),
		TEST(equal_questions_of_one_viewer_share_a_topic),
		TEST(a_bad_question_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
