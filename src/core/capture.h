// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packets that a feature sees inside the kernel, for `weir capture`: whole heads with what is known of them, while somebody
 * captures and not otherwise. A source is opened with the rights to load, and drained without any. */

/* One packet. Borrowed for the call, but for .reason and .place, which stay until the source is closed. */
struct weir_captured {
	uint64_t mono_ns; /* CLOCK_MONOTONIC */
	const uint8_t *bytes;
	uint32_t len, original_len; /* of .bytes; of the packet */
	bool ethernet;		    /* .bytes begin with an Ethernet header; otherwise with what .ether_type says */
	uint16_t ether_type;	    /* 0x0800; in the machine's byte order */
	bool incoming;		    /* it came in by a device, loopback too */
	uint32_t ifindex;	    /* 0: no device */
	char device[16];	    /* "": no device */
	uint32_t netns;		    /* inode; 0: not known */
	uint64_t cookie;	    /* of the socket that it was of or for; 0: none, or not known */
	const char *reason;	    /* why it is told of: "SOCKET_RCVBUFF" */
	const char *place;	    /* where in the kernel: "udp_queue_rcv_one_skb+0x1a3"; NULL: not known */
};

typedef void (*weir_captured_visit)(void *ctx, const struct weir_captured *p);

struct weir_capture_options {
	uint32_t snap_bytes; /* of a packet, at most; a source may hand over less */
	uint32_t ifindex;    /* of one device alone, */
	uint32_t netns;	     /* in this network namespace, or in one that is not known; 0: of all */
};

struct weir_capture_source {
	/* Attaches. -errno with one line in *ret_error (why, and the cure; caller frees; NULL: no memory) when this kernel or
	 * these rights do not allow it; nothing stays attached then. */
	int (*open)(const struct weir_capture_options *o, void **ret, char **ret_error);
	/* Becomes readable when there is much to drain. */
	int (*fd)(void *source);
	/* Reads what has come. 0 or -errno. */
	int (*drain)(void *source, weir_captured_visit visit, void *ctx);
	/* Packets that could not be handed over since open(). */
	uint64_t (*lost)(void *source);
	/* Packets that the kernel did not show, since open(): those that were freed while another one was being looked at on the
	 * same processor. Asked with the rights that open() had. */
	uint64_t (*missed)(void *source);
	void (*close)(void *source); /* accepts NULL */
};
