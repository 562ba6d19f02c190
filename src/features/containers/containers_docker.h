// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Asks docker over its socket, for hosts where its files are not where they usually are. */

struct containers_docker;

/* Takes over a descriptor that is connected to the socket. NULL: no memory. */
struct containers_docker *containers_docker_new(int fd);
struct containers_docker *containers_docker_free(struct containers_docker *d); /* accepts NULL, returns NULL */

/* GET /containers/ID/json; the id is valid. false: docker knows none, or did not answer in time. */
bool containers_docker_get(struct containers_docker *d, const char *id, struct weir_buf *ret);
