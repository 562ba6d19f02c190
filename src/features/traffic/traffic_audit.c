// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/feature.h"
#include "features/traffic/traffic_rules.h"
#include "features/traffic/traffic_state.h"

/* Three ways of counting TCP's bytes, and a name for every gap between them. */

#define TX TRAFFIC_TX
#define RX TRAFFIC_RX

void traffic_audit_flow(struct traffic_folded *to, const struct traffic_flow *f)
{
	const struct traffic_socket *r = &f->last;
	uint64_t more_tx = traffic_ahead(r->tcp_tx, r->hook_tx), more_rx = traffic_ahead(r->tcp_rx, r->hook_rx);
	uint64_t less_tx = traffic_ahead(r->hook_tx, r->tcp_tx), less_rx = traffic_ahead(r->hook_rx, r->tcp_rx);

	if (r->cut_rx) {
		to->cut += r->cut_rx;
		to->n_cut++;
	}
	if (r->tuple.transport != TRAFFIC_TCP)
		return;
	to->n++;
	to->effective[TX] += r->tx;
	to->effective[RX] += r->rx;
	if (!(r->flags & TRAFFIC_SOCKET_BASED)) {
		to->unbased[TX] += r->tx;
		to->unbased[RX] += r->rx;
		to->n_unbased += r->tx || r->rx;
		return;
	}
	to->tcp[TX] += r->tcp_tx;
	to->tcp[RX] += r->tcp_rx;
	if (less_tx || less_rx) {
		to->redirected[TX] += less_tx;
		to->redirected[RX] += less_rx;
		to->n_redirected++;
	}
	if (!more_tx && !more_rx)
		return;
	if (traffic_user_unknown(r->flags & TRAFFIC_SOCKET_TENTATIVE, r->hook_tx, r->hook_rx, r->tx, r->rx)) {
		to->user_unknown[TX] += r->tx;
		to->user_unknown[RX] += r->rx;
		to->n_user_unknown++;
		to->n_never_known += f->gone && !f->lost_record;
		return;
	}
	if (r->flags & TRAFFIC_SOCKET_SHARED) {
		more_tx = traffic_ahead(r->tcp_tx, r->tx);
		more_rx = traffic_ahead(r->tcp_rx, r->rx);
		to->shared_bypass[TX] += more_tx;
		to->shared_bypass[RX] += more_rx;
		to->n_shared_bypass += more_tx || more_rx;
		return;
	}
	if (more_rx && r->rx == r->hook_rx) {
		to->urgent += more_rx;
		to->n_urgent++;
		more_rx = 0;
	}
	to->bypass[TX] += more_tx;
	to->bypass[RX] += more_rx;
	to->n_bypass += more_tx || more_rx;
}

static void add(struct weir_audit_entry *ret, unsigned *n, const char *scope, const char *help, int64_t tx,
		   int64_t rx, uint64_t sockets, bool attributed, bool ok)
{
	if (*n < WEIR_AUDIT_MAX)
		ret[(*n)++] = (struct weir_audit_entry){ .scope = scope, .help = help, .tx_bytes = tx,
							 .rx_bytes = rx, .sockets = sockets,
							 .attributed = attributed, .ok = ok };
}

