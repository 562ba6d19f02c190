// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/cleanup.h"
#include "core/feature.h"
#include "core/snapshot.h"

/* For tests of the core: a feature whose one table has a field of each type, nested names and shared filter words.
 * The program that includes this has no other features; weir_features is weak, so that it links beside the list. */

enum fixture_field {
	FIXTURE_PID,
	FIXTURE_COMM,
	FIXTURE_EXE,
	FIXTURE_DELTA,
	FIXTURE_LIVE,
	FIXTURE_SEEN,
	FIXTURE_PEER,
	FIXTURE_LOCAL_PORT,
	FIXTURE_PEER_PORT,
	FIXTURE_SRTT_US,
	FIXTURE_TCP_TX,
	FIXTURE_TCP_RX,
	FIXTURE_BYTES,
	FIXTURE_UDP_TX, /* its object began before bytes */
	FIXTURE_NOTE,
	_FIXTURE_FIELD_MAX,
};

static const struct weir_field fixture_fields[] = {
	[FIXTURE_PID] = { .name = "pid", .title = "PID", .help = "Process.", .flags = WEIR_FIELD_KEY },
	[FIXTURE_COMM] = { .name = "comm", .title = "COMM", .help = "Name.", .filter = "process", .type = WEIR_TYPE_TEXT },
	[FIXTURE_EXE] = { .name = "exe", .title = "EXE", .help = "Path.", .filter = "process", .type = WEIR_TYPE_TEXT },
	[FIXTURE_DELTA] = { .name = "delta", .title = "DELTA", .help = "Difference.", .type = WEIR_TYPE_INT },
	[FIXTURE_LIVE] = { .name = "live", .title = "LIVE", .help = "Whether.", .type = WEIR_TYPE_BOOL },
	[FIXTURE_SEEN] = { .name = "seen", .title = "SEEN", .help = "When.", .type = WEIR_TYPE_TIME },
	[FIXTURE_PEER] = { .name = "peer_address", .title = "PEER", .help = "Who.", .filter = "peer",
			   .type = WEIR_TYPE_ADDRESS },
	[FIXTURE_LOCAL_PORT] = { .name = "local_port", .title = "LPORT", .help = "Port.", .filter = "port",
				 .flags = WEIR_FIELD_PORT },
	[FIXTURE_PEER_PORT] = { .name = "peer_port", .title = "PPORT", .help = "Port.", .filter = "port",
				.flags = WEIR_FIELD_PORT },
	[FIXTURE_SRTT_US] = { .name = "srtt_us", .title = "RTT", .help = "Time.", .filter = "rtt",
			      .unit = WEIR_UNIT_MICROSECONDS },
	[FIXTURE_TCP_TX] = { .name = "by_transport.tcp.tx_bytes", .title = "TCP SENT", .help = "Sent." },
	[FIXTURE_TCP_RX] = { .name = "by_transport.tcp.rx_bytes", .title = "TCP RECV", .help = "Received." },
	[FIXTURE_BYTES] = { .name = "tx_bytes", .title = "SENT", .help = "Sum.", .unit = WEIR_UNIT_BYTES },
	[FIXTURE_UDP_TX] = { .name = "by_transport.udp.tx_bytes", .title = "UDP SENT", .help = "Sent." },
	[FIXTURE_NOTE] = { .name = "by_transport.note", .title = "NOTE", .help = "Text.", .type = WEIR_TYPE_TEXT },
};

static const struct weir_table fixture_table = {
	.name = "fixture",
	.summary = "One row a test row.",
	.fields = fixture_fields,
	.n_fields = _FIXTURE_FIELD_MAX,
	.sort_field = FIXTURE_BYTES,
};

static const struct weir_table *const fixture_tables[] = { &fixture_table, NULL };

static const struct weir_feature fixture_feature = {
	.name = "fixture",
	.summary = "For tests.",
	.tables = fixture_tables,
};

__attribute__((weak)) const struct weir_feature *const weir_features[] = { &fixture_feature, NULL };
