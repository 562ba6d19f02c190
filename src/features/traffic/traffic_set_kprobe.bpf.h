// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_account.bpf.h"

/* The set "tcp-kprobe", for kernels that have neither the socket layer's tracepoints nor fentry: the same functions by
 * kprobe and kretprobe. All that they are given is a number, so everything is read with the fault handled, and what they
 * find is kept in the map "calls".
 *
 * The kernel follows only some calls of a function until they return (twice the number of processors, at least ten), so
 * nothing that may wait for long is counted by its return alone: TCP's own counters say what was sent, what is read is
 * seen at functions that do not wait. */

enum in_call_function {
	IN_TCP_SENDMSG,
	IN_TCP_SENDPAGE,
	IN_TCP_BPF_SENDMSG,
	IN_TCP_BPF_SENDPAGE,
	IN_UDP_SENDMSG,
	IN_UDPV6_SENDMSG,
	IN_IP_APPEND_PAGE,
	IN_MPTCP_SENDMSG,
	IN_RAW_SENDMSG,
	IN_RAWV6_SENDMSG,
	IN_PING_V4_SENDMSG,
	IN_PING_V6_SENDMSG,
	IN_UNIX_STREAM_SENDMSG,
	IN_UNIX_STREAM_SENDPAGE,
	IN_UNIX_DGRAM_SENDMSG,
	IN_UNIX_SEQPACKET_SENDMSG,
	IN_SK_MSG_RECVMSG,
	IN_UDP_RECVMSG, /* of both families */
	IN_MPTCP_RECVMSG,
	IN_RAW_RECVMSG,
	IN_RAWV6_RECVMSG,
	IN_PING_RECVMSG,
	IN_UNIX_DGRAM_RECVMSG,
	IN_UNIX_SEQPACKET_RECVMSG,
	IN_UNIX_STREAM_ACTOR,
};

/* One function calls another (sendpage sendmsg), so each has its own entry. */
struct in_call_key {
	__u64 thread;
	__u32 function; /* enum in_call_function */
	__u32 reserved;
};

struct in_call {
	__u64 sk;
	__u64 msg; /* struct msghdr, or 0 */
	__u64 len; /* what the caller has room for */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TRAFFIC_IN_CALL_MAX);
	__type(key, struct in_call_key);
	__type(value, struct in_call);
} in_call SEC(".maps");

/* A return that was not followed leaves its entry; the thread's next call of the function overwrites it. */
static __noinline int call_enter(__u32 function, __u64 sk, __u64 msg, __u64 len)
{
	struct in_call_key key = { .thread = bpf_get_current_pid_tgid(), .function = function };
	struct in_call call = { .sk = sk, .msg = msg, .len = len };

	if (bpf_map_update_elem(&in_call, &key, &call, BPF_ANY))
		__sync_fetch_and_add(&control.full_map, 1);
	return 0;
}

static __noinline int call_forget(__u32 function)
{
	struct in_call_key key = { .thread = bpf_get_current_pid_tgid(), .function = function };

	bpf_map_delete_elem(&in_call, &key);
	return 0;
}

static __always_inline bool call_leave(__u32 function, struct in_call *ret)
{
	struct in_call_key key = { .thread = bpf_get_current_pid_tgid(), .function = function };
	struct in_call *call = bpf_map_lookup_elem(&in_call, &key);

	if (!call)
		return false;
	*ret = *call;
	bpf_map_delete_elem(&in_call, &key);
	return true;
}

static __always_inline int transport_read(struct sock *sk)
{
	return transport_from(BPF_CORE_READ(sk, __sk_common.skc_family), BPF_CORE_READ(sk, sk_protocol));
}

static __noinline int tuple_read(struct sock *sk, struct traffic_tuple *t, __u32 transport)
{
	if (!t)
		return 0;
	t->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	t->peer_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	t->transport = transport;
	t->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	t->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (t->family == AF_INET) {
		BPF_CORE_READ_INTO((__be32 *)t->local, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__be32 *)t->peer, sk, __sk_common.skc_daddr);
	} else {
		bpf_core_read(t->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(t->peer, 16, &sk->__sk_common.skc_v6_daddr);
	}
	return 0;
}

