// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/kernel_types.h"

#include <bpf/bpf_helpers.h>

/* What weir's program is held against: the least that can hang on the hook. */

char LICENSE[] SEC("license") = "GPL";

SEC("cgroup_skb/ingress")
int empty_receive(struct __sk_buff *skb)
{
	return 1;
}
