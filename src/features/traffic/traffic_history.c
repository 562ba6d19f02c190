// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "core/history.h"
#include "core/lookup.h"
#include "core/snapshot.h"
#include "features/traffic/traffic_state.h"

/* What moved since it was asked last, for history. A process's own sums are its program's; flows, and the peers of sockets
 * without connect(), say with whom. What moved stands in two lists, so what did not costs nothing; and where very many flows
 * move, each is told once in some seconds, with all it moved meanwhile. */

#define SETTLE_NS (120ull * 1000000000ull) /* after that nothing of an earlier engine turns up any more */
#define LISTENING_EVENTS_MAX 16            /* of one second */
#define PORT_OF_CLIENTS 32768
#define FLOWS_PER_VISIT 8192 /* about ten milliseconds; where more move, those that wait longest come first */

struct traffic_telling {
	struct traffic_state *s;
	struct weir_history_sink *sink;
	unsigned listening, flows;
};

/* --- the lists --------------------------------------------------------------------------------- */

void traffic_proc_untold(struct traffic_state *s, struct traffic_proc *p)
{
	if (p->untold)
		return;
	p->untold = true;
	DL_APPEND2(s->untold, p, untold_prev, untold_next);
}

static void proc_told(struct traffic_state *s, struct traffic_proc *p)
{
	p->untold = false;
	DL_DELETE2(s->untold, p, untold_prev, untold_next);
}

void traffic_flow_untold(struct traffic_state *s, struct traffic_flow *f)
{
	if (f->untold)
		return;
	f->untold = true;
	DL_APPEND2(s->untold_flows, f, untold_prev, untold_next);
}

static void flow_told(struct traffic_state *s, struct traffic_flow *f)
{
	f->untold = false;
	DL_DELETE2(s->untold_flows, f, untold_prev, untold_next);
}

void traffic_proc_forget(struct traffic_state *s, struct traffic_proc *p)
{
	if (p->untold)
		proc_told(s, p);
	if (s->given)
		traffic_given_drop(&s->given->procs, p->given_place);
}

/* What history was not told of it is in its process's sums all the same. */
void traffic_flow_forget(struct traffic_state *s, struct traffic_flow *f)
{
	struct traffic_flow_peer *p;

	if (f->untold)
		flow_told(s, f);
	if (!s->given)
		return;
	LL_FOREACH(f->peers, p) {
		traffic_given_drop(&s->given->peers, p->given_place);
	}
	traffic_given_drop(&s->given->flows, f->given_place);
}

/* --- what an engine before has given ------------------------------------------------------------ */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Whether nobody knows how much of it was given: there was no room to keep that. */
static bool is_lost(const struct traffic_given *g, uint64_t began_ns)
{
	return g->memory->full && g->before_ns && began_ns < g->before_ns;
}

static void know_proc(struct traffic_given *g, struct traffic_proc *p)
{
	const struct traffic_given_proc *before;
	bool found;

	if (p->given_known)
		return;
	p->given_known = true;
	p->given_place = traffic_given_find(g, &g->procs, &p->key, &found);
	before = found ? traffic_given_at(&g->procs, p->given_place) : NULL;
	for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++) {
		uint64_t now = traffic_proc_ip_bytes(p, d);

		p->given[d] = before ? least(before->bytes[d], now) : is_lost(g, p->key.start_ns) ? now : 0;
	}
}

static void know_flow(struct traffic_given *g, struct traffic_flow *f)
{
	const struct traffic_given_flow *before;
	bool found, seeded = f->last.flags & TRAFFIC_SOCKET_SEEDED;

	if (f->given_known)
		return;
	f->given_known = true;
	f->given_place = traffic_given_find(g, &g->flows, &f->key, &found);
	before = found ? traffic_given_at(&g->flows, f->given_place) : NULL;
	f->given.key = f->key;
	if (before) {
		f->given = *before;
		f->given.bytes[TRAFFIC_TX] = least(before->bytes[TRAFFIC_TX], f->last.tx);
		f->given.bytes[TRAFFIC_RX] = least(before->bytes[TRAFFIC_RX], f->last.rx);
	} else if (is_lost(g, f->key.opened_ns)) {
		f->given.bytes[TRAFFIC_TX] = f->last.tx;
		f->given.bytes[TRAFFIC_RX] = f->last.rx;
		seeded = true;
	}
	if (!before && seeded) { /* what was before weir is not its to tell */
		f->given.retransmits = f->last.retransmits;
		f->given.opened = true;
	}
}

