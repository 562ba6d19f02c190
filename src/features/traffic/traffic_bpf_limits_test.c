// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "core/tables.h"
#include "features/traffic/traffic_bpf_fixture.h"

/* The kernel half at its limits: sockets from before, many of them, a reader that stops, more peers than are told apart,
 * a hook set that is not there, and what is left when it ends. Each test loads it for itself. */

static uint64_t mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- sockets from before ----------------------------------------------------------------------- */

static void what_tcp_counted_before_is_kept_apart(void **unused)
{
	const struct traffic_socket *r;
	struct pair p;

	(void)unused;
	pair_open(&p);
	move(p.client, p.server, 1000);
	move(p.server, p.client, 77);
	world_begin();
	world_look(true);
	r = world_socket(p.client_cookie);
	assert_non_null(r);
	assert_true(r->flags & TRAFFIC_SOCKET_SEEDED);
	assert_int_equal(r->owner.pid, getpid());
	assert_int_equal(r->before_tx, 1000);
	assert_int_equal(r->before_rx, 77);
	assert_int_equal(r->tx | r->rx, 0);
	move(p.client, p.server, 50000);
	world_look(true);
	r = world_socket(p.client_cookie);
	assert_int_equal(r->before_tx, 1000);
	assert_int_equal(r->tx, 50000);
	assert_int_equal(r->hook_tx, 50000);
	assert_int_equal(r->tcp_tx, 50000);
	r = world_socket(p.server_cookie);
	assert_int_equal(r->before_rx, 1000);
	assert_int_equal(r->rx, 50000);
	pair_close(&p);
}

/* Between attaching and the first look it is the call itself that meets the socket first. Where reads are told by TCP's
 * count, what that call read is "before" too. */
static void a_socket_that_is_met_in_a_call_has_its_before_too(void **unused)
{
	const struct traffic_socket *r;
	struct pair p;

	(void)unused;
	pair_open(&p);
	move(p.client, p.server, 1000);
	world_begin();
	move(p.client, p.server, 500);
	world_look(true);
	r = world_socket(p.client_cookie);
	assert_non_null(r);
	assert_true(r->flags & TRAFFIC_SOCKET_SEEDED);
	assert_int_equal(r->tcp_tx, r->tx);
	assert_int_equal(r->before_tx, 1000);
	assert_int_equal(r->tx, 500);
	r = world_socket(p.server_cookie);
	assert_int_equal(r->before_rx + r->rx, 1500);
	if (world_is("sock"))
		assert_int_equal(r->before_rx, 1000);
	assert_int_equal(world_sum(getpid(), TRAFFIC_TCP, TRAFFIC_TX), 500);
	pair_close(&p);
}

/* --- many sockets ------------------------------------------------------------------------------ */

#define MANY 4000

/* Accepts all, tells the cookies, and holds them until its standing order ends. */
static void hold_accepted(int listener, int to)
{
	uint64_t cookies[MANY];

	for (int i = 0; i < MANY; i++) {
		int fd = accept(listener, NULL, NULL);
		socklen_t len = sizeof(cookies[i]);

		if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookies[i], &len) < 0)
			_exit(1);
	}
	if (write(to, cookies, sizeof(cookies)) != sizeof(cookies))
		_exit(1);
	for (;;)
		pause();
}

static void read_all(int fd, void *to, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)to + got, n - got);

		assert_true(r > 0);
		got += (size_t)r;
	}
}

static void expect_seeded(const uint64_t *cookies, pid_t owner)
{
	for (int i = 0; i < MANY; i++) {
		const struct traffic_socket *r = world_socket(cookies[i]);

		assert_non_null(r);
		assert_int_equal(r->owner.pid, owner);
		assert_true(r->flags & TRAFFIC_SOCKET_SEEDED);
	}
	assert_non_null(world_process(owner));
}

