// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/private_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/log.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"

#define START_TIMEOUT_NS (20ULL * 1000000000)
#define STOP_TIMEOUT_NS (5ULL * 1000000000)

struct cli_private {
	pid_t pid;	 /* 0: none */
	int alive_fd;	 /* the child holds the other end for as long as it lives */
	char folder[64]; /* made for the socket; "" when the caller named one */
	char socket[108];
};

bool cli_may_load(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &head, have) < 0)
		return geteuid() == 0;
	return (have[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) ||
	       (have[CAP_TO_INDEX(CAP_BPF)].effective & CAP_TO_MASK(CAP_BPF));
}

/* --- the folder ------------------------------------------------------------------------------ */

static int folder_make(struct cli_private *p)
{
	snprintf(p->folder, sizeof(p->folder), CLI_PRIVATE_PARENT "/" CLI_PRIVATE_PREFIX "XXXXXX");
	if (!mkdtemp(p->folder)) {
		snprintf(p->folder, sizeof(p->folder), "/tmp/" CLI_PRIVATE_PREFIX "XXXXXX");
		if (!mkdtemp(p->folder)) {
			int r = -errno;

			p->folder[0] = '\0';
			return r;
		}
	}
	snprintf(p->socket, sizeof(p->socket), "%.*s/weir.sock", (int)sizeof(p->folder) - 1,
		 p->folder);
	return 0;
}

static void folder_remove(struct cli_private *p)
{
	if (!p->folder[0])
		return;
	(void)unlink(p->socket);
	(void)rmdir(p->folder);
	p->folder[0] = '\0';
}

/* --- the child ------------------------------------------------------------------------------- */

static _Noreturn void child_run(const struct weir_daemon_options *o, pid_t parent,
				const char *folder)
{
	int null_fd, status;

	cli_interrupt_reset();
	/* A group of its own: Ctrl-C comes to the command alone, which then ends the daemon. */
	(void)setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(CLI_FAILED);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd >= 0) {
		/* Standard output is the command's; what reads it must see its end when the command
		 * ends. */
		(void)dup2(null_fd, STDIN_FILENO);
		(void)dup2(null_fd, STDOUT_FILENO);
	}
	/* Between the command's own lines only what is wrong belongs. */
	weir_log_set_level(WEIR_LOG_WARNING);
	status = weir_daemon_run(o);
	/* With the command gone there is nobody else to tidy up. */
	if (getppid() != parent && folder) {
		(void)unlink(o->socket);
		(void)rmdir(folder);
	}
	_exit(status);
}

/* 0 with the status it ended with, -ETIMEDOUT. */
static int child_wait(pid_t pid, uint64_t until_mono_ns, int *ret_status)
{
	for (;;) {
		int status;
		pid_t r = waitpid(pid, &status, WNOHANG);

		if (r == pid) {
			*ret_status =
				WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			return 0;
		}
		if (r < 0 && errno != EINTR)
			return -errno;
		if (weir_mono_ns() >= until_mono_ns)
			return -ETIMEDOUT;
		usleep(2000);
	}
}

/* 0 once it can answer; otherwise as cli_private_start(). */
static int child_ready(struct cli_private *p, int ready_fd)
{
	uint64_t until = weir_mono_ns() + START_TIMEOUT_NS;
	char byte;
	int r;

	r = cli_wait(until, ready_fd);
	if (r < 0)
		return cli_fail_error(r, NULL);
	if (r == 0)
		return cli_fail(
			CLI_FAILED,
			"the daemon was not ready within %llu s: run weir daemon to see why",
			START_TIMEOUT_NS / 1000000000);
	if (read(ready_fd, &byte, 1) == 1)
		return 0;
	/* It closed the pipe without a byte: it ended, and has said why. */
	r = CLI_FAILED;
	if (child_wait(p->pid, weir_mono_ns() + STOP_TIMEOUT_NS, &r) == 0)
		p->pid = 0;
	if (r >= 128)
		return cli_fail(CLI_FAILED, "the daemon was killed by signal %d while it started",
				r - 128);
	return r ? r : CLI_FAILED;
}

static int child_start(struct cli_private *p, struct weir_daemon_options *o)
{
	int ready[2], alive[2];
	pid_t parent = getpid();

	if (pipe2(ready, O_CLOEXEC) < 0)
		return cli_fail(CLI_FAILED, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(alive, O_CLOEXEC) < 0) {
		close(ready[0]);
		close(ready[1]);
		return cli_fail(CLI_FAILED, "cannot make a pipe: %s", strerror(errno));
	}
	o->ready_fd = ready[1];
	o->alive_fd = alive[1];
	p->pid = fork();
	if (p->pid == 0) {
		close(ready[0]);
		close(alive[0]);
		child_run(o, parent, p->folder[0] ? p->folder : NULL);
	}
	close(ready[1]);
	close(alive[1]);
	o->ready_fd = o->alive_fd = -1;
	p->alive_fd = alive[0];
	if (p->pid < 0) {
		p->pid = 0;
		close(ready[0]);
		return cli_fail(CLI_FAILED, "cannot start the daemon: %s", strerror(errno));
	}
	int r = child_ready(p, ready[0]);

	close(ready[0]);
	return r;
}

int cli_private_start(struct weir_daemon_options *o, struct cli_private **ret)
{
	_cleanup_(cli_private_freep) struct cli_private *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return cli_fail_error(-ENOMEM, NULL);
	p->alive_fd = -1;
	r = cli_interrupt_init();
	if (r < 0)
		return cli_fail_error(r, NULL);
	if (o->socket) {
		if (strlen(o->socket) >= sizeof(p->socket))
			return cli_fail(CLI_USAGE,
					"--socket %s is longer than a socket's path may be (%zu)",
					o->socket, sizeof(p->socket) - 1);
		snprintf(p->socket, sizeof(p->socket), "%s", o->socket);
	} else {
		r = folder_make(p);
		if (r < 0)
			return cli_fail(CLI_FAILED,
					"cannot make a folder for the socket in /run or /tmp: %s",
					strerror(-r));
		o->socket = p->socket;
	}
	r = child_start(p, o);
	if (r != 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

const char *cli_private_socket(const struct cli_private *p)
{
	return p->socket;
}

int cli_private_fd(const struct cli_private *p)
{
	return p->alive_fd;
}

int cli_private_stop(struct cli_private *p)
{
	int status = 0;

	if (p->pid > 0) {
		(void)kill(p->pid, SIGTERM);
		if (child_wait(p->pid, weir_mono_ns() + STOP_TIMEOUT_NS, &status) < 0) {
			(void)kill(p->pid, SIGKILL);
			(void)waitpid(p->pid, NULL, 0);
			status = -1;
		}
		p->pid = 0;
	}
	folder_remove(p);
	return status;
}

struct cli_private *cli_private_free(struct cli_private *p)
{
	if (!p)
		return NULL;
	(void)cli_private_stop(p);
	if (p->alive_fd >= 0)
		close(p->alive_fd);
	free(p);
	return NULL;
}
