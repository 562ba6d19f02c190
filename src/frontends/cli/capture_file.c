// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frontends/export/pcapng.h"

int capture_file_open(struct capture_file *ret, const char *path)
{
	bool standard_output = !strcmp(path, "-");
	struct stat st;

	*ret = (struct capture_file){ .fd = -1, .path = standard_output ? "standard output" : path };
	ret->fd = standard_output ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
				  : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	if (ret->fd < 0)
		return -errno;
	/* What standard output is redirected to may have something in it already: that is not ours to cut. */
	ret->regular = !standard_output && fstat(ret->fd, &st) == 0 && S_ISREG(st.st_mode);
	return 0;
}

/* done: bytes of what is pending that were written. */
static void cut(struct capture_file *f, size_t done)
{
	f->size += weir_pcapng_whole(f->pending.data, done);
	/* A file system that can't be written may refuse this too: then it is read up to the cut block. */
	if (f->regular && ftruncate(f->fd, (off_t)f->size) < 0)
		f->regular = false;
	weir_buf_reset(&f->pending);
}

int capture_file_flush(struct capture_file *f)
{
	size_t done = 0;

	if (f->pending.error)
		return f->pending.error;
	while (done < f->pending.len) {
		ssize_t n = write(f->fd, f->pending.data + done, f->pending.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int r = -errno;

			cut(f, done);
			return r;
		}
		done += (size_t)n;
	}
	f->size += done;
	weir_buf_reset(&f->pending);
	return 0;
}

void capture_file_done(struct capture_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	weir_buf_done(&f->pending);
}
