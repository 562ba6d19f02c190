// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Writes the blocks of a pcapng file (draft-ietf-opsawg-pcapng), in this machine's byte order. Each function appends one
 * whole block; what ran out of memory stands in the buffer's error. Texts are UTF-8; what is longer than an option may be
 * is cut between two characters. */

/* Numbers of link types, https://www.tcpdump.org/linktypes.html. */
#define WEIR_LINK_ETHERNET 1
#define WEIR_LINK_RAW 101
#define WEIR_LINK_SLL2 276

/* What made the file. Any may be NULL. */
struct weir_pcapng_origin {
	const char *hardware, *os, *application, *comment;
};

/* The section's head; must come first. */
void weir_pcapng_section(struct weir_buf *out, const struct weir_pcapng_origin *o);

struct weir_pcapng_interface {
	const char *name, *description; /* or NULL */
	const char *filter;		/* a pcap filter's text, or NULL */
	uint16_t link;
	uint32_t snap_bytes; /* 0: unlimited */
};

/* Interfaces are numbered from 0 in the order in which they are written. Their times are nanoseconds. libpcap reads only files
 * whose interfaces have the same link type and the same snap length. */
void weir_pcapng_interface(struct weir_buf *out, const struct weir_pcapng_interface *i);

enum weir_pcapng_way {
	WEIR_PCAPNG_WAY_UNKNOWN,
	WEIR_PCAPNG_WAY_IN,
	WEIR_PCAPNG_WAY_OUT,
};

struct weir_pcapng_packet {
	uint32_t interface;
	uint64_t real_ns; /* since the epoch */
	const void *bytes;
	uint32_t len, original_len; /* captured; on the wire */
	enum weir_pcapng_way way;
	const char *comment; /* or NULL */
};

void weir_pcapng_packet(struct weir_buf *out, const struct weir_pcapng_packet *p);

struct weir_pcapng_statistics {
	uint32_t interface;
	uint64_t start_ns, end_ns; /* since the epoch */
	uint64_t received, dropped, delivered; /* came, lost by the capture, are in the file */
};

void weir_pcapng_statistics(struct weir_buf *out, const struct weir_pcapng_statistics *s);

/* The length of the whole blocks that the first len bytes hold: where a file that has to be cut may end. */
size_t weir_pcapng_whole(const void *bytes, size_t len);
