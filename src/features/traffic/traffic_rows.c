// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "core/lookup.h"
#include "core/snapshot.h"
#include "features/traffic/traffic_fields.h"
#include "features/traffic/traffic_rules.h"
#include "features/traffic/traffic_state.h"

/* State -> rows. Nothing here changes what is counted. */

#define SSTHRESH_UNLIMITED 0x7fffffff /* TCP_INFINITE_SSTHRESH, include/net/tcp.h */

const char *traffic_transport_name(unsigned transport)
{
	static const char *const names[] = {
		[TRAFFIC_TCP] = "tcp",	 [TRAFFIC_UDP] = "udp",	    [TRAFFIC_MPTCP] = "mptcp",
		[TRAFFIC_UNIX] = "unix", [TRAFFIC_OTHER] = "other",
	};
	_Static_assert(ARRAY_SIZE(names) == _TRAFFIC_TRANSPORT_MAX, "each has its name");

	return transport < ARRAY_SIZE(names) ? names[transport] : NULL;
}

static const char *const direction_names[] = { [TRAFFIC_TX] = "transmit", [TRAFFIC_RX] = "receive" };

/* include/net/tcp_states.h */
static const char *const state_names[] = {
	[1] = "established", [2] = "syn_sent",	[3] = "syn_recv",   [4] = "fin_wait1",
	[5] = "fin_wait2",   [6] = "time_wait", [7] = "closed",	    [8] = "close_wait",
	[9] = "last_ack",    [10] = "listen",	[11] = "closing",
};

#define STATE_ESTABLISHED 1
#define STATE_CLOSE 7
#define STATE_LISTEN 10

static uint64_t real_time(const struct traffic_state *s, uint64_t mono_ns)
{
	return mono_ns + s->real_minus_mono_ns;
}

static void put_text(struct weir_builder *b, unsigned field, const char *text)
{
	if (text && *text)
		weir_builder_text(b, field, text);
}

/* --- processes --------------------------------------------------------------------------------- */

static void put_by_transport(struct weir_builder *b, const struct traffic_proc *p)
{
	static const unsigned fields[_TRAFFIC_TRANSPORT_MAX] = {
		[TRAFFIC_TCP] = PROCESS_TCP_TX_BYTES,	  [TRAFFIC_UDP] = PROCESS_UDP_TX_BYTES,
		[TRAFFIC_MPTCP] = PROCESS_MPTCP_TX_BYTES, [TRAFFIC_UNIX] = PROCESS_UNIX_TX_BYTES,
		[TRAFFIC_OTHER] = PROCESS_OTHER_TX_BYTES,
	};

	for (int t = 0; t < _TRAFFIC_TRANSPORT_MAX; t++) {
		uint64_t tx = traffic_proc_bytes(p, t, TRAFFIC_TX), rx = traffic_proc_bytes(p, t, TRAFFIC_RX);

		if (!tx && !rx)
			continue; /* did not occur */
		weir_builder_uint(b, fields[t], tx);
		weir_builder_uint(b, fields[t] + 1, rx);
	}
}

