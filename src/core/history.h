// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "core/query.h"

/* The past. Features tell once a second what moved (samples, events) and what must not be forgotten (carry); the store
 * (src/store) keeps it and answers questions with one of the tables below, as rows of a snapshot. */

/* --- what is told ----------------------------------------------------------------------------- */

/* Whose sample it is. Texts are borrowed for the call and hostile; NULL and "" are the same: none. What tells programs
 * apart is (comm, exe, uid, unit, container_name with its pod, or else container_id), without units that are others at the
 * next login or start; the rest is kept as it was told last. */
struct weir_history_program {
	const char *comm; /* none: nobody's; then all others are passed over */
	const char *exe;
	const char *user; /* the name of uid */
	const char *unit;
	const char *container_id, *container_name;
	const char *pod_name, *pod_namespace;
	uint32_t uid; /* WEIR_UID_HOST: known to be nobody's in particular */
};

enum weir_history_kind {
	WEIR_HISTORY_PROGRAM, /* what a program moved, all of it */
	WEIR_HISTORY_PEER,    /* that with one peer; the same bytes again, told apart */
	WEIR_HISTORY_LOSS,    /* packets lost, for one reason at one device, of a program or nobody's */
	_WEIR_HISTORY_KIND_MAX,
};

/* What one subject did since the call before: differences, never totals. Several samples of one subject in a second
 * are summed. All zero: left out, unless nothing but the sight of it is meant (a program that appears is an event). */
struct weir_history_sample {
	enum weir_history_kind kind;
	struct weir_history_program program;

	/* PEER: told apart by name, or by address where it has no name; then by port, role and transport. */
	const char *peer_name;
	struct weir_addr peer_address;
	uint16_t port;         /* of the server's side; 0: none */
	const char *role;      /* "client", "server" */
	const char *transport; /* "tcp", "udp", "mptcp" */

	/* LOSS */
	const char *reason, *class, *device;

	uint64_t tx_bytes, rx_bytes; /* PROGRAM, PEER */
	uint64_t connections;        /* opened; PROGRAM, PEER */
	uint64_t retransmits;        /* PROGRAM, PEER */
	uint64_t packets;            /* lost; LOSS. A program's own sum of them is made by the store */
};

enum weir_history_event_kind {
	WEIR_HISTORY_FIRST_SEEN, /* made by the store: a program that was never seen before */
	WEIR_HISTORY_STARTED,    /* made by the store at each start, */
	WEIR_HISTORY_STOPPED,    /* at each clean end, */
	WEIR_HISTORY_KILLED,     /* at a start after an end that was none, */
	WEIR_HISTORY_GAP,        /* when seconds are missing while it runs, */
	WEIR_HISTORY_DAMAGED,    /* when a file was set aside, */
	WEIR_HISTORY_DISK,       /* when it could not be written, and when it could again, */
	WEIR_HISTORY_CLOCK,      /* and when the clock was set */
	WEIR_HISTORY_FINDING,    /* a finding began */
	WEIR_HISTORY_LISTENING,  /* a program began to listen */
	_WEIR_HISTORY_EVENT_MAX,
};

/* Its word in the tables; NULL for a number that is none. */
const char *weir_history_event_name(unsigned kind);

struct weir_history_event {
	uint64_t real_ns; /* 0: the second that is told */
	enum weir_history_event_kind kind;
	const char *program; /* NULL: of none */
	uint32_t uid;        /* who may read it beside those who read everything; WEIR_UID_HOST */
	const char *summary; /* one sentence; hostile */
};

/* Where history() of a feature puts it. The sink copies; errors are the sink's business. */
struct weir_run;
struct weir_history_sink {
	const struct weir_run *run; /* whose features answer core/lookup.h; NULL: nobody's */
	void (*sample)(struct weir_history_sink *sink, const struct weir_history_sample *s);
	void (*event)(struct weir_history_sink *sink, const struct weir_history_event *e);
};

/* Bounds of a carry record (core/feature.h has the sink): longer ones are counted and left out. */
#define WEIR_CARRY_KEY_MAX 512
#define WEIR_CARRY_BYTES_MAX 4096

/* --- what is asked ---------------------------------------------------------------------------- */

#define WEIR_HISTORY_TABLE 32
#define WEIR_HISTORY_FILTER 2048

/* Without pointers, so that it can be sent as it is (who receives it sees to the two NULs). Times are ns since the epoch;
 * the span is [from, to). */
