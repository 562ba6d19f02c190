// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* What weir's program is held against: the least that can hang on the hook, and the sum by reason and place that a
 * tracing script makes there. The last one makes packets. */

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/kfree_skb")
int empty_freed(void *ctx)
{
	return 0;
}

struct drops_script_key {
	__u64 place;
	__u64 reason;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct drops_script_key);
	__type(value, __u64);
} script_sums SEC(".maps");

SEC("tp_btf/kfree_skb")
int BPF_PROG(script_freed, struct sk_buff *skb, void *place, __u32 reason)
{
	struct drops_script_key key = { .place = (__u64)place, .reason = reason };
	__u64 first = 1, *sum = bpf_map_lookup_elem(&script_sums, &key);

	if (sum)
		++*sum;
	else
		bpf_map_update_elem(&script_sums, &key, &first, BPF_ANY);
	return 0;
}

/* Run over a frame of ours, again and again, each goes on to the kernel's receive path. */
SEC("xdp")
int make_frame(void *ctx)
{
	return 2; /* XDP_PASS */
}
