// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/dns/dns_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <utlist.h>

#include "core/snapshot.h"

#define SYSTEM_UID_MAX 999 /* login.defs(5), SYS_UID_MAX: resolvers run as such users and ask for everybody */
#define AGED_AT_ONCE 256

/* Whoever answers a program chooses the keys: with a hash that is known he would have them all in one bucket. The
 * product of both halves, each mixed with a secret (as in wyhash). */
static uint64_t secret[2];

static unsigned hash_of(const void *key)
{
	uint64_t half[2];
	__uint128_t product;

	memcpy(half, key, sizeof(half));
	product = (__uint128_t)(half[0] ^ secret[0]) * (half[1] ^ secret[1]);
	half[0] = (uint64_t)product ^ (uint64_t)(product >> 64);
	product = (__uint128_t)(half[0] ^ secret[1]) * 0x9e3779b97f4a7c15u;
	return (unsigned)((uint64_t)product ^ (uint64_t)(product >> 64));
}

#undef HASH_FUNCTION
#define HASH_FUNCTION(key, len, hash) ((hash) = hash_of(key))

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void key_of(const struct weir_addr *a, uint8_t key[16])
{
	if (a->family == AF_INET) {
		memcpy(key, mapped, sizeof(mapped));
		memcpy(key + sizeof(mapped), a->bytes, 4);
	} else {
		memcpy(key, a->bytes, 16);
	}
}

void dns_names_addr(const uint8_t key[16], struct weir_addr *ret)
{
	*ret = (struct weir_addr){ .family = AF_INET6 };
	if (memcmp(key, mapped, sizeof(mapped))) {
		memcpy(ret->bytes, key, 16);
		return;
	}
	ret->family = AF_INET;
	memcpy(ret->bytes, key + sizeof(mapped), 4);
}

static bool is_mapped(const uint8_t key[16])
{
	return !memcmp(key, mapped, sizeof(mapped));
}

static bool is_unspecified(const uint8_t key[16])
{
	static const uint8_t none[16];

	return !memcmp(key + 12, none, 4) && (is_mapped(key) || !memcmp(key, none, 12));
}

static bool is_loopback(const uint8_t key[16])
{
	static const uint8_t one[16] = { [15] = 1 };

	return is_mapped(key) ? key[12] == 127 : !memcmp(key, one, 16);
}

/* Means the same in every network namespace: not private, not link-local, not loopback. */
static bool is_global(const uint8_t key[16])
{
	const uint8_t *b = key + 12;

	if (is_loopback(key))
		return false;
	if (is_mapped(key))
		return !(b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
			 (b[0] == 169 && b[1] == 254) || (b[0] == 100 && (b[1] & 0xc0) == 64));
	return (key[0] & 0xe0) == 0x20; /* 2000::/3 */
}

struct dns_names *dns_names_new(void)
{
	/* One for all tables; without any the table still works. */
	if (!secret[0] && getrandom(secret, sizeof(secret), GRND_NONBLOCK) < 0)
		secret[0] = 1;
	return calloc(1, sizeof(struct dns_names));
}

static size_t size_of(const char *text)
{
	return sizeof(struct dns_name) + strlen(text) + 1;
}

static void drop_name(struct dns_names *n, struct dns_address *a, struct dns_name *name)
{
	LL_DELETE(a->names, name);
	a->n--;
	n->bytes -= size_of(name->text);
	free(name);
}

static void drop_address(struct dns_names *n, struct dns_address *a)
{
	while (a->names)
		drop_name(n, a, a->names);
	HASH_DEL(n->by_address, a);
	DL_DELETE(n->lru, a);
	n->bytes -= sizeof(*a);
	n->n--;
	free(a);
}

static void drop_host(struct dns_names *n, struct dns_host_entry *h)
{
	HASH_DEL(n->hosts, h);
	free(h->name);
	free(h);
}

struct dns_names *dns_names_free(struct dns_names *n)
{
	struct dns_host_entry *h, *next;

	if (!n)
		return NULL;
	while (n->lru)
		drop_address(n, n->lru);
	HASH_ITER(hh, n->hosts, h, next) {
		drop_host(n, h);
	}
	free(n);
	return NULL;
}

/* --- learning -------------------------------------------------------------------------------- */

