// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_capture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "core/probe.h"
#include "features/drops/drops_capture.skel.h"
#include "features/drops/drops_capture_abi.h"
#include "features/drops/drops_kernel.h"
#include "features/drops/drops_reasons.h"

#define REASON_PREFIX "SKB_DROP_REASON_"
/* Then it is time to look at other things: a flood has no end. */
#define RECORDS_PER_DRAIN 8192

struct drops_capture_symbol {
	uint64_t place;
	char text[DROPS_CAPTURE_SYMBOL];
	UT_hash_handle hh;
};

/* What a reason means at a place: found once, said often. */
struct drops_capture_why {
	struct {
		uint64_t place, reason;
	} key;
	const char *place; /* of the symbol, or NULL */
	bool consumed;	   /* no loss at all */
	char reason[DROPS_NAME];
	UT_hash_handle hh;
};

struct drops_capture {
	struct drops_capture_bpf *bpf;
	struct bpf_program *program;
	struct bpf_link *link;
	struct ring_buffer *ring;
	struct drops_reason *reasons;
	unsigned n_reasons;
	struct drops_capture_symbol *symbols;
	struct drops_capture_why *whys;
	/* while draining */
	weir_captured_visit visit;
	void *ctx;
	unsigned left;
};

/* --- what a record means --------------------------------------------------------------------------- */

static void name_reason(const struct drops_capture *c, uint32_t number, char ret[DROPS_NAME])
{
	for (unsigned i = 0; i < c->n_reasons; i++) {
		const char *name = c->reasons[i].name;

		if (c->reasons[i].number != number)
			continue;
		if (!strncmp(name, REASON_PREFIX, strlen(REASON_PREFIX)))
			name += strlen(REASON_PREFIX);
		snprintf(ret, DROPS_NAME, "%s", name);
		return;
	}
	snprintf(ret, DROPS_NAME, "REASON_%u", number);
}

static struct drops_capture_why *why_new(struct drops_capture *c, uint64_t place, uint32_t reason)
{
	struct drops_capture_why *w = calloc(1, sizeof(*w));
	const struct drops_meaning *m;
	struct drops_capture_symbol *s;

	if (!w)
		return NULL;
	w->key.place = place;
	w->key.reason = reason;
	HASH_FIND(hh, c->symbols, &place, sizeof(place), s);
	w->place = s ? s->text : NULL;
	name_reason(c, reason, w->reason);
	m = drops_meaning_of(w->reason, w->place);
	if (m && m->is && !strcmp(m->is, DROPS_IS_CONSUMED))
		w->consumed = true;
	else if (m && m->is)
		snprintf(w->reason, sizeof(w->reason), "%s", m->is);
	HASH_ADD(hh, c->whys, key, sizeof(w->key), w);
	return w;
}

static struct drops_capture_why *why_of(struct drops_capture *c, uint64_t place, uint32_t reason)
{
	struct drops_capture_why *w, wanted = { .key = { place, reason } };

	HASH_FIND(hh, c->whys, &wanted.key, sizeof(wanted.key), w);
	return w ? w : why_new(c, place, reason);
}

/* "udp_queue_rcv_one_skb+0x1a3/0x5d0 [module]" without the function's size. */
static void learn_place(struct drops_capture *c, const struct drops_capture_place *p)
{
	struct drops_capture_symbol *s;
	const char *size, *rest;

	HASH_FIND(hh, c->symbols, &p->place, sizeof(p->place), s);
	if (s)
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	s->place = p->place;
	memcpy(s->text, p->symbol, sizeof(s->text) - 1);
	size = memchr(p->symbol, '/', sizeof(p->symbol) - 1);
	if (size) {
		s->text[size - p->symbol] = '\0';
		rest = strchr(size, ' ');
		if (rest)
			snprintf(s->text + (size - p->symbol), sizeof(s->text) - (size_t)(size - p->symbol), "%s", rest);
	}
	HASH_ADD(hh, c->symbols, place, sizeof(s->place), s);
}

static void show_packet(struct drops_capture *c, const struct drops_capture_packet *p, size_t room)
{
	const struct drops_capture_why *w = why_of(c, p->place, p->reason);
	struct weir_captured seen = {
		.mono_ns = p->at_ns,
		.bytes = (const uint8_t *)(p + 1),
		.len = p->captured <= room ? p->captured : (uint32_t)room,
		.original_len = p->length,
		.ethernet = p->ethernet,
		.ether_type = p->ether_type,
		.incoming = p->incoming,
		.ifindex = p->ifindex,
		.netns = p->netns,
		.cookie = p->cookie,
		.reason = w ? w->reason : "UNKNOWN",
		.place = w ? w->place : NULL,
	};

	if (w && w->consumed)
		return;
	memcpy(seen.device, p->device, sizeof(seen.device) - 1);
	c->visit(c->ctx, &seen);
}