static void put_process(const struct traffic_state *s, struct weir_builder *b, struct traffic_proc *p,
			uint64_t number)
{
	traffic_container(b, p, number);
	if (p->dirty || p->srtt_us != p->srtt_shown_us)
		p->changed = number;
	p->dirty = false;
	p->srtt_shown_us = p->srtt_us;
	weir_builder_row(b, p->uid, p->changed);
	weir_builder_uint(b, PROCESS_PID, p->key.pid);
	weir_builder_uint(b, PROCESS_START_TIME_NS, p->key.start_ns);
	if (p->named) {
		weir_builder_text_n(b, PROCESS_COMM, p->comm, strnlen(p->comm, sizeof(p->comm)));
		weir_builder_uint(b, PROCESS_UID, p->uid);
		weir_builder_text(b, PROCESS_USER, traffic_user_name(s, p->uid));
		weir_builder_uint(b, PROCESS_NETNS, p->netns);
	}
	put_text(b, PROCESS_EXE, p->exe);
	put_text(b, PROCESS_CGROUP, p->cgroup);
	put_text(b, PROCESS_UNIT, p->id.unit);
	put_text(b, PROCESS_CONTAINER_ID, p->id.container_id);
	put_text(b, PROCESS_POD_NAME, p->id.pod);
	if (p->container) {
		put_text(b, PROCESS_CONTAINER_NAME, p->container->name);
		put_text(b, PROCESS_POD_NAME, p->container->pod_name);
		put_text(b, PROCESS_POD_NAMESPACE, p->container->pod_namespace);
	}
	weir_builder_text(b, PROCESS_STATE, p->exited ? "exited" : "running");
	weir_builder_uint(b, PROCESS_TX_BYTES, traffic_proc_ip_bytes(p, TRAFFIC_TX));
	weir_builder_uint(b, PROCESS_RX_BYTES, traffic_proc_ip_bytes(p, TRAFFIC_RX));
	weir_builder_uint(b, PROCESS_TX_BYTES_PER_SECOND, p->rate[TRAFFIC_TX]);
	weir_builder_uint(b, PROCESS_RX_BYTES_PER_SECOND, p->rate[TRAFFIC_RX]);
	weir_builder_uint(b, PROCESS_BEFORE_TX_BYTES, p->before[TRAFFIC_TX]);
	weir_builder_uint(b, PROCESS_BEFORE_RX_BYTES, p->before[TRAFFIC_RX]);
	weir_builder_uint(b, PROCESS_CONNECTIONS_OPEN, p->connections_open);
	weir_builder_uint(b, PROCESS_CONNECTIONS_TOTAL, p->connections_total);
	weir_builder_uint(b, PROCESS_RETRANSMITS, p->retransmits);
	if (p->srtt_us)
		weir_builder_uint(b, PROCESS_SRTT_US, p->srtt_us);
	put_by_transport(b, p);
	weir_builder_time(b, PROCESS_FIRST_SEEN, real_time(s, p->first_mono_ns));
	weir_builder_time(b, PROCESS_LAST_SEEN, real_time(s, p->last_mono_ns));
}

/* --- flows ------------------------------------------------------------------------------------- */

static bool is_private(const struct weir_addr *a)
{
	const uint8_t *b = a->bytes;

	if (a->family == AF_INET)
		return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
		       (b[0] == 169 && b[1] == 254) || (b[0] == 100 && (b[1] & 0xc0) == 64);
	return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

static bool is_loopback(const struct weir_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };
	static const uint8_t mapped[13] = { [10] = 0xff, 0xff, 127 };

	if (a->family == AF_INET)
		return a->bytes[0] == 127;
	return !memcmp(a->bytes, one, 16) || !memcmp(a->bytes, mapped, sizeof(mapped));
}

/* A peer whose address some socket of this host is bound to is on this host, in a container perhaps. */
static const char *scope_of(const struct traffic_state *s, const struct weir_addr *peer)
{
	struct traffic_local *l;

	if (is_loopback(peer))
		return "local";
	HASH_FIND(hh, s->locals, peer, sizeof(*peer), l);
	if (l)
		return "local";
	return is_private(peer) ? "east_west" : "north_south";
}

static const char *close_reason(const struct traffic_flow *f)
{
	const struct traffic_socket *r = &f->last;

	if (f->lost_record)
		return "lost_record";
	switch (r->error) {
	case ETIMEDOUT:
		return "timeout";
	case ECONNREFUSED:
		return "refused";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "unreachable";
	}
	if (r->flags & TRAFFIC_SOCKET_RESET_RX)
		return "reset_received";
	if (r->flags & TRAFFIC_SOCKET_RESET_TX)
		return "reset_sent";
	if (r->tuple.transport == TRAFFIC_TCP && r->close_state == STATE_ESTABLISHED)
		return "aborted";
	return "normal";
}

