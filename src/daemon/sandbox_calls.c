// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/sandbox_landlock.h"

/* Which system calls a role may make. What is on no list gives EPERM, so that a C library that
 * tries something new falls back; what only an attacker needs kills the process. */

#define CALL(name) SCMP_SYS(name)
#define END_OF_LIST __NR_SCMP_ERROR
#define TMPFILE_BIT (__O_TMPFILE & ~O_DIRECTORY) /* folders may be read */

/* clang-format off */

/* Memory, time, waiting, what is open already. */
static const int both[] = {
	CALL(read), CALL(readv), CALL(pread64), CALL(write), CALL(writev), CALL(close), CALL(lseek),
	CALL(fstat), CALL(fstat64), CALL(newfstatat), CALL(statx),
	CALL(dup), CALL(munmap), CALL(mremap), CALL(madvise), CALL(brk), CALL(membarrier),
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait),
	CALL(epoll_pwait2), CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6), CALL(eventfd2),
	CALL(recvmsg), CALL(recvfrom), CALL(recv), CALL(sendmsg), CALL(sendto), CALL(send),
	CALL(shutdown), CALL(getsockopt), CALL(setsockopt), CALL(getsockname), CALL(getpeername),
	CALL(clock_gettime), CALL(clock_gettime64), CALL(clock_getres), CALL(clock_nanosleep),
	CALL(clock_nanosleep_time64), CALL(nanosleep), CALL(gettimeofday), CALL(time),
	CALL(timerfd_create), CALL(timerfd_settime), CALL(timerfd_gettime), CALL(futex),
	CALL(futex_time64), CALL(sched_yield), CALL(rseq), CALL(set_robust_list),
	CALL(restart_syscall), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn),
	CALL(sigreturn), CALL(sigaltstack), CALL(getpid), CALL(getppid), CALL(gettid), CALL(getuid),
	CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getrandom), CALL(getrusage), CALL(times),
	CALL(uname), CALL(sysinfo), CALL(sched_getaffinity), CALL(exit), CALL(exit_group),
	END_OF_LIST,
};

static const int gate_only[] = {
	CALL(accept4), CALL(accept), CALL(sendfile), CALL(sendfile64), END_OF_LIST,
};

static const int engine_only[] = {
	CALL(bpf), CALL(memfd_create), CALL(ftruncate), CALL(ftruncate64), CALL(pwrite64),
	CALL(pwritev), CALL(fsync), CALL(fdatasync), CALL(getdents64), CALL(readlink),
	CALL(readlinkat), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(stat), CALL(stat64),
	CALL(lstat), CALL(statfs), CALL(fstatfs), CALL(pipe2), CALL(sched_setaffinity), END_OF_LIST,
};

static const int capture_only[] = { CALL(ftruncate), CALL(ftruncate64), END_OF_LIST };

/* What SQLite needs of a folder of its own. fchmod: the -wal has the rights of its file. */
static const int store_only[] = {
	CALL(openat), CALL(open), CALL(memfd_create), CALL(ftruncate), CALL(ftruncate64), CALL(pwrite64), CALL(pwritev),
	CALL(preadv), CALL(fsync), CALL(fdatasync), CALL(fallocate), CALL(fadvise64), CALL(unlink), CALL(unlinkat), CALL(rename),
	CALL(renameat), CALL(renameat2), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(stat), CALL(stat64), CALL(lstat),
	CALL(lstat64), CALL(readlink), CALL(readlinkat), CALL(getdents64), CALL(getcwd), CALL(fchmod), CALL(fchown),
	CALL(statfs), CALL(fstatfs), CALL(utimensat), END_OF_LIST,
};

static const int helper_only[] = {
	CALL(getdents64), CALL(fstatfs), CALL(access), CALL(faccessat), CALL(stat), CALL(stat64),
	CALL(lstat), CALL(alarm), CALL(setitimer), END_OF_LIST,
};

