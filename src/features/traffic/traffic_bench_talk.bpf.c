// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/kernel_types.h"

#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "features/traffic/traffic_bench_talk_abi.h"

/* What many byte counters do on three functions of the kernel: a sum for each process. Each program
 * is there for both kinds of hook, beside an empty one; traffic_bench_talk.c loads what it wants.
 */

char LICENSE[] SEC("license") = "GPL";

struct msghdr;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32); /* process */
	__type(value, struct talk_seen);
} sums SEC(".maps");

static __always_inline int count(__s64 bytes)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct talk_seen *s = bpf_map_lookup_elem(&sums, &pid);

	if (!s) {
		struct talk_seen none = {};

		bpf_map_update_elem(&sums, &pid, &none, BPF_NOEXIST);
		s = bpf_map_lookup_elem(&sums, &pid);
		if (!s)
			return 0;
	}
	__sync_fetch_and_add(&s->hits, 1);
	if (bytes > 0)
		__sync_fetch_and_add(&s->bytes, bytes);
	return 0;
}

/* A function's result, wherever its arguments end: their number differs between kernels. */
static __always_inline __s64 result(void *ctx)
{
	__u64 ret = 0;

	bpf_get_func_ret(ctx, &ret);
	return (int)ret;
}

/* --- tcp_sendmsg(sk, msg, size): what it was asked to send, and what it took ------------------ */

SEC("fentry/tcp_sendmsg")
int BPF_PROG(send_fentry, struct sock *sk, struct msghdr *msg, __u64 size)
{
	return count(size);
}

SEC("kprobe/tcp_sendmsg")
int BPF_KPROBE(send_kprobe, struct sock *sk, struct msghdr *msg, __u64 size)
{
	return count(size);
}

SEC("fexit/tcp_sendmsg")
int sent_fexit(void *ctx)
{
	return count(result(ctx));
}

SEC("kretprobe/tcp_sendmsg")
int BPF_KRETPROBE(sent_kretprobe, int ret)
{
	return count(ret);
}

/* --- tcp_recvmsg(): what it returned ---------------------------------------------------------- */

SEC("fexit/tcp_recvmsg")
int received_fexit(void *ctx)
{
	return count(result(ctx));
}

SEC("kretprobe/tcp_recvmsg")
int BPF_KRETPROBE(received_kretprobe, int ret)
{
	return count(ret);
}

/* --- tcp_cleanup_rbuf(sk, copied) ------------------------------------------------------------- */

SEC("fentry/tcp_cleanup_rbuf")
int BPF_PROG(cleanup_fentry, struct sock *sk, int copied)
{
	return count(copied);
}

SEC("kprobe/tcp_cleanup_rbuf")
int BPF_KPROBE(cleanup_kprobe, struct sock *sk, int copied)
{
	return count(copied);
}

/* --- nothing ---------------------------------------------------------------------------------- */

SEC("fentry/tcp_sendmsg")
int send_fentry_empty(void *ctx)
{
	return 0;
}

SEC("kprobe/tcp_sendmsg")
int send_kprobe_empty(void *ctx)
{
	return 0;
}

SEC("fexit/tcp_sendmsg")
int sent_fexit_empty(void *ctx)
{
	return 0;
}

SEC("kretprobe/tcp_sendmsg")
int sent_kretprobe_empty(void *ctx)
{
	return 0;
}

SEC("fexit/tcp_recvmsg")
int received_fexit_empty(void *ctx)
{
	return 0;
}

SEC("kretprobe/tcp_recvmsg")
int received_kretprobe_empty(void *ctx)
{
	return 0;
}

SEC("fentry/tcp_cleanup_rbuf")
int cleanup_fentry_empty(void *ctx)
{
	return 0;
}

SEC("kprobe/tcp_cleanup_rbuf")
int cleanup_kprobe_empty(void *ctx)
{
	return 0;
}
