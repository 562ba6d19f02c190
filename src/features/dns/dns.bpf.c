// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "features/dns/dns_abi.h"

/* Sees each packet that reaches a socket and hands over those from port 53. It is paid for by every packet, so the
 * first question is the one that nearly all of them answer, from what is in the cache anyway: is the socket connected
 * to another port? Every way out of every program here returns 1: nothing is changed, nothing is kept back. */

char LICENSE[] SEC("license") = "GPL";

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define PASS 1
#define SECOND_NS 1000000000ull

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define IPV6_HEAD 40
#define IPV6_NEXT_HEADER 6

/* Who asked by this socket. Its being there says that the socket did ask port 53. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct dns_asker);
} askers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DNS_RING_BYTES);
} answers SEC(".maps");

struct dns_control control __attribute__((aligned(4096))) = {};

static __always_inline void count(enum dns_count what)
{
	__sync_fetch_and_add(&control.by[what], 1);
}

/* --- who asks: connect() and sendmsg() in the caller's context --------------------------------- */

static __always_inline int note_asker(struct bpf_sock_addr *ctx)
{
	struct task_struct *task;
	struct dns_asker *a;
	struct bpf_sock *sk;

	if (likely(ctx->user_port != bpf_htons(DNS_PORT)))
		return PASS;
	sk = ctx->sk;
	if (!sk)
		return PASS;
	a = bpf_sk_storage_get(&askers, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!a)
		return PASS;
	task = bpf_get_current_task_btf();
	a->start_ns = task->group_leader->start_boottime;
	a->pid = task->tgid;
	a->uid = bpf_get_current_uid_gid();
	a->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	a->cgroup_id = bpf_get_current_cgroup_id();
	return PASS;
}

SEC("cgroup/connect4")
int dns_connect4(struct bpf_sock_addr *ctx)
{
	return note_asker(ctx);
}

SEC("cgroup/connect6")
int dns_connect6(struct bpf_sock_addr *ctx)
{
	return note_asker(ctx);
}

SEC("cgroup/sendmsg4")
int dns_sendmsg4(struct bpf_sock_addr *ctx)
{
	return note_asker(ctx);
}

SEC("cgroup/sendmsg6")
int dns_sendmsg6(struct bpf_sock_addr *ctx)
{
	return note_asker(ctx);
}

/* --- what is answered -------------------------------------------------------------------------- */

/* A packet's payload: where it begins and what TCP or UDP says of it. */
struct payload {
	__u32 at;
	__u32 length;
	__u32 protocol;
	__u64 offset;
};

static __always_inline bool over_rate(__u64 now)
{
	if (now - control.window_ns >= SECOND_NS) {
		/* Two processors may both begin a second: a few answers more. */
		control.window_ns = now;
		control.in_window = 0;
	}
	return __sync_fetch_and_add(&control.in_window, 1) >= DNS_ANSWERS_PER_SECOND;
}

static __always_inline void fill(struct __sk_buff *skb, struct bpf_sock *sk, const struct dns_asker *asker,
				 const struct payload *p, __u64 now, __u32 captured, struct dns_answer *to)
{
	to->head.type = DNS_RECORD_ANSWER;
	to->head.size = __builtin_offsetof(struct dns_answer, bytes) + captured;
	to->at_ns = now;
	to->cookie = bpf_get_socket_cookie(skb);
	if (asker)
		to->asker = *asker;
	else
		__builtin_memset(&to->asker, 0, sizeof(to->asker));
	to->offset = p->offset;
	to->length = p->length;
	to->captured = captured;
	to->protocol = p->protocol;
	to->reserved = 0;
	if (bpf_skb_load_bytes(skb, p->at, to->bytes, captured) < 0) {
		to->captured = 0;
		to->head.size = __builtin_offsetof(struct dns_answer, bytes);
	}
}

static __always_inline __u64 wakeup(void)
{
	return bpf_ringbuf_query(&answers, BPF_RB_AVAIL_DATA) > DNS_RING_BYTES / 8 ? BPF_RB_FORCE_WAKEUP :
										     BPF_RB_NO_WAKEUP;
}

