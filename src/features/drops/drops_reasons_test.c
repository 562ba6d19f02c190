// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "features/drops/drops_reasons.h"

#define PREFIX "SKB_DROP_REASON_"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The oldest kernel whose reasons all have to be in the table. */
#define COMPLETE_FROM 6018
#define COMPLETE_TO 6018

/* --- the kernels' names --- */

/* 6.1 and 6.12 as Debian builds them, what they have beside 6.18. */
static const char *const older[] = { "SKB_BAD_GSO" };

/* enum mac80211_drop_reason and enum ovs_drop_reason; most kernels here have neither. */
static const char *const subsystems[] = {
	"RX_DROP", "RX_DROP_MONITOR", "RX_DROP_M_UNEXPECTED_4ADDR_FRAME", "RX_DROP_M_BAD_BCN_KEYIDX", "RX_DROP_M_BAD_MGMT_KEYIDX",
	"RX_DROP_U_MIC_FAIL", "RX_DROP_U_REPLAY", "RX_DROP_U_BAD_MMIE", "RX_DROP_U_DUP", "RX_DROP_U_SPURIOUS",
	"RX_DROP_U_DECRYPT_FAIL", "RX_DROP_U_NO_KEY_ID", "RX_DROP_U_BAD_CIPHER", "RX_DROP_U_OOM", "RX_DROP_U_NONSEQ_PN",
	"RX_DROP_U_BAD_KEY_COLOR", "RX_DROP_U_BAD_4ADDR", "RX_DROP_U_BAD_AMSDU", "RX_DROP_U_BAD_AMSDU_CIPHER",
	"RX_DROP_U_INVALID_8023", "RX_DROP_U_RUNT_ACTION", "RX_DROP_U_UNPROT_ACTION", "RX_DROP_U_UNPROT_DUAL",
	"RX_DROP_U_UNPROT_UCAST_MGMT", "RX_DROP_U_UNPROT_MCAST_MGMT", "RX_DROP_U_UNPROT_BEACON",
	"RX_DROP_U_UNPROT_UNICAST_PUB_ACTION", "RX_DROP_U_UNPROT_ROBUST_ACTION", "RX_DROP_U_ACTION_UNKNOWN_SRC",
	"RX_DROP_U_REJECTED_ACTION_RESPONSE", "RX_DROP_U_EXPECT_DEFRAG_PROT", "RX_DROP_U_WEP_DEC_FAIL", "RX_DROP_U_NO_IV",
	"RX_DROP_U_NO_ICV", "RX_DROP_U_AP_RX_GROUPCAST", "RX_DROP_U_SHORT_MMIC", "RX_DROP_U_MMIC_FAIL", "RX_DROP_U_SHORT_TKIP",
	"RX_DROP_U_TKIP_FAIL", "RX_DROP_U_SHORT_CCMP", "RX_DROP_U_SHORT_CCMP_MIC", "RX_DROP_U_SHORT_GCMP",
	"RX_DROP_U_SHORT_GCMP_MIC", "RX_DROP_U_SHORT_CMAC", "RX_DROP_U_SHORT_CMAC256", "RX_DROP_U_SHORT_GMAC",
	"RX_DROP_U_UNEXPECTED_VLAN_4ADDR", "RX_DROP_U_UNEXPECTED_STA_4ADDR", "RX_DROP_U_UNEXPECTED_VLAN_MCAST",
	"RX_DROP_U_NOT_PORT_CONTROL", "RX_DROP_U_UNEXPECTED_4ADDR_FRAME", "RX_DROP_U_BAD_BCN_KEYIDX",
	"RX_DROP_U_BAD_MGMT_KEYIDX", "RX_DROP_U_UNKNOWN_ACTION_REJECTED",
	"OVS_DROP_LAST_ACTION", "OVS_DROP_ACTION_ERROR", "OVS_DROP_EXPLICIT", "OVS_DROP_EXPLICIT_WITH_ERROR", "OVS_DROP_METER",
	"OVS_DROP_RECURSION_LIMIT", "OVS_DROP_DEFERRED_LIMIT", "OVS_DROP_FRAG_L2_TOO_LONG", "OVS_DROP_FRAG_INVALID_PROTO",
	"OVS_DROP_CONNTRACK", "OVS_DROP_IP_TTL",
};

