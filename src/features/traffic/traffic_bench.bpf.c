// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* What weir's programs are held against: the least that can hang on the hooks, and the sum by
 * process and name that a tracing script makes there. */

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/sock_send_length")
int empty_send(void *ctx)
{
	return 0;
}

SEC("tp_btf/sock_recv_length")
int empty_receive(void *ctx)
{
	return 0;
}

struct script_key {
	__u64 pid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct script_key);
	__type(value, __u64);
} script_tx SEC(".maps"), script_rx SEC(".maps");

static __always_inline int script_sum(void *map, int n)
{
	struct script_key key = { .pid = bpf_get_current_pid_tgid() >> 32 };
	__u64 first = n, *sum;

	if (n <= 0)
		return 0;
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	sum = bpf_map_lookup_elem(map, &key);
	if (sum)
		*sum += n;
	else
		bpf_map_update_elem(map, &key, &first, BPF_ANY);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(script_send, struct sock *sk, int ret)
{
	return script_sum(&script_tx, ret);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(script_receive, struct sock *sk, int ret)
{
	return script_sum(&script_rx, ret);
}
