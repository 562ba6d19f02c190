// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/answer.h"

#include <string.h>

#include "base/cleanup.h"

#define SHARED_MAX 16

/* Answers of this turn, for others who asked the very same. */
struct shared {
	struct {
		const char *raw; /* of a request that stays until the turn is over */
		struct web_account *account;
		struct web_payload *payload;
	} list[SHARED_MAX];
	unsigned n;
};

void web_answer_later(struct web_request *r, uint64_t now_ns)
{
	struct web_server *server = r->connection->server;

	r->state = WEB_REQUEST_WAITING;
	r->serial = web_refresh_want(&server->wishes.refresh);
	r->deadline_ns = now_ns + WEB_ENGINE_NS;
	TAILQ_INSERT_TAIL(&server->waiting, r, link);
	MHD_suspend_connection(r->connection->mhd);
}

void web_answer_never(struct web_request *r)
{
	TAILQ_REMOVE(&r->connection->server->waiting, r, link);
}

static bool is_ready(const struct web_server *server, const struct web_request *r)
{
	return server->snapshot && r->serial <= server->wishes.refresh.answered;
}

static struct web_request *next_ready(const struct web_server *server)
{
	struct web_request *r, *best = NULL;

	TAILQ_FOREACH(r, &server->waiting, link)
	{
		if (!is_ready(server, r))
			continue;
		if (!best || web_request_rank(r) < web_request_rank(best))
			best = r;
		if (web_request_rank(best) == 0)
			break;
	}
	return best;
}

static struct web_payload *find_shared(const struct shared *s, const struct web_request *r)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->list[i].account == r->account && strcmp(s->list[i].raw, r->raw) == 0)
			return s->list[i].payload;
	return NULL;
}

static void share(struct shared *s, const struct web_request *r)
{
	if (s->n == SHARED_MAX)
		return;
	s->list[s->n].raw = r->raw;
	s->list[s->n].account = r->account;
	s->list[s->n++].payload = web_payload_ref(r->payload);
}

static void shared_done(struct shared *s)
{
	while (s->n)
		web_payload_unref(s->list[--s->n].payload);
}

static void answer(struct web_server *server, struct web_request *r, struct shared *shared,
		   uint64_t now_ns)
{
	struct web_payload *same = find_shared(shared, r);

	if (r->stream) {
		web_answer_never(r);
		r->state = WEB_REQUEST_STREAMING;
		web_stream_start(&server->streams, r->stream, now_ns);
		web_connection_resume(r->connection);
		return;
	}
	if (same) {
		r->payload = web_payload_ref(same);
		web_request_finish(r, MHD_HTTP_OK, NULL);
		return;
	}
	uint64_t start_ns = weir_mono_ns();
	if (!web_request_render(r, server->snapshot))
		return;
	r->account->spent_ns += weir_mono_ns() - start_ns;
	share(shared, r);
	web_request_finish(r, MHD_HTTP_OK, NULL);
}

void web_answers_run(struct web_server *server, uint64_t now_ns)
{
	_cleanup_(shared_done) struct shared shared = { .n = 0 };
	uint64_t start_ns = weir_mono_ns();
	struct web_request *r;

	while ((r = next_ready(server))) {
		if (!r->viewer.sees_all && weir_mono_ns() - start_ns > WEB_TURN_NS)
			break; /* the rest in the next turn: others want the gate too */
		answer(server, r, &shared, now_ns);
	}
	/* In the order of arrival, so the first one that has time left ends the search. */
	while ((r = TAILQ_FIRST(&server->waiting)) && now_ns >= r->deadline_ns &&
	       !is_ready(server, r))
		web_request_finish(r, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "the engine did not answer within 5 s: weir doctor, or the daemon's log, "
				   "tells why");
}

uint64_t web_answers_wait_ns(const struct web_server *server, uint64_t now_ns)
{
	const struct web_request *first = TAILQ_FIRST(&server->waiting);

	if (!first)
		return UINT64_MAX;
	if (next_ready(server))
		return 0;
	return first->deadline_ns > now_ns ? first->deadline_ns - now_ns : 0;
}
