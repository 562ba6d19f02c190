// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "core/attach.h"
#include "core/probe.h"
#include "features/drops/drops_kernel.h"
#include "features/drops/drops_state.h"

/* The kernel half in the running kernel, fed by this process on the loopback of a network namespace of its own. The hook
 * sees the whole machine: only that namespace is looked at. */

#define MANY (DROPS_KEYS_MAX + 1000)

static struct {
	struct weir_probe *probe;
	struct weir_attach *attach;
	void *kernel;
	struct drops_state *state;
	struct drops_reader *reader;
	struct weir_sink sink;
	uint32_t netns;
	unsigned samples;  /* of this namespace */
	const char *skip;
} world;

static uint64_t mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void on_record(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	union drops_event *e = malloc(sizeof(*e));

	(void)sink;
	assert_non_null(e);
	assert_int_equal(drops_decode(type, bytes, len, e), 0);
	assert_int_equal(drops_apply(world.state, mono_ns(), e), 0);
	if (type == DROPS_RECORD_SEEN && e->seen.key.netns == world.netns)
		world.samples++;
	free(e);
}

static void look(void)
{
	assert_int_equal(drops_reader_collect(world.reader, world.state, &world.sink), 0);
}

static int loopback_up(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

static int begin(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid() != 0) {
		world.skip = "needs root";
		return 0;
	}
	if (unshare(CLONE_NEWNET) < 0 || loopback_up() < 0 || stat("/proc/self/ns/net", &st) < 0) {
		world.skip = "needs a network namespace of its own";
		return 0;
	}
	world.netns = (uint32_t)st.st_ino;
	world.sink.put = on_record;
	world.attach = weir_attach_new();
	world.state = drops_state_new();
	if (!world.attach || !world.state || weir_probe_new(&world.probe) < 0)
		return -1;
	if (drops_hook_sets[0].possible(world.probe, &world.skip) < 0)
		return 0;
	if (drops_kernel_load(world.attach, world.probe, NULL, &world.kernel) < 0)
		return -1;
	return drops_reader_new(world.kernel, &world.reader);
}

