// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the kernel half and the user half share. Fixed widths, no holes, no pointers. Recordings hold these
 * structs as they are, so a changed layout needs a new record type. Times are CLOCK_MONOTONIC in ns unless
 * said otherwise; byte order is the machine's except for addresses, which are in network order. */

#ifndef __bpf__
#include <linux/types.h>
#endif

#define TRAFFIC_COMM 16
#define TRAFFIC_PATH 256

/* Entries. A map that is full is counted (lost or "other"), never overwritten. */
#define TRAFFIC_RING_BYTES (4 << 20)
#define TRAFFIC_PROCESSES_MAX 65536
#define TRAFFIC_PEERS_MAX 65536
#define TRAFFIC_PEERS_PER_SOCKET 64
#define TRAFFIC_CALLS_MAX 262144   /* sockets with calls, in the set tcp-kprobe */
#define TRAFFIC_IN_CALL_MAX 65536  /* threads inside a call, there */

enum traffic_transport {
	TRAFFIC_TCP,
	TRAFFIC_UDP,
	TRAFFIC_MPTCP,
	TRAFFIC_UNIX,
	TRAFFIC_OTHER,
	_TRAFFIC_TRANSPORT_MAX,
};

enum traffic_direction {
	TRAFFIC_TX,
	TRAFFIC_RX,
	_TRAFFIC_DIRECTION_MAX,
};

enum traffic_role {
	TRAFFIC_ROLE_UNKNOWN,
	TRAFFIC_ROLE_CLIENT,
	TRAFFIC_ROLE_SERVER,
	TRAFFIC_ROLE_LISTENER,
};

/* In traffic_socket.timeouts: this kernel does not count them. */
#define TRAFFIC_TIMEOUTS_UNKNOWN 0xffffffffu

/* Type of a record in the ring, the iterators' output and recordings. */
enum traffic_record {
	TRAFFIC_RECORD_PROCESS = 1, /* struct traffic_process */
	TRAFFIC_RECORD_EXIT,        /* struct traffic_exit */
	TRAFFIC_RECORD_SOCKET,      /* struct traffic_socket */
	TRAFFIC_RECORD_SUMS,        /* struct traffic_sums_record: a process's sums, read from the map */
	TRAFFIC_RECORD_PEER,        /* struct traffic_peer_record: one peer of an unconnected UDP socket */
	TRAFFIC_RECORD_SWEPT,       /* struct traffic_swept: a look at every socket has ended */
	TRAFFIC_RECORD_USER,        /* struct traffic_user: the name of a uid */
	TRAFFIC_RECORD_TOTALS,      /* struct traffic_totals */
	TRAFFIC_RECORD_CARRIED,     /* struct traffic_carried: what a daemon before this one had counted */
	_TRAFFIC_RECORD_MAX,
};

/* A process: a pid alone is used again. start_ns is CLOCK_BOOTTIME. */
struct traffic_key {
	__u64 start_ns;
	__u32 pid;
	__u32 reserved;
};

struct traffic_bytes {
	__u64 bytes[_TRAFFIC_DIRECTION_MAX];
};

/* Value of the map "processes": what the process handed to and took from sockets. */
struct traffic_sums {
	struct traffic_bytes by[_TRAFFIC_TRANSPORT_MAX];
	char comm[TRAFFIC_COMM];
	__u32 uid;
	__u32 named; /* a PROCESS record reached the ring */
};

struct traffic_head {
	__u32 type; /* enum traffic_record */
	__u32 size; /* of the whole record */
};

struct traffic_process {
	struct traffic_head head;
	struct traffic_key key;
	struct traffic_key parent;
	__u64 cgroup_id;
	__u32 uid;
	__u32 netns;
	char comm[TRAFFIC_COMM];   /* of the group leader */
	char exe[TRAFFIC_PATH];    /* of the executable, from its mount namespace's root */
	char cgroup[TRAFFIC_PATH]; /* cgroup2's path; on hybrid hosts the memory or pids controller's */
};

