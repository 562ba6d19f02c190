// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/history.h"

#include "core/declare.h"

/* The declarations of the tables of the past. */

static const char *const event_names[] = {
	[WEIR_HISTORY_FIRST_SEEN] = "first_seen", [WEIR_HISTORY_STARTED] = "started",
	[WEIR_HISTORY_STOPPED] = "stopped",	  [WEIR_HISTORY_KILLED] = "killed",
	[WEIR_HISTORY_GAP] = "gap",		  [WEIR_HISTORY_DAMAGED] = "damaged",
	[WEIR_HISTORY_DISK] = "disk",		  [WEIR_HISTORY_CLOCK] = "clock",
	[WEIR_HISTORY_FINDING] = "finding",	  [WEIR_HISTORY_LISTENING] = "listening",
};
_Static_assert(ARRAY_SIZE(event_names) == _WEIR_HISTORY_EVENT_MAX, "each kind has its word");

const char *weir_history_event_name(unsigned kind)
{
	return kind < ARRAY_SIZE(event_names) ? event_names[kind] : NULL;
}

/* clang-format off */

/* What several tables say of whom a row is about. */
#define PROGRAM_FIELD(index, bits) \
	FIELD(index, "program", "PROGRAM", TEXT, NONE, (bits) | COLUMN, \
	      "Name of the program; other: all that found no room of their own.", .filter = "process")
#define EXE_FIELD(index, bits) \
	FIELD(index, "exe", "EXE", TEXT, NONE, bits, "Path of the executable, as the kernel has it.", .filter = "process")
#define UID_FIELD(index, bits) FIELD(index, "uid", "UID", UINT, NONE, bits, "Effective user id.", .max = UINT32_MAX)
#define USER_FIELD(index, bits) \
	FIELD(index, "user", "USER", TEXT, NONE, bits, "Name of that user, when the host knows one.", \
	      .filter = "user")
#define UNIT_FIELD(index, bits) FIELD(index, "unit", "UNIT", TEXT, NONE, bits, "The program's systemd unit.", .filter = "unit")
#define CONTAINER_ID_FIELD(index, bits) \
	FIELD(index, "container_id", "CONTAINER", TEXT, NONE, bits, "Id of the program's container.", .filter = "container", \
	      .named_by = "container_name")
#define CONTAINER_NAME_FIELD(index, bits) \
	FIELD(index, "container_name", "CONTAINER NAME", TEXT, NONE, bits, \
	      "Name of that container; its id where the name is not known.", .filter = "container")
#define POD_FIELD(index) FIELD(index, "pod_name", "POD", TEXT, NONE, 0, "The program's pod.", .filter = "pod")
#define POD_NAMESPACE_FIELD(index) FIELD(index, "pod_namespace", "NAMESPACE", TEXT, NONE, 0, "The pod's namespace.")
#define ROLE_FIELD(index) \
	FIELD(index, "role", "ROLE", TEXT, NONE, KEY | COLUMN, "client (it connected) or server (it was connected to).", \
	      .words = "client server")
#define TRANSPORT_FIELD(index) \
	FIELD(index, "transport", "PROTO", TEXT, NONE, KEY | COLUMN, "tcp, udp or mptcp.", .words = "tcp udp mptcp")
#define PEER_NAME_FIELD(index) \
	FIELD(index, "peer_name", "PEER NAME", TEXT, NONE, KEY | COLUMN, "Peer's name, when it was known.", .filter = "peer")
#define PEER_ADDRESS_FIELD(index) \
	FIELD(index, "peer_address", "PEER", ADDRESS, NONE, KEY | COLUMN, \
	      "Peer's address; of a peer with a name, the first one that was seen.", .filter = "peer", .named_by = "peer_name")
#define PORT_FIELD(index) \
	FIELD(index, "port", "PORT", UINT, NONE, KEY | COLUMN | PORT, "Port of the server's side.", .max = UINT16_MAX)