/* Members of struct rtnl_link_stats64 that count losses. */
static const char *const counted[] = {
	"listen_overflow", "softirq_squeeze", "cpu_backlog", "device_down", "no_carrier",
	"device_rx_errors", "device_tx_errors", "device_rx_dropped", "device_tx_dropped", "device_collisions",
	"device_rx_length_errors", "device_rx_over_errors", "device_rx_crc_errors", "device_rx_frame_errors",
	"device_rx_fifo_errors", "device_rx_missed_errors", "device_tx_aborted_errors", "device_tx_carrier_errors",
	"device_tx_fifo_errors", "device_tx_heartbeat_errors", "device_tx_window_errors", "device_rx_nohandler",
	"device_rx_otherhost_dropped",
};

static void all_known(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!drops_meaning_of(names[i], NULL))
			fail_msg("%s is not in the table", names[i]);
}

static void other_kernels_reasons_are_known(void **state)
{
	(void)state;
	all_known(older, COUNT(older));
	all_known(subsystems, COUNT(subsystems));
	all_known(counted, COUNT(counted));
}

static int kernel_number(void)
{
	struct utsname u;
	char *end;
	long major;

	assert_int_equal(uname(&u), 0);
	major = strtol(u.release, &end, 10);
	return (int)(major * 1000 + (*end == '.' ? strtol(end + 1, NULL, 10) : 0));
}

static unsigned unknown_of(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	const struct btf_enum *values = t ? btf_enum(t) : NULL;
	unsigned unknown = 0, reasons = 0;

	for (unsigned i = 0; t && i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, values[i].name_off);

		if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		name += strlen(PREFIX);
		if (!strcmp(name, "MAX") || !strcmp(name, "SUBSYS_MASK"))
			continue;
		reasons++;
		if (drops_meaning_of(name, NULL))
			continue;
		unknown++;
		print_message("not in the table: %s\n", name);
	}
	print_message("%u reasons of this kernel, %u of them unknown\n", reasons, unknown);
	assert_true(reasons > 50);
	return unknown;
}

static void this_kernels_reasons_are_known(void **state)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int number = kernel_number();
	unsigned unknown;

	(void)state;
	if (!btf) {
		print_message("this kernel has no type information\n");
		skip();
	}
	if (btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM) <= 0) {
		btf__free(btf);
		print_message("this kernel has no reasons\n");
		skip();
	}
	unknown = unknown_of(btf);
	btf__free(btf);
	if (number >= COMPLETE_FROM && number <= COMPLETE_TO)
		assert_int_equal(unknown, 0);
}

/* --- the rows --- */

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void rows_are_unique(void **state)
{
	const struct drops_meaning *a, *b;

	(void)state;
	for (size_t i = 0; (a = drops_meaning_at(i)); i++)
		for (size_t j = i + 1; (b = drops_meaning_at(j)); j++)
			if (same(a->reason, b->reason) && same(a->place, b->place))
				fail_msg("%s at %s is there twice", a->reason, a->place ? a->place : "any place");
}

static void reasons_and_places_are_names(void **state)
{
	const struct drops_meaning *m;

	(void)state;
	for (size_t i = 0; (m = drops_meaning_at(i)); i++) {
		bool own = islower((unsigned char)m->reason[0]);
		size_t n;

		assert_in_range(strlen(m->reason), 2, 47);
		for (const char *c = m->reason; *c; c++)
			assert_true(*c == '_' || isdigit((unsigned char)*c) ||
				    (own ? islower((unsigned char)*c) : isupper((unsigned char)*c)));
		if (!m->place)
			continue;
		/* A prefix that fits everything, or a suffix that the look-up takes off, would never be right. */
		n = strspn(m->place, "abcdefghijklmnopqrstuvwxyz_0123456789");
		assert_true(n >= 3);
		assert_true(!m->place[n] || !strcmp(m->place + n, "*"));
	}
}

