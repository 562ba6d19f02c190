// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_socket.bpf.h"

/* One send or receive, in the context of the process that called. */

static __always_inline __u64 caller_start(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->group_leader->start_boottime;
}

/* Which thread runs, without calling a helper, which costs more than all the rest of an account (a return is slow on
 * processors that have to be kept from speculating over it): the page of the kernel's stack that it is on. The context
 * of the program lies there. One pointer is not a number to the verifier, but the difference of two is; control lies on
 * a page's beginning, so the difference says which page. No two threads that live have the same. A stack is used again
 * after its thread has ended, so the tag holds how many have: with each end all tags are void. */
#define TAG_EXITS 0xffffffull

static __always_inline __u64 thread_tag(void *ctx)
{
	__u64 at = (__u64)ctx;

	asm volatile("%0 -= %1" : "+r"(at) : "r"(&control));
	return at >> 12 << 24 | (control.exits & TAG_EXITS);
}

static __always_inline bool tag_void(__u64 tag)
{
	return (tag ^ control.exits) & TAG_EXITS;
}

/* Whether the caller is the socket's owner; if so, the next call of this thread is known by its tag. Where several
 * threads take turns, the first keeps it. */
static __noinline int is_owner(struct traffic_storage *st, __u64 tag)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 me = task->group_leader->start_boottime;

	if (!st || st->owner_start != me)
		return 0;
	if (task->flags & PF_EXITING || (st->user_tag && !tag_void(st->user_tag)))
		return 1;
	/* Somebody may claim the socket just now: who changes the owner takes the tag away afterwards. */
	__sync_lock_test_and_set(&st->user_tag, tag);
	if (*(volatile __u64 *)&st->owner_start != me)
		st->user_tag = 0;
	return 1;
}

/* UDP without connect(): who the bytes went to or came from was noted by the address hooks just before. What
 * cannot be told (a receive that did not ask for the address) stays in the socket's own sum. */
static __noinline int account_peer(struct sock *sk, struct traffic_storage *st, __u64 n, int dir)
{
	struct traffic_peer_key key;
	struct traffic_bytes *sums;

	if (!sk || !st)
		return 0;
	if (sk->__sk_common.skc_state == TCP_ESTABLISHED) {
		st->pending_task = 0; /* connected since: what was noted was for a send that failed */
		return 0;
	}
	if (st->pending_task != bpf_get_current_pid_tgid() || st->pending.reserved[0] != dir)
		return 0;
	__builtin_memcpy(&key, &st->pending, sizeof(key));
	barrier();
	if (st->pending_task != bpf_get_current_pid_tgid())
		return 0; /* another thread has begun to write there: whose address it is cannot be told */
	st->pending_task = 0;
	key.cookie = st->cookie;
	key.opened_ns = st->opened_ns;
	key.reserved[0] = 0;
	sums = bpf_map_lookup_elem(&peers, &key);
	if (!sums) {
		struct traffic_bytes fresh = {};

		if (st->n_peers >= TRAFFIC_PEERS_PER_SOCKET)
			return 0;
		if (bpf_map_update_elem(&peers, &key, &fresh, BPF_NOEXIST)) {
			__sync_fetch_and_add(&control.full_map, 1);
			return 0;
		}
		st->n_peers++;
		set_flags(st, TRAFFIC_SOCKET_PEERS);
		sums = bpf_map_lookup_elem(&peers, &key);
		if (!sums)
			return 0;
	}
	__sync_fetch_and_add(&sums->bytes[dir & 1], n);
	return 0;
}

/* A socket that no other hook has seen: UDP at its first use, or TCP that was open before weir and was not found
 * by the seed. n bytes were just moved, so what TCP counts less n was before. */
static __noinline int open_in_call(struct sock *sk, struct traffic_storage *st, int transport, __u64 n,
					 int dir)
{
	struct tcp_sock *tp;
	__u8 state;

	if (!sk || !st)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	state = sk->__sk_common.skc_state;
	storage_open(sk, st, transport);
	if (tp && state != TCP_SYN_RECV && state != TCP_SYN_SENT && state != TCP_CLOSE) {
		struct traffic_sequence now;

		tcp_sequence(sk, tp, state, &now);
		for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++) {
			__u64 moved = d == dir ? n : 0;

			now.low[d] -= moved;
			now.about[d] -= moved;
			st->before[d] = now.about[d];
			st->tcp_base[d] = now.about[d];
		}
		tcp_base(st, &now);
		set_flags(st, TRAFFIC_SOCKET_SEEDED);
	}
	return 0;
}