#define REASON_FIELD(index) FIELD(index, "reason", "REASON", TEXT, NONE, KEY | COLUMN, "Why packets were lost.", .filter = "reason")
#define CLASS_FIELD(index) \
	FIELD(index, "class", "CLASS", TEXT, NONE, COLUMN, "expected, tune, attack or bug; empty when not known.", \
	      .words = "expected tune attack bug")
#define DEVICE_FIELD(index) FIELD(index, "device", "DEVICE", TEXT, NONE, KEY | COLUMN, "The interface.", .filter = "device")
#define SENT_FIELD(index, sentence) FIELD(index, "tx_bytes", "SENT", UINT, BYTES, COLUMN, sentence, .filter = "sent")
#define RECEIVED_FIELD(index, sentence) \
	FIELD(index, "rx_bytes", "RECEIVED", UINT, BYTES, COLUMN, sentence, .filter = "received")
#define CONNECTIONS_FIELD(index, bits) \
	FIELD(index, "connections", "CONNECTIONS", UINT, COUNT, bits, "Connections opened in the span.")
#define RETRANSMITS_FIELD(index) \
	FIELD(index, "retransmits", "RETRANS", UINT, SEGMENTS, COLUMN, "TCP segments sent again in the span.", .filter = "retrans")
#define FIRST_SEEN_FIELD(index) FIELD(index, "first_seen", "FIRST SEEN", TIME, NONE, COLUMN, "When it was seen first, ever.")
#define LAST_SEEN_FIELD(index) FIELD(index, "last_seen", "LAST SEEN", TIME, NONE, 0, "When it was seen last, ever.")

static const struct weir_field programs_fields[] = {
	PROGRAM_FIELD(HISTORY_PROGRAM, KEY),
	EXE_FIELD(HISTORY_EXE, KEY),
	UID_FIELD(HISTORY_UID, KEY),
	USER_FIELD(HISTORY_USER, COLUMN),
	UNIT_FIELD(HISTORY_UNIT, KEY | COLUMN),
	CONTAINER_ID_FIELD(HISTORY_CONTAINER_ID, KEY | COLUMN),
	CONTAINER_NAME_FIELD(HISTORY_CONTAINER_NAME, 0),
	POD_FIELD(HISTORY_POD_NAME),
	POD_NAMESPACE_FIELD(HISTORY_POD_NAMESPACE),
	SENT_FIELD(HISTORY_TX_BYTES, "Bytes sent in the span."),
	RECEIVED_FIELD(HISTORY_RX_BYTES, "Bytes received in the span."),
	FIELD(HISTORY_TX_MAX, "tx_bytes_per_second_max", "SENT/S MAX", UINT, BYTES_PER_SECOND, COLUMN,
	      "Bytes sent in the largest second of the span."),
	FIELD(HISTORY_RX_MAX, "rx_bytes_per_second_max", "RECEIVED/S MAX", UINT, BYTES_PER_SECOND, COLUMN,
	      "Bytes received in the largest second of the span."),
	CONNECTIONS_FIELD(HISTORY_CONNECTIONS, COLUMN),
	RETRANSMITS_FIELD(HISTORY_RETRANSMITS),
	FIELD(HISTORY_LOST_PACKETS, "lost_packets", "LOST", UINT, COUNT, COLUMN, "Packets lost in the span."),
	FIRST_SEEN_FIELD(HISTORY_FIRST_SEEN),
	LAST_SEEN_FIELD(HISTORY_LAST_SEEN),
	FIELD(HISTORY_NEW, "new", "NEW", BOOL, NONE, COLUMN, "Whether it was seen for the first time in the span."),
};
_Static_assert(ARRAY_SIZE(programs_fields) == _HISTORY_FIELD_MAX, "each index has its declaration");

