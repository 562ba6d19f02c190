// SPDX-License-Identifier: GPL-2.0-or-later
// The past as the page draws it: curves with their gaps, what jumped when, two spans side by side. Pure.

import { type Row, cell, isRest, numberOf, textOf } from "./model";

/** Steps for a plot. A null is a step in which weir did not run. */
export interface Curve {
	/** Seconds since the epoch at which each step begins, and where the last one ends. */
	time: number[];
	end: number;
	tx: (number | null)[];
	rx: (number | null)[];
	/** The largest second of each step; null where it is not known. */
	tx_max: (number | null)[];
	rx_max: (number | null)[];
	/** Bytes in all of it. */
	sum_tx: number;
	sum_rx: number;
	/** Seconds in which weir did not run, between the first step and the last. */
	gaps: { from: number; to: number }[];
	covered_s: number;
	step: number;
}

/** From rows of history_rates, which come in any order. The ends of the span are marked as gaps where nothing is kept. */
export function curveOf(rows: readonly Row[], from_ms: number, to_ms: number): Curve {
	const c: Curve = {
		time: [], end: to_ms / 1000, tx: [], rx: [], tx_max: [], rx_max: [], sum_tx: 0, sum_rx: 0, gaps: [], covered_s: 0, step: 0,
	};
	const list = rows
		.map((row) => ({ row, at: Date.parse(textOf(row, "time")) / 1000, width: Math.max(1, numberOf(row, "seconds")) }))
		.filter((x) => Number.isFinite(x.at))
		.sort((a, b) => a.at - b.at);
	const add = (at: number, values: (number | null)[]) => {
		c.time.push(at);
		c.tx.push(values[0]);
		c.rx.push(values[1]);
		c.tx_max.push(values[2]);
		c.rx_max.push(values[3]);
	};
	let end = from_ms / 1000;
	for (const { row, at, width } of list) {
		/* A step may be cut at the span's edge; less than half of one is no gap. */
		if (at > end + width / 2) {
			c.gaps.push({ from: end, to: at });
			add(end, [null, null, null, null]);
		}
		const tx = numberOf(row, "tx_bytes");
		const rx = numberOf(row, "rx_bytes");
		const top = (name: string) => (cell(row, name) === null ? null : numberOf(row, name));
		add(at, [tx / width, rx / width, top("tx_bytes_per_second_max"), top("rx_bytes_per_second_max")]);
		c.sum_tx += tx;
		c.sum_rx += rx;
		c.covered_s += width;
		c.step = Math.max(c.step, width);
		end = at + width;
	}
	if (list.length && end < to_ms / 1000 - Math.max(2, 1.5 * c.step)) {
		c.gaps.push({ from: end, to: to_ms / 1000 });
		add(end, [null, null, null, null]);
	}
	if (list.length)
		c.end = Math.max(end, to_ms / 1000);
	return c;
}

/** The same curve laid over another span: as if it had begun shift_s later. */
export function shifted(c: Curve, shift_s: number): Curve {
	return { ...c, time: c.time.map((x) => x + shift_s), end: c.end + shift_s };
}

/** The values of one curve at the steps of another. */
export function resample(c: Curve, values: readonly (number | null)[], time: readonly number[]): (number | null)[] {
	let i = -1;
	return time.map((x) => {
		while (i + 1 < c.time.length && c.time[i + 1] <= x + 0.5)
			i++;
		return i < 0 || x >= c.end ? null : values[i];
	});
}

export interface Jump {
	time: number;
	direction: "tx" | "rx";
	before: number;
	after: number;
}

/** A level that holds for less than this share of the span is a spike and not a level. */
const LEVEL = 24;
const JUMP_FACTOR = 2;

