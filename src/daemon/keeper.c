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
#include <sys/mman.h>
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
#include "base/clock.h"
#include "base/log.h"
#include "core/kept.h"
#include "daemon/archive.h"
#include "daemon/descriptors.h"
#include "daemon/engine.h"
#include "daemon/helper.h"
#include "daemon/ipc.h"

/* A role that dies again and again is started again, but not more often than this. */
#define RESTART_NS (1000ull * 1000000ull)
#define MESSAGES_PER_TURN 64
#define END_STORE_NS (5000ull * 1000000ull)  /* a disk may be slow */
#define END_NS (2000ull * 1000000ull)
#define REST_NS (100ull * 1000000ull)        /* after an error that may pass */
#define STORE_LIVES_NS (10 * RESTART_NS)      /* one that dies sooner may do so again */
#define STORE_DEATHS_MANY 20                  /* after so many there is little hope */
#define STORE_REST_NS (30 * RESTART_NS)
#define HELPER_REST_NS (50ull * 1000000ull) /* between two helpers, whatever the engine asks for */

struct child {
	const char *name;
	pid_t pid;
	uint64_t started_ns;
};

/* One runs at a time, and one request waits at most. */
struct helper_slot {
	struct child child;
	int request_fd; /* what waits, or -1 */
	unsigned feature;
};

struct keeper {
	const struct weir_keeper_options *o;
	struct child engine, gate, store;
	struct helper_slot helper;
	int engine_sock;     /* to the engine */
	int store_sock;      /* to the store; -1: none runs */
	uint64_t store_again_ns; /* 0: it runs, or is not to */
	uint64_t join_again_ns;  /* 0: the others have their ends, or get them when they begin */
	unsigned store_deaths;   /* in a row, soon after its start each */
	uint64_t store_ended_ns; /* 0: it never did */
	uint64_t *store_newest_ns; /* what one store leaves to the next; nobody else has it */
	int signal_fd;
	int stats_fd;        /* open while the kernel times programs */
	uint64_t stats_until_ns;
	uint64_t try_again_ns; /* 0: each role could be started */
	bool ready, stop, failed;
	sigset_t old_mask;
	struct weir_config *config; /* as it was last read again, or NULL */
};

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

/* What engines and the kernel write, and what stores leave each other, is nothing for other roles to read or write. */
static void leave_store(const struct keeper *k)
{
	if (k->store_newest_ns)
		munmap(k->store_newest_ns, sizeof(*k->store_newest_ns));
}

static void leave_features(const struct keeper *k)
{
	for (unsigned i = 0; k->o->kernels && weir_features[i]; i++)
		if (k->o->kernels[i] && weir_features[i]->leave)
			weir_features[i]->leave(k->o->kernels[i]);
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
	c->started_ns = weir_mono_ns();
	return pid;
}

/* --- starting the roles ------------------------------------------------------------------------ */

/* A pair with the store: *ret is the other's end, left as it is without one. -ENOTCONN: no store runs. */
static int pair_with_store(struct keeper *k, enum weir_message_type who, int *ret)
{
	struct weir_message m = { .type = who };
	int pair[2], r;

	if (k->store_sock < 0)
		return -ENOTCONN;
	r = make_pair(pair);
	if (r < 0)
		return r;
	r = weir_message_send(k->store_sock, &m, pair[0]);
	close(pair[0]);
	if (r < 0) {
		close(pair[1]);
		return r;
	}
	*ret = pair[1];
	return 0;
}

static void tell_cost(struct keeper *k, enum weir_message_type whose, pid_t pid)
{
	struct weir_message m = { .type = whose };
	_cleanup_close_ int fd = open_stat(pid);

	if (fd >= 0)
		weir_message_send(k->engine_sock, &m, fd);
}

