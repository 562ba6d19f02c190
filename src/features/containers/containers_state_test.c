// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "core/identity.h"
#include "features/containers/containers_state.h"

#define SECOND 1000000000ull
#define BEGIN (100 * SECOND)

static const char id_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char id_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static struct containers_state *new_state(void)
{
	struct containers_state *s = containers_state_new();

	assert_non_null(s);
	s->asks = true;
	return s;
}

static void see(struct containers_state *s, uint64_t at, const char *id, uint32_t user, bool lives)
{
	struct weir_identity identity = { .user = user, .has_user = user != 0 };

	snprintf(identity.container_id, sizeof(identity.container_id), "%s", id);
	containers_process_seen(s, at, &(struct weir_process_seen){ .id = &identity, .lives = lives });
}

static void name(struct containers_state *s, uint64_t at, const char *id, const char *text)
{
	struct containers_name e = { .runtime = text ? CONTAINERS_PODMAN : CONTAINERS_UNKNOWN };

	snprintf(e.id, sizeof(e.id), "%s", id);
	snprintf(e.name, sizeof(e.name), "%s", text ? text : "");
	assert_int_equal(containers_apply(s, at, &e), 0);
}

static const char *name_of(struct containers_state *s, const char *id)
{
	const struct weir_container_name *n = containers_container(s, id);

	return n ? n->name : NULL;
}

static size_t ask(struct containers_state *s, uint64_t at, struct containers_question *ret)
{
	return containers_ask(s, at, ret, WEIR_HELP_REQUEST_MAX) / sizeof(*ret);
}

static void a_container_is_asked_for_once_and_named(void **unused)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	struct containers_state *s = new_state();

	(void)unused;
	assert_int_equal(ask(s, BEGIN, q), 0);
	see(s, BEGIN, id_a, 0, true);
	see(s, BEGIN, id_a, 0, true);
	assert_int_equal(ask(s, BEGIN, q), 1);
	assert_string_equal(q[0].id, id_a);
	assert_int_equal(q[0].uid, 0);
	assert_int_equal(ask(s, BEGIN + SECOND / 10, q), 0);
	assert_null(name_of(s, id_a));
	name(s, BEGIN + SECOND / 10, id_a, "web");
	assert_string_equal(name_of(s, id_a), "web");
	assert_true(s->news);
	containers_state_free(s);
}

static void what_nobody_knows_yet_is_asked_again_less_and_less(void **unused)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	struct containers_state *s = new_state();
	unsigned first_second = 0, rest = 0;

	(void)unused;
	for (uint64_t t = 0; t < 600 * SECOND; t += SECOND / 20) {
		if (t % SECOND == 0)
			see(s, BEGIN + t, id_a, 0, true);
		*(t < SECOND ? &first_second : &rest) += (unsigned)ask(s, BEGIN + t, q);
	}
	assert_in_range(first_second, 3, 5);
	assert_in_range(rest, 9, 16);
	containers_state_free(s);
}

static void a_new_name_is_seen_within_half_a_minute(void **unused)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	struct containers_state *s = new_state();
	uint64_t version;

	(void)unused;
	see(s, BEGIN, id_a, 0, true);
	ask(s, BEGIN, q);
	name(s, BEGIN, id_a, "web");
	version = containers_container(s, id_a)->version;
	assert_int_equal(ask(s, BEGIN + 29 * SECOND, q), 0);
	assert_int_equal(ask(s, BEGIN + 30 * SECOND, q), 1);
	name(s, BEGIN + 30 * SECOND, id_a, "web");
	assert_int_equal(containers_container(s, id_a)->version, version);
	name(s, BEGIN + 60 * SECOND, id_a, "front");
	assert_string_equal(name_of(s, id_a), "front");
	assert_true(containers_container(s, id_a)->version > version);
	containers_state_free(s);
}

static void an_ended_container_keeps_its_name_while_it_is_shown(void **unused)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	struct containers_state *s = new_state();
	uint64_t t = BEGIN;

	(void)unused;
	see(s, t, id_a, 0, true);
	name(s, t, id_a, "web");
	for (; t < BEGIN + 120 * SECOND; t += 15 * SECOND) {
		see(s, t, id_a, 0, false);
		name(s, t, id_a, NULL);
		containers_tick(s, t, t);
		assert_string_equal(name_of(s, id_a), "web");
	}
	assert_int_equal(ask(s, t, q), 0); /* nobody is there to have another name */
	containers_tick(s, t + 60 * SECOND, t);
	assert_null(name_of(s, id_a));
	assert_null(s->all);
	containers_state_free(s);
}

