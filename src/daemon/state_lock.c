// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/state_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FILE_NAME "lock"

/* Who holds it wrote its number there. */
static long holder(int fd)
{
	char text[16] = "";
	long pid;

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		return 0;
	pid = strtol(text, NULL, 10);
	return pid > 0 ? pid : 0;
}

static char *say_held(const char *state, long pid)
{
	char *line, who[32] = "";

	if (pid)
		snprintf(who, sizeof(who), " (process %ld)", pid);
	if (asprintf(&line, "--state %s: another weir daemon%s keeps its state there: end it first, or choose another "
			    "folder with --state", state, who) < 0)
		return NULL;
	return line;
}

static int take(const char *state, int *ret_fd, long *ret_holder)
{
	_cleanup_close_ int dir = -1, fd = -1;

	if (mkdir(state, 0700) < 0 && errno != EEXIST)
		return -errno;
	dir = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	fd = openat(dir, FILE_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		*ret_holder = holder(fd);
		return -errno;
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int weir_state_lock(const char *state, int *ret_fd, int *ret_status, char **ret_error)
{
	long pid = 0;
	int r = take(state, ret_fd, &pid);

	if (r >= 0)
		return 0;
	*ret_status = 1;
	if (r == -EWOULDBLOCK)
		*ret_error = say_held(state, pid);
	else if (asprintf(ret_error, "--state %s: cannot be written: %s: make it writable, or choose another folder with "
				     "--state", state, strerror(-r)) < 0)
		*ret_error = NULL;
	return r;
}

/* --- a folder of somebody's ---------------------------------------------------------------------- */

/* The files were another one's if the user "weir" came or went. Links and folders are left alone. */
static int give_files(int dir_fd, uid_t uid, gid_t gid)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int r = 0;

	if (!d) {
		r = -errno;
		weir_closep(&copy);
		return r;
	}
	while ((entry = readdir(d))) {
		_cleanup_close_ int fd = -1;
		struct stat st;

		if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1 ||
		    (st.st_uid == uid && st.st_gid == gid))
			continue;
		fd = openat(dir_fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 || fchown(fd, uid, gid) < 0)
			r = -errno;
	}
	closedir(d);
	return r;
}

int weir_state_folder(const char *state, const char *name, uid_t uid, gid_t gid, char **ret_path)
{
	_cleanup_close_ int state_fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct stat st;
	int r;

	if (state_fd < 0)
		return -errno;
	if (mkdirat(state_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(state_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_uid != uid || st.st_gid != gid) && fchown(fd, uid, gid) < 0)
		return -errno;
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return -errno;
	r = give_files(fd, uid, gid);
	if (r < 0)
		return r;
	return asprintf(ret_path, "%s/%s", state, name) < 0 ? -ENOMEM : 0;
}
