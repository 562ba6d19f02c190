// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "features/dns/dns_hosts.h"
#include "features/dns/dns_names.h"

#define S 1000000000ull
#define HOST_NETNS 1

static const struct dns_asker root = { .pid = 10, .start_ns = 100, .uid = 0, .netns = HOST_NETNS };
static const struct dns_asker other = { .pid = 11, .start_ns = 110, .uid = 0, .netns = HOST_NETNS };
static const struct dns_asker user = { .pid = 12, .start_ns = 120, .uid = 1000, .netns = HOST_NETNS };
static const struct dns_asker resolver = { .pid = 13, .start_ns = 130, .uid = 101, .netns = HOST_NETNS };
static const struct dns_asker container = { .pid = 14, .start_ns = 140, .uid = 0, .netns = 2 };
static const struct dns_asker unknown;

static struct weir_addr addr(const char *text)
{
	struct weir_addr a;

	assert_int_equal(weir_addr_parse(text, &a), 0);
	return a;
}

static void learn(struct dns_names *n, const char *address, const char *name, uint32_t ttl_s,
		  const struct dns_asker *asker, uint64_t at_s)
{
	struct weir_addr a = addr(address);

	assert_int_equal(dns_names_learn(n, &a, name, ttl_s, asker, at_s * S), 0);
}

static const char *find(struct dns_names *n, const char *address, const struct dns_asker *who, uint64_t at_s)
{
	struct weir_peer p = { .addr = addr(address), .at_mono_ns = at_s * S, .pid = who->pid,
			       .start_ns = who->start_ns, .netns = who->netns, .uid = who->uid };
	const char *name = dns_names_find(n, &p);

	return name ? name : "-";
}

#define FOUND(n, address, who, at_s, name) assert_string_equal(find(n, address, &(who), at_s), name)

static int begin(void **state)
{
	*state = dns_names_new();
	return 0;
}

static int end(void **state)
{
	dns_names_free(*state);
	return 0;
}

static void the_own_question_comes_first_then_the_newest(void **state)
{
	learn(*state, "192.0.2.1", "one", 60, &root, 1);
	learn(*state, "192.0.2.1", "two", 60, &other, 2);
	FOUND(*state, "192.0.2.1", root, 5, "one");
	FOUND(*state, "192.0.2.1", other, 5, "two");
	FOUND(*state, "192.0.2.1", resolver, 5, "-"); /* root's questions are not for others to see */
	FOUND(*state, "192.0.2.1", ((struct dns_asker){ .pid = 99, .start_ns = 1, .netns = HOST_NETNS }), 5, "two");
	FOUND(*state, "::ffff:192.0.2.1", other, 5, "two");
}

static void a_reused_pid_is_another_process(void **state)
{
	struct dns_asker reused = root;

	reused.start_ns = 999;
	learn(*state, "10.0.0.1", "one", 60, &root, 1);
	learn(*state, "10.0.0.1", "two", 60, &other, 2);
	FOUND(*state, "10.0.0.1", reused, 5, "two");
}

static void a_flow_keeps_the_name_that_was_known_when_it_opened(void **state)
{
	learn(*state, "192.0.2.1", "one", 60, &root, 10);
	learn(*state, "192.0.2.1", "two", 60, &root, 20);
	learn(*state, "192.0.2.1", "one", 60, &root, 30);
	FOUND(*state, "192.0.2.1", other, 9, "-");
	FOUND(*state, "192.0.2.1", other, 15, "one");
	FOUND(*state, "192.0.2.1", other, 25, "two");
	FOUND(*state, "192.0.2.1", other, 35, "one");
	FOUND(*state, "192.0.2.1", other, 0, "one"); /* older than weir: the newest */
}

static void names_end_ten_minutes_beyond_their_time_to_live(void **state)
{
	learn(*state, "192.0.2.1", "one", 60, &root, 0);
	FOUND(*state, "192.0.2.1", other, 660, "one");
	FOUND(*state, "192.0.2.1", other, 661, "-");
	FOUND(*state, "192.0.2.1", root, 99999, "one"); /* who asked may keep the address */
	learn(*state, "192.0.2.1", "one", 60, &root, 600);
	FOUND(*state, "192.0.2.1", other, 1200, "one");
	learn(*state, "192.0.2.2", "long", UINT32_MAX, &root, 0);
	FOUND(*state, "192.0.2.2", other, 86400 + 600, "long");
	FOUND(*state, "192.0.2.2", other, 86400 + 601, "-");
}

static void users_see_their_own_and_resolvers_names(void **state)
{
	struct dns_asker second = user;

	second.uid = 1001;
	second.pid = 99;
	learn(*state, "192.0.2.1", "mine", 60, &user, 1);
	FOUND(*state, "192.0.2.1", second, 5, "-");
	FOUND(*state, "192.0.2.1", root, 5, "mine");
	learn(*state, "192.0.2.2", "common", 60, &resolver, 1);
	FOUND(*state, "192.0.2.2", second, 5, "common");
}

static void private_addresses_mean_something_in_their_namespace_only(void **state)
{
	static const char *const local[] = { "10.0.0.1", "172.31.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1",
					     "fd00::1", "fe80::1" };

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		learn(*state, local[i], "inside", 60, &container, 1);
		FOUND(*state, local[i], root, 5, "-");
		FOUND(*state, local[i], container, 5, "inside");
	}
	learn(*state, "192.0.2.1", "outside", 60, &container, 1);
	FOUND(*state, "192.0.2.1", root, 5, "outside");
	learn(*state, "10.0.0.9", "early", 60, &unknown, 1);
	FOUND(*state, "10.0.0.9", root, 5, "early");
}