static void users_are_asked_for_apart_and_after_the_system(void **unused)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	struct containers_state *s = new_state();

	(void)unused;
	see(s, BEGIN, id_a, 1000, true);
	see(s, BEGIN + 1, id_b, 0, true);
	assert_int_equal(ask(s, BEGIN + SECOND, q), 1);
	assert_string_equal(q[0].id, id_b);
	assert_int_equal(ask(s, BEGIN + SECOND + CONTAINERS_PERIOD_NS, q), 1);
	assert_string_equal(q[0].id, id_a);
	assert_int_equal(q[0].uid, 1000);
	containers_state_free(s);
}

static void a_user_who_makes_answers_slow_is_asked_for_seldom(void **unused)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	struct containers_state *s = new_state();
	uint64_t t = BEGIN;

	(void)unused;
	see(s, t, id_a, 1000, true);
	assert_int_equal(ask(s, t, q), 1);
	t += SECOND; /* took a second */
	name(s, t, id_a, NULL);
	see(s, t, id_b, 1001, true);
	assert_int_equal(ask(s, t + 8 * SECOND, q), 0);
	assert_int_equal(ask(s, t + 9 * SECOND, q), 1);
	t += 10 * SECOND; /* and now no answer at all */
	assert_int_equal(ask(s, t, q), 0);
	see(s, t, "of-the-system", 0, true);
	assert_int_equal(ask(s, t, q), 1);
	assert_string_equal(q[0].id, "of-the-system");
	name(s, t, "of-the-system", "x");
	assert_int_equal(ask(s, t + 27 * SECOND, q), 0);
	assert_int_equal(ask(s, t + 28 * SECOND + SECOND / 2, q), 0);
	assert_int_equal(ask(s, t + 29 * SECOND, q), 1);
	containers_state_free(s);
}

static void many_are_asked_for_in_pieces(void **unused)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	struct containers_state *s = new_state();
	uint64_t t = BEGIN;
	size_t n = 0;
	char id[CONTAINERS_ID];

	(void)unused;
	for (unsigned i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "%064x", i);
		see(s, t, id, 0, true);
	}
	for (unsigned i = 0; i < 300 / CONTAINERS_QUESTIONS_MAX + 1; i++, t += CONTAINERS_PERIOD_NS) {
		size_t now = ask(s, t, q);

		for (size_t k = 0; k < now; k++)
			name(s, t, q[k].id, "some");
		n += now;
	}
	assert_int_equal(n, 300);
	containers_state_free(s);
}

static void new_ones_come_before_those_that_nobody_could_name(void **unused)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	struct containers_state *s = new_state();
	char id[CONTAINERS_ID];

	(void)unused;
	for (unsigned i = 0; i < 2 * CONTAINERS_QUESTIONS_MAX; i++) {
		snprintf(id, sizeof(id), "%064x", i);
		see(s, BEGIN, id, 0, true);
	}
	assert_int_equal(ask(s, BEGIN, q), CONTAINERS_QUESTIONS_MAX);
	assert_int_equal(ask(s, BEGIN + SECOND / 4, q), CONTAINERS_QUESTIONS_MAX);
	see(s, BEGIN + SECOND, id_b, 0, true);
	assert_int_equal(ask(s, BEGIN + SECOND, q), CONTAINERS_QUESTIONS_MAX);
	assert_string_equal(q[0].id, id_b);
	containers_state_free(s);
}

static void what_has_ended_is_asked_for_once_and_no_more(void **unused)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	struct containers_state *s = new_state();

	(void)unused;
	see(s, BEGIN, id_a, 0, true);
	see(s, BEGIN + 1, id_a, 0, false); /* before anybody could be asked */
	see(s, BEGIN, id_b, 0, true);
	see(s, BEGIN + 1, id_b, 0, false);
	see(s, BEGIN + 1, id_b, 0, true); /* another of its processes */
	assert_int_equal(ask(s, BEGIN + 2, q), 2);
	assert_int_equal(ask(s, BEGIN + SECOND / 2, q), 1);
	assert_string_equal(q[0].id, id_b);
	see(s, BEGIN + SECOND, id_a, 0, true);
	see(s, BEGIN + SECOND, id_b, 0, false);
	assert_int_equal(ask(s, BEGIN + 2 * SECOND, q), 1);
	assert_string_equal(q[0].id, id_a);
	containers_state_free(s);
}

static size_t used(void)
{
	malloc_trim(0);
	return mallinfo2().uordblks;
}

