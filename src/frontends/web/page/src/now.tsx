// SPDX-License-Identifier: GPL-2.0-or-later
// Now: the answer as a sentence, and below it what the sentence rests on. Of a span of the past the same, from history.

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { RatesPlot, spanFor } from "./chart";
import { bytes, clock, count, join, microseconds, rate, shellWords, visible } from "./format";
import { Lost, durationText } from "./header";
import { unseenLosses } from "./health";
import { fieldWords, t } from "./i18n";
import { classOf, total as sumOf } from "./losses";
import { KEYS, type Row, isRest, keyOf, knowsFilter, numberOf, pastSelector, textOf, together } from "./model";
import { type Answer, useRows } from "./past";
import { ProgramLine, VerdictLine, programFilter, programLink, sinceWords } from "./programs";
import { Explain } from "./explain";
import { said } from "./said";
import { type Talker, pastSteps, programOf, stepOf, steps, verdict, windowFor } from "./series";
import { linkTo, mostly, useStore } from "./store";
import type { RowsQuery } from "./stream";
import { type Span, refreshMs, when } from "./time";
import { ClassName, Empty, Filtered, Name, Rate, Sentence, Slow, useHeld, useKeptFocus, useTallest } from "./ui";
import { VIEWS } from "./views";
import { Weir } from "./weir";

const TALKERS_SHOWN = 8;
const NEW_SHOWN = 6;
const NEW_ASKED = 64; /* several of one name make one line */
const LARGEST_SHOWN = 5;
const PROGRAM_FIELDS = "program,uid,unit,container_id,container_name,pod_name,tx_bytes,rx_bytes,connections,lost_packets,first_seen";
const FINDINGS_SHOWN = 3;
const SLOW_EVERY_MS = 5000;

/* A line more in one of them moves none of the others. */
function Finding({ of: f, children }: { of: Row; children: ComponentChildren }) {
	return <li class={classOf(f)} ref={useTallest<HTMLLIElement>()}>{children}</li>;
}

/* Of the whole host, whatever the filter: what is wrong is said. There is room for as many as there were when Now was
 * opened, or for a line: who comes later takes the place of a lesser one or is counted, and nothing below moves. */
function Findings({ all }: { all: readonly Row[] }) {
	const s = useStore();
	const [room] = useState(Math.min(all.length, FINDINGS_SHOWN));
	const shown = all.slice(0, room || 1);
	const more = all.length - shown.length;
	return (
		<section class={room ? "findings" : "findings brief"} aria-label={t("findings")} ref={useTallest<HTMLElement>(s.language + s.filter + Object.keys(fieldWords()).length, "height")}>
			{more ? <a class="more" href={linkTo({ view: "drops", filter: "" })}>{t("findings_more", { n: more })} →</a> : null}
			{s.findings && !all.length && unseenLosses(s.doctor) === null ? <p class="note">✓ {t("findings_none")}</p> : null}
			<ul>
				{shown.map((f) => {
					const view = VIEWS.find((v) => v.name === textOf(f, "object"))?.name;
					const summary = said(textOf(f, "summary"));
					const words = <Name text={summary} />;
					const advice = visible(said(textOf(f, "advice")));
					return (
						<Finding key={`${textOf(f, "feature")} ${textOf(f, "id")}`} of={f}>
							<p class="finding">
								<ClassName of={classOf(f)} />{" "}
								{view ? (
									<a href={linkTo({ view, filter: textOf(f, "filter"), from: "", to: "" })} title={`${visible(summary)}\n${advice}`}>{words} →</a>
								) : words}
								{s.filter && f === shown[0] ? <span class="note"> · {t("findings_host")}</span> : null}
							</p>
							<p class="finding-advice">{advice}</p>
						</Finding>
					);
				})}
			</ul>
		</section>
	);
}

