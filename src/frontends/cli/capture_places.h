// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* The interfaces of a capture's file: each device gets its block with its first packet, so that a reader sees its name. All
 * have one link type and one snap length, else libpcap would not read the file. */

#define CAPTURE_PLACES_MAX 1024
#define CAPTURE_PLACE_NONE UINT32_MAX

struct capture_place {
	uint32_t netns, ifindex;
	char name[16];
};

struct capture_places {
	struct capture_place list[CAPTURE_PLACES_MAX];
	uint32_t n;
	uint16_t link;
	uint32_t snap_bytes;
	uint32_t own_netns;
	const char *filter; /* borrowed */
};

/* Appends a block for something that is no single device; returns its number. */
uint32_t capture_places_add(struct capture_places *p, const char *name, const char *description, struct weir_buf *out);

/* The number of the device's interface; CAPTURE_PLACE_NONE: it has none yet. */
uint32_t capture_places_find(const struct capture_places *p, uint32_t netns, uint32_t ifindex);

/* Appends the device's block and returns its number; otherwise when there are too many. name: hostile, "" when not
 * known. */
uint32_t capture_places_add_device(struct capture_places *p, uint32_t netns, uint32_t ifindex, const char *name,
				   uint32_t otherwise, struct weir_buf *out);
