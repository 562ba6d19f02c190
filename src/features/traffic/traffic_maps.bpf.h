// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "bpf/kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "features/traffic/traffic_abi.h"
#include "features/traffic/traffic_rules.h"

/* Sums live in maps and in socket storage; the ring only carries news. So a stopped reader loses names and
 * dates, never bytes. */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* What weir keeps with a socket. The first cache line, of which the kernel takes 8 bytes, is all that a send or a
 * receive touches, and all that a sweep touches of a socket that was silent. */
struct traffic_storage {
	__u64 user_tag;     /* thread_tag() of one of the owner's threads, 0: of none */
	__u64 bytes[_TRAFFIC_DIRECTION_MAX]; /* by the owner, as the calls reported */
	__u64 pending_task; /* UDP: who is about to send to or has received from .pending */
	__u64 swept;        /* fingerprint of what the last sweep reported */
	__u64 cookie;       /* 0: not opened yet */
	__u32 flags;        /* enum traffic_socket_flags */
	__u32 silent;       /* sweeps in a row that found nothing new; back to 0 with each call */

	__u64 owner_start;  /* 0: nobody yet; compared alone: no two processes start in one nanosecond */
	__u64 foreign[_TRAFFIC_DIRECTION_MAX]; /* by others */
	__u64 folded[_TRAFFIC_DIRECTION_MAX];  /* of the owner's bytes: already in its sums */
	__u64 tcp_done[_TRAFFIC_DIRECTION_MAX]; /* TCP's count of connections that this socket had before */
	__u64 tcp_base[_TRAFFIC_DIRECTION_MAX]; /* TCP's 64-bit counters at the start */
	__u64 tcp_told[_TRAFFIC_DIRECTION_MAX];  /* the most that a look told of tcp_count() */
	__u64 tcp_final[_TRAFFIC_DIRECTION_MAX]; /* what tcp_count() said when TCP was done with it */
	__u64 received_at_end; /* tcp_sock.bytes_received then */
	__u64 before[_TRAFFIC_DIRECTION_MAX];
	__u64 overlap[_TRAFFIC_DIRECTION_MAX]; /* of the calls' bytes: in .before too */
	__u32 seq_base[_TRAFFIC_DIRECTION_MAX]; /* write_seq and copied_seq at the start */
	__u64 cut_rx;
	__u64 read_tcp; /* of what TCP counts as read: credited to who read it (sets without sock_recv_length) */
	__u64 call_id;  /* key of the map "calls", if that is in use */
	__u64 opened_ns;
	__u64 syn_ns;
	__u64 wire[_TRAFFIC_DIRECTION_MAX], retransmitted_bytes; /* taken at the end */
	struct traffic_tuple tuple;
	struct traffic_peer_key pending; /* .reserved[0]: the direction */
	__u32 retransmits, timeouts;
	__u32 connect_us;
	__u32 n_peers;
	__u32 error;
	__u32 owner_pid;
	__u32 holder_look;  /* the look in which .holder was found */
	__u32 holder_pid;
	__u32 n_holders;    /* in that look: 1, or 2 for several */
	__u64 holder_start;
	__u32 round;        /* the round in which a sweep reported it whatever it was */
	__u8 role;
	__u8 close_state;
	__u8 reserved[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct traffic_storage);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TRAFFIC_PROCESSES_MAX);
	__type(key, struct traffic_key);
	__type(value, struct traffic_sums);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TRAFFIC_PEERS_MAX);
	__type(key, struct traffic_peer_key);
	__type(value, struct traffic_bytes);
} peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, TRAFFIC_RING_BYTES);
} news SEC(".maps");

/* Set before loading: what is false here is no code any more once the verifier has gone through it. */
const volatile bool have_ring = true;   /* the kernel has ring buffers; without: only the sweeps tell */
const volatile bool have_loop = true;   /* it has bpf_loop() */
const volatile bool calls_apart = false; /* the calls' hooks cannot reach socket storage: see the map "calls" */
const volatile bool ends_seen = true;    /* programs of the cgroup hierarchy see UDP sockets begin and end */
const volatile bool receive_noblock = false; /* recvmsg functions have a parameter more, before 5.19 */

/* On a page's beginning, for thread_tag(). */
struct traffic_control control __attribute__((aligned(4096))) = {};

/* Several processors set flags of one socket at once. */
static __always_inline void set_flags(struct traffic_storage *st, __u32 flags)
{
	__sync_fetch_and_or(&st->flags, flags);
}

static __always_inline void clear_flags(struct traffic_storage *st, __u32 flags)
{
	__sync_fetch_and_and(&st->flags, ~flags);
}

/* An eighth full: wake the reader. Otherwise it looks every 50 ms by itself, which costs the watched
 * programs nothing. */
static __always_inline __u64 traffic_wakeup(void)
{
	if (have_ring && bpf_ringbuf_query(&news, BPF_RB_AVAIL_DATA) > TRAFFIC_RING_BYTES / 8)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

static __always_inline void *traffic_reserve(__u32 type, __u32 size)
{
	struct traffic_head *head;

	if (!have_ring)
		return NULL;
	head = bpf_ringbuf_reserve(&news, size, 0);
	if (!head) {
		__sync_fetch_and_add(&control.lost, 1);
		return NULL;
	}
	head->type = type;
	head->size = size;
	return head;
}
