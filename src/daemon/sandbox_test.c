// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/sandbox_landlock.h"

/* Each attempt runs in a child of its own, after the drop and the list. The child's status tells.
 */

enum role { ROLE_GATE, ROLE_ENGINE, ROLE_HELPER, ROLE_STORE, _ROLE_MAX };
#define SANDBOX_FAILED 99
#define KILLED 200 /* by SIGSYS */

static char folder[] = "/tmp/weir-sandbox-test-XXXXXX"; /* what a helper may read, and root alone */
static char kept[] = "/tmp/weir-sandbox-kept-XXXXXX"; /* what the store may use; it is the roles' user's */
static bool no_landlock;
static pid_t victim; /* of the roles' user, and with no sandbox */

static int enter(enum role role)
{
	const char *missing = NULL;
	uid_t uid;
	gid_t gid;
	int r;

	if (role == ROLE_HELPER) {
		r = weir_sandbox_drop_to_reading();
		int fd = open(folder, O_PATH | O_DIRECTORY);
		int locked = weir_landlock_folders(&fd, 1);

		if (r < 0 || fd < 0 || (locked < 0 && locked != -EOPNOTSUPP))
			return -1;
		r = weir_sandbox_helper(&missing);
		return r < 0 || missing ? -1 : 0;
	}
	weir_sandbox_identity(&uid, &gid);
	if (weir_sandbox_drop(uid, gid) < 0)
		return -1;
	if (role == ROLE_STORE)
		r = weir_sandbox_store(kept, &missing);
	else
		r = role == ROLE_GATE ? weir_sandbox_gate(&missing) : weir_sandbox_engine(&missing);
	return r < 0 || missing ? -1 : 0;
}

static int in_sandbox(enum role role, int (*attempt)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(enter(role) < 0 ? SANDBOX_FAILED : attempt());
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

static int try_kill(void)
{
	return outcome(kill(victim, 0));
}

static int try_tkill(void)
{
	return outcome(syscall(SYS_tkill, victim, 0));
}

static int try_queue(void)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	return outcome(syscall(SYS_rt_sigqueueinfo, victim, SIGUSR1, &info));
}

static int try_pidfd(void)
{
	return outcome(syscall(SYS_pidfd_open, victim, 0));
}

static int try_own(void)
{
	return outcome(fcntl(STDERR_FILENO, F_SETOWN, victim));
}

static int try_own_signal(void)
{
	return outcome(fcntl(STDERR_FILENO, F_SETSIG, SIGKILL));
}

static int try_peek(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { folder, 1 };

	return outcome(process_vm_readv(victim, &here, 1, &there, 1, 0));
}

static int try_flags(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? errno : outcome(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL)));
}

static int try_read_secret(void)
{
	char path[sizeof(folder) + 16];

	snprintf(path, sizeof(path), "%s/secret", folder);
	return outcome(open(path, O_RDONLY));
}

static int try_change_secret(void)
{
	char path[sizeof(folder) + 16];

	snprintf(path, sizeof(path), "%s/secret", folder);
	return outcome(open(path, O_RDWR));
}

static int try_connect(void)
{
	struct sockaddr a = { .sa_family = AF_UNIX };

	return outcome(connect(STDERR_FILENO, &a, sizeof(a)));
}

