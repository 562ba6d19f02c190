// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "core/snapshot.h"
#include "frontends/web/account.h"
#include "frontends/web/guard.h"
#include "frontends/web/limits.h"
#include "frontends/web/owner.h"
#include "frontends/web/refresh.h"
#include "frontends/web/stream.h"

/* The HTTP server: connections and what is asked on them. libmicrohttpd reads and writes HTTP; who
 * may connect, how long anything may take and what is answered is decided here. One thread; the
 * owner of the server (gate.c) waits for its descriptors and calls it. */

struct web_request;

/* One client's connection. Slots are reused; the generation tells a late event from the new user.
 */
struct web_connection {
	struct web_server *server;
	struct MHD_Connection *mhd; /* NULL: a free slot */
	struct web_account *account;
	struct weir_viewer viewer;
	bool known; /* the kernel named the owner */
	bool tcp;
	int fd;
	uint32_t generation;
	uint64_t head_deadline_ns;   /* 0 while a request is being answered */
	uint64_t half_closed_ns;     /* the client has sent its last byte; 0: not yet */
	uint64_t answer_deadline_ns; /* 0 while none is being read */
	struct web_request *request; /* the one that is being read or answered */
};

TAILQ_HEAD(web_waiting, web_request);

/* What is asked of the engine. It is sent by the owner of the server at the end of a turn. */
struct web_wishes {
	struct web_refresh refresh;
	bool measure;
};

/* What is asked of the store. */
struct web_past {
	struct web_waiting waiting;
	struct web_request *asked; /* whose question is out; NULL: who asked is gone, or none is */
	uint64_t serial, asked_ns; /* of that question */
	uint64_t again_ns;         /* 0: the store reads what it is sent */
	bool busy;                 /* a question is out */
	int sock;                  /* -1: no store runs just now */
	const char *missing;       /* why there is no history; NULL: there is. Borrowed */
};

struct web_server {
	struct MHD_Daemon *mhd;
	int mhd_fd;
	int epoll_fd; /* the owner's: hang-ups of connections are watched there */
	struct web_owner owner;
	struct web_hosts hosts;
	const char *token; /* borrowed; NULL: none */
	struct web_accounts accounts;
	struct web_connection connections[WEB_CONNECTIONS];
	unsigned n_connections;
	unsigned n_trusted;		  /* of them, from those who see everything */
	struct web_connection *accepting; /* handed to the HTTP library just now */
	struct web_wishes wishes;
	struct weir_snapshot *snapshot; /* the newest; NULL before the first */
	struct web_waiting waiting;	/* requests that wait for one that is new enough */
	struct web_past past;
	struct web_streams streams;
	bool resumed; /* the HTTP library has something to go on with */
	uint64_t swept_ns;
};

struct web_server_options {
	int epoll_fd;
	const char *tcp_name; /* "127.0.0.1:9474" */
	uint16_t tcp_port;    /* the one that is bound; 0 without TCP */
	const char *token;
	int store_sock;       /* or -1; taken over */
	const char *no_past;  /* why there is no history, or NULL */
};

/* Called with full rights; asks nothing of the system later that the sandbox forbids. On failure
 * nothing stays open. *ret_owner_error: why owners of TCP connections can't be found, or 0. */
int web_server_new(const struct web_server_options *o, struct web_server **ret,
		   int *ret_owner_error);
struct web_server *web_server_free(struct web_server *s); /* accepts NULL, returns NULL */

/* Accepts what waits on a listener. -EMFILE and the like: the caller lets the listener rest. */
int web_server_accept(struct web_server *s, int listen_fd, bool tcp);

/* A watched connection hung up; data is what the epoll event carried. */
void web_server_hang_up(struct web_server *s, uint64_t data, uint32_t events);

/* Takes a reference of the snapshot. serial: the newest question that it answers. */
void web_server_snapshot(struct web_server *s, struct weir_snapshot *snapshot, uint64_t serial,
			 bool tick, uint64_t now_ns);

/* One turn: answers what can be answered, lets the HTTP library work, ends what took too long. */
void web_server_run(struct web_server *s, uint64_t now_ns);

/* How long the caller may sleep, in ms; -1: until something happens. */
int web_server_timeout_ms(const struct web_server *s, uint64_t now_ns);

/* Ends a connection from outside of the HTTP library, which then sees it closed. */
void web_connection_cut(struct web_connection *c);

/* Lets a suspended connection go on in this turn. */
void web_connection_resume(struct web_connection *c);