static int start_gate(struct keeper *k)
{
	struct weir_message m = { .type = WEIR_MESSAGE_GATE };
	_cleanup_close_ int store = -1;
	int pair[2], r;

	r = make_pair(pair);
	if (r < 0)
		return r;
	pair_with_store(k, WEIR_MESSAGE_READER, &store); /* if there is none, the engine passes it on later */
	r = fork_role(k, &k->gate);
	if (r == 0) {
		struct weir_gate_options g = { .engine_sock = pair[1],
					       .unix_fd = k->o->unix_fd,
					       .tcp_fd = k->o->tcp_fd,
					       .tcp_name = k->o->tcp_name,
					       .token = k->o->token,
					       .store_sock = store,
					       .no_past = k->o->no_history };

		weir_keep_only((int[]){ STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, pair[1], g.unix_fd, g.tcp_fd, store }, 7);
		leave_features(k);
		leave_store(k);
		_exit(weir_gate_run(&g));
	}
	close(pair[1]);
	if (r > 0)
		r = weir_message_send(k->engine_sock, &m, pair[0]);
	close(pair[0]);
	if (r < 0)
		return r;
	tell_cost(k, WEIR_MESSAGE_GATE_COST, k->gate.pid);
	return 0;
}

/* In the engine. Whatever was inherited beyond this was closed when the daemon began; the rest is its work. */
static void leave_to_keeper(const struct keeper *k)
{
	const struct weir_daemon_options *d = k->o->daemon;
	int fds[] = { k->o->unix_fd, k->o->tcp_fd, k->o->lock_fd, k->engine_sock, k->store_sock, k->helper.request_fd,
		      d->ready_fd, d->alive_fd };

	for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] > STDERR_FILENO)
			close(fds[i]);
}

static int start_engine(struct keeper *k)
{
	const struct weir_daemon_options *d = k->o->daemon;
	_cleanup_close_ int keeper_stat = -1, store = -1;
	int pair[2], r;

	r = make_pair(pair);
	if (r < 0)
		return r;
	pair_with_store(k, WEIR_MESSAGE_ENGINE, &store);
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
						 .store_sock = store,
						 .history = k->o->history,
						 .no_history = k->o->no_history,
						 .record_fd = d->record_fd };

		close(pair[0]);
		leave_to_keeper(k);
		leave_store(k);
		_exit(weir_engine_run(&e));
	}
	close(pair[1]);
	weir_closep(&k->engine_sock);
	k->engine_sock = pair[0];
	if (r > 0 && k->store.pid > 0)
		tell_cost(k, WEIR_MESSAGE_STORE_COST, k->store.pid);
	return r < 0 ? r : 0;
}

static int start_store(struct keeper *k)
{
	int pair[2], r;

	weir_closep(&k->store_sock);
	r = make_pair(pair);
	if (r < 0)
		return r;
	r = fork_role(k, &k->store);
	if (r == 0) {
		const struct weir_archive_options a = { .folder = k->o->history,
							.newest_ns = k->store_newest_ns,
							.no_file = k->o->no_history_file,
							.limit_bytes = k->o->history_bytes,
							.away_ns = k->store_ended_ns ? weir_mono_ns() - k->store_ended_ns : 0,
							.played = k->o->daemon->replay != NULL,
							.host = k->o->daemon->replay_host,
							.keeper_sock = pair[1] };

		weir_keep_only((int[]){ STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, pair[1] }, 4);
		leave_features(k);
		_exit(weir_archive_run(&a));
	}
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	k->store_sock = pair[0];
	return 0;
}

/* The others run already: each gets its end of a new pair, the gate by way of the engine. */
static int join_one(struct keeper *k, enum weir_message_type at_store, enum weir_message_type at_engine)
{
	struct weir_message m = { .type = at_engine };
	_cleanup_close_ int fd = -1;
	int r = pair_with_store(k, at_store, &fd);

	return r < 0 ? r : weir_message_send(k->engine_sock, &m, fd);
}