/* NULL: not a socket that weir knows (a kernel's own), or no room. */
static __noinline struct traffic_calls *calls_of(struct sock *sk, __u32 transport)
{
	__u64 id = call_id(transport, BPF_CORE_READ(sk, __sk_common.skc_cookie.counter), (__u64)sk);
	struct traffic_calls *c, fresh = {};

	if (!id || !end_seen(transport))
		return NULL;
	c = bpf_map_lookup_elem(&calls, &id);
	if (c)
		return c;
	fresh.opened_ns = bpf_ktime_get_ns();
	tuple_read(sk, &fresh.tuple, transport);
	bpf_map_update_elem(&calls, &id, &fresh, BPF_NOEXIST);
	c = bpf_map_lookup_elem(&calls, &id);
	if (!c)
		__sync_fetch_and_add(&control.full_map, 1);
	return c;
}

/* Whether the caller is the one whose bytes are kept with the socket: the first to call. */
static __always_inline bool calls_claim(struct traffic_calls *c, __u64 me)
{
	if (c->owner_start == me)
		return true;
	if (c->owner_start || __sync_val_compare_and_swap(&c->owner_start, 0, me))
		return false;
	c->owner_pid = bpf_get_current_pid_tgid() >> 32;
	return true;
}

static __always_inline struct traffic_sums *caller_sums_made(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct traffic_sums *sums = caller_sums(task);

	return sums ? sums : process_sums(leader_of(task));
}

/* UDP without connect(): the address that the caller gave or asked for. */
static __noinline int calls_peer(struct sock *sk, struct traffic_calls *c, __u64 msg_address, __u64 n, int dir)
{
	struct msghdr *msg = (void *)msg_address;
	struct traffic_peer_key key = {};
	struct traffic_bytes *sums, fresh = {};
	__u8 name[28] = {}; /* struct sockaddr_in, sockaddr_in6 */
	void *at;

	if (!c || !msg || BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_ESTABLISHED)
		return 0;
	at = BPF_CORE_READ(msg, msg_name);
	if (!at || bpf_probe_read_kernel(name, sizeof(name), at))
		return 0;
	key.family = *(__u16 *)name;
	key.port = bpf_ntohs(*(__u16 *)(name + 2));
	if (key.family == AF_INET)
		__builtin_memcpy(key.address, name + 4, 4);
	else if (key.family == AF_INET6)
		__builtin_memcpy(key.address, name + 8, 16);
	else
		return 0;
	key.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	key.opened_ns = c->opened_ns;
	sums = bpf_map_lookup_elem(&peers, &key);
	if (!sums) {
		if (c->n_peers >= TRAFFIC_PEERS_PER_SOCKET)
			return 0;
		if (bpf_map_update_elem(&peers, &key, &fresh, BPF_NOEXIST)) {
			__sync_fetch_and_add(&control.full_map, 1);
			return 0;
		}
		c->n_peers++;
		sums = bpf_map_lookup_elem(&peers, &key);
		if (!sums)
			return 0;
	}
	__sync_fetch_and_add(&sums->bytes[dir & 1], n);
	return 0;
}

static __noinline int calls_account(__u64 sk_address, __u64 msg, __u64 n, int dir)
{
	struct sock *sk = (void *)sk_address;
	int transport = transport_read(sk);
	struct traffic_calls *c;

	if (transport < 0)
		return 0;
	if (transport == TRAFFIC_UNIX || transport == TRAFFIC_OTHER)
		return add_sums(caller_sums_made(), transport, n, dir);
	c = calls_of(sk, transport);
	if (!c)
		return add_sums(caller_sums_made(), transport, n, dir);
	if (!c->owner_start)
		caller_sums_made(); /* so that the process is introduced while it lives */
	if (calls_claim(c, caller_start())) {
		__sync_fetch_and_add(&c->bytes[dir & 1], n);
	} else {
		add_sums(caller_sums_made(), transport, n, dir);
		__sync_fetch_and_add(&c->foreign[dir & 1], n);
	}
	return transport == TRAFFIC_UDP ? calls_peer(sk, c, msg, n, dir) : 0;
}

static __noinline int call_sent(__u32 function, int ret)
{
	struct in_call call;

	if (!call_leave(function, &call) || ret <= 0)
		return 0;
	return calls_account(call.sk, call.msg, ret, TRAFFIC_TX);
}

static __noinline int call_received(__u32 function, int ret)
{
	struct in_call call;

	if (!call_leave(function, &call) || ret <= 0)
		return 0;
	return calls_account(call.sk, call.msg, (__u64)ret > call.len ? call.len : (__u64)ret, TRAFFIC_RX);
}

/* --- what is sent ------------------------------------------------------------------------------ */

