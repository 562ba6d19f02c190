// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Everything that changes state is a record: what the kernel's rings and iterators hand over, and the clock's
 * ticks. A recording is the same records in a file, so a replay goes through the very same code. */

enum weir_record_source {
	WEIR_SOURCE_CORE = 0, /* below */
	WEIR_SOURCE_FEATURE = 1, /* + index in weir_features; the file's head names them */
};

enum weir_core_record {
	WEIR_RECORD_TICK = 1, /* struct weir_record_tick */
	WEIR_RECORD_LOST,     /* struct weir_record_lost */
};

/* In front of each record in a file. Little endian, 8-byte aligned. */
struct weir_record_head {
	uint32_t size; /* of what follows */
	uint16_t source;
	uint16_t type;
	uint64_t mono_ns; /* when it was read */
};

struct weir_record_tick {
	uint64_t real_ns;
};

struct weir_record_lost {
	uint64_t total; /* records lost since start */
};

_Static_assert(sizeof(struct weir_record_head) == 16, "file format");
_Static_assert(sizeof(struct weir_record_tick) == 8, "file format");
_Static_assert(sizeof(struct weir_record_lost) == 8, "file format");

/* Where collect() puts what it read. */
struct weir_sink {
	void (*put)(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len);
	void (*lost)(struct weir_sink *sink, uint64_t total);
};
