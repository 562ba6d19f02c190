// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/units.h"
#include "core/replay.h"
#include "core/tables.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"
#include "frontends/cli/private_daemon.h"

/* The file's descriptor, or -1 after a line. It is readable by its owner alone: it says who talks
 * to whom. */
static int file_open(const char *path, bool force, int *ret_status)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (force ? 0 : O_EXCL);
	struct stat st;
	int fd = open(path, flags, 0600);

	if (fd < 0) {
		if (errno == EEXIST)
			*ret_status =
				cli_fail(CLI_FAILED,
					 "%s exists already: choose another name, or overwrite it "
					 "with --force",
					 path);
		else
			*ret_status =
				cli_fail(CLI_FAILED, "cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		*ret_status =
			cli_fail(CLI_FAILED, "cannot record to %s: it is not a regular file", path);
		close(fd);
		return -1;
	}
	return fd;
}

/* What the engine writes in one piece, at most. */
#define PIECE_BYTES (256 * 1024)
#define CHECK_NS 500000000

/* Whether the next piece will find room, by taking that room behind the file's end now. A file
 * system that cannot do that is taken at its word. */
static int check_room(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0 ||
	    fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, PIECE_BYTES) == 0 ||
	    (errno != ENOSPC && errno != EDQUOT && errno != EFBIG))
		return CLI_OK;
	return cli_fail(CLI_FAILED, "the recording ends here, there is no more room for %s: %s",
			path, strerror(errno));
}

/* Waits for the time, Ctrl-C, a full disk, or the daemon's own end. */
static int record_for(struct cli_private *daemon, double seconds, int fd, const char *path)
{
	uint64_t until = seconds < 0 ? UINT64_MAX : weir_mono_ns() + (uint64_t)(seconds * 1e9);

	for (;;) {
		uint64_t next = weir_mono_ns() + CHECK_NS;
		int r = check_room(fd, path);

		if (r != CLI_OK)
			return r;
		r = cli_wait(next < until ? next : until, cli_private_fd(daemon));
		if (r == -EINTR)
			return cli_interrupt_status();
		if (r < 0)
			return cli_fail_error(r, NULL);
		if (r == 1)
			return CLI_FAILED; /* it has said why */
		if (weir_mono_ns() >= until)
			return check_room(fd, path);
	}
}

static uint64_t rows_of(const struct weir_snapshot *s, const char *name)
{
	const struct weir_table *table = weir_table_find(name);
	struct weir_rows rows;

	return s && table && weir_snapshot_rows(s, table, &rows) == 0 ? rows.n : 0;
}

struct record_summary {
	uint64_t snapshots, first_ns, last_ns, processes, flows;
};

/* Reads the file back as a replay will: what is printed is what is in it. 0, or -errno with a line
 * perhaps. */
static int summarize(const char *path, struct record_summary *ret, char **ret_error)
{
	struct weir_replay *replay = NULL;
	struct weir_snapshot *s = NULL;
	int r;

	*ret = (struct record_summary){};
	r = weir_replay_open(path, &replay, ret_error);
	while (r >= 0 && (r = weir_replay_next(replay, &s, ret_error)) > 0) {
		const struct weir_snapshot_head *head = weir_snapshot_head(s);

		if (!ret->snapshots++)
			ret->first_ns = head->mono_ns;
		ret->last_ns = head->mono_ns;
		ret->processes = rows_of(s, "processes");
		ret->flows = rows_of(s, "flows");
		s = weir_snapshot_unref(s);
	}
	weir_replay_free(replay);
	return r;
}

/* failed: why it ended early has been said. */
static int print_summary(const char *path, uint64_t size, bool failed)
{
	char bytes[WEIR_UNITS_TEXT], span[WEIR_UNITS_TEXT];
	struct record_summary sum;
	struct weir_buf out = {};
	char *why = NULL;
	int r = summarize(path, &sum, &why);

	if (r < 0) {
		r = failed ? CLI_FAILED :
			     cli_fail(CLI_FAILED, "the recording %s cannot be read back: %s", path,
				      why ? why : strerror(-r));
		free(why);
		if (!sum.snapshots)
			return r;
	}
	failed = r != CLI_OK;
	weir_buf_printf(&out,
			"%s: %llu snapshots over %s, %llu processes, %llu flows, %s; weir replay "
			"%s shows it\n",
			path, (unsigned long long)sum.snapshots,
			weir_units_duration(sum.last_ns - sum.first_ns, span),
			(unsigned long long)sum.processes, (unsigned long long)sum.flows,
			weir_units_bytes(size, bytes), path);
	r = cli_output(&out, NULL);
	weir_buf_done(&out);
	return failed ? CLI_FAILED : r;
}

static int record_to(const struct cli_command *c, int fd)
{
	struct weir_daemon_options o = {
		.listen = "none",
		.pins = WEIR_DEFAULT_PINS,
		.hooks = c->value[CLI_OPTION_HOOKS],
		.without = c->value[CLI_OPTION_WITHOUT],
		.must_watch = true,
		.ready_fd = -1,
		.record_fd = fd,
		.private_use = true,
		.no_history = true, /* nobody asks this daemon for anything */
	};
	_cleanup_(cli_private_freep) struct cli_private *daemon = NULL;
	const char *path = c->words[0];
	struct stat st = {};
	int r, ended;

	r = cli_private_start(&o, &daemon);
	if (r != CLI_OK)
		return r;
	r = record_for(daemon, cli_value_seconds(c, CLI_OPTION_SECONDS, -1), fd, path);
	ended = cli_private_stop(daemon);
	if (r == CLI_OK && ended != CLI_OK)
		r = CLI_FAILED;
	/* Gives back the room behind the end. */
	if (fstat(fd, &st) < 0 || ftruncate(fd, st.st_size) < 0)
		return cli_fail(CLI_FAILED, "cannot look at %s: %s", path, strerror(errno));
	ended = print_summary(path, (uint64_t)st.st_size, r != CLI_OK);
	return r != CLI_OK ? r : ended;
}

int cli_record_run(const struct cli_command *c)
{
	const char *path = c->words[0];
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = CLI_FAILED;

	if (!cli_may_load() && geteuid() != 0)
		return cli_fail(
			CLI_IMPOSSIBLE,
			"recording watches the kernel, which needs root: run sudo weir record %s",
			path);
	fd = file_open(path, CLI_GIVEN(c, FORCE), &r);
	if (fd < 0)
		return r;
	if (ftruncate(fd, 0) < 0)
		return cli_fail(CLI_FAILED, "cannot empty %s: %s", path, strerror(errno));
	r = record_to(c, fd);
	/* Nothing half done: a file in which nothing stands goes again. */
	if (r != CLI_OK && fstat(fd, &st) == 0 && st.st_size == 0)
		(void)unlink(path);
	return r;
}
