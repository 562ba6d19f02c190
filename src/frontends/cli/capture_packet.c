// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/capture_packet.h"

#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "frontends/export/pcapng.h"

#define ETHER_ARP 0x0806
#define ETHER_VLAN 0x8100
#define ETHER_SERVICE_VLAN 0x88a8
#define VLANS_MAX 4
#define EXTENSIONS_MAX 8

/* A packet's bytes that are left. */
struct cursor {
	const uint8_t *at;
	size_t len;
};

static bool skip(struct cursor *c, size_t n)
{
	if (n > c->len)
		return false;
	c->at += n;
	c->len -= n;
	return true;
}

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)be16(at) << 16 | be16(at + 2);
}

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* --- link layer ------------------------------------------------------------------------------ */

/* The kernel's packet types, as SLL2 has them: include/uapi/linux/if_packet.h. */
static enum capture_way way_of(uint8_t packet_type)
{
	switch (packet_type) {
	case 0: /* to us */
	case 1: /* broadcast */
	case 2: /* multicast */
		return CAPTURE_WAY_IN;
	case 3:
		return CAPTURE_WAY_OTHER;
	case 4:
		return CAPTURE_WAY_OUT;
	}
	return CAPTURE_WAY_UNKNOWN;
}

static bool read_sll2(struct cursor *c, struct capture_packet *ret)
{
	const uint8_t *h = c->at;

	if (!skip(c, CAPTURE_SLL2_BYTES))
		return false;
	ret->ether_type = be16(h);
	ret->ifindex = be32(h + 4);
	ret->way = be16(h + 8) == ARPHRD_LOOPBACK ? CAPTURE_WAY_LOCAL : way_of(h[10]);
	return true;
}

static bool read_ethernet(struct cursor *c, struct capture_packet *ret)
{
	const uint8_t *h = c->at;

	if (!skip(c, CAPTURE_ETHERNET_BYTES))
		return false;
	ret->source_mac = h + 6;
	ret->ether_type = be16(h + 12);
	return true;
}

static bool read_raw(struct cursor *c, struct capture_packet *ret)
{
	if (!c->len)
		return false;
	ret->ether_type = c->at[0] >> 4 == 6 ? CAPTURE_ETHER_IPV6 : CAPTURE_ETHER_IPV4;
	return true;
}

static bool skip_vlans(struct cursor *c, struct capture_packet *ret)
{
	for (unsigned i = 0; i < VLANS_MAX; i++) {
		const uint8_t *tag = c->at;

		if (ret->ether_type != ETHER_VLAN && ret->ether_type != ETHER_SERVICE_VLAN)
			return true;
		if (!skip(c, 4))
			return false;
		ret->ether_type = be16(tag + 2);
	}
	return true;
}

/* --- network and transport ------------------------------------------------------------------- */

static void address(struct weir_addr *ret, const uint8_t *bytes, size_t len)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(ret, 0, sizeof(*ret));
	if (len == 16 && !memcmp(bytes, mapped, sizeof(mapped))) {
		bytes += sizeof(mapped);
		len = 4;
	}
	ret->family = len == 4 ? AF_INET : AF_INET6;
	memcpy(ret->bytes, bytes, len);
}

static void read_ports(struct cursor *c, uint8_t protocol, struct capture_packet *ret)
{
	if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) || c->len < 4)
		return;
	ret->from.port = be16(c->at);
	ret->to.port = be16(c->at + 2);
	ret->protocol = protocol;
	ret->syn = protocol == IPPROTO_TCP && c->len >= 14 && (c->at[13] & 0x02);
}

