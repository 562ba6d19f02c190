// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>

#include "base/addr.h"

/* Reads the text of /etc/hosts (hosts(5)). Pure. */

#define DNS_HOSTS_BYTES_MAX (4u << 20) /* of the file; the rest is not read */
#define DNS_HOSTS_LINES_MAX 16384      /* with an address */

/* Calls take() for each address with the first name of its line, in lower case. Lines without an address or with a
 * name that has other bytes than letters, digits, '-', '_' and '.' are passed over. Returns how many were taken. */
unsigned dns_hosts_parse(const char *text, size_t len, void (*take)(void *ctx, const struct weir_addr *a, const char *name),
			 void *ctx);