struct traffic_exit {
	struct traffic_head head;
	struct traffic_key key;
	__u64 at_ns;
};

/* Both ends. Network order, IPv4 in the first four bytes. Ports in host order. */
struct traffic_tuple {
	__u8 local[16];
	__u8 peer[16];
	__u16 local_port;
	__u16 peer_port;
	__u8 family; /* AF_INET, AF_INET6 or 0: not known */
	__u8 transport; /* enum traffic_transport */
	__u16 reserved;
	__u32 netns;
	__u32 reserved2;
};

enum traffic_socket_event {
	TRAFFIC_SOCKET_OPEN,   /* connected, accepted, listening, or first seen */
	TRAFFIC_SOCKET_SWEEP,  /* its numbers changed */
	TRAFFIC_SOCKET_CLOSE,  /* TCP is done with it, the program still holds it */
	TRAFFIC_SOCKET_GONE,   /* freed; its last record */
};

enum traffic_socket_flags {
	TRAFFIC_SOCKET_SEEDED = 1 << 0,    /* was open before weir */
	TRAFFIC_SOCKET_TENTATIVE = 1 << 1, /* owner holds it but has not sent or received */
	TRAFFIC_SOCKET_SHARED = 1 << 2,    /* several processes sent or received */
	TRAFFIC_SOCKET_RESET_TX = 1 << 3,
	TRAFFIC_SOCKET_RESET_RX = 1 << 4,
	TRAFFIC_SOCKET_BASED = 1 << 5,     /* TCP's sequence numbers count from a known start */
	TRAFFIC_SOCKET_FINAL = 1 << 6,     /* TCP's counters were taken for the last time */
	TRAFFIC_SOCKET_REPORTED = 1 << 7,  /* a CLOSE record was sent */
	TRAFFIC_SOCKET_URGENT = 1 << 8,    /* urgent data was received */
	TRAFFIC_SOCKET_PEERS = 1 << 9,     /* UDP with several peers */
	TRAFFIC_SOCKET_OPENED = 1 << 10,   /* an OPEN record was sent */
	TRAFFIC_SOCKET_SETTLED_TX = 1 << 12, /* .overlap is known */
	TRAFFIC_SOCKET_SETTLED_RX = 1 << 13,
	TRAFFIC_SOCKET_CUT = 1 << 11,      /* took datagrams with MSG_TRUNC: how much was copied is not known */
};

/* Everything known of one socket at one moment; bytes count from weir's first sight. The cookie alone does not
 * tell it apart: an accepted MPTCP socket has its listener's. Cookie and opened_ns together do. */
struct traffic_socket {
	struct traffic_head head;
	__u64 cookie;
	struct traffic_key owner;
	struct traffic_tuple tuple;
	__u64 at_ns;
	__u64 opened_ns;
	__u64 tx, rx;                 /* handed to and taken from it, each byte once */
	__u64 hook_tx, hook_rx;       /* of these: reported by the socket calls */
	__u64 tcp_tx, tcp_rx;         /* what TCP's sequence numbers say */
	__u64 foreign_tx, foreign_rx; /* of hook_*: by processes other than the owner */
	__u64 cut_rx;                 /* datagrams taken with MSG_TRUNC, at their full length */
	__u64 before_tx, before_rx;   /* what TCP counted before */
	__u64 wire_tx, wire_rx, retransmitted_bytes;
	__u32 retransmits, timeouts;
	__u32 srtt_us, rtt_min_us;
	__u32 cwnd, ssthresh;
	__u32 rcv_wnd, snd_buf;
	__u32 wmem_queued, connect_us;
	__u32 backlog, max_backlog;
	__u32 listen_drops, flags;
	__u64 busy_us, rwnd_limited_us, sndbuf_limited_us;
	__u8 event; /* enum traffic_socket_event */
	__u8 state; /* TCP_ESTABLISHED, ... */
	__u8 role;  /* enum traffic_role */
	__u8 close_state; /* the state that it left for CLOSE */
	__u32 error; /* errno that the socket ended with, or 0 */
};

