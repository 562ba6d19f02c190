// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/containers/containers_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PIECE 16384
#define PART_MAX 256

/* The path's first part into part; how long it is, with the slash behind it, or -errno. */
static int first_part(const char *path, char part[static PART_MAX])
{
	size_t n = strcspn(path, "/");

	if (n == 0 || n >= PART_MAX || !strncmp(path, "..", n) || !strncmp(path, ".", n))
		return -EINVAL;
	memcpy(part, path, n);
	part[n] = 0;
	return (int)(n + (path[n] == '/'));
}

/* Opens the folder that the last part lies in; *ret_last is that part. */
static int walk(int folder, const char *path, const char **ret_last)
{
	_cleanup_close_ int at = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	char part[PART_MAX];

	if (at < 0)
		return -errno;
	while (strchr(path, '/')) {
		int n = first_part(path, part), next;

		if (n < 0)
			return n;
		next = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(at);
		at = next;
		path += n;
	}
	*ret_last = path;
	return TAKE_FD(at);
}

int containers_folder_open(int folder, const char *path)
{
	const char *last;
	_cleanup_close_ int at = walk(folder, path, &last);
	char part[PART_MAX];
	int r = at < 0 ? at : first_part(last, part);

	if (r < 0)
		return r;
	r = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

bool containers_folder_has(int folder, const char *name)
{
	_cleanup_close_ int fd = containers_folder_open(folder, name);

	return fd >= 0;
}

static int read_all(int fd, size_t max, struct weir_buf *ret)
{
	_cleanup_free_ char *piece = malloc(PIECE);
	size_t have = 0;

	if (!piece)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, piece, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : ret->error;
		have += (size_t)n;
		if (have > max)
			return -EFBIG;
		weir_buf_add(ret, piece, (size_t)n);
	}
}

int containers_file_read(int folder, const char *path, size_t max, struct weir_buf *ret)
{
	const char *last;
	_cleanup_close_ int at = walk(folder, path, &last);
	_cleanup_close_ int fd = -1;
	char part[PART_MAX];
	struct stat st;
	int r = at < 0 ? at : first_part(last, part);

	if (r < 0)
		return r;
	/* Without O_NONBLOCK a pipe in its place would hold us up. */
	fd = openat(at, part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return -EFBIG;
	return read_all(fd, max, ret);
}
