// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "bpf/kernel_types.h"

#include <bpf/bpf_core_read.h>

/* What a packet says of itself at the moment that it is freed. */

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define NETNS_MIN 0xeffffff0u /* inodes of namespaces begin there: PROC_NET_INIT_INO and PROC_DYNAMIC_FIRST */

/* skb->dev shares its memory with what queues keep there (dev_scratch, rbnode): what it points to counts only when it
 * looks like a device. NULL: it does not. */
static __always_inline struct net_device *device_of(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;

	if (!dev || dev->nd_net.net->ns.inum < NETNS_MIN || dev->ifindex <= 0)
		return NULL;
	return dev;
}

/* Whether skb->sk is the socket that the packet came from or lies in. On its way in, a packet still has its sender's until
 * IP takes it over, and that may be in another namespace; in a socket's queue it has that socket's, and no device. */
static __always_inline bool is_own_socket(struct sk_buff *skb, struct sock *sk, struct net_device *dev)
{
	return !dev || (!skb->skb_iif && sk->__sk_common.skc_net.net->ns.inum == dev->nd_net.net->ns.inum);
}
