// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Reads a DNS message (RFC 1035, RFC 9460). Pure. The bytes are hostile: every step is bounded, a compression pointer
 * only ever leads backwards, and a name's bytes other than letters, digits, '-' and '_' come out as \DDD. */

#define DNS_NAME_TEXT 256     /* with the NUL; a name that is longer once escaped is refused */
#define DNS_ADDRESSES_MAX 64  /* of one message; the rest is passed over */
#define DNS_RECORDS_MAX 128   /* looked at in one message */
#define DNS_ALIASES_MAX 16    /* CNAMEs that are followed */

struct dns_message_address {
	struct weir_addr addr;
	uint32_t ttl_s;
};

struct dns_message {
	char name[DNS_NAME_TEXT]; /* what was asked for, in lower case, without the last dot */
	unsigned n;
	struct dns_message_address addresses[DNS_ADDRESSES_MAX];
};

/* The addresses of the question's name: A and AAAA of itself or of what CNAMEs lead to, and the hints of HTTPS and
 * SVCB. A message that was cut gives what stands in it whole. -ENOMSG: nothing of use, such as an error, a query or
 * another type; -EBADMSG: malformed. *ret is only of use for 0, with .n > 0. */
int dns_message_parse(const uint8_t *bytes, size_t len, struct dns_message *ret);
