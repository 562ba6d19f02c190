// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_name.bpf.h"

/* A kprobe cannot reach a socket's storage. So the calls of the set "tcp-kprobe" are noted beside it, by the socket's
 * cookie, and whoever looks at the socket (a sweep, its end) takes over what they say. */

struct traffic_calls {
	__u64 owner_start; /* who called first; 0: nobody */
	__u64 bytes[_TRAFFIC_DIRECTION_MAX];   /* by that process */
	__u64 foreign[_TRAFFIC_DIRECTION_MAX]; /* by others: in their sums already */
	__u64 passed_on[_TRAFFIC_DIRECTION_MAX]; /* of .bytes: put into sums, where the storage has another owner */
	__u64 opened_ns;
	struct traffic_tuple tuple; /* UDP: as of the first call */
	__u32 owner_pid;
	__u32 read_seq; /* of TCP's copied_seq: what lies before is credited */
	__u32 based;    /* .read_seq is known */
	__u32 n_peers;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TRAFFIC_CALLS_MAX);
	__type(key, __u64);
	__type(value, struct traffic_calls);
} calls SEC(".maps");

/* -1: not counted (netlink, packet sockets and the like carry no traffic of their own). */
static __always_inline int transport_from(__u16 family, __u16 protocol)
{
	if (family == AF_UNIX)
		return TRAFFIC_UNIX;
	if (family != AF_INET && family != AF_INET6)
		return -1;
	switch (protocol) {
	case IPPROTO_TCP:
		return TRAFFIC_TCP;
	case IPPROTO_UDP:
		return TRAFFIC_UDP;
	case IPPROTO_MPTCP:
		return TRAFFIC_MPTCP;
	}
	return TRAFFIC_OTHER;
}

/* Without programs of a cgroup hierarchy nobody hears of the end of a socket that is not TCP's: nothing is kept with it
 * then, its bytes are its user's at once. */
static __always_inline bool end_seen(int transport)
{
	return ends_seen || transport == TRAFFIC_TCP;
}

/* An accepted MPTCP socket has its listener's cookie, so there the address stands for it. */
static __always_inline __u64 call_id(int transport, __u64 cookie, __u64 address)
{
	return transport == TRAFFIC_MPTCP ? address : cookie;
}

/* Both tell the same time of birth, which the keys of peers hold too. */
static __noinline int calls_make(struct traffic_storage *st)
{
	struct traffic_calls *c, fresh = {};

	if (!st)
		return 0;
	fresh.opened_ns = st->opened_ns;
	fresh.tuple = st->tuple;
	bpf_map_update_elem(&calls, &st->call_id, &fresh, BPF_NOEXIST);
	c = bpf_map_lookup_elem(&calls, &st->call_id);
	if (c)
		st->opened_ns = c->opened_ns;
	else
		__sync_fetch_and_add(&control.full_map, 1);
	return 0;
}

static __always_inline void calls_open(struct traffic_storage *st)
{
	if (calls_apart)
		calls_make(st);
}

/* From here on what is read is told by copied_seq. */
static __always_inline void calls_base(const struct traffic_storage *st, __u32 read_seq)
{
	struct traffic_calls *c;

	if (!calls_apart)
		return;
	c = bpf_map_lookup_elem(&calls, &st->call_id);
	if (!c)
		return;
	c->read_seq = read_seq;
	c->based = 1;
}

/* What calls moved before the storage was there. */
static __always_inline __u64 calls_moved(const struct traffic_storage *st, int dir)
{
	struct traffic_calls *c = calls_apart ? bpf_map_lookup_elem(&calls, &st->call_id) : NULL;

	return c ? c->bytes[dir] + c->foreign[dir] : 0;
}

/* The storage's owner is one who never called (it held the socket alone, or closed it last), and bytes are in its sums
 * already: the calls' bytes go to who called. */
static __noinline int calls_pass_on(struct traffic_calls *c, __u32 transport)
{
	struct traffic_key key;

	if (!c)
		return 0;
	key.start_ns = c->owner_start;
	key.pid = c->owner_pid;
	key.reserved = 0;
	for (int dir = 0; dir < _TRAFFIC_DIRECTION_MAX; dir++) {
		__u64 now = c->bytes[dir], had = c->passed_on[dir];

		if (now > had && __sync_val_compare_and_swap(&c->passed_on[dir], had, now) == had)
			add_sums(process_sums_by_key(&key), transport, now - had, dir);
	}
	return 0;
}

static __noinline int calls_take_over(struct traffic_storage *st)
{
	struct traffic_calls *c;
	bool own = true;
	__u64 id;

	if (!st || !st->call_id)
		return 0;
	id = st->call_id; /* an iterator's value is no key for a map */
	c = bpf_map_lookup_elem(&calls, &id);
	if (!c)
		return 0;
	if (!st->cookie) {
		/* UDP: nobody had used it so far. */
		st->tuple = c->tuple;
		st->opened_ns = c->opened_ns;
		st->cookie = st->call_id;
	}
	if (c->owner_start && st->owner_start != c->owner_start) {
		if (!st->owner_start || st->flags & TRAFFIC_SOCKET_TENTATIVE) {
			st->owner_start = c->owner_start;
			st->owner_pid = c->owner_pid;
		} else {
			own = false;
			calls_pass_on(c, st->tuple.transport);
		}
	}
	if (c->owner_start && st->flags & TRAFFIC_SOCKET_TENTATIVE)
		clear_flags(st, TRAFFIC_SOCKET_TENTATIVE);
	for (int dir = 0; dir < _TRAFFIC_DIRECTION_MAX; dir++) {
		__u64 bytes = own ? c->bytes[dir] : 0, foreign = c->foreign[dir] + (own ? 0 : c->passed_on[dir]);

		if (bytes != st->bytes[dir] || foreign != st->foreign[dir])
			st->silent = 0;
		st->bytes[dir] = bytes;
		st->foreign[dir] = foreign;
		if (foreign)
			set_flags(st, TRAFFIC_SOCKET_SHARED);
	}
	if (c->n_peers)
		set_flags(st, TRAFFIC_SOCKET_PEERS);
	return 0;
}

/* Before anybody reads the storage's account. */
static __always_inline void calls_merge(struct traffic_storage *st)
{
	if (calls_apart)
		calls_take_over(st);
}

static __always_inline void calls_end(const struct traffic_storage *st)
{
	if (calls_apart && st->call_id)
		bpf_map_delete_elem(&calls, &st->call_id);
}
