// SPDX-License-Identifier: GPL-2.0-or-later
// Processes, Flows and Drops: what there is to say in a sentence, a table, and beside it the details of one row. Live from
// the streams; of a span of the past from the tables that history keeps.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import words from "words:tables";
import { streamFields } from "./channel";
import type { DetailsProps, Story } from "./details";
import { bytes, count, join, microseconds, rate, shellWord, shellWords, visible } from "./format";
import { Grid } from "./grid";
import { Lost } from "./header";
import { unseenLosses } from "./health";
import { addWords, t } from "./i18n";
import { useSince } from "./lossparts";
import { Dataset, type Row, type Table, formatSort, isRest, keysOf, numberOf, parseSort, textOf } from "./model";
import { useBegun, useRows } from "./past";
import { programLink, sinceWords } from "./programs";
import { said } from "./said";
import { type Detail, linkTo, store, useStore } from "./store";
import { type Span, refreshMs, when } from "./time";
import { CopyButton, Empty, Filtered, Name, Sentence, Slow } from "./ui";
import { useView } from "./views";
import "./tables.css";

addWords(words);

/** What the past has in place of a table. */
const PAST: Record<string, string> = { processes: "history", flows: "history_peers", drops: "history_losses" };
const PAST_ROWS = 10000;

export interface TableProps {
	name: string;
	/** What stands between the title and the table. */
	above?: ComponentChildren;
	story?: Story;
	/** Fields that the story tells. */
	told?: readonly string[];
}

interface FrameProps {
	name: string;
	table: Table;
	set: Dataset;
	under: string;
	answer: ComponentChildren;
	above?: ComponentChildren;
	command: (sort: string) => string;
	/** What may be sorted by, and what is when nothing is said. */
	sortable: readonly string[];
	usual: string;
	detail: Detail | null;
	detail_table: Table | undefined;
	story?: Story;
	told?: readonly string[];
	nothing: ComponentChildren;
	/** The rows are those of the question before. */
	stale?: boolean;
}

/* A row in full has a file of its own, loaded when the first one is opened. */
function Details(props: DetailsProps) {
	const View = useView<DetailsProps>("details").view;
	return View ? <View {...props} /> : null;
}

function Frame(p: FrameProps) {
	const s = useStore();
	const { route } = s;
	const close = () => {
		store.go({ row: "" }, false);
		document.querySelector<HTMLElement>(".grid")?.focus({ preventScroll: true });
	};
	useEffect(() => {
		const onKey = (e: KeyboardEvent) => {
			if (e.key === "Escape" && store.route.row && !store.explained)
				close();
		};
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	}, []);
	/* An address may ask for anything; only what is there can be sorted by. */
	const asked = parseSort(route.sort);
	const sort = (asked && p.sortable.includes(asked.field) ? asked : parseSort(p.usual)) ?? { field: p.table.fields[0].name, ascending: false };
	const n = p.set.rows.size;
	const shell = p.command(formatSort(sort));
	const title = t(`view_${p.name}`);
	/* Nothing unfolds there. */
	const flat = p.name === "flows" || s.span;
	return (
		<div class={`table-view${p.detail ? " with-details" : ""}${p.stale ? " stale" : ""}`} data-snapshot={p.set.snapshot} data-rows={n}>
			<div class="table-main">
				<div class="table-head">
					<h1>{title}</h1>
					<span class="rows">{p.set.loaded ? t("rows_n", { n: count(n) }) : ""}{p.name !== "drops" && !s.span ? ` · ${t("rows_pale")}` : ""}</span>
					<Lost />
					<span class="held" aria-hidden="true" title={t("held_why")}>{t("held")}</span>
					<CopyButton class="command" text={shell} label={t("copy_cli")} shown={shell} />
				</div>
				{p.answer ? <p class="answer">{p.answer} <Filtered by={s.filter} /></p> : null}
				{p.above}
				<Grid
					table={p.table}
					set={p.set}
					under={p.under}
					sort={sort}
					opened={route.row}
					onOpen={(id) => store.go({ row: id }, route.row === "")}
					label={title}
					nothing={p.nothing}
				/>
				<p class="keys note" aria-hidden="true">{t("keys_hint").split(" · ").filter((x) => !flat || !x.includes("→")).join(" · ")}</p>
			</div>
			{p.detail && p.detail_table ? (
				<Details key={p.detail_table.name} table={p.detail_table} detail={p.detail} story={p.story} told={p.told} onClose={close} />
			) : null}
		</div>
	);
}

