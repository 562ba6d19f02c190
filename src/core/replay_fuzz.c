// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/recording.h"
#include "core/replay.h"

/* Any bytes as a recording. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void play(const uint8_t *data, size_t size)
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
}

/* Gives each block the checksum that it should have: no fuzzer would find one. */
static void seal(uint8_t *data, size_t size)
{
	struct weir_recording_head head;
	struct weir_recording_block b;
	size_t at = sizeof(head);
	uint32_t crc;

	memcpy(&head, data, sizeof(head));
	crc = weir_recording_head_crc32(&head);
	while (size - at >= sizeof(b)) {
		memcpy(&b, data + at, sizeof(b));
		if (b.size > size - at - sizeof(b))
			break;
		crc = weir_recording_block_crc32(crc, b.records, data + at + sizeof(b), b.size);
		b.crc32 = crc;
		memcpy(data + at, &b, sizeof(b));
		at += sizeof(b) + b.size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *sealed;

	play(data, size);
	if (size < sizeof(struct weir_recording_head))
		return 0;
	sealed = malloc(size);
	if (!sealed)
		return 0;
	memcpy(sealed, data, size);
	seal(sealed, size);
	play(sealed, size);
	free(sealed);
	return 0;
}
