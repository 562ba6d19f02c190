// SPDX-License-Identifier: GPL-2.0-or-later
// The curve of a span: brushed by pointer or by keys, with gaps as gaps and events as marks below.

import { useRef, useState } from "preact/hooks";
import { AXIS_PX, type Ink, usePlot, useWidth } from "./chart";
import { bytes, count, join, rate } from "./format";
import { durationText } from "./header";
import { type Curve, EVENT_MARKS, type Mark, type Range, marksOf, resample } from "./history_model";
import { eventText, momentText } from "./history_words";
import { t } from "./i18n";
import type { Row } from "./model";
import { Explain } from "./explain";

const INKS: readonly Ink[] = ["sent", "received"].flatMap((name) => [
	{ stroke: `--${name}-pale`, fill: `--${name}-wash`, width: 1 },
	{ stroke: `--${name}`, fill: `--${name}-fill`, width: 1.5 },
	{ stroke: "--soft", fill: "", width: 1 },
]);
const HEIGHT = 250;
const HEIGHT_NARROW = 190;
/** A press that moves less is a click. */
const CLICK_PX = 5;

const negative = (list: (number | null)[]) => list.map((v) => (v === null ? null : -v));

export interface PlotProps {
	curve: Curve;
	other: Curve | null;
	at: Range;
	events: readonly Row[];
	/** What the marks leave out; "": nothing. */
	events_cut: string;
	/** The moment that is asked about, or null. */
	moment_ms: number | null;
	command: string;
	stamp: unknown;
	onBrush: (range: Range) => void;
	onMoment: (ms: number) => void;
	onZoom: (factor: number) => void;
}

