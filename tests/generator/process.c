// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cases.h"
#include "process.h"

/* Processes that change under one's eyes: they exec, die young, hand their number on, change user,
 * live in another network namespace. */

/* Takes n bytes on each of `visits` connections, one after the other. */
static void serve(const struct instance *i, size_t n, int visits)
{
	int listener = net_listen(i->family, NUM_PORT, 16, 1);

	for (int v = 0; v < visits; v++) {
		struct end e = end_open(net_accept(listener), "server");

		rx_recv(&e, n);
		tx_send(&e, 100);
		if (v == visits - 1)
			scene_hold();
		rx_drain(&e);
		end_close(&e);
	}
	close(listener);
}

static void serve_one(void *arg)
{
	serve(arg, 3000, 1);
}

static void serve_two(void *arg)
{
	serve(arg, 3000, 2);
}

static struct end visit(const struct instance *i, const char *role)
{
	struct end e;

	while (*scene_number(NUM_PORT) == 0)
		usleep(50);
	e = end_open(net_connect(i->family, NUM_PORT), role);
	tx_send(&e, 3000);
	rx_recv(&e, 100);
	return e;
}

static void check_sums(const struct instance *i)
{
	uint64_t tx, rx;

	(void)i;
	truth_sum(NULL, &tx, &rx);
	if (tx != rx || tx == 0)
		scene_fault("sent %llu, received %llu", (unsigned long long)tx,
			    (unsigned long long)rx);
}

/* --- exec ------------------------------------------------------------------------------------ */

static void exec_before(void *arg)
{
	const struct instance *i = arg;
	char dir[] = "/tmp/weir-generate-XXXXXX", path[64], exe[PATH_MAX], memory[16], truth[16],
	     fd[16];
	struct end e;
	ssize_t n = must(readlink("/proc/self/exe", exe, sizeof(exe) - 1), "readlink");

	exe[n] = 0;
	scene_await(SEM_LISTENING);
	e = end_open(net_connect(i->family, NUM_PORT), "exec");
	tx_send(&e, 1000);
	/* The name after an exec is the file's: a link gives it another one. */
	if (!mkdtemp(dir))
		scene_fail("mkdtemp: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/wg-exec-after", dir);
	must(symlink(exe, path), "symlink");
	must(fcntl(e.fd, F_SETFD, 0), "F_SETFD");
	must(fcntl(scene_memory_fd(), F_SETFD, 0), "F_SETFD");
	snprintf(memory, sizeof(memory), "%d", scene_memory_fd());
	snprintf(truth, sizeof(truth), "%u", scene_truth_index(e.truth));
	snprintf(fd, sizeof(fd), "%d", e.fd);
	execl(path, path, "_exec", memory, truth, fd, scene_options.hold ? "1" : "0", (char *)NULL);
	scene_fail("exec: %s", strerror(errno));
}

int process_after_exec(char **argv)
{
	struct end e;
	char *slash = strrchr(argv[0], '/');

	unlink(argv[0]);
	if (slash) {
		*slash = 0;
		rmdir(argv[0]);
		*slash = '/';
	}
	if (scene_adopt(atoi(argv[2])) < 0)
		return 1;
	scene_options.hold = atoi(argv[5]);
	e = (struct end){ .fd = atoi(argv[4]), .truth = scene_truth_at((unsigned)atoi(argv[3])) };
	truth_rename(e.truth);
	tx_send(&e, 2000);
	rx_recv(&e, 100);
	scene_hold();
	end_close(&e);
	return 0;
}

static void exec_run(const struct instance *i)
{
	scene_spawn("wg-exec-far", serve_one, (void *)i);
	scene_spawn("wg-exec-before", exec_before, (void *)i);
}

/* --- short lives, the same number twice ------------------------------------------------------ */

static void brief(void *arg)
{
	struct end e = visit(arg, "brief");

	end_close(&e);
}

