// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* What a history file has to survive: the end at any moment, bytes that are not what was written,
 * no room. */

static uint64_t random_state = 88172645463325252ull;

static uint64_t next_random(void)
{
	return fixture_random(&random_state);
}

static void a_minute(struct weir_store *s, uint64_t from, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		struct weir_history_sink *sink = weir_store_begin(s, (from + i) * FIXTURE_NS);
		struct weir_history_event event = { .kind = WEIR_HISTORY_FINDING,
						    .uid = 0,
						    .summary = "something is slow" };

		for (unsigned k = 0; k < 20; k++) {
			char comm[16], name[32];
			struct weir_history_sample t = { .program = { .comm = comm, .uid = k },
							 .tx_bytes = 1000 + k };

			snprintf(comm, sizeof(comm), "p%u", (unsigned)(next_random() % 100));
			sink->sample(sink, &t);
			snprintf(name, sizeof(name), "peer%u", (unsigned)(next_random() % 5));
			t.kind = WEIR_HISTORY_PEER;
			t.peer_name = name;
			sink->sample(sink, &t);
		}
		if (i % 10 == 0)
			sink->event(sink, &event);
		weir_store_carry_put(s, "traffic", 1, "key", 3, &i, sizeof(i));
		assert_int_equal(weir_store_commit(s), 0);
	}
}

/* --- SIGKILL --------------------------------------------------------------------------------- */

/* Writes 10 bytes each second, as fast as it can, and says each second that was committed. */
static void write_until_killed(const char *folder, uint64_t time, int said)
{
	struct weir_store *s = fixture_open(folder, time, 0);

	for (;; time++) {
		fixture_second(s, time, "writer", 1, 10, 0);
		if (write(said, &time, sizeof(time)) != sizeof(time))
			_exit(1);
	}
}

static uint64_t run_and_kill(const char *folder, uint64_t time)
{
	struct timespec pause = { .tv_nsec = (long)(next_random() % 12000000) };
	uint64_t last = time - 1, one;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[0]);
		alarm(20);
		write_until_killed(folder, time, fds[1]);
	}
	close(fds[1]);
	/* Sometimes while it opens the file, mostly in the midst of seconds. */
	if (next_random() % 4 && read(fds[0], &one, sizeof(one)) == sizeof(one))
		last = one;
	nanosleep(&pause, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (read(fds[0], &one, sizeof(one)) == sizeof(one))
		last = one;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(fds[0]);
	return last;
}

static void a_kill_loses_at_most_the_last_second(void **unused)
{
	uint64_t time = FIXTURE_START, seconds = 0, tx;
	char folder[64];
	struct weir_store *s;

	(void)unused;
	fixture_folder(folder);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t last = run_and_kill(folder, time);

		seconds += last + 1 - time;
		s = fixture_open(folder, last + 2, 0);
		tx = fixture_sum(s, "history_rates", FIXTURE_START, last + 3,
				 HISTORY_RATES_TX_BYTES, 0, NULL);
		/* What was said to be committed is there; the second that was being told may be. */
		assert_true(tx == 10 * seconds || tx == 10 * (seconds + 1));
		seconds = tx / 10;
		if (i % 10 == 0)
			assert_int_equal(fixture_sum(s, "history_days", FIXTURE_START, last + 3,
						     HISTORY_USE_TX_BYTES, 0, NULL),
					 tx);
		weir_store_close(s);
		time = last + 10;
	}
	assert_int_equal(fixture_files(folder, WEIR_STORE_FILE "."), 0);
	fixture_remove(folder);
}

static void an_end_is_told_from_a_kill(void **unused)
{
	char folder[64];
	struct weir_store *s;

	(void)unused;
	fixture_folder(folder);
	s = fixture_open(folder, FIXTURE_START, 0);
	a_minute(s, FIXTURE_START, 3);
	assert_int_equal(weir_store_end(s, (FIXTURE_START + 3) * FIXTURE_NS), 0);
	weir_store_close(s);
	s = fixture_open(folder, FIXTURE_START + 10, 0);
	assert_int_equal(fixture_events(s, "killed"), 0);
	assert_int_equal(fixture_events(s, "stopped"), 1);
	assert_int_equal(fixture_events(s, "started"), 2);
	fixture_second(s, FIXTURE_START + 11, "a", 1, 1, 1);
	weir_store_close(s);
	s = fixture_open(folder, FIXTURE_START + 20, 0);
	assert_int_equal(fixture_events(s, "killed"), 1);
	weir_store_close(s);
	fixture_remove(folder);
}

