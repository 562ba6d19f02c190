// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the two halves of the capture of dropped packets share: records in a ring, the heads of packets among them. */

#ifndef __bpf__
#include <linux/types.h>
#endif

#define DROPS_CAPTURE_RING_BYTES (1 << 24)
#define DROPS_CAPTURE_PLACES_MAX 1024
#define DROPS_CAPTURE_SYMBOL 96
#define DROPS_CAPTURE_DEVICE 16

/* A record has room for so many bytes of its packet: most have few, and room in the ring is dear. */
#define DROPS_CAPTURE_FEW 256
#define DROPS_CAPTURE_MANY 2048

enum drops_capture_record {
	DROPS_CAPTURE_PACKET = 1, /* struct drops_capture_packet, then its bytes */
	DROPS_CAPTURE_PLACE,	  /* struct drops_capture_place: comes before the first packet of the place */
};

struct drops_capture_packet {
	__u32 type; /* enum drops_capture_record */
	__u32 reason;
	__u64 at_ns; /* CLOCK_MONOTONIC */
	__u64 place; /* address in the kernel's code that freed it */
	__u64 cookie; /* of its socket; 0: none, or it has none yet */
	__u32 netns; /* 0: not known */
	__u32 ifindex;
	__u32 length; /* of the packet from where its bytes begin */
	__u32 captured; /* bytes that follow */
	__u16 ether_type; /* in the machine's byte order */
	__u8 ethernet; /* the bytes begin with an Ethernet header, else with the network header */
	__u8 incoming;
	__u32 reserved;
	char device[DROPS_CAPTURE_DEVICE];
};

struct drops_capture_place {
	__u32 type;
	__u32 reserved;
	__u64 place;
	char symbol[DROPS_CAPTURE_SYMBOL]; /* "udp_queue_rcv_one_skb+0x1a3/0x5d0 [module]" */
};

_Static_assert(sizeof(struct drops_capture_packet) == 72, "abi");
_Static_assert(sizeof(struct drops_capture_place) == 16 + 96, "abi");
