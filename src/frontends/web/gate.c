// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/ipc.h"
#include "daemon/sandbox.h"
#include "frontends/web/past.h"
#include "frontends/web/server.h"

/* The gate's process: between the engine's messages and the HTTP server. It acquires what it needs,
 * gives its rights up, and from then on holds nothing but sockets and snapshots. */

#define EVENTS_MAX 256
#define DESCRIPTORS (WEB_CONNECTIONS * 4ul)
#define REST_NS (100ull * 1000 * 1000) /* of a listener when descriptors ran out */
#define SEND_AGAIN_NS (20ull * 1000 * 1000)

/* What an epoll event is about, beside connections: their data never has these upper bits. */
#define TAG (0xffffffffull << 32)
enum { TAG_ENGINE = 1, TAG_STORE, TAG_UNIX, TAG_TCP, TAG_LIBRARY };

struct gate {
	int epoll_fd;
	int engine_sock, unix_fd, tcp_fd;
	struct web_server *web;
	uint64_t viewers_sent;
	uint64_t send_again_ns; /* 0: the engine reads what it is sent */
	uint64_t rest_until_ns; /* 0: the listeners are watched */
	bool bad_snapshot_said;
	bool engine_gone;
};

/* --- the engine --------------------------------------------------------------------------- */

static bool tell(struct gate *g, enum weir_message_type type, uint64_t serial, uint64_t count,
		 uint64_t now_ns)
{
	const struct weir_message m = { .type = type, .serial = serial, .count = count };
	int r = weir_message_send(g->engine_sock, &m, -1);

	if (r == -EAGAIN)
		g->send_again_ns = now_ns + SEND_AGAIN_NS;
	else if (r < 0)
		g->engine_gone = true;
	return r == 0;
}

/* Sends what this turn made necessary. */
static void tell_engine(struct gate *g, uint64_t now_ns)
{
	struct web_wishes *w = &g->web->wishes;
	uint64_t serial, viewers = g->web->streams.n;

	g->send_again_ns = 0;
	if (viewers != g->viewers_sent && tell(g, WEIR_MESSAGE_VIEWERS, 0, viewers, now_ns))
		g->viewers_sent = viewers;
	if (w->measure && tell(g, WEIR_MESSAGE_MEASURE, 0, WEB_MEASURE_MS, now_ns))
		w->measure = false;
	if (web_refresh_due(&w->refresh, now_ns, &serial) &&
	    tell(g, WEIR_MESSAGE_REFRESH, serial, 0, now_ns))
		web_refresh_sent(&w->refresh, serial, now_ns);
}

static void show_snapshot(struct gate *g, int fd, uint64_t serial, bool tick, uint64_t now_ns)
{
	struct weir_snapshot *s;
	int r = weir_snapshot_map(fd, &s);

	if (r < 0) {
		if (!g->bad_snapshot_said)
			weir_error("a snapshot of the engine can't be read: %s", strerror(-r));
		g->bad_snapshot_said = true;
		return;
	}
	web_server_snapshot(g->web, s, serial, tick, now_ns);
	weir_snapshot_unref(s);
}

static int watch(struct gate *g, int fd, unsigned tag)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = TAG | tag };

	if (fd < 0)
		return 0;
	return epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* A store began, and the keeper has no other way here than the engine. */
static void join_store(struct gate *g, int fd)
{
	if (watch(g, fd, TAG_STORE) < 0)
		close(fd);
	else
		web_past_connect(g->web, fd);
}

/* Of several snapshots that wait only the newest counts; it answers what the others answer. */
static void hear_engine(struct gate *g, uint64_t now_ns)
{
	_cleanup_close_ int newest = -1;
	struct weir_message m;
	uint64_t serial = 0;
	bool tick = false;
	int r, fd;

	while ((r = weir_message_receive(g->engine_sock, &m, &fd)) != 0) {
		if (r == -EBADMSG)
			continue;
		if (r < 0) {
			g->engine_gone = true;
			break;
		}
		if (m.type == WEIR_MESSAGE_GATE_STORE)
			join_store(g, fd);
		if (m.type != WEIR_MESSAGE_SNAPSHOT)
			continue;
		if (newest >= 0)
			close(newest);
		newest = fd;
		serial = m.serial > serial ? m.serial : serial;
		tick = tick || m.count;
	}
	if (newest >= 0)
		show_snapshot(g, newest, serial, tick, now_ns);
}

/* --- waiting ------------------------------------------------------------------------------ */

static void rest_listeners(struct gate *g, uint64_t now_ns)
{
	if (!g->rest_until_ns)
		weir_warning("no descriptors left: new connections wait");
	g->rest_until_ns = now_ns + REST_NS;
	if (g->unix_fd >= 0)
		epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, g->unix_fd, NULL);
	if (g->tcp_fd >= 0)
		epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, g->tcp_fd, NULL);
}

static void wake_listeners(struct gate *g, uint64_t now_ns)
{
	if (!g->rest_until_ns || now_ns < g->rest_until_ns)
		return;
	g->rest_until_ns = 0;
	watch(g, g->unix_fd, TAG_UNIX);
	watch(g, g->tcp_fd, TAG_TCP);
}

