// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "core/feature.h"
#include "features/dns/dns_kernel.h"
#include "features/dns/dns_wire.h"

/* The kernel half in the running kernel, fed by this process on the loopback of a network namespace of its own. The
 * hook sees the whole machine: only what this process asked for is looked at. */

static struct {
	struct weir_probe *probe;
	struct weir_attach *attach;
	void *kernel;
	struct dns_reader *reader;
	struct weir_sink sink;
	struct dns_answer answers[64]; /* of this process */
	unsigned n;
	struct dns_counts counts;
	const char *skip;
} world;

static void on_record(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	const struct dns_answer *a = bytes;

	(void)sink;
	if (type == DNS_RECORD_COUNTS)
		memcpy(&world.counts, bytes, sizeof(world.counts));
	if (type != DNS_RECORD_ANSWER || a->asker.pid != (uint32_t)getpid() || world.n == ARRAY_SIZE(world.answers))
		return;
	assert_int_equal(len, a->head.size);
	assert_int_equal(len, offsetof(struct dns_answer, bytes) + a->captured);
	memcpy(&world.answers[world.n++], bytes, len);
}

static void look(void)
{
	world.n = 0;
	assert_int_equal(dns_reader_collect(world.reader, &world.sink), 0);
}

static int loopback_up(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

static int begin(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		world.skip = "needs root";
		return 0;
	}
	if (unshare(CLONE_NEWNET) < 0 || loopback_up() < 0) {
		world.skip = "needs a network namespace of its own";
		return 0;
	}
	world.sink.put = on_record;
	world.attach = weir_attach_new();
	if (!world.attach || weir_probe_new(&world.probe) < 0)
		return -1;
	if (dns_hook_sets[0].possible(world.probe, &world.skip) < 0)
		return 0;
	if (dns_kernel_load(world.attach, world.probe, "cgroup", &world.kernel) < 0)
		return -1;
	return dns_reader_new(world.kernel, "/dev/null", &world.reader);
}

static int end(void **state)
{
	(void)state;
	dns_reader_free(world.reader);
	weir_attach_free(world.attach);
	dns_kernel_unload(world.kernel);
	weir_probe_free(world.probe);
	return 0;
}

static void need_kernel(void)
{
	if (!world.skip)
		return;
	print_message("skipped: %s\n", world.skip);
	skip();
}

/* --- sockets --------------------------------------------------------------------------------- */

static struct sockaddr_in at(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int bound(int type, uint16_t port)
{
	struct sockaddr_in a = at(port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void send_to(int fd, uint16_t port, const void *bytes, size_t n)
{
	struct sockaddr_in a = at(port);

	assert_int_equal(sendto(fd, bytes, n, 0, (struct sockaddr *)&a, sizeof(a)), n);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

static void receive(int fd, size_t n)
{
	char bytes[4096];

	assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), n);
}

static void answer_of(struct wire *w, size_t at_least)
{
	wire_begin(w, "a.example", WIRE_A);
	do
		wire_address(w, NULL, "192.0.2.1", 60);
	while (w->len < at_least);
}

/* --- what is taken --------------------------------------------------------------------------- */

static void an_answer_to_a_connected_socket(void **state)
{
	static const size_t sizes[] = { 1, DNS_BYTES_SHORT - 8, DNS_BYTES_SHORT, DNS_BYTES - 8, DNS_BYTES, 3000 };
	_cleanup_close_ int server = -1, client = -1;
	struct sockaddr_in to = at(DNS_PORT);
	struct stat st;
	struct wire w;

	(void)state;
	need_kernel();
	server = bound(SOCK_DGRAM, DNS_PORT);
	client = bound(SOCK_DGRAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		answer_of(&w, sizes[i]);
		send_to(server, port_of(client), w.bytes, w.len);
		receive(client, w.len);
		look();
		assert_int_equal(world.n, 1);
		assert_int_equal(world.answers[0].cookie, cookie_of(client));
		assert_int_equal(world.answers[0].asker.netns, st.st_ino);
		assert_int_equal(world.answers[0].length, w.len);
		assert_int_equal(world.answers[0].captured, w.len < DNS_BYTES ? w.len : DNS_BYTES);
		assert_memory_equal(world.answers[0].bytes, w.bytes, world.answers[0].captured);
	}
}

static void an_open_socket_has_to_ask_first(void **state)
{
	_cleanup_close_ int server = -1, client = -1;
	uint64_t unasked;
	struct wire w;

	(void)state;
	need_kernel();
	server = bound(SOCK_DGRAM, DNS_PORT);
	client = bound(SOCK_DGRAM, 0);
	answer_of(&w, 1);
	look();
	unasked = world.counts.by[DNS_UNASKED];
	send_to(server, port_of(client), w.bytes, w.len);
	receive(client, w.len);
	look();
	assert_int_equal(world.n, 0);
	assert_true(world.counts.by[DNS_UNASKED] > unasked);
	send_to(client, DNS_PORT, "?", 1);
	send_to(server, port_of(client), w.bytes, w.len);
	receive(client, w.len);
	look();
	assert_int_equal(world.n, 1);
}

static void what_is_no_answer_is_left(void **state)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} changes[] = { { 2, 0x01 }, { 2, 0xa0 }, { 3, 0x83 }, { 7, 0 } };
	_cleanup_close_ int server = -1, elsewhere = -1, client = -1;
	struct wire w;

	(void)state;
	need_kernel();
	server = bound(SOCK_DGRAM, DNS_PORT);
	elsewhere = bound(SOCK_DGRAM, 0);
	client = bound(SOCK_DGRAM, 0);
	send_to(client, DNS_PORT, "?", 1);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		answer_of(&w, 1);
		w.bytes[changes[i].at] = changes[i].value;
		send_to(server, port_of(client), w.bytes, w.len);
		receive(client, w.len);
	}
	for (size_t n = 0; n < DNS_MESSAGE_HEAD; n++) {
		send_to(server, port_of(client), w.bytes, n);
		receive(client, n);
	}
	answer_of(&w, 1);
	send_to(elsewhere, port_of(client), w.bytes, w.len); /* from another port */
	receive(client, w.len);
	look();
	assert_int_equal(world.n, 0);
}