static void join_store(struct keeper *k)
{
	static const enum weir_message_type whose[][2] = { { WEIR_MESSAGE_ENGINE, WEIR_MESSAGE_STORE },
							   { WEIR_MESSAGE_READER, WEIR_MESSAGE_GATE_STORE } };

	for (unsigned i = 0; i < ARRAY_SIZE(whose); i++) {
		int r = join_one(k, whose[i][0], whose[i][1]);

		/* Who begins anew is given one then; an engine that does not read just now is asked again. */
		if (r == -EAGAIN || r == -ENOBUFS || r == -EMFILE || r == -ENFILE || r == -ENOMEM) {
			k->join_again_ns = weir_mono_ns() + REST_NS;
			return;
		}
		if (r < 0)
			return;
	}
	k->join_again_ns = 0;
	tell_cost(k, WEIR_MESSAGE_STORE_COST, k->store.pid);
}

/* False: it runs as another user and this process has no CAP_KILL. */
static bool end_child(struct child *c, int signal_number)
{
	return c->pid <= 0 || kill(c->pid, signal_number) == 0 || errno != EPERM;
}

static void reap(struct child *c)
{
	if (c->pid > 0)
		waitpid(c->pid, NULL, 0);
	c->pid = 0;
}

/* --- helpers ----------------------------------------------------------------------------------- */

/* The answer goes straight to the engine: what a helper makes of hostile files is nothing for the keeper to read. */
static int start_helper(struct keeper *k, int request_fd, unsigned feature)
{
	struct weir_message m = { .type = WEIR_MESSAGE_ANSWER, .serial = feature };
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = fork_role(k, &k->helper.child);
	if (r == 0) {
		struct weir_helper_options h = { .helper = weir_features[feature]->helper,
						 .config = k->o->daemon->config,
						 .request_fd = request_fd,
						 .answer_fd = pair[1] };

		weir_keep_only((int[]){ STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, request_fd, pair[1] }, 5);
		leave_features(k);
		leave_store(k);
		_exit(weir_helper_run(&h));
	}
	close(pair[1]);
	if (r > 0)
		r = weir_message_send(k->engine_sock, &m, pair[0]);
	close(pair[0]);
	return r;
}

/* What the engine asks for is bounded here, too: it may have been taken over. */
static void take_request(struct keeper *k, uint64_t feature, int *fd)
{
	unsigned n = 0;

	while (weir_features[n] && n < feature)
		n++;
	if (k->o->daemon->replay || !weir_features[n] || !weir_features[n]->helper || !k->o->kernels[n])
		return;
	weir_closep(&k->helper.request_fd);
	k->helper.request_fd = TAKE_FD(*fd);
	k->helper.feature = n;
}

static void run_helper(struct keeper *k)
{
	struct helper_slot *h = &k->helper;
	uint64_t now = weir_mono_ns();
	int r;

	if (h->child.pid > 0) {
		if (now - h->child.started_ns > (WEIR_HELPER_SECONDS + 1) * 1000000000ull)
			kill(h->child.pid, SIGKILL); /* its own alarm should have ended it */
		return;
	}
	if (h->request_fd < 0 || now - h->child.started_ns < HELPER_REST_NS)
		return;
	r = start_helper(k, h->request_fd, h->feature);
	if (r < 0)
		weir_debug("no helper could be started: %s", strerror(-r));
	weir_closep(&h->request_fd);
}

/* The store comes first: it has what the engine begins with. History that cannot be kept is no reason not to start. */
static void start_history(struct keeper *k)
{
	int r;

	if (k->o->no_history)
		return;
	k->store_newest_ns = weir_kept_map(sizeof(*k->store_newest_ns));
	r = start_store(k);
	if (r >= 0)
		return;
	weir_warning("history cannot be kept yet: %s", strerror(-r));
	k->store_again_ns = weir_mono_ns() + RESTART_NS;
}