/* Key of the map "peers". */
struct traffic_peer_key {
	__u64 cookie;
	__u64 opened_ns;
	__u8 address[16];
	__u16 port;
	__u8 family;
	__u8 reserved[5];
};

struct traffic_sums_record {
	struct traffic_head head;
	struct traffic_key key;
	struct traffic_sums sums;
	__u32 final; /* taken out of the map: what comes later starts from zero again */
	__u32 reserved;
};

struct traffic_peer_record {
	struct traffic_head head;
	struct traffic_peer_key key;
	struct traffic_bytes sums;
};

/* Ends a look at everything: sockets and sums belong together at this point. With bytes that found no process and
 * losses so far. */
struct traffic_totals {
	struct traffic_head head;
	__u64 unattributed[_TRAFFIC_DIRECTION_MAX];
	__u64 full_map;
	__u64 cut;
};

enum traffic_swept_full {
	TRAFFIC_SWEPT_CHANGED,    /* only what changed was looked at */
	TRAFFIC_SWEPT_ALL,
	TRAFFIC_SWEPT_NOT_SURELY, /* all were to be looked at; some may have been skipped */
};

struct traffic_swept {
	struct traffic_head head;
	__u64 began_ns; /* every socket that was open then had a record since, if all were looked at */
	__u32 full;  /* enum traffic_swept_full */
	__u32 names; /* every process that lives had a record since, too */
};

struct traffic_user {
	struct traffic_head head;
	__u32 uid;
	char name[36];
};

#define TRAFFIC_GROUP_KEY (TRAFFIC_COMM + 128 + 72)

/* Sums for metrics of one group, to begin with: nothing of it is in this kernel's maps. */
struct traffic_carried {
	struct traffic_head head;
	struct traffic_bytes by[_TRAFFIC_TRANSPORT_MAX];
	__u64 retransmits;
	__u32 uid;
	__u32 key_len; /* 0: what found no group */
	char key[TRAFFIC_GROUP_KEY]; /* comm, unit, container, each NUL-terminated */
};

/* What the engine tells the kernel half and reads from it; mapped memory. */
struct traffic_control {
	__u64 lost;        /* records that found no room in the ring */
	__u64 full_map;    /* processes, peers or last words of sockets that found no room in a map */
	__u64 unattributed[_TRAFFIC_DIRECTION_MAX]; /* bytes of processes that found no room */
	__u64 cut;         /* bytes of Unix datagrams taken with MSG_TRUNC, at their full length */
	__u64 began_jiffies, began_ns; /* read together when the engine began */
	__u32 round;       /* of the sweeps that report all, counting up from 1 */
	__u32 sweep_all;   /* the sweep reports unchanged sockets too, each once in this round; 0: only what changed */
	__u32 look;        /* number of the look at who holds which socket, counting up from 1 */
	__u32 watched;     /* somebody looks at it live: opens are told at once, not by the next sweep */
	__u32 exits;       /* threads that ended; see thread_tag() */
	__u32 truncating;  /* somebody has taken datagrams with MSG_TRUNC */
};

_Static_assert(sizeof(struct traffic_key) == 16, "abi");
_Static_assert(sizeof(struct traffic_sums) == 104, "abi");
_Static_assert(sizeof(struct traffic_process) == 8 + 16 + 16 + 16 + 16 + 256 + 256, "abi");
_Static_assert(sizeof(struct traffic_exit) == 32, "abi");
_Static_assert(sizeof(struct traffic_tuple) == 48, "abi");
_Static_assert(sizeof(struct traffic_socket) == 296, "abi");
_Static_assert(sizeof(struct traffic_peer_key) == 40, "abi");
_Static_assert(sizeof(struct traffic_sums_record) == 136, "abi");
_Static_assert(sizeof(struct traffic_peer_record) == 64, "abi");
_Static_assert(sizeof(struct traffic_user) == 48, "abi");
_Static_assert(sizeof(struct traffic_carried) == 8 + 80 + 16 + 216, "abi");
