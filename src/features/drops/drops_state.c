// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "features/drops/drops_packet.h"
#include "features/drops/drops_state_private.h"

#define SECOND_NS 1000000000ull
#define HOLDERS_MAX 8192
#define ASK_AGAIN_NS (10 * SECOND_NS)     /* for a socket that nobody held */
#define HOLDER_KEPT_NS (300 * SECOND_NS)
#define BASE_KEPT_NS (120 * SECOND_NS)    /* since its counter was looked at last */
#define PAUSE_NS (10 * SECOND_NS)         /* so long without a loss ends what began */
#define PLACE_WAIT_NS (5 * SECOND_NS)     /* a sum without the name of its place waits so long for it */

/* --- rows ----------------------------------------------------------------------------------------- */

/* A packet for a device that is down meets a queue that drops everything: the kernel gives the queue's reason. */
static const char *by_device(uint32_t flags, const char *kernel_word)
{
	if (strcmp(kernel_word, "QDISC_DROP") && strcmp(kernel_word, "NOT_SPECIFIED"))
		return NULL;
	return flags & DROPS_DEVICE_DOWN ? "device_down" : flags & DROPS_NO_CARRIER ? "no_carrier" : NULL;
}

static const char *kernel_word(const struct drops_state *s, const struct drops_row *r, char number[16])
{
	const char *name;

	if (r->key.source != DROPS_PACKET)
		return r->key.name;
	name = drops_reason_name(s, r->key.reason);
	if (name)
		return name;
	if (!s->names)
		return "NOT_SPECIFIED"; /* a kernel without reasons */
	snprintf(number, 16, "%u", r->key.reason);
	return number;
}

/* What the row's reason and place say; again whenever one of them becomes known. */
static void row_explain(const struct drops_state *s, struct drops_row *r)
{
	char number[16];
	const char *word = kernel_word(s, r, number), *shown = word, *other;

	other = r->key.source == DROPS_PACKET ? by_device(r->key.flags, word) : NULL;
	if (other)
		shown = other;
	r->meaning = drops_meaning_of(shown, drops_symbol(s, r->key.place));
	r->consumed = r->meaning && r->meaning->is && !strcmp(r->meaning->is, DROPS_IS_CONSUMED);
	if (r->meaning && r->meaning->is && !r->consumed)
		shown = r->meaning->is;
	r->derived = shown != word;
	snprintf(r->reason, sizeof(r->reason), "%s", shown);
	r->dirty = true;
}

struct drops_row *drops_row_get(struct drops_state *s, const struct drops_row_key *key, uint64_t mono_ns)
{
	struct drops_row *r;

	HASH_FIND(hh, s->rows, key, sizeof(*key), r);
	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->key = *key;
	r->first_ns = mono_ns;
	HASH_ADD(hh, s->rows, key, sizeof(r->key), r);
	if (!r->hh.tbl) {
		free(r);
		return NULL;
	}
	row_explain(s, r);
	return r;
}

static void row_free(struct drops_row *r)
{
	free(r->stack);
	free(r);
}

void drops_row_process(struct drops_row *r, uint32_t uid, const char *comm, const struct weir_identity *id)
{
	r->uid = uid;
	r->has_uid = true;
	snprintf(r->comm, sizeof(r->comm), "%s", comm);
	if (id)
		r->id = *id;
	r->dirty = true;
}

static struct drops_holder *holder_find(const struct drops_state *s, const struct drops_socket *socket)
{
	struct drops_holder *h;

	HASH_FIND(hh, s->holders, socket, sizeof(*socket), h);
	return h;
}

static bool has_socket(const struct drops_socket *socket)
{
	return socket->cookie || socket->port;
}

/* Where the device's state says nothing, rows would differ by it that look the same. */
static uint32_t flags_that_matter(const struct drops_state *s, const struct drops_key *key)
{
	const char *word = drops_reason_name(s, key->reason);

	if (word && !by_device(key->flags, word))
		return 0;
	return key->flags & DROPS_DEVICE_DOWN ? DROPS_DEVICE_DOWN : key->flags & DROPS_NO_CARRIER;
}

/* The row that the entry counts for as things are known. */
static struct drops_row *row_of(struct drops_state *s, const struct drops_entry *e, uint64_t mono_ns)
{
	struct drops_row_key key = {
		.place = e->key.place,
		.netns = e->key.netns,
		.ifindex = e->key.ifindex,
		.reason = e->key.reason,
		.flags = flags_that_matter(s, &e->key),
		.source = DROPS_PACKET,
	};
	const struct drops_holder *h = has_socket(&e->key.socket) ? holder_find(s, &e->key.socket) : NULL;
	struct drops_row *r;

