// SPDX-License-Identifier: GPL-2.0-or-later
// Programs as the first view speaks of them: the sentence, its filter words, and a line for each with its curve.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { Spark } from "./chart";
import { Explain, type Explained } from "./explain";
import { type Quantity, count, filterValue, join, percent, shellWords, visible } from "./format";
import { type StringKey, t } from "./i18n";
import { narrowed } from "./model";
import { useRows } from "./past";
import { type Step, type Talker, type Verdict, WINDOW_S, pastSteps, sparkOf, stepOf } from "./series";
import { linkTo, store, useStore } from "./store";
import type { RowsQuery } from "./stream";
import { type Span, refreshMs } from "./time";
import { Amount, Name, Sentence } from "./ui";

/** Words that select this program and hardly another one. */
export function programFilter(of: Pick<Talker, "id" | "name">): string {
	const place = of.id.slice(of.name.length + 1);
	const word = /^[0-9a-f]{12,64}$/.test(place) ? "container" : "unit";
	return `process:${filterValue(of.name)}${place ? ` ${word}:${filterValue(place)}` : ""}`;
}

export function programLink(name: string): string {
	return linkTo({ view: "processes", filter: narrowed(store.route.filter, "process:" + filterValue(name)) });
}

/** The filter on show, and these words. */
export const under = (words: string): string => narrowed(store.filter, words);

/** A program's name leads to its processes; what was summed up leads nowhere. */
export function Who({ of, children }: { of: Pick<Talker, "id" | "name">; children: ComponentChildren }) {
	return of.id ? <a class="who" href={programLink(of.name)}>{children}</a> : <span class="who">{children}</span>;
}

/** "--since 1h", "--since 2026-11-23T02:00:00Z --until ...", as the command line takes it. */
export function sinceWords(span: Span): string {
	if (!/^-\d+$/.test(span.from) || !span.sliding)
		return `--since ${span.from}${span.to ? ` --until ${span.to}` : ""}`;
	const s = Number(span.from.slice(1));
	return `--since ${s % 86400 === 0 ? `${s / 86400}d` : s % 3600 === 0 ? `${s / 3600}h` : s % 60 === 0 ? `${s / 60}m` : `${s}s`}`;
}

/** The command that prints this program, now or over a span. */
export function programCommand(of: Pick<Talker, "id" | "name">, span: Span | null, columns: string): string {
	const words = shellWords(under(programFilter(of)));
	return span ? `weir history ${sinceWords(span)} --exact --columns ${columns} ${words}` : `weir processes --exact --columns ${columns} ${words}`;
}

/** Who moves or moved most, as a sentence. past: sums of a span instead of rates. */
export function VerdictLine({ of: v, peer, past, quantity }: {
	of: Verdict;
	peer: string;
	past: boolean;
	quantity: (n: number) => Quantity;
}) {
	const s = useStore();
	const { span } = s;
	const field = `${v.direction}_bytes${past ? "" : "_per_second"}`;
	const words = shellWords(s.filter);
	const asked = (value: number, who: Talker | null, help: string): Explained => ({
		table: past ? "history" : "processes", field, value, help,
		command: who?.id ? programCommand(who, span, field) : span ? `weir history rates ${sinceWords(span)} ${words}`.trim() : `weir top ${words}`.trim(),
	});
	/* Of the host that says nothing. */
	let key: StringKey = s.filter ? (past ? "past_quiet_filter" : "quiet_filter") : past ? "past_quiet" : "quiet";
	const way = v.direction === "tx";
	if (v.kind === "leads" && past)
		key = way ? (peer ? "past_sent_to" : "past_sent") : peer ? "past_received_from" : "past_received";
	else if (v.kind === "leads")
		key = way ? (peer ? "sends_to" : "sends") : peer ? "receives_from" : "receives";
	else if (v.kind === "spread" && past)
		key = way ? "past_spread_sent" : "past_spread_received";
	else if (v.kind === "spread")
		key = way ? "spread_sends" : "spread_receives";
	return (
		<h1 id="verdict" class="verdict">
			<Sentence
				of={key}
				values={{
					who: v.who ? <Who of={v.who}><Name text={v.who.name} /></Who> : "",
					share: <Explain class="figure" of={asked(v.part, v.who, t("verdict_share"))}>{percent(v.part, v.total)}</Explain>,
					total: <Explain class="figure" of={asked(v.total, null, t("verdict_total"))}>{join(quantity(v.total))}</Explain>,
					peer: <span class="figure"><Name text={peer} /></span>,
					programs: <span class="figure">{count(v.programs)}</span>,
				}}
			/>
		</h1>
	);
}