static void eight_thousand_open_sockets_have_their_owners_at_once(void **unused)
{
	static uint64_t clients[MANY], servers[MANY];
	int listener = listen_on_loopback(MANY), link[2], fds[MANY];
	uint64_t began;
	pid_t child;

	(void)unused;
	assert_int_equal(pipe(link), 0);
	child = fork_child();
	if (child == 0)
		hold_accepted(listener, link[1]);
	/* The listener's backlog may be cut by the host's somaxconn: the child accepts meanwhile. */
	for (int i = 0; i < MANY; i++) {
		fds[i] = connect_to(listener);
		clients[i] = cookie_of(fds[i]);
	}
	read_all(link[0], servers, sizeof(servers));
	world_begin();
	began = mono_ns();
	world_look(true);
	print_message("# %u records of the first look in %.1f ms\n", world.n_records, (double)(mono_ns() - began) / 1e6);
	expect_seeded(clients, getpid());
	expect_seeded(servers, child);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	close(listener);
	close(link[0]);
	close(link[1]);
}

static void who_opened_it_before_holds_it_and_not_its_child(void **unused)
{
	int listener = listen_on_loopback(5);
	const struct traffic_socket *r;
	pid_t child = fork_before();

	(void)unused;
	if (child == 0)
		for (;;)
			pause();
	if (child < 0) {
		print_message("# skipped: no pid below this process's can be taken: %s\n", strerror(errno));
		skip();
	}
	world_begin();
	world_look(true);
	r = world_socket(cookie_of(listener));
	assert_non_null(r);
	assert_int_equal(r->owner.pid, getpid());
	world_look(true);
	assert_int_equal(world_socket(cookie_of(listener))->owner.pid, getpid());
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(listener);
}

static void a_look_tells_what_changed_unless_all_is_asked_for(void **unused)
{
	struct pair still, busy;

	(void)unused;
	world_begin();
	pair_open(&still);
	pair_open(&busy);
	move(still.client, still.server, 10);
	world_look(true);
	assert_int_equal(world_count(still.client_cookie), 1);
	world_look(false); /* TCP may still settle its own numbers, such as the round-trip time */
	world_forget();
	move(busy.client, busy.server, 10);
	world_look(false);
	assert_int_equal(world_count(still.client_cookie), 0);
	assert_int_equal(world_count(still.server_cookie), 0);
	assert_int_equal(world_count(busy.client_cookie), 1);
	assert_int_equal(world_socket(busy.client_cookie)->tx, 10);
	world_forget();
	world_look(true);
	assert_int_equal(world_count(still.client_cookie), 1);
	assert_int_equal(world_count(busy.client_cookie), 1);
	pair_close(&still);
	pair_close(&busy);
}

#define HELD 1000
#define BURST 60
#define LOOKS 40

