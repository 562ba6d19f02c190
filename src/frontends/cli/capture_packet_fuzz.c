// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdlib.h>

#include "frontends/cli/capture_packet.h"
#include "frontends/export/pcapng.h"

/* Any bytes as a packet of one of the link types; the first byte chooses. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t links[] = { WEIR_LINK_SLL2, WEIR_LINK_ETHERNET, WEIR_LINK_RAW };
	struct capture_packet p;

	if (!size)
		return 0;
	capture_packet_read(links[data[0] % 3], data + 1, size - 1, &p);
	if ((p.protocol && !p.from.addr.family) || (p.syn && p.protocol != 6))
		abort();
	return 0;
}
