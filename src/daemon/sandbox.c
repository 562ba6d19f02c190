// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

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

static bool has_capability(unsigned cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &head, have) == 0 &&
	       (have[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap));
}

/* A user namespace may lack the id. Without /proc there is none to be told of. */
static bool is_mapped(const char *path, unsigned id)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	unsigned inside, outside, count;

	if (!f)
		return true;
	while (fscanf(f, "%u %u %u", &inside, &outside, &count) == 3)
		if (id >= inside && id - inside < count)
			return true;
	return false;
}

/* A user namespace that an ordinary user made may not let go of groups. */
static bool groups_are_fixed(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/setgroups", "re");
	char word[8] = "";

	return f && fscanf(f, "%7s", word) == 1 && !strcmp(word, "deny");
}

static bool may_become(uid_t uid, gid_t gid)
{
	if (!has_capability(CAP_SETUID) || !has_capability(CAP_SETGID) || groups_are_fixed())
		return false;
	return is_mapped("/proc/self/uid_map", uid) && is_mapped("/proc/self/gid_map", gid);
}

static bool may_change_user(void)
{
	uid_t uid;
	gid_t gid;

	weir_sandbox_identity(&uid, &gid);
	return may_become(uid, gid);
}

bool weir_sandbox_becomes_other(void)
{
	return geteuid() == 0 && may_change_user();
}

bool weir_sandbox_lacks(const char **ret_reason, const char **ret_cure)
{
	if (geteuid() != 0 || may_change_user())
		return false;
	if (has_capability(CAP_SETUID) && has_capability(CAP_SETGID)) {
		*ret_reason = "this user namespace has no other user for engine and gate: they stay root's processes";
		*ret_cure = "map 65536 users into it, as podman and docker do";
	} else {
		*ret_reason = "without CAP_SETUID and CAP_SETGID engine and gate stay root's processes";
		*ret_cure = "add CAP_SETUID, CAP_SETGID and CAP_SETPCAP";
	}
	return true;
}

/* From the bounding set nothing can come back, not even through a file with capabilities. */
static int clear_bounding_set(void)
{
	for (unsigned long cap = 0;; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			return 0; /* past the last one that this kernel knows */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
			/* Without the right the set stays: nothing is executed again all the same.
			 */
			return errno == EPERM && !has_capability(CAP_SETPCAP) ? 0 : -errno;
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

static int keep_alone(unsigned cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = { 0 };

	caps[CAP_TO_INDEX(cap)].permitted = CAP_TO_MASK(cap);
	caps[CAP_TO_INDEX(cap)].effective = CAP_TO_MASK(cap);
	return syscall(SYS_capset, &head, caps) < 0 ? -errno : 0;
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

/* keep: the one capability that stays, where it was there; -1: none. */
static int give_up_rights(uid_t uid, gid_t gid, int keep)
{
	bool keeps = keep >= 0 && has_capability((unsigned)keep);

	if (keeps && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	if (geteuid() == 0) {
		int r = clear_bounding_set();
		if (r < 0)
			return r;
		r = may_change_user() ? change_user(uid, gid) : 0;
		if (r < 0)
			return r;
	}
	int r = keeps ? keep_alone((unsigned)keep) : clear_capabilities();
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* No core file with other users' traffic, no ptrace by a process of the same user. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

static int drop(uid_t uid, gid_t gid, int keep)
{
	pid_t parent = getppid();
	int r = give_up_rights(uid, gid, keep);

	if (r < 0)
		return r;
	/* Only now: a change of user clears the signal. The parent may have died in between, then
	 * it never comes. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

int weir_sandbox_drop(uid_t uid, gid_t gid)
{
	return drop(uid, gid, -1);
}

int weir_sandbox_drop_to_maps(uid_t uid, gid_t gid)
{
	return drop(uid, gid, CAP_BPF);
}

/* The user goes, the one capability stays. */
static int become_reader(void)
{
	int r = 0;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	if (geteuid() == 0)
		r = clear_bounding_set();
	if (r == 0 && geteuid() == 0 && may_become(NOBODY, NOBODY))
		r = change_user(NOBODY, NOBODY);
	return r < 0 ? r : keep_alone(CAP_DAC_READ_SEARCH);
}

int weir_sandbox_drop_to_reading(void)
{
	pid_t parent = getppid();
	int r;

	if (has_capability(CAP_DAC_READ_SEARCH)) {
		r = become_reader();
	} else {
		r = geteuid() == 0 ? clear_bounding_set() : 0;
		if (r == 0)
			r = clear_capabilities();
	}
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

/* The way to the folder may be closed for who it belongs to. Without the rights to go there it stays where it is: then the way
 * has to be open. */
int weir_sandbox_enter(const char **folder, const char **ret_lacks)
{
	*ret_lacks = NULL;
	if (!*folder)
		return 0;
	if (!has_capability(CAP_SYS_CHROOT)) {
		*ret_lacks = "CAP_SYS_CHROOT";
		return 0;
	}
	if (chdir(*folder) < 0 || chroot(".") < 0) {
		*ret_lacks = "CAP_DAC_READ_SEARCH"; /* the folder is closed, and another user's */
		return errno == EACCES || errno == EPERM ? 0 : -errno;
	}
	*folder = "/";
	return 0;
}