static void churn_for_ever(int listener)
{
	int fds[2 * BURST];

	for (;;) {
		for (int i = 0; i < BURST; i++) {
			const struct linger at_once = { .l_onoff = 1 };

			fds[2 * i] = connect_to(listener);
			fds[2 * i + 1] = accept(listener, NULL, NULL);
			setsockopt(fds[2 * i], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		}
		for (int i = 0; i < 2 * BURST; i++)
			close(fds[i]);
	}
}

/* The kernel's iterator pauses when its buffer is full and finds its place again by counting: what was closed meanwhile
 * makes it skip others. */
static void a_full_look_misses_no_socket_while_others_end(void **unused)
{
	static struct pair held[HELD];
	int listener = listen_on_loopback(BURST);
	unsigned missed = 0;
	pid_t child;

	(void)unused;
	for (int i = 0; i < HELD; i++)
		pair_open(&held[i]);
	world_begin();
	world_look(true);
	child = fork_child();
	if (child == 0)
		churn_for_ever(listener);
	for (int look = 0; look < LOOKS; look++) {
		world_forget();
		world_look(true);
		for (int i = 0; i < HELD; i++)
			missed += !world_count(held[i].client_cookie) + !world_count(held[i].server_cookie);
	}
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(missed, 0);
	for (int i = 0; i < HELD; i++)
		pair_close(&held[i]);
	close(listener);
}

/* --- a reader that stops ----------------------------------------------------------------------- */

#define CHURN 3800 /* connections: a little more than the ring holds, so that others lose little meanwhile */
#define CHURN_BYTES 7
#define CHURNED (2 * CHURN + 1) /* with the listener */
#define ROUNDS 20
#define QUIET 200 /* records of the rest of the machine in a round */

static uint64_t churned[CHURNED];

/* Both ends are closed by a reset, so that no port waits. */
static void churn_one(int listener, uint64_t cookies[2])
{
	const struct linger at_once = { .l_onoff = 1 };
	int client = connect_to(listener), server = accept(listener, NULL, NULL);

	move(client, server, CHURN_BYTES);
	cookies[0] = cookie_of(client);
	cookies[1] = cookie_of(server);
	setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(client);
	close(server);
}

static void churn(int to)
{
	int listener = listen_on_loopback(16);

	for (int i = 0; i < CHURN; i++)
		churn_one(listener, &churned[2 * i]);
	churned[2 * CHURN] = cookie_of(listener);
	for (size_t done = 0; done < sizeof(churned);) {
		ssize_t n = write(to, (char *)churned + done, sizeof(churned) - done);

		if (n <= 0)
			_exit(1);
		done += (size_t)n;
	}
}

static pid_t churn_in_child(void)
{
	int link[2], status;
	pid_t child;

	assert_int_equal(pipe(link), 0);
	child = fork_child();
	if (child == 0) {
		churn(link[1]);
		_exit(0);
	}
	read_all(link[0], churned, sizeof(churned));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(link[0]);
	close(link[1]);
	return child;
}

/* Each of these sockets tells that TCP is done with it, while the program holds it, and that it is freed. */
static unsigned not_arrived(void)
{
	unsigned arrived = 0;

	for (unsigned i = 0; i < CHURNED; i++)
		arrived += world_told(churned[i]);
	assert_true(arrived <= 2 * CHURNED);
	return 2 * CHURNED - arrived;
}

/* Produced is delivered and lost, in a round in which nobody else on the machine produced anything. */
static void a_full_ring_loses_records_that_it_counts_and_no_bytes(void **unused)
{
	bool exact = false, crowded = true;

	(void)unused;
	for (int round = 0; round < ROUNDS && !exact; round++) {
		unsigned missing;
		pid_t child;

		world_begin();
		world_look(true);
		world_forget();
		child = churn_in_child();
		world_look(false);
		missing = not_arrived() + !world_exited(child);
		/* The kernel frees some sockets a little after their end. */
		for (int i = 0; i < 40 && world.lost < missing; i++) {
			usleep(50000);
			world_look(false);
			missing = not_arrived() + !world_exited(child);
		}
		print_message("# %u of %u records did not arrive, %llu are counted as lost\n", missing,
			      2 * CHURNED + 1, (unsigned long long)world.lost);
		assert_true(missing > 1);
		assert_true(world.lost >= missing);
		crowded = crowded && world.n_records > 2 * CHURNED - missing + QUIET;
		/* The sums are in maps, not in the ring. */
		assert_int_equal(world_sum(child, TRAFFIC_TCP, TRAFFIC_TX), (uint64_t)CHURN * CHURN_BYTES);
		assert_int_equal(world_sum(child, TRAFFIC_TCP, TRAFFIC_RX), (uint64_t)CHURN * CHURN_BYTES);
		exact = world.lost == missing;
		world_end();
	}
	if (!exact && crowded) {
		print_message("# skipped: other processes on this machine open and close too many sockets\n");
		skip();
	}
	assert_true(exact);
}

/* --- processes --------------------------------------------------------------------------------- */

static void hold_a_pair(int fd)
{
	struct pair p;

	pair_open(&p);
	move(p.client, p.server, 1000);
	assert_int_equal(write(fd, "", 1), 1);
	pause();
}

static void a_process_that_found_no_room_leaves_too(void **unused)
{
	int link[2];
	pid_t child;

	(void)unused;
	world_begin();
	world_look(true);
	world_crowd(true);
	assert_int_equal(pipe(link), 0);
	child = fork_child();
	if (child == 0)
		hold_a_pair(link[1]);
	read_all(link[0], &(char){ 0 }, 1);
	world_look(true);
	assert_true(world_waits(child));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	world_crowd(false);
	/* Nobody told that it has ended: the first look finds out, and a second after that nothing more is expected. */
	for (int i = 0; i < 100 && world_waits(child); i++) {
		usleep(100000);
		world_look(true);
	}
	assert_false(world_waits(child));
	close(link[0]);
	close(link[1]);
}

/* --- peers ------------------------------------------------------------------------------------- */

static void the_peers_beyond_64_stay_in_the_sockets_own_sum(void **unused)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(9) };
	const unsigned n = TRAFFIC_PEERS_PER_SOCKET + 6;
	char bytes[100] = { 0 };
	uint64_t told_apart;
	int fd;

	(void)unused;
	world_begin();
	if (weir_probe_cgroup_fd(world.probe) < 0) {
		print_message("# skipped: no cgroup2 hierarchy is mounted\n");
		skip();
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (int times = 0; times < 2; times++) {
		for (unsigned i = 0; i < n; i++) {
			at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i);
			assert_int_equal(sendto(fd, bytes, 100, 0, (struct sockaddr *)&at, sizeof(at)), 100);
		}
	}
	world_look(true);
	assert_int_equal(world_peers(cookie_of(fd), &told_apart), TRAFFIC_PEERS_PER_SOCKET);
	assert_int_equal(told_apart, TRAFFIC_PEERS_PER_SOCKET * 200);
	assert_int_equal(world_socket(cookie_of(fd))->tx, n * 200);
	assert_int_equal(world_sum(getpid(), TRAFFIC_UDP, TRAFFIC_TX), n * 200);
	close(fd);
}