/* No role without rights has a use for these, whatever else changes. */
static const int deadly[] = {
	CALL(execve), CALL(execveat), CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev),
	CALL(kcmp), CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(move_mount),
	CALL(open_tree), CALL(fsopen), CALL(fsconfig), CALL(fsmount), CALL(fspick),
	CALL(mount_setattr), CALL(setns), CALL(unshare), CALL(init_module), CALL(finit_module),
	CALL(delete_module), CALL(kexec_load), CALL(kexec_file_load), CALL(reboot), CALL(swapon),
	CALL(swapoff), CALL(add_key), CALL(request_key), CALL(keyctl), CALL(perf_event_open),
	CALL(userfaultfd), CALL(iopl), CALL(ioperm), CALL(modify_ldt), CALL(open_by_handle_at),
	CALL(name_to_handle_at), CALL(io_uring_setup), CALL(io_uring_enter),
	CALL(io_uring_register), CALL(pidfd_getfd), CALL(mknod), CALL(mknodat), CALL(settimeofday),
	CALL(clock_settime), CALL(clock_adjtime), CALL(adjtimex), CALL(sethostname), CALL(acct),
	CALL(quotactl), CALL(capset), CALL(setuid), CALL(setresuid), CALL(setgid), CALL(setresgid),
	CALL(setgroups), END_OF_LIST,
};

/* clang-format on */

static inline void weir_seccomp_donep(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static int add_list(scmp_filter_ctx ctx, uint32_t action, const int *list)
{
	for (; *list != END_OF_LIST; list++) {
		int r = seccomp_rule_add(ctx, action, *list, 0);
		/* EDOM, EOPNOTSUPP: no such call on this architecture. */
		if (r < 0 && r != -EDOM && r != -EOPNOTSUPP)
			return r;
	}
	return 0;
}

/* Memory is for data: nothing new becomes executable. */
static int allow_data_memory(scmp_filter_ctx ctx)
{
	static const int calls[] = { CALL(mmap), CALL(mmap2), CALL(mprotect) };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1,
					 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (r < 0 && r != -EDOM && r != -EOPNOTSUPP)
			return r;
	}
	return 0;
}

/* Nothing that has a signal sent: F_SETOWN and F_SETSIG reach any process of the same user. */
static int allow_descriptor_flags(scmp_filter_ctx ctx)
{
	static const int calls[] = { CALL(fcntl), CALL(fcntl64) };
	static const int commands[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL,
					F_SETFL, F_ADD_SEALS,	  F_GET_SEALS };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(commands); k++) {
			int r = seccomp_rule_add(
				ctx, SCMP_ACT_ALLOW, calls[i], 1,
				SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[k]));
			if (r < 0 && r != -EDOM && r != -EOPNOTSUPP)
				return r;
		}
	}
	return 0;
}

/* To itself only, which is how the C library ends a process that has corrupted its memory. */
static int allow_own_end(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(tgkill), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
}

static int allow_reading_files(scmp_filter_ctx ctx)
{
	const scmp_datum_t changes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | TMPFILE_BIT;
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(openat), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, changes, 0));

	if (r < 0)
		return r;
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(open), 1,
			     SCMP_A1(SCMP_CMP_MASKED_EQ, changes, 0));
	return r == -EDOM || r == -EOPNOTSUPP ? 0 : r;
}

static int load(const int *own, int (*special)(scmp_filter_ctx), const int *also_deadly)
{
	_cleanup_(weir_seccomp_donep) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!ctx)
		return -ENOMEM;
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r < 0)
		return r;
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE,
			       2); /* a tree instead of a long list */
	const struct {
		uint32_t action;
		const int *calls;
	} lists[] = {
		{ SCMP_ACT_ALLOW, both },
		{ SCMP_ACT_ALLOW, own },
		{ SCMP_ACT_KILL_PROCESS, deadly },
		{ SCMP_ACT_KILL_PROCESS, also_deadly },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		r = lists[i].calls ? add_list(ctx, lists[i].action, lists[i].calls) : 0;
		if (r < 0)
			return r;
	}
	r = allow_data_memory(ctx);
	if (r < 0)
		return r;
	r = allow_descriptor_flags(ctx);
	if (r < 0)
		return r;
	r = allow_own_end(ctx);
	if (r < 0)
		return r;
	r = special ? special(ctx) : 0;
	if (r < 0)
		return r;
	return seccomp_load(ctx);
}

