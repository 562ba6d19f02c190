// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "features/drops/drops_state_private.h"

/* What numbers and addresses are called: reasons, places in the kernel, interfaces. */

#define PLACES_MAX 4096
#define DEVICES_MAX 4096

const char *drops_reason_name(const struct drops_state *s, uint32_t number)
{
	struct drops_name *n;

	HASH_FIND(hh, s->names, &number, sizeof(number), n);
	return n ? n->name : NULL;
}

const char *drops_symbol(const struct drops_state *s, uint64_t place)
{
	struct drops_place *p;

	HASH_FIND(hh, s->places, &place, sizeof(place), p);
	return p ? p->symbol : NULL;
}

const char *drops_device_name(const struct drops_state *s, uint32_t netns, uint32_t ifindex)
{
	struct drops_device_key key = { netns, ifindex };
	struct drops_device *d;

	HASH_FIND(hh, s->devices, &key, sizeof(key), d);
	return d ? d->name : NULL;
}

int drops_name_put(struct drops_state *s, const struct drops_reason *r)
{
	static const char *const prefixes[] = { "SKB_DROP_REASON_", "SKB_" };
	const char *name = r->name;
	struct drops_name *n;

	for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i]))) {
			name += strlen(prefixes[i]);
			break;
		}
	HASH_FIND(hh, s->names, &r->number, sizeof(r->number), n);
	if (n)
		return 0; /* two names of one number: the first that the kernel has */
	if (HASH_COUNT(s->names) >= PLACES_MAX)
		return 0;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->number = r->number;
	snprintf(n->name, sizeof(n->name), "%s", name);
	HASH_ADD(hh, s->names, number, sizeof(n->number), n);
	if (!n->hh.tbl) {
		free(n);
		return -ENOMEM;
	}
	return 0;
}

/* "udp_recvmsg+0xf8/0x3c0 [module]" without the size. */
void drops_tidy_symbol(const char *from, char *ret, size_t room)
{
	const char *slash = strchr(from, '/'), *space = strchr(from, ' ');

	snprintf(ret, room, "%.*s%s", slash ? (int)(slash - from) : (int)strlen(from), from, slash && space ? space : "");
}

int drops_place_put(struct drops_state *s, uint64_t address, const char *symbol)
{
	struct drops_place *p;

	if (!symbol[0] || drops_symbol(s, address) || HASH_COUNT(s->places) >= PLACES_MAX)
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->address = address;
	drops_tidy_symbol(symbol, p->symbol, sizeof(p->symbol));
	HASH_ADD(hh, s->places, address, sizeof(p->address), p);
	if (!p->hh.tbl) {
		free(p);
		return -ENOMEM;
	}
	return 0;
}

int drops_device_put(struct drops_state *s, uint32_t netns, uint32_t ifindex, const char *name)
{
	struct drops_device_key key = { netns, ifindex };
	struct drops_device *d;

	if (!name[0] || !ifindex)
		return 0;
	HASH_FIND(hh, s->devices, &key, sizeof(key), d);
	if (!d) {
		struct drops_device *oldest = HASH_COUNT(s->devices) >= DEVICES_MAX ? s->devices : NULL;

		if (oldest) { /* they come and go with containers */
			HASH_DEL(s->devices, oldest);
			free(oldest);
		}
		d = calloc(1, sizeof(*d));
		if (!d)
			return -ENOMEM;
		d->key = key;
		HASH_ADD(hh, s->devices, key, sizeof(d->key), d);
		if (!d->hh.tbl) {
			free(d);
			return -ENOMEM;
		}
	}
	snprintf(d->name, sizeof(d->name), "%s", name); /* interfaces are renamed */
	return 0;
}
