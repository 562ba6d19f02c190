// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/explain_tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "frontends/cli/when.h"
#include "frontends/words/said.h"
#include "frontends/words/words.h"

#define FLOWS_SAID 3

/* --- its life -------------------------------------------------------------------------------- */

static void say_begin(const struct explain_documents *d, size_t row, struct explain_story *s)
{
	_cleanup_(weir_buf_done) struct weir_buf local = {}, peer = {};
	const struct weir_rows *r = &d->flows;
	const char *name = weir_row_text(r, row, "comm"), *transport = weir_row_text(r, row, "transport");
	char pid[WEIR_NUMBER_TEXT], when[CLI_WHEN_TEXT];
	struct weir_buf *out = explain_say(s);

	explain_end_text(r, row, EXPLAIN_LOCAL, &local);
	explain_end_text(r, row, EXPLAIN_PEER, &peer);
	explain_fact(s, "begin");
	explain_uint(s, "cookie", weir_row_number(r, row, "cookie"));
	explain_uint(s, "pid", weir_row_number(r, row, "pid"));
	explain_text(s, "comm", name);
	explain_text(s, "transport", transport);
	explain_text(s, "role", weir_row_text(r, row, "role"));
	explain_text(s, "local", local.data);
	explain_text(s, "peer", peer.data);
	explain_time(s, "first_seen", weir_row_number(r, row, "first_seen"));
	name = name ? name : "?";
	transport = transport ? transport : "?";
	weir_number(weir_row_number(r, row, "pid"), pid);
	cli_when_short(weir_row_number(r, row, "first_seen"), d->now_real_ns, when);
	if (local.error || peer.error)
		s->error = s->error ? s->error : local.error ? local.error : peer.error;
	else if (weir_row_is(r, row, "state", "listen"))
		weir_say_explain_flow_listens(out, when, name, pid, local.data, transport);
	else if (!strcmp(transport, "udp"))
		weir_say_explain_flow_datagrams(out, when, name, pid, peer.data, local.data);
	else if (weir_row_is(r, row, "role", "server"))
		weir_say_explain_flow_accepted(out, when, name, pid, peer.data, local.data, transport);
	else
		weir_say_explain_flow_connected(out, when, name, pid, local.data, peer.data, transport);
	explain_end(s);
}

/* A fact that is one duration in microseconds. */
static void say_duration(const struct weir_rows *r, size_t row, struct explain_story *s, const char *field,
			 void (*say)(struct weir_buf *out, const char *time))
{
	uint64_t us = weir_row_number(r, row, field);
	char text[WEIR_UNITS_TEXT];

	if (!us)
		return;
	explain_fact(s, field);
	explain_uint(s, field, us);
	say(explain_say(s), weir_units_duration(us * 1000, text));
	explain_end(s);
}

/* A fact that is one count. */
static void say_count(const struct weir_rows *r, size_t row, struct explain_story *s, const char *field,
		      void (*say)(struct weir_buf *out, const char *n))
{
	uint64_t n = weir_row_number(r, row, field);
	char text[WEIR_NUMBER_TEXT];

	if (!n)
		return;
	explain_fact(s, field);
	explain_uint(s, field, n);
	say(explain_say(s), weir_number(n, text));
	explain_end(s);
}

static void say_bytes(const struct weir_rows *r, size_t row, struct explain_story *s, const char *fact, const char *tx,
		      const char *rx, void (*say)(struct weir_buf *out, const char *tx, const char *rx))
{
	char a[WEIR_UNITS_TEXT], b[WEIR_UNITS_TEXT];

	explain_fact(s, fact);
	explain_uint(s, tx, weir_row_number(r, row, tx));
	explain_uint(s, rx, weir_row_number(r, row, rx));
	say(explain_say(s), weir_units_bytes(weir_row_number(r, row, tx), a), weir_units_bytes(weir_row_number(r, row, rx), b));
	explain_end(s);
}

static void say_rtt(const struct weir_rows *r, size_t row, struct explain_story *s)
{
	uint64_t us = weir_row_number(r, row, "srtt_us"), least = weir_row_number(r, row, "rtt_min_us");
	char a[WEIR_UNITS_TEXT], b[WEIR_UNITS_TEXT];

	if (!us)
		return;
	explain_fact(s, "rtt");
	explain_uint(s, "srtt_us", us);
	explain_uint(s, "rtt_min_us", least);
	weir_say_explain_flow_rtt(explain_say(s), weir_units_duration(us * 1000, a), weir_units_duration(least * 1000, b));
	explain_end(s);
}

