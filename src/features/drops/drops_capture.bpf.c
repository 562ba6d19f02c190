// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "features/drops/drops_capture_abi.h"
#include "features/drops/drops_skb.bpf.h"

/* Every packet that the kernel frees as lost, with its head: attached only while somebody captures. */

char LICENSE[] SEC("license") = "GPL";

#define AF_PACKET 17
#define ETHERNET_BYTES 14
#define HEADER_UNSET 0xffff /* of the MAC header */

/* What is wanted; set before loading. */
const volatile __u32 wanted_netns = 0;	 /* 0: all */
const volatile __u32 wanted_ifindex = 0; /* 0: all */
const volatile __u32 wanted_bytes = DROPS_CAPTURE_MANY;

__u64 lost;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DROPS_CAPTURE_RING_BYTES);
} drops_captured SEC(".maps");

/* Places whose symbol was told. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DROPS_CAPTURE_PLACES_MAX);
	__type(key, __u64);
	__type(value, __u8);
} drops_capture_told SEC(".maps");

/* --- what the packet says -------------------------------------------------------------------------- */

/* Where its bytes lie: offsets from skb->head. */
struct extent {
	__u32 begin, end;
	bool ethernet;
};

/* What queues and netlink free is no packet of a network. */
static __always_inline bool is_packet(struct sk_buff *skb, struct sock *sk)
{
	__u16 family = 0;

	if (sk)
		family = sk->__sk_common.skc_family;
	if (family)
		return family == AF_INET || family == AF_INET6 || family == AF_PACKET;
	return skb->protocol != 0;
}

/* The network header, where IP has set it; where the packet comes from a device and nobody has looked at it yet, that is
 * what is left of it. */
static __always_inline __u32 network_offset(struct sk_buff *skb)
{
	__u32 network = skb->network_header, mac = skb->mac_header;

	if (network && (mac == HEADER_UNSET || network > mac))
		return network;
	if (mac == HEADER_UNSET)
		return 0;
	return (__u64)skb->data - (__u64)skb->head;
}

/* The Ethernet header counts where it leads to what the packet is said to be. */
static __always_inline bool has_ethernet(struct sk_buff *skb, __u32 network)
{
	__u32 mac = skb->mac_header;
	__be16 ether_type = 0;

	if (mac == HEADER_UNSET || mac + ETHERNET_BYTES != network)
		return false;
	bpf_probe_read_kernel(&ether_type, sizeof(ether_type), skb->head + mac + 12);
	return ether_type == skb->protocol;
}

static __always_inline void find_extent(struct extent *ret, struct sk_buff *skb)
{
	__u32 network = network_offset(skb), end = skb->tail;

	ret->begin = ret->end = 0;
	ret->ethernet = false;
	if (!network || network >= end)
		return;
	ret->ethernet = has_ethernet(skb, network);
	ret->begin = ret->ethernet ? network - ETHERNET_BYTES : network;
	ret->end = end;
}

/* --- records --------------------------------------------------------------------------------------- */

/* The record is reserved before the place is marked, so that no packet of the place can stand before it. */
static __always_inline void tell_place(__u64 place)
{
	static const char format[] = "%pS";
	struct drops_capture_place *p;
	__u64 arguments[1] = { place };
	__u8 one = 1;

	if (bpf_map_lookup_elem(&drops_capture_told, &place))
		return;
	p = bpf_ringbuf_reserve(&drops_captured, sizeof(*p), 0);
	if (!p)
		return; /* with the next one */
	if (bpf_map_update_elem(&drops_capture_told, &place, &one, BPF_NOEXIST) == -17) { /* EEXIST */
		bpf_ringbuf_discard(p, BPF_RB_NO_WAKEUP);
		return;
	}
	p->type = DROPS_CAPTURE_PLACE;
	p->reserved = 0;
	p->place = place;
	__builtin_memset(p->symbol, 0, sizeof(p->symbol));
	bpf_snprintf(p->symbol, sizeof(p->symbol), format, arguments, sizeof(arguments));
	bpf_ringbuf_submit(p, BPF_RB_NO_WAKEUP);
}

