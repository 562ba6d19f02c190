// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/dns/dns_stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX 2 /* a message's length stands in front of it (RFC 1035 4.2.2) */

struct stream {
	uint64_t cookie; /* 0: free */
	uint64_t next;   /* offset of the byte that comes next */
	uint64_t used_ns;
	uint32_t left;   /* of the message, or of its prefix while .in_prefix */
	uint32_t have;   /* bytes in .bytes */
	uint16_t prefix;
	bool in_prefix;
	bool hole;       /* a byte of this message was not captured: what follows it is of no use */
	uint8_t bytes[DNS_STREAM_MESSAGE];
};

struct dns_streams {
	struct stream *streams[DNS_STREAMS_MAX];
};

struct dns_streams *dns_streams_new(void)
{
	return calloc(1, sizeof(struct dns_streams));
}

struct dns_streams *dns_streams_free(struct dns_streams *s)
{
	if (!s)
		return NULL;
	for (unsigned i = 0; i < DNS_STREAMS_MAX; i++)
		free(s->streams[i]);
	free(s);
	return NULL;
}

static struct stream *find(struct dns_streams *s, uint64_t cookie)
{
	for (unsigned i = 0; i < DNS_STREAMS_MAX; i++)
		if (s->streams[i] && s->streams[i]->cookie == cookie)
			return s->streams[i];
	return NULL;
}

static void end(struct stream *t)
{
	t->cookie = 0;
}

/* A free one, or the one that was silent longest. */
static struct stream *begin(struct dns_streams *s, uint64_t cookie)
{
	struct stream **best = &s->streams[0];

	for (unsigned i = 0; i < DNS_STREAMS_MAX; i++) {
		struct stream **t = &s->streams[i];

		if (!*t || !(*t)->cookie) {
			best = t;
			break;
		}
		if ((*t)->used_ns < (*best)->used_ns)
			best = t;
	}
	if (!*best)
		*best = malloc(sizeof(**best));
	if (!*best)
		return NULL;
	(*best)->cookie = cookie;
	(*best)->next = 0;
	(*best)->left = PREFIX;
	(*best)->prefix = 0;
	(*best)->in_prefix = true;
	return *best;
}

static void begin_message(struct stream *t)
{
	t->in_prefix = t->prefix == 0; /* an empty message: the next prefix follows */
	t->left = t->prefix ? t->prefix : PREFIX;
	t->have = 0;
	t->hole = false;
	t->prefix = 0;
}

/* Without its prefix nobody knows where the message ends. */
static int take_prefix(struct stream *t, const uint8_t *bytes, uint32_t captured)
{
	if (!captured)
		return -ENODATA;
	t->prefix = (uint16_t)(t->prefix << 8 | bytes[0]);
	if (--t->left == 0)
		begin_message(t);
	return 1;
}

static uint32_t take_body(struct stream *t, const uint8_t *bytes, uint32_t captured, uint32_t length)
{
	uint32_t n = length < t->left ? length : t->left, keep = n < captured ? n : captured;

	if (keep > DNS_STREAM_MESSAGE - t->have)
		keep = DNS_STREAM_MESSAGE - t->have;
	if (t->hole)
		keep = 0;
	if (keep)
		memcpy(t->bytes + t->have, bytes, keep);
	t->have += keep;
	t->hole |= keep < n;
	t->left -= n;
	return n;
}

static int put(struct stream *t, const struct dns_segment *g, uint64_t skip,
	       void (*take)(void *ctx, const uint8_t *bytes, size_t len), void *ctx)
{
	uint32_t at = (uint32_t)skip;
	int n = 0;

	while (at < g->length) {
		uint32_t captured = at < g->captured ? g->captured - at : 0;
		const uint8_t *bytes = captured ? g->bytes + at : NULL;

		if (t->in_prefix) {
			if (take_prefix(t, bytes, captured) < 0)
				return -ENODATA;
			at++;
			continue;
		}
		at += take_body(t, bytes, captured, g->length - at);
		if (t->left)
			continue;
		take(ctx, t->bytes, t->have);
		n++;
		t->in_prefix = true;
		t->left = PREFIX;
	}
	t->next = g->offset + g->length;
	return n;
}

int dns_streams_put(struct dns_streams *s, const struct dns_segment *g, uint64_t now_ns,
		    void (*take)(void *ctx, const uint8_t *bytes, size_t len), void *ctx)
{
	struct stream *t = g->cookie ? find(s, g->cookie) : NULL;
	int n;

	if (t && now_ns > t->used_ns + DNS_STREAM_IDLE_NS && g->offset != t->next) {
		end(t);
		t = NULL;
	}
	if (!g->cookie || g->captured > g->length || (!t && g->offset))
		return -ENODATA;
	if (!t)
		t = begin(s, g->cookie);
	if (!t)
		return -ENOMEM;
	t->used_ns = now_ns;
	if (g->offset > t->next) { /* lost on the way to here, or not in order */
		end(t);
		return -ENODATA;
	}
	if (t->next - g->offset >= g->length)
		return 0; /* sent again */
	n = put(t, g, t->next - g->offset, take, ctx);
	if (n < 0)
		end(t);
	return n;
}
