// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/feature.h"
#include "core/snapshot.h"
#include "features/drops/drops_packet.h"
#include "features/drops/drops_state.h"

/* Any bytes as records: each is a type, a length and that many bytes, with the head and the ends of texts that its type
 * wants, so that the fuzzer gets past them. */

extern const struct weir_feature drops_feature;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const size_t sizes[_DROPS_RECORD_MAX] = {
	[DROPS_RECORD_SEEN] = sizeof(struct drops_seen),       [DROPS_RECORD_SUM] = sizeof(struct drops_sum_record),
	[DROPS_RECORD_REASON] = sizeof(struct drops_reason),   [DROPS_RECORD_OWNER] = sizeof(struct drops_owner),
	[DROPS_RECORD_COUNTER] = sizeof(struct drops_counter), [DROPS_RECORD_LOST] = sizeof(struct drops_lost),
	[DROPS_RECORD_PLACE] = sizeof(struct drops_place_name), [DROPS_RECORD_DEVICE] = sizeof(struct drops_device_name),
	[DROPS_RECORD_CARRIED] = sizeof(struct drops_carried),
};

static size_t make(uint8_t kind, const uint8_t *bytes, size_t n, union drops_event *to)
{
	uint32_t type = kind & 64 ? DROPS_RECORD_CARRIED : 1 + kind % DROPS_RECORD_DEVICE;

	memset(to, 0, sizeof(*to));
	n = n < sizes[type] - sizeof(to->head) ? n : sizes[type] - sizeof(to->head);
	memcpy((uint8_t *)to + sizeof(to->head), bytes, n);
	to->head = (struct drops_head){ type, (uint32_t)sizes[type] };
	if (type == DROPS_RECORD_SEEN) {
		to->seen.captured %= DROPS_HEAD_BYTES + 1;
		to->seen.device[DROPS_DEVICE_ROOM - 1] = 0;
		to->seen.symbol[DROPS_SYMBOL - 1] = 0;
		to->seen.stack_text[DROPS_STACK_TEXT - 1] = 0;
	}
	return sizes[type];
}

static void look(void *state, struct weir_builder *b)
{
	struct weir_finding findings[WEIR_FINDINGS_MAX];
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_snapshot *snapshot = NULL;

	drops_feature.snapshot(state, b, 1);
	drops_feature.findings(state, findings);
	if (weir_builder_finish(b, &head, &snapshot) == 0)
		weir_snapshot_unref(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union drops_event *made = malloc(sizeof(*made)), *e = malloc(sizeof(*e));
	struct weir_builder *b = weir_builder_new();
	uint64_t now = 1000000000;
	void *state = NULL;
	char text[64];

	if (!b || !made || !e || drops_feature.open(NULL, &state) < 0)
		abort();
	drops_packet_text(size ? (uint16_t)(data[0] << 8) : 0, 0, data, size, (uint32_t)size, text, sizeof(text));
	while (size >= 3) {
		uint8_t kind = data[0];
		size_t len = data[1] | (size_t)data[2] << 8, n;

		data += 3;
		size -= 3;
		len = len < size ? len : size;
		n = make(kind, data, len, made);
		if (drops_feature.decode((uint16_t)made->head.type, made, n, e) == 0)
			drops_feature.apply(state, now, e);
		drops_feature.decode(kind & 7, data, len, e);
		data += len;
		size -= len;
		now += 700000000;
		if (kind & 128)
			drops_feature.tick(state, now, now);
	}
	drops_feature.tick(state, now, now);
	look(state, b);
	drops_feature.close(state);
	weir_builder_free(b);
	free(made);
	free(e);
	return 0;
}
