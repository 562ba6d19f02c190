// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "core/snapshot.h"
#include "store/store_private.h"

/* Who did how much in a span: programs, peers, losses. */

/* What found no room of its own. Who may not see all is told that there is some, and not how much: part of it may be
 * his, and nobody knows which. */
static const char other[] = "other";

static void widened(struct store_asked *a, uint64_t from, uint64_t to)
{
	a->span->from_ns = from * STORE_NS;
	a->span->to_ns = to * STORE_NS;
	a->span->step_ns = store_level_width[store_cover_finest(&a->reach, from)] * STORE_NS;
}

static const char *name_of_container(const struct weir_history_program *p)
{
	return p->container_name ? p->container_name : p->container_id;
}

typedef void (*row_fill)(struct store_asked *a, const struct store_entry *e,
			 const struct store_subject *x, const struct weir_history_program *p,
			 const struct weir_history_sample *t);

/* Each entry as a row, with the texts of its subject and of its subject's program. */
static int fill_rows(struct store_asked *a, enum store_column column, row_fill fill)
{
	struct store_text text = { 0 }, program = { 0 };
	struct store_sums sums = { 0 };
	uint64_t from = a->from, to = a->to;
	int r = store_asked_sums(a, column, &from, &to, &sums);

	if (r == 0)
		r = store_sums_cap(&sums, STORE_ROWS_MAX, column - STORE_PROGRAMS);
	if (r == 0 && a->unknown && !store_sums_at(&sums, column - STORE_PROGRAMS))
		r = -ENOMEM;
	store_sums_sort(&sums);
	for (size_t i = 0; r == 0 && i < sums.n; i++) {
		const struct store_entry *e = &sums.entries[i];
		const struct store_subject *x = store_subjects_by_id(&a->s->subjects, e->id);
		const struct weir_history_program *p = NULL;
		bool known = false;

		if (x) {
			r = store_text_get(a->s, &text, e->id);
			known = r == 0;
			p = known && x->kind == WEIR_HISTORY_PROGRAM ? &text.sample.program : NULL;
		}
		if (known && x->program) {
			r = store_text_get(a->s, &program, x->program);
			p = r == 0 ? &program.sample.program : NULL;
		}
		if (r == -ENOENT)
			r = 0;
		if (r == 0)
			fill(a, e, known ? x : NULL, p, known ? &text.sample : NULL);
		if (i % 64 == 0 && store_asked_late(a->s))
			r = -ETIMEDOUT;
	}
	widened(a, from, to);
	store_text_done(&text);
	store_text_done(&program);
	store_sums_done(&sums);
	return r;
}

/* --- programs -------------------------------------------------------------------------------- */

static void fill_program(struct store_asked *a, const struct store_entry *e,
			 const struct store_subject *x, const struct weir_history_program *p,
			 const struct weir_history_sample *t)
{
	struct weir_builder *b = a->b;

	(void)t;
	weir_builder_row(b, x ? x->uid : store_asked_owner(a), 1);
	weir_builder_text(b, HISTORY_PROGRAM, p ? p->comm : other);
	if (!x && a->unknown)
		return;
	weir_builder_uint(b, HISTORY_TX_BYTES, e->tx);
	weir_builder_uint(b, HISTORY_RX_BYTES, e->rx);
	weir_builder_uint(b, HISTORY_CONNECTIONS, e->connections);
	weir_builder_uint(b, HISTORY_RETRANSMITS, e->retransmits);
	weir_builder_uint(b, HISTORY_LOST_PACKETS, e->packets);
	if (!x || !p)
		return;
	weir_builder_text(b, HISTORY_EXE, p->exe);
	weir_builder_uint(b, HISTORY_UID, x->uid);
	weir_builder_text(b, HISTORY_USER, p->user);
	weir_builder_text(b, HISTORY_UNIT, p->unit);
	weir_builder_text(b, HISTORY_CONTAINER_ID, p->container_id);
	weir_builder_text(b, HISTORY_CONTAINER_NAME, p->container_name);
	weir_builder_text(b, HISTORY_POD_NAME, p->pod_name);
	weir_builder_text(b, HISTORY_POD_NAMESPACE, p->pod_namespace);
	weir_builder_uint(b, HISTORY_TX_MAX, e->tx_max);
	weir_builder_uint(b, HISTORY_RX_MAX, e->rx_max);
	weir_builder_time(b, HISTORY_FIRST_SEEN, x->first_seen * STORE_NS);
	weir_builder_time(b, HISTORY_LAST_SEEN, x->last_seen * STORE_NS);
	weir_builder_bool(b, HISTORY_NEW, x->first_seen >= a->from && x->first_seen < a->to);
}

