// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

/* The file of a recording: this head, then records (core/record.h), each padded to 8 bytes. Little endian. */

#define WEIR_RECORDING_MAGIC "weirrec\n"
#define WEIR_RECORDING_VERSION 1
#define WEIR_RECORD_SIZE_MAX (1u << 20)

struct weir_recording_head {
	char magic[8];
	uint32_t version;
	uint32_t head_size;
	char host[64];
	char features[16][32]; /* which source is which feature */
};

_Static_assert(sizeof(struct weir_recording_head) == 8 + 8 + 64 + 16 * 32, "file format");

static inline uint32_t weir_record_padding(uint32_t len)
{
	return (8 - len % 8) % 8;
}