static const char *reset_of(uint32_t flags)
{
	bool tx = flags & TRAFFIC_SOCKET_RESET_TX, rx = flags & TRAFFIC_SOCKET_RESET_RX;

	return tx && rx ? "both" : tx ? "sent" : rx ? "received" : NULL;
}

static const char *state_of(const struct traffic_flow *f)
{
	const struct traffic_socket *r = &f->last;

	if (f->closed)
		return "closed";
	if (r->tuple.transport == TRAFFIC_UDP)
		return "open";
	return r->state < ARRAY_SIZE(state_names) ? state_names[r->state] : NULL;
}

static void put_owner(const struct traffic_state *s, struct weir_builder *b, const struct traffic_proc *p)
{
	if (!p)
		return;
	weir_builder_uint(b, FLOW_PID, p->key.pid);
	if (p->named) {
		weir_builder_text_n(b, FLOW_COMM, p->comm, strnlen(p->comm, sizeof(p->comm)));
		weir_builder_text(b, FLOW_USER, traffic_user_name(s, p->uid));
	}
	put_text(b, FLOW_UNIT, p->id.unit);
	put_text(b, FLOW_CONTAINER_ID, p->id.container_id);
	put_text(b, FLOW_POD_NAME, p->id.pod);
	if (p->container) {
		put_text(b, FLOW_CONTAINER_NAME, p->container->name);
		put_text(b, FLOW_POD_NAME, p->container->pod_name);
		put_text(b, FLOW_POD_NAMESPACE, p->container->pod_namespace);
	}
}

/* The name that was known for the peer when it was first met; of sockets that are older than weir, the newest. */
static void put_peer_name(struct weir_builder *b, const struct traffic_flow *f, const struct weir_addr *peer,
			  uint64_t met_mono_ns)
{
	struct weir_peer p = { .addr = *peer, .at_mono_ns = met_mono_ns, .netns = f->last.tuple.netns,
			       .uid = WEIR_UID_HOST };

	if (f->last.flags & TRAFFIC_SOCKET_SEEDED)
		p.at_mono_ns = 0;
	if (f->proc) {
		p.pid = f->proc->key.pid;
		p.start_ns = f->proc->key.start_ns;
		p.uid = f->proc->uid;
	}
	weir_builder_text(b, FLOW_PEER_NAME, weir_lookup_peer_name(b, &p));
}

static void put_tuple(const struct traffic_state *s, struct weir_builder *b, const struct traffic_flow *f)
{
	const struct traffic_tuple *t = &f->last.tuple;
	struct weir_addr local = { .family = t->family }, peer = { .family = t->family };

	weir_builder_text(b, FLOW_TRANSPORT, traffic_transport_name(t->transport));
	if (!t->family)
		return;
	memcpy(local.bytes, t->local, sizeof(local.bytes));
	memcpy(peer.bytes, t->peer, sizeof(peer.bytes));
	weir_builder_text(b, FLOW_TYPE, t->family == AF_INET ? "ipv4" : "ipv6");
	weir_builder_uint(b, FLOW_NETNS, t->netns);
	weir_builder_address(b, FLOW_LOCAL_ADDRESS, &local);
	weir_builder_uint(b, FLOW_LOCAL_PORT, t->local_port);
	if (!t->peer_port)
		return; /* listening, or not connected */
	weir_builder_address(b, FLOW_PEER_ADDRESS, &peer);
	weir_builder_uint(b, FLOW_PEER_PORT, t->peer_port);
	weir_builder_text(b, FLOW_SCOPE, scope_of(s, &peer));
	put_peer_name(b, f, &peer, f->key.opened_ns);
}

