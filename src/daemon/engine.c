// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "core/feature.h"
#include "core/recorder.h"
#include "core/run.h"
#include "core/self.h"
#include "core/tables.h"
#include "daemon/asking.h"
#include "daemon/feeder.h"
#include "daemon/ipc.h"
#include "daemon/player.h"
#include "daemon/sandbox.h"

/* How often the ring is read while it is not filling up: what news waits at most. */
#define DRAIN_NS (50ull * 1000000ull)
#define DRAIN_WATCHED_NS (20ull * 1000000ull) /* who watches sees it so much sooner */
#define TICK_NS (1000ull * 1000000ull)
/* Ticks come a little after each second of the calendar, however late the one before came: so each second of history has
 * one, though this process may wait for a processor for most of it. */
#define TICK_AFTER_NS (100ull * 1000000ull)
#define TICK_APART_NS (200ull * 1000000ull)
#define NEWS_NS (100ull * 1000000ull)
#define NEWS_COSTS 10 /* times as long as making one takes, at least: with very many sockets news comes less often */
#define FULL_SWEEP_TICKS 30
#define LOOKS_FAILED_SILENTLY 3
#define REST_NS (100ull * 1000000ull)
#define NICE (-10)
#define HISTORY_CURE "make room there, or see that it can be written: what waits is written then"
#define MESSAGES_PER_TURN 64 /* of a gate: one that does nothing but talk must not stop the clock */

enum role { ROLE_KEEPER, ROLE_ENGINE, ROLE_GATE, ROLE_STORE, _ROLE_MAX };
_Static_assert((unsigned)_ROLE_MAX == WEIR_SELF_ROLES, "each has its place");

struct engine {
	const struct weir_engine_options *o;
	struct weir_run *run;
	struct weir_builder *builder;
	struct weir_recorder *recorder;
	struct weir_player *player; /* in a replay */
	struct weir_self self;
	struct weir_asking asking; /* what a helper is asked */
	struct weir_feeder feeder; /* of the store */
	int epoll_fd, timer_fd, gate_sock;
	int gate_store; /* the gate's end of a pair with a new store, until it took it; -1: none */
	uint64_t number, answered, asked; /* snapshots, REFRESH serials */
	uint64_t viewers;
	uint64_t drain_ns; /* as the timer is set; 0: not yet */
	uint64_t next_tick_ns, news_ns, news_apart_ns;
	unsigned ticks_since_full;
	uint64_t lost_at_full;
	unsigned looks_failed[WEIR_FEATURES_MAX]; /* in a row */
	bool recording_failed, stop;
	char host[WEIR_HOST_TEXT];
};

/* What collect() and drain() write to: the recording, then the state. */
struct engine_sink {
	struct weir_sink sink;
	struct engine *e;
	uint16_t source;
};

