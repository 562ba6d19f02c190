// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 with 128 bits of result (Aumasson and Bernstein, and their reference implementation): names that others
 * choose must not be able to collide. */
void store_siphash(const uint8_t key[16], const void *bytes, size_t len, uint64_t ret[2]);