static void put_tcp(struct weir_builder *b, const struct traffic_socket *r)
{
	if (r->role == TRAFFIC_ROLE_LISTENER) {
		weir_builder_uint(b, FLOW_BACKLOG, r->backlog);
		weir_builder_uint(b, FLOW_MAX_BACKLOG, r->max_backlog);
		weir_builder_uint(b, FLOW_LISTEN_DROPS, r->listen_drops);
		return;
	}
	weir_builder_uint(b, FLOW_WIRE_TX_BYTES, r->wire_tx);
	weir_builder_uint(b, FLOW_WIRE_RX_BYTES, r->wire_rx);
	weir_builder_uint(b, FLOW_RETRANSMITS, r->retransmits);
	weir_builder_uint(b, FLOW_RETRANSMITTED_BYTES, r->retransmitted_bytes);
	if (r->timeouts != TRAFFIC_TIMEOUTS_UNKNOWN)
		weir_builder_uint(b, FLOW_TIMEOUTS, r->timeouts);
	if (r->srtt_us)
		weir_builder_uint(b, FLOW_SRTT_US, r->srtt_us);
	if (r->rtt_min_us && r->rtt_min_us != UINT32_MAX)
		weir_builder_uint(b, FLOW_RTT_MIN_US, r->rtt_min_us);
	if (r->cwnd)
		weir_builder_uint(b, FLOW_CWND, r->cwnd);
	if (r->ssthresh && r->ssthresh < SSTHRESH_UNLIMITED)
		weir_builder_uint(b, FLOW_SSTHRESH, r->ssthresh);
	weir_builder_uint(b, FLOW_RCV_WND_BYTES, r->rcv_wnd);
	weir_builder_uint(b, FLOW_RWND_LIMITED_US, r->rwnd_limited_us);
	weir_builder_uint(b, FLOW_SNDBUF_LIMITED_US, r->sndbuf_limited_us);
	weir_builder_uint(b, FLOW_BUSY_US, r->busy_us);
	weir_builder_text(b, FLOW_RESET, reset_of(r->flags));
}

static void put_flow_row(const struct traffic_state *s, struct weir_builder *b, const struct traffic_flow *f)
{
	const struct traffic_socket *r = &f->last;
	static const char *const roles[] = { [TRAFFIC_ROLE_CLIENT] = "client", [TRAFFIC_ROLE_SERVER] = "server",
					     [TRAFFIC_ROLE_LISTENER] = "server" };

	weir_builder_row(b, f->proc ? f->proc->uid : WEIR_UID_HOST, f->changed);
	weir_builder_uint(b, FLOW_COOKIE, f->key.cookie);
	put_owner(s, b, f->proc);
	put_tuple(s, b, f);
	if (r->role < ARRAY_SIZE(roles))
		weir_builder_text(b, FLOW_ROLE, roles[r->role]);
	weir_builder_text(b, FLOW_STATE, state_of(f));
	weir_builder_uint(b, FLOW_TX_BYTES_PER_SECOND, f->rate[TRAFFIC_TX]);
	weir_builder_uint(b, FLOW_RX_BYTES_PER_SECOND, f->rate[TRAFFIC_RX]);
	weir_builder_uint(b, FLOW_BEFORE_TX_BYTES, r->before_tx);
	weir_builder_uint(b, FLOW_BEFORE_RX_BYTES, r->before_rx);
	if (r->snd_buf)
		weir_builder_uint(b, FLOW_SND_BUF_BYTES, r->snd_buf);
	weir_builder_uint(b, FLOW_WMEM_QUEUED_BYTES, f->closed ? 0 : r->wmem_queued);
	if (r->tuple.transport == TRAFFIC_TCP)
		put_tcp(b, r);
	if (r->connect_us)
		weir_builder_uint(b, FLOW_CONNECT_US, r->connect_us);
	weir_builder_time(b, FLOW_FIRST_SEEN, real_time(s, f->first_mono_ns));
	weir_builder_time(b, FLOW_LAST_SEEN, real_time(s, f->last_mono_ns));
	if (f->closed) {
		weir_builder_time(b, FLOW_CLOSED_AT, real_time(s, f->closed_mono_ns));
		weir_builder_text(b, FLOW_CLOSE_REASON, close_reason(f));
	}
	weir_builder_text(b, FLOW_PATH,
			  r->flags & TRAFFIC_SOCKET_BASED && !(r->flags & TRAFFIC_SOCKET_SEEDED) &&
					  (r->hook_tx > r->tcp_tx || r->hook_rx > r->tcp_rx) ?
				  "spliced" :
				  "stack");
}

