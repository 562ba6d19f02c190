// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/explain_tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "frontends/cli/explain_peers.h"
#include "frontends/cli/when.h"
#include "frontends/words/said.h"
#include "frontends/words/words.h"

#define PIDS_SAID 5
#define PEERS_SAID 3
#define NEW_PEERS_SAID 5
#define LOSSES_SAID 3
#define LISTENERS_SAID 8

/* Between two sentences of one fact. */
static void add_gap(struct explain_story *s)
{
	if (weir_words_language() != WEIR_LANGUAGE_ZH)
		weir_buf_char(explain_say(s), ' ');
}

static const char *text_or(const char *text, const char *otherwise)
{
	return text && *text ? text : otherwise;
}

static uint64_t sum(const struct weir_rows *r, const char *field)
{
	uint64_t total = 0;

	for (size_t i = 0; i < r->n; i++)
		total += weir_row_number(r, i, field);
	return total;
}

static const char *name_of(const struct explain_documents *d)
{
	if (d->processes.n)
		return text_or(weir_row_text(&d->processes, 0, "comm"), "?");
	return d->name ? d->name : "?";
}

/* --- who ------------------------------------------------------------------------------------- */

static void say_one(const struct explain_documents *d, struct explain_story *s)
{
	const struct weir_rows *r = &d->processes;
	char pid[WEIR_NUMBER_TEXT], uid[WEIR_NUMBER_TEXT];
	const char *user = text_or(weir_row_text(r, 0, "user"), weir_number(weir_row_number(r, 0, "uid"), uid));

	weir_number(weir_row_number(r, 0, "pid"), pid);
	explain_fact(s, "who");
	explain_uint(s, "pid", weir_row_number(r, 0, "pid"));
	explain_text(s, "comm", weir_row_text(r, 0, "comm"));
	explain_text(s, "exe", weir_row_text(r, 0, "exe"));
	explain_uint(s, "uid", weir_row_number(r, 0, "uid"));
	explain_text(s, "user", weir_row_text(r, 0, "user"));
	explain_text(s, "state", weir_row_text(r, 0, "state"));
	if (weir_row_is(r, 0, "state", "exited"))
		weir_say_explain_who_ended(explain_say(s), name_of(d), pid, user);
	else
		weir_say_explain_who(explain_say(s), name_of(d), pid, user);
	explain_end(s);
}

static void say_many(const struct explain_documents *d, struct explain_story *s)
{
	_cleanup_(weir_buf_done) struct weir_buf pids = {};
	char n[WEIR_NUMBER_TEXT];

	for (size_t i = 0; i < d->processes.n && i < PIDS_SAID; i++) {
		weir_buf_str(&pids, i ? ", " : "");
		weir_buf_uint(&pids, weir_row_number(&d->processes, i, "pid"));
	}
	if (d->processes.n > PIDS_SAID)
		weir_buf_str(&pids, ", \u2026");
	explain_fact(s, "who_many");
	explain_uint(s, "processes", d->processes.n);
	explain_text(s, "comm", name_of(d));
	explain_text(s, "pids", pids.data);
	weir_say_explain_who_many(explain_say(s), weir_number(d->processes.n, n), name_of(d), text_or(pids.data, ""));
	explain_end(s);
}

static void say_past(const struct explain_documents *d, struct explain_story *s)
{
	uint64_t last = weir_row_number(&d->past, 0, "last_seen");
	char when[CLI_WHEN_TEXT];

	explain_fact(s, "who_past");
	explain_text(s, "comm", d->name);
	explain_time(s, "last_seen", last);
	weir_say_explain_who_past(explain_say(s), name_of(d), cli_when_short(last, d->now_real_ns, when));
	explain_end(s);
}

/* A text that the largest of them has. */
static void say_where(struct explain_story *s, const char *fact, const char *text,
		      void (*say)(struct weir_buf *out, const char *with))
{
	if (!text || !*text)
		return;
	explain_fact(s, fact);
	explain_text(s, fact, text);
	say(explain_say(s), text);
	explain_end(s);
}

static void say_since(const struct explain_documents *d, struct explain_story *s)
{
	uint64_t first = weir_row_number(&d->processes, 0, "first_seen");
	char when[CLI_WHEN_TEXT];

	if (!first)
		return;
	explain_fact(s, "since");
	explain_time(s, "first_seen", first);
	weir_say_explain_since(explain_say(s), cli_when_short(first, d->now_real_ns, when));
	explain_end(s);
}

