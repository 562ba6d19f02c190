// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "features/drops/drops_abi.h"
#include "features/drops/drops_skb.bpf.h"

/* Every packet that the kernel frees as lost passes kfree_skb(), which is told the reason since 5.17 and the receiving
 * socket since 6.11. Here it is summed by reason, place, device, namespace and socket; now and then one is handed over. */

char LICENSE[] SEC("license") = "GPL";

/* In ticks: reading them costs nothing, where a clock takes a third of what a lost packet may cost. There are 100 to 1000 of
 * them in a second; a quarter of one, or two and a half, will do here. */
#define TICKS 250
#define PKT_HOST 0 /* include/uapi/linux/if_packet.h */
#define TCP_NEW_SYN_RECV 12
#define LINK_STATE_START (1 << 0) /* enum netdev_state_t, include/linux/netdevice.h */
#define LINK_STATE_NOCARRIER (1 << 2)

/* What the kernel's own types say; set before loading. */
const volatile bool have_reason = true;    /* the tracepoint's third argument */
const volatile bool have_receiver = true;  /* and the fourth */
const volatile __u32 reason_no_socket = ~0u;
const volatile __u32 reason_udp_csum = ~0u;
const volatile __u32 reason_not_specified = ~0u;

struct drops_control control;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, DROPS_KEYS_MAX);
	__type(key, struct drops_key);
	__type(value, struct drops_sum);
} drops_sums SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, DROPS_CROWDS_MAX);
	__type(key, struct drops_key);
	__type(value, struct drops_sum);
} drops_crowds SEC(".maps");

/* Places at which packets are freed that were used: a sum for each socket would push out those of losses. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DROPS_CROWDS_MAX);
	__type(key, struct drops_plain);
	__type(value, __u8);
} drops_plain SEC(".maps");

/* Names stay here too, for a reader that begins anew. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DROPS_CROWDS_MAX);
	__type(key, __u64);
	__type(value, char[DROPS_SYMBOL]);
} drops_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DROPS_CROWDS_MAX);
	__type(key, struct drops_device_id);
	__type(value, char[DROPS_DEVICE_ROOM]);
} drops_devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DROPS_RING_BYTES);
} drops_ring SEC(".maps");

/* Sockets whose owner user space wants to know. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DROPS_KEYS_MAX);
	__type(key, struct drops_socket);
	__type(value, __u8);
} drops_wanted SEC(".maps");

struct drops_cpu {
	__u64 second; /* when the one began in which .samples were handed over */
	__u64 samples;
	__u64 queue_skb, queue_cookie; /* a full queue that a packet is about to be freed for */
	__u64 stack[DROPS_STACK];
	char symbol[DROPS_SYMBOL];
	char device[DROPS_DEVICE_ROOM];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct drops_cpu);
} drops_cpus SEC(".maps");

static __always_inline struct drops_cpu *this_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&drops_cpus, &zero);
}

/* --- what the packet says -------------------------------------------------------------------------- */

static __always_inline void key_device(struct drops_key *key, struct sk_buff *skb, struct net_device *dev)
{
	if (!dev) {
		key->ifindex = skb->skb_iif;
		return;
	}
	key->netns = dev->nd_net.net->ns.inum;
	key->ifindex = dev->ifindex;
	if (!(dev->state & LINK_STATE_START))
		key->flags |= DROPS_DEVICE_DOWN;
	if (dev->state & LINK_STATE_NOCARRIER)
		key->flags |= DROPS_NO_CARRIER;
}

static __always_inline bool is_full(struct sock *sk)
{
	__u8 state = sk->__sk_common.skc_state;

	return state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
}

/* Where the kernel does not tell the socket, the packet's own local port does: only for packets of this host that came
 * further than the search for a socket, so that a scan of ports makes no sums of its own. */
static __always_inline void key_port(struct drops_key *key, struct sk_buff *skb)
{
	__u16 ethertype = skb->protocol, port = 0;
	__u64 head = (__u64)skb->head, l3 = head + skb->network_header, l4 = skb->transport_header;
	__u8 protocol = 0;

	if (!key->netns || !key->ifindex || BPF_CORE_READ_BITFIELD(skb, pkt_type) != PKT_HOST)
		return;
	if (l4 == 0xffff || !l4)
		return;
	l4 += head;
	if (ethertype == __builtin_bswap16(ETH_P_IP))
		bpf_probe_read_kernel(&protocol, sizeof(protocol), (void *)(l3 + 9));
	else if (ethertype == __builtin_bswap16(ETH_P_IPV6))
		bpf_probe_read_kernel(&protocol, sizeof(protocol), (void *)(l3 + 6));
	else
		return;
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return;
	bpf_probe_read_kernel(&port, sizeof(port), (void *)(l4 + 2));
	key->socket.port = __builtin_bswap16(port);
	key->socket.protocol = protocol;
	key->socket.netns = key->netns;
}