static void know_peer(struct traffic_given *g, struct traffic_flow_peer *p)
{
	const struct traffic_given_peer *before;
	bool found;

	if (p->given_known)
		return;
	p->given_known = true;
	p->given_place = traffic_given_find(g, &g->peers, &p->key, &found);
	before = found ? traffic_given_at(&g->peers, p->given_place) : NULL;
	for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++) {
		uint64_t now = p->sums.bytes[d];

		p->given[d] = before ? least(before->bytes[d], now) : is_lost(g, p->key.opened_ns) ? now : 0;
	}
}

/* --- who --------------------------------------------------------------------------------------- */

static void fill_program(const struct traffic_state *s, const struct weir_history_sink *sink, const struct traffic_proc *p,
			 struct weir_history_program *ret)
{
	*ret = (struct weir_history_program){ .uid = WEIR_UID_HOST };
	if (!p || !p->named)
		return;
	ret->comm = p->comm;
	ret->exe = p->exe;
	ret->uid = p->uid;
	ret->user = traffic_user_name(s, p->uid);
	weir_history_place(sink, &p->id, ret);
}

bool traffic_program(void *state, const struct weir_history_sink *sink, uint32_t pid, uint64_t start_ns,
		     struct weir_history_program *ret)
{
	const struct traffic_proc *p = traffic_proc_find(state, &(struct traffic_key){ .pid = pid, .start_ns = start_ns });

	if (!p || !p->named)
		return false;
	fill_program(state, sink, p, ret);
	return true;
}

/* Its name comes soon; that of one that has ended comes no more. */
static bool is_named_soon(const struct traffic_proc *p)
{
	return p && !p->named && !p->exited;
}

static bool is_server(const struct traffic_flow *f, uint16_t peer_port)
{
	switch (f->last.role) {
	case TRAFFIC_ROLE_SERVER:
	case TRAFFIC_ROLE_LISTENER:
		return true;
	case TRAFFIC_ROLE_CLIENT:
		return f->last.tuple.transport == TRAFFIC_UDP && f->last.tuple.local_port < PORT_OF_CLIENTS &&
		       peer_port >= PORT_OF_CLIENTS && f->peers;
	}
	return f->last.tuple.local_port < PORT_OF_CLIENTS && peer_port >= PORT_OF_CLIENTS;
}

/* --- flows ------------------------------------------------------------------------------------- */

static void fill_peer(struct traffic_telling *t, const struct traffic_flow *f, const uint8_t address[16], uint16_t port,
		      uint8_t family, uint64_t met_ns, struct weir_history_sample *ret)
{
	bool server = is_server(f, port);
	struct weir_peer peer = { .addr.family = family, .netns = f->last.tuple.netns, .uid = WEIR_UID_HOST,
				  .at_mono_ns = f->last.flags & TRAFFIC_SOCKET_SEEDED ? 0 : met_ns };

	ret->transport = traffic_transport_name(f->last.tuple.transport);
	ret->role = server ? "server" : "client";
	ret->port = server ? f->last.tuple.local_port : port;
	if (!address) {
		ret->peer_name = "other";
		return;
	}
	memcpy(peer.addr.bytes, address, sizeof(peer.addr.bytes));
	ret->peer_address = peer.addr;
	if (f->proc) {
		peer.pid = f->proc->key.pid;
		peer.start_ns = f->proc->key.start_ns;
		peer.uid = f->proc->uid;
	}
	ret->peer_name = weir_history_peer_name(t->sink, &peer);
}

/* Whether its being opened is one connection more. */
static bool is_connection(const struct traffic_flow *f)
{
	return !(f->last.flags & TRAFFIC_SOCKET_SEEDED) && f->last.role != TRAFFIC_ROLE_LISTENER && f->last.tuple.peer_port &&
	       f->last.tuple.transport != TRAFFIC_OTHER;
}

static bool is_empty(const struct weir_history_sample *sample)
{
	return !sample->tx_bytes && !sample->rx_bytes && !sample->connections && !sample->retransmits;
}

/* Puts the sample unless there is nothing in it. What was given is kept first: an engine that ends here gave too little, not
 * twice. */
static void give_flow(struct traffic_telling *t, struct traffic_flow *f, struct weir_history_sample *sample, uint64_t *given)
{
	f->given.bytes[TRAFFIC_TX] += sample->tx_bytes;
	f->given.bytes[TRAFFIC_RX] += sample->rx_bytes;
	if (given) {
		given[TRAFFIC_TX] += sample->tx_bytes;
		given[TRAFFIC_RX] += sample->rx_bytes;
	}
	if (f->given_place)
		memcpy(traffic_given_at(&t->s->given->flows, f->given_place), &f->given, sizeof(f->given));
	if (!is_empty(sample))
		t->sink->sample(t->sink, sample);
}