unsigned traffic_audit(const struct traffic_state *s, struct weir_audit_entry *ret)
{
	struct traffic_folded open = {}, shut = s->folded;
	uint64_t procs[] = { s->dropped_procs[TRAFFIC_TCP].bytes[TX], s->dropped_procs[TRAFFIC_TCP].bytes[RX] };
	const struct traffic_proc *p;
	const struct traffic_flow *f;
	int64_t gap[2], lost[2];
	uint64_t n_procs = 0;
	unsigned n = 0;

	for (p = s->procs; p; p = p->hh.next) {
		procs[TX] += traffic_proc_bytes(p, TRAFFIC_TCP, TX);
		procs[RX] += traffic_proc_bytes(p, TRAFFIC_TCP, RX);
		n_procs++;
	}
	for (f = s->flows; f; f = f->hh.next)
		traffic_audit_flow(f->closed ? &shut : &open, f);
	for (int d = 0; d < 2; d++) {
		uint64_t unknown = open.user_unknown[d] + shut.user_unknown[d];
		uint64_t sockets = open.effective[d] + shut.effective[d] - unknown;

		gap[d] = (int64_t)traffic_ahead(sockets, procs[d]);
		lost[d] = (int64_t)traffic_ahead(procs[d], sockets);
	}
	add(ret, &n, "processes", "TCP bytes in the sums of processes; sockets: how many processes.",
	    (int64_t)procs[TX], (int64_t)procs[RX], n_procs, true, true);
	add(ret, &n, "sockets", "TCP bytes of all sockets, each byte once.",
	    (int64_t)(open.effective[TX] + shut.effective[TX]), (int64_t)(open.effective[RX] + shut.effective[RX]),
	    open.n + shut.n, true, true);
	add(ret, &n, "tcp", "What TCP's own sequence numbers counted on these sockets.",
	    (int64_t)(open.tcp[TX] + shut.tcp[TX]), (int64_t)(open.tcp[RX] + shut.tcp[RX]),
	    open.n + shut.n - open.n_unbased - shut.n_unbased, true, true);

	add(ret, &n, "in_call",
	    "Open sockets: TCP is ahead of the calls, inside one that has not returned or that bypasses them.",
	    (int64_t)open.bypass[TX], (int64_t)open.bypass[RX], open.n_bypass, true, true);
	add(ret, &n, "bypass",
	    "Closed sockets: moved past the calls by splice or zero-copy receive; credited to the socket's one user.",
	    (int64_t)shut.bypass[TX], (int64_t)shut.bypass[RX], shut.n_bypass, true, true);
	add(ret, &n, "redirected",
	    "The calls are ahead of TCP: carried by a socket map, or inside a call when weir started.",
	    (int64_t)(open.redirected[TX] + shut.redirected[TX]),
	    (int64_t)(open.redirected[RX] + shut.redirected[RX]), open.n_redirected + shut.n_redirected, true, true);
	add(ret, &n, "urgent",
	    "Urgent bytes that TCP passed over and nobody read; without sock_recv_length also those taken with MSG_OOB.", 0,
	    (int64_t)(open.urgent + shut.urgent), open.n_urgent + shut.n_urgent, true, true);
	add(ret, &n, "no_base", "TCP sockets whose counters had no known start.",
	    (int64_t)(open.unbased[TX] + shut.unbased[TX]), (int64_t)(open.unbased[RX] + shut.unbased[RX]),
	    open.n_unbased + shut.n_unbased, true, true);
	add(ret, &n, "cut_datagrams",
	    "Datagrams taken with MSG_TRUNC, at full length: how much of each was copied is not known.", 0,
	    (int64_t)(open.cut + shut.cut + s->totals.cut), open.n_cut + shut.n_cut, false, true);
	add(ret, &n, "lost_records",
	    "In the sums of processes, but the socket's last record was lost or is still on its way.", lost[TX],
	    lost[RX], 0, true, true);
	add(ret, &n, "shared_bypass",
	    "Moved past the calls on a socket that several processes use: whose they are is not known.",
	    (int64_t)(open.shared_bypass[TX] + shut.shared_bypass[TX]),
	    (int64_t)(open.shared_bypass[RX] + shut.shared_bypass[RX]),
	    open.n_shared_bypass + shut.n_shared_bypass, false, !shut.n_shared_bypass);
	add(ret, &n, "user_unknown",
	    "Moved past the calls on a socket that no process has called and several hold: told at its close.",
	    (int64_t)(open.user_unknown[TX] + shut.user_unknown[TX]),
	    (int64_t)(open.user_unknown[RX] + shut.user_unknown[RX]),
	    open.n_user_unknown + shut.n_user_unknown, false, !shut.n_never_known);
	add(ret, &n, "between_looks", "Told of sockets since the last look at the sums of processes.",
	    s->consistent ? 0 : gap[TX], s->consistent ? 0 : gap[RX], 0, true, true);
	for (int d = 0; d < 2 && !s->consistent; d++)
		gap[d] = 0;
	add(ret, &n, "unattributed", "Bytes that found no process: no owner, or the map of processes was full.",
	    (int64_t)(s->totals.unattributed[TX] + (uint64_t)gap[TX]),
	    (int64_t)(s->totals.unattributed[RX] + (uint64_t)gap[RX]), 0, false,
	    !s->totals.unattributed[TX] && !s->totals.unattributed[RX] && !gap[TX] && !gap[RX]);
	return n;
}