/** A list with its heading; its lines stand below the same columns. */
function Talkers({ list, empty, span, end_s, window_s, more }: {
	list: readonly Talker[];
	empty: boolean;
	span: Span | null;
	end_s: number;
	window_s: number;
	more: string;
}) {
	const { filter } = useStore();
	const per = (n: number) => (span ? bytes(n) : rate(n));
	const lines = useRef<HTMLOListElement>(null);
	useKeptFocus(lines);
	const { shown, over } = useHeld(list, TALKERS_SHOWN);
	const fields = span ? (["tx_bytes", "rx_bytes"] as const) : (["tx_bytes_per_second", "rx_bytes_per_second"] as const);
	return (
		<section class="talkers" aria-labelledby="talkers-title">
			<div class="section-head">
				<h2 id="talkers-title">{t("talkers_title")}<Lost /></h2>
				<span class="head-spark" aria-hidden="true">{t("spark_label", { time: durationText(window_s) })}</span>
				<span class="head-n" aria-hidden="true">{t("sent")}</span>
				<span class="head-n" aria-hidden="true">{t("received")}</span>
			</div>
			{empty ? <Empty title={t(filter ? "empty_filter" : "talkers_none")}>{t(filter ? "empty_filter_sub" : span ? "past_none_sub" : "empty_sub")}</Empty> : null}
			<ol ref={lines} {...over}>
				{shown.map((x) => (
					<ProgramLine key={x.id} of={x} span={span} end_s={end_s} window_s={window_s} quantity={per} fields={fields} />
				))}
			</ol>
			<a class="more" href={more}>{t("talkers_all")} →</a>
		</section>
	);
}

/** Programs whose first use of a socket lies in the day that began at since_ms, latest first. */
export function newcomers<T extends { first_ms: number }>(list: Iterable<T>, since_ms: number): T[] {
	return [...list].filter((n) => n.first_ms >= since_ms && n.first_ms < Infinity).sort((a, b) => b.first_ms - a.first_ms);
}

const newcomerOf = (row: Row) => ({ ...pastProgram(row), first_ms: Date.parse(textOf(row, "first_seen")) });

/** A program of a table of the past, named as those of processes are. */
export function pastProgram(row: Row): { id: string; name: string; place: string } {
	return isRest(row) ? { id: "", name: t("all_others"), place: "" } : programOf({ ...row, comm: textOf(row, "program") });
}

/* Today, which is the daemon's day and not the browser's, or within the span. Where there is no history: of the
 * processes that are known. */
function NewPrograms({ now_ms, span, stored }: { now_ms: number; span: Span | null; stored?: Answer }) {
	const s = useStore();
	const filter = s.filterFor("history");
	/* The answer itself says it soonest that another day has begun. */
	const today = useRef("");
	const day = today.current || stored?.envelope?.day_start || "";
	const from = span?.from ?? day;
	const words = `${filter} new:true`.trim();
	const asked = useRows("history", s.tables.has("history") && from ? {
		filter: words, from, to: span?.to, sort: "first_seen", limit: NEW_ASKED,
		fields: "program,uid,unit,container_id,container_name,pod_name,first_seen,new",
	} : null, span && !span.sliding ? 0 : SLOW_EVERY_MS);
	today.current = asked.envelope?.day_start ?? today.current;
	const failed = (from ? asked : stored)?.state === "failed";
	/* What once answered is waited for: a number of something else in its place would look like news. */
	const answered = useRef(false);
	answered.current ||= asked.envelope !== null;
	const fromHistory = span !== null || answered.current || (s.tables.has("history") && !failed);
	const known = !fromHistory || asked.envelope !== null;
	const all = fromHistory
		? asked.rows.map(newcomerOf)
		: newcomers(s.talkers, Date.parse(day) || new Date(now_ms).setHours(0, 0, 0, 0));
	const list = together(all).slice(0, NEW_SHOWN);
	const total = Math.max(all.length, fromHistory ? (asked.envelope?.total ?? 0) : 0);
	const rest = total - list.reduce((n, x) => n + x.n, 0);
	const title = t(span ? "new_span" : "new_title");
	return (
		<section class="new" aria-labelledby="new-title">
			<h2 id="new-title">
				{title}
				{!known ? null : <Explain class="count" of={{
					table: fromHistory ? "history" : "processes", field: fromHistory ? "new" : "first_seen", title: `${title}: ${total}`,
					command: fromHistory ? `weir history ${span ? sinceWords(span) : "--since today"} ${shellWords(words)}` : `weir processes --columns comm,first_seen ${shellWords(filter)}`,
				}}>{count(total)}</Explain>}
			</h2>
			<div class="new-room">
				{!known ? <p class="note">{t(failed ? "past_failed" : "past_asking")}</p>
					: failed && fromHistory ? <p class="note gone">{t("new_stale", { time: clock(Date.parse(asked.envelope!.time)) })}</p>
					: total === 0 ? <p class="note">{t(filter ? "new_none_filter" : span ? "new_none_span" : "new_none")}</p> : null}
				<ul>
					{list.map((n) => (
						<li key={n.id + n.place}>
							<a href={programLink(n.name)}>
								<time dateTime={new Date(n.first_ms).toISOString()}>{when(n.first_ms, now_ms)}</time>
								<span class="who-name"><Name text={n.name} /></span>
								<span class="who-place">
									{n.first_ms > s.opened_ms ? <b title={t("new_since")}>{t("new_badge")}</b> : null}{" "}
									{n.n > 1 ? `×${n.n} ` : ""}{visible(n.place)}
								</span>
							</a>
						</li>
					))}
				</ul>
				{rest > 0 ? (
					<a class="more" href={linkTo(fromHistory ? { view: "processes", filter: words, from, to: span?.to ?? "", sort: "first_seen" } : { view: "processes", sort: "first_seen" })}>
						{t("new_more", { n: count(rest) })} →
					</a>
				) : null}
			</div>
		</section>
	);
}

