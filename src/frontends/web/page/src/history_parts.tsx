// SPDX-License-Identifier: GPL-2.0-or-later
// The sections of History below the curve.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Explain } from "./explain";
import { bytes, count, endpoint, filterValue, join, percent, rate, visible } from "./format";
import { durationText } from "./header";
import { EVENT_MARKS, type Pair, type Program, type Range, eventCount, eventKind, factorText, keptSeconds, pairs, unlike, useOf } from "./history_model";
import { changeFilter, changeText, command, eventText, eventsCut, momentText } from "./history_words";
import { fieldValue, t } from "./i18n";
import { type Row, cell, isRest, numberOf, textOf } from "./model";
import { type Answer, useRows } from "./past";
import { said } from "./said";
import { linkTo, store } from "./store";
import { Name, useHeld, useKeptFocus, useTallest } from "./ui";

const LINES = 10;

const also = (words: string) => `${store.route.filter} ${words}`.trim();

/** Rows by what they are of, so that each stays itself when others come; those that are alike are counted. */
function identified(rows: readonly Row[], names: readonly string[]): { id: string; row: Row }[] {
	const seen = new Map<string, number>();
	return rows.map((row) => {
		const id = names.map((n) => textOf(row, n)).join("\u0001");
		const n = seen.get(id) ?? 0;
		seen.set(id, n + 1);
		return { id: `${id}\u0001${n}`, row };
	});
}

/** A section that waits, cannot be asked, or has nothing. */
export function Section({ id, title, answer, empty, sub, children }: {
	id: string;
	title: string;
	/** null: the filter has no meaning here. */
	answer: Answer | null;
	empty: boolean;
	sub?: ComponentChildren;
	children: ComponentChildren;
}) {
	const failed = answer?.state === "failed";
	const place = useTallest<HTMLElement>(`${answer?.question} ${id}`);
	useKeptFocus(place);
	return (
		<section ref={place} class={`hist-part hist-${id}${answer?.state === "asking" && answer.envelope ? " stale" : ""}`} aria-labelledby={`${id}-title`} data-part={id} data-state={answer?.state ?? "unasked"}>
			<h2 id={`${id}-title`}>{title}</h2>
			{sub ? <p class="note">{sub}</p> : null}
			{failed ? <p class="note">{t("hist_failed", { reason: visible(answer.error) })}</p> : null}
			{!answer ? <p class="note">{t("hist_unasked")}</p>
				: failed && !answer.envelope ? null
				: empty && answer.state === "there" ? <p class="note">{t("hist_changed_none")}</p>
				: children}
		</section>
	);
}

function Bar({ part, whole }: { part: number; whole: number }) {
	return <i class="hist-bar" style={{ width: `${whole > 0 ? Math.max(0.5, (100 * part) / whole) : 0}%` }} />;
}

interface Asked {
	/** As the command line says the span: "--since 1h". */
	since: string;
	filter: string;
}

/** A number of bytes that says what it is. */
function Bytes({ table, field, n, asked, verb }: { table: string; field: string; n: number; asked: Asked; verb: string }) {
	return <Explain of={{ table, field, value: n, command: command(verb, asked.since, asked.filter) }}>{join(bytes(n))}</Explain>;
}