export function CurvePlot({ curve, other, at, events, events_cut, moment_ms, command, stamp, onBrush, onMoment, onZoom }: PlotProps) {
	const place = useRef<HTMLDivElement>(null);
	const width = useWidth(place);
	const brush = useRef(onBrush);
	brush.current = onBrush;
	const pressed = useRef(0);
	const window_s = (at.to_ms - at.from_ms) / 1000;
	const blank = curve.time.map(() => null);
	const then = (values: (number | null)[]) => (other ? resample(other, values, curve.time) : blank);
	const hover = usePlot(
		place,
		width,
		{
			height: width && width < 560 ? HEIGHT_NARROW : HEIGHT, window_s, inks: INKS, least: 1000, label: (v) => join(rate(v)),
			onBrush: (a, b) => brush.current({ from_ms: a * 1000, to_ms: b * 1000 }),
		},
		{
			time: curve.time, end: at.to_ms / 1000,
			values: [
				curve.tx_max, curve.tx, then(other?.tx ?? []),
				negative(curve.rx_max), negative(curve.rx), negative(then(other?.rx ?? [])),
			],
		},
		stamp,
	);
	/* The keyboard's cursor: a step, and the one where a selection began. */
	const [key, setKey] = useState<{ at: number; anchor: number | null } | null>(null);
	const last = curve.time.length - 1;
	const cursor = key ? Math.min(key.at, last) : null;
	const inner = Math.max(0, width - AXIS_PX);
	const x = (ms: number) => AXIS_PX + (inner * Math.min(Math.max(0, ms - at.from_ms), at.to_ms - at.from_ms)) / (at.to_ms - at.from_ms);
	const step_ms = (i: number) => (i > last ? at.to_ms : curve.time[i] * 1000);
	const band = (from: number, to: number) => ({ left: `${x(from)}px`, width: `${Math.max(1, x(to) - x(from))}px` });
	const range = (): Range | null =>
		key && key.anchor !== null && cursor !== null
			? { from_ms: step_ms(Math.min(key.anchor, cursor)), to_ms: step_ms(Math.max(key.anchor, cursor) + 1) }
			: null;
	const says = (i: number) =>
		curve.tx[i] === null
			? t("hist_plot_gap", { time: momentText(step_ms(i)) })
			: t("hist_plot_at", {
				time: momentText(step_ms(i)), tx: join(rate(Math.round(curve.tx[i]!))), rx: join(rate(Math.round(curve.rx[i]!))),
			});

	const onKey = (e: KeyboardEvent) => {
		if (last < 0 || e.ctrlKey || e.metaKey || e.altKey)
			return;
		const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 };
		const chosen = range();
		if (e.key in steps) {
			const from = cursor ?? last;
			const to = Math.max(0, Math.min(last, from + steps[e.key]));
			setKey({ at: to, anchor: e.shiftKey ? (key?.anchor ?? from) : null });
		} else if (e.key === "Enter" && cursor !== null) {
			if (chosen)
				onBrush(chosen);
			else
				onMoment(step_ms(cursor));
			setKey((k) => k && { ...k, anchor: null });
		} else if (e.key === "+" || e.key === "-") {
			onZoom(e.key === "+" ? 0.5 : 2);
		} else if (e.key === "Escape" && key) {
			setKey(null);
		} else {
			return;
		}
		e.preventDefault();
		e.stopPropagation();
	};
	const marks = marksOf(events, at, inner);
	const shown = hover ?? cursor;
	const chosen = range();
	const row = (name: string, mark: string, kind: "tx" | "rx") => (
		<p class={"hist-sum " + kind}>
			<span class="legend-mark" aria-hidden="true">{mark}</span>{" "}
			<span class="hist-sum-name">{name}</span>
			<b>{shown !== null && curve[kind][shown] != null ? join(rate(Math.round(curve[kind][shown]!))) : ""}</b>
			<Explain of={{ table: "history_rates", field: `${kind}_bytes`, value: kind === "tx" ? curve.sum_tx : curve.sum_rx, command }}>
				{t("hist_total", { bytes: join(bytes(kind === "tx" ? curve.sum_tx : curve.sum_rx)) })}
			</Explain>
			{other ? <span class="hist-then">{t("hist_total_other", { bytes: join(bytes(kind === "tx" ? other.sum_tx : other.sum_rx)) })}</span> : null}
		</p>
	);
	const top_known = curve.tx_max.some((v) => v !== null);
	const missing = curve.gaps.reduce((n, g) => n + g.to - g.from, 0);
	return (
		<section class="hist-curve" aria-labelledby="curve-title">
			<div class="hist-curve-head">
				<div>
					<h2 id="curve-title">
						{t("hist_curve")}
						{shown !== null && shown <= last ? <span class="at">{momentText(step_ms(shown))}</span> : null}
					</h2>
					<p class="note">
						{t(top_known ? "hist_curve_sub" : "hist_curve_plain", { step: durationText(curve.step || 1) })}
						{missing ? " " + t("hist_gaps", { time: durationText(missing) }) : ""}
					</p>
				</div>
				<div class="hist-sums">
					{row(t("sent"), "▲", "tx")}
					{row(t("received"), "▼", "rx")}
				</div>
			</div>
			<div
				ref={place}
				class="plot hist-plot"
				role="slider"
				tabIndex={0}
				aria-label={t("hist_plot")}
				aria-valuemin={0}
				aria-valuemax={Math.max(0, last)}
				aria-valuenow={Math.max(0, cursor ?? last)}
				aria-valuetext={last < 0 ? "" : chosen
					? t("hist_plot_range", { from: momentText(chosen.from_ms), to: momentText(chosen.to_ms) })
					: says(cursor ?? last)}
				onKeyDown={onKey}
				onPointerDown={(e) => {
					pressed.current = e.clientX;
				}}
				onClick={(e) => {
					if (Math.abs(e.clientX - pressed.current) < CLICK_PX && hover !== null)
						onMoment(step_ms(hover));
				}}
			>
				{curve.gaps.map((g) => (
					<i key={g.from} class="hist-gap" style={band(g.from * 1000, g.to * 1000)}
						title={t("hist_gap", { from: momentText(g.from * 1000), to: momentText(g.to * 1000) })} />
				))}
				{chosen ? <i class="hist-brush" style={band(chosen.from_ms, chosen.to_ms)} /> : null}
				{cursor !== null && cursor >= 0 ? <i class="hist-cursor" style={{ left: `${x(step_ms(cursor))}px` }} /> : null}
				{moment_ms !== null && moment_ms >= at.from_ms && moment_ms <= at.to_ms
					? <i class="hist-moment" style={{ left: `${x(moment_ms)}px` }} /> : null}
			</div>
			<div class="hist-marks">
				{marks.map((m) => <EventMark key={m.time_ms} mark={m} onMoment={onMoment} />)}
			</div>
			{events_cut ? <p class="note hist-marks-cut">{events_cut}</p> : null}
		</section>
	);
}

function EventMark({ mark, onMoment }: { mark: Mark; onMoment: (ms: number) => void }) {
	const what = `${momentText(mark.time_ms)} ${eventText(mark.rows.find((r) => r.kind === mark.kind)!)}`;
	const label = mark.n > 1 ? t("hist_events_n", { n: count(mark.n), what }) : what;
	return (
		<button
			type="button"
			class={"hist-mark " + mark.kind}
			style={{ left: `${AXIS_PX + mark.x}px` }}
			title={label}
			aria-label={label}
			onClick={() => onMoment(mark.time_ms)}
		>
			{EVENT_MARKS[mark.kind]}
		</button>
	);
}
