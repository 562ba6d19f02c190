// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/traffic/traffic_state.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "core/snapshot.h"
#include "features/traffic/traffic_rates.h"

#define LOCALS_MAX 65536
#define USERS_MAX 65536
#define UNSEEN_NS (300ull * 1000000000ull) /* many whole sweeps: its last record was lost */
#define PEERS_MAX (4 * TRAFFIC_PEERS_PER_SOCKET) /* several processors may add one at once */

/* --- processes --------------------------------------------------------------------------------- */

struct traffic_proc *traffic_proc_find(const struct traffic_state *s, const struct traffic_key *key)
{
	struct traffic_proc *p;

	HASH_FIND(hh, s->procs, key, sizeof(*key), p);
	return p;
}

static struct traffic_proc *proc_get(struct traffic_state *s, const struct traffic_key *key)
{
	struct traffic_proc *p = traffic_proc_find(s, key);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->key = *key;
	p->uid = WEIR_UID_HOST; /* until it is known, only those who see everything may see it */
	p->first_mono_ns = p->last_mono_ns = p->alive_mono_ns = s->mono_ns;
	p->dirty = true;
	HASH_ADD(hh, s->procs, key, sizeof(p->key), p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	return p;
}

static void proc_free(struct traffic_proc *p)
{
	free(p->exe);
	free(p->cgroup);
	free(p);
}

uint64_t traffic_proc_ip_bytes(const struct traffic_proc *p, int dir)
{
	uint64_t sum = 0;

	for (int t = 0; t < _TRAFFIC_TRANSPORT_MAX; t++)
		if (t != TRAFFIC_UNIX)
			sum += traffic_proc_bytes(p, t, dir);
	return sum;
}

/* --- groups, for metrics ----------------------------------------------------------------------- */

static size_t group_key(const struct traffic_proc *p, char key[static sizeof(((struct traffic_group *)0)->key)])
{
	const char *parts[] = { p->comm, p->id.unit, p->id.container_id };
	size_t n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t len = strnlen(parts[i], i == 0 ? sizeof(p->comm) - 1 : SIZE_MAX);

		memcpy(key + n, parts[i], len);
		n += len;
		key[n++] = 0;
	}
	return n;
}

static void leave_group(struct traffic_proc *p)
{
	if (p->group)
		DL_DELETE2(p->group->members, p, group_prev, group_next);
	p->group = NULL;
}

void traffic_group_to_other(struct traffic_state *s, const struct traffic_group *g)
{
	for (int t = 0; t < _TRAFFIC_TRANSPORT_MAX; t++) {
		for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++) {
			s->other[t].bytes[d] += g->by[t].bytes[d];
			s->other_taken[t].bytes[d] += g->taken[t].bytes[d];
		}
	}
	s->other_retransmits += g->retransmits;
	s->other_grew = true;
	s->regrouped = true;
}

/* Makes room by moving the group that was idle for longest to "other", if that was long: a series that comes back
 * sooner would seem to have fallen. What finds no room counts for "other". */
static bool group_drop_idlest(struct traffic_state *s)
{
	struct traffic_group *g, *next, *idlest = NULL;

	if (s->mono_ns < s->no_room_until_mono_ns)
		return false;
	HASH_ITER(hh, s->groups, g, next) {
		if (!idlest || g->used_mono_ns < idlest->used_mono_ns)
			idlest = g;
	}
	if (!idlest)
		return false;
	s->no_room_until_mono_ns = idlest->used_mono_ns + TRAFFIC_GROUP_IDLE_NS;
	if (s->mono_ns < s->no_room_until_mono_ns)
		return false;
	traffic_group_to_other(s, idlest);
	while (idlest->members)
		leave_group(idlest->members);
	HASH_DEL(s->groups, idlest);
	free(idlest);
	return true;
}

struct traffic_group *traffic_group_get(struct traffic_state *s, const char *key, size_t key_len, uid_t uid)
{
	struct traffic_group *g;

