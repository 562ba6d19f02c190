// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "frontends/cli/capture_packet.h"

/* Whose packet it is: the packet's two ends, looked up in the flows that the daemon knows. One state of the daemon is one
 * table; a newer one replaces it. Pure. */

struct capture_flows;

/* Makes the table from the daemon's document of flows, which is hostile (it has names of processes). own_netns: the
 * namespace in which packets are captured; addresses: those of this host there, copied. -EBADMSG with one line in *ret_error
 * (caller frees), -ENOENT when this weir has no flows, -ENOMEM. */
int capture_flows_parse(const char *text, size_t len, uint32_t own_netns, const struct weir_addr *addresses,
			size_t n_addresses, struct capture_flows **ret, char **ret_error);
struct capture_flows *capture_flows_free(struct capture_flows *f); /* accepts NULL, returns NULL */
WEIR_DEFINE_CLEANUP(struct capture_flows, capture_flows_free)

/* Appends the path and query of the API's URL that gives such a document; appends nothing when this weir has no flows. */
void capture_flows_url(struct weir_buf *out);

/* A flow that an end belongs to. Texts are borrowed from the table, hostile, or NULL. */
struct capture_owner {
	const char *comm, *container, *pod;
	uint64_t pid; /* 0: none is known, so nothing else is */
	bool connected; /* by both its ends, and it was open */
};

struct capture_question {
	const struct capture_packet *packet;
	uint64_t real_ns;
	uint32_t netns;	 /* 0: the own one */
	uint64_t cookie; /* of the socket at the end where the packet was; 0: not known */
	bool cookie_sends; /* it was still on its way out */
};

/* Fills in who sent it and who receives it, as far as they are on this host. f NULL: nobody is known. */
void capture_flows_find(const struct capture_flows *f, const struct capture_question *q, struct capture_owner *ret_from,
			struct capture_owner *ret_to);
