// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Ordinary packets, as libpcap gives them, and its filters. */

/* --- a filter for packets from elsewhere ----------------------------------------------------- */

struct capture_filter;

/* Compiles a pcap filter for packets of the link type (WEIR_LINK_). *ret is NULL for an empty text: it lets all pass.
 * -EINVAL with one line in *ret_error (caller frees), -ENOMEM. */
int capture_filter_new(const char *text, uint16_t link, uint32_t snap_bytes, struct capture_filter **ret,
		       char **ret_error);
struct capture_filter *capture_filter_free(struct capture_filter *f); /* accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct capture_filter, capture_filter_free)

/* original_len: what the filter's "len" and "greater" see. */
bool capture_filter_match(const struct capture_filter *f, const uint8_t *bytes, uint32_t len, uint32_t original_len);

/* --- packets --------------------------------------------------------------------------------- */

struct capture_live;

struct capture_live_options {
	const char *device; /* NULL: all */
	const char *filter; /* "": all packets */
	uint32_t snap_bytes;
};

/* Opens it in the network namespace of this process; the device is not switched to promiscuous mode. On failure one line is
 * in *ret_error (caller frees): -EPERM for missing rights, -EINVAL for a bad filter, -ENODEV for no such device, -EIO for
 * anything else; or -ENOMEM. */
int capture_live_open(const struct capture_live_options *o, struct capture_live **ret, char **ret_error);
struct capture_live *capture_live_free(struct capture_live *l); /* accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct capture_live, capture_live_free)

int capture_live_fd(const struct capture_live *l);
uint16_t capture_live_link(const struct capture_live *l); /* WEIR_LINK_, or libpcap's number of another one */

struct capture_live_packet {
	uint64_t real_ns;
	const uint8_t *bytes;
	uint32_t len, original_len;
};

/* Hands over what has come. 0, or -EIO with one line in *ret_error: it has ended. */
int capture_live_drain(struct capture_live *l, void (*visit)(void *ctx, const struct capture_live_packet *p), void *ctx,
		       char **ret_error);

/* What passed the filter, and how many of these the kernel had no room for. */
void capture_live_counts(struct capture_live *l, uint64_t *ret_received, uint64_t *ret_lost);