/* --- sums ------------------------------------------------------------------------------------------ */

/* Sums of a reason and place, for what finds no room of its own. */
static __noinline struct drops_sum *sum_crowd(struct drops_key *key)
{
	struct drops_sum fresh = {};
	struct drops_key crowd = { .flags = DROPS_CROWD };

	if (!key)
		return NULL;
	__sync_fetch_and_add(&control.crowded, 1);
	crowd.place = key->place;
	crowd.reason = key->reason;
	*key = crowd;
	bpf_map_update_elem(&drops_crowds, key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&drops_crowds, key);
}

/* Changes the key to the one that the packet is summed by. */
static __noinline struct drops_sum *sum_new(struct drops_key *key)
{
	struct drops_sum fresh = {}, *sum;
	struct drops_plain plain = {};

	if (!key)
		return NULL;
	plain.place = key->place;
	plain.reason = key->reason;
	if (bpf_map_lookup_elem(&drops_plain, &plain)) {
		key->socket.cookie = 0;
		key->socket.netns = 0;
		key->socket.port = 0;
		key->socket.protocol = 0;
	}
	bpf_map_update_elem(&drops_sums, key, &fresh, BPF_NOEXIST);
	sum = bpf_map_lookup_elem(&drops_sums, key);
	return sum ? sum : sum_crowd(key);
}

/* --- samples --------------------------------------------------------------------------------------- */

static __noinline int fill_packet(struct drops_seen *e, __u64 skb_address)
{
	struct sk_buff *skb = (void *)skb_address;
	__u64 head, begin, end;
	__u32 n;

	if (!e)
		return 0;
	head = (__u64)BPF_CORE_READ(skb, head);
	begin = BPF_CORE_READ(skb, network_header);
	end = (__u64)BPF_CORE_READ(skb, tail); /* an offset where pointers have 64 bits */
	e->length = BPF_CORE_READ(skb, len);
	e->ethertype = __builtin_bswap16(BPF_CORE_READ(skb, protocol));
	e->captured = 0;
	__builtin_memset(e->bytes, 0, sizeof(e->bytes));
	if (!head || !begin || begin >= end)
		return 0;
	n = end - begin;
	if (n > DROPS_HEAD_BYTES)
		n = DROPS_HEAD_BYTES;
	barrier_var(n);
	if (n > DROPS_HEAD_BYTES)
		return 0;
	if (bpf_probe_read_kernel(e->bytes, n, (void *)(head + begin)) == 0)
		e->captured = n;
	return 0;
}

static __noinline int fill_symbols(struct drops_seen *e, struct drops_cpu *cpu)
{
	static const char one[] = "%pS", all[] = "%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS";
	__u64 place[1];

	if (!e || !cpu)
		return 0;
	place[0] = e->key.place;
	bpf_snprintf(e->symbol, sizeof(e->symbol), one, place, sizeof(place));
	e->frames = DROPS_STACK;
	bpf_snprintf(e->stack_text, sizeof(e->stack_text), all, cpu->stack, sizeof(cpu->stack));
	return 0;
}

/* By way of memory that older kernels take as a map's value. */
static __noinline int keep_names(struct drops_seen *e, struct drops_cpu *cpu)
{
	struct drops_device_id id = {};
	__u64 place;

	if (!e || !cpu)
		return 0;
	__builtin_memcpy(cpu->symbol, e->symbol, sizeof(cpu->symbol));
	__builtin_memcpy(cpu->device, e->device, sizeof(cpu->device));
	id.netns = e->key.netns;
	id.ifindex = e->key.ifindex;
	place = e->key.place;
	if (!bpf_map_lookup_elem(&drops_places, &place))
		bpf_map_update_elem(&drops_places, &place, cpu->symbol, BPF_ANY);
	if (cpu->device[0])
		bpf_map_update_elem(&drops_devices, &id, cpu->device, BPF_ANY);
	return 0;
}

