// SPDX-License-Identifier: GPL-2.0-or-later
// One process, socket or program in short: whom it talks to, its curve, what waits, what it used day by day.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { Spark } from "./chart";
import { Endpoint, Word } from "./columns";
import { bytes, count, join, microseconds, moment, percent, rate, visible } from "./format";
import { durationText } from "./header";
import { t } from "./i18n";
import { type Row, cell, numberOf, pastSelector, textOf } from "./model";
import { useRows } from "./past";
import { programFilter } from "./programs";
import { programOf, spanSteps, stepOf } from "./series";
import { closedBefore, isClosed } from "./started";
import { linkTo, mostly, store, useStore } from "./store";
import { refreshMs } from "./time";
import { Name } from "./ui";

const HOUR_S = 3600;
const PEERS_SHOWN = 6;
const DAYS_SHOWN = 14;
/** Today's use stands beside what moves now. */
const DAYS_MS = 5000;

const time = (row: Row, name: string) => Date.parse(textOf(row, name));

function Part({ title, more, children }: { title: string; more?: ComponentChildren; children: ComponentChildren }) {
	return (
		<section class="part">
			<h3>{title}{more}</h3>
			{children}
		</section>
	);
}

/** What a program moved over a span: two curves over the same time, each with its largest second. */
function Curve({ filter, from, to, seconds }: { filter: string; from: string; to?: string; seconds: number }) {
	const s = useStore();
	const every = to ? 0 : refreshMs({ from, to: "", from_ms: 0, to_ms: seconds * 1000, sliding: true });
	const a = useRows("history_rates", s.tables.has("history_rates") && filter ? { filter, from, to } : null, every);
	if (!a.envelope)
		return null;
	const list = a.rows.map(stepOf);
	const to_s = Date.parse(a.envelope.to ?? a.envelope.time) / 1000;
	const from_s = Date.parse(a.envelope.from ?? "") / 1000 || to_s - seconds;
	const line = (way: "tx" | "rx", name: string) => {
		const steps = spanSteps(list, way, from_s, to_s);
		const top = steps.maximum.reduce<number>((m, v) => Math.max(m, v ?? 0), 0);
		return (
			<div class={"curve " + way}>
				<span class="curve-name">{name}</span>
				<Spark of={steps} />
				<span class="curve-top">{top ? t("peak", { rate: join(rate(top)) }) : t("curve_none")}</span>
			</div>
		);
	};
	return (
		<Part title={t("curve_title", { time: durationText(to_s - from_s) })}>
			{line("tx", t("sent"))}
			{line("rx", t("received"))}
		</Part>
	);
}

/** Day by day, the latest first; the longest bar is the largest day. */
function Days({ filter }: { filter: string }) {
	const s = useStore();
	const a = useRows("history_days", s.tables.has("history_days") && filter ? { filter, from: `-${(DAYS_SHOWN - 1) * 86400}` } : null, DAYS_MS);
	const days = new Map<string, { tx: number; rx: number }>();
	for (const r of a.rows) {
		const d = days.get(textOf(r, "day")) ?? { tx: 0, rx: 0 };
		d.tx += numberOf(r, "tx_bytes");
		d.rx += numberOf(r, "rx_bytes");
		days.set(textOf(r, "day"), d);
	}
	const list = [...days].sort((x, y) => (x[0] < y[0] ? 1 : -1)).slice(0, DAYS_SHOWN);
	const most = list.reduce((m, [, d]) => Math.max(m, d.tx + d.rx), 0);
	if (!list.length)
		return null;
	return (
		<Part title={t("days_title")}>
			<table class="days">
				<thead class="sr"><tr><th>{t("days_day")}</th><th>{t("days_share")}</th><th>{t("sent")}</th><th>{t("received")}</th></tr></thead>
				<tbody>
					{list.map(([day, d]) => (
						<tr key={day}>
							<th scope="row">{day.slice(5)}</th>
							<td class="use">
								<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
									<rect class="bar-tx" width={most ? (100 * d.tx) / most : 0} height="8" />
									<rect class="bar-rx" x={most ? (100 * d.tx) / most : 0} width={most ? (100 * d.rx) / most : 0} height="8" />
								</svg>
							</td>
							<td class="n">▲ {join(bytes(d.tx))}</td>
							<td class="n">▼ {join(bytes(d.rx))}</td>
						</tr>
					))}
				</tbody>
			</table>
		</Part>
	);
}

