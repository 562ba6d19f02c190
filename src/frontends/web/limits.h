// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

/* What the gate gives at most, all in one place. */

#define WEB_SECOND_NS 1000000000ull

/* Connections. Root and group weir can take nearly all; a single other user half. */
#define WEB_CONNECTIONS 1024
#define WEB_CONNECTIONS_KEPT 64 /* for root and group weir, and as many for all others */
#define WEB_CONNECTIONS_TRUSTED (WEB_CONNECTIONS - WEB_CONNECTIONS_KEPT)
#define WEB_CONNECTIONS_USER 512
#define WEB_CONNECTIONS_STRANGERS 64

/* Memory: of one connection's request, and of answers that wait to be read. */
#define WEB_CONNECTION_BYTES (16 * 1024)
#define WEB_BYTES_TRUSTED (256u << 20)
#define WEB_BYTES_USER (48u << 20)
#define WEB_BYTES_STRANGERS (1u << 20)
#define WEB_BODY_TOO_LARGE 4096 /* a body nobody asked for: 400 up to here, 413 beyond */

/* Patience. */
#define WEB_IDLE_SECONDS 10		 /* without a byte in either direction */
#define WEB_HEAD_NS (10 * WEB_SECOND_NS) /* for the first request's head, however it trickles */
#define WEB_NEXT_HEAD_NS (20 * WEB_SECOND_NS)	 /* for the next one on the same connection */
#define WEB_ENGINE_NS (5 * WEB_SECOND_NS)	 /* for a snapshot */
#define WEB_PAST_NS (10 * WEB_SECOND_NS)	 /* for an answer of the store */
#define WEB_READ_NS (60 * WEB_SECOND_NS)	 /* for reading an answer, and */
#define WEB_READ_BYTES_PER_SECOND 16384		 /* the slowest reader beyond that */
#define WEB_STREAM_STALL_NS (60 * WEB_SECOND_NS) /* a stream's reader without progress */
#define WEB_STREAM_IDLE_SECONDS 75 /* the same, for the HTTP library: a little later */
#define WEB_HEARTBEAT_NS (15 * WEB_SECOND_NS)

/* Streams. */
#define WEB_TOPICS 8
#define WEB_PUBLISH_INTERVAL_NS (50ull * 1000 * 1000) /* between ticks */

/* Work on other users' answers in one turn of the loop. */
#define WEB_TURN_NS (25ull * 1000 * 1000)

/* Run statistics of BPF programs stay on for that long after somebody looked at the hooks. */
#define WEB_MEASURE_MS 2000
