// SPDX-License-Identifier: GPL-2.0-or-later
// What a row of the past says in words of the page's language.

import { bytes, count, endpoint, filterValue, join, rate, shellWords, visible } from "./format";
import { changeKey, eventKind } from "./history_model";
import { knows, t } from "./i18n";
import { type Row, numberOf, textOf } from "./model";
import type { Answer } from "./past";
import { said } from "./said";
import { store } from "./store";
import { when } from "./time";

/** brief: seconds would be noise. */
export function momentText(ms: number, brief = false): string {
	const text = when(ms, store.now_ms);
	return brief ? text.replace(/(\d\d:\d\d):\d\d$/, "$1") : text;
}

/** With the port of the side that serves: "db:5432", or ":443 ← 10.0.0.7" where that is the program. */
function changePeer(row: Row): string {
	const peer = textOf(row, "peer_name");
	const port = numberOf(row, "port");
	if (textOf(row, "role") === "server")
		return visible(port ? `:${port} ← ${peer}` : peer);
	return visible(endpoint(peer, port || null));
}

/** per_s: the spans are unlike, and this is the later one's length: bytes are told as a rate; 0: they are alike. */
export function changeText(row: Row, per_s = 0): string {
	const unit = textOf(row, "unit_name");
	const of = (name: string) => {
		const n = numberOf(row, name);
		return unit === "bytes" ? join(per_s ? rate(Math.round(n / per_s)) : bytes(n)) : unit === "packets" ? t("change_packets", { n: count(n) }) : count(n);
	};
	const who = visible(textOf(row, "program")) || t("change_host");
	const reason = textOf(row, "reason");
	if (textOf(row, "kind") === "event" && knows(`event_${reason}`)) {
		/* How many there were of a kind: not which. */
		const what = reason === "finding" ? t("change_finding") : t(`event_${reason}`, { who: t("change_some") });
		const [before, after] = [numberOf(row, "before"), numberOf(row, "after")];
		return before + after < 2 ? what : t(before ? "change_event" : "change_event_new", { what, after: of("after"), before: of("before") });
	}
	const key = changeKey(row);
	if (!knows(key))
		return visible(said(textOf(row, "summary")));
	return t(key, { who, peer: changePeer(row), reason: visible(reason), before: of("before"), after: of("after") });
}

/** What happened. What says no program is how many more there were, in words of its own. */
export function eventText(row: Row): string {
	const kind = eventKind(row);
	const summary = visible(said(textOf(row, "summary")));
	const who = visible(textOf(row, "program"));
	return kind && (who || kind !== "first_seen" && kind !== "listening") ? t(`event_${kind}`, { who, summary }) : summary;
}

/** What an answer about events leaves out; "": nothing. */
export function eventsCut({ rows, envelope }: Answer): string {
	if ((envelope?.total ?? 0) <= rows.length)
		return "";
	return t("hist_events_cut", { time: momentText(Date.parse(textOf(rows[rows.length - 1], "time"))) });
}

/** Words of the filter language that show a change alone, on all pages; "" where there are none. */
export function changeFilter(row: Row): string {
	const word = (name: string, field: string) => {
		const value = textOf(row, field);
		return value ? `${name}:${filterValue(value)}` : "";
	};
	if (textOf(row, "kind") === "event")
		return "";
	return [word("process", "program"), word("peer", "peer_name"), word("port", "port"), word("reason", "reason")].filter(Boolean).join(" ");
}

/** The command that prints a table of the past. */
export function command(verb: string, since: string, filter: string): string {
	return ["weir history", verb, since, shellWords(filter)].filter(Boolean).join(" ");
}
