// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_account.bpf.h"

/* The set "tcp-fentry": the protocols' own functions, for kernels without the socket layer's tracepoints. What TCP sent
 * is what tcp_sendmsg() returned; what was read is how far copied_seq has come at tcp_cleanup_rbuf(), which every way to
 * read passes (its argument alone would count peeked bytes, and a receive that waits for more again and again). */

struct tuck; /* never defined: keeps the macros' semicolons */

static __noinline int account_rarely(void *ctx, struct sock *sk, __u64 n, int dir)
{
	return account(ctx, sk, n, dir);
}

/* --- what is sent: each call's result ---------------------------------------------------------- */

SEC("fexit/tcp_sendmsg")
int BPF_PROG(traffic_x_tcp_sendmsg, struct sock *sk, struct msghdr *msg, __u64 size, int ret)
{
	return ret > 0 ? account(ctx, sk, ret, TRAFFIC_TX) : 0;
}

SEC("fexit/udp_sendmsg")
int BPF_PROG(traffic_x_udp_sendmsg, struct sock *sk, struct msghdr *msg, __u64 size, int ret)
{
	/* udpv6_sendmsg() hands mapped addresses on to here. */
	return ret > 0 && sk->__sk_common.skc_family == AF_INET ? account(ctx, sk, ret, TRAFFIC_TX) : 0;
}

SEC("fexit/udpv6_sendmsg")
int BPF_PROG(traffic_x_udpv6_sendmsg, struct sock *sk, struct msghdr *msg, __u64 size, int ret)
{
	return ret > 0 ? account(ctx, sk, ret, TRAFFIC_TX) : 0;
}

