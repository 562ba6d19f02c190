// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frontends/web/server.h"

/* --- one stream --------------------------------------------------------------------------- */

struct web_stream *web_stream_new(struct web_connection *c)
{
	struct web_stream *st = calloc(1, sizeof(*st));

	if (st)
		st->connection = c;
	return st;
}

int web_stream_subscribe(struct web_stream *st, struct web_topic *t)
{
	if (st->n_subscriptions == WEB_TOPICS)
		return -E2BIG;
	st->subscriptions[st->n_subscriptions++] =
		(struct web_subscription){ .topic = t, .behind = true };
	return 0;
}

static void push(struct web_stream *st, struct web_payload *p, uint64_t now_ns)
{
	if (st->n == 0)
		st->progress_ns = now_ns;
	st->fed_ns = now_ns;
	st->queue[(st->head + st->n++) % WEB_QUEUE] = web_payload_ref(p);
}

static void pop(struct web_stream *st)
{
	web_payload_unref(st->queue[st->head]);
	st->head = (st->head + 1) % WEB_QUEUE;
	st->n--;
	st->sent = 0;
}

/* Takes back what the reader has not begun to get; half an event can't be taken back. */
static void drop_unsent(struct web_stream *st)
{
	unsigned kept = st->sent ? 1 : 0;

	while (st->n > kept) {
		unsigned last = (st->head + st->n - 1) % WEB_QUEUE;
		web_payload_unref(st->queue[last]);
		st->n--;
	}
}

static void drop_all(struct web_stream *st)
{
	while (st->n)
		pop(st);
}

static void wake(struct web_stream *st)
{
	if (st->suspended) {
		st->suspended = false;
		web_connection_resume(st->connection);
	}
}

void web_stream_end(struct web_stream *st)
{
	if (st->ending)
		return;
	drop_all(st);
	st->ending = true;
	if (st->suspended)
		wake(st);
	else
		web_connection_cut(st->connection);
}

struct web_stream *web_stream_free(struct web_stream *st)
{
	if (!st)
		return NULL;
	struct web_streams *s = &st->connection->server->streams;
	if (st->started) {
		TAILQ_REMOVE(&s->list, st, link);
		s->n--;
	}
	drop_all(st);
	for (unsigned i = 0; i < st->n_subscriptions; i++)
		web_topic_unref(st->subscriptions[i].topic);
	free(st);
	if (s->n == 0) {
		s->published = weir_snapshot_unref(s->published);
		s->pending = false;
	}
	return NULL;
}

void web_stream_start(struct web_streams *s, struct web_stream *st, uint64_t now_ns)
{
	TAILQ_INSERT_TAIL(&s->list, st, link);
	st->started = true;
	s->n++;
	s->pending = true; /* the next publication is its first, even when it brings nothing else */
	push(st, s->hello, now_ns);
}

ptrdiff_t web_stream_read(struct web_stream *st, char *buffer, size_t size)
{
	size_t copied = 0;

	if (st->ending)
		return -1;
	while (st->n && copied < size) {
		const struct weir_buf *text = &st->queue[st->head]->text;
		size_t part = text->len - st->sent;
		if (part > size - copied)
			part = size - copied;
		memcpy(buffer + copied, text->data + st->sent, part);
		copied += part;
		st->sent += part;
		if (st->sent == text->len)
			pop(st);
	}
	if (copied) {
		st->progress_ns = weir_mono_ns();
	} else {
		st->suspended = true;
		MHD_suspend_connection(st->connection->mhd);
	}
	return (ptrdiff_t)copied;
}

/* --- all of them -------------------------------------------------------------------------- */

static struct web_payload *fixed_text(struct web_accounts *accounts, const char *text)
{
	const struct weir_viewer nobody = { .uid = WEIR_UID_HOST };
	struct web_account *a = web_account_get(accounts, &nobody, true);
	struct web_payload *p = a ? web_payload_new(a) : NULL;

	web_account_unref(a);
	if (!p)
		return NULL;
	weir_buf_str(&p->text, text);
	return web_payload_seal(p) < 0 ? web_payload_unref(p) : p;
}

int web_streams_init(struct web_streams *s, struct web_accounts *accounts)
{
	*s = (struct web_streams){ 0 };
	TAILQ_INIT(&s->list);
	LIST_INIT(&s->topics);
	/* How long a browser waits before it comes back. */
	s->hello = fixed_text(accounts, "retry: 1000\n\n");
	s->heartbeat = fixed_text(accounts, ": still here\n\n");
	return s->hello && s->heartbeat ? 0 : -ENOMEM;
}

