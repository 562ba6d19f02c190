// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/helper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "core/record.h"
#include "daemon/sandbox.h"
#include "daemon/sandbox_landlock.h"

#define MEMORY_MAX (512u << 20)
#define DESCRIPTORS_MAX 256
#define RECORD_MAX 8192
#define NICE (-10) /* as the engine: what it does is little, and a name is wanted while the machine is busy */

struct answer_sink {
	struct weir_sink sink;
	int fd;
};

static void limit_what_it_takes(void)
{
	const struct {
		int resource;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_CPU, 1 },		    { RLIMIT_DATA, MEMORY_MAX },
		{ RLIMIT_NOFILE, DESCRIPTORS_MAX },  { RLIMIT_FSIZE, 0 },
		{ RLIMIT_CORE, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++)
		setrlimit((__rlimit_resource_t)limits[i].resource,
			  &(struct rlimit){ limits[i].most, limits[i].most });
	alarm(WEIR_HELPER_SECONDS);
	setpriority(PRIO_PROCESS, 0, NICE);
}

/* Only a memfd of the engine's is expected; anything else could make us wait. */
static ssize_t read_request(int fd, void *ret, size_t room)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADMSG;
	n = pread(fd, ret, room, 0);
	return n < 0 ? -errno : n;
}

static void put(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	struct weir_record_head head = { .size = (uint32_t)len, .type = type };
	struct iovec io[] = { { &head, sizeof(head) }, { (void *)bytes, len } };
	struct msghdr message = { .msg_iov = io, .msg_iovlen = ARRAY_SIZE(io) };
	struct answer_sink *s = (struct answer_sink *)sink;

	/* Nobody there any more: the answer is nobody's. */
	if (len <= RECORD_MAX && sendmsg(s->fd, &message, MSG_NOSIGNAL) < 0)
		weir_debug("the answer was not taken: %s", strerror(errno));
}

static void lost(struct weir_sink *sink, uint64_t total)
{
	(void)sink;
	(void)total;
}

static int confine(const struct weir_help_folder *folders, unsigned n)
{
	const char *missing = NULL;
	int fds[WEIR_HELP_FOLDERS_MAX], r;

	for (unsigned i = 0; i < n; i++)
		fds[i] = folders[i].fd;
	r = weir_landlock_folders(fds, n);
	if (r == -EOPNOTSUPP)
		weir_debug("Landlock is not available: the user and the system call filter hold the helper");
	else if (r < 0)
		return r;
	r = weir_sandbox_helper(&missing);
	if (missing)
		weir_debug("sandbox: %s", missing);
	return r;
}

int weir_helper_run(const struct weir_helper_options *o)
{
	struct answer_sink sink = { { put, lost }, o->answer_fd };
	struct weir_help_folder folders[WEIR_HELP_FOLDERS_MAX];
	_cleanup_free_ char *request = malloc(WEIR_HELP_REQUEST_MAX);
	int opened, r;
	unsigned n;
	ssize_t len;

	prctl(PR_SET_NAME, WEIR_HELPER_NAME);
	limit_what_it_takes();
	if (!request)
		return 1;
	opened = o->helper->open ? o->helper->open(o->config) : -1;
	r = weir_sandbox_drop_to_reading();
	if (r < 0)
		return 1;
	len = read_request(o->request_fd, request, WEIR_HELP_REQUEST_MAX);
	if (len < 0)
		return 1;
	n = o->helper->folders(o->config, request, (size_t)len, folders);
	r = confine(folders, n);
	if (r < 0)
		return 1;
	o->helper->answer(opened, folders, n, request, (size_t)len, &sink.sink);
	return 0;
}
