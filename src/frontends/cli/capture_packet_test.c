// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "frontends/cli/capture_packet.h"
#include "frontends/export/pcapng.h"

/* Packets from readable pieces: hexadecimal digits, blanks between them. */
static size_t hex(const char *text, uint8_t *ret)
{
	size_t n = 0;

	for (; *text; text++) {
		char pair[3] = { text[0], text[1], 0 };

		if (*text == ' ')
			continue;
		ret[n++] = (uint8_t)strtoul(pair, NULL, 16);
		text++;
	}
	return n;
}

#define SLL2_IN "0800 0000 00000002 0001 00 06 0200000000010000 "
#define SLL2_OUT "0800 0000 00000002 0001 04 06 0200000000010000 "
#define SLL2_LO "0800 0000 00000001 0304 00 06 0000000000000000 "
#define SLL2_IN6 "86dd 0000 00000002 0001 00 06 0200000000010000 "
#define ETHERNET "020000000001 020000000002 "
#define IP4(protocol) "45000028 00004000 40" protocol "0000 0a000001 0a000002 "
#define IP6(next) "60000000 0014" next "40 fd000000000000000000000000000001 fd000000000000000000000000000002 "
#define PORTS "1f90 0035 "
#define SYN "00000001 00000000 5002 ffff 0000 0000"
#define ACK "00000001 00000001 5010 ffff 0000 0000"

static const struct {
	const char *says;
	uint16_t link;
	const char *packet;
	enum capture_way way;
	uint8_t protocol;
	const char *from, *to;
	uint16_t from_port, to_port;
	bool syn, of_kernel;
} rows[] = {
	{ "TCP over SLL2, coming in", WEIR_LINK_SLL2, SLL2_IN IP4("06") PORTS ACK, CAPTURE_WAY_IN, IPPROTO_TCP, "10.0.0.1",
	  "10.0.0.2", 8080, 53, false, false },
	{ "a SYN over SLL2, going out", WEIR_LINK_SLL2, SLL2_OUT IP4("06") PORTS SYN, CAPTURE_WAY_OUT, IPPROTO_TCP,
	  "10.0.0.1", "10.0.0.2", 8080, 53, true, false },
	{ "UDP by the loopback device", WEIR_LINK_SLL2, SLL2_LO IP4("11") PORTS "000c 0000", CAPTURE_WAY_LOCAL, IPPROTO_UDP,
	  "10.0.0.1", "10.0.0.2", 8080, 53, false, false },
	{ "Ethernet", WEIR_LINK_ETHERNET, ETHERNET "0800" IP4("11") PORTS, CAPTURE_WAY_UNKNOWN, IPPROTO_UDP, "10.0.0.1",
	  "10.0.0.2", 8080, 53, false, false },
	{ "two VLAN tags", WEIR_LINK_ETHERNET, ETHERNET "88a8 0001 8100 0002 0800" IP4("11") PORTS, CAPTURE_WAY_UNKNOWN,
	  IPPROTO_UDP, "10.0.0.1", "10.0.0.2", 8080, 53, false, false },
	{ "raw IPv4", WEIR_LINK_RAW, IP4("11") PORTS, CAPTURE_WAY_UNKNOWN, IPPROTO_UDP, "10.0.0.1", "10.0.0.2", 8080, 53,
	  false, false },
	{ "raw IPv6", WEIR_LINK_RAW, IP6("11") PORTS, CAPTURE_WAY_UNKNOWN, IPPROTO_UDP, "fd00::1", "fd00::2", 8080, 53, false,
	  false },
	{ "IPv6 with extension headers", WEIR_LINK_SLL2, SLL2_IN6 IP6("00") "2b00000000000000 1100000000000000" PORTS,
	  CAPTURE_WAY_IN, IPPROTO_UDP, "fd00::1", "fd00::2", 8080, 53, false, false },
	{ "the first fragment of IPv6", WEIR_LINK_SLL2, SLL2_IN6 IP6("2c") "1100000100000001" PORTS, CAPTURE_WAY_IN,
	  IPPROTO_UDP, "fd00::1", "fd00::2", 8080, 53, false, false },
	{ "a later fragment of IPv6 has no ports", WEIR_LINK_SLL2, SLL2_IN6 IP6("2c") "1100001000000001" PORTS, CAPTURE_WAY_IN,
	  0, "fd00::1", "fd00::2", 0, 0, false, false },
	{ "a later fragment of IPv4 has no ports", WEIR_LINK_SLL2,
	  SLL2_IN "45000028 00000001 40110000 0a000001 0a000002" PORTS, CAPTURE_WAY_IN, 0, "10.0.0.1", "10.0.0.2", 0, 0, false,
	  false },
	{ "IPv4 options are stepped over", WEIR_LINK_RAW, "46000028 00004000 40110000 0a000001 0a000002 94040000" PORTS,
	  CAPTURE_WAY_UNKNOWN, IPPROTO_UDP, "10.0.0.1", "10.0.0.2", 8080, 53, false, false },
	{ "an IPv4 header that is too short for itself", WEIR_LINK_RAW, "44000028 00004000 40110000 0a000001 0a000002" PORTS,
	  CAPTURE_WAY_UNKNOWN, 0, "-", "-", 0, 0, false, false },
	{ "addresses that are IPv4's inside IPv6 are IPv4", WEIR_LINK_RAW,
	  "60000000 00141140 00000000000000000000ffff0a000001 00000000000000000000ffff0a000002" PORTS, CAPTURE_WAY_UNKNOWN,
	  IPPROTO_UDP, "10.0.0.1", "10.0.0.2", 8080, 53, false, false },
	{ "ARP is the kernel's", WEIR_LINK_ETHERNET, ETHERNET "0806 0001", CAPTURE_WAY_UNKNOWN, 0, "-", "-", 0, 0, false, true },
	{ "an ICMP error is the kernel's", WEIR_LINK_RAW, IP4("01") "0303", CAPTURE_WAY_UNKNOWN, 0, "10.0.0.1", "10.0.0.2", 0, 0,
	  false, true },
	{ "an echo request is somebody's", WEIR_LINK_RAW, IP4("01") "0800", CAPTURE_WAY_UNKNOWN, 0, "10.0.0.1", "10.0.0.2", 0,
	  0, false, false },
	{ "neighbour discovery is the kernel's", WEIR_LINK_RAW, IP6("3a") "8700", CAPTURE_WAY_UNKNOWN, 0, "fd00::1", "fd00::2",
	  0, 0, false, true },
	{ "another link type", 195, "0011", CAPTURE_WAY_UNKNOWN, 0, "-", "-", 0, 0, false, false },
};

