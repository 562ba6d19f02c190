// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define USER "weir"
#define NOBODY 65534

void weir_sandbox_identity(uid_t *ret_uid, gid_t *ret_gid)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];

	*ret_uid = NOBODY;
	*ret_gid = NOBODY;
	/* A user "weir" that is root in disguise would give nothing up. */
	if (getpwnam_r(USER, &entry, buffer, sizeof(buffer), &found) == 0 && found &&
	    found->pw_uid != 0 && found->pw_gid != 0) {
		*ret_uid = found->pw_uid;
		*ret_gid = found->pw_gid;
	}
}

/* From the bounding set nothing can come back, not even through a file with capabilities. */
static int clear_bounding_set(void)
{
	for (unsigned long cap = 0;; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			return 0; /* past the last one that this kernel knows */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
			return -errno;
	}
}

static int clear_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}

static int change_user(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	/* Nothing of what was may come back. */
	if (setuid(0) == 0)
		return -EPERM;
	return 0;
}

static int give_up_rights(uid_t uid, gid_t gid)
{
	if (geteuid() == 0) {
		int r = clear_bounding_set();
		if (r < 0)
			return r;
		r = change_user(uid, gid);
		if (r < 0)
			return r;
	}
	int r = clear_capabilities();
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* No core file with other users' traffic, no ptrace by a process of the same user. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

int weir_sandbox_drop(uid_t uid, gid_t gid)
{
	pid_t parent = getppid();
	int r = give_up_rights(uid, gid);

	if (r < 0)
		return r;
	/* Only now: a change of user clears the signal. The parent may have died in between, then
	 * it never comes. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}
