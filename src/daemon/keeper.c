// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef WEIR_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/engine.h"
#include "daemon/ipc.h"

/* A role that dies again and again is started again, but not more often than this. */
#define RESTART_NS (1000ull * 1000000ull)
#define MESSAGES_PER_TURN 64
#define END_NS (2000ull * 1000000ull)

struct child {
	const char *name;
	pid_t pid;
	uint64_t started_ns;
};

struct keeper {
	const struct weir_keeper_options *o;
	struct child engine, gate;
	int engine_sock;     /* to the engine */
	int signal_fd;
	int stats_fd;        /* open while the kernel times programs */
	uint64_t stats_until_ns;
	uint64_t try_again_ns; /* 0: each role could be started */
	bool ready, stop;
	sigset_t old_mask;
	struct weir_config *config; /* as it was last read again, or NULL */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int make_pair(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) < 0 ? -errno : 0;
}

static int open_stat(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* In the child: what only the keeper may hold is closed, and the parent's end is this child's end. */
static void become(struct keeper *k, const char *role)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	weir_log_init(role);
	weir_closep(&k->signal_fd);
	weir_closep(&k->stats_fd);
	sigprocmask(SIG_SETMASK, &k->old_mask, NULL);
	signal(SIGINT, SIG_IGN); /* Ctrl-C goes to the whole group; the keeper decides */
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
}

static pid_t fork_role(struct keeper *k, struct child *c)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		become(k, c->name);
		if (getppid() != parent)
			_exit(0); /* the keeper died in between */
		return 0;
	}
	c->pid = pid;
	c->started_ns = now_ns();
	return pid;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Closes every descriptor but these (-1: none): programs, maps and links above all. Sorts them. */
static void keep_only(int *fds, size_t n)
{
	unsigned from = 0;

	qsort(fds, n, sizeof(*fds), by_number);
	for (size_t i = 0; i < n; i++) {
		if (fds[i] < 0)
			continue;
		if ((unsigned)fds[i] > from)
			close_range(from, (unsigned)fds[i] - 1, 0);
		from = (unsigned)fds[i] + 1;
	}
	close_range(from, ~0u, 0);
}

/* --- starting the roles ------------------------------------------------------------------------ */

static int start_gate(struct keeper *k)
{
	struct weir_message m = { .type = WEIR_MESSAGE_GATE };
	_cleanup_close_ int stat_fd = -1;
	int pair[2], r;

	r = make_pair(pair);
	if (r < 0)
		return r;
	r = fork_role(k, &k->gate);
	if (r == 0) {
		struct weir_gate_options g = { .engine_sock = pair[1],
					       .unix_fd = k->o->unix_fd,
					       .tcp_fd = k->o->tcp_fd,
					       .tcp_name = k->o->tcp_name,
					       .token = k->o->token };

		keep_only((int[]){ STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, pair[1], g.unix_fd, g.tcp_fd }, 6);
		_exit(weir_gate_run(&g));
	}
	close(pair[1]);
	if (r > 0)
		r = weir_message_send(k->engine_sock, &m, pair[0]);
	close(pair[0]);
	if (r < 0)
		return r;
	stat_fd = open_stat(k->gate.pid);
	m.type = WEIR_MESSAGE_GATE_COST;
	if (stat_fd >= 0)
		weir_message_send(k->engine_sock, &m, stat_fd);
	return 0;
}

static int start_engine(struct keeper *k)
{
	const struct weir_daemon_options *d = k->o->daemon;
	int pair[2], r, keeper_stat;

	r = make_pair(pair);
	if (r < 0)
		return r;
	keeper_stat = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	r = fork_role(k, &k->engine);
	if (r == 0) {
		struct weir_engine_options e = { .kernels = k->o->kernels,
						 .attach = k->o->attach,
						 .probe = k->o->probe,
						 .replay = d->replay,
						 .replay_speed = d->replay_speed,
						 .keeper_sock = pair[1],
						 .keeper_stat_fd = keeper_stat,
						 .record_fd = d->record_fd };

		close(pair[0]);
		weir_closep((int[]){ k->o->unix_fd });
		weir_closep((int[]){ k->o->tcp_fd });
		_exit(weir_engine_run(&e));
	}
	weir_closep(&keeper_stat);
	close(pair[1]);
	weir_closep(&k->engine_sock);
	k->engine_sock = pair[0];
	return r < 0 ? r : 0;
}

static void end_child(struct child *c, int signal_number)
{
	if (c->pid > 0)
		kill(c->pid, signal_number);
}

