// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IP address without a port. IPv4 uses the first four bytes; the rest are zero.
 * Bytes stand in network order. Family is AF_INET or AF_INET6, 0 for "none". */
struct weir_addr {
	uint8_t bytes[16];
	uint8_t family;
};

/* A network such as 10.0.0.0/8. */
struct weir_prefix {
	struct weir_addr addr;
	uint8_t bits;
};

#define WEIR_ADDR_TEXT 46 /* INET6_ADDRSTRLEN */

/* Writes the address as text (no port) into buf, always terminated, and returns buf.
 * An address with family 0 reads "-". IPv4-mapped IPv6 addresses stay as they are. */
const char *weir_addr_format(const struct weir_addr *a, char buf[WEIR_ADDR_TEXT]);

/* Parses an IPv4 or IPv6 address. -EINVAL leaves *ret untouched. */
int weir_addr_parse(const char *text, struct weir_addr *ret);

/* Parses "ADDR" or "ADDR/BITS"; host bits that are set beyond BITS are an error (-EINVAL). */
int weir_prefix_parse(const char *text, struct weir_prefix *ret);

/* The network that the address of "ADDR/BITS" lies in: host bits are cleared. -EINVAL leaves *ret untouched. */
int weir_prefix_around(const char *text, struct weir_prefix *ret);

/* Whether the address lies in the network. An IPv4-mapped IPv6 address matches IPv4 networks. */
bool weir_prefix_match(const struct weir_prefix *p, const struct weir_addr *a);