static size_t marks(const char *text)
{
	size_t n = 0;

	for (; (text = strstr(text, DROPS_OWNER_MARK)); text++)
		n++;
	return n;
}

/* Letters of the terminal's and the page's plain sentences: no control character, no printf format. */
static void plain(const char *text, size_t most)
{
	size_t n = strlen(text);

	if (n < 10 || n > most)
		fail_msg("%zu characters, %zu are allowed: %s", n, most, text);
	for (size_t i = 0; i < n; i++)
		if (!isprint((unsigned char)text[i]) || text[i] == '%' || (text[i] == ' ' && text[i + 1] == ' '))
			fail_msg("not plain at %zu: %s", i, text);
}

static void sentences_are_sentences(void **state)
{
	const struct drops_meaning *m;

	(void)state;
	for (size_t i = 0; (m = drops_meaning_at(i)); i++) {
		plain(m->sentence, DROPS_SENTENCE_MAX);
		assert_true(isupper((unsigned char)m->sentence[0]));
		assert_true(m->sentence[strlen(m->sentence) - 1] == '.');
		assert_int_equal(marks(m->sentence), 0);
	}
}

static void advice_is_there_where_something_can_be_done(void **state)
{
	const struct drops_meaning *m;

	(void)state;
	for (size_t i = 0; (m = drops_meaning_at(i)); i++) {
		if (!m->advice) {
			if (m->class != DROPS_EXPECTED)
				fail_msg("%s has no advice", m->reason);
			continue;
		}
		plain(m->advice, DROPS_ADVICE_MAX);
		if (m->advice[strlen(m->advice) - 1] != '.')
			fail_msg("no period: %s", m->advice);
		assert_int_equal(marks(m->advice), 0);
	}
}

static void headlines_fit_into_a_sentence(void **state)
{
	const struct drops_meaning *m;

	(void)state;
	for (size_t i = 0; (m = drops_meaning_at(i)); i++) {
		if (!m->headline) {
			if (m->class != DROPS_EXPECTED && m->class != DROPS_UNKNOWN)
				fail_msg("%s has no headline", m->reason);
			continue;
		}
		plain(m->headline, DROPS_HEADLINE_MAX);
		assert_true(m->headline[strlen(m->headline) - 1] != '.');
		assert_in_range(marks(m->headline), 0, 1);
		/* Another brace would be a mark that is misspelt. */
		assert_int_equal(strcspn(m->headline, "{"), marks(m->headline) ? strstr(m->headline, "{owner}") - m->headline :
										 (ptrdiff_t)strlen(m->headline));
	}
}

static void classes_and_layers_have_names(void **state)
{
	static const char *const class_names[_DROPS_CLASS_MAX] = { NULL, "expected", "tune", "attack", "bug" };
	static const char *const layer_names[_DROPS_LAYER_MAX] = { "other", "device", "queue",     "link",
								   "filter", "ip",    "transport", "socket" };
	const struct drops_meaning *m;

	(void)state;
	for (int c = 0; c < _DROPS_CLASS_MAX; c++)
		assert_true(same(drops_class_name(c), class_names[c]));
	for (int l = 0; l < _DROPS_LAYER_MAX; l++)
		assert_true(same(drops_layer_name(l), layer_names[l]));
	assert_null(drops_class_name(_DROPS_CLASS_MAX));
	assert_null(drops_layer_name(_DROPS_LAYER_MAX));
	for (size_t i = 0; (m = drops_meaning_at(i)); i++) {
		assert_true(m->class == DROPS_UNKNOWN || drops_class_name(m->class));
		assert_non_null(drops_layer_name(m->layer));
		if (m->class == DROPS_UNKNOWN)
			assert_string_equal(m->reason, "NOT_SPECIFIED");
	}
}

/* What a newer kernel names must not change its class with the kernel. */
static void derived_names_mean_the_same(void **state)
{
	const struct drops_meaning *m;

	(void)state;
	for (size_t i = 0; (m = drops_meaning_at(i)); i++) {
		const struct drops_meaning *named = m->is ? drops_meaning_of(m->is, NULL) : NULL;

		if (!m->is)
			continue;
		assert_non_null(m->place);
		if (!named)
			fail_msg("%s at %s is %s, which is not in the table", m->reason, m->place, m->is);
		if (named->class != m->class)
			fail_msg("%s at %s is %s of another class", m->reason, m->place, m->is);
	}
}