export function Programs({ answer, list, then, now_s, then_s, asked }: {
	answer: Answer | null;
	list: readonly Program[];
	/** Of the span that is compared with. */
	then: readonly Program[] | null;
	/** Seconds of both that are kept. */
	now_s: number;
	then_s: number;
	asked: Asked;
}) {
	const total = list.reduce((n, p) => n + p.tx + p.rx, 0);
	const numbers = { table: "history", asked, verb: "programs" };
	const head = then
		? [t("hist_name"), t("hist_before"), t("hist_after"), t("hist_factor")]
		: [t("hist_name"), t("sent"), t("received"), t("hist_share")];
	const name = ({ id, name: title, place }: { id: string; name: string; place: string }, more: string) => (
		<th scope="row">
			{id ? <a href={linkTo({ view: "history", filter: also(`process:${filterValue(title)}`) })}><Name text={title} /></a> : t("all_others")}
			{more ? <b class="hist-new">{more}</b> : null}
			<span class="hist-place">{visible(place)}</span>
		</th>
	);
	const rates = unlike(now_s, then_s);
	const both = then ? pairs(list, then, rates ? now_s / then_s : 1) : [];
	const amount = (n: number) => join(rates ? rate(Math.round(n / now_s)) : bytes(n));
	const { shown, over } = useHeld<{ id: string }>(then ? both : list, then ? LINES + 2 : LINES, `${answer?.question} ${!then}`);
	return (
		<Section id="programs" title={t("hist_programs")} answer={answer} empty={!list.length && !both.length}>
			<table class="hist-table">
				<thead><tr>{head.map((x) => <th key={x} scope="col">{x}</th>)}</tr></thead>
				<tbody {...over}>
					{then ? (shown as Pair[]).map((p) => (
						<tr key={p.id}>
							{name(p, !p.then ? t("hist_new") : !p.now ? t("hist_gone") : "")}
							<td>{amount(p.before)}</td>
							<td>{amount(p.after)}</td>
							<td class="hist-factor">{factorText(p.before, p.after) ?? ""}</td>
						</tr>
					)) : (shown as Program[]).map((p) => (
						<tr key={p.id} data-program={p.name}>
							{name(p, p.is_new ? t("hist_new") : "")}
							<td data-f="tx_bytes"><Bytes {...numbers} field="tx_bytes" n={p.tx} /></td>
							<td data-f="rx_bytes"><Bytes {...numbers} field="rx_bytes" n={p.rx} /></td>
							<td>{percent(p.tx + p.rx, total)}<Bar part={p.tx + p.rx} whole={list[0].tx + list[0].rx} /></td>
						</tr>
					))}
				</tbody>
			</table>
			{list.length > LINES ? <a class="more" href={linkTo({ view: "processes" })}>{t("hist_more")} ({count(list.length)}) →</a> : null}
		</Section>
	);
}

const serves = (r: Row) => textOf(r, "role") === "server";

/** Those of no address that is known are many. */
function peerText(r: Row): string {
	const address = textOf(r, "peer_address");
	const name = textOf(r, "peer_name");
	if (!address && (!name || name === "other"))
		return t("hist_peer_other");
	return visible(endpoint(name || address, serves(r) ? null : numberOf(r, "port") || null));
}

const PEER = ["program", "uid", "unit", "container_name", "role", "transport", "peer_name", "peer_address", "port"];

export function Peers({ answer, asked }: { answer: Answer | null; asked: Asked }) {
	const rows = answer?.rows.filter((r) => !isRest(r)) ?? [];
	const { shown, over } = useHeld(identified(rows, PEER), LINES, answer?.question);
	const sum = (r: Row) => numberOf(r, "tx_bytes") + numberOf(r, "rx_bytes");
	const numbers = { table: "history_peers", asked, verb: "peers" };
	return (
		<Section id="peers" title={t("hist_peers")} answer={answer} empty={!rows.length} sub={rows.length ? t("hist_peers_sub") : ""}>
			<table class="hist-table">
				<thead><tr>{[t("hist_name"), t("sent"), t("received")].map((x) => <th key={x} scope="col">{x}</th>)}</tr></thead>
				<tbody {...over}>
					{shown.map(({ id, row: r }) => (
						<tr key={id}>
							<th scope="row">
								<Name text={textOf(r, "program") || t("change_some")} />
								<span class="hist-peer" title={t(serves(r) ? "hist_from" : "hist_to")}>
									{serves(r) ? (numberOf(r, "port") ? `:${textOf(r, "port")} ← ` : " ← ") : " → "}
									<bdi>{peerText(r)}</bdi>
								</span>
							</th>
							<td><Bytes {...numbers} field="tx_bytes" n={numberOf(r, "tx_bytes")} /></td>
							<td>
								<Bytes {...numbers} field="rx_bytes" n={numberOf(r, "rx_bytes")} />
								<Bar part={sum(r)} whole={sum(rows[0])} />
							</td>
						</tr>
					))}
				</tbody>
			</table>
			<a class="more" href={linkTo({ view: "map" })}>{t("view_map")} →</a>
		</Section>
	);
}

