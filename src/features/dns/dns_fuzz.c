// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/feature.h"
#include "core/snapshot.h"
#include "features/dns/dns_state.h"

/* Any bytes as records: each is a type, a length and that many bytes, with the head that its type wants, so that the
 * fuzzer gets past the sizes: to the parser of messages, and by way of TCP to the one of streams. */

extern const struct weir_feature dns_feature;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t make(uint8_t kind, const uint8_t *bytes, size_t n, union dns_event *to)
{
	static const size_t sizes[] = { [DNS_RECORD_HOSTS] = sizeof(struct dns_hosts),
					[DNS_RECORD_HOST] = sizeof(struct dns_host),
					[DNS_RECORD_COUNTS] = sizeof(struct dns_counts),
					[DNS_RECORD_CARRIED] = sizeof(struct dns_carried) };
	uint32_t type = kind & 7;

	memset(to, 0, sizeof(*to));
	if (type > DNS_RECORD_ANSWER && type < _DNS_RECORD_MAX) {
		n = n < sizes[type] - sizeof(to->head) ? n : sizes[type] - sizeof(to->head);
		memcpy((uint8_t *)to + sizeof(to->head), bytes, n);
		to->head = (struct dns_head){ type, (uint32_t)sizes[type] };
		return sizes[type];
	}
	n = n < DNS_BYTES ? n : DNS_BYTES;
	memcpy(to->answer.bytes, bytes, n);
	to->answer.captured = to->answer.length = (uint32_t)n;
	to->answer.protocol = kind & 8 ? 6 : 17;
	to->answer.cookie = 1 + (kind >> 4 & 1);
	to->answer.asker.pid = kind >> 5;
	to->head = (struct dns_head){ DNS_RECORD_ANSWER, (uint32_t)(offsetof(struct dns_answer, bytes) + n) };
	return to->head.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_snapshot *snapshot = NULL;
	struct weir_builder *b = weir_builder_new();
	uint64_t now = 1000000000, offset[2] = {};
	union dns_event *made = malloc(sizeof(*made)), *e = malloc(sizeof(*e));
	void *state = NULL;

	if (!b || !made || !e || dns_feature.open(NULL, &state) < 0)
		abort();
	while (size >= 3) {
		uint8_t kind = data[0];
		size_t len = data[1] | (size_t)data[2] << 8, n;

		data += 3;
		size -= 3;
		len = len < size ? len : size;
		n = make(kind, data, len, made);
		if (made->head.type == DNS_RECORD_ANSWER) {
			made->answer.at_ns = now;
			made->answer.offset = offset[kind >> 4 & 1];
			offset[kind >> 4 & 1] += made->answer.length;
		}
		if (dns_feature.decode((uint16_t)made->head.type, made, n, e) == 0)
			dns_feature.apply(state, now, e);
		dns_feature.decode(kind & 7, data, len, e);
		data += len;
		size -= len;
		now += 700000000;
	}
	dns_feature.tick(state, now, now);
	dns_feature.snapshot(state, b, 1);
	if (weir_builder_finish(b, &head, &snapshot) == 0)
		weir_snapshot_unref(snapshot);
	dns_feature.close(state);
	weir_builder_free(b);
	free(made);
	free(e);
	return 0;
}