/** When it was there first, ever; the process may be younger than its program. */
function FirstSeen({ filter }: { filter: string }) {
	const s = useStore();
	const a = useRows("history", s.tables.has("history") && filter ? { filter, from: "-34560000", fields: "program,first_seen,unit" } : null);
	const first = a.rows.reduce((m, r) => Math.min(m, time(r, "first_seen") || Infinity), Infinity);
	return first < Infinity ? (
		<p class="note">{t("first_ever", {
			time: moment(first).slice(0, 16), ago: durationText(Math.max(1, Math.round((store.now_ms - first) / 1000))),
		})}</p>
	) : null;
}

function Connection({ row }: { row: Row }) {
	const srtt = cell(row, "srtt_us");
	const retransmits = numberOf(row, "retransmits");
	const quality = [
		srtt === null ? "" : `RTT ${join(microseconds(Number(srtt)))}`,
		retransmits ? t("retransmits_n", { n: count(retransmits) }) : "",
	].filter(Boolean).map((x) => `${x} · `).join("");
	return (
		<li>
			<a href={linkTo({ view: "flows", filter: `cookie:${textOf(row, "cookie")}` })}>
				<span class="peer"><span class="proto">{textOf(row, "transport")}</span> <Endpoint row={row} side="peer" /></span>
				<span class="n">▲ {join(bytes(numberOf(row, "tx_bytes")))}</span>
				<span class="n">▼ {join(bytes(numberOf(row, "rx_bytes")))}</span>
				<span class="quality">{quality}<Word field="state" value={textOf(row, "state")} /></span>
			</a>
		</li>
	);
}

const isListening = (r: Row) => textOf(r, "state") === "listen";

/* How many wait to be accepted, of how many may, and how many were refused. */
function Listening({ rows }: { rows: readonly Row[] }) {
	if (!rows.length)
		return null;
	return (
		<Part title={t("listening")}>
			<ul class="facts">
				{rows.map((r) => {
					const refused = numberOf(r, "listen_drops");
					return (
						<li key={textOf(r, "cookie")} class={refused ? "wrong" : ""}>
							<span>{t("port_n", { n: textOf(r, "local_port") })}</span>
							<span>
								{t("queue", { n: count(numberOf(r, "backlog")), max: count(numberOf(r, "max_backlog")) })}
								{refused ? ` · ${t("refused_n", { n: count(refused) })}` : ""}
							</span>
						</li>
					);
				})}
			</ul>
		</Part>
	);
}

/** A process: whom it talks to, how well, and what it used. */
export function ProcessStory({ row }: { row: Row; full: boolean }) {
	const pid = textOf(row, "pid");
	const a = useRows("flows", { filter: `pid:${pid}`, sort: "tx_bytes", limit: 200 }, 3000);
	const listening = a.rows.filter(isListening);
	const others = a.rows.filter((r) => !isListening(r));
	const flows = [...others.filter((r) => !isClosed(r)), ...others.filter(isClosed)];
	const way = numberOf(row, "rx_bytes") > numberOf(row, "tx_bytes") ? "rx" : "tx";
	const peer = mostly(flows, `${way}_bytes`, pid, way);
	const filter = programFilter(programOf(row));
	const n = (a.envelope?.total ?? flows.length) - listening.length;
	/* The process as it was when its sockets were asked for. */
	const past = useMemo(() => (a.envelope && a.envelope.total === a.rows.length ? closedBefore(row, a.rows) : null), [a.envelope]);
	const sockets = linkTo({ view: "flows", filter: `pid:${pid}` });
	const moved = numberOf(row, "tx_bytes") + numberOf(row, "rx_bytes");
	return (
		<div class="story">
			{a.envelope ? (
				<p class="meaning">
					{peer.name ? t(way === "tx" ? "story_to" : "story_from", { peer: visible(peer.name), share: percent(peer.share, 1) })
						: moved ? t("story_many") : t("story_none")}
				</p>
			) : null}
			{flows.length || past?.sockets ? (
				<Part
					title={t("connections_n", { n: count(n), open: count(n > others.length ? numberOf(row, "connections_open") - listening.length : others.length - others.filter(isClosed).length) })}
					more={<a href={sockets}>{t("flows_of")} →</a>}
				>
					<ul class="connections">
						{flows.slice(0, PEERS_SHOWN).map((r) => <Connection key={textOf(r, "cookie") + textOf(r, "peer_address")} row={r} />)}
					</ul>
					{n > PEERS_SHOWN ? <p class="note"><a href={sockets}>{t("flows_more", { n: count(n - PEERS_SHOWN) })}</a></p> : null}
					{past?.sockets ? (
						<p class="note gone-before">{t(past.bytes ? "sockets_gone" : "sockets_gone_n", {
							n: count(past.sockets), tx: join(bytes(past.bytes?.tx ?? 0)), rx: join(bytes(past.bytes?.rx ?? 0)),
						})}</p>
					) : null}
				</Part>
			) : null}
			<Listening rows={listening} />
			<Curve filter={filter} from={`-${HOUR_S}`} seconds={HOUR_S} />
			<Days filter={filter} />
			<FirstSeen filter={filter} />
		</div>
	);
}