static void put_peer_row(const struct traffic_state *s, struct weir_builder *b, struct traffic_flow *f,
			 struct traffic_flow_peer *p, uint64_t number)
{
	struct weir_addr peer = { .family = p->key.family };
	uint64_t changed = f->changed;

	if (p->dirty)
		p->changed = number;
	p->dirty = false;
	f->changed = p->changed > f->changed ? p->changed : f->changed;
	put_flow_row(s, b, f);
	f->changed = changed;
	memcpy(peer.bytes, p->key.address, sizeof(peer.bytes));
	weir_builder_address(b, FLOW_PEER_ADDRESS, &peer);
	weir_builder_uint(b, FLOW_PEER_PORT, p->key.port);
	weir_builder_text(b, FLOW_SCOPE, scope_of(s, &peer));
	put_peer_name(b, f, &peer, p->first_mono_ns);
	weir_builder_uint(b, FLOW_TX_BYTES, p->sums.bytes[TRAFFIC_TX]);
	weir_builder_uint(b, FLOW_RX_BYTES, p->sums.bytes[TRAFFIC_RX]);
	weir_builder_uint(b, FLOW_TX_BYTES_PER_SECOND, p->rate[TRAFFIC_TX]);
	weir_builder_uint(b, FLOW_RX_BYTES_PER_SECOND, p->rate[TRAFFIC_RX]);
	weir_builder_time(b, FLOW_FIRST_SEEN, real_time(s, p->first_mono_ns));
	weir_builder_time(b, FLOW_LAST_SEEN, real_time(s, p->last_mono_ns));
}

/* One row; several for UDP without connect(): each peer, and what no peer is known of. */
static void put_flow(const struct traffic_state *s, struct weir_builder *b, struct traffic_flow *f,
		     uint64_t number)
{
	uint64_t tx = f->last.tx, rx = f->last.rx, tx_rate = f->rate[TRAFFIC_TX], rx_rate = f->rate[TRAFFIC_RX];
	struct traffic_flow_peer *p;

	if (f->dirty || (f->proc && f->proc->container_changed == number))
		f->changed = number;
	f->dirty = false;
	LL_FOREACH(f->peers, p) {
		put_peer_row(s, b, f, p, number);
		tx = traffic_ahead(tx, p->sums.bytes[TRAFFIC_TX]);
		rx = traffic_ahead(rx, p->sums.bytes[TRAFFIC_RX]);
		tx_rate = traffic_ahead(tx_rate, p->rate[TRAFFIC_TX]);
		rx_rate = traffic_ahead(rx_rate, p->rate[TRAFFIC_RX]);
	}
	if (f->peers && !tx && !rx)
		return;
	put_flow_row(s, b, f);
	if (f->peers)
		weir_builder_text(b, FLOW_PEER_NAME, "other");
	weir_builder_uint(b, FLOW_TX_BYTES, tx);
	weir_builder_uint(b, FLOW_RX_BYTES, rx);
	weir_builder_uint(b, FLOW_TX_BYTES_PER_SECOND, tx_rate);
	weir_builder_uint(b, FLOW_RX_BYTES_PER_SECOND, rx_rate);
}

/* --- metrics ----------------------------------------------------------------------------------- */

static void put_group_bytes(struct weir_builder *b, uid_t uid, const char *comm, const char *unit,
			    const char *container, const struct traffic_bytes *by, uint64_t number)
{
	for (int t = 0; t < _TRAFFIC_TRANSPORT_MAX; t++) {
		for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++) {
			if (!by[t].bytes[d])
				continue;
			weir_builder_row(b, uid, number);
			weir_builder_text(b, GROUP_PROCESS, comm);
			weir_builder_text(b, GROUP_UNIT, unit);
			weir_builder_text(b, GROUP_CONTAINER, container);
			weir_builder_text(b, GROUP_TRANSPORT, traffic_transport_name((unsigned)t));
			weir_builder_text(b, GROUP_DIRECTION, direction_names[d]);
			weir_builder_uint(b, GROUP_BYTES, by[t].bytes[d]);
		}
	}
}

