// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "store/sample.h"

/* A block: the magic, the time, items, and the item that ends it. Samples are of the program that
 * was named last. */

#define BATCH_MAGIC "weirB1\n"
#define BATCH_ROOM_MIN 65536
#define BATCH_RESERVE 256 /* for the sums of what found no room, and the end */
#define FEATURE_MAX 64

enum batch_item {
	ITEM_END,
	ITEM_PROGRAM,
	ITEM_NOBODY,
	ITEM_SAMPLE,
	ITEM_OTHER,
	ITEM_EVENT,
	ITEM_CARRY,
	ITEM_ANEW,
};

/* --- making ---------------------------------------------------------------------------------- */

struct weir_batch {
	struct weir_history_sink sink;
	struct weir_carry_sink carry;
	struct weir_buf out, item, program; /* program: the one named last, encoded */
	size_t room, carry_room;
	const char *feature;
	size_t anew_at;    /* where the feature's records began anew in the block; 0: they did not */
	uint64_t anew_put; /* records since then */
	bool anew_failed;
	uint64_t left_out;
	bool program_named;
	struct weir_history_sample other[_WEIR_HISTORY_KIND_MAX];
	uint64_t n_other[_WEIR_HISTORY_KIND_MAX];
};

/* Appends the item if there is so much room. */
static bool put_within(struct weir_batch *b, size_t room)
{
	if (b->item.error || b->out.error || b->out.len + b->item.len + BATCH_RESERVE > room)
		return false;
	weir_buf_add(&b->out, b->item.data, b->item.len);
	return !b->out.error;
}

static bool batch_put(struct weir_batch *b)
{
	return put_within(b, b->room - b->carry_room);
}

static void write_counters(struct weir_buf *b, const struct weir_history_sample *s)
{
	const uint64_t values[] = { s->tx_bytes, s->rx_bytes, s->connections, s->retransmits,
				    s->packets };
	unsigned mask = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
		mask |= values[i] ? 1u << i : 0;
	weir_buf_char(b, (char)mask);
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i])
			store_write_number(b, values[i]);
}

static void write_program(struct weir_buf *b, const struct weir_history_program *p)
{
	if (!p->comm || !*p->comm) {
		weir_buf_char(b, ITEM_NOBODY);
		return;
	}
	weir_buf_char(b, ITEM_PROGRAM);
	store_write_program(b, p);
	store_write_number(b, p->uid);
}

/* Most samples are of the same program as the one before. */
static bool name_program(struct weir_batch *b, const struct weir_history_program *p)
{
	weir_buf_reset(&b->item);
	write_program(&b->item, p);
	if (b->program_named && b->item.len == b->program.len && !b->item.error &&
	    memcmp(b->item.data, b->program.data, b->item.len) == 0)
		return true;
	if (!batch_put(b))
		return false;
	weir_buf_reset(&b->program);
	weir_buf_add(&b->program, b->item.data, b->item.len);
	b->program_named = !b->program.error;
	return true;
}

static void write_sample(struct weir_buf *b, const struct weir_history_sample *s)
{
	weir_buf_char(b, ITEM_SAMPLE);
	weir_buf_char(b, (char)s->kind);
	store_write_own(b, s);
	write_counters(b, s);
}

static void add(uint64_t *sum, uint64_t v)
{
	if (__builtin_add_overflow(*sum, v, sum))
		*sum = UINT64_MAX;
}

static void sink_sample(struct weir_history_sink *sink, const struct weir_history_sample *s)
{
	struct weir_batch *b = (struct weir_batch *)sink;
	struct weir_history_sample *o;

	if (s->kind >= _WEIR_HISTORY_KIND_MAX)
		return;
	if (name_program(b, &s->program)) {
		weir_buf_reset(&b->item);
		write_sample(&b->item, s);
		if (batch_put(b))
			return;
	}
	o = &b->other[s->kind];
	add(&o->tx_bytes, s->tx_bytes);
	add(&o->rx_bytes, s->rx_bytes);
	add(&o->connections, s->connections);
	add(&o->retransmits, s->retransmits);
	add(&o->packets, s->packets);
	b->n_other[s->kind]++;
}

static void sink_event(struct weir_history_sink *sink, const struct weir_history_event *e)
{
	struct weir_batch *b = (struct weir_batch *)sink;

	if (e->kind >= _WEIR_HISTORY_EVENT_MAX)
		return;
	weir_buf_reset(&b->item);
	weir_buf_char(&b->item, ITEM_EVENT);
	store_write_number(&b->item, e->real_ns);
	weir_buf_char(&b->item, (char)e->kind);
	store_write_text(&b->item, e->program, WEIR_BATCH_TEXT_MAX);
	store_write_number(&b->item, e->uid);
	store_write_text(&b->item, e->summary, WEIR_BATCH_TEXT_MAX);
	if (!batch_put(b))
		b->left_out++;
}