/* A return that is not followed costs the name of who sent, unless it is known from here; the bytes TCP tells. */
SEC("kprobe/tcp_sendmsg")
int BPF_KPROBE(traffic_k_tcp_sendmsg, struct sock *sk)
{
	struct traffic_calls *c = calls_of(sk, TRAFFIC_TCP);

	if (c && !c->owner_start && transport_read(sk) == TRAFFIC_TCP) {
		caller_sums_made();
		calls_claim(c, caller_start());
	}
	return call_enter(IN_TCP_SENDMSG, (__u64)sk, 0, 0);
}

SEC("kretprobe/tcp_sendmsg")
int BPF_KRETPROBE(traffic_r_tcp_sendmsg, int ret)
{
	return call_sent(IN_TCP_SENDMSG, ret);
}

SEC("kprobe/udp_sendmsg")
int BPF_KPROBE(traffic_k_udp_sendmsg, struct sock *sk, struct msghdr *msg)
{
	/* udpv6_sendmsg() hands mapped addresses on to here. */
	if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_INET)
		return 0;
	return call_enter(IN_UDP_SENDMSG, (__u64)sk, (__u64)msg, 0);
}

SEC("kretprobe/udp_sendmsg")
int BPF_KRETPROBE(traffic_r_udp_sendmsg, int ret)
{
	return call_sent(IN_UDP_SENDMSG, ret);
}