static void healthy_hosts_are_not_accused(void **state)
{
	/* Seen on hosts that lose nothing, or where a rule or a sender's mistake is all there is to it. */
	static const struct {
		const char *reason, *symbol;
	} healthy[] = {
		{ "NO_SOCKET", "__udp4_lib_rcv+0x4bc" },
		{ "NO_SOCKET", "ping_rcv+0xab" },
		{ "NO_SOCKET", "icmp_rcv+0x1f4" },
		{ "QUEUE_PURGE", "sk_stream_kill_queues+0x57" },
		{ "QUEUE_PURGE", "skb_queue_purge_reason+0xdf" },
		{ "NOT_SPECIFIED", "tcp_v4_rcv+0x91" },
		{ "NOT_SPECIFIED", "udp_destruct_common+0xb9" },
		{ "NOT_SPECIFIED", "tcp_v6_rcv+0x2f9" },
		{ "NOT_SPECIFIED", "tcp_rcv_state_process+0xf7" },
		{ "NOT_SPECIFIED", "ip6_mc_input+0x1a3" },
		{ "NOT_SPECIFIED", "ip_rcv_finish_core.constprop.0+0x1ac" },
		{ "NOT_SPECIFIED", "__udp4_lib_rcv+0xcca" },
		{ "NOT_SPECIFIED", "neigh_invalidate+0x7f" },
		{ "NOT_SPECIFIED", "unix_dgram_sendmsg+0x67b" },
		{ "SOCKET_CLOSE", "unix_release_sock+0x30c" },
		{ "TCP_FLAGS", "tcp_v4_do_rcv+0x1f0" },
		{ "TCP_RESET", NULL }, { "TCP_CLOSE", NULL }, { "TCP_OLD_DATA", NULL }, { "TCP_OLD_ACK", NULL },
		{ "TCP_OLD_SEQUENCE", NULL }, { "TCP_INVALID_SEQUENCE", "tcp_validate_incoming+0x15b" },
		{ "TCP_OFOMERGE", NULL }, { "TCP_ABORT_ON_DATA", NULL }, { "TCP_RFC7323_PAWS", NULL },
		{ "OTHERHOST", NULL }, { "UNHANDLED_PROTO", NULL }, { "UNICAST_IN_L2_MULTICAST", NULL },
		{ "IPV6DISABLED", NULL }, { "NETFILTER_DROP", "nft_do_chain+0x3e8 [nf_tables]" },
		{ "IP_NOPROTO", NULL }, { "IP_INADDRERRORS", "ip_error+0x94" }, { "IP_INHDR", "ip_forward+0x2c1" },
		{ "NEIGH_FAILED", "arp_error_report+0x3f" }, { "QDISC_CONGESTED", NULL }, { "SOCKET_FILTER", NULL },
		{ "UNIX_DISCONNECT", NULL }, { "device_rx_dropped", NULL }, { "softirq_squeeze", NULL }, { "no_carrier", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(healthy); i++) {
		const struct drops_meaning *m = drops_meaning_of(healthy[i].reason, healthy[i].symbol);

		assert_non_null(m);
		if (m->class != DROPS_EXPECTED)
			fail_msg("%s is %s", healthy[i].reason, drops_class_name(m->class));
	}
}

/* --- the look-up --- */

static const struct {
	const char *what, *reason, *symbol, *place, *is;
	enum drops_class class;
} lookups[] = {
	{ "a reason without a place", "SOCKET_RCVBUFF", NULL, NULL, NULL, DROPS_TUNE },
	{ "a reason at a place that says nothing", "SOCKET_RCVBUFF", "udp_queue_rcv_one_skb+0x437", NULL, NULL, DROPS_TUNE },
	{ "a place that tells more than the reason", "NOT_SPECIFIED", "udp_recvmsg+0x2b6", "udp_recvmsg", "UDP_CSUM", DROPS_BUG },
	{ "without an offset", "NOT_SPECIFIED", "udp_recvmsg", "udp_recvmsg", "UDP_CSUM", DROPS_BUG },
	{ "a copy of the compiler's (isra)", "NOT_SPECIFIED", "udp_recvmsg.isra.0+0x10", "udp_recvmsg", "UDP_CSUM", DROPS_BUG },
	{ "a copy of the compiler's (constprop)", "NOT_SPECIFIED", "udp_recvmsg.constprop.0+0x10", "udp_recvmsg", "UDP_CSUM",
	  DROPS_BUG },
	{ "two suffixes", "NOT_SPECIFIED", "udp_recvmsg.constprop.0.isra.0+0x1", "udp_recvmsg", "UDP_CSUM", DROPS_BUG },
	{ "the cold part", "NOT_SPECIFIED", "udp_recvmsg.cold+0x1", "udp_recvmsg", "UDP_CSUM", DROPS_BUG },
	{ "clang's suffix", "NOT_SPECIFIED", "udp_recvmsg.llvm.123456+0x1", "udp_recvmsg", "UDP_CSUM", DROPS_BUG },
	{ "in a module", "NOT_SPECIFIED", "wg_xmit+0x1a3 [wireguard]", "wg_*", NULL, DROPS_EXPECTED },
	{ "in a module, without a space", "NOT_SPECIFIED", "wg_xmit[wireguard]", "wg_*", NULL, DROPS_EXPECTED },
	{ "a name that only begins like a place", "NOT_SPECIFIED", "udp_recvmsg_more+0x1", NULL, NULL, DROPS_UNKNOWN },
	{ "a name that only ends like a place", "NOT_SPECIFIED", "my_udp_recvmsg+0x1", NULL, NULL, DROPS_UNKNOWN },
	{ "a place that is the beginning of one", "NOT_SPECIFIED", "udp_recv+0x1", NULL, NULL, DROPS_UNKNOWN },
	{ "the exact place before the prefix", "NOT_SPECIFIED", "br_flood+0x1", "br_flood", "NO_TX_TARGET", DROPS_EXPECTED },
	{ "the prefix where no exact place is", "NOT_SPECIFIED", "br_pass_frame_up+0x1", "br_*", NULL, DROPS_EXPECTED },
	{ "the longer of two prefixes", "NOT_SPECIFIED", "nfnetlink_rcv+0x1", "nfnetlink_*", "CONSUMED", DROPS_EXPECTED },
	{ "what TCP used", "NOT_SPECIFIED", "tcp_v4_rcv+0x91", "tcp_v4_rcv", "CONSUMED", DROPS_EXPECTED },
	{ "what ICMPv6 used", "NOT_SPECIFIED", "icmpv6_rcv+0x258", "icmpv6_rcv", "CONSUMED", DROPS_EXPECTED },
	{ "what TCP used of a half-closed connection", "NOT_SPECIFIED", "tcp_rcv_state_process+0x1c1", "tcp_rcv_state_process",
	  "CONSUMED", DROPS_EXPECTED },
	{ "used at a place, with a reason", "NO_SOCKET", "ping_rcv+0xab", "ping_rcv", "CONSUMED", DROPS_EXPECTED },
	{ "the same reason elsewhere", "NO_SOCKET", "tcp_v4_rcv+0x91", NULL, NULL, DROPS_EXPECTED },
	{ "the place of another reason", "UDP_CSUM", "udp_recvmsg+0xf8", NULL, NULL, DROPS_BUG },
	{ "an empty symbol", "NOT_SPECIFIED", "", NULL, NULL, DROPS_UNKNOWN },
	{ "an address", "NOT_SPECIFIED", "0xffffffff81234567", NULL, NULL, DROPS_UNKNOWN },
};

static void the_best_row_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lookups); i++) {
		const struct drops_meaning *m = drops_meaning_of(lookups[i].reason, lookups[i].symbol);

		if (!m || !same(m->place, lookups[i].place) || !same(m->is, lookups[i].is) || m->class != lookups[i].class)
			fail_msg("%s: found %s of %s", lookups[i].what, m && m->place ? m->place : "no place",
				 m ? m->reason : "nothing");
	}
}