/** Where the curve changed most, if it did: the border between two stretches whose means differ most. */
export function jumpOf(c: Curve): Jump | null {
	let best: Jump | null = null;
	let best_score = 0;
	for (const direction of ["tx", "rx"] as const) {
		const v = c[direction];
		const w = Math.max(2, Math.floor(v.length / LEVEL));
		const top = v.reduce<number>((m, x) => Math.max(m, x ?? 0), 0);
		for (let i = w; i + w <= v.length; i++) {
			const a = mean(v, i - w, i);
			const b = mean(v, i, i + w);
			if (a === null || b === null || Math.max(a, b) < top / 5)
				continue;
			const floor = top / 200;
			const ratio = (Math.max(a, b) + floor) / (Math.min(a, b) + floor);
			/* The step itself tells where within the window the border is. */
			const edge = Math.abs((v[i] ?? 0) - (v[i - 1] ?? 0)) / top;
			const score = Math.abs(a - b) * Math.log2(ratio) * (1 + edge);
			if (ratio >= JUMP_FACTOR && score > best_score) {
				best_score = score;
				best = { time: c.time[i], direction, before: a, after: b };
			}
		}
	}
	return best;
}

function mean(v: readonly (number | null)[], from: number, to: number): number | null {
	let sum = 0;
	for (let i = from; i < to; i++) {
		if (v[i] === null)
			return null;
		sum += v[i]!;
	}
	return sum / (to - from);
}

/* --- programs ------------------------------------------------------------------------------------------------ */

export interface Program {
	/** "": the remainder that could not be kept apart. */
	id: string;
	name: string;
	place: string;
	tx: number;
	rx: number;
	connections: number;
	retransmits: number;
	is_new: boolean;
	row: Row;
}

export function programsOf(rows: readonly Row[]): Program[] {
	return rows
		.map((row) => {
			const name = textOf(row, "program");
			const container = textOf(row, "container_name") || textOf(row, "container_id").slice(0, 12);
			const place = textOf(row, "pod_name") || container || textOf(row, "unit");
			return {
				id: isRest(row) ? "" : [name, textOf(row, "exe"), textOf(row, "uid"), place].join("\u0001"),
				name, place, tx: numberOf(row, "tx_bytes"), rx: numberOf(row, "rx_bytes"),
				connections: numberOf(row, "connections"), retransmits: numberOf(row, "retransmits"),
				is_new: cell(row, "new") === true, row,
			};
		})
		.sort((a, b) => b.tx + b.rx - a.tx - a.rx || (a.id < b.id ? -1 : 1));
}

export interface Answer {
	kind: "none" | "sent" | "received";
	total: number;
	who: Program | null;
	part: number;
}

/** Who moved most, in the direction in which more moved. */
export function answerOf(c: Curve, programs: readonly Program[]): Answer {
	const kind = c.sum_tx + c.sum_rx === 0 ? "none" : c.sum_rx > c.sum_tx ? "received" : "sent";
	const part = (p: Program) => (kind === "received" ? p.rx : p.tx);
	let who: Program | null = null;
	for (const p of programs)
		if (p.id && (!who || part(p) > part(who)))
			who = p;
	return { kind, total: Math.max(c.sum_tx, c.sum_rx), who, part: who ? part(who) : 0 };
}

export interface Pair {
	id: string;
	now: Program | null;
	then: Program | null;
	name: string;
	place: string;
	before: number;
	after: number;
}

/** Programs of two spans side by side, those first whose bytes differ most; then's as many times as `scale` says. */
export function pairs(now: readonly Program[], then: readonly Program[], scale = 1): Pair[] {
	const found = new Map<string, Pair>();
	for (const p of now)
		found.set(p.id, { id: p.id, now: p, then: null, name: p.name, place: p.place, before: 0, after: p.tx + p.rx });
	for (const p of then) {
		const known = found.get(p.id);
		const before = (p.tx + p.rx) * scale;
		if (known) {
			known.then = p;
			known.before = before;
		} else {
			found.set(p.id, { id: p.id, now: null, then: p, name: p.name, place: p.place, before, after: 0 });
		}
	}
	return [...found.values()].sort((a, b) =>
		Math.abs(b.after - b.before) - Math.abs(a.after - a.before) || b.after - a.after || (a.name < b.name ? -1 : 1));
}