const totals = (list: readonly Talker[]) => {
	let tx = 0;
	let rx = 0;
	for (const x of list) {
		tx += x.tx;
		rx += x.rx;
	}
	return { tx, rx };
};

function Page({ snapshot, stale, children }: { snapshot: number; stale?: boolean; children: ComponentChildren }) {
	return <div class={stale ? "now stale" : "now"} data-snapshot={snapshot}>{children}</div>;
}

/* What is slow, and what is lost, in a sentence each. */
function SlowAndLost() {
	const s = useStore();
	const table = s.tables.get("flows");
	const shown = s.channel.shown ?? "";
	const a = useRows("flows", table && s.processes.loaded && knowsFilter(table, shown) ? {
		filter: `${shown} state:established`.trim(), sort: "srtt_us", limit: 1, fields: "cookie,comm,peer_address,peer_name,peer_port,srtt_us",
	} : null, SLOW_EVERY_MS);
	const slow = a.rows.find((r) => numberOf(r, "srtt_us") > 0);
	const { last } = s.losses;
	const lost = last && s.losses_filter === shown ? sumOf(last, "rate") : 0;
	const drops = (text: string) => <a href={linkTo({ view: "drops", filter: "" })}>{text}</a>;
	return (
		<>
			{slow ? (
				<Sentence of="slowest" values={{
					who: <a href={linkTo({ view: "flows", sort: "srtt_us", row: keyOf(slow, KEYS.flows) })}><Name text={textOf(slow, "comm") || "?"} /></a>,
					peer: <Name text={textOf(slow, "peer_name") || textOf(slow, "peer_address")} />,
					rtt: join(microseconds(numberOf(slow, "srtt_us"))),
				}} />
			) : null}{" "}
			{shown ? null : lost ? drops(t("lost_rate", { n: count(Math.max(1, Math.round(lost))) }))
				: last && s.losses_filter === shown && unseenLosses(s.doctor) === null ? t("lost_no") : null}
		</>
	);
}

function Live() {
	const s = useStore();
	const set = s.processes;
	const stored = useRows("history_store", s.tables.has("history_store") ? {} : null, 60e3);
	const end_s = set.time_ms / 1000;
	const total = totals(s.talkers);
	const { history, verdict: v } = s;
	const peer = s.peer && s.peer.who === v.who?.id && s.peer.direction === v.direction ? s.peer.name : "";
	const window_s = windowFor(history.recorded_s);
	const words = shellWords(s.channel.shown ?? "");
	const since = history.since_s ? clock(history.since_s * 1000) : "";
	return (
		<Page snapshot={set.snapshot}>
			<div class="now-head" ref={useTallest()}>
				{set.loaded ? (
					<>
						<VerdictLine of={v} peer={peer} past={false} quantity={rate} />
						<p class="verdict-sub">
							{v.kind === "quiet" && !s.channel.shown ? t("quiet_sub") + " " : ""}
							{t("sub_line", { processes: count(s.programs.running), open: count(s.programs.open), host: visible(s.host) })}{" "}
							<SlowAndLost />
							<Filtered by={s.channel.shown} />
						</p>
					</>
				) : (
					<>
						<h1 id="verdict" class="verdict">{t("waiting")}</h1>
						<p class="verdict-sub">{t("waiting_sub")}</p>
					</>
				)}
			</div>
			{s.findings !== undefined && s.tables.has("findings") ? <Findings all={s.findings ?? []} /> : null}
			{s.findings === undefined ? null : <><div class="column">
				<RatesPlot
					title={t("rates_title", { time: durationText(window_s) })}
					lost={<Lost />}
					curve={(width) => {
						const span = spanFor(width, window_s);
						return {
							tx: steps(history.time, history.tx, end_s, window_s, span),
							rx: steps(history.time, history.rx, end_s, window_s, span),
							window_s,
							single: span === 1,
							stamp: `${history.time[history.time.length - 1]} ${history.time.length} ${span}`,
						};
					}}
					note={(span) => (span === 1 ? t("rates_since_1") : t("rates_since", { span }))}
					legend={(way) => (
						<Explain of={{
							table: "processes", field: `${way}_bytes_per_second`, value: total[way],
							help: t("sum_all"), command: `weir top${words ? ` ${words}` : ""}`,
						}}><Rate n={total[way]} /></Explain>
					)}
					sum={(way, narrow) => (since ? t(narrow ? "integral_short" : `integral_${history.why}`, {
						bytes: join(bytes(way === "tx" ? history.sum_tx : history.sum_rx)), time: since,
					}) : "")}
					label={t("rates_label", { tx: join(rate(total.tx)), rx: join(rate(total.rx)) })}
				/>
				<Talkers
					list={s.talkers}
					empty={s.talkers.length === 0 && set.loaded}
					span={null}
					end_s={end_s}
					window_s={window_s}
					more={linkTo({ view: "processes", sort: "tx_bytes_per_second" })}
				/>
			</div>
			<div class="aside">
				<NewPrograms now_ms={set.time_ms} span={null} stored={stored} />
				<Weir stored={stored} />
			</div></>}
		</Page>
	);
}

