// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>

#include "base/addr.h"
#include "base/cleanup.h"

static void addresses_survive_a_round_trip(void **state)
{
	static const char *const texts[] = {
		"0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "::ffff:10.1.2.3", "fe80::1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char text[WEIR_ADDR_TEXT];
		struct weir_addr a;

		assert_int_equal(weir_addr_parse(texts[i], &a), 0);
		assert_string_equal(weir_addr_format(&a, text), texts[i]);
	}
}

static void ipv4_is_written_as_the_c_library_does(void **state)
{
	(void)state;
	for (uint64_t v = 0; v <= UINT32_MAX; v += 9973) {
		struct weir_addr a = { .bytes = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v },
				       .family = AF_INET };
		char text[WEIR_ADDR_TEXT], expected[WEIR_ADDR_TEXT];

		assert_string_equal(weir_addr_format(&a, text),
				    inet_ntop(AF_INET, a.bytes, expected, sizeof(expected)));
	}
}

static void what_is_no_address_is_refused_and_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"", " ", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "010.0.0.1", "1.2.3.4 ", " 1.2.3.4",
		"::g", "1:2", "fe80::1%lo", "[::1]", "localhost", "0x7f.0.0.1", "1.2.3.4/8",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct weir_addr a = { .family = 77 };

		if (weir_addr_parse(texts[i], &a) == 0)
			fail_msg("\"%s\" was taken for an address", texts[i]);
		assert_int_equal(a.family, 77);
	}
}

static void an_address_of_no_family_reads_as_a_dash(void **state)
{
	struct weir_addr a = { .family = 0 }, odd = { .family = 99 };
	char text[WEIR_ADDR_TEXT];

	(void)state;
	assert_string_equal(weir_addr_format(&a, text), "-");
	assert_string_equal(weir_addr_format(&odd, text), "-");
}

static void networks(void **state)
{
	static const struct {
		const char *what, *network;
		int result; /* of parsing */
		const char *address;
		bool match;
	} rows[] = {
		{ "a plain address is a network of its own", "10.1.2.3", 0, "10.1.2.3", true },
		{ "and of nobody else", "10.1.2.3", 0, "10.1.2.4", false },
		{ "whole bytes", "10.0.0.0/8", 0, "10.255.0.1", true },
		{ "just outside of whole bytes", "10.0.0.0/8", 0, "11.0.0.0", false },
		{ "bits inside a byte", "192.168.64.0/18", 0, "192.168.127.255", true },
		{ "just outside of bits inside a byte", "192.168.64.0/18", 0, "192.168.128.0", false },
		{ "31 bits", "10.0.0.2/31", 0, "10.0.0.3", true },
		{ "no bits: every IPv4 address", "0.0.0.0/0", 0, "203.0.113.9", true },
		{ "no bits of IPv4: no IPv6 address", "0.0.0.0/0", 0, "2001:db8::1", false },
		{ "an IPv4-mapped address is an IPv4 address", "10.0.0.0/8", 0, "::ffff:10.2.3.4", true },
		{ "an IPv4-mapped address outside", "10.0.0.0/8", 0, "::ffff:11.2.3.4", false },
		{ "IPv6", "2001:db8::/33", 0, "2001:db8:7fff::1", true },
		{ "IPv6 outside", "2001:db8::/33", 0, "2001:db8:8000::1", false },
		{ "128 bits", "::1/128", 0, "::1", true },
		{ "IPv4 lies in no IPv6 network", "::/0", 0, "1.2.3.4", false },
		{ "host bits", "10.0.0.1/8", -EINVAL, NULL, false },
		{ "IPv6 host bits", "2001:db8::1/64", -EINVAL, NULL, false },
		{ "too many bits", "10.0.0.0/33", -EINVAL, NULL, false },
		{ "too many bits for IPv6", "::/129", -EINVAL, NULL, false },
		{ "bits that overflow", "::/4294967296", -EINVAL, NULL, false },
		{ "no bits written", "10.0.0.0/", -EINVAL, NULL, false },
		{ "octal bits", "10.0.0.0/08", -EINVAL, NULL, false },
		{ "negative bits", "10.0.0.0/-8", -EINVAL, NULL, false },
		{ "a mask", "10.0.0.0/255.0.0.0", -EINVAL, NULL, false },
		{ "twice", "10.0.0.0/8/8", -EINVAL, NULL, false },
		{ "very long", "0000000000000000000000000000000000000000000000000000000::/8", -EINVAL, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct weir_prefix p = { .bits = 77 };
		struct weir_addr a;

		if (weir_prefix_parse(rows[i].network, &p) != rows[i].result)
			fail_msg("%s: parsing %s", rows[i].what, rows[i].network);
		if (rows[i].result < 0) {
			assert_int_equal(p.bits, 77);
			continue;
		}
		assert_int_equal(weir_addr_parse(rows[i].address, &a), 0);
		if (weir_prefix_match(&p, &a) != rows[i].match)
			fail_msg("%s: %s in %s", rows[i].what, rows[i].address, rows[i].network);
	}
}

static void the_network_around_an_address(void **state)
{
	static const struct {
		const char *text, *network; /* NULL: refused */
		uint8_t bits;
	} rows[] = {
		{ "10.1.2.3/8", "10.0.0.0", 8 },
		{ "10.255.2.3/9", "10.128.0.0", 9 },
		{ "10.1.2.3", "10.1.2.3", 32 },
		{ "10.1.2.3/0", "0.0.0.0", 0 },
		{ "2001:db8:ffff::1/33", "2001:db8:8000::", 33 },
		{ "::1/128", "::1", 128 },
		{ "10.1.2.3/33", NULL, 0 },
		{ "10.1/16", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct weir_prefix p = { .bits = 77 };
		char text[WEIR_ADDR_TEXT];

		assert_int_equal(weir_prefix_around(rows[i].text, &p), rows[i].network ? 0 : -EINVAL);
		assert_int_equal(p.bits, rows[i].network ? rows[i].bits : 77);
		if (rows[i].network)
			assert_string_equal(weir_addr_format(&p.addr, text), rows[i].network);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_survive_a_round_trip),
		cmocka_unit_test(ipv4_is_written_as_the_c_library_does),
		cmocka_unit_test(what_is_no_address_is_refused_and_changes_nothing),
		cmocka_unit_test(an_address_of_no_family_reads_as_a_dash),
		cmocka_unit_test(networks),
		cmocka_unit_test(the_network_around_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