static void handle(struct gate *g, const struct epoll_event *e, uint64_t now_ns)
{
	if ((e->data.u64 & TAG) != TAG) {
		web_server_hang_up(g->web, e->data.u64, e->events);
		return;
	}
	switch ((uint32_t)e->data.u64) {
	case TAG_ENGINE:
		hear_engine(g, now_ns);
		break;
	case TAG_STORE:
		if (g->web->past.sock >= 0)
			web_past_hear(g->web, now_ns);
		break;
	case TAG_UNIX:
		if (web_server_accept(g->web, g->unix_fd, false) < 0)
			rest_listeners(g, now_ns);
		break;
	case TAG_TCP:
		if (web_server_accept(g->web, g->tcp_fd, true) < 0)
			rest_listeners(g, now_ns);
		break;
	}
}

static int sooner(int timeout_ms, uint64_t at_ns, uint64_t now_ns)
{
	uint64_t left_ms = at_ns > now_ns ? (at_ns - now_ns + 999999) / 1000000 : 0;

	if (timeout_ms >= 0 && (uint64_t)timeout_ms <= left_ms)
		return timeout_ms;
	return left_ms < 3600000 ? (int)left_ms : 3600000;
}

static int timeout_ms(const struct gate *g, uint64_t now_ns)
{
	int ms = web_server_timeout_ms(g->web, now_ns);
	uint64_t question_ns = web_refresh_wait_ns(&g->web->wishes.refresh, now_ns);

	if (question_ns != UINT64_MAX && !g->send_again_ns)
		ms = sooner(ms, now_ns + question_ns, now_ns);
	if (g->send_again_ns)
		ms = sooner(ms, g->send_again_ns, now_ns);
	if (g->rest_until_ns)
		ms = sooner(ms, g->rest_until_ns, now_ns);
	return ms;
}

/* Until the engine is gone; the keeper starts both again. */
static int serve(struct gate *g)
{
	struct epoll_event events[EVENTS_MAX];

	while (!g->engine_gone) {
		int n = epoll_wait(g->epoll_fd, events, EVENTS_MAX, timeout_ms(g, weir_mono_ns()));
		if (n < 0 && errno != EINTR) {
			weir_error("waiting for connections failed: %s", strerror(errno));
			return 1;
		}
		uint64_t now_ns = weir_mono_ns();
		for (int i = 0; i < n; i++)
			handle(g, &events[i], now_ns);
		wake_listeners(g, now_ns);
		web_server_run(g->web, now_ns);
		if (now_ns >= g->send_again_ns)
			tell_engine(g, now_ns);
	}
	return 0;
}

/* --- start -------------------------------------------------------------------------------- */

static uint16_t bound_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = { 0 };
	socklen_t size = sizeof(address);

	if (fd < 0 || getsockname(fd, &address.any, &size) < 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
						       : address.v4.sin_port);
}

/* Each connection takes one descriptor, and more than the usual 1,024 are allowed. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS)
		return;
	rlim_t hard = limit.rlim_max;
	limit.rlim_cur = DESCRIPTORS;
	if (limit.rlim_max < DESCRIPTORS)
		limit.rlim_max = DESCRIPTORS; /* root may */
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return;
	limit.rlim_cur = limit.rlim_max = hard;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int set_nonblocking(int fd)
{
	int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);

	if (fd < 0)
		return 0;
	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int acquire(struct gate *g, const struct weir_gate_options *o)
{
	int owner_error;

	/* The keeper decides when to end; a terminal's Ctrl-C goes to it as well. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	tzset();
	raise_descriptors();
	int r = set_nonblocking(o->unix_fd);
	if (r == 0)
		r = set_nonblocking(o->tcp_fd);
	g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r < 0 || g->epoll_fd < 0)
		return r < 0 ? r : -errno;
	const struct web_server_options web = {
		.epoll_fd = g->epoll_fd,
		.tcp_name = o->tcp_name,
		.tcp_port = bound_port(o->tcp_fd),
		.token = o->token,
		.store_sock = o->store_sock,
		.no_past = o->no_past,
	};
	r = web_server_new(&web, &g->web, &owner_error);
	if (r < 0)
		return r;
	if (owner_error < 0 && o->tcp_fd >= 0)
		weir_warning("who connects over TCP can't be told (sock_diag: %s): the token is "
			     "needed there",
			     strerror(-owner_error));
	r = watch(g, g->engine_sock, TAG_ENGINE);
	if (r == 0)
		r = watch(g, g->web->past.sock, TAG_STORE);
	if (r == 0)
		r = watch(g, g->unix_fd, TAG_UNIX);
	if (r == 0)
		r = watch(g, g->tcp_fd, TAG_TCP);
	return r < 0 ? r : watch(g, g->web->mhd_fd, TAG_LIBRARY);
}

static int give_up_rights(void)
{
	const char *missing;
	uid_t uid;
	gid_t gid;

	weir_sandbox_identity(&uid, &gid);
	int r = weir_sandbox_drop(uid, gid);
	if (r == 0)
		r = weir_sandbox_gate(&missing);
	if (r == 0 && missing)
		weir_warning("%s", missing);
	return r;
}

int weir_gate_run(const struct weir_gate_options *o)
{
	struct gate g = {
		.epoll_fd = -1,
		.engine_sock = o->engine_sock,
		.unix_fd = o->unix_fd,
		.tcp_fd = o->tcp_fd,
	};

	weir_log_init("gate");
	int r = acquire(&g, o);
	if (r < 0)
		weir_error("the HTTP server can't start: %s", strerror(-r));
	if (r == 0) {
		r = give_up_rights();
		if (r < 0)
			weir_error("rights can't be given up, so nothing is served: %s",
				   strerror(-r));
	}
	int status = r < 0 ? 1 : serve(&g);
	web_server_free(g.web);
	if (g.epoll_fd >= 0)
		close(g.epoll_fd);
	return status;
}
