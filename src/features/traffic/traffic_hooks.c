// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_hooks.h"

#include <string.h>

#include "base/cleanup.h"
#include "core/probe.h"

#define EVERY (TRAFFIC_SET_SOCK | TRAFFIC_SET_FENTRY | TRAFFIC_SET_KPROBE)

/* A function whose result counts, by fexit and by kprobe with kretprobe. */
#define RESULT(function, way, weight, loss)                                             \
	{ "traffic_x_" #function,                                                       \
	  "fexit/" #function,                                                           \
	  "kretfunc:" #function " /retval > 0/ { @" way "[pid, comm] = sum(retval); }", \
	  TRAFFIC_SET_FENTRY,                                                           \
	  TRAFFIC_HOOK_FUNCTION,                                                        \
	  weight,                                                                       \
	  loss },                                                                       \
		{ "traffic_k_" #function,                                               \
		  "kprobe/" #function,                                                  \
		  "kprobe:" #function " { @[pid, comm] = count(); }",                   \
		  TRAFFIC_SET_KPROBE,                                                   \
		  TRAFFIC_HOOK_FUNCTION,                                                \
		  weight,                                                               \
		  loss },                                                               \
	{                                                                               \
		"traffic_r_" #function, "kretprobe/" #function,                         \
			"kretprobe:" #function " /retval > 0/ { @" way                  \
			"[pid, comm] = sum(retval); }",                                 \
			TRAFFIC_SET_KPROBE, TRAFFIC_HOOK_FUNCTION, weight, loss         \
	}

/* One whose call counts, by fentry and by kprobe. */
#define CALL(function, weight, loss)                                                            \
	{ "traffic_e_" #function,                                                               \
	  "fentry/" #function,                                                                  \
	  "kfunc:" #function " { @[pid, comm] = count(); }",                                    \
	  TRAFFIC_SET_FENTRY,                                                                   \
	  TRAFFIC_HOOK_FUNCTION,                                                                \
	  weight,                                                                               \
	  loss },                                                                               \
	{                                                                                       \
		"traffic_k_" #function, "kprobe/" #function,                                    \
			"kprobe:" #function " { @[pid, comm] = count(); }", TRAFFIC_SET_KPROBE, \
			TRAFFIC_HOOK_FUNCTION, weight, loss                                     \
	}

#define LOSS_UDP "UDP is not counted"
#define LOSS_UDP6 "UDP over IPv6 is not counted"
#define LOSS_UNIX "by_transport.unix is not complete"
#define LOSS_RAW "raw sockets are not counted in by_transport.other"
#define LOSS_TRUNC "UDP datagrams taken with MSG_TRUNC count at their full length"