/** Programs of a span: as those of now, with what they moved in place of rates. */
export function pastTalkers(rows: readonly Row[]): Talker[] {
	const found = new Map<string, Talker>();
	for (const row of rows) {
		const p = pastProgram(row);
		let x = found.get(p.id);
		if (!x)
			found.set(p.id, (x = { ...p, pids: [], tx: 0, rx: 0, tx_bytes: 0, rx_bytes: 0, open: 0, first_ms: Infinity }));
		x.tx += numberOf(row, "tx_bytes");
		x.rx += numberOf(row, "rx_bytes");
		x.open += numberOf(row, "connections");
		x.first_ms = Math.min(x.first_ms, Date.parse(textOf(row, "first_seen")) || Infinity);
	}
	return [...found.values()].sort((a, b) => b.tx + b.rx - (a.tx + a.rx) || (a.id < b.id ? -1 : 1));
}

/* The first rows of a table of the past: what, whose, how much. */
function Largest({ title, view, table, query, every, line }: {
	title: string;
	view: string;
	table: string;
	query: RowsQuery;
	every: number;
	line: (row: Row) => { name: string; of: string; field: string };
}) {
	const s = useStore();
	const a = useRows(table, s.knowsPast(query.filter ?? "", table) ? query : null, every);
	const rows = a.rows.filter((r) => !isRest(r) && numberOf(r, line(r).field) > 0).slice(0, LARGEST_SHOWN);
	if (!rows.length)
		return null;
	return (
		<section class="new" aria-label={title}>
			<h2>{title}<a class="head-more" href={linkTo({ view })}>{t("see_all")} →</a></h2>
			<ul class="largest">
				{rows.map((r) => {
					const { name, of, field } = line(r);
					const n = numberOf(r, field);
					return (
						<li key={`${name} ${of} ${textOf(r, "port")} ${textOf(r, "role")} ${textOf(r, "device")}`}>
							<span class="who-name"><Name text={name} /></span>
							<span class="who-place">{visible(of)}</span>
							<Explain of={{
								table, field, value: n,
								command: `weir ${table.replace("_", " ")} ${sinceWords(s.span!)} --exact ${shellWords(pastSelector(r))}`,
							}}>{field === "packets" ? count(n) : join(bytes(n))}</Explain>
						</li>
					);
				})}
			</ul>
		</section>
	);
}