static void packets_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char from[WEIR_ADDR_TEXT], to[WEIR_ADDR_TEXT];
		struct capture_packet p;
		uint8_t bytes[256];
		size_t n = hex(rows[i].packet, bytes);

		capture_packet_read(rows[i].link, bytes, n, &p);
		if (p.way != rows[i].way || p.protocol != rows[i].protocol || p.from.port != rows[i].from_port ||
		    p.to.port != rows[i].to_port || p.syn != rows[i].syn || p.of_kernel != rows[i].of_kernel ||
		    strcmp(weir_addr_format(&p.from.addr, from), rows[i].from) ||
		    strcmp(weir_addr_format(&p.to.addr, to), rows[i].to))
			fail_msg("%s: way %d protocol %u %s:%u > %s:%u syn %d kernel %d", rows[i].says, p.way, p.protocol,
				 from, p.from.port, to, p.to.port, p.syn, p.of_kernel);
	}
}

/* Behind the end of what was captured is nothing: the memory sanitizer watches. */
static void packets_may_end_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[256];
		size_t whole = hex(rows[i].packet, bytes);

		for (size_t n = 0; n < whole; n++) {
			uint8_t *cut = malloc(n ? n : 1);
			struct capture_packet p;

			assert_non_null(cut);
			memcpy(cut, bytes, n);
			capture_packet_read(rows[i].link, cut, n, &p);
			free(cut);
		}
	}
}

static void a_link_header_is_made_that_reads_the_same(void **state)
{
	static const uint16_t links[] = { WEIR_LINK_SLL2, WEIR_LINK_ETHERNET };
	uint8_t ethernet[14], packet[256], head[CAPTURE_LINK_BYTES_MAX];

	(void)state;
	hex(ETHERNET "0800", ethernet);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		for (unsigned given = 0; given < 2; given++) {
			const struct capture_link l = { .link = links[i], .ether_type = 0x0800,
							.ethernet = given ? ethernet : NULL, .ifindex = 70000, .incoming = true };
			size_t n = capture_link_write(&l, head);
			struct capture_packet p;

			memcpy(packet, head, n);
			capture_packet_read(links[i], packet, n + hex(IP4("11") PORTS, packet + n), &p);
			assert_int_equal(p.ether_type, 0x0800);
			assert_int_equal(p.to.port, 53);
			if (links[i] == WEIR_LINK_SLL2) {
				assert_int_equal(p.ifindex, 70000);
				assert_int_equal(p.way, CAPTURE_WAY_IN);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_read),
		cmocka_unit_test(packets_may_end_anywhere),
		cmocka_unit_test(a_link_header_is_made_that_reads_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
