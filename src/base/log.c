// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/text.h"

static const char *log_role;
static enum weir_log_level log_own = WEIR_LOG_INFO;
static enum weir_log_level *log_most = &log_own;
static bool log_priorities;

/* $JOURNAL_STREAM names the device and inode that systemd reads; it is inherited even where standard error has
 * been turned elsewhere since, so the two are compared. */
static bool log_journal_reads_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2)
		return false;
	if (fstat(STDERR_FILENO, &st) < 0)
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

void weir_log_init(const char *role)
{
	weir_text_init(); /* while files can be opened */
	log_role = role;
	log_priorities = log_journal_reads_stderr();
}

void weir_log_set_level(enum weir_log_level most)
{
	__atomic_store_n(log_most, most, __ATOMIC_RELAXED);
}

void weir_log_share_level(void)
{
	enum weir_log_level *shared;

	if (log_most != &log_own)
		return;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return;
	*shared = log_own;
	log_most = shared;
}

int weir_log_level_find(const char *name, enum weir_log_level *ret)
{
	static const struct {
		const char *name;
		enum weir_log_level level;
	} levels[] = {
		{ "error", WEIR_LOG_ERROR },
		{ "warning", WEIR_LOG_WARNING },
		{ "info", WEIR_LOG_INFO },
		{ "debug", WEIR_LOG_DEBUG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcmp(levels[i].name, name) != 0)
			continue;
		*ret = levels[i].level;
		return 0;
	}
	return -ENOENT;
}

static void log_line(struct weir_buf *line, enum weir_log_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void log_line(struct weir_buf *line, enum weir_log_level level, const char *fmt, va_list ap)
{
	_cleanup_(weir_buf_done) struct weir_buf text = { 0 };

	if (log_priorities)
		weir_buf_printf(line, "<%d>", (int)level);
	weir_buf_str(line, "weir");
	if (log_role)
		weir_buf_printf(line, " %s", log_role);
	weir_buf_str(line, ": ");

	weir_buf_vprintf(&text, fmt, ap);
	while (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (text.data)
		weir_text_escape_terminal(line, text.data, WEIR_TEXT_UNLIMITED);
	weir_buf_char(line, '\n');
}

void weir_log(enum weir_log_level level, const char *fmt, ...)
{
	_cleanup_(weir_buf_done) struct weir_buf line = { 0 };
	int saved = errno;
	va_list ap;

	if (level > __atomic_load_n(log_most, __ATOMIC_RELAXED))
		return;
	va_start(ap, fmt);
	log_line(&line, level, fmt, ap);
	va_end(ap);

	/* One write, so that the roles' lines do not mix. There is nobody left to tell when it fails. */
	if (line.len && write(STDERR_FILENO, line.data, line.len) < 0)
		errno = saved;
	errno = saved;
}
