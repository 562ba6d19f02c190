// SPDX-License-Identifier: GPL-2.0-or-later
// History: what happened in a span, as a sentence, a curve, and what changed when.

import { useMemo, useRef, useState } from "preact/hooks";
import words from "words:history";
import { count, join, bytes, percent, visible } from "./format";
import { durationText } from "./header";
import { type Jump, type Range, answerOf, around, beganOf, causeOf, curveOf, eventStep, jumpOf, keptSeconds, moved, otherRange, programsOf, shifted, zoomed } from "./history_model";
import { Changes, Events, Kept, Peers, Programs, Use } from "./history_parts";
import { CurvePlot } from "./history_plot";
import { command, eventsCut, momentText } from "./history_words";
import { addWords, t } from "./i18n";
import { knowsFilter, textOf } from "./model";
import { type Answer, useRows } from "./past";
import { sinceWords } from "./programs";
import { store, useStore } from "./store";
import { formatInstant, refreshMs, spanOf } from "./time";
import { CopyButton, Empty, Filtered, Sentence, Slow } from "./ui";
import "./history.css";

addWords(words);

/** What is shown while the page is live: the last hour, up to now. */
const LAST = { from: "-3600", to: "" };
const EVENTS_MAX = 500;
const VERSUS = ["before", "day", "week"];

/** The span that was really answered. */
function answered(a: Answer, otherwise: Range): Range {
	const e = a.envelope as unknown as { from?: string; to?: string } | null;
	const from_ms = Date.parse(e?.from ?? "");
	const to_ms = Date.parse(e?.to ?? "");
	return to_ms > from_ms ? { from_ms, to_ms } : otherwise;
}

function change(names: Record<string, string>): void {
	store.go({ more: { ...store.route.more, ...names } });
}

const asRange = (r: Range) => ({ from: formatInstant(r.from_ms), to: formatInstant(r.to_ms) });

function Verdict({ answer, at, programs, jump, cause, filter }: {
	answer: ReturnType<typeof answerOf>;
	at: Range;
	programs: number;
	jump: Jump | null;
	cause: string;
	filter: string;
}) {
	const s = useStore();
	const share = answer.who && answer.total ? percent(answer.part, answer.total) : "0";
	const factor = jump ? Math.max(jump.before, jump.after) / Math.max(1, Math.min(jump.before, jump.after)) : 0;
	const way = jump ? `${jump.direction}_${jump.after > jump.before ? "up" : "down"}` : "";
	const brief = at.to_ms - at.from_ms > 600e3;
	return (
		<>
			<h1 class="verdict">
				<Sentence
					of={answer.kind === "none" || answer.who ? `hist_${answer.kind}` : answer.kind === "sent" ? "hist_sent_only" : "hist_received_only"}
					values={{
						from: momentText(at.from_ms, brief), to: momentText(at.to_ms, brief), host: filter ? t("hist_chosen") : visible(s.host) || "weir",
						total: <span class="figure">{join(bytes(answer.total))}</span>,
						who: <span class="figure"><bdi>{answer.who ? visible(answer.who.name) : ""}</bdi></span>,
						share: <span class="figure">{share}</span>,
					}}
				/>
			</h1>
			<p class="verdict-sub">
				{jump ? (
					<button type="button" class="hist-link" onClick={() => change({ at: formatInstant(jump.time * 1000) })}>
						{t(`hist_jump_${way}`, {
							time: momentText(jump.time * 1000, brief), n: factor >= 1000 ? ">999" : factor >= 9.95 ? Math.round(factor) : Number(factor.toFixed(1)),
						})}
						{cause ? t("hist_jump_who", { who: visible(cause) }) : null}
					</button>
				) : programs ? t("hist_even") : null}{" "}
				<Filtered by={filter} />
			</p>
		</>
	);
}

