// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "store/store_private.h"

/* What lies beside the file: the mark that sums wait, and files that were set aside. */

#define DAMAGED_KEPT 2

/* --- that sums wait ------------------------------------------------------------------------- */

/* An empty file beside it, which a full disk mostly still takes. */
static bool mark_name(const struct weir_store *s, char ret[4096])
{
	return s->path && (size_t)snprintf(ret, 4096, "%s.waiting", s->path) < 4096;
}

void store_beside_mark(struct weir_store *s, bool waits)
{
	char name[4096];
	int fd;

	if (s->marked == waits || !mark_name(s, name))
		return;
	if (!waits) {
		unlink(name);
		s->marked = false;
		return;
	}
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	s->marked = true;
	close(fd);
}

bool store_beside_marked(struct weir_store *s)
{
	char name[4096];
	struct stat st;

	if (!mark_name(s, name) || fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return false;
	s->marked = true;
	return true;
}

/* --- setting aside --------------------------------------------------------------------------- */

static int newest_last(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Deletes the older ones; names end in the time, so they sort by age. */
static void prune(const struct weir_store *s)
{
	static const char prefix[] = WEIR_STORE_FILE ".damaged-";
	char *names[64], path[4096];
	unsigned n = 0;
	DIR *d = opendir(s->folder);
	struct dirent *e;

	while (d && n < ARRAY_SIZE(names) && (e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (strncmp(e->d_name, prefix, sizeof(prefix) - 1) != 0)
			continue;
		if (len > 4 && (strcmp(e->d_name + len - 4, "-wal") == 0 ||
				strcmp(e->d_name + len - 4, "-shm") == 0))
			continue;
		names[n] = strdup(e->d_name);
		n += names[n] != NULL;
	}
	if (d)
		closedir(d);
	qsort(names, n, sizeof(*names), newest_last);
	for (unsigned i = 0; i < n; i++) {
		static const char *const tails[] = { "", "-wal", "-shm" };

		for (unsigned k = 0; i + DAMAGED_KEPT < n && k < ARRAY_SIZE(tails); k++)
			if ((size_t)snprintf(path, sizeof(path), "%s/%s%s", s->folder, names[i],
					     tails[k]) < sizeof(path))
				unlink(path);
		free(names[i]);
	}
}

/* Never over another; not every file system can say so by itself. */
static int move_one(const char *from, const char *to)
{
	struct stat st;

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 || errno == ENOENT)
		return 0;
	if (errno != EINVAL)
		return -errno;
	if (fstatat(AT_FDCWD, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0) < 0 ? -errno : 0;
}

static int tail_names(const struct weir_store *s, const char *name, const char *tail, char from[4096], char to[4096])
{
	return (size_t)snprintf(from, 4096, "%s%s", s->path, tail) >= 4096 ||
			       (size_t)snprintf(to, 4096, "%s/%s%s", s->folder, name, tail) >= 4096
		       ? -ENAMETOOLONG
		       : 0;
}

int store_beside_move(const struct weir_store *s, bool foreign, char *ret_name, size_t room)
{
	static const char *const tails[] = { "-wal", "-shm", "" };
	char from[4096], to[4096], stamp[WEIR_TIMESTAMP_TEXT];
	struct timespec now;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	weir_timestamp_format((uint64_t)now.tv_sec * STORE_NS + (uint64_t)now.tv_nsec, stamp);
	snprintf(ret_name, room, WEIR_STORE_FILE ".%s-%s", foreign ? "foreign" : "damaged", stamp);
	for (unsigned i = 0; r == 0 && i < ARRAY_SIZE(tails); i++) {
		r = tail_names(s, ret_name, tails[i], from, to);
		if (r == 0)
			r = move_one(from, to);
		for (unsigned k = i; r < 0 && k; k--)
			if (tail_names(s, ret_name, tails[k - 1], from, to) == 0)
				(void)move_one(to, from);
	}
	if (r == 0 && !foreign)
		prune(s);
	return r;
}
