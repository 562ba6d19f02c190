// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <microhttpd.h>

#include "core/query.h"
#include "daemon/ipc.h"
#include "frontends/web/server.h"

/* One request from its first line to its last byte. */

enum web_request_state {
	WEB_REQUEST_READING,   /* its head arrives */
	WEB_REQUEST_CHECKED,   /* the head is good, no body follows */
	WEB_REQUEST_WAITING,   /* suspended until a snapshot is new enough */
	WEB_REQUEST_READY,     /* its answer is made */
	WEB_REQUEST_STREAMING, /* its answer goes on */
	WEB_REQUEST_ABANDONED, /* the client is gone */
};

struct web_request {
	TAILQ_ENTRY(web_request) link; /* while it waits */
	struct web_connection *connection;
	enum web_request_state state;
	char *raw;	  /* path and query as sent */
	uintptr_t raw_at; /* where that stood in the HTTP library's buffer */
	struct weir_viewer viewer;
	struct web_account *account;

	/* What is asked. */
	const struct weir_table *table; /* NULL: metrics or a stream */
	struct weir_query query;
	struct weir_filter *filter;
	bool indent;
	struct web_stream *stream;
	bool queued; /* the stream's answer is on its way */
	struct weir_past_question *question; /* of a table of the past; owned */
	struct weir_history_span span;       /* and what was answered */
	unsigned asked;                      /* how many stores */

	/* When it may be answered. */
	uint64_t serial, deadline_ns;

	/* The answer. */
	unsigned status;
	struct web_payload *payload; /* NULL: an error, which error tells */
	const char *error;
	char *own_error; /* where the error is text of its own */
};

/* Callbacks of the HTTP library, see web_server_new(). */
void *web_request_begin(void *server, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result web_request_handle(void *server, struct MHD_Connection *mhd, const char *url,
				   const char *method, const char *version, const char *upload,
				   size_t *upload_size, void **request);
void web_request_end(void *server, struct MHD_Connection *mhd, void **request,
		     enum MHD_RequestTerminationCode why);

/* Of those that wait the smallest comes first: who sees everything, then whoever had least of the gate's time. */
uint64_t web_request_rank(const struct web_request *r);

/* Makes r->payload for one that waits. False: it could not be, and the request is finished with that. */
bool web_request_render(struct web_request *r, const struct weir_snapshot *s);

/* One that waits goes on with its payload, or with an error, which is borrowed. */
void web_request_finish(struct web_request *r, unsigned status, const char *error);

/* The client of a waiting or streaming request hung up. */
void web_request_abandon(struct web_request *r);
