// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_calls.bpf.h"

/* What TCP itself counted, where a socket's bytes begin and end, and the record that tells of it. */

/* Sequence numbers that stand for the program's bytes only: without the FIN, which takes one too. */
struct traffic_sequence {
	__u32 low[_TRAFFIC_DIRECTION_MAX];   /* exact, modulo 2^32 */
	__u64 about[_TRAFFIC_DIRECTION_MAX]; /* 64 bits, exact when the socket is locked */
};

/* tx: what was queued; rx: what was read. Source: tcp_sendmsg_locked() advances write_seq, tcp_recvmsg_locked(),
 * tcp_splice_read() and tcp_zerocopy_receive() advance copied_seq; a FIN that was read is in copied_seq. */
static __always_inline void tcp_sequence(const struct sock *sk, struct tcp_sock *tp, __u8 state,
					 struct traffic_sequence *ret)
{
	__u32 fin_sent = traffic_fin_sent(state);
	__u32 write_seq = tp->write_seq, copied_seq = tp->copied_seq, rcv_nxt = tp->rcv_nxt, fin_read;

	/* Without the lock in this order: what is read later may make it one too few for a moment, never too many. */
	barrier();
	fin_read = (sk->__sk_common.skc_flags >> SOCK_DONE) & 1 && copied_seq == rcv_nxt;

	ret->low[TRAFFIC_TX] = write_seq - fin_sent;
	ret->low[TRAFFIC_RX] = copied_seq - fin_read;
	ret->about[TRAFFIC_TX] = tp->bytes_sent - tp->bytes_retrans + (__u32)(write_seq - tp->snd_nxt);
	ret->about[TRAFFIC_RX] = tp->bytes_received - (__u32)(rcv_nxt - copied_seq) - fin_read;
}

/* TCP may be done with a socket while data that has arrived waits to be read: then copied_seq still moves on.
 * An abort (tcp_disconnect()) zeroes the counters instead, which bytes_received gives away. */
static __always_inline __u64 tcp_count(const struct traffic_storage *st, const struct tcp_sock *tp,
				       const struct traffic_sequence *now, int dir)
{
	if (!(st->flags & TRAFFIC_SOCKET_BASED))
		return st->tcp_done[dir];
	if (st->flags & TRAFFIC_SOCKET_FINAL &&
	    (dir == TRAFFIC_TX || tp->bytes_received != st->received_at_end))
		return st->tcp_final[dir];
	return st->tcp_done[dir] +
	       traffic_extend(now->low[dir] - st->seq_base[dir], now->about[dir] - st->tcp_base[dir]);
}

/* From here on TCP's counters are compared with the calls'; call it with the socket locked. */
static __always_inline void tcp_base(struct traffic_storage *st, const struct traffic_sequence *now)
{
	for (int dir = 0; dir < _TRAFFIC_DIRECTION_MAX; dir++)
		st->seq_base[dir] = now->low[dir] - (__u32)(now->about[dir] - st->tcp_base[dir]);
	calls_base(st, st->seq_base[TRAFFIC_RX]);
	clear_flags(st, TRAFFIC_SOCKET_FINAL);
	set_flags(st, TRAFFIC_SOCKET_BASED);
}

static __always_inline int transport_of(const struct sock *sk)
{
	return transport_from(sk->__sk_common.skc_family, sk->sk_protocol);
}