/* What voids all records before it, and then lacks some, would lose them. */
static void carry_failed(struct weir_batch *b)
{
	b->left_out++;
	if (!b->anew_at)
		return;
	b->out.len = b->anew_at;
	b->left_out += b->anew_put;
	b->anew_at = 0;
	b->anew_failed = true;
	b->program_named = false;
}

static void carry_put(struct weir_carry_sink *sink, uint16_t type, const void *key, size_t key_len,
		      const void *bytes, size_t len)
{
	struct weir_batch *b =
		(struct weir_batch *)((char *)sink - offsetof(struct weir_batch, carry));

	if (key_len > WEIR_CARRY_KEY_MAX || len > WEIR_CARRY_BYTES_MAX || b->anew_failed) {
		b->left_out++;
		return;
	}
	weir_buf_reset(&b->item);
	weir_buf_char(&b->item, ITEM_CARRY);
	store_write_text(&b->item, b->feature, FEATURE_MAX);
	store_write_number(&b->item, type);
	store_write_number(&b->item, key_len);
	weir_buf_add(&b->item, key, key_len);
	store_write_number(&b->item, len);
	weir_buf_add(&b->item, bytes, len);
	if (put_within(b, b->room))
		b->anew_put++;
	else
		carry_failed(b);
}

static void carry_anew(struct weir_carry_sink *sink)
{
	struct weir_batch *b =
		(struct weir_batch *)((char *)sink - offsetof(struct weir_batch, carry));

	size_t at = b->out.len;

	weir_buf_reset(&b->item);
	weir_buf_char(&b->item, ITEM_ANEW);
	store_write_text(&b->item, b->feature, FEATURE_MAX);
	if (put_within(b, b->room)) {
		b->anew_at = at;
		b->anew_put = 0;
	} else {
		b->anew_failed = true;
		b->left_out++;
	}
}

struct weir_batch *weir_batch_new(size_t room)
{
	struct weir_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->room = room < BATCH_ROOM_MIN	  ? BATCH_ROOM_MIN
		  : room > WEIR_BATCH_MAX ? WEIR_BATCH_MAX
					  : room;
	b->carry_room = b->room / 8 < WEIR_BATCH_CARRY_ROOM ? b->room / 8 : WEIR_BATCH_CARRY_ROOM;
	b->sink = (struct weir_history_sink){ .sample = sink_sample, .event = sink_event };
	b->carry = (struct weir_carry_sink){ .put = carry_put, .anew = carry_anew };
	weir_batch_begin(b, 0);
	return b;
}

struct weir_batch *weir_batch_free(struct weir_batch *b)
{
	if (!b)
		return NULL;
	weir_buf_done(&b->out);
	weir_buf_done(&b->item);
	weir_buf_done(&b->program);
	free(b);
	return NULL;
}

void weir_batch_begin(struct weir_batch *b, uint64_t real_ns)
{
	weir_buf_reset(&b->out);
	weir_buf_add(&b->out, BATCH_MAGIC, sizeof(BATCH_MAGIC));
	store_write_number(&b->out, real_ns);
	b->program_named = false;
	b->left_out = 0;
	b->anew_at = 0;
	b->anew_failed = false;
	memset(b->other, 0, sizeof(b->other));
	memset(b->n_other, 0, sizeof(b->n_other));
}

struct weir_history_sink *weir_batch_sink(struct weir_batch *b)
{
	return &b->sink;
}

struct weir_carry_sink *weir_batch_carry(struct weir_batch *b, const char *feature)
{
	b->feature = feature;
	b->anew_at = 0;
	b->anew_failed = false;
	return &b->carry;
}

const void *weir_batch_end(struct weir_batch *b, size_t *ret_len)
{
	for (unsigned k = 0; k < _WEIR_HISTORY_KIND_MAX; k++) {
		if (!b->n_other[k])
			continue;
		weir_buf_char(&b->out, ITEM_OTHER);
		weir_buf_char(&b->out, (char)k);
		store_write_number(&b->out, b->n_other[k]);
		write_counters(&b->out, &b->other[k]);
		b->n_other[k] = 0;
	}
	weir_buf_char(&b->out, ITEM_END);
	*ret_len = b->out.error ? 0 : b->out.len;
	return b->out.error ? NULL : b->out.data;
}

uint64_t weir_batch_left_out(const struct weir_batch *b)
{
	return b->left_out;
}

/* --- taking ---------------------------------------------------------------------------------- */

static void read_counters(struct store_reader *r, struct weir_history_sample *s)
{
	uint64_t *const values[] = { &s->tx_bytes, &s->rx_bytes, &s->connections, &s->retransmits,
				     &s->packets };
	uint8_t mask = store_read_byte(r);

	if (mask >> ARRAY_SIZE(values))
		r->bad = true;
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
		*values[i] = mask & 1u << i ? store_read_number(r) : 0;
}

static void read_program(struct store_reader *r, struct weir_history_program *p)
{
	uint64_t uid;

	store_read_program(r, p);
	uid = store_read_number(r);
	if (uid > UINT32_MAX || !p->comm)
		r->bad = true;
	p->uid = (uint32_t)uid;
}

