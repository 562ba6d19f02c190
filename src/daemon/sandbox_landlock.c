// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/sandbox_landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The C library has no wrappers and older headers lack the newer rights, so the kernel's interface
 * stands here (include/uapi/linux/landlock.h). The kernel takes a shorter or longer structure as
 * long as what it does not know is zero. */
struct landlock_ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct landlock_path_rule {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

#define CREATE_RULESET_VERSION (1u << 0)
#define RULE_PATH_BENEATH 1
#define READ_RIGHTS ((1ull << 2) | (1ull << 3)) /* files, folders */
#define KEEP_RIGHTS ((1ull << 1) | (1ull << 5) | (1ull << 8)) /* write, remove, make files; with READ_RIGHTS */
#define TRUNCATE_RIGHT (1ull << 14) /* since version 3 */
#define NET_RIGHTS 0x3ull /* bind, connect: since version 4 */
#define SCOPES 0x3ull	  /* abstract Unix sockets, signals: since version 6 */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

/* How many rights on files each version knows, from bit 0 up. */
static uint64_t file_rights(long version)
{
	switch (version) {
	case 1:
		return (1ull << 13) - 1;
	case 2: /* + refer */
		return (1ull << 14) - 1;
	case 3: /* + truncate */
	case 4:
		return (1ull << 15) - 1;
	}
	return (1ull << 16) - 1; /* + ioctl on devices */
}

static int allow_folders(int ruleset, const int *fds, unsigned n, uint64_t rights)
{
	for (unsigned i = 0; i < n; i++) {
		struct landlock_path_rule rule = { .allowed_access = rights, .parent_fd = fds[i] };

		if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
			return -errno;
	}
	return 0;
}

static int confine(const int *fds, unsigned n, uint64_t rights)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	if (version < 1)
		return -EOPNOTSUPP;
	struct landlock_ruleset rules = {
		.handled_access_fs = file_rights(version),
		.handled_access_net = version >= 4 ? NET_RIGHTS : 0,
		.scoped = version >= 6 ? SCOPES : 0,
	};
	/* What is handled and not allowed by any rule is refused: without rules, everything. */
	_cleanup_close_ int fd =
		(int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (fd < 0)
		return errno == ENOSYS ? -EOPNOTSUPP : -errno;
	int r = allow_folders(fd, fds, n, rights & rules.handled_access_fs);
	if (r < 0)
		return r;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return -errno;
	return 0;
}

int weir_landlock_folders(const int *fds, unsigned n)
{
	return confine(fds, n, READ_RIGHTS);
}

int weir_landlock_keep(int folder_fd)
{
	return confine(&folder_fd, 1, READ_RIGHTS | KEEP_RIGHTS | TRUNCATE_RIGHT);
}

int weir_landlock_nothing(void)
{
	return weir_landlock_folders(NULL, 0);
}