/* --- a hook set that is not there -------------------------------------------------------------- */

static void expect_doctor(struct weir_probe *probe, const char *hook_set, const char *reason)
{
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_builder *b = weir_builder_new();
	struct weir_snapshot *s = NULL;
	struct weir_rows rows;
	bool found = false;

	weir_probe_snapshot(probe, b, 1);
	assert_int_equal(weir_builder_finish(b, &head, &s), 0);
	assert_int_equal(weir_snapshot_rows(s, &weir_table_doctor, &rows), 0);
	for (size_t i = 0; i < rows.n; i++) {
		if (strcmp(weir_cell_text(&rows, i, DOCTOR_FEATURE), "traffic") != 0)
			continue;
		found = true;
		assert_string_equal(weir_cell_text(&rows, i, DOCTOR_HOOK_SET), hook_set);
		assert_string_equal(weir_cell_text(&rows, i, DOCTOR_STATE), "unavailable");
		assert_string_equal(weir_cell_text(&rows, i, DOCTOR_REASON), reason);
		assert_false(weir_cell_null(&rows, i, DOCTOR_CURE));
	}
	assert_true(found);
	weir_snapshot_unref(s);
	weir_builder_free(b);
}

static void an_unknown_hook_set_is_refused_with_its_reason(void **unused)
{
	struct weir_attach *attach = weir_attach_new();
	struct weir_probe *probe = NULL;
	void *kernel = NULL;

	(void)unused;
	assert_int_equal(weir_probe_new(&probe), 0);
	assert_int_equal(traffic_feature.load(attach, probe, "kprobe", &kernel), -EOPNOTSUPP);
	assert_null(kernel);
	assert_int_equal(weir_attach_count(attach), 0);
	expect_doctor(probe, "kprobe", "there is no hook set of this name");
	weir_attach_free(attach);
	weir_probe_free(probe);
}

/* --- what is left ------------------------------------------------------------------------------ */

#define IDS_MAX 256

