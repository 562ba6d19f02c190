// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/bucket.h"

#include <errno.h>
#include <zlib.h>

enum bucket_bits {
	HAS_TX = 1 << 0,
	HAS_RX = 1 << 1,
	HAS_CONNECTIONS = 1 << 2,
	HAS_RETRANSMITS = 1 << 3,
	HAS_PACKETS = 1 << 4,
	HAS_TX_MAX = 1 << 5, /* otherwise it is all of tx */
	HAS_RX_MAX = 1 << 6,
};

#define CHECKSUM_LEN 4

static uint32_t checksum(const void *bytes, size_t len, struct store_place place)
{
	uint8_t where[10] = { place.level, place.kind };
	uLong c = crc32(0, NULL, 0);

	for (unsigned i = 0; i < 8; i++)
		where[2 + i] = (uint8_t)(place.time >> 8 * i);
	c = crc32(c, where, sizeof(where));
	return (uint32_t)crc32(c, bytes, (uInt)len);
}

void store_write_checksum(struct weir_buf *b, size_t from, struct store_place place)
{
	uint8_t bytes[CHECKSUM_LEN];
	uint32_t c;

	if (b->error)
		return;
	c = checksum(b->data + from, b->len - from, place);
	for (unsigned i = 0; i < CHECKSUM_LEN; i++)
		bytes[i] = (uint8_t)(c >> 8 * i);
	weir_buf_add(b, bytes, sizeof(bytes));
}

int store_check(const void *bytes, size_t len, struct store_place place, size_t *ret_len)
{
	const uint8_t *p = bytes;
	uint32_t c = 0;

	if (!p || len < CHECKSUM_LEN || len > UINT32_MAX)
		return -EBADMSG;
	len -= CHECKSUM_LEN;
	for (unsigned i = 0; i < CHECKSUM_LEN; i++)
		c |= (uint32_t)p[len + i] << 8 * i;
	if (c != checksum(bytes, len, place))
		return -EBADMSG;
	*ret_len = len;
	return 0;
}

static void encode_entry(struct weir_buf *out, const struct store_entry *e, uint64_t before)
{
	unsigned bits = (e->tx ? HAS_TX : 0) | (e->rx ? HAS_RX : 0) |
			(e->connections ? HAS_CONNECTIONS : 0) |
			(e->retransmits ? HAS_RETRANSMITS : 0) | (e->packets ? HAS_PACKETS : 0) |
			(e->tx_max != e->tx ? HAS_TX_MAX : 0) |
			(e->rx_max != e->rx ? HAS_RX_MAX : 0);

	store_write_number(out, e->id - before);
	weir_buf_char(out, (char)bits);
	if (bits & HAS_TX)
		store_write_number(out, e->tx);
	if (bits & HAS_RX)
		store_write_number(out, e->rx);
	if (bits & HAS_CONNECTIONS)
		store_write_number(out, e->connections);
	if (bits & HAS_RETRANSMITS)
		store_write_number(out, e->retransmits);
	if (bits & HAS_PACKETS)
		store_write_number(out, e->packets);
	if (bits & HAS_TX_MAX)
		store_write_number(out, e->tx_max);
	if (bits & HAS_RX_MAX)
		store_write_number(out, e->rx_max);
}

void store_bucket_encode(struct weir_buf *out, struct store_sums *s, struct store_place place)
{
	size_t from = out->len;
	uint64_t before = 0;

	if (!s->n)
		return;
	store_sums_sort(s);
	store_write_number(out, s->n);
	for (size_t i = 0; i < s->n; i++) {
		encode_entry(out, &s->entries[i], before);
		before = s->entries[i].id;
	}
	store_write_checksum(out, from, place);
}

int store_bucket_open(struct store_bucket *b, const void *bytes, size_t len,
		      struct store_place place)
{
	int r = store_check(bytes, len, place, &len);

	if (r < 0)
		return r;
	*b = (struct store_bucket){ .r = { .at = bytes, .end = (const uint8_t *)bytes + len } };
	b->left = store_read_number(&b->r);
	return b->r.bad ? -EBADMSG : 0;
}

bool store_bucket_next(struct store_bucket *b, struct store_entry *ret)
{
	struct store_reader *r = &b->r;
	uint8_t bits;

	if (!b->left)
		return false;
	b->left--;
	b->id += store_read_number(r);
	bits = store_read_byte(r);
	*ret = (struct store_entry){ .id = b->id };
	if (bits & HAS_TX)
		ret->tx = store_read_number(r);
	if (bits & HAS_RX)
		ret->rx = store_read_number(r);
	if (bits & HAS_CONNECTIONS)
		ret->connections = store_read_number(r);
	if (bits & HAS_RETRANSMITS)
		ret->retransmits = store_read_number(r);
	if (bits & HAS_PACKETS)
		ret->packets = store_read_number(r);
	ret->tx_max = bits & HAS_TX_MAX ? store_read_number(r) : ret->tx;
	ret->rx_max = bits & HAS_RX_MAX ? store_read_number(r) : ret->rx;
	return !r->bad;
}

int store_bucket_take(struct store_sums *to, struct store_bucket *b)
{
	struct store_entry e;

	while (store_bucket_next(b, &e)) {
		struct store_entry *t = store_sums_at(to, e.id);

		if (!t)
			return -ENOMEM;
		store_entry_add(t, &e);
	}
	return b->r.bad ? -EBADMSG : 0;
}

int store_bucket_add(struct store_sums *to, const void *bytes, size_t len, struct store_place place)
{
	struct store_bucket b;
	int r = store_bucket_open(&b, bytes, len, place);

	return r < 0 ? r : store_bucket_take(to, &b);
}
