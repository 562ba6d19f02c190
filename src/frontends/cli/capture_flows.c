// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/capture_flows.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "core/document.h"
#include "core/tables.h"
#include "frontends/cli/rows.h"
#include "frontends/cli/url.h"

/* Clocks of the two sides are the same, but a packet is on its way before its socket is known, and after. */
#define SLACK_NS 1000000000ULL
/* TCP's last segments pass after the program has closed: TIME_WAIT, net/ipv4. */
#define LINGER_NS 60000000000ULL

/* The fields that are asked for, in the order of names[]. */
enum flow_field {
	FIELD_COOKIE,
	FIELD_PID,
	FIELD_COMM,
	FIELD_CONTAINER_ID,
	FIELD_CONTAINER_NAME,
	FIELD_POD_NAME,
	FIELD_NETNS,
	FIELD_TRANSPORT,
	FIELD_ROLE,
	FIELD_LOCAL_ADDRESS,
	FIELD_LOCAL_PORT,
	FIELD_PEER_ADDRESS,
	FIELD_PEER_PORT,
	FIELD_STATE,
	FIELD_FIRST_SEEN,
	FIELD_CLOSED_AT,
	_FIELD_MAX,
};

static const char *const names[_FIELD_MAX] = {
	[FIELD_COOKIE] = "cookie",
	[FIELD_PID] = "pid",
	[FIELD_COMM] = "comm",
	[FIELD_CONTAINER_ID] = "container_id",
	[FIELD_CONTAINER_NAME] = "container_name",
	[FIELD_POD_NAME] = "pod_name",
	[FIELD_NETNS] = "netns",
	[FIELD_TRANSPORT] = "transport",
	[FIELD_ROLE] = "role",
	[FIELD_LOCAL_ADDRESS] = "local_address",
	[FIELD_LOCAL_PORT] = "local_port",
	[FIELD_PEER_ADDRESS] = "peer_address",
	[FIELD_PEER_PORT] = "peer_port",
	[FIELD_STATE] = "state",
	[FIELD_FIRST_SEEN] = "first_seen",
	[FIELD_CLOSED_AT] = "closed_at",
};

/* What is looked for. Any address, and any peer, are family 0 and port 0. No holes: it is hashed as bytes. */
struct flow_key {
	struct weir_addr local, peer;
	uint16_t local_port, peer_port;
	uint16_t protocol;
};
_Static_assert(sizeof(struct flow_key) == 2 * 17 + 6, "no holes");

#define NOBODY UINT32_MAX

/* One way to find a row: by both its ends, by its own, by its cookie. */
struct flow_entry {
	struct flow_key key;
	uint32_t row, next; /* in the same bucket, NOBODY at its end */
	uint32_t netns;
	uint64_t first_seen_ns, closed_at_ns; /* 0: open */
	bool bound; /* waits for whoever comes: listens, or is UDP that connected to nobody */
};

struct flow_cookie {
	uint64_t cookie;
	uint32_t row;
};

struct capture_flows {
	struct weir_snapshot *snapshot;
	struct weir_rows rows;
	int field[_FIELD_MAX];
	struct flow_entry *entries;
	size_t n_entries, room;
	uint32_t *buckets;
	size_t n_buckets; /* a power of two */
	struct flow_cookie *cookies; /* in their order */
	size_t n_cookies;
	uint32_t own_netns;
	struct weir_addr *addresses;
	size_t n_addresses;
};

/* --- the rows -------------------------------------------------------------------------------- */

static bool is_null(const struct capture_flows *f, size_t row, enum flow_field field)
{
	return weir_cell_null(&f->rows, row, (unsigned)f->field[field]);
}

static uint64_t number(const struct capture_flows *f, size_t row, enum flow_field field)
{
	return is_null(f, row, field) ? 0 : weir_cell_uint(&f->rows, row, (unsigned)f->field[field]);
}

static const char *text(const struct capture_flows *f, size_t row, enum flow_field field)
{
	const char *t = is_null(f, row, field) ? NULL : weir_cell_text(&f->rows, row, (unsigned)f->field[field]);

	return t && *t ? t : NULL;
}

static bool is(const struct capture_flows *f, size_t row, enum flow_field field, const char *word)
{
	const char *t = text(f, row, field);

	return t && !strcmp(t, word);
}

