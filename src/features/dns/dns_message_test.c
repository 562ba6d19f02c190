// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "features/dns/dns_message.h"
#include "features/dns/dns_wire.h"

static struct dns_message m;

static int parse(const struct wire *w)
{
	/* On the heap and just so long, so that a sanitizer sees a byte too many. */
	_cleanup_free_ uint8_t *copy = malloc(w->len ? w->len : 1);

	memcpy(copy, w->bytes, w->len);
	return dns_message_parse(copy, w->len, &m);
}

static const char *address(unsigned i)
{
	static char text[WEIR_ADDR_TEXT];

	return weir_addr_format(&m.addresses[i].addr, text);
}

static void addresses_of_the_question(void **state)
{
	struct wire w;

	(void)state;
	wire_begin(&w, "WWW.Example.COM", WIRE_A);
	wire_address(&w, NULL, "192.0.2.1", 60);
	wire_address(&w, "www.example.com", "2001:db8::1", 0xffffffff);
	assert_int_equal(parse(&w), 0);
	assert_string_equal(m.name, "www.example.com");
	assert_int_equal(m.n, 2);
	assert_string_equal(address(0), "192.0.2.1");
	assert_int_equal(m.addresses[0].ttl_s, 60);
	assert_string_equal(address(1), "2001:db8::1");
	assert_int_equal(m.addresses[1].ttl_s, 0);
}

static void aliases_are_followed_in_any_order(void **state)
{
	struct wire w;

	(void)state;
	wire_begin(&w, "a.example", WIRE_A);
	wire_address(&w, "c.example", "192.0.2.3", 60);
	wire_alias(&w, "b.example", "C.example");
	wire_alias(&w, NULL, "b.example");
	assert_int_equal(parse(&w), 0);
	assert_string_equal(m.name, "a.example");
	assert_int_equal(m.n, 1);
}

static void what_was_not_asked_for_is_left_out(void **state)
{
	struct wire w;

	(void)state;
	wire_begin(&w, "a.example", WIRE_A);
	wire_address(&w, "bank.example", "192.0.2.66", 60);
	assert_int_equal(parse(&w), -ENOMSG);
	wire_begin(&w, "1.2.0.192.in-addr.arpa", WIRE_PTR);
	wire_address(&w, NULL, "192.0.2.1", 60);
	assert_int_equal(parse(&w), -ENOMSG);
}

static void aliases_in_a_circle_end(void **state)
{
	struct wire w;

	(void)state;
	wire_begin(&w, "a.example", WIRE_A);
	wire_alias(&w, NULL, "b.example");
	wire_alias(&w, "b.example", "a.example");
	wire_alias(&w, "a.example", "a.example");
	assert_int_equal(parse(&w), -ENOMSG);
}

static void hints_of_https(void **state)
{
	static const uint8_t data[] = { 0, 1, 0, /* priority, target "." */
					0, 1, 0, 3, 2, 'h', '3', /* alpn */
					0, 4, 0, 8, 192, 0, 2, 1, 192, 0, 2, 2,
					0, 6, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9 };
	struct wire w;

	(void)state;
	wire_begin(&w, "_8443._https.example.com", WIRE_HTTPS);
	wire_record(&w, NULL, WIRE_HTTPS, 60, data, sizeof(data));
	assert_int_equal(parse(&w), 0);
	assert_string_equal(m.name, "example.com");
	assert_int_equal(m.n, 3);
	assert_string_equal(address(2), "2001:db8::9");
	for (size_t n = 0; n < sizeof(data); n++) { /* cut inside itself */
		wire_begin(&w, "example.com", WIRE_HTTPS);
		wire_record(&w, NULL, WIRE_HTTPS, 60, data, n);
		parse(&w);
		assert_true(m.n <= 3);
	}
}

static void names_are_inert(void **state)
{
	struct wire w;

	(void)state;
	wire_begin(&w, "a\x1b[31m<b>\xe2\x80\xae\\.x_y-z", WIRE_A);
	wire_address(&w, NULL, "192.0.2.1", 60);
	assert_int_equal(parse(&w), 0);
	assert_string_equal(m.name, "a\\027\\09131m\\060b\\062\\226\\128\\174\\092.x_y-z");
}

