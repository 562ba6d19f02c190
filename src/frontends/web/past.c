// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ASKED_MOST 2 /* a question at which stores die is not asked again and again */
#define AGAIN_NS (20ull * 1000 * 1000)

void web_past_later(struct web_request *r, uint64_t now_ns)
{
	struct web_server *server = r->connection->server;

	r->state = WEB_REQUEST_WAITING;
	r->deadline_ns = now_ns + WEB_PAST_NS;
	TAILQ_INSERT_TAIL(&server->past.waiting, r, link);
	MHD_suspend_connection(r->connection->mhd);
}

void web_past_never(struct web_request *r)
{
	struct web_past *past = &r->connection->server->past;

	TAILQ_REMOVE(&past->waiting, r, link);
	if (past->asked == r)
		past->asked = NULL; /* its answer is nobody's */
}

static void disconnect(struct web_past *past)
{
	weir_closep(&past->sock);
	past->busy = false;
	past->asked = NULL;
}

void web_past_connect(struct web_server *server, int sock)
{
	disconnect(&server->past);
	server->past.sock = sock;
}

/* --- answers ------------------------------------------------------------------------------ */

/* For r and for all who asked the very same. */
static void answer_all(struct web_server *server, struct web_request *r)
{
	struct web_payload *payload = r->payload;
	struct web_request *other, *next;

	for (other = TAILQ_FIRST(&server->past.waiting); other; other = next) {
		next = TAILQ_NEXT(other, link);
		if (other == r || other->account != r->account || strcmp(other->raw, r->raw) != 0)
			continue;
		other->payload = web_payload_ref(payload);
		web_request_finish(other, MHD_HTTP_OK, NULL);
	}
	web_request_finish(r, MHD_HTTP_OK, NULL);
}

static void take_answer(struct web_server *server, struct web_request *r, const struct weir_message *m,
			const void *payload, int fd)
{
	struct weir_snapshot *s;

	if (m->size != sizeof(r->span) || weir_snapshot_map(fd, &s) < 0) {
		web_request_finish(r, MHD_HTTP_SERVICE_UNAVAILABLE, "history's answer can't be read");
		return;
	}
	memcpy(&r->span, payload, sizeof(r->span));
	r->query.span = &r->span;
	if (web_request_render(r, s))
		answer_all(server, r);
	weir_snapshot_unref(s);
}

static void take_refusal(struct web_request *r, const struct weir_message *m, const char *why)
{
	r->own_error = strdup(why);
	web_request_finish(r, m->count == EINVAL ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_SERVICE_UNAVAILABLE,
			   r->own_error ? r->own_error : "history has no answer to that");
}

void web_past_hear(struct web_server *server, uint64_t now_ns)
{
	char payload[WEIR_PAYLOAD_MAX + 1] __attribute__((aligned(8)));
	struct web_past *past = &server->past;

	for (;;) {
		_cleanup_close_ int fd = -1;
		struct web_request *r;
		struct weir_message m;
		int e = weir_message_receive_with(past->sock, &m, payload, &fd);

		if (e == -EBADMSG)
			continue;
		if (e < 0)
			disconnect(past);
		if (e <= 0)
			return;
		if (!past->busy || m.serial != past->serial)
			continue;
		r = past->asked;
		past->busy = false;
		past->asked = NULL;
		if (!r)
			continue; /* who asked is gone */
		r->account->spent_ns += now_ns > past->asked_ns ? now_ns - past->asked_ns : 0;
		if (m.type == WEIR_MESSAGE_PAST)
			take_answer(server, r, &m, payload, fd);
		else
			take_refusal(r, &m, payload);
	}
}

/* --- questions ---------------------------------------------------------------------------- */

static struct web_request *next_question(const struct web_server *server)
{
	struct web_request *r, *best = NULL;

	TAILQ_FOREACH(r, &server->past.waiting, link)
	{
		if (!best || web_request_rank(r) < web_request_rank(best))
			best = r;
		if (web_request_rank(best) == 0)
			break;
	}
	return best;
}

static void ask(struct web_server *server, uint64_t now_ns)
{
	struct web_past *past = &server->past;
	struct weir_message m = { .type = WEIR_MESSAGE_QUESTION, .size = sizeof(struct weir_past_question) };
	struct web_request *r;

	past->again_ns = 0;
	while (past->sock >= 0 && !past->busy && (r = next_question(server))) {
		if (r->asked >= ASKED_MOST) {
			web_request_finish(r, MHD_HTTP_SERVICE_UNAVAILABLE,
					   "history's process ended over this question: see the daemon's log");
			continue;
		}
		m.serial = past->serial + 1;
		int e = weir_message_send_with(past->sock, &m, r->question, -1);
		if (e == -EAGAIN) {
			past->again_ns = now_ns + AGAIN_NS;
			return;
		}
		if (e < 0)
			return; /* it is gone; that is heard, too, and another one comes */
		past->serial = m.serial;
		past->asked = r;
		past->asked_ns = now_ns;
		past->busy = true;
		r->asked++;
	}
}

void web_past_run(struct web_server *server, uint64_t now_ns)
{
	struct web_past *past = &server->past;
	struct web_request *r;

	/* In the order of arrival, so the first one that has time left ends the search. */
	while ((r = TAILQ_FIRST(&past->waiting)) && now_ns >= r->deadline_ns)
		web_request_finish(r, MHD_HTTP_SERVICE_UNAVAILABLE,
				   past->sock < 0 ?
					   "history's process does not run just now: weir doctor, or the daemon's log, tells why" :
					   "history did not answer within 10 s: ask for less at once, or see weir doctor");
	if (now_ns >= past->again_ns)
		ask(server, now_ns);
}

uint64_t web_past_wait_ns(const struct web_server *server, uint64_t now_ns)
{
	const struct web_past *past = &server->past;
	const struct web_request *first = TAILQ_FIRST(&past->waiting);
	uint64_t at;

	if (!first)
		return UINT64_MAX;
	if (past->sock >= 0 && !past->busy && !past->again_ns)
		return 0;
	at = past->again_ns && past->again_ns < first->deadline_ns ? past->again_ns : first->deadline_ns;
	return at > now_ns ? at - now_ns : 0;
}
