// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/probe_private.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MEMLOCK_ENOUGH (64ull << 20)

bool weir_lockdown_parse(const char *text, char *ret, size_t room)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close || close == open + 1 || (size_t)(close - open) > room)
		return false;
	memcpy(ret, open + 1, (size_t)(close - open) - 1);
	ret[close - open - 1] = '\0';
	return true;
}

/* The first bytes of a small file; false: there is none. */
static bool read_file(const char *path, char *ret, size_t room)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	size_t n = f ? fread(ret, 1, room - 1, f) : 0;

	ret[n] = '\0';
	return f && n;
}

static uint64_t read_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &head, have) < 0)
		return geteuid() == 0 ? ~0ull : 0;
	return have[0].effective | (uint64_t)have[1].effective << 32;
}

/* The first user namespace of a machine maps every id to itself, and no other does. */
static bool in_user_namespace(const char *uid_map)
{
	unsigned long inside, outside, count;

	if (sscanf(uid_map, "%lu %lu %lu", &inside, &outside, &count) != 3)
		return *uid_map == '\0'; /* nothing is mapped yet */
	return inside || outside || count != 4294967295ul;
}

void weir_rights_read(struct weir_rights *ret)
{
	struct rlimit limit;
	char text[256];

	*ret = (struct weir_rights){ .capabilities = read_capabilities() };
	ret->seccomp = prctl(PR_GET_SECCOMP) > 0;
	ret->no_proc = access("/proc/self/stat", F_OK) < 0;
	if (!ret->no_proc) {
		read_file("/proc/self/uid_map", text, sizeof(text));
		ret->user_namespace = in_user_namespace(text);
	}
	if (read_file("/sys/kernel/security/lockdown", text, sizeof(text)))
		weir_lockdown_parse(text, ret->lockdown, sizeof(ret->lockdown));
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		ret->memlock_bytes = limit.rlim_cur;
}

static const struct {
	uint64_t right;
	const char *name;
} wanted_names[] = {
	{ WEIR_RIGHT(CAP_BPF), "CAP_BPF" },
	{ WEIR_RIGHT(CAP_PERFMON), "CAP_PERFMON" },
	{ WEIR_RIGHT(CAP_NET_ADMIN), "CAP_NET_ADMIN" },
	{ WEIR_RIGHT(CAP_SYS_ADMIN), "CAP_SYS_ADMIN" },
	{ WEIR_RIGHT(CAP_SYS_RESOURCE), "CAP_SYS_RESOURCE" },
};

/* CAP_SYS_ADMIN stood for what these are now, and still does. */
static uint64_t missing_rights(const struct weir_rights *r, uint64_t wanted)
{
	uint64_t have = r->capabilities;

	if (have & WEIR_RIGHT(CAP_SYS_ADMIN))
		have |= WEIR_RIGHT(CAP_BPF) | WEIR_RIGHT(CAP_PERFMON) | WEIR_RIGHT(CAP_NET_ADMIN);
	return wanted & ~have;
}

static void list_rights(uint64_t rights, const char *between, char *ret, size_t room)
{
	size_t n = 0;

	*ret = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(wanted_names) && n < room; i++)
		if (rights & wanted_names[i].right)
			n += (size_t)snprintf(ret + n, room - n, "%s%s", n ? between : "",
					      wanted_names[i].name);
}

#define SAY(why, part, ...) snprintf((why)->part, sizeof((why)->part), __VA_ARGS__)

static void explain_missing(uint64_t missing, const char *what, struct weir_why *ret)
{
	char names[96];

	list_rights(missing, ", ", names, sizeof(names));
	SAY(ret, reason, "%s needs %s, which this process lacks", what, names);
	SAY(ret, cure, "run it as root (sudo); in a container add %s", names);
}

static void explain_refused(const struct weir_rights *r, int error, const char *what,
			    struct weir_why *ret)
{
	bool locked = *r->lockdown && strcmp(r->lockdown, "none");

	if (r->user_namespace) {
		SAY(ret, reason, "the capabilities of a user namespace do not count for %s", what);
		SAY(ret, cure,
		    "run it as the machine's root, not in a user namespace (a rootless container "
		    "is one)");
	} else if (r->seccomp) {
		SAY(ret, reason,
		    "a seccomp filter of whoever started this process may forbid %s: %s", what,
		    strerror(error));
		SAY(ret, cure,
		    "allow bpf() and perf_event_open() in the container's seccomp profile");
	} else if (locked) {
		SAY(ret, reason, "the kernel refuses %s: %s (it is locked down: %s)", what,
		    strerror(error), r->lockdown);
		SAY(ret, cure, "boot without lockdown=%s, where that is allowed", r->lockdown);
	} else {
		SAY(ret, reason,
		    "the kernel refuses %s though the rights are there: %s (a lockdown or another "
		    "policy)",
		    what, strerror(error));
	}
}

static bool memlock_is_short(const struct weir_rights *r)
{
	return r->memlock_counts && r->memlock_bytes < MEMLOCK_ENOUGH;
}

static void explain_memory(const struct weir_rights *r, const char *what, struct weir_why *ret)
{
	if (memlock_is_short(r)) {
		SAY(ret, reason, "RLIMIT_MEMLOCK (%llu bytes) leaves no memory for %s",
		    (unsigned long long)r->memlock_bytes, what);
		SAY(ret, cure, "ulimit -l unlimited, or LimitMEMLOCK=infinity in the service");
		return;
	}
	SAY(ret, reason, "there is no memory left for %s", what);
	SAY(ret, cure, "raise the memory limit of this process's cgroup (memory.max, MemoryMax=)");
}

bool weir_rights_explain(const struct weir_rights *r, int error, uint64_t wanted, const char *what,
			 struct weir_why *ret)
{
	uint64_t missing = missing_rights(r, wanted);

	if (error < 0)
		error = -error;
	*ret = (struct weir_why){};
	switch (error) {
	case EPERM:
	case EACCES:
		if (missing)
			explain_missing(missing, what, ret);
		else if (memlock_is_short(r))
			explain_memory(r, what, ret);
		else
			explain_refused(r, error, what, ret);
		return true;
	case ENOSYS:
		if (!r->seccomp)
			return false;
		explain_refused(r, error, what, ret);
		return true;
	case ENOMEM:
		explain_memory(r, what, ret);
		return true;
	default:
		return false;
	}
}