/** "×4.2", "÷3", "=": how many times as much; null when one of them is nothing. */
export function factorText(before: number, after: number): string | null {
	if (before <= 0 || after <= 0)
		return null;
	const f = after >= before ? after / before : before / after;
	const digits = f >= 9.95 ? Math.round(f) : Math.round(f * 10) / 10;
	return digits === 1 ? "=" : (after > before ? "×" : "÷") + (digits >= 1000 ? ">999" : digits);
}

/* --- what changed -------------------------------------------------------------------------------------------- */

/** Which sentence tells a row of history_changes: a key of the table of words, and which numbers stand in it. */
export function changeKey(row: Row): string {
	const kind = textOf(row, "kind");
	if (kind === "event")
		return "change_event";
	const how = cell(row, "new") === true ? "new" : cell(row, "gone") === true ? "gone"
		: numberOf(row, "after") >= numberOf(row, "before") ? "more" : "less";
	const what = `${kind === "peer" || kind === "loss" ? kind : "program"}_${how}`;
	return `change_${what}`;
}

/* --- spans --------------------------------------------------------------------------------------------------- */

export interface Range {
	from_ms: number;
	to_ms: number;
}

/** When what is kept begins, by rows of history_store; NaN: nothing is. */
export function beganOf(rows: readonly Row[]): number {
	return rows.reduce((m, r) => {
		const ms = Date.parse(textOf(r, "oldest"));
		return ms < m || Number.isNaN(m) ? ms : m;
	}, NaN);
}

/** How many seconds of a span are kept. */
export function keptSeconds(r: Range, began_ms: number): number {
	return Math.max(0, r.to_ms - (began_ms > r.from_ms ? began_ms : r.from_ms)) / 1000;
}

/** Of spans so much unlike in length one says what moved in a second, not what moved. */
export function unlike(a_s: number, b_s: number): boolean {
	return a_s > 0 && b_s > 0 && Math.abs(a_s - b_s) > 0.02 * Math.max(a_s, b_s);
}

/** Whose traffic a jump most likely was: of those that changed the same way, the first that moves more that way than the other. */
export function causeOf(jump: Jump, changes: readonly Row[], programs: readonly Program[]): string {
	const up = jump.after > jump.before;
	for (const r of changes) {
		const name = textOf(r, "program");
		const p = programs.find((x) => x.id && x.name === name);
		if (textOf(r, "kind") === "program" && numberOf(r, "after") > numberOf(r, "before") === up && p &&
			(jump.direction === "tx" ? p.tx >= p.rx : p.rx >= p.tx))
			return name;
	}
	return "";
}

/** The span that another one is compared with: "before", "day" or "week" earlier, or one of its own. */
export function otherRange(versus: string, at: Range): Range | null {
	const length = at.to_ms - at.from_ms;
	const back = versus === "before" ? length : versus === "day" ? 86400e3 : versus === "week" ? 7 * 86400e3 : 0;
	if (back)
		return { from_ms: at.from_ms - back, to_ms: at.to_ms - back };
	const [from, to] = versus.split("/").map((s) => Date.parse(s));
	return from < to ? { from_ms: from, to_ms: to } : null;
}

const MIN_MS = 20e3;
const MAX_MS = 400 * 86400e3;

/** Nearer or further, around the middle, not into the future. */
export function zoomed(at: Range, factor: number, now_ms: number): Range {
	const middle = (at.from_ms + at.to_ms) / 2;
	const half = Math.min(MAX_MS, Math.max(MIN_MS, (at.to_ms - at.from_ms) * factor)) / 2;
	const to_ms = Math.min(now_ms, middle + half);
	return { from_ms: to_ms - 2 * half, to_ms };
}

export function moved(at: Range, share: number, now_ms: number): Range {
	const length = at.to_ms - at.from_ms;
	const to_ms = Math.min(now_ms, at.to_ms + share * length);
	return { from_ms: to_ms - length, to_ms };
}

/** The stretches before and after a moment that are compared when it is asked what changed there. */
export function around(moment_ms: number, at: Range, now_ms: number): { before: Range; after: Range } {
	/* In steps, so that a span that slides does not ask anew for each second of its length. */
	const w = Math.min(6 * 3600e3, Math.max(30e3, Math.round((at.to_ms - at.from_ms) / 120e3) * 10e3));
	return {
		before: { from_ms: moment_ms - w, to_ms: moment_ms },
		after: { from_ms: moment_ms, to_ms: Math.max(moment_ms + 1000, Math.min(now_ms, moment_ms + w)) },
	};
}