static void tell_who(const struct explain_documents *d, struct explain_story *s)
{
	const struct weir_rows *r = d->processes.n ? &d->processes : &d->past;

	if (!d->processes.n && !d->past.n)
		return;
	if (!d->processes.n)
		say_past(d, s);
	else if (d->processes.n == 1)
		say_one(d, s);
	else
		say_many(d, s);
	say_where(s, "unit", weir_row_text(r, 0, "unit"), weir_say_explain_unit);
	say_where(s, "container", text_or(weir_row_text(r, 0, "container_name"), weir_row_text(r, 0, "container_id")),
		  weir_say_explain_container);
	say_where(s, "pod", weir_row_text(r, 0, "pod_name"), weir_say_explain_pod);
	if (d->processes.n == 1)
		say_since(d, s);
}

/* --- how much -------------------------------------------------------------------------------- */

static void tell_now(const struct explain_documents *d, struct explain_story *s)
{
	uint64_t tx = sum(&d->processes, "tx_bytes_per_second"), rx = sum(&d->processes, "rx_bytes_per_second");
	uint64_t open = sum(&d->processes, "connections_open");
	char a[WEIR_UNITS_TEXT], b[WEIR_UNITS_TEXT], n[WEIR_NUMBER_TEXT];

	if (!d->processes.n || (d->processes.n == 1 && weir_row_is(&d->processes, 0, "state", "exited")))
		return;
	explain_fact(s, "now");
	explain_uint(s, "tx_bytes_per_second", tx);
	explain_uint(s, "rx_bytes_per_second", rx);
	explain_uint(s, "connections_open", open);
	if (tx || rx)
		weir_say_explain_now(explain_say(s), weir_units_rate(tx, a), weir_units_rate(rx, b), weir_number(open, n));
	else
		weir_say_explain_silent(explain_say(s), weir_number(open, n));
	explain_end(s);
}

static void tell_total(const struct explain_documents *d, struct explain_story *s)
{
	uint64_t tx = sum(&d->processes, "tx_bytes"), rx = sum(&d->processes, "rx_bytes");
	char a[WEIR_UNITS_TEXT], b[WEIR_UNITS_TEXT];

	if (!d->processes.n)
		return;
	explain_fact(s, "total");
	explain_uint(s, "tx_bytes", tx);
	explain_uint(s, "rx_bytes", rx);
	weir_say_explain_total(explain_say(s), weir_units_bytes(tx, a), weir_units_bytes(rx, b));
	explain_end(s);
}

static void tell_today(const struct explain_documents *d, struct explain_story *s)
{
	uint64_t tx = sum(&d->days, "tx_bytes"), rx = sum(&d->days, "rx_bytes"), n = sum(&d->days, "connections");
	char a[WEIR_UNITS_TEXT], b[WEIR_UNITS_TEXT], c[WEIR_NUMBER_TEXT];

	if (!d->days.n)
		return;
	explain_fact(s, "today");
	explain_uint(s, "tx_bytes", tx);
	explain_uint(s, "rx_bytes", rx);
	explain_uint(s, "connections", n);
	weir_say_explain_today(explain_say(s), name_of(d), weir_units_bytes(tx, a), weir_units_bytes(rx, b), weir_number(n, c));
	explain_end(s);
}

/* --- to whom --------------------------------------------------------------------------------- */

static void say_peer(const struct explain_peer *p, bool first, uint64_t all, struct explain_story *s)
{
	char a[WEIR_UNITS_TEXT], b[WEIR_UNITS_TEXT], share[WEIR_NUMBER_TEXT];

	explain_fact(s, "peer");
	explain_text(s, "peer", p->name);
	explain_uint(s, "tx_bytes", p->tx);
	explain_uint(s, "rx_bytes", p->rx);
	snprintf(share, sizeof(share), "%.0f %%", 100.0 * (double)(p->tx + p->rx) / (double)all);
	if (first && p->tx + p->rx <= all / 2)
		weir_say_explain_peer_largest(explain_say(s), p->name, weir_units_bytes(p->tx, a), weir_units_bytes(p->rx, b),
					      share);
	else if (first)
		weir_say_explain_peer_most(explain_say(s), p->name, weir_units_bytes(p->tx, a), weir_units_bytes(p->rx, b),
					   share);
	else
		weir_say_explain_peer_next(explain_say(s), p->name, weir_units_bytes(p->tx, a), weir_units_bytes(p->rx, b));
	explain_end(s);
}

static void tell_peers(const struct explain_documents *d, struct explain_story *s)
{
	struct explain_peers peers = {};
	uint64_t all = 0, program = 0;
	char n[WEIR_NUMBER_TEXT];
	size_t said = 0;

	explain_peers_make(d, &peers);
	if (peers.error && !s->error)
		s->error = peers.error;
	for (size_t i = 0; i < peers.n; i++)
		all += peers.list[i].tx + peers.list[i].rx;
	/* Small peers of a busy second have no rows of their own. */
	for (size_t i = 0; d->peers.n && i < d->past.n; i++)
		program += weir_row_number(&d->past, i, "tx_bytes") + weir_row_number(&d->past, i, "rx_bytes");
	all = all > program ? all : program;
	for (; all && said < peers.n && said < PEERS_SAID && peers.list[said].tx + peers.list[said].rx; said++)
		say_peer(&peers.list[said], said == 0, all, s);
	if (said && peers.n > said) {
		explain_fact(s, "peers_more");
		explain_uint(s, "peers", peers.n - said);
		weir_say_explain_peer_others(explain_say(s), weir_number(peers.n - said, n));
		explain_end(s);
	}
	explain_peers_done(&peers);
}