static void feed(struct engine *e, uint16_t source, uint16_t type, const void *bytes, size_t len)
{
	uint64_t now = weir_mono_ns();
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

/* Its numbers stand still while it fails. Once is not worth a line: the next look makes up for it. */
static void note_look(struct engine *e, unsigned feature, int r)
{
	unsigned *failed = &e->looks_failed[feature];

	if (r >= 0) {
		if (*failed > LOOKS_FAILED_SILENTLY)
			weir_info("%s: the kernel can be read again", weir_features[feature]->name);
		*failed = 0;
		return;
	}
	if (++*failed == LOOKS_FAILED_SILENTLY + 1)
		weir_warning("%s: the kernel cannot be read, what is shown of it stands still: %s; it is tried again each second",
			     weir_features[feature]->name, strerror(-r));
}

static void look(struct engine *e, enum look how)
{
	for (unsigned i = 0; weir_features[i]; i++) {
		struct engine_sink s = { { sink_put, sink_lost }, e, (uint16_t)(WEIR_SOURCE_FEATURE + i) };
		void *state = weir_run_state(e->run, i);
		int r;

		if (!state || !(how == LOOK_DRAIN ? (void *)weir_features[i]->drain : (void *)weir_features[i]->collect))
			continue;
		r = how == LOOK_DRAIN ? weir_features[i]->drain(state, &s.sink) :
					weir_features[i]->collect(state, &s.sink, how == LOOK_ALL);
		if (how != LOOK_DRAIN || r < 0)
			note_look(e, i, r);
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

/* A line of doctor. */
static void tell_history(struct engine *e, uint64_t number)
{
	const struct weir_store_state *state = &e->feeder.state;
	char serves[512], bytes[WEIR_UNITS_TEXT], limit[WEIR_UNITS_TEXT];
	const char *where = e->o->history ? e->o->history : "memory";

	if (!e->feeder.wanted) {
		weir_self_history_line(e->builder, number, "off", NULL, e->o->no_history, NULL);
		return;
	}
	e->self.history = (struct weir_self_history){ state->bytes, state->limit_bytes, state->lost_seconds,
						      e->feeder.has_state };
	if (!e->feeder.has_state) {
		weir_self_history_line(e->builder, number, "degraded", NULL, "history's process has not answered yet",
				       "see the daemon's log");
		return;
	}
	snprintf(serves, sizeof(serves), "the past, in %s: %s of at most %s", where, weir_units_bytes(state->bytes, bytes),
		 weir_units_bytes(state->limit_bytes, limit));
	if (state->in_memory)
		weir_self_history_line(e->builder, number, "degraded", "the past, until the daemon ends", state->reason, NULL);
	else if (state->reason[0])
		weir_self_history_line(e->builder, number, "degraded", serves, state->reason, HISTORY_CURE);
	else
		weir_self_history_line(e->builder, number, "on", serves, NULL, NULL);
}

/* What is shown is not this host, now: doctor says so. */
static void tell_recording(struct engine *e, uint64_t number)
{
	weir_builder_table(e->builder, &weir_table_doctor);
	weir_self_recording_line(e->builder, number,
				 weir_player_has_ended(e->player) ? "a recording, at its end" : "a recording that is played");
	tell_history(e, number);
}

static void publish(struct engine *e, bool tick)
{
	uint64_t now = weir_mono_ns();
	struct weir_snapshot_head head = {
		.number = e->number + 1,
		.mono_ns = now,
		.real_ns = weir_clock_ns(CLOCK_REALTIME),
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
	if (e->o->probe) {
		weir_probe_snapshot(e->o->probe, e->builder, head.number);
		tell_history(e, head.number);
	}
	if (e->player)
		tell_recording(e, head.number);
	weir_self_snapshot(&e->self, e->builder, head.number, head.lost_events);
	r = weir_builder_finish_fd(e->builder, &head, &fd, &size);
	if (!e->viewers) /* megabytes with many sockets; the next question may be far */
		e->builder = weir_builder_free(e->builder);
	e->news_apart_ns = NEWS_COSTS * (weir_mono_ns() - now);
	if (e->news_apart_ns < NEWS_NS)
		e->news_apart_ns = NEWS_NS;
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
	e->news_ns = now;
}

static uint64_t tick_after(uint64_t now, uint64_t real_ns)
{
	uint64_t wait = TICK_NS - (real_ns - TICK_AFTER_NS) % TICK_NS;

	return now + (wait < TICK_APART_NS ? wait + TICK_NS : wait);
}

static void on_tick(struct engine *e, uint64_t now)
{
	struct weir_record_tick t = { .real_ns = weir_clock_ns(CLOCK_REALTIME) };
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
	/* The second that is over, also when it is told late. */
	weir_feeder_tick(&e->feeder, e->run, t.real_ns + TICK_AFTER_NS - TICK_NS, false);
	e->next_tick_ns = tick_after(now, t.real_ns);
	if (e->viewers)
		publish(e, true);
}

/* Of a recording that is played: its seconds are history's. */
static void on_played_tick(void *ctx)
{
	struct weir_snapshot_head head = {};
	struct engine *e = ctx;

	weir_player_head(e->player, &head);
	weir_feeder_tick(&e->feeder, e->run, head.real_ns, true);
}

/* A gate that does not read just now gets it at a later tick. */
static void pass_gate_store(struct engine *e)
{
	struct weir_message m = { .type = WEIR_MESSAGE_GATE_STORE };

	if (e->gate_store < 0 || (e->gate_sock >= 0 && weir_message_send(e->gate_sock, &m, e->gate_store) == -EAGAIN))
		return;
	weir_closep(&e->gate_store); /* it has it, or there is none, and the next one begins with its own */
}

/* Whoever watches a recording hears of what is new in it as soon as of what is new on a host, and that its end stands. */
static void play(struct engine *e, uint64_t now)
{
	bool tick = weir_player_run(e->player, now, on_played_tick, e);
	uint64_t silent_ns = now - e->news_ns;

	tick |= weir_player_has_ended(e->player) && silent_ns >= TICK_NS;
	if (e->answered < e->asked || (e->viewers && (tick || (silent_ns >= e->news_apart_ns && has_news(e)))))
		publish(e, tick);
}

/* Only where it has just come, and before it is waited for at all: else whoever watches and leaves again and again could move
 * it on and on. */
static int set_timer(struct engine *e)
{
	uint64_t ns = e->viewers ? DRAIN_WATCHED_NS : DRAIN_NS;
	const struct timespec every = { .tv_nsec = (long)ns };
	const struct itimerspec t = { .it_interval = every, .it_value = every };

	if (e->drain_ns == ns)
		return 0;
	if (timerfd_settime(e->timer_fd, 0, &t, NULL) < 0)
		return -errno;
	e->drain_ns = ns;
	return 0;
}

static void on_timer(struct engine *e)
{
	uint64_t expired, now = weir_mono_ns();

	if (read(e->timer_fd, &expired, sizeof(expired)) < 0)
		return;
	set_timer(e); /* as it was, if that fails: it is tried again */
	pass_gate_store(e);
	if (e->player) {
		play(e, now);
		return;
	}
	if (now >= e->next_tick_ns)
		on_tick(e, now);
	else
		look(e, LOOK_DRAIN);
	weir_asking_try(&e->asking, e->run, e->o->keeper_sock, now);
	if (e->answered < e->asked || (e->viewers && now >= e->news_ns + e->news_apart_ns && has_news(e)))
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

static void take_answer(void *ctx, uint16_t source, uint16_t type, const void *bytes, size_t len)
{
	feed(ctx, source, type, bytes, len);
}

static void begin_answer(struct engine *e, uint64_t feature, int fd)
{
	weir_asking_begin(&e->asking, feature, fd);
	if (e->asking.fd >= 0 && watch(e, e->asking.fd) < 0)
		weir_asking_end(&e->asking);
}

/* Of a daemon before this one. What the features have by now is not recorded again either. */
static void take_carried(void *ctx, const char *feature, uint16_t type, const void *bytes, size_t len)
{
	uint64_t now = weir_mono_ns();
	struct engine *e = ctx;
	uint16_t source;
	int r = weir_run_carried(e->run, feature, type, now, bytes, len, &source);

	if (r == 0 && e->recorder)
		weir_recorder_put(e->recorder, source, type, now, bytes, (uint32_t)len);
	if (r < 0 && r != -ENOENT)
		weir_debug("a counter of the daemon before was passed over: %s", strerror(-r));
}

static void on_store(struct engine *e)
{
	weir_feeder_read(&e->feeder, e->run, take_carried, e);
}

static void connect_store(struct engine *e, int fd)
{
	if (watch(e, fd) < 0)
		close(fd);
	else
		weir_feeder_connect(&e->feeder, fd);
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
			weir_closep(&e->gate_store); /* of the one before; this one has its own */
			/* The least there is: room for a snapshot or two on their way. */
			setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 1 }, sizeof(int));
			if (watch(e, fd) == 0)
				e->gate_sock = TAKE_FD(fd);
		} else if (m.type == WEIR_MESSAGE_GATE_COST && fd >= 0) {
			weir_self_renew(&e->self.roles[ROLE_GATE], TAKE_FD(fd));
		} else if (m.type == WEIR_MESSAGE_STORE && fd >= 0) {
			connect_store(e, TAKE_FD(fd));
		} else if (m.type == WEIR_MESSAGE_GATE_STORE && fd >= 0) {
			weir_closep(&e->gate_store);
			e->gate_store = TAKE_FD(fd);
			pass_gate_store(e);
		} else if (m.type == WEIR_MESSAGE_STORE_COST && fd >= 0) {
			weir_self_renew(&e->self.roles[ROLE_STORE], TAKE_FD(fd));
		} else if (m.type == WEIR_MESSAGE_ANSWER && fd >= 0) {
			begin_answer(e, m.serial, TAKE_FD(fd));
		}
	}
}

/* --- life -------------------------------------------------------------------------------------- */

static int arm_timer(struct engine *e)
{
	int r;

	e->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (e->timer_fd < 0)
		return -errno;
	r = set_timer(e);
	return r < 0 ? r : watch(e, e->timer_fd);
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
	if (r == 0 && e->feeder.sock >= 0)
		r = watch(e, e->feeder.sock);
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
	weir_feeder_end(&e->feeder);
	if (!e->player)
		weir_run_free(e->run);
	e->run = NULL;
	weir_asking_end(&e->asking);
	e->player = weir_player_free(e->player);
	e->builder = weir_builder_free(e->builder);
	weir_self_done(&e->self);
	weir_closep(&e->gate_sock);
	weir_closep(&e->gate_store);
	weir_closep(&e->timer_fd);
	weir_closep(&e->epoll_fd);
}

static int give_up_power(const struct weir_probe *probe)
{
	const char *missing = NULL;
	uid_t uid;
	gid_t gid;
	int r;

	weir_sandbox_identity(&uid, &gid);
	r = probe && !weir_probe_has(probe, WEIR_ABILITY_READ_MAPS) ? weir_sandbox_drop_to_maps(uid, gid) :
								      weir_sandbox_drop(uid, gid);
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

		if (n < 0 && errno != EINTR) /* no memory just then: it comes back */
			nanosleep(&(struct timespec){ .tv_nsec = REST_NS }, NULL);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == e->timer_fd)
				on_timer(e);
			else if (fd == e->o->keeper_sock)
				on_keeper(e);
			else if (fd == e->gate_sock)
				on_gate(e);
			else if (fd == e->feeder.sock)
				on_store(e);
			else if (fd == e->asking.fd)
				weir_asking_read(&e->asking, take_answer, e);
			else
				look(e, LOOK_DRAIN); /* a ring fills up */
		}
	}
}

