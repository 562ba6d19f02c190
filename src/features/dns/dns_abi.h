// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the kernel half and the user half share. Fixed widths, no holes, no pointers. Recordings hold these
 * structs as they are, so a changed layout needs a new record type. Times are CLOCK_MONOTONIC in ns unless
 * said otherwise; byte order is the machine's except for addresses, which are in network order. */

#ifndef __bpf__
#include <linux/types.h>
#endif

#define DNS_PORT 53
#define DNS_RING_BYTES (1 << 20)
#define DNS_BYTES 1472          /* of one datagram or segment: what a frame of Ethernet carries */
#define DNS_BYTES_SHORT 512     /* most answers; so that they take less room in the ring. A power of two */
#define DNS_MESSAGE_HEAD 12
#define DNS_ANSWERS_PER_SECOND 2000
#define DNS_STREAM_BYTES (256 << 10) /* of one TCP connection: a zone that is copied is not of interest */
#define DNS_HOST_NAME 256

/* Type of a record in the ring and in recordings. */
enum dns_record {
	DNS_RECORD_ANSWER = 1, /* struct dns_answer, cut to .captured bytes */
	DNS_RECORD_HOSTS,      /* struct dns_hosts: a reading of /etc/hosts begins or has ended */
	DNS_RECORD_HOST,       /* struct dns_host: one of its addresses */
	DNS_RECORD_COUNTS,     /* struct dns_counts */
	DNS_RECORD_CARRIED,    /* struct dns_carried: what a daemon before this one had counted */
	_DNS_RECORD_MAX,
};

struct dns_head {
	__u32 type; /* enum dns_record */
	__u32 size; /* of the whole record */
};

/* Who asks: taken in the asker's context, when its socket is connected to port 53 or sends there. */
struct dns_asker {
	__u64 start_ns; /* CLOCK_BOOTTIME, of the process; 0: not known, the socket is older than weir */
	__u64 cgroup_id;
	__u32 pid;
	__u32 uid;
	__u32 netns;
	__u32 reserved;
};

/* A datagram, or a piece of a TCP stream, that came from port 53 to a program's socket. */
struct dns_answer {
	struct dns_head head;
	__u64 at_ns;
	__u64 cookie; /* of the socket */
	struct dns_asker asker;
	__u64 offset;   /* TCP: where in the stream the bytes stand; 0 is its beginning */
	__u32 length;   /* of the datagram's or segment's payload */
	__u32 captured; /* of that: how much is in .bytes */
	__u32 protocol; /* IPPROTO_UDP, IPPROTO_TCP */
	__u32 reserved;
	__u8 bytes[DNS_BYTES];
};

enum dns_hosts_event {
	DNS_HOSTS_BEGIN,
	DNS_HOSTS_END, /* what was there before and did not come again is gone */
};

struct dns_hosts {
	struct dns_head head;
	__u32 event; /* enum dns_hosts_event */
	__u32 netns; /* whose file it is: the daemon's own network namespace */
};

struct dns_host {
	struct dns_head head;
	__u8 address[16];
	__u8 family; /* AF_INET, AF_INET6 */
	__u8 reserved[7];
	char name[DNS_HOST_NAME];
};

/* Answers, by what became of them in the kernel half. */
enum dns_count {
	DNS_TAKEN,      /* handed over */
	DNS_OVER_RATE,  /* more than DNS_ANSWERS_PER_SECOND */
	DNS_RING_FULL,  /* nobody read */
	DNS_UNASKED,    /* to a socket that did not ask port 53: perhaps forged */
	_DNS_COUNT_MAX,
};

struct dns_counts {
	struct dns_head head;
	__u64 by[_DNS_COUNT_MAX];
};

/* Answers counted to begin with: this kernel half has none of them. */
struct dns_carried {
	struct dns_head head;
	__u64 by[_DNS_COUNT_MAX];
	__u64 readings[4]; /* by enum dns_reading */
};

/* Mapped memory: what the kernel half counts. */
struct dns_control {
	__u64 by[_DNS_COUNT_MAX];
	__u64 window_ns; /* when the second began in which .in_window answers came */
	__u64 in_window;
};

_Static_assert(sizeof(struct dns_asker) == 32, "abi");
_Static_assert(sizeof(struct dns_answer) == 80 + DNS_BYTES, "abi");
_Static_assert(sizeof(struct dns_hosts) == 16, "abi");
_Static_assert(sizeof(struct dns_host) == 8 + 24 + DNS_HOST_NAME, "abi");
_Static_assert(sizeof(struct dns_counts) == 8 + 8 * _DNS_COUNT_MAX, "abi");
_Static_assert(sizeof(struct dns_carried) == 8 + 8 * _DNS_COUNT_MAX + 32, "abi");