/* Errors are the kernel's; echo and the rest are of programs that ping, and of the kernel that answers. */
static bool icmp_of_kernel(uint8_t type)
{
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* Errors, group membership, neighbour discovery, version 2 of group membership. */
static bool icmp6_of_kernel(uint8_t type)
{
	return type < 128 || (type >= 130 && type <= 137) || type == 143;
}

static void read_payload(struct cursor *c, uint8_t protocol, struct capture_packet *ret)
{
	if (protocol == IPPROTO_IGMP)
		ret->of_kernel = true;
	else if (protocol == IPPROTO_ICMP)
		ret->of_kernel = c->len && icmp_of_kernel(c->at[0]);
	else if (protocol == IPPROTO_ICMPV6)
		ret->of_kernel = c->len && icmp6_of_kernel(c->at[0]);
	else
		read_ports(c, protocol, ret);
}

static void read_ipv4(struct cursor *c, struct capture_packet *ret)
{
	const uint8_t *h = c->at;
	size_t header;

	if (c->len < 20 || h[0] >> 4 != 4)
		return;
	header = (h[0] & 0x0f) * 4u;
	if (header < 20 || !skip(c, header))
		return;
	address(&ret->from.addr, h + 12, 4);
	address(&ret->to.addr, h + 16, 4);
	/* Only the first fragment has the ports. */
	if (!(be16(h + 6) & 0x1fff))
		read_payload(c, h[9], ret);
}

/* Steps over extension headers. False: what follows is not there, or no first fragment. */
static bool skip_extensions(struct cursor *c, uint8_t *next)
{
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		const uint8_t *h = c->at;
		size_t len;

		switch (*next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			len = c->len >= 2 ? (h[1] + 1u) * 8 : SIZE_MAX;
			break;
		case IPPROTO_FRAGMENT:
			if (c->len < 8 || be16(h + 2) & 0xfff8)
				return false;
			len = 8;
			break;
		default:
			return true;
		}
		if (!skip(c, len))
			return false;
		*next = h[0];
	}
	return false;
}

static void read_ipv6(struct cursor *c, struct capture_packet *ret)
{
	const uint8_t *h = c->at;
	uint8_t next;

	if (c->len < 40 || h[0] >> 4 != 6 || !skip(c, 40))
		return;
	address(&ret->from.addr, h + 8, 16);
	address(&ret->to.addr, h + 24, 16);
	next = h[6];
	if (skip_extensions(c, &next))
		read_payload(c, next, ret);
}

void capture_packet_read(uint16_t link, const uint8_t *bytes, size_t len, struct capture_packet *ret)
{
	struct cursor c = { bytes, len };
	bool ok = false;

	memset(ret, 0, sizeof(*ret));
	if (link == WEIR_LINK_SLL2)
		ok = read_sll2(&c, ret);
	else if (link == WEIR_LINK_ETHERNET)
		ok = read_ethernet(&c, ret);
	else if (link == WEIR_LINK_RAW)
		ok = read_raw(&c, ret);
	if (!ok || !skip_vlans(&c, ret))
		return;
	if (ret->ether_type == CAPTURE_ETHER_IPV4)
		read_ipv4(&c, ret);
	else if (ret->ether_type == CAPTURE_ETHER_IPV6)
		read_ipv6(&c, ret);
	else if (ret->ether_type == ETHER_ARP)
		ret->of_kernel = true;
}

/* --- a header that is not there -------------------------------------------------------------- */

static size_t write_sll2(const struct capture_link *l, uint8_t *ret)
{
	memset(ret, 0, CAPTURE_SLL2_BYTES);
	put16(ret, l->ethernet ? be16(l->ethernet + 12) : l->ether_type);
	put16(ret + 4, (uint16_t)(l->ifindex >> 16));
	put16(ret + 6, (uint16_t)l->ifindex);
	put16(ret + 8, l->ethernet ? ARPHRD_ETHER : ARPHRD_NONE);
	if (l->ifindex == CAPTURE_LOOPBACK_IFINDEX)
		put16(ret + 8, ARPHRD_LOOPBACK);
	ret[10] = l->incoming ? 0 : 4;
	if (l->ethernet) {
		ret[11] = 6;
		memcpy(ret + 12, l->ethernet + 6, 6);
	}
	return CAPTURE_SLL2_BYTES;
}

size_t capture_link_write(const struct capture_link *l, uint8_t ret[CAPTURE_LINK_BYTES_MAX])
{
	if (l->link == WEIR_LINK_SLL2)
		return write_sll2(l, ret);
	if (l->link != WEIR_LINK_ETHERNET)
		return 0;
	memset(ret, 0, CAPTURE_ETHERNET_BYTES);
	if (l->ethernet)
		memcpy(ret, l->ethernet, CAPTURE_ETHERNET_BYTES);
	else
		put16(ret + 12, l->ether_type);
	return CAPTURE_ETHERNET_BYTES;
}
