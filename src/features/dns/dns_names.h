// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/addr.h"
#include "core/lookup.h"
#include "features/dns/dns_abi.h"

/* The table address -> names. Pure: no clock, no file. Bounded in addresses and in bytes, the least recently used go
 * first; names of an address are told apart by when they were learned and by who asked. */

#define DNS_NAMES_ADDRESSES_MAX 32768
#define DNS_NAMES_BYTES_MAX (16u << 20)
#define DNS_NAMES_PER_ADDRESS 8
#define DNS_NAMES_ASKERS 4
#define DNS_NAMES_HOSTS_MAX 16384
#define DNS_NAMES_BEYOND_NS (600ull * 1000000000ull) /* a name counts this long beyond its time to live */
#define DNS_NAMES_TTL_MAX_S 86400u
#define DNS_NAMES_KEPT_NS (86400ull * 1000000000ull) /* and is forgotten when nobody asked for it that long */

struct dns_name {
	struct dns_name *next;  /* of the same address; the one that was learned last comes first */
	uint64_t first_ns, last_ns; /* when an answer gave it, without another name in between */
	uint64_t until_ns;
	uint64_t answers;
	struct dns_asker askers[DNS_NAMES_ASKERS]; /* .askers[0] asked last */
	unsigned n_askers;
	bool dirty;
	uint64_t changed; /* the snapshot in which it last changed */
	char text[];
};

/* All that is known of one address. */
struct dns_address {
	UT_hash_handle hh;
	uint8_t key[16]; /* IPv4 as ::ffff:a.b.c.d */
	struct dns_name *names;
	unsigned n;
	uint64_t used_ns;
	struct dns_address *prev, *next; /* the one that was used last comes last */
};

struct dns_host_entry {
	UT_hash_handle hh;
	uint8_t key[16];
	uint64_t reading; /* of the file, in which it was seen last */
	char *name;
	bool dirty;
	uint64_t changed;
};

struct dns_names {
	struct dns_address *by_address;
	struct dns_address *lru;
	size_t n, bytes;
	uint64_t evicted; /* addresses that had to go for others */
	struct dns_host_entry *hosts;
	uint64_t reading;
	uint32_t hosts_netns;
	uint64_t now_ns;
};

struct dns_names *dns_names_new(void); /* NULL when memory runs out */
struct dns_names *dns_names_free(struct dns_names *n); /* accepts NULL, returns NULL */

/* An answer says that the name has this address. -ENOMEM leaves the table whole. Unspecified addresses are passed over. */
int dns_names_learn(struct dns_names *n, const struct weir_addr *addr, const char *name, uint32_t ttl_s,
		    const struct dns_asker *asker, uint64_t at_ns);

/* A reading of /etc/hosts: begin, each address with its first name, end. What the file no longer has is gone then. The
 * first name of an address counts. */
void dns_names_hosts_begin(struct dns_names *n, uint32_t netns);
int dns_names_host(struct dns_names *n, const struct weir_addr *addr, const char *name);
void dns_names_hosts_end(struct dns_names *n);

/* The name to show, or NULL. In this order: what the process itself asked for; /etc/hosts and "localhost"; what
 * others asked in the same network namespace; what anybody asked, for an address that means the same everywhere.
 * Among these the newest that was known at p->at_mono_ns. Names that other users asked for are left out, unless the
 * row is root's or nobody's. Borrowed until the table changes. */
const char *dns_names_find(struct dns_names *n, const struct weir_peer *p);

/* A second has passed. */
void dns_names_age(struct dns_names *n, uint64_t now_ns);

/* The key as an address. */
void dns_names_addr(const uint8_t key[16], struct weir_addr *ret);