	if (h && h->start_ns) {
		key.pid = h->pid;
		key.start_ns = h->start_ns;
	}
	if (HASH_COUNT(s->rows) >= DROPS_ROWS_MAX) /* then by reason and place alone */
		key.pid = 0, key.start_ns = 0, key.netns = 0, key.ifindex = 0;
	r = drops_row_get(s, &key, mono_ns);
	if (r && key.pid && !r->has_uid)
		drops_row_process(r, h->uid, h->comm, &h->id);
	return r;
}

void drops_row_grow(struct drops_row *r, uint64_t packets, uint64_t bytes, uint64_t mono_ns)
{
	if (!packets)
		return;
	r->packets += packets;
	r->bytes += bytes;
	r->last_ns = mono_ns;
	if (!r->burst_ns)
		r->burst_ns = mono_ns;
	r->dirty = true;
}

/* --- groups --------------------------------------------------------------------------------------- */

struct drops_group *drops_group_get(struct drops_state *s, const char *key, size_t key_len)
{
	struct drops_group *g;

	HASH_FIND(hh, s->groups, key, key_len, g);
	if (g || key_len > sizeof(g->key))
		return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	memcpy(g->key, key, key_len);
	g->key_len = key_len;
	HASH_ADD_KEYPTR(hh, s->groups, g->key, g->key_len, g);
	if (!g->hh.tbl) {
		free(g);
		return NULL;
	}
	return g;
}

static void group_add(struct drops_state *s, const char *reason, const char *layer, const char *device, uint64_t packets)
{
	char key[sizeof(((struct drops_group *)0)->key)];
	struct drops_group *g;
	int n = snprintf(key, sizeof(key), "%s%c%s%c%s", reason, 0, layer, 0, device);

	if (n < 0 || (size_t)n >= sizeof(key))
		return;
	HASH_FIND(hh, s->groups, key, (size_t)n + 1, g);
	if (!g && HASH_COUNT(s->groups) >= DROPS_GROUPS_MAX && device[0]) {
		group_add(s, reason, layer, "", packets); /* interfaces come and go without an end */
		return;
	}
	if (!g)
		g = drops_group_get(s, key, (size_t)n + 1);
	if (!g)
		return;
	g->packets += packets;
	g->grew = true;
}

bool drops_row_waits(const struct drops_state *s, const struct drops_row *r, uint64_t mono_ns)
{
	return r->key.place && !drops_symbol(s, r->key.place) && mono_ns - r->first_ns < PLACE_WAIT_NS;
}

/* What the row has that no group has yet. */
static void row_to_group(struct drops_state *s, struct drops_row *r, uint64_t mono_ns)
{
	uint64_t more = r->packets - r->grouped;
	const char *device;

	if (!more || r->packets < r->grouped)
		return;
	if (drops_row_waits(s, r, mono_ns))
		return;
	r->grouped = r->packets;
	if (r->consumed || r->overlaps)
		return;
	device = drops_device_name(s, r->key.netns, r->key.ifindex);
	group_add(s, r->reason, drops_layer_name(r->meaning ? r->meaning->layer : DROPS_LAYER_OTHER), device ? device : "",
		  more);
}

void drops_rows_to_groups(struct drops_state *s)
{
	for (struct drops_row *r = s->rows; r; r = r->hh.next)
		row_to_group(s, r, s->mono_ns);
}

/* --- sums ----------------------------------------------------------------------------------------- */

const struct drops_entry *drops_entry_find(const struct drops_state *s, const struct drops_key *key)
{
	struct drops_entry *e;

	HASH_FIND(hh, s->entries, key, sizeof(*key), e);
	return e;
}