#define SENDS(function)                                                                                    \
	SEC("fexit/" #function)                                                                            \
	int BPF_PROG(traffic_x_##function, struct sock *sk, struct msghdr *msg, __u64 size, int ret)       \
	{                                                                                                  \
		return ret > 0 ? account_rarely(ctx, sk, ret, TRAFFIC_TX) : 0;                             \
	}                                                                                                  \
	struct tuck

SENDS(mptcp_sendmsg);
SENDS(raw_sendmsg);
SENDS(rawv6_sendmsg);
SENDS(ping_v4_sendmsg);
SENDS(ping_v6_sendmsg);
SENDS(tcp_bpf_sendmsg); /* of a socket in a socket map */

/* sendfile() and splice() into a socket before 6.5. */
#define SENDS_PAGES(function)                                                                              \
	SEC("fexit/" #function)                                                                            \
	int BPF_PROG(traffic_x_##function, struct sock *sk, struct page *page, int offset, __u64 size,     \
		     int flags, int ret)                                                                   \
	{                                                                                                  \
		return ret > 0 ? account_rarely(ctx, sk, ret, TRAFFIC_TX) : 0;                             \
	}                                                                                                  \
	struct tuck

SENDS_PAGES(tcp_sendpage);
SENDS_PAGES(tcp_bpf_sendpage);

/* udp_sendpage() may hand its page on to udp_sendmsg(); otherwise it ends here. */
SEC("fexit/ip_append_page")
int BPF_PROG(traffic_x_ip_append_page, struct sock *sk, void *fl4, struct page *page, int offset, __u64 size,
	     int flags, int ret)
{
	return ret == 0 ? account_rarely(ctx, sk, size, TRAFFIC_TX) : 0;
}

#define SENDS_UNIX(function)                                                                               \
	SEC("fexit/" #function)                                                                            \
	int BPF_PROG(traffic_x_##function, struct socket *sock, struct msghdr *msg, __u64 size, int ret)   \
	{                                                                                                  \
		return ret > 0 ? account_unix(sock->sk, ret, TRAFFIC_TX) : 0;                              \
	}                                                                                                  \
	struct tuck

SENDS_UNIX(unix_stream_sendmsg);
SENDS_UNIX(unix_seqpacket_sendmsg);

/* unix_seqpacket_sendmsg() and _recvmsg() may end in these, or hold a copy of them: the compiler chose. */
static __always_inline bool is_seqpacket(struct sock *sk)
{
	return sk->sk_type == SOCK_SEQPACKET;
}

SEC("fexit/unix_dgram_sendmsg")
int BPF_PROG(traffic_x_unix_dgram_sendmsg, struct socket *sock, struct msghdr *msg, __u64 size, int ret)
{
	return ret > 0 && !is_seqpacket(sock->sk) ? account_unix(sock->sk, ret, TRAFFIC_TX) : 0;
}

SEC("fexit/unix_stream_sendpage")
int BPF_PROG(traffic_x_unix_stream_sendpage, struct socket *sock, struct page *page, int offset, __u64 size,
	     int flags, long ret)
{
	return ret > 0 ? account_unix(sock->sk, ret, TRAFFIC_TX) : 0;
}

/* --- what is received -------------------------------------------------------------------------- */

/* TCP counts an urgent byte as it passes it. Whether somebody took it with MSG_OOB is not seen here, so it is left to the
 * remainder "urgent". */
static __always_inline __u32 urgent_passed(__u32 end, __u32 n, __u32 urg_seq, unsigned long flags)
{
	return !((flags >> SOCK_URGINLINE) & 1) && traffic_passed(end, n, urg_seq);
}

SEC("fentry/tcp_cleanup_rbuf")
int BPF_PROG(traffic_e_tcp_cleanup_rbuf, struct sock *sk, int copied)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct traffic_storage *st;
	struct traffic_sequence now;
	__u64 count;

	if (!tp || (bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp))
		return 0; /* a subflow: the program's bytes are counted on the MPTCP socket */
	st = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!st || !(st->flags & TRAFFIC_SOCKET_BASED))
		return account_slow(sk, 0, TRAFFIC_RX); /* it is its reader's; TCP's count will tell how much */
	tcp_sequence(sk, tp, sk->__sk_common.skc_state, &now);
	count = tcp_count(st, tp, &now, TRAFFIC_RX);
	if (count <= st->read_tcp)
		return 0; /* peeked at, or called for an acknowledgement's sake */
	count -= st->read_tcp;
	st->read_tcp += count;
	count -= urgent_passed(now.low[TRAFFIC_RX], count, tp->urg_seq, sk->__sk_common.skc_flags);
	return account(ctx, sk, count, TRAFFIC_RX);
}

/* Bytes that came through a socket map, past TCP. With a verdict program on the stream they come from the socket's own
 * queue too, and TCP counts those. */
SEC("fexit/sk_msg_recvmsg")
int BPF_PROG(traffic_x_sk_msg_recvmsg, struct sock *sk, struct sk_psock *psock, struct msghdr *msg, int len,
	     int flags, int ret)
{
	if (ret <= 0 || flags & MSG_PEEK || psock->progs.stream_verdict || psock->progs.skb_verdict)
		return 0;
	return account_rarely(ctx, sk, ret, TRAFFIC_RX);
}

/* How much a thread wants of a datagram, where it asked to be told the length of all of it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
} wanted SEC(".maps");

static __noinline int note_wanted(__u64 len, int flags)
{
	__u64 me = bpf_get_current_pid_tgid();

	if (flags & MSG_TRUNC && !(flags & (MSG_PEEK | MSG_ERRQUEUE))) {
		bpf_map_update_elem(&wanted, &me, &len, BPF_ANY);
		control.truncating = 1;
	} else if (control.truncating) {
		bpf_map_delete_elem(&wanted, &me);
	}
	return 0;
}

#define RECEIVES_UDP(function)                                                                             \
	SEC("fentry/" #function)                                                                           \
	int BPF_PROG(traffic_e_##function, struct sock *sk, struct msghdr *msg, __u64 len, int fourth,     \
		     int fifth)                                                                            \
	{                                                                                                  \
		int flags = receive_noblock ? fifth : fourth;                                              \
													   \
		return unlikely(flags & MSG_TRUNC || control.truncating) ? note_wanted(len, flags) : 0;    \
	}                                                                                                  \
	struct tuck

RECEIVES_UDP(udp_recvmsg);
RECEIVES_UDP(udpv6_recvmsg);

/* The end of a receive that takes a datagram away, in a call that was under way before weir too; len is below zero where
 * it was only looked at. */
SEC("fentry/skb_consume_udp")
int BPF_PROG(traffic_e_skb_consume_udp, struct sock *sk, struct sk_buff *skb, int len)
{
	__u64 n = len;

	if (len <= 0)
		return 0;
	if (unlikely(control.truncating)) {
		__u64 me = bpf_get_current_pid_tgid(), *want = bpf_map_lookup_elem(&wanted, &me);

		if (want && *want < n)
			n = *want;
	}
	return n ? account(ctx, sk, n, TRAFFIC_RX) : 0;
}

static __always_inline __u64 datagram_taken(__u64 len, int flags, int ret)
{
	if (ret <= 0 || flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	return (__u64)ret > len ? len : (__u64)ret; /* MSG_TRUNC: ret is the whole datagram's length */
}

/* Parameters: sk, msg, len, (noblock,) flags, addr_len; then the result. */
#define RECEIVES(function)                                                                                 \
	SEC("fexit/" #function)                                                                            \
	int traffic_x_##function(unsigned long long *ctx)                                                  \
	{                                                                                                  \
		int flags, ret;                                                                            \
		__u64 n;                                                                                   \
													   \
		if (receive_noblock) {                                                                     \
			flags = ctx[4];                                                                    \
			ret = ctx[6];                                                                      \
			barrier(); /* or the compiler makes one load of a computed place of the two */     \
		} else {                                                                                   \
			flags = ctx[3];                                                                    \
			ret = ctx[5];                                                                      \
		}                                                                                          \
		n = datagram_taken(ctx[2], flags, ret);                                                    \
		return n ? account_rarely(ctx, (struct sock *)ctx[0], n, TRAFFIC_RX) : 0;                  \
	}                                                                                                  \
	struct tuck

RECEIVES(mptcp_recvmsg);
RECEIVES(raw_recvmsg);
RECEIVES(rawv6_recvmsg);
RECEIVES(ping_recvmsg);

SEC("fexit/unix_dgram_recvmsg")
int BPF_PROG(traffic_x_unix_dgram_recvmsg, struct socket *sock, struct msghdr *msg, __u64 len, int flags, int ret)
{
	__u64 n = datagram_taken(len, flags, ret);

	return n && !is_seqpacket(sock->sk) ? account_unix(sock->sk, n, TRAFFIC_RX) : 0;
}

SEC("fexit/unix_seqpacket_recvmsg")
int BPF_PROG(traffic_x_unix_seqpacket_recvmsg, struct socket *sock, struct msghdr *msg, __u64 len, int flags,
	     int ret)
{
	__u64 n = datagram_taken(len, flags, ret);

	return n ? account_unix(sock->sk, n, TRAFFIC_RX) : 0;
}

/* Each piece that is copied, in a call that was under way before weir too. */
SEC("fexit/unix_stream_read_actor")
int BPF_PROG(traffic_x_unix_stream_read_actor, struct sk_buff *skb, int skip, int chunk,
	     struct unix_stream_read_state *state, int ret)
{
	return ret > 0 && !(state->flags & MSG_PEEK) ? account_unix(state->socket->sk, ret, TRAFFIC_RX) : 0;
}

SEC("fexit/unix_stream_splice_actor")
int BPF_PROG(traffic_x_unix_stream_splice_actor, struct sk_buff *skb, int skip, int chunk,
	     struct unix_stream_read_state *state, int ret)
{
	return ret > 0 ? account_unix(state->socket->sk, ret, TRAFFIC_RX) : 0;
}
