// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Each attempt runs in a child of its own, after the drop and the list. The child's status tells.
 */

enum role { ROLE_GATE, ROLE_ENGINE };
#define SANDBOX_FAILED 99
#define KILLED 200 /* by SIGSYS */

static int in_sandbox(enum role role, int (*attempt)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		const char *missing;
		uid_t uid;
		gid_t gid;

		weir_sandbox_identity(&uid, &gid);
		if (weir_sandbox_drop(uid, gid) < 0)
			_exit(SANDBOX_FAILED);
		int r = role == ROLE_GATE ? weir_sandbox_gate(&missing)
					  : weir_sandbox_engine(&missing);
		_exit(r < 0 || missing ? SANDBOX_FAILED : attempt());
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int outcome(long r)
{
	return r >= 0 ? 0 : errno;
}

static int try_read_file(void)
{
	return outcome(open("/etc/passwd", O_RDONLY));
}

static int try_write_file(void)
{
	return outcome(open("/dev/shm/weir-sandbox-test", O_WRONLY | O_CREAT, 0600));
}

static int try_socket(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_fork(void)
{
	return outcome(fork());
}

static int try_exec(void)
{
	char *const argv[] = { "true", NULL };
	return outcome(execv("/bin/true", argv));
}

static int try_ptrace(void)
{
	return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_mount(void)
{
	return outcome(mount("none", "/mnt", "tmpfs", 0, NULL));
}

static int try_bpf(void)
{
	return outcome(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? errno
		       : 0;
}

static int try_kill_parent(void)
{
	return outcome(kill(getppid(), 0));
}

static int try_ordinary_work(void)
{
	char *block = malloc(1 << 22);
	int pair[2] = { -1, -1 };

	if (!block)
		return 1;
	memset(block, 1, 1 << 22);
	free(block);
	/* Made before, in the roles; here the call itself must fail. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
		return 2;
	if (write(STDERR_FILENO, "", 0) < 0)
		return 3;
	return 0;
}

static int try_memfd(void)
{
	int fd = memfd_create("weir", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return errno;
	return outcome(ftruncate(fd, 4096)) ?: outcome(timerfd_create(CLOCK_MONOTONIC, 0));
}

static int try_abort(void)
{
	raise(SIGABRT);
	return 0;
}

static int try_root_again(void)
{
	return geteuid() != 0 && getuid() != 0 ? 0 : 1;
}

static void each_attempt_ends_as_the_list_says(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("not tested: needs root\n");
		skip();
	}
	const struct {
		const char *what;
		int (*attempt)(void);
		int gate, engine;
	} rows[] = {
		{ "memory and open descriptors go on working", try_ordinary_work, 0, 0 },
		{ "nobody is root", try_root_again, 0, 0 },
		{ "only the engine reads files", try_read_file, EPERM, 0 },
		{ "nobody writes files", try_write_file, EPERM, EPERM },
		{ "only the engine makes snapshots", try_memfd, EPERM, 0 },
		{ "nobody opens a socket", try_socket, EPERM, EPERM },
		{ "nobody forks", try_fork, EPERM, EPERM },
		{ "nobody signals another process", try_kill_parent, EPERM, EPERM },
		{ "nobody makes executable memory", try_executable_memory, EPERM, EPERM },
		{ "a program ends the process", try_exec, KILLED, KILLED },
		{ "a trace ends the process", try_ptrace, KILLED, KILLED },
		{ "a mount ends the process", try_mount, KILLED, KILLED },
		{ "only the engine speaks to BPF", try_bpf, KILLED,
		  EPERM /* a stranger's map: refused by the kernel */ },
		{ "a failed assertion still aborts", try_abort, -SIGABRT, -SIGABRT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int gate = in_sandbox(ROLE_GATE, rows[i].attempt),
		    engine = in_sandbox(ROLE_ENGINE, rows[i].attempt);
		if (rows[i].attempt == try_bpf && engine == EINVAL)
			engine = EPERM; /* an empty command, where unprivileged BPF is not switched
					   off */
		if (gate != rows[i].gate || engine != rows[i].engine)
			fail_msg("%s: gate %d, engine %d", rows[i].what, gate, engine);
	}
}

static int read_status(char *text, size_t size)
{
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? -1 : 0;
}

static bool says(const char *status, const char *name, const char *value)
{
	const char *at = strstr(status, name);

	if (!at)
		return false;
	at += strlen(name);
	at += strspn(at, ": \t");
	return strncmp(at, value, strlen(value)) == 0;
}

static void the_kernel_agrees_that_nothing_is_left(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("not tested: needs root\n");
		skip();
	}
	static const struct {
		const char *name, *value;
	} wanted[] = {
		{ "\nCapInh", "0000000000000000" },
		{ "\nCapPrm", "0000000000000000" },
		{ "\nCapEff", "0000000000000000" },
		{ "\nCapBnd", "0000000000000000" },
		{ "\nCapAmb", "0000000000000000" },
		{ "\nNoNewPrivs", "1" },
		{ "\nUid", "65534\t65534\t65534\t65534" },
		{ "\nGid", "65534\t65534\t65534\t65534" },
	};
	pid_t pid = fork();

	if (pid == 0) {
		char status[8192];
		int death = 0;

		if (weir_sandbox_drop(65534, 65534) < 0 || read_status(status, sizeof(status)) < 0)
			_exit(100);
		if (prctl(PR_GET_PDEATHSIG, &death) < 0 || death != SIGKILL)
			_exit(101);
		if (prctl(PR_GET_DUMPABLE) != 0)
			_exit(102);
		for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (!says(status, wanted[i].name, wanted[i].value))
				_exit(1 + (int)i);
		_exit(getgroups(0, NULL) == 0 ? 0 : 103);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_role_dies_with_its_parent(void **state)
{
	(void)state;
	int report[2];
	pid_t role = 0;

	assert_int_equal(pipe(report), 0);
	pid_t parent = fork();
	if (parent == 0) {
		pid_t child = fork();
		if (child == 0) {
			if (weir_sandbox_drop(geteuid() == 0 ? 65534 : geteuid(), 65534) < 0)
				_exit(1);
			child = getpid();
			if (write(report[1], &child, sizeof(child)) != sizeof(child))
				_exit(1);
			for (;;)
				pause();
		}
		for (;;)
			pause();
	}
	close(report[1]);
	assert_int_equal(read(report[0], &role, sizeof(role)), sizeof(role));
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	/* The last writer of the pipe is the role: the pipe ends when it does. */
	char byte;
	alarm(10);
	assert_int_equal(read(report[0], &byte, 1), 0);
	close(report[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attempt_ends_as_the_list_says),
		cmocka_unit_test(the_kernel_agrees_that_nothing_is_left),
		cmocka_unit_test(a_role_dies_with_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
