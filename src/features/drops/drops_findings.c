// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/drops/drops_state.h"

/* State -> sentences: what is lost now that ought not to be. Rows of one reason and one owner are one finding. */

#define NOW_NS (10ull * 1000000000ull)

struct lost {
	const struct drops_row *worst; /* the one of them with the most */
	uint64_t rate, packets, since_ns;
};

static bool is_worth(const struct drops_state *s, const struct drops_row *r)
{
	return r->meaning && r->meaning->class > DROPS_EXPECTED && !r->consumed && r->packets && r->burst_ns &&
	       s->mono_ns - r->last_ns <= NOW_NS;
}

static bool same_finding(const struct drops_row *a, const struct drops_row *b)
{
	return a->key.pid == b->key.pid && a->key.start_ns == b->key.start_ns && !strcmp(a->reason, b->reason);
}

/* By rate, then by number. */
static bool is_worse(const struct lost *a, const struct lost *b)
{
	return a->rate != b->rate ? a->rate > b->rate : a->packets > b->packets;
}

static unsigned gather(const struct drops_state *s, struct lost *all, unsigned room)
{
	unsigned n = 0;

	for (const struct drops_row *r = s->rows; r; r = r->hh.next) {
		unsigned i = 0;

		if (!is_worth(s, r))
			continue;
		while (i < n && !same_finding(all[i].worst, r))
			i++;
		if (i == n && n == room)
			continue;
		if (i == n)
			all[n++] = (struct lost){ .worst = r, .since_ns = r->burst_ns };
		all[i].rate += r->rate;
		all[i].packets += r->packets;
		if (r->packets > all[i].worst->packets)
			all[i].worst = r;
		if (r->burst_ns < all[i].since_ns)
			all[i].since_ns = r->burst_ns;
	}
	return n;
}

static void say(const struct drops_state *s, const struct lost *l, struct weir_finding *f)
{
	const struct drops_row *r = l->worst;
	const char *device = drops_device_name(s, r->key.netns, r->key.ifindex);
	bool listener = r->key.source == DROPS_LISTENER;
	const char *what = listener ? "connection" : "packet";
	char headline[256] = "";
	uint64_t n;

	*f = (struct weir_finding){
		.class = drops_class_name(r->meaning->class),
		.advice = r->meaning->advice,
		.object = "drops",
		.since_real_ns = l->since_ns + s->real_minus_mono_ns,
		.pid = r->key.pid,
		.owner = r->has_uid ? r->uid : WEIR_UID_HOST,
	};
	snprintf(f->comm, sizeof(f->comm), "%s", r->comm);
	snprintf(f->id, sizeof(f->id), "%s:%u:%llu", r->reason, r->key.pid, (unsigned long long)r->key.start_ns);
	if (r->key.pid)
		snprintf(f->filter, sizeof(f->filter), "reason:%s pid:%u", r->reason, r->key.pid);
	else
		snprintf(f->filter, sizeof(f->filter), "reason:%s", r->reason);
	drops_headline(r->meaning, r->comm, headline, sizeof(headline));
	n = l->rate ? l->rate : l->packets;
	snprintf(f->summary, sizeof(f->summary), "%llu %s%s%s %s%s%s: %s", (unsigned long long)n, what, n == 1 ? "" : "s",
		 l->rate ? " a second" : "", listener ? "turned away" : "lost", device ? " on " : "", device ? device : "",
		 headline);
}

unsigned drops_findings(const void *state, struct weir_finding *ret)
{
	const struct drops_state *s = state;
	struct lost all[256];
	unsigned n = gather(s, all, sizeof(all) / sizeof(*all)), told = 0;

	while (told < WEIR_FINDINGS_MAX && told < n) {
		unsigned worst = told;
		struct lost swap;

		for (unsigned i = told + 1; i < n; i++)
			if (is_worse(&all[i], &all[worst]))
				worst = i;
		swap = all[told];
		all[told] = all[worst];
		all[worst] = swap;
		say(s, &all[told], &ret[told]);
		told++;
	}
	return told;
}
