// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "frontends/cli/explain_tell.h"

/* With whom, summed: from the past of today where there is one, else from the sockets. */

struct explain_peer {
	char *name; /* "example.com:443" */
	uint64_t tx, rx;
};

struct explain_peers {
	struct explain_peer *list; /* largest first */
	size_t n;
	int error;
};

void explain_peers_make(const struct explain_documents *d, struct explain_peers *ret);
void explain_peers_done(struct explain_peers *p);

/* The peer of a row of history_peers: "example.com:443", or its address. */
void explain_peer_name(const struct weir_rows *r, size_t row, struct weir_buf *out);