static __always_inline bool claim(struct traffic_storage *st, __u64 me)
{
	__u64 old = st->owner_start;

	if (old == me) {
		if (st->flags & TRAFFIC_SOCKET_TENTATIVE)
			clear_flags(st, TRAFFIC_SOCKET_TENTATIVE);
		return true;
	}
	if (old && !(st->flags & TRAFFIC_SOCKET_TENTATIVE))
		return false;
	if (st->bytes[0] | st->bytes[1] | st->folded[0] | st->folded[1])
		return false;
	if (__sync_val_compare_and_swap(&st->owner_start, old, me) != old)
		return false;
	st->user_tag = 0;
	st->owner_pid = bpf_get_current_pid_tgid() >> 32;
	clear_flags(st, TRAFFIC_SOCKET_TENTATIVE);
	return true;
}

/* The sums of the process that calls, if they are there and the reader knows whose they are. Each helper that is called
 * costs as much as all the rest, so the task answers for pid and start. */
static __always_inline struct traffic_sums *caller_sums(struct task_struct *task)
{
	struct traffic_key key = { .start_ns = task->group_leader->start_boottime, .pid = task->tgid };
	struct traffic_sums *sums = bpf_map_lookup_elem(&processes, &key);

	return sums && sums->named ? sums : NULL;
}

static __noinline int account_slow(struct sock *sk, __u64 n, int dir)
{
	struct task_struct *task = bpf_get_current_task_btf();
	int transport = transport_of(sk);
	struct traffic_storage *st;
	struct traffic_sums *sums;
	__u64 me = caller_start();
	bool fresh;

	if (transport < 0)
		return 0;
	sums = caller_sums(task);
	if (!sums)
		sums = process_sums(leader_of(task));
	if (transport == TRAFFIC_UNIX || transport == TRAFFIC_OTHER || !end_seen(transport))
		goto sums_only;
	st = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!st)
		goto sums_only;
	fresh = !st->cookie;
	st->silent = 0;
	if (fresh)
		open_in_call(sk, st, transport, n, dir);
	if (claim(st, me)) {
		__sync_fetch_and_add(&st->bytes[dir & 1], n);
		if (fresh)
			send_socket(sk, st, TRAFFIC_SOCKET_OPEN, 0);
		if (st->pending_task)
			account_peer(sk, st, n, dir);
		return 0;
	}
	/* Another process than the owner, on an inherited or passed socket: straight into its sums, and there first,
	 * so that a look in between never sees more on sockets than in sums. */
	if (!(st->flags & TRAFFIC_SOCKET_SHARED))
		set_flags(st, TRAFFIC_SOCKET_SHARED);
	add_sums(sums, transport, n, dir);
	__sync_fetch_and_add(&st->foreign[dir & 1], n);
	if (st->pending_task)
		account_peer(sk, st, n, dir);
	return 0;
sums_only:
	return add_sums(sums, transport, n, dir);
}

/* A Unix socket has no end that a hook sees, so nothing is kept with it: its bytes are its user's at once. */
static __always_inline int account_unix(struct sock *sk, __u64 n, int dir)
{
	struct traffic_sums *sums = caller_sums(bpf_get_current_task_btf());

	if (unlikely(!sums))
		return account_slow(sk, n, dir);
	__sync_fetch_and_add(&sums->by[TRAFFIC_UNIX].bytes[dir], n);
	return 0;
}

static __always_inline int account(void *ctx, struct sock *sk, __u64 n, int dir)
{
	struct traffic_storage *st;
	__u64 tag;

	if (sk->__sk_common.skc_family == AF_UNIX)
		return account_unix(sk, n, dir);
	st = bpf_sk_storage_get(&sockets, sk, 0, 0);
	tag = thread_tag(ctx);
	if (likely(st && (st->user_tag == tag || is_owner(st, tag)))) {
		__sync_fetch_and_add(&st->bytes[dir], n);
		st->silent = 0;
		if (unlikely(st->pending_task))
			account_peer(sk, st, n, dir);
		return 0;
	}
	return account_slow(sk, n, dir);
}

/* A datagram taken with MSG_TRUNC: the call returned its length, not how much of it was copied. It is counted
 * apart; the socket and its user are known all the same. */
static __noinline int account_cut(struct sock *sk, __u64 n)
{
	struct traffic_storage *st;

	account_slow(sk, 0, TRAFFIC_RX);
	st = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!st) {
		__sync_fetch_and_add(&control.cut, n);
		return 0;
	}
	set_flags(st, TRAFFIC_SOCKET_CUT);
	__sync_fetch_and_add(&st->cut_rx, n);
	return 0;
}
