// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/config.h"
#include "core/feature.h"

/* The one-shot helper's process (struct weir_helper in core/feature.h): one request, one answer, and its end. The engine
 * writes the request into a memfd, the keeper passes it on unread, and the answer goes straight to the engine, a record a
 * packet. */

#define WEIR_HELPER_SECONDS 3 /* and then it is killed */
#define WEIR_HELPER_NAME "weir-helper"

struct weir_helper_options {
	const struct weir_helper *helper;
	const struct weir_config *config; /* NULL: none */
	int request_fd;
	int answer_fd; /* SOCK_SEQPACKET: struct weir_record_head, then the record */
};

/* Called after fork with the keeper's rights, in a process that has no other descriptors; gives the rights up, all but that
 * to read files, before it looks at the request. An exit status. */
int weir_helper_run(const struct weir_helper_options *o);
