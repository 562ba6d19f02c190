// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

/* DNS over TCP: puts messages together that were split over segments. Pure and bounded: so many streams, so much of
 * one message; what does not arrive in order ends the stream, and its later messages are not read. */

#define DNS_STREAMS_MAX 64
#define DNS_STREAM_MESSAGE 4096 /* of a longer message the front */
#define DNS_STREAM_IDLE_NS (10ull * 1000000000ull)

struct dns_streams;

struct dns_segment {
	uint64_t cookie;  /* the stream */
	uint64_t offset;  /* in the stream; 0 is its beginning */
	uint32_t length;  /* of the segment */
	uint32_t captured; /* how many of its first bytes are here */
	const uint8_t *bytes;
};

struct dns_streams *dns_streams_new(void); /* NULL when memory runs out */
struct dns_streams *dns_streams_free(struct dns_streams *s); /* accepts NULL, returns NULL */

/* Calls take() for each message that ends in this segment. Returns how many, -ENOMEM, or -ENODATA when the stream's
 * beginning or a piece of it was not seen. */
int dns_streams_put(struct dns_streams *s, const struct dns_segment *g, uint64_t now_ns,
		    void (*take)(void *ctx, const uint8_t *bytes, size_t len), void *ctx);