function Past({ span }: { span: Span }) {
	const s = useStore();
	const filter = s.filterFor("history");
	const query = { filter, from: span.from, to: span.to };
	const largest = { ...query, limit: LARGEST_SHOWN + 1 }; /* the remainder may be among them */
	const every = span.sliding ? refreshMs(span) : 0;
	const able = s.tables.has("history");
	const programs = useRows("history", able ? { ...query, fields: PROGRAM_FIELDS } : null, every);
	const curve = useRows("history_rates", able ? query : null, every);
	const list = pastTalkers(programs.rows);
	const v = verdict(list);
	const way = v.direction;
	const peers = useRows("history_peers", able && v.who?.id ? {
		filter: `${filter} ${programFilter(v.who)}`.trim(), from: span.from, to: span.to, sort: `${way}_bytes`, limit: 256,
	} : null, every);
	const peer = v.who && peers.state === "there" ? mostly(peers.rows, `${way}_bytes`, v.who.id, way).name : "";
	const rows = curve.rows.map(stepOf);
	const total = totals(list);
	/* Losses need no program: those of the curve are all. */
	const lost = curve.rows.reduce((n, r) => n + numberOf(r, "lost_packets"), 0);
	const failed = programs.state === "failed" ? programs : curve.state === "failed" ? curve : null;
	const from_s = Date.parse(curve.envelope?.from ?? "") / 1000 || span.from_ms / 1000;
	const to_s = Date.parse(curve.envelope?.to ?? "") / 1000 || span.to_ms / 1000;
	const window_s = to_s - from_s;
	const words = shellWords(filter);
	if (!able && s.tables.size)
		return <div class="now"><Empty title={t("past_absent")}>{t("past_filter_sub")}</Empty></div>;
	if (failed && !failed.envelope)
		return <div class="now"><Empty title={t("past_failed")}>{visible(failed.error)}</Empty></div>;
	return (
		<Page snapshot={programs.envelope?.snapshot ?? 0} stale={programs.state === "asking"}>
			{failed ? <p class="gone" role="alert">{t("past_failed")}: {visible(failed.error)}</p> : null}
			<div class="now-head">
				{programs.envelope ? (
					<>
						<VerdictLine of={v} peer={peer} past quantity={bytes} />
						<p class="verdict-sub">
							{t("past_sub", { programs: count(list.filter((x) => x.id).length), host: visible(s.host) })}{" "}
							{lost ? <a href={linkTo({ view: "drops" })}>{t("past_lost", { n: count(lost) })}</a>
								: curve.envelope && unseenLosses(s.doctor) === null ? t("past_lost_none") : ""}
							<Filtered by={filter} />
						</p>
					</>
				) : (
					<>
						<h1 id="verdict" class="verdict">{t("past_asking")}</h1>
						<p class="verdict-sub"><Slow /></p>
					</>
				)}
			</div>
			<div class="column">
				<RatesPlot
					title={t("rates_title_past", { time: durationText((span.to_ms - span.from_ms) / 1000) })}
					curve={(width) => {
						const step = Math.max(1, Math.ceil((window_s * 2) / Math.max(1, width - 74)));
						return {
							tx: pastSteps(rows, "tx", from_s, to_s, step),
							rx: pastSteps(rows, "rx", from_s, to_s, step),
							window_s,
							single: false,
							stamp: `${curve.envelope?.snapshot} ${from_s} ${to_s} ${rows.length} ${step}`,
						};
					}}
					note={(step) => t("rates_past", { time: durationText(step) })}
					legend={(w) => (
						<Explain of={{
							table: "history_rates", field: `${w}_bytes`, value: total[w],
							command: `weir history rates ${sinceWords(span)} ${words}`.trim(),
						}}>{join(bytes(total[w]))}</Explain>
					)}
					sum={() => ""}
					label={t("rates_label_past", { tx: join(bytes(total.tx)), rx: join(bytes(total.rx)) })}
				/>
				<Talkers
					list={list}
					empty={list.length === 0 && programs.state === "there"}
					span={span}
					end_s={to_s}
					window_s={window_s}
					more={linkTo({ view: "processes" })}
				/>
			</div>
			<div class="aside">
				<NewPrograms now_ms={span.to_ms} span={span} />
				<Largest
					title={t("past_peers")}
					view="flows"
					table="history_peers"
					query={{ ...largest, sort: "tx_bytes" }}
					every={every}
					line={(r) => ({ name: textOf(r, "peer_name") || textOf(r, "peer_address"), of: textOf(r, "program") && t("by_program", { who: textOf(r, "program") }), field: "tx_bytes" })}
				/>
				<Largest
					title={t("past_losses")}
					view="drops"
					table="history_losses"
					query={largest}
					every={every}
					line={(r) => ({ name: textOf(r, "reason"), of: textOf(r, "program"), field: "packets" })}
				/>
			</div>
		</Page>
	);
}

export function Now() {
	const { span } = useStore();
	return span ? <Past span={span} /> : <Live />;
}