static __always_inline void fill_tuple(const struct sock *sk, struct traffic_tuple *t, int transport)
{
	__u16 family = sk->__sk_common.skc_family;
	__u16 port = sk->__sk_common.skc_num;

	if (!port) {
		/* Already unhashed: accepted sockets keep their port only here. */
		port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	}
	t->local_port = port;
	t->peer_port = bpf_ntohs(sk->__sk_common.skc_dport);
	t->transport = transport;
	t->family = family;
	t->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (family == AF_INET) {
		__be32 *local = (__be32 *)t->local, *peer = (__be32 *)t->peer;

		__builtin_memset(t->local, 0, sizeof(t->local));
		__builtin_memset(t->peer, 0, sizeof(t->peer));
		*local = sk->__sk_common.skc_rcv_saddr;
		*peer = sk->__sk_common.skc_daddr;
	} else {
		bpf_core_read(t->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(t->peer, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

static __always_inline __u64 jiffy_us(void)
{
	return traffic_jiffy_us(bpf_jiffies64() - control.began_jiffies, bpf_ktime_get_ns() - control.began_ns);
}

static __always_inline void fill_tcp(struct traffic_socket *r, struct tcp_sock *tp)
{
	__u64 chrono[3], us = jiffy_us();
	__u32 type = BPF_CORE_READ_BITFIELD(tp, chrono_type); /* two bits of a byte before 6.8 */

	for (int i = 0; i < 3; i++)
		chrono[i] = tp->chrono_stat[i];
	if (type >= TCP_CHRONO_BUSY && type <= TCP_CHRONO_SNDBUF_LIMITED) {
		__u32 running = (__u32)bpf_jiffies64() - tp->chrono_start;

		chrono[0] += type == TCP_CHRONO_BUSY ? running : 0;
		chrono[1] += type == TCP_CHRONO_RWND_LIMITED ? running : 0;
		chrono[2] += type == TCP_CHRONO_SNDBUF_LIMITED ? running : 0;
	}
	r->rwnd_limited_us = chrono[1] * us;
	r->sndbuf_limited_us = chrono[2] * us;
	r->busy_us = (chrono[0] + chrono[1] + chrono[2]) * us;
	r->srtt_us = tp->srtt_us >> 3;
	r->rtt_min_us = tp->rtt_min.s[0].v;
	r->cwnd = tp->snd_cwnd;
	r->ssthresh = tp->snd_ssthresh;
	r->rcv_wnd = tp->rcv_wnd;
}

static __always_inline void take_wire(struct traffic_storage *st, const struct sock *sk, struct tcp_sock *tp)
{
	st->wire[TRAFFIC_TX] = tp->bytes_sent - tp->bytes_retrans;
	st->wire[TRAFFIC_RX] = tp->bytes_received - ((sk->__sk_common.skc_flags >> SOCK_DONE) & 1);
	st->retransmitted_bytes = tp->bytes_retrans;
	st->retransmits = tp->total_retrans;
	st->timeouts = bpf_core_field_exists(tp->total_rto) ? tp->total_rto : TRAFFIC_TIMEOUTS_UNKNOWN;
	if (tp->urg_seq && !(st->flags & TRAFFIC_SOCKET_URGENT))
		set_flags(st, TRAFFIC_SOCKET_URGENT);
}

/* claim() writes start, pid, flags, in this order: what is read after flags that say that it is done is one process. */
static __always_inline void fill_owner(struct traffic_socket *r, const struct traffic_storage *st)
{
	r->flags = st->flags;
	barrier();
	r->owner.start_ns = st->owner_start;
	r->owner.pid = st->owner_pid;
}

/* What stands in the storage; enough for a socket that is gone already. */
static __always_inline void fill_stored(struct traffic_socket *r, struct traffic_storage *st)
{
	calls_merge(st);
	r->cookie = st->cookie;
	fill_owner(r, st);
	r->tuple = st->tuple;
	r->at_ns = bpf_ktime_get_ns();
	r->opened_ns = st->opened_ns;
	r->hook_tx = st->bytes[TRAFFIC_TX] + st->foreign[TRAFFIC_TX] - st->overlap[TRAFFIC_TX];
	r->hook_rx = st->bytes[TRAFFIC_RX] + st->foreign[TRAFFIC_RX] - st->overlap[TRAFFIC_RX];
	r->foreign_tx = st->foreign[TRAFFIC_TX];
	r->foreign_rx = st->foreign[TRAFFIC_RX];
	r->cut_rx = st->cut_rx;
	r->before_tx = st->before[TRAFFIC_TX];
	r->before_rx = st->before[TRAFFIC_RX];
	r->wire_tx = st->wire[TRAFFIC_TX];
	r->wire_rx = st->wire[TRAFFIC_RX];
	r->retransmitted_bytes = st->retransmitted_bytes;
	r->retransmits = st->retransmits;
	r->timeouts = st->timeouts;
	r->connect_us = st->connect_us;
	r->role = st->role;
	r->state = TCP_CLOSE;
	r->close_state = st->close_state;
	r->error = st->error;
}

/* Once a call on a socket that was open before weir has returned. */
static __always_inline void settle(struct traffic_socket *r, struct traffic_storage *st)
{
	if (!(r->flags & TRAFFIC_SOCKET_SEEDED))
		return;
	if (r->hook_tx && !(r->flags & TRAFFIC_SOCKET_SETTLED_TX)) {
		st->overlap[TRAFFIC_TX] = traffic_overlap(r->hook_tx, r->tcp_tx, r->before_tx);
		r->hook_tx -= st->overlap[TRAFFIC_TX];
		set_flags(st, TRAFFIC_SOCKET_SETTLED_TX);
	}
	if (r->hook_rx && !(r->flags & TRAFFIC_SOCKET_SETTLED_RX)) {
		st->overlap[TRAFFIC_RX] = traffic_overlap(r->hook_rx, r->tcp_rx, r->before_rx);
		r->hook_rx -= st->overlap[TRAFFIC_RX];
		set_flags(st, TRAFFIC_SOCKET_SETTLED_RX);
	}
}

static __always_inline void fill_effective(struct traffic_socket *r, const struct traffic_storage *st)
{
	bool based = r->flags & TRAFFIC_SOCKET_BASED, shared = r->flags & TRAFFIC_SOCKET_SHARED;
	bool urgent = r->flags & TRAFFIC_SOCKET_URGENT;

	r->tx = traffic_effective(r->hook_tx, r->tcp_tx, based, shared, false);
	r->rx = traffic_effective(r->hook_rx, r->tcp_rx, based, shared, urgent);
	if (shared) {
		/* What bypassed the calls before a second process came is in the first one's sums. */
		r->tx = traffic_larger(r->tx, st->folded[TRAFFIC_TX] + r->foreign_tx);
		r->rx = traffic_larger(r->rx, st->folded[TRAFFIC_RX] + r->foreign_rx);
	}
}

#define FOLD_TRIES 4

/* Puts the owner's part into the sums of its process. Several processors may do so for one socket at once (the
 * sweep and the socket's end): who moves .folded adds, and who came second adds what is still missing. */
static __always_inline void fold(struct traffic_storage *st, const struct traffic_socket *r)
{
	struct traffic_key key = { .start_ns = r->owner.start_ns, .pid = r->owner.pid };
	__u64 want[_TRAFFIC_DIRECTION_MAX] = { r->tx - r->foreign_tx, r->rx - r->foreign_rx };
	__u64 had[_TRAFFIC_DIRECTION_MAX] = { st->folded[TRAFFIC_TX], st->folded[TRAFFIC_RX] };
	struct traffic_sums *sums;

	if (traffic_user_unknown(r->flags & TRAFFIC_SOCKET_TENTATIVE, r->hook_tx, r->hook_rx, r->tx, r->rx))
		return; /* until a look at the holders, or the close, tells */
	if (!key.start_ns || (want[0] <= had[0] && want[1] <= had[1]))
		return;
	sums = process_sums_by_key(&key);
	for (int dir = 0; dir < _TRAFFIC_DIRECTION_MAX; dir++) {
		for (int i = 0; i < FOLD_TRIES && want[dir] > had[dir]; i++) {
			__u64 now = __sync_val_compare_and_swap(&st->folded[dir], had[dir], want[dir]);

			if (now == had[dir]) {
				add_sums(sums, r->tuple.transport, want[dir] - had[dir], dir);
				break;
			}
			had[dir] = now;
		}
	}
}

/* tcp_close() enters the state of a FIN before the FIN takes its sequence number, and a FIN may arrive while we read. A
 * look that comes in between, without the lock, counts one byte too few: so no look tells less than the one before. */
static __always_inline __u64 tcp_told(struct traffic_storage *st, __u64 count, int dir)
{
	if ((__s64)count < (__s64)st->tcp_told[dir])
		return st->tcp_told[dir];
	st->tcp_told[dir] = count;
	return count;
}

/* Everything about a living socket. state: what it is about to be (the tracepoint comes before the store), or 0. */
static __noinline int fill_socket(struct traffic_socket *r, struct sock *sk, struct traffic_storage *st,
				  __u8 event, __u8 state)
{
	bool looked = !state;
	struct tcp_sock *tp;

	if (!r || !sk || !st)
		return 0;
	__builtin_memset(r, 0, sizeof(*r));
	r->head.type = TRAFFIC_RECORD_SOCKET;
	r->head.size = sizeof(*r);
	if (!state)
		state = sk->__sk_common.skc_state;
	tp = bpf_skc_to_tcp_sock(sk);
	/* The calls' sums first: a call that returns while we read must not seem to be ahead of TCP. */
	fill_stored(r, st);
	r->event = event;
	r->state = state;
	r->snd_buf = sk->sk_sndbuf;
	r->wmem_queued = sk->sk_wmem_queued;
	if (state == TCP_LISTEN && st->role == TRAFFIC_ROLE_LISTENER) {
		r->backlog = sk->sk_ack_backlog;
		r->max_backlog = sk->sk_max_ack_backlog;
		r->listen_drops = sk->sk_drops.counter;
	} else if (tp) {
		struct traffic_sequence now;

		tcp_sequence(sk, tp, state, &now);
		barrier();
		if (looked)
			state = sk->__sk_common.skc_state; /* it may have been closed meanwhile */
		if (!traffic_fin_sent(r->state) && traffic_fin_possible(state, st->flags & TRAFFIC_SOCKET_FINAL))
			tcp_sequence(sk, tp, TCP_FIN_WAIT1, &now);
		r->tcp_tx = tcp_told(st, tcp_count(st, tp, &now, TRAFFIC_TX), TRAFFIC_TX);
		r->tcp_rx = tcp_told(st, tcp_count(st, tp, &now, TRAFFIC_RX), TRAFFIC_RX);
		settle(r, st);
		if (!(st->flags & TRAFFIC_SOCKET_FINAL)) {
			take_wire(st, sk, tp);
			fill_tcp(r, tp);
		}
		fill_owner(r, st);
		r->wire_tx = st->wire[TRAFFIC_TX];
		r->wire_rx = st->wire[TRAFFIC_RX];
		r->retransmitted_bytes = st->retransmitted_bytes;
		r->retransmits = st->retransmits;
		r->timeouts = st->timeouts;
	}
	fill_effective(r, st);
	fold(st, r);
	return 0;
}

/* The one process that holds the socket is its user. */
static __always_inline bool holder_known(const struct traffic_storage *st)
{
	return st->flags & TRAFFIC_SOCKET_TENTATIVE && control.look && st->holder_look == control.look &&
	       st->n_holders == 1 && !st->bytes[0] && !st->bytes[1];
}

static __always_inline void adopt_holder(struct traffic_storage *st)
{
	if (!holder_known(st))
		return;
	st->owner_start = st->holder_start;
	st->user_tag = 0;
	st->owner_pid = st->holder_pid;
	clear_flags(st, TRAFFIC_SOCKET_TENTATIVE);
}

/* For what finds no room in the ring but must be added up all the same. A hook may interrupt another one on its
 * processor, in a softirq or as another task: each takes a record of its own. */
#define SPARES 4

struct traffic_spares {
	__u64 taken[SPARES];
	struct traffic_socket records[SPARES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct traffic_spares);
} spare SEC(".maps");

/* NULL: all are taken, by as many as interrupt each other here. */
static __always_inline struct traffic_socket *spare_take(__u64 **ret_taken)
{
	struct traffic_spares *s;
	__u32 zero = 0, at;

	s = bpf_map_lookup_elem(&spare, &zero);
	if (!s)
		return NULL;
	at = traffic_take_free(s->taken, SPARES);
	if (at >= SPARES) {
		__sync_fetch_and_add(&control.full_map, 1);
		return NULL;
	}
	*ret_taken = &s->taken[at];
	return &s->records[at];
}

static __always_inline void spare_give(__u64 *taken)
{
	barrier();
	*(volatile __u64 *)taken = 0;
}

static __noinline int send_socket(struct sock *sk, struct traffic_storage *st, __u8 event, __u8 state)
{
	struct traffic_socket *r;
	__u64 *taken;

	if (!sk || !st)
		return 0;
	if (event == TRAFFIC_SOCKET_OPEN && !control.watched)
		return 0; /* half of what short connections would put into the ring */
	r = traffic_reserve(TRAFFIC_RECORD_SOCKET, sizeof(*r));
	if (r) {
		fill_socket(r, sk, st, event, state);
		bpf_ringbuf_submit(r, traffic_wakeup());
		return 1;
	}
	r = spare_take(&taken);
	if (r) {
		fill_socket(r, sk, st, event, state);
		spare_give(taken);
	}
	return 0;
}

/* First sight of a socket: who it is, and where its bytes begin. The cookie comes last: a sweep that reads meanwhile
 * tells by it whether the rest is there. */
static __always_inline void storage_open(struct sock *sk, struct traffic_storage *st, int transport)
{
	__u64 cookie = bpf_get_socket_cookie(sk);

	st->call_id = call_id(transport, cookie, (__u64)sk);
	st->opened_ns = bpf_ktime_get_ns();
	fill_tuple(sk, &st->tuple, transport);
	barrier();
	st->cookie = cookie;
	calls_open(st);
}
