// SPDX-License-Identifier: GPL-2.0-or-later
// Now: the answer as a sentence, and below it what the sentence rests on.

import type { ComponentChildren } from "preact";
import { Rates, Spark } from "./chart";
import { clock, count, filterValue, join, percent, rate, visible } from "./format";
import { type StringKey, t } from "./i18n";
import { type Row, textOf } from "./model";
import { formatRoute } from "./route";
import { type Talker, programOf, windowFor } from "./series";
import { store, useStore } from "./store";
import { useStatus } from "./header";
import { Empty, Name, Rate, Sentence } from "./ui";

const TALKERS_SHOWN = 8;
const NEW_SHOWN = 6;

function programLink(name: string): string {
	const term = "process:" + filterValue(name);
	const filter = store.route.filter ? `${store.route.filter} ${term}` : term;
	return formatRoute({ view: "processes", filter, sort: "", row: "" });
}

function Verdict() {
	const s = useStore();
	const v = s.verdict;
	if (!s.processes.loaded)
		return (
			<>
				<h1 id="verdict" class="verdict">{t("waiting")}</h1>
				<p class="verdict-sub">{t("waiting_sub")}</p>
			</>
		);
	let key: StringKey = "quiet";
	const peer = s.peer && s.peer.who === v.who?.id && s.peer.direction === v.direction ? s.peer.name : "";
	if (v.kind === "leads" && v.direction === "tx")
		key = peer ? "sends_to" : "sends";
	else if (v.kind === "leads")
		key = peer ? "receives_from" : "receives";
	else if (v.kind === "spread")
		key = v.direction === "tx" ? "spread_sends" : "spread_receives";
	const open = s.talkers.reduce((n, x) => n + x.open, 0);
	return (
		<>
			<h1 id="verdict" class="verdict">
				<Sentence
					of={key}
					values={{
						who: v.who ? <a class="who" href={programLink(v.who.name)}><Name text={v.who.name} /></a> : "",
						share: <span class="figure">{percent(v.part, v.total)}</span>,
						total: <span class="figure">{join(rate(v.total))}</span>,
						peer: <span class="figure"><Name text={peer} /></span>,
						programs: <span class="figure">{count(v.programs)}</span>,
					}}
				/>
			</h1>
			<p class="verdict-sub">
				{v.kind === "quiet" ? t("quiet_sub") + " " : ""}
				{t("sub_line", { processes: count(s.processes.rows.size), open: count(open), host: visible(s.host) })}
				{s.channel.shown ? <span class="filtered">{t("filter_applies")}: <code>{visible(s.channel.shown)}</code></span> : null}
			</p>
		</>
	);
}

function Talkers({ end_s }: { end_s: number }) {
	const s = useStore();
	const list = s.talkers.slice(0, TALKERS_SHOWN);
	const window_s = windowFor(s.history.recorded_s);
	return (
		<section class="talkers" aria-labelledby="talkers-title">
			<div class="section-head">
				<h2 id="talkers-title">{t("talkers_title")}</h2>
				<span class="head-spark" aria-hidden="true">{t("spark_label", { n: window_s / 60 })}</span>
				<span class="head-n" aria-hidden="true">{t("sent")}</span>
				<span class="head-n" aria-hidden="true">{t("received")}</span>
			</div>
			{list.length === 0 && s.processes.loaded ? <Empty title={t("talkers_none")}>{t("empty_sub")}</Empty> : null}
			<ol>
				{list.map((x) => <TalkerLine key={x.id} of={x} end_s={end_s} window_s={window_s} />)}
			</ol>
			<a class="more" href={formatRoute({ ...s.route, view: "processes", row: "", sort: "tx_bytes_per_second" })}>
				{t("talkers_all")} →
			</a>
		</section>
	);
}

function TalkerLine({ of, end_s, window_s }: { of: Talker; end_s: number; window_s: number }) {
	const place = [of.place, of.pids.length > 1 ? t("talkers_processes", { n: of.pids.length }) : ""];
	return (
		<li data-program={of.id}>
			<a href={programLink(of.name)}>
				<span class="who">
					<span class="who-name"><Name text={of.name} /></span>
					<span class="who-place">{place.filter(Boolean).map(visible).join(" · ") || `pid ${of.pids[0]}`}</span>
				</span>
				<Spark line={store.history.line(of.id)} end_s={end_s} window_s={window_s} />
				<span class="figure" data-f="tx"><span class="sr">{t("sent")} </span><Rate n={of.tx} /></span>
				<span class="figure" data-f="rx"><span class="sr">{t("received")} </span><Rate n={of.rx} /></span>
			</a>
		</li>
	);
}

interface Newcomer {
	id: string;
	name: string;
	place: string;
	first_ms: number;
}

/** Programs whose first use of a socket lies in the day of now_ms, latest first. */
export function newcomers(rows: Iterable<Row>, now_ms: number): Newcomer[] {
	const day = new Date(now_ms);
	day.setHours(0, 0, 0, 0);
	const first = new Map<string, Newcomer>();
	for (const row of rows) {
		const ms = Date.parse(textOf(row, "first_seen"));
		const p = programOf(row);
		const known = first.get(p.id);
		if (Number.isNaN(ms))
			continue;
		if (!known)
			first.set(p.id, { ...p, first_ms: ms });
		else if (ms < known.first_ms)
			known.first_ms = ms;
	}
	return [...first.values()].filter((n) => n.first_ms >= day.getTime()).sort((a, b) => b.first_ms - a.first_ms);
}

