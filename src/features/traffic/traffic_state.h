// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Running out of memory is an error to be returned, not the end: an element whose hh.tbl is NULL was not added. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/addr.h"
#include "core/identity.h"
#include "features/traffic/traffic_abi.h"
#include "features/traffic/traffic_given.h"

/* What the engine knows: processes and flows, built from records alone. One thread, no locks, no clock. */

#define TRAFFIC_EXITED_KEPT_NS (60ull * 1000000000ull)
#define TRAFFIC_CLOSED_KEPT_NS (60ull * 1000000000ull)
#define TRAFFIC_CLOSED_MAX 20000
#define TRAFFIC_EXITED_MAX 20000
#define TRAFFIC_CLOCK_STEP_NS 20000000ll
#define TRAFFIC_GROUPS_MAX 200
#define TRAFFIC_GROUP_IDLE_NS (600ull * 1000000000ull) /* longer than a scraper remembers a series */

union traffic_event {
	struct traffic_head head;
	struct traffic_process process;
	struct traffic_exit exit;
	struct traffic_socket socket;
	struct traffic_sums_record sums;
	struct traffic_peer_record peer;
	struct traffic_swept swept;
	struct traffic_user user;
	struct traffic_totals totals;
	struct traffic_carried carried;
};

/* Sums of all processes with the same name, unit and container, for metrics. They only grow, and what leaves the
 * list moves to "other", so that neither a series nor their sum ever falls. */
struct traffic_group {
	UT_hash_handle hh;
	char key[TRAFFIC_GROUP_KEY]; /* comm, unit, container id, each NUL-terminated */
	size_t key_len;
	struct traffic_bytes by[_TRAFFIC_TRANSPORT_MAX];
	struct traffic_bytes taken[_TRAFFIC_TRANSPORT_MAX]; /* of these: no longer in the kernel's map */
	uint64_t retransmits;
	uint32_t srtt_us; /* of the slowest open connection, while a snapshot is made; 0: none is known */
	uint64_t used_mono_ns;
	struct traffic_proc *members;
	uid_t uid; /* whose processes these are; WEIR_UID_HOST when several users' */
	bool grew; /* since it was carried */
};

struct traffic_proc {
	UT_hash_handle hh;
	struct traffic_key key;
	struct traffic_key parent;
	char comm[TRAFFIC_COMM];
	char *exe, *cgroup;
	struct weir_identity id;
	uint32_t uid, netns;
	bool named, exited;
	bool gone_from_map; /* exited, and its sums were taken out of the kernel's map */
	uint64_t first_mono_ns, last_mono_ns, exit_mono_ns;
	uint64_t alive_mono_ns; /* when it was last known to live */
	struct traffic_bytes in_map[_TRAFFIC_TRANSPORT_MAX]; /* as the kernel's map has it */
	struct traffic_bytes taken[_TRAFFIC_TRANSPORT_MAX];  /* of entries that were taken out before */
	uint64_t before[_TRAFFIC_DIRECTION_MAX];
	uint64_t tick_bytes[_TRAFFIC_DIRECTION_MAX]; /* at the last tick */
	uint64_t rate[_TRAFFIC_DIRECTION_MAX];
	uint64_t retransmits;
	uint32_t connections_open, connections_total;
	uint32_t flows; /* that point here */
	uint32_t srtt_us, srtt_shown_us; /* now, and in the snapshot before */
	struct traffic_group *group;
	struct traffic_proc *group_next, *group_prev;
	const struct weir_container_name *container; /* while a snapshot is made; may be NULL */
	uint64_t container_version, container_changed; /* as it was shown last, and in which snapshot that began */
	bool dirty;
	uint64_t changed;
	struct traffic_proc *exit_next, *exit_prev; /* exited, oldest first */
	struct traffic_proc *untold_next, *untold_prev; /* see traffic_state.untold */
	bool untold;
	bool given_known;                             /* whether the place was looked for */
	traffic_given_place given_place;
	uint64_t given[_TRAFFIC_DIRECTION_MAX];       /* to history */
	uint32_t new_connections, new_retransmits;    /* while history is told */
};