/* --- how well -------------------------------------------------------------------------------- */

/* Of a name's several processes the slowest. */
static uint64_t rtt_of(const struct explain_documents *d)
{
	uint64_t slowest = 0;

	for (size_t i = 0; i < d->processes.n; i++) {
		uint64_t us = weir_row_number(&d->processes, i, "srtt_us");

		slowest = us > slowest ? us : slowest;
	}
	return slowest;
}

static void tell_again(const struct explain_documents *d, struct explain_story *s)
{
	uint64_t n = sum(&d->processes, "retransmits"), wire = sum(&d->flows, "wire_tx_bytes");
	uint64_t again = sum(&d->flows, "retransmitted_bytes");
	char count[WEIR_NUMBER_TEXT], share[WEIR_NUMBER_TEXT];

	if (!d->processes.n)
		return;
	explain_fact(s, "retransmits");
	explain_uint(s, "retransmits", n);
	if (!n) {
		weir_buf_str(explain_say(s), weir_word(WORD_EXPLAIN_SENT_ONCE));
	} else if (wire && again) {
		explain_uint(s, "retransmitted_bytes", again);
		explain_uint(s, "wire_tx_bytes", wire);
		snprintf(share, sizeof(share), "%.2g %%", 100.0 * (double)again / (double)wire);
		weir_say_explain_sent_again_share(explain_say(s), weir_number(n, count), share);
	} else {
		weir_say_explain_sent_again(explain_say(s), weir_number(n, count));
	}
	explain_end(s);
}

static void tell_quality(const struct explain_documents *d, struct explain_story *s)
{
	uint64_t us = rtt_of(d);
	char rtt[WEIR_UNITS_TEXT];

	if (us) {
		explain_fact(s, "rtt");
		explain_uint(s, "srtt_us", us);
		weir_say_explain_rtt(explain_say(s), weir_units_duration(us * 1000, rtt));
		explain_end(s);
	}
	tell_again(d, s);
}

/* --- losses ---------------------------------------------------------------------------------- */

static bool matters(const struct weir_rows *r, size_t row)
{
	const char *class = weir_row_text(r, row, "class");

	return !class || strcmp(class, "expected") != 0;
}

static void say_loss(const struct weir_rows *r, size_t row, struct explain_story *s)
{
	const char *why = weir_row_text(r, row, "meaning"), *advice = weir_row_text(r, row, "advice");
	char room[WEIR_SAID_ROOM], n[WEIR_NUMBER_TEXT];

	explain_fact(s, "lost");
	explain_text(s, "reason", weir_row_text(r, row, "reason"));
	explain_text(s, "class", weir_row_text(r, row, "class"));
	explain_uint(s, "packets", weir_row_number(r, row, "packets"));
	weir_say_explain_lost(explain_say(s), weir_number(weir_row_number(r, row, "packets"), n));
	if (why && *why) {
		add_gap(s);
		weir_say_explain_lost_why(explain_say(s), weir_said(why, room, sizeof(room)));
	}
	explain_end(s);
	if (!advice || !*advice)
		return;
	explain_fact(s, "lost_advice");
	explain_text(s, "reason", weir_row_text(r, row, "reason"));
	weir_say_explain_lost_advice(explain_say(s), weir_said(advice, room, sizeof(room)));
	explain_end(s);
}

static void tell_losses(const struct explain_documents *d, struct explain_story *s)
{
	unsigned said = 0;

	for (size_t i = 0; i < d->drops.n && said < LOSSES_SAID; i++) {
		if (!matters(&d->drops, i))
			continue;
		say_loss(&d->drops, i, s);
		said++;
	}
	if (said || !d->drops_known || !d->processes.n)
		return;
	explain_fact(s, "lost_none");
	weir_buf_str(explain_say(s), weir_word(WORD_EXPLAIN_LOST_NONE));
	explain_end(s);
}

/* --- listeners ------------------------------------------------------------------------------- */

