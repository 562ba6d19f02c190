// SPDX-License-Identifier: GPL-2.0-or-later
// Drops: what is lost now and was lost before, by class, above the table of reasons; and one loss explained.

import { useMemo, useRef } from "preact/hooks";
import words from "words:drops";
import { onBrush, spanFor, usePlot, useWidth } from "./chart";
import { Explain, type Explained } from "./explain";
import { bytes, clock, count, join, shellWords, short, visible } from "./format";
import { type StringKey, addWords, t } from "./i18n";
import { durationText } from "./header";
import { Owner, ownerPlace, useSince } from "./lossparts";
import { CLASSES, type Class, classOf, sumUp, total } from "./losses";
import { useLossesPast } from "./losses_past";
import { type Row, cell, numberOf, textOf } from "./model";
import { said } from "./said";
import { steps, windowFor } from "./series";
import { linkTo, store, useStore } from "./store";
import { TableView } from "./tables";
import { ClassName } from "./ui";
import "./drops.css";

addWords(words);

/* A plot that begins so long after its axis says when it does. */
const MISSED_S = 5;
/* As drops.css has it. */
const NARROW_PX = 820;

/** The same view with this class alone, or with all classes when it is that already. */
function classLink(c: Class): { href: string; on: boolean } {
	const others = store.route.filter.replace(/(^|\s)class:\S+/g, "").trim();
	const on = store.route.filter.includes(`class:${c}`);
	return { href: linkTo({ filter: on ? others : `${others} class:${c}`.trim() }), on };
}

function ClassLine({ of, rate, sum, now }: { of: Class; rate: number; sum: number; now: boolean }) {
	const { href, on } = classLink(of);
	const what = (
		<>
			<ClassName of={of} />
			<span class="class-rate" data-rate={now ? of : undefined}>{t("per_second", { n: count(Math.round(rate)) })}</span>
			<span class="class-sum" data-sum={of}>{count(sum)}</span>
		</>
	);
	return (
		<li class={sum || rate ? "" : "zero"} title={t(`class_${of}_help` as StringKey)}>
			{of === "unknown" ? <span class="class-line">{what}</span> : (
				<a class="class-line" href={href} aria-current={on ? "true" : undefined}>{what}</a>
			)}
		</li>
	);
}

/* Classes stand on one another, what matters most at the foot; drawn from the whole to the smallest part. */
const BACK_TO_FRONT = [...CLASSES].reverse();
const INKS = BACK_TO_FRONT.map((c) => ({ stroke: `--${c}`, fill: `--${c}-fill`, width: 1.5 }));

function Losses() {
	const s = useStore();
	const set = s.dataset("drops");
	const sums = useMemo(() => sumUp(set.rows.values()), [set, set.version]);
	const watched = useSince();
	const place = useRef<HTMLDivElement>(null);
	const width = useWidth(place);
	useLossesPast(s.channel.shown ?? "");
	const { time, rates, recorded_s } = s.losses;
	const window_s = windowFor(recorded_s);
	const span = spanFor(width, window_s);
	const end_s = set.time_ms / 1000;
	const own = CLASSES.map((c) => steps(time, rates[c], end_s, window_s, span));
	const stacked = CLASSES.map((_c, i) =>
		own[i].average.map((v, at) => v && own.slice(0, i + 1).reduce((n, o) => n + (o.average[at] ?? 0), 0)),
	);
	const hover = usePlot(
		place,
		width,
		{ height: innerWidth <= NARROW_PX ? 104 : 130, window_s, inks: INKS, least: 10, label: short, onBrush },
		{
			time: own[0].time,
			end: own[0].end,
			/* Nothing is drawn of a class that lost nothing: its line would be that of the class below. */
			values: stacked.reverse().map((list) => list.map((v) => v || null)),
		},
		`${time[time.length - 1]} ${time.length} ${span} ${s.channel.shown}`,
	);
	const at = hover !== null && own[0].average[hover] !== null ? hover : null;
	const rate = at === null ? total(sums, "rate") : own.reduce((n, o) => n + (o.average[at] ?? 0), 0);
	const asked = (field: string, value: number): Explained => ({
		table: "drops", field, value, help: t("losses_sum"), command: `weir drops --exact ${shellWords(s.channel.shown ?? "")}`.trim(),
	});
	const shown = CLASSES.map((c, i) => ({
		class: c,
		rate: at === null ? sums[c].rate : (own[i].average[at] ?? 0),
		sum: sums[c].packets,
	})).filter((x) => x.class !== "unknown" || sums.unknown.rows);
	return (
		<section class="losses" aria-label={t("losses_title")}>
			<div class="losses-sums">
				<p class="losses-now">
					<Explain of={asked("packets_per_second", Math.round(rate))}><b data-total={at === null ? "rate" : undefined}>{count(Math.round(rate))}</b></Explain>{" "}
					<span>{at === null ? t("losses_now") : t("losses_at", { time: clock(own[0].time[at] * 1000) })}</span>
				</p>
				<p class="losses-all">
					<Explain of={asked("packets", total(sums, "packets"))}><b data-total="packets">{count(total(sums, "packets"))}</b></Explain> <span>{t("losses_all", { time: watched })}</span>
				</p>
				<ul class="classes">
					{shown.map((x) => (
						<ClassLine key={x.class} of={x.class} rate={x.rate} sum={x.sum} now={at === null} />
					))}
				</ul>
			</div>
			<div>
				<h2>{t("losses_plot", { time: durationText(window_s) })}</h2>
				<p class="note">
					{t(span === 1 ? "losses_steps_1" : "losses_steps", { span })}{time[0] > own[0].time[0] + MISSED_S ? ` ${t("losses_from", { time: clock(time[0] * 1000) })}` : ""}
				</p>
				<div
					ref={place}
					class="plot"
					role="img"
					title={t("brush_hint")}
					aria-label={t("losses_label", {
						classes: shown.map((x) => `${t(`class_${x.class}` as StringKey)} ${count(Math.round(x.rate))}`).join(", "),
					})}
				/>
			</div>
		</section>
	);
}