static void reap(struct child *c)
{
	if (c->pid > 0)
		waitpid(c->pid, NULL, 0);
	c->pid = 0;
}

/* Both are new: the gate's pair is with the engine. */
static int start_both(struct keeper *k)
{
	int r;

	end_child(&k->gate, SIGKILL);
	reap(&k->gate);
	r = start_engine(k);
	return r < 0 ? r : start_gate(k);
}

/* --- what happens ------------------------------------------------------------------------------ */

static void say_ready(struct keeper *k)
{
	if (k->ready)
		return;
	k->ready = true;
	if (k->o->daemon->ready_fd >= 0 && write(k->o->daemon->ready_fd, "1", 1) < 0)
		weir_debug("nobody waits for the daemon to be ready");
#ifdef WEIR_HAVE_SYSTEMD
	sd_notify(0, "READY=1\nSTATUS=Watching.");
#endif
	if (k->o->daemon->private_use)
		return;
	if (k->o->tcp_name)
		weir_info("ready: http://%s/ and %s", k->o->tcp_name, k->o->daemon->socket);
	else
		weir_info("ready: %s", k->o->daemon->socket);
}

static void on_engine(struct keeper *k)
{
	for (unsigned i = 0; i < MESSAGES_PER_TURN; i++) {
		_cleanup_close_ int fd = -1;
		struct weir_message m;
		int r = weir_message_receive(k->engine_sock, &m, &fd);

		if (r == -EBADMSG)
			continue;
		if (r < 0)
			weir_closep(&k->engine_sock), k->engine_sock = -1;
		if (r <= 0)
			return;
		if (m.type == WEIR_MESSAGE_READY)
			say_ready(k);
		if (m.type == WEIR_MESSAGE_MEASURE && !k->o->daemon->replay) {
			uint64_t ms = m.count < 60000 ? m.count : 60000;

			if (k->stats_fd < 0 && weir_attach_measure(&k->stats_fd) < 0)
				continue;
			k->stats_until_ns = now_ns() + ms * 1000000u;
		}
	}
}

static void restart(struct keeper *k, struct child *c, int (*start)(struct keeper *))
{
	uint64_t lived = now_ns() - c->started_ns;
	int r;

	c->pid = 0;
	if (lived < RESTART_NS) {
		struct timespec rest = { .tv_nsec = (long)(RESTART_NS - lived) };

		nanosleep(&rest, NULL);
	}
	r = start(k);
	if (r < 0) {
		weir_error("the %s could not be started again: %s", c->name, strerror(-r));
		k->try_again_ns = now_ns() + RESTART_NS;
	}
}

/* No process or descriptor may have been left just then. */
static void try_again(struct keeper *k)
{
	if (!k->try_again_ns || now_ns() < k->try_again_ns)
		return;
	k->try_again_ns = 0;
	if (k->engine.pid <= 0)
		restart(k, &k->engine, start_both);
	else if (k->gate.pid <= 0)
		restart(k, &k->gate, start_gate);
}

static void say_death(const struct child *c, int status)
{
	if (WIFSIGNALED(status))
		weir_warning("the %s was ended by signal %d (%s); starting it again", c->name, WTERMSIG(status),
			     strsignal(WTERMSIG(status)));
	else
		weir_warning("the %s ended with status %d; starting it again", c->name, WEXITSTATUS(status));
}

static void on_child(struct keeper *k)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = pid == k->engine.pid ? &k->engine : pid == k->gate.pid ? &k->gate : NULL;

		if (!c)
			continue;
		if (!k->ready && c == &k->engine && WIFEXITED(status)) {
			/* It said why. It would fail again. */
			c->pid = 0;
			k->stop = true;
			return;
		}
		say_death(c, status);
		restart(k, c, c == &k->engine ? start_both : start_gate);
	}
}

static void apply_live(const struct weir_config *now)
{
	enum weir_log_level level;

	if (weir_log_level_find(weir_config_text(now, "log_level"), &level) == 0)
		weir_log_set_level(level);
}

/* A bad file keeps what was. */
static void reload(struct keeper *k)
{
	const struct weir_config *began = k->o->daemon->config, *last = k->config ? k->config : began;
	_cleanup_(weir_buf_done) struct weir_buf changes = {};
	struct weir_config *now = NULL;
	_cleanup_free_ char *error = NULL;
	int r;

	if (!began) {
		weir_info("this daemon has no configuration to read again");
		return;
	}
	r = weir_config_reload(last, &now, &error);
	if (r < 0) {
		weir_error("the configuration stays as it was: %s", error ? error : strerror(-r));
		return;
	}
	weir_config_changes(began, last, now, &changes);
	if (weir_config_given(now, "log_level") || weir_config_given(last, "log_level"))
		apply_live(now);
	weir_info("configuration read again: %s", changes.data ? changes.data : "nothing changed");
	weir_config_free(k->config);
	k->config = now;
}