static void a_name_that_is_too_long_once_escaped_is_refused(void **state)
{
	char label[64] = {}, name[256];
	struct wire w;

	(void)state;
	memset(label, '!', 63);
	snprintf(name, sizeof(name), "%s.%s", label, label);
	wire_begin(&w, name, WIRE_A);
	wire_address(&w, NULL, "192.0.2.1", 60);
	assert_int_equal(parse(&w), -ENOMSG);
	memset(label, 'a', 63);
	snprintf(name, sizeof(name), "%s.%s.%s.%.61s", label, label, label, label);
	wire_begin(&w, name, WIRE_A);
	wire_address(&w, NULL, "192.0.2.1", 60);
	assert_int_equal(parse(&w), 0);
	assert_string_equal(m.name, name);
	snprintf(name, sizeof(name), "%s.%s.%s.%.62s", label, label, label, label);
	wire_begin(&w, name, WIRE_A);
	wire_address(&w, NULL, "192.0.2.1", 60);
	assert_int_equal(parse(&w), -EBADMSG);
}

static void pointers_lead_backwards(void **state)
{
	static const char *const names[] = {
		"\xc0\x0c",         /* to itself, at 12 */
		"\xc0\x0e\xc0\x0c", /* to each other */
		"\xc0\x20",         /* forwards */
		("\x01" "a\xc0\x0c"), /* to its own beginning */
		"\xc0\x00",         /* into the header */
		"\xff\xff", "\x40", "\x80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct wire w;

		wire_begin(&w, "", WIRE_A);
		w.len = 12;
		w.bytes[7] = 1;
		wire_add(&w, names[i], strlen(names[i]) ? strlen(names[i]) : 2);
		wire_add(&w, "\0\1\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 23);
		assert_int_equal(parse(&w), -EBADMSG);
	}
}

static void only_answers_without_error_count(void **state)
{
	static const struct {
		const char *what;
		unsigned at;
		uint8_t value;
	} bad[] = {
		{ "a query", 2, 0x01 },	    { "a notification", 2, 0xa0 }, { "NXDOMAIN", 3, 0x83 },
		{ "no question", 5, 0 },    { "two questions", 5, 2 },	   { "no answer", 7, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct wire w;

		wire_begin(&w, "a.example", WIRE_A);
		wire_address(&w, NULL, "192.0.2.1", 60);
		w.bytes[bad[i].at] = bad[i].value;
		if (parse(&w) != -ENOMSG)
			fail_msg("%s was taken", bad[i].what);
	}
}

static void a_message_cut_anywhere_gives_what_is_whole(void **state)
{
	struct wire w;
	size_t whole, first;

	(void)state;
	wire_begin(&w, "a.example", WIRE_A);
	wire_address(&w, NULL, "192.0.2.1", 60);
	first = w.len;
	wire_alias(&w, NULL, "b.example");
	wire_address(&w, "b.example", "192.0.2.2", 60);
	whole = w.len;
	for (w.len = 0; w.len <= whole; w.len++) {
		int r = parse(&w);

		if (w.len >= first)
			assert_true(r == -EBADMSG || (r == 0 && m.n == (w.len == whole ? 2 : 1)));
		else
			assert_true(r < 0);
	}
}

static void many_records_are_bounded(void **state)
{
	struct wire w;

	(void)state;
	wire_begin(&w, "a.example", WIRE_A);
	for (unsigned i = 0; i < 200; i++)
		wire_address(&w, NULL, "192.0.2.1", 60);
	assert_int_equal(parse(&w), 0);
	assert_int_equal(m.n, DNS_ADDRESSES_MAX);
	wire_begin(&w, "n0.example", WIRE_A);
	for (unsigned i = 0; i < 100; i++) {
		char from[32], to[32];

		snprintf(from, sizeof(from), "n%u.example", 99 - i);
		snprintf(to, sizeof(to), "n%u.example", 100 - i);
		wire_alias(&w, from, to);
	}
	assert_int_equal(parse(&w), -ENOMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_the_question),
		cmocka_unit_test(aliases_are_followed_in_any_order),
		cmocka_unit_test(what_was_not_asked_for_is_left_out),
		cmocka_unit_test(aliases_in_a_circle_end),
		cmocka_unit_test(hints_of_https),
		cmocka_unit_test(names_are_inert),
		cmocka_unit_test(a_name_that_is_too_long_once_escaped_is_refused),
		cmocka_unit_test(pointers_lead_backwards),
		cmocka_unit_test(only_answers_without_error_count),
		cmocka_unit_test(a_message_cut_anywhere_gives_what_is_whole),
		cmocka_unit_test(many_records_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