static void read_kind(struct store_reader *r, struct weir_history_sample *s)
{
	uint8_t kind = store_read_byte(r);

	if (kind >= _WEIR_HISTORY_KIND_MAX)
		r->bad = true;
	s->kind = r->bad ? WEIR_HISTORY_PROGRAM : (enum weir_history_kind)kind;
}

static void take_sample(struct store_reader *r, const struct weir_history_program *p,
			const struct weir_batch_visitor *v)
{
	struct weir_history_sample s = { .program = *p };

	read_kind(r, &s);
	store_read_own(r, &s);
	read_counters(r, &s);
	if (v && v->sample && !r->bad)
		v->sample(v->ctx, &s);
}

static void take_other(struct store_reader *r, const struct weir_batch_visitor *v)
{
	struct weir_history_sample s = { 0 };
	uint64_t n;

	read_kind(r, &s);
	n = store_read_number(r);
	read_counters(r, &s);
	if (v && v->other && !r->bad)
		v->other(v->ctx, &s, n);
}

static void take_event(struct store_reader *r, const struct weir_batch_visitor *v)
{
	struct weir_history_event e = { .real_ns = store_read_number(r) };
	uint8_t kind = store_read_byte(r);
	uint64_t uid;

	e.program = store_read_text(r, WEIR_BATCH_TEXT_MAX);
	uid = store_read_number(r);
	e.summary = store_read_text(r, WEIR_BATCH_TEXT_MAX);
	if (kind >= _WEIR_HISTORY_EVENT_MAX || uid > UINT32_MAX)
		r->bad = true;
	if (!v || !v->event || r->bad)
		return;
	e.kind = (enum weir_history_event_kind)kind;
	e.uid = (uint32_t)uid;
	v->event(v->ctx, &e);
}

static void take_carry(struct store_reader *r, const struct weir_batch_visitor *v)
{
	const char *feature = store_read_text(r, FEATURE_MAX);
	uint64_t type = store_read_number(r), key_len, len;
	const void *key, *bytes;

	key_len = store_read_number(r);
	if (type > UINT16_MAX || key_len > WEIR_CARRY_KEY_MAX)
		r->bad = true;
	key = store_read_bytes(r, r->bad ? 0 : key_len);
	len = store_read_number(r);
	if (len > WEIR_CARRY_BYTES_MAX)
		r->bad = true;
	bytes = store_read_bytes(r, r->bad ? 0 : len);
	if (v && v->carry && !r->bad)
		v->carry(v->ctx, feature, (uint16_t)type, key, key_len, bytes, len);
}

static void take_anew(struct store_reader *r, const struct weir_batch_visitor *v)
{
	const char *feature = store_read_text(r, FEATURE_MAX);

	if (v && v->carry_anew && !r->bad)
		v->carry_anew(v->ctx, feature);
}

/* Whether the items hold together, up to the end that is the last byte; each is given to the
 * visitor, if any. */
static bool take_items(struct store_reader r, const struct weir_batch_visitor *v)
{
	struct weir_history_program program = { 0 };

	while (!r.bad) {
		uint8_t item = store_read_byte(&r);

		if (r.bad)
			break;
		switch (item) {
		case ITEM_END:
			return r.at == r.end;
		case ITEM_PROGRAM:
			read_program(&r, &program);
			break;
		case ITEM_NOBODY:
			program = (struct weir_history_program){ 0 };
			break;
		case ITEM_SAMPLE:
			take_sample(&r, &program, v);
			break;
		case ITEM_OTHER:
			take_other(&r, v);
			break;
		case ITEM_EVENT:
			take_event(&r, v);
			break;
		case ITEM_CARRY:
			take_carry(&r, v);
			break;
		case ITEM_ANEW:
			take_anew(&r, v);
			break;
		default:
			return false;
		}
	}
	return false;
}

int weir_batch_decode(const void *block, size_t len, uint64_t *ret_real_ns,
		      const struct weir_batch_visitor *v)
{
	struct store_reader r = { .at = block, .end = (const uint8_t *)block + len };
	const void *magic;
	uint64_t real_ns;

	if (len > WEIR_BATCH_MAX)
		return -EBADMSG;
	magic = store_read_bytes(&r, sizeof(BATCH_MAGIC));
	if (!magic || memcmp(magic, BATCH_MAGIC, sizeof(BATCH_MAGIC)) != 0)
		return -EBADMSG;
	real_ns = store_read_number(&r);
	if (r.bad || real_ns / 1000000000 > UINT32_MAX) /* the year 2106 */
		return -EBADMSG;
	if (!take_items(r, NULL))
		return -EBADMSG;
	if (v && v->begin)
		v->begin(v->ctx, real_ns);
	if (v)
		take_items(r, v);
	if (ret_real_ns)
		*ret_real_ns = real_ns;
	return 0;
}