/* --- live --- */

const who = (row: Row) => <a href={linkTo({ row: "", filter: `pid:${textOf(row, "pid")}` })}><Name text={textOf(row, "comm") || "?"} /></a>;

function ProcessesAnswer() {
	const s = useStore();
	const v = s.verdict;
	if (!s.processes.loaded)
		return null;
	if (!v.who)
		return s.channel.shown ? <>{t("quiet_filter")}.</> : <>{t("quiet")}. {t("quiet_sub")}</>;
	const all = v.part === v.total;
	return (
		<Sentence of={v.direction === "tx" ? (all ? "answer_tx_all" : "answer_tx") : all ? "answer_rx_all" : "answer_rx"} values={{
			who: <a href={programLink(v.who.name)}><Name text={v.who.name} /></a>,
			rate: <b>{join(rate(v.part))}</b>, total: <b>{join(rate(v.total))}</b>,
		}} />
	);
}

/* The busiest and the slowest of the sockets on show, in one look. */
function FlowsAnswer() {
	const s = useStore();
	const set = s.dataset("flows");
	let busiest: Row | undefined;
	let slowest: Row | undefined;
	let most = 0;
	let longest = 0;
	set.rows.forEach((r) => {
		const n = numberOf(r, "tx_bytes_per_second") + numberOf(r, "rx_bytes_per_second");
		const rtt = numberOf(r, "srtt_us");
		if (n > most)
			[busiest, most] = [r, n];
		if (rtt > longest && textOf(r, "state") === "established")
			[slowest, longest] = [r, rtt];
	});
	if (!set.loaded)
		return null;
	const peer = (r: Row) => <Name text={textOf(r, "peer_name") || textOf(r, "peer_address")} />;
	return (
		<>
			{busiest ? <Sentence of="answer_busiest" values={{ who: who(busiest), peer: peer(busiest), rate: <b>{join(rate(most))}</b> }} /> : t("answer_idle")}{" "}
			{slowest ? <Sentence of="answer_slowest" values={{ who: who(slowest), peer: peer(slowest), rtt: <b>{join(microseconds(longest))}</b> }} /> : null}
		</>
	);
}

/* Sums without a beginning say nothing. */
function Since() {
	const begun = useBegun();
	return begun ? <span class="since" title={t("counts_why")}>{t("counts_since", { time: when(begun, store.now_ms) })}</span> : null;
}

function Nothing({ table }: { table: string }) {
	const { channel } = useStore();
	if (!channel.set.loaded)
		return <Empty title={t("waiting")}>{t("waiting_sub")}</Empty>;
	if (channel.shown)
		return <Empty title={t("empty_filter")}>{t("empty_filter_sub")}</Empty>;
	if (table === "drops")
		return <NoLoss />;
	return <Empty title={t(table === "flows" ? "empty_flows" : "empty_processes")}>{t("empty_sub")}</Empty>;
}

/* Nothing lost is only said by a weir that would have seen it. */
function NoLoss() {
	const { doctor } = useStore();
	const since = useSince();
	const unseen = unseenLosses(doctor);
	if (unseen === undefined)
		return <Empty title={t("waiting")}>{t("waiting_sub")}</Empty>;
	return unseen
		? <Empty title={t("drops_unseen")}>{visible(said(textOf(unseen, "reason")) || textOf(unseen, "state"))}</Empty>
		: <Empty title={t("empty_drops")}>{t("empty_drops_sub", { time: since })}</Empty>;
}

function Live({ name, above, story, told }: TableProps) {
	const s = useStore();
	const table = s.tables.get(name);
	if (!table && s.tables.size)
		return <Empty title={t("drops_unseen")}>{t("drops_absent")}</Empty>;
	if (!table)
		return <Empty title={t("waiting")}>{t("waiting_sub")}</Empty>;
	const { detail } = s;
	const words_of = shellWords(s.channel.shown ?? "");
	return (
		<Frame
			name={name}
			table={table}
			set={s.dataset(name)}
			under={s.channel.shown ?? ""}
			answer={name === "drops" ? null : <>{name === "processes" ? <ProcessesAnswer /> : <FlowsAnswer />} <Since /></>}
			above={above}
			command={(sort) => `weir ${name}${sort !== table.sort ? ` --sort ${shellWord(sort)}` : ""}${words_of ? " " + words_of : ""}`}
			sortable={streamFields(table).filter((f) => f !== "start_time_ns")}
			usual={name === "drops" ? "packets_per_second" : table.sort}
			detail={detail}
			detail_table={detail ? s.tables.get(detail.table) : undefined}
			story={story}
			told={told}
			nothing={<Nothing table={name} />}
		/>
	);
}