static const struct weir_field rates_fields[] = {
	FIELD(HISTORY_RATES_TIME, "time", "TIME", TIME, NONE, KEY | COLUMN, "When the step begins."),
	FIELD(HISTORY_RATES_SECONDS, "seconds", "SECONDS", UINT, COUNT, COLUMN, "How long the step is."),
	FIELD(HISTORY_RATES_TX_BYTES, "tx_bytes", "SENT", UINT, BYTES, COLUMN, "Bytes sent in the step."),
	FIELD(HISTORY_RATES_RX_BYTES, "rx_bytes", "RECEIVED", UINT, BYTES, COLUMN, "Bytes received in the step."),
	FIELD(HISTORY_RATES_TX_MAX, "tx_bytes_per_second_max", "SENT/S MAX", UINT, BYTES_PER_SECOND, COLUMN,
	      "Bytes sent in the largest second of the step; null where a filter selects several."),
	FIELD(HISTORY_RATES_RX_MAX, "rx_bytes_per_second_max", "RECEIVED/S MAX", UINT, BYTES_PER_SECOND, COLUMN,
	      "Bytes received in the largest second of the step; null where a filter selects several."),
	FIELD(HISTORY_RATES_CONNECTIONS, "connections", "CONNECTIONS", UINT, COUNT, COLUMN,
	      "Connections opened in the step."),
	FIELD(HISTORY_RATES_RETRANSMITS, "retransmits", "RETRANS", UINT, SEGMENTS, COLUMN,
	      "TCP segments sent again in the step."),
	FIELD(HISTORY_RATES_LOST_PACKETS, "lost_packets", "LOST", UINT, COUNT, COLUMN, "Packets lost in the step."),
};
_Static_assert(ARRAY_SIZE(rates_fields) == _HISTORY_RATES_FIELD_MAX, "each index has its declaration");

static const struct weir_field peers_fields[] = {
	PROGRAM_FIELD(HISTORY_PEERS_PROGRAM, KEY),
	UID_FIELD(HISTORY_PEERS_UID, KEY),
	USER_FIELD(HISTORY_PEERS_USER, 0),
	UNIT_FIELD(HISTORY_PEERS_UNIT, KEY),
	CONTAINER_NAME_FIELD(HISTORY_PEERS_CONTAINER_NAME, KEY | COLUMN),
	ROLE_FIELD(HISTORY_PEERS_ROLE),
	TRANSPORT_FIELD(HISTORY_PEERS_TRANSPORT),
	PEER_NAME_FIELD(HISTORY_PEERS_PEER_NAME),
	PEER_ADDRESS_FIELD(HISTORY_PEERS_PEER_ADDRESS),
	PORT_FIELD(HISTORY_PEERS_PORT),
	SENT_FIELD(HISTORY_PEERS_TX_BYTES, "Bytes sent in the span."),
	RECEIVED_FIELD(HISTORY_PEERS_RX_BYTES, "Bytes received in the span."),
	CONNECTIONS_FIELD(HISTORY_PEERS_CONNECTIONS, COLUMN),
	RETRANSMITS_FIELD(HISTORY_PEERS_RETRANSMITS),
	FIRST_SEEN_FIELD(HISTORY_PEERS_FIRST_SEEN),
	LAST_SEEN_FIELD(HISTORY_PEERS_LAST_SEEN),
};
_Static_assert(ARRAY_SIZE(peers_fields) == _HISTORY_PEERS_FIELD_MAX, "each index has its declaration");

static const struct weir_field losses_fields[] = {
	REASON_FIELD(HISTORY_LOSSES_REASON),
	CLASS_FIELD(HISTORY_LOSSES_CLASS),
	DEVICE_FIELD(HISTORY_LOSSES_DEVICE),
	PROGRAM_FIELD(HISTORY_LOSSES_PROGRAM, KEY),
	UID_FIELD(HISTORY_LOSSES_UID, KEY),
	USER_FIELD(HISTORY_LOSSES_USER, 0),
	UNIT_FIELD(HISTORY_LOSSES_UNIT, KEY),
	CONTAINER_NAME_FIELD(HISTORY_LOSSES_CONTAINER_NAME, KEY),
	FIELD(HISTORY_LOSSES_PACKETS, "packets", "PACKETS", UINT, COUNT, COLUMN, "Packets lost in the span."),
	FIRST_SEEN_FIELD(HISTORY_LOSSES_FIRST_SEEN),
	LAST_SEEN_FIELD(HISTORY_LOSSES_LAST_SEEN),
};
_Static_assert(ARRAY_SIZE(losses_fields) == _HISTORY_LOSSES_FIELD_MAX, "each index has its declaration");