struct traffic_flow_peer {
	struct traffic_flow_peer *next;
	struct traffic_peer_key key;
	struct traffic_bytes sums;
	uint64_t tick_bytes[_TRAFFIC_DIRECTION_MAX]; /* at the last tick */
	uint64_t rate[_TRAFFIC_DIRECTION_MAX];
	uint64_t first_mono_ns, last_mono_ns;
	bool dirty;
	uint64_t changed;
	bool given_known;
	traffic_given_place given_place;
	uint64_t given[_TRAFFIC_DIRECTION_MAX]; /* to history */
};

struct traffic_flow {
	UT_hash_handle hh;
	struct traffic_flow_key key;
	struct traffic_socket last;
	struct traffic_proc *proc; /* may be NULL: nobody yet */
	struct traffic_flow_peer *peers;
	uint64_t first_mono_ns, last_mono_ns, closed_mono_ns;
	uint64_t tick_bytes[_TRAFFIC_DIRECTION_MAX];
	uint64_t rate[_TRAFFIC_DIRECTION_MAX];
	uint64_t seen_mono_ns; /* its last record of any kind */
	bool closed, gone, lost_record;
	uint8_t missed;        /* looks in a row that may have skipped it */
	bool dirty;
	uint64_t changed;
	struct traffic_flow *closed_next, *closed_prev; /* closed, oldest first */
	struct traffic_flow *moving_next, *moving_prev; /* see traffic_state.moving */
	bool moves;
	struct traffic_flow *untold_next, *untold_prev; /* see traffic_state.untold_flows */
	bool untold;
	bool given_known;
	traffic_given_place given_place;
	struct traffic_given_flow given;           /* to history */
	uint64_t nobody[_TRAFFIC_DIRECTION_MAX];   /* of no known peer, at the visit before */
};

struct traffic_local {
	UT_hash_handle hh;
	struct weir_addr addr;
};

struct traffic_username {
	UT_hash_handle hh;
	uint32_t uid;
	char name[36];
};

/* Sums over flows that are no longer in the table, for the audit. */
struct traffic_folded {
	uint64_t n;
	uint64_t effective[_TRAFFIC_DIRECTION_MAX], tcp[_TRAFFIC_DIRECTION_MAX];
	uint64_t bypass[_TRAFFIC_DIRECTION_MAX], redirected[_TRAFFIC_DIRECTION_MAX];
	uint64_t shared_bypass[_TRAFFIC_DIRECTION_MAX], urgent, unbased[_TRAFFIC_DIRECTION_MAX], cut;
	uint64_t user_unknown[_TRAFFIC_DIRECTION_MAX], n_user_unknown, n_never_known;
	uint64_t n_bypass, n_redirected, n_shared_bypass, n_urgent, n_unbased, n_cut;
};

struct traffic_kernel;
struct traffic_reader;

struct traffic_state {
	struct traffic_kernel *kernel; /* NULL in a replay */
	struct traffic_reader *reader;
	struct traffic_proc *procs;
	struct traffic_flow *flows;
	struct traffic_group *groups;
	struct traffic_bytes other[_TRAFFIC_TRANSPORT_MAX]; /* what found no group, and groups that were dropped */
	struct traffic_bytes other_taken[_TRAFFIC_TRANSPORT_MAX]; /* of these: no longer in the kernel's map */
	uint64_t other_retransmits;
	uint64_t no_room_until_mono_ns; /* no group can be dropped before */
	struct traffic_local *locals;
	struct traffic_username *users;
	struct traffic_proc *exited_first, *exited_last;
	unsigned n_exited;
	struct traffic_flow *closed_first, *closed_last;
	unsigned n_closed;
	struct traffic_flow *moving; /* those that have a rate or may get one at the next tick: few of many */
	/* What has moved since history was told last: few of many. */
	struct traffic_proc *untold;
	struct traffic_flow *untold_flows;
	struct traffic_given *given; /* NULL: history was never asked for */
	uint64_t given_since_ns;     /* when history was asked for first in this run; 0: it was not */
	/* Of exited processes that could not wait any longer for history to ask: told as nobody's. */
	uint64_t untold_bytes[_TRAFFIC_DIRECTION_MAX];
	uint64_t untold_connections, untold_retransmits;
	bool regrouped;              /* a group has gone since groups were carried */
	bool other_grew;
	bool carried_in;             /* the sums of the daemon before this one are there */
	struct traffic_folded folded;
	struct traffic_bytes dropped_procs[_TRAFFIC_TRANSPORT_MAX]; /* sums of processes no longer in the table */
	struct traffic_totals totals;
	uint64_t mono_ns, tick_mono_ns, real_minus_mono_ns;
	bool news;
	bool consistent; /* sockets and sums are of the same look */
};

