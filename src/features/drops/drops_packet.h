// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Writes one line about a packet from its first bytes, which begin with the network header:
 * "udp 10.0.0.1:5353 > 10.0.0.2:53 len 120". Any bytes are allowed; what they do not tell is left out. ethertype is in the
 * machine's byte order, length what is left of the packet: its own header is believed first.
 * Always ends with a NUL; room is at least 1. Pure. */
void drops_packet_text(uint16_t ethertype, uint16_t family, const uint8_t *bytes, size_t n, uint32_t length, char *ret,
		       size_t room);