int store_answer_programs(struct store_asked *a)
{
	return fill_rows(a, STORE_PROGRAMS, fill_program);
}

/* --- peers ----------------------------------------------------------------------------------- */

static void fill_peer(struct store_asked *a, const struct store_entry *e,
		      const struct store_subject *x, const struct weir_history_program *p,
		      const struct weir_history_sample *t)
{
	struct weir_builder *b = a->b;

	weir_builder_row(b, x ? x->uid : store_asked_owner(a), 1);
	weir_builder_text(b, HISTORY_PEERS_PROGRAM, p ? p->comm : x ? NULL : other);
	if (!x && a->unknown)
		return;
	weir_builder_uint(b, HISTORY_PEERS_TX_BYTES, e->tx);
	weir_builder_uint(b, HISTORY_PEERS_RX_BYTES, e->rx);
	weir_builder_uint(b, HISTORY_PEERS_CONNECTIONS, e->connections);
	weir_builder_uint(b, HISTORY_PEERS_RETRANSMITS, e->retransmits);
	if (!x)
		return;
	if (p) {
		weir_builder_uint(b, HISTORY_PEERS_UID, x->uid);
		weir_builder_text(b, HISTORY_PEERS_USER, p->user);
		weir_builder_text(b, HISTORY_PEERS_UNIT, p->unit);
		weir_builder_text(b, HISTORY_PEERS_CONTAINER_NAME, name_of_container(p));
	}
	weir_builder_text(b, HISTORY_PEERS_ROLE, t->role);
	weir_builder_text(b, HISTORY_PEERS_TRANSPORT, t->transport);
	weir_builder_text(b, HISTORY_PEERS_PEER_NAME, t->peer_name);
	if (t->peer_address.family)
		weir_builder_address(b, HISTORY_PEERS_PEER_ADDRESS, &t->peer_address);
	if (t->port)
		weir_builder_uint(b, HISTORY_PEERS_PORT, t->port);
	weir_builder_time(b, HISTORY_PEERS_FIRST_SEEN, x->first_seen * STORE_NS);
	weir_builder_time(b, HISTORY_PEERS_LAST_SEEN, x->last_seen * STORE_NS);
}

int store_answer_peers(struct store_asked *a)
{
	return fill_rows(a, STORE_PEERS, fill_peer);
}

/* --- losses ---------------------------------------------------------------------------------- */

static void fill_loss(struct store_asked *a, const struct store_entry *e,
		      const struct store_subject *x, const struct weir_history_program *p,
		      const struct weir_history_sample *t)
{
	struct weir_builder *b = a->b;

	weir_builder_row(b, x ? x->uid : store_asked_owner(a), 1);
	if (!x)
		weir_builder_text(b, HISTORY_LOSSES_PROGRAM, other);
	if (!x && a->unknown)
		return;
	weir_builder_uint(b, HISTORY_LOSSES_PACKETS, e->packets);
	if (!x)
		return;
	if (p) {
		weir_builder_text(b, HISTORY_LOSSES_PROGRAM, p->comm);
		weir_builder_uint(b, HISTORY_LOSSES_UID, x->uid);
		weir_builder_text(b, HISTORY_LOSSES_USER, p->user);
		weir_builder_text(b, HISTORY_LOSSES_UNIT, p->unit);
		weir_builder_text(b, HISTORY_LOSSES_CONTAINER_NAME, name_of_container(p));
	}
	weir_builder_text(b, HISTORY_LOSSES_REASON, t->reason);
	weir_builder_text(b, HISTORY_LOSSES_CLASS, t->class);
	weir_builder_text(b, HISTORY_LOSSES_DEVICE, t->device);
	weir_builder_time(b, HISTORY_LOSSES_FIRST_SEEN, x->first_seen * STORE_NS);
	weir_builder_time(b, HISTORY_LOSSES_LAST_SEEN, x->last_seen * STORE_NS);
}

int store_answer_losses(struct store_asked *a)
{
	return fill_rows(a, STORE_LOSSES, fill_loss);
}
