// SPDX-License-Identifier: GPL-2.0-or-later
// Rates over the one time axis: sent above the line, received below it, as steps. Position tells the two apart,
// not colour.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { join, rate } from "./format";
import { t } from "./i18n";
import { axisLabel, when } from "./time";
import type { Steps } from "./series";
import { store } from "./store";
import { Rate } from "./ui";

/** A step is at least this wide; what is narrower shares one, with the largest beside the average. */
const STEP_PX = 3;
export const AXIS_PX = 74;

/** What is drawn of a series: names of CSS colours, and the width of its line. */
export interface Ink {
	stroke: string;
	fill: string;
	width: number;
}

/** What brushing any plot does: all pages show that span. */
export const onBrush = (from_s: number, to_s: number) => store.setSpan(from_s * 1000, to_s * 1000);

function color(name: string): string {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

interface PlotOptions {
	height: number;
	window_s: number;
	/** From back to front. */
	inks: readonly Ink[];
	/** A height that the axis has at least. */
	least: number;
	/** What an axis says at a value that is not zero. */
	label: (v: number) => string;
	/** A span was brushed, in seconds since the epoch; absent: nothing can be. */
	onBrush?: (from_s: number, to_s: number) => void;
}

const INCREMENTS = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];
/* Before there is an answer the axis ends at 0: no time can be read or chosen there. */
const NO_TIME_S = 1e9;
const BRUSH_MIN_PX = 6;

function options(width: number, o: PlotOptions, onHover: (i: number | null) => void): uPlot.Options {
	const { window_s } = o;
	const line = uPlot.paths.stepped!({ align: 1 });
	const axis = { stroke: color("--soft"), font: "12px system-ui, sans-serif", ticks: { show: false } };
	const grid = { stroke: color("--line"), width: 1 };
	return {
		width,
		height: o.height,
		padding: [8, 0, 0, 0],
		legend: { show: false },
		cursor: {
			y: false,
			points: { show: false },
			drag: { x: Boolean(o.onBrush), y: false, setScale: false },
		},
		select: { show: Boolean(o.onBrush), left: 0, top: 0, width: 0, height: 0 },
		scales: {
			x: { time: true, range: (_u, _min, max) => [max - window_s, max] },
			y: { range: (_u, min, max) => [Math.min(0, min) * 1.12, Math.max(max, -min / 8, o.least) * 1.12] },
		},
		axes: [
			{
				...axis,
				grid: { show: false },
				size: 28,
				incrs: INCREMENTS,
				space: 64,
				/* No label so near to the right edge that it would be cut. */
				values: (u, at) =>
					at.map((s) =>
						s < NO_TIME_S || s > u.scales.x.max! - (window_s * 36) / width ? "" : axisLabel(s * 1000, window_s * 1000),
					),
			},
			{
				...axis,
				grid,
				size: AXIS_PX,
				space: 44,
				values: (_u, at) => at.map((v) => (v === 0 ? "0" : o.label(Math.abs(v)))),
			},
		],
		series: [
			{},
			...o.inks.map((ink) => ({
				stroke: color(ink.stroke),
				fill: color(ink.fill),
				width: ink.width,
				paths: line,
				points: { show: false },
				spanGaps: false,
			})),
		],
		hooks: {
			setCursor: [(u) => onHover(u.cursor.left! >= 0 ? (u.cursor.idx ?? null) : null)],
			setSelect: [
				(u) => {
					const { left, width: w } = u.select;
					const from = u.posToVal(left, "x");
					if (w >= BRUSH_MIN_PX && from > NO_TIME_S)
						o.onBrush?.(from, u.posToVal(left + w, "x"));
					u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
				},
			],
		},
	};
}

/** How wide a step is on a plot of that width, in seconds. */
export function spanFor(width: number, window_s: number): number {
	return width ? Math.max(1, Math.ceil((window_s * STEP_PX) / Math.max(1, width - AXIS_PX))) : 1;
}

/** The width of an element, as it changes. */
export function useWidth(place: { current: HTMLElement | null }): number {
	const [width, setWidth] = useState(0);
	useEffect(() => {
		const observer = new ResizeObserver(([e]) => setWidth(Math.floor(e.contentRect.width)));
		observer.observe(place.current!);
		return () => observer.disconnect();
	}, []);
	return width;
}

/** Whether a media query holds, as that changes. */
export function useMedia(query: string): boolean {
	const [holds, set] = useState(() => matchMedia(query).matches);
	useEffect(() => {
		const media = matchMedia(query);
		const on = () => set(media.matches);
		media.addEventListener("change", on);
		return () => media.removeEventListener("change", on);
	}, []);
	return holds;
}

/**
 * A plot of steps in place, drawn anew when the stamp changes. time and values come from steps(); the values of each
 * ink in turn. Returns the index of the step that is pointed at, or null.
 */