struct weir_history_question {
	uint64_t from_ns, to_ns;
	/* history_rates: 0: the store picks one, at most 600 steps. history_events: those of a step that are alike are one
	 * row; 0: one by one. */
	uint64_t step_ns;
	uint64_t from2_ns, to2_ns;  /* history_changes: what it is compared with; both 0: as long, just before */
	struct weir_viewer viewer;  /* rows of others are left out, sums are made of his own */
	char table[WEIR_HISTORY_TABLE];   /* "history_rates" */
	/* history_rates, history_changes: chooses subjects before sums are made, in the words of
	 * weir_table_history_subjects; the rows are not to be filtered again. The other tables: not looked at, the rows are
	 * filtered by who renders them. */
	char filter[WEIR_HISTORY_FILTER];
};

/* What was answered really: the span is widened to what is still told apart so long ago. */
struct weir_history_span {
	uint64_t from_ns, to_ns;
	uint64_t step_ns; /* history_rates, history_events: of each row; the others: how finely the edges are known */
	/* In the daemon's zone, of the last moment that was asked for: when its day began, and by how much its clocks were
	 * ahead of Universal Time. A question up to now: today. */
	uint64_t day_ns;
	int64_t utc_offset_s;
};

/* What the filter of a question is parsed against: weir_table_history_subjects, or the table itself. */
const struct weir_table *weir_history_filter_table(const struct weir_table *past);

/* --- the tables: .past is set in each, core/tables_history.c ----------------------------------- */

extern const struct weir_table weir_table_history;
extern const struct weir_table weir_table_history_rates;
extern const struct weir_table weir_table_history_peers;
extern const struct weir_table weir_table_history_losses;
extern const struct weir_table weir_table_history_days;
extern const struct weir_table weir_table_history_months;
extern const struct weir_table weir_table_history_events;
extern const struct weir_table weir_table_history_changes;
extern const struct weir_table weir_table_history_store;
extern const struct weir_table weir_table_history_subjects; /* internal: for filters alone, never filled for readers */

/* Who the row is about; the same in several tables. "other" as program: what found no room of its own. */
enum weir_history_field {
	HISTORY_PROGRAM,
	HISTORY_EXE,
	HISTORY_UID,
	HISTORY_USER,
	HISTORY_UNIT,
	HISTORY_CONTAINER_ID,
	HISTORY_CONTAINER_NAME,
	HISTORY_POD_NAME,
	HISTORY_POD_NAMESPACE,
	HISTORY_TX_BYTES,
	HISTORY_RX_BYTES,
	HISTORY_TX_MAX,
	HISTORY_RX_MAX,
	HISTORY_CONNECTIONS,
	HISTORY_RETRANSMITS,
	HISTORY_LOST_PACKETS,
	HISTORY_FIRST_SEEN,
	HISTORY_LAST_SEEN,
	HISTORY_NEW,
	_HISTORY_FIELD_MAX,
};

enum weir_history_rates_field {
	HISTORY_RATES_TIME,
	HISTORY_RATES_SECONDS,
	HISTORY_RATES_TX_BYTES,
	HISTORY_RATES_RX_BYTES,
	HISTORY_RATES_TX_MAX,
	HISTORY_RATES_RX_MAX,
	HISTORY_RATES_CONNECTIONS,
	HISTORY_RATES_RETRANSMITS,
	HISTORY_RATES_LOST_PACKETS,
	_HISTORY_RATES_FIELD_MAX,
};

enum weir_history_peers_field {
	HISTORY_PEERS_PROGRAM,
	HISTORY_PEERS_UID,
	HISTORY_PEERS_USER,
	HISTORY_PEERS_UNIT,
	HISTORY_PEERS_CONTAINER_NAME,
	HISTORY_PEERS_ROLE,
	HISTORY_PEERS_TRANSPORT,
	HISTORY_PEERS_PEER_NAME,
	HISTORY_PEERS_PEER_ADDRESS,
	HISTORY_PEERS_PORT,
	HISTORY_PEERS_TX_BYTES,
	HISTORY_PEERS_RX_BYTES,
	HISTORY_PEERS_CONNECTIONS,
	HISTORY_PEERS_RETRANSMITS,
	HISTORY_PEERS_FIRST_SEEN,
	HISTORY_PEERS_LAST_SEEN,
	_HISTORY_PEERS_FIELD_MAX,
};