static void say_listener(const struct weir_rows *r, size_t row, struct explain_story *s)
{
	_cleanup_(weir_buf_done) struct weir_buf at = {};
	const char *transport = text_or(weir_row_text(r, row, "transport"), "?");
	uint64_t away = weir_row_number(r, row, "listen_drops");
	char a[WEIR_NUMBER_TEXT], b[WEIR_NUMBER_TEXT];

	explain_end_text(r, row, EXPLAIN_LOCAL, &at);
	explain_fact(s, "listens");
	explain_text(s, "address", at.data);
	explain_text(s, "transport", transport);
	explain_uint(s, "backlog", weir_row_number(r, row, "backlog"));
	explain_uint(s, "max_backlog", weir_row_number(r, row, "max_backlog"));
	explain_uint(s, "listen_drops", away);
	if (weir_row_has(r, row, "backlog") && weir_row_has(r, row, "max_backlog"))
		weir_say_explain_listens(explain_say(s), text_or(at.data, "?"), transport,
					 weir_number(weir_row_number(r, row, "backlog"), a),
					 weir_number(weir_row_number(r, row, "max_backlog"), b));
	else
		weir_say_explain_listens_plain(explain_say(s), text_or(at.data, "?"), transport);
	explain_end(s);
	if (!away)
		return;
	explain_fact(s, "turned_away");
	explain_text(s, "address", at.data);
	explain_uint(s, "listen_drops", away);
	weir_say_explain_turned_away(explain_say(s), weir_number(away, a));
	explain_end(s);
}

/* Those that turned somebody away first. */
static void tell_listeners(const struct explain_documents *d, struct explain_story *s)
{
	unsigned said = 0;

	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < d->flows.n && said < LISTENERS_SAID; i++) {
			bool away = weir_row_number(&d->flows, i, "listen_drops");

			if (!weir_row_is(&d->flows, i, "state", "listen") || away != (pass == 0))
				continue;
			say_listener(&d->flows, i, s);
			said++;
		}
}

/* --- what is new, what is wrong -------------------------------------------------------------- */

static void say_new_peer(const struct explain_documents *d, size_t row, struct explain_story *s)
{
	_cleanup_(weir_buf_done) struct weir_buf name = {};
	uint64_t first = weir_row_number(&d->peers, row, "first_seen");
	char when[CLI_WHEN_TEXT];

	explain_peer_name(&d->peers, row, &name);
	explain_fact(s, "peer_new");
	explain_text(s, "peer", name.data);
	explain_time(s, "first_seen", first);
	weir_say_explain_peer_new(explain_say(s), text_or(name.data, "?"), cli_when_short(first, d->now_real_ns, when));
	explain_end(s);
}

static void tell_new(const struct explain_documents *d, struct explain_story *s)
{
	uint64_t first = d->past.n ? weir_row_number(&d->past, 0, "first_seen") : 0;
	char when[CLI_WHEN_TEXT];
	unsigned said = 0;

	if (first >= d->today_real_ns && first) {
		explain_fact(s, "new");
		explain_time(s, "first_seen", first);
		weir_say_explain_new(explain_say(s), cli_when_short(first, d->now_real_ns, when));
		explain_end(s);
		return; /* so are all its peers */
	}
	for (size_t i = 0; i < d->peers.n && said < NEW_PEERS_SAID; i++) {
		if (weir_row_number(&d->peers, i, "first_seen") < d->today_real_ns)
			continue;
		say_new_peer(d, i, s);
		said++;
	}
}

static bool is_about(const struct explain_documents *d, size_t finding)
{
	uint64_t pid = weir_row_number(&d->findings, finding, "pid");

	for (size_t i = 0; pid && i < d->processes.n; i++)
		if (weir_row_number(&d->processes, i, "pid") == pid)
			return true;
	return false;
}

static void say_finding(const struct weir_rows *r, size_t row, struct explain_story *s)
{
	const char *summary = weir_row_text(r, row, "summary"), *advice = weir_row_text(r, row, "advice");
	char room[WEIR_SAID_ROOM];

	explain_fact(s, "finding");
	explain_text(s, "id", weir_row_text(r, row, "id"));
	explain_text(s, "class", weir_row_text(r, row, "class"));
	weir_say_explain_finding(explain_say(s), text_or(weir_said(summary, room, sizeof(room)), "?"));
	if (advice && *advice) {
		add_gap(s);
		weir_say_explain_finding_advice(explain_say(s), weir_said(advice, room, sizeof(room)));
	}
	explain_end(s);
}

void explain_tell_process(const struct explain_documents *d, struct explain_story *s)
{
	tell_who(d, s);
	explain_paragraph(s);
	tell_now(d, s);
	tell_total(d, s);
	tell_today(d, s);
	explain_paragraph(s);
	tell_peers(d, s);
	explain_paragraph(s);
	tell_quality(d, s);
	tell_losses(d, s);
	explain_paragraph(s);
	tell_listeners(d, s);
	explain_paragraph(s);
	tell_new(d, s);
	for (size_t i = 0; i < d->findings.n; i++) {
		if (!is_about(d, i))
			continue;
		explain_paragraph(s);
		say_finding(&d->findings, i, s);
	}
}
