// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <string.h>

#include "core/feature.h"
#include "core/history.h"
#include "core/snapshot.h"
#include "features/traffic/traffic_state.h"

/* Any bytes as records: decoded, applied, aged, drawn. Each record is a type, a length and that many bytes, cut or
 * filled up to what the type wants, so that the fuzzer gets past the sizes. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void pass_sample(struct weir_history_sink *sink, const struct weir_history_sample *s)
{
	(void)sink;
	(void)s;
}

static void pass_event(struct weir_history_sink *sink, const struct weir_history_event *e)
{
	(void)sink;
	(void)e;
}

static void pass_carry(struct weir_carry_sink *sink, uint16_t type, const void *key, size_t key_len, const void *record,
		       size_t len)
{
	(void)sink;
	(void)type;
	(void)key;
	(void)key_len;
	(void)record;
	(void)len;
}

static void pass_anew(struct weir_carry_sink *sink)
{
	(void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_history_sink history = { .sample = pass_sample, .event = pass_event };
	struct weir_carry_sink carry = { .put = pass_carry, .anew = pass_anew };
	const struct weir_feature *f = weir_features[0];
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_snapshot *snapshot = NULL;
	struct weir_builder *b = weir_builder_new();
	struct weir_audit_entry lines[WEIR_AUDIT_MAX];
	union traffic_event e;
	uint64_t now = 1000000000;
	void *state = NULL;

	if (!b || f->open(NULL, &state) < 0)
		return 0;
	while (size >= 3) {
		uint8_t type = data[0], bytes[sizeof(e)] = {};
		size_t len = data[1] | (size_t)data[2] << 8, right = traffic_record_size(type & 0x7f);

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		memcpy(bytes, data, len < sizeof(bytes) ? len : sizeof(bytes));
		if (right) {
			struct traffic_head front = { type & 0x7f, (uint32_t)right };

			memcpy(bytes, &front, sizeof(front));
		}
		if (f->decode(type & 0x7f, bytes, right ? right : len % sizeof(bytes), &e) == 0)
			f->apply(state, now, &e);
		data += len;
		size -= len;
		now += 700000000;
		if (type & 0x80)
			f->tick(state, now, now);
		if (type & 0x80) {
			f->history(state, &history);
			f->carry(state, &carry, size & 1);
		}
	}
	f->tick(state, now, now);
	f->audit(state, lines);
	f->snapshot(state, b, 1);
	if (weir_builder_finish(b, &head, &snapshot) == 0)
		weir_snapshot_unref(snapshot);
	f->close(state);
	weir_builder_free(b);
	return 0;
}
