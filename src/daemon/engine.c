// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "core/feature.h"
#include "core/recorder.h"
#include "core/run.h"
#include "core/self.h"
#include "daemon/ipc.h"
#include "daemon/player.h"
#include "daemon/sandbox.h"

/* How often the ring is read while it is not filling up: what news waits at most. */
#define DRAIN_NS (50ull * 1000000ull)
#define TICK_NS (1000ull * 1000000ull)
#define NEWS_NS (100ull * 1000000ull)
#define FULL_SWEEP_TICKS 30
#define NICE (-10)
#define MESSAGES_PER_TURN 64 /* of a gate: one that does nothing but talk must not stop the clock */

enum role { ROLE_KEEPER, ROLE_ENGINE, ROLE_GATE, _ROLE_MAX };

struct engine {
	const struct weir_engine_options *o;
	struct weir_run *run;
	struct weir_builder *builder;
	struct weir_recorder *recorder;
	struct weir_player *player; /* in a replay */
	struct weir_self_role roles[_ROLE_MAX];
	int epoll_fd, timer_fd, gate_sock;
	uint64_t number, answered, asked; /* snapshots, REFRESH serials */
	uint64_t viewers;
	uint64_t tick_ns, news_ns;
	unsigned ticks_since_full;
	uint64_t lost_at_full;
	bool recording_failed, stop;
	char host[WEIR_HOST_TEXT];
};

/* What collect() and drain() write to: the recording, then the state. */
struct engine_sink {
	struct weir_sink sink;
	struct engine *e;
	uint16_t source;
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void feed(struct engine *e, uint16_t source, uint16_t type, const void *bytes, size_t len)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int r;

	if (e->recorder)
		weir_recorder_put(e->recorder, source, type, now, bytes, (uint32_t)len);
	r = weir_run_apply(e->run, source, type, now, bytes, len);
	if (r < 0)
		weir_debug("record of type %u from source %u passed over: %s", type, source, strerror(-r));
}

static void sink_put(struct weir_sink *sink, uint16_t type, const void *bytes, size_t len)
{
	struct engine_sink *s = (struct engine_sink *)sink;

	feed(s->e, s->source, type, bytes, len);
}

static void sink_lost(struct weir_sink *sink, uint64_t total)
{
	struct engine_sink *s = (struct engine_sink *)sink;
	struct weir_record_lost l = { .total = total };

	feed(s->e, WEIR_SOURCE_CORE, WEIR_RECORD_LOST, &l, sizeof(l));
}

enum look { LOOK_DRAIN, LOOK_CHANGED, LOOK_ALL };

static void look(struct engine *e, enum look how)
{
	for (unsigned i = 0; weir_features[i]; i++) {
		struct engine_sink s = { { sink_put, sink_lost }, e, (uint16_t)(WEIR_SOURCE_FEATURE + i) };
		void *state = weir_run_state(e->run, i);
		int r;

		if (!state || (how == LOOK_DRAIN && !weir_features[i]->drain))
			continue;
		r = how == LOOK_DRAIN ? weir_features[i]->drain(state, &s.sink) :
					weir_features[i]->collect(state, &s.sink, how == LOOK_ALL);
		if (r < 0)
			weir_debug("%s: reading the kernel: %s", weir_features[i]->name, strerror(-r));
	}
}

static bool has_news(const struct engine *e)
{
	for (unsigned i = 0; weir_features[i]; i++) {
		void *state = weir_run_state(e->run, i);

		if (state && weir_features[i]->has_news && weir_features[i]->has_news(state))
			return true;
	}
	return false;
}

/* --- publishing -------------------------------------------------------------------------------- */

static bool gate_reads(const struct engine *e)
{
	struct pollfd gate = { .fd = e->gate_sock, .events = POLLOUT };

	return poll(&gate, 1, 0) == 1 && gate.revents & POLLOUT;
}

static void publish(struct engine *e, bool tick)
{
	struct weir_snapshot_head head = {
		.number = e->number + 1,
		.mono_ns = clock_ns(CLOCK_MONOTONIC),
		.real_ns = clock_ns(CLOCK_REALTIME),
		.lost_events = weir_run_lost(e->run),
	};
	struct weir_message m = { .type = WEIR_MESSAGE_SNAPSHOT, .count = tick };
	_cleanup_close_ int fd = -1;
	size_t size;
	int r;

	/* What is not read would pile up, megabytes each. */
	if (e->gate_sock < 0 || !gate_reads(e))
		return;
	if (!e->builder)
		e->builder = weir_builder_new();
	if (!e->builder)
		return; /* out of memory: the gate's question stays open and is tried again */
	if (e->player)
		weir_player_head(e->player, &head);
	memcpy(head.host, e->player ? head.host : e->host, sizeof(head.host));
	weir_run_rows(e->run, e->builder, head.number);
	if (e->o->attach)
		weir_attach_snapshot(e->o->attach, e->builder, head.number);
	if (e->o->probe)
		weir_probe_snapshot(e->o->probe, e->builder, head.number);
	weir_self_snapshot(e->builder, head.number, head.lost_events, e->roles, _ROLE_MAX);
	r = weir_builder_finish_fd(e->builder, &head, &fd, &size);
	if (!e->viewers) /* megabytes with many sockets; the next question may be far */
		e->builder = weir_builder_free(e->builder);
	if (r < 0) {
		weir_warning("a snapshot could not be made: %s", strerror(-r));
		return;
	}
	m.size = (uint32_t)size;
	m.serial = e->asked;
	r = weir_message_send(e->gate_sock, &m, fd);
	if (r < 0)
		return; /* the gate does not read: it asks again, or it is gone and a new one comes */
	e->number = head.number;
	e->answered = e->asked;
	e->news_ns = head.mono_ns;
}