struct traffic_state *traffic_state_new(void);
struct traffic_state *traffic_state_free(struct traffic_state *s); /* accepts NULL, returns NULL */

/* Changes the state by one record. Pure but for memory: -ENOMEM leaves the state whole, the record unheard. */
int traffic_state_apply(struct traffic_state *s, uint64_t mono_ns, const union traffic_event *e);

/* A second has passed: rates, ageing. */
void traffic_state_tick(struct traffic_state *s, uint64_t mono_ns, uint64_t real_ns);

/* Size of a record of this type; 0: there is no such type. traffic.c */
size_t traffic_record_size(uint16_t type);

/* Three texts, each with its end; none: of what found no group. traffic.c */
bool traffic_is_group_key(const char *key, uint32_t len);

struct traffic_proc *traffic_proc_find(const struct traffic_state *s, const struct traffic_key *key);
struct traffic_flow *traffic_flow_find(const struct traffic_state *s, uint64_t cookie, uint64_t opened_ns);
const char *traffic_user_name(const struct traffic_state *s, uint32_t uid); /* NULL: not known */

/* Bytes that the process moved over one transport since it was first seen. */
static inline uint64_t traffic_proc_bytes(const struct traffic_proc *p, int transport, int dir)
{
	return p->in_map[transport].bytes[dir] + p->taken[transport].bytes[dir];
}

/* The same over all IP transports: what tx_bytes and rx_bytes mean. */
uint64_t traffic_proc_ip_bytes(const struct traffic_proc *p, int dir);

/* The group that bytes of a program count for, made if there is none. NULL when memory runs out. */
struct traffic_group *traffic_group_get(struct traffic_state *s, const char *key, size_t key_len, uid_t uid);

/* Sums of what has ended or was never in a group: another's, now. */
void traffic_group_to_other(struct traffic_state *s, const struct traffic_group *g);

/* traffic_history.c: as weir_feature.history and .program. */
struct weir_history_sink;
struct weir_history_program;
void traffic_history(void *state, struct weir_history_sink *sink);
bool traffic_program(void *state, const struct weir_history_sink *sink, uint32_t pid, uint64_t start_ns,
		     struct weir_history_program *ret);
void traffic_proc_untold(struct traffic_state *s, struct traffic_proc *p);
void traffic_flow_untold(struct traffic_state *s, struct traffic_flow *f);
/* What history was not told of it yet is told as nobody's. */
void traffic_proc_fold(struct traffic_state *s, struct traffic_proc *p);
/* Before they are freed. */
void traffic_proc_forget(struct traffic_state *s, struct traffic_proc *p);
void traffic_flow_forget(struct traffic_state *s, struct traffic_flow *f);

/* traffic_carry.c: sums that grew under an earlier daemon; as weir_feature.carry and .carried_in. */
void traffic_carried_apply(struct traffic_state *s, const struct traffic_carried *e);
struct weir_carry_sink;
void traffic_carry(void *state, struct weir_carry_sink *sink, bool all);
bool traffic_carried_in(void *state, bool done);

/* Adds what one TCP or UDP flow contributes to the audit. */
void traffic_audit_flow(struct traffic_folded *to, const struct traffic_flow *f);

/* traffic_rows.c */
struct weir_builder;
struct weir_audit_entry;
void traffic_rows(struct traffic_state *s, struct weir_builder *b, uint64_t number);
const char *traffic_transport_name(unsigned transport); /* "tcp"; NULL: there is none of this number */
/* traffic_containers.c: finds the process's container; its row is a changed one when the name is. */
void traffic_container(struct weir_builder *b, struct traffic_proc *p, uint64_t number);
/* Groups of containers whose names have become known are from now on those of the name. What is counted in all of
 * them together stays the same. */
void traffic_name_groups(struct traffic_state *s, struct weir_builder *b);
unsigned traffic_audit(const struct traffic_state *s, struct weir_audit_entry *ret);
