// SPDX-License-Identifier: GPL-2.0-or-later
// Rates over the one time axis: sent above the line, received below it, as steps. Position tells the two apart,
// not colour.

import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { bytes, clock, join, rate } from "./format";
import { t } from "./i18n";
import { type History, type Steps, steps, windowFor } from "./series";
import { Rate } from "./ui";

/** A step is at least this wide; what is narrower shares one, with the largest beside the average. */
const STEP_PX = 3;
const AXIS_PX = 74;

interface Hover {
	time: number;
	tx: number;
	rx: number;
}

function color(name: string): string {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(width: number, height: number, window_s: number, onHover: (i: number | null) => void): uPlot.Options {
	const line = uPlot.paths.stepped!({ align: 1 });
	const series = (stroke: string, fill: string, weight: number): uPlot.Series => ({
		stroke,
		fill,
		width: weight,
		paths: line,
		points: { show: false },
		spanGaps: false,
	});
	const axis = { stroke: color("--soft"), font: "12px system-ui, sans-serif", ticks: { show: false } };
	const grid = { stroke: color("--line"), width: 1 };
	return {
		width,
		height,
		padding: [8, 0, 0, 0],
		legend: { show: false },
		cursor: {
			y: false,
			points: { show: false },
			drag: { x: false, y: false },
		},
		scales: {
			x: { time: true, range: (_u, _min, max) => [max - window_s, max] },
			y: { range: (_u, min, max) => [Math.min(0, min) * 1.12, Math.max(max, -min / 8, 1000) * 1.12] },
		},
		axes: [
			{
				...axis,
				grid: { show: false },
				size: 28,
				incrs: [15, 30, 60],
				/* No label so near to the right edge that it would be cut. */
				values: (u, at) =>
					at.map((s) =>
						s > u.scales.x.max! - (window_s * 36) / width ? "" : clock(s * 1000).slice(0, s % 60 ? 8 : 5),
					),
			},
			{
				...axis,
				grid,
				size: AXIS_PX,
				space: 44,
				values: (_u, at) => at.map((v) => (v === 0 ? "0" : join(rate(Math.abs(v))))),
			},
		],
		series: [
			{},
			series(color("--sent-pale"), color("--sent-wash"), 1),
			series(color("--sent"), color("--sent-fill"), 1.5),
			series(color("--received-pale"), color("--received-wash"), 1),
			series(color("--received"), color("--received-fill"), 1.5),
		],
		hooks: { setCursor: [(u) => onHover(u.cursor.left! >= 0 ? (u.cursor.idx ?? null) : null)] },
	};
}

const negative = (list: (number | null)[]) => list.map((v) => (v === null ? null : -v));

function peak(time: number[], values: (number | null)[]): { rate: number; time: number } | null {
	let best = -1;
	for (let i = 0; i < values.length; i++)
		if (values[i] !== null && (best < 0 || values[i]! > values[best]!))
			best = i;
	return best < 0 || !values[best] ? null : { rate: values[best]!, time: time[best] };
}

export function Rates({ history, end_s, total }: { history: History; end_s: number; total: Hover }) {
	const place = useRef<HTMLDivElement>(null);
	const plot = useRef<uPlot | null>(null);
	const data = useRef<{ tx: Steps; rx: Steps } | null>(null);
	const [width, setWidth] = useState(0);
	const [scheme, setScheme] = useState(0);
	const [hover, setHover] = useState<number | null>(null);
	const narrow = width > 0 && width < 560;
	const height = narrow ? 170 : 210;
	const window_s = windowFor(history.recorded_s);
	const span = width ? Math.max(1, Math.ceil((window_s * STEP_PX) / Math.max(1, width - AXIS_PX))) : 1;
	const tx = steps(history.time, history.tx, end_s, window_s, span);
	const rx = steps(history.time, history.rx, end_s, window_s, span);
	data.current = { tx, rx };

	useEffect(() => {
		const observer = new ResizeObserver(([e]) => setWidth(Math.floor(e.contentRect.width)));
		observer.observe(place.current!);
		const dark = matchMedia("(prefers-color-scheme: dark)");
		const onScheme = () => setScheme((n) => n + 1);
		dark.addEventListener("change", onScheme);
		return () => {
			observer.disconnect();
			dark.removeEventListener("change", onScheme);
		};
	}, []);

	useEffect(() => {
		if (!width)
			return undefined;
		const u = new uPlot(options(width, height, window_s, setHover), [[0], [0], [0], [0], [0]], place.current!);
		plot.current = u;
		return () => {
			plot.current = null;
			u.destroy();
		};
	}, [width, height, window_s, scheme]);

	useEffect(() => {
		/* Where a step is one sample, a line of maxima would only be drawn over. */
		const blank = span === 1 ? tx.time.map(() => null) : null;
		/* The last value again where its step ends: a step is drawn up to the next point. */
		const whole = (list: (number | null)[]) => [...list, list[list.length - 1] ?? null];
		plot.current?.setData([
			[...tx.time, tx.end],
			whole(blank ?? tx.maximum),
			whole(tx.average),
			whole(blank ?? negative(rx.maximum)),
			whole(negative(rx.average)),
		]);
	}, [history.time[history.time.length - 1], width, height, window_s, scheme, span]);

	const at = hover !== null && tx.average[hover] !== null && hover < tx.time.length ? hover : null;
	const shown = at === null ? total : { time: tx.time[at], tx: tx.average[at] ?? 0, rx: rx.average[at] ?? 0 };
	const since = history.time.length ? clock(history.time[0] * 1000) : "";
	const row = (name: string, mark: string, kind: "tx" | "rx") => {
		const s = kind === "tx" ? tx : rx;
		const top = peak(s.time, s.maximum);
		const sum = kind === "tx" ? history.sum_tx : history.sum_rx;
		return (
			<div class={"legend-row " + kind}>
				<span class="legend-mark" aria-hidden="true">{mark}</span>
				<span class="legend-name">{name}</span>
				<span class="legend-rate" data-total={at === null ? kind : undefined}>
					<Rate n={shown[kind]} />
				</span>
				<span class="legend-more">
					{top ? t(narrow ? "peak" : "peak_at", { rate: join(rate(top.rate)), time: clock(top.time * 1000) }) : ""}
					{since ? (
						<span class="legend-sum">
							{t(narrow ? "integral_short" : "integral", { bytes: join(bytes(sum)), time: since })}
						</span>
					) : null}
				</span>
			</div>
		);
	};
	return (
		<section class="rates" aria-labelledby="rates-title">
			<div class="rates-head">
				<div>
					<h2 id="rates-title">
						{t("rates_title", { n: window_s / 60 })}
						{at !== null ? <span class="at">{clock(shown.time * 1000)}</span> : null}
					</h2>
					<p class="note">{span === 1 ? t("rates_since_1") : t("rates_since", { span })}</p>
				</div>
				<div class="legend">
					{row(t("sent"), "▲", "tx")}
					{row(t("received"), "▼", "rx")}
				</div>
			</div>
			<div
				ref={place}
				class="plot"
				role="img"
				aria-label={t("rates_label", { tx: join(rate(total.tx)), rx: join(rate(total.rx)) })}
			/>
		</section>
	);
}

const SPARK_BUCKETS = 60;

/** The same axis, small: sum of both directions, the largest second pale behind the average. */
export function Spark({ line, end_s, window_s }: {
	line: { time: number[]; tx: number[]; rx: number[] };
	end_s: number;
	window_s: number;
}) {
	const both = line.tx.map((v, i) => v + line.rx[i]);
	const s = steps(line.time, both, end_s, window_s, window_s / SPARK_BUCKETS);
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
