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

struct outcome {
	unsigned snapshots;
	uint64_t last_ns;
	int end; /* 0 or the error */
	char error[256];
};

static struct outcome play(const char *path)
{
	struct outcome o = {};
	struct weir_snapshot *s;
	struct weir_replay *r;
	char *error;

	assert_int_equal(weir_replay_open(path, &r, &error), 0);
	while ((o.end = weir_replay_next(r, &s, &error)) > 0) {
		o.snapshots++;
		o.last_ns = weir_snapshot_head(s)->real_ns;
		weir_snapshot_unref(s);
	}
	if (o.end < 0) {
		assert_non_null(error);
		snprintf(o.error, sizeof(o.error), "%s", error);
		assert_null(strchr(o.error, '\n'));
		free(error);
		/* It does not get better by asking again. */
		assert_int_equal(weir_replay_next(r, &s, &error), o.end);
		assert_string_equal(error, o.error);
		free(error);
	}
	weir_replay_free(r);
	return o;
}

/* A writer that was killed leaves a file that stops anywhere: what is whole is shown, then where it stops. */
static void test_a_cut_file_says_so(void **state)
{
	struct file f = recording(3);
	off_t size = lseek(f.fd, 0, SEEK_END);
	const off_t blocks = size - (off_t)(sizeof(struct weir_recording_head) + sizeof(struct weir_recording_block));
	char place[64];

	(void)state;
	assert_int_equal(play(f.path).end, 0);
	while (size > (off_t)sizeof(struct weir_recording_head)) {
		struct outcome o;

		assert_int_equal(ftruncate(f.fd, --size), 0);
		o = play(f.path);
		assert_int_equal(o.end, -EBADMSG);
		assert_int_equal(o.snapshots, size - (off_t)sizeof(struct weir_recording_head) >= blocks ? 3 : 0);
		snprintf(place, sizeof(place), "cut at byte %lld:", (long long)size);
		assert_non_null(strstr(o.error, place));
	}
	close(f.fd);
}

/* As a process that was killed left it: without an end mark, the last second not written. */
static void test_each_tick_that_was_written_is_there(void **state)
{
	struct weir_record_tick t = { .real_ns = 100 * SECOND };
	struct file f = empty_file();
	struct weir_recorder *r;
	struct outcome o;

	(void)state;
	assert_int_equal(weir_recorder_new(dup(f.fd), "testhost", &r), 0);
	for (unsigned i = 1; i <= 4; i++) {
		t.real_ns += SECOND;
		weir_recorder_put(r, WEIR_SOURCE_CORE, WEIR_RECORD_TICK, i * SECOND, &t, sizeof(t));
		assert_int_equal(i == 4 ? 0 : weir_recorder_flush(r), 0);
	}
	o = play(f.path);
	assert_int_equal(o.snapshots, 3);
	assert_int_equal(o.last_ns, 103 * SECOND);
	assert_int_equal(o.end, -EBADMSG);
	weir_recorder_free(r);
	o = play(f.path);
	assert_int_equal(o.snapshots, 4);
	assert_int_equal(o.end, 0);
	close(f.fd);
}

static void test_a_second_writer_leaves_the_file_alone(void **state)
{
	struct file f = recording(2);
	struct weir_record_tick t = {};
	struct weir_recorder *r;
	off_t size;

	(void)state;
	size = lseek(f.fd, 0, SEEK_END);
	assert_int_equal(weir_recorder_new(dup(f.fd), "testhost", &r), 0);
	weir_recorder_put(r, WEIR_SOURCE_CORE, WEIR_RECORD_TICK, SECOND, &t, sizeof(t));
	assert_int_equal(weir_recorder_flush(r), -EOWNERDEAD);
	weir_recorder_free(r);
	assert_int_equal(lseek(f.fd, 0, SEEK_END), size);
	close(f.fd);
}

