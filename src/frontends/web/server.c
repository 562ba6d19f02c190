// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "frontends/web/answer.h"
#include "frontends/web/past.h"
#include "frontends/web/request.h"

#define ACCEPT_BATCH 64
#define SWEEP_INTERVAL_NS WEB_SECOND_NS

/* --- connections -------------------------------------------------------------------------- */

/* Written past the HTTP library, to those it never hears of or that never became a request. */
static void send_plain(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

#define LAST_WORDS(status, sentence)             \
	"HTTP/1.1 " status "\r\n"                \
	"Connection: close\r\n"                  \
	"Content-Type: application/json\r\n\r\n" \
	"{\"error\":\"" sentence "\"}\n"

static const char busy_text[] =
	LAST_WORDS("503 Service Unavailable", "too many connections just now");
static const char late_text[] =
	LAST_WORDS("408 Request Timeout", "the request took longer than 10 s");

static struct web_connection *free_slot(struct web_server *s)
{
	for (unsigned i = 0; i < WEB_CONNECTIONS; i++)
		if (!s->connections[i].account)
			return &s->connections[i];
	return NULL;
}

static void release_slot(struct web_connection *c)
{
	c->server->n_connections--;
	c->server->n_trusted -= c->viewer.sees_all;
	c->account->connections--;
	c->account = web_account_unref(c->account);
	c->mhd = NULL;
	c->fd = -1;
	c->generation++;
}

static void on_connection(void *server, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct web_server *s = server;
	struct web_connection *c = *context;

	switch (code) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		*context = s->accepting;
		s->accepting->mhd = mhd;
		break;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		if (c)
			release_slot(c);
		*context = NULL;
		break;
	}
}

static uint64_t event_data(const struct web_connection *c)
{
	return (uint64_t)(c->generation & INT32_MAX) << 32 | (uint64_t)(c - c->server->connections);
}

/* Whether there is room for one more of that account. Some places are kept for those who see
 * everything, and some for those who don't: neither can shut the other out. */
static bool has_room(const struct web_server *s, const struct web_account *a)
{
	unsigned others = s->n_connections - s->n_trusted;

	if (s->n_connections == WEB_CONNECTIONS)
		return false;
	if (!a->viewer.sees_all && others >= WEB_CONNECTIONS - WEB_CONNECTIONS_KEPT)
		return false;
	return a->connections < web_account_connections_max(a);
}

static void turn_away(int fd)
{
	send_plain(fd, busy_text);
	shutdown(fd, SHUT_WR);
	close(fd);
}

/* Takes the descriptor over. */
static void admit(struct web_server *s, int fd, bool tcp, const struct sockaddr *address,
		  socklen_t size)
{
	struct weir_viewer viewer = { .uid = WEIR_UID_HOST };
	bool known = (tcp ? web_owner_of_tcp(&s->owner, fd, &viewer)
			  : web_owner_of_unix(&s->owner, fd, &viewer)) == 0;
	struct web_account *account = web_account_get(&s->accounts, &viewer, !known);
	struct web_connection *c = account && has_room(s, account) ? free_slot(s) : NULL;

	if (!c) {
		web_account_unref(account);
		turn_away(fd);
		return;
	}
	*c = (struct web_connection){
		.server = s,
		.account = account,
		.viewer = viewer,
		.known = known,
		.tcp = tcp,
		.fd = fd,
		.generation = c->generation + 1,
		.head_deadline_ns = weir_mono_ns() + WEB_HEAD_NS,
	};
	account->connections++;
	s->n_connections++;
	s->n_trusted += viewer.sees_all;
	/* While a request waits, the library does not look at its connection: hang-ups come here.
	 */
	struct epoll_event event = {
		.events = EPOLLRDHUP | EPOLLET,
		.data.u64 = event_data(c),
	};
	(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	s->accepting = c;
	if (MHD_add_connection(s->mhd, fd, address, size) != MHD_YES && c->account)
		release_slot(c); /* the library has closed the descriptor */
	s->accepting = NULL;
	s->resumed = true;
}

int web_server_accept(struct web_server *s, int listen_fd, bool tcp)
{
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_storage address = { 0 };
		socklen_t size = sizeof(address);
		int fd = accept4(listen_fd, (struct sockaddr *)&address, &size,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			admit(s, fd, tcp, (struct sockaddr *)&address, size);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		/* Errors of a single client, who is gone again; see accept(2). */
		if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == EPERM)
			continue;
		return -errno;
	}
	return 0;
}

void web_connection_cut(struct web_connection *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->server->resumed = true;
}

void web_connection_resume(struct web_connection *c)
{
	MHD_resume_connection(c->mhd);
	c->server->resumed = true;
}

void web_server_hang_up(struct web_server *s, uint64_t data, uint32_t events)
{
	uint32_t slot = (uint32_t)data;
	struct web_connection *c = slot < WEB_CONNECTIONS ? &s->connections[slot] : NULL;

	if (!c || !c->account || event_data(c) != data)
		return;
	struct web_request *r = c->request;
	if (!c->half_closed_ns)
		c->half_closed_ns = weir_mono_ns();
	if (!r)
		return;
	/* A reader of a stream has nothing more to say but goodbye. Others may close their half
	 * early and still wait for the answer. */
	if (r->state == WEB_REQUEST_STREAMING)
		web_stream_end(r->stream);
	else if (r->stream || (events & (EPOLLHUP | EPOLLERR)))
		web_request_abandon(r);
}

/* A client that is gone in the middle of a head, or between two: the library misses that when the
 * end came together with the last bytes. A second is enough for it to have read them. */
