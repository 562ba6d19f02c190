// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/sandbox_landlock.h"

/* Which system calls a role may make. What is on no list gives EPERM, so that a C library that
 * tries something new falls back; what only an attacker needs kills the process. */

#define CALL(name) SCMP_SYS(name)
#define END_OF_LIST __NR_SCMP_ERROR

/* clang-format off */

/* Memory, time, waiting, what is open already. */
static const int both[] = {
	CALL(read), CALL(readv), CALL(pread64), CALL(write), CALL(writev), CALL(close), CALL(lseek),
	CALL(fcntl), CALL(fcntl64), CALL(fstat), CALL(fstat64), CALL(newfstatat), CALL(statx),
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

/* To itself only, which is how the C library ends a process that has corrupted its memory. */
static int allow_own_end(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(tgkill), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
}

static int allow_reading_files(scmp_filter_ctx ctx)
{
	const scmp_datum_t changes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | __O_TMPFILE;
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

int weir_sandbox_gate(const char **ret_missing)
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

	r = load(gate_only, NULL, no_bpf);
	if (r < 0 && !seccomp_absent(r))
		return r;
	if (r < 0)
		*ret_missing = landlock ? "seccomp is not available: Landlock and the user alone "
					  "hold the gate"
					: "seccomp and Landlock are not available: the user alone "
					  "holds the gate";
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