	HASH_FIND(hh, s->groups, key, key_len, g);
	if (g) {
		g->grew |= g->uid != uid && g->uid != WEIR_UID_HOST;
		if (g->uid != uid)
			g->uid = WEIR_UID_HOST;
		return g;
	}
	if (HASH_COUNT(s->groups) >= TRAFFIC_GROUPS_MAX && !group_drop_idlest(s))
		return NULL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->used_mono_ns = s->mono_ns;
	memcpy(g->key, key, key_len);
	g->key_len = key_len;
	g->uid = uid;
	HASH_ADD_KEYPTR(hh, s->groups, g->key, g->key_len, g);
	if (!g->hh.tbl) {
		free(g);
		return NULL;
	}
	return g;
}

static struct traffic_group *group_of(struct traffic_state *s, struct traffic_proc *p)
{
	char key[sizeof(((struct traffic_group *)0)->key)];

	if (p->group)
		return p->group;
	p->group = traffic_group_get(s, key, group_key(p, key), p->uid);
	if (p->group)
		DL_APPEND2(p->group->members, p, group_prev, group_next);
	return p->group;
}

static void group_add(struct traffic_state *s, struct traffic_proc *p, int transport, int dir, uint64_t n)
{
	struct traffic_group *g = group_of(s, p);

	if (!g) {
		s->other[transport].bytes[dir] += n;
		s->other_grew = true;
		return;
	}
	g->by[transport].bytes[dir] += n;
	g->used_mono_ns = s->mono_ns;
	g->grew = true;
}

/* --- records about processes ------------------------------------------------------------------- */

static int set_text(char **to, const char *text)
{
	char *copy;

	if (*to && !strcmp(*to, text))
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

static bool same_process(const struct traffic_proc *p, const struct traffic_process *e)
{
	return p->named && !memcmp(p->comm, e->comm, sizeof(p->comm)) && p->uid == e->uid &&
	       p->netns == e->netns && p->exe && !strcmp(p->exe, e->exe) && p->cgroup &&
	       !strcmp(p->cgroup, e->cgroup);
}

static int apply_process(struct traffic_state *s, const struct traffic_process *e)
{
	struct traffic_proc *p = proc_get(s, &e->key);

	if (!p)
		return -ENOMEM;
	p->alive_mono_ns = s->mono_ns;
	/* One that is ending has no memory and no namespaces any more: what it was stays known. */
	if (same_process(p, e) || (p->named && p->exe && *p->exe && !*e->exe))
		return 0;
	memcpy(p->comm, e->comm, sizeof(p->comm));
	p->parent = e->parent;
	p->uid = e->uid;
	p->netns = e->netns;
	p->named = true;
	p->dirty = true;
	leave_group(p); /* its bytes from now on belong to the new name */
	weir_identity_parse(e->cgroup, &p->id);
	if (set_text(&p->exe, e->exe) < 0 || set_text(&p->cgroup, e->cgroup) < 0)
		return -ENOMEM;
	return 0;
}

static int apply_exit(struct traffic_state *s, const struct traffic_exit *e)
{
	struct traffic_proc *p = proc_get(s, &e->key);

	if (!p)
		return -ENOMEM;
	if (p->exited)
		return 0;
	p->exited = true;
	p->exit_mono_ns = e->at_ns ? e->at_ns : s->mono_ns;
	p->dirty = true;
	s->n_exited++;
	DL_APPEND2(s->exited_first, p, exit_prev, exit_next);
	return 0;
}

static int apply_sums(struct traffic_state *s, const struct traffic_sums_record *e)
{
	struct traffic_proc *p = proc_get(s, &e->key);

	if (!p)
		return -ENOMEM;
	if (!p->named && e->sums.comm[0]) {
		/* Its introduction was lost; the map keeps the name too. */
		memcpy(p->comm, e->sums.comm, sizeof(p->comm));
		p->uid = e->sums.uid;
		p->named = true;
	}
	for (int t = 0; t < _TRAFFIC_TRANSPORT_MAX; t++) {
		for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++) {
			uint64_t now = e->sums.by[t].bytes[d], was = p->in_map[t].bytes[d];

			if (now < was) {
				/* The entry is a new one: the old one went with an engine that died. */
				p->taken[t].bytes[d] += was;
				was = 0;
			}
			if (now != was) {
				group_add(s, p, t, d, now - was);
				if (t != TRAFFIC_UNIX)
					traffic_proc_untold(s, p);
				p->last_mono_ns = s->mono_ns;
				p->dirty = true;
			}
			p->in_map[t].bytes[d] = now;
			if (e->final) {
				if (group_of(s, p))
					p->group->taken[t].bytes[d] += now;
				else
					s->other_taken[t].bytes[d] += now;
				p->taken[t].bytes[d] += now;
				p->in_map[t].bytes[d] = 0;
			}
		}
	}
	p->gone_from_map = e->final;
	return 0;
}