static bool is_forsaken(const struct web_connection *c, uint64_t now_ns)
{
	return c->half_closed_ns && now_ns - c->half_closed_ns >= WEB_SECOND_NS &&
	       (!c->request || c->request->state == WEB_REQUEST_READING);
}

static void sweep_connection(struct web_connection *c, uint64_t now_ns)
{
	if (is_forsaken(c, now_ns)) {
		web_connection_cut(c);
	} else if (c->head_deadline_ns && now_ns >= c->head_deadline_ns) {
		c->head_deadline_ns = 0;
		send_plain(c->fd, late_text);
		web_connection_cut(c);
	} else if (c->answer_deadline_ns && now_ns >= c->answer_deadline_ns) {
		c->answer_deadline_ns = 0;
		web_connection_cut(c);
	}
}

/* Once a second: whatever takes longer than it may. */
static void sweep(struct web_server *s, uint64_t now_ns)
{
	for (unsigned i = 0; i < WEB_CONNECTIONS; i++)
		if (s->connections[i].account)
			sweep_connection(&s->connections[i], now_ns);
	web_streams_sweep(s, now_ns);
	web_accounts_decay(&s->accounts);
}

/* --- the server --------------------------------------------------------------------------- */

static struct MHD_Daemon *start_library(struct web_server *s)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
				0, NULL, NULL, web_request_handle, s,			       /* */
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)(WEB_CONNECTIONS + 16), /* */
				MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)WEB_CONNECTION_BYTES,				   /* */
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)WEB_IDLE_SECONDS, /* */
				MHD_OPTION_STRICT_FOR_CLIENT, 1,			   /* */
				MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,			   /* */
				MHD_OPTION_URI_LOG_CALLBACK, web_request_begin, s,	   /* */
				MHD_OPTION_NOTIFY_COMPLETED, web_request_end, s,	   /* */
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,		   /* */
				MHD_OPTION_END);
}

int web_server_new(const struct web_server_options *o, struct web_server **ret,
		   int *ret_owner_error)
{
	struct web_server *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	LIST_INIT(&s->accounts);
	TAILQ_INIT(&s->waiting);
	TAILQ_INIT(&s->past.waiting);
	s->past.sock = o->store_sock;
	s->past.missing = o->no_past;
	s->epoll_fd = o->epoll_fd;
	s->token = o->token && *o->token ? o->token : NULL;
	for (unsigned i = 0; i < WEB_CONNECTIONS; i++)
		s->connections[i].server = s;
	web_hosts_init(&s->hosts, o->tcp_name, o->tcp_port);
	int r = web_owner_open(&s->owner, ret_owner_error);
	if (r == 0)
		r = web_streams_init(&s->streams, &s->accounts);
	if (r == 0) {
		s->mhd = start_library(s);
		r = s->mhd ? 0 : -ENOMEM;
	}
	const union MHD_DaemonInfo *info =
		r == 0 ? MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		web_server_free(s);
		return r < 0 ? r : -EIO;
	}
	s->mhd_fd = info->epoll_fd;
	*ret = s;
	return 0;
}

struct web_server *web_server_free(struct web_server *s)
{
	struct web_stream *st;
	struct web_request *r;

	if (!s)
		return NULL;
	if (s->mhd) {
		/* The library wants nothing suspended when it stops. */
		TAILQ_FOREACH(st, &s->streams.list, link)
		web_stream_end(st);
		while ((r = TAILQ_FIRST(&s->waiting)))
			web_request_abandon(r);
		while ((r = TAILQ_FIRST(&s->past.waiting)))
			web_request_abandon(r);
		MHD_run(s->mhd);
		MHD_stop_daemon(s->mhd);
	}
	web_streams_done(&s->streams);
	web_owner_close(&s->owner);
	weir_closep(&s->past.sock);
	weir_snapshot_unref(s->snapshot);
	free(s);
	return NULL;
}

void web_server_snapshot(struct web_server *s, struct weir_snapshot *snapshot, uint64_t serial,
			 bool tick, uint64_t now_ns)
{
	weir_snapshot_unref(s->snapshot);
	s->snapshot = weir_snapshot_ref(snapshot);
	web_refresh_answer(&s->wishes.refresh, serial);
	web_streams_snapshot(s, tick, now_ns);
}

void web_server_run(struct web_server *s, uint64_t now_ns)
{
	web_answers_run(s, now_ns);
	web_past_run(s, now_ns);
	web_streams_run(s, now_ns);
	if (now_ns - s->swept_ns >= SWEEP_INTERVAL_NS) {
		s->swept_ns = now_ns;
		sweep(s, now_ns);
	}
	s->resumed = false;
	MHD_run(s->mhd);
	if (!s->n_connections) /* nobody is there, and who comes next asks for a newer one */
		s->snapshot = weir_snapshot_unref(s->snapshot);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int web_server_timeout_ms(const struct web_server *s, uint64_t now_ns)
{
	MHD_UNSIGNED_LONG_LONG library_ms;

	if (s->resumed)
		return 0;
	uint64_t ns = least(web_answers_wait_ns(s, now_ns), web_streams_wait_ns(s, now_ns));
	ns = least(ns, web_past_wait_ns(s, now_ns));
	if (s->n_connections) {
		uint64_t since_ns = now_ns - s->swept_ns;
		ns = least(ns, since_ns < SWEEP_INTERVAL_NS ? SWEEP_INTERVAL_NS - since_ns : 0);
	}
	if (MHD_get_timeout(s->mhd, &library_ms) == MHD_YES)
		ns = least(ns,
			   library_ms > 3600000 ? 3600 * WEB_SECOND_NS : library_ms * 1000000ull);
	if (ns == UINT64_MAX)
		return -1;
	return (int)((least(ns, 3600 * WEB_SECOND_NS) + 999999) / 1000000);
}