static void on_tick(struct engine *e, uint64_t now)
{
	struct weir_record_tick t = { .real_ns = clock_ns(CLOCK_REALTIME) };
	uint64_t lost = weir_run_lost(e->run);
	bool all = ++e->ticks_since_full >= FULL_SWEEP_TICKS || lost != e->lost_at_full;

	if (all) {
		e->ticks_since_full = 0;
		e->lost_at_full = lost;
		malloc_trim(0); /* what a crowd of sockets left behind */
	}
	look(e, all ? LOOK_ALL : LOOK_CHANGED);
	feed(e, WEIR_SOURCE_CORE, WEIR_RECORD_TICK, &t, sizeof(t));
	if (e->recorder && weir_recorder_flush(e->recorder) < 0 && !e->recording_failed) {
		e->recording_failed = true;
		weir_error("the recording ends here: %s", strerror(-weir_recorder_flush(e->recorder)));
	}
	e->tick_ns = now;
	if (e->viewers)
		publish(e, true);
}

static void on_timer(struct engine *e)
{
	uint64_t expired, now = clock_ns(CLOCK_MONOTONIC);
	bool tick;

	if (read(e->timer_fd, &expired, sizeof(expired)) < 0)
		return;
	if (e->player) {
		tick = weir_player_run(e->player, now);
		if ((tick && e->viewers) || e->answered < e->asked)
			publish(e, tick);
		return;
	}
	if (now - e->tick_ns >= TICK_NS)
		on_tick(e, now);
	else
		look(e, LOOK_DRAIN);
	if (e->answered < e->asked || (e->viewers && now - e->news_ns >= NEWS_NS && has_news(e)))
		publish(e, false);
}

/* --- messages ---------------------------------------------------------------------------------- */

static int watch(struct engine *e, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static void tell_watched(struct engine *e, bool on)
{
	for (unsigned i = 0; weir_features[i]; i++) {
		void *state = weir_run_state(e->run, i);

		if (state && weir_features[i]->watched)
			weir_features[i]->watched(state, on);
	}
}

static void set_viewers(struct engine *e, uint64_t n)
{
	e->viewers = n;
	tell_watched(e, n > 0);
}

/* Who asks gets what is true now: for this look nothing may be left to a later one. */
static void look_for_answer(struct engine *e)
{
	tell_watched(e, true);
	look(e, LOOK_CHANGED);
	tell_watched(e, e->viewers > 0);
}

static void forget_gate(struct engine *e)
{
	weir_closep(&e->gate_sock);
	e->gate_sock = -1;
	set_viewers(e, 0);
	e->asked = e->answered = 0;
}

static void on_gate(struct engine *e)
{
	bool refresh = false;

	for (unsigned i = 0; i < MESSAGES_PER_TURN; i++) {
		_cleanup_close_ int fd = -1;
		struct weir_message m;
		int r = weir_message_receive(e->gate_sock, &m, &fd);

		if (r == -EBADMSG)
			continue;
		if (r < 0) {
			forget_gate(e);
			return;
		}
		if (r == 0)
			break;
		switch (m.type) {
		case WEIR_MESSAGE_REFRESH:
			e->asked = m.serial > e->asked ? m.serial : e->asked;
			refresh = true;
			break;
		case WEIR_MESSAGE_VIEWERS:
			set_viewers(e, m.count);
			break;
		case WEIR_MESSAGE_MEASURE:
			weir_message_send(e->o->keeper_sock, &m, -1);
			break;
		}
	}
	if (!refresh)
		return;
	if (!e->player)
		look_for_answer(e);
	publish(e, false);
}

static void on_keeper(struct engine *e)
{
	for (;;) {
		_cleanup_close_ int fd = -1;
		struct weir_message m;
		int r = weir_message_receive(e->o->keeper_sock, &m, &fd);

		if (r == -EBADMSG)
			continue;
		if (r < 0)
			e->stop = true;
		if (r <= 0)
			return;
		if (m.type == WEIR_MESSAGE_GATE && fd >= 0) {
			forget_gate(e);
			/* The least there is: room for a snapshot or two on their way. */
			setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 1 }, sizeof(int));
			if (watch(e, fd) == 0)
				e->gate_sock = TAKE_FD(fd);
		} else if (m.type == WEIR_MESSAGE_GATE_COST && fd >= 0) {
			weir_closep(&e->roles[ROLE_GATE].stat_fd);
			e->roles[ROLE_GATE].stat_fd = TAKE_FD(fd);
		}
	}
}

