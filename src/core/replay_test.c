// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* cmocka.h wants the headers above first. */
#include <cmocka.h>

#include "core/recorder.h"
#include "core/recording.h"
#include "core/replay.h"

#define SECOND 1000000000ull

struct file {
	int fd;
	char path[64];
};

static struct file empty_file(void)
{
	struct file f = { .fd = memfd_create("recording", MFD_CLOEXEC) };

	assert_true(f.fd >= 0);
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

/* Ticks 1..n, a loss of 5 in front of the second. */
static struct file recording(unsigned ticks)
{
	struct file f = empty_file();
	struct weir_recorder *r;

	assert_int_equal(weir_recorder_new(dup(f.fd), "testhost", &r), 0);
	for (unsigned i = 1; i <= ticks; i++) {
		struct weir_record_tick t = { .real_ns = 100 * SECOND + i * SECOND };
		struct weir_record_lost l = { .total = 5 };

		if (i == 2)
			weir_recorder_put(r, WEIR_SOURCE_CORE, WEIR_RECORD_LOST, i * SECOND, &l, sizeof(l));
		weir_recorder_put(r, WEIR_SOURCE_CORE, WEIR_RECORD_TICK, i * SECOND, &t, sizeof(t));
	}
	assert_int_equal(weir_recorder_flush(r), 0);
	weir_recorder_free(r);
	return f;
}

static void test_each_tick_is_a_snapshot(void **state)
{
	struct file f = recording(3);
	struct weir_snapshot *s;
	struct weir_replay *r;
	char *error;

	(void)state;
	assert_int_equal(weir_replay_open(f.path, &r, &error), 0);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(weir_replay_next(r, &s, &error), 1);
		assert_int_equal(weir_snapshot_head(s)->number, i);
		assert_int_equal(weir_snapshot_head(s)->real_ns, (100 + i) * SECOND);
		assert_int_equal(weir_snapshot_head(s)->lost_events, i < 2 ? 0 : 5);
		assert_string_equal(weir_snapshot_head(s)->host, "testhost");
		weir_snapshot_unref(s);
	}
	assert_int_equal(weir_replay_next(r, &s, &error), 0);
	weir_replay_free(r);
	close(f.fd);
}

/* A writer that was killed leaves a file that stops anywhere. */
static void test_a_cut_file_ends_normally(void **state)
{
	struct file f = recording(3);
	off_t size = lseek(f.fd, 0, SEEK_END);

	(void)state;
	while (size > (off_t)sizeof(struct weir_recording_head)) {
		struct weir_snapshot *s;
		struct weir_replay *r;
		char *error;
		int n;

		assert_int_equal(ftruncate(f.fd, --size), 0);
		assert_int_equal(weir_replay_open(f.path, &r, &error), 0);
		while ((n = weir_replay_next(r, &s, &error)) > 0)
			weir_snapshot_unref(s);
		assert_int_equal(n, 0);
		weir_replay_free(r);
	}
	close(f.fd);
}

static void expect_refusal(const char *path, int want, const char *word)
{
	struct weir_replay *r;
	char *error = NULL;

	assert_int_equal(weir_replay_open(path, &r, &error), want);
	assert_non_null(error);
	assert_non_null(strstr(error, word));
	free(error);
}

static void test_what_is_no_recording_is_refused(void **state)
{
	struct weir_recording_head newer = { .magic = WEIR_RECORDING_MAGIC, .version = 99,
					     .head_size = sizeof(newer) };
	struct file f = empty_file();

	(void)state;
	expect_refusal("/nonexistent/file", -ENOENT, "cannot be read");
	expect_refusal(f.path, -EBADMSG, "not a recording");
	assert_int_equal(write(f.fd, "GIF89a and so on, no recording at all", 37), 37);
	expect_refusal(f.path, -EBADMSG, "not a recording");
	assert_int_equal(pwrite(f.fd, &newer, sizeof(newer), 0), sizeof(newer));
	expect_refusal(f.path, -EPROTONOSUPPORT, "newer");
	close(f.fd);
}

static void test_damage_is_told_with_its_place(void **state)
{
	struct file f = recording(3);
	struct weir_record_head bad = { .size = 0xffffffff };
	off_t at = (off_t)(sizeof(struct weir_recording_head) + sizeof(struct weir_record_head) + 8);
	struct weir_snapshot *s;
	struct weir_replay *r;
	char *error, place[32];

	(void)state;
	assert_int_equal(pwrite(f.fd, &bad, sizeof(bad), at), sizeof(bad));
	assert_int_equal(weir_replay_open(f.path, &r, &error), 0);
	assert_int_equal(weir_replay_next(r, &s, &error), 1); /* what came before stays */
	weir_snapshot_unref(s);
	assert_int_equal(weir_replay_next(r, &s, &error), -EBADMSG);
	snprintf(place, sizeof(place), "byte %lld", (long long)at);
	assert_non_null(strstr(error, place));
	free(error);
	weir_replay_free(r);
	close(f.fd);
}

static void test_a_full_disk_ends_the_recording_not_the_writer(void **state)
{
	struct weir_record_tick t = {};
	struct weir_recorder *r;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(full >= 0);
	assert_int_equal(weir_recorder_new(full, "testhost", &r), 0);
	assert_int_equal(weir_recorder_flush(r), -ENOSPC);
	for (int i = 0; i < 1000; i++)
		weir_recorder_put(r, WEIR_SOURCE_CORE, WEIR_RECORD_TICK, 1, &t, sizeof(t));
	assert_int_equal(weir_recorder_flush(r), -ENOSPC);
	weir_recorder_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_tick_is_a_snapshot),
		cmocka_unit_test(test_a_cut_file_ends_normally),
		cmocka_unit_test(test_what_is_no_recording_is_refused),
		cmocka_unit_test(test_damage_is_told_with_its_place),
		cmocka_unit_test(test_a_full_disk_ends_the_recording_not_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