export function usePlot(
	place: { current: HTMLElement | null },
	width: number,
	o: PlotOptions,
	data: { time: number[]; end: number; values: (number | null)[][] },
	stamp: unknown,
): number | null {
	const plot = useRef<uPlot | null>(null);
	const dark = useMedia("(prefers-color-scheme: dark)");
	const [hover, setHover] = useState<number | null>(null);

	useEffect(() => {
		if (!width)
			return undefined;
		const u = new uPlot(options(width, o, setHover), [[0], ...o.inks.map(() => [0])], place.current!);
		plot.current = u;
		return () => {
			plot.current = null;
			u.destroy();
		};
	}, [width, o.height, o.window_s, dark]);
	useEffect(() => {
		/* The last value again where its step ends: a step is drawn up to the next point. */
		const whole = (list: (number | null)[]) => [...list, list[list.length - 1] ?? null];
		plot.current?.setData([[...data.time, data.end], ...data.values.map(whole)]);
	}, [stamp, width, o.height, o.window_s, dark]);
	return hover !== null && hover < data.time.length ? hover : null;
}

const INKS: readonly Ink[] = ["sent", "received"].flatMap((name) => [
	{ stroke: `--${name}-pale`, fill: `--${name}-wash`, width: 1 },
	{ stroke: `--${name}`, fill: `--${name}-fill`, width: 1.5 },
]);

const negative = (list: (number | null)[]) => list.map((v) => (v === null ? null : -v));

function peak(time: number[], values: (number | null)[]): { rate: number; time: number } | null {
	let best = -1;
	for (let i = 0; i < values.length; i++)
		if (values[i] !== null && (best < 0 || values[i]! > values[best]!))
			best = i;
	return best < 0 || !values[best] ? null : { rate: values[best]!, time: time[best] };
}

/** Both directions over a span, in steps. */
export interface Curve {
	tx: Steps;
	rx: Steps;
	window_s: number;
	/** A step is one second: then its largest one is itself. */
	single: boolean;
	/** Changes when the values do. */
	stamp: unknown;
}

export interface RatesProps {
	title: ComponentChildren;
	/** What the steps are, given how wide the plot is. */
	curve: (width: number) => Curve;
	note: (span_s: number) => string;
	/** What stands in the legend while nothing is pointed at. */
	legend: (way: "tx" | "rx") => ComponentChildren;
	sum: (way: "tx" | "rx", narrow: boolean) => string;
	/** The same in words, for who cannot see it. */
	label: string;
	lost?: ComponentChildren;
}

/** The plot of both directions: average as a line, the largest second pale beside it. */
export function RatesPlot({ title, curve: make, note, legend, sum, label, lost }: RatesProps) {
	const place = useRef<HTMLDivElement>(null);
	const width = useWidth(place);
	const narrow = width > 0 && width < 560;
	const { tx, rx, window_s, single, stamp } = make(width);
	const span = tx.time.length > 1 ? tx.time[1] - tx.time[0] : 1;
	/* Where a step is one sample, a line of maxima would only be drawn over. */
	const blank = single ? tx.time.map(() => null) : null;
	const hover = usePlot(
		place,
		width,
		{ height: narrow ? 150 : 176, window_s, inks: INKS, least: 1000, label: (v) => join(rate(v)), onBrush },
		{
			time: tx.time,
			end: tx.end,
			values: [blank ?? tx.maximum, tx.average, blank ?? negative(rx.maximum), negative(rx.average)],
		},
		stamp,
	);
	const at = hover !== null && tx.average[hover] !== null ? hover : null;
	const now = store.now_ms;
	const row = (name: string, mark: string, way: "tx" | "rx") => {
		const s = way === "tx" ? tx : rx;
		const top = peak(s.time, s.maximum);
		return (
			<div class={"legend-row " + way}>
				<span class="legend-mark" aria-hidden="true">{mark}</span>
				<span class="legend-name">{name}</span>
				<span class="legend-rate" data-total={at === null ? way : undefined}>
					{at === null ? legend(way) : <Rate n={s.average[at] ?? 0} />}
				</span>
				<span class="legend-more">
					{top ? t(narrow ? "peak" : "peak_at", { rate: join(rate(top.rate)), time: when(top.time * 1000, now) }) : ""}
					<span class="legend-sum">{sum(way, narrow)}</span>
				</span>
			</div>
		);
	};
	return (
		<section class="rates" aria-labelledby="rates-title">
			<div class="rates-head">
				<div>
					<h2 id="rates-title">
						{title}
						{at !== null ? <span class="at">{when(tx.time[at] * 1000, now)}</span> : null}
						{lost}
					</h2>
					<p class="note">{note(span)}</p>
				</div>
				<div class="legend">
					{row(t("sent"), "▲", "tx")}
					{row(t("received"), "▼", "rx")}
				</div>
			</div>
			<div ref={place} class="plot" role="img" title={t("brush_hint")} aria-label={label} />
		</section>
	);
}

/** The same axis, small: the largest second pale behind the average. */
export function Spark({ of: s }: { of: Steps }) {
	const top = s.maximum.reduce<number>((m, v) => Math.max(m, v ?? 0), 0);
	const path = (values: (number | null)[]) => {
		let d = "";
		let open = false;
		values.forEach((v, i) => {
			if (v === null) {
				d += open ? `V20Z` : "";
				open = false;
				return;
			}
			const y = top ? (20 - (18 * v) / top).toFixed(1) : "20";
			d += open ? `V${y}H${i + 1}` : `M${i} 20V${y}H${i + 1}`;
			open = true;
		});
		return open ? d + "V20Z" : d;
	};
	return (
		<svg class="spark" viewBox={`0 0 ${s.time.length} 20`} preserveAspectRatio="none" aria-hidden="true">
			<path class="spark-max" d={path(s.maximum)} />
			<path class="spark-avg" d={path(s.average)} />
		</svg>
	);
}