/* The version before blocks. */
static void test_version_1_is_read(void **state)
{
	struct weir_recording_head head = { .magic = WEIR_RECORDING_MAGIC, .version = 1, .head_size = sizeof(head),
					    .host = "old" };
	struct weir_record_head tick = { .size = sizeof(struct weir_record_tick), .type = WEIR_RECORD_TICK };
	struct file f = empty_file();
	struct outcome o;

	(void)state;
	assert_int_equal(write(f.fd, &head, sizeof(head)), sizeof(head));
	for (uint64_t i = 1; i <= 3; i++) {
		struct weir_record_tick t = { .real_ns = i * SECOND };

		tick.mono_ns = i * SECOND;
		assert_int_equal(write(f.fd, &tick, sizeof(tick)), sizeof(tick));
		assert_int_equal(write(f.fd, &t, sizeof(t)), sizeof(t));
	}
	o = play(f.path);
	assert_int_equal(o.snapshots, 3);
	assert_int_equal(o.end, 0);
	assert_int_equal(ftruncate(f.fd, lseek(f.fd, 0, SEEK_END) - 1), 0);
	o = play(f.path);
	assert_int_equal(o.snapshots, 2);
	assert_int_equal(o.end, -EBADMSG);
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

/* Each byte of the file stands for something: changed, it is found out, and nothing of its block is used. */
static void test_a_changed_byte_is_found(void **state)
{
	struct file f = recording(3);
	off_t size = lseek(f.fd, 0, SEEK_END);

	(void)state;
	for (off_t at = 16; at < size; at++) {
		struct outcome o;
		char was, bad;

		assert_int_equal(pread(f.fd, &was, 1, at), 1);
		bad = (char)(was ^ 0x10);
		assert_int_equal(pwrite(f.fd, &bad, 1, at), 1);
		o = play(f.path);
		assert_int_equal(o.end, -EBADMSG);
		assert_non_null(strstr(o.error, " at byte "));
		assert_int_equal(o.snapshots, at < size - (off_t)sizeof(struct weir_recording_block) ? 0 : 3);
		assert_int_equal(pwrite(f.fd, &was, 1, at), 1);
	}
	close(f.fd);
}

/* Blocks of one tick each, of which one is doubled or left out. */
static void test_blocks_that_are_not_in_order(void **state)
{
	enum { TICKS = 4, HEAD = sizeof(struct weir_recording_head),
	       BLOCK = sizeof(struct weir_recording_block) + sizeof(struct weir_record_head) + 8 };
	char whole[HEAD + TICKS * BLOCK + sizeof(struct weir_recording_block)];

	(void)state;
	for (int left_out = 0; left_out < 2; left_out++) {
		struct file f = empty_file();
		struct weir_recorder *r;
		struct outcome o;
		size_t from = HEAD + (left_out ? 2 : 1) * BLOCK, to = HEAD + (left_out ? 1 : 2) * BLOCK;

		assert_int_equal(weir_recorder_new(dup(f.fd), "testhost", &r), 0);
		for (unsigned i = 1; i <= TICKS; i++) {
			struct weir_record_tick t = { .real_ns = i * SECOND };

			weir_recorder_put(r, WEIR_SOURCE_CORE, WEIR_RECORD_TICK, i * SECOND, &t, sizeof(t));
			assert_int_equal(weir_recorder_flush(r), 0);
		}
		weir_recorder_free(r);
		assert_int_equal(pread(f.fd, whole, sizeof(whole), 0), sizeof(whole));
		assert_int_equal(pwrite(f.fd, whole + from, sizeof(whole) - from, (off_t)to), sizeof(whole) - from);
		if (left_out)
			assert_int_equal(ftruncate(f.fd, (off_t)(sizeof(whole) - BLOCK)), 0);
		o = play(f.path);
		assert_int_equal(o.snapshots, left_out ? 1 : 2);
		assert_int_equal(o.end, -EBADMSG);
		assert_non_null(strstr(o.error, "damaged at byte"));
		close(f.fd);
	}
}

static void test_what_stands_behind_the_end_is_told(void **state)
{
	struct file f = recording(2);
	struct outcome o;

	(void)state;
	lseek(f.fd, 0, SEEK_END);
	assert_int_equal(write(f.fd, "x", 1), 1);
	o = play(f.path);
	assert_int_equal(o.snapshots, 2);
	assert_int_equal(o.end, -EBADMSG);
	assert_non_null(strstr(o.error, "behind the end"));
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
		cmocka_unit_test(test_a_cut_file_says_so),
		cmocka_unit_test(test_each_tick_that_was_written_is_there),
		cmocka_unit_test(test_a_second_writer_leaves_the_file_alone),
		cmocka_unit_test(test_version_1_is_read),
		cmocka_unit_test(test_what_is_no_recording_is_refused),
		cmocka_unit_test(test_a_changed_byte_is_found),
		cmocka_unit_test(test_blocks_that_are_not_in_order),
		cmocka_unit_test(test_what_stands_behind_the_end_is_told),
		cmocka_unit_test(test_a_full_disk_ends_the_recording_not_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