struct ids {
	uint32_t prog[IDS_MAX], map[IDS_MAX], link[IDS_MAX];
	unsigned n_prog, n_map, n_link;
};

static void note_id(const char *line, const char *key, uint32_t *ids, unsigned *n)
{
	if (strncmp(line, key, strlen(key)) != 0)
		return;
	assert_true(*n < IDS_MAX);
	ids[(*n)++] = (uint32_t)strtoul(line + strlen(key), NULL, 10);
}

/* By the descriptors that this process holds: other daemons may come and go on the same machine. */
static void ids_held(struct ids *ret)
{
	DIR *d = opendir("/proc/self/fdinfo");
	struct dirent *entry;

	assert_non_null(d);
	*ret = (struct ids){};
	while ((entry = readdir(d))) {
		_cleanup_fclose_ FILE *f = NULL;
		char path[300], line[128];

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", entry->d_name);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f)) {
			note_id(line, "prog_id:", ret->prog, &ret->n_prog);
			note_id(line, "map_id:", ret->map, &ret->n_map);
			note_id(line, "link_id:", ret->link, &ret->n_link);
		}
	}
	closedir(d);
}

static bool exists(int (*open_id)(__u32 id), uint32_t id)
{
	int fd = open_id(id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* The kernel frees them a grace period later. */
static unsigned still_there(int (*open_id)(__u32 id), const uint32_t *ids, unsigned n)
{
	uint64_t until = mono_ns() + 5000000000u;
	unsigned left = n;

	for (unsigned i = 0; i < n; i++) {
		while (exists(open_id, ids[i]) && mono_ns() < until)
			usleep(2000);
		left -= !exists(open_id, ids[i]);
	}
	return left;
}

static void nothing_is_left_behind(void **unused)
{
	struct ids held, after;
	struct pair p;

	(void)unused;
	world_begin();
	pair_open(&p);
	move(p.client, p.server, 10);
	world_look(true);
	ids_held(&held);
	assert_true(held.n_prog >= 10);
	assert_true(held.n_link >= 10);
	assert_true(held.n_map >= 4);
	world_end();
	ids_held(&after);
	assert_int_equal(after.n_prog + after.n_map + after.n_link, 0);
	assert_int_equal(still_there(bpf_link_get_fd_by_id, held.link, held.n_link), 0);
	assert_int_equal(still_there(bpf_prog_get_fd_by_id, held.prog, held.n_prog), 0);
	assert_int_equal(still_there(bpf_map_get_fd_by_id, held.map, held.n_map), 0);
	/* A socket that it kept storage with lives on. */
	move(p.client, p.server, 10);
	pair_close(&p);
}

static int end(void **unused)
{
	(void)unused;
	world_end();
	return 0;
}

int main(void)
{
	const char *reason = world_prepare();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_tcp_counted_before_is_kept_apart, end),
		cmocka_unit_test_teardown(a_socket_that_is_met_in_a_call_has_its_before_too, end),
		cmocka_unit_test_teardown(eight_thousand_open_sockets_have_their_owners_at_once, end),
		cmocka_unit_test_teardown(who_opened_it_before_holds_it_and_not_its_child, end),
		cmocka_unit_test_teardown(a_look_tells_what_changed_unless_all_is_asked_for, end),
		cmocka_unit_test_teardown(a_full_look_misses_no_socket_while_others_end, end),
		cmocka_unit_test_teardown(a_full_ring_loses_records_that_it_counts_and_no_bytes, end),
		cmocka_unit_test_teardown(a_process_that_found_no_room_leaves_too, end),
		cmocka_unit_test_teardown(the_peers_beyond_64_stay_in_the_sockets_own_sum, end),
		cmocka_unit_test_teardown(an_unknown_hook_set_is_refused_with_its_reason, end),
		cmocka_unit_test_teardown(nothing_is_left_behind, end),
	};

	if (reason) {
		printf("%s\n", reason);
		return 77; /* not tested, says meson too */
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