static int apply_user(struct traffic_state *s, const struct traffic_user *e)
{
	struct traffic_username *u;

	HASH_FIND(hh, s->users, &e->uid, sizeof(e->uid), u);
	if (!u) {
		if (HASH_COUNT(s->users) >= USERS_MAX)
			return 0;
		u = calloc(1, sizeof(*u));
		if (!u)
			return -ENOMEM;
		u->uid = e->uid;
		HASH_ADD(hh, s->users, uid, sizeof(u->uid), u);
		if (!u->hh.tbl) {
			free(u);
			return -ENOMEM;
		}
	}
	memcpy(u->name, e->name, sizeof(u->name));
	return 0;
}

const char *traffic_user_name(const struct traffic_state *s, uint32_t uid)
{
	struct traffic_username *u;

	HASH_FIND(hh, s->users, &uid, sizeof(uid), u);
	return u && u->name[0] ? u->name : NULL;
}

/* --- flows ------------------------------------------------------------------------------------- */

struct traffic_flow *traffic_flow_find(const struct traffic_state *s, uint64_t cookie, uint64_t opened_ns)
{
	struct traffic_flow_key key = { cookie, opened_ns };
	struct traffic_flow *f;

	HASH_FIND(hh, s->flows, &key, sizeof(key), f);
	return f;
}

static void flow_free(struct traffic_flow *f)
{
	struct traffic_flow_peer *p, *next;

	LL_FOREACH_SAFE(f->peers, p, next) {
		free(p);
	}
	free(f);
}

static void flow_detach(struct traffic_flow *f)
{
	if (f->proc)
		f->proc->flows--;
	f->proc = NULL;
}

static void flow_set_owner(struct traffic_flow *f, struct traffic_proc *p)
{
	if (f->proc == p)
		return;
	if (f->proc) {
		/* The listener's process or the holder, until another one used it. */
		f->proc->connections_total--;
		f->proc->connections_open -= !f->closed;
		f->proc->dirty = true;
	}
	flow_detach(f);
	f->proc = p;
	if (!p)
		return;
	p->flows++;
	p->connections_total++;
	p->connections_open += !f->closed;
	p->dirty = true;
}

static void flow_close(struct traffic_state *s, struct traffic_flow *f, uint64_t mono_ns)
{
	if (f->closed)
		return;
	f->closed = true;
	f->closed_mono_ns = mono_ns;
	f->dirty = true;
	s->news = true;
	s->n_closed++;
	DL_APPEND2(s->closed_first, f, closed_prev, closed_next);
	if (f->proc) {
		f->proc->connections_open--;
		f->proc->dirty = true;
	}
}