static void a_stream_says_where_its_pieces_stand(void **state)
{
	static const char bytes[] = "a stream in pieces";
	_cleanup_close_ int listener = -1, client = -1, server = -1;
	struct sockaddr_in to = at(DNS_PORT);
	uint64_t offset = 0;

	(void)state;
	need_kernel();
	listener = bound(SOCK_STREAM, DNS_PORT);
	assert_int_equal(listen(listener, 1), 0);
	client = bound(SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	assert_int_equal(send(client, "?", 1, 0), 1);
	for (size_t n = 1; n < sizeof(bytes); n++) {
		assert_int_equal(send(server, bytes, n, 0), n);
		receive(client, n);
		look();
		assert_int_equal(world.n, 1);
		assert_int_equal(world.answers[0].protocol, IPPROTO_TCP);
		assert_int_equal(world.answers[0].offset, offset);
		assert_int_equal(world.answers[0].length, n);
		assert_memory_equal(world.answers[0].bytes, bytes, n);
		offset += n;
	}
}

/* --- no packet is kept back ------------------------------------------------------------------ */

static void every_packet_passes(void **state)
{
	/* Ethernet, IPv4 with options or IPv6, UDP from port 53, an answer. */
	static const uint8_t heads[][14 + 40] = {
		{ [12] = 8, 0, 0x45, [14 + 9] = 17, [14 + 20] = 0, 53 },
		{ [12] = 8, 0, 0x4f, [14 + 9] = 17 },
		{ [12] = 8, 0, 0x40, [14 + 9] = 17 },
		{ [12] = 8, 0, 0x45, [14 + 9] = 6, [14 + 20] = 0, 53 },
		{ [12] = 0x86, 0xdd, 0x60, [14 + 6] = 17 },
		{ [12] = 0x86, 0xdd, 0x60, [14 + 6] = 0 },
		{ [12] = 0x88, 0xa8 },
	};
	int fd;

	(void)state;
	need_kernel();
	fd = bpf_program__fd(dns_kernel_program(world.kernel));
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		uint8_t packet[14 + 60 + 8 + 64] = {};
		unsigned ran = 0;

		memcpy(packet, heads[i], sizeof(heads[i]));
		for (uint32_t n = 14; n <= sizeof(packet); n++) {
			LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = n);

			if (bpf_prog_test_run_opts(fd, &o) < 0)
				continue; /* too short for the kernel itself */
			assert_int_equal(o.retval, 1);
			ran++;
		}
		assert_true(ran > 40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_to_a_connected_socket),
		cmocka_unit_test(an_open_socket_has_to_ask_first),
		cmocka_unit_test(what_is_no_answer_is_left),
		cmocka_unit_test(a_stream_says_where_its_pieces_stand),
		cmocka_unit_test(every_packet_passes),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