static int end(void **state)
{
	(void)state;
	drops_reader_free(world.reader);
	drops_state_free(world.state);
	weir_attach_free(world.attach);
	drops_kernel_unload(world.kernel);
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

/* --- making losses --------------------------------------------------------------------------------- */

static struct sockaddr_in at(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A socket whose queue is soon full. */
static int reader_on(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), small = 1;
	struct sockaddr_in a = at(port);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void flood(int from, uint16_t port, unsigned n)
{
	struct sockaddr_in a = at(port);
	char bytes[1000] = "";

	for (unsigned i = 0; i < n; i++)
		(void)!sendto(from, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&a, sizeof(a));
}

static unsigned waiting(int fd)
{
	char bytes[1000];
	unsigned n = 0;

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
		n++;
	return n;
}

/* Of this namespace alone. Without: those that are summed together with other namespaces', too. */
static uint64_t packets_here(const char *reason)
{
	uint64_t n = 0;

	for (const struct drops_row *r = world.state->rows; r; r = r->hh.next)
		if (r->key.netns == world.netns && !strcmp(r->reason, reason))
			n += r->packets;
	return n;
}

static uint64_t packets(const char *reason, bool owned)
{
	uint64_t n = 0;

	for (const struct drops_row *r = world.state->rows; r; r = r->hh.next)
		if ((r->key.netns == world.netns || !r->key.netns) && !strcmp(r->reason, reason) &&
		    (!owned || r->key.pid == (uint32_t)getpid()))
			n += r->packets;
	return n;
}

/* --- tests ----------------------------------------------------------------------------------------- */

static void a_full_socket_is_counted_for_who_holds_it(void **state)
{
	_cleanup_close_ int reader = -1, sender = -1;
	unsigned kept;

	(void)state;
	need_kernel();
	reader = reader_on(5001);
	sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	flood(sender, 5001, 500);
	look();
	kept = waiting(reader);
	assert_in_range(kept, 1, 100);
	assert_int_equal(packets("SOCKET_RCVBUFF", false), 500 - kept);
	assert_int_equal(packets("SOCKET_RCVBUFF", true), 500 - kept);
}

/* As fork(), with a pid below this process's: so it is once pids have gone round. */
static pid_t fork_before(void)
{
	for (pid_t pid = getpid() - 1; pid > 1; pid--) {
		struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1 };
		long r = syscall(SYS_clone3, &args, sizeof(args));

		if (r >= 0 || errno != EEXIST)
			return (pid_t)r;
	}
	return -1;
}

static void who_opened_it_holds_it_and_not_its_child(void **state)
{
	_cleanup_close_ int reader = -1, sender = -1;
	uint64_t owned, lost;
	pid_t child;

	(void)state;
	need_kernel();
	reader = reader_on(5003);
	sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	child = fork_before();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (child < 0) {
		print_message("# skipped: no pid below this process's can be taken: %s\n", strerror(errno));
		skip();
	}
	owned = packets("SOCKET_RCVBUFF", true);
	flood(sender, 5003, 500);
	lost = 500 - waiting(reader);
	/* Owners are asked for ten times a second at most. */
	for (unsigned i = 0; i < 50 && packets("SOCKET_RCVBUFF", true) - owned < lost; i++) {
		usleep(110000);
		look();
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(packets("SOCKET_RCVBUFF", true) - owned, lost);
}

static void a_sample_tells_the_place_and_how_it_was_reached(void **state)
{
	const struct drops_row *row = NULL;

	(void)state;
	need_kernel();
	for (const struct drops_row *r = world.state->rows; r; r = r->hh.next)
		if (!strcmp(r->reason, "SOCKET_RCVBUFF") && r->key.pid == (uint32_t)getpid())
			row = r;
	assert_non_null(row);
	assert_non_null(strstr(drops_symbol(world.state, row->key.place), "udp"));
	assert_string_equal(drops_device_name(world.state, world.netns, row->key.ifindex), "lo");
	assert_non_null(strstr(row->sample, "> 127.0.0.1:5001 len 1028"));
	assert_non_null(row->stack);
	assert_non_null(strstr(row->stack, "udp"));
	assert_non_null(strchr(row->stack, ';'));
}

static void nobody_listens(void **state)
{
	_cleanup_close_ int sender = -1;

	(void)state;
	need_kernel();
	sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	flood(sender, 5002, 300);
	look();
	assert_int_equal(packets("NO_SOCKET", false), 300);
	assert_int_equal(packets("NO_SOCKET", true), 0);
}

static void what_is_received_is_not_counted(void **state)
{
	_cleanup_close_ int reader = -1, sender = -1;
	struct sockaddr_in address = at(5003);
	uint64_t before = 0, after = 0;
	char bytes[1000];

	(void)state;
	need_kernel();
	reader = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(reader, (struct sockaddr *)&address, sizeof(address)), 0);
	look();
	for (const struct drops_row *r = world.state->rows; r; r = r->hh.next)
		before += r->key.netns == world.netns ? r->packets : 0;
	for (unsigned i = 0; i < 1000; i++) {
		flood(sender, 5003, 1);
		assert_int_equal(recv(reader, bytes, sizeof(bytes), 0), sizeof(bytes));
	}
	look();
	for (const struct drops_row *r = world.state->rows; r; r = r->hh.next)
		after += r->key.netns == world.netns ? r->packets : 0;
	assert_int_equal(after, before);
}

static void samples_are_bounded_where_losses_are_not(void **state)
{
	_cleanup_close_ int reader = -1, sender = -1;
	unsigned samples = world.samples;
	uint64_t before;

	(void)state;
	need_kernel();
	reader = reader_on(5004);
	sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	look();
	before = packets("SOCKET_RCVBUFF", false);
	flood(sender, 5004, 100000);
	look();
	assert_int_equal(packets("SOCKET_RCVBUFF", false) - before + waiting(reader), 100000);
	assert_in_range(world.samples - samples, 1, 200);
}

/* More sockets than there are sums: each loss is counted still. */
static void sockets_without_a_sum_of_their_own_are_counted_together(void **state)
{
	struct rlimit most = { MANY + 200, MANY + 200 };
	uint64_t before, kept = 0, lost;
	_cleanup_close_ int sender = -1;
	int *readers = calloc(MANY, sizeof(*readers));

	(void)state;
	need_kernel();
	assert_non_null(readers);
	if (setrlimit(RLIMIT_NOFILE, &most) < 0) {
		free(readers);
		skip();
	}
	sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	look();
	before = packets("SOCKET_RCVBUFF", false);
	for (unsigned i = 0; i < MANY; i++) {
		readers[i] = reader_on((uint16_t)(10000 + i));
		flood(sender, (uint16_t)(10000 + i), 6);
	}
	look();
	lost = packets("SOCKET_RCVBUFF", false) - before;
	for (unsigned i = 0; i < MANY; i++) {
		kept += waiting(readers[i]);
		close(readers[i]);
	}
	free(readers);
	assert_int_equal(lost + kept, 6ull * MANY);
	assert_true(world.state->lost.crowded > 0);
	assert_int_equal(world.state->lost.unkeyed, 0);
}

/* Sums of sockets that are gone do not stand in the way of those that come. */
static void what_is_over_makes_room(void **state)
{
	_cleanup_close_ int reader = -1, sender = -1;
	uint64_t before, owned;
	unsigned kept;

	(void)state;
	need_kernel();
	before = packets_here("SOCKET_RCVBUFF");
	for (unsigned i = 0; i < 3; i++) {
		look();
		usleep(1100000);
	}
	look();
	assert_int_equal(packets_here("SOCKET_RCVBUFF"), before);
	owned = packets("SOCKET_RCVBUFF", true);
	reader = reader_on(5005);
	sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	flood(sender, 5005, 100);
	kept = waiting(reader);
	/* Owners are asked for ten times a second at most, and less often the longer that takes. */
	for (unsigned i = 0; i < 500; i++) {
		usleep(110000);
		look();
		if (packets("SOCKET_RCVBUFF", true) - owned == 100 - kept)
			break;
	}
	assert_int_equal(packets("SOCKET_RCVBUFF", true) - owned, 100 - kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_socket_is_counted_for_who_holds_it),
		cmocka_unit_test(who_opened_it_holds_it_and_not_its_child),
		cmocka_unit_test(a_sample_tells_the_place_and_how_it_was_reached),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(what_is_received_is_not_counted),
		cmocka_unit_test(samples_are_bounded_where_losses_are_not),
		cmocka_unit_test(sockets_without_a_sum_of_their_own_are_counted_together),
		cmocka_unit_test(what_is_over_makes_room),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