static uint64_t more(uint64_t now, uint64_t given)
{
	return now > given ? now - given : 0;
}

static void tell_peers(struct traffic_telling *t, struct traffic_flow *f, const struct weir_history_program *program)
{
	struct traffic_flow_peer *p;

	LL_FOREACH(f->peers, p) {
		struct weir_history_sample sample = { .kind = WEIR_HISTORY_PEER, .program = *program };

		know_peer(t->s->given, p);
		sample.tx_bytes = more(p->sums.bytes[TRAFFIC_TX], p->given[TRAFFIC_TX]);
		sample.rx_bytes = more(p->sums.bytes[TRAFFIC_RX], p->given[TRAFFIC_RX]);
		if (!sample.tx_bytes && !sample.rx_bytes)
			continue;
		fill_peer(t, f, p->key.address, p->key.port, p->key.family, p->first_mono_ns, &sample);
		if (p->given_place)
			memcpy(((struct traffic_given_peer *)traffic_given_at(&t->s->given->peers, p->given_place))->bytes,
			       p->sums.bytes, sizeof(p->sums.bytes));
		give_flow(t, f, &sample, p->given);
	}
}

/* Of no peer that is known. A peer's sum is read after its socket's: what is not there yet comes with the next look, so
 * only what waited since the look before counts. True: some waits. */
static bool tell_nobody(struct traffic_telling *t, struct traffic_flow *f, const struct weir_history_program *program)
{
	struct weir_history_sample sample = { .kind = WEIR_HISTORY_PEER, .program = *program };
	uint64_t tx = more(f->last.tx, f->given.bytes[TRAFFIC_TX]), rx = more(f->last.rx, f->given.bytes[TRAFFIC_RX]);

	sample.tx_bytes = least(tx, f->nobody[TRAFFIC_TX]);
	sample.rx_bytes = least(rx, f->nobody[TRAFFIC_RX]);
	f->nobody[TRAFFIC_TX] = tx - sample.tx_bytes;
	f->nobody[TRAFFIC_RX] = rx - sample.rx_bytes;
	if (sample.tx_bytes || sample.rx_bytes) {
		fill_peer(t, f, NULL, 0, 0, 0, &sample);
		give_flow(t, f, &sample, NULL);
	}
	return f->nobody[TRAFFIC_TX] || f->nobody[TRAFFIC_RX];
}

static void tell_listening(struct traffic_telling *t, struct traffic_flow *f)
{
	char address[WEIR_ADDR_TEXT], summary[160];
	struct weir_addr a = { .family = f->last.tuple.family };
	const struct traffic_proc *p = f->proc;
	bool new = !f->given.opened;

	f->given.opened = true;
	give_flow(t, f, &(struct weir_history_sample){ .kind = WEIR_HISTORY_PEER }, NULL);
	if (!new || !p || !p->named || f->closed || t->listening++ >= LISTENING_EVENTS_MAX)
		return;
	memcpy(a.bytes, f->last.tuple.local, sizeof(a.bytes));
	weir_addr_format(&a, address);
	snprintf(summary, sizeof(summary), strchr(address, ':') ? "%s listens on [%s]:%u" : "%s listens on %s:%u", p->comm, address,
		 f->last.tuple.local_port);
	t->sink->event(t->sink, &(struct weir_history_event){ .kind = WEIR_HISTORY_LISTENING, .program = p->comm, .uid = p->uid,
							      .summary = summary });
}

/* True: all was told. */
static bool tell_connection(struct traffic_telling *t, struct traffic_flow *f)
{
	struct weir_history_sample sample = { .kind = WEIR_HISTORY_PEER };
	bool opens = !f->given.opened && is_connection(f);

	fill_program(t->s, t->sink, f->proc, &sample.program);
	sample.connections = opens;
	sample.retransmits = more(f->last.retransmits, f->given.retransmits);
	f->given.opened |= opens;
	f->given.retransmits += (uint32_t)sample.retransmits;
	if (f->proc && (sample.connections || sample.retransmits)) {
		f->proc->new_connections += (uint32_t)sample.connections;
		f->proc->new_retransmits += (uint32_t)sample.retransmits;
		traffic_proc_untold(t->s, f->proc);
	}
	if (!f->peers && f->last.tuple.peer_port) {
		sample.tx_bytes = more(f->last.tx, f->given.bytes[TRAFFIC_TX]);
		sample.rx_bytes = more(f->last.rx, f->given.bytes[TRAFFIC_RX]);
	}
	if (!is_empty(&sample)) {
		if (f->last.tuple.peer_port)
			fill_peer(t, f, f->last.tuple.peer, f->last.tuple.peer_port, f->last.tuple.family, f->key.opened_ns,
				  &sample);
		else
			fill_peer(t, f, NULL, 0, 0, 0, &sample);
		give_flow(t, f, &sample, NULL);
	}
	if (!f->peers && f->last.tuple.peer_port)
		return true;
	tell_peers(t, f, &sample.program);
	return !tell_nobody(t, f, &sample.program);
}