enum weir_history_losses_field {
	HISTORY_LOSSES_REASON,
	HISTORY_LOSSES_CLASS,
	HISTORY_LOSSES_DEVICE,
	HISTORY_LOSSES_PROGRAM,
	HISTORY_LOSSES_UID,
	HISTORY_LOSSES_USER,
	HISTORY_LOSSES_UNIT,
	HISTORY_LOSSES_CONTAINER_NAME,
	HISTORY_LOSSES_PACKETS,
	HISTORY_LOSSES_FIRST_SEEN,
	HISTORY_LOSSES_LAST_SEEN,
	_HISTORY_LOSSES_FIELD_MAX,
};

/* Of days and of months alike. */
enum weir_history_use_field {
	HISTORY_USE_WHEN, /* "2026-11-22", "2026-11": the daemon's local time */
	HISTORY_USE_PROGRAM,
	HISTORY_USE_UID,
	HISTORY_USE_USER,
	HISTORY_USE_UNIT,
	HISTORY_USE_CONTAINER_NAME,
	HISTORY_USE_TX_BYTES,
	HISTORY_USE_RX_BYTES,
	HISTORY_USE_CONNECTIONS,
	_HISTORY_USE_FIELD_MAX,
};

enum weir_history_events_field {
	HISTORY_EVENTS_TIME,
	HISTORY_EVENTS_KIND,
	HISTORY_EVENTS_PROGRAM,
	HISTORY_EVENTS_UID,
	HISTORY_EVENTS_SUMMARY,
	HISTORY_EVENTS_COUNT,
	_HISTORY_EVENTS_FIELD_MAX,
};

enum weir_history_changes_field {
	HISTORY_CHANGES_RANK,
	HISTORY_CHANGES_KIND,
	HISTORY_CHANGES_PROGRAM,
	HISTORY_CHANGES_ROLE,
	HISTORY_CHANGES_PEER_NAME, /* or the address as text */
	HISTORY_CHANGES_PORT,
	HISTORY_CHANGES_REASON,
	HISTORY_CHANGES_BEFORE,
	HISTORY_CHANGES_AFTER,
	HISTORY_CHANGES_UNIT_NAME, /* "bytes", "packets", "count" */
	HISTORY_CHANGES_FACTOR,    /* after / before in hundredths; null without a before */
	HISTORY_CHANGES_NEW,
	HISTORY_CHANGES_GONE,
	HISTORY_CHANGES_SUMMARY,
	HISTORY_CHANGES_FILTER,
	_HISTORY_CHANGES_FIELD_MAX,
};

enum weir_history_store_field {
	HISTORY_STORE_LEVEL, /* "1 s" "10 s" "1 min" "1 h" "day" "month" "event" "file" */
	HISTORY_STORE_SECONDS,
	HISTORY_STORE_KEPT_SECONDS,
	HISTORY_STORE_ROWS,
	HISTORY_STORE_OLDEST,
	HISTORY_STORE_NEWEST,
	HISTORY_STORE_BYTES,        /* "file" alone, as what follows */
	HISTORY_STORE_LIMIT_BYTES,
	HISTORY_STORE_LOST_SECONDS, /* seconds that were written late, as sums */
	HISTORY_STORE_REASON,       /* why it cannot be written now */
	_HISTORY_STORE_FIELD_MAX,
};

enum weir_history_subjects_field {
	HISTORY_SUBJECTS_PROGRAM,
	HISTORY_SUBJECTS_EXE,
	HISTORY_SUBJECTS_UID,
	HISTORY_SUBJECTS_USER,
	HISTORY_SUBJECTS_UNIT,
	HISTORY_SUBJECTS_CONTAINER_ID,
	HISTORY_SUBJECTS_CONTAINER_NAME,
	HISTORY_SUBJECTS_POD_NAME,
	HISTORY_SUBJECTS_POD_NAMESPACE,
	HISTORY_SUBJECTS_ROLE,
	HISTORY_SUBJECTS_TRANSPORT,
	HISTORY_SUBJECTS_PEER_NAME,
	HISTORY_SUBJECTS_PEER_ADDRESS,
	HISTORY_SUBJECTS_PORT,
	HISTORY_SUBJECTS_REASON,
	HISTORY_SUBJECTS_CLASS,
	HISTORY_SUBJECTS_DEVICE,
	_HISTORY_SUBJECTS_FIELD_MAX,
};