/* --- use per day --------------------------------------------------------------------------------------------- */

export interface Use {
	period: string;
	tx: number;
	rx: number;
	/** Who moved most in it. */
	who: string;
	part: number;
}

/** Rows of history_days or history_months as one line each, latest first. */
export function useOf(rows: readonly Row[], field: "day" | "month"): Use[] {
	const found = new Map<string, Use & { programs: Map<string, number> }>();
	for (const row of rows) {
		const period = textOf(row, field);
		const tx = numberOf(row, "tx_bytes");
		const rx = numberOf(row, "rx_bytes");
		let u = found.get(period);
		if (!u)
			found.set(period, (u = { period, tx: 0, rx: 0, who: "", part: 0, programs: new Map() }));
		u.tx += tx;
		u.rx += rx;
		if (isRest(row))
			continue;
		const name = textOf(row, "program");
		const sum = (u.programs.get(name) ?? 0) + tx + rx;
		u.programs.set(name, sum);
	}
	for (const u of found.values())
		for (const [name, sum] of u.programs)
			if (sum > u.part) {
				u.who = name;
				u.part = sum;
			}
	return [...found.values()]
		.map(({ period, tx, rx, who, part }) => ({ period, tx, rx, who, part }))
		.sort((a, b) => (a.period < b.period ? 1 : -1));
}

/* --- events -------------------------------------------------------------------------------------------------- */

export const EVENT_KINDS = [
	"damaged", "disk", "killed", "gap", "clock", "finding", "started", "stopped", "listening", "first_seen",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export const EVENT_MARKS: Record<EventKind, string> = {
	damaged: "✕", disk: "✕", killed: "✕", gap: "⋯", clock: "↺", finding: "!", started: "▸", stopped: "▪", listening: "○", first_seen: "✦",
};

export function eventKind(row: Row): EventKind | null {
	const kind = textOf(row, "kind") as EventKind;
	return EVENT_KINDS.includes(kind) ? kind : null;
}

export interface Mark {
	/** Pixels from the left. */
	x: number;
	kind: EventKind;
	rows: Row[];
	/** How many events. */
	n: number;
	time_ms: number;
}

const MARK_PX = 16;
const MARKS_MAX = 120;

/** A row of events may stand for several of a step. */
export const eventCount = (row: Row): number => numberOf(row, "count") || 1;

/** The step of which alike events are one row: as fine as marks can show, so that rows reach over the span. */
export function eventStep(at: Range): number {
	return Math.max(1, Math.ceil((at.to_ms - at.from_ms) / 1000 / MARKS_MAX));
}

/** Events that would lie on each other share a mark, which shows the gravest of them. */
export function marksOf(rows: readonly Row[], at: Range, width: number): Mark[] {
	const found = new Map<number, Mark>();
	for (const row of rows) {
		const time_ms = Date.parse(textOf(row, "time"));
		const kind = eventKind(row);
		/* A row of several events has the last one's time: it may lie a little behind the curve's end. */
		const at_x = (width * (time_ms - at.from_ms)) / Math.max(1, at.to_ms - at.from_ms);
		if (!kind || !(at_x >= -MARK_PX && at_x <= width + MARK_PX))
			continue;
		const x = Math.min(Math.max(at_x, 0), width);
		const cell = Math.floor(x / MARK_PX);
		const known = found.get(cell);
		if (!known) {
			found.set(cell, { x, kind, rows: [row], n: eventCount(row), time_ms });
			continue;
		}
		known.rows.push(row);
		known.n += eventCount(row);
		if (EVENT_KINDS.indexOf(kind) < EVENT_KINDS.indexOf(known.kind)) {
			known.kind = kind;
			known.x = x;
			known.time_ms = time_ms;
		}
	}
	return [...found.values()].sort((a, b) => a.x - b.x);
}