#define USE_FIELDS(name_of_when, title_of_when, sentence) { \
	FIELD(HISTORY_USE_WHEN, name_of_when, title_of_when, TEXT, NONE, KEY | COLUMN, sentence), \
	PROGRAM_FIELD(HISTORY_USE_PROGRAM, KEY), \
	UID_FIELD(HISTORY_USE_UID, KEY), \
	USER_FIELD(HISTORY_USE_USER, COLUMN), \
	UNIT_FIELD(HISTORY_USE_UNIT, KEY | COLUMN), \
	CONTAINER_NAME_FIELD(HISTORY_USE_CONTAINER_NAME, KEY | COLUMN), \
	SENT_FIELD(HISTORY_USE_TX_BYTES, "Bytes sent."), \
	RECEIVED_FIELD(HISTORY_USE_RX_BYTES, "Bytes received."), \
	FIELD(HISTORY_USE_CONNECTIONS, "connections", "CONNECTIONS", UINT, COUNT, COLUMN, "Connections opened."), \
}

static const struct weir_field days_fields[] =
	USE_FIELDS("day", "DAY", "The day, by the clock of the place where weir runs: 2026-11-22.");
_Static_assert(ARRAY_SIZE(days_fields) == _HISTORY_USE_FIELD_MAX, "each index has its declaration");

static const struct weir_field months_fields[] =
	USE_FIELDS("month", "MONTH", "The month, by the clock of the place where weir runs: 2026-11.");
_Static_assert(ARRAY_SIZE(months_fields) == _HISTORY_USE_FIELD_MAX, "each index has its declaration");

static const struct weir_field events_fields[] = {
	FIELD(HISTORY_EVENTS_TIME, "time", "TIME", TIME, NONE, KEY | COLUMN, "When it happened."),
	FIELD(HISTORY_EVENTS_KIND, "kind", "KIND", TEXT, NONE, KEY | COLUMN,
	      "first_seen, started, stopped, killed, gap, damaged, disk, clock, finding or listening.",
	      .words = "first_seen started stopped killed gap damaged disk clock finding listening"),
	FIELD(HISTORY_EVENTS_PROGRAM, "program", "PROGRAM", TEXT, NONE, KEY | COLUMN, "The program that it is about.",
	      .filter = "process"),
	UID_FIELD(HISTORY_EVENTS_UID, 0),
	FIELD(HISTORY_EVENTS_SUMMARY, "summary", "WHAT", TEXT, NONE, KEY | COLUMN, "What happened, in a sentence."),
	FIELD(HISTORY_EVENTS_COUNT, "count", "COUNT", UINT, COUNT, 0,
	      "How many there were: of a flood, its rest is one event; with a step, those of one kind and program are one row "
	      "of each step, with the latest time."),
};
_Static_assert(ARRAY_SIZE(events_fields) == _HISTORY_EVENTS_FIELD_MAX, "each index has its declaration");