static void what_is_not_known_is_not_invented(void **state)
{
	(void)state;
	assert_null(drops_meaning_of("A_REASON_OF_LINUX_9", NULL));
	assert_null(drops_meaning_of("A_REASON_OF_LINUX_9", "udp_recvmsg+0x1"));
	assert_null(drops_meaning_of("socket_rcvbuff", NULL));
	assert_null(drops_meaning_of("SKB_DROP_REASON_NO_SOCKET", NULL));
	assert_null(drops_meaning_of("77", NULL));
	assert_null(drops_meaning_of("", ""));
	assert_null(drops_meaning_of(NULL, "udp_recvmsg+0x1"));
	assert_null(drops_meaning_at(SIZE_MAX));
}

/* --- headlines --- */

static void headlines_name_the_owner(void **state)
{
	static const struct drops_meaning last = { .headline = "sent by {owner}", .sentence = "-." };
	const struct drops_meaning *full = drops_meaning_of("SOCKET_RCVBUFF", NULL);
	const struct drops_meaning *neigh = drops_meaning_of("NEIGH_CREATEFAIL", NULL);
	const struct drops_meaning *closed = drops_meaning_of("SOCKET_CLOSE", NULL);
	char text[DROPS_HEADLINE_MAX + 64];

	(void)state;
	assert_int_equal(drops_headline(full, "redis", text, sizeof(text)), 60);
	assert_string_equal(text, "redis's receive buffer is full; the program reads too slowly");
	drops_headline(full, NULL, text, sizeof(text));
	assert_string_equal(text, "the program's receive buffer is full; the program reads too slowly");
	drops_headline(full, "", text, sizeof(text));
	assert_string_equal(text, "the program's receive buffer is full; the program reads too slowly");
	drops_headline(full, "{owner}%s%n", text, sizeof(text));
	assert_string_equal(text, "{owner}%s%n's receive buffer is full; the program reads too slowly");
	drops_headline(&last, "redis", text, sizeof(text));
	assert_string_equal(text, "sent by redis");
	drops_headline(neigh, "redis", text, sizeof(text));
	assert_string_equal(text, "the table of neighbours is full");
	drops_headline(closed, "redis", text, sizeof(text));
	assert_string_equal(text, "The socket was closed while packets still waited in it or were on their way to it");
}