/* EINVAL: built without CONFIG_SECCOMP_FILTER. ENOSYS: refused by a container's own filter. */
static bool seccomp_absent(int r)
{
	return r == -EINVAL || r == -ENOSYS || r == -EOPNOTSUPP;
}

/* For who needs no file but those that are open. */
static int close_off(const int *own, int (*special)(scmp_filter_ctx), const char **ret_missing)
{
	static const int no_bpf[] = { CALL(bpf), END_OF_LIST };

	*ret_missing = NULL;
	int r = weir_landlock_nothing();
	if (r == -EOPNOTSUPP)
		*ret_missing =
			"Landlock is not available: the system call filter alone keeps files away";
	else if (r < 0)
		return r;
	bool landlock = r == 0;

	r = load(own, special, no_bpf);
	if (r < 0 && !seccomp_absent(r))
		return r;
	if (r < 0)
		*ret_missing = landlock ? "seccomp is not available: Landlock and the user alone "
					  "hold it"
					: "seccomp and Landlock are not available: the user alone "
					  "holds it";
	return 0;
}

int weir_sandbox_gate(const char **ret_missing)
{
	return close_off(gate_only, NULL, ret_missing);
}

/* The names of network devices, and whether one is still up, from a socket that is open. */
static int allow_device_questions(scmp_filter_ctx ctx)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, SIOCGIFNAME));

	return r < 0 ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS));
}

int weir_sandbox_capture(const char **ret_missing)
{
	return close_off(capture_only, allow_device_questions, ret_missing);
}

/* Locks between those that have the file open; it has no one to send a signal to. */
static int allow_file_locks(scmp_filter_ctx ctx)
{
	static const int calls[] = { CALL(fcntl), CALL(fcntl64) };
	static const int commands[] = { F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(commands); k++) {
			int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1,
						 SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[k]));
			if (r < 0 && r != -EDOM && r != -EOPNOTSUPP)
				return r;
		}
	}
	return 0;
}

int weir_sandbox_store(const char *folder, const char **ret_missing)
{
	static const int no_bpf[] = { CALL(bpf), END_OF_LIST };
	_cleanup_close_ int fd = folder ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	bool landlock;
	int r;

	*ret_missing = NULL;
	if (folder && fd < 0)
		return -errno;
	r = folder ? weir_landlock_keep(fd) : weir_landlock_nothing();
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	landlock = r == 0;
	r = load(store_only, allow_file_locks, no_bpf);
	if (r < 0 && !seccomp_absent(r))
		return r;
	if (r < 0)
		*ret_missing = landlock ? "seccomp is not available: Landlock and the user alone hold the store" :
					  "seccomp and Landlock are not available: the user alone holds the store";
	else if (!landlock)
		*ret_missing = "Landlock is not available: its folder and the user alone hold the store's files";
	return 0;
}

int weir_sandbox_engine(const char **ret_missing)
{
	*ret_missing = NULL;
	int r = load(engine_only, allow_reading_files, NULL);
	if (r < 0 && !seccomp_absent(r))
		return r;
	if (r < 0)
		*ret_missing = "seccomp is not available: the user alone holds the engine";
	return 0;
}

/* It connects to nobody. But libcurl 7.88 calls connect() on a socket of which it was told that it is connected, and goes
 * on if that says "in progress". */
static int allow_reading_files_connected(scmp_filter_ctx ctx)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINPROGRESS), CALL(connect), 0);

	return r < 0 ? r : allow_reading_files(ctx);
}

int weir_sandbox_helper(const char **ret_missing)
{
	static const int no_bpf[] = { CALL(bpf), END_OF_LIST };

	*ret_missing = NULL;
	int r = load(helper_only, allow_reading_files_connected, no_bpf);
	if (r < 0 && !seccomp_absent(r))
		return r;
	if (r < 0)
		*ret_missing = "seccomp is not available: the user and Landlock hold the helper";
	return 0;
}