/* A socket that ended its connection is connected again. */
static void flow_reopen(struct traffic_state *s, struct traffic_flow *f)
{
	if (!f->closed)
		return;
	f->closed = false;
	f->closed_mono_ns = 0;
	f->dirty = true;
	s->news = true;
	s->n_closed--;
	DL_DELETE2(s->closed_first, f, closed_prev, closed_next);
	if (f->proc) {
		f->proc->connections_open++;
		f->proc->dirty = true;
	}
}

static void note_local_address(struct traffic_state *s, const struct traffic_tuple *t)
{
	struct traffic_local *l;
	struct weir_addr a = { .family = t->family };

	memcpy(a.bytes, t->local, sizeof(a.bytes));
	HASH_FIND(hh, s->locals, &a, sizeof(a), l);
	if (l || HASH_COUNT(s->locals) >= LOCALS_MAX)
		return;
	l = calloc(1, sizeof(*l));
	if (!l)
		return;
	l->addr = a;
	HASH_ADD(hh, s->locals, addr, sizeof(l->addr), l);
	if (!l->hh.tbl)
		free(l);
}

/* Keeps what an ended socket no longer tells. */
static void keep_known(struct traffic_socket *now, const struct traffic_socket *was)
{
	bool no_tuple = !now->tuple.family || (was->tuple.peer_port && !now->tuple.peer_port);

	if (was->cookie && no_tuple)
		now->tuple = was->tuple;
	if (now->event != TRAFFIC_SOCKET_GONE && now->event != TRAFFIC_SOCKET_CLOSE)
		return;
	if (!now->srtt_us) {
		now->srtt_us = was->srtt_us;
		now->rtt_min_us = was->rtt_min_us;
		now->cwnd = was->cwnd;
		now->ssthresh = was->ssthresh;
		now->rcv_wnd = was->rcv_wnd;
	}
	if (!now->busy_us) {
		now->busy_us = was->busy_us;
		now->rwnd_limited_us = was->rwnd_limited_us;
		now->sndbuf_limited_us = was->sndbuf_limited_us;
	}
	if (now->role == TRAFFIC_ROLE_LISTENER) {
		now->max_backlog = was->max_backlog;
		now->listen_drops = was->listen_drops;
	}
}

static void flow_moves(struct traffic_state *s, struct traffic_flow *f)
{
	if (f->moves)
		return;
	f->moves = true;
	DL_APPEND2(s->moving, f, moving_prev, moving_next);
}

static void flow_rests(struct traffic_state *s, struct traffic_flow *f)
{
	if (!f->moves)
		return;
	f->moves = false;
	DL_DELETE2(s->moving, f, moving_prev, moving_next);
}

static bool flow_ends(const struct traffic_socket *e)
{
	return e->event == TRAFFIC_SOCKET_CLOSE || e->event == TRAFFIC_SOCKET_GONE;
}

/* Unless somebody watches, only the sweep tells that an ended socket was connected again. */
static bool flow_lives(const struct traffic_socket *e)
{
	return e->event == TRAFFIC_SOCKET_OPEN || (e->event == TRAFFIC_SOCKET_SWEEP && e->state != TCP_CLOSE);
}

