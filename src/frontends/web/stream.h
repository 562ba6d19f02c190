// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "frontends/web/limits.h"
#include "frontends/web/topic.h"

/* Server-Sent Events. A publication hands every stream the same texts. A reader who has not taken
 * the one before gets nothing new until it has; then it starts afresh with a whole snapshot. */

struct web_connection;
struct web_server;

#define WEB_QUEUE (2 * WEB_TOPICS)

struct web_subscription {
	struct web_topic *topic;
	bool behind; /* the next thing it gets is the whole table */
};

struct web_stream {
	TAILQ_ENTRY(web_stream) link;
	struct web_connection *connection;
	struct web_subscription subscriptions[WEB_TOPICS];
	unsigned n_subscriptions;
	struct web_payload *queue[WEB_QUEUE];
	unsigned head, n;
	size_t sent;	      /* bytes of queue[head] */
	uint64_t fed_ns;      /* something was last put in */
	uint64_t progress_ns; /* the reader last took something, or something was put into an empty
				 queue */
	bool started;
	bool suspended;
	bool ending;
};

TAILQ_HEAD(web_stream_list, web_stream);

struct web_streams {
	struct web_stream_list list;
	unsigned n;
	struct web_topics topics;
	struct weir_snapshot *published; /* what the streams have seen */
	uint64_t published_ns;
	bool pending; /* a newer one waits for its turn */
	struct web_payload *hello, *heartbeat;
};

int web_streams_init(struct web_streams *s, struct web_accounts *accounts);
void web_streams_done(struct web_streams *s);

/* Makes a stream without topics. NULL when memory runs out. */
struct web_stream *web_stream_new(struct web_connection *c);
struct web_stream *web_stream_free(struct web_stream *st); /* accepts NULL, returns NULL */

/* Adds a topic; the stream takes the reference over. -E2BIG: too many. */
int web_stream_subscribe(struct web_stream *st, struct web_topic *t);

/* From here on it is fed. */
void web_stream_start(struct web_streams *s, struct web_stream *st, uint64_t now_ns);

/* Copies what waits into buffer: the HTTP library's content reader. 0: nothing, the connection is
 * suspended; -1: the stream ends. */
ptrdiff_t web_stream_read(struct web_stream *st, char *buffer, size_t size);

/* Ends it: the reader sees its connection closed, and comes back if it wants to. */
void web_stream_end(struct web_stream *st);

/* A newer snapshot is there. */
void web_streams_snapshot(struct web_server *server, bool tick, uint64_t now_ns);

/* Publishes what waits once its time has come, sends heartbeats, ends stalled streams. */
void web_streams_run(struct web_server *server, uint64_t now_ns);
void web_streams_sweep(struct web_server *server, uint64_t now_ns);

/* How long until web_streams_run() has something to do; UINT64_MAX: not by itself. */
uint64_t web_streams_wait_ns(const struct web_server *server, uint64_t now_ns);