/* What history said of a program's last minutes stays good for a while; where programs come and go all the time, few of
 * them are asked for: their own samples do. */
const KNOWN_MS = 120e3;
const KNOWN_MAX = 64;
const ASKED_AT_ONCE = 10;
const known = new Map<string, { at: number; steps: Step[] }>();
let tokens = ASKED_AT_ONCE;
let filled_at = 0;

function mayAsk(id: string): boolean {
	const now = performance.now();
	const k = known.get(id);
	if (k && now - k.at < KNOWN_MS)
		return false;
	tokens = Math.min(ASKED_AT_ONCE, tokens + (now - filled_at) / 1000);
	filled_at = now;
	if (tokens < 1)
		return false;
	tokens--;
	return true;
}

/* What was before this page looked; later samples are its own. */
function usePastOf(query: RowsQuery | null, since_s: number): readonly Step[] {
	/* What is known does not reach across a gap. */
	const id = query ? `${query.filter}\u0001${since_s}` : "";
	const asks = useMemo(() => query !== null && mayAsk(id), [id]);
	const a = useRows("history_rates", asks ? query : null);
	return useMemo(() => {
		if (a.state === "there") {
			known.delete(id);
			known.set(id, { at: performance.now(), steps: a.rows.map(stepOf) });
			if (known.size > KNOWN_MAX)
				known.delete(known.keys().next().value!);
		}
		return known.get(id)?.steps ?? [];
	}, [id, a.rows]);
}

/** A program with its curve and two numbers. */
export function ProgramLine({ of, span, end_s, window_s, quantity, fields }: {
	of: Talker;
	span: Span | null;
	end_s: number;
	window_s: number;
	quantity: (n: number) => Quantity;
	fields: readonly [string, string];
}) {
	const s = useStore();
	const filter = under(programFilter(of));
	const kept = of.id && s.knowsPast(filter);
	const curve = useRows("history_rates", kept && span ? { filter, from: span.from, to: span.to } : null, span?.sliding ? refreshMs(span) : 0);
	const recent = usePastOf(kept && !span ? { filter, from: -WINDOW_S, step: 5 } : null, store.history.since_s);
	const before = span ? curve.rows.map(stepOf) : recent;
	const steps = span
		? sumUp(pastSteps(before, "tx", span.from_ms / 1000, span.to_ms / 1000, window_s / 60), pastSteps(before, "rx", span.from_ms / 1000, span.to_ms / 1000, window_s / 60))
		: sparkOf(store.history.line(of.id), before, end_s, window_s);
	const place = [of.place, of.pids.length > 1 ? t("talkers_processes", { n: of.pids.length }) : ""].filter(Boolean).map(visible).join(" · ");
	const asked = (field: string, value: number): Explained => ({
		table: span ? "history" : "processes", field, value: of.pids.length === 1 || span ? value : undefined,
		command: of.id ? programCommand(of, span, field) : `weir history ${sinceWords(span!)} ${shellWords(s.filter)}`.trim(),
		help: of.pids.length > 1 && !span ? t("sum_of", { n: of.pids.length, what: fieldHelpOf("processes", field) }) : undefined,
	});
	const figure = (way: "tx" | "rx", name: string): ComponentChildren => (
		<span class="figure" data-f={way}>
			<span class="sr">{t(way === "tx" ? "sent" : "received")} </span>
			<Explain of={asked(name, of[way])}><Amount of={quantity(of[way])} zero={of[way] === 0} /></Explain>
		</span>
	);
	return (
		<li data-program={of.id}>
			<Who of={of}>
				<span class="who-name"><Name text={of.name} /></span>
				<span class="who-place">{place || (of.pids.length ? `pid ${of.pids[0]}` : "")}</span>
			</Who>
			<Spark of={steps} />
			{figure("tx", fields[0])}
			{figure("rx", fields[1])}
		</li>
	);
}

function fieldHelpOf(table: string, field: string): string {
	return store.tables.get(table)?.fields.find((f) => f.name === field)?.help ?? "";
}

function sumUp(a: ReturnType<typeof pastSteps>, b: ReturnType<typeof pastSteps>) {
	const add = (x: (number | null)[], y: (number | null)[]) => x.map((v, i) => (v === null ? null : v + (y[i] ?? 0)));
	return { ...a, average: add(a.average, b.average), maximum: add(a.maximum, b.maximum) };
}