static int apply_socket(struct traffic_state *s, const struct traffic_socket *e)
{
	struct traffic_flow *f = traffic_flow_find(s, e->cookie, e->opened_ns);
	struct traffic_socket was = {};

	s->consistent = false;
	if (f && f->gone)
		return 0; /* the ring is read before the sweep, so nothing newer can come */
	if (!f) {
		f = calloc(1, sizeof(*f));
		if (!f)
			return -ENOMEM;
		f->key = (struct traffic_flow_key){ e->cookie, e->opened_ns };
		f->first_mono_ns = e->opened_ns ? e->opened_ns : s->mono_ns;
		f->last_mono_ns = e->at_ns;
		HASH_ADD(hh, s->flows, key, sizeof(f->key), f);
		if (!f->hh.tbl) {
			free(f);
			return -ENOMEM;
		}
		s->news = true;
	} else {
		was = f->last;
	}
	if (f->closed && flow_lives(e))
		flow_reopen(s, f);
	f->last = *e;
	keep_known(&f->last, &was);
	f->seen_mono_ns = e->at_ns;
	if (e->tx != was.tx || e->rx != was.rx || e->state != was.state || e->event != TRAFFIC_SOCKET_SWEEP)
		f->last_mono_ns = e->at_ns;
	if (e->tx != was.tx || e->rx != was.rx)
		flow_moves(s, f);
	if (e->tx != was.tx || e->rx != was.rx || e->retransmits != was.retransmits || e->event != TRAFFIC_SOCKET_SWEEP ||
	    !was.cookie)
		traffic_flow_untold(s, f);
	f->dirty = true;
	if (e->owner.start_ns)
		flow_set_owner(f, proc_get(s, &(struct traffic_key){ .start_ns = e->owner.start_ns,
								     .pid = e->owner.pid }));
	if (f->proc && f->last.retransmits > was.retransmits) {
		uint64_t more = f->last.retransmits - was.retransmits;
		struct traffic_group *g = group_of(s, f->proc);

		f->proc->retransmits += more;
		f->proc->dirty = true;
		if (g) {
			g->retransmits += more;
			g->grew = true;
		} else {
			s->other_retransmits += more;
			s->other_grew = true;
		}
	}
	if (f->proc && !was.cookie) {
		f->proc->before[TRAFFIC_TX] += e->before_tx;
		f->proc->before[TRAFFIC_RX] += e->before_rx;
	}
	if (f->last.tuple.family && f->last.tuple.peer_port)
		note_local_address(s, &f->last.tuple);
	if (flow_ends(e))
		flow_close(s, f, e->at_ns);
	f->gone = e->event == TRAFFIC_SOCKET_GONE;
	return 0;
}

static int apply_peer(struct traffic_state *s, const struct traffic_peer_record *e)
{
	struct traffic_flow *f = traffic_flow_find(s, e->key.cookie, e->key.opened_ns);
	struct traffic_flow_peer *p;
	unsigned n = 0;

	if (!f)
		return 0; /* its socket's record was lost or is long over */
	LL_FOREACH(f->peers, p) {
		if (!memcmp(&p->key, &e->key, sizeof(p->key)))
			break;
		n++;
	}
	if (!p && n >= PEERS_MAX)
		return 0; /* the kernel half does not send so many */
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->key = e->key;
		p->first_mono_ns = s->mono_ns;
		LL_PREPEND(f->peers, p);
	}
	p->sums = e->sums;
	flow_moves(s, f);
	p->last_mono_ns = s->mono_ns;
	p->dirty = true;
	f->dirty = true;
	traffic_flow_untold(s, f);
	return 0;
}

/* On a host so busy that no look is ever whole: what so many looks in a row did not find is not there. */
#define LOOKS_MISSED 10

/* Everything was looked at: what was not seen is gone, its record was lost. */
static void apply_swept(struct traffic_state *s, const struct traffic_swept *e)
{
	struct traffic_flow *f, *next;
	struct traffic_proc *p, *p_next;

	HASH_ITER(hh, s->procs, p, p_next) {
		struct traffic_exit exit = { .key = p->key, .at_ns = e->began_ns };

		if (e->names && !p->exited && p->alive_mono_ns < e->began_ns)
			apply_exit(s, &exit);
	}

	if (!e->full)
		return;
	HASH_ITER(hh, s->flows, f, next) {
		if (f->gone || f->seen_mono_ns >= e->began_ns) {
			f->missed = 0;
			continue;
		}
		if (e->full == TRAFFIC_SWEPT_NOT_SURELY && ++f->missed < LOOKS_MISSED)
			continue;
		f->lost_record = true;
		f->gone = true;
		flow_close(s, f, e->began_ns);
	}
}