/* --- bytes that are not what was written ----------------------------------------------------- */

static void flip(const char *folder, const char *name)
{
	char path[512];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	assert_int_equal(fstat(fd, &st), 0);
	for (unsigned n = 1 + next_random() % 8; st.st_size && n; n--) {
		/* As often in the first pages, which hold all together, as anywhere. */
		uint64_t room =
			next_random() % 2 && st.st_size > 8192 ? 8192 : (uint64_t)st.st_size;
		off_t at = (off_t)(next_random() % room);
		uint8_t byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= (uint8_t)(1 + next_random() % 255);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	if (next_random() % 10 == 0)
		assert_int_equal(ftruncate(fd, (off_t)(next_random() % (uint64_t)(st.st_size + 1))),
				 0);
	close(fd);
}

static void copy_file(const char *from, const char *to, const char *name)
{
	char path[512], bytes[65536];
	ssize_t n;
	int in, out;

	snprintf(path, sizeof(path), "%s/%s", from, name);
	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", to, name);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	close(in);
	close(out);
}

static void ask_everything(struct weir_store *s, uint64_t to)
{
	static const char *const tables[] = {
		"history",	  "history_rates",   "history_peers",
		"history_losses", "history_days",    "history_months",
		"history_events", "history_changes", "history_store"
	};
	struct weir_history_span span;
	struct weir_snapshot *snapshot;
	struct weir_rows rows;

	for (unsigned i = 0; i < 9; i++) {
		struct weir_history_question q = fixture_question(tables[i], FIXTURE_START, to);
		int r = fixture_try(s, &q, &snapshot, &rows, &span);

		/* Pages that point at each other may be read in circles, which the deadline ends. */
		if (r != -EIO && r != -ETIMEDOUT)
			assert_int_equal(r, 0);
		if (r == 0)
			weir_snapshot_unref(snapshot);
	}
}

static void no_carry(void *ctx, const char *feature, uint16_t type, const void *key, size_t key_len,
		     const void *bytes, size_t len)
{
	(void)ctx;
	(void)feature;
	(void)type;
	(void)key;
	(void)key_len;
	(void)bytes;
	(void)len;
}

static void flipped_bytes_never_stop_it(void **unused)
{
	char whole[64], folder[64];
	struct weir_store *s;
	struct timespec a, b;
	pid_t pid;
	int status;

	(void)unused;
	fixture_folder(whole);
	/* As a killed process leaves it: with a -wal that is not taken over. */
	pid = fork();
	if (!pid) {
		s = fixture_open(whole, FIXTURE_START, 0);
		a_minute(s, FIXTURE_START, 70);
		a_minute(s, FIXTURE_START + 600, 40);
		weir_store_flush(s);
		a_minute(s, FIXTURE_START + 640, 20);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned i = 0; i < 200; i++) {
		fixture_folder(folder);
		copy_file(whole, folder, WEIR_STORE_FILE);
		copy_file(whole, folder, WEIR_STORE_FILE "-wal");
		flip(folder, i % 3 ? WEIR_STORE_FILE : WEIR_STORE_FILE "-wal");
		s = fixture_open(folder, FIXTURE_START + 730, 0);
		ask_everything(s, FIXTURE_START + 800);
		a_minute(s, FIXTURE_START + 731, 12);
		weir_store_carry_get(s, NULL, no_carry, NULL);
		ask_everything(s, FIXTURE_START + 800);
		/* Whatever was there: new seconds are kept. */
		assert_true(fixture_sum(s, "history_rates", FIXTURE_START + 731,
					FIXTURE_START + 743, HISTORY_RATES_TX_BYTES, 0,
					NULL) >= 20 * 1000);
		weir_store_close(s);
		fixture_remove(folder);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(b.tv_sec - a.tv_sec < 120); /* no round hangs */
	fixture_remove(whole);
}

static void write_text(const char *folder, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" WEIR_STORE_FILE, folder);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void two_damaged_files_are_kept(void **unused)
{
	char folder[64], text[8192];
	struct weir_store *s;

	(void)unused;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fixture_folder(folder);
	for (unsigned i = 0; i < 4; i++) {
		write_text(folder, text);
		s = fixture_open(folder, FIXTURE_START + i, 0);
		assert_int_equal(fixture_events(s, "damaged"), 1);
		fixture_second(s, FIXTURE_START + i + 1, "a", 1, 5, 0);
		assert_int_equal(fixture_sum(s, "history", FIXTURE_START, FIXTURE_START + 100,
					     HISTORY_TX_BYTES, 0, NULL),
				 5);
		weir_store_close(s);
	}
	assert_int_equal(fixture_files(folder, WEIR_STORE_FILE ".damaged-"), 2);
	fixture_remove(folder);
}

/* --- no room --------------------------------------------------------------------------------- */

/* Fills until it is refused, goes on, and gets room again. */
static void fill_and_free(const char *folder, void (*give_room)(void))
{
	struct weir_store *s = fixture_open(folder, FIXTURE_START, 64 << 20);
	struct weir_store_status status;
	uint64_t seconds = 0, time = FIXTURE_START, began;

	do {
		a_minute(s, ++time, 1);
		seconds++;
		weir_store_status(s, &status);
	} while (!status.reason && seconds < 20000);
	assert_non_null(status.reason);
	for (began = seconds; seconds < began + 100; seconds++)
		a_minute(s, ++time, 1);
	weir_store_status(s, &status);
	assert_non_null(status.reason);
	assert_true(status.waiting_seconds > 0);
	give_room();
	assert_int_equal(weir_store_flush(s), 0);
	weir_store_status(s, &status);
	assert_null(status.reason);
	assert_int_equal(status.waiting_seconds, 0);
	assert_true(status.lost_seconds > 0);
	/* Not a byte is missing. */
	assert_int_equal(fixture_sum(s, "history_rates", FIXTURE_START, time + 1,
				     HISTORY_RATES_TX_BYTES, 0, NULL),
			 seconds * (20 * 1000 + 190));
	assert_true(fixture_events(s, "disk") >= 1);
	weir_store_close(s);
}

static void give_limit(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_file_that_may_not_grow_costs_no_byte(void **unused)
{
	struct rlimit limit;
	char folder[64];

	(void)unused;
	fixture_folder(folder);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 600 << 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	fill_and_free(folder, give_limit);
	fixture_remove(folder);
}

static char mounted[64];

static void give_space(void)
{
	assert_int_equal(mount("weir-test", mounted, "tmpfs", MS_REMOUNT, "size=64m"), 0);
}

static void a_full_disk_costs_no_byte(void **unused)
{
	(void)unused;
	fixture_folder(mounted);
	if (mount("weir-test", mounted, "tmpfs", 0, "size=1m") < 0) {
		rmdir(mounted);
		print_message("mounting a file system needs root\n");
		skip();
	}
	fill_and_free(mounted, give_space);
	assert_int_equal(umount2(mounted, MNT_DETACH), 0);
	rmdir(mounted);
}

static void a_folder_that_cannot_be_written_is_no_end(void **unused)
{
	struct weir_store_status status;
	struct weir_store *s;
	char folder[64], path[128];

	(void)unused;
	fixture_folder(folder);
	snprintf(path, sizeof(path), "%s/later", folder);
	s = fixture_open(path, FIXTURE_START, 0);
	a_minute(s, FIXTURE_START, 3);
	weir_store_status(s, &status);
	assert_non_null(status.reason);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(weir_store_flush(s), 0);
	weir_store_status(s, &status);
	assert_null(status.reason);
	/* The sums of before the file are nobody's any more, but they are there. */
	assert_int_equal(fixture_sum(s, "history", FIXTURE_START, FIXTURE_START + 10,
				     HISTORY_TX_BYTES, 0, NULL),
			 3 * (20 * 1000 + 190));
	weir_store_close(s);
	fixture_remove(path);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_is_told_from_a_kill),
		cmocka_unit_test(a_kill_loses_at_most_the_last_second),
		cmocka_unit_test(flipped_bytes_never_stop_it),
		cmocka_unit_test(two_damaged_files_are_kept),
		cmocka_unit_test(a_full_disk_costs_no_byte),
		cmocka_unit_test(a_folder_that_cannot_be_written_is_no_end),
		cmocka_unit_test(a_file_that_may_not_grow_costs_no_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