static __always_inline void fill(struct drops_capture_packet *p, const struct drops_capture_packet *from, struct sk_buff *skb,
				 __u32 begin, __u32 n)
{
	struct net_device *dev = device_of(skb);

	*p = *from;
	if (dev)
		bpf_probe_read_kernel_str(p->device, sizeof(p->device), dev->name);
	if (bpf_probe_read_kernel(p + 1, n, skb->head + begin))
		p->captured = 0;
}

#define HAND_OVER(name, room)                                                                                \
	static __always_inline void hand_over_##name(const struct drops_capture_packet *from, struct sk_buff *skb, \
						     __u32 begin, __u32 n)                                   \
	{                                                                                                    \
		struct drops_capture_packet *p = bpf_ringbuf_reserve(&drops_captured, sizeof(*p) + (room), 0); \
													     \
		if (!p) {                                                                                    \
			__sync_fetch_and_add(&lost, 1);                                                      \
			return;                                                                              \
		}                                                                                            \
		if (n > (room))                                                                              \
			n = (room);                                                                          \
		barrier_var(n);                                                                              \
		if (n > (room))                                                                              \
			n = (room);                                                                          \
		fill(p, from, skb, begin, n);                                                                \
		bpf_ringbuf_submit(p, BPF_RB_NO_WAKEUP);                                                     \
	}

HAND_OVER(few, DROPS_CAPTURE_FEW)
HAND_OVER(many, DROPS_CAPTURE_MANY)

static __always_inline int freed(struct sk_buff *skb, __u64 place, __u32 reason, struct sock *receiver)
{
	struct drops_capture_packet p = { .type = DROPS_CAPTURE_PACKET };
	struct net_device *dev = device_of(skb);
	struct sock *sk = skb->sk;
	struct extent e;
	__u32 n;

	if (!is_packet(skb, receiver ? receiver : sk))
		return 0;
	p.incoming = skb->skb_iif != 0;
	p.ifindex = dev ? dev->ifindex : skb->skb_iif;
	if (receiver) {
		p.cookie = receiver->__sk_common.skc_cookie.counter;
		p.netns = receiver->__sk_common.skc_net.net->ns.inum;
	} else if (sk && is_own_socket(skb, sk, dev)) {
		p.cookie = sk->__sk_common.skc_cookie.counter;
		p.netns = sk->__sk_common.skc_net.net->ns.inum;
	}
	if (dev)
		p.netns = dev->nd_net.net->ns.inum;
	if ((wanted_netns && p.netns && p.netns != wanted_netns) || (wanted_ifindex && p.ifindex != wanted_ifindex))
		return 0;
	find_extent(&e, skb);
	n = e.end - e.begin;
	p.length = n + skb->data_len;
	if (n > wanted_bytes)
		n = wanted_bytes;
	p.reason = reason;
	p.at_ns = bpf_ktime_get_ns();
	p.place = place;
	p.ether_type = __builtin_bswap16(skb->protocol);
	p.ethernet = e.ethernet;
	p.captured = n > DROPS_CAPTURE_MANY ? DROPS_CAPTURE_MANY : n;
	tell_place(place);
	if (n <= DROPS_CAPTURE_FEW)
		hand_over_few(&p, skb, e.begin, n);
	else
		hand_over_many(&p, skb, e.begin, n);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(drops_capture, struct sk_buff *skb, void *place, __u32 reason, struct sock *receiver)
{
	return freed(skb, (__u64)place, reason, receiver);
}

/* Kernels before 6.11. */
SEC("tp_btf/kfree_skb")
int BPF_PROG(drops_capture_reason, struct sk_buff *skb, void *place, __u32 reason)
{
	return freed(skb, (__u64)place, reason, NULL);
}

/* Kernels before 5.17. */
SEC("tp_btf/kfree_skb")
int BPF_PROG(drops_capture_place, struct sk_buff *skb, void *place)
{
	return freed(skb, (__u64)place, 0, NULL);
}
