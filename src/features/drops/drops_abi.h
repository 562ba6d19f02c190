// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the kernel half and the user half share. Fixed widths, no holes, no pointers. Recordings hold these structs as
 * they are, so a changed layout needs a new record type. Times are CLOCK_MONOTONIC in ns unless said otherwise; ports
 * are in the machine's byte order. */

#ifndef __bpf__
#include <linux/types.h>
#endif

#define DROPS_KEYS_MAX 4096      /* sums that are told apart; what finds no room is summed by reason and place */
#define DROPS_CROWDS_MAX 1024    /* reasons and places for that */
#define DROPS_RING_BYTES (1 << 19)
#define DROPS_HEAD_BYTES 128     /* of a sampled packet, from its network header */
#define DROPS_STACK 12           /* return addresses of a sample */
#define DROPS_SYMBOL 96
#define DROPS_STACK_TEXT 512
#define DROPS_DEVICE_ROOM 16
#define DROPS_NAME 48            /* of a reason */
#define DROPS_COMM 16
#define DROPS_CGROUP 256
#define DROPS_SAMPLES_PER_SECOND 64 /* of one processor, beside one of each new sum */

/* Type of a record in the ring, from the iterator, and in recordings. */
enum drops_record {
	DROPS_RECORD_SEEN = 1, /* struct drops_seen: a sampled packet */
	DROPS_RECORD_SUM,      /* struct drops_sum_record */
	DROPS_RECORD_REASON,   /* struct drops_reason: what a number means to this kernel */
	DROPS_RECORD_OWNER,    /* struct drops_owner: who holds a socket */
	DROPS_RECORD_COUNTER,  /* struct drops_counter: the kernel counts it itself */
	DROPS_RECORD_LOST,     /* struct drops_lost */
	DROPS_RECORD_PLACE,    /* struct drops_place_name: what an address in the kernel's code is called */
	DROPS_RECORD_DEVICE,   /* struct drops_device_name: and an interface */
	DROPS_RECORD_CARRIED,  /* struct drops_carried: what a daemon before this one had counted */
	_DROPS_RECORD_MAX,
};

struct drops_head {
	__u32 type; /* enum drops_record */
	__u32 size; /* of the whole record */
};

/* What a socket is found by. With a cookie, by that; kernels that do not tell the socket of a packet that arrived (before
 * 6.11) leave the local port. */
struct drops_socket {
	__u64 cookie;   /* 0: not told */
	__u32 netns;    /* with a port */
	__u16 port;     /* 0: none */
	__u8 protocol;  /* IPPROTO_TCP, IPPROTO_UDP with a port */
	__u8 reserved;
};

/* Losses that are told apart. */
struct drops_key {
	__u64 place;    /* address in the kernel's code that freed the packet */
	struct drops_socket socket;
	__u32 reason;
	__u32 netns;    /* inode of the device's network namespace, or the socket's; 0: neither is known */
	__u32 ifindex;  /* 0: no device */
	__u32 flags;    /* DROPS_DEVICE_DOWN, ... */
};

/* Where packets are freed that were used. At the same place others may be lost, with another reason. */
struct drops_plain {
	__u64 place;
	__u32 reason;
	__u32 reserved;
};

#define DROPS_DEVICE_DOWN 1u
#define DROPS_NO_CARRIER 2u
#define DROPS_CROWD 4u /* of all that found no room of their own */

struct drops_sum {
	__u64 packets, bytes;
	__u64 told_ticks; /* when the last sample was handed over, of one processor; 0: none was */
};

struct drops_seen {
	struct drops_head head;
	struct drops_key key;
	__u64 at_ns;
	__u32 length;    /* of the packet */
	__u32 captured;  /* of .bytes */
	__u16 ethertype; /* as skb->protocol has it, in the machine's byte order */
	__u16 family;    /* of its socket; 0: it has none */
	__u32 frames;    /* in .stack_text, separated by line feeds, innermost first */
	char device[DROPS_DEVICE_ROOM];
	char symbol[DROPS_SYMBOL]; /* of key.place */
	char stack_text[DROPS_STACK_TEXT];
	__u8 bytes[DROPS_HEAD_BYTES];
};