static void tell_flow(struct traffic_telling *t, struct traffic_flow *f)
{
	bool over = true;

	if (is_named_soon(f->proc))
		return;
	t->flows++;
	if (f->last.tuple.transport != TRAFFIC_UNIX) {
		know_flow(t->s->given, f);
		if (f->last.role == TRAFFIC_ROLE_LISTENER)
			tell_listening(t, f);
		else
			over = tell_connection(t, f);
	}
	if (over)
		flow_told(t->s, f);
}

/* --- processes --------------------------------------------------------------------------------- */

/* What it did since it was given last; from here on that is given. */
static void take_proc(struct traffic_state *s, struct traffic_proc *p, struct weir_history_sample *ret)
{
	uint64_t now[_TRAFFIC_DIRECTION_MAX];

	know_proc(s->given, p);
	for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++)
		now[d] = traffic_proc_ip_bytes(p, d);
	ret->tx_bytes = more(now[TRAFFIC_TX], p->given[TRAFFIC_TX]);
	ret->rx_bytes = more(now[TRAFFIC_RX], p->given[TRAFFIC_RX]);
	ret->connections = p->new_connections;
	ret->retransmits = p->new_retransmits;
	memcpy(p->given, now, sizeof(p->given));
	p->new_connections = p->new_retransmits = 0;
	if (p->given_place)
		memcpy(((struct traffic_given_proc *)traffic_given_at(&s->given->procs, p->given_place))->bytes, now, sizeof(now));
	proc_told(s, p);
}

static void tell_proc(struct traffic_telling *t, struct traffic_proc *p)
{
	struct weir_history_sample sample = { .kind = WEIR_HISTORY_PROGRAM };

	if (is_named_soon(p))
		return;
	take_proc(t->s, p, &sample);
	if (is_empty(&sample))
		return;
	fill_program(t->s, t->sink, p, &sample.program);
	t->sink->sample(t->sink, &sample);
}

void traffic_proc_fold(struct traffic_state *s, struct traffic_proc *p)
{
	struct weir_history_sample sample = {};

	take_proc(s, p, &sample);
	s->untold_bytes[TRAFFIC_TX] += sample.tx_bytes;
	s->untold_bytes[TRAFFIC_RX] += sample.rx_bytes;
	s->untold_connections += sample.connections;
	s->untold_retransmits += sample.retransmits;
}

static void tell_folded(struct traffic_telling *t)
{
	struct traffic_state *s = t->s;
	const struct weir_history_sample sample = { .kind = WEIR_HISTORY_PROGRAM,
						    .program.uid = WEIR_UID_HOST,
						    .tx_bytes = s->untold_bytes[TRAFFIC_TX],
						    .rx_bytes = s->untold_bytes[TRAFFIC_RX],
						    .connections = s->untold_connections,
						    .retransmits = s->untold_retransmits };

	if (is_empty(&sample))
		return;
	memset(s->untold_bytes, 0, sizeof(s->untold_bytes));
	s->untold_connections = s->untold_retransmits = 0;
	t->sink->sample(t->sink, &sample);
}

void traffic_history(void *state, struct weir_history_sink *sink)
{
	struct traffic_state *s = state;
	struct traffic_telling t = { s, sink };
	struct traffic_flow *f, *f_next;
	struct traffic_proc *p, *p_next;

	if (!s->given && traffic_given_open(NULL, &s->given) < 0)
		return; /* no memory now: it all waits */
	if (!s->given_since_ns)
		s->given_since_ns = s->mono_ns ? s->mono_ns : 1;
	DL_FOREACH_SAFE2(s->untold_flows, f, f_next, untold_next) {
		if (t.flows == FLOWS_PER_VISIT)
			break;
		tell_flow(&t, f);
	}
	DL_FOREACH_SAFE2(s->untold, p, p_next, untold_next) {
		tell_proc(&t, p);
	}
	tell_folded(&t);
	s->given->memory->visited_ns = s->mono_ns;
	if (s->mono_ns - s->given_since_ns > SETTLE_NS)
		traffic_given_settle(s->given);
}