export function Changes({ answer, title, sub, whole, before, after, began_ms }: {
	answer: Answer;
	title: string;
	sub: string;
	/** Goes back from one moment to the whole span; null when that is on show. */
	whole: (() => void) | null;
	/** The span that is compared with. */
	before: Range;
	after: Range;
	/** What is kept begins then; NaN: not known. */
	began_ms: number;
}) {
	/* Beside what nobody recorded all would be new. */
	const unknown = began_ms >= before.to_ms;
	const rows = unknown ? [] : answer.rows.slice(0, LINES);
	const { shown, over } = useHeld(identified(rows, ["kind", "program", "peer_name", "reason"]), LINES, answer.question);
	const after_s = keptSeconds(after, began_ms);
	const per_s = unlike(after_s, keptSeconds(before, began_ms)) ? after_s : 0;
	return (
		<Section id="changes" title={title} answer={answer} empty={!rows.length && !unknown} sub={
			<>
				{unknown ? t("hist_changed_unknown", { time: momentText(began_ms) })
					: [sub, began_ms > before.from_ms ? t("hist_changed_partly", { time: momentText(began_ms) }) : ""].filter(Boolean).join(" · ")}{" "}
				{whole ? <button type="button" class="hist-link" onClick={whole}>{t("hist_changed_whole")}</button> : null}
			</>
		}>
			<ol class="hist-changes" {...over}>
				{shown.map(({ id, row: r }) => {
					const filter = changeFilter(r);
					const text = changeText(r, per_s);
					const factor = factorText(numberOf(r, "before"), numberOf(r, "after"));
					return (
						<li key={id} class={textOf(r, "kind")}>
							{filter ? (
								<a href={linkTo({ view: "history", filter, more: store.route.more })} title={t("hist_filter")}><bdi>{text}</bdi></a>
							) : <bdi>{text}</bdi>}
							{cell(r, "new") === true ? <b class="hist-new">{t("hist_new")}</b> : factor && factor !== "=" ? <b class="hist-times">{factor}</b> : null}
						</li>
					);
				})}
			</ol>
		</Section>
	);
}

export function Events({ answer }: { answer: Answer | null }) {
	const [all, setAll] = useState(false);
	const rows = answer?.rows ?? [];
	const total = rows.reduce((n, r) => n + eventCount(r), 0);
	const cut = answer ? eventsCut(answer) : "";
	return (
		<Section id="events" title={total ? `${t("hist_events")}: ${count(total)}${cut ? "+" : ""}` : t("hist_events")} answer={answer} empty={false} sub={cut}>
			{answer?.state === "there" && !rows.length ? <p class="note">{t("hist_events_none")}</p> : null}
			<ol class="hist-events">
				{identified(rows.slice(0, all ? rows.length : LINES), ["time", "kind", "program", "uid"]).map(({ id, row: r }) => {
					const kind = eventKind(r);
					return (
						<li key={id}>
							<span class={`hist-glyph ${kind ?? ""}`} aria-hidden="true">{kind ? EVENT_MARKS[kind] : "·"}</span>
							<time>{momentText(Date.parse(textOf(r, "time")))}</time>
							<bdi title={visible(said(textOf(r, "summary")))}>{eventText(r)}</bdi>
							{eventCount(r) > 1 ? <b class="hist-times">×{count(eventCount(r))}</b> : null}
						</li>
					);
				})}
			</ol>
			{!all && rows.length > LINES ? (
				<button type="button" class="hist-link" onClick={() => setAll(true)}>{t("hist_more")} ({count(total)})</button>
			) : null}
		</Section>
	);
}

