// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/types.h>

/* What a watched function brought about for one process: value of the map "sums", by pid. */
struct talk_seen {
	__u64 hits;
	__u64 bytes;
};

_Static_assert(sizeof(struct talk_seen) == 16, "shared with the kernel half");