static int on_record(void *ctx, void *bytes, size_t len)
{
	struct drops_capture *c = ctx;
	uint32_t type = 0;

	if (len >= sizeof(type))
		memcpy(&type, bytes, sizeof(type));
	if (type == DROPS_CAPTURE_PLACE && len >= sizeof(struct drops_capture_place))
		learn_place(c, bytes);
	else if (type == DROPS_CAPTURE_PACKET && len >= sizeof(struct drops_capture_packet))
		show_packet(c, bytes, len - sizeof(struct drops_capture_packet));
	return --c->left ? 0 : -ECANCELED;
}

/* --- the source ------------------------------------------------------------------------------------ */

static void drops_capture_close(void *source)
{
	struct drops_capture *c = source;
	struct drops_capture_symbol *s, *next_symbol;
	struct drops_capture_why *w, *next_why;

	if (!c)
		return;
	bpf_link__destroy(c->link);
	ring_buffer__free(c->ring);
	drops_capture_bpf__destroy(c->bpf);
	HASH_ITER(hh, c->whys, w, next_why) {
		HASH_DEL(c->whys, w);
		free(w);
	}
	HASH_ITER(hh, c->symbols, s, next_symbol) {
		HASH_DEL(c->symbols, s);
		free(s);
	}
	free(c->reasons);
	free(c);
}

/* Which variant loads depends on how many arguments this kernel's tracepoint has. */
static void choose(struct drops_capture *c, const struct weir_probe *probe, const struct weir_capture_options *o)
{
	int arguments = weir_probe_tracepoint_arity(probe, "kfree_skb");
	struct drops_capture_bpf *b = c->bpf;
	struct bpf_program *all[] = { b->progs.drops_capture, b->progs.drops_capture_reason, b->progs.drops_capture_place };

	c->program = all[arguments >= 4 ? 0 : arguments == 3 ? 1 : 2];
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		bpf_program__set_autoload(all[i], all[i] == c->program);
	b->rodata->wanted_netns = o->netns;
	b->rodata->wanted_ifindex = o->ifindex;
	b->rodata->wanted_bytes = o->snap_bytes < DROPS_CAPTURE_MANY ? o->snap_bytes : DROPS_CAPTURE_MANY;
}

static int load(struct drops_capture *c, const struct weir_probe *probe, const struct weir_capture_options *o)
{
	int r = drops_reasons_read(weir_probe_btf(probe), &c->reasons, &c->n_reasons);

	if (r < 0)
		return r;
	c->bpf = drops_capture_bpf__open();
	if (!c->bpf)
		return -errno;
	choose(c, probe, o);
	r = drops_capture_bpf__load(c->bpf);
	if (r < 0)
		return r;
	c->ring = ring_buffer__new(bpf_map__fd(c->bpf->maps.drops_captured), on_record, c, NULL);
	if (!c->ring)
		return -errno;
	c->link = bpf_program__attach(c->program);
	return c->link ? 0 : -errno;
}

/* Returns error. */
static int explain(int error, const char *why, const char *cure, char **ret_error)
{
	return weir_fail(ret_error, error, "%s%s%s", why, cure ? ": " : "", cure ? cure : "");
}

static int try_open(struct drops_capture *c, struct weir_probe *probe, const struct weir_capture_options *o,
		    char **ret_error)
{
	const char *why, *cure = NULL;
	int r = drops_possible(probe, &why, &cure);

	if (r < 0)
		return explain(r, why, cure, ret_error);
	r = load(c, probe, o);
	if (r == 0)
		return 0;
	why = weir_probe_refusal(probe, r, &cure);
	return explain(-EOPNOTSUPP, why, cure, ret_error);
}

static int drops_capture_open(const struct weir_capture_options *o, void **ret, char **ret_error)
{
	struct drops_capture *c = calloc(1, sizeof(*c));
	struct weir_probe *probe = NULL;
	int r = c ? weir_probe_new(&probe) : -ENOMEM;

	*ret_error = NULL;
	if (r >= 0)
		r = try_open(c, probe, o, ret_error);
	weir_probe_free(probe);
	if (r < 0) {
		drops_capture_close(c);
		return r;
	}
	*ret = c;
	return 0;
}

static int drops_capture_fd(void *source)
{
	const struct drops_capture *c = source;

	return ring_buffer__epoll_fd(c->ring);
}

static int drops_capture_drain(void *source, weir_captured_visit visit, void *ctx)
{
	struct drops_capture *c = source;
	int r;

	c->visit = visit;
	c->ctx = ctx;
	c->left = RECORDS_PER_DRAIN;
	r = ring_buffer__consume(c->ring);
	return r < 0 && r != -ECANCELED ? r : 0;
}

static uint64_t drops_capture_lost(void *source)
{
	const struct drops_capture *c = source;

	return __atomic_load_n(&c->bpf->bss->lost, __ATOMIC_RELAXED);
}

static uint64_t drops_capture_missed(void *source)
{
	const struct drops_capture *c = source;

	return drops_missed(c->program);
}

const struct weir_capture_source drops_capture_source = {
	.open = drops_capture_open,
	.fd = drops_capture_fd,
	.drain = drops_capture_drain,
	.lost = drops_capture_lost,
	.missed = drops_capture_missed,
	.close = drops_capture_close,
};