/* Two sizes, since the room to reserve has to be a constant. */
static __always_inline void hand_over(struct __sk_buff *skb, struct bpf_sock *sk, const struct payload *p)
{
	const struct dns_asker *asker = bpf_sk_storage_get(&askers, sk, 0, 0);
	__u64 now = bpf_ktime_get_ns();
	struct dns_answer *a;
	__u32 n = p->length;

	barrier_var(n); /* or the compiler leaves out what the verifier wants to read: from 1 to what there is room for */
	if (over_rate(now)) {
		count(DNS_OVER_RATE);
		return;
	}
	if (n <= DNS_BYTES_SHORT) {
		n = ((n - 1) & (DNS_BYTES_SHORT - 1)) + 1;
		a = bpf_ringbuf_reserve(&answers, __builtin_offsetof(struct dns_answer, bytes) + DNS_BYTES_SHORT, 0);
	} else {
		n = n < DNS_BYTES ? n : DNS_BYTES;
		a = bpf_ringbuf_reserve(&answers, sizeof(*a), 0);
	}
	if (!a) {
		count(DNS_RING_FULL);
		return;
	}
	fill(skb, sk, asker, p, now, n, a);
	count(DNS_TAKEN);
	bpf_ringbuf_submit(a, wakeup());
}

/* A message that can teach a name: an answer (QR) to a standard query, without error, with at least one record. The
 * rest is not worth a copy. A piece of a stream may begin anywhere and is judged by who puts it together. */
static __always_inline bool teaches(struct __sk_buff *skb, const struct payload *p)
{
	__u8 head[DNS_MESSAGE_HEAD];

	if (p->length < DNS_MESSAGE_HEAD || bpf_skb_load_bytes(skb, p->at, head, sizeof(head)) < 0)
		return false;
	return (head[2] & 0xf8) == 0x80 && !(head[3] & 0x0f) && (head[6] || head[7]);
}

static __always_inline void look_udp(struct __sk_buff *skb, struct bpf_sock *sk, __u32 at, bool connected)
{
	struct payload p = { .at = at + sizeof(struct udphdr), .protocol = IPPROTO_UDP };
	struct bpf_sock *full;

	if (skb->len < p.at)
		return;
	p.length = skb->len - p.at;
	if (!teaches(skb, &p))
		return;
	full = bpf_sk_fullsock(sk);
	if (!full)
		return;
	/* A connected socket takes datagrams from its peer alone. Another takes them from anybody, so it must have
	 * asked. */
	if (!connected && !bpf_sk_storage_get(&askers, full, 0, 0)) {
		count(DNS_UNASKED);
		return;
	}
	hand_over(skb, full, &p);
}

/* bytes_received counts up to rcv_nxt, so it says where in the stream any sequence number stands. */
static __always_inline void look_tcp(struct __sk_buff *skb, struct bpf_sock *sk, __u32 at)
{
	struct payload p = { .protocol = IPPROTO_TCP };
	struct bpf_tcp_sock *tp;
	struct bpf_sock *full;
	struct tcphdr tcp;

	if (bpf_skb_load_bytes(skb, at, &tcp, sizeof(tcp)) < 0)
		return;
	p.at = at + tcp.doff * 4;
	if (skb->len <= p.at)
		return; /* an acknowledgement */
	p.length = skb->len - p.at;
	tp = bpf_tcp_sock(sk);
	full = bpf_sk_fullsock(sk);
	if (!tp || !full)
		return;
	p.offset = tp->bytes_received + (__s64)(__s32)(bpf_ntohl(tcp.seq) - tp->rcv_nxt);
	if (p.offset > DNS_STREAM_BYTES)
		return;
	hand_over(skb, full, &p);
}

SEC("cgroup_skb/ingress")
int dns_receive(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	void *data, *end;
	__u16 peer_port;
	__u8 protocol;
	__u32 at;

	if (unlikely(!sk))
		return PASS;
	peer_port = sk->dst_port;
	if (likely(peer_port && peer_port != bpf_htons(DNS_PORT)))
		return PASS;

	/* Connected to port 53; or not connected, so that the packet says where it came from. */
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = data;

		if ((void *)(ip + 1) > end)
			return PASS;
		protocol = ip->protocol;
		at = ip->ihl * 4;
	} else {
		if (data + IPV6_HEAD > end)
			return PASS;
		protocol = *(__u8 *)(data + IPV6_NEXT_HEADER);
		at = IPV6_HEAD;
	}
	if (protocol == IPPROTO_UDP) {
		struct udphdr *udp = data + at;

		if ((void *)(udp + 1) > end || udp->source != bpf_htons(DNS_PORT))
			return PASS;
		look_udp(skb, sk, at, peer_port);
	} else if (protocol == IPPROTO_TCP && peer_port) {
		look_tcp(skb, sk, at);
	}
	return PASS;
}
