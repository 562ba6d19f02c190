// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "features/drops/drops_counters.h"
#include "features/drops/drops_packet.h"

#define V4(protocol) 0x45, 0, 0, 60, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2
#define V6(protocol)                                                                                              \
	0x60, 0, 0, 0, 0, 20, protocol, 64, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0xd, \
		0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define PORTS 0x14, 0xe9, 0, 53

static const struct {
	const char *says;
	uint16_t ethertype, family;
	uint32_t length;
	size_t n;
	uint8_t bytes[80];
	const char *text;
} rows[] = {
	{ "a datagram", 0x0800, 0, 148, 28, { V4(17), PORTS }, "udp 10.0.0.1:5353 > 10.0.0.2:53 len 60" },
	{ "a SYN", 0x0800, AF_INET, 60, 40, { V4(6), PORTS, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02 },
	  "tcp 10.0.0.1:5353 > 10.0.0.2:53 [S] len 60" },
	{ "an ACK with data", 0x0800, AF_INET, 60, 40, { V4(6), PORTS, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x18 },
	  "tcp 10.0.0.1:5353 > 10.0.0.2:53 [P.] len 60" },
	{ "TCP whose head was cut", 0x0800, AF_INET, 60, 24, { V4(6), PORTS }, "tcp 10.0.0.1:5353 > 10.0.0.2:53 len 60" },
	{ "an echo request", 0x0800, 0, 84, 24, { V4(1), 8, 0 }, "icmp 10.0.0.1 > 10.0.0.2 type 8/0 len 60" },
	{ "IPv6", 0x86dd, 0, 60, 48, { V6(17), PORTS }, "udp [2001:db8::1]:5353 > [2001:db8::2]:53 len 60" },
	{ "a length that its header does not tell", 0x0800, 0, 65555, 28,
	  { 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, PORTS },
	  "udp 10.0.0.1:5353 > 10.0.0.2:53 len 65555" },
	{ "another protocol", 0x0800, 0, 60, 28, { V4(47), PORTS }, "protocol 47 10.0.0.1 > 10.0.0.2 len 60" },
	{ "a later fragment has no ports", 0x0800, 0, 60, 28,
	  { 0x45, 0, 0, 60, 0, 0, 0x20, 1, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, PORTS }, "udp 10.0.0.1 > 10.0.0.2 len 60" },
	{ "who has", 0x0806, 0, 28, 28,
	  { 0, 1, 8, 0, 6, 4, 0, 1, 1, 2, 3, 4, 5, 6, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2 },
	  "arp who has 10.0.0.1 > 10.0.0.2 len 28" },
	{ "too short for its type", 0x0800, 0, 60, 19, { V4(17) }, "ethertype 0x0800 len 60" },
	{ "a lie about its version", 0x0800, 0, 60, 28, { 0x65 }, "ethertype 0x0800 len 60" },
	{ "a head that is too small", 0x0800, 0, 60, 28, { 0x44 }, "ethertype 0x0800 len 60" },
	{ "a head that is larger than what is there", 0x0800, 0, 60, 24,
	  { 0x4f, 0, 0, 60, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, PORTS }, "udp 10.0.0.1 > 10.0.0.2 len 60" },
	{ "a Unix socket's", 0, AF_UNIX, 5, 0, { 0 }, "unix len 5" },
	{ "nothing", 0, 0, 5, 0, { 0 }, "len 5" },
};

static void packets_are_one_line(void **state)
{
	char text[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		drops_packet_text(rows[i].ethertype, rows[i].family, rows[i].bytes, rows[i].n, rows[i].length, text,
				  sizeof(text));
		if (strcmp(text, rows[i].text))
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].says, text, rows[i].text);
	}
}

static void a_small_room_is_not_overrun(void **state)
{
	char text[24];

	(void)state;
	for (size_t room = 1; room <= sizeof(text); room++) {
		memset(text, 'x', sizeof(text));
		drops_packet_text(0x0800, 0, rows[0].bytes, rows[0].n, 100, text, room);
		assert_true(memchr(text, 0, room) != NULL);
		for (size_t i = room; i < sizeof(text); i++)
			assert_int_equal(text[i], 'x');
	}
}

static void squeezes_are_read(void **state)
{
	uint64_t squeezes = 0;
	uint32_t cpu = 0;

	(void)state;
	assert_true(drops_softnet_parse("0000a1b2 00000001 0000000c 0 0 0 0 0 0 00000000 00000000 00000000 00000003 0 0", 0, &cpu,
					&squeezes));
	assert_int_equal(cpu, 3);
	assert_int_equal(squeezes, 12);
	assert_true(drops_softnet_parse("1 2 ff 0 0 0 0 0 0 0 0", 7, &cpu, &squeezes)); /* before 5.10 */
	assert_int_equal(cpu, 7);
	assert_int_equal(squeezes, 255);
	assert_false(drops_softnet_parse("", 0, &cpu, &squeezes));
	assert_false(drops_softnet_parse("1 2 zz", 0, &cpu, &squeezes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_one_line),
		cmocka_unit_test(a_small_room_is_not_overrun),
		cmocka_unit_test(squeezes_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