static void brief_run(const struct instance *i)
{
	scene_spawn("wg-brief-far", serve_two, (void *)i);
	while (*scene_number(NUM_PORT) == 0)
		usleep(100);
	scene_spawn("wg-brief-1", brief, (void *)i);
	scene_spawn("wg-brief-2", brief, (void *)i);
}

static void reuse_parent(void *arg)
{
	pid_t first = scene_spawn("wg-reuse-first", brief, arg);

	scene_wait(first);
	if (scene_spawn_pid("wg-reuse-second", brief, arg, first) != first)
		scene_fail("the number was not used again");
	scene_join();
}

static void reuse_run(const struct instance *i)
{
	scene_spawn("wg-reuse-far", serve_two, (void *)i);
	scene_spawn("wg-reuse-parent", reuse_parent, (void *)i);
}

/* --- another user ---------------------------------------------------------------------------- */

static void user_near(void *arg)
{
	const struct instance *i = arg;
	struct end e, f;

	while (*scene_number(NUM_PORT) == 0)
		usleep(50);
	e = end_open(net_connect(i->family, NUM_PORT), "user");
	tx_send(&e, 1000);
	must(setgid(65534), "setgid");
	must(setuid(65534), "setuid");
	f = e;
	tx_send(&f, 2000);
	rx_recv(&f, 100);
	scene_hold();
	end_close(&f);
}

static void user_run(const struct instance *i)
{
	scene_spawn("wg-user-far", serve_one, (void *)i);
	scene_spawn("wg-user", user_near, (void *)i);
}

/* --- network namespaces ---------------------------------------------------------------------- */

/* The socket was made inside, its process lives outside (and another one inside). */
static void crossing_near(void *arg)
{
	const struct instance *i = arg;
	int home = (int)must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "ns/net");
	char path[64];
	struct end e;
	int there, fd;

	scene_await(SEM_LISTENING);
	snprintf(path, sizeof(path), "/proc/%llu/ns/net", (unsigned long long)*scene_number(NUM_A));
	there = (int)must(open(path, O_RDONLY | O_CLOEXEC), "ns/net");
	must(setns(there, CLONE_NEWNET), "setns");
	fd = net_socket(i->family, SOCK_STREAM);
	must(setns(home, CLONE_NEWNET), "setns");
	net_connect_fd(fd, i->family, NUM_PORT);
	e = end_open(fd, "crossing");
	tx_send(&e, 3000);
	rx_recv(&e, 100);
	scene_hold();
	end_close(&e);
	close(home);
	close(there);
}

static void crossing_far(void *arg)
{
	net_own_namespace();
	*scene_number(NUM_A) = (uint64_t)getpid();
	serve_one(arg);
}

static void crossing_run(const struct instance *i)
{
	scene_spawn("wg-netns-inside", crossing_far, (void *)i);
	scene_spawn("wg-netns-cross", crossing_near, (void *)i);
}

#define ROW(NAME, PREFIX, FAMILIES, FLAGS, HELP)                                  \
	{                                                                         \
		.name = NAME, .help = HELP, .families = FAMILIES, .flags = FLAGS, \
		.run = PREFIX##_run, .check = check_sums                          \
	}

const struct row process_rows[] = {
	ROW("exec", exec, IN_TCP, 0, "exec() keeps the socket, the name changes"),
	ROW("brief", brief, IN_TCP, 0, "processes that live under 5 ms"),
	ROW("pid-reuse", reuse, IN_TCP, NEEDS_ROOT, "two processes with the same number"),
	ROW("user", user, IN_TCP, NEEDS_ROOT, "setuid() between two sends"),
	ROW("netns-crossing", crossing, IN_TCP, NEEDS_ROOT,
	    "a socket of another network namespace"),
	{ .name = "netns-write",
	  .help = "write() in a network namespace of its own",
	  .families = IN_TCP,
	  .flags = NEEDS_ROOT | OWN_NETNS,
	  .bytes = 100003,
	  .run = pair_run,
	  .check = pair_check,
	  .tx = tx_write,
	  .rx = rx_recv },
	{},
};