static void say_quality(const struct weir_rows *r, size_t row, struct explain_story *s)
{
	char text[WEIR_UNITS_TEXT];

	say_rtt(r, row, s);
	say_count(r, row, s, "retransmits", weir_say_explain_flow_again);
	say_count(r, row, s, "timeouts", weir_say_explain_flow_timeouts);
	say_duration(r, row, s, "rwnd_limited_us", weir_say_explain_flow_window);
	say_duration(r, row, s, "sndbuf_limited_us", weir_say_explain_flow_buffer);
	if (weir_row_number(r, row, "wmem_queued_bytes") && !weir_row_number(r, row, "closed_at")) {
		explain_fact(s, "wmem_queued_bytes");
		explain_uint(s, "wmem_queued_bytes", weir_row_number(r, row, "wmem_queued_bytes"));
		weir_say_explain_flow_queued(explain_say(s),
					     weir_units_bytes(weir_row_number(r, row, "wmem_queued_bytes"), text));
		explain_end(s);
	}
	if (weir_row_is(r, row, "path", "spliced")) {
		explain_fact(s, "spliced");
		weir_buf_str(explain_say(s), weir_word(WORD_EXPLAIN_FLOW_SPLICED));
		explain_end(s);
	}
}

static void say_queue(const struct weir_rows *r, size_t row, struct explain_story *s)
{
	char a[WEIR_NUMBER_TEXT], b[WEIR_NUMBER_TEXT];

	if (!weir_row_has(r, row, "max_backlog"))
		return;
	explain_fact(s, "backlog");
	explain_uint(s, "backlog", weir_row_number(r, row, "backlog"));
	explain_uint(s, "max_backlog", weir_row_number(r, row, "max_backlog"));
	weir_say_explain_flow_waiting(explain_say(s), weir_number(weir_row_number(r, row, "backlog"), a),
				      weir_number(weir_row_number(r, row, "max_backlog"), b));
	explain_end(s);
	say_count(r, row, s, "listen_drops", weir_say_explain_turned_away);
}

/* --- its end --------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	enum weir_word says;
} reasons[] = {
	{ "normal", WORD_EXPLAIN_CLOSE_NORMAL },
	{ "reset_sent", WORD_EXPLAIN_CLOSE_RESET_SENT },
	{ "reset_received", WORD_EXPLAIN_CLOSE_RESET_RECEIVED },
	{ "refused", WORD_EXPLAIN_CLOSE_REFUSED },
	{ "timeout", WORD_EXPLAIN_CLOSE_TIMEOUT },
	{ "unreachable", WORD_EXPLAIN_CLOSE_UNREACHABLE },
	{ "aborted", WORD_EXPLAIN_CLOSE_ABORTED },
	{ "lost_record", WORD_EXPLAIN_CLOSE_LOST_RECORD },
}, resets[] = {
	{ "sent", WORD_EXPLAIN_FLOW_RESET_SENT },
	{ "received", WORD_EXPLAIN_FLOW_RESET_RECEIVED },
	{ "both", WORD_EXPLAIN_FLOW_RESET_BOTH },
};

static const char *reason_text(const char *reason)
{
	for (size_t i = 0; reason && i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(reasons[i].word, reason))
			return weir_word(reasons[i].says);
	return reason ? reason : "?";
}

static void say_reset(const struct weir_rows *r, size_t row, struct explain_story *s)
{
	const char *reset = weir_row_text(r, row, "reset");

	for (size_t i = 0; reset && i < ARRAY_SIZE(resets); i++) {
		if (strcmp(resets[i].word, reset) != 0)
			continue;
		explain_fact(s, "reset");
		explain_text(s, "reset", reset);
		weir_buf_str(explain_say(s), weir_word(resets[i].says));
		explain_end(s);
	}
}

static void say_closed(const struct explain_documents *d, size_t row, struct explain_story *s)
{
	const struct weir_rows *r = &d->flows;
	uint64_t first = weir_row_number(r, row, "first_seen"), closed = weir_row_number(r, row, "closed_at");
	const char *reason = weir_row_text(r, row, "close_reason");
	char when[CLI_WHEN_TEXT], age[WEIR_UNITS_TEXT];

	explain_line(s);
	explain_fact(s, "closed");
	explain_time(s, "closed_at", closed);
	explain_text(s, "close_reason", reason);
	weir_say_explain_flow_closed(explain_say(s), cli_when_short(closed, d->now_real_ns, when),
				     weir_units_duration(closed > first ? closed - first : 0, age), reason_text(reason));
	explain_end(s);
}

static void say_open(const struct explain_documents *d, size_t row, struct explain_story *s)
{
	const char *state = weir_row_text(&d->flows, row, "state");
	uint64_t last = weir_row_number(&d->flows, row, "last_seen");
	char when[CLI_WHEN_TEXT];

	if (last && !weir_row_is(&d->flows, row, "state", "listen")) {
		explain_line(s);
		explain_fact(s, "last");
		explain_time(s, "last_seen", last);
		weir_say_explain_flow_last(explain_say(s), cli_when_short(last, d->now_real_ns, when));
		explain_end(s);
	}
	explain_fact(s, "open");
	explain_text(s, "state", state);
	weir_say_explain_flow_open(explain_say(s), state ? state : "?");
	explain_end(s);
}

static void tell_flow(const struct explain_documents *d, size_t row, struct explain_story *s)
{
	const struct weir_rows *r = &d->flows;

	explain_paragraph(s);
	say_begin(d, row, s);
	say_duration(r, row, s, "connect_us", weir_say_explain_flow_connect);
	if (weir_row_is(r, row, "state", "listen")) {
		say_queue(r, row, s);
	} else {
		if (weir_row_number(r, row, "before_tx_bytes") || weir_row_number(r, row, "before_rx_bytes"))
			say_bytes(r, row, s, "before", "before_tx_bytes", "before_rx_bytes", weir_say_explain_flow_before);
		say_bytes(r, row, s, "moved", "tx_bytes", "rx_bytes", weir_say_explain_flow_moved);
		say_quality(r, row, s);
	}
	say_reset(r, row, s);
	if (weir_row_number(r, row, "closed_at"))
		say_closed(d, row, s);
	else
		say_open(d, row, s);
}

void explain_tell_flows(const struct explain_documents *d, struct explain_story *s)
{
	char n[WEIR_NUMBER_TEXT];

	for (size_t i = 0; i < d->flows.n && i < FLOWS_SAID; i++)
		tell_flow(d, i, s);
	if (d->flows.n <= FLOWS_SAID)
		return;
	explain_paragraph(s);
	explain_fact(s, "more");
	explain_uint(s, "flows", d->flows.n - FLOWS_SAID);
	weir_say_explain_flow_others(explain_say(s), weir_number(d->flows.n - FLOWS_SAID, n));
	explain_end(s);
}

/* --- a moment -------------------------------------------------------------------------------- */