/* --- the past --- */

function pastAnswer(name: string, rows: readonly Row[]): ComponentChildren {
	/* The remainder is in the sums, and nobody who can be named. */
	const named = rows.filter((r) => !isRest(r));
	const sum = (field: string) => rows.reduce((n, r) => n + numberOf(r, field), 0);
	const top = (field: string) => named.reduce<Row | null>((m, r) => (numberOf(r, field) > (m ? numberOf(m, field) : 0) ? r : m), null);
	if (!named.length)
		return null;
	if (name === "drops") {
		const first = top("packets");
		return first ? <Sentence of="past_answer_drops" values={{
			n: <b>{count(sum("packets"))}</b>, reason: <Name text={textOf(first, "reason")} />, most: count(numberOf(first, "packets")),
		}} /> : null;
	}
	const first = top("tx_bytes") ?? named[0];
	return <Sentence of={name === "flows" ? "past_answer_flows" : "past_answer_processes"} values={{
		who: <Name text={textOf(first, "program")} />, peer: <Name text={textOf(first, "peer_name") || textOf(first, "peer_address")} />,
		bytes: <b>{join(bytes(numberOf(first, "tx_bytes")))}</b>, total: <b>{join(bytes(sum("tx_bytes")))}</b>,
	}} />;
}

const VERBS: Record<string, string> = { history: "", history_peers: " peers", history_losses: " losses" };

function Past({ name, span }: { name: string; span: Span }) {
	const s = useStore();
	const { row: opened } = s.route;
	const filter = s.filterFor(PAST[name]);
	const table = s.tables.get(PAST[name]);
	const a = useRows(PAST[name], table ? { filter, from: span.from, to: span.to, limit: PAST_ROWS } : null, span.sliding ? refreshMs(span) : 0);
	const held = useRef<Dataset | null>(null);
	held.current ??= new Dataset(PAST[name]);
	const set = held.current;
	useMemo(() => {
		if (!table)
			return;
		if (!a.envelope) {
			set.clear();
			return;
		}
		set.keys = keysOf(table);
		set.load(a.envelope);
	}, [a.envelope, table]);
	if (!table)
		return <Empty title={t(s.tables.size ? "past_absent" : "waiting")}>{s.tables.size ? t("past_filter_sub") : t("waiting_sub")}</Empty>;
	if (a.state === "failed" && !set.loaded)
		return <Empty title={t("past_failed")}>{visible(a.error)}</Empty>;
	const row = set.rows.get(opened);
	const detail: Detail | null = row ? { id: opened, table: table.name, row, snapshot: set.snapshot, full: true, gone: false } : null;
	const more = (a.envelope?.total ?? 0) - set.rows.size;
	return (
		<Frame
			name={name}
			table={table}
			set={set}
			under={`${filter} ${span.from} ${span.to}`}
			stale={a.state === "asking" && set.loaded}
			answer={<>{a.state === "failed" ? <span class="gone" role="alert">{t("past_failed")}: {visible(a.error)} </span> : null}{pastAnswer(name, a.rows)}{more > 0 ? " " + t("past_more", { n: count(more) }) : ""}</>}
			command={(sort) => `weir history${VERBS[table.name]} ${sinceWords(span)}${sort !== table.sort ? ` --sort ${shellWord(sort)}` : ""} ${shellWords(filter)}`.trim()}
			sortable={table.fields.map((f) => f.name)}
			usual={table.sort || "packets"}
			detail={detail}
			detail_table={table}
			nothing={a.envelope
				? name === "drops" && !filter && unseenLosses(s.doctor) !== null ? <NoLoss /> : <Empty title={t(filter ? "empty_filter" : name === "drops" ? "past_lost_none" : "past_quiet")}>{t(filter ? "empty_filter_sub" : "past_none_sub")}</Empty>
				: <Empty title={t("past_asking")}><Slow /></Empty>}
		/>
	);
}

export function TableView(props: TableProps) {
	const { span } = useStore();
	return span ? <Past name={props.name} span={span} key={props.name} /> : <Live {...props} />;
}

export default function Tables({ name }: { name: string }) {
	return <TableView name={name} />;
}