void web_streams_done(struct web_streams *s)
{
	s->published = weir_snapshot_unref(s->published);
	s->hello = web_payload_unref(s->hello);
	s->heartbeat = web_payload_unref(s->heartbeat);
}

static void all_behind(struct web_stream *st)
{
	for (unsigned i = 0; i < st->n_subscriptions; i++)
		st->subscriptions[i].behind = true;
}

/* What one subscription gets out of this publication; *ret may be NULL. */
static int pick(struct web_subscription *sub, struct web_step *step, bool drained,
		struct web_payload **ret)
{
	*ret = NULL;
	if (!sub->behind)
		return web_topic_changes(sub->topic, step, ret);
	if (!drained)
		return 0;
	int r = web_topic_full(sub->topic, step, ret);
	if (r == 0)
		sub->behind = false;
	return r;
}

static void feed(struct web_stream *st, struct web_step *step, uint64_t now_ns)
{
	bool drained = st->n == 0 || st->queue[st->head] == st->connection->server->streams.hello;
	struct web_payload *p;

	if (st->n > st->n_subscriptions) {
		drop_unsent(st);
		all_behind(st);
	}
	for (unsigned i = 0; i < st->n_subscriptions; i++) {
		struct web_subscription *sub = &st->subscriptions[i];
		if (pick(sub, step, drained, &p) < 0)
			sub->behind = true; /* no memory now: afresh when there is some */
		else if (p && st->n < WEB_QUEUE)
			push(st, p, now_ns);
	}
	if (st->n)
		wake(st);
}

/* Beyond the share of the account, readers that do not keep up lose their streams. */
static bool over_budget(const struct web_stream *st, uint64_t now_ns)
{
	const struct web_account *a = st->subscriptions[0].topic->account;

	return st->n && a->bytes > web_account_bytes_max(a) &&
	       now_ns - st->progress_ns > WEB_SECOND_NS;
}

static void publish(struct web_server *server, bool tick, uint64_t now_ns)
{
	struct web_streams *s = &server->streams;
	struct web_step step = { .before = s->published, .now = server->snapshot, .tick = tick };
	struct web_stream *st;
	struct web_topic *t;
	bool lost = !step.before ||
		    weir_snapshot_head(step.before)->number > weir_snapshot_head(step.now)->number;

	TAILQ_FOREACH(st, &s->list, link)
	{
		if (lost)
			all_behind(st);
		if (over_budget(st, now_ns))
			web_stream_end(st);
		if (!st->ending)
			feed(st, &step, now_ns);
	}
	lost = false;
	LIST_FOREACH(t, &s->topics, link)
	lost = web_topic_published(t, &step) < 0 || lost;
	web_step_done(&step);
	weir_snapshot_unref(s->published);
	s->published = lost ? NULL : weir_snapshot_ref(server->snapshot);
	s->published_ns = now_ns;
	s->pending = false;
}

void web_streams_snapshot(struct web_server *server, bool tick, uint64_t now_ns)
{
	if (server->streams.n == 0)
		return;
	if (tick)
		publish(server, true, now_ns);
	else
		server->streams.pending = true;
}

uint64_t web_streams_wait_ns(const struct web_server *server, uint64_t now_ns)
{
	const struct web_streams *s = &server->streams;

	if (!s->pending || !server->snapshot)
		return UINT64_MAX;
	uint64_t at = s->published_ns + WEB_PUBLISH_INTERVAL_NS;
	return at > now_ns ? at - now_ns : 0;
}

void web_streams_run(struct web_server *server, uint64_t now_ns)
{
	if (web_streams_wait_ns(server, now_ns) == 0)
		publish(server, false, now_ns);
}

void web_streams_sweep(struct web_server *server, uint64_t now_ns)
{
	struct web_streams *s = &server->streams;
	struct web_stream *st;

	TAILQ_FOREACH(st, &s->list, link)
	{
		if (st->ending)
			continue;
		if (st->n && now_ns - st->progress_ns >= WEB_STREAM_STALL_NS) {
			web_stream_end(st);
		} else if (!st->n && now_ns - st->fed_ns >= WEB_HEARTBEAT_NS) {
			push(st, s->heartbeat, now_ns);
			wake(st);
		}
	}
}