const struct traffic_hook traffic_hooks[] = {
	{ "traffic_destroy", "tp_btf/tcp_destroy_sock",
	  "tracepoint:tcp:tcp_destroy_sock { @ = count(); }", EVERY, TRAFFIC_HOOK_TRACEPOINT,
	  TRAFFIC_HOOK_REQUIRED, NULL },
	{ "traffic_receive_reset", "tp_btf/tcp_receive_reset",
	  "tracepoint:tcp:tcp_receive_reset { @[args.dport] = count(); }", EVERY,
	  TRAFFIC_HOOK_TRACEPOINT, TRAFFIC_HOOK_EXTRA,
	  "close_reason does not tell that the peer reset a connection" },
	{ "traffic_send_reset", "tp_btf/tcp_send_reset",
	  "tracepoint:tcp:tcp_send_reset { @[args.dport] = count(); }", EVERY,
	  TRAFFIC_HOOK_TRACEPOINT, TRAFFIC_HOOK_EXTRA,
	  "close_reason does not tell that this host reset a connection" },
	{ "traffic_exec", "tp_btf/sched_process_exec",
	  "tracepoint:sched:sched_process_exec { printf(\"%d %s\\n\", pid, str(args.filename)); }",
	  EVERY, TRAFFIC_HOOK_TRACEPOINT, TRAFFIC_HOOK_EXTRA,
	  "a process that starts another program is shown under its old name for up to a minute" },
	{ "traffic_rename", "tp_btf/task_rename",
	  "tracepoint:task:task_rename { printf(\"%d %s\\n\", args.pid, args.newcomm); }", EVERY,
	  TRAFFIC_HOOK_TRACEPOINT, TRAFFIC_HOOK_EXTRA,
	  "a process that renames itself is shown under its old name for up to a minute" },
	{ "traffic_moved", "tp_btf/cgroup_attach_task",
	  "tracepoint:cgroup:cgroup_attach_task { printf(\"%d %s\\n\", args.pid, str(args.dst_path)); }",
	  EVERY, TRAFFIC_HOOK_TRACEPOINT, TRAFFIC_HOOK_EXTRA,
	  "a process that moves to another control group is shown in its old one for up to a minute" },
	{ "traffic_exit", "tp_btf/sched_process_exit",
	  "tracepoint:sched:sched_process_exit { printf(\"%d %s\\n\", pid, comm); }", EVERY,
	  TRAFFIC_HOOK_TRACEPOINT, TRAFFIC_HOOK_REQUIRED, NULL },
	{ "traffic_release", "cgroup/sock_release", NULL, EVERY, TRAFFIC_HOOK_CGROUP,
	  TRAFFIC_HOOK_QUIET, NULL },
	{ "traffic_sendmsg4", "cgroup/sendmsg4", NULL, TRAFFIC_SET_SOCK | TRAFFIC_SET_FENTRY,
	  TRAFFIC_HOOK_CGROUP, TRAFFIC_HOOK_QUIET, NULL },
	{ "traffic_sendmsg6", "cgroup/sendmsg6", NULL, TRAFFIC_SET_SOCK | TRAFFIC_SET_FENTRY,
	  TRAFFIC_HOOK_CGROUP, TRAFFIC_HOOK_QUIET, NULL },
	{ "traffic_recvmsg4", "cgroup/recvmsg4", NULL, TRAFFIC_SET_SOCK | TRAFFIC_SET_FENTRY,
	  TRAFFIC_HOOK_CGROUP, TRAFFIC_HOOK_QUIET, NULL },
	{ "traffic_recvmsg6", "cgroup/recvmsg6", NULL, TRAFFIC_SET_SOCK | TRAFFIC_SET_FENTRY,
	  TRAFFIC_HOOK_CGROUP, TRAFFIC_HOOK_QUIET, NULL },
	{ "traffic_create", "cgroup/sock_create", NULL, TRAFFIC_SET_KPROBE, TRAFFIC_HOOK_CGROUP,
	  TRAFFIC_HOOK_QUIET, NULL },
	{ "traffic_seed", "iter/task_file", NULL, EVERY, TRAFFIC_HOOK_ITERATOR,
	  TRAFFIC_HOOK_REQUIRED, NULL },
	{ "traffic_sweep", "iter/bpf_sk_storage_map", NULL, EVERY, TRAFFIC_HOOK_SOCKETS,
	  TRAFFIC_HOOK_REQUIRED, NULL },
	{ "traffic_names", "iter/task", NULL, EVERY, TRAFFIC_HOOK_ITERATOR, TRAFFIC_HOOK_REQUIRED,
	  NULL },
	{ "traffic_send", "tp_btf/sock_send_length",
	  "tracepoint:sock:sock_send_length /args.ret > 0/ { @tx[pid, comm] = sum(args.ret); }",
	  TRAFFIC_SET_SOCK, TRAFFIC_HOOK_TRACEPOINT, TRAFFIC_HOOK_REQUIRED, NULL },
	{ "traffic_receive", "tp_btf/sock_recv_length",
	  "tracepoint:sock:sock_recv_length /args.ret > 0/ { @rx[pid, comm] = sum(args.ret); }",
	  TRAFFIC_SET_SOCK, TRAFFIC_HOOK_TRACEPOINT, TRAFFIC_HOOK_REQUIRED, NULL },
	RESULT(tcp_sendmsg, "tx", TRAFFIC_HOOK_REQUIRED, NULL),
	RESULT(tcp_sendpage, "tx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(tcp_bpf_sendmsg, "tx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(tcp_bpf_sendpage, "tx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(udp_sendmsg, "tx", TRAFFIC_HOOK_EXTRA, LOSS_UDP),
	RESULT(udpv6_sendmsg, "tx", TRAFFIC_HOOK_EXTRA, LOSS_UDP6),
	RESULT(ip_append_page, "tx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(mptcp_sendmsg, "tx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(raw_sendmsg, "tx", TRAFFIC_HOOK_EXTRA, LOSS_RAW),
	RESULT(rawv6_sendmsg, "tx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(ping_v4_sendmsg, "tx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(ping_v6_sendmsg, "tx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(unix_stream_sendmsg, "tx", TRAFFIC_HOOK_EXTRA, LOSS_UNIX),
	RESULT(unix_stream_sendpage, "tx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(unix_dgram_sendmsg, "tx", TRAFFIC_HOOK_EXTRA, LOSS_UNIX),
	RESULT(unix_seqpacket_sendmsg, "tx", TRAFFIC_HOOK_EXTRA, LOSS_UNIX),
	CALL(tcp_cleanup_rbuf, TRAFFIC_HOOK_REQUIRED, NULL),
	RESULT(sk_msg_recvmsg, "rx", TRAFFIC_HOOK_QUIET, NULL),
	CALL(udp_recvmsg, TRAFFIC_HOOK_EXTRA, LOSS_TRUNC),
	CALL(udpv6_recvmsg, TRAFFIC_HOOK_QUIET, NULL),
	CALL(skb_consume_udp, TRAFFIC_HOOK_EXTRA, LOSS_UDP),
	RESULT(mptcp_recvmsg, "rx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(raw_recvmsg, "rx", TRAFFIC_HOOK_EXTRA, LOSS_RAW),
	RESULT(rawv6_recvmsg, "rx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(ping_recvmsg, "rx", TRAFFIC_HOOK_QUIET, NULL),
	RESULT(unix_dgram_recvmsg, "rx", TRAFFIC_HOOK_EXTRA, LOSS_UNIX),
	RESULT(unix_seqpacket_recvmsg, "rx", TRAFFIC_HOOK_EXTRA, LOSS_UNIX),
	RESULT(unix_stream_read_actor, "rx", TRAFFIC_HOOK_EXTRA, LOSS_UNIX),
	RESULT(unix_stream_splice_actor, "rx", TRAFFIC_HOOK_QUIET, NULL),
	{ "traffic_state", "tp_btf/inet_sock_set_state",
	  "tracepoint:sock:inet_sock_set_state { @[args.oldstate, args.newstate] = count(); }",
	  EVERY, TRAFFIC_HOOK_TRACEPOINT, TRAFFIC_HOOK_REQUIRED, NULL },
};

const size_t n_traffic_hooks = ARRAY_SIZE(traffic_hooks);

const char *traffic_hook_target(const struct traffic_hook *h)
{
	return strchr(h->hook, '/') + 1;
}

bool traffic_hook_there(const struct traffic_hook *h, const struct weir_probe *p, bool cgroups)
{
	switch (h->kind) {
	case TRAFFIC_HOOK_TRACEPOINT:
		return weir_probe_tracepoint(p, traffic_hook_target(h));
	case TRAFFIC_HOOK_FUNCTION:
		return weir_probe_function(p, traffic_hook_target(h));
	case TRAFFIC_HOOK_CGROUP:
		return cgroups;
	case TRAFFIC_HOOK_SOCKETS:
	case TRAFFIC_HOOK_ITERATOR:
		return true;
	}
	return false;
}
