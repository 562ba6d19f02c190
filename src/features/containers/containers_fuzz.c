// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/identity.h"
#include "features/containers/containers_state.h"

/* Records, as a helper that was taken over or a recording may have them: the first two bytes are the type. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct containers_state *s;
	struct containers_name e;
	uint16_t type;

	if (size < sizeof(type))
		return 0;
	memcpy(&type, data, sizeof(type));
	if (containers_decode(type, data + sizeof(type), size - sizeof(type), &e) < 0)
		return 0;
	s = containers_state_new();
	if (!s)
		return 0;
	containers_apply(s, 1, &e);
	containers_apply(s, 2, &e);
	containers_container(s, e.id);
	containers_tick(s, 1ull << 50, 1);
	containers_state_free(s);
	return 0;
}
