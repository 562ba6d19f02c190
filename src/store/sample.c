// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sample.h"

#include <sys/socket.h>

#include "base/cleanup.h"
#include "store/batch.h"

#define WORD_MAX 64

static const char *read_text(struct store_reader *r, size_t max)
{
	const char *text = store_read_text(r, max);

	return *text ? text : NULL;
}

void store_write_program(struct weir_buf *b, const struct weir_history_program *p)
{
	const char *const texts[] = { p->comm,	   p->exe,	    p->user,
				      p->unit,	   p->container_id, p->container_name,
				      p->pod_name, p->pod_namespace };

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		store_write_text(b, texts[i], WEIR_BATCH_TEXT_MAX);
}

void store_read_program(struct store_reader *r, struct weir_history_program *ret)
{
	const char **const texts[] = { &ret->comm,     &ret->exe,	   &ret->user,
				       &ret->unit,     &ret->container_id, &ret->container_name,
				       &ret->pod_name, &ret->pod_namespace };

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		*texts[i] = read_text(r, WEIR_BATCH_TEXT_MAX);
}

static void write_address(struct weir_buf *b, const struct weir_addr *a)
{
	size_t n = a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;

	weir_buf_char(b, (char)n);
	weir_buf_add(b, a->bytes, n);
}

static void read_address(struct store_reader *r, struct weir_addr *ret)
{
	uint8_t n = store_read_byte(r);
	const uint8_t *p = store_read_bytes(r, n);

	if (n != 0 && n != 4 && n != 16)
		r->bad = true;
	if (r->bad || !n)
		return;
	ret->family = n == 4 ? AF_INET : AF_INET6;
	memcpy(ret->bytes, p, n);
}

void store_write_own(struct weir_buf *b, const struct weir_history_sample *t)
{
	if (t->kind == WEIR_HISTORY_PEER) {
		store_write_text(b, t->peer_name, WEIR_BATCH_TEXT_MAX);
		write_address(b, &t->peer_address);
		store_write_number(b, t->port);
		store_write_text(b, t->role, WORD_MAX);
		store_write_text(b, t->transport, WORD_MAX);
	} else if (t->kind == WEIR_HISTORY_LOSS) {
		store_write_text(b, t->reason, WEIR_BATCH_TEXT_MAX);
		store_write_text(b, t->class, WORD_MAX);
		store_write_text(b, t->device, WORD_MAX);
	}
}

void store_read_own(struct store_reader *r, struct weir_history_sample *t)
{
	uint64_t port;

	if (t->kind == WEIR_HISTORY_PEER) {
		t->peer_name = read_text(r, WEIR_BATCH_TEXT_MAX);
		read_address(r, &t->peer_address);
		port = store_read_number(r);
		if (port > UINT16_MAX)
			r->bad = true;
		t->port = (uint16_t)port;
		t->role = read_text(r, WORD_MAX);
		t->transport = read_text(r, WORD_MAX);
	} else if (t->kind == WEIR_HISTORY_LOSS) {
		t->reason = read_text(r, WEIR_BATCH_TEXT_MAX);
		t->class = read_text(r, WORD_MAX);
		t->device = read_text(r, WORD_MAX);
	}
}
