// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_account.bpf.h"

/* The set "sock", kernel 6.3 and newer: the socket layer's own tracepoints. */

/* --- bytes: each call on a socket, of any protocol, in its caller's context ------------------- */

SEC("tp_btf/sock_send_length")
int BPF_PROG(traffic_send, struct sock *sk, int ret)
{
	if (ret <= 0)
		return 0;
	return account(ctx, sk, ret, TRAFFIC_TX);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(traffic_receive, struct sock *sk, int ret, int flags)
{
	/* What is peeked at stays; the error queue brings back what was sent. */
	if (ret <= 0 || flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	if (unlikely(flags & MSG_TRUNC) && sk->sk_type != SOCK_STREAM)
		return account_cut(sk, ret);
	return account(ctx, sk, ret, TRAFFIC_RX);
}