static void touch(struct dns_names *n, struct dns_address *a)
{
	a->used_ns = n->now_ns;
	if (!a->next)
		return; /* the last already */
	DL_DELETE(n->lru, a);
	DL_APPEND(n->lru, a);
}

static void make_room(struct dns_names *n, size_t bytes, size_t addresses)
{
	while (n->lru && (n->n + addresses > DNS_NAMES_ADDRESSES_MAX || n->bytes + bytes > DNS_NAMES_BYTES_MAX)) {
		drop_address(n, n->lru);
		n->evicted++;
	}
}

static struct dns_address *address_get(struct dns_names *n, const uint8_t key[16])
{
	struct dns_address *a;

	HASH_FIND(hh, n->by_address, key, 16, a);
	if (a)
		return a;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	memcpy(a->key, key, 16);
	HASH_ADD(hh, n->by_address, key, 16, a);
	if (!a->hh.tbl) {
		free(a);
		return NULL;
	}
	DL_APPEND(n->lru, a);
	n->n++;
	n->bytes += sizeof(*a);
	return a;
}

static bool same_process(const struct dns_asker *a, uint32_t pid, uint64_t start_ns)
{
	return start_ns && a->start_ns == start_ns && a->pid == pid;
}

/* To the front of those who asked for this name; of too many the one that asked first goes. */
static void note_asker(struct dns_name *name, const struct dns_asker *asker)
{
	unsigned at = 0;

	while (at < name->n_askers && !same_process(&name->askers[at], asker->pid, asker->start_ns) &&
	       memcmp(&name->askers[at], asker, sizeof(*asker)))
		at++;
	if (at == name->n_askers && name->n_askers < DNS_NAMES_ASKERS)
		name->n_askers++;
	else if (at == DNS_NAMES_ASKERS)
		at--;
	memmove(&name->askers[1], &name->askers[0], at * sizeof(*asker));
	name->askers[0] = *asker;
}

/* While answers repeat a name it is one entry; after another name it is a new one, so that a flow keeps the name that
 * was known when it opened. */
static struct dns_name *name_get(struct dns_names *n, struct dns_address *a, const char *text)
{
	struct dns_name *name = a->names, *oldest;

	if (name && !strcmp(name->text, text))
		return name;
	if (a->n == DNS_NAMES_PER_ADDRESS) {
		for (oldest = a->names; oldest->next; oldest = oldest->next)
			;
		drop_name(n, a, oldest);
	}
	name = calloc(1, size_of(text));
	if (!name)
		return NULL;
	memcpy(name->text, text, strlen(text) + 1);
	LL_PREPEND(a->names, name);
	a->n++;
	n->bytes += size_of(text);
	return name;
}

int dns_names_learn(struct dns_names *n, const struct weir_addr *addr, const char *name, uint32_t ttl_s,
		    const struct dns_asker *asker, uint64_t at_ns)
{
	uint64_t ttl_ns = (uint64_t)(ttl_s < DNS_NAMES_TTL_MAX_S ? ttl_s : DNS_NAMES_TTL_MAX_S) * 1000000000u;
	struct dns_address *a;
	struct dns_name *e;
	uint8_t key[16];

	key_of(addr, key);
	if (is_unspecified(key))
		return 0;
	make_room(n, size_of(name) + sizeof(*a), 1);
	a = address_get(n, key);
	if (!a)
		return -ENOMEM;
	e = name_get(n, a, name);
	if (!e) {
		if (!a->names)
			drop_address(n, a);
		return -ENOMEM;
	}
	if (!e->answers++)
		e->first_ns = at_ns;
	e->last_ns = at_ns;
	if (at_ns + ttl_ns + DNS_NAMES_BEYOND_NS > e->until_ns)
		e->until_ns = at_ns + ttl_ns + DNS_NAMES_BEYOND_NS;
	note_asker(e, asker);
	e->dirty = true;
	touch(n, a);
	return 0;
}

/* --- /etc/hosts ------------------------------------------------------------------------------ */

void dns_names_hosts_begin(struct dns_names *n, uint32_t netns)
{
	n->reading++;
	n->hosts_netns = netns;
}