int weir_engine_run(const struct weir_engine_options *o)
{
	struct engine e = { .o = o, .epoll_fd = -1, .timer_fd = -1, .gate_sock = -1, .gate_store = -1,
			    .asking.fd = -1 };
	struct weir_message ready = { .type = WEIR_MESSAGE_READY };
	int r;

	catch_end();
	gethostname(e.host, sizeof(e.host) - 1);
	e.self.roles[ROLE_KEEPER] = (struct weir_self_role){ .name = "keeper", .stat_fd = o->keeper_stat_fd };
	e.self.roles[ROLE_ENGINE] = (struct weir_self_role){ .name = "engine",
							     .stat_fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC) };
	e.self.roles[ROLE_GATE] = (struct weir_self_role){ .name = "gate", .stat_fd = -1 };
	e.self.roles[ROLE_STORE] = (struct weir_self_role){ .name = "store", .stat_fd = -1 };
	weir_feeder_begin(&e.feeder, o->store_sock, &e.self);
	r = open_all(&e);
	if (r < 0) {
		weir_error("the engine could not begin: %s", strerror(-r));
		goto finish;
	}
	/* A busy machine is when its numbers are wanted: a little ahead of others, so that the ring is read. */
	setpriority(PRIO_PROCESS, 0, NICE);
	r = give_up_power(o->probe);
	if (r < 0) {
		weir_error("the engine could not give up its rights: %s", strerror(-r));
		goto finish;
	}
	if (!e.player) {
		weir_feeder_wait_carried(&e.feeder, e.run, take_carried, &e);
		look(&e, LOOK_ALL);
		on_tick(&e, weir_mono_ns());
	}
	weir_message_send(o->keeper_sock, &ready, -1);
	serve(&e);
	/* So that sockets and sums in the recording, and history, end with one look. */
	if (e.recorder || (e.feeder.wanted && !e.player))
		on_tick(&e, weir_mono_ns());
finish:
	close_all(&e);
	return r < 0 ? 1 : 0;
}