static __noinline int see(void *ctx, struct drops_key *key, struct drops_cpu *cpu, __u64 skb_address, __u64 dev_address)
{
	struct drops_seen *e = bpf_ringbuf_reserve(&drops_ring, sizeof(*e), 0);
	struct sock *sk;

	if (!e) {
		__sync_fetch_and_add(&control.samples_lost, 1);
		return -1;
	}
	e->head.type = DROPS_RECORD_SEEN;
	e->head.size = sizeof(*e);
	e->key = *key;
	e->at_ns = bpf_ktime_get_ns();
	e->family = 0;
	sk = BPF_CORE_READ((struct sk_buff *)skb_address, sk);
	if (sk)
		e->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__builtin_memset(e->device, 0, sizeof(e->device));
	if (dev_address)
		bpf_probe_read_kernel_str(e->device, sizeof(e->device), ((struct net_device *)dev_address)->name);
	fill_packet(e, skb_address);
	__builtin_memset(e->symbol, 0, sizeof(e->symbol));
	__builtin_memset(e->stack_text, 0, sizeof(e->stack_text));
	__builtin_memset(cpu->stack, 0, sizeof(cpu->stack));
	bpf_get_stack(ctx, cpu->stack, sizeof(cpu->stack), 0);
	fill_symbols(e, cpu);
	keep_names(e, cpu);
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/* One of each new sum, then one a second of each, all together no more than so many: when the next is due. */
static __noinline int sample(void *ctx, struct drops_key *key, struct drops_sum *sum, __u64 skb_address, __u64 dev_address)
{
	struct drops_cpu *cpu = this_cpu();
	__u64 now = bpf_jiffies64();

	if (!key || !sum || !cpu)
		return 0;
	if (now - cpu->second >= TICKS) {
		cpu->second = now;
		cpu->samples = 0;
	}
	if (sum->told_ticks && cpu->samples >= DROPS_SAMPLES_PER_SECOND) {
		__sync_fetch_and_add(&control.samples_lost, 1);
	} else if (see(ctx, key, cpu, skb_address, dev_address) == 0) {
		cpu->samples++;
		sum->told_ticks = now;
		return 0;
	}
	sum->told_ticks = now - (bpf_get_prandom_u32() & (TICKS / 2)); /* another turn, not all at once */
	return 0;
}

/* --- hooks ----------------------------------------------------------------------------------------- */

/* Of the process that calls, 0 in the kernel's own threads. */
static __noinline __u32 caller_netns(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return 0;
	return BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
}

/* TCP takes the device off a packet, and leaves the route by which it came. */
static __noinline __u32 route_netns(__u64 skb_address)
{
	struct dst_entry *dst = (void *)(BPF_CORE_READ((struct sk_buff *)skb_address, _skb_refdst) & ~1ul);
	__u32 netns = 0;

	if (dst)
		netns = BPF_CORE_READ(dst, dev, nd_net.net, ns.inum);
	return netns >= NETNS_MIN ? netns : 0;
}

/* A datagram whose checksum is found wrong while the program reads it: the caller's. Kernels before 6.15 have no reason
 * for that. */
static __always_inline bool may_be_read(const struct drops_key *key, struct sk_buff *skb, bool has_device)
{
	return !has_device && skb->dev && skb->skb_iif &&
	       (key->reason == reason_udp_csum || key->reason == reason_not_specified);
}

/* Whether a socket may have been found by the packet's port. Without a reason it got not as far: what a capture (packet
 * socket) had no room for is such a packet, and its receiver loses nothing. */
static __always_inline bool may_have_port(const struct drops_key *key, bool has_device)
{
	return key->reason != reason_no_socket && !(has_device && key->reason == reason_not_specified);
}

/* The cookie, made where the socket has none yet. The helper takes no socket that was reached through a packet, but the
 * one that its struct socket points back to. */
static __always_inline __u64 cookie_of(struct sock *sk)
{
	__u64 cookie = sk->__sk_common.skc_cookie.counter;

	return cookie ? cookie : bpf_get_socket_cookie(sk->sk_socket->sk);
}

/* One that is closed, or that nobody has accepted yet, has no file, so nobody can be found who holds it; each connection that
 * ends frees its end mark here, and with sums of their own they would leave no room for others. */
static __always_inline void key_socket(struct drops_key *key, struct sock *sk)
{
	if (!key->netns)
		key->netns = sk->__sk_common.skc_net.net->ns.inum;
	if (is_full(sk) && sk->sk_socket)
		key->socket.cookie = cookie_of(sk);
}

static __always_inline bool key_full_queue(struct drops_key *key, __u64 skb_address)
{
	struct drops_cpu *cpu = this_cpu();

	if (!cpu || cpu->queue_skb != skb_address)
		return false;
	key->socket.cookie = cpu->queue_cookie;
	cpu->queue_skb = 0; /* the next packet at that address is another */
	return true;
}

/* The socket that the packet was for, or came from. */
static __always_inline void key_owner(struct drops_key *key, struct sk_buff *skb, struct sock *receiver,
				      struct net_device *dev)
{
	bool has_device = dev;
	struct sock *sk = skb->sk;

	if (receiver)
		key_socket(key, receiver);
	else if (sk && is_own_socket(skb, sk, dev))
		key_socket(key, sk);
	else if (may_be_read(key, skb, has_device)) {
		key->netns = caller_netns();
		key_port(key, skb);
	} else if (!have_receiver && !key_full_queue(key, (__u64)skb) && may_have_port(key, has_device)) {
		if (!key->netns && key->ifindex)
			key->netns = route_netns((__u64)skb);
		key_port(key, skb);
	}
}

static __always_inline int freed(void *ctx, struct sk_buff *skb, __u64 place, __u32 reason, struct sock *receiver)
{
	struct drops_key key = { .place = place, .reason = reason };
	struct net_device *dev = device_of(skb);
	struct drops_sum *sum;

	key_device(&key, skb, dev);
	key_owner(&key, skb, receiver, dev);
	sum = bpf_map_lookup_elem(&drops_sums, &key);
	if (!sum)
		sum = sum_new(&key);
	if (!sum) {
		__sync_fetch_and_add(&control.unkeyed, 1);
		__sync_fetch_and_add(&control.unkeyed_bytes, skb->len);
		return 0;
	}
	sum->packets++;
	sum->bytes += skb->len;
	if (!sum->told_ticks || bpf_jiffies64() - sum->told_ticks >= TICKS)
		sample(ctx, &key, sum, (__u64)skb, (__u64)dev);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(drops_freed, struct sk_buff *skb, void *place, __u32 reason, struct sock *receiver)
{
	return freed(ctx, skb, (__u64)place, reason, receiver);
}

/* Kernels before 6.11. */
SEC("tp_btf/kfree_skb")
int BPF_PROG(drops_freed_reason, struct sk_buff *skb, void *place, __u32 reason)
{
	return freed(ctx, skb, (__u64)place, reason, NULL);
}

/* Kernels before 5.17. */
SEC("tp_btf/kfree_skb")
int BPF_PROG(drops_freed_place, struct sk_buff *skb, void *place)
{
	return freed(ctx, skb, (__u64)place, 0, NULL);
}

/* Before 6.11 a full receive queue names the socket just before its packet is freed; */
SEC("tp_btf/sock_rcvqueue_full")
int BPF_PROG(drops_queue_full, struct sock *sk, struct sk_buff *skb)
{
	struct drops_cpu *cpu = this_cpu();

	if (!cpu || !sk)
		return 0;
	cpu->queue_cookie = bpf_get_socket_cookie(sk);
	cpu->queue_skb = (__u64)skb;
	return 0;
}

/* --- who holds a socket ------------------------------------------------------------------------------ */

static __always_inline __u16 local_port(struct sock *sk)
{
	return sk->__sk_common.skc_num;
}

static __noinline bool is_wanted(struct drops_socket *by)
{
	return by && bpf_map_lookup_elem(&drops_wanted, by) != NULL;
}

SEC("iter/task_file")
int drops_owners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task, *leader;
	struct file *file = ctx->file;
	struct drops_socket by = {};
	struct drops_owner e = {};
	struct socket *socket;
	struct sock *sk;

	if (!file || !task)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	by.cookie = sk->__sk_common.skc_cookie.counter;
	if (!by.cookie || !is_wanted(&by)) {
		__u16 family = sk->__sk_common.skc_family;

		if (family != AF_INET && family != AF_INET6)
			return 0;
		by.cookie = 0;
		by.netns = sk->__sk_common.skc_net.net->ns.inum;
		by.port = local_port(sk);
		by.protocol = sk->sk_protocol;
		if (!by.port || !is_wanted(&by))
			return 0;
	}
	leader = task->group_leader;
	e.head.type = DROPS_RECORD_OWNER;
	e.head.size = sizeof(e);
	e.socket = by;
	e.start_ns = BPF_CORE_READ(leader, start_boottime);
	e.pid = BPF_CORE_READ(leader, tgid);
	e.uid = BPF_CORE_READ(leader, cred, euid.val);
	BPF_CORE_READ_STR_INTO(&e.comm, leader, comm);
	bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}