/** A socket: how well it goes, and what holds it up. */
export function FlowStory({ row, full }: { row: Row; full: boolean }) {
	const us = (name: string) => (cell(row, name) === null ? "–" : join(microseconds(numberOf(row, name))));
	const busy = numberOf(row, "busy_us");
	const limits = [["rwnd_limited_us", "limit_rwnd"], ["sndbuf_limited_us", "limit_sndbuf"]] as const;
	const held = limits.map(([name, key]) => [key, busy ? numberOf(row, name) / busy : 0] as const).filter(([, part]) => part > 0.1).sort((a, b) => b[1] - a[1]);
	const figure = (title: string, text: string) => <p><span>{title}</span><span class="amount">{text}</span></p>;
	if (isListening(row))
		return <div class="story"><Listening rows={[row]} /></div>;
	return (
		<div class="story">
			{held.length ? <p class="meaning">{t(held[0][0], { share: percent(held[0][1], 1) })}</p> : null}
			<div class="figures">
				{figure(t("rtt_now"), us("srtt_us"))}
				{figure(t("rtt_least"), full ? us("rtt_min_us") : "…")}
				{figure(t("sent_again"), count(numberOf(row, "retransmits")))}
				{figure(t("connect_took"), full ? us("connect_us") : "…")}
			</div>
		</div>
	);
}

/** A row of the past: its curve over the span, its peers, its days. */
export function PastStory({ row }: { row: Row; full: boolean }) {
	const s = useStore();
	const { span } = s;
	const filter = pastSelector(row);
	const program = pastSelector({ program: row.program ?? null, unit: row.unit ?? null, container_name: row.container_name ?? null });
	const peers = useRows("history_peers", span && textOf(row, "program") && !textOf(row, "peer_address") ? {
		filter: program, from: span.from, to: span.to, limit: PEERS_SHOWN,
	} : null);
	if (!span)
		return null;
	return (
		<div class="story">
			{cell(row, "new") === true ? <p class="meaning">{t("story_new")}</p> : null}
			<Curve filter={filter} from={span.from} to={span.to} seconds={(span.to_ms - span.from_ms) / 1000} />
			{peers.rows.length ? (
				<Part title={t("peers_title")} more={<a href={linkTo({ view: "flows", filter: program })}>{t("peers_all")} →</a>}>
					<ul class="connections">
						{peers.rows.map((r) => (
							<li key={`${textOf(r, "peer_name")} ${textOf(r, "peer_address")} ${textOf(r, "port")} ${textOf(r, "role")}`}>
								<span class="line-of">
									<span class="peer"><span class="proto">{textOf(r, "transport")}</span> <Endpoint row={r} side="peer" /></span>
									<span class="n">▲ {join(bytes(numberOf(r, "tx_bytes")))}</span>
									<span class="n">▼ {join(bytes(numberOf(r, "rx_bytes")))}</span>
								</span>
							</li>
						))}
					</ul>
				</Part>
			) : null}
			{textOf(row, "program") ? <Days filter={program} /> : <p class="note"><Name text={t("owner_none")} /></p>}
		</div>
	);
}