int traffic_state_apply(struct traffic_state *s, uint64_t mono_ns, const union traffic_event *e)
{
	s->mono_ns = mono_ns;
	switch ((enum traffic_record)e->head.type) {
	case TRAFFIC_RECORD_PROCESS:
		return apply_process(s, &e->process);
	case TRAFFIC_RECORD_EXIT:
		return apply_exit(s, &e->exit);
	case TRAFFIC_RECORD_SOCKET:
		return apply_socket(s, &e->socket);
	case TRAFFIC_RECORD_SUMS:
		return apply_sums(s, &e->sums);
	case TRAFFIC_RECORD_PEER:
		return apply_peer(s, &e->peer);
	case TRAFFIC_RECORD_SWEPT:
		apply_swept(s, &e->swept);
		return 0;
	case TRAFFIC_RECORD_USER:
		return apply_user(s, &e->user);
	case TRAFFIC_RECORD_TOTALS:
		s->totals = e->totals;
		s->consistent = true;
		return 0;
	case TRAFFIC_RECORD_CARRIED:
		traffic_carried_apply(s, &e->carried);
		return 0;
	case _TRAFFIC_RECORD_MAX:
		break;
	}
	return -EBADMSG;
}

/* --- time -------------------------------------------------------------------------------------- */

/* Of a UDP socket without connect(), each peer's. Whether one of them has a rate. */
static bool update_peers(struct traffic_flow *f, uint64_t ns)
{
	struct traffic_flow_peer *p;
	bool moves = false;

	LL_FOREACH(f->peers, p) {
		const uint64_t now[] = { p->sums.bytes[TRAFFIC_TX], p->sums.bytes[TRAFFIC_RX] };

		p->dirty |= traffic_rates_update(p->rate, p->tick_bytes, now, ns);
		f->dirty |= p->dirty;
		moves |= p->rate[TRAFFIC_TX] || p->rate[TRAFFIC_RX];
	}
	return moves;
}

static void drop_flow(struct traffic_state *s, struct traffic_flow *f)
{
	traffic_audit_flow(&s->folded, f);
	flow_detach(f);
	flow_rests(s, f);
	traffic_flow_forget(s, f);
	DL_DELETE2(s->closed_first, f, closed_prev, closed_next);
	s->n_closed--;
	HASH_DEL(s->flows, f);
	flow_free(f);
}

/* While a program holds an ended socket the sweep tells of it, and it would come back as a new one. */
static bool flow_is_over(const struct traffic_flow *f, uint64_t mono_ns)
{
	return f->gone || (mono_ns > f->seen_mono_ns && mono_ns - f->seen_mono_ns > UNSEEN_NS);
}

static void drop_old_flows(struct traffic_state *s, uint64_t mono_ns)
{
	struct traffic_flow *f, *next;

	DL_FOREACH_SAFE2(s->closed_first, f, next, closed_next) {
		bool old = mono_ns - f->closed_mono_ns > TRAFFIC_CLOSED_KEPT_NS && mono_ns > f->closed_mono_ns;

		if (!old && s->n_closed <= TRAFFIC_CLOSED_MAX)
			break;
		if (flow_is_over(f, mono_ns))
			drop_flow(s, f);
	}
}

/* Unless history is asked for in this run, nobody ever comes for what was not told. */
static bool waits_for_history(const struct traffic_state *s, const struct traffic_proc *p)
{
	return p->untold && s->given_since_ns;
}