/** One loss in words: what it means, what to do, whom it hit, and the last packet that was looked at. */
function LossStory({ row, full }: { row: Row; full: boolean }) {
	const c = classOf(row);
	const meaning = textOf(row, "meaning");
	const advice = textOf(row, "advice");
	const sample = textOf(row, "sample");
	const stack = textOf(row, "stack");
	const kernel = textOf(row, "kernel_reason");
	const figure = (title: string, text: string) => <p><span>{title}</span><span class="amount">{text}</span></p>;
	return (
		<div class="story">
			<p class="story-class"><ClassName of={c} /> <span>{t(`class_${c}_help` as StringKey)}</span></p>
			{meaning ? <p class="meaning" data-f="meaning">{visible(said(meaning))}</p> : null}
			{advice ? <div class={"advice " + c}><h3>{t("advice")}</h3><p data-f="advice">{visible(said(advice))}</p></div> : null}
			<div class="figures">
				{figure(t("lost_now"), t("per_second", { n: count(textOf(row, "packets_per_second") || 0) }))}
				{figure(t("lost_packets"), count(textOf(row, "packets") || 0))}
				{figure(t("lost_bytes"), full ? join(bytes(numberOf(row, "bytes"))) : "…")}
				{figure(t("lost_last"), clock(Date.parse(textOf(row, "last_seen"))))}
			</div>
			{cell(row, "overlaps") === true ? <p class="note" data-f="overlaps">{t("overlaps_help")}</p> : null}
			{textOf(row, "pid") ? (
				<div class="part" data-f="owner">
					<h3>{t("owner")}</h3>
					<p><Owner row={row} /> <span class="also">{ownerPlace(row)}</span></p>
				</div>
			) : null}
			{kernel ? (
				<div class="part" data-f="kernel_reason"><h3>{t("kernel_said")}</h3><p><code>{visible(kernel)}</code></p></div>
			) : null}
			{sample ? (
				<div class="part" data-f="sample"><h3>{t("sample")}</h3><p><code>{visible(sample)}</code></p></div>
			) : null}
			{stack ? (
				<div class="part" data-f="stack">
					<h3>{t("stack")}</h3>
					<ol>{stack.split(";").map((line, i) => <li key={i}><code>{visible(line.trim())}</code></li>)}</ol>
				</div>
			) : null}
		</div>
	);
}

/** Fields that the story tells. */
const TOLD = [
	"class", "meaning", "advice", "sample", "stack", "overlaps", "kernel_reason",
];

export default function Drops() {
	return <TableView name="drops" above={<Losses />} story={LossStory} told={TOLD} />;
}
