// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "store/subjects.h"

/* Who is who, and who leaves when there is no room. */

static const uint8_t key[STORE_HASH_KEY] = { 1, 2, 3 };

static void units_that_pass_are_told_from_those_that_stay(void **unused)
{
	static const struct {
		const char *unit;
		bool passes;
	} units[] = {
		{ NULL, false },
		{ "", false },
		{ ".scope", false },
		{ "nginx.service", false },
		{ "init.scope", false },
		{ "user@1000.service", false },
		{ "machine-web.scope", false },
		{ "backup.scope", false },
		{ "session-3.scope", true },
		{ "session-c12.scope", true },
		{ "session-manager.service", false },
		{ "run-u12.service", true },
		{ "run-u12.scope", true },
		{ "run-4711.scope", true },
		{ "run-4711.service", true },
		{ "run-p4711-i4712.service", true },
		{ "run-r8ec5adf3b0f34c2ea0a0ae4fcb8ba7c1.service", true },
		{ "run-r8ec5adf3b0f34c2ea0a0ae4fcb8ba7c1.scope", true },
		{ "run-backup.service", false },
		{ "run-reports.service", false },
		{ "run-updates.service", false },
		{ "run-.service", false },
		{ "app-gnome-firefox-4711.scope", true },
		{ "app-org.kde.konsole@9d4f1c.service", true },
		{ "app-org.kde.kalendarac@autostart.service", false },
		{ "app-server.service", false },
		{ "vte-spawn-0a1b2c3d-0000-4000-8000-0123456789ab.scope", true },
		{ "docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope", true },
		{ "cri-containerd-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope", true },
		{ "libpod-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope", true },
		{ "docker.service", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (store_unit_passes(units[i].unit) != units[i].passes)
			fail_msg("%s", units[i].unit);
}

static bool same(const struct weir_history_program *a, const struct weir_history_program *b)
{
	uint64_t x[2], y[2];

	store_subject_hash_program(key, a, x);
	store_subject_hash_program(key, b, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

static void a_program_is_the_same_after_the_next_login(void **unused)
{
	struct weir_history_program a = { .comm = "curl", .exe = "/usr/bin/curl", .uid = 1000, .unit = "session-3.scope" }, b = a;

	(void)unused;
	b.unit = "session-4.scope";
	assert_true(same(&a, &b));
	b.unit = "cron.service";
	assert_false(same(&a, &b));
	/* Containers: by name where there is one, and by pod. */
	a.unit = b.unit = NULL;
	a.container_id = "0123";
	b.container_id = "4567";
	assert_false(same(&a, &b));
	a.container_name = b.container_name = "web";
	assert_true(same(&a, &b));
	b.pod_name = "web-1";
	assert_false(same(&a, &b));
	b.pod_name = NULL;
	b.uid = 0;
	assert_false(same(&a, &b));
}

static uint64_t see(struct store_subjects *s, uint32_t now, uint32_t uid, unsigned number, const char *unit, bool *ret_new)
{
	char comm[32];
	const struct weir_history_sample t = { .program = { .comm = comm, .uid = uid, .unit = unit } };
	uint64_t id, program;

	snprintf(comm, sizeof(comm), "p%u", number);
	store_subjects_of(s, &t, now, &id, &program, ret_new);
	return id;
}

static void what_is_told_last_is_kept(void **unused)
{
	struct store_subjects s;
	bool is_new;
	uint64_t id;

	(void)unused;
	store_subjects_init(&s, key);
	store_subjects_second(&s);
	id = see(&s, 1000, 1, 1, "session-3.scope", &is_new);
	assert_true(is_new);
	store_subjects_saved(&s);
	/* Two sessions at once are no reason to write each second. */
	for (unsigned i = 0; i < 50; i++) {
		store_subjects_second(&s);
		assert_int_equal(see(&s, 1001 + i, 1, 1, i % 2 ? "session-3.scope" : "session-4.scope", &is_new), id);
		assert_false(is_new);
		assert_int_equal(s.unsaved.len, 0);
	}
	for (unsigned i = 0; i < 20; i++)
		store_subjects_second(&s);
	see(&s, 1100, 1, 1, "session-5.scope", &is_new);
	assert_true(memmem(s.unsaved.data, s.unsaved.len, "session-5", 9) != NULL);
	store_subjects_done(&s);
}

/* One user fills everything, for an hour. */
static void nobody_makes_others_nameless(void **unused)
{
	struct store_subjects s;
	uint64_t ids[100];
	bool is_new;
	unsigned n = 0;

	(void)unused;
	store_subjects_init(&s, key);
	store_subjects_second(&s);
	for (unsigned i = 0; i < 100; i++) {
		ids[i] = see(&s, 1000, 7, i, NULL, &is_new);
		assert_true(ids[i] >= STORE_ID_FIRST);
	}
	for (uint32_t now = 1001; now < 1101; now++) {
		store_subjects_second(&s);
		for (unsigned i = 0; i < 2500; i++)
			see(&s, now, 1000, n++, NULL, &is_new);
		store_subjects_saved(&s);
		/* There is room for who comes after him. */
		assert_true(see(&s, now, 8, now, NULL, &is_new) >= STORE_ID_FIRST);
		assert_true(is_new);
	}
	for (unsigned i = 0; i < 100; i++)
		assert_non_null(store_subjects_by_id(&s, ids[i]));
	store_subjects_done(&s);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fill(struct store_subjects *s, uint32_t now)
{
	for (unsigned n = 0; s->n_kind[WEIR_HISTORY_PROGRAM] < s->max_kind[WEIR_HISTORY_PROGRAM];) {
		bool is_new;

		store_subjects_second(s);
		for (unsigned i = 0; i < 1000; i++)
			see(s, now, 1, n++, NULL, &is_new);
		store_subjects_saved(s);
	}
}

static void a_full_table_after_the_clock_was_set_back(void **unused)
{
	struct store_subjects s;
	bool is_new;
	double before;

	(void)unused;
	store_subjects_init(&s, key);
	fill(&s, 100000);
	/* An hour back: those that were seen before leave all the same. */
	store_subjects_second(&s);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(see(&s, 96400, 1, 1000000 + i, NULL, &is_new) >= STORE_ID_FIRST);
	store_subjects_saved(&s);
	/* All are seen in this second: nobody can leave, and that is found out once. */
	fill(&s, 96401);
	store_subjects_second(&s);
	for (size_t i = 0; i < s.n; i++)
		s.list[i].round = s.round;
	before = cpu_seconds();
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(see(&s, 96402, 1, 2000000 + i, NULL, &is_new), WEIR_HISTORY_PROGRAM);
	assert_true(cpu_seconds() - before < 0.5);
	store_subjects_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_that_pass_are_told_from_those_that_stay),
		cmocka_unit_test(a_program_is_the_same_after_the_next_login),
		cmocka_unit_test(what_is_told_last_is_kept),
		cmocka_unit_test(nobody_makes_others_nameless),
		cmocka_unit_test(a_full_table_after_the_clock_was_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