static int try_handle(void)
{
	return outcome(syscall(SYS_open_by_handle_at, STDERR_FILENO, folder, O_RDONLY));
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

/* What a database does with its files. */
static int try_keep(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	char path[sizeof(kept) + 16], other[sizeof(kept) + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/file", kept);
	snprintf(other, sizeof(other), "%s/other", kept);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	if (fcntl(fd, F_SETLK, &lock) < 0 || pwrite(fd, "1", 1, 4095) != 1 || ftruncate(fd, 100) < 0 || fsync(fd) < 0 ||
	    fdatasync(fd) < 0 || fchmod(fd, 0600) < 0)
		return 2;
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
		return 3;
	if (rename(path, other) < 0 || access(other, R_OK) < 0 || unlink(other) < 0)
		return 4;
	return mkdir(path, 0700) == 0 || symlink("x", path) == 0 ? 5 : 0;
}

static int try_chroot_seen(void)
{
	return outcome(open("/proc/self/maps", O_RDONLY));
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
		int wanted[_ROLE_MAX]; /* gate, engine, helper, store */
	} rows[] = {
		{ "memory and open descriptors go on working", try_ordinary_work, { 0, 0, 0, 0 } },
		{ "nobody is root", try_root_again, { 0, 0, 0, 0 } },
		{ "only the engine reads files anywhere", try_read_file, { EPERM, 0, no_landlock ? 0 : EACCES,
									   no_landlock ? 0 : EACCES } },
		{ "a helper reads what is root's in its folder", try_read_secret, { EPERM, EACCES, 0, EACCES } },
		{ "and only reads", try_change_secret, { EPERM, EPERM, EPERM, EACCES } },
		{ "nobody writes files anywhere", try_write_file, { EPERM, EPERM, EPERM, no_landlock ? 0 : EACCES } },
		{ "engine and store make snapshots", try_memfd, { EPERM, 0, EPERM, 0 } },
		{ "the store keeps files in its folder", try_keep, { EPERM, EPERM, EPERM, 0 } },
		{ "and sees no process, itself included", try_chroot_seen, { EPERM, 0, no_landlock ? 0 : EACCES,
									    no_landlock ? 0 : EACCES } },
		{ "nobody opens a socket", try_socket, { EPERM, EPERM, EPERM, EPERM } },
		{ "nobody connects one", try_connect, { EPERM, EPERM, EINPROGRESS, EPERM } },
		{ "nobody forks", try_fork, { EPERM, EPERM, EPERM, EPERM } },
		{ "nobody signals a process of the same user", try_kill, { EPERM, EPERM, EPERM, EPERM } },
		{ "nor its thread", try_tkill, { EPERM, EPERM, EPERM, EPERM } },
		{ "nor with a message", try_queue, { EPERM, EPERM, EPERM, EPERM } },
		{ "nor by a descriptor of it", try_pidfd, { EPERM, EPERM, EPERM, EPERM } },
		{ "nor as the owner of a descriptor", try_own, { EPERM, EPERM, EPERM, EPERM } },
		{ "nor by the signal of one", try_own_signal, { EPERM, EPERM, EPERM, EPERM } },
		{ "flags of descriptors can be changed", try_flags, { 0, 0, 0, 0 } },
		{ "a look into another's memory ends the process", try_peek, { KILLED, KILLED, KILLED, KILLED } },
		{ "nobody makes executable memory", try_executable_memory, { EPERM, EPERM, EPERM, EPERM } },
		{ "a program ends the process", try_exec, { KILLED, KILLED, KILLED, KILLED } },
		{ "a trace ends the process", try_ptrace, { KILLED, KILLED, KILLED, KILLED } },
		{ "a mount ends the process", try_mount, { KILLED, KILLED, KILLED, KILLED } },
		{ "a file by its handle ends the process", try_handle, { KILLED, KILLED, KILLED, KILLED } },
		/* a stranger's map: refused by the kernel */
		{ "only the engine speaks to BPF", try_bpf, { KILLED, EPERM, KILLED, KILLED } },
		{ "a failed assertion still aborts", try_abort, { -SIGABRT, -SIGABRT, -SIGABRT, -SIGABRT } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (enum role role = 0; role < _ROLE_MAX; role++) {
			int got = in_sandbox(role, rows[i].attempt);

			/* An empty command, where unprivileged BPF is not switched off. */
			if (rows[i].attempt == try_bpf && role == ROLE_ENGINE && got == EINVAL)
				got = EPERM;
			if (got != rows[i].wanted[role])
				fail_msg("%s: %s: %d", rows[i].what,
					 (const char *[]){ "gate", "engine", "helper", "store" }[role], got);
		}
	}
}

/* Gate and engine are of one user. What each may not do is one half; the other is that nothing can be done to it by a
 * process of that user that is in no sandbox at all. */
static void a_role_is_closed_to_its_own_user(void **state)
{
	char path[64], byte;
	struct iovec here = { &byte, 1 }, there = { folder, 1 };
	int ready[2];

	(void)state;
	if (geteuid() != 0) {
		print_message("not tested: needs root\n");
		skip();
	}
	assert_int_equal(pipe(ready), 0);
	pid_t role = fork();
	if (role == 0) {
		if (weir_sandbox_drop(65534, 65534) < 0 || write(ready[1], "1", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	pid_t other = fork();
	if (other == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
		    setresuid(65534, 65534, 65534) < 0)
			_exit(1);
		snprintf(path, sizeof(path), "/proc/%d/mem", (int)role);
		if (ptrace(PTRACE_ATTACH, role, NULL, NULL) == 0 || errno != EPERM)
			_exit(2);
		if (process_vm_readv(role, &here, 1, &there, 1, 0) >= 0 || errno != EPERM)
			_exit(3);
		if (open(path, O_RDONLY) >= 0 || errno != EACCES)
			_exit(4);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(other, &status, 0), other);
	kill(role, SIGKILL);
	waitpid(role, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
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

static void a_helper_keeps_the_right_to_read_alone(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("not tested: needs root\n");
		skip();
	}
	static const struct {
		const char *name, *value;
	} wanted[] = {
		{ "\nCapInh", "0000000000000000" }, { "\nCapPrm", "0000000000000004" },
		{ "\nCapEff", "0000000000000004" }, { "\nCapBnd", "0000000000000000" },
		{ "\nCapAmb", "0000000000000000" }, { "\nNoNewPrivs", "1" },
		{ "\nUid", "65534\t65534\t65534\t65534" }, { "\nGid", "65534\t65534\t65534\t65534" },
	};
	pid_t pid = fork();

	if (pid == 0) {
		char status[8192];

		if (weir_sandbox_drop_to_reading() < 0 || read_status(status, sizeof(status)) < 0)
			_exit(100);
		for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (!says(status, wanted[i].name, wanted[i].value))
				_exit(1 + (int)i);
		_exit(setuid(0) == 0 ? 101 : 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
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

static int set_up(void **state)
{
	char path[sizeof(folder) + 16];

	(void)state;
	if (geteuid() != 0)
		return 0;
	no_landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/secret", folder);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	uid_t kept_uid;
	gid_t kept_gid;
	weir_sandbox_identity(&kept_uid, &kept_gid);
	if (!mkdtemp(kept) || chown(kept, kept_uid, kept_gid) < 0)
		return -1;
	victim = fork();
	if (victim == 0) {
		uid_t uid;
		gid_t gid;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		weir_sandbox_identity(&uid, &gid);
		if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
			_exit(1);
		signal(SIGUSR1, SIG_IGN);
		for (;;)
			pause();
	}
	return victim < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	char path[sizeof(folder) + 16];

	(void)state;
	if (victim <= 0)
		return 0;
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	snprintf(path, sizeof(path), "%s/secret", folder);
	unlink(path);
	return rmdir(kept) < 0 ? -1 : rmdir(folder);
}

/* The folder becomes all there is; a way to it that is closed for its user does not matter. */
static void the_store_sees_its_folder_alone(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("not tested: needs root\n");
		skip();
	}
	pid_t pid = fork();

	if (pid == 0) {
		const char *inside = kept, *missing = NULL, *none = NULL, *lacks = NULL;
		uid_t uid;
		gid_t gid;

		weir_sandbox_identity(&uid, &gid);
		if (weir_sandbox_enter(&none, &lacks) < 0 || none || lacks)
			_exit(1);
		if (weir_sandbox_enter(&inside, &lacks) < 0 || strcmp(inside, "/") || lacks)
			_exit(1);
		if (weir_sandbox_drop(uid, gid) < 0 || weir_sandbox_store(inside, &missing) < 0)
			_exit(2);
		int fd = open("/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || unlink("/file") < 0)
			_exit(3);
		_exit(open("/../../etc/passwd", O_RDONLY) < 0 ? 0 : 4);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attempt_ends_as_the_list_says),
		cmocka_unit_test(a_role_is_closed_to_its_own_user),
		cmocka_unit_test(a_helper_keeps_the_right_to_read_alone),
		cmocka_unit_test(the_kernel_agrees_that_nothing_is_left),
		cmocka_unit_test(a_role_dies_with_its_parent),
		cmocka_unit_test(the_store_sees_its_folder_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
