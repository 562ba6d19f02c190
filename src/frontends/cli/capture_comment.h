// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "frontends/cli/capture_flows.h"
#include "frontends/cli/capture_packet.h"

/* The comment of a packet, in the words of weir's filters:
 *
 *   direction:out, from process:curl pid:4711 container:web
 *   direction:local, from process:ab pid:12, to process:nginx pid:99, dropped:SOCKET_RCVBUFF at:udp_queue_rcv_one_skb+0x1a3
 *   direction:in, kernel
 *
 * Pure. */

struct capture_said {
	enum capture_way way;
	struct capture_owner from, to; /* .pid 0: not known; names are hostile */
	bool of_kernel;		       /* the kernel itself speaks */
	const char *reason, *place;    /* of a packet that was dropped; or NULL */
};

/* Appends it; nothing when there is nothing to say. What a name holds can neither end the value it stands in nor look like
 * another one. */
void capture_comment_write(struct weir_buf *out, const struct capture_said *s);