enum drops_earlier {
	DROPS_NOW,
	DROPS_EARLIER,         /* lost before the reader began: nobody knows when */
	DROPS_EARLIER_COUNTED, /* and the groups have it: a reader before told of it */
	_DROPS_EARLIER_MAX,
};

/* Totals of one key since the kernel half was loaded. */
struct drops_sum_record {
	struct drops_head head;
	struct drops_key key;
	__u64 packets, bytes;
	__u32 over; /* taken out of the map: what comes later counts from 0 */
	__u32 earlier; /* enum drops_earlier */
};

struct drops_reason {
	struct drops_head head;
	__u32 number;
	__u32 reserved;
	char name[DROPS_NAME]; /* "SKB_DROP_REASON_NO_SOCKET", as the kernel's own types have it */
};

struct drops_owner {
	struct drops_head head;
	struct drops_socket socket;
	__u64 start_ns; /* of the process, CLOCK_BOOTTIME; 0: nobody holds such a socket */
	__u32 pid;
	__u32 uid;
	char comm[DROPS_COMM];
	char cgroup[DROPS_CGROUP]; /* "": not known. User space fills it in */
};

enum drops_counted_by {
	DROPS_BY_DEVICE,
	DROPS_BY_CPU,
	_DROPS_BY_MAX,
};

struct drops_counter {
	struct drops_head head;
	__u64 total;    /* as the kernel has it */
	__u32 by;       /* enum drops_counted_by */
	__u32 number;   /* ifindex, or the processor */
	__u32 netns;
	__u32 reserved;
	char device[DROPS_DEVICE_ROOM];
	char name[DROPS_NAME]; /* "rx_missed_errors" */
};

struct drops_place_name {
	struct drops_head head;
	__u64 address;
	char symbol[DROPS_SYMBOL];
};

/* Key of the map of interfaces' names. */
struct drops_device_id {
	__u32 netns, ifindex;
};

struct drops_device_name {
	struct drops_head head;
	struct drops_device_id id;
	char name[DROPS_DEVICE_ROOM];
};

struct drops_lost {
	struct drops_head head;
	__u64 samples;          /* for which the ring had no room, or that were over the rate */
	__u64 crowded;          /* packets whose sum found no room of its own */
	__u64 unkeyed, unkeyed_bytes; /* of those, the ones without any sum */
	__u64 missed;           /* freed while the program was at work for another on that processor: the kernel left it out */
};

#define DROPS_GROUP_KEY (DROPS_NAME + 16 + DROPS_DEVICE_ROOM)

/* A group's packets, to begin with: no sum of this kernel has them. */
struct drops_carried {
	struct drops_head head;
	__u64 packets;
	__u64 own[4]; /* of drops_lost: samples, crowded, unkeyed, missed; without a key */
	__u32 key_len;
	__u32 reserved;
	char key[DROPS_GROUP_KEY]; /* reason, layer, device, each NUL-terminated */
};

/* Mapped memory: what the kernel half counts, and what it is told. */
struct drops_control {
	__u64 unkeyed, unkeyed_bytes, crowded;
	__u64 samples_lost;
};

_Static_assert(sizeof(struct drops_socket) == 16, "abi");
_Static_assert(sizeof(struct drops_key) == 40, "abi");
_Static_assert(sizeof(struct drops_plain) == 16, "abi");
_Static_assert(sizeof(struct drops_sum) == 24, "abi");
_Static_assert(sizeof(struct drops_seen) == 8 + 40 + 24 + 16 + 96 + 512 + 128, "abi");
_Static_assert(sizeof(struct drops_sum_record) == 8 + 40 + 24, "abi");
_Static_assert(sizeof(struct drops_reason) == 16 + 48, "abi");
_Static_assert(sizeof(struct drops_owner) == 8 + 16 + 16 + 16 + 256, "abi");
_Static_assert(sizeof(struct drops_counter) == 8 + 8 + 16 + 16 + 48, "abi");
_Static_assert(sizeof(struct drops_place_name) == 8 + 8 + 96, "abi");
_Static_assert(sizeof(struct drops_device_name) == 8 + 8 + 16, "abi");
_Static_assert(sizeof(struct drops_lost) == 8 + 40, "abi");
_Static_assert(sizeof(struct drops_carried) == 8 + 8 + 32 + 8 + 80, "abi");