const USE_DAYS = 14;
const USE_SECONDS = 366 * 86400;

/** The last days or months, whatever the span is. */
export function Use({ filter }: { filter: string }) {
	const [field, setField] = useState<"day" | "month">("day");
	const table = field === "day" ? "history_days" : "history_months";
	const from = field === "day" ? `-${USE_DAYS * 86400}` : `-${USE_SECONDS}`;
	const answer = useRows(table, { from, filter, fields: `${field},program,uid,tx_bytes,rx_bytes` }, 60e3);
	/* While the other one is asked for, the rows are those of the question before. */
	const list = answer.state === "there" ? useOf(answer.rows, field).slice(0, USE_DAYS) : [];
	const most = list.reduce((n, u) => Math.max(n, u.tx + u.rx), 0);
	const numbers = { table, asked: { since: `--since ${field === "day" ? USE_DAYS : 366}d`, filter }, verb: field === "day" ? "days" : "months" };
	return (
		<Section id="use" title={t(field === "day" ? "hist_use" : "hist_use_months")} answer={answer} empty={!list.length} sub={
			<span class="hist-choice" role="group" aria-label={t("hist_use")}>
				{(["day", "month"] as const).map((f) => (
					<button key={f} type="button" aria-pressed={f === field} onClick={() => setField(f)}>{t(f === "day" ? "hist_days" : "hist_months")}</button>
				))}
			</span>
		}>
			<table class="hist-table">
				<thead>
					<tr>{[t("hist_period"), t("sent"), t("received"), t("hist_largest")].map((x) => <th key={x} scope="col">{x}</th>)}</tr>
				</thead>
				<tbody>
					{list.map((u) => (
						<tr key={u.period} data-period={u.period}>
							<th scope="row">{visible(u.period)}<Bar part={u.tx + u.rx} whole={most} /></th>
							<td><Bytes {...numbers} field="tx_bytes" n={u.tx} /></td>
							<td><Bytes {...numbers} field="rx_bytes" n={u.rx} /></td>
							<td class="hist-who" title={visible(u.who)}>{percent(u.part, u.tx + u.rx)}{"\u00a0% "}<Name text={u.who} /></td>
						</tr>
					))}
				</tbody>
			</table>
		</Section>
	);
}

/** How far back each level reaches, how full the file is, and what could not be written. */
export function Kept({ answer }: { answer: Answer }) {
	const file = answer.rows.find((r) => textOf(r, "level") === "file");
	const levels = answer.rows.filter((r) => r !== file);
	const lost = file ? numberOf(file, "lost_seconds") : 0;
	const reason = file ? said(textOf(file, "reason")) : "";
	return (
		<Section id="kept" title={t("hist_kept")} answer={answer} empty={!levels.length} sub={file ? (
			<>
				{t("hist_file", { bytes: join(bytes(numberOf(file, "bytes"))), limit: join(bytes(numberOf(file, "limit_bytes"))) })}
				{" · "}
				{lost ? <span class="badge" title={t("hist_lost_help")}>⚠ {t("hist_lost_n", { n: count(lost) })}</span> : t("hist_lost_0")}
				{reason ? <span class="badge">⚠ {t("hist_unwritten", { reason: visible(reason) })}</span> : null}
			</>
		) : null}>
			<table class="hist-table">
				<thead><tr>{[t("hist_level"), t("hist_kept_for"), t("hist_since")].map((x) => <th key={x} scope="col">{x}</th>)}</tr></thead>
				<tbody>
					{levels.map((r) => (
						<tr key={textOf(r, "level")}>
							<th scope="row" title={textOf(r, "level")}>{visible(fieldValue("level", textOf(r, "level")))}</th>
							<td>{durationText(numberOf(r, "kept_seconds"))}</td>
							<td>{textOf(r, "oldest") ? momentText(Date.parse(textOf(r, "oldest"))) : ""}</td>
						</tr>
					))}
				</tbody>
			</table>
		</Section>
	);
}