/* Functions that begin with the socket, and the message or the page. */
#define CALL_SENDS(name, function)                                                                         \
	SEC("kprobe/" #name)                                                                               \
	int BPF_KPROBE(traffic_k_##name, struct sock *sk, struct msghdr *msg)                              \
	{                                                                                                  \
		return call_enter(function, (__u64)sk, function == IN_UDPV6_SENDMSG ? (__u64)msg : 0, 0);  \
	}                                                                                                  \
	SEC("kretprobe/" #name)                                                                            \
	int BPF_KRETPROBE(traffic_r_##name, int ret)                                                       \
	{                                                                                                  \
		return call_sent(function, ret);                                                           \
	}                                                                                                  \
	struct tuck

CALL_SENDS(udpv6_sendmsg, IN_UDPV6_SENDMSG);
CALL_SENDS(tcp_sendpage, IN_TCP_SENDPAGE);
CALL_SENDS(tcp_bpf_sendmsg, IN_TCP_BPF_SENDMSG);
CALL_SENDS(tcp_bpf_sendpage, IN_TCP_BPF_SENDPAGE);
CALL_SENDS(mptcp_sendmsg, IN_MPTCP_SENDMSG);
CALL_SENDS(raw_sendmsg, IN_RAW_SENDMSG);
CALL_SENDS(rawv6_sendmsg, IN_RAWV6_SENDMSG);
CALL_SENDS(ping_v4_sendmsg, IN_PING_V4_SENDMSG);
CALL_SENDS(ping_v6_sendmsg, IN_PING_V6_SENDMSG);

/* udp_sendpage() may hand its page on to udp_sendmsg(); otherwise it ends here. */
SEC("kprobe/ip_append_page")
int BPF_KPROBE(traffic_k_ip_append_page, struct sock *sk, void *fl4, struct page *page, int offset, __u64 size)
{
	return call_enter(IN_IP_APPEND_PAGE, (__u64)sk, 0, size);
}

SEC("kretprobe/ip_append_page")
int BPF_KRETPROBE(traffic_r_ip_append_page, int ret)
{
	struct in_call call;

	if (!call_leave(IN_IP_APPEND_PAGE, &call) || ret)
		return 0;
	return calls_account(call.sk, 0, call.len, TRAFFIC_TX);
}

#define CALL_SENDS_UNIX(name, function)                                                                    \
	SEC("kprobe/" #name)                                                                               \
	int BPF_KPROBE(traffic_k_##name, struct socket *sock)                                              \
	{                                                                                                  \
		return call_enter(function, (__u64)BPF_CORE_READ(sock, sk), 0, 0);                         \
	}                                                                                                  \
	SEC("kretprobe/" #name)                                                                            \
	int BPF_KRETPROBE(traffic_r_##name, int ret)                                                       \
	{                                                                                                  \
		return call_sent(function, ret);                                                           \
	}                                                                                                  \
	struct tuck

CALL_SENDS_UNIX(unix_stream_sendmsg, IN_UNIX_STREAM_SENDMSG);
CALL_SENDS_UNIX(unix_stream_sendpage, IN_UNIX_STREAM_SENDPAGE);
CALL_SENDS_UNIX(unix_seqpacket_sendmsg, IN_UNIX_SEQPACKET_SENDMSG);

static __always_inline bool is_seqpacket_read(struct socket *sock)
{
	return BPF_CORE_READ(sock, sk, sk_type) == SOCK_SEQPACKET;
}

SEC("kprobe/unix_dgram_sendmsg")
int BPF_KPROBE(traffic_k_unix_dgram_sendmsg, struct socket *sock)
{
	if (is_seqpacket_read(sock))
		return call_forget(IN_UNIX_DGRAM_SENDMSG);
	return call_enter(IN_UNIX_DGRAM_SENDMSG, (__u64)BPF_CORE_READ(sock, sk), 0, 0);
}

SEC("kretprobe/unix_dgram_sendmsg")
int BPF_KRETPROBE(traffic_r_unix_dgram_sendmsg, int ret)
{
	return call_sent(IN_UNIX_DGRAM_SENDMSG, ret);
}

/* --- what is received -------------------------------------------------------------------------- */

SEC("kprobe/tcp_cleanup_rbuf")
int BPF_KPROBE(traffic_k_tcp_cleanup_rbuf, struct sock *sk)
{
	struct tcp_sock *tp = (void *)sk;
	__u32 copied_seq, fin_read, n = 0;
	struct traffic_calls *c;

	if (transport_read(sk) != TRAFFIC_TCP ||
	    (bpf_core_field_exists(tp->is_mptcp) && BPF_CORE_READ(tp, is_mptcp)))
		return 0;
	c = calls_of(sk, TRAFFIC_TCP);
	if (!c)
		return 0;
	copied_seq = BPF_CORE_READ(tp, copied_seq);
	fin_read = (BPF_CORE_READ(sk, __sk_common.skc_flags) >> SOCK_DONE) & 1 &&
		   copied_seq == BPF_CORE_READ(tp, rcv_nxt);
	if (c->based) {
		n = copied_seq - fin_read - c->read_seq;
		if (!n || n >> 31)
			return 0; /* peeked at, or called for an acknowledgement's sake */
		c->read_seq += n;
		n -= urgent_passed(c->read_seq, n, BPF_CORE_READ(tp, urg_seq),
				   BPF_CORE_READ(sk, __sk_common.skc_flags));
	}
	return calls_account((__u64)sk, 0, n, TRAFFIC_RX);
}

SEC("kprobe/sk_msg_recvmsg")
int BPF_KPROBE(traffic_k_sk_msg_recvmsg, struct sock *sk, struct sk_psock *psock, struct msghdr *msg, int len,
	       int flags)
{
	if (flags & MSG_PEEK || BPF_CORE_READ(psock, progs.stream_verdict) || BPF_CORE_READ(psock, progs.skb_verdict))
		return 0;
	return call_enter(IN_SK_MSG_RECVMSG, (__u64)sk, 0, len);
}

SEC("kretprobe/sk_msg_recvmsg")
int BPF_KRETPROBE(traffic_r_sk_msg_recvmsg, int ret)
{
	return call_received(IN_SK_MSG_RECVMSG, ret);
}

/* It waits, so its end is seen at skb_consume_udp(); here is what that does not know. */
static __always_inline int udp_recvmsg_enter(struct sock *sk, struct msghdr *msg, __u64 len)
{
	return call_enter(IN_UDP_RECVMSG, (__u64)sk, (__u64)msg, len);
}

SEC("kprobe/udp_recvmsg")
int BPF_KPROBE(traffic_k_udp_recvmsg, struct sock *sk, struct msghdr *msg, __u64 len)
{
	return udp_recvmsg_enter(sk, msg, len);
}

SEC("kprobe/udpv6_recvmsg")
int BPF_KPROBE(traffic_k_udpv6_recvmsg, struct sock *sk, struct msghdr *msg, __u64 len)
{
	return udp_recvmsg_enter(sk, msg, len);
}

SEC("kprobe/skb_consume_udp")
int BPF_KPROBE(traffic_k_skb_consume_udp, struct sock *sk, struct sk_buff *skb, int len)
{
	struct in_call call = {};
	__u64 n = len;

	if (len <= 0)
		return 0; /* only looked at */
	if (call_leave(IN_UDP_RECVMSG, &call) && call.sk == (__u64)sk) {
		if (n > call.len)
			n = call.len; /* MSG_TRUNC: len is the whole datagram's */
	} else {
		call.msg = 0;
	}
	return n ? calls_account((__u64)sk, call.msg, n, TRAFFIC_RX) : 0;
}

#define CALL_RECEIVES(name, function)                                                                      \
	SEC("kprobe/" #name)                                                                               \
	int BPF_KPROBE(traffic_k_##name, struct sock *sk, struct msghdr *msg, __u64 len, int fourth,       \
		       int fifth)                                                                          \
	{                                                                                                  \
		int flags = receive_noblock ? fifth : fourth;                                              \
													   \
		if (flags & (MSG_PEEK | MSG_ERRQUEUE))                                                     \
			return call_forget(function);                                                      \
		return call_enter(function, (__u64)sk, 0, len);                                            \
	}                                                                                                  \
	SEC("kretprobe/" #name)                                                                            \
	int BPF_KRETPROBE(traffic_r_##name, int ret)                                                       \
	{                                                                                                  \
		return call_received(function, ret);                                                       \
	}                                                                                                  \
	struct tuck

CALL_RECEIVES(mptcp_recvmsg, IN_MPTCP_RECVMSG);
CALL_RECEIVES(raw_recvmsg, IN_RAW_RECVMSG);
CALL_RECEIVES(rawv6_recvmsg, IN_RAWV6_RECVMSG);
CALL_RECEIVES(ping_recvmsg, IN_PING_RECVMSG);

#define CALL_RECEIVES_UNIX(name, function, passes)                                                         \
	SEC("kprobe/" #name)                                                                               \
	int BPF_KPROBE(traffic_k_##name, struct socket *sock, struct msghdr *msg, __u64 len, int flags)    \
	{                                                                                                  \
		if (flags & (MSG_PEEK | MSG_ERRQUEUE) || passes)                                           \
			return call_forget(function);                                                      \
		return call_enter(function, (__u64)BPF_CORE_READ(sock, sk), 0, len);                       \
	}                                                                                                  \
	SEC("kretprobe/" #name)                                                                            \
	int BPF_KRETPROBE(traffic_r_##name, int ret)                                                       \
	{                                                                                                  \
		return call_received(function, ret);                                                       \
	}                                                                                                  \
	struct tuck

CALL_RECEIVES_UNIX(unix_dgram_recvmsg, IN_UNIX_DGRAM_RECVMSG, is_seqpacket_read(sock));
CALL_RECEIVES_UNIX(unix_seqpacket_recvmsg, IN_UNIX_SEQPACKET_RECVMSG, false);

/* Each piece that is copied; the copying does not wait. */
static __always_inline int unix_actor_enter(struct unix_stream_read_state *state, int chunk)
{
	if (BPF_CORE_READ(state, flags) & MSG_PEEK)
		return call_forget(IN_UNIX_STREAM_ACTOR);
	return call_enter(IN_UNIX_STREAM_ACTOR, (__u64)BPF_CORE_READ(state, socket, sk), 0, chunk);
}

SEC("kprobe/unix_stream_read_actor")
int BPF_KPROBE(traffic_k_unix_stream_read_actor, struct sk_buff *skb, int skip, int chunk,
	       struct unix_stream_read_state *state)
{
	return unix_actor_enter(state, chunk);
}

SEC("kretprobe/unix_stream_read_actor")
int BPF_KRETPROBE(traffic_r_unix_stream_read_actor, int ret)
{
	return call_received(IN_UNIX_STREAM_ACTOR, ret);
}

SEC("kprobe/unix_stream_splice_actor")
int BPF_KPROBE(traffic_k_unix_stream_splice_actor, struct sk_buff *skb, int skip, int chunk,
	       struct unix_stream_read_state *state)
{
	return unix_actor_enter(state, chunk);
}

SEC("kretprobe/unix_stream_splice_actor")
int BPF_KRETPROBE(traffic_r_unix_stream_splice_actor, int ret)
{
	return call_received(IN_UNIX_STREAM_ACTOR, ret);
}

/* A UDP socket's storage has to be there before its first call, and no call can make it. */
SEC("cgroup/sock_create")
int traffic_create(struct bpf_sock *ctx)
{
	struct traffic_storage *st;

	if (ctx->protocol != IPPROTO_UDP)
		return 1;
	st = bpf_sk_storage_get(&sockets, ctx, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (st)
		st->call_id = bpf_get_socket_cookie(ctx);
	return 1;
}