/* The unspecified address is none. */
static void address(const struct capture_flows *f, size_t row, enum flow_field field, struct weir_addr *ret)
{
	static const uint8_t zero[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct weir_addr a = {};

	memset(ret, 0, sizeof(*ret));
	if (is_null(f, row, field))
		return;
	weir_cell_address(&f->rows, row, (unsigned)f->field[field], &a);
	if (a.family == AF_INET6 && !memcmp(a.bytes, mapped, sizeof(mapped))) {
		memcpy(ret->bytes, a.bytes + 12, 4);
		ret->family = AF_INET;
	} else {
		*ret = a;
	}
	if (!memcmp(ret->bytes, zero, sizeof(zero)))
		ret->family = 0;
}

static uint16_t protocol_of(const struct capture_flows *f, size_t row)
{
	/* Subflows of Multipath TCP are TCP on the wire. */
	if (is(f, row, FIELD_TRANSPORT, "tcp") || is(f, row, FIELD_TRANSPORT, "mptcp"))
		return IPPROTO_TCP;
	return is(f, row, FIELD_TRANSPORT, "udp") ? IPPROTO_UDP : 0;
}

/* --- the table ------------------------------------------------------------------------------- */

static size_t hash(const struct flow_key *key)
{
	uint64_t h = weir_hash_fnv1a(WEIR_HASH_FNV1A, key, sizeof(*key));

	return (size_t)(h ^ h >> 32);
}

static void entry_add(struct capture_flows *f, const struct flow_entry *e)
{
	uint32_t *bucket = &f->buckets[hash(&e->key) & (f->n_buckets - 1)];

	f->entries[f->n_entries] = *e;
	f->entries[f->n_entries].next = *bucket;
	*bucket = (uint32_t)f->n_entries++;
}

static void row_add(struct capture_flows *f, size_t row)
{
	struct flow_entry e = {
		.row = (uint32_t)row,
		.netns = (uint32_t)number(f, row, FIELD_NETNS),
		.first_seen_ns = number(f, row, FIELD_FIRST_SEEN),
		.closed_at_ns = number(f, row, FIELD_CLOSED_AT),
	};

	memset(&e.key, 0, sizeof(e.key));
	e.key.protocol = protocol_of(f, row);
	e.key.local_port = (uint16_t)number(f, row, FIELD_LOCAL_PORT);
	if (!e.key.protocol || !e.key.local_port || !number(f, row, FIELD_PID))
		return;
	address(f, row, FIELD_LOCAL_ADDRESS, &e.key.local);
	address(f, row, FIELD_PEER_ADDRESS, &e.key.peer);
	e.key.peer_port = (uint16_t)number(f, row, FIELD_PEER_PORT);
	e.bound = e.key.protocol == IPPROTO_TCP ? is(f, row, FIELD_STATE, "listen")
						: !is(f, row, FIELD_ROLE, "client");
	if (e.key.peer_port) {
		entry_add(f, &e);
		memset(&e.key.peer, 0, sizeof(e.key.peer));
		e.key.peer_port = 0;
	}
	/* A socket that talks to some takes packets from all, unless it connected. */
	if (e.bound)
		entry_add(f, &e);
}

static int cookie_order(const void *a, const void *b)
{
	const struct flow_cookie *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static int table_make(struct capture_flows *f)
{
	size_t n = f->rows.n;

	for (f->n_buckets = 64; f->n_buckets < 2 * n; f->n_buckets *= 2)
		;
	f->entries = calloc(2 * n + 1, sizeof(*f->entries));
	f->buckets = malloc(f->n_buckets * sizeof(*f->buckets));
	f->cookies = calloc(n + 1, sizeof(*f->cookies));
	if (!f->entries || !f->buckets || !f->cookies)
		return -ENOMEM;
	memset(f->buckets, 0xff, f->n_buckets * sizeof(*f->buckets));
	for (size_t row = 0; row < n; row++) {
		row_add(f, row);
		f->cookies[f->n_cookies++] =
			(struct flow_cookie){ number(f, row, FIELD_COOKIE), (uint32_t)row };
	}
	qsort(f->cookies, f->n_cookies, sizeof(*f->cookies), cookie_order);
	return 0;
}

/* The table's declaration with the numbers of its fields, or NULL. */
static const struct weir_table *declaration(int ret_field[_FIELD_MAX])
{
	const struct weir_table *table = weir_table_find("flows");

	for (unsigned i = 0; table && i < _FIELD_MAX; i++) {
		ret_field[i] = weir_table_field(table, names[i]);
		if (ret_field[i] < 0)
			return NULL;
	}
	return table;
}

void capture_flows_url(struct weir_buf *out)
{
	struct cli_columns columns = { .n = _FIELD_MAX };
	struct weir_buf fields = {};
	int field[_FIELD_MAX];
	const struct weir_table *table = declaration(field);

	if (!table)
		return;
	for (unsigned i = 0; i < _FIELD_MAX; i++)
		columns.field[i] = (unsigned)field[i];
	cli_columns_names(table, &columns, &fields);
	weir_buf_printf(out, "/api/v1/%s", table->name);
	cli_url_parameter(out, "fields", fields.data);
	if (fields.error && !out->error)
		out->error = fields.error;
	weir_buf_done(&fields);
}

int capture_flows_parse(const char *document, size_t len, uint32_t own_netns, const struct weir_addr *addresses,
			size_t n_addresses, struct capture_flows **ret, char **ret_error)
{
	_cleanup_(capture_flows_freep) struct capture_flows *f = calloc(1, sizeof(*f));
	const struct weir_table *table;
	int r;

	if (!f)
		return -ENOMEM;
	table = declaration(f->field);
	if (!table)
		return -ENOENT;
	r = weir_document_parse(document, len, table, &f->snapshot, ret_error);
	if (r >= 0)
		r = weir_snapshot_rows(f->snapshot, table, &f->rows);
	if (r < 0)
		return r;
	f->own_netns = own_netns;
	f->addresses = calloc(n_addresses + 1, sizeof(*f->addresses));
	if (!f->addresses)
		return -ENOMEM;
	if (n_addresses)
		memcpy(f->addresses, addresses, n_addresses * sizeof(*addresses));
	f->n_addresses = n_addresses;
	r = table_make(f);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(f);
	return 0;
}

struct capture_flows *capture_flows_free(struct capture_flows *f)
{
	if (!f)
		return NULL;
	weir_snapshot_unref(f->snapshot);
	free(f->entries);
	free(f->buckets);
	free(f->cookies);
	free(f->addresses);
	free(f);
	return NULL;
}

/* --- questions ------------------------------------------------------------------------------- */

static bool same(const struct weir_addr *a, const struct weir_addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static bool is_loopback(const struct weir_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a->family == AF_INET)
		return a->bytes[0] == 127;
	return !memcmp(a->bytes, one, sizeof(one));
}

/* Many hosts have it, so it says nothing of which. */
static bool is_for_many(const struct weir_addr *a)
{
	if (a->family == AF_INET6)
		return a->bytes[0] == 0xff;
	return a->bytes[0] >= 224;
}

static bool is_of_host(const struct capture_flows *f, const struct weir_addr *a)
{
	if (is_loopback(a) || is_for_many(a))
		return true;
	for (size_t i = 0; i < f->n_addresses; i++)
		if (same(&f->addresses[i], a))
			return true;
	return false;
}

/* How well a flow fits: that it was there at the time, then that it is the latest. */
static bool was_there(const struct flow_entry *e, uint64_t real_ns)
{
	return e->first_seen_ns <= real_ns + SLACK_NS && (!e->closed_at_ns || e->closed_at_ns + SLACK_NS >= real_ns);
}

static bool fits_better(const struct flow_entry *e, const struct flow_entry *than, uint64_t real_ns)
{
	bool there = was_there(e, real_ns);

	if (!than)
		return true;
	if (there != was_there(than, real_ns))
		return there;
	/* The later one, unless it began only after the packet. */
	if (e->first_seen_ns > real_ns + SLACK_NS)
		return false;
	return e->first_seen_ns > than->first_seen_ns;
}

/* What is closed has no further packets, but for the end of a connection; and its ports are another's soon. */
static bool may_have(const struct flow_entry *e, const struct capture_question *q)
{
	bool lingers = e->key.peer_port && e->key.protocol == IPPROTO_TCP && !q->packet->syn;

	return !e->closed_at_ns || e->closed_at_ns + (lingers ? LINGER_NS : SLACK_NS) >= q->real_ns;
}

/* The best entry of the key in the namespace; 0: in any, if it is only one that has such. */
static const struct flow_entry *find_in(const struct capture_flows *f, const struct flow_key *key, uint32_t netns,
					const struct capture_question *q)
{
	const struct flow_entry *best = NULL;

	for (uint32_t i = f->buckets[hash(key) & (f->n_buckets - 1)]; i != NOBODY; i = f->entries[i].next) {
		const struct flow_entry *e = &f->entries[i];

		if (memcmp(&e->key, key, sizeof(*key)) != 0 || (netns && e->netns != netns) || !may_have(e, q))
			continue;
		if (best && best->netns != e->netns)
			return NULL;
		if (fits_better(e, best, q->real_ns))
			best = e;
	}
	return best;
}

/* One end of a packet, as a socket there would have it. */
struct side {
	const struct capture_end *local, *peer;
	bool may_be_bound; /* the packet came to this host, or from here */
};

static const struct flow_entry *find_bound(const struct capture_flows *f, struct flow_key key, uint32_t netns,
					   const struct capture_question *q)
{
	const struct flow_entry *e;

	memset(&key.peer, 0, sizeof(key.peer));
	key.peer_port = 0;
	e = find_in(f, &key, netns, q);
	if (e)
		return e;
	memset(&key.local, 0, sizeof(key.local));
	return find_in(f, &key, netns, q);
}

/* The connected socket, in this namespace; one that takes packets from all; the connected one of the only other namespace
 * that has it, such as that of a container behind a bridge. */
static const struct flow_entry *find_end(const struct capture_flows *f, const struct capture_question *q,
					 const struct side *s)
{
	uint32_t netns = q->netns ? q->netns : f->own_netns;
	struct flow_key key;
	const struct flow_entry *e;

	memset(&key, 0, sizeof(key));
	key.protocol = q->packet->protocol;
	key.local = s->local->addr;
	key.local_port = s->local->port;
	key.peer = s->peer->addr;
	key.peer_port = s->peer->port;
	e = find_in(f, &key, netns, q);
	if (!e && q->packet->protocol == IPPROTO_UDP) {
		/* An unconnected socket that is bound to all addresses has none of its own. */
		struct flow_key any = key;

		memset(&any.local, 0, sizeof(any.local));
		e = find_in(f, &any, netns, q);
		if (e && !s->may_be_bound)
			e = NULL;
	}
	if (!e && s->may_be_bound)
		e = find_bound(f, key, netns, q);
	if (!e && !is_loopback(&key.local))
		e = find_in(f, &key, 0, q);
	return e;
}

static void owner_of(const struct capture_flows *f, size_t row, struct capture_owner *ret)
{
	ret->pid = number(f, row, FIELD_PID);
	ret->comm = text(f, row, FIELD_COMM);
	ret->container = text(f, row, FIELD_CONTAINER_NAME);
	if (!ret->container)
		ret->container = text(f, row, FIELD_CONTAINER_ID);
	ret->pod = text(f, row, FIELD_POD_NAME);
}

static bool find_cookie(const struct capture_flows *f, uint64_t cookie, struct capture_owner *ret)
{
	const struct flow_cookie wanted = { .cookie = cookie }, *found;

	if (!cookie)
		return false;
	found = bsearch(&wanted, f->cookies, f->n_cookies, sizeof(*f->cookies), cookie_order);
	if (!found || !number(f, found->row, FIELD_PID))
		return false;
	owner_of(f, found->row, ret);
	return true;
}

/* Whether a socket that takes packets from all may be meant: only where the end is on this host for certain. In another
 * namespace the host's addresses are not known, only that the packet came in there. */
static bool may_be_bound(const struct capture_flows *f, const struct capture_question *q, const struct capture_end *end,
			 enum capture_way at_this_end)
{
	enum capture_way way = q->packet->way;

	if (way == CAPTURE_WAY_OTHER || (way != at_this_end && way != CAPTURE_WAY_LOCAL && way != CAPTURE_WAY_UNKNOWN))
		return false;
	if (q->netns && q->netns != f->own_netns)
		return way != CAPTURE_WAY_UNKNOWN;
	return is_of_host(f, &end->addr);
}

void capture_flows_find(const struct capture_flows *f, const struct capture_question *q, struct capture_owner *ret_from,
			struct capture_owner *ret_to)
{
	const struct capture_packet *p = q->packet;
	struct side sides[2] = { { &p->from, &p->to, false }, { &p->to, &p->from, false } };
	struct capture_owner *owners[2] = { ret_from, ret_to };

	memset(ret_from, 0, sizeof(*ret_from));
	memset(ret_to, 0, sizeof(*ret_to));
	if (!f)
		return;
	sides[0].may_be_bound = may_be_bound(f, q, &p->from, CAPTURE_WAY_OUT);
	sides[1].may_be_bound = may_be_bound(f, q, &p->to, CAPTURE_WAY_IN);
	for (unsigned i = 0; p->protocol && i < 2; i++) {
		const struct flow_entry *e = find_end(f, q, &sides[i]);

		if (!e)
			continue;
		owner_of(f, e->row, owners[i]);
		owners[i]->connected = e->key.peer_port && !e->closed_at_ns;
	}
	/* The kernel said which socket: that is certain. */
	(void)find_cookie(f, q->cookie, q->cookie_sends ? ret_from : ret_to);
}
