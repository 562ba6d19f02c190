// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names of ports, as /etc/services has them: "https" for 443. */

#define CLI_SERVICES_MAX 4096
#define CLI_SERVICE_NAME 32

struct cli_service {
	uint16_t port;
	bool udp;
	char name[CLI_SERVICE_NAME];
};

/* Reads the text of services(5): lines of other protocols, with other bytes in the name than letters, digits and
 * "-_+." or with a longer name are passed over, and of two for one port the first counts. Sorts them; returns how
 * many. Pure. */
size_t cli_services_parse(const char *text, size_t len, struct cli_service ret[CLI_SERVICES_MAX]);

/* From the host's file, which is read once. NULL: it has no name. transport is "tcp", "udp" or "mptcp"; NULL for
 * another. */
const char *cli_service_name(uint64_t port, const char *transport);
