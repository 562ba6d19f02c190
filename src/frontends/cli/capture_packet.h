// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* What a captured packet says of itself: enough to find the sockets at its ends. Packets are hostile; what cannot be read
 * stays empty. Pure. */

#define CAPTURE_SLL2_BYTES 20
#define CAPTURE_ETHERNET_BYTES 14
#define CAPTURE_LOOPBACK_IFINDEX 1 /* in each network namespace, include/net/flow.h */
#define CAPTURE_ETHER_IPV4 0x0800
#define CAPTURE_ETHER_IPV6 0x86dd

enum capture_way {
	CAPTURE_WAY_UNKNOWN,
	CAPTURE_WAY_IN,
	CAPTURE_WAY_OUT,
	CAPTURE_WAY_LOCAL, /* by the loopback device: both at once */
	CAPTURE_WAY_OTHER, /* not for this host: seen in passing */
};

struct capture_end {
	struct weir_addr addr; /* IPv4-mapped addresses as IPv4 */
	uint16_t port;
};

struct capture_packet {
	enum capture_way way;
	uint32_t ifindex; /* 0: the link layer does not tell */
	const uint8_t *source_mac; /* six bytes, or NULL; borrowed from the packet */
	uint16_t ether_type;
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP: .from and .to hold; 0: neither */
	bool syn;	  /* TCP: a connection begins */
	bool of_kernel;	  /* the kernel itself speaks: ARP, neighbour discovery, group membership, ICMP errors */
	struct capture_end from, to;
};

/* link: WEIR_LINK_. bytes: the captured head, len of them. */
void capture_packet_read(uint16_t link, const uint8_t *bytes, size_t len, struct capture_packet *ret);

/* A link-layer header, for a packet that has another one or none: what it takes, at most. */
#define CAPTURE_LINK_BYTES_MAX 20

/* Writes the header of the link type that stands for the packet whose own header, if it is Ethernet, is given. Returns its
 * length; the packet from its network header on follows it. */
struct capture_link {
	uint16_t link;
	uint16_t ether_type;
	const uint8_t *ethernet; /* 14 bytes, or NULL */
	uint32_t ifindex;
	bool incoming;
};
size_t capture_link_write(const struct capture_link *l, uint8_t ret[CAPTURE_LINK_BYTES_MAX]);