int dns_names_host(struct dns_names *n, const struct weir_addr *addr, const char *name)
{
	struct dns_host_entry *h;
	uint8_t key[16];
	char *copy;

	key_of(addr, key);
	if (is_unspecified(key) || !*name)
		return 0;
	HASH_FIND(hh, n->hosts, key, 16, h);
	if (h && h->reading == n->reading)
		return 0;
	if (!h && HASH_COUNT(n->hosts) >= DNS_NAMES_HOSTS_MAX)
		return 0;
	copy = strdup(name);
	if (copy && !h) {
		h = calloc(1, sizeof(*h));
		if (h) {
			memcpy(h->key, key, 16);
			HASH_ADD(hh, n->hosts, key, 16, h);
		}
		if (h && !h->hh.tbl) {
			free(h);
			h = NULL;
		}
	}
	if (!copy || !h) {
		free(copy);
		return -ENOMEM;
	}
	h->dirty |= !h->name || strcmp(h->name, copy) != 0;
	free(h->name);
	h->name = copy;
	h->reading = n->reading;
	return 0;
}

void dns_names_hosts_end(struct dns_names *n)
{
	struct dns_host_entry *h, *next;

	HASH_ITER(hh, n->hosts, h, next) {
		if (h->reading != n->reading)
			drop_host(n, h);
	}
}

/* The file speaks of the addresses of its own namespace; loopback is loopback everywhere. */
static const char *find_host(const struct dns_names *n, const uint8_t key[16], uint32_t netns)
{
	struct dns_host_entry *h;

	HASH_FIND(hh, n->hosts, key, 16, h);
	if (h && (is_loopback(key) || !netns || netns == n->hosts_netns))
		return h->name;
	if (is_mapped(key) ? !memcmp(key + 12, (uint8_t[]){ 127, 0, 0, 1 }, 4) : is_loopback(key))
		return "localhost";
	return NULL;
}

/* --- finding --------------------------------------------------------------------------------- */

/* How near the asker is to the flow; 0: the name is not for it. */
enum { NOT_FOR_IT, ELSEWHERE, SAME_NETNS, SAME_PROCESS };

static int nearness(const struct dns_asker *a, const struct weir_peer *p, const uint8_t key[16])
{
	bool sees_all = p->uid == 0 || p->uid == (uint32_t)WEIR_UID_HOST;

	if (same_process(a, p->pid, p->start_ns))
		return SAME_PROCESS;
	if (is_loopback(key))
		return NOT_FOR_IT; /* anybody's name may be made to lead there */
	if (!sees_all && a->uid != p->uid && (a->uid > SYSTEM_UID_MAX || a->uid == 0))
		return NOT_FOR_IT;
	if (a->netns && a->netns == p->netns)
		return SAME_NETNS;
	/* A socket older than weir, of which it is not known where it was, is as good as near. */
	return is_global(key) || !a->netns || !p->netns ? ELSEWHERE : NOT_FOR_IT;
}

static int nearest(const struct dns_name *name, const struct weir_peer *p, const uint8_t key[16])
{
	int best = NOT_FOR_IT;

	for (unsigned i = 0; i < name->n_askers; i++) {
		int near = nearness(&name->askers[i], p, key);

		best = near > best ? near : best;
	}
	return best;
}

/* A process may keep an address as long as it likes; others' names hold for their time. */
static bool was_known(const struct dns_name *name, const struct weir_peer *p, int near)
{
	if (!p->at_mono_ns)
		return true;
	return name->first_ns <= p->at_mono_ns && (near == SAME_PROCESS || p->at_mono_ns <= name->until_ns);
}

const char *dns_names_find(struct dns_names *n, const struct weir_peer *p)
{
	const char *best = NULL, *host;
	struct dns_address *a;
	struct dns_name *name;
	int best_near = NOT_FOR_IT;
	uint8_t key[16];

	key_of(&p->addr, key);
	host = find_host(n, key, p->netns);
	HASH_FIND(hh, n->by_address, key, 16, a);
	if (!a)
		return host;
	touch(n, a);
	LL_FOREACH(a->names, name) { /* the newest first */
		int near = nearest(name, p, key);

		if (near > best_near && was_known(name, p, near)) {
			best_near = near;
			best = name->text;
		}
	}
	return best_near == SAME_PROCESS || !host ? best : host;
}

void dns_names_age(struct dns_names *n, uint64_t now_ns)
{
	n->now_ns = now_ns;
	for (unsigned i = 0; i < AGED_AT_ONCE && n->lru && now_ns > n->lru->used_ns + DNS_NAMES_KEPT_NS; i++)
		drop_address(n, n->lru);
}