static void put_groups(const struct traffic_state *s, struct weir_builder *b, uint64_t number)
{
	struct traffic_group *g, *next;

	weir_builder_table(b, &traffic_table_groups);
	HASH_ITER(hh, s->groups, g, next) {
		const char *unit = g->key + strlen(g->key) + 1, *container = unit + strlen(unit) + 1;

		put_group_bytes(b, g->uid, g->key, unit, container, g->by, number);
	}
	put_group_bytes(b, WEIR_UID_HOST, "other", "", "", s->other, number);

	weir_builder_table(b, &traffic_table_health);
	HASH_ITER(hh, s->groups, g, next) {
		const char *unit = g->key + strlen(g->key) + 1, *container = unit + strlen(unit) + 1;

		weir_builder_row(b, g->uid, number);
		weir_builder_text(b, HEALTH_PROCESS, g->key);
		weir_builder_text(b, HEALTH_UNIT, unit);
		weir_builder_text(b, HEALTH_CONTAINER, container);
		weir_builder_uint(b, HEALTH_RETRANSMITS, g->retransmits);
		if (g->srtt_us)
			weir_builder_uint(b, HEALTH_SRTT_US, g->srtt_us);
	}
	if (s->other_retransmits) {
		weir_builder_row(b, WEIR_UID_HOST, number);
		weir_builder_text(b, HEALTH_PROCESS, "other");
		weir_builder_text(b, HEALTH_UNIT, "");
		weir_builder_text(b, HEALTH_CONTAINER, "");
		weir_builder_uint(b, HEALTH_RETRANSMITS, s->other_retransmits);
	}
}

static void keep_slower(uint32_t *slowest, uint32_t srtt_us)
{
	if (*slowest < srtt_us)
		*slowest = srtt_us;
}

/* The round-trip time of a process, and of a group, is that of its slowest open connection: a mean of near and far peers is
 * that of none, and hides the one that is slow. */
static void find_slowest(struct traffic_state *s)
{
	struct traffic_group *g, *g_next;
	struct traffic_proc *p, *p_next;
	struct traffic_flow *f, *f_next;

	HASH_ITER(hh, s->procs, p, p_next) {
		p->srtt_us = 0;
	}
	HASH_ITER(hh, s->groups, g, g_next) {
		g->srtt_us = 0;
	}
	HASH_ITER(hh, s->flows, f, f_next) {
		if (f->closed || !f->proc || !f->last.srtt_us)
			continue;
		keep_slower(&f->proc->srtt_us, f->last.srtt_us);
		if (f->proc->group)
			keep_slower(&f->proc->group->srtt_us, f->last.srtt_us);
	}
}

/* There may be very many, far apart in memory: the next one is fetched while this one is worked on. */
static inline void fetch_flow(const struct traffic_flow *f)
{
	for (size_t at = 0; f && at < sizeof(*f); at += 64)
		__builtin_prefetch((const char *)f + at);
}

void traffic_rows(struct traffic_state *s, struct weir_builder *b, uint64_t number)
{
	struct traffic_proc *p, *p_next;
	struct traffic_flow *f, *f_next;

	traffic_name_groups(s, b);
	find_slowest(s);
	weir_builder_table(b, &traffic_table_processes);
	HASH_ITER(hh, s->procs, p, p_next) {
		put_process(s, b, p, number);
	}
	weir_builder_table(b, &traffic_table_flows);
	HASH_ITER(hh, s->flows, f, f_next) {
		fetch_flow(f_next);
		put_flow(s, b, f, number);
	}
	put_groups(s, b, number);
	s->news = false;
}