static void drop_old_procs(struct traffic_state *s, uint64_t mono_ns)
{
	struct traffic_proc *p, *next;
	unsigned over = s->n_exited > TRAFFIC_EXITED_MAX ? s->n_exited - TRAFFIC_EXITED_MAX : 0;

	DL_FOREACH_SAFE2(s->exited_first, p, next, exit_next) {
		bool old = mono_ns > p->exit_mono_ns && mono_ns - p->exit_mono_ns > TRAFFIC_EXITED_KEPT_NS;

		if (!old && !over)
			break;
		if (p->flows || !p->gone_from_map || (waits_for_history(s, p) && !over))
			continue;
		if (waits_for_history(s, p))
			traffic_proc_fold(s, p);
		traffic_proc_forget(s, p);
		for (int t = 0; t < _TRAFFIC_TRANSPORT_MAX; t++)
			for (int d = 0; d < _TRAFFIC_DIRECTION_MAX; d++)
				s->dropped_procs[t].bytes[d] += traffic_proc_bytes(p, t, d);
		DL_DELETE2(s->exited_first, p, exit_prev, exit_next);
		s->n_exited--;
		over -= over > 0;
		leave_group(p);
		HASH_DEL(s->procs, p);
		proc_free(p);
	}
}

/* Measured anew at each tick the distance of the clocks would tremble, and all times with it; it changes when the
 * calendar was set. */
static void set_calendar(struct traffic_state *s, uint64_t real_minus_mono_ns)
{
	int64_t off = (int64_t)(real_minus_mono_ns - s->real_minus_mono_ns);

	if (off < -TRAFFIC_CLOCK_STEP_NS || off > TRAFFIC_CLOCK_STEP_NS)
		s->real_minus_mono_ns = real_minus_mono_ns;
}

void traffic_state_tick(struct traffic_state *s, uint64_t mono_ns, uint64_t real_ns)
{
	uint64_t ns = s->tick_mono_ns ? mono_ns - s->tick_mono_ns : 0;
	struct traffic_proc *p, *p_next;
	struct traffic_flow *f, *f_next;

	s->mono_ns = mono_ns;
	set_calendar(s, real_ns - mono_ns);
	HASH_ITER(hh, s->procs, p, p_next) {
		const uint64_t now[] = { traffic_proc_ip_bytes(p, TRAFFIC_TX),
					 traffic_proc_ip_bytes(p, TRAFFIC_RX) };

		p->dirty |= traffic_rates_update(p->rate, p->tick_bytes, now, ns);
	}
	DL_FOREACH_SAFE2(s->moving, f, f_next, moving_next) {
		const uint64_t now[] = { f->last.tx, f->last.rx };
		bool peers_move = update_peers(f, ns);

		f->dirty |= traffic_rates_update(f->rate, f->tick_bytes, now, ns);
		if (!f->rate[TRAFFIC_TX] && !f->rate[TRAFFIC_RX] && !peers_move)
			flow_rests(s, f);
	}
	s->tick_mono_ns = mono_ns;
	drop_old_flows(s, mono_ns);
	drop_old_procs(s, mono_ns);
}

/* --- the whole --------------------------------------------------------------------------------- */

struct traffic_state *traffic_state_new(void)
{
	return calloc(1, sizeof(struct traffic_state));
}

struct traffic_state *traffic_state_free(struct traffic_state *s)
{
	struct traffic_username *u, *u_next;
	struct traffic_local *l, *l_next;
	struct traffic_group *g, *g_next;
	struct traffic_proc *p, *p_next;
	struct traffic_flow *f, *f_next;

	if (!s)
		return NULL;
	HASH_ITER(hh, s->flows, f, f_next) {
		HASH_DEL(s->flows, f);
		flow_free(f);
	}
	HASH_ITER(hh, s->procs, p, p_next) {
		HASH_DEL(s->procs, p);
		proc_free(p);
	}
	HASH_ITER(hh, s->groups, g, g_next) {
		HASH_DEL(s->groups, g);
		free(g);
	}
	traffic_given_free(s->given);
	HASH_ITER(hh, s->locals, l, l_next) {
		HASH_DEL(s->locals, l);
		free(l);
	}
	HASH_ITER(hh, s->users, u, u_next) {
		HASH_DEL(s->users, u);
		free(u);
	}
	free(s);
	return NULL;
}