static void try_store_again(struct keeper *k)
{
	int r;

	if (k->join_again_ns && weir_mono_ns() >= k->join_again_ns)
		join_store(k);
	if (!k->store_again_ns || weir_mono_ns() < k->store_again_ns)
		return;
	k->store_again_ns = 0;
	r = start_store(k);
	if (r < 0) {
		weir_warning("history's process could not be started: %s", strerror(-r));
		k->store_again_ns = weir_mono_ns() + RESTART_NS;
		return;
	}
	join_store(k);
}

/* Whoever asks waits: so it begins at once, unless it dies again and again. */
static void on_store_end(struct keeper *k)
{
	uint64_t lived = weir_mono_ns() - k->store.started_ns, rest = 0;

	k->store.pid = 0;
	k->store_ended_ns = weir_mono_ns();
	weir_closep(&k->store_sock);
	k->join_again_ns = 0;
	k->store_deaths = lived < STORE_LIVES_NS ? k->store_deaths + 1 : 0;
	if (k->store_deaths)
		rest = k->store_deaths < STORE_DEATHS_MANY ? RESTART_NS : STORE_REST_NS;
	k->store_again_ns = weir_mono_ns() + rest;
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
			weir_closep(&k->engine_sock);
		if (r <= 0)
			return;
		if (m.type == WEIR_MESSAGE_READY)
			say_ready(k);
		if (m.type == WEIR_MESSAGE_ASK)
			take_request(k, m.serial, &fd);
		if (m.type == WEIR_MESSAGE_MEASURE && !k->o->daemon->replay) {
			uint64_t ms = m.count < 60000 ? m.count : 60000;

			if (k->stats_fd < 0 && weir_attach_measure(&k->stats_fd) < 0)
				continue;
			k->stats_until_ns = weir_mono_ns() + ms * 1000000u;
		}
	}
}

static void restart(struct keeper *k, struct child *c, int (*start)(struct keeper *))
{
	uint64_t lived = weir_mono_ns() - c->started_ns;
	int r;

	c->pid = 0;
	if (lived < RESTART_NS) {
		struct timespec rest = { .tv_nsec = (long)(RESTART_NS - lived) };

		nanosleep(&rest, NULL);
	}
	r = start(k);
	if (r < 0) {
		weir_error("the %s could not be started again: %s", c->name, strerror(-r));
		k->try_again_ns = weir_mono_ns() + RESTART_NS;
	}
}