static const struct weir_field changes_fields[] = {
	FIELD(HISTORY_CHANGES_RANK, "rank", "RANK", UINT, NONE, KEY | COLUMN, "1: explains most of the difference."),
	FIELD(HISTORY_CHANGES_KIND, "kind", "KIND", TEXT, NONE, COLUMN, "program, peer, loss or event.",
	      .words = "program peer loss event"),
	FIELD(HISTORY_CHANGES_PROGRAM, "program", "PROGRAM", TEXT, NONE, COLUMN, "The program.", .filter = "process"),
	FIELD(HISTORY_CHANGES_ROLE, "role", "ROLE", TEXT, NONE, 0, "Of a peer's change: the program's, client or server.",
	      .words = "client server"),
	FIELD(HISTORY_CHANGES_PEER_NAME, "peer_name", "PEER NAME", TEXT, NONE, 0, "The peer: its name, or its address.",
	      .filter = "peer"),
	FIELD(HISTORY_CHANGES_PORT, "port", "PORT", UINT, NONE, PORT, "Port of the server's side.", .max = UINT16_MAX),
	FIELD(HISTORY_CHANGES_REASON, "reason", "REASON", TEXT, NONE, 0, "Why packets were lost, or what kind of event it is."),
	FIELD(HISTORY_CHANGES_BEFORE, "before", "BEFORE", UINT, NONE, 0,
	      "In the span that it is compared with, made as long as this one."),
	FIELD(HISTORY_CHANGES_AFTER, "after", "AFTER", UINT, NONE, 0, "In the span that was asked for."),
	FIELD(HISTORY_CHANGES_UNIT_NAME, "unit_name", "OF WHAT", TEXT, NONE, 0, "What both count: bytes, packets or count.",
	      .words = "bytes packets count"),
	FIELD(HISTORY_CHANGES_FACTOR, "factor", "FACTOR", UINT, NONE, 0, "After in percent of before; null when there was none."),
	FIELD(HISTORY_CHANGES_NEW, "new", "NEW", BOOL, NONE, 0, "Whether there was none before."),
	FIELD(HISTORY_CHANGES_GONE, "gone", "GONE", BOOL, NONE, 0, "Whether there is none any more."),
	FIELD(HISTORY_CHANGES_SUMMARY, "summary", "WHAT", TEXT, NONE, COLUMN, "The change, in a sentence."),
	FIELD(HISTORY_CHANGES_FILTER, "filter", "FILTER", TEXT, NONE, 0, "Shows more of it, in other tables of the past."),
};
_Static_assert(ARRAY_SIZE(changes_fields) == _HISTORY_CHANGES_FIELD_MAX, "each index has its declaration");

static const struct weir_field store_fields[] = {
	FIELD(HISTORY_STORE_LEVEL, "level", "LEVEL", TEXT, NONE, KEY | COLUMN,
	      "How finely time is told apart; file: all of it together."),
	FIELD(HISTORY_STORE_SECONDS, "seconds", "SECONDS", UINT, COUNT, 0, "How long one step of it is."),
	FIELD(HISTORY_STORE_KEPT_SECONDS, "kept_seconds", "KEPT", UINT, COUNT, COLUMN, "For how many seconds it is kept."),
	FIELD(HISTORY_STORE_ROWS, "rows", "ROWS", UINT, COUNT, COLUMN, "Steps, or events, that are kept now."),
	FIELD(HISTORY_STORE_OLDEST, "oldest", "OLDEST", TIME, NONE, COLUMN, "When the oldest begins."),
	FIELD(HISTORY_STORE_NEWEST, "newest", "NEWEST", TIME, NONE, COLUMN, "When the newest begins."),
	FIELD(HISTORY_STORE_BYTES, "bytes", "BYTES", UINT, BYTES, COLUMN, "Size of the file."),
	FIELD(HISTORY_STORE_LIMIT_BYTES, "limit_bytes", "LIMIT", UINT, BYTES, COLUMN, "What the size may be: history.size."),
	FIELD(HISTORY_STORE_LOST_SECONDS, "lost_seconds", "LOST SECONDS", UINT, COUNT, COLUMN,
	      "Seconds that could not be written in time: their sums are kept, not what was in which."),
	FIELD(HISTORY_STORE_REASON, "reason", "REASON", TEXT, NONE, COLUMN, "Why nothing can be written now."),
};
_Static_assert(ARRAY_SIZE(store_fields) == _HISTORY_STORE_FIELD_MAX, "each index has its declaration");

