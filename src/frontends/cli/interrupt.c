// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };

static volatile sig_atomic_t interrupted;
/* The handler writes here, so that a signal between the look at the mark and poll() is not slept
 * over. */
static int wake_fd = -1;

static void on_signal(int signo)
{
	uint64_t one = 1;
	int before = errno;

	interrupted = signo;
	if (wake_fd >= 0 && write(wake_fd, &one, sizeof(one)) < 0)
		interrupted = signo; /* the counter is full: somebody is awake already */
	errno = before;
}

int cli_interrupt_init(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (wake_fd >= 0)
		return 0;
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++) {
		struct sigaction old;

		/* Under nohup, and in the background of a script, the caller had it ignored. */
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN &&
		    caught[i] == SIGHUP)
			continue;
		sigaction(caught[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

void cli_interrupt_reset(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		signal(caught[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (wake_fd >= 0)
		close(wake_fd);
	wake_fd = -1;
	interrupted = 0;
}

bool cli_interrupted(void)
{
	return interrupted != 0;
}

int cli_interrupt_status(void)
{
	return interrupted ? 128 + interrupted : 0;
}

int cli_interrupt_fd(void)
{
	return wake_fd;
}

int cli_wait(uint64_t until_mono_ns, int fd)
{
	struct pollfd fds[] = {
		{ .fd = wake_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	for (;;) {
		struct timespec left;
		uint64_t now = weir_mono_ns(), ns;
		int r;

		if (interrupted)
			return -EINTR;
		ns = until_mono_ns > now ? until_mono_ns - now : 0;
		left = (struct timespec){ .tv_sec = (time_t)(ns / 1000000000),
					  .tv_nsec = (long)(ns % 1000000000) };
		r = ppoll(fds, ARRAY_SIZE(fds), until_mono_ns == UINT64_MAX ? NULL : &left, NULL);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (interrupted)
			return -EINTR;
		if (r > 0 && fds[1].revents)
			return 1;
		if (r == 0)
			return 0;
	}
}