/* --- life -------------------------------------------------------------------------------------- */

static int arm_timer(struct engine *e)
{
	struct itimerspec every = { .it_interval.tv_nsec = DRAIN_NS, .it_value.tv_nsec = DRAIN_NS };

	e->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (e->timer_fd < 0 || timerfd_settime(e->timer_fd, 0, &every, NULL) < 0)
		return -errno;
	return watch(e, e->timer_fd);
}

static int open_all(struct engine *e)
{
	int r;

	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->epoll_fd < 0)
		return -errno;
	r = arm_timer(e);
	if (r < 0)
		return r;
	r = watch(e, e->o->keeper_sock);
	if (r < 0)
		return r;
	if (e->o->replay) {
		r = weir_player_open(e->o->replay, e->o->replay_speed, &e->player);
		if (r < 0)
			return r;
		e->run = weir_player_state(e->player);
		return 0;
	}
	r = weir_run_new(e->o->kernels, &e->run);
	if (r < 0)
		return r;
	for (unsigned i = 0; weir_features[i]; i++) {
		void *state = weir_run_state(e->run, i);
		int fd = state && weir_features[i]->wake_fd ? weir_features[i]->wake_fd(state) : -1;

		r = fd >= 0 ? watch(e, fd) : 0;
		if (r < 0)
			return r;
	}
	if (e->o->record_fd >= 0) {
		r = weir_recorder_new(e->o->record_fd, e->host, &e->recorder);
		if (r < 0)
			return r;
	}
	return 0;
}

static void close_all(struct engine *e)
{
	e->recorder = weir_recorder_free(e->recorder);
	if (!e->player)
		weir_run_free(e->run);
	e->run = NULL;
	e->player = weir_player_free(e->player);
	e->builder = weir_builder_free(e->builder);
	for (unsigned i = 0; i < _ROLE_MAX; i++)
		weir_closep(&e->roles[i].stat_fd);
	weir_closep(&e->gate_sock);
	weir_closep(&e->timer_fd);
	weir_closep(&e->epoll_fd);
}

static int give_up_power(void)
{
	const char *missing = NULL;
	uid_t uid;
	gid_t gid;
	int r;

	weir_sandbox_identity(&uid, &gid);
	r = weir_sandbox_drop(uid, gid);
	if (r < 0)
		return r;
	r = weir_sandbox_engine(&missing);
	if (missing)
		weir_debug("sandbox: %s", missing);
	return r;
}

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
	told_to_end = number;
}

/* A signal that comes just before epoll_wait() is heard at the next turn of the timer. */
static void catch_end(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGTERM, &action, NULL);
}

static void serve(struct engine *e)
{
	struct epoll_event events[16];

	while (!e->stop && !told_to_end) {
		int n = epoll_wait(e->epoll_fd, events, ARRAY_SIZE(events), -1);

		if (n < 0 && errno != EINTR)
			return;
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == e->timer_fd)
				on_timer(e);
			else if (fd == e->o->keeper_sock)
				on_keeper(e);
			else if (fd == e->gate_sock)
				on_gate(e);
			else
				look(e, LOOK_DRAIN); /* a ring fills up */
		}
	}
}

int weir_engine_run(const struct weir_engine_options *o)
{
	struct engine e = { .o = o, .epoll_fd = -1, .timer_fd = -1, .gate_sock = -1 };
	struct weir_message ready = { .type = WEIR_MESSAGE_READY };
	int r;

	catch_end();
	gethostname(e.host, sizeof(e.host) - 1);
	e.roles[ROLE_KEEPER] = (struct weir_self_role){ "keeper", o->keeper_stat_fd };
	e.roles[ROLE_ENGINE] = (struct weir_self_role){ "engine", open("/proc/self/stat", O_RDONLY | O_CLOEXEC) };
	e.roles[ROLE_GATE] = (struct weir_self_role){ "gate", -1 };
	r = open_all(&e);
	if (r < 0) {
		weir_error("the engine could not begin: %s", strerror(-r));
		goto finish;
	}
	/* A busy machine is when its numbers are wanted: a little ahead of others, so that the ring is read. */
	setpriority(PRIO_PROCESS, 0, NICE);
	r = give_up_power();
	if (r < 0) {
		weir_error("the engine could not give up its rights: %s", strerror(-r));
		goto finish;
	}
	if (!e.player) {
		look(&e, LOOK_ALL);
		on_tick(&e, clock_ns(CLOCK_MONOTONIC));
	}
	weir_message_send(o->keeper_sock, &ready, -1);
	serve(&e);
	if (e.recorder) /* so that sockets and sums in the recording end with one look */
		on_tick(&e, clock_ns(CLOCK_MONOTONIC));
finish:
	close_all(&e);
	return r < 0 ? 1 : 0;
}
