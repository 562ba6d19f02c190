// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/dns/dns_state.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "features/dns/dns_message.h"

struct dns_state *dns_state_new(void)
{
	struct dns_state *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->names = dns_names_new();
	s->streams = dns_streams_new();
	return s->names && s->streams ? s : dns_state_free(s);
}

struct dns_state *dns_state_free(struct dns_state *s)
{
	if (!s)
		return NULL;
	dns_names_free(s->names);
	dns_streams_free(s->streams);
	free(s);
	return NULL;
}

/* --- bytes -> event ------------------------------------------------------------------------------ */

#define ANSWER_HEAD offsetof(struct dns_answer, bytes)

static bool right_size(uint16_t type, size_t len)
{
	switch (type) {
	case DNS_RECORD_ANSWER:
		return len >= ANSWER_HEAD && len <= sizeof(struct dns_answer);
	case DNS_RECORD_HOSTS:
		return len == sizeof(struct dns_hosts);
	case DNS_RECORD_HOST:
		return len == sizeof(struct dns_host);
	case DNS_RECORD_COUNTS:
		return len == sizeof(struct dns_counts);
	case DNS_RECORD_CARRIED:
		return len == sizeof(struct dns_carried);
	}
	return false;
}

/* /etc/hosts was read by us, but a recording may hold anything. */
static bool is_inert(const char *name)
{
	for (; *name; name++)
		if (!((*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9') || *name == '-' ||
		      *name == '_' || *name == '.'))
			return false;
	return true;
}

int dns_decode(uint16_t type, const void *bytes, size_t len, void *ret_event)
{
	union dns_event *e = ret_event;

	if (!right_size(type, len))
		return -EBADMSG;
	memset(e, 0, sizeof(*e));
	memcpy(e, bytes, len);
	if (e->head.type != type || e->head.size != len)
		return -EBADMSG;
	if (type == DNS_RECORD_ANSWER &&
	    (e->answer.captured != len - ANSWER_HEAD || e->answer.captured > e->answer.length))
		return -EBADMSG;
	if (type == DNS_RECORD_HOST) {
		e->host.name[sizeof(e->host.name) - 1] = 0;
		if ((e->host.family != AF_INET && e->host.family != AF_INET6) || !is_inert(e->host.name))
			return -EBADMSG;
	}
	return 0;
}

/* --- event -> state ------------------------------------------------------------------------------ */

static void take_message(void *state, const uint8_t *bytes, size_t len)
{
	struct dns_state *s = state;
	struct dns_message m;
	int r = dns_message_parse(bytes, len, &m);

	if (r < 0) {
		s->readings[r == -EBADMSG ? DNS_MALFORMED : DNS_USELESS]++;
		return;
	}
	s->readings[DNS_NAMED]++;
	for (unsigned i = 0; i < m.n; i++) {
		r = dns_names_learn(s->names, &m.addresses[i].addr, m.name, m.addresses[i].ttl_s, &s->answer->asker,
				    s->answer->at_ns);
		if (r < 0)
			s->error = r;
	}
}

static int apply_answer(struct dns_state *s, const struct dns_answer *a)
{
	struct dns_segment g = { .cookie = a->cookie, .offset = a->offset, .length = a->length,
				 .captured = a->captured, .bytes = a->bytes };
	int r = 0;

	s->answer = a;
	s->error = 0;
	if (a->protocol == IPPROTO_TCP)
		r = dns_streams_put(s->streams, &g, a->at_ns, take_message, s);
	else
		take_message(s, a->bytes, a->captured);
	s->answer = NULL;
	if (r == -ENODATA)
		s->readings[DNS_SPLIT]++;
	return r == -ENOMEM ? r : s->error;
}

static int apply_hosts(struct dns_state *s, const struct dns_hosts *h)
{
	if (h->event == DNS_HOSTS_BEGIN)
		dns_names_hosts_begin(s->names, h->netns);
	else
		dns_names_hosts_end(s->names);
	return 0;
}

static int apply_host(struct dns_state *s, const struct dns_host *h)
{
	struct weir_addr a = { .family = h->family };

	memcpy(a.bytes, h->address, h->family == AF_INET ? 4 : 16);
	return dns_names_host(s->names, &a, h->name);
}

int dns_apply(void *state, uint64_t mono_ns, const void *event)
{
	const union dns_event *e = event;
	struct dns_state *s = state;

	s->names->now_ns = mono_ns;
	switch ((enum dns_record)e->head.type) {
	case DNS_RECORD_ANSWER:
		return apply_answer(s, &e->answer);
	case DNS_RECORD_HOSTS:
		return apply_hosts(s, &e->hosts);
	case DNS_RECORD_HOST:
		return apply_host(s, &e->host);
	case DNS_RECORD_COUNTS:
		s->counts = e->counts;
		return 0;
	case DNS_RECORD_CARRIED:
		dns_apply_carried(s, &e->carried);
		return 0;
	case _DNS_RECORD_MAX:
		break;
	}
	return -EBADMSG;
}

void dns_tick(void *state, uint64_t mono_ns, uint64_t real_ns)
{
	struct dns_state *s = state;

	s->real_minus_mono_ns = real_ns - mono_ns;
	dns_names_age(s->names, mono_ns);
}

const char *dns_peer_name(void *state, const struct weir_peer *p)
{
	struct dns_state *s = state;

	return dns_names_find(s->names, p);
}
