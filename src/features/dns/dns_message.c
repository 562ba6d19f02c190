// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/dns/dns_message.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD 12
#define WIRE_NAME_MAX 255 /* RFC 1035 2.3.4 */
#define LABEL_MAX 63
#define POINTER 0xc0
#define CLASS_IN 1
#define TTL_MAX 0x7fffffffu /* RFC 2181 8: with the highest bit set it means 0 */

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_SVCB = 64, TYPE_HTTPS = 65, TYPE_ANY = 255 };
enum { SVC_IPV4HINT = 4, SVC_IPV6HINT = 6 };

/* A name in wire format, without pointers, in lower case: two are equal when their bytes are. */
struct wire_name {
	uint8_t len;
	uint8_t bytes[WIRE_NAME_MAX];
};

struct record {
	struct wire_name owner;
	uint16_t type, class;
	uint32_t ttl_s;
	size_t data, data_len;
};

struct reader {
	const uint8_t *bytes;
	size_t len, at;
	/* The question's name and all that CNAMEs made of it. */
	struct wire_name aliases[DNS_ALIASES_MAX];
	unsigned n_aliases;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static int append_label(struct wire_name *n, const uint8_t *label, uint8_t len)
{
	/* One byte stays for the root's label. */
	if (n->len + 1u + len > WIRE_NAME_MAX - 1)
		return -EBADMSG;
	n->bytes[n->len++] = len;
	for (uint8_t i = 0; i < len; i++)
		n->bytes[n->len++] = lower(label[i]);
	return 0;
}

/* Reads the name at *at and leaves *at behind it. Each pointer must lead in front of everything that was read of
 * this name so far, so that it ends; labels are bounded by the name's length. */
static int read_name(const struct reader *r, size_t *at, struct wire_name *ret)
{
	size_t here = *at, first = *at;
	bool jumped = false;

	ret->len = 0;
	for (;;) {
		uint8_t len;

		if (here >= r->len)
			return -EBADMSG;
		len = r->bytes[here];
		if (len == 0) {
			if (!jumped)
				*at = here + 1;
			return 0;
		}
		if ((len & POINTER) == POINTER) {
			size_t to;

			if (r->len - here < 2)
				return -EBADMSG;
			to = get16(r->bytes + here) & 0x3fffu;
			if (to >= first || to < HEAD)
				return -EBADMSG;
			if (!jumped)
				*at = here + 2;
			jumped = true;
			here = first = to;
			continue;
		}
		if (len > LABEL_MAX || r->len - here - 1 < len)
			return -EBADMSG;
		if (append_label(ret, r->bytes + here + 1, len) < 0)
			return -EBADMSG;
		here += 1u + len;
	}
}

static bool same_name(const struct wire_name *a, const struct wire_name *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* --- text ------------------------------------------------------------------------------------ */

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* -ENOMSG: there is no such text: the root's name, or one that is too long. */
static int name_text(const struct wire_name *n, size_t from, char ret[DNS_NAME_TEXT])
{
	size_t used = 0;

	for (size_t at = from; at < n->len;) {
		uint8_t len = n->bytes[at++];

		if (used && used + 1 < DNS_NAME_TEXT)
			ret[used++] = '.';
		for (uint8_t i = 0; i < len; i++, at++) {
			size_t wants = is_plain(n->bytes[at]) ? 1 : 4;

			if (used + wants >= DNS_NAME_TEXT)
				return -ENOMSG;
			if (wants == 1)
				ret[used++] = (char)n->bytes[at];
			else
				used += (size_t)snprintf(ret + used, DNS_NAME_TEXT - used, "\\%03u", n->bytes[at]);
		}
	}
	ret[used] = 0;
	return used ? 0 : -ENOMSG;
}

/* HTTPS and SVCB of a port are asked for as _8443._https.example.com: the name is what follows. */
static size_t behind_service(const struct wire_name *n)
{
	size_t at = 0;

	while (at + 1 < n->len && n->bytes[at + 1] == '_')
		at += 1u + n->bytes[at];
	return at;
}

/* --- records --------------------------------------------------------------------------------- */

/* -ENOMSG: the message was cut here. */
static int read_record(struct reader *r, struct record *ret)
{
	const uint8_t *p;

	if (read_name(r, &r->at, &ret->owner) < 0)
		return -EBADMSG;
	if (r->len - r->at < 10)
		return -ENOMSG;
	p = r->bytes + r->at;
	ret->type = get16(p);
	ret->class = get16(p + 2);
	ret->ttl_s = get32(p + 4);
	if (ret->ttl_s > TTL_MAX)
		ret->ttl_s = 0;
	ret->data = r->at + 10;
	ret->data_len = get16(p + 8);
	if (r->len - ret->data < ret->data_len)
		return -ENOMSG;
	r->at = ret->data + ret->data_len;
	return 0;
}

static bool is_alias(const struct reader *r, const struct wire_name *n)
{
	for (unsigned i = 0; i < r->n_aliases; i++)
		if (same_name(&r->aliases[i], n))
			return true;
	return false;
}

static void add_address(struct dns_message *m, int family, const uint8_t *bytes, uint32_t ttl_s)
{
	struct dns_message_address *a = &m->addresses[m->n];

	if (m->n == DNS_ADDRESSES_MAX)
		return;
	*a = (struct dns_message_address){ .addr.family = (uint8_t)family, .ttl_s = ttl_s };
	memcpy(a->addr.bytes, bytes, family == AF_INET ? 4 : 16);
	m->n++;
}

static void add_hints(struct dns_message *m, int family, const uint8_t *bytes, size_t len, uint32_t ttl_s)
{
	size_t size = family == AF_INET ? 4 : 16;

	for (; len >= size; bytes += size, len -= size)
		add_address(m, family, bytes, ttl_s);
}

/* Priority, target, then parameters: key, length, value (RFC 9460 2.2). */
static void take_service(const struct reader *r, const struct record *rec, struct dns_message *m)
{
	size_t at = rec->data + 2, end = rec->data + rec->data_len;
	struct wire_name target;

	if (rec->data_len < 3 || read_name(r, &at, &target) < 0)
		return;
	while (at <= end && end - at >= 4) {
		uint16_t key = get16(r->bytes + at), len = get16(r->bytes + at + 2);

		at += 4;
		if (end - at < len)
			return;
		if (key == SVC_IPV4HINT)
			add_hints(m, AF_INET, r->bytes + at, len, rec->ttl_s);
		else if (key == SVC_IPV6HINT)
			add_hints(m, AF_INET6, r->bytes + at, len, rec->ttl_s);
		at += len;
	}
}

static void take_record(struct reader *r, const struct record *rec, struct dns_message *m)
{
	size_t at = rec->data;

	switch (rec->type) {
	case TYPE_A:
		if (rec->data_len == 4)
			add_address(m, AF_INET, r->bytes + rec->data, rec->ttl_s);
		break;
	case TYPE_AAAA:
		if (rec->data_len == 16)
			add_address(m, AF_INET6, r->bytes + rec->data, rec->ttl_s);
		break;
	case TYPE_CNAME:
		if (r->n_aliases < DNS_ALIASES_MAX && read_name(r, &at, &r->aliases[r->n_aliases]) == 0 &&
		    !is_alias(r, &r->aliases[r->n_aliases]))
			r->n_aliases++;
		break;
	case TYPE_SVCB:
	case TYPE_HTTPS:
		take_service(r, rec, m);
		break;
	}
}

/* One pass over the answers. Those of names that are not known (yet) wait for the next pass: a CNAME may stand behind
 * the address that it leads to. taken: a bit for each answer. */
static int pass(struct reader *r, unsigned n, uint8_t taken[DNS_RECORDS_MAX], struct dns_message *m)
{
	for (unsigned i = 0; i < n; i++) {
		struct record rec;
		int e = read_record(r, &rec);

		if (e < 0)
			return e;
		if (taken[i] || rec.class != CLASS_IN || !is_alias(r, &rec.owner))
			continue;
		taken[i] = 1;
		take_record(r, &rec, m);
	}
	return 0;
}

static bool is_of_use(const uint8_t *head)
{
	bool answer = head[2] & 0x80, standard = !(head[2] & 0x78), fine = !(head[3] & 0x0f);

	return answer && standard && fine && get16(head + 4) == 1 && get16(head + 6);
}

static int read_question(struct reader *r, struct dns_message *m)
{
	struct wire_name *name = &r->aliases[0];
	uint16_t type;
	size_t from = 0;

	if (read_name(r, &r->at, name) < 0 || r->len - r->at < 4)
		return -EBADMSG;
	type = get16(r->bytes + r->at);
	if (get16(r->bytes + r->at + 2) != CLASS_IN)
		return -ENOMSG;
	if (type != TYPE_A && type != TYPE_AAAA && type != TYPE_ANY && type != TYPE_HTTPS && type != TYPE_SVCB)
		return -ENOMSG;
	if (type == TYPE_HTTPS || type == TYPE_SVCB)
		from = behind_service(name);
	r->at += 4;
	r->n_aliases = 1;
	return name_text(name, from, m->name);
}

int dns_message_parse(const uint8_t *bytes, size_t len, struct dns_message *ret)
{
	struct reader r = { .bytes = bytes, .len = len, .at = HEAD };
	uint8_t taken[DNS_RECORDS_MAX] = {};
	unsigned n, aliases;
	size_t first;
	int e;

	ret->n = 0;
	if (len < HEAD)
		return -EBADMSG;
	if (!is_of_use(bytes))
		return -ENOMSG;
	e = read_question(&r, ret);
	if (e < 0)
		return e;
	n = get16(bytes + 6);
	if (n > DNS_RECORDS_MAX)
		n = DNS_RECORDS_MAX;
	first = r.at;
	do {
		aliases = r.n_aliases;
		r.at = first;
		e = pass(&r, n, taken, ret);
	} while (r.n_aliases > aliases); /* at most DNS_ALIASES_MAX times */
	if (e == -EBADMSG)
		return e;
	return ret->n ? 0 : -ENOMSG;
}