static const struct weir_field subjects_fields[] = {
	PROGRAM_FIELD(HISTORY_SUBJECTS_PROGRAM, KEY),
	EXE_FIELD(HISTORY_SUBJECTS_EXE, KEY),
	UID_FIELD(HISTORY_SUBJECTS_UID, KEY),
	USER_FIELD(HISTORY_SUBJECTS_USER, 0),
	UNIT_FIELD(HISTORY_SUBJECTS_UNIT, KEY),
	CONTAINER_ID_FIELD(HISTORY_SUBJECTS_CONTAINER_ID, KEY),
	CONTAINER_NAME_FIELD(HISTORY_SUBJECTS_CONTAINER_NAME, 0),
	POD_FIELD(HISTORY_SUBJECTS_POD_NAME),
	POD_NAMESPACE_FIELD(HISTORY_SUBJECTS_POD_NAMESPACE),
	ROLE_FIELD(HISTORY_SUBJECTS_ROLE),
	TRANSPORT_FIELD(HISTORY_SUBJECTS_TRANSPORT),
	PEER_NAME_FIELD(HISTORY_SUBJECTS_PEER_NAME),
	PEER_ADDRESS_FIELD(HISTORY_SUBJECTS_PEER_ADDRESS),
	PORT_FIELD(HISTORY_SUBJECTS_PORT),
	REASON_FIELD(HISTORY_SUBJECTS_REASON),
	CLASS_FIELD(HISTORY_SUBJECTS_CLASS),
	DEVICE_FIELD(HISTORY_SUBJECTS_DEVICE),
};
_Static_assert(ARRAY_SIZE(subjects_fields) == _HISTORY_SUBJECTS_FIELD_MAX, "each index has its declaration");

#define TABLE(list) .fields = (list), .n_fields = ARRAY_SIZE(list), .past = true

const struct weir_table weir_table_history = {
	.name = "history", .summary = "Programs and what they sent and received in a span of time.",
	TABLE(programs_fields), .sort_field = HISTORY_TX_BYTES, .sort_plus = HISTORY_RX_BYTES,
};

const struct weir_table weir_table_history_rates = {
	.name = "history_rates", .summary = "The curve: bytes, connections and losses of each step of a span.",
	TABLE(rates_fields), .sort_field = WEIR_SORT_NONE,
};

const struct weir_table weir_table_history_peers = {
	.name = "history_peers", .summary = "Who talked to whom in a span.",
	TABLE(peers_fields), .sort_field = HISTORY_PEERS_TX_BYTES, .sort_plus = HISTORY_PEERS_RX_BYTES,
};

const struct weir_table weir_table_history_losses = {
	.name = "history_losses", .summary = "Packets lost in a span, by reason, device and program.",
	TABLE(losses_fields), .sort_field = HISTORY_LOSSES_PACKETS,
};

const struct weir_table weir_table_history_days = {
	.name = "history_days", .summary = "What each program used, day by day.",
	TABLE(days_fields), .sort_field = WEIR_SORT_NONE,
};

const struct weir_table weir_table_history_months = {
	.name = "history_months", .summary = "What each program used, month by month.",
	TABLE(months_fields), .sort_field = WEIR_SORT_NONE,
};

const struct weir_table weir_table_history_events = {
	.name = "history_events", .summary = "What happened: new programs, findings, starts, and what history misses.",
	TABLE(events_fields), .sort_field = WEIR_SORT_NONE,
};

const struct weir_table weir_table_history_changes = {
	.name = "history_changes", .summary = "What changed between two spans, what explains most of it first.",
	TABLE(changes_fields), .sort_field = WEIR_SORT_NONE,
};

const struct weir_table weir_table_history_store = {
	.name = "history_store", .summary = "What history keeps, for how long, and how much room it takes.",
	TABLE(store_fields), .sort_field = WEIR_SORT_NONE, .host_wide = true,
};

const struct weir_table weir_table_history_subjects = {
	.name = "history_subjects", .summary = "What the filter of a curve or of changes can choose by.",
	TABLE(subjects_fields), .sort_field = WEIR_SORT_NONE, .internal = true,
};

const struct weir_table *weir_history_filter_table(const struct weir_table *past)
{
	if (past == &weir_table_history_rates || past == &weir_table_history_changes)
		return &weir_table_history_subjects;
	return past;
}