static int entry_get(struct drops_state *s, const struct drops_key *key, uint64_t mono_ns, struct drops_entry **ret)
{
	struct drops_entry *e;

	HASH_FIND(hh, s->entries, key, sizeof(*key), e);
	if (!e) {
		if (HASH_COUNT(s->entries) >= 2 * DROPS_KEYS_MAX)
			return -ENOMEM;
		e = calloc(1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		e->key = *key;
		e->last_ns = mono_ns;
		e->row = row_of(s, e, mono_ns);
		if (!e->row) {
			free(e);
			return -ENOMEM;
		}
		HASH_ADD(hh, s->entries, key, sizeof(e->key), e);
		if (!e->hh.tbl) {
			free(e);
			return -ENOMEM;
		}
		e->row->entries++;
	}
	*ret = e;
	return 0;
}

static void entry_drop(struct drops_state *s, struct drops_entry *e)
{
	e->row->entries--;
	HASH_DEL(s->entries, e);
	free(e);
}

/* Of an earlier life of the reader. */
static void grow_earlier(struct drops_row *r, uint64_t packets, uint64_t bytes, bool counted, uint64_t mono_ns)
{
	if (counted) {
		r->grouped += packets;
		r->told += packets;
	}
	r->packets += packets;
	r->bytes += bytes;
	r->tick_packets += packets;
	r->last_ns = mono_ns;
	r->dirty = true;
}

static int apply_sum(struct drops_state *s, uint64_t mono_ns, const struct drops_sum_record *r)
{
	struct drops_entry *e;
	int error = entry_get(s, &r->key, mono_ns, &e);

	if (error < 0)
		return error;
	if (r->packets >= e->packets && r->bytes >= e->bytes) {
		uint64_t packets = r->packets - e->packets, bytes = r->bytes - e->bytes;

		e->all_packets += packets;
		e->all_bytes += bytes;
		if (packets)
			e->last_ns = mono_ns;
		if (r->earlier)
			grow_earlier(e->row, packets, bytes, r->earlier == DROPS_EARLIER_COUNTED, mono_ns);
		else
			drops_row_grow(e->row, packets, bytes, mono_ns);
	}
	e->packets = r->packets;
	e->bytes = r->bytes;
	if (r->over)
		entry_drop(s, e);
	return 0;
}

/* With everything it has counted. */
static void entry_move(struct drops_entry *e, struct drops_row *to)
{
	struct drops_row *from = e->row;
	uint64_t grouped = e->all_packets < from->grouped ? e->all_packets : from->grouped;
	uint64_t told = e->all_packets < from->told ? e->all_packets : from->told;
	uint64_t ticked = e->all_packets < from->tick_packets ? e->all_packets : from->tick_packets;
	bool sampled = !memcmp(&from->sampled, &e->key.socket, sizeof(from->sampled));

	if (from == to)
		return;
	from->packets -= e->all_packets;
	from->bytes -= e->all_bytes;
	from->grouped -= grouped;
	from->told -= told;
	from->entries--;
	from->tick_packets -= ticked;
	from->dirty = true;
	to->packets += e->all_packets;
	to->bytes += e->all_bytes;
	to->grouped += grouped;
	to->told += told;
	to->tick_packets += ticked;
	to->entries++;
	to->dirty = true;
	if (from->first_ns < to->first_ns)
		to->first_ns = from->first_ns;
	if (e->last_ns > to->last_ns)
		to->last_ns = e->last_ns;
	if (!to->burst_ns)
		to->burst_ns = from->burst_ns;
	if (sampled && !to->sample[0]) {
		memcpy(to->sample, from->sample, sizeof(to->sample));
		to->sampled = from->sampled;
	}
	if (sampled && !to->stack && from->stack)
		to->stack = strdup(from->stack);
	e->row = to;
}

/* What it has counted remains where it is. */
static void entry_leave(struct drops_entry *e)
{
	e->all_packets = 0;
	e->all_bytes = 0;
}

/* --- samples -------------------------------------------------------------------------------------- */

static size_t function_len(const char *symbol)
{
	return strcspn(symbol, "+. /");
}

/* The frames from the place on: those before are the tracing itself. */
static char *stack_text(const struct drops_seen *e, const char *place)
{
	const char *from = e->stack_text;
	char *text, *to;

	for (const char *line = from; place && *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (function_len(line) == function_len(place) && !strncmp(line, place, function_len(place))) {
			from = line;
			break;
		}
	text = to = calloc(1, strlen(from) + 2);
	while (text && *from) {
		size_t n = strcspn(from, "\n");
		char one[DROPS_STACK_TEXT];

		snprintf(one, sizeof(one), "%.*s", (int)n, from);
		if (!strncmp(one, "0x0", 3) || !one[0])
			break;
		if (to > text)
			*to++ = ';';
		drops_tidy_symbol(one, to, strlen(one) + 1);
		to += strlen(to);
		from += n;
		from += *from == '\n';
	}
	return text;
}

static int apply_place(struct drops_state *s, uint64_t place, const char *symbol)
{
	int error = drops_place_put(s, place, symbol);

	for (struct drops_row *r = error < 0 ? NULL : s->rows; r; r = r->hh.next)
		if (r->key.place == place)
			row_explain(s, r);
	return error;
}

static int apply_seen(struct drops_state *s, uint64_t mono_ns, const struct drops_seen *e)
{
	struct drops_entry *entry;
	bool new_place = !drops_symbol(s, e->key.place);
	struct drops_row *r;
	int error = new_place ? apply_place(s, e->key.place, e->symbol) : 0;

	if (error == 0)
		error = drops_device_put(s, e->key.netns, e->key.ifindex, e->device);
	if (error == 0)
		error = entry_get(s, &e->key, mono_ns, &entry);
	if (error < 0)
		return error;
	r = entry->row;
	drops_packet_text(e->ethertype, e->family, e->bytes, e->captured, e->length, r->sample, sizeof(r->sample));
	r->sampled = e->key.socket;
	free(r->stack);
	r->stack = stack_text(e, drops_symbol(s, e->key.place));
	r->dirty = true;
	return 0;
}

/* --- who holds a socket ---------------------------------------------------------------------------- */

/* A port outlives its socket: a program that was started again has the same. */
static bool by_port(const struct drops_socket *socket)
{
	return !socket->cookie && socket->port;
}

static bool is_holder(const struct drops_holder *h, const struct drops_owner *o)
{
	return h->pid == o->pid && h->start_ns == o->start_ns;
}

static void holder_drop(struct drops_state *s, struct drops_holder *h)
{
	HASH_DEL(s->holders, h);
	free(h);
}

static int apply_owner(struct drops_state *s, uint64_t mono_ns, const struct drops_owner *o)
{
	struct drops_holder *h = holder_find(s, &o->socket);
	struct drops_entry *e, *next;
	bool replaces;

	if (!h) {
		if (HASH_COUNT(s->holders) >= HOLDERS_MAX)
			holder_drop(s, s->holders); /* the oldest: sums that are known to be its stay so */
		h = calloc(1, sizeof(*h));
		if (!h)
			return -ENOMEM;
		h->socket = o->socket;
		HASH_ADD(hh, s->holders, socket, sizeof(h->socket), h);
		if (!h->hh.tbl) {
			free(h);
			return -ENOMEM;
		}
	} else if (h->start_ns && (!by_port(&o->socket) || !o->start_ns || is_holder(h, o))) {
		h->told_ns = mono_ns;
		return 0; /* several hold it: the one that was met first */
	}
	replaces = h->start_ns != 0;
	h->told_ns = mono_ns;
	h->start_ns = o->start_ns;
	h->pid = o->pid;
	h->uid = o->uid;
	snprintf(h->comm, sizeof(h->comm), "%s", o->comm);
	weir_identity_parse(o->cgroup, &h->id);
	if (!h->start_ns)
		return 0;
	HASH_ITER(hh, s->entries, e, next) {
		struct drops_row *to;

		if (memcmp(&e->key.socket, &o->socket, sizeof(o->socket)))
			continue;
		to = row_of(s, e, mono_ns);
		if (!to)
			return -ENOMEM;
		if (replaces)
			entry_leave(e);
		entry_move(e, to);
	}
	return 0;
}

void drops_unknown_holders(const struct drops_state *s, uint64_t mono_ns,
			   void (*visit)(void *ctx, const struct drops_socket *socket), void *ctx)
{
	for (const struct drops_entry *e = s->entries; e; e = e->hh.next) {
		const struct drops_holder *h;

		if (!has_socket(&e->key.socket) || mono_ns - e->last_ns > ASK_AGAIN_NS)
			continue;
		if (e->row->key.pid && !by_port(&e->key.socket))
			continue;
		h = holder_find(s, &e->key.socket);
		if (!h || ((!h->start_ns || by_port(&h->socket)) && mono_ns - h->told_ns > ASK_AGAIN_NS))
			visit(ctx, &e->key.socket);
	}
}

/* --- records -------------------------------------------------------------------------------------- */

int drops_apply(void *state, uint64_t mono_ns, const void *event)
{
	const union drops_event *e = event;
	struct drops_state *s = state;

	s->mono_ns = mono_ns;
	if (!s->began_ns)
		s->began_ns = mono_ns;
	switch ((enum drops_record)e->head.type) {
	case DROPS_RECORD_SEEN:
		return apply_seen(s, mono_ns, &e->seen);
	case DROPS_RECORD_SUM:
		return apply_sum(s, mono_ns, &e->sum);
	case DROPS_RECORD_REASON:
		return drops_name_put(s, &e->reason);
	case DROPS_RECORD_OWNER:
		return apply_owner(s, mono_ns, &e->owner);
	case DROPS_RECORD_COUNTER:
		return drops_apply_counter(s, mono_ns, &e->counter);
	case DROPS_RECORD_LOST:
		s->lost = e->lost;
		return 0;
	case DROPS_RECORD_PLACE:
		return apply_place(s, e->place.address, e->place.symbol);
	case DROPS_RECORD_DEVICE:
		return drops_device_put(s, e->device.id.netns, e->device.id.ifindex, e->device.name);
	case DROPS_RECORD_CARRIED:
		return drops_apply_carried(s, &e->carried);
	case _DROPS_RECORD_MAX:
		break;
	}
	return -EBADMSG;
}

/* --- time ----------------------------------------------------------------------------------------- */

static void row_tick(struct drops_state *s, struct drops_row *r, uint64_t mono_ns)
{
	uint64_t dt = mono_ns - s->tick_ns, more = r->packets - r->tick_packets;
	double a_second = s->tick_ns && dt ? (double)more * 1e9 / (double)dt + 0.5 : 0;
	uint64_t rate = a_second < 1e18 ? (uint64_t)a_second : 1000000000000000000ull; /* a recording may hold anything */

	row_to_group(s, r, mono_ns);
	r->tick_packets = r->packets;
	if (rate != r->rate)
		r->dirty = true;
	r->rate = rate;
	if (mono_ns - r->last_ns > PAUSE_NS)
		r->burst_ns = 0;
}

static void forget(struct drops_state *s, uint64_t mono_ns)
{
	struct drops_holder *h, *next_holder;
	struct drops_base *b, *next_base;
	struct drops_entry *e, *next_entry;
	struct drops_row *r, *next;

	HASH_ITER(hh, s->entries, e, next_entry)
		if (!e->packets && mono_ns - e->last_ns > PAUSE_NS)
			entry_drop(s, e); /* only its sample came */
	HASH_ITER(hh, s->rows, r, next) {
		if (r->entries || mono_ns - r->last_ns < DROPS_ROW_KEPT_NS)
			continue;
		HASH_DEL(s->rows, r);
		row_free(r);
	}
	HASH_ITER(hh, s->holders, h, next_holder) {
		if (mono_ns - h->told_ns >= HOLDER_KEPT_NS)
			holder_drop(s, h);
	}
	HASH_ITER(hh, s->bases, b, next_base) {
		if (mono_ns - b->seen_ns < BASE_KEPT_NS)
			continue;
		HASH_DEL(s->bases, b);
		free(b);
	}
}

void drops_tick(void *state, uint64_t mono_ns, uint64_t real_ns)
{
	struct drops_state *s = state;

	s->mono_ns = mono_ns;
	s->real_minus_mono_ns = real_ns - mono_ns;
	if (!s->began_ns)
		s->began_ns = mono_ns;
	for (struct drops_row *r = s->rows; r; r = r->hh.next)
		row_tick(s, r, mono_ns);
	forget(s, mono_ns);
	s->tick_ns = mono_ns;
}

/* --- the whole ------------------------------------------------------------------------------------ */

struct drops_state *drops_state_new(void)
{
	return calloc(1, sizeof(struct drops_state));
}

#define FREE_ALL(head, release)                   \
	do {                                      \
		__typeof__(head) _e, _next;       \
		HASH_ITER(hh, head, _e, _next) {  \
			HASH_DEL(head, _e);       \
			release(_e);              \
		}                                 \
	} while (0)

struct drops_state *drops_state_free(struct drops_state *s)
{
	if (!s)
		return NULL;
	FREE_ALL(s->entries, free);
	FREE_ALL(s->rows, row_free);
	FREE_ALL(s->places, free);
	FREE_ALL(s->names, free);
	FREE_ALL(s->devices, free);
	FREE_ALL(s->holders, free);
	FREE_ALL(s->bases, free);
	FREE_ALL(s->groups, free);
	free(s);
	return NULL;
}
