// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_packet.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_IPV6 0x86dd

struct bytes {
	const uint8_t *at;
	size_t n;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put_address(int family, const uint8_t *raw, char ret[WEIR_ADDR_TEXT])
{
	struct weir_addr a = { .family = (uint8_t)family };

	memcpy(a.bytes, raw, family == AF_INET ? 4 : 16);
	weir_addr_format(&a, ret);
}

/* "[S.]" as tcpdump writes them. */
static void put_flags(uint8_t flags, char *ret)
{
	static const struct {
		uint8_t bit;
		char letter;
	} letters[] = { { 0x02, 'S' }, { 0x01, 'F' }, { 0x04, 'R' }, { 0x08, 'P' }, { 0x20, 'U' }, { 0x10, '.' } };
	char *to = ret;

	*to++ = ' ';
	*to++ = '[';
	for (unsigned i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (flags & letters[i].bit)
			*to++ = letters[i].letter;
	*to++ = ']';
	*to = 0;
}

static const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmp6";
	case IPPROTO_IGMP:
		return "igmp";
	case IPPROTO_SCTP:
		return "sctp";
	}
	return NULL;
}

static void put_ip(uint8_t protocol, const char *from, const char *to, bool v6, struct bytes l4, uint32_t length, char *ret,
		   size_t room)
{
	bool ports = (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP) && l4.n >= 4;
	const char *name = protocol_name(protocol);
	const char *open = v6 && ports ? "[" : "", *close = v6 && ports ? "]" : "";
	char number[16], flags[12] = "", sport[8] = "", dport[8] = "", detail[16] = "";

	if (!name) {
		snprintf(number, sizeof(number), "protocol %u", protocol);
		name = number;
	}
	if (ports) {
		snprintf(sport, sizeof(sport), ":%u", get16(l4.at));
		snprintf(dport, sizeof(dport), ":%u", get16(l4.at + 2));
	}
	if (protocol == IPPROTO_TCP && l4.n >= 14)
		put_flags(l4.at[13], flags);
	if ((protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) && l4.n >= 2)
		snprintf(detail, sizeof(detail), " type %u/%u", l4.at[0], l4.at[1]);
	snprintf(ret, room, "%s %s%s%s%s > %s%s%s%s%s%s len %u", name, open, from, close, sport, open, to, close, dport, flags,
		 detail, length);
}

static bool put_v4(struct bytes b, uint32_t length, char *ret, size_t room)
{
	char from[WEIR_ADDR_TEXT], to[WEIR_ADDR_TEXT];
	size_t head;

	if (b.n < 20 || b.at[0] >> 4 != 4)
		return false;
	head = (size_t)(b.at[0] & 15) * 4;
	if (head < 20)
		return false;
	if (head > b.n || get16(b.at + 6) & 0x1fff)
		head = b.n; /* a later fragment has no ports */
	/* Layers that the packet has passed are no longer part of what is left of it. */
	length = get16(b.at + 2) ? get16(b.at + 2) : length;
	put_address(AF_INET, b.at + 12, from);
	put_address(AF_INET, b.at + 16, to);
	put_ip(b.at[9], from, to, false, (struct bytes){ b.at + head, b.n - head }, length, ret, room);
	return true;
}

static bool put_v6(struct bytes b, uint32_t length, char *ret, size_t room)
{
	char from[WEIR_ADDR_TEXT], to[WEIR_ADDR_TEXT];

	if (b.n < 40 || b.at[0] >> 4 != 6)
		return false;
	length = get16(b.at + 4) ? get16(b.at + 4) + 40u : length;
	put_address(AF_INET6, b.at + 8, from);
	put_address(AF_INET6, b.at + 24, to);
	put_ip(b.at[6], from, to, true, (struct bytes){ b.at + 40, b.n - 40 }, length, ret, room);
	return true;
}

static bool put_arp(struct bytes b, uint32_t length, char *ret, size_t room)
{
	char from[WEIR_ADDR_TEXT], to[WEIR_ADDR_TEXT];

	if (b.n < 28 || get16(b.at + 2) != ETHERTYPE_IPV4)
		return false;
	put_address(AF_INET, b.at + 14, from);
	put_address(AF_INET, b.at + 24, to);
	snprintf(ret, room, "arp %s %s > %s len %u", get16(b.at + 6) == 1 ? "who has" : "reply", from, to, length);
	return true;
}

void drops_packet_text(uint16_t ethertype, uint16_t family, const uint8_t *bytes, size_t n, uint32_t length, char *ret,
		       size_t room)
{
	struct bytes b = { bytes, n };

	if (ethertype == ETHERTYPE_IPV4 && put_v4(b, length, ret, room))
		return;
	if (ethertype == ETHERTYPE_IPV6 && put_v6(b, length, ret, room))
		return;
	if (ethertype == ETHERTYPE_ARP && put_arp(b, length, ret, room))
		return;
	if (family == AF_UNIX)
		snprintf(ret, room, "unix len %u", length);
	else if (family == AF_NETLINK)
		snprintf(ret, room, "netlink len %u", length);
	else if (ethertype)
		snprintf(ret, room, "ethertype 0x%04x len %u", ethertype, length);
	else
		snprintf(ret, room, "len %u", length);
}