function NewPrograms({ now_ms }: { now_ms: number }) {
	const s = useStore();
	const list = newcomers(s.processes.rows.values(), now_ms);
	return (
		<section class="new" aria-labelledby="new-title">
			<h2 id="new-title">{t("new_title")}</h2>
			{list.length === 0 ? <p class="note">{t("new_none")}</p> : null}
			<ul>
				{list.slice(0, NEW_SHOWN).map((n) => (
					<li key={n.id}>
						<a href={programLink(n.name)}>
							<time dateTime={new Date(n.first_ms).toISOString()}>{clock(n.first_ms).slice(0, 5)}</time>
							<span class="who-name"><Name text={n.name} /></span>
							<span class="who-place">
								{visible(n.place)}
								{n.first_ms > s.opened_ms ? <b title={t("new_since")}>{t("new_badge")}</b> : null}
							</span>
						</a>
					</li>
				))}
			</ul>
			{list.length > NEW_SHOWN ? <p class="note">{t("new_more", { n: list.length - NEW_SHOWN })}</p> : null}
		</section>
	);
}

/** What doctor says in three words: features that are on, those that are not, and lesser limits of this kernel. */
export function diagnosis(doctor: readonly Row[]) {
	const on = new Set<string>();
	const off = new Map<string, Row>();
	const degraded: Row[] = [];
	for (const row of doctor) {
		const state = textOf(row, "state");
		const name = textOf(row, "feature");
		if (state === "on")
			on.add(name);
		else if (state === "degraded")
			degraded.push(row);
		else
			off.set(name, row);
	}
	/* A hook set that is not in use is no loss where another one serves. */
	return { on: [...on], off: [...off].filter(([name]) => !on.has(name)).map(([, row]) => row), degraded };
}

function Line({ mark, title, command, children }: {
	mark: "fine" | "wrong" | "note";
	title?: string;
	command?: string;
	children: ComponentChildren;
}) {
	return (
		<li class={mark} title={title}>
			<span class="mark" aria-hidden="true">{{ fine: "✓", wrong: "!", note: "·" }[mark]}</span>
			<span>
				{children}
				{command ? <>{" "}<code>{command}</code></> : null}
			</span>
		</li>
	);
}

function Health() {
	const s = useStore();
	const { kind, text } = useStatus();
	const d = diagnosis(s.doctor);
	const wrong = s.audit.filter((r) => r.ok === false);
	const reason = (r: Row) => visible(textOf(r, "reason") || textOf(r, "state"));
	return (
		<section class="health" aria-labelledby="health-title">
			<h2 id="health-title">{t("health_title")}</h2>
			<ul>
				<Line mark={kind === "live" ? "fine" : "wrong"}>{text}</Line>
				{s.lost
					? <Line mark="wrong">{t("lost_badge", { n: count(s.lost) })}. {t("lost_help", { n: count(s.lost) })}</Line>
					: <Line mark="fine">{t("health_lost_none")}</Line>}
				{d.on.map((name) => (
					<Line key={name} mark="fine" command="weir doctor">{t("health_on", { name: visible(name) })}</Line>
				))}
				{d.off.map((r) => (
					<Line key={textOf(r, "feature")} mark={textOf(r, "state") === "off" ? "note" : "wrong"} command="weir doctor">
						{t("health_off", {
							name: visible(textOf(r, "feature")),
							state: visible(textOf(r, "state")),
							reason: reason(r),
						})}
					</Line>
				))}
				{d.degraded.length ? (
					<Line mark="note" title={d.degraded.map(reason).join("\n")} command="weir doctor">
						{t("health_degraded", { n: d.degraded.length })}
					</Line>
				) : null}
				{s.audit.length && !wrong.length ? <Line mark="fine" command="weir audit">{t("health_audit")}</Line> : null}
				{wrong.map((r) => (
					<Line key={textOf(r, "scope")} mark="wrong" title={visible(textOf(r, "help"))} command="weir audit">
						{t("health_audit_gap", { scope: visible(textOf(r, "scope")) })}
					</Line>
				))}
			</ul>
			<p class="note">
				{t("health_snapshot", { n: count(s.processes.snapshot), time: clock(s.processes.time_ms) })}
			</p>
		</section>
	);
}

export function Now() {
	const s = useStore();
	const end_s = s.processes.time_ms / 1000;
	const total = { time: end_s, tx: 0, rx: 0 };
	for (const x of s.talkers) {
		total.tx += x.tx;
		total.rx += x.rx;
	}
	return (
		<div class="now" data-snapshot={s.processes.snapshot}>
			<div class="now-head">
				<Verdict />
			</div>
			<Rates history={s.history} end_s={end_s} total={total} />
			<Talkers end_s={end_s} />
			<div class="aside">
				<NewPrograms now_ms={s.processes.time_ms} />
				<Health />
			</div>
		</div>
	);
}