function Tools({ at, now_ms, versus, other, picking, setPicking, shell }: {
	at: Range;
	now_ms: number;
	versus: string;
	other: Range | null;
	picking: boolean;
	setPicking: (on: boolean) => void;
	shell: string;
}) {
	const go = (r: Range) => store.go({ ...asRange(r), row: "" });
	const move = (mark: string, key: string, to: Range) => (
		<button type="button" aria-label={t(key)} title={t(key)} onClick={() => go(to)}>{mark}</button>
	);
	const own = versus !== "" && !VERSUS.includes(versus);
	return (
		<div class="hist-tools">
			<span class="hist-choice">
				{move("←", "hist_back", moved(at, -0.5, now_ms))}
				{move("→", "hist_on", moved(at, 0.5, now_ms))}
				{move("−", "hist_out", zoomed(at, 2, now_ms))}
				{move("+", "hist_in", zoomed(at, 0.5, now_ms))}
			</span>
			<label class="hist-versus">
				{t("hist_versus")}{" "}
				<select
					value={picking || own ? "own" : versus}
					onChange={(e) => {
						const value = e.currentTarget.value;
						setPicking(value === "own");
						if (value !== "own")
							change({ vs: value });
					}}
				>
					<option value="">{t("hist_versus_none")}</option>
					{VERSUS.map((v) => <option key={v} value={v}>{t(`hist_versus_${v}`)}</option>)}
					<option value="own">{t("hist_versus_own")}</option>
				</select>
			</label>
			{picking ? <span class="hist-picking" role="status">{t("hist_pick")}</span>
				: other ? <span class="note">{t("hist_versus_is", { from: momentText(other.from_ms), to: momentText(other.to_ms) })}</span> : null}
			<CopyButton class="command" text={shell} label={t("copy_cli")} shown={shell} />
		</div>
	);
}