static void loopback_is_named_by_the_process_itself_or_the_file(void **state)
{
	struct weir_addr a = addr("127.0.0.5");

	learn(*state, "127.0.0.5", "rebind", 60, &root, 1);
	FOUND(*state, "127.0.0.5", root, 5, "rebind");
	FOUND(*state, "127.0.0.5", other, 5, "-");
	FOUND(*state, "127.0.0.1", other, 5, "localhost");
	FOUND(*state, "::1", container, 5, "localhost");
	dns_names_hosts_begin(*state, HOST_NETNS);
	dns_names_host(*state, &a, "five");
	dns_names_hosts_end(*state);
	FOUND(*state, "127.0.0.5", container, 5, "five");
}

static void take_host(void *ctx, const struct weir_addr *a, const char *name)
{
	assert_int_equal(dns_names_host(ctx, a, name), 0);
}

static void read_hosts(struct dns_names *n, const char *text)
{
	dns_names_hosts_begin(n, HOST_NETNS);
	dns_hosts_parse(text, strlen(text), take_host, n);
	dns_names_hosts_end(n);
}

static void the_file_of_hosts(void **state)
{
	read_hosts(*state, "# a comment\n\n10.0.0.1\tPrinter.lan printer # mine\r\n10.0.0.1 second\n0.0.0.0 ad\n"
			   "fd00::5 six\nnonsense\n10.0.0.2\n10.0.0.3 <b>\n10.0.0.4 \x1b[31m\n10.0.0.5 #x\n10.0.0.6 last");
	FOUND(*state, "10.0.0.1", root, 5, "printer.lan");
	FOUND(*state, "fd00::5", root, 5, "six");
	FOUND(*state, "10.0.0.2", root, 5, "-");
	FOUND(*state, "10.0.0.3", root, 5, "-");
	FOUND(*state, "10.0.0.4", root, 5, "-");
	FOUND(*state, "10.0.0.5", root, 5, "-");
	FOUND(*state, "10.0.0.6", root, 5, "last");
	FOUND(*state, "0.0.0.0", root, 5, "-");
	FOUND(*state, "10.0.0.1", container, 5, "-"); /* another network's 10.0.0.1 */
	learn(*state, "10.0.0.1", "dns", 60, &root, 1);
	FOUND(*state, "10.0.0.1", root, 5, "dns");
	FOUND(*state, "10.0.0.1", other, 5, "printer.lan");
	read_hosts(*state, "10.0.0.6 renamed\n");
	FOUND(*state, "10.0.0.6", root, 5, "renamed");
	FOUND(*state, "fd00::5", root, 5, "-");
}

static void the_table_is_bounded(void **state)
{
	struct dns_names *n = *state;
	char text[255], address[32];

	memset(text, 'a', sizeof(text));
	for (unsigned i = 0; i < 3 * DNS_NAMES_ADDRESSES_MAX; i++) {
		snprintf(address, sizeof(address), "11.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		snprintf(text, sizeof(text), "%0*u", (int)sizeof(text) - 1, i);
		learn(n, address, text, 60, &root, i);
		if (i % 1000 == 0) /* what is used stays */
			assert_string_not_equal(find(n, "11.0.0.0", &root, 0), "-");
	}
	assert_true(n->n <= DNS_NAMES_ADDRESSES_MAX);
	assert_true(n->bytes <= DNS_NAMES_BYTES_MAX);
	assert_true(n->evicted > 0);
	FOUND(n, "11.0.0.1", root, 0, "-");
}

static void names_of_one_address_are_bounded(void **state)
{
	struct dns_names *n = *state;
	char name[16];

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		learn(n, "192.0.2.1", name, 60, &root, i);
	}
	assert_int_equal(n->lru->n, DNS_NAMES_PER_ADDRESS);
	FOUND(n, "192.0.2.1", root, 0, "n9999");
	for (unsigned i = 0; i < 100; i++) { /* the same name for many processes is one */
		struct dns_asker asker = { .pid = i, .start_ns = 1 + i, .netns = HOST_NETNS };

		learn(n, "192.0.2.2", "same", 60, &asker, i);
		FOUND(n, "192.0.2.2", asker, i, "same");
	}
	assert_int_equal(n->lru->prev->n, 1);
}

static void what_nobody_uses_is_forgotten_after_a_day(void **state)
{
	struct dns_names *n = *state;

	n->now_ns = 1 * S;
	learn(n, "192.0.2.1", "old", 60, &root, 1);
	learn(n, "192.0.2.2", "used", 60, &root, 1);
	dns_names_age(n, 80000 * S);
	FOUND(n, "192.0.2.2", root, 0, "used");
	dns_names_age(n, 86402 * S);
	assert_int_equal(n->n, 1);
	FOUND(n, "192.0.2.2", root, 0, "used");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(the_own_question_comes_first_then_the_newest),
		TEST(a_reused_pid_is_another_process),
		TEST(a_flow_keeps_the_name_that_was_known_when_it_opened),
		TEST(names_end_ten_minutes_beyond_their_time_to_live),
		TEST(users_see_their_own_and_resolvers_names),
		TEST(private_addresses_mean_something_in_their_namespace_only),
		TEST(loopback_is_named_by_the_process_itself_or_the_file),
		TEST(the_file_of_hosts),
		TEST(the_table_is_bounded),
		TEST(names_of_one_address_are_bounded),
		TEST(what_nobody_uses_is_forgotten_after_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
