// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/bench_private.h"

/* Where measurements run, and the programs that they start. */

#define END_NS (5ull * 1000000000ull)

static int raise_loopback(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo) < 0)
		return -errno;
	lo.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

/* Without it scripts do not find their hooks; nothing else here needs it, so a failure is theirs.
 */
static void mount_tracefs(void)
{
	if (access("/sys/kernel/tracing/events", F_OK) < 0)
		(void)mount("tracefs", "/sys/kernel/tracing", "tracefs",
			    MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

int weir_bench_isolate(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		return -errno;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	mount_tracefs();
	return raise_loopback();
}

int weir_bench_pin(struct weir_bench *b)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &b->all))
			continue;
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof(one), &one) < 0 ? -errno : 0;
	}
	return -ENODEV;
}

void weir_bench_unpin(struct weir_bench *b)
{
	sched_setaffinity(0, sizeof(b->all), &b->all);
}

/* In the child. Its parent's end is its own, and signals that the parent blocked or caught mean
 * what they say. */
static void begin_child(struct weir_bench *b, pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT,
	       SIG_IGN); /* Ctrl-C goes to the whole group: who started it ends it in order */
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	weir_bench_unpin(b);
}

static _Noreturn void run_program(const char *const *argv, int output, int say_fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), e;

	dup2(null_fd, STDIN_FILENO);
	dup2(output >= 0 ? output : null_fd, STDOUT_FILENO);
	dup2(output >= 0 ? output : null_fd, STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	e = errno;
	_exit(write(say_fd, &e, sizeof(e)) == sizeof(e) ? 126 : 127);
}

int weir_bench_spawn(struct weir_bench *b, const char *const *argv, pid_t *ret_pid, int *ret_output)
{
	int say[2], out[2] = { -1, -1 }, error = 0;
	pid_t parent = getpid(), pid;

	/* What it could not be started for comes back; the end is closed by exec. */
	if (pipe2(say, O_CLOEXEC) < 0)
		return -errno;
	if (ret_output && pipe2(out, O_CLOEXEC) < 0)
		error = errno;
	pid = error ? -1 : fork();
	if (pid == 0) {
		begin_child(b, parent);
		run_program(argv, out[1], say[1]);
	}
	if (pid < 0 && !error)
		error = errno;
	close(say[1]);
	weir_closep(&out[1]);
	if (pid > 0 && read(say[0], &error, sizeof(error)) == sizeof(error))
		waitpid(pid, NULL, 0);
	close(say[0]);
	if (error) {
		weir_closep(&out[0]);
		return -error;
	}
	*ret_pid = pid;
	if (ret_output)
		*ret_output = out[0];
	return 0;
}

int weir_bench_fork(struct weir_bench *b, int (*serve)(void *ctx), void *ctx, pid_t *ret_pid)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		begin_child(b, parent);
		_exit(serve(ctx) < 0 ? 1 : 0);
	}
	*ret_pid = pid;
	return 0;
}

void weir_bench_end(pid_t *pid)
{
	uint64_t until = weir_bench_wall_ns() + END_NS;
	struct timespec rest = { .tv_nsec = 2000000 };

	if (*pid <= 0)
		return;
	kill(*pid, SIGTERM);
	while (waitpid(*pid, NULL, WNOHANG) == 0) {
		if (weir_bench_wall_ns() > until)
			kill(*pid, SIGKILL);
		nanosleep(&rest, NULL);
	}
	*pid = 0;
}