static void live_and_die(struct containers_state *s, unsigned from, unsigned n, uint64_t *t)
{
	struct containers_question q[CONTAINERS_QUESTIONS_MAX];
	char id[CONTAINERS_ID];

	for (unsigned i = from; i < from + n; i++, *t += SECOND / 100) {
		snprintf(id, sizeof(id), "%064x", i);
		see(s, *t, id, 0, true);
		for (size_t k = ask(s, *t, q); k--;)
			name(s, *t, q[k].id, "a container with a name");
		containers_tick(s, *t, *t);
	}
}

static void ten_thousand_leave_nothing(void **unused)
{
	struct containers_state *s = new_state();
	uint64_t t = BEGIN;
	size_t before, most = 0;

	(void)unused;
	live_and_die(s, 0, 100, &t);
	containers_tick(s, t + 60 * SECOND, t);
	t += 60 * SECOND;
	before = used();
	for (unsigned i = 0; i < 10; i++) {
		live_and_die(s, 1000 * (i + 1), 1000, &t);
		most = HASH_COUNT(s->all) > most ? HASH_COUNT(s->all) : most;
	}
	assert_in_range(most, 1000, 5000); /* those of the last 45 s */
	containers_tick(s, t + 60 * SECOND, t);
	assert_null(s->all);
	assert_true(used() <= before + 4096);
	containers_state_free(s);
}

static void there_is_an_end_to_how_many_are_known(void **unused)
{
	struct containers_state *s = new_state();
	char id[CONTAINERS_ID];

	(void)unused;
	for (unsigned i = 0; i < CONTAINERS_MAX + 100; i++) {
		snprintf(id, sizeof(id), "%064x", i);
		see(s, BEGIN, id, 0, true);
	}
	assert_int_equal(HASH_COUNT(s->all), CONTAINERS_MAX);
	containers_state_free(s);
}

static void records_that_are_none_are_refused(void **unused)
{
	struct containers_name good = { .runtime = CONTAINERS_DOCKER, .name = "web" }, e, got;

	(void)unused;
	memcpy(good.id, id_a, sizeof(id_a));
	assert_int_equal(containers_decode(CONTAINERS_RECORD_NAME, &good, sizeof(good), &got), 0);
	assert_memory_equal(&good, &got, sizeof(good));
	assert_int_equal(containers_decode(CONTAINERS_RECORD_NAME, &good, sizeof(good) - 1, &got), -EBADMSG);
	assert_int_equal(containers_decode(2, &good, sizeof(good), &got), -EBADMSG);
	e = good;
	e.runtime = _CONTAINERS_RUNTIME_MAX;
	assert_int_equal(containers_decode(CONTAINERS_RECORD_NAME, &e, sizeof(e), &got), -EBADMSG);
	e = good;
	memset(e.image, 'x', sizeof(e.image));
	assert_int_equal(containers_decode(CONTAINERS_RECORD_NAME, &e, sizeof(e), &got), -EBADMSG);
	e = good;
	memcpy(e.id, "../../etc", 10);
	assert_int_equal(containers_decode(CONTAINERS_RECORD_NAME, &e, sizeof(e), &got), -EBADMSG);
}

static void only_ids_may_become_paths(void **unused)
{
	(void)unused;
	assert_true(containers_id_valid(id_a));
	assert_true(containers_id_valid("my-machine_1.2"));
	assert_false(containers_id_valid(""));
	assert_false(containers_id_valid(".."));
	assert_false(containers_id_valid(".hidden"));
	assert_false(containers_id_valid("a/b"));
	assert_false(containers_id_valid("a b"));
	assert_false(containers_id_valid("-a"));
	assert_false(containers_id_valid("\xc3\xa9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_is_asked_for_once_and_named),
		cmocka_unit_test(what_nobody_knows_yet_is_asked_again_less_and_less),
		cmocka_unit_test(a_new_name_is_seen_within_half_a_minute),
		cmocka_unit_test(an_ended_container_keeps_its_name_while_it_is_shown),
		cmocka_unit_test(users_are_asked_for_apart_and_after_the_system),
		cmocka_unit_test(a_user_who_makes_answers_slow_is_asked_for_seldom),
		cmocka_unit_test(many_are_asked_for_in_pieces),
		cmocka_unit_test(new_ones_come_before_those_that_nobody_could_name),
		cmocka_unit_test(what_has_ended_is_asked_for_once_and_no_more),
		cmocka_unit_test(ten_thousand_leave_nothing),
		cmocka_unit_test(there_is_an_end_to_how_many_are_known),
		cmocka_unit_test(records_that_are_none_are_refused),
		cmocka_unit_test(only_ids_may_become_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