/* No process or descriptor may have been left just then. */
static void try_again(struct keeper *k)
{
	if (!k->try_again_ns || weir_mono_ns() < k->try_again_ns)
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

		if (pid == k->helper.child.pid)
			k->helper.child.pid = 0; /* whatever became of it: who asked asks again */
		if (pid == k->store.pid) {
			say_death(&k->store, status);
			on_store_end(k);
		}
		if (!c)
			continue;
		if (!k->ready && c == &k->engine && WIFEXITED(status)) {
			/* It said why. It would fail again. */
			c->pid = 0;
			k->stop = k->failed = true;
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
	if (k->stats_fd < 0 || weir_mono_ns() < k->stats_until_ns)
		return;
	weir_closep(&k->stats_fd);
}

static int wait_at_most_ms(const struct keeper *k)
{
	if (k->helper.request_fd >= 0)
		return 10;
	if (k->stats_fd >= 0 || k->try_again_ns || k->store_again_ns || k->join_again_ns)
		return 100;
	return k->helper.child.pid > 0 ? 1000 : -1;
}

static void serve(struct keeper *k)
{
	while (!k->stop) {
		struct pollfd fds[] = { { .fd = k->signal_fd, .events = POLLIN },
					{ .fd = k->engine_sock, .events = POLLIN } };

		/* No error here is worth the daemon's end: memory comes back. */
		if (poll(fds, ARRAY_SIZE(fds), wait_at_most_ms(k)) < 0) {
			for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
				fds[i].revents = POLLIN; /* nothing blocks: whether there is something is seen there */
			if (errno != EINTR)
				nanosleep(&(struct timespec){ .tv_nsec = REST_NS }, NULL);
		}
		measure_no_longer(k);
		if (fds[1].revents && k->engine_sock >= 0)
			on_engine(k);
		run_helper(k);
		if (fds[0].revents)
			on_signal(k);
		try_again(k);
		try_store_again(k);
	}
}

/* --- life -------------------------------------------------------------------------------------- */

/* Starting a role again takes becoming its user; timing programs takes CAP_SYS_ADMIN; a helper reads the files of all
 * users; history's process sees nothing but its folder. All else goes, and what was not given in the first place is done
 * without. */
static void keep_few_capabilities(void)
{
	static const cap_value_t kept[] = { CAP_BPF,    CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN,
					    CAP_SETUID, CAP_SETGID,  CAP_SETPCAP,   CAP_KILL,
					    CAP_SYS_NICE, CAP_DAC_READ_SEARCH, CAP_SYS_CHROOT };
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

/* The engine has ended: its last second is with the store, which writes it and the mark of a clean end. */
static void end_store(struct keeper *k)
{
	uint64_t until = weir_mono_ns() + END_STORE_NS;

	if (k->store.pid <= 0)
		return;
	if (!end_child(&k->store, SIGTERM))
		weir_closep(&k->store_sock); /* it ends, too, when nobody is left there, but as if it was killed */
	while (k->store.pid > 0 && weir_mono_ns() < until) {
		if (waitpid(k->store.pid, NULL, WNOHANG) == k->store.pid)
			k->store.pid = 0;
		else
			nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	if (k->store.pid > 0)
		weir_warning("history's end could not be written in time");
	if (end_child(&k->store, SIGKILL))
		reap(&k->store);
}

/* A role that does not end in time is killed: nothing of it is worth waiting for. */
static void end_both(struct keeper *k)
{
	uint64_t until = weir_mono_ns() + END_NS;

	end_child(&k->helper.child, SIGKILL);
	/* Both end too when nobody is left at the other end of their sockets. */
	if (!end_child(&k->engine, SIGTERM) || !end_child(&k->gate, SIGTERM))
		weir_closep(&k->engine_sock);
	while ((k->engine.pid > 0 || k->gate.pid > 0) && weir_mono_ns() < until) {
		struct timespec rest = { .tv_nsec = 2000000 };
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			break;
		if (pid == 0)
			nanosleep(&rest, NULL);
		else if (pid == k->engine.pid)
			k->engine.pid = 0;
		else if (pid == k->store.pid)
			k->store.pid = 0;
		else if (pid == k->gate.pid)
			k->gate.pid = 0;
	}
	/* What cannot be killed from here is killed by the kernel when the keeper ends. */
	if (end_child(&k->engine, SIGKILL))
		reap(&k->engine);
	if (end_child(&k->gate, SIGKILL))
		reap(&k->gate);
	end_store(k);
}

int weir_keeper_run(const struct weir_keeper_options *o)
{
	struct keeper k = { .o = o, .engine = { .name = "engine" }, .gate = { .name = "gate" },
			    .store = { .name = "store" }, .store_sock = -1,
			    .helper = { .child = { .name = "helper" }, .request_fd = -1 },
			    .engine_sock = -1, .signal_fd = -1, .stats_fd = -1 };
	int r;

	keep_few_capabilities();
	r = catch_signals(&k);
	if (r == 0)
		start_history(&k);
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
	leave_store(&k);
	weir_config_free(k.config);
	weir_closep(&k.engine_sock);
	weir_closep(&k.store_sock);
	weir_closep(&k.signal_fd);
	weir_closep(&k.stats_fd);
	weir_closep(&k.helper.request_fd);
	sigprocmask(SIG_SETMASK, &k.old_mask, NULL);
	return k.failed ? 1 : 0; /* who is stopped before it was ready has not failed */
}