static void on_signal(struct keeper *k)
{
	struct signalfd_siginfo info;
	bool child = false;

	while (read(k->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			child = true;
		else if (info.ssi_signo == SIGHUP)
			reload(k);
		else
			k->stop = true;
	}
	if (child && !k->stop) /* a signal to the whole group ends the others too */
		on_child(k);
}

static void measure_no_longer(struct keeper *k)
{
	if (k->stats_fd < 0 || now_ns() < k->stats_until_ns)
		return;
	weir_closep(&k->stats_fd);
	k->stats_fd = -1;
}

static void serve(struct keeper *k)
{
	while (!k->stop) {
		struct pollfd fds[] = { { .fd = k->signal_fd, .events = POLLIN },
					{ .fd = k->engine_sock, .events = POLLIN } };
		int timeout = k->stats_fd >= 0 || k->try_again_ns ? 100 : -1;

		if (poll(fds, ARRAY_SIZE(fds), timeout) < 0 && errno != EINTR)
			return;
		measure_no_longer(k);
		if (fds[1].revents)
			on_engine(k);
		if (fds[0].revents)
			on_signal(k);
		try_again(k);
	}
}

/* --- life -------------------------------------------------------------------------------------- */

/* Starting a role again takes becoming its user; timing programs takes CAP_SYS_ADMIN. All else goes, and what was not
 * given in the first place is done without. */
static void keep_few_capabilities(void)
{
	static const cap_value_t kept[] = { CAP_BPF,    CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN,
					    CAP_SETUID, CAP_SETGID,  CAP_SETPCAP,   CAP_KILL,
					    CAP_SYS_NICE };
	cap_t caps = cap_init(), had = cap_get_proc();
	cap_flag_value_t has;

	for (unsigned i = 0; caps && had && i < ARRAY_SIZE(kept); i++)
		if (cap_get_flag(had, kept[i], CAP_PERMITTED, &has) == 0 && has == CAP_SET) {
			cap_set_flag(caps, CAP_PERMITTED, 1, &kept[i], CAP_SET);
			cap_set_flag(caps, CAP_EFFECTIVE, 1, &kept[i], CAP_SET);
		}
	if (!caps || !had || cap_set_proc(caps) < 0)
		weir_debug("capabilities stay as they are: %s", strerror(errno));
	cap_free(caps);
	cap_free(had);
}

static int catch_signals(struct keeper *k)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &mask, &k->old_mask) < 0)
		return -errno;
	k->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signal_fd < 0 ? -errno : 0;
}

/* A role that does not end in time is killed: nothing of it is worth waiting for. */
static void end_both(struct keeper *k)
{
	uint64_t until = now_ns() + END_NS;

	end_child(&k->engine, SIGTERM);
	end_child(&k->gate, SIGTERM);
	while ((k->engine.pid > 0 || k->gate.pid > 0) && now_ns() < until) {
		struct timespec rest = { .tv_nsec = 2000000 };
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid == k->engine.pid)
			k->engine.pid = 0;
		else if (pid == k->gate.pid)
			k->gate.pid = 0;
		else if (pid < 0)
			return;
		else
			nanosleep(&rest, NULL);
	}
	end_child(&k->engine, SIGKILL);
	end_child(&k->gate, SIGKILL);
	reap(&k->engine);
	reap(&k->gate);
}

int weir_keeper_run(const struct weir_keeper_options *o)
{
	struct keeper k = { .o = o, .engine = { .name = "engine" }, .gate = { .name = "gate" },
			    .engine_sock = -1, .signal_fd = -1, .stats_fd = -1 };
	int r;

	keep_few_capabilities();
	r = catch_signals(&k);
	if (r == 0)
		r = start_both(&k);
	if (r < 0) {
		weir_error("the daemon could not start its processes: %s", strerror(-r));
		end_both(&k);
		return 1;
	}
	serve(&k);
#ifdef WEIR_HAVE_SYSTEMD
	sd_notify(0, "STOPPING=1");
#endif
	end_both(&k);
	weir_config_free(k.config);
	weir_closep(&k.engine_sock);
	weir_closep(&k.signal_fd);
	weir_closep(&k.stats_fd);
	sigprocmask(SIG_SETMASK, &k.old_mask, NULL);
	return k.ready ? 0 : 1;
}
