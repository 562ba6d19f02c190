// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "store/batch.h"
#include "store/bucket.h"
#include "store/subjects.h"

/* Any bytes as a block of the engine, and as what stands in a cell of the file: what is taken is
 * well formed. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t looked_at;

static void look(const char *text)
{
	if (text)
		looked_at += strlen(text);
}

static void take_sample(void *ctx, const struct weir_history_sample *s)
{
	const char *const texts[] = { s->program.comm, s->program.exe,
				      s->program.unit, s->program.container_id,
				      s->peer_name,    s->role,
				      s->transport,    s->reason,
				      s->class,	       s->device };

	(void)ctx;
	if (s->kind >= _WEIR_HISTORY_KIND_MAX)
		abort();
	if (s->peer_address.family && s->peer_address.family != AF_INET &&
	    s->peer_address.family != AF_INET6)
		abort();
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		look(texts[i]);
}

static void take_event(void *ctx, const struct weir_history_event *e)
{
	(void)ctx;
	if (!weir_history_event_name(e->kind))
		abort();
	look(e->program);
	look(e->summary);
}

static void take_carry(void *ctx, const char *feature, uint16_t type, const void *key,
		       size_t key_len, const void *bytes, size_t len)
{
	(void)ctx;
	(void)type;
	look(feature);
	if (key_len > WEIR_CARRY_KEY_MAX || len > WEIR_CARRY_BYTES_MAX)
		abort();
	for (size_t i = 0; i < key_len; i++)
		looked_at += ((const uint8_t *)key)[i];
	for (size_t i = 0; i < len; i++)
		looked_at += ((const uint8_t *)bytes)[i];
}

/* The same bytes behind a checksum that fits. */
static void as_cells(const uint8_t *data, size_t size)
{
	struct store_place subject = { .level = 0x80, .time = 99 },
			   place = { .level = 1, .kind = 2, .time = 60 };
	struct weir_history_sample t;
	struct weir_buf b = { 0 };
	struct store_sums sums = { 0 };

	weir_buf_add(&b, data, size);
	store_write_checksum(&b, 0, place);
	store_bucket_add(&sums, b.data, b.len, place);
	weir_buf_reset(&b);
	weir_buf_add(&b, data, size);
	store_write_checksum(&b, 0, subject);
	if (store_subject_decode(99, b.data, b.len, &t, NULL) == 0)
		take_sample(NULL, &t);
	weir_buf_done(&b);
	store_sums_done(&sums);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct weir_batch_visitor v = { .sample = take_sample,
					      .event = take_event,
					      .carry = take_carry };
	uint8_t *copy = malloc(size ? size : 1); /* so that a read past the end is seen */
	uint64_t real_ns;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	weir_batch_decode(copy, size, &real_ns, &v);
	as_cells(copy, size);
	free(copy);
	return 0;
}
