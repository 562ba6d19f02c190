// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/replay.h"

/* Any bytes as a recording. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("recording", MFD_CLOEXEC);
	struct weir_replay *r = NULL;
	struct weir_snapshot *s;
	char path[64], *error = NULL;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		goto finish;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (weir_replay_open(path, &r, &error) == 0) {
		free(error);
		error = NULL;
		while (weir_replay_next(r, &s, &error) > 0)
			weir_snapshot_unref(s);
	}
finish:
	free(error);
	weir_replay_free(r);
	if (fd >= 0)
		close(fd);
	return 0;
}