export default function HistoryView() {
	const s = useStore();
	const { route } = s;
	const filter = s.filterFor("history_rates");
	const span = s.span ?? spanOf(LAST, s.now_ms)!;
	const [picking, setPicking] = useState(false);
	const ask = { from: span.from, to: span.to || undefined };
	const every = span.sliding ? refreshMs(span) : 0;
	/* A filter has words that only some of the tables know. */
	const fits = (name: string) => {
		const table = s.tables.get(name);
		return !table || knowsFilter(table, filter);
	};
	const query = (name: string, more: Record<string, string | number> = {}) => (fits(name) ? { ...ask, filter, ...more } : null);

	const rates = useRows("history_rates", { ...ask, filter }, every);
	const top = useRows("history", query("history"), every);
	const peers = useRows("history_peers", query("history_peers", { limit: 20 }), every);
	const events = useRows("history_events", query("history_events", { limit: EVENTS_MAX, step: eventStep(span) }), every);
	const kept = useRows("history_store", {}, 30e3);
	const whole = answered(rates, span);
	/* A store that is younger than the hour that nobody asked for begins where it begins. */
	const first_ms = s.span ? NaN : Date.parse(textOf(rates.rows[0] ?? {}, "time"));
	const at = first_ms > whole.from_ms + 60e3 ? { from_ms: Math.min(first_ms, whole.to_ms - 60e3), to_ms: whole.to_ms } : whole;
	const curve = useMemo(() => curveOf(rates.rows, at.from_ms, at.to_ms), [rates.rows]);
	const programs = useMemo(() => programsOf(top.rows), [top.rows]);
	const jump = useMemo(() => jumpOf(curve), [curve]);

	const versus = route.more.vs ?? "";
	const other = otherRange(versus, at);
	const then = useRows("history_rates", other ? { ...asRange(other), filter, step: curve.step || undefined } : null);
	const then_top = useRows("history", other && fits("history") ? { ...asRange(other), filter } : null);
	/* While the same comparison slides on, the last answer stands. */
	const compared = useRef("");
	const comparison = `${versus} ${filter}`;
	if (then.state === "there")
		compared.current = comparison;
	const began_ms = beganOf(kept.rows);
	/* Beside what nobody recorded all would be new. */
	const known = other && !(began_ms >= other.to_ms) && compared.current === comparison;
	const then_curve = useMemo(
		() => (known && then.envelope ? shifted(curveOf(then.rows, other.from_ms, other.to_ms), (at.from_ms - other.from_ms) / 1000) : null),
		[then.rows, known, at.from_ms, versus],
	);

	/* "What changed": at the moment that was chosen; against the span that is compared with; at the largest jump. */
	const picked = Date.parse(route.more.at ?? "");
	const moment_ms = Number.isNaN(picked) ? null : picked;
	const now_ms = Math.max(at.to_ms, s.now_ms);
	/* What is asked may not depend on now, or each redraw would ask. */
	const asked = (r: { before: Range; after: Range }) => ({
		...asRange(r.after), from2: formatInstant(r.before.from_ms), to2: formatInstant(r.before.to_ms), filter, limit: 20,
	});
	const near = moment_ms === null ? null : around(moment_ms, at, at.to_ms);
	const at_jump = jump ? around(jump.time * 1000, at, at.to_ms) : null;
	const changes = useRows("history_changes", near ? asked(near) : other ? asked({ before: other, after: at }) : { ...ask, filter, limit: 20 }, every);
	const near_jump = useRows("history_changes", at_jump ? { ...asked(at_jump), limit: 5 } : null);
	const cause = jump && near_jump.state === "there" ? causeOf(jump, near_jump.rows, programs) : "";

	const asking = { since: sinceWords(span), filter };
	const shell = command("rates", asking.since, filter);
	const answer = answerOf(curve, programs);
	const failed = rates.state === "failed";
	const loading = rates.state === "asking" && !rates.envelope;
	const onBrush = (r: Range) => {
		if (picking) {
			setPicking(false);
			change({ vs: `${formatInstant(r.from_ms)}/${formatInstant(r.to_ms)}` });
		} else {
			s.setSpan(r.from_ms, r.to_ms);
		}
	};
	return (
		<div class="hist" data-state={rates.state} data-from={at.from_ms} data-to={at.to_ms} data-steps={curve.time.length}
			data-sum-tx={curve.sum_tx} data-sum-rx={curve.sum_rx}>
			{failed ? <p class="gone" role="alert">{t("hist_failed", { reason: visible(rates.error) })}</p> : null}
			{loading ? (
				<>
					<h1 class="verdict">{t("past_asking")}</h1>
					<p class="verdict-sub"><Slow /></p>
				</>
			) : (
				<Verdict answer={answer} at={at} programs={programs.length} jump={jump} cause={cause} filter={filter} />
			)}
			<Tools at={at} now_ms={now_ms} versus={versus} other={other} picking={picking} setPicking={setPicking} shell={shell} />
			{rates.state === "there" && !curve.time.length ? <Empty title={t(filter ? "empty_filter" : "hist_empty")}>{t(filter ? "empty_filter_sub" : "hist_empty_sub")}</Empty> : null}
			<CurvePlot
				curve={curve} other={then_curve} at={at} events={events.rows} events_cut={eventsCut(events)} moment_ms={moment_ms} command={shell}
				stamp={`${at.from_ms} ${at.to_ms} ${count(curve.sum_tx)} ${curve.time.length} ${then_curve?.sum_tx ?? ""} ${versus} ${filter}`}
				onBrush={onBrush}
				onMoment={(ms) => change({ at: formatInstant(ms) })}
				onZoom={(f) => {
					const r = zoomed(at, f, now_ms);
					store.go({ ...asRange(r), row: "" });
				}}
			/>
			<p class="keys note" aria-hidden="true">{t("hist_keys")}</p>
			<div class="hist-grid">
				<Changes
					answer={changes}
					title={near ? t("hist_changed_at", { time: momentText(moment_ms!) })
						: other ? t("hist_changed_versus", { from: momentText(other.from_ms), to: momentText(other.to_ms) }) : t("hist_changed")}
					sub={near ? t("hist_changed_sub", { time: durationText((near.after.to_ms - near.after.from_ms) / 1000) }) : ""}
					whole={near ? () => change({ at: "" }) : null}
					before={near?.before ?? other ?? { from_ms: 2 * span.from_ms - span.to_ms, to_ms: span.from_ms }}
					after={near?.after ?? (other ? at : span)} began_ms={began_ms}
				/>
				<Programs
					answer={fits("history") ? top : null} list={programs} asked={asking}
					then={known && then_top.envelope ? programsOf(then_top.rows) : null}
					now_s={keptSeconds(at, began_ms)} then_s={other ? keptSeconds(other, began_ms) : 0}
				/>
				<Peers answer={fits("history_peers") ? peers : null} asked={asking} />
				<Events answer={fits("history_events") ? events : null} />
				<Use filter={fits("history_days") ? filter : ""} />
				<Kept answer={kept} />
			</div>
		</div>
	);
}