static void headlines_stay_in_their_room(void **state)
{
	const struct drops_meaning *m;
	char text[256], whole[256];

	(void)state;
	for (size_t i = 0; (m = drops_meaning_at(i)); i++) {
		int n = drops_headline(m, "redis-server", whole, sizeof(whole));

		assert_int_equal(n, strlen(whole));
		memset(text, '#', sizeof(text));
		for (int room = 0; room <= n; room++)
			assert_int_equal(drops_headline(m, "redis-server", text, (size_t)room), -ENOSPC);
		for (size_t c = 0; c < sizeof(text); c++)
			assert_true(text[c] == '#');
		assert_int_equal(drops_headline(m, "redis-server", text, (size_t)n + 1), n);
		assert_string_equal(text, whole);
		assert_true(text[n + 1] == '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_kernels_reasons_are_known),
		cmocka_unit_test(other_kernels_reasons_are_known),
		cmocka_unit_test(rows_are_unique),
		cmocka_unit_test(reasons_and_places_are_names),
		cmocka_unit_test(sentences_are_sentences),
		cmocka_unit_test(advice_is_there_where_something_can_be_done),
		cmocka_unit_test(headlines_fit_into_a_sentence),
		cmocka_unit_test(classes_and_layers_have_names),
		cmocka_unit_test(derived_names_mean_the_same),
		cmocka_unit_test(healthy_hosts_are_not_accused),
		cmocka_unit_test(the_best_row_is_found),
		cmocka_unit_test(what_is_not_known_is_not_invented),
		cmocka_unit_test(headlines_name_the_owner),
		cmocka_unit_test(headlines_stay_in_their_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
