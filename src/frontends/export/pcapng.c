// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/export/pcapng.h"

#include <stdbool.h>
#include <string.h>

enum pcapng_block {
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6, /* "enhanced" */
	BLOCK_SECTION = 0x0a0d0d0a,
};

/* Codes are of their block; only end and comment mean the same everywhere. */
enum pcapng_option {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	SECTION_HARDWARE = 2,
	SECTION_OS = 3,
	SECTION_APPLICATION = 4,
	INTERFACE_NAME = 2,
	INTERFACE_DESCRIPTION = 3,
	INTERFACE_TIME_RESOLUTION = 9,
	INTERFACE_FILTER = 11,
	PACKET_FLAGS = 2,
	STATISTICS_START = 2,
	STATISTICS_END = 3,
	STATISTICS_RECEIVED = 4,
	STATISTICS_DROPPED = 5,
	STATISTICS_DELIVERED = 8,
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define SECTION_LENGTH_UNKNOWN UINT64_MAX
#define RESOLUTION_NS 9	      /* ten to the minus nine */
#define FILTER_IS_TEXT 0      /* the first byte of the filter's option */
#define OPTION_BYTES_MAX 65532 /* what 16 bits count, less the padding */

static void add16(struct weir_buf *out, uint16_t v)
{
	weir_buf_add(out, &v, sizeof(v));
}

static void add32(struct weir_buf *out, uint32_t v)
{
	weir_buf_add(out, &v, sizeof(v));
}

static void pad(struct weir_buf *out, size_t len)
{
	static const char zero[4];

	weir_buf_add(out, zero, -len & 3);
}

/* Returns where the block starts; its length is filled in at the end. */
static size_t block_begin(struct weir_buf *out, uint32_t type)
{
	size_t start = out->len;

	add32(out, type);
	add32(out, 0);
	return start;
}

static void block_end(struct weir_buf *out, size_t start)
{
	uint32_t len = (uint32_t)(out->len - start) + sizeof(len);

	add32(out, len);
	if (!out->error)
		memcpy(out->data + start + sizeof(uint32_t), &len, sizeof(len));
}

static void option_add(struct weir_buf *out, uint16_t code, const void *bytes, size_t len)
{
	add16(out, code);
	add16(out, (uint16_t)len);
	weir_buf_add(out, bytes, len);
	pad(out, len);
}

/* A character that would be cut is left out. */
static size_t text_length(const char *text)
{
	size_t len = strlen(text);

	if (len <= OPTION_BYTES_MAX)
		return len;
	len = OPTION_BYTES_MAX;
	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void option_text(struct weir_buf *out, uint16_t code, const char *text)
{
	if (text && *text)
		option_add(out, code, text, text_length(text));
}

static void option_uint64(struct weir_buf *out, uint16_t code, uint64_t v)
{
	option_add(out, code, &v, sizeof(v));
}

/* Times stand as two halves, the upper one first, whatever the byte order. */
static void add_time(struct weir_buf *out, uint64_t ns)
{
	add32(out, (uint32_t)(ns >> 32));
	add32(out, (uint32_t)ns);
}

static void option_time(struct weir_buf *out, uint16_t code, uint64_t ns)
{
	add16(out, code);
	add16(out, sizeof(ns));
	add_time(out, ns);
}

static void options_end(struct weir_buf *out)
{
	add16(out, OPTION_END);
	add16(out, 0);
}

void weir_pcapng_section(struct weir_buf *out, const struct weir_pcapng_origin *o)
{
	const uint64_t length = SECTION_LENGTH_UNKNOWN;
	size_t start = block_begin(out, BLOCK_SECTION);

	add32(out, BYTE_ORDER_MAGIC);
	add16(out, 1); /* version 1.0 */
	add16(out, 0);
	weir_buf_add(out, &length, sizeof(length));
	option_text(out, OPTION_COMMENT, o->comment);
	option_text(out, SECTION_HARDWARE, o->hardware);
	option_text(out, SECTION_OS, o->os);
	option_text(out, SECTION_APPLICATION, o->application);
	options_end(out);
	block_end(out, start);
}

static void option_filter(struct weir_buf *out, const char *filter)
{
	size_t len = text_length(filter);
	const char kind = FILTER_IS_TEXT;

	len -= len == OPTION_BYTES_MAX;
	add16(out, INTERFACE_FILTER);
	add16(out, (uint16_t)(len + 1));
	weir_buf_add(out, &kind, 1);
	weir_buf_add(out, filter, len);
	pad(out, len + 1);
}

void weir_pcapng_interface(struct weir_buf *out, const struct weir_pcapng_interface *i)
{
	const uint8_t resolution = RESOLUTION_NS;
	size_t start = block_begin(out, BLOCK_INTERFACE);

	add16(out, i->link);
	add16(out, 0); /* reserved */
	add32(out, i->snap_bytes);
	option_text(out, INTERFACE_NAME, i->name);
	option_text(out, INTERFACE_DESCRIPTION, i->description);
	option_add(out, INTERFACE_TIME_RESOLUTION, &resolution, sizeof(resolution));
	if (i->filter && *i->filter)
		option_filter(out, i->filter);
	options_end(out);
	block_end(out, start);
}

void weir_pcapng_packet(struct weir_buf *out, const struct weir_pcapng_packet *p)
{
	size_t start = block_begin(out, BLOCK_PACKET);
	const uint32_t flags = p->way;
	bool comment = p->comment && *p->comment;

	add32(out, p->interface);
	add_time(out, p->real_ns);
	add32(out, p->len);
	add32(out, p->original_len);
	weir_buf_add(out, p->bytes, p->len);
	pad(out, p->len);
	if (comment)
		option_text(out, OPTION_COMMENT, p->comment);
	if (flags != WEIR_PCAPNG_WAY_UNKNOWN)
		option_add(out, PACKET_FLAGS, &flags, sizeof(flags));
	if (comment || flags != WEIR_PCAPNG_WAY_UNKNOWN)
		options_end(out);
	block_end(out, start);
}

void weir_pcapng_statistics(struct weir_buf *out, const struct weir_pcapng_statistics *s)
{
	size_t start = block_begin(out, BLOCK_STATISTICS);

	add32(out, s->interface);
	add_time(out, s->end_ns);
	option_time(out, STATISTICS_START, s->start_ns);
	option_time(out, STATISTICS_END, s->end_ns);
	option_uint64(out, STATISTICS_RECEIVED, s->received);
	option_uint64(out, STATISTICS_DROPPED, s->dropped);
	option_uint64(out, STATISTICS_DELIVERED, s->delivered);
	options_end(out);
	block_end(out, start);
}

size_t weir_pcapng_whole(const void *bytes, size_t len)
{
	const char *at = bytes;
	size_t whole = 0;
	uint32_t block;

	while (len - whole >= 2 * sizeof(block)) {
		memcpy(&block, at + whole + sizeof(block), sizeof(block));
		if (!block || block > len - whole)
			break;
		whole += block;
	}
	return whole;
}