static void say_change(const struct weir_rows *r, size_t row, struct explain_story *s)
{
	const char *what = weir_row_text(r, row, "summary");
	char room[WEIR_SAID_ROOM], rank[WEIR_NUMBER_TEXT];

	explain_line(s);
	explain_fact(s, "change");
	explain_uint(s, "rank", weir_row_number(r, row, "rank"));
	explain_text(s, "kind", weir_row_text(r, row, "kind"));
	explain_text(s, "program", weir_row_text(r, row, "program"));
	explain_uint(s, "before", weir_row_number(r, row, "before"));
	explain_uint(s, "after", weir_row_number(r, row, "after"));
	explain_text(s, "unit_name", weir_row_text(r, row, "unit_name"));
	explain_text(s, "filter", weir_row_text(r, row, "filter"));
	weir_say_explain_change(explain_say(s), weir_number(weir_row_number(r, row, "rank"), rank),
				what ? weir_said(what, room, sizeof(room)) : "?");
	explain_end(s);
}

static void say_event(const struct explain_documents *d, size_t row, struct explain_story *s)
{
	const char *what = weir_row_text(&d->events, row, "summary");
	uint64_t at = weir_row_number(&d->events, row, "time");
	char room[WEIR_SAID_ROOM], when[CLI_WHEN_TEXT];

	explain_line(s);
	explain_fact(s, "event");
	explain_time(s, "at", at);
	explain_text(s, "kind", weir_row_text(&d->events, row, "kind"));
	explain_text(s, "program", weir_row_text(&d->events, row, "program"));
	weir_say_explain_event(explain_say(s), cli_when_short(at, d->from_real_ns, when),
			       what ? weir_said(what, room, sizeof(room)) : "?");
	explain_end(s);
}

static void say_none(struct explain_story *s, const char *fact, enum weir_word word)
{
	explain_paragraph(s);
	explain_fact(s, fact);
	weir_buf_str(explain_say(s), weir_word(word));
	explain_end(s);
}

void explain_tell_moment(const struct explain_documents *d, struct explain_story *s)
{
	char a[CLI_WHEN_TEXT], b[CLI_WHEN_TEXT], length[CLI_WHEN_TEXT];

	explain_fact(s, "moment");
	explain_time(s, "from", d->from_real_ns);
	explain_time(s, "to", d->to_real_ns);
	weir_say_explain_moment(explain_say(s), cli_when_full(d->from_real_ns, a),
				cli_when_short(d->to_real_ns, d->from_real_ns, b),
				cli_when_span((d->to_real_ns - d->from_real_ns) / 1000000000, length));
	explain_end(s);
	explain_paragraph(s);
	for (size_t i = 0; i < d->changes.n; i++)
		say_change(&d->changes, i, s);
	if (!d->changes.n)
		say_none(s, "change_none", WORD_EXPLAIN_CHANGE_NONE);
	explain_paragraph(s);
	/* They come newest first; a story goes on. */
	for (size_t i = d->events.n; i > 0; i--)
		say_event(d, i - 1, s);
	if (!d->events.n)
		say_none(s, "event_none", WORD_EXPLAIN_EVENT_NONE);
}
